/* SPDX-License-Identifier: BSD-3-Clause */
/* Proximal maps against their definition, and fixed point against floor(). */
#include "test/unit/kernels.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "kernels/lagoon_kernels.h"

TestSuite(maps, .timeout = 60);

enum { MOST = 1100, OFF = 3 };

static const size_t size[] = { 0, 1, 2, 3, 7, 8, 9, 31, 511, 512, 513, MOST };
enum { SIZES = sizeof(size) / sizeof(*size) };

static double plain_shrink(double x, double t)
{
	return x > t ? x - t : x < -t ? x + t : 0;
}

enum map { L1, L2, ELASTIC, GROUP, STEP, MAPS };

static double norm_of(size_t n, const double *x)
{
	long double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (long double)x[i] * x[i];
	return (double)sqrtl(sum);
}

/* What becomes of x[i]. */
static double plain_map(enum map map, double t, double u, double norm,
			double x, double slope)
{
	switch (map) {
	case L1:
		return plain_shrink(x, t);
	case L2:
		return x / (1 + t);
	case ELASTIC:
		return plain_shrink(x, t) / (1 + u);
	case GROUP:
		return norm > t ? x * (1 - t / norm) : 0;
	default:
		return plain_shrink(x - 0.5 * slope, 0.5 * t) / (1 + 0.5 * u);
	}
}

static void map_f64(enum map map, size_t n, double t, double u, double *x,
		    const double *slope)
{
	switch (map) {
	case L1:
		lagoon_prox_l1(n, t, x);
		break;
	case L2:
		lagoon_prox_l2(n, t, x);
		break;
	case ELASTIC:
		lagoon_prox_elastic(n, t, u, x);
		break;
	case GROUP:
		lagoon_prox_group(n, t, x);
		break;
	default:
		lagoon_prox_step(n, 0.5, t, u, slope, x);
		break;
	}
}

static void map_f32(enum map map, size_t n, double t, double u, float *x,
		    const float *slope)
{
	switch (map) {
	case L1:
		lagoon_prox_l1_f32(n, t, x);
		break;
	case L2:
		lagoon_prox_l2_f32(n, t, x);
		break;
	case ELASTIC:
		lagoon_prox_elastic_f32(n, t, u, x);
		break;
	case GROUP:
		lagoon_prox_group_f32(n, t, x);
		break;
	default:
		lagoon_prox_step_f32(n, 0.5, t, u, slope, x);
		break;
	}
}

static void near(double got, double want, double eps, int map)
{
	cr_assert(fabs(got - want) <= 8 * eps * (1 + fabs(want)),
		  "map %d: %.17g, expected %.17g", map, got, want);
}

static void check_map(enum map map, size_t n, double t, double u,
		      uint64_t *seed)
{
	static double x[MOST + OFF + 1], was[MOST + OFF + 1], slope[MOST + OFF + 1];
	static float xf[MOST + OFF + 1], slopef[MOST + OFF + 1];
	size_t off = n % OFF;
	double norm;

	for (size_t i = 0; i < MOST + OFF + 1; i++) {
		was[i] = x[i] = xf[i] = (float)(4 * uniform(seed) - 2);
		slope[i] = slopef[i] = (float)(2 * uniform(seed) - 1);
		if (!below(seed, 10))
			was[i] = x[i] = xf[i] = t * (below(seed, 2) ? 1 : -1);
	}
	norm = norm_of(n, was + off);
	map_f64(map, n, t, u, x + off, slope + off);
	map_f32(map, n, t, u, xf + off, slopef + off);
	for (size_t i = 0; i < MOST + OFF + 1; i++) {
		double want = i < off || i >= off + n ? was[i] :
			plain_map(map, t, u, norm, was[i], slope[i]);

		near(x[i], want, DBL_EPSILON, map);
		near((double)xf[i], want, (double)FLT_EPSILON, map);
	}
}

