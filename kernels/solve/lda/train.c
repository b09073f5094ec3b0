/* SPDX-License-Identifier: BSD-3-Clause */
/* One worker's part of a fit: its documents as tokens, topics at random, then
 * sweeps of rounds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/lda/lda.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define ROWS_BYTES ((size_t)1 << 18)	/* pulled or added at once */
#define NONE (-1)			/* topic of a token before the first */
#define ANNEAL 10.0			/* times the priors, in the first sweep */

int lgn_lda_meet(struct lgn_lda *t, int rc, const struct lgn_lda_tidings *mine)
{
	const struct lgn_lda_tidings none = { 0 };

	return lgn_share_meet(&t->fit->tidings, t->w, &t->round, rc,
			      mine ? mine : &none, t->all);
}

/* Likelihoods are with the priors as they are asked for, by 1. */
static void set_priors(struct lgn_lda *t, double by)
{
	t->alpha = by * t->fit->options.alpha;
	t->beta = by * t->fit->options.beta;
	t->words_beta = t->beta * (double)t->fit->facts.data.words;
}

int lgn_lda_pull_totals(struct lgn_lda *t)
{
	int rc = lagoon_pull(t->w, t->fit->topics, 0, 1, t->total);

	for (int k = 0; k < t->topics && !rc; k++)
		lgn_lda_move(t, k, 0);
	return rc;
}

/* --------------------------------------------------------------- rounds */

static uint32_t at_once(const struct lgn_lda *t, const struct lgn_lda_block *b,
			uint32_t from)
{
	uint32_t left = b->n_words - from;

	return left < t->rows_room ? left : t->rows_room;
}

static int pull_words(struct lgn_lda *t, const struct lgn_lda_block *b)
{
	const struct lgn_lda_sampler *s = t->fit->sampler;
	size_t topics = (size_t)t->topics;
	int rc = 0;

	for (uint32_t p = 0, n; p < b->n_words && !rc; p += n) {
		int32_t *rows = s->matrix ? t->counts + p * topics : t->rows;

		n = at_once(t, b, p);
		rc = lagoon_pull_rows(t->w, t->fit->words, b->words + p, n,
				      rows);
		for (uint32_t i = 0; i < n && !rc && s->word; i++)
			rc = s->word(t, b, p + i, rows + i * topics);
	}
	return rc;
}

static int pull(struct lgn_lda *t, const struct lgn_lda_block *b)
{
	const struct lgn_lda_sampler *s = t->fit->sampler;
	int rc = lgn_lda_pull_totals(t);

	if (!rc && s->begin)
		rc = s->begin(t, b);
	return rc ? rc : pull_words(t, b);
}

/* The tokens of the word at this place that changed their topic. */
static bool take_changes(struct lgn_lda *t, const struct lgn_lda_block *b,
			 uint32_t place, int32_t *row)
{
	const int32_t *now = t->docs.topic + b->token;
	bool any = false;

	for (uint32_t i = b->first[place]; i < b->first[place + 1]; i++) {
		uint32_t at = b->order[i];

		if (now[at] == t->was[at])
			continue;
		if (!any)
			memset(row, 0, (size_t)t->topics * sizeof(*row));
		any = true;
		row[now[at]]++;
		t->change[now[at]]++;
		if (t->was[at] == NONE)
			continue;
		row[t->was[at]]--;
		t->change[t->was[at]]--;
	}
	return any;
}

static int add_rows(struct lgn_lda *t, uint32_t n)
{
	if (!n)
		return 0;
	return lagoon_add_rows(t->w, t->fit->words, t->list, n, t->rows);
}

