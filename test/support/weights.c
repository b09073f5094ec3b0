/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/support/weights.h"

int t_weights_use(struct lagoon_worker *w, void *arg)
{
	struct t_weights *in = arg;
	uint64_t rows = (uint64_t)in->rows;
	double all[T_WEIGHTS];
	int rc = 0;

	for (int k = 0; k < in->rows * in->cols; k++)
		all[k] = in->put;
	if (in->put != 0 && !lagoon_worker_id(w))
		rc = lagoon_add(w, in->t, 0, rows, all);
	if (!rc)
		rc = lagoon_clock(w);
	if (!rc)
		rc = lagoon_barrier(w);
	if (rc || lagoon_worker_id(w) % 2)
		return rc;
	return lagoon_pull(w, in->t, 0, rows, in->got);
}
