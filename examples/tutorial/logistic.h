/* SPDX-License-Identifier: BSD-3-Clause */
/* A problem of logistic regression, drawn by seed from planted weights. */
#include <math.h>
#include "tutorial.h"

enum { N = 4000, D = 20, ROUNDS = 200, EVERY = 50 };
#define RATE 4.0

static double x[N][D];		/* an example a row */
static double y[N];		/* its label, -1 or 1 */

static inline void data_make(void)
{
	uint64_t state = 1;
	double planted[D];

	for (int j = 0; j < D; j++)
		planted[j] = 3 * uniform(&state);
	for (int i = 0; i < N; i++) {
		double sum = 2 * uniform(&state);

		for (int j = 0; j < D; j++) {
			x[i][j] = uniform(&state);
			sum += planted[j] * x[i][j];
		}
		y[i] = sum > 0 ? 1 : -1;
	}
}

/* y times the product of weights and example i: its margin. */
static inline double margin(const double *weights, int i)
{
	double sum = 0;

	for (int j = 0; j < D; j++)
		sum += weights[j] * x[i][j];
	return y[i] * sum;
}

static inline double loss(const double *weights)
{
	double sum = 0;

	for (int i = 0; i < N; i++)
		sum += log1p(exp(-margin(weights, i)));
	return sum / N;
}

/* Add to step what example i wants of one step of gradient descent. */
static inline void descend(const double *weights, int i, double *step)
{
	double share = RATE / N * y[i] / (1 + exp(margin(weights, i)));

	for (int j = 0; j < D; j++)
		step[j] += share * x[i][j];
}
