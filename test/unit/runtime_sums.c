/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums in apply mode stop before the first that is not finite, wherever in a
 * vector it is and wherever the arrays begin; what comes before is exact, what
 * comes after is not touched. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "runtime/apply.h"

enum { MOST = 150 };

static void check_f64(size_t at, size_t n, size_t bad, double value, double delta)
{
	double into[MOST + 8], by[MOST + 8];

	for (size_t i = 0; i < n; i++) {
		into[at + i] = i == bad ? value : (double)i;
		by[at + i] = i == bad ? delta : 0.25;
	}
	cr_assert_eq(lgn_apply_sum(LAGOON_F64, into + at, by + at, n),
		     bad < n ? bad : n, "%zu of %zu, %g + %g", bad, n, value, delta);
	for (size_t i = 0; i < n; i++)
		if (i != bad)
			cr_assert_eq(into[at + i], (double)i + (i < bad ? 0.25 : 0));
	if (bad < n)
		cr_assert(!memcmp(&into[at + bad], &value, sizeof(value)));
}

static void check_f32(size_t at, size_t n, size_t bad, float value, float delta)
{
	float into[MOST + 8], by[MOST + 8];

	for (size_t i = 0; i < n; i++) {
		into[at + i] = i == bad ? value : (float)i;
		by[at + i] = i == bad ? delta : 0.25f;
	}
	cr_assert_eq(lgn_apply_sum(LAGOON_F32, into + at, by + at, n),
		     bad < n ? bad : n, "%zu of %zu, %g + %g", bad, n,
		     (double)value, (double)delta);
	for (size_t i = 0; i < n; i++)
		if (i != bad)
			cr_assert_eq(into[at + i], (float)i + (i < bad ? 0.25f : 0));
	if (bad < n)
		cr_assert(!memcmp(&into[at + bad], &value, sizeof(value)));
}

Test(sums, stop_before_what_is_not_finite)
{
	for (size_t at = 0; at < 8; at++)
		for (size_t n = 1; n <= MOST; n += n < 70 ? 1 : 13)
			for (size_t bad = 0; bad <= n; bad += 1 + bad / 7) {
				check_f64(at, n, bad, 1, NAN);
				check_f64(at, n, bad, 1, -INFINITY);
				check_f64(at, n, bad, DBL_MAX, DBL_MAX);
				check_f32(at, n, bad, 1, NAN);
				check_f32(at, n, bad, 1, INFINITY);
				check_f32(at, n, bad, -FLT_MAX, -FLT_MAX);
			}
}

/* The largest numbers, the smallest and both zeros are finite. */
Test(sums, go_on_over_what_is)
{
	double into[64] = { DBL_MAX, -DBL_MAX, DBL_TRUE_MIN, -0.0 }, by[64] = { 0 };
	float into_f[64] = { FLT_MAX, -FLT_MAX, FLT_TRUE_MIN, -0.0f }, by_f[64] = { 0 };

	cr_assert_eq(lgn_apply_sum(LAGOON_F64, into, by, 64), 64);
	cr_assert_eq(lgn_apply_sum(LAGOON_F32, into_f, by_f, 64), 64);
	cr_assert(into[0] == DBL_MAX && into[1] == -DBL_MAX && into[2] == DBL_TRUE_MIN);
	cr_assert(into_f[0] == FLT_MAX && into_f[2] == FLT_TRUE_MIN);
}
