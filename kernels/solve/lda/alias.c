/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Metropolis-Hastings with two cheap proposals in turn (LightLDA, Yuan et al.
 * 2015). That of the word is (n_kw + b) / (n_k + V b) as it was when the round
 * began, so that alias tables (Walker 1977, Vose 1991) made then serve all
 * round: one of n_kw / (n_k + V b) over the word's topics, and one of
 * b / (n_k + V b) that all words share. That of the document is n_dk + a: the
 * topic of one of its tokens, or any. What is accepted is a draw from the
 * distribution as it is now.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/lda/lda.h"
#include "runtime/base/status.h"

struct slot {
	double keep;		/* chance of topic, else other */
	int32_t topic;
	int32_t other;
};

struct mixed {			/* an alias table */
	size_t at;		/* in state->slot */
	uint32_t n;
	double mass;
};

struct state {
	struct mixed *word;	/* [words of a block] */
	struct mixed any;	/* of all topics */
	struct slot *slot;
	size_t used, room;
	int32_t *before;	/* [words of a block][topics] counts, and */
	double *inverse;	/* [topics] 1 / (n_k + V b) at the begin */
	double *weight;		/* [topics] */
	uint32_t *small, *large; /* [topics] */
};

static int open_state(struct lgn_lda *t)
{
	size_t topics = (size_t)t->topics, words = t->docs.max_words;
	struct state *s = t->state = calloc(1, sizeof(*s));

	if (s) {
		s->word = calloc(words + 1, sizeof(*s->word));
		s->before = malloc((words + 1) * topics * sizeof(*s->before));
		s->inverse = calloc(topics, sizeof(*s->inverse));
		s->weight = calloc(topics, sizeof(*s->weight));
		s->small = calloc(topics, sizeof(*s->small));
		s->large = calloc(topics, sizeof(*s->large));
		if (s->word && s->before && s->inverse && s->weight &&
		    s->small && s->large)
			return 0;
	}
	return lgn_fail(LAGOON_ENOMEM, "no memory for the counts of %zu words "
			"and %zu topics; more rounds need less", words, topics);
}

static void close_state(struct lgn_lda *t)
{
	struct state *s = t->state;

	if (!s)
		return;
	free(s->word);
	free(s->slot);
	free(s->before);
	free(s->inverse);
	free(s->weight);
	free(s->small);
	free(s->large);
	free(s);
}

static int reserve(struct state *s, size_t n)
{
	size_t room = (s->used + n) * 3 / 2;
	struct slot *p;

	if (s->used + n <= s->room)
		return 0;
	p = realloc(s->slot, room * sizeof(*p));
	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "no memory for alias tables of "
				"%zu topics; more rounds need less", room);
	s->slot = p;
	s->room = room;
	return 0;
}

/* slot[].topic and s->weight [n], which add up to mass: each slot gets one
 * small weight and is filled up from a large one. */
static void mix(struct state *s, struct slot *slot, uint32_t n, double mass)
{
	uint32_t small = 0, large = 0;

	for (uint32_t i = 0; i < n; i++) {
		s->weight[i] *= n / mass;
		slot[i].keep = 1;
		slot[i].other = slot[i].topic;
		if (s->weight[i] < 1)
			s->small[small++] = i;
		else
			s->large[large++] = i;
	}
	while (small && large) {
		uint32_t a = s->small[--small], b = s->large[large - 1];

		slot[a].keep = s->weight[a];
		slot[a].other = slot[b].topic;
		s->weight[b] -= 1 - s->weight[a];
		if (s->weight[b] < 1) {
			large--;
			s->small[small++] = b;
		}
	}
}

static int begin(struct lgn_lda *t, const struct lgn_lda_block *b)
{
	struct state *s = t->state;
	int rc;

	(void)b;
	s->used = 0;
	rc = reserve(s, (size_t)t->topics);
	if (rc)
		return rc;
	s->any = (struct mixed){ 0, (uint32_t)t->topics, 0 };
	for (int32_t k = 0; k < t->topics; k++) {
		s->inverse[k] = t->inverse[k];
		s->weight[k] = t->beta * t->inverse[k];
		s->any.mass += s->weight[k];
		s->slot[k].topic = k;
	}
	mix(s, s->slot, s->any.n, s->any.mass);
	s->used = s->any.n;
	return 0;
}

