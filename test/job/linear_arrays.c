/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_logistic_fit(), lagoon_svm_fit() and lagoon_softmax_fit() on the
 * caller's arrays: dense and CSR, of both kinds of reals and of indices, come to
 * where the gradient is 0, wherever the rows are; of hinge loss, to where no step
 * along a column goes down. Objective and accuracy are computed again in here.
 * What is not legal in one process is the error of all, with rank, row and column.
 */
/* launch: -n 1 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 2 --nodes 2 */
/* launch: -n 2 --nodes 1 -- idle */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/job/linear_arrays.h"
#include "test/support/test.h"
#include "test/support/weights.h"

/* The same in every process; a third of x is zero. */
static double x[ROWS][COLS];
static int class[ROWS];

/* The rows of this process. */
static struct t_rows mine;

static void make(void)
{
	struct t_rng rng = { 11 };

	for (int i = 0; i < ROWS; i++) {
		double score = (double)t_below(&rng, 256) / 64 - 2;

		for (int j = 0; j < COLS; j++) {
			x[i][j] = t_once_in(&rng, 3) ? 0 :
				(double)t_below(&rng, 1024) / 512 - 1;
			score += (j - 3) * x[i][j];
		}
		class[i] = score < -2 ? 0 : score < 2 ? 1 : 2;
	}
}

/* Two classes: 7 and 9. */
void linear_take(int classes)
{
	int begin, end;

	t_rows_range(ROWS, &begin, &end);
	t_rows_begin(&mine, COLS);
	for (int i = begin; i < end; i++)
		t_rows_add(&mine, x[i],
			   7 + 2 * (classes == 2 ? class[i] > 0 : class[i]));
}

/* ----------------------------------------------------------- reference */

static double loss_of(int loss, double m, double *slope)
{
	double t = m < 1 ? 1 - m : 0;

	switch (loss) {
	case LAGOON_LINEAR_LOGISTIC:
		*slope = -1 / (1 + exp(m));
		return log1p(exp(-m));
	case LAGOON_LINEAR_HINGE:
		*slope = t > 0 ? -1 : 0;
		return t;
	default:
		*slope = -2 * t;
		return t * t;
	}
}

/* One row of softmax: its loss; slope by the products. */
static double softmax_of(const double *z, int own, double *slope)
{
	double sum = 0;

	for (int k = 0; k < CLASSES; k++)
		sum += exp(z[k]);
	for (int k = 0; k < CLASSES; k++)
		slope[k] = exp(z[k]) / sum - (k == own);
	return log(sum) - z[own];
}

/* Objective, gradient and accuracy at w [COLS][outputs], over all rows. */
double linear_reference(int loss, int outputs, const double *w, double *g,
			double *accuracy)
{
	double value = 0;
	int right = 0;

	for (int k = 0; k < COLS * outputs; k++) {
		value += w[k] * w[k] / 2;
		g[k] = w[k];
	}
	for (int i = 0; i < ROWS; i++) {
		double z[CLASSES] = { 0 }, slope[CLASSES];
		int said = 0, sign = class[i] > 0 ? 1 : -1;

		for (int j = 0; j < COLS; j++)
			for (int k = 0; k < outputs; k++)
				z[k] += x[i][j] * w[j * outputs + k];
		for (int k = 1; k < outputs; k++)
			said = z[k] > z[said] ? k : said;
		if (outputs > 1)
			value += softmax_of(z, class[i], slope);
		else
			value += loss_of(loss, sign * z[0], slope);
		if (outputs == 1)
			slope[0] *= sign;
		right += outputs > 1 ? said == class[i] : (z[0] > 0) == (sign > 0);
		for (int j = 0; j < COLS; j++)
			for (int k = 0; k < outputs; k++)
				g[j * outputs + k] += x[i][j] * slope[k];
	}
	*accuracy = (double)right / ROWS;
	return value;
}

/* ---------------------------------------------------------------- forms */

struct lagoon_linear_data linear_form(enum t_form which, int classes)
{
	struct t_view v = t_rows_view(&mine, which);

