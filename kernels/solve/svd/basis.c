/* SPDX-License-Identifier: BSD-3-Clause */
/* Products with B, and vectors that are spread over the workers. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/solve/random.h"
#include "kernels/solve/svd/svd.h"
#include "runtime/base/status.h"

#define PASSES 5		/* of Gram and Schmidt; two do, but for bad luck */

void lgn_svd_multiply(const struct lgn_svd *t, size_t n, const double *x,
		      double *y)
{
	uint64_t length = t->fit->length;

	if (t->dense && n == 1)
		lagoon_dense_multiply(t->u.n, length, t->dense, length, 1, x, 0,
				      y);
	else if (t->dense)
		lagoon_dense_product(0, 0, t->u.n, n, length, 1, t->dense,
				     length, x, n, 0, y, n);
	else if (n == 1)
		lagoon_sparse_multiply(&t->sparse.a, 1, x, 0, y);
	else
		lagoon_sparse_product(&t->sparse.a, 0, n, 1, x, n, 0, y, n);
}

void lgn_svd_multiply_transposed(const struct lgn_svd *t, size_t n,
				 const double *y, double *x)
{
	uint64_t length = t->fit->length;

	if (t->dense && n == 1)
		lagoon_dense_multiply_transposed(t->u.n, length, t->dense,
						 length, 1, y, 0, x);
	else if (t->dense)
		lagoon_dense_product(1, 0, length, n, t->u.n, 1, t->dense,
				     length, y, n, 0, x, n);
	else if (n == 1)
		lagoon_sparse_multiply_transposed(&t->sparse.a, 1, y, 0, x);
	else
		lagoon_sparse_product(&t->sparse.a, 1, n, 1, y, n, 0, x, n);
}

int lgn_svd_sum(struct lgn_svd *t, int rc, size_t n, double *x)
{
	size_t each = t->fit->tidings.bytes / sizeof(double);
	double *mine = t->all + (size_t)t->fit->workers * each;

	memset(mine, 0, each * sizeof(*mine));
	memcpy(mine, x, n * sizeof(*x));
	rc = lgn_share_meet(&t->fit->tidings, t->w, &t->round, rc, mine,
			    t->all);
	if (rc)
		return rc;
	memset(x, 0, n * sizeof(*x));
	for (int i = 0; i < t->fit->workers; i++)
		for (size_t k = 0; k < n; k++)
			x[k] += t->all[(size_t)i * each + k];
	return 0;
}

/* ---------------------------------------------------------------- draws */

static double uniform(uint64_t *state)		/* in (0, 1] */
{
	return (double)(lgn_random_next(state) >> 11) * 0x1p-53 + 0x1p-54;
}

void lgn_svd_draw(const struct lgn_svd *t, uint64_t stream, uint64_t first,
		  uint64_t n, double *x)
{
	uint64_t state = t->fit->options.seed, from;

	uniform(&state);
	from = state ^ stream * UINT64_C(0xd1342543de82ef95);
	for (uint64_t i = 0; i < n; i++) {
		state = from + (first + i) * UINT64_C(0xdb4f0b9175ae2165);
		uniform(&state);	/* Box and Muller */
		x[i] = sqrt(-2 * log(uniform(&state)));
		x[i] *= cos(6.283185307179586 * uniform(&state));
	}
}

/* -------------------------------------------------- Gram and Schmidt */

/* One pass of the classical method: x less its part along each. squares: of x
 * before and after, of all workers. */
static int project(struct lgn_svd *t, const struct lgn_svd_basis *b, uint64_t k,
		   double *x, double *coefs, double squares[2])
{
	double along = 0;
	int rc;

	if (k)
		lagoon_dense_multiply(k, b->n, b->vectors, b->n, 1, x, 0,
				      t->dots);
	t->dots[k] = lagoon_dense_dot(b->n, x, x);
	rc = lgn_svd_sum(t, 0, k + 1, t->dots);
	if (rc)
		return rc;
	if (k)
		lagoon_dense_multiply_transposed(k, b->n, b->vectors, b->n, -1,
						 t->dots, 1, x);
	for (uint64_t i = 0; i < k; i++) {
		along += t->dots[i] * t->dots[i];
		if (coefs)
			coefs[i] += t->dots[i];
	}
	squares[0] = t->dots[k];
	squares[1] = fmax(0, t->dots[k] - along);
	return 0;
}

/* Until a pass took little away: then what is left is orthogonal (Daniel, Gragg,
 * Kaufman and Stewart 1976). */
static int project_all(struct lgn_svd *t, const struct lgn_svd_basis *b,
		       uint64_t k, double *x, double *coefs, double *length)
{
	double squares[2] = { 0, 0 };
	int rc = 0;

	for (int pass = 0; pass < PASSES && !rc; pass++) {
		rc = project(t, b, k, x, coefs, squares);
		if (pass && squares[1] > 0.25 * squares[0])
			break;
	}
	*length = sqrt(squares[1]);
	return rc;
}

int lgn_svd_orthogonalise(struct lgn_svd *t, const struct lgn_svd_basis *b,
			  uint64_t k, double *x, double *coefs, double *length)
{
	double norm;
	int rc;

	if (coefs)
		memset(coefs, 0, k * sizeof(*coefs));
	rc = project_all(t, b, k, x, coefs, &norm);
	*length = norm > t->zero ? norm : 0;
	/* What is drawn may, once in a blue moon, be among the k. */
	for (uint64_t i = 0; !rc && *length == 0 && (!i || norm < 1e-8); i++) {
		lgn_svd_draw(t, (k + 1) * 64 + i, b->first, b->n, x);
		rc = project_all(t, b, k, x, NULL, &norm);
	}
	for (uint64_t i = 0; i < b->n; i++)
		x[i] /= norm;
	return rc;
}

