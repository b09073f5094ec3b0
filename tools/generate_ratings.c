/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon generate ratings`. */
#include <stdio.h>

#include "kernels/lagoon_solve.h"
#include "tools/args.h"
#include "tools/tools.h"

struct ratings {
	const char *kind;
	const char *output;
	const char *test;
	struct lagoon_generate_ratings_options options;
};

enum {
	KEY_TEST = 256, KEY_USERS, KEY_ITEMS, KEY_RATINGS, KEY_RANK, KEY_NOISE,
	KEY_SEED,
};

static const struct argp_option table[] = {
	{ "output", 'o', "FILE", 0, "Write the ratings there", 0 },
	{ "test", KEY_TEST, "FILE", 0, "And a tenth as many others there", 0 },
	{ "users", KEY_USERS, "N", 0, "Users [10000]", 0 },
	{ "items", KEY_ITEMS, "N", 0, "Items [1000]", 0 },
	{ "ratings", KEY_RATINGS, "N", 0, "Ratings [1000000]", 0 },
	{ "rank", KEY_RANK, "N", 0, "Planted factors [8]", 0 },
	{ "noise", KEY_NOISE, "X", 0, "Deviation of what is added [0.1]", 0 },
	{ "seed", KEY_SEED, "N", 0, "Another seed gives other data [1]", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ratings *g = state->input;
	struct lagoon_generate_ratings_options *o = &g->options;
	const uint64_t most = UINT64_C(1) << 31;

	switch (key) {
	case 'o': g->output = arg; break;
	case KEY_TEST: g->test = arg; break;
	case KEY_USERS: o->users = args_count(state, "--users", arg, 1, most); break;
	case KEY_ITEMS: o->items = args_count(state, "--items", arg, 1, most); break;
	case KEY_RATINGS:
		o->ratings = args_count(state, "--ratings", arg, 1,
					UINT64_C(1) << 40);
		break;
	case KEY_RANK:
		o->rank = args_int(state, "--rank", arg, 1, 4096);
		break;
	case KEY_NOISE: o->noise = args_number(state, "--noise", arg, 1); break;
	case KEY_SEED:
		o->seed = args_count(state, "--seed", arg, 0, UINT64_MAX);
		break;
	case ARGP_KEY_ARG:
		if (g->kind)
			argp_failure(state, 2, 0, "\"%s\": expected an option",
				     arg);
		g->kind = arg;
		break;
	case ARGP_KEY_END:
		if (!g->output)
			argp_failure(state, 2, 0, "no --output FILE");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .args_doc = "ratings",
	.doc = "Write ratings of planted factors, \"user item rating\" a line, "
	       "users and items from 0 on. The same options give the same file "
	       "everywhere.",
};

int tool_generate_ratings(int argc, char **argv)
{
	struct ratings g = { 0 };
	int rc;

	lagoon_generate_ratings_options_init(&g.options);
	if (argp_parse(&parser, argc, argv, 0, NULL, &g))
		return 2;
	rc = lagoon_generate_ratings(g.output, g.test, &g.options);
	if (rc)
		fprintf(stderr, "lagoon generate: %s\n", lagoon_errmsg());
	return rc == LAGOON_EINVAL ? 2 : rc ? 1 : 0;
}
