/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/core.h"
#include "runtime/directory.h"
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
	node->first = calloc((size_t)lg->size + 1, sizeof(*node->first));
	if (!node->rank || !node->first)
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

static void find_workers(struct lagoon *lg)
{
	struct lgn_node *node = &lg->node;

	node->workers = 0;
	for (int i = 0; i < node->n; i++) {
		node->first[i] = node->workers;
		node->workers += lg->member[node->rank[i]].workers;
	}
	node->first[node->n] = node->workers;
}

static uint64_t control_bytes(const struct lgn_node *node)
{
	return lgn_round_up(sizeof(struct lgn_control) +
			    (uint64_t)node->workers * 8, HEAD_BYTES);
}

static void drop_control(struct lgn_node *node)
{
	if (node->wire && node->control_map.priv)
		node->wire->ops->detach(&node->control_map);
	if (node->wire)
		node->wire->ops->unreg(node->wire, &node->control_mem);
	free(node->control_own);
	node->control_own = node->control = NULL;
}

static int control_alone(struct lgn_node *node)
{
	node->control = node->control_own =
		aligned_alloc(LGN_CACHELINE, control_bytes(node));
	if (!node->control)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the clocks of %d workers",
				node->workers);
	memset(node->control, 0, control_bytes(node));
	return 0;
}

static int stay_alone(struct lagoon *lg)
{
	struct lgn_node *node = &lg->node;

	drop_control(node);
	if (node->beside && node->wire)
		node->wire->ops->close(node->wire);
	node->wire = NULL;
	node->beside = node->ok = false;
	node->rank[0] = lg->rank;
	node->me = 0;
	node->n = 1;
	find_workers(lg);
	return control_alone(node);
}

/* Why the node's processes stay alone. */
static void give_up(struct lgn_node *node)
{
	lgn_log(LGN_WARN, "the node's processes cannot share caches: %s",
		lagoon_errmsg());
	node->ok = false;
}

int lgn_node_open(struct lagoon *lg, const struct lgn_wire_near *near,
		  struct lgn_wire_addr *mine)
{
	struct lgn_node *node = &lg->node;
	int rc = find_mates(lg);

	if (rc)
		return rc;
	find_workers(lg);
	if (node->n == 1)
		return control_alone(node);
	node->ok = true;
	node->beside = lg->wire->ops != &lgn_wire_shm;
	if (!node->beside)
		node->wire = lg->wire;
	else if (lgn_wire_shm.open(near, mine, &node->wire))
		node->wire = NULL;
	if (!node->wire || (!node->me &&
	    lgn_memory_shared(lg, control_bytes(node), true, &node->control_mem)))
		give_up(node);
	node->control = node->control_mem.addr;
	return 0;
}

/* The node wire's thread; its ranks are places in the node. It tells of the
 * death, too: who waits for a lock or a page does not look at the board. */
static void on_gone(void *arg, int mate)
{
	struct lagoon *lg = arg;

	lgn_tell_dead(lg, &lg->mates_view, lg->node.rank[mate]);
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

	if (node->ok && node->beside && start(lg, addr, nonce))
		give_up(node);
}

/* Every node has one, or each of its processes. */
static void count_caches(struct lagoon *lg, const char *slots)
{
	for (int i = 0; i < lg->size; i++) {
		const struct lgn_member *m = &lg->member[i];
		bool ok = *(const uint64_t *)(slots + (size_t)i * LGN_SLOT_BYTES);
		int k = 0;

		while (lg->member[k].node != m->node)
			k++;
		if (k != i && ok)
			continue;
		lg->node.adders++;
		lg->node.caches += m->machine == lg->member[lg->rank].machine;
	}
}

static int attach_control(struct lagoon *lg)
{
	struct lgn_node *node = &lg->node;
	struct lgn_key key;
	int rc = lgn_directory_control(lg, node->rank[0], &key);

	if (!rc)
		rc = node->wire->ops->attach(node->wire,
					     node->beside ? 0 : node->rank[0],
					     &key, &node->control_map);
	node->control = rc ? NULL : (void *)node->control_map.map;
	return rc;
}

