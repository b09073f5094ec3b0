/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delayed block proximal gradient (Li et al., Scaling Distributed Machine Learning
 * with the Parameter Server, OSDI 2014, section 5.1 and algorithm 4, and
 * Communication Efficient Distributed Machine Learning with the Parameter Server,
 * NIPS 2014, whose convergence asks for steps that shrink with the delay).
 *
 * Each worker has rows, kept by columns, and their products z with the weights as
 * it last saw them. The columns are in blocks, one of which is the turn of a
 * round:
 *
 *	pull the blocks that may have changed, and move z along;
 *	compute the derivatives and curvatures of the turn's block, add what is new
 *	in them to the tables of their sums;
 *	step for the block of `late` rounds ago, if it is this worker's: its sums
 *	are whole now; add the change to the weights;
 *	clock.
 *
 * A step is the proximal map of a Newton step by the diagonal of the curvature,
 * at most as long as the column's trust region (theirs, and Genkin, Lewis and
 * Madigan, Large-Scale Bayesian Logistic Regression for Text Categorization,
 * Technometrics 49, 2007: twice the last change and a tenth), divided by damp,
 * which grows when an epoch ends higher than the one before.
 *
 * KKT filter: a weight that is 0 and whose derivative is inside of l1 by more than
 * a share of the largest violation of the epoch before is left out, by all, until
 * an epoch in which all are in again; only such an epoch is the last one.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear.h"
#include "runtime/base/status.h"

#define BLOCKS 32		/* of columns */
#define FIRST 1.0		/* trust regions */
#define MOST 10.0
#define SHARE 0.5		/* of the violation */
#define ALL_IN 4		/* epochs from one with all columns to the next */
#define GROW 1.5		/* damp */
#define SHRINK 0.97
#define SLOWEST 0.98		/* ratio of gains that still is convergence */

struct proximal_tables {
	struct lagoon_table *first;	/* derivatives: of what each told last */
	struct lagoon_table *second;
};

struct proximal {
	int32_t *start, *row;	/* the worker's rows by columns */
	double *val;
	double *z, *slope, *curve;	/* [rows] */
	double *w;		/* [features] that z is made of */
	double *told[2];	/* [features] */
	double *room[2];	/* [features] */
	double *trust;		/* [features] of the blocks of this worker */
	bool *out;		/* [features] left out */
	uint64_t blocks, late;
	uint64_t *turn;		/* [blocks] order of the epoch */
	uint64_t *past;		/* [2 late] blocks of the last rounds */
	uint64_t rounds;
	uint64_t seed;
	double damp;
	double violation;	/* of the epoch before */
	double gain[2];		/* of the last two epochs */
	double before;		/* objective */
	bool all_in;		/* in this epoch */
	bool close;		/* all but a look at all columns is done */
};

/* -------------------------------------------------- what changed, z with it */

static void move(struct proximal *s, uint64_t j, double to)
{
	double by = to - s->w[j];

	if (by == 0)
		return;
	for (int32_t k = s->start[j]; k < s->start[j + 1]; k++)
		s->z[s->row[k]] += by * s->val[k];
	s->w[j] = to;
}

static uint64_t begin_of(const struct lgn_linear *t, uint64_t block)
{
	const struct proximal *s = t->state;

	return t->fit->facts.data.cols * block / s->blocks;
}

static int see_block(struct lgn_linear *t, uint64_t block)
{
	struct proximal *s = t->state;
	uint64_t from = begin_of(t, block), to = begin_of(t, block + 1);
	int rc = lagoon_pull(t->worker, t->fit->weights, from, to - from,
			     s->room[0]);

	for (uint64_t j = from; j < to && !rc; j++)
		move(s, j, s->room[0][j - from]);
	return rc;
}

/* The block of so many rounds ago. */
static uint64_t *past(struct proximal *s, uint64_t ago)
{
	return &s->past[(s->rounds - ago) % (2 * s->late)];
}

/* Steps of `late` to 2 `late` rounds ago: older ones were seen, younger ones are
 * not made. */
static int see_changes(struct lgn_linear *t)
{
	struct proximal *s = t->state;
	int rc = 0;

	for (uint64_t ago = s->late + 1; ago <= 2 * s->late && !rc; ago++)
		if (ago <= s->rounds)
			rc = see_block(t, *past(s, ago));
	return rc;
}