LEVEL_TEST(maps, equal_the_plain_forms)
{
	static const double t[] = { 0, 0.25, 1, 30, 1000 };
	uint64_t seed = 1;

	for (enum map map = 0; map < MAPS; map++)
		for (size_t k = 0; k < SIZES; k++)
			for (int i = 0; i < 5; i++)
				check_map(map, size[k], t[i], 0.5 * i, &seed);
}

/* The map is where the sum is smallest: no point beside it is better. */
LEVEL_TEST(maps, are_smallest)
{
	uint64_t seed = 2;

	for (int round = 0; round < 500; round++) {
		double x = 4 * uniform(&seed) - 2, u = x;
		double l1 = uniform(&seed), l2 = uniform(&seed), at;

		lagoon_prox_elastic(1, l1, l2, &u);
		at = (u - x) * (u - x) / 2 + l1 * fabs(u) + l2 * u * u / 2;
		for (double v = -2; v <= 2; v += 0.01)
			cr_assert(at <= (v - x) * (v - x) / 2 + l1 * fabs(v) +
				  l2 * v * v / 2 + 1e-14);
	}
}

LEVEL_TEST(maps, keep_what_is_not_a_number_and_large)
{
	double x[] = { NAN, INFINITY, 1e308, 1e-308 }, y[] = { 3e200, 4e200 };

	lagoon_prox_l1(4, 1e-309, x);
	cr_assert(isnan(x[0]) && isinf(x[1]) && x[2] == 1e308);
	cr_assert(x[3] > 0.8e-308 && x[3] < 1e-308);
	lagoon_prox_group(2, 2.5e200, y);
	cr_assert(fabs(y[0] - 1.5e200) < 1e186 && fabs(y[1] - 2e200) < 1e186);
}

/* --------------------------------------------------------- fixed point */

static int64_t plain_lane(double y, const uint32_t *bits)
{
	double down = floor(y);

	if (!bits)
		return (int64_t)round(y);
	return (int64_t)down + ((y - down) * 0x1p32 > (double)*bits);
}

static void check_quantise(size_t n, int frac_bits, bool random, double width,
			   uint64_t *seed)
{
	static double x[MOST + OFF], back[MOST + OFF];
	static float xf[MOST + OFF], backf[MOST + OFF];
	static uint32_t bits[MOST + OFF];
	static int64_t lanes[MOST + 1], lanesf[MOST + 1];
	const uint32_t *b = random ? bits : NULL;
	size_t off = n % OFF;

	for (size_t i = 0; i < MOST + OFF; i++) {
		xf[i] = (float)ldexp(width * (2 * uniform(seed) - 1), -frac_bits);
		x[i] = ldexp(width * (2 * uniform(seed) - 1), -frac_bits);
		bits[i] = below(seed, 4) ? (uint32_t)next(seed) : 0;
		if (!below(seed, 8))	/* halves and wholes */
			x[i] = xf[i] = (float)ldexp(rint((double)xf[i]) / 2, -frac_bits);
	}
	lanes[n] = lanesf[n] = 42;
	cr_assert_eq(lagoon_fixed_quantise(n, x + off, frac_bits, INT64_C(1) << 62,
					   b ? b + off : NULL, lanes), n);
	cr_assert_eq(lagoon_fixed_quantise_f32(n, xf + off, frac_bits,
					       INT64_C(1) << 62,
					       b ? b + off : NULL, lanesf), n);
	lagoon_fixed_value(n, lanes, frac_bits, back);
	lagoon_fixed_value_f32(n, lanes, frac_bits, backf);
	for (size_t i = 0; i < n; i++) {
		const uint32_t *own = b ? b + off + i : NULL;

		cr_assert_eq(lanes[i], plain_lane(ldexp(x[off + i], frac_bits),
						  own));
		cr_assert_eq(lanesf[i], plain_lane(ldexp((double)xf[off + i],
							 frac_bits), own));
		cr_assert_eq(back[i], ldexp((double)lanes[i], -frac_bits));
		cr_assert_eq(backf[i], (float)ldexp((double)lanes[i], -frac_bits));
	}
	cr_assert(lanes[n] == 42 && lanesf[n] == 42);
}

