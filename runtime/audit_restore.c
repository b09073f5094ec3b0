/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger after lagoon_restore(): see audit.h. No worker is in a call. */
#include <string.h>

#include "runtime/audit.h"
#include "runtime/table.h"

void lgn_audit_dropped(struct lagoon_table *t)
{
	struct lgn_audit_table *a = t->audit;
	uint64_t pages = t->layout.pages;

	if (!a)
		return;
	for (int k = 0; k < t->lg->local_workers; k++)
		for (uint64_t p = 0; p < pages; p++)
			a->part[k].count[p] -= (uint32_t)lgn_audit_pending(t, p, k);
	memset((void *)a->pending, 0, pages * t->layout.page_words * 8);
}

/* Nobody has added to it since. */
static void forget(struct lagoon_table *t)
{
	struct lgn_audit_table *a = t->audit;
	uint64_t pages = t->layout.pages, words = pages * t->layout.page_words;

	memset((void *)a->image, 0, words * sizeof(*a->image));
	memset((void *)a->changed, 0, pages * sizeof(*a->changed));
	for (int k = 0; k < t->lg->local_workers; k++) {
		struct lgn_audit_part *part = &a->part[k];

		memset(part->count, 0, pages * sizeof(*part->count));
		memset(part->seen, 0, pages * (uint64_t)t->lg->total_workers *
		       sizeof(*part->seen));
		memset(part->slot, 0, pages * sizeof(*part->slot));
		memset(part->mark, 0, pages * sizeof(*part->mark));
		part->n_touched = 0;
	}
}

/* The image of what is in the shard: here, and where others verify it. */
static void vouch(struct lagoon_table *t)
{
	const uint64_t shard = (uint64_t)t->home_index, words = t->layout.page_words;
	char *home = t->home.addr;
	char *image = home + lgn_audit_image_offset(t, shard, t->lg->rank);
	uint64_t pages = lgn_layout_shard_pages(&t->layout, shard);

	memset(home + pages * words * 8, 0, lgn_audit_shard_bytes(t, pages));
	for (uint64_t p = 0; p < t->layout.pages; p++) {
		uint64_t off = lgn_table_offset(t, p);

		if (lgn_layout_shard(&t->layout, p) != shard)
			continue;
		memset(home + off + t->tail * 8, 0, (words - t->tail) * 8);
		memcpy(image + off, home + off, words * 8);
		memcpy((uint64_t *)t->audit->image + p * words, home + off,
		       words * 8);
	}
}

void lgn_audit_filled(struct lagoon_table *t)
{
	if (!t->audit)
		return;
	forget(t);
	if (t->home_index >= 0)
		vouch(t);
}

void lgn_audit_resumed(struct lagoon *lg, int64_t clock)
{
	struct lgn_audit *a = lg->audit;
	uint64_t *ended;

	if (!a || lg->rank)
		return;
	ended = a->clocks_mem.addr;
	for (int id = 0; id < lg->total_workers; id++)
		ended[id] = (uint64_t)(lgn_audit_key(a, clock) + LGN_AUDIT_RUN);
}
