/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages: READs into the cache, holding, changing the copy. page.h has the
 * rules. */
#include "runtime/base/status.h"
#include "runtime/request.h"
#include "runtime/table.h"
#include "runtime/word.h"

static bool fresh(const struct lgn_page *page, uint64_t need)
{
	return atomic_load_explicit(&page->stamp, memory_order_acquire) >= need;
}

/* Whoever polls. The copy is complete: stamp it, let go of the page. */
static void landed(struct lgn_batch *batch)
{
	struct lagoon_request *r = (struct lagoon_request *)batch;
	bool good = !atomic_load(&batch->status);

	for (uint32_t i = 0; i < batch->n; i++) {
		for (uint32_t k = 0; k < r->pages[i]; k++) {
			struct lgn_page *page = &r->view.t->page[r->first_page[i] + k];

			if (good) {
				/* Both order the copy before them. */
				atomic_store_explicit(&page->floor, r->floor,
						      memory_order_release);
				atomic_store_explicit(&page->stamp, r->stamp,
						      memory_order_release);
			}
			lgn_page_release(page);
		}
	}
}

/* Make page part of the batch: longer by one READ, or a READ longer. */
static void append(struct lagoon_request *r, uint64_t page)
{
	struct lagoon_table *t = r->view.t;
	const struct lgn_layout *l = &t->layout;
	uint32_t bytes = (uint32_t)(l->page_words * 8);
	uint64_t shard = lgn_layout_shard(l, page);
	uint32_t n = r->batch.n;

	if (n && r->first_page[n - 1] + r->pages[n - 1] == page &&
	    r->wr[n - 1].mem == &t->shard[shard] &&
	    page % l->block && r->wr[n - 1].len < 1u << 20) {
		r->pages[n - 1]++;
		r->wr[n - 1].len += bytes;
		return;
	}
	r->first_page[n] = page;
	r->pages[n] = 1;
	r->wr[n] = (struct lgn_wr){
		.mem = &t->shard[shard], .off = lgn_table_offset(t, page),
		.local = lgn_table_copy(t, page), .buf = &t->cache_mem,
		.len = bytes, .op = LGN_GET,
	};
	r->batch.n++;
}

/* A busy page is passed over. */
void lgn_fetch_include(struct lagoon_request *r, uint64_t page, uint64_t need)
{
	struct lgn_page *p = &r->view.t->page[page];

	if (fresh(p, need) ||
	    !lgn_page_acquire(p, LGN_READING, r->w->lg->rank))
		return;
	/* Somebody may have just refreshed it. */
	if (fresh(p, need))
		lgn_page_release(p);
	else
		append(r, page);
}

/* Pages that are busy are looked at again when the view gets there. */
static void collect(struct lagoon_request *r)
{
	struct lagoon_table *t = r->view.t;
	uint64_t last = UINT64_MAX;
	uint64_t i = r->done;

	while (i < r->n && r->batch.n < LGN_FETCH_WRS) {
		uint64_t row = lgn_request_row(r, i);
		uint64_t page = lgn_layout_page(&t->layout, row);

		if (page != last && !lgn_view_floor_serves(&r->view, page))
			lgn_fetch_include(r, page, r->view.need);
		last = page;
		i = r->rows ? i + 1 :
			i + (((page + 1) << t->layout.page_shift) - row);
	}
}

static void give_up(struct lagoon_request *r)
{
	for (uint32_t i = 0; i < r->batch.n; i++)
		for (uint32_t k = 0; k < r->pages[i]; k++)
			lgn_page_release(&r->view.t->page[r->first_page[i] + k]);
}

/* What the model dates a copy by: the floor; the round of who fetched it; the
 * last sample that was far enough. */
static int64_t date(const struct lagoon_request *r)
{
	struct lagoon_table *t = r->view.t;

	switch (t->model) {
	case LAGOON_ASP:
	case LAGOON_VAP:
		return r->clock;
	case LAGOON_PSP:
		return (int64_t)atomic_load(&t->shared->tick);
	default:
		return r->floor;
	}
}

/* The stamp is decided before the READ is posted: what was flushed before the
 * floor was read is in the shard when the READ arrives there. */
void lgn_fetch_begin(struct lagoon_request *r)
{
	struct lagoon *lg = r->w->lg;
	uint64_t epoch = atomic_load(&lg->epoch);

	r->floor = atomic_load(&lg->floor);
	r->stamp = lgn_stamp(epoch, date(r));
	r->batch.wr = r->wr;
	r->batch.n = 0;
}

int lgn_fetch_send(struct lagoon_request *r, uint64_t *pages)
{
	struct lgn_wire *wire = r->w->lg->wire;
	uint64_t n = 0;
	int rc;

	*pages = 0;
	for (uint32_t i = 0; i < r->batch.n; i++)
		n += r->pages[i];
	r->batch.complete = landed;
	/* Looked at with the pages in READING: a push that broke off on one of
	 * them has said so before it let go of it. */
	rc = lgn_check_node(r->w->lg);
	if (!rc)
		rc = lgn_wire_send(wire, &r->batch);
	if (rc) {
		give_up(r);
		return rc == LAGOON_EAGAIN ? 0 : rc;
	}
	*pages = n;
	lgn_count(&r->view.part->counts.pages_read, n);
	return 0;
}

int lgn_fetch_post(struct lagoon_request *r, bool *posted)
{
	uint64_t pages = 0;
	int rc = 0;

	lgn_fetch_begin(r);
	collect(r);
	if (r->batch.n)
		rc = lgn_fetch_send(r, &pages);
	*posted = pages;
	return rc;
}

/* Whoever holds the page may have failed, and need a lock that the caller has
 * to come to its end. */
static int hopeless(const struct lagoon_table *t, uint64_t page,
		    const struct lgn_wait *wait)
{
	uint32_t hold = atomic_load(&t->page[page].hold);
	int rc = lgn_check_lost(t->lg);

	if (rc || lgn_waited_ns(wait) <= (uint64_t)t->lg->timeout_s * 1000000000u)
		return rc;
	return lgn_fail(LAGOON_ETIMEDOUT,
			"table %s: rank %d has held a page for %d s; see LAGOON_TIMEOUT",
			t->name, lgn_hold_rank(hold), t->lg->timeout_s);
}

int lgn_table_hold(struct lagoon_table *t, uint64_t page)
{
	struct lgn_wire *wire = t->lg->wire;
	struct lgn_wait wait = LGN_WAIT_INIT;
	uint64_t look_ns = 0;

	while (!lgn_page_acquire(&t->page[page], LGN_PUSHING, t->lg->rank)) {
		int rc = hopeless(t, page, &wait);

		if (rc)
			return rc;
		wire->ops->poll(wire);
		lgn_node_look(t, page, &look_ns);
		lgn_wait_step(&wait);
	}
	return 0;
}

void lgn_table_copy_in(struct lagoon_table *t, uint64_t page, uint64_t word,
		       uint64_t delta)
{
	_Atomic uint64_t *copy = (_Atomic uint64_t *)lgn_table_copy(t, page) + word;
	struct lgn_page *p = &t->page[page];
	uint64_t sum;
	int mask;

	if (!atomic_load_explicit(&p->stamp, memory_order_relaxed))
		return;
	sum = lgn_word_sum(t->number.lanes, t->number.legal,
			   atomic_load_explicit(copy, memory_order_relaxed),
			   delta, &mask);
	if (mask)
		atomic_store(&p->stamp, 0);
	else
		atomic_store_explicit(copy, sum, memory_order_relaxed);
}
