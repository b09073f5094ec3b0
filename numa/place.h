/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where things go. The topology is restricted to what the launcher gave this
 * process (a plain hwloc load escapes an affinity mask). A plan is pure
 * arithmetic on it, so it is tested on synthetic topologies; applying it is
 * separate, and what was really got is verified separately.
 *
 *	lgn_topo_open(NULL, &topo);
 *	lgn_plan_make(topo, &share, &plan);
 *	lgn_place_thread(topo, &plan, i);        in worker i
 *	lgn_place_memory(topo, plan.node, p, n); before first touch
 *
 * Cores are numbered [0, lgn_topo_cores) node by node, and nodes are those
 * that have a usable core: a node without cores (or whose cores are outside
 * the mask) is never a place for a shard. A core without a node of its own
 * counts for the first node. These numbers are this process's; the numbers of
 * the operating system are printed beside them as P.
 *
 * A topology is only read after lgn_topo_open(): any thread may use it.
 * Only this folder includes hwloc.
 */
#ifndef LGN_NUMA_PLACE_H
#define LGN_NUMA_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lgn_topo;

/* synthetic: a description for hwloc_topology_set_synthetic(), on which
 * nothing is ever bound; NULL or "": this machine within the CPU and memory
 * binding of the calling thread, which is not changed. (A host program that
 * has bound its main thread to one core, as OpenMP does, opens from an unbound
 * thread if it wants more.) LAGOON_EIO, LAGOON_EINVAL, LAGOON_ENOMEM. */
int lgn_topo_open(const char *synthetic, struct lgn_topo **topo);
void lgn_topo_close(struct lgn_topo *topo);

int lgn_topo_cores(const struct lgn_topo *topo);	/* usable cores */
int lgn_topo_nodes(const struct lgn_topo *topo);	/* usable NUMA nodes */
bool lgn_topo_is_real(const struct lgn_topo *topo);

/* The node of a core; -1 if there is no such core. */
int lgn_topo_core_node(const struct lgn_topo *topo, int core);

/* The operating system's number of a node; -1 if there is no such node. */
int lgn_topo_node_os(const struct lgn_topo *topo, int node);

/* And back: -1 if it is no usable node. */
int lgn_topo_os_node(const struct lgn_topo *topo, int os);

/* The operating system's number of the NUMA node that a device is on, by its
 * folder in sysfs, such as "/sys/class/infiniband/mlx5_0/device". -1 if the
 * system does not know, and on a synthetic topology. */
int lgn_topo_device_os(const struct lgn_topo *topo, const char *folder);

/* How far a node of ours is from one by the system's number, as the firmware
 * tells: 10 is the node itself. 0 if either is none. */
int lgn_topo_distance(const struct lgn_topo *topo, int node, int os);

/* The operating system's PUs of a core as a list, "3" or "3,19". As snprintf;
 * "" if there is no such core. */
int lgn_topo_core_pus(const struct lgn_topo *topo, int core, char *buf,
		      size_t len);

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
	int node;		/* NUMA node of the process's shard */
	int core[LGN_PLAN_MAX];	/* core of worker i; -1 unpinned */
};

/* Worker k of all sharing goes to core k, cores taken node by node, so that
 * a process's workers sit together; its shard on the node of its first core.
 * Unpinned workers are left to the scheduler, but shards still spread over
 * the nodes in the order of the workers. LAGOON_EINVAL if workers >
 * LGN_PLAN_MAX or the share contradicts itself. */
int lgn_plan_make(const struct lgn_topo *topo, const struct lgn_share *share,
		  struct lgn_plan *plan);

/* Pin the calling thread to worker i's core. Does nothing on an unpinned
 * plan or a synthetic topology. *applied tells. LAGOON_EIO. */
int lgn_place_thread(const struct lgn_topo *topo, const struct lgn_plan *plan,
		     int i, bool *applied);

/* Let the calling thread run on the cores of a NUMA node only. Does nothing for
 * node -1 or on a synthetic topology. LAGOON_EIO, LAGOON_EINVAL. */
int lgn_place_thread_node(const struct lgn_topo *topo, int node);

/* Bind [addr, addr + len), page aligned, to a NUMA node before it is touched.
 * Does nothing for node -1 or on a synthetic topology. LAGOON_EIO with the
 * reason when the kernel refuses, as in many containers: callers may go on,
 * first touch then decides. LAGOON_EINVAL. */
int lgn_place_memory(const struct lgn_topo *topo, int node, void *addr,
		     size_t len);

/* Verify: the NUMA node that holds the pages of a touched range (a sample of
 * a large one); -1 several or unknown, and on a synthetic topology. */
int lgn_place_memory_node(const struct lgn_topo *topo, const void *addr,
			  size_t len);

/* Verify: the core that the calling thread is bound to; -1 none, and on a
 * synthetic topology. */
int lgn_place_thread_core(const struct lgn_topo *topo);

/* The topology as text, for `lagoon info`: sockets, nodes, cores, memory,
 * caches, HCAs with their node. As snprintf. */
int lgn_topo_print(const struct lgn_topo *topo, char *buf, size_t len);

/* hwloc's run-time version, "2.9.0". Until the thread ends. */
const char *lgn_topo_library(void);

#endif
