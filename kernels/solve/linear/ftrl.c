/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FTRL-proximal (McMahan, Follow-the-Regularized-Leader and Mirror Descent:
 * Equivalence Theorems and L1 Regularization, AISTATS 2011; McMahan and others,
 * Ad Click Prediction: a View from the Trenches, KDD 2013): a round is to pull
 * the weights, to compute the gradient of a block of rows, to push it, and the
 * clock. The home of the weights does the rest, by the update function ftrl: sums
 * and rates of each weight, and the weight that is best for all gradients so far
 * together with their l1, of which each push brings a share ("grow"). So every
 * column is pushed, also those with a gradient of 0. A push stands for 1 / PUSHES
 * of an epoch, and gradients are as much larger as there are more of them: so the
 * update function's parameters do not depend on the number of workers, and a
 * checkpoint can be gone on from by another one.
 *
 * The gradient of l2 goes with the rows'. Rates shorten with the root of the rounds,
 * which leaves noise of the blocks in the weights of any one round; so what is
 * measured and returned is an average of the weights after epochs, later ones with
 * more weight (Shamir and Zhang, ICML 2013), but of those that are 0 now, which are
 * 0: an average would have no zeros.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/options.h"
#include "kernels/solve/random.h"
#include "kernels/solve/linear/stochastic.h"
#include "runtime/base/status.h"

/* Of weights that make a product of 1. After 1000 epochs with two workers, 0.5, 1
 * and 2 left logistic loss of the mushrooms 4e-5, 3e-6 and 8e-6 too high, squared
 * hinge 1.4e-3, 3e-4 and 6e-4; of a9a after 300 2e-4, 1e-4 and 9e-5. */
#define RATE 1
#define AVERAGE 16.0		/* the mean age is an 18th of the epochs */
#define PUSHES 50		/* of which the l1 of a push is made */

struct ftrl_tables {
	struct lagoon_table *state;
};

struct ftrl {
	double *own;		/* [own][outputs] */
	double *told;		/* of them, in fit->weights */
	uint64_t *turn;		/* [blocks], NULL: as they come */
	uint64_t seed;
};

static int round_of(struct lgn_linear *t, uint64_t i)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	const struct ftrl_tables *tables = t->fit->tables;
	uint64_t cols = t->fit->facts.data.cols;
	double larger = (double)t->rows.blocks * t->fit->workers / PUSHES;
	double share = o->l2 / PUSHES;
	const struct lgn_block *b;
	int rc = lgn_rows_block(&t->rows, i, &b);

	if (!rc)
		rc = lagoon_pull(t->worker, tables->state, 0, cols, t->w);
	if (rc)
		return rc;
	for (size_t k = 0; k < t->n; k++)
		t->g[k] = share * t->w[k];
	lgn_linear_products(t, b, t->w, t->z);
	lgn_linear_losses(t, b, t->z, t->slope);
	lgn_linear_gradient(t, b, o->c * larger, t->slope, t->g);
	rc = lagoon_add(t->worker, tables->state, 0, cols, t->g);
	return rc ? rc : lagoon_clock(t->worker);
}

/* The worker's own weights, to be measured: an average over epochs, of those that
 * are not 0 now. */
static int tell_weights(struct lgn_linear *t)
{
	const struct ftrl_tables *tables = t->fit->tables;
	size_t n = t->own * t->fit->outputs;
	struct ftrl *s = t->state;
	double weight = (AVERAGE + 1) / (t->epoch + AVERAGE);
	int rc;

	rc = lgn_linear_meet(t, 0, NULL);
	if (rc || !n)
		return rc;
	rc = lagoon_pull(t->worker, tables->state, t->first, t->own, s->own);
	/* What is measured is of whole units: 0 stays 0. */
	if (!rc)
		rc = lagoon_pull(t->worker, t->fit->weights, t->first, t->own,
				 s->told);
	for (size_t k = 0; k < n && !rc; k++) {
		double by = s->own[k] - s->told[k];

		s->own[k] = s->own[k] == 0 ? by : weight * by;
	}
	return rc ? rc : lagoon_add(t->worker, t->fit->weights, t->first,
				    t->own, s->own);
}

