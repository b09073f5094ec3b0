/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Singular values, in parts: svd.c is the frame of a call, load.c reads, checks
 * and deals out the matrix, basis.c has vectors that are spread over the workers,
 * lanczos.c and random.c are the methods, train.c runs one and hands out what it
 * found, restart.c has checkpoints.
 *
 * In here the matrix is B: A, or A' if A has fewer rows than columns. Its lines
 * are the long side. A worker has whole lines of B and, of each vector along
 * the long side, the elements of its lines; along the short side it has a slice.
 * What all need of the short side, a vector to multiply B with, and what all
 * make, the sum of their parts of B'u, goes through two tables of doubles in
 * apply mode: such pushes are dense, and doubles have no range to keep in. They
 * follow bsp, under which an owner adds in the order of the workers, so that the
 * same comes out every time; a round that all need the whole sum of is a barrier
 * in any case, so bsp takes no time away.
 *
 * The elements of B are scaled by a power of 2, exactly, so that the largest is
 * about 1: squares do not leave the range of doubles.
 */
#ifndef LGN_SOLVE_SVD_H
#define LGN_SOLVE_SVD_H

#include <stdbool.h>

#include "kernels/data/matrix.h"
#include "kernels/lagoon_solve.h"
#include "kernels/solve/lines.h"
#include "kernels/solve/saved.h"
#include "kernels/solve/share.h"

/* What a worker's rows hold, and all of them. */
struct lgn_svd_facts {
	uint64_t rows;
	uint64_t cols;
	uint64_t entries;
	double largest;		/* |element| */
	struct lgn_matrix_info matrix;	/* of files of that format */
};

/* What a checkpoint has besides its table: what must be the same to go on, and how
 * far it had come. */
struct lgn_svd_saved {
	uint64_t kind;
	struct lgn_saved_data data;
	uint64_t mark;		/* of the matrix */
	uint64_t width, n, products;
	int32_t k, method, pass, looking;
};

/* One call, shared by the workers of the process. */
struct lgn_svd_fit {
	struct lagoon *lg;
	struct lagoon_svd_options options;
	const struct lagoon_svd_data *data;	/* or */
	const char *path;
	bool one_reader;	/* the file is by gzip */
	struct lagoon_svd_result *result;
	double *values, *left, *right;	/* the caller's, or the result's */
	uint64_t start_ns;
	int workers;
	int first_worker;	/* lowest number of this process */
	struct lgn_entries *loaded;	/* [local workers] */
	struct lgn_svd_facts facts;
	uint64_t *first_row;	/* [workers + 1] of A, as it was read */
	bool turned;		/* B is A' */
	bool in_place;		/* workers keep the rows that they read */
	bool dense;		/* B is stored with its zeros */
	uint64_t lines;		/* of B */
	uint64_t length;	/* of a line: the short side */
	uint64_t width;		/* vectors on each side, at most */
	uint64_t row;		/* elements of the short side in a row of the
				 * tables of vectors: a row costs as much as some
				 * dozens of them; slices are of whole rows */
	uint64_t table_rows;	/* of these; zeros behind the last element */
	int exponent;		/* A is 2^exponent times what is worked on */
	struct lgn_share tidings;
	struct lgn_share counts;	/* of entries to deal out */
	struct lagoon_table *dealt;
	struct lagoon_table *vectors;	/* next ones to multiply with */
	struct lagoon_table *sums;	/* of B'u; zeros between */
	struct lagoon_table *small;	/* matrices that one worker makes for all */
	struct lagoon_table *found;	/* [lines + length][k] */
	struct lagoon_table *saved;	/* with checkpoints only; see restart.c */
	struct lgn_svd_saved from;	/* read with options.resume */
};

/* Vectors on one side: this worker's elements of them. */
struct lgn_svd_basis {
	uint64_t first;		/* number of its first element */
	uint64_t n;
	double *vectors;	/* Lanczos: [width][n]; randomised: [n][width],
				 * at the end [k][n] */
};

