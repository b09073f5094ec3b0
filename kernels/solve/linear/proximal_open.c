/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of proximal.c, a worker's columns, and checkpoints. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear/proximal.h"
#include "kernels/solve/random.h"
#include "runtime/base/status.h"

#define BLOCKS 32		/* of columns */
#define FEW 4096		/* columns, of which the curvature is whole */
#define WIDEST 128		/* block of them, */
#define OF_ROW 32		/* of which a row has so many on average, at most */
#define FIRST 1.0		/* trust regions */

void lgn_proximal_move(struct lgn_proximal *s, uint64_t j, double to)
{
	double by = to - s->w[j];

	if (by == 0)
		return;
	for (int32_t k = s->start[j]; k < s->start[j + 1]; k++)
		s->z[s->row[k]] += by * s->val[k];
	s->w[j] = to;
}

/* -------------------------------------------------------------- opening */

/* Of a block of few columns, 0 of many. What it costs a row to tell its part of a
 * whole curvature grows with the square of its columns. */
static uint64_t whole_width(const struct lgn_linear_extent *data)
{
	double share = (double)data->entries /
		((double)data->rows * (double)data->cols);
	double width = fmin(WIDEST, ceil(OF_ROW / fmax(share, 1e-9)));

	if (data->cols > FEW)
		return 0;
	return (uint64_t)fmin((double)data->cols, width);
}

int lgn_proximal_create(struct lgn_linear_fit *fit)
{
	struct lgn_proximal_tables *tables = calloc(1, sizeof(*tables));
	const struct lgn_linear_extent *data = &fit->facts.data;
	double squares = data->squares;
	int rc;

	fit->tables = tables;
	if (!tables)
		return lgn_fail(LAGOON_ENOMEM, "no memory for tables");
	tables->width = whole_width(data);
	/* As in smooth.c; curvatures are at most 2. */
	rc = lgn_linear_table(fit, "linear first", fmax(1, 4 *
			      sqrt((double)data->rows * squares)),
			      &tables->first);
	if (!rc)
		rc = lgn_linear_table_of(fit, "linear second", data->cols *
					 (tables->width ? tables->width : 1),
					 fmax(1, 2 * squares), &tables->second);
	if (rc)
		return rc;
	/* Workers tell all of it anew. */
	lagoon_table_set_saved(tables->first, 0);
	lagoon_table_set_saved(tables->second, 0);
	return 0;
}

void lgn_proximal_destroy(struct lgn_linear_fit *fit)
{
	struct lgn_proximal_tables *tables = fit->tables;

	if (tables && tables->first)
		lagoon_table_destroy(tables->first);
	if (tables && tables->second)
		lagoon_table_destroy(tables->second);
	free(tables);
	fit->tables = NULL;
}

static int open_vectors(struct lgn_linear *t, struct lgn_proximal *s)
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
		size_t n = i ? cols * s->width : cols;

		s->told[i] = calloc(n, sizeof(double));
		s->room[i] = calloc(n, sizeof(double));
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
static int open_columns(struct lgn_linear *t, struct lgn_proximal *s)
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

int lgn_proximal_open(struct lgn_linear *t)
{
	struct lgn_proximal *s = calloc(1, sizeof(*s));
	const struct lgn_proximal_tables *tables = t->fit->tables;
	uint64_t cols = t->fit->facts.data.cols;
	int rc;

	t->state = s;
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a worker");
	s->rows = t->rows.rows;
	s->whole = tables->width > 0;
	s->width = s->whole ? tables->width : 1;
	s->blocks = s->whole ? (cols + s->width - 1) / s->width : BLOCKS;
	s->late = (uint64_t)lgn_linear_unseen(t->fit);
	s->damp = 1;
	s->all_in = true;
	s->seed = t->fit->options.seed;
	s->before = t->objective;
	rc = open_columns(t, s);
	if (!rc && s->whole)
		rc = lgn_proximal_whole_open(t);
	if (!rc)
		rc = open_vectors(t, s);
	for (uint64_t j = 0; j < cols && !rc && t->started; j++)
		lgn_proximal_move(s, j, t->w[j]);
	return rc;
}

/* ---------------------------------------------------------- checkpoints */

void lgn_proximal_keep(const struct lgn_linear *t, void *kept)
{
	const struct lgn_proximal *s = t->state;
	struct lgn_proximal_kept *k = kept;

	k->damp = s->damp;
	k->violation = s->violation;
	memcpy(k->gain, s->gain, sizeof(k->gain));
	k->before = s->before;
}

/* Blocks that were told and not stepped for have a turn again, trust regions are
 * the narrowest, which grow soon, and no column is left out of the first epoch. */
int lgn_proximal_resume(struct lgn_linear *t, const void *kept)
{
	const struct lgn_proximal_kept *k = kept;
	struct lgn_proximal *s = t->state;
	uint64_t cols = t->fit->facts.data.cols;
	int rc = lagoon_pull(t->worker, t->fit->weights, 0, cols, t->w);

	s->damp = k->damp;
	s->violation = k->violation;
	memcpy(s->gain, k->gain, sizeof(s->gain));
	s->before = k->before;
	s->seed += LGN_RANDOM_STEP * s->blocks * (uint64_t)t->epoch;
	for (uint64_t j = 0; j < cols && !rc; j++) {
		s->trust[j] = LGN_PROXIMAL_NARROW;
		lgn_proximal_move(s, j, t->w[j]);
	}
	return rc;
}

void lgn_proximal_close(struct lgn_linear *t)
{
	struct lgn_proximal *s = t->state;

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
	free(s->head);
	free(s->next);
	free(s->column);
	free(s->quadratic);
	free(s->free);
	free(s->past);
	for (int i = 0; i < 2; i++) {
		free(s->told[i]);
		free(s->room[i]);
	}
	free(s);
}
