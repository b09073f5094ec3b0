/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_add: the caller's numbers are rounded to lanes, here and only here;
 * then lanes go to the shard words (direct), to this process's delta words
 * (cached), or to the worker's own rows of the round (bsp).
 */
#include <stdio.h>

#include "runtime/add.h"
#include "runtime/apply.h"
#include "runtime/audit.h"
#include "runtime/base/status.h"
#include "runtime/push.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/word.h"

enum {
	AHEAD = 32,	/* rows of a list whose words are on their way */
	TOGETHER = 64,	/* rounded at once, best of 16 to 128; of a long list */
	FEWER = 16,	/* only so many, while words arrive: best of 8 to 256 */
	NEAR = 1 << 17,	/* unless so many words are in the cache anyway */
};

/* One call of lagoon_add, and where it stands. */
struct adder {
	struct lagoon_worker *w;
	struct lagoon_table *t;
	struct lgn_part *part;
	struct lgn_rounding rounding;
};

static int refuse(const struct adder *a, int code, uint64_t page,
		  uint64_t element, double value)
{
	uint64_t row;
	uint32_t col;

	lgn_table_locate(a->t, page, element, &row, &col);
	if (code == LAGOON_EINVAL)
		return lgn_fail(code, "table %s row %llu column %u: delta %g is not finite",
				a->t->name, (unsigned long long)row, col, value);
	lgn_count(&a->part->counts.rejected, 1);
	return lgn_fail(code, "table %s row %llu column %u: adding %g leaves the legal range of +-%g; the delta is dropped",
			a->t->name, (unsigned long long)row, col, value,
			lgn_number_value(&a->t->number, a->t->number.legal));
}

/* Where the words of a page are added to, in direct and cached mode. */
static inline _Atomic uint64_t *target(const struct lagoon_table *t,
				       uint64_t page)
{
	return t->direct ? (_Atomic uint64_t *)t->map[page] :
		lgn_table_delta(t, page);
}

/* vap: what changes may have to go out before the call returns. */
static inline bool watched(const struct lagoon_table *t)
{
	return lgn_unlikely(t->model == LAGOON_VAP) && !t->direct;
}

static inline int add_word(struct adder *a, _Atomic uint64_t *words,
			   uint64_t page, uint64_t word, uint64_t delta)
{
	struct lagoon_table *t = a->t;
	int mask;

	if (!delta)
		return 0;
	mask = lgn_word_add(&words[word], t->number.lanes, t->number.legal,
			    t->bound, delta);
	if (!t->direct) {
		lgn_page_mark(&t->dirty[page], word, t->layout.page_words);
		if (watched(t))
			lgn_push_changed(t->lg->push, page, word);
	}
	return mask;
}

/* Of the one or two lanes that were added to the word of element e, mask was
 * not. What comes after the one that is named is not added. */
static __attribute__((noinline)) int rejected(struct adder *a, uint64_t page,
					      uint64_t e, const int64_t *lanes,
					      size_t n, int mask)
{
	uint64_t word = a->t->number.lanes == 2 ? e / 2 : e;
	size_t bad = n == 2 && mask == LGN_REJECT_HIGH;

	if (n == 2 && mask == LGN_REJECT_LOW)
		atomic_fetch_sub(&target(a->t, page)[word],
				 lgn_word_pack(0, lanes[1]));
	if (watched(a->t))
		lgn_push_changed(a->t->lg->push, page, word);
	return refuse(a, LAGOON_ERANGE, page, e + bad,
		      lgn_number_value(&a->t->number, lanes[bad]));
}

/* lanes[n] to the words of a page from element first on; *done of them. */
static int add_lanes(struct adder *a, uint64_t page, uint64_t first,
		     const int64_t *lanes, size_t n, size_t *done)
{
	_Atomic uint64_t *words = target(a->t, page);
	bool pairs = a->t->number.lanes == 2;
	uint64_t sent = 0;
	size_t i = 0;

	while (i < n) {
		uint64_t e = first + i;
		size_t step = pairs && e % 2 == 0 && i + 1 < n ? 2 : 1;
		uint64_t delta = (uint64_t)lanes[i];
		int mask;

		if (step == 2)
			delta = lgn_word_pack(lanes[i], lanes[i + 1]);
		else if (pairs)
			delta = e % 2 ? lgn_word_pack(0, lanes[i]) :
				lgn_word_pack(lanes[i], 0);
		sent += delta != 0;
		mask = add_word(a, words, page, pairs ? e / 2 : e, delta);
		if (lgn_unlikely(mask)) {
			*done = i + (step == 2 && mask == LGN_REJECT_HIGH);
			return rejected(a, page, e, lanes + i, step, mask);
		}
		i += step;
	}
	*done = n;
	if (a->t->direct)
		lgn_count(&a->part->counts.words_pushed, sent);
	return 0;
}

