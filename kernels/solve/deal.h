/* SPDX-License-Identifier: BSD-3-Clause */
/* Dealing out what workers read: entries of a matrix, in any order, go to the
 * owner of their row or column. */
#ifndef LGN_SOLVE_DEAL_H
#define LGN_SOLVE_DEAL_H

#include <stdbool.h>

#include "kernels/data/entries.h"
#include "kernels/solve/share.h"

/* Words of the table for so many entries; targets count too. */
#define LGN_DEAL_WORDS(entries) (3 * (uint64_t)(entries) + 1)

/* Of one worker. Worker k of n owns lines [lines k / n, lines (k + 1) / n); or,
 * scattered, those of which lgn_deal_owner() says so. */
struct lgn_deal {
	struct lagoon_worker *w;
	const struct lgn_share *share;	/* of a uint64_t for each worker */
	struct lagoon_table *table;	/* i64, LGN_DEAL_WORDS() rows of zeros */
	uint64_t rows, cols;
	bool by_rows;			/* else by columns */
	bool scattered;			/* lines that have much may be neighbours */
	struct lgn_entries *entries;	/* what it read becomes what it owns; the
					 * targets, too, with by_rows */
};

/* The same for each line, whatever else is there. */
uint64_t lgn_deal_owner(uint64_t line, uint64_t workers);

/* All workers. What comes to an owner is in the order of workers, and of each in
 * its own. round: meetings on the share; rc: the error that this one comes
 * with. */
int lgn_deal(const struct lgn_deal *t, uint32_t *round, int rc);

#endif
