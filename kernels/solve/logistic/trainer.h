/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What surrounds the steps of logistic.c: the tables of a fit, and in each
 * worker the measuring of the objective, its derivatives and the best weights
 * so far.
 */
#ifndef LGN_SOLVE_TRAINER_H
#define LGN_SOLVE_TRAINER_H

#include <pthread.h>

#include "kernels/lagoon_solve.h"
#include "kernels/solve/logistic/account.h"
#include "kernels/solve/load.h"
#include "kernels/solve/part.h"
#include "kernels/solve/share.h"

#define LGN_WINDOW 5		/* epochs over which the change is judged */

/* What workers tell each other at each meeting. */
struct lgn_tidings {
	double squares;		/* of the worker's slice of the weights */
	struct lagoon_loss data;
	struct lagoon_loss test;
	uint64_t stop;		/* its process was interrupted */
};

/* What a checkpoint has besides tables: where the fit stood, and what it must
 * be to go on from there. */
struct lgn_progress {
	uint64_t rows, entries, features;
	double labels[2];
	double c;
	uint64_t workers, batches;
	uint64_t batch;		/* done in this epoch */
	int64_t epoch;		/* being trained */
	int64_t judged_from;
	double step, objective, accuracy, best;
	double history[LGN_WINDOW + 1];
};

/* One call of lagoon_logistic_fit_file(), shared by the process's workers. */
struct lgn_fit {
	struct lagoon *lg;
	struct lagoon_logistic_options options;
	struct lgn_load_options files;
	struct lagoon_logistic_result *result;
	uint64_t start_ns;
	int first_worker;	/* lowest number of this process */
	struct lgn_loaded *loaded;	/* [local workers] */
	struct lgn_facts facts;
	double largest;		/* a weight beyond this diverges */
	double row_entries;	/* of the row of an average entry */
	double unseen_rows;	/* that others use before one sees them */
	uint64_t batches;	/* rounds of an epoch */
	struct lgn_share share;
	struct lgn_share accounts;
	struct lagoon_table *counts;	/* rows that touch a column */
	struct lagoon_table *weights;
	struct lagoon_table *first;	/* derivatives of the loss */
	struct lagoon_table *second;
	struct lagoon_table *waited;	/* a row a rank */
	/* with checkpoints only */
	struct lagoon_table *anchor;	/* weights that an epoch began with */
	struct lagoon_table *start;	/* second derivatives at 0 */
	struct lagoon_table *stop;	/* a row a worker; see restart.c */
	struct lgn_progress progress;	/* read with options.resume */
};

struct lgn_trainer {
	struct lgn_fit *fit;
	struct lagoon_worker *w;
	struct lgn_part parts[2];	/* training and test rows */
	struct lgn_part *part;		/* the training rows */
	struct lgn_part *test;
	uint32_t round;			/* meetings */
	struct lgn_tidings *all;	/* [workers] of the last one */
	double *x;			/* [columns of a part] */
	double *at;			/* [largest batch] */
	/* by column of the part */
	double *count;
	double *start;			/* second derivative at 0 */
	struct lagoon_cell *cell;
	struct lagoon_slope *mine;	/* of this worker's rows, new */
	struct lagoon_slope *told;	/* what is in the tables of them */
	struct lagoon_slope *total;	/* of all rows */
	/* the slice of the weights that this worker answers for */
	uint64_t slice;			/* its first row */
	uint64_t slice_rows;
	double *now;
	double *kept;			/* at the best objective */
	/* the same in every worker */
	int epoch;
	uint64_t batch;			/* done in this epoch */
	int judged_from;
	int converged;
	int interrupted;		/* and the checkpoint is made */
	int64_t saved;			/* clock of the last checkpoint */
	int told_stop;			/* of this worker only */
	int64_t *stops;			/* [workers] */
	double step;
	double objective;
	double accuracy;
	double best;
	double history[LGN_WINDOW + 1];
};

/* logistic.c: the work of one worker, for lagoon_run(). arg: struct lgn_fit */
int lgn_logistic_train(struct lagoon_worker *w, void *arg);

/* t is to be closed in any case. */
int lgn_trainer_open(struct lgn_fit *fit, struct lagoon_worker *w,
		     struct lgn_trainer *t);
void lgn_trainer_close(struct lgn_trainer *t);

/* Count the rows that touch each column, over all workers. */
int lgn_trainer_count(struct lgn_trainer *t);

/* Measure objective, accuracy and total derivatives at the weights as they
 * are. All workers, none of which adds to the weights meanwhile. */
int lgn_trainer_measure(struct lgn_trainer *t);

/* After the first measure, at zero weights. */
void lgn_trainer_begin(struct lgn_trainer *t);

/* The weights measured last are those that the next epoch begins with; go
 * back to them (all workers). */
int lgn_trainer_keep(struct lgn_trainer *t);
int lgn_trainer_restore(struct lgn_trainer *t);

/* The loss of the worker's rows at x [columns of the part], and its
 * derivatives into mine; and the total ones from the tables. */
void lgn_trainer_measure_rows(struct lgn_trainer *t, const double *x,
			      struct lagoon_loss *sum);
int lgn_trainer_pull_slopes(struct lgn_trainer *t);

/* restart.c: tables and state of checkpoints. Collective. */
int lgn_restart_open(struct lgn_fit *fit);

/* After the first measure, at zero weights: what only that one knows. */
int lgn_restart_begin(struct lgn_trainer *t);

/* Instead of the first measure: stand where the checkpoint was made. */
int lgn_restart_resume(struct lgn_trainer *t);

/* Around the clock that ends a batch, and after the meeting that ends them
 * all: write a checkpoint if it is time; t->interrupted if it was the last. */
int lgn_restart_tell(struct lgn_trainer *t);
int lgn_restart_clocked(struct lgn_trainer *t);
int lgn_restart_met(struct lgn_trainer *t);
int lgn_restart_interrupted(const struct lgn_trainer *t);

/* End the round; what anybody added is in every pull after. */
int lgn_trainer_meet(struct lgn_trainer *t);

void lgn_trainer_report(const struct lgn_trainer *t);

/* Test accuracy and statistics; one worker of the process fills in the
 * result. */
int lgn_trainer_finish(struct lgn_trainer *t);

#endif
