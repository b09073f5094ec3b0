/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One process of the job kills itself with SIGKILL; the others must end with
 * an error that names its rank, within 5 s, wherever they are at the time.
 * Run by test/job/death.sh.
 *
 *	victim --mode M --victim R [--continue] [--workers A,B,...]
 *	    [--linger MS] [--machine]
 *
 * M is where the survivors are: compute (asp: add and clock, no waits), pull
 * (ssp waits for the victim's clock), clock (bsp), barrier, close, create,
 * run (the second lagoon_run()), or any: all of them busy, the victim dies in
 * the middle of whatever it is doing. With --continue (on_death) the
 * survivors must instead come to their end without an error, except where a
 * death ends the job anyhow: bsp, and the home of the board (rank 0). They
 * stay MS milliseconds longer than they need: no launcher may end them. With
 * --machine the victim takes its whole machine with it, as a power failure
 * does: a virtual one, see test/rdma/vm.
 *
 * Each survivor that saw what it had to see prints "survivor R".
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test/support/test.h"

enum mode { COMPUTE, PULL, CLOCK, BARRIER, CLOSE, CREATE, RUN, ANY };

static const char *const mode_name[] = {
	"compute", "pull", "clock", "barrier", "close", "create", "run", "any",
};

enum {
	ROWS = 400, COLS = 5,
	STOP = 10,		/* the round in which the victim stands still */
	ROUNDS = 60,		/* of a survivor that may go on */
	AHEAD = 10,		/* no worker can be so many rounds before another */
	LIMIT_S = 20,		/* 5 are promised; others may have the cores */
};

struct shared {
	_Atomic int dying;	/* 1: the victim is about to die */
	_Atomic int witnesses;	/* processes that know it */
	_Atomic int last;	/* round of those who go on */
	_Atomic int waiting;	/* survivors' workers that are where they wait */
	_Atomic int64_t added[64];	/* by worker, to each element of its row */
};

struct victim {
	enum mode mode;
	int rank;		/* of the victim */
	bool machine;		/* the victim's dies with it */
	bool go_on;		/* survivors end well */
	int survivors;		/* their workers */
	long linger_ms;
	bool is_victim;
	struct lagoon_table *t;
};

/* When the victim was about to die, by the clock of this process: machines
 * have clocks of their own. */
static _Atomic uint64_t died_ns;

static void nap(long us)
{
	struct timespec ts = { .tv_sec = us / 1000000,
			       .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

static void *witness(void *arg)
{
	struct shared *shared = t_shared;

	t_await(&shared->dying, 1);
	atomic_store(&died_ns, t_now_ns());
	atomic_fetch_add(&shared->witnesses, 1);
	return arg;
}

static void machine_die(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	T_CHECK(fd >= 0 && write(fd, "b", 1) == 1, "/proc/sysrq-trigger: %s",
		strerror(errno));
}

static void die_now(const struct victim *v)
{
	struct shared *shared = t_shared;

	atomic_store(&shared->dying, 1);
	t_await(&shared->witnesses, lagoon_size(t_lg) - 1);
	if (v->machine)
		machine_die();
	else
		kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* Until the survivors are where they should be, and then a little longer, so
 * that most of them are inside the call. Either way is legal. */
static void die_later(const struct victim *v)
{
	struct shared *shared = t_shared;

	while (atomic_load(&shared->waiting) < v->survivors)
		nap(1000);
	nap(50000);
	die_now(v);
}

static void *die_sometime(void *arg)
{
	struct t_rng rng = { t_seed() };

	nap((long)t_below(&rng, 300000) + 1000);
	die_now(arg);
	return NULL;
}

/* The error of a survivor: the right one, in time, by name. */
static void error_check(const struct victim *v, int rc, const char *where)
{
	uint64_t died = atomic_load(&died_ns);
	double s = 1e-9 * (double)(t_now_ns() - died);

	T_CHECK(died, "%s failed (%d) before anybody died: %s", where, rc,
		lagoon_errmsg());
	T_CHECK(rc == LAGOON_EPEER, "%s returned %d, not LAGOON_EPEER: %s",
		where, rc, lagoon_errmsg());
	T_CHECK(t_names(lagoon_errmsg(), "rank ", v->rank),
		"%s: the message does not name rank %d: %s", where, v->rank,
		lagoon_errmsg());
	T_CHECK(s <= LIMIT_S, "%s took %.1f s to notice", where, s);
}

/* A worker's row is its own: it alone adds 1 to each element. */
static int round_of(const struct victim *v, struct lagoon_worker *w)
{
	struct shared *shared = t_shared;
	uint64_t id = (uint64_t)lagoon_worker_id(w);
	int64_t buf[COLS * 3], one[COLS] = { 1, 1, 1, 1, 1 };
	uint64_t rows[3] = { id, (id + 7) % 64, 64 + id };
	int rc = lagoon_add(w, v->t, id, 1, one);

	if (!rc)
		atomic_fetch_add(&shared->added[id], 1);
	if (!rc && v->mode != COMPUTE)
		rc = lagoon_pull_rows(w, v->t, rows, 3, buf);
	return rc ? rc : lagoon_clock(w);
}

static int node_of(int rank)
{
	return rank * lagoon_nodes(t_lg) / lagoon_size(t_lg);
}

/* What all live workers added is there; of those that share deltas with the
 * dead process, what it has not lost (test/job/mate.c counts that). */
static void sums_check(const struct victim *v, struct lagoon_worker *w)
{
	const struct shared *shared = t_shared;
	int64_t buf[COLS];

	for (int id = 0; id < lagoon_workers(t_lg); id++) {
		int64_t all = atomic_load(&shared->added[id]);
		/* all processes have the same number of workers */
		bool dead = lagoon_nodes(t_lg) > 1 ?
			node_of(id / lagoon_local_workers(t_lg)) == node_of(v->rank) :
			id / lagoon_local_workers(t_lg) == v->rank;

		t_ok(lagoon_pull(w, v->t, (uint64_t)id, 1, buf), "last pull");
		for (int i = 0; i < COLS; i++)
			T_CHECK(buf[i] == all || (dead && buf[i] >= 0 &&
						  buf[i] <= all + 1),
				"row %d holds %lld, added were %lld", id,
				(long long)buf[i], (long long)all);
	}
}

/* After a death, and all workers in the same round: one that leaves earlier
 * would be waited for. */
static bool may_leave(int round)
{
	struct shared *shared = t_shared;
	int last = 0;

	if (atomic_load(&died_ns))
		atomic_compare_exchange_strong(&shared->last, &last, round + AHEAD);
	last = atomic_load(&shared->last);
	return last && round >= last;
}

/* The survivor goes to where it waits; returns what that returned. */
static int wait_there(const struct victim *v, struct lagoon_worker *w)
{
	struct shared *shared = t_shared;
	int rc = 0;

	atomic_fetch_add(&shared->waiting, 1);
	if (v->mode == BARRIER)
		return lagoon_barrier(w);
	if (v->mode == CLOSE || v->mode == CREATE || v->mode == RUN)
		return 0;
	for (int r = 0; !rc && (!v->go_on || r < ROUNDS || !may_leave(r)); r++)
		rc = round_of(v, w);
	return rc;
}

static int work(struct lagoon_worker *w, void *arg)
{
	const struct victim *v = arg;
	bool after = v->mode == CLOSE || v->mode == CREATE || v->mode == RUN;
	int rc = 0;

	if (v->mode != ANY)
		for (int r = 0; r < STOP && !rc; r++)
			rc = round_of(v, w);
	t_ok(rc, "a round before the death");
	if (v->is_victim && v->mode != ANY) {
		if (after)
			return 0;
		die_later(v);
	}
	rc = wait_there(v, w);
	if (rc || !v->go_on) {
		if (!after)
			error_check(v, rc, mode_name[v->mode]);
		return rc;
	}
	if (after)
		return 0;
	t_ok(lagoon_barrier(w), "barrier after a death");
	sums_check(v, w);
	return 0;
}

static int table_make(const char *name, int model, struct lagoon_table **t)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.cols = COLS;
	attr.format = LAGOON_I64;
	attr.model = model;
	return lagoon_table_create(t_lg, name, &attr, t);
}

static int nothing(struct lagoon_worker *w, void *arg)
{
	(void)w;
	(void)arg;
	return 0;
}

/* After the workers: the collective call in which the victim is missing. */
static void meet(struct victim *v)
{
	struct lagoon_table *t;
	int rc = 0;

	if (v->is_victim)
		die_later(v);
	if (v->mode == CREATE)
		rc = table_make("second", LAGOON_SSP, &t);
	else if (v->mode == RUN)
		rc = lagoon_run(t_lg, nothing, NULL);
	else
		return;
	if (v->go_on)
		t_ok(rc, mode_name[v->mode]);
	else
		error_check(v, rc, mode_name[v->mode]);
}

static void finish(const struct victim *v)
{
	int rank = lagoon_rank(t_lg), rc;
	double s;

	if (v->go_on)
		nap(v->linger_ms * 1000);
	rc = lagoon_close(t_lg);
	s = 1e-9 * (double)(t_now_ns() - atomic_load(&died_ns));
	if (v->go_on)
		t_ok(rc, "lagoon_close");
	else if (rc || v->mode == CLOSE)
		error_check(v, rc, "lagoon_close");
	T_CHECK(v->go_on || s <= LIMIT_S, "closed %.1f s after the death", s);
	printf("survivor %d\n", rank);
}

static void options_read(int argc, char **argv, struct victim *v,
			 struct lagoon_attr *attr)
{
	static const struct option table[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "victim", required_argument, NULL, 'v' },
		{ "continue", no_argument, NULL, 'c' },
		{ "workers", required_argument, NULL, 'w' },
		{ "linger", required_argument, NULL, 'l' },
		{ "tag", required_argument, NULL, 't' },
		{ "machine", no_argument, NULL, 'M' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'm')
			for (unsigned i = 0; i < T_COUNT(mode_name); i++)
				v->mode = strcmp(optarg, mode_name[i]) ? v->mode : i;
		if (c == 'v')
			v->rank = atoi(optarg);
		if (c == 'c')
			attr->on_death = LAGOON_DEATH_CONTINUE;
		if (c == 'w')
			attr->workers = t_workers(optarg);
		if (c == 'l')
			v->linger_ms = atol(optarg);
		if (c == 'M')
			v->machine = true;
		if (c == '?')
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct victim v = { .mode = ANY };
	struct lagoon_attr attr;
	pthread_t thread;
	int rc, model;

	t_begin("victim", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	options_read(argc, argv, &v, &attr);
	t_open(&attr, NULL);
	T_CHECK(lagoon_workers(t_lg) <= 64, "too many workers");
	v.is_victim = lagoon_rank(t_lg) == v.rank;
	v.survivors = lagoon_workers(t_lg) - lagoon_local_workers(t_lg);
	v.go_on = attr.on_death == LAGOON_DEATH_CONTINUE && v.mode != CLOCK &&
		  v.rank != 0;
	t_seed();
	if (!v.is_victim)
		pthread_create(&thread, NULL, witness, NULL);
	model = v.mode == CLOCK ? LAGOON_BSP :
		v.mode == COMPUTE ? LAGOON_ASP : LAGOON_SSP;
	t_ok(table_make("first", model, &v.t), "create");
	if (v.is_victim && v.mode == ANY)
		pthread_create(&thread, NULL, die_sometime, &v);
	rc = lagoon_run(t_lg, work, &v);
	if (rc || !v.go_on)
		T_CHECK(rc == LAGOON_EPEER || (!rc && v.mode >= CLOSE &&
					       v.mode != ANY),
			"lagoon_run returned %d: %s", rc, lagoon_errmsg());
	if (!rc)
		meet(&v);
	finish(&v);
	return 0;
}
