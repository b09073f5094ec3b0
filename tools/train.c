/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train`: fit a model to a file. */
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/args.h"
#include "tools/tools.h"
#include "tools/train.h"

struct train {
	struct train_job job;
	const char *test;
	const char *trace;
	struct lagoon_logistic_options fit;
};

enum {
	KEY_DATA = 256, KEY_TEST, KEY_C, KEY_RATE, KEY_EPOCHS, KEY_TOLERANCE,
	KEY_ZERO_BASED, KEY_BATCH, KEY_CHANGE, KEY_TRACE, KEY_METHOD,
};

/* Set by a handler, read by workers: lock-free. */
static atomic_int interrupted;

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

int train_consistency(struct argp_state *state, const char *text)
{
	static const char *const name[] = {
		[LAGOON_SSP] = "ssp", [LAGOON_BSP] = "bsp",
		[LAGOON_ASP] = "asp", [LAGOON_ESSP] = "essp",
		[LAGOON_PSP] = "psp", [LAGOON_VAP] = "vap",
	};

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (!strcmp(text, name[i]))
			return (int)i;
	argp_failure(state, 2, 0, "--consistency is \"%s\": expected bsp, ssp, essp, psp, vap or asp",
		     text);
	return LAGOON_SSP;
}

static void check_end(struct argp_state *state, struct train *t)
{
	if (!t->job.report.solver)
		argp_failure(state, 2, 0, "no solver: lagoon train --help lists them");
	train_job_parse(&t->job, ARGP_KEY_END, NULL, state);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct train *t = state->input;

	switch (key) {
	case KEY_DATA: t->job.data = arg; break;
	case KEY_TEST: t->test = arg; break;
	case KEY_TRACE: t->trace = arg; break;
	case KEY_METHOD: break;		/* svrg: train_is_linear() */
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

static void say(const char *text)
{
	fprintf(stderr, "lagoon train: %s\n", text);
}

/* What the caller got wrong is 2, what went wrong is 1. */
static int exit_status(int rc)
{
	if (rc == LAGOON_EINVAL || rc == LAGOON_ENOENT ||
	    rc == LAGOON_ENOTSUP || rc == LAGOON_EEXIST || rc == LAGOON_ECORRUPT)
		return 2;
	return rc ? 1 : 0;
}

bool train_has_launcher(void)
{
	return getenv("PMIX_NAMESPACE") && getenv("PMIX_RANK");
}

/* Known before the job is open, and when opening it failed. */
static bool is_rank_0(void)
{
	const char *rank = train_has_launcher() ? getenv("PMIX_RANK") : "0";

	return !strcmp(rank, "0");
}

/* An error that all ranks met is told once, by rank 0. One that rank 0
 * cannot tell, since it died of it, is told by the others. */
int train_fail(int rc)
{
	const char *text = lagoon_errmsg();

	if (is_rank_0() || (rc == LAGOON_EPEER && strstr(text, "rank 0 ")))
		say(text);
	return exit_status(rc);
}

static int save_model(const struct train *t,
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

static int finish(struct train *t, const struct lagoon_logistic_result *r)
{
	struct train_recovery recovery = { 0 };
	int rc = t->job.model ? save_model(t, r) : 0;

	if (rc)
		return train_fail(rc);
	train_recover(t->job.data, r, &recovery);
	return train_report_end(&t->job.report, r, &recovery) ? 1 : 0;
}

static int fit(void *arg, struct lagoon *lg)
{
	struct train *t = arg;
	struct lagoon_logistic_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = train_report_epoch;
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

/* ------------------------------------------------------------- signals */

static void on_signal(int sig)
{
	(void)sig;
	atomic_store(&interrupted, 1);
}

static int is_interrupted(void *arg)
{
	(void)arg;
	return atomic_load(&interrupted);
}

/* Slurm sends SIGTERM before the end of the time, or what sbatch --signal
 * says. Before the job is opened: it takes effect with the first clock. */
int (*train_catch_signals(void))(void *arg)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&act.sa_mask);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGUSR1, &act, NULL);
	return is_interrupted;
}

int train_spawn(int processes, int nodes, int argc, char **argv)
{
	static char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char **args = calloc((size_t)argc + 2, sizeof(*args));
	int status = 1;

	if (len <= 0 || !args) {
		say("cannot find its own program to start it again");
	} else {
		args[0] = self;
		args[1] = (char *)"train";
		memcpy(args + 2, argv + 1, (size_t)(argc - 1) * sizeof(*args));
		status = tool_spawn(processes, nodes, args);
	}
	free(args);
	return status;
}

/* The solvers; those with `run` read the rest of the command line themselves. */
static const struct {
	const char *names;
	const char *help;
	bool (*is)(const char *word);
	int (*run)(int argc, char **argv);
} solvers[] = {
	{ "logistic, svm, softmax", "linear classifiers", NULL, NULL },
	{ "lasso, ridge, elastic-net", "linear regressions",
	  train_is_regression, train_regression },
	{ "mf", "factors of ratings", train_is_mf, train_mf },
	{ "lda", "topics of documents", train_is_lda, train_lda },
	{ "svd", "the largest singular values of a matrix, and their vectors",
	  train_is_svd, train_svd },
	{ "kmeans", "clusters of points", train_is_kmeans, train_kmeans },
	{ "similar", "the most similar rows, as lagoon similar",
	  train_is_similar, train_similar },
};

static int list_solvers(void)
{
	puts("Usage: lagoon train SOLVER [OPTION...]\n\nSolvers:");
	for (size_t i = 0; i < sizeof(solvers) / sizeof(*solvers); i++)
		printf("  %-26s %s\n", solvers[i].names, solvers[i].help);
	puts("\n'lagoon train SOLVER --help' tells the options of a solver, "
	     "lagoon-train(1) the rest.");
	return 0;
}

int tool_train(int argc, char **argv)
{
	struct train t = { 0 };

	if (train_is_linear(argc, argv))
		return train_linear(argc, argv);
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?")))
		return list_solvers();
	for (size_t i = 0; argc > 1 && i < sizeof(solvers) / sizeof(*solvers); i++)
		if (solvers[i].is && solvers[i].is(argv[1]))
			return solvers[i].run(argc, argv);
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
