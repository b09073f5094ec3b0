/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_linear.h
 * Linear classifiers: logistic regression, support vector machines, softmax.
 * Programs include lagoon_solve.h.
 */
#ifndef LAGOON_LINEAR_H
#define LAGOON_LINEAR_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"
#include "lagoon_data.h"
#include "lagoon_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is minimised, C its weight, over all rows x with labels; see
 * lagoon_linear_fit(). The first three are of two labels, y = -1 (the smaller)
 * and +1. */
enum lagoon_linear_loss {
	LAGOON_LINEAR_LOGISTIC = 0,	/* log(1 + exp(-y w'x)) */
	LAGOON_LINEAR_HINGE = 1,	/* max(0, 1 - y w'x) */
	LAGOON_LINEAR_SQUARED_HINGE = 2, /* max(0, 1 - y w'x)^2 */
	LAGOON_LINEAR_SOFTMAX = 3,	/* log of the sum of exp(w_k'x) over the
					 * labels k, less that of the row's own;
					 * each label has weights */
};

/** How to minimise. */
enum lagoon_linear_method {
	/** The first of lbfgs, sdca, proximal and adagrad that can do it: lbfgs
	 * for smooth losses without l1; sdca for hinge loss without; proximal for
	 * logistic and squared hinge loss with l1; adagrad for hinge loss and
	 * softmax with l1, rows that are streamed, and models that the others
	 * cannot. The result tells which. */
	LAGOON_LINEAR_AUTO = -1,
	/** Stochastic gradient steps, on a block of rows between two clocks. */
	LAGOON_LINEAR_SGD = 0,
	/** The same with AdaGrad's lengths of steps, one for each weight. */
	LAGOON_LINEAR_ADAGRAD = 1,
	/** Downpour SGD: each worker steps in a copy that it fetches now and then,
	 * and pushes gradients; AdaGrad at the homes of the weights, in apply
	 * mode. Not with l1, nor under vap. */
	LAGOON_LINEAR_DOWNPOUR = 2,
	/** Limited-memory BFGS with whole gradients; smooth losses, without l1.
	 * An epoch is up to 5 steps. */
	LAGOON_LINEAR_LBFGS = 3,
	/** Steepest descent with whole gradients; the same problems. */
	LAGOON_LINEAR_GRADIENT = 4,
	/** Stochastic dual coordinate ascent: workers own rows and their dual
	 * variables; without softmax and l1, l2 above 0. */
	LAGOON_LINEAR_SDCA = 5,
	/** Delayed block proximal gradient: blocks of columns in turn; logistic and
	 * squared hinge loss, best with l1. */
	LAGOON_LINEAR_PROXIMAL = 6,
	/** FTRL-proximal: gradients of blocks of rows, and a rate of each weight's
	 * own where the weights are, in apply mode. */
	LAGOON_LINEAR_FTRL = 7,
};

/** Labels that softmax takes at most. */
#define LAGOON_LINEAR_LABELS 1024

/** How the fit stands after an epoch; the same in every process. */
struct lagoon_linear_epoch {
	int epoch;		/* from 1 on */
	double objective;
	double accuracy;	/* on the training rows [0, 1] */
	double gap;		/* objective less the best dual value so far; -1
				 * if the method has none */
	uint64_t nonzeros;
	double seconds;		/* since the call */
};

/** How to fit. Fill with lagoon_linear_options_init(), then change. */
struct lagoon_linear_options {
	size_t size;		/* sizeof(struct lagoon_linear_options) */
	int loss;		/* enum lagoon_linear_loss [logistic] */
	int method;		/* enum lagoon_linear_method
				 * [LAGOON_LINEAR_AUTO] */
	double c;		/* weight of the losses, > 0 [1] */
	double l1;		/* weight of the sum of |w|, >= 0 [0] */
	double l2;		/* weight of w'w / 2, >= 0 [1] */
	double rate;		/* length of steps, > 0 [0: the method's own] */
	int epochs;		/* at most, >= 1 [0: the method's own] */
	double tolerance;	/* end when the gap is at most this share of the
				 * objective; without a gap, when the objective
				 * changed by at most this share in 5 epochs, of
				 * sgd, adagrad, downpour and ftrl in the last
				 * half of them, >= 0 [1e-4] */
	uint64_t batch;		/* rows a worker uses between two clocks
				 * [0: a 50th of its rows,
				 * ftrl: a 100th] */
	int n_fetch, n_push;	/* downpour: batches from one to the next, >= 1
				 * [1] */
	int model;		/* enum lagoon_model [LAGOON_SSP] */
	int32_t staleness;	/* ssp, essp, psp: >= 0 [1] */
	int32_t sample;		/* psp: >= 0 [1] */
	double change;		/* vap: of a weight, >= 0 [0.01] */
	uint64_t seed;		/* of the order of rows [1] */
	/** Called after each epoch in the lowest worker of each process. If it
	 * returns nonzero in any, the fit ends with the next epoch. */
	int (*progress)(void *arg, const struct lagoon_linear_epoch *e);
	void *progress_arg;
	int format;		/* of files: enum lagoon_file_format, -1: by the
				 * name, libsvm if that does not say [-1] */
	int zero_based;		/* indices of a libsvm file start at 0 [0] */
	int in_order;		/* use the rows in the order of the file, not in
				 * one drawn from seed [0] */
	int stream;		/* rows stay in their file and are read block by
				 * block in each epoch, in order; not every method
				 * can. A batch, or a 50th of a worker's rows,
				 * must fit in memory [0] */
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
				 * lagoon_linear_fit() [NULL] */
	const char *target;	/* of MatrixMarket files: labels, a matrix of
				 * one column, of the data [NULL] */
	const char *test_target;	/* and of the test rows [NULL] */
};

