/* launch: -n 1 -- --workers 4 */
/* launch: -n 4 --nodes 1 */
/* launch: -n 4 --nodes 4 */
/* launch: -n 3 --nodes 3 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adders at the edge of the legal range, and readers beside them: no read is
 * ever outside the range and its guard band, and at the end every stored
 * integer is its start plus the accepted deltas, exactly.
 *
 * Each worker makes one add a round: it was accepted when lagoon_add() and
 * the lagoon_clock() after it both say so. Two elements side by side (for
 * narrow formats the two lanes of one word) are attacked at once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/element.h"
#include "test/support/test.h"

enum {
	KINDS = 4, WORKERS = 8, ROUNDS = 400,
	ROWS = 64, COLS = 4, ELEMS = ROWS * COLS,
	HOT_ROW = 37, HOT = HOT_ROW * COLS,	/* and HOT + 1 */
	QUIET_ROW = 5, QUIET_COL = 2,
};

/* With types that hold every sum, and more than the lane does. */
static const struct el_kind kinds[KINDS] = {
	{ LAGOON_I64, LAGOON_INT64, 0 }, { LAGOON_I32, LAGOON_INT64, 0 },
	{ LAGOON_Q64, LAGOON_F64, 32 }, { LAGOON_Q32, LAGOON_F64, 20 },
};

struct shared {
	int64_t accepted[KINDS][2][WORKERS];
	_Atomic uint64_t rejected[KINDS];
};

struct table {
	struct lagoon_table *t;
	int kind;
	char name[16];
	int64_t limit;
	int64_t grain;		/* deltas are multiples: exact in the type */
	int64_t bound;		/* of one fetch-and-add */
	int64_t slack;		/* limit - start */
	_Atomic uint64_t rejected;	/* in this process */
};

struct me {
	struct lagoon_worker *w;
	int id;
	struct t_rng rng;
	struct table *table;
	int64_t net;		/* accepted so far: never negative */
};

static int add_one(struct me *me, uint64_t e, int64_t lane)
{
	uint64_t row = e / COLS, buf[COLS] = { 0 };

	for (size_t i = 0; i < COLS; i++)
		el_put(&kinds[me->table->kind], buf, i,
		       i == e % COLS ? lane : 0);
	return lagoon_add(me->w, me->table->t, row, 1, buf);
}

static int64_t read_one(struct me *me, uint64_t e)
{
	const struct el_kind *kind = &kinds[me->table->kind];
	uint64_t buf[COLS];
	int64_t lane;

	t_ok(lagoon_pull(me->w, me->table->t, e / COLS, 1, buf), "pull");
	T_CHECK(el_get(kind, buf, e % COLS, &lane), "%s: no whole unit",
		me->table->name);
	return lane;
}

/* The message of a rejection has all that one needs to find it. */
static void message_check(const struct table *table, long row, long col)
{
	const char *text = lagoon_errmsg();

	T_CHECK(strstr(text, table->name) && t_names(text, "row ", row) &&
		t_names(text, "column ", col),
		"the message names not table, row and column: %s", text);
}

/* Up, down by no more than came up, small and large. */
static int64_t delta_draw(struct me *me)
{
	const struct table *table = me->table;
	uint64_t grain = (uint64_t)table->grain;
	uint64_t most = (uint64_t)table->bound / grain;
	int64_t d;

	switch (t_below(&me->rng, 4)) {
	case 0:
		most = 16;
		break;
	case 1:
		most *= 3;	/* by compare-and-swap */
		break;
	}
	d = (int64_t)((1 + t_below(&me->rng, most)) * grain);
	if (t_below(&me->rng, 5) < 2)
		return -(d < me->net ? d : me->net);
	return d;
}

/* Reads must lie between the start (less what is about to be taken back) and
 * the end of the guard band. */
static void read_check(struct me *me, int64_t pending)
{
	const struct table *table = me->table;
	int64_t guard = table->limit / 2 + pending;

	for (uint64_t e = HOT; e < HOT + 2; e++) {
		int64_t v = read_one(me, e);

		T_CHECK(v >= table->limit - table->slack - guard &&
			v <= table->limit + guard,
			"%s: read %" PRId64 " at a limit of %" PRId64
			": the lane wrapped", table->name, v, table->limit);
	}
}

static void one_round(struct me *me)
{
	struct table *table = me->table;
	struct shared *shared = t_shared;
	int lane = me->id & 1;
	int64_t d = delta_draw(me);
	int rc = add_one(me, HOT + (uint64_t)lane, d);

	if (rc != LAGOON_ERANGE)
		t_ok(rc, "add");
	else
		message_check(table, HOT_ROW, lane);
	if (t_once_in(&me->rng, 2))
		read_check(me, 3 * table->bound);
	if (!rc) {
		rc = lagoon_clock(me->w);
		if (rc != LAGOON_ERANGE)
			t_ok(rc, "clock");
		else
			message_check(table, HOT_ROW, lane);
	} else {
		t_ok(lagoon_clock(me->w), "clock with nothing to flush");
	}
	if (rc) {
		atomic_fetch_add(&table->rejected, 1);
		atomic_fetch_add(&shared->rejected[table->kind], 1);
	} else {
		me->net += d;
		shared->accepted[table->kind][lane][me->id] += d;
	}
	read_check(me, 0);
}

static void final_check(struct me *me)
{
	const struct table *table = me->table;
	const struct shared *shared = t_shared;

	for (uint64_t e = 0; e < ELEMS; e++) {
		int64_t want = 0, got = read_one(me, e);

		if (e == HOT || e == HOT + 1) {
			want = table->limit - table->slack;
			for (int j = 0; j < WORKERS; j++)
				want += shared->accepted[table->kind][e - HOT][j];
		}
		T_CHECK(got == want, "%s: element %" PRIu64 " is %" PRId64
			", accepted were %" PRId64, table->name, e, got, want);
	}
}

