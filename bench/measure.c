/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker measures: repeats in which Lagoon's loop and the twin's follow
 * each other, and single calls on the clock for the percentiles. What
 * percentiles show contains one reading of the clock (report.c tells how much
 * that is); figures and ratios come from whole loops and do not.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

enum { SAMPLES = 100000 };	/* of a repeat, at most */

struct bench_samples {
	size_t n, room;
	double tick_us;
	float *us;
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Calls in pieces that a refresh goes before, if the case wants it so. */
double bench_loop(const struct bench_case *c, bool twin, uint64_t calls, int *rc)
{
	int (*run)(void *, uint64_t) = twin ? c->twin : c->ours;
	double seconds = 0, inside;

	if (twin)
		bench_threads_s();
	while (calls && !*rc) {
		bool piece = !twin && c->span;
		uint64_t n = piece ? least(calls, c->span) : calls;
		double from;

		if (piece)
			*rc = c->refresh(c->ctx);
		if (*rc)
			break;
		from = bench_now();
		*rc = run(c->ctx, n);
		seconds += bench_now() - from;
		calls -= n;
	}
	inside = twin ? bench_threads_s() : 0;
	return inside > 0 ? inside : seconds;
}

/* So many calls took this long: how many to do next, until it is long
 * enough. 0: it is. */
uint64_t bench_calls(const struct bench *b, const struct bench_case *c,
		     uint64_t calls, double seconds)
{
	const uint64_t most = c->most ? c->most : 1u << 30;
	double want;

	if (b->o.iterations || seconds >= b->o.seconds / 2 || calls >= most)
		return 0;
	want = seconds > 0 ? b->o.seconds / seconds * (double)calls : 1e9;
	want = fmin(want * 1.1, (double)calls * 10);
	return least((uint64_t)want + 1, most);
}

/* At least one call, then as many as are wanted, within a few repeats. */
static int warm_up(const struct bench *b, const struct bench_case *c)
{
	uint64_t want = c->most ? least(c->most, b->o.warmup) : b->o.warmup;
	uint64_t piece = 1, done = 0;
	double seconds = 0;
	int rc = 0;

	while (done < want && seconds < 3 * b->o.seconds && !rc) {
		piece = least(piece, want - done);
		seconds += bench_loop(c, false, piece, &rc);
		done += piece;
		piece *= 2;
	}
	return rc;
}

static int calibrate(const struct bench *b, const struct bench_case *c,
		     uint64_t *calls)
{
	uint64_t next = b->o.iterations ? b->o.iterations : 1;
	double seconds;
	int rc = warm_up(b, c);

	while (next && !rc) {
		*calls = next;
		if (b->o.iterations)
			break;
		seconds = bench_loop(c, false, next, &rc);
		next = bench_calls(b, c, next, seconds);
	}
	return rc;
}

/* ------------------------------------------------------------- samples */

struct bench_samples *bench_samples_new(const struct bench *b)
{
	struct bench_samples *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->room = (size_t)SAMPLES * (size_t)b->o.repeats;
	s->us = malloc(s->room * sizeof(*s->us));
	s->tick_us = bench_tick_s() * 1e6;
	if (s->us)
		return s;
	free(s);
	return NULL;
}

void bench_samples_free(struct bench_samples *s)
{
	if (s)
		free(s->us);
	free(s);
}

int bench_sample(struct bench_samples *s, const struct bench_case *c,
		 uint64_t calls)
{
	uint64_t n = least(least(calls, SAMPLES), s->room - s->n);
	int rc = 0;

	for (uint64_t i = 0; i < n && !rc; i++) {
		uint64_t from;

		if (c->span && i % c->span == 0)
			rc = c->refresh(c->ctx);
		if (rc)
			break;
		from = bench_ticks();
		rc = c->ours(c->ctx, 1);
		s->us[s->n++] = (float)((double)(bench_ticks() - from) * s->tick_us);
	}
	return rc;
}

static int by_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

/* The smallest sample that a share p of all does not exceed. */
static double percentile(const struct bench_samples *s, double p)
{
	size_t i = (size_t)ceil(p * (double)s->n);

	return (double)s->us[i ? i - 1 : 0];
}

void bench_samples_fill(struct bench_samples *s, struct bench_row *row)
{
	if (!s->n)
		return;
	qsort(s->us, s->n, sizeof(*s->us), by_float);
	row->min_us = (double)s->us[0];
	row->p50_us = percentile(s, 0.5);
	row->p90_us = percentile(s, 0.9);
	row->p99_us = percentile(s, 0.99);
	row->p999_us = percentile(s, 0.999);
	row->max_us = (double)s->us[s->n - 1];
}

/* ------------------------------------------------------------- figures */

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void sorted(double *to, const double *x, int n)
{
	memcpy(to, x, (size_t)n * sizeof(*x));
	qsort(to, (size_t)n, sizeof(*to), by_double);
}

struct bench_spread bench_spread_of(const double *x, int n)
{
	double s[BENCH_REPEATS];

