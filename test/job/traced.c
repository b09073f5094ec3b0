/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Work to be traced: pulls, adds, requests in flight, fetch-and-adds, rounds and
 * barriers. What this process did stands on standard output, one JSON object a
 * process, from the library's statistics. Run by test/job/trace.sh, which
 * compares. Links to the internals of liblagoon.
 *
 *	traced work		as many of each as the seed says
 *	traced all DIR		a change of model, checkpoints into DIR, pushes in
 *				apply mode
 *	traced full		more adds of worker 0 than its lane takes
 *	traced die R		rank R kills itself in the middle
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core.h"
#include "test/support/test.h"

enum { ROWS = 700, ROUNDS = 30, MANY = 270000, PAGE_ROWS = 64 };

struct done {
	_Atomic uint64_t clocks, barriers, tickets;
};

static struct lagoon_table *sums, *tickets, *asp, *grads;
static struct done done;
static const char *mode, *dir;
static int victim = -1;

static struct lagoon_wire_counts wire(void)
{
	struct lagoon_wire_counts c = { .size = sizeof(c) };

	t_ok(lagoon_wire_stats(t_lg, &c), "wire_stats");
	return c;
}

/* A table without a bound asks the wire for its pages and nothing else. */
static void count_bytes(struct lagoon_worker *w)
{
	static int64_t x[ROWS];
	struct lagoon_wire_counts before = wire(), after;
	struct lagoon_stats s = { .size = sizeof(s) };

	t_ok(lagoon_pull(w, asp, 0, ROWS, x), "pull of all");
	after = wire();
	t_ok(lagoon_table_stats(asp, &s), "stats");
	T_CHECK(s.pages_read == (ROWS + PAGE_ROWS - 1) / PAGE_ROWS,
		"%llu pages were read", (unsigned long long)s.pages_read);
	T_CHECK(after.get_bytes - before.get_bytes ==
		s.pages_read * asp->layout.page_words * 8,
		"%llu bytes for %llu pages",
		(unsigned long long)(after.get_bytes - before.get_bytes),
		(unsigned long long)s.pages_read);
	T_CHECK(after.gets > before.gets && after.posts > before.posts &&
		after.puts == before.puts && after.adds == before.adds &&
		after.cas == before.cas, "other requests than reads");
	T_CHECK(!strcmp(after.name, "shm"), "the wire is called %s", after.name);
}

static int some_calls(struct lagoon_worker *w, struct t_rng *rng)
{
	struct lagoon_request *req[3];
	int64_t x[3][8], one[8] = { 1, 1, 1, 1, 1, 1, 1, 1 }, old;
	uint64_t n = 1 + t_below(rng, 8), row = t_below(rng, ROWS - 8);
	int rc = lagoon_pull(w, sums, row, n, x[0]);

	if (!rc)
		rc = lagoon_add(w, sums, row, n, one);
	if (!rc && t_once_in(rng, 3)) {
		rc = lagoon_fetch_add(w, tickets, 0, 0, 1, &old);
		done.tickets += !rc;
	}
	if (rc || !t_once_in(rng, 2))
		return rc;
	rc = lagoon_pull_start(w, sums, row, 1, x[0], &req[0]);
	if (!rc)
		rc = lagoon_add_start(w, sums, row, 8, one, &req[1]);
	if (!rc)
		rc = lagoon_pull_start(w, sums, row + 1, 2, x[2], &req[2]);
	for (int i = 0; i < 3 && !rc; i++)
		rc = lagoon_wait(req[i]);
	return rc;
}

static int busy(struct lagoon_worker *w)
{
	struct t_rng rng = { t_mix(t_seed(), (uint64_t)lagoon_worker_id(w)) };
	int rc = 0;

	for (int r = 0; r < ROUNDS && !rc; r++) {
		for (uint64_t i = t_below(&rng, 5); i && !rc; i--)
			rc = some_calls(w, &rng);
		if (r == ROUNDS / 2 && lagoon_rank(t_lg) == victim)
			raise(SIGKILL);
		if (!rc)
			rc = lagoon_clock(w);
		done.clocks += !rc;
		if (rc || r % 10 != 9)
			continue;
		rc = lagoon_barrier(w);
		done.barriers += !rc;
	}
	return rc;
}

static uint64_t flushes_of(const struct lagoon_table *t)
{
	struct lagoon_stats s = { .size = sizeof(s) };

	t_ok(lagoon_table_stats(t, &s), "stats");
	return s.flushes;
}

/* One for all workers, and none where there is nothing to send. */
static int count_flushes(struct lagoon_worker *w)
{
	uint64_t row = (uint64_t)lagoon_worker_id(w), before;
	int64_t one = 1;
	double x = 0.5;
	int rc;

	t_ok(lagoon_barrier(w), "barrier");
	before = flushes_of(sums) + flushes_of(grads);
	t_ok(lagoon_barrier(w), "barrier");
	rc = lagoon_clock(w);
	if (!rc)
		rc = lagoon_barrier(w);
	T_CHECK(flushes_of(sums) + flushes_of(grads) == before,
		"%llu flushes of nothing", (unsigned long long)
		(flushes_of(sums) + flushes_of(grads) - before));
	t_ok(lagoon_barrier(w), "barrier");
	if (!rc)
		rc = lagoon_add(w, sums, row, 1, &one);
	if (!rc)
		rc = lagoon_add(w, grads, row, 1, &x);
	if (!rc)
		rc = lagoon_barrier(w);
	T_CHECK(flushes_of(sums) + flushes_of(grads) == before + 2,
		"%llu flushes of two tables", (unsigned long long)
		(flushes_of(sums) + flushes_of(grads) - before));
	return rc ? rc : lagoon_barrier(w);
}

