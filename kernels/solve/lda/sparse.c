/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SparseLDA (Yao, Mimno and McCallum 2009). The probability of topic k is the
 * sum of three terms, all times 1 / (n_k + V b):
 *
 *	a b			smoothing: few draws fall here
 *	n_dk b			topics of the document only
 *	(a + n_dk) n_kw		topics of the word only
 *
 * The sums of the first two are kept up to date; the third runs over the list of
 * the word's topics, most frequent first, with factor[k] at hand.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/lda/lda.h"
#include "runtime/base/status.h"

struct entry {
	int32_t topic;
	int32_t count;		/* > 0 */
};

struct list {
	size_t at;		/* in state->entry */
	uint32_t n;
};

struct state {
	struct list *word;	/* [words of a block] */
	struct entry *entry;
	size_t used, room;
	double *factor;		/* [topics] (a + n_dk) / (n_k + V b) */
	double *term;		/* [topics] of the word in work */
	int32_t *topics;	/* [n] of the document in work */
	int32_t *where;		/* [topics] in that list */
	int32_t n;
	double smoothing;	/* sum of 1 / (n_k + V b) */
	double document;	/* sum of n_dk / (n_k + V b) */
};

static int open_state(struct lgn_lda *t)
{
	size_t topics = (size_t)t->topics;
	struct state *s = t->state = calloc(1, sizeof(*s));

	if (s) {
		s->word = calloc((size_t)t->docs.max_words + 1,
				 sizeof(*s->word));
		s->factor = calloc(topics, sizeof(*s->factor));
		s->term = calloc(topics, sizeof(*s->term));
		s->topics = calloc(topics, sizeof(*s->topics));
		s->where = calloc(topics, sizeof(*s->where));
		if (s->word && s->factor && s->term && s->topics && s->where)
			return 0;
	}
	return lgn_fail(LAGOON_ENOMEM, "no memory for lists of %zu topics",
			topics);
}

static void close_state(struct lgn_lda *t)
{
	struct state *s = t->state;

	if (!s)
		return;
	free(s->word);
	free(s->entry);
	free(s->factor);
	free(s->term);
	free(s->topics);
	free(s->where);
	free(s);
}

static int begin(struct lgn_lda *t, const struct lgn_lda_block *b)
{
	struct state *s = t->state;

	(void)b;
	s->used = 0;
	for (int k = 0; k < t->topics; k++)
		s->factor[k] = t->alpha * t->inverse[k];
	return 0;
}

static int reserve(struct state *s, size_t n)
{
	size_t room = (s->used + n) * 3 / 2;
	struct entry *p;

	if (s->used + n <= s->room)
		return 0;
	p = realloc(s->entry, room * sizeof(*p));
	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the topics of "
				"%zu words; more rounds need less", room);
	s->entry = p;
	s->room = room;
	return 0;
}

static int more(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return y->count != x->count ? (y->count > x->count) -
		(y->count < x->count) : x->topic - y->topic;
}

/* Room for a new topic with each token of the word in the block. */
static int word(struct lgn_lda *t, const struct lgn_lda_block *b,
		uint32_t place, const int32_t *row)
{
	struct state *s = t->state;
	size_t tokens = b->first[place + 1] - b->first[place];
	size_t topics = (size_t)t->topics;
	uint32_t n = 0;
	struct entry *e;
	int rc = reserve(s, topics);

	if (rc)
		return rc;
	e = s->entry + s->used;
	for (int32_t k = 0; k < t->topics; k++) {
		if (row[k] > 0)
			e[n++] = (struct entry){ k, row[k] };
	}
	qsort(e, n, sizeof(*e), more);
	s->word[place] = (struct list){ s->used, n };
	s->used += n + tokens < topics ? n + tokens : topics;
	return 0;
}

/* ------------------------------------------------------------- documents */

static void enter(struct lgn_lda *t, struct state *s)
{
	s->n = 0;
	s->document = s->smoothing = 0;
	for (int k = 0; k < t->topics; k++)
		s->smoothing += t->inverse[k];
	for (int32_t k = 0; k < t->topics; k++) {
		if (!t->nd[k])
			continue;
		s->where[k] = s->n;
		s->topics[s->n++] = k;
		s->document += t->nd[k] * t->inverse[k];
		s->factor[k] = (t->alpha + t->nd[k]) * t->inverse[k];
	}
}

