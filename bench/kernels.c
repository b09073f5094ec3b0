/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each kernel beside its roof, on arrays that no cache holds: a copy of as
 * many bytes as the kernel must read and write, in pieces of 128 KiB; or, for
 * sparse lines, exponentials and what follows one number after the other, the
 * plain loop (exponentials: with the C library's). Sides alternate in one run;
 * medians of 11. The other of the two is shown too, where there is one.
 *
 *	bench/kernels [--check] [--simd LEVEL]
 *
 * --check: status 1 if a row is below 0.7 of its roof. --simd: with the
 * instructions of that number of enum lagoon_simd.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/kernels.h"
#include "lagoon_kernels.h"

enum {
	PIECE = 128 << 10,
	REPEATS = 11,
};

double *a, *b, *c, *d;	/* [N] */
float *af, *bf, *cf;	/* [N] */
int64_t *lanes;		/* [N] */
uint32_t *bits;		/* [N] */
int32_t *index32, *class_of;
int64_t *index64;
int32_t start32[ROWS + 1];
int64_t start64[ROWS + 1];
double square[ROWS], alpha[ROWS], label[ROWS], w[COLS];
static struct lagoon_sparse csr, csr64, csr_f32;
volatile double sink;

/* Of this thread: what others do with the processor meanwhile is not counted,
 * what they do with the memory is. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Goes on where it ended, so that it does not find its bytes in a cache. */
static void copy(size_t bytes)
{
	static size_t at;

	for (size_t n = 0; n < bytes / 2; n += PIECE) {
		memcpy((char *)d + at, (char *)c + at, PIECE);
		at = (at + PIECE) % (N * sizeof(double));
	}
}

/* ------------------------------------------------------------- sparse */

static void multiply(void)
{
	lagoon_sparse_multiply(&csr, 1, w, 0, d);
}

static void multiply_i64(void)
{
	lagoon_sparse_multiply(&csr64, 1, w, 0, d);
}

static void multiply_f32(void)
{
	lagoon_sparse_multiply(&csr_f32, 1, bf, 0, cf);
}

static void transposed(void)
{
	lagoon_sparse_multiply_transposed(&csr, 1, label, 0, w);
}

static void dots(void)
{
	for (size_t i = 0; i < ROWS; i++)
		d[i] = lagoon_sparse_line_dot(&csr, i, w);
}

static void squares(void)
{
	for (size_t i = 0; i < ROWS; i++)
		d[i] = lagoon_sparse_line_square(&csr, i);
}

static void sparse_dots(void)
{
	for (size_t i = 0; i < ROWS; i++)
		d[i] = lagoon_sparse_dot(A_ROW, (uint32_t *)index32 + i * A_ROW,
					 a + i * A_ROW, w);
}

static void adds(void)
{
	memset(w, 0, sizeof(w));
	for (size_t i = 0; i < ROWS; i++)
		lagoon_sparse_line_add(&csr, i, label[i], w);
}

/* -------------------------------------------------------------- dense */

static void dense_dot(void)
{
	sink = lagoon_dense_dot(N, a, b);
}

static void dense_add(void)
{
	lagoon_dense_add(N, 1e-9, a, b);
}

static void dense_multiply(void)
{
	lagoon_dense_multiply(N / WIDE, WIDE, a, WIDE, 1, w, 0, d);
}

static void dense_transposed(void)
{
	lagoon_dense_multiply_transposed(N / WIDE, WIDE, a, WIDE, 1, label, 0,
					 d);
}

static void dense_transposed_f32(void)
{
	lagoon_dense_multiply_transposed_f32(N / WIDE, WIDE, af, WIDE, 1, bf, 0,
					     cf);
}

static void dense_multiply_f32(void)
{
	lagoon_dense_multiply_f32(N / WIDE, WIDE, af, WIDE, 1, bf, 0, cf);
}

/* ------------------------------------------------------------- losses */

static void logistic(void)
{
	sink = lagoon_loss_measure(LAGOON_LOSS_LOGISTIC, N, a, b, c, d);
}

static void hinge(void)
{
	sink = lagoon_loss_measure(LAGOON_LOSS_HINGE, N, a, b, c, d);
}

static void squared_hinge(void)
{
	sink = lagoon_loss_measure(LAGOON_LOSS_SQUARED_HINGE, N, a, b, c, d);
}

static void squared(void)
{
	sink = lagoon_loss_measure(LAGOON_LOSS_SQUARED, N, a, b, c, d);
}

static void logistic_f32(void)
{
	sink = lagoon_loss_measure_f32(LAGOON_LOSS_LOGISTIC, N, af, bf, NULL,
				       cf);
}

static void softmax(void)
{
	sink = lagoon_softmax_measure(N / CLASSES, CLASSES, a, class_of, 0,
				      NULL, d);
}

/* ---------------------------------------------------- maps, fixed point */

static void prox_l1(void)
{
	lagoon_prox_l1(N, 1e-9, b);
}

static void prox_l2(void)
{
	lagoon_prox_l2(N, 1e-9, b);
}

static void prox_elastic(void)
{
	lagoon_prox_elastic(N, 1e-9, 1e-9, b);
}

static void prox_step_f32(void)
{
	lagoon_prox_step_f32(N, 1e-9, 0.1, 0.1, af, bf);
}

static void prox_step(void)
{
	lagoon_prox_step(N, 1e-9, 0.1, 0.1, a, b);
}

static void prox_group(void)
{
	lagoon_prox_group(N, 1e-9, b);
}

static void nearest(void)
{
	lagoon_fixed_quantise(N, a, 32, INT64_C(1) << 62, NULL, lanes);
}

static void at_random(void)
{
	lagoon_fixed_quantise(N, a, 32, INT64_C(1) << 62, bits, lanes);
}

static void at_random_f32(void)
{
	lagoon_fixed_quantise_f32(N, af, 32, INT64_C(1) << 62, bits, lanes);
}

static void values_f32(void)
{
	lagoon_fixed_value_f32(N, lanes, 32, cf);
}

static void values(void)
{
	lagoon_fixed_value(N, lanes, 32, d);
}

static void pack(void)
{
	lagoon_fixed_pack(N, lanes, (uint64_t *)d);
}

static void unpack(void)
{
	lagoon_fixed_unpack(N, (const uint64_t *)c, lanes);
}

/* -------------------------------------------------------------- steps */

static void dual_squared(void)
{
	restart();
	lagoon_dual_pass(LAGOON_LOSS_SQUARED, &csr, ROWS, NULL, 0, square,
			 label, 0.01, 0, alpha, w);
}

static void dual_logistic(void)
{
	restart();
	lagoon_dual_pass(LAGOON_LOSS_LOGISTIC, &csr, ROWS, NULL, 0, square,
			 label, 0.01, 0, alpha, w);
}

static void dual_sum(void)
{
	sink = lagoon_dual_sum(LAGOON_LOSS_SQUARED, N, b, c);
}

/* As CSC the same arrays are 10 000 rows and as many columns as rows else. */
static void elastic(void)
{
	static struct lagoon_sparse csc;

	csc = csr;
	csc.layout = LAGOON_CSC;
	csc.rows = COLS;
	csc.cols = ROWS;
	restart();
	memcpy(w, label, sizeof(w));
	lagoon_elastic_pass(&csc, ROWS, NULL, 0, square, 0.1, 0.1, alpha, w);
}

/* --------------------------------------------------------------- rows */

struct row {
	const char *name;
	double bytes;		/* read and written, an element or entry; 0:
				 * they stay in a cache */
	void (*ours)(void);
	void (*plain)(void);
	int by_loop;		/* the roof is the plain loop */
};

static const struct row rows[] = {
	{ "sparse_multiply i32", 12, multiply, multiply_plain, 1 },
	{ "sparse_multiply i64", 16, multiply_i64, multiply_i64_plain, 1 },
	{ "sparse_multiply f32", 8, multiply_f32, multiply_f32_plain, 1 },
	{ "sparse_multiply_transposed", 12, transposed, transposed_plain, 1 },
	{ "sparse_line_dot", 12, dots, multiply_plain, 1 },
	{ "sparse_line_add", 12, adds, transposed_plain, 1 },
	{ "sparse_line_square", 8, squares, squares_plain, 1 },
	{ "sparse_dot", 12, sparse_dots, multiply_plain, 1 },
	{ "sparse_product, 10 vectors", 0, many, many_plain, 1 },
	{ "sparse_product transposed", 0, many_transposed,
	  many_transposed_plain, 1 },
	{ "dense_product", 0, product, product_plain, 1 },
	{ "dense_product without BLAS", 0, product_own, product_plain, 1 },
	{ "dense_product f32", 0, product_f32, product_f32_plain, 1 },
	{ "dense_solve", 0, solve, solve_plain, 1 },
	{ "dense_solve without BLAS", 0, solve_own, solve_plain, 1 },
	{ "dense_dot", 16, dense_dot, NULL, 0 },
	{ "dense_add", 24, dense_add, NULL, 0 },
	{ "dense_multiply", 8, dense_multiply, NULL, 0 },
	{ "dense_multiply f32", 4, dense_multiply_f32, NULL, 0 },
	{ "dense_multiply_transposed", 8, dense_transposed, NULL, 0 },
	{ "dense_multiply_transposed f32", 4, dense_transposed_f32, NULL, 0 },
	{ "loss_measure logistic", 32, logistic, logistic_plain, 1 },
	{ "loss_measure logistic f32", 12, logistic_f32, logistic_f32_plain, 1 },
	{ "loss_measure hinge", 32, hinge, NULL, 0 },
	{ "loss_measure squared hinge", 32, squared_hinge, NULL, 0 },
	{ "loss_measure squared", 32, squared, NULL, 0 },
	{ "softmax_measure, 10 classes", 16, softmax, softmax_plain, 1 },
	{ "prox_l1", 16, prox_l1, NULL, 0 },
	{ "prox_l2", 16, prox_l2, NULL, 0 },
	{ "prox_elastic", 16, prox_elastic, NULL, 0 },
	{ "prox_step f32", 12, prox_step_f32, NULL, 0 },
	{ "prox_step", 24, prox_step, NULL, 0 },
	{ "prox_group", 24, prox_group, NULL, 0 },
	{ "fixed_quantise, nearest", 16, nearest, NULL, 0 },
	{ "fixed_quantise, random", 20, at_random, NULL, 0 },
	{ "fixed_quantise f32, random", 16, at_random_f32, NULL, 0 },
	{ "fixed_value f32", 12, values_f32, NULL, 0 },
	{ "fixed_value", 16, values, NULL, 0 },
	{ "fixed_pack", 12, pack, NULL, 0 },
	{ "fixed_unpack", 12, unpack, NULL, 0 },
	{ "elastic_pass", 12, elastic, elastic_plain, 1 },
	{ "dual_pass squared", 12, dual_squared, dual_squared_plain, 1 },
	{ "dual_pass logistic", 12, dual_logistic, dual_logistic_plain, 1 },
	{ "dual_sum squared", 16, dual_sum, dual_sum_plain, 1 },
	{ "logistic_sum", 12, sum_rows, sum_rows_plain, 1 },
	{ "logistic_measure", 12, measure_rows, measure_rows_plain, 1 },
	{ "logistic_pass", 12, pass_rows, pass_rows_plain, 1 },
};

static int by_size(const void *x, const void *y)
{
	double p = *(const double *)x, q = *(const double *)y;

	return (p > q) - (p < q);
}

static double median(double *x)
{
	qsort(x, REPEATS, sizeof(*x), by_size);
	return x[REPEATS / 2];
}

static double ratio_to_roof(const struct row *r)
{
	double ours[REPEATS], by_copy[REPEATS], by_loop[REPEATS];
	double roof;

	for (int i = -1; i < REPEATS; i++) {
		double t[4];

		t[0] = now();
		r->ours();
		t[1] = now();
		copy((size_t)(r->bytes > 0 ? r->bytes : 1) * N);
		t[2] = now();
		if (r->plain)
			r->plain();
		t[3] = now();
		if (i < 0)
			continue;
		ours[i] = t[1] - t[0];
		by_copy[i] = (t[2] - t[1]) / ours[i];
		by_loop[i] = (t[3] - t[2]) / ours[i];
	}
	printf("%-29s %9.3f", r->name, median(ours) * 1e3);
	if (r->bytes > 0)
		printf(" %8.2f", median(by_copy));
	else
		printf(" %8s", "");
	if (r->plain)
		printf(" %8.2f", median(by_loop));
	else
		printf(" %8s", "");
	roof = r->by_loop ? median(by_loop) : median(by_copy);
	printf("  %4.2f of the %s%s\n", roof, r->by_loop ? "loop" : "copy",
	       roof < 0.7 ? "  LOW" : "");
	return roof;
}

static uint64_t draw(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static void *array(size_t size)
{
	void *p = aligned_alloc(4096, N * size);

	if (!p) {
		perror("bench/kernels");
		exit(2);
	}
	memset(p, 0, N * size);
	return p;
}

static void fill(void)
{
	for (size_t i = 0; i < N; i++) {
		a[i] = (double)(draw() >> 11) * 0x1p-52 - 1;
		b[i] = draw() & 1 ? 1 : -1;
		af[i] = (float)a[i];
		bf[i] = (float)b[i];
		bits[i] = (uint32_t)draw();
		lanes[i] = (int32_t)bits[i];
		/* each entry in its own stretch of columns */
		index64[i] = index32[i] = (int32_t)(i % A_ROW * (COLS / A_ROW) +
						    draw() % (COLS / A_ROW));
		class_of[i] = (int32_t)(draw() % CLASSES);
	}
	for (size_t i = 0; i <= ROWS; i++)
		start64[i] = start32[i] = (int32_t)(i * A_ROW);
	csr = (struct lagoon_sparse){
		ROWS, COLS, LAGOON_CSR, 8, 4, 0, start32, index32, a
	};
	csr64 = csr_f32 = csr;
	csr64.index_size = 8;
	csr64.start = start64;
	csr64.index = index64;
	csr_f32.real_size = 4;
	csr_f32.val = af;
	for (size_t i = 0; i < ROWS; i++) {
		square[i] = lagoon_sparse_line_square(&csr, i);
		label[i] = draw() & 1 ? 1 : -1;
	}
}

int main(int argc, char **argv)
{
	int low = 0, check = 0, bad = 0;

	for (int i = 1; i < argc && !bad; i++) {
		if (!strcmp(argv[i], "--check"))
			check = 1;
		else if (!strcmp(argv[i], "--simd") && ++i < argc)
			bad = lagoon_simd_use(atoi(argv[i])) != atoi(argv[i]);
		else
			bad = 1;
	}
	if (bad) {
		fputs("usage: bench/kernels [--check] [--simd LEVEL]\n", stderr);
		return 2;
	}
	a = array(sizeof(*a));
	b = array(sizeof(*b));
	c = array(sizeof(*c));
	d = array(sizeof(*d));
	af = array(sizeof(*af));
	bf = array(sizeof(*bf));
	cf = array(sizeof(*cf));
	lanes = array(sizeof(*lanes));
	bits = array(sizeof(*bits));
	index32 = array(sizeof(*index32));
	class_of = array(sizeof(*class_of));
	index64 = array(sizeof(*index64));
	fill();
	printf("instructions: level %d; BLAS: %s\n", lagoon_simd(), lagoon_blas());
	printf("%-29s %9s %8s %8s\n", "kernel", "ms", "copy /", "loop /");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		low += ratio_to_roof(&rows[i]) < 0.7;
	return check && low;
}
