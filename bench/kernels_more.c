/* SPDX-License-Identifier: BSD-3-Clause */
/* Matrices, and logistic regression by rows: each beside its plain loop. */
#include <math.h>
#include <string.h>

#include "bench/kernels.h"
#include "lagoon_kernels.h"

enum {
	SIDE = 192,			/* of the dense matrices */
	SYSTEM = 256,			/* unknowns */
	WIDE_ROWS = N / A_ROW / 8,	/* of the sparse matrix by CLASSES */
};

/* ----------------------------------------------------------- matrices */

/* Eight products, one after the other in a, b and d. */
void product(void)
{
	for (size_t at = 0; at < 8 * SIDE * SIDE; at += SIDE * SIDE)
		lagoon_dense_product(0, 0, SIDE, SIDE, SIDE, 1, a + at, SIDE,
				     b + at, SIDE, 0, d + at, SIDE);
}

void product_f32(void)
{
	for (size_t at = 0; at < 8 * SIDE * SIDE; at += SIDE * SIDE)
		lagoon_dense_product_f32(0, 0, SIDE, SIDE, SIDE, 1, af + at,
					 SIDE, bf + at, SIDE, 0, cf + at, SIDE);
}

void product_plain(void)
{
	for (size_t at = 0; at < 8 * SIDE * SIDE; at += SIDE * SIDE) {
		const double *x = a + at, *y = b + at;

		memset(d + at, 0, SIDE * SIDE * sizeof(*d));
		for (size_t i = 0; i < SIDE; i++)
			for (size_t k = 0; k < SIDE; k++)
				for (size_t j = 0; j < SIDE; j++)
					d[at + i * SIDE + j] +=
						x[i * SIDE + k] * y[k * SIDE + j];
	}
}

void product_f32_plain(void)
{
	for (size_t at = 0; at < 8 * SIDE * SIDE; at += SIDE * SIDE) {
		const float *x = af + at, *y = bf + at;

		memset(cf + at, 0, SIDE * SIDE * sizeof(*cf));
		for (size_t i = 0; i < SIDE; i++)
			for (size_t k = 0; k < SIDE; k++)
				for (size_t j = 0; j < SIDE; j++)
					cf[at + i * SIDE + j] +=
						x[i * SIDE + k] * y[k * SIDE + j];
	}
}

/* The same by the loops of the library. */
void product_own(void)
{
	lagoon_blas_use(0);
	product();
	lagoon_blas_use(1);
}

static void make_system(void)
{
	for (size_t i = 0; i < SYSTEM; i++) {
		for (size_t j = 0; j <= i; j++)
			d[i * SYSTEM + j] = a[i * SYSTEM + j];
		d[i * SYSTEM + i] += SYSTEM;
		w[i] = 1;
	}
}

void solve(void)
{
	make_system();
	sink = (double)lagoon_dense_solve(SYSTEM, d, SYSTEM, 1, w, SYSTEM);
}

void solve_own(void)
{
	lagoon_blas_use(0);
	solve();
	lagoon_blas_use(1);
}

void solve_plain(void)
{
	make_system();
	for (size_t i = 0; i < SYSTEM; i++) {
		double *p = d + i * SYSTEM;

		for (size_t j = 0; j <= i; j++) {
			const double *q = d + j * SYSTEM;
			double sum = p[j];

			for (size_t k = 0; k < j; k++)
				sum -= p[k] * q[k];
			p[j] = j < i ? sum / q[j] : sqrt(sum);
		}
		for (size_t k = 0; k < i; k++)
			w[i] -= p[k] * w[k];
		w[i] /= p[i];
	}
	for (size_t i = SYSTEM; i-- > 0;) {
		for (size_t k = i + 1; k < SYSTEM; k++)
			w[i] -= d[k * SYSTEM + i] * w[k];
		w[i] /= d[i * SYSTEM + i];
	}
}

static struct lagoon_sparse eighth(void)
{
	return (struct lagoon_sparse){
		WIDE_ROWS, COLS, LAGOON_CSR, 8, 4, 0, start32, index32, a
	};
}