	return (struct lagoon_linear_data){
		.size = sizeof(struct lagoon_linear_data), .sparse = v.sparse,
		.rows = mine.rows, .cols = COLS, .stride = COLS,
		.real_size = v.real_size, .dense = v.dense, .label = v.y,
		.classes = classes,
	};
}

struct lagoon_linear_options linear_options(int loss, int method)
{
	struct lagoon_linear_options o;

	lagoon_linear_options_init(&o);
	o.loss = loss;
	o.method = method;
	o.tolerance = 1e-5;
	return o;
}

static int fit(int loss, const struct lagoon_linear_data *d,
	       const struct lagoon_linear_options *o, double *w,
	       struct lagoon_linear_result *r)
{
	if (loss == LAGOON_LINEAR_LOGISTIC)
		return lagoon_logistic_fit(t_lg, d, o, w, r);
	if (loss == LAGOON_LINEAR_SOFTMAX)
		return lagoon_softmax_fit(t_lg, d, o, w, r);
	return lagoon_svm_fit(t_lg, d, o, w, r);
}

/* l2 is 1: the objective is at most |gradient|^2 / 2 above the minimum. */
void linear_check_minimum(int loss, int outputs, double *w, double value,
			  const double *g)
{
	double square = 0, ignored[COLS * CLASSES], accuracy;

	for (int k = 0; k < COLS * outputs; k++)
		square += g[k] * g[k];
	if (loss != LAGOON_LINEAR_HINGE)
		T_CHECK(square / 2 <= NEAR * value, "loss %d: %g above the "
			"minimum, or less", loss, square / 2);
	for (int k = 0; k < COLS && loss == LAGOON_LINEAR_HINGE; k++)
		for (int sign = -1; sign < 2; sign += 2) {
			double was = w[k], there;

			w[k] += sign * 0.02;
			there = linear_reference(loss, outputs, w, ignored, &accuracy);
			w[k] = was;
			T_CHECK(there >= value * (1 - NEAR), "weight %d: %g "
				"there, %g here", k, there, value);
		}
}

static void check_form(enum t_form which, int loss, int method)
{
	int classes = loss == LAGOON_LINEAR_SOFTMAX ? CLASSES : 2;
	int outputs = classes == 2 ? 1 : classes;
	struct lagoon_linear_options o = linear_options(loss, method);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	struct lagoon_linear_data d;
	double w[COLS * CLASSES], g[COLS * CLASSES], value, accuracy;

	linear_take(classes);
	d = linear_form(which, classes == 2 ? 0 : classes);
	t_ok(fit(loss, &d, &o, w, &r), "fit");
	value = linear_reference(loss, outputs, w, g, &accuracy);
	T_CHECK(r.converged && r.rows == ROWS && r.features == COLS &&
		r.outputs == outputs && r.classes == classes && !r.weights,
		"form %d, loss %d, method %d: converged %d", which, loss, method,
		r.converged);
	T_CHECK(r.labels[0] == 7 && r.labels[1] == 9 && (outputs == 1 ||
							 r.labels[2] == 11),
		"labels %g and %g", r.labels[0], r.labels[1]);
	T_CHECK(fabs(r.objective - value) <= 1e-6 * value,
		"form %d, loss %d, method %d: it says %.12g, there is %.12g",
		which, loss, method, r.objective, value);
	T_CHECK(fabs(r.accuracy - accuracy) < 1e-12 && r.test_accuracy == -1 &&
		r.gap == -1, "accuracy %g, there is %g", r.accuracy, accuracy);
	linear_check_minimum(loss, outputs, w, value, g);
	lagoon_linear_result_free(&r);
}

/* ------------------------------------------------------------ bad input */

