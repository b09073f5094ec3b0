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
#include "kernels/solve/regression.h"
#include "runtime/base/status.h"

#define WORDS 3
#define CHUNK ((uint64_t)4096)		/* entries that are pulled at once */

static int fail_memory(uint64_t n)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory to deal out %llu entries",
			(unsigned long long)n);
}

static uint64_t owner(const struct lgn_dealer *d, uint64_t row, uint64_t col)
{
	return d->owner(d->arg, row, col);
}

static void count(const struct lgn_dealer *d, const struct lgn_entries *e,
		  uint64_t *mine)
{
	for (size_t k = 0; k < e->n; k++)
		mine[owner(d, e->row[k], e->col[k])]++;
	for (size_t k = 0; k < e->n_targets && d->targets; k++)
		mine[owner(d, e->target_row[k], 0)]++;
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
static void pack_all(const struct lgn_dealer *d, const struct lgn_entries *e,
		     uint64_t *next, int64_t *words)
{
	for (size_t k = 0; k < e->n; k++)
		pack(words + WORDS * next[owner(d, e->row[k], e->col[k])]++,
		     e->row[k], e->col[k], e->val[k]);
	for (size_t k = 0; k < e->n_targets && d->targets; k++)
		pack(words + WORDS * next[owner(d, e->target_row[k], 0)]++,
		     e->target_row[k], d->cols, e->target[k]);
}

static int add_range(const struct lgn_dealer *d, uint64_t begin,
		     uint64_t n, const int64_t *words)
{
	if (!n)
		return 0;
	return lagoon_add(d->w, d->table, begin * WORDS, n * WORDS, words);
}

static int send(const struct lgn_dealer *d, const struct lgn_entries *e,
		const uint64_t *mine, const uint64_t *begin)
{
	size_t workers = (size_t)d->share->workers;
	size_t me = (size_t)lagoon_worker_id(d->w);
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
		pack_all(d, e, next, words);
		for (size_t to = 0; to < workers && !rc; to++) {
			rc = add_range(d, begin[to * workers + me], mine[to],
				       words + at * WORDS);
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

static int receive(const struct lgn_dealer *d, uint64_t begin, uint64_t n,
		   struct lgn_entries *e)
{
	int64_t *words = malloc(CHUNK * WORDS * sizeof(*words));
	int rc = words ? lgn_entries_reserve(e, n, d->targets ? n : 0) :
		fail_memory(CHUNK);

	for (uint64_t at = 0; at < n && !rc; at += CHUNK) {
		uint64_t some = n - at < CHUNK ? n - at : CHUNK;

		rc = lagoon_pull(d->w, d->table, (begin + at) * WORDS,
				 some * WORDS, words);
		for (uint64_t k = 0; k < some && !rc; k++)
			unpack(e, d->targets ? d->cols : LGN_INDEX_MAX,
			       words + k * WORDS);
	}
	free(words);
	return rc;
}

int lgn_deal_entries(const struct lgn_dealer *d, const struct lgn_entries *in,
		     struct lgn_entries *out, uint32_t *round, int rc)
{
	size_t workers = (size_t)d->share->workers;
	size_t me = (size_t)lagoon_worker_id(d->w);
	uint64_t *mine = calloc(workers, sizeof(*mine));
	uint64_t *all = calloc(workers * workers, sizeof(*all));
	uint64_t *begin = calloc(workers * workers + 1, sizeof(*begin));

	if (!rc && !(mine && all && begin))
		rc = fail_memory(workers * workers);
	if (!rc)
		count(d, in, mine);
	rc = lgn_share_meet(d->share, d->w, round, rc, mine, all);
	if (!rc) {
		place(all, workers, begin);
		rc = send(d, in, mine, begin);
		rc = lgn_share_meet(d->share, d->w, round, rc, mine, all);
	}
	if (!rc)
		rc = receive(d, begin[me * workers],
			     begin[(me + 1) * workers] - begin[me * workers],
			     out);
	if (rc)
		lgn_entries_free(out);
	free(mine);
	free(all);
	free(begin);
	return rc;
}

/* ---------------------------------------------------- of a regression */

/* Worker k owns [n k / workers, n (k + 1) / workers). */
static uint64_t owner_of(uint64_t i, uint64_t n, uint64_t workers)
{
	return ((i + 1) * workers - 1) / n;
}

static uint64_t owner_regression(const void *arg, uint64_t row, uint64_t col)
{
	const struct lgn_regression_fit *fit = arg;
	uint64_t workers = (uint64_t)fit->workers;

	return fit->method->by_rows ? owner_of(row, fit->facts.rows, workers) :
		owner_of(col, fit->facts.cols, workers);
}

/* Targets that were not dealt out stay. */
static void take_over(struct lgn_regression *t, bool targets,
		      struct lgn_entries *e)
{
	struct lgn_entries old = t->entries;

	if (!targets) {
		free(e->target_row);
		free(e->target);
		e->n_targets = old.n_targets;
		e->target_row = old.target_row;
		e->target = old.target;
		e->target_room = old.target_room;
		old.target_row = NULL;
		old.target = NULL;
	}
	t->entries = *e;
	lgn_entries_free(&old);
}

/* A target goes with its row; a worker of columns keeps those it read. */
int lgn_deal(struct lgn_regression *t, uint32_t *round, int rc)
{
	const struct lgn_dealer d = {
		.w = t->w, .share = &t->fit->counts, .table = t->fit->dealt,
		.owner = owner_regression, .arg = t->fit,
		.targets = t->fit->method->by_rows, .cols = t->fit->facts.cols,
	};
	struct lgn_entries e = { 0 };

	rc = lgn_deal_entries(&d, &t->entries, &e, round, rc);
	if (!rc)
		take_over(t, d.targets, &e);
	return rc;
}
