/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/apart.h"
#include "kernels/solve/logistic/trainer.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

static int fail_memory(void)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for the vectors of a worker");
}

static int is_first_local(const struct lgn_trainer *t)
{
	return lagoon_worker_id(t->w) == t->fit->first_worker;
}

/* ------------------------------------------------------- open, close */

static int open_part(const struct lgn_fit *fit, int worker,
		     struct lgn_libsvm *data, uint64_t batches,
		     struct lgn_part *part)
{
	const struct lgn_part_options options = {
		.batches = batches,
		.features = fit->facts.data.cols,
		.positive = fit->facts.data.labels.value[1],
		.seed = fit->options.seed,
		.stream = (uint32_t)worker,
	};
	int rc = lgn_part_open(data, &options, part);

	lgn_libsvm_free(data);
	return rc;
}

static int open_parts(struct lgn_trainer *t)
{
	struct lgn_fit *fit = t->fit;
	int worker = lagoon_worker_id(t->w);
	struct lgn_loaded *loaded = &fit->loaded[worker - fit->first_worker];
	int rc;

	t->part = &t->parts[0];
	t->test = &t->parts[1];
	rc = open_part(fit, worker, &loaded->data, fit->batches, t->part);
	if (!rc && fit->files.test)
		rc = open_part(fit, worker, &loaded->test, 1, t->test);
	return rc;
}

static size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* None lies across two cache lines. */
static struct lagoon_cell *open_cells(size_t n)
{
	size_t bytes = (n * sizeof(struct lagoon_cell) + 63) / 64 * 64;
	struct lagoon_cell *cell = aligned_alloc(64, bytes);

	return cell ? memset(cell, 0, bytes) : NULL;
}

static int open_vectors(struct lgn_trainer *t)
{
	size_t n = t->part->n_cols + (size_t)1;
	size_t batch = t->part->max_cols + (size_t)1;
	size_t list = max_size(n, t->test->n_cols);

	t->all = calloc((size_t)t->fit->share.workers, sizeof(*t->all));
	t->x = calloc(list, sizeof(*t->x));
	t->at = calloc(batch, sizeof(*t->at));
	t->cell = open_cells(n);
	t->count = calloc(n, sizeof(*t->count));
	t->start = calloc(n, sizeof(*t->start));
	t->mine = calloc(n, sizeof(*t->mine));
	t->told = calloc(n, sizeof(*t->told));
	t->total = calloc(n, sizeof(*t->total));
	t->stops = calloc((size_t)t->fit->share.workers, sizeof(*t->stops));
	t->now = calloc(t->slice_rows + 1, sizeof(*t->now));
	t->kept = calloc(t->slice_rows + 1, sizeof(*t->kept));
	if (!t->all || !t->x || !t->at || !t->cell || !t->count || !t->start ||
	    !t->mine || !t->told || !t->total || !t->stops || !t->now || !t->kept)
		return fail_memory();
	return 0;
}

int lgn_trainer_open(struct lgn_fit *fit, struct lagoon_worker *w,
		     struct lgn_trainer *t)
{
	uint64_t id = (uint64_t)lagoon_worker_id(w);
	uint64_t workers = (uint64_t)fit->share.workers;
	uint64_t features = fit->facts.data.cols;
	int rc;

	memset(t, 0, sizeof(*t));
	t->fit = fit;
	t->w = w;
	t->step = 1;
	t->slice = features * id / workers;
	t->slice_rows = features * (id + 1) / workers - t->slice;
	rc = open_parts(t);
	return rc ? rc : open_vectors(t);
}

void lgn_trainer_close(struct lgn_trainer *t)
{
	lgn_part_close(&t->parts[0]);
	lgn_part_close(&t->parts[1]);
	free(t->all);
	free(t->stops);
	free(t->x);
	free(t->at);
	free(t->cell);
	free(t->count);
	free(t->start);
	free(t->mine);
	free(t->told);
	free(t->total);
	free(t->now);
	free(t->kept);
}

/* --------------------------------------------------------- meetings */

static int meet(struct lgn_trainer *t, const struct lgn_tidings *mine)
{
	return lgn_share_meet(&t->fit->share, t->w, &t->round, 0, mine,
			      t->all);
}

int lgn_trainer_meet(struct lgn_trainer *t)
{
	const struct lgn_tidings mine = {
		.stop = (uint64_t)lgn_restart_interrupted(t),
	};

	return meet(t, &mine);
}

