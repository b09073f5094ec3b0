/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of one worker, in blocks: what one round of a method uses. A block
 * is asked for by its number, and is there until the next one is:
 *
 *	for (uint64_t i = 0; i < rows->blocks && !rc; i++) {
 *		rc = lgn_rows_block(rows, i, &b);
 *		... rows of b->a, b->sign or b->class ...
 *	}
 *
 * Every worker of a fit has as many blocks; some may be empty. They are in
 * memory, or stay in their file and are read one at a time (rows_file.c).
 */
#ifndef LGN_SOLVE_ROWS_H
#define LGN_SOLVE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/data/libsvm.h"
#include "kernels/lagoon_kernels.h"

struct lgn_block {
	uint64_t first;		/* number of its first row among the worker's */
	struct lagoon_sparse a;	/* CSR of doubles and int32, columns of all */
	const double *sign;	/* [a.rows] -1: of label 0, else +1 */
	const int32_t *class;	/* [a.rows] place of the label in spec.label */
	uint32_t n_cols;
	uint64_t *cols;		/* [n_cols] columns in use, rising */
};

struct lgn_rows {
	uint64_t rows;
	uint64_t blocks;
	uint64_t entries;	/* in memory */
	uint64_t largest;	/* rows of a block */
	uint32_t largest_cols;	/* n_cols of a block */
	struct lgn_block *block;	/* [blocks]; of a file 1 */
	int32_t *start;		/* what the blocks point into */
	int32_t *index;
	double *val;
	double *sign;
	int32_t *class;
	struct lgn_rows_file *file;	/* or NULL: all rows are in memory */
};

struct lgn_rows_spec {
	const char *path;	/* for messages; NULL: of the caller's memory */
	uint64_t blocks;	/* >= 1 */
	uint64_t cols;		/* entries of columns from here on are dropped */
	int classes;
	const double *label;	/* [classes] rising */
	bool in_order;		/* else in one drawn from seed and stream */
	uint64_t seed;
	uint32_t stream;
};

/* Made of what was read, which is freed. LAGOON_EINVAL for a label that is none
 * of them, LAGOON_ENOTSUP for too large a block, LAGOON_ENOMEM. To be closed in
 * any case. */
int lgn_rows_open(struct lgn_libsvm *data, const struct lgn_rows_spec *spec,
		  struct lgn_rows *rows);
void lgn_rows_close(struct lgn_rows *rows);	/* safe on zeros */

int lgn_rows_block(struct lgn_rows *rows, uint64_t i,
		   const struct lgn_block **block);

/* ---------------------------------------- rows that stay in their file */

struct lgn_rows_source {
	const char *path;	/* LIBSVM or CSV */
	int part, parts;
	int format;		/* enum lagoon_file_format */
	int zero_based;
};

/* Its rows in pieces, in the order of the file; targets as of
 * lgn_libsvm_range. */
int lgn_rows_scan(const struct lgn_rows_source *source, int targets,
		  int (*take)(void *arg, const struct lgn_libsvm *piece),
		  void *arg);

/* As lgn_rows_open(), in order; what spec points to must stay. n: rows that a
 * scan found. LAGOON_EIO if there are others now. */
int lgn_rows_open_file(const struct lgn_rows_source *source, uint64_t n,
		       const struct lgn_rows_spec *spec, struct lgn_rows *r);
void lgn_rows_close_file(struct lgn_rows *rows);	/* by lgn_rows_close() */
int lgn_rows_read(struct lgn_rows *rows, uint64_t i,	/* lgn_rows_block() */
		  const struct lgn_block **block);

/* Of the entries, which come row after row as the targets do, what they hold is
 * moved. LAGOON_ENOMEM. */
struct lgn_entries;
int lgn_rows_convert(struct lgn_entries *e, struct lgn_libsvm *data);

/* Those of a part of a MatrixMarket file, and their labels in another one. first:
 * number of the first one. What an error leaves in data is to be freed. */
int lgn_rows_matrix(const char *path, const char *target, int part, int parts,
		    struct lgn_libsvm *data, uint64_t *first);

/* Row of data as number to of r, in a block that begins at entry begin; and the
 * columns that a block uses. */
int lgn_rows_take(const struct lgn_libsvm *data, size_t row,
		  const struct lgn_rows_spec *spec, struct lgn_rows *r,
		  size_t to, size_t begin, int32_t *end);
struct lgn_columns;
int lgn_rows_list(struct lgn_columns *set, struct lgn_rows *r,
		  struct lgn_block *b);

#endif
