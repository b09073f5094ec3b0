/* SPDX-License-Identifier: BSD-3-Clause */
/* What all solvers of `lagoon train` have in common: options of the job, of its
 * consistency and of its outputs; and the job itself. */
#include <stdlib.h>
#include <string.h>

#include "tools/args.h"
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

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct train_job *j = state->input;

	switch (key) {
	case KEY_CONSISTENCY:
		j->consistency = train_consistency(state, arg);
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
		j->processes = (int)args_count(state, "-n", arg, 1, 4096);
		break;
	case KEY_NODES:
		j->nodes = (int)args_count(state, "--nodes", arg, 1, 1024);
		break;
	case KEY_WORKERS:
		j->workers = (int)args_count(state, "--workers", arg, 1, 1024);
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
	  "Epochs, rounds or passes (of svrg clocks) from one checkpoint to the next [none: when signalled]", 0 },
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

void train_job_init(struct train_job *job, bool terminal)
{
	*job = (struct train_job){
		.consistency = LAGOON_SSP,
		.staleness = 1,
		.sample = 1,
		.seed = 1,
		.report = {
			.unit = "epoch",
			.measure = "objective",
			.terminal = terminal,
		},
	};
}

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

static int run(const struct train_job *j, int (*fit)(void *, struct lagoon *),
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
	first = !lagoon_rank(lg);
	rc = lagoon_close(lg);
	if (rc)
		return status && status != TRAIN_INTERRUPTED ? status :
			train_fail(rc);
	if (status == TRAIN_INTERRUPTED && first)
		say_interrupted(j);
	return status;
}

int (*train_job_interrupted(const struct train_job *j))(void *arg)
{
	if (!j->checkpoint || (j->processes > 1 && !train_has_launcher()))
		return NULL;
	return train_catch_signals();
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
	*interrupted = train_job_interrupted(j);
}

int train_job_run(const struct train_job *j, int argc, char **argv,
		  int (*fit)(void *arg, struct lagoon *lg), void *arg)
{
	int status = check_outputs(j);

	if (status)
		return status;
	if (j->processes > 1 && !train_has_launcher())
		return train_spawn(j->processes, j->nodes, argc, argv);
	return run(j, fit, arg);
}
