/* SPDX-License-Identifier: BSD-3-Clause */
/* Products of dense rows. They read each element of the matrix once: memory
 * limits them, and a BLAS would do no better. */

#include "kernels/lagoon_kernels.h"
#include "runtime/base/attr.h"

typedef double eight_f64 __attribute__((vector_size(64), aligned(8), may_alias));
typedef float eight_f32 __attribute__((vector_size(32), aligned(4), may_alias));

#define REAL double
#define NAME(x) x
#define LOAD(p) (*(const eight_f64 *)(p))
#include "kernels/math/dense.inc"
#undef REAL
#undef NAME
#undef LOAD

#define REAL float
#define NAME(x) x##_f32
#define LOAD(p) __builtin_convertvector(*(const eight_f32 *)(p), eight_f64)
#include "kernels/math/dense.inc"