static void leave(struct lgn_lda *t, struct state *s)
{
	for (int32_t i = 0; i < s->n; i++) {
		int32_t k = s->topics[i];

		s->factor[k] = t->alpha * t->inverse[k];
	}
}

/* A token of the document gets the topic, or loses it. */
static void move(struct lgn_lda *t, struct state *s, int32_t k, int by)
{
	s->smoothing -= t->inverse[k];
	s->document -= t->nd[k] * t->inverse[k];
	t->nd[k] += by;
	lgn_lda_move(t, k, by);
	s->smoothing += t->inverse[k];
	s->document += t->nd[k] * t->inverse[k];
	s->factor[k] = (t->alpha + t->nd[k]) * t->inverse[k];
	if (by < 0 && !t->nd[k]) {
		int32_t last = s->topics[--s->n];

		s->topics[s->where[k]] = last;
		s->where[last] = s->where[k];
	} else if (by > 0 && t->nd[k] == 1) {
		s->where[k] = s->n;
		s->topics[s->n++] = k;
	}
}

static void swap(struct entry *a, struct entry *b)
{
	struct entry e = *a;

	*a = *b;
	*b = e;
}

/* The word loses a token of the topic at i; it keeps its order. */
static void take(struct list *l, struct entry *e, uint32_t i)
{
	e[i].count--;
	while (i + 1 < l->n && e[i + 1].count > e[i].count) {
		swap(&e[i], &e[i + 1]);
		i++;
	}
	if (!e[i].count)
		l->n--;		/* the least is last */
}

static void give(struct list *l, struct entry *e, uint32_t i, int32_t topic)
{
	if (i == l->n)
		e[l->n++] = (struct entry){ topic, 0 };
	e[i].count++;
	while (i > 0 && e[i - 1].count < e[i].count) {
		swap(&e[i - 1], &e[i]);
		i--;
	}
}

static uint32_t find(const struct list *l, const struct entry *e,
		     int32_t topic)
{
	uint32_t i = 0;

	while (i < l->n && e[i].topic != topic)
		i++;
	return i;
}

static int32_t from_document(const struct lgn_lda *t, const struct state *s,
			     double u)
{
	int32_t i = 0;

	for (; i < s->n - 1; i++) {
		int32_t k = s->topics[i];

		u -= t->nd[k] * t->inverse[k];
		if (u < 0)
			break;
	}
	return s->topics[i];
}

static int32_t from_smoothing(const struct lgn_lda *t, double u)
{
	int32_t k = 0;

	for (; k < t->topics - 1; k++) {
		u -= t->inverse[k];
		if (u < 0)
			break;
	}
	return k;
}

/* at: where the topic stands in the word's list, its end if it does not. */
static int32_t draw(struct lgn_lda *t, struct state *s, const struct list *l,
		    const struct entry *e, uint32_t *at)
{
	double word = 0, u, by = t->beta;
	int32_t k;

	for (uint32_t i = 0; i < l->n; i++) {
		s->term[i] = s->factor[e[i].topic] * e[i].count;
		word += s->term[i];
	}
	u = lgn_lda_uniform(t) *
		(word + by * (s->document + t->alpha * s->smoothing));
	if (u < word) {
		for (*at = 0; *at + 1 < l->n; ++*at) {
			u -= s->term[*at];
			if (u < 0)
				break;
		}
		return e[*at].topic;
	}
	u = (u - word) / by;
	k = u < s->document && s->n ? from_document(t, s, u) :
		from_smoothing(t, (u - s->document) / t->alpha);
	*at = find(l, e, k);
	return k;
}

static void document(struct lgn_lda *t, const uint32_t *place, int32_t *topic,
		     size_t n)
{
	struct state *s = t->state;

	enter(t, s);
	for (size_t i = 0; i < n; i++) {
		struct list *l = &s->word[place[i]];
		struct entry *e = s->entry + l->at;
		uint32_t at = find(l, e, topic[i]);

		take(l, e, at);
		move(t, s, topic[i], -1);
		topic[i] = draw(t, s, l, e, &at);
		give(l, e, at, topic[i]);
		move(t, s, topic[i], 1);
	}
	leave(t, s);
}

const struct lgn_lda_sampler lgn_lda_sparse = {
	.name = "sparse",
	.open = open_state,
	.close = close_state,
	.begin = begin,
	.word = word,
	.document = document,
};
