/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints of a fit, between two sweeps. Topics of tokens are all that a chain
 * is: a checkpoint has them in the order of the documents, whoever has those, and
 * counts are made anew of them. What is drawn in a sweep depends on its number
 * alone, not on sweeps before.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/lda/lda.h"
#include "runtime/base/status.h"

#define TABLE "lda assigned"
#define TOKENS 64		/* of a row */

/* What must be the same to go on, and how far it had come. */
struct lgn_lda_saved {
	struct lgn_saved_data data;
	uint64_t digest, seed;
	double alpha, beta;
	int32_t topics, sweep;
};

static struct lgn_lda_saved head_of(const struct lgn_lda_fit *fit)
{
	const struct lagoon_lda_options *o = &fit->options;

	return (struct lgn_lda_saved){
		.data.rows = fit->facts.data.documents,
		.data.entries = fit->facts.data.tokens,
		.data.features = fit->facts.data.words,
		.digest = fit->facts.data.digest,
		.seed = o->seed, .alpha = o->alpha, .beta = o->beta,
		.topics = o->topics,
	};
}

struct lgn_saving lgn_lda_saving(const struct lgn_lda_fit *fit)
{
	const struct lagoon_lda_options *o = &fit->options;

	return (struct lgn_saving){ o->checkpoint, o->checkpoint_every,
				    o->interrupted, o->interrupted_arg };
}

/* --------------------------------------------------------------- topics */

/* What stands there from the token at `skip` on becomes its difference to topic
 * [n], and nothing changes for others' tokens of the same rows. */
static void subtract(int32_t *row, size_t rows, size_t skip,
		     const int32_t *topic, size_t n)
{
	for (size_t i = 0; i < rows * TOKENS; i++)
		row[i] = i < skip || i - skip >= n ? 0 :
			topic[i - skip] - row[i];
}

static int take(const struct lgn_lda *t, const int32_t *there, int32_t *topic,
		size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (there[i] < 0 || there[i] >= t->topics)
			return lgn_fail(LAGOON_ECORRUPT, "%s: a token of topic "
					"%d of %d", t->fit->options.resume,
					there[i], t->topics);
		topic[i] = there[i];
	}
	return 0;
}

/* The worker's topics into the table, or from it. */
static int move(struct lgn_lda *t, bool put)
{
	struct lagoon_table *table = t->fit->assigned;
	uint64_t first = t->fit->loaded[t->id - t->fit->first_worker].token;
	size_t room = t->rows_room * (size_t)t->topics / TOKENS * TOKENS;
	int rc = 0;

	for (size_t i = 0, n; i < t->docs.tokens && !rc; i += n) {
		uint64_t at = (first + i) / TOKENS;
		size_t skip = (size_t)((first + i) % TOKENS), rows;

		n = room - skip < t->docs.tokens - i ? room - skip :
			t->docs.tokens - i;
		rows = (skip + n + TOKENS - 1) / TOKENS;
		rc = lagoon_pull(t->w, table, at, rows, t->rows);
		if (rc)
			return rc;
		if (put) {
			subtract(t->rows, rows, skip, t->docs.topic + i, n);
			rc = lagoon_add(t->w, table, at, rows, t->rows);
		} else {
			rc = take(t, t->rows + skip, t->docs.topic + i, n);
		}
	}
	return rc;
}

/* -------------------------------------------------------------- writing */

bool lgn_lda_is_due(const struct lgn_lda *t)
{
	const struct lgn_saving o = lgn_lda_saving(t->fit);

	return lgn_saving_is_due(&o, t->sweep, t->interrupted);
}

int lgn_lda_save(struct lgn_lda *t)
{
	struct lgn_lda_saved s = head_of(t->fit);
	int rc = lgn_lda_meet(t, move(t, true), NULL);

	if (rc)
		return rc;
	s.sweep = t->sweep;
	return lagoon_checkpoint(t->w, t->fit->options.checkpoint, &s,
				 sizeof(s));
}

/* ------------------------------------------------------------- going on */

static bool differ(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) != 0;
}

static int check(const struct lgn_lda_fit *fit, const struct lgn_lda_saved *s,
		 size_t bytes)
{
	const char *dir = fit->options.resume;
	const struct lgn_lda_saved here = head_of(fit);
	int rc;

	if (!fit->assigned || bytes != sizeof(*s) || s->sweep < 1)
		return lgn_fail(LAGOON_EINVAL, "%s: not a checkpoint of such a "
				"fit", dir);
	rc = lgn_saved_check(dir, &s->data, &here.data, s->sweep,
			     fit->options.sweeps);
	if (rc)
		return rc;
	if (s->digest != here.digest)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of other data: "
				"of as many documents and tokens, but other "
				"ones or in another order", dir);
	if (s->topics != here.topics || s->seed != here.seed)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint with %d topics "
				"and seed %llu, here they are %d and %llu", dir,
				s->topics, (unsigned long long)s->seed,
				here.topics, (unsigned long long)here.seed);
	if (differ(s->alpha, here.alpha) || differ(s->beta, here.beta))
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint with alpha %g "
				"and beta %g, here they are %g and %g", dir,
				s->alpha, s->beta, here.alpha, here.beta);
	return 0;
}

static int create(struct lgn_lda_fit *fit)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = fit->facts.data.tokens / TOKENS + 1;
	attr.cols = TOKENS;
	attr.format = LAGOON_I32;
	attr.type = LAGOON_INT32;
	return lagoon_table_create(fit->lg, TABLE, &attr, &fit->assigned);
}

/* Of a checkpoint the table is made by restoring it, so that one of other data
 * is told by what it is of, not by the shape of a table. */
int lgn_lda_restore(struct lgn_lda_fit *fit)
{
	struct lagoon_table *const anew[] = {
		fit->words, fit->topics, fit->tidings.table,
	};
	size_t bytes = sizeof(struct lgn_lda_saved);
	int rc;

	for (size_t i = 0; i < LGN_COUNT(anew); i++)
		lagoon_table_set_saved(anew[i], 0);
	if (!fit->options.resume)
		return fit->options.checkpoint ? create(fit) : 0;
	fit->saved = calloc(1, bytes);
	if (!fit->saved)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a checkpoint");
	rc = lgn_saved_restore(fit->lg, fit->options.resume, TABLE, fit->saved,
			       &bytes, &fit->assigned);
	return rc ? rc : check(fit, fit->saved, bytes);
}

int lgn_lda_resume(struct lgn_lda *t)
{
	t->sweep = t->fit->saved->sweep;
	return move(t, false);
}
