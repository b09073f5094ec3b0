/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables in apply mode: elements are floating point, and what is added to
 * them goes through an update function, on CPUs at the shard.
 *
 *	where all members are	model	lagoon_add() goes to		applied by
 *	one node		not bsp	the shard, at once		the adder
 *	one node		bsp	the worker's rows of the round	in turns
 *	several			not bsp	pending deltas of the process	the home
 *	several			bsp	the worker's rows of the round	the home
 *
 * apply_lock.h	a page's lock, and what becomes of it when its owner dies
 * apply_run.c	elements of a page through the function, kept finite
 * apply_add.c	lagoon_add()
 * pending.c	pending deltas; update_log.c: those that do not combine
 * apply_view.c	what a pull shows
 * apply_push.c	pending deltas become records; apply_round.c: those of bsp
 * sender.c	records on their way by the homes' rings (ring.h)
 * apply_home.c	what a home does with a record
 *
 * A shard's region is: values, as for other tables; then the arrays of state
 * of the function; then a lock word for each page. Arrays are `stride` bytes.
 *
 * Pages of several nodes are cached as page.h says. Pending deltas take the
 * place of delta words: rows that were added to are marked in a bitmap, since
 * what nobody pushed must not be touched. All of a page is under the spin lock
 * of its pending deltas. A function with a view moves them into the copy when
 * they are sent; one without makes the copy serve nobody, and a pull of who
 * has pending deltas there sends them first (I2).
 *
 * Only the home's process applies then: who reads pages from a distance does
 * not see locks, so no page may become uncertain while its home lives.
 */
#ifndef LGN_RUNTIME_APPLY_H
#define LGN_RUNTIME_APPLY_H

#include <string.h>

#include "runtime/core.h"
#include "runtime/update.h"
#include "runtime/view.h"

#define LGN_APPLY_AHEAD 16	/* rows of a list that are on their way */

struct lgn_log;
struct lgn_pending;

/* A page that this process may change. */
struct lgn_place_of_page {
	char *value;
	_Atomic uint64_t *lock;		/* NULL: at another home */
};

/* One call of lagoon_add. */
struct lgn_apply_add {
	struct lagoon_worker *w;
	struct lagoon_table *t;
	struct lgn_part *part;
	uint64_t done;			/* elements, where adds go to the shard */
	bool over;			/* vap: something must go out */
};

struct lgn_apply {
	struct lgn_update fn;
	char *text;			/* of the function */
	uint32_t size;			/* bytes of an element */
	uint64_t stride;
	bool sum;			/* the function is plain addition */
	struct lgn_place_of_page *place; /* [pages] */
	/* rows of one page; how it is done depends on place and model */
	int (*add)(struct lgn_apply_add *a, uint64_t row, uint64_t nrows,
		   const char *in);
	struct lgn_pending *pending;	/* NULL: never needed */
	struct lgn_log *log;		/* [local_workers], for those that do not
					 * combine; NULL: never needed */
};

static inline bool lgn_apply_format(int format)
{
	return format == LAGOON_FLOAT64 || format == LAGOON_FLOAT32;
}

/* Elements of a page, and where one is. */
static inline uint64_t lgn_apply_elems(const struct lagoon_table *t)
{
	return t->layout.page_words * t->layout.lanes;
}

/* In a shard, in bytes: from an array to the next, values first; and the locks
 * of its pages, by their slots. 0 without apply mode. */
static inline uint64_t lgn_apply_stride(const struct lagoon_table *t)
{
	return t->apply ? t->apply->stride : 0;
}

static inline uint64_t lgn_apply_locks(const struct lagoon_table *t)
{
	return (1 + (uint64_t)t->apply->fn.fn->states) * t->apply->stride;
}

/* Whether deltas of one element may be put together. */
static inline bool lgn_apply_combines(const struct lgn_apply *a)
{
	return a->fn.combine != LAGOON_COMBINE_NONE;
}

/* ------------------------------------------------ apply.c: the table */

/* Attributes: push and update against the format. */
int lgn_apply_check(const char *name, const struct lagoon_table_attr *attr);

/* For a table whose attr and layout are set: the function. */
int lgn_apply_open(struct lagoon_table *t, const char *text);
void lgn_apply_close(struct lagoon_table *t);

/* Bytes of a shard, its state and locks with it. */
uint64_t lgn_apply_shard_bytes(const struct lagoon_table *t);

