/* SPDX-License-Identifier: BSD-3-Clause */
/* What placing does on this machine, asked of the kernel, not of hwloc.
 * Masks are changed in forked children: the test's own thread keeps its. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "numa/internal.h"
#include "runtime/base/status.h"

static struct lgn_topo *open_here(void)
{
	struct lgn_topo *topo = NULL;

	cr_assert_eq(lgn_topo_open(NULL, &topo), 0, "%s", lagoon_errmsg());
	return topo;
}

static struct lgn_plan plan_all(const struct lgn_topo *topo)
{
	int n = lgn_topo_cores(topo);
	struct lgn_share share = { 0, n, n, 0 };
	struct lgn_plan plan;

	cr_assert_eq(lgn_plan_make(topo, &share, &plan), 0, "%s",
		     lagoon_errmsg());
	return plan;
}

/* Run in a child, whose mask may be changed; the child returns the line of
 * the first failure, 0 without one. */
static int in_child(int (*body)(void))
{
	int status = 0;
	pid_t pid = fork();

	cr_assert(pid >= 0);
	if (!pid)
		_exit(body() & 255);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "status %d", status);
	return WEXITSTATUS(status);
}

/* Lines of this file stay below 256 from here to the last NEED. */
#define NEED(truth) do { if (!(truth)) return __LINE__; } while (0)

