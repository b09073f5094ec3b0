/* SPDX-License-Identifier: BSD-3-Clause */
/* psp: whom a worker asks. */
#include <criterion/criterion.h>

#include "runtime/sample.h"

enum { N = 12, ME = 5, ROUNDS = 20000 };

Test(sample, is_a_set_of_others)
{
	for (int64_t round = 0; round < 200; round++) {
		for (int32_t k = 0; k <= N + 1; k++) {
			int who[N], n = lgn_sample_draw(7, ME, round, N, k, who);
			unsigned seen = 1u << ME;

			cr_assert_eq(n, k < N - 1 ? k : N - 1);
			for (int i = 0; i < n; i++) {
				cr_assert(who[i] >= 0 && who[i] < N);
				cr_assert_not(seen >> who[i] & 1, "twice, or itself");
				seen |= 1u << who[i];
			}
		}
	}
}

/* The first k of one order: a larger sample holds the smaller. */
Test(sample, grows_with_k)
{
	for (int64_t round = 0; round < 200; round++) {
		for (int32_t k = 0; k + 1 < N - 1; k++) {
			int small[N], large[N];

			lgn_sample_draw(7, ME, round, N, k, small);
			lgn_sample_draw(7, ME, round, N, k + 1, large);
			for (int i = 0; i < k; i++)
				cr_assert_eq(small[i], large[i]);
		}
	}
}

static int differ(uint32_t seed, int worker, int64_t round)
{
	int one[N], two[N], n = 0;

	for (int64_t r = 0; r < 100; r++) {
		lgn_sample_draw(1, ME, r, N, 1, one);
		lgn_sample_draw(seed, worker, r + round, N, 1, two);
		n += one[0] != two[0];
	}
	return n;
}

Test(sample, depends_on_seed_worker_and_round)
{
	cr_assert_eq(differ(1, ME, 0), 0);
	cr_assert_gt(differ(2, ME, 0), 50);
	cr_assert_gt(differ(1, ME + 1, 0), 50);
	cr_assert_gt(differ(1, ME, 1), 50);
}

/* Over many rounds everybody is asked equally often, and m of N - 1 are all
 * missed as often as C(N-1-m, k) / C(N-1, k) says: within 5 deviations. */
Test(sample, is_fair)
{
	int count[N] = { 0 }, missed = 0;
	double mean = ROUNDS * 3.0 / (N - 1), p, deviation;

	for (int64_t round = 0; round < ROUNDS; round++) {
		int who[N];
		unsigned asked = 0;

		lgn_sample_draw(99, ME, round, N, 3, who);
		for (int i = 0; i < 3; i++) {
			count[who[i]]++;
			asked |= 1u << who[i];
		}
		missed += !(asked & 3);		/* 0 and 1 */
	}
	for (int j = 0; j < N; j++)
		if (j != ME)
			cr_assert(count[j] > mean - 5 * 63 && count[j] < mean + 5 * 63,
				  "worker %d was asked %d times of %g", j,
				  count[j], mean);
	p = 9.0 * 8 * 7 / (11.0 * 10 * 9);	/* C(9,3) / C(11,3) */
	deviation = 71;				/* sqrt(ROUNDS p (1 - p)) */
	cr_assert(missed > ROUNDS * p - 5 * deviation &&
		  missed < ROUNDS * p + 5 * deviation,
		  "two laggards were missed %d times of %g", missed, ROUNDS * p);
}
