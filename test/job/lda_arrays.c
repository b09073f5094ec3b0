/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_lda_fit() on documents in memory. What it tells is recomputed in here
 * from the counts alone: they are those of the documents' words and topics, they
 * sum to the tokens, and log p(words, topics) is theirs. Each sampler comes
 * near to what was planted, and its chain has the posterior's mean. Under bsp it
 * does the same twice, also when interrupted in between. What is not legal in one
 * process is the error of all, with document and word.
 */
/* launch: -n 1 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 2 --nodes 2 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "test/support/rows.h"
#include "test/support/test.h"

enum { DOCUMENTS = 120, WORDS = 60, TOPICS = 5, DRAWS = 60, SWEEPS = 60 };
enum { OF_TOPIC = WORDS / TOPICS };

static const double alpha = 0.2, beta = 0.05;

/* The same in every process: a document draws most of its words from one or two
 * slices of the words. */
static int32_t bag[DOCUMENTS][WORDS];
static int64_t tokens, of_word[WORDS];

static struct {
	int first, n;
	int64_t start[DOCUMENTS + 1];
	int32_t word[DOCUMENTS * WORDS], count[DOCUMENTS * WORDS];
} mine;

/* Rank 0 gathers what the ranks found. */
struct shared {
	int32_t documents[DOCUMENTS][TOPICS];
};

static void make(void)
{
	struct t_rng rng = { 11 };

	for (int d = 0; d < DOCUMENTS; d++) {
		int topic[2] = { d % TOPICS, (int)t_below(&rng, TOPICS) };

		for (int i = 0; i < DRAWS; i++) {
			int from = topic[t_once_in(&rng, 4)];
			int w = from * OF_TOPIC + (int)t_below(&rng, OF_TOPIC);

			bag[d][w]++;
			of_word[w]++;
			tokens++;
		}
	}
}

static void take(int base)
{
	int64_t n = 0;
	int end;

	t_rows_range(DOCUMENTS, &mine.first, &end);
	mine.n = end - mine.first;
	mine.start[0] = base;
	for (int d = 0; d < mine.n; d++) {
		for (int w = 0; w < WORDS; w++) {
			if (!bag[mine.first + d][w])
				continue;
			mine.word[n] = w + base;
			mine.count[n++] = bag[mine.first + d][w];
		}
		mine.start[d + 1] = n + base;
	}
}

static struct lagoon_lda_data data(int base)
{
	take(base);
	return (struct lagoon_lda_data){
		.size = sizeof(struct lagoon_lda_data),
		.documents = (size_t)mine.n, .start = mine.start,
		.word = mine.word, .count = mine.count, .words = WORDS,
		.base = base,
	};
}

static struct lagoon_lda_options options(int sampler, int model)
{
	struct lagoon_lda_options o;

	lagoon_lda_options_init(&o);
	o.topics = TOPICS;
	o.alpha = alpha;
	o.beta = beta;
	o.sweeps = SWEEPS;
	o.sampler = sampler;
	o.model = model;
	o.rounds = 3;
	o.every = 7;
	return o;
}

/* ------------------------------------------------------------ reference */

static double log_likelihood(int32_t counts[WORDS][TOPICS],
			     int32_t documents[DOCUMENTS][TOPICS])
{
	double sum = 0;

	for (int k = 0; k < TOPICS; k++) {
		double total = 0;

		for (int w = 0; w < WORDS; w++) {
			total += counts[w][k];
			sum += lgamma(counts[w][k] + beta) - lgamma(beta);
		}
		sum += lgamma(WORDS * beta) - lgamma(total + WORDS * beta);
	}
	for (int d = 0; d < DOCUMENTS; d++) {
		double total = 0;

		for (int k = 0; k < TOPICS; k++) {
			total += documents[d][k];
			sum += lgamma(documents[d][k] + alpha) - lgamma(alpha);
		}
		sum += lgamma(TOPICS * alpha) - lgamma(total + TOPICS * alpha);
	}
	return sum;
}

