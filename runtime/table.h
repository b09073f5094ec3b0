/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LGN_RUNTIME_TABLE_H
#define LGN_RUNTIME_TABLE_H

#include "runtime/core.h"

/* Free every table of the job in this process. */
void lgn_tables_close(struct lagoon *lg);

/* The row's range check, with the message. */
int lgn_table_check_rows(const struct lagoon_table *t, uint64_t row,
			 uint64_t n);
int lgn_table_check_list(const struct lagoon_table *t, const uint64_t *rows,
			 uint64_t n);

/* Words of a page that hold elements. */
static inline uint64_t lgn_table_page_words(const struct lagoon_table *t)
{
	return t->tail ? t->tail : t->layout.page_words;
}

/* Words of a page in the cache. */
static inline uint64_t *lgn_table_copy(const struct lagoon_table *t,
				       uint64_t page)
{
	return t->cache + page * t->layout.page_words;
}

static inline _Atomic uint64_t *lgn_table_delta(const struct lagoon_table *t,
						uint64_t page)
{
	return t->delta + page * t->layout.page_words;
}

static inline uint64_t lgn_table_bytes(const struct lagoon_table *t)
{
	return t->layout.pages * t->layout.page_words * 8;
}

/* Of all random bits that are drawn for the table. */
static inline uint32_t lgn_table_seed(const struct lagoon_table *t)
{
	uint64_t seed = t->lg->seed;

	return (uint32_t)(seed * 0x9e3779b9u) + (uint32_t)(seed >> 32) +
		t->salt * 0x85ebca6bu;
}

/* Rounding, which counts calls within a round, is another one in each run. No
 * worker is in a call. */
static inline void lgn_table_reseed(struct lagoon_table *t)
{
	t->seed = lgn_table_seed(t) + t->lg->spell * 0xc2b2ae35u;
}

/* Byte offset of a page in its shard. */
static inline uint64_t lgn_table_offset(const struct lagoon_table *t,
					uint64_t page)
{
	return lgn_layout_slot(&t->layout, page) * t->layout.page_words * 8;
}

/*
 * Where the words of a list's rows are, when a row is one word: in the shards
 * (direct) or in the delta words. By value: an atomic makes a compiler read
 * again what it finds by a pointer.
 */
struct lgn_places {
	_Atomic uint64_t *flat;		/* row after row; NULL: */
	uint64_t *const *map;		/* page by page */
	uint32_t shift;
	uint64_t mask;
};

static inline struct lgn_places lgn_places(const struct lagoon_table *t)
{
	return (struct lgn_places){
		/* A single shard has its pages in order, and such rows fill
		 * them. */
		.flat = !t->direct ? t->delta : t->layout.shards == 1 ?
			(_Atomic uint64_t *)t->map[0] : NULL,
		.map = t->map, .shift = t->layout.page_shift,
		.mask = (1ull << t->layout.page_shift) - 1,
	};
}

static inline _Atomic uint64_t *lgn_place(const struct lgn_places *p,
					  uint64_t row)
{
	if (p->flat)
		return p->flat + row;
	return (_Atomic uint64_t *)p->map[row >> p->shift] + (row & p->mask);
}

/* Wait until the page is in PUSHING, the caller's; or say why it never will.
 * Any thread. */
int lgn_table_hold(struct lagoon_table *t, uint64_t page);

/* A delta moves into the copy, if there is one. Where stale copy and delta do
 * not fit one lane, the copy is given up: the next view reads the shard. The
 * page must be in PUSHING, its version odd. */
void lgn_table_copy_in(struct lagoon_table *t, uint64_t page, uint64_t word,
		       uint64_t delta);

/* The element that a word of a page holds, for messages. */
void lgn_table_locate(const struct lagoon_table *t, uint64_t page,
		      uint64_t element, uint64_t *row, uint32_t *col);

#endif
