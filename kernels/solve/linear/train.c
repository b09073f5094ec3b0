/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker's part of a fit: its rows in blocks, then epochs of the method,
 * after each of which all measure objective, accuracy and dual at rest.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/given.h"
#include "kernels/solve/linear/linear.h"
#include "kernels/solve/options.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"


/* ------------------------------------------------------------ meetings */

static void merge(struct lgn_linear *t)
{
	struct lgn_linear_tidings *sum = &t->sum;

	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < t->fit->workers; i++) {
		const struct lgn_linear_tidings *one = &t->all[i];

		sum->loss += one->loss;
		sum->correct += one->correct;
		sum->test_correct += one->test_correct;
		sum->squares += one->squares;
		sum->abs += one->abs;
		sum->nonzeros += one->nonzeros;
		sum->dual += one->dual;
		for (int k = 0; k < LGN_LINEAR_OWN; k++)
			sum->own[k] += one->own[k];
		sum->stop |= one->stop;
		sum->interrupted |= one->interrupted;
	}
}

int lgn_linear_meet(struct lgn_linear *t, int rc,
		    const struct lgn_linear_tidings *mine)
{
	const struct lgn_linear_tidings none = { 0 };

	rc = lgn_share_meet(&t->fit->tidings, t->worker, &t->round, rc,
			    mine ? mine : &none, t->all);
	if (!rc)
		merge(t);
	return rc;
}

/* ----------------------------------------------------------- measuring */

static void add_penalties(const struct lgn_linear *t,
			  struct lgn_linear_tidings *mine)
{
	size_t outputs = t->fit->outputs;
	const double *w = t->w + t->first * outputs;

	for (size_t k = 0; k < t->own * outputs; k++) {
		mine->squares += w[k] * w[k];
		mine->abs += fabs(w[k]);
		mine->nonzeros += w[k] != 0;
	}
}

static int add_losses(struct lgn_linear *t, struct lgn_linear_tidings *mine)
{
	const struct lgn_block *b;
	int rc = 0;

	for (uint64_t i = 0; i < t->rows.blocks && !rc; i++) {
		rc = lgn_rows_block(&t->rows, i, &b);
		if (rc)
			break;
		lgn_linear_products(t, b, t->w, t->z);
		mine->loss += lgn_linear_losses(t, b, t->z, NULL);
		mine->correct += lgn_linear_correct(t, b, t->z);
	}
	return rc;
}

static double value(const struct lgn_linear *t)
{
	const struct lagoon_linear_options *o = &t->fit->options;

	return o->c * t->sum.loss + o->l1 * t->sum.abs +
		o->l2 / 2 * t->sum.squares;
}

bool lgn_linear_is_converged(const struct lgn_linear *t)
{
	double before = t->history[(t->epoch + 1) % (LGN_LINEAR_WINDOW + 1)];
	double least = t->fit->options.tolerance * t->objective;

	if (t->fit->method->dual)
		return t->gap <= least;
	return t->epoch > LGN_LINEAR_WINDOW &&
		fabs(before - t->objective) <= least;
}

static int judge(struct lgn_linear *t)
{
	const struct lgn_linear_method *m = t->fit->method;

	t->objective = value(t);
	t->accuracy = (double)t->sum.correct / (double)t->fit->facts.data.rows;
	t->nonzeros = t->sum.nonzeros;
	t->stopped = t->sum.stop;
	t->interrupted = t->sum.interrupted;
	t->past[t->epoch] = t->objective;
	if (m->dual) {
		t->dual = fmax(t->dual, t->sum.dual);
		t->gap = fmax(0, t->objective - t->dual);
	}
	t->history[t->epoch % (LGN_LINEAR_WINDOW + 1)] = t->objective;
	if (m->judge)
		return m->judge(t);
	t->converged = lgn_linear_is_converged(t);
	return 0;
}

/* The weights into t->w, and what they cost. */
static int add_value(struct lgn_linear *t, struct lgn_linear_tidings *mine)
{
	int rc = lagoon_pull(t->worker, t->fit->weights, 0,
			     t->fit->facts.data.cols, t->w);

	if (!rc)
		rc = add_losses(t, mine);
	if (!rc)
		add_penalties(t, mine);
	return rc;
}

/* All workers, none of which adds to the weights meanwhile. */
static int measure(struct lgn_linear *t)
{
	struct lgn_linear_tidings mine = {
		.stop = t->asked,
		.interrupted = lgn_linear_is_interrupted(t),
	};
	int rc = add_value(t, &mine);

	if (!rc && t->fit->method->measure)
		rc = t->fit->method->measure(t, &mine);
	rc = lgn_linear_meet(t, rc, &mine);
	return rc ? rc : judge(t);
}

