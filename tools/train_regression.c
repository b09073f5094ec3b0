/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train lasso`, `ridge` and `elastic-net`. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/attr.h"
#include "tools/args.h"
#include "tools/train.h"

struct regression {
	struct train_job job;
	const char *target;
	struct lagoon_regression_options fit;
};

enum {
	KEY_DATA = 256, KEY_TARGET, KEY_FORMAT, KEY_ZERO_BASED, KEY_METHOD,
	KEY_L1, KEY_L2, KEY_STANDARDISE, KEY_NO_INTERCEPT, KEY_TOLERANCE,
	KEY_EPOCHS, KEY_ROUNDS,
};

static const struct argp_option table[] = {
	{ "data", KEY_DATA, "FILE", 0, "Rows, plain or by gzip", 0 },
	{ "target", KEY_TARGET, "FILE", 0,
	  "Targets of MatrixMarket rows, a matrix of one column", 0 },
	{ "format", KEY_FORMAT, "libsvm|csv|matrix", 0,
	  "Of the data; csv has the target last [by the name, else libsvm]", 0 },
	{ "zero-based", KEY_ZERO_BASED, NULL, 0,
	  "libsvm: column indices start at 0, not 1", 0 },
	{ "l1", KEY_L1, "X", 0, "Weight of the sum of |w| [0]", 1 },
	{ "l2", KEY_L2, "X", 0, "Weight of w'w / 2 [0]", 1 },
	{ "standardise", KEY_STANDARDISE, NULL, 0,
	  "Divide columns by their deviation first", 1 },
	{ "no-intercept", KEY_NO_INTERCEPT, NULL, 0,
	  "Without one; zeros of the data then take no memory", 1 },
	{ "method", KEY_METHOD, "cd|sdca|mspg", 0,
	  "Coordinate descent, dual coordinate ascent, model-parallel proximal gradient [cd]", 2 },
	{ "tolerance", KEY_TOLERANCE, "X", 0,
	  "End when the duality gap is at most this share of the objective [1e-7]", 2 },
	{ "epochs", KEY_EPOCHS, "N", 0, "At most this many [1000]", 2 },
	{ "rounds", KEY_ROUNDS, "N", 0, "Clocks of an epoch [10; mspg 50]", 2 },
	{ 0 }
};

static int method(struct argp_state *state, const char *text)
{
	static const char *const names[] = {
		[LAGOON_CD] = "cd", [LAGOON_SDCA] = "sdca",
		[LAGOON_MSPG] = "mspg",
	};

	return args_choice(state, "--method", text, names, (int)LGN_COUNT(names),
			   "cd, sdca or mspg");
}

static void check_end(struct argp_state *state, struct regression *t)
{
	train_job_parse(&t->job, ARGP_KEY_END, NULL, state);
	if (t->fit.l2 != 0 && !strcmp(t->job.report.solver, "lasso"))
		argp_failure(state, 2, 0, "--l2 with lasso: expected elastic-net");
	if (t->fit.l1 != 0 && !strcmp(t->job.report.solver, "ridge"))
		argp_failure(state, 2, 0, "--l1 with ridge: expected elastic-net");
}

/* Of the data. */
static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
	struct regression *t = state->input;

	switch (key) {
	case KEY_DATA: t->job.data = arg; break;
	case KEY_TARGET: t->target = arg; break;
	case KEY_FORMAT: t->fit.format = args_format(state, arg); break;
	case KEY_ZERO_BASED: t->fit.zero_based = 1; break;
	case ARGP_KEY_END:
		check_end(state, t);
		break;
	default:
		return train_job_parse(&t->job, key, arg, state);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct regression *t = state->input;
	struct lagoon_regression_options *o = &t->fit;

	switch (key) {
	case KEY_L1: o->l1 = args_number(state, "--l1", arg, 1); break;
	case KEY_L2: o->l2 = args_number(state, "--l2", arg, 1); break;
	case KEY_STANDARDISE: o->standardise = 1; break;
	case KEY_NO_INTERCEPT: o->intercept = 0; break;
	case KEY_METHOD: o->method = method(state, arg); break;
	case KEY_TOLERANCE:
		o->tolerance = args_number(state, "--tolerance", arg, 1);
		break;
	case KEY_EPOCHS:
		o->epochs = args_int(state, "--epochs", arg, 1, INT_MAX);
		break;
	case KEY_ROUNDS:
		o->rounds = args_int(state, "--rounds", arg, 1, INT_MAX);
		break;
	default:
		return parse_rest(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .children = train_children,
	.args_doc = "lasso|ridge|elastic-net",
	.doc = "Fit a linear regression with penalties, sum (y - b - w'x)^2 / (2 n) "
	       "+ l1 sum |w| + l2 w'w / 2, to the rows of a file."
	       "\v"
	       "The exit status is 0; 2 for wrong usage, data or checkpoint; 1 if the "
	       "run failed; 75 if a signal ended it after a checkpoint, without a "
	       "model: start it again with --resume.",
};

/* ------------------------------------------------------------ reports */

static int on_epoch(void *arg, const struct lagoon_regression_epoch *e)
{
	struct train_report *r = arg;

	train_progress(r, e->epoch, e->objective, e->seconds,
		       "gap %.2g  nonzeros %llu", e->gap,
		       (unsigned long long)e->nonzeros);
	train_report_object(r, json_pack("{s:i, s:f, s:f, s:I, s:f}",
					 "epoch", e->epoch,
					 "objective", e->objective, "gap", e->gap,
					 "nonzeros", (json_int_t)e->nonzeros,
					 "seconds", e->seconds));
	return 0;
}

static int save(const struct regression *t,
		const struct lagoon_regression_result *r)
{
	struct lagoon_model_file model = {
		.size = sizeof(model),
		.l1 = t->fit.l1,
		.l2 = t->fit.l2,
		.standardised = t->fit.standardise,
		.intercept = r->intercept,
		.features = r->features,
		.weights = r->weights,
	};

	strcpy(model.solver, t->job.report.solver);	/* one of three words */
	return lagoon_model_save(t->job.model, &model);
}

static int finish(struct regression *t,
		  const struct lagoon_regression_result *r)
{
	int rc = t->job.model ? save(t, r) : 0;

	if (rc)
		return train_fail(rc);
	printf("data           %llu rows, %llu features, %llu entries\n",
	       (unsigned long long)r->rows, (unsigned long long)r->features,
	       (unsigned long long)r->entries);
	printf("objective      %.12g after %d epochs (%s)\n", r->objective,
	       r->epochs, r->converged ? "converged" : "not converged");
	printf("duality gap    %.3g\n", r->gap);
	printf("nonzeros       %llu\n", (unsigned long long)r->nonzeros);
	printf("seconds        %.3f, of it %.3f reading\n", r->seconds,
	       r->read_seconds);
	train_report_object(&t->job.report, json_pack(
		"{s:f, s:f, s:I, s:f, s:i, s:b, s:I, s:I, s:f}",
		"objective", r->objective, "gap", r->gap,
		"nonzeros", (json_int_t)r->nonzeros, "intercept", r->intercept,
		"epochs", r->epochs, "converged", r->converged,
		"rows", (json_int_t)r->rows,
		"features", (json_int_t)r->features, "seconds", r->seconds));
	return 0;
}

/* ---------------------------------------------------------------- runs */

static int fit(void *arg, struct lagoon *lg)
{
	struct regression *t = arg;
	struct lagoon_regression_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = on_epoch;
		t->fit.progress_arg = &t->job.report;
	}
	rc = lagoon_regression_fit_file(lg, t->job.data, t->target, &t->fit,
					&result);
	status = train_job_status(&t->job, rc, result.interrupted, result.epochs);
	if (!status && !lagoon_rank(lg))
		status = finish(t, &result);
	lagoon_regression_result_free(&result);
	return status;
}

int train_regression(int argc, char **argv)
{
	struct regression t = { 0 };

	lagoon_regression_options_init(&t.fit);
	if (train_job_read(&t.job, &parser, argc, argv, &t))
		return 2;
	train_job_options(&t.job, &t.fit.model, &t.fit.staleness,
			  &t.fit.sample, &t.fit.seed);
	train_job_checkpoints(&t.job, &t.fit.checkpoint, &t.fit.every,
			      &t.fit.resume, &t.fit.interrupted);
	t.job.report.epochs = t.fit.epochs;
	return train_job_run(&t.job, argc, argv, fit, &t);
}
