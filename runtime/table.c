/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ahead.h"
#include "runtime/apply.h"
#include "runtime/audit.h"
#include "runtime/base/limits.h"
#include "runtime/base/status.h"
#include "runtime/directory.h"
#include "runtime/rule.h"
#include "runtime/table.h"
#include "runtime/trace.h"

/* What a process says when it creates a table. */
struct proposal {
	int32_t status;
	int32_t slot;
	char name[LAGOON_NAME_MAX + 1];
	struct lagoon_table_attr attr;
	uint64_t update;		/* digest of the function */
	char update_text[32];		/* as much as fits, for messages */
};
_Static_assert(sizeof(struct proposal) <= LGN_SAID_BYTES, "one slot");

static const char *const format_name[] = { "q64", "q32", "i64", "i32", "f64",
	"f32" };

LGN_EXPORT void lagoon_table_attr_init(struct lagoon_table_attr *attr)
{
	*attr = (struct lagoon_table_attr){
		.size = sizeof(*attr),
		.cols = 1,
		.format = LAGOON_Q64,
		.type = -1,
		.frac_bits = -1,
		.model = LAGOON_SSP,
		.push = LAGOON_PUSH_ATOMIC,
	};
}

/* Of elements in buffers, if nothing else is asked for. */
static int own_type(int format)
{
	switch (format) {
	case LAGOON_I64:
	case LAGOON_I32:
		return LAGOON_INT64;
	case LAGOON_FLOAT32:
		return LAGOON_F32;
	default:
		return LAGOON_F64;
	}
}

static int check_type(const struct lagoon_table_attr *a)
{
	bool real = a->format == LAGOON_Q64 || a->format == LAGOON_Q32;
	bool ok = lgn_apply_format(a->format) ? a->type == own_type(a->format) :
		real ? a->type == LAGOON_F64 || a->type == LAGOON_F32 :
		a->type == LAGOON_INT64 ||
		(a->type == LAGOON_INT32 && a->format == LAGOON_I32);

	return ok ? 0 : lgn_fail(LAGOON_EINVAL, "type %d does not go with format %s",
				 a->type, format_name[a->format]);
}

/* Defaults that depend on other fields; then everything must be legal. */
static int resolve(const char *name, struct lagoon_table_attr *a)
{
	int most;

	if (a->size != sizeof(*a))
		return lgn_fail(LAGOON_EINVAL, "struct lagoon_table_attr was not set up by lagoon_table_attr_init()");
	if (!name[0] || strlen(name) > LAGOON_NAME_MAX)
		return lgn_fail(LAGOON_EINVAL, "table name \"%.60s\": expected 1 to %d bytes",
				name, LAGOON_NAME_MAX);
	if (a->format < LAGOON_Q64 || a->format > LAGOON_FLOAT32)
		return lgn_fail(LAGOON_EINVAL, "table %s: format %d is not known", name, a->format);
	if (a->type < -1 || a->frac_bits < -1)
		return lgn_fail(LAGOON_EINVAL, "table %s: type %d, frac_bits %d: expected -1 for the default, or more",
				name, a->type, a->frac_bits);
	if (a->type < 0)
		a->type = own_type(a->format);
	most = a->format == LAGOON_Q64 ? 62 : a->format == LAGOON_Q32 ? 30 : 0;
	if (a->frac_bits < 0)
		a->frac_bits = a->format == LAGOON_Q64 ? 32 :
			a->format == LAGOON_Q32 ? 20 : 0;
	if (a->frac_bits > most)
		return lgn_fail(LAGOON_EINVAL, "table %s: frac_bits is %d: at most %d for %s",
				name, a->frac_bits, most, format_name[a->format]);
	most = check_type(a);
	return most ? most : lgn_apply_check(name, a);
}

static void free_table(struct lagoon_table *t)
{
	struct lagoon *lg = t->lg;
	const struct lgn_wire_ops *ops = lg->wire->ops;

	for (int i = 0; t->shard && i < lg->homes; i++)
		ops->detach(&t->shard[i]);
	lgn_rule_free(t);
	lgn_apply_close(t);
	lgn_audit_table_close(t);
	lgn_node_table_free(t);
	ops->unreg(lg->wire, &t->home);
	free(t->shard);
	free(t->map);
	free(t->part);
	free(t);
}

