/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of MatrixMarket files: coordinate (real, integer, pattern) and array
 * (real, integer), general. A coordinate file is read in parts by byte ranges,
 * an array file by part 0.
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

/* found: of all parts. LAGOON_EINVAL if it is not what the size line says. */
int lgn_matrix_check(const char *path, uint64_t entries, uint64_t found);

#endif
