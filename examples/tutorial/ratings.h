/* SPDX-License-Identifier: BSD-3-Clause */
/* Ratings of items by users, drawn by seed from planted factors. */
#include <math.h>
#include "tutorial.h"

enum { USERS = 1000, ITEMS = 200, EACH = 30, RATINGS = USERS * EACH };
enum { TESTS = 3 };		/* of each user's ratings, the first: for the test */
enum { K = 4, EPOCHS = 30, EVERY = 10 };
#define RATE 0.02

static struct rating {
	int item;
	double value;
} ratings[USERS][EACH];

static double p[USERS][K];	/* factors of users, to be found */

static inline double product(const double *a, const double *b)
{
	double sum = 0;

	for (int k = 0; k < K; k++)
		sum += a[k] * b[k];
	return sum;
}

/* Small numbers to begin with; the same in every process. */
static inline void factors_make(double (*of)[K], int n, uint64_t seed, double scale)
{
	for (int i = 0; i < n; i++)
		for (int k = 0; k < K; k++)
			of[i][k] = scale * uniform(&seed);
}

static inline void data_make(void)
{
	static double users[USERS][K], items[ITEMS][K];
	uint64_t seed = 3;

	factors_make(users, USERS, 1, 1.5);
	factors_make(items, ITEMS, 2, 1.5);
	for (int u = 0; u < USERS; u++)
		for (int n = 0; n < EACH; n++) {
			int i = (int)((uniform(&seed) + 1) / 2 * ITEMS);

			ratings[u][n].item = i;
			ratings[u][n].value = product(users[u], items[i]) +
				0.2 * uniform(&seed);
		}
	factors_make(p, USERS, 4, 0.5);
}

/* A step of gradient descent for each of the user's ratings. */
static inline void user_learn(int u, double (*q)[K])
{
	for (int n = TESTS; n < EACH; n++) {
		double *item = q[ratings[u][n].item];
		double error = ratings[u][n].value - product(p[u], item);

		for (int k = 0; k < K; k++) {
			double was = p[u][k];

			p[u][k] += RATE * error * item[k];
			item[k] += RATE * error * was;
		}
	}
}

/* The sum of squared errors of the user's ratings that were not learnt. */
static inline double user_test(int u, double (*q)[K])
{
	double sum = 0;

	for (int n = 0; n < TESTS; n++) {
		const struct rating *r = &ratings[u][n];
		double error = r->value - product(p[u], q[r->item]);

		sum += error * error;
	}
	return sum;
}

static inline void epoch_print(int epoch, double sum)
{
	printf("epoch %2d  RMSE %.4f\n", epoch, sqrt(sum / (USERS * TESTS)));
}