/* bsp: to the worker's own row. lanes[n] from column col on. */
static int add_own(struct adder *a, uint64_t row, uint32_t col,
		   const int64_t *lanes, size_t n)
{
	int64_t legal = a->t->number.legal;
	int64_t *own = lgn_sparse_get(a->part->own, row);
	int rc = 0;
	size_t i;

	if (!own)
		return LAGOON_ENOMEM;
	for (i = 0; i < n; i++) {
		/* Both are within legal, so the sum fits 64 bits. */
		int64_t sum = own[col + i] + lanes[i];

		if (lgn_unlikely(!lgn_within(sum, legal))) {
			rc = refuse(a, LAGOON_ERANGE,
				    lgn_layout_page(&a->t->layout, row),
				    lgn_layout_element(&a->t->layout, row) + col + i,
				    lgn_number_value(&a->t->number, lanes[i]));
			break;
		}
		own[col + i] = sum;
	}
	if (lgn_unlikely(a->t->audit))
		lgn_audit_added(a->w, a->t, lgn_layout_page(&a->t->layout, row),
				lgn_layout_element(&a->t->layout, row) + col,
				lanes, i);
	return rc;
}

/* lanes[n] of elements that begin in row, column col, and may run on over
 * the following rows of the page. */
static int add_own_rows(struct adder *a, uint64_t row, uint32_t col,
			const int64_t *lanes, size_t n)
{
	uint32_t cols = a->t->attr.cols;
	int rc = 0;

	while (n && !rc) {
		size_t m = cols - col < n ? cols - col : n;

		rc = add_own(a, row, col, lanes, m);
		lanes += m;
		n -= m;
		row++;
		col = 0;
	}
	return rc;
}

/* n elements of one page, from element first of it on. */
static int add_page(struct adder *a, uint64_t page, uint64_t first, uint64_t n,
		    const char *in)
{
	const struct lgn_number *nb = &a->t->number;
	uint64_t base = page * lgn_table_page_words(a->t) * (uint64_t)nb->lanes;
	int64_t lanes[LGN_CHUNK];
	int rc = 0, why = 0;

	for (uint64_t i = 0; i < n && !rc; ) {
		size_t m = n - i < LGN_CHUNK ? n - i : LGN_CHUNK;
		const char *from = in + i * nb->type_size;
		size_t good = lgn_number_quantise(nb, from, m, base + first + i,
						  &a->rounding, lanes, &why);

		if (a->part->own) {
			uint64_t row;
			uint32_t col;

			lgn_table_locate(a->t, page, first + i, &row, &col);
			rc = add_own_rows(a, row, col, lanes, good);
		} else {
			size_t done;

			rc = add_lanes(a, page, first + i, lanes, good, &done);
			if (lgn_unlikely(a->t->audit))
				lgn_audit_added(a->w, a->t, page, first + i,
						lanes, done);
		}
		if (!rc && good < m)
			rc = refuse(a, why, page, first + i + good,
				    lgn_number_input(nb, from, good));
		i += m;
	}
	return rc;
}

/* Rows of one 64-bit lane each, spread over the table: what sparse models do
 * most. An atomic waits for its cache line, so lines are asked for ahead. */
static inline bool single(const struct adder *a)
{
	return a->t->layout.cols == 1 && a->t->number.lanes == 1 &&
		!a->part->own && !watched(a->t) && !a->t->tail;
}

/* lanes[n] to rows[n]; of the list, left >= n rows are to come. Returns how
 * many were added before one that was refused. */
static size_t add_spread(struct adder *a, const uint64_t *rows, uint64_t left,
			 const int64_t *lanes, size_t n)
{
	struct lagoon_table *t = a->t;
	const struct lgn_places p = lgn_places(t);
	const int64_t legal = t->number.legal, bound = t->bound;
	const bool direct = t->direct;
	uint64_t sent = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t delta = (uint64_t)lanes[i];

		/* Not in a function: gcc 12 leaves out calls of a function
		 * that does nothing else. */
		if (i + AHEAD < left)
			__builtin_prefetch(lgn_place(&p, rows[i + AHEAD]), 1);
		if (!delta)
			continue;
		if (lgn_unlikely(lgn_word_add(lgn_place(&p, rows[i]), 1, legal,
					      bound, delta)))
			break;
		if (!direct)
			lgn_page_mark(&t->dirty[rows[i] >> p.shift],
				      rows[i] & p.mask, t->layout.page_words);
		sent++;
	}
	if (direct)
		lgn_count(&a->part->counts.words_pushed, sent);
	return i;
}

