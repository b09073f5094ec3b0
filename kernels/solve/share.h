/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A few bytes of every worker, told to all of them: row i of an i64 table
 * holds those of worker i, four to an element. Workers meet to exchange
 * them, and one that failed says so there: an error in one worker ends the
 * solver in all, with one message.
 *
 *	lgn_share_create(lg, "name", sizeof(struct mine), model, &share);
 *	in each worker, as often as needed and equally often:
 *		lgn_share_meet(&share, w, &round, rc, &mine, all);
 *	and when it fails between meetings, before it leaves:
 *		lgn_share_fail(&share, w, round, rc);
 */
#ifndef LGN_SOLVE_SHARE_H
#define LGN_SOLVE_SHARE_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/lagoon.h"

struct lgn_share {
	struct lagoon_table *table;
	int workers;
	size_t bytes;
};

/* Collective over the processes, outside lagoon_run(). */
int lgn_share_create(struct lagoon *lg, const char *name, size_t bytes,
		     int model, struct lgn_share *share);
void lgn_share_destroy(struct lgn_share *share);

/* The same with LAGOON_SSP, the first of a call in which every process needs a
 * worker: LAGOON_EINVAL in all if one has none. */
int lgn_share_create_first(struct lagoon *lg, const char *name, size_t bytes,
			   struct lgn_share *share);

/* Such a first of a call, whole: work(w, arg) in each worker, with a share that
 * is there meanwhile. */
int lgn_share_run(struct lagoon *lg, const char *name, size_t bytes,
		  int (*work)(struct lagoon_worker *w, void *arg), void *arg,
		  struct lgn_share *share);

/* Number of the lowest worker of this process; -1 without any. */
int lgn_share_first_worker(struct lagoon *lg);

/* End the worker's round and wait for all workers: what anybody added before
 * is in every pull after. mine [bytes] of each goes to all [workers * bytes],
 * in the order of workers. round counts the meetings of this worker, from 0.
 * status: 0, or the error that this worker comes with, its message still in
 * lagoon_errmsg(). When any came with one, all return that of the lowest
 * worker, with its message; LAGOON_EJOB when a worker left. */
int lgn_share_meet(const struct lgn_share *share, struct lagoon_worker *w,
		   uint32_t *round, int status, const void *mine, void *all);

/* Tell the others that this worker failed with rc and the message of this
 * thread. It must leave then, so that nobody waits for its clock. */
void lgn_share_fail(const struct lgn_share *share, struct lagoon_worker *w,
		    uint32_t round, int rc);

#endif
