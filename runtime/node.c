/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/core.h"
#include "runtime/table.h"

enum {
	PATIENCE_NS = 100000,	/* with a page held elsewhere */
	POKE_NS = 500000,	/* and from one poke to the next */
	HEAD_BYTES = 4096,
	COPIES_AT = 2 << 20,	/* what large copies are aligned to */
};

/* ------------------------------------------------------- who is of it */

static int find_mates(struct lagoon *lg)
{
	struct lgn_node *node = &lg->node;
	bool in_place = lg->nodes == 1 && lg->wire->caps & LGN_WIRE_CPU_ATOMIC;

	node->rank = calloc((size_t)lg->size, sizeof(*node->rank));
	if (!node->rank)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	for (int i = 0; i < lg->size; i++) {
		if (in_place ? i != lg->rank :
		    lg->member[i].node != lg->member[lg->rank].node)
			continue;
		if (i == lg->rank)
			node->me = node->n;
		node->rank[node->n++] = i;
	}
	return 0;
}

static void stay_alone(struct lagoon *lg)
{
	struct lgn_node *node = &lg->node;

	if (node->beside && node->wire)
		node->wire->ops->close(node->wire);
	node->wire = NULL;
	node->beside = node->ok = false;
	node->rank[0] = lg->rank;
	node->me = 0;
	node->n = 1;
}

int lgn_node_open(struct lagoon *lg, const struct lgn_wire_near *near,
		  struct lgn_wire_addr *mine)
{
	struct lgn_node *node = &lg->node;
	int rc = find_mates(lg);

	if (rc || node->n == 1)
		return rc;
	node->ok = true;
	if (lg->wire->ops == &lgn_wire_shm) {
		node->wire = lg->wire;
		return 0;
	}
	node->beside = true;
	if (lgn_wire_shm.open(near, mine, &node->wire)) {
		lgn_log(LGN_WARN, "the node's processes cannot share caches: %s",
			lagoon_errmsg());
		node->wire = NULL;
		node->ok = false;
	}
	return 0;
}

/* The node wire's thread; its ranks are places in the node. */
static void on_gone(void *arg, int mate)
{
	struct lagoon *lg = arg;

	lgn_node_note_gone(lg, lg->node.rank[mate]);
}

static int start(struct lagoon *lg, const struct lgn_wire_addr *addr,
		 const uint64_t nonce[2])
{
	struct lgn_node *node = &lg->node;
	struct lgn_wire_config config = {
		.rank = node->me, .size = node->n,
		.nonce = { nonce[0], nonce[1] },
		.timeout_s = lg->timeout_s, .mates = true,
		.lost = on_gone, .lost_arg = lg, .poked = lgn_node_poked,
	};
	struct lgn_wire_addr *mates = calloc((size_t)node->n, sizeof(*mates));
	int *node_of = calloc((size_t)node->n, sizeof(*node_of));
	int rc = LAGOON_ENOMEM;

	for (int i = 0; mates && i < node->n; i++)
		mates[i] = addr[node->rank[i]];
	if (mates && node_of)
		rc = node->wire->ops->start(node->wire, &config, mates, node_of);
	free(mates);
	free(node_of);
	return rc;
}

void lgn_node_start(struct lagoon *lg, const struct lgn_wire_addr *addr,
		    const uint64_t nonce[2])
{
	struct lgn_node *node = &lg->node;

	if (!node->ok || !node->beside || !start(lg, addr, nonce))
		return;
	lgn_log(LGN_WARN, "the node's processes cannot share caches: %s",
		lagoon_errmsg());
	node->ok = false;
}

/* Nodes whose lowest rank is on this machine count one, or each process. */
static void count_caches(struct lagoon *lg, const char *slots)
{
	for (int i = 0; i < lg->size; i++) {
		const struct lgn_member *m = &lg->member[i];
		bool ok = *(const uint64_t *)(slots + (size_t)i * LGN_SLOT_BYTES);
		int k = 0;

		if (m->machine != lg->member[lg->rank].machine)
			continue;
		while (lg->member[k].node != m->node)
			k++;
		lg->node.caches += k == i || !ok;
	}
}

int lgn_node_agree(struct lagoon *lg)
{
	struct lgn_node *node = &lg->node;
	char *slots = calloc((size_t)lg->size, LGN_SLOT_BYTES);
	uint64_t ok = node->ok;
	int rc;

	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	rc = lgn_board_exchange(lg, &ok, sizeof(ok), slots);
	for (int i = 0; !rc && i < node->n; i++)
		ok &= *(uint64_t *)(slots + (size_t)node->rank[i] * LGN_SLOT_BYTES);
	if (!rc) {
		count_caches(lg, slots);
		if (!ok)
			stay_alone(lg);
	}
	free(slots);
	return rc;
}

void lgn_node_quiet(struct lagoon *lg)
{
	if (lg->node.beside && lg->node.wire)
		lg->node.wire->ops->quiet(lg->node.wire);
}

void lgn_node_close(struct lagoon *lg)
{
	if (lg->node.beside && lg->node.wire)
		lg->node.wire->ops->close(lg->node.wire);
	free(lg->node.rank);
}

void lgn_node_note_gone(struct lagoon *lg, int rank)
{
	atomic_store(&lg->member[rank].gone, 1);
}

void lgn_node_poked(void *arg)
{
	struct lagoon *lg = arg;

	lg->wire->ops->poll(lg->wire);
}

/* ---------------------------------------------------- a table's memory */

static uint64_t states_bytes(const struct lagoon_table *t)
{
	return HEAD_BYTES + t->layout.pages * sizeof(struct lgn_page);
}

