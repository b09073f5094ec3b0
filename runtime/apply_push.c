/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pending deltas become records, and wait until their homes have applied
 * them: what a clock publishes is in the shards (I1). A page is in PUSHING
 * until then, so that no READ of it is under way meanwhile (page.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/apply.h"
#include "runtime/base/status.h"
#include "runtime/pending.h"
#include "runtime/push.h"
#include "runtime/sender.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/update_log.h"

enum { HELD = 1024 };		/* pages at once */

/* One flush of a table. */
struct flush {
	struct lagoon *lg;
	struct lagoon_table *t;
	struct lgn_counts *counts;
	uint32_t n;
	int range;		/* LAGOON_ERANGE once met */
	char text[512];
	uint64_t held[HELD];
};

static void count_words(struct flush *f, uint64_t elems)
{
	lgn_count(&f->counts->words_pushed,
		  (elems + f->t->layout.lanes - 1) / f->t->layout.lanes);
}

/* All that was sent is applied: let go of the pages. Where something was
 * refused the copies show it, and serve nobody any more. */
static int finish(struct flush *f)
{
	uint64_t refused = 0;
	int rc = lgn_sender_commit(f->lg);

	if (!rc)
		rc = lgn_sender_wait(f->lg, &refused);
	lgn_count(&f->counts->rejected, refused);
	if (rc == LAGOON_ERANGE && !f->range) {
		f->range = rc;
		snprintf(f->text, sizeof(f->text), "%s", lagoon_errmsg());
	}
	if (rc && rc != LAGOON_ERANGE)
		lgn_note_broken(f->lg, -1);
	for (uint32_t i = 0; i < f->n; i++) {
		struct lgn_page *page = &f->t->page[f->held[i]];

		if (rc)
			atomic_store(&page->stamp, 0);
		lgn_page_release(page);
	}
	f->n = 0;
	return rc == LAGOON_ERANGE ? 0 : rc;
}

static void keep(struct flush *f, uint64_t page)
{
	f->held[f->n++] = page;
}

/* Under the page's lock, its version odd. */
static int take(struct flush *f, uint64_t number)
{
	struct lagoon_table *t = f->t;
	const struct lgn_apply *a = t->apply;
	const struct lgn_pending *p = a->pending;
	struct lgn_page *page = &t->page[number];
	const uint64_t cols = t->layout.cols, end = 1ull << t->layout.page_shift;
	const bool views = lgn_update_views(&a->fn);
	uint64_t row = 0, n;
	int rc = 0;

	while (!rc && (n = lgn_pending_next(p, number, &row, end))) {
		uint64_t first = row * cols, elems = n * cols;
		char *delta = lgn_pending_delta(t, number) + first * a->size;

		if (views && atomic_load_explicit(&page->stamp, memory_order_relaxed))
			lgn_update_view(&a->fn, elems, (char *)lgn_table_copy(t, number) +
					first * a->size, delta);
		rc = lgn_sender_put(f->lg, number, first, elems, delta);
		count_words(f, elems);
		row += n;
	}
	if (!views)
		atomic_store(&page->stamp, 0);
	return rc;
}

static int push_page(struct flush *f, uint64_t number)
{
	struct lgn_pending *p = f->t->apply->pending;
	struct lgn_page *page = &f->t->page[number];
	int rc = lgn_table_hold(f->t, number);

	if (rc)
		return rc;
	atomic_fetch_add(&page->version, 1);
	lgn_pending_lock(p, number);
	rc = take(f, number);
	lgn_pending_clear(p, number);
	lgn_pending_unlock(p, number);
	atomic_fetch_add(&page->version, 1);
	keep(f, number);
	if (!rc && f->n == HELD)
		rc = finish(f);
	return rc;
}

/* Every process starts at another page, as in push.c. */
static int push_pages(struct flush *f)
{
	const struct lagoon_table *t = f->t;
	uint64_t pages = t->layout.pages;
	uint64_t first = pages * (uint64_t)t->lg->rank / (uint64_t)t->lg->size;
	int rc = 0;

	for (uint64_t i = 0; i < pages && !rc; i++) {
		uint64_t n = first + i < pages ? first + i : first + i - pages;

		if (lgn_pending_whose(t->apply->pending, n))
			rc = push_page(f, n);
	}
	return rc;
}

/* Page after page that entries of a log name, each held once in a batch: of
 * the pages in PUSHING, the flush's own are in its list. */
static bool holds(const struct flush *f, uint64_t page)
{
	for (uint32_t i = f->n; i > 0; i--)
		if (f->held[i - 1] == page)
			return true;
	return false;
}

static int push_entry(struct flush *f, const struct lgn_logged *e)
{
	struct lagoon_table *t = f->t;
	uint64_t number = lgn_layout_page(&t->layout, e->row);
	uint64_t elems = e->nrows * t->layout.cols;
	int rc = 0;

	if (!holds(f, number)) {
		if (f->n == HELD)
			rc = finish(f);
		rc = rc ? rc : lgn_table_hold(t, number);
		if (rc)
			return rc;
		atomic_fetch_add(&t->page[number].version, 1);
		atomic_store(&t->page[number].stamp, 0);
		atomic_fetch_add(&t->page[number].version, 1);
		keep(f, number);
	}
	count_words(f, elems);
	return rc ? rc : lgn_sender_put(f->lg, number,
		lgn_layout_element(&t->layout, e->row), elems,
		(const char *)(e + 1));
}

/* The log is empty for its worker only when its pages serve nobody. */
static int push_logs(struct flush *f)
{
	int rc = 0;

	for (int i = 0; i < f->lg->local_workers && !rc; i++) {
		struct lgn_log *log = &f->t->apply->log[i];
		const struct lgn_logged *e;
		uint64_t at = 0;

		lgn_log_lock(log);
		while (!rc && (e = lgn_log_next(log, &at)))
			rc = push_entry(f, e);
		lgn_log_clear(log);
		lgn_log_unlock(log);
	}
	return rc;
}

int lgn_apply_push(struct lagoon_worker *w, struct lagoon_table *t)
{
	struct flush f;
	int rc, rc2;

	if (t->in_place || t->model == LAGOON_BSP)
		return 0;
	f.lg = w->lg;
	f.t = t;
	f.counts = &t->part[w->index].counts;
	f.n = 0;
	f.range = 0;
	lgn_sender_begin(f.lg, t, LGN_RECORD_DATA, (uint32_t)w->id);
	rc = lgn_apply_combines(t->apply) ? push_pages(&f) : push_logs(&f);
	rc2 = finish(&f);
	rc = rc ? rc : rc2;
	if (!rc && f.range)
		lgn_errmsg_set(f.text);
	return rc ? rc : f.range;
}

int lgn_apply_push_all(struct lagoon_worker *w)
{
	int range = 0, rc = 0;

	for (int i = 0; i < LGN_TABLES && !rc; i++) {
		struct lagoon_table *t = w->lg->table[i];

		if (t && t->apply)
			rc = lgn_apply_push(w, t);
		if (rc == LAGOON_ERANGE) {
			range = rc;
			rc = 0;
		}
	}
	return rc ? rc : range;
}
