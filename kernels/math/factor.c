/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Factors of dense matrices, Q R and U S V': by LAPACK where there is one (see
 * blas.c), else by the loops here: Householder's reflections (Golub and Van
 * Loan, Matrix Computations, 4th edition, sections 5.1 and 5.2) and one-sided
 * Jacobi rotations (section 8.6.3; Hestenes 1958).
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/math/calls.h"
#include "kernels/math/factor.h"
#include "runtime/base/attr.h"

#define SWEEPS 60		/* of Jacobi, at most; some ten do */
#define NOTHING 1e-18		/* a column below this share of the matrix is a
				 * zero: rounding is larger */

/* Without overflow. */
static double length(size_t n, const double *x, size_t stride)
{
	double most = 0, sum = 0;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(x[i * stride]));
	for (size_t i = 0; i < n && most > 0; i++)
		sum += (x[i * stride] / most) * (x[i * stride] / most);
	return most * sqrt(sum);
}

/* ------------------------------------------------------------------ Q R */

/* What makes a multiple of e_1 of x is I - tau v v'; v[0] is 1 and v takes the
 * place of x, but for its first element, which is the multiple. */
static double reflect(size_t n, double *x, size_t stride)
{
	double norm = length(n, x, stride), first = x[0], by;

	if (norm == 0)
		return 0;
	by = first > 0 ? -norm : norm;
	for (size_t i = 1; i < n; i++)
		x[i * stride] /= first - by;
	x[0] = by;
	return (by - first) / by;
}

/* The columns behind v's, of as many rows as v: I - tau v v' times them. v is
 * a column of the same matrix, whose first element counts as 1. */
static void apply(size_t rows, size_t cols, const double *v, double tau,
		  double *a, size_t stride, double *w)
{
	memcpy(w, a, cols * sizeof(*w));
	for (size_t i = 1; i < rows; i++)
		lagoon_dense_add(cols, v[i * stride], a + i * stride, w);
	lagoon_dense_add(cols, -tau, w, a);
	for (size_t i = 1; i < rows; i++)
		lagoon_dense_add(cols, -tau * v[i * stride], w, a + i * stride);
}

static void own_qr(size_t rows, size_t cols, double *a, size_t stride,
		   double *tau, double *w, double *r, size_t r_stride)
{
	for (size_t k = 0; k < cols; k++) {
		double *v = a + k * stride + k;

		tau[k] = reflect(rows - k, v, stride);
		apply(rows - k, cols - k - 1, v, tau[k], v + 1, stride, w);
	}
	for (size_t k = 0; k < cols; k++)
		for (size_t j = 0; j < cols; j++)
			r[k * r_stride + j] = j < k ? 0 : a[k * stride + j];
	/* Q: the reflections times I, the last one first */
	for (size_t k = cols; k-- > 0;) {
		double *v = a + k * stride + k;

		memset(v + 1, 0, (cols - k - 1) * sizeof(*v));
		apply(rows - k, cols - k - 1, v, tau[k], v + 1, stride, w);
		v[0] = 1 - tau[k];
		for (size_t i = 1; i < rows - k; i++)
			v[i * stride] *= -tau[k];
		for (size_t i = 0; i < k; i++)
			a[i * stride + k] = 0;
	}
}

LGN_EXPORT int lagoon_dense_qr(size_t rows, size_t cols, double *a,
			       size_t stride, double *r, size_t r_stride)
{
	double *tau;
	int rc;

	if (rows < cols)
		return -1;
	if (!cols)
		return 0;
	rc = lgn_blas_qr(rows, cols, a, stride, r, r_stride);
	if (rc <= 0)
		return rc;
	tau = malloc(2 * cols * sizeof(*tau));
	if (!tau)
		return -1;
	own_qr(rows, cols, a, stride, tau, tau + cols, r, r_stride);
	free(tau);
	return 0;
}

/* -------------------------------------------------------------- U S V' */

/* Rows p and q of both, so that those of w become orthogonal. Returns whether
 * they were not. */
static int rotate(size_t rows, size_t cols, double *w, double *v, size_t p,
		  size_t q, double nothing)
{
	double *x = w + p * rows, *y = w + q * rows;
	double a = lagoon_dense_dot(rows, x, x);
	double b = lagoon_dense_dot(rows, y, y);
	double c = lagoon_dense_dot(rows, x, y), zeta, t, cosine, sine;
	double *both[2][2] = { { x, y }, { v + p * cols, v + q * cols } };

	if (sqrt(a) <= nothing || sqrt(b) <= nothing ||
	    fabs(c) <= DBL_EPSILON * sqrt(a) * sqrt(b))
		return 0;
	zeta = (b - a) / (2 * c);
	t = (zeta > 0 ? 1 : -1) / (fabs(zeta) + hypot(1, zeta));
	cosine = 1 / hypot(1, t);
	sine = cosine * t;
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < (k ? cols : rows); i++) {
			double one = both[k][0][i], two = both[k][1][i];

			both[k][0][i] = cosine * one - sine * two;
			both[k][1][i] = sine * one + cosine * two;
		}
	return 1;
}

