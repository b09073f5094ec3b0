/* SPDX-License-Identifier: BSD-3-Clause */
/* Placement plans, on topologies that this machine does not have. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "numa/internal.h"
#include "runtime/base/status.h"

/* cpus: what a launcher left, NULL: all. */
struct machine {
	const char *text;
	const char *cpus;
	int cores;
	int nodes;
	int node_os[8];
};

static const struct machine machines[] = {
	{ "pu:1", NULL, 1, 1, { 0 } },
	{ "core:4 pu:1", NULL, 4, 1, { 0 } },
	{ "pack:2 [numa] core:4 pu:1", NULL, 8, 2, { 0, 1 } },
	{ "pack:2 [numa] core:4 pu:2", NULL, 8, 2, { 0, 1 } },
	{ "pack:2 [numa] core:12 pu:4", NULL, 24, 2, { 0, 1 } },
	/* four nodes with 4, 1, 2 and 3 cores left */
	{ "pack:4 [numa] core:4 pu:1", "0-3,5,9-10,12-14", 10, 4, { 0, 1, 2, 3 } },
	/* a node that has lost all of its cores is no place */
	{ "pack:4 [numa] core:4 pu:1", "0-1,8-15", 10, 3, { 0, 2, 3 } },
	{ "pack:4 [numa] core:4 pu:1", "15", 1, 1, { 3 } },
	/* DRAM and a second kind of memory on each socket: the first counts */
	{ "pack:2 [numa] [numa] core:4 pu:2", NULL, 8, 2, { 0, 2 } },
	/* one hardware thread of each core left */
	{ "pack:2 [numa] core:2 pu:2", "0,3,4,6", 4, 2, { 0, 1 } },
	/* nodes inside sockets; numbers of the system not in order */
	{ "pack:2 numa:2(indexes=0,2,1,3) core:2 pu:2", NULL, 8, 4, { 0, 2, 1, 3 } },
	/* one node around two sockets */
	{ "[numa] pack:2 core:3 pu:1", NULL, 6, 1, { 0 } },
	/* a node around sockets that have nodes: the nearer one counts */
	{ "[numa] pack:2 [numa] core:3 pu:1", NULL, 6, 2, { 0, 1 } },
	{ "l3:8 numa:1 core:8 pu:2", NULL, 64, 8, { 0, 1, 2, 3, 4, 5, 6, 7 } },
};

#define N_MACHINES (sizeof(machines) / sizeof(machines[0]))

static struct lgn_topo *open_machine(const struct machine *m)
{
	struct lgn_topo *topo = NULL;

	cr_assert_eq(lgn_topo_open(m->text, &topo), 0, "%s: %s", m->text,
		     lagoon_errmsg());
	if (m->cpus)
		cr_assert_eq(lgn_topo_restrict(topo, m->cpus), 0, "%s %s: %s",
			     m->text, m->cpus, lagoon_errmsg());
	return topo;
}

Test(numa_plan, machines_are_read_right)
{
	for (size_t i = 0; i < N_MACHINES; i++) {
		const struct machine *m = &machines[i];
		struct lgn_topo *topo = open_machine(m);

		cr_expect_eq(lgn_topo_cores(topo), m->cores, "%s: %d cores",
			     m->text, lgn_topo_cores(topo));
		cr_expect_eq(lgn_topo_nodes(topo), m->nodes, "%s: %d nodes",
			     m->text, lgn_topo_nodes(topo));
		for (int n = 0; n < m->nodes; n++)
			cr_expect_eq(lgn_topo_node_os(topo, n), m->node_os[n],
				     "%s: node %d is P%d", m->text, n,
				     lgn_topo_node_os(topo, n));
		cr_expect_not(lgn_topo_is_real(topo));
		lgn_topo_close(topo);
	}
}

