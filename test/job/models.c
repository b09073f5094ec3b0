/* launch: -n 1 -- --workers 2 */
/* launch: -n 2 --nodes 1 */
/* launch: -n 2 --nodes 2 */
/* launch: -n 2 --nodes 2 -- --delay */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What essp, psp and vap promise beyond a bound, and changes of the model,
 * step by step over two workers. Links to the internals of liblagoon.
 *
 *	essp	pages in use are fresh before a pull asks for them
 *	psp	a worker waits for whom it draws, and for nobody else
 *	vap	at no time after an add is more of an element unpushed than
 *		the bound, and another process sees what has passed it
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "runtime/push.h"
#include "runtime/table.h"
#include "runtime/word.h"
#include "test/support/test.h"
#include "test/wires/delay.h"

enum {
	PAGE_ROWS = 128, ROWS = 30 * PAGE_ROWS, COLS = 2,
	ROUNDS = 20,
	ADDS = 400, WATCHED = 40, WINDOW = 7,
	TRIES = 2000,
};

struct shared {
	_Atomic int at[2];	/* steps done */
	_Atomic int64_t added[WATCHED];	/* vap: complete adds of worker 0 */
};

static struct lagoon_table *table;

static struct shared *shared(void)
{
	return t_shared;
}

static void make(int model, int32_t staleness, int32_t sample, double change)
{
	struct lagoon_table_attr attr;

	t_sync();
	if (lagoon_rank(t_lg) == 0)
		memset(t_shared, 0, sizeof(struct shared));
	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.cols = COLS;
	attr.page_rows = PAGE_ROWS;
	attr.format = LAGOON_I32;
	attr.model = model;
	attr.staleness = staleness;
	attr.sample = sample;
	attr.change = change;
	t_ok(lagoon_table_create(t_lg, "stepped", &attr, &table), "create");
	t_sync();
}

static void run(int (*work)(struct lagoon_worker *, void *))
{
	t_ok(lagoon_run(t_lg, work, NULL), "run");
	t_ok(lagoon_table_destroy(table), "destroy");
}

/* Both workers have come to this step. */
static void together(struct lagoon_worker *w, int step)
{
	int me = lagoon_worker_id(w);

	atomic_store(&shared()->at[me], step);
	t_await(&shared()->at[!me], step);
}

static struct lagoon_stats stats(void)
{
	struct lagoon_stats st = { .size = sizeof(st) };

	t_ok(lagoon_table_stats(table, &st), "stats");
	return st;
}

/* ------------------------------------------------------------- essp */

static uint64_t asked(void)
{
	struct lagoon_stats st = stats();

	return st.pages_read - st.pages_ahead;
}

static void pull_all(struct lagoon_worker *w, int64_t least)
{
	int64_t x[PAGE_ROWS * COLS];

	for (uint64_t row = 0; row < ROWS; row += 2 * PAGE_ROWS) {
		t_ok(lagoon_pull(w, table, row, PAGE_ROWS, x), "pull");
		for (int i = 0; i < PAGE_ROWS * COLS; i++)
			T_CHECK(x[i] >= least, "row %llu shows %lld of at least %lld",
				(unsigned long long)row, (long long)x[i],
				(long long)least);
	}
}

/* In turns, so that the second to clock knows that the first has. */
static void clock_in_turn(struct lagoon_worker *w, int round)
{
	int me = lagoon_worker_id(w), step = 4 * round;

	if (me == 1)
		t_await(&shared()->at[0], step + 1);
	t_ok(lagoon_clock(w), "clock");
	atomic_store(&shared()->at[me], step + 1);
	t_await(&shared()->at[!me], step + 1);
}

/* Every second page is used, all of it at staleness 0: each round needs the
 * pages anew. Worker 1 clocks last: its clock reads the board and finds that
 * all are there. Its pulls ask for no page but in the first round. */
