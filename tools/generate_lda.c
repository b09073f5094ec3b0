/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon generate lda`: write documents with planted topics. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "tools/args.h"
#include "tools/tools.h"

struct documents {
	const char *kind;
	const char *output;
	struct lagoon_generate_lda_options options;
};

enum {
	KEY_DOCUMENTS = 256, KEY_LENGTH, KEY_WORDS, KEY_TOPICS, KEY_TOPIC_WORDS,
	KEY_DOCUMENT_TOPICS, KEY_SEED,
};

static const struct argp_option table[] = {
	{ "output", 'o', "FILE", 0,
	  "Write the documents there, and the planted topics to FILE.planted", 0 },
	{ "documents", KEY_DOCUMENTS, "N", 0, "Documents [1000]", 0 },
	{ "length", KEY_LENGTH, "N", 0, "Tokens of each document [100]", 0 },
	{ "words", KEY_WORDS, "N", 0, "Different words [5000]", 0 },
	{ "topics", KEY_TOPICS, "N", 0, "Topics [20]", 0 },
	{ "topic-words", KEY_TOPIC_WORDS, "N", 0, "Words of each topic [100]", 0 },
	{ "document-topics", KEY_DOCUMENT_TOPICS, "N", 0,
	  "Topics of each document [3]", 0 },
	{ "seed", KEY_SEED, "N", 0, "Another seed gives other data [1]", 0 },
	{ 0 }
};

static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
	struct documents *g = state->input;

	switch (key) {
	case 'o': g->output = arg; break;
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

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const uint64_t most = UINT64_C(1) << 31;
	struct documents *g = state->input;
	struct lagoon_generate_lda_options *o = &g->options;

	switch (key) {
	case KEY_DOCUMENTS:
		o->documents = args_count(state, "--documents", arg, 1,
					  INT64_MAX);
		break;
	case KEY_LENGTH:
		o->length = (uint32_t)args_count(state, "--length", arg, 1, most);
		break;
	case KEY_WORDS: o->words = args_count(state, "--words", arg, 1, most); break;
	case KEY_TOPICS:
		o->topics = (int)args_count(state, "--topics", arg, 1, 65536);
		break;
	case KEY_TOPIC_WORDS:
		o->topic_words = (uint32_t)args_count(state, "--topic-words",
						      arg, 1, most);
		break;
	case KEY_DOCUMENT_TOPICS:
		o->document_topics = (uint32_t)args_count(
			state, "--document-topics", arg, 1, 65536);
		break;
	case KEY_SEED:
		o->seed = args_count(state, "--seed", arg, 0, UINT64_MAX);
		break;
	default:
		return parse_rest(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .args_doc = "lda",
	.doc = "Write documents with planted topics, in lda-c, and a model of the "
	       "topics that their tokens have; lagoon topics prints it. The same "
	       "options give the same files everywhere.",
};

int generate_lda(int argc, char **argv)
{
	struct documents g = { 0 };
	char *planted;
	int rc;

	lagoon_generate_lda_options_init(&g.options);
	argp_err_exit_status = 2;
	if (argp_parse(&parser, argc, argv, 0, NULL, &g))
		return 2;
	planted = malloc(strlen(g.output) + sizeof(".planted"));
	if (!planted) {
		fputs("lagoon generate: no memory for a path\n", stderr);
		return 1;
	}
	sprintf(planted, "%s.planted", g.output);
	rc = lagoon_generate_lda(g.output, planted, &g.options);
	free(planted);
	if (rc)
		fprintf(stderr, "lagoon generate: %s\n", lagoon_errmsg());
	return rc == LAGOON_EINVAL ? 2 : rc ? 1 : 0;
}
