/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/audit.h"
#include "runtime/base/env.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/checkpoint.h"
#include "runtime/core.h"
#include "runtime/directory.h"
#include "runtime/join.h"
#include "runtime/push.h"
#include "runtime/ring.h"
#include "runtime/sender.h"
#include "runtime/table.h"
#include "runtime/trace.h"

static int check_attr(const struct lagoon_attr *a)
{
	if (a->size != sizeof(*a))
		return lgn_fail(LAGOON_EINVAL, "struct lagoon_attr was not set up by lagoon_attr_init()");
	if (a->workers < 0 || a->workers > LGN_PLAN_MAX)
		return lgn_fail(LAGOON_EINVAL, "workers is %d: expected 0 to %d",
				a->workers, LGN_PLAN_MAX);
	if (a->nodes < 0)
		return lgn_fail(LAGOON_EINVAL, "nodes is %d: expected 0 or more", a->nodes);
	if (a->on_death != LAGOON_DEATH_STOP && a->on_death != LAGOON_DEATH_CONTINUE)
		return lgn_fail(LAGOON_EINVAL, "on_death is %d: expected 0 or 1", a->on_death);
	if (a->timeout_s < 1)
		return lgn_fail(LAGOON_EINVAL, "timeout_s is %d: expected 1 or more", a->timeout_s);
	return 0;
}

LGN_EXPORT int lagoon_attr_init(struct lagoon_attr *attr)
{
	int64_t workers, nodes, timeout, seed;
	int on_death;
	int rc = lgn_env_int(LGN_ENV_ID_WORKERS, &workers);

	if (!rc)
		rc = lgn_env_int(LGN_ENV_ID_NODES, &nodes);
	if (!rc)
		rc = lgn_env_int(LGN_ENV_ID_TIMEOUT, &timeout);
	if (!rc)
		rc = lgn_env_int(LGN_ENV_ID_SEED, &seed);
	if (!rc)
		rc = lgn_env_choice(LGN_ENV_ID_ON_DEATH, &on_death);
	if (rc)
		return rc;
	*attr = (struct lagoon_attr){
		.size = sizeof(*attr),
		.workers = (int)workers,
		.nodes = (int)nodes,
		.on_death = on_death,
		.timeout_s = (int)timeout,
		.seed = (uint64_t)seed,
		.nranks = 1,
	};
	return 0;
}

void lgn_note_dead(struct lagoon *lg, int rank)
{
	bool ready = atomic_load(&lg->ready);
	bool fatal = lg->on_death == LAGOON_DEATH_STOP || !rank || !ready ||
		rank == lg->rank || atomic_load(&lg->bsp_tables);
	int now = atomic_load(&lg->lost);

	for (int i = 0; ready && i < lg->homes; i++)
		fatal |= lg->home_rank[i] == rank;
	/* Before the mark, and by everyone who notes it: who sees that nobody
	 * waits for this rank any more must also see that the job is over. A
	 * push that broke off before was of this death, or of the next. */
	while (fatal && now <= 0 &&
	       !atomic_compare_exchange_weak(&lg->lost, &now, rank + 1))
		;
	if (fatal && rank != lg->rank && atomic_load(&lg->node.agreed))
		atomic_store(&lg->node.control->lost, rank + 1);
	if (!atomic_exchange(&lg->member[rank].dead, 1)) {
		lgn_trace_death(lg, rank);
		lgn_log(LGN_WARN, "rank %d is dead", rank);
	}
}

void lgn_note_broken(struct lagoon *lg, int rank)
{
	int none = 0, told = 0;

	atomic_compare_exchange_strong(&lg->lost, &none, -(rank + 2));
	if (atomic_load(&lg->node.agreed))
		atomic_compare_exchange_strong(&lg->node.control->lost, &told,
					       -(rank + 2));
}

int lgn_check_node(struct lagoon *lg)
{
	int lost = atomic_load_explicit(&lg->node.control->lost,
					memory_order_relaxed);

	if (lgn_unlikely(lost > 0))
		lgn_note_dead(lg, lost - 1);
	if (lgn_unlikely(lost < 0))
		lgn_note_broken(lg, -lost - 2);
	return lgn_check_lost(lg);
}