/* Each word has its tokens, and so has each document and each topic. */
static void check_counts(int32_t counts[WORDS][TOPICS],
			 int32_t documents[DOCUMENTS][TOPICS])
{
	int64_t by_words[TOPICS] = { 0 }, by_documents[TOPICS] = { 0 };

	for (int w = 0; w < WORDS; w++) {
		int64_t sum = 0;

		for (int k = 0; k < TOPICS; k++) {
			if (counts[w][k] < 0)
				t_die("word %d has %d tokens of topic %d", w,
				      counts[w][k], k);
			sum += counts[w][k];
			by_words[k] += counts[w][k];
		}
		if (sum != of_word[w])
			t_die("word %d has %lld tokens in the table, %lld in the documents",
			      w, (long long)sum, (long long)of_word[w]);
	}
	for (int d = 0; d < DOCUMENTS; d++) {
		int64_t sum = 0, all = 0;

		for (int w = 0; w < WORDS; w++)
			all += bag[d][w];
		for (int k = 0; k < TOPICS; k++) {
			sum += documents[d][k];
			by_documents[k] += documents[d][k];
		}
		if (sum != all)
			t_die("document %d has topics for %lld tokens of %lld",
			      d, (long long)sum, (long long)all);
	}
	for (int k = 0; k < TOPICS; k++)
		if (by_words[k] != by_documents[k])
			t_die("topic %d has %lld tokens in the table, %lld in the documents",
			      k, (long long)by_words[k],
			      (long long)by_documents[k]);
}

/* The likelihood of tokens whose topics are dealt out, 0, 1, 2 ...; or of those
 * that were planted, a slice of the words each. */
static double dealt(int planted)
{
	static int32_t counts[WORDS][TOPICS], documents[DOCUMENTS][TOPICS];
	int next = 0;

	memset(counts, 0, sizeof(counts));
	memset(documents, 0, sizeof(documents));
	for (int d = 0; d < DOCUMENTS; d++)
		for (int w = 0; w < WORDS; w++)
			for (int i = 0; i < bag[d][w]; i++) {
				int k = planted ? w / OF_TOPIC :
					next++ % TOPICS;

				counts[w][k]++;
				documents[d][k]++;
			}
	return log_likelihood(counts, documents);
}

/* Most of the way to what was planted: two of its topics may be one. */
static void check_found(double found, const char *what)
{
	double from = dealt(0), to = dealt(1);

	if (!(found > from + 0.7 * (to - from)))
		t_die("%s: log likelihood %.10g, of planted topics %.10g, of any %.10g",
		      what, found, to, from);
}

/* --------------------------------------------------------------- fitting */

static void meet(void)
{
	struct lagoon_table_attr attr;
	struct lagoon_table *t;

	lagoon_table_attr_init(&attr);
	attr.rows = 1;
	if (lagoon_table_create(t_lg, "meet", &attr, &t) ||
	    lagoon_table_destroy(t))
		t_die("cannot meet: %s", lagoon_errmsg());
}

static double fit(const struct lagoon_lda_options *o, int base,
		  int32_t counts[WORDS][TOPICS])
{
	struct shared *shared = t_shared;
	const struct lagoon_lda_data d = data(base);
	struct lagoon_lda_result r = { .size = sizeof(r) };
	double reference;

	if (lagoon_lda_fit(t_lg, &d, o, &counts[0][0],
			   shared->documents[mine.first], &r))
		t_die("sampler %d, model %d: %s", o->sampler, o->model,
		      lagoon_errmsg());
	meet();
	check_counts(counts, shared->documents);
	reference = log_likelihood(counts, shared->documents);
	if (!(fabs(r.log_likelihood - reference) < 1e-9 * fabs(reference)))
		t_die("sampler %d, model %d: it tells log likelihood %.12g, the counts have %.12g",
		      o->sampler, o->model, r.log_likelihood, reference);
	if (r.tokens != (uint64_t)tokens || r.documents != DOCUMENTS ||
	    r.sweeps != SWEEPS || r.stopped || r.perplexity != -1 ||
	    r.counts || r.vocabulary)
		t_die("sampler %d: the result does not fit the documents",
		      o->sampler);
	lagoon_lda_result_free(&r);
	meet();
	return reference;
}

static void test_samplers(void)
{
	static const char *const name[] = { "dense", "sparse", "alias" };
	static int32_t counts[WORDS][TOPICS], again[WORDS][TOPICS];

	for (int s = 0; s <= LAGOON_LDA_ALIAS; s++)
		for (int model = LAGOON_SSP; model <= LAGOON_ASP; model++) {
			struct lagoon_lda_options o = options(s, model);

			check_found(fit(&o, s == LAGOON_LDA_SPARSE, counts),
				    name[s]);
			if (model != LAGOON_BSP)
				continue;
			fit(&o, 0, again);
			if (memcmp(counts, again, sizeof(counts)))
				t_die("%s under bsp: not the same twice",
				      name[s]);
		}
}

static int stop(void *arg, const struct lagoon_lda_sweep *s)
{
	(void)arg;
	return s->sweep >= 14;
}