static void report(struct lgn_linear *t)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	const struct lagoon_linear_epoch e = {
		.epoch = t->epoch,
		.objective = t->objective,
		.accuracy = t->accuracy,
		.gap = t->gap,
		.nonzeros = t->nonzeros,
		.seconds = lgn_seconds_since(t->fit->start_ns),
	};

	if (o->progress && t->id == t->fit->first_worker &&
	    o->progress(o->progress_arg, &e))
		t->asked = 1;
}

double lgn_linear_unseen(const struct lgn_linear_fit *fit)
{
	return lgn_options_unseen(fit->options.model, fit->options.staleness);
}

/* --------------------------------------------------------- the epochs */

/* At zero weights every row has the same loss. */
static double value_at_zero(const struct lgn_linear *t)
{
	const struct lgn_linear_fit *fit = t->fit;
	double loss = 1;

	if (fit->options.loss == LAGOON_LINEAR_LOGISTIC)
		loss = log(2);
	if (fit->options.loss == LAGOON_LINEAR_SOFTMAX)
		loss = log(fit->facts.classes);
	return fit->options.c * loss * (double)fit->facts.data.rows;
}

/* Each worker brings the weights that it answers for. */
static int take_given(struct lgn_linear *t)
{
	double *own = t->w + t->first * t->fit->outputs;
	struct lgn_linear_tidings mine = { 0 };
	int rc = lgn_given_pull(t->worker, t->fit->options.table, t->first,
				t->own, t->fit->largest, own);

	if (!rc && t->own)
		rc = lagoon_add(t->worker, t->fit->weights, t->first, t->own,
				own);
	rc = lgn_linear_meet(t, rc, NULL);
	if (rc)
		return rc;
	rc = lgn_linear_meet(t, add_value(t, &mine), &mine);
	t->objective = value(t);
	return rc;
}

/* Where the first epoch is to begin, and what that is worth. */
static int start(struct lgn_linear *t)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	int rc = 0;

	t->dual = -INFINITY;
	t->gap = -1;
	t->objective = value_at_zero(t);
	t->started = o->table && !o->resume && t->fit->method->starts;
	if (t->started)
		rc = take_given(t);
	t->history[0] = t->past[0] = t->objective;
	return rc;
}

static int train(struct lgn_linear *t)
{
	const struct lgn_linear_method *m = t->fit->method;
	int epochs = t->fit->options.epochs, rc = start(t);

	if (!rc && m->open)
		rc = m->open(t);
	if (!rc)
		rc = lgn_linear_resume(t);
	rc = lgn_linear_meet(t, rc, NULL);
	/* What is returned if no epoch is left. */
	if (!rc && t->fit->saved)
		rc = lagoon_pull(t->worker, t->fit->weights, 0,
				 t->fit->facts.data.cols, t->w);
	while (!rc && t->epoch < epochs && !t->converged && !t->stopped &&
	       !t->interrupted) {
		t->epoch++;
		rc = m->epoch(t);
		if (!rc)
			rc = lgn_linear_meet(t, 0, NULL);
		if (!rc)
			rc = measure(t);
		if (!rc)
			report(t);
		if (!rc)
			rc = lgn_linear_save(t);
	}
	return rc;
}

/* -------------------------------------------------------------- the end */

static int measure_test(struct lgn_linear *t, struct lgn_linear_tidings *mine)
{
	const struct lgn_block *b;
	int rc = 0;

	for (uint64_t i = 0; i < t->test.blocks && !rc; i++) {
		rc = lgn_rows_block(&t->test, i, &b);
		if (rc)
			break;
		lgn_linear_products(t, b, t->w, t->z);
		mine->test_correct += lgn_linear_correct(t, b, t->z);
	}
	return rc;
}

/* t->w has the weights that were measured last. */
static int finish(struct lgn_linear *t)
{
	struct lagoon_linear_result *r = t->fit->result;
	struct lgn_linear_tidings mine = { 0 };
	int rc = measure_test(t, &mine);

	if (!rc && t->fit->options.table)
		rc = lgn_given_tell(t->worker, t->fit->options.table, t->first,
				    t->own, t->w + t->first * t->fit->outputs);
	rc = lgn_linear_meet(t, rc, &mine);
	if (rc || t->id != t->fit->first_worker)
		return rc;
	r->objective = t->objective;
	r->gap = t->gap;
	r->accuracy = t->accuracy;
	r->nonzeros = t->nonzeros;
	r->epochs = t->epoch;
	r->converged = t->converged;
	r->stopped = t->stopped && !t->converged;
	r->interrupted = t->interrupted;
	if (r->test_rows)
		r->test_accuracy = (double)t->sum.test_correct /
			(double)r->test_rows;
	if (t->fit->out)
		memcpy(t->fit->out, t->w, t->n * sizeof(*t->w));
	return 0;
}

