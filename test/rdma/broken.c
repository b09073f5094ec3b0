/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queue pairs of rings that break with records on them, many times: each way is
 * mended, and every record is applied once and in order. While they are, a
 * table's atomics between the same processes go on undisturbed.
 *
 *	broken sender|owner|both	whose queue pairs break
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/support/streams.h"
#include "verbs/rc/rc.h"

enum { PAUSE_US = 300000, ROWS = 100 };

static _Atomic bool over;
static bool at_sender, at_owner;
static uint64_t cuts;

static void cut_mine(struct lgn_rc *rc, int rank)
{
	struct ibv_qp_attr error = { .qp_state = IBV_QPS_ERR };
	struct ibv_qp **qp = &rc->peer[rank].bell.qp;

	pthread_mutex_lock(&rc->lock);
	if (*qp) {
		T_CHECK(!ibv_modify_qp(*qp, &error, IBV_QP_STATE),
			"a queue pair to ERR");
		cuts++;
	}
	pthread_mutex_unlock(&rc->lock);
}

/* At any moment: not a wait for anything. */
static void *cutter(void *arg)
{
	struct lgn_rc *rc = lgn_rc_of(t_lg->wire);
	struct t_rng rng = { t_mix(t_seed(), 9 + (uint64_t)t_lg->rank) };

	(void)arg;
	while (!atomic_load(&over)) {
		int rank = (int)t_below(&rng, (uint64_t)t_lg->size);

		usleep((useconds_t)t_below(&rng, PAUSE_US));
		if (at_sender && (!at_owner || t_once_in(&rng, 2)))
			cut_mine(rc, rank);
		else if (at_owner && !lgn_rc_bells_renew(rc, rank))
			cuts++;
	}
	return NULL;
}

/* Rounds of atomics, from another thread, as long as the streams go on. */
static int add(struct lagoon_worker *w, void *arg)
{
	struct lagoon_table *t = arg;
	int64_t one[ROWS], value[ROWS];
	int64_t rounds = 0;

	for (int i = 0; i < ROWS; i++)
		one[i] = 1;
	do {
		t_ok(lagoon_add(w, t, 0, ROWS, one), "add");
		t_ok(lagoon_clock(w), "clock");
		rounds++;
	} while (!atomic_load(&over));
	t_ok(lagoon_fetch_add(w, t, ROWS, 0, rounds, &value[0]), "fetch_add");
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, t, ROWS, 1, &rounds), "pull");
	t_ok(lagoon_pull(w, t, 0, ROWS, value), "pull");
	for (int i = 0; i < ROWS; i++)
		T_CHECK(value[i] == rounds, "row %d is %lld after %lld rounds", i,
			(long long)value[i], (long long)rounds);
	return 0;
}

static void *adder(void *arg)
{
	t_ok(lagoon_run(t_lg, add, arg), "run");
	return NULL;
}

static void stream_and_cut(struct lgn_ring *ring, struct lagoon_table *t)
{
	pthread_t cut, adds;
	uint64_t again, mended;

	T_CHECK(!pthread_create(&cut, NULL, cutter, NULL) &&
		!pthread_create(&adds, NULL, adder, t), "pthread_create");
	st_stream(ring, t_scaled(10000, 100));
	atomic_store(&over, true);
	pthread_join(cut, NULL);
	pthread_join(adds, NULL);
	t_ok(lgn_board_sync(t_lg), "sync");
	st_check_all_came();
	lgn_ring_counts(ring, &again, &mended);
	printf("broken: rank %d: %llu cuts, %llu ways mended, %llu records sent again\n",
	       t_lg->rank, (unsigned long long)cuts, (unsigned long long)mended,
	       (unsigned long long)again);
}

int main(int argc, char **argv)
{
	const char *who = argc > 1 ? argv[1] : "sender";
	struct lagoon_attr attr;
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	struct lgn_ring *ring;

	at_sender = strcmp(who, "owner") != 0;
	at_owner = strcmp(who, "sender") != 0;
	t_begin("broken", sizeof(struct st_shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	t_open(&attr, NULL);
	if (strcmp(t_lg->wire->ops->name, "rc")) {
		puts("needs the wire rc");
		return T_SKIP;
	}
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS + 1;
	shape.format = LAGOON_I64;
	t_ok(lagoon_table_create(t_lg, "counts", &shape, &t), "create");
	t_ok(lgn_ring_open(t_lg, &st_attr, &ring), "ring_open");
	stream_and_cut(ring, t);
	t_close();
	return 0;
}
