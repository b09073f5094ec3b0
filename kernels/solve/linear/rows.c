/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/columns.h"
#include "kernels/solve/part.h"
#include "kernels/solve/linear/rows.h"
#include "runtime/base/status.h"

static int fail_memory(uint64_t rows)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for blocks of %llu rows",
			(unsigned long long)rows);
}

static int reserve(const struct lgn_libsvm *data,
		   const struct lgn_rows_spec *spec, struct lgn_rows *r)
{
	size_t entries = data->rows ? data->start[data->rows] : 0;

	r->rows = data->rows;
	r->block = calloc(spec->blocks, sizeof(*r->block));
	r->start = malloc((data->rows + spec->blocks) * sizeof(*r->start));
	r->index = malloc((entries + 1) * sizeof(*r->index));
	r->val = malloc((entries + 1) * sizeof(*r->val));
	r->sign = malloc((data->rows + 1) * sizeof(*r->sign));
	r->class = malloc((data->rows + 1) * sizeof(*r->class));
	if (!r->block || !r->start || !r->index || !r->val || !r->sign ||
	    !r->class)
		return fail_memory(data->rows);
	r->blocks = spec->blocks;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int take_label(const struct lgn_rows_spec *spec, double label,
		      struct lgn_rows *r, size_t to)
{
	const double *found = bsearch(&label, spec->label,
				      (size_t)spec->classes, sizeof(label),
				      by_value);

	if (!found)
		return lgn_fail(LAGOON_EINVAL, "%s: label %g: expected one of "
				"the training rows", spec->path ? spec->path :
				"data", label);
	r->class[to] = (int32_t)(found - spec->label);
	r->sign[to] = r->class[to] ? 1 : -1;
	return 0;
}

int lgn_rows_take(const struct lgn_libsvm *data, size_t row,
		  const struct lgn_rows_spec *spec, struct lgn_rows *r,
		  size_t to, size_t begin, int32_t *end)
{
	for (size_t k = data->start[row]; k < data->start[row + 1]; k++) {
		if (data->col[k] >= spec->cols)
			continue;
		if (r->entries - begin >= INT32_MAX)
			return lgn_fail(LAGOON_ENOTSUP, "a block of 2^31 "
					"entries: expected fewer; use smaller "
					"batches");
		r->index[r->entries] = (int32_t)data->col[k];
		r->val[r->entries++] = data->val[k];
	}
	*end = (int32_t)(r->entries - begin);
	return take_label(spec, data->label[row], r, to);
}

int lgn_rows_list(struct lgn_columns *set, struct lgn_rows *r,
		  struct lgn_block *b)
{
	const int32_t *index = b->a.index, *start = b->a.start;

	lgn_columns_clear(set);
	for (int32_t k = 0; k < start[b->a.rows]; k++)
		lgn_columns_add(set, (uint64_t)index[k]);
	b->n_cols = lgn_columns_rank(set);
	b->cols = malloc((b->n_cols + (size_t)1) * sizeof(*b->cols));
	if (!b->cols)
		return fail_memory(b->a.rows);
	lgn_columns_list(set, b->cols);
	if (b->n_cols > r->largest_cols)
		r->largest_cols = b->n_cols;
	return 0;
}

static int fill_block(const struct lgn_libsvm *data, const size_t *order,
		      const struct lgn_rows_spec *spec, struct lgn_rows *r,
		      uint64_t i)
{
	size_t from = r->rows * i / spec->blocks, begin = r->entries;
	size_t to = r->rows * (i + 1) / spec->blocks;
	struct lgn_block *b = &r->block[i];
	int32_t *start = r->start + from + i;
	int rc = 0;

	start[0] = 0;
	for (size_t k = from; k < to && !rc; k++)
		rc = lgn_rows_take(data, order ? order[k] : k, spec, r, k,
				   begin, &start[k - from + 1]);
	b->first = from;
	b->a = (struct lagoon_sparse){
		.rows = to - from, .cols = spec->cols, .layout = LAGOON_CSR,
		.real_size = 8, .index_size = 4, .start = start,
		.index = r->index + begin, .val = r->val + begin,
	};
	b->sign = r->sign + from;
	b->class = r->class + from;
	if (to - from > r->largest)
		r->largest = to - from;
	return rc;
}

static int fill(const struct lgn_libsvm *data, const size_t *order,
		const struct lgn_rows_spec *spec, struct lgn_rows *r)
{
	struct lgn_columns set;
	int rc = lgn_columns_open(&set, spec->cols);

	if (rc)
		return rc;
	for (uint64_t i = 0; i < spec->blocks && !rc; i++) {
		rc = fill_block(data, order, spec, r, i);
		if (!rc)
			rc = lgn_rows_list(&set, r, &r->block[i]);
	}
	lgn_columns_close(&set);
	return rc;
}

int lgn_rows_open(struct lgn_libsvm *data, const struct lgn_rows_spec *spec,
		  struct lgn_rows *rows)
{
	size_t *order = NULL;
	int rc = reserve(data, spec, rows);

	if (!rc && !spec->in_order) {
		order = malloc((data->rows + 1) * sizeof(*order));
		if (order)
			lgn_part_order(order, data->rows, spec->seed,
				       spec->stream);
		else
			rc = fail_memory(data->rows);
	}
	if (!rc)
		rc = fill(data, order, spec, rows);
	free(order);
	lgn_libsvm_free(data);
	return rc;
}

void lgn_rows_close(struct lgn_rows *rows)
{
	uint64_t blocks = rows->file ? 1 : rows->blocks;

	for (uint64_t i = 0; rows->block && i < blocks; i++)
		free(rows->block[i].cols);
	lgn_rows_close_file(rows);
	free(rows->block);
	free(rows->start);
	free(rows->index);
	free(rows->val);
	free(rows->sign);
	free(rows->class);
	memset(rows, 0, sizeof(*rows));
}

int lgn_rows_block(struct lgn_rows *rows, uint64_t i,
		   const struct lgn_block **block)
{
	if (rows->file)
		return lgn_rows_read(rows, i, block);
	*block = &rows->block[i];
	return 0;
}
