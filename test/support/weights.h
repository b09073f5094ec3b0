/* SPDX-License-Identifier: BSD-3-Clause */
/* A table of weights that the caller of a fit gives. */
#ifndef TEST_SUPPORT_WEIGHTS_H
#define TEST_SUPPORT_WEIGHTS_H

#include "runtime/lagoon.h"

enum { T_WEIGHTS = 64 };

/* Its rows, of cols each: at most T_WEIGHTS in all. */
struct t_weights {
	struct lagoon_table *t;
	int rows, cols;
	double put;		/* added everywhere, if it is not 0 */
	double got[T_WEIGHTS];	/* by a worker of each process */
};

/* For lagoon_run(); arg: struct t_weights. */
int t_weights_use(struct lagoon_worker *w, void *arg);

#endif
