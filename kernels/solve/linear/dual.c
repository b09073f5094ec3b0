/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stochastic dual coordinate ascent (Shalev-Shwartz and Zhang, JMLR 14, 2013) of
 * linear classifiers: each worker has rows and their dual variables alpha, and
 * the table holds v = (c / l2) X' alpha; the weights are v. A round: pull what a
 * block of rows uses of v, a pass over the block, add the change, clock.
 *
 * Changes of K workers may be added up if each takes its own for K times as
 * large while it looks for them (Ma, Smith, Jaggi, Jordan, Richtarik and Takac,
 * Adding vs. Averaging in Distributed Primal-Dual Optimization, ICML 2015: sigma'
 * = K): scale times damp in lagoon_dual_pass(). They prove it for whole passes
 * between two meetings, as here rounds between what is seen: what is unseen
 * because of staleness counts as more workers, a round's share of the rows as
 * fewer. Where that was too bold the gap grows, and damp with it.
 *
 * An epoch is a step of a slow method where rows are nearly dependent, and the more
 * so the larger damp. So it is given momentum (Nesterov's, as Lin, Lu and Xiao, An
 * Accelerated Randomized Proximal Coordinate Gradient Method, SIAM J. Optim. 25,
 * 2015, have it for each step; with O'Donoghue and Candes, Adaptive Restart for
 * Accelerated Gradient Schemes, 2015): the dual variables begin an epoch where the
 * one before leads to, and anew where the dual fell.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear/linear.h"
#include "kernels/solve/random.h"
#include "runtime/base/status.h"

/* Of an epoch. a9a with 2 workers in bsp, to a gap of 1e-4: 30 epochs with 10,
 * 24 with 40 and with 160. */
#define ROUNDS 50
#define WORSE 10		/* times the smallest gap: steps are too long */
#define SLOW 0.7		/* ratio of gains of the dual from which on it pays */

/* In a checkpoint. */
struct dual_kept {
	double longer;		/* damp, as a multiple of what it begins with */
	double best;
};

struct dual {
	struct lagoon_sparse a;	/* all rows of the worker */
	int32_t *start;
	double *alpha;		/* [rows] */
	double *last;		/* [rows] after the epoch before */
	double *square;		/* [rows] */
	int64_t *order;		/* [rows] */
	uint64_t seed;
	double damp;
	double best;		/* gap */
	double pace;		/* 1: nothing to go on with */
	bool slow;		/* enough for it */
	double value;		/* of the dual, after the epoch before */
	double gain;		/* of that one */
};

/* c times the problem's losses plus l2 |w|^2 / 2, as lagoon_dual_pass() has it. */
static double scale(const struct lgn_linear *t)
{
	return t->fit->options.c / t->fit->options.l2;
}

static void shuffle(struct dual *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = lgn_random_next(&s->seed) % (i + 1);

		s->order[i] = s->order[k];
		s->order[k] = (int64_t)i;
	}
}

/* --------------------------------------------------------------- rounds */

static int round_of(struct lgn_linear *t, size_t from, size_t to)
{
	uint64_t cols = t->fit->facts.data.cols;
	struct dual *s = t->state;
	int rc = lagoon_pull(t->worker, t->fit->weights, 0, cols, t->w);

	if (rc)
		return rc;
	memcpy(t->g, t->w, t->n * sizeof(*t->g));
	lagoon_dual_pass(t->fit->options.loss, &s->a, to - from,
			 s->order + from, 0, s->square, t->rows.sign,
			 scale(t) * s->damp, 0, s->alpha, t->w);
	for (size_t j = 0; j < t->n; j++)
		t->g[j] = (t->w[j] - t->g[j]) / s->damp;
	rc = lagoon_add(t->worker, t->fit->weights, 0, cols, t->g);
	return rc ? rc : lagoon_clock(t->worker);
}

/* ------------------------------------------------------------ momentum */

/* b, which was at `was` an epoch before, some more of the way; inside of where the
 * dual is finite. */
