/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Downpour SGD (Dean and others, Large Scale Distributed Deep Networks, NIPS
 * 2012): each worker has a copy of the model, which it fetches every n_fetch
 * blocks, and steps in it; every n_push blocks it pushes the gradients that have
 * accrued, and where the weights are AdaGrad decides how far these go: the
 * update function of the table in apply mode.
 *
 * Gradients are what stochastic.h says: of rows, the change of those kept, and of
 * the weights that a worker answers for, their share of mean gradient and
 * penalties. Such gradients become 0, and AdaGrad's steps no shorter by them, so
 * what is pushed is made shorter by 1 / sqrt(epoch): without that squared hinge of
 * the mushrooms stayed 1 % too high. Steps in the copy get shorter by less: these
 * being long, the gradient is that of where the rows want to be, and homes cannot
 * overshoot; 1 / sqrt(epoch) here let the same data diverge after 100 epochs.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/columns.h"
#include "kernels/solve/options.h"
#include "kernels/solve/linear/stochastic.h"
#include "runtime/base/status.h"

#define RATE 3			/* of weights that make a product of 1 */
#define LOCAL 4			/* as sgd's */

struct downpour {
	struct lgn_stochastic common;	/* first: it is t->state */
	struct lgn_columns used;	/* since the last push */
	uint64_t *cols;		/* [features] room for their list */
	double *room;		/* [n] */
	uint64_t steps;		/* blocks since the fit began */
	uint64_t accrued;	/* since the last push */
};

/* ----------------------------------------------------------------- push */

/* The same numbers are the gradient for the weights, and what the gradient kept
 * changes by. */
static int push_rows(struct lgn_linear *t, struct downpour *d)
{
	const struct lgn_stochastic_tables *tables = t->fit->tables;
	size_t outputs = t->fit->outputs;
	uint32_t n = lgn_columns_rank(&d->used);
	int rc;

	lgn_columns_list(&d->used, d->cols);
	for (uint32_t j = 0; j < n; j++) {
		double *g = t->g + d->cols[j] * outputs;

		memcpy(d->room + j * outputs, g, outputs * sizeof(*g));
		memset(g, 0, outputs * sizeof(*g));
	}
	lgn_columns_clear(&d->used);
	if (!n)
		return 0;
	rc = lagoon_add_rows(t->worker, tables->gradient, d->cols, n, d->room);
	for (size_t k = 0; k < n * outputs; k++)
		d->room[k] /= sqrt(t->epoch);
	return rc ? rc : lagoon_add_rows(t->worker, tables->state, d->cols, n,
					 d->room);
}

static int push_own(struct lgn_linear *t, struct downpour *d)
{
	const struct lgn_stochastic_tables *tables = t->fit->tables;
	struct lgn_stochastic *s = &d->common;
	double share = (double)d->accrued /
		((double)t->rows.blocks * sqrt(t->epoch));

	for (size_t k = 0; k < t->own * t->fit->outputs; k++)
		s->own[k] = share * (s->own_gradient[k] +
				     t->fit->options.l2 * s->own[k]);
	return t->own ? lagoon_add(t->worker, tables->state, t->first, t->own,
				   s->own) : 0;
}

static int push(struct lgn_linear *t, struct downpour *d)
{
	int rc = push_own(t, d);

	if (!rc)
		rc = push_rows(t, d);
	d->accrued = 0;
	return rc;
}

/* ---------------------------------------------------------------- rounds */

/* Steps in the copy, of which the gradient accrues. */
static void step(struct lgn_linear *t, struct downpour *d,
		 const struct lgn_block *b)
{
	struct lgn_stochastic *s = &d->common;
	size_t outputs = t->fit->outputs;

	lgn_stochastic_copy(t, b, t->w, s->was);
	lgn_stochastic_rows(t, b, t->w, NULL);
	for (uint32_t j = 0; j < b->n_cols; j++) {
		lgn_columns_add(&d->used, b->cols[j]);
		for (size_t k = b->cols[j] * outputs;
		     k < (b->cols[j] + 1) * outputs; k++)
			t->g[k] += (s->was[k] - t->w[k]) / s->step;
	}
	d->accrued++;
}

