/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mates: processes of one node that use the same rows, or each its own, of a
 * table that is cached: what sharing copies and delta words costs and saves.
 * With `-n 3 --nodes 2` two processes share a node; the last one only holds
 * its part of the table.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"

enum { ROWS = 1 << 16, LIST = 64, DRAWN = 1 << 12, HOT = 1 << 11 };

struct shared {
	struct bench *b;
	struct lagoon_table *t;
	int workers;			/* that take part */
};

struct worker {
	struct lagoon_worker *w;
	struct lagoon_table *t;
	uint64_t row[DRAWN];
	uint64_t next;
	double x[LIST], delta[LIST];
};

static const uint64_t *some(struct worker *k)
{
	k->next = (k->next + LIST) % DRAWN;
	return k->row + k->next;
}

static int pulls(void *ctx, uint64_t calls)
{
	struct worker *k = ctx;
	int rc = 0;

	while (calls-- && !rc)
		rc = lagoon_pull_rows(k->w, k->t, some(k), LIST, k->x);
	return rc;
}

static int adds(void *ctx, uint64_t calls)
{
	struct worker *k = ctx;
	int rc = 0;

	while (calls-- && !rc)
		rc = lagoon_add_rows(k->w, k->t, some(k), LIST, k->delta);
	return rc;
}

/* Each waits for the others, so that rounds are of the same work. */
static int rounds(void *ctx, uint64_t calls)
{
	struct worker *k = ctx;
	int rc = 0;

	while (calls-- && !rc) {
		rc = lagoon_add_rows(k->w, k->t, k->row, LIST, k->delta);
		if (!rc)
			rc = lagoon_clock(k->w);
		if (!rc)
			rc = lagoon_pull_rows(k->w, k->t, k->row, LIST, k->x);
	}
	return rc;
}

static int clocks(void *ctx, uint64_t calls)
{
	struct worker *k = ctx;
	int rc = 0;

	while (calls-- && !rc)
		rc = lagoon_clock(k->w);
	return rc;
}

static int measure(struct shared *s, struct worker *k, const char *name,
		   uint64_t ops, int (*ours)(void *ctx, uint64_t calls))
{
	struct bench_case c = {
		.bytes = LIST * 8, .op_bytes = 8, .ops = ops,
		.figure = ops > 1 ? BENCH_OPS : BENCH_US, .ours = ours,
		.workers = s->workers, .ctx = k,
	};

	snprintf(c.test, sizeof(c.test), "mates-%s", name);
	return bench_together(s->b, k->w, &c);
}

/* All draw from the same few rows, or each from a part of its own. */
static void draw(struct worker *k, const struct shared *s, bool same)
{
	uint64_t id = (uint64_t)lagoon_worker_id(k->w);
	uint64_t part = ROWS / (uint64_t)s->workers;

	bench_draw(k->row, DRAWN, HOT, same ? 3 : id + 3);
	for (int i = 0; !same && i < DRAWN; i++)
		k->row[i] = part * id + k->row[i] % part;
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct shared *s = arg;
	struct worker *k;
	int rc;

	if (lagoon_worker_id(w) >= s->workers)
		return 0;
	k = calloc(1, sizeof(*k));
	if (!k)
		return bench_fail(LAGOON_ENOMEM, "no memory for indices");
	k->w = w;
	k->t = s->t;
	for (int i = 0; i < LIST; i++)
		k->delta[i] = 1.0 / 1024;
	draw(k, s, true);
	rc = bench_touch(s->b, w, s->t, true);
	if (!rc)
		rc = measure(s, k, "pull", LIST, pulls);
	if (!rc)
		rc = measure(s, k, "add-same", LIST, adds);
	if (!rc)
		rc = measure(s, k, "round-same", 1, rounds);
	draw(k, s, false);
	if (!rc)
		rc = measure(s, k, "add-apart", LIST, adds);
	if (!rc)
		rc = measure(s, k, "round-apart", 1, rounds);
	if (!rc)
		rc = measure(s, k, "clock", 1, clocks);
	free(k);
	return rc;
}

static int run(struct bench *b)
{
	struct shared s = { .b = b, .workers = lagoon_workers(b->lg) };
	struct lagoon_table_attr attr;
	int rc;

	if (lagoon_nodes(b->lg) > 1 && s.workers > 1)
		s.workers--;
	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.staleness = 1;
	rc = bench_table(b, &attr, &s.t);
	if (!rc)
		rc = lagoon_run(b->lg, work, &s);
	return rc ? rc : lagoon_table_destroy(s.t);
}

const struct bench_test bench_mates = {
	.name = "mates", .run = run, .two_processes = true,
	.help = "processes of a node on the same rows of a cached table, and apart",
};
