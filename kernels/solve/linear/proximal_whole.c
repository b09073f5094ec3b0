/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steps of proximal.c where few columns are: steps by the diagonal of the
 * curvature crawl where columns are nearly dependent (a9a, whose columns are the
 * values of 14 attributes, was 3e-4 off after 600 epochs), so the curvature of a
 * block's columns is told as a whole, and a step goes to the minimum of
 *
 *	g'd + d'Hd / 2 + l1 |w + d|	with d inside of the trust regions
 *
 * (Lee, Sun and Saunders, Proximal Newton-type methods for minimizing composite
 * functions, SIAM J. Optim. 24, 2014). It is found by coordinate descent, which
 * finds signs, and after each pass Newton steps of the weights that are free to
 * move, each as far as the first of them that comes to 0 or to its bound, where it
 * stays: these find the numbers, which coordinate descent would crawl to just so.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear/proximal.h"
#include "runtime/base/status.h"

#define ENOUGH 1e-4		/* of the largest violation at first */
#define PASSES 200
#define RIDGE 1e-11		/* of the largest curvature */

struct quadratic {
	size_t n;
	double l1;
	double *h;		/* [n][n] */
	double *grad;		/* [n] of the smooth part, at x */
	double *x;		/* [n] */
	double *low, *high;	/* [n] bounds of x */
	double *factor;		/* [n][n] */
	double *by;		/* [n] */
	size_t *free;		/* [n] */
	double ridge;
};

/* ------------------------------------------------------- the curvature */

/* Entries of the block's columns that have been seen, as lists of each row: those
 * of the row of an entry are the columns before its own. */
void lgn_proximal_curve(struct lgn_proximal *s, uint64_t from, uint64_t n,
			double *out)
{
	int32_t base = s->start[from];

	memset(out, 0, n * s->width * sizeof(*out));
	memset(s->head, -1, s->rows * sizeof(*s->head));
	for (uint64_t j = 0; j < n; j++)
		for (int32_t k = s->start[from + j]; !s->out[from + j] &&
		     k < s->start[from + j + 1]; k++) {
			int32_t row = s->row[k];
			double x = s->val[k] * s->curve[row];

			s->next[k - base] = s->head[row];
			s->column[k - base] = (int32_t)j;
			s->head[row] = k - base;
			for (int32_t e = k - base; e >= 0; e = s->next[e])
				out[j * s->width + (size_t)s->column[e]] +=
					x * s->val[base + e];
		}
}

/* ------------------------------------------------------------- a step */

static void move(struct quadratic *q, size_t j, double to)
{
	double by = to - q->x[j];

	if (by == 0)
		return;
	q->x[j] = to;
	lagoon_dense_add(q->n, by, q->h + j * q->n, q->grad);
}

static double shrink(double x, double by)
{
	return x > by ? x - by : x < -by ? x + by : 0;
}

/* Returns the largest derivative that a weight could follow. */
static double pass(struct quadratic *q)
{
	double most = 0;

	for (size_t j = 0; j < q->n; j++) {
		double u = q->h[j * q->n + j] + q->ridge, x = q->x[j];
		double to = shrink(x - q->grad[j] / u, q->l1 / u);

		to = fmax(q->low[j], fmin(q->high[j], to));
		most = fmax(most, fabs(to - x) * u);
		move(q, j, to);
	}
	return most;
}

static size_t find_free(struct quadratic *q)
{
	size_t m = 0;

	for (size_t j = 0; j < q->n; j++)
		if (q->x[j] != 0 && q->x[j] > q->low[j] && q->x[j] < q->high[j])
			q->free[m++] = j;
	return m;
}

/* How far weight j can go in its direction, as a share of it, and where it is
 * then. */
static double room_of(const struct quadratic *q, size_t j, double by, double *end)
{
	double x = q->x[j];

	*end = by > 0 ? q->high[j] : q->low[j];
	if (x * by < 0 && x * *end < 0)
		*end = 0;
	return by == 0 ? INFINITY : (*end - x) / by;
}

