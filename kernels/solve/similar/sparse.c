/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Comparing sparse rows: the claimed ones are indexed by column (an inverted
 * index), and each other row runs through the lists of its columns, adding to an
 * accumulator for each claimed row that it meets (Zobel and Moffat, Inverted
 * Files for Text Search Engines, ACM Computing Surveys 38, 2006). A pair
 * that meets nowhere costs nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/similar/similar.h"
#include "kernels/solve/similar/value.h"
#include "runtime/base/status.h"

#define NONE UINT32_MAX

struct posting {
	double x;
	uint32_t row;		/* of the claim */
};

struct index {
	/* columns of the claimed rows, in a table that is half full at most */
	uint32_t *key;
	uint32_t *list;		/* of the column in the same place */
	uint32_t mask;
	uint32_t room;
	uint32_t lists;
	uint32_t *start;	/* [lists + 1] of postings */
	struct posting *posting;
	size_t entries;		/* room */
	/* by claimed row */
	uint32_t *meets;	/* columns in common with the row in work */
	uint32_t *met;		/* rows that have some */
	double *sum;
	struct lgn_similar_common *common;
};

static int fail_memory(size_t n)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for an index of %zu entries",
			n);
}

static int open_index(struct lgn_similar *t)
{
	size_t n = (size_t)t->fit->block;
	struct index *x = t->state = calloc(1, sizeof(*x));

	if (!x)
		return fail_memory(n);
	x->meets = calloc(n, sizeof(*x->meets));
	x->met = malloc((n + 1) * sizeof(*x->met));
	x->sum = calloc(n, sizeof(*x->sum));
	x->common = calloc(n, sizeof(*x->common));
	return x->meets && x->met && x->sum && x->common ? 0 : fail_memory(n);
}

static void free_lists(struct index *x)
{
	free(x->key);
	free(x->list);
	free(x->start);
	free(x->posting);
	x->entries = 0;
}

static void close_index(struct lgn_similar *t)
{
	struct index *x = t->state;

	if (!x)
		return;
	free_lists(x);
	free(x->meets);
	free(x->met);
	free(x->sum);
	free(x->common);
	free(x);
}

/* ------------------------------------------------------------ the index */

static int reserve(struct index *x, size_t entries)
{
	size_t room = 64;

	if (entries <= x->entries)
		return 0;
	if (entries > (size_t)1 << 30)
		return lgn_fail(LAGOON_ENOTSUP, "a row of %zu entries: expected "
				"at most 2^30", entries);
	free_lists(x);
	while (room < 2 * entries)
		room *= 2;
	x->key = malloc(room * sizeof(*x->key));
	x->list = malloc(room * sizeof(*x->list));
	x->start = malloc((entries + 2) * sizeof(*x->start));
	x->posting = malloc(entries * sizeof(*x->posting));
	x->room = (uint32_t)room;
	if (!x->key || !x->list || !x->start || !x->posting)
		return fail_memory(entries);
	x->entries = entries;
	return 0;
}

static inline uint32_t place(const struct index *x, uint32_t col)
{
	uint32_t at = (uint32_t)(col * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
		x->mask;

	while (x->list[at] != NONE && x->key[at] != col)
		at = (at + 1) & x->mask;
	return at;
}

/* start[list + 2] counts; as in a counting sort. */
static void count(struct index *x, const uint32_t *col, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		uint32_t at = place(x, col[k]);

		if (x->list[at] == NONE) {
			x->key[at] = col[k];
			x->list[at] = x->lists++;
			x->start[x->list[at] + 2] = 0;
		}
		x->start[x->list[at] + 2]++;
	}
}

static int begin(struct lgn_similar *t)
{
	struct index *x = t->state;
	const struct lgn_similar_block *b = &t->rows;
	size_t n = (size_t)b->start[b->rows];
	int rc = reserve(x, n);

	if (rc || !n) {
		x->lists = 0;
		return rc;
	}
	x->mask = 63;
	while (x->mask < 2 * n - 1 && x->mask < x->room - 1)
		x->mask = 2 * x->mask + 1;
	memset(x->list, 0xff, ((size_t)x->mask + 1) * sizeof(*x->list));
	x->lists = 0;
	x->start[0] = x->start[1] = 0;
	count(x, b->col, n);
	for (uint32_t i = 0; i < x->lists; i++)
		x->start[i + 2] += x->start[i + 1];
	for (uint64_t i = 0; i < b->rows; i++)
		for (int64_t k = b->start[i]; k < b->start[i + 1]; k++) {
			uint32_t list = x->list[place(x, b->col[k])];

			x->posting[x->start[list + 1]++] =
				(struct posting){ b->val[k], (uint32_t)i };
		}
	return 0;
}