static double go_on(int loss, double b, double was, double share)
{
	double to = b + share * (b - was);

	switch (loss) {
	case LAGOON_LOSS_LOGISTIC:
		return fmin((1 + b) / 2, fmax(b / 2, to));
	case LAGOON_LOSS_HINGE:
		return fmin(1, fmax(0, to));
	default:
		return fmax(0, to);
	}
}

/* All go on, and see it before the first round. */
static int gain_pace(struct lgn_linear *t)
{
	struct dual *s = t->state;
	double next = (1 + sqrt(1 + 4 * s->pace * s->pace)) / 2;
	double share = (s->pace - 1) / next;
	int loss = t->fit->options.loss, rc;

	if (s->pace > 1 || s->slow)
		s->pace = next;
	memset(t->g, 0, t->n * sizeof(*t->g));
	for (size_t i = 0; i < t->rows.rows; i++) {
		double sign = t->rows.sign[i], b = sign * s->alpha[i];
		double to = go_on(loss, b, sign * s->last[i], share);

		s->last[i] = s->alpha[i];
		if (to == b || !(share > 0))
			continue;
		s->alpha[i] = sign * to;
		lagoon_sparse_line_add(&s->a, i, scale(t) * sign * (to - b),
				       t->g);
	}
	if (!(share > 0))
		return 0;
	rc = lagoon_add(t->worker, t->fit->weights, 0,
			t->fit->facts.data.cols, t->g);
	return lgn_linear_meet(t, rc, NULL);
}

/* The order is drawn anew, of all rows: with rows that stay in their blocks, and
 * an order of blocks and one in each, a9a was at 1e-3 after the 100 epochs in
 * which it comes to 1e-10 now. */
static int dual_epoch(struct lgn_linear *t)
{
	size_t rows = t->rows.rows, rounds = t->rows.blocks;
	struct dual *s = t->state;
	int rc = gain_pace(t);

	shuffle(s, rows);
	for (size_t i = 0; i < rounds && !rc; i++)
		rc = round_of(t, rows * i / rounds, rows * (i + 1) / rounds);
	return rc;
}

/* ------------------------------------------------------------- measures */

/* The dual: c times the sum of the rows' values less l2 |w|^2 / 2, of which each
 * worker tells its rows' and its weights'. */
static int dual_measure(struct lgn_linear *t, struct lgn_linear_tidings *mine)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	const struct dual *s = t->state;
	const double *w = t->w + t->first;

	mine->dual = -o->l2 / 2 * lagoon_dense_dot(t->own, w, w) +
		o->c * lagoon_dual_sum(o->loss, t->rows.rows, t->rows.sign,
				       s->alpha);
	return 0;
}

static void judge_pace(struct dual *s, double gain)
{
	if (gain < 0)
		s->pace = 1;
	s->slow = gain > SLOW * s->gain;
	s->gain = gain;
}

static int dual_judge(struct lgn_linear *t)
{
	struct dual *s = t->state;
	double gap = t->objective - t->sum.dual;

	if (gap > WORSE * s->best && s->pace > 1)
		s->pace = 1;
	else if (gap > WORSE * s->best) {
		s->damp *= 2;
		s->best = gap;	/* doubled again only where it does not fall */
	}
	s->best = fmin(s->best, gap);
	judge_pace(s, t->sum.dual - s->value);
	s->value = t->sum.dual;
	t->converged = lgn_linear_is_converged(t);
	return 0;
}

/* -------------------------------------------------------------- opening */

static int open_vectors(struct lgn_linear *t, struct dual *s)
{
	size_t rows = t->rows.rows;

	if (t->rows.entries > INT32_MAX)
		return lgn_fail(LAGOON_ENOTSUP, "%llu entries in one worker: "
				"expected fewer than 2^31; use more workers",
				(unsigned long long)t->rows.entries);
	s->start = calloc(rows + 1, sizeof(*s->start));
	s->alpha = calloc(rows + 1, sizeof(*s->alpha));
	s->last = calloc(rows + 1, sizeof(*s->last));
	s->square = calloc(rows + 1, sizeof(*s->square));
	s->order = calloc(rows + 1, sizeof(*s->order));
	if (s->start && s->alpha && s->last && s->square && s->order)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for dual variables of %zu "
			"rows", rows);
}

