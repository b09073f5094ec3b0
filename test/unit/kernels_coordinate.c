/* SPDX-License-Identifier: BSD-3-Clause */
/* Coordinate steps: one step against the best of many points; passes by what
 * holds at a minimum, and by the duality gap. */
#include "test/unit/kernels.h"

#include <math.h>
#include <stdbool.h>

#include "kernels/lagoon_kernels.h"

TestSuite(coordinate, .timeout = 60);

enum { ROWS = 40, COLS = 17, KINDS = 4 };

/* Line i holds columns i % 3, i % 3 + 1 + i % 2, ...; every sixth is empty. */
struct problem {
	struct lagoon_sparse a;
	int32_t start[ROWS + 1], index[ROWS * COLS];
	double val[ROWS * COLS], dense[ROWS][COLS];
	float val32[ROWS * COLS];
	double square[ROWS], label[ROWS];
};

static void make(struct problem *p, size_t lines, size_t across, int layout,
		 int real_size, uint64_t *seed)
{
	int32_t n = 0;

	memset(p->dense, 0, sizeof(p->dense));
	for (size_t i = 0; i < lines; i++) {
		p->start[i] = 1 + n;
		for (size_t j = i % 3; j < across && i % 6 != 5; j += 1 + i % 2) {
			p->index[n] = (int32_t)j + 1;
			p->val32[n] = (float)(2 * uniform(seed) - 1);
			p->val[n] = (double)p->val32[n];
			p->dense[layout == LAGOON_CSR ? i : j]
				[layout == LAGOON_CSR ? j : i] = p->val[n++];
		}
		p->label[i] = below(seed, 2) ? 1 : -1;
	}
	p->start[lines] = 1 + n;
	p->a = (struct lagoon_sparse){
		.rows = layout == LAGOON_CSR ? lines : across,
		.cols = layout == LAGOON_CSR ? across : lines,
		.layout = layout, .real_size = real_size, .index_size = 4,
		.base = 1, .start = p->start, .index = p->index,
		.val = real_size == 8 ? (void *)p->val : p->val32,
	};
	for (size_t i = 0; i < lines; i++)
		p->square[i] = lagoon_sparse_line_square(&p->a, i);
}

/* ---------------------------------------------------------- elastic net */

/* Of the derivative that a minimum has not: by each weight 0 is between the
 * one-sided derivatives. */
static double wrong_by(const struct problem *p, const double *r,
		       const double *w, double l1, double l2)
{
	double most = 0;

	for (size_t j = 0; j < COLS; j++) {
		double g = l2 * w[j], off;

		for (size_t i = 0; i < ROWS; i++)
			g -= p->dense[i][j] * r[i];
		off = w[j] > 0 ? fabs(g + l1) : w[j] < 0 ? fabs(g - l1) :
			fmax(0, fabs(g) - l1);
		most = fmax(most, off);
	}
	return most;
}

static void check_elastic(double l1, double l2, int real_size, bool ordered)
{
	double r[ROWS], w[COLS] = { 0 }, y[ROWS], last = 1;
	int64_t order[3 * COLS];
	float r32[ROWS];
	struct problem p;
	uint64_t seed = 3;

	make(&p, COLS, ROWS, LAGOON_CSC, real_size, &seed);
	for (size_t i = 0; i < ROWS; i++)
		y[i] = r[i] = r32[i] = (float)(6 * uniform(&seed) - 3);
	w[5] = 7;	/* an empty column */
	for (int round = 0; round < 500; round++) {
		for (size_t k = 0; k < 3 * COLS; k++)
			order[k] = 100 + (int64_t)below(&seed, COLS);
		last = lagoon_elastic_pass(&p.a, ordered ? 3 * COLS : COLS,
				ordered ? order : NULL, 100, p.square, l1, l2,
				w, real_size == 8 ? (void *)r : r32);
	}
	cr_assert(last < (real_size == 8 ? 1e-20 : 1e-10), "still %g", last);
	for (size_t i = 0; i < ROWS; i++) {
		double sum = y[i];

		for (size_t j = 0; j < COLS; j++)
			sum -= p.dense[i][j] * w[j];
		cr_assert(fabs(sum - (real_size == 8 ? r[i] : (double)r32[i])) <
			  (real_size == 8 ? 1e-12 : 2e-3));
		r[i] = sum;
	}
	cr_assert(wrong_by(&p, r, w, l1, l2) < (real_size == 8 ? 1e-9 : 1e-2),
		  "l1 %g l2 %g off by %g", l1, l2, wrong_by(&p, r, w, l1, l2));
	cr_assert_eq(w[5], 0);
}

