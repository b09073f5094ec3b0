/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Latent Dirichlet allocation by collapsed Gibbs sampling, in parts: lda.c is
 * the frame of a call, load.c reads and checks the documents, docs.c makes tokens
 * of them, train.c runs the sweeps, measure.c has likelihood and perplexity,
 * restart.c checkpoints, and dense.c, sparse.c and alias.c are the samplers.
 *
 * A worker's documents are cut into as many blocks as a sweep has rounds. In a
 * round it pulls the counts of the block's words and the totals, draws all
 * topics of the block while it keeps its copies up to date, adds what changed,
 * and ends with a clock. A count that it sees is the sum of what each worker
 * had at the end of some round, so it is never below 0, however old.
 */
#ifndef LGN_SOLVE_LDA_H
#define LGN_SOLVE_LDA_H

#include <stdbool.h>

#include "kernels/data/corpus.h"
#include "kernels/lagoon_solve.h"
#include "kernels/solve/random.h"
#include "kernels/solve/saved.h"
#include "kernels/solve/share.h"

/* Documents of a round. */
struct lgn_lda_block {
	size_t document;	/* the first */
	size_t documents;
	size_t token;		/* the first */
	size_t tokens;
	uint32_t n_words;
	uint64_t *words;	/* [n_words] rising: rows of the table */
	uint32_t *first;	/* [n_words + 1] in order */
	uint32_t *order;	/* [tokens] of the block, by word */
};

/* The documents of a worker as tokens. */
struct lgn_lda_docs {
	size_t documents;
	size_t tokens;
	size_t *start;		/* [documents + 1] */
	uint32_t *place;	/* [tokens] of the word in its block's words */
	int32_t *topic;		/* [tokens] */
	int blocks;
	struct lgn_lda_block *block;
	uint32_t max_words;	/* of a block */
	size_t max_tokens;
	size_t max_length;	/* of a document */
};

/* What a worker has read, or all of them. */
struct lgn_lda_extent {
	uint64_t documents;
	uint64_t empty;
	uint64_t tokens;
	uint64_t words;
	uint64_t declared, expected, found;	/* docword */
	uint64_t digest;	/* of words and their counts, in order */
	uint64_t power;		/* that of what is before is multiplied by */
};

struct lgn_lda_facts {
	struct lgn_lda_extent data, test;
};

struct lgn_lda_loaded {
	struct lgn_corpus data, test;
	size_t document;	/* of memory: the first one */
	uint64_t token;		/* the first one, of all workers' */
};

/* One call, shared by the workers of the process. */
struct lgn_lda_fit {
	struct lagoon *lg;
	struct lagoon_lda_options options;
	const struct lgn_lda_sampler *sampler;
	const struct lagoon_lda_data *data;	/* or */
	const char *path;
	const char *test;
	struct lagoon_lda_result *result;
	int32_t *counts;	/* [words][topics] or NULL */
	int64_t *totals;	/* [topics] or NULL */
	int32_t *documents;	/* [documents][topics] or NULL */
	uint64_t start_ns;
	int workers;
	int first_worker;	/* lowest number of this process */
	struct lgn_vocabulary vocabulary;
	struct lgn_lda_loaded *loaded;	/* [local workers] */
	struct lgn_lda_facts facts;
	struct lgn_share tidings;
	struct lagoon_table *words;	/* [words][topics] tokens */
	struct lagoon_table *topics;	/* [1][topics] tokens */
	struct lagoon_table *assigned;	/* topics of tokens, for checkpoints;
					 * or NULL */
	struct lgn_lda_saved *saved;	/* what the checkpoint says, or NULL */
};

/* What workers tell each other at a meeting. */
struct lgn_lda_tidings {
	double words;		/* parts of the log likelihood */
	double documents;
	int64_t tokens;		/* in the rows of this worker */
	double test;		/* log probability of the test tokens */
	uint64_t test_tokens;
	int stop;
	int interrupted;
};

