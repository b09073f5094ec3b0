/* SPDX-License-Identifier: BSD-3-Clause */
/* I3: what the shards hold against what all processes gave. See audit.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/audit.h"
#include "runtime/base/status.h"
#include "runtime/table.h"

/* What the process that has verified says to all. */
struct verdict {
	int32_t status;
	char text[176];
};
_Static_assert(sizeof(struct verdict) <= LGN_SAID_BYTES, "one slot");

/* Why a process cannot vouch for its images. */
enum { UNCERTAIN = 1, UNSENT = 2 };

static int run(struct lagoon *lg, struct lgn_wr *wr, uint32_t *n)
{
	struct lgn_batch batch = { .wr = wr, .n = *n };
	int rc = *n ? lgn_wire_run(lg->wire, &batch, lg->timeout_s) : 0;

	*n = 0;
	return rc;
}

static uint32_t batch_of(const struct lagoon *lg)
{
	return lg->wire->max_batch < LGN_AUDIT_SOURCES ? lg->wire->max_batch :
		LGN_AUDIT_SOURCES;
}

/* ------------------------------------------------------------- telling */

static int tell_table(struct lagoon_table *t)
{
	struct lgn_wr wr[LGN_AUDIT_SOURCES];
	uint64_t words = t->layout.page_words;
	uint32_t n = 0;
	int rc = 0;

	for (uint64_t p = 0; p < t->layout.pages && !rc; p++) {
		uint64_t shard = lgn_layout_shard(&t->layout, p);

		if (!atomic_exchange(&t->audit->changed[p], false))
			continue;
		wr[n++] = (struct lgn_wr){
			.mem = &t->shard[shard],
			.off = lgn_audit_image_offset(t, shard, t->lg->rank) +
				lgn_layout_slot(&t->layout, p) * words * 8,
			.local = (uint64_t *)t->audit->image + p * words,
			.buf = &t->audit->image_mem, .len = (uint32_t)words * 8,
			.op = LGN_PUT,
		};
		if (n == batch_of(t->lg))
			rc = run(t->lg, wr, &n);
	}
	return rc ? rc : run(t->lg, wr, &n);
}

static int tell(struct lagoon *lg, uint64_t doubts)
{
	struct lgn_audit *a = lg->audit;
	struct lgn_wr wr = {
		.mem = &a->clocks, .local = a->scratch, .buf = &a->scratch_mem,
		.off = ((uint64_t)lg->total_workers + (uint64_t)lg->rank) * 8,
		.len = 8, .op = LGN_PUT,
	};
	uint32_t n = 1;
	int rc = 0;

	for (int i = 0; i < LGN_TABLES && !rc; i++)
		if (lg->table[i] && lg->table[i]->audit)
			rc = tell_table(lg->table[i]);
	a->scratch[0] = doubts | (atomic_load(&a->unsure) ? UNCERTAIN : 0);
	return rc ? rc : run(lg, &wr, &n);
}

int lgn_audit_tell(struct lagoon *lg)
{
	return lg->audit ? tell(lg, 0) : 0;
}

/* ----------------------------------------------------------- verifying */

/* The page at a place in a shard. */
static uint64_t page_at(const struct lgn_layout *l, uint64_t shard, uint64_t slot)
{
	return slot / l->block * l->block * l->shards + shard * l->block +
		slot % l->block;
}

static void describe(const struct lagoon_table *t, uint64_t shard, uint64_t at,
		     uint64_t holds, uint64_t given, struct verdict *v)
{
	uint64_t page = page_at(&t->layout, shard, at / t->layout.page_words);
	uint64_t word = at % t->layout.page_words;
	int64_t found = (int64_t)holds, sum = (int64_t)given;
	uint64_t row, high = 0;
	uint32_t col;

	v->status = LAGOON_ECORRUPT;
	if (t->number.lanes == 2) {
		high = lgn_lane_low(holds) == lgn_lane_low(given);
		found = high ? lgn_lane_high(holds) : lgn_lane_low(holds);
		sum = high ? lgn_lane_high(given) : lgn_lane_low(given);
	}
	if (word >= t->tail) {
		snprintf(v->text, sizeof(v->text), "I3: table %.47s page %llu: %lld adds of worker %d arrived, %lld were given",
			 t->name, (unsigned long long)page, (long long)found,
			 (int)(word - t->tail), (long long)sum);
		return;
	}
	lgn_table_locate(t, page, word * (uint64_t)t->number.lanes + high, &row,
			 &col);
	snprintf(v->text, sizeof(v->text), "I3: table %.47s row %llu column %u: the shard holds %lld units, %lld were given by all",
		 t->name, (unsigned long long)row, col, (long long)found,
		 (long long)sum);
}

/* Words [at, at + n) of a shard: the shard's own, then less each image. */
static int sum_chunk(struct lagoon_table *t, uint64_t shard, uint64_t at,
		     uint64_t n, uint64_t *holds, uint64_t *given)
{
	struct lagoon *lg = t->lg;
	struct lgn_wr wr[LGN_AUDIT_SOURCES];
	int source = -1, rc = 0;

	memset(given, 0, n * sizeof(*given));
	while (source < lg->size && !rc) {
		int first = source;
		uint32_t k = 0;

		for (; source < lg->size && k < batch_of(lg); source++, k++)
			wr[k] = (struct lgn_wr){
				.mem = &t->shard[shard],
				.off = at * 8 + (source < 0 ? 0 :
					lgn_audit_image_offset(t, shard, source)),
				.local = lg->audit->scratch + k * LGN_AUDIT_CHUNK,
				.buf = &lg->audit->scratch_mem,
				.len = (uint32_t)n * 8, .op = LGN_GET,
			};
		rc = run(lg, wr, &k);
		for (int s = first; s < source && !rc; s++) {
			const uint64_t *from = lg->audit->scratch +
				(s - first) * LGN_AUDIT_CHUNK;

			for (uint64_t i = 0; i < n; i++) {
				if (s < 0)
					holds[i] = from[i];
				else
					given[i] += from[i];
			}
		}
	}
	return rc;
}

