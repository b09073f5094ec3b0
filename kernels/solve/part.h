/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker's rows, ready to train on: in an order drawn from a seed, their
 * entries renumbered to places in the list of the columns that they use, and
 * cut into batches, each with the list of those of its own.
 */
#ifndef LGN_SOLVE_PART_H
#define LGN_SOLVE_PART_H

#include <stdint.h>

#include "kernels/data/libsvm.h"
#include "kernels/lagoon_kernels.h"

struct lgn_batch {
	struct lagoon_rows rows;	/* col: place in part->cols */
	const double *coef;	/* [rows.n] of part->coef */
	uint32_t n_cols;
	uint64_t *cols;		/* [n_cols] columns of the file, rising */
	uint32_t *place;	/* [n_cols] where they stand in part->cols */
};

struct lgn_part {
	struct lagoon_rows rows;	/* all; col: place in cols */
	uint64_t n_batches;
	struct lgn_batch *batch;
	uint32_t n_cols;
	uint64_t *cols;		/* [n_cols] all columns in use, rising */
	uint32_t max_cols;	/* of a batch */
	uint64_t entries;
	size_t *start;		/* what the batches point into */
	uint32_t *col;
	double *val;
	double *label;
	double *coef;		/* [rows.n] for lagoon_logistic_measure() */
};

struct lgn_part_options {
	uint64_t batches;	/* >= 1; some are empty when rows are fewer */
	uint64_t features;	/* entries of columns from here on are dropped */
	double positive;	/* the label that becomes +1; others -1 */
	uint64_t seed;
	uint32_t stream;	/* another order of the same seed */
};

/* LAGOON_ENOMEM. part is set only on success. */
int lgn_part_open(const struct lgn_libsvm *data,
		  const struct lgn_part_options *options,
		  struct lgn_part *part);
void lgn_part_close(struct lgn_part *part);	/* safe on zeros */

/* 0 to n - 1 in an order drawn from the seed; stream: another of the same seed. */
void lgn_part_order(size_t *order, size_t n, uint64_t seed, uint32_t stream);

#endif
