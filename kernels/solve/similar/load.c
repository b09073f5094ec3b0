/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a call, from memory or from files, checked; and agreeing on what
 * there is. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/dense.h"
#include "kernels/data/libsvm.h"
#include "kernels/data/matrix.h"
#include "kernels/data/ratings.h"
#include "kernels/solve/memory.h"
#include "kernels/solve/similar/similar.h"
#include "runtime/base/status.h"

#define ALL UINT64_MAX		/* of the columns: the row itself */

void lgn_similar_rows_free(struct lgn_similar_rows *rows)
{
	free(rows->start);
	free(rows->col);
	free(rows->val);
	memset(rows, 0, sizeof(*rows));
}

static int fail_memory(uint64_t entries)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for rows of %llu entries",
			(unsigned long long)entries);
}

/* ----------------------------------------------------- entries to rows */

struct entry {
	uint32_t col;
	double val;
};

static int by_col(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->col > y->col) - (x->col < y->col);
}

static bool is_rising(const uint32_t *col, size_t n)
{
	for (size_t k = 1; k < n; k++)
		if (col[k] <= col[k - 1])
			return false;
	return true;
}

/* The columns of one row rise then, or one stands there twice. */
static int sort_row(const struct lgn_similar_set *set,
		    struct lgn_similar_rows *r, uint64_t i)
{
	size_t from = r->start[i], n = r->start[i + 1] - from;
	struct entry *e;
	int rc = 0;

	if (is_rising(r->col + from, n))
		return 0;
	e = malloc(n * sizeof(*e));
	if (!e)
		return fail_memory(n);
	for (size_t k = 0; k < n; k++)
		e[k] = (struct entry){ r->col[from + k], r->val[from + k] };
	qsort(e, n, sizeof(*e), by_col);
	for (size_t k = 0; k < n; k++) {
		r->col[from + k] = e[k].col;
		r->val[from + k] = e[k].val;
		if (k && e[k].col == e[k - 1].col && !rc)
			rc = lgn_similar_fail(set, r, i, e[k].col, 2, "stands "
					      "there twice: expected once");
	}
	free(e);
	return rc;
}

/* Of the entries those of the rows [first, first + rows): a counting sort.
 * start[i + 2] counts, becomes where row i + 1 begins, and moves to its end. */
static int make_rows(const struct lgn_entries *e, uint64_t first, uint64_t rows,
		     struct lgn_similar_rows *r)
{
	size_t n = 0;

	r->first = first;
	r->rows = rows;
	r->cols = e->cols;
	for (size_t k = 0; k < e->n; k++)
		n += e->row[k] - first < rows;
	r->start = calloc(rows + 2, sizeof(*r->start));
	r->col = malloc((n + 1) * sizeof(*r->col));
	r->val = malloc((n + 1) * sizeof(*r->val));
	if (!r->start || !r->col || !r->val)
		return fail_memory(n);
	for (size_t k = 0; k < e->n; k++)
		if (e->row[k] - first < rows)
			r->start[e->row[k] - first + 2]++;
	for (uint64_t i = 0; i < rows; i++)
		r->start[i + 2] += r->start[i + 1];
	for (size_t k = 0; k < e->n; k++) {
		size_t at;

		if (e->row[k] - first >= rows)
			continue;
		at = r->start[e->row[k] - first + 1]++;
		r->col[at] = e->col[k];
		r->val[at] = e->val[k];
	}
	return 0;
}

/* -------------------------------------------------------------- readers */

/* The share of the process's rows. */
static int take_memory(const struct lgn_similar_fit *fit,
		       const struct lgn_similar_set *set, int local,
		       struct lgn_similar_rows *out)
{
	const struct lagoon_similar_data *d = set->data;
	const struct lagoon_regression_data rows = {
		.size = sizeof(rows), .sparse = d->sparse, .rows = d->rows,
		.cols = d->cols, .stride = d->stride,
		.real_size = d->real_size, .dense = d->dense,
	};
	struct lgn_entries e = { 0 };
	int parts = lagoon_local_workers(fit->lg), rc;

