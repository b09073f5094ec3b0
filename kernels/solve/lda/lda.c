/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame of a call: check the options; read and agree (first lagoon_run),
 * tables of the size that follows, train (second). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/lda/lda.h"
#include "kernels/solve/options.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define TOPICS_MAX 65536

/* -------------------------------------------------------------- options */

LGN_EXPORT void lagoon_lda_options_init(struct lagoon_lda_options *options)
{
	*options = (struct lagoon_lda_options){
		.size = sizeof(*options),
		.topics = 20,
		.alpha = 0.1,
		.beta = 0.01,
		.sweeps = 500,
		.sampler = LAGOON_LDA_SPARSE,
		.steps = 4,
		.rounds = 16,
		.every = 10,
		.anneal = 0.3,
		.model = LAGOON_SSP,
		.staleness = 1,
		.sample = 1,
		.change = 1,
		.seed = 1,
		.format = -1,
	};
}

static int check_prior(const char *name, double value)
{
	if (value > 0 && isfinite(value))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s %g: expected a finite number above "
			"0", name, value);
}

static int check_numbers(const struct lagoon_lda_options *o)
{
	const struct lgn_option option[] = {
		{ "topics", o->topics, 1, TOPICS_MAX },
		{ "sweeps", o->sweeps, 1, INT32_MAX },
		{ "sampler", o->sampler, 0, LAGOON_LDA_ALIAS },
		{ "steps", o->steps, 1, INT32_MAX },
		{ "rounds", o->rounds, 1, 1 << 20 },
		{ "every", o->every, 1, INT32_MAX },
		{ "staleness", o->staleness, 0, INT32_MAX - 1 },
		{ "sample", o->sample, 0, INT32_MAX },
		{ "format", o->format, -1, LAGOON_LDA_DOCWORD },
	};

	return lgn_options_check(option, LGN_COUNT(option));
}

static int check_options(const struct lagoon_lda_options *o)
{
	int rc;

	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	rc = check_numbers(o);
	if (!rc)
		rc = check_prior("alpha", o->alpha);
	if (!rc)
		rc = check_prior("beta", o->beta);
	if (!rc && !(o->anneal >= 0 && o->anneal <= 1))
		rc = lgn_fail(LAGOON_EINVAL, "anneal %g: expected 0 to 1",
			      o->anneal);
	if (!rc && (o->model < LAGOON_SSP || o->model > LAGOON_VAP))
		rc = lgn_fail(LAGOON_EINVAL, "model %d: expected ssp, bsp, asp, "
			      "essp, psp or vap", o->model);
	if (!rc && !(o->change >= 0 && isfinite(o->change)))
		rc = lgn_fail(LAGOON_EINVAL, "change %g: expected a finite "
			      "number of 0 or more", o->change);
	if (!rc && o->checkpoint_every && !o->checkpoint)
		rc = lgn_fail(LAGOON_EINVAL, "checkpoint_every %llu without a "
			      "checkpoint",
			      (unsigned long long)o->checkpoint_every);
	return rc;
}

/* --------------------------------------------------------------- tables */

static int create(struct lgn_lda_fit *fit, const char *name, uint64_t rows,
		  int format, int type, struct lagoon_table **t)
{
	const struct lagoon_lda_options *o = &fit->options;
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = rows;
	attr.cols = (uint32_t)o->topics;
	attr.format = format;
	attr.type = type;
	attr.change = o->change;
	lgn_options_consistency(o->model, o->staleness, o->sample, &attr);
	return lagoon_table_create(fit->lg, name, &attr, t);
}

static int create_tables(struct lgn_lda_fit *fit)
{
	int rc = create(fit, "lda words", fit->facts.data.words, LAGOON_I32,
			LAGOON_INT32, &fit->words);

	if (!rc)
		rc = create(fit, "lda topics", 1, LAGOON_I64, LAGOON_INT64,
			    &fit->topics);
	if (!rc)
		rc = lgn_share_create(fit->lg, "lda tidings",
				      sizeof(struct lgn_lda_tidings),
				      LAGOON_SSP, &fit->tidings);
	return rc;
}

static void destroy_tables(struct lgn_lda_fit *fit)
{
	if (fit->words)
		lagoon_table_destroy(fit->words);
	if (fit->topics)
		lagoon_table_destroy(fit->topics);
	if (fit->assigned)
		lagoon_table_destroy(fit->assigned);
	lgn_share_destroy(&fit->tidings);
}

/* ---------------------------------------------------------------- calls */

static int load(struct lgn_lda_fit *fit)
{
	int rc = lgn_share_run(fit->lg, "lda load",
			       sizeof(struct lgn_lda_facts), lgn_lda_load, fit,
			       &fit->tidings);

	fit->result->read_seconds = lgn_seconds_since(fit->start_ns);
	return rc;
}