/* ---------------------------------------------------------- derivatives */

static void differentiate(const struct lgn_linear *t)
{
	bool hinge = t->fit->options.loss == LAGOON_LINEAR_SQUARED_HINGE;
	struct proximal *s = t->state;

	lagoon_loss_measure(hinge ? LAGOON_LOSS_SQUARED_HINGE :
			    LAGOON_LOSS_LOGISTIC, t->rows.rows, s->z,
			    t->rows.sign, NULL, s->slope);
	for (size_t i = 0; i < t->rows.rows; i++) {
		double a = fabs(s->slope[i]);

		s->curve[i] = hinge ? 2 * (a > 0) : a * (1 - a);
	}
}

static void sum_column(const struct proximal *s, uint64_t j, double *first,
		       double *second)
{
	double g = 0, u = 0;

	for (int32_t k = s->start[j]; k < s->start[j + 1]; k++) {
		double x = s->val[k];

		g += x * s->slope[s->row[k]];
		u += x * x * s->curve[s->row[k]];
	}
	*first = g;
	*second = u;
}

static double renew(double *told, double now)
{
	double by = now - *told;

	*told = now;
	return by;
}

static int tell_block(struct lgn_linear *t, uint64_t block)
{
	const struct proximal_tables *tables = t->fit->tables;
	struct proximal *s = t->state;
	uint64_t from = begin_of(t, block), n = begin_of(t, block + 1) - from;
	int rc;

	differentiate(t);
	for (uint64_t j = from; j < from + n; j++) {
		double first = s->told[0][j], second = s->told[1][j];

		if (!s->out[j])
			sum_column(s, j, &first, &second);
		s->room[0][j - from] = renew(&s->told[0][j], first);
		s->room[1][j - from] = renew(&s->told[1][j], second);
	}
	rc = lagoon_add(t->worker, tables->first, from, n, s->room[0]);
	return rc ? rc : lagoon_add(t->worker, tables->second, from, n,
				    s->room[1]);
}

/* ---------------------------------------------------------------- steps */

static double shrink(double x, double by)
{
	return x > by ? x - by : x < -by ? x + by : 0;
}

/* first, second: of the loss. Returns the change of weight j. */
static double step(const struct lgn_linear *t, uint64_t j, double first,
		   double second)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	struct proximal *s = t->state;
	double w = s->w[j], u = s->damp * (o->c * second + o->l2), by;

	if (!(u > 0))
		u = 1e-10;
	by = shrink(w - (o->c * first + o->l2 * w) / u, o->l1 / u) - w;
	by = fmax(-s->trust[j], fmin(s->trust[j], by));
	s->trust[j] = fmin(MOST, 2 * fabs(by) + 0.1);
	return by;
}

/* Only this worker steps for the block, so its own copy is not late. */
static int step_block(struct lgn_linear *t, uint64_t block)
{
	const struct proximal_tables *tables = t->fit->tables;
	struct proximal *s = t->state;
	uint64_t from = begin_of(t, block), n = begin_of(t, block + 1) - from;
	int rc = see_block(t, block);

	if (!rc)
		rc = lagoon_pull(t->worker, tables->first, from, n, s->room[0]);
	if (!rc)
		rc = lagoon_pull(t->worker, tables->second, from, n,
				 s->room[1]);
	for (uint64_t k = 0; k < n && !rc; k++)
		s->room[0][k] = s->out[from + k] ? 0 :
			step(t, from + k, s->room[0][k], s->room[1][k]);
	return rc ? rc : lagoon_add(t->worker, t->fit->weights, from, n,
				    s->room[0]);
}

static int round_of(struct lgn_linear *t, uint64_t block)
{
	struct proximal *s = t->state;
	uint64_t workers = (uint64_t)t->fit->workers;
	int rc = see_changes(t);

	if (!rc)
		rc = tell_block(t, block);
	if (!rc && s->rounds >= s->late &&
	    *past(s, s->late) % workers == (uint64_t)t->id)
		rc = step_block(t, *past(s, s->late));
	*past(s, 0) = block;
	s->rounds++;
	return rc ? rc : lagoon_clock(t->worker);
}

/* ----------------------------------------------------------- the filter */

/* How far a weight is from where it may stay: the derivative of the smooth part
 * is between -l1 and l1 if it is 0, else opposite to its sign. */
