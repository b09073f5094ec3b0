/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_solve.h
 * Solvers on Lagoon's tables, their model files and generated data.
 *
 *     lagoon_open(&attr, &lg);
 *     lagoon_logistic_options_init(&options);
 *     lagoon_logistic_fit_file(lg, "train.libsvm", NULL, &options, &result);
 *     ... result.objective, result.weights in rank 0 ...
 *     lagoon_logistic_result_free(&result);
 *     lagoon_close(lg);
 *
 * Errors are as in lagoon.h. A data file that is not legal gives
 * LAGOON_EINVAL (LAGOON_ENOENT if it is missing) in every process, with the
 * same message: file, line and what was expected.
 */
#ifndef LAGOON_SOLVE_H
#define LAGOON_SOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"
#include "lagoon_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------- L2-logistic regression */

/** How the fit stands after an epoch; the same in every process. */
struct lagoon_logistic_epoch {
	int epoch;		/* from 1 on */
	double objective;
	double accuracy;	/* on the training rows [0, 1] */
	double step;		/* factor on the step length: 1, halved each
				 * time the objective rose */
	double seconds;		/* since the call */
};

/** How to fit. Fill with lagoon_logistic_options_init(), then change. */
struct lagoon_logistic_options {
	size_t size;		/* sizeof(struct lagoon_logistic_options) */
	double c;		/* weight of the loss, > 0 [1] */
	double rate;		/* step length, 1: the inverse curvature of an
				 * average row, > 0 [0.5] */
	int model;		/* enum lagoon_model [LAGOON_SSP] */
	int32_t staleness;	/* ssp, essp, psp: >= 0 [1] */
	int32_t sample;		/* psp: >= 0 [1] */
	double change;		/* vap: of a weight, >= 0 [0.01] */
	int epochs;		/* at most, >= 1 [200] */
	double tolerance;	/* end when the objective changed by at most
				 * this share of it in 5 epochs, >= 0 [1e-4] */
	uint64_t seed;		/* of the order of rows [1] */
	int zero_based;		/* column indices of the file start at 0 [0] */
	uint64_t batch;		/* rows a worker uses between two clocks
				 * [0: a 50th of its rows] */
	/** Called after each epoch in the lowest worker of each process. */
	void (*progress)(void *arg, const struct lagoon_logistic_epoch *e);
	void *progress_arg;
	const char *checkpoint;	/* folder for checkpoints [NULL: none] */
	uint64_t every;		/* clocks from one to the next; an epoch has
				 * one for each batch and two more [0: only when
				 * interrupted] */
	const char *resume;	/* go on from the checkpoint in this folder, of
				 * the same data and c [NULL] */
	/** With checkpoint: called in each worker before each clock. When it is
	 * not 0 in any of them, all write a checkpoint at the next clock at which
	 * all know (with asp, psp and vap, at the end of the epoch), and the fit
	 * ends. */
	int (*interrupted)(void *arg);
	void *interrupted_arg;
};

/** What all processes did with one table of a fit. */
struct lagoon_logistic_table {
	char name[LAGOON_NAME_MAX + 1];
	struct lagoon_stats stats;	/* sums; of unpushed the largest */
};

