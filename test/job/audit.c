/* launch: -n 2 --nodes 2 -- none */
/* launch: -n 2 --nodes 2 -- drop */
/* launch: -n 2 --nodes 2 -- twice */
/* launch: -n 2 --nodes 2 -- missing */
/* launch: -n 2 --nodes 2 -- again */
/* launch: -n 2 --nodes 2 -- stale */
/* launch: -n 2 --nodes 2 -- apart */
/* launch: -n 2 --nodes 2 -- old */
/* launch: -n 2 --nodes 2 -- clocks */
/* launch: -n 2 --nodes 2 -- resumed */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LAGOON_CHECK=1 over a wire that lies (test/wires/lying.h): each promise that
 * is broken on purpose is found, by the call that can see it, with rank, worker,
 * table and row; and nothing is found when the wire tells the truth; also when
 * what the table held was restored. Links to the internals of liblagoon.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core.h"
#include "test/support/test.h"
#include "test/wires/lying.h"

enum { READER = 0, WRITER = 1, ROWS = 100, ROW = 7, ROUNDS = 20 };

struct shared {
	_Atomic int at[2];	/* steps that rank r has made */
};

struct scene {
	const char *name;
	int model;
	int reader;		/* what it and the writer lie about */
	int writer;
	unsigned times;
	const char *found;	/* NULL: nothing */
	int finder;		/* rank; -1: both */
};

static const struct scene scenes[] = {
	{ "none", LAGOON_SSP, LIE_NONE, LIE_NONE, 0, NULL, -1 },
	{ "drop", LAGOON_SSP, LIE_NONE, LIE_DROP, 1,
	  "I3: table seen row 7 column 0: the shard holds 0 units, 1 were given", -1 },
	{ "twice", LAGOON_SSP, LIE_NONE, LIE_TWICE, 1,
	  "I3: table seen row 7 column 0: the shard holds 2 units, 1 were given", -1 },
	{ "missing", LAGOON_SSP, LIE_NONE, LIE_DROP, 1000,
	  "I2, own delta missing: worker 1 at clock 1, table seen row 7", WRITER },
	{ "again", LAGOON_SSP, LIE_NONE, LIE_TWICE, 1000,
	  "I2, own delta twice: worker 1 at clock 1, table seen row 7", WRITER },
	{ "stale", LAGOON_SSP, LIE_STALE, LIE_NONE, 1000,
	  "I1, too old: worker 0 at clock 1, table seen row 7", READER },
	{ "apart", LAGOON_BSP, LIE_NONE, LIE_TWICE, 1000,
	  "I1, rounds not kept apart: worker 0 at clock 1, table seen row 7", READER },
	{ "old", LAGOON_ASP, LIE_OLD, LIE_NONE, 1000,
	  "I4, older than seen before: worker 0 at clock 2, table seen row 7", READER },
	{ "clocks", LAGOON_SSP, LIE_CLOCKS, LIE_NONE, 1,
	  "I1, did not wait: worker 0 at clock 1, table seen row 7", READER },
	{ "resumed", LAGOON_SSP, LIE_NONE, LIE_DROP, 1,
	  "I3: table seen row 7 column 0: the shard holds 40 units, 41 were given", -1 },
};

static const struct scene *scene;
static struct lagoon_table *table;

/* Rank r has come to this step. */
static void step(int rank, int number)
{
	struct shared *shared = t_shared;

	atomic_store(&shared->at[rank], number);
}

static void await(int rank, int number)
{
	struct shared *shared = t_shared;

	t_await(&shared->at[rank], number);
}

static void lie(int what)
{
	uint32_t bytes = (uint32_t)table->layout.page_words * 8;

	lying_begin((enum lie)what,
		    what == LIE_CLOCKS ? (uint32_t)lagoon_size(t_lg) * 8 : bytes,
		    scene->times);
}

static int add_one(struct lagoon_worker *w)
{
	int64_t one = 1;

	return lagoon_add(w, table, ROW, 1, &one);
}

static int pull_one(struct lagoon_worker *w)
{
	int64_t x;

	return lagoon_pull(w, table, ROW, 1, &x);
}

/* A round in which the writer's add goes wrong on its way to the shard. */
static int wrong_round(struct lagoon_worker *w)
{
	int rc = 0;

	if (lagoon_rank(t_lg) == WRITER) {
		lie(scene->writer);
		rc = add_one(w);
	}
	if (!rc)
		rc = lagoon_clock(w);
	lying_begin(LIE_NONE, 0, 0);
	return rc;
}

/* The next meeting finds it. */
static int sums(struct lagoon_worker *w)
{
	int rc = wrong_round(w);

	return rc ? rc : lagoon_barrier(w);
}

/* The same with all of them; the writer itself is the first to see it. */
static int own(struct lagoon_worker *w)
{
	int rc = wrong_round(w);

	if (!rc && lagoon_rank(t_lg) == WRITER)
		rc = pull_one(w);
	return rc;
}

/* What the reader gets at clock 1 must have the writer's round 0, and under
 * bsp just that. */
static int rounds(struct lagoon_worker *w)
{
	bool writer = lagoon_rank(t_lg) == WRITER;
	int rc;

	if (writer)
		await(READER, 1);
	rc = writer ? add_one(w) : pull_one(w);
	if (!writer)
		step(READER, 1);
	lie(writer ? scene->writer : scene->reader);
	if (!rc)
		rc = lagoon_clock(w);
	if (!rc && !writer)
		rc = pull_one(w);
	lying_begin(LIE_NONE, 0, 0);
	return rc;
}

