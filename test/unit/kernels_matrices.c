/* SPDX-License-Identifier: BSD-3-Clause */
/* Products of dense matrices and Cholesky's method, by the BLAS that was found
 * and by the loops that do without, against plain sums. */
#include "test/unit/kernels.h"

#include <dlfcn.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

TestSuite(matrices, .timeout = 120);

enum { MOST = 41, SPARE = 3, WIDTH = MOST + SPARE };

struct matrix {
	double f64[MOST][WIDTH];
	float f32[MOST][WIDTH];
};

static void fill(struct matrix *m, uint64_t *seed)
{
	for (size_t i = 0; i < MOST; i++)
		for (size_t j = 0; j < WIDTH; j++)
			m->f64[i][j] = m->f32[i][j] =
				(float)(uniform(seed) - 0.5);
}

static void near(double got, double want, double eps, const char *what)
{
	cr_assert(fabs(got - want) <= MOST * eps * (1 + fabs(want)),
		  "%s: %.17g, expected %.17g", what, got, want);
}

static void check_product(int ta, int tb, const size_t size[3], double beta,
			  uint64_t *seed)
{
	static struct matrix a, b, c, was;

	fill(&a, seed);
	fill(&b, seed);
	fill(&c, seed);
	was = c;
	for (size_t i = 0; i < size[0] && beta == 0; i++)
		for (size_t j = 0; j < size[1]; j++)	/* must not be read */
			c.f64[i][j] = c.f32[i][j] = NAN;
	lagoon_dense_product(ta, tb, size[0], size[1], size[2], -1.5, a.f64[0],
			     WIDTH, b.f64[0], WIDTH, beta, c.f64[0], WIDTH);
	lagoon_dense_product_f32(ta, tb, size[0], size[1], size[2], -1.5,
				 a.f32[0], WIDTH, b.f32[0], WIDTH, beta,
				 c.f32[0], WIDTH);
	for (size_t i = 0; i < MOST; i++)
		for (size_t j = 0; j < WIDTH; j++) {
			double want = was.f64[i][j], sum = 0;

			for (size_t k = 0; k < size[2] && i < size[0] &&
			     j < size[1]; k++)
				sum += a.f64[ta ? k : i][ta ? i : k] *
					b.f64[tb ? j : k][tb ? k : j];
			if (i < size[0] && j < size[1])
				want = (beta == 0 ? 0 : beta * want) - 1.5 * sum;
			near(c.f64[i][j], want, DBL_EPSILON, "product");
			near((double)c.f32[i][j], want, (double)FLT_EPSILON,
			     "product f32");
		}
}

static void check_products(void)
{
	static const size_t size[] = { 0, 1, 2, 3, 5, 8, 17, 32, MOST };
	uint64_t seed = 5;

	for (size_t k = 0; k < 9 * 9 * 9; k++) {
		const size_t s[3] = { size[k % 9], size[k / 9 % 9], size[k / 81] };

		for (int t = 0; t < 4; t++)
			check_product(t & 1, t >> 1, s, 0.5 * (k % 3), &seed);
	}
}

LEVEL_TEST(matrices, products_equal_the_plain_sums)
{
	cr_assert_eq(lagoon_blas_use(0), 0);
	cr_assert_str_eq(lagoon_blas(), "none");
	check_products();
}

/* A = M M' + I, and a triangle above that must not be read. */
static void make_definite(struct matrix *a, struct matrix *whole, size_t n,
			  uint64_t *seed)
{
	static struct matrix m;

	fill(&m, seed);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			double sum = i == j;

			for (size_t k = 0; k < n; k++)
				sum += m.f64[i][k] * m.f64[j][k];
			whole->f64[i][j] = sum;
			a->f64[i][j] = j > i ? NAN : sum;
			a->f32[i][j] = (float)a->f64[i][j];
		}
}

