/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_kmeans.h
 * Clusters of points: k-means on Lagoon's tables, its models, and which cluster
 * a point belongs to. Included by lagoon_solve.h.
 *
 *     lagoon_kmeans_options_init(&options);
 *     options.clusters = 15;
 *     lagoon_kmeans_fit_file(lg, "points.csv", &options, &result);
 *     ... result.sse, result.centroids in rank 0 ...
 *     lagoon_kmeans_result_free(&result);
 */
#ifndef LAGOON_KMEANS_H
#define LAGOON_KMEANS_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How to move the centroids. */
enum lagoon_kmeans_method {
	/** Lloyd (1982): each round all rows go to their nearest centroids, which
	 * become the means of their rows. */
	LAGOON_KMEANS_LLOYD = 0,
	/** Sculley (2010): in a round each worker draws some of its rows; a
	 * centroid is the mean of all rows that were ever drawn for it. */
	LAGOON_KMEANS_MINIBATCH = 1,
};

/** Where the centroids begin. */
enum lagoon_kmeans_start {
	/** k-means++ (Arthur and Vassilvitskii, 2007): one after the other, rows
	 * drawn by their squared distance to those that are there. */
	LAGOON_KMEANS_PLUSPLUS = 0,
	/** Different rows, each as likely as another. */
	LAGOON_KMEANS_RANDOM = 1,
};

/** Formats of data files. */
enum lagoon_kmeans_format {
	LAGOON_KMEANS_DENSE = 0,	/* numbers with commas or blanks between,
					 * as many in every line; all count */
	LAGOON_KMEANS_LIBSVM = 1,	/* labels do not count; rows are made
					 * dense */
};

/** How a start stands after a round; the same in every process. */
struct lagoon_kmeans_round {
	int restart;		/* from 1 on */
	int round;		/* from 1 on, in this restart */
	double sse;		/* sum of the squared distances of the rows to
				 * the nearest of the centroids that the round
				 * began with; minibatch: estimated */
	uint64_t moved;		/* lloyd: rows that went to another cluster since
				 * the last call */
	double seconds;		/* since the call */
	uint64_t all_rounds;	/* of all restarts so far */
};

/** How to fit. Fill with lagoon_kmeans_options_init(), then change. */
struct lagoon_kmeans_options {
	size_t size;		/* sizeof(struct lagoon_kmeans_options) */
	int clusters;		/* 1 to 65536, not more than rows [8] */
	int method;		/* enum lagoon_kmeans_method
				 * [LAGOON_KMEANS_LLOYD] */
	int start;		/* enum lagoon_kmeans_start
				 * [LAGOON_KMEANS_PLUSPLUS] */
	int candidates;		/* k-means++: rows drawn for each centroid, of
				 * which the one that lowers the sum most is
				 * taken, 1 to 16; 1: as published [0: 2 and the
				 * logarithm of clusters] */
	int restarts;		/* of which the best is kept, >= 1 [10] */
	int rounds;		/* of each restart, at most, >= 1 [0: 300;
				 * minibatch 100] */
	double tolerance;	/* lloyd: end a restart when the sum fell by at
				 * most this share of it, >= 0 [0: when no row
				 * moves] */
	int batch;		/* minibatch: rows a worker draws in a round, on
				 * the average, >= 1 [1000] */
	int measure;		/* rounds from one sum to the next, >= 1 [0: 1;
				 * minibatch 10] */
	int model;		/* enum lagoon_model, not vap [LAGOON_SSP] */
	int32_t staleness;	/* ssp, essp, psp: >= 0 [1] */
	int32_t sample;		/* psp: >= 0 [1] */
	uint64_t seed;		/* of the draws [1] */
	/** Called each time the sum is known, in the lowest worker of each
	 * process. If it returns nonzero in any, the fit ends the next time. */
	int (*progress)(void *arg, const struct lagoon_kmeans_round *r);
	void *progress_arg;
	int format;		/* of files: enum lagoon_kmeans_format, -1: libsvm
				 * if the first line has a ':' [-1] */
	int zero_based;		/* indices of a libsvm file start at 0 [0] */
	const char *checkpoint;	/* folder for checkpoints [NULL: none] */
	uint64_t every;		/* rounds, of all restarts, from one to the next
				 * at least; they are made where the sum is known
				 * [0: only when interrupted] */
	const char *resume;	/* go on from the checkpoint in this folder, of
				 * the same rows, clusters and method [NULL] */
	/** With checkpoint: called in each worker before each sum. When it is not
	 * 0 in any, all write a checkpoint and the fit ends. */
	int (*interrupted)(void *arg);
	void *interrupted_arg;
};

/** What a fit found; the same in every process, but for centroids and
 * counts. */
struct lagoon_kmeans_result {
	size_t size;		/* sizeof(struct lagoon_kmeans_result) */
	double sse;		/* sum of the squared distances of all rows to
				 * their centroids */
	int clusters;
	int empty;		/* clusters without rows: there are fewer different
				 * rows than clusters, or minibatch left them */
	int restart;		/* which was the best, from 1 on */
	int rounds;		/* of that one */
	int converged;		/* 1: it ended before the rounds did */
	int stopped;		/* 1: progress asked for it */
	int interrupted;	/* 1: options.interrupted did: a checkpoint is
				 * being written (lagoon_close() waits for it
				 * and tells); restart, rounds and sse are where
				 * it is, and there are no centroids */
	uint64_t rows;
	uint64_t cols;
	uint64_t all_rounds;	/* of all restarts */
	double seconds;		/* whole call */
	double read_seconds;	/* of it, until the data was read or checked */
	double round_seconds;	/* of it, in rounds */
	double *centroids;	/* [clusters][cols] of a file, in rank 0; else
				 * NULL */
	uint64_t *counts;	/* [clusters] rows of each; the same */
};

