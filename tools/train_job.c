/* SPDX-License-Identifier: BSD-3-Clause */
/* What all solvers of `lagoon train` have in common: options of the job, of its
 * consistency and of its outputs; its processes; and the job itself. */
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/attr.h"
#include "tools/args.h"
#include "tools/tools.h"
#include "tools/train.h"

enum {
	KEY_CONSISTENCY = 256, KEY_STALENESS, KEY_SAMPLE, KEY_SEED, KEY_NODES,
	KEY_WORKERS, KEY_MODEL, KEY_REPORT, KEY_PLOT,
};

static const struct argp_option table[] = {
	{ "consistency", KEY_CONSISTENCY, "bsp|ssp|essp|psp|vap|asp", 0,
	  "What workers see of each other [ssp]", 1 },
	{ "staleness", KEY_STALENESS, "N", 0,
	  "ssp, essp, psp: rounds that a read may lag [1]", 1 },
	{ "sample", KEY_SAMPLE, "K", 0,
	  "psp: other workers that a worker asks [1]", 1 },
	{ "seed", KEY_SEED, "N", 0, "Of all that is drawn: order, rounding, topics [1]", 1 },
	{ NULL, 'n', "N", 0,
	  "Start N processes on this machine; a launcher's own number counts more [1]", 2 },
	{ "nodes", KEY_NODES, "K", 0,
	  "Let them pretend to be spread over K nodes", 2 },
	{ "workers", KEY_WORKERS, "N", 0, "Threads in each process [1]", 2 },
	{ "model", KEY_MODEL, "FILE", 0, "Write the model there", 3 },
	{ "report", KEY_REPORT, "FILE", 0,
	  "Append a JSON object an epoch or measured sweep and one at the end", 3 },
	{ "plot", KEY_PLOT, "FILE.svg", 0,
	  "Draw the objective over epochs and over time, by gnuplot", 3 },
	{ 0 }
};

