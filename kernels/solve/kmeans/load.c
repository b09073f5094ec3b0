/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a call, from memory or from a file, checked; agreeing on what
 * there is; and the scale on which the fit sees them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/kmeans/kmeans.h"
#include "kernels/solve/words.h"
#include "runtime/base/status.h"

#define DRAWN_MOST 0x1p40	/* else the grid of their sums is coarse */

/* --------------------------------------------------------------- memory */

int lgn_kmeans_check_shape(const struct lagoon_kmeans_data *d)
{
	if (d->size < sizeof(*d))
		return lgn_fail(LAGOON_EINVAL, "data: size is not set");
	if (d->real_size != 4 && d->real_size != 8)
		return lgn_fail(LAGOON_EINVAL, "data: real_size %d: expected "
				"4 or 8", d->real_size);
	if (!d->cols || d->cols > UINT32_MAX / 2)
		return lgn_fail(LAGOON_EINVAL, "data: %zu columns: expected 1 "
				"to %u", d->cols, UINT32_MAX / 2);
	if (d->rows && d->stride < d->cols)
		return lgn_fail(LAGOON_EINVAL, "data: stride %zu: expected at "
				"least %zu, the columns", d->stride, d->cols);
	if (d->rows && !d->x)
		return lgn_fail(LAGOON_EINVAL, "data: x is NULL: expected "
				"elements");
	return 0;
}

static int fail_element(size_t row, size_t col, double x)
{
	return lgn_fail(LAGOON_EINVAL, "row %zu: column %zu is %g: expected a "
			"finite number of at most %g", row + 1, col + 1, x,
			LGN_KMEANS_MOST);
}

int lgn_kmeans_take(const struct lagoon_kmeans_data *d, size_t first, size_t end,
		    struct lgn_dense *out)
{
	out->rows = end - first;
	out->cols = d->cols;
	out->x = malloc((out->rows * d->cols + 1) * sizeof(*out->x));
	if (!out->x)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu rows of %zu "
				"numbers", end - first, d->cols);
	for (size_t i = first; i < end; i++) {
		for (size_t j = 0; j < d->cols; j++) {
			size_t at = i * d->stride + j;
			double x = d->real_size == 4 ?
				(double)((const float *)d->x)[at] :
				((const double *)d->x)[at];

			if (!(fabs(x) <= LGN_KMEANS_MOST))
				return fail_element(i, j, x);
			out->x[(i - first) * d->cols + j] = x;
		}
	}
	return 0;
}

static int take_memory(const struct lgn_kmeans_fit *fit, int local,
		       struct lgn_dense *out)
{
	const struct lagoon_kmeans_data *d = fit->data;
	size_t parts = (size_t)lagoon_local_workers(fit->lg), k = (size_t)local;
	int rc = lgn_kmeans_check_shape(d);

	return rc ? rc : lgn_kmeans_take(d, d->rows * k / parts,
					 d->rows * (k + 1) / parts, out);
}

/* ---------------------------------------------------------------- files */

int lgn_kmeans_densify(const char *path, const struct lgn_libsvm *from,
		       uint64_t cols, struct lgn_dense *to)
{
	to->rows = from->rows;
	to->cols = cols;
	to->x = calloc(from->rows * cols + 1, sizeof(*to->x));
	if (!to->x)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for %zu dense "
				"rows of %llu numbers", path, from->rows,
				(unsigned long long)cols);
	for (size_t i = 0; i < from->rows; i++) {
		double *row = to->x + i * cols;

		for (size_t k = from->start[i]; k < from->start[i + 1]; k++) {
			if (fabs(from->val[k]) > LGN_KMEANS_MOST)
				return lgn_fail(LAGOON_EINVAL, "%s: a value is "
						"%g: expected at most %g", path,
						from->val[k], LGN_KMEANS_MOST);
			row[from->col[k]] = from->val[k];
		}
	}
	return 0;
}

static int take_file(const struct lgn_kmeans_fit *fit, int id, int local)
{
	const struct lgn_libsvm_range range = {
		.part = id,
		.parts = fit->workers,
		.zero_based = fit->options.zero_based,
		.targets = 1,
	};
	int format = fit->options.format;

	if (format < 0)
		format = lgn_dense_is_libsvm(fit->path);
	if (format < 0)
		return format;
	if (format == LAGOON_KMEANS_LIBSVM)
		return lgn_libsvm_read(fit->path, &range, &fit->sparse[local]);
	return lgn_dense_read(fit->path, id, fit->workers, LGN_KMEANS_MOST,
			      &fit->loaded[local]);
}

/* ------------------------------------------------------------- agreeing */

static int check(const struct lgn_kmeans_fit *fit,
		 const struct lgn_kmeans_extent *all)
{
	const char *what = fit->path ? fit->path : "data";
	double drawn = (double)fit->options.rounds * fit->options.batch *
		fit->workers;

	if (!all->rows)
		return lgn_fail(LAGOON_EINVAL, "%s: no rows", what);
	if (!all->cols)
		return lgn_fail(LAGOON_EINVAL, "%s: no entries, expected "
				"\"index:value\"", what);
	if ((uint64_t)fit->options.clusters > all->rows)
		return lgn_fail(LAGOON_EINVAL, "%s: %llu rows for %d clusters: "
				"expected at most as many clusters as rows",
				what, (unsigned long long)all->rows,
				fit->options.clusters);
	if (fit->options.method == LAGOON_KMEANS_MINIBATCH && drawn > DRAWN_MOST)
		return lgn_fail(LAGOON_EINVAL, "%g rows to be drawn: expected at "
				"most %g, rounds times batch times workers",
				drawn, DRAWN_MOST);
	return 0;
}

