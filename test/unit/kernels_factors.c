/* SPDX-License-Identifier: BSD-3-Clause */
/* Q R and U S V' of dense matrices, by the LAPACK that was found and by the
 * loops that do without: orthonormal factors that multiply to the matrix, of any
 * rank, singular values that are known, and both ways the same. */
#include "test/unit/kernels.h"

#include <float.h>
#include <math.h>

TestSuite(factors, .timeout = 120);

enum { ROWS = 70, COLS = 40, STRIDE = COLS + 3 };

struct factors {
	double a[ROWS][STRIDE], u[ROWS][STRIDE], vt[COLS][STRIDE], s[COLS];
};

/* rank columns at random, the others multiples of the first. */
static void fill(struct factors *f, size_t rows, size_t cols, size_t rank,
		 double scale, uint64_t *seed)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < cols; j++)
			f->a[i][j] = j < rank ? scale * (uniform(seed) - 0.5) :
				rank ? (double)j * f->a[i][0] : 0;
}

/* Of the columns of q, or with rows its rows. */
static void check_orthonormal(const double (*q)[STRIDE], size_t n, size_t length,
			      int rows, const char *what)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++) {
			double sum = i == j ? -1 : 0;

			for (size_t k = 0; k < length; k++)
				sum += rows ? q[i][k] * q[j][k] :
					q[k][i] * q[k][j];
			cr_assert(fabs(sum) < 1e-13, "%s: %zu and %zu of %zu: %g",
				  what, i, j, n, sum);
		}
}

/* u times rows of vt, each by s, is a. */
static void check_product(const struct factors *f, const double *s, size_t rows,
			  size_t cols, double scale)
{
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < cols; j++) {
			double sum = 0;

			for (size_t k = 0; k < cols; k++)
				sum += f->u[i][k] * (s ? s[k] : 1) *
					f->vt[k][j];
			cr_assert(fabs(sum - f->a[i][j]) <= 1e-13 * scale,
				  "%zu x %zu, %zu %zu: %g, expected %g", rows,
				  cols, i, j, sum, f->a[i][j]);
		}
}

static void check(size_t rows, size_t cols, size_t rank, double scale,
		  uint64_t *seed)
{
	static struct factors f;
	double most = scale * (double)(rank < cols ? COLS * 10 : 10);

	fill(&f, rows, cols, rank, scale, seed);
	memcpy(f.u, f.a, sizeof(f.u));
	f.vt[cols ? cols - 1 : 0][0] = NAN;	/* written, not read */
	cr_assert(!lagoon_dense_qr(rows, cols, f.u[0], STRIDE, f.vt[0], STRIDE));
	check_orthonormal(f.u, cols, rows, 0, "Q");
	for (size_t i = 0; i < cols; i++)
		for (size_t j = 0; j < i; j++)
			cr_assert_eq(f.vt[i][j], 0);
	check_product(&f, NULL, rows, cols, most);
	cr_assert(!lagoon_dense_svd(rows, cols, f.a[0], STRIDE, f.s, f.u[0],
				    STRIDE, f.vt[0], STRIDE));
	check_orthonormal(f.u, cols, rows, 0, "U");
	check_orthonormal(f.vt, cols, cols, 1, "V'");
	check_product(&f, f.s, rows, cols, most);
	for (size_t k = 0; k + 1 < cols; k++)
		cr_assert(f.s[k] >= f.s[k + 1] && f.s[k + 1] >= 0);
	for (size_t k = rank < cols ? (rank ? rank : 1) : cols; k < cols; k++)
		cr_assert(f.s[k] <= 1e-13 * most, "rank %zu: s[%zu] is %g", rank,
			  k, f.s[k]);
}

static void check_all(void)
{
	uint64_t seed = 3;

	for (size_t cols = 0; cols <= COLS; cols += cols < 4 ? 1 : 9)
		for (size_t rows = cols; rows <= ROWS; rows += 23) {
			check(rows, cols, cols, 1, &seed);
			check(rows, cols, cols / 2, 1, &seed);
		}
	check(ROWS, COLS, 0, 1, &seed);
	check(ROWS, COLS, COLS, 1e200, &seed);
	check(ROWS, COLS, COLS, 1e-200, &seed);
}

/* A diagonal: its singular values are there, several times too. */
static void check_known(void)
{
	static struct factors f;

	memset(&f, 0, sizeof(f));
	for (size_t k = 0; k < COLS; k++)
		f.a[k][k] = k % 2 ? -3 : (double)(k / 8);
	cr_assert(!lagoon_dense_svd(COLS, COLS, f.a[0], STRIDE, f.s, f.u[0],
				    STRIDE, f.vt[0], STRIDE));
	for (size_t k = 0; k < COLS; k++) {
		double want = k < 4 ? 4 : k < 28 ? 3 : (double)((39 - k) / 4);

		cr_assert(fabs(f.s[k] - want) < 1e-14, "%zu: %g, expected %g",
			  k, f.s[k], want);
	}
	check_orthonormal(f.u, COLS, COLS, 0, "U");
	check_orthonormal(f.vt, COLS, COLS, 1, "V'");
}

static void check_refused(void)
{
	double a[2] = { 1, 2 }, r[4], s[2];

	cr_assert_eq(lagoon_dense_qr(1, 2, a, 2, r, 2), -1);
	cr_assert_eq(lagoon_dense_svd(1, 2, a, 2, s, r, 2, r, 2), -1);
}

Test(factors, without_lapack)
{
	lagoon_blas_use(0);
	check_all();
	check_known();
	check_refused();
}

Test(factors, with_lapack)
{
	if (!lagoon_blas_use(1))
		cr_skip_test("no BLAS here");
	check_all();
	check_known();
	check_refused();
}

Test(factors, both_find_the_same)
{
	static struct factors f, own;
	uint64_t seed = 5;

	if (!lagoon_blas_use(1))
		cr_skip_test("no BLAS here");
	fill(&f, ROWS, COLS, COLS, 1, &seed);
	own = f;
	cr_assert(!lagoon_dense_svd(ROWS, COLS, f.a[0], STRIDE, f.s, f.u[0],
				    STRIDE, f.vt[0], STRIDE));
	lagoon_blas_use(0);
	cr_assert(!lagoon_dense_svd(ROWS, COLS, own.a[0], STRIDE, own.s,
				    own.u[0], STRIDE, own.vt[0], STRIDE));
	for (size_t k = 0; k < COLS; k++)
		cr_assert(fabs(f.s[k] - own.s[k]) < 1e-13 * f.s[0]);
}
