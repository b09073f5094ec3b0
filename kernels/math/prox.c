/* SPDX-License-Identifier: BSD-3-Clause */
/* Proximal maps: Parikh and Boyd, Proximal Algorithms, Foundations and Trends
 * in Optimization 1(3), 2014, sections 2.2 and 6.5. */
#include <math.h>

#include "kernels/lagoon_kernels.h"
#include "runtime/base/attr.h"

#define REAL double
#define NAME(x) x
#include "kernels/math/prox.inc"
#undef REAL
#undef NAME

#define REAL float
#define NAME(x) x##_f32
#include "kernels/math/prox.inc"
