/* SPDX-License-Identifier: BSD-3-Clause */
/* Documents with planted topics. In integers, so that no function of libm, whose
 * last bit differs between systems, has a part in them. */
#include <stdlib.h>

#include "kernels/data/generate.h"
#include "kernels/data/outfile.h"
#include "runtime/base/status.h"

#define TOKENS_MAX (UINT64_C(1) << 30)	/* the most that a count can be */
#define WORDS_MAX (UINT64_C(1) << 31)
#define TOPICS_MAX 65536

struct corpus {
	const struct lagoon_generate_lda_options *options;
	uint32_t *word;		/* [topics][topic_words], the likeliest first */
	uint32_t *topic;	/* [document_topics] of a document */
	uint32_t *token;	/* [length] its words */
	int32_t *counts;	/* [words][topics] tokens, or NULL */
};

LGN_EXPORT void
lagoon_generate_lda_options_init(struct lagoon_generate_lda_options *options)
{
	*options = (struct lagoon_generate_lda_options){
		.size = sizeof(*options),
		.documents = 1000,
		.length = 100,
		.words = 5000,
		.topics = 20,
		.topic_words = 100,
		.document_topics = 3,
		.seed = 1,
	};
}

static int check_number(const char *name, uint64_t value, uint64_t most)
{
	if (value >= 1 && value <= most)
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s %llu: expected 1 to %llu", name,
			(unsigned long long)value, (unsigned long long)most);
}

static int check_options(const struct lagoon_generate_lda_options *o)
{
	int rc;

	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	rc = check_number("tokens of a document", o->length, TOKENS_MAX);
	if (!rc)
		rc = check_number("documents", o->documents,
				  TOKENS_MAX / o->length);
	if (!rc)
		rc = check_number("words", o->words, WORDS_MAX);
	if (!rc)
		rc = check_number("topics", o->topics < 0 ? 0 :
				  (uint64_t)o->topics, TOPICS_MAX);
	if (!rc)
		rc = check_number("words of a topic", o->topic_words, o->words);
	if (!rc)
		rc = check_number("topics of a document", o->document_topics,
				  TOPICS_MAX);
	return rc;
}

static inline uint32_t below(uint32_t random, uint64_t n)
{
	return (uint32_t)(random * n >> 32);
}

/* A word of each slice; where the likeliest is differs between topics. */
static void make_topic(struct corpus *c, uint32_t topic)
{
	const struct lagoon_generate_lda_options *o = c->options;
	uint32_t n = o->topic_words;
	uint32_t shift = below(lgn_generate_draw(o->seed, LGN_DRAW_TOPIC,
						 topic, n).v[0], n);

	for (uint32_t i = 0; i < n; i++) {
		uint64_t slice = ((uint64_t)i + shift) % n;
		uint64_t low = slice * o->words / n;
		uint64_t high = (slice + 1) * o->words / n;
		uint32_t r = lgn_generate_draw(o->seed, LGN_DRAW_TOPIC, topic,
					       i).v[0];

		c->word[(size_t)topic * n + i] =
			(uint32_t)(low + below(r, high - low));
	}
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The product of two uniform numbers: the first words of a topic are the most
 * frequent ones. */
static void make_document(struct corpus *c, uint64_t document)
{
	const struct lagoon_generate_lda_options *o = c->options;

	for (uint32_t j = 0; j < o->document_topics; j++)
		c->topic[j] = below(lgn_generate_draw(o->seed, LGN_DRAW_DOCUMENT,
						      document, j).v[0],
				    (uint64_t)o->topics);
	for (uint32_t i = 0; i < o->length; i++) {
		philox4x32_ctr_t r = lgn_generate_draw(o->seed, LGN_DRAW_TOKEN,
						       document, i);
		uint32_t topic = c->topic[below(r.v[0], o->document_topics)];
		uint32_t rank = below(below(r.v[1], r.v[2]), o->topic_words);

		c->token[i] = c->word[(size_t)topic * o->topic_words + rank];
		if (c->counts)
			c->counts[(size_t)c->token[i] * (size_t)o->topics +
				  topic]++;
	}
	qsort(c->token, o->length, sizeof(*c->token), by_number);
}

static void write_document(FILE *out, const uint32_t *token, uint32_t length)
{
	uint32_t different = 1;

	for (uint32_t i = 1; i < length; i++)
		different += token[i] != token[i - 1];
	fprintf(out, "%lu", (unsigned long)different);
	for (uint32_t i = 0, end; i < length; i = end) {
		for (end = i; end < length && token[end] == token[i]; end++)
			;
		fprintf(out, " %lu:%lu", (unsigned long)token[i],
			(unsigned long)(end - i));
	}
	fputc('\n', out);
}

static int write_documents(struct corpus *c, const char *path)
{
	struct lgn_outfile out;
	int rc = lgn_outfile_open(path, &out);

	if (rc)
		return rc;
	for (uint64_t i = 0; i < c->options->documents && !ferror(out.stream);
	     i++) {
		make_document(c, i);
		write_document(out.stream, c->token, c->options->length);
	}
	return lgn_outfile_commit(&out);
}

static int save_planted(const struct corpus *c, const char *path)
{
	const struct lagoon_lda_model model = {
		.size = sizeof(model),
		.topics = c->options->topics,
		.words = c->options->words,
		.alpha = 0.1,
		.beta = 0.01,
		.counts = c->counts,
	};

	return lagoon_lda_model_save(path, &model);
}

static int open_corpus(struct corpus *c, int planted)
{
	const struct lagoon_generate_lda_options *o = c->options;

	c->word = malloc((size_t)o->topics * o->topic_words * sizeof(*c->word));
	c->topic = malloc(o->document_topics * sizeof(*c->topic));
	c->token = malloc(o->length * sizeof(*c->token));
	if (planted)
		c->counts = calloc(o->words, (size_t)o->topics *
				   sizeof(*c->counts));
	if (c->word && c->topic && c->token && (c->counts || !planted))
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for %llu words and %d topics",
			(unsigned long long)o->words, o->topics);
}

LGN_EXPORT int
lagoon_generate_lda(const char *path, const char *planted,
		    const struct lagoon_generate_lda_options *options)
{
	struct corpus c = { .options = options };
	int rc = check_options(options);

	if (!rc)
		rc = open_corpus(&c, planted != NULL);
	if (!rc)
		rc = lagoon_model_check_path(path);
	if (!rc && planted)
		rc = lagoon_model_check_path(planted);
	for (uint32_t k = 0; k < (uint32_t)options->topics && !rc; k++)
		make_topic(&c, k);
	if (!rc)
		rc = write_documents(&c, path);
	if (!rc && planted)
		rc = save_planted(&c, planted);
	free(c.word);
	free(c.topic);
	free(c.token);
	free(c.counts);
	return rc;
}