	if (d->size < sizeof(*d))
		return lgn_fail(LAGOON_EINVAL, "data: size is not set");
	rc = lgn_memory_take(&rows, NULL, local, parts, &e);
	if (!rc)
		rc = make_rows(&e, 0, e.rows, out);
	out->first = (d->sparse ? d->sparse->rows : d->rows) * (uint64_t)local /
		(uint64_t)parts;
	lgn_entries_free(&e);
	return rc;
}

/* Zeros go. */
static void take_libsvm_rows(struct lgn_libsvm *data,
			     struct lgn_similar_rows *out)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < data->rows; i++) {
		for (; k < data->start[i + 1]; k++) {
			data->col[n] = data->col[k];
			data->val[n] = data->val[k];
			n += data->val[k] != 0;
		}
		data->start[i + 1] = n;
	}
	out->rows = data->rows;
	out->cols = data->cols;
	out->start = data->start;
	out->col = data->col;
	out->val = data->val;
	free(data->label);
}

static int take_libsvm(const struct lgn_similar_fit *fit,
		       const struct lgn_similar_set *set, int id,
		       struct lgn_similar_rows *out)
{
	const struct lgn_libsvm_range range = {
		.part = id,
		.parts = fit->workers,
		.zero_based = fit->options.zero_based,
		.targets = 1,
	};
	struct lgn_libsvm data;
	int rc = lgn_libsvm_read(set->path, &range, &data);

	if (!rc)
		take_libsvm_rows(&data, out);
	return rc;
}

/* All columns, or all but the last; zeros go. */
static int make_dense_rows(const struct lgn_dense *d, uint64_t cols,
			   struct lgn_similar_rows *out)
{
	size_t n = 0;

	out->rows = d->rows;
	out->cols = cols;
	out->start = calloc(d->rows + 1, sizeof(*out->start));
	out->col = malloc((d->rows * cols + 1) * sizeof(*out->col));
	out->val = malloc((d->rows * cols + 1) * sizeof(*out->val));
	if (!out->start || !out->col || !out->val)
		return fail_memory(d->rows * cols);
	for (uint64_t i = 0; i < d->rows; i++) {
		for (uint64_t k = 0; k < cols; k++) {
			out->col[n] = (uint32_t)k;
			out->val[n] = d->x[i * d->cols + k];
			n += out->val[n] != 0;
		}
		out->start[i + 1] = n;
	}
	return 0;
}

static int take_csv(const struct lgn_similar_fit *fit,
		    const struct lgn_similar_set *set, int id,
		    struct lgn_similar_rows *out)
{
	bool target = fit->options.target;
	struct lgn_dense d;
	int rc = lgn_dense_read(set->path, id, fit->workers, DBL_MAX, &d);

	if (rc)
		return rc;
	if (target && d.cols < 2)
		rc = lgn_fail(LAGOON_EINVAL, "%s: one column: expected others "
			      "beside the target", set->path);
	else
		rc = make_dense_rows(&d, d.cols - target, out);
	lgn_dense_free(&d);
	return rc;
}

/* Of rows in any order every worker reads all, and has its share. */
static uint64_t first_of(const struct lgn_similar_fit *fit, uint64_t rows,
			 int id)
{
	return rows * (uint64_t)id / (uint64_t)fit->workers;
}

static int take_matrix(const struct lgn_similar_fit *fit,
		       const struct lgn_similar_set *set, int id,
		       struct lgn_similar_rows *out)
{
	struct lgn_entries e;
	uint64_t rows;
	int rc = lgn_matrix_rows(set->path, id, fit->workers, 0, &e, &rows);

	if (rc)
		return rc;
	rc = make_rows(&e, 0, e.rows, out);
	out->first = first_of(fit, rows, id);
	lgn_entries_free(&e);
	return rc;
}

