/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a pull and an add cost in shared memory, beside their twins: the same
 * work on plain memory with the same pre-drawn indices. Both sides alternate
 * in one run; medians of 7.
 *
 *	bench/shm [--check]				direct: no cache
 *	lagoon run -n 2 --nodes 2 bench/shm [--check]	cached
 *
 * --check: status 1 if a row misses the figure that it must reach.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/lagoon.h"

enum {
	ELEMS = 1 << 16,	/* of a table: 512 KiB */
	BLOCK = 8192,		/* elements of a long pull: 64 KiB */
	DRAWN = 1 << 14,	/* indices */
	REPEATS = 7,
	SMALL_CALLS = 1 << 20,
	LARGE_CALLS = 1 << 12,
};

struct bench {
	struct lagoon_worker *w;
	struct lagoon_table *counts;	/* i64 */
	struct lagoon_table *fixed;	/* q64, doubles */
	uint32_t index[DRAWN];
	_Atomic int64_t *plain;		/* [ELEMS] */
	int64_t *out;			/* [BLOCK] */
	double *reals;			/* [BLOCK] */
	int direct;			/* all processes on one node */
};

/* A row of the table: both sides do `calls` calls. */
struct row {
	const char *name;
	int calls;
	void (*ours)(struct bench *b, int calls);
	void (*twin)(struct bench *b, int calls);
	double most_ns;			/* 0: no limit */
	double least_ratio;		/* twin / ours; direct only; 0: none */
};

static const double unit = 1.0 / 4294967296.0;
static volatile int64_t sink;

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "shm: %s: %s\n", lagoon_strerror(rc), lagoon_errmsg());
	exit(1);
}

static void pull_8(struct bench *b, int calls)
{
	int64_t x, sum = 0;

	for (int i = 0; i < calls; i++) {
		must(lagoon_pull(b->w, b->counts, b->index[i % DRAWN], 1, &x));
		sum += x;
	}
	sink = sum;
}

static void twin_pull_8(struct bench *b, int calls)
{
	int64_t sum = 0;

	for (int i = 0; i < calls; i++)
		sum += atomic_load_explicit(&b->plain[b->index[i % DRAWN]],
					    memory_order_relaxed);
	sink = sum;
}

static void pull_double(struct bench *b, int calls)
{
	double x, sum = 0;

	for (int i = 0; i < calls; i++) {
		must(lagoon_pull(b->w, b->fixed, b->index[i % DRAWN], 1, &x));
		sum += x;
	}
	sink = (int64_t)sum;
}

static void twin_pull_double(struct bench *b, int calls)
{
	double sum = 0;

	for (int i = 0; i < calls; i++)
		sum += (double)atomic_load_explicit(
			&b->plain[b->index[i % DRAWN]], memory_order_relaxed) * unit;
	sink = (int64_t)sum;
}

static void add_8(struct bench *b, int calls)
{
	static const int64_t one = 1;

	for (int i = 0; i < calls; i++)
		must(lagoon_add(b->w, b->counts, b->index[i % DRAWN], 1, &one));
}

static void add_double(struct bench *b, int calls)
{
	static const double third = 1.0 / 3;

	for (int i = 0; i < calls; i++)
		must(lagoon_add(b->w, b->fixed, b->index[i % DRAWN], 1, &third));
}

static void twin_add_8(struct bench *b, int calls)
{
	for (int i = 0; i < calls; i++)
		atomic_fetch_add(&b->plain[b->index[i % DRAWN]], 1);
}

static void pull_64k(struct bench *b, int calls)
{
	for (int i = 0; i < calls; i++)
		must(lagoon_pull(b->w, b->counts, b->index[i % DRAWN] % BLOCK,
				 BLOCK, b->out));
}

static void twin_pull_64k(struct bench *b, int calls)
{
	for (int i = 0; i < calls; i++) {
		memcpy(b->out, (void *)&b->plain[b->index[i % DRAWN] % BLOCK],
		       BLOCK * sizeof(*b->out));
		/* every copy is wanted */
		__asm__ __volatile__("" : : "r"(b->out) : "memory");
	}
}

static void pull_64k_double(struct bench *b, int calls)
{
	for (int i = 0; i < calls; i++)
		must(lagoon_pull(b->w, b->fixed, b->index[i % DRAWN] % BLOCK,
				 BLOCK, b->reals));
}

