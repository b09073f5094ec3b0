/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "kernels/data/decimal.h"
#include "kernels/data/text.h"
#include "runtime/base/status.h"

#define FIRST_ROOM ((size_t)1 << 20)

int lgn_text_open_plain(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return lgn_fail(errno == ENOENT ? LAGOON_ENOENT : LAGOON_EIO,
				"%s: cannot open: %s", path, strerror(errno));
	if (!fstat(fd, st) && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return lgn_fail(LAGOON_EINVAL, "%s: expected a plain file", path);
}

bool lgn_text_begins_as_gzip(int fd)
{
	unsigned char magic[2];

	return pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
		magic[0] == 0x1f && magic[1] == 0x8b;
}

int lgn_text_is_gzip(const char *path)
{
	struct stat st;
	int fd = lgn_text_open_plain(path, &st), yes;

	if (fd < 0)
		return fd;
	yes = lgn_text_begins_as_gzip(fd);
	close(fd);
	return yes;
}

static int grow(struct lgn_text *t, char **text, size_t *room)
{
	size_t more = *room ? *room * 2 : FIRST_ROOM;
	char *p = realloc(*text, more);

	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for %zu bytes",
				t->path, more);
	*text = p;
	*room = more;
	return 0;
}

/* gzread() tells a file that is cut by an error that only gzerror() has. */
long lgn_text_inflate(const char *path, void *gz, char *to, size_t room)
{
	int err = Z_OK;
	int got = gzread(gz, to, (unsigned)(room < FIRST_ROOM ? room :
					    FIRST_ROOM));

	if (got > 0)
		return got;
	gzerror(gz, &err);
	if (err == Z_OK || err == Z_STREAM_END)
		return 0;
	return lgn_fail(err == Z_ERRNO ? LAGOON_EIO : LAGOON_EINVAL,
			"%s: cannot inflate: %s", path, err == Z_BUF_ERROR ?
			"the file is cut" : "the file is damaged");
}

static int read_all(struct lgn_text *t, gzFile gz, char **text)
{
	size_t room = 0;
	long got = 1;
	int rc = 0;

	while (got > 0 && !rc) {
		if (t->size == room)
			rc = grow(t, text, &room);
		if (rc)
			break;
		got = lgn_text_inflate(t->path, gz, *text + t->size,
				       room - t->size);
		t->size += got > 0 ? (size_t)got : 0;
	}
	return rc ? rc : got < 0 ? (int)got : 0;
}

static int inflate_file(struct lgn_text *t, int fd)
{
	gzFile gz = gzdopen(fd, "rb");
	char *text = NULL;
	int rc;

	t->inflated = true;
	if (!gz) {
		close(fd);
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory to inflate it",
				t->path);
	}
	rc = read_all(t, gz, &text);
	gzclose(gz);
	t->text = text;
	return rc;
}

static int map_file(struct lgn_text *t, int fd, size_t size)
{
	void *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	int err = errno;

	close(fd);
	if (text == MAP_FAILED)
		return lgn_fail(LAGOON_EIO, "%s: mmap: %s", t->path,
				strerror(err));
	t->text = text;
	t->size = size;
	return 0;
}

int lgn_text_open(const char *path, struct lgn_text *t)
{
	struct stat st = { 0 };
	int fd = lgn_text_open_plain(path, &st), rc;

	*t = (struct lgn_text){ .path = path };
	if (fd < 0)
		return fd;
	if (lgn_text_begins_as_gzip(fd)) {
		rc = inflate_file(t, fd);
	} else if (st.st_size) {
		rc = map_file(t, fd, (size_t)st.st_size);
	} else {
		close(fd);
		rc = 0;
	}
	if (!rc && !t->size)
		rc = lgn_fail(LAGOON_EINVAL, "%s: the file is empty, expected "
			      "rows", path);
	if (rc)
		lgn_text_close(t);
	return rc;
}

void lgn_text_close(struct lgn_text *t)
{
	void *text = (void *)(uintptr_t)t->text;

	if (t->inflated)
		free(text);
	else if (text)
		munmap(text, t->size);
	t->text = NULL;
}

size_t lgn_text_cut(const struct lgn_text *t, int k, int n)
{
	size_t at = (size_t)((unsigned __int128)t->size * (unsigned)k /
			     (unsigned)n);
	const char *stop;

	if (!at)
		return 0;
	stop = memchr(t->text + at - 1, '\n', t->size - at + 1);
	return stop ? (size_t)(stop - t->text) + 1 : t->size;
}

