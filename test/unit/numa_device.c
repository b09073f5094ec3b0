/* SPDX-License-Identifier: BSD-3-Clause */
/* Where devices are, and how far away. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "numa/internal.h"
#include "runtime/base/status.h"
#include "test/support/temp.h"

static struct lgn_topo *open_topo(const char *synthetic)
{
	struct lgn_topo *topo = NULL;

	cr_assert_eq(lgn_topo_open(synthetic, &topo), 0, "%s", lagoon_errmsg());
	return topo;
}

Test(numa_device, numbers_of_the_system_and_back)
{
	struct lgn_topo *topo = open_topo("pack:2 numa:2(indexes=0,2,1,3) core:2 pu:2");

	for (int node = 0; node < 4; node++)
		cr_expect_eq(lgn_topo_os_node(topo, lgn_topo_node_os(topo, node)),
			     node);
	cr_expect_eq(lgn_topo_os_node(topo, 4), -1);
	cr_expect_eq(lgn_topo_os_node(topo, -1), -1);
	lgn_topo_close(topo);
}

/* A call of hwloc 2.5. */
#if HWLOC_API_VERSION >= 0x00020500

/* A machine as firmware describes it: sockets of two nodes each. */
static void add_distances(struct lgn_topo *topo)
{
	static hwloc_uint64_t value[16] = {
		10, 12, 32, 32,  12, 10, 32, 32,  32, 32, 10, 12,  32, 32, 12, 10,
	};
	hwloc_obj_t node[4];
	hwloc_distances_add_handle_t h = hwloc_distances_add_create(topo->hw,
		"NUMALatency", HWLOC_DISTANCES_KIND_FROM_OS |
		HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0);

	for (unsigned i = 0; i < 4; i++)
		node[i] = hwloc_get_obj_by_type(topo->hw, HWLOC_OBJ_NUMANODE, i);
	cr_assert_not_null(h);
	cr_assert_eq(hwloc_distances_add_values(topo->hw, h, 4, node, value, 0), 0);
	cr_assert_eq(hwloc_distances_add_commit(topo->hw, h, 0), 0);
}

Test(numa_device, distances_as_the_firmware_tells)
{
	struct lgn_topo *topo = open_topo("pack:2 numa:2 core:2 pu:1");

	add_distances(topo);
	cr_expect_eq(lgn_topo_distance(topo, 0, 0), 10);
	cr_expect_eq(lgn_topo_distance(topo, 0, 1), 12);
	cr_expect_eq(lgn_topo_distance(topo, 0, 3), 32);
	cr_expect_eq(lgn_topo_distance(topo, 3, 2), 12);
	/* a device on a node that the launcher took away is still far */
	cr_assert_eq(lgn_topo_restrict(topo, "0-1"), 0);
	cr_expect_eq(lgn_topo_nodes(topo), 1);
	cr_expect_eq(lgn_topo_distance(topo, 0, 0), 10);
	cr_expect_eq(lgn_topo_distance(topo, 0, 1), 12);
	cr_expect_eq(lgn_topo_distance(topo, 0, 2), 32);
	lgn_topo_close(topo);
}

#endif

Test(numa_device, distances_without_a_table)
{
	struct lgn_topo *topo = open_topo("pack:2 [numa] core:2 pu:1");

	cr_expect_eq(lgn_topo_distance(topo, 1, 1), 10);
	cr_expect_eq(lgn_topo_distance(topo, 1, 0), 20);
	cr_expect_eq(lgn_topo_distance(topo, 0, -1), 0);
	cr_expect_eq(lgn_topo_distance(topo, -1, 0), 0);
	cr_expect_eq(lgn_topo_distance(topo, 2, 0), 0);
	lgn_topo_close(topo);
}

static void write_node(const char *folder, const char *text)
{
	char path[TEMP_PATH + 16];
	FILE *f;

	snprintf(path, sizeof(path), "%s/numa_node", folder);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

/* What sysfs says; -1 there means that the firmware does not tell, and then
 * only a machine with one node has an answer. */
Test(numa_device, the_node_of_a_device)
{
	char folder[TEMP_PATH], path[TEMP_PATH + 16];
	struct lgn_topo *topo = open_topo(NULL);
	struct lgn_topo *other = open_topo("pack:2 [numa] core:2 pu:1");
	int only = hwloc_get_nbobjs_by_type(topo->hw, HWLOC_OBJ_NUMANODE) == 1 ?
		lgn_topo_node_os(topo, 0) : -1;

	cr_assert_not_null(temp_folder(folder));
	cr_expect_eq(lgn_topo_device_os(topo, folder), only, "no file");
	write_node(folder, "3\n");
	cr_expect_eq(lgn_topo_device_os(topo, folder), 3);
	cr_expect_eq(lgn_topo_device_os(other, folder), -1, "a synthetic machine");
	write_node(folder, "-1\n");
	cr_expect_eq(lgn_topo_device_os(topo, folder), only);
	write_node(folder, "");
	cr_expect_eq(lgn_topo_device_os(topo, folder), only);
	snprintf(path, sizeof(path), "%s/numa_node", folder);
	unlink(path);
	rmdir(folder);
	lgn_topo_close(topo);
	lgn_topo_close(other);
}
