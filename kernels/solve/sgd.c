/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stochastic gradient descent. A round: pull what a block of rows uses, step
 * through the rows one by one, each seeing the steps before it, add the change,
 * clock. Penalties are stepped by the worker that answers for a weight, the same
 * share of them each round.
 *
 * A row's step is implicit (Toulis and Airoldi, Asymptotic and finite-sample
 * properties of estimators based on stochastic gradients, Ann. Statist. 45(4),
 * 2017): the u that makes |u - w|^2 / 2 + step c loss(u) smallest. It never goes
 * beyond the row's own minimum, however long the step; on the line of the row it
 * is what dual coordinate ascent does from a dual variable of 0.
 *
 * Steps get shorter as epoch^-POWER, and what is measured and returned is an
 * average of w over all rounds, later ones with more weight (Polyak and Juditsky,
 * Acceleration of Stochastic Approximation by Averaging, 1992; weights of Shamir
 * and Zhang, Stochastic Gradient Descent for Non-smooth Optimization, ICML 2013):
 * the noise of single steps, and what workers do unseen by each other, fades in
 * it. The excess of the objective then falls like 1 / epochs: what the last half
 * of the epochs has gained tells how much there still is.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear.h"
#include "runtime/base/status.h"

#define POWER 0.6
#define ETA 3			/* weight of round t in the average: about t^ETA */

struct sgd {
	double step;		/* of the epoch */
	double rounds;		/* of all epochs so far */
	double *was;		/* [n] as pulled */
	double *own;		/* [own][outputs] the weights it answers for */
	double *mean;		/* their average, and what of it was told */
	double *told;
	double *objective;	/* [epochs + 1] */
};

struct sgd_tables {
	struct lagoon_table *state;
};

/* --------------------------------------------------------- steps of rows */

static double dot(const struct lgn_block *b, size_t i, const double *w)
{
	return lagoon_sparse_line_dot(&b->a, i, w);
}

static void step_row(const struct lgn_linear *t, const struct lgn_block *b,
		     size_t i, double by, double *w)
{
	double square = lagoon_sparse_line_square(&b->a, i);
	double alpha = lagoon_dual_step(t->fit->options.loss, dot(b, i, w),
					b->sign[i], by * square, 0);

	if (alpha != 0)
		lagoon_sparse_line_add(&b->a, i, by * alpha, w);
}

/* The curvature of softmax on the line of a row is at most half of its square:
 * with that the explicit step is held back as the implicit one holds itself. */
static void step_classes(const struct lgn_linear *t, const struct lgn_block *b,
			 size_t i, double by, double *w)
{
	const int32_t *start = b->a.start;
	double square = lagoon_sparse_line_square(&b->a, i);
	struct lgn_block one = *b;

	one.a.rows = 1;
	one.a.start = start + i;
	one.class = b->class + i;
	lgn_linear_products(t, &one, w, t->z);
	lgn_linear_losses(t, &one, t->z, t->slope);
	lgn_linear_gradient(t, &one, -by / (1 + by * square / 2), t->slope, w);
}

static void step_rows(const struct lgn_linear *t, const struct lgn_block *b,
		      double by, double *w)
{
	for (size_t i = 0; i < b->a.rows; i++) {
		if (t->fit->options.loss == LAGOON_LINEAR_SOFTMAX)
			step_classes(t, b, i, by, w);
		else
			step_row(t, b, i, by, w);
	}
}

/* ---------------------------------------------------------------- rounds */

static void copy_used(const struct lgn_linear *t, const struct lgn_block *b,
		      const double *from, double *to)
{
	size_t outputs = t->fit->outputs;

	for (uint32_t j = 0; j < b->n_cols; j++)
		memcpy(to + b->cols[j] * outputs, from + b->cols[j] * outputs,
		       outputs * sizeof(*to));
}

static void take_change(const struct lgn_linear *t, const struct lgn_block *b,
			const double *now, double *was)
{
	size_t outputs = t->fit->outputs;

	for (uint32_t j = 0; j < b->n_cols; j++)
		for (size_t k = b->cols[j] * outputs;
		     k < (b->cols[j] + 1) * outputs; k++)
			was[k] = now[k] - was[k];
}

/* The worker's own weights: into the average, and a step of the penalties. */
static int step_own(struct lgn_linear *t, struct sgd *s,
		    struct lagoon_table *state)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	size_t n = t->own * t->fit->outputs;
	double by = s->step / (double)t->rows.blocks;
	double weight = (ETA + 1) / (++s->rounds + ETA);
	int rc;

	if (!n)
		return 0;
	rc = lagoon_pull(t->worker, state, t->first, t->own, s->own);
	for (size_t k = 0; k < n && !rc; k++) {
		double w = s->own[k], u = w / (1 + by * o->l2);
		double l1 = by * o->l1 / (1 + by * o->l2);

		s->mean[k] += weight * (w - s->mean[k]);
		s->own[k] = (u > l1 ? u - l1 : u < -l1 ? u + l1 : 0) - w;
	}
	return rc ? rc : lagoon_add(t->worker, state, t->first, t->own, s->own);
}

