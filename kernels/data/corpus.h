/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers of bags of words. lda-c has a document a line, word numbers from 0:
 *
 *	words word:count word:count ...
 *
 * UCI docword has three lines with the numbers of documents, words and lines
 * that follow, then a line for each word of a document, numbers from 1,
 * documents rising:
 *
 *	document word count
 *
 * A file is read in parts by byte ranges: a document belongs to the part in
 * which its first byte lies. Of a file by gzip these are ranges of the text,
 * and every part inflates all of it.
 */
#ifndef LGN_DATA_CORPUS_H
#define LGN_DATA_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#define LGN_CORPUS_WORDS (INT64_C(1) << 31)	/* at most */

struct lgn_corpus {
	size_t documents;
	size_t *start;		/* [documents + 1] */
	uint32_t *word;		/* [start[documents]] from 0 */
	uint32_t *count;	/* >= 1 */
	uint64_t words;		/* the largest + 1; docword: as its header says */
	uint64_t tokens;	/* sum of counts */
	uint64_t empty;		/* documents without words, left out */
	/* docword: */
	uint64_t declared;	/* documents, by the header */
	uint64_t expected;	/* lines, by the header */
	uint64_t found;		/* in this part */
	size_t start_room, room;
};

struct lgn_corpus_range {
	int part;		/* [0, parts) */
	int parts;		/* >= 1 */
	int format;		/* enum lagoon_lda_format */
	int skip_empty;		/* leave documents without words out, else they
				 * are an error */
	uint64_t words;		/* words must be below; 0: any */
};

/* LAGOON_ENOENT; LAGOON_EINVAL: file, line, what was expected and what stands
 * there; LAGOON_EIO, LAGOON_ENOMEM. Set only on success. */
int lgn_corpus_read(const char *path, const struct lgn_corpus_range *range,
		    struct lgn_corpus *corpus);
void lgn_corpus_free(struct lgn_corpus *corpus);	/* safe on zeros */

/* Add a document of no words yet, and a word to the last one. */
int lgn_corpus_document(struct lgn_corpus *corpus);
int lgn_corpus_add(struct lgn_corpus *corpus, uint64_t word, uint64_t count);

/* Docword: did all parts together, whose numbers are in all, find what the
 * header says? */
int lgn_corpus_check(const char *path, const struct lgn_corpus *all,
		     int skip_empty);

/* enum lagoon_lda_format, by the name. */
int lgn_corpus_format(const char *path);

/* The words of a file, one a line, in the order of their numbers. */
struct lgn_vocabulary {
	uint64_t words;
	char **word;		/* [words] */
};

/* As lgn_corpus_read(); LAGOON_EINVAL for an empty line or one with a blank. */
int lgn_vocabulary_read(const char *path, struct lgn_vocabulary *v);
void lgn_vocabulary_free(struct lgn_vocabulary *v);	/* safe on zeros */

#endif
