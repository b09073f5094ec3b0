/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/ahead.h"
#include "runtime/apply.h"
#include "runtime/audit.h"
#include "runtime/base/limits.h"
#include "runtime/base/status.h"
#include "runtime/calls.h"
#include "runtime/push.h"
#include "runtime/rule.h"
#include "runtime/sparse.h"
#include "runtime/table.h"

static const char *const names[] = { "ssp", "bsp", "asp", "essp", "psp", "vap" };

const char *lgn_model_name(int model)
{
	return model >= 0 && (size_t)model < LGN_COUNT(names) ?
		names[model] : "unknown";
}

static int check_staleness(const char *name, int32_t staleness)
{
	return staleness >= 0 ? 0 :
		lgn_fail(LAGOON_EINVAL, "table %s: staleness is %d: expected 0 or more",
			 name, staleness);
}

static int check_sample(const char *name, int32_t sample)
{
	return sample >= 0 ? 0 :
		lgn_fail(LAGOON_EINVAL, "table %s: sample is %d: expected 0 or more workers",
			 name, sample);
}

static int check_change(const char *name, double change)
{
	return change >= 0 && isfinite(change) ? 0 :
		lgn_fail(LAGOON_EINVAL, "table %s: change is %g: expected 0 or more",
			 name, change);
}

int lgn_rule_read(const char *name, const struct lagoon_table_attr *attr,
		  struct lgn_rule *rule)
{
	int rc = check_staleness(name, attr->staleness);

	if (attr->model < 0 || (size_t)attr->model >= LGN_COUNT(names))
		return lgn_fail(LAGOON_EINVAL, "table %s: model %d is not known",
				name, attr->model);
	if (!rc)
		rc = check_sample(name, attr->sample);
	if (!rc)
		rc = check_change(name, attr->change);
	*rule = (struct lgn_rule){
		.model = attr->model,
		.staleness = lgn_model_has_bound(attr->model) ? attr->staleness :
			attr->model == LAGOON_BSP ? 0 : LAGOON_UNBOUNDED,
		.sample = attr->sample,
		.change = attr->change,
	};
	return rc;
}

struct lgn_rule lgn_rule_now(const struct lagoon_table *t)
{
	return (struct lgn_rule){
		.model = t->model, .staleness = t->staleness,
		.sample = t->sample, .change = t->change,
	};
}

/* ------------------------------------------------- what models need */

static int room_delta(struct lagoon_table *t)
{
	uint64_t bytes = lgn_table_bytes(t);
	int rc;

	if (t->in_place || t->delta_words || t->lg->node.n > 1)
		return 0;
	rc = lgn_limits_check(bytes * (uint64_t)t->lg->node.caches, false);
	if (!rc)
		rc = lgn_memory(t->lg, bytes + t->layout.pages * 8, 0,
				&t->delta_mem);
	t->delta_words = t->delta_mem.addr;
	return rc;
}

static int room_rows(struct lagoon_table *t)
{
	int rc = 0;

	for (int i = 0; !rc && i < t->lg->local_workers; i++)
		if (!t->part[i].rows)
			rc = lgn_sparse_open(t->attr.cols, &t->part[i].rows);
	return rc;
}

int lgn_rule_room(struct lagoon_table *t, int model)
{
	int rc = t->apply ? lgn_apply_room(t, model) :
		model == LAGOON_BSP ? room_rows(t) : room_delta(t);

	if (!rc && model == LAGOON_ESSP)
		rc = lgn_ahead_open(t);
	if (!rc && model == LAGOON_PSP)
		rc = lgn_sample_open(t);
	return rc;
}

void lgn_rule_free(struct lagoon_table *t)
{
	for (int i = 0; t->part && i < t->lg->local_workers; i++)
		lgn_sparse_close(t->part[i].rows);
	lgn_sample_close(t);
	t->lg->wire->ops->unreg(t->lg->wire, &t->delta_mem);
	free(t->used);
}

/* A fetch-and-add's largest lane: see word.h. In direct mode every worker
 * has one in flight; else every node, whose pushes are serial, and in delta
 * words each of its workers. */
static int64_t add_bound(const struct lagoon_table *t)
{
	const struct lagoon *lg = t->lg;
	int adders = t->direct ? lg->total_workers : lg->node.adders;

	if (adders < lg->node.workers)
		adders = lg->node.workers;
	return t->number.legal / 4 / (adders ? adders : 1);
}

