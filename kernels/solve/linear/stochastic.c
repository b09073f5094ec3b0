/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear/stochastic.h"
#include "runtime/base/status.h"

#define ETA 3			/* weight of round t in the average: about t^ETA */
#define MARGIN 64

double lgn_stochastic_row(const struct lgn_linear_fit *fit)
{
	const struct lgn_linear_extent *data = &fit->facts.data;

	return data->squares > 0 ? data->squares / (double)data->rows : 1;
}

double lgn_stochastic_entry(const struct lgn_linear_fit *fit)
{
	const struct lgn_linear_extent *data = &fit->facts.data;

	return data->squares > 0 ? data->squares / (double)data->entries : 1;
}

/* --------------------------------------------------------- steps of rows */

/* The square of row i as steps are scaled. */
static double scaled_square(const struct lgn_linear *t,
			    const struct lgn_block *b, size_t i)
{
	const struct lgn_stochastic *s = t->state;
	const int32_t *start = b->a.start, *index = b->a.index;
	const double *val = b->a.val;
	size_t outputs = t->fit->outputs;
	double square = 0;

	if (!s->scale)
		return s->square[b->first + i];
	for (int32_t k = start[i]; k < start[i + 1]; k++) {
		const double *scale = s->scale + (size_t)index[k] * outputs;
		double largest = scale[0];

		for (size_t c = 1; c < outputs; c++)
			largest = fmax(largest, scale[c]);
		square += largest * val[k] * val[k];
	}
	return square;
}

static void add_squares(const struct lgn_linear *t, const struct lgn_block *b,
			size_t i, const double *slope, double *squares)
{
	const int32_t *start = b->a.start, *index = b->a.index;
	const double *val = b->a.val;
	size_t outputs = t->fit->outputs;

	if (outputs == 1 && slope[0] == 0)
		return;
	for (int32_t k = start[i]; k < start[i + 1]; k++)
		for (size_t c = 0; c < outputs; c++) {
			double g = t->fit->options.c * slope[c] * val[k];

			squares[(size_t)index[k] * outputs + c] += g * g;
		}
}

/* w -= by * scale * change of the slopes * the row. */
static void add_row(const struct lgn_linear *t, const struct lgn_block *b,
		    size_t i, double by, const double *change, double *w)
{
	const struct lgn_stochastic *s = t->state;
	const int32_t *start = b->a.start, *index = b->a.index;
	const double *val = b->a.val;
	size_t outputs = t->fit->outputs;

	for (int32_t k = start[i]; k < start[i + 1]; k++)
		for (size_t c = 0; c < outputs; c++) {
			size_t at = (size_t)index[k] * outputs + c;
			double scale = s->scale ? s->scale[at] : 1;

			w[at] -= by * scale * change[c] * val[k];
		}
}

/* Of a loss of one product. */
static void step_row(struct lgn_linear *t, const struct lgn_block *b, size_t i,
		     double *w, double *squares)
{
	struct lgn_stochastic *s = t->state;
	double by = s->step * t->fit->options.c;
	double curve = by * scaled_square(t, b, i);
	double *slope = &s->slope[b->first + i];
	double product = lagoon_sparse_line_dot(&b->a, i, w) + curve * *slope;
	double change = -*slope - lagoon_dual_step(t->fit->options.loss, product,
						   b->sign[i], curve, 0);

	*slope += change;
	if (squares)
		add_squares(t, b, i, slope, squares);
	if (change == 0)
		return;
	if (s->scale)
		add_row(t, b, i, by, &change, w);
	else
		lagoon_sparse_line_add(&b->a, i, -by * change, w);
}

/* The curvature of softmax on the line of a row is at most half of its square:
 * with that the explicit step is held back as an implicit one holds itself. */
static void step_classes(struct lgn_linear *t, const struct lgn_block *b,
			 size_t i, double *w, double *squares)
{
	struct lgn_stochastic *s = t->state;
	size_t outputs = t->fit->outputs;
	double by = s->step * t->fit->options.c;
	double held = 1 / (1 + by * scaled_square(t, b, i) / 2);
	double *slope = &s->slope[(b->first + i) * outputs];
	struct lgn_block one = *b;

	one.a.rows = 1;
	one.a.start = (const int32_t *)b->a.start + i;
	one.class = b->class + i;
	lgn_linear_products(t, &one, w, t->z);
	lgn_linear_losses(t, &one, t->z, t->slope);
	for (size_t c = 0; c < outputs; c++) {
		t->slope[c] = held * (t->slope[c] - slope[c]);
		slope[c] += t->slope[c];
	}
	add_row(t, b, i, by, t->slope, w);
	if (squares)
		add_squares(t, b, i, slope, squares);
}

