/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_similar_find() on rows in memory, sparse and dense, with each other and
 * with other rows, against all pairs looked at one by one: the same rows in the
 * same order, and the same bits, however the rows lie on processes and whoever
 * compares them. There are ties, equal rows, empty rows and rows of one element.
 * What is not legal in one process is the error of all, with row and column.
 */
/* launch: -n 1 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 2 --nodes 2 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "test/support/test.h"

enum { ROWS = 130, OTHERS = 70, COLS = 24, TOP = 9 };

/* The same in every process. */
static double rows[ROWS][COLS], others[OTHERS][COLS];

/* A process's rows in CSR, columns from 1 on, and not in their order. */
struct csr {
	int first, n;
	int32_t start[ROWS + 1];
	int32_t index[ROWS * COLS];
	double val[ROWS * COLS];
	struct lagoon_sparse a;
	struct lagoon_similar_data data;
};

static struct csr mine, theirs;

/* Integers: ties are exact. */
static void draw(double (*x)[COLS], int n, struct t_rng *rng)
{
	for (int i = 0; i < n; i++) {
		uint64_t rare = 1 + t_below(rng, 6);

		for (int j = 0; j < COLS; j++)
			x[i][j] = t_once_in(rng, rare) ?
				(double)(1 + t_below(rng, 3)) : 0;
		if (i % 10 == 3)
			memset(x[i], 0, sizeof(x[i]));
		if (i % 17 == 3)
			x[i][t_below(rng, COLS)] = 2;
		if (i % 12 == 5)
			memcpy(x[i], x[i / 2], sizeof(x[i]));
	}
}

/* Of three processes the second has none. */
static void share(int n, int *first, int *end)
{
	int rank = lagoon_rank(t_lg), size = lagoon_size(t_lg);

	*first = n * rank / size;
	*end = n * (rank + 1) / size;
	if (size == 3) {
		*first = rank == 2 ? n / 3 : 0;
		*end = rank == 0 ? n / 3 : rank == 1 ? 0 : n;
	}
}

static void take(double (*x)[COLS], int n, struct csr *c)
{
	int32_t k = 0;
	int end;

	share(n, &c->first, &end);
	c->n = end - c->first;
	for (int i = 0; i < c->n; i++) {
		const double *row = x[c->first + i];

		for (int j = COLS - 1; j >= 0; j--) {
			if (row[j] == 0 && (i + j) % 7)
				continue;	/* some zeros are stored */
			c->index[k] = j + 1;
			c->val[k++] = row[j];
		}
		c->start[i + 1] = k;
	}
	c->a = (struct lagoon_sparse){
		.rows = (size_t)c->n, .cols = COLS, .layout = LAGOON_CSR,
		.real_size = 8, .index_size = 4, .base = 1, .start = c->start,
		.index = c->index, .val = c->val,
	};
	c->data = (struct lagoon_similar_data){
		.size = sizeof(c->data), .sparse = &c->a,
	};
}

static struct lagoon_similar_data dense(double (*x)[COLS], const struct csr *c)
{
	return (struct lagoon_similar_data){
		.size = sizeof(struct lagoon_similar_data),
		.rows = (size_t)c->n, .cols = COLS, .stride = COLS,
		.real_size = 8, .dense = x[c->first],
	};
}

/* ------------------------------------------------------------ reference */

/* Dense rows have an entry in each column for pearson. */
static int pair(int measure, bool is_dense, const double *x, const double *y,
		double *value)
{
	double xv[COLS], yv[COLS], mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
	uint32_t xc[COLS], yc[COLS];
	size_t nx = 0, ny = 0;

	for (uint32_t j = 0; j < COLS; j++) {
		if (x[j] != 0) {
			xc[nx] = j;
			xv[nx++] = x[j];
		}
		if (y[j] != 0) {
			yc[ny] = j;
			yv[ny++] = y[j];
		}
	}
	if (!is_dense || measure < LAGOON_SIMILAR_PEARSON)
		return lagoon_similar_pair(measure, COLS, nx, xc, xv, ny, yc,
					   yv, value);
	for (int j = 0; j < COLS; j++) {
		mx += x[j] / COLS;
		my += y[j] / COLS;
	}
	for (int j = 0; j < COLS; j++) {
		xx += (x[j] - mx) * (x[j] - mx);
		yy += (y[j] - my) * (y[j] - my);
		xy += (x[j] - mx) * (y[j] - my);
	}
	*value = xy / sqrt(xx * yy);
	return xx > 1e-9 && yy > 1e-9;	/* integers */
}

struct best {
	int64_t id;
	double value;
};

