/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_regression.h
 * Least squares with penalties: ridge, lasso, elastic net. Programs include
 * lagoon_solve.h.
 */
#ifndef LAGOON_REGRESSION_H
#define LAGOON_REGRESSION_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"
#include "lagoon_data.h"
#include "lagoon_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How to minimise. All of them reach the same minimum. */
enum lagoon_regression_method {
	/** Coordinate descent: workers own blocks of columns, the residuals are
	 * a table. */
	LAGOON_CD = 0,
	/** Stochastic dual coordinate ascent: workers own rows, the weights are
	 * a table. Best with far more rows than columns. */
	LAGOON_SDCA = 1,
	/** Model-parallel proximal gradient: as coordinate descent, with one
	 * gradient step of the whole block a round. */
	LAGOON_MSPG = 2,
};

/** How the fit stands after an epoch; the same in every process. */
struct lagoon_regression_epoch {
	int epoch;		/* from 1 on */
	double objective;
	double gap;		/* objective less the best dual value so far */
	uint64_t nonzeros;
	double seconds;		/* since the call */
};

/** How to fit. Fill with lagoon_regression_options_init(), then change. */
struct lagoon_regression_options {
	size_t size;		/* sizeof(struct lagoon_regression_options) */
	int method;		/* enum lagoon_regression_method [LAGOON_CD] */
	double l1;		/* >= 0 [0] */
	double l2;		/* >= 0 [0] */
	int standardise;	/* divide columns by their deviation [0] */
	int intercept;		/* fit one, which is not penalised [1] */
	double tolerance;	/* end when the gap is at most this share of the
				 * objective, >= 0 [1e-7] */
	int epochs;		/* at most, >= 1 [1000] */
	int rounds;		/* clocks of an epoch, >= 1 [0: 10; mspg 50] */
	int model;		/* enum lagoon_model, not vap [LAGOON_SSP] */
	int32_t staleness;	/* ssp, essp, psp: >= 0 [1] */
	int32_t sample;		/* psp: >= 0 [1] */
	uint64_t seed;		/* of the order of coordinates [1] */
	/** Called after each epoch in the lowest worker of each process. If it
	 * returns nonzero in any, the fit ends with the next epoch. */
	int (*progress)(void *arg, const struct lagoon_regression_epoch *e);
	void *progress_arg;
	int format;		/* of files: enum lagoon_file_format, -1: by the
				 * name, libsvm if that does not say [-1] */
	int zero_based;		/* indices of a libsvm file start at 0 [0] */
	const char *checkpoint;	/* folder for checkpoints, which are written at
				 * the ends of epochs [NULL] */
	uint64_t every;		/* epochs from one to the next [0: only when
				 * interrupted] */
	const char *resume;	/* go on from the checkpoint in this folder, of
				 * the same data, problem and method [NULL] */
	/** With checkpoint: called in each worker at the end of each epoch. When it
	 * is not 0 in any of them, all write a checkpoint, and the fit ends. */
	int (*interrupted)(void *arg);
	void *interrupted_arg;
	struct lagoon_table *table;	/* of weights, the caller's: see
				 * lagoon_regression_fit() [NULL] */
};

/** What a fit found; the same in every process, except weights. */
struct lagoon_regression_result {
	size_t size;		/* sizeof(struct lagoon_regression_result) */
	double objective;
	double gap;		/* it is at most this far above the minimum */
	double intercept;	/* 0 without one */
	uint64_t nonzeros;	/* weights that are not 0 */
	int epochs;
	int converged;		/* 1: the gap is small enough */
	int stopped;		/* 1: progress asked for it */
	int interrupted;	/* 1: options.interrupted did; a checkpoint is being
				 * written (lagoon_close() waits for it and tells) */
	uint64_t rows;
	uint64_t entries;
	uint64_t features;
	double seconds;		/* whole call */
	double read_seconds;	/* of it, until the data was read or checked */
	double *weights;	/* [features] of a file, in rank 0; else NULL */
};

