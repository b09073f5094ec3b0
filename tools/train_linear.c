/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train svm`, `softmax`, and `logistic --method` but svrg. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/args.h"
#include "tools/train.h"

struct linear {
	struct train_job job;
	const char *test;
	struct lagoon_linear_options fit;
};

enum {
	KEY_DATA = 256, KEY_TARGET, KEY_TEST, KEY_TEST_TARGET, KEY_FORMAT, KEY_ZERO_BASED, KEY_LOSS,
	KEY_METHOD, KEY_C, KEY_L1, KEY_L2, KEY_RATE, KEY_EPOCHS, KEY_TOLERANCE,
	KEY_BATCH, KEY_FETCH, KEY_PUSH, KEY_CHANGE, KEY_IN_ORDER,
	KEY_STREAM,
};

static const char *const methods[] = {
	[LAGOON_LINEAR_SGD] = "sgd", [LAGOON_LINEAR_ADAGRAD] = "adagrad",
	[LAGOON_LINEAR_DOWNPOUR] = "downpour", [LAGOON_LINEAR_LBFGS] = "lbfgs",
	[LAGOON_LINEAR_GRADIENT] = "gradient", [LAGOON_LINEAR_SDCA] = "sdca",
	[LAGOON_LINEAR_PROXIMAL] = "proximal", [LAGOON_LINEAR_FTRL] = "ftrl",
};
#define METHODS "auto|sgd|adagrad|downpour|lbfgs|gradient|sdca|proximal|ftrl"

/* The last one is not svm's. */
static const char *const losses[] = {
	[LAGOON_LINEAR_LOGISTIC] = "logistic", [LAGOON_LINEAR_HINGE] = "hinge",
	[LAGOON_LINEAR_SQUARED_HINGE] = "squared-hinge",
	[LAGOON_LINEAR_SOFTMAX] = "softmax",
};

static const struct argp_option table[] = {
	{ "data", KEY_DATA, "FILE", 0, "Rows to train on, plain or by gzip", 0 },
	{ "target", KEY_TARGET, "FILE", 0,
	  "Labels of MatrixMarket rows, a matrix of one column", 0 },
	{ "test", KEY_TEST, "FILE", 0, "Rows to measure the accuracy on", 0 },
	{ "test-target", KEY_TEST_TARGET, "FILE", 0, "Labels of these", 0 },
	{ "format", KEY_FORMAT, "libsvm|csv|matrix", 0,
	  "Of both; csv has the label last [by the name, else libsvm]", 0 },
	{ "zero-based", KEY_ZERO_BASED, NULL, 0,
	  "libsvm: column indices start at 0, not 1", 0 },
	{ "loss", KEY_LOSS, "hinge|squared-hinge", 0, "Of svm [hinge]", 0 },
	{ "method", KEY_METHOD, METHODS, 0, "How to minimise; auto: the first of lbfgs, sdca, proximal and adagrad that can [auto]", 0 },
	{ "c", KEY_C, "X", 0, "Weight of the losses [1]", 0 },
	{ "l1", KEY_L1, "X", 0, "Weight of the sum of |w| [0]", 0 },
	{ "l2", KEY_L2, "X", 0, "Weight of w'w / 2 [1]", 0 },
	{ "rate", KEY_RATE, "X", 0, "Length of steps [the method's own]", 0 },
	{ "epochs", KEY_EPOCHS, "N", 0, "At most this many [the method's own]", 0 },
	{ "tolerance", KEY_TOLERANCE, "X", 0,
	  "End when the gap is at most this share of the objective; without a gap, when that changed by as much in the last half of the epochs [1e-4]", 0 },
	{ "batch", KEY_BATCH, "N", 0,
	  "Rows a worker uses in a round [a 50th of its rows, with ftrl a 100th]", 0 },
	{ "n-fetch", KEY_FETCH, "N", 0,
	  "downpour: rounds from one fetch to the next [1]", 0 },
	{ "n-push", KEY_PUSH, "N", 0,
	  "downpour: rounds from one push to the next [1]", 0 },
	{ "in-order", KEY_IN_ORDER, NULL, 0,
	  "Use rows in the order of the file, not in one drawn from the seed", 0 },
	{ "stream", KEY_STREAM, NULL, 0,
	  "Rows stay in the file and are read block by block, in order; sgd, adagrad, downpour and ftrl", 0 },
	{ "change", KEY_CHANGE, "X", 0,
	  "vap: how much of a weight's change a process may keep back [0.01]", 0 },
	{ 0 }
};

/* ------------------------------------------------------------- options */

static void take_solver(struct linear *t, struct argp_state *state, char *arg)
{
	if (state->arg_num)
		argp_failure(state, 2, 0, "\"%s\": expected an option", arg);
	t->job.report.solver = arg;
	if (!strcmp(arg, "svm"))
		t->fit.loss = LAGOON_LINEAR_HINGE;
	if (!strcmp(arg, "softmax"))
		t->fit.loss = LAGOON_LINEAR_SOFTMAX;
}

static void take_loss(struct linear *t, struct argp_state *state, char *arg)
{
	if (strcmp(t->job.report.solver, "svm"))
		argp_failure(state, 2, 0, "--loss with %s: expected svm",
			     t->job.report.solver);
	t->fit.loss = LAGOON_LINEAR_HINGE +
		args_choice(state, "--loss", arg, losses + LAGOON_LINEAR_HINGE, 2,
			    "hinge or squared-hinge");
}

/* Of data and job. */
static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
	struct linear *t = state->input;

	switch (key) {
	case KEY_DATA: t->job.data = arg; break;
	case KEY_TARGET: t->fit.target = arg; break;
	case KEY_TEST: t->test = arg; break;
	case KEY_TEST_TARGET: t->fit.test_target = arg; break;
	case KEY_FORMAT: t->fit.format = args_format(state, arg); break;
	case KEY_ZERO_BASED: t->fit.zero_based = 1; break;
	case KEY_IN_ORDER: t->fit.in_order = 1; break;
	case KEY_STREAM: t->fit.stream = 1; break;
	case KEY_LOSS: take_loss(t, state, arg); break;
	case ARGP_KEY_ARG: take_solver(t, state, arg); break;
	default:
		return train_job_parse(&t->job, key, arg, state);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct linear *t = state->input;
	struct lagoon_linear_options *o = &t->fit;

	switch (key) {
	case KEY_METHOD:
		o->method = !strcmp(arg, "auto") ? LAGOON_LINEAR_AUTO :
			args_choice(state, "--method", arg, methods,
				    (int)LGN_COUNT(methods), METHODS);
		break;
	case KEY_C: o->c = args_number(state, "--c", arg, 0); break;
	case KEY_L1: o->l1 = args_number(state, "--l1", arg, 1); break;
	case KEY_L2: o->l2 = args_number(state, "--l2", arg, 1); break;
	case KEY_RATE: o->rate = args_number(state, "--rate", arg, 0); break;
	case KEY_EPOCHS:
		o->epochs = args_int(state, "--epochs", arg, 1, INT_MAX);
		break;
	case KEY_TOLERANCE:
		o->tolerance = args_number(state, "--tolerance", arg, 1);
		break;
	case KEY_BATCH:
		o->batch = args_count(state, "--batch", arg, 1, INT64_MAX);
		break;
	case KEY_FETCH:
		o->n_fetch = args_int(state, "--n-fetch", arg, 1, INT_MAX);
		break;
	case KEY_PUSH:
		o->n_push = args_int(state, "--n-push", arg, 1, INT_MAX);
		break;
	case KEY_CHANGE:
		o->change = args_number(state, "--change", arg, 1);
		break;
	default:
		return parse_rest(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .children = train_children,
	.args_doc = "logistic|softmax|svm",
	.doc = "Fit a linear classifier without a bias, l2 w'w / 2 + l1 sum |w| + "
	       "C sum of losses, to the rows of a file."
	       "\v"
	       "The exit status is 0; 2 for wrong usage, data or checkpoint; 1 if the "
	       "run failed; 75 if a signal ended it after a checkpoint, without a "
	       "model: start it again with --resume.",
};

/* ------------------------------------------------------------ reports */

static json_t *real_or_null(double x)
{
	return x < 0 ? json_null() : json_real(x);
}

static int on_epoch(void *arg, const struct lagoon_linear_epoch *e)
{
	struct train_report *r = arg;

	if (e->gap < 0)
		train_progress(r, e->epoch, e->objective, e->seconds,
			       "accuracy %.2f %%", 100 * e->accuracy);
	else
		train_progress(r, e->epoch, e->objective, e->seconds,
			       "gap %.2g  accuracy %.2f %%", e->gap,
			       100 * e->accuracy);
	train_report_object(r, json_pack("{s:i, s:f, s:f, s:o, s:I, s:f}",
					 "epoch", e->epoch,
					 "objective", e->objective,
					 "accuracy", e->accuracy,
					 "gap", real_or_null(e->gap),
					 "nonzeros", (json_int_t)e->nonzeros,
					 "seconds", e->seconds));
	return 0;
}

static int save(const struct linear *t, const struct lagoon_linear_result *r)
{
	struct lagoon_model_file model = {
		.size = sizeof(model),
		.c = t->fit.c,
		.l1 = t->fit.l1,
		.l2 = t->fit.l2,
		.labels = { r->labels[0], r->labels[1] },
		.features = r->features,
		.weights = r->weights,
		.outputs = (uint64_t)r->outputs,
		.classes = r->outputs > 1 ? r->labels : NULL,
	};

	/* words of this file */
	strcpy(model.solver, t->job.report.solver);
	strcpy(model.method, methods[r->method]);
	if (!strcmp(t->job.report.solver, "svm"))
		strcpy(model.loss, losses[t->fit.loss]);
	return lagoon_model_save(t->job.model, &model);
}

static void print_summary(const struct lagoon_linear_result *r)
{
	printf("data           %llu rows, %llu features, %llu entries, %d labels\n",
	       (unsigned long long)r->rows, (unsigned long long)r->features,
	       (unsigned long long)r->entries, r->classes);
	printf("objective      %.12g after %d epochs of %s (%s)\n", r->objective,
	       r->epochs, methods[r->method],
	       r->converged ? "converged" : "not converged");
	if (r->gap >= 0)
		printf("duality gap    %.3g\n", r->gap);
	printf("accuracy       %.4f %%", 100 * r->accuracy);
	if (r->test_accuracy >= 0)
		printf(", test %.4f %%", 100 * r->test_accuracy);
	printf("\nnonzeros       %llu\n", (unsigned long long)r->nonzeros);
	printf("seconds        %.3f, of it %.3f reading\n", r->seconds,
	       r->read_seconds);
}

static int finish(struct linear *t, const struct lagoon_linear_result *r)
{
	int rc = t->job.model ? save(t, r) : 0;

	if (rc)
		return train_fail(rc);
	print_summary(r);
	train_report_object(&t->job.report, json_pack(
		"{s:f, s:o, s:f, s:o, s:I, s:i, s:b, s:I, s:I, s:i, s:f}",
		"objective", r->objective, "gap", real_or_null(r->gap),
		"accuracy", r->accuracy,
		"test_accuracy", real_or_null(r->test_accuracy),
		"nonzeros", (json_int_t)r->nonzeros, "epochs", r->epochs,
		"converged", r->converged, "rows", (json_int_t)r->rows,
		"features", (json_int_t)r->features, "classes", r->classes,
		"seconds", r->seconds));
	return 0;
}

/* ---------------------------------------------------------------- runs */

static int fit(void *arg, struct lagoon *lg)
{
	struct linear *t = arg;
	struct lagoon_linear_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = on_epoch;
		t->fit.progress_arg = &t->job.report;
	}
	rc = lagoon_linear_fit_file(lg, t->job.data, t->test, &t->fit, &result);
	status = train_job_status(&t->job, rc, result.interrupted, result.epochs);
	if (!status && !lagoon_rank(lg))
		status = finish(t, &result);
	lagoon_linear_result_free(&result);
	return status;
}

int train_linear(int argc, char **argv)
{
	struct linear t = { 0 };

	lagoon_linear_options_init(&t.fit);
	if (train_job_read(&t.job, &parser, argc, argv, &t))
		return 2;
	train_job_options(&t.job, &t.fit.model, &t.fit.staleness,
			  &t.fit.sample, &t.fit.seed);
	train_job_checkpoints(&t.job, &t.fit.checkpoint, &t.fit.every,
			      &t.fit.resume, &t.fit.interrupted);
	t.job.report.epochs = t.fit.epochs ? t.fit.epochs : 1000;
	return train_job_run(&t.job, argc, argv, fit, &t);
}
