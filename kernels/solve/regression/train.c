/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker's part of a fit: its rows or columns, then epochs of rounds of the
 * method, after each of which all measure objective and dual at rest.
 *
 * The dual of the scaled problem at a: a'y / n - a'a / (2 n) less the most that
 * q'w - l1 |w| - l2 w'w / 2 can be, q = X'a / n. With l2 that is the squares of
 * q beyond l1 over 2 l2; without, 0 if no |q_j| is beyond l1, so a is scaled
 * until none is. Without either, w within a box |w_j| <= B: B |q|.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/deal.h"
#include "kernels/solve/given.h"
#include "kernels/solve/options.h"
#include "kernels/solve/random.h"
#include "kernels/solve/regression/regression.h"
#include "kernels/solve/words.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define BOX 2			/* times the largest weight */
#define TINY 1e-14		/* a gap of that share of the first objective
				 * is rounding */
#define RISE 1e-9		/* so is a rise of the objective by this share */

/* ------------------------------------------------------------ helpers */

int lgn_regression_meet(struct lgn_regression *t, int rc,
			const struct lgn_regression_tidings *mine)
{
	const struct lgn_regression_tidings none = { 0 };

	return lgn_share_meet(&t->fit->tidings, t->w, &t->round, rc,
			      mine ? mine : &none, t->all);
}

void lgn_regression_shuffle(struct lgn_regression *t, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = lgn_random_next(&t->seed) % i;
		int64_t swap = t->order[i - 1];

		t->order[i - 1] = t->order[k];
		t->order[k] = swap;
	}
}

double lgn_regression_unseen(const struct lgn_regression_fit *fit)
{
	return lgn_options_unseen(fit->options.model, fit->options.staleness);
}

void lgn_regression_sum(const struct lgn_regression *t, const double *q,
			struct lgn_regression_tidings *mine)
{
	for (uint64_t j = 0; j < t->block_cols; j++) {
		double x = fabs(t->x[j]), a = fabs(q[j]);
		double beyond = fmax(0, a - t->scale->l1);

		mine->abs += x;
		mine->squares += x * x;
		mine->largest = fmax(mine->largest, x);
		mine->nonzeros += x != 0;
		mine->q_abs += a;
		mine->q_largest = fmax(mine->q_largest, a);
		mine->q_beyond += beyond * beyond;
	}
}

/* ---------------------------------------------------------- residuals */

/* The table begins as the targets: every worker adds those it holds, and takes
 * off what a checkpoint or the caller had of its columns. */
int lgn_residuals_open(struct lgn_regression *t)
{
	const struct lgn_entries *e = &t->entries;
	int rc = 0;

	for (size_t k = 0; k < e->n_targets; k++)
		t->change[e->target_row[k]] += e->target[k];
	/* What is not there is 0, of which one tells. */
	for (uint64_t i = 0; i < t->n; i++)
		t->change[i] /= t->scale->y_scale;
	for (uint64_t i = 0; i < t->n && !t->id; i++)
		t->change[i] -= t->scale->y_shift / t->scale->y_scale;
	if (t->epoch || t->fit->options.table)
		lagoon_sparse_multiply(&t->lines.a, -1, t->x, 1, t->change);
	rc = lagoon_add(t->w, t->fit->state, 0, t->n, t->change);
	return lgn_regression_meet(t, rc, NULL);
}

/* a is the residual r = y - A x: loss r'r / (2 n), and a'y = r'r + r'A x, of
 * which each worker has its columns' part; worker 0 tells that of r alone. */
int lgn_residuals_measure(struct lgn_regression *t,
			  struct lgn_regression_tidings *mine)
{
	double n = (double)t->n, squares;
	int rc = lagoon_pull(t->w, t->fit->state, 0, t->n, t->now);

	if (rc)
		return rc;
	squares = lagoon_dense_dot(t->n, t->now, t->now) / n;
	if (!t->id) {
		mine->loss = mine->aa = squares / 2;
		mine->ay = squares;
	}
	lagoon_sparse_multiply_transposed(&t->lines.a, 1 / n, t->now, 0,
					  t->product);
	mine->ay += lagoon_dense_dot(t->block_cols, t->x, t->product);
	lgn_regression_sum(t, t->product, mine);
	return 0;
}