int lgn_trainer_count(struct lgn_trainer *t)
{
	const struct lgn_part *p = t->part;
	int64_t *n = calloc(p->n_cols + (size_t)1, sizeof(*n));
	int rc;

	if (!n)
		return fail_memory();
	for (size_t k = 0; k < p->entries; k++)
		n[p->col[k]]++;
	rc = lagoon_add_rows(t->w, t->fit->counts, p->cols, p->n_cols, n);
	if (!rc)
		rc = lgn_trainer_meet(t);
	if (!rc)
		rc = lagoon_pull_rows(t->w, t->fit->counts, p->cols, p->n_cols,
				      n);
	for (uint32_t j = 0; j < p->n_cols && !rc; j++)
		t->count[j] = (double)n[j];
	free(n);
	return rc;
}

/* -------------------------------------------------------- measuring */

void lgn_trainer_measure_rows(struct lgn_trainer *t, const double *x,
			      struct lagoon_loss *sum)
{
	const struct lgn_part *p = t->part;

	memset(t->mine, 0, p->n_cols * sizeof(*t->mine));
	lagoon_logistic_measure(&p->rows, x, p->coef, t->mine, sum);
}

/* The tables hold the sums over workers of what each told last. */
static int tell_slopes(struct lgn_trainer *t)
{
	const struct lgn_part *p = t->part;
	int rc;

	for (uint32_t j = 0; j < p->n_cols; j++)
		t->x[j] = t->mine[j].first - t->told[j].first;
	rc = lgn_add_apart(t->w, t->fit->first, p->cols, p->n_cols, t->x);
	if (rc)
		return rc;
	for (uint32_t j = 0; j < p->n_cols; j++)
		t->x[j] = t->mine[j].second - t->told[j].second;
	rc = lgn_add_apart(t->w, t->fit->second, p->cols, p->n_cols, t->x);
	memcpy(t->told, t->mine, p->n_cols * sizeof(*t->told));
	return rc;
}

int lgn_trainer_pull_slopes(struct lgn_trainer *t)
{
	const struct lgn_part *p = t->part;
	int rc = lagoon_pull_rows(t->w, t->fit->first, p->cols, p->n_cols,
				  t->x);

	if (rc)
		return rc;
	for (uint32_t j = 0; j < p->n_cols; j++)
		t->total[j].first = t->x[j];
	rc = lagoon_pull_rows(t->w, t->fit->second, p->cols, p->n_cols, t->x);
	for (uint32_t j = 0; j < p->n_cols; j++)
		t->total[j].second = t->x[j];
	return rc;
}

static int pull_slice(struct lgn_trainer *t, double *squares)
{
	int rc = 0;

	if (t->slice_rows)
		rc = lagoon_pull(t->w, t->fit->weights, t->slice,
				 t->slice_rows, t->now);
	for (uint64_t j = 0; j < t->slice_rows; j++)
		*squares += t->now[j] * t->now[j];
	return rc;
}

/* Summed in the order of workers: the same bits everywhere. */
static void sum_tidings(struct lgn_trainer *t)
{
	double squares = 0, loss = 0;
	uint64_t correct = 0;

	for (int i = 0; i < t->fit->share.workers; i++) {
		squares += t->all[i].squares;
		loss += t->all[i].data.loss;
		correct += t->all[i].data.correct;
	}
	t->objective = 0.5 * squares + t->fit->options.c * loss;
	t->accuracy = (double)correct / (double)t->fit->facts.data.rows;
}

int lgn_trainer_measure(struct lgn_trainer *t)
{
	const struct lgn_part *p = t->part;
	struct lgn_tidings mine = { 0 };
	int rc = lagoon_pull_rows(t->w, t->fit->weights, p->cols, p->n_cols,
				  t->x);

	if (rc)
		return rc;
	lgn_trainer_measure_rows(t, t->x, &mine.data);
	rc = pull_slice(t, &mine.squares);
	if (!rc)
		rc = tell_slopes(t);
	if (!rc)
		rc = meet(t, &mine);
	if (!rc)
		rc = lgn_trainer_pull_slopes(t);
	if (!rc)
		sum_tidings(t);
	return rc;
}

void lgn_trainer_begin(struct lgn_trainer *t)
{
	for (uint32_t j = 0; j < t->part->n_cols; j++)
		t->start[j] = t->total[j].second;
	t->best = t->objective;
}