void lgn_rule_set(struct lagoon_table *t, const struct lgn_rule *rule)
{
	bool bsp = rule->model == LAGOON_BSP;

	t->model = rule->model;
	t->staleness = rule->staleness;
	t->sample = rule->sample;
	t->change = rule->change;
	t->direct = t->in_place && !bsp;
	t->bound = add_bound(t);
	t->delta = bsp ? NULL : t->delta_words;
	t->dirty = t->delta ? t->delta + lgn_table_bytes(t) / 8 : NULL;
	for (int i = 0; i < t->lg->local_workers; i++)
		t->part[i].own = bsp ? t->part[i].rows : NULL;
	if (t->apply)
		lgn_apply_set(t);
}

void lgn_rule_count(struct lagoon_table *t, int by)
{
	if (t->model == LAGOON_BSP)
		t->lg->bsp_tables += by;
	if (t->model == LAGOON_ESSP && !t->in_place)
		t->lg->essp_tables += by;
	if (t->apply && !t->in_place)
		t->lg->apply_tables += by;
}

static void change(struct lagoon_table *t, const struct lgn_rule *rule)
{
	lgn_rule_count(t, -1);
	lgn_rule_set(t, rule);
	lgn_rule_count(t, 1);
}

/* ------------------------------------------------------------ numbers */

static int check_model(const struct lagoon_table *t, bool has,
		       const char *models, const char *what)
{
	return has ? 0 :
		lgn_fail(LAGOON_ENOTSUP, "table %s is %s: only %s has a %s to set",
			 t->name, lgn_model_name(t->model), models, what);
}

LGN_EXPORT int lagoon_table_set_staleness(struct lagoon_table *t,
					  int32_t staleness)
{
	int rc = check_model(t, lgn_model_has_bound(t->model),
			     "ssp, essp or psp", "staleness bound");

	if (!rc)
		rc = check_staleness(t->name, staleness);
	if (!rc)
		atomic_store(&t->staleness, staleness);
	atomic_fetch_add(&t->settings, 1);
	return rc;
}

LGN_EXPORT int lagoon_table_set_sample(struct lagoon_table *t, int32_t sample)
{
	int rc = check_model(t, t->model == LAGOON_PSP, "psp", "sample");

	if (!rc)
		rc = check_sample(t->name, sample);
	if (!rc)
		atomic_store(&t->sample, sample);
	atomic_fetch_add(&t->settings, 1);
	return rc;
}

LGN_EXPORT int lagoon_table_set_change(struct lagoon_table *t, double change)
{
	int rc = check_model(t, t->model == LAGOON_VAP, "vap", "change");

	if (!rc)
		rc = check_change(t->name, change);
	if (!rc)
		atomic_store(&t->change, change);
	return rc;
}

LGN_EXPORT int32_t lagoon_table_staleness(const struct lagoon_table *t)
{
	return atomic_load(&t->staleness);
}

/* --------------------------------------------------- another model */

/* What a process says when workers meet to change a model. */
struct offer {
	int32_t status;
	int32_t slot;
	int64_t low, high;	/* clocks of its workers */
	struct lgn_rule rule;
};
_Static_assert(sizeof(struct offer) <= LGN_SAID_BYTES, "one slot");

static bool same(const struct lgn_rule *a, const struct lgn_rule *b)
{
	return a->model == b->model && a->staleness == b->staleness &&
		a->sample == b->sample && a->change == b->change;
}

static void describe(const struct lagoon *lg, const struct offer *o, char *buf,
		     size_t len)
{
	const struct lgn_rule *r = &o->rule;
	const struct lagoon_table *t = o->slot < 0 ? NULL : lg->table[o->slot];

	snprintf(buf, len, "table %s to %s (staleness %d, sample %d, change %g)",
		 t ? t->name : "?", lgn_model_name(r->model), r->staleness,
		 r->sample, r->change);
}

static int check_wish(struct lagoon_worker *w, struct lagoon_table *t,
		      const struct lagoon_table_attr *attr,
		      struct lgn_rule *rule)
{
	if (attr->size != sizeof(*attr))
		return lgn_fail(LAGOON_EINVAL, "struct lagoon_table_attr was not set up by lagoon_table_attr_init()");
	if (w->busy)
		return lgn_fail(LAGOON_EINVAL, "table %s: worker %d has requests in flight: complete them before the model changes",
				t->name, w->id);
	return lgn_rule_read(t->name, attr, rule);
}