/* Asked for in one process, it ends all. */
static void test_stop(void)
{
	struct lagoon_lda_options o = options(LAGOON_LDA_SPARSE, LAGOON_SSP);
	struct lagoon_lda_result r = { .size = sizeof(r) };
	const struct lagoon_lda_data d = data(0);

	if (lagoon_rank(t_lg) == lagoon_size(t_lg) - 1)
		o.progress = stop;
	if (lagoon_lda_fit(t_lg, &d, &o, NULL, NULL, &r))
		t_die("stopping: %s", lagoon_errmsg());
	if (!r.stopped || r.sweeps != 21)
		t_die("asked to stop in sweep 14, measured every 7, it ended after %d",
		      r.sweeps);
	lagoon_lda_result_free(&r);
}

/* ------------------------------------------------------------- posterior */

/* One document of 7 tokens, 3 topics: all 2187 assignments. */
enum { FEW = 7, FEW_WORDS = 3, FEW_TOPICS = 3, CHAIN = 3000 };

static const int few_word[FEW] = { 0, 0, 0, 0, 1, 1, 2 };

static double few_log(int code)
{
	int counts[FEW_WORDS][FEW_TOPICS] = { { 0 } }, nd[FEW_TOPICS] = { 0 };
	double sum = lgamma(FEW_TOPICS * alpha) -
		lgamma(FEW + FEW_TOPICS * alpha);

	for (int i = 0; i < FEW; i++, code /= FEW_TOPICS) {
		counts[few_word[i]][code % FEW_TOPICS]++;
		nd[code % FEW_TOPICS]++;
	}
	for (int k = 0; k < FEW_TOPICS; k++) {
		sum += lgamma(nd[k] + alpha) - lgamma(alpha) +
			lgamma(FEW_WORDS * beta) - lgamma(nd[k] + FEW_WORDS * beta);
		for (int w = 0; w < FEW_WORDS; w++)
			sum += lgamma(counts[w][k] + beta) - lgamma(beta);
	}
	return sum;
}

static double few_mean(void)
{
	double mass = 0, sum = 0;

	for (int code = 0; code < 2187; code++) {
		double x = few_log(code);

		mass += exp(x);
		sum += exp(x) * x;
	}
	return sum / mass;
}

static int add_up(void *arg, const struct lagoon_lda_sweep *s)
{
	*(double *)arg += s->log_likelihood / CHAIN;
	return 0;
}

/* The mean along the chain is that of the posterior, whoever samples. */
static void test_posterior(void)
{
	static const int64_t start[] = { 0, 3 };
	static const int32_t word[] = { 0, 1, 2 }, count[] = { 4, 2, 1 };
	const struct lagoon_lda_data d = {
		.size = sizeof(d), .documents = lagoon_rank(t_lg) == 0,
		.start = start, .word = word, .count = count,
		.words = FEW_WORDS,
	};
	double expected = few_mean();

	for (int s = 0; s <= LAGOON_LDA_ALIAS; s++) {
		struct lagoon_lda_options o = options(s, LAGOON_SSP);
		struct lagoon_lda_result r = { .size = sizeof(r) };
		double mean = 0;

		o.topics = FEW_TOPICS;
		o.anneal = 0;
		o.sweeps = CHAIN;
		o.every = o.rounds = 1;
		o.progress = add_up;
		o.progress_arg = &mean;
		if (lagoon_lda_fit(t_lg, &d, &o, NULL, NULL, &r))
			t_die("posterior: %s", lagoon_errmsg());
		lagoon_lda_result_free(&r);
		if (!(fabs(mean - expected) < 0.15))
			t_die("sampler %d: mean log likelihood %.4f, of the posterior %.4f",
			      s, mean, expected);
	}
}

/* --------------------------------------------------------------- refusing */

static void refused(const char *what, const char *expected, int code,
		    const struct lagoon_lda_data *d,
		    const struct lagoon_lda_options *o)
{
	struct lagoon_lda_result r = { .size = sizeof(r) };
	int rc = lagoon_lda_fit(t_lg, d, o, NULL, NULL, &r);

	if (rc != code || !strstr(lagoon_errmsg(), expected))
		t_die("%s: %s (%s), expected \"%s\"", what, lagoon_strerror(rc),
		      rc ? lagoon_errmsg() : "", expected);
}

