/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger: see audit.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/audit.h"
#include "runtime/base/env.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/push.h"
#include "runtime/table.h"
#include "runtime/word.h"

/* What a process says when the audit begins. */
struct hello {
	int32_t status;
	struct lgn_key clocks;
};
_Static_assert(sizeof(struct hello) <= LGN_SAID_BYTES, "one slot");

/* ------------------------------------------------------------- results */

int lgn_audit_broken(const struct lagoon *lg)
{
	int rc = lg->audit ? atomic_load(&lg->audit->broken) : 0;

	if (lgn_likely(!rc) || rc > 0)	/* being written */
		return 0;
	lgn_errmsg_set(lg->audit->why);
	return rc;
}

int lgn_audit_fail(struct lagoon *lg, const char *fmt, ...)
{
	char text[400];
	int none = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	lgn_fail(LAGOON_ECORRUPT, "LAGOON_CHECK: %s", text);
	if (atomic_compare_exchange_strong(&lg->audit->broken, &none, 1)) {
		snprintf(lg->audit->why, sizeof(lg->audit->why), "%s",
			 lagoon_errmsg());
		atomic_store(&lg->audit->broken, LAGOON_ECORRUPT);
		lgn_log(LGN_ERROR, "LAGOON_CHECK: %s", text);
	}
	return LAGOON_ECORRUPT;
}

/* ------------------------------------------------------------- opening */

static int open_worker(struct lagoon *lg, struct lgn_audit_worker *a)
{
	uint64_t n = (uint64_t)lg->total_workers;
	int rc = lgn_memory(lg, (n * (LGN_AUDIT_RING + 1) + LGN_AUDIT_PUTS) * 8,
			    LGN_ACC_LOCAL, &a->mem);

	if (rc)
		return rc;
	a->ring = a->mem.addr;
	a->clock = a->ring + n * LGN_AUDIT_RING;
	a->out = a->clock + n;
	a->tail = calloc(n, sizeof(*a->tail));
	a->text = calloc(n, 16);
	return a->tail && a->text ? 0 :
		lgn_fail(LAGOON_ENOMEM, "no memory for LAGOON_CHECK");
}

static int prepare(struct lagoon *lg, struct hello *mine)
{
	struct lgn_audit *a = calloc(1, sizeof(*a));
	int rc = 0;

	if (!a)
		return lgn_fail(LAGOON_ENOMEM, "no memory for LAGOON_CHECK");
	lg->audit = a;
	a->worker = calloc((size_t)lg->local_workers + 1, sizeof(*a->worker));
	if (!a->worker)
		return lgn_fail(LAGOON_ENOMEM, "no memory for LAGOON_CHECK");
	for (int i = 0; !rc && i < lg->local_workers; i++)
		rc = open_worker(lg, &a->worker[i]);
	if (!rc)
		rc = lgn_memory(lg, LGN_AUDIT_SOURCES * LGN_AUDIT_CHUNK * 8,
				LGN_ACC_LOCAL, &a->scratch_mem);
	a->scratch = a->scratch_mem.addr;
	if (!rc && !lg->rank)
		rc = lgn_memory(lg, ((uint64_t)lg->total_workers +
				     (uint64_t)lg->size) * 8,
				LGN_ACC_READ | LGN_ACC_WRITE, &a->clocks_mem);
	mine->clocks = a->clocks_mem.key;
	return rc;
}

int lgn_audit_open(struct lagoon *lg)
{
	struct hello mine = { 0 };
	char keep[512], *all;
	int check, rc = lgn_env_choice(LGN_ENV_ID_CHECK, &check);

	if (rc || !check)
		return rc;
	all = malloc((size_t)lg->size * LGN_SLOT_BYTES);
	if (!all)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	mine.status = prepare(lg, &mine);
	snprintf(keep, sizeof(keep), "%s", mine.status ? lagoon_errmsg() : "");
	rc = lgn_board_exchange(lg, &mine, sizeof(mine), all);
	for (int i = 0; !rc && i < lg->size; i++) {
		const struct hello *h = (const struct hello *)
			(all + (size_t)i * LGN_SLOT_BYTES);

		if (h->status)
			rc = lgn_fail(h->status, "rank %d cannot begin LAGOON_CHECK", i);
		else if (!i)
			rc = lg->wire->ops->attach(lg->wire, 0, &h->clocks,
						   &lg->audit->clocks);
	}
	if (mine.status) {
		lgn_errmsg_set(keep);
		rc = mine.status;
	}
	for (int i = 0; !rc && i < lg->local_workers; i++)
		lg->worker[i].watched = true;
	free(all);
	return rc;
}

