/* SPDX-License-Identifier: BSD-3-Clause */
/* The nearest of some points, against the plain sums of squared differences; also
 * where these are so much smaller than the coordinates that the form with
 * products has lost them. */
#include "test/unit/kernels.h"

#include <math.h>

#include "kernels/lagoon_kernels.h"

TestSuite(nearest, .timeout = 60);

enum { ROWS = 37, POINTS = 300, COLS = 40, SPARE = 3 };

static struct {
	double x[ROWS][COLS + SPARE], points[POINTS][COLS];
	double packed[8 + (COLS + 1) * (POINTS + 8)];
	double square[ROWS];
	int32_t which[ROWS];
} t;

static double plain(size_t cols, const double *x, const double *y)
{
	double sum = 0;

	for (size_t j = 0; j < cols; j++)
		sum += (x[j] - y[j]) * (x[j] - y[j]);
	return sum;
}

static void draw(uint64_t *seed, double shift, double scale)
{
	for (int i = 0; i < ROWS; i++)
		for (int j = 0; j < COLS + SPARE; j++)
			t.x[i][j] = shift + scale * (uniform(seed) - 0.5);
	for (int k = 0; k < POINTS; k++)
		for (int j = 0; j < COLS; j++)
			t.points[k][j] = shift + scale * (uniform(seed) - 0.5);
}

static void find(size_t rows, size_t cols, size_t first, size_t n)
{
	/* the packed ones must not be what was there */
	memset(t.packed, 0xff, sizeof(t.packed));
	lagoon_nearest_pack(n, cols, t.points[first], COLS, t.packed);
	lagoon_nearest_find(rows, cols, t.x[0], COLS + SPARE, n, t.points[first],
			    COLS, t.packed, (int32_t)first, t.which, t.square);
}

static void forget(void)
{
	for (int i = 0; i < ROWS; i++) {
		t.which[i] = -1;
		t.square[i] = (double)INFINITY;
	}
}

/* It is as near as the nearest, to rounding, and no earlier one is nearer. */
static void check(size_t rows, size_t cols, size_t n)
{
	for (size_t i = 0; i < rows; i++) {
		double least = (double)INFINITY, found;

		cr_assert(t.which[i] >= 0 && (size_t)t.which[i] < n);
		for (size_t k = 0; k < n; k++)
			least = fmin(least, plain(cols, t.x[i], t.points[k]));
		found = plain(cols, t.x[i], t.points[t.which[i]]);
		cr_assert(found <= least * (1 + 1e-13),
			  "row %zu: point %d at %.17g, the nearest is at %.17g",
			  i, t.which[i], found, least);
		cr_assert(fabs(t.square[i] - least) <= 1e-13 * least);
	}
}

LEVEL_TEST(nearest, of_any_shape)
{
	static const size_t cols[] = { 1, 2, 3, 7, 8, 9, 16, 33, COLS };
	static const size_t points[] = { 1, 2, 3, 4, 7, 8, 9, 127, 128, 129, 300 };
	static const size_t rows[] = { 1, 2, 3, 4, 5, ROWS };
	uint64_t seed = 1;

	for (size_t c = 0; c < sizeof(cols) / sizeof(*cols); c++) {
		draw(&seed, 0.25, 1);
		for (size_t k = 0; k < sizeof(points) / sizeof(*points); k++)
			for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
				forget();
				find(rows[i], cols[c], 0, points[k]);
				check(rows[i], cols[c], points[k]);
			}
	}
}

/* At a distance of 10^8 a square has no digit left of differences of 1. */
LEVEL_TEST(nearest, far_from_the_origin)
{
	uint64_t seed = 2;

	for (double shift = 1e3; shift < 1e13; shift *= 100) {
		draw(&seed, shift, 1);
		forget();
		find(ROWS, COLS, 0, POINTS);
		check(ROWS, COLS, POINTS);
		forget();
		find(ROWS, 2, 0, POINTS);
		check(ROWS, 2, POINTS);
	}
}

LEVEL_TEST(nearest, among_points_a_piece_at_a_time)
{
	int32_t whole[ROWS];
	uint64_t seed = 3;

	draw(&seed, 0, 1);
	forget();
	find(ROWS, 5, 0, POINTS);
	memcpy(whole, t.which, sizeof(whole));
	forget();
	for (size_t k = 0; k < POINTS; k += 60)
		find(ROWS, 5, k, 60);
	check(ROWS, 5, POINTS);
	cr_assert(!memcmp(whole, t.which, sizeof(whole)));
}

/* The first of several at the same place, and what is as near stays. */
LEVEL_TEST(nearest, takes_the_first)
{
	uint64_t seed = 4;

	draw(&seed, 0, 1);
	for (int k = 0; k < POINTS; k++)
		memcpy(t.points[k], t.points[k % 11], sizeof(t.points[k]));
	for (size_t cols = 1; cols <= COLS; cols += 13) {
		forget();
		find(ROWS, cols, 0, POINTS);
		for (int i = 0; i < ROWS; i++)
			cr_assert(t.which[i] < 11);
		find(ROWS, cols, 11, POINTS - 11);
		for (int i = 0; i < ROWS; i++)
			cr_assert(t.which[i] < 11);
	}
	/* a row that is a point */
	memcpy(t.x[3], t.points[7], sizeof(t.points[7]));
	forget();
	find(ROWS, COLS, 0, POINTS);
	cr_assert(t.which[3] == 7 && t.square[3] == 0);
}