/* ------------------------------------------------------------ the gap */

static void merge(const struct lgn_regression *t,
		  struct lgn_regression_tidings *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < t->fit->workers; i++) {
		const struct lgn_regression_tidings *one = &t->all[i];

		sum->loss += one->loss;
		sum->ay += one->ay;
		sum->aa += one->aa;
		sum->abs += one->abs;
		sum->squares += one->squares;
		sum->largest = fmax(sum->largest, one->largest);
		sum->q_abs += one->q_abs;
		sum->q_largest = fmax(sum->q_largest, one->q_largest);
		sum->q_beyond += one->q_beyond;
		sum->nonzeros += one->nonzeros;
		sum->stop |= one->stop;
		sum->interrupted |= one->interrupted;
	}
}

static double dual_of(const struct lgn_regression *t,
		      const struct lgn_regression_tidings *s)
{
	double l1 = t->scale->l1, l2 = t->scale->l2, best = 0;

	if (l2 > 0)
		best = s->ay - s->aa - s->q_beyond / (2 * l2);
	else if (l1 == 0)
		return s->ay - s->aa - BOX * s->largest * s->q_abs;
	if (l1 > 0 && s->aa > 0) {
		double most = s->q_largest > 0 ? l1 / s->q_largest : INFINITY;
		double by = fmax(-most, fmin(most, s->ay / (2 * s->aa)));

		best = fmax(best, by * s->ay - by * by * s->aa);
	}
	return best;
}

/* Numbers of the caller's scale. */
static double unscaled(const struct lgn_regression *t, double value)
{
	return value * t->scale->y_scale * t->scale->y_scale;
}

static void judge(struct lgn_regression *t)
{
	struct lgn_regression_tidings sum;
	double before = t->objective, dual, gap;

	merge(t, &sum);
	t->objective = sum.loss + t->scale->l1 * sum.abs +
		t->scale->l2 / 2 * sum.squares;
	dual = dual_of(t, &sum);
	/* The bound without penalties is of these weights only. */
	t->dual = t->scale->l1 > 0 || t->scale->l2 > 0 ? fmax(t->dual, dual) :
		dual;
	gap = t->objective - t->dual;
	t->nonzeros = sum.nonzeros;
	t->stopped = sum.stop;
	t->interrupted = sum.interrupted;
	t->converged = gap <= t->fit->options.tolerance * t->objective ||
		gap <= TINY;
	/* By columns every step goes down; by rows, the gap wavers. */
	if (t->fit->method->by_rows ? gap > 10 * t->best_gap :
	    t->objective > before * (1 + RISE)) {
		t->fit->method->slow_down(t);
		t->slowed++;
		/* Not again for the same rise, of which it comes down slowly. */
		t->best_gap = gap;
	}
	t->best_gap = fmin(t->best_gap, gap);
}

static void report(struct lgn_regression *t)
{
	const struct lagoon_regression_options *o = &t->fit->options;
	const struct lagoon_regression_epoch e = {
		.epoch = t->epoch,
		.objective = unscaled(t, t->objective),
		.gap = unscaled(t, t->objective - t->dual),
		.nonzeros = t->nonzeros,
		.seconds = lgn_seconds_since(t->fit->start_ns),
	};

	if (o->progress && t->id == t->fit->first_worker &&
	    o->progress(o->progress_arg, &e))
		t->asked = 1;
}

/* --------------------------------------------------------- the epochs */

static int measure(struct lgn_regression *t)
{
	const struct lgn_saving saving = lgn_regression_saving(t->fit);
	struct lgn_regression_tidings mine = {
		.stop = t->asked,
		.interrupted = lgn_saving_is_interrupted(&saving),
	};
	int rc = t->fit->method->measure(t, &mine);

	rc = lgn_regression_meet(t, rc, &mine);
	if (!rc)
		judge(t);
	return rc;
}

