/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of MatrixMarket files: coordinate (real, integer, pattern; general,
 * symmetric, skew-symmetric) and array (real, integer; general). A coordinate
 * file is read in parts by byte ranges, an array file by part 0. An entry of a
 * symmetric matrix stands there once and counts twice, but on the diagonal.
 */
#ifndef LGN_DATA_MATRIX_H
#define LGN_DATA_MATRIX_H

#include "kernels/data/entries.h"

struct lgn_matrix_info {
	uint64_t entries;	/* as the size line says */
	uint64_t found;		/* in this part */
};

/* Part of so many. Entries go to data with the rows of the file, zeros left
 * out; a matrix of one column with as_target goes to the targets. The caller
 * adds up found, for lgn_matrix_check(). data is set only on success. */
int lgn_matrix_read(const char *path, int part, int parts, int as_target,
		    struct lgn_entries *data, struct lgn_matrix_info *info);

/* The whole file, of which the rows of one part are kept, those from rows * part /
 * parts on, counted from 0; data->rows are these, rows all. Also checked. */
int lgn_matrix_rows(const char *path, int part, int parts, int as_target,
		    struct lgn_entries *data, uint64_t *rows);

/* found: of all parts. LAGOON_EINVAL if it is not what the size line says. */
int lgn_matrix_check(const char *path, uint64_t entries, uint64_t found);

/* Where the reading of a file in blocks is; zeros at first, but for as_target.
 */
struct lgn_matrix {
	int as_target;
	int array;
	int pattern;		/* every entry is 1 */
	int mirror;		/* of a symmetric matrix 1, skew-symmetric -1 */
	int sized;		/* the line of sizes was seen */
	struct lgn_matrix_info info;
};

struct lgn_text;

/* The next block of a file, the first one first: adds to data, whose rows and
 * cols are set when sized is. */
int lgn_matrix_block(struct lgn_matrix *matrix, const struct lgn_text *block,
		     struct lgn_entries *data);

/* After the last block: was it all? LAGOON_EINVAL. */
int lgn_matrix_end(const struct lgn_matrix *matrix, const char *path);

#endif
