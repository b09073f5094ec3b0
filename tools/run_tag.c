/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Output of the ranks, each line with "[rank] " before it. Nothing is read
 * while something waits to be written, so a slow reader slows the ranks and
 * nothing piles up; and nothing is written that could block, so a slow reader
 * does not keep the launcher from its signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/run.h"

enum {
	LINE = 64 << 10,	/* a longer line is broken */
	TAG = 8,		/* "[4095] " */
};

/* One output of one rank. */
struct stream {
	int fd;			/* -1: closed */
	size_t len;
	char *line;		/* [LINE], of which len begin a line */
};

struct run_tag {
	int epoll;
	int n_streams;		/* 2 * rank: output, 2 * rank + 1: error */
	int n_open;
	bool failed;
	int to;			/* where the text goes */
	size_t len, done;	/* of text */
	char *text;		/* all that one read can become */
	struct stream stream[];
};

struct run_tag *run_tag_open(int n)
{
	struct run_tag *t = calloc(1, sizeof(*t) + 2 * (size_t)n * sizeof(t->stream[0]));

	if (!t)
		goto say;
	t->n_streams = 2 * n;
	for (int i = 0; i < t->n_streams; i++)
		t->stream[i].fd = -1;
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->text = malloc((size_t)LINE * (TAG + 1) + 1);
	if (t->epoll >= 0 && t->text)
		return t;
	run_tag_close(t);
say:
	run_say("no memory for the output of %d processes", n);
	return NULL;
}

void run_tag_close(struct run_tag *t)
{
	if (!t)
		return;
	for (int i = 0; i < t->n_streams; i++) {
		if (t->stream[i].fd >= 0)
			close(t->stream[i].fd);
		free(t->stream[i].line);
	}
	close(t->epoll);
	free(t->text);
	free(t);
}

static int add_stream(struct run_tag *t, int index, int *write_end)
{
	struct stream *s = &t->stream[index];
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = (uint32_t)index };
	int fd[2];

	s->line = malloc(LINE);
	if (!s->line || pipe2(fd, O_CLOEXEC))
		return -1;
	if (fcntl(fd[0], F_SETFL, O_NONBLOCK) ||
	    epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd[0], &ev)) {
		close(fd[0]);
		close(fd[1]);
		return -1;
	}
	s->fd = fd[0];
	t->n_open++;
	*write_end = fd[1];
	return 0;
}

int run_tag_pipes(struct run_tag *t, int rank, int write_end[2])
{
	if (add_stream(t, 2 * rank, &write_end[0]))
		goto say;
	if (add_stream(t, 2 * rank + 1, &write_end[1]))
		goto close;
	return 0;
close:
	close(write_end[0]);
say:
	run_say("cannot take the output of rank %d: %s", rank, strerror(errno));
	return -1;
}

void run_tag_fds(const struct run_tag *t, struct pollfd fd[RUN_TAG_FDS])
{
	bool pending = run_tag_pending(t);

	fd[0] = (struct pollfd){ .fd = t && !pending ? t->epoll : -1, .events = POLLIN };
	fd[1] = (struct pollfd){ .fd = pending ? t->to : -1, .events = POLLOUT };
}

static void emit(struct run_tag *t, int rank, const char *line, size_t len)
{
	t->len += (size_t)sprintf(t->text + t->len, "[%d] ", rank);
	memcpy(t->text + t->len, line, len);
	t->len += len;
	if (line[len - 1] != '\n')
		t->text[t->len++] = '\n';
}

/* Hand on the whole lines, keep the rest. */
static void split(struct run_tag *t, struct stream *s, int rank)
{
	char *at = s->line, *end = s->line + s->len, *newline;

	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		emit(t, rank, at, (size_t)(newline + 1 - at));
		at = newline + 1;
	}
	s->len = (size_t)(end - at);
	memmove(s->line, at, s->len);
}

static void flush_rest(struct run_tag *t, struct stream *s, int rank)
{
	if (s->len)
		emit(t, rank, s->line, s->len);
	s->len = 0;
}

static void read_stream(struct run_tag *t, int index)
{
	struct stream *s = &t->stream[index];
	ssize_t got = read(s->fd, s->line + s->len, LINE - s->len);

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	t->to = index % 2 ? STDERR_FILENO : STDOUT_FILENO;
	if (got <= 0) {
		flush_rest(t, s, index / 2);
		close(s->fd);		/* leaves the epoll set, too */
		s->fd = -1;
		t->n_open--;
		return;
	}
	s->len += (size_t)got;
	split(t, s, index / 2);
	if (s->len == LINE)
		flush_rest(t, s, index / 2);
}

/* At most PIPE_BUF, which a pipe that is ready takes at once, and whole lines
 * if possible: the launcher's own lines may come between. */
static size_t chunk(const struct run_tag *t)
{
	const char *at = t->text + t->done;
	size_t len = t->len - t->done;
	const char *newline;

	if (len <= PIPE_BUF)
		return len;
	newline = memrchr(at, '\n', PIPE_BUF);
	return newline ? (size_t)(newline + 1 - at) : PIPE_BUF;
}

static void write_text(struct run_tag *t)
{
	ssize_t put = write(t->to, t->text + t->done, chunk(t));

	if (put < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (put < 0 && !t->failed) {
		run_say("output is lost: %s", strerror(errno));
		t->failed = true;
	}
	t->done = put < 0 ? t->len : t->done + (size_t)put;
	if (t->done == t->len)
		t->done = t->len = 0;
}

/* One stream at a time: the epoll set hands them out in turn. */
void run_tag_step(struct run_tag *t, const struct pollfd fd[RUN_TAG_FDS])
{
	struct epoll_event ev;

	if (fd[0].revents && epoll_wait(t->epoll, &ev, 1, 0) == 1)
		read_stream(t, (int)ev.data.u32);
	if (fd[1].revents)
		write_text(t);
}

bool run_tag_pending(const struct run_tag *t)
{
	return t && t->len;
}

bool run_tag_done(const struct run_tag *t)
{
	return !t || (!t->len && !t->n_open);
}

bool run_tag_failed(const struct run_tag *t)
{
	return t && t->failed;
}
