/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The most similar rows, in parts: similar.c is the frame of a call,
 * similar_load.c reads and checks the rows, similar_rows.c puts them into tables
 * and pulls them again, similar_find.c is the work of one worker, with
 * similar_sparse.c or similar_dense.c for comparing, and similar_line.c finds the
 * line of a file that an error is about.
 *
 * A worker claims a block of rows by fetch-and-add, and streams all others past
 * it. What a pair's similarity is depends on its rows alone, bit for bit, not on
 * the blocks: so neither does what is found depend on who finds it.
 */
#ifndef LGN_SOLVE_SIMILAR_H
#define LGN_SOLVE_SIMILAR_H

#include <stdbool.h>

#include "kernels/data/outfile.h"
#include "kernels/lagoon_similar.h"
#include "kernels/lagoon_solve.h"
#include "kernels/solve/share.h"

#define LGN_SIMILAR_SETS 2	/* rows, and what they are compared with */

/* Some rows in CSR, columns rising, none of the entries 0. */
struct lgn_similar_rows {
	uint64_t first;		/* number of the first among all; before the
				 * workers have agreed, in memory or the part */
	int part, parts;	/* of the file's bytes; 0, 0: all of it */
	uint64_t rows;
	uint64_t cols;
	size_t entry;		/* number of the first entry among all */
	size_t *start;		/* [rows + 1] */
	uint32_t *col;
	double *val;
};

struct lgn_similar_extent {
	uint64_t rows;
	uint64_t cols;
	uint64_t entries;
};

struct lgn_similar_facts {
	struct lgn_similar_extent set[LGN_SIMILAR_SETS];
};

/* All rows of one side. */
struct lgn_similar_set {
	const char *path;	/* or */
	const struct lagoon_similar_data *data;
	int format;
	uint64_t rows;
	uint64_t cols;
	uint64_t entries;
	struct lagoon_table *starts;	/* [rows + 1] of entries */
	struct lagoon_table *values;	/* [entries][column and value], or
					 * [rows][columns] of dense rows */
};

struct lgn_similar_loaded {
	struct lgn_similar_rows set[LGN_SIMILAR_SETS];
};

struct lgn_similar_way;

/* One call, shared by the workers of the process. */
struct lgn_similar_fit {
	struct lagoon *lg;
	struct lagoon_similar_options options;
	struct lagoon_similar_result *result;
	const char *output;
	int64_t *other;		/* [rows][top] of this process, or of a file */
	double *similarity;	/* the same, or NULL */
	uint64_t start_ns;
	int workers;
	int first_worker;	/* lowest number of this process */
	bool files;
	bool dense;		/* compared as dense rows */
	int sets;		/* 1: rows are compared with each other */
	struct lgn_similar_set set[LGN_SIMILAR_SETS];
	struct lgn_similar_loaded *loaded;	/* [local workers] */
	struct lgn_share tidings;
	const struct lgn_similar_way *way;
	uint64_t first_row;		/* of other */
	uint64_t own_rows;
	uint64_t block;			/* rows of a claim */
	uint64_t pulled;		/* rows compared with it at once */
	struct lagoon_table *tickets;	/* blocks that were claimed */
	struct lagoon_table *found;	/* [rows][other + 1 and similarity, top
					 * times]; 0: none */
};

/* What similarities need of a row. */
struct lgn_similar_row {
	double entries;
	double sum;
	double norm;		/* of correlation: of the row less its mean */
};

/* Rows that were pulled. */
struct lgn_similar_block {
	uint64_t first;
	uint64_t rows;
	int64_t *start;		/* [rows + 1] from 0 on */
	uint32_t *col;
	double *val;
	double *unit;		/* dense: [rows][cols] rows by their norm */
	struct lgn_similar_row *row;	/* [rows] */
	uint64_t room_rows;
	size_t room;
	double *pair;		/* [room][column and value] as pulled */
};

struct lgn_similar {
	struct lgn_similar_fit *fit;
	struct lagoon_worker *w;
	int id;
	uint32_t round;		/* meetings */
	struct lgn_similar_facts *all;	/* [workers] */
	const struct lgn_similar_set *others;
	struct lgn_similar_block rows;	/* claimed */
	struct lgn_similar_block block;	/* compared with them now */
	struct lagoon_top *top;		/* [rows of a claim] */
	double *value;			/* [rows of a claim][top] */
	int64_t *number;
	double *out;			/* [rows of a claim][2 top] */
	void *state;			/* of the way of comparing */
	uint64_t pairs;
	uint64_t without;
};

/* A way to compare. close() also after an open() that failed. */
struct lgn_similar_way {
	int (*open)(struct lgn_similar *t);
	void (*close)(struct lgn_similar *t);
	/* t->rows has changed */
	int (*begin)(struct lgn_similar *t);
	/* t->rows with t->block: into t->top */
	void (*compare)(struct lgn_similar *t);
};

extern const struct lgn_similar_way lgn_similar_sparse, lgn_similar_dense;

/* Each for lagoon_run(); arg: struct lgn_similar_fit. */
int lgn_similar_load(struct lagoon_worker *w, void *arg);
int lgn_similar_work(struct lagoon_worker *w, void *arg);

void lgn_similar_rows_free(struct lgn_similar_rows *rows);	/* safe on zeros */

/* Rows of a worker into the tables of the set. */
int lgn_similar_put(struct lgn_similar *t, const struct lgn_similar_set *set,
		    const struct lgn_similar_rows *rows);

/* At most n rows from first on: fewer, at least one, when they are long. */
int lgn_similar_pull(struct lgn_similar *t, const struct lgn_similar_set *set,
		     uint64_t first, uint64_t n, struct lgn_similar_block *b);
void lgn_similar_block_free(struct lgn_similar_block *b);

/* LAGOON_EINVAL of row i of these, its entry in a column, for the n-th time, or
 * the whole row with UINT64_MAX: with the line of the file, or the row. Before
 * the workers have agreed. */
int lgn_similar_fail(const struct lgn_similar_set *set,
		     const struct lgn_similar_rows *rows, uint64_t i,
		     uint64_t col, int n, const char *what);

/* Take a pair in, but for a row with itself. */
static inline void lgn_similar_take(struct lgn_similar *t, uint64_t i,
				    uint64_t other, double value)
{
	struct lagoon_top *top = &t->top[i];

	if (value < t->fit->options.least ||
	    (top->n == top->k && value < top->value[0]) ||
	    (t->fit->sets == 1 && t->rows.first + i == other))
		return;
	lagoon_top_add(top, value, (int64_t)other);
}

#endif
