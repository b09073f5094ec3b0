/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows into tables, and out again. Elements lie there as doubles that are added
 * to zeros, so they come back as they were. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/similar/similar.h"
#include "kernels/solve/similar/value.h"
#include "runtime/base/status.h"

#define CHUNK ((size_t)1 << 16)		/* elements that are added at once */
#define PULLED ((uint64_t)1 << 18)	/* elements of a block, when rows allow */

static int fail_memory(uint64_t elements)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for rows of %llu elements",
			(unsigned long long)elements);
}

/* ------------------------------------------------------------------ put */

static int put_starts(struct lgn_similar *t, const struct lgn_similar_set *set,
		      const struct lgn_similar_rows *r)
{
	int64_t *start = malloc((r->rows + 1) * sizeof(*start));
	int rc;

	if (!start)
		return fail_memory(r->rows);
	for (uint64_t i = 0; i < r->rows; i++)
		start[i] = (int64_t)(r->entry + r->start[i + 1]);
	rc = r->rows ? lagoon_add(t->w, set->starts, r->first + 1, r->rows,
				  start) : 0;
	free(start);
	return rc;
}

static void pack_row(int measure, const struct lgn_similar_rows *r, uint64_t i,
		     double *pair)
{
	size_t from = r->start[i], n = r->start[i + 1] - from;
	int scale = lgn_similar_scale(measure, n, r->val + from);

	for (size_t k = 0; k < n; k++) {
		pair[2 * k] = r->col[from + k];
		pair[2 * k + 1] = ldexp(r->val[from + k], scale);
	}
}

static int put_sparse(struct lgn_similar *t, const struct lgn_similar_set *set,
		      const struct lgn_similar_rows *r)
{
	size_t n = r->start[r->rows];
	double *pair = malloc((2 * n + 1) * sizeof(*pair));
	int rc;

	if (!pair)
		return fail_memory(n);
	for (uint64_t i = 0; i < r->rows; i++)
		pack_row(t->fit->options.measure, r, i, pair + 2 * r->start[i]);
	rc = n ? lagoon_add(t->w, set->values, r->entry, n, pair) : 0;
	free(pair);
	return rc ? rc : put_starts(t, set, r);
}

/* For correlation less the mean. First the first element goes from all: those of
 * a row that is constant are 0 then, exactly. */
static void centre(size_t n, double *x)
{
	double first = x[0], mean = 0;

	for (size_t k = 0; k < n; k++) {
		x[k] -= first;
		mean += x[k];
	}
	mean /= (double)n;
	for (size_t k = 0; k < n; k++)
		x[k] -= mean;
}

static void fill_row(const struct lgn_similar_fit *fit,
		     const struct lgn_similar_rows *r, uint64_t i, double *x)
{
	size_t cols = fit->set[0].cols, from = r->start[i];
	size_t n = r->start[i + 1] - from;
	int measure = fit->options.measure;
	int scale = lgn_similar_scale(measure, n, r->val + from);

	memset(x, 0, cols * sizeof(*x));
	for (size_t k = 0; k < n; k++)
		x[r->col[from + k]] = ldexp(r->val[from + k], scale);
	if (measure == LAGOON_SIMILAR_COSINE)
		return;
	centre(cols, x);
	scale = lgn_similar_scale(measure, cols, x);
	for (size_t k = 0; k < cols; k++)
		x[k] = ldexp(x[k], scale);
}

static int put_dense(struct lgn_similar *t, const struct lgn_similar_set *set,
		     const struct lgn_similar_rows *r)
{
	size_t some = CHUNK / set->cols + 1;
	double *x = malloc(some * set->cols * sizeof(*x));
	int rc = x ? 0 : fail_memory(some * set->cols);

	for (uint64_t i = 0; i < r->rows && !rc; i += some) {
		uint64_t n = r->rows - i < some ? r->rows - i : some;

		for (uint64_t k = 0; k < n; k++)
			fill_row(t->fit, r, i + k, x + k * set->cols);
		rc = lagoon_add(t->w, set->values, r->first + i, n, x);
	}
	free(x);
	return rc;
}

int lgn_similar_put(struct lgn_similar *t, const struct lgn_similar_set *set,
		    const struct lgn_similar_rows *r)
{
	return t->fit->dense ? put_dense(t, set, r) : put_sparse(t, set, r);
}

/* ----------------------------------------------------------------- pull */

