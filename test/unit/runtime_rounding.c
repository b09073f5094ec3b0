/* SPDX-License-Identifier: BSD-3-Clause */
/* Many numbers rounded at once (vectors) are rounded as one by one (not),
 * whatever their number and where they begin; and stop at the same one. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/lagoon.h"
#include "runtime/number.h"

static const struct lgn_rounding rounding = {
	.seed = 77, .worker = 3, .round = 5, .call = 0xfffffff0u,
};

static double input(size_t i)
{
	static const double odd[] = { 0, -0.0, 1, -1, 0x1p-33, -0x1p-33, 1e-300,
				      0x1p20 + 0x1p-33, -0x1p20 - 0x1p-32,
				      0x1p29 + 0.5, -12345.678 };

	if (i % 3 == 0)
		return odd[i / 3 % (sizeof(odd) / sizeof(odd[0]))];
	return sin((double)i) * pow(10, (int)(i % 12) - 8);
}

static void one_by_one(const struct lgn_number *nb, const double *in, size_t n,
		       uint64_t first, bool list, int64_t *lanes)
{
	struct lgn_drawn drawn = { 0 };
	int why;

	for (size_t i = 0; i < n; i++) {
		struct lgn_rounding r = rounding;

		r.call += list ? (uint32_t)i : 0;
		r.drawn = i % 7 ? &drawn : NULL;
		cr_assert((list ? lgn_rounding_list(nb, &in[i], 1, &r, &lanes[i], &why) :
			   lgn_rounding_range(nb, &in[i], 1, first + i, &r,
					      &lanes[i], &why)) == 1);
		/* Within a unit, too. */
		cr_assert(fabs((double)lanes[i] - in[i] * nb->scale) < 1 ||
			  fabs(in[i] * nb->scale) > 0x1p52);
	}
}

Test(rounding, many_as_one_by_one)
{
	double in[LGN_CHUNK];
	int64_t want[LGN_CHUNK], got[LGN_CHUNK];
	struct lgn_number nb;
	int why;

	lgn_number_init(&nb, LAGOON_Q64, LAGOON_F64, 32);
	for (size_t n = 1; n <= LGN_CHUNK; n += n < 40 ? 1 : 27) {
		uint64_t first = n % 7 + (n % 2) * 0x3fffffffcull;

		for (size_t i = 0; i < n; i++)
			in[i] = input(i + n);
		one_by_one(&nb, in, n, first, false, want);
		cr_assert(lgn_rounding_range(&nb, in, n, first, &rounding, got,
					     &why) == n);
		cr_assert(!memcmp(got, want, n * sizeof(*got)), "range of %zu", n);
		one_by_one(&nb, in, n, 0, true, want);
		cr_assert(lgn_rounding_list(&nb, in, n, &rounding, got,
					    &why) == n);
		cr_assert(!memcmp(got, want, n * sizeof(*got)), "list of %zu", n);
	}
}

/* Calls that follow each other, and the elements of one, have bits of their
 * own: of 4096 halves about as many go up as down, in any order. */
Test(rounding, calls_have_bits_of_their_own)
{
	struct lgn_rounding r = rounding;
	double in[64];
	int64_t first[64], lanes[64];
	struct lgn_number nb;
	int why, same = 0, up = 0;

	lgn_number_init(&nb, LAGOON_Q64, LAGOON_F64, 0);
	for (size_t i = 0; i < 64; i++)
		in[i] = 0.5;
	cr_assert(lgn_rounding_list(&nb, in, 64, &r, first, &why) == 64);
	for (int k = 0; k < 64; k++) {
		r.call += k % 2 ? 1 : 64;
		cr_assert(lgn_rounding_list(&nb, in, 64, &r, lanes, &why) == 64);
		same += !memcmp(lanes, first, sizeof(first));
		for (int i = 0; i < 64; i++)
			up += lanes[i] == 1;
	}
	cr_assert(same == 0);
	/* 8 deviations of a sum of 4096 coins. */
	cr_assert(abs(up - 2048) < 256, "%d", up);
}

Test(rounding, stops_at_the_first_bad_one)
{
	const double bad[] = { NAN, INFINITY, -INFINITY, 0x1p31, -0x1p31 };
	double in[64];
	int64_t lanes[64];
	struct lgn_number nb;

	lgn_number_init(&nb, LAGOON_Q64, LAGOON_F64, 32);
	for (size_t at = 0; at < 64; at++) {
		for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
			int expect = k < 3 ? LAGOON_EINVAL : LAGOON_ERANGE;
			int why = 0;

			for (size_t i = 0; i < 64; i++)
				in[i] = i < at ? input(i) : i > at ? NAN : bad[k];
			cr_assert(lgn_rounding_list(&nb, in, 64, &rounding,
						    lanes, &why) == at);
			cr_assert(why == expect, "%g: %d", bad[k], why);
			cr_assert(lgn_rounding_range(&nb, in, 64, 1, &rounding,
						     lanes, &why) == at);
			cr_assert(why == expect, "%g: %d", bad[k], why);
		}
	}
}