void lgn_regression_rescale(struct lgn_regression *t)
{
	const struct lgn_regression_scale *scale = t->scale;

	for (uint64_t j = 0; j < t->block_cols; j++) {
		double unit = scale->factor[t->block + j] * scale->y_scale;

		t->x[j] = unit > 0 ? t->x[j] / unit : 0;
	}
}

/* By columns a fit can begin anywhere. */
static int take_given(struct lgn_regression *t)
{
	struct lagoon_table *table = t->fit->options.table;
	int rc;

	if (!table || t->fit->saved || t->fit->method->by_rows)
		return 0;
	rc = lgn_given_pull(t->w, table, t->block, t->block_cols, DBL_MAX,
			    t->x);
	lgn_regression_rescale(t);
	return rc;
}

static int train_epoch(struct lgn_regression *t, int rounds)
{
	int rc = 0;

	for (int i = 0; i < rounds && !rc; i++)
		rc = t->fit->method->round(t);
	return rc ? rc : lgn_regression_meet(t, 0, NULL);
}

static int train(struct lgn_regression *t)
{
	const struct lagoon_regression_options *o = &t->fit->options;
	int rounds = o->rounds ? o->rounds : t->fit->method->rounds;
	int rc;

	t->objective = t->best_gap = INFINITY;
	t->dual = -INFINITY;
	rc = lgn_regression_resume(t);
	if (!rc)
		rc = take_given(t);
	if (!rc)
		rc = t->fit->method->open(t);
	for (int i = 0; i < t->slowed && !rc; i++)
		t->fit->method->slow_down(t);
	while (!rc && t->epoch < o->epochs && !t->converged && !t->stopped &&
	       !t->interrupted) {
		t->epoch++;
		rc = train_epoch(t, rounds);
		if (!rc)
			rc = measure(t);
		if (!rc)
			report(t);
		if (!rc)
			rc = lgn_regression_save(t);
		if (!rc && t->fit->method->settle)
			rc = t->fit->method->settle(t);
	}
	return rc;
}

/* ----------------------------------------------------------- the end */

static int pull_weights(struct lgn_regression *t)
{
	uint64_t cols = t->fit->facts.cols;
	double *weights = malloc(cols * sizeof(*weights));
	double intercept = t->scale->y_shift;
	int rc = weights ? lgn_words_pull(t->w, t->fit->found, 0, cols, weights) :
		lgn_fail(LAGOON_ENOMEM, "no memory for %llu weights",
			 (unsigned long long)cols);

	for (uint64_t j = 0; j < cols && !rc; j++)
		intercept -= weights[j] * t->scale->shift[j];
	if (!rc && t->fit->weights)
		memcpy(t->fit->weights, weights, cols * sizeof(*weights));
	t->fit->result->intercept = intercept;
	free(weights);
	return rc;
}

static int finish(struct lgn_regression *t)
{
	struct lagoon_regression_result *r = t->fit->result;
	int rc = lgn_regression_tell(t);

	if (!rc && t->fit->options.table)
		rc = lgn_given_tell(t->w, t->fit->options.table, t->block,
				    t->block_cols, t->product);
	rc = lgn_regression_meet(t, rc, NULL);
	if (rc || t->id != t->fit->first_worker)
		return rc;
	r->objective = unscaled(t, t->objective);
	r->gap = unscaled(t, fmax(0, t->objective - t->dual));
	r->nonzeros = t->nonzeros;
	r->epochs = t->epoch;
	r->converged = t->converged;
	r->stopped = t->stopped && !t->converged;
	r->interrupted = t->interrupted;
	return pull_weights(t);
}

/* ------------------------------------------------------------ opening */

static size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int open_vectors(struct lgn_regression *t, size_t lines)
{
	size_t cols = t->fit->facts.cols;
	size_t state = (t->fit->method->by_rows ? cols : t->n) + 1;

	t->x = calloc(t->block_cols + 1, sizeof(*t->x));
	t->square = calloc(lines + 1, sizeof(*t->square));
	t->order = calloc(lines + 1, sizeof(*t->order));
	t->now = calloc(state, sizeof(*t->now));
	t->was = calloc(state, sizeof(*t->was));
	t->change = calloc(state, sizeof(*t->change));
	t->y = calloc(lines + 1, sizeof(*t->y));
	t->alpha = calloc(lines + 1, sizeof(*t->alpha));
	t->product = calloc(max_size(lines, t->block_cols) + 1,
			    sizeof(*t->product));
	t->centre = calloc(t->block_cols + 1, sizeof(*t->centre));
	t->last = calloc(t->block_cols + 1, sizeof(*t->last));
	if (t->x && t->square && t->order && t->now && t->was && t->change &&
	    t->y && t->alpha && t->product && t->centre && t->last)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for vectors of %zu numbers",
			state);
}