/** What a fit found; the same in every process, except weights. */
struct lagoon_linear_result {
	size_t size;		/* sizeof(struct lagoon_linear_result) */
	double objective;
	double gap;		/* it is at most this far above the minimum; -1 if
				 * the method does not tell */
	double accuracy;	/* on the training rows [0, 1] */
	double test_accuracy;	/* [0, 1]; -1 without test rows */
	uint64_t nonzeros;	/* weights that are not 0 */
	int epochs;
	int converged;		/* 1: tolerance ended it */
	int stopped;		/* 1: progress asked for it */
	int interrupted;	/* 1: options.interrupted did; a checkpoint is being
				 * written (lagoon_close() waits for it and tells) */
	int outputs;		/* weights of a feature: softmax has one for each
				 * label, the others 1 */
	int classes;
	double *labels;		/* [classes] rising, in every process */
	uint64_t rows;
	uint64_t test_rows;
	uint64_t entries;
	uint64_t features;
	double seconds;		/* whole call */
	double read_seconds;	/* of it, until the data was read or checked */
	double *weights;	/* [features][outputs] of a file, in rank 0; else
				 * NULL */
	int method;		/* enum lagoon_linear_method that was used */
};

/** The rows of this process, in its memory; read only during the call. */
struct lagoon_linear_data {
	size_t size;		/* sizeof(struct lagoon_linear_data) */
	const struct lagoon_sparse *sparse; /* in CSR; NULL: dense rows */
	size_t rows;		/* of dense: row i begins at i * stride */
	size_t cols;
	size_t stride;		/* in elements, >= cols */
	int real_size;		/* of dense and label: 8 (double), 4 (float);
				 * with sparse as that has it */
	const void *dense;
	const void *label;	/* [rows] */
	int classes;		/* softmax: labels that there are in all rows of
				 * all processes, >= 2; others: 2, or 0 */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_linear_options_init(struct lagoon_linear_options *options);

/** Every process needs a worker. Find the weights w that make
 *
 *     l2 w'w / 2 + l1 sum of |w_j| + c sum of the losses
 *
 * smallest over the rows of all processes, without a bias. Not every method can
 * do every loss and l1; what it cannot is refused.
 *
 * Elements, indices and labels are checked first. With options.resume it goes on
 * from a checkpoint, with any number of workers, what these kept for themselves
 * being made anew.
 *
 * With options.table, a table that stays the caller's, the weights stand in it
 * after the call, as its format rounds them. It has at least [columns][1], of
 * softmax [columns][labels], elements of LAGOON_F64, in fixed point, or in float64
 * with the update function add or assign, and any model; rows beyond are left
 * alone. lbfgs, gradient and proximal begin with what is in it; the others, whose
 * weights follow from numbers kept for each row or from sums of gradients, begin at
 * zeros, and a fit that is resumed where it was. Nothing else may use the table
 * during the call.
 *
 * @param data     rows of each process, maybe none; as many columns in all
 * @param options  the same in every process; NULL for the defaults
 * @param weights  [columns], of softmax [columns][classes], written in every
 *                 process, or NULL
 * @param result   its size field must be set; free it with
 *                 lagoon_linear_result_free()
 * @return 0; LAGOON_EINVAL for an option out of range or data that is not
 * legal, with rank, row and column, or a table that does not fit, in every
 * process; LAGOON_ENOTSUP if the method cannot; LAGOON_ERANGE if a weight left the
 * range of its table, does not fit in the caller's or is too large to begin with;
 * LAGOON_ENOMEM; as lagoon_table_create(), lagoon_clock(), lagoon_checkpoint() and
 * lagoon_restore(). An error in one worker ends the call in all, and leaves a
 * caller's table as it was or partly written.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_linear_fit(struct lagoon *lg, const struct lagoon_linear_data *data,
		      const struct lagoon_linear_options *options,
		      double *weights, struct lagoon_linear_result *result);

/** As lagoon_linear_fit(), of rows of a file, plain or by gzip; of a plain one
 * the workers share the bytes. A CSV file has the label last, a MatrixMarket file
 * has labels in a second one; each worker reads all of both, as entries come in
 * any order.
 *
 * @param data    path that every process can read
 * @param test    file to measure test_accuracy on, of the same format, or NULL
 * @param result  its size field must be set; free it with
 *                lagoon_linear_result_free()
 * @return as lagoon_linear_fit(); LAGOON_ENOENT. A line that is not legal gives
 * LAGOON_EINVAL, with file and line, in every process.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_linear_fit_file(struct lagoon *lg, const char *data,
			   const char *test,
			   const struct lagoon_linear_options *options,
			   struct lagoon_linear_result *result);

/** lagoon_linear_fit() with the loss logistic; softmax; and one of hinge and
 * squared hinge, which options say.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_logistic_fit(struct lagoon *lg,
			const struct lagoon_linear_data *data,
			const struct lagoon_linear_options *options,
			double *weights, struct lagoon_linear_result *result);
int lagoon_softmax_fit(struct lagoon *lg,
		       const struct lagoon_linear_data *data,
		       const struct lagoon_linear_options *options,
		       double *weights, struct lagoon_linear_result *result);
int lagoon_svm_fit(struct lagoon *lg, const struct lagoon_linear_data *data,
		   const struct lagoon_linear_options *options,
		   double *weights, struct lagoon_linear_result *result);

/** Free what the result owns.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_linear_result_free(struct lagoon_linear_result *result);

#ifdef __cplusplus
}
#endif

#endif
