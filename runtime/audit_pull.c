/* SPDX-License-Identifier: BSD-3-Clause */
/* I1, I2 and I4 of a pull that has come back: see audit.h. */
#include <stdlib.h>

#include "runtime/audit.h"
#include "runtime/base/status.h"
#include "runtime/table.h"
#include "runtime/view.h"

/* A pull that is looked at. */
struct look {
	struct lagoon_worker *w;
	struct lagoon_table *t;
	struct lgn_audit_worker *a;
	const struct lgn_audit_pull *pull;
	uint64_t row;		/* asked for, of this page */
	uint64_t page;
	bool bounded;		/* I1 can be judged */
	int64_t key;		/* what rounds must be there, in the ledger's count */
	int *who;		/* psp: of these workers, [n_who]; NULL: of all */
	int n_who;
};

void lgn_audit_begin(const struct lagoon_worker *w, struct lagoon_table *t,
		     const uint64_t *rows, uint64_t row, uint64_t n,
		     struct lgn_audit_pull *p)
{
	p->t = t;
	p->rows = rows;
	p->row = row;
	p->n = n;
	p->clock = w->clock;
	p->settings = atomic_load(&t->settings);
	p->model = atomic_load(&t->model);
	p->staleness = atomic_load(&t->staleness);
	p->sample = atomic_load(&t->sample);
}

/* Workers that this pull has to hear of. */
static bool asked(const struct look *l, int id)
{
	if (!l->who)
		return true;
	for (int i = 0; i < l->n_who; i++)
		if (l->who[i] == id)
			return true;
	return false;
}

static int rank_of(const struct lagoon *lg, int id)
{
	int rank = lg->size - 1;

	while (rank && lg->member[rank].first_worker > id)
		rank--;
	return rank;
}

/* Nobody answers for a worker of a dead process. */
static bool judged(const struct look *l, int id)
{
	const struct lagoon *lg = l->w->lg;

	return l->bounded && id != l->w->id && asked(l, id) &&
		!atomic_load(&lg->member[rank_of(lg, id)].dead);
}

/* ------------------------------------------------------------- reading */

static int get(const struct look *l, struct lgn_rmem *mem, uint64_t off,
	       uint64_t *to, uint64_t words)
{
	struct lgn_wr wr = {
		.mem = mem, .off = off, .local = to, .buf = &l->a->mem,
		.len = (uint32_t)(words * 8), .op = LGN_GET,
	};
	struct lgn_batch batch = { .wr = &wr, .n = 1 };

	return lgn_wire_run(l->w->lg->wire, &batch, l->w->lg->timeout_s);
}

/* As a pull shows them; without a worker's own rows, which have no tail.
 * False: the page's copy has been given up since. */
static bool read_tails(const struct look *l)
{
	static const struct lgn_part none;
	const struct lgn_number *nb = &l->t->number;
	struct lgn_view v = {
		.t = l->t, .part = (struct lgn_part *)&none, .need = 1,
		.oldest = INT64_MAX, .clock = l->w->clock,
	};
	uint64_t lanes = (uint64_t)nb->lanes;
	uint64_t n = (uint64_t)l->w->lg->total_workers;

	if (!lgn_view_page(&v, l->page, l->t->tail * lanes, n * lanes, l->a->text))
		return false;
	for (uint64_t i = 0; i < n; i++)
		l->a->tail[i] = (int64_t)(lgn_number_input(nb, l->a->text, i * lanes) *
					  nb->scale);
	return true;
}

/* The most that worker id has told for rounds up to key. */
static int64_t told(const struct look *l, int id, int64_t key)
{
	const uint64_t *ring = l->a->ring + (size_t)id * LGN_AUDIT_RING;
	const uint64_t mask = (1ull << LGN_AUDIT_COUNT_BITS) - 1;
	int64_t most = 0;

	for (int i = 0; i < LGN_AUDIT_RING; i++)
		if (ring[i] && (int64_t)(ring[i] >> LGN_AUDIT_COUNT_BITS) <= key &&
		    (int64_t)(ring[i] & mask) > most)
			most = (int64_t)(ring[i] & mask);
	return most;
}

/* ------------------------------------------------------------- judging */

static int violated(const struct look *l, const char *rule, int id,
		    const char *what, int64_t found, int64_t expected)
{
	return lgn_audit_fail(l->w->lg, "%s: worker %d at clock %lld, table %s row %llu (page %llu): %s of worker %d (rank %d): %lld, expected %lld",
			      rule, l->w->id, (long long)l->pull->clock, l->t->name,
			      (unsigned long long)l->row,
			      (unsigned long long)l->page, what, id,
			      rank_of(l->w->lg, id), (long long)found,
			      (long long)expected);
}

