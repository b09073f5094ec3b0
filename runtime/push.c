/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "runtime/apply.h"
#include "runtime/audit.h"
#include "runtime/base/status.h"
#include "runtime/push.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/word.h"

static void report(struct lgn_push *p, const struct lgn_pushed *at, int mask,
		   uint64_t delta)
{
	const struct lagoon_table *t = p->t;
	uint64_t element = at->word * (uint64_t)t->number.lanes +
		(mask == LGN_REJECT_HIGH);
	int64_t lane = t->number.lanes == 1 ? (int64_t)delta :
		mask & LGN_REJECT_LOW ? lgn_lane_low(delta) : lgn_lane_high(delta);
	uint64_t row;
	uint32_t col;

	lgn_table_locate(t, at->page, element, &row, &col);
	lgn_audit_rejected(p->t, at->page, at->word,
			   lgn_word_part(t->number.lanes, delta, mask));
	lgn_count(&p->counts->rejected, mask == 3 ? 2 : 1);
	p->range = lgn_fail(LAGOON_ERANGE,
			    "table %s row %llu column %u: adding %g leaves the legal range of +-%g; the delta is dropped",
			    t->name, (unsigned long long)row, col,
			    lgn_number_value(&t->number, lane),
			    lgn_number_value(&t->number, t->number.legal));
}

/* A rejected part leaves the copy again. Needs the page in PUSHING. */
static void uncopy(struct lgn_push *p, const struct lgn_pushed *at,
		   uint64_t part)
{
	struct lgn_page *page = &p->t->page[at->page];
	_Atomic uint64_t *word;

	if (!p->t->delta || !atomic_load(&page->stamp))
		return;
	word = (_Atomic uint64_t *)lgn_table_copy(p->t, at->page) + at->word;
	atomic_fetch_add(&page->version, 1);
	atomic_fetch_sub(word, part);
	atomic_fetch_add(&page->version, 1);
}

static struct lgn_wr request(struct lgn_push *p, const struct lgn_pushed *at,
			     enum lgn_op op, uint32_t slot)
{
	struct lagoon_table *t = p->t;

	return (struct lgn_wr){
		.mem = &t->shard[lgn_layout_shard(&t->layout, at->page)],
		.off = lgn_table_offset(t, at->page) + at->word * 8,
		.local = &p->old[slot], .buf = &p->mem, .len = 8, .op = op,
	};
}

/* Take back the part of request i that left the legal range. */
static int undo(struct lgn_push *p, uint32_t i, int mask)
{
	uint64_t delta = p->wr[i].operand;
	uint64_t part = lgn_word_part(p->t->number.lanes, delta, mask);
	struct lgn_wr wr = request(p, &p->at[i], LGN_ADD, i);
	struct lgn_batch batch = { .wr = &wr, .n = 1 };

	wr.operand = -part;
	uncopy(p, &p->at[i], part);
	report(p, &p->at[i], mask, delta);
	return lgn_push_run(p->t, p->counts, &batch);
}

/* Too large for a fetch-and-add: check before changing. */
static int push_large(struct lgn_push *p, uint32_t i)
{
	const struct lgn_number *nb = &p->t->number;
	uint64_t delta = p->wr[i].operand;
	struct lgn_wr wr = request(p, &p->at[i], LGN_GET, i);
	struct lgn_batch batch = { .wr = &wr, .n = 1 };
	uint64_t old;
	int mask = 0;
	int rc = lgn_push_run(p->t, p->counts, &batch);

	if (rc)
		return rc;
	do {
		old = p->old[i];
		wr.op = LGN_CAS;
		wr.expect = old;
		wr.operand = lgn_word_sum(nb->lanes, nb->legal, old, delta, &mask);
		rc = lgn_push_run(p->t, p->counts, &batch);
	} while (!rc && p->old[i] != old);
	lgn_count(&p->counts->words_pushed, batch.posted);
	if (!rc && mask) {
		uncopy(p, &p->at[i], lgn_word_part(nb->lanes, delta, mask));
		report(p, &p->at[i], mask, delta);
	}
	return rc;
}

static void release_held(struct lgn_push *p)
{
	for (uint32_t i = 0; i < p->n_held; i++)
		lgn_page_release(&p->t->page[p->held[i]]);
	p->n_held = 0;
}

/* Send what is collected, wait, look at every old value, let go of the pages
 * whose last word this was. */
static int send(struct lgn_push *p)
{
	const struct lgn_number *nb = &p->t->number;
	uint32_t n = p->batch.n;
	int rc = n ? lgn_push_run(p->t, p->counts, &p->batch) : 0;

	if (n && p->batch.posted)
		lgn_count(&p->counts->words_pushed, n);
	for (uint32_t i = 0; i < n && !rc; i++) {
		uint64_t delta = p->wr[i].operand;
		int mask = lgn_word_illegal(nb->lanes, nb->legal,
					    p->old[i] + delta, delta);

		if (lgn_unlikely(mask))
			rc = undo(p, i, mask);
	}
	for (uint32_t i = 0; i < p->n_large && !rc; i++)
		rc = push_large(p, p->large[i]);
	p->batch.n = 0;
	p->n_large = 0;
	release_held(p);
	return rc;
}

static bool full(const struct lgn_push *p)
{
	return p->batch.n + p->n_large == LGN_PUSH_WRS || p->batch.n ==
		p->t->lg->wire->max_batch;
}

