/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of a MatrixMarket file and their labels. Its entries may come in any order,
 * so each worker reads all of it and keeps those of its rows: as long as one
 * worker alone would read, and without passing entries on.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/data/entries.h"
#include "kernels/data/matrix.h"
#include "kernels/solve/linear/rows.h"
#include "runtime/base/status.h"

static int fail_memory(uint64_t rows)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for %llu rows",
			(unsigned long long)rows);
}

/* Row after row, those of a row as they came. */
static int place(const struct lgn_entries *e, struct lgn_libsvm *data)
{
	size_t *start = data->start;

	for (size_t k = 0; k < e->n; k++)
		start[e->row[k] + 1]++;
	for (size_t i = 0; i < e->rows; i++)
		start[i + 1] += start[i];
	for (size_t k = e->n; k-- > 0;) {
		size_t to = --start[e->row[k] + 1];

		data->col[to] = e->col[k];
		data->val[to] = e->val[k];
	}
	/* Each went down to where its row begins. */
	memmove(start, start + 1, e->rows * sizeof(*start));
	start[e->rows] = e->n;
	return 0;
}

/* What is not there is 0. */
static int label(const char *path, const struct lgn_entries *e, double *labels)
{
	unsigned char *seen = calloc(e->rows + 1, 1);
	int rc = seen ? 0 : fail_memory(e->rows);

	for (size_t k = 0; k < e->n_targets && !rc; k++) {
		uint32_t row = e->target_row[k];

		if (seen[row]++)
			rc = lgn_fail(LAGOON_EINVAL, "%s: a row has two "
				      "labels: expected one", path);
		labels[row] = e->target[k];
	}
	free(seen);
	return rc;
}

static int fill(const char *target, const struct lgn_entries *rows,
		const struct lgn_entries *labels, struct lgn_libsvm *data)
{
	int rc;

	data->rows = rows->rows;
	data->cols = rows->cols;
	data->start = calloc(rows->rows + 2, sizeof(*data->start));
	data->col = malloc((rows->n + 1) * sizeof(*data->col));
	data->val = malloc((rows->n + 1) * sizeof(*data->val));
	data->label = calloc(rows->rows + 1, sizeof(*data->label));
	if (!data->start || !data->col || !data->val || !data->label)
		return fail_memory(rows->rows);
	rc = label(target, labels, data->label);
	return rc ? rc : place(rows, data);
}

int lgn_rows_matrix(const char *path, const char *target, int part, int parts,
		    struct lgn_libsvm *data, uint64_t *first)
{
	struct lgn_entries rows = { .rows = 0 }, labels = { .rows = 0 };
	uint64_t n, n_labels;
	int rc = lgn_matrix_rows(path, part, parts, 0, &rows, &n);

	if (!rc)
		rc = lgn_matrix_rows(target, part, parts, 1, &labels, &n_labels);
	if (!rc && n != n_labels)
		rc = lgn_fail(LAGOON_EINVAL, "%s: %llu rows: expected %llu, as "
			      "in %s", target, (unsigned long long)n_labels,
			      (unsigned long long)n, path);
	if (!rc)
		rc = fill(target, &rows, &labels, data);
	*first = rc ? 0 : n * (uint64_t)part / (uint64_t)parts;
	lgn_entries_free(&rows);
	lgn_entries_free(&labels);
	return rc;
}
