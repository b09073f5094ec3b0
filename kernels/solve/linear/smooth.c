/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Smooth losses by whole gradients: L-BFGS, and steepest descent, over tables.
 * Nobody holds the vectors: the direction, the gradient and the history lie in
 * tables, and workers compute portions of what is needed next (Sandblaster: Dean
 * et al., Large Scale Distributed Deep Networks, NIPS 2012, section 4.2), with a
 * meeting between any two of these steps:
 *
 *	slices: the direction p, a sum of the history's vectors
 *	rows: products of p; loss and derivative along it, until a length t is found
 *	rows: products of the weights, t further; X' slope
 *	slices: weights, gradient, the pair s, y, and products of all these
 *
 * In variables that are scaled, u = w / scale, so that the curvature of each is
 * about 1 where the fit begins: scale = 1 / sqrt(l2 + c * sum of x^2 * the second
 * derivative of a loss at 0).
 *
 * The first step, and steepest descent: of length 1, and along the gradient times
 * s'y / y'y (Barzilai and Borwein, Two-Point Step Size Gradient Methods, IMA J.
 * Numer. Anal. 8, 1988), each with a line search.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear/smooth.h"

#define STEPS 5			/* of an epoch */
#define PORTIONS 16		/* of a worker's rows */

/* Numbers of slices and rows that are told: */
enum { OWN_SQUARE = sizeof(struct lgn_lbfgs_sums) / sizeof(double), OWN_ALL };
enum { OWN_WP, OWN_PP, OWN_WW };
enum { OWN_LOSS, OWN_SLOPE };

_Static_assert(OWN_ALL <= LGN_LINEAR_OWN, "tidings are too small");

/* Where a vector of the history begins. */
static uint64_t vector(const struct lgn_linear *t, int which, int slot)
{
	uint64_t cols = t->fit->facts.data.cols;

	return which == LGN_OLD_GRADIENT ? 0 :
		cols * (uint64_t)(2 * slot + which);
}

/* ------------------------------------------------------ the direction */

/* Vectors of a slice in s->room. */
static double *slot_room(const struct lgn_smooth *s, int i)
{
	return s->room + (size_t)i * s->numbers;
}

static void add_to(size_t n, double by, const double *x, double *sum)
{
	if (by != 0)
		lagoon_dense_add(n, by, x, sum);
}

/* Add to p what the coefficient times a vector of the history is. */
static int add_vector(struct lgn_linear *t, uint64_t from, uint64_t rows,
		      double by, double *p)
{
	struct lgn_smooth *s = t->state;
	double *x = slot_room(s, LGN_ROOM_SUM);
	int rc;

	if (by == 0)
		return 0;
	rc = lagoon_pull(t->worker, lgn_smooth_tables(t)->history, from, rows, x);
	if (!rc)
		add_to(rows * t->fit->outputs, by, x, p);
	return rc;
}

static int direct_slice(struct lgn_linear *t, uint64_t first, uint64_t rows,
			void *arg)
{
	struct lgn_linear_tidings *mine = arg;
	struct lgn_smooth *s = t->state;
	size_t outputs = t->fit->outputs, n = rows * outputs;
	double *p = slot_room(s, LGN_ROOM_P), *w = slot_room(s, LGN_ROOM_W);
	int rc;

	memset(p, 0, n * sizeof(*p));
	rc = add_vector(t, vector(t, LGN_OLD_GRADIENT, 0) + first, rows,
			s->c.g, p);
	for (int i = 0; i < s->h.memory && !rc; i++)
		rc = add_vector(t, vector(t, LGN_S_OF, i) + first, rows,
				s->c.s[i], p);
	for (int i = 0; i < s->h.memory && !rc; i++)
		rc = add_vector(t, vector(t, LGN_Y_OF, i) + first, rows,
				s->c.y[i], p);
	for (size_t k = 0; k < n; k++)
		p[k] *= s->scale[first + k / outputs];
	if (!rc)
		rc = lagoon_add(t->worker, lgn_smooth_tables(t)->direction, first, rows,
				p);
	if (!rc)
		rc = lagoon_pull(t->worker, t->fit->weights, first, rows, w);
	if (rc)
		return rc;
	mine->own[OWN_WP] += lagoon_dense_dot(n, w, p);
	mine->own[OWN_PP] += lagoon_dense_dot(n, p, p);
	mine->own[OWN_WW] += lagoon_dense_dot(n, w, w);
	return 0;
}

/* Steepest descent has one pair, for the length of its step. */
static void choose_direction(const struct lgn_linear *t)
{
	struct lgn_smooth *s = t->state;

	lgn_lbfgs_direction(&s->h, &s->c);
	if (lgn_smooth_tables(t)->memory > 1 || !s->h.pairs)
		return;
	memset(&s->c, 0, sizeof(s->c));
	s->c.g = -s->h.sy[0][0] / s->h.yy[0][0];
	s->c.slope = s->c.g * s->h.gg;
}

