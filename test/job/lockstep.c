/* launch: -n 1 -- --workers 8 */
/* launch: -n 1 -- --workers 3 */
/* launch: -n 3 --nodes 3 */
/* launch: -n 4 --nodes 2 -- --workers 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bound still is what it was after many rounds in lock step, with any
 * number of workers: then all but one go as many rounds ahead as it allows,
 * and the next pull waits. (There have been clocks that ticked twice for some
 * numbers of workers, so that nobody ever waited.) And a row that nobody has
 * touched is 0 in whichever round it is first pulled.
 */
#include <sched.h>

#include "test/support/test.h"

enum {
	STANDING = 0,		/* the worker that the others leave behind */
	ROUNDS = 100,
	TRIES = 500,		/* of a pull that must not come through */
	MINE = 16,		/* rows for what workers add, */
	ROWS = MINE + 2000,	/* then untouched ones */
};

static const int32_t bounds[] = { 0, 1, 3 };

struct shared {
	_Atomic int round;	/* workers that ended it, all rounds added up */
	_Atomic int waiting;	/* workers whose pull did not come through */
};

struct step {
	struct lagoon_table *t;
	int32_t bound;
};

static void meet(struct lagoon_worker *w)
{
	struct shared *shared = t_shared;
	int all = lagoon_workers(t_lg);
	int upto = (int)lagoon_worker_clock(w) * all;

	atomic_fetch_add(&shared->round, 1);
	while (atomic_load(&shared->round) < upto)
		sched_yield();
}

/* One round. The pull shows all rounds of all workers but those that the bound
 * lets it miss, and in lock step nobody is two ahead. */
static void play(struct lagoon_worker *w, const struct step *step, bool together)
{
	int all = lagoon_workers(t_lg);
	int64_t c = lagoon_worker_clock(w), least = c - step->bound;
	double x[MINE], fresh = -1, one = 1;

	t_ok(lagoon_pull(w, step->t, 0, (uint64_t)all, x), "pull");
	for (int i = 0; i < all; i++)
		T_CHECK(x[i] >= least && (!together || x[i] <= c + 1),
			"%d workers, bound %d: round %lld shows %g rounds of worker %d",
			all, step->bound, (long long)c, x[i], i);
	t_ok(lagoon_pull(w, step->t, MINE + (uint64_t)c * 17, 1, &fresh), "pull");
	T_CHECK(fresh == 0, "round %lld: a row that nobody touched is %g",
		(long long)c, fresh);
	t_ok(lagoon_add(w, step->t, (uint64_t)lagoon_worker_id(w), 1, &one), "add");
	t_ok(lagoon_clock(w), "clock");
	T_CHECK(lagoon_worker_clock(w) == c + 1, "the clock went from %lld to %lld",
		(long long)c, (long long)lagoon_worker_clock(w));
}

static void must_wait(struct lagoon_worker *w, const struct step *step)
{
	struct shared *shared = t_shared;
	struct lagoon_request *req;
	int done = 0;
	double x;

	t_ok(lagoon_pull_start(w, step->t, STANDING, 1, &x, &req), "pull_start");
	for (int i = 0; i < TRIES; i++) {
		t_ok(lagoon_test(req, &done), "test");
		T_CHECK(!done, "%d workers, bound %d: a worker at clock %lld does not wait for one at %d",
			lagoon_workers(t_lg), step->bound,
			(long long)lagoon_worker_clock(w), ROUNDS);
		if (i % 16 == 0)
			sched_yield();
	}
	atomic_fetch_add(&shared->waiting, 1);
	t_ok(lagoon_wait(req), "wait");
	T_CHECK(x == ROUNDS + 1, "the pull that waited shows %g", x);
}

static int work(struct lagoon_worker *w, void *arg)
{
	const struct step *step = arg;
	struct shared *shared = t_shared;

	for (int i = 0; i < ROUNDS; i++) {
		play(w, step, true);
		meet(w);
	}
	if (lagoon_worker_id(w) == STANDING) {
		while (atomic_load(&shared->waiting) < lagoon_workers(t_lg) - 1)
			sched_yield();
		play(w, step, false);
		return 0;
	}
	for (int i = 0; i <= step->bound; i++)
		play(w, step, false);
	must_wait(w, step);
	return 0;
}

static void run(int32_t bound)
{
	struct shared *shared = t_shared;
	struct step step = { .bound = bound };
	struct lagoon_table_attr attr;

	t_sync();
	atomic_store(&shared->round, 0);
	atomic_store(&shared->waiting, 0);
	t_sync();
	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.staleness = bound;
	t_ok(lagoon_table_create(t_lg, "lockstep", &attr, &step.t), "create");
	t_ok(lagoon_run(t_lg, work, &step), "run");
	t_ok(lagoon_table_destroy(step.t), "destroy");
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("lockstep", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2)
		attr.workers = t_workers(argv[2]);
	t_open(&attr, NULL);
	T_CHECK(lagoon_workers(t_lg) <= MINE, "at most %d workers", MINE);
	for (size_t i = 0; i < T_COUNT(bounds); i++)
		run(bounds[i]);
	t_close();
	return 0;
}
