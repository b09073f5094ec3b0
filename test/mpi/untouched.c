/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nothing that belongs to the program changes: masks of all threads, signal
 * handlers and masks, environment, OpenMP, descriptors, threads, folder,
 * umask, locale, floating point. Looked at before lagoon_open(), after it,
 * after use by all kinds of threads, and after lagoon_close(), several times
 * in one program.
 */
/* launch: -n 4 -- own */
/* launch: -n 4 -- pmix */
/* launch: alone -- own */
/* launch: alone -- pmix */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "test/mpi/host.h"
#include "test/support/snapshot.h"

enum { CYCLES = 3, ROWS = 100 };

static pthread_barrier_t rest;

/* A thread of the program with a mask of its own. */
static void *bystander(void *arg)
{
	cpu_set_t mask, one;

	(void)arg;
	sched_getaffinity(0, sizeof(mask), &mask);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &mask))
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	pthread_barrier_wait(&rest);
	pthread_barrier_wait(&rest);
	return NULL;
}

static int use(struct lagoon_worker *w, void *arg)
{
	struct lagoon_table *t = arg;
	int64_t one[ROWS], sum[ROWS];

	for (int i = 0; i < ROWS; i++)
		one[i] = 1;
	t_ok(lagoon_add(w, t, 0, ROWS, one), "add");
	t_ok(lagoon_clock(w), "clock");
	t_ok(lagoon_pull(w, t, 0, ROWS, sum), "pull");
	return 0;
}

static void cycle(const char *before)
{
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	struct lagoon_attr attr;
	struct lagoon *lg;
	MPI_Comm world = MPI_COMM_WORLD;
	int64_t sum, want;

	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.workers = HOST_TEAM;
	attr.nodes = host_size > 1 ? 2 : 0;
	host_open(&attr, &world, &lg);
	t_same(before, host_settings, true, "after lagoon_open()");
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.format = LAGOON_I64;
	shape.staleness = 1;	/* the main thread moves worker after worker */
	t_ok(lagoon_table_create(lg, "t", &shape, &t), "table");
	#pragma omp parallel
	use(host_worker(lg, omp_get_thread_num()), t);
	t_same(before, host_settings, true, "after use by a team");
	for (int i = 0; i < HOST_TEAM; i++)
		use(host_worker(lg, i), t);
	MPI_Barrier(MPI_COMM_WORLD);
	t_ok(lagoon_table_set_staleness(t, 0), "staleness");
	t_ok(lagoon_pull(host_worker(lg, 0), t, ROWS - 1, 1, &sum), "pull");
	want = (int64_t)2 * HOST_TEAM * host_size;
	T_CHECK(sum == want, "the sum is %lld, not %lld", (long long)sum,
		(long long)want);
	t_same(before, host_settings, true, "after use by the main thread");
	MPI_Barrier(MPI_COMM_WORLD);
	t_ok(lagoon_run(lg, use, t), "run");
	t_same(before, host_settings, true, "after lagoon_run()");
	t_ok(lagoon_close(lg), "close");
	t_same(before, host_settings, false, "after lagoon_close()");
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char *before;

	host_begin("untouched", &argc, &argv);
	pthread_barrier_init(&rest, NULL, 2);
	t_unusual();
	pthread_create(&thread, NULL, bystander, NULL);
	pthread_barrier_wait(&rest);
	before = t_snapshot(host_settings);
	for (int i = 0; i < CYCLES; i++)
		cycle(before);
	pthread_barrier_wait(&rest);
	pthread_join(thread, NULL);
	free(before);
	host_end();
	return 0;
}
