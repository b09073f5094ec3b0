/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "runtime/ahead.h"
#include "runtime/apply.h"
#include "runtime/base/status.h"
#include "runtime/calls.h"
#include "runtime/table.h"
#include "runtime/trace.h"

#define UNBOUNDED INT64_MIN

/* The floor that a pull at this clock needs; 0 or less: none. */
static int64_t bound_of(const struct lagoon_table *t, int64_t clock)
{
	int32_t s = atomic_load_explicit(&t->staleness, memory_order_relaxed);

	return s == LAGOON_UNBOUNDED ? UNBOUNDED : clock - s;
}

/* Relaxed is enough: the deltas of these rounds were complete in the shards
 * before their clocks were published, and the board read that brought the
 * floor here was ordered before later loads when it completed. */
static bool bound_met(struct lagoon *lg, int64_t bound)
{
	if (bound <= 0)
		return true;
	if (lgn_unlikely(!atomic_load_explicit(&lg->floor_used,
					       memory_order_relaxed)))
		atomic_store_explicit(&lg->floor_used, true,
				      memory_order_relaxed);
	return atomic_load_explicit(&lg->floor, memory_order_acquire) >= bound;
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

/* As far as pages are fresh. True: all rows are done. */
static bool view(struct lagoon_request *r)
{
	const struct lgn_layout *l = &r->view.t->layout;
	uint64_t bytes = (uint64_t)l->cols * r->view.t->number.type_size;
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
		if (!lgn_view_page(&r->view, page, lgn_layout_element(l, row),
			       rows * l->cols, r->out + r->done * bytes))
			break;
		r->done += rows;
		uses++;
	}
	lgn_count(&r->view.part->counts.page_uses, uses);
	return r->done == r->n;
}

static uint64_t stamp_of(const struct lagoon_worker *w, int64_t date)
{
	return lgn_stamp(atomic_load_explicit(&w->lg->epoch,
					      memory_order_relaxed), date);
}

/* Without a bound, a copy serves the round in which it was fetched. In place
 * there are no copies. */
static struct lgn_view view_of(const struct lagoon_worker *w,
			       struct lagoon_table *t, int64_t bound)
{
	return (struct lgn_view){
		.t = t, .part = &t->part[w->index],
		.need = t->in_place ? 0 :
			stamp_of(w, bound == UNBOUNDED ? w->clock : bound),
		.oldest = INT64_MAX, .clock = w->clock,
	};
}

/* psp: the sample is far enough for a pull of this round. What the view needs
 * then, beside copies that all workers' clocks make good. */
static bool sample_met(struct lagoon_worker *w, int64_t round, int64_t bound,
		       struct lgn_view *v)
{
	uint64_t tick;

	if (!lgn_sample_met(w, v->t, round, bound, &tick))
		return false;
	v->need = stamp_of(w, (int64_t)tick);
	v->floor = bound;
	return true;
}

void lgn_pull_begin(struct lagoon_request *r, struct lagoon_worker *w,
		    struct lagoon_table *t, const uint64_t *rows, uint64_t row,
		    uint64_t n, void *out)
{
	int64_t bound = bound_of(t, w->clock);

	r->w = w;
	r->view = view_of(w, t, bound);
	r->rows = rows;
	r->row = row;
	r->n = n;
	r->out = out;
	r->phase = LGN_PULL_BOUND;
	r->complete = false;
	r->status = 0;
	r->done = 0;
	r->clock = w->clock;
	r->bound = bound;
	r->sampled = t->model == LAGOON_PSP;
	r->wait_from = 0;
	r->slowest = -1;
	r->look_ns = 0;
	r->batch.wr = r->wr;
}

static bool finish(struct lagoon_request *r, int status)
{
	r->status = status;
	r->complete = true;
	if (!status) {
		if (r->view.oldest == INT64_MAX)	/* in place: as of now */
			r->view.oldest = atomic_load(&r->w->lg->floor);
		count_pull(r->view.part, r->n, 0, r->clock - r->view.oldest);
	}
	return true;
}

static void end_wait(struct lagoon_request *r)
{
	uint64_t ns;

	if (!r->wait_from)
		return;
	ns = lgn_now_ns() - r->wait_from;
	lgn_count(&r->view.part->counts.wait_ns, ns);
	lgn_count(&r->w->waited_ns, ns);
	lgn_trace_waited(r->wait_from, r->view.t, r->slowest);
	if (r->slowest >= 0)
		atomic_fetch_add(&r->w->lg->member[r->slowest].waited_ns, ns);
	r->wait_from = 0;
}

static bool far_enough(struct lagoon_request *r)
{
	return lgn_unlikely(r->sampled) ?
		sample_met(r->w, r->clock, r->bound, &r->view) :
		bound_met(r->w->lg, r->bound);
}

/* The board was read: what it tells the process, and the worker. */
static void look(struct lagoon_request *r)
{
	struct lagoon_worker *w = r->w;

	lgn_floor_raise(w->lg, lgn_board_min(w->lg, &w->view, &r->slowest));
	if (r->sampled)
		r->slowest = lgn_sample_look(w, r->view.t);
	lgn_ahead(w);
}