/* What the block's topics are now and were: into the tables. */
static int push(struct lgn_lda *t, const struct lgn_lda_block *b)
{
	uint32_t n = 0;
	int rc = 0;

	memset(t->change, 0, (size_t)t->topics * sizeof(*t->change));
	for (uint32_t p = 0; p < b->n_words && !rc; p++) {
		if (!take_changes(t, b, p, t->rows + n * (size_t)t->topics))
			continue;
		t->list[n++] = b->words[p];
		if (n < t->rows_room)
			continue;
		rc = add_rows(t, n);
		n = 0;
	}
	if (!rc)
		rc = add_rows(t, n);
	return rc ? rc : lagoon_add(t->w, t->fit->topics, 0, 1, t->change);
}

static void sample_document(struct lgn_lda *t, size_t i)
{
	size_t begin = t->docs.start[i], n = t->docs.start[i + 1] - begin;
	int32_t *topic = t->docs.topic + begin;

	for (size_t k = 0; k < n; k++)
		t->nd[topic[k]]++;
	t->fit->sampler->document(t, t->docs.place + begin, topic, n);
	for (size_t k = 0; k < n; k++)
		t->nd[topic[k]] = 0;
}

static int make_round(struct lgn_lda *t, const struct lgn_lda_block *b)
{
	int rc = pull(t, b);

	if (rc)
		return rc;
	memcpy(t->was, t->docs.topic + b->token, b->tokens * sizeof(*t->was));
	for (size_t i = 0; i < b->documents; i++)
		sample_document(t, b->document + i);
	rc = push(t, b);
	return rc ? rc : lagoon_clock(t->w);
}

/* --------------------------------------------------------------- sweeps */

static int fail_tokens(int64_t found, uint64_t expected)
{
	return lgn_fail(LAGOON_ECORRUPT, "the counts of the table sum to %lld: "
			"expected %llu, the tokens", (long long)found,
			(unsigned long long)expected);
}

static int judge(struct lgn_lda *t)
{
	int64_t tokens = 0, total = 0;
	double sum = 0;

	t->stopped = t->interrupted = 0;
	for (int i = 0; i < t->fit->workers; i++) {
		sum += t->all[i].words + t->all[i].documents;
		tokens += t->all[i].tokens;
		t->stopped |= t->all[i].stop;
		t->interrupted |= t->all[i].interrupted;
	}
	for (int k = 0; k < t->topics; k++)
		total += t->total[k];
	t->log_likelihood = sum;
	if ((uint64_t)tokens != t->fit->facts.data.tokens)
		return fail_tokens(tokens, t->fit->facts.data.tokens);
	if ((uint64_t)total != t->fit->facts.data.tokens)
		return fail_tokens(total, t->fit->facts.data.tokens);
	return 0;
}

static void report(struct lgn_lda *t)
{
	const struct lagoon_lda_options *o = &t->fit->options;
	const struct lagoon_lda_sweep s = {
		.sweep = t->sweep,
		.log_likelihood = t->log_likelihood,
		.seconds = lgn_seconds_since(t->fit->start_ns),
		.tokens = t->fit->facts.data.tokens,
	};

	if (o->progress && t->id == t->fit->first_worker &&
	    o->progress(o->progress_arg, &s))
		t->asked = 1;
}

static int measure(struct lgn_lda *t)
{
	const struct lgn_saving saving = lgn_lda_saving(t->fit);
	struct lgn_lda_tidings mine = {
		.stop = t->asked,
		.interrupted = lgn_saving_is_interrupted(&saving),
	};
	int rc = lgn_lda_meet(t, 0, NULL);

	if (rc)
		return rc;
	rc = lgn_lda_likelihood(t, &mine);
	rc = lgn_lda_meet(t, rc, &mine);
	if (!rc)
		rc = judge(t);
	if (!rc)
		report(t);
	return !rc && lgn_lda_is_due(t) ? lgn_lda_save(t) : rc;
}

/* Larger priors first, as a temperature: chains that begin alike end in one
 * another's neighbourhood more often. How much that narrows the spread of their
 * log likelihoods is less than what a few seeds tell. */
