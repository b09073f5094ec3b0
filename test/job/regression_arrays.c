/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_lasso_fit() and its like on the caller's arrays: dense and CSR, of both
 * kinds of reals and of indices, reach the minimum that a plain coordinate
 * descent over all rows in here finds, wherever the rows are. What is not legal
 * in one process is the error of all, with rank, row and column. A fit that was
 * interrupted goes on from its checkpoint to the same minimum.
 */
/* launch: -n 1 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 2 --nodes 2 */
/* launch: -n 2 --nodes 1 -- idle */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/job/regression_arrays.h"
#include "test/support/test.h"

static const double l1 = 0.02, l2 = 0.03;

/* The same in every process; a third of it is zero. */
static double x[ROWS][COLS], y[ROWS];

/* The rows of this process. */
static struct t_rows mine;

static void make(void)
{
	struct t_rng rng = { 7 };

	for (int i = 0; i < ROWS; i++) {
		y[i] = 3;
		for (int j = 0; j < COLS; j++) {
			/* with digits that a float does not have */
			double v = (double)t_below(&rng, 1024) / 256 - 2 +
				(double)t_below(&rng, 1000) * 1.1e-9;

			x[i][j] = t_once_in(&rng, 3) ? 0 : v;
			y[i] += j % 3 ? 0 : (j - 5) * x[i][j];
		}
		y[i] += (double)t_below(&rng, 256) / 128;
	}
}

static void take(void)
{
	int begin, end;

	t_rows_range(ROWS, &begin, &end);
	t_rows_begin(&mine, COLS);
	for (int i = begin; i < end; i++)
		t_rows_add(&mine, x[i], y[i]);
}

/* ----------------------------------------------------------- reference */

static double shrink(double v, double t)
{
	return v > t ? v - t : v < -t ? v + t : 0;
}

/* Weights of the columns as they are, and the intercept last. */
static double reference(int standardise, double w[COLS + 1])
{
	double z[ROWS][COLS], mean[COLS + 1] = { 0 }, scale[COLS], r[ROWS];
	double loss = 0, penalty = 0;

	memset(w, 0, (COLS + 1) * sizeof(*w));
	for (int i = 0; i < ROWS; i++) {
		mean[COLS] += y[i] / ROWS;
		for (int j = 0; j < COLS; j++)
			mean[j] += x[i][j] / ROWS;
	}
	for (int j = 0; j < COLS; j++) {
		double square = 0;

		for (int i = 0; i < ROWS; i++)
			square += pow(x[i][j] - mean[j], 2) / ROWS;
		scale[j] = standardise ? sqrt(square) : 1;
		for (int i = 0; i < ROWS; i++)
			z[i][j] = (x[i][j] - mean[j]) / scale[j];
	}
	for (int i = 0; i < ROWS; i++)
		r[i] = y[i] - mean[COLS];
	for (int k = 0; k < 5000; k++)
		for (int j = 0; j < COLS; j++) {
			double p = 0, s = 0, was = w[j];

			for (int i = 0; i < ROWS; i++) {
				p += z[i][j] * r[i] / ROWS;
				s += z[i][j] * z[i][j] / ROWS;
			}
			w[j] = shrink(p + s * was, l1) / (s + l2);
			for (int i = 0; i < ROWS; i++)
				r[i] -= (w[j] - was) * z[i][j];
		}
	for (int i = 0; i < ROWS; i++)
		loss += r[i] * r[i] / (2 * ROWS);
	w[COLS] = mean[COLS];
	for (int j = 0; j < COLS; j++) {
		penalty += l1 * fabs(w[j]) + l2 / 2 * w[j] * w[j];
		w[j] /= scale[j];
		w[COLS] -= w[j] * mean[j];
	}
	return loss + penalty;
}

/* ---------------------------------------------------------------- forms */

struct lagoon_regression_data regression_form(enum t_form which)
{
	struct t_view v = t_rows_view(&mine, which);

