/* launch: -n 3 --nodes 1 -- pull */
/* launch: -n 3 --nodes 3 -- pull */
/* launch: -n 3 --nodes 3 -- close */
/* launch: -n 3 --nodes 1 -- barrier */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process that ends without lagoon_close(), with status 0, is as dead as a
 * killed one: the others get LAGOON_EPEER, which names it, within 5 s.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/support/test.h"

enum { QUITTER = 1, ROUNDS = 5, LIMIT_S = 20 };

struct shared {
	_Atomic uint64_t quit_ns;
	_Atomic int ready;	/* the others, when their rounds are over */
};

static void error_check(int rc, const char *where)
{
	const struct shared *shared = t_shared;
	double s = 1e-9 * (double)(t_now_ns() - atomic_load(&shared->quit_ns));

	t_expect(rc, LAGOON_EPEER, where);
	T_CHECK(t_names(lagoon_errmsg(), "rank ", QUITTER),
		"%s does not name rank %d: %s", where, QUITTER, lagoon_errmsg());
	T_CHECK(s < LIMIT_S, "%s: noticed after %.1f s", where, s);
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct shared *shared = t_shared;
	const char *where = arg;
	struct lagoon_table *t;
	double x = 1;
	int rc = 0;

	t_ok(lagoon_table_attach(t_lg, "table", &t), "attach");
	for (int r = 0; r < ROUNDS; r++) {
		t_ok(lagoon_add(w, t, 3, 1, &x), "add");
		t_ok(lagoon_clock(w), "clock");
		t_ok(lagoon_pull(w, t, 3, 1, &x), "pull");
	}
	atomic_fetch_add(&shared->ready, 1);
	if (lagoon_rank(t_lg) == QUITTER) {
		while (atomic_load(&shared->ready) < lagoon_workers(t_lg))
			sched_yield();
		/* its worker must not leave in good order */
		atomic_store(&shared->quit_ns, t_now_ns());
		exit(0);
	}
	if (!strcmp(where, "barrier"))
		rc = lagoon_barrier(w);
	while (!strcmp(where, "pull") && !rc) {
		rc = lagoon_clock(w);
		rc = rc ? rc : lagoon_pull(w, t, 3, 1, &x);
	}
	if (strcmp(where, "close"))
		error_check(rc, where);
	return rc;
}

int main(int argc, char **argv)
{
	char *where = argc > 1 ? argv[1] : (char[]){ "pull" };
	struct lagoon_attr attr;
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	int rc;

	t_begin("gone", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	t_open(&attr, NULL);
	lagoon_table_attr_init(&shape);
	shape.rows = 1000;
	t_ok(lagoon_table_create(t_lg, "table", &shape, &t), "create");
	rc = lagoon_run(t_lg, work, where);
	if (!strcmp(where, "close"))
		T_CHECK(!rc || rc == LAGOON_EPEER, "run: %d", rc);
	else
		error_check(rc, "lagoon_run");
	rc = lagoon_close(t_lg);
	if (!strcmp(where, "close") || rc)
		error_check(rc, "lagoon_close");
	return 0;
}
