/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rate of each element's own, from the gradients g that it has got. All of
 * these count an element's own pushes: one that is not pushed stays as it is.
 *
 * adagrad: s = s + g^2,  w = w - e g / (d + sqrt(s)),  s = initial at first
 *          Duchi, Hazan and Singer, JMLR 12, 2011: composite mirror descent
 *          with H = d I + diag(sqrt(s)) and no regulariser.
 * adam:    t = t + 1,  m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
 *          w = w - e (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + d)
 *          Kingma and Ba, ICLR 2015, algorithm 1. t is of the element.
 * ftrl:    s = (sqrt(n + g^2) - sqrt(n)) / a,  z = z + g - s w,  n = n + g^2,
 *          t = t + 1,  w = 0 if |z| <= l, else
 *          w = -(z - sign(z) l) / ((b + sqrt(n)) / a + l2)   with l = l1 + grow t
 *          McMahan and others, Ad Click Prediction: a View from the Trenches,
 *          KDD 2013, algorithm 1; the weight is made when z changes, not when
 *          it is read. grow: l1 of each push, as in McMahan,
 *          Follow-the-Regularized-Leader and Mirror Descent, AISTATS 2011, (3).
 */
#include <float.h>
#include <math.h>

#include "runtime/base/attr.h"
#include "runtime/update/builtin.h"

/* Elements of adam whose corrections are made in one go, on the stack. */
enum { CHUNK = 256 };

static const struct lagoon_update_param adagrad_param[] = {
	{ "rate", 0, 0, INFINITY, LAGOON_UPDATE_REQUIRED |
	  LAGOON_UPDATE_ABOVE | LAGOON_UPDATE_BELOW },
	{ "epsilon", 1e-10, 0, INFINITY, LAGOON_UPDATE_BELOW },
	{ "initial", 0, 0, INFINITY, LAGOON_UPDATE_BELOW },
};
static const struct lagoon_update_param adam_param[] = {
	{ "rate", 1e-3, 0, INFINITY, LAGOON_UPDATE_ABOVE | LAGOON_UPDATE_BELOW },
	{ "beta1", 0.9, 0, 1, LAGOON_UPDATE_BELOW },
	{ "beta2", 0.999, 0, 1, LAGOON_UPDATE_BELOW },
	{ "epsilon", 1e-8, 0, INFINITY, LAGOON_UPDATE_BELOW },
};
static const struct lagoon_update_param ftrl_param[] = {
	{ "alpha", 0, 0, INFINITY, LAGOON_UPDATE_REQUIRED |
	  LAGOON_UPDATE_ABOVE | LAGOON_UPDATE_BELOW },
	{ "beta", 1, 0, INFINITY, LAGOON_UPDATE_BELOW },
	{ "l1", 0, 0, INFINITY, LAGOON_UPDATE_BELOW },
	{ "l2", 0, 0, INFINITY, LAGOON_UPDATE_BELOW },
	{ "grow", 0, 0, INFINITY, LAGOON_UPDATE_BELOW },
};

#define REAL double
#define NAME(x) x##_f64
#define SQRT sqrt
#define TINY DBL_MIN
#define TYPES LAGOON_UPDATE_F64
#include "runtime/update/adaptive.inc"
#undef REAL
#undef NAME
#undef SQRT
#undef TINY
#undef TYPES

#define REAL float
#define NAME(x) x##_f32
#define SQRT sqrtf
#define TINY FLT_MIN
#define TYPES LAGOON_UPDATE_F32
#include "runtime/update/adaptive.inc"
