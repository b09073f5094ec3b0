/* launch: -n 1 -- --workers 2 */
/* launch: -n 2 --nodes 1 */
/* launch: -n 2 --nodes 2 */
/* launch: -n 3 --nodes 2 -- --workers 2,1,0 */
/* launch: -n 2 --nodes 1 -- --check 1 */
/* launch: -n 3 --nodes 2 -- --workers 2,1,0 --check 1 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls about checkpoints: what they refuse, in every worker, and that
 * nothing is written or changed then; what a checkpoint has of a job that goes
 * on; restoring into tables that are there, and making them. --check: with
 * LAGOON_CHECK, which then finds nothing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/support/temp.h"
#include "test/support/test.h"

enum {
	ROWS = 700, COLS = 3, ALL = ROWS * COLS, ROUND = 4, MORE = 3,
	TIMES = 6,
};
#define STEP "momentum,rate=0.25,momentum=0.5"

static struct lagoon_table *bsp, *ssp, *big, *step, *user;
static uint64_t big_rows;
static const char *folder;
static char dir[TEMP_PATH + 8], none[TEMP_PATH + 8];

static void make(const char *name, int model, uint64_t rows,
		 struct lagoon_table **t)
{
	struct lagoon_table_attr a;

	lagoon_table_attr_init(&a);
	a.rows = rows;
	a.cols = COLS;
	a.format = LAGOON_I64;
	a.model = model;
	a.staleness = model == LAGOON_SSP ? 3 : 0;
	t_ok(lagoon_table_create(t_lg, name, &a, t), "create");
}

/* A table in apply mode; one column. */
static void make_apply(const char *name, int model, const char *update,
		       struct lagoon_table **t)
{
	struct lagoon_table_attr a;

	lagoon_table_attr_init(&a);
	a.rows = ROWS;
	a.format = LAGOON_FLOAT64;
	a.model = model;
	a.push = LAGOON_PUSH_APPLY;
	a.update = update;
	t_ok(lagoon_table_create(t_lg, name, &a, t), "create");
}

static void add_step(struct lagoon_worker *w, struct lagoon_table *t)
{
	double g[ROWS];

	for (int i = 0; i < ROWS; i++)
		g[i] = 1 + i;
	t_ok(lagoon_add(w, t, 0, ROWS, g), "add");
}

/* Each worker has made n steps with momentum, as STEP says. */
static void stepped(struct lagoon_worker *w, int64_t n, const char *when)
{
	double buf[ROWS], v = 0, x = 0;

	for (int64_t i = 0; i < n * lagoon_workers(t_lg); i++) {
		v = 0.5 * v - 0.25;
		x += v;
	}
	t_ok(lagoon_pull(w, step, 0, ROWS, buf), "pull");
	for (int i = 0; i < ROWS; i++)
		T_CHECK(fabs(buf[i] - x * (1 + i)) <= 1e-12 * fabs(x) * (1 + i),
			"%s: row %d is %.17g, expected %.17g", when, i, buf[i],
			x * (1 + i));
}

static void add_one(struct lagoon_worker *w, struct lagoon_table *t)
{
	int64_t one[ALL];

	for (int i = 0; i < ALL; i++)
		one[i] = 1 + i;
	t_ok(lagoon_add(w, t, 0, ROWS, one), "add");
}

/* Each worker has added n times. */
static void holds(struct lagoon_worker *w, struct lagoon_table *t, int64_t n,
		  const char *when)
{
	int64_t buf[ALL];

	t_ok(lagoon_pull(w, t, 0, ROWS, buf), "pull");
	for (int i = 0; i < ALL; i++)
		T_CHECK(buf[i] == n * lagoon_workers(t_lg) * (1 + i),
			"%s: element %d is %lld", when, i, (long long)buf[i]);
}

/* ------------------------------------------------------------- mistakes */

/* The folder may be there, but there is nothing in it. */
static void refused(int rc, const char *what)
{
	char path[sizeof(none) + 16];

	t_expect(rc, LAGOON_EINVAL, what);
	snprintf(path, sizeof(path), "%s/manifest", none);
	T_CHECK(access(path, F_OK), "%s: it is written", what);
}

