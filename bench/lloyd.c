/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows for bench/kmeans.sh, and rounds of Lloyd's on them on one core, without
 * tables: plain loops as one would write them, or the kernel that the solver uses.
 *
 *	lloyd FILE ROWS COLS K		write the rows
 *	lloyd plain|kernel ROWS COLS K ROUNDS	seconds of a round
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/lagoon_kernels.h"

static struct {
	size_t rows, cols, k;
	double *x, *centroid, *sum, *packed, *square;
	int32_t *which;
	size_t *count;
} t;

static uint64_t random_64(void)
{
	static uint64_t state = 1;
	uint64_t x = state += UINT64_C(0x9e3779b97f4a7c15);	/* splitmix64 */

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Around as many centres as clusters, that overlap: rounds go on for long. */
static void make(void)
{
	for (size_t i = 0; i < t.rows; i++) {
		uint64_t centre = random_64() % t.k;

		for (size_t j = 0; j < t.cols; j++) {
			double c = (double)((centre + 1) * (j + 3) * 2654435761 % 1000);

			t.x[i * t.cols + j] = (double)(int)(c * 4) / 1000 +
				(double)(random_64() >> 53) / 512;
		}
	}
}

static void assign_plain(void)
{
	for (size_t i = 0; i < t.rows; i++) {
		double least = (double)INFINITY;

		for (size_t k = 0; k < t.k; k++) {
			const double *x = t.x + i * t.cols;
			const double *c = t.centroid + k * t.cols;
			double d = 0;

			for (size_t j = 0; j < t.cols; j++)
				d += (x[j] - c[j]) * (x[j] - c[j]);
			if (d < least) {
				least = d;
				t.which[i] = (int32_t)k;
			}
		}
	}
}

static void assign_kernel(void)
{
	for (size_t i = 0; i < t.rows; i++)
		t.square[i] = (double)INFINITY;
	lagoon_nearest_pack(t.k, t.cols, t.centroid, t.cols, t.packed);
	lagoon_nearest_find(t.rows, t.cols, t.x, t.cols, t.k, t.centroid, t.cols,
			    t.packed, 0, t.which, t.square);
}

static void update(void)
{
	memset(t.sum, 0, t.k * t.cols * sizeof(*t.sum));
	memset(t.count, 0, t.k * sizeof(*t.count));
	for (size_t i = 0; i < t.rows; i++) {
		double *sum = t.sum + (size_t)t.which[i] * t.cols;

		t.count[t.which[i]]++;
		for (size_t j = 0; j < t.cols; j++)
			sum[j] += t.x[i * t.cols + j];
	}
	for (size_t k = 0; k < t.k; k++)
		for (size_t j = 0; j < t.cols && t.count[k]; j++)
			t.centroid[k * t.cols + j] = t.sum[k * t.cols + j] /
				(double)t.count[k];
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int write_rows(const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out)
		return 1;
	for (size_t i = 0; i < t.rows * t.cols; i++)
		fprintf(out, "%.9g%c", t.x[i], (i + 1) % t.cols ? ' ' : '\n');
	return ferror(out) | fclose(out) ? 1 : 0;
}

static int allocate(void)
{
	size_t n = t.rows * t.cols, c = (t.k + 8) * (t.cols + 1) + 8;

	t.x = malloc(n * sizeof(*t.x));
	t.centroid = malloc(c * sizeof(*t.centroid));
	t.sum = malloc(c * sizeof(*t.sum));
	t.packed = malloc(c * sizeof(*t.packed));
	t.square = malloc(t.rows * sizeof(*t.square));
	t.which = calloc(t.rows, sizeof(*t.which));
	t.count = calloc(t.k, sizeof(*t.count));
	return t.x && t.centroid && t.sum && t.packed && t.square && t.which &&
		t.count;
}

int main(int argc, char **argv)
{
	int rounds = argc > 5 ? atoi(argv[5]) : 1, kernel;
	double start;

	if (argc < 5)
		return 2;
	t.rows = strtoul(argv[2], NULL, 10);
	t.cols = strtoul(argv[3], NULL, 10);
	t.k = strtoul(argv[4], NULL, 10);
	if (!t.rows || !t.cols || !t.k || rounds < 1 || !allocate())
		return 2;
	make();
	if (argc == 5)
		return write_rows(argv[1]);
	kernel = !strcmp(argv[1], "kernel");
	for (size_t k = 0; k < t.k; k++)
		memcpy(t.centroid + k * t.cols,
		       t.x + random_64() % t.rows * t.cols,
		       t.cols * sizeof(*t.x));
	start = now();
	for (int i = 0; i < rounds; i++) {
		if (kernel)
			assign_kernel();
		else
			assign_plain();
		update();
	}
	printf("%.6g\n", (now() - start) / rounds);
	return 0;
}
