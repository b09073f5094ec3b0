/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train lasso`, `ridge` and `elastic-net`. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/attr.h"
#include "tools/args.h"
#include "tools/train.h"

struct regression {
	const char *solver;
	const char *data;
	const char *target;
	const char *model;
	struct train_report report;
	int processes;
	int nodes;
	int workers;
	struct lagoon_regression_options fit;
};

enum {
	KEY_DATA = 256, KEY_TARGET, KEY_FORMAT, KEY_ZERO_BASED, KEY_METHOD,
	KEY_L1, KEY_L2, KEY_STANDARDISE, KEY_NO_INTERCEPT, KEY_TOLERANCE,
	KEY_EPOCHS, KEY_ROUNDS, KEY_CONSISTENCY, KEY_STALENESS, KEY_SAMPLE,
	KEY_SEED, KEY_NODES, KEY_WORKERS, KEY_MODEL, KEY_REPORT,
	KEY_PLOT,
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
	{ "consistency", KEY_CONSISTENCY, "bsp|ssp|essp|psp|asp", 0,
	  "What workers see of each other [ssp]", 2 },
	{ "staleness", KEY_STALENESS, "N", 0,
	  "ssp, essp, psp: rounds that a read may lag [1]", 2 },
	{ "sample", KEY_SAMPLE, "K", 0,
	  "psp: other workers that a worker asks [1]", 2 },
	{ "seed", KEY_SEED, "N", 0, "Of the order and of rounding [1]", 2 },
	{ NULL, 'n', "N", 0,
	  "Start N processes on this machine; a launcher's own number counts more [1]", 3 },
	{ "nodes", KEY_NODES, "K", 0,
	  "Let them pretend to be spread over K nodes", 3 },
	{ "workers", KEY_WORKERS, "N", 0, "Threads in each process [1]", 3 },
	{ "model", KEY_MODEL, "FILE", 0, "Write the weights there", 4 },
	{ "report", KEY_REPORT, "FILE", 0,
	  "Append a JSON object an epoch and one at the end", 4 },
	{ "plot", KEY_PLOT, "FILE.svg", 0,
	  "Draw the objective over epochs and over time, by gnuplot", 4 },
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

static void check_end(struct argp_state *state, const struct regression *t)
{
	if (!t->data)
		argp_failure(state, 2, 0, "no --data FILE");
	if (t->fit.l2 != 0 && !strcmp(t->solver, "lasso"))
		argp_failure(state, 2, 0, "--l2 with lasso: expected elastic-net");
	if (t->fit.l1 != 0 && !strcmp(t->solver, "ridge"))
		argp_failure(state, 2, 0, "--l1 with ridge: expected elastic-net");
}

/* Of the job and its files. */
static error_t parse_job(int key, char *arg, struct argp_state *state)
{
	struct regression *t = state->input;

	switch (key) {
	case 'n':
		t->processes = (int)args_count(state, "-n", arg, 1, 4096);
		break;
	case KEY_NODES:
		t->nodes = (int)args_count(state, "--nodes", arg, 1, 1024);
		break;
	case KEY_WORKERS:
		t->workers = (int)args_count(state, "--workers", arg, 1, 1024);
		break;
	case KEY_DATA: t->data = arg; break;
	case KEY_TARGET: t->target = arg; break;
	case KEY_MODEL: t->model = arg; break;
	case KEY_REPORT: t->report.path = arg; break;
	case KEY_PLOT: t->report.plot = arg; break;
	case KEY_FORMAT: t->fit.format = args_format(state, arg); break;
	case KEY_ZERO_BASED: t->fit.zero_based = 1; break;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_failure(state, 2, 0, "\"%s\": expected an option",
				     arg);
		t->solver = arg;
		break;
	case ARGP_KEY_END:
		check_end(state, t);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
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
	case KEY_CONSISTENCY: o->model = train_consistency(state, arg); break;
	case KEY_TOLERANCE:
		o->tolerance = args_number(state, "--tolerance", arg, 1);
		break;
	case KEY_EPOCHS:
		o->epochs = (int)args_count(state, "--epochs", arg, 1, INT_MAX);
		break;
	case KEY_ROUNDS:
		o->rounds = (int)args_count(state, "--rounds", arg, 1, INT_MAX);
		break;
	case KEY_STALENESS:
		o->staleness = (int32_t)args_count(state, "--staleness", arg, 0,
						   INT32_MAX - 1);
		break;
	case KEY_SAMPLE:
		o->sample = (int32_t)args_count(state, "--sample", arg, 0,
						INT32_MAX);
		break;
	case KEY_SEED:
		o->seed = args_count(state, "--seed", arg, 0, INT64_MAX);
		break;
	default:
		return parse_job(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse,
	.args_doc = "lasso|ridge|elastic-net",
	.doc = "Fit a linear regression with penalties, sum (y - b - w'x)^2 / (2 n) "
	       "+ l1 sum |w| + l2 w'w / 2, to the rows of a file."
	       "\v"
	       "The exit status is 0; 2 for wrong usage or data; 1 if the run "
	       "failed.",
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

	strcpy(model.solver, t->solver);	/* one of three words */
	return lagoon_model_save(t->model, &model);
}

static int finish(struct regression *t,
		  const struct lagoon_regression_result *r)
{
	int rc = t->model ? save(t, r) : 0;

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
	train_report_object(&t->report, json_pack(
		"{s:f, s:f, s:I, s:f, s:i, s:b, s:I, s:I, s:f}",
		"objective", r->objective, "gap", r->gap,
		"nonzeros", (json_int_t)r->nonzeros, "intercept", r->intercept,
		"epochs", r->epochs, "converged", r->converged,
		"rows", (json_int_t)r->rows,
		"features", (json_int_t)r->features, "seconds", r->seconds));
	return train_plot(&t->report) || t->report.failed ? 1 : 0;
}

/* ---------------------------------------------------------------- runs */

static int fit(struct regression *t, struct lagoon *lg)
{
	struct lagoon_regression_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = on_epoch;
		t->fit.progress_arg = &t->report;
	}
	t->report.solver = t->solver;
	t->report.epochs = t->fit.epochs;
	rc = lagoon_regression_fit_file(lg, t->data, t->target, &t->fit,
					&result);
	train_progress_end(&t->report);
	status = rc ? train_fail(rc) : 0;
	if (!status && !lagoon_rank(lg))
		status = finish(t, &result);
	train_report_close(&t->report);
	lagoon_regression_result_free(&result);
	return status;
}

static int run(struct regression *t)
{
	struct lagoon_attr attr;
	struct lagoon *lg;
	int status, rc = lagoon_attr_init(&attr);

	if (t->nodes)
		attr.nodes = t->nodes;
	if (t->workers)
		attr.workers = t->workers;
	attr.seed = t->fit.seed;
	if (!rc)
		rc = lagoon_open(&attr, &lg);
	if (rc)
		return train_fail(rc);
	status = fit(t, lg);
	rc = lagoon_close(lg);
	return status || !rc ? status : train_fail(rc);
}

/* Every rank looks, so that none waits for one that gave up. */
static int check_outputs(const struct regression *t)
{
	int rc = t->model ? lagoon_model_check_path(t->model) : 0;

	if (!rc && t->report.path)
		rc = train_report_check(t->report.path);
	if (!rc && t->report.plot)
		rc = train_plot_check(t->report.plot);
	return rc ? train_fail(rc) : 0;
}

bool train_is_regression(const char *word)
{
	return !strcmp(word, "lasso") || !strcmp(word, "ridge") ||
		!strcmp(word, "elastic-net");
}

int train_regression(int argc, char **argv)
{
	struct regression t = {
		.report.terminal = isatty(STDERR_FILENO),
	};
	int status;

	lagoon_regression_options_init(&t.fit);
	argp_err_exit_status = 2;
	if (argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &t))
		return 2;
	status = check_outputs(&t);
	if (status)
		return status;
	if (t.processes > 1 && !train_has_launcher())
		return train_spawn(t.processes, t.nodes, argc, argv);
	return run(&t);
}