/* Nobody else adds: what is rejected is known beforehand. */
static void quiet_check(struct me *me, int sign)
{
	struct table *table = me->table;
	uint64_t e = QUIET_ROW * COLS + QUIET_COL;
	int64_t edge = sign * table->limit;
	int rc;

	t_ok(add_one(me, e, edge), "an element at the limit");
	t_ok(lagoon_clock(me->w), "clock");
	T_CHECK(read_one(me, e) == edge, "the limit is not stored");
	rc = add_one(me, e, sign * table->grain);
	rc = rc ? rc : lagoon_clock(me->w);
	t_expect(rc, LAGOON_ERANGE, "one grain above the limit");
	message_check(table, QUIET_ROW, QUIET_COL);
	atomic_fetch_add(&table->rejected, 1);
	T_CHECK(read_one(me, e) == edge, "a rejected delta was stored");
	t_ok(add_one(me, e, -edge), "back");
	t_ok(lagoon_clock(me->w), "clock");
	T_CHECK(read_one(me, e) == 0, "not back at 0");
}

/* A delta that does not fit stops the call: those before it are added. */
static void misfit_check(struct me *me)
{
	struct table *table = me->table;
	const struct el_kind *kind = &kinds[table->kind];
	uint64_t rows[3] = { 1, 2, 3 }, buf[3 * COLS] = { 0 };

	for (size_t i = 0; i < 3 * COLS; i++)
		el_put(kind, buf, i, table->grain);
	el_put(kind, buf, COLS + 1, table->limit + table->grain * 2);
	t_expect(lagoon_add_rows(me->w, table->t, rows, 3, buf), LAGOON_ERANGE,
		 "a delta that does not fit");
	message_check(table, 2, 1);
	atomic_fetch_add(&table->rejected, 1);
	for (uint64_t i = 0; i < 3 * COLS; i++)
		T_CHECK(read_one(me, COLS + i) == (i <= COLS ? table->grain : 0),
			"%s: element %" PRIu64 " after a delta that does not fit",
			table->name, i);
	for (size_t i = 0; i < 3 * COLS; i++)
		el_put(kind, buf, i, i <= COLS ? -table->grain : 0);
	t_ok(lagoon_add_rows(me->w, table->t, rows, 3, buf), "back");
	t_ok(lagoon_clock(me->w), "clock");
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct me me = { .w = w, .id = lagoon_worker_id(w), .table = arg };
	struct table *table = arg;
	uint64_t rounds = t_scaled(ROUNDS, 20);

	me.rng.state = t_mix(t_seed(), (uint64_t)(table->kind * 100 + me.id));
	if (me.id == 0) {
		quiet_check(&me, 1);
		quiet_check(&me, -1);
		misfit_check(&me);
		for (uint64_t e = HOT; e < HOT + 2; e++)
			t_ok(add_one(&me, e, table->limit - table->slack),
			     "start");
	}
	t_ok(lagoon_barrier(w), "barrier");
	for (uint64_t r = 0; r < rounds; r++)
		one_round(&me);
	t_ok(lagoon_barrier(w), "barrier");
	final_check(&me);
	return 0;
}

static void table_make(struct table *table, int kind)
{
	struct lagoon_table_attr attr;
	bool narrow = kinds[kind].format == LAGOON_I32 ||
		      kinds[kind].format == LAGOON_Q32;

	memset(table, 0, sizeof(*table));
	table->kind = kind;
	table->limit = el_limit(&kinds[kind]);
	table->grain = kinds[kind].format == LAGOON_Q64 ? 4096 : 1;
	table->bound = (narrow ? INT64_C(1) << 28 : INT64_C(1) << 60) /
		       lagoon_workers(t_lg);
	table->slack = table->bound / table->grain * table->grain * 2;
	snprintf(table->name, sizeof(table->name), "brim%d", kind);
	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.cols = COLS;
	attr.format = kinds[kind].format;
	attr.type = kinds[kind].type;
	attr.model = LAGOON_ASP;
	t_ok(lagoon_table_create(t_lg, table->name, &attr, &table->t),
	     table->name);
}

int main(int argc, char **argv)
{
	const struct shared *shared;
	struct lagoon_attr attr;
	struct table table;

	t_begin("overflow", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2 && !strcmp(argv[1], "--workers"))
		attr.workers = t_workers(argv[2]);
	t_open(&attr, NULL);
	T_CHECK(lagoon_workers(t_lg) <= WORKERS, "too many workers");
	shared = t_shared;
	t_seed();
	for (int kind = 0; kind < KINDS; kind++) {
		struct lagoon_stats st = { .size = sizeof(st) };

		table_make(&table, kind);
		t_ok(lagoon_run(t_lg, work, &table), "run");
		t_ok(lagoon_table_stats(table.t, &st), "stats");
		T_CHECK(st.rejected == table.rejected,
			"statistics: %llu rejected, %llu seen",
			(unsigned long long)st.rejected,
			(unsigned long long)table.rejected);
		t_ok(lagoon_table_destroy(table.t), "destroy");
		t_sync();
		T_CHECK(shared->rejected[kind] > 0,
			"%s: nothing was rejected: the test tests nothing",
			table.name);
		if (lagoon_rank(t_lg) == 0)
			printf("%s: %llu rejected\n", table.name,
			       (unsigned long long)shared->rejected[kind]);
	}
	t_close();
	return 0;
}
