/* SPDX-License-Identifier: BSD-3-Clause */
/* Reals to other workers bit for bit: in a table of integers, two to a row, each
 * with half of the bits, because a word of a table holds less than 2^62. */
#ifndef LGN_SOLVE_WORDS_H
#define LGN_SOLVE_WORDS_H

#include "runtime/lagoon.h"

/* Rows from first on become these values. At rest, and one worker for each. */
int lgn_words_tell(struct lagoon_worker *w, struct lagoon_table *t,
		   uint64_t first, uint64_t n, const double *value);

int lgn_words_pull(struct lagoon_worker *w, struct lagoon_table *t,
		   uint64_t first, uint64_t n, double *value);

#endif
