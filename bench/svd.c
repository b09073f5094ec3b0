/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Seconds of lagoon_svd_fit() with one worker, beside the same iterations in a
 * plain loop with the same kernels and LAPACK on plain memory: a sparse matrix
 * and a dense one, both methods. Counted from the end of the first pass to that of
 * the last, on the clock, and of the processor, so that others on the machine
 * matter less. Alternating, medians, their ratios; exit status 1 if one of the
 * processor's is above 1.2.
 *
 *	bench/svd [RUNS [ROWS [COLUMNS [ENTRIES A ROW]]]]	[5 100000 10000 20]
 *
 * The dense matrix has as many elements as the sparse one has entries.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/lagoon_solve.h"

enum { K = 10, BASIS = 60, RESTARTS = 2, BLOCK = K + 20, POWER = 4 };
enum { RUNS = 99, CHUNK = 256 };

struct matrix {
	size_t rows, cols;
	struct lagoon_sparse sparse;	/* or */
	double *dense;
	int32_t *start, *index;
	double *val;
};

/* What a loop works on: [width][rows] and so on, as the solver has it. */
struct work {
	double *u, *v, *x, *y, *m, *p, *qt, *s, *dots, *some;
};

static uint64_t state = 1;

static double draw(void)	/* in [-1, 1); splitmix64 */
{
	uint64_t x = state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((x ^ x >> 31) >> 11) * 0x1p-52 - 1;
}

/* On the clock and of this thread's processor: at the first pass's end, and since
 * then at the last one's. */
struct times {
	double from[2], seconds[2];
	int passes;
};