static int bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static int last_cpu(void)
{
	cpu_set_t set;
	int last = -1;

	sched_getaffinity(0, sizeof(set), &set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			last = cpu;
	return last;
}

Test(numa_place, usable_cores_are_within_the_affinity_mask)
{
	struct lgn_topo *topo = open_here();
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	cr_expect(lgn_topo_is_real(topo));
	cr_expect(lgn_topo_cores(topo) >= 1);
	cr_expect(lgn_topo_cores(topo) <= CPU_COUNT(&set));
	lgn_topo_close(topo);
}

/* One CPU is left: one core, on that CPU, and two workers are not pinned. */
static int mask_body(void)
{
	struct lgn_share two = { 0, 2, 2, 0 }, one = { 0, 1, 1, 0 };
	int cpu = last_cpu();
	struct lgn_topo *topo;
	struct lgn_plan plan;
	cpu_set_t set;
	char pus[16], want[16];
	bool applied;

	NEED(!bind_to(cpu) && !lgn_topo_open("", &topo));
	snprintf(want, sizeof(want), "%d", cpu);
	lgn_topo_core_pus(topo, 0, pus, sizeof(pus));
	NEED(lgn_topo_cores(topo) == 1 && !strcmp(pus, want));
	NEED(!lgn_plan_make(topo, &two, &plan) && !plan.pinned);
	NEED(!lgn_place_thread(topo, &plan, 1, &applied) && !applied);
	NEED(!lgn_plan_make(topo, &one, &plan) && plan.pinned);
	NEED(!lgn_place_thread(topo, &plan, 0, &applied) && applied);
	NEED(!sched_getaffinity(0, sizeof(set), &set));
	NEED(CPU_COUNT(&set) == 1 && CPU_ISSET(cpu, &set));
	NEED(lgn_place_thread_core(topo) == 0);
	lgn_topo_close(topo);
	return 0;
}

Test(numa_place, the_launchers_mask_is_kept)
{
	int line = in_child(mask_body);

	cr_expect_eq(line, 0, "line %d", line);
}

static pthread_barrier_t meet;

static void *bound_elsewhere(void *cpu)
{
	bind_to(*(int *)cpu);
	pthread_barrier_wait(&meet);	/* bound */
	pthread_barrier_wait(&meet);	/* the other has looked */
	return NULL;
}

/* Another thread of the host program is bound elsewhere: then hwloc's own
 * restriction at load is silently none at all. */
static int mixed_body(void)
{
	int cpu = last_cpu(), zero = 0;
	struct lgn_topo *topo;
	pthread_t other;
	char pus[16], want[16];

	pthread_barrier_init(&meet, NULL, 2);
	NEED(!pthread_create(&other, NULL, bound_elsewhere, &zero));
	pthread_barrier_wait(&meet);
	NEED(!bind_to(cpu) && !lgn_topo_open(NULL, &topo));
	pthread_barrier_wait(&meet);
	pthread_join(other, NULL);
	snprintf(want, sizeof(want), "%d", cpu);
	lgn_topo_core_pus(topo, 0, pus, sizeof(pus));
	NEED(lgn_topo_cores(topo) == 1 && !strcmp(pus, want));
	lgn_topo_close(topo);
	return 0;
}

Test(numa_place, threads_bound_elsewhere_do_not_lift_the_mask)
{
	int line;

	if (last_cpu() == 0)
		cr_skip("one CPU only");
	line = in_child(mixed_body);
	cr_expect_eq(line, 0, "line %d", line);
}

struct worker {
	const struct lgn_topo *topo;
	const struct lgn_plan *plan;
	int index;
	int rc;
	bool applied;
	int core;
	cpu_set_t set;
};

static void *pinned(void *arg)
{
	struct worker *w = arg;

	w->rc = lgn_place_thread(w->topo, w->plan, w->index, &w->applied);
	w->core = lgn_place_thread_core(w->topo);
	sched_getaffinity(0, sizeof(w->set), &w->set);
	return NULL;
}

Test(numa_place, a_pinned_thread_is_where_the_plan_says)
{
	struct lgn_topo *topo = open_here();
	struct lgn_plan plan = plan_all(topo);
	cpu_set_t before, after;

	sched_getaffinity(0, sizeof(before), &before);
	for (int i = 0; i < plan.workers; i++) {
		struct worker w = { .topo = topo, .plan = &plan, .index = i };
		hwloc_obj_t core = topo->core[i].obj;
		pthread_t thread;

		cr_assert_eq(pthread_create(&thread, NULL, pinned, &w), 0);
		pthread_join(thread, NULL);
		cr_expect(w.rc == 0 && w.applied);
		cr_expect_eq(w.core, i);
		cr_expect_eq(CPU_COUNT(&w.set), hwloc_bitmap_weight(core->cpuset));
		cr_expect(CPU_ISSET(hwloc_bitmap_first(core->cpuset), &w.set));
	}
	sched_getaffinity(0, sizeof(after), &after);
	cr_expect(CPU_EQUAL(&before, &after), "another thread was pinned too");
	lgn_topo_close(topo);
}

static void *on_a_node(void *arg)
{
	struct worker *w = arg;

	w->rc = lgn_place_thread_node(w->topo, w->index);
	sched_getaffinity(0, sizeof(w->set), &w->set);
	return NULL;
}

/* On its cores that the process may use, all of them, and on no other. */
Test(numa_place, a_thread_of_a_node_runs_there)
{
	struct lgn_topo *topo = open_here();
	cpu_set_t before, after;

	sched_getaffinity(0, sizeof(before), &before);
	for (int i = 0; i < topo->n_nodes; i++) {
		struct worker w = { .topo = topo, .index = i };
		pthread_t thread;

		cr_assert_eq(pthread_create(&thread, NULL, on_a_node, &w), 0);
		pthread_join(thread, NULL);
		cr_expect_eq(w.rc, 0, "%s", lagoon_errmsg());
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
			cr_expect_eq(!!CPU_ISSET(cpu, &w.set), CPU_ISSET(cpu, &before) &&
				     hwloc_bitmap_isset(topo->node[i]->cpuset, (unsigned)cpu));
	}
	sched_getaffinity(0, sizeof(after), &after);
	cr_expect(CPU_EQUAL(&before, &after), "another thread was bound too");
	lgn_topo_close(topo);
}

Test(numa_place, the_thread_that_opens_keeps_its_affinity)
{
	cpu_set_t before, after;
	struct lgn_topo *topo;
	char text[4096];

	sched_getaffinity(0, sizeof(before), &before);
	topo = open_here();
	plan_all(topo);
	lgn_topo_print(topo, text, sizeof(text));
	lgn_topo_close(topo);
	sched_getaffinity(0, sizeof(after), &after);
	cr_expect(CPU_EQUAL(&before, &after));
}

Test(numa_place, an_unpinned_thread_is_verified_as_such)
{
	struct lgn_topo *topo = open_here();

	if (lgn_topo_cores(topo) > 1)
		cr_expect_eq(lgn_place_thread_core(topo), -1);
	lgn_topo_close(topo);
}

static void *map(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(p, MAP_FAILED);
	return p;
}

static int policy_of(const void *addr)
{
	int mode = -1;

	if (syscall(SYS_get_mempolicy, &mode, NULL, 0, addr, 2 /* MPOL_F_ADDR */))
		return -1;
	return mode;
}

Test(numa_place, memory_is_bound_and_verified)
{
	size_t len[] = { 1, 4096, 1 << 20, 80 << 20 };
	struct lgn_topo *topo = open_here();

	for (int node = 0; node < lgn_topo_nodes(topo); node++)
		for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
			char *p = map(len[i]);
			int rc = lgn_place_memory(topo, node, p, len[i]);

			if (rc)
				cr_skip("%s", lagoon_errmsg());
			cr_expect_eq(policy_of(p), 2 /* MPOL_BIND */);
			memset(p, 1, len[i]);
			cr_expect_eq(lgn_place_memory_node(topo, p, len[i]), node,
				     "%zu bytes", len[i]);
			munmap(p, len[i]);
		}
	lgn_topo_close(topo);
}

