/* SPDX-License-Identifier: BSD-3-Clause */
/* What smooth.c steps with, made by smooth_open.c. */
#ifndef LGN_SOLVE_SMOOTH_H
#define LGN_SOLVE_SMOOTH_H

#include "kernels/solve/linear/lbfgs.h"
#include "kernels/solve/linear/linear.h"
#include "kernels/solve/linear/search.h"
#include "kernels/solve/linear/work.h"

/* Of the call: fit->tables. */
struct lgn_smooth_tables {
	int memory;
	struct lgn_work work;
	struct lagoon_table *gradient;	/* X' slope: what each told last, summed */
	struct lagoon_table *direction;
	struct lagoon_table *history;	/* the gradient, s and y of each slot: */
};					/* scaled; all rows of one, then the next */

/* Of a worker: t->state. */
struct lgn_smooth {
	struct lgn_work_drawn drawn;
	struct lgn_lbfgs h;
	struct lgn_lbfgs_direction c;
	struct lgn_search search;
	double *scale;		/* [features] */
	double *told;		/* [n] this worker's part of the gradient table */
	double *p;		/* [n] */
	double *room;		/* vectors of a slice */
	double *z, *slope;	/* [largest block of the process][outputs] */
	size_t numbers;		/* of a slice, at most */
	struct lgn_lbfgs_sums sums;
	double wp, pp, ww;	/* products of the line */
	double square;		/* of the gradient, not scaled */
	bool ended;
};

/* In a checkpoint, beside the history's vectors. */
struct lgn_smooth_kept {
	struct lgn_lbfgs h;
	double square;
	int64_t ended;
};

_Static_assert(sizeof(struct lgn_smooth_kept) <= LGN_LINEAR_KEPT,
	       "a checkpoint is too small");

static inline struct lgn_smooth_tables *
lgn_smooth_tables(const struct lgn_linear *t)
{
	return t->fit->tables;
}

/* Vectors of the history, each of all weights: the gradient, and s and y of each
 * slot. */
enum { LGN_OLD_GRADIENT, LGN_S_OF, LGN_Y_OF };

/* Room for slices in s->room: of the direction, the weights, the gradient, the
 * one before; one to add up; then s and y of each slot. */
enum { LGN_ROOM_P, LGN_ROOM_W, LGN_ROOM_G, LGN_ROOM_OLD, LGN_ROOM_SUM,
       LGN_ROOM_PAIRS };

/* Collective, outside lagoon_run(): the tables; memory: pairs of the history. */
int lgn_smooth_create(struct lgn_linear_fit *fit, int memory);
void lgn_smooth_destroy(struct lgn_linear_fit *fit);

int lgn_smooth_open(struct lgn_linear *t);
void lgn_smooth_close(struct lgn_linear *t);

/* For lgn_linear_method. */
void lgn_smooth_keep(const struct lgn_linear *t, void *kept);
int lgn_smooth_resume(struct lgn_linear *t, const void *kept);

/* All workers, once all are open: room for every block of the process, the scale,
 * and the products with weights that are not 0. */
int lgn_smooth_begin(struct lgn_linear *t);

/* This worker's part of the gradient's table becomes t->g. */
int lgn_smooth_tell(struct lgn_linear *t);

#endif
