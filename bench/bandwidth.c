/* SPDX-License-Identifier: BSD-3-Clause */
/* get-bw: pulls of pages that are not in the cache, a window of them in
 * flight. Bidirectional: every worker at once. */
#include <stdlib.h>
#include <string.h>

#include "bench/options.h"

enum {
	ROWS = 1 << 14,
	MOST_BYTES = 1 << 26,
	WINDOW = 16, WINDOW_MOST = 64,
};

struct stream {
	struct bench *b;
	struct lagoon_table *t;
	uint64_t bytes, window;
	int format;
};

/* One worker's. */
struct streamer {
	const struct stream *s;
	struct lagoon_worker *w;
	uint64_t *row;
	uint64_t rows, next;
	char *out;			/* [window] */
	int64_t *plain;
};

static uint64_t buffer_bytes(const struct stream *s)
{
	return s->bytes * (uint64_t)bench_lanes(s->format);
}

static int pull(void *ctx, uint64_t calls)
{
	struct streamer *m = ctx;
	struct lagoon_request *req[WINDOW_MOST];
	uint64_t window = m->s->window, started = 0, ended = 0;
	int rc = 0, rc2;

	while (ended < calls && !rc) {
		if (started - ended == window || started == calls) {
			rc = lagoon_wait(req[ended++ % window]);
			continue;
		}
		rc = lagoon_pull_start(m->w, m->s->t, m->row[m->next], 1,
			m->out + started % window * buffer_bytes(m->s),
			&req[started % window]);
		started += !rc;
		m->next = m->next + 1 == m->rows ? 0 : m->next + 1;
	}
	for (; ended < started; ended++) {	/* after an error */
		rc2 = lagoon_wait(req[ended % window]);
		rc = rc ? rc : rc2;
	}
	return rc;
}

/* Pieces of 128 KiB: a copy of many MiB by one memcpy() is slower. */
static int twin(void *ctx, uint64_t calls)
{
	const uint64_t piece = 1u << 14;	/* words */
	struct streamer *m = ctx;
	uint64_t words = m->s->bytes / 8;
	uint64_t lanes = (uint64_t)bench_lanes(m->s->format);

	while (calls--) {
		const int64_t *from = m->plain + m->row[m->next] * words;

		for (uint64_t i = 0; i < words; i += piece)
			bench_decode(m->s->format, m->out + i * 8 * lanes,
				     from + i,
				     words - i < piece ? words - i : piece);
		m->next = m->next + 1 == m->rows ? 0 : m->next + 1;
	}
	return 0;
}

static int next_round(void *ctx)
{
	struct streamer *m = ctx;

	m->next = 0;
	return lagoon_clock(m->w);
}

static int run_worker(struct streamer *m)
{
	const struct stream *s = m->s;
	struct lagoon_table_attr attr = { .size = sizeof(attr) };
	struct bench_case c = {
		.test = "get-bw", .bytes = s->bytes, .ops = 1,
		.figure = BENCH_BYTES, .ours = pull, .ctx = m,
	};

	lagoon_table_get_attr(s->t, &attr);
	m->rows = bench_far_rows(s->b, s->t, m->row, ROWS);
	if (!s->b->direct) {
		c.refresh = next_round;
		c.span = m->rows;
	} else if (!s->b->o.bidirectional) {
		c.twin = twin;
		m->plain = bench_plain(attr.rows * s->bytes);
		if (!m->plain)
			return bench_fail(LAGOON_ENOMEM, "no memory for the twin");
	}
	if (!s->b->o.bidirectional)
		return bench_measure(s->b, &c);
	strcpy(c.test, "get-bw-bi");
	return bench_together(s->b, m->w, &c);
}

static int work(struct lagoon_worker *w, void *arg)
{
	const struct stream *s = arg;
	struct streamer m = { .s = s, .w = w };
	int rc;

	if (lagoon_worker_id(w) && !s->b->o.bidirectional)
		return 0;
	m.row = calloc(ROWS, sizeof(*m.row));
	m.out = bench_plain(buffer_bytes(s) * s->window);
	rc = m.row && m.out ? run_worker(&m) :
		bench_fail(LAGOON_ENOMEM, "no memory for a window of %llu pulls",
			   (unsigned long long)s->window);
	free(m.row);
	free(m.out);
	free(m.plain);
	return rc;
}

static int run_size(struct bench *b, uint64_t bytes)
{
	struct stream s = {
		.b = b, .bytes = bytes,
		.window = b->o.window ? b->o.window : WINDOW,
		.format = b->o.format < 0 ? LAGOON_I64 : b->o.format,
	};
	struct lagoon_table_attr attr;
	uint64_t most = b->o.table ? b->o.table : b->direct ? 1u << 19 : MOST_BYTES;
	int rc;

	if (bytes % 8 || s.window > WINDOW_MOST)
		return bench_fail(LAGOON_EINVAL, bytes % 8 ?
				  "--sizes: not a multiple of 8" :
				  "--window: at most 64 pulls");
	lagoon_table_attr_init(&attr);
	attr.format = s.format;
	attr.cols = (uint32_t)(bytes / 8) * (uint32_t)bench_lanes(s.format);
	attr.rows = most / bytes < ROWS ? most / bytes : ROWS;
	/* Direct: hot, as the copy of the twin. */
	if (attr.rows < (b->direct ? 1 : 2 * s.window))
		attr.rows = b->direct ? 1 : 2 * s.window;
	attr.page_rows = 1;
	rc = bench_table(b, &attr, &s.t);
	if (!rc)
		rc = lagoon_run(b->lg, work, &s);
	return rc ? rc : lagoon_table_destroy(s.t);
}

static int run(struct bench *b)
{
	int rc = 0;

	for (int i = 0; i < b->o.sizes && !rc; i++)
		rc = run_size(b, b->o.size[i]);
	return rc;
}

const struct bench_test bench_get_bw = {
	.name = "get-bw", .run = run, .two_processes = true,
	.sizes = "4K,64K,1M,16M", .size_is = "of a pull",
	.help = "bytes a second of pulls with a window of them in flight",
};
