/* SPDX-License-Identifier: BSD-3-Clause */
/* Where devices are. */
#include <limits.h>
#include <stdio.h>

#include "numa/internal.h"

enum { LOCAL = 10, REMOTE = 20 };	/* the system's, without a table */

int lgn_topo_device_os(const struct lgn_topo *topo, const char *folder)
{
	hwloc_const_nodeset_t all =
		hwloc_topology_get_complete_nodeset(topo->hw);
	char path[PATH_MAX];
	int os = -1;
	FILE *f;

	if (!topo->real)
		return -1;
	snprintf(path, sizeof(path), "%s/numa_node", folder);
	f = fopen(path, "re");
	if (f && fscanf(f, "%d", &os) != 1)
		os = -1;
	if (f)
		fclose(f);
	/* there is no other place for it */
	if (os < 0 && hwloc_bitmap_weight(all) == 1)
		os = hwloc_bitmap_first(all);
	return os;
}

int lgn_topo_os_node(const struct lgn_topo *topo, int os)
{
	for (int i = 0; i < topo->n_nodes; i++)
		if ((int)topo->node[i]->os_index == os)
			return i;
	return -1;
}

/* Values are from object i to object j. */
static int look_up(struct hwloc_distances_s *d, unsigned from, unsigned to)
{
	int i = -1, j = -1;

	for (int k = 0; k < (int)d->nbobjs; k++) {
		if (d->objs[k] && d->objs[k]->os_index == from)
			i = k;
		if (d->objs[k] && d->objs[k]->os_index == to)
			j = k;
	}
	return i < 0 || j < 0 ? 0 : (int)d->values[i * (int)d->nbobjs + j];
}

int lgn_topo_distance(const struct lgn_topo *topo, int node, int os)
{
	struct hwloc_distances_s *d;
	unsigned n = 1;
	int distance = 0;

	if (node < 0 || node >= topo->n_nodes || os < 0)
		return 0;
	if ((int)topo->node[node]->os_index == os)
		return LOCAL;
	if (hwloc_distances_get_by_type(topo->hw, HWLOC_OBJ_NUMANODE, &n, &d,
					HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0))
		n = 0;
	if (n) {
		distance = look_up(d, topo->node[node]->os_index, (unsigned)os);
		hwloc_distances_release(topo->hw, d);
	}
	return distance > 0 ? distance : REMOTE;
}