int lgn_check_lost(const struct lagoon *lg)
{
	int lost = atomic_load_explicit(&lg->lost, memory_order_relaxed);

	if (lgn_likely(!lost))
		return 0;
	if (lost == -1)
		return lgn_fail(LAGOON_EPEER, "a push broke off; the job cannot go on");
	if (lost < 0)
		return lgn_fail(LAGOON_EPEER, "a push to rank %d broke off; the job cannot go on",
				-lost - 2);
	if (lost - 1 == lg->rank)
		return lgn_fail(LAGOON_EJOB, "the other processes have declared this one dead");
	return lgn_fail(LAGOON_EPEER, "rank %d is dead; the job cannot go on",
			lost - 1);
}

void lgn_tell_dead(struct lagoon *lg, struct lgn_board_view *view, int rank)
{
	uint64_t old = LGN_LIVE;

	if (atomic_load(&lg->ready) &&
	    !lgn_board_state(lg, view, rank, LGN_LIVE, LGN_DEAD, &old) &&
	    old == LGN_LEFT)
		return;
	lgn_note_dead(lg, rank);
	if (atomic_load(&lg->ready))
		lgn_board_give_up(lg, view);
}

/* The wire's thread. */
void lgn_on_lost(void *arg, int rank)
{
	struct lagoon *lg = arg;

	lgn_tell_dead(lg, &lg->watch_view, rank);
	if (lg->node.wire == lg->wire)
		lgn_node_note_gone(lg, rank);
}

static int bind_home(void *arg, void *addr, uint64_t len)
{
	struct lagoon *lg = arg;
	int rc = lgn_place_memory(lg->topo, lg->plan.node, addr, len);

	if (rc)
		lg->unbound++;
	else
		lg->bound++;
	return rc;
}

int lgn_memory(struct lagoon *lg, uint64_t bytes, int access,
	       struct lgn_mem *mem)
{
	const uint64_t page = bytes >= 4u << 20 ? 2u << 20 : 4096;
	struct lgn_mem_want want = {
		.len = lgn_round_up(bytes, page),
		.access = access,
		.bind = lg->bind ? bind_home : NULL,
		.bind_arg = lg,
	};

	return lg->wire->ops->reg(lg->wire, &want, mem);
}

int lgn_memory_shared(struct lagoon *lg, uint64_t bytes, bool home,
		      struct lgn_mem *mem)
{
	struct lgn_wire *wire = lg->node.wire;
	struct lgn_mem_want want = {
		.len = bytes, .access = LGN_ACC_READ | LGN_ACC_WRITE,
		.sparse = true,
		.bind = lg->bind && home ? bind_home : NULL, .bind_arg = lg,
	};

	return wire->ops->reg(wire, &want, mem);
}

static void free_all(struct lagoon *lg)
{
	lgn_workers_close(lg);
	lgn_saver_close(lg);
	if (lg->wire) {
		/* Reads that nobody waits for any more land before what they
		 * read is gone. */
		lgn_board_drain(lg, &lg->clock_view);
		lgn_board_drain(lg, &lg->sync_view);
		/* The wire's thread may still look at the board: it goes
		 * first, the memory of the regions with it. */
		lgn_node_quiet(lg);
		lg->wire->ops->quiet(lg->wire);
		lgn_sender_close(lg);
		lgn_ring_close(lg->ring);
		lgn_trace_close(lg);
		lgn_tables_close(lg);
		lgn_audit_close(lg);
		lgn_directory_close(lg);
		lgn_board_close(lg);
		lgn_board_view_close(lg, &lg->sync_view);
		lgn_board_view_close(lg, &lg->watch_view);
		lgn_board_view_close(lg, &lg->mates_view);
		lgn_board_view_close(lg, &lg->clock_view);
		lgn_board_show_close(lg);
		lgn_push_close(lg);
		lgn_node_close(lg);
		lg->wire->ops->close(lg->wire);
	}
	if (lg->topo)
		lgn_topo_close(lg->topo);
	lgn_gate_fini(&lg->gate);
	free(lg->member);
	free(lg->home_rank);
	free(lg);
}