Test(coordinate, passes_reach_the_minimum)
{
	static const double l[][2] = { { 0, 1 }, { 1, 0 }, { 0.5, 0.5 }, { 0, 0.01 } };

	for (int k = 0; k < 4; k++)
		for (int ordered = 0; ordered < 2; ordered++) {
			check_elastic(l[k][0], l[k][1], 8, ordered);
			check_elastic(l[k][0], l[k][1], 4, ordered);
		}
}

/* With a threshold above all products no weight moves from 0. */
Test(coordinate, a_large_penalty_leaves_nothing)
{
	double r[ROWS], w[COLS] = { 0 };
	struct problem p;
	uint64_t seed = 3;

	make(&p, COLS, ROWS, LAGOON_CSC, 8, &seed);
	for (size_t i = 0; i < ROWS; i++)
		r[i] = 1;
	cr_assert_eq(lagoon_elastic_pass(&p.a, COLS, NULL, 0, p.square, 1000, 0,
					 w, r), 0);
	cr_assert_eq(lagoon_elastic_pass(&p.a, 0, NULL, 0, p.square, 0, 1, w, r),
		     0);
	for (size_t j = 0; j < COLS; j++)
		cr_assert_eq(w[j], 0);
}

/* ----------------------------------------------------------------- dual */

/* What a step makes largest: the row's dual value less the product with its
 * change, less half the curve times the square of the change. */
static double gain(int loss, double product, double y, double curve,
		   double alpha, double to)
{
	double d = to - alpha;

	return lagoon_dual_sum(loss, 1, &y, &to) - product * d - curve * d * d / 2;
}

static bool allowed(int loss, double b)
{
	return loss == LAGOON_LOSS_SQUARED || (b >= 0 &&
		(loss == LAGOON_LOSS_SQUARED_HINGE || b <= 1));
}

static void check_step(int loss, double product, double y, double curve,
		       double alpha)
{
	double to = lagoon_dual_step(loss, product, y, curve, alpha);
	double best = gain(loss, product, y, curve, alpha, to);

	cr_assert(allowed(loss, y * to), "loss %d: %.17g", loss, y * to);
	for (double b = -1; b <= 1; b += 0.004)
		for (int wide = 0; wide < 2; wide++) {
			double other = wide ? to + 10 * b : to + 0.001 * b;

			if (allowed(loss, y * other))
				cr_assert(gain(loss, product, y, curve, alpha,
					       other) <= best + 1e-12 * (1 + fabs(best)),
					  "loss %d product %g curve %g: %g is better than %g",
					  loss, product, curve, other, to);
		}
}

Test(coordinate, steps_are_the_best)
{
	static const double curve[] = { 0, 1e-8, 0.1, 1, 37, 1e4 };
	static const double product[] = { 0, 0.3, 1, 4, 30, 700 };
	uint64_t seed = 4;

	for (int loss = 0; loss < KINDS; loss++)
		for (int c = 0; c < 6; c++)
			for (int k = 0; k < 12; k++)
				for (int i = 0; i < 5; i++) {
					double y = i % 2 ? 1 : -1;
					double b = i == 0 ? 0 : i == 1 ? 1 : uniform(&seed);

					check_step(loss, product[k / 2] * (k % 2 ? 1 : -1),
						   y, curve[c], y * b);
				}
}