static void twin_pull_64k_double(struct bench *b, int calls)
{
	for (int i = 0; i < calls; i++) {
		const int64_t *p = (const int64_t *)&b->plain[
			b->index[i % DRAWN] % BLOCK];

		for (int k = 0; k < BLOCK; k++)
			b->reals[k] = (double)p[k] * unit;
		__asm__ __volatile__("" : : "r"(b->reals) : "memory");
	}
}

static const struct row rows[] = {
	{ "pull 8 B, i64", SMALL_CALLS, pull_8, twin_pull_8, 40, 0 },
	{ "pull 8 B, q64", SMALL_CALLS, pull_double, twin_pull_double, 40, 0 },
	{ "add 8 B, i64", SMALL_CALLS, add_8, twin_add_8, 40, 0 },
	{ "add 8 B, q64", SMALL_CALLS, add_double, twin_add_8, 0, 0 },
	{ "pull 64 KiB, i64", LARGE_CALLS, pull_64k, twin_pull_64k, 0, 0.8 },
	{ "pull 64 KiB, q64", LARGE_CALLS, pull_64k_double,
	  twin_pull_64k_double, 0, 0 },
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *x)
{
	qsort(x, REPEATS, sizeof(*x), by_value);
	return x[REPEATS / 2];
}

/* Returns 1 if the row misses its figure. */
static int measure(struct bench *b, const struct row *row)
{
	double ours[REPEATS], twin[REPEATS], o, t;
	int missed;

	row->ours(b, row->calls);
	row->twin(b, row->calls);
	for (int i = 0; i < REPEATS; i++) {
		double t0 = now_ns(), t1;

		row->ours(b, row->calls);
		t1 = now_ns();
		row->twin(b, row->calls);
		ours[i] = (t1 - t0) / row->calls;
		twin[i] = (now_ns() - t1) / row->calls;
		must(lagoon_clock(b->w));
	}
	o = median(ours);
	t = median(twin);
	missed = (row->most_ns > 0 && o > row->most_ns) ||
		 (b->direct && t / o < row->least_ratio);
	printf("%-18s %10.1f %10.1f %8.2f", row->name, o, t, t / o);
	if (row->most_ns > 0)
		printf("  at most %.0f ns%s", row->most_ns, missed ? ": MISSED" : "");
	if (b->direct && row->least_ratio > 0)
		printf("  at least %.1f%s", row->least_ratio,
		       missed ? ": MISSED" : "");
	printf("\n");
	return missed;
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct bench *b = arg;
	int missed = 0;

	if (lagoon_worker_id(w))
		return 0;
	b->w = w;
	printf("%-18s %10s %10s %8s\n", b->direct ? "direct" : "cached", "lagoon ns",
	       "twin ns", "ratio");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		missed += measure(b, &rows[i]);
	return missed;
}

static void bench_init(struct bench *b, struct lagoon *lg)
{
	struct lagoon_table_attr attr;
	uint64_t x = 88172645463325252u;

	lagoon_table_attr_init(&attr);
	attr.rows = ELEMS;
	attr.format = LAGOON_I64;
	must(lagoon_table_create(lg, "counts", &attr, &b->counts));
	attr.format = LAGOON_Q64;
	must(lagoon_table_create(lg, "fixed", &attr, &b->fixed));
	for (int i = 0; i < DRAWN; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		b->index[i] = (uint32_t)(x >> 20) % ELEMS;
	}
	b->plain = aligned_alloc(4096, ELEMS * sizeof(*b->plain));
	b->out = aligned_alloc(4096, BLOCK * sizeof(*b->out));
	b->reals = aligned_alloc(4096, BLOCK * sizeof(*b->reals));
	if (!b->plain || !b->out || !b->reals)
		must(LAGOON_ENOMEM);
	memset((void *)b->plain, 0, ELEMS * sizeof(*b->plain));
	memset(b->out, 0, BLOCK * sizeof(*b->out));
	memset(b->reals, 0, BLOCK * sizeof(*b->reals));
}

int main(int argc, char **argv)
{
	static struct bench b;
	struct lagoon_attr attr;
	struct lagoon *lg;
	int missed;

	must(lagoon_attr_init(&attr));
	attr.workers = 1;
	must(lagoon_open(&attr, &lg));
	bench_init(&b, lg);
	b.direct = lagoon_nodes(lg) == 1;
	missed = lagoon_run(lg, work, &b);
	if (missed < 0)
		must(missed);
	must(lagoon_close(lg));
	return argc > 1 && !strcmp(argv[1], "--check") && missed;
}
