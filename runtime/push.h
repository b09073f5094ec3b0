/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pushing: deltas go to the shards as fetch-and-adds, many to a post. One
 * pusher at a time in a node (node.h): its process holds lgn_control.pusher.
 */
#ifndef LGN_RUNTIME_PUSH_H
#define LGN_RUNTIME_PUSH_H

#include "runtime/core.h"

#define LGN_PUSH_WRS 256

/* A word on its way. */
struct lgn_pushed {
	uint64_t page;
	uint64_t word;		/* of the page */
};

/* A table's words go out for a worker, */
struct lgn_flush {
	struct lagoon_worker *w;
	struct lagoon_table *t;
	uint64_t from, before;	/* since when (trace), words sent till then */
};

struct lgn_push {
	struct lgn_mem mem;		/* old values come back here */
	uint64_t *old;			/* [LGN_PUSH_WRS] */
	struct lgn_batch batch;
	struct lgn_wr wr[LGN_PUSH_WRS];
	struct lgn_pushed at[LGN_PUSH_WRS];
	uint32_t large[LGN_PUSH_WRS];	/* of these: too large for an add */
	uint32_t n_large;
	uint64_t held[LGN_PUSH_WRS];	/* pages to release */
	uint32_t n_held;
	struct lgn_pushed over[LGN_PUSH_WRS];	/* vap: words to send now */
	uint32_t n_over;
	int64_t most;			/* vap: lane that may wait */
	int status;			/* vap: of what went out, the first error */
	struct lagoon_table *t;		/* being pushed */
	struct lgn_counts *counts;
	int range;			/* LAGOON_ERANGE once met */
	struct lagoon_worker *w;	/* who pushes, */
	struct lgn_flush flush;		/* and since when */
};

int lgn_push_open(struct lagoon *lg);
void lgn_push_close(struct lagoon *lg);

bool lgn_push_trylock(struct lagoon *lg);
void lgn_push_lock(struct lagoon *lg);
void lgn_push_unlock(struct lagoon *lg);

/* which begins, and is over: for statistics and trace. One that had nothing to
 * send was none. */
void lgn_flush_begin(struct lgn_flush *f, struct lagoon_worker *w,
		     struct lagoon_table *t);
void lgn_flush_end(const struct lgn_flush *f);

/* Run a batch of atomics on a table's shards; what becomes uncertain is counted
 * and told. Needs what owns the counts. */
int lgn_push_run(struct lagoon_table *t, struct lgn_counts *counts,
		 struct lgn_batch *batch);

/* What push.c builds upon; all need the push lock. One word more, if there is
 * room; what is collected goes out, and is complete on return, and the pages
 * held whose last word it was are let go, as they are when sending failed (rc).
 * A delta that left the legal range, in the lanes of mask, is told. */
bool lgn_push_full(const struct lgn_push *p);
void lgn_push_append(struct lgn_push *p, uint64_t page, uint64_t word,
		     uint64_t delta);
int lgn_push_send(struct lgn_push *p);
void lgn_push_release(struct lgn_push *p, int rc);
void lgn_push_report(struct lgn_push *p, const struct lgn_pushed *at, int mask,
		     uint64_t delta);

/* Everything that the node has added to tables that are not bsp, complete on
 * return. Needs the push lock; counts for w. LAGOON_ERANGE after all else
 * was done. */
int lgn_push_deltas(struct lagoon_worker *w);

/* bsp: the rows of every worker of the process, of one table or of all, but
 * for tables in apply mode (lgn_apply_round()). Needs the push lock, and all
 * workers of the job between rounds. */
int lgn_push_own(struct lagoon_worker *w, struct lagoon_table *t);
int lgn_push_round(struct lagoon_worker *w);

/*
 * vap: words that have passed the bound go out before lagoon_add() returns.
 * It holds the push lock from before its first word on, so that nothing of a
 * page is on its way while more is added to it: what is unpushed of an
 * element is then what its delta word holds. Words are collected, so that a
 * call that passes the bound often waits for one batch, not for each.
 */
void lgn_push_open_words(struct lagoon_worker *w, struct lagoon_table *t,
			 int64_t most);

/* The word has changed. */
void lgn_push_changed(struct lgn_push *p, uint64_t page, uint64_t word);

/* Those beyond `most` go out, complete on return. The status of all since
 * lgn_push_open_words(); LAGOON_ERANGE after all else was done. */
int lgn_push_words(struct lgn_push *p);

#endif
