/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Comparing dense rows: a product of matrices of unit rows says, to rounding,
 * which pairs may be among the best. Those are summed again in the order of
 * columns, because the last digits of a matrix product depend on the place of a
 * row in it; and equal rows are to be equally similar.
 */
#include <float.h>
#include <stdlib.h>

#include "kernels/solve/similar/similar.h"
#include "kernels/solve/similar/value.h"
#include "runtime/base/status.h"

struct product {
	double *c;		/* [claimed rows][rows of a block] */
	size_t room;
	double slack;		/* how far an element may be off */
};

/* A sum of n products of elements of two unit rows is off by n units of rounding
 * at most (Higham, Accuracy and Stability of Numerical Algorithms, 2002, 3.1), and
 * unit rows by a few. */
static int open_product(struct lgn_similar *t)
{
	struct product *p = t->state = calloc(1, sizeof(*p));

	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "no memory for products");
	p->slack = (4 * (double)t->others->cols + 16) * DBL_EPSILON;
	return 0;
}

static void close_product(struct lgn_similar *t)
{
	struct product *p = t->state;

	if (p)
		free(p->c);
	free(p);
}

/* Room for products with the largest block. */
static int begin(struct lgn_similar *t)
{
	size_t n = t->rows.rows * t->fit->pulled;
	struct product *p = t->state;

	if (n <= p->room)
		return 0;
	free(p->c);
	p->c = malloc(n * sizeof(*p->c));
	p->room = p->c ? n : 0;
	return p->c ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for %zu products",
				   n);
}

static bool meet(size_t n, const double *x, const double *y)
{
	for (size_t k = 0; k < n; k++)
		if (x[k] != 0 && y[k] != 0)
			return true;
	return false;
}

static void judge(struct lgn_similar *t, uint64_t i, uint64_t k)
{
	const struct lgn_similar_row *row = &t->rows.row[i];
	const struct lgn_similar_row *other = &t->block.row[k];
	size_t cols = t->others->cols;
	const double *x = t->rows.val + i * cols, *y = t->block.val + k * cols;
	double product = 0;

	if (!(row->norm > 0 && other->norm > 0))
		return;
	for (size_t j = 0; j < cols; j++)
		product += x[j] * y[j];
	if (product == 0 && t->fit->options.measure == LAGOON_SIMILAR_COSINE &&
	    !meet(cols, x, y))
		return;
	lgn_similar_take(t, i, t->block.first + k,
			 lgn_similar_cosine(product, row, other));
}

static double bound(const struct lgn_similar *t, uint64_t i)
{
	const struct lagoon_top *top = &t->top[i];
	double least = t->fit->options.least;

	return top->n == top->k && top->value[0] > least ? top->value[0] : least;
}

static void compare(struct lgn_similar *t)
{
	size_t cols = t->others->cols, n = t->block.rows;
	const struct product *p = t->state;

	lagoon_dense_product(0, 1, t->rows.rows, n, cols, 1, t->rows.unit, cols,
			     t->block.unit, cols, 0, p->c, n);
	for (uint64_t i = 0; i < t->rows.rows; i++) {
		const double *c = p->c + i * n;
		double low = bound(t, i) - p->slack;

		for (uint64_t k = 0; k < n; k++) {
			if (c[k] < low)
				continue;
			judge(t, i, k);
			low = bound(t, i) - p->slack;
		}
	}
}

const struct lgn_similar_way lgn_similar_dense = {
	open_product, close_product, begin, compare,
};
