/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deltas that do not combine (LAGOON_COMBINE_NONE): each call's rows stay as
 * they are, in the order of the calls. One log a worker; it is written by its
 * worker and taken by whoever pushes, under its lock.
 */
#ifndef LGN_RUNTIME_UPDATE_LOG_H
#define LGN_RUNTIME_UPDATE_LOG_H

#include "runtime/apply.h"

/* What follows it is one page's rows of deltas. */
struct lgn_logged {
	uint64_t row, nrows;
	uint64_t bytes;			/* of both, a multiple of 8 */
};

struct lgn_log {
	_Atomic uint32_t lock;
	_Atomic uint64_t used;		/* bytes */
	uint64_t room;
	char *bytes;
} LGN_ALIGNED;

int lgn_log_open(struct lagoon_table *t);
void lgn_log_close(struct lagoon_table *t);

void lgn_log_lock(struct lgn_log *log);
void lgn_log_unlock(struct lgn_log *log);

/* Whether there is anything; of the worker's own log, or under the lock. */
static inline bool lgn_log_empty(const struct lgn_log *log)
{
	return !atomic_load(&log->used);
}

/* The entry at `*at` bytes, and on to the next; NULL: no more. */
const struct lgn_logged *lgn_log_next(const struct lgn_log *log, uint64_t *at);

void lgn_log_clear(struct lgn_log *log);

/* lgn_apply.add */
int lgn_log_add(struct lgn_apply_add *a, uint64_t row, uint64_t nrows,
		const char *in);

#endif
