/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The text of a data file in memory: a plain file is mapped, one that gzip
 * made is inflated. Lines for parsers that look for no end: each ends in '\n'.
 *
 *	rc = lgn_text_open(path, &t);
 *	begin = lgn_text_cut(&t, k, n);	end = lgn_text_cut(&t, k + 1, n);
 *	rc = lgn_text_each(&t, begin, end, parse_line, arg);
 *	lgn_text_close(&t);
 */
#ifndef LGN_DATA_TEXT_H
#define LGN_DATA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/attr.h"

#define LGN_TEXT_SHOWN 24	/* bytes of a bad token that a message shows */

struct lgn_text {
	const char *path;
	const char *text;
	size_t size;
	size_t offset;		/* of a block in the file */
	bool inflated;
};

struct stat;

/* Of a plain file; LAGOON_ENOENT, LAGOON_EIO, LAGOON_EINVAL for another. */
int lgn_text_open_plain(const char *path, struct stat *st);
bool lgn_text_begins_as_gzip(int fd);

/* Read on from what gzdopen() made: how many bytes, 0 at the end, or
 * LAGOON_EINVAL for a file that is cut or damaged, LAGOON_EIO. */
long lgn_text_inflate(const char *path, void *gz, char *to, size_t room);

/* LAGOON_ENOENT, LAGOON_EIO, LAGOON_ENOMEM; LAGOON_EINVAL for what is no plain
 * file, is empty, or is a gzip file that is cut or damaged. */
int lgn_text_open(const char *path, struct lgn_text *t);
void lgn_text_close(struct lgn_text *t);	/* safe on zeros */

/* Does the file begin as those of gzip do? 1, 0, or as lgn_text_open(). */
int lgn_text_is_gzip(const char *path);

/* First line start at or behind the k-th of n cuts. */
size_t lgn_text_cut(const struct lgn_text *t, int k, int n);

/* Call line() for the lines that begin in [begin, end) of the text, until it
 * returns other than 0, which is the result. at: where the line begins in the
 * file. */
int lgn_text_each(const struct lgn_text *t, size_t begin, size_t end,
		  int (*line)(void *arg, const char *line, size_t at),
		  void *arg);

/* The number of the line at this offset in the file, from 1 on. Counted only when an error
 * is told: a part does not know what is before. */
size_t lgn_text_line(const struct lgn_text *t, size_t offset);

/* "path: line N: text" and LAGOON_EINVAL. */
int lgn_text_fail(const struct lgn_text *t, size_t at, const char *fmt, ...)
	LGN_PRINTF(3, 4);

/* The token at p, up to a blank, ',' or '\n', for a message: cut, without
 * control bytes. */
const char *lgn_text_show(const char *p, char out[LGN_TEXT_SHOWN + 4]);

/* p stands behind a field (from 0 on) of a line of so many, and not at what must
 * follow, or at the end before it. commas: these part the fields, not blanks. */
int lgn_text_separator(const struct lgn_text *t, size_t at, const char *p,
		       uint64_t field, uint64_t fields, bool commas);

/* A finite number at *at, which moves behind it. what: for the message. */
int lgn_text_number(const struct lgn_text *t, size_t line, const char *what,
		    const char **at, double *value);

/* Is it what may stand behind a number? */
static inline bool lgn_text_ends(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

static inline const char *lgn_text_skip(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\r')
		p++;
	return p;
}

#endif
