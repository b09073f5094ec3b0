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

#include "kernels/lagoon_solve.h"
#include "test/support/test.h"

enum { ROWS = 90, COLS = 8, CLASSES = 3 };

static const double near = 2e-4;	/* of the objective */

/* The same in every process; a third of x is zero. */
static double x[ROWS][COLS];
static int class[ROWS];

/* The rows of this process, in every form. */
static struct {
	size_t rows;
	double dense[ROWS * COLS], val[ROWS * COLS], label[ROWS];
	float dense_f32[ROWS * COLS], val_f32[ROWS * COLS], label_f32[ROWS];
	int32_t start32[ROWS + 1], index32[ROWS * COLS];
	int64_t start64[ROWS + 1], index64[ROWS * COLS];
} mine;

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

/* Two classes: 7 and 9. Rank r has rows [begin, end); rank 1 of 3 has none. */
static void take(int classes)
{
	int rank = lagoon_rank(t_lg), size = lagoon_size(t_lg);
	int begin = ROWS * rank / size, end = ROWS * (rank + 1) / size;
	int64_t n = 0;

	if (size == 3) {
		begin = rank == 2 ? 30 : 0;
		end = rank == 0 ? 30 : rank == 1 ? 0 : ROWS;
	}
	mine.rows = (size_t)(end - begin);
	mine.start32[0] = 0;
	mine.start64[0] = 1;	/* counts from 1 */
	for (int i = begin; i < end; i++) {
		int k = i - begin;
		int c = classes == 2 ? class[i] > 0 : class[i];

		mine.label[k] = 7 + 2 * c;
		mine.label_f32[k] = (float)mine.label[k];
		for (int j = 0; j < COLS; j++) {
			mine.dense[k * COLS + j] = x[i][j];
			mine.dense_f32[k * COLS + j] = (float)x[i][j];
			if (x[i][j] == 0)
				continue;
			mine.val[n] = x[i][j];
			mine.val_f32[n] = (float)x[i][j];
			mine.index32[n] = j;
			mine.index64[n++] = j + 1;
		}
		mine.start32[k + 1] = (int32_t)n;
		mine.start64[k + 1] = n + 1;
	}
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
static double reference(int loss, int outputs, const double *w, double *g,
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

enum form { DENSE, DENSE_F32, CSR, CSR_F32_FROM_1, FORMS };

static struct lagoon_sparse sparse;

static struct lagoon_linear_data form(enum form which, int classes)
{
	struct lagoon_linear_data d = {
		.size = sizeof(d), .rows = mine.rows, .cols = COLS,
		.stride = COLS, .real_size = which == DENSE ? 8 : 4,
		.dense = which == DENSE ? (void *)mine.dense : mine.dense_f32,
		.label = which == DENSE || which == CSR ?
			(void *)mine.label : mine.label_f32,
		.classes = classes,
	};

	if (which < CSR)
		return d;
	sparse = (struct lagoon_sparse){
		.rows = mine.rows, .cols = COLS, .layout = LAGOON_CSR,
		.real_size = which == CSR ? 8 : 4,
		.index_size = which == CSR ? 4 : 8,
		.base = which == CSR ? 0 : 1,
		.start = which == CSR ? (void *)mine.start32 : mine.start64,
		.index = which == CSR ? (void *)mine.index32 : mine.index64,
		.val = which == CSR ? (void *)mine.val : mine.val_f32,
	};
	d.sparse = &sparse;
	return d;
}

static struct lagoon_linear_options options(int loss, int method)
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
static void check_minimum(int loss, int outputs, double *w, double value,
			  const double *g)
{
	double square = 0, ignored[COLS * CLASSES], accuracy;

	for (int k = 0; k < COLS * outputs; k++)
		square += g[k] * g[k];
	if (loss != LAGOON_LINEAR_HINGE)
		T_CHECK(square / 2 <= near * value, "loss %d: %g above the "
			"minimum, or less", loss, square / 2);
	for (int k = 0; k < COLS && loss == LAGOON_LINEAR_HINGE; k++)
		for (int sign = -1; sign < 2; sign += 2) {
			double was = w[k], there;

			w[k] += sign * 0.02;
			there = reference(loss, outputs, w, ignored, &accuracy);
			w[k] = was;
			T_CHECK(there >= value * (1 - near), "weight %d: %g "
				"there, %g here", k, there, value);
		}
}

static void check_form(enum form which, int loss, int method)
{
	int classes = loss == LAGOON_LINEAR_SOFTMAX ? CLASSES : 2;
	int outputs = classes == 2 ? 1 : classes;
	struct lagoon_linear_options o = options(loss, method);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	struct lagoon_linear_data d;
	double w[COLS * CLASSES], g[COLS * CLASSES], value, accuracy;

	take(classes);
	d = form(which, classes == 2 ? 0 : classes);
	t_ok(fit(loss, &d, &o, w, &r), "fit");
	value = reference(loss, outputs, w, g, &accuracy);
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
	check_minimum(loss, outputs, w, value, g);
	lagoon_linear_result_free(&r);
}

/* ------------------------------------------------------------ bad input */

static void expect(const struct lagoon_linear_data *d,
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
	struct lagoon_linear_options o = options(LAGOON_LINEAR_HINGE, 0);
	struct lagoon_linear_data d;
	char rank[64];

	take(2);
	d = form(DENSE, 0);
	if (last)
		mine.dense[2 * COLS + 4] = NAN;
	expect(&d, &o, LAGOON_EINVAL, "row 3: column 5 is nan: expected a finite");
	snprintf(rank, sizeof(rank), "rank %d: ", lagoon_size(t_lg) - 1);
	T_CHECK(lagoon_size(t_lg) == 1 || strstr(lagoon_errmsg(), rank),
		"no rank: %s", lagoon_errmsg());
	take(2);
	if (last)
		mine.label[0] = INFINITY;
	expect(&d, &o, LAGOON_EINVAL, "row 1: the label is inf");
	take(2);
	if (last)
		mine.label[1] = 8;
	expect(&d, &o, LAGOON_EINVAL, "expected two distinct labels, there are");
	take(2);
	for (size_t i = 0; i < mine.rows; i++)
		mine.label[i] = 9;
	expect(&d, &o, LAGOON_EINVAL, "every label is 9: expected two distinct");
	take(2);
	d = form(CSR_F32_FROM_1, 0);
	if (last)
		mine.index64[0] = COLS + 1;
	expect(&d, &o, LAGOON_EINVAL, "row 1: column index 9: expected 1 to 8");
	take(2);
	if (last)
		mine.index64[0] = mine.index64[1];
	expect(&d, &o, LAGOON_EINVAL, "stands there twice");
	take(2);
	d = form(DENSE, 0);
	if (last)
		d.cols = COLS - 1;
	if (lagoon_size(t_lg) > 1)
		expect(&d, &o, LAGOON_EINVAL, "7 columns in worker");
}

static void bad_options(void)
{
	struct lagoon_linear_options o = options(LAGOON_LINEAR_SOFTMAX, 0);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	struct lagoon_linear_data d;

	take(CLASSES);
	d = form(DENSE, 2);
	expect(&d, &o, LAGOON_EINVAL, "data: 3 labels: expected 2, its classes");
	d = form(DENSE, 0);
	expect(&d, &o, LAGOON_EINVAL, "classes 0: expected 2 to 1024");
	T_CHECK(lagoon_svm_fit(t_lg, &d, &o, NULL, &r) == LAGOON_EINVAL &&
		strstr(lagoon_errmsg(), "svm: loss 3: expected hinge"), "%s",
		lagoon_errmsg());
	o = options(LAGOON_LINEAR_HINGE, 99);
	expect(&d, &o, LAGOON_EINVAL, "method 99: expected 0 to");
	o = options(4, 0);
	expect(&d, &o, LAGOON_EINVAL, "loss 4: expected 0 to 3");
	o = options(0, 0);
	o.c = 0;
	expect(&d, &o, LAGOON_EINVAL, "c 0: expected a number above 0");
	o = options(0, 0);
	o.l1 = NAN;
	expect(&d, &o, LAGOON_EINVAL, "l1 nan");
	o = options(0, LAGOON_LINEAR_DOWNPOUR);
	o.l1 = 1;
	expect(&d, &o, LAGOON_ENOTSUP, "downpour: l1 is 1: it can do 0 only");
	o = options(0, LAGOON_LINEAR_DOWNPOUR);
	o.model = LAGOON_VAP;
	expect(&d, &o, LAGOON_ENOTSUP, "downpour: it cannot work under vap");
	o = options(0, 0);
	o.n_push = 0;
	expect(&d, &o, LAGOON_EINVAL, "n_push 0: expected 1 or more");
	o = options(0, 0);
	o.every = 3;
	expect(&d, &o, LAGOON_EINVAL, "every is 3: expected a folder");
}

/* ------------------------------------------------------------- stopping */

static int stop_at_3(void *arg, const struct lagoon_linear_epoch *e)
{
	*(int *)arg = e->epoch;
	return lagoon_rank(t_lg) == lagoon_size(t_lg) - 1 && e->epoch >= 3;
}

static void stops(void)
{
	struct lagoon_linear_options o = options(0, LAGOON_LINEAR_SGD);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	struct lagoon_linear_data d;
	int seen = 0;

	take(2);
	d = form(CSR, 2);
	o.progress = stop_at_3;
	o.progress_arg = &seen;
	t_ok(lagoon_linear_fit(t_lg, &d, &o, NULL, &r), "fit");
	T_CHECK(r.stopped && r.epochs == 4 && seen == 4, "stopped %d, epochs "
		"%d, seen %d", r.stopped, r.epochs, seen);
	lagoon_linear_result_free(&r);
}

/* ------------------------------------------------------------ going on */

struct shared {
	char dir[64];
};

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

static void goes_on(int loss, int method)
{
	struct shared *shared = t_shared;
	struct lagoon_linear_options o = options(loss, method);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	struct lagoon_linear_data d;
	double w[COLS], g[COLS], value, accuracy;
	int calls = 0, first = 0;

	take(2);
	d = form(CSR, 0);
	o.checkpoint = shared->dir;
	o.interrupted = interrupt;
	o.interrupted_arg = &calls;
	t_ok(lagoon_linear_fit(t_lg, &d, &o, w, &r), "fit");
	T_CHECK(r.interrupted && r.epochs == 3 && !r.converged,
		"interrupted %d, epochs %d", r.interrupted, r.epochs);
	lagoon_linear_result_free(&r);
	o = options(loss, method);
	o.resume = shared->dir;
	o.progress = see_first;
	o.progress_arg = &first;
	t_ok(lagoon_linear_fit(t_lg, &d, &o, w, &r), "going on");
	T_CHECK(first == 4 && r.converged && !r.interrupted,
		"it went on with epoch %d", first);
	value = reference(loss, 1, w, g, &accuracy);
	check_minimum(loss, 1, w, value, g);
	lagoon_linear_result_free(&r);
	o.c = 1.01;
	expect(&d, &o, LAGOON_EINVAL, "a checkpoint with c 1, l1 0 and l2 1");
	o = options(loss, LAGOON_LINEAR_GRADIENT);
	o.resume = shared->dir;
	expect(&d, &o, LAGOON_EINVAL, "a checkpoint of loss");
	o = options(loss, method);
	o.resume = shared->dir;
	if (mine.rows == ROWS || lagoon_rank(t_lg) == lagoon_size(t_lg) - 1)
		sparse.rows--;
	if (method == LAGOON_LINEAR_PROXIMAL)	/* it keeps nothing of rows */
		expect(&d, &o, LAGOON_EINVAL, "a checkpoint of other data");
	else
		expect(&d, &o, LAGOON_EEXIST, "linear rows");
}

static void restarts(void)
{
	struct shared *shared = t_shared;
	char command[100];

	if (!lagoon_rank(t_lg)) {
		strcpy(shared->dir, "/tmp/linear-XXXXXX");
		T_CHECK(mkdtemp(shared->dir), "mkdtemp");
	}
	t_sync();
	goes_on(LAGOON_LINEAR_LOGISTIC, LAGOON_LINEAR_ADAGRAD);
	goes_on(LAGOON_LINEAR_SQUARED_HINGE, LAGOON_LINEAR_SGD);
	goes_on(LAGOON_LINEAR_SQUARED_HINGE, LAGOON_LINEAR_SDCA);
	goes_on(LAGOON_LINEAR_SQUARED_HINGE, LAGOON_LINEAR_PROXIMAL);
	t_sync();
	snprintf(command, sizeof(command), "rm -rf %s", shared->dir);
	T_CHECK(lagoon_rank(t_lg) || !system(command), "rm");
}

/* Rank 1 has no workers. */
static void idle_process(void)
{
	struct lagoon_linear_options o = options(0, 0);
	struct lagoon_linear_data d;

	take(2);
	d = form(DENSE, 0);
	expect(&d, &o, LAGOON_EINVAL, lagoon_rank(t_lg) ?
	       "a process without workers" : "they must agree");
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("linear_arrays", sizeof(struct shared));
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
			check_form(CSR, loss, method);
	bad_elements();
	bad_options();
	stops();
	restarts();
	check_form(DENSE, 0, LAGOON_LINEAR_ADAGRAD);	/* after the errors */
	t_close();
	return 0;
}
