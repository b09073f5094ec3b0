/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the live workers of a process meet. The one that finds all of them
 * there acts for all, then all go on with its result. Members may leave
 * while others wait; then whoever waits notices.
 */
#ifndef LGN_RUNTIME_GATE_H
#define LGN_RUNTIME_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct lgn_gate {
	pthread_mutex_t lock;	/* guards the rest; never held across action */
	int live;
	int arrived;
	bool acting;
	uint64_t generation;
	int result;
	char errmsg[512];
};

void lgn_gate_init(struct lgn_gate *gate, int live);
void lgn_gate_fini(struct lgn_gate *gate);

/* Every live worker calls it with the same action. Returns action's result,
 * with its message, in each of them; or what stop() says while waiting. */
int lgn_gate_meet(struct lgn_gate *gate, int (*action)(void *arg), void *arg,
		  int (*stop)(void *arg));

/* One fewer to wait for. */
void lgn_gate_leave(struct lgn_gate *gate);

#endif
