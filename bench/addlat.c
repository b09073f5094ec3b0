/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * add-lat: one add at a time. add-lat: the call alone; where tables are cached
 * it only changes memory of this process. add-lat-push: the add and the end
 * of its round, complete in the shard. add-lat-whole: pull, add, end of round.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/options.h"

enum { DRAWN = 1 << 14, TABLE = 1 << 19 };

struct one {
	struct bench *b;
	struct lagoon_worker *w;
	struct lagoon_table *t;
	uint64_t row[DRAWN];
	uint64_t next, words;
	int format;
	void *delta, *out;
	int64_t *plain;
};

static uint64_t draw(struct one *o)
{
	return o->row[o->next++ % DRAWN];
}

static int add(void *ctx, uint64_t calls)
{
	struct one *o = ctx;
	int rc = 0;

	while (calls-- && !rc)
		rc = lagoon_add(o->w, o->t, draw(o), 1, o->delta);
	return rc;
}

static int push(void *ctx, uint64_t calls)
{
	struct one *o = ctx;
	int rc = 0;

	while (calls-- && !rc) {
		rc = lagoon_add(o->w, o->t, draw(o), 1, o->delta);
		if (!rc)
			rc = lagoon_clock(o->w);
	}
	return rc;
}

static int whole(void *ctx, uint64_t calls)
{
	struct one *o = ctx;
	int rc = 0;

	while (calls-- && !rc) {
		uint64_t row = draw(o);

		rc = lagoon_pull(o->w, o->t, row, 1, o->out);
		if (!rc)
			rc = lagoon_add(o->w, o->t, row, 1, o->delta);
		if (!rc)
			rc = lagoon_clock(o->w);
	}
	return rc;
}

static int twin(void *ctx, uint64_t calls)
{
	struct one *o = ctx;

	while (calls--) {
		int64_t *at = o->plain + draw(o) * o->words;

		for (uint64_t i = 0; i < o->words; i++)
			__atomic_fetch_add(&at[i], 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

static int twin_whole(void *ctx, uint64_t calls)
{
	struct one *o = ctx;

	while (calls--) {
		int64_t *at = o->plain + draw(o) * o->words;

		bench_decode(o->format, o->out, at, o->words);
		for (uint64_t i = 0; i < o->words; i++)
			__atomic_fetch_add(&at[i], 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

static int prepare(struct one *o)
{
	struct lagoon_table_attr attr = { .size = sizeof(attr) };
	uint64_t rows, *far;

	lagoon_table_get_attr(o->t, &attr);
	far = calloc(attr.rows, sizeof(*far));
	o->delta = bench_deltas(o->format, o->words);
	o->out = bench_plain(o->words * 16);
	o->plain = bench_plain(attr.rows * o->words * 8);
	if (!far || !o->delta || !o->out || !o->plain) {
		free(far);
		return bench_fail(LAGOON_ENOMEM, "no memory for the twin");
	}
	rows = bench_far_rows(o->b, o->t, far, attr.rows);
	bench_draw(o->row, DRAWN, rows, 2);
	for (int i = 0; i < DRAWN; i++)
		o->row[i] = far[o->row[i]];
	free(far);
	return 0;
}

static int measure(struct one *o, const char *name,
		   int (*ours)(void *, uint64_t), int (*theirs)(void *, uint64_t))
{
	struct bench_case c = {
		.bytes = o->words * 8, .ops = 1, .figure = BENCH_US,
		.ours = ours, .ctx = o,
		.twin = bench_has_twin(o->b) ? theirs : NULL,
	};

	strcpy(c.test, name);
	return bench_measure(o->b, &c);
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct one *o = arg;
	int rc;

	if (lagoon_worker_id(w))
		return 0;
	o->w = w;
	rc = prepare(o);
	if (!rc)
		rc = measure(o, "add-lat", add, twin);
	if (!rc)
		rc = measure(o, "add-lat-push", push, twin);
	if (!rc)
		rc = measure(o, "add-lat-whole", whole, twin_whole);
	return rc;
}

static int run_size(struct bench *b, uint64_t bytes)
{
	struct lagoon_table_attr attr;
	struct one *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return bench_fail(LAGOON_ENOMEM, "no memory for indices");
	if (bytes % 8) {
		free(o);
		return bench_fail(LAGOON_EINVAL, "--sizes: not a multiple of 8");
	}
	o->b = b;
	o->words = bytes / 8;
	o->format = b->o.format < 0 ? LAGOON_I64 : b->o.format;
	lagoon_table_attr_init(&attr);
	attr.format = o->format;
	attr.cols = (uint32_t)(o->words * (uint64_t)bench_lanes(o->format));
	attr.rows = (b->o.table ? b->o.table : TABLE) / bytes;
	if (attr.rows < 4)
		attr.rows = 4;
	rc = bench_table(b, &attr, &o->t);
	if (!rc)
		rc = lagoon_run(b->lg, work, o);
	if (!rc)
		rc = lagoon_table_destroy(o->t);
	free(o->delta);
	free(o->out);
	free(o->plain);
	free(o);
	return rc;
}

static int run(struct bench *b)
{
	int rc = 0;

	for (int i = 0; i < b->o.sizes && !rc; i++)
		rc = run_size(b, b->o.size[i]);
	return rc;
}

const struct bench_test bench_add_lat = {
	.name = "add-lat", .run = run, .two_processes = true,
	.sizes = "8,512", .size_is = "of an add",
	.help = "time of one add: the call, with the end of its round, with a pull before",
};
