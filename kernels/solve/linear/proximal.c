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
 * which grows when an epoch ends higher than the one before. Where there are few
 * columns, a block's curvature is taken as a whole: proximal_whole.c.
 *
 * KKT filter: a weight that is 0 and whose derivative is inside of l1 by more than
 * a share of the largest violation of the epoch before is left out, by all, until
 * an epoch in which all are in again; only such an epoch is the last one.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear/proximal.h"
#include "kernels/solve/random.h"
#include "runtime/base/status.h"

#define MOST 10.0
#define SHARE 0.5		/* of the violation */
#define ALL_IN 4		/* epochs from one with all columns to the next */
#define GROW 1.5		/* damp */
#define SHRINK 0.97
#define NO_BLOCK UINT64_MAX	/* has its turn: what was told is to be seen by all */
#define SLOWEST 0.98		/* ratio of gains that still is convergence */

/* -------------------------------------------------- what changed, z with it */

static int see_block(struct lgn_linear *t, uint64_t block)
{
	struct lgn_proximal *s = t->state;
	uint64_t from = lgn_proximal_begin(t, block), to = lgn_proximal_begin(t, block + 1);
	int rc = lagoon_pull(t->worker, t->fit->weights, from, to - from,
			     s->room[0]);

	for (uint64_t j = from; j < to && !rc; j++)
		lgn_proximal_move(s, j, s->room[0][j - from]);
	return rc;
}

/* The block of so many rounds ago. */
static uint64_t *past(struct lgn_proximal *s, uint64_t ago)
{
	return &s->past[(s->rounds - ago) % (2 * s->late)];
}

/* Steps of `late` to 2 `late` rounds ago: older ones were seen, younger ones are
 * not made. */
static int see_changes(struct lgn_linear *t)
{
	struct lgn_proximal *s = t->state;
	int rc = 0;

	for (uint64_t ago = s->late + 1; ago <= 2 * s->late && !rc; ago++)
		if (ago <= s->rounds && *past(s, ago) != NO_BLOCK)
			rc = see_block(t, *past(s, ago));
	return rc;
}

/* ---------------------------------------------------------- derivatives */

static void differentiate(const struct lgn_linear *t)
{
	bool hinge = t->fit->options.loss == LAGOON_LINEAR_SQUARED_HINGE;
	struct lgn_proximal *s = t->state;

	lagoon_loss_measure(hinge ? LAGOON_LOSS_SQUARED_HINGE :
			    LAGOON_LOSS_LOGISTIC, t->rows.rows, s->z,
			    t->rows.sign, NULL, s->slope);
	for (size_t i = 0; i < t->rows.rows; i++) {
		double a = fabs(s->slope[i]);

		s->curve[i] = hinge ? 2 * (a > 0) : a * (1 - a);
	}
}

static void sum_column(const struct lgn_proximal *s, uint64_t j, double *first,
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
	const struct lgn_proximal_tables *tables = t->fit->tables;
	struct lgn_proximal *s = t->state;
	uint64_t from = lgn_proximal_begin(t, block), n = lgn_proximal_begin(t, block + 1) - from;
	int rc;

	differentiate(t);
	if (s->whole)
		lgn_proximal_curve(s, from, n, s->room[1]);
	for (uint64_t j = from; j < from + n; j++) {
		double first = s->told[0][j], second = s->told[1][j];

		if (!s->out[j])
			sum_column(s, j, &first, &second);
		s->room[0][j - from] = renew(&s->told[0][j], first);
		if (!s->whole)
			s->room[1][j - from] = second;
	}
	for (uint64_t k = 0; k < n * s->width; k++)
		s->room[1][k] = renew(&s->told[1][from * s->width + k],
				      s->room[1][k]);
	rc = lagoon_add(t->worker, tables->first, from, n, s->room[0]);
	return rc ? rc : lagoon_add(t->worker, tables->second, from * s->width,
				    n * s->width, s->room[1]);
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
	struct lgn_proximal *s = t->state;
	double w = s->w[j], u = s->damp * (o->c * second + o->l2), by;

	if (!(u > 0))
		u = 1e-10;
	by = shrink(w - (o->c * first + o->l2 * w) / u, o->l1 / u) - w;
	return fmax(-s->trust[j], fmin(s->trust[j], by));
}

