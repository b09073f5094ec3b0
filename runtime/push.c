/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "runtime/apply.h"
#include "runtime/audit.h"
#include "runtime/base/status.h"
#include "runtime/push.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/word.h"

/* Take the deltas of words [from, to) of a page in PUSHING, its version odd.
 * During sends it is even, so that views do not wait for the network. */
static int take(struct lgn_push *p, uint64_t number, uint64_t from, uint64_t to)
{
	struct lagoon_table *t = p->t;
	struct lgn_page *page = &t->page[number];
	_Atomic uint64_t *delta = lgn_table_delta(t, number);
	_Atomic uint64_t *taken = &t->lg->node.control->taken;
	int rc = 0;

	for (uint64_t i = from; i < to && !rc; i++) {
		uint64_t d;

		if (!atomic_load_explicit(&delta[i], memory_order_relaxed))
			continue;
		atomic_store_explicit(taken, p->batch.n + p->n_large + 1,
				      memory_order_release);
		d = atomic_exchange(&delta[i], 0);
		if (!d)
			continue;
		lgn_table_copy_in(t, number, i, d);
		lgn_push_append(p, number, i, d);
		if (!lgn_push_full(p))
			continue;
		atomic_fetch_add(&page->version, 1);
		rc = lgn_push_send(p);
		atomic_fetch_add(&page->version, 1);
	}
	return rc;
}

/* First word of the part of a page that bit stands for; see lgn_page_mark(). */
static uint64_t part_start(const struct lagoon_table *t, uint64_t bit)
{
	return (bit * t->layout.page_words + 63) / 64;
}

/* Nobody waits for a page while he holds others: processes of a node that push
 * the same pages would wait for each other. */
static int hold(struct lgn_push *p, uint64_t number)
{
	int rc = 0;

	if (lgn_page_acquire(&p->t->page[number], LGN_PUSHING, p->t->lg->rank))
		return 0;
	if (p->n_held)
		rc = lgn_push_send(p);
	return rc ? rc : lgn_table_hold(p->t, number);
}

static int push_page(struct lgn_push *p, uint64_t number)
{
	struct lgn_page *page = &p->t->page[number];
	uint64_t mask, all;
	int rc = hold(p, number);

	if (rc)
		return rc;
	/* Odd before anything moves or looks clean, even after all has moved:
	 * seq_cst read-modify-writes, which later accesses cannot pass. */
	atomic_fetch_add(&page->version, 1);
	mask = all = atomic_exchange(&p->t->dirty[number], 0);
	while (mask && !rc) {
		uint64_t bit = (uint64_t)__builtin_ctzll(mask);
		uint64_t run = bit + 1;

		while (run < 64 && mask >> run & 1)
			run++;
		mask = run < 64 ? mask >> run << run : 0;
		rc = take(p, number, part_start(p->t, bit), part_start(p->t, run));
	}
	if (rc)		/* what was not taken must go on being seen */
		atomic_fetch_or(&p->t->dirty[number], all);
	atomic_fetch_add(&page->version, 1);
	p->held[p->n_held++] = number;
	if (!rc && p->n_held == LGN_PUSH_WRS)
		rc = lgn_push_send(p);
	return rc;
}

static void begin(struct lgn_push *p, struct lagoon_worker *w,
		  struct lagoon_table *t)
{
	p->t = t;
	p->counts = &t->part[w->index].counts;
	lgn_flush_begin(&p->flush, w, t);
	p->batch.n = 0;
	p->n_large = p->n_held = 0;
	atomic_store(&t->lg->node.control->table, (uint32_t)t->slot);
}

/* Every process starts at another page, so that hot pages are not hit by all
 * at once. */
static int push_table(struct lgn_push *p)
{
	const struct lagoon_table *t = p->t;
	uint64_t pages = t->layout.pages;
	uint64_t first = pages * (uint64_t)t->lg->rank / (uint64_t)t->lg->size;
	int rc = 0;

	for (uint64_t i = 0; i < pages && !rc; i++) {
		uint64_t n = first + i < pages ? first + i : first + i - pages;

		if (atomic_load(&t->dirty[n]))
			rc = push_page(p, n);
	}
	if (!rc)
		return lgn_push_send(p);
	lgn_push_release(p, rc);
	return rc;
}

