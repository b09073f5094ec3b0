/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sgd: asynchronous stochastic gradient descent of logistic regression by all
 * workers at once, each on its share of the rows: pull the weights of a few
 * rows, take a step, add it. The twin does the same as racing threads (Niu et
 * al., Hogwild!, NIPS 2011): plain loads, plain stores, and some steps lost.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench/options.h"

enum {
	ROWS = 100000,
	COLS = 10000,
	ENTRIES = 50,			/* of a row */
	MOST = 64,			/* rows of a step */
};

static const double rate = 0.1;

struct set {
	struct bench *b;
	struct lagoon_table *t;
	uint64_t *col;			/* [ROWS * ENTRIES] */
	double *val;
	_Atomic double *plain;		/* the twin's weights [COLS] */
	uint64_t together;		/* rows of a step */
	int workers;
	uint64_t calls;			/* of each thread of the twin */
};

struct learner {
	struct set *s;
	struct lagoon_worker *w;
	uint64_t next;			/* row */
	double x[MOST * ENTRIES];
};

/* Weights of consecutive rows in, their changes out. Labels alternate. */
static void step(const struct set *s, uint64_t row, double *x)
{
	for (uint64_t i = 0; i < s->together; i++, x += ENTRIES) {
		const double *val = s->val + (row + i) * ENTRIES;
		double y = (row + i) % 2 ? 1 : -1, sum = 0, change;

		for (int k = 0; k < ENTRIES; k++)
			sum += val[k] * x[k];
		change = rate * y / (1 + exp(y * sum));
		for (int k = 0; k < ENTRIES; k++)
			x[k] = change * val[k];
	}
}

/* Worker or thread i begins in its part and goes round; so calls may be more
 * than its part has. */
static uint64_t first_row(const struct set *s, int i)
{
	return ROWS / (uint64_t)s->workers * (uint64_t)i;
}

static uint64_t take(const struct set *s, uint64_t *next)
{
	uint64_t row = *next + s->together > ROWS ? 0 : *next;

	*next = row + s->together;
	return row;
}

static int learn(void *ctx, uint64_t calls)
{
	struct learner *l = ctx;
	const struct set *s = l->s;
	uint64_t n = s->together * ENTRIES;
	int rc = 0;

	while (calls-- && !rc) {
		uint64_t row = take(s, &l->next);
		const uint64_t *col = s->col + row * ENTRIES;

		rc = lagoon_pull_rows(l->w, s->t, col, n, l->x);
		if (rc)
			break;
		step(s, row, l->x);
		rc = lagoon_add_rows(l->w, s->t, col, n, l->x);
		if (!rc && !s->b->direct)
			rc = lagoon_clock(l->w);
	}
	return rc;
}

static void race(void *arg, int i)
{
	struct set *s = arg;
	uint64_t next = first_row(s, i), n = s->together * ENTRIES;
	double x[MOST * ENTRIES];

	for (uint64_t c = 0; c < s->calls; c++) {
		uint64_t row = take(s, &next);
		const uint64_t *col = s->col + row * ENTRIES;

		for (uint64_t k = 0; k < n; k++)
			x[k] = atomic_load_explicit(&s->plain[col[k]],
						    memory_order_relaxed);
		step(s, row, x);
		for (uint64_t k = 0; k < n; k++) {
			double old = atomic_load_explicit(&s->plain[col[k]],
							  memory_order_relaxed);

			atomic_store_explicit(&s->plain[col[k]], old + x[k],
					      memory_order_relaxed);
		}
	}
}

static int twin(void *ctx, uint64_t calls)
{
	struct set *s = ((struct learner *)ctx)->s;

	s->calls = calls;
	return bench_threads(s->workers, race, s);
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct learner *l = calloc(1, sizeof(*l));
	struct set *s = arg;
	struct bench_case c = {
		.test = "sgd", .bytes = s->together, .op_bytes = ENTRIES * 8,
		.ops = s->together, .figure = BENCH_OPS, .ours = learn, .ctx = l,
		.twin = bench_has_twin(s->b) ? twin : NULL,
	};
	int rc;

	if (!l)
		return bench_fail(LAGOON_ENOMEM, "no memory for a worker");
	l->s = s;
	l->w = w;
	l->next = first_row(s, lagoon_worker_id(w));
	rc = bench_together(s->b, w, &c);
	free(l);
	return rc;
}

/* Between -1 and 1. */
static void draw_row(double *val, uint64_t seed)
{
	uint64_t drawn[ENTRIES];

	bench_draw(drawn, ENTRIES, 1u << 20, seed);
	for (int k = 0; k < ENTRIES; k++)
		val[k] = (double)drawn[k] / (1u << 19) - 1;
}

static int open_set(struct set *s)
{
	uint64_t n = (uint64_t)ROWS * ENTRIES;
	struct lagoon_table_attr attr;

	s->col = malloc(n * sizeof(*s->col));
	s->val = malloc(n * sizeof(*s->val));
	s->plain = bench_plain(COLS * sizeof(*s->plain));
	if (!s->col || !s->val || !s->plain)
		return bench_fail(LAGOON_ENOMEM, "no memory for %d rows", ROWS);
	bench_draw(s->col, n, COLS, 9);
	for (uint64_t i = 0; i < n; i += ENTRIES)
		draw_row(s->val + i, i);
	lagoon_table_attr_init(&attr);
	attr.rows = COLS;
	attr.model = LAGOON_ASP;
	return bench_table(s->b, &attr, &s->t);
}

static int run(struct bench *b)
{
	struct set s = { .b = b, .workers = lagoon_workers(b->lg) };
	int rc = open_set(&s);

	for (int i = 0; i < b->o.sizes && !rc; i++) {
		s.together = b->o.size[i];
		rc = s.together && s.together <= MOST ? lagoon_run(b->lg, work, &s) :
			bench_fail(LAGOON_EINVAL, "sgd: %llu rows of a step: expected 1 to %d",
				   (unsigned long long)s.together, MOST);
	}
	if (!rc)
		rc = lagoon_table_destroy(s.t);
	free(s.col);
	free(s.val);
	free((void *)s.plain);
	return rc;
}

/* 100 000 rows are an epoch. */
const struct bench_test bench_sgd = {
	.name = "sgd", .run = run, .two_processes = true, .seconds = 0.02,
	.sizes = "1,16", .size_is = "rows of a step",
	.help = "rows a second of asynchronous SGD, 50 of 10000 weights each",
};
