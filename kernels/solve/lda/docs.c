/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/columns.h"
#include "kernels/solve/lda/lda.h"
#include "runtime/base/status.h"

static int fail_memory(uint64_t tokens)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for %llu tokens",
			(unsigned long long)tokens);
}

static int count_tokens(const struct lgn_corpus *c, struct lgn_lda_docs *d)
{
	d->start = calloc(c->documents + 1, sizeof(*d->start));
	if (!d->start)
		return fail_memory(c->tokens);
	for (size_t i = 0; i < c->documents; i++) {
		size_t n = 0;

		for (size_t k = c->start[i]; k < c->start[i + 1]; k++)
			n += c->count[k];
		d->start[i + 1] = d->start[i] + n;
		d->max_length = n > d->max_length ? n : d->max_length;
	}
	d->documents = c->documents;
	d->tokens = d->start[c->documents];
	if (d->tokens > UINT32_MAX)
		return lgn_fail(LAGOON_ENOTSUP, "%llu tokens for one worker: "
				"expected fewer than 2^32; use more workers",
				(unsigned long long)d->tokens);
	d->place = malloc((d->tokens + 1) * sizeof(*d->place));
	d->topic = malloc((d->tokens + 1) * sizeof(*d->topic));
	return d->place && d->topic ? 0 : fail_memory(d->tokens);
}

/* Blocks of about as many tokens each. */
static void cut(struct lgn_lda_docs *d)
{
	size_t i = 0;

	for (int b = 0; b < d->blocks; b++) {
		struct lgn_lda_block *block = &d->block[b];
		size_t end = (size_t)((unsigned __int128)d->tokens *
				      ((unsigned)b + 1) / (unsigned)d->blocks);

		block->document = i;
		block->token = d->start[i];
		while (i < d->documents && d->start[i] < end)
			i++;
		block->documents = i - block->document;
		block->tokens = d->start[i] - block->token;
		if (block->tokens > d->max_tokens)
			d->max_tokens = block->tokens;
	}
}

/* Where each token's word stands in the block's list. */
static void set_places(const struct lgn_corpus *c, struct lgn_lda_docs *d,
		       const struct lgn_lda_block *b,
		       const struct lgn_columns *set)
{
	size_t at = b->token;

	for (size_t k = c->start[b->document];
	     k < c->start[b->document + b->documents]; k++) {
		uint32_t place = lgn_columns_place(set, c->word[k]);

		for (uint32_t i = 0; i < c->count[k]; i++)
			d->place[at++] = place;
	}
}

/* A counting sort: first[p + 1] counts, becomes where word p begins, and moves
 * to its end. */
static void sort(const struct lgn_lda_docs *d, struct lgn_lda_block *b)
{
	const uint32_t *place = d->place + b->token;

	for (size_t i = 0; i < b->tokens; i++)
		b->first[place[i] + 2]++;
	for (uint32_t p = 0; p < b->n_words; p++)
		b->first[p + 2] += b->first[p + 1];
	for (size_t i = 0; i < b->tokens; i++)
		b->order[b->first[place[i] + 1]++] = (uint32_t)i;
}

static int open_block(const struct lgn_corpus *c, struct lgn_lda_docs *d,
		      struct lgn_lda_block *b, struct lgn_columns *set)
{
	lgn_columns_clear(set);
	for (size_t k = c->start ? c->start[b->document] : 0; b->documents &&
	     k < c->start[b->document + b->documents]; k++)
		lgn_columns_add(set, c->word[k]);
	b->n_words = lgn_columns_rank(set);
	b->words = malloc((b->n_words + 1) * sizeof(*b->words));
	b->first = calloc((size_t)b->n_words + 2, sizeof(*b->first));
	b->order = malloc((b->tokens + 1) * sizeof(*b->order));
	if (!b->words || !b->first || !b->order)
		return fail_memory(b->tokens);
	if (b->n_words > d->max_words)
		d->max_words = b->n_words;
	if (!b->documents)
		return 0;
	lgn_columns_list(set, b->words);
	set_places(c, d, b, set);
	sort(d, b);
	return 0;
}

int lgn_lda_docs_open(const struct lgn_corpus *corpus, uint64_t words,
		      int blocks, struct lgn_lda_docs *d)
{
	struct lgn_columns set = { 0 };
	int rc = count_tokens(corpus, d);

	if (rc)
		return rc;
	d->block = calloc((size_t)blocks, sizeof(*d->block));
	if (!d->block)
		return fail_memory(d->tokens);
	d->blocks = blocks;
	cut(d);
	rc = lgn_columns_open(&set, words);
	for (int b = 0; b < blocks && !rc; b++)
		rc = open_block(corpus, d, &d->block[b], &set);
	lgn_columns_close(&set);
	return rc;
}

void lgn_lda_docs_close(struct lgn_lda_docs *d)
{
	for (int b = 0; b < d->blocks; b++) {
		free(d->block[b].words);
		free(d->block[b].first);
		free(d->block[b].order);
	}
	free(d->block);
	free(d->start);
	free(d->place);
	free(d->topic);
	memset(d, 0, sizeof(*d));
}