static void step_columns(const struct lgn_linear *t, uint64_t from, uint64_t n)
{
	struct lgn_proximal *s = t->state;
	double *by = s->room[0];

	if (s->whole)
		lgn_proximal_whole_step(t, from, n, s->room[0], s->room[1], by);
	else
		for (uint64_t k = 0; k < n; k++)
			by[k] = s->out[from + k] ? 0 :
				step(t, from + k, s->room[0][k], s->room[1][k]);
	for (uint64_t k = 0; k < n; k++)
		if (!s->out[from + k])
			s->trust[from + k] = fmin(MOST, 2 * fabs(by[k]) +
						  LGN_PROXIMAL_NARROW);
}

/* Only this worker steps for the block, so its own copy is not late. */
static int step_block(struct lgn_linear *t, uint64_t block)
{
	const struct lgn_proximal_tables *tables = t->fit->tables;
	struct lgn_proximal *s = t->state;
	uint64_t from = lgn_proximal_begin(t, block), n = lgn_proximal_begin(t, block + 1) - from;
	int rc = see_block(t, block);

	if (!rc)
		rc = lagoon_pull(t->worker, tables->first, from, n, s->room[0]);
	if (!rc)
		rc = lagoon_pull(t->worker, tables->second, from * s->width,
				 n * s->width, s->room[1]);
	if (!rc)
		step_columns(t, from, n);
	return rc ? rc : lagoon_add(t->worker, t->fit->weights, from, n,
				    s->room[0]);
}

static int round_of(struct lgn_linear *t, uint64_t block)
{
	struct lgn_proximal *s = t->state;
	uint64_t workers = (uint64_t)t->fit->workers;
	int rc = see_changes(t);

	if (!rc && block != NO_BLOCK)
		rc = tell_block(t, block);
	if (!rc && s->rounds >= s->late && *past(s, s->late) != NO_BLOCK &&
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
	struct lgn_proximal *s = t->state;
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
	const struct lgn_proximal_tables *tables = t->fit->tables;
	struct lgn_proximal *s = t->state;
	uint64_t cols = t->fit->facts.data.cols;

	(void)mine;
	for (uint64_t j = 0; j < cols; j++)
		lgn_proximal_move(s, j, t->w[j]);
	return lagoon_pull(t->worker, tables->first, 0, cols, s->room[0]);
}

/* Gains fall by about the same ratio each epoch: what is to come adds up to
 * gain * ratio / (1 - ratio). */
static bool is_close(const struct lgn_linear *t, double gain)
{
	const struct lgn_proximal *s = t->state;
	double ratio = fmax(gain / s->gain[0], s->gain[0] / s->gain[1]);

	if (!(gain >= 0 && s->gain[0] > 0 && s->gain[1] > 0) || t->epoch < 4)
		return gain == 0 && t->epoch >= 4;
	return ratio < SLOWEST && gain * ratio / (1 - ratio) <=
		t->fit->options.tolerance * t->objective;
}

static int proximal_judge(struct lgn_linear *t)
{
	struct lgn_proximal *s = t->state;
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

/* Few blocks: the next one has its turn when all see this one's step. A step by
 * derivatives without the one before, and with all of the curvature, would be one
 * too many. */
static int turn_of(struct lgn_linear *t, uint64_t block)
{
	const struct lgn_proximal *s = t->state;
	int rc = round_of(t, block);

	for (uint64_t i = 1; i < 2 * s->late && s->whole && !rc; i++)
		rc = round_of(t, NO_BLOCK);
	return rc;
}

/* The same order in every worker. */
static int proximal_epoch(struct lgn_linear *t)
{
	struct lgn_proximal *s = t->state;
	int rc = 0;

	for (uint64_t i = 0; i < s->blocks; i++) {
		uint64_t k = lgn_random_next(&s->seed) % (i + 1);

		s->turn[i] = s->turn[k];
		s->turn[k] = i;
	}
	for (uint64_t i = 0; i < s->blocks && !rc; i++)
		rc = turn_of(t, s->turn[i]);
	return rc;
}

const struct lgn_linear_method lgn_linear_proximal = {
	.name = "proximal",
	.losses = 1u << LAGOON_LINEAR_LOGISTIC |
		1u << LAGOON_LINEAR_SQUARED_HINGE,
	.l1 = true,
	.starts = true,
	.models = 1u << LAGOON_BSP | 1u << LAGOON_SSP | 1u << LAGOON_ESSP,
	.blocks = 1,
	.epochs = 1000,
	.create = lgn_proximal_create,
	.destroy = lgn_proximal_destroy,
	.open = lgn_proximal_open,
	.close = lgn_proximal_close,
	.epoch = proximal_epoch,
	.measure = proximal_measure,
	.judge = proximal_judge,
	.kept = sizeof(struct lgn_proximal_kept),
	.keep = lgn_proximal_keep,
	.resume = lgn_proximal_resume,
};
