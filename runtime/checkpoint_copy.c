/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a checkpoint keeps of the shards, copied while all workers of the job
 * stand still within lagoon_checkpoint(): what they added before is in the
 * shards, through update functions too (an apply-mode push ends when the home
 * has acknowledged it), and nothing is added until all copies are made. So a
 * copy is of the clock, whatever the function does to values and states.
 *
 * But a process that has died may have sent records that its home applies only
 * now. They count, or not; a page of which half of one is in the copy would
 * not: see copy_settled().
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/apply.h"
#include "runtime/apply_lock.h"
#include "runtime/base/limits.h"
#include "runtime/base/status.h"
#include "runtime/checkpoint.h"

enum { READ_BYTES = 1 << 20, READS = 16 };

/* Who writes a shard: its home; a process of its node; the first of all. */
static int writer_of(const struct lgn_saver *s, int shard)
{
	const struct lagoon *lg = s->lg;
	int home = lg->home_rank[shard], first = -1;

	if (s->member[home])
		return home;
	for (int i = lg->size - 1; i >= 0; i--)
		if (s->member[i])
			first = i;
	for (int i = 0; i < lg->size; i++)
		if (s->member[i] && lg->member[i].node == lg->member[home].node)
			return i;
	return first;
}

/* Behind the words there is room for the locks of a table. */
static uint64_t lock_bytes(const struct lgn_saver *s)
{
	uint64_t most = 0;

	for (uint32_t k = 0; k < s->head.tables; k++)
		if (s->t[k]->apply && s->table[k].pages > most)
			most = s->table[k].pages;
	return most * 8;
}

/* Memory is kept for the next one. */
int lgn_saver_room(struct lgn_saver *s)
{
	const struct lgn_wire_ops *ops = s->lg->wire->ops;
	uint64_t bytes = 0;
	int rc;

	s->shards = 0;
	for (int i = 0; i < s->lg->homes; i++) {
		if (writer_of(s, i) != s->lg->rank)
			continue;
		s->shard[s->shards++] = i;
		for (uint32_t k = 0; k < s->head.tables; k++)
			bytes += lgn_saver_bytes(s, k, i);
	}
	if (bytes)
		bytes += lock_bytes(s);
	if (bytes <= s->mem.len)
		return 0;
	ops->unreg(s->lg->wire, &s->mem);
	memset(&s->mem, 0, sizeof(s->mem));
	rc = lgn_limits_check(bytes, false);
	return rc ? rc : lgn_memory(s->lg, bytes, LGN_ACC_LOCAL, &s->mem);
}

/* -------------------------------------------------------------- reading */

/* READs of one shard that are collected. */
struct reads {
	struct lgn_saver *s;
	struct lgn_rmem *mem;
	uint32_t n;
	struct lgn_wr wr[READS];
};

static int run(struct reads *r)
{
	struct lgn_batch batch = { .wr = r->wr, .n = r->n };

	r->n = 0;
	return batch.n ? lgn_wire_run(r->s->lg->wire, &batch,
				      r->s->lg->timeout_s) : 0;
}

static int get(struct reads *r, uint64_t off, uint64_t n, char *to)
{
	int rc = 0;

	while (n && !rc) {
		uint64_t len = n < READ_BYTES ? n : READ_BYTES;

		r->wr[r->n++] = (struct lgn_wr){
			.mem = r->mem, .off = off, .buf = &r->s->mem,
			.local = (uint64_t *)(void *)to,
			.len = (uint32_t)len, .op = LGN_GET,
		};
		if (r->n == READS || r->n == r->s->lg->wire->max_batch)
			rc = run(r);
		off += len;
		to += len;
		n -= len;
	}
	return rc;
}

/* A table's words in a shard, and its states. What LAGOON_CHECK has behind the
 * elements of each page is no part of a checkpoint. */
