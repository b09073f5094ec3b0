/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps on factors against the same steps one by one; and ratings
 * that are sorted, where the last of a place stays. */
#include "test/unit/kernels.h"

#include <math.h>

#include "kernels/solve/mf/mf.h"

TestSuite(ratings, .timeout = 60);

enum { ROWS = 6, COLS = 5, STEPS = 80, RANK_MOST = 70, STRIDE_MOST = RANK_MOST + 3 };

struct rows {
	double x[ROWS * STRIDE_MOST], y[COLS * STRIDE_MOST];
	double row_penalty[ROWS], col_penalty[COLS];
};

struct steps {
	uint32_t row[STEPS], col[STEPS];
	double val[STEPS];
	size_t rank, stride;
	int biases;
};

static double step(const struct steps *s, size_t k, struct rows *r)
{
	const double rate = 0.05, lambda = 0.1;
	double *x = r->x + s->row[k] * s->stride;
	double *y = r->y + s->col[k] * s->stride, e = s->val[k];

	for (size_t f = 0; f < s->rank; f++)
		e -= x[f] * y[f];
	if (s->biases) {
		e -= x[s->rank] + y[s->rank];
		x[s->rank] += rate * (e - r->row_penalty[s->row[k]] *
				      x[s->rank]);
		y[s->rank] += rate * (e - r->col_penalty[s->col[k]] *
				      y[s->rank]);
	}
	for (size_t f = 0; f < s->rank; f++) {
		double a = x[f], b = y[f];

		x[f] += rate * (e * b - lambda * a);
		y[f] += rate * (e * a - lambda * b);
	}
	return e * e;
}

#define CHECK(REAL, PASS, TOLERANCE) \
	do { \
		REAL val[STEPS], x[ROWS * STRIDE_MOST], y[COLS * STRIDE_MOST]; \
		REAL p[ROWS], q[COLS]; \
		double sum; \
		for (int i = 0; i < STEPS; i++) \
			val[i] = (REAL)s->val[i]; \
		for (int i = 0; i < ROWS * STRIDE_MOST; i++) \
			x[i] = (REAL)was->x[i]; \
		for (int i = 0; i < COLS * STRIDE_MOST; i++) \
			y[i] = (REAL)was->y[i]; \
		for (int i = 0; i < ROWS; i++) \
			p[i] = (REAL)was->row_penalty[i]; \
		for (int i = 0; i < COLS; i++) \
			q[i] = (REAL)was->col_penalty[i]; \
		sum = PASS(STEPS, s->row, s->col, val, s->rank, s->stride, 0.1, \
			   s->biases ? p : NULL, s->biases ? q : NULL, 0.05, x, \
			   y); \
		cr_assert(fabs(sum - errors) <= TOLERANCE * errors, \
			  "rank %zu: sum %.17g, expected %.17g", s->rank, sum, \
			  errors); \
		for (int i = 0; i < ROWS * STRIDE_MOST; i++) \
			cr_assert(fabs(x[i] - now->x[i]) <= TOLERANCE, \
				  "rank %zu: x[%d]", s->rank, i); \
		for (int i = 0; i < COLS * STRIDE_MOST; i++) \
			cr_assert(fabs(y[i] - now->y[i]) <= TOLERANCE, \
				  "rank %zu: y[%d]", s->rank, i); \
	} while (0)

static void compare(const struct steps *s, const struct rows *was,
		    const struct rows *now, double errors)
{
	CHECK(double, lagoon_factor_pass, 1e-12);
	CHECK(float, lagoon_factor_pass_f32, 1e-4);
}

/* In [0, 1), the same in both types. */
static double number(uint64_t *seed)
{
	return (double)below(seed, 4096) / 4096;
}

LEVEL_TEST(ratings, as_one_by_one)
{
	uint64_t seed = 3;

	for (size_t which = 2; which < 2 * (RANK_MOST + 1); which++) {
		static struct rows was, now;
		struct steps s = { .rank = which / 2, .biases = which & 1,
				   .stride = which / 2 + 1 + below(&seed, 3) };
		double errors = 0;

		for (int i = 0; i < ROWS * STRIDE_MOST; i++)
			was.x[i] = number(&seed) - 0.5;
		for (int i = 0; i < COLS * STRIDE_MOST; i++)
			was.y[i] = number(&seed) - 0.5;
		for (int i = 0; i < ROWS; i++)
			was.row_penalty[i] = number(&seed);
		for (int i = 0; i < COLS; i++)
			was.col_penalty[i] = number(&seed);
		for (int k = 0; k < STEPS; k++) {
			s.row[k] = (uint32_t)below(&seed, ROWS);
			s.col[k] = (uint32_t)below(&seed, COLS);
			s.val[k] = 3 * number(&seed);
		}
		now = was;
		for (size_t k = 0; k < STEPS; k++)
			errors += step(&s, k, &now);
		compare(&s, &was, &now, errors);
	}
}

Test(ratings, ratings_in_order)
{
	static const uint32_t row[] = { 2, 0, 2, 1, 0, 2 };
	static const uint32_t col[] = { 1, 3, 0, 2, 3, 1 };
	struct lgn_entries e = { 0 }, more = { 0 };
	struct lgn_mf_lines l = { 0 };
	struct lgn_mf_tests t = { 0 };
	uint64_t replaced = 0;

	cr_assert(!lgn_entries_reserve(&e, 6, 0));
	for (int k = 0; k < 6; k++)
		lgn_entries_add(&e, row[k], col[k], k);
	cr_assert(!lgn_entries_reserve(&more, 3, 0));
	lgn_entries_add(&more, 2, 0, 10);
	lgn_entries_add(&more, 7, 3, 11);
	lgn_entries_add(&more, 0, 9, 12);
	cr_assert(!lgn_mf_sort(&e, 3, 4, &replaced));
	cr_assert(replaced == 2 && e.n == 4);
	cr_assert(!lgn_mf_lines_open(&e, 4, &more, &l));
	cr_assert(!lgn_mf_tests_open(&more, &l, &t));
	cr_assert(l.lines == 3 && l.n_others == 4 && l.start[3] == 4);
	cr_assert(l.val[0] == 4 && l.val[1] == 3 && l.val[2] == 2 &&
		  l.val[3] == 5);
	for (size_t k = 0, i = 0; k < l.n; k++) {
		i += k == l.start[i + 1];
		cr_assert(l.id[i] == row[(int)l.val[k]]);
		cr_assert(l.others[l.across[k]] == col[(int)l.val[k]]);
	}
	cr_assert(t.n == 3 && l.id[t.line[0]] == 2 && l.others[t.across[0]] == 0);
	cr_assert(t.line[1] == LGN_MF_NONE && l.others[t.across[1]] == 3);
	cr_assert(l.id[t.line[2]] == 0 && t.across[2] == LGN_MF_NONE);
	lgn_mf_lines_close(&l);
	lgn_mf_tests_close(&t);
	lgn_entries_free(&more);
}
