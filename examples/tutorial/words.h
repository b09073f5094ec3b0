/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of a text as numbers: a 1, then up to 12 letters of 5 bits. Two such
 * numbers, never 0, are a word; of longer words the first 24 letters. */
#include "tutorial.h"

enum { ROWS = 1 << 16 };			/* more than there are words */
enum { FIRST, SECOND, CLAIMS, COUNT, COLS };	/* the columns of a row */
enum { BLOCK = 512 };				/* bytes of text */

struct text {
	unsigned char *byte;
	size_t size;
};

static inline struct text text_read(const char *path)
{
	FILE *f = path ? fopen(path, "r") : NULL;
	struct text t = { malloc(1 << 20), 0 };

	if (!f || !t.byte)
		die("cannot read the text: words FILE");
	for (size_t n; (n = fread(t.byte + t.size, 1, 1 << 20, f));) {
		t.size += n;
		t.byte = realloc(t.byte, t.size + (1 << 20));
		if (!t.byte)
			die("no memory for the text");
	}
	fclose(f);
	return t;
}

static inline int letter(struct text t, size_t at)
{
	int c = at < t.size ? t.byte[at] | 32 : 0;

	return c >= 'a' && c <= 'z' ? c - 'a' + 1 : 0;
}

/* The next word that begins before end: 1, and at is behind it; else 0. */
static inline int word_next(struct text t, size_t *at, size_t end, int64_t key[2])
{
	int n = 0;

	while (*at < end && (!letter(t, *at) || (*at && letter(t, *at - 1))))
		++*at;
	if (*at >= end || *at >= t.size)
		return 0;
	key[0] = key[1] = 1;
	for (int c; (c = letter(t, *at)); ++*at, n++)
		if (n < 24)
			key[n / 12] = key[n / 12] * 32 + c;
	return 1;
}

static inline uint64_t word_row(const int64_t key[2])
{
	uint64_t x = (uint64_t)(key[0] ^ key[1] * 31);

	return (x * UINT64_C(0x9e3779b97f4a7c15)) >> 48;
}

static inline void word_print(const int64_t row[COLS])
{
	char text[25] = { 0 };
	int n = 24;

	for (int part = SECOND; part >= FIRST; part--)
		for (int64_t x = row[part]; x > 1; x /= 32)
			text[--n] = (char)('a' + x % 32 - 1);
	printf("%7lld %s\n", (long long)row[COUNT], text + n);
}
