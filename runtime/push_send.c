/* SPDX-License-Identifier: BSD-3-Clause */
/* Words that were collected go out; what left the legal range comes back. */
#include "runtime/audit.h"
#include "runtime/base/status.h"
#include "runtime/push.h"
#include "runtime/table.h"
#include "runtime/word.h"

void lgn_push_report(struct lgn_push *p, const struct lgn_pushed *at, int mask,
		   uint64_t delta)
{
	const struct lagoon_table *t = p->t;
	uint64_t element = at->word * (uint64_t)t->number.lanes +
		(mask == LGN_REJECT_HIGH);
	int64_t lane = t->number.lanes == 1 ? (int64_t)delta :
		mask & LGN_REJECT_LOW ? lgn_lane_low(delta) : lgn_lane_high(delta);
	uint64_t row;
	uint32_t col;

	lgn_table_locate(t, at->page, element, &row, &col);
	lgn_audit_rejected(p->t, at->page, at->word,
			   lgn_word_part(t->number.lanes, delta, mask));
	lgn_count(&p->counts->rejected, mask == 3 ? 2 : 1);
	p->range = lgn_fail(LAGOON_ERANGE,
			    "table %s row %llu column %u: adding %g leaves the legal range of +-%g; the delta is dropped",
			    t->name, (unsigned long long)row, col,
			    lgn_number_value(&t->number, lane),
			    lgn_number_value(&t->number, t->number.legal));
}

/* A rejected part leaves the copy again. Needs the page in PUSHING. */
static void uncopy(struct lgn_push *p, const struct lgn_pushed *at,
		   uint64_t part)
{
	struct lgn_page *page = &p->t->page[at->page];
	_Atomic uint64_t *word;

	if (!p->t->delta || !atomic_load(&page->stamp))
		return;
	word = (_Atomic uint64_t *)lgn_table_copy(p->t, at->page) + at->word;
	atomic_fetch_add(&page->version, 1);
	atomic_fetch_sub(word, part);
	atomic_fetch_add(&page->version, 1);
}

static struct lgn_wr request(struct lgn_push *p, const struct lgn_pushed *at,
			     enum lgn_op op, uint32_t slot)
{
	struct lagoon_table *t = p->t;

	return (struct lgn_wr){
		.mem = &t->shard[lgn_layout_shard(&t->layout, at->page)],
		.off = lgn_table_offset(t, at->page) + at->word * 8,
		.local = &p->old[slot], .buf = &p->mem, .len = 8, .op = op,
	};
}

/* Take back the part of request i that left the legal range. */
static int undo(struct lgn_push *p, uint32_t i, int mask)
{
	uint64_t delta = p->wr[i].operand;
	uint64_t part = lgn_word_part(p->t->number.lanes, delta, mask);
	struct lgn_wr wr = request(p, &p->at[i], LGN_ADD, i);
	struct lgn_batch batch = { .wr = &wr, .n = 1 };

	wr.operand = -part;
	uncopy(p, &p->at[i], part);
	lgn_push_report(p, &p->at[i], mask, delta);
	return lgn_push_run(p->t, p->counts, &batch);
}

/* Too large for a fetch-and-add: check before changing. */
static int push_large(struct lgn_push *p, uint32_t i)
{
	const struct lgn_number *nb = &p->t->number;
	uint64_t delta = p->wr[i].operand;
	struct lgn_wr wr = request(p, &p->at[i], LGN_GET, i);
	struct lgn_batch batch = { .wr = &wr, .n = 1 };
	uint64_t old;
	int mask = 0;
	int rc = lgn_push_run(p->t, p->counts, &batch);

	if (rc)
		return rc;
	do {
		old = p->old[i];
		wr.op = LGN_CAS;
		wr.expect = old;
		wr.operand = lgn_word_sum(nb->lanes, nb->legal, old, delta, &mask);
		rc = lgn_push_run(p->t, p->counts, &batch);
	} while (!rc && p->old[i] != old);
	lgn_count(&p->counts->words_pushed, batch.posted);
	if (!rc && mask) {
		uncopy(p, &p->at[i], lgn_word_part(nb->lanes, delta, mask));
		lgn_push_report(p, &p->at[i], mask, delta);
	}
	return rc;
}

/* rc: of what was sent of these pages. */
void lgn_push_release(struct lgn_push *p, int rc)
{
	for (uint32_t i = 0; i < p->n_held; i++) {
		struct lgn_page *page = &p->t->page[p->held[i]];

		if (rc)
			lgn_page_break(page, p->t->lg->rank);
		else
			lgn_page_release(page);
	}
	p->n_held = 0;
}

/* So many words are taken and not complete, should this process die. */
static void note_taken(const struct lgn_push *p)
{
	atomic_store_explicit(&p->t->lg->node.control->taken,
			      p->batch.n + p->n_large, memory_order_release);
}

/* Send what is collected, wait, look at every old value, let go of the pages
 * whose last word this was. */
int lgn_push_send(struct lgn_push *p)
{
	const struct lgn_number *nb = &p->t->number;
	uint32_t n = p->batch.n;
	int rc = n ? lgn_push_run(p->t, p->counts, &p->batch) : 0;

	if (n && p->batch.posted)
		lgn_count(&p->counts->words_pushed, n);
	for (uint32_t i = 0; i < n && !rc; i++) {
		uint64_t delta = p->wr[i].operand;
		int mask = lgn_word_illegal(nb->lanes, nb->legal,
					    p->old[i] + delta, delta);

		if (lgn_unlikely(mask))
			rc = undo(p, i, mask);
	}
	for (uint32_t i = 0; i < p->n_large && !rc; i++)
		rc = push_large(p, p->large[i]);
	p->batch.n = 0;
	p->n_large = 0;
	if (!rc)
		note_taken(p);
	lgn_push_release(p, rc);
	return rc;
}

bool lgn_push_full(const struct lgn_push *p)
{
	return p->batch.n + p->n_large == LGN_PUSH_WRS || p->batch.n ==
		p->t->lg->wire->max_batch;
}

/* One word more. Small ones fill the request array from the front, large ones
 * from the back. */
void lgn_push_append(struct lgn_push *p, uint64_t page, uint64_t word,
		   uint64_t delta)
{
	bool small = lgn_word_small(p->t->number.lanes, p->t->bound, delta);
	uint32_t i = small ? p->batch.n++ : LGN_PUSH_WRS - 1 - p->n_large;

	p->at[i] = (struct lgn_pushed){ page, word };
	p->wr[i] = request(p, &p->at[i], LGN_ADD, i);
	p->wr[i].operand = delta;
	if (!small)
		p->large[p->n_large++] = i;
}
