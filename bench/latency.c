/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * get-lat: one pull at a time. Where tables are cached there are three kinds:
 * the page is read from its shard and the remembered floor suffices (get-lat),
 * the board is read before (get-lat-board), the page is in the cache
 * (get-lat-cached). In the first two a row is a page of its own, so that a
 * pull moves as many bytes as it asks for.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/options.h"

enum {
	ROWS = 1 << 14,
	MOST_BYTES = 1 << 26,		/* of a table */
	BOARD_CALLS = 100,		/* each needs an answer of a sleeper */
	ASK = 0, ANSWER = 1,		/* rows of the table of tickets */
};

struct get {
	struct bench *b;
	struct lagoon_worker *w;
	struct lagoon_table *alone;	/* a row is a page; NULL: direct */
	struct lagoon_table *t;		/* pages of the usual size */
	struct lagoon_table *ticket;
	struct lagoon_table *pulled;	/* one of them */
	uint64_t *row;			/* in the order of use */
	uint64_t rows, next;
	uint64_t bytes;
	int format;
	void *out;
	int64_t *plain;
};

static int pull(void *ctx, uint64_t calls)
{
	struct get *g = ctx;
	uint64_t i = g->next;
	int rc = 0;

	while (calls-- && !rc) {
		rc = lagoon_pull(g->w, g->pulled, g->row[i], 1, g->out);
		i = i + 1 == g->rows ? 0 : i + 1;
	}
	g->next = i;
	return rc;
}

static int twin(void *ctx, uint64_t calls)
{
	struct get *g = ctx;
	uint64_t i = g->next, words = g->bytes / 8;

	while (calls--) {
		bench_decode(g->format, g->out, g->plain + g->row[i] * words,
			     words);
		i = i + 1 == g->rows ? 0 : i + 1;
	}
	g->next = i;
	return 0;
}

/* Without the loop and the call that do nothing for one word. */
static int twin_word(void *ctx, uint64_t calls)
{
	struct get *g = ctx;
	uint64_t i = g->next;

	while (calls--) {
		*(int64_t *)g->out = __atomic_load_n(&g->plain[g->row[i]],
						     __ATOMIC_RELAXED);
		__asm__ __volatile__("" : : "r"(g->out) : "memory");
		i = i + 1 == g->rows ? 0 : i + 1;
	}
	g->next = i;
	return 0;
}

/* The worker's clock moves on, and the floor with it: every copy is too old,
 * and the board need not be read. */
static int next_round(void *ctx)
{
	struct get *g = ctx;

	g->next = 0;
	return lagoon_clock(g->w);
}

/* Rank 1 ends its round after rank 0 has looked at the board at the end of
 * its own: the next pull of rank 0 must look again. */
static int fall_behind(void *ctx)
{
	struct get *g = ctx;
	int64_t asked, answered = -1;
	int rc = lagoon_clock(g->w);

	if (!rc)
		rc = lagoon_fetch_add(g->w, g->ticket, ASK, 0, 1, &asked);
	while (!rc && answered <= asked)
		rc = lagoon_fetch_add(g->w, g->ticket, ANSWER, 0, 0, &answered);
	return rc;
}

/* Rank 1: a round for each ticket, until the number jumps. */
static int answer(struct get *g)
{
	int64_t asked = 0, done = 0, old;
	int rc = 0;

	while (!rc && asked < INT32_MAX) {
		rc = lagoon_fetch_add(g->w, g->ticket, ASK, 0, 0, &asked);
		if (rc || asked >= INT32_MAX)
			break;
		if (asked <= done) {
			usleep(1000);
			continue;
		}
		rc = lagoon_clock(g->w);
		if (!rc)
			rc = lagoon_fetch_add(g->w, g->ticket, ANSWER, 0, 1, &old);
		done++;
		usleep(1000);	/* what is timed there begins now */
	}
	return rc;
}

static struct bench_case case_of(struct get *g, const char *name)
{
	struct bench_case c = {
		.bytes = g->bytes, .ops = 1, .figure = BENCH_US, .ours = pull,
		.ctx = g,
	};

	strcpy(c.test, name);
	return c;
}

static int measure_fetch(struct get *g)
{
	struct bench_case c = case_of(g, "get-lat");

	g->pulled = g->alone;
	g->rows = bench_far_rows(g->b, g->alone, g->row, ROWS);
	c.refresh = next_round;
	c.span = g->rows;
	return bench_measure(g->b, &c);
}

static int measure_board(struct get *g)
{
	struct bench_case c = case_of(g, "get-lat-board");
	int64_t old;
	int rc;

	g->pulled = g->alone;
	g->rows = bench_far_rows(g->b, g->alone, g->row, ROWS);
	g->next = 0;
	c.refresh = fall_behind;
	c.span = 1;
	c.most = BOARD_CALLS;
	rc = bench_measure(g->b, &c);
	return rc ? rc : lagoon_fetch_add(g->w, g->ticket, ASK, 0, INT32_MAX,
					  &old);
}

