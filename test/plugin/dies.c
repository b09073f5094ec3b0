/* SPDX-License-Identifier: BSD-3-Clause */
/* picky: a sum that refuses 13. dies: a sum whose process dies in the middle of it: of a delta of 666 it adds one
 * half of the elements. */
#include <signal.h>
#include <unistd.h>

#include "lagoon_update.h"

static int apply(const struct lagoon_update_call *c)
{
	double *w = c->value;
	const double *d = c->delta;

	for (size_t i = 0; i < c->n; i++) {
		if (i >= c->n / 2 && d[i] == 666)
			kill(getpid(), SIGKILL);
		w[i] += d[i];
	}
	return 0;
}

static int apply_picky(const struct lagoon_update_call *c)
{
	double *w = c->value;
	const double *d = c->delta;

	for (size_t i = 0; i < c->n; i++)
		if (d[i] == 13)
			return 1;
	for (size_t i = 0; i < c->n; i++)
		w[i] += d[i];
	return 0;
}

extern const struct lagoon_update dies, picky;
const struct lagoon_update picky = {
	.abi = LAGOON_UPDATE_ABI, .size = sizeof(picky), .name = "picky",
	.combine = LAGOON_COMBINE_SUM, .types = LAGOON_UPDATE_F64,
	.apply = apply_picky,
};
const struct lagoon_update dies = {
	.abi = LAGOON_UPDATE_ABI, .size = sizeof(dies), .name = "dies",
	.combine = LAGOON_COMBINE_SUM, .local_view = 1,
	.types = LAGOON_UPDATE_F64, .apply = apply,
};
