/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "runtime/base/env.h"
#include "runtime/base/log.h"
#include "runtime/base/machine.h"
#include "runtime/base/status.h"
#include "runtime/directory.h"
#include "runtime/join.h"
#include "runtime/push.h"

#define GREETING_MAGIC 0x324c4741u	/* "AGL2" */

/* The choices of LAGOON_WIRE. */
enum { WIRE_AUTO, WIRE_SHM, WIRE_RC };

/* The first exchange. */
struct greeting {
	uint32_t magic;
	int32_t workers;
	int32_t nodes;			/* pretended */
	int32_t wire;
	uint8_t machine[16];
	uint64_t mask_id;		/* which cores it may use */
	int32_t check, trace;		/* LAGOON_CHECK, LAGOON_TRACE are on */
};

/* The second: under 256 bytes. */
struct card {
	int32_t status;			/* not 0: it cannot take part, and why */
	int32_t numa;			/* of its shard, as the system counts */
	union {
		char why[168];
		struct {
			uint64_t nonce[2];
			struct lgn_wire_addr addr;
			struct lgn_wire_addr mates;	/* see node.h */
			struct lgn_key dir;
		};
	};
};
_Static_assert(sizeof(struct card) <= 256, "the card must stay small");

static int no_memory(const struct lagoon *lg)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
}

static void warn_typo(void *arg, const char *name, int len, const char *meant)
{
	(void)arg;
	lgn_log(LGN_WARN, "%.*s is set, but is not an option: is %s meant?",
		len, name, meant);
}

static int open_placement(struct lagoon *lg)
{
	int bind;
	int rc = lgn_env_choice(LGN_ENV_ID_BIND, &bind);

	lg->bind = !bind;	/* "yes" is the first choice */
	return rc ? rc : lgn_topo_open(lgn_env_text(LGN_ENV_ID_SYNTHETIC), &lg->topo);
}

/* --- first exchange */

/* First what the others compare with theirs: what is wrong here must not make
 * them take me for one of another machine. */
static int make_greeting(struct lagoon *lg, const struct lagoon_attr *attr,
			 struct greeting *mine)
{
	int rc;

	memset(mine, 0, sizeof(*mine));
	mine->magic = GREETING_MAGIC;
	mine->workers = attr->workers;
	mine->nodes = attr->nodes;
	rc = lgn_machine_id(mine->machine);
	if (!rc)
		rc = lgn_env_choice(LGN_ENV_ID_WIRE, &mine->wire);
	if (!rc)
		rc = lgn_env_choice(LGN_ENV_ID_CHECK, &mine->check);
	mine->trace = lgn_env_set(LGN_ENV_ID_TRACE);
	/* also options that only another wire would read */
	if (!rc)
		rc = lgn_env_check_all();
	lgn_env_typos(warn_typo, NULL);
	if (!rc)
		rc = open_placement(lg);
	if (!rc)
		mine->mask_id = lgn_topo_mask_id(lg->topo);
	return rc;
}

static bool same_machine(const struct greeting *a, const struct greeting *b)
{
	return !memcmp(a->machine, b->machine, sizeof(a->machine));
}

static int check_greetings(const struct lagoon *lg, const struct greeting *all)
{
	static const char *const wire[] = { "auto", "shm", "rc" };

	for (int i = 0; i < lg->size; i++) {
		if (all[i].magic != GREETING_MAGIC)
			return lgn_fail(LAGOON_EJOB, "rank %d runs another version of Lagoon", i);
		if (all[i].nodes != all[0].nodes)
			return lgn_fail(LAGOON_EINVAL,
					"rank 0 pretends %d nodes, rank %d %d: they must agree",
					all[0].nodes, i, all[i].nodes);
		if (all[i].wire != all[0].wire)
			return lgn_fail(LAGOON_EINVAL,
					"LAGOON_WIRE is %s at rank 0, %s at rank %d: they must agree",
					wire[all[0].wire], wire[all[i].wire % 3], i);
		if (all[i].check != all[0].check || all[i].trace != all[0].trace)
			return lgn_fail(LAGOON_EINVAL,
					"LAGOON_%s is set in one of ranks 0 and %d only: they must agree",
					all[i].check != all[0].check ? "CHECK" : "TRACE", i);
	}
	if (all[0].nodes > lg->size)
		return lgn_fail(LAGOON_EINVAL, "%d pretended nodes for %d processes: each node needs one",
				all[0].nodes, lg->size);
	return 0;
}

