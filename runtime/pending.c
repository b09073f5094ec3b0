/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/limits.h"
#include "runtime/base/status.h"
#include "runtime/pending.h"
#include "runtime/table.h"

int lgn_pending_open(struct lagoon_table *t)
{
	uint64_t rows = 1ull << t->layout.page_shift;
	struct lgn_pending *p;
	int rc;

	if (t->apply->pending)
		return 0;
	rc = lgn_limits_check(lgn_table_bytes(t) * (uint64_t)t->lg->neighbours,
			      false);
	if (rc)
		return rc;
	p = calloc(1, sizeof(*p));
	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "table %s: no memory for deltas", t->name);
	t->apply->pending = p;
	p->bit_words = (uint32_t)((rows + 63) / 64);
	p->page = calloc(t->layout.pages, sizeof(*p->page));
	p->touched = calloc(t->layout.pages, p->bit_words * sizeof(*p->touched));
	rc = p->page && p->touched ?
		lgn_memory(t->lg, lgn_table_bytes(t), 0, &p->mem) :
		lgn_fail(LAGOON_ENOMEM, "table %s: no memory for deltas", t->name);
	p->delta = p->mem.addr;
	if (rc)
		lgn_pending_close(t);
	return rc;
}

void lgn_pending_close(struct lagoon_table *t)
{
	struct lgn_pending *p = t->apply->pending;

	if (!p)
		return;
	t->lg->wire->ops->unreg(t->lg->wire, &p->mem);
	free(p->page);
	free(p->touched);
	free(p);
	t->apply->pending = NULL;
}

void lgn_pending_lock(struct lgn_pending *p, uint64_t page)
{
	struct lgn_wait wait = LGN_WAIT_INIT;

	while (atomic_exchange_explicit(&p->page[page].lock, 1,
					memory_order_acquire))
		lgn_wait_step(&wait);
}

void lgn_pending_unlock(struct lgn_pending *p, uint64_t page)
{
	atomic_store_explicit(&p->page[page].lock, 0, memory_order_release);
}

/* Rows in a row, from `row` on, that are touched as `row` itself is. */
static uint64_t alike(const uint64_t *bits, uint64_t row, uint64_t end)
{
	uint64_t from = row;
	bool set = bits[row / 64] >> row % 64 & 1;

	while (row < end) {
		uint64_t word = bits[row / 64] ^ (set ? ~0ull : 0);

		word >>= row % 64;	/* other rows are 1 */
		if (word) {
			row += (uint64_t)__builtin_ctzll(word);
			break;
		}
		row = (row / 64 + 1) * 64;
	}
	return (row < end ? row : end) - from;
}

uint64_t lgn_pending_next(const struct lgn_pending *p, uint64_t page,
			  uint64_t *row, uint64_t end)
{
	const uint64_t *bits = p->touched + page * p->bit_words;

	if (*row < end && !(bits[*row / 64] >> *row % 64 & 1))
		*row += alike(bits, *row, end);
	return *row < end ? alike(bits, *row, end) : 0;
}

void lgn_pending_clear(struct lgn_pending *p, uint64_t page)
{
	memset(p->touched + page * p->bit_words, 0,
	       p->bit_words * sizeof(*p->touched));
	atomic_store(&p->page[page].whose, 0);
}

static void touch(uint64_t *bits, uint64_t row, uint64_t n)
{
	for (uint64_t end = row + n; row < end; ) {
		uint64_t m = 64 - row % 64 < end - row ? 64 - row % 64 : end - row;

		bits[row / 64] |= (m == 64 ? ~0ull : (1ull << m) - 1) << row % 64;
		row += m;
	}
}

/* n rows that are all touched, or all not; how many elements went in. */
static uint64_t put(struct lgn_apply_add *a, char *delta, const uint64_t *bits,
		    uint64_t row, uint64_t n, const char *in)
{
	const struct lgn_apply *p = a->t->apply;

	if (bits[row / 64] >> row % 64 & 1)
		return lgn_apply_combine(p, delta, in, n);
	memcpy(delta, in, n * p->size);
	return n;
}

/* Under the lock; the deltas are finite. */
static int add_locked(struct lgn_apply_add *a, uint64_t page, uint64_t row,
		      uint64_t nrows, const char *in)
{
	struct lagoon_table *t = a->t;
	struct lgn_pending *p = t->apply->pending;
	uint64_t *bits = p->touched + page * p->bit_words;
	uint64_t bytes = (uint64_t)t->layout.cols * t->apply->size;

	for (uint64_t done = 0; done < nrows; ) {
		uint64_t n = alike(bits, row + done, row + nrows);
		uint64_t elems = n * t->layout.cols;
		char *delta = lgn_pending_delta(t, page) + (row + done) * bytes;
		const char *from = in + done * bytes;
		uint64_t good = put(a, delta, bits, row + done, elems, from);

		if (lgn_unlikely(good < elems))
			return lgn_apply_refuse(t, &a->part->counts, LAGOON_ERANGE,
				page, (row + done) * t->layout.cols + good,
				from + good * t->apply->size);
		touch(bits, row + done, n);
		done += n;
	}
	return 0;
}

/* vap: what is left behind, and whether it must not be. */
static void watch(struct lgn_apply_add *a, uint64_t page, uint64_t row,
		  uint64_t nrows)
{
	struct lagoon_table *t = a->t;
	uint64_t cols = t->layout.cols;
	double most = lgn_apply_most(t->apply->fn.type, lgn_pending_delta(t, page) +
				     row * cols * t->apply->size, nrows * cols);

	if (most > t->change)
		a->over = true;
	else
		lgn_apply_unpushed(&a->part->counts, most);
}

int lgn_pending_add(struct lgn_apply_add *a, uint64_t row, uint64_t nrows,
		    const char *in)
{
	struct lagoon_table *t = a->t;
	struct lgn_pending *p = t->apply->pending;
	uint64_t page = lgn_layout_page(&t->layout, row);
	uint64_t first = row & ((1ull << t->layout.page_shift) - 1);
	struct lgn_pending_page *at = &p->page[page];
	uint64_t bit = lgn_pending_bit(a->w->index);
	int rc;

	lgn_pending_lock(p, page);
	rc = add_locked(a, page, first, nrows, in);
	if (!(atomic_load_explicit(&at->whose, memory_order_relaxed) & bit))
		atomic_fetch_or(&at->whose, bit);
	if (lgn_unlikely(t->model == LAGOON_VAP))
		watch(a, page, first, nrows);
	lgn_pending_unlock(p, page);
	return rc;
}
