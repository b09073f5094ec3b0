/* SPDX-License-Identifier: BSD-3-Clause */
/* One worker's part of a fit: restarts of rounds, of which the best is kept. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/kmeans/kmeans.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

enum { ROWS = 1024 };		/* at once */
enum { DRAW_BATCH = 16 };

int lgn_kmeans_meet(struct lgn_kmeans *t, int rc,
		    const struct lgn_kmeans_tidings *mine)
{
	const struct lgn_kmeans_tidings none = { .empty = -1 };

	return lgn_share_meet(&t->fit->tidings, t->w, &t->meetings, rc,
			      mine ? mine : &none, t->all);
}

static bool has_batches(const struct lgn_kmeans *t)
{
	return t->fit->options.method == LAGOON_KMEANS_MINIBATCH;
}

/* --------------------------------------------------------------- rounds */

static void pack(struct lgn_kmeans *t)
{
	lagoon_nearest_pack(t->clusters, t->cols, t->centroid, t->cols,
			    t->packed);
}

static void find(struct lgn_kmeans *t, size_t n, const double *x, int32_t *which,
		 double *square)
{
	for (size_t i = 0; i < n; i++) {
		which[i] = -1;
		square[i] = (double)INFINITY;
	}
	lagoon_nearest_find(n, t->cols, x, t->cols, t->clusters, t->centroid,
		       t->cols, t->packed, 0, which, square);
}

static void move(struct lgn_kmeans *t, size_t row, int32_t to)
{
	const double *x = t->x + row * t->cols;

	if (t->cluster[row] >= 0)
		lgn_kmeans_move(t, x, t->cluster[row], -1);
	lgn_kmeans_move(t, x, to, 1);
	t->moved++;
}

double lgn_kmeans_settle(struct lgn_kmeans *t, bool moving)
{
	int32_t which[ROWS];
	double sum = 0;

	pack(t);
	for (size_t i = 0, n; i < t->rows; i += n) {
		n = t->rows - i < ROWS ? t->rows - i : ROWS;
		find(t, n, t->x + i * t->cols, which, t->square + i);
		for (size_t k = 0; k < n; k++) {
			sum += t->square[i + k];
			if (which[k] == t->cluster[i + k])
				continue;
			if (moving)
				move(t, i + k, which[k]);
			t->cluster[i + k] = which[k];
		}
	}
	return sum;
}

static void assign_batch(struct lgn_kmeans *t)
{
	struct lgn_kmeans_draw d = lgn_kmeans_draw(
		t, DRAW_BATCH + (uint64_t)t->id, (uint64_t)t->round);
	size_t bytes = t->cols * sizeof(*t->x);

	pack(t);
	for (size_t i = 0; i < t->batch; i++)
		memcpy(t->drawn + i * t->cols,
		       t->x + lgn_kmeans_below(&d, t->rows) * t->cols, bytes);
	find(t, t->batch, t->drawn, t->of_drawn, t->square_drawn);
	for (size_t i = 0; i < t->batch; i++) {
		lgn_kmeans_move(t, t->drawn + i * t->cols, t->of_drawn[i], 1);
		t->looked_sse += t->square_drawn[i];
	}
	t->looked += t->batch;
}

/* Before the first pull there are the centroids of the start. */
static int make_round(struct lgn_kmeans *t)
{
	int rc = t->round ? lgn_kmeans_pull(t) : 0;

	if (rc)
		return rc;
	t->round++;
	t->all_rounds++;
	if (has_batches(t)) {
		t->drawn_most += lgn_kmeans_batches(t->fit);
		assign_batch(t);
	} else {
		t->looked_sse = lgn_kmeans_settle(t, true);
		t->looked = t->rows;
	}
	return lgn_kmeans_push(t);
}

/* ------------------------------------------------------------- meetings */

static void sum_up(struct lgn_kmeans *t, uint64_t *moved)
{
	double sum = 0, looked = 0;

	t->stopped = t->interrupted = 0;
	*moved = 0;
	for (int i = 0; i < t->fit->workers; i++) {
		sum += t->all[i].sse;
		looked += (double)t->all[i].looked;
		*moved += t->all[i].moved;
		t->stopped |= t->all[i].stop;
		t->interrupted |= t->all[i].interrupted;
	}
	t->sse = has_batches(t) ?
		sum / looked * (double)t->fit->facts.rows : sum;
}

