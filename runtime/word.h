/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adding to a word by CPU atomics so that it never wraps (hot, inline).
 *
 * Legal lanes are |v| <= legal. A fetch-and-add carries at most bound =
 * legal / 4 / adders in a lane, and each adder has at most one in flight that
 * is not checked yet; so the sum of all in flight stays within legal / 4, and
 * a lane within 1.25 legal, which fits. The old word tells the adder whether
 * its lane became illegal: it takes its delta back. A larger delta goes by
 * compare-and-swap, which checks before it changes.
 */
#ifndef LGN_RUNTIME_WORD_H
#define LGN_RUNTIME_WORD_H

#include <stdatomic.h>

#include "runtime/number.h"

enum { LGN_REJECT_LOW = 1, LGN_REJECT_HIGH = 2 };

static inline bool lgn_within(int64_t v, int64_t limit)
{
	return (uint64_t)v + (uint64_t)limit <= 2 * (uint64_t)limit;
}

/* Which lanes of sum = old + delta are illegal and were changed by delta. A
 * single 64-bit lane is LOW. */
static inline int lgn_word_illegal(int lanes, int64_t legal, uint64_t sum,
				   uint64_t delta)
{
	if (lanes == 1)
		return lgn_within((int64_t)sum, legal) ? 0 : LGN_REJECT_LOW;
	return (lgn_within(lgn_lane_low(sum), legal) || !lgn_lane_low(delta) ?
			0 : LGN_REJECT_LOW) |
	       (lgn_within(lgn_lane_high(sum), legal) || !lgn_lane_high(delta) ?
			0 : LGN_REJECT_HIGH);
}

/* The part of delta in the lanes of mask. */
static inline uint64_t lgn_word_part(int lanes, uint64_t delta, int mask)
{
	if (lanes == 1)
		return mask ? delta : 0;
	return lgn_word_pack(mask & LGN_REJECT_LOW ? lgn_lane_low(delta) : 0,
			     mask & LGN_REJECT_HIGH ? lgn_lane_high(delta) : 0);
}

/* The largest |lane|. */
static inline int64_t lgn_word_most(int lanes, uint64_t word)
{
	int64_t low = (int64_t)word, high = 0;

	if (lanes == 2) {
		low = lgn_lane_low(word);
		high = lgn_lane_high(word);
	}
	low = low < 0 ? -low : low;
	high = high < 0 ? -high : high;
	return low > high ? low : high;
}

static inline bool lgn_word_small(int lanes, int64_t bound, uint64_t delta)
{
	if (lanes == 1)
		return lgn_within((int64_t)delta, bound);
	return lgn_within(lgn_lane_low(delta), bound) &&
	       lgn_within(lgn_lane_high(delta), bound);
}

/* The word after adding, lane by lane, what may be added of delta; *mask gets
 * the lanes that may not. */
static inline uint64_t lgn_word_sum(int lanes, int64_t legal, uint64_t old,
				    uint64_t delta, int *mask)
{
	int64_t low, high;

	*mask = 0;
	if (lanes == 1) {
		/* |old| <= 1.25 x 2^62 and |delta| <= 2^62: no overflow that
		 * the test would not see as an unsigned difference */
		__int128 sum = (__int128)(int64_t)old + (int64_t)delta;

		if (sum > legal || sum < -(__int128)legal)
			*mask = LGN_REJECT_LOW;
		return *mask ? old : (uint64_t)sum;
	}
	low = lgn_lane_low(old) + lgn_lane_low(delta);
	high = lgn_lane_high(old) + lgn_lane_high(delta);
	if (!lgn_within(low, legal) && lgn_lane_low(delta)) {
		*mask |= LGN_REJECT_LOW;
		low = lgn_lane_low(old);
	}
	if (!lgn_within(high, legal) && lgn_lane_high(delta)) {
		*mask |= LGN_REJECT_HIGH;
		high = lgn_lane_high(old);
	}
	return lgn_word_pack(low, high);
}

static inline int lgn_word_add_large(_Atomic uint64_t *word, int lanes,
				     int64_t legal, uint64_t delta)
{
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed);
	uint64_t sum;
	int mask;

	do
		sum = lgn_word_sum(lanes, legal, old, delta, &mask);
	while (!atomic_compare_exchange_weak(word, &old, sum));
	return mask;
}

/* Add; returns the lanes that were rejected (their deltas are not in the
 * word). Any thread, any process that maps the word. */
static inline int lgn_word_add(_Atomic uint64_t *word, int lanes,
			       int64_t legal, int64_t bound, uint64_t delta)
{
	uint64_t old;
	int mask;

	if (lgn_unlikely(!lgn_word_small(lanes, bound, delta)))
		return lgn_word_add_large(word, lanes, legal, delta);
	old = atomic_fetch_add(word, delta);
	mask = lgn_word_illegal(lanes, legal, old + delta, delta);
	if (lgn_unlikely(mask))
		atomic_fetch_sub(word, lgn_word_part(lanes, delta, mask));
	return mask;
}

#endif