static int make_direction(struct lgn_linear *t)
{
	struct lgn_linear_tidings mine = { 0 };
	struct lgn_smooth *s = t->state;
	int rc;

	choose_direction(t);
	rc = lgn_work_slices(t, &lgn_smooth_tables(t)->work, &s->drawn, direct_slice,
			     &mine);
	rc = lgn_linear_meet(t, rc, &mine);
	s->wp = t->sum.own[OWN_WP];
	s->pp = t->sum.own[OWN_PP];
	s->ww = t->sum.own[OWN_WW];
	return rc;
}

/* --------------------------------------------------------- the search */

static void try_block(struct lgn_linear *t, const struct lgn_work_part *part,
		      const struct lgn_block *b, void *arg)
{
	size_t outputs = t->fit->outputs, n = b->a.rows * outputs;
	const double *line = part->line + b->first * outputs;
	struct lgn_linear_tidings *mine = arg;
	struct lgn_smooth *s = t->state;

	memcpy(s->z, part->z + b->first * outputs, n * sizeof(*s->z));
	lagoon_dense_add(n, s->search.t, line, s->z);
	mine->own[OWN_LOSS] += lgn_linear_losses(t, b, s->z, s->slope);
	mine->own[OWN_SLOPE] += lagoon_dense_dot(n, s->slope, line);
}

static void line_block(struct lgn_linear *t, const struct lgn_work_part *part,
		       const struct lgn_block *b, void *arg)
{
	const struct lgn_smooth *s = t->state;

	lgn_linear_products(t, b, s->p,
			    part->line + b->first * t->fit->outputs);
	try_block(t, part, b, arg);
}

/* Value and derivative at the length that was tried. */
static int judge_length(struct lgn_linear *t)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	struct lgn_smooth *s = t->state;
	double by = s->search.t;

	return lgn_search_step(&s->search, o->c * t->sum.own[OWN_LOSS] +
			       o->l2 / 2 * (s->ww + 2 * by * s->wp +
					    by * by * s->pp),
			       o->c * t->sum.own[OWN_SLOPE] +
			       o->l2 * (s->wp + by * s->pp));
}

static int search(struct lgn_linear *t, double value, int *found)
{
	struct lgn_smooth *s = t->state;
	lgn_work_block *use = line_block;
	int rc = lagoon_pull(t->worker, lgn_smooth_tables(t)->direction, 0,
			     t->fit->facts.data.cols, s->p);

	lgn_search_open(&s->search, value, s->c.slope, 1);
	*found = LGN_SEARCH_MORE;
	while (!rc && *found == LGN_SEARCH_MORE) {
		struct lgn_linear_tidings mine = { 0 };

		rc = lgn_work_rows(t, &lgn_smooth_tables(t)->work, &s->drawn, use,
				   &mine);
		rc = lgn_linear_meet(t, rc, &mine);
		if (!rc)
			*found = judge_length(t);
		use = try_block;
	}
	return rc;
}

/* -------------------------------------------- gradient and next pair */

static void gradient_block(struct lgn_linear *t,
			   const struct lgn_work_part *part,
			   const struct lgn_block *b, void *arg)
{
	size_t at = b->first * t->fit->outputs, n = b->a.rows * t->fit->outputs;
	struct lgn_smooth *s = t->state;
	double *loss = arg;

	lagoon_dense_add(n, s->search.t, part->line + at, part->z + at);
	*loss += lgn_linear_losses(t, b, part->z + at, s->slope);
	lgn_linear_gradient(t, b, 1, s->slope, t->g);
}

/* t->objective becomes the value there. */
static int make_gradient(struct lgn_linear *t)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	struct lgn_linear_tidings mine = { 0 };
	struct lgn_smooth *s = t->state;
	double by = s->search.t;
	int rc;

	memset(t->g, 0, t->n * sizeof(*t->g));
	rc = lgn_work_rows(t, &lgn_smooth_tables(t)->work, &s->drawn, gradient_block,
			   &mine.loss);
	if (!rc)
		rc = lgn_smooth_tell(t);
	rc = lgn_linear_meet(t, rc, &mine);
	t->objective = o->c * t->sum.loss + o->l2 / 2 *
		(s->ww + 2 * by * s->wp + by * by * s->pp);
	return rc;
}

/* The products of a slice with all vectors of the history, of which the slot's
 * are in place. */
