/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "kernels/data/blocks.h"
#include "runtime/base/status.h"

/* At this offset in the text. Of a file by gzip it costs inflating all from
 * where it was read last, or from the begin if that is behind. */
static ssize_t read_at(const struct lgn_blocks *b, char *to, size_t n, off_t at)
{
	ssize_t got;

	if (b->gz) {
		if (gzseek(b->gz, at, SEEK_SET) < 0)
			return lgn_fail(LAGOON_EIO, "%s: cannot read it again",
					b->text.path);
		return lgn_text_inflate(b->text.path, b->gz, to, n);
	}
	got = pread(b->fd, to, n, at);
	return got >= 0 ? got : lgn_fail(LAGOON_EIO, "%s: cannot read: %s",
					 b->text.path, strerror(errno));
}

/* First line start at or behind the k-th of n cuts. */
static int find_cut(const struct lgn_blocks *b, off_t size, int k, int n,
		    off_t *cut)
{
	char buffer[4096];
	off_t at = (off_t)((unsigned __int128)size * (unsigned)k / (unsigned)n);

	*cut = at;
	if (!at)
		return 0;
	for (at--; at < size; ) {
		ssize_t got = read_at(b, buffer, sizeof(buffer), at);
		const char *stop;

		if (got < 0)
			return (int)got;
		if (!got)
			break;
		stop = memchr(buffer, '\n', (size_t)got);
		if (stop) {
			*cut = at + (stop - buffer) + 1;
			return 0;
		}
		at += got;
	}
	*cut = size;
	return 0;
}

static int measure(const struct lgn_blocks *b, off_t *size)
{
	char buffer[16384];
	ssize_t got = 1;

	for (*size = 0; got > 0; *size += got > 0 ? got : 0)
		got = read_at(b, buffer, sizeof(buffer), *size);
	return (int)got;
}

static int open_part(struct lgn_blocks *b, off_t size, int part, int parts)
{
	int rc = 0;

	if (lgn_text_begins_as_gzip(b->fd)) {
		b->gz = gzdopen(b->fd, "rb");
		if (!b->gz)
			return lgn_fail(LAGOON_ENOMEM, "%s: no memory to "
					"inflate it", b->text.path);
		gzbuffer(b->gz, 1 << 17);
		size = INT64_MAX;
		if (parts > 1)
			rc = measure(b, &size);
	}
	b->end = size;
	if (parts == 1)
		return 0;
	if (!rc)
		rc = find_cut(b, size, part, parts, &b->begin);
	return rc ? rc : find_cut(b, size, part + 1, parts, &b->end);
}

int lgn_blocks_open(const char *path, int part, int parts, size_t bytes,
		    struct lgn_blocks *b)
{
	struct stat st = { 0 };
	int fd = lgn_text_open_plain(path, &st), rc;

	*b = (struct lgn_blocks){ .text.path = path, .fd = fd, .room = bytes };
	if (fd < 0) {
		*b = (struct lgn_blocks){ .fd = -1 };
		return fd;
	}
	rc = open_part(b, st.st_size, part, parts);
	b->buffer = rc ? NULL : malloc(b->room + 1);
	if (!rc && !b->buffer)
		rc = lgn_fail(LAGOON_ENOMEM, "%s: no memory for a block of %zu "
			      "bytes", path, bytes);
	if (!rc)
		lgn_blocks_rewind(b);
	if (rc)
		lgn_blocks_close(b);
	return rc;
}

void lgn_blocks_rewind(struct lgn_blocks *b)
{
	b->at = b->begin;
	b->offset = (size_t)b->begin;
	b->used = 0;
	b->text.size = 0;
	b->ended = b->begin >= b->end;
}

static ssize_t read_more(struct lgn_blocks *b)
{
	size_t room = b->room - b->used;
	ssize_t got;

	if ((off_t)room > b->end - b->at)
		room = (size_t)(b->end - b->at);
	got = room ? read_at(b, b->buffer + b->used, room, b->at) : 0;
	b->at += got > 0 ? got : 0;
	return got;
}

/* Until the buffer is full or the part ends. */
static int fill(struct lgn_blocks *b)
{
	while (!b->ended && b->used < b->room) {
		ssize_t got = read_more(b);

		if (got < 0)
			return (int)got;
		b->used += (size_t)got;
		b->ended = !got;
	}
	return 0;
}

static int grow(struct lgn_blocks *b)
{
	char *p = realloc(b->buffer, 2 * b->room + 1);

	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for a line of "
				"%zu bytes", b->text.path, b->room);
	b->buffer = p;
	b->room *= 2;
	return 0;
}

/* The lines that are whole; at the end of the part, all. */
static size_t whole_lines(struct lgn_blocks *b)
{
	const char *stop;

	if (b->ended) {
		if (b->used && b->buffer[b->used - 1] != '\n')
			b->buffer[b->used++] = '\n';
		return b->used;
	}
	stop = memrchr(b->buffer, '\n', b->used);
	return stop ? (size_t)(stop - b->buffer) + 1 : 0;
}

int lgn_blocks_next(struct lgn_blocks *b)
{
	size_t taken = b->text.size;
	int rc;

	memmove(b->buffer, b->buffer + taken, b->used - taken);
	b->used -= taken;
	b->offset += taken;
	b->text.size = 0;
	do {
		rc = fill(b);
		if (!rc)
			b->text.size = whole_lines(b);
		if (!rc && !b->text.size && !b->ended)
			rc = grow(b);
	} while (!rc && !b->text.size && !b->ended);
	b->text.text = b->buffer;
	b->text.offset = b->offset;
	return rc ? rc : b->text.size > 0;
}

void lgn_blocks_close(struct lgn_blocks *b)
{
	free(b->buffer);
	if (b->gz)
		gzclose(b->gz);
	else if (b->text.path)
		close(b->fd);
	*b = (struct lgn_blocks){ .fd = -1 };
}
