/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernels and their plain loops work on. */
#ifndef BENCH_KERNELS_H
#define BENCH_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum {
	N = 6 << 20,		/* elements of an array: 48 MiB */
	COLS = 10000,
	A_ROW = 50,		/* entries */
	ROWS = N / A_ROW,
	WIDE = 1000,		/* columns of the dense matrix */
	CLASSES = 10,
};

extern double *a, *b, *c, *d;	/* [N] */
extern float *af, *bf, *cf;	/* [N] */
extern int64_t *lanes;		/* [N] */
extern uint32_t *bits;		/* [N] */
extern int32_t *index32, *class_of;
extern int64_t *index64;
extern int32_t start32[ROWS + 1];
extern int64_t start64[ROWS + 1];
extern double square[ROWS], alpha[ROWS], label[ROWS], w[COLS];
extern volatile double sink;

/* Before steps: weights and dual variables 0. */
void restart(void);

/* kernels_more.c: ours, and the plain loops. */
void product(void);
void product_own(void);
void product_plain(void);
void product_f32(void);
void product_f32_plain(void);
void solve(void);
void solve_own(void);
void solve_plain(void);
void many(void);
void many_plain(void);
void many_transposed(void);
void many_transposed_plain(void);
void sum_rows(void);
void sum_rows_plain(void);
void measure_rows(void);
void measure_rows_plain(void);
void pass_rows(void);
void pass_rows_plain(void);

/* kernels_plain.c: the plain loops of what kernels.c calls. */
void multiply_plain(void);
void multiply_i64_plain(void);
void multiply_f32_plain(void);
void transposed_plain(void);
void logistic_plain(void);
void logistic_f32_plain(void);
void softmax_plain(void);
void dual_squared_plain(void);
void dual_logistic_plain(void);
void elastic_plain(void);
void squares_plain(void);
void dual_sum_plain(void);

#endif
