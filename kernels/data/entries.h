/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Some entries of a matrix and some elements of the vector of targets, in any
 * order: what a worker read, or was given.
 */
#ifndef LGN_DATA_ENTRIES_H
#define LGN_DATA_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

#define LGN_INDEX_MAX (UINT64_C(1) << 31)	/* rows; columns */

struct lgn_entries {
	uint64_t rows;		/* that the reader saw, or those of the file */
	uint64_t cols;
	size_t n;
	uint32_t *row;		/* [n] counted from 0 */
	uint32_t *col;
	double *val;
	size_t n_targets;
	uint32_t *target_row;	/* [n_targets] */
	double *target;
	/* room of the arrays */
	size_t room;
	size_t target_room;
};

/* Room for so many more. LAGOON_ENOMEM. */
int lgn_entries_reserve(struct lgn_entries *e, size_t n, size_t targets);

/* Within the room. */
static inline void lgn_entries_add(struct lgn_entries *e, uint64_t row,
				   uint64_t col, double val)
{
	e->row[e->n] = (uint32_t)row;
	e->col[e->n] = (uint32_t)col;
	e->val[e->n++] = val;
}

static inline void lgn_entries_target(struct lgn_entries *e, uint64_t row,
				      double target)
{
	e->target_row[e->n_targets] = (uint32_t)row;
	e->target[e->n_targets++] = target;
}

void lgn_entries_free(struct lgn_entries *e);	/* clears it; safe on zeros */

#endif
