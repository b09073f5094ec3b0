/* SPDX-License-Identifier: BSD-3-Clause */
/* The topology as text, for people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "numa/internal.h"
#include "runtime/base/limits.h"
#include "runtime/base/status.h"

int lgn_topo_core_pus(const struct lgn_topo *topo, int core, char *buf,
		      size_t len)
{
	if (core < 0 || core >= topo->n_cores) {
		if (len)
			buf[0] = '\0';
		return 0;
	}
	return hwloc_bitmap_list_snprintf(buf, len,
					  topo->core[core].obj->cpuset);
}

/* hwloc_get_api_version() stays behind the release (2.8.0 in 2.9.0): the
 * release stands only in the root object of a topology. */
const char *lgn_topo_library(void)
{
	static _Thread_local char text[24];
	const char *version = NULL;
	hwloc_topology_t hw;

	if (text[0] || lgn_topo_load("pu:1", false, &hw))
		return text;
	version = hwloc_obj_get_info_by_name(hwloc_get_root_obj(hw),
					     "hwlocVersion");
	snprintf(text, sizeof(text), "%s", version ? version : "unknown");
	hwloc_topology_destroy(hw);
	return text;
}

static int count(const struct lgn_topo *topo, hwloc_obj_type_t type)
{
	int n = hwloc_get_nbobjs_by_type(topo->hw, type);

	return n > 0 ? n : 0;
}

static const char *plural(int n)
{
	return n == 1 ? "" : "s";
}

static void print_head(const struct lgn_topo *topo, FILE *out)
{
	int packs = count(topo, HWLOC_OBJ_PACKAGE);
	int pus = count(topo, HWLOC_OBJ_PU);
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	fprintf(out, "%d socket%s, %d NUMA node%s, %d core%s, %d hardware thread%s",
		packs, plural(packs), topo->n_nodes, plural(topo->n_nodes),
		topo->n_cores, plural(topo->n_cores), pus, plural(pus));
	if (!topo->real)
		fputs(" (synthetic: nothing is bound)", out);
	else if (pus < online)
		fprintf(out, " (this process is bound to them; the machine has %ld)",
			online);
	fputc('\n', out);
}

/* Synthetic nodes have none. */
static const char *memory_of(hwloc_obj_t node, char size[LGN_SIZE_TEXT])
{
	if (!node->attr->numanode.local_memory)
		return "memory unknown";
	return lgn_size_text(node->attr->numanode.local_memory, size);
}

static void print_node(const struct lgn_topo *topo, int node, FILE *out)
{
	hwloc_obj_t obj = topo->node[node];
	char size[LGN_SIZE_TEXT], pus[256];
	int first = -1, last = -1;

	for (int i = 0; i < topo->n_cores; i++) {
		if (topo->core[i].node != node)
			continue;
		if (first < 0)
			first = i;
		last = i;
	}
	hwloc_bitmap_list_snprintf(pus, sizeof(pus), obj->cpuset);
	fprintf(out, "node %d [P%u]: %s, cores %d-%d, PUs P%s\n", node,
		obj->os_index, memory_of(obj, size), first, last, pus);
}

/* Nodes that hwloc shows but that no usable core is on. */
static void print_other_nodes(const struct lgn_topo *topo, FILE *out)
{
	char size[LGN_SIZE_TEXT];
	hwloc_obj_t obj = NULL;

	while ((obj = hwloc_get_next_obj_by_type(topo->hw, HWLOC_OBJ_NUMANODE,
						 obj))) {
		bool used = false;

		for (int i = 0; i < topo->n_nodes; i++)
			used |= topo->node[i] == obj;
		if (!used)
			fprintf(out, "node [P%u]: %s, no cores of its own: not used\n",
				obj->os_index, memory_of(obj, size));
	}
}

/* The sizes of the first cache of a level, and how many there are. */
static void print_cache(const struct lgn_topo *topo, int level,
			hwloc_obj_type_t type, FILE *out)
{
	char size[LGN_SIZE_TEXT];
	hwloc_obj_t obj = hwloc_get_obj_by_type(topo->hw, type, 0);

	if (obj)
		fprintf(out, "%s L%d %s x %d", level > 1 ? "," : "", level,
			lgn_size_text(obj->attr->cache.size, size),
			count(topo, type));
}

static void print_caches(const struct lgn_topo *topo, FILE *out)
{
	static const hwloc_obj_type_t type[] = {
		HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE,
		HWLOC_OBJ_L4CACHE,
	};

	if (!count(topo, HWLOC_OBJ_L1CACHE))
		return;
	fputs("caches:", out);
	for (int i = 0; i < (int)LGN_COUNT(type); i++)
		print_cache(topo, i + 1, type[i], out);
	fputc('\n', out);
}

/* A device that is as near to every node tells nothing about its own. */
static void print_device(hwloc_topology_t whole, hwloc_obj_t dev, FILE *out)
{
	hwloc_obj_t near = hwloc_get_non_io_ancestor_obj(whole, dev);
	bool hca = dev->attr->osdev.type == HWLOC_OBJ_OSDEV_OPENFABRICS;

	fprintf(out, "%s %s: ", hca ? "HCA" : "network", dev->name);
	if (near && hwloc_bitmap_weight(near->nodeset) == 1)
		fprintf(out, "node [P%d]\n", hwloc_bitmap_first(near->nodeset));
	else
		fputs("node unknown\n", out);
}

/* Devices are looked for in a topology of the whole machine: restricting
 * drops those of sockets outside the mask, and their places. */
static void print_devices(FILE *out)
{
	hwloc_topology_t whole;
	hwloc_obj_t dev = NULL;

	if (lgn_topo_load(NULL, true, &whole))
		return;
	while ((dev = hwloc_get_next_osdev(whole, dev)))
		if (dev->attr->osdev.type == HWLOC_OBJ_OSDEV_OPENFABRICS ||
		    dev->attr->osdev.type == HWLOC_OBJ_OSDEV_NETWORK)
			print_device(whole, dev, out);
	hwloc_topology_destroy(whole);
}

static void print_all(const struct lgn_topo *topo, FILE *out)
{
	print_head(topo, out);
	for (int i = 0; i < topo->n_nodes; i++)
		print_node(topo, i, out);
	print_other_nodes(topo, out);
	print_caches(topo, out);
	if (topo->real)
		print_devices(out);
}

int lgn_topo_print(const struct lgn_topo *topo, char *buf, size_t len)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return lgn_fail(LAGOON_ENOMEM, "no memory for text");
	print_all(topo, out);
	fclose(out);
	snprintf(buf, len, "%s", text ? text : "");
	free(text);
	return (int)n;
}