static int open_rest(struct lagoon *lg)
{
	int rc = lgn_directory_attach_board(lg);

	if (!rc)
		rc = lgn_directory_attach(lg);
	if (!rc)
		rc = lgn_workers_open(lg);
	if (!rc && !lg->local_workers)
		rc = lgn_clock_none(lg);
	atomic_store(&lg->ready, true);
	if (!rc)
		rc = lgn_node_agree(lg);
	if (!rc)
		rc = lgn_trace_open(lg);
	if (!rc)
		rc = lgn_audit_open(lg);
	return rc;
}

int lgn_open_on(const struct lagoon_attr *attr, const struct lgn_wire_ops *ops,
		struct lagoon **out)
{
	struct lagoon *lg;
	struct lgn_job job;
	int rc = check_attr(attr);

	if (rc)
		return rc;
	rc = lgn_job_open(attr, &job);
	if (rc)
		return rc;
	lgn_status_set_rank(job.size > 1 ? job.rank : -1);
	lg = aligned_alloc(LGN_CACHELINE, lgn_round_up(sizeof(*lg), LGN_CACHELINE));
	if (!lg) {
		lgn_job_leave(&job);
		return lgn_fail(LAGOON_ENOMEM, "no memory for a job");
	}
	memset(lg, 0, sizeof(*lg));
	lg->pid = getpid();
	lg->rank = job.rank;
	lg->size = job.size;
	lg->on_death = attr->on_death;
	lg->timeout_s = attr->timeout_s;
	lg->seed = attr->seed;
	lg->local_workers = attr->workers;
	lg->restarting = true;	/* until the node has a clock */
	lg->plan.node = -1;	/* until there is a plan: anywhere */
	lgn_gate_init(&lg->gate, attr->workers);
	rc = lgn_join(lg, &job, attr, ops);
	lgn_job_leave(&job);
	if (!rc)
		rc = open_rest(lg);
	if (rc) {
		free_all(lg);
		return rc;
	}
	*out = lg;
	return 0;
}

LGN_EXPORT int lagoon_open(const struct lagoon_attr *attr, struct lagoon **lg)
{
	struct lagoon_attr defaults;
	int rc = 0;

	if (!attr) {
		rc = lagoon_attr_init(&defaults);
		attr = &defaults;
	}
	return rc ? rc : lgn_open_on(attr, NULL, lg);
}

/* The last words of I3's one exception. */
static void tell_uncertain(const struct lagoon *lg)
{
	for (int i = 0; i < LGN_TABLES; i++) {
		const struct lagoon_table *t = lg->table[i];
		uint64_t n = 0;

		for (int k = 0; t && k < lg->local_workers; k++)
			n += atomic_load(&t->part[k].counts.uncertain);
		if (n)
			lgn_log(LGN_ERROR, "table %s: %llu words of this process are uncertain",
				t->name, (unsigned long long)n);
	}
}

LGN_EXPORT int lagoon_close(struct lagoon *lg)
{
	int rc = 0, rc2, found, traced;
	uint64_t old;

	/* A child has a copy of lg, but shares what stops the wire's thread. */
	if (lg->pid != getpid())
		return lgn_fail(LAGOON_EINVAL,
				"lagoon_close() in a child made by fork(): the job is the parent's, process %d",
				lg->pid);
	for (int i = 0; i < lg->local_workers; i++) {
		if (lg->worker[i].left)
			continue;
		rc2 = lagoon_worker_leave(&lg->worker[i]);
		rc = rc ? rc : rc2;
	}
	tell_uncertain(lg);
	rc2 = lgn_saver_finish(lg);
	rc = rc ? rc : rc2;
	found = lgn_audit_final(lg, NULL);
	lgn_trace_release(lg);
	rc2 = lgn_board_sync(lg);
	traced = lgn_trace_write(lg, !rc2);
	if (!rc2)
		rc2 = lgn_board_state(lg, &lg->sync_view, lg->rank, LGN_LIVE,
				      LGN_LEFT, &old);
	free_all(lg);
	rc = rc ? rc : rc2;
	return rc ? rc : found ? found : traced;
}
