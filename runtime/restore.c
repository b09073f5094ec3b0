/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_restore(): every home reads what belongs in its shards now, from
 * whichever files hold it. All of it is read and checked before any table is
 * touched, in every process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/apply.h"
#include "runtime/audit.h"
#include "runtime/base/limits.h"
#include "runtime/base/status.h"
#include "runtime/checkpoint.h"
#include "runtime/push.h"
#include "runtime/sender.h"
#include "runtime/sparse.h"
#include "runtime/table.h"
#include "runtime/update_log.h"

/* What a process says between the steps. */
struct offer {
	int32_t status;
	uint32_t tables;
	uint64_t id;
	int64_t clock;
};
_Static_assert(sizeof(struct offer) <= LGN_SAID_BYTES, "one slot");

struct restore {
	struct lagoon *lg;
	const char *dir;
	struct lgn_ckpt_file manifest;
	struct lgn_ckpt_file *shard;	/* [manifest.head.shards] opened when
					 * needed: chunk is there then */
	struct lagoon_table *t[LGN_TABLES];
	bool made[LGN_TABLES];
	uint64_t *words[LGN_TABLES];	/* of this home's shard of each */
};

/* Everybody has come here, and well. */
static int agree(struct restore *r, int rc)
{
	struct lagoon *lg = r->lg;
	struct offer mine = {
		.status = rc, .tables = r->manifest.head.tables,
		.id = r->manifest.head.id, .clock = r->manifest.head.clock,
	};
	char *slots = malloc((size_t)lg->size * LGN_SLOT_BYTES);

	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	rc = lgn_board_exchange(lg, &mine, sizeof(mine), slots);
	if (!rc)
		rc = mine.status;
	for (int i = 0; i < lg->size && !rc; i++) {
		const struct offer *o =
			(const void *)(slots + (size_t)i * LGN_SLOT_BYTES);

		if (atomic_load(&lg->member[i].dead))
			continue;
		if (o->status)
			rc = lgn_fail(o->status, "%s: rank %d could not restore it: %s",
				      r->dir, i, lagoon_strerror(o->status));
		else if (o->id != mine.id || o->clock != mine.clock)
			rc = lgn_fail(LAGOON_EINVAL, "%s: rank %d finds another checkpoint there than rank %d: is it the same folder?",
				      r->dir, i, lg->rank);
	}
	free(slots);
	return rc;
}

/* --------------------------------------------------------------- tables */

static struct lagoon_table *find(const struct lagoon *lg, const char *name)
{
	for (int i = 0; i < LGN_TABLES; i++)
		if (lg->table[i] && !strcmp(lg->table[i]->name, name))
			return lg->table[i];
	return NULL;
}

static int check_shape(const struct restore *r, const struct lagoon_table *t,
		       const struct lgn_ckpt_table *d)
{
	const struct lagoon_table_attr *a = &t->attr;

	if (a->rows == d->rows && a->cols == d->cols && a->format == d->format &&
	    a->frac_bits == d->frac_bits)
		return 0;
	return lgn_fail(LAGOON_EEXIST, "%s: table %s is %llu x %u, format %d, frac_bits %d there; here it is %llu x %u, format %d, frac_bits %d",
			r->dir, d->name, (unsigned long long)d->rows, d->cols,
			d->format, d->frac_bits, (unsigned long long)a->rows,
			a->cols, a->format, a->frac_bits);
}

/* Values and states mean something to their function only. A user's is known by
 * the bytes of its file, too. */
static int check_update(const struct restore *r, const struct lagoon_table *t,
			const struct lgn_ckpt_table *d)
{
	const struct lgn_apply *a = t->apply;

	if (!a || (a->fn.digest == d->digest && a->fn.fn->states == d->states))
		return 0;
	return lgn_fail(LAGOON_EEXIST, "%s: table %s has update function %s there, here it is %s%s",
			r->dir, d->name, d->update, a->text,
			strcmp(a->text, d->update) ? "" :
			", which is not the same: its file or the library's function has changed");
}

/* The same verdict in every process: all have the same tables. */
static int find_tables(struct restore *r)
{
	int rc = 0;

	for (uint32_t i = 0; i < r->manifest.head.tables && !rc; i++) {
		const struct lgn_ckpt_table *d = &r->manifest.table[i];

		r->t[i] = find(r->lg, d->name);
		if (r->t[i])
			rc = check_shape(r, r->t[i], d);
		if (!rc && r->t[i])
			rc = check_update(r, r->t[i], d);
	}
	return rc;
}

/* Collective, and the same in every process. */
static int make_tables(struct restore *r)
{
	int rc = 0;

	for (uint32_t i = 0; i < r->manifest.head.tables && !rc; i++) {
		const struct lgn_ckpt_table *d = &r->manifest.table[i];
		struct lagoon_table_attr a;

		if (r->t[i])
			continue;
		lagoon_table_attr_init(&a);
		a.rows = d->rows;
		a.cols = d->cols;
		a.format = d->format;
		a.type = d->type;
		a.frac_bits = d->frac_bits;
		a.model = d->model;
		/* without a bound: the mark for that, which is not one to set */
		a.staleness = d->staleness == LAGOON_UNBOUNDED ? 0 : d->staleness;
		a.sample = d->sample;
		a.change = d->change;
		a.page_rows = d->page_rows;
		a.push = d->push;
		a.update = d->update;
		rc = lagoon_table_create(r->lg, d->name, &a, &r->t[i]);
		r->made[i] = !rc;
		if (!rc)
			rc = check_update(r, r->t[i], d);
	}
	return rc;
}