static int reserve_rows(struct lgn_similar_block *b, uint64_t rows)
{
	if (rows <= b->room_rows)
		return 0;
	free(b->start);
	free(b->row);
	b->start = malloc((rows + 1) * sizeof(*b->start));
	b->row = malloc(rows * sizeof(*b->row));
	b->room_rows = b->start && b->row ? rows : 0;
	return b->room_rows ? 0 : fail_memory(rows);
}

static int reserve(struct lgn_similar_block *b, size_t n, bool dense)
{
	if (n <= b->room)
		return 0;
	free(b->col);
	free(b->val);
	free(b->unit);
	free(b->pair);
	b->room = 0;
	b->val = malloc(n * sizeof(*b->val));
	b->unit = malloc(dense ? n * sizeof(*b->unit) : 1);
	b->col = malloc(dense ? 1 : n * sizeof(*b->col));
	b->pair = malloc(dense ? 1 : 2 * n * sizeof(*b->pair));
	if (!b->val || !b->unit || !b->col || !b->pair)
		return fail_memory(n);
	b->room = n;
	return 0;
}

/* Rows less those that would make too many entries. */
static uint64_t that_fit(const int64_t *start, uint64_t n)
{
	while (n > 1 && (uint64_t)(start[n] - start[0]) > PULLED)
		n = (n + 1) / 2;
	return n;
}

static int pull_sparse(struct lgn_similar *t, const struct lgn_similar_set *set,
		       uint64_t n, struct lgn_similar_block *b)
{
	int rc = reserve_rows(b, n);
	int64_t first, entries;

	if (!rc)
		rc = lagoon_pull(t->w, set->starts, b->first, n + 1, b->start);
	if (rc)
		return rc;
	b->rows = n = that_fit(b->start, n);
	first = b->start[0];
	entries = b->start[n] - first;
	rc = reserve(b, (size_t)entries + 1, false);
	if (!rc && entries)
		rc = lagoon_pull(t->w, set->values, (uint64_t)first,
				 (uint64_t)entries, b->pair);
	if (rc)
		return rc;
	for (uint64_t i = 0; i <= n; i++)
		b->start[i] -= first;
	for (int64_t k = 0; k < entries; k++) {
		b->col[k] = (uint32_t)b->pair[2 * k];
		b->val[k] = b->pair[2 * k + 1];
	}
	for (uint64_t i = 0; i < n; i++)
		lgn_similar_row_set(t->fit->options.measure, (double)set->cols,
				    (size_t)(b->start[i + 1] - b->start[i]),
				    b->val + b->start[i], 0, &b->row[i]);
	return 0;
}

static void set_unit(const struct lgn_similar_block *b, uint64_t i, size_t cols)
{
	const double *x = b->val + i * cols;
	double by = b->row[i].norm > 0 ? 1 / b->row[i].norm : 0;

	for (size_t k = 0; k < cols; k++)
		b->unit[i * cols + k] = x[k] * by;
}

static int pull_dense(struct lgn_similar *t, const struct lgn_similar_set *set,
		      uint64_t n, struct lgn_similar_block *b)
{
	size_t cols = set->cols;
	int rc;

	if (n > PULLED / cols + 1)
		n = PULLED / cols + 1;
	b->rows = n;
	rc = reserve_rows(b, n);
	if (!rc)
		rc = reserve(b, n * cols, true);
	if (!rc)
		rc = lagoon_pull(t->w, set->values, b->first, n, b->val);
	for (uint64_t i = 0; i < n && !rc; i++) {
		lgn_similar_row_set(LAGOON_SIMILAR_COSINE, (double)cols, cols,
				    b->val + i * cols, 0, &b->row[i]);
		set_unit(b, i, cols);
	}
	return rc;
}

int lgn_similar_pull(struct lgn_similar *t, const struct lgn_similar_set *set,
		     uint64_t first, uint64_t n, struct lgn_similar_block *b)
{
	b->first = first;
	if (n > set->rows - first)
		n = set->rows - first;
	return t->fit->dense ? pull_dense(t, set, n, b) :
		pull_sparse(t, set, n, b);
}

void lgn_similar_block_free(struct lgn_similar_block *b)
{
	free(b->start);
	free(b->col);
	free(b->val);
	free(b->unit);
	free(b->row);
	free(b->pair);
	memset(b, 0, sizeof(*b));
}
