/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All workers at once. barrier: lagoon_barrier(). counter: one element that
 * everybody takes numbers from, as work is claimed. incast: everybody pushes
 * to the shard of one home. The twins are as many threads on plain memory.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bench/options.h"

enum { ROWS = 1 << 16, LIST = 64 };

struct crowd {
	struct bench *b;
	struct lagoon_table *t;
	/* of the twin */
	int workers;
	uint64_t calls;
	_Alignas(64) _Atomic int64_t word;
	_Alignas(64) _Atomic int arrived;
	_Alignas(64) _Atomic uint64_t turn;
	_Atomic int64_t *plain;
	uint64_t row[ROWS];
};

/* One worker's. */
struct person {
	struct crowd *crowd;
	struct lagoon_worker *w;
	uint64_t *row;
	uint64_t rows, next;
	int64_t delta[LIST];
};

static int measure(struct person *p, const char *name, enum bench_figure figure,
		   int (*ours)(void *, uint64_t), int (*twin)(void *, uint64_t),
		   uint64_t ops)
{
	struct crowd *crowd = p->crowd;
	struct bench_case c = {
		.bytes = 8 * ops, .op_bytes = 8, .ops = ops, .figure = figure,
		.ours = ours, .ctx = p,
		.twin = bench_has_twin(crowd->b) ? twin : NULL,
	};

	strcpy(c.test, name);
	return bench_together(crowd->b, p->w, &c);
}

static int with_threads(struct person *p, uint64_t calls,
			void (*fn)(void *crowd, int i))
{
	p->crowd->calls = calls;
	return bench_threads(p->crowd->workers, fn, p->crowd);
}

static int run_crowd(struct bench *b, struct crowd *crowd,
		     int (*work)(struct lagoon_worker *, void *), int model)
{
	struct lagoon_table_attr attr;
	int rc;

	crowd->b = b;
	crowd->workers = lagoon_workers(b->lg);
	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.format = LAGOON_I64;
	attr.model = model;
	rc = bench_table(b, &attr, &crowd->t);
	if (!rc)
		rc = lagoon_run(b->lg, work, crowd);
	return rc ? rc : lagoon_table_destroy(crowd->t);
}

/* ------------------------------------------------------------- barrier */

static int barriers(void *ctx, uint64_t calls)
{
	struct person *p = ctx;
	int rc = 0;

	while (calls-- && !rc)
		rc = lagoon_barrier(p->w);
	return rc;
}

static void meet(void *arg, int i)
{
	struct crowd *c = arg;

	(void)i;
	for (uint64_t k = 0; k < c->calls; k++) {
		uint64_t turn = atomic_load(&c->turn);
		uint32_t spins = 0;

		if (atomic_fetch_add(&c->arrived, 1) + 1 == c->workers) {
			atomic_store(&c->arrived, 0);
			atomic_store(&c->turn, turn + 1);
			continue;
		}
		while (atomic_load_explicit(&c->turn, memory_order_acquire) == turn)
			if (++spins % 256 == 0)
				sched_yield();
	}
}

static int twin_barriers(void *ctx, uint64_t calls)
{
	return with_threads(ctx, calls, meet);
}

static int work_barrier(struct lagoon_worker *w, void *arg)
{
	struct person p = { .crowd = arg, .w = w };

	return measure(&p, "barrier", BENCH_US, barriers, twin_barriers, 1);
}

static int run_barrier(struct bench *b)
{
	struct crowd *crowd = bench_plain(sizeof(*crowd));
	int rc = crowd ? run_crowd(b, crowd, work_barrier, LAGOON_SSP) :
		bench_fail(LAGOON_ENOMEM, "no memory for the twin");

	free(crowd);
	return rc;
}

const struct bench_test bench_barrier = {
	.name = "barrier", .run = run_barrier, .two_processes = true,
	.help = "time of a barrier of all workers",
};

/* ------------------------------------------------------------- counter */

