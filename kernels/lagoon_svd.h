/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_svd.h
 * The largest singular values of a matrix, and their vectors.
 *
 *     lagoon_svd_options_init(&options);
 *     options.k = 10;
 *     options.vectors = LAGOON_SVD_BOTH;
 *     lagoon_svd_fit_file(lg, "A.mtx", &options, &result);
 *     ... result.values, result.left, result.right in rank 0 ...
 *     lagoon_svd_result_free(&result);
 *
 * Programs include lagoon_solve.h.
 */
#ifndef LAGOON_SVD_H
#define LAGOON_SVD_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"
#include "lagoon_data.h"
#include "lagoon_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How to find them. */
enum lagoon_svd_method {
	/** Lanczos bidiagonalisation with full reorthogonalisation and thick
	 * restarts (Golub and Kahan 1965; Baglama and Reichel 2005). Values that
	 * are there several times are found as often. */
	LAGOON_SVD_LANCZOS = 0,
	/** Random projection and power iterations with a QR factorisation after
	 * each product (Halko, Martinsson and Tropp 2011, algorithms 4.4 and
	 * 5.1): few passes over the matrix, less exact where the singular values
	 * fall slowly. */
	LAGOON_SVD_RANDOMISED = 1,
};

/** Which vectors are wanted; may be added. */
enum lagoon_svd_vectors {
	LAGOON_SVD_LEFT = 1,
	LAGOON_SVD_RIGHT = 2,
	LAGOON_SVD_BOTH = 3,
};

/** How far it is; the same in every process. */
struct lagoon_svd_pass {
	int pass;		/* from 1 on: of Lanczos until a restart; of the
				 * randomised method a product with A and one
				 * with A' */
	uint64_t products;	/* vectors that A or A' was multiplied with */
	double largest;		/* singular value, as it is now known */
	double smallest;	/* the k-th of them */
	double residual;	/* Lanczos: the largest |A'u - s v| of the k by
				 * the largest value; randomised: how much one of
				 * the k changed, by the largest value; 1 at first */
	double seconds;		/* since the call */
};

/** How to find them. Fill with lagoon_svd_options_init(), then change. */
struct lagoon_svd_options {
	size_t size;		/* sizeof(struct lagoon_svd_options) */
	int k;			/* singular values, 1 to min(rows, columns) [10] */
	int method;		/* enum lagoon_svd_method [LAGOON_SVD_LANCZOS] */
	int vectors;		/* sum of enum lagoon_svd_vectors [0] */
	double tolerance;	/* end when the residual, see lagoon_svd_pass, is
				 * at most this, 0 to 1 [-1: 1e-10; randomised
				 * 1e-6] */
	int basis;		/* Lanczos: vectors on each side before a
				 * restart, at least k + 2 where there are as
				 * many [0: 2 k + 40] */
	int restarts;		/* Lanczos: at most, >= 0 [1000] */
	int oversample;		/* randomised: vectors beyond k, >= 0 [20] */
	int power;		/* randomised: power iterations, at most, >= 0
				 * [100] */
	uint64_t seed;		/* of the vectors to begin with [1] */
	int format;		/* of files: LAGOON_FILE_MATRIX, LAGOON_FILE_CSV
				 * (every column is one of the matrix), or -1:
				 * csv by the name, else MatrixMarket [-1] */
	/** Called after each pass in the lowest worker of each process. If it
	 * returns nonzero in any, the call ends with the next pass. */
	int (*progress)(void *arg, const struct lagoon_svd_pass *p);
	void *progress_arg;
	const char *checkpoint;	/* folder for checkpoints [NULL: none] */
	uint64_t every;		/* passes from one to the next [0: only when
				 * interrupted] */
	const char *resume;	/* go on from the checkpoint in this folder, of
				 * the same matrix, k, method, and basis or
				 * oversample [NULL] */
	/** With checkpoint: called in each worker after each pass. When it is not
	 * 0 in any, all write a checkpoint and the call ends, unless that pass was
	 * the last. */
	int (*interrupted)(void *arg);
	void *interrupted_arg;
};

