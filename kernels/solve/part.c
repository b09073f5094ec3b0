/* SPDX-License-Identifier: BSD-3-Clause */
#include <Random123/philox.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/columns.h"
#include "kernels/solve/part.h"
#include "runtime/base/status.h"

static int fail_memory(const struct lgn_libsvm *data)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for batches of %zu rows",
			data->rows);
}

/* Fisher-Yates; 64 random bits make the bias of the product negligible. */
void lgn_part_order(size_t *order, size_t n, uint64_t seed, uint32_t stream)
{
	philox2x64_key_t key = { { seed } };

	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		philox2x64_ctr_t at = { { i, stream } };
		uint64_t r = philox2x64(at, key).v[0];
		size_t k = (size_t)((unsigned __int128)r * i >> 64);
		size_t keep = order[k];

		order[k] = order[i - 1];
		order[i - 1] = keep;
	}
}

static void copy_row(const struct lgn_libsvm *data, size_t row, size_t to,
		     const struct lgn_part_options *o, struct lgn_part *part)
{
	size_t n = part->entries;

	for (size_t k = data->start[row]; k < data->start[row + 1]; k++) {
		if (data->col[k] >= o->features)
			continue;
		part->col[n] = data->col[k];
		part->val[n++] = data->val[k];
	}
	part->label[to] = data->label[row] == o->positive ? 1 : -1;
	part->start[to + 1] = n;
	part->entries = n;
}

static int copy_rows(const struct lgn_libsvm *data,
		     const struct lgn_part_options *o, struct lgn_part *part)
{
	size_t *order = malloc((data->rows + 1) * sizeof(*order));

	if (!order)
		return fail_memory(data);
	lgn_part_order(order, data->rows, o->seed, o->stream);
	part->start[0] = 0;
	for (size_t i = 0; i < data->rows; i++)
		copy_row(data, order[i], i, o, part);
	part->rows = (struct lagoon_rows){
		.n = data->rows, .start = part->start, .col = part->col,
		.val = part->val, .label = part->label,
	};
	free(order);
	return 0;
}

static int allocate(const struct lgn_libsvm *data, uint64_t batches,
		    struct lgn_part *part)
{
	size_t entries = data->start[data->rows] + 1, rows = data->rows + 1;

	part->n_batches = batches;
	part->batch = calloc(batches, sizeof(*part->batch));
	part->start = malloc(rows * sizeof(*part->start));
	part->col = malloc(entries * sizeof(*part->col));
	part->val = malloc(entries * sizeof(*part->val));
	part->label = malloc(rows * sizeof(*part->label));
	part->coef = calloc(rows, sizeof(*part->coef));
	if (!part->batch || !part->start || !part->col || !part->val ||
	    !part->label || !part->coef)
		return fail_memory(data);
	return 0;
}

static int list_columns(const struct lgn_columns *set, uint32_t n,
			uint64_t **cols)
{
	*cols = malloc((n + (size_t)1) * sizeof(**cols));
	if (!*cols)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %lu columns",
				(unsigned long)n);
	lgn_columns_list(set, *cols);
	return 0;
}

static void use_columns(struct lgn_columns *set, const uint32_t *col, size_t n)
{
	for (size_t k = 0; k < n; k++)
		lgn_columns_add(set, col[k]);
}

static int list_batch(struct lgn_columns *set, const struct lgn_part *part,
		      struct lgn_batch *b)
{
	size_t begin = b->rows.start[0], end = b->rows.start[b->rows.n];
	int rc;

	lgn_columns_clear(set);
	use_columns(set, part->col + begin, end - begin);
	b->n_cols = lgn_columns_rank(set);
	rc = list_columns(set, b->n_cols, &b->cols);
	if (rc)
		return rc;
	b->place = malloc((b->n_cols + (size_t)1) * sizeof(*b->place));
	if (!b->place)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %lu columns",
				(unsigned long)b->n_cols);
	for (uint32_t i = 0; i < b->n_cols; i++) {
		b->place[i] = (uint32_t)b->cols[i];
		b->cols[i] = part->cols[b->place[i]];
	}
	return 0;
}

static int cut_batches(struct lgn_part *part)
{
	struct lgn_columns set;
	size_t rows = part->rows.n;
	int rc = lgn_columns_open(&set, part->n_cols);

	for (uint64_t i = 0; i < part->n_batches && !rc; i++) {
		struct lgn_batch *b = &part->batch[i];
		size_t begin = i * rows / part->n_batches;
		size_t end = (i + 1) * rows / part->n_batches;

		b->rows = part->rows;
		b->rows.n = end - begin;
		b->rows.start += begin;
		b->rows.label += begin;
		b->coef = part->coef + begin;
		rc = list_batch(&set, part, b);
		if (b->n_cols > part->max_cols)
			part->max_cols = b->n_cols;
	}
	lgn_columns_close(&set);
	return rc;
}

/* From columns of the file to places in part->cols. */
static int number_part(uint64_t features, struct lgn_part *part)
{
	struct lgn_columns set;
	int rc = lgn_columns_open(&set, features);

	if (rc)
		return rc;
	use_columns(&set, part->col, part->entries);
	part->n_cols = lgn_columns_rank(&set);
	rc = list_columns(&set, part->n_cols, &part->cols);
	if (!rc)
		for (size_t k = 0; k < part->entries; k++)
			part->col[k] = lgn_columns_place(&set, part->col[k]);
	lgn_columns_close(&set);
	return rc;
}

int lgn_part_open(const struct lgn_libsvm *data,
		  const struct lgn_part_options *options,
		  struct lgn_part *part)
{
	struct lgn_part made = { 0 };
	int rc = allocate(data, options->batches, &made);

	if (!rc)
		rc = copy_rows(data, options, &made);
	if (!rc)
		rc = number_part(options->features, &made);
	if (!rc)
		rc = cut_batches(&made);
	if (rc)
		lgn_part_close(&made);
	else
		*part = made;
	return rc;
}

void lgn_part_close(struct lgn_part *part)
{
	for (uint64_t i = 0; part->batch && i < part->n_batches; i++) {
		free(part->batch[i].cols);
		free(part->batch[i].place);
	}
	free(part->batch);
	free(part->cols);
	free(part->start);
	free(part->col);
	free(part->val);
	free(part->label);
	free(part->coef);
	memset(part, 0, sizeof(*part));
}
