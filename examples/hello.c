/* SPDX-License-Identifier: BSD-3-Clause */
#include <lagoon.h>
#include <stdio.h>

static struct lagoon_table *table;

static int work(struct lagoon_worker *w, void *arg)
{
	int64_t one[8] = { 1, 1, 1, 1, 1, 1, 1, 1 }, sum[8];
	int rc = 0;

	(void)arg;
	for (int round = 0; round < 10 && !rc; round++) {
		rc = lagoon_pull(w, table, 0, 8, sum);	/* may lag 2 rounds */
		if (!rc)
			rc = lagoon_add(w, table, 0, 8, one);
		if (!rc)
			rc = lagoon_clock(w);
	}
	if (!rc)
		rc = lagoon_barrier(w);
	if (!rc)
		rc = lagoon_pull(w, table, 0, 8, sum);
	if (!rc && lagoon_worker_id(w) == 0)
		printf("%lld\n", (long long)sum[0]);
	return rc;
}

int main(void)
{
	struct lagoon_table_attr shape;
	struct lagoon *lg;
	int rc;

	if (lagoon_open(NULL, &lg)) {
		fprintf(stderr, "%s\n", lagoon_errmsg());
		return 1;
	}
	lagoon_table_attr_init(&shape);
	shape.rows = 8;
	shape.format = LAGOON_I64;
	shape.staleness = 2;
	rc = lagoon_table_create(lg, "hello", &shape, &table);
	if (!rc)
		rc = lagoon_run(lg, work, NULL);
	if (rc)
		fprintf(stderr, "%s\n", lagoon_errmsg());
	return lagoon_close(lg) || rc;
}