/* One word more. Small ones fill the request array from the front, large ones
 * from the back. */
static void append(struct lgn_push *p, uint64_t page, uint64_t word,
		   uint64_t delta)
{
	bool small = lgn_word_small(p->t->number.lanes, p->t->bound, delta);
	uint32_t i = small ? p->batch.n++ : LGN_PUSH_WRS - 1 - p->n_large;

	p->at[i] = (struct lgn_pushed){ page, word };
	p->wr[i] = request(p, &p->at[i], LGN_ADD, i);
	p->wr[i].operand = delta;
	if (!small)
		p->large[p->n_large++] = i;
}

/* Take the deltas of words [from, to) of a page in PUSHING, its version odd.
 * During sends it is even, so that views do not wait for the network. */
static int take(struct lgn_push *p, uint64_t number, uint64_t from, uint64_t to)
{
	struct lagoon_table *t = p->t;
	struct lgn_page *page = &t->page[number];
	_Atomic uint64_t *delta = lgn_table_delta(t, number);
	int rc = 0;

	for (uint64_t i = from; i < to && !rc; i++) {
		uint64_t d;

		if (!atomic_load_explicit(&delta[i], memory_order_relaxed))
			continue;
		d = atomic_exchange(&delta[i], 0);
		if (!d)
			continue;
		lgn_table_copy_in(t, number, i, d);
		append(p, number, i, d);
		if (!full(p))
			continue;
		atomic_fetch_add(&page->version, 1);
		rc = send(p);
		atomic_fetch_add(&page->version, 1);
	}
	return rc;
}

/* First word of the part of a page that bit stands for; see lgn_page_mark(). */
static uint64_t part_start(const struct lagoon_table *t, uint64_t bit)
{
	return (bit * t->layout.page_words + 63) / 64;
}

static int push_page(struct lgn_push *p, uint64_t number)
{
	struct lgn_page *page = &p->t->page[number];
	uint64_t mask, all;
	int rc = 0;

	lgn_table_hold(p->t, number);
	/* Odd before anything moves or looks clean, even after all has moved:
	 * seq_cst read-modify-writes, which later accesses cannot pass. */
	atomic_fetch_add(&page->version, 1);
	mask = all = atomic_exchange(&page->dirty, 0);
	while (mask && !rc) {
		uint64_t bit = (uint64_t)__builtin_ctzll(mask);
		uint64_t run = bit + 1;

		while (run < 64 && mask >> run & 1)
			run++;
		mask = run < 64 ? mask >> run << run : 0;
		rc = take(p, number, part_start(p->t, bit), part_start(p->t, run));
	}
	if (rc)		/* what was not taken must go on being seen */
		atomic_fetch_or(&page->dirty, all);
	atomic_fetch_add(&page->version, 1);
	p->held[p->n_held++] = number;
	if (!rc && p->n_held == LGN_PUSH_WRS)
		rc = send(p);
	return rc;
}

static void begin(struct lgn_push *p, struct lagoon_worker *w,
		  struct lagoon_table *t)
{
	lgn_push_begin(p, w, t);
	p->batch.n = 0;
	p->n_large = p->n_held = 0;
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

		if (atomic_load(&t->page[n].dirty))
			rc = push_page(p, n);
	}
	if (!rc)
		return send(p);
	release_held(p);
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
			lgn_push_begin(p, w, t);
			rc = pushed(p, lgn_apply_push(w, t));
			lgn_push_end(p);
		}
		if (!t || !t->delta)
			continue;
		begin(p, w, t);
		rc = push_table(p);
		lgn_push_end(p);
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

	lgn_table_hold(p->t, number);
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

	lgn_push_begin(p, p->w, p->t);
	qsort(p->over, p->n_over, sizeof(p->over[0]), by_place);
	for (uint32_t i = 0; i < p->n_over && !rc; )
		i = push_over(p, i, &rc);
	if (rc)
		release_held(p);
	else
		rc = send(p);
	for (uint32_t i = 0; i < p->n_over && !rc; i++)
		count_unpushed(p, unpushed(p, &p->over[i]));
	p->n_over = 0;
	lgn_push_end(p);
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
		append(p, page, word, delta);
		return full(p) ? send(p) : 0;
	}
	mask = lgn_word_add((_Atomic uint64_t *)t->map[page] + word,
			    t->number.lanes, t->number.legal, t->bound, delta);
	lgn_count(&p->counts->words_pushed, 1);
	if (lgn_unlikely(mask))
		report(p, &at, mask, delta);
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

/* One worker's rows. What a batch holds is of one worker, so that a process
 * has one add in flight for a lane. */
static int push_rows(struct lgn_push *p, struct lgn_sparse *own)
{
	int rc = 0;

	for (uint64_t i = 0; i < own->used && !rc; i++)
		rc = push_row(p, own->row[i], own->lanes + i * own->cols);
	if (!rc)
		rc = send(p);
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
			rc = send(p);
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
	lgn_push_end(p);
	return rc;
}

int lgn_push_own(struct lagoon_worker *w, struct lagoon_table *t)
{
	struct lgn_push *p = w->lg->push;
	int rc;

	if (t->apply)
		return lgn_apply_round(w, t);
	p->range = 0;
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
	if (!rc)
		rc = pushed(p, lgn_apply_round(w, NULL));
	return rc ? rc : p->range;
}
