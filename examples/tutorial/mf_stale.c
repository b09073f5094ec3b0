/* SPDX-License-Identifier: BSD-3-Clause */
#include <lagoon.h>
#include <string.h>
#include <time.h>
#include "ratings.h"

enum { ROUNDS = 20 };			/* an epoch */
static struct lagoon *lg;
static struct lagoon_table *items;	/* a row each: its factors */
static struct lagoon_table *errors;	/* a row each epoch: their squares */
static int late_ms;			/* one worker a round, in turn */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* In round r of the job worker r mod workers comes late. */
static void straggle(struct lagoon_worker *w)
{
	struct timespec late = { 0, late_ms * 1000000L };

	if (lagoon_worker_clock(w) % lagoon_workers(lg) == lagoon_worker_id(w))
		nanosleep(&late, NULL);
}

/* Learn from every ROUNDS-th of this worker's users. */
static void round_work(struct lagoon_worker *w, int round)
{
	double q[ITEMS][K], change[ITEMS][K];
	int workers = lagoon_workers(lg);

	must(lagoon_pull(w, items, 0, ITEMS, q));
	memcpy(change, q, sizeof(q));
	for (int u = lagoon_worker_id(w) + round * workers; u < USERS;
	     u += ROUNDS * workers)
		user_learn(u, q);
	straggle(w);
	for (int i = 0; i < ITEMS; i++)
		for (int k = 0; k < K; k++)
			change[i][k] = q[i][k] - change[i][k];
	must(lagoon_add(w, items, 0, ITEMS, change));
	must(lagoon_clock(w));
}

static void epoch_test(struct lagoon_worker *w, int epoch)
{
	double q[ITEMS][K], sum = 0;

	must(lagoon_pull(w, items, 0, ITEMS, q));
	for (int u = lagoon_worker_id(w); u < USERS; u += lagoon_workers(lg))
		sum += user_test(u, q);
	must(lagoon_add(w, errors, (uint64_t)epoch, 1, &sum));
}

static int work(struct lagoon_worker *w, void *arg)
{
	double q[ITEMS][K], sum[EPOCHS + 1], start;

	(void)arg;
	factors_make(q, ITEMS, 5, 0.5);
	if (lagoon_worker_id(w) == 0)
		must(lagoon_add(w, items, 0, ITEMS, q));
	must(lagoon_clock(w));
	must(lagoon_barrier(w));
	start = seconds();
	for (int epoch = 0; epoch <= EPOCHS; epoch++) {
		epoch_test(w, epoch);
		for (int round = 0; round < ROUNDS && epoch < EPOCHS; round++)
			round_work(w, round);
	}
	must(lagoon_clock(w));
	must(lagoon_barrier(w));
	must(lagoon_pull(w, errors, 0, EPOCHS + 1, sum));
	for (int epoch = 0; epoch <= EPOCHS; epoch += EVERY)
		if (lagoon_worker_id(w) == 0)
			epoch_print(epoch, sum[epoch]);
	if (late_ms && lagoon_worker_id(w) == 0)
		printf("%.2f seconds\n", seconds() - start);
	return 0;
}

/* mf_stale bsp|STALENESS [MILLISECONDS] */
int main(int argc, char **argv)
{
	struct lagoon_table_attr shape;

	data_make();
	late_ms = argc > 2 ? atoi(argv[2]) : 0;
	must(lagoon_open(NULL, &lg));
	lagoon_table_attr_init(&shape);
	if (argc > 1 && strcmp(argv[1], "bsp"))
		shape.staleness = atoi(argv[1]);	/* ssp */
	else
		shape.model = LAGOON_BSP;
	shape.rows = EPOCHS + 1;
	must(lagoon_table_create(lg, "errors", &shape, &errors));
	shape.rows = ITEMS;
	shape.cols = K;
	must(lagoon_table_create(lg, "items", &shape, &items));
	must(lagoon_run(lg, work, NULL));
	must(lagoon_close(lg));
	return 0;
}
