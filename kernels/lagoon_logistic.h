/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_logistic.h
 * L2-regularised logistic regression of a LIBSVM file, the oldest solver, whose
 * checkpoints may be made at any clock. Programs include lagoon_solve.h.
 */
#ifndef LAGOON_LOGISTIC_H
#define LAGOON_LOGISTIC_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