static int multiply_pairs(struct lgn_linear *t, uint64_t first, uint64_t rows,
			  const double *g, struct lgn_lbfgs_sums *sums)
{
	struct lgn_smooth *s = t->state;
	size_t n = rows * t->fit->outputs;
	const double *s_new = slot_room(s, LGN_ROOM_PAIRS + 2 * s->h.slot);
	const double *y_new = s_new + s->numbers;
	int rc = 0;

	for (int i = 0; i < s->h.memory && !rc; i++) {
		double *s_i = slot_room(s, LGN_ROOM_PAIRS + 2 * i);
		double *y_i = s_i + s->numbers;

		if (i != s->h.slot) {
			if (i >= s->h.pairs)
				continue;
			rc = lagoon_pull(t->worker, lgn_smooth_tables(t)->history,
					 vector(t, LGN_S_OF, i) + first, rows, s_i);
			if (!rc)
				rc = lagoon_pull(t->worker,
						 lgn_smooth_tables(t)->history,
						 vector(t, LGN_Y_OF, i) + first,
						 rows, y_i);
		}
		sums->s_new[i] += lagoon_dense_dot(n, s_new, y_i);
		sums->y_old[i] += lagoon_dense_dot(n, y_new, s_i);
		sums->y_new[i] += lagoon_dense_dot(n, y_new, y_i);
		sums->s_gradient[i] += lagoon_dense_dot(n, s_i, g);
		sums->y_gradient[i] += lagoon_dense_dot(n, y_i, g);
	}
	sums->gradient += lagoon_dense_dot(n, g, g);
	return rc;
}

/* New weights of a slice; its gradient into LGN_ROOM_G, scaled, s and y. */
static void step_slice(struct lgn_linear *t, uint64_t first, uint64_t rows,
		       double *square)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	struct lgn_smooth *s = t->state;
	size_t outputs = t->fit->outputs;
	double *p = slot_room(s, LGN_ROOM_P), *w = slot_room(s, LGN_ROOM_W);
	double *g = slot_room(s, LGN_ROOM_G), *old = slot_room(s, LGN_ROOM_OLD);
	double *s_new = slot_room(s, LGN_ROOM_PAIRS + 2 * s->h.slot);
	double *y_new = s_new + s->numbers;

	for (size_t k = 0; k < rows * outputs; k++) {
		double scale = s->scale[first + k / outputs];

		p[k] *= s->search.t;
		g[k] = o->l2 * (w[k] + p[k]) + o->c * g[k];
		*square += g[k] * g[k];
		g[k] *= scale;
		s_new[k] = p[k] / scale;
		y_new[k] = g[k] - old[k];
	}
}

static int pull_slice(struct lgn_linear *t, uint64_t first, uint64_t rows)
{
	const struct lgn_smooth_tables *tables = lgn_smooth_tables(t);
	const struct lgn_smooth *s = t->state;
	int rc = lagoon_pull(t->worker, tables->direction, first, rows,
			     slot_room(s, LGN_ROOM_P));

	if (!rc)
		rc = lagoon_pull(t->worker, t->fit->weights, first, rows,
				 slot_room(s, LGN_ROOM_W));
	if (!rc)
		rc = lagoon_pull(t->worker, tables->gradient, first, rows,
				 slot_room(s, LGN_ROOM_G));
	if (!rc)
		rc = lagoon_pull(t->worker, tables->history,
				 vector(t, LGN_OLD_GRADIENT, 0) + first, rows,
				 slot_room(s, LGN_ROOM_OLD));
	return rc;
}

static int push_slice(struct lgn_linear *t, uint64_t first, uint64_t rows)
{
	struct lagoon_table *history = lgn_smooth_tables(t)->history;
	const struct lgn_smooth *s = t->state;
	const double *s_new = slot_room(s, LGN_ROOM_PAIRS + 2 * s->h.slot);
	int rc = lagoon_add(t->worker, t->fit->weights, first, rows,
			    slot_room(s, LGN_ROOM_P));

	if (!rc)
		rc = lagoon_add(t->worker, history, vector(t, LGN_OLD_GRADIENT, 0) +
				first, rows, slot_room(s, LGN_ROOM_G));
	if (!rc)
		rc = lagoon_add(t->worker, history, vector(t, LGN_S_OF, s->h.slot) +
				first, rows, s_new);
	if (!rc)
		rc = lagoon_add(t->worker, history, vector(t, LGN_Y_OF, s->h.slot) +
				first, rows, s_new + s->numbers);
	return rc;
}

static int pair_slice(struct lgn_linear *t, uint64_t first, uint64_t rows,
		      void *arg)
{
	struct lgn_linear_tidings *mine = arg;
	struct lgn_smooth *s = t->state;
	int rc = pull_slice(t, first, rows);

	if (rc)
		return rc;
	step_slice(t, first, rows, &mine->own[OWN_SQUARE]);
	rc = push_slice(t, first, rows);
	if (!rc)
		rc = multiply_pairs(t, first, rows, slot_room(s, LGN_ROOM_G),
				    &s->sums);
	return rc;
}

