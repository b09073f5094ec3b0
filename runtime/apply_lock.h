/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page's lock: a word in the shard's memory that holds who has it, so that
 * whoever finds it taken can see whether that process still lives.
 *
 *	0			free
 *	rank + 1		that process changes the page
 *	UNCERTAIN | rank + 1	it died doing so: for good
 *
 * A process that dies inside leaves the page with an unknown part of its
 * change. The first to notice says so in the word and counts it; from then on
 * the page is an error to all who read it or add to it.
 */
#ifndef LGN_RUNTIME_APPLY_LOCK_H
#define LGN_RUNTIME_APPLY_LOCK_H

#include "runtime/core.h"

#define LGN_UNCERTAIN (1ull << 63)

/* The slow ways. LAGOON_EPEER: the page is uncertain; LAGOON_ETIMEDOUT. */
int lgn_apply_lock_wait(struct lagoon_table *t, struct lgn_counts *counts,
			uint64_t page, _Atomic uint64_t *lock);
int lgn_apply_lock_look(struct lagoon_table *t, struct lgn_counts *counts,
			uint64_t page, _Atomic uint64_t *lock);

static inline int lgn_apply_lock(struct lagoon_table *t,
				 struct lgn_counts *counts, uint64_t page,
				 _Atomic uint64_t *lock)
{
	uint64_t none = 0;

	if (lgn_likely(atomic_compare_exchange_strong_explicit(lock, &none,
			(uint64_t)t->lg->rank + 1, memory_order_acquire,
			memory_order_relaxed)))
		return 0;
	return lgn_apply_lock_wait(t, counts, page, lock);
}

static inline void lgn_apply_unlock(_Atomic uint64_t *lock)
{
	atomic_store_explicit(lock, 0, memory_order_release);
}

/* Who only reads: 0, also while somebody changes the page. */
static inline int lgn_apply_readable(struct lagoon_table *t,
				     struct lgn_counts *counts, uint64_t page,
				     _Atomic uint64_t *lock)
{
	if (lgn_likely(!atomic_load_explicit(lock, memory_order_relaxed)))
		return 0;
	return lgn_apply_lock_look(t, counts, page, lock);
}

#endif
