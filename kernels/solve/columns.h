/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of column numbers below a limit, and the place of each in it: a bit
 * a column, and a count every 64. Rows that use few columns are renumbered
 * with it.
 *
 *	lgn_columns_open(&set, limit);
 *	lgn_columns_add(&set, j) ...;  n = lgn_columns_rank(&set);
 *	lgn_columns_list(&set, list);	lgn_columns_place(&set, j)
 *	lgn_columns_clear(&set);	lgn_columns_close(&set);
 */
#ifndef LGN_SOLVE_COLUMNS_H
#define LGN_SOLVE_COLUMNS_H

#include <stdint.h>

struct lgn_columns {
	uint64_t *bits;
	uint32_t *before;	/* members in the words before */
	uint64_t words;
};

int lgn_columns_open(struct lgn_columns *set, uint64_t limit);
void lgn_columns_close(struct lgn_columns *set);	/* safe on zeros */
void lgn_columns_clear(struct lgn_columns *set);

/* Count the members, as place and list need. Returns their number. */
uint32_t lgn_columns_rank(struct lgn_columns *set);

/* The members, rising. */
void lgn_columns_list(const struct lgn_columns *set, uint64_t *list);

static inline void lgn_columns_add(struct lgn_columns *set, uint64_t j)
{
	set->bits[j / 64] |= UINT64_C(1) << (j % 64);
}

/* j must be a member. */
static inline uint32_t lgn_columns_place(const struct lgn_columns *set,
					 uint64_t j)
{
	uint64_t below = set->bits[j / 64] & ((UINT64_C(1) << (j % 64)) - 1);

	return set->before[j / 64] + (uint32_t)__builtin_popcountll(below);
}

#endif
