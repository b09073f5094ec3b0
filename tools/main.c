/* SPDX-License-Identifier: BSD-3-Clause */
/* The lagoon command: finds the sub-command. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/attr.h"
#include "runtime/lagoon.h"
#include "tools/tools.h"

struct command {
	const char *name;
	const char *title;	/* its argv[0] */
	int (*main)(int argc, char **argv);
	const char *help;
};

static const struct command commands[] = {
	{ "train", "lagoon train", tool_train,
	  "fit a model to data, with as many processes as wanted" },
	{ "predict", "lagoon predict", tool_predict,
	  "apply a model to data, and tell how well it fits" },
	{ "topics", "lagoon topics", tool_topics,
	  "print the words of the topics that train lda found" },
	{ "similar", "lagoon similar", tool_similar,
	  "find the rows that are most similar to each row of data" },
	{ "checkpoint", "lagoon checkpoint", tool_checkpoint,
	  "show or check what a run has written to go on from" },
	{ "generate", "lagoon generate", tool_generate,
	  "write data of any size, with planted weights" },
	{ "run", "lagoon run", tool_run,
	  "start a program as the processes of one job on this machine" },
	{ "bench", "lagoon bench", tool_bench,
	  "measure what calls cost here, beside the same work on plain memory" },
	{ "info", "lagoon info", tool_info,
	  "show topology, placement, limits, options and libraries" },
};

static void usage(FILE *out)
{
	fputs("Usage: lagoon COMMAND [OPTION...]\n\nCommands:\n", out);
	for (size_t i = 0; i < LGN_COUNT(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\n'lagoon COMMAND --help' tells the options of a command, "
	      "lagoon(1) the rest.\n", out);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < LGN_COUNT(commands); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to change, insert or drop to make b of a; a large number for a long
 * word. */
static size_t distance(const char *a, const char *b)
{
	size_t row[17], n = strlen(b);

	if (n >= LGN_COUNT(row) || strlen(a) >= LGN_COUNT(row))
		return LGN_COUNT(row);
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0]++;

		for (size_t j = 1; j <= n; j++) {
			size_t same = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(same, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[n];
}

static int unknown(const char *name)
{
	const struct command *near = NULL;
	size_t best = 4;		/* farther is no likeness */

	for (size_t i = 0; i < LGN_COUNT(commands); i++) {
		size_t d = distance(name, commands[i].name);

		if (d < best && d < strlen(commands[i].name)) {
			best = d;
			near = &commands[i];
		}
	}
	fprintf(stderr, "lagoon: \"%s\" is no command", name);
	if (near)
		fprintf(stderr, "; did you mean \"%s\"?\n", near->name);
	else
		fputs("; lagoon --help lists them\n", stderr);
	return 2;
}

static int run(int argc, char **argv)
{
	const struct command *c = find(argv[0]);

	if (!c)
		return unknown(argv[0]);
	argv[0] = (char *)c->title;
	argp_err_exit_status = 2;	/* of all sub-commands */
	return c->main(argc, argv);
}

static int help(int argc, char **argv)
{
	char *args[] = { argc > 1 ? argv[1] : NULL, (char *)"--help", NULL };

	if (args[0])
		return run(2, args);
	usage(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-h"))
		return help(argc - 1, argv + 1);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("lagoon %s\n", lagoon_version());
		return fflush(stdout) ? 1 : 0;
	}
	return run(argc - 1, argv + 1);
}