struct lgn_svd {
	struct lgn_svd_fit *fit;
	struct lagoon_worker *w;
	int id;
	struct lgn_entries entries;
	struct lgn_lines sparse;	/* B, or */
	double *dense;		/* [u.n][length] */
	uint64_t width;
	struct lgn_svd_basis u, v;	/* of the long side, the short one */
	uint64_t v_row, v_rows;	/* of the tables: this worker's slice */
	double *x;		/* [table_rows][row or vectors at once] */
	double *y;		/* [v_rows][row] */
	double *dots;		/* [width + 2] */
	double *matrix;		/* [width][width] U'B V, or R of B'U = V R */
	double *left;		/* [width][width] of its singular vectors */
	double *right;		/* [width][width] these transposed */
	double *s;		/* [width] its singular values */
	double *was;		/* [width] those of before */
	double *some;		/* [width][LGN_SVD_CHUNK] */
	double *stack;		/* [workers * width][width], in worker 0 */
	double *turned;		/* randomised: [k][elements of either side] */
	double zero;		/* length that a vector has by rounding alone */
	uint32_t round;		/* meetings */
	double *all;		/* [workers + 1][width + 2] */
	/* the same in every worker */
	uint32_t mark[2];	/* of this worker's entries, then of all */
	uint64_t n;		/* Lanczos: vectors on each side */
	double beta;		/* Lanczos: length of the next one's part */
	int pass;
	int asked;		/* to stop, by this worker's progress */
	int stopped;
	int told;		/* some process is interrupted */
	int interrupted;	/* and the checkpoint is made */
	bool looking;		/* Lanczos: for copies of the k */
	int converged;
	uint64_t products;
	double residual;
};

#define LGN_SVD_CHUNK 256	/* elements of many vectors at once */
#define LGN_SVD_EXTRA 4		/* Lanczos: of the vectors beyond k, one in so many
				 * stays at a restart */

static inline uint64_t lgn_svd_kept(uint64_t k, uint64_t n)
{
	return k + (n - k) / LGN_SVD_EXTRA;
}

/* Each for lagoon_run(); arg: struct lgn_svd_fit. */
int lgn_svd_load(struct lagoon_worker *w, void *arg);
int lgn_svd_deal(struct lagoon_worker *w, void *arg);
int lgn_svd_train(struct lagoon_worker *w, void *arg);

/* t->entries become the lines of this worker. */
int lgn_svd_open_lines(struct lgn_svd *t);

/* The methods: t->s, and k vectors in t->u and t->v, [k][n]. */
int lgn_svd_lanczos(struct lgn_svd *t);
int lgn_svd_randomised(struct lgn_svd *t);

/* In the form of the tables of vectors. Collective, outside lagoon_run(). */
int lgn_svd_create(struct lgn_svd_fit *fit, const char *name, uint64_t rows,
		   uint64_t cols, const char *update, struct lagoon_table **t);

/* restart.c: before the tables are made, outside lagoon_run(). In each worker: of
 * its entries; before the first pass, stand where the checkpoint was made, or with
 * t->pass 0; between passes, write one if it is time. */
int lgn_svd_restore(struct lgn_svd_fit *fit);
void lgn_svd_mark(struct lgn_svd *t);
int lgn_svd_resume(struct lgn_svd *t);
int lgn_svd_save_pass(struct lgn_svd *t);
struct lgn_saving lgn_svd_saving(const struct lgn_svd_fit *fit);

/* A pass is over: tell the caller. */
int lgn_svd_tell(struct lgn_svd *t, double residual);

/* ------------------------------------------------------------ basis.c */

/* y = B x, x = B' y of this worker's lines, of n vectors side by side. */
void lgn_svd_multiply(const struct lgn_svd *t, size_t n, const double *x,
		      double *y);
void lgn_svd_multiply_transposed(const struct lgn_svd *t, size_t n,
				 const double *y, double *x);

/* Meet; x becomes the sum of what the workers have, in their order. n is at most
 * width + 2. rc: the error that this one comes with. */
int lgn_svd_sum(struct lgn_svd *t, int rc, size_t n, double *x);

/* Numbers of a normal distribution, for elements first to first + n - 1 of
 * vector stream; the same whoever draws them. */
void lgn_svd_draw(const struct lgn_svd *t, uint64_t stream, uint64_t first,
		  uint64_t n, double *x);

/* x [b->n] becomes orthogonal to the first k vectors of b and of length 1; its
 * part beside them had this length before, and coefs [k] (or NULL) the part along
 * them. If it had none, length is 0 and x is drawn. */
int lgn_svd_orthogonalise(struct lgn_svd *t, const struct lgn_svd_basis *b,
			  uint64_t k, double *x, double *coefs, double *length);

/* Factors a = Q R of n = t->width vectors side by side, [b->n][width] of this
 * worker; a becomes Q. R, [width][width], is in worker 0 only. */
int lgn_svd_qr(struct lgn_svd *t, const struct lgn_svd_basis *b, double *a,
	       double *r);

/* Singular values and vectors of the n x n matrix [n][width] of worker 0, into
 * s, left and right of all. One finds them, so that all have the same, down to
 * the sign of a vector, also on different CPUs. */
int lgn_svd_small(struct lgn_svd *t, uint64_t n, const double *matrix);

/* The first k sums of n vectors [n][b->n] by the columns of left, or by the rows
 * of right, take their place. */
void lgn_svd_turn(struct lgn_svd *t, const struct lgn_svd_basis *b, uint64_t n,
		  uint64_t k, const double *by, bool columns);

#endif
