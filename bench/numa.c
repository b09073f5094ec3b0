/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * numa: pulls by worker 0 from each home of the job on its own. With one
 * process on each NUMA node of a machine the home of worker 0's process is
 * near and the others are far. The twin is plain memory of worker 0's node.
 * Over a device LAGOON_DEVICE names the near or the far one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/options.h"

enum { BYTES = 1 << 26, LINE = 64, BLOCK = 1 << 16 };

struct place {
	struct bench *b;
	struct lagoon_worker *w;
	struct lagoon_table *t;
	uint64_t bytes;			/* of a row */
	uint64_t *row, rows, next, all;
	int64_t *plain;
	void *out;
};

static int pull(void *ctx, uint64_t calls)
{
	struct place *p = ctx;
	int rc = 0;

	while (calls-- && !rc) {
		rc = lagoon_pull(p->w, p->t, p->row[p->next], 1, p->out);
		p->next = p->next + 1 == p->rows ? 0 : p->next + 1;
	}
	return rc;
}

static int twin(void *ctx, uint64_t calls)
{
	struct place *p = ctx;

	while (calls--) {
		bench_decode(LAGOON_I64, p->out,
			     p->plain + p->row[p->next] * (p->bytes / 8),
			     p->bytes / 8);
		p->next = p->next + 1 == p->rows ? 0 : p->next + 1;
	}
	return 0;
}

static int next_round(void *ctx)
{
	struct place *p = ctx;

	p->next = 0;
	return lagoon_clock(p->w);
}

static int measure_home(struct place *p, int home)
{
	struct bench_case c = {
		.bytes = p->bytes, .ops = 1, .ours = pull, .ctx = p,
		.figure = p->bytes == LINE ? BENCH_US : BENCH_BYTES,
		.twin = bench_has_twin(p->b) ? twin : NULL,
	};

	p->rows = p->next = 0;
	for (uint64_t i = 0; i < p->all; i++)
		if (lagoon_table_home(p->t, i) == home)
			p->row[p->rows++] = i;
	if (!p->rows)
		return 0;
	bench_shuffle(p->row, p->rows);
	if (!p->b->direct) {
		c.refresh = next_round;
		c.span = p->rows;
	}
	snprintf(c.test, sizeof(c.test), "numa-%s-home%d",
		 p->bytes == LINE ? "lat" : "bw", home);
	return bench_measure(p->b, &c);
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct place *p = arg;
	int rc = 0;

	if (lagoon_worker_id(w))
		return 0;
	p->w = w;
	/* Touched first here, by the pinned worker: near. */
	p->plain = bench_plain(BYTES);
	p->out = bench_plain(p->bytes);
	p->row = calloc(p->all, sizeof(*p->row));
	if (!p->plain || !p->out || !p->row)
		rc = bench_fail(LAGOON_ENOMEM, "no memory for the twin");
	if (!rc)
		rc = bench_touch(p->b, w, p->t, false);
	for (int home = 0; home < lagoon_size(p->b->lg) && !rc; home++)
		rc = measure_home(p, home);
	free(p->plain);
	free(p->out);
	free(p->row);
	return rc;
}

static int run_bytes(struct bench *b, uint64_t bytes)
{
	struct place p = { .b = b, .bytes = bytes, .all = BYTES / bytes };
	struct lagoon_table_attr attr;
	int rc;

	lagoon_table_attr_init(&attr);
	attr.rows = p.all;
	attr.cols = (uint32_t)(bytes / 8);
	attr.format = LAGOON_I64;
	attr.page_rows = b->direct ? 0 : 1;
	rc = bench_table(b, &attr, &p.t);
	if (!rc)
		rc = lagoon_run(b->lg, work, &p);
	return rc ? rc : lagoon_table_destroy(p.t);
}

static int run(struct bench *b)
{
	int rc = run_bytes(b, LINE);

	return rc ? rc : run_bytes(b, BLOCK);
}

const struct bench_test bench_numa = {
	.name = "numa", .run = run, .two_processes = true,
	.help = "pulls from each home on its own: near and far NUMA nodes",
};
