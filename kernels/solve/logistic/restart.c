/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints of a fit: at the clocks that end batches, where a worker has
 * nothing in its hands but what follows from tables, its rows, and a few
 * numbers that all workers have alike.
 *
 * What a worker derives anew: rows and their order from file and seed; the
 * coefficients of its rows, and what it has told of their derivatives, from
 * the weights that the epoch began with (table anchor).
 *
 * All must stop at the same clock. With a bound s, a worker that is interrupted
 * in round c adds c + 1 to its row of the table stop. A pull at clock k has
 * all rows that were told in rounds <= k - s - 1, and perhaps later ones: only
 * the first are listened to, so that all hear the same at the same clock.
 * Without a bound they hear of it when they meet.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/logistic/trainer.h"
#include "runtime/base/status.h"

/* Workers hear of each other between meetings: within this many rounds. -1:
 * not. */
static int64_t hearing(const struct lgn_fit *fit)
{
	switch (fit->options.model) {
	case LAGOON_BSP: return 0;
	case LAGOON_SSP:
	case LAGOON_ESSP: return fit->options.staleness;
	default: return -1;
	}
}

/* ------------------------------------------------------------ the tables */

static int create_stop(struct lgn_fit *fit)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = (uint64_t)fit->share.workers;
	attr.format = LAGOON_I64;
	attr.model = fit->options.model;
	attr.staleness = (int32_t)hearing(fit);
	return lagoon_table_create(fit->lg, "logistic stop", &attr, &fit->stop);
}

static int check_progress(const struct lgn_fit *fit)
{
	const struct lgn_extent *data = &fit->facts.data;
	const struct lgn_progress *p = &fit->progress;

	if (p->rows != data->rows || p->entries != data->entries ||
	    p->features != data->cols ||
	    memcmp(p->labels, data->labels.value, sizeof(p->labels)))
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of other data: "
				"of %llu rows with %llu entries, %s has %llu "
				"with %llu", fit->options.resume,
				(unsigned long long)p->rows,
				(unsigned long long)p->entries, fit->files.data,
				(unsigned long long)data->rows,
				(unsigned long long)data->entries);
	if (p->c < fit->options.c || p->c > fit->options.c)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint with c %g, "
				"here it is %g", fit->options.resume, p->c,
				fit->options.c);
	return 0;
}

static int read_progress(struct lgn_fit *fit)
{
	size_t bytes = sizeof(fit->progress);
	int rc = lagoon_restore(fit->lg, fit->options.resume, &fit->progress,
				&bytes);

	if (!rc && bytes != sizeof(fit->progress))
		rc = lgn_fail(LAGOON_EINVAL, "%s: not a checkpoint of a fit",
			      fit->options.resume);
	return rc ? rc : check_progress(fit);
}

int lgn_restart_open(struct lgn_fit *fit)
{
	int rc = 0;

	if (fit->options.checkpoint && fit->options.interrupted &&
	    hearing(fit) >= 0)
		rc = create_stop(fit);
	/* These have a row for each worker or process. */
	if (fit->stop)
		lagoon_table_set_saved(fit->stop, 0);
	lagoon_table_set_saved(fit->waited, 0);
	lagoon_table_set_saved(fit->share.table, 0);
	lagoon_table_set_saved(fit->accounts.table, 0);
	return rc || !fit->options.resume ? rc : read_progress(fit);
}

/* ------------------------------------------------------------ going on */

/* The sums of the first measure, each worker those of its slice. */
int lgn_restart_begin(struct lgn_trainer *t)
{
	int rc = 0;

	if (!t->fit->start || !t->slice_rows)
		return 0;
	rc = lagoon_pull(t->w, t->fit->second, t->slice, t->slice_rows, t->now);
	if (!rc)
		rc = lagoon_add(t->w, t->fit->start, t->slice, t->slice_rows,
				t->now);
	return rc;
}

static int pull_counts(struct lgn_trainer *t)
{
	const struct lgn_part *p = t->part;
	int64_t *n = calloc(p->n_cols + (size_t)1, sizeof(*n));
	int rc;

	if (!n)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %lu columns",
				(unsigned long)p->n_cols);
	rc = lagoon_pull_rows(t->w, t->fit->counts, p->cols, p->n_cols, n);
	for (uint32_t j = 0; j < p->n_cols && !rc; j++)
		t->count[j] = (double)n[j];
	free(n);
	return rc;
}

