/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon checkpoint`: what is in a folder of checkpoints, and is it whole? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/lagoon.h"
#include "tools/args.h"
#include "tools/tools.h"

struct checkpoint {
	const char *action;
	const char *dir;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct checkpoint *c = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (c->dir)
			argp_failure(state, 2, 0, "\"%s\": expected nothing behind DIR", arg);
		if (c->action) {
			c->dir = arg;
			break;
		}
		if (strcmp(arg, "inspect") && strcmp(arg, "verify"))
			argp_failure(state, 2, 0, "\"%s\": expected inspect or verify", arg);
		c->action = arg;
		break;
	case ARGP_KEY_END:
		if (!c->dir)
			argp_failure(state, 2, 0, "expected inspect DIR or verify DIR");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp parser = {
	.parser = parse, .args_doc = "inspect|verify DIR",
	.doc = "Show what a checkpoint holds, or read it whole and check it."
	       "\v"
	       "The exit status is 0; 1 if the checkpoint is damaged, or of "
	       "another version; 2 for wrong usage, or if there is none.",
};

static int fail(int rc)
{
	fprintf(stderr, "lagoon checkpoint: %s\n", lagoon_errmsg());
	return rc == LAGOON_ENOENT || rc == LAGOON_EINVAL ? 2 : 1;
}

static int inspect(const char *dir)
{
	int n = lagoon_checkpoint_describe(dir, NULL, 0);
	char *text = n < 0 ? NULL : malloc((size_t)n + 1);

	if (n < 0)
		return fail(n);
	if (!text) {
		fprintf(stderr, "lagoon checkpoint: no memory\n");
		return 1;
	}
	n = lagoon_checkpoint_describe(dir, text, (size_t)n + 1);
	if (n >= 0)
		fputs(text, stdout);
	free(text);
	return n < 0 ? fail(n) : 0;
}

static int verify(const char *dir)
{
	int rc = lagoon_checkpoint_verify(dir);

	if (rc)
		return fail(rc);
	printf("%s: whole\n", dir);
	return 0;
}

int tool_checkpoint(int argc, char **argv)
{
	struct checkpoint c = { 0 };
	int status;

	if (argp_parse(&parser, argc, argv, 0, NULL, &c))
		return 2;
	status = strcmp(c.action, "inspect") ? verify(c.dir) : inspect(c.dir);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "lagoon checkpoint: stdout: %s\n", strerror(errno));
		return 1;
	}
	return status;
}
