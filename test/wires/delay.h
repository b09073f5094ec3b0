/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A wire over another wire that uses every freedom that verbs/wire.h gives:
 * requests are kept back, executed in any order, GETs and PUTs in pieces and
 * GETs more than once, effects come long before or just at the completion,
 * post() has no room at times. All of it by seed. It hides the mapping and
 * the CPU atomics of the wire below, so that nothing goes past it.
 *
 * It can also let requests fail: executed, in part, or not at all, which their
 * completion does not tell. Failed ADDs and CASes are counted as uncertain. As
 * with a queue pair, the first failure may break the way to that peer: what is
 * in flight fails, executed or not, and no more is taken. The way to a region
 * with bells is another one than that to all else of a peer, and can be mended.
 */
#ifndef TEST_WIRES_DELAY_H
#define TEST_WIRES_DELAY_H

#include "verbs/wire.h"

struct delay_config {
	const struct lgn_wire_ops *below;	/* NULL: lgn_wire_shm */
	uint64_t seed;
	unsigned hold;		/* a poll takes one step of a request in so many */
	unsigned again;		/* one GET in so many is executed again; 0 never */
	unsigned linger;	/* one request in so many stays up to 3 ms before
				 * or after it was executed; 0 never */
	unsigned refuse;	/* one post in so many gets EAGAIN; 0 never */
	/* from delay_fail_after() on: one step of a request of an op in fail_ops
	 * fails in so many */
	unsigned fail;		/* 0 never */
	unsigned fail_ops;	/* 1 << enum lgn_op, or-ed */
	int fail_status;
	bool fail_breaks;	/* the way */
};

struct delay_counts {
	uint64_t posted, refused, executed, again, failed;
};

extern const struct lgn_wire_ops lgn_wire_delay;

/* Before open(), for all wires opened after. */
void delay_configure(const struct delay_config *config);

/* Failing begins when this process has posted so many requests more. Any
 * thread. */
void delay_fail_after(uint64_t requests);

/* Of all delay wires of this process. */
struct delay_counts delay_counts(void);

#endif
