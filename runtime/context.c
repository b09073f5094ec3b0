/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "runtime/base/env.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/core.h"
#include "runtime/directory.h"
#include "runtime/push.h"
#include "runtime/table.h"

#define CARD_MAGIC 0x314c4741u		/* "AGL1" */

/* What the one fence carries of each process; under 256 bytes. */
struct card {
	uint32_t magic;
	int32_t workers;
	int32_t nodes;
	int32_t pad;
	uint64_t nonce[2];
	uint64_t mask_id;		/* which cores it may use */
	struct lgn_wire_addr addr;
	struct lgn_key dir;
};
_Static_assert(sizeof(struct card) <= 256, "the card must stay small");

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
	int rc = lgn_env_int(LGN_ENV_ID_WORKERS, 0, LGN_PLAN_MAX, &workers);

	if (!rc)
		rc = lgn_env_int(LGN_ENV_ID_NODES, 0, 1024, &nodes);
	if (!rc)
		rc = lgn_env_int(LGN_ENV_ID_TIMEOUT, 1, 86400, &timeout);
	if (!rc)
		rc = lgn_env_int(LGN_ENV_ID_SEED, 0, INT64_MAX, &seed);
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
	int none = 0;

	for (int i = 0; ready && i < lg->homes; i++)
		fatal |= lg->home_rank[i] == rank;
	/* Before the mark, and by everyone who notes it: who sees that nobody
	 * waits for this rank any more must also see that the job is over. */
	if (fatal)
		atomic_compare_exchange_strong(&lg->lost, &none, rank + 1);
	if (!atomic_exchange(&lg->member[rank].dead, 1))
		lgn_log(LGN_WARN, "rank %d is dead", rank);
}

int lgn_check_lost(const struct lagoon *lg)
{
	int lost = atomic_load_explicit(&lg->lost, memory_order_relaxed);

	if (lgn_likely(!lost))
		return 0;
	if (lost - 1 == lg->rank)
		return lgn_fail(LAGOON_EJOB, "the other processes have declared this one dead");
	return lgn_fail(LAGOON_EPEER, "rank %d is dead; the job cannot go on",
			lost - 1);
}

/* The wire's thread: a peer's process has ended. One that has left in order
 * says so on the board. */
