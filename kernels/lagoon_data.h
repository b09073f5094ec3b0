/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_data.h
 * Data files: their formats, and generated ones. Programs include
 * lagoon_solve.h.
 */
#ifndef LAGOON_DATA_H
#define LAGOON_DATA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Formats of data files. */
enum lagoon_file_format {
	LAGOON_FILE_LIBSVM = 0,
	LAGOON_FILE_CSV = 1,	/* the target is the last column */
	LAGOON_FILE_MATRIX = 2,	/* MatrixMarket; targets in a second file */
	LAGOON_FILE_RATINGS = 3, /* "user item rating" a line; of similar rows */
};

/** What to generate. Fill with lagoon_generate_options_init(). */
struct lagoon_generate_options {
	size_t size;		/* sizeof(struct lagoon_generate_options) */
	uint64_t rows;		/* >= 1 [100000] */
	uint64_t cols;		/* 1 to 2^31 [10000] */
	uint32_t nnz;		/* entries a row, 1 to cols [50] */
	uint64_t seed;		/* [1] */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_generate_options_init(struct lagoon_generate_options *options);

/** Write a LIBSVM file of rows with labels -1 and +1 drawn from a logistic
 * model with planted weights, and these weights as a model file (solver
 * "planted"). A row has one entry in each of nnz equal slices of the columns,
 * with a value in [-1, 1]. The files depend on the options alone.
 *
 * @param path     of the data
 * @param planted  of the weights, or NULL
 * @return 0; LAGOON_EINVAL; LAGOON_EIO, LAGOON_ENOMEM. Neither file is there
 * in part after an error.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_generate_logistic(const char *path, const char *planted,
			     const struct lagoon_generate_options *options);

#ifdef __cplusplus
}
#endif

#endif
