/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/ahead.h"
#include "runtime/apply.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/view.h"

/* bsp: the worker's own deltas of this round, for n <= LGN_CHUNK elements of
 * a page from element first on. */
static void add_own(const struct lgn_view *v, uint64_t page,
		    uint64_t first, size_t n, int64_t *lanes)
{
	uint32_t cols = v->t->attr.cols;
	uint64_t row;
	uint32_t col;

	lgn_table_locate(v->t, page, first, &row, &col);
	while (n) {
		size_t m = cols - col < n ? cols - col : n;
		const int64_t *own = lgn_sparse_find(v->part->own, row);

		for (size_t i = 0; own && i < m; i++)
			lanes[i] += own[col + i];
		lanes += m;
		n -= m;
		row++;
		col = 0;
	}
}

/* Words first to last of a page were shown, with their deltas. Those whose
 * adders have not marked them yet are marked for them. */
static void mark_seen(struct lagoon_table *t, uint64_t number, uint64_t first,
		      uint64_t last)
{
	const uint64_t words = t->layout.page_words;
	const _Atomic uint64_t *delta = lgn_table_delta(t, number);
	_Atomic uint64_t *dirty = &t->dirty[number];
	uint64_t from = first * 64 / words, to = last * 64 / words;
	uint64_t bits = (to == 63 ? 0 : ~0ull << (to + 1)) ^ ~0ull << from;

	if (!(bits & ~atomic_load(dirty)))
		return;
	for (uint64_t i = first; i <= last; i++)
		if (atomic_load_explicit(&delta[i], memory_order_relaxed))
			lgn_page_mark(dirty, i, words);
}

/* The view of a cached page: copy + delta words, from one version of the
 * page. False: the copy is not fresh enough. */
static bool view_cached(struct lgn_view *v, uint64_t number,
			uint64_t first, size_t n, int64_t *lanes)
{
	struct lagoon_table *t = v->t;
	struct lgn_page *page = &t->page[number];
	struct lgn_wait wait = LGN_WAIT_INIT;
	uint64_t look_ns = 0;

	for (;;) {
		uint32_t version = atomic_load_explicit(&page->version,
							memory_order_acquire);
		int64_t floor;

		if (version & 1) {
			lgn_node_look(t, number, &look_ns);
			lgn_wait_step(&wait);
			continue;
		}
		if (atomic_load_explicit(&page->stamp, memory_order_acquire) < v->need &&
		    !lgn_view_floor_serves(v, number))
			return false;
		floor = atomic_load_explicit(&page->floor, memory_order_relaxed);
		lgn_number_unpack(&t->number, lgn_table_copy(t, number), first,
				  n, lanes);
		if (t->delta)
			lgn_number_unpack_add(&t->number,
				(const uint64_t *)lgn_table_delta(t, number),
				first, n, lanes);
		/* Orders the loads above before the second look at the
		 * version: a take in between changes it. */
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&page->version,
					 memory_order_relaxed) != version)
			continue;
		if (t->delta)
			mark_seen(t, number, first / (uint64_t)t->number.lanes,
				  (first + n - 1) / (uint64_t)t->number.lanes);
		if (floor < v->oldest)
			v->oldest = floor;
		return true;
	}
}

static bool view_chunk(struct lgn_view *v, uint64_t page, uint64_t first,
		       size_t n, char *out)
{
	struct lagoon_table *t = v->t;
	int64_t lanes[LGN_CHUNK];

	if (t->in_place)
		lgn_number_unpack(&t->number, t->map[page], first, n, lanes);
	else if (!view_cached(v, page, first, n, lanes))
		return false;
	if (v->part->own)
		add_own(v, page, first, n, lanes);
	lgn_number_convert(&t->number, lanes, n, out);
	return true;
}

/* The same for a page without deltas: no need to add anything. A worker's own
 * add has marked the page before it looks. A push clears the mark while it
 * still takes, so a page in PUSHING is not clean; one that gets there later
 * changes the version. */
static bool view_clean(struct lgn_view *v, uint64_t number, uint64_t first,
		       uint64_t n, char *out)
{
	struct lagoon_table *t = v->t;
	struct lgn_page *page = &t->page[number];
	uint32_t version = atomic_load_explicit(&page->version,
						memory_order_acquire);
	int64_t floor;

	if (version & 1 ||
	    lgn_page_pushing(page) ||
	    (t->delta && atomic_load(&t->dirty[number])) ||
	    (atomic_load_explicit(&page->stamp, memory_order_acquire) < v->need &&
	     !lgn_view_floor_serves(v, number)))
		return false;
	floor = atomic_load_explicit(&page->floor, memory_order_relaxed);
	lgn_number_decode(&t->number, lgn_table_copy(t, number), first, n, out);
	/* As in view_cached(). */
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&page->version, memory_order_relaxed) != version)
		return false;
	if (floor < v->oldest)
		v->oldest = floor;
	return true;
}

bool lgn_view_page(struct lgn_view *v, uint64_t page, uint64_t first,
		   uint64_t n, char *out)
{
	const struct lgn_number *nb = &v->t->number;

	if (lgn_unlikely(v->t->apply))
		return lgn_apply_view(v, page, first, n, out);
	if (!(v->part->own && v->part->own->used)) {
		if (v->t->in_place) {
			lgn_number_decode(nb, v->t->map[page], first, n, out);
			return true;
		}
		if (lgn_unlikely(v->t->used))
			lgn_ahead_use(v->t, page, v->clock);
		if (view_clean(v, page, first, n, out))
			return true;
	}
	for (uint64_t i = 0; i < n; i += LGN_CHUNK) {
		size_t m = n - i < LGN_CHUNK ? n - i : LGN_CHUNK;

		if (!view_chunk(v, page, first + i, m, out + i * nb->type_size))
			return false;
	}
	return true;
}
