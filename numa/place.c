/* SPDX-License-Identifier: BSD-3-Clause */
/* Carry a plan out, and look what came of it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "numa/internal.h"
#include "runtime/base/status.h"

enum {
	/* Asking costs a kernel look-up a page: a large range is sampled. */
	VERIFY_WHOLE = 64 << 20,	/* bytes asked about in full */
	VERIFY_SAMPLES = 256,
	VERIFY_SAMPLE = 64 << 10,	/* bytes of one sample */
};

int lgn_place_thread(const struct lgn_topo *topo, const struct lgn_plan *plan,
		     int i, bool *applied)
{
	hwloc_obj_t core;

	if (i < 0 || i >= plan->workers)
		return lgn_fail(LAGOON_EINVAL, "worker %d of a plan for %d workers",
				i, plan->workers);
	if (!plan->pinned || !topo->real) {
		*applied = false;
		return 0;
	}
	core = topo->core[plan->core[i]].obj;
	if (hwloc_set_cpubind(topo->hw, core->cpuset,
			      HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT))
		return lgn_fail(LAGOON_EIO, "pin worker %d to core %d [P%u]: %s; LAGOON_BIND=no leaves workers unpinned",
				i, plan->core[i], core->os_index,
				strerror(errno));
	*applied = true;
	return 0;
}

int lgn_place_thread_node(const struct lgn_topo *topo, int node)
{
	if (node < -1 || node >= topo->n_nodes)
		return lgn_fail(LAGOON_EINVAL, "NUMA node %d: there are %d usable ones",
				node, topo->n_nodes);
	if (node < 0 || !topo->real)
		return 0;
	if (hwloc_set_cpubind(topo->hw, topo->node[node]->cpuset,
			      HWLOC_CPUBIND_THREAD))
		return lgn_fail(LAGOON_EIO, "a thread to NUMA node %d [P%u]: %s",
				node, topo->node[node]->os_index,
				strerror(errno));
	return 0;
}

int lgn_place_thread_core(const struct lgn_topo *topo)
{
	hwloc_bitmap_t set;
	int found = -1;

	if (!topo->real)
		return -1;
	set = hwloc_bitmap_alloc();
	if (set && !hwloc_get_cpubind(topo->hw, set, HWLOC_CPUBIND_THREAD))
		for (int i = 0; i < topo->n_cores && found < 0; i++)
			if (hwloc_bitmap_isincluded(set, topo->core[i].obj->cpuset))
				found = i;
	hwloc_bitmap_free(set);
	return found;
}

static int fail_memory(const struct lgn_topo *topo, int node, size_t len)
{
	const char *hint = "";

	if (errno == EPERM || errno == ENOSYS)
		hint = "; a container has to allow mbind (docker run --cap-add SYS_NICE)";
	return lgn_fail(LAGOON_EIO, "bind %zu bytes to NUMA node %d [P%u]: %s%s",
			len, node, topo->node[node]->os_index, strerror(errno),
			hint);
}

int lgn_place_memory(const struct lgn_topo *topo, int node, void *addr,
		     size_t len)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	if (node < -1 || node >= topo->n_nodes)
		return lgn_fail(LAGOON_EINVAL, "NUMA node %d: there are %d usable ones",
				node, topo->n_nodes);
	if ((uintptr_t)addr % page)
		return lgn_fail(LAGOON_EINVAL, "memory at %p is not page aligned: binding would move what is beside it",
				addr);
	if (node < 0 || !topo->real || !len)
		return 0;
	/* by node: a set of CPUs cannot name a node without CPUs */
	if (hwloc_set_area_membind(topo->hw, addr, len,
				   topo->node[node]->nodeset, HWLOC_MEMBIND_BIND,
				   HWLOC_MEMBIND_BYNODESET | HWLOC_MEMBIND_STRICT))
		return fail_memory(topo, node, len);
	return 0;
}

/* Add the nodes of a range to set; false if the kernel does not tell. */
static bool locate(const struct lgn_topo *topo, const char *addr, size_t len,
		   hwloc_bitmap_t set, hwloc_bitmap_t part)
{
	if (hwloc_get_area_memlocation(topo->hw, addr, len, part,
				       HWLOC_MEMBIND_BYNODESET))
		return false;
	hwloc_bitmap_or(set, set, part);
	return true;
}

static bool locate_samples(const struct lgn_topo *topo, const char *addr,
			   size_t len, hwloc_bitmap_t set, hwloc_bitmap_t part)
{
	size_t step = (len - VERIFY_SAMPLE) / (VERIFY_SAMPLES - 1);

	if (len <= VERIFY_WHOLE)
		return locate(topo, addr, len, set, part);
	for (size_t i = 0; i < VERIFY_SAMPLES; i++)
		if (!locate(topo, addr + i * step, VERIFY_SAMPLE, set, part))
			return false;
	return true;
}

static int node_with(const struct lgn_topo *topo, hwloc_const_bitmap_t set)
{
	for (int i = 0; i < topo->n_nodes; i++)
		if (hwloc_bitmap_isequal(set, topo->node[i]->nodeset))
			return i;
	return -1;
}

int lgn_place_memory_node(const struct lgn_topo *topo, const void *addr,
			  size_t len)
{
	hwloc_bitmap_t set, part;
	int node = -1;

	if (!topo->real || !len)
		return -1;
	set = hwloc_bitmap_alloc();
	part = hwloc_bitmap_alloc();
	if (set && part && locate_samples(topo, addr, len, set, part))
		node = node_with(topo, set);
	hwloc_bitmap_free(part);
	hwloc_bitmap_free(set);
	return node;
}
