/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_kernels.h
 * Node-local inner loops of Lagoon's solvers. Usable without the rest: no
 * allocation, no communication, no errors, and no state but which
 * instructions are used.
 *
 * All calls: Threads: any, on different outputs.  Blocks: no.
 * Collective: no.
 */
#ifndef LAGOON_KERNELS_H
#define LAGOON_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon_dense.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------- instructions */

/** For which instructions loops are compiled. The least that the processor's
 * kind has (SSE2 of x86-64, NEON of 64-bit ARM) is in every build, the others
 * where the compiler knows them. */
enum lagoon_simd {
	LAGOON_SIMD_BEST = -1,	/* what the machine has */
	LAGOON_SIMD_GENERIC = 0,
	LAGOON_SIMD_AVX2 = 1,	/* and FMA */
	LAGOON_SIMD_AVX512 = 2,	/* F, BW, DQ, VL */
	LAGOON_SIMD_SVE = 3
};

/** The instructions that are used, of enum lagoon_simd; the best ones unless
 * lagoon_simd_use() said otherwise.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_simd(void);

/** Use others from now on, in the whole process. Results differ between them in
 * the last places.
 *
 * @param level  enum lagoon_simd
 * @return  what is used now: not level, if machine or build do not have that;
 * nothing has changed then
 * Threads: one, while no other thread computes.  Blocks: no.  Collective: no.
 */
int lagoon_simd_use(int level);

/** A block of labelled sparse rows: row i holds the entries
 * [start[i], start[i + 1]) of col and val. A column stands at most once in a
 * row. */
struct lagoon_rows {
	size_t n;
	const size_t *start;	/* [n + 1] */
	const uint32_t *col;
	const double *val;
	const double *label;	/* [n], -1 or +1 */
};

/** First and second derivative of a loss by one coordinate. */
struct lagoon_slope {
	double first;
	double second;
};

/** What one coordinate needs in a pass of stochastic gradient steps, side by
 * side: a touch costs one cache line. */
struct lagoon_cell {
	double w;	/* the weight, changed by the pass */
	double keep;	/* each touch: w = keep * w - drift - step * g */
	double drift;
	double step;
};

/** Sum over a block of rows. */
struct lagoon_loss {
	double loss;
	uint64_t correct;	/* rows on the right side of 0 */
};

/** Sum of val[k] * x[col[k]] over n entries.
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_sparse_dot(size_t n, const uint32_t *col, const double *val,
			 const double *x);

/** log(1 + exp(-margin)), exact to rounding for every finite margin.
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_logistic_loss(double margin);

/** Derivative of lagoon_logistic_loss() by the margin: -1 / (1 + exp(margin)).
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_logistic_slope(double margin);

/** Logistic loss of a block at x. A row is correct when x says +1 (a positive
 * product) and the label does, or neither.
 *
 * @param sum  the block is added to it
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_logistic_sum(const struct lagoon_rows *rows, const double *x,
			 struct lagoon_loss *sum);

/** As lagoon_logistic_sum(), and the derivatives of the loss.
 *
 * @param coef   [rows->n] derivative of each row's loss by its product
 * @param slope  [columns] the block's derivatives are added to it
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_logistic_measure(const struct lagoon_rows *rows, const double *x,
			     double *coef, struct lagoon_slope *slope,
			     struct lagoon_loss *sum);

/** One pass of stochastic gradient steps over a block, row by row, each row
 * seeing the steps before it. For a row with product p = w'x and each of its
 * entries (j, v):
 *
 *     g = (d loss / d p - coef) * v
 *     w_j = keep_j * w_j - drift_j - step_j * g
 *
 * coef and drift hold the row's and the mean derivative at an earlier point:
 * at the optimum every step is then zero (variance reduction, SVRG). With
 * both zero the pass is plain stochastic gradient descent.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_logistic_pass(const struct lagoon_rows *rows, const double *coef,
			  struct lagoon_cell *cell);

/* ------------------------------------------------------ sparse products */

/** How the lines of a sparse matrix run: CSR has rows, CSC columns. */
enum lagoon_layout {
	LAGOON_CSR = 0,
	LAGOON_CSC = 1
};

/** A sparse matrix in the caller's memory. Line i (a row of CSR, a column of
 * CSC) holds the entries start[i] - start[0] to start[i + 1] - start[0] - 1 of
 * index and val, so that start may count from 0, from 1, or, for some lines of
 * a larger matrix, from anywhere. An index stands at most once in a line. */
