/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where an element is: pure arithmetic, the same in every process.
 *
 * Rows go to pages of 2^page_shift rows; blocks of pages are dealt to the
 * shards in turn, so that neighbours stay together (one READ fetches a block)
 * and hot low rows are spread. A page is whole words and is never split.
 */
#ifndef LGN_RUNTIME_LAYOUT_H
#define LGN_RUNTIME_LAYOUT_H

#include <stdint.h>

struct lgn_layout {
	uint64_t rows;
	uint32_t cols;
	uint32_t lanes;		/* elements a word */
	uint32_t page_shift;	/* rows a page: 2^page_shift */
	uint64_t page_words;
	uint64_t pages;		/* of the table */
	uint64_t shards;
	uint64_t block;		/* pages dealt at a time */
};

/* page_rows: 0 for about 4 KiB, else rounded up to a power of two.
 * LAGOON_EINVAL if the shape is empty or too large. */
int lgn_layout_init(struct lgn_layout *l, uint64_t rows, uint32_t cols,
		    uint32_t lanes, uint32_t page_rows, uint64_t shards);

static inline uint64_t lgn_layout_shard(const struct lgn_layout *l,
					uint64_t page)
{
	return page / l->block % l->shards;
}

/* The page's place in its shard [pages]. */
static inline uint64_t lgn_layout_slot(const struct lgn_layout *l,
				       uint64_t page)
{
	return page / (l->block * l->shards) * l->block + page % l->block;
}

/* Pages that a shard holds. */
uint64_t lgn_layout_shard_pages(const struct lgn_layout *l, uint64_t shard);

static inline uint64_t lgn_layout_page(const struct lgn_layout *l, uint64_t row)
{
	return row >> l->page_shift;
}

/* First element of a row within its page. */
static inline uint64_t lgn_layout_element(const struct lgn_layout *l,
					  uint64_t row)
{
	return (row & ((1ull << l->page_shift) - 1)) * l->cols;
}

#endif