/* Cores come node by node, each on the node that is around its PUs. */
Test(numa_plan, cores_are_numbered_node_by_node)
{
	for (size_t i = 0; i < N_MACHINES; i++) {
		struct lgn_topo *topo = open_machine(&machines[i]);
		int before = 0;

		for (int c = 0; c < lgn_topo_cores(topo); c++) {
			int node = lgn_topo_core_node(topo, c);

			cr_expect(node == before || node == before + 1,
				  "%s: core %d on node %d after %d",
				  machines[i].text, c, node, before);
			cr_expect(hwloc_bitmap_isincluded(
					  topo->core[c].obj->cpuset,
					  topo->node[node]->cpuset),
				  "%s: core %d not within node %d",
				  machines[i].text, c, node);
			before = node;
		}
		cr_expect_eq(before, lgn_topo_nodes(topo) - 1);
		lgn_topo_close(topo);
	}
}

/* All PUs of the usable set belong to exactly one numbered core. */
Test(numa_plan, every_pu_belongs_to_one_core)
{
	for (size_t i = 0; i < N_MACHINES; i++) {
		struct lgn_topo *topo = open_machine(&machines[i]);
		hwloc_bitmap_t seen = hwloc_bitmap_alloc();

		for (int c = 0; c < lgn_topo_cores(topo); c++) {
			hwloc_const_bitmap_t pus = topo->core[c].obj->cpuset;

			cr_expect_not(hwloc_bitmap_intersects(seen, pus),
				      "%s: core %d", machines[i].text, c);
			hwloc_bitmap_or(seen, seen, pus);
		}
		cr_expect(hwloc_bitmap_isequal(
				  seen, hwloc_topology_get_topology_cpuset(topo->hw)),
			  "%s", machines[i].text);
		hwloc_bitmap_free(seen);
		lgn_topo_close(topo);
	}
}

static struct lgn_plan plan_of(const struct lgn_topo *topo, int first,
			       int workers, int total, int homes)
{
	struct lgn_share share = { first, workers, total, homes };
	struct lgn_plan plan;

	cr_assert_eq(lgn_plan_make(topo, &share, &plan), 0, "%s",
		     lagoon_errmsg());
	return plan;
}

Test(numa_plan, two_sockets_by_hand)
{
	struct lgn_topo *topo = open_machine(&machines[2]);
	struct lgn_plan a = plan_of(topo, 0, 3, 8, 0);
	struct lgn_plan b = plan_of(topo, 3, 3, 8, 1);
	struct lgn_plan c = plan_of(topo, 6, 2, 8, 2);

	cr_expect(a.pinned && b.pinned && c.pinned);
	cr_expect(a.core[0] == 0 && a.core[1] == 1 && a.core[2] == 2);
	cr_expect(b.core[0] == 3 && b.core[1] == 4 && b.core[2] == 5);
	cr_expect(c.core[0] == 6 && c.core[1] == 7);
	cr_expect(a.node == 0 && b.node == 0 && c.node == 1);
	lgn_topo_close(topo);
}

Test(numa_plan, one_worker_too_many_unpins_all_and_spreads_shards)
{
	struct lgn_topo *topo = open_machine(&machines[2]);
	struct lgn_plan fits = plan_of(topo, 4, 4, 8, 1);
	struct lgn_plan a = plan_of(topo, 0, 5, 9, 0);
	struct lgn_plan b = plan_of(topo, 5, 4, 9, 1);

	cr_expect(fits.pinned);
	cr_expect_not(a.pinned);
	cr_expect_not(b.pinned);
	for (int i = 0; i < 4; i++)
		cr_expect(a.core[i] == -1 && b.core[i] == -1);
	cr_expect(a.node == 0 && b.node == 1);
	lgn_topo_close(topo);
}

Test(numa_plan, processes_without_workers_take_nodes_in_turn)
{
	struct lgn_topo *topo = open_machine(&machines[6]);

	for (int home = 0; home < 7; home++) {
		struct lgn_plan plan = plan_of(topo, 0, 0, 0, home);

		cr_expect_eq(plan.node, home % 3);
		cr_expect_eq(plan.workers, 0);
	}
	lgn_topo_close(topo);
}

