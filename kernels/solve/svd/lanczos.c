/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanczos bidiagonalisation (Golub and Kahan 1965) with thick restarts (Baglama
 * and Reichel 2005). Two bases grow by a vector each,
 *
 *	B V = U M,	B'U = V M' + beta v e_n'
 *
 * where M = U'B V is kept as a full matrix, whose column j is what
 * orthogonalisation takes off B v_j: so nothing changes after a restart, when M
 * is no longer bidiagonal, or when a vector had no part beside the others and
 * another one was drawn for it. With M = P S Q', S are nearly singular values of
 * B, U P and V Q their vectors, and |B'u_i - s_i v_i| is beta |P[n-1][i]|.
 *
 * Of a singular value that is there several times one start finds one copy. So
 * when the k are found they are looked for again from another start, orthogonal
 * to all of their vectors, until the best of what is there besides is known
 * roughly and the k stayed as they were.
 */
#include <math.h>
#include <string.h>

#include "kernels/solve/svd/svd.h"

#define ROUGHLY 1e-4		/* residual of what comes after the k */
#define THE_SAME 1e-9		/* change of a value by the largest one */

/* The next vector on the short side, for all to multiply with. */
static int tell_next(struct lgn_svd *t)
{
	int rc = t->v_rows ? lagoon_add(t->w, t->fit->vectors, t->v_row,
					t->v_rows, t->y) : 0;

	return rc ? rc : lagoon_clock(t->w);
}

/* B'u of all workers, of which this one gets its slice; zeros stay behind. */
static int sum_products(struct lgn_svd *t)
{
	struct lagoon_table *sums = t->fit->sums;
	int rc = lagoon_add(t->w, sums, 0, t->fit->table_rows, t->x);

	if (!rc)
		rc = lagoon_clock(t->w);
	if (rc || !t->v_rows)
		return rc;
	rc = lagoon_pull(t->w, sums, t->v_row, t->v_rows, t->y);
	for (uint64_t i = 0; i < t->v.n; i++)
		t->x[i] = -t->y[i];
	for (uint64_t i = t->v.n; i < t->v_rows * t->fit->row; i++)
		t->x[i] = 0;
	return rc ? rc : lagoon_add(t->w, sums, t->v_row, t->v_rows, t->x);
}

/* Both bases by a vector. */
static int step(struct lgn_svd *t)
{
	uint64_t n = t->n, length = t->fit->length;
	double *u = t->u.vectors + n * t->u.n, alpha;
	int rc = lagoon_pull(t->w, t->fit->vectors, 0, t->fit->table_rows,
			     t->x);

	if (rc)
		return rc;
	memcpy(t->v.vectors + n * t->v.n, t->x + t->v.first,
	       t->v.n * sizeof(*t->x));
	lgn_svd_multiply(t, 1, t->x, u);
	rc = lgn_svd_orthogonalise(t, &t->u, n, u, t->some, &alpha);
	for (uint64_t i = 0; i < n; i++)
		t->matrix[i * t->width + n] = t->some[i];
	t->matrix[n * t->width + n] = alpha;
	t->n++;
	t->products++;
	t->beta = 0;
	if (rc || t->n == length)
		return rc;
	lgn_svd_multiply_transposed(t, 1, u, t->x);
	t->products++;
	rc = sum_products(t);
	if (!rc)
		rc = lgn_svd_orthogonalise(t, &t->v, t->n, t->y, NULL,
					   &t->beta);
	return rc ? rc : tell_next(t);
}

/* What |B'u - s v| of vector i is, by the largest value. */
static double residual(const struct lgn_svd *t, uint64_t i)
{
	if (t->beta == 0)
		return 0;
	return t->beta * fabs(t->left[(t->n - 1) * t->width + i]) / t->s[0];
}

static double worst(const struct lgn_svd *t, uint64_t k)
{
	double most = 0;

	for (uint64_t i = 0; i < k; i++)
		most = fmax(most, residual(t, i));
	return most;
}

/* Go on with the best vectors alone. */
static void restart(struct lgn_svd *t, uint64_t keep)
{
	lgn_svd_turn(t, &t->u, t->n, keep, t->left, true);
	lgn_svd_turn(t, &t->v, t->n, keep, t->right, false);
	memset(t->matrix, 0, t->width * t->width * sizeof(*t->matrix));
	for (uint64_t i = 0; i < keep; i++)
		t->matrix[i * t->width + i] = t->s[i];
	t->n = keep;
}

/* From another start, which goes by the number of the pass. */
static int draw_next(struct lgn_svd *t)
{
	double length;
	int rc;

	lgn_svd_draw(t, UINT64_C(1) << 40 | (uint64_t)t->pass, t->v.first,
		     t->v.n, t->y);
	rc = lgn_svd_orthogonalise(t, &t->v, t->n, t->y, NULL, &length);
	return rc ? rc : tell_next(t);
}

static bool same(const struct lgn_svd *t, const double *was, uint64_t k)
{
	for (uint64_t i = 0; i < k; i++)
		if (!(fabs(t->s[i] - was[i]) <= THE_SAME * t->s[0]))
			return false;
	return true;
}

/* The bases are full and t->s is known: is that all? t->was: the k values when they
 * were found last, from which on others were looked for; t->looking: whether. */
static int judge(struct lgn_svd *t, uint64_t k)
{
	double tolerance = t->fit->options.tolerance;

	t->residual = worst(t, k);
	if (t->n == t->fit->length) {
		t->converged = 1;
		return 0;
	}
	if (t->residual > tolerance || (t->looking && t->n > k &&
	    residual(t, k) > fmax(tolerance, ROUGHLY))) {
		restart(t, lgn_svd_kept(k, t->n));
		return 0;
	}
	if (t->looking && same(t, t->was, k)) {
		t->converged = 1;
		return 0;
	}
	t->looking = true;
	memcpy(t->was, t->s, k * sizeof(*t->was));
	restart(t, k);
	return draw_next(t);
}

int lgn_svd_lanczos(struct lgn_svd *t)
{
	const struct lagoon_svd_options *o = &t->fit->options;
	uint64_t k = (uint64_t)o->k;
	int rc = t->pass ? tell_next(t) : draw_next(t);

	while (!rc) {
		while (!rc && t->n < t->width)
			rc = step(t);
		if (!rc)
			rc = lgn_svd_small(t, t->n, t->matrix);
		if (rc)
			return rc;
		rc = lgn_svd_tell(t, worst(t, k));
		if (t->stopped || t->pass > o->restarts)
			break;
		if (!rc)
			rc = judge(t, k);
		if (t->converged)
			break;
		if (!rc)
			rc = lgn_svd_save_pass(t);
		if (t->interrupted)
			return rc;
	}
	t->residual = worst(t, k);
	lgn_svd_turn(t, &t->u, t->n, k, t->left, true);
	lgn_svd_turn(t, &t->v, t->n, k, t->right, false);
	return rc;
}
