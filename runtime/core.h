/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The objects of the runtime and who may touch what.
 *
 *	struct lagoon		one a process: members, board, workers, tables
 *	struct lagoon_worker	one thread's; its fields are that thread's alone
 *				unless marked atomic
 *	struct lagoon_table	shape, shards, pages (see page.h)
 *
 * How data flows:
 *	add.c     buffer -> lanes -> delta words (or shard words, see `direct`)
 *	push.c    delta words -> fetch-and-adds to shards
 *	clock.c   when to push, then publish on the board (board.c)
 *	pull.c    bound met? pages fresh? else READ pages (fetch.c); lanes -> buffer
 */
#ifndef LGN_RUNTIME_CORE_H
#define LGN_RUNTIME_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "numa/place.h"
#include "runtime/base/wait.h"
#include "runtime/board.h"
#include "runtime/gate.h"
#include "runtime/job.h"
#include "runtime/lagoon.h"
#include "runtime/layout.h"
#include "runtime/node.h"
#include "runtime/number.h"
#include "runtime/page.h"
#include "runtime/sample.h"
#include "verbs/wire.h"

#define LGN_TABLES 64			/* of a job */
#define LGN_REQUESTS 64			/* in flight, a worker */
#define LGN_FETCH_WRS 32		/* READs a request posts at once */
#define LGN_AHEAD_SLOTS 4		/* of READs ahead, a worker (essp) */

/* A clock that holds nobody back. */
#define LGN_CLOCK_LEFT (1ll << 38)

/* What every process knows of each. */
struct lgn_member {
	int machine;		/* dense: the lowest rank's is 0 */
	int node;		/* of the job, dense: the machine, or pretended */
	int numa;		/* NUMA node of its shard, as the system counts */
	int workers;
	int first_worker;	/* number in the job of its first */
	struct lgn_key dir;	/* its directory */
	_Atomic int dead;	/* set by the wire's thread or a board read */
	_Atomic int gone;	/* its process has ended, on this machine */
	_Atomic uint64_t waited_ns;
};

/* Statistics of one worker and table: written by the worker's thread only,
 * read by anybody (relaxed). */
struct lgn_counts {
	_Atomic uint64_t pulls, rows_pulled, adds, rows_added, page_uses;
	_Atomic uint64_t pages_read, pages_ahead, words_pushed, flushes;
	_Atomic uint64_t rejected, uncertain, wait_ns;
	_Atomic uint64_t unpushed;	/* vap: the largest lane left behind */
	_Atomic uint64_t ages[LAGOON_AGES];
};

static inline void lgn_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter,
		atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

struct lgn_apply;
struct lgn_sender;
struct lgn_sparse;

/* What a table promises: see rule.h. */
struct lgn_rule {
	int32_t model;
	int32_t staleness;
	int32_t sample;
	double change;
};

/* A worker that wants a table to follow another one. */
struct lgn_wish {
	bool asked;
	int status;			/* it cannot */
	int slot;			/* of the table */
	struct lgn_rule rule;
};

/* A worker that wants a checkpoint. */
struct lgn_save_wish {
	bool asked, done;
	int status;			/* it cannot */
	const char *dir;
	const void *state;
	size_t bytes;
};

/* One worker's part of one table. */
struct lgn_part {
	struct lgn_counts counts;
	uint32_t call;			/* of lagoon_add, for rounding; in round */
	int64_t round;
	struct lgn_drawn drawn;		/* of the bits of these calls */
	struct lgn_sparse *own;		/* bsp: this round's deltas, in rows */
	struct lgn_sparse *rows;	/* NULL: never bsp */
	struct lgn_sample sample;	/* psp */
} LGN_ALIGNED;

