/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a call, from memory or from files, checked; and agreeing on what
 * there is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/csv.h"
#include "kernels/data/libsvm.h"
#include "kernels/data/text.h"
#include "kernels/solve/regression.h"
#include "runtime/base/status.h"

/* -------------------------------------------------- the caller's memory */

static double real_at(const void *array, int size, size_t i)
{
	return size == 4 ? (double)((const float *)array)[i] :
		((const double *)array)[i];
}

static int64_t index_at(const void *array, int size, size_t i)
{
	return size == 4 ? ((const int32_t *)array)[i] :
		((const int64_t *)array)[i];
}

/* One row on its way to the entries. */
struct row {
	const struct lagoon_regression_data *data;
	struct lgn_entries *out;
	size_t i;
};

static int fail_element(const struct row *r, uint64_t col, double x)
{
	return lgn_fail(LAGOON_EINVAL, "row %zu: column %llu is %g: expected a "
			"finite number", r->i + 1, (unsigned long long)col + 1,
			x);
}

static int take_element(const struct row *r, uint64_t col, double x)
{
	if (!isfinite(x))
		return fail_element(r, col, x);
	if (x != 0)
		lgn_entries_add(r->out, r->i, col, x);
	return 0;
}

static int take_dense(const struct row *r)
{
	const struct lagoon_regression_data *d = r->data;
	int rc = lgn_entries_reserve(r->out, d->cols, 0);

	for (size_t k = 0; k < d->cols && !rc; k++)
		rc = take_element(r, k, real_at(d->dense, d->real_size,
						r->i * d->stride + k));
	return rc;
}

static int take_sparse(const struct row *r)
{
	const struct lagoon_sparse *a = r->data->sparse;
	int64_t first = index_at(a->start, a->index_size, 0);
	int64_t from = index_at(a->start, a->index_size, r->i) - first;
	int64_t to = index_at(a->start, a->index_size, r->i + 1) - first;
	int rc;

	if (to < from || from < 0)
		return lgn_fail(LAGOON_EINVAL, "row %zu: entries %lld to %lld: "
				"expected starts that rise", r->i + 1,
				(long long)from, (long long)to);
	rc = lgn_entries_reserve(r->out, (size_t)(to - from), 0);
	for (size_t k = (size_t)from; k < (size_t)to && !rc; k++) {
		int64_t j = index_at(a->index, a->index_size, k) - a->base;

		if (j < 0 || (uint64_t)j >= a->cols)
			return lgn_fail(LAGOON_EINVAL, "row %zu: column index "
					"%lld: expected %lld to %lld", r->i + 1,
					(long long)(j + a->base),
					(long long)a->base, (long long)a->base +
					(long long)a->cols - 1);
		rc = take_element(r, (uint64_t)j,
				  real_at(a->val, a->real_size, k));
	}
	return rc;
}

static int take_row(struct row *r)
{
	const struct lagoon_regression_data *d = r->data;
	int size = d->sparse ? d->sparse->real_size : d->real_size;
	double y = real_at(d->target, size, r->i);
	int rc = lgn_entries_reserve(r->out, 0, 1);

	if (!rc && !isfinite(y))
		rc = lgn_fail(LAGOON_EINVAL, "row %zu: the target is %g: "
			      "expected a finite number", r->i + 1, y);
	if (!rc)
		rc = d->sparse ? take_sparse(r) : take_dense(r);
	if (!rc)
		lgn_entries_target(r->out, r->i, y);
	return rc;
}

static int check_shape(const struct lagoon_regression_data *d)
{
	const struct lagoon_sparse *a = d->sparse;
	int real = a ? a->real_size : d->real_size;
	size_t rows = a ? a->rows : d->rows;

	if (d->size < sizeof(*d))
		return lgn_fail(LAGOON_EINVAL, "data: size is not set");
	if (a && a->layout != LAGOON_CSR)
		return lgn_fail(LAGOON_EINVAL, "data: layout %d: expected "
				"LAGOON_CSR", a->layout);
	if (real != 4 && real != 8)
		return lgn_fail(LAGOON_EINVAL, "data: real_size %d: expected "
				"4 or 8", real);
	if (a && a->index_size != 4 && a->index_size != 8)
		return lgn_fail(LAGOON_EINVAL, "data: index_size %d: expected "
				"4 or 8", a->index_size);
	if (!a && rows && d->stride < d->cols)
		return lgn_fail(LAGOON_EINVAL, "data: stride %zu: expected at "
				"least %zu, the columns", d->stride, d->cols);
	if (rows && (!d->target || (a ? !a->start || !a->index || !a->val :
				    !d->dense)))
		return lgn_fail(LAGOON_EINVAL, "data: an array is NULL: "
				"expected elements and targets");
	return 0;
}

