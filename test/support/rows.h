/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows in memory in every form that solvers take. */
#ifndef TEST_SUPPORT_ROWS_H
#define TEST_SUPPORT_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/lagoon_kernels.h"

enum { T_ROWS = 128, T_ELEMENTS = 2048 };

enum t_form { DENSE, DENSE_F32, CSR, CSR_F32_FROM_1, FORMS };

/* The same rows over and over; y are targets or labels. */
struct t_rows {
	size_t rows, cols, entries;
	double dense[T_ELEMENTS], val[T_ELEMENTS], y[T_ROWS];
	float dense_f32[T_ELEMENTS], val_f32[T_ELEMENTS], y_f32[T_ROWS];
	int32_t start32[T_ROWS + 1], index32[T_ELEMENTS];
	int64_t start64[T_ROWS + 1], index64[T_ELEMENTS];	/* from 1 on */
	struct lagoon_sparse sparse;
};

/* What the structs of data have of a form. */
struct t_view {
	const struct lagoon_sparse *sparse;
	int real_size;
	const void *dense, *y;
};

/* Which of n rows are of this rank: [begin, end). Rank 1 of 3 has none. */
void t_rows_range(int n, int *begin, int *end);

void t_rows_begin(struct t_rows *r, int cols);
void t_rows_add(struct t_rows *r, const double *x, double y);

struct t_view t_rows_view(struct t_rows *r, enum t_form form);

#endif