static int judge_other(const struct look *l, int id)
{
	int64_t tail = l->a->tail[id], must;

	if (!judged(l, id))
		return 0;
	must = told(l, id, l->key);
	if (tail < must)
		return violated(l, "I1, too old", id, "adds to the page", tail, must);
	if (l->pull->model == LAGOON_BSP && l->t->audit->model_key < l->key &&
	    tail > must)
		return violated(l, "I1, rounds not kept apart", id,
				"adds to the page", tail, must);
	return 0;
}

static int judge_page(const struct look *l)
{
	struct lgn_audit_part *part = &l->t->audit->part[l->w->index];
	int n = l->w->lg->total_workers, rc = 0;
	uint32_t *seen = part->seen + l->page * (uint64_t)n;

	for (int id = 0; id < n && !rc; id++) {
		int64_t tail = l->a->tail[id], own = part->count[l->page];

		if (tail < (int64_t)seen[id])
			rc = violated(l, "I4, older than seen before", id,
				      "adds to the page", tail, seen[id]);
		if (!rc && id == l->w->id) {
			if (l->pull->model == LAGOON_BSP)
				own -= (int64_t)lgn_audit_pending(l->t, l->page,
								  l->w->index);
			if (tail != own)
				rc = violated(l, tail < own ? "I2, own delta missing" :
					      "I2, own delta twice", id,
					      "adds to the page", tail, own);
		}
		if (!rc)
			rc = judge_other(l, id);
		seen[id] = (uint32_t)tail;
	}
	return rc;
}

static int look_at(struct look *l)
{
	const struct lgn_layout *layout = &l->t->layout;
	uint64_t shard = lgn_layout_shard(layout, l->page);
	int rc = 0;

	if (!read_tails(l)) {
		atomic_fetch_add(&l->w->lg->audit->skipped, 1);
		return 0;
	}
	atomic_fetch_add(&l->w->lg->audit->pages, 1);
	if (l->bounded)
		rc = get(l, &l->t->shard[shard],
			 lgn_audit_ring_offset(l->t, l->page, 0), l->a->ring,
			 (uint64_t)l->w->lg->total_workers * LGN_AUDIT_RING);
	return rc ? rc : judge_page(l);
}

/* Whoever the pull had to wait for has ended the rounds. */
static int judge_clocks(const struct look *l)
{
	const struct lagoon *lg = l->w->lg;
	int rc;

	if (!l->bounded || l->pull->clock <= l->pull->staleness)
		return 0;
	rc = get(l, &lg->audit->clocks, 0, l->a->clock,
		 (uint64_t)lg->total_workers);
	for (int id = 0; id < lg->total_workers && !rc; id++)
		if (judged(l, id) && (int64_t)l->a->clock[id] <= l->key)
			rc = violated(l, "I1, did not wait", id, "rounds ended",
				      (int64_t)l->a->clock[id] -
						lgn_audit_key(lg->audit, 0),
				      l->pull->clock - l->pull->staleness);
	return rc;
}

/* A bound that was changed meanwhile is not known. */
static void begin(struct look *l)
{
	const struct lgn_audit_pull *p = l->pull;
	const struct lagoon *lg = l->w->lg;

	l->key = lgn_audit_key(lg->audit, p->clock - p->staleness - 1);
	l->bounded = p->settings == atomic_load(&l->t->settings) &&
		p->staleness != LAGOON_UNBOUNDED && p->clock < LGN_AUDIT_LEFT;
	if (!l->bounded || p->model != LAGOON_PSP)
		return;
	l->who = malloc((size_t)lg->total_workers * sizeof(*l->who));
	l->bounded = l->who;
	if (l->who)
		l->n_who = lgn_sample_draw(lgn_table_seed(l->t), l->w->id, p->clock,
					   lg->total_workers, p->sample, l->who);
}

int lgn_audit_pulled(struct lagoon_worker *w, const struct lgn_audit_pull *p)
{
	struct lagoon_table *t = p->t;
	struct look l = { .w = w, .t = t, .pull = p, .page = UINT64_MAX };
	int rc = 0;

	if (!t->audit || !p->n || atomic_load(&w->lg->audit->unsure))
		return 0;
	l.a = &w->lg->audit->worker[w->index];
	l.row = p->rows ? p->rows[0] : p->row;
	begin(&l);
	rc = judge_clocks(&l);
	for (uint64_t i = 0; i < p->n && !rc; i++) {
		uint64_t row = p->rows ? p->rows[i] : p->row + i;
		uint64_t page = lgn_layout_page(&t->layout, row);

		if (page == l.page)
			continue;
		l.row = row;
		l.page = page;
		rc = look_at(&l);
	}
	free(l.who);
	return rc;
}
