/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows or columns of one worker, made of entries in any order. */
#ifndef LGN_SOLVE_LINES_H
#define LGN_SOLVE_LINES_H

#include <stdbool.h>

#include "kernels/data/entries.h"
#include "kernels/lagoon_kernels.h"

struct lgn_lines_spec {
	bool rows;		/* CSR, else CSC */
	uint64_t first;		/* line */
	uint64_t lines;
	uint64_t length;	/* of a line */
	bool dense;		/* store all elements: shift is not zero */
	const double *shift;	/* [columns] */
	const double *factor;	/* NULL: elements as they are, no shift */
	const char *path;	/* for messages; or NULL */
};

struct lgn_lines {
	struct lagoon_sparse a;
	int32_t *start;
	int32_t *index;
	double *val;
};

/* Elements become (x - shift) * factor. LAGOON_EINVAL for an element that
 * stands twice, LAGOON_ENOTSUP for too many, LAGOON_ENOMEM. To be closed in any
 * case. */
int lgn_lines_open(const struct lgn_entries *e,
		   const struct lgn_lines_spec *spec, struct lgn_lines *lines);
void lgn_lines_close(struct lgn_lines *lines);	/* safe on zeros */

#endif
