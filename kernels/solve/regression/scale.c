/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Means and deviations, in two passes as a textbook has them: a sum of squares
 * less a square of sums loses digits. Partial sums go to all workers as
 * doubles, bit for bit, and are added up in the order of workers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/regression/regression.h"
#include "runtime/base/status.h"

#define CONSTANT 1e-13		/* a deviation by the mean that is rounding */

/* sums: [2][cols + 1]: of each column and, last, the targets; then how many
 * entries there are. */
struct sums {
	size_t n;		/* cols + 1 */
	double *mine;
	double *all;		/* [workers] of the same */
	double *mean;		/* [n] */
	double *square;		/* [n] mean square deviation from the mean */
};

static int sums_open(const struct lgn_regression_fit *fit, struct sums *s)
{
	size_t n = fit->facts.cols + 1;

	s->n = n;
	s->mine = calloc(2 * n, sizeof(double));
	s->all = calloc(2 * n * (size_t)fit->workers, sizeof(double));
	s->mean = calloc(n, sizeof(double));
	s->square = calloc(n, sizeof(double));
	if (s->mine && s->all && s->mean && s->square)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for sums of %zu columns", n);
}

static void sums_close(struct sums *s)
{
	free(s->mine);
	free(s->all);
	free(s->mean);
	free(s->square);
}

/* Of what differs from the mean, to this power. */
static void add_up(const struct lgn_entries *e, struct sums *s, int power)
{
	double *of_y = &s->mine[s->n - 1], *count = &s->mine[s->n];
	double mean = s->mean[s->n - 1];

	memset(s->mine, 0, 2 * s->n * sizeof(*s->mine));
	for (size_t k = 0; k < e->n; k++) {
		double x = e->val[k] - s->mean[e->col[k]];

		s->mine[e->col[k]] += power == 2 ? x * x : x;
		count[e->col[k]]++;
	}
	for (size_t k = 0; k < e->n_targets; k++) {
		double y = e->target[k] - mean;

		*of_y += power == 2 ? y * y : y;
		count[s->n - 1]++;
	}
}

/* What has no entry is 0. */
static void reduce(const struct lgn_regression_fit *fit, const struct sums *s,
		   double *mean_of, int power)
{
	double rows = (double)fit->facts.rows;

	for (size_t j = 0; j < s->n; j++) {
		double sum = 0, count = 0;

		for (int i = 0; i < fit->workers; i++) {
			sum += s->all[(size_t)i * 2 * s->n + j];
			count += s->all[(size_t)i * 2 * s->n + s->n + j];
		}
		if (power == 2)
			sum += (rows - count) * s->mean[j] * s->mean[j];
		mean_of[j] = sum / rows;
	}
}

static int pass(const struct lgn_regression_fit *fit, struct lagoon_worker *w,
		uint32_t *round, struct sums *s, double *mean_of, int power)
{
	int local = lagoon_worker_id(w) - fit->first_worker, rc;

	add_up(&fit->loaded[local], s, power);
	rc = lgn_share_meet(&fit->columns, w, round, 0, s->mine, s->all);
	if (!rc)
		reduce(fit, s, mean_of, power);
	return rc;
}

/* The root mean square of a column as it is used, but for the one scale. A
 * column that does not vary has none. */
static double width(const struct lgn_regression_fit *fit, const struct sums *s,
		    size_t j, double *factor)
{
	const struct lagoon_regression_options *o = &fit->options;
	double mean = s->mean[j], deviation = sqrt(s->square[j]);
	double root = o->intercept ? deviation : hypot(deviation, mean);
	bool constant = deviation <= CONSTANT * fabs(mean);

	*factor = 0;
	if (constant && (o->intercept || o->standardise))
		return 0;
	*factor = o->standardise ? 1 / deviation : 1;
	return *factor * root;
}

static void derive(const struct lgn_regression_fit *fit, const struct sums *s,
		   struct lgn_regression_scale *scale)
{
	const struct lagoon_regression_options *o = &fit->options;
	double largest = 0, smallest = INFINITY, y = s->mean[s->n - 1];

	for (size_t j = 0; j + 1 < s->n; j++) {
		double x = width(fit, s, j, &scale->factor[j]);

		scale->shift[j] = o->intercept ? s->mean[j] : 0;
		if (x == 0)
			scale->factor[j] = 0;
		largest = fmax(largest, x);
		if (x > 0)
			smallest = fmin(smallest, x);
	}
	if (largest == 0)
		largest = smallest = 1;
	scale->row = 0;
	for (size_t j = 0; j + 1 < s->n; j++) {
		double ignored, x = width(fit, s, j, &ignored);

		scale->factor[j] /= largest;
		scale->row += x / largest * (x / largest);
	}
	scale->widest = largest / smallest;
	scale->y_shift = o->intercept ? y : 0;
	scale->y_scale = sqrt(s->square[s->n - 1]);
	if (!o->intercept)
		scale->y_scale = hypot(scale->y_scale, y);
	else if (scale->y_scale <= CONSTANT * fabs(y))
		scale->y_scale = 0;
	if (scale->y_scale == 0)
		scale->y_scale = 1;
	scale->l1 = o->l1 / (largest * scale->y_scale);
	scale->l2 = o->l2 / (largest * largest);
}

static int scale_open(size_t cols, struct lgn_regression_scale *scale)
{
	memset(scale, 0, sizeof(*scale));
	scale->shift = calloc(cols, sizeof(*scale->shift));
	scale->factor = calloc(cols, sizeof(*scale->factor));
	if (scale->shift && scale->factor)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for %zu columns", cols);
}

int lgn_regression_scale(struct lagoon_worker *w, void *arg)
{
	struct lgn_regression_fit *fit = arg;
	struct sums s = { 0 };
	uint32_t round = 0;
	int rc = sums_open(fit, &s);

	if (rc)
		lgn_share_fail(&fit->columns, w, round, rc);
	if (!rc)
		rc = pass(fit, w, &round, &s, s.mean, 1);
	if (!rc)
		rc = pass(fit, w, &round, &s, s.square, 2);
	if (!rc && lagoon_worker_id(w) == fit->first_worker)
		rc = scale_open(fit->facts.cols, &fit->scale);
	if (!rc && lagoon_worker_id(w) == fit->first_worker)
		derive(fit, &s, &fit->scale);	/* the same in all */
	sums_close(&s);
	return rc;
}

void lgn_regression_scale_free(struct lgn_regression_scale *scale)
{
	free(scale->shift);
	free(scale->factor);
	memset(scale, 0, sizeof(*scale));
}
