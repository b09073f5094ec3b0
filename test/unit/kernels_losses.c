/* SPDX-License-Identifier: BSD-3-Clause */
/* Losses against their formulas in long double, and slopes against central
 * differences: nobody's formula. */
#include "test/unit/kernels.h"

#include <float.h>
#include <math.h>

#include "kernels/lagoon_kernels.h"

TestSuite(losses, .timeout = 60);

enum { MOST = 600, KINDS = 4 };

static long double plain_loss(int loss, long double z, long double y)
{
	long double m = y * z, t = 1 - m;

	switch (loss) {
	case LAGOON_LOSS_LOGISTIC:
		return log1pl(expl(-fabsl(m))) + (m < 0 ? -m : 0);
	case LAGOON_LOSS_HINGE:
		return t > 0 ? t : 0;
	case LAGOON_LOSS_SQUARED_HINGE:
		return t > 0 ? t * t : 0;
	default:
		return (z - y) * (z - y) / 2;
	}
}

static long double plain_slope(int loss, long double z, long double y)
{
	long double m = y * z, t = 1 - m;

	switch (loss) {
	case LAGOON_LOSS_LOGISTIC:
		return m > 0 ? -y * expl(-m) / (1 + expl(-m)) :
			-y / (1 + expl(m));
	case LAGOON_LOSS_HINGE:
		return t > 0 ? -y : 0;
	case LAGOON_LOSS_SQUARED_HINGE:
		return t > 0 ? -2 * y * t : 0;
	default:
		return z - y;
	}
}

/* Relative, down to the subnormal numbers. */
static void near(double got, long double want, double units, int type,
		 const char *what)
{
	long double eps = type == 4 ? (long double)FLT_EPSILON :
		(long double)DBL_EPSILON;
	long double tiny = type == 4 ? 1e-44L : 1e-323L;

	cr_assert(fabsl(got - want) <= units * eps * fabsl(want) + tiny,
		  "%s: %.17g, expected %.17Lg", what, got, want);
}

static void check(int loss, size_t n, const double *z, const double *y)
{
	static double value[MOST + 1], slope[MOST + 1];
	static float zf[MOST], yf[MOST], valuef[MOST + 1], slopef[MOST + 1];
	long double sum = 0, sumf = 0;
	double got, only, gotf;

	for (size_t i = 0; i < n; i++) {
		zf[i] = (float)z[i];
		yf[i] = (float)y[i];
	}
	value[n] = slope[n] = valuef[n] = slopef[n] = 42;
	got = lagoon_loss_measure(loss, n, z, y, value, slope);
	only = lagoon_loss_measure(loss, n, z, y, NULL, NULL);
	gotf = lagoon_loss_measure_f32(loss, n, zf, yf, valuef, slopef);
	for (size_t i = 0; i < n; i++) {
		near(value[i], plain_loss(loss, z[i], y[i]), 3, 8, "value");
		near(slope[i], plain_slope(loss, z[i], y[i]), 3, 8, "slope");
		near((double)valuef[i], plain_loss(loss, zf[i], yf[i]), 1, 4,
		     "value f32");
		near((double)slopef[i], plain_slope(loss, zf[i], yf[i]), 1, 4,
		     "slope f32");
		sum += plain_loss(loss, z[i], y[i]);
		sumf += plain_loss(loss, zf[i], yf[i]);
	}
	near(got, sum, 100, 8, "sum");
	near(gotf, sumf, 100, 8, "sum f32");
	cr_assert_eq(got, only);
	cr_assert(value[n] == 42 && slope[n] == 42);
	cr_assert(valuef[n] == 42 && slopef[n] == 42);
	/* again each alone */
	cr_assert_eq(lagoon_loss_measure(loss, n, z, y, NULL, slope), got);
	cr_assert_eq(lagoon_loss_measure(loss, n, z, y, value, NULL), got);
}

LEVEL_TEST(losses, equal_the_formulas)
{
	static const size_t size[] = { 0, 1, 2, 3, 7, 8, 9, 255, 256, 257, MOST };
	static double z[MOST + 8], y[MOST + 8];

	for (int loss = 0; loss < KINDS; loss++)
		for (size_t k = 0; k < 11; k++) {
			uint64_t seed = k;
			size_t off = k % 5;

			for (size_t i = 0; i < MOST + 8; i++) {
				z[i] = (40 * uniform(&seed) - 20) *
					uniform(&seed);
				y[i] = below(&seed, 2) ? 1 : -1;
			}
			check(loss, size[k], z + off, y + off);
		}
}

