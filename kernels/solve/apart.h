/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers add to the same rows at about the same time. Two that go through
 * them in step wait at every word for the other's cache line: it takes them six
 * times as long as one that is alone.
 */
#ifndef LGN_SOLVE_APART_H
#define LGN_SOLVE_APART_H

#include <stdint.h>

#include "runtime/lagoon.h"

/* lagoon_add_rows() of doubles in an order that depends on the worker. After an
 * error some of the other rows are added. */
int lgn_add_apart(struct lagoon_worker *w, struct lagoon_table *t,
		  const uint64_t *rows, uint64_t n, const double *in);

#endif