/* Row k of w, a zero until now, becomes orthogonal to those before and of length
 * 1: of some e_i that has enough beside them. */
static void complete(size_t rows, double *w, size_t k, double *dots)
{
	double *x = w + k * rows, norm = 0;
	double enough = 0.5 * sqrt((double)(rows - k) / (double)rows);

	for (size_t i = 0; i < rows && norm < enough; i++) {
		memset(x, 0, rows * sizeof(*x));
		x[i] = 1;
		for (int pass = 0; pass < 2 && k; pass++) {
			lagoon_dense_multiply(k, rows, w, rows, 1, x, 0, dots);
			lagoon_dense_multiply_transposed(k, rows, w, rows, -1,
							 dots, 1, x);
		}
		norm = length(rows, x, 1);
	}
	for (size_t i = 0; i < rows; i++)
		x[i] /= norm;
}

static void swap_rows(size_t n, double *a, size_t i, size_t k)
{
	for (size_t j = 0; j < n && i != k; j++) {
		double x = a[i * n + j];

		a[i * n + j] = a[k * n + j];
		a[k * n + j] = x;
	}
}

/* Rows of w are s times the columns of U, those of v the columns of V. */
static void sort(size_t rows, size_t cols, double *w, double *v, double *s,
		 double *dots, double nothing)
{
	for (size_t k = 0; k < cols; k++)
		s[k] = length(rows, w + k * rows, 1);
	for (size_t k = 0; k < cols; k++) {
		size_t most = k;
		double x = s[k];

		for (size_t i = k + 1; i < cols; i++)
			if (s[i] > s[most])
				most = i;
		s[k] = s[most];
		s[most] = x;
		swap_rows(rows, w, k, most);
		swap_rows(cols, v, k, most);
	}
	for (size_t k = 0; k < cols; k++) {
		for (size_t i = 0; i < rows && s[k] > nothing; i++)
			w[k * rows + i] /= s[k];
		if (!(s[k] > nothing))
			complete(rows, w, k, dots);
	}
}

/* The columns, one after another, by a power of 2 that makes their squares
 * doubles. */
static int take_columns(size_t rows, size_t cols, const double *a,
			size_t stride, double *w)
{
	double most = 0;
	int exponent;

	for (size_t k = 0; k < cols; k++)
		for (size_t i = 0; i < rows; i++)
			most = fmax(most, fabs(a[i * stride + k]));
	frexp(most, &exponent);
	for (size_t k = 0; k < cols; k++)
		for (size_t i = 0; i < rows; i++)
			w[k * rows + i] = ldexp(a[i * stride + k], -exponent);
	return exponent;
}

static void own_svd(size_t rows, size_t cols, const double *a, size_t stride,
		    double *w, double *v, double *s, double *dots)
{
	int exponent = take_columns(rows, cols, a, stride, w), turned = 1;
	double squares = 0, nothing;

	memset(v, 0, cols * cols * sizeof(*v));
	for (size_t k = 0; k < cols; k++) {
		v[k * cols + k] = 1;
		squares = hypot(squares, length(rows, w + k * rows, 1));
	}
	nothing = NOTHING * squares;
	for (int sweep = 0; sweep < SWEEPS && turned; sweep++) {
		turned = 0;
		for (size_t p = 0; p + 1 < cols; p++)
			for (size_t q = p + 1; q < cols; q++)
				turned |= rotate(rows, cols, w, v, p, q,
						 nothing);
	}
	sort(rows, cols, w, v, s, dots, nothing);
	for (size_t k = 0; k < cols; k++)
		s[k] = ldexp(s[k], exponent);
}

LGN_EXPORT int lagoon_dense_svd(size_t rows, size_t cols, const double *a,
				size_t stride, double *s, double *u,
				size_t u_stride, double *vt, size_t vt_stride)
{
	double *w, *v, *dots;
	int rc;

	if (rows < cols)
		return -1;
	if (!cols)
		return 0;
	rc = lgn_blas_svd(rows, cols, a, stride, s, u, u_stride, vt, vt_stride);
	if (rc <= 0)
		return rc;
	w = malloc((rows * cols + cols * cols + cols) * sizeof(*w));
	if (!w)
		return -1;
	v = w + rows * cols;
	dots = v + cols * cols;
	own_svd(rows, cols, a, stride, w, v, s, dots);
	for (size_t i = 0; i < rows; i++)
		for (size_t k = 0; k < cols; k++)
			u[i * u_stride + k] = w[k * rows + i];
	for (size_t k = 0; k < cols; k++)
		memcpy(vt + k * vt_stride, v + k * cols, cols * sizeof(*v));
	free(w);
	return 0;
}
