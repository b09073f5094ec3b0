/* SPDX-License-Identifier: BSD-3-Clause */
/* What workers of a fit exchange: sums and numbers of the rows of each cluster,
 * and points. */
#include <math.h>
#include <string.h>

#include "kernels/solve/kmeans/kmeans.h"
#include "kernels/solve/words.h"

#define BITS_MOST 50		/* of a coordinate: what the rounding below can */
#define BITS_SUM 60		/* of a sum; the table takes 62 */

/* --------------------------------------------------------------- points */

int lgn_kmeans_tell_point(struct lgn_kmeans *t, size_t at, const double *x)
{
	return lgn_words_tell(t->w, t->fit->points, at * t->cols, t->cols, x);
}

int lgn_kmeans_pull_points(struct lgn_kmeans *t, size_t n, double *x)
{
	return lgn_words_pull(t->w, t->fit->points, 0, n * t->cols, x);
}

/* ----------------------------------------------------------------- sums */

/* How many rows a sum can have; of a restart that others began, with theirs. */
static double most_rows(const struct lgn_kmeans_fit *fit)
{
	const struct lagoon_kmeans_options *o = &fit->options;
	double each = lgn_kmeans_batches(fit);

	if (o->method == LAGOON_KMEANS_LLOYD)
		return (double)fit->facts.rows;
	return fmax(each * o->rounds,
		    fit->from.drawn + each * (o->rounds - fit->from.round));
}

/* range: of each column the largest |x|. Powers of two: nothing is rounded but
 * to whole units. */
void lgn_kmeans_set_factors(struct lgn_kmeans *t, const double *range)
{
	int bits = BITS_SUM - (int)ceil(log2(most_rows(t->fit)));

	if (bits > BITS_MOST)
		bits = BITS_MOST;
	t->bits = bits;
	for (size_t j = 0; j < t->cols; j++) {
		int e = 0;

		frexp(range[j], &e);
		t->factor[j] = ldexp(1, bits - (e > -900 ? e : -900));
	}
}

/* Beside this, a double has whole units alone. */
static inline int64_t whole(double x)
{
	const double magic = 0x1.8p52;
	double sum = x + magic;
	int64_t bits, base;

	memcpy(&bits, &sum, sizeof(bits));
	memcpy(&base, &magic, sizeof(base));
	return bits - base;
}

void lgn_kmeans_move(struct lgn_kmeans *t, const double *x, int32_t cluster,
		     int sign)
{
	int64_t *row = t->now + (size_t)cluster * (1 + t->cols);

	t->touched[cluster] = true;
	row[0] += sign;
	for (size_t j = 0; j < t->cols; j++)
		row[1 + j] += sign * whole(x[j] * t->factor[j]);
}

/* Of the tables that are used in turn. */
static uint64_t table_of(const struct lgn_kmeans *t, uint64_t round)
{
	return round % (uint64_t)t->fit->tables * t->clusters;
}

static void add_up(size_t n, const int64_t *a, int64_t *b)
{
	for (size_t i = 0; i < n; i++)
		b[i] += a[i];
}

/* What this round moved; with two tables, to the one that did not get it, what
 * the round before did, too. With batches `before` is all that was ever added. */
int lgn_kmeans_push(struct lgn_kmeans *t)
{
	bool two = t->fit->tables == 2;
	bool all = t->fit->options.method == LAGOON_KMEANS_MINIBATCH;
	size_t width = 1 + t->cols, bytes = width * sizeof(*t->now), n = 0;

	for (size_t k = 0; k < t->clusters; k++) {
		int64_t *now = t->now + k * width, *add = t->add + n * width;
		int64_t *before = t->before + k * width;

		if (!t->touched[k] && !(two && t->touched_before[k]))
			continue;
		t->list[n++] = table_of(t, t->all_rounds) + k;
		memcpy(add, now, bytes);
		if (two) {
			add_up(width, before, add);
			memcpy(before, now, bytes);
		} else if (all) {
			add_up(width, now, before);
		}
		memset(now, 0, bytes);
	}
	memcpy(t->touched_before, t->touched, t->clusters);
	memset(t->touched, 0, t->clusters);
	return n ? lagoon_add_rows(t->w, t->fit->sums, t->list, n, t->add) : 0;
}

/* A cluster without rows keeps its centroid. */
int lgn_kmeans_pull(struct lgn_kmeans *t)
{
	size_t width = 1 + t->cols;
	int rc = lagoon_pull(t->w, t->fit->sums, table_of(t, t->all_rounds),
			     t->clusters, t->sums);

	for (size_t k = 0; k < t->clusters && !rc; k++) {
		const int64_t *sum = t->sums + k * width;
		double *c = t->centroid + k * t->cols;

		for (size_t j = 0; j < t->cols && sum[0] > 0; j++)
			c[j] = (double)sum[1 + j] / (double)sum[0] /
				t->factor[j];
	}
	return rc;
}

/* All that this worker added, with batches. */
int lgn_kmeans_take_back(struct lgn_kmeans *t)
{
	size_t n = t->clusters * (1 + t->cols);
	int rc;

	for (size_t i = 0; i < n; i++)
		t->before[i] = -t->before[i];
	rc = lagoon_add(t->w, t->fit->sums, 0, t->clusters, t->before);
	memset(t->before, 0, n * sizeof(*t->before));
	return lgn_kmeans_meet(t, rc, NULL);
}
