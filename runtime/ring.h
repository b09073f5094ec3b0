/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings: a stream of records from every process to every home, each applied
 * there once and in the order in which its sender sent it, over any wire and
 * across queue pairs that break.
 *
 * A home has a region with LGN_RING_SLOTS slots for each process. A sender
 * fills its slot `sequence % LGN_RING_SLOTS` by one PUT that rings the home's
 * bell (verbs/wire.h), and uses it again when the PUT is complete and the home
 * has applied the record: so it never overruns. The home's applier thread
 * sleeps until the bell, applies what is next of that sender, and then raises
 * the sender's `applied` word. Senders learn of it by a GET of that word.
 * The sender keeps its copy until then; when the way to the home breaks, it is
 * connected again, the word is read, and what was not applied is sent again,
 * from the same bytes to the same places: a record that arrives twice is
 * applied once.
 *
 *	struct lgn_ring_attr attr = { .apply = f, .arg = x };
 *	lgn_ring_open(lg, &attr, &ring)            collective
 *	lgn_ring_reserve(ring, home, bytes, &at)   room, in registered memory
 *	... fill it ...
 *	lgn_ring_commit(ring, home, bytes, &seq)   on its way
 *	lgn_ring_wait(ring, home, seq)             applied there
 *	lgn_ring_close(ring)
 *
 * One thread of a process at a time sends: whoever holds the push lock. `home`
 * counts homes as lagoon.home_rank does, not ranks; a home may send to itself.
 *
 * What a sending call returns besides 0:
 *	what apply() returned	of the first record that failed and was not told
 *		yet, with its message and the home's rank; only
 *		lgn_ring_wait(), lgn_ring_flush(). The stream goes on.
 *	LAGOON_EPEER		the home is dead, or cannot be reached any more
 *	LAGOON_ETIMEDOUT	nothing was applied for the time limit
 *	others			as the wire says
 * After one of the last three the ring is of no use.
 */
#ifndef LGN_RUNTIME_RING_H
#define LGN_RUNTIME_RING_H

#include <stdint.h>

struct lagoon;
struct lgn_ring;

enum {
	LGN_RING_SLOTS = 32,	/* records of one sender in flight to a home */
	LGN_RING_TEXT = 232,	/* of a message that comes back, with its 0 */
};

struct lgn_ring_attr {
	/*
	 * At homes, on the applier thread, which is one: apply a record of rank
	 * `from`. It begins at a cache line, and is in the region that the
	 * sender writes: read it, do not change it. 0, or a LAGOON_E code with
	 * its message (lgn_fail()), which goes back to the sender; this record
	 * then counts as done, and later ones are applied all the same. Must
	 * not use the ring, nor wait for other processes.
	 */
	int (*apply)(void *arg, int from, const void *record, uint32_t bytes);
	void *arg;
	/* Called at the sender, from any of its calls, for each record that
	 * apply() failed, before lgn_ring_wait() tells; may be NULL. */
	void (*failed)(void *failed_arg, int home, uint64_t seq, int code,
		       const char *text);
	void *failed_arg;
	/* Bytes of the largest record; 0: as large as it goes, by the number of
	 * processes (128 KiB up to 64 processes, 16 KiB from 512 on). */
	uint32_t record_bytes;
};

/*
 * Make the rings of the job, and at homes start the applier. Collective: all
 * processes call it alike, and all succeed or fail. One at a time is open in a
 * job. Memory at a home: 32 slots a process; at a sender 32 slots a home, from
 * the first record to that home on.
 */
int lgn_ring_open(struct lagoon *lg, const struct lgn_ring_attr *attr,
		  struct lgn_ring **ring);

/* Stop the applier and free all; NULL: nothing. When nobody sends any more: all
 * have flushed and met (lgn_board_sync()), or the job is over. */
void lgn_ring_close(struct lgn_ring *ring);

/* Bytes of the largest record. */
uint32_t lgn_ring_most(const struct lgn_ring *ring);

/*
 * Where to put a record of up to `bytes` (at most lgn_ring_most()) for a home:
 * a cache line's beginning, in memory that goes out as it is. Waits for a slot,
 * that is until the record 32 before it is applied. Until the commit nothing
 * else is sent to that home; a reserved slot may be given up by reserving again.
 */
int lgn_ring_reserve(struct lgn_ring *ring, int home, uint32_t bytes,
		     void **at);

/* Send what was put there: `bytes` of it, at least 1, at most what was reserved.
 * It is on its way on return. *seq: its sequence number, 1, 2, 3... for each
 * home; may be NULL. */
int lgn_ring_commit(struct lgn_ring *ring, int home, uint32_t bytes,
		    uint64_t *seq);

/* Both, for a record in parts. */
struct lgn_ring_part {
	const void *data;
	uint32_t bytes;
};
int lgn_ring_send(struct lgn_ring *ring, int home,
		  const struct lgn_ring_part *part, int parts, uint64_t *seq);

/* Wait until this record, and all before it to that home, are applied. */
int lgn_ring_wait(struct lgn_ring *ring, int home, uint64_t seq);

/* Wait for everything that this process has sent, to all homes: goes on with
 * the other homes when one has failed records. */
int lgn_ring_flush(struct lgn_ring *ring);

/* Sequence number up to which the home is known to have applied; asks nobody. */
uint64_t lgn_ring_applied(const struct lgn_ring *ring, int home);

/* Records sent again after a way was mended, ways mended: for statistics. */
void lgn_ring_counts(const struct lgn_ring *ring, uint64_t *again,
		     uint64_t *mended);

#endif
