/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Coordinate descent (Friedman, Hastie and Tibshirani, J. Stat. Software 33(1),
 * 2010), a block of columns in each worker, the residuals r = y - A x in a
 * table. A round: pull r, a pass over the block, add its change, clock.
 *
 * Two workers that each take out all of what they both see overshoot. As in
 * Smith et al., CoCoA: A General Framework for Communication-Efficient
 * Distributed Optimization, JMLR 18, 2018, each of K workers takes the change
 * of its own block for K times as curved as it is (their sigma' = gamma K with
 * gamma = 1), and then changes may be added up. What is unseen because of
 * staleness counts as more workers.
 *
 * With curvature d: minimise |r - d A delta|^2 / (2 d n) + the penalties of
 * x + delta; times n / d that is what lagoon_elastic_pass() does with r / d.
 */
#include <math.h>
#include <string.h>

#include "kernels/solve/regression/regression.h"

static int cd_round(struct lgn_regression *t)
{
	double by = (double)t->n / t->damp;
	int rc = lagoon_pull(t->w, t->fit->state, 0, t->n, t->now);

	if (rc)
		return rc;
	for (uint64_t i = 0; i < t->n; i++)
		t->was[i] = t->now[i] /= t->damp;
	lgn_regression_shuffle(t, t->block_cols);
	lagoon_elastic_pass(&t->lines.a, t->block_cols, t->order, 0, t->square,
			    by * t->scale->l1, by * t->scale->l2, t->x, t->now);
	for (uint64_t i = 0; i < t->n; i++)
		t->change[i] = t->now[i] - t->was[i];
	rc = lagoon_add(t->w, t->fit->state, 0, t->n, t->change);
	return rc ? rc : lagoon_clock(t->w);
}

static int cd_open(struct lgn_regression *t)
{
	t->damp = 1 + (t->fit->workers - 1) * lgn_regression_unseen(t->fit);
	return lgn_residuals_open(t);
}

static void cd_slow_down(struct lgn_regression *t)
{
	t->damp *= 2;
}

const struct lgn_regression_method lgn_cd = {
	.name = "cd",
	.rounds = 10,
	.open = cd_open,
	.round = cd_round,
	.measure = lgn_residuals_measure,
	.slow_down = cd_slow_down,
};
