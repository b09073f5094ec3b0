/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_mf.h
 * Factors of a matrix of ratings: rating = mean + user . item, or with biases
 * mean + bias of the user + bias of the item + user . item.
 *
 *     lagoon_open(&attr, &lg);
 *     lagoon_mf_options_init(&options);
 *     lagoon_mf_fit_file(lg, "train.txt", "test.txt", &options, &result);
 *     ... result.test_rmse, result.model in rank 0 ...
 *     lagoon_mf_result_free(&result);
 *     lagoon_close(lg);
 *
 * Programs include lagoon_solve.h. Errors are as in lagoon.h.
 */
#ifndef LAGOON_MF_H
#define LAGOON_MF_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How factors are found. All minimise, over the ratings r of user u and item i,
 * with the deviation e of each from what the model says,
 *
 *     sum (e^2 + lambda |u|^2 + lambda |i|^2)
 *         + lambda_bias (sum of squared biases).
 */
enum lagoon_mf_method {
	/** Stochastic gradient descent, in strata of items so that workers
	 * seldom change the same one at a time (Gemulla et al., Large-Scale
	 * Matrix Factorization with Distributed Stochastic Gradient Descent,
	 * KDD 2011). */
	LAGOON_MF_SGD = 0,
	/** Alternating least squares: the normal equations of each user, then of
	 * each item (Zhou et al., Large-Scale Parallel Collaborative Filtering
	 * for the Netflix Prize, AAIM 2008). */
	LAGOON_MF_ALS = 1,
	/** Cyclic coordinate descent, one pair of columns after another (Yu et
	 * al., Scalable Coordinate Descent Approaches to Parallel Matrix
	 * Factorization for Recommender Systems, ICDM 2012). */
	LAGOON_MF_CCD = 2,
};

/** How the fit stands; the same in every process. */
struct lagoon_mf_epoch {
	int epoch;		/* from 1 on */
	double objective;
	double rmse;		/* of the ratings */
	double test_rmse;	/* of the test ratings; -1 without */
	double seconds;		/* since the call */
};

/** How to fit. Fill with lagoon_mf_options_init(), then change. */
struct lagoon_mf_options {
	size_t size;		/* sizeof(struct lagoon_mf_options) */
	int method;		/* enum lagoon_mf_method [LAGOON_MF_SGD] */
	int rank;		/* factors, 1 to 4096, not more than users and
				 * not more than items [10] */
	int biases;		/* of users and items, too [0] */
	double lambda;		/* penalty of factors for each rating, >= 0;
				 * als: > 0 [0.1] */
	double lambda_bias;	/* penalty of each bias, >= 0 [5] */
	int epochs;		/* passes over all ratings, >= 1 [30] */
	double rate;		/* sgd: step, in units in which ratings deviate
				 * by 1 from their mean, > 0 [0.05] */
	double decay;		/* sgd: factor of the step after each epoch, above
				 * 0, at most 1 [0.95] */
	int rounds;		/* sgd: strata and clocks of an epoch; 0: some for
				 * each worker, more with staleness [0] */
	int measure;		/* epochs from one objective to the next, >= 1
				 * [1] */
	int model;		/* enum lagoon_model, not vap [LAGOON_SSP]; als
				 * and ccd meet, so theirs does not matter */
	int32_t staleness;	/* ssp, essp, psp: >= 0 [1] */
	int32_t sample;		/* psp: >= 0 [1] */
	uint64_t seed;		/* of the first factors and of orders [1] */
	/** Called each time the objective is known, in the lowest worker of
	 * each process. If it returns nonzero in any, the fit ends the next
	 * time. */
	int (*progress)(void *arg, const struct lagoon_mf_epoch *e);
	void *progress_arg;
	const char *checkpoint;	/* folder for checkpoints [NULL: none] */
	uint64_t every;		/* epochs from one to the next, of those with an
				 * objective [0: only when interrupted] */
	const char *resume;	/* go on from the checkpoint in this folder, of
				 * the same ratings, method, rank and penalties
				 * [NULL] */
	/** With checkpoint: called in each worker before each objective. When
	 * it is not 0 in any, all write a checkpoint and the fit ends. */
	int (*interrupted)(void *arg);
	void *interrupted_arg;
};

