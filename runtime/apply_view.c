/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a pull shows of a page in apply mode: the shard's values, or the copy
 * of them; with what is pending if the function has a view, else without, and
 * then the worker's own is sent first.
 */
#include "runtime/ahead.h"
#include "runtime/apply.h"
#include "runtime/apply_lock.h"
#include "runtime/base/status.h"
#include "runtime/pending.h"
#include "runtime/push.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/update_log.h"

/* A part of a page, by rows, and where it is shown. */
struct part {
	uint64_t row, end;	/* of the table */
	char *out;
};

static void show(const struct lgn_view *v, const struct part *at, uint64_t row,
		 uint64_t nrows, const void *delta)
{
	const struct lgn_apply *a = v->t->apply;
	uint64_t cols = v->t->layout.cols;

	lgn_update_view(&a->fn, nrows * cols,
			at->out + (row - at->row) * cols * a->size, delta);
}

/* bsp: the worker's own deltas of the round. Without a view they show once the
 * round has ended. */
static void show_round(const struct lgn_view *v, const struct part *at)
{
	if (!lgn_update_views(&v->t->apply->fn))
		return;
	for (uint64_t row = at->row; row < at->end; row++) {
		const void *own = lgn_sparse_find(v->part->own, row);

		if (own)
			show(v, at, row, 1, own);
	}
}

/* Under the lock of the page's pending deltas. */
static void show_pending(const struct lgn_view *v, uint64_t page,
			 const struct part *at)
{
	const struct lagoon_table *t = v->t;
	const struct lgn_pending *p = t->apply->pending;
	uint64_t first = page << t->layout.page_shift;
	uint64_t row = at->row - first, n;

	while ((n = lgn_pending_next(p, page, &row, at->end - first))) {
		show(v, at, first + row, n, lgn_pending_delta(t, page) +
		     row * t->layout.cols * t->apply->size);
		row += n;
	}
}

/* A worker that has added to this page what no view can show: it must be
 * applied first. */
static bool must_send(const struct lgn_view *v, uint64_t page)
{
	const struct lgn_apply *a = v->t->apply;
	int worker = (int)(v->part - v->t->part);

	if (v->t->model == LAGOON_BSP)
		return false;
	if (!lgn_apply_combines(a))
		return !lgn_log_empty(&a->log[worker]);
	return !lgn_update_views(&a->fn) &&
		lgn_pending_whose(a->pending, page) & lgn_pending_bit(worker);
}

/* The copy, with what is pending, of one version of the page. */
static bool view_cached(struct lgn_view *v, uint64_t number, uint64_t first,
			uint64_t n, const struct part *at)
{
	struct lagoon_table *t = v->t;
	const struct lgn_apply *a = t->apply;
	const char *copy = (const char *)lgn_table_copy(t, number) + first * a->size;
	const bool views = t->model != LAGOON_BSP && lgn_update_views(&a->fn);
	struct lgn_page *page = &t->page[number];
	struct lgn_wait wait = LGN_WAIT_INIT;

	for (;;) {
		uint32_t version = atomic_load_explicit(&page->version,
							memory_order_acquire);
		bool pending = views && lgn_pending_whose(a->pending, number);
		int64_t floor;

		if (version & 1) {
			lgn_wait_step(&wait);
			continue;
		}
		if (atomic_load_explicit(&page->stamp, memory_order_acquire) < v->need &&
		    !lgn_view_floor_serves(v, number))
			return false;
		floor = atomic_load_explicit(&page->floor, memory_order_relaxed);
		if (pending)
			lgn_pending_lock(a->pending, number);
		lgn_apply_copy(a->size, at->out, copy, n);
		if (pending) {
			show_pending(v, number, at);
			lgn_pending_unlock(a->pending, number);
		}
		/* As in view.c: what moved meanwhile has changed the version. */
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&page->version,
					 memory_order_relaxed) != version)
			continue;
		if (floor < v->oldest)
			v->oldest = floor;
		return true;
	}
}

bool lgn_apply_view(struct lgn_view *v, uint64_t page, uint64_t first,
		    uint64_t n, char *out)
{
	struct lagoon_table *t = v->t;
	const struct lgn_apply *a = t->apply;
	uint64_t row = (page << t->layout.page_shift) + first / t->layout.cols;
	struct part at = { row, row + n / t->layout.cols, out };

	if (t->in_place) {
		v->status = lgn_apply_readable(t, &v->part->counts, page,
					       a->place[page].lock);
		if (lgn_unlikely(v->status))
			return false;
		lgn_apply_copy(a->size, out, a->place[page].value +
			       first * a->size, n);
	} else {
		if (lgn_unlikely(t->used))
			lgn_ahead_use(t, page, v->clock);
		v->send = must_send(v, page);
		if (v->send || !view_cached(v, page, first, n, &at))
			return false;
	}
	if (t->model == LAGOON_BSP)
		show_round(v, &at);
	return true;
}

/* Not instrumented: adders change values by plain stores, each of one element. */
__attribute__((no_sanitize("thread")))
static void gather_f64(const struct lagoon_table *t, const uint64_t *rows,
		       uint64_t n, uint64_t *out, uint64_t *locked)
{
	const struct lgn_place_of_page *place = t->apply->place;
	const uint32_t shift = t->layout.page_shift;
	const uint64_t mask = (1ull << shift) - 1;

	for (uint64_t i = 0; i < n; i++) {
		const struct lgn_place_of_page *p = &place[rows[i] >> shift];

		*locked |= atomic_load_explicit(p->lock, memory_order_relaxed);
		out[i] = atomic_load_explicit((_Atomic uint64_t *)p->value +
					      (rows[i] & mask), memory_order_relaxed);
	}
}

bool lgn_apply_gather(const struct lagoon_table *t, const uint64_t *rows,
		      uint64_t n, void *out)
{
	uint64_t locked = 0;

	if (!t->in_place || t->model == LAGOON_BSP || t->layout.cols != 1 ||
	    t->apply->size != sizeof(uint64_t))
		return false;
	gather_f64(t, rows, n, out, &locked);
	return !locked;
}

int lgn_apply_stuck(struct lagoon_worker *w, struct lgn_view *v)
{
	int rc = v->status, more;

	if (rc || !v->send)
		return rc;
	lgn_push_lock(w->lg);
	rc = lgn_check_lost(w->lg);
	if (!rc)
		rc = lgn_apply_push(w, v->t);
	lgn_push_unlock(w->lg);
	v->send = false;
	more = lgn_clock_advance(w);
	return rc ? rc : more;
}