/** What a fit found; the same in every process, except weights. */
struct lagoon_logistic_result {
	size_t size;		/* sizeof(struct lagoon_logistic_result) */
	double objective;	/* 0.5 w'w + c * sum of log(1 + exp(-y w'x)) */
	double accuracy;	/* on the training rows [0, 1] */
	double test_accuracy;	/* [0, 1]; -1 without a test file */
	double seconds;		/* whole call, reading included */
	double read_seconds;	/* of it, until the data was ready */
	int epochs;
	int converged;		/* 1 if tolerance ended it, 0 if epochs did */
	int interrupted;	/* 1 if options.interrupted did: a checkpoint is
				 * being written (lagoon_close() waits for it
				 * and tells), there are no weights and no
				 * statistics */
	int64_t clock;		/* of the last checkpoint, 0 without */
	uint64_t rows;
	uint64_t test_rows;
	uint64_t entries;
	uint64_t features;
	double labels[2];	/* of the file, taken as -1 and +1 */
	double *weights;	/* [features] in rank 0, else NULL */
	struct lagoon_stats stats;	/* table of weights, all processes */
	int ranks;
	uint64_t *waited_ns;	/* [ranks] waited for the clock of each rank */
	int workers;
	uint64_t *worker_waited_ns;	/* [workers] how long each waited */
	int tables;
	struct lagoon_logistic_table *table;	/* [tables] that of weights first */
	struct lagoon_wire_counts wire;	/* sums over all processes, since they
					 * opened the job */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_logistic_options_init(struct lagoon_logistic_options *options);

/** Minimise 0.5 w'w + c * sum of log(1 + exp(-y w'x)), without a bias, over
 * the rows of a LIBSVM file. Its two distinct labels are taken as -1 (the
 * smaller) and +1. The workers of the job share the rows by byte ranges of
 * the file. Under bsp the result is the same bit for bit for the same seed
 * and number of workers, however they are grouped in processes.
 *
 * With options.resume it goes on from a checkpoint, with any number of
 * workers; under bsp with the same number of them, and the same seed of the
 * job, the result is that of the fit that was not interrupted.
 *
 * @param data    path that every process can read
 * @param test    file to measure test_accuracy on, or NULL
 * @param options the same in every process; NULL for the defaults
 * @param result  its size field must be set; free it with
 *                lagoon_logistic_result_free()
 * @return 0; LAGOON_EINVAL for an option out of range, data that is not
 * legal, more workers than rows, or a checkpoint of other data; LAGOON_ENOENT;
 * as lagoon_table_create(), lagoon_clock(), lagoon_checkpoint() and
 * lagoon_restore(). An error in one worker ends the call in all.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_logistic_fit_file(struct lagoon *lg, const char *data,
			     const char *test,
			     const struct lagoon_logistic_options *options,
			     struct lagoon_logistic_result *result);

/** Free what the result owns.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_logistic_result_free(struct lagoon_logistic_result *result);

/* ------------------------------------ ridge, lasso, elastic net */

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

/** Formats of data files. */
enum lagoon_file_format {
	LAGOON_FILE_LIBSVM = 0,
	LAGOON_FILE_CSV = 1,	/* the target is the last column */
	LAGOON_FILE_MATRIX = 2,	/* MatrixMarket; targets in a second file */
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
 * @param data     rows of each process, maybe none; as many columns in all
 * @param options  the same in every process; NULL for the defaults
 * @param weights  [columns] written in every process, or NULL
 * @param result   its size field must be set
 * @return 0; LAGOON_EINVAL for an option out of range or data that is not
 * legal, with rank, row and column, in every process; LAGOON_ERANGE if a
 * weight left the range of its table; LAGOON_ENOMEM; as lagoon_table_create()
 * and lagoon_clock(). An error in one worker ends the call in all.
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

/* ---------------------------------------- linear classification */

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
	/** The first of lbfgs, sdca, proximal and adagrad that can do it. */
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
				 * [LAGOON_LINEAR_ADAGRAD] */
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
 * @param data     rows of each process, maybe none; as many columns in all
 * @param options  the same in every process; NULL for the defaults
 * @param weights  [columns], of softmax [columns][classes], written in every
 *                 process, or NULL
 * @param result   its size field must be set; free it with
 *                 lagoon_linear_result_free()
 * @return 0; LAGOON_EINVAL for an option out of range or data that is not
 * legal, with rank, row and column, in every process; LAGOON_ENOTSUP if the
 * method cannot; LAGOON_ERANGE if a weight left the range of its table;
 * LAGOON_ENOMEM; as lagoon_table_create(), lagoon_clock(), lagoon_checkpoint()
 * and lagoon_restore(). An error in one worker ends the call in all.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_linear_fit(struct lagoon *lg, const struct lagoon_linear_data *data,
		      const struct lagoon_linear_options *options,
		      double *weights, struct lagoon_linear_result *result);

/** As lagoon_linear_fit(), of rows of a file, plain or by gzip; of a plain one
 * the workers share the bytes. A CSV file has the label last.
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

/* ----------------------------------------- topics: latent Dirichlet */

/** How a token's topic is drawn. All of them draw from the same posterior. */
enum lagoon_lda_sampler {
	/** All topics' probabilities, one after another. */
	LAGOON_LDA_DENSE = 0,
	/** Three buckets, of which two have few terms (Yao, Mimno and McCallum
	 * 2009). */
	LAGOON_LDA_SPARSE = 1,
	/** Metropolis-Hastings, proposals in constant time from alias tables of
	 * words and from documents (Yuan et al. 2015). A sweep brings less than
	 * one of the others; for many topics. */
	LAGOON_LDA_ALIAS = 2,
};

/** Formats of documents. */
enum lagoon_lda_format {
	LAGOON_LDA_LDAC = 0,	/* lda-c: "words word:count ..." a document */
	LAGOON_LDA_DOCWORD = 1,	/* UCI: three numbers, then "document word
				 * count" a line */
};

/** How the fit stands; the same in every process. */
struct lagoon_lda_sweep {
	int sweep;		/* from 1 on */
	double log_likelihood;	/* log p(words, topics) */
	double seconds;		/* since the call */
	uint64_t tokens;	/* of all processes */
};

/** How to fit. Fill with lagoon_lda_options_init(), then change. */
struct lagoon_lda_options {
	size_t size;		/* sizeof(struct lagoon_lda_options) */
	int topics;		/* 1 to 65536, not more than tokens [20] */
	double alpha;		/* of a document's topics, > 0 [0.1] */
	double beta;		/* of a topic's words, > 0 [0.01] */
	int sweeps;		/* >= 1 [500] */
	int sampler;		/* enum lagoon_lda_sampler
				 * [LAGOON_LDA_SPARSE] */
	int steps;		/* alias: pairs of proposals a token, >= 1 [4] */
	double anneal;		/* share of the sweeps in which the priors fall,
				 * from ten times to what is asked for: the
				 * topics found depend less on chance; 0: none
				 * [0.3] */
	int rounds;		/* clocks of a sweep, >= 1 [16] */
	int every;		/* sweeps from one log_likelihood to the next,
				 * >= 1 [10] */
	int model;		/* enum lagoon_model, not vap [LAGOON_SSP] */
	int32_t staleness;	/* ssp, essp, psp: >= 0 [1] */
	int32_t sample;		/* psp: >= 0 [1] */
	uint64_t seed;		/* of the draws [1] */
	/** Called each time the log_likelihood is known, in the lowest worker of
	 * each process. If it returns nonzero in any, the fit ends the next
	 * time. */
	int (*progress)(void *arg, const struct lagoon_lda_sweep *s);
	void *progress_arg;
	int format;		/* of files: enum lagoon_lda_format, -1: docword
				 * if the name has that, else lda-c [-1] */
	const char *vocabulary;	/* of files: a word a line; words beyond it are
				 * an error [NULL] */
	int skip_empty;		/* leave documents without words out, else they
				 * are an error [0] */
};

/** What a fit found; the same in every process, but for counts, totals and
 * vocabulary. */
struct lagoon_lda_result {
	size_t size;		/* sizeof(struct lagoon_lda_result) */
	double log_likelihood;	/* log p(words, topics) after the last sweep */
	double perplexity;	/* of the second halves of the test documents;
				 * -1 without */
	int sweeps;
	int stopped;		/* 1: progress asked for it */
	int topics;
	uint64_t documents;
	uint64_t test_documents;
	uint64_t words;		/* different ones that there can be */
	uint64_t tokens;
	uint64_t test_tokens;	/* that perplexity is of */
	double seconds;		/* whole call */
	double read_seconds;	/* of it, until the data was read or checked */
	double sample_seconds;	/* of it, in sweeps */
	int32_t *counts;	/* [words][topics] tokens, of a file, in rank 0;
				 * else NULL */
	int64_t *totals;	/* [topics] sums of counts; the same */
	char **vocabulary;	/* [words] of options.vocabulary, in rank 0, else
				 * NULL; words beyond the file's are "" */
};

/** The documents of this process, in its memory; read only during the call. */
struct lagoon_lda_data {
	size_t size;		/* sizeof(struct lagoon_lda_data) */
	size_t documents;
	const int64_t *start;	/* [documents + 1] entries of document i are
				 * start[i] - start[0] to start[i + 1] -
				 * start[0] - 1 */
	const int32_t *word;	/* [entries] from base on, each once in a
				 * document */
	const int32_t *count;	/* [entries] >= 1; NULL: all are 1 */
	uint64_t words;		/* different ones that there can be */
	int base;		/* 0 or 1 */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_lda_options_init(struct lagoon_lda_options *options);

/** Every process needs a worker. Fit latent Dirichlet allocation by collapsed
 * Gibbs sampling to the documents of all processes: draw a topic for each token,
 * sweep after sweep, from its distribution given those of all others. How many
 * tokens of a word have a topic is a table of integers, their sums are another;
 * documents stay where they are.
 *
 * Words and counts are checked first. Under bsp the result is the same bit for
 * bit for the same seed, options and documents of each worker.
 *
 * @param data       documents of each process, maybe none; as many words in all
 * @param options    the same in every process; NULL for the defaults
 * @param counts     [words][topics] written in every process, or NULL
 * @param documents  [documents][topics] of this process's documents, or NULL
 * @param result     its size field must be set; free it with
 *                   lagoon_lda_result_free()
 * @return 0; LAGOON_EINVAL for an option out of range or data that is not
 * legal, with document and word, in every process; LAGOON_ERANGE if a count left
 * the range of its table, 2^30; LAGOON_ENOMEM; as lagoon_table_create() and
 * lagoon_clock(). An error in one worker ends the call in all.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_lda_fit(struct lagoon *lg, const struct lagoon_lda_data *data,
		   const struct lagoon_lda_options *options, int32_t *counts,
		   int32_t *documents, struct lagoon_lda_result *result);

/** As lagoon_lda_fit(), of documents of a file, plain or by gzip; the workers
 * share its bytes.
 *
 * @param data    path that every process can read
 * @param test    documents to measure the perplexity of, of the same format, or
 *                NULL
 * @param result  its size field must be set; free it with
 *                lagoon_lda_result_free()
 * @return as lagoon_lda_fit(); LAGOON_ENOENT. A line that is not legal gives
 * LAGOON_EINVAL, with file and line, in every process.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_lda_fit_file(struct lagoon *lg, const char *data, const char *test,
			const struct lagoon_lda_options *options,
			struct lagoon_lda_result *result);

/** Free what the result owns.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_lda_result_free(struct lagoon_lda_result *result);

/** A model of topics. Its file is text: one "key value" a line, then a line for
 * each word with its topics and their tokens.
 *
 *     lagoon-lda 1
 *     topics 20
 *     words 4258
 *     alpha 0.1
 *     beta 0.01
 *     log_likelihood -653000.5
 *     vocabulary 1
 *     counts
 *     church 3:12 17:1
 *     <as many lines as words; without a vocabulary the number of the word>
 *     end
 */
struct lagoon_lda_model {
	size_t size;		/* sizeof(struct lagoon_lda_model) */
	int topics;
	uint64_t words;
	double alpha;
	double beta;
	double log_likelihood;
	int32_t *counts;	/* [words][topics] */
	int64_t *totals;	/* [topics]; not looked at by save */
	char **vocabulary;	/* [words] or NULL */
};

/** Write a model. The file appears whole under its name or not at all.
 * @return 0; LAGOON_EIO; LAGOON_EINVAL if a shape or word is not legal.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_lda_model_save(const char *path,
			  const struct lagoon_lda_model *model);

/** Read a model; free it with lagoon_lda_model_free().
 * @param model  its size field must be set
 * @return 0; LAGOON_ENOENT; LAGOON_ECORRUPT with the line that is wrong;
 * LAGOON_EIO; LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_lda_model_load(const char *path, struct lagoon_lda_model *model);

/** Free what lagoon_lda_model_load() made.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_lda_model_free(struct lagoon_lda_model *model);

/** The words that have most tokens of a topic, most first, then by number.
 * @param n     room in top
 * @param top   [n] numbers of words
 * @return how many were written: words without tokens of the topic are not;
 * LAGOON_EINVAL if there is no such topic.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_lda_top_words(const struct lagoon_lda_model *model, int topic, int n,
			 uint64_t *top);

/* ------------------------------------------------------------ models */

/** A linear model. Its file is text: one "key value" a line, then weights.
 *
 *     lagoon-model 1
 *     solver svm
 *     loss squared-hinge
 *     c 1
 *     labels -1 1
 *     features 123
 *     weights
 *     <one number a line, 17 significant digits: exact>
 *     end
 *
 * Classifiers need c and labels. With more than one output, as softmax has,
 * a line "outputs 3" says so, there are as many labels, and a line of weights
 * has a number for each output. The solvers lasso, ridge and elastic-net need
 * l1, l2, standardised and intercept, as in "l1 0.5", instead of c and labels.
 * The other keys are left out when they are 0 or empty.
 */
struct lagoon_model_file {
	size_t size;		/* sizeof(struct lagoon_model_file) */
	char solver[32];	/* a word */
	double c;
	double labels[2];	/* of -1 and +1, with one output */
	uint64_t features;
	double *weights;	/* [features][outputs] */
	double l1, l2;		/* weights of the penalties */
	double intercept;	/* with one output */
	int standardised;
	uint64_t outputs;	/* columns of weights; 0 is saved as 1 */
	double *classes;	/* [outputs] labels, when these are more than 1 */
	char loss[32];		/* a word, or empty when the solver says it */
	char method[32];	/* a word, or empty */
};

/** Write a model. The file appears whole under its name or not at all.
 * @return 0; LAGOON_EIO; LAGOON_EINVAL if solver, loss or method is not a word,
 * or a number is not finite.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_model_save(const char *path, const struct lagoon_model_file *model);

/** Find out, before long work, whether lagoon_model_save() can write there.
 * @return 0; LAGOON_EIO with the reason.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_model_check_path(const char *path);

/** Read a model; free it with lagoon_model_free().
 * @param model  its size field must be set
 * @return 0; LAGOON_EINVAL if it is not; LAGOON_ENOENT; LAGOON_ECORRUPT with the line that is wrong;
 * LAGOON_EIO; LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_model_load(const char *path, struct lagoon_model_file *model);

/** Free the weights and the classes.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_model_free(struct lagoon_model_file *model);

/* ------------------------------------------------------- predictions */

/** What a model says to rows in memory. Columns that it does not have count as
 * 0 weights; columns that the rows do not have, as zeros.
 *
 * @param data           the rows; their target does not count
 * @param values         [rows] of a classifier the label, else the target; or
 *                       NULL. With one output the label is that of +1 where the
 *                       product is above 0, with more that of the largest one.
 * @param products       [rows][outputs] w'x and the intercept, or NULL
 * @param probabilities  [rows][2, or outputs] of the labels in the order of the
 *                       model, or NULL; of logistic and softmax alone
 * @return 0; LAGOON_EINVAL for a model without probabilities, shapes that are
 * wrong, an index out of range or a number that is not finite, with row and
 * column; LAGOON_ENOMEM.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_predict(const struct lagoon_model_file *model,
		   const struct lagoon_regression_data *data, double *values,
		   double *products, double *probabilities);

/** How to predict. Fill with lagoon_predict_options_init(), then change. */
struct lagoon_predict_options {
	size_t size;		/* sizeof(struct lagoon_predict_options) */
	int format;		/* enum lagoon_file_format, -1: by the name,
				 * libsvm if that does not say [-1] */
	int zero_based;		/* indices of a libsvm file start at 0 [0] */
	const char *target;	/* labels or targets of a MatrixMarket file, a
				 * matrix of one column [NULL] */
	int probabilities;	/* write them, too [0] */
};

/** How well the model fits; what there is no label or target for is -1. */
struct lagoon_predict_result {
	size_t size;		/* sizeof(struct lagoon_predict_result) */
	uint64_t rows;
	uint64_t ignored;	/* entries of columns that the model does not
				 * have */
	uint64_t unknown;	/* rows with a label that it does not have: they
				 * count as wrong */
	uint64_t correct;	/* rows with the right label */
	double accuracy;	/* [0, 1] */
	double log_loss;	/* mean of -log of the probability of the label,
				 * of rows whose label is known */
	double mse;		/* of a regression, mean of the squared errors */
	double seconds;
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_predict_options_init(struct lagoon_predict_options *options);

/** What a model says to the rows of a file, plain or by gzip, one line a row:
 * the value of lagoon_predict(), with 17 digits. With probabilities the first
 * line is "labels" and these, and each value is followed by the probabilities.
 *
 * The file is read in blocks: memory does not grow with it, but for a number
 * for each row and output of MatrixMarket, whose entries come in any order.
 * In a CSV file with one column more than the model has features, the last one
 * has the labels or targets; with as many, there are none.
 *
 * @param output   appears whole under its name or not at all; NULL: none
 * @param options  NULL for the defaults
 * @param result   its size field must be set
 * @return 0; LAGOON_EINVAL for a line that is not legal, with file and line, or
 * an option; LAGOON_ENOENT, LAGOON_EIO, LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_predict_file(const struct lagoon_model_file *model,
			const char *data, const char *output,
			const struct lagoon_predict_options *options,
			struct lagoon_predict_result *result);

/* ---------------------------------------------------- generated data */

/** What to generate. Fill with lagoon_generate_options_init(). */
struct lagoon_generate_options {
	size_t size;		/* sizeof(struct lagoon_generate_options) */
	uint64_t rows;		/* >= 1 [100000] */
	uint64_t cols;		/* 1 to 2^31 [10000] */
	uint32_t nnz;		/* entries a row, 1 to cols [50] */
	uint64_t seed;		/* [1] */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_generate_options_init(struct lagoon_generate_options *options);

/** Write a LIBSVM file of rows with labels -1 and +1 drawn from a logistic
 * model with planted weights, and these weights as a model file (solver
 * "planted"). A row has one entry in each of nnz equal slices of the columns,
 * with a value in [-1, 1]. The files depend on the options alone.
 *
 * @param path     of the data
 * @param planted  of the weights, or NULL
 * @return 0; LAGOON_EINVAL; LAGOON_EIO, LAGOON_ENOMEM. Neither file is there
 * in part after an error.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_generate_logistic(const char *path, const char *planted,
			     const struct lagoon_generate_options *options);

#ifdef __cplusplus
}
#endif

#endif
