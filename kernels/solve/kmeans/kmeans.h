/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * k-means, in parts: kmeans.c is the frame of a call, load.c reads the rows and
 * brings them to a scale, start.c draws the first centroids, train.c has the
 * rounds, table.c what they exchange, restart.c checkpoints, and assign.c applies
 * centroids to other rows.
 *
 * Row k of the table of sums is the number of rows of cluster k and the sums of
 * their coordinates, in whole units: column j of a row counts rint(x_j *
 * factor_j). Rows that change their cluster are taken from the sums of one and
 * added to those of another, as integers, so that nothing is lost however often
 * they move.
 *
 * In a round with lloyd a worker pulls the sums, assigns its rows and adds what
 * moved. What it pulls is what all added in the round before, no more, if the
 * table is bsp; with staleness 0 there are two of them, used in turn, so that
 * nobody adds to the one that others may still read.
 */
#ifndef LGN_SOLVE_KMEANS_H
#define LGN_SOLVE_KMEANS_H

#include <stdbool.h>

#include "kernels/data/dense.h"
#include "kernels/data/libsvm.h"
#include "kernels/lagoon_solve.h"
#include "kernels/solve/random.h"
#include "kernels/solve/saved.h"
#include "kernels/solve/share.h"

#define LGN_KMEANS_CLUSTERS 65536
#define LGN_KMEANS_CANDIDATES 16
#define LGN_KMEANS_MOST 1e140	/* of |x|: squares are finite */

/* What a worker has read, or all of them. */
struct lgn_kmeans_extent {
	uint64_t rows;
	uint64_t cols;
};

/* What a checkpoint has besides its table: what must be the same to go on, and how
 * far the fit had come. */
struct lgn_kmeans_saved {
	uint64_t kind;
	struct lgn_saved_data data;
	uint64_t mark;		/* of the rows */
	uint64_t all_rounds;
	double sse, best_sse;
	double drawn;
	int32_t clusters, method, bits;
	int32_t restart, round, settled, still;
	int32_t best_restart, best_rounds, best_settled;
};

/* One call, shared by the workers of the process. */
struct lgn_kmeans_fit {
	struct lagoon *lg;
	struct lagoon_kmeans_options options;
	const struct lagoon_kmeans_data *data;	/* or */
	const char *path;
	struct lagoon_kmeans_result *result;
	double *centroids;	/* [clusters][cols] or NULL */
	uint64_t *counts;	/* [clusters] or NULL */
	int32_t *assigned;	/* [data->rows] or NULL */
	uint64_t start_ns;
	int workers;
	int first_worker;	/* lowest number of this process */
	int tables;		/* of sums: 1 or 2 */
	struct lgn_dense *loaded;	/* [local workers] */
	struct lgn_libsvm *sparse;	/* the same, of a libsvm file */
	struct lgn_kmeans_extent facts;
	uint64_t *first_row;	/* [workers + 1] of each worker */
	struct lgn_share tidings;
	struct lagoon_table *sums;	/* [tables][clusters][1 + cols] */
	struct lagoon_table *points;	/* [most of clusters, candidates][cols] */
	struct lagoon_table *ranges;	/* [workers][2][cols] */
	struct lagoon_table *members;	/* [clusters] */
	struct lagoon_table *saved;	/* with checkpoints only; see restart.c */
	struct lgn_kmeans_saved from;	/* read with options.resume */
};

/* What workers tell each other at a meeting. */
struct lgn_kmeans_tidings {
	double sse;			/* of the rows looked at */
	uint64_t looked;
	uint64_t moved;
	double farthest;		/* square */
	int32_t empty;			/* cluster, or -1 */
	int32_t stop;
	int32_t interrupted;
	uint64_t mark;			/* of this worker's rows */
	double potential[LGN_KMEANS_CANDIDATES];
};

struct lgn_kmeans {
	struct lgn_kmeans_fit *fit;
	struct lagoon_worker *w;
	int id;
	size_t clusters;
	size_t cols;
	size_t rows;
	double *x;		/* [rows][cols] (as read - shift) / unit */
	double *shift;		/* [cols] */
	double *factor;		/* [cols] */
	double unit;
	int bits;		/* of a coordinate in the sums */
	int32_t *cluster;	/* [rows] or -1 */
	double *square;		/* [rows] */
	double *centroid;	/* [clusters][cols] */
	double *packed;		/* of centroids */
	double *packed_point;	/* of one */
	double *best;		/* [clusters][cols] of the restarts so far */
	double *used;		/* [clusters][cols] that rows were assigned to
				 * last; with checkpoints only */
	int64_t *sums;		/* [clusters][1 + cols] as pulled */
	int64_t *now;		/* the same: what this round moved */
	int64_t *before;	/* and the one before, or all (minibatch) */
	bool *touched;		/* [clusters] in now */
	bool *touched_before;
	uint64_t *list;		/* [clusters] */
	int64_t *add;		/* [clusters][1 + cols] */
	/* start */
	double *point;		/* [candidates][cols] */
	double *least;		/* [rows] */
	/* minibatch */
	size_t batch;
	double *drawn;		/* [batch][cols] */
	int32_t *of_drawn;	/* [batch] */
	double *square_drawn;	/* [batch] */
	uint32_t meetings;
	struct lgn_kmeans_tidings *all;	/* [workers] */
	/* the same in every worker */
	int restart;
	int round;
	uint64_t all_rounds;
	uint64_t moved;		/* of this worker, since the last meeting */
	uint64_t looked;
	double looked_sse;
	double sse;
	bool settled;
	bool still;		/* no row moved: the sum is of the centroids */
	bool refilled;
	int asked;		/* to stop, by this worker's progress */
	int stopped;
	int interrupted;	/* and the checkpoint is made */
	uint64_t saved;		/* all_rounds at the last checkpoint */
	uint64_t mark;		/* of the rows of all */
	double drawn_most;	/* minibatch: rows in the sums */
	double best_sse;
	int best_restart, best_rounds;
	bool best_settled;
	double round_seconds;
};