static void leave_zeros_out(struct lgn_entries *e)
{
	size_t n = 0;

	for (size_t k = 0; k < e->n; k++) {
		e->row[n] = e->row[k];
		e->col[n] = e->col[k];
		e->val[n] = e->val[k];
		n += e->val[k] != 0;
	}
	e->n = n;
}

static int take_ratings(const struct lgn_similar_fit *fit,
			const struct lgn_similar_set *set, int id,
			struct lgn_similar_rows *out)
{
	struct lgn_entries e = { 0 };
	int rc = lgn_ratings_read(set->path, 0, 1, &e);

	if (!rc) {
		uint64_t first = first_of(fit, e.rows, id);

		leave_zeros_out(&e);
		rc = make_rows(&e, first, first_of(fit, e.rows, id + 1) - first,
			       out);
	}
	lgn_entries_free(&e);
	return rc;
}

/* --------------------------------------------------------------- checks */

/* Elements of ruzicka; doubles of sums must be finite. */
static int check_weights(const struct lgn_similar_set *set,
			 const struct lgn_similar_rows *r)
{
	for (uint64_t i = 0; i < r->rows; i++) {
		double sum = 0;

		for (size_t k = r->start[i]; k < r->start[i + 1]; k++) {
			if (r->val[k] < 0)
				return lgn_similar_fail(set, r, i, r->col[k], 1,
							"is below 0: expected "
							"0 or more for "
							"ruzicka");
			sum += r->val[k];
		}
		if (sum > DBL_MAX / 2)
			return lgn_similar_fail(set, r, i, ALL, 1, "has a sum "
						"that is too large for ruzicka: "
						"expected at most half of the "
						"largest number");
	}
	return 0;
}

static int take(const struct lgn_similar_fit *fit,
		const struct lgn_similar_set *set, int id,
		struct lgn_similar_rows *out)
{
	if (set->data)
		return take_memory(fit, set, id - fit->first_worker, out);
	switch (set->format) {
	case LAGOON_FILE_CSV:
		return take_csv(fit, set, id, out);
	case LAGOON_FILE_MATRIX:
		return take_matrix(fit, set, id, out);
	case LAGOON_FILE_RATINGS:
		return take_ratings(fit, set, id, out);
	default:
		return take_libsvm(fit, set, id, out);
	}
}

static int take_set(const struct lgn_similar_fit *fit,
		    const struct lgn_similar_set *set, int id,
		    struct lgn_similar_rows *out)
{
	bool whole = set->path && (set->format == LAGOON_FILE_MATRIX ||
				   set->format == LAGOON_FILE_RATINGS);
	int rc = take(fit, set, id, out);

	out->part = whole ? 0 : id;
	out->parts = whole ? 0 : fit->workers;
	for (uint64_t i = 0; i < out->rows && !rc; i++)
		rc = sort_row(set, out, i);
	if (!rc && fit->options.measure == LAGOON_SIMILAR_RUZICKA)
		rc = check_weights(set, out);
	return rc;
}

/* ------------------------------------------------------------- agreeing */

/* Where each part begins is known when all are. */
static void merge(const struct lgn_similar_fit *fit,
		  const struct lgn_similar_facts *parts, int s, int id,
		  struct lgn_similar_rows *mine, struct lgn_similar_extent *all)
{
	memset(all, 0, sizeof(*all));
	for (int i = 0; i < fit->workers; i++) {
		const struct lgn_similar_extent *e = &parts[i].set[s];

		if (i == id) {
			mine->first = all->rows;
			mine->entry = all->entries;
		}
		all->rows += e->rows;
		all->entries += e->entries;
		if (e->cols > all->cols)
			all->cols = e->cols;
	}
}

/* A LIBSVM file and one of ratings do not say how many columns they have; an empty
 * part of another does not either. */
