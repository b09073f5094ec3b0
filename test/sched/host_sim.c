/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the runtime finds around itself, for virtual processes: time that the
 * schedule makes pass, a machine without limits, a NUMA node for each process
 * as the case wants it, threads that are coroutines.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "numa/place.h"
#include "runtime/base/limits.h"
#include "runtime/base/log.h"
#include "runtime/base/machine.h"
#include "runtime/base/thread.h"
#include "runtime/base/wait.h"
#include "test/sched/host_sim.h"
#include "test/sched/sched.h"
#include "verbs/copy.h"
#include "verbs/wire.h"

struct lgn_topo {
	int unused;
};

static struct lgn_topo topology;
static int numa_of[SCHED_PROCS];

void host_set_numa(int proc, int node)
{
	numa_of[proc] = node;
}

/* ------------------------------------------------------- time and threads */

uint64_t lgn_now_ns(void)
{
	return sched_now();
}

void sched_wait_step(struct lgn_wait *wait)
{
	wait->steps++;
	if (!wait->start_ns)
		wait->start_ns = sched_now();
}

/* For callers that were not built for schedules. */
void lgn_wait_step(struct lgn_wait *wait)
{
	sched_wait_step(wait);
	SCHED_WAIT("");
}

uint64_t lgn_waited_ns(const struct lgn_wait *wait)
{
	return wait->start_ns ? sched_now() - wait->start_ns : 0;
}

int lgn_thread_start(pthread_t *thread, const char *name,
		     void *(*run)(void *arg), void *arg)
{
	const char *dash = strrchr(name, '-');

	*thread = sched_spawn(sched_proc(), dash ? dash + 1 : name, run, arg);
	return 0;
}

/* Word by word, and others come in between. */
void lgn_copy_words(uint64_t *dst, const uint64_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		SCHED_POINT("copy", "a word");
		dst[i] = src[i];
	}
}

void lgn_log(enum lgn_log_level level, const char *fmt, ...)
{
	char line[300];
	va_list ap;

	if (!sched_tracing())
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	sched_tell("says (%d): %s", level, line);
}

/* -------------------------------------------------------------- machine */

int lgn_machine_id(uint8_t id[16])
{
	memset(id, 1, 16);
	return 0;
}

int lgn_limits_check(uint64_t bytes, bool locked)
{
	(void)bytes;
	(void)locked;
	return 0;
}

int lgn_topo_open(const char *synthetic, struct lgn_topo **topo)
{
	(void)synthetic;
	*topo = &topology;
	return 0;
}

void lgn_topo_close(struct lgn_topo *topo)
{
	(void)topo;
}

int lgn_topo_node_os(const struct lgn_topo *topo, int node)
{
	(void)topo;
	return node;
}

uint64_t lgn_topo_mask_id(const struct lgn_topo *topo)
{
	(void)topo;
	return 1;
}

int lgn_topo_core_pus(const struct lgn_topo *topo, int core, char *buf,
		      size_t len)
{
	(void)topo;
	return snprintf(buf, len, "%d", core);
}

int lgn_plan_make(const struct lgn_topo *topo, const struct lgn_share *share,
		  struct lgn_plan *plan)
{
	(void)topo;
	plan->pinned = false;
	plan->workers = share->workers;
	plan->node = numa_of[sched_proc()];
	for (int i = 0; i < share->workers; i++)
		plan->core[i] = -1;
	return 0;
}

int lgn_place_thread(const struct lgn_topo *topo, const struct lgn_plan *plan,
		     int i, bool *applied)
{
	(void)topo;
	(void)plan;
	(void)i;
	*applied = false;
	return 0;
}

int lgn_place_thread_node(const struct lgn_topo *topo, int node)
{
	(void)topo;
	(void)node;
	return 0;
}

int lgn_place_memory(const struct lgn_topo *topo, int node, void *addr,
		     size_t len)
{
	(void)topo;
	(void)node;
	(void)addr;
	(void)len;
	return 0;
}

int lgn_place_memory_node(const struct lgn_topo *topo, const void *addr,
			  size_t len)
{
	(void)topo;
	(void)addr;
	(void)len;
	return -1;
}

int lgn_place_thread_core(const struct lgn_topo *topo)
{
	(void)topo;
	return -1;
}

/* A wire that nobody chooses here; the other one is in node_sim.c. */
const struct lgn_wire_ops lgn_wire_rc = { .name = "rc" };
