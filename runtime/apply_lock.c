/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/apply_lock.h"
#include "runtime/base/status.h"

static int uncertain(const struct lagoon_table *t, uint64_t page, int rank)
{
	uint64_t row = page << t->layout.page_shift;
	uint64_t last = ((page + 1) << t->layout.page_shift) - 1;

	if (last >= t->layout.rows)
		last = t->layout.rows - 1;
	return lgn_fail(LAGOON_EPEER,
			"table %s rows %llu to %llu (page %llu) are uncertain: rank %d died while it changed them",
			t->name, (unsigned long long)row,
			(unsigned long long)last, (unsigned long long)page,
			rank);
}

/* The word is not 0. LAGOON_EPEER if the page is uncertain; the first who sees
 * it says so. */
static int judge(struct lagoon_table *t, struct lgn_counts *counts,
		 uint64_t page, _Atomic uint64_t *lock, uint64_t word)
{
	int rank = (int)(word & ~LGN_UNCERTAIN) - 1;

	if (word & LGN_UNCERTAIN)
		return uncertain(t, page, rank);
	if (rank < 0 || rank >= t->lg->size ||
	    !atomic_load(&t->lg->member[rank].dead))
		return 0;
	if (atomic_compare_exchange_strong(lock, &word, word | LGN_UNCERTAIN))
		lgn_count(&counts->uncertain, t->layout.page_words);
	else if (word != (((uint64_t)rank + 1) | LGN_UNCERTAIN))
		return 0;
	return uncertain(t, page, rank);
}

int lgn_apply_lock_wait(struct lagoon_table *t, struct lgn_counts *counts,
			uint64_t page, _Atomic uint64_t *lock)
{
	const uint64_t limit = (uint64_t)t->lg->timeout_s * 1000000000u;
	const uint64_t mine = (uint64_t)t->lg->rank + 1;
	struct lgn_wait wait = LGN_WAIT_INIT;
	uint64_t word = 0;

	while (!atomic_compare_exchange_weak_explicit(lock, &word, mine,
			memory_order_acquire, memory_order_relaxed)) {
		int rc = word ? judge(t, counts, page, lock, word) : 0;

		if (rc)
			return rc;
		if (lgn_waited_ns(&wait) > limit)
			return lgn_fail(LAGOON_ETIMEDOUT,
					"table %s page %llu: rank %d has held its lock for %d s; see LAGOON_TIMEOUT",
					t->name, (unsigned long long)page,
					(int)word - 1, t->lg->timeout_s);
		lgn_wait_step(&wait);
		word = 0;
	}
	return 0;
}

int lgn_apply_lock_look(struct lagoon_table *t, struct lgn_counts *counts,
			uint64_t page, _Atomic uint64_t *lock)
{
	uint64_t word = atomic_load(lock);

	return word ? judge(t, counts, page, lock, word) : 0;
}
