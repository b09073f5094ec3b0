/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tells from a pulled value exactly which deltas it contains, and whether it
 * may (DESIGN 2: I1 to I4). Pure logic over a log that all workers share.
 *
 * An element has some writers among the workers, each with a place and a
 * sign of its own: a worker that adds `count` adds
 *
 *	sign x count x 2^(bits x place)
 *
 * so a value that is the sum of anything that the writers added falls apart
 * into one digit a writer, in one way only; a delta that is lost, doubled or
 * damaged changes the digit or leaves a rest. Digits only grow.
 *
 * The log has for each worker: the digits that it has begun to add (written
 * before the add), and the digits at the end of each of its rounds (written
 * before lagoon_clock()). A pull of a worker at clock c under bound s must
 * show of another worker at least its rounds <= c - s - 1 and at most what it
 * had begun by the end of the pull; of itself what it has added; and never
 * less than it saw before.
 */
#ifndef TEST_SUPPORT_ORACLE_H
#define TEST_SUPPORT_ORACLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	OR_WORKERS = 8,
	OR_ROUNDS = 48,
	OR_ELEMS = 1024,
	OR_WHY = 400,		/* bytes of an explanation */
};

/* The log of one table. Lives in memory that all processes share; all zero
 * but for what or_log_init() sets. */
struct or_log {
	uint64_t seed;
	uint32_t workers;
	uint32_t elems;
	uint32_t bits;		/* of a value, sign apart: 23 ... 61 */
	uint32_t cols;		/* for messages only */
	_Atomic int32_t ended[OR_WORKERS];	/* rounds in round_end[] */
	_Atomic bool left[OR_WORKERS];
	_Atomic bool dead[OR_WORKERS];
	_Atomic bool torn[OR_WORKERS];
	_Atomic int64_t begun[OR_WORKERS][OR_ELEMS];
	int64_t round_end[OR_WORKERS][OR_ROUNDS][OR_ELEMS];
};

void or_log_init(struct or_log *log, uint64_t seed, uint32_t workers,
		 uint32_t elems, uint32_t cols, uint32_t bits);

/* How an element is written: by whom, at what place. */
struct or_code {
	int count;			/* of writers */
	int bits;			/* of a digit */
	int8_t worker[OR_WORKERS];	/* by place */
	int8_t sign[OR_WORKERS];	/* by place, +1 or -1 */
};

void or_code(const struct or_log *log, uint32_t elem, struct or_code *code);

/* What `worker` may still add to elem: 0 if it is no writer of it. */
int64_t or_room(const struct or_log *log, uint32_t elem, int worker);

/* Begin to add count <= or_room(): logs it and returns the delta [lanes]. */
int64_t or_add(struct or_log *log, uint32_t elem, int worker, int64_t count);

/* The worker has ended its round: before lagoon_clock(). */
void or_round_end(struct or_log *log, int worker);

/* The worker leaves: before lagoon_worker_leave() or the end of its run. */
void or_leave(struct or_log *log, int worker);

/* The worker's process is dead: of what it has begun to add, any part may be
 * there, and nobody waits for it. */
void or_die(struct or_log *log, int worker);

/* A death took deltas of the worker with it, of any age, also such as have been
 * seen: from now on any part may be there. */
void or_tear(struct or_log *log, int worker);

/* value -> digits by worker (0 for those who do not write it). False if it
 * is no sum of what the writers can add. */
bool or_decode(const struct or_log *log, uint32_t elem, int64_t value,
	       int64_t digit[OR_WORKERS]);

/* As enum lagoon_model numbers them: essp promises what ssp does, psp that of
 * the workers in `asked` alone, vap to readers what asp does. */
enum or_model { OR_SSP, OR_BSP, OR_ASP, OR_ESSP, OR_PSP, OR_VAP };

/* What a worker saw last and what it has added, element by element. */
struct or_seen {
	int64_t digit[OR_ELEMS][OR_WORKERS];
	int64_t own[OR_ELEMS];
};

/* An add of the worker is complete: its pulls must show it from now on. */
void or_add_done(struct or_seen *seen, uint32_t elem, int worker,
		 int64_t count);

/* One pull. */
struct or_pull {
	int worker;
	enum or_model model;
	int32_t clock;		/* when it began */
	int32_t bound;		/* the loosest in force; ssp, essp, psp */
	uint32_t asked;		/* psp: bit j: worker j is in the sample */
	uint32_t n;
	const uint32_t *elem;	/* [n] */
	int64_t (*least)[OR_WORKERS];	/* [n] filled by or_pull_begin() */
};

/* Before the pull begins: keeps what it must show at least. */
void or_pull_begin(const struct or_seen *seen, struct or_pull *pull);

/* After it: value[n] as lanes. Updates seen. False and why[OR_WHY] if the
 * values break an invariant. */
bool or_pull_check(struct or_log *log, const struct or_pull *pull,
		   const int64_t *value, struct or_seen *seen, char *why);

/* I3, when nobody adds: elem holds all that was ever begun by
 * the living, exactly. */
bool or_exact(struct or_log *log, uint32_t elem, int64_t value, char *why);

/* Two values of an element are the same but for what the dead added: that may
 * arrive at any time, from what they shared with the others of their node. */
bool or_same(struct or_log *log, uint32_t elem, int64_t one, int64_t two);

/* Something is missing of what the living and torn have added. */
bool or_short(struct or_log *log, uint32_t elem, int64_t value);

#endif
