/* SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"

static int64_t table[ROWS][COLS];

/* The row of this word: at its hash, or behind. */
static uint64_t row_of(const int64_t key[2])
{
	uint64_t row = word_row(key);

	for (int tries = 0; tries < ROWS; tries++, row = (row + 1) % ROWS) {
		if (!table[row][FIRST]) {
			table[row][FIRST] = key[0];
			table[row][SECOND] = key[1];
		}
		if (table[row][FIRST] == key[0] && table[row][SECOND] == key[1])
			return row;
	}
	die("the table is full");
	return 0;
}

int main(int argc, char **argv)
{
	struct text text = text_read(argc > 1 ? argv[1] : NULL);
	size_t at = 0;
	int64_t key[2];

	while (word_next(text, &at, text.size, key))
		table[row_of(key)][COUNT]++;
	for (int row = 0; row < ROWS; row++)
		if (table[row][COUNT])
			word_print(table[row]);
	free(text.byte);
	return 0;
}
