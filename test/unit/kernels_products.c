/* SPDX-License-Identifier: BSD-3-Clause */
/* Sparse and dense products against plain sums over a dense copy. */
#include "test/unit/kernels.h"

#include <float.h>
#include <stdbool.h>
#include <math.h>

#include "kernels/lagoon_kernels.h"

TestSuite(products, .timeout = 60);

enum { MOST = 70, ENTRIES = MOST * MOST, SPARE = 3 };

/* A matrix in all forms: its entries also as a dense array. */
struct matrix {
	struct lagoon_sparse a;
	double dense[MOST][MOST];
	int64_t start64[MOST + 1], index64[ENTRIES];
	int32_t start32[MOST + 1], index32[ENTRIES];
	double val64[ENTRIES];
	float val32[ENTRIES];
};

struct shape {
	size_t rows, cols;
	int layout, real_size, index_size;
	int64_t base, start;
};

static void make(struct matrix *m, const struct shape *s, uint64_t *seed)
{
	bool csr = s->layout == LAGOON_CSR;
	size_t lines = csr ? s->rows : s->cols, across = csr ? s->cols : s->rows;
	size_t n = 0;

	memset(m->dense, 0, sizeof(m->dense));
	for (size_t i = 0; i < lines; i++) {
		m->start64[i] = s->start + (int64_t)n;
		/* empty lines, full ones, and what is between */
		uint64_t keep = below(seed, 5);

		for (size_t j = 0; j < across; j++) {
			float v = (float)(uniform(seed) - 0.5);

			if (below(seed, 4) >= keep)
				continue;
			m->dense[csr ? i : j][csr ? j : i] = (double)v;
			m->index64[n] = s->base + (int64_t)j;
			m->val64[n++] = (double)v;
		}
	}
	m->start64[lines] = s->start + (int64_t)n;
	for (size_t i = 0; i <= lines; i++)
		m->start32[i] = (int32_t)m->start64[i];
	for (size_t k = 0; k < n; k++) {
		m->index32[k] = (int32_t)m->index64[k];
		m->val32[k] = (float)m->val64[k];
	}
	m->a = (struct lagoon_sparse){
		.rows = s->rows, .cols = s->cols, .layout = s->layout,
		.real_size = s->real_size, .index_size = s->index_size,
		.base = s->base,
		.start = s->index_size == 8 ? (void *)m->start64 : m->start32,
		.index = s->index_size == 8 ? (void *)m->index64 : m->index32,
		.val = s->real_size == 8 ? (void *)m->val64 : m->val32,
	};
}

/* A vector in both types, with a margin behind that must stay as it is. */
struct vector {
	double f64[MOST + SPARE];
	float f32[MOST + SPARE];
};

static void fill(struct vector *v, uint64_t *seed)
{
	for (size_t i = 0; i < MOST + SPARE; i++) {
		v->f32[i] = (float)(2 * uniform(seed) - 1);
		v->f64[i] = (double)v->f32[i];
	}
}

static void *of(struct vector *v, int real_size)
{
	return real_size == 8 ? (void *)v->f64 : v->f32;
}

/* Both to double. */
static double at(const struct vector *v, int real_size, size_t i)
{
	return real_size == 8 ? v->f64[i] : (double)v->f32[i];
}

static void near(double got, double want, int real_size, const char *what)
{
	double limit = MOST * (real_size == 8 ? DBL_EPSILON : (double)FLT_EPSILON);

	cr_assert(fabs(got - want) <= limit * (1 + fabs(want)),
		  "%s: %.17g, expected %.17g", what, got, want);
}

static void check_whole(struct matrix *m, bool transposed, double beta,
			uint64_t *seed)
{
	size_t n = transposed ? m->a.cols : m->a.rows;
	size_t len = transposed ? m->a.rows : m->a.cols;
	int real = m->a.real_size;
	struct vector x, y, before;

	fill(&x, seed);
	fill(&before, seed);
	y = before;
	for (size_t i = 0; i < n && beta == 0; i++)	/* must not be read */
		y.f64[i] = y.f32[i] = NAN;
	(transposed ? lagoon_sparse_multiply_transposed :
	 lagoon_sparse_multiply)(&m->a, 0.75, of(&x, real), beta, of(&y, real));
	for (size_t i = 0; i < n; i++) {
		double sum = 0;

		for (size_t j = 0; j < len; j++)
			sum += x.f64[j] * (transposed ? m->dense[j][i] :
					   m->dense[i][j]);
		near(at(&y, real, i),
		     0.75 * sum + (beta == 0 ? 0 : beta * before.f64[i]), real,
		     transposed ? "A' x" : "A x");
	}
	for (size_t i = n; i < n + SPARE && i < MOST + SPARE; i++)
		cr_assert_eq(at(&y, real, i), before.f64[i], "past the end");
}