/* Blocks in another order each time: with always the same one last, weights are off
 * by what it wants, which no average helps. A file, and rows in order, have theirs. */
static int ftrl_epoch(struct lgn_linear *t)
{
	uint64_t blocks = t->rows.blocks;
	struct ftrl *s = t->state;
	int rc = 0;

	for (uint64_t i = 0; s->turn && i < blocks; i++) {
		uint64_t k = lgn_random_next(&s->seed) % (i + 1);

		s->turn[i] = s->turn[k];
		s->turn[k] = i;
	}
	for (uint64_t i = 0; i < blocks && !rc; i++)
		rc = round_of(t, s->turn ? s->turn[i] : i);
	return rc ? rc : tell_weights(t);
}

/* -------------------------------------------------------------- opening */

/* alpha: a weight's first step is about as long as makes a row's product 1. beta:
 * the gradient of an entry of usual size. Of few digits, being of sums of workers,
 * who may be others after a checkpoint, in which these must be the same. */
static int ftrl_create(struct lgn_linear_fit *fit)
{
	struct ftrl_tables *tables = calloc(1, sizeof(*tables));
	struct lagoon_linear_options *o = &fit->options;
	struct lagoon_table_attr attr;
	char update[128];

	fit->tables = tables;
	if (!tables)
		return lgn_fail(LAGOON_ENOMEM, "no memory for tables");
	if (!(o->rate > 0))
		o->rate = RATE / sqrt(lgn_stochastic_row(fit));
	snprintf(update, sizeof(update), "ftrl,alpha=%.6g,beta=%.6g,grow=%.17g",
		 o->rate, o->c * sqrt(lgn_stochastic_entry(fit)),
		 o->l1 / PUSHES);
	lagoon_table_attr_init(&attr);
	attr.rows = fit->facts.data.cols;
	attr.cols = fit->outputs;
	attr.format = LAGOON_FLOAT64;
	attr.push = LAGOON_PUSH_APPLY;
	attr.update = update;
	lgn_options_consistency(o->model, o->staleness, o->sample, &attr);
	return lagoon_table_create(fit->lg, "linear ftrl", &attr,
				   &tables->state);
}

static void ftrl_destroy(struct lgn_linear_fit *fit)
{
	struct ftrl_tables *tables = fit->tables;

	if (tables && tables->state)
		lagoon_table_destroy(tables->state);
	free(tables);
	fit->tables = NULL;
}

static int ftrl_open(struct lgn_linear *t)
{
	bool turns = !t->rows.file && !t->fit->options.in_order;
	size_t n = t->own * t->fit->outputs + 1;
	struct ftrl *s = calloc(1, sizeof(*s));

	t->state = s;
	if (s) {
		s->own = calloc(n, sizeof(*s->own));
		s->told = calloc(n, sizeof(*s->told));
		s->seed = t->fit->options.seed * LGN_RANDOM_STEP + (uint64_t)t->id;
	}
	if (s && turns)
		s->turn = calloc(t->rows.blocks, sizeof(*s->turn));
	if (s && s->own && s->told && (s->turn || !turns))
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for vectors of %zu weights",
			n);
}

static void ftrl_close(struct lgn_linear *t)
{
	struct ftrl *s = t->state;

	if (!s)
		return;
	free(s->own);
	free(s->told);
	free(s->turn);
	free(s);
	t->state = NULL;
}

const struct lgn_linear_method lgn_linear_ftrl = {
	.name = "ftrl",
	.losses = (1u << (LAGOON_LINEAR_SOFTMAX + 1)) - 1,
	.l1 = true,
	.models = 1u << LAGOON_SSP | 1u << LAGOON_BSP | 1u << LAGOON_ASP |
		1u << LAGOON_ESSP | 1u << LAGOON_PSP,
	.streams = true,
	.blocks = 100,
	.epochs = 1000,
	.create = ftrl_create,
	.destroy = ftrl_destroy,
	.open = ftrl_open,
	.close = ftrl_close,
	.epoch = ftrl_epoch,
	.judge = lgn_stochastic_judge,
};
