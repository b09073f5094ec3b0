/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sparse-get, sparse-add: one call for a list of rows drawn at random, of a
 * table that no cache holds. Once by one worker, then, if there are several,
 * by all at once (sparse-get-all, sparse-add-all). dense-add: one call for
 * consecutive rows; dense-apply: the same of a table in apply mode.
 *
 * Where tables are cached, a sparse-get reads its pages from their shards, and
 * an add is counted with the end of its round.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/options.h"

enum {
	TABLE = 80000000,		/* bytes: 10 M words */
	LISTS = 1 << 18,		/* indices drawn, at least */
	AHEAD = 16,			/* words that the twin prefetches */
};

enum kind { GET, ADD, DENSE, APPLY };

struct shared {
	struct bench *b;
	struct lagoon_table *t;
	enum kind kind;
	uint64_t words;			/* of a call */
	int format;
	int64_t *plain;			/* the twin's table; rank 0 */
	uint64_t rows;
};

/* One worker's. */
struct sparse {
	struct shared *s;
	struct lagoon_worker *w;
	uint64_t *row;
	uint64_t drawn, next;
	void *buf;
	int workers;			/* that the twin stands for */
	uint64_t calls;			/* of each thread of the twin */
};

static const uint64_t *take(struct sparse *p)
{
	uint64_t at = p->next + p->s->words > p->drawn ? 0 : p->next;

	p->next = at + p->s->words;
	return p->row + at;
}

static int get(void *ctx, uint64_t calls)
{
	struct sparse *p = ctx;
	int rc = 0;

	while (calls-- && !rc)
		rc = lagoon_pull_rows(p->w, p->s->t, take(p), p->s->words, p->buf);
	return rc;
}

static int add(void *ctx, uint64_t calls)
{
	struct sparse *p = ctx;
	bool cached = !p->s->b->direct;
	int rc = 0;

	while (calls-- && !rc) {
		if (p->s->kind == ADD)
			rc = lagoon_add_rows(p->w, p->s->t, take(p),
					     p->s->words, p->buf);
		else
			rc = lagoon_add(p->w, p->s->t, 0, p->s->words, p->buf);
		if (!rc && cached)
			rc = lagoon_clock(p->w);
	}
	return rc;
}

static int next_round(void *ctx)
{
	struct sparse *p = ctx;

	return lagoon_clock(p->w);
}

/* --------------------------------------------------------------- twins */

static void twin_get(struct sparse *p, const uint64_t *row)
{
	const int64_t *plain = p->s->plain;
	double *out = p->buf;

	for (uint64_t i = 0; i < p->s->words; i++)
		out[i] = (double)plain[row[i]] * 0x1p-32;
	__asm__ __volatile__("" : : "r"(out) : "memory");
}

/* The old value is looked at, as it must be to keep numbers in range. */
static void twin_add(struct sparse *p, const uint64_t *row)
{
	int64_t *plain = p->s->plain;
	int64_t most = 0;

	for (uint64_t i = 0; i < p->s->words; i++) {
		int64_t old;

		if (i + AHEAD < p->s->words)
			__builtin_prefetch(&plain[row[i + AHEAD]], 1);
		old = __atomic_fetch_add(&plain[row[i]], 1, __ATOMIC_SEQ_CST);
		most = old > most ? old : most;
	}
	__asm__ __volatile__("" : : "r"(most));
}

static void twin_dense(struct sparse *p)
{
	double *to = (double *)p->s->plain;
	const double *delta = p->buf;

	for (uint64_t i = 0; i < p->s->words; i++)
		to[i] += delta[i];
	__asm__ __volatile__("" : : "r"(to) : "memory");
}

/* Thread i begins at another place of the same indices. */
static void twin_calls(void *arg, int i)
{
	struct sparse mine = *(struct sparse *)arg;

	mine.next = mine.drawn / (uint64_t)mine.workers * (uint64_t)i;
	if (mine.s->kind == GET)
		mine.buf = (double *)mine.buf + mine.s->words * 2 * (uint64_t)i;
	for (uint64_t k = 0; k < mine.calls; k++) {
		if (mine.s->kind == GET)
			twin_get(&mine, take(&mine));
		else if (mine.s->kind == ADD)
			twin_add(&mine, take(&mine));
		else
			twin_dense(&mine);
	}
}

static int twin(void *ctx, uint64_t calls)
{
	struct sparse *p = ctx;

	p->calls = calls;
	if (p->workers > 1)
		return bench_threads(p->workers, twin_calls, p);
	twin_calls(p, 0);
	return 0;
}

/* ----------------------------------------------------------------- runs */

static struct bench_case case_of(struct sparse *p, bool all)
{
	static const char *const name[] = {
		"sparse-get", "sparse-add", "dense-add", "dense-apply"
	};
	struct shared *s = p->s;
	struct bench_case c = {
		.bytes = s->words * 8, .op_bytes = 8, .ops = s->words,
		.figure = BENCH_OPS, .ctx = p, .ours = s->kind == GET ? get : add,
		.twin = bench_has_twin(s->b) ? twin : NULL,
	};