static int add_singles(struct adder *a, const uint64_t *rows, uint64_t n,
		       const char *in)
{
	const struct lgn_number *nb = &a->t->number;
	const struct lgn_places p = lgn_places(a->t);
	const size_t most = n > TOGETHER && a->t->layout.rows > NEAR ?
		FEWER : TOGETHER;
	int64_t lanes[TOGETHER];
	int why = 0;

	for (uint64_t i = 0; i < AHEAD && i < n; i++)
		__builtin_prefetch(lgn_place(&p, rows[i]), 1);
	for (uint64_t i = 0; i < n; ) {
		size_t m = n - i < most ? n - i : most;
		const char *from = in + i * nb->type_size;
		size_t good = lgn_number_quantise_list(nb, from, m, &a->rounding,
						       lanes, &why);
		size_t done = add_spread(a, rows + i, n - i, lanes, good);

		if (lgn_unlikely(done < m)) {
			uint64_t row = rows[i + done];

			return refuse(a, done < good ? LAGOON_ERANGE : why,
				      lgn_layout_page(&a->t->layout, row),
				      lgn_layout_element(&a->t->layout, row),
				      lgn_number_input(nb, from, done));
		}
		i += m;
		a->rounding.call += (uint32_t)m;
	}
	return 0;
}

/* The largest lane within the change that a vap table allows. */
static int64_t most_of(const struct lagoon_table *t)
{
	double lanes = t->change * t->number.scale;

	return lanes < (double)t->number.legal ? (int64_t)lanes : t->number.legal;
}

/* Nobody pushes while words change; see push.h. */
static void begin_watch(struct lagoon_worker *w, struct lagoon_table *t)
{
	lgn_push_lock(w->lg);
	lgn_push_open_words(w, t, most_of(t));
}

/* The first error counts; what has passed the bound goes out in any case. */
static int end_watch(struct lagoon_worker *w, int rc)
{
	struct lgn_push *p = w->lg->push;
	char keep[512];
	int more;

	if (!rc)
		rc = lgn_push_words(p);
	snprintf(keep, sizeof(keep), "%s", rc ? lagoon_errmsg() : "");
	lgn_push_words(p);
	lgn_push_unlock(w->lg);
	more = lgn_clock_advance(w);
	if (rc)
		lgn_errmsg_set(keep);
	return rc ? rc : more;
}

static struct adder begin(struct lagoon_worker *w, struct lagoon_table *t,
			  uint64_t nrows)
{
	struct lgn_part *part = &t->part[w->index];

	lgn_count(&part->counts.adds, 1);
	lgn_count(&part->counts.rows_added, nrows);
	if (part->round != w->clock) {
		part->round = w->clock;
		part->call = 0;
	}
	return (struct adder){
		.w = w, .t = t, .part = part,
		.rounding = {
			.seed = t->seed,
			.worker = (uint32_t)w->id,
			.round = (uint32_t)w->clock,
			.call = part->call,
			.drawn = &part->drawn,
		},
	};
}

int lgn_add_range(struct lagoon_worker *w, struct lagoon_table *t, uint64_t row,
		  uint64_t nrows, const void *in)
{
	const struct lgn_layout *l = &t->layout;
	const char *from = in;
	struct adder a;
	int rc = lgn_worker_check(w);

	if (!rc)
		rc = lgn_table_check_rows(t, row, nrows);
	if (rc)
		return rc;
	if (lgn_unlikely(t->apply))
		return lgn_apply_add(w, t, NULL, row, nrows, in);
	if (watched(t))
		begin_watch(w, t);
	a = begin(w, t, nrows);
	a.part->call++;
	if (nrows == 1 && single(&a))
		return add_singles(&a, &row, 1, in);
	while (nrows && !rc) {
		uint64_t page = lgn_layout_page(l, row);
		uint64_t to_end = ((page + 1) << l->page_shift) - row;
		uint64_t n = nrows < to_end ? nrows : to_end;

		rc = add_page(&a, page, lgn_layout_element(l, row),
			      n * l->cols, from);
		from += n * l->cols * t->number.type_size;
		row += n;
		nrows -= n;
	}
	return watched(t) ? end_watch(w, rc) : rc;
}

int lgn_add_list(struct lagoon_worker *w, struct lagoon_table *t,
		 const uint64_t *rows, uint64_t n, const void *in)
{
	const struct lgn_layout *l = &t->layout;
	const char *from = in;
	struct adder a;
	int rc = lgn_worker_check(w);

	if (!rc)
		rc = lgn_table_check_list(t, rows, n);
	if (rc)
		return rc;
	if (lgn_unlikely(t->apply))
		return lgn_apply_add(w, t, rows, 0, n, in);
	if (watched(t))
		begin_watch(w, t);
	a = begin(w, t, n);
	/* Each entry rounds with bits of its own, also when a row stands
	 * twice. */
	a.part->call += (uint32_t)n;
	if (single(&a))
		return add_singles(&a, rows, n, in);
	for (uint64_t i = 0; i < n && !rc; i++) {
		rc = add_page(&a, lgn_layout_page(l, rows[i]),
			      lgn_layout_element(l, rows[i]), l->cols, from);
		from += l->cols * t->number.type_size;
		a.rounding.call++;
	}
	return watched(t) ? end_watch(w, rc) : rc;
}
