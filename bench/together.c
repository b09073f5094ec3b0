/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All workers at once. They agree on the number of calls, and tell each other
 * how long these took, by rows of a table of their own; barriers are between,
 * not inside of what is timed.
 */
#include <stdlib.h>

#include "bench/bench.h"

struct meeting {
	struct bench *b;
	struct lagoon_worker *w;
	int workers;
	int64_t *all;			/* [workers]: nanoseconds of the last loop */
	int64_t had;			/* in the table, of this worker */
};

/* Everybody's numbers to everybody. */
static int share(struct meeting *m, int64_t ns)
{
	int64_t change = ns - m->had;
	uint64_t row = (uint64_t)lagoon_worker_id(m->w);
	int rc = lagoon_add(m->w, m->b->control, row, 1, &change);

	m->had = ns;
	if (!rc)
		rc = lagoon_barrier(m->w);
	if (!rc)
		rc = lagoon_pull(m->w, m->b->control, 0, (uint64_t)m->workers,
				 m->all);
	/* Nobody writes the next numbers before all have read these. */
	return rc ? rc : lagoon_barrier(m->w);
}

/* The slowest worker's time for this many calls [s]. */
static int round_of(struct meeting *m, const struct bench_case *c,
		    uint64_t calls, double *seconds)
{
	int64_t slowest = 0;
	int rc = 0;
	double mine = bench_loop(c, false, calls, &rc);

	if (!rc)
		rc = share(m, (int64_t)(mine * 1e9));
	for (int i = 0; !rc && i < m->workers; i++)
		slowest = m->all[i] > slowest ? m->all[i] : slowest;
	*seconds = (double)slowest * 1e-9;
	return rc;
}

/* All do the arithmetic on the same numbers, so all agree. */
static int agree(struct meeting *m, const struct bench_case *c, uint64_t *calls)
{
	uint64_t next = m->b->o.iterations ? m->b->o.iterations : 1;
	double seconds;
	int rc;

	do {
		*calls = next;
		rc = round_of(m, c, next, &seconds);
		next = bench_calls(m->b, c, next, seconds);
	} while (next && !rc);
	return rc;
}

static int repeat(struct meeting *m, const struct bench_case *c,
		  struct bench_row *row, struct bench_samples *s, uint64_t calls)
{
	double ours[BENCH_REPEATS], twin[BENCH_REPEATS];
	bool first = !lagoon_worker_id(m->w);
	int rc = 0;

	for (int i = 0; i < m->b->o.repeats && !rc; i++) {
		rc = round_of(m, c, calls, &ours[i]);
		if (!rc && first && c->twin)
			twin[i] = bench_loop(c, true, calls, &rc);
		if (!rc)
			rc = lagoon_barrier(m->w);
		if (!rc)
			rc = bench_sample(s, c, calls);
		if (!rc)
			rc = lagoon_barrier(m->w);
	}
	if (rc || !first)
		return rc;
	bench_samples_fill(s, row);
	bench_row_fill(row, c, calls, (double)calls * (double)c->ops * m->workers,
		       m->b->o.repeats, ours, c->twin ? twin : NULL);
	return 0;
}

int bench_together(struct bench *b, struct lagoon_worker *w,
		   const struct bench_case *c)
{
	int workers = c->workers ? c->workers : lagoon_workers(b->lg);
	struct meeting m = { .b = b, .w = w, .workers = workers };
	struct bench_samples *s = bench_samples_new(b);
	struct bench_row row = { .workers = workers };
	uint64_t calls = 1;
	int rc = 0;

	m.all = calloc((size_t)workers, sizeof(*m.all));
	if (!s || !m.all)
		rc = bench_fail(LAGOON_ENOMEM, "no memory for samples");
	if (!rc)
		rc = lagoon_barrier(w);
	if (!rc)	/* what the last measurement left */
		rc = lagoon_pull(w, b->control, (uint64_t)lagoon_worker_id(w), 1,
				 &m.had);
	if (!rc)
		rc = agree(&m, c, &calls);
	if (!rc)
		rc = repeat(&m, c, &row, s, calls);
	if (!rc && !lagoon_worker_id(w))
		bench_report_row(b, &row);
	bench_samples_free(s);
	free(m.all);
	return rc;
}

int bench_control(struct bench *b)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = (uint64_t)lagoon_workers(b->lg);
	attr.format = LAGOON_I64;
	attr.model = LAGOON_ASP;
	return bench_table(b, &attr, &b->control);
}