/* The differences are whole units of the table: nothing is rounded. */
int lgn_trainer_keep(struct lgn_trainer *t)
{
	int rc = 0;

	for (uint64_t j = 0; j < t->slice_rows; j++)
		t->kept[j] = t->now[j] - t->kept[j];
	if (t->fit->anchor && t->slice_rows)
		rc = lagoon_add(t->w, t->fit->anchor, t->slice, t->slice_rows,
				t->kept);
	memcpy(t->kept, t->now, t->slice_rows * sizeof(*t->kept));
	return rc;
}

int lgn_trainer_restore(struct lgn_trainer *t)
{
	int rc = 0;

	for (uint64_t j = 0; j < t->slice_rows; j++)
		t->now[j] = t->kept[j] - t->now[j];
	if (t->slice_rows)
		rc = lagoon_add(t->w, t->fit->weights, t->slice,
				t->slice_rows, t->now);
	return rc ? rc : lgn_trainer_meet(t);
}

/* ----------------------------------------------------------- the end */

void lgn_trainer_report(const struct lgn_trainer *t)
{
	const struct lagoon_logistic_options *o = &t->fit->options;
	const struct lagoon_logistic_epoch e = {
		.epoch = t->epoch,
		.objective = t->objective,
		.accuracy = t->accuracy,
		.step = t->step,
		.seconds = lgn_seconds_since(t->fit->start_ns),
	};

	if (o->progress && is_first_local(t))
		o->progress(o->progress_arg, &e);
}

static int measure_test(struct lgn_trainer *t, struct lagoon_loss *sum)
{
	const struct lgn_part *p = t->test;
	int rc;

	if (!t->fit->files.test)
		return 0;
	rc = lagoon_pull_rows(t->w, t->fit->weights, p->cols, p->n_cols, t->x);
	if (!rc)
		lagoon_logistic_sum(&p->rows, t->x, sum);
	return rc;
}

/* Each process tells how long it waited for whom; the sum is over the job. */
static int tell_waited(struct lgn_trainer *t)
{
	int rc = 0;

	for (int i = 0; i < lagoon_size(t->fit->lg) && !rc; i++) {
		int64_t ns = (int64_t)lagoon_waited_for(t->fit->lg, i);

		rc = lagoon_add(t->w, t->fit->waited, (uint64_t)i, 1, &ns);
	}
	return rc;
}

static int pull_weights(struct lgn_trainer *t)
{
	uint64_t n = t->fit->facts.data.cols;
	double *weights;

	if (lagoon_worker_id(t->w))
		return 0;
	weights = malloc(n * sizeof(*weights));
	if (!weights)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu weights",
				(unsigned long long)n);
	t->fit->result->weights = weights;
	return lagoon_pull(t->w, t->fit->weights, 0, n, weights);
}

static void fill_progress(const struct lgn_trainer *t)
{
	struct lagoon_logistic_result *r = t->fit->result;

	r->objective = t->objective;
	r->accuracy = t->accuracy;
	r->epochs = t->epoch;
	r->converged = t->converged;
	r->interrupted = t->interrupted;
	r->clock = t->saved;
}

static int fill_result(struct lgn_trainer *t)
{
	struct lagoon_logistic_result *r = t->fit->result;
	uint64_t correct = 0;
	int rc;

	fill_progress(t);
	if (t->interrupted)
		return 0;
	for (int i = 0; i < t->fit->share.workers; i++)
		correct += t->all[i].test.correct;
	if (r->test_rows)
		r->test_accuracy = (double)correct / (double)r->test_rows;
	rc = lagoon_pull(t->w, t->fit->waited, 0, (uint64_t)r->ranks,
			 r->waited_ns);
	return rc ? rc : pull_weights(t);
}

int lgn_trainer_finish(struct lgn_trainer *t)
{
	const struct lgn_fit *fit = t->fit;
	struct lagoon_table *const tables[LGN_ACCOUNT_TABLES] = {
		fit->weights, fit->first, fit->second, fit->counts,
	};
	struct lgn_tidings mine = { 0 };
	int rc;

	if (t->interrupted)
		return is_first_local(t) ? fill_result(t) : 0;
	rc = measure_test(t, &mine.test);

	if (!rc && is_first_local(t))
		rc = tell_waited(t);
	if (!rc)
		rc = meet(t, &mine);
	if (!rc)
		rc = lgn_account_tell(t->w, fit->lg, &fit->accounts,
				      is_first_local(t), tables, fit->result);
	if (!rc && is_first_local(t))
		rc = fill_result(t);
	return rc;
}
