/* SPDX-License-Identifier: BSD-3-Clause */
/* The plain loops. */
#include <math.h>
#include <string.h>

#include "bench/kernels.h"
#include "lagoon_kernels.h"

void restart(void)
{
	memset(alpha, 0, sizeof(alpha));
	memset(w, 0, sizeof(w));
}

void multiply_plain(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		double sum = 0;

		for (int32_t k = start32[i]; k < start32[i + 1]; k++)
			sum += a[k] * w[index32[k]];
		d[i] = sum;
	}
}

void multiply_i64_plain(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		double sum = 0;

		for (int64_t k = start64[i]; k < start64[i + 1]; k++)
			sum += a[k] * w[index64[k]];
		d[i] = sum;
	}
}

void multiply_f32_plain(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		float sum = 0;

		for (int32_t k = start32[i]; k < start32[i + 1]; k++)
			sum += af[k] * bf[index32[k]];
		cf[i] = sum;
	}
}

void transposed_plain(void)
{
	memset(w, 0, sizeof(w));
	for (size_t i = 0; i < ROWS; i++)
		for (int32_t k = start32[i]; k < start32[i + 1]; k++)
			w[index32[k]] += label[i] * a[k];
}

void logistic_plain(void)
{
	double sum = 0;

	for (size_t i = 0; i < N; i++) {
		double m = a[i] * b[i], e = exp(-fabs(m));

		sum += c[i] = log1p(e) + (m < 0 ? -m : 0);
		d[i] = -b[i] * (m < 0 ? 1 : e) / (1 + e);
	}
	sink = sum;
}

void logistic_f32_plain(void)
{
	double sum = 0;

	for (size_t i = 0; i < N; i++) {
		float m = af[i] * bf[i], e = expf(-fabsf(m));

		sum += (double)(log1pf(e) + (m < 0 ? -m : 0));
		cf[i] = -bf[i] * (m < 0 ? 1 : e) / (1 + e);
	}
	sink = sum;
}

void softmax_plain(void)
{
	double sum = 0;

	for (size_t i = 0; i < N / CLASSES; i++) {
		const double *z = a + i * CLASSES;
		double most = z[0], total = 0, *s = d + i * CLASSES;

		for (int k = 1; k < CLASSES; k++)
			most = z[k] > most ? z[k] : most;
		for (int k = 0; k < CLASSES; k++)
			total += s[k] = exp(z[k] - most);
		for (int k = 0; k < CLASSES; k++)
			s[k] /= total;
		s[class_of[i]] -= 1;
		sum += log(total) + most - z[class_of[i]];
	}
	sink = sum;
}

/* With the library's step of one number: the roof is of the two loops. */
static void dual_plain(int loss)
{
	restart();
	for (size_t i = 0; i < ROWS; i++) {
		double p = 0, old = alpha[i];

		for (int32_t k = start32[i]; k < start32[i + 1]; k++)
			p += a[k] * w[index32[k]];
		alpha[i] = lagoon_dual_step(loss, p, label[i],
					    0.01 * square[i], old);
		for (int32_t k = start32[i]; k < start32[i + 1]; k++)
			w[index32[k]] += 0.01 * (alpha[i] - old) * a[k];
	}
}

void dual_squared_plain(void)
{
	dual_plain(LAGOON_LOSS_SQUARED);
}

void dual_logistic_plain(void)
{
	dual_plain(LAGOON_LOSS_LOGISTIC);
}

void elastic_plain(void)
{
	restart();
	memcpy(w, label, sizeof(w));
	for (size_t i = 0; i < ROWS; i++) {
		double p = square[i] * alpha[i], old = alpha[i];

		for (int32_t k = start32[i]; k < start32[i + 1]; k++)
			p += a[k] * w[index32[k]];
		alpha[i] = p > 0.1 ? p - 0.1 : p < -0.1 ? p + 0.1 : 0;
		alpha[i] /= square[i] + 0.1;
		if (alpha[i] != old)
			for (int32_t k = start32[i]; k < start32[i + 1]; k++)
				w[index32[k]] -= (alpha[i] - old) * a[k];
	}
}

void squares_plain(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		double sum = 0;

		for (int32_t k = start32[i]; k < start32[i + 1]; k++)
			sum += a[k] * a[k];
		d[i] = sum;
	}
}

void dual_sum_plain(void)
{
	double sum = 0;

	for (size_t i = 0; i < N; i++)
		sum += b[i] * c[i] - c[i] * c[i] / 2;
	sink = sum;
}
