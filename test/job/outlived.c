/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process is killed while it pushes to a table in apply mode on other nodes;
 * the others go on (on_death) and write a checkpoint. What was the dead one's
 * is in it or not, but a page is never half: its values and states are of the
 * same number of pushes. Run by dies.sh, -n 4 --nodes 2.
 *
 * Each survivor that saw what it had to see prints "survivor R".
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "test/support/test.h"

enum { PAGE_ROWS = 4096, PAGES = 6, ROWS = PAGES * PAGE_ROWS, VICTIM = 3,
       ROUNDS = 5, PUSHES = 20, MOST = 1 << 20 };

static const char *folder;	/* of a checkpoint */

struct shared {
	_Atomic int pushed;	/* by the victim */
	_Atomic int done;	/* survivors that have pushed */
	_Atomic int pid;
};

static struct lagoon_table *table;
static double delta[ROWS];

/* The victim's are the last pages, each of the others has one. */
static uint64_t first_row(int rank)
{
	return (uint64_t)rank * PAGE_ROWS;
}

static uint64_t rows_of(int rank)
{
	return rank == VICTIM ? ROWS - first_row(rank) : PAGE_ROWS;
}

static int victim(struct lagoon_worker *w)
{
	struct shared *shared = t_shared;

	atomic_store(&shared->pid, (int)getpid());
	for (int i = 0; i < MOST; i++) {
		int rc = lagoon_add(w, table, first_row(VICTIM), rows_of(VICTIM),
				    delta);

		if (!rc)
			rc = lagoon_clock(w);
		t_ok(rc, "push");
		atomic_fetch_add(&shared->pushed, 1);
	}
	t_die("nobody killed it");
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct shared *shared = t_shared;
	int rank = lagoon_rank(t_lg);

	(void)arg;
	if (rank == VICTIM)
		return victim(w);
	for (int i = 0; i < ROUNDS; i++) {
		t_ok(lagoon_add(w, table, first_row(rank), rows_of(rank), delta), "add");
		t_ok(lagoon_clock(w), "clock");
	}
	atomic_fetch_add(&shared->done, 1);
	t_await(&shared->pushed, PUSHES);
	t_await(&shared->done, VICTIM);
	if (!rank)
		kill((pid_t)atomic_load(&shared->pid), SIGKILL);
	t_ok(lagoon_checkpoint(w, folder, NULL, 0), "checkpoint");
	return 0;
}

/* How many pushes of adagrad lead to this value; -1: none. *next: the value after
 * one more, for which the state has to be as many. */
static int steps_to(double value, double *next)
{
	double x = 0;

	for (int i = 0; i < MOST; i++) {
		*next = x - 0.25 / (1e-10 + sqrt(i + 1));
		if (x == value)
			return i;
		x = *next;
	}
	return -1;
}

static int look(struct lagoon_worker *w, void *arg)
{
	static double before[ROWS], after[ROWS];

	(void)arg;
	T_CHECK(lagoon_worker_clock(w) == ROUNDS, "clock %lld",
		(long long)lagoon_worker_clock(w));
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, table, 0, ROWS, before), "pull");
	t_ok(lagoon_barrier(w), "barrier");
	if (!lagoon_rank(t_lg))
		t_ok(lagoon_add(w, table, 0, ROWS, delta), "add");
	t_ok(lagoon_clock(w), "clock");
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, table, 0, ROWS, after), "pull");
	for (int page = 0; page < PAGES; page++) {
		const int at = page * PAGE_ROWS;
		double next = 0;
		int n = steps_to(before[at], &next);

		T_CHECK(n >= 0 && (page >= VICTIM || n == ROUNDS),
			"page %d has the value %.17g", page, before[at]);
		for (int i = at; i < at + PAGE_ROWS; i++)
			T_CHECK(before[i] == before[at] && after[i] == next,
				"row %d: %.17g, then %.17g; row %d: %.17g, then %.17g",
				i, before[i], after[i], at, before[at], next);
	}
	return 0;
}

int main(void)
{
	struct lagoon_table_attr shape;
	struct lagoon_attr attr;
	size_t none = 0;

	t_begin("outlived", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.on_death = LAGOON_DEATH_CONTINUE;
	t_open(&attr, NULL);
	folder = t_folder();
	for (int i = 0; i < ROWS; i++)
		delta[i] = 1;
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.page_rows = PAGE_ROWS;
	shape.format = LAGOON_FLOAT64;
	shape.push = LAGOON_PUSH_APPLY;
	shape.model = LAGOON_ASP;
	shape.update = "adagrad,rate=0.25,combine=none";
	t_ok(lagoon_table_create(t_lg, "t", &shape, &table), "create");
	t_ok(lagoon_run(t_lg, work, NULL), "run");
	t_ok(lagoon_restore(t_lg, folder, NULL, &none), "restore");
	t_ok(lagoon_run(t_lg, look, NULL), "run");
	printf("survivor %d\n", lagoon_rank(t_lg));
	t_folder_remove();
	t_ok(lagoon_close(t_lg), "close");
	return 0;
}
