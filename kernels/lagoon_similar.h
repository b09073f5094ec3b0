/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_similar.h
 * For each row of a data set the rows that are most similar to it. Programs
 * include lagoon_solve.h.
 *
 *     lagoon_similar_options_init(&options);
 *     options.top = 5;
 *     lagoon_similar_find_file(lg, "rows.libsvm", NULL, NULL, &options,
 *                              &result);
 *     ... result.other, result.similarity in rank 0 ...
 *     lagoon_similar_result_free(&result);
 */
#ifndef LAGOON_SIMILAR_H
#define LAGOON_SIMILAR_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"
#include "lagoon_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How similar two rows x and y are. An entry is an element that is not 0; X and
 * Y are the sets of columns in which x and y have entries, d is the number of
 * columns. Rows that have no entry in a common column are not similar at all,
 * and are never listed (of dense rows, not with pearson and correlation). */
enum lagoon_similar_measure {
	/** x'y / (|x| |y|) (Salton and McGill, Introduction to Modern
	 * Information Retrieval, 1983). */
	LAGOON_SIMILAR_COSINE = 0,
	/** |X and Y| / |X or Y|, whatever the values (Jaccard, 1901). */
	LAGOON_SIMILAR_JACCARD = 1,
	/** Sum of min(x_j, y_j) / sum of max(x_j, y_j), of elements >= 0: the
	 * weighted form of Jaccard's (Ruzicka, 1958). */
	LAGOON_SIMILAR_RUZICKA = 2,
	/** Pearson's correlation over the columns that X and Y have in common,
	 * with the means of these: that of ratings (Resnick et al., GroupLens,
	 * CSCW 1994). Not of fewer than two columns, nor where x or y is constant
	 * there. A dense row has an entry in every column here, 0 or not. */
	LAGOON_SIMILAR_PEARSON = 3,
	/** Pearson's correlation over all d columns; what is not there is 0. Not
	 * of rows that are constant. */
	LAGOON_SIMILAR_CORRELATION = 4,
};

/** How far the work is. */
struct lagoon_similar_progress {
	uint64_t rows;		/* taken into work, of all processes */
	uint64_t of;
	double seconds;		/* since the call */
};

/** What to find. Fill with lagoon_similar_options_init(), then change. */
struct lagoon_similar_options {
	size_t size;		/* sizeof(struct lagoon_similar_options) */
	int measure;		/* enum lagoon_similar_measure
				 * [LAGOON_SIMILAR_COSINE] */
	int top;		/* for each row at most so many others, 1 to 2^20
				 * [10] */
	double least;		/* leave out what is less similar [-1: nothing] */
	/** Called now and then in the lowest worker of each process. */
	void (*progress)(void *arg, const struct lagoon_similar_progress *p);
	void *progress_arg;
	int format;		/* of files: enum lagoon_file_format, -1: by the
				 * name, libsvm if that does not say [-1] */
	int zero_based;		/* indices of a libsvm file start at 0 [0] */
	int target;		/* the last column of a CSV file is no part of
				 * the rows [0] */
};

/** What was found; the same in every process, except other and similarity. */
struct lagoon_similar_result {
	size_t size;		/* sizeof(struct lagoon_similar_result) */
	uint64_t rows;
	uint64_t others;	/* rows that were compared with */
	uint64_t columns;
	uint64_t entries;	/* of the rows */
	uint64_t pairs;		/* listed */
	uint64_t without;	/* rows for which none is */
	int top;
	double seconds;		/* whole call */
	double read_seconds;	/* of it, until the data was read or checked */
	int64_t *other;		/* [rows][top] numbers of rows, from 0 on, the
				 * most similar first, then -1; of a file without
				 * output, in rank 0, else NULL */
	double *similarity;	/* [rows][top] then 0; the same */
};