/** A model. Users and items that had no rating have zeros. Its file is text: one
 * "key value" a line, then a line for each user and each item that had a
 * rating, with its number, factors and, at the end, bias.
 *
 *     lagoon-mf 1
 *     rank 2
 *     biases 1
 *     users 1509
 *     items 2072
 *     mean 3.0028
 *     lambda 0.1
 *     factors
 *     user 1 0.25 -0.125 0.5
 *     item 7 0.5 0.75 -0.25
 *     <one a line, 17 significant digits: exact>
 *     end
 */
struct lagoon_mf_model {
	size_t size;		/* sizeof(struct lagoon_mf_model) */
	int rank;
	int biases;		/* 1: a row ends with the bias */
	uint64_t users;		/* the largest number + 1 */
	uint64_t items;
	double mean;		/* of the ratings */
	double lambda;
	double *user;		/* [users][rank + biases] */
	double *item;		/* [items][rank + biases] */
};

/** What a fit found; the same in every process, but for the model. */
struct lagoon_mf_result {
	size_t size;		/* sizeof(struct lagoon_mf_result) */
	double objective;
	double rmse;		/* of the ratings */
	double test_rmse;	/* of the test ratings; -1 without */
	int epochs;
	int stopped;		/* 1: progress asked for it */
	int interrupted;	/* 1: options.interrupted did: a checkpoint is
				 * being written (lagoon_close() waits for it
				 * and tells), and there is no model */
	uint64_t ratings;
	uint64_t replaced;	/* ratings that a later one of the same user and
				 * item replaced; not in ratings */
	uint64_t test_ratings;
	uint64_t users;		/* the largest number + 1 */
	uint64_t items;
	double seconds;		/* whole call */
	double read_seconds;	/* of it, until the ratings were read and dealt
				 * out */
	double fit_seconds;	/* of it, in epochs, without objectives */
	struct lagoon_mf_model model;	/* in rank 0; else without rows */
};

