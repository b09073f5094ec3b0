/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where things go. The topology is loaded restricted to what the launcher
 * gave this process (a plain hwloc load escapes an affinity mask). A plan is
 * pure arithmetic on it, so it is tested on synthetic topologies; applying it
 * is separate, and what was really got is verified separately.
 *
 *	lgn_topo_open(NULL, &topo);
 *	lgn_plan_make(topo, &share, &plan);
 *	lgn_place_thread(topo, &plan, i);        in worker i
 *	lgn_place_memory(topo, plan.node, p, n); before first touch
 *
 * Only this folder includes hwloc.
 */
#ifndef LGN_NUMA_PLACE_H
#define LGN_NUMA_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lgn_topo;

/* synthetic: a description for hwloc_topology_set_synthetic(), on which
 * nothing is ever bound; NULL or "": this machine within the binding of the
 * calling thread. LAGOON_EIO, LAGOON_EINVAL. */
int lgn_topo_open(const char *synthetic, struct lgn_topo **topo);
void lgn_topo_close(struct lgn_topo *topo);

int lgn_topo_cores(const struct lgn_topo *topo);	/* usable cores */
int lgn_topo_nodes(const struct lgn_topo *topo);	/* usable NUMA nodes */
bool lgn_topo_is_real(const struct lgn_topo *topo);

/* A hash of the set of usable PUs: processes with the same one share cores. */
uint64_t lgn_topo_mask_id(const struct lgn_topo *topo);

/* This process's part of the cores that it shares. Workers of all processes
 * with the same mask on one machine are numbered through in rank order. */
struct lgn_share {
	int first;	/* number of my first worker among those sharing */
	int workers;	/* mine */
	int total;	/* all that share the mask */
	int homes;	/* index of this process among those sharing: chooses a
			 * NUMA node for a process without workers */
};

#define LGN_PLAN_MAX 1024

struct lgn_plan {
	bool pinned;		/* false: more workers than cores */
	int workers;
	int node;		/* logical NUMA node of the process's shard */
	int core[LGN_PLAN_MAX];	/* logical core of worker i; -1 unpinned */
};

/* Worker k of all sharing goes to core k, cores taken node by node, so that
 * a process's workers sit together; its shard on the node of its first core.
 * LAGOON_EINVAL if workers > LGN_PLAN_MAX. */
int lgn_plan_make(const struct lgn_topo *topo, const struct lgn_share *share,
		  struct lgn_plan *plan);

/* Pin the calling thread to worker i's core. Does nothing on an unpinned
 * plan or a synthetic topology. *applied tells. LAGOON_EIO. */
int lgn_place_thread(const struct lgn_topo *topo, const struct lgn_plan *plan,
		     int i, bool *applied);

/* Bind [addr, addr + len) to a NUMA node before it is touched. LAGOON_EIO
 * with the reason; callers may go on. */
int lgn_place_memory(const struct lgn_topo *topo, int node, void *addr,
		     size_t len);

/* Verify: the logical NUMA node that holds the pages of a touched range;
 * -1 several or unknown. */
int lgn_place_memory_node(const struct lgn_topo *topo, const void *addr,
			  size_t len);

/* Verify: the logical core that the calling thread is bound to; -1 none. */
int lgn_place_thread_core(const struct lgn_topo *topo);

/* The topology as text, for `lagoon info`: sockets, nodes, cores, memory,
 * caches, HCAs with their node. As snprintf. */
int lgn_topo_print(const struct lgn_topo *topo, char *buf, size_t len);

/* hwloc's run-time version, "2.9.0". */
const char *lgn_topo_library(void);

#endif
