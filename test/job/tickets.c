/* launch: -n 1 -- --workers 4 */
/* launch: -n 4 --nodes 1 */
/* launch: -n 4 --nodes 2 -- --workers 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_fetch_add(): every ticket is drawn once; old values and deltas of
 * all workers form one chain; adds to the same element are not lost; nothing
 * is added beyond the limit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/test.h"

enum {
	TICKETS = 40000, CHAIN = 2000, WORKERS = 8,
	ROWS = 700, COLS = 3,
	TICKET_ROW = 11, CHAIN_ROW = 650, MIXED_ROW = 300, EDGE_ROW = 5,
};

struct link {
	int64_t old;
	int64_t delta;
};

struct shared {
	_Atomic uint8_t drawn[TICKETS];
	struct link chain[WORKERS][CHAIN];
};

struct tables {
	struct lagoon_table *t;		/* i64, asp */
	struct lagoon_table *narrow;	/* i32 */
	struct lagoon_table *fixed;	/* q64 */
	uint64_t tickets;
	uint64_t chain;
};

static void tickets_draw(struct lagoon_worker *w, const struct tables *all)
{
	struct shared *shared = t_shared;
	int64_t ticket, before = -1;

	for (;;) {
		t_ok(lagoon_fetch_add(w, all->t, TICKET_ROW, 2, 1, &ticket),
		     "fetch_add");
		T_CHECK(ticket > before, "ticket %lld after %lld",
			(long long)ticket, (long long)before);
		before = ticket;
		if (ticket >= (int64_t)all->tickets)
			break;
		T_CHECK(!atomic_fetch_add(&shared->drawn[ticket], 1),
			"ticket %lld was drawn twice", (long long)ticket);
	}
}

/* Signed deltas; another element takes plain adds from everybody meanwhile. */
static void chain_draw(struct lagoon_worker *w, const struct tables *all)
{
	struct shared *shared = t_shared;
	int id = lagoon_worker_id(w);
	struct t_rng rng = { t_mix(t_seed(), (uint64_t)id) };
	int64_t one[COLS] = { 0, 1, 0 }, old;

	for (uint64_t i = 0; i < all->chain; i++) {
		struct link *link = &shared->chain[id][i];

		link->delta = (int64_t)(1 + t_below(&rng, 1000));
		t_ok(lagoon_fetch_add(w, all->t, CHAIN_ROW, 0, link->delta,
				      &link->old), "fetch_add");
		t_ok(lagoon_fetch_add(w, all->t, MIXED_ROW, 1, -3, &old),
		     "fetch_add");
		t_ok(lagoon_add(w, all->t, MIXED_ROW, 1, one), "add");
		if (i % 50 == 0)
			t_ok(lagoon_clock(w), "clock");
	}
}

static int by_old(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->old < y->old ? -1 : x->old > y->old;
}

/* Each old value is the one before plus its delta: no two at once. */
static void chain_check(const struct tables *all, int workers)
{
	struct shared *shared = t_shared;
	size_t n = 0, total = (size_t)workers * all->chain;
	struct link *link = malloc(total * sizeof(*link));
	int64_t next = 0;

	T_CHECK(link, "no memory");
	for (int j = 0; j < workers; j++)
		for (uint64_t i = 0; i < all->chain; i++)
			link[n++] = shared->chain[j][i];
	qsort(link, total, sizeof(*link), by_old);
	for (size_t i = 0; i < total; i++) {
		T_CHECK(link[i].old == next, "link %zu begins at %lld, not %lld",
			i, (long long)link[i].old, (long long)next);
		next = link[i].old + link[i].delta;
	}
	free(link);
}

static void edge_check(struct lagoon_worker *w, const struct tables *all)
{
	const int64_t limit = INT64_C(1) << 62;
	int64_t old = 77;

	t_ok(lagoon_fetch_add(w, all->t, EDGE_ROW, 1, limit, &old), "to the limit");
	T_CHECK(old == 0, "old %lld", (long long)old);
	old = 77;
	t_expect(lagoon_fetch_add(w, all->t, EDGE_ROW, 1, 1, &old),
		 LAGOON_ERANGE, "beyond the limit");
	T_CHECK(old == 77, "an output was written by a call that failed");
	t_expect(lagoon_fetch_add(w, all->t, EDGE_ROW, 1, INT64_MAX, &old),
		 LAGOON_ERANGE, "far beyond the limit");
	t_ok(lagoon_fetch_add(w, all->t, EDGE_ROW, 1, -limit, &old), "back");
	T_CHECK(old == limit, "a rejected delta was added: %lld", (long long)old);
	t_ok(lagoon_fetch_add(w, all->t, EDGE_ROW, 1, -limit, &old), "down");
	t_expect(lagoon_fetch_add(w, all->t, EDGE_ROW, 1, -1, &old),
		 LAGOON_ERANGE, "below the limit");
	t_expect(lagoon_fetch_add(w, all->t, ROWS, 0, 1, &old), LAGOON_EINVAL,
		 "row out of range");
	t_expect(lagoon_fetch_add(w, all->t, 0, COLS, 1, &old), LAGOON_EINVAL,
		 "column out of range");
	t_expect(lagoon_fetch_add(w, all->narrow, 0, 0, 1, &old),
		 LAGOON_ENOTSUP, "an i32 table");
	t_expect(lagoon_fetch_add(w, all->fixed, 0, 0, 1, &old),
		 LAGOON_ENOTSUP, "a q64 table");
}

static int work(struct lagoon_worker *w, void *arg)
{
	const struct tables *all = arg;
	const struct shared *shared = t_shared;
	int workers = lagoon_workers(t_lg);
	int64_t row[COLS], want = -2 * (int64_t)all->chain * workers;

	tickets_draw(w, all);
	chain_draw(w, all);
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, all->t, MIXED_ROW, 1, row), "pull");
	T_CHECK(row[0] == 0 && row[1] == want && row[2] == 0,
		"fetch_adds and adds together made %lld, not %lld",
		(long long)row[1], (long long)want);
	t_ok(lagoon_pull(w, all->t, TICKET_ROW, 1, row), "pull");
	T_CHECK(row[2] == (int64_t)all->tickets + workers, "%lld tickets",
		(long long)row[2]);
	if (lagoon_worker_id(w))
		return 0;
	for (uint64_t i = 0; i < all->tickets; i++)
		T_CHECK(shared->drawn[i] == 1, "ticket %llu was not drawn",
			(unsigned long long)i);
	chain_check(all, workers);
	edge_check(w, all);
	return 0;
}

static struct lagoon_table *table_make(const char *name, int format)
{
	struct lagoon_table_attr attr;
	struct lagoon_table *t;

	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.cols = COLS;
	attr.format = format;
	attr.model = LAGOON_ASP;
	t_ok(lagoon_table_create(t_lg, name, &attr, &t), name);
	return t;
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;
	struct tables all = {
		.tickets = TICKETS, .chain = t_scaled(CHAIN, 100),
	};

	t_begin("tickets", sizeof(struct shared));
	if (all.chain > CHAIN)
		all.chain = CHAIN;
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2 && !strcmp(argv[1], "--workers"))
		attr.workers = t_workers(argv[2]);
	t_open(&attr, NULL);
	T_CHECK(lagoon_workers(t_lg) <= WORKERS, "too many workers");
	t_seed();
	all.t = table_make("tickets", LAGOON_I64);
	all.narrow = table_make("narrow", LAGOON_I32);
	all.fixed = table_make("fixed", LAGOON_Q64);
	t_ok(lagoon_run(t_lg, work, &all), "run");
	t_close();
	return 0;
}
