/* SPDX-License-Identifier: BSD-3-Clause */
#include <lagoon.h>
#include "logistic.h"

static struct lagoon *lg;
static struct lagoon_table *table;	/* one row: the weights */

static int work(struct lagoon_worker *w, void *arg)
{
	int id = lagoon_worker_id(w);
	double weights[D];

	(void)arg;
	for (int round = 0;; round++) {
		double step[D] = { 0 };

		must(lagoon_pull(w, table, 0, 1, weights));
		if (id == 0 && round % EVERY == 0)
			printf("round %3d  loss %.5f\n", round, loss(weights));
		if (round == ROUNDS)
			return 0;
		for (int i = id; i < N; i += lagoon_workers(lg))
			descend(weights, i, step);
		must(lagoon_add(w, table, 0, 1, step));
		must(lagoon_clock(w));
	}
}

int main(void)
{
	struct lagoon_table_attr shape;

	data_make();
	must(lagoon_open(NULL, &lg));
	lagoon_table_attr_init(&shape);
	shape.rows = 1;
	shape.cols = D;
	shape.model = LAGOON_BSP;
	must(lagoon_table_create(lg, "weights", &shape, &table));
	must(lagoon_run(lg, work, NULL));
	must(lagoon_close(lg));
	return 0;
}
