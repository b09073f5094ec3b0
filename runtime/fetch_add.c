/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_fetch_add: one element, in its shard, at once. To the page it is an
 * operation like a push: no READ of the page is in flight meanwhile, and a
 * copy gets the same change, so that the worker's later pulls contain it.
 */
#include "runtime/base/status.h"
#include "runtime/calls.h"
#include "runtime/push.h"
#include "runtime/table.h"
#include "runtime/word.h"

/* The element, and the shard word that holds it. */
struct place {
	struct lagoon_worker *w;
	struct lagoon_table *t;
	uint64_t row;
	uint32_t col;
	uint64_t page;
	uint64_t word;
};

static int check(const struct lagoon_worker *w, const struct lagoon_table *t,
		 uint64_t row, uint32_t col)
{
	int rc = lgn_worker_check(w);

	if (rc)
		return rc;
	if (t->attr.format != LAGOON_I64 || t->model == LAGOON_BSP)
		return lgn_fail(LAGOON_ENOTSUP, "table %s: fetch-and-add needs format i64 and a model other than bsp",
				t->name);
	if (col >= t->attr.cols)
		return lgn_fail(LAGOON_EINVAL, "table %s: column %u of %u", t->name,
				col, t->attr.cols);
	return lgn_table_check_rows(t, row, 1);
}

static int out_of_range(const struct place *p, int64_t delta)
{
	lgn_count(&p->t->part[p->w->index].counts.rejected, 1);
	return lgn_fail(LAGOON_ERANGE,
			"table %s row %llu column %u: adding %lld leaves the legal range of +-%lld; nothing is added",
			p->t->name, (unsigned long long)p->row, p->col,
			(long long)delta, (long long)p->t->number.legal);
}

/* One request; the old word comes back in the worker's own word. */
static int run(const struct place *p, enum lgn_op op, uint64_t operand,
	       uint64_t expect)
{
	struct lagoon_table *t = p->t;
	struct lgn_wr wr = {
		.mem = &t->shard[lgn_layout_shard(&t->layout, p->page)],
		.off = lgn_table_offset(t, p->page) + p->word * 8,
		.local = p->w->view.word, .buf = &p->w->view.mem, .len = 8,
		.op = op,
		.operand = operand, .expect = expect,
	};
	struct lgn_batch batch = { .wr = &wr, .n = 1 };

	return lgn_push_run(t, &t->part[p->w->index].counts, &batch);
}

/* Small deltas by fetch-and-add, undone if the sum is illegal; see word.h. */
static int add_small(const struct place *p, int64_t delta, int64_t *old)
{
	int rc = run(p, LGN_ADD, (uint64_t)delta, 0);

	if (rc)
		return rc;
	*old = (int64_t)*p->w->view.word;
	if (lgn_within(*old + delta, p->t->number.legal))
		return 0;
	rc = run(p, LGN_ADD, -(uint64_t)delta, 0);
	return rc ? rc : out_of_range(p, delta);
}

static int add_large(const struct place *p, int64_t delta, int64_t *old)
{
	int64_t legal = p->t->number.legal;
	int rc = run(p, LGN_GET, 0, 0);

	while (!rc) {
		int mask;
		uint64_t sum;

		*old = (int64_t)*p->w->view.word;
		sum = lgn_word_sum(1, legal, (uint64_t)*old, (uint64_t)delta, &mask);
		if (mask)
			return out_of_range(p, delta);
		rc = run(p, LGN_CAS, sum, (uint64_t)*old);
		if (!rc && (int64_t)*p->w->view.word == *old)
			break;
	}
	return rc;
}

static int add(const struct place *p, int64_t delta, int64_t *old)
{
	int rc;

	if (!lgn_within(delta, p->t->number.legal))
		return out_of_range(p, delta);
	rc = lgn_within(delta, p->t->bound) ? add_small(p, delta, old) :
		add_large(p, delta, old);
	if (!rc)
		lgn_count(&p->t->part[p->w->index].counts.words_pushed, 1);
	return rc;
}

/* The page must be in PUSHING. */
static void change_copy(const struct place *p, int64_t delta)
{
	struct lgn_page *page = &p->t->page[p->page];

	atomic_fetch_add(&page->version, 1);
	lgn_table_copy_in(p->t, p->page, p->word, (uint64_t)delta);
	atomic_fetch_add(&page->version, 1);
}

int lgn_fetch_add(struct lagoon_worker *w, struct lagoon_table *t, uint64_t row,
		  uint32_t col, int64_t delta, int64_t *old)
{
	struct place p = { .w = w, .t = t, .row = row, .col = col };
	int64_t before = 0;
	int rc = check(w, t, row, col);

	if (!rc)
		rc = lgn_check_lost(w->lg);
	if (rc)
		return rc;
	p.page = lgn_layout_page(&t->layout, row);
	p.word = lgn_layout_element(&t->layout, row) + col;
	if (!t->direct)
		rc = lgn_table_hold(t, p.page);
	if (rc)
		return rc;
	rc = add(&p, delta, &before);
	if (!t->direct) {
		if (!rc)
			change_copy(&p, delta);
		lgn_page_release(&t->page[p.page]);
	}
	if (!rc)
		*old = before;
	return rc;
}
