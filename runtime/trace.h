/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LAGOON_TRACE=FILE: what every worker did, when. A worker writes events of 32
 * bytes to a lane of its own, sized at open; when it is full the rest is
 * counted and dropped. The lanes of a process are a mapped file, FILE.RANK.part,
 * whose space is allocated at open: what a process did before it was killed is
 * there for the others. At lagoon_close() the first process makes one Chrome
 * trace of all parts (trace_file.c).
 *
 * Time is CLOCK_MONOTONIC less the origin of its machine: the earliest moment
 * at which one of the machine's processes had met all others at open. On one
 * machine events compare exactly; between machines as well as that meeting ends
 * at once, within some tens of microseconds.
 */
#ifndef LGN_RUNTIME_TRACE_H
#define LGN_RUNTIME_TRACE_H

#include "runtime/core.h"

enum lgn_trace_kind {
	LGN_TRACE_NONE,		/* a slot that was never filled */
	/* one after the other in a lane */
	LGN_TRACE_RUN,		/* the worker's thread begins */
	LGN_TRACE_PULL,
	LGN_TRACE_START,	/* of a pull that another call completes */
	LGN_TRACE_ADD,
	LGN_TRACE_FETCH_ADD,
	LGN_TRACE_CLOCK,
	LGN_TRACE_BARRIER,
	LGN_TRACE_MODEL,
	LGN_TRACE_CHECKPOINT,
	LGN_TRACE_LEAVE,
	/* within these */
	LGN_TRACE_WAIT,		/* for a clock, or for others to come */
	LGN_TRACE_FLUSH,
	/* in the lane of the process */
	LGN_TRACE_DEATH,
	LGN_TRACE_WRITE,	/* a checkpoint's files */
	LGN_TRACE_KINDS
};

struct lgn_trace_event {
	uint64_t from;		/* [ns] of this machine's clock */
	uint64_t ns;
	uint64_t n;		/* rows, words, bytes; the clock after; the model */
	int32_t who;		/* rank; -1: none */
	uint16_t table;		/* name; LGN_TRACE_NAMES: none */
	uint8_t kind;		/* enum lgn_trace_kind, last to be read */
	int8_t status;
};
_Static_assert(sizeof(struct lgn_trace_event) == 32, "an event is half a line");

/* Of a lane: this, then the events. */
struct lgn_trace_lane {
	_Atomic uint64_t used;
	_Atomic uint64_t dropped;
	uint64_t room;
	uint64_t unused[5];
	struct lgn_trace_event event[];
};

#define LGN_TRACE_NAMES 256	/* tables that have a name in the trace */
#define LGN_TRACE_MAGIC 0x314552544c474eull	/* "NGLTRE1" */

/* A part begins with this; then its lanes, the last that of the process. */
struct lgn_trace_part {
	uint64_t magic;
	uint64_t nonce;		/* the same in all parts of a job */
	uint64_t origin;	/* [ns] */
	uint64_t room;		/* events of a lane */
	int32_t rank, size;
	int32_t workers, first_worker;
	_Atomic uint32_t names;
	char name[LGN_TRACE_NAMES][LAGOON_NAME_MAX + 1];
};

struct lgn_trace {
	const char *path;		/* of the trace */
	int fd;				/* of my part */
	uint64_t bytes;
	struct lgn_trace_part *part;
};

#define LGN_TRACE_HEAD 16384
_Static_assert(sizeof(struct lgn_trace_part) <= LGN_TRACE_HEAD, "head of a part");

static inline uint64_t lgn_trace_lane_bytes(uint64_t room)
{
	return sizeof(struct lgn_trace_lane) +
		room * sizeof(struct lgn_trace_event);
}

/* Does nothing when no trace is asked for. Collective, when all are ready. */
int lgn_trace_open(struct lagoon *lg);

/* This process has done its part; then, when all have (met), or when that
 * failed, the trace is written. LAGOON_EIO. */
void lgn_trace_release(struct lagoon *lg);
int lgn_trace_write(struct lagoon *lg, bool met);

/* When no thread of the wire runs any more. */
void lgn_trace_close(struct lagoon *lg);

/* A new table: its name. */
void lgn_trace_table(struct lagoon_table *t);

/* The thread is in a call of this worker since then, or (NULL) in none:
 * lgn_trace_waited() has to know. */
void lgn_trace_enter(struct lagoon_worker *w, uint64_t since);

/* The worker did this from `from` until now. Its thread. */
void lgn_trace_add(struct lagoon_worker *w, enum lgn_trace_kind kind,
		   uint64_t from, const struct lagoon_table *t, int who,
		   uint64_t n, int status);

/* The calling thread has waited for a rank: what of it is of its call. */
void lgn_trace_waited(uint64_t from, const struct lagoon_table *t, int rank);

/* Any thread: in the lane of the process. Who saves has done so since from. */
void lgn_trace_death(struct lagoon *lg, int rank);
void lgn_trace_wrote(struct lagoon *lg, uint64_t from, uint64_t bytes,
		     int status);

/* trace_file.c: the path of a part, [PATH_MAX]; the trace from all parts that
 * are there; whether someone still writes to a part. */
#define LGN_TRACE_PATH 4200
void lgn_trace_part_path(const struct lgn_trace *trace, int rank, char *path);
int lgn_trace_join(const struct lagoon *lg);
bool lgn_trace_part_held(const struct lgn_trace *trace, int rank);

/* 0 when nothing is traced. */
static inline uint64_t lgn_trace_now(const struct lagoon_worker *w)
{
	return lgn_unlikely(w->lane != NULL) ? lgn_now_ns() : 0;
}

#endif
