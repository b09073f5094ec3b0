/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_kernels.h
 * Node-local inner loops of Lagoon's solvers. Usable without the rest: no
 * state, no allocation, no communication, no errors.
 *
 * All calls: Threads: any, on different outputs.  Blocks: no.
 * Collective: no.
 */
#ifndef LAGOON_KERNELS_H
#define LAGOON_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
