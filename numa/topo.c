/* SPDX-License-Identifier: BSD-3-Clause */
/* Load the topology, confine it to the launcher's binding, number it. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "numa/internal.h"
#include "runtime/base/status.h"

static int fail_load(const char *synthetic)
{
	if (!synthetic)
		return lgn_fail(LAGOON_EIO, "hwloc cannot read the topology of this machine: %s; see whether lstopo works, and whether /sys is mounted",
				strerror(errno));
	return lgn_fail(LAGOON_EINVAL, "\"%s\" is not a topology: expected a synthetic description of hwloc such as \"pack:2 [numa] core:4 pu:2\"",
			synthetic);
}

/* GPU libraries take long and may open their devices, and only HCAs and
 * networks are wanted; libpciaccess leaks, and the same stands in /sys. A
 * component that is not there is refused, which is as good. */
static void skip_components(hwloc_topology_t hw)
{
	static const char *const name[] = {
		"opencl", "cuda", "nvml", "rsmi", "levelzero", "gl", "pci",
	};

	for (size_t i = 0; i < LGN_COUNT(name); i++)
		hwloc_topology_set_components(hw,
				HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, name[i]);
}

/* DONT_CHANGE_BINDING: hwloc's x86 discovery would move the calling thread
 * over all cores, and its mask belongs to the host program. */
static int configure(hwloc_topology_t hw, const char *synthetic, bool io)
{
	skip_components(hw);
	if (io && hwloc_topology_set_io_types_filter(hw,
			HWLOC_TYPE_FILTER_KEEP_IMPORTANT))
		return -1;
	if (synthetic)
		return hwloc_topology_set_synthetic(hw, synthetic);
	return hwloc_topology_set_flags(hw,
			HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING);
}

int lgn_topo_load(const char *synthetic, bool io, hwloc_topology_t *hw)
{
	if (hwloc_topology_init(hw))
		return lgn_fail(LAGOON_ENOMEM, "no memory for hwloc's topology");
	if (configure(*hw, synthetic, io) || hwloc_topology_load(*hw)) {
		int rc = fail_load(synthetic);

		hwloc_topology_destroy(*hw);
		return rc;
	}
	return 0;
}

/* Keep what the thread may run on. */
static int confine_cpus(hwloc_topology_t hw, hwloc_bitmap_t set)
{
	if (hwloc_get_cpubind(hw, set, HWLOC_CPUBIND_THREAD)) {
		if (errno == ENOSYS)
			return 0;
		return lgn_fail(LAGOON_EIO, "read the CPU binding of this thread: %s",
				strerror(errno));
	}
	if (hwloc_topology_restrict(hw, set, 0))
		return lgn_fail(LAGOON_EIO, "hwloc cannot restrict the topology to the CPU binding of this thread: %s",
				strerror(errno));
	return 0;
}

/* Keep what the thread may allocate from, when the launcher bound that too
 * (numactl --membind, srun --mem-bind). Not knowing is no error. */
static void confine_memory(hwloc_topology_t hw, hwloc_bitmap_t set)
{
	hwloc_membind_policy_t policy;

	if (hwloc_get_membind(hw, set, &policy,
			      HWLOC_MEMBIND_THREAD | HWLOC_MEMBIND_BYNODESET))
		return;
	if (policy == HWLOC_MEMBIND_BIND)
		hwloc_topology_restrict(hw, set, HWLOC_RESTRICT_FLAG_BYNODESET);
}

/*
 * Not HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING: hwloc 2.9 asks for the
 * binding of the whole process there, and when its threads are bound
 * differently (a host program's progress thread is enough) it gets no answer
 * and silently gives the whole machine. The binding of the calling thread is
 * what new threads inherit, and always has an answer.
 */
static int confine(hwloc_topology_t hw)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	int rc;

	if (!set)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a set of CPUs");
	rc = confine_cpus(hw, set);
	if (!rc)
		confine_memory(hw, set);
	hwloc_bitmap_free(set);
	return rc;
}

/* The smallest node around a core; of equal ones the first, which is the
 * DRAM where a package has DRAM and HBM. NULL: its memory is not ours. */
static hwloc_obj_t node_around(hwloc_topology_t hw, hwloc_obj_t core)
{
	hwloc_obj_t best = NULL, node = NULL;
	int least = INT_MAX;

	while ((node = hwloc_get_next_obj_by_type(hw, HWLOC_OBJ_NUMANODE, node))) {
		int weight = hwloc_bitmap_weight(node->cpuset);

		if (weight < least &&
		    hwloc_bitmap_isincluded(core->cpuset, node->cpuset)) {
			best = node;
			least = weight;
		}
	}
	return best;
}

static hwloc_obj_t node_of(hwloc_topology_t hw, hwloc_obj_t core)
{
	hwloc_obj_t node = node_around(hw, core);

	return node ? node : hwloc_get_obj_by_type(hw, HWLOC_OBJ_NUMANODE, 0);
}

