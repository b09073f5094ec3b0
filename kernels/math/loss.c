/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Losses of many rows, in pieces that stay in the first cache. float is
 * computed in double. Selects are written as min, max and factors of 0 and 1:
 * gcc makes no vectors of branches.
 */
#include <math.h>
#include <stddef.h>

#include "kernels/lagoon_kernels.h"
#include "kernels/math/exponential.h"
#include "runtime/base/attr.h"

enum { CHUNK = 256 };

/* exp() only of what is not positive: it cannot overflow. */
LGN_CLONES
static void logistic(size_t n, const double *restrict z,
		     const double *restrict y, double *restrict value,
		     double *restrict slope)
{
	for (size_t i = 0; i < n; i++) {
		double m = y[i] * z[i];
		double e = lgn_exp_negative(-fabs(m));

		value[i] = lgn_log1p_unit(e) + (m < 0 ? -m : 0);
		slope[i] = -y[i] * ((m < 0 ? 1 : e) / (1 + e));
	}
}

LGN_CLONES
static void hinge(size_t n, const double *restrict z,
		  const double *restrict y, double *restrict value,
		  double *restrict slope)
{
	for (size_t i = 0; i < n; i++) {
		double short_of = 1 - y[i] * z[i];

		value[i] = short_of < 0 ? 0 : short_of;
		slope[i] = short_of > 0 ? -y[i] : 0;
	}
}

LGN_CLONES
static void squared_hinge(size_t n, const double *restrict z,
			  const double *restrict y, double *restrict value,
			  double *restrict slope)
{
	for (size_t i = 0; i < n; i++) {
		double short_of = 1 - y[i] * z[i];
		double t = short_of < 0 ? 0 : short_of;

		value[i] = t * t;
		slope[i] = -2 * y[i] * t;
	}
}

LGN_CLONES
static void squared(size_t n, const double *restrict z,
		    const double *restrict y, double *restrict value,
		    double *restrict slope)
{
	for (size_t i = 0; i < n; i++) {
		double d = z[i] - y[i];

		value[i] = 0.5 * d * d;
		slope[i] = d;
	}
}

static void measure(int loss, size_t n, const double *z, const double *y,
		    double *value, double *slope)
{
	switch (loss) {
	case LAGOON_LOSS_LOGISTIC:
		logistic(n, z, y, value, slope);
		break;
	case LAGOON_LOSS_HINGE:
		hinge(n, z, y, value, slope);
		break;
	case LAGOON_LOSS_SQUARED_HINGE:
		squared_hinge(n, z, y, value, slope);
		break;
	default:
		squared(n, z, y, value, slope);
		break;
	}
}

/* x becomes exp(x - most), where no x is above most. */
LGN_CLONES
static void exp_below(size_t n, double most, double *x)
{
	for (size_t i = 0; i < n; i++)
		x[i] = lgn_exp_negative(x[i] - most);
}

static double sum_of(size_t n, const double *x)
{
	double a = 0, b = 0, c = 0, d = 0;
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		a += x[i];
		b += x[i + 1];
		c += x[i + 2];
		d += x[i + 3];
	}
	for (; i < n; i++)
		a += x[i];
	return (a + b) + (c + d);
}

#define REAL double
#define NAME(x) x
#include "kernels/math/loss.inc"
#undef REAL
#undef NAME

#define REAL float
#define NAME(x) x##_f32
#include "kernels/math/loss.inc"