/* ------------------------------------------------------- small matrices */

/* Rows of the table are these: those of the stacked R of all workers, or two
 * matrices of singular vectors; then the R of all, or the singular values. */
static uint64_t last_rows(const struct lgn_svd *t)
{
	return (uint64_t)(t->fit->workers > 2 ? t->fit->workers : 2) * t->width;
}

/* R of this worker's elements; with fewer than there are vectors, these
 * themselves. */
static int local_qr(struct lgn_svd *t, const struct lgn_svd_basis *b, double *a,
		    double *r)
{
	uint64_t n = t->width;

	if (b->n < n) {
		memset(r, 0, n * n * sizeof(*r));
		memcpy(r, a, b->n * n * sizeof(*r));
		return 0;
	}
	if (!lagoon_dense_qr(b->n, n, a, n, r, n))
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for factors of %llu x %llu",
			(unsigned long long)b->n, (unsigned long long)n);
}

/* Worker 0: the factors of the stacked R take their place. */
static int stacked_qr(struct lgn_svd *t, double *stack, double *r)
{
	uint64_t n = t->width, rows = (uint64_t)t->fit->workers * n;
	int rc = lagoon_pull(t->w, t->fit->small, 0, rows, stack);

	if (!rc && lagoon_dense_qr(rows, n, stack, n, r, n))
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for factors of %llu x "
			      "%llu", (unsigned long long)rows,
			      (unsigned long long)n);
	return rc ? rc : lagoon_add(t->w, t->fit->small, 0, rows, stack);
}

/* Of this worker's Q times its rows of the other Q, [width][width]. */
static void join(struct lgn_svd *t, const struct lgn_svd_basis *b, double *a,
		 const double *q)
{
	uint64_t n = t->width;

	if (b->n < n) {
		memcpy(a, q, b->n * n * sizeof(*a));
		return;
	}
	for (uint64_t i = 0; i < b->n; i += LGN_SVD_CHUNK) {
		uint64_t rows = b->n - i < LGN_SVD_CHUNK ? b->n - i :
			LGN_SVD_CHUNK;

		lagoon_dense_product(0, 0, rows, n, n, 1, a + i * n, n, q, n, 0,
				     t->some, n);
		memcpy(a + i * n, t->some, rows * n * sizeof(*a));
	}
}

/* Factors of the workers' own rows, then of their stacked R (Demmel, Grigori,
 * Hoemmen and Langou 2012, TSQR with one level). */
int lgn_svd_qr(struct lgn_svd *t, const struct lgn_svd_basis *b, double *a,
	       double *r)
{
	uint64_t n = t->width;
	double none = 0;
	int rc = local_qr(t, b, a, r);

	if (t->fit->workers == 1)
		return rc;
	if (!rc)
		rc = lagoon_add(t->w, t->fit->small, (uint64_t)t->id * n, n, r);
	rc = lgn_svd_sum(t, rc, 1, &none);
	if (!rc && !t->id)
		rc = stacked_qr(t, t->stack, r);
	rc = lgn_svd_sum(t, rc, 1, &none);
	if (!rc)
		rc = lagoon_pull(t->w, t->fit->small, (uint64_t)t->id * n, n,
				 t->left);
	if (!rc)
		join(t, b, a, t->left);
	return rc;
}

static int find_small(struct lgn_svd *t, uint64_t n, const double *matrix)
{
	struct lagoon_table *small = t->fit->small;
	int rc;

	if (lagoon_dense_svd(n, n, matrix, t->width, t->s, t->left, t->width,
			     t->right, t->width))
		return lgn_fail(LAGOON_ENOMEM, "no memory for the singular "
				"values of %llu x %llu", (unsigned long long)n,
				(unsigned long long)n);
	rc = lagoon_add(t->w, small, 0, n, t->left);
	if (!rc)
		rc = lagoon_add(t->w, small, t->width, n, t->right);
	return rc ? rc : lagoon_add(t->w, small, last_rows(t), 1, t->s);
}

int lgn_svd_small(struct lgn_svd *t, uint64_t n, const double *matrix)
{
	struct lagoon_table *small = t->fit->small;
	double none = 0;
	int rc = t->id ? 0 : find_small(t, n, matrix);

	rc = lgn_svd_sum(t, rc, 1, &none);
	if (!rc)
		rc = lagoon_pull(t->w, small, 0, n, t->left);
	if (!rc)
		rc = lagoon_pull(t->w, small, t->width, n, t->right);
	return rc ? rc : lagoon_pull(t->w, small, last_rows(t), 1, t->s);
}

void lgn_svd_turn(struct lgn_svd *t, const struct lgn_svd_basis *b, uint64_t n,
		  uint64_t k, const double *by, bool columns)
{
	for (uint64_t i = 0; i < b->n; i += LGN_SVD_CHUNK) {
		uint64_t some = b->n - i < LGN_SVD_CHUNK ? b->n - i :
			LGN_SVD_CHUNK;

		lagoon_dense_product(columns, 0, k, some, n, 1, by, t->width,
				     b->vectors + i, b->n, 0, t->some, some);
		for (uint64_t j = 0; j < k; j++)
			memcpy(b->vectors + j * b->n + i, t->some + j * some,
			       some * sizeof(*t->some));
	}
}
