/* SPDX-License-Identifier: BSD-3-Clause */
/* The objective, and the error of test ratings. */
#include "kernels/lagoon_kernels.h"
#include "kernels/solve/mf/mf.h"

static double square_of(const double *row, uint32_t rank)
{
	return lagoon_dense_dot(rank, row, row);
}

static double sum_errors(const struct lgn_mf *t)
{
	const struct lgn_mf_lines *l = t->rows;
	double sum = 0;

	for (uint32_t i = 0; i < l->lines; i++) {
		const double *x = t->x + (size_t)i * t->width;

		for (size_t k = l->start[i]; k < l->start[i + 1]; k++) {
			const double *y = t->y +
				(size_t)l->across[k] * t->width;
			double e = l->val[k] - lagoon_dense_dot(t->rank, x, y);

			if (t->width > t->rank)
				e -= x[t->rank] + y[t->rank];
			sum += e * e;
		}
	}
	return sum;
}

/* Of the rows; and of each column so much of it as this worker has ratings. */
static double sum_penalties(const struct lgn_mf *t)
{
	const struct lgn_mf_lines *l = t->rows;
	double squares = 0, biases = 0;

	for (uint32_t i = 0; i < l->lines; i++) {
		const double *x = t->x + (size_t)i * t->width;

		squares += (double)(l->start[i + 1] - l->start[i]) *
			square_of(x, t->rank);
		if (t->width > t->rank)
			biases += x[t->rank] * x[t->rank];
	}
	for (uint32_t j = 0; j < l->n_others; j++) {
		const double *y = t->y + (size_t)j * t->width;

		squares += t->own[j] * square_of(y, t->rank);
		if (t->width > t->rank && t->own[j] > 0)
			biases += t->own[j] / t->count[j] * y[t->rank] *
				y[t->rank];
	}
	return t->lambda * squares + t->fit->options.lambda_bias * biases;
}

/* One without ratings has zeros. */
static double sum_tests(const struct lgn_mf *t)
{
	const struct lgn_mf_tests *s = t->tests;
	double sum = 0;

	for (size_t k = 0; k < s->n; k++) {
		const double *x = s->line[k] == LGN_MF_NONE ? NULL :
			t->x + (size_t)s->line[k] * t->width;
		const double *y = s->across[k] == LGN_MF_NONE ? NULL :
			t->y + (size_t)s->across[k] * t->width;
		double e = s->val[k];

		if (x && y)
			e -= lagoon_dense_dot(t->rank, x, y);
		if (x && t->width > t->rank)
			e -= x[t->rank];
		if (y && t->width > t->rank)
			e -= y[t->rank];
		sum += e * e;
	}
	return sum;
}

void lgn_mf_measure(const struct lgn_mf *t, struct lgn_mf_tidings *mine)
{
	mine->errors = sum_errors(t);
	mine->penalty = sum_penalties(t);
	mine->test = sum_tests(t);
}
