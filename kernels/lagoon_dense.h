/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file lagoon_dense.h
 * Dense vectors and matrices, a part of lagoon_kernels.h. A matrix is stored by
 * rows.
 *
 * All calls: Threads: any, on different outputs.  Blocks: no.
 * Collective: no.
 */
#ifndef LAGOON_DENSE_H
#define LAGOON_DENSE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------- dense products */

/** Sum of x[k] * y[k] over n elements, in double.
 * Threads: any.  Blocks: no.  Collective: no.
 */
double lagoon_dense_dot(size_t n, const double *x, const double *y);
double lagoon_dense_dot_f32(size_t n, const float *x, const float *y);

/** y[k] += alpha * x[k] for n elements. x and y must not overlap.
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_dense_add(size_t n, double alpha, const double *x, double *y);
void lagoon_dense_add_f32(size_t n, double alpha, const float *x, float *y);

/** y = alpha A x + beta y. With beta 0 y need not be set.
 *
 * @param a       row i begins at a + i * stride; stride >= cols
 * @param x       [cols]
 * @param y       [rows]; must not overlap a or x
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_dense_multiply(size_t rows, size_t cols, const double *a,
			   size_t stride, double alpha, const double *x,
			   double beta, double *y);
void lagoon_dense_multiply_f32(size_t rows, size_t cols, const float *a,
			       size_t stride, double alpha, const float *x,
			       double beta, float *y);

/** y = alpha A' x + beta y, as lagoon_dense_multiply().
 *
 * @param x       [rows]
 * @param y       [cols]; must not overlap a or x
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_dense_multiply_transposed(size_t rows, size_t cols,
				      const double *a, size_t stride,
				      double alpha, const double *x,
				      double beta, double *y);
void lagoon_dense_multiply_transposed_f32(size_t rows, size_t cols,
					  const float *a, size_t stride,
					  double alpha, const float *x,
					  double beta, float *y);

/* ------------------------------------------- dense matrices, by a BLAS */

/** C = alpha op(A) op(B) + beta C, where op(A) is A, or with ta A'. With beta 0 C
 * need not be set. By the BLAS that lagoon_blas() names, on this thread alone.
 *
 * @param ta, tb  1: take A, B transposed
 * @param rows, cols  of C
 * @param inner   columns of op(A) and rows of op(B)
 * @param a       row i of A begins at a + i * a_stride; b and c likewise; c must
 * not overlap them
 * Threads: any.  Blocks: no.  Collective: no.
 */
void lagoon_dense_product(int ta, int tb, size_t rows, size_t cols,
			  size_t inner, double alpha, const double *a,
			  size_t a_stride, const double *b, size_t b_stride,
			  double beta, double *c, size_t c_stride);
void lagoon_dense_product_f32(int ta, int tb, size_t rows, size_t cols,
			      size_t inner, double alpha, const float *a,
			      size_t a_stride, const float *b, size_t b_stride,
			      double beta, float *c, size_t c_stride);

/** Solve A x = b for a symmetric positive definite A by Cholesky's method, with
 * the LAPACK of the BLAS that lagoon_blas() names, on this thread alone.
 *
 * @param a       [n][n], row i at a + i * stride; of it the lower triangle is
 * read and becomes the factor L of A = L L'
 * @param many    right-hand sides
 * @param b       [many][n], number k at b + k * b_stride; becomes x
 * @return  0; or k: A is not positive definite, as its first k rows and columns
 * show, and b is as it was
 * Threads: any.  Blocks: no.  Collective: no.
 */
size_t lagoon_dense_solve(size_t n, double *a, size_t stride, size_t many,
			  double *b, size_t b_stride);
size_t lagoon_dense_solve_f32(size_t n, float *a, size_t stride, size_t many,
			      float *b, size_t b_stride);

/** Factors A = Q R of a matrix with at least as many rows as columns, by
 * Householder's method: the columns of Q are orthonormal also where those of A
 * depend on each other. With the LAPACK of the BLAS that lagoon_blas() names, on
 * this thread alone.
 *
 * @param a       [rows][cols], row i at a + i * stride; becomes Q
 * @param r       [cols][cols], row i at r + i * r_stride: R, zeros below its
 * diagonal, which may be negative
 * @return  0; -1 without memory, or with fewer rows than columns
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_dense_qr(size_t rows, size_t cols, double *a, size_t stride,
		    double *r, size_t r_stride);

/** Singular values and vectors A = U diag(s) V' of a matrix with at least as many
 * rows as columns. With the LAPACK of the BLAS that lagoon_blas() names, on this
 * thread alone; without one by Jacobi's rotations.
 *
 * @param a       [rows][cols], row i at a + i * stride; finite
 * @param s       [cols] falling, >= 0
 * @param u       [rows][cols], row i at u + i * u_stride: orthonormal columns
 * @param vt      [cols][cols], row i at vt + i * vt_stride: V', orthonormal
 * rows
 * @return  0; -1 without memory, or with fewer rows than columns
 * Threads: any.  Blocks: no.  Collective: no.
 */
int lagoon_dense_svd(size_t rows, size_t cols, const double *a, size_t stride,
		     double *s, double *u, size_t u_stride, double *vt,
		     size_t vt_stride);

/** The BLAS and LAPACK that is used: "program" for the one that the program is
 * linked with, else the name of the library that configure found, loaded at the
 * first need; or "none": loops of our own, slower.
 * Threads: any.  Blocks: while it is loaded.  Collective: no.
 */
const char *lagoon_blas(void);

/** Use it or not, from now on, in the whole process.
 *
 * @param use  0: loops of our own; 1: a BLAS, if there is one
 * @return  1 if a BLAS is used now
 * Threads: one, while no other thread computes.  Blocks: while it is loaded.
 * Collective: no.
 */
int lagoon_blas_use(int use);

#ifdef __cplusplus
}
#endif

#endif