	strcpy(c.test, name[s->kind]);
	if (all)
		strcat(c.test, "-all");
	if (s->kind == GET && !s->b->direct) {
		c.refresh = next_round;
		c.span = 1;
	}
	p->workers = all ? lagoon_workers(s->b->lg) : 1;
	return c;
}

/* The threads of the twin write to pieces of one buffer. */
static int draw_rows(struct sparse *p, int threads)
{
	uint64_t n = p->s->words > LISTS ? p->s->words : LISTS;

	p->drawn = n;
	p->row = malloc(n * sizeof(*p->row));
	p->buf = p->s->kind == GET ?
		bench_plain(p->s->words * 16 * (uint64_t)threads) :
		bench_deltas(p->s->format, p->s->words);
	if (!p->row || !p->buf)
		return bench_fail(LAGOON_ENOMEM, "no memory for indices");
	bench_draw(p->row, n, p->s->rows, 3 + (uint64_t)lagoon_worker_id(p->w));
	return 0;
}

static int work(struct lagoon_worker *w, void *arg, bool all)
{
	struct sparse p = { .s = arg, .w = w };
	struct bench_case c;
	int rc;

	if (!all && lagoon_worker_id(w))
		return 0;
	rc = draw_rows(&p, all && !lagoon_worker_id(w) ?
		       lagoon_workers(p.s->b->lg) : 1);
	if (!rc)
		rc = bench_touch(p.s->b, w, p.s->t, p.s->kind != GET);
	c = case_of(&p, all);
	if (!rc)
		rc = all ? bench_together(p.s->b, w, &c) : bench_measure(p.s->b, &c);
	free(p.row);
	free(p.buf);
	return rc;
}

static int work_alone(struct lagoon_worker *w, void *arg)
{
	return work(w, arg, false);
}

static int work_all(struct lagoon_worker *w, void *arg)
{
	return work(w, arg, true);
}

static int run_size(struct bench *b, uint64_t bytes, enum kind kind)
{
	struct shared s = {
		.b = b, .kind = kind, .words = bytes / 8,
		.format = kind == APPLY ? LAGOON_FLOAT64 :
			b->o.format < 0 ? LAGOON_Q64 : b->o.format,
	};
	struct lagoon_table_attr attr;
	int rc;

	if (!s.words)
		return bench_fail(LAGOON_EINVAL, "--sizes: less than a word");
	lagoon_table_attr_init(&attr);
	attr.format = s.format;
	attr.push = kind == APPLY ? LAGOON_PUSH_APPLY : LAGOON_PUSH_ATOMIC;
	attr.cols = (uint32_t)bench_lanes(s.format);
	s.rows = (b->o.table ? b->o.table : kind >= DENSE ? bytes : TABLE) / 8;
	if (s.rows < s.words)
		s.rows = s.words;
	attr.rows = s.rows;
	rc = bench_table(b, &attr, &s.t);
	if (rc)
		return rc;
	if (!lagoon_rank(b->lg) && bench_has_twin(b)) {
		s.plain = bench_plain(s.rows * 8);
		if (!s.plain)
			rc = bench_fail(LAGOON_ENOMEM, "no memory for the twin");
	}
	if (!rc)
		rc = lagoon_run(b->lg, work_alone, &s);
	if (!rc && kind < DENSE && lagoon_workers(b->lg) > 1)
		rc = lagoon_run(b->lg, work_all, &s);
	free(s.plain);
	return rc ? rc : lagoon_table_destroy(s.t);
}

static int run(struct bench *b, enum kind kind)
{
	int rc = 0;

	for (int i = 0; i < b->o.sizes && !rc; i++)
		rc = run_size(b, b->o.size[i], kind);
	return rc;
}

static int run_get(struct bench *b)
{
	return run(b, GET);
}

static int run_add(struct bench *b)
{
	return run(b, ADD);
}

static int run_dense(struct bench *b)
{
	return run(b, DENSE);
}

static int run_apply(struct bench *b)
{
	return run(b, APPLY);
}

const struct bench_test bench_sparse_get = {
	.name = "sparse-get", .run = run_get, .two_processes = true,
	.sizes = "512,80000", .size_is = "of the words in a list",
	.help = "words pulled a second by lists of random rows of a large table",
};

const struct bench_test bench_sparse_add = {
	.name = "sparse-add", .run = run_add, .two_processes = true,
	.sizes = "512,80000", .size_is = "of the words in a list",
	.help = "words added a second by lists of random rows of a large table",
};

const struct bench_test bench_dense_add = {
	.name = "dense-add", .run = run_dense, .two_processes = true,
	.sizes = "64K,8000000", .size_is = "of an add",
	.help = "words added a second by adds of consecutive rows",
};

const struct bench_test bench_dense_apply = {
	.name = "dense-apply", .run = run_apply, .two_processes = true,
	.sizes = "64K,8000000", .size_is = "of an add",
	.help = "doubles added a second by the same in apply mode",
};
