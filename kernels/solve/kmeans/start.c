/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first centroids. All workers draw the same numbers; a number says which
 * row of all is meant, or how far along the sum of all squared distances, of
 * which each worker knows the others' parts; the worker that has the row tells
 * it to all. So the rows that are drawn do not depend on the number of workers,
 * but for rounding of the parts.
 *
 * k-means++: D. Arthur and S. Vassilvitskii, k-means++: the advantages of
 * careful seeding, SODA 2007; with the best of several candidates for each
 * centroid, as they propose in section 5.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/kmeans/kmeans.h"
#include "runtime/base/status.h"

enum { DRAW_FIRST, DRAW_NEXT, DRAW_RANDOM };
enum { ROWS = 1024 };		/* at once */

double lgn_kmeans_nearer(struct lgn_kmeans *t, const double *point,
			 double *square)
{
	int32_t which[ROWS];
	double sum = 0;

	memset(which, 0, sizeof(which));
	lagoon_nearest_pack(1, t->cols, point, t->cols, t->packed_point);
	for (size_t i = 0, n; i < t->rows; i += n) {
		n = t->rows - i < ROWS ? t->rows - i : ROWS;
		lagoon_nearest_find(n, t->cols, t->x + i * t->cols, t->cols, 1,
			       point, t->cols, t->packed_point, 0, which,
			       square + i);
		for (size_t k = 0; k < n; k++)
			sum += square[i + k];
	}
	return sum;
}

/* A row of all, if it is this worker's, becomes a point of all. */
static int tell_row(struct lgn_kmeans *t, size_t at, uint64_t row)
{
	uint64_t first = t->fit->first_row[t->id];

	if (row < first || row >= t->fit->first_row[t->id + 1])
		return 0;
	return lgn_kmeans_tell_point(t, at, t->x + (row - first) * t->cols);
}

/* ----------------------------------------------------------- k-means++ */

/* The worker whose part of the sum of all this falls into; what is left of it
 * there. With rounding it may fall behind the last part. */
static int owner_of(const struct lgn_kmeans *t, int candidate, double *sum)
{
	int last = 0;

	for (int i = 0; i < t->fit->workers; i++) {
		double part = t->all[i].potential[candidate];

		if (part <= 0)
			continue;
		if (*sum < part)
			return i;
		*sum -= part;
		last = i;
	}
	return last;
}

static size_t row_at(const struct lgn_kmeans *t, double sum)
{
	size_t last = 0;
	double so_far = 0;

	for (size_t i = 0; i < t->rows; i++) {
		if (t->square[i] <= 0)
			continue;
		last = i;
		so_far += t->square[i];
		if (sum < so_far)
			break;
	}
	return last;
}

static double total_of(const struct lgn_kmeans *t, int candidate)
{
	double sum = 0;

	for (int i = 0; i < t->fit->workers; i++)
		sum += t->all[i].potential[candidate];
	return sum;
}

/* The sum of squares, as the candidate that was taken left it, is in t->all.
 * Where it is 0, all rows are where centroids are. */
static int tell_candidates(struct lgn_kmeans *t, size_t next, int taken)
{
	double total = total_of(t, taken);
	int rc = 0;

	for (int l = 0; l < t->fit->options.candidates && !rc; l++) {
		struct lgn_kmeans_draw d = lgn_kmeans_draw(
			t, DRAW_NEXT, next * LGN_KMEANS_CANDIDATES + (size_t)l);
		double at = lgn_kmeans_uniform(&d) * total;

		if (total <= 0)
			rc = tell_row(t, (size_t)l, lgn_kmeans_below(
				&d, t->fit->facts.rows));
		else if (owner_of(t, taken, &at) == t->id)
			rc = lgn_kmeans_tell_point(t, (size_t)l, t->x +
				row_at(t, at) * t->cols);
	}
	return lgn_kmeans_meet(t, rc, NULL);
}

static int measure_candidates(struct lgn_kmeans *t)
{
	struct lgn_kmeans_tidings mine = { 0 };
	size_t n = (size_t)t->fit->options.candidates;
	int rc = lgn_kmeans_pull_points(t, n, t->point);

	for (size_t l = 0; l < n && !rc; l++) {
		memcpy(t->least, t->square, t->rows * sizeof(*t->least));
		mine.potential[l] = lgn_kmeans_nearer(
			t, t->point + l * t->cols, t->least);
	}
	return lgn_kmeans_meet(t, rc, &mine);
}

static int best_candidate(const struct lgn_kmeans *t)
{
	int best = 0;

	for (int l = 1; l < t->fit->options.candidates; l++)
		if (lgn_kmeans_is_less(total_of(t, l), total_of(t, best)))
			best = l;
	return best;
}

static void take(struct lgn_kmeans *t, size_t k, const double *point)
{
	memcpy(t->centroid + k * t->cols, point, t->cols * sizeof(*point));
	lgn_kmeans_nearer(t, point, t->square);
}

