/* SPDX-License-Identifier: BSD-3-Clause */
/* Meetings at which every process says something to all. */
#include <stdio.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/core.h"

enum { SLOT_WORDS = LGN_SLOT_BYTES / 8 };

/* A meeting's own number; those of LGN_MET begin again in each run. */
static uint64_t name_of(const struct lagoon *lg, enum lgn_board_row row,
			int64_t value)
{
	return ((uint64_t)row + 1) << 56 |
		((uint64_t)lg->runs & 0xffffff) << 32 | (uint32_t)value;
}

/* The last word of a slot: of which meeting, and over what it stands, so that
 * what a process has written in part when it died is not taken for its word. */
static uint64_t seal(uint64_t name, const uint64_t *slot)
{
	for (int i = 0; i < SLOT_WORDS - 1; i++) {
		name = (name ^ slot[i]) * 0x9e3779b97f4a7c15u;
		name ^= name >> 32;
	}
	return name;
}

const void *lgn_board_said(const struct lagoon *lg, const void *all, int rank,
			   enum lgn_board_row row, int64_t value)
{
	const uint64_t *slot = (const uint64_t *)all + (uint64_t)rank * SLOT_WORDS;

	return slot[SLOT_WORDS - 1] == seal(name_of(lg, row, value), slot) ?
		slot : NULL;
}

/* Two sets of slots in turn: a process that is one meeting ahead writes the
 * other set, and cannot be two ahead before everybody has read this one. */
int lgn_board_tell(struct lagoon *lg, struct lgn_board_view *view,
		   enum lgn_board_row row, int64_t value, const void *mine,
		   size_t len, void *all)
{
	uint64_t set = ((uint64_t)value & 1) * (uint64_t)lg->size * LGN_SLOT_BYTES;
	struct lgn_mem in;
	int rc;

	lgn_board_drain(lg, view);
	memset(view->word, 0, LGN_SLOT_BYTES);
	memcpy(view->word, mine, len);
	view->word[SLOT_WORDS - 1] = seal(name_of(lg, row, value), view->word);
	view->wr[0] = (struct lgn_wr){
		.mem = &lg->board.slots,
		.off = set + (uint64_t)lg->rank * LGN_SLOT_BYTES,
		.local = view->word, .buf = &view->mem, .len = LGN_SLOT_BYTES,
		.op = LGN_PUT,
	};
	view->batch.n = 1;
	rc = lgn_wire_run(lg->wire, &view->batch, lg->timeout_s);
	if (!rc)
		rc = lgn_board_meet(lg, view, row, value);
	if (!rc)
		rc = lgn_memory(lg, (uint64_t)lg->size * LGN_SLOT_BYTES,
				LGN_ACC_LOCAL, &in);
	if (rc)
		return rc;
	view->wr[0] = (struct lgn_wr){
		.mem = &lg->board.slots, .off = set, .local = in.addr, .buf = &in,
		.len = (uint32_t)lg->size * LGN_SLOT_BYTES, .op = LGN_GET,
	};
	view->batch.n = 1;
	rc = lgn_wire_run(lg->wire, &view->batch, lg->timeout_s);
	if (!rc)
		memcpy(all, in.addr, (size_t)lg->size * LGN_SLOT_BYTES);
	lg->wire->ops->unreg(lg->wire, &in);
	return rc;
}

int lgn_board_exchange(struct lagoon *lg, const void *mine, size_t len,
		       void *all)
{
	char keep[512];
	int rc;

	snprintf(keep, sizeof(keep), "%s", lagoon_errmsg());
	rc = lgn_board_tell(lg, &lg->sync_view, LGN_SYNCED,
			    (int64_t)++lg->board.sync, mine, len, all);
	if (!rc)
		lgn_errmsg_set(keep);
	return rc;
}