/* The worker's share of the process's rows. */
static int take_rows(const struct lgn_regression_fit *fit, int local,
		     struct lgn_entries *out)
{
	const struct lagoon_regression_data *d = fit->data;
	size_t workers = (size_t)lagoon_local_workers(fit->lg);
	struct row row = { d, out, 0 };
	size_t rows, end, begin;
	int rc = check_shape(d);

	if (rc)
		return rc;
	rows = d->sparse ? d->sparse->rows : d->rows;
	begin = rows * (size_t)local / workers;
	end = rows * ((size_t)local + 1) / workers;
	out->cols = d->sparse ? d->sparse->cols : d->cols;
	rc = lgn_entries_reserve(out, 0, end - begin);
	for (row.i = begin; row.i < end && !rc; row.i++)
		rc = take_row(&row);
	for (size_t k = 0; k < out->n; k++)
		out->row[k] -= (uint32_t)begin;
	for (size_t k = 0; k < out->n_targets; k++)
		out->target_row[k] -= (uint32_t)begin;
	out->rows = end - begin;
	return rc;
}

/* ---------------------------------------------------------------- files */

static int from_libsvm(const char *path, struct lgn_libsvm_range *range,
		       struct lgn_entries *out)
{
	struct lgn_libsvm data;
	int rc;

	range->targets = 1;
	rc = lgn_libsvm_read(path, range, &data);
	if (rc)
		return rc;
	rc = lgn_entries_reserve(out, data.start[data.rows], data.rows);
	for (size_t i = 0; i < data.rows && !rc; i++) {
		for (size_t k = data.start[i]; k < data.start[i + 1]; k++)
			if (data.val[k] != 0)
				lgn_entries_add(out, i, data.col[k],
						data.val[k]);
		lgn_entries_target(out, i, data.label[i]);
	}
	out->rows = data.rows;
	out->cols = data.cols;
	lgn_libsvm_free(&data);
	return rc;
}

static int from_matrix(const struct lgn_regression_fit *fit, int part,
		       int parts, struct lgn_entries *out,
		       struct lgn_regression_facts *facts)
{
	struct lgn_entries target = { 0 };
	int rc = lgn_matrix_read(fit->path, part, parts, 0, out,
				 &facts->matrix);

	if (!rc)
		rc = lgn_matrix_read(fit->target, part, parts, 1, &target,
				     &facts->target);
	if (rc)
		return rc;
	free(out->target_row);
	free(out->target);
	out->n_targets = target.n_targets;
	out->target_row = target.target_row;
	out->target = target.target;
	facts->targets = target.rows;
	target.target_row = NULL;
	target.target = NULL;
	lgn_entries_free(&target);
	return 0;
}

static int read_file(const struct lgn_regression_fit *fit, int part, int parts,
		     struct lgn_entries *out,
		     struct lgn_regression_facts *facts)
{
	struct lgn_libsvm_range range = {
		.part = part,
		.parts = parts,
		.zero_based = fit->options.zero_based,
	};

	switch (fit->options.format) {
	case LAGOON_FILE_CSV:
		return lgn_csv_read(fit->path, part, parts, out);
	case LAGOON_FILE_MATRIX:
		return from_matrix(fit, part, parts, out, facts);
	default:
		return from_libsvm(fit->path, &range, out);
	}
}

/* A file by gzip has one reader, worker 0. */
static int take_file(const struct lgn_regression_fit *fit, int id,
		     struct lgn_entries *out,
		     struct lgn_regression_facts *facts)
{
	if (!fit->one_reader)
		return read_file(fit, id, fit->workers, out, facts);
	return id ? lgn_entries_reserve(out, 0, 0) :
		read_file(fit, 0, 1, out, facts);
}

/* ------------------------------------------------------------- agreeing */

static int fail_cols(int worker, uint64_t cols, uint64_t all)
{
	return lgn_fail(LAGOON_EINVAL, "%llu columns in worker %d: expected "
			"%llu, as in those before",
			(unsigned long long)cols, worker,
			(unsigned long long)all);
}

/* Only a LIBSVM file does not say how many columns it has. */
static int merge_cols(const struct lgn_regression_fit *fit, int worker,
		      const struct lgn_regression_facts *part,
		      struct lgn_regression_facts *all)
{
	bool open_end = fit->path && fit->options.format == LAGOON_FILE_LIBSVM;

	if (!open_end && all->cols && part->cols && part->cols != all->cols)
		return fail_cols(worker, part->cols, all->cols);
	if (part->cols > all->cols)
		all->cols = part->cols;
	return 0;
}

