/* launch: -n 1 --nodes 1 -- --workers 4 */
/* launch: -n 2 --nodes 2 -- --workers 2 */
/* launch: -n 2 --nodes 2 -- --workers 4 */
/* launch: -n 4 --nodes 2 -- --workers 1 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Refills, flushes and adds of the same few pages against each other, as
 * tight as it goes: no log, no pauses. Element e belongs to worker e mod W;
 * its owner adds 1 to all that it has, pulls everything, and ends the round.
 * A pull must show its own elements at exactly the number of its adds (I2),
 * the others' between what the bound demands and what they have begun (I1,
 * I3), and never less than before (I4).
 *
 *	pages [--workers A,B,...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/element.h"
#include "test/support/test.h"

enum {
	ROWS = 96, COLS = 3, ELEMS = ROWS * COLS, PAGE_ROWS = 64,
	WORKERS = 8, ROUNDS = 4000, KINDS = 3,
};

static const int32_t bounds[KINDS] = { 0, 3, -1 };	/* -1: asp */
static const struct el_kind kinds[KINDS] = {
	{ LAGOON_I32, LAGOON_INT32, 0 }, { LAGOON_Q64, LAGOON_F64, 32 },
	{ LAGOON_I64, LAGOON_INT64, 0 },
};

struct shared {
	_Atomic int64_t begun[WORKERS];
};

struct me {
	struct lagoon_worker *w;
	struct lagoon_table *t;
	int kind;
	int id;
	int workers;
	int64_t round;
	int64_t seen[ELEMS];
	uint64_t delta[ELEMS];	/* 1 where an element is mine */
	uint64_t buf[ELEMS];
};

static void one_check(struct me *me, int e, int64_t v)
{
	const struct shared *shared = t_shared;
	int owner = e % me->workers;
	int64_t least = me->seen[e], most;

	if (owner == me->id) {
		T_CHECK(v == me->round + 1,
			"I2: worker %d added %lld to element %d, a pull shows %lld",
			me->id, (long long)me->round + 1, e, (long long)v);
		return;
	}
	most = atomic_load(&shared->begun[owner]);
	if (bounds[me->kind] >= 0 && me->round - bounds[me->kind] > least)
		least = me->round - bounds[me->kind];
	T_CHECK(v >= least && v <= most,
		"worker %d in round %lld, bound %d: element %d of worker %d is %lld, legal %lld to %lld",
		me->id, (long long)me->round, bounds[me->kind], e, owner,
		(long long)v, (long long)least, (long long)most);
	me->seen[e] = v;
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct shared *shared = t_shared;
	struct me *me = malloc(sizeof(*me));
	const struct el_kind *kind;
	uint64_t rounds = t_scaled(ROUNDS, 200);

	T_CHECK(me, "no memory");
	memcpy(me, arg, sizeof(*me));
	me->w = w;
	me->id = lagoon_worker_id(w);
	kind = &kinds[me->kind];
	for (int e = 0; e < ELEMS; e++)
		el_put(kind, me->delta, (size_t)e, e % me->workers == me->id);
	for (me->round = 0; me->round < (int64_t)rounds; me->round++) {
		int64_t v;

		atomic_fetch_add(&shared->begun[me->id], 1);
		t_ok(lagoon_add(w, me->t, 0, ROWS, me->delta), "add");
		t_ok(lagoon_pull(w, me->t, 0, ROWS, me->buf), "pull");
		for (int e = 0; e < ELEMS; e++) {
			T_CHECK(el_get(kind, me->buf, (size_t)e, &v),
				"no whole unit");
			one_check(me, e, v);
		}
		t_ok(lagoon_clock(w), "clock");
	}
	free(me);
	return 0;
}

static void run(int kind)
{
	struct shared *shared = t_shared;
	struct lagoon_table_attr attr;
	static struct me me;

	t_sync();
	memset(&me, 0, sizeof(me));
	me.kind = kind;
	me.workers = lagoon_workers(t_lg);
	for (int j = 0; j < WORKERS && lagoon_rank(t_lg) == 0; j++)
		atomic_store(&shared->begun[j], 0);
	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.cols = COLS;
	attr.format = kinds[kind].format;
	attr.type = kinds[kind].type;
	attr.page_rows = PAGE_ROWS;
	attr.model = bounds[kind] < 0 ? LAGOON_ASP : LAGOON_SSP;
	attr.staleness = bounds[kind] < 0 ? 0 : bounds[kind];
	t_ok(lagoon_table_create(t_lg, "pages", &attr, &me.t), "create");
	t_ok(lagoon_run(t_lg, work, &me), "run");
	t_ok(lagoon_table_destroy(me.t), "destroy");
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("pages", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2 && !strcmp(argv[1], "--workers"))
		attr.workers = t_workers(argv[2]);
	t_open(&attr, NULL);
	T_CHECK(lagoon_workers(t_lg) <= WORKERS, "too many workers");
	for (int kind = 0; kind < KINDS; kind++)
		run(kind);
	t_close();
	return 0;
}