/* Where the copies begin in what is shared. */
static uint64_t copies_at(const struct lagoon_table *t)
{
	bool large = lgn_table_bytes(t) >= COPIES_AT;

	return lgn_round_up(states_bytes(t), large ? COPIES_AT : HEAD_BYTES);
}

static int use_shared(struct lagoon_table *t, void *at)
{
	struct lgn_mem_want copies = {
		.len = lgn_round_up(lgn_table_bytes(t), HEAD_BYTES),
		.access = LGN_ACC_LOCAL, .at = (char *)at + copies_at(t),
	};

	t->shared = at;
	t->page = (struct lgn_page *)((char *)at + HEAD_BYTES);
	t->cache = copies.at;
	return t->lg->wire->ops->reg(t->lg->wire, &copies, &t->cache_mem);
}

static int make_alone(struct lagoon_table *t)
{
	int rc;

	t->own_states = aligned_alloc(LGN_CACHELINE,
				      lgn_round_up(states_bytes(t), LGN_CACHELINE));
	if (!t->own_states)
		return lgn_fail(LAGOON_ENOMEM, "table %s: no memory for %llu pages",
				t->name, (unsigned long long)t->layout.pages);
	memset(t->own_states, 0, states_bytes(t));
	t->shared = t->own_states;
	t->page = (struct lgn_page *)((char *)t->own_states + HEAD_BYTES);
	rc = lgn_memory(t->lg, lgn_table_bytes(t), LGN_ACC_LOCAL, &t->cache_mem);
	t->cache = t->cache_mem.addr;
	return rc;
}

/* Near the processes where they are all on one NUMA node; else each page is
 * near who touches it first. */
static int make_memory(struct lagoon *lg, uint64_t bytes, struct lgn_mem *mem)
{
	bool one = true;

	for (int i = 0; i < lg->node.n; i++)
		one &= lg->member[lg->node.rank[i]].numa == lg->member[lg->rank].numa;
	return lgn_memory_shared(lg, bytes, one, mem);
}

int lgn_node_table_make(struct lagoon_table *t, struct lgn_key *key)
{
	struct lgn_node *node = &t->lg->node;
	int rc;

	if (node->n == 1)
		return make_alone(t);
	if (node->me)
		return 0;
	rc = make_memory(t->lg, copies_at(t) +
			 lgn_round_up(lgn_table_bytes(t), HEAD_BYTES),
			 &t->shared_mem);
	if (rc)
		return rc;
	*key = t->shared_mem.key;
	return use_shared(t, t->shared_mem.addr);
}

int lgn_node_table_join(struct lagoon_table *t, const struct lgn_key *key)
{
	struct lgn_node *node = &t->lg->node;
	int rc;

	if (node->n == 1 || !node->me)
		return 0;
	rc = node->wire->ops->attach(node->wire,
				     node->beside ? 0 : node->rank[0], key,
				     &t->shared_map);
	return rc ? rc : use_shared(t, t->shared_map.map);
}

/* The page was held by a process that is dead. One of those who notice it
 * makes it idle. */
static void heal(struct lagoon_table *t, struct lgn_page *page, uint32_t hold)
{
	if (!atomic_compare_exchange_strong(&page->hold, &hold,
					    lgn_hold(LGN_PUSHING, t->lg->rank)))
		return;
	atomic_store(&page->stamp, 0);
	if (atomic_load(&page->version) & 1)
		atomic_fetch_add(&page->version, 1);
	lgn_page_release(page);
}

/* Pages of pushes that failed here: the others go on with them. */
static void let_go(struct lagoon_table *t)
{
	for (uint64_t i = 0; t->page && i < t->layout.pages; i++) {
		uint32_t hold = atomic_load(&t->page[i].hold);

		if (hold && lgn_hold_rank(hold) == t->lg->rank)
			heal(t, &t->page[i], hold);
	}
}

void lgn_node_table_free(struct lagoon_table *t)
{
	struct lagoon *lg = t->lg;
	struct lgn_wire *wire = lg->node.wire;

	if (wire)
		let_go(t);
	lg->wire->ops->unreg(lg->wire, &t->cache_mem);
	if (wire && t->shared_map.priv)
		wire->ops->detach(&t->shared_map);
	if (wire)
		wire->ops->unreg(wire, &t->shared_mem);
	free(t->own_states);
}

/* --------------------------------------------------------- who is dead */

static bool may_poke(const struct lgn_node *node, uint64_t *look_ns)
{
	uint64_t now;

	if (!node->beside)	/* there READs are complete when posted */
		return false;
	now = lgn_now_ns();
	if (*look_ns && now >= *look_ns) {
		*look_ns = now + POKE_NS;
		return true;
	}
	if (!*look_ns)
		*look_ns = now + PATIENCE_NS;
	return false;
}

static int mate_of(const struct lgn_node *node, int rank)
{
	for (int i = 0; i < node->n; i++)
		if (node->rank[i] == rank)
			return i;
	return -1;
}

void lgn_node_look(struct lagoon_table *t, uint64_t number, uint64_t *look_ns)
{
	struct lagoon *lg = t->lg;
	struct lgn_page *page = &t->page[number];
	uint32_t hold = atomic_load(&page->hold);
	int rank = lgn_hold_rank(hold), mate;

	if (lg->node.n == 1 || !hold || rank == lg->rank)
		return;
	if (atomic_load(&lg->member[rank].gone)) {
		heal(t, page, hold);
		return;
	}
	mate = mate_of(&lg->node, rank);
	if (mate >= 0 && lgn_hold_state(hold) == LGN_READING &&
	    may_poke(&lg->node, look_ns))
		lg->node.wire->ops->poke(lg->node.wire, mate);
}
