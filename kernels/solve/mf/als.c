/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Alternating least squares. Each worker solves for its rows, with the columns of
 * their ratings; all meet; each solves for its columns, with the rows of theirs.
 * Biases are one more factor, whose partner is 1.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_kernels.h"
#include "kernels/solve/mf/mf.h"
#include "runtime/base/attr.h"
#include "runtime/base/status.h"

#define CHUNK 64		/* ratings in one product */
#define AHEAD 8			/* ratings whose partners are asked for early */
#define BLOCK 8			/* rows of the matrix in one product */

struct als {
	double *other;		/* [cols->n_others][width] rows */
	double *col;		/* [cols->lines][width] */
	double *matrix;		/* [width][width] */
	double *lines;		/* [CHUNK][width] */
	double target[CHUNK];
};

static int fail_memory(size_t n)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for %zu numbers of the normal "
			"equations", n);
}

static int als_open(struct lgn_mf *t)
{
	size_t width = t->width;
	struct als *s = t->state = calloc(1, sizeof(*s));

	if (!s)
		return fail_memory(1);
	s->other = malloc((t->cols->n_others * width + 1) * sizeof(*s->other));
	s->col = malloc((t->cols->lines * width + 1) * sizeof(*s->col));
	s->matrix = malloc(width * width * sizeof(*s->matrix));
	s->lines = malloc(CHUNK * width * sizeof(*s->lines));
	return s->other && s->col && s->matrix && s->lines ? 0 :
		fail_memory(t->cols->n_others * width);
}

static void als_close(struct lgn_mf *t)
{
	struct als *s = t->state;

	if (!s)
		return;
	free(s->other);
	free(s->col);
	free(s->matrix);
	free(s->lines);
	free(s);
}

/* Partners come in any order. */
static inline void ask(const double *row, size_t width)
{
	for (size_t f = 0; f < width; f += LGN_CACHELINE / sizeof(*row))
		__builtin_prefetch(row + f);
}

/* Some ratings of one line: their partners side by side, 1 for the bias, and what
 * these are to say. */
static void gather(const struct lgn_mf *t, const struct lgn_mf_lines *l,
		   const double *other, size_t k, size_t n)
{
	struct als *s = t->state;

	for (size_t i = 0; i < n; i++) {
		const double *row = other + (size_t)l->across[k + i] * t->width;
		double *line = s->lines + i * t->width;

		if (k + i + AHEAD < l->n)
			ask(other + (size_t)l->across[k + i + AHEAD] * t->width,
			    t->width);
		memcpy(line, row, t->width * sizeof(*line));
		s->target[i] = l->val[k + i];
		if (t->width > t->rank) {
			s->target[i] -= row[t->rank];
			line[t->rank] = 1;
		}
	}
}

/* Of the matrix, which is symmetric, the triangle that is read, and what of the
 * blocks on its diagonal is not. */
static void add_products(const struct lgn_mf *t, size_t n)
{
	const struct als *s = t->state;
	size_t width = t->width;

	for (size_t f = 0; f < width; f += BLOCK) {
		size_t rows = width - f < BLOCK ? width - f : BLOCK;

		lagoon_dense_product(1, 0, rows, f + rows, n, 1, s->lines + f,
				     width, s->lines, width, 1,
				     s->matrix + f * width, width);
	}
}

static int solve_line(struct lgn_mf *t, const struct lgn_mf_lines *l,
		      const double *other, uint32_t i, double *out)
{
	struct als *s = t->state;
	size_t width = t->width, n;

	memset(s->matrix, 0, width * width * sizeof(*s->matrix));
	memset(out, 0, width * sizeof(*out));
	for (size_t k = l->start[i]; k < l->start[i + 1]; k += n) {
		n = l->start[i + 1] - k < CHUNK ? l->start[i + 1] - k : CHUNK;
		gather(t, l, other, k, n);
		add_products(t, n);
		lagoon_dense_multiply_transposed(n, width, s->lines, width, 1,
						 s->target, 1, out);
	}
	for (size_t f = 0; f < width; f++)
		s->matrix[f * width + f] += f < t->rank ?
			t->lambda * (double)(l->start[i + 1] - l->start[i]) :
			t->fit->options.lambda_bias;
	if (!lagoon_dense_solve(width, s->matrix, width, 1, out, width))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "the ratings of user or item %llu do not "
			"determine its factors: expected a larger lambda",
			(unsigned long long)l->id[i]);
}

static int solve(struct lgn_mf *t, const struct lgn_mf_lines *l,
		 const double *other, double *out)
{
	int rc = 0;

	for (uint32_t i = 0; i < l->lines && !rc; i++)
		rc = solve_line(t, l, other, i, out + (size_t)i * t->width);
	return rc;
}

static int als_begin(struct lgn_mf *t)
{
	(void)t;
	return 0;
}

static int als_epoch(struct lgn_mf *t)
{
	const struct lgn_mf_fit *fit = t->fit;
	struct als *s = t->state;
	int rc = solve(t, t->rows, t->y, t->x);

	if (!rc)
		rc = lgn_mf_put(t, fit->rows, t->rows->id, t->rows->lines, t->x);
	rc = lgn_mf_meet(t, rc, NULL);
	if (!rc)
		rc = lgn_mf_pull(t, fit->rows, t->cols->others,
				 t->cols->n_others, s->other);
	if (!rc)
		rc = solve(t, t->cols, s->other, s->col);
	if (!rc)
		rc = lgn_mf_put(t, fit->cols, t->cols->id, t->cols->lines,
				s->col);
	rc = lgn_mf_meet(t, rc, NULL);
	return rc ? rc : lgn_mf_pull(t, fit->cols, t->rows->others,
				     t->rows->n_others, t->y);
}

static int als_get(struct lgn_mf *t)
{
	(void)t;
	return 0;
}

const struct lgn_mf_method lgn_mf_als = {
	.name = "als", .by_cols = true, .open = als_open, .close = als_close,
	.begin = als_begin, .epoch = als_epoch, .get = als_get,
};