	return (struct lagoon_regression_data){
		.size = sizeof(struct lagoon_regression_data),
		.sparse = v.sparse, .rows = mine.rows, .cols = COLS,
		.stride = COLS, .real_size = v.real_size, .dense = v.dense,
		.target = v.y,
	};
}

struct lagoon_regression_options regression_options(void)
{
	struct lagoon_regression_options o;

	lagoon_regression_options_init(&o);
	o.l1 = l1;
	o.l2 = l2;
	o.tolerance = 1e-11;
	return o;
}

static void check_form(enum t_form which, int method, int standardise)
{
	struct lagoon_regression_options o = regression_options();
	struct lagoon_regression_result r = { .size = sizeof(r) };
	struct lagoon_regression_data d = regression_form(which);
	double w[COLS], best[COLS + 1];
	double near = which == DENSE || which == CSR ? 1e-10 : 1e-6;
	double objective = reference(standardise, best);

	o.method = method;
	o.standardise = standardise;
	t_ok(lagoon_elastic_net_fit(t_lg, &d, &o, w, &r), "fit");
	T_CHECK(r.converged && r.rows == ROWS && r.features == COLS,
		"form %d, method %d: converged %d", which, method, r.converged);
	T_CHECK(fabs(r.objective - objective) <= near * objective,
		"form %d, method %d: %.12g, expected %.12g", which, method,
		r.objective, objective);
	T_CHECK(r.gap <= 1e-11 * objective && r.gap >= 0, "gap %g", r.gap);
	T_CHECK(fabs(r.intercept - best[COLS]) < 1e-4, "intercept %g, "
		"expected %g", r.intercept, best[COLS]);
	for (int j = 0; j < COLS; j++)
		T_CHECK(fabs(w[j] - best[j]) < 1e-4, "weight %d: %g, expected "
			"%g", j, w[j], best[j]);
}

/* ------------------------------------------------------------ bad input */

void regression_expect(const struct lagoon_regression_data *d,
		       const struct lagoon_regression_options *o,
		       const char *text)
{
	struct lagoon_regression_result r = { .size = sizeof(r) };
	double w[COLS] = { 42 };
	int rc = lagoon_regression_fit(t_lg, d, o, w, &r);

	T_CHECK(rc == LAGOON_EINVAL, "%s: result %d", text, rc);
	T_CHECK(strstr(lagoon_errmsg(), text), "\"%s\", expected \"%s\"",
		lagoon_errmsg(), text);
	T_CHECK(w[0] == 42 && r.epochs == 0, "%s: outputs were written", text);
}

/* Only the last rank has it. */
static void bad_elements(void)
{
	bool last = lagoon_rank(t_lg) == lagoon_size(t_lg) - 1;
	struct lagoon_regression_options o = regression_options();
	struct lagoon_regression_data d = regression_form(DENSE);
	char rank[64];
	double keep = mine.dense[2 * COLS + 4];

	if (last)
		mine.dense[2 * COLS + 4] = NAN;
	regression_expect(&d, &o, "row 3: column 5 is nan: expected a finite number");
	snprintf(rank, sizeof(rank), "rank %d: ", lagoon_size(t_lg) - 1);
	T_CHECK(lagoon_size(t_lg) == 1 || strstr(lagoon_errmsg(), rank), "no rank: %s", lagoon_errmsg());
	mine.dense[2 * COLS + 4] = keep;
	keep = mine.y[0];
	if (last)
		mine.y[0] = INFINITY;
	regression_expect(&d, &o, "row 1: the target is inf");
	mine.y[0] = keep;

	d = regression_form(CSR_F32_FROM_1);
	if (last)
		mine.index64[0] = COLS + 1;
	regression_expect(&d, &o, "row 1: column index 13: expected 1 to 12");
	if (last)
		mine.index64[0] = mine.index64[1];
	regression_expect(&d, &o, "stands there twice");
	take();
	if (last)
		mine.start64[1] = 0;
	regression_expect(&d, &o, "row 1: entries 0 to -1: expected starts that rise");
	take();
	d = regression_form(DENSE);
	if (last && lagoon_size(t_lg) > 1) {
		d.cols = COLS - 1;
		regression_expect(&d, &o, "11 columns in worker");
	} else if (lagoon_size(t_lg) > 1) {
		regression_expect(&d, &o, "11 columns in worker");
	}
}

