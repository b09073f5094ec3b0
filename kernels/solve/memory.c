/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "kernels/solve/memory.h"
#include "runtime/base/status.h"

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
	const char *target;	/* what that is; NULL: there is none */
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
	int64_t end = index_at(a->start, a->index_size, a->rows) - first;
	int rc;

	if (to < from || from < 0 || to > end)	/* there are no entries there */
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
	double y = r->target ? real_at(d->target, size, r->i) : 0;
	int rc = lgn_entries_reserve(r->out, 0, 1);

	if (!rc && !isfinite(y))
		rc = lgn_fail(LAGOON_EINVAL, "row %zu: the %s is %g: "
			      "expected a finite number", r->i + 1, r->target,
			      y);
	if (!rc)
		rc = d->sparse ? take_sparse(r) : take_dense(r);
	if (!rc)
		lgn_entries_target(r->out, r->i, y);
	return rc;
}

static int check_shape(const struct lagoon_regression_data *d,
		       const char *target)
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
	if (rows && ((target && !d->target) ||
		     (a ? !a->start || !a->index || !a->val : !d->dense)))
		return lgn_fail(LAGOON_EINVAL, "data: an array is NULL: "
				"expected elements%s",
				target ? " and targets" : "");
	return 0;
}

int lgn_memory_take(const struct lagoon_regression_data *d, const char *target,
		    int part, int parts, struct lgn_entries *out)
{
	struct row row = { d, target, out, 0 };
	size_t rows, end, begin;
	int rc = check_shape(d, target);

	if (rc)
		return rc;
	rows = d->sparse ? d->sparse->rows : d->rows;
	begin = rows * (size_t)part / (size_t)parts;
	end = rows * ((size_t)part + 1) / (size_t)parts;
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
