/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams of records of random sizes through rings (runtime/ring.h). Homes
 * check each of them: whole, next in order, once. They refuse some, which the
 * sender must learn, with the reason.
 */
#ifndef TEST_SUPPORT_STREAMS_H
#define TEST_SUPPORT_STREAMS_H

#include "runtime/core.h"
#include "runtime/ring.h"
#include "test/support/test.h"

enum { ST_RANKS = 8 };

/* What all processes must see: t_shared, or its beginning. */
struct st_shared {
	_Atomic uint64_t sent[ST_RANKS][ST_RANKS];	/* by whom, to which home */
	_Atomic int release;		/* what st_held waits for */
};

extern bool st_held;		/* homes apply nothing until the release */

/* For lgn_ring_open(). */
extern const struct lgn_ring_attr st_attr;

/* Sends record `index` (from 0) to a home; *is_bad: it will be refused. */
int st_send(struct lgn_ring *ring, int home, uint64_t index, struct t_rng *rng,
	    bool *is_bad);

/* So many records to homes by chance, until all are applied and every refusal
 * is known. */
void st_stream(struct lgn_ring *ring, uint64_t records);

/* At homes, when all have streamed and met: everything has come. */
void st_check_all_came(void);

/* Before another ring is opened. */
void st_forget(void);

#endif