struct lgn_lda {
	struct lgn_lda_fit *fit;
	struct lagoon_worker *w;
	int id;
	int topics;
	double alpha, beta;
	double words_beta;	/* beta times words */
	struct lgn_lda_docs docs, test;
	uint64_t random;
	int64_t *total;		/* [topics] tokens of all words */
	double *inverse;	/* [topics] 1 / (total + words_beta) */
	int32_t *nd;		/* [topics] of the document in work; else 0 */
	double *sum;		/* [topics] */
	int32_t *rows;		/* [rows_room][topics] as pulled, changes */
	uint32_t rows_room;
	uint64_t *list;		/* [rows_room] */
	int32_t *was;		/* [largest block] topics before the round */
	int64_t *change;	/* [topics] of the totals */
	int32_t *counts;	/* [words of a block][topics], if the sampler
				 * wants it */
	void *state;		/* the sampler's */
	uint32_t round;		/* meetings */
	struct lgn_lda_tidings *all;	/* [workers] */
	/* the same in every worker */
	int sweep;
	int resumed;		/* of them, the checkpoint's */
	int asked;		/* to stop, by this worker's progress */
	int stopped;
	int interrupted;
	double log_likelihood;
	double perplexity;
	uint64_t test_tokens;
	double sample_seconds;
};

struct lgn_lda_sampler {
	const char *name;
	bool matrix;		/* it uses t->counts */
	/* close() also after an open() that failed. Or NULL. */
	int (*open)(struct lgn_lda *t);
	void (*close)(struct lgn_lda *t);
	/* A round begins; t->total and t->inverse are set. Or NULL. */
	int (*begin)(struct lgn_lda *t, const struct lgn_lda_block *b);
	/* The counts of the block's word at this place. Or NULL. */
	int (*word)(struct lgn_lda *t, const struct lgn_lda_block *b,
		    uint32_t place, const int32_t *row);
	/* Draw the topics of n tokens, one document. t->nd has its counts. */
	void (*document)(struct lgn_lda *t, const uint32_t *place,
			 int32_t *topic, size_t n);
};

extern const struct lgn_lda_sampler lgn_lda_dense, lgn_lda_sparse,
	lgn_lda_alias;

/* Each for lagoon_run(); arg: struct lgn_lda_fit. */
int lgn_lda_load(struct lagoon_worker *w, void *arg);
int lgn_lda_train(struct lagoon_worker *w, void *arg);

int lgn_lda_docs_open(const struct lgn_corpus *corpus, uint64_t words,
		      int blocks, struct lgn_lda_docs *docs);
void lgn_lda_docs_close(struct lgn_lda_docs *docs);	/* safe on zeros */

/* All meet; rc: the error that this one comes with; mine may be NULL. */
int lgn_lda_meet(struct lgn_lda *t, int rc, const struct lgn_lda_tidings *mine);

/* At rest: t->total and t->inverse as they are. */
int lgn_lda_pull_totals(struct lgn_lda *t);

/* Parts of log p(words, topics); at rest. */
int lgn_lda_likelihood(struct lgn_lda *t, struct lgn_lda_tidings *mine);

/* Log probability of the second halves of the test documents; at rest. */
int lgn_lda_held_out(struct lgn_lda *t, struct lgn_lda_tidings *mine);

struct lgn_saving lgn_lda_saving(const struct lgn_lda_fit *fit);

/* A checkpoint after this sweep? The same in every worker. */
bool lgn_lda_is_due(const struct lgn_lda *t);

/* Write it; at rest. */
int lgn_lda_save(struct lgn_lda *t);

/* What checkpoints have, and what the one to go on from says; collective, outside
 * lagoon_run(). */
int lgn_lda_restore(struct lgn_lda_fit *fit);

/* With fit->saved: the topics of this worker's tokens, and the sweep. */
int lgn_lda_resume(struct lgn_lda *t);

static inline uint64_t lgn_lda_random(struct lgn_lda *t)
{
	return lgn_random_next(&t->random);
}

/* In [0, 1). */
static inline double lgn_lda_uniform(struct lgn_lda *t)
{
	return (double)(lgn_lda_random(t) >> 11) * 0x1p-53;
}

/* In [0, n), n below 2^32. */
static inline uint32_t lgn_lda_below(struct lgn_lda *t, uint64_t n)
{
	return (uint32_t)((lgn_lda_random(t) >> 32) * n >> 32);
}

static inline void lgn_lda_move(struct lgn_lda *t, int32_t topic, int by)
{
	t->total[topic] += by;
	t->inverse[topic] = 1 / ((double)t->total[topic] + t->words_beta);
}

#endif