static int essp_work(struct lagoon_worker *w, void *arg)
{
	int64_t one[PAGE_ROWS * COLS];
	uint64_t first = 0;

	(void)arg;
	for (int i = 0; i < PAGE_ROWS * COLS; i++)
		one[i] = 1;
	for (int round = 0; round < ROUNDS; round++) {
		pull_all(w, 2 * round);
		if (!round)
			first = asked();
		for (uint64_t row = 0; row < ROWS; row += 2 * PAGE_ROWS)
			t_ok(lagoon_add(w, table, row, PAGE_ROWS, one), "add");
		clock_in_turn(w, round);
	}
	pull_all(w, 2 * ROUNDS);
	if (lagoon_worker_id(w) == 1 && lagoon_nodes(t_lg) > 1) {
		struct lagoon_stats st = stats();

		T_CHECK(asked() == first, "essp: pulls asked for %llu pages after the first round",
			(unsigned long long)(asked() - first));
		T_CHECK(st.pages_ahead >= ROUNDS * ROWS / PAGE_ROWS / 2,
			"essp: only %llu pages were read ahead",
			(unsigned long long)st.pages_ahead);
		T_CHECK(st.pages_ahead <= (ROUNDS + 2) * ROWS / PAGE_ROWS / 2,
			"essp: %llu pages were read ahead, also unused ones",
			(unsigned long long)st.pages_ahead);
	}
	together(w, 4 * ROUNDS + 2);
	return 0;
}

/* -------------------------------------------------------------- psp */

/* k = 1 of one other is all; the number changes to 0 and back. */
static int psp_work(struct lagoon_worker *w, void *arg)
{
	struct lagoon_request *req;
	int64_t x[COLS];
	int done = 0;

	(void)arg;
	if (lagoon_worker_id(w) == 0) {
		t_await(&shared()->at[1], 1);
		t_ok(lagoon_clock(w), "clock");
		t_await(&shared()->at[1], 2);
		return 0;
	}
	t_ok(lagoon_clock(w), "clock");
	t_ok(lagoon_table_set_sample(table, 0), "set_sample");
	t_ok(lagoon_pull(w, table, 0, 1, x), "a pull that asks nobody");
	t_ok(lagoon_table_set_sample(table, 1), "set_sample");
	t_ok(lagoon_pull_start(w, table, 0, 1, x, &req), "pull_start");
	for (int i = 0; i < TRIES; i++) {
		t_ok(lagoon_test(req, &done), "test");
		T_CHECK(!done, "psp: did not wait for the worker that it asks");
		if (i % 64 == 0)
			sched_yield();
	}
	atomic_store(&shared()->at[1], 1);
	t_ok(lagoon_wait(req), "wait");
	T_CHECK(lagoon_worker_clock(w) == 1 && stats().wait_ns > 0,
		"psp: no wait was counted");
	atomic_store(&shared()->at[1], 2);
	return 0;
}

/* -------------------------------------------------------------- vap */

/* No add of this process is in progress while the push lock is held, and
 * nothing is on its way: delta words are all that is unpushed. */
static void watch(int64_t most)
{
	if (!table->delta)
		return;
	lgn_push_lock(t_lg);
	for (uint64_t page = 0; page < table->layout.pages; page++)
		for (uint64_t i = 0; i < table->layout.page_words; i++) {
			int64_t lane = lgn_word_most(2,
				atomic_load(&lgn_table_delta(table, page)[i]));

			T_CHECK(lane <= most, "vap(%lld): %lld of an element is unpushed",
				(long long)most, (long long)lane);
		}
	lgn_push_unlock(t_lg);
}

