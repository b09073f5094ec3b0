/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train lda`, and `lagoon topics`, which prints a model. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/attr.h"
#include "tools/args.h"
#include "tools/tools.h"
#include "tools/train.h"

#define TOP_MAX 1000

struct lda {
	struct train_job job;
	const char *test;
	int top;
	struct lagoon_lda_options fit;
};

enum {
	KEY_DATA = 256, KEY_TEST, KEY_FORMAT, KEY_VOCABULARY, KEY_SKIP_EMPTY,
	KEY_TOPICS, KEY_ALPHA, KEY_BETA, KEY_SWEEPS, KEY_SAMPLER, KEY_STEPS, KEY_ANNEAL,
	KEY_ROUNDS, KEY_MEASURE, KEY_TOP, KEY_CHANGE,
};

static const struct argp_option table[] = {
	{ "data", KEY_DATA, "FILE", 0, "Documents, plain or by gzip", 0 },
	{ "test", KEY_TEST, "FILE", 0,
	  "Documents to measure the perplexity of", 0 },
	{ "format", KEY_FORMAT, "ldac|docword", 0,
	  "lda-c, or UCI docword [docword if the name has that, else ldac]", 0 },
	{ "vocabulary", KEY_VOCABULARY, "FILE", 0,
	  "The words, one a line, in the order of their numbers", 0 },
	{ "skip-empty", KEY_SKIP_EMPTY, NULL, 0,
	  "Leave documents without words out instead of refusing them", 0 },
	{ "topics", KEY_TOPICS, "N", 0, "Topics [20]", 1 },
	{ "alpha", KEY_ALPHA, "X", 0, "Prior of a document's topics [0.1]", 1 },
	{ "beta", KEY_BETA, "X", 0, "Prior of a topic's words [0.01]", 1 },
	{ "eta", 0, NULL, OPTION_ALIAS, NULL, 1 },
	{ "sweeps", KEY_SWEEPS, "N", 0, "Passes over all tokens [500]", 2 },
	{ "sampler", KEY_SAMPLER, "dense|sparse|alias", 0,
	  "How a token's topic is drawn [sparse]", 2 },
	{ "steps", KEY_STEPS, "N", 0,
	  "alias: pairs of proposals for a token [4]", 2 },
	{ "anneal", KEY_ANNEAL, "X", 0,
	  "Share of the sweeps in which the priors fall from ten times to theirs [0.3]", 2 },
	{ "rounds", KEY_ROUNDS, "N", 0, "Clocks of a sweep [16]", 2 },
	{ "measure", KEY_MEASURE, "N", 0,
	  "Sweeps from one likelihood to the next [10]", 2 },
	{ "change", KEY_CHANGE, "X", 0,
	  "vap: how many tokens of a count's change a process may keep back [1]", 2 },
	{ "top", KEY_TOP, "N", 0, "Print so many words of each topic [10]", 2 },
	{ 0 }
};

static int sampler(struct argp_state *state, const char *text)
{
	static const char *const names[] = {
		[LAGOON_LDA_DENSE] = "dense", [LAGOON_LDA_SPARSE] = "sparse",
		[LAGOON_LDA_ALIAS] = "alias",
	};

	return args_choice(state, "--sampler", text, names, (int)LGN_COUNT(names),
			   "dense, sparse or alias");
}

static int format(struct argp_state *state, const char *text)
{
	static const char *const names[] = {
		[LAGOON_LDA_LDAC] = "ldac", [LAGOON_LDA_DOCWORD] = "docword",
	};

	return args_choice(state, "--format", text, names, (int)LGN_COUNT(names),
			   "ldac or docword");
}

/* Of the data and the outputs. */
static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
	struct lda *t = state->input;

	switch (key) {
	case KEY_DATA: t->job.data = arg; break;
	case KEY_TEST: t->test = arg; break;
	case KEY_TOP: t->top = args_int(state, "--top", arg, 0, TOP_MAX); break;
	case KEY_FORMAT: t->fit.format = format(state, arg); break;
	case KEY_VOCABULARY: t->fit.vocabulary = arg; break;
	case KEY_SKIP_EMPTY: t->fit.skip_empty = 1; break;
	default:
		return train_job_parse(&t->job, key, arg, state);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct lda *t = state->input;
	struct lagoon_lda_options *o = &t->fit;

	switch (key) {
	case KEY_TOPICS:
		o->topics = args_int(state, "--topics", arg, 1, 65536);
		break;
	case KEY_ALPHA: o->alpha = args_number(state, "--alpha", arg, 0); break;
	case KEY_BETA: o->beta = args_number(state, "--beta", arg, 0); break;
	case KEY_SWEEPS:
		o->sweeps = args_int(state, "--sweeps", arg, 1, INT_MAX);
		break;
	case KEY_SAMPLER: o->sampler = sampler(state, arg); break;
	case KEY_STEPS:
		o->steps = args_int(state, "--steps", arg, 1, INT_MAX);
		break;
	case KEY_ANNEAL:
		o->anneal = args_number(state, "--anneal", arg, 1);
		break;
	case KEY_ROUNDS:
		o->rounds = args_int(state, "--rounds", arg, 1, 1 << 20);
		break;
	case KEY_CHANGE:
		o->change = args_number(state, "--change", arg, 1);
		break;
	case KEY_MEASURE:
		o->every = args_int(state, "--measure", arg, 1, INT_MAX);
		break;
	default:
		return parse_rest(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .children = train_children,
	.args_doc = "lda",
	.doc = "Find topics in documents: latent Dirichlet allocation by "
	       "collapsed Gibbs sampling."
	       "\v"
	       "The exit status is 0; 2 for wrong usage, data or checkpoint; 1 if the "
	       "run failed; 75 if a signal ended it after a checkpoint, without a "
	       "model: start it again with --resume.",
};

/* -------------------------------------------------------------- reports */

static int on_sweep(void *arg, const struct lagoon_lda_sweep *s)
{
	struct train_report *r = arg;

	train_progress(r, s->sweep, s->log_likelihood, s->seconds,
		       "%.4f a token", s->log_likelihood / (double)s->tokens);
	train_report_object(r, json_pack("{s:i, s:f, s:f}", "sweep", s->sweep,
					 "log_likelihood", s->log_likelihood,
					 "seconds", s->seconds));
	return 0;
}

/* A topic a line: share of the tokens, words. */
static int print_topics(const struct lagoon_lda_model *m, int top)
{
	uint64_t *words = malloc(((size_t)top + 1) * sizeof(*words));
	int64_t tokens = 0;

	if (!words) {
		fputs("lagoon: no memory for a list of words\n", stderr);
		return 1;
	}
	for (int k = 0; k < m->topics; k++)
		tokens += m->totals[k];
	for (int k = 0; k < m->topics && top; k++) {
		int n = lagoon_lda_top_words(m, k, top, words);

		printf("topic %-4d %5.2f %%", k,
		       100 * (double)m->totals[k] / (double)tokens);
		for (int i = 0; i < n; i++) {
			if (m->vocabulary && *m->vocabulary[words[i]])
				printf(" %s", m->vocabulary[words[i]]);
			else
				printf(" %llu", (unsigned long long)words[i]);
		}
		putchar('\n');
	}
	free(words);
	return 0;
}

static void last_object(struct lda *t, const struct lagoon_lda_result *r)
{
	json_t *o = json_pack(
		"{s:f, s:i, s:i, s:I, s:I, s:I, s:f, s:f}",
		"log_likelihood", r->log_likelihood, "sweeps", r->sweeps,
		"topics", r->topics, "documents", (json_int_t)r->documents,
		"words", (json_int_t)r->words,
		"tokens", (json_int_t)r->tokens, "seconds", r->seconds,
		"sample_seconds", r->sample_seconds);

	json_object_set_new(o, "perplexity", r->perplexity < 0 ? json_null() :
			    json_real(r->perplexity));
	train_report_object(&t->job.report, o);
}

/* Of the sweeps of this run; 0 if the checkpoint had all. */
static double tokens_per_second(const struct lagoon_lda_result *r)
{
	int made = r->sweeps - r->resumed;

	return made ? (double)r->tokens * made / r->sample_seconds : 0;
}

static int finish(struct lda *t, const struct lagoon_lda_result *r)
{
	const struct lagoon_lda_model model = {
		.size = sizeof(model),
		.topics = r->topics,
		.words = r->words,
		.alpha = t->fit.alpha,
		.beta = t->fit.beta,
		.log_likelihood = r->log_likelihood,
		.counts = r->counts,
		.totals = r->totals,
		.vocabulary = r->vocabulary,
	};
	int rc = t->job.model ? lagoon_lda_model_save(t->job.model, &model) : 0;

	if (rc)
		return train_fail(rc);
	printf("data           %llu documents, %llu words, %llu tokens\n",
	       (unsigned long long)r->documents, (unsigned long long)r->words,
	       (unsigned long long)r->tokens);
	printf("log likelihood %.10g after %d sweeps\n", r->log_likelihood,
	       r->sweeps);
	if (r->perplexity >= 0)
		printf("perplexity     %.6g of %llu tokens of %llu documents, the others given\n",
		       r->perplexity, (unsigned long long)r->test_tokens,
		       (unsigned long long)r->test_documents);
	printf("seconds        %.3f, of it %.3f reading, %.3f drawing: %.4g tokens/s\n",
	       r->seconds, r->read_seconds, r->sample_seconds,
	       tokens_per_second(r));
	last_object(t, r);
	return print_topics(&model, t->top);
}

/* ----------------------------------------------------------------- runs */

static int fit(void *arg, struct lagoon *lg)
{
	struct lda *t = arg;
	struct lagoon_lda_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = on_sweep;
		t->fit.progress_arg = &t->job.report;
	}
	rc = lagoon_lda_fit_file(lg, t->job.data, t->test, &t->fit, &result);
	status = train_job_status(&t->job, rc, result.interrupted, result.sweeps);
	if (!status && !lagoon_rank(lg))
		status = finish(t, &result);
	lagoon_lda_result_free(&result);
	return status;
}

int train_lda(int argc, char **argv)
{
	struct lda t = { .top = 10 };

	lagoon_lda_options_init(&t.fit);
	if (train_job_read(&t.job, &parser, argc, argv, &t))
		return 2;
	train_job_options(&t.job, &t.fit.model, &t.fit.staleness,
			  &t.fit.sample, &t.fit.seed);
	train_job_checkpoints(&t.job, &t.fit.checkpoint,
			      &t.fit.checkpoint_every, &t.fit.resume,
			      &t.fit.interrupted);
	t.job.report.unit = "sweep";
	t.job.report.measure = "log likelihood";
	t.job.report.epochs = t.fit.sweeps;
	return train_job_run(&t.job, argc, argv, fit, &t);
}

/* --------------------------------------------------------------- models */

struct topics {
	const char *model;
	int top;
};

static const struct argp_option topics_table[] = {
	{ "top", KEY_TOP, "N", 0, "So many words of each topic [10]", 0 },
	{ 0 }
};

static error_t topics_parse(int key, char *arg, struct argp_state *state)
{
	struct topics *t = state->input;

	switch (key) {
	case KEY_TOP: t->top = args_int(state, "--top", arg, 0, TOP_MAX); break;
	case ARGP_KEY_ARG:
		if (t->model)
			argp_failure(state, 2, 0, "\"%s\": expected one model",
				     arg);
		t->model = arg;
		break;
	case ARGP_KEY_END:
		if (!t->model)
			argp_failure(state, 2, 0, "no model: expected a FILE of "
				     "lagoon train lda");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp topics_parser = {
	.options = topics_table, .parser = topics_parse, .args_doc = "FILE",
	.doc = "Print the most frequent words of each topic of a model that "
	       "lagoon train lda wrote, with its share of the tokens.",
};

int tool_topics(int argc, char **argv)
{
	struct lagoon_lda_model model = { .size = sizeof(model) };
	struct topics t = { .top = 10 };
	int status, rc;

	if (argp_parse(&topics_parser, argc, argv, 0, NULL, &t))
		return 2;
	rc = lagoon_lda_model_load(t.model, &model);
	if (rc) {
		fprintf(stderr, "lagoon topics: %s\n", lagoon_errmsg());
		return rc == LAGOON_ENOENT || rc == LAGOON_ECORRUPT ? 2 : 1;
	}
	status = print_topics(&model, t.top);
	lagoon_lda_model_free(&model);
	return status;
}
