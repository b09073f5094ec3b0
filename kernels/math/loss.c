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
		double e = lgn_exp_negative(-fabs(m)), part;
		double l = lgn_log1p_unit(e, &part);

		value[i] = l + (m < 0 ? -m : 0);
		slope[i] = -y[i] * ((m < 0 ? 1 : e) * part);
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

typedef double eight __attribute__((vector_size(64), aligned(8), may_alias));

LGN_CLONES
static double sum_of(size_t n, const double *x)
{
	eight a = { 0 }, b = { 0 };
	double sum = 0;
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		a += *(const eight *)(x + i);
		b += *(const eight *)(x + i + 8);
	}
	for (; i < n; i++)
		sum += x[i];
	a += b;
	for (int k = 0; k < 8; k++)
		sum += a[k];
	return sum;
}

#define REAL double
#define NAME(x) x
#define INPUT(n, in, room) ((void)(room), (in))
#define OUTPUT(out, i, room) ((out) ? (out) + (i) : (room))
#include "kernels/math/loss.inc"
#undef REAL
#undef NAME
#undef INPUT
#undef OUTPUT

#define REAL float
#define NAME(x) x##_f32
#define INPUT(n, in, room) (widen_f32(n, in, room), (const double *)(room))
#define OUTPUT(out, i, room) (room)
#include "kernels/math/loss.inc"
