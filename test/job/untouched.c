/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nothing that belongs to the program changes, in a program without MPI:
 * there Lagoon alone starts and ends PMIx, in each of several jobs (argument:
 * how many).
 */
/* launch: -n 1 */
/* launch: -n 3 --nodes 2 -- 10 */
#include <stdio.h>
#include <pthread.h>
#include <stdlib.h>

#include "test/support/snapshot.h"
#include "test/support/test.h"

enum { WORKERS = 2, ROWS = 100 };

static pthread_barrier_t rest;

static void *bystander(void *arg)
{
	pthread_barrier_wait(&rest);
	pthread_barrier_wait(&rest);
	return arg;
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct lagoon_table *t = arg;
	int64_t one[ROWS], sum[ROWS];
	int64_t want = lagoon_workers(t_lg);

	for (int i = 0; i < ROWS; i++)
		one[i] = 1;
	t_ok(lagoon_add(w, t, 0, ROWS, one), "add");
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, t, 0, ROWS, sum), "pull");
	T_CHECK(sum[ROWS - 1] == want, "the sum is %lld, not %lld",
		(long long)sum[ROWS - 1], (long long)want);
	return 0;
}

static void cycle(const char *before)
{
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	struct lagoon_attr attr;

	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.workers = WORKERS;
	t_open(&attr, NULL);
	t_same(before, NULL, true, "after lagoon_open()");
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.format = LAGOON_I64;
	t_ok(lagoon_table_create(t_lg, "t", &shape, &t), "table");
	t_ok(lagoon_run(t_lg, work, t), "run");
	t_same(before, NULL, true, "after lagoon_run()");
	t_close();
	t_same(before, NULL, false, "after lagoon_close()");
}

int main(int argc, char **argv)
{
	int cycles = argc > 1 ? atoi(argv[1]) : 3;
	pthread_t thread;
	char *before;

#ifdef __SANITIZE_THREAD__
	puts("ThreadSanitizer has a thread of its own, which sets itself up meanwhile");
	return T_SKIP;
#endif
	t_begin("untouched", 0);
	pthread_barrier_init(&rest, NULL, 2);
	t_unusual();
	pthread_create(&thread, NULL, bystander, NULL);
	pthread_barrier_wait(&rest);
	before = t_snapshot(NULL);
	for (int i = 0; i < cycles; i++)
		cycle(before);
	pthread_barrier_wait(&rest);
	pthread_join(thread, NULL);
	free(before);
	return 0;
}
