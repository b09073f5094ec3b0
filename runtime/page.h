/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page of a cached table: a copy, the deltas that are not in it, and at
 * most one operation in flight. Copies and these states are the node's: all
 * processes that share a cache (node.h) have them mapped.
 *
 *	IDLE --acquire--> READING --completion--> IDLE	a READ fills the copy
 *	IDLE --acquire--> PUSHING --completions-> IDLE	deltas go to the shard
 *	PUSHING --error--> BROKEN			see below
 *
 * Why one at a time: a READ that the network retries is executed again, and
 * may then contain fetch-and-adds that were posted after it. Had its page's
 * deltas been taken meanwhile, they would be counted twice, or not at all. So
 * nothing is taken while a READ is in flight, no READ is posted before a
 * push's last completion, and correctness rests on completions alone.
 *
 * `hold` is the state and the rank whose operation it is: that process alone
 * ends it, and only if it is dead may others do so instead (node.c). What its
 * pushes had taken is then uncertain, so the copy is given up; a READ has
 * changed nothing but words of the copy that got newer. A push that failed
 * leaves its pages BROKEN: its own process goes on with them as if they were
 * idle, the others wait for its end, since by the shard alone they might see
 * less than the copy has shown them already.
 *
 * Taking (PUSHING only) moves a delta from its delta word into the copy in
 * one step: `version` is odd meanwhile. A view is copy + delta words, read
 * again if the version changed. A READ that lands in the copy needs no
 * version: every word of it gets newer, never older, and no delta moves.
 *
 * `stamp` says how fresh the copy is (lgn_stamp()); it only grows, and is set
 * after the READ has completed, from the floor known before it was posted.
 *
 * Adders set bits of the page's `dirty` mask (one for each 1/64 of the page)
 * after they have added; a push clears the mask before it takes. Both are
 * seq_cst: either the push sees the delta, or the adder sees the bit clear and
 * sets it again. A delta is there before its bit is set, and a view may have
 * used it: a page without bits is shown from the copy alone, so who has seen a
 * delta sets its bit before he looks again (I4).
 */
#ifndef LGN_RUNTIME_PAGE_H
#define LGN_RUNTIME_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum lgn_page_state { LGN_IDLE, LGN_READING, LGN_PUSHING, LGN_BROKEN };

struct lgn_page {
	_Atomic uint64_t stamp;		/* 0: no copy */
	_Atomic int64_t floor;		/* under which the copy was fetched */
	_Atomic uint32_t version;
	_Atomic uint32_t hold;		/* lgn_hold(); 0: idle */
} __attribute__((aligned(32)));

static inline uint32_t lgn_hold(enum lgn_page_state state, int rank)
{
	return (uint32_t)rank << 2 | (uint32_t)state;
}

static inline enum lgn_page_state lgn_hold_state(uint32_t hold)
{
	return (enum lgn_page_state)(hold & 3);
}

static inline int lgn_hold_rank(uint32_t hold)
{
	return (int)(hold >> 2);
}

/* Freshness: an epoch (a barrier makes all copies of earlier ones stale),
 * then a clock. Comparable as an integer. */
static inline uint64_t lgn_stamp(uint64_t epoch, int64_t clock)
{
	return epoch << 40 | (uint64_t)(clock < 0 ? 1 : clock + 1);
}

/* Tell the next push, and views, that this word of the page has a delta. */
static inline void lgn_page_mark(_Atomic uint64_t *dirty, uint64_t word,
				 uint64_t page_words)
{
	uint64_t bit = 1ull << (word * 64 / page_words);

	if (!(atomic_load(dirty) & bit))
		atomic_fetch_or(dirty, bit);
}

/* For the process of that rank. */
static inline bool lgn_page_acquire(struct lgn_page *page,
				    enum lgn_page_state state, int rank)
{
	uint32_t now = atomic_load_explicit(&page->hold, memory_order_relaxed);

	return (!now || now == lgn_hold(LGN_BROKEN, rank)) &&
	       atomic_compare_exchange_strong(&page->hold, &now,
					      lgn_hold(state, rank));
}

static inline void lgn_page_release(struct lgn_page *page)
{
	atomic_store_explicit(&page->hold, 0, memory_order_release);
}

/* The push failed: what it took may or may not arrive. */
static inline void lgn_page_break(struct lgn_page *page, int rank)
{
	atomic_store_explicit(&page->hold, lgn_hold(LGN_BROKEN, rank),
			      memory_order_release);
}

static inline bool lgn_page_pushing(const struct lgn_page *page)
{
	return lgn_hold_state(atomic_load_explicit(&page->hold,
					memory_order_acquire)) == LGN_PUSHING;
}

#endif