/* Whether there is more to go without one that came to its end. */
static bool newton(struct quadratic *q)
{
	size_t m = find_free(q), first = 0;
	double share = 1, end;

	for (size_t i = 0; i < m; i++) {
		size_t j = q->free[i];

		for (size_t k = 0; k <= i; k++)
			q->factor[i * m + k] = q->h[j * q->n + q->free[k]];
		q->factor[i * m + i] += q->ridge;
		q->by[i] = -q->grad[j] - copysign(q->l1, q->x[j]);
	}
	if (!m || lagoon_dense_solve(m, q->factor, m, 1, q->by, m))
		return false;
	for (size_t i = 0; i < m; i++) {
		double room = room_of(q, q->free[i], q->by[i], &end);

		if (room < share) {
			share = room;
			first = i + 1;
		}
	}
	for (size_t i = 0; i < m; i++) {
		size_t j = q->free[i];

		if (i + 1 == first)
			room_of(q, j, q->by[i], &end);
		else
			end = q->x[j] + share * q->by[i];
		move(q, j, end);
	}
	return first > 0;
}

static void solve(struct quadratic *q)
{
	double at_first = 0;

	for (int i = 0; i < PASSES; i++) {
		double now = pass(q);

		at_first = fmax(at_first, now);
		if (now <= ENOUGH * at_first)
			break;
		for (size_t k = 0; k < q->n && newton(q); k++)
			;
	}
}

/* Symmetric, scaled; a weight that is left out stays as it is. */
static void open_quadratic(const struct lgn_linear *t, uint64_t from,
			   const double *first, const double *second,
			   struct quadratic *q)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	const struct lgn_proximal *s = t->state;
	double most = 0;

	for (size_t j = 0; j < q->n; j++) {
		bool out = s->out[from + j];
		double w = s->w[from + j], trust = out ? 0 : s->trust[from + j];

		for (size_t k = 0; k <= j; k++)
			q->h[j * q->n + k] = q->h[k * q->n + j] =
				s->damp * o->c * second[j * s->width + k];
		q->h[j * q->n + j] += s->damp * o->l2;
		most = fmax(most, q->h[j * q->n + j]);
		q->grad[j] = o->c * first[j] + o->l2 * w;
		q->x[j] = w;
		q->low[j] = w - trust;
		q->high[j] = w + trust;
	}
	q->l1 = o->l1;
	q->ridge = most > 0 ? RIDGE * most : 1e-10;
}

void lgn_proximal_whole_step(const struct lgn_linear *t, uint64_t from,
			     uint64_t n, const double *first,
			     const double *second, double *by)
{
	struct lgn_proximal *s = t->state;
	double *room = s->quadratic;
	struct quadratic q = {
		.n = n, .h = room, .factor = room + n * n,
		.grad = room + 2 * n * n, .x = room + 2 * n * n + n,
		.low = room + 2 * n * n + 2 * n,
		.high = room + 2 * n * n + 3 * n,
		.by = room + 2 * n * n + 4 * n, .free = s->free,
	};

	open_quadratic(t, from, first, second, &q);
	solve(&q);
	for (size_t j = 0; j < n; j++)
		by[j] = q.x[j] - s->w[from + j];
}

/* ------------------------------------------------------------- opening */

int lgn_proximal_whole_open(const struct lgn_linear *t)
{
	struct lgn_proximal *s = t->state;
	size_t n = s->width, most = 0;

	for (uint64_t i = 0; i < s->blocks; i++) {
		uint64_t from = lgn_proximal_begin(t, i);
		uint64_t to = lgn_proximal_begin(t, i + 1);

		most = (size_t)fmax((double)most,
				    (double)(s->start[to] - s->start[from]));
	}
	s->head = calloc(s->rows + 1, sizeof(*s->head));
	s->next = calloc(most + 1, sizeof(*s->next));
	s->column = calloc(most + 1, sizeof(*s->column));
	s->quadratic = calloc(2 * n * n + 5 * n, sizeof(*s->quadratic));
	s->free = calloc(n, sizeof(*s->free));
	if (s->head && s->next && s->column && s->quadratic && s->free)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for curvatures of %zu "
			"columns", n);
}
