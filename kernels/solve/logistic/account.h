/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a fit has cost, over the whole job: each process's statistics of the
 * tables and of its wire, and how long each worker waited, are told to all when
 * it is over.
 */
#ifndef LGN_SOLVE_ACCOUNT_H
#define LGN_SOLVE_ACCOUNT_H

#include <stdbool.h>

#include "kernels/lagoon_solve.h"
#include "kernels/solve/share.h"

#define LGN_ACCOUNT_TABLES 4

/* What one worker tells; all but the last is of its process, and said by its
 * first worker. */
struct lgn_account {
	struct lagoon_stats table[LGN_ACCOUNT_TABLES];
	struct lagoon_wire_counts wire;
	uint64_t waited_ns;
};

/* Room for it in the result, and the tables' names; free it with lagoon_logistic_result_free(). */
int lgn_account_open(struct lagoon_logistic_result *r, struct lagoon *lg,
		     const char *const *names);

/* Worker w's account of these tables (NULL: none), told to all workers through
 * a share of struct lgn_account; fill: into the result. */
int lgn_account_tell(struct lagoon_worker *w, struct lagoon *lg,
		     const struct lgn_share *share, bool first,
		     struct lagoon_table *const *tables,
		     struct lagoon_logistic_result *r);

#endif