static void count_pass(struct times *times)
{
	static const clockid_t clocks[] = {
		CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID
	};

	for (int i = 0; i < 2; i++) {
		struct timespec t;
		double now;

		clock_gettime(clocks[i], &t);
		now = (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
		if (!times->passes)
			times->from[i] = now;
		times->seconds[i] = now - times->from[i];
	}
	times->passes++;
}

static int on_pass(void *arg, const struct lagoon_svd_pass *p)
{
	(void)p;
	count_pass(arg);
	return 0;
}

static void *reserve(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (!p) {
		fputs("svd: no memory\n", stderr);
		exit(1);
	}
	return p;
}

/* ------------------------------------------------------------- matrices */

/* One entry in each of as many slices of the columns. */
static void make_sparse(struct matrix *a, size_t each)
{
	size_t n = 0;

	a->start = reserve(a->rows + 1, sizeof(*a->start));
	a->index = reserve(a->rows * each, sizeof(*a->index));
	a->val = reserve(a->rows * each, sizeof(*a->val));
	for (size_t i = 0; i < a->rows; i++) {
		for (size_t k = 0; k < each; k++) {
			double at = (draw() + 1) / 2 * ((double)a->cols /
							(double)each);

			a->index[n] = (int32_t)(k * a->cols / each +
						(size_t)at);
			a->val[n++] = draw();
		}
		a->start[i + 1] = (int32_t)n;
	}
	a->sparse = (struct lagoon_sparse){
		.rows = a->rows, .cols = a->cols, .layout = LAGOON_CSR,
		.real_size = 8, .index_size = 4, .start = a->start,
		.index = a->index, .val = a->val,
	};
}

static void make_dense(struct matrix *a)
{
	a->dense = reserve(a->rows * a->cols, sizeof(*a->dense));
	for (size_t i = 0; i < a->rows * a->cols; i++)
		a->dense[i] = draw();
}

static void multiply(const struct matrix *a, size_t n, const double *x,
		     double *y)
{
	if (a->dense && n == 1)
		lagoon_dense_multiply(a->rows, a->cols, a->dense, a->cols, 1, x,
				      0, y);
	else if (a->dense)
		lagoon_dense_product(0, 0, a->rows, n, a->cols, 1, a->dense,
				     a->cols, x, n, 0, y, n);
	else if (n == 1)
		lagoon_sparse_multiply(&a->sparse, 1, x, 0, y);
	else
		lagoon_sparse_product(&a->sparse, 0, n, 1, x, n, 0, y, n);
}

static void multiply_transposed(const struct matrix *a, size_t n,
				const double *y, double *x)
{
	if (a->dense && n == 1)
		lagoon_dense_multiply_transposed(a->rows, a->cols, a->dense,
						 a->cols, 1, y, 0, x);
	else if (a->dense)
		lagoon_dense_product(1, 0, a->cols, n, a->rows, 1, a->dense,
				     a->cols, y, n, 0, x, n);
	else if (n == 1)
		lagoon_sparse_multiply_transposed(&a->sparse, 1, y, 0, x);
	else
		lagoon_sparse_product(&a->sparse, 1, n, 1, y, n, 0, x, n);
}

/* ----------------------------------------------------------- plain loops */

/* Gram and Schmidt, twice. */
static double orthogonalise(struct work *w, const double *basis, size_t k,
			    size_t n, double *x, double *coefs)
{
	double norm;

	memset(coefs, 0, k * sizeof(*coefs));
	for (int pass = 0; pass < 2 && k; pass++) {
		lagoon_dense_multiply(k, n, basis, n, 1, x, 0, w->dots);
		lagoon_dense_multiply_transposed(k, n, basis, n, -1, w->dots, 1,
						 x);
		for (size_t i = 0; i < k; i++)
			coefs[i] += w->dots[i];
	}
	norm = sqrt(lagoon_dense_dot(n, x, x));
	for (size_t i = 0; i < n; i++)
		x[i] /= norm;
	return norm;
}

static void turn(struct work *w, double *basis, size_t n, size_t k,
		 size_t length, const double *by, int columns)
{
	for (size_t i = 0; i < length; i += CHUNK) {
		size_t some = length - i < CHUNK ? length - i : CHUNK;

		lagoon_dense_product(columns, 0, k, some, n, 1, by, n,
				     basis + i, length, 0, w->some, some);
		for (size_t j = 0; j < k; j++)
			memcpy(basis + j * length + i, w->some + j * some,
			       some * sizeof(double));
	}
}

static void lanczos(const struct matrix *a, struct work *w, struct times *times)
{
	size_t n = 0, keep = K + (BASIS - K) / 4, rows = a->rows;

	for (size_t i = 0; i < a->cols; i++)
		w->v[i] = draw();
	orthogonalise(w, w->v, 0, a->cols, w->v, w->some);
	for (int pass = 0; pass <= RESTARTS; pass++) {
		for (; n < BASIS; n++) {
			double *u = w->u + n * rows, *v = w->v + n * a->cols;

			multiply(a, 1, v, u);
			w->m[n * BASIS + n] = orthogonalise(w, w->u, n, rows, u,
							    w->some);
			for (size_t i = 0; i < n; i++)
				w->m[i * BASIS + n] = w->some[i];
			v += a->cols;
			multiply_transposed(a, 1, u, v);
			orthogonalise(w, w->v, n + 1, a->cols, v, w->some);
		}
		if (lagoon_dense_svd(BASIS, BASIS, w->m, BASIS, w->s, w->p,
				     BASIS, w->qt, BASIS))
			exit(1);
		count_pass(times);
		n = pass < RESTARTS ? keep : K;
		turn(w, w->u, BASIS, n, rows, w->p, 1);
		turn(w, w->v, BASIS, n, a->cols, w->qt, 0);
		memcpy(w->v + n * a->cols, w->v + BASIS * a->cols,
		       a->cols * sizeof(double));
		memset(w->m, 0, BASIS * BASIS * sizeof(double));
		for (size_t i = 0; i < n; i++)
			w->m[i * BASIS + i] = w->s[i];
	}
}

static void randomised(const struct matrix *a, struct work *w,
		       struct times *times)
{
	for (size_t i = 0; i < a->cols * BLOCK; i++)
		w->v[i] = draw();
	for (int pass = 0; pass <= POWER; pass++) {
		multiply(a, BLOCK, w->v, w->u);
		if (lagoon_dense_qr(a->rows, BLOCK, w->u, BLOCK, w->m, BLOCK))
			exit(1);
		multiply_transposed(a, BLOCK, w->u, w->v);
		if (lagoon_dense_qr(a->cols, BLOCK, w->v, BLOCK, w->m, BLOCK) ||
		    lagoon_dense_svd(BLOCK, BLOCK, w->m, BLOCK, w->s, w->p,
				     BLOCK, w->qt, BLOCK))
			exit(1);
		count_pass(times);
	}
	lagoon_dense_product(0, 1, K, a->rows, BLOCK, 1, w->qt, BLOCK, w->u,
			     BLOCK, 0, w->x, a->rows);
	lagoon_dense_product(1, 1, K, a->cols, BLOCK, 1, w->p, BLOCK, w->v,
			     BLOCK, 0, w->y, a->cols);
}

struct twin {
	const struct matrix *a;
	int method;
	struct times times;
	double value;
};

/* In a worker's thread, which is pinned: so both sides are. */
static int plain(struct lagoon_worker *worker, void *arg)
{
	struct twin *t = arg;
	const struct matrix *a = t->a;
	struct work w = {
		.u = reserve(a->rows * BASIS, 8),
		.v = reserve(a->cols * (BASIS + 1), 8),
		.x = reserve(a->rows * K, 8), .y = reserve(a->cols * K, 8),
		.m = reserve(BASIS * BASIS, 8), .p = reserve(BASIS * BASIS, 8),
		.qt = reserve(BASIS * BASIS, 8), .s = reserve(BASIS, 8),
		.dots = reserve(BASIS, 8), .some = reserve(BASIS * CHUNK, 8),
	};
	double *const all[] = { w.u, w.v, w.x, w.y, w.m, w.p, w.qt, w.s, w.dots,
				w.some };

	(void)worker;
	if (t->method == LAGOON_SVD_LANCZOS)
		lanczos(a, &w, &t->times);
	else
		randomised(a, &w, &t->times);
	t->value = w.s[0];
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
	return 0;
}

/* -------------------------------------------------------------- measuring */

static void fit(struct lagoon *lg, const struct matrix *a, int method,
		struct times *times, double *value)
{
	struct lagoon_svd_data data = {
		.size = sizeof(data), .sparse = a->dense ? NULL : &a->sparse,
		.rows = a->rows, .cols = a->cols, .stride = a->cols,
		.real_size = 8, .dense = a->dense,
	};
	struct lagoon_svd_result r = { .size = sizeof(r) };
	struct lagoon_svd_options o;
	double values[K];

	lagoon_svd_options_init(&o);
	o.method = method;
	o.k = K;
	o.tolerance = 0;
	o.basis = BASIS;
	o.restarts = RESTARTS;
	o.oversample = BLOCK - K;
	o.power = POWER;
	o.progress = on_pass;
	o.progress_arg = times;
	if (lagoon_svd_fit(lg, &data, &o, values, NULL, NULL, &r)) {
		fprintf(stderr, "svd: %s\n", lagoon_errmsg());
		exit(1);
	}
	*value = values[0];
}

static int rising(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return d < 0 ? -1 : d > 0;
}

static double median(double *x, int n)
{
	qsort(x, (size_t)n, sizeof(*x), rising);
	return (x[(n - 1) / 2] + x[n / 2]) / 2;
}

static int measure(struct lagoon *lg, const struct matrix *a, int runs)
{
	static const char *const name[] = { "lanczos", "randomised" };
	double ours[2][RUNS], twin[2][RUNS], ratio[2][RUNS], value = 0;
	int slow = 0;

	for (int m = 0; m <= LAGOON_SVD_RANDOMISED; m++) {
		struct twin t = { .a = a, .method = m };

		for (int i = 0; i < runs; i++) {
			struct times times = { .passes = 0 };

			t.times.passes = 0;
			fit(lg, a, m, &times, &value);
			if (lagoon_run(lg, plain, &t) ||
			    times.passes != t.times.passes)
				exit(1);
			for (int k = 0; k < 2; k++) {
				ours[k][i] = times.seconds[k];
				twin[k][i] = t.times.seconds[k];
				ratio[k][i] = ours[k][i] / twin[k][i];
			}
		}
		slow |= median(ratio[1], runs) > 1.2;
		printf("%-6s %-10s clock %7.3f s, plain %7.3f s, ratio %.3f; processor %7.3f s, plain %7.3f s, ratio %.3f (largest value %.6g, %.6g)\n",
		       a->dense ? "dense" : "sparse", name[m],
		       median(ours[0], runs), median(twin[0], runs),
		       median(ratio[0], runs), median(ours[1], runs),
		       median(twin[1], runs), median(ratio[1], runs), value,
		       t.value);
	}
	return slow;
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 5, slow;
	size_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
	size_t cols = argc > 3 ? strtoull(argv[3], NULL, 10) : 10000;
	size_t each = argc > 4 ? strtoull(argv[4], NULL, 10) : 20;
	struct matrix sparse = { .rows = rows, .cols = cols }, dense = { 0 };
	struct lagoon *lg;

	dense.cols = (size_t)sqrt((double)(rows * each) / 4);
	dense.rows = 4 * dense.cols;
	if (runs < 1 || runs > RUNS || each < 1 || each > cols || cols > rows ||
	    cols < BASIS || dense.cols < BASIS) {
		fputs("svd: expected RUNS up to 99, ROWS >= COLUMNS >= 60, ENTRIES A ROW up to COLUMNS\n",
		      stderr);
		return 2;
	}
	if (lagoon_open(NULL, &lg)) {
		fprintf(stderr, "svd: %s\n", lagoon_errmsg());
		return 1;
	}
	make_sparse(&sparse, each);
	make_dense(&dense);
	printf("one worker; sparse %zu x %zu with %zu entries, dense %zu x %zu; BLAS %s; medians of %d\n",
	       rows, cols, rows * each, dense.rows, dense.cols, lagoon_blas(),
	       runs);
	slow = measure(lg, &sparse, runs);
	slow |= measure(lg, &dense, runs);
	free(sparse.start);
	free(sparse.index);
	free(sparse.val);
	free(dense.dense);
	return lagoon_close(lg) || slow;
}
