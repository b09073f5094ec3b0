/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page of a cached table in one process: a copy, the delta words of this
 * process that are not in it, and at most one operation in flight.
 *
 *	IDLE --acquire--> READING --completion--> IDLE	a READ fills the copy
 *	IDLE --acquire--> PUSHING --completions-> IDLE	deltas go to the shard
 *
 * Why one at a time: a READ that the network retries is executed again, and
 * may then contain fetch-and-adds that were posted after it. Had its page's
 * deltas been taken meanwhile, they would be counted twice, or not at all. So
 * nothing is taken while a READ is in flight, no READ is posted before a
 * push's last completion, and correctness rests on completions alone.
 *
 * Taking (PUSHING only) moves a delta from its delta word into the copy in
 * one step: `version` is odd meanwhile. A view is copy + delta words, read
 * again if the version changed. A READ that lands in the copy needs no
 * version: every word of it gets newer, never older, and no delta moves.
 *
 * `stamp` says how fresh the copy is (lgn_stamp()); it only grows, and is set
 * after the READ has completed, from the floor known before it was posted.
 *
 * Adders set bits of `dirty` (one for each 1/64 of the page) after they have
 * added; a push clears the mask before it takes. Both are seq_cst: either the
 * push sees the delta, or the adder sees the bit clear and sets it again. A
 * delta is there before its bit is set, and a view may have used it: a page
 * without bits is shown from the copy alone, so who has seen a delta sets its
 * bit before he looks again (I4).
 */
#ifndef LGN_RUNTIME_PAGE_H
#define LGN_RUNTIME_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum lgn_page_state { LGN_IDLE, LGN_READING, LGN_PUSHING };

struct lgn_page {
	_Atomic uint64_t stamp;		/* 0: no copy */
	_Atomic int64_t floor;		/* under which the copy was fetched */
	_Atomic uint64_t dirty;
	_Atomic uint32_t version;
	_Atomic uint32_t state;		/* enum lgn_page_state */
};

/* Freshness: an epoch (a barrier makes all copies of earlier ones stale),
 * then a clock. Comparable as an integer. */
static inline uint64_t lgn_stamp(uint64_t epoch, int64_t clock)
{
	return epoch << 40 | (uint64_t)(clock < 0 ? 1 : clock + 1);
}

/* Tell the next push, and views, that this word of the page has a delta. */
static inline void lgn_page_mark(struct lgn_page *page, uint64_t word,
				 uint64_t page_words)
{
	uint64_t bit = 1ull << (word * 64 / page_words);

	if (!(atomic_load(&page->dirty) & bit))
		atomic_fetch_or(&page->dirty, bit);
}

static inline bool lgn_page_acquire(struct lgn_page *page, uint32_t state)
{
	uint32_t idle = LGN_IDLE;

	return atomic_load_explicit(&page->state, memory_order_relaxed) == idle &&
	       atomic_compare_exchange_strong(&page->state, &idle, state);
}

static inline void lgn_page_release(struct lgn_page *page)
{
	atomic_store_explicit(&page->state, LGN_IDLE, memory_order_release);
}

#endif
