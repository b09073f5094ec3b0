/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * add-rate: words added a second, pushed to the shards: a call is a list of
 * rows and the end of the round. clock: the end of a round in which nothing
 * was added.
 */
#include <stdlib.h>

#include "bench/options.h"

enum { TABLE = 1 << 19 };		/* bytes */

struct adds {
	struct bench *b;
	struct lagoon_worker *w;
	struct lagoon_table *t;
	uint64_t *row;
	uint64_t rows, next;
	uint64_t words;			/* of a call */
	int format;
	void *delta;
	int64_t *plain;
};

static const uint64_t *take(struct adds *a)
{
	uint64_t at = a->next + a->words > a->rows ? 0 : a->next;

	a->next = at + a->words;
	return a->row + at;
}

static int add(void *ctx, uint64_t calls)
{
	struct adds *a = ctx;
	int rc = 0;

	while (calls-- && !rc) {
		rc = lagoon_add_rows(a->w, a->t, take(a), a->words, a->delta);
		if (!rc)
			rc = lagoon_clock(a->w);
	}
	return rc;
}

static int twin_add(void *ctx, uint64_t calls)
{
	struct adds *a = ctx;

	while (calls--) {
		const uint64_t *row = take(a);

		for (uint64_t i = 0; i < a->words; i++)
			__atomic_fetch_add(&a->plain[row[i]], 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

/* A row is a word. */
static int prepare(struct adds *a)
{
	struct lagoon_table_attr attr = { .size = sizeof(attr) };

	lagoon_table_get_attr(a->t, &attr);
	a->row = calloc(attr.rows, sizeof(*a->row));
	a->plain = bench_plain(attr.rows * 8);
	a->delta = bench_deltas(a->format, a->words);
	if (!a->row || !a->plain || !a->delta)
		return bench_fail(LAGOON_ENOMEM, "no memory for the twin");
	a->rows = bench_far_rows(a->b, a->t, a->row, attr.rows);
	bench_shuffle(a->row, a->rows);
	if (a->words > a->rows)
		return bench_fail(LAGOON_EINVAL,
				  "--sizes: %llu words at once, of a table of %llu",
				  (unsigned long long)a->words,
				  (unsigned long long)a->rows);
	return 0;
}

static int work_add(struct lagoon_worker *w, void *arg)
{
	struct adds *a = arg;
	struct bench_case c = {
		.test = "add-rate", .bytes = a->words * 8, .op_bytes = 8,
		.ops = a->words,
		.figure = BENCH_OPS, .ours = add, .ctx = a,
		.twin = bench_has_twin(a->b) ? twin_add : NULL,
	};
	int rc;

	if (lagoon_worker_id(w))
		return 0;
	a->w = w;
	rc = prepare(a);
	return rc ? rc : bench_measure(a->b, &c);
}

static int run_size(struct bench *b, uint64_t bytes)
{
	struct adds a = {
		.b = b, .words = bytes / 8,
		.format = b->o.format < 0 ? LAGOON_I64 : b->o.format,
	};
	struct lagoon_table_attr attr;
	int rc;

	if (!a.words)
		return bench_fail(LAGOON_EINVAL, "--sizes: less than a word");
	lagoon_table_attr_init(&attr);
	attr.format = a.format;
	attr.cols = (uint32_t)bench_lanes(a.format);
	attr.rows = (b->o.table ? b->o.table : TABLE) / 8;
	rc = bench_table(b, &attr, &a.t);
	if (!rc)
		rc = lagoon_run(b->lg, work_add, &a);
	free(a.row);
	free(a.plain);
	free(a.delta);
	return rc ? rc : lagoon_table_destroy(a.t);
}

static int run_add_rate(struct bench *b)
{
	int rc = 0;

	for (int i = 0; i < b->o.sizes && !rc; i++)
		rc = run_size(b, b->o.size[i]);
	return rc;
}

const struct bench_test bench_add_rate = {
	.name = "add-rate", .run = run_add_rate, .two_processes = true,
	.sizes = "8,512,8K,64K", .size_is = "of the words added in a round",
	.help = "words added and pushed a second, by bytes of a round",
};

/* --------------------------------------------------------------- clock */

static int clock_calls(void *ctx, uint64_t calls)
{
	int rc = 0;

	while (calls-- && !rc)
		rc = lagoon_clock(ctx);
	return rc;
}

static int64_t plain_clock;

/* A clock must be seen by others before what follows it is done. */
static int twin_clock(void *ctx, uint64_t calls)
{
	(void)ctx;
	while (calls--)
		__atomic_store_n(&plain_clock, (int64_t)calls, __ATOMIC_SEQ_CST);
	return 0;
}

static int work_clock(struct lagoon_worker *w, void *arg)
{
	struct bench *b = arg;
	struct bench_case c = {
		.test = "clock", .bytes = 8, .ops = 1, .figure = BENCH_US,
		.ours = clock_calls, .ctx = w,
		.twin = bench_has_twin(b) ? twin_clock : NULL,
	};

	return lagoon_worker_id(w) ? 0 : bench_measure(b, &c);
}

static int run_clock(struct bench *b)
{
	return lagoon_run(b->lg, work_clock, b);
}

const struct bench_test bench_clock = {
	.name = "clock", .run = run_clock, .two_processes = true,
	.help = "time to end a round in which nothing was added",
};