/* What all workers do wrong, or the first. */
static int mistakes(struct lagoon_worker *w, void *arg)
{
	struct lagoon_request *req;
	int64_t buf[COLS];
	int first = !lagoon_worker_id(w);

	if (first)
		add_one(w, ssp);
	refused(lagoon_checkpoint(w, none, NULL, 0), "after an add");
	if (first)
		T_CHECK(strstr(lagoon_errmsg(), "since its last lagoon_clock()"),
			"after an add: %s", lagoon_errmsg());
	t_ok(lagoon_clock(w), "clock");
	if (first)
		add_step(w, arg);
	refused(lagoon_checkpoint(w, none, NULL, 0), "after an add in apply mode");
	if (first)
		T_CHECK(strstr(lagoon_errmsg(), "since its last lagoon_clock()"),
			"after an add in apply mode: %s", lagoon_errmsg());
	t_ok(lagoon_clock(w), "clock");
	if (first)
		t_ok(lagoon_pull_start(w, ssp, 0, 1, buf, &req), "pull_start");
	refused(lagoon_checkpoint(w, none, NULL, 0), "a request in flight");
	if (first)
		t_ok(lagoon_wait(req), "wait");
	refused(lagoon_checkpoint(w, "", NULL, 0), "no name");
	refused(lagoon_checkpoint(w, first ? none : dir, NULL, 0), "two folders");
	if (first)
		t_ok(lagoon_clock(w), "clock");
	refused(lagoon_checkpoint(w, none, NULL, 0), "two clocks");
	if (!first)
		t_ok(lagoon_clock(w), "clock");
	t_ok(lagoon_barrier(w), "barrier");
	t_expect(lagoon_checkpoint(w, "/dev/null", NULL, 0), LAGOON_EIO, "no folder");
	if (first) {
		int rc = lagoon_barrier(w);	/* 0 in another process */

		T_CHECK(!rc || rc == LAGOON_EINVAL, "barrier and checkpoint: %d", rc);
	} else {
		refused(lagoon_checkpoint(w, none, NULL, 0), "a barrier meanwhile");
	}
	t_ok(lagoon_barrier(w), "barrier");
	return 0;
}

/* ------------------------------------------------------------- saving */

/* The state is that of the lowest worker that lives. */
static int64_t state_of(int id)
{
	return 0x1234567890 + id;
}

static int save(struct lagoon_worker *w, void *arg)
{
	int64_t state = state_of(lagoon_worker_id(w));

	(void)arg;
	for (int r = 0; r < ROUND + MORE; r++) {
		if (r == ROUND)
			t_ok(lagoon_checkpoint(w, dir, &state, sizeof(state)), "checkpoint");
		add_one(w, bsp);
		add_one(w, ssp);
		add_step(w, step);
		t_ok(lagoon_clock(w), "clock");
	}
	t_ok(lagoon_barrier(w), "barrier");
	holds(w, bsp, ROUND + MORE, "after a checkpoint, bsp");
	stepped(w, ROUND + MORE, "after a checkpoint");
	return 0;
}

/* What is added while homes copy would show in rows that they come to last. */
static int hurry(struct lagoon_worker *w, void *arg)
{
	const int64_t one[COLS] = { 1, 1, 1 };

	(void)arg;
	for (int i = 0; i < TIMES; i++) {
		t_ok(lagoon_clock(w), "clock");
		t_ok(lagoon_checkpoint(w, dir, NULL, 0), "checkpoint");
		t_ok(lagoon_add(w, big, big_rows - 1, 1, one), "add");
	}
	return 0;
}

static int hurried(struct lagoon_worker *w, void *arg)
{
	int64_t buf[COLS];

	(void)arg;
	T_CHECK(lagoon_worker_clock(w) == TIMES, "clock %lld",
		(long long)lagoon_worker_clock(w));
	t_ok(lagoon_pull(w, big, big_rows - 1, 1, buf), "pull");
	for (int i = 0; i < COLS; i++)
		T_CHECK(buf[i] == (TIMES - 1) * lagoon_workers(t_lg),
			"a later delta is in it: %lld", (long long)buf[i]);
	return 0;
}

static void later_deltas(void)
{
	size_t bytes = 0;

	big_rows = t_scaled(700000, 3000);
	make("big", LAGOON_SSP, big_rows, &big);
	t_ok(lagoon_run(t_lg, hurry, NULL), "run");
	t_ok(lagoon_restore(t_lg, dir, NULL, &bytes), "restore");
	t_ok(lagoon_run(t_lg, hurried, NULL), "run");
	t_ok(lagoon_table_destroy(big), "destroy");
}