enum { MANY = 9 };	/* vectors side by side */

/* n of them, in rows that are longer. */
static void check_many(struct matrix *m, int transposed, size_t n, double beta,
		       uint64_t *seed)
{
	static double x[MOST][MANY + SPARE], y[MOST][MANY + SPARE];
	static float xf[MOST][MANY + SPARE], yf[MOST][MANY + SPARE];
	static double was[MOST][MANY + SPARE];
	size_t rows = transposed ? m->a.cols : m->a.rows;
	size_t len = transposed ? m->a.rows : m->a.cols;
	int real = m->a.real_size;

	for (size_t i = 0; i < MOST; i++)
		for (size_t k = 0; k < MANY + SPARE; k++) {
			x[i][k] = xf[i][k] = (float)(uniform(seed) - 0.5);
			was[i][k] = (double)(float)(uniform(seed) - 0.5);
			y[i][k] = beta == 0 && i < rows && k < n ? NAN :
				was[i][k];	/* must not be read */
			yf[i][k] = (float)y[i][k];
		}
	lagoon_sparse_product(&m->a, transposed, n, 0.75,
			      real == 8 ? (void *)x : xf, MANY + SPARE, beta,
			      real == 8 ? (void *)y : yf, MANY + SPARE);
	for (size_t i = 0; i < MOST; i++)
		for (size_t k = 0; k < MANY + SPARE; k++) {
			double want = was[i][k], sum = 0;

			for (size_t j = 0; j < len && i < rows; j++)
				sum += x[j][k] * (transposed ? m->dense[j][i] :
						  m->dense[i][j]);
			if (i < rows && k < n)
				want = 0.75 * sum + (beta == 0 ? 0 : beta * want);
			near(real == 8 ? y[i][k] : (double)yf[i][k], want, real,
			     "many");
		}
}

static void check_lines(struct matrix *m, uint64_t *seed)
{
	bool csr = m->a.layout == LAGOON_CSR;
	size_t lines = csr ? m->a.rows : m->a.cols;
	size_t across = csr ? m->a.cols : m->a.rows;
	int real = m->a.real_size;

	for (size_t i = 0; i < lines; i++) {
		double dot = 0, square = 0;
		struct vector x, y;

		fill(&x, seed);
		fill(&y, seed);
		for (size_t j = 0; j < across; j++) {
			double v = csr ? m->dense[i][j] : m->dense[j][i];

			dot += v * x.f64[j];
			square += v * v;
		}
		near(lagoon_sparse_line_dot(&m->a, i, of(&x, real)), dot, 8,
		     "dot");
		near(lagoon_sparse_line_square(&m->a, i), square, 8, "square");
		x = y;
		lagoon_sparse_line_add(&m->a, i, -1.5, of(&y, real));
		for (size_t j = 0; j < MOST + SPARE; j++) {
			double v = j >= across ? 0 :
				csr ? m->dense[i][j] : m->dense[j][i];

			near(at(&y, real, j), x.f64[j] - 1.5 * v, real, "add");
		}
	}
}

LEVEL_TEST(products, sparse_equal_the_dense_sums)
{
	static const size_t size[][2] = {
		{ 0, 0 }, { 0, 5 }, { 5, 0 }, { 1, 1 }, { 3, 7 }, { 8, 8 },
		{ 33, 65 }, { 65, 33 }, { MOST, MOST }
	};
	static const int64_t base64[] = { 0, 1, INT64_C(1) << 40 };
	static const int64_t base32[] = { 0, 1, INT32_MAX - MOST };
	static struct matrix m;
	uint64_t seed = 7;

	for (size_t k = 0; k < sizeof(size) / sizeof(*size) * 24; k++) {
		struct shape s = {
			.rows = size[k / 24][0], .cols = size[k / 24][1],
			.layout = k % 2 ? LAGOON_CSC : LAGOON_CSR,
			.real_size = k / 2 % 2 ? 4 : 8,
			.index_size = k / 4 % 2 ? 4 : 8,
		};

		s.base = (s.index_size == 8 ? base64 : base32)[k / 8 % 3];
		s.start = k / 8 % 3 ? s.base - (s.index_size == 4 ? ENTRIES : 0) : 0;
		if (s.base == 1)
			s.start = 1;
		make(&m, &s, &seed);
		check_whole(&m, false, 0, &seed);
		check_whole(&m, false, 0.5, &seed);
		check_whole(&m, true, 0, &seed);
		check_whole(&m, true, 1, &seed);
		check_whole(&m, true, 0.5, &seed);
		for (int t = 0; t < 2; t++) {
			check_many(&m, t, k % (MANY + 1), 0, &seed);
			check_many(&m, t, MANY - k % (MANY + 1), 0.5, &seed);
			check_many(&m, t, MANY, 1, &seed);
		}
		check_lines(&m, &seed);
	}
}

