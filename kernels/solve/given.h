/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table of weights that the caller of a fit gave: where the fit begins, and where
 * its weights are in the end. Methods work in tables of their own, whose fixed
 * point and consistency are what they need.
 */
#ifndef LGN_SOLVE_GIVEN_H
#define LGN_SOLVE_GIVEN_H

#include <stdint.h>

#include "runtime/lagoon.h"

/* Can it hold [rows][cols] weights? NULL can. LAGOON_EINVAL, the same in every
 * process. */
int lgn_given_check(const struct lagoon_table *t, uint64_t rows, uint32_t cols);

/* Weights [n][cols] from row first on. LAGOON_ERANGE for one beyond largest, or
 * that is not a number. */
int lgn_given_pull(struct lagoon_worker *w, struct lagoon_table *t,
		   uint64_t first, uint64_t n, double largest, double *weights);

/* They become these: in every pull after the next meeting. */
int lgn_given_tell(struct lagoon_worker *w, struct lagoon_table *t,
		   uint64_t first, uint64_t n, const double *weights);

#endif