static void check_solution(size_t n, size_t many, uint64_t *seed)
{
	static struct matrix a, whole, b, x;

	make_definite(&a, &whole, n, seed);
	fill(&b, seed);
	x = b;
	cr_assert_eq(lagoon_dense_solve(n, a.f64[0], WIDTH, many, x.f64[0],
					WIDTH), 0);
	cr_assert_eq(lagoon_dense_solve_f32(n, a.f32[0], WIDTH, many, x.f32[0],
					    WIDTH), 0);
	for (size_t k = 0; k < MOST; k++)
		for (size_t i = 0; i < WIDTH; i++) {
			double sum = 0, sum32 = 0;

			if (k >= many || i >= n) {
				cr_assert_eq(x.f64[k][i], b.f64[k][i]);
				cr_assert_eq(x.f32[k][i], b.f32[k][i]);
				continue;
			}
			for (size_t j = 0; j < n; j++) {
				sum += whole.f64[i][j] * x.f64[k][j];
				sum32 += whole.f64[i][j] * (double)x.f32[k][j];
			}
			near(sum, b.f64[k][i], 10 * DBL_EPSILON, "A x");
			near(sum32, b.f64[k][i], 10 * (double)FLT_EPSILON,
			     "A x f32");
		}
}

/* The leading 17 rows and columns have a determinant below 0. */
static void check_refused(uint64_t *seed)
{
	static struct matrix a, whole, b, was;

	make_definite(&a, &whole, MOST, seed);
	a.f64[16][16] = -1;
	a.f32[16][16] = -1;
	fill(&b, seed);
	was = b;
	cr_assert_eq(lagoon_dense_solve(MOST, a.f64[0], WIDTH, 2, b.f64[0],
					WIDTH), 17);
	cr_assert_eq(lagoon_dense_solve_f32(MOST, a.f32[0], WIDTH, 2, b.f32[0],
					    WIDTH), 17);
	cr_assert(!memcmp(&b, &was, sizeof(b)));
}

static void check_solutions(void)
{
	uint64_t seed = 9;

	for (size_t n = 0; n <= MOST; n++)
		check_solution(n, n % 4, &seed);
	check_solution(MOST, MOST, &seed);
	check_refused(&seed);
}

LEVEL_TEST(matrices, solutions_solve)
{
	lagoon_blas_use(0);
	check_solutions();
}

Test(matrices, a_blas_agrees)
{
	if (!lagoon_blas_use(1))
		cr_skip_test("no BLAS here");
	fprintf(stderr, "BLAS: %s\n", lagoon_blas());
	check_products();
	check_solutions();
}

/* ------------------------------------------------- threads of the BLAS */

enum { LARGE = 400 };

static int (*threads)(void);
static void (*set_threads)(int n);
static atomic_bool enough;

static void *multiply(void *result)
{
	static double a[LARGE * LARGE], b[LARGE * LARGE];
	double *c = calloc(LARGE * LARGE, sizeof(*c));

	while (!atomic_load(&enough))
		lagoon_dense_product(0, 1, LARGE, LARGE, LARGE, 1, a, LARGE, b,
				     LARGE, 0, c, LARGE);
	free(c);
	return result;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* While two threads multiply, OpenBLAS has one thread; then as many as the
 * program had set. */
Test(matrices, threads_of_the_blas_are_set_back)
{
	pthread_t t[2];
	void *library;
	double end;

	if (!lagoon_blas_use(1))
		cr_skip_test("no BLAS here");
	library = dlopen(lagoon_blas(), RTLD_LAZY | RTLD_NOLOAD);
	if (library) {
		*(void **)&threads = dlsym(library, "openblas_get_num_threads");
		*(void **)&set_threads = dlsym(library,
					       "openblas_set_num_threads");
	}
	if (!threads)
		cr_skip_test("not OpenBLAS");
	set_threads(2);
	if (threads() != 2)
		cr_skip_test("OpenBLAS without threads");
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, multiply, NULL);
	for (end = now() + 60; threads() != 1 && now() < end;)
		;
	cr_expect(now() < end, "more than one thread for a minute");
	atomic_store(&enough, true);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	cr_assert_eq(threads(), 2);
	dlclose(library);
}