static void report(struct lgn_kmeans *t, uint64_t moved)
{
	const struct lagoon_kmeans_options *o = &t->fit->options;
	const struct lagoon_kmeans_round r = {
		.restart = t->restart,
		.round = t->round,
		.sse = t->sse * t->unit * t->unit,
		.moved = moved,
		.seconds = lgn_seconds_since(t->fit->start_ns),
		.all_rounds = t->all_rounds,
	};

	if (o->progress && t->id == t->fit->first_worker &&
	    o->progress(o->progress_arg, &r))
		t->asked = 1;
}

/* In the first round rows move from where another restart left them to centroids
 * that are no means yet. */
static void judge(struct lgn_kmeans *t, double before, uint64_t moved)
{
	double tolerance = t->fit->options.tolerance;

	if (has_batches(t) || t->refilled || t->round == 1)
		return;
	t->still = !moved;
	t->settled = t->still || (tolerance > 0 &&
				  before - t->sse <= tolerance * before);
}

/* The sum of the round, and whether it was the last. */
static int measure(struct lgn_kmeans *t)
{
	const struct lgn_saving saving = lgn_kmeans_saving(t->fit);
	struct lgn_kmeans_tidings mine = {
		.sse = t->looked_sse, .looked = t->looked, .moved = t->moved,
		.empty = -1, .stop = t->asked,
		.interrupted = lgn_saving_is_interrupted(&saving),
	};
	double before = t->sse;
	uint64_t moved;
	int rc;

	if (!has_batches(t) && t->round > 1)
		lgn_kmeans_offer(t, 0, &mine);
	rc = lgn_kmeans_meet(t, 0, &mine);
	if (rc)
		return rc;
	sum_up(t, &moved);
	t->moved = 0;
	t->looked = 0;
	t->looked_sse = 0;
	report(t, moved);
	if (t->used)
		memcpy(t->used, t->centroid,
		       t->clusters * t->cols * sizeof(*t->used));
	rc = lgn_kmeans_refill(t);
	judge(t, before, moved);
	return rc ? rc : lgn_kmeans_save(t);
}

/* The others' first rows, or with a stale table they would be missed. */
static bool is_measured(const struct lgn_kmeans *t)
{
	const struct lagoon_kmeans_options *o = &t->fit->options;

	return t->round == 1 || t->round % o->measure == 0 ||
		t->round == o->rounds;
}

static int rounds(struct lgn_kmeans *t)
{
	uint64_t start = lgn_now_ns();
	int rc = 0;

	while (!rc && t->round < t->fit->options.rounds && !t->settled &&
	       !t->stopped && !t->interrupted) {
		rc = make_round(t);
		if (!rc)
			rc = is_measured(t) ? measure(t) : lagoon_clock(t->w);
	}
	t->round_seconds += lgn_seconds_since(start);
	return rc;
}

/* ------------------------------------------------------------- restarts */

/* The sum of the centroids as they are now; at rest. */
static int measure_all(struct lgn_kmeans *t, bool moving)
{
	struct lgn_kmeans_tidings mine = {
		.sse = lgn_kmeans_settle(t, moving), .empty = -1,
	};
	int rc = lgn_kmeans_meet(t, 0, &mine);

	t->sse = 0;
	for (int i = 0; i < t->fit->workers && !rc; i++)
		t->sse += t->all[i].sse;
	return rc;
}

static int end_restart(struct lgn_kmeans *t)
{
	int rc = 0;

	if (!t->still)
		rc = lgn_kmeans_pull(t);
	/* All have pulled when anyone adds again, after the next meeting. */
	if (!rc && !t->still)
		rc = measure_all(t, !has_batches(t));
	if (rc || (t->best_restart && !lgn_kmeans_is_less(t->sse, t->best_sse)))
		return rc;
	t->best_sse = t->sse;
	t->best_restart = t->restart;
	t->best_rounds = t->round;
	t->best_settled = t->settled;
	memcpy(t->best, t->centroid,
	       t->clusters * t->cols * sizeof(*t->best));
	return 0;
}