static int new_table(struct lagoon *lg, const char *name,
		     const struct lagoon_table_attr *attr, struct lgn_rule *rules,
		     struct lagoon_table **out)
{
	struct lagoon_table_attr a = *attr;
	struct lgn_rule rule;
	struct lagoon_table *t;
	int rc = resolve(name, &a);

	if (!rc)
		rc = lgn_rule_read(name, &a, &rule);
	if (rc)
		return rc;
	t = calloc(1, sizeof(*t));
	if (!t)
		return lgn_fail(LAGOON_ENOMEM, "no memory for table %s", name);
	t->lg = lg;
	t->attr = a;
	t->home_index = -1;
	snprintf(t->name, sizeof(t->name), "%s", name);
	lgn_number_init(&t->number, a.format, a.type, a.frac_bits);
	rc = lgn_layout_init(&t->layout, a.rows, a.cols,
			     (uint32_t)t->number.lanes, a.page_rows,
			     (uint64_t)lg->homes);
	if (rc) {
		free(t);
		return rc;
	}
	t->attr.page_rows = 1u << t->layout.page_shift;
	lgn_audit_layout(t);
	t->in_place = lg->nodes == 1 && lg->wire->caps & LGN_WIRE_CPU_ATOMIC;
	t->model = rule.model;
	t->attr.update = NULL;
	if (lgn_apply_format(a.format))
		rc = lgn_apply_open(t, a.update);
	if (rc) {
		free_table(t);
		return rc;
	}
	*rules = rule;
	*out = t;
	return 0;
}

/* The shard, if one lives here. */
static int make_shard(struct lagoon_table *t)
{
	struct lagoon *lg = t->lg;
	uint64_t pages, bytes;
	int rc;

	for (int i = 0; i < lg->homes; i++)
		if (lg->home_rank[i] == lg->rank)
			t->home_index = i;
	if (t->home_index < 0)
		return 0;
	pages = lgn_layout_shard_pages(&t->layout, (uint64_t)t->home_index);
	bytes = t->apply ? lgn_apply_shard_bytes(t) :
		(pages ? pages : 1) * t->layout.page_words * 8;
	rc = lgn_limits_check(bytes * (uint64_t)lg->homes_here, false);
	if (!rc)
		rc = lgn_memory(lg, bytes + lgn_audit_shard_bytes(t, pages),
				LGN_ACC_READ | LGN_ACC_ATOMIC |
				(t->tail ? LGN_ACC_WRITE : 0), &t->home);
	return !rc && t->apply ? lgn_apply_init(t) : rc;
}

/* Copies, and their states. Delta words follow: the limit is for both. */
static int make_cache(struct lagoon_table *t, struct lgn_key *key)
{
	int rc;

	if (t->in_place) {
		t->shared = t->own_states = calloc(1, sizeof(*t->shared));
		return t->shared ? 0 :
			lgn_fail(LAGOON_ENOMEM, "no memory for table %s", t->name);
	}
	rc = lgn_limits_check(2 * lgn_table_bytes(t) *
			      (uint64_t)t->lg->node.caches, false);
	return rc ? rc : lgn_node_table_make(t, key);
}

static int make_parts(struct lagoon_table *t)
{
	size_t n = (size_t)(t->lg->local_workers ? t->lg->local_workers : 1);

	t->part = aligned_alloc(LGN_CACHELINE, n * sizeof(*t->part));
	if (!t->part)
		return lgn_fail(LAGOON_ENOMEM, "table %s: no memory for %zu workers",
				t->name, n);
	memset(t->part, 0, n * sizeof(*t->part));
	return 0;
}

static int free_slot(const struct lagoon *lg, const char *name, int *slot)
{
	*slot = -1;
	for (int i = LGN_TABLES - 1; i >= 0; i--) {
		if (!lg->table[i])
			*slot = i;
		else if (!strcmp(lg->table[i]->name, name))
			return lgn_fail(LAGOON_EEXIST, "table %s exists already", name);
	}
	return *slot >= 0 ? 0 :
		lgn_fail(LAGOON_EAGAIN, "table %s: the directory holds %d tables and is full",
			 name, LGN_TABLES);
}

