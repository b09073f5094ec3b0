/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual processes find each other. */
#include <stdlib.h>
#include <string.h>

#include "runtime/core.h"
#include "test/sched/case.h"
#include "test/sched/sched.h"
#include "test/sched/wire_sim.h"

enum { BLOB = 512 };

static struct {
	uint8_t *blob[2];		/* in turn */
	uint64_t arrived, turn;
	int n, room;
} gather;

void sim_job_begin(int n)
{
	gather.arrived = gather.turn = 0;
	gather.n = n;
	if (n <= gather.room)
		return;
	gather.room = n;
	for (int i = 0; i < 2; i++) {
		gather.blob[i] = realloc(gather.blob[i], (size_t)n * BLOB);
		T_CHECK(gather.blob[i], "no memory for %d processes", n);
	}
}

static int allgather(void *arg, const void *mine, size_t len, void *all)
{
	const struct lagoon_attr *attr = arg;
	uint64_t turn = gather.turn;
	uint8_t *blob = gather.blob[turn & 1];

	if (len > BLOB)
		return -1;
	memcpy(blob + (size_t)attr->rank * len, mine, len);
	if (++gather.arrived == (uint64_t)gather.n) {
		gather.arrived = 0;
		gather.turn++;
	}
	sched_progress();
	while (gather.turn == turn)
		SCHED_WAIT("allgather");
	memcpy(all, blob, (size_t)gather.n * len);
	return 0;
}

int sim_job_open(int proc, int n, int workers, int nodes, int on_death,
		 struct lagoon **lg)
{
	struct lagoon_attr attr;

	t_ok(lagoon_attr_init(&attr), "lagoon_attr_init");
	attr.workers = workers;
	attr.nodes = nodes;
	attr.on_death = on_death;
	attr.timeout_s = 86400;		/* of a time that flies */
	attr.seed = 1;
	attr.allgather = allgather;
	attr.allgather_arg = &attr;
	attr.rank = proc;
	attr.nranks = n;
	return lgn_open_on(&attr, &lgn_wire_sim, lg);
}