/* ------------------------------------------------------------- opening */

static struct lgn_rows_spec spec_of(const struct lgn_linear *t)
{
	struct lgn_linear_fit *fit = t->fit;

	return (struct lgn_rows_spec){
		.path = fit->path,
		.blocks = fit->blocks,
		.cols = fit->facts.data.cols,
		.classes = fit->facts.classes,
		.label = fit->facts.label,
		.in_order = fit->options.in_order,
		.seed = fit->options.seed,
		.stream = (uint32_t)t->id,
	};
}

static int open_streams(struct lgn_linear *t,
			const struct lgn_linear_loaded *loaded)
{
	struct lgn_linear_fit *fit = t->fit;
	struct lgn_rows_source source = lgn_linear_source(fit, t->id,
							  fit->path);
	struct lgn_rows_spec spec = spec_of(t);
	int rc = lgn_rows_open_file(&source, loaded->rows, &spec, &t->rows);

	if (rc || !fit->test)
		return rc;
	source.path = spec.path = fit->test;
	return lgn_rows_open_file(&source, loaded->test_rows, &spec, &t->test);
}

static int open_rows(struct lgn_linear *t)
{
	struct lgn_linear_fit *fit = t->fit;
	struct lgn_linear_loaded *loaded =
		&fit->loaded[t->id - fit->first_worker];
	struct lgn_rows_spec spec = spec_of(t);
	int rc;

	if (fit->options.stream && fit->path)
		return open_streams(t, loaded);
	rc = lgn_rows_open(&loaded->data, &spec, &t->rows);
	if (rc || !fit->test)
		return rc;
	spec.path = fit->test;
	spec.in_order = true;
	return lgn_rows_open(&loaded->test, &spec, &t->test);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int open_vectors(struct lgn_linear *t)
{
	size_t outputs = t->fit->outputs;
	size_t rows = larger(t->rows.largest, t->test.largest) + 1;
	size_t cols = larger(t->rows.largest_cols, t->test.largest_cols);

	t->w = calloc(t->n, sizeof(*t->w));
	t->g = calloc(t->n, sizeof(*t->g));
	t->z = calloc(rows * outputs, sizeof(*t->z));
	t->slope = calloc(rows * outputs, sizeof(*t->slope));
	t->room = calloc((cols + 1) * outputs, sizeof(*t->room));
	t->past = calloc((size_t)t->fit->options.epochs + 1, sizeof(*t->past));
	if (t->w && t->g && t->z && t->slope && t->room && t->past)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for vectors of %zu weights",
			t->n);
}

static int prepare(struct lgn_linear *t)
{
	uint64_t cols = t->fit->facts.data.cols, id = (uint64_t)t->id;
	uint64_t workers = (uint64_t)t->fit->workers;
	int rc;

	t->first = cols * id / workers;
	t->own = cols * (id + 1) / workers - t->first;
	t->n = (size_t)cols * t->fit->outputs;
	t->all = calloc((size_t)workers, sizeof(*t->all));
	if (!t->all)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the tidings of "
				"%llu workers", (unsigned long long)workers);
	rc = open_rows(t);
	return rc ? rc : open_vectors(t);
}

/* The first meeting: whose rows come before this worker's. */
static int meet_rows(struct lgn_linear *t, int rc)
{
	struct lgn_linear_tidings mine = { .own = { (double)t->rows.rows } };

	rc = lgn_linear_meet(t, rc, &mine);
	for (int i = 0; i < t->id && !rc; i++)
		t->first_row += (uint64_t)t->all[i].own[0];
	return rc;
}

static void close_all(struct lgn_linear *t)
{
	if (t->fit->method->close)
		t->fit->method->close(t);
	lgn_rows_close(&t->rows);
	lgn_rows_close(&t->test);
	free(t->all);
	free(t->w);
	free(t->g);
	free(t->z);
	free(t->slope);
	free(t->room);
	free(t->past);
}

int lgn_linear_train(struct lagoon_worker *w, void *arg)
{
	struct lgn_linear t = { .fit = arg, .worker = w };
	int rc;

	t.id = lagoon_worker_id(w);
	rc = prepare(&t);
	/* Without room for what is told at a meeting there is none. */
	if (t.all)
		rc = meet_rows(&t, rc);
	if (!rc)
		rc = train(&t);
	if (!rc)
		rc = finish(&t);
	if (rc)
		lgn_share_fail(&t.fit->tidings, w, t.round, rc);
	close_all(&t);
	return rc;
}