/* What is not there must not be touched. Only the last rank has it. */
static void bad_shapes(void)
{
	bool last = lagoon_rank(t_lg) == lagoon_size(t_lg) - 1;
	const struct lagoon_regression_data good = regression_form(CSR);
	struct lagoon_regression_data d = good, dense = regression_form(DENSE);
	struct lagoon_regression_options o = regression_options();
	const struct lagoon_sparse csr = *good.sparse;
	struct lagoon_sparse a = csr;

	regression_expect(last ? NULL : &good, &o, "data: size is not set");
	d.size = 0;
	regression_expect(last ? &d : &good, &o, "data: size is not set");
	d = good;
	d.target = NULL;
	regression_expect(last ? &d : &good, &o, "data: an array is NULL");
	dense.dense = NULL;
	regression_expect(last ? &dense : &good, &o, "data: an array is NULL");
	dense = regression_form(DENSE);
	dense.real_size = 2;
	regression_expect(last ? &dense : &good, &o, "real_size 2: expected 4 or 8");
	d = good;
	d.sparse = &a;
	a.layout = LAGOON_CSC;
	regression_expect(last ? &d : &good, &o, "layout 1: expected LAGOON_CSR");
	a = csr;
	a.index_size = 2;
	regression_expect(last ? &d : &good, &o, "index_size 2: expected 4 or 8");
	a = csr;
	a.index = NULL;
	regression_expect(last ? &d : &good, &o, "data: an array is NULL");
	a = csr;
	a.base = 1;
	regression_expect(last ? &d : &good, &o, "column index 0: expected 1 to 12");
	if (last)
		mine.start32[1] = INT32_MAX;
	regression_expect(&good, &o, "row 1: entries 0 to 2147483647: expected starts");
	take();
}

static void bad_options(void)
{
	struct lagoon_regression_options o = regression_options();
	struct lagoon_regression_result r = { .size = sizeof(r) };
	struct lagoon_regression_data d = regression_form(DENSE);

	o.l1 = -1;
	regression_expect(&d, &o, "l1 -1: expected 0 or more");
	o = regression_options();
	o.l2 = NAN;
	regression_expect(&d, &o, "l2 nan");
	o = regression_options();
	o.method = 3;
	regression_expect(&d, &o, "method 3: expected 0 to 2");
	o = regression_options();
	o.model = LAGOON_VAP;
	regression_expect(&d, &o, "model 5: expected ssp, bsp");
	o = regression_options();
	T_CHECK(lagoon_lasso_fit(t_lg, &d, &o, NULL, &r) == LAGOON_EINVAL &&
		strstr(lagoon_errmsg(), "lasso: l2 is 0.03: expected 0"), "%s",
		lagoon_errmsg());
	T_CHECK(lagoon_ridge_fit(t_lg, &d, &o, NULL, &r) == LAGOON_EINVAL &&
		strstr(lagoon_errmsg(), "ridge: l1 is 0.02: expected 0"), "%s",
		lagoon_errmsg());
	d.stride = COLS - 1;
	if (mine.rows == ROWS)
		regression_expect(&d, &o, "stride 11: expected at least 12");
}

/* ------------------------------------------------------------- stopping */

static int stop_at_3(void *arg, const struct lagoon_regression_epoch *e)
{
	*(int *)arg = e->epoch;
	return lagoon_rank(t_lg) == lagoon_size(t_lg) - 1 && e->epoch >= 3;
}

