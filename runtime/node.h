/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The processes of a node share the caches of tables: one copy of a page, read
 * once, whoever needs it first; and the delta words of tables that are not
 * bsp: a word is pushed once for all of them, when the smallest clock of their
 * workers grows. The first of them (its lowest rank, always the home of a
 * shard) makes the memory, the others map it. They reach each other over the
 * shm wire: the job's own, or one opened beside it.
 *
 * A node whose processes cannot map each other's memory, or cannot see each
 * other die, has a cache for each process instead; so has a process that is
 * alone. A job in which all tables are in place needs none.
 *
 * Who may do what:
 *	stamp, floor, copy	the process that holds the page (page.h)
 *	hold			by CAS from idle; then its process alone, or,
 *				when that is dead, who meets it: lgn_node_heal()
 *	tick (psp)		anybody, upwards
 *	delta words, dirty	anybody adds and marks; who holds the push lock
 *				and the page takes (page.h, push.c)
 *	pusher			the push lock: by CAS from free; from a dead
 *				process by who needs it, who then counts what
 *				that one had taken as uncertain (push_run.c)
 *	table, taken		who holds the push lock; `taken` grows before
 *				a word is taken
 *	published		who holds the push lock (bsp: everybody, the
 *				same value)
 *	shown			each worker its own
 *	lost			who notes it: whose mates have given up sees no
 *				more of the board, since the node's clock stands
 *
 * A worker's deltas are there before its clock is shown, and clocks are read
 * before deltas are taken: what a push publishes is in the shards, whichever
 * process added it. Nobody waits for the lock in lagoon_clock(): who lets go
 * of it looks at the clocks again. When a death lets the node's clock grow,
 * who waits for others publishes it (board.c, pull.c).
 *
 * Whoever waits for a page that another process holds polls its own wire, for
 * the other may wait for its READs; and if that takes long it pokes the other
 * process, which may have a READ in flight that nobody there waits for: a
 * thread of it polls then.
 */
#ifndef LGN_RUNTIME_NODE_H
#define LGN_RUNTIME_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "verbs/wire.h"

struct lagoon;
struct lagoon_table;

/* What the processes of a node share beside tables. */
struct lgn_control {
	_Atomic uint32_t pusher;	/* rank + 1 with the push lock; 0: free */
	_Atomic uint32_t table;		/* slot of the one being pushed */
	_Atomic uint64_t taken;		/* words of it on their way, at most */
	_Atomic int64_t published;	/* node's clock that is on the board */
	_Atomic int lost;		/* what ends the job: struct lagoon.lost */
	_Atomic int64_t shown[];	/* clocks of workers, process by process */
};

struct lgn_node {
	int n;			/* processes that share, me too; 1: alone */
	int me;			/* among them */
	int *rank;		/* [n], ascending: rank[0] makes memory */
	struct lgn_wire *wire;	/* to them; NULL: alone */
	bool beside;		/* not the job's wire */
	bool ok;		/* it works, as far as this process knows */
	_Atomic bool agreed;	/* its memory stays as it is */
	int caches;		/* on this machine, of all nodes on it */
	int adders;		/* of the job: one push at a time in each */
	int workers;		/* of all that share */
	int *first;		/* [n + 1] place of its workers' clocks */
	struct lgn_mem control_mem;	/* of the process that made it, */
	struct lgn_rmem control_map;	/* of the others, */
	void *control_own;		/* of one that is alone */
	struct lgn_control *control;
};

/* At the head of what is shared of a table, before its pages. */
struct lgn_shared {
	_Atomic uint64_t tick;	/* psp: samples that were far enough */
};

/* Who is of this node; a wire beside the job's if it takes one, whose address
 * the others must get. */
int lgn_node_open(struct lagoon *lg, const struct lgn_wire_near *near,
		  struct lgn_wire_addr *mine);
/* addr[size], of all processes. What does not work here makes the node's
 * processes stay alone: lgn_node_agree(), collective. */
void lgn_node_start(struct lagoon *lg, const struct lgn_wire_addr *addr,
		    const uint64_t nonce[2]);
int lgn_node_agree(struct lagoon *lg);
/* No more deaths and pokes are told. */
void lgn_node_quiet(struct lagoon *lg);
void lgn_node_close(struct lagoon *lg);

/* A table's copies, page states and shared words: what this process makes;
 * *key: for its directory, if others are to map it. Not in place. */
int lgn_node_table_make(struct lagoon_table *t, struct lgn_key *key);
/* What it maps, by the key from the directory of rank[0]. */
int lgn_node_table_join(struct lagoon_table *t, const struct lgn_key *key);
void lgn_node_table_free(struct lagoon_table *t);

/* A process of this machine has ended, and its queue pairs with it. */
void lgn_node_note_gone(struct lagoon *lg, int rank);

/* What a process held may be taken from it: it is gone, and this one knows
 * what that means for the job. */
bool lgn_node_dead(const struct lagoon *lg, int rank);

/* The smallest clock that live workers of a process have shown;
 * LGN_CLOCK_LEFT if there are none. Of the node's i-th process, and of all. */
int64_t lgn_node_clock_of(const struct lagoon *lg, int i);
int64_t lgn_node_clock(const struct lagoon *lg);

/* What is in flight at others may be waited for here. Any thread. */
void lgn_node_poked(void *lagoon);

/* The caller needs a page that is not idle: see that it becomes so. Never
 * blocks. *look_ns: 0 when the wait begins. */
void lgn_node_look(struct lagoon_table *t, uint64_t page, uint64_t *look_ns);

#endif