/* Everything that needs no other process. */
static int make_local(struct lagoon_table *t)
{
	struct lgn_directory_entry entry = { .name = "" };
	int rc = free_slot(t->lg, t->name, &t->slot);

	if (!rc)
		rc = make_shard(t);
	if (!rc)
		rc = make_cache(t, &entry.cache);
	if (!rc)
		rc = make_parts(t);
	if (!rc)
		rc = lgn_rule_room(t, t->model);
	t->salt = (uint32_t)t->slot;
	lgn_table_reseed(t);
	if (!rc)
		rc = lgn_audit_table_open(t);
	if (!rc && t->home_index >= 0) {
		entry.shard = t->home.key;
		snprintf(entry.name, sizeof(entry.name), "%s", t->name);
		lgn_directory_enter(t->lg, t->slot, &entry);
	}
	return rc;
}

static void describe_proposal(const struct proposal *p, char *buf, size_t len)
{
	const struct lagoon_table_attr *a = &p->attr;

	snprintf(buf, len, "%s %llu x %u %s %s(%d) sample %d change %g type %d frac_bits %d page_rows %u%s%s",
		 p->name, (unsigned long long)a->rows, a->cols,
		 format_name[a->format], lgn_model_name(a->model),
		 a->staleness, a->sample, a->change, a->type, a->frac_bits,
		 a->page_rows, p->update_text[0] ? " update " : "",
		 p->update_text);
}

static bool same(const struct proposal *a, const struct proposal *b)
{
	const struct lagoon_table_attr *x = &a->attr, *y = &b->attr;

	return !strcmp(a->name, b->name) && a->slot == b->slot &&
		x->rows == y->rows && x->cols == y->cols &&
		x->format == y->format && x->type == y->type &&
		x->frac_bits == y->frac_bits && x->model == y->model &&
		x->staleness == y->staleness && x->sample == y->sample &&
		x->change == y->change && x->page_rows == y->page_rows &&
		a->update == b->update;
}

/* Every process comes to the same verdict: they all look at the same slots
 * in the same order. The dead (on_death=continue) have no say: whoever got
 * through the exchange without one has seen its death on the board. */
static int judge(const struct lagoon *lg, const struct proposal *mine,
		 const char *slots)
{
	const struct proposal *first = (const void *)slots;	/* rank 0 lives */
	char one[200], two[200];

	for (int i = 0; i < lg->size; i++) {
		const struct proposal *p =
			(const void *)(slots + (size_t)i * LGN_SLOT_BYTES);

		if (atomic_load(&lg->member[i].dead))
			continue;
		if (p->status)	/* its own message is better where it is mine */
			return i == lg->rank ? p->status :
				lgn_fail(p->status, "table %s: rank %d could not create it: %s",
					 mine->name, i, lagoon_strerror(p->status));
		if (same(p, first))
			continue;
		describe_proposal(first, one, sizeof(one));
		describe_proposal(p, two, sizeof(two));
		return lgn_fail(LAGOON_EINVAL, "rank 0 creates table %s, rank %d %s: they must agree",
				one, i, two);
	}
	return 0;
}

static int agree(struct lagoon *lg, const struct proposal *mine)
{
	char *slots = malloc((size_t)lg->size * LGN_SLOT_BYTES);
	int rc;

	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	rc = lgn_board_exchange(lg, mine, sizeof(*mine), slots);
	if (!rc)
		rc = judge(lg, mine, slots);
	free(slots);
	return rc;
}

static int attach_shards(struct lagoon_table *t)
{
	struct lagoon *lg = t->lg;
	int rc = 0;

	t->shard = calloc((size_t)lg->homes, sizeof(*t->shard));
	if (!t->shard)
		return lgn_fail(LAGOON_ENOMEM, "table %s: no memory for %d shards",
				t->name, lg->homes);
	for (int i = 0; !rc && i < lg->homes; i++) {
		struct lgn_directory_entry entry;

		rc = lgn_directory_read(lg, i, t->slot, t->name, &entry);
		if (!rc)
			rc = lg->wire->ops->attach(lg->wire, lg->home_rank[i],
						   &entry.shard, &t->shard[i]);
		if (!rc && lg->home_rank[i] == lg->node.rank[0])
			rc = lgn_node_table_join(t, &entry.cache);
	}
	return rc;
}

