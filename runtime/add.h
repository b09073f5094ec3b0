/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LGN_RUNTIME_ADD_H
#define LGN_RUNTIME_ADD_H

#include "runtime/core.h"

/* lagoon_add() and lagoon_add_rows(). The worker's thread. */
int lgn_add_range(struct lagoon_worker *w, struct lagoon_table *t, uint64_t row,
		  uint64_t nrows, const void *in);
int lgn_add_list(struct lagoon_worker *w, struct lagoon_table *t,
		 const uint64_t *rows, uint64_t n, const void *in);

#endif
