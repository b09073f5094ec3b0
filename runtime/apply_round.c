/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a bsp round, for tables in apply mode. Floating-point sums depend
 * on their order, so everybody's deltas are applied by worker, and a worker's
 * as it added them:
 *
 *	one node	processes take turns; workers are numbered by process
 *	several		homes keep what arrives; when all has arrived (a
 *			meeting), they are told to sort and apply it
 */
#include <stdio.h>

#include "runtime/apply.h"
#include "runtime/base/status.h"
#include "runtime/push.h"
#include "runtime/sender.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/update_log.h"

struct round {
	struct lagoon *lg;
	struct lagoon_table *only;	/* or all */
	int index;			/* of the worker that acts */
	int range;
	char text[512];
};

static void note(struct round *r, int rc)
{
	if (r->range || rc != LAGOON_ERANGE)
		return;
	r->range = rc;
	snprintf(r->text, sizeof(r->text), "%s", lagoon_errmsg());
}

/* The next table of the round from slot *i on; NULL: no more. */
static struct lagoon_table *next(const struct round *r, int *i)
{
	while (*i < LGN_TABLES) {
		struct lagoon_table *t = r->lg->table[(*i)++];

		if (t && t->apply && t->model == LAGOON_BSP &&
		    (!r->only || t == r->only))
			return t;
	}
	return NULL;
}

/* Rows of one page to where they go. */
static int send_rows(struct round *r, struct lagoon_table *t, uint64_t row,
		     uint64_t nrows, const void *delta)
{
	struct lgn_counts *counts = &t->part[r->index].counts;
	uint64_t page = lgn_layout_page(&t->layout, row);
	uint64_t first = lgn_layout_element(&t->layout, row);
	uint64_t n = nrows * t->layout.cols;
	int rc;

	lgn_count(&counts->words_pushed, (n + t->layout.lanes - 1) / t->layout.lanes);
	if (!t->in_place)
		return lgn_sender_put(r->lg, page, first, n, delta);
	rc = lgn_apply_all(t, counts, page, first, n, delta);
	note(r, rc);
	return rc == LAGOON_ERANGE ? 0 : rc;
}

/* One worker's. */
static int send_own(struct round *r, struct lagoon_table *t, int worker)
{
	struct lgn_sparse *own = t->part[worker].own;
	struct lgn_log *log = t->apply->log ? &t->apply->log[worker] : NULL;
	const struct lgn_logged *e;
	uint64_t at = 0;
	int rc = 0;

	for (uint64_t i = 0; own && i < own->used && !rc; i++)
		rc = send_rows(r, t, own->row[i], 1, own->lanes + i * own->cols);
	while (!rc && log && (e = lgn_log_next(log, &at)))
		rc = send_rows(r, t, e->row, e->nrows, e + 1);
	if (own)
		lgn_sparse_clear(own);
	if (log)
		lgn_log_clear(log);
	return rc;
}

static int send_table(struct round *r, struct lagoon_table *t)
{
	struct lgn_flush flush;
	int rc = 0;

	lgn_flush_begin(&flush, &r->lg->worker[r->index], t);
	for (int k = 0; k < r->lg->local_workers && !rc; k++) {
		if (!t->in_place)
			lgn_sender_begin(r->lg, t, LGN_RECORD_HOLD,
					 (uint32_t)r->lg->worker[k].id);
		rc = send_own(r, t, k);
		if (!rc && !t->in_place)
			rc = lgn_sender_commit(r->lg);
	}
	lgn_flush_end(&flush);
	return rc;
}

static int send_tables(struct round *r)
{
	struct lagoon_table *t;
	int i = 0, rc = 0;

	while (!rc && (t = next(r, &i)))
		rc = send_table(r, t);
	return rc;
}

static int meet(struct lagoon *lg)
{
	return lgn_board_meet(lg, &lg->clock_view, LGN_MET, ++lg->met);
}

/* The last one's end is seen at the meeting that follows in any case. */
static int take_turns(struct round *r)
{
	int rc = 0;

	for (int turn = 0; turn < r->lg->size && !rc; turn++) {
		if (turn == r->lg->rank)
			rc = send_tables(r);
		if (!rc && turn < r->lg->size - 1)
			rc = meet(r->lg);
	}
	return rc;
}

/* What homes refuse is told to one of those who sent. */
static int wait_applied(struct round *r)
{
	uint64_t refused = 0;
	int i = 0, rc = lgn_sender_wait(r->lg, &refused);

	lgn_count(&next(r, &i)->part[r->index].counts.rejected, refused);
	note(r, rc);
	return rc == LAGOON_ERANGE ? 0 : rc;
}

static int through_homes(struct round *r)
{
	int rc = send_tables(r);

	if (!rc)
		rc = wait_applied(r);
	if (!rc)
		rc = meet(r->lg);
	if (!rc)
		rc = lgn_sender_round(r->lg);
	return rc ? rc : wait_applied(r);
}

int lgn_apply_round(struct lagoon_worker *w, struct lagoon_table *only)
{
	struct round r = { .lg = w->lg, .only = only, .index = w->index };
	const struct lagoon_table *t;
	int i = 0, rc;

	t = next(&r, &i);
	if (!t)
		return 0;
	rc = t->in_place ? take_turns(&r) : through_homes(&r);
	if (!rc && r.range)
		lgn_errmsg_set(r.text);
	return rc ? rc : r.range;
}

bool lgn_apply_has_own(const struct lagoon_table *t, int worker)
{
	const struct lgn_sparse *own = t->part[worker].own;

	return t->model == LAGOON_BSP && ((own && own->used) ||
		(t->apply->log && !lgn_log_empty(&t->apply->log[worker])));
}
