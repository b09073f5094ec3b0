/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries from the worker that read them to the one that needs them. */
#ifndef LGN_SOLVE_DEAL_H
#define LGN_SOLVE_DEAL_H

#include <stdbool.h>

#include "kernels/data/entries.h"
#include "kernels/solve/share.h"

struct lgn_dealer {
	struct lagoon_worker *w;
	const struct lgn_share *share;	/* of 8 bytes for each worker */
	struct lagoon_table *table;	/* i64, zeros, [3 for each entry] */
	uint64_t (*owner)(const void *arg, uint64_t row, uint64_t col);
	const void *arg;
	bool targets;			/* with the owner of their row, too */
	uint64_t cols;			/* with targets: of all entries */
};

/* Each worker. Those of one owner come in the order of workers, and of each in
 * its own. round counts the meetings of the share, rc is the error that this
 * worker comes with; as lgn_share_meet(). out: zeros before. */
int lgn_deal_entries(const struct lgn_dealer *d, const struct lgn_entries *in,
		     struct lgn_entries *out, uint32_t *round, int rc);

#endif