Test(numa_plan, contradictions_are_refused)
{
	static const struct lgn_share bad[] = {
		{ 0, LGN_PLAN_MAX + 1, LGN_PLAN_MAX + 1, 0 },
		{ 0, -1, 4, 0 }, { -1, 1, 4, 0 }, { 3, 2, 4, 0 },
		{ 0, 1, 0, 0 }, { 0, 1, 4, -1 },
	};
	struct lgn_topo *topo = open_machine(&machines[1]);
	struct lgn_plan plan = { .workers = -7 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(lgn_plan_make(topo, &bad[i], &plan), LAGOON_EINVAL,
			     "share %zu", i);
		cr_expect_eq(plan.workers, -7, "share %zu: plan changed", i);
	}
	lgn_topo_close(topo);
}

static uint64_t seed_of_run(void)
{
	const char *text = getenv("LAGOON_TEST_SEED");

	return text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
}

static int scale(void)
{
	const char *text = getenv("LAGOON_TEST_SCALE");
	int n = text ? atoi(text) : 1;

	return n > 0 ? n : 1;
}

static unsigned draw(uint64_t *state, unsigned below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*state >> 33) % below;
}

/* Check one process's plan against what the whole allows; count its cores. */
static void check_process(const struct lgn_topo *topo,
			  const struct lgn_plan *plan, int workers, bool fits,
			  unsigned char *given)
{
	cr_expect_eq(plan->workers, workers);
	cr_expect_eq(plan->pinned, fits);
	cr_expect(plan->node >= 0 && plan->node < lgn_topo_nodes(topo));
	for (int i = 0; i < workers; i++) {
		if (!fits) {
			cr_expect_eq(plan->core[i], -1);
			continue;
		}
		cr_assert(plan->core[i] >= 0 &&
			  plan->core[i] < lgn_topo_cores(topo));
		cr_expect_eq(given[plan->core[i]]++, 0, "core %d twice",
			     plan->core[i]);
	}
	if (fits && workers)
		cr_expect_eq(plan->node, lgn_topo_core_node(topo, plan->core[0]),
			     "shard away from the first core");
}

/* Random processes with random numbers of workers share one machine. */
static void check_shares(const struct lgn_topo *topo, uint64_t *state)
{
	unsigned char given[1024] = { 0 };
	int workers[32], total = 0, first = 0, covered = 0, last = 0;
	int n = 1 + (int)draw(state, 32);

	for (int i = 0; i < n; i++)
		total += workers[i] = (int)draw(state, 5);
	for (int i = 0; i < n; i++) {
		struct lgn_plan plan = plan_of(topo, first, workers[i], total, i);

		check_process(topo, &plan, workers[i],
			      total <= lgn_topo_cores(topo), given);
		if (workers[i]) {
			cr_expect(plan.node >= last, "nodes not in worker order");
			last = plan.node;
		}
		first += workers[i];
	}
	for (int c = 0; c < lgn_topo_cores(topo); c++)
		covered += given[c];
	cr_expect_eq(covered, total <= lgn_topo_cores(topo) ? total : 0);
}

Test(numa_plan, random_shares_give_no_core_twice)
{
	uint64_t seed = seed_of_run(), state = seed;

	fprintf(stderr, "LAGOON_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < N_MACHINES; i++) {
		struct lgn_topo *topo = open_machine(&machines[i]);

		for (int round = 0; round < 200 * scale(); round++)
			check_shares(topo, &state);
		lgn_topo_close(topo);
	}
}

Test(numa_plan, masks_are_told_apart)
{
	struct lgn_topo *a = open_machine(&machines[2]);
	struct lgn_topo *b = open_machine(&machines[2]);

	cr_expect_eq(lgn_topo_mask_id(a), lgn_topo_mask_id(b));
	cr_assert_eq(lgn_topo_restrict(b, "0-3"), 0);
	cr_expect_neq(lgn_topo_mask_id(a), lgn_topo_mask_id(b));
	cr_assert_eq(lgn_topo_restrict(a, "4-7"), 0);
	cr_expect_neq(lgn_topo_mask_id(a), lgn_topo_mask_id(b));
	lgn_topo_close(a);
	lgn_topo_close(b);
}

