/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_lda.h
 * Topics of documents, latent Dirichlet allocation, and their model files.
 * Programs include lagoon_solve.h.
 */
#ifndef LAGOON_LDA_H
#define LAGOON_LDA_H

#include <stddef.h>
#include <stdint.h>

#include "lagoon.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a token's topic is drawn. All of them draw from the same posterior. */
enum lagoon_lda_sampler {
	/** All topics' probabilities, one after another. */
	LAGOON_LDA_DENSE = 0,
	/** Three buckets, of which two have few terms (Yao, Mimno and McCallum
	 * 2009). */
	LAGOON_LDA_SPARSE = 1,
	/** Metropolis-Hastings, proposals in constant time from alias tables of
	 * words and from documents (Yuan et al. 2015). A sweep brings less than
	 * one of the others; for many topics. */
	LAGOON_LDA_ALIAS = 2,
};

/** Formats of documents. */
enum lagoon_lda_format {
	LAGOON_LDA_LDAC = 0,	/* lda-c: "words word:count ..." a document */
	LAGOON_LDA_DOCWORD = 1,	/* UCI: three numbers, then "document word
				 * count" a line */
};

/** How the fit stands; the same in every process. */
struct lagoon_lda_sweep {
	int sweep;		/* from 1 on */
	double log_likelihood;	/* log p(words, topics) */
	double seconds;		/* since the call */
	uint64_t tokens;	/* of all processes */
};

/** How to fit. Fill with lagoon_lda_options_init(), then change. */
struct lagoon_lda_options {
	size_t size;		/* sizeof(struct lagoon_lda_options) */
	int topics;		/* 1 to 65536, not more than tokens [20] */
	double alpha;		/* of a document's topics, > 0 [0.1] */
	double beta;		/* of a topic's words, > 0 [0.01] */
	int sweeps;		/* >= 1 [500] */
	int sampler;		/* enum lagoon_lda_sampler
				 * [LAGOON_LDA_SPARSE] */
	int steps;		/* alias: pairs of proposals a token, >= 1 [4] */
	double anneal;		/* share of the sweeps in which the priors fall,
				 * from ten times to what is asked for: the
				 * topics found depend less on chance; 0: none
				 * [0.3] */
	int rounds;		/* clocks of a sweep, >= 1 [16] */
	int every;		/* sweeps from one log_likelihood to the next,
				 * >= 1 [10] */
	int model;		/* enum lagoon_model [LAGOON_SSP] */
	int32_t staleness;	/* ssp, essp, psp: >= 0 [1] */
	int32_t sample;		/* psp: >= 0 [1] */
	double change;		/* vap: of a count [tokens], >= 0 [1] */
	uint64_t seed;		/* of the draws [1] */
	/** Called each time the log_likelihood is known, in the lowest worker of
	 * each process. If it returns nonzero in any, the fit ends the next
	 * time. */
	int (*progress)(void *arg, const struct lagoon_lda_sweep *s);
	void *progress_arg;
	int format;		/* of files: enum lagoon_lda_format, -1: docword
				 * if the name has that, else lda-c [-1] */
	const char *vocabulary;	/* of files: a word a line; words beyond it are
				 * an error [NULL] */
	int skip_empty;		/* leave documents without words out, else they
				 * are an error [0] */
	const char *checkpoint;	/* folder for checkpoints [NULL: none] */
	uint64_t checkpoint_every; /* sweeps from one to the next, which have a
				 * log_likelihood, too [0: only when
				 * interrupted] */
	const char *resume;	/* go on from the checkpoint in this folder, of
				 * the same documents in the same order, topics,
				 * priors and seed [NULL] */
	/** With checkpoint: called in each worker before each log_likelihood.
	 * When it is not 0 in any, all write a checkpoint and the fit ends. */
	int (*interrupted)(void *arg);
	void *interrupted_arg;
};

/** What a fit found; the same in every process, but for counts, totals and
 * vocabulary. */
struct lagoon_lda_result {
	size_t size;		/* sizeof(struct lagoon_lda_result) */
	double log_likelihood;	/* log p(words, topics) after the last sweep */
	double perplexity;	/* of the second halves of the test documents;
				 * -1 without, and when interrupted */
	int sweeps;
	int resumed;		/* of them, those of the checkpoint */
	int stopped;		/* 1: progress asked for it */
	int interrupted;	/* 1: options.interrupted did: a checkpoint is
				 * being written (lagoon_close() waits for it
				 * and tells) */
	int topics;
	uint64_t documents;
	uint64_t test_documents;
	uint64_t words;		/* different ones that there can be */
	uint64_t tokens;
	uint64_t test_tokens;	/* that perplexity is of */
	double seconds;		/* whole call */
	double read_seconds;	/* of it, until the data was read or checked */
	double sample_seconds;	/* of it, in sweeps */
	int32_t *counts;	/* [words][topics] tokens, of a file, in rank 0;
				 * else NULL */
	int64_t *totals;	/* [topics] sums of counts; the same */
	char **vocabulary;	/* [words] of options.vocabulary, in rank 0, else
				 * NULL; words beyond the file's are "" */
};

