/* SPDX-License-Identifier: BSD-3-Clause */
/* One worker's part of a fit: first factors, epochs, and what they come to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/mf/mf.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define SPREAD 0.8		/* first factors of rank 1 are -0.8 to 0.8 */

int lgn_mf_meet(struct lgn_mf *t, int rc, const struct lgn_mf_tidings *mine)
{
	const struct lgn_mf_tidings none = { 0 };

	return lgn_share_meet(&t->fit->tidings, t->w, &t->round, rc,
			      mine ? mine : &none, t->all);
}

int lgn_mf_put(struct lgn_mf *t, struct lagoon_table *table,
	       const uint64_t *rows, uint32_t n, const double *val)
{
	return n ? lagoon_add_rows(t->w, table, rows, n, val) : 0;
}

int lgn_mf_pull(struct lgn_mf *t, struct lagoon_table *table,
		const uint64_t *rows, uint32_t n, double *val)
{
	return n ? lagoon_pull_rows(t->w, table, rows, n, val) : 0;
}

/* Workers that have the same column know the same of it. */
int lgn_mf_tell(struct lgn_mf *t)
{
	const struct lgn_mf_fit *fit = t->fit;
	int rc = lgn_mf_put(t, fit->rows, t->rows->id, t->rows->lines, t->x);

	if (!rc && !fit->method->adds)
		rc = lgn_mf_put(t, fit->cols, t->rows->others,
				t->rows->n_others, t->y);
	return lgn_mf_meet(t, rc, NULL);
}

/* --------------------------------------------------------------- measure */

static int judge(struct lgn_mf *t)
{
	const struct lgn_mf_fit *fit = t->fit;
	double scale = fit->scale, errors = 0, penalty = 0, test = 0;

	t->stopped = t->interrupted = 0;
	for (int i = 0; i < fit->workers; i++) {
		errors += t->all[i].errors;
		penalty += t->all[i].penalty;
		test += t->all[i].test;
		t->stopped |= t->all[i].stop;
		t->interrupted |= t->all[i].interrupted;
	}
	t->objective = (errors + penalty) * scale * scale;
	t->rmse = sqrt(errors / (double)fit->facts.n) * scale;
	t->test_rmse = fit->has_test ?
		sqrt(test / (double)fit->facts.test_n) * scale : -1;
	if (isfinite(t->objective) && isfinite(test))
		return 0;
	return lgn_fail(LAGOON_ERANGE, "the factors grow beyond all bounds in "
			"epoch %d: expected a lower rate than %g", t->epoch,
			fit->options.rate);
}

static void report(struct lgn_mf *t)
{
	const struct lagoon_mf_options *o = &t->fit->options;
	const struct lagoon_mf_epoch e = {
		.epoch = t->epoch,
		.objective = t->objective,
		.rmse = t->rmse,
		.test_rmse = t->test_rmse,
		.seconds = lgn_seconds_since(t->fit->start_ns),
	};

	if (o->progress && t->id == t->fit->first_worker &&
	    o->progress(o->progress_arg, &e))
		t->asked = 1;
}

static int measure(struct lgn_mf *t)
{
	const struct lgn_saving saving = lgn_mf_saving(t->fit);
	struct lgn_mf_tidings mine = {
		.stop = t->asked,
		.interrupted = lgn_saving_is_interrupted(&saving),
	};
	int rc = lgn_mf_meet(t, 0, NULL);

	if (rc)
		return rc;
	rc = t->fit->method->get(t);
	if (!rc)
		lgn_mf_measure(t, &mine);
	rc = lgn_mf_meet(t, rc, &mine);
	if (!rc)
		rc = judge(t);
	if (!rc)
		report(t);
	return rc ? rc : lgn_mf_save(t);
}

static int train(struct lgn_mf *t)
{
	const struct lagoon_mf_options *o = &t->fit->options;
	int rc = t->fit->method->begin(t);

	while (!rc && t->epoch < o->epochs && !t->stopped && !t->interrupted) {
		uint64_t start = lgn_now_ns();

		t->epoch++;
		rc = t->fit->method->epoch(t);
		t->fit_seconds += lgn_seconds_since(start);
		if (!rc && (t->epoch % o->measure == 0 || t->epoch == o->epochs))
			rc = measure(t);
	}
	return rc;
}

/* --------------------------------------------------------------- the end */

/* Back to the units of the ratings. */
static void scale_rows(const struct lgn_mf *t, uint64_t rows, double *val)
{
	double by = sqrt(t->fit->scale);

	for (uint64_t i = 0; i < rows; i++, val += t->width)
		for (uint32_t f = 0; f < t->width; f++)
			val[f] *= f < t->rank ? by : t->fit->scale;
}

/* The table of columns may be of floats. */
static int pull_cols(struct lgn_mf *t, double *out)
{
	const struct lgn_mf_fit *fit = t->fit;
	size_t n = fit->facts.cols * t->width;
	float *val = fit->method->adds ? malloc(n * sizeof(*val)) : NULL;
	int rc;

	if (!fit->method->adds)
		return lagoon_pull(t->w, fit->cols, 0, fit->facts.cols, out);
	if (!val)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu factors", n);
	rc = lagoon_pull(t->w, fit->cols, 0, fit->facts.cols, val);
	for (size_t i = 0; i < n && !rc; i++)
		out[i] = (double)val[i];
	free(val);
	return rc;
}

static int fill_model(struct lgn_mf *t)
{
	const struct lgn_mf_fit *fit = t->fit;
	struct lagoon_mf_model *m = &fit->result->model;
	double *rows = fit->swapped ? m->item : m->user;
	double *cols = fit->swapped ? m->user : m->item;
	int rc;

	if (!rows)
		return 0;
	rc = lagoon_pull(t->w, fit->rows, 0, fit->facts.rows, rows);
	if (!rc)
		rc = pull_cols(t, cols);
	scale_rows(t, fit->facts.rows, rows);
	scale_rows(t, fit->facts.cols, cols);
	return rc;
}