/* The workers of this process must want the same. */
static int join_wishes(struct lagoon_worker *w, struct offer *mine)
{
	const struct lagoon *lg = w->lg;

	*mine = (struct offer){
		.slot = w->wish.slot, .rule = w->wish.rule,
		.low = LGN_CLOCK_LEFT,
	};
	for (int i = 0; i < lg->local_workers; i++) {
		const struct lagoon_worker *v = &lg->worker[i];

		if (v->left)
			continue;
		mine->low = v->clock < mine->low ? v->clock : mine->low;
		mine->high = v->clock > mine->high ? v->clock : mine->high;
		if (v->wish.status) {
			lgn_errmsg_set(v->errmsg);
			return v->wish.status;
		}
		if (!v->wish.asked || v->wish.slot != mine->slot ||
		    !same(&v->wish.rule, &mine->rule))
			return lgn_fail(LAGOON_EINVAL, "workers %d and %d change a model, but not of the same table to the same: they must agree",
					v->id, w->id);
	}
	return 0;
}

/* A word of the meeting's row, as read when it was over. */
static bool takes_part(const struct lagoon *lg, int rank, int64_t met)
{
	const struct lgn_board_view *v = &lg->clock_view;

	return v->state[rank] == LGN_LIVE && (int64_t)v->clock[rank] >= met &&
		(int64_t)v->clock[rank] < LGN_CLOCK_LEFT;
}

/* bsp ends rounds together, so all must begin the same one. */
static int check_clocks(const struct lagoon *lg, const struct offer *mine,
			int64_t low, int64_t high)
{
	if (mine->rule.model != LAGOON_BSP || low == high ||
	    atomic_load(&lg->bsp_tables))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "table %s: bsp begins when all workers have the same clock, but they are at %lld to %lld",
			lg->table[mine->slot]->name, (long long)low,
			(long long)high);
}

/* Everybody comes to the same verdict from the same slots. */
static int judge(const struct lagoon *lg, const struct offer *mine,
		 const char *slots)
{
	const struct offer *first = NULL;
	int64_t low = LGN_CLOCK_LEFT, high = 0;
	char one[160], two[160];

	for (int i = 0; i < lg->size; i++) {
		const struct offer *o = lgn_board_said(lg, slots, i, LGN_MET,
						       lg->met);

		if (!o && !takes_part(lg, i, lg->met))
			continue;
		if (!o)
			return lgn_fail(LAGOON_EINVAL, "rank %d is in lagoon_barrier(), others change a model: they must agree",
					i);
		if (o->status)
			return i == lg->rank ? o->status :
				lgn_fail(o->status, "rank %d could not change the model of a table: %s",
					 i, lagoon_strerror(o->status));
		first = first ? first : o;
		low = o->low < low ? o->low : low;
		high = o->high > high ? o->high : high;
		if (o->slot == first->slot && same(&o->rule, &first->rule))
			continue;
		describe(lg, first, one, sizeof(one));
		describe(lg, o, two, sizeof(two));
		return lgn_fail(LAGOON_EINVAL, "one rank changes %s, rank %d %s: they must agree",
				one, i, two);
	}
	return check_clocks(lg, mine, low, high);
}

/* Everything that waits goes out, also the rows of a bsp round. */
static int send_all(struct lagoon_worker *w, struct lagoon_table *t)
{
	struct lagoon *lg = w->lg;
	int own = 0, more, rc;

	lgn_push_lock(lg);
	if (t->model == LAGOON_BSP)
		own = lgn_push_own(w, t);
	rc = own && own != LAGOON_ERANGE ? own : lgn_push_deltas(w);
	lgn_push_unlock(lg);
	rc = rc ? rc : own;
	if (t->apply && (!rc || rc == LAGOON_ERANGE)) {
		own = lgn_apply_round(w, t);
		rc = rc && (!own || own == LAGOON_ERANGE) ? rc : own;
	}
	more = lgn_clock_advance(w);
	return rc ? rc : more;
}

/* For all workers of the process: say what is wanted, hear the others, send,
 * and meet again: when that is over, all has arrived and every slot was read. */