/* ------------------------------------------------------------ restoring */

static int restored(struct lagoon_worker *w, void *arg)
{
	T_CHECK(lagoon_worker_clock(w) == ROUND, "%s: clock %lld",
		(const char *)arg, (long long)lagoon_worker_clock(w));
	holds(w, bsp, ROUND, arg);
	holds(w, ssp, ROUND, arg);
	stepped(w, ROUND, arg);
	add_one(w, bsp);
	add_step(w, step);
	t_ok(lagoon_clock(w), "clock");
	holds(w, bsp, ROUND + 1, arg);
	stepped(w, ROUND + 1, arg);
	return 0;
}

static int as_before(struct lagoon_worker *w, void *arg)
{
	T_CHECK(!lagoon_worker_clock(w), "%s: clock %lld", (const char *)arg,
		(long long)lagoon_worker_clock(w));
	holds(w, bsp, ROUND + 1, arg);
	stepped(w, ROUND + 1, arg);
	return 0;
}

static void restore(const char *when)
{
	int64_t state = 0;
	size_t bytes = sizeof(state);
	char name[40];

	t_ok(lagoon_restore(t_lg, dir, &state, &bytes), when);
	T_CHECK(bytes == sizeof(state) && state == state_of(0),
		"%s: the state is %llx", when, (unsigned long long)state);
	t_ok(lagoon_table_attach(t_lg, "bsp", &bsp), "attach");
	t_ok(lagoon_table_attach(t_lg, "ssp", &ssp), "attach");
	t_ok(lagoon_table_attach(t_lg, "step", &step), "attach");
	T_CHECK(lagoon_table_staleness(ssp) == 3, "%s: another rule", when);
	snprintf(name, sizeof(name), "%s", when);
	t_ok(lagoon_run(t_lg, restored, name), "run");
}

static void cannot_restore(void)
{
	char small[4];
	size_t bytes = sizeof(small);
	struct lagoon_table *t;

	t_expect(lagoon_restore(t_lg, none, NULL, NULL), LAGOON_ENOENT, "no folder");
	t_expect(lagoon_restore(t_lg, dir, small, &bytes), LAGOON_EINVAL, "no room");
	t_ok(lagoon_table_destroy(ssp), "destroy");
	make("ssp", LAGOON_SSP, ROWS + 1, &ssp);
	bytes = 0;
	t_expect(lagoon_restore(t_lg, dir, NULL, &bytes), LAGOON_EINVAL, "no room");
	bytes = 100;
	t_expect(lagoon_restore(t_lg, dir, (char[100]){ 0 }, &bytes), LAGOON_EEXIST,
		 "another shape");
	t_ok(lagoon_table_destroy(ssp), "destroy");
	/* What it had to make is gone again. */
	T_CHECK(lagoon_table_attach(t_lg, "ssp", &t) == LAGOON_ENOENT, "made");
	t_ok(lagoon_run(t_lg, as_before, (char[]){ "refused" }), "run");
}

/* Another function, or another object under the same name: both are told. */
static void other_function(const char *is, const char *says)
{
	struct lagoon_table *t;
	int64_t state;
	size_t bytes = sizeof(state);

	if (is)
		make_apply("user", LAGOON_SSP, is, &t);
	t_expect(lagoon_restore(t_lg, dir, &state, &bytes), LAGOON_EEXIST, says);
	T_CHECK(strstr(lagoon_errmsg(), says) && strstr(lagoon_errmsg(), "table user"),
		"it says \"%s\", expected \"%s\"", lagoon_errmsg(), says);
	if (is)
		t_ok(lagoon_table_destroy(t), "destroy");
	else
		T_CHECK(lagoon_table_attach(t_lg, "user", &t) == LAGOON_ENOENT, "made");
}

static int use(struct lagoon_worker *w, void *arg)
{
	double x[ROWS];

	for (int i = 0; i < ROWS; i++)
		x[i] = i;
	if (arg && !lagoon_worker_id(w))
		t_ok(lagoon_add(w, user, 0, 5, x), "add");
	if (arg)
		t_ok(lagoon_clock(w), "clock");
	if (arg)
		t_ok(lagoon_checkpoint(w, dir, NULL, 0), "checkpoint");
	t_ok(lagoon_pull(w, user, 0, 5, x), "pull");
	for (int i = 0; i < 5; i++)
		T_CHECK(x[i] == i, "user: row %d is %g", i, x[i]);
	return 0;
}

