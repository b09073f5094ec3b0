/* launch: -n 1 -- --workers 3 */
/* launch: -n 3 --nodes 1 -- --workers 2,0,1 */
/* launch: -n 2 --nodes 2 -- --workers 2 */
/* launch: -n 4 --nodes 4 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers: their numbers, one lagoon_run() after the other, results of their
 * functions, leaving in the middle, processes without workers.
 */
#include <stdio.h>
#include <string.h>

#include "test/support/test.h"

enum { ROWS = 40, COLS = 3, RUNS = 4, ROUNDS = 12, WORKERS = 8, BAD = 42 };

struct shared {
	_Atomic int seen[WORKERS];	/* workers that ran, by number */
	_Atomic int64_t added;		/* to each element, by all so far */
};

struct runs {
	struct lagoon_table *ssp, *asp;
	int run;
	_Atomic int local;		/* functions that ran here */
};

static void add_everywhere(struct lagoon_worker *w, struct lagoon_table *t)
{
	int64_t one[ROWS * COLS];

	for (size_t i = 0; i < T_COUNT(one); i++)
		one[i] = 1;
	t_ok(lagoon_add(w, t, 0, ROWS, one), "add");
}

static void all_hold(struct lagoon_worker *w, struct lagoon_table *t,
		     int64_t least, int64_t most, const char *when)
{
	int64_t buf[ROWS * COLS];

	t_ok(lagoon_pull(w, t, 0, ROWS, buf), "pull");
	for (size_t i = 0; i < T_COUNT(buf); i++)
		T_CHECK(buf[i] >= least && buf[i] <= most,
			"%s: element %zu is %lld, not %lld to %lld", when, i,
			(long long)buf[i], (long long)least, (long long)most);
}

/* A later run begins at clock 0 and sees all of the runs before, at once. */
static int round_robin(struct lagoon_worker *w, void *arg)
{
	struct runs *runs = arg;
	struct shared *shared = t_shared;
	int64_t before = atomic_load(&shared->added), n = lagoon_workers(t_lg);
	int id = lagoon_worker_id(w);

	atomic_fetch_add(&runs->local, 1);
	T_CHECK(lagoon_worker_clock(w) == 0, "a run begins at clock %lld",
		(long long)lagoon_worker_clock(w));
	T_CHECK(!atomic_fetch_add(&shared->seen[id], 1),
		"two workers are number %d", id);
	all_hold(w, runs->ssp, before, before + n * ROUNDS, "run begins, ssp");
	all_hold(w, runs->asp, before, before + n * ROUNDS, "run begins, asp");
	for (int r = 0; r < ROUNDS; r++) {
		add_everywhere(w, runs->ssp);
		add_everywhere(w, runs->asp);
		t_ok(lagoon_clock(w), "clock");
		all_hold(w, runs->ssp, before + n * r + 1,
			 before + n * ROUNDS, "ssp(0)");
	}
	t_ok(lagoon_barrier(w), "barrier");
	all_hold(w, runs->ssp, before + n * ROUNDS, before + n * ROUNDS, "ssp");
	all_hold(w, runs->asp, before + n * ROUNDS, before + n * ROUNDS, "asp");
	return 0;
}

/* Worker 0 leaves in round 3 with deltas that no clock has flushed; the
 * others are not held back by it, and find what it added. */
static int one_leaves(struct lagoon_worker *w, void *arg)
{
	struct runs *runs = arg;
	const struct shared *shared = t_shared;
	int64_t before = atomic_load(&shared->added);
	int64_t n = lagoon_workers(t_lg), after = (n - 1) * ROUNDS + 4;
	int id = lagoon_worker_id(w);

	for (int r = 0; r < ROUNDS; r++) {
		add_everywhere(w, runs->ssp);
		if (id == 0 && r == 3) {
			t_ok(lagoon_worker_leave(w), "leave");
			T_CHECK(lagoon_worker_id(w) == 0, "its number");
			return 0;
		}
		t_ok(lagoon_clock(w), "clock");
		all_hold(w, runs->ssp, before + (n - 1) * r + 1,
			 before + after, "one leaves");
	}
	t_ok(lagoon_barrier(w), "barrier");
	all_hold(w, runs->ssp, before + after, before + after, "one left");
	return 0;
}

/* One function fails: its value and its message come out. */
static int one_fails(struct lagoon_worker *w, void *arg)
{
	struct runs *runs = arg;
	struct lagoon_worker *first;
	int64_t x;

	t_ok(lagoon_worker(t_lg, 0, &first), "worker");
	if (w != first)
		return 0;
	return lagoon_pull(w, runs->ssp, ROWS + BAD, 1, &x);
}

static int one_says_no(struct lagoon_worker *w, void *arg)
{
	(void)arg;
	return lagoon_worker_id(w) == 0 ? BAD : 0;
}

/* What the workers of a run added; between the runs, when nobody adds. */
static void account(int64_t added)
{
	struct shared *shared = t_shared;

	t_sync();
	if (lagoon_rank(t_lg) == 0) {
		atomic_fetch_add(&shared->added, added);
		for (int j = 0; j < lagoon_workers(t_lg); j++)
			T_CHECK(!atomic_exchange(&shared->seen[j], 0) ||
				added, "an unexpected worker");
	}
	t_sync();
}

static struct lagoon_table *table_make(const char *name, int model)
{
	struct lagoon_table_attr attr;
	struct lagoon_table *t;

	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.cols = COLS;
	attr.format = LAGOON_I64;
	attr.model = model;
	t_ok(lagoon_table_create(t_lg, name, &attr, &t), name);
	return t;
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;
	struct runs runs = { .run = 0 };
	int n, rc, local;

	t_begin("runs", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2 && !strcmp(argv[1], "--workers"))
		attr.workers = t_workers(argv[2]);
	t_open(&attr, NULL);
	n = lagoon_workers(t_lg);
	local = lagoon_local_workers(t_lg);
	T_CHECK(n <= WORKERS && local == attr.workers, "%d workers of %d",
		local, n);
	runs.ssp = table_make("ssp", LAGOON_SSP);
	runs.asp = table_make("asp", LAGOON_ASP);
	for (runs.run = 0; runs.run < RUNS; runs.run++) {
		t_ok(lagoon_run(t_lg, round_robin, &runs), "run");
		T_CHECK(atomic_exchange(&runs.local, 0) == local,
			"not all local workers ran");
		account(n * ROUNDS);
	}
	t_ok(lagoon_run(t_lg, one_leaves, &runs), "run");
	rc = lagoon_run(t_lg, one_fails, &runs);
	if (local) {
		t_expect(rc, LAGOON_EINVAL, "a function that fails");
		T_CHECK(t_names(lagoon_errmsg(), "", ROWS + BAD),
			"its message is not handed over: %s", lagoon_errmsg());
	}
	rc = lagoon_run(t_lg, one_says_no, &runs);
	T_CHECK(rc == (lagoon_rank(t_lg) == 0 ? BAD : 0), "run returned %d", rc);
	t_close();
	return 0;
}
