/* SPDX-License-Identifier: BSD-3-Clause */
/* What the papers say, from all of an element's gradients, written without a
 * look at the loops of runtime/update/. */
#ifndef TEST_UNIT_UPDATE_H
#define TEST_UNIT_UPDATE_H

enum { GRADIENTS = 2048 };	/* of an element at most */

struct history {
	int n;				/* gradients so far */
	long double g[GRADIENTS];
	long double w[GRADIENTS + 1];	/* w[k] was shown when g[k] came */
};

/* The value after the last gradient. */
typedef long double reference(const struct history *h, const double *param);

struct reference_of {
	const char *text;		/* of lgn_update_open() */
	reference *next;
	double param[5];		/* that the text says, or defaults */
	double first;			/* value */
	double size;			/* of what is subtracted to get a small
					 * value: rounding shows against this */
};

extern const struct reference_of references[];	/* ends with no text */

#endif
