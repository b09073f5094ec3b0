/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sender's side of rings. What is known of a home, by sequence numbers:
 *
 *	applied <= landed < next
 *
 * Records up to `applied` are done. The PUTs of those up to `landed` are
 * complete. Those up to next - 1 have been sent, at most LGN_RING_SLOTS more
 * than are applied. (A PUT whose completion has not been looked at may be
 * applied already: then landed < applied for a moment.)
 *
 *	ring.c		open, reserve, commit, wait
 *	ring_way.c	what is on its way to one home: reads the home's word,
 *			mends the way and sends again
 *	applier.c	the home's side
 */
#ifndef LGN_RUNTIME_RING_WAY_H
#define LGN_RUNTIME_RING_WAY_H

#include "runtime/applier.h"
#include "runtime/core.h"

struct lgn_ring_slot {
	struct lgn_batch batch;
	struct lgn_wr wr;
};

/* What this process sends to one home. */
struct lgn_ring_home {
	int rank;
	struct lgn_key key;		/* of its region */
	struct lgn_rmem to;		/* .wire NULL: nothing was sent yet */
	struct lgn_mem mem;		/* slots as in the region, replies, word */
	struct lgn_ring_reply *reply;
	uint64_t *word;
	uint64_t applied, landed, next;
	uint32_t reserved;		/* bytes; 0: none */
	uint16_t failures;		/* that the home has told */
	struct lgn_ring_slot slot[LGN_RING_SLOTS];
	struct lgn_batch look;		/* reads the word */
	struct lgn_wr look_wr;
	bool looking;
	uint64_t look_ns, gap_ns;	/* when the last look came back; then wait */
	uint64_t since_ns;		/* when one last told something new, or
					 * something to wait for was sent */
	int attempts;			/* to mend, since a record was applied */
	uint64_t broken_ns;		/* when the first of them began */
	/* the first failure that the caller was not told */
	int code;
	uint64_t failed;		/* such records */
	char text[LGN_RING_TEXT];
};

struct lgn_ring {
	struct lagoon *lg;
	struct lgn_ring_attr attr;
	struct lgn_ring_shape shape;
	struct lgn_applier *applier;	/* NULL: no home */
	struct lgn_ring_home *home;		/* [lg->homes] */
	uint64_t again, mended;
};

/* Post the record `seq`, which is in its slot and has its request. */
int lgn_ring_post(struct lgn_ring *ring, struct lgn_ring_home *h, uint64_t seq);

/* What can be done without waiting; look: read the home's word, too, which is
 * in flight once at most. */
int lgn_ring_progress(struct lgn_ring *ring, struct lgn_ring_home *h, bool look);

/* A request failed with rc: mend the way, or return why not. */
int lgn_ring_mend(struct lgn_ring *ring, struct lgn_ring_home *h, int rc);
static inline bool lgn_ring_can_mend(int rc)
{
	return rc == LAGOON_EPEER || rc == LAGOON_EIO;
}

/* Wait until `seq` is applied, and its PUT complete. */
int lgn_ring_await(struct lgn_ring *ring, struct lgn_ring_home *h, uint64_t seq);

#endif
