/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * psp: whom a worker asks. In each of its rounds worker w of W checks its
 * bound against k of the W - 1 others, drawn without replacement: the first k
 * places of a Fisher-Yates shuffle of the others in ascending order,
 *
 *	for i = 0 ... k - 1: swap places i and i + floor(n u / 2^32), n = W-1-i
 *	u = word 0 of Philox-4x32-7 at counter (i, 0, 0, round),
 *	    key (seed of job and table ^ LGN_SAMPLE_SALT, w)
 *
 * so it is a function of seed, table, worker and round, and a larger k asks
 * the same workers and more. k >= W - 1 asks all. (A place is off by at most
 * W / 2^32 from equally likely.)
 *
 * What a process knows of a worker is the clock of the worker's process. So
 * the sample becomes a set of processes; their clocks are never ahead of the
 * workers', nor of what was flushed.
 *
 * When is a copy of a page fresh? If it was fetched under a floor of all
 * members that suffices, as under ssp; or if its READ was posted after the
 * sample was found to be far enough: such a moment is a tick of the table,
 * and READs of a psp table are stamped with the last tick.
 */
#ifndef LGN_RUNTIME_SAMPLE_H
#define LGN_RUNTIME_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#define LGN_SAMPLE_SALT 0x70737021u	/* other bits than rounding has */

struct lagoon_worker;
struct lagoon_table;
struct lgn_board_view;

/* A worker's sample in a table, for one round. */
struct lgn_sample {
	int *who;		/* [workers of the job]; NULL: never psp */
	int n;			/* drawn: who[n] are ranks */
	int32_t k;
	int64_t round;
	uint64_t epoch;		/* of the runtime when drawn */
	int64_t floor;		/* of the sample, as last seen */
	int64_t bound;		/* that was met at tick */
	uint64_t tick;		/* 0: none met */
};

/* The k others of n workers that worker asks, into who[n]. Returns how many:
 * k, or n - 1 if that is less. */
int lgn_sample_draw(uint32_t seed, int worker, int64_t round, int n, int32_t k,
		    int *who);

int lgn_sample_open(struct lagoon_table *t);
void lgn_sample_close(struct lagoon_table *t);

/* Has the worker's sample of this round reached bound, as far as is known?
 * Then *tick is what the copies that it uses must have. The worker's thread. */
bool lgn_sample_met(struct lagoon_worker *w, struct lagoon_table *t,
		    int64_t round, int64_t bound, uint64_t *tick);

/* The worker's board read has come back: look at the sample's clocks. Returns
 * the rank that is last, or -1. */
int lgn_sample_look(struct lagoon_worker *w, struct lagoon_table *t);

#endif