/* -------------------------------------------------------------- reading */

static int get_shard(struct restore *r, uint32_t shard, struct lgn_ckpt_file **f)
{
	*f = &r->shard[shard];
	return (*f)->chunk ? 0 : lgn_ckpt_open_shard(r->dir, &r->manifest, shard, *f);
}

/* n words of an array of a table (0: values, then states), from word `first` of
 * all on: page by page of the layout that they were written in. */
static int read_words(struct restore *r, uint32_t table, uint32_t array,
		      uint64_t first, uint64_t n, uint64_t *to)
{
	const struct lgn_ckpt_table *d = &r->manifest.table[table];
	const struct lgn_layout old = {
		.block = d->block, .shards = r->manifest.head.shards,
	};

	while (n) {
		uint64_t page = first / d->page_words, at = first % d->page_words;
		uint64_t part = d->page_words - at < n ? d->page_words - at : n;
		uint64_t word = lgn_layout_slot(&old, page) * d->page_words + at;
		uint32_t shard = (uint32_t)lgn_layout_shard(&old, page);
		struct lgn_ckpt_file *f;
		int rc = get_shard(r, shard, &f);

		word += array * lgn_ckpt_words(d, (uint32_t)old.shards, shard);
		if (!rc)
			rc = lgn_ckpt_read(f, table, word * 8, part * 8, to);
		if (rc)
			return rc;
		to += part;
		first += part;
		n -= part;
	}
	return 0;
}

/* Words of this home's shard in one array of a table, without what LAGOON_CHECK
 * has behind pages. */
static uint64_t home_words(const struct lagoon_table *t)
{
	return lgn_layout_shard_pages(&t->layout, (uint64_t)t->home_index) *
		lgn_table_page_words(t);
}

static int read_array(struct restore *r, uint32_t i, uint32_t array, uint64_t *to)
{
	const struct lgn_ckpt_table *d = &r->manifest.table[i];
	const struct lagoon_table *t = r->t[i];
	const struct lgn_layout *l = &t->layout;
	uint64_t words = lgn_table_page_words(t), there = d->pages * d->page_words;
	int rc = 0;

	for (uint64_t p = 0; p < l->pages && !rc; p++) {
		uint64_t first = p * words, n = words;

		if (lgn_layout_shard(l, p) != (uint64_t)t->home_index ||
		    first >= there)
			continue;
		n = there - first < n ? there - first : n;
		rc = read_words(r, i, array, first, n,
				to + lgn_layout_slot(l, p) * words);
	}
	return rc;
}

/* What this home's shard of a table shall hold, array after array. The last
 * pages, there and here, may be longer than the table. */
static int read_table(struct restore *r, uint32_t i)
{
	const struct lagoon_table *t = r->t[i];
	uint32_t arrays = 1 + r->manifest.table[i].states;
	uint64_t words;
	int rc;

	if (t->home_index < 0)
		return 0;
	words = home_words(t);
	rc = lgn_limits_check(arrays * words * 8, false);
	if (rc)
		return rc;
	r->words[i] = calloc(arrays * words + 1, 8);
	if (!r->words[i])
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for table %s", r->dir, t->name);
	for (uint32_t a = 0; a < arrays && !rc; a++)
		rc = read_array(r, i, a, r->words[i] + a * words);
	return rc;
}

static void drop_own(struct lagoon_table *t, int worker)
{
	if (t->part[worker].own)
		lgn_sparse_clear(t->part[worker].own);
	if (t->model == LAGOON_BSP && t->apply && t->apply->log)
		lgn_log_clear(&t->apply->log[worker]);
}

/* What was added and waits to be sent has no place in what is restored. */
static int drop_deltas(struct lagoon *lg)
{
	int rc;

	if (!lg->local_workers)
		return 0;
	for (int i = 0; i < LGN_TABLES; i++) {
		struct lagoon_table *t = lg->table[i];

		for (int k = 0; t && k < lg->local_workers; k++)
			drop_own(t, k);
		if (t)
			lgn_audit_dropped(t);
	}
	lgn_push_lock(lg);
	rc = lgn_push_deltas(&lg->worker[0]);
	lgn_push_unlock(lg);
	return rc == LAGOON_ERANGE ? 0 : rc;
}

static int read_all(struct restore *r)
{
	int rc = drop_deltas(r->lg);

	r->shard = calloc(r->manifest.head.shards, sizeof(*r->shard));
	if (!rc && !r->shard)
		rc = lgn_fail(LAGOON_ENOMEM, "%s: no memory for %u files", r->dir,
			      r->manifest.head.shards);
	for (uint32_t i = 0; r->shard && i < r->manifest.head.shards; i++)
		r->shard[i].fd = -1;
	for (uint32_t i = 0; i < r->manifest.head.tables && !rc; i++)
		rc = read_table(r, i);
	return rc;
}

