/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ssp: rounds a second against staleness. In each round every worker pulls,
 * computes for a while, adds and ends the round; one worker takes five times
 * as long, and every four rounds it is another one. Computing is sleeping: it
 * is waiting for others that is measured, not this machine's cores. The twin
 * is the same without Lagoon: nobody waits for anybody.
 */
#include <stdio.h>
#include <time.h>

#include "bench/options.h"

enum {
	ROWS = 64,
	WORK_NS = 100000, SLOW = 5,
	TURN = 4,			/* rounds with the same straggler */
};

struct race {
	struct bench *b;
	struct lagoon_table *t;
	char name[32];
};

struct runner {
	struct race *race;
	struct lagoon_worker *w;
	uint64_t round, twin_round;
	double x[ROWS];
};

static void compute(uint64_t round, const struct runner *r)
{
	int workers = lagoon_workers(r->race->b->lg);
	bool slow = (int)(round / TURN % (uint64_t)workers) ==
		lagoon_worker_id(r->w);
	struct timespec ts = { .tv_nsec = slow ? SLOW * WORK_NS : WORK_NS };

	nanosleep(&ts, NULL);
}

static int rounds(void *ctx, uint64_t calls)
{
	struct runner *r = ctx;
	int rc = 0;

	while (calls-- && !rc) {
		rc = lagoon_pull(r->w, r->race->t, 0, ROWS, r->x);
		compute(r->round++, r);
		if (!rc)
			rc = lagoon_add(r->w, r->race->t, 0, ROWS, r->x);
		if (!rc)
			rc = lagoon_clock(r->w);
	}
	return rc;
}

static int twin(void *ctx, uint64_t calls)
{
	struct runner *r = ctx;

	while (calls--)
		compute(r->twin_round++, r);
	return 0;
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct runner r = { .race = arg, .w = w };
	struct bench_case c = {
		.bytes = ROWS * 8, .ops = 1, .figure = BENCH_OPS,
		.ours = rounds, .twin = twin, .ctx = &r,
	};

	snprintf(c.test, sizeof(c.test), "%s", r.race->name);
	return bench_together(r.race->b, w, &c);
}

static int run_model(struct bench *b, int model, int32_t staleness)
{
	struct race race = { .b = b };
	struct lagoon_table_attr attr;
	int rc;

	if (model == LAGOON_SSP)
		snprintf(race.name, sizeof(race.name), "ssp-%d", staleness);
	else
		snprintf(race.name, sizeof(race.name), "ssp-%s",
			 model == LAGOON_BSP ? "bsp" : "asp");
	lagoon_table_attr_init(&attr);
	attr.rows = ROWS;
	attr.model = model;
	if (model == LAGOON_SSP)
		attr.staleness = staleness;
	rc = bench_table(b, &attr, &race.t);
	if (!rc)
		rc = lagoon_run(b->lg, work, &race);
	return rc ? rc : lagoon_table_destroy(race.t);
}

static int run(struct bench *b)
{
	static const int32_t bound[] = { 0, 1, 2, 4, 8, 16 };
	int rc;

	if (b->o.staleness >= 0)
		return run_model(b, LAGOON_SSP, b->o.staleness);
	rc = run_model(b, LAGOON_BSP, 0);
	for (size_t i = 0; i < sizeof(bound) / sizeof(bound[0]) && !rc; i++)
		rc = run_model(b, LAGOON_SSP, bound[i]);
	return rc ? rc : run_model(b, LAGOON_ASP, 0);
}

/* Long repeats: every worker must be the straggler often. */
const struct bench_test bench_ssp = {
	.name = "ssp", .run = run, .two_processes = true, .seconds = 0.05,
	.repeats = 7,
	.help = "rounds a second against staleness, with a straggler that moves",
};
