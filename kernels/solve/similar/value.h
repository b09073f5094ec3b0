/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Similarities of two rows from sums over the columns that they have in common.
 * Sums go through these in rising order wherever they are made, so that there is
 * one value for a pair, and the same for (x, y) and (y, x).
 */
#ifndef LGN_SOLVE_SIMILAR_VALUE_H
#define LGN_SOLVE_SIMILAR_VALUE_H

#include <math.h>
#include <stdbool.h>

#include "kernels/lagoon_similar.h"
#include "kernels/solve/similar/similar.h"

/* For pearson, of x and y less their first common elements: a row that is
 * constant there has exact zeros, and little cancels where it is not (Chan, Golub
 * and LeVeque, Algorithms for Computing the Sample Variance, The American
 * Statistician 37, 1983: shifted data). */
struct lgn_similar_common {
	double n;
	double x0, y0;
	double x, y, xx, yy, xy;
};

static inline void lgn_similar_common_add(struct lgn_similar_common *c,
					  double x, double y)
{
	if (c->n == 0)
		*c = (struct lgn_similar_common){ .x0 = x, .y0 = y };
	x -= c->x0;
	y -= c->y0;
	c->n += 1;
	c->x += x;
	c->y += y;
	c->xx += x * x;
	c->yy += y * y;
	c->xy += x * y;
}

static inline double lgn_similar_clamp(double value)
{
	return value > 1 ? 1 : value < -1 ? -1 : value;
}

/* n xx - x^2 is at least xx, since the first element is 0. */
static inline bool lgn_similar_pearson(const struct lgn_similar_common *c,
				       double *value)
{
	if (!(c->xx > 0 && c->yy > 0))
		return false;
	*value = lgn_similar_clamp((c->n * c->xy - c->x * c->y) /
				   (sqrt(c->n * c->xx - c->x * c->x) *
				    sqrt(c->n * c->yy - c->y * c->y)));
	return true;
}

static inline double lgn_similar_cosine(double product,
					const struct lgn_similar_row *x,
					const struct lgn_similar_row *y)
{
	return lgn_similar_clamp(product / (x->norm * y->norm));
}

static inline bool lgn_similar_correlation(double product, double cols,
					   const struct lgn_similar_row *x,
					   const struct lgn_similar_row *y,
					   double *value)
{
	if (!(x->norm > 0 && y->norm > 0))
		return false;
	*value = lgn_similar_clamp((product - x->sum * y->sum / cols) /
				   (x->norm * y->norm));
	return true;
}

/* entries or sum of both, and what they have in common of it */
static inline double lgn_similar_overlap(double common, double x, double y)
{
	return common / (x + y - common);
}

static inline double lgn_similar_scaled(double x, int scale)
{
	return scale ? ldexp(x, scale) : x;
}

/* Of the row's n entries. */
static inline void lgn_similar_row_set(int measure, double cols, size_t n,
				       const double *x, int scale,
				       struct lgn_similar_row *row)
{
	double mean, square = 0;
	bool constant = (double)n == cols;

	row->entries = (double)n;
	row->sum = 0;
	for (size_t k = 0; k < n; k++) {
		row->sum += lgn_similar_scaled(x[k], scale);
		constant &= x[k] == x[0];
	}
	mean = measure == LAGOON_SIMILAR_CORRELATION ? row->sum / cols : 0;
	for (size_t k = 0; k < n; k++) {
		double d = lgn_similar_scaled(x[k], scale) - mean;

		square += d * d;
	}
	square += (cols - (double)n) * mean * mean;
	row->norm = sqrt(square);
	if (measure == LAGOON_SIMILAR_CORRELATION && constant)
		row->norm = 0;
}

/* A power of two that brings the largest element near 1, where squares neither
 * overflow nor vanish: nothing is rounded. Measures with products do not depend
 * on it. */
static inline int lgn_similar_scale(int measure, size_t n, const double *x)
{
	double largest = 0;
	int exponent;

	if (measure == LAGOON_SIMILAR_RUZICKA)
		return 0;
	for (size_t k = 0; k < n; k++)
		largest = fmax(largest, fabs(x[k]));
	frexp(largest, &exponent);
	return -exponent;
}

#endif
