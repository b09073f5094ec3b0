/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of a model of topics. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/keyed.h"
#include "kernels/data/outfile.h"
#include "kernels/lagoon_solve.h"
#include "runtime/base/status.h"

#define MAGIC "lagoon-lda 1"
#define TOPICS_MAX 65536
#define WORDS_MAX (UINT64_C(1) << 31)
#define COUNT_MAX (UINT64_C(1) << 30)

/* ---------------------------------------------------------------- saving */

static int check_model(const struct lagoon_lda_model *m)
{
	if (m->topics < 1 || m->topics > TOPICS_MAX || !m->words ||
	    m->words > WORDS_MAX || !m->counts)
		return lgn_fail(LAGOON_EINVAL, "model of %d topics and %llu "
				"words: expected 1 or more, and counts",
				m->topics, (unsigned long long)m->words);
	for (uint64_t w = 0; w < m->words && m->vocabulary; w++)
		if (strpbrk(m->vocabulary[w], " \t\r\n"))
			return lgn_fail(LAGOON_EINVAL, "word %llu is \"%.40s\": "
					"expected no blank in it",
					(unsigned long long)w,
					m->vocabulary[w]);
	return 0;
}

/* A word without a name has its number. */
static void write_word(FILE *out, const struct lagoon_lda_model *m, uint64_t w)
{
	const int32_t *row = m->counts + w * (uint64_t)m->topics;

	if (m->vocabulary && *m->vocabulary[w])
		fputs(m->vocabulary[w], out);
	else
		fprintf(out, "%llu", (unsigned long long)w);
	for (int k = 0; k < m->topics; k++)
		if (row[k])
			fprintf(out, " %d:%d", k, row[k]);
	fputc('\n', out);
}

LGN_EXPORT int lagoon_lda_model_save(const char *path,
				     const struct lagoon_lda_model *model)
{
	struct lgn_outfile out;
	int rc = check_model(model);

	if (!rc)
		rc = lgn_outfile_open(path, &out);
	if (rc)
		return rc;
	fprintf(out.stream, MAGIC "\ntopics %d\nwords %llu\nalpha %.17g\n"
		"beta %.17g\nlog_likelihood %.17g\nvocabulary %d\ncounts\n",
		model->topics, (unsigned long long)model->words, model->alpha,
		model->beta, model->log_likelihood, model->vocabulary != NULL);
	for (uint64_t w = 0; w < model->words; w++)
		write_word(out.stream, model, w);
	fputs("end\n", out.stream);
	return lgn_outfile_commit(&out);
}

/* --------------------------------------------------------------- loading */

static int read_header(struct lgn_keyed *l, struct lagoon_lda_model *m,
		       uint64_t *named)
{
	uint64_t topics = 0;
	int rc = lgn_keyed_text(l, MAGIC);

	if (!rc)
		rc = lgn_keyed_whole(l, "topics", 1, TOPICS_MAX, &topics);
	if (!rc)
		rc = lgn_keyed_whole(l, "words", 1, WORDS_MAX, &m->words);
	if (!rc)
		rc = lgn_keyed_number(l, "alpha", &m->alpha);
	if (!rc)
		rc = lgn_keyed_number(l, "beta", &m->beta);
	if (!rc)
		rc = lgn_keyed_number(l, "log_likelihood", &m->log_likelihood);
	if (!rc)
		rc = lgn_keyed_whole(l, "vocabulary", 0, 1, named);
	if (!rc)
		rc = lgn_keyed_text(l, "counts");
	m->topics = (int)topics;
	return rc;
}

static int read_word(struct lgn_keyed *l, struct lagoon_lda_model *m, uint64_t w)
{
	int32_t *row = m->counts + w * (uint64_t)m->topics;
	int rc = lgn_keyed_next(l);
	uint64_t k, n, least = 0;
	const char *p;

	if (rc)
		return rc;
	p = strchrnul(l->text, ' ');
	if (p == l->text)
		return lgn_keyed_fail(l, "a word");
	if (m->vocabulary) {
		m->vocabulary[w] = strndup(l->text, (size_t)(p - l->text));
		if (!m->vocabulary[w])
			return lgn_fail(LAGOON_ENOMEM, "no memory for a word");
	}
	while (*p) {
		p++;
		if (!lgn_keyed_parse(&p, ':', (uint64_t)m->topics - 1, &k) ||
		    k < least)
			return lgn_keyed_fail(l, "topic:count, topics rising");
		if (!lgn_keyed_parse(&p, strchr(p, ' ') ? ' ' : 0, COUNT_MAX, &n))
			return lgn_keyed_fail(l, "topic:count");
		p -= p[-1] == ' ';
		least = k + 1;
		row[k] = (int32_t)n;
		m->totals[k] += (int64_t)n;
	}
	return 0;
}

static int read_counts(struct lgn_keyed *l, struct lagoon_lda_model *m,
		       uint64_t named)
{
	int rc = 0;

	m->counts = calloc(m->words, (size_t)m->topics * sizeof(*m->counts));
	m->totals = calloc((size_t)m->topics, sizeof(*m->totals));
	if (named)
		m->vocabulary = calloc(m->words, sizeof(*m->vocabulary));
	if (!m->counts || !m->totals || (named && !m->vocabulary))
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for %llu words "
				"and %d topics", l->path,
				(unsigned long long)m->words, m->topics);
	for (uint64_t w = 0; w < m->words && !rc; w++)
		rc = read_word(l, m, w);
	if (!rc)
		rc = lgn_keyed_text(l, "end");
	return rc ? rc : lgn_keyed_last(l);
}

LGN_EXPORT int lagoon_lda_model_load(const char *path,
				     struct lagoon_lda_model *model)
{
	struct lgn_keyed l;
	struct lagoon_lda_model m = { .size = model->size };
	uint64_t named = 0;
	int rc = lgn_keyed_open(path, &l);

	if (rc)
		return rc;
	rc = read_header(&l, &m, &named);
	if (!rc)
		rc = read_counts(&l, &m, named);
	lgn_keyed_close(&l);
	if (rc)
		lagoon_lda_model_free(&m);
	else
		*model = m;
	return rc;
}

LGN_EXPORT void lagoon_lda_model_free(struct lagoon_lda_model *model)
{
	for (uint64_t w = 0; w < model->words && model->vocabulary; w++)
		free(model->vocabulary[w]);
	free(model->vocabulary);
	free(model->counts);
	free(model->totals);
	model->vocabulary = NULL;
	model->counts = NULL;
	model->totals = NULL;
}

/* ------------------------------------------------------------- top words */

/* Insertion into the n best so far: n is small. */
LGN_EXPORT int lagoon_lda_top_words(const struct lagoon_lda_model *m, int topic,
				    int n, uint64_t *top)
{
	uint64_t topics = (uint64_t)m->topics;
	int found = 0;

	if (topic < 0 || topic >= m->topics)
		return lgn_fail(LAGOON_EINVAL, "topic %d: expected 0 to %d",
				topic, m->topics - 1);
	for (uint64_t w = 0; w < m->words; w++) {
		int32_t count = m->counts[w * topics + (uint64_t)topic];
		int at = found < n ? found : n;

		if (count <= 0)
			continue;
		while (at > 0 && m->counts[top[at - 1] * topics +
					   (uint64_t)topic] < count) {
			if (at < n)
				top[at] = top[at - 1];
			at--;
		}
		if (at >= n)
			continue;
		top[at] = w;
		found += found < n;
	}
	return found;
}
