/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue pair breaks with fetch-and-adds in flight: the one case in which a
 * sum is not known (I3). The push fails, names the table, and counts the words
 * that may or may not have arrived; the shard has every other word of the push,
 * none twice, and nothing is sent again. Two processes, on_death=continue.
 * Argument: owner, if the queue pairs that answer are to break.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/core.h"
#include "runtime/push.h"
#include "test/support/test.h"
#include "verbs/rc/rc.h"

enum { ROWS = 2000, ROUNDS = 1000000, WAIT_US = 200000 };

struct shared {
	struct lagoon_stats stats;	/* of rank 1 */
	_Atomic int begun, done, read;
	int64_t rounds;			/* whose deltas have been given to push */
};

static bool at_owner;			/* which side's queue pairs break */

static void to_error(struct ibv_qp *qp)
{
	struct ibv_qp_attr error = { .qp_state = IBV_QPS_ERR };

	T_CHECK(!ibv_modify_qp(qp, &error, IBV_QP_STATE), "a queue pair to ERR");
}

/* At any moment of a push: not a wait for anything. */
static void *cut(void *arg)
{
	struct lgn_rc *rc = lgn_rc_of(t_lg->wire);
	struct t_rng rng = { t_seed() };

	(void)arg;
	usleep((useconds_t)t_below(&rng, WAIT_US));
	if (!at_owner)
		for (int i = 0; i < rc->options.qps; i++)
			to_error(rc->peer[0].qp[i].qp);
	for (struct lgn_rc_served *s = rc->served; at_owner && s; s = s->next)
		for (int i = 0; s->rank == 1 && i < rc->options.qps; i++)
			to_error(s->qp[i]);
	return NULL;
}

static void pusher(struct lagoon_worker *w, struct lagoon_table *t)
{
	struct shared *shared = t_shared;
	static int64_t one[ROWS];
	pthread_t thread;
	int rc = 0;

	for (int i = 0; i < ROWS; i++)
		one[i] = 1;
	atomic_store(&shared->begun, 1);
	if (!at_owner)
		T_CHECK(!pthread_create(&thread, NULL, cut, NULL), "pthread_create");
	while (!rc && shared->rounds < ROUNDS) {
		t_ok(lagoon_add(w, t, 0, ROWS, one), "add");
		shared->rounds++;
		rc = lagoon_clock(w);
	}
	if (!at_owner)
		pthread_join(thread, NULL);
	T_CHECK(rc == LAGOON_EIO || rc == LAGOON_EPEER, "clock: %d", rc);
	shared->stats.size = sizeof(shared->stats);
	t_ok(lagoon_table_stats(t, &shared->stats), "stats");
	T_CHECK(strstr(lagoon_errmsg(), "device ") &&
		strstr(lagoon_errmsg(), "vendor code") &&
		t_names(lagoon_errmsg(), "rank ", 0), "%s", lagoon_errmsg());
	/* It may also have hit the board between two pushes. */
	T_CHECK(!shared->stats.uncertain ==
		!strstr(lagoon_errmsg(), "words are uncertain") &&
		(!shared->stats.uncertain ||
		 strstr(lagoon_errmsg(), "table counts: ")),
		"%s", lagoon_errmsg());
	/* Once broken, it stays so: nothing is sent a second time. */
	T_CHECK(lagoon_clock(w), "a clock after it succeeded");
	t_ok(lagoon_table_stats(t, &shared->stats), "stats");
	atomic_store(&shared->done, 1);
	/* Half of the rows are here: they end with this process. */
	t_await(&shared->read, 1);
}

static void owner(struct lagoon_worker *w, struct lagoon_table *t)
{
	struct shared *shared = t_shared;
	static int64_t value[ROWS];
	int64_t sum = 0, pushed, uncertain;

	t_await(&shared->begun, 1);
	if (at_owner)
		cut(NULL);
	t_await(&shared->done, 1);
	t_ok(lagoon_pull(w, t, 0, ROWS, value), "pull");
	atomic_store(&shared->read, 1);
	for (int i = 0; i < ROWS; i++) {
		T_CHECK(value[i] == shared->rounds || value[i] == shared->rounds - 1,
			"row %d is %lld after %lld rounds", i,
			(long long)value[i], (long long)shared->rounds);
		sum += value[i];
	}
	pushed = (int64_t)shared->stats.words_pushed;
	uncertain = (int64_t)shared->stats.uncertain;
	printf("%lld words pushed, %lld uncertain, %lld arrived\n",
	       (long long)pushed, (long long)uncertain, (long long)sum);
	T_CHECK(uncertain <= LGN_PUSH_WRS,
		"%lld words are uncertain", (long long)uncertain);
	T_CHECK(sum >= pushed - uncertain && sum <= pushed,
		"%lld of %lld words arrived, %lld are uncertain", (long long)sum,
		(long long)pushed, (long long)uncertain);
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct lagoon_table *t = arg;

	if (lagoon_rank(t_lg))
		pusher(w, t);
	else
		owner(w, t);
	return 0;
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;
	struct lagoon_table_attr shape;
	struct lagoon_table *t;

	at_owner = argc > 1 && !strcmp(argv[1], "owner");
	t_begin("uncertain", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.on_death = LAGOON_DEATH_CONTINUE;
	t_open(&attr, NULL);
	if (strcmp(t_lg->wire->ops->name, "rc")) {
		puts("needs the wire rc");
		return T_SKIP;
	}
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.format = LAGOON_I64;
	t_ok(lagoon_table_create(t_lg, "counts", &shape, &t), "create");
	lagoon_run(t_lg, work, t);
	lagoon_close(t_lg);
	return 0;
}
