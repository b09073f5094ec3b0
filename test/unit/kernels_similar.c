/* SPDX-License-Identifier: BSD-3-Clause */
/* The k best against sorting all; the similarity of a pair against formulas on
 * whole rows, with every row that is special. */
#include <math.h>

#include "kernels/lagoon_solve.h"
#include "test/unit/kernels.h"

/* ------------------------------------------------------------ selection */

struct item {
	double value;
	int64_t id;
};

static int by_rank(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Few values: many are equal. The order of ids is any. */
static void check_top(size_t n, size_t k, uint64_t values, uint64_t *seed)
{
	struct item *all = malloc((n + 1) * sizeof(*all));
	struct lagoon_top top = {
		.k = k, .value = malloc((k + 1) * sizeof(double)),
		.id = malloc((k + 1) * sizeof(int64_t)),
	};
	size_t best = n < k ? n : k;

	for (size_t i = 0; i < n; i++)
		all[i] = (struct item){ (double)below(seed, values) - 2,
					(int64_t)(i * 7919 % n) };
	if (n % 7919 == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		size_t before = top.n;
		int kept = lagoon_top_add(&top, all[i].value, all[i].id);
		bool there = false;

		for (size_t m = 0; m < top.n; m++)
			there |= top.id[m] == all[i].id;
		cr_assert(kept == there);
		cr_assert(top.n == before + (before < k));
	}
	lagoon_top_sort(&top);
	qsort(all, n, sizeof(*all), by_rank);
	cr_assert(top.n == best);
	for (size_t i = 0; i < best; i++)
		cr_assert(top.value[i] == all[i].value && top.id[i] == all[i].id,
			  "%zu of %zu, place %zu: %g of %lld, expected %g of %lld",
			  k, n, i, top.value[i], (long long)top.id[i],
			  all[i].value, (long long)all[i].id);
	free(all);
	free(top.value);
	free(top.id);
}

Test(kernels_similar, top_is_the_beginning_of_the_sorted_list)
{
	uint64_t seed = 3;

	for (size_t n = 0; n < 40; n++)
		for (size_t k = 0; k < 12; k++) {
			check_top(n, k, 4, &seed);
			check_top(n, k, 1000000, &seed);
		}
	check_top(5000, 100, 50, &seed);
}

/* ----------------------------------------------------------------- pairs */

enum { COLS = 12 };

static double mean_of(const double *x, const bool *use)
{
	double sum = 0, n = 0;

	for (int j = 0; j < COLS; j++)
		if (use[j]) {
			sum += x[j];
			n++;
		}
	return sum / n;
}

static bool correlation(const double *x, const double *y, const bool *use,
			double *value)
{
	double mx = mean_of(x, use), my = mean_of(y, use);
	double xx = 0, yy = 0, xy = 0;
	int first = -1;
	bool x_varies = false, y_varies = false;

	for (int j = 0; j < COLS; j++) {
		if (!use[j])
			continue;
		if (first < 0)
			first = j;
		x_varies |= x[j] != x[first];
		y_varies |= y[j] != y[first];
		xx += (x[j] - mx) * (x[j] - mx);
		yy += (y[j] - my) * (y[j] - my);
		xy += (x[j] - mx) * (y[j] - my);
	}
	*value = xy / sqrt(xx) / sqrt(yy);
	return x_varies && y_varies;
}

/* As the header has it, of whole rows. */
static bool expected(int measure, const double *x, const double *y,
		     double *value)
{
	bool both[COLS], all[COLS];
	double n = 0, any = 0, xx = 0, yy = 0, xy = 0, least = 0, most = 0;

	for (int j = 0; j < COLS; j++) {
		all[j] = true;
		both[j] = x[j] != 0 && y[j] != 0;
		n += both[j];
		any += x[j] != 0 || y[j] != 0;
		xx += x[j] * x[j];
		yy += y[j] * y[j];
		xy += x[j] * y[j];
		least += fmin(x[j], y[j]);
		most += fmax(x[j], y[j]);
	}
	if (!n)
		return false;
	switch (measure) {
	case LAGOON_SIMILAR_COSINE:
		*value = xy / sqrt(xx) / sqrt(yy);
		return true;
	case LAGOON_SIMILAR_JACCARD:
		*value = n / any;
		return true;
	case LAGOON_SIMILAR_RUZICKA:
		*value = least / most;
		return true;
	default:
		return correlation(x, y, measure == LAGOON_SIMILAR_PEARSON ?
				   both : all, value);
	}
}

static size_t pack(const double *x, uint32_t *col, double *val)
{
	size_t n = 0;

	for (uint32_t j = 0; j < COLS; j++)
		if (x[j] != 0) {
			col[n] = j;
			val[n++] = x[j];
		}
	return n;
}

static int pair(int measure, const double *x, const double *y, double *value)
{
	uint32_t x_col[COLS], y_col[COLS];
	double x_val[COLS], y_val[COLS];
	size_t nx = pack(x, x_col, x_val), ny = pack(y, y_col, y_val);

	return lagoon_similar_pair(measure, COLS, nx, x_col, x_val, ny, y_col,
				   y_val, value);
}

static void check_pair(int measure, const double *x, const double *y)
{
	double want = 0, found = 7, turned = 7;
	bool any = expected(measure, x, y, &want);

	cr_assert(pair(measure, x, y, &found) == any, "measure %d", measure);
	cr_assert(pair(measure, y, x, &turned) == any);
	cr_assert(found == turned, "measure %d: %.17g, %.17g", measure, found,
		  turned);
	cr_assert(any ? fabs(found - want) < 1e-12 : found == 7,
		  "measure %d: %.17g, expected %.17g", measure, found, want);
	cr_assert(!any || (found >= -1 && found <= 1));
}

static void draw(double *x, int kind, bool negative, uint64_t *seed)
{
	for (int j = 0; j < COLS; j++) {
		x[j] = kind == 0 ? 0 : kind == 1 ? 3.1 :
			below(seed, kind) ? 0 : (double)(1 + below(seed, 4));
		if (negative && below(seed, 3) == 0)
			x[j] = -x[j];
	}
	if (kind == 2)
		for (int j = 0; j < COLS; j++)
			x[j] *= 0.37;
}

Test(kernels_similar, pairs_have_the_value_of_the_formula)
{
	uint64_t seed = 11;

	for (int round = 0; round < 4000; round++)
		for (int m = 0; m <= LAGOON_SIMILAR_CORRELATION; m++) {
			bool negative = m != LAGOON_SIMILAR_RUZICKA &&
				round % 2;
			double x[COLS], y[COLS];

			draw(x, (int)below(&seed, 7), negative, &seed);
			draw(y, (int)below(&seed, 7), negative, &seed);
			check_pair(m, x, y);
			check_pair(m, x, x);
		}
}

/* Squares of these do not fit in a double, and what is constant stays so though
 * its mean is rounded. */
Test(kernels_similar, pairs_of_large_small_and_nearly_constant_rows)
{
	double x[COLS] = { 3e300, 4e300 }, y[COLS] = { 4e-300, 3e-300 };
	double a[COLS] = { 0.1, 0.1, 0.1 }, b[COLS] = { 1, 2, 4 };
	double c[COLS] = { 1e8, 1e8 + 1e-6, 1e8 + 2e-6, 0 };
	double value;

	cr_assert(pair(LAGOON_SIMILAR_COSINE, x, y, &value) == 1);
	cr_assert(fabs(value - 0.96) < 1e-15, "%.17g", value);
	cr_assert(pair(LAGOON_SIMILAR_PEARSON, x, y, &value) == 1);
	cr_assert(value == -1);
	cr_assert(pair(LAGOON_SIMILAR_PEARSON, a, b, &value) == 0);
	cr_assert(pair(LAGOON_SIMILAR_PEARSON, c, b, &value) == 1);
	cr_assert(fabs(value - 0.98198) < 1e-2, "%.17g", value);
	cr_assert(lagoon_similar_pair(5, COLS, 0, NULL, NULL, 0, NULL, NULL,
				      &value) == LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "measure 5"));
}