static int consistency(struct argp_state *state, const char *text)
{
	static const char *const name[] = {
		[LAGOON_SSP] = "ssp", [LAGOON_BSP] = "bsp",
		[LAGOON_ASP] = "asp", [LAGOON_ESSP] = "essp",
		[LAGOON_PSP] = "psp", [LAGOON_VAP] = "vap",
	};

	for (size_t i = 0; i < LGN_COUNT(name); i++)
		if (!strcmp(text, name[i]))
			return (int)i;
	argp_failure(state, 2, 0, "--consistency is \"%s\": expected bsp, ssp, essp, psp, vap or asp",
		     text);
	return LAGOON_SSP;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct train_job *j = state->input;

	switch (key) {
	case KEY_CONSISTENCY:
		j->consistency = consistency(state, arg);
		break;
	case KEY_STALENESS:
		j->staleness = (int32_t)args_count(state, "--staleness", arg, 0,
						   INT32_MAX - 1);
		break;
	case KEY_SAMPLE:
		j->sample = (int32_t)args_count(state, "--sample", arg, 0,
						INT32_MAX);
		break;
	case KEY_SEED:
		j->seed = args_count(state, "--seed", arg, 0, INT64_MAX);
		break;
	case 'n':
		j->processes = args_int(state, "-n", arg, 1, 4096);
		break;
	case KEY_NODES:
		j->nodes = args_int(state, "--nodes", arg, 1, 1024);
		break;
	case KEY_WORKERS:
		j->workers = args_int(state, "--workers", arg, 1, 1024);
		break;
	case KEY_MODEL: j->model = arg; break;
	case KEY_REPORT: j->report.path = arg; break;
	case KEY_PLOT: j->report.plot = arg; break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp train_job_argp = { .options = table, .parser = parse };

enum { KEY_CHECKPOINT = 256, KEY_EVERY, KEY_RESUME };

static const struct argp_option restart_table[] = {
	{ "checkpoint", KEY_CHECKPOINT, "DIR", 0,
	  "Write checkpoints there; SIGTERM and SIGUSR1 make one and end the run", 0 },
	{ "every", KEY_EVERY, "N", 0,
	  "Epochs, sweeps, rounds or passes (of svrg clocks) from one checkpoint to the next [none: when signalled]", 0 },
	{ "resume", KEY_RESUME, "DIR", 0, "Go on from the checkpoint there", 0 },
	{ 0 }
};

static error_t parse_restart(int key, char *arg, struct argp_state *state)
{
	struct train_job *j = state->input;

	switch (key) {
	case KEY_CHECKPOINT: j->checkpoint = arg; break;
	case KEY_RESUME: j->resume = arg; break;
	case KEY_EVERY:
		j->every = args_count(state, "--every", arg, 1, INT64_MAX);
		break;
	case ARGP_KEY_END:
		if (j->every && !j->checkpoint)
			argp_failure(state, 2, 0, "--every without --checkpoint DIR");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp train_restart_argp = {
	.options = restart_table, .parser = parse_restart,
};

const struct argp_child train_children[] = {
	{ .argp = &train_job_argp, .group = 3 },
	{ .argp = &train_restart_argp, .group = 4 }, { 0 }
};

int train_job_read(struct train_job *job, const struct argp *argp, int argc,
		   char **argv, void *input)
{
	*job = (struct train_job){
		.argp = argp,
		.consistency = LAGOON_SSP,
		.staleness = 1,
		.sample = 1,
		.seed = 1,
		.report = {
			.unit = "epoch",
			.measure = "objective",
			.terminal = isatty(STDERR_FILENO),
		},
	};
	return argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, input);
}

error_t train_job_parse(struct train_job *j, int key, char *arg,
			struct argp_state *state)
{
	const struct argp_child *child = j->argp->children;

	switch (key) {
	case ARGP_KEY_INIT:
		for (int i = 0; child && child[i].argp; i++)
			state->child_inputs[i] = j;
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_failure(state, 2, 0, "\"%s\": expected an option",
				     arg);
		j->report.solver = arg;
		break;
	case ARGP_KEY_END:
		if (!j->data)
			argp_failure(state, 2, 0, "no --data FILE");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* ------------------------------------------------------------- processes */

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

static bool has_launcher(void)
{
	return getenv("PMIX_NAMESPACE") && getenv("PMIX_RANK");
}

/* Known before the job is open, and when opening it failed. */
static bool is_rank_0(void)
{
	const char *rank = has_launcher() ? getenv("PMIX_RANK") : "0";

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

static int spawn(int processes, int nodes, int argc, char **argv)
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

/* Set by a handler, read by workers: lock-free. */
static atomic_int signalled;

static void on_signal(int sig)
{
	(void)sig;
	atomic_store(&signalled, 1);
}

static int is_interrupted(void *arg)
{
	(void)arg;
	return atomic_load(&signalled);
}

/* Slurm sends SIGTERM before the end of the time, or what sbatch --signal
 * says. Before the job is opened: it takes effect with the first clock. */
static int (*catch_signals(void))(void *arg)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&act.sa_mask);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGUSR1, &act, NULL);
	return is_interrupted;
}

/* ------------------------------------------------------------------- job */

/* Every rank looks, so that none waits for one that gave up. */
static int check_outputs(const struct train_job *j)
{
	int rc = j->model ? lagoon_model_check_path(j->model) : 0;

	if (!rc && j->report.path)
		rc = train_report_check(j->report.path);
	if (!rc && j->report.plot)
		rc = train_plot_check(j->report.plot);
	return rc ? train_fail(rc) : 0;
}

/* The checkpoint is on the disk now. */
static void say_interrupted(const struct train_job *j)
{
	fputs("lagoon train: interrupted: checkpoint ", stderr);
	if (j->clock)
		fprintf(stderr, "at clock %lld, in epoch %d", (long long)j->clock,
			j->epoch);
	else
		fprintf(stderr, "after %s %d", j->report.unit, j->epoch);
	fprintf(stderr, "; go on with --resume %s\n", j->checkpoint);
}

static int run(struct train_job *j, int (*fit)(void *, struct lagoon *),
	       void *arg)
{
	struct lagoon_attr attr;
	struct lagoon *lg;
	bool first;
	int status, rc = lagoon_attr_init(&attr);

	if (j->nodes)
		attr.nodes = j->nodes;
	if (j->workers)
		attr.workers = j->workers;
	attr.seed = j->seed;
	if (!rc)
		rc = lagoon_open(&attr, &lg);
	if (rc)
		return train_fail(rc);
	status = fit(arg, lg);
	if (!status && (train_plot(&j->report) || j->report.failed))
		status = 1;
	train_report_close(&j->report);
	first = !lagoon_rank(lg);
	rc = lagoon_close(lg);
	if (rc)
		return status && status != TRAIN_INTERRUPTED ? status :
			train_fail(rc);
	if (status == TRAIN_INTERRUPTED && first)
		say_interrupted(j);
	return status;
}

void train_job_options(const struct train_job *j, int *model,
		       int32_t *staleness, int32_t *sample, uint64_t *seed)
{
	*model = j->consistency;
	*staleness = j->staleness;
	*sample = j->sample;
	*seed = j->seed;
}

void train_job_checkpoints(const struct train_job *j, const char **checkpoint,
			   uint64_t *every, const char **resume,
			   int (**interrupted)(void *arg))
{
	*checkpoint = j->checkpoint;
	*every = j->every;
	*resume = j->resume;
	*interrupted = NULL;
	/* not where this process starts others */
	if (j->checkpoint && (j->processes <= 1 || has_launcher()))
		*interrupted = catch_signals();
}

int train_job_status(struct train_job *j, int rc, int interrupted, int epoch)
{
	train_progress_end(&j->report);
	j->epoch = epoch;
	if (rc)
		return train_fail(rc);
	return interrupted ? TRAIN_INTERRUPTED : 0;
}

int train_job_run(struct train_job *j, int argc, char **argv,
		  int (*fit)(void *arg, struct lagoon *lg), void *arg)
{
	int status = check_outputs(j);

	if (status)
		return status;
	if (j->processes > 1 && !has_launcher())
		return spawn(j->processes, j->nodes, argc, argv);
	return run(j, fit, arg);
}