/** The documents of this process, in its memory; read only during the call. */
struct lagoon_lda_data {
	size_t size;		/* sizeof(struct lagoon_lda_data) */
	size_t documents;
	const int64_t *start;	/* [documents + 1] entries of document i are
				 * start[i] - start[0] to start[i + 1] -
				 * start[0] - 1 */
	const int32_t *word;	/* [entries] from base on, each once in a
				 * document */
	const int32_t *count;	/* [entries] >= 1; NULL: all are 1 */
	uint64_t words;		/* different ones that there can be */
	int base;		/* 0 or 1 */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_lda_options_init(struct lagoon_lda_options *options);

/** Every process needs a worker. Fit latent Dirichlet allocation by collapsed
 * Gibbs sampling to the documents of all processes: draw a topic for each token,
 * sweep after sweep, from its distribution given those of all others. How many
 * tokens of a word have a topic is a table of integers, their sums are another;
 * documents stay where they are.
 *
 * Words and counts are checked first. Under bsp the result is the same bit for
 * bit for the same seed, options and documents of each worker, also of a fit that
 * went on from a checkpoint.
 *
 * @param data       documents of each process, maybe none; as many words in all
 * @param options    the same in every process; NULL for the defaults
 * @param counts     [words][topics] written in every process, or NULL
 * @param documents  [documents][topics] of this process's documents, or NULL
 * @param result     its size field must be set; free it with
 *                   lagoon_lda_result_free()
 * @return 0; LAGOON_EINVAL for an option out of range or data that is not
 * legal, with document and word, in every process, or a checkpoint of another
 * fit; LAGOON_ERANGE if a count left the range of its table, 2^30; LAGOON_ENOMEM;
 * as lagoon_table_create(), lagoon_clock(), lagoon_checkpoint() and
 * lagoon_restore(). An error in one worker ends the call in all.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_lda_fit(struct lagoon *lg, const struct lagoon_lda_data *data,
		   const struct lagoon_lda_options *options, int32_t *counts,
		   int32_t *documents, struct lagoon_lda_result *result);

/** As lagoon_lda_fit(), of documents of a file, plain or by gzip; the workers
 * share its bytes.
 *
 * @param data    path that every process can read
 * @param test    documents to measure the perplexity of, of the same format, or
 *                NULL
 * @param result  its size field must be set; free it with
 *                lagoon_lda_result_free()
 * @return as lagoon_lda_fit(); LAGOON_ENOENT. A line that is not legal gives
 * LAGOON_EINVAL, with file and line, in every process.
 * Threads: one, outside lagoon_run().  Blocks: yes.  Collective: yes, every
 * process.
 */
int lagoon_lda_fit_file(struct lagoon *lg, const char *data, const char *test,
			const struct lagoon_lda_options *options,
			struct lagoon_lda_result *result);

/** Free what the result owns.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_lda_result_free(struct lagoon_lda_result *result);

/** A model of topics. Its file is text: one "key value" a line, then a line for
 * each word with its topics and their tokens.
 *
 *     lagoon-lda 1
 *     topics 20
 *     words 4258
 *     alpha 0.1
 *     beta 0.01
 *     log_likelihood -653000.5
 *     vocabulary 1
 *     counts
 *     church 3:12 17:1
 *     <as many lines as words; without a vocabulary the number of the word>
 *     end
 */
struct lagoon_lda_model {
	size_t size;		/* sizeof(struct lagoon_lda_model) */
	int topics;
	uint64_t words;
	double alpha;
	double beta;
	double log_likelihood;
	int32_t *counts;	/* [words][topics] */
	int64_t *totals;	/* [topics]; not looked at by save */
	char **vocabulary;	/* [words] or NULL */
};

/** Write a model. The file appears whole under its name or not at all.
 * @return 0; LAGOON_EIO; LAGOON_EINVAL if a shape or word is not legal.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_lda_model_save(const char *path,
			  const struct lagoon_lda_model *model);

/** Read a model; free it with lagoon_lda_model_free().
 * @param model  its size field must be set
 * @return 0; LAGOON_ENOENT; LAGOON_ECORRUPT with the line that is wrong;
 * LAGOON_EIO; LAGOON_ENOMEM.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_lda_model_load(const char *path, struct lagoon_lda_model *model);

/** Free what lagoon_lda_model_load() made.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_lda_model_free(struct lagoon_lda_model *model);

/** The words that have most tokens of a topic, most first, then by number.
 * @param n     room in top
 * @param top   [n] numbers of words
 * @return how many were written: words without tokens of the topic are not;
 * LAGOON_EINVAL if there is no such topic.
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_lda_top_words(const struct lagoon_lda_model *model, int topic, int n,
			 uint64_t *top);

/** What to generate. Fill with lagoon_generate_lda_options_init(). */
struct lagoon_generate_lda_options {
	size_t size;		/* sizeof(struct lagoon_generate_lda_options) */
	uint64_t documents;	/* >= 1 [1000] */
	uint32_t length;	/* tokens of a document, >= 1; at most 2^30 of
				 * all [100] */
	uint64_t words;		/* different ones, 1 to 2^31 [5000] */
	int topics;		/* 1 to 65536 [20] */
	uint32_t topic_words;	/* of a topic, 1 to words [100] */
	uint32_t document_topics; /* of a document, 1 to 65536 [3] */
	uint64_t seed;		/* [1] */
};

/** Set every field to its default.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_generate_lda_options_init(
	struct lagoon_generate_lda_options *options);

/** Write an lda-c file of documents with planted topics, and a model of the
 * topics that its tokens have (without a likelihood: 0). A topic has one word in
 * each of topic_words equal slices of the words, some likelier than others; a
 * document draws from document_topics topics alike, of which some may be the
 * same. The files depend on the options alone.
 *
 * @param path     of the documents
 * @param planted  of the model, or NULL
 * @return 0; LAGOON_EINVAL; LAGOON_EIO, LAGOON_ENOMEM. Neither file is there
 * in part after an error.
 * Threads: any.  Blocks: for the disk.  Collective: no.
 */
int lagoon_generate_lda(const char *path, const char *planted,
			const struct lagoon_generate_lda_options *options);

#ifdef __cplusplus
}
#endif

#endif
