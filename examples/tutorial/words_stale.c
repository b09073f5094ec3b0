/* SPDX-License-Identifier: BSD-3-Clause */
#include <lagoon.h>
#include <sched.h>
#include "words.h"

static struct lagoon_table *table, *blocks;
static struct text text;

/* Add to one number in its shard, at once; returns what it was before. */
static int64_t add(struct lagoon_worker *w, uint64_t row, uint32_t col, int64_t n)
{
	int64_t old;

	must(lagoon_fetch_add(w, table, row, col, n, &old));
	return old;
}

/* The word of this row. Who claims a row first writes its word there. */
static void ask(struct lagoon_worker *w, uint64_t row, const int64_t key[2],
		int64_t word[COLS])
{
	if (!add(w, row, CLAIMS, 1)) {
		add(w, row, FIRST, key[0]);
		add(w, row, SECOND, key[1]);
	}
	while (!(word[FIRST] = add(w, row, FIRST, 0)) ||
	       !(word[SECOND] = add(w, row, SECOND, 0)))
		sched_yield();
}

static int same(const int64_t word[COLS], const int64_t key[2])
{
	return word[FIRST] == key[0] && word[SECOND] == key[1];
}

/* A copy may be old, but a word that stands there stays there: only if the copy
 * has not this one, ask the shard. */
static uint64_t row_of(struct lagoon_worker *w, const int64_t key[2])
{
	uint64_t row = word_row(key);

	for (int tries = 0; tries < ROWS; tries++, row = (row + 1) % ROWS) {
		int64_t word[COLS];

		must(lagoon_pull(w, table, row, 1, word));
		if (!same(word, key))
			ask(w, row, key, word);
		if (same(word, key))
			return row;
	}
	die("the table is full");
	return 0;
}

static void print(struct lagoon_worker *w)
{
	for (uint64_t i = 0; i < ROWS; i++) {
		int64_t row[COLS];

		must(lagoon_pull(w, table, i, 1, row));
		if (row[COUNT])
			word_print(row);
	}
}

static int work(struct lagoon_worker *w, void *arg)
{
	const int64_t one[COLS] = { [COUNT] = 1 };
	int64_t block, key[2];

	(void)arg;
	for (;;) {
		must(lagoon_fetch_add(w, blocks, 0, 0, 1, &block));
		size_t at = (size_t)block * BLOCK;
		if (at >= text.size)
			break;
		for (size_t end = at + BLOCK; word_next(text, &at, end, key);)
			must(lagoon_add(w, table, row_of(w, key), 1, one));
		must(lagoon_clock(w));
	}
	must(lagoon_barrier(w));
	if (lagoon_worker_id(w) == 0)
		print(w);
	return 0;
}

int main(int argc, char **argv)
{
	struct lagoon_table_attr shape;
	struct lagoon *lg;

	text = text_read(argc > 1 ? argv[1] : NULL);
	must(lagoon_open(NULL, &lg));
	lagoon_table_attr_init(&shape);
	shape.format = LAGOON_I64;
	shape.rows = 1;
	must(lagoon_table_create(lg, "blocks", &shape, &blocks));
	shape.rows = ROWS;
	shape.cols = COLS;
	shape.model = LAGOON_ASP;
	must(lagoon_table_create(lg, "words", &shape, &table));
	must(lagoon_run(lg, work, NULL));
	must(lagoon_close(lg));
	free(text.byte);
	return 0;
}