void linear_expect(const struct lagoon_linear_data *d,
		   const struct lagoon_linear_options *o, int error,
		   const char *text)
{
	struct lagoon_linear_result r = { .size = sizeof(r) };
	double w[COLS * CLASSES] = { 42 };
	int rc = lagoon_linear_fit(t_lg, d, o, w, &r);

	T_CHECK(rc == error, "%s: result %d", text, rc);
	T_CHECK(strstr(lagoon_errmsg(), text), "\"%s\", expected \"%s\"",
		lagoon_errmsg(), text);
	T_CHECK(w[0] == 42 && r.epochs == 0 && !r.labels,
		"%s: outputs were written", text);
}

/* Only the last rank has it. */
static void bad_elements(void)
{
	bool last = lagoon_rank(t_lg) == lagoon_size(t_lg) - 1;
	struct lagoon_linear_options o = linear_options(LAGOON_LINEAR_HINGE, 0);
	struct lagoon_linear_data d;
	char rank[64];

	linear_take(2);
	d = linear_form(DENSE, 0);
	if (last)
		mine.dense[2 * COLS + 4] = NAN;
	linear_expect(&d, &o, LAGOON_EINVAL, "row 3: column 5 is nan: expected a finite");
	snprintf(rank, sizeof(rank), "rank %d: ", lagoon_size(t_lg) - 1);
	T_CHECK(lagoon_size(t_lg) == 1 || strstr(lagoon_errmsg(), rank),
		"no rank: %s", lagoon_errmsg());
	linear_take(2);
	if (last)
		mine.y[0] = INFINITY;
	linear_expect(&d, &o, LAGOON_EINVAL, "row 1: the label is inf");
	linear_take(2);
	if (last)
		mine.y[1] = 8;
	linear_expect(&d, &o, LAGOON_EINVAL, "expected two distinct labels, there are");
	linear_take(2);
	for (size_t i = 0; i < mine.rows; i++)
		mine.y[i] = 9;
	linear_expect(&d, &o, LAGOON_EINVAL, "every label is 9: expected two distinct");
	linear_take(2);
	d = linear_form(CSR_F32_FROM_1, 0);
	if (last)
		mine.index64[0] = COLS + 1;
	linear_expect(&d, &o, LAGOON_EINVAL, "row 1: column index 9: expected 1 to 8");
	linear_take(2);
	if (last)
		mine.index64[0] = mine.index64[1];
	linear_expect(&d, &o, LAGOON_EINVAL, "stands there twice");
	linear_take(2);
	d = linear_form(DENSE, 0);
	if (last)
		d.cols = COLS - 1;
	if (lagoon_size(t_lg) > 1)
		linear_expect(&d, &o, LAGOON_EINVAL, "7 columns in worker");
}

static void bad_options(void)
{
	struct lagoon_linear_options o = linear_options(LAGOON_LINEAR_SOFTMAX, 0);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	struct lagoon_linear_data d;

	linear_take(CLASSES);
	d = linear_form(DENSE, 2);
	linear_expect(&d, &o, LAGOON_EINVAL, "data: 3 labels: expected 2, its classes");
	d = linear_form(DENSE, 0);
	linear_expect(&d, &o, LAGOON_EINVAL, "classes 0: expected 2 to 1024");
	T_CHECK(lagoon_svm_fit(t_lg, &d, &o, NULL, &r) == LAGOON_EINVAL &&
		strstr(lagoon_errmsg(), "svm: loss 3: expected hinge"), "%s",
		lagoon_errmsg());
	o = linear_options(LAGOON_LINEAR_HINGE, 99);
	linear_expect(&d, &o, LAGOON_EINVAL, "method 99: expected 0 to");
	o = linear_options(4, 0);
	linear_expect(&d, &o, LAGOON_EINVAL, "loss 4: expected 0 to 3");
	o = linear_options(0, 0);
	o.c = 0;
	linear_expect(&d, &o, LAGOON_EINVAL, "c 0: expected a number above 0");
	o = linear_options(0, 0);
	o.l1 = NAN;
	linear_expect(&d, &o, LAGOON_EINVAL, "l1 nan");
	o = linear_options(0, LAGOON_LINEAR_DOWNPOUR);
	o.l1 = 1;
	linear_expect(&d, &o, LAGOON_ENOTSUP, "downpour: l1 is 1: it can do 0 only");
	o = linear_options(0, LAGOON_LINEAR_DOWNPOUR);
	o.model = LAGOON_VAP;
	linear_expect(&d, &o, LAGOON_ENOTSUP, "downpour: it cannot work under vap");
	o = linear_options(0, 0);
	o.n_push = 0;
	linear_expect(&d, &o, LAGOON_EINVAL, "n_push 0: expected 1 or more");
	o = linear_options(0, 0);
	o.every = 3;
	linear_expect(&d, &o, LAGOON_EINVAL, "every is 3: expected a folder");
}

