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
	const char *solver;
	const char *data;
	const char *test;
	const char *model;
	const char *report;
	const char *trace;
	const char *plot;
	int processes;
	int nodes;
	int workers;
	struct lagoon_logistic_options fit;
	int64_t clock;		/* of the last checkpoint, and its epoch */
	int epoch;
};

enum {
	KEY_DATA = 256, KEY_TEST, KEY_C, KEY_RATE, KEY_CONSISTENCY,
	KEY_STALENESS, KEY_EPOCHS, KEY_TOLERANCE, KEY_NODES, KEY_WORKERS,
	KEY_SEED, KEY_MODEL, KEY_REPORT, KEY_ZERO_BASED, KEY_BATCH,
	KEY_SAMPLE, KEY_CHANGE, KEY_CHECKPOINT, KEY_EVERY, KEY_RESUME,
	KEY_TRACE, KEY_PLOT, KEY_METHOD,
};

/* Set by a handler, read by workers: lock-free. */
static atomic_int interrupted;

static const struct argp_option table[] = {
	{ "data", KEY_DATA, "FILE", 0, "Rows to train on, LIBSVM format", 0 },
	{ "test", KEY_TEST, "FILE", 0, "Rows to measure the accuracy on", 0 },
	{ "zero-based", KEY_ZERO_BASED, NULL, 0,
	  "Column indices start at 0, not 1", 0 },
	{ "c", KEY_C, "X", 0, "Weight of the loss [1]", 1 },
	{ "consistency", KEY_CONSISTENCY, "bsp|ssp|essp|psp|vap|asp", 0,
	  "What workers see of each other [ssp]", 1 },
	{ "staleness", KEY_STALENESS, "N", 0,
	  "ssp, essp, psp: rounds that a read may lag [1]", 1 },
	{ "sample", KEY_SAMPLE, "K", 0,
	  "psp: other workers that a worker asks [1]", 1 },
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
	{ "seed", KEY_SEED, "N", 0, "Of row order and rounding [1]", 1 },
	{ NULL, 'n', "N", 0,
	  "Start N processes on this machine; a launcher's own number counts more [1]", 2 },
	{ "nodes", KEY_NODES, "K", 0,
	  "Let them pretend to be spread over K nodes", 2 },
	{ "workers", KEY_WORKERS, "N", 0, "Threads in each process [1]", 2 },
	{ "model", KEY_MODEL, "FILE", 0, "Write the weights there", 3 },
	{ "report", KEY_REPORT, "FILE", 0,
	  "Append a JSON object an epoch and one at the end", 3 },
	{ "plot", KEY_PLOT, "FILE.svg", 0,
	  "Draw the objective over epochs and over time, by gnuplot", 3 },
	{ "checkpoint", KEY_CHECKPOINT, "DIR", 0,
	  "Write checkpoints there; SIGTERM and SIGUSR1 make one and end the run", 4 },
	{ "every", KEY_EVERY, "N", 0,
	  "Clocks from one checkpoint to the next; an epoch has one a batch and two more [none: when signalled]", 4 },
	{ "resume", KEY_RESUME, "DIR", 0,
	  "Go on from the checkpoint there", 4 },
	{ "trace", KEY_TRACE, "FILE", 0,
	  "Write a timeline of all workers there, in Chrome trace format", 3 },
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

static void check_end(struct argp_state *state, const struct train *t)
{
	if (!t->solver)
		argp_failure(state, 2, 0, "no solver: expected \"logistic\"");
	if (!t->data)
		argp_failure(state, 2, 0, "no --data FILE");
	if (t->fit.every && !t->fit.checkpoint)
		argp_failure(state, 2, 0, "--every without --checkpoint DIR");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct train *t = state->input;

	switch (key) {
	case KEY_DATA: t->data = arg; break;
	case KEY_TEST: t->test = arg; break;
	case KEY_MODEL: t->model = arg; break;
	case KEY_REPORT: t->report = arg; break;
	case KEY_CHECKPOINT: t->fit.checkpoint = arg; break;
	case KEY_RESUME: t->fit.resume = arg; break;
	case KEY_EVERY:
		t->fit.every = args_count(state, "--every", arg, 1, INT64_MAX);
		break;
	case KEY_TRACE: t->trace = arg; break;
	case KEY_PLOT: t->plot = arg; break;
	case KEY_METHOD: break;		/* svrg: train_is_linear() */
	case KEY_ZERO_BASED: t->fit.zero_based = 1; break;
	case KEY_CONSISTENCY: t->fit.model = train_consistency(state, arg); break;
	case KEY_C: t->fit.c = args_number(state, "--c", arg, 0); break;
	case KEY_RATE:
		t->fit.rate = args_number(state, "--rate", arg, 0);
		break;
	case KEY_TOLERANCE:
		t->fit.tolerance = args_number(state, "--tolerance", arg, 1);
		break;
	case KEY_STALENESS:
		t->fit.staleness = (int32_t)args_count(state, "--staleness",
						       arg, 0, INT32_MAX - 1);
		break;
	case KEY_SAMPLE:
		t->fit.sample = (int32_t)args_count(state, "--sample", arg, 0,
						    INT32_MAX);
		break;
	case KEY_CHANGE:
		t->fit.change = args_number(state, "--change", arg, 1);
		break;
	case KEY_EPOCHS:
		t->fit.epochs = (int)args_count(state, "--epochs", arg, 1,
						INT_MAX);
		break;
	case KEY_BATCH:
		t->fit.batch = args_count(state, "--batch", arg, 1, INT64_MAX);
		break;
	case KEY_SEED:
		t->fit.seed = args_count(state, "--seed", arg, 0, INT64_MAX);
		break;
	case 'n':
		t->processes = (int)args_count(state, "-n", arg, 1, 4096);
		break;
	case KEY_NODES:
		t->nodes = (int)args_count(state, "--nodes", arg, 1, 1024);
		break;
	case KEY_WORKERS:
		t->workers = (int)args_count(state, "--workers", arg, 1, 1024);
		break;
	case ARGP_KEY_ARG:
		if (t->solver || strcmp(arg, "logistic"))
			argp_failure(state, 2, 0, "\"%s\": expected \"logistic\" here, or \"softmax\", \"svm\", \"lasso\", \"ridge\", \"elastic-net\", \"lda\" or \"mf\" as the first word", arg);
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

static const struct argp parser = {
	.options = table, .parser = parse, .args_doc = "logistic",
	.doc = "Fit an L2-regularised logistic regression, "
	       "0.5 w'w + C sum log(1 + exp(-y w'x)), to the rows of a file."
	       "\v"
	       "When FILE.planted stands beside the data (lagoon generate), the "
	       "summary tells how well its weights were recovered. The exit "
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

/* Every rank looks, so that none waits for one that gave up. */
static int check_outputs(const struct train *t)
{
	int rc = t->model ? lagoon_model_check_path(t->model) : 0;

	if (!rc && t->report)
		rc = train_report_check(t->report);
	if (!rc && t->trace)
		rc = lagoon_model_check_path(t->trace);
	if (!rc && t->plot)
		rc = train_plot_check(t->plot);
	return rc ? train_fail(rc) : 0;
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

	return lagoon_model_save(t->model, &model);
}

static int finish(const struct train *t, struct train_report *report,
		  const struct lagoon_logistic_result *r)
{
	struct train_recovery recovery = { 0 };
	int rc = t->model ? save_model(t, r) : 0;

	if (rc)
		return train_fail(rc);
	train_recover(t->data, r, &recovery);
	return train_report_end(report, r, &recovery) ? 1 : 0;
}

static int fit(struct train *t, struct lagoon *lg)
{
	struct train_report report = {
		.path = t->report,
		.plot = t->plot,
		.solver = t->solver,
		.unit = "epoch",
		.measure = "objective",
		.epochs = t->fit.epochs,
		.change = t->fit.model == LAGOON_VAP ? t->fit.change : -1,
		.terminal = isatty(STDERR_FILENO),
	};
	struct lagoon_logistic_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = train_report_epoch;
		t->fit.progress_arg = &report;
	}
	rc = lagoon_logistic_fit_file(lg, t->data, t->test, &t->fit, &result);
	train_progress_end(&report);
	status = rc ? train_fail(rc) : 0;
	if (!status && result.interrupted)
		status = TRAIN_INTERRUPTED;
	else if (!status && !lagoon_rank(lg))
		status = finish(t, &report, &result);
	train_report_close(&report);
	t->clock = result.clock;
	t->epoch = result.epochs;
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

/* The checkpoint is on the disk now. */
static void say_interrupted(const struct train *t)
{
	fprintf(stderr, "lagoon train: interrupted: checkpoint at clock %lld, in epoch %d; go on with --resume %s\n",
		(long long)t->clock, t->epoch, t->fit.checkpoint);
}

static int run(struct train *t)
{
	struct lagoon_attr attr;
	struct lagoon *lg;
	int status, rc;

	if (t->trace)
		setenv("LAGOON_TRACE", t->trace, 1);
	rc = lagoon_attr_init(&attr);
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
	if (rc)
		return status && status != TRAIN_INTERRUPTED ? status : train_fail(rc);
	if (status == TRAIN_INTERRUPTED && is_rank_0())
		say_interrupted(t);
	return status;
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

int tool_train(int argc, char **argv)
{
	struct train t = { 0 };
	int status;

	if (argc > 1 && train_is_regression(argv[1]))
		return train_regression(argc, argv);
	if (train_is_linear(argc, argv))
		return train_linear(argc, argv);
	if (argc > 1 && train_is_lda(argv[1]))
		return train_lda(argc, argv);
	if (argc > 1 && train_is_mf(argv[1]))
		return train_mf(argc, argv);
	lagoon_logistic_options_init(&t.fit);
	argp_err_exit_status = 2;
	if (argp_parse(&parser, argc, argv, 0, NULL, &t))
		return 2;
	status = check_outputs(&t);
	if (status)
		return status;
	if (t.processes > 1 && !train_has_launcher())
		return train_spawn(t.processes, t.nodes, argc, argv);
	if (t.fit.checkpoint)
		t.fit.interrupted = train_catch_signals();
	return run(&t);
}