/** Ratings of this process, in its memory; read only during the call. */
struct lagoon_mf_data {
	size_t size;		/* sizeof(struct lagoon_mf_data) */
	size_t n;
	const int32_t *user;	/* [n] >= 0 */
	const int32_t *item;	/* [n] >= 0 */
	const double *rating;	/* [n] finite */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_mf_options_init(struct lagoon_mf_options *options);

/** Every process needs a worker. Fit factors of users and items to the ratings of
 * all processes. Numbers of users and items may begin anywhere from 0 on and may
 * have gaps; tables have a row for each up to the largest. When an item is rated
 * by the same user again, the last rating counts: of the highest process, and in
 * it the last one.
 *
 * Of users and items, those of which there are more stay with the worker that
 * owns them, with their ratings; sgd has the others in a table, ccd sends only
 * the sums of the column in work, and als has both in tables. With als and ccd
 * the objective never rises. Under bsp the first fit of a job gives the same bit
 * for bit for the same seed, options and number of workers.
 *
 * @param data     ratings of each process, maybe none
 * @param test     ratings to measure test_rmse on, of each process, in all or in
 *                 none of them; or NULL
 * @param options  the same in every process; NULL for the defaults
 * @param result   its size field must be set; free it with
 *                 lagoon_mf_result_free()
 * @return 0; LAGOON_EINVAL for an option out of range, a rank above the number of
 * users or items, no ratings, or one that is not legal, with its place, in every
 * process, or a checkpoint of another fit; LAGOON_ERANGE if sgd diverged;
 * LAGOON_ENOMEM; as lagoon_table_create(), lagoon_clock(), lagoon_checkpoint()
 * and lagoon_restore(). An error in one worker ends the call in all.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_mf_fit(struct lagoon *lg, const struct lagoon_mf_data *data,
		  const struct lagoon_mf_data *test,
		  const struct lagoon_mf_options *options,
		  struct lagoon_mf_result *result);

/** As lagoon_mf_fit(), of ratings of a file, plain or by gzip: "user item
 * rating" a line, between them blanks, tabs, a comma or "::". What follows them
 * on the line, as a time, is ignored; empty lines and those that begin with # or
 * % too. The workers share the bytes of a plain file.
 *
 * @param data  path that every process can read
 * @param test  of ratings to measure test_rmse on, or NULL
 * @return as lagoon_mf_fit(); LAGOON_ENOENT. A line that is not legal gives
 * LAGOON_EINVAL, with file and line, in every process.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_mf_fit_file(struct lagoon *lg, const char *data, const char *test,
		       const struct lagoon_mf_options *options,
		       struct lagoon_mf_result *result);

/** Free what the result owns.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_mf_result_free(struct lagoon_mf_result *result);

/** Write a model. The file appears whole under its name or not at all.
 * @return 0; LAGOON_EIO; LAGOON_EINVAL if a shape is not legal or a number is not
 * finite.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_mf_model_save(const char *path,
			 const struct lagoon_mf_model *model);

/** Read a model; free it with lagoon_mf_model_free().
 * @param model  its size field must be set
 * @return 0; LAGOON_ENOENT; LAGOON_ECORRUPT with the line that is wrong;
 * LAGOON_EIO; LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_mf_model_load(const char *path, struct lagoon_mf_model *model);

/** Free what lagoon_mf_model_load() made.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_mf_model_free(struct lagoon_mf_model *model);

/** What the model says. A user or an item that it does not have counts as one
 * with zeros: the mean and the bias of the other are left.
 *
 * @param user, item  [n] >= 0
 * @param rating      [n] written
 * @return 0; LAGOON_EINVAL for a number below 0, with its place.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_mf_predict(const struct lagoon_mf_model *model, size_t n,
		      const int32_t *user, const int32_t *item,
		      double *rating);

/** How well a model fits ratings. */
struct lagoon_mf_score {
	size_t size;		/* sizeof(struct lagoon_mf_score) */
	uint64_t ratings;
	uint64_t unknown;	/* of these, of a user or item without a rating in
				 * the model's data */
	double rmse;
	double mae;		/* mean of |error| */
};

/** What a model says to the ratings of a file as of lagoon_mf_fit_file().
 *
 * @param output  gets the predictions, one a line, 17 digits; appears whole
 *                under its name or not at all; NULL: none
 * @param score   its size field must be set
 * @return 0; LAGOON_EINVAL for a line that is not legal, with file and line;
 * LAGOON_ENOENT, LAGOON_EIO, LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_mf_predict_file(const struct lagoon_mf_model *model,
			   const char *data, const char *output,
			   struct lagoon_mf_score *score);

/** What to generate. Fill with lagoon_generate_ratings_options_init(). */
struct lagoon_generate_ratings_options {
	size_t size;		/* sizeof(struct lagoon_generate_ratings_options) */
	uint64_t users;		/* 1 to 2^31 [10000] */
	uint64_t items;		/* 1 to 2^31 [1000] */
	uint64_t ratings;	/* >= 1 [1000000] */
	int rank;		/* of the planted factors, 1 to 4096 [8] */
	double noise;		/* deviation of what is added, >= 0 [0.1] */
	uint64_t seed;		/* [1] */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_generate_ratings_options_init(struct lagoon_generate_ratings_options *options);

/** Write ratings of planted factors, "user item rating" a line: 3 plus a product
 * of about deviation 1 plus noise. User and item of each are drawn at random from
 * 0 on. The file depends on the options alone.
 *
 * @param path  of the ratings
 * @param test  of a tenth as many others, or NULL
 * @return 0; LAGOON_EINVAL; LAGOON_EIO, LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_generate_ratings(const char *path, const char *test,
			    const struct lagoon_generate_ratings_options *options);

#ifdef __cplusplus
}
#endif

#endif