static int rounds(struct lagoon_worker *w, int n)
{
	uint64_t row = (uint64_t)lagoon_worker_id(w);
	int64_t one = 1;
	double x = 0.5;
	int rc = 0;

	for (int r = 0; r < n && !rc; r++) {
		rc = lagoon_add(w, sums, row, 1, &one);
		if (!rc)
			rc = lagoon_add(w, grads, row, 1, &x);
		if (!rc)
			rc = lagoon_clock(w);
	}
	return rc;
}

/* ssp, a checkpoint, bsp, a checkpoint. */
static int all_calls(struct lagoon_worker *w)
{
	struct lagoon_table_attr attr;
	int rc = count_flushes(w);

	if (!rc)
		rc = rounds(w, 5);
	if (!rc)
		rc = lagoon_checkpoint(w, dir, NULL, 0);
	lagoon_table_attr_init(&attr);
	t_ok(lagoon_table_get_attr(sums, &attr), "get_attr");
	attr.model = LAGOON_BSP;
	if (!rc)
		rc = lagoon_barrier(w);
	if (!rc)
		rc = lagoon_table_set_model(w, sums, &attr);
	if (!rc)
		rc = rounds(w, 5);
	return rc ? rc : lagoon_checkpoint(w, dir, NULL, 0);
}

static int work(struct lagoon_worker *w, void *arg)
{
	int64_t one = 1;
	int rc = 0;

	(void)arg;
	if (dir)
		return all_calls(w);
	if (!strcmp(mode, "full")) {
		for (int i = lagoon_worker_id(w) ? MANY - 10 : 0; i < MANY && !rc; i++)
			rc = lagoon_add(w, sums, (uint64_t)i % ROWS, 1, &one);
		return rc;
	}
	return busy(w);
}

static int bytes(struct lagoon_worker *w, void *arg)
{
	(void)arg;
	if (!lagoon_worker_id(w))
		count_bytes(w);
	return 0;
}

static void tell(void)
{
	struct lagoon_stats s = { .size = sizeof(s) }, k = { .size = sizeof(k) },
			    g = { .size = sizeof(g) };
	struct lagoon_wire_counts c = wire();

	t_ok(lagoon_table_stats(sums, &s), "stats");
	t_ok(lagoon_table_stats(tickets, &k), "stats");
	t_ok(lagoon_table_stats(grads, &g), "stats");
	T_CHECK(k.words_pushed == done.tickets, "%llu fetch-and-adds counted",
		(unsigned long long)k.words_pushed);
	T_CHECK(c.add_bytes == c.adds * 8 && c.cas_bytes == c.cas * 8 &&
		c.adds + c.cas >= s.words_pushed + k.words_pushed,
		"%llu atomics on the wire for %llu words",
		(unsigned long long)(c.adds + c.cas),
		(unsigned long long)s.words_pushed);
	printf("{\"rank\":%d,\"pulls\":%llu,\"rows_pulled\":%llu,\"adds\":%llu,\"rows_added\":%llu,\"words\":%llu,\"wait_ns\":%llu,\"clocks\":%llu,\"barriers\":%llu,\"tickets\":%llu,\"flushes\":[%llu,%llu],\"applied\":%llu}\n",
	       lagoon_rank(t_lg), (unsigned long long)s.pulls,
	       (unsigned long long)s.rows_pulled, (unsigned long long)s.adds,
	       (unsigned long long)s.rows_added,
	       (unsigned long long)s.words_pushed, (unsigned long long)s.wait_ns,
	       (unsigned long long)done.clocks, (unsigned long long)done.barriers,
	       (unsigned long long)done.tickets, (unsigned long long)s.flushes,
	       (unsigned long long)g.flushes, (unsigned long long)g.words_pushed);
	fflush(stdout);
}

static struct lagoon_table *make(const char *name, int model, int32_t staleness)
{
	struct lagoon_table_attr shape;
	struct lagoon_table *t;

	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.format = LAGOON_I64;
	shape.model = model;
	shape.staleness = staleness;
	shape.page_rows = PAGE_ROWS;
	t_ok(lagoon_table_create(t_lg, name, &shape, &t), name);
	return t;
}

static void make_grads(void)
{
	struct lagoon_table_attr shape;

	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.format = LAGOON_FLOAT64;
	shape.push = LAGOON_PUSH_APPLY;
	shape.page_rows = PAGE_ROWS;
	t_ok(lagoon_table_create(t_lg, "grads", &shape, &grads), "grads");
	t_ok(lagoon_table_set_saved(grads, 0), "set_saved");
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;
	int rc;

	T_CHECK(argc > 1, "usage: traced work|all DIR|full|die R");
	mode = argv[1];
	if (argc > 2 && !strcmp(mode, "all"))
		dir = argv[2];
	else if (argc > 2)
		victim = atoi(argv[2]);
	t_begin("traced", 1);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.workers = 2;
	t_open(&attr, NULL);
	sums = make("the \"sums\"", LAGOON_SSP, 1);
	tickets = make("tickets", LAGOON_SSP, 0);
	asp = make("asp", LAGOON_ASP, 0);
	make_grads();
	t_seed();
	t_ok(lagoon_run(t_lg, bytes, NULL), "run");
	rc = lagoon_run(t_lg, work, NULL);
	if (victim < 0) {
		t_ok(rc, "run");
		tell();
		t_close();
		return 0;
	}
	t_expect(rc, LAGOON_EPEER, "run without the one that died");
	t_expect(lagoon_close(t_lg), LAGOON_EPEER, "close without it");
	return 0;
}