static int check_matrix(const struct lgn_regression_fit *fit,
			const struct lgn_regression_facts *all)
{
	int rc = lgn_matrix_check(fit->path, all->matrix.entries,
				  all->matrix.found);

	if (!rc)
		rc = lgn_matrix_check(fit->target, all->target.entries,
				      all->target.found);
	if (!rc && all->targets != all->rows)
		rc = lgn_fail(LAGOON_EINVAL, "%s: %llu rows: expected %llu, as "
			      "in %s", fit->target,
			      (unsigned long long)all->targets,
			      (unsigned long long)all->rows, fit->path);
	return rc;
}

static int check(const struct lgn_regression_fit *fit,
		 const struct lgn_regression_facts *all)
{
	const char *what = fit->path ? fit->path : "data";

	if (!all->rows)
		return lgn_fail(LAGOON_EINVAL, "%s: no rows", what);
	if (!all->cols)
		return lgn_fail(LAGOON_EINVAL, "%s: no columns", what);
	if (all->rows >= LGN_INDEX_MAX || all->cols >= LGN_INDEX_MAX)
		return lgn_fail(LAGOON_ENOTSUP, "%s: %llu rows and %llu "
				"columns: expected fewer than 2^31", what,
				(unsigned long long)all->rows,
				(unsigned long long)all->cols);
	return 0;
}

static bool has_whole_rows(const struct lgn_regression_fit *fit)
{
	return !fit->one_reader &&
		(!fit->path || fit->options.format != LAGOON_FILE_MATRIX);
}

static int agree(struct lgn_regression_fit *fit,
		 const struct lgn_regression_facts *parts,
		 struct lgn_regression_facts *all, uint64_t *first_row)
{
	bool matrix = fit->path && fit->options.format == LAGOON_FILE_MATRIX;
	int rc = 0;

	memset(all, 0, sizeof(*all));
	for (int i = 0; i < fit->workers && !rc; i++) {
		first_row[i] = all->rows;
		all->entries += parts[i].entries;
		all->matrix.found += parts[i].matrix.found;
		all->target.found += parts[i].target.found;
		if (matrix)
			all->rows = parts[0].rows;
		else
			all->rows += parts[i].rows;
		rc = merge_cols(fit, i, &parts[i], all);
	}
	all->matrix.entries = parts[0].matrix.entries;
	all->target.entries = parts[0].target.entries;
	all->targets = parts[0].targets;
	if (!rc)
		rc = check(fit, all);
	if (!rc && matrix)
		rc = check_matrix(fit, all);
	for (int i = 0; i <= fit->workers && !has_whole_rows(fit); i++)
		first_row[i] = all->rows * (uint64_t)i / (uint64_t)fit->workers;
	first_row[fit->workers] = all->rows;
	return rc;
}

/* Rows of a worker's own count become those of all. */
static void renumber(struct lgn_entries *e, uint64_t first)
{
	for (size_t k = 0; k < e->n; k++)
		e->row[k] += (uint32_t)first;
	for (size_t k = 0; k < e->n_targets; k++)
		e->target_row[k] += (uint32_t)first;
}

static void keep(struct lgn_regression_fit *fit, int local,
		 const struct lgn_regression_facts *all, const uint64_t *first)
{
	if (has_whole_rows(fit))
		renumber(&fit->loaded[local], first[fit->first_worker + local]);
	if (local)
		return;		/* the same in all */
	fit->facts = *all;
	memcpy(fit->first_row, first,
	       ((size_t)fit->workers + 1) * sizeof(*first));
	fit->in_place = has_whole_rows(fit);
}

int lgn_regression_load(struct lagoon_worker *w, void *arg)
{
	struct lgn_regression_fit *fit = arg;
	size_t workers = (size_t)fit->workers;
	int id = lagoon_worker_id(w), local = id - fit->first_worker;
	struct lgn_entries *e = &fit->loaded[local];
	struct lgn_regression_facts mine = { 0 }, all;
	struct lgn_regression_facts *parts = calloc(workers, sizeof(*parts));
	uint64_t *first = calloc(workers + 1, sizeof(*first));
	uint32_t round = 0;
	int rc = parts && first ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for "
					       "the facts of %zu workers",
					       workers);

	if (!rc)
		rc = fit->path ? take_file(fit, id, e, &mine) :
			take_rows(fit, local, e);
	mine.rows = e->rows;
	mine.cols = e->cols;
	mine.entries = e->n;
	rc = lgn_share_meet(&fit->tidings, w, &round, rc, &mine, parts);
	if (!rc)
		rc = agree(fit, parts, &all, first);
	if (!rc)
		keep(fit, local, &all, first);
	free(parts);
	free(first);
	return rc;
}
