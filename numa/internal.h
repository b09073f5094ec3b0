/* SPDX-License-Identifier: BSD-3-Clause */
/* The topology as the files of this folder (and its tests) see it. */
#ifndef LGN_NUMA_INTERNAL_H
#define LGN_NUMA_INTERNAL_H

#include <hwloc.h>

#include "numa/place.h"

struct lgn_core {
	hwloc_obj_t obj;	/* a core; a PU where hwloc knows no cores */
	int node;		/* index into lgn_topo.node */
};

struct lgn_topo {
	hwloc_topology_t hw;
	bool real;
	int n_cores;
	int n_nodes;
	struct lgn_core *core;	/* node by node */
	hwloc_obj_t *node;	/* those that are the node of a core */
};

/* A loaded topology of this machine or of a synthetic description, not
 * restricted; io: with devices, which takes ten times as long. */
int lgn_topo_load(const char *synthetic, bool io, hwloc_topology_t *hw);

/* Keep these PUs ("0-3,8"), as a launcher's mask does; nodes that lose their
 * PUs stay in hwloc's topology, without PUs. LAGOON_EINVAL if none is left. */
int lgn_topo_restrict(struct lgn_topo *topo, const char *cpus);

#endif
