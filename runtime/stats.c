/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/apply.h"
#include "runtime/core.h"

LGN_EXPORT const char *lagoon_version(void)
{
#define TEXT(x) #x
#define VERSION(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)
	return VERSION(LAGOON_VERSION_MAJOR, LAGOON_VERSION_MINOR,
		       LAGOON_VERSION_PATCH);
}

LGN_EXPORT int lagoon_rank(const struct lagoon *lg)
{
	return lg->rank;
}

LGN_EXPORT int lagoon_size(const struct lagoon *lg)
{
	return lg->size;
}

LGN_EXPORT int lagoon_nodes(const struct lagoon *lg)
{
	return lg->nodes;
}

LGN_EXPORT int lagoon_workers(const struct lagoon *lg)
{
	return lg->total_workers;
}

LGN_EXPORT int lagoon_local_workers(const struct lagoon *lg)
{
	return lg->local_workers;
}

LGN_EXPORT uint64_t lagoon_waited_for(const struct lagoon *lg, int rank)
{
	if (rank < 0 || rank >= lg->size)
		return 0;
	return atomic_load(&lg->member[rank].waited_ns);
}

LGN_EXPORT uint64_t lagoon_worker_waited(const struct lagoon_worker *w)
{
	return atomic_load(&w->waited_ns);
}

LGN_EXPORT int lagoon_wire_stats(const struct lagoon *lg,
				 struct lagoon_wire_counts *stats)
{
	const struct lgn_wire_counts *c = &lg->wire->counts;

	if (stats->size != sizeof(*stats))
		return lgn_fail(LAGOON_EINVAL, "struct lagoon_wire_counts: size is %zu, expected %zu",
				stats->size, sizeof(*stats));
	*stats = (struct lagoon_wire_counts){
		.size = sizeof(*stats), .posts = c->posts,
		.gets = c->ops[LGN_GET], .get_bytes = c->bytes[LGN_GET],
		.puts = c->ops[LGN_PUT] + c->ops[LGN_PUT_BELL],
		.put_bytes = c->bytes[LGN_PUT] + c->bytes[LGN_PUT_BELL],
		.adds = c->ops[LGN_ADD], .add_bytes = c->bytes[LGN_ADD],
		.cas = c->ops[LGN_CAS], .cas_bytes = c->bytes[LGN_CAS],
	};
	snprintf(stats->name, sizeof(stats->name), "%s", lg->wire->ops->name);
	return 0;
}

static uint64_t read_count(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void sum_counts(const struct lgn_counts *c, struct lagoon_stats *s)
{
	s->pulls += read_count(&c->pulls);
	s->rows_pulled += read_count(&c->rows_pulled);
	s->adds += read_count(&c->adds);
	s->rows_added += read_count(&c->rows_added);
	s->page_uses += read_count(&c->page_uses);
	s->pages_read += read_count(&c->pages_read);
	s->pages_ahead += read_count(&c->pages_ahead);
	s->words_pushed += read_count(&c->words_pushed);
	s->flushes += read_count(&c->flushes);
	s->rejected += read_count(&c->rejected);
	s->uncertain += read_count(&c->uncertain);
	s->wait_ns += read_count(&c->wait_ns);
	for (int i = 0; i < LAGOON_AGES; i++)
		s->ages[i] += read_count(&c->ages[i]);
}

LGN_EXPORT int lagoon_table_stats(const struct lagoon_table *t,
				  struct lagoon_stats *stats)
{
	struct lagoon_stats s = { .size = sizeof(s) };
	uint64_t asked, most = 0;

	if (stats->size != sizeof(*stats))
		return lgn_fail(LAGOON_EINVAL, "struct lagoon_stats: size is %zu, expected %zu",
				stats->size, sizeof(*stats));
	for (int i = 0; i < t->lg->local_workers; i++) {
		uint64_t lane = read_count(&t->part[i].counts.unpushed);

		sum_counts(&t->part[i].counts, &s);
		most = lane > most ? lane : most;
	}
	if (t->apply)
		memcpy(&s.unpushed, &most, sizeof(most));
	else
		s.unpushed = lgn_number_value(&t->number, (int64_t)most);
	asked = s.pages_read - s.pages_ahead;
	if (!t->in_place && s.page_uses > asked)
		s.cache_hits = s.page_uses - asked;
	*stats = s;
	return 0;
}

/* Logical numbers are the process's own, those in [] the system's: they alone
 * can be compared between processes that are bound differently. */
static void cores_list(const struct lagoon *lg, char *buf, size_t len)
{
	const struct lgn_plan *plan = &lg->plan;
	size_t used = 0;
	char pus[64];

	for (int i = 0; i < plan->workers && used < len / 2; i++) {
		lgn_topo_core_pus(lg->topo, plan->core[i], pus, sizeof(pus));
		used += (size_t)snprintf(buf + used, len - used, "%s%d [P%s]",
					 i ? " " : "", plan->core[i], pus);
	}
}

LGN_EXPORT int lagoon_describe(const struct lagoon *lg, char *buf, size_t len)
{
	const struct lgn_member *me = &lg->member[lg->rank];
	const struct lgn_plan *plan = &lg->plan;
	char cores[512] = "none", homes[128] = "";
	int node = lgn_place_memory_node(lg->topo, lg->dir_mem.addr, 4096);
	size_t used = 0;

	if (plan->pinned)
		cores_list(lg, cores, sizeof(cores));
	for (int i = 0; i < lg->homes && used < 100; i++)
		used += (size_t)snprintf(homes + used, sizeof(homes) - used, "%s%d",
					 i ? " " : "", lg->home_rank[i]);
	return snprintf(buf, len,
		"process   rank %d of %d, node %d of %d%s\n"
		"workers   %d here, %d in the job\n"
		"wire      %s%s%s\n"
		"shards    %d, at rank %s\n"
		"plan      NUMA node %d [P%d], worker cores: %s\n"
		"applied   binding %s: %d workers pinned in the last run, %d regions bound, %d refused\n"
		"verified  %d workers on their cores, shared memory on NUMA node %d%s\n",
		lg->rank, lg->size, me->node, lg->nodes,
		lg->nodes > 1 && lg->neighbours == lg->size ? " (pretended)" : "",
		lg->local_workers, lg->total_workers, lg->wire->ops->name,
		lg->wire->device[0] ? ", " : "", lg->wire->device,
		lg->homes, homes, plan->node, lgn_topo_node_os(lg->topo, plan->node),
		plan->pinned ? cores : "not pinned: more workers than cores",
		lg->bind ? "on" : "off (LAGOON_BIND)", lg->pinned, lg->bound,
		lg->unbound, lg->verified, node,
		node < 0 ? " (several, or unknown)" : "");
}
