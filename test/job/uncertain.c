/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process dies inside a page's lock (its update function sees to that). The
 * page is an error to everybody who reads it or adds to it from then on, one
 * that names it and the dead rank; it is counted once; other pages are not
 * affected. No checkpoint is made of it: that is an error to the process that
 * would write the page, rank 0. Run by dies.sh.
 *
 *	uncertain PLUGIN VICTIM
 *
 * Each survivor that saw what it had to see prints "survivor R".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/support/test.h"

enum { PAGE_ROWS = 64, PAGES = 4, ROWS = PAGES * PAGE_ROWS, BAD = 2 };

static const char *folder;	/* of a checkpoint */

struct shared {
	_Atomic int dying, checked;
	_Atomic int64_t uncertain;
};

static int victim;

static void error_check(int rc, const char *what)
{
	const char *text = lagoon_errmsg();

	T_CHECK(rc == LAGOON_EPEER, "%s returned %d: %s", what, rc, text);
	T_CHECK(t_names(text, "rank ", victim) && strstr(text, "uncertain") &&
		t_names(text, "rows ", BAD * PAGE_ROWS) && strstr(text, "table hurt"),
		"%s: the message says \"%s\"", what, text);
}

/* Until the death is known a reader finds a page that is being changed. */
static void read_until_error(struct lagoon_worker *w, struct lagoon_table *t)
{
	struct timespec nap = { .tv_nsec = 1000000 };
	uint64_t row = BAD * PAGE_ROWS;
	double x;
	int rc;

	while (!(rc = lagoon_pull(w, t, row, 1, &x)))
		nanosleep(&nap, NULL);
	error_check(rc, "pull");
	error_check(lagoon_pull_rows(w, t, &row, 1, &x), "pull of a list");
}

/* The victim may not be inside yet. */
static void add_until_error(struct lagoon_worker *w, struct lagoon_table *t,
			    const double *x)
{
	struct timespec nap = { .tv_nsec = 1000000 };
	int rc;

	while (!(rc = lagoon_add(w, t, 0, ROWS, x)))
		nanosleep(&nap, NULL);
	error_check(rc, "add");
	error_check(lagoon_add(w, t, 0, ROWS, x), "another add");
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct shared *shared = t_shared;
	struct lagoon_table *t = arg;
	double x[ROWS];
	int rc;

	for (int i = 0; i < ROWS; i++)
		x[i] = lagoon_rank(t_lg) == victim ? 666 : 1;
	if (lagoon_rank(t_lg) == victim) {
		atomic_store(&shared->dying, 1);
		lagoon_add(w, t, BAD * PAGE_ROWS, PAGE_ROWS, x);
		t_die("still here");
	}
	t_await(&shared->dying, 1);
	if (lagoon_rank(t_lg) & 1)	/* who comes first: a reader, an adder */
		read_until_error(w, t);
	add_until_error(w, t, x);
	read_until_error(w, t);
	t_ok(lagoon_add(w, t, 0, PAGE_ROWS, x), "add to another page");
	t_ok(lagoon_pull(w, t, (BAD + 1) * PAGE_ROWS, PAGE_ROWS, x),
	     "pull of another page");
	t_ok(lagoon_clock(w), "clock");
	rc = lagoon_checkpoint(w, folder, NULL, 0);
	if (lagoon_rank(t_lg))
		t_ok(rc, "checkpoint");
	else
		error_check(rc, "checkpoint");
	return 0;
}

int main(int argc, char **argv)
{
	struct shared *shared;
	struct lagoon_stats st = { .size = sizeof(st) };
	struct lagoon_table_attr table;
	struct lagoon_attr attr;
	struct lagoon_table *t;
	int rank;

	T_CHECK(argc > 2, "usage: uncertain PLUGIN VICTIM");
	victim = atoi(argv[2]);
	t_begin("uncertain", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.on_death = LAGOON_DEATH_CONTINUE;
	t_open(&attr, NULL);
	shared = t_shared;
	folder = t_folder();	/* of rank 0, which survives */
	lagoon_table_attr_init(&table);
	table.rows = ROWS;
	table.page_rows = PAGE_ROWS;
	table.format = LAGOON_FLOAT64;
	table.push = LAGOON_PUSH_APPLY;
	table.update = argv[1];
	t_ok(lagoon_table_create(t_lg, "hurt", &table, &t), "create");
	t_ok(lagoon_run(t_lg, work, t), "run");
	t_ok(lagoon_table_stats(t, &st), "stats");
	atomic_fetch_add(&shared->uncertain, (int64_t)st.uncertain);
	atomic_fetch_add(&shared->checked, 1);
	t_await(&shared->checked, lagoon_size(t_lg) - 1);
	T_CHECK(shared->uncertain == PAGE_ROWS, "%lld words are uncertain, not %d",
		(long long)shared->uncertain, PAGE_ROWS);
	rank = lagoon_rank(t_lg);
	t_folder_remove();
	t_ok(lagoon_close(t_lg), "close");
	printf("survivor %d\n", rank);
	return 0;
}
