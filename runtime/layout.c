/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/base/status.h"
#include "runtime/layout.h"

enum {
	PAGE_BYTES = 4096,
	BLOCK_MAX = 64,		/* pages: 256 KiB a READ is enough */
	BLOCKS_A_SHARD = 8,	/* at least, for balance */
};

/* Rows of a page: a power of two, and an even number of elements when two
 * share a word. */
static uint32_t page_shift(uint32_t cols, uint32_t lanes, uint64_t want)
{
	uint32_t shift = 0;

	if (!want) {
		uint64_t fit = PAGE_BYTES / 8 * lanes / cols;

		while (2ull << shift <= fit)
			shift++;
	} else {
		while (1ull << shift < want)
			shift++;
	}
	if (!shift && lanes == 2 && cols % 2)
		shift = 1;
	return shift;
}

int lgn_layout_init(struct lgn_layout *l, uint64_t rows, uint32_t cols,
		    uint32_t lanes, uint32_t page_rows, uint64_t shards)
{
	uint64_t page;

	if (!rows || !cols || rows > 1ull << 40 ||
	    rows > (1ull << 46) / cols || page_rows > 1u << 30)
		return lgn_fail(LAGOON_EINVAL,
				"a table of %llu rows x %u columns, %u rows a page: needs at least 1 x 1, at most 2^40 rows and 2^46 elements",
				(unsigned long long)rows, cols, page_rows);
	l->rows = rows;
	l->cols = cols;
	l->lanes = lanes;
	l->page_shift = page_shift(cols, lanes, page_rows);
	page = 1ull << l->page_shift;
	l->page_words = page * cols / lanes;
	l->pages = (rows + page - 1) >> l->page_shift;
	if (l->page_words > 1ull << 28)
		return lgn_fail(LAGOON_EINVAL,
				"a page of %llu rows x %u columns is above 2 GiB: choose fewer rows a page",
				(unsigned long long)page, cols);
	l->shards = shards;
	l->block = 1;
	while (l->block < BLOCK_MAX &&
	       l->pages / (2 * l->block * shards) >= BLOCKS_A_SHARD)
		l->block *= 2;
	return 0;
}

uint64_t lgn_layout_shard_pages(const struct lgn_layout *l, uint64_t shard)
{
	uint64_t turn = l->block * l->shards;
	uint64_t rest = l->pages % turn;
	uint64_t before = shard * l->block;
	uint64_t mine = rest > before ? rest - before : 0;

	return l->pages / turn * l->block + (mine < l->block ? mine : l->block);
}
