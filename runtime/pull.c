/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/request.h"
#include "runtime/sparse.h"
#include "runtime/table.h"

/* The floor that a pull at this clock needs; negative: none. */
static int64_t bound_of(const struct lagoon_table *t, int64_t clock)
{
	int32_t s = atomic_load_explicit(&t->staleness, memory_order_relaxed);

	return t->model == LAGOON_ASP ? -1 : clock - s;
}

/* Relaxed is enough: the deltas of these rounds were complete in the shards
 * before their clocks were published, and the board read that brought the
 * floor here was ordered before later loads when it completed. */
static bool bound_met(const struct lagoon *lg, int64_t bound)
{
	return bound <= 0 ||
		atomic_load_explicit(&lg->floor, memory_order_acquire) >= bound;
}

static void count_pull(struct lgn_part *part, uint64_t rows, uint64_t uses,
		       int64_t age)
{
	struct lgn_counts *c = &part->counts;

	if (age < 0)
		age = 0;
	if (age >= LAGOON_AGES)
		age = LAGOON_AGES - 1;
	lgn_count(&c->pulls, 1);
	lgn_count(&c->rows_pulled, rows);
	lgn_count(&c->page_uses, uses);
	lgn_count(&c->ages[age], 1);
}

/* bsp: the worker's own deltas of this round, for n <= LGN_CHUNK elements of
 * a page from element first on. */
static void add_own(const struct lagoon_request *r, uint64_t page,
		    uint64_t first, size_t n, int64_t *lanes)
{
	uint32_t cols = r->t->attr.cols;
	uint64_t row;
	uint32_t col;

	lgn_table_locate(r->t, page, first, &row, &col);
	while (n) {
		size_t m = cols - col < n ? cols - col : n;
		const int64_t *own = lgn_sparse_find(r->part->own, row);

		for (size_t i = 0; own && i < m; i++)
			lanes[i] += own[col + i];
		lanes += m;
		n -= m;
		row++;
		col = 0;
	}
}

/* The view of a cached page: copy + delta words, from one version of the
 * page. False: the copy is not fresh enough. */
static bool view_cached(struct lagoon_request *r, uint64_t number,
			uint64_t first, size_t n, int64_t *lanes)
{
	struct lagoon_table *t = r->t;
	struct lgn_page *page = &t->page[number];
	struct lgn_wait wait = LGN_WAIT_INIT;

	for (;;) {
		uint32_t version = atomic_load_explicit(&page->version,
							memory_order_acquire);
		int64_t floor;

		if (version & 1) {
			lgn_wait_step(&wait);
			continue;
		}
		if (atomic_load_explicit(&page->stamp, memory_order_acquire) < r->need)
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
		if (floor < r->oldest)
			r->oldest = floor;
		return true;
	}
}

static bool view_chunk(struct lagoon_request *r, uint64_t page, uint64_t first,
		       size_t n, char *out)
{
	struct lagoon_table *t = r->t;
	int64_t lanes[LGN_CHUNK];

	if (t->in_place)
		lgn_number_unpack(&t->number, t->map[page], first, n, lanes);
	else if (!view_cached(r, page, first, n, lanes))
		return false;
	if (r->part->own)
		add_own(r, page, first, n, lanes);
	lgn_number_convert(&t->number, lanes, n, out);
	return true;
}

/* Elements [first, first + n) of a page. */
static bool view_page(struct lagoon_request *r, uint64_t page, uint64_t first,
		      uint64_t n, char *out)
{
	const struct lgn_number *nb = &r->t->number;

	if (r->t->in_place && !(r->part->own && r->part->own->used)) {
		lgn_number_decode(nb, r->t->map[page], first, n, out);
		return true;
	}
	for (uint64_t i = 0; i < n; i += LGN_CHUNK) {
		size_t m = n - i < LGN_CHUNK ? n - i : LGN_CHUNK;

		if (!view_chunk(r, page, first + i, m, out + i * nb->type_size))
			return false;
	}
	return true;
}