void lgn_audit_close(struct lagoon *lg)
{
	const struct lgn_wire_ops *ops = lg->wire->ops;
	struct lgn_audit *a = lg->audit;

	if (!a)
		return;
	lgn_log(LGN_INFO, "LAGOON_CHECK: %llu pages of pulls and %llu words of shards verified, %llu pages passed over",
		(unsigned long long)a->pages, (unsigned long long)a->words,
		(unsigned long long)a->skipped);
	for (int i = 0; a->worker && i < lg->local_workers; i++) {
		ops->unreg(lg->wire, &a->worker[i].mem);
		free(a->worker[i].tail);
		free(a->worker[i].text);
	}
	ops->detach(&a->clocks);
	ops->unreg(lg->wire, &a->clocks_mem);
	ops->unreg(lg->wire, &a->scratch_mem);
	free(a->worker);
	free(a);
	lg->audit = NULL;
}

/* -------------------------------------------------------------- tables */

/* Words to which integers are added, and nothing else is done. */
static bool is_sum(const struct lagoon_table *t)
{
	return t->attr.format <= LAGOON_I32;
}

void lgn_audit_layout(struct lagoon_table *t)
{
	if (!t->lg->audit || !is_sum(t))
		return;
	t->tail = t->layout.page_words;
	t->layout.page_words += (uint64_t)t->lg->total_workers;
}

uint64_t lgn_audit_shard_bytes(const struct lagoon_table *t, uint64_t pages)
{
	uint64_t ring = (uint64_t)t->lg->total_workers * LGN_AUDIT_RING;

	if (!t->tail)
		return 0;
	return pages * 8 * (ring + (uint64_t)t->lg->size * t->layout.page_words);
}

static uint64_t shard_pages(const struct lagoon_table *t, uint64_t shard)
{
	return lgn_layout_shard_pages(&t->layout, shard);
}

uint64_t lgn_audit_ring_offset(const struct lagoon_table *t, uint64_t page,
			       int id)
{
	uint64_t pages = shard_pages(t, lgn_layout_shard(&t->layout, page));
	uint64_t entry = lgn_layout_slot(&t->layout, page) *
		(uint64_t)t->lg->total_workers + (uint64_t)id;

	return 8 * (pages * t->layout.page_words + entry * LGN_AUDIT_RING);
}

uint64_t lgn_audit_image_offset(const struct lagoon_table *t, uint64_t shard,
				int rank)
{
	uint64_t pages = shard_pages(t, shard);
	uint64_t ring = (uint64_t)t->lg->total_workers * LGN_AUDIT_RING;

	return 8 * pages * (t->layout.page_words + ring +
			    (uint64_t)rank * t->layout.page_words);
}

static bool open_part(const struct lagoon_table *t, struct lgn_audit_part *part)
{
	uint64_t pages = t->layout.pages;

	part->count = calloc(pages, sizeof(*part->count));
	part->seen = calloc(pages * (uint64_t)t->lg->total_workers,
			    sizeof(*part->seen));
	part->slot = calloc(pages, sizeof(*part->slot));
	part->touched = calloc(pages, sizeof(*part->touched));
	part->mark = calloc(pages, sizeof(*part->mark));
	return part->count && part->seen && part->slot && part->touched &&
		part->mark;
}