LEVEL_TEST(maps, quantise_equals_floor)
{
	static const double width[] = { 2, 1000, 0x1p30, 0x1p62 };
	uint64_t seed = 4;

	for (size_t k = 0; k < SIZES; k++)
		for (int w = 0; w < 4; w++)
			for (int random = 0; random < 2; random++) {
				check_quantise(size[k], 0, random, width[w], &seed);
				check_quantise(size[k], 40, random, width[w], &seed);
			}
}

/* The first that has no lane, wherever it stands, and none after it. */
LEVEL_TEST(maps, quantise_stops_at_what_has_no_lane)
{
	const int64_t legal = INT64_C(1) << 30;
	const double bad[] = { NAN, INFINITY, -INFINITY, 1e300, 0x1p30 + 1,
			       -0x1p30 - 0.5 };
	static double x[MOST];
	static float xf[MOST];
	static int64_t lanes[MOST];

	for (size_t i = 0; i < MOST; i++)
		x[i] = xf[i] = i % 2 ? 0x1p30 : -0x1p30;
	cr_assert_eq(lagoon_fixed_quantise(MOST, x, 0, legal, NULL, lanes), MOST);
	for (size_t at = 0; at < MOST; at += 61)
		for (int b = 0; b < 6; b++) {
			double keep = x[at];

			memset(lanes, 0, sizeof(lanes));
			x[at] = bad[b];
			cr_assert_eq(lagoon_fixed_quantise(MOST, x, 0, legal,
							   NULL, lanes), at);
			cr_assert(!lanes[at] && (!at || lanes[at - 1]));
			x[at] = keep;
			if (b == 0) {
				xf[at] = NAN;
				cr_assert_eq(lagoon_fixed_quantise_f32(MOST, xf,
						0, legal, NULL, lanes), at);
				xf[at] = (float)keep;
			}
		}
}

/* With random bits the mean is exact: 0.3 of a unit, many times. */
LEVEL_TEST(maps, rounding_has_the_right_mean)
{
	static double x[MOST];
	static uint32_t bits[MOST];
	static int64_t lanes[MOST];
	uint64_t seed = 6;
	int64_t sum = 0;

	for (size_t i = 0; i < MOST; i++)
		x[i] = -0.3;
	for (int round = 0; round < 900; round++) {
		for (size_t i = 0; i < MOST; i++)
			bits[i] = (uint32_t)next(&seed);
		lagoon_fixed_quantise(MOST, x, 0, 1000, bits, lanes);
		for (size_t i = 0; i < MOST; i++)
			sum += lanes[i];
	}
	/* 6 standard deviations of 990 000 draws: 6 * 456 */
	cr_assert(llabs(sum + 297000) < 2736, "%lld", (long long)sum);
}

LEVEL_TEST(maps, sums_of_words_are_sums_of_lanes)
{
	static int64_t a[MOST], b[MOST], got[MOST + 1];
	static uint64_t words[MOST / 2 + 2], other[MOST / 2 + 2];
	uint64_t seed = 8;

	for (size_t k = 0; k < SIZES; k++) {
		size_t n = size[k];

		for (size_t i = 0; i < n; i++) {
			a[i] = (int32_t)(uint32_t)next(&seed) / 2;
			b[i] = (int32_t)(uint32_t)next(&seed) / 2;
		}
		if (n > 2) {
			a[0] = b[1] = INT32_MIN;
			b[0] = a[1] = 0;
		}
		words[(n + 1) / 2] = 42;
		got[n] = 42;
		lagoon_fixed_pack(n, a, words);
		lagoon_fixed_pack(n, b, other);
		for (size_t i = 0; i < (n + 1) / 2; i++) {
			int64_t high = 2 * i + 1 < n ? a[2 * i + 1] : 0;

			cr_assert_eq(words[i], (uint64_t)(high * 0x100000000 +
							  a[2 * i]));
			words[i] += other[i];
		}
		lagoon_fixed_unpack(n, words, got);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(got[i], a[i] + b[i]);
		cr_assert(words[(n + 1) / 2] == 42 && got[n] == 42);
	}
}