/* Adds all over the pages, in lists in which rows stand twice, never clocks. */
static int vap_writer(struct lagoon_worker *w, double change)
{
	struct t_rng rng = { t_seed() };
	uint64_t rows[WATCHED];
	int64_t x[WATCHED * COLS], n[WATCHED] = { 0 };
	struct lagoon_stats st;

	for (int k = 0; k < ADDS; k++) {
		for (int i = 0; i < WATCHED; i++) {
			int e = i % 2 ? (int)t_below(&rng, WATCHED) : i;

			rows[i] = (uint64_t)e * 71 % ROWS;
			x[2 * i] = (int64_t)t_below(&rng, 3);
			x[2 * i + 1] = -x[2 * i];
			n[e] += x[2 * i];
		}
		t_ok(lagoon_add_rows(w, table, rows, WATCHED, x), "add_rows");
		for (int e = 0; e < WATCHED; e++)
			atomic_store(&shared()->added[e], n[e]);
		watch((int64_t)change);
	}
	st = stats();
	T_CHECK(st.unpushed <= change, "vap(%g): the largest unpushed change was %g",
		change, st.unpushed);
	T_CHECK(!table->delta || change == 0 || st.unpushed > 0,
		"vap(%g): nothing was ever kept back", change);
	T_CHECK(lagoon_worker_clock(w) == 0, "the writer has clocked");
	atomic_store(&shared()->at[0], 1);
	t_await(&shared()->at[1], 1);
	return 0;
}

/* A copy serves one round: each round shows what was added before it, but for
 * the bound. */
static int vap_reader(struct lagoon_worker *w, double change)
{
	int64_t x[COLS];
	bool last;

	do {
		int64_t added[WATCHED];

		last = atomic_load(&shared()->at[0]);
		for (int e = 0; e < WATCHED; e++)
			added[e] = atomic_load(&shared()->added[e]);
		t_ok(lagoon_clock(w), "clock");
		for (int e = 0; e < WATCHED; e++) {
			t_ok(lagoon_pull(w, table, (uint64_t)e * 71 % ROWS, 1, x),
			     "pull");
			T_CHECK((double)(added[e] - x[0]) <= change &&
				(double)(added[e] + x[1]) <= change,
				"vap(%g): %lld and %lld of %lld are seen", change,
				(long long)x[0], (long long)-x[1],
				(long long)added[e]);
		}
	} while (!last);
	atomic_store(&shared()->at[1], 1);
	return 0;
}

static double changes[] = { 0, 1, 5, 100 }, change_now;

static int vap_work(struct lagoon_worker *w, void *arg)
{
	(void)arg;
	return lagoon_worker_id(w) ? vap_reader(w, change_now) :
		vap_writer(w, change_now);
}

/* ------------------------------------------------------ set_model */

static const int models[] = {
	LAGOON_BSP, LAGOON_SSP, LAGOON_PSP, LAGOON_ESSP, LAGOON_VAP,
	LAGOON_BSP, LAGOON_ASP,
};

static void set_model(struct lagoon_worker *w, int model, int want,
		      const char *what)
{
	struct lagoon_table_attr attr = { .size = sizeof(attr) };

	t_ok(lagoon_table_get_attr(table, &attr), "get_attr");
	attr.model = model;
	attr.staleness = model == LAGOON_ESSP ? 2 : 1;
	t_expect(lagoon_table_set_model(w, table, &attr), want, what);
	t_ok(lagoon_table_get_attr(table, &attr), "get_attr");
	T_CHECK((attr.model == model) == !want, "%s: the model is %d", what,
		attr.model);
}

/* What was added before, in whatever buffers it waits, is there after; of what
 * the other adds next, some may be. */