static int finish(struct lgn_mf *t)
{
	struct lagoon_mf_result *r = t->fit->result;
	int rc = t->interrupted ? 0 : lgn_mf_tell(t);

	if (rc || t->id != t->fit->first_worker)
		return rc;
	r->objective = t->objective;
	r->rmse = t->rmse;
	r->test_rmse = t->test_rmse;
	r->epochs = t->epoch;
	r->stopped = t->stopped;
	r->interrupted = t->interrupted;
	r->fit_seconds = t->fit_seconds;
	if (t->interrupted) {
		lagoon_mf_model_free(&r->model);
		return 0;
	}
	return fill_model(t);
}

/* --------------------------------------------------------------- opening */

/* The first factors do not depend on who has the row. */
void lgn_mf_first(const struct lgn_mf *t, uint64_t stream,
		  const uint64_t *id, uint32_t n, double *out)
{
	double by = SPREAD / sqrt(t->rank);
	uint64_t seed = lgn_random_mix(t->fit->options.seed * 2 + stream);

	for (uint32_t i = 0; i < n; i++) {
		uint64_t x = lgn_random_mix(seed ^ id[i]);

		for (uint32_t f = 0; f < t->rank; f++) {
			x = lgn_random_mix(x);
			out[f] = by * ((double)(x >> 11) * 0x1p-52 - 1);
		}
		if (t->width > t->rank)
			out[t->rank] = 0;
		out += t->width;
	}
}

/* What nobody rated stays 0, whatever was drawn for it. */
static void clear_unrated(const struct lgn_mf *t)
{
	for (uint32_t j = 0; j < t->rows->n_others; j++)
		if (t->count[j] < 1)
			memset(t->y + (size_t)j * t->width, 0,
			       t->width * sizeof(*t->y));
}

/* How many ratings columns have. */
static int count(struct lgn_mf *t)
{
	const struct lgn_mf_lines *l = t->rows;
	int64_t *n = calloc(l->n_others + (size_t)1, sizeof(*n));
	int rc = n ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for counts");

	for (size_t k = 0; k < l->n && !rc; k++)
		n[l->across[k]]++;
	for (uint32_t j = 0; j < l->n_others && !rc; j++)
		t->own[j] = (double)n[j];
	/* A checkpoint has them already. */
	if (!rc && l->n_others && !t->fit->saved)
		rc = lagoon_add_rows(t->w, t->fit->counts, l->others,
				     l->n_others, n);
	rc = lgn_mf_meet(t, rc, NULL);
	if (!rc && l->n_others)
		rc = lagoon_pull_rows(t->w, t->fit->counts, l->others,
				      l->n_others, n);
	for (uint32_t j = 0; j < l->n_others && !rc; j++)
		t->count[j] = (double)n[j];
	free(n);
	return rc;
}

/* Mean 0, deviation 1. */
static void scale_ratings(const struct lgn_mf_fit *fit, double *val, size_t n)
{
	for (size_t k = 0; k < n; k++)
		val[k] = (val[k] - fit->mean) / fit->scale;
}

static int open_vectors(struct lgn_mf *t)
{
	size_t lines = t->rows->lines, others = t->rows->n_others;

	t->all = calloc((size_t)t->fit->workers, sizeof(*t->all));
	t->count = calloc(others + 1, sizeof(*t->count));
	t->own = calloc(others + 1, sizeof(*t->own));
	t->x = malloc((lines * t->width + 1) * sizeof(*t->x));
	t->y = malloc((others * t->width + 1) * sizeof(*t->y));
	if (t->all && t->count && t->own && t->x && t->y)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for %u factors of %zu and "
			"%zu users and items", t->rank, lines, others);
}

static int prepare(struct lgn_mf *t)
{
	const struct lgn_mf_fit *fit = t->fit;
	struct lgn_mf_part *p = &fit->part[t->id - fit->first_worker];
	int rc;

	t->rank = (uint32_t)fit->options.rank;
	t->width = fit->width;
	t->lambda = fit->options.lambda / fit->scale;
	t->rows = &p->rows;
	t->cols = &p->cols;
	t->tests = &p->tests;
	t->test_rmse = -1;
	rc = open_vectors(t);
	if (rc)
		return rc;
	scale_ratings(fit, p->rows.val, p->rows.n);
	scale_ratings(fit, p->cols.val, p->cols.n);
	scale_ratings(fit, p->tests.val, p->tests.n);
	lgn_mf_first(t, 0, t->rows->id, t->rows->lines, t->x);
	lgn_mf_first(t, 1, t->rows->others, t->rows->n_others, t->y);
	return fit->method->open(t);
}

static void close_all(struct lgn_mf *t)
{
	t->fit->method->close(t);
	free(t->all);
	free(t->count);
	free(t->own);
	free(t->x);
	free(t->y);
}

int lgn_mf_train(struct lagoon_worker *w, void *arg)
{
	struct lgn_mf t = { .fit = arg, .w = w };
	int rc;

	t.id = lagoon_worker_id(w);
	rc = prepare(&t);
	rc = t.all ? lgn_mf_meet(&t, rc, NULL) : rc;
	if (!rc)
		rc = count(&t);
	if (!rc) {
		clear_unrated(&t);
		rc = lgn_mf_resume(&t);
	}
	if (!rc)
		rc = train(&t);
	if (!rc)
		rc = finish(&t);
	if (rc)
		lgn_share_fail(&t.fit->tidings, w, t.round, rc);
	close_all(&t);
	return rc;
}
