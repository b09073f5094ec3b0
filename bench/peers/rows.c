/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peers/rows.h"
#include "bench/peers/twin.h"

enum {
	HOT = 1 << 16,		/* elements that stay in a core's cache: 512 KiB */
	SINGLES = ROWS_SINGLES,
	HOT_LIST = 16 * SINGLES,
	LISTS = 128,		/* batches drawn */
};

static volatile int64_t sink;

static uint64_t draw(uint64_t *x, uint64_t below)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (*x >> 20) % below;
}

static void *memory(size_t bytes)
{
	void *p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);

	if (!p)
		peer_die("no memory for %zu bytes", bytes);
	memset(p, 0, bytes);
	return p;
}

/* Lists without an element twice: libraries may not allow that. The last
 * element of the array is left out, see one_key. */
static void draw_lists(struct side *s, uint64_t *x)
{
	uint8_t *seen = memory(PEER_ROWS);

	for (int l = 0; l < LISTS; l++) {
		uint64_t *list = s->list + (size_t)l * PEER_LIST;

		for (int i = 0; i < PEER_LIST; i++) {
			do
				list[i] = draw(x, PEER_ROWS - 1);
			while (seen[list[i]]);
			seen[list[i]] = 1;
		}
		for (int i = 0; i < PEER_LIST; i++)
			seen[list[i]] = 0;
	}
	free(seen);
}

void rows_prepare(struct side *s)
{
	uint64_t x = 88172645463325252u;

	s->hot = memory(HOT_LIST * sizeof(*s->hot));
	s->list = memory((size_t)LISTS * PEER_LIST * sizeof(*s->list));
	s->delta = memory(PEER_DENSE * sizeof(*s->delta));
	s->fixed = memory(PEER_DENSE * sizeof(*s->fixed));
	s->out = memory(PEER_BLOCK * sizeof(*s->out));
	for (int i = 0; i < HOT_LIST; i++)
		s->hot[i] = draw(&x, HOT);
	/* The two processes add in different order. */
	x += (uint64_t)s->role;
	draw_lists(s, &x);
	for (int i = 0; i < PEER_DENSE; i++) {
		s->delta[i] = (double)draw(&x, 1u << 30) / 3e9;
		s->fixed[i] = llrint(s->delta[i] * PEER_SCALE);
	}
	s->given = peer.integers ? (void *)s->fixed : (void *)s->delta;
}

static const uint64_t *hot_of(struct side *s)
{
	return s->hot + s->turn++ % (HOT_LIST / SINGLES) * SINGLES;
}

static const uint64_t *random_of(struct side *s)
{
	return s->list + s->turn++ % (LISTS * PEER_LIST / SINGLES) * SINGLES;
}

static const uint64_t *list_of(struct side *s)
{
	return s->list + s->turn++ % LISTS * PEER_LIST;
}

static void get_hot(struct side *s) { sink = peer.get(hot_of(s), SINGLES); }
static void get_random(struct side *s) { sink = peer.get(random_of(s), SINGLES); }
static void add_hot(struct side *s) { peer.add(hot_of(s), SINGLES); }
static void add_random(struct side *s) { peer.add(random_of(s), SINGLES); }
static void one_key(struct side *s) { peer.one_key(random_of(s), SINGLES); }

void rows_add_list(struct side *s)
{
	peer.sparse_add(list_of(s), PEER_LIST, s->given);
}

static void sparse_get(struct side *s)
{
	peer.sparse_get(list_of(s), PEER_LIST, s->out);
}

static void dense_add(struct side *s)
{
	peer.dense_add(PEER_DENSE, s->given);
}

static void get_64k(struct side *s) { peer.get_block(8192, s->out); }
static void get_16m(struct side *s) { peer.get_block(PEER_BLOCK, s->out); }

static void twin_get_hot(struct side *s)
{
	sink = twin_get(s->sh->ints, hot_of(s), SINGLES);
}

static void twin_get_random(struct side *s)
{
	sink = twin_get(s->sh->ints, random_of(s), SINGLES);
}

static void twin_add_hot(struct side *s)
{
	twin_add(s->sh->ints, hot_of(s), SINGLES);
}

static void twin_add_random(struct side *s)
{
	twin_add(s->sh->ints, random_of(s), SINGLES);
}

static void twin_key(struct side *s)
{
	twin_one_key(s->sh->ints, random_of(s), SINGLES);
}

void rows_twin_add_list(struct side *s)
{
	twin_sparse_add(s->sh->ints, list_of(s), PEER_LIST, s->fixed);
}

static void twin_get_list(struct side *s)
{
	twin_sparse_get(s->sh->reals, list_of(s), PEER_LIST, s->out);
}

static void twin_dense(struct side *s)
{
	twin_dense_add(s->sh->reals, PEER_DENSE, s->delta);
}

static void twin_64k(struct side *s)
{
	twin_get_block(s->sh->reals, 8192, s->out);
}

static void twin_16m(struct side *s)
{
	twin_get_block(s->sh->reals, PEER_BLOCK, s->out);
}

void rows_list(struct row *rows)
{
	const struct row list[ROWS_COUNT] = {
		{ "get-8", 8, SINGLES, get_hot, twin_get_hot, peer.get, false },
		{ "get-8-random", 8, SINGLES, get_random, twin_get_random, peer.get, false },
		{ "add-8", 8, SINGLES, add_hot, twin_add_hot, peer.add, false },
		{ "add-8-random", 8, SINGLES, add_random, twin_add_random, peer.add, false },
		{ "sparse-add", 8, PEER_LIST, rows_add_list,
		  rows_twin_add_list, peer.sparse_add, false },
		{ "sparse-get", 8, PEER_LIST, sparse_get, twin_get_list,
		  peer.sparse_get, false },
		{ "sparse-add-2", 8, 2 * PEER_LIST, rows_add_list,
		  rows_twin_add_list, peer.sparse_add, true },
		{ "dense-add", 8, PEER_DENSE, dense_add, twin_dense,
		  peer.dense_add, false },
		{ "get-64k", 65536, 1, get_64k, twin_64k, peer.get_block, false },
		{ "get-16m", 16777216, 1, get_16m, twin_16m, peer.get_block, false },
		{ "one-key", 16, SINGLES, one_key, twin_key, peer.one_key, false },
	};

	memcpy(rows, list, sizeof(list));
}
