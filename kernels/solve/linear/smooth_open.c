/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of smooth.c, a worker's vectors, and the scale of the weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear/smooth.h"
#include "runtime/base/status.h"

/* ------------------------------------------------------------- tables */

/* A derivative is at most the root of (squares of slopes) * (squares of values),
 * and slopes' squares at most 4 times the loss at zero weights, 1 or log(k) a row.
 * The table first holds sums of squared values. */
static double largest_sum(const struct lgn_linear_fit *fit)
{
	const struct lgn_linear_extent *data = &fit->facts.data;
	double losses = (double)data->rows *
		fmax(1, log((double)fit->facts.classes));

	return fmax(1, fmax(data->squares, 2 * sqrt(losses * data->squares)));
}

int lgn_smooth_create(struct lgn_linear_fit *fit, int memory)
{
	struct lgn_smooth_tables *s = calloc(1, sizeof(*s));
	uint64_t cols = fit->facts.data.cols;
	int rc;

	fit->tables = s;
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a fit");
	s->memory = memory;
	rc = lgn_work_create(fit, &s->work);
	if (!rc)
		rc = lgn_linear_table(fit, "linear sums", largest_sum(fit),
				      &s->gradient);
	if (!rc)
		rc = lgn_linear_plain(fit, "linear direction", cols,
				      &s->direction);
	if (!rc)
		rc = lgn_linear_plain(fit, "linear history",
				      cols * (1 + 2 * (uint64_t)memory),
				      &s->history);
	if (rc)
		return rc;
	/* One is of what workers told, the other made anew in each step. */
	lagoon_table_set_saved(s->gradient, 0);
	lagoon_table_set_saved(s->direction, 0);
	return 0;
}

void lgn_smooth_destroy(struct lgn_linear_fit *fit)
{
	struct lgn_smooth_tables *s = fit->tables;

	if (!s)
		return;
	if (s->gradient)
		lagoon_table_destroy(s->gradient);
	if (s->direction)
		lagoon_table_destroy(s->direction);
	if (s->history)
		lagoon_table_destroy(s->history);
	lgn_work_destroy(&s->work);
	free(s);
}

/* ------------------------------------------------------- scale, begin */

int lgn_smooth_tell(struct lgn_linear *t)
{
	struct lgn_smooth *s = t->state;

	for (size_t k = 0; k < t->n; k++) {
		double now = t->g[k];

		t->g[k] = now - s->told[k];
		s->told[k] = now;
	}
	return lagoon_add(t->worker, lgn_smooth_tables(t)->gradient, 0,
			  t->fit->facts.data.cols, t->g);
}

static double curvature(const struct lgn_linear_fit *fit)
{
	return fit->options.loss == LAGOON_LINEAR_SQUARED_HINGE ? 2 : 0.25;
}

/* Sums of squares of the columns go through the gradient's table. */
static int find_scale(struct lgn_linear *t)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	size_t outputs = t->fit->outputs, cols = t->fit->facts.data.cols;
	struct lgn_smooth *s = t->state;
	int rc;

	memset(t->g, 0, t->n * sizeof(*t->g));
	for (size_t k = 0; k < t->rows.entries; k++)
		t->g[(size_t)t->rows.index[k] * outputs] +=
			t->rows.val[k] * t->rows.val[k];
	rc = lgn_linear_meet(t, lgn_smooth_tell(t), NULL);
	if (!rc)
		rc = lagoon_pull(t->worker, lgn_smooth_tables(t)->gradient, 0, cols,
				 t->g);
	for (size_t j = 0; j < cols; j++) {
		double sum = o->l2 + o->c * curvature(t->fit) *
			t->g[j * outputs];

		s->scale[j] = sum > 0 ? 1 / sqrt(sum) : 1;
	}
	/* All have read it before anybody tells something else. */
	return lgn_linear_meet(t, rc, NULL);
}

static int open_vectors(struct lgn_linear *t, struct lgn_smooth *s)
{
	const struct lgn_smooth_tables *tables = lgn_smooth_tables(t);
	size_t cols = t->fit->facts.data.cols, outputs = t->fit->outputs;
	size_t vectors = 5 + 2 * (size_t)tables->memory;

	s->numbers = (cols / tables->work.slices + 1) * outputs;
	s->scale = calloc(cols, sizeof(*s->scale));
	s->told = calloc(t->n, sizeof(*s->told));
	s->p = calloc(t->n, sizeof(*s->p));
	s->room = calloc(vectors * s->numbers, sizeof(*s->room));
	if (s->scale && s->told && s->p && s->room)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for vectors of %zu weights",
			t->n);
}

int lgn_smooth_open(struct lgn_linear *t)
{
	struct lgn_smooth *s = calloc(1, sizeof(*s));
	int rc;

	t->state = s;
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a worker");
	lgn_lbfgs_open(&s->h, lgn_smooth_tables(t)->memory);
	rc = lgn_work_open(t, &lgn_smooth_tables(t)->work, &s->drawn);
	return rc ? rc : open_vectors(t, s);
}

void lgn_smooth_close(struct lgn_linear *t)
{
	struct lgn_smooth *s = t->state;

	if (!s)
		return;
	lgn_work_close(t, &s->drawn);
	free(s->scale);
	free(s->told);
	free(s->p);
	free(s->room);
	free(s->z);
	free(s->slope);
	free(s);
}

/* Blocks of the other workers of the process may be larger. */
static int open_blocks(struct lgn_linear *t)
{
	const struct lgn_work *work = &lgn_smooth_tables(t)->work;
	struct lgn_smooth *s = t->state;
	size_t largest = 1;

	for (int i = 0; i < work->parts; i++)
		if (work->part[i].rows.largest > largest)
			largest = work->part[i].rows.largest;
	s->z = calloc(largest * t->fit->outputs, sizeof(*s->z));
	s->slope = calloc(largest * t->fit->outputs, sizeof(*s->slope));
	if (s->z && s->slope)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for blocks of %zu rows",
			largest);
}

/* Products of the worker's rows with the weights. */
static int multiply(struct lgn_linear *t)
{
	struct lgn_work *work = &lgn_smooth_tables(t)->work;
	double *z = work->part[t->id - t->fit->first_worker].z;
	const struct lgn_block *b;
	int rc = lagoon_pull(t->worker, t->fit->weights, 0,
			     t->fit->facts.data.cols, t->w);

	for (uint64_t i = 0; i < t->rows.blocks && !rc; i++) {
		rc = lgn_rows_block(&t->rows, i, &b);
		if (!rc)
			lgn_linear_products(t, b, t->w,
					    z + b->first * t->fit->outputs);
	}
	return rc;
}

int lgn_smooth_begin(struct lgn_linear *t)
{
	int rc = lgn_linear_meet(t, open_blocks(t), NULL);

	if (!rc)
		rc = find_scale(t);
	if (rc || !(t->started || t->fit->saved))
		return rc;
	/* Other workers of the process may draw these rows next. */
	return lgn_linear_meet(t, multiply(t), NULL);
}

/* ---------------------------------------------------------- checkpoints */

void lgn_smooth_keep(const struct lgn_linear *t, void *kept)
{
	const struct lgn_smooth *s = t->state;
	struct lgn_smooth_kept *k = kept;

	k->h = s->h;
	k->square = s->square;
	k->ended = s->ended;
}

int lgn_smooth_resume(struct lgn_linear *t, const void *kept)
{
	const struct lgn_smooth_kept *k = kept;
	struct lgn_smooth *s = t->state;
	int rc = lgn_smooth_begin(t);

	s->h = k->h;
	s->square = k->square;
	s->ended = k->ended;
	return rc;
}
