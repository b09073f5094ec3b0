/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of dense rows that are all coordinates: numbers with commas or, where
 * the first line has none, blanks between, as many in every line as in the
 * first. Blank lines and those that begin with '#' do not count; a first line
 * without any number is a header. A file is read in parts as lgn_libsvm_read()
 * reads it.
 */
#ifndef LGN_DATA_DENSE_H
#define LGN_DATA_DENSE_H

#include <stddef.h>
#include <stdint.h>

struct lgn_dense {
	uint64_t rows;		/* of the part */
	uint64_t cols;		/* of the file */
	double *x;		/* [rows][cols] */
};

/* Part of so many, counted from 0. most: the largest |x| that is legal.
 * LAGOON_ENOENT, LAGOON_EIO, LAGOON_ENOMEM; LAGOON_EINVAL with file and line.
 * data is set only on success, to be freed. */
int lgn_dense_read(const char *path, int part, int parts, double most,
		   struct lgn_dense *data);
void lgn_dense_free(struct lgn_dense *data);	/* clears it; safe on zeros */

/* Has the first line that counts a ':', as those of LIBSVM files do? 1, 0 or an
 * error. */
int lgn_dense_is_libsvm(const char *path);

#endif