/* All rows of the worker as one matrix: those of a block follow on those of the
 * one before. */
static int join_blocks(struct lgn_linear *t, struct dual *s)
{
	for (uint64_t i = 0; i < t->rows.blocks; i++) {
		const struct lgn_block *b;
		int rc = lgn_rows_block(&t->rows, i, &b);
		const int32_t *start = rc ? NULL : b->a.start;
		int32_t begin = s->start[rc ? 0 : b->first];

		if (rc)
			return rc;
		for (size_t k = 1; k <= b->a.rows; k++)
			s->start[b->first + k] = begin + start[k];
	}
	s->a = (struct lagoon_sparse){
		.rows = t->rows.rows, .cols = t->fit->facts.data.cols,
		.layout = LAGOON_CSR, .real_size = 8, .index_size = 4,
		.start = s->start, .index = t->rows.index, .val = t->rows.val,
	};
	for (size_t i = 0; i < t->rows.rows; i++)
		s->square[i] = lagoon_sparse_line_square(&s->a, i);
	return 0;
}

static double first_damp(const struct lgn_linear *t)
{
	return 1 + (t->fit->workers - 1) * lgn_linear_unseen(t->fit);
}

static int dual_open(struct lgn_linear *t)
{
	struct dual *s = calloc(1, sizeof(*s));
	int rc;

	t->state = s;
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a worker");
	s->best = INFINITY;
	s->gain = INFINITY;
	s->pace = 1;
	s->damp = first_damp(t);
	s->seed = t->fit->options.seed * LGN_RANDOM_STEP + (uint64_t)t->id;
	rc = open_vectors(t, s);
	return rc ? rc : join_blocks(t, s);
}

/* ---------------------------------------------------------- checkpoints */

static double *dual_rows(const struct lgn_linear *t)
{
	const struct dual *s = t->state;

	return s->alpha;
}

static void dual_keep(const struct lgn_linear *t, void *kept)
{
	const struct dual *s = t->state;
	struct dual_kept *k = kept;

	k->longer = s->damp / first_damp(t);
	k->best = s->best;
}

/* v is made anew of the dual variables: then the gap is one even if the rows have
 * come in another order. */
static int dual_resume(struct lgn_linear *t, const void *kept)
{
	const struct dual_kept *k = kept;
	struct dual *s = t->state;
	int rc = 0;

	s->damp = k->longer * first_damp(t);
	s->best = k->best;
	s->seed += LGN_RANDOM_STEP * t->rows.rows * (uint64_t)t->epoch;
	if (t->own)
		rc = lagoon_pull(t->worker, t->fit->weights, t->first, t->own,
				 t->w + t->first);
	/* All have pulled it before any changes it. */
	rc = lgn_linear_meet(t, rc, NULL);
	if (rc)
		return rc;
	memset(t->g, 0, t->n * sizeof(*t->g));
	for (size_t j = t->first; j < t->first + t->own; j++)
		t->g[j] = -t->w[j];
	for (size_t i = 0; i < t->rows.rows; i++)
		lagoon_sparse_line_add(&s->a, i, scale(t) * s->alpha[i], t->g);
	return lagoon_add(t->worker, t->fit->weights, 0,
			  t->fit->facts.data.cols, t->g);
}

static void dual_close(struct lgn_linear *t)
{
	struct dual *s = t->state;

	if (!s)
		return;
	free(s->alpha);
	free(s->last);
	free(s->square);
	free(s->order);
	free(s->start);
	free(s);
}

#define ALL(n) ((1u << (n)) - 1)

const struct lgn_linear_method lgn_linear_sdca = {
	.name = "sdca",
	.losses = ALL(LAGOON_LINEAR_SQUARED_HINGE + 1),
	.l2_only = true,
	.models = ALL(LAGOON_VAP),
	.blocks = ROUNDS,
	.epochs = 3000,
	.dual = true,
	.open = dual_open,
	.close = dual_close,
	.epoch = dual_epoch,
	.measure = dual_measure,
	.judge = dual_judge,
	.rows = dual_rows,
	.kept = sizeof(struct dual_kept),
	.keep = dual_keep,
	.resume = dual_resume,
};
