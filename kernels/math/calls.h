/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls that are built for several instruction sets, each as CALL(type it
 * returns, name without lagoon_, parameters, the same as arguments). level.c
 * has their loops, dispatch.c the public functions of these names.
 */
#ifndef LGN_MATH_CALLS_H
#define LGN_MATH_CALLS_H

#include "kernels/lagoon_kernels.h"

#define LGN_CALLS_OF(CALL, REAL, S) \
	CALL(double, dense_dot##S, (size_t n, const REAL *x, const REAL *y), \
	     (n, x, y)) \
	CALL(void, dense_add##S, \
	     (size_t n, double alpha, const REAL *x, REAL *y), \
	     (n, alpha, x, y)) \
	CALL(void, dense_multiply##S, \
	     (size_t rows, size_t cols, const REAL *a, size_t stride, \
	      double alpha, const REAL *x, double beta, REAL *y), \
	     (rows, cols, a, stride, alpha, x, beta, y)) \
	CALL(void, dense_multiply_transposed##S, \
	     (size_t rows, size_t cols, const REAL *a, size_t stride, \
	      double alpha, const REAL *x, double beta, REAL *y), \
	     (rows, cols, a, stride, alpha, x, beta, y)) \
	CALL(double, loss_measure##S, \
	     (int loss, size_t n, const REAL *product, const REAL *label, \
	      REAL *value, REAL *slope), \
	     (loss, n, product, label, value, slope)) \
	CALL(double, softmax_measure##S, \
	     (size_t n, size_t classes, const REAL *product, \
	      const int32_t *label, int32_t first, REAL *value, REAL *slope), \
	     (n, classes, product, label, first, value, slope)) \
	CALL(double, factor_pass##S, \
	     (size_t n, const uint32_t *row, const uint32_t *col, \
	      const REAL *val, size_t rank, size_t stride, double lambda, \
	      const REAL *row_penalty, const REAL *col_penalty, double rate, \
	      REAL *x, REAL *y), \
	     (n, row, col, val, rank, stride, lambda, row_penalty, \
	      col_penalty, rate, x, y)) \
	CALL(void, prox_l1##S, (size_t n, double t, REAL *x), (n, t, x)) \
	CALL(void, prox_l2##S, (size_t n, double t, REAL *x), (n, t, x)) \
	CALL(void, prox_group##S, (size_t n, double t, REAL *x), (n, t, x)) \
	CALL(void, prox_elastic##S, \
	     (size_t n, double l1, double l2, REAL *x), (n, l1, l2, x)) \
	CALL(void, prox_step##S, \
	     (size_t n, double step, double l1, double l2, \
	      const REAL *slope, REAL *w), \
	     (n, step, l1, l2, slope, w)) \
	CALL(size_t, fixed_quantise##S, \
	     (size_t n, const REAL *x, int frac_bits, int64_t legal, \
	      const uint32_t *bits, int64_t *lanes), \
	     (n, x, frac_bits, legal, bits, lanes)) \
	CALL(void, fixed_value##S, \
	     (size_t n, const int64_t *lanes, int frac_bits, REAL *x), \
	     (n, lanes, frac_bits, x))

/* Those that are public. */
#define LGN_CALLS(CALL) \
	LGN_CALLS_OF(CALL, double, ) \
	LGN_CALLS_OF(CALL, float, _f32) \
	CALL(void, fixed_pack, \
	     (size_t n, const int64_t *lanes, uint64_t *words), \
	     (n, lanes, words)) \
	CALL(void, fixed_unpack, \
	     (size_t n, const uint64_t *words, int64_t *lanes), \
	     (n, words, lanes)) \
	CALL(void, nearest_pack, \
	     (size_t n, size_t cols, const double *points, size_t stride, \
	      double *packed), \
	     (n, cols, points, stride, packed)) \
	CALL(void, nearest_find, \
	     (size_t rows, size_t cols, const double *x, size_t stride, \
	      size_t n, const double *points, size_t p_stride, \
	      const double *packed, int32_t first, int32_t *which, \
	      double *square), \
	     (rows, cols, x, stride, n, points, p_stride, packed, first, \
	      which, square))

#define LGN_LOOPS_OF(CALL, REAL, S) \
	CALL(void, product##S, \
	     (int ta, int tb, size_t rows, size_t cols, size_t inner, \
	      double alpha, const REAL *a, size_t a_stride, const REAL *b, \
	      size_t b_stride, double beta, REAL *c, size_t c_stride), ()) \
	CALL(size_t, solve##S, \
	     (size_t n, REAL *a, size_t stride, size_t many, REAL *b, \
	      size_t b_stride), ())

/* Along lines, each with its own row of y; or across them. */
#define LGN_LOOP_OF_SPARSE(CALL, S) \
	CALL(void, sparse_product##S, \
	     (const struct lagoon_sparse *a, int along, size_t lines, \
	      size_t across, size_t n, double alpha, const void *x, \
	      size_t x_stride, double beta, void *y, size_t y_stride), ())

/* Those that other files of this folder call. */
#define LGN_LOOPS(CALL) \
	LGN_LOOPS_OF(CALL, double, ) \
	LGN_LOOPS_OF(CALL, float, _f32) \
	LGN_LOOP_OF_SPARSE(CALL, _f64_i32) \
	LGN_LOOP_OF_SPARSE(CALL, _f64_i64) \
	LGN_LOOP_OF_SPARSE(CALL, _f32_i32) \
	LGN_LOOP_OF_SPARSE(CALL, _f32_i64)

#define LGN_CALL_MEMBER(type, name, parameters, arguments) \
	type (*name) parameters;

struct lgn_calls {
	LGN_CALLS(LGN_CALL_MEMBER)
	LGN_LOOPS(LGN_CALL_MEMBER)
};

/* One of each instruction set; dispatch.c knows which this machine has. */
extern const struct lgn_calls lgn_calls_generic;
extern const struct lgn_calls lgn_calls_avx2;
extern const struct lgn_calls lgn_calls_avx512;
extern const struct lgn_calls lgn_calls_sve;

/* Those in use. */
const struct lgn_calls *lgn_calls(void);

#endif