/* 0, the kinks, and what would overflow exp(). */
LEVEL_TEST(losses, hold_at_the_ends)
{
	static const double end[] = {
		0, -0.0, 1, -1, 1e-300, 0x1p-30, 0.8813735870195430, 17, 36.7,
		37, 88, 100, 700, 708.4, 709.8, 740, 745, 746, 800, 1e10,
	};
	const double y[] = { 1, -1 };
	double value, slope, z = 1e308;

	for (int loss = 0; loss < KINDS; loss++)
		for (size_t k = 0; k < sizeof(end) / sizeof(*end); k++)
			for (int s = 0; s < 2; s++)
				check(loss, 1, &end[k], &y[s]);
	lagoon_loss_measure(LAGOON_LOSS_LOGISTIC, 1, &z, y, &value, &slope);
	cr_assert(value == 0 && slope == 0);
	lagoon_loss_measure(LAGOON_LOSS_LOGISTIC, 1, &z, y + 1, &value, &slope);
	cr_assert(value == 1e308 && slope == 1);
	z = NAN;
	for (int loss = 0; loss < KINDS; loss++)
		cr_assert(isnan(lagoon_loss_measure(loss, 1, &z, y, NULL, NULL)) ||
			  loss == LAGOON_LOSS_HINGE);
}

LEVEL_TEST(losses, slopes_are_derivatives)
{
	const double h = 1e-5;
	uint64_t seed = 1;

	for (int loss = 0; loss < KINDS; loss++)
		for (int i = 0; i < 200; i++) {
			double z = 6 * uniform(&seed) - 3, slope;
			double y = below(&seed, 2) ? 1 : -1;
			double up = z + h, down = z - h, rise;

			if (fabs(1 - y * z) < 2 * h)
				continue;	/* no derivative there */
			lagoon_loss_measure(loss, 1, &z, &y, NULL, &slope);
			rise = lagoon_loss_measure(loss, 1, &up, &y, NULL, NULL) -
				lagoon_loss_measure(loss, 1, &down, &y, NULL, NULL);
			cr_assert(fabs(rise / (2 * h) - slope) < 1e-8,
				  "loss %d at %g", loss, y * z);
		}
}

/* ------------------------------------------------------------- softmax */

static void check_softmax(size_t n, size_t classes, double width, int first,
			  uint64_t *seed)
{
	static double z[4 * MOST], value[4 * MOST], slope[4 * MOST + 1];
	static float zf[4 * MOST], valuef[4 * MOST], slopef[4 * MOST + 1];
	static int32_t label[4 * MOST];
	long double total = 0;
	double got, gotf;

	for (size_t k = 0; k < n * classes; k++)
		z[k] = zf[k] = (float)(width * (2 * uniform(seed) - 1));
	for (size_t i = 0; i < n; i++)
		label[i] = first + (int32_t)below(seed, classes);
	slope[n * classes] = slopef[n * classes] = 42;
	got = lagoon_softmax_measure(n, classes, z, label, first, value, slope);
	gotf = lagoon_softmax_measure_f32(n, classes, zf, label, first, valuef,
					  slopef);
	for (size_t i = 0; i < n; i++) {
		const double *row = z + i * classes;
		size_t own = (size_t)(label[i] - first), best = 0;
		long double others = 0, loss;

		for (size_t c = 0; c < classes; c++)
			best = row[c] > row[best] ? c : best;
		for (size_t c = 0; c < classes; c++)
			others += c == best ? 0 : expl((long double)row[c] - row[best]);
		loss = log1pl(others) + ((long double)row[best] - row[own]);
		total += loss;
		near(value[i], loss, 50, 8, "value");
		near((double)valuef[i], loss, 1, 4, "value f32");
		for (size_t c = 0; c < classes; c++) {
			long double p = expl((long double)row[c] - row[best]) /
				(1 + others), want = p - (c == own);

			if (c == own && c == best)
				want = -others / (1 + others);
			near(slope[i * classes + c], want, 50, 8, "slope");
			near((double)slopef[i * classes + c], want, 1, 4,
			     "slope f32");
		}
	}
	near(got, total, 100, 8, "sum");
	near(gotf, total, 100, 8, "sum f32");
	cr_assert_eq(lagoon_softmax_measure(n, classes, z, label, first, NULL,
					    NULL), got);
	cr_assert(slope[n * classes] == 42 && slopef[n * classes] == 42);
}

LEVEL_TEST(losses, softmax_equals_the_formula)
{
	static const size_t classes[] = { 1, 2, 3, 7, 64, 255, 256, 257, MOST };
	static const size_t rows[] = { 0, 1, 2, 4 };
	uint64_t seed = 9;

	for (size_t c = 0; c < 9; c++)
		for (size_t r = 0; r < 4; r++)
			for (int w = 0; w < 3; w++)
				check_softmax(rows[r], classes[c],
					      (double[]){ 1, 40, 1000 }[w],
					      w % 2, &seed);
	check_softmax(700, 3, 5, 1, &seed);	/* more than one piece */
}
