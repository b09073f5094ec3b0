/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of linear_arrays.mp that gives fits a table: what is in it before and
 * after, and tables that do not fit. */
#include <math.h>
#include <string.h>

#include "test/job/linear_arrays.h"
#include "test/support/test.h"
#include "test/support/weights.h"

struct lagoon_table *linear_make_table(const char *name, int cols, int format,
				       const char *update)
{
	struct lagoon_table_attr attr;
	struct lagoon_table *t;

	lagoon_table_attr_init(&attr);
	attr.rows = COLS + 2;	/* two more than the data has */
	attr.cols = (uint32_t)cols;
	attr.format = format;
	if (format == LAGOON_Q64)
		attr.frac_bits = 40;
	attr.push = update ? LAGOON_PUSH_APPLY : LAGOON_PUSH_ATOMIC;
	attr.update = update;
	t_ok(lagoon_table_create(t_lg, name, &attr, &t), "create");
	return t;
}

static int see_objective(void *arg, const struct lagoon_linear_epoch *e)
{
	if (e->epoch == 1)
		*(double *)arg = e->objective;
	return 0;
}

/* The solution is in it, and a second fit that may begin there has nothing left to
 * do. Rows that the data does not have stay. */
static void in_a_table(int method, int loss, int format, const char *update,
		       bool starts)
{
	int outputs = loss == LAGOON_LINEAR_SOFTMAX ? CLASSES : 1;
	struct lagoon_linear_options o = linear_options(loss, method);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	double w[COLS * CLASSES], g[COLS * CLASSES], value, accuracy, first;
	struct t_weights in = {
		.rows = COLS + 2, .cols = outputs, .put = 0.25,
	};
	struct lagoon_linear_data d;

	linear_take(outputs > 1 ? outputs : 2);
	d = linear_form(CSR, outputs > 1 ? outputs : 0);
	o.table = in.t = linear_make_table("mine", outputs, format, update);
	t_ok(lagoon_run(t_lg, t_weights_use, &in), "put");
	t_ok(lagoon_linear_fit(t_lg, &d, &o, w, &r), "fit");
	lagoon_linear_result_free(&r);
	in.put = 0;
	t_ok(lagoon_run(t_lg, t_weights_use, &in), "get");
	for (int k = 0; k < (COLS + 2) * outputs; k++)
		T_CHECK(fabs(in.got[k] - (k < COLS * outputs ? w[k] : 0.25)) <
			1e-6, "method %d: weight %d is %g in the table", method,
			k, in.got[k]);
	value = linear_reference(loss, outputs, in.got, g, &accuracy);
	linear_check_minimum(loss, outputs, in.got, value, g);
	o.progress = see_objective;
	o.progress_arg = &first;
	t_ok(lagoon_linear_fit(t_lg, &d, &o, NULL, &r), "again");
	T_CHECK(!starts || first <= value * (1 + NEAR), "method %d: it began "
		"again with %g at %g", method, first, value);
	lagoon_linear_result_free(&r);
	t_ok(lagoon_table_destroy(in.t), "destroy");
}

static void good_tables(void)
{
	in_a_table(LAGOON_LINEAR_LBFGS, LAGOON_LINEAR_LOGISTIC, LAGOON_Q64,
		   NULL, true);
	in_a_table(LAGOON_LINEAR_LBFGS, LAGOON_LINEAR_SOFTMAX, LAGOON_FLOAT64,
		   "add", true);
	in_a_table(LAGOON_LINEAR_GRADIENT, LAGOON_LINEAR_SQUARED_HINGE,
		   LAGOON_FLOAT64, "assign", true);
	in_a_table(LAGOON_LINEAR_PROXIMAL, LAGOON_LINEAR_SQUARED_HINGE,
		   LAGOON_Q64, NULL, true);
	in_a_table(LAGOON_LINEAR_SDCA, LAGOON_LINEAR_HINGE, LAGOON_Q64, NULL,
		   false);
	in_a_table(LAGOON_LINEAR_DOWNPOUR, LAGOON_LINEAR_LOGISTIC, LAGOON_Q64,
		   NULL, false);
	in_a_table(LAGOON_LINEAR_SGD, LAGOON_LINEAR_LOGISTIC, LAGOON_Q64, NULL,
		   false);
	in_a_table(LAGOON_LINEAR_ADAGRAD, LAGOON_LINEAR_LOGISTIC,
		   LAGOON_FLOAT64, "add", false);
}

static void refuse_table(struct lagoon_table *t, int error, const char *text)
{
	struct lagoon_linear_options o = linear_options(LAGOON_LINEAR_LOGISTIC,
							LAGOON_LINEAR_LBFGS);
	struct lagoon_linear_data d;

	linear_take(2);
	d = linear_form(CSR, 0);
	o.table = t;
	linear_expect(&d, &o, error, text);
	t_ok(lagoon_table_destroy(t), "destroy");
}

static void bad_tables(void)
{
	struct t_weights in = { .rows = COLS + 2, .cols = 1, .put = 1e7 };
	struct lagoon_table_attr attr;
	struct lagoon_table *t;

	refuse_table(linear_make_table("mine", 2, LAGOON_Q64, NULL),
		     LAGOON_EINVAL, "it has 10 rows of 2: expected at least 8, "
		     "one a column of the data, of 1");
	refuse_table(linear_make_table("mine", 1, LAGOON_I64, NULL),
		     LAGOON_EINVAL, "its type is 2: expected LAGOON_F64");
	refuse_table(linear_make_table("mine", 1, LAGOON_FLOAT64, "max"),
		     LAGOON_EINVAL, "function is \"max\": expected add or");
	lagoon_table_attr_init(&attr);
	attr.rows = COLS - 1;
	t_ok(lagoon_table_create(t_lg, "mine", &attr, &t), "create");
	refuse_table(t, LAGOON_EINVAL, "it has 7 rows of 1: expected at least 8");
	in.t = linear_make_table("mine", 1, LAGOON_FLOAT64, "add");
	t_ok(lagoon_run(t_lg, t_weights_use, &in), "put");
	refuse_table(in.t, LAGOON_ERANGE, "row 0 begins with 1e+07: expected");
}

void linear_tables(void)
{
	good_tables();
	bad_tables();
}
