/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Coordinate steps. A step takes the product of one line, changes one number,
 * and adds the line: the next one sees it. Nothing but the two loops over a
 * line is long, and these are in sparse.c.
 */
#include <math.h>

#include "kernels/lagoon_kernels.h"
#include "kernels/math/sparse.h"
#include "runtime/base/attr.h"

static inline size_t line_at(const int64_t *order, int64_t first, size_t k)
{
	return order ? (size_t)(order[k] - first) : k;
}

static inline double shrink(double x, double t)
{
	return x > t ? x - t : x < -t ? x + t : 0;
}

/* Friedman, Hastie and Tibshirani, Regularization Paths for Generalized Linear
 * Models via Coordinate Descent, J. Stat. Software 33(1), 2010, equation (5),
 * without their 1/N, with residuals kept as in section 2.1. */
LGN_EXPORT double lagoon_elastic_pass(const struct lagoon_sparse *columns,
				      size_t n, const int64_t *order,
				      int64_t first, const double *square,
				      double l1, double l2, double *w,
				      void *residual)
{
	double most = 0;

	for (size_t k = 0; k < n; k++) {
		size_t j = line_at(order, first, k);
		double s = square[j], old = w[j], change;
		double p = lagoon_sparse_line_dot(columns, j, residual);

		w[j] = s + l2 > 0 ? shrink(p + s * old, l1) / (s + l2) : 0;
		change = w[j] - old;
		if (change == 0)
			continue;
		lagoon_sparse_line_add(columns, j, -change, residual);
		most = fmax(most, s * change * change);
	}
	return most;
}

/* The b in 0..1 with log(b / (1 - b)) + margin + q (b - was) = 0, where the
 * derivative of the dual is 0: Yu, Huang and Lin, Dual coordinate descent
 * methods for logistic regression and maximum entropy models, Machine Learning
 * 85, 2011, section 3. Newton's method on u = log(b / (1 - b)), whose equation
 * h has a slope of 1 to 1 + q / 4, between the bounds that b gives; these are
 * halved instead where Newton does not halve h: it can go to and fro for ever.
 * u loses nothing where b is next to 0 or 1. */
static double logistic_root(double margin, double q, double was)
{
	double low = -margin - q * (1 - was), high = -margin + q * was;
	double u = -margin, b = 0, last = INFINITY;

	if (was > 0 && was < 1)	/* in later passes next to the root */
		u = fmin(high, fmax(low, log(was / (1 - was))));
	for (int i = 0; i < 200; i++) {
		double e = exp(-fabs(u)), next, h;

		b = (u > 0 ? 1 : e) / (1 + e);
		h = u + margin + q * (b - was);
		if (fabs(h) <= 4e-16 * (fabs(u) + fabs(margin) + q))
			break;
		*(h > 0 ? &high : &low) = u;
		next = u - h / (1 + q * e / ((1 + e) * (1 + e)));
		if (!(next > low && next < high) || fabs(h) > last / 2)
			next = low + (high - low) / 2;
		last = fabs(h);
		u = next;
	}
	return b;
}

/* Shalev-Shwartz and Zhang, Stochastic Dual Coordinate Ascent Methods for
 * Regularized Loss Minimization, JMLR 14, 2013, section 6 for hinge and
 * squared loss (theirs is twice ours); Hsieh et al., A Dual Coordinate Descent
 * Method for Large-scale Linear SVM, ICML 2008, algorithm 1 for the squared
 * hinge. b: alpha times the label. */
LGN_EXPORT double lagoon_dual_step(int loss, double product, double label,
				   double curve, double alpha)
{
	double margin = label * product, b = label * alpha, to;

	switch (loss) {
	case LAGOON_LOSS_LOGISTIC:
		return label * logistic_root(margin, curve, b);
	case LAGOON_LOSS_HINGE:
		to = curve > 0 ? b + (1 - margin) / curve : margin < 1 ? 1 : 0;
		return label * fmin(1, fmax(0, to));
	case LAGOON_LOSS_SQUARED_HINGE:
		to = b + (1 - margin - 0.5 * b) / (0.5 + curve);
		return label * fmax(0, to);
	default:
		return alpha + (label - product - alpha) / (1 + curve);
	}
}

static double x_log_x(double x)
{
	return x > 0 ? x * log(x) : 0;
}

LGN_EXPORT double lagoon_dual_sum(int loss, size_t n, const double *label,
				  const double *alpha)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double a = alpha[i], b = label[i] * a;

		if (loss == LAGOON_LOSS_LOGISTIC)
			sum -= x_log_x(b) + x_log_x(1 - b);
		else if (loss == LAGOON_LOSS_HINGE)
			sum += b;
		else if (loss == LAGOON_LOSS_SQUARED_HINGE)
			sum += b - b * b / 4;
		else
			sum += b - a * a / 2;
	}
	return sum;
}

LGN_EXPORT void lagoon_dual_pass(int loss, const struct lagoon_sparse *rows,
				 size_t n, const int64_t *order, int64_t first,
				 const double *square, const double *label,
				 double scale, double threshold, double *alpha,
				 void *v)
{
	for (size_t k = 0; k < n; k++) {
		size_t i = line_at(order, first, k);
		double p = threshold > 0 ?
			lgn_sparse_line_dot_shrunk(rows, i, threshold, v) :
			lagoon_sparse_line_dot(rows, i, v);
		double old = alpha[i];

		alpha[i] = lagoon_dual_step(loss, p, label[i],
					    scale * square[i], old);
		if (alpha[i] != old)
			lagoon_sparse_line_add(rows, i, scale * (alpha[i] - old),
					       v);
	}
}