/* The shard that lives here, zeros, as the function wants it. */
int lgn_apply_init(struct lagoon_table *t);

/* Every shard is attached. Collective. */
int lgn_apply_attach(struct lagoon_table *t);

/* What a model needs (rule.h). LAGOON_ENOTSUP: not with this function. */
int lgn_apply_allows(const struct lagoon_table *t, int model);
int lgn_apply_room(struct lagoon_table *t, int model);
void lgn_apply_set(struct lagoon_table *t);

/* ------------------------------------------------------- hooks */

/* lagoon_add(); rows == NULL: n rows from row on. */
int lgn_apply_add(struct lagoon_worker *w, struct lagoon_table *t,
		  const uint64_t *rows, uint64_t row, uint64_t n,
		  const void *in);

/* lgn_view_page(). False: not fresh enough, or see lgn_apply_stuck(). */
bool lgn_apply_view(struct lgn_view *v, uint64_t page, uint64_t first,
		    uint64_t n, char *out);

/* A list at once, where pages are loaded in place and nothing else is shown.
 * False: not so here, or a page is locked. */
bool lgn_apply_gather(const struct lagoon_table *t, const uint64_t *rows,
		      uint64_t n, void *out);

/* The view could not be taken: why, if it is not for want of a READ. Sends
 * what must be sent first. */
int lgn_apply_stuck(struct lagoon_worker *w, struct lgn_view *v);

/* The worker has deltas of a bsp round. */
bool lgn_apply_has_own(const struct lagoon_table *t, int worker);

/* Everything pending of the table is applied on return. Needs the push lock;
 * LAGOON_ERANGE after all else was done. */
int lgn_apply_push(struct lagoon_worker *w, struct lagoon_table *t);

/* The same of all tables. */
int lgn_apply_push_all(struct lagoon_worker *w);

/* bsp: the round of one table, or of all (NULL). Needs all workers of the job
 * between rounds. Collective, so without the push lock, which the others of
 * the node need to get there. */
int lgn_apply_round(struct lagoon_worker *w, struct lagoon_table *only);

/* vap: what an add leaves behind. */
static inline void lgn_apply_unpushed(struct lgn_counts *counts, double most)
{
	uint64_t bits;

	memcpy(&bits, &most, sizeof(bits));	/* of doubles >= 0: ordered */
	if (bits > atomic_load_explicit(&counts->unpushed, memory_order_relaxed))
		atomic_store_explicit(&counts->unpushed, bits,
				      memory_order_relaxed);
}

/* ------------------------------------------------------ apply_run.c */

/* Why an element was not applied, beside codes: its function refused it, with
 * its message. */
#define LGN_REFUSED 1

/* n elements of a page from element `first` on, under the page's lock. Returns
 * how many were applied before one that was refused, with *why: LAGOON_EINVAL
 * (the delta is not finite), LAGOON_ERANGE (the result would not be),
 * LGN_REFUSED; or what kept the page from being locked, with its message. */
uint64_t lgn_apply_run(struct lagoon_table *t, struct lgn_counts *counts,
		       uint64_t page, uint64_t first, uint64_t n,
		       const void *delta, int *why);

/* The same for all of them but those refused. LAGOON_ERANGE: some were, the
 * message is about the last. */
int lgn_apply_all(struct lagoon_table *t, struct lgn_counts *counts,
		  uint64_t page, uint64_t first, uint64_t n, const char *delta);

/* The message about an element, and its code; LAGOON_ERANGE if the function
 * refused it. counts may be NULL. */
int lgn_apply_refuse(struct lagoon_table *t, struct lgn_counts *counts, int why,
		     uint64_t page, uint64_t element, const void *delta);

/* ------------------------------------------------------ apply_sum.c */

/* How many of n elements are finite, from the first on. */
size_t lgn_apply_finite(int type, const void *x, size_t n);

/* into += delta as long as sums are finite: how many. */
size_t lgn_apply_sum(int type, void *into, const void *delta, size_t n);

/* The largest |x|. */
double lgn_apply_most(int type, const void *x, size_t n);

/* A later delta to an earlier one: how many before one that would not be
 * finite. Not for LAGOON_COMBINE_NONE. */
size_t lgn_apply_combine(const struct lgn_apply *a, void *into,
			 const void *delta, size_t n);

/* Elements that others may be changing, or looking at; aligned to their type. */
void lgn_apply_copy(uint32_t size, void *dst, const void *src, size_t n);

#endif