/** The rows of this process, in its memory; read only during the call. */
struct lagoon_kmeans_data {
	size_t size;		/* sizeof(struct lagoon_kmeans_data) */
	size_t rows;		/* row i begins at i * stride */
	size_t cols;
	size_t stride;		/* in elements, >= cols */
	int real_size;		/* 8 (double), 4 (float) */
	const void *x;
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_kmeans_options_init(struct lagoon_kmeans_options *options);

/** Every process needs a worker. Find centroids for the rows of all processes
 * that make the sum of the squared distances of the rows to the nearest
 * centroids small. Rows stay where they are; sums and numbers of the rows of
 * each cluster are a table of integers.
 *
 * Of lloyd a cluster without rows keeps its centroid until the sum is known;
 * then it gets the row that is farthest from its centroid, unless all rows are
 * at their centroids. Coordinates are
 * rounded to 2^-50 of half of their column's range, times the rows by 1024 if
 * there are more, before they are summed, and sums are exact: under bsp, and
 * with staleness 0, the centroids do not depend on the order of adds, nor, but
 * for the last bits of sums of distances, on the number of workers. Of minibatch
 * the result is the same under bsp for the same rows of each worker. A fit that
 * goes on from a checkpoint comes to what one in one go comes to, in the same
 * sense; under bsp with the same rows of each worker to the same bits.
 *
 * @param data       rows of each process, maybe none; as many columns in all
 * @param options    the same in every process; NULL for the defaults
 * @param centroids  [clusters][cols] written in every process, or NULL
 * @param assigned   [data->rows] cluster of each row of this process, from 0 on,
 *                   or NULL
 * @param result     its size field must be set
 * @return 0; LAGOON_EINVAL for an option out of range, data that is not legal,
 * with row and column, more clusters than rows, or a checkpoint of another fit,
 * in every process; LAGOON_ENOMEM; as lagoon_table_create(), lagoon_clock(),
 * lagoon_checkpoint() and lagoon_restore(). An error in one worker ends the call
 * in all.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_kmeans_fit(struct lagoon *lg, const struct lagoon_kmeans_data *data,
		      const struct lagoon_kmeans_options *options,
		      double *centroids, int32_t *assigned,
		      struct lagoon_kmeans_result *result);

/** As lagoon_kmeans_fit(), of rows of a file, plain or by gzip; the workers
 * share its bytes.
 *
 * @param data    path that every process can read
 * @param result  its size field must be set; free it with
 *                lagoon_kmeans_result_free()
 * @return as lagoon_kmeans_fit(); LAGOON_ENOENT. A line that is not legal gives
 * LAGOON_EINVAL, with file and line, in every process.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_kmeans_fit_file(struct lagoon *lg, const char *data,
			   const struct lagoon_kmeans_options *options,
			   struct lagoon_kmeans_result *result);

/** Free what the result owns.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_kmeans_result_free(struct lagoon_kmeans_result *result);

/** Centroids. Their file is text: one "key value" a line, then a line for each
 * cluster with its number of rows and the coordinates of its centroid.
 *
 *     lagoon-kmeans 1
 *     clusters 15
 *     columns 2
 *     sse 8917615616867.0625
 *     centroids
 *     <as many lines as clusters, 17 significant digits: exact>
 *     end
 */
struct lagoon_kmeans_model {
	size_t size;		/* sizeof(struct lagoon_kmeans_model) */
	int clusters;
	uint64_t cols;
	double sse;
	double *centroids;	/* [clusters][cols] */
	uint64_t *counts;	/* [clusters] */
};

/** Write a model. The file appears whole under its name or not at all.
 * @return 0; LAGOON_EIO; LAGOON_EINVAL if a shape or number is not legal.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_kmeans_model_save(const char *path,
			     const struct lagoon_kmeans_model *model);

/** Read a model; free it with lagoon_kmeans_model_free().
 * @param model  its size field must be set
 * @return 0; LAGOON_ENOENT; LAGOON_ECORRUPT with the line that is wrong;
 * LAGOON_EIO; LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_kmeans_model_load(const char *path,
			     struct lagoon_kmeans_model *model);

/** Free what lagoon_kmeans_model_load() made.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_kmeans_model_free(struct lagoon_kmeans_model *model);

/** The nearest centroid of each row; of several as near, the first.
 *
 * @param data      as many columns as the model
 * @param assigned  [rows] clusters, from 0 on, or NULL
 * @param squares   [rows] squared distances, or NULL
 * @param sse       their sum, or NULL
 * @return 0; LAGOON_EINVAL for a shape that is wrong or a number that is not
 * finite, with row and column; LAGOON_ENOMEM.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_kmeans_assign(const struct lagoon_kmeans_model *model,
			 const struct lagoon_kmeans_data *data,
			 int32_t *assigned, double *squares, double *sse);

/** The same of the rows of a file, plain or by gzip, which is held in memory.
 * Columns of a libsvm file that the model does not have count as coordinates at
 * which centroids are 0.
 *
 * @param output   of a cluster a line; appears whole under its name or not at
 *                 all; NULL: none
 * @param options  of which format and zero_based count; NULL for the defaults
 * @param rows     how many there are, or NULL
 * @param sse      sum of the squared distances, or NULL
 * @return 0; LAGOON_EINVAL for a line that is not legal, with file and line;
 * LAGOON_ENOENT, LAGOON_EIO, LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_kmeans_assign_file(const struct lagoon_kmeans_model *model,
			      const char *data, const char *output,
			      const struct lagoon_kmeans_options *options,
			      uint64_t *rows, double *sse);

#ifdef __cplusplus
}
#endif

#endif