/* What is not touched says nothing; what is, counts wherever it lies. */
Test(numa_place, the_end_of_a_range_counts)
{
	size_t len[] = { 1 << 20, 80 << 20 };
	struct lgn_topo *topo = open_here();

	if (lgn_topo_nodes(topo) > 1)
		cr_skip("the kernel chooses among several nodes");
	for (size_t i = 0; i < 2; i++) {
		char *p = map(len[i]);

		memset(p + len[i] - 4096, 1, 4096);
		cr_expect_eq(lgn_place_memory_node(topo, p, len[i]), 0,
			     "%zu bytes", len[i]);
		munmap(p, len[i]);
	}
	lgn_topo_close(topo);
}

Test(numa_place, memory_that_nobody_touched_is_nowhere)
{
	struct lgn_topo *topo = open_here();
	char *p = map(1 << 20);

	cr_expect_eq(lgn_place_memory_node(topo, p, 1 << 20), -1);
	munmap(p, 1 << 20);
	lgn_topo_close(topo);
}

Test(numa_place, bad_arguments_are_refused)
{
	struct lgn_topo *topo = open_here();
	struct lgn_plan plan = plan_all(topo);
	char *p = map(8192);
	bool applied;

	cr_expect_eq(lgn_place_memory(topo, 1000, p, 8192), LAGOON_EINVAL);
	cr_expect_eq(lgn_place_memory(topo, -2, p, 8192), LAGOON_EINVAL);
	cr_expect_eq(lgn_place_memory(topo, 0, p + 8, 4096), LAGOON_EINVAL);
	cr_expect_eq(policy_of(p), 0);
	cr_expect_eq(lgn_place_memory(topo, -1, p, 8192), 0);
	cr_expect_eq(policy_of(p), 0);
	cr_expect_eq(lgn_place_thread(topo, &plan, plan.workers, &applied),
		     LAGOON_EINVAL);
	cr_expect_eq(lgn_place_thread(topo, &plan, -1, &applied), LAGOON_EINVAL);
	cr_expect_eq(lgn_place_thread_node(topo, 1000), LAGOON_EINVAL);
	cr_expect_eq(lgn_place_thread_node(topo, -2), LAGOON_EINVAL);
	cr_expect_eq(lgn_place_thread_node(topo, -1), 0);
	munmap(p, 8192);
	lgn_topo_close(topo);
}

/* From now on two system calls of this process have that outcome. */
static int refuse(unsigned call1, unsigned call2, unsigned outcome)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call1, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, outcome),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

enum { CANNOT_TELL = 100, NO_ERROR, NO_REASON, KNEW };

/* As the seccomp profile of containers does. */
static int container_body(void)
{
	static char page[4096] __attribute__((aligned(65536)));
	struct lgn_topo *topo = open_here();

	if (refuse(SYS_mbind, SYS_move_pages, SECCOMP_RET_ERRNO | EPERM))
		return CANNOT_TELL;
	if (lgn_place_memory(topo, 0, page, sizeof(page)) != LAGOON_EIO)
		return NO_ERROR;
	if (!strstr(lagoon_errmsg(), "SYS_NICE"))
		return NO_REASON;
	memset(page, 1, sizeof(page));
	if (lgn_place_memory_node(topo, page, sizeof(page)) != -1)
		return KNEW;
	lgn_topo_close(topo);
	return 0;
}

Test(numa_place, a_container_that_forbids_binding_is_an_error_with_a_reason)
{
	int code = in_child(container_body);

	if (code == CANNOT_TELL)
		cr_skip("no seccomp filters here");
	cr_expect_eq(code, 0, "case %d", code);
}

/* hwloc may move the calling thread over all cores while it looks, and moves
 * it back: seen only in the system calls. */
static int still_body(void)
{
	struct lgn_topo *topo;
	char text[4096];

	if (refuse(SYS_sched_setaffinity, SYS_sched_setaffinity,
		   SECCOMP_RET_KILL_PROCESS))
		return CANNOT_TELL;
	topo = open_here();
	lgn_topo_print(topo, text, sizeof(text));
	lgn_topo_close(topo);
	return 0;
}

Test(numa_place, opening_never_moves_the_thread)
{
	int code = in_child(still_body);

	if (code == CANNOT_TELL)
		cr_skip("no seccomp filters here");
	cr_expect_eq(code, 0);
}

Test(numa_place, the_librarys_version_is_a_release)
{
	int major, minor, patch;

	cr_expect_eq(sscanf(lgn_topo_library(), "%d.%d.%d", &major, &minor,
			    &patch), 3, "%s", lgn_topo_library());
	cr_expect_geq(major, 2);
}
