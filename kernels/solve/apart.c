/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>

#include "kernels/solve/apart.h"

/* A prime: workers that take parts at different strides meet in one part,
 * however much later one begins. Beginnings that differ would not do: who is
 * late by just that much goes in step again. */
#define PARTS 31
#define FEW (64 * PARTS)	/* rows that are soon done in any order */

/* Under vap each call may have to wait until it has arrived, under bsp workers
 * add to rows of their own. At a stride of 1 the list is as it was. */
static bool in_parts(const struct lagoon_table_attr *a, uint64_t stride,
		     uint64_t n)
{
	return stride > 1 && n >= FEW && a->model != LAGOON_VAP &&
		a->model != LAGOON_BSP;
}

int lgn_add_apart(struct lagoon_worker *w, struct lagoon_table *t,
		  const uint64_t *rows, uint64_t n, const double *in)
{
	struct lagoon_table_attr attr = { .size = sizeof(attr) };
	uint64_t stride = 1 + (uint64_t)lagoon_worker_id(w) % (PARTS - 1);
	uint64_t part = 0;
	int rc = lagoon_table_get_attr(t, &attr);

	if (rc || !in_parts(&attr, stride, n))
		return rc ? rc : lagoon_add_rows(w, t, rows, n, in);
	for (int i = 0; i < PARTS && !rc; i++) {
		uint64_t from = n * part / PARTS;
		uint64_t to = n * (part + 1) / PARTS;

		rc = lagoon_add_rows(w, t, rows + from, to - from,
				     in + from * attr.cols);
		part = (part + stride) % PARTS;
	}
	return rc;
}