/* What the defaults are for each loss. */
static void default_methods(void)
{
	static const int best[] = {
		[LAGOON_LINEAR_LOGISTIC] = LAGOON_LINEAR_LBFGS,
		[LAGOON_LINEAR_HINGE] = LAGOON_LINEAR_SDCA,
		[LAGOON_LINEAR_SQUARED_HINGE] = LAGOON_LINEAR_LBFGS,
		[LAGOON_LINEAR_SOFTMAX] = LAGOON_LINEAR_LBFGS,
	};

	for (int loss = 0; loss <= LAGOON_LINEAR_SOFTMAX; loss++) {
		int classes = loss == LAGOON_LINEAR_SOFTMAX ? CLASSES : 0;
		struct lagoon_linear_result r = { .size = sizeof(r) };
		struct lagoon_linear_options o;
		struct lagoon_linear_data d;

		lagoon_linear_options_init(&o);
		o.loss = loss;
		linear_take(classes ? classes : 2);
		d = linear_form(DENSE, classes);
		t_ok(lagoon_linear_fit(t_lg, &d, &o, NULL, &r), "fit");
		T_CHECK(r.method == best[loss] && r.converged, "loss %d: method "
			"%d, converged %d", loss, r.method, r.converged);
		lagoon_linear_result_free(&r);
	}
}

/* ------------------------------------------------------------- stopping */

static int stop_at_3(void *arg, const struct lagoon_linear_epoch *e)
{
	*(int *)arg = e->epoch;
	return lagoon_rank(t_lg) == lagoon_size(t_lg) - 1 && e->epoch >= 3;
}

static void stops(void)
{
	struct lagoon_linear_options o = linear_options(0, LAGOON_LINEAR_SGD);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	struct lagoon_linear_data d;
	int seen = 0;

	linear_take(2);
	d = linear_form(CSR, 2);
	o.progress = stop_at_3;
	o.progress_arg = &seen;
	t_ok(lagoon_linear_fit(t_lg, &d, &o, NULL, &r), "fit");
	T_CHECK(r.stopped && r.epochs == 4 && seen == 4, "stopped %d, epochs "
		"%d, seen %d", r.stopped, r.epochs, seen);
	lagoon_linear_result_free(&r);
}

/* ------------------------------------------------------------ going on */

/* At the end of the third epoch, in one worker of the last rank alone. */
static int interrupt(void *arg)
{
	return lagoon_rank(t_lg) == lagoon_size(t_lg) - 1 &&
		__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED) == 5;
}

static int see_first(void *arg, const struct lagoon_linear_epoch *e)
{
	if (!*(int *)arg)
		*(int *)arg = e->epoch;
	return 0;
}

