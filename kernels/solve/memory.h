/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows in the caller's memory, dense or sparse, checked element by element. */
#ifndef LGN_SOLVE_MEMORY_H
#define LGN_SOLVE_MEMORY_H

#include "kernels/data/entries.h"
#include "kernels/lagoon_solve.h"

/* Part of so many of the rows, counted from its first one, with their targets;
 * target:
 * what messages call these, NULL when there are none. LAGOON_EINVAL for a shape, an index or a
 * number that is not legal, with row and column of the caller's; LAGOON_ENOMEM. */
int lgn_memory_take(const struct lagoon_regression_data *d, const char *target,
		    int part, int parts, struct lgn_entries *out);

#endif