static int check_cols(const struct lgn_similar_fit *fit,
		      const struct lgn_similar_facts *parts,
		      const struct lgn_similar_facts *all)
{
	int format = fit->set[0].format;
	bool open_end = fit->files && (format == LAGOON_FILE_LIBSVM ||
				       format == LAGOON_FILE_RATINGS);
	uint64_t cols = all->set[0].cols;

	for (int i = 0; i < fit->workers && !open_end; i++)
		for (int s = 0; s < fit->sets; s++) {
			const struct lgn_similar_extent *e = &parts[i].set[s];

			if (!e->rows || e->cols == cols)
				continue;
			return lgn_fail(LAGOON_EINVAL, "%llu columns in %s of "
					"worker %d: expected %llu, as in the "
					"others", (unsigned long long)e->cols,
					s ? "the rows to compare with" :
					"the rows", i,
					(unsigned long long)cols);
		}
	return 0;
}

static int check(const struct lgn_similar_fit *fit,
		 const struct lgn_similar_facts *all)
{
	uint64_t others = fit->sets == 1 ? all->set[0].rows - 1 :
		all->set[1].rows;

	for (int s = 0; s < fit->sets; s++) {
		const char *what = fit->set[s].path;

		if (!what)
			what = s ? "against" : "data";
		if (!all->set[s].rows)
			return lgn_fail(LAGOON_EINVAL, "%s: no rows", what);
		if (all->set[s].rows >= LGN_INDEX_MAX)
			return lgn_fail(LAGOON_ENOTSUP, "%s: %llu rows: expected "
					"fewer than 2^31", what,
					(unsigned long long)all->set[s].rows);
	}
	if ((uint64_t)fit->options.top > others)
		return lgn_fail(LAGOON_EINVAL, "%s: top %d: expected at most "
				"%llu, as there are rows to compare a row with",
				fit->files ? fit->set[0].path : "data",
				fit->options.top, (unsigned long long)others);
	return 0;
}

static int agree(struct lgn_similar_fit *fit,
		 const struct lgn_similar_facts *parts, int id,
		 struct lgn_similar_loaded *mine, struct lgn_similar_facts *all)
{
	int rc;

	memset(all, 0, sizeof(*all));
	for (int s = 0; s < fit->sets; s++)
		merge(fit, parts, s, id, &mine->set[s], &all->set[s]);
	rc = check_cols(fit, parts, all);
	return rc ? rc : check(fit, all);
}

/* Of the first worker of the process. */
static void keep(struct lgn_similar_fit *fit,
		 const struct lgn_similar_facts *all, uint64_t first_row)
{
	const struct lagoon_similar_data *d = fit->set[0].data;
	uint64_t cols = all->set[0].cols;

	fit->first_row = d ? first_row : 0;
	if (d)
		fit->own_rows = d->sparse ? d->sparse->rows : d->rows;

	if (fit->sets > 1 && all->set[1].cols > cols)
		cols = all->set[1].cols;
	for (int s = 0; s < fit->sets; s++) {
		fit->set[s].rows = all->set[s].rows;
		fit->set[s].entries = all->set[s].entries;
		fit->set[s].cols = cols;
	}
}

int lgn_similar_load(struct lagoon_worker *w, void *arg)
{
	struct lgn_similar_fit *fit = arg;
	int id = lagoon_worker_id(w), local = id - fit->first_worker;
	struct lgn_similar_loaded *loaded = &fit->loaded[local];
	struct lgn_similar_facts mine = { 0 }, all;
	struct lgn_similar_facts *parts = calloc((size_t)fit->workers,
						 sizeof(*parts));
	uint32_t round = 0;
	int rc = parts ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for the facts "
				      "of %d workers", fit->workers);

	for (int s = 0; s < fit->sets && !rc; s++) {
		struct lgn_similar_rows *r = &loaded->set[s];

		rc = take_set(fit, &fit->set[s], id, r);
		mine.set[s] = (struct lgn_similar_extent){
			r->rows, r->cols, r->start ? r->start[r->rows] : 0,
		};
	}
	rc = lgn_share_meet(&fit->tidings, w, &round, rc, &mine, parts);
	if (!rc)
		rc = agree(fit, parts, id, loaded, &all);
	if (!rc && !local)
		keep(fit, &all, loaded->set[0].first);
	free(parts);
	return rc;
}
