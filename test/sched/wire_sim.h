/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A wire between virtual processes that does by seed what wire.h allows:
 * words of a GET are read in any order, at several moments, and some GETs are
 * executed again; an ADD or CAS takes effect once, at some moment between post
 * and completion; completions come late and in any order. The old value of an
 * ADD or CAS is not there before its completion.
 */
#ifndef TEST_SCHED_WIRE_SIM_H
#define TEST_SCHED_WIRE_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "verbs/wire.h"

enum {
	WIRE_SIM_SMALL = 8,	/* processes that hear of each other's end */
	WIRE_SIM_LATE = 300,	/* gifts of the core before one hears, at most */
};

struct wire_sim_style {
	bool cpu_atomic;	/* the CPU may change words of its node's memory */
	bool map;		/* memory of a node is mapped */
	bool gone_with_owner;	/* what reaches for a dead process's memory
				 * fails, */
	bool reads_go_on;	/* but for what is no atomic: another way; not
				 * to the board, which would lie */
	uint32_t max_batch;
	unsigned again_in;	/* a GET is executed again, once in; 0: never */
	unsigned linger_in;	/* a request stands still for long */
	unsigned refuse_in;	/* there is no room for a post */
	int strange;		/* a process that its node cannot share with; -1 */
};

extern struct wire_sim_style wire_sim_style;
extern const struct lgn_wire_ops lgn_wire_sim;

/* Something that a dead process had posted is still on its way. */
bool wire_sim_orphans(void);

/* node_sim.c: the wire between the processes of a node, beside that one. */
void node_sim_begin(void);
void node_sim_kill(int proc);

/* Whether all memory of nodes is given back, but by the dead. */
bool node_sim_clean(void);

/* Requests posted, and GETs that were executed once more, in all schedules. */
extern uint64_t wire_sim_posted, wire_sim_again;

#endif
