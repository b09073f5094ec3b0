/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <time.h>

#include "runtime/base/wait.h"

enum {
	SPINS = 64,			/* pause instructions, about 2 us */
	YIELDS = 256,			/* then gifts of the core */
	SLEEP_MIN_NS = 20000,
	SLEEP_MAX_NS = 10000000,
	SLEEP_SHARE = 16,		/* a sleep is 1/16 of the time waited */
};

uint64_t lgn_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield");
#endif
}

static void sleep_ns(uint64_t ns)
{
	struct timespec ts = { .tv_sec = 0, .tv_nsec = (long)ns };

	nanosleep(&ts, 0);
}

void lgn_wait_step(struct lgn_wait *wait)
{
	uint64_t nap;

	wait->steps++;
	if (wait->steps < SPINS) {
		pause_cpu();
		return;
	}
	if (!wait->start_ns)
		wait->start_ns = lgn_now_ns();
	if (wait->steps < SPINS + YIELDS) {
		sched_yield();
		return;
	}
	nap = lgn_waited_ns(wait) / SLEEP_SHARE;
	if (nap < SLEEP_MIN_NS)
		nap = SLEEP_MIN_NS;
	if (nap > SLEEP_MAX_NS)
		nap = SLEEP_MAX_NS;
	sleep_ns(nap);
}

uint64_t lgn_waited_ns(const struct lgn_wait *wait)
{
	return wait->start_ns ? lgn_now_ns() - wait->start_ns : 0;
}
