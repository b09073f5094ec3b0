/* SPDX-License-Identifier: BSD-3-Clause */
#include <lagoon.h>
#include "logistic.h"

enum { AGES = 9 };			/* the last one: 8 and more */
static struct lagoon *lg;
static struct lagoon_table *table;	/* one row: the weights */
static struct lagoon_table *ages;	/* one row: pulls of each age */

static int work(struct lagoon_worker *w, void *arg)
{
	int id = lagoon_worker_id(w);
	double weights[D];

	(void)arg;
	for (int round = 0; round < ROUNDS; round++) {
		double step[D] = { 0 };

		must(lagoon_pull(w, table, 0, 1, weights));
		for (int i = id; i < N; i += lagoon_workers(lg))
			descend(weights, i, step);
		must(lagoon_add(w, table, 0, 1, step));
		must(lagoon_clock(w));
	}
	return 0;
}

/* The sum of what the processes counted, and the loss. */
static int report(struct lagoon_worker *w, void *arg)
{
	struct lagoon_stats stats = { .size = sizeof(stats) };
	struct lagoon_worker *first;
	int64_t count[AGES] = { 0 };
	double weights[D];

	(void)arg;
	must(lagoon_worker(lg, 0, &first));
	must(lagoon_table_stats(table, &stats));
	for (int age = 0; age < LAGOON_AGES; age++)
		count[age < AGES ? age : AGES - 1] += (int64_t)stats.ages[age];
	if (w == first)
		must(lagoon_add(w, ages, 0, 1, count));
	must(lagoon_barrier(w));
	if (lagoon_worker_id(w))
		return 0;
	must(lagoon_pull(w, table, 0, 1, weights));
	must(lagoon_pull(w, ages, 0, 1, count));
	printf("after %d rounds  loss %.3f\n", ROUNDS, loss(weights));
	for (int age = 0; age < AGES; age++)
		printf("age %d: %lld pulls\n", age, (long long)count[age]);
	return 0;
}

int main(int argc, char **argv)
{
	struct lagoon_table_attr shape;

	data_make();
	must(lagoon_open(NULL, &lg));
	lagoon_table_attr_init(&shape);
	shape.rows = 1;
	shape.cols = AGES;
	shape.format = LAGOON_I64;
	must(lagoon_table_create(lg, "ages", &shape, &ages));
	shape.cols = D;
	shape.format = LAGOON_Q64;
	shape.model = LAGOON_SSP;
	shape.staleness = argc > 1 ? atoi(argv[1]) : 4;
	must(lagoon_table_create(lg, "weights", &shape, &table));
	must(lagoon_run(lg, work, NULL));
	must(lagoon_run(lg, report, NULL));
	must(lagoon_close(lg));
	return 0;
}
