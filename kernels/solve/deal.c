/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries go from the worker that read them to the one that needs them: the
 * owner of the row, or of the column. They pass through a table of integers in
 * which every pair of workers has a range: the sender adds to zeros, all meet,
 * the receiver pulls.
 *
 * An entry is three words, because a word holds less than 2^62: the place, and
 * two halves of the value's bits. A target is an entry of the column behind
 * the last.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/deal.h"
#include "kernels/solve/random.h"
#include "runtime/base/status.h"

#define WORDS 3
#define CHUNK ((uint64_t)4096)		/* entries that are pulled at once */

static int fail_memory(uint64_t n)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory to deal out %llu entries",
			(unsigned long long)n);
}

/* Worker k owns [n k / workers, n (k + 1) / workers). */
static uint64_t owner_of(uint64_t i, uint64_t n, uint64_t workers)
{
	return ((i + 1) * workers - 1) / n;
}

uint64_t lgn_deal_owner(uint64_t line, uint64_t workers)
{
	return lgn_random_mix(line) % workers;
}

static uint64_t owner(const struct lgn_deal *t, uint64_t row, uint64_t col)
{
	uint64_t workers = (uint64_t)t->share->workers;

	if (t->scattered)
		return lgn_deal_owner(t->by_rows ? row : col, workers);
	return t->by_rows ? owner_of(row, t->rows, workers) :
		owner_of(col, t->cols, workers);
}

/* A target goes with its row; a worker of columns keeps those it read. */
static bool deals_targets(const struct lgn_deal *t)
{
	return t->by_rows;
}

static void count(const struct lgn_deal *t, uint64_t *mine)
{
	const struct lgn_entries *e = t->entries;

	for (size_t k = 0; k < e->n; k++)
		mine[owner(t, e->row[k], e->col[k])]++;
	for (size_t k = 0; k < e->n_targets && deals_targets(t); k++)
		mine[owner(t, e->target_row[k], 0)]++;
}

/* Where the range of each pair begins, [to][from], and the end of all. */
static void place(const uint64_t *all, size_t workers, uint64_t *begin)
{
	uint64_t at = 0;

	for (size_t to = 0; to < workers; to++)
		for (size_t from = 0; from < workers; from++) {
			begin[to * workers + from] = at;
			at += all[from * workers + to];
		}
	begin[workers * workers] = at;
}

static void pack(int64_t *words, uint64_t row, uint64_t col, double val)
{
	uint64_t bits;

	memcpy(&bits, &val, sizeof(bits));
	words[0] = (int64_t)(row << 31 | col);
	words[1] = (int64_t)(bits >> 32);
	words[2] = (int64_t)(bits & UINT32_MAX);
}

/* words: where the entries for each worker stand, one worker after another;
 * next moves on. */
static void pack_all(const struct lgn_deal *t, uint64_t *next, int64_t *words)
{
	const struct lgn_entries *e = t->entries;
	uint64_t target = t->cols;

	for (size_t k = 0; k < e->n; k++)
		pack(words + WORDS * next[owner(t, e->row[k], e->col[k])]++,
		     e->row[k], e->col[k], e->val[k]);
	for (size_t k = 0; k < e->n_targets && deals_targets(t); k++)
		pack(words + WORDS * next[owner(t, e->target_row[k], 0)]++,
		     e->target_row[k], target, e->target[k]);
}

static int add_range(const struct lgn_deal *t, uint64_t begin, uint64_t n,
		     const int64_t *words)
{
	if (!n)
		return 0;
	return lagoon_add(t->w, t->table, begin * WORDS, n * WORDS, words);
}

static int send(const struct lgn_deal *t, const uint64_t *mine,
		const uint64_t *begin)
{
	size_t workers = (size_t)t->share->workers;
	size_t me = (size_t)lagoon_worker_id(t->w);
	uint64_t n = 0, at = 0;
	uint64_t *next = calloc(workers, sizeof(*next));
	int64_t *words;
	int rc = 0;

	for (size_t to = 0; to < workers && next; to++) {
		next[to] = n;
		n += mine[to];
	}
	words = malloc((n + 1) * WORDS * sizeof(*words));
	if (!next || !words) {
		rc = fail_memory(n);
	} else {
		pack_all(t, next, words);
		for (size_t to = 0; to < workers && !rc; to++) {
			rc = add_range(t, begin[to * workers + me],
				       mine[to], words + at * WORDS);
			at += mine[to];
		}
	}
	free(next);
	free(words);
	return rc;
}

static void unpack(struct lgn_entries *e, uint64_t cols, const int64_t *words)
{
	uint64_t where = (uint64_t)words[0], mask = (UINT64_C(1) << 31) - 1;
	uint64_t bits = (uint64_t)words[1] << 32 | (uint64_t)words[2];
	double val;

	memcpy(&val, &bits, sizeof(val));
	if ((where & mask) == cols)
		lgn_entries_target(e, where >> 31, val);
	else
		lgn_entries_add(e, where >> 31, where & mask, val);
}

static int receive(const struct lgn_deal *t, uint64_t begin, uint64_t n,
		   struct lgn_entries *e)
{
	int64_t *words = malloc(CHUNK * WORDS * sizeof(*words));
	int rc = words ? lgn_entries_reserve(e, n, n) : fail_memory(CHUNK);

	for (uint64_t at = 0; at < n && !rc; at += CHUNK) {
		uint64_t some = n - at < CHUNK ? n - at : CHUNK;

		rc = lagoon_pull(t->w, t->table, (begin + at) * WORDS,
				 some * WORDS, words);
		for (uint64_t k = 0; k < some && !rc; k++)
			unpack(e, t->cols, words + k * WORDS);
	}
	free(words);
	return rc;
}

/* Targets that were not dealt out stay. */
static void take_over(const struct lgn_deal *t, struct lgn_entries *e)
{
	struct lgn_entries old = *t->entries;

	if (!deals_targets(t)) {
		free(e->target_row);
		free(e->target);
		e->n_targets = old.n_targets;
		e->target_row = old.target_row;
		e->target = old.target;
		e->target_room = old.target_room;
		old.target_row = NULL;
		old.target = NULL;
	}
	*t->entries = *e;
	lgn_entries_free(&old);
}

int lgn_deal(const struct lgn_deal *t, uint32_t *round, int rc)
{
	const struct lgn_share *share = t->share;
	size_t workers = (size_t)share->workers;
	size_t me = (size_t)lagoon_worker_id(t->w);
	uint64_t *mine = calloc(workers, sizeof(*mine));
	uint64_t *all = calloc(workers * workers, sizeof(*all));
	uint64_t *begin = calloc(workers * workers + 1, sizeof(*begin));
	struct lgn_entries e = { 0 };

	if (!rc && !(mine && all && begin))
		rc = fail_memory(workers * workers);
	if (!rc)
		count(t, mine);
	rc = lgn_share_meet(share, t->w, round, rc, mine, all);
	if (!rc) {
		place(all, workers, begin);
		rc = send(t, mine, begin);
		rc = lgn_share_meet(share, t->w, round, rc, mine, all);
	}
	if (!rc)
		rc = receive(t, begin[me * workers],
			     begin[(me + 1) * workers] - begin[me * workers],
			     &e);
	if (rc)
		lgn_entries_free(&e);
	else
		take_over(t, &e);
	free(mine);
	free(all);
	free(begin);
	return rc;
}