static int open_lines(struct lgn_regression *t)
{
	const struct lgn_regression_fit *fit = t->fit;
	bool rows = fit->method->by_rows;
	uint64_t first = fit->first_row[t->id];
	struct lgn_lines_spec spec = {
		.rows = rows,
		.first = rows ? first : t->block,
		.lines = rows ? fit->first_row[t->id + 1] - first :
			t->block_cols,
		.length = rows ? fit->facts.cols : fit->facts.rows,
		.dense = fit->options.intercept,
		.shift = t->scale->shift,
		.factor = t->scale->factor,
	};
	int rc = lgn_lines_open(&t->entries, &spec, &t->lines);

	if (!rc)
		rc = open_vectors(t, spec.lines);
	for (uint64_t i = 0; i < spec.lines && !rc; i++) {
		t->square[i] = lagoon_sparse_line_square(&t->lines.a, i);
		t->order[i] = (int64_t)i;
	}
	return rc;
}

/* The entries that were loaded are this worker's from here on. */
static int deal(struct lgn_regression *t, uint32_t *round, int rc)
{
	const struct lgn_deal d = {
		.w = t->w,
		.share = &t->fit->counts,
		.table = t->fit->dealt,
		.rows = t->fit->facts.rows,
		.cols = t->fit->facts.cols,
		.by_rows = t->fit->method->by_rows,
		.entries = &t->entries,
	};

	return lgn_deal(&d, round, rc);
}

static int prepare(struct lgn_regression *t)
{
	struct lgn_regression_fit *fit = t->fit;
	struct lgn_entries *loaded = &fit->loaded[t->id - fit->first_worker];
	uint64_t cols = fit->facts.cols, workers = (uint64_t)fit->workers;
	uint32_t counts = 0;
	int rc;

	t->entries = *loaded;
	memset(loaded, 0, sizeof(*loaded));
	t->n = fit->facts.rows;
	t->scale = &fit->scale;
	t->damp = 1;
	t->pace = 1;
	t->settled = INFINITY;
	t->seed = fit->options.seed * UINT64_C(0x9e3779b97f4a7c15) +
		(uint64_t)t->id;
	t->block = cols * (uint64_t)t->id / workers;
	t->block_cols = cols * ((uint64_t)t->id + 1) / workers - t->block;
	t->all = calloc((size_t)workers, sizeof(*t->all));
	rc = t->all ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for the tidings "
				   "of %llu workers",
				   (unsigned long long)workers);
	/* An error here is told at the meeting that comes with dealing out. */
	if (!(fit->in_place && fit->method->by_rows))
		rc = deal(t, &counts, rc);
	if (!rc)
		rc = open_lines(t);
	return rc;
}

static void close_all(struct lgn_regression *t)
{
	lgn_entries_free(&t->entries);
	lgn_lines_close(&t->lines);
	free(t->x);
	free(t->square);
	free(t->order);
	free(t->now);
	free(t->was);
	free(t->change);
	free(t->y);
	free(t->alpha);
	free(t->product);
	free(t->centre);
	free(t->last);
	free(t->all);
}

int lgn_regression_train(struct lagoon_worker *w, void *arg)
{
	struct lgn_regression t = { .fit = arg, .w = w };
	int rc;

	t.id = lagoon_worker_id(w);
	rc = prepare(&t);
	rc = lgn_regression_meet(&t, rc, NULL);
	if (!rc)
		rc = train(&t);
	if (!rc)
		rc = finish(&t);
	if (rc)
		lgn_share_fail(&t.fit->tidings, w, t.round, rc);
	close_all(&t);
	return rc;
}
