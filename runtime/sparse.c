/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/sparse.h"

#define ROOM_FIRST 64

static uint64_t hash(uint64_t row)
{
	row *= 0x9e3779b97f4a7c15u;	/* Fibonacci hashing, Knuth vol. 3, 6.4 */
	return row ^ row >> 32;
}

int lgn_sparse_open(uint32_t cols, struct lgn_sparse **sparse)
{
	struct lgn_sparse *s = calloc(1, sizeof(*s));

	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the deltas of a round");
	s->cols = cols;
	*sparse = s;
	return 0;
}

void lgn_sparse_close(struct lgn_sparse *sparse)
{
	if (!sparse)
		return;
	free(sparse->row);
	free(sparse->lanes);
	free(sparse->slot);
	free(sparse);
}

/* The slot of row, or the empty one where it belongs. */
static uint32_t *probe(const struct lgn_sparse *s, uint64_t row)
{
	uint64_t i = hash(row) & s->mask;

	while (s->slot[i] && s->row[s->slot[i] - 1] != row)
		i = (i + 1) & s->mask;
	return &s->slot[i];
}

int64_t *lgn_sparse_find(const struct lgn_sparse *s, uint64_t row)
{
	uint32_t at = s->used ? *probe(s, row) : 0;

	return at ? s->lanes + (uint64_t)(at - 1) * s->cols : NULL;
}

static void rehash(struct lgn_sparse *s)
{
	for (uint64_t i = 0; i < s->used; i++)
		*probe(s, s->row[i]) = (uint32_t)(i + 1);
}

/* Twice the rows; the hash stays at most half full. */
static int grow(struct lgn_sparse *s)
{
	uint64_t room = s->room ? 2 * s->room : ROOM_FIRST;
	uint64_t *row = realloc(s->row, room * sizeof(*row));
	int64_t *lanes;
	uint32_t *slot;

	if (row)
		s->row = row;
	lanes = row ? realloc(s->lanes, room * s->cols * sizeof(*lanes)) : NULL;
	if (lanes)
		s->lanes = lanes;
	slot = lanes ? calloc(2 * room, sizeof(*slot)) : NULL;
	if (!slot)
		return lgn_fail(LAGOON_ENOMEM,
				"no memory for the deltas of %llu rows in one round",
				(unsigned long long)room);
	free(s->slot);
	s->slot = slot;
	s->room = room;
	s->mask = 2 * room - 1;
	rehash(s);
	return 0;
}

int64_t *lgn_sparse_get(struct lgn_sparse *s, uint64_t row)
{
	int64_t *found = lgn_sparse_find(s, row);

	if (found)
		return found;
	if (s->used == s->room && grow(s))
		return NULL;
	s->row[s->used] = row;
	*probe(s, row) = (uint32_t)++s->used;
	found = s->lanes + (s->used - 1) * s->cols;
	memset(found, 0, s->cols * sizeof(*found));
	return found;
}

void lgn_sparse_clear(struct lgn_sparse *s)
{
	if (!s->used)
		return;
	memset(s->slot, 0, (s->mask + 1) * sizeof(*s->slot));
	s->used = 0;
}
