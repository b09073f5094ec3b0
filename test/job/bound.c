/* launch: -n 1 -- --workers 2 */
/* launch: -n 2 --nodes 1 */
/* launch: -n 2 --nodes 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bound, step by step: a slow worker stands at clock 0 until it is told
 * to go on, a fast one goes as far as the bound lets it and no further. Ages
 * of reads, who was waited for, changing the bound, models without one.
 * Nothing here depends on time.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "test/support/test.h"

enum {
	SLOW = 0, FAST = 1,
	ROWS = 300, ROW = 123,
	TRIES = 2000,		/* of a pull that must not come through */
	ASP_ROUNDS = 100,
};

static const int32_t bounds[] = { 0, 1, 4 };

struct shared {
	_Atomic int go;		/* steps that the slow worker may take */
};

struct step {
	struct lagoon_table *t;
	int model;
	int32_t bound;
	int rank_of_slow;
};

static struct lagoon_stats stats_of(const struct lagoon_table *t)
{
	struct lagoon_stats st = { .size = sizeof(st) };

	t_ok(lagoon_table_stats(t, &st), "stats");
	return st;
}

static int slow(struct lagoon_worker *w, const struct step *step)
{
	struct shared *shared = t_shared;
	double one = 1;

	while (!atomic_load(&shared->go))
		sched_yield();
	t_ok(lagoon_add(w, step->t, ROW, 1, &one), "slow add");
	t_ok(lagoon_clock(w), "slow clock");
	while (atomic_load(&shared->go) < 2)
		sched_yield();
	return 0;
}

/* The pull that began does not come through while the slow one stands. */
static void must_wait(struct lagoon_worker *w, const struct step *step)
{
	struct shared *shared = t_shared;
	struct lagoon_request *req;
	double x = -1;
	int done = 0;

	t_ok(lagoon_pull_start(w, step->t, ROW, 1, &x, &req), "pull_start");
	for (int i = 0; i < TRIES; i++) {
		t_ok(lagoon_test(req, &done), "test");
		T_CHECK(!done, "clock %lld, bound %d: pulled %g though worker %d is at clock 0",
			(long long)lagoon_worker_clock(w), step->bound, x, SLOW);
		if (i % 64 == 0)
			sched_yield();
	}
	atomic_store(&shared->go, 1);
	t_ok(lagoon_wait(req), "wait");
	T_CHECK(x == lagoon_worker_clock(w) + 1,
		"bound %d: the pull that waited shows %g, not %lld", step->bound,
		x, (long long)lagoon_worker_clock(w) + 1);
}

static void ages_check(const struct step *step)
{
	struct lagoon_stats st = stats_of(step->t);

	T_CHECK(st.ages[step->bound] > 0, "bound %d: no pull of age %d",
		step->bound, step->bound);
	for (int age = step->bound + 1; age < LAGOON_AGES; age++)
		T_CHECK(!st.ages[age], "bound %d: %llu pulls of age %d",
			step->bound, (unsigned long long)st.ages[age], age);
	T_CHECK(st.wait_ns > 0, "bound %d: no wait was counted", step->bound);
	T_CHECK(lagoon_waited_for(t_lg, step->rank_of_slow) > 0,
		"bound %d: nobody was waited for", step->bound);
}

static int fast(struct lagoon_worker *w, const struct step *step)
{
	struct shared *shared = t_shared;
	double one = 1, x;

	for (int c = 0; c <= step->bound; c++) {
		t_ok(lagoon_pull(w, step->t, ROW, 1, &x), "pull");
		T_CHECK(x == c, "clock %d shows %g", c, x);
		t_ok(lagoon_add(w, step->t, ROW, 1, &one), "add");
		t_ok(lagoon_clock(w), "clock");
	}
	must_wait(w, step);
	ages_check(step);
	atomic_store(&shared->go, 2);
	return 0;
}

static int step_work(struct lagoon_worker *w, void *arg)
{
	return lagoon_worker_id(w) == SLOW ? slow(w, arg) : fast(w, arg);
}

/* A looser bound lets the next pull through, a tighter one holds it. */
static int change_work(struct lagoon_worker *w, void *arg)
{
	const struct step *step = arg;
	double x, one = 1;

	if (lagoon_worker_id(w) == SLOW)
		return slow(w, step);
	for (int c = 0; c < 6; c++) {
		t_ok(lagoon_table_set_staleness(step->t, c), "set_staleness");
		t_ok(lagoon_pull(w, step->t, ROW, 1, &x), "pull");
		t_ok(lagoon_add(w, step->t, ROW, 1, &one), "add");
		t_ok(lagoon_clock(w), "clock");
	}
	t_ok(lagoon_table_set_staleness(step->t, 5), "set_staleness");
	must_wait(w, step);
	atomic_store(&((struct shared *)t_shared)->go, 2);
	return 0;
}

static int asp_work(struct lagoon_worker *w, void *arg)
{
	const struct step *step = arg;
	struct lagoon_stats st;
	double x, one = 1;

	if (lagoon_worker_id(w) == SLOW)
		return slow(w, step);
	for (int c = 0; c < ASP_ROUNDS; c++) {
		t_ok(lagoon_add(w, step->t, ROW, 1, &one), "add");
		t_ok(lagoon_clock(w), "clock");
		t_ok(lagoon_pull(w, step->t, ROW, 1, &x), "pull");
		T_CHECK(x == c + 1, "model %d, round %d shows %g",
			step->model, c, x);
	}
	st = stats_of(step->t);
	T_CHECK(st.wait_ns == 0, "model %d waited", step->model);
	T_CHECK(st.ages[LAGOON_AGES - 1] >= ASP_ROUNDS - LAGOON_AGES,
		"model %d: %llu pulls of age %d and more", step->model,
		(unsigned long long)st.ages[LAGOON_AGES - 1], LAGOON_AGES - 1);
	atomic_store(&((struct shared *)t_shared)->go, 2);
	return 0;
}

static void run(int model, int32_t bound, int32_t sample,
		int (*work)(struct lagoon_worker *, void *))
{
	struct shared *shared = t_shared;
	struct step step = { .bound = bound, .model = model };
	struct lagoon_table_attr attr;

	t_sync();
	atomic_store(&shared->go, 0);
	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.model = model;
	attr.staleness = bound;
	attr.sample = sample;
	attr.change = 3;
	t_ok(lagoon_table_create(t_lg, "stepped", &attr, &step.t), "create");
	t_ok(lagoon_run(t_lg, work, &step), "run");
	t_ok(lagoon_table_destroy(step.t), "destroy");
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("bound", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2 && !strcmp(argv[1], "--workers"))
		attr.workers = t_workers(argv[2]);
	t_open(&attr, NULL);
	T_CHECK(lagoon_workers(t_lg) == 2, "needs 2 workers");
	for (size_t i = 0; i < T_COUNT(bounds); i++) {
		run(LAGOON_SSP, bounds[i], 0, step_work);
		run(LAGOON_ESSP, bounds[i], 0, step_work);
		/* one other worker, asked: as ssp */
		run(LAGOON_PSP, bounds[i], 1, step_work);
	}
	run(LAGOON_SSP, 5, 0, change_work);
	run(LAGOON_ESSP, 5, 0, change_work);
	run(LAGOON_PSP, 5, 7, change_work);
	run(LAGOON_ASP, 0, 0, asp_work);
	run(LAGOON_PSP, 0, 0, asp_work);
	run(LAGOON_VAP, 0, 0, asp_work);
	t_close();
	return 0;
}
