/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "runtime/base/status.h"
#include "runtime/base/wait.h"
#include "runtime/gate.h"

void lgn_gate_init(struct lgn_gate *gate, int live)
{
	*gate = (struct lgn_gate){ .live = live };
	pthread_mutex_init(&gate->lock, NULL);
}

void lgn_gate_fini(struct lgn_gate *gate)
{
	pthread_mutex_destroy(&gate->lock);
}

/* Needs the lock. True: the caller is to act. */
static bool take_lead(struct lgn_gate *gate)
{
	if (gate->acting || gate->arrived < gate->live)
		return false;
	gate->acting = true;
	return true;
}

/* Who does not wait to the end has not arrived: else the others would meet
 * without one that is still on its way. */
static void go_away(struct lgn_gate *gate, uint64_t mine)
{
	pthread_mutex_lock(&gate->lock);
	if (gate->generation == mine && !gate->acting)
		gate->arrived--;
	pthread_mutex_unlock(&gate->lock);
}

static int lead(struct lgn_gate *gate, int (*action)(void *arg), void *arg)
{
	int result = action(arg);

	pthread_mutex_lock(&gate->lock);
	gate->result = result;
	snprintf(gate->errmsg, sizeof(gate->errmsg), "%s",
		 result ? lagoon_errmsg() : "");
	gate->arrived = 0;
	gate->acting = false;
	gate->generation++;
	pthread_mutex_unlock(&gate->lock);
	return result;
}

int lgn_gate_meet(struct lgn_gate *gate, int (*action)(void *arg), void *arg,
		  int (*stop)(void *arg))
{
	struct lgn_wait wait = LGN_WAIT_INIT;
	uint64_t mine;
	bool leader;
	int rc;

	pthread_mutex_lock(&gate->lock);
	mine = gate->generation;
	gate->arrived++;
	leader = take_lead(gate);
	pthread_mutex_unlock(&gate->lock);
	while (!leader) {
		pthread_mutex_lock(&gate->lock);
		if (gate->generation != mine) {
			/* The next generation cannot end before this worker
			 * has arrived again: the result is still ours. */
			rc = gate->result;
			if (rc)
				lgn_errmsg_set(gate->errmsg);
			pthread_mutex_unlock(&gate->lock);
			return rc;
		}
		leader = take_lead(gate);
		pthread_mutex_unlock(&gate->lock);
		if (leader)
			break;
		rc = stop(arg);
		if (rc) {
			go_away(gate, mine);
			return rc;
		}
		lgn_wait_step(&wait);
	}
	return lead(gate, action, arg);
}

void lgn_gate_leave(struct lgn_gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->live--;
	pthread_mutex_unlock(&gate->lock);
}