static int make_pair(struct lgn_linear *t)
{
	struct lgn_linear_tidings mine = { 0 };
	struct lgn_smooth *s = t->state;
	int rc;

	memset(&s->sums, 0, sizeof(s->sums));
	rc = lgn_work_slices(t, &lgn_smooth_tables(t)->work, &s->drawn, pair_slice,
			     &mine);
	memcpy(mine.own, &s->sums, sizeof(s->sums));
	rc = lgn_linear_meet(t, rc, &mine);
	memcpy(&s->sums, t->sum.own, sizeof(s->sums));
	s->square = t->sum.own[OWN_SQUARE];
	if (!rc)
		lgn_lbfgs_push(&s->h, &s->sums);
	return rc;
}

/* -------------------------------------------------------- an iteration */

static double gap(const struct lgn_linear *t)
{
	const struct lgn_smooth *s = t->state;
	double l2 = t->fit->options.l2;

	return l2 > 0 ? s->square / (2 * l2) : -1;
}

static bool is_flat(const struct lgn_linear *t)
{
	double l2 = t->fit->options.l2;

	return l2 > 0 && gap(t) <= t->fit->options.tolerance * t->objective;
}

/* The gradient at zero weights: the pair is none, since s is 0. */
static int begin(struct lgn_linear *t)
{
	struct lgn_smooth *s = t->state;
	int rc = lgn_smooth_begin(t);

	if (!rc)
		rc = make_gradient(t);
	if (!rc)
		rc = make_pair(t);
	s->ended = s->square == 0;
	return rc;
}

/* Nothing is lower along the direction: try the steepest one; if that was it,
 * only rounding is left to do. */
static void give_up(struct lgn_linear *t)
{
	struct lgn_smooth *s = t->state;
	double square = s->h.gg;

	s->ended = !s->h.pairs;
	lgn_lbfgs_open(&s->h, lgn_smooth_tables(t)->memory);
	s->h.gg = square;
}

static int step(struct lgn_linear *t)
{
	double value = t->objective;
	int found, rc = make_direction(t);

	if (!rc)
		rc = search(t, value, &found);
	if (rc)
		return rc;
	if (found == LGN_SEARCH_NONE) {
		give_up(t);
		return 0;
	}
	rc = make_gradient(t);
	return rc ? rc : make_pair(t);
}

static int smooth_epoch(struct lgn_linear *t)
{
	const struct lgn_smooth *s = t->state;
	int rc = t->epoch == 1 ? begin(t) : 0;

	for (int i = 0; i < STEPS && !rc && !s->ended && !is_flat(t); i++)
		rc = step(t);
	return rc;
}

/* By strong convexity the value is at most |gradient|^2 / (2 l2) above the
 * minimum; it is the duality gap, too, to the slopes as dual variables. */
static int smooth_judge(struct lgn_linear *t)
{
	const struct lgn_smooth *s = t->state;

	t->gap = gap(t);
	t->converged = s->ended || is_flat(t) ||
		(t->gap < 0 && lgn_linear_is_converged(t));
	return 0;
}

static int lbfgs_create(struct lgn_linear_fit *fit)
{
	return lgn_smooth_create(fit, LGN_LBFGS_MAX);
}

static int gradient_create(struct lgn_linear_fit *fit)
{
	return lgn_smooth_create(fit, 1);
}

#define SMOOTH (1u << LAGOON_LINEAR_LOGISTIC | \
		1u << LAGOON_LINEAR_SQUARED_HINGE | 1u << LAGOON_LINEAR_SOFTMAX)
#define MODELS (1u << LAGOON_BSP | 1u << LAGOON_SSP | 1u << LAGOON_ESSP | \
		1u << LAGOON_ASP)

const struct lgn_linear_method lgn_linear_lbfgs = {
	.name = "lbfgs",
	.losses = SMOOTH,
	.models = MODELS, .starts = true,
	.blocks = PORTIONS,
	.epochs = 200,
	.create = lbfgs_create,
	.destroy = lgn_smooth_destroy,
	.open = lgn_smooth_open,
	.close = lgn_smooth_close,
	.epoch = smooth_epoch,
	.judge = smooth_judge,
	.kept = sizeof(struct lgn_smooth_kept),
	.keep = lgn_smooth_keep,
	.resume = lgn_smooth_resume,
};

const struct lgn_linear_method lgn_linear_gradient_descent = {
	.name = "gradient",
	.losses = SMOOTH,
	.models = MODELS, .starts = true,
	.blocks = PORTIONS,
	.epochs = 1000,
	.create = gradient_create,
	.destroy = lgn_smooth_destroy,
	.open = lgn_smooth_open,
	.close = lgn_smooth_close,
	.epoch = smooth_epoch,
	.judge = smooth_judge,
	.kept = sizeof(struct lgn_smooth_kept),
	.keep = lgn_smooth_keep,
	.resume = lgn_smooth_resume,
};
