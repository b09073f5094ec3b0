/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One process of a node kills itself with SIGKILL in the middle of whatever it
 * is doing, and on_death=continue: the others go on with the cache and the
 * deltas that they shared with it. All add to the same rows. At the end no row
 * holds more than was added, and rows that hold less are no more than the words
 * that the survivors report as uncertain. Run by test/job/mates.sh.
 *
 *	mate --victim R [--workers A,B,...] [--delay] [--pushing] [--vap]
 *
 * With --delay over the wire that delays; with --pushing it dies in a push. With
 * --vap every add sends, and needs what the dead process held.
 * Each survivor prints "survivor R: N words uncertain".
 */
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/core.h"
#include "test/support/test.h"
#include "test/wires/delay.h"

enum {
	ROWS = 300, PAGE_ROWS = 8, FEW = 40, RANKS = 8,
	AHEAD = 12,		/* no worker can be so many rounds before another */
	STALE = 3,
};

struct shared {
	_Atomic int dying;
	_Atomic int last;		/* round of those who go on */
	_Atomic int64_t begun[ROWS], done[ROWS];	/* adds */
	uint64_t uncertain[RANKS];
	_Atomic int told;
};

struct mate {
	int victim;
	bool pushing;
	int model;
	struct lagoon_table *t;
};

/* It has words that no shard and no delta word may have. */
static bool mine_is_pushing(void)
{
	const struct lgn_control *c = t_lg->node.control;

	return atomic_load(&c->pusher) == (uint32_t)t_lg->rank + 1 &&
		atomic_load(&c->taken) > 1;
}

static void *die_sometime(void *arg)
{
	const struct mate *m = arg;
	struct shared *shared = t_shared;
	struct t_rng rng = { t_mix(t_seed(), 5) };
	long us = 2000 + (long)t_below(&rng, 150000);
	struct timespec ts = { .tv_nsec = us * 1000 };

	nanosleep(&ts, NULL);
	while (m->pushing && !mine_is_pushing())
		sched_yield();
	atomic_store(&shared->dying, 1);
	kill(getpid(), SIGKILL);
	return arg;
}

/* Workers that go on leave in the same round: nobody waits for one that left
 * earlier, but all are to be there for the barrier. */
static bool is_last(int round)
{
	struct shared *shared = t_shared;
	int last = 0;

	if (atomic_load(&shared->dying))
		atomic_compare_exchange_strong(&shared->last, &last, round + AHEAD);
	last = atomic_load(&shared->last);
	return last && round >= last;
}

static void add_some(struct lagoon_worker *w, const struct mate *m,
		     struct t_rng *rng)
{
	struct shared *shared = t_shared;
	int64_t one[FEW];
	uint64_t rows[FEW];

	for (int i = 0; i < FEW; i++) {
		one[i] = 1;
		rows[i] = t_below(rng, ROWS);
		atomic_fetch_add(&shared->begun[rows[i]], 1);
	}
	t_ok(lagoon_add_rows(w, m->t, rows, FEW, one), "add");
	for (int i = 0; i < FEW; i++)
		atomic_fetch_add(&shared->done[rows[i]], 1);
}

static uint64_t missing(struct lagoon_worker *w, const struct mate *m)
{
	const struct shared *shared = t_shared;
	int64_t got[ROWS];
	uint64_t n = 0;

	t_ok(lagoon_pull(w, m->t, 0, ROWS, got), "last pull");
	for (int i = 0; i < ROWS; i++) {
		int64_t begun = atomic_load(&shared->begun[i]);

		T_CHECK(got[i] <= begun, "I3: row %d holds %lld, added were %lld",
			i, (long long)got[i], (long long)begun);
		n += got[i] < atomic_load(&shared->done[i]);
	}
	return n;
}

static int work(struct lagoon_worker *w, void *arg)
{
	const struct mate *m = arg;
	struct t_rng rng = { t_mix(t_seed(), 100 + (uint64_t)lagoon_worker_id(w)) };
	int64_t got[PAGE_ROWS];

	for (int round = 0; !is_last(round); round++) {
		add_some(w, m, &rng);
		t_ok(lagoon_pull(w, m->t, t_below(&rng, ROWS - PAGE_ROWS),
				 PAGE_ROWS, got), "pull");
		t_ok(lagoon_clock(w), "clock");
	}
	t_ok(lagoon_barrier(w), "barrier after a death");
	return 0;
}

/* Which rank was first to look does not matter: the sum does. */
static void verdict(struct lagoon_worker *w, const struct mate *m)
{
	struct lagoon_stats st = { .size = sizeof(st) };
	struct shared *shared = t_shared;
	uint64_t less, all = 0;

	t_ok(lagoon_table_stats(m->t, &st), "stats");
	shared->uncertain[lagoon_rank(t_lg)] = st.uncertain;
	atomic_fetch_add(&shared->told, 1);
	t_await(&shared->told, lagoon_size(t_lg) - 1);
	for (int r = 0; r < lagoon_size(t_lg); r++)
		all += shared->uncertain[r];
	less = missing(w, m);
	T_CHECK(less <= all, "%llu rows hold less than was added, but only %llu words are uncertain",
		(unsigned long long)less, (unsigned long long)all);
	printf("survivor %d: %llu words uncertain, %llu rows short\n",
	       lagoon_rank(t_lg), (unsigned long long)st.uncertain,
	       (unsigned long long)less);
}

static int last_look(struct lagoon_worker *w, void *arg)
{
	struct lagoon_worker *first;

	t_ok(lagoon_worker(t_lg, 0, &first), "worker");
	if (w == first)
		verdict(w, arg);
	return 0;
}

static int open_on_delay(const struct lagoon_attr *attr, struct lagoon **lg)
{
	struct delay_config config = {
		.seed = t_seed(), .hold = 3, .again = 3, .linger = 10,
	};

	delay_configure(&config);
	return lgn_open_on(attr, &lgn_wire_delay, lg);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "victim", required_argument, NULL, 'v' },
		{ "workers", required_argument, NULL, 'w' },
		{ "delay", no_argument, NULL, 'd' },
		{ "pushing", no_argument, NULL, 'p' },
		{ "vap", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct mate m = { .victim = 1, .model = LAGOON_SSP };
	struct lagoon_table_attr shape;
	struct lagoon_attr attr;
	t_open_fn open = NULL;
	pthread_t thread;
	int c;

	t_begin("mate", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.on_death = LAGOON_DEATH_CONTINUE;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'v')
			m.victim = atoi(optarg);
		else if (c == 'w')
			attr.workers = t_workers(optarg);
		else if (c == 'd')
			open = open_on_delay;
		else if (c == 'p')
			m.pushing = true;
		else if (c == 'V')
			m.model = LAGOON_VAP;
	}
	t_open(&attr, open);
	T_CHECK(lagoon_size(t_lg) <= RANKS, "too many processes");
	t_seed();
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.format = LAGOON_I64;
	shape.page_rows = PAGE_ROWS;
	shape.staleness = STALE;
	shape.model = m.model;
	t_ok(lagoon_table_create(t_lg, "shared", &shape, &m.t), "create");
	if (lagoon_rank(t_lg) == m.victim)
		pthread_create(&thread, NULL, die_sometime, &m);
	t_ok(lagoon_run(t_lg, work, &m), "run");
	t_ok(lagoon_run(t_lg, last_look, &m), "run");
	t_close();
	return 0;
}