/* As far as pages are fresh. True: all rows are done. */
static bool view(struct lagoon_request *r)
{
	const struct lgn_layout *l = &r->t->layout;
	uint64_t bytes = (uint64_t)l->cols * r->t->number.type_size;
	uint64_t uses = 0;

	while (r->done < r->n) {
		uint64_t row = lgn_request_row(r, r->done);
		uint64_t page = lgn_layout_page(l, row);
		uint64_t rows = 1;

		if (!r->rows) {
			rows = ((page + 1) << l->page_shift) - row;
			if (rows > r->n - r->done)
				rows = r->n - r->done;
		}
		if (!view_page(r, page, lgn_layout_element(l, row),
			       rows * l->cols, r->out + r->done * bytes))
			break;
		r->done += rows;
		uses++;
	}
	lgn_count(&r->part->counts.page_uses, uses);
	return r->done == r->n;
}

void lgn_pull_begin(struct lagoon_request *r, struct lagoon_worker *w,
		    struct lagoon_table *t, const uint64_t *rows, uint64_t row,
		    uint64_t n, void *out)
{
	r->w = w;
	r->t = t;
	r->part = &t->part[w->index];
	r->rows = rows;
	r->row = row;
	r->n = n;
	r->out = out;
	r->phase = LGN_PULL_BOUND;
	r->complete = false;
	r->status = 0;
	r->done = 0;
	r->clock = w->clock;
	r->bound = bound_of(t, w->clock);
	r->need = lgn_stamp(atomic_load(&w->lg->epoch),
			    t->model == LAGOON_ASP ? w->clock : r->bound);
	r->oldest = INT64_MAX;
	r->wait_from = 0;
	r->slowest = -1;
	r->batch.wr = r->wr;
}

static bool finish(struct lagoon_request *r, int status)
{
	r->status = status;
	r->complete = true;
	if (!status) {
		if (r->oldest == INT64_MAX)
			r->oldest = atomic_load(&r->w->lg->floor);
		count_pull(r->part, r->n, 0, r->clock - r->oldest);
	}
	return true;
}

static void end_wait(struct lagoon_request *r)
{
	uint64_t ns;

	if (!r->wait_from)
		return;
	ns = lgn_now_ns() - r->wait_from;
	lgn_count(&r->part->counts.wait_ns, ns);
	if (r->slowest >= 0)
		atomic_fetch_add(&r->w->lg->member[r->slowest].waited_ns, ns);
	r->wait_from = 0;
}

/* Read the board until the floor is high enough. 1: it is. 0: not yet. */
static int reach_bound(struct lagoon_request *r)
{
	struct lagoon *lg = r->w->lg;
	bool fresh;
	int rc;

	if (bound_met(lg, r->bound)) {
		end_wait(r);
		return 1;
	}
	if (!r->wait_from) {
		r->wait_from = lgn_now_ns();
		r->w->view.reads = 0;
	}
	rc = lgn_check_lost(lg);
	if (!rc)
		rc = lgn_board_poll(lg, &r->w->view, LGN_FLUSHED, &fresh);
	if (rc)
		return rc;
	if (fresh)
		lgn_floor_raise(lg, lgn_board_min(lg, &r->w->view, &r->slowest));
	if (!bound_met(lg, r->bound))
		return 0;
	end_wait(r);
	return 1;
}

/* A READ or another's operation is in flight. True: go on. */
static bool arrived(struct lagoon_request *r)
{
	struct lgn_wire *wire = r->w->lg->wire;

	wire->ops->poll(wire);
	return lgn_batch_done(&r->batch);
}

/* Pages are missing. 1: READs are posted. 0: others hold these pages. */
static int fetch(struct lagoon_request *r)
{
	struct lgn_wire *wire = r->w->lg->wire;
	bool posted;
	int rc = lgn_check_lost(r->w->lg);

	if (!rc)
		rc = lgn_fetch_post(r, &posted);
	if (rc)
		return rc;
	if (!posted)
		wire->ops->poll(wire);
	return posted;
}

bool lgn_pull_step(struct lagoon_request *r)
{
	int rc;

	for (;;) {
		switch (r->phase) {
		case LGN_PULL_BOUND:
			rc = reach_bound(r);
			if (rc < 0)
				return finish(r, rc);
			if (!rc)
				return false;
			r->phase = LGN_PULL_VIEW;
			break;
		case LGN_PULL_VIEW:
			if (view(r))
				return finish(r, 0);
			rc = fetch(r);
			if (rc < 0)
				return finish(r, rc);
			if (!rc)
				return false;
			r->phase = LGN_PULL_FETCH;
			break;
		case LGN_PULL_FETCH:
			if (!arrived(r))
				return false;
			rc = lgn_wire_status(r->w->lg->wire, &r->batch);
			if (rc)
				return finish(r, rc);
			r->phase = LGN_PULL_VIEW;
			break;
		}
	}
}