/* Of both types, off by 0 to 7 elements from a cache line. */
LEVEL_TEST(products, dense_equal_the_plain_sums)
{
	enum { LONG = 300 };
	static double x[LONG + 8], y[LONG + 8], was[LONG + 8];
	static float xf[LONG + 8], yf[LONG + 8];
	uint64_t seed = 5;

	for (size_t n = 0; n <= LONG; n += n < 70 ? 1 : 23) {
		size_t off = n % 8;
		double sum = 0;

		for (size_t i = 0; i < LONG + 8; i++) {
			x[i] = xf[i] = (float)(uniform(&seed) - 0.5);
			was[i] = y[i] = yf[i] = (float)(uniform(&seed) - 0.5);
		}
		for (size_t i = 0; i < n; i++)
			sum += x[off + i] * y[i];
		near(lagoon_dense_dot(n, x + off, y), sum, 8, "dot");
		near(lagoon_dense_dot_f32(n, xf + off, yf), sum, 8, "dot f32");
		lagoon_dense_add(n, 1.25, x + off, y);
		lagoon_dense_add_f32(n, 1.25, xf + off, yf);
		for (size_t i = 0; i < n; i++)
			was[i] += 1.25 * x[off + i];
		for (size_t i = 0; i < LONG + 8; i++) {
			near(y[i], was[i], 8, "add");
			near((double)yf[i], was[i], 4, "add f32");
		}
	}
}

static double dense_sum(const double *a, size_t stride, size_t len,
			const double *x, size_t i, bool transposed)
{
	double sum = 0;

	for (size_t j = 0; j < len; j++)
		sum += x[j] * (transposed ? a[j * stride + i] : a[i * stride + j]);
	return sum;
}

static void check_dense(size_t rows, size_t cols, size_t stride, double beta,
			uint64_t *seed)
{
	static double a[MOST * (MOST + SPARE)];
	static float af[MOST * (MOST + SPARE)];
	struct vector x, y, before;

	for (size_t k = 0; k < sizeof(a) / sizeof(*a); k++)
		a[k] = af[k] = (float)(uniform(seed) - 0.5);
	for (int transposed = 0; transposed < 2; transposed++) {
		size_t n = transposed ? cols : rows, len = transposed ? rows : cols;

		fill(&x, seed);
		fill(&before, seed);
		y = before;
		for (size_t i = 0; i < n && beta == 0; i++)
			y.f64[i] = y.f32[i] = NAN;
		if (transposed) {
			lagoon_dense_multiply_transposed(rows, cols, a, stride,
					-2, x.f64, beta, y.f64);
			lagoon_dense_multiply_transposed_f32(rows, cols, af,
					stride, -2, x.f32, beta, y.f32);
		} else {
			lagoon_dense_multiply(rows, cols, a, stride, -2, x.f64,
					      beta, y.f64);
			lagoon_dense_multiply_f32(rows, cols, af, stride, -2,
						  x.f32, beta, y.f32);
		}
		for (size_t i = 0; i < MOST + SPARE; i++) {
			double want = before.f64[i];

			if (i < n)
				want = (beta == 0 ? 0 : beta * want) - 2 *
					dense_sum(a, stride, len, x.f64, i,
						  transposed);
			near(y.f64[i], want, 8, "dense");
			near((double)y.f32[i], want, 4, "dense f32");
		}
	}
}

LEVEL_TEST(products, dense_matrices_equal_the_plain_sums)
{
	static const size_t size[] = { 0, 1, 2, 3, 4, 5, 31, 32, 33, MOST };
	uint64_t seed = 3;

	for (size_t r = 0; r < 10; r++)
		for (size_t c = 0; c < 10; c++)
			for (size_t spare = 0; spare <= SPARE; spare += SPARE)
				for (int b = 0; b < 3; b++)
					check_dense(size[r], size[c],
						    size[c] + spare, 0.5 * b,
						    &seed);
}