static int read_words(struct lgn_saver *s, uint32_t k, int shard, char *to)
{
	const struct lagoon_table *t = s->t[k];
	const struct lgn_ckpt_table *d = &s->table[k];
	struct reads r = { .s = s, .mem = &t->shard[shard] };
	uint64_t bytes = lgn_ckpt_words(d, s->head.shards, (uint32_t)shard) * 8;
	uint64_t len = t->tail ? d->page_words * 8 : bytes;
	uint64_t step = t->tail ? t->layout.page_words * 8 : bytes;
	int rc = 0, more;

	for (uint32_t a = 0; a <= d->states && !rc; a++)
		for (uint64_t i = 0; i * len < bytes && !rc; i++) {
			rc = get(&r, a * lgn_apply_stride(t) + i * step, len, to);
			to += len;
		}
	more = run(&r);
	return rc ? rc : more;
}

static int any_locked(struct lgn_saver *s, const struct lagoon_table *t,
		      int shard, bool *locked)
{
	uint64_t pages = lgn_layout_shard_pages(&t->layout, (uint64_t)shard);
	char *to = (char *)s->mem.addr + s->mem.len - pages * 8;
	const uint64_t *lock = (const uint64_t *)(const void *)to;
	struct reads r = { .s = s, .mem = &t->shard[shard] };
	int rc = get(&r, lgn_apply_locks(t), pages * 8, to), more = run(&r);

	*locked = false;
	for (uint64_t i = 0; i < pages; i++)
		*locked |= lock[i] != 0;
	return rc ? rc : more;
}

/* ----------------------------------------------------------- apply mode */

static bool anybody_dead(const struct lagoon *lg)
{
	bool dead = false;

	for (int i = 0; i < lg->size; i++)
		dead |= atomic_load(&lg->member[i].dead);
	return dead;
}

/* Two READs with the same words, and between them no page is locked: then each
 * page is as it was at that moment, between two records. */
static int copy_settled(struct lgn_saver *s, uint32_t k, int shard, char *to)
{
	const uint64_t limit = (uint64_t)s->lg->timeout_s * 1000000000u;
	uint64_t bytes = lgn_saver_bytes(s, k, shard), before, now = 0;
	struct lgn_wait wait = LGN_WAIT_INIT;
	bool locked = true;
	int rc = read_words(s, k, shard, to);

	if (rc || !bytes)
		return rc;
	now = XXH64(to, bytes, 0);
	do {
		before = now;
		rc = any_locked(s, s->t[k], shard, &locked);
		if (!rc)
			rc = read_words(s, k, shard, to);
		if (rc)
			return rc;
		now = XXH64(to, bytes, 0);
		if (lgn_waited_ns(&wait) > limit)
			return lgn_fail(LAGOON_ETIMEDOUT, "checkpoint: table %s changes after all have met; see LAGOON_TIMEOUT",
					s->t[k]->name);
		lgn_wait_step(&wait);
	} while (locked || now != before);
	return 0;
}

/* All of the job are on this node: a page that is locked now was left so. */
static int check_pages(struct lagoon_table *t, int shard)
{
	int rc = 0;

	for (uint64_t p = 0; p < t->layout.pages && !rc; p++)
		if (lgn_layout_shard(&t->layout, p) == (uint64_t)shard)
			rc = lgn_apply_readable(t, &t->part[0].counts, p,
						t->apply->place[p].lock);
	return rc;
}

static int copy_table(struct lgn_saver *s, uint32_t k, int shard, char *to)
{
	struct lagoon_table *t = s->t[k];
	int rc;

	if (t->apply && !t->in_place && anybody_dead(s->lg))
		return copy_settled(s, k, shard, to);
	rc = t->apply && t->in_place ? check_pages(t, shard) : 0;
	return rc ? rc : read_words(s, k, shard, to);
}

int lgn_saver_copy(struct lgn_saver *s)
{
	char *to = s->mem.addr;
	int rc = 0;

	for (int i = 0; i < s->shards && !rc; i++)
		for (uint32_t k = 0; k < s->head.tables && !rc; k++) {
			rc = copy_table(s, k, s->shard[i], to);
			to += lgn_saver_bytes(s, k, s->shard[i]);
		}
	return rc;
}