/* What the worker knew of its rows since the epoch began. */
static int pull_anchor(struct lgn_trainer *t)
{
	const struct lgn_part *p = t->part;
	struct lagoon_loss sum = { 0 };
	int rc = lagoon_pull_rows(t->w, t->fit->anchor, p->cols, p->n_cols,
				  t->x);

	if (rc)
		return rc;
	lgn_trainer_measure_rows(t, t->x, &sum);
	memcpy(t->told, t->mine, p->n_cols * sizeof(*t->told));
	if (t->slice_rows)
		rc = lagoon_pull(t->w, t->fit->anchor, t->slice, t->slice_rows,
				 t->kept);
	return rc;
}

/* Rows lie otherwise now: the epoch is begun again, at the weights that it
 * has come to. */
static int begin_again(struct lgn_trainer *t)
{
	int rc = lgn_trainer_measure(t);

	t->best = t->objective;
	t->batch = 0;
	t->epoch--;
	return rc ? rc : lgn_trainer_keep(t);
}

int lgn_restart_resume(struct lgn_trainer *t)
{
	const struct lgn_progress *p = &t->fit->progress;
	int rc = pull_counts(t);

	if (!rc)
		rc = lagoon_pull_rows(t->w, t->fit->start, t->part->cols,
				      t->part->n_cols, t->x);
	for (uint32_t j = 0; j < t->part->n_cols && !rc; j++)
		t->start[j] = t->x[j];
	if (!rc)
		rc = pull_anchor(t);
	if (!rc)
		rc = lgn_trainer_pull_slopes(t);
	if (rc)
		return rc;
	t->epoch = (int)p->epoch;
	t->batch = p->batch;
	t->judged_from = (int)p->judged_from;
	t->step = p->step;
	t->objective = p->objective;
	t->accuracy = p->accuracy;
	t->best = p->best;
	memcpy(t->history, p->history, sizeof(t->history));
	t->saved = lagoon_worker_clock(t->w);
	if (p->workers == (uint64_t)t->fit->share.workers &&
	    p->batches == t->fit->batches)
		return 0;
	return begin_again(t);
}

/* --------------------------------------------------------- checkpoints */

static int save(struct lgn_trainer *t)
{
	const struct lgn_fit *fit = t->fit;
	const struct lgn_extent *data = &fit->facts.data;
	struct lgn_progress p = {
		.rows = data->rows, .entries = data->entries,
		.features = data->cols,
		.labels = { data->labels.value[0], data->labels.value[1] },
		.c = fit->options.c,
		.workers = (uint64_t)fit->share.workers,
		.batches = fit->batches, .batch = t->batch,
		.epoch = t->epoch, .judged_from = t->judged_from,
		.step = t->step, .objective = t->objective,
		.accuracy = t->accuracy, .best = t->best,
	};

	memcpy(p.history, t->history, sizeof(p.history));
	t->saved = lagoon_worker_clock(t->w);
	return lagoon_checkpoint(t->w, fit->options.checkpoint, &p, sizeof(p));
}

int lgn_restart_interrupted(const struct lgn_trainer *t)
{
	const struct lagoon_logistic_options *o = &t->fit->options;

	return o->checkpoint && o->interrupted &&
		o->interrupted(o->interrupted_arg);
}

/* Before the clock. */
int lgn_restart_tell(struct lgn_trainer *t)
{
	int64_t clock = lagoon_worker_clock(t->w) + 1;

	if (!t->fit->stop || t->told_stop || !lgn_restart_interrupted(t))
		return 0;
	t->told_stop = 1;
	return lagoon_add(t->w, t->fit->stop, (uint64_t)lagoon_worker_id(t->w),
			  1, &clock);
}

/* Has any worker told it, so long ago that all have heard it? */
static int listen(struct lgn_trainer *t)
{
	int64_t heard = lagoon_worker_clock(t->w) - hearing(t->fit);
	int rc = lagoon_pull(t->w, t->fit->stop, 0,
			     (uint64_t)t->fit->share.workers, t->stops);

	for (int i = 0; i < t->fit->share.workers && !rc; i++)
		t->interrupted |= t->stops[i] && t->stops[i] <= heard;
	return rc;
}

/* After the clock. */
int lgn_restart_clocked(struct lgn_trainer *t)
{
	const struct lagoon_logistic_options *o = &t->fit->options;
	uint64_t now = (uint64_t)lagoon_worker_clock(t->w);
	int rc = 0;

	if (!o->checkpoint)
		return 0;
	if (t->fit->stop)
		rc = listen(t);
	if (!rc && (t->interrupted ||
		    (o->every && now / o->every > (uint64_t)t->saved / o->every)))
		rc = save(t);
	return rc;
}

int lgn_restart_met(struct lgn_trainer *t)
{
	if (t->fit->stop || !t->fit->options.checkpoint)
		return 0;
	for (int i = 0; i < t->fit->share.workers; i++)
		t->interrupted |= t->all[i].stop != 0;
	return t->interrupted ? save(t) : 0;
}
