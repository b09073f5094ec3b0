/* launch: -n 1 -- --workers 8 */
/* launch: -n 4 --nodes 2 -- --workers 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eight workers, and in each round one of them, chosen by the seed, takes
 * five times as long: a timed wait, not CPU. What models make of it is
 * printed beside bsp. What must hold is about ages, not time: ssp(4) and
 * essp(4) show none above 4, asp does.
 */
#include <stdio.h>
#include <time.h>

#include "test/support/test.h"

enum { WORKERS = 8, ROUNDS = 60, ROUND_US = 2000, SLOWER = 5, BOUND = 4 };

static const struct {
	const char *name;
	int model;
	int32_t sample;
	bool bounded;
} cases[] = {
	{ "bsp", LAGOON_BSP, 0, true },
	{ "ssp(4)", LAGOON_SSP, 0, true },
	{ "essp(4)", LAGOON_ESSP, 0, true },
	{ "psp(2, 4)", LAGOON_PSP, 2, false },
	{ "vap(10)", LAGOON_VAP, 0, false },
	{ "asp", LAGOON_ASP, 0, false },
};

struct shared {
	_Atomic uint64_t ages[T_COUNT(cases)][LAGOON_AGES];
	_Atomic uint64_t end_ns[T_COUNT(cases)];
};

static struct lagoon_table *table;

static int work(struct lagoon_worker *w, void *arg)
{
	int me = lagoon_worker_id(w);
	double x, one = 1;

	(void)arg;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		bool slow = (int)(t_mix(t_seed(), round) % WORKERS) == me;
		long us = ROUND_US * (slow ? SLOWER : 1);
		struct timespec wait = { 0, us * 1000 };

		t_ok(lagoon_pull(w, table, 0, 1, &x), "pull");
		nanosleep(&wait, NULL);
		t_ok(lagoon_add(w, table, (uint64_t)me, 1, &one), "add");
		t_ok(lagoon_clock(w), "clock");
	}
	return 0;
}

static void add_ages(size_t i)
{
	struct shared *shared = t_shared;
	struct lagoon_stats st = { .size = sizeof(st) };

	t_ok(lagoon_table_stats(table, &st), "stats");
	for (int age = 0; age < LAGOON_AGES; age++)
		atomic_fetch_add(&shared->ages[i][age], st.ages[age]);
}

static void run_case(size_t i)
{
	struct shared *shared = t_shared;
	struct lagoon_table_attr attr;
	uint64_t start, ns;

	lagoon_table_attr_init(&attr);
	attr.rows = WORKERS;
	attr.model = cases[i].model;
	attr.staleness = BOUND;
	attr.sample = cases[i].sample;
	attr.change = 10;
	t_ok(lagoon_table_create(t_lg, "rounds", &attr, &table), "create");
	t_sync();
	start = t_now_ns();
	t_ok(lagoon_run(t_lg, work, NULL), "run");
	add_ages(i);
	t_sync();
	ns = t_now_ns() - start;
	if (lagoon_rank(t_lg) == 0)
		atomic_store(&shared->end_ns[i], ns);
	t_ok(lagoon_table_destroy(table), "destroy");
}

static void judge(size_t i)
{
	const struct shared *shared = t_shared;
	uint64_t old = 0, all = 0;

	for (int age = 0; age < LAGOON_AGES; age++) {
		all += shared->ages[i][age];
		old += age > BOUND ? shared->ages[i][age] : 0;
	}
	printf("%-10s %6.1f ms, %.2f of bsp, %llu of %llu pulls older than %d\n",
	       cases[i].name, (double)shared->end_ns[i] * 1e-6,
	       (double)shared->end_ns[i] / (double)shared->end_ns[0],
	       (unsigned long long)old, (unsigned long long)all, BOUND);
	T_CHECK(all == WORKERS * ROUNDS, "%s: %llu pulls", cases[i].name,
		(unsigned long long)all);
	T_CHECK(!cases[i].bounded || !old, "%s: %llu pulls older than %d",
		cases[i].name, (unsigned long long)old, BOUND);
	T_CHECK(cases[i].model != LAGOON_ASP || old,
		"asp: no pull is older than %d", BOUND);
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("straggler", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2)
		attr.workers = t_workers(argv[2]);
	t_open(&attr, NULL);
	T_CHECK(lagoon_workers(t_lg) == WORKERS, "needs %d workers", WORKERS);
	t_seed();	/* by the main thread */
	for (size_t i = 0; i < T_COUNT(cases); i++)
		run_case(i);
	t_sync();
	for (size_t i = 0; i < T_COUNT(cases) && lagoon_rank(t_lg) == 0; i++)
		judge(i);
	t_close();
	return 0;
}