struct lagoon_sparse {
	size_t rows;
	size_t cols;
	int layout;		/* enum lagoon_layout */
	int real_size;		/* of val, in bytes: 8 (double), 4 (float) */
	int index_size;		/* of start and index: 8 (int64_t), 4 (int32_t) */
	int64_t base;		/* the index of the first column, or row */
	const void *start;	/* [lines + 1] */
	const void *index;	/* [entries], base <= index < base + size */
	const void *val;	/* [entries] */
};

/** y = alpha A x + beta y. With beta 0 y need not be set.
 *
 * @param x  [a->cols] of the type of a->val
 * @param y  [a->rows] of that type; must not overlap x
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_sparse_multiply(const struct lagoon_sparse *a, double alpha,
			    const void *x, double beta, void *y);

/** y = alpha A' x + beta y. With beta 0 y need not be set.
 *
 * @param x  [a->rows] of the type of a->val
 * @param y  [a->cols] of that type; must not overlap x
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_sparse_multiply_transposed(const struct lagoon_sparse *a,
				       double alpha, const void *x,
				       double beta, void *y);

/** Y = alpha A X + beta Y, or with A' for A, of n vectors side by side: the
 * values of column j of A in all of them are row j of X. With beta 0 Y need not
 * be set.
 *
 * @param transposed  0: A, X [a->cols][n], Y [a->rows][n]; 1: A', X [a->rows][n],
 * Y [a->cols][n]
 * @param x         of the type of a->val; row j begins at x + j * x_stride
 * @param y         the same; must not overlap x
 * @param x_stride, y_stride  >= n
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_sparse_product(const struct lagoon_sparse *a, int transposed,
			   size_t n, double alpha, const void *x,
			   size_t x_stride, double beta, void *y,
			   size_t y_stride);

/** Product of line i, which counts from 0, and x: summed in double.
 *
 * @param x  of the type of a->val, as long as a line
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_sparse_line_dot(const struct lagoon_sparse *a, size_t i,
			      const void *x);

/** y += alpha times line i.
 *
 * @param y  of the type of a->val, as long as a line
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_sparse_line_add(const struct lagoon_sparse *a, size_t i,
			    double alpha, void *y);

/** Sum of the squares of line i.
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_sparse_line_square(const struct lagoon_sparse *a, size_t i);

/* --------------------------------------------------------------- losses */

/** Loss of one row with product z and label y. The first three take a label
 * of -1 or +1, the last one any number. */
enum lagoon_loss_kind {
	LAGOON_LOSS_LOGISTIC = 0,	/* log(1 + exp(-y z)) */
	LAGOON_LOSS_HINGE = 1,		/* max(0, 1 - y z); at 1 the slope is 0 */
	LAGOON_LOSS_SQUARED_HINGE = 2,	/* max(0, 1 - y z)^2 */
	LAGOON_LOSS_SQUARED = 3		/* (z - y)^2 / 2 */
};

/** Losses of n rows, exact to a few units in the last place for every finite
 * product. The gradient by the weights is the product of the transposed matrix
 * and slope.
 *
 * @param loss     enum lagoon_loss_kind
 * @param product  [n]
 * @param label    [n]
 * @param value    [n] loss of each row, or NULL
 * @param slope    [n] its derivative by the product, or NULL
 * @return  the sum of the losses
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_loss_measure(int loss, size_t n, const double *product,
			   const double *label, double *value, double *slope);
double lagoon_loss_measure_f32(int loss, size_t n, const float *product,
			       const float *label, float *value,
			       float *slope);

/** Losses of n rows of classes: the logarithm of the sum of exp(product) over
 * the classes, less the product of the row's own.
 *
 * @param classes  >= 1
 * @param product  [n][classes]
 * @param label    [n] first is the first class, first + classes - 1 the last
 * @param first    how labels count: 0 or 1
 * @param value    [n] loss of each row, or NULL
 * @param slope    [n][classes] its derivative by each product, or NULL
 * @return  the sum of the losses
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_softmax_measure(size_t n, size_t classes, const double *product,
			      const int32_t *label, int32_t first,
			      double *value, double *slope);
double lagoon_softmax_measure_f32(size_t n, size_t classes,
				  const float *product,
				  const int32_t *label, int32_t first,
				  float *value, float *slope);

/* -------------------------------------------------------- proximal maps */