/* The words of the file are the result's; those beyond are "". */
static int make_vocabulary(struct lgn_lda_fit *fit)
{
	struct lagoon_lda_result *r = fit->result;

	if (!fit->vocabulary.words)
		return 0;
	r->vocabulary = calloc(r->words, sizeof(*r->vocabulary));
	if (!r->vocabulary)
		return LAGOON_ENOMEM;
	for (uint64_t i = 0; i < r->words; i++) {
		if (i < fit->vocabulary.words) {
			r->vocabulary[i] = fit->vocabulary.word[i];
			fit->vocabulary.word[i] = NULL;
		} else {
			r->vocabulary[i] = strdup("");
		}
		if (!r->vocabulary[i])
			return LAGOON_ENOMEM;
	}
	return 0;
}

/* Of a file the counts are rank 0's. */
static int make_result(struct lgn_lda_fit *fit)
{
	struct lagoon_lda_result *r = fit->result;
	size_t topics = (size_t)fit->options.topics;

	r->topics = fit->options.topics;
	r->documents = fit->facts.data.documents;
	r->test_documents = fit->facts.test.documents;
	r->words = fit->facts.data.words;
	r->tokens = fit->facts.data.tokens;
	if (!fit->path || lagoon_rank(fit->lg))
		return 0;
	fit->counts = r->counts = calloc(r->words, topics * sizeof(*r->counts));
	fit->totals = r->totals = calloc(topics, sizeof(*r->totals));
	if (r->counts && r->totals && !make_vocabulary(fit))
		return 0;
	fit->counts = NULL;
	return lgn_fail(LAGOON_ENOMEM, "no memory for the counts of %llu words "
			"and %zu topics", (unsigned long long)r->words, topics);
}

static int train(struct lgn_lda_fit *fit)
{
	int late = make_result(fit);
	int rc = create_tables(fit);

	if (!rc)
		rc = lgn_lda_restore(fit);
	if (!rc)
		rc = lagoon_run(fit->lg, lgn_lda_train, fit);
	destroy_tables(fit);
	return rc ? rc : late;
}

static int fit_open(struct lgn_lda_fit *fit)
{
	static const struct lgn_lda_sampler *const samplers[] = {
		[LAGOON_LDA_DENSE] = &lgn_lda_dense,
		[LAGOON_LDA_SPARSE] = &lgn_lda_sparse,
		[LAGOON_LDA_ALIAS] = &lgn_lda_alias,
	};
	int local = lagoon_local_workers(fit->lg);

	fit->sampler = samplers[fit->options.sampler];
	fit->workers = lagoon_workers(fit->lg);
	fit->first_worker = lgn_share_first_worker(fit->lg);
	fit->loaded = calloc((size_t)local + 1, sizeof(*fit->loaded));
	if (!fit->loaded)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d workers",
				local);
	if (fit->path && fit->options.format < 0)
		fit->options.format = lgn_corpus_format(fit->path);
	if (fit->path && fit->options.vocabulary)
		return lgn_vocabulary_read(fit->options.vocabulary,
					   &fit->vocabulary);
	return 0;
}

static void fit_close(struct lgn_lda_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	for (int i = 0; i < local && fit->loaded; i++) {
		lgn_corpus_free(&fit->loaded[i].data);
		lgn_corpus_free(&fit->loaded[i].test);
	}
	free(fit->loaded);
	free(fit->saved);
	lgn_vocabulary_free(&fit->vocabulary);
}

/* fit: what to fit; the rest is set here. */
static int call(struct lgn_lda_fit *fit,
		const struct lagoon_lda_options *options,
		struct lagoon_lda_result *result)
{
	struct lagoon_lda_result found = { .size = result->size };
	int rc;

	fit->result = &found;
	fit->start_ns = lgn_now_ns();
	lagoon_lda_options_init(&fit->options);
	if (options)
		fit->options = *options;
	rc = check_options(&fit->options);
	if (rc)
		return rc;
	rc = fit_open(fit);
	if (!rc)
		rc = load(fit);
	if (!rc)
		rc = train(fit);
	fit_close(fit);
	found.seconds = lgn_seconds_since(fit->start_ns);
	if (rc)
		lagoon_lda_result_free(&found);
	else
		*result = found;
	return rc;
}

LGN_EXPORT int
lagoon_lda_fit(struct lagoon *lg, const struct lagoon_lda_data *data,
	       const struct lagoon_lda_options *options, int32_t *counts,
	       int32_t *documents, struct lagoon_lda_result *result)
{
	struct lgn_lda_fit fit = {
		.lg = lg, .data = data, .counts = counts,
		.documents = documents,
	};

	return call(&fit, options, result);
}

LGN_EXPORT int
lagoon_lda_fit_file(struct lagoon *lg, const char *data, const char *test,
		    const struct lagoon_lda_options *options,
		    struct lagoon_lda_result *result)
{
	struct lgn_lda_fit fit = { .lg = lg, .path = data, .test = test };

	return call(&fit, options, result);
}

LGN_EXPORT void lagoon_lda_result_free(struct lagoon_lda_result *result)
{
	for (uint64_t i = 0; i < result->words && result->vocabulary; i++)
		free(result->vocabulary[i]);
	free(result->vocabulary);
	free(result->counts);
	free(result->totals);
	result->vocabulary = NULL;
	result->counts = NULL;
	result->totals = NULL;
}
