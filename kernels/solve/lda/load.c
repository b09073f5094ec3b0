/* SPDX-License-Identifier: BSD-3-Clause */
/* The documents of a call, from memory or from files, checked; and agreeing on
 * what there is. */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/lda/lda.h"
#include "runtime/base/status.h"

/* --------------------------------------------------------------- memory */

static int check_shape(const struct lagoon_lda_data *d)
{
	if (d->size < sizeof(*d))
		return lgn_fail(LAGOON_EINVAL, "data: size is not set");
	if (d->base != 0 && d->base != 1)
		return lgn_fail(LAGOON_EINVAL, "data: base %d: expected 0 or 1",
				d->base);
	if (!d->words || d->words > LGN_CORPUS_WORDS)
		return lgn_fail(LAGOON_EINVAL, "data: %llu words: expected 1 to "
				"%lld", (unsigned long long)d->words,
				(long long)LGN_CORPUS_WORDS);
	if (d->documents && (!d->start || !d->word))
		return lgn_fail(LAGOON_EINVAL, "data: an array is NULL: "
				"expected starts and words");
	return 0;
}

static int take_word(const struct lagoon_lda_data *d, size_t i, int64_t k,
		     uint64_t *seen, struct lgn_corpus *out)
{
	int64_t word = (int64_t)d->word[k] - d->base;
	int32_t count = d->count ? d->count[k] : 1;

	if (word < 0 || (uint64_t)word >= d->words)
		return lgn_fail(LAGOON_EINVAL, "document %zu: word %d: expected "
				"%d to %lld", i + 1, d->word[k], d->base,
				(long long)d->words - 1 + d->base);
	if (count < 1)
		return lgn_fail(LAGOON_EINVAL, "document %zu: count %d of word "
				"%d: expected 1 or more", i + 1, count,
				d->word[k]);
	if (seen[word] == i + 1)
		return lgn_fail(LAGOON_EINVAL, "document %zu: word %d stands "
				"there twice: expected once", i + 1,
				d->word[k]);
	seen[word] = i + 1;
	return lgn_corpus_add(out, (uint64_t)word, (uint64_t)count);
}

static int take_document(const struct lagoon_lda_data *d, size_t i,
			 int skip_empty, uint64_t *seen, struct lgn_corpus *out)
{
	int64_t from = d->start[i] - d->start[0];
	int64_t to = d->start[i + 1] - d->start[0];
	int rc;

	if (to < from || from < 0)
		return lgn_fail(LAGOON_EINVAL, "document %zu: entries %lld to "
				"%lld: expected starts that rise", i + 1,
				(long long)from, (long long)to);
	if (to == from && !skip_empty)
		return lgn_fail(LAGOON_EINVAL, "document %zu is empty: expected "
				"at least one word (or ask to leave empty "
				"documents out)", i + 1);
	/* One without words has its place among the caller's. */
	rc = lgn_corpus_document(out);
	out->empty += to == from;
	for (int64_t k = from; k < to && !rc; k++)
		rc = take_word(d, i, k, seen, out);
	return rc;
}

/* The worker's share of the process's documents. */
static int take_memory(const struct lgn_lda_fit *fit, int local,
		       struct lgn_lda_loaded *out)
{
	const struct lagoon_lda_data *d = fit->data;
	size_t parts = (size_t)lagoon_local_workers(fit->lg), end;
	int rc = check_shape(d);
	uint64_t *seen;

	if (rc)
		return rc;
	seen = calloc(d->words, sizeof(*seen));
	if (!seen)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu marks",
				(unsigned long long)d->words);
	out->document = d->documents * (size_t)local / parts;
	end = d->documents * ((size_t)local + 1) / parts;
	for (size_t i = out->document; i < end && !rc; i++)
		rc = take_document(d, i, fit->options.skip_empty, seen,
				   &out->data);
	out->data.words = d->words;
	free(seen);
	return rc;
}

/* ---------------------------------------------------------------- files */

static int take_files(const struct lgn_lda_fit *fit, int id,
		      struct lgn_lda_loaded *out)
{
	const struct lgn_corpus_range range = {
		.part = id,
		.parts = fit->workers,
		.format = fit->options.format,
		.skip_empty = fit->options.skip_empty,
		.words = fit->vocabulary.words,
	};
	int rc = lgn_corpus_read(fit->path, &range, &out->data);

	return rc || !fit->test ? rc :
		lgn_corpus_read(fit->test, &range, &out->test);
}

/* ------------------------------------------------------------- agreeing */

