/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The property test of DESIGN 2 (I1 to I4, I6): random cases, each a job of
 * all workers on one to three tables, every read checked by the oracle.
 *
 *	property [--workers A,B,...] [--seconds S] [--cases N] [--case K]
 *		[--check]
 *
 * Rank r has as many workers as item r of the list, taken round and round.
 * Cases follow until S seconds are over, at least N; --case runs that one
 * only, to repeat a failure together with LAGOON_TEST_SEED. With --check the
 * library verifies I1 to I4, too (LAGOON_CHECK), and finds nothing.
 */
#ifndef TEST_SUPPORT_PROPERTY_H
#define TEST_SUPPORT_PROPERTY_H

#include <pthread.h>

#include "test/support/element.h"
#include "test/support/oracle.h"
#include "test/support/test.h"

enum {
	PR_TABLES = 3,
	PR_OPS = 8,		/* requests that a worker has in flight */
	PR_OP_ELEMS = 384,
	PR_OP_ROWS = 384,
	PR_BOUNDS = 64,		/* changes of a bound in a case */
};

struct pr_shape {
	struct el_kind kind;
	const char *update;	/* of float formats, else NULL: one that adds */
	int model;		/* enum lagoon_model */
	int32_t staleness;
	int32_t sample;
	int64_t change;		/* [units] */
	uint64_t rows;
	uint32_t cols;
	uint32_t page_rows;
};

/* What all processes do in one case: a pure function of its seed. */
struct pr_case {
	uint64_t seed;
	int workers;
	int tables;
	struct pr_shape shape[PR_TABLES];
	bool bsp;		/* a table of them is: clocks are collective */
	bool bounds_change;
	bool models_change;	/* at meetings */
	int rounds;
	int barrier_every;	/* 0: at the end only */
	int actions;		/* of a worker in a round, at most */
	int leaver;		/* worker that leaves in leave_round; -1 */
	int leave_round;
	int busy[OR_WORKERS];	/* extra work of a worker, 0 ... 100 */
};

/* A table of the case in this process. */
struct pr_table {
	const struct pr_shape *shape;
	struct lagoon_table *t;
	struct or_log *log;
	_Atomic int model;
	/* bounds in force one after the other; set by local worker 0. A change
	 * of the model begins a new sequence: calls do not span it. */
	int32_t bound[PR_BOUNDS];
	int32_t sample[PR_BOUNDS];
	_Atomic int bounds_begun;	/* entries that may be in force */
	_Atomic int bounds_done;	/* the last of these is, at least */
	int32_t loosest;		/* of all */
	int64_t change_most;		/* [units] of all */
	bool model_changed;
	_Atomic uint64_t pulls, rows_pulled, adds, rows_added;
};

struct pr_run {
	const struct pr_case *c;
	pthread_mutex_t lock;	/* of what a change of model writes */
	struct pr_table table[PR_TABLES];
};

/* A model and its numbers, by chance; bsp: that too. */
void pr_model_draw(struct pr_shape *s, struct t_rng *rng, bool bsp);

/* In the value that the shape's attr has. */
double pr_units(const struct pr_shape *s, int64_t units);

void pr_case_make(struct pr_case *c, uint64_t seed, int workers);

/* One line about the case, for messages. */
void pr_case_print(const struct pr_case *c, char *text, size_t len);

/* Not 0: calls may fail with this, or because a peer is dead. Who gets such an
 * error ends the test well: t_stop(). Then cases follow until that happens. */
extern int pr_may_fail;

/* As t_ok(), but for that. */
void pr_ok(int rc, const char *what);

/* The worker's part of a case; for lagoon_run(). arg: struct pr_run. */
int pr_work(struct lagoon_worker *w, void *arg);

/* The whole program. */
int pr_main(int argc, char **argv, t_open_fn open);

#endif