struct lagoon_table {
	struct lagoon *lg;
	char name[LAGOON_NAME_MAX + 1];
	int slot;			/* in the directories */
	uint32_t salt;			/* of its rounding: the slot that it had
					 * when it was made first */
	uint32_t seed;			/* of its rounding; lgn_table_reseed() */
	bool unsaved;			/* checkpoints leave it out */
	/* The rule; see rule.h */
	_Atomic int model;
	_Atomic int32_t staleness;	/* LAGOON_UNBOUNDED: asp, vap */
	_Atomic int32_t sample;
	_Atomic double change;
	struct lagoon_table_attr attr;	/* resolved */
	struct lgn_layout layout;
	struct lgn_number number;
	int64_t bound;			/* of a lane in a fetch-and-add */
	struct lgn_rmem *shard;		/* [layout.shards] */
	struct lgn_mem home;		/* the shard that lives here */
	int home_index;			/* -1: none */
	/* All on this node: pages are loaded from the shards, map[page]. */
	bool in_place;
	uint64_t **map;
	bool direct;			/* adds go there at once, too: not bsp */
	/* Otherwise: the cache, table sized, page after page: the node's, see
	 * node.h; */
	struct lgn_mem shared_mem;	/* of the process that made it, */
	struct lgn_rmem shared_map;	/* of the others */
	void *own_states;		/* of one that is alone, or in place */
	struct lgn_shared *shared;
	struct lgn_page *page;
	struct lgn_mem cache_mem;
	uint64_t *cache;
	/* and what the node's processes have added and not pushed. */
	struct lgn_mem delta_mem;	/* of a process that is alone */
	_Atomic uint64_t *delta_words;
	_Atomic uint64_t *delta;	/* the same; bsp: NULL */
	_Atomic uint64_t *dirty;	/* [pages] masks; see page.h */
	_Atomic uint32_t *used;		/* essp: by page, round of the last use
					 * + 1; NULL: never essp, or in place */
	_Atomic uint64_t scanned;	/* essp: stamp of the last scan */
	struct lgn_apply *apply;	/* NULL: atomic mode; see apply.h */
	struct lgn_part *part;		/* [local workers] */
	_Atomic uint32_t settings;	/* changes of the rule's numbers */
	uint64_t tail;			/* LAGOON_CHECK: first word of a page that
					 * holds no elements; else 0 */
	struct lgn_audit_table *audit;	/* NULL: not checked */
	uint16_t traced;		/* its name in the trace */
};

struct lgn_push;
struct lgn_saver;
struct lgn_ring;
struct lgn_trace_lane;

struct lagoon_worker {
	struct lagoon *lg;
	int index;			/* in the process */
	int id;				/* in the job */
	int64_t clock;
	_Atomic int64_t *shown;		/* clock as the node's others see it */
	_Atomic int64_t ended;		/* clock before it is shown */
	bool left;
	struct lgn_board_view view;	/* this worker's board reads */
	/* [LGN_REQUESTS]; one for blocking calls; [LGN_AHEAD_SLOTS] */
	struct lagoon_request *request;
	int ahead_table;		/* essp: being read ahead, -1: none; */
	uint64_t ahead_page;		/* the next of it to look at */
	struct lgn_wish wish;		/* lagoon_table_set_model(); its process reads it */
	struct lgn_save_wish save;	/* lagoon_checkpoint(); the same */
	uint64_t busy;			/* bit i: request[i] is in use */
	bool watched;			/* LAGOON_TRACE or LAGOON_CHECK */
	struct lgn_trace_lane *lane;	/* NULL: no trace */
	_Atomic uint64_t waited_ns;	/* written by its thread only */
	char errmsg[512];		/* of its function, for lagoon_run() */
} LGN_ALIGNED;

struct lagoon {
	int pid;			/* of the process that opened it */
	int rank, size, nodes;
	int neighbours;			/* processes on this machine, me too */
	int on_death, timeout_s;
	uint64_t seed;
	struct lgn_wire *wire;
	struct lgn_node node;
	bool bind;			/* LAGOON_BIND */
	struct lgn_topo *topo;
	struct lgn_plan plan;
	_Atomic int pinned, verified;	/* workers, by the last lagoon_run() */
	int bound, unbound;		/* regions on the home's NUMA node, or not */
	struct lgn_member *member;	/* [size] */
	int homes, homes_here;		/* of the job, on this machine */
	int *home_rank;			/* [homes] */
	int total_workers, local_workers;
	struct lagoon_worker *worker;	/* [local_workers] */
	struct lagoon_table *table[LGN_TABLES];
	_Atomic int bsp_tables, essp_tables;	/* the latter: not in place */
	_Atomic int apply_tables;	/* not in place */
	_Atomic int64_t applied;	/* rounds whose deltas to these are */
	int rules;			/* changes of models that I took part in */
	_Atomic bool ready;		/* opened: homes and board are known */
	struct lgn_mem dir_mem;		/* my directory */
	struct lgn_rmem *dir;		/* [homes] the homes' */
	struct lgn_board board;
	_Atomic bool gave_up;		/* and this process has left because of it */
	struct lgn_board_view watch_view; /* of the wire's thread */
	struct lgn_board_view mates_view; /* of the node wire's, if beside it */
	/* What ends the job: rank + 1 of a death; -(rank + 2) when a push to a
	 * rank broke off, -1 when to one that is not known. */
	_Atomic int lost;
	int runs;			/* lagoon_run() calls */
	uint32_t spell;			/* the same over restarts: of rounding */
	bool resumed;			/* by lagoon_restore(), since the last run */
	struct lgn_saver *saver;	/* NULL: no checkpoint yet */