/* Machines are numbered in the order of their lowest ranks. */
static int number_machines(struct lagoon *lg, const struct greeting *all)
{
	int machines = 0;

	for (int i = 0; i < lg->size; i++) {
		int k = 0;

		while (k < i && !same_machine(&all[k], &all[i]))
			k++;
		lg->member[i].machine = k < i ? lg->member[k].machine : machines++;
	}
	for (int i = 0; i < lg->size; i++)
		lg->neighbours += lg->member[i].machine == lg->member[lg->rank].machine;
	return machines;
}

/* Members, their workers' numbers, and the node of each. */
static int make_members(struct lagoon *lg, const struct greeting *all)
{
	int pretended = all[0].nodes;
	int machines, rc = check_greetings(lg, all);

	if (rc)
		return rc;
	machines = number_machines(lg, all);
	if (pretended && machines > 1)
		return lgn_fail(LAGOON_EINVAL,
				"%d nodes are pretended, but the job runs on %d machines: leave LAGOON_NODES out",
				pretended, machines);
	lg->nodes = pretended ? pretended : machines;
	for (int i = 0; i < lg->size; i++) {
		struct lgn_member *m = &lg->member[i];

		m->node = pretended ? (int)((int64_t)i * pretended / lg->size) :
			m->machine;
		m->workers = all[i].workers;
		m->first_worker = lg->total_workers;
		lg->total_workers += m->workers;
	}
	return 0;
}

static int make_plan(struct lagoon *lg, const struct greeting *all)
{
	const struct greeting *mine = &all[lg->rank];
	struct lgn_share share = { .workers = mine->workers };

	for (int i = 0; i < lg->size; i++) {
		if (all[i].mask_id != mine->mask_id || !same_machine(&all[i], mine))
			continue;
		if (i < lg->rank) {
			share.first += all[i].workers;
			share.homes++;
		}
		share.total += all[i].workers;
	}
	return lgn_plan_make(lg->topo, &share, &lg->plan);
}

/* Shared memory where it reaches everybody. */
static const struct lgn_wire_ops *choose_wire(const struct lagoon *lg, int wanted)
{
	if (wanted == WIRE_AUTO)
		wanted = lg->neighbours == lg->size ? WIRE_SHM : WIRE_RC;
	return wanted == WIRE_SHM ? &lgn_wire_shm : &lgn_wire_rc;
}

/* A process that fails before the exchange still takes part in it, because
 * the others would wait: *failed is its error. */
static int meet(struct lagoon *lg, struct lgn_job *job,
		const struct lagoon_attr *attr, const struct lgn_wire_ops **ops,
		int *failed)
{
	struct greeting mine, *all = calloc((size_t)lg->size, sizeof(*all));
	int rc;

	if (!all)
		return no_memory(lg);
	*failed = make_greeting(lg, attr, &mine);
	rc = lgn_job_allgather(job, &mine, sizeof(mine), all);
	if (!rc && !*failed)
		*failed = make_members(lg, all);
	if (!rc && !*failed)
		*failed = make_plan(lg, all);
	if (!rc && !*failed && !*ops)
		*ops = choose_wire(lg, all[0].wire);
	free(all);
	return rc;
}

/* --- second exchange */

static int open_views(struct lagoon *lg)
{
	int rc = lgn_board_view_open(lg, &lg->sync_view);

	if (!rc)
		rc = lgn_board_view_open(lg, &lg->watch_view);
	if (!rc)
		rc = lgn_board_view_open(lg, &lg->mates_view);
	if (!rc)
		rc = lgn_board_view_open(lg, &lg->clock_view);
	if (!rc)
		rc = lgn_board_show_open(lg);
	return rc ? rc : lgn_push_open(lg);
}

static int make_card(struct lagoon *lg, const struct lgn_wire_ops *ops,
		     struct card *card)
{
	const struct lgn_wire_near near = { lg->topo, lg->plan.node };
	struct lgn_board_keys keys;
	int rc = ops->open(&near, &card->addr, &lg->wire);

	memset(&keys, 0, sizeof(keys));
	if (!rc)
		rc = lgn_node_open(lg, &near, &card->mates);
	if (!rc)
		rc = open_views(lg);
	if (!rc && !lg->rank)
		rc = lgn_board_make(lg, &keys);
	if (!rc)
		rc = lgn_directory_make(lg, &keys, &card->dir);
	if (!rc && getrandom(card->nonce, sizeof(card->nonce), 0) < 0)
		rc = lgn_fail(LAGOON_EIO, "getrandom: %s", strerror(errno));
	return rc;
}

