/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linear classification, in parts: linear.c is the frame of a call,
 * linear_load.c reads and checks the rows, rows.c hands them out in blocks,
 * linear_train.c runs the epochs of a method and measures objective, accuracy
 * and gap, linear_restart.c makes checkpoints and goes on from them, linear_loss.c has products, losses and gradients of a block. A method
 * is a file of its own with a struct lgn_linear_method, named in linear_method()
 * and in enum lagoon_linear_method.
 *
 * The frame promises a method:
 * - fit->weights, a table of [features][outputs], zeros at first; with t->started,
 *   for methods that say starts, what the caller gave, which is in t->w, too, when
 *   open() is called, and measured. It is what is
 *   measured after each epoch, at rest, and what is returned. A method may work
 *   in it, or keep others (create()) and add to it what shall be measured.
 * - t->rows: this worker's rows in blocks, as many in every worker; a round is
 *   usually one block, and a clock.
 * - t->first and t->own: the rows of tables that this worker answers for; t->w,
 *   t->g: room for all weights.
 * - An epoch may end anywhere: the frame meets after it, so that whatever was
 *   added is in every pull that measures.
 * - A checkpoint, between two epochs, has all tables but those with
 *   lagoon_table_set_saved(t, 0), and what keep() gives. What a worker has for
 *   itself, resume() makes anew of these and of its rows, which may be others.
 * - Errors: return them. The frame tells the other workers, which get them at
 *   their next meeting; so whoever waits in an epoch waits by lgn_linear_meet().
 */
#ifndef LGN_SOLVE_LINEAR_H
#define LGN_SOLVE_LINEAR_H

#include <stdbool.h>

#include "kernels/data/libsvm.h"
#include "kernels/lagoon_solve.h"
#include "kernels/solve/linear/rows.h"
#include "kernels/solve/saved.h"
#include "kernels/solve/share.h"

#define LGN_LINEAR_WINDOW 5	/* epochs over which a change is judged */
#define LGN_LINEAR_OWN 64
#define LGN_LINEAR_KEPT 4096	/* bytes that a method keeps, at most */

/* What there is in one part of the rows, or in all. */
struct lgn_linear_extent {
	uint64_t rows;
	uint64_t cols;
	uint64_t entries;
	uint64_t most_rows;	/* of a worker */
	double squares;		/* of all values */
	double square;		/* of the row that has most */
};

struct lgn_linear_facts {
	struct lgn_linear_extent data, test;
	struct lgn_labels two;	/* of a libsvm file, for messages with lines */
	int32_t classes;
	double label[LAGOON_LINEAR_LABELS];	/* rising */
};

/* What a worker read, or only counted. */
struct lgn_linear_loaded {
	struct lgn_libsvm data, test;
	uint64_t rows, test_rows;
};

/* One call, shared by the workers of the process. */
struct lgn_linear_fit {
	struct lagoon *lg;
	struct lagoon_linear_options options;
	const struct lgn_linear_method *method;
	const struct lagoon_linear_data *data;	/* or */
	const char *path;
	const char *test;
	struct lagoon_linear_result *result;
	double *out;		/* [features][outputs] or NULL */
	uint64_t start_ns;
	int workers;
	int first_worker;	/* lowest number of this process */
	struct lgn_linear_loaded *loaded;	/* [local workers] */
	struct lgn_linear_facts facts;
	uint32_t outputs;
	uint64_t blocks;	/* of each worker */
	double largest;		/* bound of a weight */
	struct lgn_share tidings;
	struct lagoon_table *weights;
	void *tables;		/* the method's; create() to destroy() */
	void *saved;		/* of options.resume; see linear_restart.c */
	struct lagoon_table *per_row;	/* for checkpoints, of method->rows() */
};

/* What workers tell each other at a meeting. */
struct lgn_linear_tidings {
	double loss;		/* of the worker's rows */
	uint64_t correct;
	uint64_t test_correct;
	double squares, abs;	/* of its weights */
	uint64_t nonzeros;
	double dual;		/* methods with a dual: its part of the value */
	double own[LGN_LINEAR_OWN];	/* the method's */
	int stop;
	int interrupted;
};

struct lgn_linear {
	struct lgn_linear_fit *fit;
	struct lagoon_worker *worker;
	int id;
	struct lgn_rows rows, test;
	uint64_t first;		/* the worker answers for these rows of */
	uint64_t own;		/* fit->weights, and of tables like it */
	uint64_t first_row;	/* number of its first row among those of all */
	size_t n;		/* weights: features * outputs */
	double *w;		/* [n] as pulled to be measured */
	double *g;		/* [n] room for the method */
	double *z;		/* [largest block][outputs] products */
	double *slope;		/* the same: derivatives by them */
	double *room;		/* [largest n_cols][outputs] */
	uint32_t round;		/* meetings */
	bool started;		/* the first weights are the caller's */
	struct lgn_linear_tidings *all;	/* [workers] of the last meeting */
	struct lgn_linear_tidings sum;	/* of all, in the order of workers */
	void *state;		/* the method's; open() to close() */
	/* the same in every worker */
	int epoch;		/* from 1 on */
	int asked;		/* to stop, by this worker's progress */
	int stopped;
	int converged;
	int interrupted;
	double *past;		/* [epochs + 1] objectives, first at those */
	double objective;	/* of the last measure; first at the first weights */
	double accuracy;
	double dual;		/* the best so far; -INFINITY */
	double gap;		/* -1 without */
	uint64_t nonzeros;
	double history[LGN_LINEAR_WINDOW + 1];	/* of objectives */
};

