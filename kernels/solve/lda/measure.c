/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How well the topics explain the tokens, at rest.
 *
 * log p(words, topics) with topics' words and documents' topics integrated out
 * (Griffiths and Steyvers 2004): over topics k, words w and documents d
 *
 *	K (lG(V b) - V lG(b)) + sum_k (sum_w lG(n_kw + b) - lG(n_k + V b)) +
 *	D (lG(K a) - K lG(a)) + sum_d (sum_k lG(n_dk + a) - lG(n_d + K a))
 *
 * Perplexity of documents that were not trained on, by document completion
 * (Wallach, Murray, Salakhutdinov and Mimno 2009): of every second token of a
 * document, given the others. Those get topics by Gibbs sampling with the
 * topics' words fixed; the probability of a token is the mean over samples.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/lda/lda.h"
#include "runtime/base/status.h"

#define SMALL 1024		/* counts whose lG is looked up */
#define BURN 10			/* sweeps before the first sample */
#define SAMPLES 10		/* one a sweep */

static double log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

/* ----------------------------------------------------------- likelihood */

/* lG(n + prior) - lG(prior). */
struct rising {
	double prior;
	double log_prior;
	double small[SMALL];
};

static void rising_init(struct rising *r, double prior)
{
	r->prior = prior;
	r->log_prior = log_gamma(prior);
	for (int n = 0; n < SMALL; n++)
		r->small[n] = log_gamma(n + prior) - r->log_prior;
}

static double rising(const struct rising *r, int64_t n)
{
	return n < SMALL ? r->small[n] :
		log_gamma((double)n + r->prior) - r->log_prior;
}

static int words_part(struct lgn_lda *t, const struct rising *r,
		      struct lgn_lda_tidings *mine)
{
	uint64_t words = t->fit->facts.data.words;
	uint64_t workers = (uint64_t)t->fit->workers, n;
	uint64_t end = words * ((uint64_t)t->id + 1) / workers;
	int rc = 0;

	for (uint64_t at = words * (uint64_t)t->id / workers; at < end && !rc;
	     at += n) {
		n = end - at < t->rows_room ? end - at : t->rows_room;
		rc = lagoon_pull(t->w, t->fit->words, at, n, t->rows);
		for (size_t i = 0; i < n * (size_t)t->topics && !rc; i++) {
			int32_t count = t->rows[i];

			if (count < 0)
				return lgn_fail(LAGOON_ECORRUPT, "a count of "
						"the table is %d", count);
			mine->tokens += count;
			if (count)
				mine->words += rising(r, count);
		}
	}
	return rc;
}

static void documents_part(struct lgn_lda *t, const struct rising *r,
			   struct lgn_lda_tidings *mine)
{
	double all = t->alpha * t->topics, log_all = log_gamma(all);

	for (size_t i = 0; i < t->docs.documents; i++) {
		size_t begin = t->docs.start[i], end = t->docs.start[i + 1];

		for (size_t k = begin; k < end; k++)
			t->nd[t->docs.topic[k]]++;
		for (size_t k = begin; k < end; k++) {
			int32_t *n = &t->nd[t->docs.topic[k]];

			if (*n)
				mine->documents += rising(r, *n);
			*n = 0;
		}
		mine->documents += log_all - log_gamma((double)(end - begin) +
						       all);
	}
}

int lgn_lda_likelihood(struct lgn_lda *t, struct lgn_lda_tidings *mine)
{
	struct rising *r = malloc(2 * sizeof(*r));
	int rc = r ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for logarithms");

	if (!rc)
		rc = lgn_lda_pull_totals(t);
	if (!rc) {
		rising_init(&r[0], t->beta);
		rising_init(&r[1], t->alpha);
		rc = words_part(t, &r[0], mine);
	}
	if (!rc)
		documents_part(t, &r[1], mine);
	for (int k = 0; k < t->topics && !rc && !t->id; k++)
		mine->words += log_gamma(t->words_beta) -
			log_gamma((double)t->total[k] + t->words_beta);
	free(r);
	return rc;
}

/* ------------------------------------------------------------- held out */

static double word_given_topic(const struct lgn_lda *t, uint32_t place, int k)
{
	const int32_t *row = t->counts + (size_t)place * (size_t)t->topics;

	return (row[k] + t->beta) * t->inverse[k];
}

/* One of the tokens that are given. */
static int32_t draw(struct lgn_lda *t, uint32_t place)
{
	double sum = 0, u;
	int k = 0;

	for (k = 0; k < t->topics; k++) {
		sum += (t->nd[k] + t->alpha) * word_given_topic(t, place, k);
		t->sum[k] = sum;
	}
	u = lgn_lda_uniform(t) * sum;
	for (k = 0; k < t->topics - 1 && t->sum[k] <= u; k++)
		;
	return k;
}

static double probability(const struct lgn_lda *t, uint32_t place, double given)
{
	double p = 0;

	for (int k = 0; k < t->topics; k++)
		p += (t->nd[k] + t->alpha) * word_given_topic(t, place, k);
	return p / (given + t->alpha * t->topics);
}

/* Tokens 0, 2, 4 ... are given; mean: of the others. */
static void complete(struct lgn_lda *t, const uint32_t *place, int32_t *topic,
		     size_t n, double *mean)
{
	double given = (double)((n + 1) / 2);

	for (size_t i = 0; i < n; i += 2) {
		topic[i] = (int32_t)lgn_lda_below(t, (uint64_t)t->topics);
		t->nd[topic[i]]++;
	}
	for (size_t i = 1; i < n; i += 2)
		mean[i] = 0;
	for (int s = 0; s < BURN + SAMPLES; s++) {
		for (size_t i = 0; i < n; i += 2) {
			t->nd[topic[i]]--;
			topic[i] = draw(t, place[i]);
			t->nd[topic[i]]++;
		}
		for (size_t i = 1; i < n && s >= BURN; i += 2)
			mean[i] += probability(t, place[i], given) / SAMPLES;
	}
	for (size_t i = 0; i < n; i += 2)
		t->nd[topic[i]] = 0;
}

static int pull_block(struct lgn_lda *t, const struct lgn_lda_block *b)
{
	if (!b->n_words)
		return 0;
	return lagoon_pull_rows(t->w, t->fit->words, b->words, b->n_words,
				t->counts);
}

int lgn_lda_held_out(struct lgn_lda *t, struct lgn_lda_tidings *mine)
{
	const struct lgn_lda_docs *d = &t->test;
	double *mean = calloc(d->max_length + 1, sizeof(*mean));
	int rc = mean ? lgn_lda_pull_totals(t) :
		lgn_fail(LAGOON_ENOMEM, "no memory for a document of %zu "
			 "tokens", d->max_length);

	for (int b = 0; b < d->blocks && !rc; b++) {
		const struct lgn_lda_block *block = &d->block[b];

		rc = pull_block(t, block);
		for (size_t i = block->document; !rc &&
		     i < block->document + block->documents; i++) {
			size_t begin = d->start[i], n = d->start[i + 1] - begin;

			complete(t, d->place + begin, d->topic + begin, n,
				 mean);
			for (size_t k = 1; k < n; k += 2)
				mine->test += log(mean[k]);
			mine->test_tokens += n / 2;
		}
	}
	free(mean);
	return rc;
}