/* LAGOON_ERANGE is told after all else was done. */
static int pushed(struct lgn_push *p, int rc)
{
	if (rc != LAGOON_ERANGE)
		return rc;
	p->range = rc;
	return 0;
}

int lgn_push_deltas(struct lagoon_worker *w)
{
	struct lgn_push *p = w->lg->push;
	int rc = 0;

	p->range = 0;
	for (int i = 0; i < LGN_TABLES && !rc; i++) {
		struct lagoon_table *t = w->lg->table[i];

		if (t && t->apply) {
			lgn_flush_begin(&p->flush, w, t);
			rc = pushed(p, lgn_apply_push(w, t));
			lgn_flush_end(&p->flush);
		}
		if (!t || !t->delta)
			continue;
		begin(p, w, t);
		rc = push_table(p);
		lgn_flush_end(&p->flush);
	}
	return rc ? rc : p->range;
}

void lgn_push_open_words(struct lagoon_worker *w, struct lagoon_table *t,
			 int64_t most)
{
	struct lgn_push *p = w->lg->push;

	p->w = w;
	p->t = t;
	p->counts = &t->part[w->index].counts;
	p->batch.n = 0;
	p->n_large = p->n_held = p->n_over = 0;
	p->range = p->status = 0;
	p->most = most;
	atomic_store(&t->lg->node.control->table, (uint32_t)t->slot);
}

static int by_place(const void *a, const void *b)
{
	const struct lgn_pushed *x = a, *y = b;

	if (x->page != y->page)
		return x->page < y->page ? -1 : 1;
	return (x->word > y->word) - (x->word < y->word);
}

static int64_t unpushed(const struct lgn_push *p, const struct lgn_pushed *at)
{
	return lgn_word_most(p->t->number.lanes,
			     atomic_load_explicit(&lgn_table_delta(p->t, at->page)[at->word],
						  memory_order_relaxed));
}

/* What an add leaves behind, for the statistics and the bound's test. */
static void count_unpushed(struct lgn_push *p, int64_t lane)
{
	_Atomic uint64_t *most = &p->counts->unpushed;

	if ((uint64_t)lane > atomic_load_explicit(most, memory_order_relaxed))
		atomic_store_explicit(most, (uint64_t)lane, memory_order_relaxed);
}

void lgn_push_changed(struct lgn_push *p, uint64_t page, uint64_t word)
{
	struct lgn_pushed at = { page, word };
	int64_t lane = unpushed(p, &at);

	if (lane <= p->most) {
		count_unpushed(p, lane);
		return;
	}
	p->over[p->n_over++] = at;
	if (p->n_over == LGN_PUSH_WRS)
		lgn_push_words(p);
}

/* The words of one page, from the list's entry i on; returns the entry after
 * them. A word that stands twice is empty the second time. The page's dirty
 * bits stay: the next push looks, and finds nothing. */
static uint32_t push_over(struct lgn_push *p, uint32_t i, int *rc)
{
	uint64_t number = p->over[i].page;
	struct lgn_page *page = &p->t->page[number];

	*rc = hold(p, number);
	if (*rc)
		return i;
	atomic_fetch_add(&page->version, 1);
	for (; i < p->n_over && p->over[i].page == number && !*rc; i++)
		*rc = take(p, number, p->over[i].word, p->over[i].word + 1);
	atomic_fetch_add(&page->version, 1);
	p->held[p->n_held++] = number;
	return i;
}

static int push_list(struct lgn_push *p)
{
	int rc = 0;

	lgn_flush_begin(&p->flush, p->w, p->t);
	qsort(p->over, p->n_over, sizeof(p->over[0]), by_place);
	for (uint32_t i = 0; i < p->n_over && !rc; )
		i = push_over(p, i, &rc);
	if (rc)
		lgn_push_release(p, rc);
	else
		rc = lgn_push_send(p);
	for (uint32_t i = 0; i < p->n_over && !rc; i++)
		count_unpushed(p, unpushed(p, &p->over[i]));
	p->n_over = 0;
	lgn_flush_end(&p->flush);
	return rc ? rc : p->range;
}

