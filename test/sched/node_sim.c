/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wire beside the job's wire, between the processes of a node: memory that
 * all of them map, and a thread of each that hears of ends and pokes. It is in
 * the place of the shm wire. Memory is there until the last one that has it
 * mapped gives it back or dies, whoever made it.
 */
#include "test/sched/point.h"

#undef aligned_alloc
#undef free

#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "test/sched/wire_sim.h"
#include "test/support/test.h"

enum { REGIONS = 64 };

struct region {
	void *addr;
	uint64_t bytes;
	int proc;			/* that made it */
	bool known;			/* it can be mapped */
	int users;
	bool used[SCHED_PROCS];		/* by process */
};

struct node_sim {
	struct lgn_wire wire;
	struct lgn_wire_config config;
	int proc;
	int *proc_of;			/* [config.size] */
	bool started, quiet, poked;
	unsigned long listener;
	int ended[WIRE_SIM_SMALL];	/* ranks whose end is to be told */
	int n_ended;
};

static struct region region[REGIONS];
static unsigned n_regions;
static struct node_sim *node_of_proc[SCHED_PROCS];

static struct node_sim *node_sim_of(struct lgn_wire *wire)
{
	return (struct node_sim *)wire;
}

static void region_leave(struct region *r, int proc)
{
	if (!r->used[proc])
		return;
	r->used[proc] = false;
	if (--r->users)
		return;
	free(r->addr);
	r->addr = NULL;
}

bool node_sim_clean(void)
{
	for (unsigned i = 0; i < n_regions; i++)
		if (region[i].users)
			return false;
	return true;
}

/* What a schedule that has failed left is not freed: it ends the program. */
void node_sim_begin(void)
{
	memset(region, 0, n_regions * sizeof(region[0]));
	memset(node_of_proc, 0, sizeof(node_of_proc));
	n_regions = 0;
}

/* ------------------------------------------------------- the thread of it */

static void tell_late(struct node_sim *n)
{
	int rank = n->ended[--n->n_ended];

	while (wire_sim_orphans() && !n->quiet)
		SCHED_WAIT("the last of the dead");
	for (uint64_t k = sched_below(WIRE_SIM_LATE); k && !n->quiet; k--)
		SCHED_WAIT("news of an end");
	if (!n->quiet)
		n->config.lost(n->config.lost_arg, rank);
}

static void *listen(void *arg)
{
	struct node_sim *n = arg;

	while (!n->quiet) {
		if (n->n_ended) {
			tell_late(n);
		} else if (n->poked) {
			n->poked = false;
			n->config.poked(n->config.lost_arg);
		} else {
			sched_park();
		}
	}
	return NULL;
}

/* The process has ended: who is in its node hears of it. */
static void tell_mates(const struct node_sim *gone)
{
	if (!gone->started || gone->config.size > WIRE_SIM_SMALL)
		return;
	for (int i = 0; i < gone->config.size; i++) {
		struct node_sim *n = node_of_proc[gone->proc_of[i]];

		if (!n || n == gone || !n->started || sched_dead(n->proc))
			continue;
		n->ended[n->n_ended++] = gone->config.rank;
		sched_wake(n->listener);
	}
}

void node_sim_kill(int proc)
{
	for (unsigned i = 0; i < n_regions; i++)
		region_leave(&region[i], proc);
	if (node_of_proc[proc])
		tell_mates(node_of_proc[proc]);
	node_of_proc[proc] = NULL;
}

/* ---------------------------------------------------------------- the ops */

static int node_sim_open(const struct lgn_wire_near *near,
			 struct lgn_wire_addr *mine, struct lgn_wire **wire)
{
	struct node_sim *n;

	(void)near;
	if (wire_sim_style.strange == sched_proc())
		return lgn_fail(LAGOON_ENOTSUP, "no memory can be shared here");
	n = sched_calloc(1, sizeof(*n));
	n->wire.ops = &lgn_wire_shm;
	n->wire.caps = LGN_WIRE_CPU_ATOMIC;
	n->wire.max_batch = 256;
	n->proc = sched_proc();
	*mine = (struct lgn_wire_addr){ { 0 } };
	memcpy(mine->bytes, &(int){ n->proc + 1 }, sizeof(int));
	*wire = &n->wire;
	return 0;
}