/* Append the cores of one node, and the node if there were any. */
static void number_node(struct lgn_topo *topo, hwloc_obj_type_t type,
			hwloc_obj_t node)
{
	int before = topo->n_cores;
	hwloc_obj_t core = NULL;

	while ((core = hwloc_get_next_obj_by_type(topo->hw, type, core))) {
		if (node_of(topo->hw, core) != node)
			continue;
		topo->core[topo->n_cores].obj = core;
		topo->core[topo->n_cores++].node = topo->n_nodes;
	}
	if (topo->n_cores > before)
		topo->node[topo->n_nodes++] = node;
}

static void forget_numbers(struct lgn_topo *topo)
{
	free(topo->core);
	free(topo->node);
	topo->core = NULL;
	topo->node = NULL;
	topo->n_cores = 0;
	topo->n_nodes = 0;
}

static int number(struct lgn_topo *topo)
{
	hwloc_obj_type_t type = HWLOC_OBJ_CORE;
	hwloc_obj_t node = NULL;
	int cores = hwloc_get_nbobjs_by_type(topo->hw, type);
	int nodes = hwloc_get_nbobjs_by_type(topo->hw, HWLOC_OBJ_NUMANODE);

	if (cores <= 0) {
		type = HWLOC_OBJ_PU;
		cores = hwloc_get_nbobjs_by_type(topo->hw, type);
	}
	topo->core = calloc((size_t)cores, sizeof(*topo->core));
	topo->node = calloc((size_t)nodes, sizeof(hwloc_obj_t));
	if (!topo->core || !topo->node)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d cores", cores);
	while ((node = hwloc_get_next_obj_by_type(topo->hw, HWLOC_OBJ_NUMANODE,
						  node)))
		number_node(topo, type, node);
	return 0;
}

/* After a restriction the first look at distances changes the topology; from
 * here on it may be read by any thread. */
static void refresh(hwloc_topology_t hw)
{
	unsigned n = 0;

	hwloc_distances_get(hw, &n, NULL, 0, 0);
}

int lgn_topo_open(const char *synthetic, struct lgn_topo **out)
{
	struct lgn_topo *topo = calloc(1, sizeof(*topo));
	const char *text = synthetic && *synthetic ? synthetic : NULL;
	int rc;

	if (!topo)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the topology");
	rc = lgn_topo_load(text, false, &topo->hw);
	if (rc)
		goto no_topology;
	/* HWLOC_XMLFILE and its like can make even a plain load foreign */
	topo->real = hwloc_topology_is_thissystem(topo->hw);
	if (topo->real)
		rc = confine(topo->hw);
	if (!rc)
		rc = number(topo);
	if (!rc)
		refresh(topo->hw);
	if (rc) {
		lgn_topo_close(topo);
		return rc;
	}
	*out = topo;
	return 0;

no_topology:
	free(topo);
	return rc;
}

void lgn_topo_close(struct lgn_topo *topo)
{
	if (!topo)
		return;
	forget_numbers(topo);
	hwloc_topology_destroy(topo->hw);
	free(topo);
}

int lgn_topo_restrict(struct lgn_topo *topo, const char *cpus)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	int rc = 0;

	if (!set)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a set of CPUs");
	if (hwloc_bitmap_list_sscanf(set, cpus) ||
	    hwloc_topology_restrict(topo->hw, set, 0))
		rc = lgn_fail(LAGOON_EINVAL, "\"%s\" names no CPU of this topology: expected a list such as 0-3,8",
			      cpus);
	hwloc_bitmap_free(set);
	if (rc)
		return rc;
	forget_numbers(topo);
	return number(topo);
}

int lgn_topo_cores(const struct lgn_topo *topo)
{
	return topo->n_cores;
}

int lgn_topo_nodes(const struct lgn_topo *topo)
{
	return topo->n_nodes;
}

bool lgn_topo_is_real(const struct lgn_topo *topo)
{
	return topo->real;
}

int lgn_topo_core_node(const struct lgn_topo *topo, int core)
{
	if (core < 0 || core >= topo->n_cores)
		return -1;
	return topo->core[core].node;
}

int lgn_topo_node_os(const struct lgn_topo *topo, int node)
{
	if (node < 0 || node >= topo->n_nodes)
		return -1;
	return (int)topo->node[node]->os_index;
}

/* FNV-1a over the numbers of the PUs. */
uint64_t lgn_topo_mask_id(const struct lgn_topo *topo)
{
	hwloc_const_bitmap_t set = hwloc_topology_get_topology_cpuset(topo->hw);
	uint64_t hash = 14695981039346656037u;

	for (int pu = hwloc_bitmap_first(set); pu >= 0;
	     pu = hwloc_bitmap_next(set, pu))
		for (int byte = 0; byte < 4; byte++)
			hash = (hash ^ ((unsigned)pu >> 8 * byte & 255)) *
			       1099511628211u;
	return hash;
}
