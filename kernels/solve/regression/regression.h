/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ridge, lasso and elastic net, in parts: regression.c is the frame of a call,
 * regression_load.c reads and checks the rows, regression_scale.c brings them
 * to one scale, deal.c and lines.c give each worker its rows or columns,
 * regression_train.c runs the epochs of a method and measures the gap,
 * regression_restart.c makes checkpoints and goes on from them, and cd.c, sdca.c
 * and mspg.c are the methods.
 *
 * All of them work on a problem whose columns have a root mean square of at
 * most 1, and its targets one of 1: then the fixed point of the tables has a
 * unit of about 1e-14 whatever the units of the data are.
 */
#ifndef LGN_SOLVE_REGRESSION_H
#define LGN_SOLVE_REGRESSION_H

#include <stdbool.h>

#include "kernels/data/entries.h"
#include "kernels/data/matrix.h"
#include "kernels/lagoon_solve.h"
#include "kernels/solve/lines.h"
#include "kernels/solve/saved.h"
#include "kernels/solve/share.h"

/* What a worker's rows hold, and all of them. */
struct lgn_regression_facts {
	uint64_t rows;
	uint64_t cols;
	uint64_t entries;
	uint64_t targets;
	struct lgn_matrix_info matrix;	/* of files of that format */
	struct lgn_matrix_info target;
};

/* One scale: x~ = (x - shift) * factor, y~ = (y - y_shift) / y_scale, and
 * w = w~ * factor * y_scale. */
struct lgn_regression_scale {
	double *shift;		/* [cols] */
	double *factor;		/* [cols] 0: a column that does not vary */
	double y_shift;
	double y_scale;
	double widest;		/* largest root mean square of a column by the
				 * smallest one */
	double row;		/* mean square length of a scaled row */
	double l1, l2;		/* of the scaled problem */
};

/* One call, shared by the workers of the process. */
struct lgn_regression_fit {
	struct lagoon *lg;
	struct lagoon_regression_options options;
	const struct lgn_regression_method *method;
	const struct lagoon_regression_data *data;	/* or */
	const char *path;
	const char *target;
	bool one_reader;	/* the file is by gzip */
	struct lagoon_regression_result *result;
	double *weights;	/* [cols] or NULL */
	uint64_t start_ns;
	int workers;
	int first_worker;	/* lowest number of this process */
	struct lgn_entries *loaded;	/* [local workers] */
	struct lgn_regression_facts facts;
	struct lgn_regression_scale scale;
	bool in_place;		/* each worker holds whole rows, those from */
	uint64_t *first_row;	/* [workers + 1] on */
	struct lgn_share columns;	/* sums of columns */
	struct lgn_share counts;	/* of entries to deal out */
	struct lgn_share tidings;
	struct lagoon_table *dealt;
	struct lagoon_table *state;	/* residuals, or dual weights */
	struct lagoon_table *probe;	/* mspg: A x of the power method */
	struct lagoon_table *found;	/* weights, at the end and in checkpoints */
	struct lagoon_table *duals;	/* sdca with checkpoints: all alpha */
	void *saved;		/* of options.resume; see regression_restart.c */
};

/* What workers tell each other after an epoch: sums over a worker's rows or
 * columns, with the dual point a and q = X'a / n. */
struct lgn_regression_tidings {
	double loss;		/* of the rows / n */
	double ay, aa;		/* a'y / n, a'a / (2 n) */
	double abs, squares, largest;	/* of the weights */
	double q_abs, q_largest;
	double q_beyond;	/* squares of q beyond l1 */
	uint64_t nonzeros;
	double norm;		/* mspg: of the power method */
	int stop;
	int interrupted;
};