void many(void)
{
	const struct lagoon_sparse s = eighth();

	lagoon_sparse_product(&s, 0, CLASSES, 1, b, CLASSES, 0, d, CLASSES);
}

void many_plain(void)
{
	for (size_t i = 0; i < WIDE_ROWS; i++) {
		double *y = d + i * CLASSES;

		memset(y, 0, CLASSES * sizeof(*y));
		for (int32_t k = start32[i]; k < start32[i + 1]; k++)
			for (int j = 0; j < CLASSES; j++)
				y[j] += a[k] * b[index32[k] * CLASSES + j];
	}
}

void many_transposed(void)
{
	const struct lagoon_sparse s = eighth();

	lagoon_sparse_product(&s, 1, CLASSES, 1, b, CLASSES, 0, d, CLASSES);
}

void many_transposed_plain(void)
{
	memset(d, 0, COLS * CLASSES * sizeof(*d));
	for (size_t i = 0; i < WIDE_ROWS; i++)
		for (int32_t k = start32[i]; k < start32[i + 1]; k++)
			for (int j = 0; j < CLASSES; j++)
				d[index32[k] * CLASSES + j] +=
					a[k] * b[i * CLASSES + j];
}

/* ------------------------------------------------ logistic, row by row */

static struct lagoon_rows block(void)
{
	return (struct lagoon_rows){
		ROWS, (const size_t *)start64, (const uint32_t *)index32, a, label
	};
}

static double plain_dot(size_t i, const double *x, size_t stride)
{
	double sum = 0;

	for (int64_t k = start64[i]; k < start64[i + 1]; k++)
		sum += a[k] * x[(size_t)index32[k] * stride];
	return sum;
}

void sum_rows(void)
{
	const struct lagoon_rows rows = block();
	struct lagoon_loss sum = { 0 };

	lagoon_logistic_sum(&rows, w, &sum);
	sink = sum.loss;
}

void sum_rows_plain(void)
{
	double sum = 0;

	for (size_t i = 0; i < ROWS; i++)
		sum += log1p(exp(-label[i] * plain_dot(i, w, 1)));
	sink = sum;
}

static struct lagoon_slope slope[COLS];
static struct lagoon_cell cell[COLS];

void measure_rows(void)
{
	const struct lagoon_rows rows = block();
	struct lagoon_loss sum = { 0 };

	lagoon_logistic_measure(&rows, w, alpha, slope, &sum);
	sink = sum.loss;
}

void measure_rows_plain(void)
{
	double sum = 0;

	for (size_t i = 0; i < ROWS; i++) {
		double m = label[i] * plain_dot(i, w, 1);
		double q = 1 / (1 + exp(m));

		sum += log1p(exp(-m));
		alpha[i] = -label[i] * q;
		for (int64_t k = start64[i]; k < start64[i + 1]; k++) {
			slope[index32[k]].first += alpha[i] * a[k];
			slope[index32[k]].second += q * (1 - q) * a[k] * a[k];
		}
	}
	sink = sum;
}

static void make_cells(void)
{
	memset(alpha, 0, sizeof(alpha));
	for (size_t j = 0; j < COLS; j++)
		cell[j] = (struct lagoon_cell){ 0, 0.999, 0, 0.01 };
}

void pass_rows(void)
{
	const struct lagoon_rows rows = block();

	make_cells();
	lagoon_logistic_pass(&rows, alpha, cell);
}

void pass_rows_plain(void)
{
	const size_t stride = sizeof(*cell) / sizeof(double);

	make_cells();
	for (size_t i = 0; i < ROWS; i++) {
		double p = plain_dot(i, &cell->w, stride), y = label[i];
		double g = -y / (1 + exp(y * p)) - alpha[i];

		for (int64_t k = start64[i]; k < start64[i + 1]; k++) {
			struct lagoon_cell *at = &cell[index32[k]];

			at->w = at->keep * at->w - at->drift - at->step * g * a[k];
		}
	}
}
