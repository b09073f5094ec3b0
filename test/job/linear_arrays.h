/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of linear_arrays.mp have in common. */
#ifndef TEST_JOB_LINEAR_ARRAYS_H
#define TEST_JOB_LINEAR_ARRAYS_H

#include "kernels/lagoon_solve.h"
#include "test/support/rows.h"

enum { ROWS = 90, COLS = 8, CLASSES = 3 };

#define NEAR 2e-4		/* of the objective */

/* The rows of this process begin to have so many classes; of two: 7 and 9. */
void linear_take(int classes);
struct lagoon_linear_data linear_form(enum t_form which, int classes);
struct lagoon_linear_options linear_options(int loss, int method);

/* Objective, gradient and accuracy at w [COLS][outputs], over all rows. */
double linear_reference(int loss, int outputs, const double *w, double *g,
			double *accuracy);

/* w is near the minimum; value and g: of the reference there. */
void linear_check_minimum(int loss, int outputs, double *w, double value,
			  const double *g);

/* A fit is this error, and writes nothing. */
void linear_expect(const struct lagoon_linear_data *d,
		   const struct lagoon_linear_options *o, int error,
		   const char *text);

/* Of COLS + 2 rows. */
struct lagoon_table *linear_make_table(const char *name, int cols, int format,
				       const char *update);

/* The part of linear_arrays_table.c. */
void linear_tables(void);

#endif