/* The last line of the file, when it does not end in '\n'. */
static int each_tail(const struct lgn_text *t, size_t at,
		     int (*line)(void *arg, const char *line, size_t at),
		     void *arg)
{
	size_t len = t->size - at;
	char *copy = malloc(len + 1);
	int rc;

	if (!copy)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a line of %zu "
				"bytes", len);
	memcpy(copy, t->text + at, len);
	copy[len] = '\n';
	rc = line(arg, copy, t->offset + at);
	free(copy);
	return rc;
}

int lgn_text_each(const struct lgn_text *t, size_t begin, size_t end,
		  int (*line)(void *arg, const char *line, size_t at),
		  void *arg)
{
	int rc = 0;

	for (size_t at = begin; at < end && !rc; ) {
		const char *stop = memchr(t->text + at, '\n', t->size - at);

		if (!stop)
			return each_tail(t, at, line, arg);
		rc = line(arg, t->text + at, t->offset + at);
		at = (size_t)(stop - t->text) + 1;
	}
	return rc;
}

static size_t count_lines(const char *p, size_t len)
{
	const char *end = p + len;
	size_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		n++;
		p++;
	}
	return n;
}

/* Of the first bytes of the file: what is before a block is not in memory. */
static size_t lines_before(const char *path, size_t offset)
{
	char buffer[16384];
	gzFile gz = offset ? gzopen(path, "rb") : NULL;
	size_t n = 0;
	int got = 1;

	while (gz && offset && got > 0) {
		got = gzread(gz, buffer, (unsigned)(offset < sizeof(buffer) ?
						    offset : sizeof(buffer)));
		if (got > 0) {
			n += count_lines(buffer, (size_t)got);
			offset -= (size_t)got;
		}
	}
	if (gz)
		gzclose(gz);
	return n;
}

size_t lgn_text_line(const struct lgn_text *t, size_t offset)
{
	if (offset < t->offset)
		return lines_before(t->path, offset) + 1;
	return lines_before(t->path, t->offset) +
		count_lines(t->text, offset - t->offset) + 1;
}

int lgn_text_fail(const struct lgn_text *t, size_t at, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return lgn_fail(LAGOON_EINVAL, "%s: line %zu: %s", t->path,
			lgn_text_line(t, at), text);
}

const char *lgn_text_show(const char *p, char out[LGN_TEXT_SHOWN + 4])
{
	size_t n = 0;

	while (n < LGN_TEXT_SHOWN && !lgn_text_ends(p[n])) {
		out[n] = p[n];
		if ((unsigned char)p[n] < 0x20 || p[n] == 0x7f)
			out[n] = '?';
		n++;
	}
	strcpy(out + n, lgn_text_ends(p[n]) ? "" : "...");
	return out;
}

static bool is_not_finite(const char *p)
{
	p += *p == '-' || *p == '+';
	return !strncasecmp(p, "nan", 3) || !strncasecmp(p, "inf", 3);
}

int lgn_text_number(const struct lgn_text *t, size_t line, const char *what,
		    const char **at, double *value)
{
	char shown[LGN_TEXT_SHOWN + 4];
	double x = 0;
	const char *end = lgn_decimal_parse(*at, &x);

	if (end && lgn_text_ends(*end) && !isinf(x)) {
		*at = end;
		*value = x;
		return 0;
	}
	return lgn_text_fail(t, line, "%s is \"%s\": expected a %s number",
			     what, lgn_text_show(*at, shown),
			     is_not_finite(*at) || isinf(x) ? "finite" :
			     "decimal");
}

int lgn_text_separator(const struct lgn_text *t, size_t at, const char *p,
		       uint64_t field, uint64_t fields, bool commas)
{
	char shown[LGN_TEXT_SHOWN + 4];

	if (*p == '\n' || !commas || *p == ',')
		return lgn_text_fail(t, at, "%s than %llu numbers: expected as "
				     "many as in the first line",
				     *p == '\n' ? "fewer" : "more",
				     (unsigned long long)fields);
	return lgn_text_fail(t, at, "\"%s\" behind field %llu: expected ',' or "
			     "the end of the line", lgn_text_show(p, shown),
			     (unsigned long long)field + 1);
}