/* ------------------------------------------- a row through its lists */

static inline uint32_t meet(struct index *x, uint32_t row, uint32_t n)
{
	x->met[n] = row;
	return n + !x->meets[row]++;
}

static uint32_t add_products(struct index *x, const struct posting *p,
			     const struct posting *end, double y, uint32_t n)
{
	for (; p < end; p++) {
		n = meet(x, p->row, n);
		x->sum[p->row] += p->x * y;
	}
	return n;
}

static uint32_t add_meets(struct index *x, const struct posting *p,
			  const struct posting *end, double y, uint32_t n)
{
	(void)y;
	for (; p < end; p++)
		n = meet(x, p->row, n);
	return n;
}

static uint32_t add_least(struct index *x, const struct posting *p,
			  const struct posting *end, double y, uint32_t n)
{
	for (; p < end; p++) {
		n = meet(x, p->row, n);
		x->sum[p->row] += p->x < y ? p->x : y;
	}
	return n;
}

static uint32_t add_common(struct index *x, const struct posting *p,
			   const struct posting *end, double y, uint32_t n)
{
	for (; p < end; p++) {
		n = meet(x, p->row, n);
		lgn_similar_common_add(&x->common[p->row], p->x, y);
	}
	return n;
}

typedef uint32_t add_fn(struct index *x, const struct posting *p,
			const struct posting *end, double y, uint32_t n);

static add_fn *const add[] = {
	[LAGOON_SIMILAR_COSINE] = add_products,
	[LAGOON_SIMILAR_JACCARD] = add_meets,
	[LAGOON_SIMILAR_RUZICKA] = add_least,
	[LAGOON_SIMILAR_PEARSON] = add_common,
	[LAGOON_SIMILAR_CORRELATION] = add_products,
};

/* How many rows are in x->met. */
static uint32_t run(struct lgn_similar *t, uint64_t k)
{
	const struct lgn_similar_block *b = &t->block;
	add_fn *f = add[t->fit->options.measure];
	struct index *x = t->state;
	uint32_t n = 0;

	for (int64_t e = b->start[k]; e < b->start[k + 1]; e++) {
		uint32_t list = x->list[place(x, b->col[e])];

		if (list != NONE)
			n = f(x, x->posting + x->start[list],
			      x->posting + x->start[list + 1], b->val[e], n);
	}
	return n;
}

/* ------------------------------------------------------- what came out */

/* Of claimed row i, and others: is there a similarity? */
static inline bool judge(const struct lgn_similar *t, const struct index *x,
			 uint32_t i, const struct lgn_similar_row *other,
			 double *value)
{
	const struct lgn_similar_row *row = &t->rows.row[i];

	switch (t->fit->options.measure) {
	case LAGOON_SIMILAR_COSINE:
		*value = lgn_similar_cosine(x->sum[i], row, other);
		return true;
	case LAGOON_SIMILAR_JACCARD:
		*value = lgn_similar_overlap(x->meets[i], row->entries,
					     other->entries);
		return true;
	case LAGOON_SIMILAR_RUZICKA:
		*value = lgn_similar_overlap(x->sum[i], row->sum, other->sum);
		return true;
	case LAGOON_SIMILAR_PEARSON:
		return lgn_similar_pearson(&x->common[i], value);
	default:
		return lgn_similar_correlation(x->sum[i],
					       (double)t->others->cols, row,
					       other, value);
	}
}

static void compare(struct lgn_similar *t)
{
	const struct lgn_similar_block *b = &t->block;
	struct index *x = t->state;
	double value = 0;

	for (uint64_t k = 0; k < b->rows && x->lists; k++) {
		uint32_t n = run(t, k);

		for (uint32_t m = 0; m < n; m++) {
			uint32_t i = x->met[m];

			if (judge(t, x, i, &b->row[k], &value))
				lgn_similar_take(t, i, b->first + k, value);
			x->meets[i] = 0;
			x->sum[i] = 0;
			x->common[i].n = 0;
		}
	}
}

const struct lgn_similar_way lgn_similar_sparse = {
	open_index, close_index, begin, compare,
};

