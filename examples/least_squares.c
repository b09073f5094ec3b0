/* SPDX-License-Identifier: BSD-3-Clause */
/* Least squares by gradient descent: every worker has rows of its own, the
 * weights are a row of a table. In bsp rounds, so that the order of adds does
 * not matter: the same digits however the workers are grouped. */
#include <lagoon.h>
#include <math.h>
#include <stdio.h>

enum { ROWS = 2000, COLS = 4, ROUNDS = 50 };
static const double planted[COLS] = { 2, -1, 0.5, 3 };
static struct lagoon *lg;
static struct lagoon_table *weights;

static int work(struct lagoon_worker *w, void *arg)
{
	double a[COLS], x[COLS], worst = 0;

	(void)arg;
	for (int round = 0; round < ROUNDS; round++) {
		double dx[COLS] = { 0 };
		int rc = lagoon_pull(w, weights, 0, 1, x);

		for (int i = lagoon_worker_id(w); i < ROWS; i += lagoon_workers(lg)) {
			double r = 0.01 * cos(7.0 * i);	/* noise */

			for (int j = 0; j < COLS; j++) {
				a[j] = sin((j + 1.0) * i);
				r += a[j] * (planted[j] - x[j]);
			}
			for (int j = 0; j < COLS; j++)
				dx[j] += r * a[j] / ROWS;
		}
		rc = rc ? rc : lagoon_add(w, weights, 0, 1, dx);
		rc = rc ? rc : lagoon_clock(w);
		if (rc)
			return rc;
	}
	for (int j = 0; j < COLS; j++)
		worst = fmax(worst, fabs(x[j] - planted[j]));
	if (lagoon_worker_id(w) == 0)
		printf("weights %9.6f %9.6f %9.6f %9.6f off by %9.6f\n",
		       x[0], x[1], x[2], x[3], worst);
	return 0;
}

int main(void)
{
	struct lagoon_table_attr shape;

	lagoon_table_attr_init(&shape);
	shape.rows = 1;
	shape.cols = COLS;
	shape.model = LAGOON_BSP;
	if (!lagoon_open(NULL, &lg) &&
	    !lagoon_table_create(lg, "weights", &shape, &weights) &&
	    !lagoon_run(lg, work, NULL) && !lagoon_close(lg))
		return 0;
	fprintf(stderr, "%s\n", lagoon_errmsg());
	return 1;
}