static double annealed(const struct lgn_lda *t)
{
	const struct lagoon_lda_options *o = &t->fit->options;
	double end = o->anneal * o->sweeps;

	return t->sweep < end ? pow(ANNEAL, 1 - t->sweep / end) : 1;
}

/* What is drawn from now on. */
static void set_random(struct lgn_lda *t, int sweep)
{
	uint64_t x = lgn_random_mix(t->fit->options.seed);

	x = lgn_random_mix(x + (uint64_t)t->id);
	t->random = lgn_random_mix(x + (uint64_t)sweep);
}

static int sweep(struct lgn_lda *t)
{
	uint64_t start = lgn_now_ns();
	int rc = 0;

	set_priors(t, annealed(t));
	t->sweep++;
	set_random(t, t->sweep);
	for (int b = 0; b < t->docs.blocks && !rc; b++)
		rc = make_round(t, &t->docs.block[b]);
	set_priors(t, 1);
	t->sample_seconds += lgn_seconds_since(start);
	return rc;
}

/* Topics at random, or those of a checkpoint. */
static int start(struct lgn_lda *t)
{
	int rc = t->fit->saved ? lgn_lda_resume(t) : 0;

	set_random(t, 0);
	for (size_t i = 0; i < t->docs.tokens && !t->fit->saved; i++)
		t->docs.topic[i] = (int32_t)lgn_lda_below(t, (uint64_t)t->topics);
	for (size_t i = 0; i < t->docs.max_tokens; i++)
		t->was[i] = NONE;
	for (int b = 0; b < t->docs.blocks && !rc; b++)
		rc = push(t, &t->docs.block[b]);
	return lgn_lda_meet(t, rc, NULL);
}

static int train(struct lgn_lda *t)
{
	const struct lagoon_lda_options *o = &t->fit->options;
	int rc = start(t);

	t->resumed = t->sweep;
	if (!rc && t->sweep == o->sweeps)
		rc = measure(t);
	while (!rc && t->sweep < o->sweeps && !t->stopped && !t->interrupted) {
		rc = sweep(t);
		if (!rc && (t->sweep % o->every == 0 || lgn_lda_is_due(t) ||
			    t->sweep == o->sweeps))
			rc = measure(t);
	}
	return rc;
}

/* -------------------------------------------------------------- the end */

static int held_out(struct lgn_lda *t)
{
	struct lgn_lda_tidings mine = { 0 };
	double sum = 0;
	int rc;

	t->perplexity = -1;
	if (!t->fit->test || t->interrupted)
		return 0;
	set_random(t, t->sweep + 1);
	rc = lgn_lda_meet(t, lgn_lda_held_out(t, &mine), &mine);
	for (int i = 0; i < t->fit->workers && !rc; i++) {
		sum += t->all[i].test;
		t->test_tokens += t->all[i].test_tokens;
	}
	if (!rc && !t->test_tokens)
		return lgn_fail(LAGOON_EINVAL, "%s: no document of two tokens, "
				"of which the second could be tested",
				t->fit->test);
	t->perplexity = exp(-sum / (double)t->test_tokens);
	return rc;
}

/* The topics of this worker's documents, for the caller. */
static void tell_documents(const struct lgn_lda *t, size_t first)
{
	size_t topics = (size_t)t->topics;

	for (size_t i = 0; i < t->docs.documents; i++) {
		int32_t *row = t->fit->documents + (first + i) * topics;

		memset(row, 0, topics * sizeof(*row));
		for (size_t k = t->docs.start[i]; k < t->docs.start[i + 1]; k++)
			row[t->docs.topic[k]]++;
	}
}