static int old_reader(struct lagoon_worker *w)
{
	int rc = pull_one(w);

	step(READER, 1);
	await(WRITER, 1);
	if (!rc)
		rc = lagoon_clock(w);
	if (!rc)
		rc = pull_one(w);
	T_CHECK(!rc, "%s", lagoon_errmsg());
	lie(scene->reader);
	rc = lagoon_clock(w);
	if (!rc)
		rc = pull_one(w);
	lying_begin(LIE_NONE, 0, 0);
	step(READER, 2);
	return rc;
}

static int old_writer(struct lagoon_worker *w)
{
	int rc;

	await(READER, 1);
	rc = add_one(w);
	if (!rc)
		rc = lagoon_clock(w);
	step(WRITER, 1);
	await(READER, 2);
	return rc;
}

/* The writer stands at clock 0 while the reader is made to believe that it is
 * far ahead. */
static int clocks(struct lagoon_worker *w)
{
	int rc;

	if (lagoon_rank(t_lg) == WRITER) {
		await(READER, 1);
		return 0;
	}
	rc = lagoon_clock(w);
	lie(scene->reader);
	if (!rc)
		rc = pull_one(w);
	lying_begin(LIE_NONE, 0, 0);
	step(READER, 1);
	return rc;
}

static int truth(struct lagoon_worker *w)
{
	int rc = 0;

	for (int i = 0; i < ROUNDS && !rc; i++) {
		rc = pull_one(w);
		if (!rc)
			rc = add_one(w);
		if (!rc)
			rc = lagoon_clock(w);
		if (!rc && i % 5 == 4)
			rc = lagoon_barrier(w);
	}
	return rc;
}

static int play(struct lagoon_worker *w)
{
	const char *name = scene->name;

	if (!strcmp(name, "drop") || !strcmp(name, "twice") ||
	    !strcmp(name, "resumed"))
		return sums(w);
	if (!strcmp(name, "missing") || !strcmp(name, "again"))
		return own(w);
	if (!strcmp(name, "stale") || !strcmp(name, "apart"))
		return rounds(w);
	if (!strcmp(name, "old"))
		return lagoon_rank(t_lg) == READER ? old_reader(w) : old_writer(w);
	return !strcmp(name, "clocks") ? clocks(w) : truth(w);
}

/* "resumed": 2 x ROUNDS adds, and they come back after as many more. */
static int save(struct lagoon_worker *w, void *arg)
{
	int rc = truth(w);

	if (!rc)
		rc = lagoon_checkpoint(w, arg, NULL, 0);
	return rc ? rc : truth(w);
}

static void resume(void)
{
	const char *folder = t_folder();
	size_t none = 0;

	t_ok(lagoon_run(t_lg, save, (void *)folder), "run");
	t_ok(lagoon_restore(t_lg, folder, NULL, &none), "restore");
	t_sync();
	t_folder_remove();
}

/* Who sees it says it, and goes on saying it. */
static int work(struct lagoon_worker *w, void *arg)
{
	bool finds = scene->found &&
		(scene->finder < 0 || scene->finder == lagoon_rank(t_lg));
	int rc = play(w);

	(void)arg;
	T_CHECK(rc == (finds ? LAGOON_ECORRUPT : 0), "%s returned %d: %s",
		scene->name, rc, lagoon_errmsg());
	if (!finds)
		return 0;
	T_CHECK(strstr(lagoon_errmsg(), scene->found) &&
		t_names(lagoon_errmsg(), "rank ", lagoon_rank(t_lg)),
		"%s says \"%s\", expected \"%s\"", scene->name, lagoon_errmsg(),
		scene->found);
	t_expect(add_one(w), LAGOON_ECORRUPT, "add after a violation");
	t_expect(lagoon_clock(w), LAGOON_ECORRUPT, "clock after a violation");
	T_CHECK(strstr(lagoon_errmsg(), scene->found), "it says \"%s\" later",
		lagoon_errmsg());
	return 0;
}

static int open_on_lying(const struct lagoon_attr *attr, struct lagoon **lg)
{
	return lgn_open_on(attr, lying_wire(), lg);
}

int main(int argc, char **argv)
{
	struct lagoon_table_attr shape;
	struct lagoon_attr attr;
	bool wrong;
	int rc;

	t_begin("audit", sizeof(struct shared));
	setenv("LAGOON_CHECK", "1", 1);
	for (size_t i = 0; i < T_COUNT(scenes); i++)
		if (argc > 1 && !strcmp(argv[1], scenes[i].name))
			scene = &scenes[i];
	T_CHECK(scene, "no such scene");
	t_ok(lagoon_attr_init(&attr), "attr_init");
	t_open(&attr, open_on_lying);
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.format = LAGOON_I64;
	shape.model = scene->model;
	t_ok(lagoon_table_create(t_lg, "seen", &shape, &table), "create");
	lying_begin(LIE_NONE, (uint32_t)table->layout.page_words * 8, 0);
	if (!strcmp(scene->name, "resumed"))
		resume();
	t_ok(lagoon_run(t_lg, work, NULL), "run");
	/* Adds that went wrong are found at the latest now. */
	wrong = scene->writer != LIE_NONE;
	rc = lagoon_table_destroy(table);
	T_CHECK(rc == (wrong ? LAGOON_ECORRUPT : 0), "destroy returned %d: %s", rc,
		lagoon_errmsg());
	t_close();
	return 0;
}
