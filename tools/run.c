/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon run`: the command line of the launcher. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/env.h"
#include "runtime/lagoon.h"
#include "tools/args.h"
#include "tools/run.h"
#include "tools/tools.h"

enum {
	GRACE_S = 10,
	KEY_NODES = 256, KEY_TAG, KEY_ON_DEATH, KEY_GRACE,
};

static const struct argp_option table[] = {
	{ NULL, 'n', "N", 0, "Start N processes [1]", 0 },
	{ "nodes", KEY_NODES, "K", 0,
	  "Let them pretend to be spread over K nodes (LAGOON_NODES)", 0 },
	{ "tag", KEY_TAG, NULL, 0,
	  "Begin every line of output with the rank that wrote it", 0 },
	{ "on-death", KEY_ON_DEATH, "stop|continue", 0,
	  "What the others do when a process dies (LAGOON_ON_DEATH) [stop]", 0 },
	{ "grace", KEY_GRACE, "S", 0,
	  "Seconds that they have to end by themselves before they are ended [10]", 0 },
	{ 0 }
};

static int on_death(struct argp_state *state, const char *text)
{
	if (!strcmp(text, "continue"))
		return LAGOON_DEATH_CONTINUE;
	if (strcmp(text, "stop"))
		argp_failure(state, 2, 0, "--on-death is \"%s\": expected stop or continue",
			     text);
	return LAGOON_DEATH_STOP;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_spec *spec = state->input;

	switch (key) {
	case 'n':
		spec->n = args_int(state, "-n", arg, 1, RUN_MAX);
		return 0;
	case KEY_NODES:
		spec->nodes = args_int(state, "--nodes", arg, 1, 1024);
		return 0;
	case KEY_TAG:
		spec->tag = true;
		return 0;
	case KEY_ON_DEATH:
		spec->on_death = on_death(state, arg);
		setenv(lgn_env_entry(LGN_ENV_ID_ON_DEATH)->name, arg, 1);
		return 0;
	case KEY_GRACE:
		spec->grace_s = args_int(state, "--grace", arg, 0, 86400);
		return 0;
	case ARGP_KEY_ARG:
		spec->argv = &state->argv[state->next - 1];
		state->next = state->argc;	/* the rest is the program's */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_failure(state, 2, 0, "no program to run");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = table, .parser = parse, .args_doc = "PROGRAM [ARGUMENT...]",
	.doc = "Start PROGRAM as the processes of one job on this machine."
	       "\v"
	       "The exit status is 0 if every process returned 0, else the "
	       "status of the first that failed, 128 + the signal if one killed "
	       "it; 127 if PROGRAM cannot be executed, 2 for wrong usage. "
	       "SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are passed on to "
	       "every process; a second SIGINT kills them.",
};

void run_say(const char *fmt, ...)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "lagoon run: ");
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	strcat(line, "\n");
	while (write(STDERR_FILENO, line, strlen(line)) < 0 && errno == EINTR)
		;
}

static int spec_init(struct run_spec *spec)
{
	*spec = (struct run_spec){ .n = 1, .grace_s = GRACE_S };
	if (!lgn_env_choice(LGN_ENV_ID_ON_DEATH, &spec->on_death))
		return 0;
	run_say("%s", lagoon_errmsg());
	return 2;
}

int tool_run(int argc, char **argv)
{
	struct run_spec spec;
	int rc = spec_init(&spec);

	if (rc)
		return rc;
	rc = argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &spec);
	if (rc) {
		run_say("%s", strerror(rc));
		return 2;
	}
	return run_job(&spec);
}

int tool_spawn(int n, int nodes, char **argv)
{
	struct run_spec spec;
	int rc = spec_init(&spec);

	if (rc)
		return rc;
	spec.n = n;
	spec.nodes = nodes;
	spec.outspoken = true;
	spec.argv = argv;
	return run_job(&spec);
}