static double violates(const struct lgn_linear *t, uint64_t j, double first)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	double w = t->w[j], g = o->c * first + o->l2 * w;

	return w > 0 ? fabs(g + o->l1) : w < 0 ? fabs(g - o->l1) :
		fmax(0, fabs(g) - o->l1);
}

/* At rest, with the sums that were told last. The same in every worker. */
static void filter(struct lgn_linear *t, const double *first)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	struct proximal *s = t->state;
	double inside = o->l1 - SHARE * s->violation, most = 0;

	for (uint64_t j = 0; j < t->fit->facts.data.cols; j++)
		if (!s->out[j])
			most = fmax(most, violates(t, j, first[j]));
	s->all_in = s->close || t->epoch % ALL_IN == 0;
	for (uint64_t j = 0; j < t->fit->facts.data.cols; j++)
		s->out[j] = !s->all_in && t->w[j] == 0 &&
			(s->out[j] || fabs(o->c * first[j]) < inside);
	s->violation = most;
}

static int proximal_measure(struct lgn_linear *t,
			    struct lgn_linear_tidings *mine)
{
	const struct proximal_tables *tables = t->fit->tables;
	struct proximal *s = t->state;
	uint64_t cols = t->fit->facts.data.cols;

	(void)mine;
	for (uint64_t j = 0; j < cols; j++)
		move(s, j, t->w[j]);
	return lagoon_pull(t->worker, tables->first, 0, cols, s->room[0]);
}

/* Gains fall by about the same ratio each epoch: what is to come adds up to
 * gain * ratio / (1 - ratio). */
static bool is_close(const struct lgn_linear *t, double gain)
{
	const struct proximal *s = t->state;
	double ratio = fmax(gain / s->gain[0], s->gain[0] / s->gain[1]);

	if (!(gain >= 0 && s->gain[0] > 0 && s->gain[1] > 0) || t->epoch < 4)
		return gain == 0 && t->epoch >= 4;
	return ratio < SLOWEST && gain * ratio / (1 - ratio) <=
		t->fit->options.tolerance * t->objective;
}

static int proximal_judge(struct lgn_linear *t)
{
	struct proximal *s = t->state;
	double gain = s->before - t->objective;
	bool close = is_close(t, gain);

	t->converged = close && s->all_in;
	s->damp = gain < 0 ? s->damp * GROW : fmax(1, s->damp * SHRINK);
	s->close = close;
	filter(t, s->room[0]);
	s->gain[1] = s->gain[0];
	s->gain[0] = gain;
	s->before = t->objective;
	return 0;
}

static uint64_t next_random(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);	/* splitmix64 */

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* The same order in every worker. */
static int proximal_epoch(struct lgn_linear *t)
{
	struct proximal *s = t->state;
	int rc = 0;

	for (uint64_t i = 0; i < s->blocks; i++) {
		uint64_t k = next_random(&s->seed) % (i + 1);

		s->turn[i] = s->turn[k];
		s->turn[k] = i;
	}
	for (uint64_t i = 0; i < s->blocks && !rc; i++)
		rc = round_of(t, s->turn[i]);
	return rc;
}

/* -------------------------------------------------------------- opening */

static int proximal_create(struct lgn_linear_fit *fit)
{
	struct proximal_tables *tables = calloc(1, sizeof(*tables));
	const struct lgn_linear_extent *data = &fit->facts.data;
	double squares = data->squares;
	int rc;

	fit->tables = tables;
	if (!tables)
		return lgn_fail(LAGOON_ENOMEM, "no memory for tables");
	/* As in smooth.c; curvatures are at most 2. */
	rc = lgn_linear_table(fit, "linear first", fmax(1, 4 *
			      sqrt((double)data->rows * squares)),
			      &tables->first);
	return rc ? rc : lgn_linear_table(fit, "linear second",
					  fmax(1, 2 * squares),
					  &tables->second);
}

static void proximal_destroy(struct lgn_linear_fit *fit)
{
	struct proximal_tables *tables = fit->tables;

	if (tables && tables->first)
		lagoon_table_destroy(tables->first);
	if (tables && tables->second)
		lagoon_table_destroy(tables->second);
	free(tables);
	fit->tables = NULL;
}