static void stops(void)
{
	struct lagoon_regression_options o = regression_options();
	struct lagoon_regression_result r = { .size = sizeof(r) };
	struct lagoon_regression_data d = regression_form(CSR);
	int seen = 0;

	o.tolerance = 0;
	o.rounds = 1;
	o.method = LAGOON_MSPG;
	o.progress = stop_at_3;
	o.progress_arg = &seen;
	t_ok(lagoon_regression_fit(t_lg, &d, &o, NULL, &r), "fit");
	T_CHECK(r.stopped && r.epochs == 4 && seen == 4, "stopped %d, epochs "
		"%d, seen %d", r.stopped, r.epochs, seen);
}

/* ---------------------------------------------------------- checkpoints */

/* At the end of the third epoch, in one worker of the first rank alone. */
static int interrupt(void *arg)
{
	return !lagoon_rank(t_lg) &&
		__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED) == 5;
}

static int see_first(void *arg, const struct lagoon_regression_epoch *e)
{
	if (!*(int *)arg)
		*(int *)arg = e->epoch;
	return 0;
}

static void goes_on(const char *folder, int method)
{
	struct lagoon_regression_options o = regression_options();
	struct lagoon_regression_result r = { .size = sizeof(r) };
	struct lagoon_regression_data d = regression_form(CSR);
	double w[COLS], best[COLS + 1], objective = reference(1, best);
	int calls = 0, first = 0;

	o.method = method;
	o.standardise = 1;
	o.rounds = 1;
	o.checkpoint = folder;
	o.interrupted = interrupt;
	o.interrupted_arg = &calls;
	t_ok(lagoon_regression_fit(t_lg, &d, &o, w, &r), "fit");
	T_CHECK(r.interrupted && r.epochs == 3 && !r.converged,
		"method %d: interrupted %d, epochs %d", method, r.interrupted,
		r.epochs);
	o.checkpoint = NULL;
	o.rounds = 0;
	o.resume = folder;
	o.progress = see_first;
	o.progress_arg = &first;
	t_ok(lagoon_regression_fit(t_lg, &d, &o, w, &r), "going on");
	T_CHECK(first == 4 && r.converged && !r.interrupted,
		"method %d: it went on with epoch %d", method, first);
	T_CHECK(fabs(r.objective - objective) <= 1e-10 * objective,
		"method %d: %.12g, expected %.12g", method, r.objective,
		objective);
	for (int j = 0; j < COLS; j++)
		T_CHECK(fabs(w[j] - best[j]) < 1e-4, "weight %d: %g, expected "
			"%g", j, w[j], best[j]);
	o.l1 *= 2;
	regression_expect(&d, &o, "a checkpoint with l1 0.02 and l2 0.03");
	o = regression_options();
	o.every = 2;
	regression_expect(&d, &o, "every is 2: expected a folder");
}

static void restarts(void)
{
	const char *folder = t_folder();

	for (int method = LAGOON_CD; method <= LAGOON_MSPG; method++)
		goes_on(folder, method);
	t_sync();
	t_folder_remove();
}

/* Rank 1 has no workers. */
static void idle_process(void)
{
	struct lagoon_regression_options o = regression_options();
	struct lagoon_regression_data d = regression_form(DENSE);

	regression_expect(&d, &o, lagoon_rank(t_lg) ? "a process without workers" :
			  "they must agree");
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("regression_arrays", 0);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.workers = argc > 1 && t_rank() == 1 ? 0 : 2;
	t_open(&attr, NULL);
	make();
	take();
	if (argc > 1 && !strcmp(argv[1], "idle")) {
		idle_process();
		t_close();
		return 0;
	}
	for (int f = 0; f < FORMS; f++)
		check_form(f, LAGOON_CD, f % 2);
	for (int method = LAGOON_SDCA; method <= LAGOON_MSPG; method++)
		for (int standardise = 0; standardise < 2; standardise++)
			check_form(CSR, method, standardise);
	bad_elements();
	bad_shapes();
	bad_options();
	regression_tables();
	stops();
	restarts();
	check_form(DENSE, LAGOON_CD, 1);	/* after the errors */
	t_close();
	return 0;
}
