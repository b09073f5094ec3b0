/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A step against the gradient g that was pushed, of fixed rate e.
 *
 * sgd:      w = w - e g
 *           Robbins and Monro, Annals of Mathematical Statistics 22, 1951.
 *           Linear in g: a sum of gradients is applied at once.
 * momentum: v = m v - e g,  w = w + v,  v = 0 at first
 *           Polyak's heavy ball, w' = w - e g + m (w - w_before): USSR Comp.
 *           Math. and Math. Phys. 4(5), 1964; in this form Sutskever,
 *           Martens, Dahl and Hinton, ICML 2013 (classical momentum).
 * nesterov: v = m v - e g,  w = w + m v - e g
 *           The same paper: v = m v - e grad(p + m v), p = p + v. Gradients
 *           are taken where workers pull, so what is stored is the point to
 *           look at, w = p + m v: Bengio, Boulanger-Lewandowski and Pascanu,
 *           Advances in Optimizing Recurrent Networks, ICASSP 2013.
 * prox-l1:  w = prox(w - e g) of e l |w|, which moves by e l towards 0
 * prox-l2:  w = prox(w - e g) of e l w^2 / 2, which divides by 1 + e l
 *           The proximal gradient method: Parikh and Boyd, Proximal
 *           Algorithms, Foundations and Trends in Optimization 1(3), 2014,
 *           sections 4.2 and 6.5.
 */
#include <math.h>

#include "runtime/base/attr.h"
#include "runtime/update/builtin.h"

#define RATE { "rate", 0, 0, INFINITY, LAGOON_UPDATE_REQUIRED | \
	LAGOON_UPDATE_ABOVE | LAGOON_UPDATE_BELOW }

static const struct lagoon_update_param sgd_param[] = { RATE };
static const struct lagoon_update_param momentum_param[] = {
	RATE,
	{ "momentum", 0.9, 0, 1, LAGOON_UPDATE_BELOW },
};
static const struct lagoon_update_param prox_param[] = {
	RATE,
	{ "lambda", 0, 0, INFINITY, LAGOON_UPDATE_REQUIRED |
	  LAGOON_UPDATE_BELOW },
};

#define REAL double
#define NAME(x) x##_f64
#define TYPES LAGOON_UPDATE_F64
#include "runtime/update/step.inc"
#undef REAL
#undef NAME
#undef TYPES

#define REAL float
#define NAME(x) x##_f32
#define TYPES LAGOON_UPDATE_F32
#include "runtime/update/step.inc"