static int by_rank(const void *a, const void *b)
{
	const struct best *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

static int brute(const struct lagoon_similar_options *o, bool is_dense, int i,
		 bool against, struct best *best)
{
	double (*y)[COLS] = against ? others : rows;
	int n = 0;

	for (int k = 0; k < (against ? OTHERS : ROWS); k++)
		if ((against || k != i) &&
		    pair(o->measure, is_dense, rows[i], y[k], &best[n].value) &&
		    best[n].value >= o->least)
			best[n++].id = k;
	qsort(best, (size_t)n, sizeof(*best), by_rank);
	return n;
}

/* --------------------------------------------------------------- checking */

/* Correlations of dense rows are those of the formula to rounding: which of two
 * rows comes first is known when they differ by more, and when they are equal. */
static void check_close(const struct best *want, int n, const int64_t *other,
			const double *similarity, int i, double (*y)[COLS])
{
	for (int m = 0; m < TOP; m++) {
		if (m >= n) {
			T_CHECK(other[m] == -1, "row %d has a place %d", i, m);
			continue;
		}
		T_CHECK(other[m] >= 0 && fabs(similarity[m] - want[m].value) < 1e-12,
			"row %d, place %d: %.17g of %lld, expected %.17g of %lld",
			i, m, similarity[m], (long long)other[m], want[m].value,
			(long long)want[m].id);
		for (int k = 0; k < other[m]; k++)
			if (!memcmp(y[k], y[other[m]], sizeof(y[k])) &&
			    !(y == rows && k == i)) {
				int at = 0;

				while (at < m && other[at] != k)
					at++;
				T_CHECK(at < m, "row %d: %lld comes before the equal %d",
					i, (long long)other[m], k);
			}
	}
}

static void check_exact(const struct best *want, int n, const int64_t *other,
			const double *similarity, int i, int measure)
{
	for (int m = 0; m < TOP; m++) {
		int64_t id = m < n ? want[m].id : -1;
		double value = m < n ? want[m].value : 0;

		T_CHECK(other[m] == id && similarity[m] == value,
			"measure %d, row %d, place %d: %.17g of %lld, expected %.17g of %lld",
			measure, i, m, similarity[m], (long long)other[m],
			value, (long long)id);
	}
}

/* How many pairs there should be, of all rows, and rows without. */
static void check(const struct lagoon_similar_options *o, bool is_dense,
		  bool against, const int64_t *other, const double *similarity,
		  const struct lagoon_similar_result *r)
{
	uint64_t pairs = 0, without = 0;

	for (int i = 0; i < ROWS; i++) {
		struct best want[ROWS];
		int n = brute(o, is_dense, i, against, want);
		size_t at = (size_t)(i - mine.first) * TOP;

		pairs += (uint64_t)(n < TOP ? n : TOP);
		without += !n;
		if (i < mine.first || i >= mine.first + mine.n)
			continue;
		if (is_dense && o->measure >= LAGOON_SIMILAR_PEARSON)
			check_close(want, n, other + at, similarity + at, i,
				    against ? others : rows);
		else
			check_exact(want, n, other + at, similarity + at, i,
				    o->measure);
	}
	T_CHECK(r->pairs == pairs && r->without == without &&
		r->rows == ROWS && r->others == (against ? OTHERS : ROWS) &&
		r->columns == COLS && r->top == TOP && !r->other,
		"measure %d: %llu pairs, %llu rows without, expected %llu and %llu",
		o->measure, (unsigned long long)r->pairs,
		(unsigned long long)r->without, (unsigned long long)pairs,
		(unsigned long long)without);
}

static void find(const struct lagoon_similar_options *o, bool is_dense,
		 bool against)
{
	static int64_t other[ROWS * TOP];
	static double similarity[ROWS * TOP];
	struct lagoon_similar_result r = { .size = sizeof(r) };
	struct lagoon_similar_data d = is_dense ? dense(rows, &mine) :
		mine.data;
	struct lagoon_similar_data a = is_dense ? dense(others, &theirs) :
		theirs.data;

	memset(other, 7, sizeof(other));
	t_ok(lagoon_similar_find(t_lg, &d, against ? &a : NULL, o, other,
				 similarity, &r), "find");
	check(o, is_dense, against, other, similarity, &r);
	lagoon_similar_result_free(&r);
}

static void test_measures(void)
{
	struct lagoon_similar_options o;

	lagoon_similar_options_init(&o);
	o.top = TOP;
	for (o.measure = 0; o.measure <= LAGOON_SIMILAR_CORRELATION; o.measure++)
		for (int form = 0; form < 4; form++) {
			o.least = form == 1 ? 0.31 : -1;
			find(&o, form & 1, form & 2);
			if (o.measure == LAGOON_SIMILAR_JACCARD)
				find(&o, !(form & 1), form & 2);
		}
}

/* With single precision, and where nothing but the rows is asked for. */
static void test_single(void)
{
	static float x[ROWS][COLS];
	static int64_t other[ROWS * TOP], again[ROWS * TOP];
	struct lagoon_similar_data d = dense(rows, &mine);
	struct lagoon_similar_options o;

	for (int i = 0; i < ROWS; i++)
		for (int j = 0; j < COLS; j++)
			x[i][j] = (float)rows[i][j];
	lagoon_similar_options_init(&o);
	o.top = TOP;
	t_ok(lagoon_similar_find(t_lg, &d, NULL, &o, other, NULL, NULL),
	     "double");
	d.dense = x[mine.first];
	d.real_size = 4;
	t_ok(lagoon_similar_find(t_lg, &d, NULL, &o, again, NULL, NULL),
	     "single");
	T_CHECK(!memcmp(other, again, (size_t)mine.n * TOP * sizeof(*other)),
		"single precision finds others");
}

/* --------------------------------------------------------------- refusing */

static void refused(const char *expected, const struct lagoon_similar_data *d,
		    const struct lagoon_similar_data *against,
		    const struct lagoon_similar_options *o)
{
	static int64_t other[ROWS * TOP];
	struct lagoon_similar_result r = { .size = sizeof(r) };
	int rc = lagoon_similar_find(t_lg, d, against, o, other, NULL, &r);

	if (rc != LAGOON_EINVAL || !strstr(lagoon_errmsg(), expected))
		t_die("%s (%s), expected \"%s\"", lagoon_strerror(rc),
		      rc ? lagoon_errmsg() : "", expected);
}

static void test_refused_data(const struct lagoon_similar_options *good)
{
	int last = lagoon_rank(t_lg) == lagoon_size(t_lg) - 1;
	struct lagoon_similar_options o = *good;
	struct lagoon_similar_data d = dense(rows, &mine);

	if (last)
		mine.val[0] = NAN;
	refused("is nan: expected a finite number", &mine.data, NULL, &o);
	take(rows, ROWS, &mine);
	if (last)
		mine.index[0] = COLS + 1;
	refused("row 1: column index 25: expected 1 to 24", &mine.data, NULL,
		&o);
	mine.val[0] = mine.val[1] = mine.val[2] = 1;
	mine.index[0] = COLS;
	if (last)
		mine.index[0] = mine.index[2];
	refused("stands there twice: expected once", &mine.data, NULL, &o);
	take(rows, ROWS, &mine);
	if (last)
		mine.val[0] = -1;
	o.measure = LAGOON_SIMILAR_RUZICKA;
	refused("is below 0", &mine.data, NULL, &o);
	take(rows, ROWS, &mine);
	refused("expected rows of the same format", &mine.data, &d, &o);
	d.cols = COLS - (size_t)last;
	if (lagoon_size(t_lg) > 1)
		refused("columns in the rows of worker", &d, NULL, &o);
	d = dense(rows, &mine);
	d.rows = 0;
	refused("data: no rows", &d, NULL, &o);
	d.size = 0;
	refused("size is not set", &d, NULL, &o);
}

static void test_refused(void)
{
	struct lagoon_similar_options good, o;

	lagoon_similar_options_init(&good);
	o = good;
	o.top = ROWS;
	refused("top 130: expected at most 129, as there are rows", &mine.data,
		NULL, &o);
	refused("top 130: expected at most 70", &mine.data, &theirs.data, &o);
	o.top = 0;
	refused("top 0: expected 1 to", &mine.data, NULL, &o);
	o = good;
	o.measure = 5;
	refused("measure 5: expected 0 to 4", &mine.data, NULL, &o);
	o = good;
	o.least = NAN;
	refused("least is NaN", &mine.data, NULL, &o);
	o = good;
	o.size = 1;
	refused("options not initialised", &mine.data, NULL, &o);
	test_refused_data(&good);
}

int main(void)
{
	struct lagoon_attr attr;
	struct t_rng rng = { 5 };

	t_begin("similar_arrays", 8);
	draw(rows, ROWS, &rng);
	draw(others, OTHERS, &rng);
	lagoon_attr_init(&attr);
	attr.workers = 2;
	t_open(&attr, NULL);
	take(rows, ROWS, &mine);
	take(others, OTHERS, &theirs);
	test_measures();
	test_single();
	test_refused();
	t_close();
	return 0;
}
