/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The board: where processes see each other's clocks. It lives at rank 0, in
 * three regions, because a WRITE and a CAS of one word are not atomic to each
 * other:
 *	clocks	LGN_ROWS rows of one word a member, each word written by its
 *		member alone, growing: safe to repeat, a larger value only
 *	states	one word a member, changed by CAS alone; live -> dead is final
 *	slots	two lines a member, for collective calls
 */
#ifndef LGN_RUNTIME_BOARD_H
#define LGN_RUNTIME_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "verbs/wire.h"

enum lgn_board_row {
	LGN_FLUSHED,	/* rounds whose deltas are all in the shards: "clock" */
	LGN_ENDED,	/* bsp: rounds whose pulls are all done */
	LGN_MET,	/* lagoon_barrier() calls */
	LGN_SYNCED,	/* collective calls of the process */
	LGN_SAVED,	/* checkpoints that it has written; see checkpoint_write.c */
	LGN_ROWS
};

enum lgn_state { LGN_ABSENT, LGN_LIVE, LGN_LEFT, LGN_DEAD };

/* What a process says in a collective call, and behind it in which. */
#define LGN_SLOT_BYTES 192
#define LGN_SAID_BYTES (LGN_SLOT_BYTES - 8)

struct lgn_board {
	struct lgn_mem clocks_mem, states_mem, slots_mem;	/* rank 0 */
	struct lgn_rmem clocks, states, slots;
	uint64_t sync;		/* collective calls so far */
};

struct lagoon;

/* One reader's buffers: registered, and one read in flight. */
struct lgn_board_view {
	struct lagoon *lg;
	struct lgn_mem mem;
	uint64_t *clock;	/* [size] as last read */
	uint64_t *state;	/* [size] */
	uint64_t *word;		/* for one operation */
	struct lgn_batch batch;
	struct lgn_wr wr[3];
	bool posted;
	uint32_t row;
	uint64_t last_ns;
	uint64_t states_ns;	/* when the states were read; 0: never */
	uint64_t asked_ns;	/* that time, once the read in flight is back */
	uint32_t reads;		/* in a row without success */
};

struct lgn_board_keys {
	struct lgn_key clocks, states, slots;
};

/* Rank 0 makes the board; everybody attaches it. */
int lgn_board_make(struct lagoon *lg, struct lgn_board_keys *keys);
int lgn_board_attach(struct lagoon *lg, const struct lgn_board_keys *keys);
void lgn_board_close(struct lagoon *lg);

int lgn_board_view_open(struct lagoon *lg, struct lgn_board_view *view);
void lgn_board_view_close(struct lagoon *lg, struct lgn_board_view *view);

/* Write the node's words of LGN_FLUSHED, lagoon.show; complete on return. If
 * pulls have used the floor, and every 10 ms, a read of that row goes out with it and is not
 * waited for: the floor rises when it lands. Needs the push lock. */
int lgn_board_show(struct lagoon *lg, struct lgn_board_view *view);

/* Write my word of a row, and read the row and the states; complete on
 * return. */
int lgn_board_publish(struct lagoon *lg, struct lgn_board_view *view,
		      enum lgn_board_row row, int64_t value);

/* Progress of reading a row. *fresh: a read has completed by this call, and
 * deaths have been noted. Never blocks. */
int lgn_board_poll(struct lagoon *lg, struct lgn_board_view *view,
		   enum lgn_board_row row, bool *fresh);

/* Forget a read that nobody waits for any more, after it has landed: before
 * anything else is done with the view. */
void lgn_board_drain(struct lagoon *lg, struct lgn_board_view *view);

/* Whether a member's clock holds others back. */
static inline bool lgn_board_counts(const struct lgn_board_view *view, int rank)
{
	return view->state[rank] == LGN_LIVE || view->state[rank] == LGN_LEFT;
}

/* Smallest of the row just read, over the members that count, and whose it
 * is. */
int64_t lgn_board_min(const struct lagoon *lg,
		      const struct lgn_board_view *view, int *whose);

/* Room for lagoon.show, one clock for each process of the node. */
int lgn_board_show_open(struct lagoon *lg);
void lgn_board_show_close(struct lagoon *lg);

/* Wait until every live member's word of row is at least value. */
int lgn_board_wait(struct lagoon *lg, struct lgn_board_view *view,
		   enum lgn_board_row row, int64_t value);

/* Change a member's state; *old is what was there. */
int lgn_board_state(struct lagoon *lg, struct lgn_board_view *view, int rank,
		    enum lgn_state from, enum lgn_state to, uint64_t *old);

/* If a death has ended the job: this process leaves it, once, so that its own
 * end is not taken for another death, and the message names the first. */
void lgn_board_give_up(struct lagoon *lg, struct lgn_board_view *view);

/* Say that this process has come to meeting `value` of a row, and wait for all
 * others. */
int lgn_board_meet(struct lagoon *lg, struct lgn_board_view *view,
		   enum lgn_board_row row, int64_t value);

/* The same; everybody says `mine` and gets all slots, [size x LGN_SLOT_BYTES].
 * Who does not take part has said something else before: lgn_board_said() is
 * NULL. A slot is written again at the next meeting but one. */
int lgn_board_tell(struct lagoon *lg, struct lgn_board_view *view,
		   enum lgn_board_row row, int64_t value, const void *mine,
		   size_t len, void *all);
const void *lgn_board_said(const struct lagoon *lg, const void *all, int rank,
			   enum lgn_board_row row, int64_t value);

/* Everybody says `mine` and gets all of them, [size x LGN_SLOT_BYTES]. Also a
 * barrier of processes. On success the thread's message is what it was: who
 * comes with an error still has its sentence. Collective. */
int lgn_board_exchange(struct lagoon *lg, const void *mine, size_t len,
		       void *all);

/* Barrier of processes. Collective. */
int lgn_board_sync(struct lagoon *lg);

#endif
