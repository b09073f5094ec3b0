/* SPDX-License-Identifier: BSD-3-Clause */
/* What the options of solvers have in common. */
#ifndef LGN_SOLVE_OPTIONS_H
#define LGN_SOLVE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/lagoon.h"

/* A whole number and its range. */
struct lgn_option {
	const char *name;
	int value, least, most;
};

/* LAGOON_EINVAL with the first that is out of its range. */
int lgn_options_check(const struct lgn_option *option, size_t n);

/* A table's consistency as a fit's options have it: staleness where the model
 * has one. */
void lgn_options_consistency(int model, int32_t staleness, int32_t sample,
			     struct lagoon_table_attr *attr);

/* Rounds of one other worker that a read of such a table may lack, about. */
double lgn_options_unseen(int model, int32_t staleness);

#endif
