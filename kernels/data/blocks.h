/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The text of a data file, plain or by gzip, in blocks of whole lines, one
 * after the other: memory for one block, however large the file.
 *
 *	rc = lgn_blocks_open(path, 0, 1, LGN_BLOCK_BYTES, &b);
 *	while ((rc = lgn_blocks_next(&b)) > 0)
 *		parse(&b.text);
 *	lgn_blocks_close(&b);
 *
 * A block is a text as in text.h, whose offsets count from the begin of the
 * file. Its last line ends in '\n', also where the file's does not.
 */
#ifndef LGN_DATA_BLOCKS_H
#define LGN_DATA_BLOCKS_H

#include <sys/types.h>

#include "kernels/data/text.h"

#define LGN_BLOCK_BYTES ((size_t)1 << 20)

struct lgn_blocks {
	struct lgn_text text;	/* the block */
	int fd;
	void *gz;		/* or NULL: a plain file */
	off_t begin, end;	/* of the part in the text */
	off_t at;		/* of what is read next */
	size_t offset;		/* of the buffer in the file */
	char *buffer;
	size_t room;
	size_t used;
	bool ended;
};

/* Part of so many, by bytes of the text, as lgn_text_cut() cuts it. Of a file by
 * gzip a part costs inflating all that is before it, and cutting it costs all of
 * the file. bytes: of a block, at least; a longer line makes it longer. As
 * lgn_text_open(), without a word on empty files. */
int lgn_blocks_open(const char *path, int part, int parts, size_t bytes,
		    struct lgn_blocks *b);

/* 1: there is a block; 0: the end; or as lgn_blocks_open(). */
int lgn_blocks_next(struct lgn_blocks *b);

/* Back to the first block; after begin and end were set, to others. */
void lgn_blocks_rewind(struct lgn_blocks *b);

void lgn_blocks_close(struct lgn_blocks *b);	/* safe on zeros */

#endif