/** The rows of this process, in its memory; read only during the call. */
struct lagoon_regression_data {
	size_t size;		/* sizeof(struct lagoon_regression_data) */
	const struct lagoon_sparse *sparse; /* in CSR; NULL: dense rows */
	size_t rows;		/* of dense: row i begins at i * stride */
	size_t cols;
	size_t stride;		/* in elements, >= cols */
	int real_size;		/* of dense and target: 8 (double), 4 (float);
				 * with sparse as that has it */
	const void *dense;
	const void *target;	/* [rows] */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_regression_options_init(
	struct lagoon_regression_options *options);

/** Every process needs a worker. Find the w, and the intercept b, that make
 *
 *     sum of (y_i - b - x_i w)^2 / (2 n) + l1 sum of |w_j| + l2 w'w / 2
 *
 * smallest over the n rows of all processes. With standardise the penalties
 * are on w_j times the population deviation of column j; weights are of the
 * columns as they are in any case. With an intercept the columns are centred,
 * which takes memory for all of their elements, zero or not.
 *
 * The gap is a duality gap. Without penalties, where there is no dual, it is
 * that to the best weights of at most twice the largest one found.
 *
 * Elements, indices and targets are checked first.
 *
 * With options.table, a table that stays the caller's, weights of the columns as
 * they are stand in it after the call, as its format rounds them. It has at least
 * [columns][1] elements of LAGOON_F64, in fixed point, or in float64 with the
 * update function add or assign, and any model; rows beyond are left alone. cd and
 * mspg begin with what is in it; sdca, whose weights follow from dual variables,
 * begins at zeros, and a fit that is resumed where it was. Nothing else may use it
 * during the call.
 *
 * @param data     rows of each process, maybe none; as many columns in all
 * @param options  the same in every process; NULL for the defaults
 * @param weights  [columns] written in every process, or NULL
 * @param result   its size field must be set
 * @return 0; LAGOON_EINVAL for an option out of range or data that is not
 * legal, with rank, row and column, or a table that does not fit, in every
 * process; LAGOON_ERANGE if a weight left the range of its table, or does not fit
 * in the caller's; LAGOON_ENOMEM; as lagoon_table_create() and lagoon_clock(). An
 * error in one worker ends the call in all, and leaves a caller's table as it was
 * or partly written.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_regression_fit(struct lagoon *lg,
			  const struct lagoon_regression_data *data,
			  const struct lagoon_regression_options *options,
			  double *weights,
			  struct lagoon_regression_result *result);

/** As lagoon_regression_fit(), of rows of a file, plain or by gzip; of a plain
 * one the workers share the bytes.
 *
 * @param data    path that every process can read
 * @param target  path of the targets of a MatrixMarket file; else NULL
 * @param result  its size field must be set; free it with
 *                lagoon_regression_result_free()
 * @return as lagoon_regression_fit(); LAGOON_ENOENT. A line that is not legal
 * gives LAGOON_EINVAL, with file and line, in every process.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_regression_fit_file(struct lagoon *lg, const char *data,
			       const char *target,
			       const struct lagoon_regression_options *options,
			       struct lagoon_regression_result *result);

/** lagoon_regression_fit() with l2 that must be 0; with l1 that must be 0;
 * with any.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_lasso_fit(struct lagoon *lg,
		     const struct lagoon_regression_data *data,
		     const struct lagoon_regression_options *options,
		     double *weights, struct lagoon_regression_result *result);
int lagoon_ridge_fit(struct lagoon *lg,
		     const struct lagoon_regression_data *data,
		     const struct lagoon_regression_options *options,
		     double *weights, struct lagoon_regression_result *result);
int lagoon_elastic_net_fit(struct lagoon *lg,
			   const struct lagoon_regression_data *data,
			   const struct lagoon_regression_options *options,
			   double *weights,
			   struct lagoon_regression_result *result);

/** Free what the result owns.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_regression_result_free(struct lagoon_regression_result *result);

#ifdef __cplusplus
}
#endif

#endif