static int agree(const struct lgn_kmeans_fit *fit,
		 const struct lgn_kmeans_extent *parts,
		 struct lgn_kmeans_extent *all)
{
	memset(all, 0, sizeof(*all));
	for (int i = 0; i < fit->workers; i++) {
		if (fit->data && parts[i].cols != parts[0].cols)
			return lgn_fail(LAGOON_EINVAL, "%llu columns in worker "
					"%d: expected %llu, as in those before",
					(unsigned long long)parts[i].cols, i,
					(unsigned long long)parts[0].cols);
		all->rows += parts[i].rows;
		if (parts[i].cols > all->cols)
			all->cols = parts[i].cols;
	}
	return check(fit, all);
}

static void keep(struct lgn_kmeans_fit *fit,
		 const struct lgn_kmeans_extent *parts,
		 const struct lgn_kmeans_extent *all)
{
	fit->facts = *all;
	for (int i = 0; i < fit->workers; i++)
		fit->first_row[i + 1] = fit->first_row[i] + parts[i].rows;
}

int lgn_kmeans_load(struct lagoon_worker *w, void *arg)
{
	struct lgn_kmeans_fit *fit = arg;
	int id = lagoon_worker_id(w), local = id - fit->first_worker;
	struct lgn_kmeans_extent mine, all;
	struct lgn_kmeans_extent *parts = calloc((size_t)fit->workers,
						 sizeof(*parts));
	uint32_t round = 0;
	int rc = parts ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for the facts "
				      "of %d workers", fit->workers);

	if (!rc)
		rc = fit->path ? take_file(fit, id, local) :
			take_memory(fit, local, &fit->loaded[local]);
	mine = (struct lgn_kmeans_extent){
		.rows = fit->loaded[local].rows + fit->sparse[local].rows,
		.cols = fit->loaded[local].cols + fit->sparse[local].cols,
	};
	rc = lgn_share_meet(&fit->tidings, w, &round, rc, &mine, parts);
	if (!rc)
		rc = agree(fit, parts, &all);
	if (!rc && !local)
		keep(fit, parts, &all);		/* the same in all */
	free(parts);
	return rc;
}

/* ---------------------------------------------------------------- scale */

/* range [2][cols]: least and largest of each column of this worker's. */
static void measure(const struct lgn_kmeans *t, double *range)
{
	for (size_t j = 0; j < t->cols; j++) {
		range[j] = (double)INFINITY;
		range[t->cols + j] = -(double)INFINITY;
	}
	for (size_t i = 0; i < t->rows; i++) {
		const double *x = t->x + i * t->cols;

		for (size_t j = 0; j < t->cols; j++) {
			range[j] = fmin(range[j], x[j]);
			range[t->cols + j] = fmax(range[t->cols + j], x[j]);
		}
	}
}

static void merge(struct lgn_kmeans *t, const double *ranges, double *range)
{
	for (int i = 1; i < t->fit->workers; i++) {
		const double *r = ranges + (size_t)i * 2 * t->cols;

		for (size_t j = 0; j < t->cols; j++) {
			range[j] = fmin(range[j], r[j]);
			range[t->cols + j] = fmax(range[t->cols + j],
						  r[t->cols + j]);
		}
	}
}

/* Columns are centred at the middle of their ranges, which all workers know to
 * the last bit, and divided by the same power of two. */
static void apply(struct lgn_kmeans *t, double *range)
{
	double *half = range, most = 0;
	int e;

	for (size_t j = 0; j < t->cols; j++) {
		double low = range[j], high = range[t->cols + j];

		t->shift[j] = low / 2 + high / 2;
		half[j] = fmax(high - t->shift[j], t->shift[j] - low);
		most = fmax(most, half[j]);
	}
	frexp(most, &e);
	t->unit = most > 0 ? ldexp(1, e) : 1;
	for (size_t i = 0; i < t->rows; i++)
		for (size_t j = 0; j < t->cols; j++)
			t->x[i * t->cols + j] = (t->x[i * t->cols + j] -
						 t->shift[j]) / t->unit;
	for (size_t j = 0; j < t->cols; j++)
		half[j] /= t->unit;
	lgn_kmeans_set_factors(t, half);
}

int lgn_kmeans_scale(struct lgn_kmeans *t)
{
	struct lgn_kmeans_fit *fit = t->fit;
	uint64_t each = 2 * t->cols, n = each * (uint64_t)fit->workers;
	double *ranges = malloc(n * sizeof(*ranges));
	int rc = ranges ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for the ranges "
				       "of %zu columns", t->cols);

	if (!rc) {
		measure(t, ranges);
		rc = lgn_words_tell(t->w, fit->ranges, each * (uint64_t)t->id,
				    each, ranges);
	}
	rc = lgn_kmeans_meet(t, rc, NULL);
	if (!rc)
		rc = lgn_words_pull(t->w, fit->ranges, 0, n, ranges);
	if (!rc) {
		merge(t, ranges, ranges);
		apply(t, ranges);
	}
	free(ranges);
	return rc;
}