	sorted(s, x, n);
	return (struct bench_spread){ s[0],
		n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2, s[n - 1] };
}

static double quartiles(const double *x, int n)
{
	double s[BENCH_REPEATS], middle = bench_spread_of(x, n).median;

	sorted(s, x, n);
	return middle > 0 ? (s[n - 1 - n / 4] - s[n / 4]) / middle : 0;
}

static double bytes_of(const struct bench_case *c)
{
	return (double)(c->op_bytes ? c->op_bytes : c->bytes);
}

static double figure(const struct bench_case *c, double ops, double seconds)
{
	switch (c->figure) {
	case BENCH_US:
		return seconds * 1e6 / ops;
	case BENCH_BYTES:
		return ops * bytes_of(c) / seconds;
	default:
		return ops / seconds;
	}
}

/* all_ops: operations of all workers in a repeat. */
void bench_row_fill(struct bench_row *row, const struct bench_case *c,
		    uint64_t calls, double all_ops, int repeats,
		    const double *ours_s, const double *twin_s)
{
	double ours[BENCH_REPEATS], twin[BENCH_REPEATS], ratio[BENCH_REPEATS];
	double rate[BENCH_REPEATS];
	double ops_us = c->figure == BENCH_US ? (double)(calls * c->ops) : all_ops;

	for (int i = 0; i < repeats; i++) {
		ours[i] = figure(c, ops_us, ours_s[i]);
		twin[i] = twin_s ? figure(c, ops_us, twin_s[i]) : 0;
		ratio[i] = twin_s ? ours[i] / twin[i] : 0;
		rate[i] = all_ops / ours_s[i];
	}
	memcpy(row->test, c->test, sizeof(row->test));
	row->bytes = c->bytes;
	row->iterations = calls;
	row->figure = c->figure;
	row->ours = bench_spread_of(ours, repeats);
	row->ops_per_s = bench_spread_of(rate, repeats).median;
	row->bytes_per_s = row->ops_per_s * bytes_of(c);
	row->quartiles = quartiles(twin_s ? ratio : ours, repeats);
	if (!twin_s)
		return;
	row->twin = bench_spread_of(twin, repeats);
	row->ratio = bench_spread_of(ratio, repeats);
}

int bench_measure(struct bench *b, const struct bench_case *c)
{
	double ours[BENCH_REPEATS], twin[BENCH_REPEATS];
	struct bench_samples *s = bench_samples_new(b);
	struct bench_row row = { .workers = 1 };
	uint64_t calls = 1;
	int rc = s ? calibrate(b, c, &calls) :
		bench_fail(LAGOON_ENOMEM, "no memory for samples");

	if (!rc && c->twin)
		bench_loop(c, true, calls, &rc);
	for (int i = 0; i < b->o.repeats && !rc; i++) {
		ours[i] = bench_loop(c, false, calls, &rc);
		if (c->twin && !rc)
			twin[i] = bench_loop(c, true, calls, &rc);
		if (!rc)
			rc = bench_sample(s, c, calls);
	}
	if (!rc) {
		bench_samples_fill(s, &row);
		bench_row_fill(&row, c, calls, (double)calls * (double)c->ops,
			       b->o.repeats, ours, c->twin ? twin : NULL);
		bench_report_row(b, &row);
	}
	bench_samples_free(s);
	return rc;
}