/** x becomes the u that makes |u - x|^2 / 2 + t times a penalty smallest.
 *
 * l1: the sum of |u_i|: soft threshold, x_i moved towards 0 by t, at most to 0.
 * l2: the sum of u_i^2 / 2: x_i / (1 + t).
 * elastic: l1 times the first and l2 times the second: both, one by one.
 * group: the root of the sum of u_i^2: x times 1 - t / |x|, or 0.
 *
 * @param t, l1, l2  >= 0
 * @param x          [n]
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_prox_l1(size_t n, double t, double *x);
void lagoon_prox_l1_f32(size_t n, double t, float *x);
void lagoon_prox_l2(size_t n, double t, double *x);
void lagoon_prox_l2_f32(size_t n, double t, float *x);
void lagoon_prox_elastic(size_t n, double l1, double l2, double *x);
void lagoon_prox_elastic_f32(size_t n, double l1, double l2, float *x);
void lagoon_prox_group(size_t n, double t, double *x);
void lagoon_prox_group_f32(size_t n, double t, float *x);

/** A proximal gradient step for a loss and the penalty l1 times the sum of |w_i|
 * plus l2 times the sum of w_i^2 / 2: the elastic map, with step * l1 and step *
 * l2, of w - step * slope.
 *
 * @param slope  [n] derivative of the loss; must not overlap w
 * @param w      [n] changed by the step
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_prox_step(size_t n, double step, double l1, double l2,
		      const double *slope, double *w);
void lagoon_prox_step_f32(size_t n, double step, double l1, double l2,
			  const float *slope, float *w);

/* ---------------------------------------------------------- fixed point */

/** Reals to lanes, integers of 2^-frac_bits. As tables round: down or up at
 * random, up with the probability of the fraction that is cut off, so that the
 * mean is exact; or to the nearest, halves away from 0.
 *
 * @param x      [n]
 * @param frac_bits  -1000 to 1000; in tables 0 to 62
 * @param legal  |lane| at most, <= 2^62; tables: 2^62 for q64, 2^30 for q32
 * @param bits   [n] random, of which each element uses its own; NULL: nearest
 * @param lanes  [n]
 * @return  n, or the first element that is NaN or beyond legal; it and those
 * after it are left out
 * Threads: any.  Blocks: no.  Collective: no.
 */
size_t lagoon_fixed_quantise(size_t n, const double *x, int frac_bits,
			     int64_t legal, const uint32_t *bits,
			     int64_t *lanes);
size_t lagoon_fixed_quantise_f32(size_t n, const float *x, int frac_bits,
				 int64_t legal, const uint32_t *bits,
				 int64_t *lanes);

/** Lanes to reals: x_i = lane_i * 2^-frac_bits, rounded to nearest.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_fixed_value(size_t n, const int64_t *lanes, int frac_bits,
			double *x);
void lagoon_fixed_value_f32(size_t n, const int64_t *lanes, int frac_bits,
			    float *x);

/** Two lanes to a word and back: word = (odd lane << 32) + even lane with its
 * sign. Sums of words unpack to the sums of their lanes while these stay in 32
 * bits.
 *
 * @param n      lanes; without a partner the last one has 0
 * @param lanes  [n] each in 32 bits
 * @param words  [(n + 1) / 2]
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_fixed_pack(size_t n, const int64_t *lanes, uint64_t *words);
void lagoon_fixed_unpack(size_t n, const uint64_t *words, int64_t *lanes);

/* -------------------------------------------------------- nearest points */

/** Points as lagoon_nearest_find() wants them.
 *
 * @param n       points, >= 1
 * @param points  [n][cols], point k at points + k * stride
 * @param packed  [8 + (cols + 1) * m], m the multiple of 8 from n on
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_nearest_pack(size_t n, size_t cols, const double *points,
			 size_t stride, double *packed);

/** The nearest of n points to each of some rows, and its squared distance: that
 * of the plain sum of squared differences, to rounding; of several as near, the
 * first. The squares of all numbers must be finite.
 *
 * @param x       row i begins at x + i * stride
 * @param points  point k begins at points + k * p_stride
 * @param packed  by lagoon_nearest_pack() of these points
 * @param first   number of the first point
 * @param which   [rows] changed to first + k where point k is nearer than
 *                square says
 * @param square  [rows] before: of the nearest of other points, INFINITY without;
 *                after: of these and the n points
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_nearest_find(size_t rows, size_t cols, const double *x, size_t stride,
		    size_t n, const double *points, size_t p_stride,
		    const double *packed, int32_t first, int32_t *which,
		    double *square);

/* ----------------------------------------------------- coordinate steps */

