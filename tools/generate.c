/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon generate`: write data in which something is planted. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "tools/args.h"
#include "tools/tools.h"

enum kind { KIND_LOGISTIC, KIND_LDA, KINDS };

static const char *const kinds[] = {
	[KIND_LOGISTIC] = "logistic", [KIND_LDA] = "lda",
};

struct generate {
	int kind;		/* enum kind, or -1 */
	const char *output;
	uint64_t seed;
	const char *used[KINDS];	/* an option of this kind that was given */
	struct lagoon_generate_options rows;
	struct lagoon_generate_lda_options lda;
};

enum {
	KEY_ROWS = 256, KEY_COLS, KEY_NNZ, KEY_SEED, KEY_DOCUMENTS, KEY_LENGTH,
	KEY_WORDS, KEY_TOPICS, KEY_TOPIC_WORDS, KEY_DOCUMENT_TOPICS,
};

static const struct argp_option table[] = {
	{ "output", 'o', "FILE", 0,
	  "Write the data there, and what is planted to FILE.planted", 0 },
	{ "seed", KEY_SEED, "N", 0, "Another seed gives other data [1]", 0 },
	{ NULL, 0, NULL, 0, "logistic:", 1 },
	{ "rows", KEY_ROWS, "N", 0, "Rows [100000]", 1 },
	{ "cols", KEY_COLS, "N", 0, "Columns [10000]", 1 },
	{ "nnz", KEY_NNZ, "N", 0, "Entries in each row [50]", 1 },
	{ NULL, 0, NULL, 0, "lda:", 2 },
	{ "documents", KEY_DOCUMENTS, "N", 0, "Documents [1000]", 2 },
	{ "length", KEY_LENGTH, "N", 0, "Tokens of each document [100]", 2 },
	{ "words", KEY_WORDS, "N", 0, "Different words [5000]", 2 },
	{ "topics", KEY_TOPICS, "N", 0, "Topics [20]", 2 },
	{ "topic-words", KEY_TOPIC_WORDS, "N", 0, "Words of each topic [100]", 2 },
	{ "document-topics", KEY_DOCUMENT_TOPICS, "N", 0,
	  "Topics of each document [3]", 2 },
	{ 0 }
};

static uint64_t take(struct generate *g, struct argp_state *state, int kind,
		     const char *name, const char *text, uint64_t most)
{
	g->used[kind] = name;
	return args_count(state, name, text, 1, most);
}

static void parse_kind(struct generate *g, struct argp_state *state,
		       const char *text)
{
	if (g->kind >= 0)
		argp_failure(state, 2, 0, "\"%s\": expected one kind of data",
			     text);
	g->kind = args_choice(state, "the kind of data", text, kinds, KINDS,
			      "logistic, lda, or ratings as the first word");
}

static void parse_end(const struct generate *g, struct argp_state *state)
{
	if (g->kind < 0)
		argp_failure(state, 2, 0, "no kind of data: expected logistic, lda or ratings");
	if (!g->output)
		argp_failure(state, 2, 0, "no --output FILE");
	for (int kind = 0; kind < KINDS; kind++)
		if (kind != g->kind && g->used[kind])
			argp_failure(state, 2, 0, "%s is of %s, not of %s",
				     g->used[kind], kinds[kind], kinds[g->kind]);
}

static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
	struct generate *g = state->input;

	switch (key) {
	case 'o': g->output = arg; break;
	case KEY_SEED:
		g->seed = args_count(state, "--seed", arg, 0, UINT64_MAX);
		break;
	case ARGP_KEY_ARG: parse_kind(g, state, arg); break;
	case ARGP_KEY_END: parse_end(g, state); break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const uint64_t most = UINT64_C(1) << 31;
	struct generate *g = state->input;

	switch (key) {
	case KEY_ROWS:
		g->rows.rows = take(g, state, KIND_LOGISTIC, "--rows", arg,
				    INT64_MAX);
		break;
	case KEY_COLS:
		g->rows.cols = take(g, state, KIND_LOGISTIC, "--cols", arg, most);
		break;
	case KEY_NNZ:
		g->rows.nnz = (uint32_t)take(g, state, KIND_LOGISTIC, "--nnz",
					     arg, most);
		break;
	case KEY_DOCUMENTS:
		g->lda.documents = take(g, state, KIND_LDA, "--documents", arg,
					INT64_MAX);
		break;
	case KEY_LENGTH:
		g->lda.length = (uint32_t)take(g, state, KIND_LDA, "--length",
					       arg, most);
		break;
	case KEY_WORDS:
		g->lda.words = take(g, state, KIND_LDA, "--words", arg, most);
		break;
	case KEY_TOPICS:
		g->lda.topics = (int)take(g, state, KIND_LDA, "--topics", arg,
					  INT_MAX);
		break;
	case KEY_TOPIC_WORDS:
		g->lda.topic_words = (uint32_t)take(g, state, KIND_LDA,
						    "--topic-words", arg, most);
		break;
	case KEY_DOCUMENT_TOPICS:
		g->lda.document_topics = (uint32_t)take(g, state, KIND_LDA,
							"--document-topics",
							arg, most);
		break;
	default:
		return parse_rest(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .args_doc = "logistic|lda",
	.doc = "Write data in which something is planted. logistic: a LIBSVM file "
	       "of rows whose labels are drawn from a logistic model with planted "
	       "weights. lda: documents with planted topics, in lda-c; lagoon "
	       "topics prints these. The same options give the same file "
	       "everywhere. For ratings see lagoon generate ratings --help.",
};

static int generate(struct generate *g, const char *planted)
{
	g->rows.seed = g->lda.seed = g->seed;
	if (g->kind == KIND_LDA)
		return lagoon_generate_lda(g->output, planted, &g->lda);
	return lagoon_generate_logistic(g->output, planted, &g->rows);
}

int tool_generate(int argc, char **argv)
{
	struct generate g = { .kind = -1, .seed = 1 };
	char *planted;
	int rc;

	if (argc > 1 && !strcmp(argv[1], "ratings"))
		return tool_generate_ratings(argc, argv);
	lagoon_generate_options_init(&g.rows);
	lagoon_generate_lda_options_init(&g.lda);
	if (argp_parse(&parser, argc, argv, 0, NULL, &g))
		return 2;
	planted = malloc(strlen(g.output) + sizeof(".planted"));
	if (!planted) {
		fputs("lagoon generate: no memory for a path\n", stderr);
		return 1;
	}
	sprintf(planted, "%s.planted", g.output);
	rc = generate(&g, planted);
	free(planted);
	if (rc)
		fprintf(stderr, "lagoon generate: %s\n", lagoon_errmsg());
	return rc == LAGOON_EINVAL ? 2 : rc ? 1 : 0;
}
