/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stochastic gradient descent, and AdaGrad. A round: pull what a block of rows
 * uses, step through its rows, add the change, clock; stochastic.h says what a
 * step is. sgd's steps get shorter as 1 / sqrt(epoch), AdaGrad's (Duchi, Hazan
 * and Singer, JMLR 12, 2011) are, for each coordinate, by 1 / sqrt(the sum of
 * squares of all gradients so far): a table to which all workers add theirs, so
 * that no worker's rows count more than another's.
 *
 * What K workers change without seeing it adds up, and with long steps each goes
 * all the way that its rows want. So each steps K times as far in its own copy,
 * as if the others did the same, and adds a K-th of it (Ma and others, Adding vs.
 * Averaging in Distributed Primal-Dual Optimization, ICML 2015: sigma' = K);
 * what is unseen because of staleness counts as more workers. Without that a9a
 * diverged with 2 workers and a staleness of 2.
 */
#include <math.h>

#include "kernels/solve/linear/stochastic.h"

/* Of a row of average length, after which an implicit step has gone RATE / (1 +
 * RATE) of its way in the first epoch. 1 took 5 times the epochs with the
 * mushrooms, 20 took more with a9a. */
#define RATE 4
#define EPOCHS 1e4		/* for which the sums of squares have room, and
				 * some more */

static bool is_adagrad(const struct lgn_linear *t)
{
	return t->fit->options.method == LAGOON_LINEAR_ADAGRAD;
}

/* ---------------------------------------------------------------- rounds */

/* As if one gradient of the usual size had been seen. */
static double scale_of(const struct lgn_linear_fit *fit, double squares)
{
	double first = fit->options.c * fit->options.c *
		lgn_stochastic_entry(fit);

	return 1 / sqrt(first + fmax(0, squares));
}

/* Pull sums of squares; t->g is where those of the block add up. */
static int pull_scale(struct lgn_linear *t, const struct lgn_block *b)
{
	const struct lgn_stochastic_tables *tables = t->fit->tables;
	struct lgn_stochastic *s = t->state;
	size_t outputs = t->fit->outputs;
	int rc = lgn_linear_pull(t, tables->squares, b, s->squares);

	for (uint32_t j = 0; j < b->n_cols && !rc; j++)
		for (size_t k = b->cols[j] * outputs;
		     k < (b->cols[j] + 1) * outputs; k++) {
			s->scale[k] = scale_of(t->fit, s->squares[k]);
			t->g[k] = 0;
		}
	return rc;
}

/* Weights by what they changed, the gradient by what that was made of. */
static int add_change(struct lgn_linear *t, const struct lgn_block *b)
{
	const struct lgn_stochastic_tables *tables = t->fit->tables;
	struct lgn_stochastic *s = t->state;
	size_t outputs = t->fit->outputs;
	int rc;

	for (uint32_t j = 0; j < b->n_cols; j++)
		for (size_t k = b->cols[j] * outputs;
		     k < (b->cols[j] + 1) * outputs; k++)
			s->was[k] = (t->w[k] - s->was[k]) / s->others;
	rc = lgn_linear_add(t, tables->state, b, s->was);
	for (uint32_t j = 0; j < b->n_cols; j++)
		for (size_t k = b->cols[j] * outputs;
		     k < (b->cols[j] + 1) * outputs; k++)
			s->was[k] /= -s->step / s->others *
				(s->scale ? s->scale[k] : 1);
	if (!rc)
		rc = lgn_linear_add(t, tables->gradient, b, s->was);
	if (!rc && is_adagrad(t))
		rc = lgn_linear_add(t, tables->squares, b, t->g);
	return rc;
}

/* A proximal step of the worker's own weights, by its share of the gradient and
 * the penalties. */
static int step_own(struct lgn_linear *t)
{
	const struct lgn_stochastic_tables *tables = t->fit->tables;
	const struct lagoon_linear_options *o = &t->fit->options;
	struct lgn_stochastic *s = t->state;
	size_t n = t->own * t->fit->outputs;
	double *squares = s->squares ?
		s->squares + t->first * t->fit->outputs : NULL;
	int rc = lgn_stochastic_pull_own(t);

	if (!rc && n && squares)
		rc = lagoon_pull(t->worker, tables->squares, t->first, t->own,
				 squares);
	for (size_t k = 0; k < n && !rc; k++) {
		double by = s->step / (s->others * (double)t->rows.blocks) *
			(squares ? scale_of(t->fit, squares[k]) : 1);
		double w = s->own[k], u = w - by * s->own_gradient[k];

		lagoon_prox_elastic(1, by * o->l1, by * o->l2, &u);
		s->own[k] = u - w;
	}
	if (!rc && n)
		rc = lagoon_add(t->worker, tables->state, t->first, t->own,
				s->own);
	return rc;
}

static int round_of(struct lgn_linear *t, uint64_t i)
{
	const struct lgn_stochastic_tables *tables = t->fit->tables;
	struct lgn_stochastic *s = t->state;
	const struct lgn_block *b;
	int rc = lgn_rows_block(&t->rows, i, &b);

	if (!rc)
		rc = lgn_linear_pull(t, tables->state, b, t->w);
	if (!rc && is_adagrad(t))
		rc = pull_scale(t, b);
	if (rc)
		return rc;
	lgn_stochastic_copy(t, b, t->w, s->was);
	lgn_stochastic_rows(t, b, t->w, is_adagrad(t) ? t->g : NULL);
	rc = add_change(t, b);
	if (!rc)
		rc = step_own(t);
	return rc ? rc : lagoon_clock(t->worker);
}

static int epoch(struct lgn_linear *t)
{
	struct lgn_stochastic *s = t->state;
	int rc = 0;

	s->others = 1 + (t->fit->workers - 1) * lgn_linear_unseen(t->fit);
	s->step = t->fit->options.rate * s->others;
	if (!is_adagrad(t))
		s->step /= sqrt(t->epoch);
	for (uint64_t i = 0; i < t->rows.blocks && !rc; i++)
		rc = round_of(t, i);
	return rc ? rc : lgn_stochastic_tell(t);
}

/* --------------------------------------------------------------- opening */

static int create_state(struct lgn_linear_fit *fit)
{
	struct lgn_stochastic_tables *tables = fit->tables;

	return lgn_linear_table(fit, "linear state", fit->largest,
				&tables->state);
}

static int sgd_create(struct lgn_linear_fit *fit)
{
	int rc = lgn_stochastic_create(fit);

	if (!(fit->options.rate > 0))
		fit->options.rate = RATE / (fit->options.c *
					    lgn_stochastic_row(fit));
	return rc ? rc : create_state(fit);
}

/* Weights that make a product of about 1. */
static int adagrad_create(struct lgn_linear_fit *fit)
{
	struct lgn_stochastic_tables *tables;
	double c = fit->options.c;
	double largest = c * c * fit->facts.data.squares * EPOCHS + 1;
	int rc = lgn_stochastic_create(fit);

	if (!(fit->options.rate > 0))
		fit->options.rate = RATE / sqrt(lgn_stochastic_row(fit));
	if (!rc)
		rc = create_state(fit);
	tables = fit->tables;
	return rc ? rc : lgn_linear_table(fit, "linear squares", largest,
					  &tables->squares);
}

static int sgd_open(struct lgn_linear *t)
{
	return lgn_stochastic_open(t, is_adagrad(t),
				   sizeof(struct lgn_stochastic));
}

#define ALL(n) ((1u << (n)) - 1)

const struct lgn_linear_method lgn_linear_sgd = {
	.name = "sgd",
	.losses = ALL(LAGOON_LINEAR_SOFTMAX + 1),
	.l1 = true,
	.models = ALL(LAGOON_VAP + 1),
	.streams = true,
	.blocks = 50,
	.epochs = 1000,
	.create = sgd_create,
	.destroy = lgn_stochastic_destroy,
	.open = sgd_open,
	.close = lgn_stochastic_close,
	.epoch = epoch,
	.judge = lgn_stochastic_judge,
	.rows = lgn_stochastic_slopes,
	.resume = lgn_stochastic_resume,
};

const struct lgn_linear_method lgn_linear_adagrad = {
	.name = "adagrad",
	.losses = ALL(LAGOON_LINEAR_SOFTMAX + 1),
	.l1 = true,
	.models = ALL(LAGOON_VAP + 1),
	.streams = true,
	.blocks = 50,
	.epochs = 1000,
	.create = adagrad_create,
	.destroy = lgn_stochastic_destroy,
	.open = sgd_open,
	.close = lgn_stochastic_close,
	.epoch = epoch,
	.judge = lgn_stochastic_judge,
	.rows = lgn_stochastic_slopes,
	.resume = lgn_stochastic_resume,
};