static void on_lost(void *arg, int rank)
{
	struct lagoon *lg = arg;
	uint64_t old = LGN_LIVE;

	if (atomic_load(&lg->ready) &&
	    !lgn_board_state(lg, &lg->watch_view, rank, LGN_LIVE, LGN_DEAD, &old) &&
	    old == LGN_LEFT)
		return;
	lgn_note_dead(lg, rank);
	if (atomic_load(&lg->ready))
		lgn_board_give_up(lg, &lg->watch_view);
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

static int open_placement(struct lagoon *lg)
{
	int bind;
	int rc = lgn_env_choice(LGN_ENV_ID_BIND, &bind);

	lg->bind = !bind;	/* "yes" is the first choice */
	return rc ? rc : lgn_topo_open(lgn_env_text(LGN_ENV_ID_SYNTHETIC), &lg->topo);
}

static int make_card(struct lagoon *lg, const struct lagoon_attr *attr,
		     struct card *card)
{
	struct lgn_board_keys keys;
	int rc = 0;

	memset(&keys, 0, sizeof(keys));
	if (!lg->rank)
		rc = lgn_board_make(lg, &keys);
	if (!rc)
		rc = lgn_directory_make(lg, &keys, &card->dir);
	if (rc)
		return rc;
	card->magic = CARD_MAGIC;
	card->workers = attr->workers;
	card->nodes = attr->nodes;
	card->mask_id = lgn_topo_mask_id(lg->topo);
	if (getrandom(card->nonce, sizeof(card->nonce), 0) < 0)
		return lgn_fail(LAGOON_EIO, "getrandom: %s", strerror(errno));
	return 0;
}

static int check_cards(const struct lagoon *lg, const struct card *all)
{
	for (int i = 0; i < lg->size; i++) {
		if (all[i].magic != CARD_MAGIC)
			return lgn_fail(LAGOON_EJOB, "rank %d runs another version of Lagoon", i);
		if (all[i].nodes != all[0].nodes)
			return lgn_fail(LAGOON_EINVAL,
					"rank 0 pretends %d nodes, rank %d %d: they must agree",
					all[0].nodes, i, all[i].nodes);
	}
	if (all[0].nodes > lg->size)
		return lgn_fail(LAGOON_EINVAL, "%d pretended nodes for %d processes: each node needs one",
				all[0].nodes, lg->size);
	return 0;
}

/* Members, their workers' numbers, and the node of each. */
static int make_members(struct lagoon *lg, const struct card *all)
{
	int nodes = all[0].nodes ? all[0].nodes : 1;
	int rc = check_cards(lg, all);

	if (rc)
		return rc;
	lg->nodes = nodes;
	for (int i = 0; i < lg->size; i++) {
		struct lgn_member *m = &lg->member[i];

		m->node = (int)((int64_t)i * nodes / lg->size);
		m->workers = all[i].workers;
		m->first_worker = lg->total_workers;
		m->dir = all[i].dir;
		lg->total_workers += m->workers;
	}
	return 0;
}

static int make_plan(struct lagoon *lg, const struct card *all)
{
	struct lgn_share share = { .workers = all[lg->rank].workers };

	for (int i = 0; i < lg->size; i++) {
		if (all[i].mask_id != all[lg->rank].mask_id)
			continue;
		if (i < lg->rank) {
			share.first += all[i].workers;
			share.homes++;
		}
		share.total += all[i].workers;
	}
	return lgn_plan_make(lg->topo, &share, &lg->plan);
}

static int start_wire(struct lagoon *lg, const struct card *all)
{
	struct lgn_wire_config config = {
		.rank = lg->rank, .size = lg->size,
		.nonce = { all[0].nonce[0], all[0].nonce[1] },
		.timeout_s = lg->timeout_s,
		.lost = on_lost, .lost_arg = lg,
	};
	struct lgn_wire_addr *addr = calloc((size_t)lg->size, sizeof(*addr));
	int *node_of = calloc((size_t)lg->size, sizeof(*node_of));
	int rc;

	if (!addr || !node_of) {
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
		goto out;
	}
	for (int i = 0; i < lg->size; i++) {
		addr[i] = all[i].addr;
		node_of[i] = lg->member[i].node;
	}
	rc = lg->wire->ops->start(lg->wire, &config, addr, node_of);
out:
	free(addr);
	free(node_of);
	return rc;
}

/* One home for each NUMA node that has processes: its lowest rank. Processes
 * that are bound differently number nodes differently: the operating system's
 * number is the one that they have in common. */
static int find_homes(struct lagoon *lg)
{
	int64_t mine = lgn_topo_node_os(lg->topo, lg->plan.node);
	uint64_t (*all)[LGN_SLOT_BYTES / 8] =
		calloc((size_t)lg->size, LGN_SLOT_BYTES);
	int rc;

	lg->home_rank = calloc((size_t)lg->size, sizeof(*lg->home_rank));
	if (!all || !lg->home_rank)
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	else
		rc = lgn_board_exchange(lg, &mine, sizeof(mine), all);
	for (int i = 0; !rc && i < lg->size; i++) {
		bool first = true;

		lg->member[i].numa = (int)all[i][0];
		for (int k = 0; k < i; k++)
			first &= lg->member[k].node != lg->member[i].node ||
				 lg->member[k].numa != lg->member[i].numa;
		if (first)
			lg->home_rank[lg->homes++] = i;
	}
	free(all);
	return rc;
}

/* The one fence, then everything that it allows. */
static int join(struct lagoon *lg, struct lgn_job *job,
		const struct lagoon_attr *attr, struct card *mine)
{
	struct card *all = calloc((size_t)lg->size, sizeof(*all));
	int rc;

	if (!all)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	rc = make_card(lg, attr, mine);
	if (!rc)
		rc = lgn_job_allgather(job, mine, sizeof(*mine), all);
	lgn_job_leave(job);
	if (!rc)
		rc = make_members(lg, all);
	if (!rc)
		rc = make_plan(lg, all);
	if (!rc)
		rc = start_wire(lg, all);
	free(all);
	return rc;
}

static void free_all(struct lagoon *lg)
{
	lgn_workers_close(lg);
	if (lg->wire) {
		/* The wire's thread may still look at the board: it goes
		 * first, the memory of the regions with it. */
		lg->wire->ops->quiet(lg->wire);
		lgn_tables_close(lg);
		lgn_directory_close(lg);
		lgn_board_close(lg);
		lgn_board_view_close(lg, &lg->sync_view);
		lgn_board_view_close(lg, &lg->watch_view);
		lgn_board_view_close(lg, &lg->clock_view);
		lgn_push_close(lg);
		lg->wire->ops->close(lg->wire);
	}
	if (lg->topo)
		lgn_topo_close(lg->topo);
	lgn_gate_fini(&lg->gate);
	free(lg->member);
	free(lg->home_rank);
	free(lg);
}

static int open_local(struct lagoon *lg, const struct lgn_wire_ops *ops,
		      struct card *card)
{
	int rc;

	lg->member = calloc((size_t)lg->size, sizeof(*lg->member));
	if (!lg->member)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	rc = open_placement(lg);
	if (!rc)
		rc = ops->open(&card->addr, &lg->wire);
	if (!rc)
		rc = lgn_board_view_open(lg, &lg->sync_view);
	if (!rc)
		rc = lgn_board_view_open(lg, &lg->watch_view);
	if (!rc)
		rc = lgn_board_view_open(lg, &lg->clock_view);
	if (!rc)
		rc = lgn_push_open(lg);
	return rc;
}

static int open_rest(struct lagoon *lg)
{
	int rc = lgn_directory_attach_board(lg);

	if (!rc)
		rc = find_homes(lg);
	if (!rc)
		rc = lgn_directory_attach(lg);
	if (!rc)
		rc = lgn_workers_open(lg);
	if (!rc && !lg->local_workers)
		rc = lgn_clock_none(lg);
	atomic_store(&lg->ready, true);
	if (!rc)
		rc = lgn_board_sync(lg);
	return rc;
}

int lgn_open_on(const struct lagoon_attr *attr, const struct lgn_wire_ops *ops,
		struct lagoon **out)
{
	struct card card = { .magic = 0 };
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
	lg->plan.node = -1;	/* until there is a plan: anywhere */
	lgn_gate_init(&lg->gate, attr->workers);
	rc = open_local(lg, ops, &card);
	if (!rc)
		rc = join(lg, &job, attr, &card);
	else
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
	return rc ? rc : lgn_open_on(attr, &lgn_wire_shm, lg);
}

LGN_EXPORT int lagoon_close(struct lagoon *lg)
{
	uint64_t old;
	int rc = 0, rc2;

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
	rc2 = lgn_board_sync(lg);
	if (!rc2)
		rc2 = lgn_board_state(lg, &lg->sync_view, lg->rank, LGN_LIVE,
				      LGN_LEFT, &old);
	free_all(lg);
	return rc ? rc : rc2;
}
