/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The home's side of rings (runtime/ring.h): the region that senders write,
 * and the thread that applies what they wrote.
 *
 * The region, for each process a part of all three:
 *	states	a line with one word: sequence number of the last record
 *		applied << 16 | how many records failed so far (16 bits)
 *	replies	[LGN_RING_SLOTS]: why the record in that slot failed
 *	slots	[LGN_RING_SLOTS]: a line of header, then the record
 * The home writes states and replies, the process its slots. A reply is there
 * before the word that counts it, and stays until the slot's next record.
 */
#ifndef LGN_RUNTIME_APPLIER_H
#define LGN_RUNTIME_APPLIER_H

#include "runtime/base/attr.h"
#include "runtime/ring.h"
#include "verbs/wire.h"

struct lgn_ring_header {
	uint64_t seq;
	uint32_t bytes;		/* of the record behind it */
	uint32_t spare[13];
};
_Static_assert(sizeof(struct lgn_ring_header) == LGN_CACHELINE, "a line");

struct lgn_ring_reply {
	uint64_t seq;		/* of the record that failed */
	int32_t code;
	int32_t spare;
	char text[LGN_RING_TEXT + 8];
};
_Static_assert(sizeof(struct lgn_ring_reply) == 256, "whole lines");

/* Where things are in the region; the same at all homes. */
struct lgn_ring_shape {
	int size;		/* processes */
	uint32_t record_bytes, stride;	/* of a slot */
	uint64_t replies, slots, bytes;	/* offsets; of all */
};

static inline struct lgn_ring_shape lgn_ring_shape(int size,
						   uint32_t record_bytes)
{
	const uint64_t n = (uint64_t)size * LGN_RING_SLOTS;
	struct lgn_ring_shape s = {
		.size = size, .record_bytes = record_bytes,
		.stride = (uint32_t)(lgn_round_up(record_bytes, LGN_CACHELINE) +
				     sizeof(struct lgn_ring_header)),
		.replies = (uint64_t)size * LGN_CACHELINE,
	};

	s.slots = s.replies + n * sizeof(struct lgn_ring_reply);
	s.bytes = s.slots + n * s.stride;
	return s;
}

static inline uint64_t lgn_ring_state_at(int rank)
{
	return (uint64_t)rank * LGN_CACHELINE;
}

static inline uint64_t lgn_ring_reply_at(const struct lgn_ring_shape *s,
					 int rank, uint64_t seq)
{
	return s->replies + ((uint64_t)rank * LGN_RING_SLOTS +
			     seq % LGN_RING_SLOTS) * sizeof(struct lgn_ring_reply);
}

static inline uint64_t lgn_ring_slot_at(const struct lgn_ring_shape *s,
					int rank, uint64_t seq)
{
	return s->slots + ((uint64_t)rank * LGN_RING_SLOTS +
			   seq % LGN_RING_SLOTS) * s->stride;
}

struct lagoon;
struct lgn_applier;

/* Register the region and start the thread. */
int lgn_applier_open(struct lagoon *lg, const struct lgn_ring_attr *attr,
		     const struct lgn_ring_shape *shape, struct lgn_key *key,
		     struct lgn_applier **out);
/* NULL: nothing. */
void lgn_applier_close(struct lgn_applier *applier);

#endif
