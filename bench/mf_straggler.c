/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Factors of ratings by sgd with a straggler that moves: in each round one of 4
 * workers, drawn by the seed, takes five times as long. Computing is waiting, in
 * lagoon_clock(), which this program wraps: what models make of it is measured, not
 * this machine's cores. Time until the test error reaches a target, under ssp(4)
 * beside bsp, alternating; exit status 1 if the median ratio is above 0.7.
 *
 *	bench/mf_straggler [RUNS [WAIT_US]]	[5 2000]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kernels/lagoon_solve.h"

enum {
	WORKERS = 4, SLOWER = 5, BOUND = 4, ROUNDS = 24, RUNS_MOST = 99,
	USERS = 2000, ITEMS = 300, RATINGS = 100000, TESTS = 10000, RANK = 4,
};

static const double noise = 0.3, target = 0.33;

static int32_t user[RATINGS + TESTS], item[RATINGS + TESTS];
static double rating[RATINGS + TESTS];
static long wait_us = 2000;
static uint64_t seed;

static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);	/* splitmix64 */
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static double uniform(uint64_t *state)
{
	*state = mix(*state);
	return (double)(*state >> 11) * 0x1p-53;
}

/* About normal, of deviation 1. */
static double draw(uint64_t *state)
{
	return sqrt(3) * (uniform(state) + uniform(state) + uniform(state) +
			  uniform(state) - 2);
}

static void make(void)
{
	static double x[USERS][RANK], y[ITEMS][RANK];
	uint64_t state = 1;

	for (int f = 0; f < RANK; f++) {
		for (int i = 0; i < USERS; i++)
			x[i][f] = draw(&state) / sqrt(sqrt(RANK));
		for (int j = 0; j < ITEMS; j++)
			y[j][f] = draw(&state) / sqrt(sqrt(RANK));
	}
	for (int k = 0; k < RATINGS + TESTS; k++) {
		user[k] = (int32_t)(uniform(&state) * USERS);
		item[k] = (int32_t)(uniform(&state) * ITEMS);
		rating[k] = 3 + noise * draw(&state);
		for (int f = 0; f < RANK; f++)
			rating[k] += x[user[k]][f] * y[item[k]][f];
	}
}

/* ------------------------------------------------------------- the straggler */

int __real_lagoon_clock(struct lagoon_worker *w);
int __wrap_lagoon_clock(struct lagoon_worker *w);

int __wrap_lagoon_clock(struct lagoon_worker *w)
{
	uint64_t round = (uint64_t)lagoon_worker_clock(w);
	int slow = (int)(mix(seed ^ mix(round)) % WORKERS);
	long us = wait_us * (slow == lagoon_worker_id(w) ? SLOWER : 1);
	struct timespec wait = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&wait, NULL);
	return __real_lagoon_clock(w);
}

/* -------------------------------------------------------------------- fits */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

struct course {
	double begin, reached;	/* 0: not yet */
	int epochs;
};

/* It begins after the ratings have been dealt out, with the first epoch told. */
static int on_epoch(void *arg, const struct lagoon_mf_epoch *e)
{
	struct course *c = arg;

	if (e->epoch == 1)
		c->begin = now();
	if (e->test_rmse > target)
		return 0;
	if (c->reached <= 0) {
		c->reached = now();
		c->epochs = e->epoch;
	}
	return 1;
}

static int fit(struct lagoon *lg, int model, struct course *c)
{
	const struct lagoon_mf_data data = {
		.size = sizeof(data), .n = RATINGS, .user = user, .item = item,
		.rating = rating,
	};
	const struct lagoon_mf_data test = {
		.size = sizeof(test), .n = TESTS, .user = user + RATINGS,
		.item = item + RATINGS, .rating = rating + RATINGS,
	};
	struct lagoon_mf_result r = { .size = sizeof(r) };
	struct lagoon_mf_options o;
	int rc;

	lagoon_mf_options_init(&o);
	o.rank = RANK;
	o.lambda = 0.02;
	o.epochs = 60;
	o.rate = 0.03;
	o.rounds = ROUNDS;
	o.model = model;
	o.staleness = BOUND;
	o.progress = on_epoch;
	o.progress_arg = c;
	*c = (struct course){ 0 };
	rc = lagoon_mf_fit(lg, &data, &test, &o, &r);
	if (rc)
		fprintf(stderr, "mf_straggler: %s\n", lagoon_errmsg());
	else if (c->reached <= 0)
		fprintf(stderr, "mf_straggler: test rmse %g after %d epochs: expected %g\n",
			r.test_rmse, r.epochs, target);
	lagoon_mf_result_free(&r);
	return rc || c->reached <= 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int compare(struct lagoon *lg, int runs)
{
	double ratio[RUNS_MOST];
	struct course bsp, ssp;

	printf("to a test error of %g, %ld us a round, one of %d workers %d times\n",
	       target, wait_us, WORKERS, SLOWER);
	for (int i = 0; i < runs; i++) {
		seed = (uint64_t)i + 1;
		if (fit(lg, LAGOON_BSP, &bsp) || fit(lg, LAGOON_SSP, &ssp))
			return 1;
		ratio[i] = (ssp.reached - ssp.begin) / (bsp.reached - bsp.begin);
		printf("bsp %.3f s, %d epochs; ssp(%d) %.3f s, %d epochs: %.3f\n",
		       bsp.reached - bsp.begin, bsp.epochs, BOUND,
		       ssp.reached - ssp.begin, ssp.epochs, ratio[i]);
	}
	qsort(ratio, (size_t)runs, sizeof(*ratio), by_value);
	printf("median %.3f of the time of bsp\n", ratio[runs / 2]);
	return ratio[runs / 2] > 0.7;
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 5, status;
	struct lagoon_attr attr;
	struct lagoon *lg;

	if (argc > 2)
		wait_us = atol(argv[2]);
	if (runs < 1 || runs > RUNS_MOST || wait_us < 1) {
		fputs("mf_straggler: expected [RUNS [WAIT_US]]\n", stderr);
		return 2;
	}
	make();
	if (lagoon_attr_init(&attr))
		return 1;
	attr.workers = WORKERS;
	if (lagoon_open(&attr, &lg)) {
		fprintf(stderr, "mf_straggler: %s\n", lagoon_errmsg());
		return 1;
	}
	status = compare(lg, runs);
	return lagoon_close(lg) ? 1 : status;
}
