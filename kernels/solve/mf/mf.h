/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Factors of a matrix of ratings, in parts: mf.c is the frame of a call,
 * mf_load.c reads the ratings and deals them out, mf_lines.c puts them in order,
 * mf_train.c runs the epochs, mf_measure.c has the objective, mf_restart.c
 * checkpoints, and mf_sgd.c, mf_als.c and mf_ccd.c are the methods.
 *
 * Of users and items, those of which there are more are the rows of the matrix,
 * the others its columns. Each row is of one worker, which has all its ratings.
 * Ratings are in units in which they deviate by 1 from their mean, 0; so factors
 * are about 1 too, whatever the ratings are.
 */
#ifndef LGN_SOLVE_MF_H
#define LGN_SOLVE_MF_H

#include <stdbool.h>

#include "kernels/data/entries.h"
#include "kernels/lagoon_mf.h"
#include "kernels/solve/random.h"
#include "kernels/solve/saved.h"
#include "kernels/solve/share.h"

#define LGN_MF_NONE UINT32_MAX

/* Ratings line by line: lines are rows and across are columns, or the other way
 * round. */
struct lgn_mf_lines {
	size_t n;		/* ratings */
	uint32_t lines;
	uint64_t *id;		/* [lines] rising */
	size_t *start;		/* [lines + 1] */
	uint32_t *across;	/* [n] place in others */
	double *val;		/* [n] */
	uint32_t n_others;
	uint64_t *others;	/* [n_others] rising */
};

/* Test ratings, of rows of this worker, by row. */
struct lgn_mf_tests {
	size_t n;
	uint32_t *line;		/* [n] or NONE: a row without ratings */
	uint32_t *across;	/* [n] or NONE: there is no such column */
	double *val;
};

/* What a worker has read, or all of them. */
struct lgn_mf_facts {
	uint64_t n, test_n;
	uint64_t rows, cols;
	/* of ratings once they are dealt out */
	uint64_t replaced;
	double sum, squares;
};

/* What a worker of the process has from one run to the next. */
struct lgn_mf_part {
	struct lgn_entries data, test;
	struct lgn_mf_lines rows;
	struct lgn_mf_lines cols;	/* als: those of this worker */
	struct lgn_mf_tests tests;
};

/* One call, shared by the workers of the process. */
struct lgn_mf_fit {
	struct lagoon *lg;
	struct lagoon_mf_options options;
	const struct lgn_mf_method *method;
	const struct lagoon_mf_data *data, *test;	/* or */
	const char *path, *test_path;
	struct lagoon_mf_result *result;
	uint64_t start_ns;
	int workers;
	int first_worker;	/* lowest number of this process */
	bool has_test;
	bool swapped;		/* items are the rows */
	double mean, scale;
	uint32_t width;		/* of a row: rank + biases */
	struct lgn_mf_part *part;	/* [local workers] */
	struct lgn_mf_facts facts;
	struct lgn_share tidings;
	struct lgn_share amounts;	/* of entries to each worker */
	struct lagoon_table *dealt, *dealt_test, *dealt_cols;
	struct lagoon_table *rows;	/* [rows][width] */
	struct lagoon_table *cols;	/* [cols][width] */
	struct lagoon_table *counts;	/* [cols] ratings */
	struct lagoon_table *sums[2];	/* ccd: [cols][2], used in turn */
	struct lgn_mf_saved *saved;	/* or NULL: begin at the begin */
};

/* What workers tell each other at a meeting. */
struct lgn_mf_tidings {
	double errors, penalty, test;	/* sums */
	int stop;
	int interrupted;
};

