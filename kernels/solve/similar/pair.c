/* SPDX-License-Identifier: BSD-3-Clause */
/* One pair of rows, without a job. */
#include "kernels/solve/similar/similar.h"
#include "kernels/solve/similar/value.h"
#include "runtime/base/status.h"

struct line {
	size_t n;
	const uint32_t *col;
	const double *x;
	int scale;
	struct lgn_similar_row row;
};

/* Over the columns in common: how many, and sums. */
struct sums {
	double n;
	double product;
	double least;
	struct lgn_similar_common common;
};

static void add(struct sums *s, double x, double y)
{
	s->n += 1;
	s->product += x * y;
	s->least += x < y ? x : y;
	lgn_similar_common_add(&s->common, x, y);
}

static void add_all(const struct line *a, const struct line *b, struct sums *s)
{
	for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
		if (a->col[i] == b->col[k])
			add(s, lgn_similar_scaled(a->x[i], a->scale),
			    lgn_similar_scaled(b->x[k], b->scale));
		if (a->col[i] < b->col[k])
			i++;
		else if (a->col[i] > b->col[k])
			k++;
		else
			i++, k++;
	}
}

static int judge(int measure, double cols, const struct sums *s,
		 const struct lgn_similar_row *x,
		 const struct lgn_similar_row *y, double *value)
{
	switch (measure) {
	case LAGOON_SIMILAR_COSINE:
		*value = lgn_similar_cosine(s->product, x, y);
		return 1;
	case LAGOON_SIMILAR_JACCARD:
		*value = lgn_similar_overlap(s->n, x->entries, y->entries);
		return 1;
	case LAGOON_SIMILAR_RUZICKA:
		*value = lgn_similar_overlap(s->least, x->sum, y->sum);
		return 1;
	case LAGOON_SIMILAR_PEARSON:
		return lgn_similar_pearson(&s->common, value);
	default:
		return lgn_similar_correlation(s->product, cols, x, y, value);
	}
}

LGN_EXPORT int
lagoon_similar_pair(int measure, uint64_t cols, size_t nx,
		    const uint32_t *x_col, const double *x, size_t ny,
		    const uint32_t *y_col, const double *y, double *value)
{
	struct line a = { .n = nx, .col = x_col, .x = x };
	struct line b = { .n = ny, .col = y_col, .x = y };
	struct sums s = { 0 };

	if (measure < LAGOON_SIMILAR_COSINE ||
	    measure > LAGOON_SIMILAR_CORRELATION)
		return lgn_fail(LAGOON_EINVAL, "measure %d: expected %d to %d",
				measure, LAGOON_SIMILAR_COSINE,
				LAGOON_SIMILAR_CORRELATION);
	a.scale = lgn_similar_scale(measure, nx, x);
	b.scale = lgn_similar_scale(measure, ny, y);
	add_all(&a, &b, &s);
	if (!s.n)
		return 0;
	lgn_similar_row_set(measure, (double)cols, nx, x, a.scale, &a.row);
	lgn_similar_row_set(measure, (double)cols, ny, y, b.scale, &b.row);
	return judge(measure, (double)cols, &s, &a.row, &b.row, value);
}
