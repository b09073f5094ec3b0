/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of regression_arrays.mp that gives fits a table: what is in it before and
 * after, and tables that do not fit. */
#include <math.h>
#include <string.h>

#include "test/job/regression_arrays.h"
#include "test/support/test.h"
#include "test/support/weights.h"

static struct lagoon_table *make_table(uint64_t rows, int format)
{
	struct lagoon_table_attr attr;
	struct lagoon_table *t;

	lagoon_table_attr_init(&attr);
	attr.rows = rows;
	attr.format = format;
	attr.model = LAGOON_BSP;	/* not that of the fit */
	if (format == LAGOON_Q64)
		attr.frac_bits = 40;
	if (format == LAGOON_FLOAT64)
		attr.push = LAGOON_PUSH_APPLY;
	t_ok(lagoon_table_create(t_lg, "mine", &attr, &t), "create");
	return t;
}

static int see_objective(void *arg, const struct lagoon_regression_epoch *e)
{
	if (e->epoch == 1)
		*(double *)arg = e->objective;
	return 0;
}

/* The weights are in it, and by columns a second fit begins there: its first epoch,
 * of one round, has the objective of the last one. The row beyond stays. */
static void in_a_table(int method, int standardise, int format)
{
	struct lagoon_regression_options o = regression_options();
	struct lagoon_regression_result r = { .size = sizeof(r) };
	struct lagoon_regression_data d = regression_form(CSR);
	struct t_weights in = {
		.t = make_table(COLS + 1, format), .rows = COLS + 1,
		.cols = 1, .put = 0.5,
	};
	double w[COLS], first = 0;

	o.method = method;
	o.standardise = standardise;
	o.table = in.t;
	t_ok(lagoon_run(t_lg, t_weights_use, &in), "put");
	t_ok(lagoon_elastic_net_fit(t_lg, &d, &o, w, &r), "fit");
	in.put = 0;
	t_ok(lagoon_run(t_lg, t_weights_use, &in), "get");
	for (int j = 0; j < COLS; j++)
		T_CHECK(fabs(in.got[j] - w[j]) < 1e-11, "method %d: weight %d "
			"is %g in the table, %g here", method, j, in.got[j],
			w[j]);
	T_CHECK(fabs(in.got[COLS] - 0.5) < 1e-11, "the row beyond is %g",
		in.got[COLS]);
	o.progress = see_objective;
	o.progress_arg = &first;
	o.rounds = 1;
	t_ok(lagoon_elastic_net_fit(t_lg, &d, &o, NULL, &r), "again");
	T_CHECK(method == LAGOON_SDCA || fabs(first - r.objective) <=
		1e-9 * r.objective, "method %d: it began again with %.12g at "
		"%.12g", method, first, r.objective);
	t_ok(lagoon_table_destroy(in.t), "destroy");
}

static void refuse_table(struct lagoon_table *t, const char *text)
{
	struct lagoon_regression_options o = regression_options();
	struct lagoon_regression_data d = regression_form(CSR);

	o.table = t;
	regression_expect(&d, &o, text);
	t_ok(lagoon_table_destroy(t), "destroy");
}

/* Fixed point up to 4, in which not every weight fits. */
static void too_small_a_table(void)
{
	struct lagoon_regression_options o = regression_options();
	struct lagoon_regression_result r = { .size = sizeof(r) };
	struct lagoon_regression_data d = regression_form(CSR);
	struct lagoon_table_attr attr;
	int rc;

	lagoon_table_attr_init(&attr);
	attr.rows = COLS;
	attr.format = LAGOON_Q32;
	attr.frac_bits = 28;
	t_ok(lagoon_table_create(t_lg, "mine", &attr, &o.table), "create");
	rc = lagoon_regression_fit(t_lg, &d, &o, NULL, &r);
	T_CHECK(rc == LAGOON_ERANGE && strstr(lagoon_errmsg(), "mine") &&
		!r.epochs, "result %d: %s", rc, lagoon_errmsg());
	t_ok(lagoon_table_destroy(o.table), "destroy");
}

void regression_tables(void)
{
	too_small_a_table();
	in_a_table(LAGOON_CD, 0, LAGOON_Q64);
	in_a_table(LAGOON_CD, 1, LAGOON_FLOAT64);
	in_a_table(LAGOON_MSPG, 1, LAGOON_Q64);
	in_a_table(LAGOON_SDCA, 0, LAGOON_Q64);
	refuse_table(make_table(COLS - 1, LAGOON_Q64),
		     "table of weights: it has 11 rows of 1: expected at least");
	refuse_table(make_table(COLS, LAGOON_I32),
		     "table of weights: its type is 2: expected LAGOON_F64");
}
