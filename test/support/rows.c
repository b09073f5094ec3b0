/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/support/rows.h"

#include "test/support/test.h"

void t_rows_range(int n, int *begin, int *end)
{
	int rank = lagoon_rank(t_lg), size = lagoon_size(t_lg);

	*begin = n * rank / size;
	*end = n * (rank + 1) / size;
	if (size == 3) {
		*begin = rank == 2 ? 30 : 0;
		*end = rank == 0 ? 30 : rank == 1 ? 0 : n;
	}
}

void t_rows_begin(struct t_rows *r, int cols)
{
	r->rows = r->entries = 0;
	r->cols = (size_t)cols;
	r->start32[0] = 0;
	r->start64[0] = 1;
}

void t_rows_add(struct t_rows *r, const double *x, double y)
{
	size_t i = r->rows++, n = r->entries;

	T_CHECK(r->rows <= T_ROWS && r->rows * r->cols <= T_ELEMENTS,
		"too many rows");
	r->y[i] = y;
	r->y_f32[i] = (float)y;
	for (size_t j = 0; j < r->cols; j++) {
		r->dense[i * r->cols + j] = x[j];
		r->dense_f32[i * r->cols + j] = (float)x[j];
		if (x[j] == 0)
			continue;
		r->val[n] = x[j];
		r->val_f32[n] = (float)x[j];
		r->index32[n] = (int32_t)j;
		r->index64[n++] = (int64_t)j + 1;
	}
	r->entries = n;
	r->start32[i + 1] = (int32_t)n;
	r->start64[i + 1] = (int64_t)n + 1;
}

struct t_view t_rows_view(struct t_rows *r, enum t_form form)
{
	bool f64 = form == DENSE || form == CSR;
	struct t_view v = {
		.real_size = f64 ? 8 : 4,
		.dense = f64 ? (void *)r->dense : r->dense_f32,
		.y = f64 ? (void *)r->y : r->y_f32,
	};

	if (form < CSR)
		return v;
	r->sparse = (struct lagoon_sparse){
		.rows = r->rows, .cols = r->cols, .layout = LAGOON_CSR,
		.real_size = v.real_size,
		.index_size = form == CSR ? 4 : 8,
		.base = form == CSR ? 0 : 1,
		.start = form == CSR ? (void *)r->start32 : r->start64,
		.index = form == CSR ? (void *)r->index32 : r->index64,
		.val = form == CSR ? (void *)r->val : r->val_f32,
	};
	v.sparse = &r->sparse;
	return v;
}