static int start_first(struct lgn_kmeans *t)
{
	struct lgn_kmeans_draw d = lgn_kmeans_draw(t, DRAW_FIRST, 0);
	struct lgn_kmeans_tidings mine = { 0 };
	int rc = tell_row(t, 0, lgn_kmeans_below(&d, t->fit->facts.rows));

	rc = lgn_kmeans_meet(t, rc, NULL);
	if (!rc)
		rc = lgn_kmeans_pull_points(t, 1, t->point);
	for (size_t i = 0; i < t->rows; i++)
		t->square[i] = (double)INFINITY;
	if (!rc)
		take(t, 0, t->point);
	for (size_t i = 0; i < t->rows; i++)
		mine.potential[0] += t->square[i];
	return lgn_kmeans_meet(t, rc, &mine);
}

static int start_plusplus(struct lgn_kmeans *t)
{
	int rc = start_first(t), taken = 0;

	for (size_t k = 1; k < t->clusters && !rc; k++) {
		rc = tell_candidates(t, k, taken);
		if (!rc)
			rc = measure_candidates(t);
		if (rc)
			break;
		taken = best_candidate(t);
		take(t, k, t->point + (size_t)taken * t->cols);
	}
	return rc;
}

/* -------------------------------------------------------------- random */

/* A set of numbers, open addressing; 0 is a free place. */
struct set {
	uint64_t *place;
	uint64_t mask;
};

static bool insert(struct set *s, uint64_t x)
{
	uint64_t at = (x + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & s->mask;

	for (; s->place[at]; at = (at + 1) & s->mask)
		if (s->place[at] == x + 1)
			return false;
	s->place[at] = x + 1;
	return true;
}

/* R. Floyd's: as many different ones of n, each as likely. */
static void draw_rows(const struct lgn_kmeans *t, struct set *s, uint64_t *row)
{
	struct lgn_kmeans_draw d = lgn_kmeans_draw(t, DRAW_RANDOM, 0);
	uint64_t n = t->fit->facts.rows;

	for (size_t k = 0; k < t->clusters; k++) {
		uint64_t last = n - t->clusters + k;

		row[k] = lgn_kmeans_below(&d, last + 1);
		if (insert(s, row[k]))
			continue;
		row[k] = last;
		insert(s, last);
	}
}

static int start_random(struct lgn_kmeans *t)
{
	struct set set = { .mask = 3 };
	int rc = 0;

	while (set.mask < 2 * t->clusters)
		set.mask = 2 * set.mask + 1;
	set.place = calloc(set.mask + 1, sizeof(*set.place));
	if (set.place)
		draw_rows(t, &set, t->list);
	else
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for %zu numbers of rows",
			      t->clusters);
	free(set.place);
	for (size_t k = 0; k < t->clusters && !rc; k++)
		rc = tell_row(t, k, t->list[k]);
	rc = lgn_kmeans_meet(t, rc, NULL);
	return rc ? rc : lgn_kmeans_pull_points(t, t->clusters, t->centroid);
}

int lgn_kmeans_start(struct lgn_kmeans *t)
{
	return t->fit->options.start == LAGOON_KMEANS_RANDOM ?
		start_random(t) : start_plusplus(t);
}

/* --------------------------------------------------------- empty clusters */

static int next_empty(const struct lgn_kmeans *t, int from)
{
	for (size_t k = (size_t)from; k < t->clusters; k++)
		if (t->sums[k * (1 + t->cols)] <= 0)
			return (int)k;
	return -1;
}

/* What the first worker saw in its last pull counts: others may have seen other
 * sums. */
void lgn_kmeans_offer(const struct lgn_kmeans *t, int from,
		      struct lgn_kmeans_tidings *mine)
{
	mine->empty = t->id ? -1 : next_empty(t, from);
	mine->farthest = 0;
	for (size_t i = 0; i < t->rows; i++)
		mine->farthest = fmax(mine->farthest, t->square[i]);
}

static int farthest_worker(const struct lgn_kmeans *t)
{
	int at = 0;

	for (int i = 1; i < t->fit->workers; i++)
		if (t->all[i].farthest > t->all[at].farthest)
			at = i;
	return at;
}

static int tell_farthest(struct lgn_kmeans *t)
{
	size_t at = 0;

	for (size_t i = 1; i < t->rows; i++)
		if (t->square[i] > t->square[at])
			at = i;
	return lgn_kmeans_tell_point(t, 0, t->x + at * t->cols);
}

int lgn_kmeans_refill(struct lgn_kmeans *t)
{
	struct lgn_kmeans_tidings mine = { 0 };
	int rc = 0;

	t->refilled = false;
	while (t->all[0].empty >= 0) {
		int k = t->all[0].empty, from = farthest_worker(t);
		double *c = t->centroid + (size_t)k * t->cols;

		if (t->all[from].farthest <= 0)
			break;
		if (from == t->id)
			rc = tell_farthest(t);
		rc = lgn_kmeans_meet(t, rc, NULL);
		if (!rc)
			rc = lgn_kmeans_pull_points(t, 1, c);
		if (!rc)
			lgn_kmeans_nearer(t, c, t->square);
		lgn_kmeans_offer(t, k + 1, &mine);
		rc = lgn_kmeans_meet(t, rc, &mine);
		if (rc)
			return rc;
		t->refilled = true;
	}
	return 0;
}