/* Read the board until the floor is high enough. 1: it is. 0: not yet. */
static int reach_bound(struct lagoon_request *r)
{
	struct lagoon *lg = r->w->lg;
	bool fresh;
	int rc;

	if (far_enough(r)) {
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
	if (fresh) {
		look(r);
		rc = lgn_clock_heed(r->w, &r->w->view);
		if (rc)
			return rc;
	}
	if (!far_enough(r))
		return 0;
	end_wait(r);
	return 1;
}

/* A READ or another's operation is in flight. True: go on. */
static bool arrived(struct lagoon_request *r)
{
	struct lgn_wire *wire = r->w->lg->wire;

	wire->ops->poll(wire);
	lgn_ahead(r->w);
	return lgn_batch_done(&r->batch);
}

/* Pages are missing. 1: READs are posted. 0: others hold these pages. */
static int fetch(struct lagoon_request *r)
{
	struct lgn_wire *wire = r->w->lg->wire;
	bool posted;
	int rc = r->view.t->apply ? lgn_apply_stuck(r->w, &r->view) : 0;

	if (!rc)
		rc = lgn_check_lost(r->w->lg);
	if (!rc)
		rc = lgn_fetch_post(r, &posted);
	if (rc)
		return rc;
	if (!posted) {
		wire->ops->poll(wire);
		lgn_node_look(r->view.t, lgn_layout_page(&r->view.t->layout,
				lgn_request_row(r, r->done)), &r->look_ns);
	}
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
		if (r->phase != phase) {
			wait = (struct lgn_wait)LGN_WAIT_INIT;
			phase = r->phase;
		} else if (phase == LGN_PULL_FETCH && lgn_waited_ns(&wait) > limit) {
			return lgn_fail(LAGOON_ETIMEDOUT,
					"table %s: a read of rank %d brought nothing in %d s; see LAGOON_TIMEOUT",
					r->view.t->name, r->wr[0].mem->peer,
					r->w->lg->timeout_s);
		}
		lgn_wait_step(&wait);
	}
	return r->status;
}

/* Lists of single 64-bit lanes: the inner loops of sparse models. */
static void gather_f64(const struct lagoon_table *t, const uint64_t *rows,
		       uint64_t n, double *out)
{
	const struct lgn_places p = lgn_places(t);
	const double unit = t->number.unit;

	for (uint64_t i = 0; i < n; i++)
		out[i] = (double)(int64_t)atomic_load_explicit(
			lgn_place(&p, rows[i]), memory_order_relaxed) * unit;
}

static void gather_int64(const struct lagoon_table *t, const uint64_t *rows,
			 uint64_t n, int64_t *out)
{
	const struct lgn_places p = lgn_places(t);

	for (uint64_t i = 0; i < n; i++)
		out[i] = (int64_t)atomic_load_explicit(lgn_place(&p, rows[i]),
						       memory_order_relaxed);
}

/* In place. False: the table is of another kind. */
static bool gather(const struct lagoon_table *t, const uint64_t *rows,
		   uint64_t n, void *out)
{
	if (lgn_unlikely(t->apply))
		return lgn_apply_gather(t, rows, n, out);
	if (!t->direct || t->layout.cols != 1 || t->number.lanes != 1 || t->tail)
		return false;
	if (t->number.type == LAGOON_F64)
		gather_f64(t, rows, n, out);
	else if (t->number.type == LAGOON_INT64)
		gather_int64(t, rows, n, out);
	else
		return false;
	return true;
}

static int pull_blocking(struct lagoon_worker *w, struct lagoon_table *t,
			 const uint64_t *rows, uint64_t row, uint64_t n,
			 void *out)
{
	struct lagoon_request *r = &w->request[LGN_REQUESTS];

	lgn_pull_begin(r, w, t, rows, row, n, out);
	return run(r);
}

static int64_t age(const struct lagoon_worker *w, int64_t oldest)
{
	if (oldest == INT64_MAX)	/* in place: as of now */
		oldest = atomic_load_explicit(&w->lg->floor, memory_order_relaxed);
	return w->clock - oldest;
}

/* May the view be taken at once? */
static inline bool ready(struct lagoon_worker *w, int64_t bound,
			 struct lgn_view *v)
{
	return lgn_unlikely(v->t->model == LAGOON_PSP) ?
		sample_met(w, w->clock, bound, v) : bound_met(w->lg, bound);
}

int lgn_pull_range(struct lagoon_worker *w, struct lagoon_table *t, uint64_t row,
		   uint64_t nrows, void *out)
{
	const struct lgn_layout *l = &t->layout;
	uint64_t page;
	int64_t bound;
	int rc = lgn_worker_check(w);

	if (!rc)
		rc = lgn_table_check_rows(t, row, nrows);
	if (rc || !nrows)
		return rc;
	page = lgn_layout_page(l, row);
	bound = bound_of(t, w->clock);
	if (lgn_likely(page == lgn_layout_page(l, row + nrows - 1))) {
		struct lgn_view v = view_of(w, t, bound);

		if (lgn_likely(ready(w, bound, &v) &&
			       lgn_view_page(&v, page, lgn_layout_element(l, row),
					     nrows * l->cols, out))) {
			count_pull(v.part, nrows, 1, age(w, v.oldest));
			return 0;
		}
	}
	return pull_blocking(w, t, NULL, row, nrows, out);
}

int lgn_pull_list(struct lagoon_worker *w, struct lagoon_table *t,
		  const uint64_t *rows, uint64_t n, void *out)
{
	int rc = lgn_worker_check(w);

	if (!rc)
		rc = lgn_table_check_list(t, rows, n);
	if (rc)
		return rc;
	if (t->model != LAGOON_PSP && bound_met(w->lg, bound_of(t, w->clock)) &&
	    gather(t, rows, n, out)) {
		count_pull(&t->part[w->index], n, n, age(w, INT64_MAX));
		return 0;
	}
	return pull_blocking(w, t, rows, 0, n, out);
}

int lgn_request_run(struct lagoon_request *r)
{
	return r->complete ? r->status : run(r);
}