static int open_vectors(struct lgn_linear *t, struct proximal *s)
{
	size_t cols = t->fit->facts.data.cols, rows = t->rows.rows + 1;

	s->z = calloc(rows, sizeof(*s->z));
	s->slope = calloc(rows, sizeof(*s->slope));
	s->curve = calloc(rows, sizeof(*s->curve));
	s->w = calloc(cols, sizeof(*s->w));
	s->trust = calloc(cols, sizeof(*s->trust));
	s->out = calloc(cols, sizeof(*s->out));
	s->turn = calloc(s->blocks, sizeof(*s->turn));
	s->past = calloc(2 * s->late, sizeof(*s->past));
	for (int i = 0; i < 2; i++) {
		s->told[i] = calloc(cols, sizeof(double));
		s->room[i] = calloc(cols, sizeof(double));
	}
	if (!s->z || !s->slope || !s->curve || !s->w || !s->trust || !s->out ||
	    !s->turn || !s->past || !s->told[0] || !s->told[1] || !s->room[0] ||
	    !s->room[1])
		return lgn_fail(LAGOON_ENOMEM, "no memory for vectors of %zu "
				"columns", cols);
	for (size_t j = 0; j < cols; j++)
		s->trust[j] = FIRST;
	return 0;
}

/* Rows by blocks become columns: counted, then placed; start[j + 1] is where the
 * next entry of column j goes, and in the end where the column ends. */
static int open_columns(struct lgn_linear *t, struct proximal *s)
{
	size_t cols = t->fit->facts.data.cols, entries = t->rows.entries;
	const struct lgn_block *b;
	int rc = 0;

	if (entries > INT32_MAX)
		return lgn_fail(LAGOON_ENOTSUP, "%zu entries in one worker: "
				"expected fewer than 2^31; use more workers",
				entries);
	s->start = calloc(cols + 2, sizeof(*s->start));
	s->row = malloc((entries + 1) * sizeof(*s->row));
	s->val = malloc((entries + 1) * sizeof(*s->val));
	if (!s->start || !s->row || !s->val)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu entries",
				entries);
	for (size_t k = 0; k < entries; k++)
		s->start[t->rows.index[k] + 2]++;
	for (size_t j = 2; j < cols + 2; j++)
		s->start[j] += s->start[j - 1];
	for (uint64_t i = 0; i < t->rows.blocks && !rc; i++) {
		rc = lgn_rows_block(&t->rows, i, &b);
		for (size_t r = 0; !rc && r < b->a.rows; r++) {
			const int32_t *start = b->a.start, *index = b->a.index;
			const double *val = b->a.val;

			for (int32_t k = start[r]; k < start[r + 1]; k++) {
				int32_t to = s->start[index[k] + 1]++;

				s->row[to] = (int32_t)(b->first + r);
				s->val[to] = val[k];
			}
		}
	}
	return rc;
}

static int proximal_open(struct lgn_linear *t)
{
	struct proximal *s = calloc(1, sizeof(*s));
	uint64_t cols = t->fit->facts.data.cols;
	int rc;

	t->state = s;
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a worker");
	s->blocks = cols < BLOCKS ? cols : BLOCKS;
	s->late = (uint64_t)lgn_linear_unseen(t->fit);
	s->damp = 1;
	s->all_in = true;
	s->seed = t->fit->options.seed;
	s->before = t->objective;
	rc = open_columns(t, s);
	return rc ? rc : open_vectors(t, s);
}

static void proximal_close(struct lgn_linear *t)
{
	struct proximal *s = t->state;

	if (!s)
		return;
	free(s->start);
	free(s->row);
	free(s->val);
	free(s->z);
	free(s->slope);
	free(s->curve);
	free(s->w);
	free(s->trust);
	free(s->out);
	free(s->turn);
	free(s->past);
	for (int i = 0; i < 2; i++) {
		free(s->told[i]);
		free(s->room[i]);
	}
	free(s);
}

const struct lgn_linear_method lgn_linear_proximal = {
	.name = "proximal",
	.losses = 1u << LAGOON_LINEAR_LOGISTIC |
		1u << LAGOON_LINEAR_SQUARED_HINGE,
	.l1 = true,
	.models = 1u << LAGOON_BSP | 1u << LAGOON_SSP | 1u << LAGOON_ESSP,
	.blocks = 1,
	.epochs = 1000,
	.create = proximal_create,
	.destroy = proximal_destroy,
	.open = proximal_open,
	.close = proximal_close,
	.epoch = proximal_epoch,
	.measure = proximal_measure,
	.judge = proximal_judge,
};
