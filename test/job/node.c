/* launch: -n 4 --nodes 2 */
/* launch: -n 4 --nodes 4 */
/* launch: -n 8 --nodes 2 */
/* launch: -n 4 --nodes 2 -- --workers 2 */
/* launch: -n 4 --nodes 2 -- --delay */
/* launch: -n 3 --nodes 1 -- --delay --workers 2,1 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The processes of a node share one cache: n of them that touch the same rows
 * cause the READs and the atomics of one, by the statistics summed over the
 * job; sums are exact; and who waits for a READ of a process that is elsewhere
 * gets its page.
 *
 *	node [--workers A,B,...] [--delay]
 *
 * With --delay over the wire that delays (test/wires/delay.h), which has its
 * caches also where all processes are on one node.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core.h"
#include "test/support/test.h"
#include "test/wires/delay.h"

enum {
	PAGES = 40, PAGE_ROWS = 16, ROWS = PAGES * PAGE_ROWS,
	ROUNDS = 12, RANKS = 8,
};

struct shared {
	uint64_t pages_read[RANKS], words_pushed[RANKS], uncertain[RANKS];
	_Atomic int met;
	_Atomic int begun;		/* a READ is posted, */
	_Atomic int have;		/* and others had the page without its
					 * worker */
};

struct work {
	struct lagoon_table *t;
	int rounds;
};

/* Of all workers, without Lagoon: at its own barriers every process sends what
 * is there when it comes. */
static void meet(void)
{
	struct shared *shared = t_shared;
	int all = lagoon_workers(t_lg);
	int before = atomic_fetch_add(&shared->met, 1);

	t_await(&shared->met, before - before % all + all);
}

/* All pull all rows and add 1 to each; then all meet, so that the next round
 * needs every page anew. */
static int touch_all(struct lagoon_worker *w, void *arg)
{
	const struct work *work = arg;
	int64_t one[ROWS], got[ROWS];
	int64_t all = lagoon_workers(t_lg);

	for (int i = 0; i < ROWS; i++)
		one[i] = 1;
	for (int round = 0; round < work->rounds; round++) {
		t_ok(lagoon_pull(w, work->t, 0, ROWS, got), "pull");
		for (int i = 0; i < ROWS; i++)
			T_CHECK(got[i] == all * round,
				"round %d: row %d holds %lld, not %lld", round,
				i, (long long)got[i], (long long)all * round);
		meet();
		t_ok(lagoon_add(w, work->t, 0, ROWS, one), "add");
		meet();
		t_ok(lagoon_clock(w), "clock");
		t_ok(lagoon_barrier(w), "barrier");
	}
	return 0;
}

/* Only clocks; nobody meets anybody, and all is flushed at the end. */
static int drift(struct lagoon_worker *w, void *arg)
{
	const struct work *work = arg;
	int64_t one[ROWS];

	for (int i = 0; i < ROWS; i++)
		one[i] = 1;
	for (int round = 0; round < work->rounds; round++) {
		t_ok(lagoon_add(w, work->t, 0, ROWS, one), "add");
		t_ok(lagoon_clock(w), "clock");
	}
	return 0;
}

static int check_sums(struct lagoon_worker *w, void *arg)
{
	const struct work *work = arg;
	int64_t got[ROWS], want = (int64_t)lagoon_workers(t_lg) * work->rounds;

	t_ok(lagoon_pull(w, work->t, 0, ROWS, got), "pull");
	for (int i = 0; i < ROWS; i++)
		T_CHECK(got[i] == want, "row %d holds %lld, not %lld", i,
			(long long)got[i], (long long)want);
	return 0;
}

/* A worker starts to read a page and goes elsewhere, until all others have
 * had the page: they must not need it for that. */
static int afar(struct lagoon_worker *w, void *arg)
{
	const struct work *work = arg;
	struct shared *shared = t_shared;
	struct lagoon_request *req;
	int64_t got[PAGE_ROWS];

	if (lagoon_worker_id(w) == 0) {
		t_ok(lagoon_pull_start(w, work->t, 0, PAGE_ROWS, got, &req),
		     "pull_start");
		atomic_store(&shared->begun, 1);
		t_await(&shared->have, lagoon_workers(t_lg) - 1);
		t_ok(lagoon_wait(req), "wait");
		return 0;
	}
	t_await(&shared->begun, 1);
	t_ok(lagoon_pull(w, work->t, 0, PAGE_ROWS, got), "pull");
	/* Its push needs the page, too. */
	t_ok(lagoon_add(w, work->t, 0, 1, &(int64_t){ 1 }), "add");
	t_ok(lagoon_worker_leave(w), "leave");
	atomic_fetch_add(&shared->have, 1);
	return 0;
}