static int begin_restart(struct lgn_kmeans *t)
{
	int rc = 0;

	t->restart++;
	t->round = 0;
	t->sse = t->drawn_most = 0;
	t->moved = 0;
	t->settled = t->still = t->refilled = false;
	if (has_batches(t) && t->restart > 1)
		rc = lgn_kmeans_take_back(t);
	return rc ? rc : lgn_kmeans_start(t);
}

static int train(struct lgn_kmeans *t)
{
	int rc = lgn_kmeans_resume(t);

	if (!rc && !t->restart)
		rc = begin_restart(t);
	while (!rc) {
		rc = rounds(t);
		if (rc || t->interrupted)
			break;
		rc = end_restart(t);
		if (rc || t->stopped || t->restart >= t->fit->options.restarts)
			break;
		rc = begin_restart(t);
	}
	return rc;
}

/* -------------------------------------------------------------- the end */

/* Rows of each cluster, of all workers: sums has them. */
static int count(struct lgn_kmeans *t)
{
	memset(t->sums, 0, t->clusters * sizeof(*t->sums));
	for (size_t i = 0; i < t->rows; i++)
		t->sums[t->cluster[i]]++;
	return lagoon_add(t->w, t->fit->members, 0, t->clusters, t->sums);
}

static void tell_assigned(const struct lgn_kmeans *t)
{
	struct lgn_kmeans_fit *fit = t->fit;
	size_t parts = (size_t)lagoon_local_workers(fit->lg);
	size_t local = (size_t)(t->id - fit->first_worker);

	memcpy(fit->assigned + fit->data->rows * local / parts, t->cluster,
	       t->rows * sizeof(*t->cluster));
}

static void tell_centroids(const struct lgn_kmeans *t)
{
	const struct lgn_kmeans_fit *fit = t->fit;

	for (size_t k = 0; k < t->clusters && fit->counts; k++)
		fit->counts[k] = (uint64_t)t->sums[k];
	for (size_t k = 0; k < t->clusters && fit->centroids; k++)
		for (size_t j = 0; j < t->cols; j++)
			fit->centroids[k * t->cols + j] = t->shift[j] +
				t->unit * t->centroid[k * t->cols + j];
}

static void fill_result(const struct lgn_kmeans *t)
{
	struct lagoon_kmeans_result *r = t->fit->result;

	r->sse = t->sse * t->unit * t->unit;
	r->restart = t->best_restart;
	r->rounds = t->best_rounds;
	r->converged = t->best_settled;
	r->stopped = t->stopped;
	r->all_rounds = t->all_rounds;
	r->round_seconds = t->round_seconds;
	for (size_t k = 0; k < t->clusters; k++)
		r->empty += !t->sums[k];
}

static void tell_interrupted(const struct lgn_kmeans *t)
{
	struct lagoon_kmeans_result *r = t->fit->result;

	lagoon_kmeans_result_free(r);
	r->interrupted = 1;
	r->sse = t->sse * t->unit * t->unit;
	r->restart = t->restart;
	r->rounds = t->round;
	r->all_rounds = t->all_rounds;
	r->round_seconds = t->round_seconds;
}

static int finish(struct lgn_kmeans *t)
{
	int rc;

	if (t->interrupted) {
		if (t->id == t->fit->first_worker)
			tell_interrupted(t);
		return 0;
	}
	memcpy(t->centroid, t->best,
	       t->clusters * t->cols * sizeof(*t->best));
	rc = measure_all(t, false);
	if (!rc)
		rc = lgn_kmeans_meet(t, count(t), NULL);
	if (!rc)
		rc = lagoon_pull(t->w, t->fit->members, 0, t->clusters, t->sums);
	if (rc)
		return rc;
	if (t->fit->assigned)
		tell_assigned(t);
	if (t->id != t->fit->first_worker)
		return 0;
	tell_centroids(t);
	fill_result(t);
	return 0;
}

/* -------------------------------------------------------------- opening */

static int open_rows(struct lgn_kmeans *t, struct lgn_dense *loaded,
		     struct lgn_libsvm *sparse)
{
	int rc = 0;

	if (sparse->start)
		rc = lgn_kmeans_densify(t->fit->path, sparse, t->cols, loaded);
	lgn_libsvm_free(sparse);
	t->x = loaded->x;
	t->rows = loaded->rows;
	return rc;
}

