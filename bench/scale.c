/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scale: rounds of pulling and adding a list of random rows, by 1, 2, 4 and
 * so on up to all workers. With -n and no --nodes, the whole again on 1, 2, 4
 * and so on pretended nodes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/options.h"

enum { ROWS = 1 << 20, LIST = 256, DRAWN = 1 << 16 };

struct shared {
	struct bench *b;
	struct lagoon_table *t;
	int workers;			/* that take part */
	int64_t *plain;
	uint64_t *row;			/* [DRAWN], of the twin */
	uint64_t calls;
};

struct worker {
	struct shared *s;
	struct lagoon_worker *w;
	uint64_t row[DRAWN];
	uint64_t next;
	double x[LIST], delta[LIST];
};

static int rounds(void *ctx, uint64_t calls)
{
	struct worker *k = ctx;
	int rc = 0;

	while (calls-- && !rc) {
		const uint64_t *row = k->row + k->next % DRAWN;

		k->next += LIST;
		rc = lagoon_pull_rows(k->w, k->s->t, row, LIST, k->x);
		if (!rc)
			rc = lagoon_add_rows(k->w, k->s->t, row, LIST, k->delta);
		if (!rc)
			rc = lagoon_clock(k->w);
	}
	return rc;
}

static void plain_rounds(void *arg, int i)
{
	struct shared *s = arg;
	uint64_t at = DRAWN / (uint64_t)s->workers * (uint64_t)i / LIST * LIST;
	int64_t *plain = s->plain;
	double x[LIST];

	for (uint64_t k = 0; k < s->calls; k++) {
		const uint64_t *row = s->row + (at + k * LIST) % DRAWN;

		for (int n = 0; n < LIST; n++)
			x[n] = (double)__atomic_load_n(&plain[row[n]],
						       __ATOMIC_RELAXED);
		__asm__ __volatile__("" : : "r"(x) : "memory");
		for (int n = 0; n < LIST; n++)
			__atomic_fetch_add(&plain[row[n]], 1, __ATOMIC_SEQ_CST);
	}
}

static int twin(void *ctx, uint64_t calls)
{
	struct worker *k = ctx;

	k->s->calls = calls;
	return bench_threads(k->s->workers, plain_rounds, k->s);
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct shared *s = arg;
	struct worker *k;
	struct bench_case c = {
		.bytes = LIST * 8, .op_bytes = 8, .ops = LIST,
		.figure = BENCH_OPS, .ours = rounds, .workers = s->workers,
		.twin = bench_has_twin(s->b) ? twin : NULL,
	};
	int rc;

	if (lagoon_worker_id(w) >= s->workers)
		return 0;
	k = calloc(1, sizeof(*k));
	if (!k)
		return bench_fail(LAGOON_ENOMEM, "no memory for indices");
	k->s = s;
	k->w = w;
	c.ctx = k;
	bench_draw(k->row, DRAWN, ROWS, (uint64_t)lagoon_worker_id(w) + 7);
	for (int i = 0; i < LIST; i++)
		k->delta[i] = 1.0 / 1024;
	snprintf(c.test, sizeof(c.test), "scale-w%d-n%d", s->workers,
		 lagoon_nodes(s->b->lg));
	rc = bench_touch(s->b, w, s->t, true);
	if (!rc)
		rc = bench_together(s->b, w, &c);
	free(k);
	return rc;
}

static int run(struct bench *b)
{
	struct shared s = { .b = b };
	struct lagoon_table_attr attr;
	int all = lagoon_workers(b->lg), rc;

	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	rc = bench_table(b, &attr, &s.t);
	if (rc)
		return rc;
	s.plain = bench_plain(ROWS * 8);
	s.row = malloc(DRAWN * sizeof(*s.row));
	if (!s.plain || !s.row)
		rc = bench_fail(LAGOON_ENOMEM, "no memory for the twin");
	else
		bench_draw(s.row, DRAWN, ROWS, 5);
	for (int k = 1; k <= all && !rc; k = k < all && 2 * k > all ? all : 2 * k) {
		s.workers = k;
		rc = lagoon_run(b->lg, work, &s);
	}
	free(s.plain);
	free(s.row);
	return rc ? rc : lagoon_table_destroy(s.t);
}

/* Jobs on 1, 2, 4... nodes; the first has the header. */
int bench_scale_nodes(struct bench *b)
{
	char *args[32];
	int used = 0, status = 0;

	for (int i = 1; i < b->argc && used < 30; i++)
		args[used++] = b->argv[i];
	args[used] = NULL;
	for (int k = 1; k <= b->o.processes && !status; k *= 2) {
		status = bench_launch(b->o.processes, k, args, -1);
		if (k == 1 && b->o.csv)
			args[used++] = (char *)"--no-header";
		args[used] = NULL;
	}
	return status;
}

const struct bench_test bench_scale = {
	.name = "scale", .run = run, .two_processes = true,
	.help = "words pulled and added a second by 1 to all workers, on 1 to n nodes",
};