/* Each for lagoon_run(); arg: struct lgn_kmeans_fit. */
int lgn_kmeans_load(struct lagoon_worker *w, void *arg);
int lgn_kmeans_train(struct lagoon_worker *w, void *arg);

/* The rows of this worker, whose ranges all tell each other. */
int lgn_kmeans_scale(struct lgn_kmeans *t);

/* The rows of a libsvm part, dense. */
int lgn_kmeans_densify(const char *path, const struct lgn_libsvm *from,
		       uint64_t cols, struct lgn_dense *to);

/* Rows first to end of the caller's, checked. */
int lgn_kmeans_check_shape(const struct lagoon_kmeans_data *d);
int lgn_kmeans_take(const struct lagoon_kmeans_data *d, size_t first, size_t end,
		    struct lgn_dense *out);

/* Minibatch: rows that all workers draw in a round, at most. */
static inline double lgn_kmeans_batches(const struct lgn_kmeans_fit *fit)
{
	return ((double)fit->options.batch + 1) * fit->workers;
}

/* All meet; rc: the error that this one comes with; mine may be NULL. */
int lgn_kmeans_meet(struct lgn_kmeans *t, int rc,
		    const struct lgn_kmeans_tidings *mine);

/* The first centroids, the same in every worker. */
int lgn_kmeans_start(struct lgn_kmeans *t);

/* Clusters that have no rows get those that are farthest from their centroids.
 * After a meeting; all workers. */
int lgn_kmeans_refill(struct lgn_kmeans *t);
void lgn_kmeans_offer(const struct lgn_kmeans *t, int from,
		      struct lgn_kmeans_tidings *mine);

/* train.c: all rows of this worker go to the nearest centroids; the sum of their
 * squares. */
double lgn_kmeans_settle(struct lgn_kmeans *t, bool moving);

/* restart.c: before the tables are made, outside lagoon_run(); in each worker when
 * rows are on their scale: stand where the checkpoint was made; after a sum, all of
 * them: write one if it is time; and whether this one is interrupted. */
int lgn_kmeans_restore(struct lgn_kmeans_fit *fit);
int lgn_kmeans_resume(struct lgn_kmeans *t);
int lgn_kmeans_save(struct lgn_kmeans *t);
struct lgn_saving lgn_kmeans_saving(const struct lgn_kmeans_fit *fit);

/* table.c: rows of t->fit->points from a worker to all, by a meeting in
 * between; and what moved, into the sums. */
int lgn_kmeans_tell_point(struct lgn_kmeans *t, size_t at, const double *x);
int lgn_kmeans_pull_points(struct lgn_kmeans *t, size_t n, double *x);
void lgn_kmeans_move(struct lgn_kmeans *t, const double *x, int32_t cluster,
		     int sign);
int lgn_kmeans_push(struct lgn_kmeans *t);
int lgn_kmeans_pull(struct lgn_kmeans *t);
int lgn_kmeans_take_back(struct lgn_kmeans *t);
void lgn_kmeans_set_factors(struct lgn_kmeans *t, const double *range);

/* Squares of the rows become those to this point where that is nearer; their
 * sum. */
double lgn_kmeans_nearer(struct lgn_kmeans *t, const double *point,
			 double *square);

/* Random numbers that depend on the seed, the restart and what is drawn. */
struct lgn_kmeans_draw {
	uint64_t state;
};

static inline uint64_t lgn_kmeans_random(struct lgn_kmeans_draw *d)
{
	return lgn_random_next(&d->state);
}

static inline struct lgn_kmeans_draw lgn_kmeans_draw(const struct lgn_kmeans *t,
						     uint64_t what,
						     uint64_t which)
{
	struct lgn_kmeans_draw d = { t->fit->options.seed };

	d.state = lgn_kmeans_random(&d) + (uint64_t)t->restart;
	d.state = lgn_kmeans_random(&d) + what;
	d.state = lgn_kmeans_random(&d) + which;
	d.state = lgn_kmeans_random(&d);
	return d;
}

/* Of sums that depend in their last digits on how rows are spread: equal ones
 * must not be chosen between by these. */
static inline bool lgn_kmeans_is_less(double a, double b)
{
	return a < b * (1 - 1e-12);
}

/* In [0, 1); in [0, n). */
static inline double lgn_kmeans_uniform(struct lgn_kmeans_draw *d)
{
	return (double)(lgn_kmeans_random(d) >> 11) * 0x1p-53;
}

static inline uint64_t lgn_kmeans_below(struct lgn_kmeans_draw *d, uint64_t n)
{
	return (uint64_t)((unsigned __int128)lgn_kmeans_random(d) * n >> 64);
}

static inline size_t lgn_kmeans_packed(size_t points, size_t cols)
{
	return 8 + (cols + 1) * ((points + 7) / 8 * 8);
}

#endif
