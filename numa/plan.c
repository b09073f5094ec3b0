/* SPDX-License-Identifier: BSD-3-Clause */
/* Which worker goes where: arithmetic only, no system call. */
#include "numa/internal.h"
#include "runtime/base/status.h"

static int check(const struct lgn_share *share)
{
	if (share->workers < 0 || share->workers > LGN_PLAN_MAX)
		return lgn_fail(LAGOON_EINVAL, "%d workers in a process: expected 0 to %d",
				share->workers, LGN_PLAN_MAX);
	if (share->first < 0 || share->homes < 0 ||
	    share->workers > share->total - share->first)
		return lgn_fail(LAGOON_EINVAL, "workers %d to %d of process %d do not fit into %d workers on this machine",
				share->first, share->first + share->workers - 1,
				share->homes, share->total);
	return 0;
}

/* Where the process's first worker is, or would be if the cores were dealt
 * out in equal parts; a process without workers takes a node in turn. */
static int shard_node(const struct lgn_topo *topo,
		      const struct lgn_share *share, bool pinned)
{
	int64_t core = share->first;

	if (!share->workers)
		return share->homes % topo->n_nodes;
	if (!pinned)
		core = core * topo->n_cores / share->total;
	return topo->core[core].node;
}

int lgn_plan_make(const struct lgn_topo *topo, const struct lgn_share *share,
		  struct lgn_plan *plan)
{
	int rc = check(share);

	if (rc)
		return rc;
	plan->pinned = share->total <= topo->n_cores;
	plan->workers = share->workers;
	plan->node = shard_node(topo, share, plan->pinned);
	for (int i = 0; i < share->workers; i++)
		plan->core[i] = plan->pinned ? share->first + i : -1;
	return 0;
}
