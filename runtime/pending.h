/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deltas of this process that are not sent yet, of a table in apply mode: one
 * element of delta for each of the table, and a bit for each row that has
 * been added to. All of a page is under its spin lock; `whose` tells without
 * it whether there is anything, and of which workers (bit: index mod 64).
 */
#ifndef LGN_RUNTIME_PENDING_H
#define LGN_RUNTIME_PENDING_H

#include "runtime/apply.h"

struct lgn_pending_page {
	_Atomic uint64_t whose;
	_Atomic uint32_t lock;
};

struct lgn_pending {
	struct lgn_mem mem;
	char *delta;			/* table sized, page after page */
	struct lgn_pending_page *page;	/* [pages] */
	uint64_t *touched;		/* [pages x bit_words] */
	uint32_t bit_words;
};

int lgn_pending_open(struct lagoon_table *t);
void lgn_pending_close(struct lagoon_table *t);

void lgn_pending_lock(struct lgn_pending *p, uint64_t page);
void lgn_pending_unlock(struct lgn_pending *p, uint64_t page);

static inline uint64_t lgn_pending_whose(const struct lgn_pending *p,
					 uint64_t page)
{
	return atomic_load(&p->page[page].whose);
}

static inline uint64_t lgn_pending_bit(int worker)
{
	return 1ull << (worker & 63);
}

static inline char *lgn_pending_delta(const struct lagoon_table *t,
				      uint64_t page)
{
	return t->apply->pending->delta + page * t->layout.page_words * 8;
}

/* The first row of [row, end) of the page that was added to, and how many in a
 * row are; 0: none. Under the lock. */
uint64_t lgn_pending_next(const struct lgn_pending *p, uint64_t page,
			  uint64_t *row, uint64_t end);

/* Nothing is pending any more. Under the lock. */
void lgn_pending_clear(struct lgn_pending *p, uint64_t page);

/* lgn_apply.add */
int lgn_pending_add(struct lgn_apply_add *a, uint64_t row, uint64_t nrows,
		    const char *in);

#endif
