/* launch: -n 2 */
/* launch: -n 2 --nodes 2 -- --workers 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers and memory are where the plan says, asked of the kernel
 * (sched_getaffinity, move_pages), not of hwloc: the shard after all processes
 * have added to every page of it, directory, cache and deltas.
 *
 *	placed [--numa A,B,...] [--workers A,B,...]
 *
 * Rank r must be on NUMA node number r of the list, by the system's numbers;
 * without a list it is what the plan says.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "numa/place.h"
#include "runtime/table.h"
#include "test/support/test.h"

enum {
	COLS = 512,		/* a row fills a page of 4 KiB */
	ROWS = 256,
	PAGES = 64,		/* asked about at a time */
};

static int node_wanted;

static void skip(const char *why)
{
	if (lagoon_rank(t_lg) == 0)
		printf("%s\n", why);
	t_close();
	exit(T_SKIP);
}

/* What other processes have touched is mapped here, too: move_pages tells of
 * no others. */
static void map_present(void **page, size_t n, size_t size)
{
	unsigned char in;

	for (size_t i = 0; i < n; i++) {
		T_CHECK(!mincore(page[i], size, &in), "mincore: %s",
			strerror(errno));
		if (in & 1)
			(void)*(const volatile char *)page[i];
	}
}

/* Pages of a region that are in memory; fails if one is elsewhere. */
static int pages_check(const char *what, const void *addr, size_t len, bool anywhere)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE), n = len / size;
	void *page[PAGES];
	int at[PAGES], present = 0;

	for (size_t i = 0; i < n; i += PAGES) {
		size_t some = n - i < PAGES ? n - i : PAGES;

		for (size_t k = 0; k < some; k++)
			page[k] = (char *)addr + (i + k) * size;
		map_present(page, some, size);
		T_CHECK(!syscall(SYS_move_pages, 0, some, page, NULL, at, 0),
			"move_pages: %s", strerror(errno));
		for (size_t k = 0; k < some; k++) {
			T_CHECK(at[k] < 0 || at[k] == node_wanted || anywhere,
				"page %zu of %zu of the %s is on NUMA node %d, not %d",
				i + k, n, what, at[k], node_wanted);
			present += at[k] >= 0;
		}
	}
	return present;
}

static bool cpu_on(int cpu, int node)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/node%d",
		 cpu, node);
	return !access(path, F_OK);
}

/* The calling worker is bound, to its node. */
static void worker_check(void)
{
	cpu_set_t set;

	T_CHECK(!sched_getaffinity(0, sizeof(set), &set), "sched_getaffinity: %s",
		strerror(errno));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		T_CHECK(!CPU_ISSET(cpu, &set) || cpu_on(cpu, node_wanted),
			"a worker may run on processor %d, not on NUMA node %d",
			cpu, node_wanted);
}

/* One word of every page, so that little goes over a slow wire. */
static int work(struct lagoon_worker *w, void *arg)
{
	struct lagoon_table *t = arg;
	int64_t one[COLS] = { [7] = 1 }, sum[COLS];

	/* The others of a process may have other nodes. */
	if (t_lg->plan.pinned && w->index == 0)
		worker_check();
	for (uint64_t row = 0; row < ROWS; row++)
		t_ok(lagoon_add(w, t, row, 1, one), "add");
	t_ok(lagoon_barrier(w), "barrier");
	for (uint64_t row = 0; row < ROWS; row++) {
		t_ok(lagoon_pull(w, t, row, 1, sum), "pull");
		T_CHECK(sum[7] == lagoon_workers(t_lg), "row %llu holds %lld",
			(unsigned long long)row, (long long)sum[7]);
	}
	return 0;
}

/* Processes on several NUMA nodes share a cache: each page of it is near the
 * one that touches it first. */
static bool cache_apart(void)
{
	const struct lgn_node *node = &t_lg->node;

	for (int i = 0; i < node->n; i++)
		if (t_lg->member[node->rank[i]].numa != t_lg->member[t_lg->rank].numa)
			return true;
	return false;
}

static int regions_check(const struct lagoon_table *t)
{
	bool apart = cache_apart();
	int shard = 0;

	if (t->home_index >= 0) {
		shard = pages_check("shard", t->home.addr, t->home.len, false);
		T_CHECK(shard >= ROWS / t_lg->homes,
			"only %d pages of the shard are in memory", shard);
	}
	pages_check("directory", t_lg->dir_mem.addr, t_lg->dir_mem.len, false);
	if (t->cache) {
		T_CHECK(pages_check("cache", t->cache, lgn_table_bytes(t), apart),
			"the cache is not in memory");
		pages_check("deltas", (void *)t->delta_words,
			    lgn_table_bytes(t), apart);
	}
	return shard;
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "numa", required_argument, NULL, 'n' },
		{ "workers", required_argument, NULL, 'w' },
		{ 0 },
	};
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	struct lagoon_attr attr;
	int c, node = -1, shard;

	t_begin("placed", 0);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'n')
			node = t_workers(optarg);
		else if (c == 'w')
			attr.workers = t_workers(optarg);
		else
			return 2;
	}
	t_open(&attr, NULL);
	node_wanted = node < 0 ? lgn_topo_node_os(t_lg->topo, t_lg->plan.node) : node;
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.cols = COLS;
	shape.format = LAGOON_I64;
	t_ok(lagoon_table_create(t_lg, "t", &shape, &t), "table");
	if (t_lg->unbound)
		skip("the system does not let a process bind memory");
	t_ok(lagoon_run(t_lg, work, t), "run");
	shard = regions_check(t);
	printf("rank %d: NUMA node %d, %s, %d pages of a shard\n",
	       lagoon_rank(t_lg), node_wanted,
	       t_lg->plan.pinned ? "pinned" : "not pinned", shard);
	t_close();
	return 0;
}
