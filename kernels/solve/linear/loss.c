/* SPDX-License-Identifier: BSD-3-Clause */
/* Products, losses and gradients of a block of rows; with several outputs the
 * weights of a column lie together, and the inner loop is over these. */
#include <string.h>

#include "kernels/solve/apart.h"
#include "kernels/solve/linear/linear.h"
#include "runtime/base/attr.h"

static bool is_softmax(const struct lgn_linear *t)
{
	return t->fit->options.loss == LAGOON_LINEAR_SOFTMAX;
}

/* The kernels' number of the loss. */
static int kind(const struct lgn_linear *t)
{
	static const int kinds[] = {
		[LAGOON_LINEAR_LOGISTIC] = LAGOON_LOSS_LOGISTIC,
		[LAGOON_LINEAR_HINGE] = LAGOON_LOSS_HINGE,
		[LAGOON_LINEAR_SQUARED_HINGE] = LAGOON_LOSS_SQUARED_HINGE,
	};

	return kinds[t->fit->options.loss];
}

LGN_CLONES
static void add_scaled(size_t n, double by, const double *restrict x,
		       double *restrict y)
{
	for (size_t k = 0; k < n; k++)
		y[k] += by * x[k];
}

void lgn_linear_products(const struct lgn_linear *t, const struct lgn_block *b,
			 const double *w, double *z)
{
	const int32_t *start = b->a.start, *index = b->a.index;
	const double *val = b->a.val;
	size_t outputs = t->fit->outputs;

	if (outputs == 1) {
		lagoon_sparse_multiply(&b->a, 1, w, 0, z);
		return;
	}
	memset(z, 0, b->a.rows * outputs * sizeof(*z));
	for (size_t i = 0; i < b->a.rows; i++)
		for (int32_t k = start[i]; k < start[i + 1]; k++)
			add_scaled(outputs, val[k],
				   w + (size_t)index[k] * outputs,
				   z + i * outputs);
}

double lgn_linear_losses(const struct lgn_linear *t, const struct lgn_block *b,
			 const double *z, double *slope)
{
	if (is_softmax(t))
		return lagoon_softmax_measure(b->a.rows, t->fit->outputs, z,
					      b->class, 0, NULL, slope);
	return lagoon_loss_measure(kind(t), b->a.rows, z, b->sign, NULL, slope);
}

uint64_t lgn_linear_correct(const struct lgn_linear *t,
			    const struct lgn_block *b, const double *z)
{
	size_t outputs = t->fit->outputs;
	uint64_t correct = 0;

	for (size_t i = 0; i < b->a.rows; i++) {
		const double *row = z + i * outputs;
		size_t said = outputs == 1 && row[0] > 0;

		for (size_t k = 1; k < outputs; k++)
			if (row[k] > row[said])
				said = k;
		correct += said == (size_t)b->class[i];
	}
	return correct;
}

void lgn_linear_gradient(const struct lgn_linear *t, const struct lgn_block *b,
			 double by, const double *slope, double *g)
{
	const int32_t *start = b->a.start, *index = b->a.index;
	const double *val = b->a.val;
	size_t outputs = t->fit->outputs;

	for (size_t i = 0; i < b->a.rows; i++) {
		if (outputs == 1 && slope[i] != 0)
			lagoon_sparse_line_add(&b->a, i, by * slope[i], g);
		for (int32_t k = start[i]; k < start[i + 1] && outputs > 1; k++)
			add_scaled(outputs, by * val[k], slope + i * outputs,
				   g + (size_t)index[k] * outputs);
	}
}

/* ----------------------------------------------- what a block uses */

/* A list costs more a row than a range. */
static bool is_dense(const struct lgn_linear *t, const struct lgn_block *b)
{
	return b->n_cols > t->fit->facts.data.cols / 4;
}

int lgn_linear_pull(struct lgn_linear *t, struct lagoon_table *table,
		    const struct lgn_block *b, double *w)
{
	size_t outputs = t->fit->outputs;
	int rc;

	if (is_dense(t, b))
		return lagoon_pull(t->worker, table, 0, t->fit->facts.data.cols,
				   w);
	rc = lagoon_pull_rows(t->worker, table, b->cols, b->n_cols, t->room);
	for (uint32_t j = 0; j < b->n_cols && !rc; j++)
		memcpy(w + b->cols[j] * outputs, t->room + j * outputs,
		       outputs * sizeof(*w));
	return rc;
}

int lgn_linear_add(struct lgn_linear *t, struct lagoon_table *table,
		   const struct lgn_block *b, const double *change)
{
	size_t outputs = t->fit->outputs;

	for (uint32_t j = 0; j < b->n_cols; j++)
		memcpy(t->room + j * outputs, change + b->cols[j] * outputs,
		       outputs * sizeof(*change));
	return lgn_add_apart(t->worker, table, b->cols, b->n_cols, t->room);
}
