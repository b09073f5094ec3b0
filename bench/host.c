/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine: clocks, processors, the time of a cache line between two. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/commit.h"

double bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

uint64_t bench_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
#endif
}

double bench_tick_s(void)
{
	static double tick;

	if (tick <= 0) {
		double from = bench_now(), to;
		uint64_t t0 = bench_ticks();

		do
			to = bench_now();
		while (to - from < 0.02);
		tick = (to - from) / (double)(bench_ticks() - t0);
	}
	return tick;
}

double bench_timer_s(void)
{
	enum { READS = 1000 };
	uint64_t best = UINT64_MAX;

	for (int r = 0; r < 9; r++) {
		uint64_t from = bench_ticks();

		for (int i = 1; i < READS; i++)
			bench_ticks();
		best = bench_ticks() - from < best ? bench_ticks() - from : best;
	}
	return (double)best * bench_tick_s() / READS;
}

int bench_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(getpid(), sizeof(set), &set) ? 1 : CPU_COUNT(&set);
}

/* The i-th processor of the process's set, or -1. */
static int cpu_number(int i)
{
	cpu_set_t set;

	if (sched_getaffinity(getpid(), sizeof(set), &set))
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && !i--)
			return cpu;
	return -1;
}

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

enum { WAIT, GO, GIVE_UP };

struct thread {
	pthread_t id;
	void (*fn)(void *arg, int i);
	void *arg;
	_Atomic int *gate;	/* nobody runs before all are there */
	int i, cpu;
	double seconds;
};

static double threads_s;	/* of the one thread that measures */

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	pin(t->cpu);
	while (atomic_load(t->gate) == WAIT)
		sched_yield();
	t->seconds = bench_now();
	if (atomic_load(t->gate) == GO)
		t->fn(t->arg, t->i);
	t->seconds = bench_now() - t->seconds;
	return NULL;
}

int bench_threads(int n, void (*fn)(void *arg, int i), void *arg)
{
	struct thread *t = calloc((size_t)n, sizeof(*t));
	bool room = n <= bench_cpus();
	_Atomic int gate = WAIT;
	double slowest = 0;
	int started = 0;

	if (!t)
		return bench_fail(LAGOON_ENOMEM, "no memory for %d threads", n);
	for (; started < n; started++) {
		t[started] = (struct thread){ .fn = fn, .arg = arg, .i = started,
			.gate = &gate, .cpu = room ? cpu_number(started) : -1 };
		if (pthread_create(&t[started].id, NULL, thread_main, &t[started]))
			break;
	}
	atomic_store(&gate, started == n ? GO : GIVE_UP);
	for (int i = 0; i < started; i++) {
		pthread_join(t[i].id, NULL);
		slowest = t[i].seconds > slowest ? t[i].seconds : slowest;
	}
	threads_s += slowest;
	free(t);
	return started == n ? 0 :
		bench_fail(LAGOON_ENOMEM, "only %d of %d threads could start",
			   started, n);
}

double bench_threads_s(void)
{
	double s = threads_s;

	threads_s = 0;
	return s;
}

/* ----------------------------------------------------------- ping-pong */

enum { TURNS = 2000, ROUNDS = 7 };

struct table_tennis {
	_Alignas(64) _Atomic int ball;
	_Alignas(64) double ns[ROUNDS];
};

static void hit(struct table_tennis *t, int from)
{
	uint32_t spins = 0;

	while (atomic_load_explicit(&t->ball, memory_order_acquire) != from)
		if (++spins % 4096 == 0)
			sched_yield();
	atomic_store_explicit(&t->ball, from + 1, memory_order_release);
}

static void play(void *arg, int side)
{
	struct table_tennis *t = arg;

	for (int r = 0; r < ROUNDS; r++) {
		double from = bench_now();

		for (int i = 0; i < TURNS; i++)
			hit(t, 2 * (r * TURNS + i) + side);
		if (!side)
			t->ns[r] = (bench_now() - from) * 1e9 / TURNS;
	}
}

/* The best of some short games: others on these processors only disturb. */
double bench_ping_pong_ns(void)
{
	struct table_tennis t = { .ball = 0 };
	double best;

	if (bench_cpus() < 2 || bench_threads(2, play, &t))
		return 0;
	best = t.ns[0];
	for (int r = 1; r < ROUNDS; r++)
		best = t.ns[r] < best ? t.ns[r] : best;
	return best;
}

const char *bench_commit(void)
{
	return LGN_BENCH_COMMIT;
}

void bench_cpu_name(char *text, size_t len)
{
	FILE *in = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(text, len, "unknown");
	while (in && fgets(line, sizeof(line), in)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !colon)
			continue;
		colon[strcspn(colon, "\n")] = 0;
		snprintf(text, len, "%s", colon + 2);
		break;
	}
	if (in)
		fclose(in);
}
