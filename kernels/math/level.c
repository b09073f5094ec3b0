/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inner loops, compiled once for each instruction set (LGN_LEVEL names it,
 * kernels/Makefile.inc has the flags). Nothing here is in assembler: the loops
 * are written so that compilers make vectors of them. All is static but the
 * table, so that no function of one level is taken for that of another.
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "kernels/math/calls.h"
#include "kernels/math/exponential.h"
#include "runtime/base/attr.h"

typedef double eight_f64 __attribute__((vector_size(64), aligned(8), may_alias));
typedef float eight_f32 __attribute__((vector_size(32), aligned(4), may_alias));
/* As wide as vectors of a type get. */
typedef double wide __attribute__((vector_size(64), aligned(8), may_alias));
typedef float wide_f32 __attribute__((vector_size(64), aligned(4), may_alias));

enum { WIDE = 8, WIDE_f32 = 16 };

#include "kernels/math/losses.inc"
#include "kernels/math/words.inc"

enum { FIXED_CHUNK = 512 };	/* stays in the first cache between two passes */

#define REAL double
#define NAME(x) x
#define LOAD(p) (*(const eight_f64 *)(p))
#define INPUT(n, in, room) ((void)(room), (in))
#define OUTPUT(out, i, room) ((out) ? (out) + (i) : (room))
#include "kernels/math/dense.inc"
#include "kernels/math/factor.inc"
#include "kernels/math/fixed.inc"
#include "kernels/math/loss.inc"
#include "kernels/math/nearest.inc"
#include "kernels/math/product.inc"
#include "kernels/math/prox.inc"
#define INDEX int32_t
#define MANY(x) x##_f64_i32
#include "kernels/math/many.inc"
#undef INDEX
#undef MANY
#define INDEX int64_t
#define MANY(x) x##_f64_i64
#include "kernels/math/many.inc"
#undef INDEX
#undef MANY
#undef REAL
#undef NAME
#undef LOAD
#undef INPUT
#undef OUTPUT

#define REAL float
#define NAME(x) x##_f32
#define LOAD(p) __builtin_convertvector(*(const eight_f32 *)(p), eight_f64)
#define INPUT(n, in, room) (widen_f32(n, in, room), (const double *)(room))
#define OUTPUT(out, i, room) (room)
#include "kernels/math/dense.inc"
#include "kernels/math/factor.inc"
#include "kernels/math/fixed.inc"
#include "kernels/math/loss.inc"
#include "kernels/math/product.inc"
#include "kernels/math/prox.inc"
#define INDEX int32_t
#define MANY(x) x##_f32_i32
#include "kernels/math/many.inc"
#undef INDEX
#undef MANY
#define INDEX int64_t
#define MANY(x) x##_f32_i64
#include "kernels/math/many.inc"

#define MEMBER(type, name, parameters, arguments) .name = name,
#define TABLE_OF(level) lgn_calls_##level
#define TABLE(level) TABLE_OF(level)

const struct lgn_calls TABLE(LGN_LEVEL) = {
	LGN_CALLS(MEMBER)
	LGN_LOOPS(MEMBER)
};