static void test_refused(void)
{
	struct lagoon_lda_options o = options(LAGOON_LDA_SPARSE, LAGOON_SSP);
	int last = lagoon_rank(t_lg) == lagoon_size(t_lg) - 1;
	struct lagoon_lda_data d = data(0);
	int32_t was;

	was = mine.word[1];
	if (last)
		mine.word[1] = WORDS;
	refused("word", "document 1: word 60: expected 0 to 59", LAGOON_EINVAL,
		&d, &o);
	if (last)
		mine.word[1] = mine.word[0];
	refused("twice", "stands there twice", LAGOON_EINVAL, &d, &o);
	mine.word[1] = was;
	was = mine.count[0];
	if (last)
		mine.count[0] = 0;
	refused("count", "count 0 of word", LAGOON_EINVAL, &d, &o);
	mine.count[0] = was;
	if (last)
		mine.start[1] = mine.start[0];
	refused("empty", "document 1 is empty", LAGOON_EINVAL, &d, &o);
	take(0);
	d.words += (uint64_t)(lagoon_rank(t_lg) == 1);
	if (lagoon_size(t_lg) > 1)
		refused("words", "61 words in worker", LAGOON_EINVAL, &d, &o);
	d.words = WORDS;
	o.topics = 65536;
	refused("topics", "7200 tokens for 65536 topics", LAGOON_EINVAL, &d, &o);
	o.topics = 0;
	refused("no topics", "topics 0", LAGOON_EINVAL, &d, &o);
	o = options(LAGOON_LDA_SPARSE, LAGOON_VAP);
	o.change = -1;
	refused("change", "change -1", LAGOON_EINVAL, &d, &o);
	o = options(LAGOON_LDA_SPARSE, LAGOON_SSP);
	o.beta = 0;
	refused("beta", "beta 0", LAGOON_EINVAL, &d, &o);
	d.documents = 0;
	refused("nothing", "no documents", LAGOON_EINVAL, &d,
		&(struct lagoon_lda_options){ .size = sizeof(o), .topics = 5,
			.alpha = 1, .beta = 1, .sweeps = 1, .steps = 1,
			.rounds = 1, .every = 1 });
}

/* ----------------------------------------------------------- checkpoints */

/* Before the third log likelihood, in one worker of the first rank alone. */
static int interrupt(void *arg)
{
	return !lagoon_rank(t_lg) &&
		__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED) == 5;
}

/* From there it comes to the same as in one go. */
static void goes_on(const char *folder, int sampler)
{
	static int32_t whole[WORDS][TOPICS], counts[WORDS][TOPICS];
	struct lagoon_lda_options o = options(sampler, LAGOON_BSP);
	struct lagoon_lda_result r = { .size = sizeof(r) };
	const struct lagoon_lda_data d = data(0);
	int calls = 0;

	fit(&o, 0, whole);
	o.checkpoint = folder;
	o.checkpoint_every = 10;
	o.interrupted = interrupt;
	o.interrupted_arg = &calls;
	t_ok(lagoon_lda_fit(t_lg, &d, &o, NULL, NULL, &r), "fit");
	/* Measured after 7, 10 and 14. */
	T_CHECK(r.interrupted && !r.stopped && r.sweeps == 14 && !r.resumed,
		"sampler %d: interrupted %d, sweeps %d", sampler, r.interrupted,
		r.sweeps);
	o.checkpoint = NULL;
	o.checkpoint_every = 0;
	o.resume = folder;
	fit(&o, 0, counts);
	T_CHECK(!memcmp(whole, counts, sizeof(whole)), "sampler %d: going on "
		"from sweep 14 it comes to something else", sampler);
}

/* Documents in another order in the last process. */
static void test_resume(void)
{
	const char *folder = t_folder();
	struct lagoon_lda_options o = options(LAGOON_LDA_SPARSE, LAGOON_SSP);
	struct lagoon_lda_result r = { .size = sizeof(r) };
	struct lagoon_lda_data d;

	for (int s = 0; s <= LAGOON_LDA_ALIAS; s++)
		goes_on(folder, s);
	d = data(0);
	o.resume = folder;
	t_ok(lagoon_lda_fit(t_lg, &d, &o, NULL, NULL, &r), "going on");
	T_CHECK(r.resumed == 14 && r.sweeps == SWEEPS, "sweeps %d, of them %d "
		"of the checkpoint", r.sweeps, r.resumed);
	if (lagoon_rank(t_lg) == lagoon_size(t_lg) - 1) {
		int32_t was = mine.word[0];

		mine.word[0] = mine.word[1];
		mine.word[1] = was;
	}
	refused("other data", "a checkpoint of other data: of as many",
		LAGOON_EINVAL, &d, &o);
	take(0);
	o.seed = 2;
	refused("seed", "seed 1, here they are 5 and 2", LAGOON_EINVAL, &d, &o);
	o = options(LAGOON_LDA_SPARSE, LAGOON_SSP);
	o.checkpoint_every = 2;
	refused("every", "checkpoint_every 2 without", LAGOON_EINVAL, &d, &o);
	t_sync();
	t_folder_remove();
}

int main(void)
{
	struct lagoon_attr attr;

	t_begin("lda_arrays", sizeof(struct shared));
	make();
	lagoon_attr_init(&attr);
	attr.workers = 2;
	t_open(&attr, NULL);
	test_samplers();
	test_stop();
	if (lagoon_size(t_lg) == 1)
		test_posterior();
	test_refused();
	test_resume();
	t_close();
	return 0;
}
