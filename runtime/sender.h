/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of tables in apply mode on their way to homes: a header, then runs
 * of contiguous elements of one table, any pages of that home. A record is
 * filled where the ring will send it from. Who pushes holds the push lock and
 * uses the process's one sender.
 */
#ifndef LGN_RUNTIME_SENDER_H
#define LGN_RUNTIME_SENDER_H

#include "runtime/core.h"

enum lgn_record_kind {
	LGN_RECORD_DATA,	/* apply it */
	LGN_RECORD_HOLD,	/* keep it until the round ends */
	LGN_RECORD_ROUND,	/* apply all that is kept: by worker, then as
				 * sent; of no table */
};

struct lgn_record {
	uint32_t slot;		/* of the table */
	uint32_t kind;
	uint32_t worker;	/* in the job */
	uint32_t bytes;		/* of runs that follow */
};

/* Its elements follow, filled up to a multiple of 8 bytes. */
struct lgn_run {
	uint64_t page;
	uint32_t first, n;	/* elements of the page */
};

struct lgn_sender;

/* Memory; once a job, whichever table asks first. */
int lgn_sender_open(struct lagoon *lg);
void lgn_sender_close(struct lagoon *lg);

/* Homes apply from then on. Collective; once. */
int lgn_sender_start(struct lagoon *lg);

/* A table comes: after all have, records of it may. It goes: after the last. */
void lgn_sender_enter(struct lagoon *lg, struct lagoon_table *t);
void lgn_sender_forget(struct lagoon *lg, const struct lagoon_table *t);

/* No record is applied at this home in between; without a sender: nothing. */
void lgn_sender_hold(struct lagoon *lg);
void lgn_sender_let(struct lagoon *lg);

/* Begin to send of a table. */
void lgn_sender_begin(struct lagoon *lg, struct lagoon_table *t,
		      enum lgn_record_kind kind, uint32_t worker);

/* n elements of a page, from element `first` on. */
int lgn_sender_put(struct lagoon *lg, uint64_t page, uint64_t first, uint64_t n,
		   const char *data);

/* What is begun goes out. Before another table, kind or worker. */
int lgn_sender_commit(struct lagoon *lg);

/* LGN_RECORD_ROUND to every home that was sent to since the last one. */
int lgn_sender_round(struct lagoon *lg);

/* Until all is applied. *refused: records of which something was refused; then
 * the result is LAGOON_ERANGE, after all else was done. */
int lgn_sender_wait(struct lagoon *lg, uint64_t *refused);

/*
 * apply_home.c: what a home does with a record, as lgn_ring_attr.apply, by its
 * applier's thread; which tables there are, by any other.
 */
struct lgn_home;

int lgn_home_open(struct lgn_home **home);
void lgn_home_close(struct lgn_home *home);
void lgn_home_enter(struct lgn_home *home, int slot, struct lagoon_table *t);
void lgn_home_forget(struct lgn_home *home, const struct lagoon_table *t);
void lgn_home_lock(struct lgn_home *home);
void lgn_home_unlock(struct lgn_home *home);
int lgn_home_record(void *home, int from, const void *record, uint32_t bytes);

#endif
