/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "runtime/ahead.h"
#include "runtime/base/status.h"
#include "runtime/request.h"
#include "runtime/table.h"

int lgn_ahead_open(struct lagoon_table *t)
{
	if (t->in_place || t->used)
		return 0;
	t->used = calloc(t->layout.pages, sizeof(*t->used));
	return t->used ? 0 :
		lgn_fail(LAGOON_ENOMEM, "table %s: no memory to note the use of %llu pages",
			 t->name, (unsigned long long)t->layout.pages);
}

void lgn_ahead_forget(struct lagoon_table *t)
{
	for (uint64_t p = 0; t->used && p < t->layout.pages; p++)
		atomic_store_explicit(&t->used[p], 0, memory_order_relaxed);
}

/* Workers of a process drift apart: a page may have been used in a later
 * round than w's. */
static bool in_use(const struct lagoon_worker *w, const struct lagoon_table *t,
		   uint64_t page, int64_t rounds)
{
	uint32_t used = atomic_load_explicit(&t->used[page],
					     memory_order_relaxed);

	return used && (int32_t)((uint32_t)w->clock + 1 - used) <= rounds;
}

/* The table that w is to scan: the one it has begun, or one whose last scan
 * was for an older floor. NULL: none. */
static struct lagoon_table *to_scan(struct lagoon_worker *w)
{
	struct lagoon *lg = w->lg;
	uint64_t now = lgn_stamp(atomic_load(&lg->epoch),
				 atomic_load(&lg->floor));

	if (w->ahead_table >= 0)
		return lg->table[w->ahead_table];
	for (int i = 0; i < LGN_TABLES; i++) {
		struct lagoon_table *t = lg->table[i];
		uint64_t last;

		if (!t || !t->used || t->model != LAGOON_ESSP)
			continue;
		last = atomic_load(&t->scanned);
		if (last >= now ||
		    !atomic_compare_exchange_strong(&t->scanned, &last, now))
			continue;
		w->ahead_table = i;
		w->ahead_page = 0;
		return t;
	}
	return NULL;
}

/* As many pages as one slot takes. */
static void collect(struct lagoon_worker *w, struct lagoon_table *t,
		    struct lagoon_request *r)
{
	int32_t s = atomic_load_explicit(&t->staleness, memory_order_relaxed);
	int64_t rounds = (int64_t)s + LGN_AHEAD_ROUNDS;

	r->w = w;
	r->view = (struct lgn_view){ .t = t, .part = &t->part[w->index] };
	r->clock = w->clock;
	lgn_fetch_begin(r);
	while (w->ahead_page < t->layout.pages && r->batch.n < LGN_FETCH_WRS) {
		if (in_use(w, t, w->ahead_page, rounds))
			lgn_fetch_include(r, w->ahead_page, r->stamp);
		w->ahead_page++;
	}
}

/* What fails here is told by the pull that needs it. False: no more now. */
static bool post(struct lagoon_worker *w, struct lagoon_table *t,
		 struct lagoon_request *r)
{
	uint64_t from = w->ahead_page, pages;
	int rc;

	collect(w, t, r);
	if (r->batch.n) {
		rc = lgn_fetch_send(r, &pages);
		lgn_count(&r->view.part->counts.pages_ahead, pages);
		if (rc || !pages) {
			w->ahead_page = from;
			w->ahead_table = rc ? -1 : w->ahead_table;
			return false;
		}
	}
	if (w->ahead_page == t->layout.pages)
		w->ahead_table = -1;
	return true;
}

void lgn_ahead_step(struct lagoon_worker *w)
{
	for (int i = 0; i < LGN_AHEAD_SLOTS; i++) {
		struct lagoon_request *r = lgn_ahead_slot(w, i);
		struct lagoon_table *t;

		if (!lgn_batch_done(&r->batch))
			continue;
		t = to_scan(w);
		if (!t || !t->used || !post(w, t, r))
			return;
	}
}

void lgn_ahead_settle(struct lagoon_worker *w, const struct lagoon_table *t)
{
	for (int i = 0; w->request && i < LGN_AHEAD_SLOTS; i++) {
		struct lagoon_request *r = lgn_ahead_slot(w, i);

		if (!lgn_batch_done(&r->batch) && (!t || r->view.t == t))
			lgn_wire_drain(w->lg->wire, &r->batch, w->lg->timeout_s);
	}
	w->ahead_table = -1;
}