	/* What this process knows of the floor. */
	_Atomic int64_t floor;		/* only grows within a run */
	_Atomic bool floor_used;	/* by a pull, since the last clock */
	_Atomic uint64_t epoch;		/* copies of earlier ones are stale */
	struct lgn_sender *sender;	/* of tables in apply mode, or NULL; and */
	struct lgn_push *push;		/* who holds the push lock uses this, */
	struct lgn_ring *ring;		/* this (NULL: not open), */
	struct lgn_board_view clock_view;	/* and this */
	int64_t *show;			/* [node.n] and this, what it publishes; */
	struct lgn_mem show_mem;
	struct lgn_wr *show_wr;
	bool restarting;		/* clocks begin again: none is published */
	int64_t met;			/* lagoon_barrier() calls */
	struct lgn_trace *_Atomic trace;	/* NULL: none */
	struct lgn_audit *audit;	/* NULL: no LAGOON_CHECK */
	struct lgn_gate gate;		/* where workers meet */
	struct lgn_board_view sync_view;	/* of the calling thread of collective
					 * calls */
};

/* A process is dead: remember it, and whether that ends the job. Any thread. */
void lgn_note_dead(struct lagoon *lg, int rank);

/* A peer's process has ended: tell the board, unless it has left in order, and
 * remember it. The thread whose view it is. */
void lgn_tell_dead(struct lagoon *lg, struct lgn_board_view *view, int rank);

/* A push to a rank (-1: unknown) has broken off: what it had taken is nowhere,
 * so no worker of this node may read its pages any more (I2). Before they are
 * let go of. Any thread. */
void lgn_note_broken(struct lagoon *lg, int rank);

/* LAGOON_EPEER when a death, or a push that broke off, has ended the job; else
 * 0. Any thread. */
int lgn_check_lost(const struct lagoon *lg);

/* The same, when another process of the node knows it. */
int lgn_check_node(struct lagoon *lg);

/* context.c: lagoon_open() over a given wire; NULL: the one to choose. */
int lgn_open_on(const struct lagoon_attr *attr, const struct lgn_wire_ops *ops,
		struct lagoon **lg);

/* Allocate memory near this process's shard; access as enum lgn_access. */
int lgn_memory(struct lagoon *lg, uint64_t bytes, int access,
	       struct lgn_mem *mem);

/* The same, for the node's other processes to map; home: near this process's
 * shard. */
int lgn_memory_shared(struct lagoon *lg, uint64_t bytes, bool home,
		      struct lgn_mem *mem);

/* worker.c */
int lgn_workers_open(struct lagoon *lg);
void lgn_workers_close(struct lagoon *lg);
int lgn_worker_check(const struct lagoon_worker *w);

/* The floor is at least this: remember it. Any thread. */
void lgn_floor_raise(struct lagoon *lg, int64_t floor);

/* clock.c: publish if the node has advanced. Whoever held the push lock
 * while workers clocked must look, since these did not wait for it. */
int lgn_clock_advance(struct lagoon_worker *w);

/* clock.c: at the process's gate; see there. */
int lgn_meet(struct lagoon_worker *w, int (*action)(void *arg));
/* The same for who waits for others, by the view that he waits with: a death
 * in the node may have let it advance. */
int lgn_clock_heed(struct lagoon_worker *w, struct lgn_board_view *view);

/* clock.c: a process without workers says that nobody need wait for it; all
 * workers start again, at this clock (collective). */
int lgn_clock_none(struct lagoon *lg);
int lgn_clock_restart(struct lagoon *lg, int64_t clock);

#endif