/* As many of a worker's rows as of all. */
static size_t batch_of(const struct lgn_kmeans *t)
{
	double share = (double)t->rows / (double)t->fit->facts.rows;
	double n = t->fit->options.batch * (share * t->fit->workers);

	return !has_batches(t) || !t->rows ? 0 : n < 1 ? 1 : (size_t)n;
}

static int open_vectors(struct lgn_kmeans *t)
{
	size_t k = t->clusters, cols = t->cols, wide = k * (1 + cols);
	size_t candidates = (size_t)t->fit->options.candidates;

	t->batch = batch_of(t);
	t->shift = calloc(cols, sizeof(*t->shift));
	t->factor = calloc(cols, sizeof(*t->factor));
	t->cluster = malloc((t->rows + 1) * sizeof(*t->cluster));
	t->square = calloc(t->rows + 1, sizeof(*t->square));
	t->least = calloc(t->rows + 1, sizeof(*t->least));
	t->centroid = calloc(k * cols, sizeof(*t->centroid));
	t->best = calloc(k * cols, sizeof(*t->best));
	if (t->fit->saved)
		t->used = calloc(k * cols, sizeof(*t->used));
	t->packed = calloc(lgn_kmeans_packed(k, cols), sizeof(*t->packed));
	t->packed_point = calloc(lgn_kmeans_packed(1, cols),
				 sizeof(*t->packed_point));
	t->point = calloc(candidates * cols, sizeof(*t->point));
	t->sums = calloc(wide, sizeof(*t->sums));
	t->now = calloc(wide, sizeof(*t->now));
	t->before = calloc(wide, sizeof(*t->before));
	t->add = calloc(wide, sizeof(*t->add));
	t->touched = calloc(k, sizeof(*t->touched));
	t->touched_before = calloc(k, sizeof(*t->touched_before));
	t->list = calloc(k, sizeof(*t->list));
	t->drawn = calloc(t->batch * cols + 1, sizeof(*t->drawn));
	t->of_drawn = calloc(t->batch + 1, sizeof(*t->of_drawn));
	t->square_drawn = calloc(t->batch + 1, sizeof(*t->square_drawn));
	if (!t->shift || !t->factor || !t->cluster || !t->square || !t->least ||
	    !t->centroid || !t->best || !t->packed || !t->packed_point ||
	    !t->point || !t->sums || !t->now || !t->before || !t->add ||
	    !t->touched || !t->touched_before || !t->list || !t->drawn ||
	    !t->of_drawn || !t->square_drawn || (t->fit->saved && !t->used))
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu rows and %zu "
				"centroids of %zu columns", t->rows, k, cols);
	for (size_t i = 0; i < t->rows; i++)
		t->cluster[i] = -1;
	return 0;
}

static int prepare(struct lgn_kmeans *t)
{
	struct lgn_kmeans_fit *fit = t->fit;
	int local = t->id - fit->first_worker, rc;

	t->clusters = (size_t)fit->options.clusters;
	t->cols = fit->facts.cols;
	t->all = calloc((size_t)fit->workers, sizeof(*t->all));
	if (!t->all)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the tidings of "
				"%d workers", fit->workers);
	rc = open_rows(t, &fit->loaded[local], &fit->sparse[local]);
	return rc ? rc : open_vectors(t);
}

static void close_all(struct lgn_kmeans *t)
{
	void *const all[] = {
		t->shift, t->factor, t->cluster, t->square, t->least,
		t->centroid, t->best, t->packed, t->packed_point, t->point,
		t->sums, t->now, t->before, t->add, t->touched,
		t->touched_before, t->list, t->drawn, t->of_drawn,
		t->square_drawn, t->used, t->all,
	};

	for (size_t i = 0; i < LGN_COUNT(all); i++)
		free(all[i]);
}

int lgn_kmeans_train(struct lagoon_worker *w, void *arg)
{
	struct lgn_kmeans t = { .fit = arg, .w = w };
	int rc;

	t.id = lagoon_worker_id(w);
	rc = prepare(&t);
	rc = lgn_kmeans_meet(&t, rc, NULL);
	if (!rc)
		rc = lgn_kmeans_scale(&t);
	if (!rc)
		rc = train(&t);
	if (!rc)
		rc = finish(&t);
	if (rc)
		lgn_share_fail(&t.fit->tidings, w, t.meetings, rc);
	close_all(&t);
	return rc;
}
