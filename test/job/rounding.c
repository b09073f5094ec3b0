/* launch: -n 1 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rounding is unbiased: a million deltas of 0.3 unit add up to 300 000 units
 * within noise, for one element and over many, in a range and in a list with
 * the same row over and over; every seed its own way, the same seed the same.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test/support/element.h"
#include "test/support/test.h"

enum { ELEMS = 1000, CALLS = 1000, SEEDS = 6, SIGMAS = 5 };

struct case_ {
	int pair;		/* of format and type */
	bool list;		/* row 0 a thousand times */
	double part;		/* of a unit */
	int64_t lane[ELEMS];	/* the result */
};

static int alone(void *arg, const void *mine, size_t len, void *all)
{
	(void)arg;
	memcpy(all, mine, len);
	return 0;
}

static int work(struct lagoon_worker *w, void *arg)
{
	static uint64_t rows[ELEMS];
	static double buf[ELEMS];
	struct case_ *c = arg;
	const struct el_kind *kind = &el_pair[c->pair];
	double delta = ldexp(c->part, -kind->frac_bits);
	struct lagoon_table *t;

	t_ok(lagoon_table_attach(t_lg, "rounded", &t), "attach");
	for (int i = 0; i < ELEMS; i++) {
		if (kind->type == LAGOON_F32)
			((float *)buf)[i] = (float)delta;
		else
			buf[i] = delta;
	}
	for (int n = 0; n < CALLS; n++) {
		t_ok(c->list ? lagoon_add_rows(w, t, rows, ELEMS, buf)
			     : lagoon_add(w, t, 0, ELEMS, buf), "add");
		if (n % 100 == 99)
			t_ok(lagoon_clock(w), "clock");
	}
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, t, 0, ELEMS, buf), "pull");
	for (size_t i = 0; i < ELEMS; i++)
		T_CHECK(el_get(kind, buf, i, &c->lane[i]), "no whole unit");
	return 0;
}

/* One job of one process with this seed. Returns the sum over all elements. */
static int64_t run(struct case_ *c, uint64_t seed)
{
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	struct lagoon_attr attr;
	int64_t sum = 0;

	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.workers = 1;
	attr.seed = seed;
	attr.allgather = alone;
	attr.nranks = 1;
	t_ok(lagoon_open(&attr, &t_lg), "open");
	lagoon_table_attr_init(&shape);
	shape.rows = ELEMS;
	shape.format = el_pair[c->pair].format;
	shape.type = el_pair[c->pair].type;
	t_ok(lagoon_table_create(t_lg, "rounded", &shape, &t), "create");
	t_ok(lagoon_run(t_lg, work, c), "run");
	t_close();
	for (int i = 0; i < ELEMS; i++)
		sum += c->lane[i];
	return sum;
}

/* The million as a whole. */
static void sum_check(const struct case_ *c, int64_t sum, uint64_t seed)
{
	double n = (double)ELEMS * CALLS;
	double p = fabs(c->part);
	double noise = sqrt(n * p * (1 - p));

	T_CHECK(fabs((double)sum - n * c->part) <= SIGMAS * noise,
		"%s type %d%s, seed %" PRIu64 ": %g units, expected %g +- %g",
		el_format_name(el_pair[c->pair].format), el_pair[c->pair].type,
		c->list ? " list" : "", seed, (double)sum, n * c->part,
		SIGMAS * noise);
}

/* Each element is a sum of its own draws: none far out, and together they
 * vary as independent ones do. */
static void spread_check(const struct case_ *c)
{
	double p = fabs(c->part), mean = CALLS * c->part;
	double var = CALLS * p * (1 - p), seen = 0;

	if (c->list)
		return;
	for (int i = 0; i < ELEMS; i++) {
		double off = (double)c->lane[i] - mean;

		T_CHECK(fabs(off) <= (SIGMAS + 1) * sqrt(var),
			"element %d is off by %g units", i, off);
		seen += off * off / ELEMS;
	}
	T_CHECK(seen > 0.75 * var && seen < 1.25 * var,
		"elements vary by %g, expected %g: draws are not independent",
		seen, var);
}

int main(void)
{
	static const int pairs[] = { 0, 1, 2, 3 };
	static struct case_ c;

	t_begin("rounding", 1);
	for (size_t i = 0; i < T_COUNT(pairs) * 4; i++) {
		int64_t first = 0;
		bool differs = false;

		c.pair = pairs[i / 4];
		c.list = i & 1;
		c.part = i & 2 ? -0.3 : 0.3;
		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			int64_t sum = run(&c, seed);

			sum_check(&c, sum, seed);
			spread_check(&c);
			first = seed == 1 ? sum : first;
			differs |= sum != first;
		}
		T_CHECK(differs, "every seed rounds alike");
		T_CHECK(run(&c, 1) == first, "one seed, two results");
	}
	return 0;
}