static int round_of(struct lgn_linear *t, uint64_t i)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	const struct lgn_stochastic_tables *tables = t->fit->tables;
	struct downpour *d = t->state;
	const struct lgn_block *b;
	int rc = lgn_rows_block(&t->rows, i, &b);

	if (!rc && d->steps % (uint64_t)o->n_fetch == 0)
		rc = lagoon_pull(t->worker, tables->state, 0,
				 t->fit->facts.data.cols, t->w);
	if (!rc)
		rc = lgn_stochastic_pull_own(t);
	if (rc)
		return rc;
	step(t, d, b);
	d->steps++;
	if (d->accrued == (uint64_t)o->n_push || i + 1 == t->rows.blocks)
		rc = push(t, d);
	return rc ? rc : lagoon_clock(t->worker);
}

static int epoch(struct lgn_linear *t)
{
	struct lgn_stochastic *s = t->state;
	struct downpour *d = t->state;
	int rc = 0;

	s->step = LOCAL / (t->fit->options.c * lgn_stochastic_row(t->fit) *
			   sqrt(sqrt(t->epoch)));
	d->steps = 0;		/* t->w was used to measure */
	for (uint64_t i = 0; i < t->rows.blocks && !rc; i++)
		rc = round_of(t, i);
	return rc ? rc : lgn_stochastic_tell(t);
}

/* --------------------------------------------------------------- opening */

static int create(struct lgn_linear_fit *fit)
{
	struct lgn_stochastic_tables *tables;
	struct lagoon_linear_options *o = &fit->options;
	struct lagoon_table_attr attr;
	char update[128];
	int rc = lgn_stochastic_create(fit);

	if (rc)
		return rc;
	tables = fit->tables;
	if (!(o->rate > 0))
		o->rate = RATE / sqrt(lgn_stochastic_row(fit));
	/* Sums of workers, who may be others after a checkpoint, in which these
	 * must be the same: of few digits. */
	snprintf(update, sizeof(update), "adagrad,rate=%.6g,initial=%.6g",
		 o->rate, o->c * o->c * lgn_stochastic_entry(fit));
	lagoon_table_attr_init(&attr);
	attr.rows = fit->facts.data.cols;
	attr.cols = fit->outputs;
	attr.format = LAGOON_FLOAT64;
	attr.push = LAGOON_PUSH_APPLY;
	attr.update = update;
	lgn_options_consistency(o->model, o->staleness, o->sample, &attr);
	return lagoon_table_create(fit->lg, "linear downpour", &attr,
				   &tables->state);
}

static int open(struct lgn_linear *t)
{
	uint64_t cols = t->fit->facts.data.cols;
	struct downpour *d;
	int rc = lgn_stochastic_open(t, false, sizeof(*d));

	if (rc)
		return rc;
	d = t->state;
	d->cols = malloc(cols * sizeof(*d->cols));
	d->room = malloc(t->n * sizeof(*d->room));
	rc = lgn_columns_open(&d->used, cols);
	if (!rc && !(d->cols && d->room))
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for %llu columns",
			      (unsigned long long)cols);
	return rc;
}

static void close(struct lgn_linear *t)
{
	struct downpour *d = t->state;

	if (d) {
		lgn_columns_close(&d->used);
		free(d->cols);
		free(d->room);
	}
	lgn_stochastic_close(t);
}

const struct lgn_linear_method lgn_linear_downpour = {
	.name = "downpour",
	.losses = (1u << (LAGOON_LINEAR_SOFTMAX + 1)) - 1,
	.models = 1u << LAGOON_SSP | 1u << LAGOON_BSP | 1u << LAGOON_ASP |
		1u << LAGOON_ESSP | 1u << LAGOON_PSP,
	.streams = true,
	.blocks = 50,
	.epochs = 1000,
	.create = create,
	.destroy = lgn_stochastic_destroy,
	.open = open,
	.close = close,
	.epoch = epoch,
	.judge = lgn_stochastic_judge,
	.rows = lgn_stochastic_slopes,
	.resume = lgn_stochastic_resume,
};
