/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train logistic`, by svrg. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/args.h"
#include "tools/train.h"
#include "tools/train_logistic.h"

struct logistic {
	struct train_job job;
	const char *test;
	const char *trace;
	struct lagoon_logistic_options fit;
};

enum {
	KEY_DATA = 256, KEY_TEST, KEY_C, KEY_RATE, KEY_EPOCHS, KEY_TOLERANCE,
	KEY_ZERO_BASED, KEY_BATCH, KEY_CHANGE, KEY_TRACE, KEY_METHOD,
};

static const struct argp_option table[] = {
	{ "data", KEY_DATA, "FILE", 0, "Rows to train on, LIBSVM format", 0 },
	{ "test", KEY_TEST, "FILE", 0, "Rows to measure the accuracy on", 0 },
	{ "zero-based", KEY_ZERO_BASED, NULL, 0,
	  "Column indices start at 0, not 1", 0 },
	{ "c", KEY_C, "X", 0, "Weight of the loss [1]", 1 },
	{ "change", KEY_CHANGE, "X", 0,
	  "vap: how much of a weight's change a process may keep back [0.01]", 1 },
	{ "epochs", KEY_EPOCHS, "N", 0, "At most this many [200]", 1 },
	{ "tolerance", KEY_TOLERANCE, "X", 0,
	  "End when the objective changed by at most this share in 5 epochs [1e-4]", 1 },
	{ "method", KEY_METHOD, "svrg", 0,
	  "Or one of lagoon train logistic --method= --help [svrg]", 1 },
	{ "rate", KEY_RATE, "X", 0, "Length of steps [0.5]", 1 },
	{ "batch", KEY_BATCH, "N", 0,
	  "Rows a worker uses in a round [a 50th of its rows]", 1 },
	{ "trace", KEY_TRACE, "FILE", 0,
	  "Write a timeline of all workers there, in Chrome trace format", 1 },
	{ 0 }
};

static void check_end(struct argp_state *state, struct logistic *t)
{
	if (!t->job.report.solver)
		argp_failure(state, 2, 0, "no solver: lagoon train --help lists them");
	train_job_parse(&t->job, ARGP_KEY_END, NULL, state);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct logistic *t = state->input;

	switch (key) {
	case KEY_DATA: t->job.data = arg; break;
	case KEY_TEST: t->test = arg; break;
	case KEY_TRACE: t->trace = arg; break;
	case KEY_METHOD: break;		/* svrg: tool_train() */
	case KEY_ZERO_BASED: t->fit.zero_based = 1; break;
	case KEY_C: t->fit.c = args_number(state, "--c", arg, 0); break;
	case KEY_RATE:
		t->fit.rate = args_number(state, "--rate", arg, 0);
		break;
	case KEY_TOLERANCE:
		t->fit.tolerance = args_number(state, "--tolerance", arg, 1);
		break;
	case KEY_CHANGE:
		t->fit.change = args_number(state, "--change", arg, 1);
		break;
	case KEY_EPOCHS:
		t->fit.epochs = args_int(state, "--epochs", arg, 1, INT_MAX);
		break;
	case KEY_BATCH:
		t->fit.batch = args_count(state, "--batch", arg, 1, INT64_MAX);
		break;
	case ARGP_KEY_ARG:
		if (t->job.report.solver || strcmp(arg, "logistic"))
			argp_failure(state, 2, 0, "\"%s\": no such solver, as the first word: lagoon train --help lists them", arg);
		t->job.report.solver = arg;
		break;
	case ARGP_KEY_END:
		check_end(state, t);
		break;
	default:
		return train_job_parse(&t->job, key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .children = train_children,
	.args_doc = "logistic",
	.doc = "Fit an L2-regularised logistic regression, "
	       "0.5 w'w + C sum log(1 + exp(-y w'x)), to the rows of a file."
	       "\v"
	       "When FILE.planted stands beside the data (lagoon generate), the "
	       "summary tells how well its weights were recovered. --every counts "
	       "clocks: an epoch has one a batch and two more. The exit "
	       "status is 0; 2 for wrong usage, data or checkpoint; 1 if the run "
	       "failed; 75 if a signal ended it after a checkpoint, without a "
	       "model: start it again with --resume.",
};

static int save_model(const struct logistic *t,
		      const struct lagoon_logistic_result *r)
{
	struct lagoon_model_file model = {
		.size = sizeof(model),
		.solver = "logistic",
		.c = t->fit.c,
		.labels = { r->labels[0], r->labels[1] },
		.features = r->features,
		.weights = r->weights,
	};

	return lagoon_model_save(t->job.model, &model);
}

static int finish(struct logistic *t, const struct lagoon_logistic_result *r)
{
	struct logistic_recovery recovery = { 0 };
	int rc = t->job.model ? save_model(t, r) : 0;

	if (rc)
		return train_fail(rc);
	logistic_recover(t->job.data, r, &recovery);
	return logistic_end(&t->job.report, r, &recovery) ? 1 : 0;
}

static int fit(void *arg, struct lagoon *lg)
{
	struct logistic *t = arg;
	struct lagoon_logistic_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = logistic_epoch;
		t->fit.progress_arg = &t->job.report;
	}
	rc = lagoon_logistic_fit_file(lg, t->job.data, t->test, &t->fit, &result);
	status = train_job_status(&t->job, rc, result.interrupted, result.epochs);
	if (!status && !lagoon_rank(lg))
		status = finish(t, &result);
	t->job.clock = result.clock;
	lagoon_logistic_result_free(&result);
	return status;
}

int train_logistic(int argc, char **argv)
{
	struct logistic t = { 0 };

	lagoon_logistic_options_init(&t.fit);
	if (train_job_read(&t.job, &parser, argc, argv, &t))
		return 2;
	train_job_options(&t.job, &t.fit.model, &t.fit.staleness, &t.fit.sample,
			  &t.fit.seed);
	train_job_checkpoints(&t.job, &t.fit.checkpoint, &t.fit.every,
			      &t.fit.resume, &t.fit.interrupted);
	t.job.report.epochs = t.fit.epochs;
	t.job.report.change = t.fit.model == LAGOON_VAP ? t.fit.change : -1;
	if (t.trace && lagoon_model_check_path(t.trace))
		return train_fail(LAGOON_EIO);
	if (t.trace)
		setenv("LAGOON_TRACE", t.trace, 1);
	return train_job_run(&t.job, argc, argv, fit, &t);
}