/** What was found; the same in every process, but for the arrays. */
struct lagoon_svd_result {
	size_t size;		/* sizeof(struct lagoon_svd_result) */
	int k;
	int passes;
	int converged;		/* 1: the residual is small enough, or all power
				 * iterations were made */
	int stopped;		/* 1: progress asked for it */
	int interrupted;	/* 1: options.interrupted did: a checkpoint is
				 * being written (lagoon_close() waits for it
				 * and tells), and nothing was found */
	uint64_t products;	/* vectors that A or A' was multiplied with */
	double residual;	/* as in the last lagoon_svd_pass */
	uint64_t rows;
	uint64_t cols;
	uint64_t entries;	/* that are not 0 */
	double seconds;		/* whole call */
	double read_seconds;	/* of it, until the matrix was read or checked */
	double fit_seconds;	/* of it, computing */
	double *values;		/* [k] falling, of a file, in rank 0; else NULL */
	double *left;		/* [k][rows] of a file, in rank 0, if wanted */
	double *right;		/* [k][cols] the same */
};

/** The rows of this process, in its memory; read only during the call. */
struct lagoon_svd_data {
	size_t size;		/* sizeof(struct lagoon_svd_data) */
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
void lagoon_svd_options_init(struct lagoon_svd_options *options);

/** Every process needs a worker. Find the k largest singular values s of the
 * matrix A whose rows the processes have, those of rank 0 first, and vectors of
 * length 1, orthogonal to each other, A v = s u and A'u = s v.
 *
 * Each worker keeps its part of the longer side of the matrix and of all vectors
 * along it; vectors along the shorter side go through a table of doubles under
 * bsp, whose sums are taken in one order: the result is the same bit for bit for
 * the same seed and rows of each worker, also when it went on from a checkpoint.
 *
 * Elements and indices are checked first; an element may stand once.
 *
 * @param data     rows of each process, maybe none; as many columns in all
 * @param options  the same in every process; NULL for the defaults
 * @param values   [k] falling, written in every process, or NULL
 * @param left     [k][rows of this process], with LAGOON_SVD_LEFT
 * @param right    [k][columns] in every process, with LAGOON_SVD_RIGHT
 * @param result   its size field must be set
 * @return 0; LAGOON_EINVAL for an option out of range, k above rows or columns,
 * data that is not legal, with row and column, or a checkpoint of another call, in
 * every process; LAGOON_ERANGE if a singular value is beyond doubles;
 * LAGOON_ENOMEM; LAGOON_ENOTSUP for 2^31 elements or more in one worker; as
 * lagoon_table_create(), lagoon_clock(), lagoon_checkpoint() and
 * lagoon_restore(). An error in one worker ends the call in all.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_svd_fit(struct lagoon *lg, const struct lagoon_svd_data *data,
		   const struct lagoon_svd_options *options, double *values,
		   double *left, double *right,
		   struct lagoon_svd_result *result);

/** As lagoon_svd_fit(), of a matrix in a file, plain or by gzip: MatrixMarket
 * (coordinate, array) or CSV; of a plain one the workers share the bytes.
 *
 * @param path    that every process can read
 * @param result  its size field must be set; free it with
 *                lagoon_svd_result_free()
 * @return as lagoon_svd_fit(); LAGOON_ENOENT. A line that is not legal gives
 * LAGOON_EINVAL, with file and line, in every process.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_svd_fit_file(struct lagoon *lg, const char *path,
			const struct lagoon_svd_options *options,
			struct lagoon_svd_result *result);

/** Free what the result owns.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_svd_result_free(struct lagoon_svd_result *result);

/** Write values or vectors as a MatrixMarket array with 17 significant digits:
 * exact. The file appears whole under its name or not at all.
 *
 * @param a  [cols][rows]: vector after vector
 * @return 0; LAGOON_EIO; LAGOON_EINVAL if a number is not finite.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_svd_save(const char *path, uint64_t rows, uint64_t cols,
		    const double *a);

#ifdef __cplusplus
}
#endif

#endif