/* -------------------------------------------------------------- filling */

/* Array after array of a table in apply mode; page after page of one with
 * LAGOON_CHECK. Locks that are not free are those of the dead. */
static void fill_home(struct lagoon_table *t, const uint64_t *words)
{
	uint64_t n = home_words(t), len = t->tail ? t->tail : n;
	uint64_t step = t->tail ? t->layout.page_words * 8 : n * 8;
	uint64_t arrays = t->apply ? 1 + t->apply->fn.fn->states : 1;
	char *base = t->home.addr;

	for (uint64_t a = 0; a < arrays; a++)
		for (uint64_t i = 0; i * len < n; i++, words += len)
			memcpy(base + a * lgn_apply_stride(t) + i * step, words,
			       len * 8);
	if (t->apply)
		memset(base + lgn_apply_locks(t), 0,
		       lgn_apply_shard_bytes(t) - lgn_apply_locks(t));
}

/* Records that change these tables are all applied, but that is known by
 * messages only, and a dead process's may still come. */
static void fill(struct restore *r)
{
	lgn_sender_hold(r->lg);
	for (uint32_t i = 0; i < r->manifest.head.tables; i++) {
		struct lagoon_table *t = r->t[i];

		t->salt = (uint32_t)r->manifest.table[i].salt;
		if (r->words[i])
			fill_home(t, r->words[i]);
		lgn_audit_filled(t);
	}
	lgn_sender_let(r->lg);
	for (int i = 0; i < LGN_TABLES; i++)
		for (int k = 0; r->lg->table[i] && k < r->lg->local_workers; k++) {
			r->lg->table[i]->part[k].round = r->manifest.head.clock;
			r->lg->table[i]->part[k].call = 0;
		}
}

/* All or nothing. Tables were made by all processes or by none, so they are
 * taken back together; not when the job is over. */
static int restore_tables(struct restore *r)
{
	int rc = make_tables(r);

	if (!rc)
		rc = agree(r, read_all(r));
	if (!rc)
		fill(r);
	for (uint32_t i = 0; rc && i < r->manifest.head.tables; i++)
		if (r->made[i]) {
			char keep[512];

			snprintf(keep, sizeof(keep), "%s", lagoon_errmsg());
			if (!lgn_check_lost(r->lg))
				lagoon_table_destroy(r->t[i]);
			lgn_errmsg_set(keep);
		}
	return rc;
}

static int read_state(struct restore *r, size_t room, void **state)
{
	uint64_t n = r->manifest.head.state_bytes;

	if (n > room)
		return lgn_fail(LAGOON_EINVAL, "%s: the state has %llu bytes: expected at most %zu",
				r->dir, (unsigned long long)n, room);
	*state = malloc(n + 1);
	return *state ? lgn_ckpt_read(&r->manifest, 0, 0, n, *state) :
		lgn_fail(LAGOON_ENOMEM, "%s: no memory for its state", r->dir);
}

static int restore(struct restore *r, size_t room, void **state)
{
	struct lagoon *lg = r->lg;
	/* What this job still writes may be what it wants back. */
	int rc = lgn_saver_finish(lg);

	rc = agree(r, rc);
	if (rc)
		return rc;
	rc = lgn_ckpt_open(r->dir, LGN_CKPT_MANIFEST, LGN_CKPT_OF_JOB,
			   &r->manifest);
	if (!rc)
		rc = read_state(r, room, state);
	if (!rc)
		rc = find_tables(r);
	rc = agree(r, rc);
	if (!rc)
		rc = restore_tables(r);
	if (rc)
		return rc;
	lg->spell = r->manifest.head.spell;
	for (int i = 0; i < LGN_TABLES; i++)
		if (lg->table[i])
			lgn_table_reseed(lg->table[i]);
	lg->resumed = true;
	lg->runs++;
	lgn_audit_resumed(lg, r->manifest.head.clock);
	return lgn_clock_restart(lg, r->manifest.head.clock);
}

static void close_all(struct restore *r)
{
	for (uint32_t i = 0; r->shard && i < r->manifest.head.shards; i++)
		lgn_ckpt_close(&r->shard[i]);
	for (uint32_t i = 0; i < LGN_TABLES; i++)
		free(r->words[i]);
	free(r->shard);
	lgn_ckpt_close(&r->manifest);
}

LGN_EXPORT int lagoon_restore(struct lagoon *lg, const char *dir, void *state,
			      size_t *bytes)
{
	struct restore r = { .lg = lg, .dir = dir, .manifest.fd = -1 };
	void *found = NULL;
	int rc = restore(&r, bytes ? *bytes : 0, &found);

	if (!rc && bytes) {
		*bytes = r.manifest.head.state_bytes;
		if (*bytes)
			memcpy(state, found, *bytes);
	}
	free(found);
	close_all(&r);
	return rc;
}
