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

/* The row of this word. Who claims a row first writes its word there. */
static uint64_t row_of(struct lagoon_worker *w, const int64_t key[2])
{
	uint64_t row = word_row(key);

	for (int tries = 0; tries < ROWS; tries++, row = (row + 1) % ROWS) {
		int64_t first, second;

		if (!add(w, row, CLAIMS, 1)) {
			add(w, row, FIRST, key[0]);
			add(w, row, SECOND, key[1]);
		}
		while (!(first = add(w, row, FIRST, 0)) ||
		       !(second = add(w, row, SECOND, 0)))
			sched_yield();
		if (first == key[0] && second == key[1])
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
	int64_t block, key[2];

	(void)arg;
	for (;;) {
		must(lagoon_fetch_add(w, blocks, 0, 0, 1, &block));
		size_t at = (size_t)block * BLOCK;
		if (at >= text.size)
			break;
		for (size_t end = at + BLOCK; word_next(text, &at, end, key);)
			add(w, row_of(w, key), COUNT, 1);
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
	must(lagoon_table_create(lg, "words", &shape, &table));
	must(lagoon_run(lg, work, NULL));
	must(lagoon_close(lg));
	free(text.byte);
	return 0;
}