void lgn_stochastic_rows(struct lgn_linear *t, const struct lgn_block *b,
			 double *w, double *squares)
{
	for (size_t i = 0; i < b->a.rows; i++) {
		if (t->fit->options.loss == LAGOON_LINEAR_SOFTMAX)
			step_classes(t, b, i, w, squares);
		else
			step_row(t, b, i, w, squares);
	}
}

void lgn_stochastic_copy(const struct lgn_linear *t, const struct lgn_block *b,
			 const double *from, double *to)
{
	size_t outputs = t->fit->outputs;

	for (uint32_t j = 0; j < b->n_cols; j++)
		memcpy(to + b->cols[j] * outputs, from + b->cols[j] * outputs,
		       outputs * sizeof(*to));
}

/* --------------------------------------------------------- own weights */

int lgn_stochastic_pull_own(struct lgn_linear *t)
{
	const struct lgn_stochastic_tables *tables = t->fit->tables;
	struct lgn_stochastic *s = t->state;
	double weight = (ETA + 1) / (++s->rounds + ETA);
	int rc;

	if (!t->own)
		return 0;
	rc = lagoon_pull(t->worker, tables->state, t->first, t->own, s->own);
	if (!rc)
		rc = lagoon_pull(t->worker, tables->gradient, t->first, t->own,
				 s->own_gradient);
	for (size_t k = 0; k < t->own * t->fit->outputs && !rc; k++)
		s->mean[k] += weight * (s->own[k] - s->mean[k]);
	return rc;
}

int lgn_stochastic_tell(struct lgn_linear *t)
{
	struct lgn_stochastic *s = t->state;
	size_t n = t->own * t->fit->outputs;

	for (size_t k = 0; k < n; k++) {
		s->own[k] = s->mean[k] - s->told[k];
		s->told[k] = s->mean[k];
	}
	return n ? lagoon_add(t->worker, t->fit->weights, t->first, t->own,
			      s->own) : 0;
}

/* All of the last half: one of its epochs may be as high by chance. */
int lgn_stochastic_judge(struct lgn_linear *t)
{
	double change = 0;

	for (int i = t->epoch / 2; i < t->epoch; i++)
		change = fmax(change, fabs(t->past[i] - t->objective));
	t->converged = t->epoch >= 2 * LGN_LINEAR_WINDOW &&
		change <= t->fit->options.tolerance * t->objective;
	return 0;
}

/* --------------------------------------------------------------- opening */

/* The slopes' squares add up to 4 times the losses at most. */
static double largest_gradient(const struct lgn_linear_fit *fit)
{
	const struct lgn_linear_extent *data = &fit->facts.data;

	return MARGIN * 2 * fit->options.c *
		sqrt((double)data->rows * fmax(data->squares, 1e-100));
}

int lgn_stochastic_create(struct lgn_linear_fit *fit)
{
	struct lgn_stochastic_tables *tables = calloc(1, sizeof(*tables));

	fit->tables = tables;
	if (!tables)
		return lgn_fail(LAGOON_ENOMEM, "no memory for tables");
	return lgn_linear_table(fit, "linear gradient", largest_gradient(fit),
				&tables->gradient);
}

void lgn_stochastic_destroy(struct lgn_linear_fit *fit)
{
	struct lgn_stochastic_tables *tables = fit->tables;

	if (!tables)
		return;
	if (tables->state)
		lagoon_table_destroy(tables->state);
	if (tables->gradient)
		lagoon_table_destroy(tables->gradient);
	if (tables->squares)
		lagoon_table_destroy(tables->squares);
	free(tables);
	fit->tables = NULL;
}

