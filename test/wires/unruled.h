/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a page would be without its rule: in front of every file of the
 * runtime (-include), in the place of runtime/page.h. A READ and a push of one
 * page may be in flight together here, as they could if a READ contained what
 * was before it and nothing else. test/job/unruled.sh shows that the property
 * test then fails.
 */
#ifndef LGN_RUNTIME_PAGE_H
#define LGN_RUNTIME_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum lgn_page_state { LGN_IDLE, LGN_READING, LGN_PUSHING, LGN_BROKEN };

struct lgn_page {
	_Atomic uint64_t stamp;
	_Atomic int64_t floor;
	_Atomic uint32_t version;
	_Atomic uint32_t hold;		/* IDLE or PUSHING */
	_Atomic uint32_t reading;	/* IDLE or READING */
};

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

static inline uint64_t lgn_stamp(uint64_t epoch, int64_t clock)
{
	return epoch << 40 | (uint64_t)(clock < 0 ? 1 : clock + 1);
}

static inline void lgn_page_mark(_Atomic uint64_t *dirty, uint64_t word,
				 uint64_t page_words)
{
	atomic_fetch_or(dirty, 1ull << (word * 64 / page_words));
}

static inline _Atomic uint32_t *lgn_page_place(struct lgn_page *page,
					       bool reading)
{
	return reading ? &page->reading : &page->hold;
}

static inline bool lgn_page_acquire(struct lgn_page *page,
				    enum lgn_page_state state, int rank)
{
	uint32_t idle = LGN_IDLE;

	return atomic_compare_exchange_strong(
		lgn_page_place(page, state == LGN_READING), &idle,
		lgn_hold(state, rank));
}

/* READs are the business of one file. */
static inline void lgn_page_release(struct lgn_page *page)
{
	const char *file = __BASE_FILE__;
	bool reads = strstr(file, "/fetch.c");

	atomic_store_explicit(lgn_page_place(page, reads), 0,
			      memory_order_release);
}

static inline void lgn_page_break(struct lgn_page *page, int rank)
{
	(void)rank;
	lgn_page_release(page);
}

static inline bool lgn_page_pushing(const struct lgn_page *page)
{
	return lgn_hold_state(atomic_load(&page->hold)) == LGN_PUSHING;
}

#endif