static int round_of(struct lgn_linear *t, uint64_t i)
{
	const struct sgd_tables *tables = t->fit->tables;
	struct sgd *s = t->state;
	const struct lgn_block *b;
	int rc = lgn_rows_block(&t->rows, i, &b);

	if (!rc)
		rc = lgn_linear_pull(t, tables->state, b, t->w);
	if (rc)
		return rc;
	copy_used(t, b, t->w, s->was);
	step_rows(t, b, s->step * t->fit->options.c, t->w);
	take_change(t, b, t->w, s->was);
	rc = lgn_linear_add(t, tables->state, b, s->was);
	if (!rc)
		rc = step_own(t, s, tables->state);
	return rc ? rc : lagoon_clock(t->worker);
}

/* What is measured becomes the average. */
static int tell_mean(struct lgn_linear *t, struct sgd *s)
{
	size_t n = t->own * t->fit->outputs;

	for (size_t k = 0; k < n; k++) {
		s->own[k] = s->mean[k] - s->told[k];
		s->told[k] = s->mean[k];
	}
	return n ? lagoon_add(t->worker, t->fit->weights, t->first, t->own,
			      s->own) : 0;
}

static int sgd_epoch(struct lgn_linear *t)
{
	struct sgd *s = t->state;
	double rate = t->fit->options.rate;
	int rc = 0;

	s->step = rate * pow(t->epoch, -POWER);
	for (uint64_t i = 0; i < t->rows.blocks && !rc; i++)
		rc = round_of(t, i);
	return rc ? rc : tell_mean(t, s);
}

/* --------------------------------------------------------------- judging */

static int sgd_judge(struct lgn_linear *t)
{
	struct sgd *s = t->state;
	double least = t->fit->options.tolerance * t->objective;

	s->objective[t->epoch] = t->objective;
	t->converged = t->epoch >= 2 * LGN_LINEAR_WINDOW &&
		fabs(s->objective[t->epoch / 2] - t->objective) <= least;
	return 0;
}

/* --------------------------------------------------------------- opening */

static int sgd_create(struct lgn_linear_fit *fit)
{
	struct sgd_tables *tables = calloc(1, sizeof(*tables));

	fit->tables = tables;
	if (!tables)
		return lgn_fail(LAGOON_ENOMEM, "no memory for tables");
	if (!(fit->options.rate > 0))
		fit->options.rate = (double)fit->facts.data.rows /
			(fit->options.c * fit->facts.data.squares);
	return lgn_linear_table(fit, "linear sgd", fit->largest,
				&tables->state);
}

static void sgd_destroy(struct lgn_linear_fit *fit)
{
	struct sgd_tables *tables = fit->tables;

	if (tables && tables->state)
		lagoon_table_destroy(tables->state);
	free(tables);
	fit->tables = NULL;
}

static int sgd_open(struct lgn_linear *t)
{
	size_t own = t->own * t->fit->outputs + 1;
	size_t epochs = (size_t)t->fit->options.epochs + 1;
	struct sgd *s = calloc(1, sizeof(*s));

	t->state = s;
	if (s) {
		s->was = calloc(t->n, sizeof(*s->was));
		s->own = calloc(own, sizeof(*s->own));
		s->mean = calloc(own, sizeof(*s->mean));
		s->told = calloc(own, sizeof(*s->told));
		s->objective = calloc(epochs, sizeof(*s->objective));
	}
	if (!s || !s->was || !s->own || !s->mean || !s->told || !s->objective)
		return lgn_fail(LAGOON_ENOMEM, "no memory for vectors of %zu "
				"weights", t->n);
	s->objective[0] = t->objective;
	return 0;
}

static void sgd_close(struct lgn_linear *t)
{
	struct sgd *s = t->state;

	if (!s)
		return;
	free(s->was);
	free(s->own);
	free(s->mean);
	free(s->told);
	free(s->objective);
	free(s);
	t->state = NULL;
}

#define ALL(n) ((1u << (n)) - 1)

const struct lgn_linear_method lgn_linear_sgd = {
	.name = "sgd",
	.losses = ALL(LAGOON_LINEAR_SOFTMAX + 1),
	.l1 = true,
	.models = ALL(LAGOON_VAP + 1),
	.blocks = 50,
	.epochs = 1000,
	.create = sgd_create,
	.destroy = sgd_destroy,
	.open = sgd_open,
	.close = sgd_close,
	.epoch = sgd_epoch,
	.judge = sgd_judge,
};