static int open_vectors(struct lgn_linear *t, struct lgn_stochastic *s,
			bool by_coordinate)
{
	size_t outputs = t->fit->outputs, own = t->own * outputs + 1;
	size_t rows = t->rows.rows + 1;

	s->slope = calloc(rows * outputs, sizeof(*s->slope));
	s->square = calloc(rows, sizeof(*s->square));
	s->was = calloc(t->n, sizeof(*s->was));
	s->own = calloc(own, sizeof(*s->own));
	s->own_gradient = calloc(own, sizeof(*s->own_gradient));
	s->mean = calloc(own, sizeof(*s->mean));
	s->told = calloc(own, sizeof(*s->told));
	if (by_coordinate) {
		s->scale = calloc(t->n, sizeof(*s->scale));
		s->squares = calloc(t->n, sizeof(*s->squares));
	}
	if (s->slope && s->square && s->was && s->own && s->own_gradient &&
	    s->mean && s->told &&
	    (!by_coordinate || (s->scale && s->squares)))
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for vectors of %zu weights",
			t->n);
}

int lgn_stochastic_open(struct lgn_linear *t, bool by_coordinate, size_t size)
{
	struct lgn_stochastic *s = calloc(1, size);
	const struct lgn_block *b;
	int rc;

	t->state = s;
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a worker");
	rc = open_vectors(t, s, by_coordinate);
	if (rc)
		return rc;
	for (uint64_t i = 0; i < t->rows.blocks && !rc; i++) {
		rc = lgn_rows_block(&t->rows, i, &b);
		for (size_t k = 0; !rc && k < b->a.rows; k++)
			s->square[b->first + k] =
				lagoon_sparse_line_square(&b->a, k);
	}
	return rc;
}

double *lgn_stochastic_slopes(const struct lgn_linear *t)
{
	const struct lgn_stochastic *s = t->state;

	return s->slope;
}

/* What the slopes of the worker's rows make. */
static int sum_slopes(struct lgn_linear *t)
{
	const struct lgn_stochastic *s = t->state;
	const struct lgn_block *b;
	int rc = 0;

	memset(t->g, 0, t->n * sizeof(*t->g));
	for (uint64_t i = 0; i < t->rows.blocks && !rc; i++) {
		rc = lgn_rows_block(&t->rows, i, &b);
		if (!rc)
			lgn_linear_gradient(t, b, t->fit->options.c, s->slope +
					    b->first * t->fit->outputs, t->g);
	}
	return rc;
}

/* The gradient is made anew of the slopes: then it is theirs even if the rows have
 * come in another order. Slopes made anew would not do: those of long steps are of
 * where a row wanted to be, and with those of the weights the objective was 3 to 6
 * times as high after the next epoch. */
int lgn_stochastic_resume(struct lgn_linear *t, const void *kept)
{
	const struct lgn_stochastic_tables *tables = t->fit->tables;
	struct lgn_stochastic *s = t->state;
	uint64_t cols = t->fit->facts.data.cols;
	size_t n = t->own * t->fit->outputs;
	int rc = 0;

	(void)kept;
	s->rounds = (double)t->epoch * (double)t->rows.blocks;
	if (n)
		rc = lagoon_pull(t->worker, t->fit->weights, t->first, t->own,
				 s->mean);
	if (!rc && n)
		rc = lagoon_pull(t->worker, tables->gradient, t->first, t->own,
				 s->own_gradient);
	memcpy(s->told, s->mean, n * sizeof(*s->told));
	if (!rc)
		rc = sum_slopes(t);
	/* All have pulled the gradient before any changes it. */
	rc = lgn_linear_meet(t, rc, NULL);
	for (size_t k = 0; k < n; k++)
		s->own_gradient[k] = -s->own_gradient[k];
	if (!rc && n)
		rc = lagoon_add(t->worker, tables->gradient, t->first, t->own,
				s->own_gradient);
	if (!rc)
		rc = lagoon_add(t->worker, tables->gradient, 0, cols, t->g);
	memset(t->g, 0, t->n * sizeof(*t->g));	/* where some add up */
	return rc;
}

void lgn_stochastic_close(struct lgn_linear *t)
{
	struct lgn_stochastic *s = t->state;

	if (!s)
		return;
	free(s->slope);
	free(s->square);
	free(s->was);
	free(s->scale);
	free(s->squares);
	free(s->own);
	free(s->own_gradient);
	free(s->mean);
	free(s->told);
	free(s);
	t->state = NULL;
}
