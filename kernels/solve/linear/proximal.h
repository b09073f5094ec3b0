/* SPDX-License-Identifier: BSD-3-Clause */
/* What proximal.c steps with, made by proximal_open.c. */
#ifndef LGN_SOLVE_PROXIMAL_H
#define LGN_SOLVE_PROXIMAL_H

#include "kernels/solve/linear/linear.h"

#define LGN_PROXIMAL_NARROW 0.1	/* trust regions, at least */

struct lgn_proximal_tables {
	uint64_t width;
	struct lagoon_table *first;	/* derivatives: of what each told last */
	struct lagoon_table *second;
};

struct lgn_proximal {
	int32_t *start, *row;	/* the worker's rows by columns */
	double *val;
	double *z, *slope, *curve;	/* [rows] */
	double *w;		/* [features] that z is made of */
	double *told[2];	/* [features], [features][width] */
	double *room[2];	/* the same */
	double *trust;		/* [features] of the blocks of this worker */
	bool *out;		/* [features] left out */
	uint64_t rows;
	uint64_t blocks, late;
	bool whole;		/* curvature of blocks: second is [features][width] */
	uint64_t width;		/* of the widest block; not whole: 1 */
	int32_t *head;		/* [rows] */
	int32_t *next, *column;	/* [most entries of a block] */
	double *quadratic;	/* room */
	size_t *free;		/* [width] */
	uint64_t *turn;		/* [blocks] order of the epoch */
	uint64_t *past;		/* [2 late] blocks of the last rounds */
	uint64_t rounds;
	uint64_t seed;
	double damp;
	double violation;	/* of the epoch before */
	double gain[2];		/* of the last two epochs */
	double before;		/* objective */
	bool all_in;		/* in this epoch */
	bool close;		/* all but a look at all columns is done */
};

/* In a checkpoint. */
struct lgn_proximal_kept {
	double damp, violation, gain[2], before;
};

_Static_assert(sizeof(struct lgn_proximal_kept) <= LGN_LINEAR_KEPT,
	       "a checkpoint is too small");

/* First column of a block, or the end of the one before. */
static inline uint64_t lgn_proximal_begin(const struct lgn_linear *t,
					  uint64_t block)
{
	const struct lgn_proximal *s = t->state;

	return t->fit->facts.data.cols * block / s->blocks;
}

/* proximal_whole.c: out [n][width] becomes the curvature of the n columns from
 * `from` on, its lower triangle; by [n] the step, by the sums of all workers, and
 * may be first. */
int lgn_proximal_whole_open(const struct lgn_linear *t);
void lgn_proximal_curve(struct lgn_proximal *s, uint64_t from, uint64_t n,
			double *out);
void lgn_proximal_whole_step(const struct lgn_linear *t, uint64_t from,
			     uint64_t n, const double *first,
			     const double *second, double *by);

/* Weight j as it is seen now, and z along with it. */
void lgn_proximal_move(struct lgn_proximal *s, uint64_t j, double to);

/* For lgn_linear_method. */
int lgn_proximal_create(struct lgn_linear_fit *fit);
void lgn_proximal_destroy(struct lgn_linear_fit *fit);
int lgn_proximal_open(struct lgn_linear *t);
void lgn_proximal_close(struct lgn_linear *t);
void lgn_proximal_keep(const struct lgn_linear *t, void *kept);
int lgn_proximal_resume(struct lgn_linear *t, const void *kept);

#endif