struct lgn_mf {
	struct lgn_mf_fit *fit;
	struct lagoon_worker *w;
	int id;
	uint32_t rank, width;
	double lambda;		/* in the units of ratings here */
	const struct lgn_mf_lines *rows;	/* of this worker */
	const struct lgn_mf_lines *cols;
	const struct lgn_mf_tests *tests;
	double *count;		/* [rows->n_others] ratings of the column, of all
				 * workers */
	double *own;		/* [rows->n_others] of this one */
	double *x;		/* [rows->lines][width] */
	double *y;		/* [rows->n_others][width] */
	void *state;		/* the method's */
	uint32_t round;		/* meetings */
	struct lgn_mf_tidings *all;	/* [workers] */
	/* the same in every worker */
	int epoch;
	int asked;		/* to stop, by this worker's progress */
	int stopped, interrupted;
	double objective, rmse, test_rmse;
	double fit_seconds;
};

struct lgn_mf_method {
	const char *name;
	bool by_cols;		/* it needs the lines of its columns, too */
	bool adds;		/* cols is a table that changes are added to */
	/* All that a worker needs; close() also after an open() that failed. */
	int (*open)(struct lgn_mf *t);
	void (*close)(struct lgn_mf *t);
	/* From x and y, which are the first ones or those of a checkpoint. */
	int (*begin)(struct lgn_mf *t);
	int (*epoch)(struct lgn_mf *t);
	/* Into x and y what there is now; at rest. */
	int (*get)(struct lgn_mf *t);
};

extern const struct lgn_mf_method lgn_mf_sgd, lgn_mf_als, lgn_mf_ccd;

/* Each for lagoon_run(); arg: struct lgn_mf_fit. */
int lgn_mf_load(struct lagoon_worker *w, void *arg);
int lgn_mf_deal(struct lagoon_worker *w, void *arg);
int lgn_mf_train(struct lagoon_worker *w, void *arg);

int lgn_mf_create_dealt(struct lgn_mf_fit *fit);
void lgn_mf_destroy_dealt(struct lgn_mf_fit *fit);

/* Entries in the order of (row, col); of those of one place the last one stays.
 * replaced: how many went. */
int lgn_mf_sort(struct lgn_entries *e, uint64_t rows, uint64_t cols,
		uint64_t *replaced);

/* Lines of sorted entries, which are freed; others also of what more has, if not
 * NULL. To be closed in any case. */
int lgn_mf_lines_open(struct lgn_entries *e, uint64_t cols,
		      const struct lgn_entries *more, struct lgn_mf_lines *l);
void lgn_mf_lines_close(struct lgn_mf_lines *l);
int lgn_mf_tests_open(const struct lgn_entries *e, const struct lgn_mf_lines *l,
		      struct lgn_mf_tests *tests);
void lgn_mf_tests_close(struct lgn_mf_tests *tests);

/* All meet; rc: the error that this one comes with; mine may be NULL. */
int lgn_mf_meet(struct lgn_mf *t, int rc, const struct lgn_mf_tidings *mine);

/* The first factors of rows; stream 0: rows of the matrix, 1: columns. */
void lgn_mf_first(const struct lgn_mf *t, uint64_t stream, const uint64_t *id,
		  uint32_t n, double *out);

/* x and y, as they are, into mine. */
void lgn_mf_measure(const struct lgn_mf *t, struct lgn_mf_tidings *mine);

/* Rows of a table that are replaced. n may be 0. */
int lgn_mf_put(struct lgn_mf *t, struct lagoon_table *table,
	       const uint64_t *rows, uint32_t n, const double *val);
int lgn_mf_pull(struct lgn_mf *t, struct lagoon_table *table,
		const uint64_t *rows, uint32_t n, double *val);

/* x, and y where it is not there already, into the tables, for whoever wants
 * them; meets. */
int lgn_mf_tell(struct lgn_mf *t);

/* -------------------------------------------------- checkpoints (mf_restart.c) */

struct lgn_saving lgn_mf_saving(const struct lgn_mf_fit *fit);
int lgn_mf_save(struct lgn_mf *t);
int lgn_mf_restore(struct lgn_mf_fit *fit);	/* outside lagoon_run() */
int lgn_mf_resume(struct lgn_mf *t);

#endif