static int map_pages(struct lagoon_table *t)
{
	if (!t->in_place)
		return 0;
	t->map = calloc(t->layout.pages, sizeof(*t->map));
	if (!t->map)
		return lgn_fail(LAGOON_ENOMEM, "table %s: no memory for %llu pages",
				t->name, (unsigned long long)t->layout.pages);
	for (uint64_t p = 0; p < t->layout.pages; p++)
		t->map[p] = t->shard[lgn_layout_shard(&t->layout, p)].map +
			lgn_table_offset(t, p) / 8;
	return 0;
}

LGN_EXPORT int lagoon_table_create(struct lagoon *lg, const char *name,
				   const struct lagoon_table_attr *attr,
				   struct lagoon_table **out)
{
	struct proposal mine;
	struct lgn_rule rule;
	struct lagoon_table *t = NULL;
	int rc;

	memset(&mine, 0, sizeof(mine));
	mine.slot = -1;
	rc = new_table(lg, name, attr, &rule, &t);
	if (!rc)
		rc = make_local(t);
	/* A process that cannot take part says so to all instead of leaving
	 * them waiting. */
	mine.status = rc;
	snprintf(mine.name, sizeof(mine.name), "%s", name);
	if (t) {
		mine.attr = t->attr;
		mine.attr.update = NULL;
		mine.update = t->apply ? t->apply->fn.digest : 0;
		snprintf(mine.update_text, sizeof(mine.update_text), "%s",
			 t->apply ? t->apply->text : "");
		mine.slot = t->slot;
	}
	rc = agree(lg, &mine);
	if (!rc)
		rc = attach_shards(t);
	if (!rc)
		rc = map_pages(t);
	if (!rc && t->apply)
		rc = lgn_apply_attach(t);
	if (rc) {
		if (t && t->home.addr)
			lgn_directory_enter(lg, t->slot, NULL);
		if (t)
			free_table(t);
		return rc;
	}
	lg->table[t->slot] = t;
	lgn_trace_table(t);
	lgn_rule_set(t, &rule);
	lgn_rule_count(t, 1);
	rc = lgn_board_sync(lg);
	if (!rc)
		*out = t;
	return rc;
}

LGN_EXPORT int lagoon_table_attach(struct lagoon *lg, const char *name,
				   struct lagoon_table **t)
{
	for (int i = 0; i < LGN_TABLES; i++) {
		if (!lg->table[i] || strcmp(lg->table[i]->name, name))
			continue;
		*t = lg->table[i];
		return 0;
	}
	return lgn_fail(LAGOON_ENOENT, "no table is called %s", name);
}

static void drop(struct lagoon_table *t)
{
	struct lagoon *lg = t->lg;

	if (t->home.addr)
		lgn_directory_enter(lg, t->slot, NULL);
	lg->table[t->slot] = NULL;
	lgn_rule_count(t, -1);
	free_table(t);
}

/* Two meetings: nobody frees what another still uses, and nobody goes on to
 * use the slot before all have freed it. */
LGN_EXPORT int lagoon_table_destroy(struct lagoon_table *t)
{
	struct lagoon *lg = t->lg;
	int rc, found;

	for (int i = 0; i < lg->local_workers; i++)
		lgn_ahead_settle(&lg->worker[i], t);
	found = lgn_audit_final(lg, t);
	rc = lgn_board_sync(lg);
	if (rc)
		return rc;
	drop(t);
	rc = lgn_board_sync(lg);
	return rc ? rc : found;
}

void lgn_tables_close(struct lagoon *lg)
{
	for (int i = 0; i < LGN_TABLES; i++)
		if (lg->table[i])
			drop(lg->table[i]);
}

LGN_EXPORT int lagoon_table_get_attr(const struct lagoon_table *t,
				     struct lagoon_table_attr *attr)
{
	struct lgn_rule rule;

	if (attr->size != sizeof(*attr))
		return lgn_fail(LAGOON_EINVAL, "struct lagoon_table_attr was not set up by lagoon_table_attr_init()");
	rule = lgn_rule_now(t);
	*attr = t->attr;
	attr->model = rule.model;
	if (lgn_model_has_bound(rule.model))
		attr->staleness = rule.staleness;
	attr->sample = rule.sample;
	attr->change = rule.change;
	return 0;
}

LGN_EXPORT int lagoon_table_home(const struct lagoon_table *t, uint64_t row)
{
	int rc = lgn_table_check_rows(t, row, 1);

	return rc ? rc : t->lg->home_rank[lgn_layout_shard(&t->layout,
					lgn_layout_page(&t->layout, row))];
}
