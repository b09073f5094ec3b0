/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Model-parallel proximal gradient (Zhou, Yu, Dai, Liang and Xing, On
 * Convergence of Model Parallel Proximal Gradient Algorithm for Stale
 * Synchronous Parallel System, AISTATS 2016): each worker steps along the
 * gradient of its own block, at what it sees of the others, and maps:
 *
 *	x_i = prox(x_i - step * grad_i f(x))
 *
 * No worker holds the model: f needs only the sum of the A_i x_i, here the table
 * of residuals, to which each adds what its block changed. It converges for
 * steps below 1 / (L + 2 s sum of L_i), L that of the gradient, L_i that of a
 * block of it, s the staleness. L by the power method, all workers together; L_i
 * is at most the root of L times that of the block alone.
 */
#include <math.h>
#include <string.h>

#include "kernels/solve/regression/regression.h"

#define POWERS 30
#define SHORT 0.9		/* the power method ends below L */

static int mspg_round(struct lgn_regression *t)
{
	const struct lagoon_sparse *a = &t->lines.a;
	uint64_t cols = t->block_cols;
	int rc = lagoon_pull(t->w, t->fit->state, 0, t->n, t->now);

	if (rc)
		return rc;
	lagoon_sparse_multiply_transposed(a, -1 / (double)t->n, t->now, 0,
					  t->product);
	memcpy(t->centre, t->x, cols * sizeof(*t->x));
	lagoon_prox_step(cols, t->step, t->scale->l1, t->scale->l2, t->product,
			 t->x);
	for (uint64_t j = 0; j < cols; j++)
		t->centre[j] -= t->x[j];
	lagoon_sparse_multiply(a, 1, t->centre, 0, t->change);
	rc = lagoon_add(t->w, t->fit->state, 0, t->n, t->change);
	return rc ? rc : lagoon_clock(t->w);
}

/* --------------------------------------------------------- curvatures */

static double normalise(double *x, uint64_t n, double norm)
{
	for (uint64_t j = 0; j < n && norm > 0; j++)
		x[j] /= norm;
	return norm;
}

static void start(struct lgn_regression *t)
{
	for (uint64_t j = 0; j < t->block_cols; j++)
		t->centre[j] = sin((double)(t->block + j) + 1);
}

/* Of the block alone: largest eigenvalue of A_i'A_i / n. */
static double block_curvature(struct lgn_regression *t)
{
	const struct lagoon_sparse *a = &t->lines.a;
	uint64_t cols = t->block_cols;
	double value = 0;

	start(t);
	for (int i = 0; i < POWERS; i++) {
		normalise(t->centre, cols, sqrt(
			lagoon_dense_dot(cols, t->centre, t->centre)));
		lagoon_sparse_multiply(a, 1, t->centre, 0, t->now);
		value = lagoon_dense_dot(t->n, t->now, t->now) / (double)t->n;
		lagoon_sparse_multiply_transposed(a, 1, t->now, 0, t->centre);
	}
	return value;
}

static double sum_norms(const struct lgn_regression *t)
{
	double sum = 0;

	for (int i = 0; i < t->fit->workers; i++)
		sum += t->all[i].norm;
	return sum;
}

/* One more power: the table probe becomes A x of a unit x in t->centre, which
 * becomes A'A x / n. */
static int power(struct lgn_regression *t, double *value)
{
	const struct lagoon_sparse *a = &t->lines.a;
	uint64_t cols = t->block_cols;
	struct lgn_regression_tidings mine = {
		.norm = lagoon_dense_dot(cols, t->centre, t->centre),
	};
	int rc = lgn_regression_meet(t, 0, &mine);

	if (rc)
		return rc;
	normalise(t->centre, cols, sqrt(sum_norms(t)));
	lagoon_sparse_multiply(a, 1, t->centre, 0, t->now);
	for (uint64_t i = 0; i < t->n; i++)
		t->change[i] = t->now[i] - t->was[i];
	memcpy(t->was, t->now, t->n * sizeof(*t->was));
	rc = lagoon_add(t->w, t->fit->probe, 0, t->n, t->change);
	rc = lgn_regression_meet(t, rc, NULL);
	if (!rc)
		rc = lagoon_pull(t->w, t->fit->probe, 0, t->n, t->now);
	if (rc)
		return rc;
	*value = lagoon_dense_dot(t->n, t->now, t->now) / (double)t->n;
	lagoon_sparse_multiply_transposed(a, 1 / (double)t->n, t->now, 0,
					  t->centre);
	return 0;
}

static int mspg_open(struct lgn_regression *t)
{
	struct lgn_regression_tidings mine = { 0 };
	double all = 0, blocks = 0;
	double late = lgn_regression_unseen(t->fit) - 1;
	int rc = 0;

	mine.norm = sqrt(block_curvature(t));
	rc = lgn_regression_meet(t, 0, &mine);
	if (!rc)
		blocks = sum_norms(t);
	start(t);
	for (int i = 0; i < POWERS && !rc; i++)
		rc = power(t, &all);
	if (rc)
		return rc;
	/* The block's own part is never late. */
	if (t->fit->workers == 1)
		late = 0;
	t->step = all > 0 ? SHORT / (all + 2 * late * sqrt(all) * blocks) : 1;
	memset(t->change, 0, t->n * sizeof(*t->change));
	return lgn_residuals_open(t);
}

static void mspg_slow_down(struct lgn_regression *t)
{
	t->step /= 2;
}

const struct lgn_regression_method lgn_mspg = {
	.name = "mspg",
	.rounds = 50,
	.open = mspg_open,
	.round = mspg_round,
	.measure = lgn_residuals_measure,
	.slow_down = mspg_slow_down,
};
