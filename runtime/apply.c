/* SPDX-License-Identifier: BSD-3-Clause */
/* A table's part that apply mode adds. */
#include <stdlib.h>
#include <string.h>

#include "runtime/apply.h"
#include "runtime/base/status.h"
#include "runtime/pending.h"
#include "runtime/rule.h"
#include "runtime/sender.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/update_log.h"

static const char *const push_name[] = { "atomic", "apply" };

int lgn_apply_check(const char *name, const struct lagoon_table_attr *a)
{
	bool real = lgn_apply_format(a->format);

	if (a->push != LAGOON_PUSH_ATOMIC && a->push != LAGOON_PUSH_APPLY)
		return lgn_fail(LAGOON_EINVAL, "table %s: push %d is not known",
				name, a->push);
	if (real != (a->push == LAGOON_PUSH_APPLY))
		return lgn_fail(LAGOON_EINVAL, "table %s: push %s does not go with this format: f64 and f32 need apply, the others atomic",
				name, push_name[a->push]);
	if (real || !a->update || !a->update[0] || !strcmp(a->update, "add"))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "table %s: update function %.60s: only tables with push apply (formats f64 and f32) have one",
			name, a->update);
}

static int no_memory(const struct lagoon_table *t)
{
	return lgn_fail(LAGOON_ENOMEM, "table %s: no memory for %llu pages",
			t->name, (unsigned long long)t->layout.pages);
}

/* The largest shard's: the first has the longest share of the last turn. */
static uint64_t stride_of(const struct lagoon_table *t)
{
	uint64_t pages = lgn_layout_shard_pages(&t->layout, 0);

	return (pages ? pages : 1) * t->layout.page_words * 8;
}

int lgn_apply_open(struct lagoon_table *t, const char *text)
{
	struct lgn_apply *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return no_memory(t);
	a->text = strdup(text && text[0] ? text : "add");
	a->place = calloc(t->layout.pages, sizeof(*a->place));
	rc = a->text && a->place ?
		lgn_update_open(a->text, t->attr.type, &a->fn) : no_memory(t);
	if (rc) {
		free(a->place);
		free(a->text);
		free(a);
		return rc;
	}
	a->size = (uint32_t)a->fn.type_size;
	a->sum = !a->fn.object && !strcmp(a->fn.fn->name, "add");
	a->stride = stride_of(t);
	t->attr.update = a->text;
	t->apply = a;
	return t->in_place ? 0 : lgn_sender_open(t->lg);
}

void lgn_apply_close(struct lagoon_table *t)
{
	struct lgn_apply *a = t->apply;

	if (!a)
		return;
	lgn_sender_forget(t->lg, t);
	lgn_pending_close(t);
	lgn_log_close(t);
	lgn_update_close(&a->fn);
	free(a->place);
	free(a->text);
	free(a);
	t->apply = NULL;
}

static uint64_t states(const struct lagoon_table *t)
{
	return t->apply->fn.fn->states;
}

uint64_t lgn_apply_shard_bytes(const struct lagoon_table *t)
{
	const struct lgn_apply *a = t->apply;
	uint64_t pages = a->stride / (t->layout.page_words * 8);

	return (1 + states(t)) * a->stride + pages * sizeof(uint64_t);
}

int lgn_apply_init(struct lagoon_table *t)
{
	const struct lgn_apply *a = t->apply;
	char *base = t->home.addr;
	void *state[LAGOON_UPDATE_STATES];

	for (uint64_t k = 0; k < states(t); k++)
		state[k] = base + (k + 1) * a->stride;
	return lgn_update_init(&a->fn, a->stride / a->size, base, state);
}

/* Where pages are, that this process may change. */
static void find_places(struct lagoon_table *t)
{
	struct lgn_apply *a = t->apply;

	for (uint64_t page = 0; page < t->layout.pages; page++) {
		uint64_t shard = lgn_layout_shard(&t->layout, page);
		char *base = t->in_place ? (char *)t->shard[shard].map :
			(int)shard == t->home_index ? t->home.addr : NULL;

		if (!base)
			continue;
		a->place[page] = (struct lgn_place_of_page){
			.value = base + lgn_table_offset(t, page),
			.lock = (_Atomic uint64_t *)(base + lgn_apply_locks(t)) +
				lgn_layout_slot(&t->layout, page),
		};
	}
}

int lgn_apply_attach(struct lagoon_table *t)
{
	find_places(t);
	if (t->in_place)
		return 0;
	lgn_sender_enter(t->lg, t);
	return lgn_sender_start(t->lg);
}

int lgn_apply_allows(const struct lagoon_table *t, int model)
{
	int combine = t->apply->fn.combine;

	if (model != LAGOON_VAP || combine == LAGOON_COMBINE_SUM ||
	    combine == LAGOON_COMBINE_NONE)
		return 0;
	return lgn_fail(LAGOON_ENOTSUP, "table %s: vap bounds changes that add up, those of %s do not",
			t->name, t->apply->text);
}

/* Rows of bsp are of words, each filled up. */
static int room_rows(struct lagoon_table *t)
{
	uint32_t words = (t->layout.cols * t->apply->size + 7) / 8;
	int rc = 0;

	for (int i = 0; !rc && i < t->lg->local_workers; i++)
		if (!t->part[i].rows)
			rc = lgn_sparse_open(words, &t->part[i].rows);
	return rc;
}

int lgn_apply_room(struct lagoon_table *t, int model)
{
	int rc = lgn_apply_allows(t, model);

	if (rc)
		return rc;
	if (model != LAGOON_BSP && t->in_place)
		return 0;
	if (!lgn_apply_combines(t->apply))
		return lgn_log_open(t);
	return model == LAGOON_BSP ? room_rows(t) : lgn_pending_open(t);
}