static int node_sim_start(struct lgn_wire *wire,
			  const struct lgn_wire_config *config,
			  const struct lgn_wire_addr *all, const int *node_of)
{
	struct node_sim *n = node_sim_of(wire);

	(void)node_of;
	T_CHECK(config->mates, "a second wire that is not for mates");
	n->config = *config;
	n->proc_of = sched_calloc((size_t)config->size, sizeof(*n->proc_of));
	for (int i = 0; i < config->size; i++) {
		memcpy(&n->proc_of[i], all[i].bytes, sizeof(n->proc_of[i]));
		if (!n->proc_of[i]--)
			return lgn_fail(LAGOON_ENOTSUP, "mate %d is not there", i);
	}
	node_of_proc[n->proc] = n;
	n->listener = sched_spawn(n->proc, "listen", listen, n);
	n->started = true;
	return 0;
}

static void node_sim_quiet(struct lgn_wire *wire)
{
	struct node_sim *n = node_sim_of(wire);

	if (!n->started)
		return;
	n->quiet = true;
	sched_wake(n->listener);
	sched_join(n->listener);
	n->started = false;
}

static void node_sim_close(struct lgn_wire *wire)
{
	struct node_sim *n = node_sim_of(wire);
	bool was_started = n->started || n->quiet;

	node_sim_quiet(wire);
	n->started = was_started;
	if (sched_once_in(2))
		tell_mates(n);
	node_of_proc[n->proc] = NULL;
	sched_free(n->proc_of);
	sched_free(n);
}

static int node_sim_reg(struct lgn_wire *wire, const struct lgn_mem_want *want,
			struct lgn_mem *mem)
{
	struct node_sim *n = node_sim_of(wire);
	struct region *r = &region[n_regions];

	T_CHECK(n_regions < REGIONS, "more than %d regions of nodes", REGIONS);
	T_CHECK(!want->at, "memory of a node is its own");
	*r = (struct region){
		.addr = aligned_alloc(4096, (want->len + 4095) / 4096 * 4096),
		.bytes = want->len, .proc = n->proc, .known = true, .users = 1,
	};
	T_CHECK(r->addr, "no memory for %llu bytes", (unsigned long long)want->len);
	memset(r->addr, 0, want->len);
	r->used[n->proc] = true;
	*mem = (struct lgn_mem){
		.addr = r->addr, .len = want->len, .priv = r,
		.key = { .len = want->len, .rkey = ++n_regions },
	};
	return 0;
}

static void node_sim_unreg(struct lgn_wire *wire, struct lgn_mem *mem)
{
	struct region *r = mem->priv;

	(void)wire;
	if (!r)
		return;
	r->known = false;
	region_leave(r, r->proc);
	*mem = (struct lgn_mem){ 0 };
}

static int node_sim_attach(struct lgn_wire *wire, int peer,
			   const struct lgn_key *key, struct lgn_rmem *mem)
{
	struct node_sim *n = node_sim_of(wire);
	struct region *r = &region[key->rkey - 1];

	if (!key->rkey)
		return lgn_fail(LAGOON_ENOENT, "mate %d shares nothing", peer);
	T_CHECK(key->rkey <= n_regions && r->bytes == key->len &&
		r->proc == n->proc_of[peer] && r->known,
		"a key that mate %d never gave", peer);
	if (sched_dead(r->proc))
		return lgn_fail(LAGOON_EPEER, "rank %d is dead", peer);
	r->used[n->proc] = true;
	r->users++;
	*mem = (struct lgn_rmem){
		.wire = wire, .peer = peer, .len = key->len, .map = r->addr,
		.priv = r,
	};
	return 0;
}

static void node_sim_detach(struct lgn_rmem *mem)
{
	if (mem->priv)
		region_leave(mem->priv, node_sim_of(mem->wire)->proc);
	*mem = (struct lgn_rmem){ 0 };
}

/* Nothing is posted here. */
static int node_sim_post(struct lgn_wire *wire, struct lgn_batch *batch)
{
	(void)wire;
	(void)batch;
	t_die("a request on the wire of a node");
}

static void node_sim_poll(struct lgn_wire *wire)
{
	(void)wire;
}

static const char *node_sim_why(struct lgn_wire *wire, int peer)
{
	(void)wire;
	(void)peer;
	return "";
}

static void node_sim_poke(struct lgn_wire *wire, int peer)
{
	struct node_sim *n = node_of_proc[node_sim_of(wire)->proc_of[peer]];

	if (!n || !n->started || sched_dead(n->proc))
		return;
	n->poked = true;
	sched_wake(n->listener);
}

const struct lgn_wire_ops lgn_wire_shm = {
	.name = "node",
	.open = node_sim_open,
	.start = node_sim_start,
	.quiet = node_sim_quiet,
	.close = node_sim_close,
	.reg = node_sim_reg,
	.unreg = node_sim_unreg,
	.attach = node_sim_attach,
	.detach = node_sim_detach,
	.post = node_sim_post,
	.poll = node_sim_poll,
	.why = node_sim_why,
	.poke = node_sim_poke,
};
