/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Products of a sparse matrix. A line is a row of CSR and a column of CSC, so
 * A x of the one is A' x of the other. Products of lines are plain C on
 * purpose: for AVX2 and AVX-512 gcc 12 makes gathers, which took 1.8 times as long
 * for 64-bit indices and the same for 32-bit ones (50 entries a line, 10 000
 * columns).
 */
#include "kernels/lagoon_kernels.h"
#include "kernels/math/calls.h"
#include "kernels/math/sparse.h"
#include "runtime/base/attr.h"

struct kernels {
	double (*line_dot)(const struct lagoon_sparse *a, size_t i,
			   const void *x);
	double (*line_dot_shrunk)(const struct lagoon_sparse *a, size_t i,
				  double t, const void *x);
	void (*line_add)(const struct lagoon_sparse *a, size_t i, double alpha,
			 void *y);
	double (*line_square)(const struct lagoon_sparse *a, size_t i);
	void (*gather)(const struct lagoon_sparse *a, size_t lines,
		       double alpha, const void *x, double beta, void *y);
	void (*scatter)(const struct lagoon_sparse *a, size_t lines, size_t n,
			double alpha, const void *x, double beta, void *y);
};

#define REAL double
#define INDEX int32_t
#define NAME(x) x##_f64_i32
#include "kernels/math/sparse.inc"
#undef INDEX
#undef NAME

#define INDEX int64_t
#define NAME(x) x##_f64_i64
#include "kernels/math/sparse.inc"
#undef REAL
#undef INDEX
#undef NAME

#define REAL float
#define INDEX int32_t
#define NAME(x) x##_f32_i32
#include "kernels/math/sparse.inc"
#undef INDEX
#undef NAME

#define INDEX int64_t
#define NAME(x) x##_f32_i64
#include "kernels/math/sparse.inc"

static inline const struct kernels *kernels_of(const struct lagoon_sparse *a)
{
	if (a->real_size == sizeof(double))
		return a->index_size == sizeof(int32_t) ? &kernels_f64_i32 :
			&kernels_f64_i64;
	return a->index_size == sizeof(int32_t) ? &kernels_f32_i32 :
		&kernels_f32_i64;
}

static void multiply(const struct lagoon_sparse *a, int along, double alpha,
		     const void *x, double beta, void *y)
{
	size_t lines = a->layout == LAGOON_CSR ? a->rows : a->cols;
	size_t across = a->layout == LAGOON_CSR ? a->cols : a->rows;

	if (a->layout == along)
		kernels_of(a)->gather(a, lines, alpha, x, beta, y);
	else
		kernels_of(a)->scatter(a, lines, across, alpha, x, beta, y);
}

LGN_EXPORT void lagoon_sparse_multiply(const struct lagoon_sparse *a,
				       double alpha, const void *x,
				       double beta, void *y)
{
	multiply(a, LAGOON_CSR, alpha, x, beta, y);
}

LGN_EXPORT void lagoon_sparse_multiply_transposed(const struct lagoon_sparse *a,
						  double alpha, const void *x,
						  double beta, void *y)
{
	multiply(a, LAGOON_CSC, alpha, x, beta, y);
}

LGN_EXPORT void lagoon_sparse_product(const struct lagoon_sparse *a,
				      int transposed, size_t n, double alpha,
				      const void *x, size_t x_stride,
				      double beta, void *y, size_t y_stride)
{
	const struct lgn_calls *c = lgn_calls();
	int csr = a->layout == LAGOON_CSR, along = csr != !!transposed;
	int short_index = a->index_size == sizeof(int32_t);

	(a->real_size == sizeof(double) ?
	 (short_index ? c->sparse_product_f64_i32 : c->sparse_product_f64_i64) :
	 (short_index ? c->sparse_product_f32_i32 : c->sparse_product_f32_i64))
		(a, along, csr ? a->rows : a->cols, csr ? a->cols : a->rows, n,
		 alpha, x, x_stride, beta, y, y_stride);
}

LGN_EXPORT double lagoon_sparse_line_dot(const struct lagoon_sparse *a,
					 size_t i, const void *x)
{
	return kernels_of(a)->line_dot(a, i, x);
}

double lgn_sparse_line_dot_shrunk(const struct lagoon_sparse *a, size_t i,
				  double t, const void *x)
{
	return kernels_of(a)->line_dot_shrunk(a, i, t, x);
}

LGN_EXPORT void lagoon_sparse_line_add(const struct lagoon_sparse *a, size_t i,
				       double alpha, void *y)
{
	kernels_of(a)->line_add(a, i, alpha, y);
}

LGN_EXPORT double lagoon_sparse_line_square(const struct lagoon_sparse *a,
					    size_t i)
{
	return kernels_of(a)->line_square(a, i);
}
