/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints of a fit, where the sum is known: all workers have met, and nothing
 * that they added is under way. A table has, as numbers of 64 bits,
 *
 *	lloyd: the centroids that rows were assigned to last [clusters][cols];
 *	minibatch: the sums [clusters][1 + cols]
 *	the centroids, which those of clusters without rows remain
 *	the best of the restarts so far
 *
 * With lloyd each worker assigns its rows once more when it goes on, which gives
 * the sums as they were, whoever has the rows now. Of the sums of minibatch nobody
 * remembers any more who added what, so worker 0 has added all.
 */
#include <string.h>

#include "kernels/solve/kmeans/kmeans.h"
#include "kernels/solve/words.h"
#include "runtime/base/status.h"

#define KIND UINT64_C(0x316b6d65616e73)	/* that the state is one of these */
#define NAME "kmeans saved"

static bool has_batches(const struct lgn_kmeans_fit *fit)
{
	return fit->options.method == LAGOON_KMEANS_MINIBATCH;
}

/* Numbers of the first part of the table, and of each other. */
static uint64_t first_part(const struct lgn_kmeans_fit *fit)
{
	return (uint64_t)fit->options.clusters *
		(fit->facts.cols + (has_batches(fit) ? 1 : 0));
}

static uint64_t part(const struct lgn_kmeans_fit *fit)
{
	return (uint64_t)fit->options.clusters * fit->facts.cols;
}

static struct lgn_kmeans_saved head_of(const struct lgn_kmeans_fit *fit)
{
	return (struct lgn_kmeans_saved){
		.kind = KIND,
		.data.rows = fit->facts.rows,
		.data.entries = fit->facts.rows * fit->facts.cols,
		.data.features = fit->facts.cols,
		.clusters = fit->options.clusters,
		.method = fit->options.method,
	};
}

struct lgn_saving lgn_kmeans_saving(const struct lgn_kmeans_fit *fit)
{
	const struct lagoon_kmeans_options *o = &fit->options;

	return (struct lgn_saving){ o->checkpoint, o->every, o->interrupted,
				    o->interrupted_arg };
}

/* -------------------------------------------------------------- writing */

/* Worker 0; the others wait. */
static int tell(struct lgn_kmeans *t)
{
	struct lagoon_table *saved = t->fit->saved;
	uint64_t first = first_part(t->fit), n = part(t->fit);
	const double *what = t->used;
	int rc = 0;

	if (has_batches(t->fit)) {
		rc = lagoon_pull(t->w, t->fit->sums, 0, t->clusters, t->sums);
		what = (const void *)t->sums;	/* of which bits are kept */
	}
	if (!rc)
		rc = lgn_words_tell(t->w, saved, 0, first, what);
	if (!rc)
		rc = lgn_words_tell(t->w, saved, first, n, t->centroid);
	return rc ? rc : lgn_words_tell(t->w, saved, first + n, n, t->best);
}

static int save(struct lgn_kmeans *t)
{
	struct lgn_kmeans_saved s = head_of(t->fit);
	int rc = lgn_kmeans_meet(t, t->id ? 0 : tell(t), NULL);

	if (rc)
		return rc;
	s.mark = t->mark;
	s.all_rounds = t->all_rounds;
	s.sse = t->sse;
	s.best_sse = t->best_sse;
	s.drawn = t->drawn_most;
	s.bits = t->bits;
	s.restart = t->restart;
	s.round = t->round;
	s.settled = t->settled;
	s.still = t->still;
	s.best_restart = t->best_restart;
	s.best_rounds = t->best_rounds;
	s.best_settled = t->best_settled;
	t->saved = t->all_rounds;
	return lagoon_checkpoint(t->w, t->fit->options.checkpoint, &s,
				 sizeof(s));
}

int lgn_kmeans_save(struct lgn_kmeans *t)
{
	const struct lagoon_kmeans_options *o = &t->fit->options;
	bool due = o->every && t->all_rounds - t->saved >= o->every;

	return o->checkpoint && (t->interrupted || due) ? save(t) : 0;
}

/* ------------------------------------------------------------- checking */

static int check(const struct lgn_kmeans_fit *fit, size_t bytes)
{
	const struct lagoon_kmeans_options *o = &fit->options;
	const struct lgn_kmeans_saved *s = &fit->from, here = head_of(fit);
	const char *dir = o->resume;

	if (!fit->saved || bytes != sizeof(*s) || s->kind != KIND)
		return lgn_fail(LAGOON_EINVAL, "%s: not a checkpoint of such a "
				"fit", dir);
	if (lgn_saved_check(dir, &s->data, &here.data, 0, 0))
		return LAGOON_EINVAL;
	if (s->clusters != here.clusters || s->method != here.method)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of %d clusters "
				"by method %d, here they are %d by %d", dir,
				s->clusters, s->method, here.clusters,
				here.method);
	if (s->restart > o->restarts || s->round > o->rounds)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint after round %d "
				"of restart %d: expected %d of %d at most", dir,
				s->round, s->restart, o->rounds, o->restarts);
	return 0;
}

