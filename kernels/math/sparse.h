/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LGN_MATH_SPARSE_H
#define LGN_MATH_SPARSE_H

#include "kernels/lagoon_kernels.h"

/* Product of line i and the soft threshold of x by t. */
double lgn_sparse_line_dot_shrunk(const struct lagoon_sparse *a, size_t i,
				  double t, const void *x);

#endif
