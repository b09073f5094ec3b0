/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows: what is done in a call, by the library and by its twin. */
#ifndef BENCH_PEERS_ROWS_H
#define BENCH_PEERS_ROWS_H

#include <stdatomic.h>

#include "bench/peers/peer.h"

enum {
	ROWS_SINGLES = 1024,	/* operations of one element a call */
	ROWS_COUNT = 11,
};

/* What both processes see. */
struct shared {
	_Atomic uint64_t order;		/* number of the command, from 1 */
	_Atomic int command;
	_Atomic uint64_t calls;
	_Atomic uint64_t finished;	/* commands, by the target */
	_Alignas(128) _Atomic int ready;
	_Alignas(128) _Atomic uint64_t ball;
	_Alignas(128) _Atomic uint64_t end_ns[2];
	_Atomic long target_losses;
	_Alignas(4096) int64_t ints[PEER_ROWS];
	_Alignas(4096) double reals[PEER_ROWS];
};

struct side {
	struct shared *sh;
	int role;
	uint64_t *hot;			/* [HOT_LIST] */
	uint64_t *list;			/* [LISTS * PEER_LIST] */
	double *delta;			/* [PEER_DENSE] */
	int64_t *fixed;			/* [PEER_DENSE] the same as integers */
	const void *given;		/* one of both */
	double *out;			/* [PEER_BLOCK] */
	uint64_t turn;			/* calls so far */
};

struct row {
	const char *name;
	uint64_t bytes, ops;		/* a call */
	void (*ours)(struct side *s);
	void (*twin)(struct side *s);
	bool has;			/* the peer can do it */
	bool both;			/* two processes at once */
};

/* Memory of the process, and the draws: the same in every program. */
void rows_prepare(struct side *s);

/* [ROWS_COUNT] */
void rows_list(struct row *rows);

/* One call of the row that two processes do at once, and of its twin. */
void rows_add_list(struct side *s);
void rows_twin_add_list(struct side *s);

#endif
