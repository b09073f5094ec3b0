/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LGN_MATH_FACTOR_H
#define LGN_MATH_FACTOR_H

#include <stddef.h>

/* blas.c: as lagoon_dense_qr() and lagoon_dense_svd(); 1 if there is no LAPACK,
 * it is not worth it, or it did not converge: nothing was changed then. */
int lgn_blas_qr(size_t rows, size_t cols, double *a, size_t stride, double *r,
		size_t r_stride);
int lgn_blas_svd(size_t rows, size_t cols, const double *a, size_t stride,
		 double *s, double *u, size_t u_stride, double *vt,
		 size_t vt_stride);

#endif