int lgn_audit_table_open(struct lagoon_table *t)
{
	uint64_t words = t->layout.pages * t->layout.page_words;
	struct lgn_audit_table *a;
	bool good;
	int rc;

	if (!t->tail)
		return 0;
	a = calloc(1, sizeof(*a));
	t->audit = a;
	if (!a)
		goto none;
	a->model_key = INT64_MIN;
	rc = lgn_memory(t->lg, words * 8, LGN_ACC_LOCAL, &a->image_mem);
	if (rc)
		return rc;
	a->image = a->image_mem.addr;
	a->pending = calloc(words, sizeof(*a->pending));
	a->changed = calloc(t->layout.pages, sizeof(*a->changed));
	a->part = calloc((size_t)t->lg->local_workers + 1, sizeof(*a->part));
	good = a->pending && a->changed && a->part;
	for (int i = 0; good && i < t->lg->local_workers; i++)
		good = open_part(t, &a->part[i]);
	if (good)
		return 0;
none:
	return lgn_fail(LAGOON_ENOMEM, "table %s: no memory for LAGOON_CHECK",
			t->name);
}

void lgn_audit_table_close(struct lagoon_table *t)
{
	struct lgn_audit_table *a = t->audit;

	if (!a)
		return;
	t->lg->wire->ops->unreg(t->lg->wire, &a->image_mem);
	for (int i = 0; a->part && i < t->lg->local_workers; i++) {
		free(a->part[i].count);
		free(a->part[i].seen);
		free(a->part[i].slot);
		free(a->part[i].touched);
		free(a->part[i].mark);
	}
	free(a->part);
	free(a->pending);
	free(a->changed);
	free(a);
	t->audit = NULL;
}

/* ---------------------------------------------------------------- adds */

static void give(struct lagoon_table *t, bool own, uint64_t page, uint64_t word,
		 uint64_t delta)
{
	struct lgn_audit_table *a = t->audit;
	_Atomic uint64_t *to = own ? a->pending : a->image;

	atomic_fetch_add_explicit(&to[page * t->layout.page_words + word], delta,
				  memory_order_relaxed);
	if (!atomic_load_explicit(&a->changed[page], memory_order_relaxed))
		atomic_store_explicit(&a->changed[page], true,
				      memory_order_relaxed);
}

static uint32_t count_max(const struct lagoon_table *t)
{
	return t->number.type == LAGOON_F32 ? 1u << 24 : 1u << 29;
}

/* One add more in the worker's tail of the page. */
static void touch(struct lagoon_worker *w, struct lagoon_table *t, uint64_t page)
{
	struct lgn_audit_part *part = &t->audit->part[w->index];
	uint64_t word = t->tail + (uint64_t)w->id;
	bool own = t->part[w->index].own;
	_Atomic uint64_t *words;

	if (part->count[page] == count_max(t))
		return;
	part->count[page]++;
	if (!part->mark[page]) {
		part->mark[page] = true;
		part->touched[part->n_touched++] = page;
	}
	give(t, own, page, word, 1);
	if (own)
		return;
	words = t->direct ? (_Atomic uint64_t *)t->map[page] :
		lgn_table_delta(t, page);
	lgn_word_add(&words[word], t->number.lanes, t->number.legal, t->bound, 1);
	if (t->direct)
		return;
	lgn_page_mark(&t->dirty[page], word, t->layout.page_words);
	/* The caller holds the push lock, as for its own words. */
	if (t->model == LAGOON_VAP)
		lgn_push_changed(t->lg->push, page, word);
}

void lgn_audit_added(struct lagoon_worker *w, struct lagoon_table *t,
		     uint64_t page, uint64_t first, const int64_t *lanes,
		     size_t n)
{
	bool own = t->part[w->index].own, pairs = t->number.lanes == 2;
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t e = first + i;

		sum |= (uint64_t)lanes[i];
		if (pairs)
			give(t, own, page, e / 2, e % 2 ?
			     lgn_word_pack(0, lanes[i]) : lgn_word_pack(lanes[i], 0));
		else
			give(t, own, page, e, (uint64_t)lanes[i]);
	}
	if (sum)
		touch(w, t, page);
}