static int change_together(void *arg)
{
	struct lagoon_worker *w = arg;
	struct lagoon *lg = w->lg;
	struct lagoon_table *t = lg->table[w->wish.slot];
	char *slots = malloc((size_t)lg->size * LGN_SLOT_BYTES);
	struct offer mine;
	int verdict, range = 0, rc;

	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	mine.status = 0;
	rc = join_wishes(w, &mine);
	if (!rc)
		rc = lgn_rule_room(t, mine.rule.model);
	mine.status = rc;
	snprintf(w->errmsg, sizeof(w->errmsg), "%s", rc ? lagoon_errmsg() : "");
	rc = lgn_board_tell(lg, &lg->clock_view, LGN_MET, ++lg->met, &mine,
			    sizeof(mine), slots);
	if (!rc && mine.status)
		lgn_errmsg_set(w->errmsg);
	verdict = rc ? rc : judge(lg, &mine, slots);
	free(slots);
	if (!verdict)
		range = send_all(w, t);
	if (rc || (range && range != LAGOON_ERANGE))
		return rc ? rc : range;
	rc = lgn_board_meet(lg, &lg->clock_view, LGN_MET, ++lg->met);
	if (rc || verdict)
		return rc ? rc : verdict;
	change(t, &mine.rule);
	lgn_audit_model(t, mine.high);
	lg->rules++;
	atomic_fetch_add(&lg->epoch, 1);
	return range;
}

int lgn_rule_change(struct lagoon_worker *w, struct lagoon_table *t,
		    const struct lagoon_table_attr *attr)
{
	int rc = lgn_worker_check(w);

	if (rc)
		return rc;
	/* One who cannot take part says so to all instead of leaving them
	 * waiting. */
	w->wish.asked = true;
	w->wish.slot = t->slot;
	w->wish.status = check_wish(w, t, attr, &w->wish.rule);
	snprintf(w->errmsg, sizeof(w->errmsg), "%s",
		 w->wish.status ? lagoon_errmsg() : "");
	rc = lgn_meet(w, change_together);
	w->wish.asked = false;
	return rc;
}

/* ------------------------------------------------------ who was away */

/* Whoever took part in most changes took part in all: workers leave, and do
 * not come back before all processes meet here. -1: all have seen the same. */
static int best_informed(const struct lagoon *lg, const char *slots, int *rules)
{
	int best = -1, low = INT_MAX, high = -1;

	for (int i = 0; i < lg->size; i++) {
		const struct offer *o =
			(const void *)(slots + (size_t)i * LGN_SLOT_BYTES);

		if (atomic_load(&lg->member[i].dead))
			continue;
		low = o->status < low ? o->status : low;
		if (o->status <= high)
			continue;
		high = o->status;
		best = i;
	}
	*rules = high;
	return low == high ? -1 : best;
}

/* Copies are shared, so their dates must mean the same to all; who had left
 * has missed barriers. */
static void agree_epoch(struct lagoon *lg, const char *slots)
{
	for (int i = 0; i < lg->size; i++) {
		const struct offer *o =
			(const void *)(slots + (size_t)i * LGN_SLOT_BYTES);

		if (!atomic_load(&lg->member[i].dead) &&
		    (uint64_t)o->high > atomic_load(&lg->epoch))
			atomic_store(&lg->epoch, (uint64_t)o->high);
	}
}

int lgn_rules_agree(struct lagoon *lg)
{
	char *slots = malloc((size_t)lg->size * LGN_SLOT_BYTES);
	struct offer mine = { .status = lg->rules,
			      .high = (int64_t)atomic_load(&lg->epoch) };
	int best = -1, rules = lg->rules, rc, full = 0;

	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	rc = lgn_board_exchange(lg, &mine, sizeof(mine), slots);
	if (!rc) {
		best = best_informed(lg, slots, &rules);
		agree_epoch(lg, slots);
	}
	for (int i = 0; !rc && best >= 0 && i < LGN_TABLES; i++) {
		struct lagoon_table *t = lg->table[i];
		const struct offer *o =
			(const void *)(slots + (size_t)best * LGN_SLOT_BYTES);

		if (!t)
			continue;
		mine = (struct offer){ .slot = i, .rule = lgn_rule_now(t) };
		rc = lgn_board_exchange(lg, &mine, sizeof(mine), slots);
		if (rc || lg->rules == rules)
			continue;
		if (!full)
			full = lgn_rule_room(t, o->rule.model);
		if (!full)
			change(t, &o->rule);
	}
	if (!rc && !full)
		lg->rules = rules;
	free(slots);
	return rc ? rc : full;
}
