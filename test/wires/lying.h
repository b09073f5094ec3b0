/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared-memory wire, which lies about what it did: for the checks of
 * LAGOON_CHECK. One lie at a time, told by this process from lying_begin() on.
 */
#ifndef TEST_WIRES_LYING_H
#define TEST_WIRES_LYING_H

#include "verbs/wire.h"

enum lie {
	LIE_NONE,
	LIE_DROP,	/* ADDs are not done */
	LIE_TWICE,	/* ADDs are done twice */
	LIE_STALE,	/* GETs of so many bytes bring nothing */
	LIE_OLD,	/* they bring what the first one of all brought */
	LIE_CLOCKS,	/* the first GET of a batch, of so many bytes, brings large
			 * numbers */
};

/* For lgn_open_on(). */
const struct lgn_wire_ops *lying_wire(void);

/* From now on; at most `times`. bytes: of the GETs; also set for LIE_NONE, so
 * that the first of them is kept. */
void lying_begin(enum lie lie, uint32_t bytes, unsigned times);

#endif