void lgn_audit_fetch_added(struct lagoon_table *t, uint64_t row, uint32_t col,
			   int64_t delta)
{
	if (t->audit)
		give(t, false, lgn_layout_page(&t->layout, row),
		     lgn_layout_element(&t->layout, row) + col, (uint64_t)delta);
}

void lgn_audit_rejected(struct lagoon_table *t, uint64_t page, uint64_t word,
			uint64_t part)
{
	if (t->audit)
		give(t, t->model == LAGOON_BSP, page, word, -part);
}

uint64_t lgn_audit_pending(const struct lagoon_table *t, uint64_t page, int k)
{
	uint64_t id = (uint64_t)t->lg->worker[k].id;

	return t->audit->pending[page * t->layout.page_words + t->tail + id];
}

void lgn_audit_sent(struct lagoon_table *t)
{
	uint64_t words = t->layout.pages * t->layout.page_words;
	struct lgn_audit_table *a = t->audit;

	for (uint64_t i = 0; a && i < words; i++) {
		if (!a->pending[i])
			continue;
		a->image[i] += atomic_exchange(&a->pending[i], 0);
		a->changed[i / t->layout.page_words] = true;
	}
}

/* -------------------------------------------------------------- rounds */

static int run(struct lagoon_worker *w, uint32_t *n)
{
	struct lgn_audit_worker *a = &w->lg->audit->worker[w->index];
	struct lgn_batch batch = { .wr = a->wr, .n = *n };
	int rc = *n ? lgn_wire_run(w->lg->wire, &batch, w->lg->timeout_s) : 0;

	*n = 0;
	return rc;
}

static void append(struct lagoon_worker *w, uint32_t *n, struct lgn_rmem *mem,
		   uint64_t off, uint64_t word)
{
	struct lgn_audit_worker *a = &w->lg->audit->worker[w->index];

	a->out[*n] = word;
	a->wr[*n] = (struct lgn_wr){
		.mem = mem, .off = off, .local = &a->out[*n], .buf = &a->mem,
		.len = 8, .op = LGN_PUT,
	};
	(*n)++;
}

/* The pages that w has added to in this round. */
static int write_rings(struct lagoon_worker *w, struct lagoon_table *t)
{
	struct lgn_audit_part *part = &t->audit->part[w->index];
	uint64_t key = (uint64_t)lgn_audit_key(w->lg->audit, w->clock);
	uint32_t n = 0;
	int rc = 0;

	for (uint64_t i = 0; i < part->n_touched && !rc; i++) {
		uint64_t page = part->touched[i];

		part->mark[page] = false;
		append(w, &n, &t->shard[lgn_layout_shard(&t->layout, page)],
		       lgn_audit_ring_offset(t, page, w->id) +
				8 * (uint64_t)(part->slot[page]++ % LGN_AUDIT_RING),
		       key << LGN_AUDIT_COUNT_BITS | part->count[page]);
		if (n == LGN_AUDIT_PUTS || n == w->lg->wire->max_batch)
			rc = run(w, &n);
	}
	part->n_touched = 0;
	return rc ? rc : run(w, &n);
}

int lgn_audit_round(struct lagoon_worker *w, bool leaves)
{
	struct lagoon *lg = w->lg;
	uint32_t n = 0;
	int rc = 0;

	if (!lg->audit)
		return 0;
	for (int i = 0; i < LGN_TABLES && !rc; i++)
		if (lg->table[i] && lg->table[i]->audit)
			rc = write_rings(w, lg->table[i]);
	if (rc)
		return rc;
	append(w, &n, &lg->audit->clocks, (uint64_t)w->id * 8, (uint64_t)
	       lgn_audit_key(lg->audit, leaves ? LGN_AUDIT_LEFT : w->clock + 1));
	return run(w, &n);
}

void lgn_audit_restart(struct lagoon *lg)
{
	if (lg->audit)
		atomic_fetch_add(&lg->audit->restarts, 1);
}

void lgn_audit_model(struct lagoon_table *t, int64_t clock)
{
	if (t->audit)
		t->audit->model_key = lgn_audit_key(t->lg->audit, clock);
}