static struct work table_make(const char *name, int model, int32_t staleness,
			      int rounds)
{
	struct lagoon_table_attr attr;
	struct work work = { .rounds = rounds };

	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.format = LAGOON_I64;
	attr.page_rows = PAGE_ROWS;
	attr.model = model;
	attr.staleness = staleness;
	t_ok(lagoon_table_create(t_lg, name, &attr, &work.t), name);
	return work;
}

/* What all processes together did with a table. */
static void sum_stats(const struct work *work, uint64_t *pages, uint64_t *words)
{
	struct lagoon_stats st = { .size = sizeof(st) };
	struct shared *shared = t_shared;
	int me = lagoon_rank(t_lg);

	t_ok(lagoon_table_stats(work->t, &st), "stats");
	shared->pages_read[me] = st.pages_read;
	shared->words_pushed[me] = st.words_pushed;
	shared->uncertain[me] = st.uncertain;
	t_sync();
	*pages = *words = 0;
	for (int r = 0; r < lagoon_size(t_lg); r++) {
		*pages += shared->pages_read[r];
		*words += shared->words_pushed[r];
		T_CHECK(!shared->uncertain[r], "rank %d: uncertain words", r);
	}
	t_sync();
}

/* As many READs and atomics as if each node were one process. */
static void once_a_node(void)
{
	struct work work = table_make("once", LAGOON_SSP, 0, ROUNDS);
	uint64_t nodes = (uint64_t)lagoon_nodes(t_lg), pages, words;

	t_ok(lagoon_run(t_lg, touch_all, &work), "run");
	sum_stats(&work, &pages, &words);
	T_CHECK(pages == nodes * PAGES * ROUNDS,
		"%llu pages were read, one process a node reads %llu",
		(unsigned long long)pages,
		(unsigned long long)nodes * PAGES * ROUNDS);
	T_CHECK(words == nodes * ROWS * ROUNDS,
		"%llu words were pushed, one process a node pushes %llu",
		(unsigned long long)words,
		(unsigned long long)nodes * ROWS * ROUNDS);
	t_ok(lagoon_run(t_lg, check_sums, &work), "run");
	t_ok(lagoon_table_destroy(work.t), "destroy");
}

/* The fast ones do not push for the slow ones: at most once a node and clock,
 * and once more for each worker that leaves. */
static void once_a_clock(void)
{
	struct work work = table_make("drift", LAGOON_SSP, 3, ROUNDS);
	uint64_t nodes = (uint64_t)lagoon_nodes(t_lg), pages, words;
	uint64_t most = (nodes * ROUNDS + (uint64_t)lagoon_workers(t_lg)) * ROWS;

	t_ok(lagoon_run(t_lg, drift, &work), "run");
	sum_stats(&work, &pages, &words);
	T_CHECK(words <= most, "%llu words were pushed, at most %llu are needed",
		(unsigned long long)words, (unsigned long long)most);
	t_ok(lagoon_run(t_lg, check_sums, &work), "run");
	t_ok(lagoon_table_destroy(work.t), "destroy");
}

static void read_afar(void)
{
	struct work work = table_make("afar", LAGOON_ASP, 0, 0);
	struct shared *shared = t_shared;

	t_ok(lagoon_run(t_lg, afar, &work), "run");
	t_ok(lagoon_table_destroy(work.t), "destroy");
	T_CHECK(atomic_load(&shared->have) == lagoon_workers(t_lg) - 1,
		"not all had the page");
}

static int open_on_delay(const struct lagoon_attr *attr, struct lagoon **lg)
{
	struct delay_config config = {
		.seed = t_seed(), .hold = 2, .again = 3, .linger = 20,
	};

	delay_configure(&config);
	return lgn_open_on(attr, &lgn_wire_delay, lg);
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;
	t_open_fn open = NULL;

	t_begin("node", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--delay"))
			open = open_on_delay;
		if (!strcmp(argv[i], "--workers") && i + 1 < argc)
			attr.workers = t_workers(argv[i + 1]);
	}
	t_open(&attr, open);
	T_CHECK(lagoon_size(t_lg) <= RANKS, "too many processes");
	once_a_node();
	once_a_clock();
	read_afar();
	t_close();
	return 0;
}