static int create(struct lgn_kmeans_fit *fit)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = first_part(fit) + 2 * part(fit);
	attr.cols = 2;
	attr.format = LAGOON_I64;
	return lagoon_table_create(fit->lg, NAME, &attr, &fit->saved);
}

/* The table comes with the checkpoint: with other clusters it has another size,
 * and that is for check() to say. */
int lgn_kmeans_restore(struct lgn_kmeans_fit *fit)
{
	const struct lagoon_kmeans_options *o = &fit->options;
	size_t bytes = sizeof(fit->from);
	int rc;

	if (!o->resume)
		return o->checkpoint ? create(fit) : 0;
	rc = lgn_saved_restore(fit->lg, o->resume, NAME, &fit->from, &bytes,
			       &fit->saved);
	return rc ? rc : check(fit, bytes);
}

/* ------------------------------------------------------------ going on */

/* Of the rows of this worker: a sum, so that order and workers do not matter. */
static uint64_t mark_rows(const struct lgn_kmeans *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->rows; i++) {
		uint64_t row = 0;

		for (size_t j = 0; j < t->cols; j++) {
			uint64_t bits;

			memcpy(&bits, &t->x[i * t->cols + j], sizeof(bits));
			row = lgn_random_mix(row ^ bits);
		}
		sum += row;
	}
	return sum;
}

/* Rows are on their scale, which is that of all rows to the last bit. */
static int mark(struct lgn_kmeans *t)
{
	const char *dir = t->fit->options.resume;
	struct lgn_kmeans_tidings mine = { .mark = mark_rows(t), .empty = -1 };
	int rc = lgn_kmeans_meet(t, 0, &mine);

	for (int i = 0; i < t->fit->workers && !rc; i++)
		t->mark += t->all[i].mark;
	if (!rc && dir && t->mark != t->fit->from.mark)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of other data: "
				"as many rows and columns with other numbers",
				dir);
	return rc;
}

/* To the units of this fit. */
static void rescale(struct lgn_kmeans *t)
{
	int shift = t->bits - t->fit->from.bits;
	int64_t up = INT64_C(1) << (shift > 0 ? shift : 0);
	int64_t down = INT64_C(1) << (shift < 0 ? -shift : 0);

	for (size_t k = 0; k < t->clusters; k++) {
		int64_t *row = t->before + k * (1 + t->cols);

		for (size_t j = 1; j <= t->cols; j++)
			row[j] = row[j] * up / down;
	}
}

static int add_drawn(struct lgn_kmeans *t)
{
	int rc = lgn_words_pull(t->w, t->fit->saved, 0, first_part(t->fit),
				(void *)t->before);

	if (rc)
		return rc;
	rescale(t);
	return lagoon_add(t->w, t->fit->sums, 0, t->clusters, t->before);
}

static int assign_again(struct lgn_kmeans *t)
{
	int rc = lgn_words_pull(t->w, t->fit->saved, 0, first_part(t->fit),
				t->centroid);

	if (rc)
		return rc;
	lgn_kmeans_settle(t, true);
	t->moved = 0;
	return lgn_kmeans_push(t);
}

static void stand(struct lgn_kmeans *t)
{
	const struct lgn_kmeans_saved *s = &t->fit->from;

	t->all_rounds = t->saved = s->all_rounds;
	t->sse = s->sse;
	t->best_sse = s->best_sse;
	t->drawn_most = s->drawn;
	t->restart = s->restart;
	t->round = s->round;
	t->settled = s->settled;
	t->still = s->still;
	t->best_restart = s->best_restart;
	t->best_rounds = s->best_rounds;
	t->best_settled = s->best_settled;
}

int lgn_kmeans_resume(struct lgn_kmeans *t)
{
	const struct lgn_kmeans_fit *fit = t->fit;
	uint64_t first = first_part(fit), n = part(fit);
	int rc = fit->saved ? mark(t) : 0;

	if (rc || !fit->options.resume)
		return rc;
	stand(t);
	if (!has_batches(fit))
		rc = assign_again(t);
	else if (!t->id)
		rc = add_drawn(t);
	if (!rc)
		rc = lgn_words_pull(t->w, fit->saved, first, n, t->centroid);
	if (!rc)
		rc = lgn_words_pull(t->w, fit->saved, first + n, n, t->best);
	return lgn_kmeans_meet(t, rc, NULL);
}