struct lgn_regression {
	struct lgn_regression_fit *fit;
	struct lagoon_worker *w;
	int id;
	const struct lgn_regression_scale *scale;
	struct lgn_entries entries;
	struct lgn_lines lines;	/* rows or columns of this worker, scaled */
	uint64_t n;		/* rows of all */
	uint64_t block;		/* the worker answers for weights from here */
	uint64_t block_cols;
	double *x;		/* [block_cols] */
	double *square;		/* [lines] */
	int64_t *order;		/* [lines]; sdca: [steps] */
	size_t steps;
	double *now, *was;	/* [rows or columns of all] */
	double *change;
	double *product;	/* [lines, at least block_cols] */
	double *centre;		/* [block_cols] */
	/* sdca */
	double *y;		/* [lines] */
	double *alpha;
	double proximity;
	double *last;		/* [block_cols] x, an epoch before */
	double pace;		/* of the centre */
	double settled;		/* objective then */
	/* how cautious a step is, because of what the others do unseen */
	double damp;
	double step;		/* mspg */
	uint64_t seed;
	uint32_t round;		/* meetings */
	struct lgn_regression_tidings *all;	/* [workers] */
	/* the same in every worker */
	int epoch;
	int asked;		/* to stop, by this worker's progress */
	int stopped;
	int converged;
	int interrupted;
	int slowed;		/* times that steps became shorter */
	double objective;
	double dual;
	double best_gap;
	uint64_t nonzeros;
};

struct lgn_regression_method {
	const char *name;
	bool by_rows;
	int rounds;		/* of an epoch, when the caller does not say */
	/* Before the first round; all workers. Behind a checkpoint (t->epoch > 0)
	 * t->x and t->alpha are what they were. */
	int (*open)(struct lgn_regression *t);
	/* Pull, compute, add, clock. */
	int (*round)(struct lgn_regression *t);
	/* At rest: add to mine. */
	int (*measure)(struct lgn_regression *t,
		       struct lgn_regression_tidings *mine);
	/* Steps were too long. */
	void (*slow_down)(struct lgn_regression *t);
	/* Between two epochs; or NULL. */
	int (*settle)(struct lgn_regression *t);
};

extern const struct lgn_regression_method lgn_cd, lgn_sdca, lgn_mspg;

/* Each for lagoon_run(); arg: struct lgn_regression_fit. */
int lgn_regression_load(struct lagoon_worker *w, void *arg);
int lgn_regression_scale(struct lagoon_worker *w, void *arg);
int lgn_regression_train(struct lagoon_worker *w, void *arg);

void lgn_regression_scale_free(struct lgn_regression_scale *scale);

/* Meet on fit->tidings; t->all. */
int lgn_regression_meet(struct lgn_regression *t, int rc,
			const struct lgn_regression_tidings *mine);

/* t->order becomes a random one of n. */
void lgn_regression_shuffle(struct lgn_regression *t, size_t n);

/* Of the quadratic that sdca adds. */
double lgn_sdca_proximity(const struct lgn_regression_fit *fit);

/* Rounds of one other worker that a step does not see, at most. */
double lgn_regression_unseen(const struct lgn_regression_fit *fit);

/* What a method by columns has of these: the table of residuals begins as the
 * targets, and is measured with the columns. */
int lgn_residuals_open(struct lgn_regression *t);
int lgn_residuals_measure(struct lgn_regression *t,
			  struct lgn_regression_tidings *mine);

/* t->x of weights as they are. */
void lgn_regression_rescale(struct lgn_regression *t);

/* The weights into fit->found, each worker its block; t->product. */
int lgn_regression_tell(struct lgn_regression *t);

/* After the tables were made, fill them if there is a checkpoint to go on from;
 * stand where it was made; write one if it is time. */
int lgn_regression_restore(struct lgn_regression_fit *fit);
int lgn_regression_resume(struct lgn_regression *t);
int lgn_regression_save(struct lgn_regression *t);
struct lgn_saving lgn_regression_saving(const struct lgn_regression_fit *fit);

/* The penalties of t->x, and what q is beyond l1. */
void lgn_regression_sum(const struct lgn_regression *t, const double *q,
			struct lgn_regression_tidings *mine);

#endif