int lgn_push_words(struct lgn_push *p)
{
	int rc = p->n_over ? push_list(p) : 0;

	p->status = p->status ? p->status : rc;
	return p->status;
}

/* A word of a bsp round: at once where the CPU may, else with the others. */
static int push_word(struct lgn_push *p, uint64_t page, uint64_t word,
		     uint64_t delta)
{
	struct lagoon_table *t = p->t;
	struct lgn_pushed at = { page, word };
	int mask;

	if (!delta)
		return 0;
	if (!t->in_place) {
		lgn_push_append(p, page, word, delta);
		return lgn_push_full(p) ? lgn_push_send(p) : 0;
	}
	mask = lgn_word_add((_Atomic uint64_t *)t->map[page] + word,
			    t->number.lanes, t->number.legal, t->bound, delta);
	lgn_count(&p->counts->words_pushed, 1);
	if (lgn_unlikely(mask))
		lgn_push_report(p, &at, mask, delta);
	return 0;
}

static int push_row(struct lgn_push *p, uint64_t row, const int64_t *lanes)
{
	const struct lgn_layout *l = &p->t->layout;
	uint64_t page = lgn_layout_page(l, row);
	uint64_t e = lgn_layout_element(l, row);
	uint32_t n = l->cols;
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; ) {
		bool odd = (e + i) & 1;

		if (l->lanes == 1) {
			rc = push_word(p, page, e + i, (uint64_t)lanes[i]);
			i++;
			continue;
		}
		rc = push_word(p, page, (e + i) / 2,
			       odd ? lgn_word_pack(0, lanes[i]) :
			       lgn_word_pack(lanes[i], i + 1 < n ? lanes[i + 1] : 0));
		i += odd ? 1 : 2;
	}
	return rc;
}

/* One worker's rows. What a batch holds is of one worker, so that a node has
 * one add in flight for a lane. */
static int push_rows(struct lgn_push *p, struct lgn_sparse *own)
{
	int rc = 0;

	for (uint64_t i = 0; i < own->used && !rc; i++)
		rc = push_row(p, own->row[i], own->lanes + i * own->cols);
	if (!rc)
		rc = lgn_push_send(p);
	lgn_sparse_clear(own);
	return rc;
}

/* LAGOON_CHECK: what each worker's rows add to the tails of their pages. */
static int push_tails(struct lgn_push *p)
{
	const struct lagoon_table *t = p->t;
	int rc = 0;

	for (int k = 0; k < t->lg->local_workers && !rc; k++) {
		uint64_t word = t->tail + (uint64_t)t->lg->worker[k].id;

		for (uint64_t i = 0; i < t->layout.pages && !rc; i++)
			rc = push_word(p, i, word, lgn_audit_pending(t, i, k));
		if (!rc)
			rc = lgn_push_send(p);
	}
	lgn_audit_sent(p->t);
	return rc;
}

static int push_own(struct lgn_push *p, struct lagoon_worker *w,
		    struct lagoon_table *t)
{
	int rc = 0;

	begin(p, w, t);
	for (int k = 0; k < w->lg->local_workers && !rc; k++)
		rc = push_rows(p, t->part[k].own);
	if (!rc && t->audit)
		rc = push_tails(p);
	lgn_flush_end(&p->flush);
	return rc;
}

int lgn_push_own(struct lagoon_worker *w, struct lagoon_table *t)
{
	struct lgn_push *p = w->lg->push;
	int rc = 0;

	p->range = 0;
	if (!t->apply)
		rc = push_own(p, w, t);
	return rc ? rc : p->range;
}

int lgn_push_round(struct lagoon_worker *w)
{
	struct lgn_push *p = w->lg->push;
	int rc = 0;

	p->range = 0;
	for (int i = 0; i < LGN_TABLES && !rc; i++) {
		struct lagoon_table *t = w->lg->table[i];

		if (t && !t->apply && t->model == LAGOON_BSP)
			rc = push_own(p, w, t);
	}
	return rc ? rc : p->range;
}