static int word(struct lgn_lda *t, const struct lgn_lda_block *b,
		uint32_t place, const int32_t *row)
{
	struct state *s = t->state;
	size_t topics = (size_t)t->topics;
	struct mixed *m = &s->word[place];
	struct slot *slot;
	int rc = reserve(s, topics);

	(void)b;
	if (rc)
		return rc;
	memcpy(s->before + place * topics, row, topics * sizeof(*row));
	*m = (struct mixed){ s->used, 0, 0 };
	slot = s->slot + s->used;
	for (int32_t k = 0; k < t->topics; k++) {
		if (row[k] <= 0)
			continue;
		s->weight[m->n] = row[k] * t->inverse[k];
		m->mass += s->weight[m->n];
		slot[m->n++].topic = k;
	}
	mix(s, slot, m->n, m->mass);
	s->used += m->n;
	return 0;
}

static int32_t from_table(struct lgn_lda *t, const struct state *s,
			  const struct mixed *m)
{
	double u = lgn_lda_uniform(t) * m->n;
	uint32_t i = (uint32_t)u;
	const struct slot *slot;

	if (i >= m->n)
		i = m->n - 1;	/* rounding */
	slot = &s->slot[m->at + i];
	return u - i < slot->keep ? slot->topic : slot->other;
}

static int32_t from_word(struct lgn_lda *t, const struct state *s,
			 const struct mixed *m)
{
	double u = lgn_lda_uniform(t) * (m->mass + s->any.mass);

	return from_table(t, s, u < m->mass ? m : &s->any);
}

/* topic: of the n tokens, with what the one in work had before. */
static int32_t from_document(struct lgn_lda *t, const int32_t *topic, size_t n)
{
	double u = lgn_lda_uniform(t) * ((double)n + t->alpha * t->topics);

	return u < (double)n ? topic[(size_t)u] :
		(int32_t)lgn_lda_below(t, (uint64_t)t->topics);
}

struct token {
	const int32_t *row;	/* the word's counts now, without the token */
	const int32_t *before;	/* and when the round began, with it */
	int32_t old;		/* topic that it had */
};

static double posterior(const struct lgn_lda *t, const struct token *x,
			int32_t k)
{
	return (t->nd[k] + t->alpha) * (x->row[k] + t->beta) * t->inverse[k];
}

static double by_word(const struct lgn_lda *t, const struct state *s,
		      const struct token *x, int32_t k)
{
	return (x->before[k] + t->beta) * s->inverse[k];
}

static double by_document(const struct lgn_lda *t, const struct token *x,
			  int32_t k)
{
	return t->nd[k] + (k == x->old) + t->alpha;
}

static void document(struct lgn_lda *t, const uint32_t *place, int32_t *topic,
		     size_t n)
{
	const struct state *s = t->state;
	size_t topics = (size_t)t->topics;

	for (size_t i = 0; i < n; i++) {
		int32_t *row = t->counts + place[i] * topics;
		const struct token x = {
			row, s->before + place[i] * topics, topic[i],
		};
		int32_t now = x.old, k;

		row[x.old]--;
		t->nd[x.old]--;
		lgn_lda_move(t, x.old, -1);
		for (int step = 0; step < t->fit->options.steps; step++) {
			k = from_word(t, s, &s->word[place[i]]);
			if (k != now && lgn_lda_uniform(t) *
			    posterior(t, &x, now) * by_word(t, s, &x, k) <
			    posterior(t, &x, k) * by_word(t, s, &x, now))
				now = k;
			k = from_document(t, topic, n);
			if (k != now && lgn_lda_uniform(t) *
			    posterior(t, &x, now) * by_document(t, &x, k) <
			    posterior(t, &x, k) * by_document(t, &x, now))
				now = k;
		}
		row[now]++;
		t->nd[now]++;
		lgn_lda_move(t, now, 1);
		topic[i] = now;
	}
}

const struct lgn_lda_sampler lgn_lda_alias = {
	.name = "alias",
	.matrix = true,
	.open = open_state,
	.close = close_state,
	.begin = begin,
	.word = word,
	.document = document,
};