/* At its root the logistic derivative is 0 to rounding, also where b is next
 * to 0 or 1. */
Test(coordinate, logistic_steps_are_exact)
{
	uint64_t seed = 5;

	for (int i = 0; i < 20000; i++) {
		double m = (2 * uniform(&seed) - 1) * (i % 3 ? 5 : 30);
		double q = exp(20 * uniform(&seed) - 10), was = uniform(&seed);
		double b = lagoon_dual_step(LAGOON_LOSS_LOGISTIC, m, 1, q, was);
		double h = log(b) - log1p(-b) + m + q * (b - was);

		/* b itself is rounded: times the derivative of h */
		cr_assert(fabs(h) <= 1e-14 * (1 + fabs(m) + q +
				1 / (1 - b)), "m %g q %g was %g: %g", m, q, was, h);
	}
	cr_assert_eq(lagoon_dual_step(LAGOON_LOSS_LOGISTIC, 1e300, 1, 1, 0), 0);
	cr_assert_eq(lagoon_dual_step(LAGOON_LOSS_LOGISTIC, -1e300, 1, 1, 1), 1);
}

/* Losses and penalty less the dual; never below 0. */
static double gap(int loss, const struct problem *p, double scale, double t,
		  const double *alpha, const double *v)
{
	double z[ROWS], w[COLS], square = 0, sum = 0;

	memcpy(w, v, sizeof(w));
	lagoon_prox_l1(COLS, t, w);
	for (size_t j = 0; j < COLS; j++) {
		square += w[j] * w[j] / 2;
		sum += fabs(w[j]);
	}
	for (size_t i = 0; i < ROWS; i++) {
		z[i] = 0;
		for (size_t j = 0; j < COLS; j++)
			z[i] += p->dense[i][j] * w[j];
	}
	return lagoon_loss_measure(loss, ROWS, z, p->label, NULL, NULL) +
		(square + t * sum) / scale -
		(lagoon_dual_sum(loss, ROWS, p->label, alpha) - square / scale);
}

static void check_dual(int loss, double scale, double t, int real_size)
{
	double alpha[ROWS] = { 0 }, v[COLS] = { 0 }, first, last;
	float v32[COLS] = { 0 };
	int64_t order[ROWS];
	struct problem p;
	uint64_t seed = 6;

	make(&p, ROWS, COLS, LAGOON_CSR, real_size, &seed);
	first = gap(loss, &p, scale, t, alpha, v);
	for (int round = 0; round < 600; round++) {
		for (size_t k = 0; k < ROWS; k++)
			order[k] = 1 + (int64_t)below(&seed, ROWS);
		lagoon_dual_pass(loss, &p.a, ROWS, round % 2 ? order : NULL, 1,
				 p.square, p.label, scale, t, alpha,
				 real_size == 8 ? (void *)v : v32);
		for (size_t j = 0; j < COLS && real_size == 4; j++)
			v[j] = (double)v32[j];
		cr_assert(gap(loss, &p, scale, t, alpha, v) >
			  (real_size == 8 ? -1e-10 : -1e-4));
	}
	for (size_t j = 0; j < COLS; j++) {
		double sum = 0;

		for (size_t i = 0; i < ROWS; i++)
			sum += scale * alpha[i] * p.dense[i][j];
		cr_assert(fabs(sum - v[j]) < (real_size == 8 ? 1e-11 : 1e-3));
	}
	last = gap(loss, &p, scale, t, alpha, v);
	cr_assert(last < (real_size == 8 ? 1e-7 : 1e-3) * first,
		  "loss %d scale %g threshold %g: gap %g of %g", loss, scale, t,
		  last, first);
}

Test(coordinate, dual_passes_close_the_gap)
{
	for (int loss = 0; loss < KINDS; loss++)
		for (int t = 0; t < 2; t++)
			for (int real_size = 4; real_size <= 8; real_size += 4) {
				check_dual(loss, 0.05, 0.1 * t, real_size);
				check_dual(loss, 1, 0.1 * t, real_size);
			}
}
