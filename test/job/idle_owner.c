/* launch: -n 3 --nodes 3 */
/* launch: -n 3 --nodes 1 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I5: a process that only owns shards uses less than 1 % of a core while
 * others pull and push. Rank 0 has no workers; it is measured while its main
 * thread sleeps outside of Lagoon, and again while it waits in
 * lagoon_close() for the others.
 *
 *	idle_owner [soft]
 *
 * soft: over a device that is software. Whoever looks at the board from time
 * to time, as lagoon_close() does, is then charged for packets of others, too:
 * there it only must not spin.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "test/support/test.h"

enum {
	OWNER = 0,
	ROWS = 20000,
	COLS = 8,
	LIST = 256,
	LEAST_CALLS = 200,	/* of each worker, times the scale: else
				 * nothing was tested */
};

static const double seconds = 3.0;	/* of each measurement, at least */
static const double share = 0.01;	/* of a core */
static const double soft_share = 0.5;

struct shared {
	_Atomic int slept;
	_Atomic uint64_t calls;
};

struct usage {
	uint64_t at_ns;
	double cpu_s, user_s;
};

static struct usage usage_now(void)
{
	struct usage u = { .at_ns = t_now_ns() };
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	u.user_s = (double)r.ru_utime.tv_sec + 1e-6 * (double)r.ru_utime.tv_usec;
	u.cpu_s = u.user_s + (double)r.ru_stime.tv_sec +
		  1e-6 * (double)r.ru_stime.tv_usec;
	return u;
}

static void usage_check(const struct usage *from, double most,
			const char *where)
{
	struct usage to = usage_now();
	double wall = 1e-9 * (double)(to.at_ns - from->at_ns);
	double cpu = to.cpu_s - from->cpu_s;

	printf("idle_owner: %s: %.2f ms of CPU, %.2f ms of it user time, in %.2f s, %.3f %%\n",
	       where, cpu * 1e3, (to.user_s - from->user_s) * 1e3, wall,
	       100 * cpu / wall);
	T_CHECK(wall >= seconds, "%s: measured %.2f s only", where, wall);
	T_CHECK(cpu < most * wall, "%s: the owner used %.2f %% of a core",
		where, 100 * cpu / wall);
}

/* Pull and push at full speed until both measurements are long enough. */
static int work(struct lagoon_worker *w, void *arg)
{
	struct shared *shared = t_shared;
	struct lagoon_table *t = arg;
	struct t_rng rng = { (uint64_t)lagoon_worker_id(w) };
	static _Thread_local uint64_t rows[LIST];
	static _Thread_local double buf[LIST * COLS];
	uint64_t closing = 0, calls = 0;

	while (!closing || t_now_ns() < closing) {
		for (int i = 0; i < LIST; i++)
			rows[i] = t_below(&rng, ROWS);
		t_ok(lagoon_pull_rows(w, t, rows, LIST, buf), "pull");
		for (int i = 0; i < LIST * COLS; i++)
			buf[i] = 1;
		t_ok(lagoon_add_rows(w, t, rows, LIST, buf), "add");
		t_ok(lagoon_clock(w), "clock");
		calls++;
		if (!closing && atomic_load(&shared->slept))
			closing = t_now_ns() + (uint64_t)((seconds + 0.5) * 1e9);
	}
	T_CHECK(calls >= t_scaled(LEAST_CALLS, 10), "%llu calls only: the machine is too slow",
		(unsigned long long)calls);
	atomic_fetch_add(&shared->calls, calls);
	return 0;
}

static void own(bool soft)
{
	struct shared *shared = t_shared;
	struct timespec nap = { .tv_sec = (time_t)seconds,
				.tv_nsec = 200000000 };
	struct usage from = usage_now();

	while (nanosleep(&nap, &nap))
		;
	usage_check(&from, share, "asleep");
	atomic_store(&shared->slept, 1);
	from = usage_now();
	t_close();
	usage_check(&from, soft ? soft_share : share, "in lagoon_close");
}

int main(int argc, char **argv)
{
	bool soft = argc > 1 && !strcmp(argv[1], "soft");
	struct shared *shared;
	struct lagoon_attr attr;
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	int rank;

	t_begin("idle_owner", sizeof(struct shared));
	shared = t_shared;
	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.workers = t_workers("0,1,1");
	t_open(&attr, NULL);
	rank = lagoon_rank(t_lg);
	T_CHECK(lagoon_local_workers(t_lg) == (rank == OWNER ? 0 : 1),
		"the launcher gave rank %d the workers of another", rank);
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.cols = COLS;
	shape.staleness = 1;
	t_ok(lagoon_table_create(t_lg, "owned", &shape, &t), "create");
	t_ok(lagoon_run(t_lg, work, rank == OWNER ? NULL : t), "run");
	if (rank == OWNER) {
		own(soft);
		T_CHECK(atomic_load(&shared->calls) > 0, "nobody worked");
	} else {
		t_close();
	}
	return 0;
}