/* A launcher that binds memory elsewhere takes a core's own node away. */
Test(numa_plan, cores_without_a_node_count_for_the_first)
{
	struct lgn_topo *topo = open_machine(&machines[2]);
	hwloc_bitmap_t one = hwloc_bitmap_alloc();

	hwloc_bitmap_only(one, 1);
	cr_assert_eq(hwloc_topology_restrict(topo->hw, one,
					     HWLOC_RESTRICT_FLAG_BYNODESET), 0);
	cr_assert_eq(lgn_topo_restrict(topo, "0-7"), 0);
	cr_expect_eq(lgn_topo_cores(topo), 8);
	cr_expect_eq(lgn_topo_nodes(topo), 1);
	cr_expect_eq(lgn_topo_node_os(topo, 0), 1);
	for (int c = 0; c < 8; c++)
		cr_expect_eq(lgn_topo_core_node(topo, c), 0);
	hwloc_bitmap_free(one);
	lgn_topo_close(topo);
}

/* hwloc's calls return success there: nothing of it may be believed. */
Test(numa_plan, nothing_is_bound_on_a_synthetic_topology)
{
	static char page[8192] __attribute__((aligned(4096)));
	struct lgn_topo *topo = open_machine(&machines[2]);
	struct lgn_plan plan = plan_of(topo, 0, 2, 2, 0);
	bool applied = true;

	memset(page, 1, sizeof(page));
	cr_expect_eq(lgn_place_thread(topo, &plan, 1, &applied), 0);
	cr_expect_not(applied);
	cr_expect_eq(lgn_place_thread_core(topo), -1);
	cr_expect_eq(lgn_place_memory(topo, 1, page, sizeof(page)), 0);
	cr_expect_eq(lgn_place_memory_node(topo, page, sizeof(page)), -1);
	lgn_topo_close(topo);
	/* with one node only, what hwloc makes up would look like knowledge */
	topo = open_machine(&machines[1]);
	cr_expect_eq(lgn_place_memory_node(topo, page, sizeof(page)), -1);
	lgn_topo_close(topo);
}

Test(numa_plan, nonsense_is_no_topology)
{
	struct lgn_topo *topo = (void *)&topo;
	struct lgn_topo *before = topo;

	cr_expect_eq(lgn_topo_open("three turnips", &topo), LAGOON_EINVAL);
	cr_expect_eq(topo, before);
	cr_expect(strstr(lagoon_errmsg(), "three turnips"));
	cr_assert_eq(lgn_topo_open("core:2 pu:1", &topo), 0);
	cr_expect_eq(lgn_topo_restrict(topo, "17"), LAGOON_EINVAL);
	cr_expect_eq(lgn_topo_restrict(topo, "x"), LAGOON_EINVAL);
	cr_expect_eq(lgn_topo_cores(topo), 2);
	lgn_topo_close(topo);
}

Test(numa_plan, print_is_as_snprintf)
{
	struct lgn_topo *topo = open_machine(&machines[6]);
	char text[2048], part[16];
	int n = lgn_topo_print(topo, text, sizeof(text));

	cr_assert(n > 0 && n < (int)sizeof(text));
	cr_expect_eq((int)strlen(text), n);
	cr_expect(strstr(text, "3 NUMA nodes, 10 cores"), "%s", text);
	cr_expect(strstr(text, "node 1 [P2]"), "%s", text);
	cr_expect(strstr(text, "node [P1]"), "%s", text);
	cr_expect_eq(lgn_topo_print(topo, part, sizeof(part)), n);
	cr_expect_eq(strlen(part), sizeof(part) - 1);
	cr_expect_eq(lgn_topo_print(topo, NULL, 0), n);
	lgn_topo_core_pus(topo, 2, part, sizeof(part));
	cr_expect_str_eq(part, "8");
	cr_expect_eq(lgn_topo_core_pus(topo, 99, part, sizeof(part)), 0);
	cr_expect_str_eq(part, "");
	lgn_topo_close(topo);
}
