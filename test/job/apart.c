/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers that add to the same long list of rows, each in an order of its own:
 * each row gets what each worker has for it, once.
 */
/* launch: -n 1 */
/* launch: -n 2 --nodes 1 */
/* launch: -n 2 --nodes 2 */
#include <math.h>
#include <stdlib.h>

#include "kernels/solve/apart.h"
#include "test/support/test.h"

enum { WORKERS = 2, MOST = 5000 };

struct scene {
	struct lagoon_table *table;
	uint64_t n;
	uint32_t cols;
	int workers;
};

/* A whole number of units, so that nothing is rounded. */
static double value(int worker, uint64_t i)
{
	return (worker + 1) * 65536.0 + (double)i;
}

static double expected(const struct scene *s, uint64_t row, uint32_t col)
{
	double sum = 0;

	for (int k = 0; k < s->workers && row % 2; k++)
		sum += value(k, row / 2 * s->cols + col);
	return sum;
}

/* The odd rows. */
static int work(struct lagoon_worker *w, void *arg)
{
	const struct scene *s = arg;
	uint64_t rows[MOST];
	double *x = calloc((2 * s->n + 1) * s->cols, sizeof(*x));

	T_CHECK(x, "no memory");
	for (uint64_t i = 0; i < s->n; i++)
		rows[i] = 2 * i + 1;
	for (uint64_t i = 0; i < s->n * s->cols; i++)
		x[i] = value(lagoon_worker_id(w), i);
	t_ok(lgn_add_apart(w, s->table, rows, s->n, x), "add");
	t_ok(lagoon_clock(w), "clock");
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, s->table, 0, 2 * s->n + 1, x), "pull");
	for (uint64_t i = 0; i < (2 * s->n + 1) * s->cols; i++) {
		double want = expected(s, i / s->cols, (uint32_t)(i % s->cols));

		T_CHECK(fabs(x[i] - want) < 0.5, "element %llu of %llu rows: %g, expected %g",
			(unsigned long long)i, (unsigned long long)s->n, x[i],
			want);
	}
	free(x);
	return 0;
}

static void play(int model, uint64_t n, uint32_t cols)
{
	struct scene s = { .n = n, .cols = cols };
	struct lagoon_table_attr attr;

	s.workers = lagoon_workers(t_lg);
	lagoon_table_attr_init(&attr);
	attr.rows = 2 * n + 1;
	attr.cols = cols;
	attr.model = model;
	t_ok(lagoon_table_create(t_lg, "apart", &attr, &s.table), "create");
	t_ok(lagoon_run(t_lg, work, &s), "run");
	t_ok(lagoon_table_destroy(s.table), "destroy");
}

int main(void)
{
	static const int models[] = { LAGOON_SSP, LAGOON_ASP, LAGOON_BSP, LAGOON_VAP };
	static const uint64_t lengths[] = { 1, 1983, 1984, 1985, MOST };
	struct lagoon_attr attr;

	t_begin("apart", 0);
	t_ok(lagoon_attr_init(&attr), "attr");
	attr.workers = WORKERS;
	t_open(&attr, NULL);
	for (size_t m = 0; m < T_COUNT(models); m++)
		for (size_t i = 0; i < T_COUNT(lengths); i++) {
			play(models[m], lengths[i], 1);
			play(models[m], lengths[i], 3);
		}
	t_close();
	return 0;
}