/* A function of the user's own is known by its file's bytes. */
static void user_function(void)
{
	char object[TEMP_PATH + 16], text[TEMP_PATH + 32], command[800];
	size_t none_kept = 0;

	snprintf(object, sizeof(object), "%s/mine.so", folder);
	snprintf(text, sizeof(text), "%s:picky", object);
	snprintf(command, sizeof(command), "cp test/plugin/dies.so %s", object);
	T_CHECK(lagoon_rank(t_lg) || !system(command), "cp");
	t_sync();
	make_apply("user", LAGOON_SSP, text, &user);
	t_ok(lagoon_run(t_lg, use, text), "run");
	t_ok(lagoon_table_destroy(user), "destroy");
	t_ok(lagoon_restore(t_lg, dir, NULL, &none_kept), "restore");
	t_ok(lagoon_table_attach(t_lg, "user", &user), "attach");
	t_ok(lagoon_run(t_lg, use, NULL), "run");
	t_ok(lagoon_table_destroy(user), "destroy");
	other_function("sgd,rate=0.5", text);
	other_function("sgd,rate=0.5", "here it is sgd,rate=0.5");
	snprintf(command, sizeof(command), "printf x >>%s", object);
	T_CHECK(lagoon_rank(t_lg) || !system(command), "printf");
	t_sync();
	other_function(NULL, "has changed");
	snprintf(command, sizeof(command), "rm %s", object);
	T_CHECK(lagoon_rank(t_lg) || !system(command), "rm");
	t_sync();
	t_expect(lagoon_restore(t_lg, dir, NULL, &none_kept), LAGOON_ENOENT, "no object");
}

/* The file is damaged where only one home reads it. */
static void damaged(void)
{
	struct lagoon_table *t;
	char command[sizeof(dir) + 200];
	int64_t state;
	size_t bytes = sizeof(state);

	t_sync();
	if (!lagoon_rank(t_lg)) {
		snprintf(command, sizeof(command),
			 "f=$(ls %s/shard-00000-*) && printf x | dd of=\"$f\" bs=1 seek=$(($(stat -c %%s \"$f\") - 2000)) conv=notrunc 2>/dev/null",
			 dir);
		T_CHECK(!system(command), "dd");
	}
	t_sync();
	t_expect(lagoon_restore(t_lg, dir, &state, &bytes), LAGOON_ECORRUPT, "damaged");
	T_CHECK(lagoon_table_attach(t_lg, "ssp", &t) == LAGOON_ENOENT, "made");
	t_ok(lagoon_run(t_lg, as_before, (char[]){ "damaged" }), "run");
}

static void read_options(int argc, char **argv, struct lagoon_attr *attr)
{
	for (int i = 1; i + 1 < argc; i += 2)
		if (!strcmp(argv[i], "--check"))
			setenv("LAGOON_CHECK", argv[i + 1], 1);
	t_ok(lagoon_attr_init(attr), "attr_init");
	for (int i = 1; i + 1 < argc; i += 2)
		if (!strcmp(argv[i], "--workers"))
			attr->workers = t_workers(argv[i + 1]);
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("checkpoints", 0);
	read_options(argc, argv, &attr);
	t_open(&attr, NULL);
	folder = t_folder();
	snprintf(dir, sizeof(dir), "%s/one", folder);
	snprintf(none, sizeof(none), "%s/none", folder);
	make("other", LAGOON_ASP, 5, &bsp);
	make("ssp", LAGOON_SSP, ROWS, &ssp);
	t_ok(lagoon_table_set_saved(bsp, 0), "set_saved");
	make_apply("step", LAGOON_SSP, STEP, &step);
	t_ok(lagoon_run(t_lg, mistakes, step), "run");
	later_deltas();
	t_ok(lagoon_table_destroy(step), "destroy");
	t_ok(lagoon_table_destroy(ssp), "destroy");
	make("ssp", LAGOON_SSP, ROWS, &ssp);
	make("bsp", LAGOON_BSP, ROWS, &bsp);
	make_apply("step", LAGOON_BSP, STEP, &step);
	t_ok(lagoon_run(t_lg, save, NULL), "run");
	restore("filled");
	cannot_restore();
	restore("made");
	t_ok(lagoon_table_destroy(ssp), "destroy");
	damaged();
	user_function();
	t_sync();
	t_folder_remove();
	t_close();
	return 0;
}