/* Until it is complete; a READ that brings nothing for timeout_s is an
 * error, a clock that stands still is not. */
static int run(struct lagoon_request *r)
{
	const uint64_t limit = (uint64_t)r->w->lg->timeout_s * 1000000000u;
	struct lgn_wait wait = LGN_WAIT_INIT;
	enum lgn_pull_phase phase = r->phase;

	while (!lgn_pull_step(r)) {
		if (r->phase != phase || r->phase != LGN_PULL_FETCH) {
			if (r->phase != phase)
				wait = (struct lgn_wait)LGN_WAIT_INIT;
			phase = r->phase;
		} else if (lgn_waited_ns(&wait) > limit) {
			return lgn_fail(LAGOON_ETIMEDOUT,
					"table %s: a read of rank %d brought nothing in %d s; see LAGOON_TIMEOUT",
					r->t->name, r->wr[0].mem->peer,
					r->w->lg->timeout_s);
		}
		lgn_wait_step(&wait);
	}
	return r->status;
}

/* All words are on this node and nothing has to be waited for: no request. */
static bool at_once(const struct lagoon_worker *w, const struct lagoon_table *t)
{
	return t->direct && bound_met(w->lg, bound_of(t, w->clock));
}

/* A list of single 64-bit lanes as doubles: the inner loop of sparse models. */
static void gather(const struct lagoon_table *t, const uint64_t *rows,
		   uint64_t n, double *out)
{
	const uint64_t mask = (1ull << t->layout.page_shift) - 1;
	const uint32_t shift = t->layout.page_shift;
	const double unit = t->number.unit;
	uint64_t *const *map = t->map;

	for (uint64_t i = 0; i < n; i++) {
		const _Atomic uint64_t *word =
			(const _Atomic uint64_t *)&map[rows[i] >> shift][rows[i] & mask];

		out[i] = (double)(int64_t)atomic_load_explicit(word,
						memory_order_relaxed) * unit;
	}
}

static int64_t age_now(const struct lagoon_worker *w)
{
	return w->clock - atomic_load_explicit(&w->lg->floor,
					       memory_order_relaxed);
}

static int pull_blocking(struct lagoon_worker *w, struct lagoon_table *t,
			 const uint64_t *rows, uint64_t row, uint64_t n,
			 void *out)
{
	struct lagoon_request *r = &w->request[LGN_REQUESTS];

	lgn_pull_begin(r, w, t, rows, row, n, out);
	return run(r);
}

LGN_EXPORT int lagoon_pull(struct lagoon_worker *w, struct lagoon_table *t,
			   uint64_t row, uint64_t nrows, void *out)
{
	uint64_t page;
	int rc = lgn_worker_check(w);

	if (!rc)
		rc = lgn_table_check_rows(t, row, nrows);
	if (rc)
		return rc;
	page = lgn_layout_page(&t->layout, row);
	if (lgn_likely(at_once(w, t) && nrows) &&
	    page == lgn_layout_page(&t->layout, row + nrows - 1)) {
		lgn_number_decode(&t->number, t->map[page],
				  lgn_layout_element(&t->layout, row),
				  nrows * t->layout.cols, out);
		count_pull(&t->part[w->index], nrows, 1, age_now(w));
		return 0;
	}
	return pull_blocking(w, t, NULL, row, nrows, out);
}

LGN_EXPORT int lagoon_pull_rows(struct lagoon_worker *w, struct lagoon_table *t,
				const uint64_t *rows, uint64_t n, void *out)
{
	int rc = lgn_worker_check(w);

	if (!rc)
		rc = lgn_table_check_list(t, rows, n);
	if (rc)
		return rc;
	if (at_once(w, t) && t->layout.cols == 1 && t->number.lanes == 1 &&
	    t->number.type == LAGOON_F64) {
		gather(t, rows, n, out);
		count_pull(&t->part[w->index], n, n, age_now(w));
		return 0;
	}
	return pull_blocking(w, t, rows, 0, n, out);
}

int lgn_request_run(struct lagoon_request *r)
{
	return r->complete ? r->status : run(r);
}