static void goes_on(const char *folder, int loss, int method)
{
	struct lagoon_linear_options o = linear_options(loss, method);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	struct lagoon_linear_data d;
	struct t_weights in = { .rows = COLS + 2, .cols = 1, .put = 0.25 };
	double w[COLS], g[COLS], value, accuracy;
	int calls = 0, first = 0;

	linear_take(2);
	d = linear_form(CSR, 0);
	o.table = in.t = linear_make_table("mine", 1, LAGOON_Q64, NULL);
	t_ok(lagoon_run(t_lg, t_weights_use, &in), "put");
	o.checkpoint = folder;
	o.interrupted = interrupt;
	o.interrupted_arg = &calls;
	t_ok(lagoon_linear_fit(t_lg, &d, &o, w, &r), "fit");
	T_CHECK(r.interrupted && r.epochs == 3 && !r.converged,
		"interrupted %d, epochs %d", r.interrupted, r.epochs);
	lagoon_linear_result_free(&r);
	o = linear_options(loss, method);
	o.resume = folder;
	o.table = in.t;
	o.progress = see_first;
	o.progress_arg = &first;
	t_ok(lagoon_linear_fit(t_lg, &d, &o, w, &r), "going on");
	T_CHECK(first == 4 && r.converged && !r.interrupted,
		"it went on with epoch %d", first);
	value = linear_reference(loss, 1, w, g, &accuracy);
	linear_check_minimum(loss, 1, w, value, g);
	lagoon_linear_result_free(&r);
	in.put = 0;
	t_ok(lagoon_run(t_lg, t_weights_use, &in), "get");
	for (int k = 0; k < COLS + 2; k++)
		T_CHECK(fabs(in.got[k] - (k < COLS ? w[k] : 0.25)) < 1e-6,
			"method %d: weight %d is %g in the table", method, k,
			in.got[k]);
	o.c = 1.01;
	linear_expect(&d, &o, LAGOON_EINVAL, "a checkpoint with c 1, l1 0 and l2 1");
	o = linear_options(loss, LAGOON_LINEAR_GRADIENT);
	o.resume = folder;
	linear_expect(&d, &o, LAGOON_EINVAL, "a checkpoint of loss");
	o = linear_options(loss, method);
	o.resume = folder;
	if (mine.rows == ROWS || lagoon_rank(t_lg) == lagoon_size(t_lg) - 1)
		mine.sparse.rows--;
	if (method == LAGOON_LINEAR_PROXIMAL)	/* it keeps nothing of rows */
		linear_expect(&d, &o, LAGOON_EINVAL, "a checkpoint of other data");
	else
		linear_expect(&d, &o, LAGOON_EEXIST, "linear rows");
	t_ok(lagoon_table_destroy(in.t), "destroy");
}

static void restarts(void)
{
	const char *folder = t_folder();

	goes_on(folder, LAGOON_LINEAR_LOGISTIC, LAGOON_LINEAR_ADAGRAD);
	if (t_scale() >= 1) {
		goes_on(folder, LAGOON_LINEAR_SQUARED_HINGE, LAGOON_LINEAR_SGD);
		goes_on(folder, LAGOON_LINEAR_SQUARED_HINGE, LAGOON_LINEAR_SDCA);
	}
	goes_on(folder, LAGOON_LINEAR_SQUARED_HINGE, LAGOON_LINEAR_PROXIMAL);
	t_sync();
	t_folder_remove();
}

/* Rank 1 has no workers. */
static void idle_process(void)
{
	struct lagoon_linear_options o = linear_options(0, 0);
	struct lagoon_linear_data d;

	linear_take(2);
	d = linear_form(DENSE, 0);
	linear_expect(&d, &o, LAGOON_EINVAL, lagoon_rank(t_lg) ?
		      "a process without workers" : "they must agree");
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("linear_arrays", 0);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.workers = argc > 1 && t_rank() == 1 ? 0 : 2;
	t_open(&attr, NULL);
	make();
	if (argc > 1 && !strcmp(argv[1], "idle")) {
		idle_process();
		t_close();
		return 0;
	}
	for (int f = 0; f < FORMS; f++)
		check_form(f, f, LAGOON_LINEAR_ADAGRAD);
	for (int method = LAGOON_LINEAR_SGD; method <= LAGOON_LINEAR_DOWNPOUR;
	     method += 2)
		for (int loss = 0; loss <= LAGOON_LINEAR_SOFTMAX; loss++)
			if (t_scale() >= 1 || loss % 2 == method / 2)
				check_form(CSR, loss, method);
	default_methods();
	bad_elements();
	bad_options();
	linear_tables();
	stops();
	restarts();
	check_form(DENSE, 0, LAGOON_LINEAR_ADAGRAD);	/* after the errors */
	t_close();
	return 0;
}
