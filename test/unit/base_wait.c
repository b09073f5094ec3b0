/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting: quick at first, then the core is given away. */
#include <criterion/criterion.h>
#include <time.h>

#include "runtime/base/wait.h"

#define MS 1000000u

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

Test(wait, time_goes_forward)
{
	struct timespec nap = { 0, 2 * MS };
	uint64_t last = lgn_now_ns();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = lgn_now_ns();

		cr_assert_geq(now, last);
		last = now;
	}
	nanosleep(&nap, NULL);
	cr_assert_geq(lgn_now_ns() - last, 2 * MS);
}

Test(wait, nothing_waited_before_the_first_step)
{
	struct lgn_wait wait = LGN_WAIT_INIT;

	cr_assert_eq(lgn_waited_ns(&wait), 0);
}

/* What is ready soon costs no look at the clock and no sleep. */
Test(wait, the_first_steps_are_short)
{
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < 20; round++) {
		struct lgn_wait wait = LGN_WAIT_INIT;
		uint64_t start = lgn_now_ns(), took;

		for (int i = 0; i < 32; i++)
			lgn_wait_step(&wait);
		cr_assert_eq(wait.start_ns, 0, "the clock was read");
		took = lgn_now_ns() - start;
		best = took < best ? took : best;
	}
	cr_assert_lt(best, MS);
}

Test(wait, the_time_waited_is_told)
{
	struct lgn_wait wait = LGN_WAIT_INIT;
	uint64_t start = lgn_now_ns();

	while (lgn_now_ns() - start < 50 * MS)
		lgn_wait_step(&wait);
	cr_assert_geq(lgn_waited_ns(&wait), 25 * MS);
	cr_assert_leq(lgn_waited_ns(&wait), lgn_now_ns() - start);
}

/* The steps after a long wait are naps of 10 ms, and no longer. */
Test(wait, naps_grow_and_stay_bounded)
{
	struct lgn_wait wait = LGN_WAIT_INIT;
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 1000; i++)
		lgn_wait_step(&wait);
	wait.start_ns = lgn_now_ns() - (uint64_t)3600 * 1000 * MS;
	for (int i = 0; i < 10; i++) {
		uint64_t start = lgn_now_ns(), took;

		lgn_wait_step(&wait);
		took = lgn_now_ns() - start;
		cr_assert_geq(took, 5 * MS, "no nap after an hour");
		best = took < best ? took : best;
	}
	cr_assert_leq(best, 20 * MS, "the shortest nap took %llu ns",
		      (unsigned long long)best);
}

/* Of this thread: a sanitizer has threads of its own. */
Test(wait, an_idle_thread_leaves_the_core)
{
	struct lgn_wait wait = LGN_WAIT_INIT;
	uint64_t cpu, start;

	for (int i = 0; i < 1000; i++)
		lgn_wait_step(&wait);
	wait.start_ns = lgn_now_ns() - (uint64_t)60 * 1000 * MS;
	start = lgn_now_ns();
	cpu = cpu_ns();
	while (lgn_now_ns() - start < 1000 * MS)
		lgn_wait_step(&wait);
	cr_assert_lt(cpu_ns() - cpu, 10 * MS, "more than 1 %% of a core");
}
