/* SPDX-License-Identifier: BSD-3-Clause */
/* Very many processes in one: a few rounds of adds of one, exact sums. */
#include <stdlib.h>

#include "test/sched/case.h"
#include "test/sched/host_sim.h"
#include "test/sched/sched.h"
#include "test/sched/wire_sim.h"

enum { ROUNDS = 2, ADDS = 2, ROWS = 64 };

static struct {
	int procs, workers, nodes, model, open;
	int64_t sum[ROWS];
	uint64_t seed;
} crowd;

static int work(struct lagoon_worker *w, void *arg)
{
	struct lagoon_table *t = arg;
	struct t_rng rng = { t_mix(crowd.seed, (uint64_t)lagoon_worker_id(w)) };
	int64_t mine[ROWS] = { 0 }, got[ROWS], one = 1;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < ADDS; i++) {
			uint64_t row = t_below(&rng, ROWS);

			t_ok(lagoon_add(w, t, row, 1, &one), "add");
			mine[row]++;
			crowd.sum[row]++;
		}
		t_ok(lagoon_pull(w, t, 0, ROWS, got), "pull");
		for (int i = 0; i < ROWS; i++)
			T_CHECK(got[i] >= mine[i] && got[i] <= crowd.sum[i],
				"row %d: %lld, of which %lld its own", i,
				(long long)got[i], (long long)mine[i]);
		t_ok(lagoon_clock(w), "clock");
		sched_progress();
	}
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, t, 0, ROWS, got), "pull");
	for (int i = 0; i < ROWS; i++)
		T_CHECK(got[i] == crowd.sum[i], "I3, row %d: %lld of %lld", i,
			(long long)got[i], (long long)crowd.sum[i]);
	sched_progress();
	return 0;
}

static void *process(void *arg)
{
	struct lagoon *lg;
	struct lagoon_table *t;
	struct lagoon_table_attr attr;

	t_ok(sim_job_open((int)(intptr_t)arg, crowd.procs, crowd.workers,
			  crowd.nodes, LAGOON_DEATH_STOP, &lg), "lagoon_open");
	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.format = LAGOON_I64;
	attr.model = crowd.model;
	attr.staleness = crowd.model == LAGOON_SSP;
	attr.page_rows = 16;
	t_ok(lagoon_table_create(lg, "crowd", &attr, &t), "table_create");
	t_ok(lagoon_run(lg, work, t), "lagoon_run");
	t_ok(lagoon_close(lg), "lagoon_close");
	return NULL;
}

void crowd_run(uint64_t seed, int procs, int workers, int model)
{
	unsigned left;

	crowd.seed = seed;
	crowd.procs = procs;
	crowd.workers = workers;
	crowd.model = model;
	crowd.nodes = procs < 4 ? procs : 4;
	for (int i = 0; i < ROWS; i++)
		crowd.sum[i] = 0;
	wire_sim_style = (struct wire_sim_style){
		.max_batch = 256, .again_in = 8, .linger_in = 16,
		.strange = -1,
	};
	sched_begin(seed, false);
	sim_job_begin(procs);
	for (int i = 0; i < procs; i++) {
		host_set_numa(i, 0);
		sched_spawn(i, "main", process, (void *)(intptr_t)i);
	}
	sched_run();
	left = sched_heap_end();
	T_CHECK(!left && node_sim_clean(), "%u pieces of memory are left", left);
}