static int finish(struct lgn_lda *t)
{
	struct lgn_lda_fit *fit = t->fit;
	struct lagoon_lda_result *r = fit->result;
	int rc = held_out(t);

	if (rc)
		return rc;
	if (fit->documents)
		tell_documents(t, fit->loaded[t->id - fit->first_worker].document);
	if (t->id != fit->first_worker)
		return 0;
	r->log_likelihood = t->log_likelihood;
	r->perplexity = t->perplexity;
	r->test_tokens = t->test_tokens;
	r->sweeps = t->sweep;
	r->resumed = t->resumed;
	r->stopped = t->stopped;
	r->interrupted = t->interrupted;
	r->sample_seconds = t->sample_seconds;
	if (fit->totals)
		memcpy(fit->totals, t->total,
		       (size_t)t->topics * sizeof(*t->total));
	if (fit->counts)
		rc = lagoon_pull(t->w, fit->words, 0, fit->facts.data.words,
				 fit->counts);
	return rc;
}

/* -------------------------------------------------------------- opening */

static size_t largest(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int open_vectors(struct lgn_lda *t)
{
	size_t topics = (size_t)t->topics, words, matrix;

	words = largest(t->docs.max_words, t->test.max_words);
	matrix = t->fit->sampler->matrix ? words :
		t->test.max_words;
	t->rows_room = (uint32_t)largest(1, ROWS_BYTES / (topics * 4));
	t->total = calloc(topics, sizeof(*t->total));
	t->inverse = calloc(topics, sizeof(*t->inverse));
	t->nd = calloc(topics, sizeof(*t->nd));
	t->sum = calloc(topics, sizeof(*t->sum));
	t->change = calloc(topics, sizeof(*t->change));
	t->rows = malloc(t->rows_room * topics * sizeof(*t->rows));
	t->list = malloc(t->rows_room * sizeof(*t->list));
	t->was = malloc((t->docs.max_tokens + 1) * sizeof(*t->was));
	t->counts = malloc((matrix + 1) * topics * sizeof(*t->counts));
	if (t->total && t->inverse && t->nd && t->sum && t->change && t->rows &&
	    t->list && t->was && t->counts)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for the counts of %zu words "
			"and %zu topics; more rounds need less", words, topics);
}

static int prepare(struct lgn_lda *t)
{
	struct lgn_lda_fit *fit = t->fit;
	const struct lagoon_lda_options *o = &fit->options;
	struct lgn_lda_loaded *loaded = &fit->loaded[t->id - fit->first_worker];
	uint64_t words = fit->facts.data.words;
	int rc;

	t->topics = o->topics;
	set_priors(t, 1);
	t->all = calloc((size_t)fit->workers, sizeof(*t->all));
	if (!t->all)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the tidings of "
				"%d workers", fit->workers);
	rc = lgn_lda_docs_open(&loaded->data, words, o->rounds, &t->docs);
	if (!rc && fit->test)
		rc = lgn_lda_docs_open(&loaded->test, words, o->rounds,
				       &t->test);
	lgn_corpus_free(&loaded->data);
	lgn_corpus_free(&loaded->test);
	if (!rc)
		rc = open_vectors(t);
	if (!rc && fit->sampler->open)
		rc = fit->sampler->open(t);
	return rc;
}

static void close_all(struct lgn_lda *t)
{
	if (t->fit->sampler->close)
		t->fit->sampler->close(t);
	lgn_lda_docs_close(&t->docs);
	lgn_lda_docs_close(&t->test);
	free(t->total);
	free(t->inverse);
	free(t->nd);
	free(t->sum);
	free(t->change);
	free(t->rows);
	free(t->list);
	free(t->was);
	free(t->counts);
	free(t->all);
}

int lgn_lda_train(struct lagoon_worker *w, void *arg)
{
	struct lgn_lda t = { .fit = arg, .w = w };
	int rc;

	t.id = lagoon_worker_id(w);
	rc = prepare(&t);
	rc = lgn_lda_meet(&t, rc, NULL);
	if (!rc)
		rc = train(&t);
	if (!rc)
		rc = finish(&t);
	if (rc)
		lgn_share_fail(&t.fit->tidings, w, t.round, rc);
	close_all(&t);
	return rc;
}