/** Coordinate descent on |y - A w|^2 / 2 + l1 times the sum of |w_j| + l2 times
 * the sum of w_j^2 / 2: each column in turn gets the weight that makes this
 * smallest. l1 alone: lasso, l2 alone: ridge.
 *
 * @param columns  A in CSC
 * @param n        steps
 * @param order    [n] columns, counted from first, in any order and number; NULL:
 * all from the first on
 * @param square   [columns] lagoon_sparse_line_square() of each
 * @param l1, l2   >= 0
 * @param w        [columns]
 * @param residual [rows] y - A w, of the type of A's values, before and after
 * @return  largest square_j * change^2: at a minimum it is 0
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_elastic_pass(const struct lagoon_sparse *columns, size_t n,
			   const int64_t *order, int64_t first,
			   const double *square, double l1, double l2,
			   double *w, void *residual);

/** Stochastic dual coordinate ascent on the sum of the losses of all rows plus
 * (|w|^2 / 2 + threshold times the sum of |w_j|) / scale; scale is 1 / (lambda N)
 * for a mean of N losses plus lambda |w|^2 / 2. Each row in turn gets the dual
 * variable that makes the dual largest (with a threshold: a lower bound of it).
 *
 * @param loss     enum lagoon_loss_kind
 * @param rows     in CSR
 * @param n        steps
 * @param order    [n] rows, counted from first, in any order and number; NULL: all
 * from the first on
 * @param square   [rows] lagoon_sparse_line_square() of each
 * @param label    [rows]
 * @param scale    > 0
 * @param threshold  >= 0
 * @param alpha    [rows] dual variables; begin with 0
 * @param v        [columns] scale times A' alpha, of the type of A's values,
 * before and after; w is v, or the l1 map of v with the threshold
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_dual_pass(int loss, const struct lagoon_sparse *rows, size_t n,
		      const int64_t *order, int64_t first,
		      const double *square, const double *label, double scale,
		      double threshold, double *alpha, void *v);

/** The dual variable of one row that makes the dual largest.
 *
 * @param product  of the row and w
 * @param curve    scale times the row's square
 * @param alpha    the dual variable now
 * @return  the new one; times label it is 0 to 1 for the logistic and the hinge
 * loss, >= 0 for the squared hinge
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_dual_step(int loss, double product, double label, double curve,
			double alpha);

/** Sum of the dual values of n rows, less the conjugates of the losses at -alpha.
 * The dual is this less |w|^2 / (2 scale), w as in lagoon_dual_pass(), and the
 * gap to the sum of losses and penalties bounds how far that is from its minimum.
 *
 * @param label  [n]
 * @param alpha  [n] as lagoon_dual_pass() leaves it
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_dual_sum(int loss, size_t n, const double *label,
		       const double *alpha);

/* ------------------------------------------------------------ factors */

/** One step of stochastic gradient descent for each of n ratings, in order: with
 * e = val - x . y of the rows named, x becomes x + rate (e y - lambda x), and y,
 * from the same x, y + rate (e x - lambda y). With biases, behind the factors of
 * each row, e is less by both, and each of them, b, becomes b + rate (e -
 * penalty b).
 *
 * @param row, col     [n] rows of x and y
 * @param rank         factors of a row
 * @param stride       from one row to the next: >= rank, with biases > rank
 * @param row_penalty  of each row of x, or NULL: without biases
 * @param col_penalty  of each row of y, or NULL, as row_penalty
 * @param x, y         changed; not the same memory
 * @return  sum of e^2, each before its step
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_factor_pass(size_t n, const uint32_t *row, const uint32_t *col,
			  const double *val, size_t rank, size_t stride,
			  double lambda, const double *row_penalty,
			  const double *col_penalty, double rate, double *x,
			  double *y);
double lagoon_factor_pass_f32(size_t n, const uint32_t *row,
			      const uint32_t *col, const float *val,
			      size_t rank, size_t stride, double lambda,
			      const float *row_penalty,
			      const float *col_penalty, double rate, float *x,
			      float *y);
/* ------------------------------------------------------------ selection */

/** The k best of many: those with the largest values, of equal values those with
 * the smallest ids. Which they are does not depend on the order in which they
 * come. */
struct lagoon_top {
	size_t k;
	size_t n;		/* so far, at most k; begin with 0 */
	double *value;		/* [k] */
	int64_t *id;		/* [k] */
};

/** Take one in, if it is among the best so far. With k of them the worst is in
 * place 0.
 *
 * @param value  not NaN
 * @param id     different ones
 * @return  1 if it is among them now, else 0
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_top_add(struct lagoon_top *top, double value, int64_t id);

/** Sort them, the best first. Then none can be added.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_top_sort(struct lagoon_top *top);

#ifdef __cplusplus
}
#endif

#endif
