/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of regression_arrays.mp have in common. */
#ifndef TEST_JOB_REGRESSION_ARRAYS_H
#define TEST_JOB_REGRESSION_ARRAYS_H

#include "kernels/lagoon_solve.h"
#include "test/support/rows.h"

enum { ROWS = 90, COLS = 12 };

/* The rows of this process. */
struct lagoon_regression_data regression_form(enum t_form which);
struct lagoon_regression_options regression_options(void);

/* A fit is LAGOON_EINVAL, and writes nothing. */
void regression_expect(const struct lagoon_regression_data *d,
		       const struct lagoon_regression_options *o,
		       const char *text);

/* The part of regression_arrays_table.c. */
void regression_tables(void);

#endif