struct lgn_linear_method {
	const char *name;
	unsigned losses;	/* bits 1 << loss that it can do */
	bool l1;		/* l1 > 0 */
	bool l2_only;		/* it needs l2 > 0 */
	bool streams;		/* it uses rows by lgn_rows_block() alone */
	bool starts;		/* it can begin with weights that are not 0 */
	unsigned models;	/* bits 1 << model */
	int blocks;		/* of a worker when options.batch does not say */
	int epochs;		/* when options.epochs does not say */
	bool dual;		/* it measures a dual value: there is a gap */
	/* Collective over the processes, outside lagoon_run(): tables besides
	 * fit->weights; destroy also after a create() that failed. Or NULL. */
	int (*create)(struct lgn_linear_fit *fit);
	void (*destroy)(struct lgn_linear_fit *fit);
	/* Each worker, before the first epoch; t->objective is that of the start.
	 * close() also after an open() that failed. Or NULL. */
	int (*open)(struct lgn_linear *t);
	void (*close)(struct lgn_linear *t);
	/* Pull, compute, add, clock. */
	int (*epoch)(struct lgn_linear *t);
	/* At rest, t->w the weights: add what the method wants told. Or NULL. */
	int (*measure)(struct lgn_linear *t, struct lgn_linear_tidings *mine);
	/* After it: t->sum, t->objective; may set t->converged. Or NULL: judged by
	 * gap or history. */
	int (*judge)(struct lgn_linear *t);
	/* Numbers of each row, [rows][outputs], that a checkpoint is to bring to
	 * who has the row then. Or NULL. */
	double *(*rows)(const struct lgn_linear *t);
	/* For a checkpoint: what all workers have alike, and resume() does not
	 * find in tables. Or NULL. */
	size_t kept;		/* bytes */
	void (*keep)(const struct lgn_linear *t, void *kept);
	/* Go on behind t->epoch, after open(), from rows and tables that a
	 * checkpoint has filled; there is a meeting after it. NULL: there is
	 * nothing to do. */
	int (*resume)(struct lgn_linear *t, const void *kept);
};

extern const struct lgn_linear_method lgn_linear_sgd, lgn_linear_adagrad,
	lgn_linear_downpour, lgn_linear_lbfgs, lgn_linear_gradient_descent,
	lgn_linear_sdca, lgn_linear_proximal, lgn_linear_ftrl;

/* Each for lagoon_run(); arg: struct lgn_linear_fit. */
int lgn_linear_load(struct lagoon_worker *w, void *arg);
int lgn_linear_train(struct lagoon_worker *w, void *arg);

/* Formats, and that labels are where they should be. */
int lgn_linear_check_files(struct lgn_linear_fit *fit);

/* The worker's part of a file that is streamed. */
struct lgn_rows_source lgn_linear_source(const struct lgn_linear_fit *fit,
					 int id, const char *path);

/* A table like fit->weights, of numbers up to so much. */
int lgn_linear_table(struct lgn_linear_fit *fit, const char *name,
		     double largest, struct lagoon_table **t);
int lgn_linear_table_of(struct lgn_linear_fit *fit, const char *name,
			uint64_t rows, double largest, struct lagoon_table **t);

/* [rows][outputs] as they are, each written by one worker between two meetings. */
int lgn_linear_plain(struct lgn_linear_fit *fit, const char *name, uint64_t rows,
		     struct lagoon_table **t);

/* All meet; what anybody added before is in every pull after. rc: the error
 * that this one comes with. mine may be NULL. t->all and t->sum. */
int lgn_linear_meet(struct lgn_linear *t, int rc,
		    const struct lgn_linear_tidings *mine);

/* Rounds of one other worker that a pull may lack, about. */
double lgn_linear_unseen(const struct lgn_linear_fit *fit);

/* linear_restart.c: after the tables were made, fill them if there is a checkpoint
 * to go on from; when that was refused, and they are gone, those of another method
 * that it brought; stand where it was made; write one if it is time. */
int lgn_linear_restore(struct lgn_linear_fit *fit);
void lgn_linear_forget(struct lgn_linear_fit *fit);
int lgn_linear_resume(struct lgn_linear *t);
int lgn_linear_save(struct lgn_linear *t);
struct lgn_saving lgn_linear_saving(const struct lgn_linear_fit *fit);
int lgn_linear_is_interrupted(const struct lgn_linear *t);

/* Gap or history small enough? */
bool lgn_linear_is_converged(const struct lgn_linear *t);

/* ---- linear_loss.c: of a block, weights w [features][outputs] */

/* z [rows][outputs] becomes the products. */
void lgn_linear_products(const struct lgn_linear *t, const struct lgn_block *b,
			 const double *w, double *z);

/* Sum of the losses; slope (or NULL): derivatives by the products. */
double lgn_linear_losses(const struct lgn_linear *t, const struct lgn_block *b,
			 const double *z, double *slope);

/* Rows on the right side. */
uint64_t lgn_linear_correct(const struct lgn_linear *t,
			    const struct lgn_block *b, const double *z);

/* g += by * X' slope. */
void lgn_linear_gradient(const struct lgn_linear *t, const struct lgn_block *b,
			 double by, const double *slope, double *g);

/* What a block uses of a table into w, and what changed there to it. */
int lgn_linear_pull(struct lgn_linear *t, struct lagoon_table *table,
		    const struct lgn_block *b, double *w);
int lgn_linear_add(struct lgn_linear *t, struct lagoon_table *table,
		   const struct lgn_block *b, const double *change);

#endif