static int verify_shard(struct lagoon_table *t, uint64_t shard, struct verdict *v)
{
	uint64_t words = lgn_layout_shard_pages(&t->layout, shard) *
		t->layout.page_words;
	uint64_t holds[LGN_AUDIT_CHUNK], given[LGN_AUDIT_CHUNK];
	int rc = 0;

	for (uint64_t at = 0; at < words && !rc && !v->status; at += LGN_AUDIT_CHUNK) {
		uint64_t n = words - at < LGN_AUDIT_CHUNK ? words - at : LGN_AUDIT_CHUNK;

		rc = sum_chunk(t, shard, at, n, holds, given);
		for (uint64_t i = 0; i < n && !rc && !v->status; i++)
			if (holds[i] != given[i])
				describe(t, shard, at + i, holds[i], given[i], v);
		atomic_fetch_add(&t->lg->audit->words, n);
	}
	return rc;
}

/* Anybody who is dead, or cannot vouch for what it gave? */
static int doubted(struct lagoon *lg, bool *doubt)
{
	struct lgn_audit *a = lg->audit;
	int rc = 0;

	*doubt = false;
	for (int i = 0; i < lg->size && !rc; i++) {
		struct lgn_wr wr = {
			.mem = &a->clocks, .local = a->scratch,
			.buf = &a->scratch_mem, .len = 8, .op = LGN_GET,
			.off = ((uint64_t)lg->total_workers + (uint64_t)i) * 8,
		};
		uint32_t n = 1;

		*doubt |= atomic_load(&lg->member[i].dead);
		rc = run(lg, &wr, &n);
		*doubt |= !rc && a->scratch[0];
	}
	return rc;
}

/* An operation that fails is not the tables' fault: it is told elsewhere. */
static void verify(struct lagoon *lg, const struct lagoon_table *only,
		   struct verdict *v)
{
	bool doubt;
	int rc = doubted(lg, &doubt);

	for (int i = 0; i < LGN_TABLES && !rc && !doubt && !v->status; i++) {
		struct lagoon_table *t = lg->table[i];

		if (!t || !t->audit || (only && t != only))
			continue;
		for (int s = 0; s < lg->homes && !rc && !v->status; s++)
			rc = verify_shard(t, (uint64_t)s, v);
	}
}

/* ------------------------------------------------------------- meetings */

/* The lowest of those who have come. */
static bool first_here(const struct lagoon *lg)
{
	const struct lgn_board_view *v = &lg->clock_view;

	for (int i = 0; i < lg->rank; i++)
		if (v->state[i] == LGN_LIVE && (int64_t)v->clock[i] >= lg->met &&
		    (int64_t)v->clock[i] < LGN_CLOCK_LEFT)
			return false;
	return true;
}

static int hear(struct lagoon *lg, const struct verdict *v)
{
	return v->status ? lgn_audit_fail(lg, "%.175s", v->text) : 0;
}

/* Nobody adds before all have heard what was found. */
int lgn_audit_met(struct lagoon *lg)
{
	struct verdict mine = { 0 };
	char *slots;
	int rc;

	if (!lg->audit)
		return 0;
	slots = malloc((size_t)lg->size * LGN_SLOT_BYTES);
	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	if (first_here(lg))
		verify(lg, NULL, &mine);
	rc = lgn_board_tell(lg, &lg->clock_view, LGN_MET, ++lg->met, &mine,
			    sizeof(mine), slots);
	for (int i = 0; i < lg->size && !rc; i++) {
		const struct verdict *v = lgn_board_said(lg, slots, i, LGN_MET,
							 lg->met);

		rc = v ? hear(lg, v) : 0;
	}
	free(slots);
	return rc;
}

static bool unsent(const struct lagoon_table *t)
{
	uint64_t words = t->layout.pages * t->layout.page_words;

	for (uint64_t i = 0; t->audit && i < words; i++)
		if ((t->delta && t->delta[i]) || t->audit->pending[i])
			return true;
	return false;
}

int lgn_audit_final(struct lagoon *lg, struct lagoon_table *t)
{
	struct verdict mine = { 0 };
	uint64_t doubts = 0;
	char *slots;
	int rc;

	if (!lg->audit)
		return 0;
	slots = malloc((size_t)lg->size * LGN_SLOT_BYTES);
	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	for (int i = 0; i < LGN_TABLES; i++)
		if (lg->table[i] && (!t || t == lg->table[i]) && unsent(lg->table[i]))
			doubts = UNSENT;
	rc = tell(lg, doubts);
	if (!rc)
		rc = lgn_board_sync(lg);
	if (!rc && !lg->rank)
		verify(lg, t, &mine);
	if (!rc)
		rc = lgn_board_exchange(lg, &mine, sizeof(mine), slots);
	if (!rc)
		rc = hear(lg, (const struct verdict *)slots);
	free(slots);
	return rc;
}
