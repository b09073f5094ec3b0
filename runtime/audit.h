/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LAGOON_CHECK=1: I1 to I4 are verified while the program runs. What decides is
 * not the condition that the runtime went by, but what is found in the shards,
 * in copies and in a ledger that every process keeps apart:
 *
 *	tails	Behind the elements of each page is a word for each worker of
 *		the job: how often it has added to the page. Tails go the way of
 *		the deltas (delta words, pushes, READs), so a view's tails tell
 *		whose adds are in it.
 *	rings	Behind the pages of a shard, for each page and worker: the
 *		worker's own count at the end of its last rounds, written before
 *		it ends them, by WRITE.
 *	images	Behind the rings, for each process: what it gave to each word,
 *		as lagoon_add() rounded it, less what was refused.
 *	clocks	At rank 0, for each worker: the rounds that it has ended, written
 *		before it says so to the runtime.
 *
 * After a pull at clock c with bound s:
 *	I1	the tail of every live worker is at least its ring's count for
 *		the rounds <= c - s - 1 (bsp: exactly that of c - 1), and its
 *		clock is at least c - s
 *	I2	the worker's own tail is exactly its own count
 *	I4	no tail is smaller than this worker saw it before
 * At barriers, when a table is destroyed, and at close:
 *	I3	every word of the shards is the sum of all images, mod 2^64
 *
 * The first violation is the result of the call that sees it (LAGOON_ECORRUPT),
 * and of every later call of the process that pulls, adds or ends a round.
 *
 * What is not verified: tables that do not add integers; a page to which a
 * worker has added 2^29 times (2^24 with a buffer of floats); I1 of a round that
 * is LGN_AUDIT_RING rounds of one page behind; I3 after a death or an uncertain
 * word, and of tables that are destroyed with unsent deltas.
 *
 * A pull costs two READs more for each page, a round one WRITE for each page
 * that was added to, a barrier the traffic of every table times the number of
 * processes. A shard takes 1 + processes times its memory, and 256 bytes for each
 * page and worker. Lists of single words lose their fast path.
 */
#ifndef LGN_RUNTIME_AUDIT_H
#define LGN_RUNTIME_AUDIT_H

#include "runtime/core.h"

#define LGN_AUDIT_RING 32		/* rounds of a page and worker */
#define LGN_AUDIT_PUTS 32		/* a batch */
#define LGN_AUDIT_CHUNK 512		/* words that are summed at a time */
#define LGN_AUDIT_SOURCES 16		/* of these, read at once */

/* One worker's: registered, for its own operations. */
struct lgn_audit_worker {
	struct lgn_mem mem;
	uint64_t *ring;			/* [workers x LGN_AUDIT_RING] */
	uint64_t *clock;		/* [workers] */
	uint64_t *out;			/* [LGN_AUDIT_PUTS] */
	int64_t *tail;			/* [workers] */
	char *text;			/* [workers x 16] tails as a pull has them */
	struct lgn_wr wr[LGN_AUDIT_PUTS];
};

struct lgn_audit {
	_Atomic int broken;		/* the first violation's code */
	_Atomic bool unsure;		/* words are uncertain: nothing is certain */
	char why[512];
	_Atomic uint64_t restarts;	/* of clocks */
	struct lgn_mem clocks_mem;	/* rank 0: [workers], then [size] unsure */
	struct lgn_rmem clocks;
	struct lgn_audit_worker *worker;	/* [local workers] */
	struct lgn_mem scratch_mem;	/* of meetings */
	uint64_t *scratch;		/* [LGN_AUDIT_SOURCES x LGN_AUDIT_CHUNK] */
	_Atomic uint64_t pages, skipped, words;	/* verified, or not */
};

/* One worker's part of a table. */
struct lgn_audit_part {
	uint32_t *count;		/* [pages] adds so far */
	uint32_t *seen;			/* [pages x workers] tails */
	uint8_t *slot;			/* [pages] next of the ring */
	uint64_t *touched;		/* [pages] in this round; bit 31 of */
	uint64_t n_touched;		/* mark[] says so */
	bool *mark;
};

struct lgn_audit_table {
	struct lgn_mem image_mem;
	_Atomic uint64_t *image;	/* [pages x page_words] given to shards */
	_Atomic uint64_t *pending;	/* bsp: still in the workers' rows */
	_Atomic bool *changed;		/* [pages] of the image, since told */
	int64_t model_key;		/* round of the last change of model */
	struct lgn_audit_part *part;	/* [local workers] */
};

