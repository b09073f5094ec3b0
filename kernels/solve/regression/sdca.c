/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stochastic dual coordinate ascent (Shalev-Shwartz and Zhang, JMLR 14, 2013,
 * and Accelerated Proximal Stochastic Dual Coordinate Ascent for Regularized
 * Loss Minimization, ICML 2014): each worker has rows and their dual variables
 * alpha; the table holds v, and the weights are v with l1 / lambda taken off.
 * A round: pull v, a pass over the rows, add its change, clock.
 *
 * Changes of K workers may be added up if each takes its own for K times as
 * large while it looks for them (Ma, Smith, Jaggi, Jordan, Richtarik and Takac,
 * Adding vs. Averaging in Distributed Primal-Dual Optimization, ICML 2015:
 * sigma' = K): scale times damp in lagoon_dual_pass(). What is unseen because of
 * staleness counts as more workers.
 *
 * The dual needs a quadratic penalty, more than a lasso has. So the problem is
 * solved with proximity / 2 |w - centre|^2 added, lambda = l2 + proximity, and
 * the centre moves to the weights after each epoch (proximal point, the outer
 * loop of the second paper): v = (X'alpha / n + proximity centre) / lambda. It
 * goes beyond them by a share of the last step (Gueler, New Proximal Point
 * Algorithms for Convex Minimization, SIAM J. Optim. 2, 1992; Lin, Mairal and
 * Harchaoui, Catalyst, JMLR 18, 2018), which begins anew where the objective rose.
 * Without that abalone took 132 epochs with two workers and 387 with four, now 42
 * and 54, and 15 columns of which each is nearly the one before more than 50 000,
 * now 1300.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/regression/regression.h"
#include "runtime/base/status.h"

#define CURVE 30
#define UNSEEN 0.02
#define OFTEN 1000	/* a pass has a row at most */

static double lambda(const struct lgn_regression *t)
{
	return t->scale->l2 + t->proximity;
}

static int sdca_round(struct lgn_regression *t)
{
	uint64_t cols = t->fit->facts.cols;
	double scale = 1 / (lambda(t) * (double)t->n);
	int rc = lagoon_pull(t->w, t->fit->state, 0, cols, t->now);

	if (rc)
		return rc;
	memcpy(t->was, t->now, cols * sizeof(*t->was));
	lgn_regression_shuffle(t, t->steps);
	lagoon_dual_pass(LAGOON_LOSS_SQUARED, &t->lines.a, t->steps, t->order,
			 0, t->square, t->y, scale * t->damp,
			 t->scale->l1 / lambda(t), t->alpha, t->now);
	for (uint64_t j = 0; j < cols; j++)
		t->change[j] = (t->now[j] - t->was[j]) / t->damp;
	rc = lagoon_add(t->w, t->fit->state, 0, cols, t->change);
	return rc ? rc : lagoon_clock(t->w);
}

/* ------------------------------------------------------------ measure */

static void sum_rows(struct lgn_regression *t,
		     struct lgn_regression_tidings *mine)
{
	size_t rows = t->lines.a.rows;
	double n = (double)t->n;

	lagoon_sparse_multiply(&t->lines.a, 1, t->now, 0, t->product);
	mine->loss = lagoon_loss_measure(LAGOON_LOSS_SQUARED, rows, t->product,
					 t->y, NULL, NULL) / n;
	mine->ay = lagoon_dense_dot(rows, t->alpha, t->y) / n;
	mine->aa = lagoon_dense_dot(rows, t->alpha, t->alpha) / (2 * n);
}

/* Share of the last step that the centre goes beyond the weights; none behind a
 * rise. */
static double momentum(struct lgn_regression *t)
{
	double pace = t->objective > t->settled ? 1 : t->pace;
	double next = (1 + sqrt(1 + 4 * pace * pace)) / 2;

	t->pace = next;
	t->settled = t->objective;
	return (pace - 1) / next;
}

/* The centre moves, and v with it, which all see before the next round. */
static int sdca_settle(struct lgn_regression *t)
{
	double by = t->proximity / lambda(t), share = momentum(t);
	int rc = 0;

	if (by == 0)
		return 0;
	for (uint64_t j = 0; j < t->block_cols; j++) {
		double centre = t->x[j] + share * (t->x[j] - t->last[j]);

		t->change[j] = by * (centre - t->centre[j]);
		t->centre[j] = centre;
		t->last[j] = t->x[j];
	}
	if (t->block_cols)
		rc = lagoon_add(t->w, t->fit->state, t->block, t->block_cols,
				t->change);
	return lgn_regression_meet(t, rc, NULL);
}

/* The worker's part of q = X'alpha / n = lambda v - proximity centre. */
static int sdca_measure(struct lgn_regression *t,
			struct lgn_regression_tidings *mine)
{
	uint64_t cols = t->fit->facts.cols;
	int rc = lagoon_pull(t->w, t->fit->state, 0, cols, t->now);

	if (rc)
		return rc;
	for (uint64_t j = 0; j < t->block_cols; j++)
		t->change[j] = lambda(t) * t->now[t->block + j] -
			t->proximity * t->centre[j];
	lagoon_prox_l1(cols, t->scale->l1 / lambda(t), t->now);
	memcpy(t->x, t->now + t->block, t->block_cols * sizeof(*t->x));
	lgn_regression_sum(t, t->change, mine);
	sum_rows(t, mine);
	return 0;
}

/* ------------------------------------------------------------- opening */

/* More makes a pass come closer to the minimum around the centre, less lets the
 * centre go further: a step then takes 1 / CURVE of the way of the dual variable
 * of an average row, an epoch much of it. With 10, 30 and 100 a lasso of 8
 * columns took 12, 30 and 95 epochs, one of 1000 columns 646, 188 and 138, when
 * the centre did not go beyond the weights. Workers that do not see each other
 * settle who takes what at a rate of lambda by damp, which wants more: 0.005,
 * 0.02 and 0.08 a worker took 32, 42 and 114 epochs with abalone and two workers
 * in bsp, but 116, 60 and 21 with lasso500by1K and four. */
double lgn_sdca_proximity(const struct lgn_regression_fit *fit)
{
	double others = (fit->workers - 1) * lgn_regression_unseen(fit);
	double enough = fit->scale.row / ((double)fit->facts.rows * CURVE) +
		UNSEEN * others;

	return fmax(fit->scale.l2 > 0 ? 0 : 1e-12, enough - fit->scale.l2);
}

static size_t often(double times_mean)
{
	return times_mean > 1 ? (size_t)fmin(round(times_mean), OFTEN) : 1;
}

/* A step takes 1 / (1 + curve) of the way of its dual variable: those of long
 * rows crawl, and one row is enough to hold up all. So a pass has them more
 * often, as importance sampling does (Zhao and Zhang, Stochastic Optimization
 * with Importance Sampling for Regularized Loss Minimization, ICML 2015). */
static int sdca_order(struct lgn_regression *t)
{
	size_t rows = t->lines.a.rows;
	double mean = fmax(t->fit->scale.row, 1e-300);

	t->steps = 0;
	for (size_t i = 0; i < rows; i++)
		t->steps += often(t->square[i] / mean);
	free(t->order);
	t->order = malloc((t->steps + 1) * sizeof(*t->order));
	if (!t->order)
		return lgn_fail(LAGOON_ENOMEM, "no memory for an order of %zu "
				"rows", t->steps);
	t->steps = 0;
	for (size_t i = 0; i < rows; i++)
		for (size_t k = often(t->square[i] / mean); k; k--)
			t->order[t->steps++] = (int64_t)i;
	return 0;
}

/* Behind a checkpoint: v of its dual variables, with the centre at its weights,
 * as sdca_settle() left it but for a proximity that may be another. */
static int sdca_resume(struct lgn_regression *t)
{
	double each = 1 / (lambda(t) * (double)t->n);
	int rc;

	lagoon_sparse_multiply_transposed(&t->lines.a, each, t->alpha, 0,
					  t->change);
	for (uint64_t j = 0; j < t->block_cols; j++) {
		t->centre[j] = t->x[j];
		t->change[t->block + j] += t->proximity / lambda(t) * t->x[j];
	}
	rc = lagoon_add(t->w, t->fit->state, 0, t->fit->facts.cols, t->change);
	return lgn_regression_meet(t, rc, NULL);
}

static int sdca_open(struct lgn_regression *t)
{
	const struct lgn_entries *e = &t->entries;
	const struct lgn_regression_fit *fit = t->fit;
	int rc;

	for (uint64_t i = 0; i < t->lines.a.rows; i++)
		t->y[i] = -t->scale->y_shift / t->scale->y_scale;
	for (size_t k = 0; k < e->n_targets; k++)
		t->y[e->target_row[k] - fit->first_row[t->id]] +=
			e->target[k] / t->scale->y_scale;
	t->damp = 1 + (fit->workers - 1) * lgn_regression_unseen(fit);
	t->proximity = lgn_sdca_proximity(fit);
	rc = sdca_order(t);
	return rc || !t->epoch ? rc : sdca_resume(t);
}

static void sdca_slow_down(struct lgn_regression *t)
{
	t->damp *= 2;
}

const struct lgn_regression_method lgn_sdca = {
	.name = "sdca",
	.by_rows = true,
	.rounds = 10,
	.open = sdca_open,
	.round = sdca_round,
	.measure = sdca_measure,
	.slow_down = sdca_slow_down,
	.settle = sdca_settle,
};