/* A polynomial of the documents' words, so that parts make the whole's. */
static void digest(const struct lgn_corpus *c, struct lgn_lda_extent *e)
{
	e->power = 1;
	for (size_t i = 0; i < c->documents; i++)
		for (size_t k = c->start[i]; k < c->start[i + 1]; k++) {
			uint64_t x = (uint64_t)c->word[k] << 32 | c->count[k];

			/* The first one of a document is another. */
			x = lgn_random_mix(x) + (k == c->start[i]);
			e->digest = e->digest * LGN_RANDOM_STEP + x;
			e->power *= LGN_RANDOM_STEP;
		}
}

static void measure(const struct lgn_corpus *c, struct lgn_lda_extent *e)
{
	e->documents = c->documents;
	e->empty = c->empty;
	e->tokens = c->tokens;
	e->words = c->words;
	e->declared = c->declared;
	e->expected = c->expected;
	e->found = c->found;
	digest(c, e);
}

static void merge(const struct lgn_lda_extent *part, struct lgn_lda_extent *all)
{
	all->documents += part->documents;
	all->empty += part->empty;
	all->tokens += part->tokens;
	all->found += part->found;
	all->digest = all->digest * part->power + part->digest;
	all->declared = part->declared;
	all->expected = part->expected;
	if (part->words > all->words)
		all->words = part->words;
}

static int check_file(const struct lgn_lda_fit *fit, const char *path,
		      const struct lgn_lda_extent *all)
{
	const struct lgn_corpus c = {
		.documents = all->documents, .empty = all->empty,
		.declared = all->declared, .expected = all->expected,
		.found = all->found,
	};

	if (path && fit->options.format == LAGOON_LDA_DOCWORD)
		return lgn_corpus_check(path, &c, fit->options.skip_empty);
	return 0;
}

static int check(const struct lgn_lda_fit *fit, struct lgn_lda_facts *all)
{
	const char *what = fit->path ? fit->path : "data";
	int rc = check_file(fit, fit->path, &all->data);

	if (!rc && fit->test)
		rc = check_file(fit, fit->test, &all->test);
	if (rc)
		return rc;
	if (!all->data.tokens)
		return lgn_fail(LAGOON_EINVAL, "%s: no documents", what);
	if (fit->test && !all->test.tokens)
		return lgn_fail(LAGOON_EINVAL, "%s: no documents", fit->test);
	if ((uint64_t)fit->options.topics > all->data.tokens)
		return lgn_fail(LAGOON_EINVAL, "%s: %llu tokens for %d topics: "
				"expected at most as many topics as tokens",
				what, (unsigned long long)all->data.tokens,
				fit->options.topics);
	return 0;
}

static int agree(const struct lgn_lda_fit *fit,
		 const struct lgn_lda_facts *parts, struct lgn_lda_facts *all)
{
	memset(all, 0, sizeof(*all));
	for (int i = 0; i < fit->workers; i++) {
		if (fit->data && parts[i].data.words != parts[0].data.words)
			return lgn_fail(LAGOON_EINVAL, "%llu words in worker "
					"%d: expected %llu, as in those before",
					(unsigned long long)parts[i].data.words,
					i,
					(unsigned long long)parts[0].data.words);
		merge(&parts[i].data, &all->data);
		merge(&parts[i].test, &all->test);
	}
	if (all->test.words > all->data.words)
		all->data.words = all->test.words;
	if (fit->vocabulary.words > all->data.words)
		all->data.words = fit->vocabulary.words;
	return check(fit, all);
}

int lgn_lda_load(struct lagoon_worker *w, void *arg)
{
	struct lgn_lda_fit *fit = arg;
	int id = lagoon_worker_id(w), local = id - fit->first_worker;
	struct lgn_lda_loaded *loaded = &fit->loaded[local];
	struct lgn_lda_facts mine = { 0 }, all;
	struct lgn_lda_facts *parts = calloc((size_t)fit->workers,
					     sizeof(*parts));
	uint32_t round = 0;
	int rc = parts ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for the facts "
				      "of %d workers", fit->workers);

	if (!rc)
		rc = fit->path ? take_files(fit, id, loaded) :
			take_memory(fit, local, loaded);
	measure(&loaded->data, &mine.data);
	measure(&loaded->test, &mine.test);
	rc = lgn_share_meet(&fit->tidings, w, &round, rc, &mine, parts);
	for (int i = 0; i < id && !rc; i++)
		loaded->token += parts[i].data.tokens;
	if (!rc)
		rc = agree(fit, parts, &all);
	if (!rc && !local)
		fit->facts = all;	/* the same in all */
	free(parts);
	return rc;
}
