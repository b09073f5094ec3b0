/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The twin of bench/mf.sh: stochastic gradient descent on ratings as one loop on
 * plain arrays of floats, on one core, as a compiler makes it best. Prints
 * ratings a second of each epoch but the first, and the error at the end.
 *
 *	mf_loop FILE RANK EPOCHS ORDER	(file: as they stand; user: by user)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct rating {
	int user, item;
	float val;
};

static int by_user(const void *a, const void *b)
{
	const struct rating *p = a, *q = b;

	return p->user != q->user ? (p->user > q->user) - (p->user < q->user) :
		(p->item > q->item) - (p->item < q->item);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static double epoch(const struct rating *r, size_t n, int rank, float *restrict x,
		    float *restrict y, float rate, float lambda)
{
	double sum = 0;

	for (size_t k = 0; k < n; k++) {
		float *restrict p = x + (size_t)r[k].user * (size_t)rank;
		float *restrict q = y + (size_t)r[k].item * (size_t)rank;
		float e = r[k].val;

		if (k + 8 < n) {
			const float *next = y + (size_t)r[k + 8].item *
				(size_t)rank;

			for (int f = 0; f < rank; f += 16)
				__builtin_prefetch(next + f, 1);
		}
		for (int f = 0; f < rank; f++)
			e -= p[f] * q[f];
		for (int f = 0; f < rank; f++) {
			float a = p[f], b = q[f];

			p[f] = a + rate * (e * b - lambda * a);
			q[f] = b + rate * (e * a - lambda * b);
		}
		sum += (double)(e * e);
	}
	return sum;
}

static float *factors(size_t n, int rank)
{
	float *x = aligned_alloc(64, (n * (size_t)rank * 4 + 63) / 64 * 64);

	for (size_t i = 0; x && i < n * (size_t)rank; i++)
		x[i] = (float)(0.8 / sqrt(rank) *
			       (2.0 * rand() / RAND_MAX - 1));
	return x;
}

int main(int argc, char **argv)
{
	FILE *f = argc == 5 ? fopen(argv[1], "r") : NULL;
	int rank = argc == 5 ? atoi(argv[2]) : 0, users = 0, items = 0;
	size_t n = 0, room = 0;
	struct rating *r = NULL, one;
	double mean = 0, start, errors = 0;
	float *x, *y, rate = 0.05F;

	if (!f)
		return 2;
	while (fscanf(f, "%d %d %f", &one.user, &one.item, &one.val) == 3) {
		if (n == room)
			r = realloc(r, (room = 2 * room + 1024) * sizeof(*r));
		if (!r)
			return 1;
		users = one.user >= users ? one.user + 1 : users;
		items = one.item >= items ? one.item + 1 : items;
		mean += one.val;
		r[n++] = one;
	}
	fclose(f);
	for (size_t k = 0; k < n; k++)
		r[k].val -= (float)(mean / (double)n);
	if (!strcmp(argv[4], "user"))
		qsort(r, n, sizeof(*r), by_user);
	x = factors((size_t)users, rank);
	y = factors((size_t)items, rank);
	for (int i = 0; x && y && i < atoi(argv[3]); i++, rate *= 0.95F) {
		start = now();
		errors = epoch(r, n, rank, x, y, rate, 0.02F);
		if (i)
			printf("rate %.6g\n", (double)n / (now() - start));
	}
	printf("rmse %.6f\n", sqrt(errors / (double)n));
	return 0;
}
