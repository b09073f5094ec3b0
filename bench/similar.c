/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The twin of bench/similar.sh: for each row of a LIBSVM or CSV file the k rows of
 * largest cosine, by looking at all pairs on one core. A sparse row is scattered
 * to an array that every other is multiplied with, a dense one multiplied
 * element by element. The lines go to a file; the seconds without reading and
 * writing to standard output.
 *
 *	similar FILE K OUTPUT
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t rows, cols, entries, *start;
static unsigned *col;
static double *val, *norm;
static int dense;

static void *grow(void *array, size_t n, size_t size)
{
	array = realloc(array, (n + 1) * size);
	if (!array) {
		fputs("similar: no memory\n", stderr);
		exit(1);
	}
	return array;
}

static void add(unsigned j, double x)
{
	if (!(entries & (entries + 1)) || !entries) {
		col = grow(col, 2 * entries + 1, sizeof(*col));
		val = grow(val, 2 * entries + 1, sizeof(*val));
	}
	col[entries] = j;
	val[entries++] = x;
	if (j >= cols)
		cols = j + 1;
}

static void parse(char *line)
{
	char *p = line, *end;

	if (!dense)
		strtod(p, &p);
	for (unsigned j = 0;; j++) {
		if (!dense)
			j = (unsigned)strtoul(p, &p, 10) - 1;
		p += *p == ':' || *p == ',';
		double x = strtod(p, &end);

		if (end == p)
			break;
		add(j, x);
		p = end;
	}
}

static int read_rows(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;

	if (!f)
		return -1;
	dense = strstr(path, ".csv") != NULL;
	while (getline(&line, &room, f) > 0) {
		start = grow(start, rows + 2, sizeof(*start));
		norm = grow(norm, rows + 1, sizeof(*norm));
		start[rows] = entries;
		parse(line);
		start[++rows] = entries;
	}
	free(line);
	fclose(f);
	return 0;
}

struct best {
	double value;
	size_t id;
};

/* Sorted: k is small. The row that came first stays before its equals. */
static void take(struct best *best, size_t *n, size_t k, double value, size_t id)
{
	size_t at;

	if (*n == k && value <= best[k - 1].value)
		return;
	*n += *n < k;
	for (at = *n - 1; at && best[at - 1].value < value; at--)
		best[at] = best[at - 1];
	best[at] = (struct best){ value, id };
}

static double product(size_t i, size_t j, const double *x)
{
	const double *y = val + start[j];
	size_t n = start[j + 1] - start[j];
	const unsigned *c = col + start[j];
	double sum = 0;

	if (dense) {
		x = val + start[i];
		for (size_t e = 0; e < n; e++)
			sum += x[e] * y[e];
		return sum;
	}
	for (size_t e = 0; e < n; e++)
		sum += x[c[e]] * y[e];
	return sum;
}

static void find(size_t i, size_t k, double *x, struct best *best, size_t *found)
{
	for (size_t e = start[i]; e < start[i + 1] && !dense; e++)
		x[col[e]] = val[e];
	*found = 0;
	for (size_t j = 0; j < rows; j++) {
		double p = j == i ? 0 : product(i, j, x);

		if (p != 0)
			take(best, found, k, p / (norm[i] * norm[j]), j);
	}
	for (size_t e = start[i]; e < start[i + 1] && !dense; e++)
		x[col[e]] = 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	size_t k = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	struct best *best;
	size_t *found;
	double *x, begin;
	FILE *out;

	if (!k || read_rows(argv[1])) {
		fputs("usage: similar FILE K OUTPUT\n", stderr);
		return 2;
	}
	best = grow(NULL, rows * k, sizeof(*best));
	found = grow(NULL, rows, sizeof(*found));
	x = grow(NULL, cols, sizeof(*x));
	memset(x, 0, cols * sizeof(*x));
	begin = now();
	for (size_t i = 0; i < rows; i++) {
		double square = 0;

		for (size_t e = start[i]; e < start[i + 1]; e++)
			square += val[e] * val[e];
		norm[i] = sqrt(square);
	}
	for (size_t i = 0; i < rows; i++)
		find(i, k, x, best + i * k, &found[i]);
	printf("%.3f\n", now() - begin);
	out = fopen(argv[3], "w");
	for (size_t i = 0; i < rows && out; i++)
		for (size_t m = 0; m < found[i]; m++)
			fprintf(out, "%zu %zu %.17g\n", i + 1,
				best[i * k + m].id + 1, best[i * k + m].value);
	return !out || fclose(out);
}
