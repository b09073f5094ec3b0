/* SPDX-License-Identifier: BSD-3-Clause */
#include <lagoon.h>
#include <string.h>
#include "ratings.h"

enum { ROUNDS = 20 };			/* an epoch */
static struct lagoon *lg;
static struct lagoon_table *items;	/* a row each: its factors */
static struct lagoon_table *errors;	/* a row each epoch: their squares */

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
	double q[ITEMS][K], sum[EPOCHS + 1];

	(void)arg;
	factors_make(q, ITEMS, 5, 0.5);
	if (lagoon_worker_id(w) == 0)
		must(lagoon_add(w, items, 0, ITEMS, q));
	must(lagoon_clock(w));
	for (int epoch = 0; epoch <= EPOCHS; epoch++) {
		epoch_test(w, epoch);
		for (int round = 0; round < ROUNDS && epoch < EPOCHS; round++)
			round_work(w, round);
	}
	must(lagoon_clock(w));
	must(lagoon_pull(w, errors, 0, EPOCHS + 1, sum));
	for (int epoch = 0; epoch <= EPOCHS; epoch += EVERY)
		if (lagoon_worker_id(w) == 0)
			epoch_print(epoch, sum[epoch]);
	return 0;
}

int main(void)
{
	struct lagoon_table_attr shape;

	data_make();
	must(lagoon_open(NULL, &lg));
	lagoon_table_attr_init(&shape);
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
