/* SPDX-License-Identifier: BSD-3-Clause */
/* lagoon_add() to a table in apply mode: where its rows go. */
#include <stdio.h>
#include <string.h>

#include "runtime/apply.h"
#include "runtime/base/status.h"
#include "runtime/pending.h"
#include "runtime/push.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/update_log.h"

/* All members are on the node, and rounds are not kept apart. */
static int add_direct(struct lgn_apply_add *a, uint64_t row, uint64_t nrows,
		      const char *in)
{
	struct lagoon_table *t = a->t;
	uint64_t page = lgn_layout_page(&t->layout, row);
	uint64_t first = lgn_layout_element(&t->layout, row);
	uint64_t n = nrows * t->layout.cols;
	int why;
	uint64_t done = lgn_apply_run(t, &a->part->counts, page, first, n, in,
				      &why);

	a->done += done;
	return lgn_likely(done == n) ? 0 :
		lgn_apply_refuse(t, &a->part->counts, why, page, first + done,
				 in + done * t->apply->size);
}

/* bsp: to the worker's own rows of the round. */
static int add_own(struct lgn_apply_add *a, uint64_t row, uint64_t nrows,
		   const char *in)
{
	struct lagoon_table *t = a->t;
	uint64_t cols = t->layout.cols, bytes = cols * t->apply->size;
	struct lgn_sparse *own = a->part->own;

	for (uint64_t i = 0; i < nrows; i++, in += bytes) {
		void *mine = lgn_sparse_find(own, row + i);
		uint64_t good = cols;

		if (mine) {
			good = lgn_apply_combine(t->apply, mine, in, cols);
		} else {
			mine = lgn_sparse_get(own, row + i);
			if (!mine)
				return LAGOON_ENOMEM;
			memcpy(mine, in, bytes);
		}
		if (lgn_unlikely(good < cols))
			return lgn_apply_refuse(t, &a->part->counts, LAGOON_ERANGE,
				lgn_layout_page(&t->layout, row + i),
				lgn_layout_element(&t->layout, row + i) + good,
				in + good * t->apply->size);
	}
	return 0;
}

void lgn_apply_set(struct lagoon_table *t)
{
	struct lgn_apply *a = t->apply;
	bool bsp = t->model == LAGOON_BSP;

	t->direct = false;		/* adds are not of integers */
	t->delta = NULL;
	a->add = t->in_place && !bsp ? add_direct :
		!lgn_apply_combines(a) ? lgn_log_add :
		bsp ? add_own : lgn_pending_add;
}

/* Rows of one page. What waits must be finite, row by row. */
static int add_rows(struct lgn_apply_add *a, uint64_t row, uint64_t nrows,
		    const char *in)
{
	struct lagoon_table *t = a->t;
	uint64_t cols = t->layout.cols, n = nrows * cols, good;
	int rc = 0;

	if (t->apply->add == add_direct)
		return add_direct(a, row, nrows, in);
	good = lgn_apply_finite(t->apply->fn.type, in, n);
	if (lgn_likely(good == n))
		return t->apply->add(a, row, nrows, in);
	if (good >= cols)
		rc = t->apply->add(a, row, good / cols, in);
	return rc ? rc : lgn_apply_refuse(t, &a->part->counts, LAGOON_EINVAL,
		lgn_layout_page(&t->layout, row),
		lgn_layout_element(&t->layout, row) + good,
		in + good * t->apply->size);
}

static int add_range(struct lgn_apply_add *a, uint64_t row, uint64_t nrows,
		     const char *in)
{
	const struct lgn_layout *l = &a->t->layout;
	const uint64_t bytes = (uint64_t)l->cols * a->t->apply->size;
	int rc = 0;

	while (nrows && !rc) {
		uint64_t to_end = ((lgn_layout_page(l, row) + 1) << l->page_shift) - row;
		uint64_t n = nrows < to_end ? nrows : to_end;

		rc = add_rows(a, row, n, in);
		in += n * bytes;
		row += n;
		nrows -= n;
	}
	return rc;
}

/* Rows of the shard are asked for ahead: a lock waits for its line. */
static int add_list(struct lgn_apply_add *a, const uint64_t *rows, uint64_t n,
		    const char *in)
{
	const struct lgn_layout *l = &a->t->layout;
	const struct lgn_apply *p = a->t->apply;
	const uint64_t bytes = (uint64_t)l->cols * p->size;
	const bool direct = p->add == add_direct;
	int rc = 0;

	for (uint64_t i = 0; i < n && !rc; i++) {
		if (direct && i + LGN_APPLY_AHEAD < n) {
			uint64_t row = rows[i + LGN_APPLY_AHEAD];
			const struct lgn_place_of_page *at =
				&p->place[lgn_layout_page(l, row)];

			__builtin_prefetch(at->lock, 1);
			__builtin_prefetch(at->value + lgn_layout_element(l, row) *
					   p->size, 1);
		}
		rc = add_rows(a, rows[i], 1, in + i * bytes);
	}
	return rc;
}

/* vap: what has passed the bound goes out before the call returns. It holds
 * the push lock from before its first delta on: see push.h. The first error
 * counts. */
static int add_watched(struct lgn_apply_add *a, const uint64_t *rows,
		       uint64_t row, uint64_t n, const char *in)
{
	struct lagoon_worker *w = a->w;
	char keep[512] = "";
	int rc, more = 0;

	lgn_push_lock(w->lg);
	rc = rows ? add_list(a, rows, n, in) : add_range(a, row, n, in);
	if (rc)
		snprintf(keep, sizeof(keep), "%s", lagoon_errmsg());
	if (a->over)
		more = lgn_apply_push(w, a->t);
	if (!rc && more)
		snprintf(keep, sizeof(keep), "%s", lagoon_errmsg());
	lgn_push_unlock(w->lg);
	rc = rc ? rc : more;
	more = lgn_clock_advance(w);
	if (rc)
		lgn_errmsg_set(keep);
	return rc ? rc : more;
}

int lgn_apply_add(struct lagoon_worker *w, struct lagoon_table *t,
		  const uint64_t *rows, uint64_t row, uint64_t n,
		  const void *in)
{
	struct lgn_apply_add a = { .w = w, .t = t, .part = &t->part[w->index] };
	int rc;

	/* As for rounding, of which there is none: lagoon_checkpoint() asks. */
	a.part->round = w->clock;
	a.part->call = 1;
	lgn_count(&a.part->counts.adds, 1);
	lgn_count(&a.part->counts.rows_added, n);
	if (lgn_unlikely(t->model == LAGOON_VAP && !t->in_place))
		return add_watched(&a, rows, row, n, in);
	rc = rows ? add_list(&a, rows, n, in) : add_range(&a, row, n, in);
	lgn_count(&a.part->counts.words_pushed, a.done / t->layout.lanes);
	return rc;
}