static int measure_hot(struct get *g)
{
	struct lagoon_table_attr attr = { .size = sizeof(attr) };
	int rc = 0;
	struct bench_case c = case_of(g, g->alone ? "get-lat-cached" : "get-lat");

	lagoon_table_get_attr(g->t, &attr);
	g->pulled = g->t;
	g->rows = ROWS;
	bench_draw(g->row, g->rows, attr.rows, 1);
	/* From memory of this process: comparable over any wire. */
	c.twin = g->bytes == 8 && g->format == LAGOON_I64 ? twin_word : twin;
	g->plain = bench_plain(attr.rows * g->bytes);
	if (!g->plain)
		return bench_fail(LAGOON_ENOMEM, "no memory for the twin");
	/* Whatever the warm-up, every page is in the cache. */
	for (uint64_t i = 0; i < attr.rows && !rc; i++)
		rc = lagoon_pull(g->w, g->t, i, 1, g->out);
	return rc ? rc : bench_measure(g->b, &c);
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct get *g = arg;
	int rc = 0;

	if (lagoon_worker_id(w) && !(g->ticket && lagoon_rank(g->b->lg) == 1))
		return 0;
	g->w = w;
	if (lagoon_worker_id(w))
		return answer(g);
	if (g->ticket)
		return measure_board(g);
	if (g->alone)
		rc = measure_fetch(g);
	return rc ? rc : measure_hot(g);
}

static int make_tables(struct get *g)
{
	struct lagoon_table_attr attr;
	uint64_t most = g->b->o.table ? g->b->o.table : MOST_BYTES;
	int rc = 0;

	lagoon_table_attr_init(&attr);
	attr.format = g->format;
	attr.cols = (uint32_t)(g->bytes / 8) * (uint32_t)bench_lanes(g->format);
	attr.rows = most / g->bytes < ROWS ? most / g->bytes : ROWS;
	if (attr.rows < 4)
		attr.rows = 4;
	if (!g->b->direct) {
		attr.page_rows = 1;
		rc = bench_table(g->b, &attr, &g->alone);
	}
	attr.page_rows = 0;
	attr.rows = (g->b->o.table ? g->b->o.table : 1u << 19) / g->bytes;
	if (attr.rows < 4)
		attr.rows = 4;
	return rc ? rc : bench_table(g->b, &attr, &g->t);
}

/* A job of two processes at least: what is measured with an answering rank 1
 * is a run of its own. Its workers must be single: a round of a process ends
 * with its last worker. */
static int run_board(struct get *g)
{
	struct lagoon_table_attr attr;
	int rc;

	if (g->b->direct || lagoon_size(g->b->lg) < 2 ||
	    lagoon_workers(g->b->lg) != lagoon_size(g->b->lg))
		return 0;
	lagoon_table_attr_init(&attr);
	attr.rows = 2;
	attr.format = LAGOON_I64;
	rc = bench_table(g->b, &attr, &g->ticket);
	if (!rc)
		rc = lagoon_run(g->b->lg, work, g);
	if (!rc)
		rc = lagoon_table_destroy(g->ticket);
	return rc;
}

static int run_size(struct bench *b, uint64_t bytes)
{
	struct get g = {
		.b = b, .bytes = bytes,
		.format = b->o.format < 0 ? LAGOON_I64 : b->o.format,
	};
	int rc = make_tables(&g);

	if (rc)
		return rc;
	g.row = calloc(ROWS, sizeof(*g.row));
	g.out = bench_plain(bytes * 2);
	if (!g.row || !g.out)
		rc = bench_fail(LAGOON_ENOMEM, "no memory for %llu bytes",
				(unsigned long long)bytes);
	if (!rc)
		rc = lagoon_run(b->lg, work, &g);
	if (!rc)
		rc = run_board(&g);
	free(g.row);
	free(g.out);
	free(g.plain);
	if (!rc && g.alone)
		rc = lagoon_table_destroy(g.alone);
	return rc ? rc : lagoon_table_destroy(g.t);
}

static int run(struct bench *b)
{
	int rc = 0;

	for (int i = 0; i < b->o.sizes && !rc; i++)
		rc = b->o.size[i] % 8 ?
			bench_fail(LAGOON_EINVAL, "--sizes %llu: not a multiple of 8",
				   (unsigned long long)b->o.size[i]) :
			run_size(b, b->o.size[i]);
	return rc;
}

const struct bench_test bench_get_lat = {
	.name = "get-lat", .run = run, .two_processes = true,
	.sizes = "8,64,512,4K,64K", .size_is = "of a pull",
	.help = "time of one pull, by bytes: from the shard, and from the cache",
};