/* Its own message is better where it is mine. */
static int check_cards(const struct lagoon *lg, const struct card *all)
{
	int rc = all[lg->rank].status;

	for (int i = 0; !rc && i < lg->size; i++)
		if (all[i].status)
			rc = lgn_fail(all[i].status, "rank %d cannot take part: %.*s",
				      i, (int)sizeof(all[i].why), all[i].why);
	return rc;
}

/* Processes that are bound differently number nodes differently: the operating
 * system's number is the one that they have in common. */
static bool is_home(const struct lagoon *lg, int rank)
{
	for (int k = 0; k < rank; k++)
		if (lg->member[k].node == lg->member[rank].node &&
		    lg->member[k].numa == lg->member[rank].numa)
			return false;
	return true;
}

/* One shard home for each NUMA node that has processes: its lowest rank. */
static int find_homes(struct lagoon *lg, const struct card *all)
{
	lg->home_rank = calloc((size_t)lg->size, sizeof(*lg->home_rank));
	if (!lg->home_rank)
		return no_memory(lg);
	for (int i = 0; i < lg->size; i++) {
		lg->member[i].numa = all[i].numa;
		if (!is_home(lg, i))
			continue;
		lg->homes_here += lg->member[i].machine ==
			lg->member[lg->rank].machine;
		lg->home_rank[lg->homes++] = i;
	}
	return 0;
}

static int start_wire(struct lagoon *lg, const struct card *all)
{
	struct lgn_wire_config config = {
		.rank = lg->rank, .size = lg->size,
		.nonce = { all[0].nonce[0], all[0].nonce[1] },
		.timeout_s = lg->timeout_s,
		.homes = lg->homes, .home_rank = lg->home_rank,
		.lost = lgn_on_lost, .lost_arg = lg,
	};
	struct lgn_wire_addr *addr = calloc((size_t)lg->size, sizeof(*addr));
	struct lgn_wire_addr *mates = calloc((size_t)lg->size, sizeof(*mates));
	int *node_of = calloc((size_t)lg->size, sizeof(*node_of));
	int rc;

	if (!addr || !mates || !node_of) {
		rc = no_memory(lg);
		goto out;
	}
	for (int i = 0; i < lg->size; i++) {
		lg->member[i].dir = all[i].dir;
		addr[i] = all[i].addr;
		mates[i] = all[i].mates;
		node_of[i] = lg->member[i].node;
	}
	rc = lg->wire->ops->start(lg->wire, &config, addr, node_of);
	if (!rc)
		lgn_node_start(lg, mates, config.nonce);
out:
	free(addr);
	free(mates);
	free(node_of);
	return rc;
}

static int connect_all(struct lagoon *lg, struct lgn_job *job,
		       const struct lgn_wire_ops *ops, int failed)
{
	struct card mine, *all = calloc((size_t)lg->size, sizeof(*all));
	char keep[512];
	int rc;

	if (!all)
		return no_memory(lg);
	memset(&mine, 0, sizeof(mine));
	mine.numa = lg->plan.node >= 0 ? lgn_topo_node_os(lg->topo, lg->plan.node) : -1;
	mine.status = failed ? failed : make_card(lg, ops, &mine);
	snprintf(keep, sizeof(keep), "%s", lagoon_errmsg());
	if (mine.status)
		snprintf(mine.why, sizeof(mine.why), "%.167s", keep);
	rc = lgn_job_allgather(job, &mine, sizeof(mine), all);
	lgn_job_leave(job);
	if (!rc && mine.status)
		lgn_errmsg_set(keep);
	if (!rc)
		rc = check_cards(lg, all);
	if (!rc)
		rc = find_homes(lg, all);
	if (!rc)
		rc = start_wire(lg, all);
	free(all);
	return rc;
}

int lgn_join(struct lagoon *lg, struct lgn_job *job,
	     const struct lagoon_attr *attr, const struct lgn_wire_ops *ops)
{
	int failed = 0, rc;

	lg->member = calloc((size_t)lg->size, sizeof(*lg->member));
	if (!lg->member)
		return no_memory(lg);
	rc = meet(lg, job, attr, &ops, &failed);
	return rc ? rc : connect_all(lg, job, ops, failed);
}