static int claim(void *ctx, uint64_t calls)
{
	struct person *p = ctx;
	int64_t old;
	int rc = 0;

	while (calls-- && !rc)
		rc = lagoon_fetch_add(p->w, p->crowd->t, 0, 0, 1, &old);
	return rc;
}

static void count(void *arg, int i)
{
	struct crowd *c = arg;

	(void)i;
	for (uint64_t k = 0; k < c->calls; k++)
		atomic_fetch_add(&c->word, 1);
}

static int twin_count(void *ctx, uint64_t calls)
{
	return with_threads(ctx, calls, count);
}

static int work_counter(struct lagoon_worker *w, void *arg)
{
	struct person p = { .crowd = arg, .w = w };

	return measure(&p, "counter", BENCH_OPS, claim, twin_count, 1);
}

static int run_counter(struct bench *b)
{
	struct crowd *crowd = bench_plain(sizeof(*crowd));
	int rc = crowd ? run_crowd(b, crowd, work_counter, LAGOON_ASP) :
		bench_fail(LAGOON_ENOMEM, "no memory for the twin");

	free(crowd);
	return rc;
}

const struct bench_test bench_counter = {
	.name = "counter", .run = run_counter, .two_processes = true,
	.help = "numbers a second that all workers take from one counter",
};

/* -------------------------------------------------------------- incast */

static int pour(void *ctx, uint64_t calls)
{
	struct person *p = ctx;
	int rc = 0;

	while (calls-- && !rc) {
		if (p->next + LIST > p->rows)
			p->next = 0;
		rc = lagoon_add_rows(p->w, p->crowd->t, p->row + p->next, LIST,
				     p->delta);
		p->next += LIST;
		if (!rc)
			rc = lagoon_clock(p->w);
	}
	return rc;
}

static void pour_plain(void *arg, int i)
{
	struct crowd *c = arg;
	uint64_t at = ROWS / (uint64_t)c->workers * (uint64_t)i / LIST * LIST;

	for (uint64_t k = 0; k < c->calls; k++) {
		const uint64_t *row = c->row + (at + k * LIST) % ROWS;

		for (int n = 0; n < LIST; n++)
			atomic_fetch_add(&c->plain[row[n]], 1);
	}
}

static int twin_pour(void *ctx, uint64_t calls)
{
	return with_threads(ctx, calls, pour_plain);
}

/* Rows of the home that has the first row. */
static void rows_of_one(struct person *p)
{
	const struct lagoon_table *t = p->crowd->t;
	int home = lagoon_table_home(t, 0);

	for (uint64_t i = 0; i < ROWS; i++)
		if (lagoon_table_home(t, i) == home)
			p->row[p->rows++] = i;
	bench_shuffle(p->row, p->rows);
	p->next = p->rows / (uint64_t)p->crowd->workers *
		(uint64_t)lagoon_worker_id(p->w);
}

static int work_incast(struct lagoon_worker *w, void *arg)
{
	struct person p = { .crowd = arg, .w = w };
	int rc;

	p.row = calloc(ROWS, sizeof(*p.row));
	if (!p.row)
		return bench_fail(LAGOON_ENOMEM, "no memory for indices");
	for (int i = 0; i < LIST; i++)
		p.delta[i] = 1;
	rows_of_one(&p);
	rc = measure(&p, "incast", BENCH_OPS, pour, twin_pour, LIST);
	free(p.row);
	return rc;
}

static int run_incast(struct bench *b)
{
	struct crowd *crowd = bench_plain(sizeof(*crowd));
	int rc;

	if (!crowd)
		return bench_fail(LAGOON_ENOMEM, "no memory for the twin");
	bench_draw(crowd->row, ROWS, ROWS, 4);
	crowd->plain = bench_plain(ROWS * 8);
	rc = crowd->plain ? run_crowd(b, crowd, work_incast, LAGOON_ASP) :
		bench_fail(LAGOON_ENOMEM, "no memory for the twin");
	free((void *)crowd->plain);
	free(crowd);
	return rc;
}

const struct bench_test bench_incast = {
	.name = "incast", .run = run_incast, .two_processes = true,
	.help = "words a second that all workers push to the shard of one home",
};