/* What a pull rests on, noted before it. */
struct lgn_audit_pull {
	struct lagoon_table *t;
	const uint64_t *rows;		/* or NULL */
	uint64_t row, n;
	int64_t clock;
	int32_t staleness, sample, model;
	uint32_t settings;
};

/* Collective, when all are ready, and at the end. */
int lgn_audit_open(struct lagoon *lg);
void lgn_audit_close(struct lagoon *lg);

/* The first violation again, or 0. Any thread. */
int lgn_audit_broken(const struct lagoon *lg);

/* This is one: told, and kept. */
int lgn_audit_fail(struct lagoon *lg, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A new table: tails behind its pages; bytes of its shard; the rest. */
void lgn_audit_layout(struct lagoon_table *t);
uint64_t lgn_audit_shard_bytes(const struct lagoon_table *t, uint64_t pages);
int lgn_audit_table_open(struct lagoon_table *t);
void lgn_audit_table_close(struct lagoon_table *t);

/* lanes[n] were added to a page, from element first on. */
void lgn_audit_added(struct lagoon_worker *w, struct lagoon_table *t,
		     uint64_t page, uint64_t first, const int64_t *lanes,
		     size_t n);
/* To one word in its shard. */
void lgn_audit_fetch_added(struct lagoon_table *t, uint64_t row, uint32_t col,
			   int64_t delta);
/* A push has taken this back. */
void lgn_audit_rejected(struct lagoon_table *t, uint64_t page, uint64_t word,
			uint64_t part);
/* bsp: what tails of worker k go with the push of its rows; then, all rows of
 * the process are sent. */
uint64_t lgn_audit_pending(const struct lagoon_table *t, uint64_t page, int k);
void lgn_audit_sent(struct lagoon_table *t);

/* The worker is about to end its round, or to leave: rings and clock. */
int lgn_audit_round(struct lagoon_worker *w, bool leaves);
/* Clocks begin again; a table's model has changed. */
void lgn_audit_restart(struct lagoon *lg);
void lgn_audit_model(struct lagoon_table *t, int64_t clock);

/*
 * lagoon_restore(), audit_restore.c: what the process has added in a bsp round
 * and not sent is gone; the shards were filled, which counts as given by their
 * homes, and nobody has given anything else; workers are about to begin again,
 * at a clock: all have ended the rounds before it.
 */
void lgn_audit_dropped(struct lagoon_table *t);
void lgn_audit_filled(struct lagoon_table *t);
void lgn_audit_resumed(struct lagoon *lg, int64_t clock);

void lgn_audit_begin(const struct lagoon_worker *w, struct lagoon_table *t,
		     const uint64_t *rows, uint64_t row, uint64_t n,
		     struct lgn_audit_pull *p);
int lgn_audit_pulled(struct lagoon_worker *w, const struct lgn_audit_pull *p);

/* audit_sums.c: this process's images go to the shards' homes; needs its
 * workers to stand still. Then, when all have come to a barrier, they verify
 * I3 together. */
int lgn_audit_tell(struct lagoon *lg);
int lgn_audit_met(struct lagoon *lg);
/* The same when all processes meet outside lagoon_run(), of one table or (NULL)
 * of all. */
int lgn_audit_final(struct lagoon *lg, struct lagoon_table *t);

/* Bytes in the shard of a page: its ring entries of worker id, the word of a
 * process's image. */
uint64_t lgn_audit_ring_offset(const struct lagoon_table *t, uint64_t page,
			       int id);
uint64_t lgn_audit_image_offset(const struct lagoon_table *t, uint64_t shard,
				int rank);

/* A round among all rounds of all runs, of this one or of the one that begins
 * with the next restart. */
#define LGN_AUDIT_RUN (1ll << 22)
static inline int64_t lgn_audit_key(const struct lgn_audit *a, int64_t clock)
{
	uint64_t runs = atomic_load_explicit(&a->restarts, memory_order_relaxed);

	return (int64_t)runs * LGN_AUDIT_RUN + clock;
}

#define LGN_AUDIT_LEFT (LGN_AUDIT_RUN - 1)	/* a clock; larger ones are not verified */
#define LGN_AUDIT_COUNT_BITS 30

#endif