int lgn_node_agree(struct lagoon *lg)
{
	struct lgn_node *node = &lg->node;
	char *slots = calloc((size_t)lg->size, LGN_SLOT_BYTES);
	uint64_t ok;
	int rc;

	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	if (node->ok && node->me && attach_control(lg))
		give_up(node);
	ok = node->ok;
	rc = lgn_board_exchange(lg, &ok, sizeof(ok), slots);
	for (int i = 0; !rc && i < node->n; i++)
		ok &= *(uint64_t *)(slots + (size_t)node->rank[i] * LGN_SLOT_BYTES);
	if (!rc) {
		count_caches(lg, slots);
		if (!ok && node->n > 1)
			rc = stay_alone(lg);
		for (int i = 0; !rc && i < lg->local_workers; i++)
			lg->worker[i].shown = &node->control->shown[node->first[node->me] + i];
		lg->restarting = false;
		atomic_store(&node->agreed, !rc);
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
	drop_control(&lg->node);
	if (lg->node.beside && lg->node.wire)
		lg->node.wire->ops->close(lg->node.wire);
	free(lg->node.rank);
	free(lg->node.first);
}

void lgn_node_note_gone(struct lagoon *lg, int rank)
{
	atomic_store(&lg->member[rank].gone, 1);
}

bool lgn_node_dead(const struct lagoon *lg, int rank)
{
	return atomic_load(&lg->member[rank].gone) &&
		atomic_load(&lg->member[rank].dead);
}

int64_t lgn_node_clock_of(const struct lagoon *lg, int i)
{
	const struct lgn_node *node = &lg->node;
	int64_t min = LGN_CLOCK_LEFT;

	if (node->workers == 1)		/* it is this one */
		return atomic_load(&node->control->shown[0]);
	if (lgn_unlikely(lgn_node_dead(lg, node->rank[i])))
		return min;
	for (int k = node->first[i]; k < node->first[i + 1]; k++) {
		int64_t clock = atomic_load(&node->control->shown[k]);

		min = clock < min ? clock : min;
	}
	return min;
}

int64_t lgn_node_clock(const struct lagoon *lg)
{
	int64_t min = LGN_CLOCK_LEFT;

	if (lg->node.workers == 1)
		return atomic_load(&lg->node.control->shown[0]);
	for (int i = 0; i < lg->node.n; i++) {
		int64_t clock = lgn_node_clock_of(lg, i);

		min = clock < min ? clock : min;
	}
	return min;
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

/* Copies, delta words, dirty masks. */
static uint64_t shared_bytes(const struct lagoon_table *t)
{
	return lgn_round_up(copies_at(t) + 2 * lgn_table_bytes(t) +
			    t->layout.pages * 8, HEAD_BYTES);
}

static int use_shared(struct lagoon_table *t, void *at)
{
	struct lgn_mem_want copies = {
		.len = lgn_table_bytes(t),
		.access = LGN_ACC_LOCAL, .at = (char *)at + copies_at(t),
	};

	t->shared = at;
	t->page = (struct lgn_page *)((char *)at + HEAD_BYTES);
	t->cache = copies.at;
	t->delta_words = (_Atomic uint64_t *)t->cache + lgn_table_bytes(t) / 8;
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
	rc = make_memory(t->lg, shared_bytes(t), &t->shared_mem);
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
 * makes it idle. A push had cleared its marks; it need not have taken all. */
static void heal(struct lagoon_table *t, struct lgn_page *page, uint32_t hold)
{
	if (!atomic_compare_exchange_strong(&page->hold, &hold,
					    lgn_hold(LGN_PUSHING, t->lg->rank)))
		return;
	atomic_store(&page->stamp, 0);
	if (t->delta)
		atomic_store(&t->dirty[page - t->page], UINT64_MAX);
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
	if (lgn_node_dead(lg, rank)) {
		heal(t, page, hold);
		return;
	}
	mate = mate_of(&lg->node, rank);
	if (mate >= 0 && lgn_hold_state(hold) == LGN_READING &&
	    may_poke(&lg->node, look_ns))
		lg->node.wire->ops->poke(lg->node.wire, mate);
}