static int change_work(struct lagoon_worker *w, void *arg)
{
	struct lagoon_request *req;
	int64_t x[COLS], one[COLS] = { 1, -1 };
	int me = lagoon_worker_id(w), n = 0;

	(void)arg;
	for (size_t i = 0; i < T_COUNT(models); i++) {
		for (int k = 0; k <= (int)i; k++, n++)
			t_ok(lagoon_add(w, table, 7, 1, one), "add");
		set_model(w, models[i], 0, "set_model");
		t_ok(lagoon_pull(w, table, 7, 1, x), "pull");
		T_CHECK(x[0] >= 2 * n && x[0] <= 2 * n + (int)i + 2 &&
			x[1] == -x[0], "after change %zu: %lld of %d", i,
			(long long)x[0], 2 * n);
		t_ok(lagoon_clock(w), "clock");
	}
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, table, 7, 1, x), "pull");
	T_CHECK(x[0] == 2 * n && x[1] == -2 * n, "in the end: %lld of %d",
		(long long)x[0], 2 * n);
	/* who disagrees is told, and nothing changes */
	set_model(w, me ? LAGOON_SSP : LAGOON_ESSP, LAGOON_EINVAL, "two models");
	set_model(w, 77, LAGOON_EINVAL, "a model that is none");
	req = NULL;
	if (me)
		t_ok(lagoon_pull_start(w, table, 7, 1, x, &req), "pull_start");
	set_model(w, LAGOON_SSP, LAGOON_EINVAL, "a request in flight");
	if (me)
		t_ok(lagoon_wait(req), "wait");
	/* asp lets clocks differ; bsp wants them equal */
	if (me)
		t_ok(lagoon_clock(w), "clock");
	set_model(w, LAGOON_BSP, LAGOON_EINVAL, "clocks that differ");
	if (!me)
		t_ok(lagoon_clock(w), "clock");
	set_model(w, LAGOON_BSP, 0, "clocks that are equal");
	t_ok(lagoon_clock(w), "clock");
	/* one leaves, the other goes on alone: the next run tells */
	t_ok(lagoon_barrier(w), "barrier");
	if (me)
		return lagoon_worker_leave(w);
	set_model(w, LAGOON_ESSP, 0, "the last worker");
	return 0;
}

static int after_work(struct lagoon_worker *w, void *arg)
{
	struct lagoon_table_attr attr = { .size = sizeof(attr) };

	(void)arg;
	t_ok(lagoon_table_get_attr(table, &attr), "get_attr");
	T_CHECK(attr.model == LAGOON_ESSP && attr.staleness == 2,
		"after the run: model %d, staleness %d", attr.model,
		attr.staleness);
	t_ok(lagoon_clock(w), "clock");
	return 0;
}

static void refused(void)
{
	make(LAGOON_ASP, 0, 0, 0);
	t_expect(lagoon_table_set_staleness(table, 1), LAGOON_ENOTSUP, "staleness of asp");
	t_expect(lagoon_table_set_sample(table, 1), LAGOON_ENOTSUP, "sample of asp");
	t_expect(lagoon_table_set_change(table, 1), LAGOON_ENOTSUP, "change of asp");
	t_ok(lagoon_table_destroy(table), "destroy");
	make(LAGOON_PSP, 0, 1, 0);
	t_expect(lagoon_table_set_sample(table, -1), LAGOON_EINVAL, "sample -1");
	t_expect(lagoon_table_set_change(table, 1), LAGOON_ENOTSUP, "change of psp");
	t_ok(lagoon_table_destroy(table), "destroy");
	make(LAGOON_VAP, 0, 0, 1);
	t_expect(lagoon_table_set_change(table, -1), LAGOON_EINVAL, "change -1");
	T_CHECK(lagoon_table_staleness(table) == LAGOON_UNBOUNDED,
		"vap has a staleness");
	t_ok(lagoon_table_destroy(table), "destroy");
}

static int open_on_delay(const struct lagoon_attr *attr, struct lagoon **lg)
{
	struct delay_config config = { .seed = t_seed(), .hold = 3, .again = 3 };

	delay_configure(&config);
	return lgn_open_on(attr, &lgn_wire_delay, lg);
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;
	bool delay = argc > 1 && !strcmp(argv[1], "--delay");

	t_begin("models", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2 && !strcmp(argv[1], "--workers"))
		attr.workers = t_workers(argv[2]);
	t_open(&attr, delay ? open_on_delay : NULL);
	T_CHECK(lagoon_workers(t_lg) == 2, "needs 2 workers");
	refused();
	make(LAGOON_ESSP, 0, 0, 0);
	run(essp_work);
	make(LAGOON_PSP, 0, 1, 0);
	run(psp_work);
	for (size_t i = 0; i < T_COUNT(changes); i++) {
		change_now = changes[i];
		make(LAGOON_VAP, 0, 0, change_now);
		run(vap_work);
	}
	make(LAGOON_SSP, 1, 0, 10);
	t_ok(lagoon_run(t_lg, change_work, NULL), "run");
	run(after_work);
	t_close();
	return 0;
}