/** The rows of this process, in its memory; read only during the call. */
struct lagoon_similar_data {
	size_t size;		/* sizeof(struct lagoon_similar_data) */
	const struct lagoon_sparse *sparse; /* in CSR; NULL: dense rows */
	size_t rows;		/* of dense: row i begins at i * stride */
	size_t cols;
	size_t stride;		/* in elements, >= cols */
	int real_size;		/* of dense: 8 (double), 4 (float) */
	const void *dense;
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_similar_options_init(struct lagoon_similar_options *options);

/** Every process needs a worker. Find for each row the options.top others that
 * are most similar, the most similar first; of those that are equally similar,
 * the one with the smaller number. A row without entries has none. The result
 * is the same bit for bit for any number of workers and processes.
 *
 * Rows lie in tables. Workers claim blocks of rows, and for each block pull all
 * rows that these are compared with, some at a time: memory grows with the data
 * and the result, not with the number of pairs.
 *
 * Rows are numbered from 0 on through all processes, in the order of ranks.
 * Elements and indices are checked first.
 *
 * @param data        rows of each process, maybe none; as many columns in all
 * @param against     compare with these instead of with each other; dense or
 * sparse as data; or NULL, in every process
 * @param options     the same in every process; NULL for the defaults
 * @param other       [rows of this process][top] numbers of rows, then -1
 * @param similarity  [rows of this process][top] then 0; or NULL
 * @param result      its size field must be set; or NULL
 * @return 0; LAGOON_EINVAL for an option out of range, a top that is more than
 * the rows that there are to compare with, or data that is not legal (NaN, an
 * index out of range or twice in a row, below 0 for ruzicka), with row and column,
 * in every process; LAGOON_ENOMEM; as lagoon_table_create() and lagoon_clock().
 * An error in one worker ends the call in all.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_similar_find(struct lagoon *lg,
			const struct lagoon_similar_data *data,
			const struct lagoon_similar_data *against,
			const struct lagoon_similar_options *options,
			int64_t *other, double *similarity,
			struct lagoon_similar_result *result);

/** As lagoon_similar_find(), of rows of a file, plain or by gzip. Of a LIBSVM or
 * CSV file the workers share the bytes; MatrixMarket and ratings, whose entries
 * come in any order, each worker reads whole. Labels of LIBSVM do not count. CSV
 * may have blanks instead of commas. Of ratings users are the rows, by their
 * numbers, and items the columns.
 *
 * @param data     path that every process can read
 * @param against  of the rows to compare with, of the same format; NULL: data
 * @param output   a line "row other similarity" for each pair, rows from 1 on (with
 * zero_based from 0; of ratings as in the file), 17 digits; it appears whole under its name or not at all;
 * NULL: the result has them
 * @param result   its size field must be set; free it with
 *                 lagoon_similar_result_free()
 * @return as lagoon_similar_find(); LAGOON_ENOENT; LAGOON_EIO. A line that is
 * not legal gives LAGOON_EINVAL, with file and line, in every process.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_similar_find_file(struct lagoon *lg, const char *data,
			     const char *against, const char *output,
			     const struct lagoon_similar_options *options,
			     struct lagoon_similar_result *result);

/** Free what the result owns.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_similar_result_free(struct lagoon_similar_result *result);

/** How similar two rows are, as lagoon_similar_find() has it of sparse rows.
 *
 * @param measure  enum lagoon_similar_measure
 * @param cols     the number of columns, d; of correlation alone
 * @param nx, ny   entries, none of them 0
 * @param x_col, y_col  [nx], [ny] columns, rising
 * @param x, y     [nx], [ny] finite
 * @param value    set if the result is 1
 * @return 1; 0 if they are not similar at all; LAGOON_EINVAL for a measure that
 * there is not.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_similar_pair(int measure, uint64_t cols, size_t nx,
			const uint32_t *x_col, const double *x, size_t ny,
			const uint32_t *y_col, const double *y, double *value);

#ifdef __cplusplus
}
#endif

#endif
