/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Randomised range finder with power iterations (Halko, Martinsson and Tropp
 * 2011, algorithms 4.4 and 5.1): a block X of vectors drawn at random, and
 *
 *	Y = B X, Y = Q R;  Z = B'Q, Z = X R
 *
 * over and over. Then B is nearly Q Q'B = Q R'X', and the singular values of R
 * are nearly those of B: with R = P S W', they have the vectors Q W and X P.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/solve/svd/svd.h"

/* This worker's slice of the block, for all to multiply with. */
static int tell_block(struct lgn_svd *t, const double *x)
{
	int rc = t->v.n ? lagoon_add(t->w, t->fit->vectors, t->v.first, t->v.n,
				     x) : 0;

	return rc ? rc : lagoon_clock(t->w);
}

static int draw(struct lgn_svd *t)
{
	lgn_svd_draw(t, 0, t->v.first * t->width, t->v.n * t->width,
		     t->v.vectors);
	return tell_block(t, t->v.vectors);
}

/* The slice of B'Q; zeros stay behind. */
static int sum_products(struct lgn_svd *t)
{
	struct lagoon_table *sums = t->fit->sums;
	int rc = lagoon_add(t->w, sums, 0, t->fit->length, t->x);

	if (!rc)
		rc = lagoon_clock(t->w);
	if (rc || !t->v.n)
		return rc;
	rc = lagoon_pull(t->w, sums, t->v.first, t->v.n, t->v.vectors);
	for (uint64_t i = 0; i < t->v.n * t->width; i++)
		t->x[i] = -t->v.vectors[i];
	return rc ? rc : lagoon_add(t->w, sums, t->v.first, t->v.n, t->x);
}

/* Q of the products with the block, then the block of those with Q. */
static int iterate(struct lgn_svd *t)
{
	int rc = lagoon_pull(t->w, t->fit->vectors, 0, t->fit->length, t->x);

	if (rc)
		return rc;
	lgn_svd_multiply(t, t->width, t->x, t->u.vectors);
	rc = lgn_svd_qr(t, &t->u, t->u.vectors, t->matrix);
	if (rc)
		return rc;
	lgn_svd_multiply_transposed(t, t->width, t->u.vectors, t->x);
	t->products += 2 * t->width;
	rc = sum_products(t);
	if (!rc)
		rc = lgn_svd_qr(t, &t->v, t->v.vectors, t->matrix);
	return rc ? rc : lgn_svd_small(t, t->width, t->matrix);
}

/* How much one of the k values changed. */
static double change(struct lgn_svd *t, uint64_t k)
{
	double most = t->pass ? 0 : 1;

	for (uint64_t i = 0; i < k; i++) {
		if (t->pass && t->s[0] > 0)
			most = fmax(most, fabs(t->s[i] - t->was[i]) / t->s[0]);
		t->was[i] = t->s[i];
	}
	return most;
}

/* The first k columns of a times by [width][width], or with transposed its
 * transpose: a becomes [k][n]. */
static void turn(struct lgn_svd *t, struct lgn_svd_basis *b, uint64_t k,
		 const double *by, bool transposed, double *out)
{
	lagoon_dense_product(!transposed, 1, k, b->n, t->width, 1, by, t->width,
			     b->vectors, t->width, 0, out, b->n);
	memcpy(b->vectors, out, k * b->n * sizeof(*out));
}

int lgn_svd_randomised(struct lgn_svd *t)
{
	const struct lagoon_svd_options *o = &t->fit->options;
	uint64_t k = (uint64_t)o->k;
	int rc = t->pass ? tell_block(t, t->v.vectors) : draw(t);

	while (!rc && !t->converged && !t->stopped && !t->interrupted) {
		rc = iterate(t);
		if (rc)
			return rc;
		t->residual = change(t, k);
		t->converged = t->pass >= o->power ||
			t->residual <= o->tolerance;
		rc = lgn_svd_tell(t, t->residual);
		if (!rc && !t->converged && !t->stopped)
			rc = lgn_svd_save_pass(t);
		if (!rc && !t->converged)
			rc = tell_block(t, t->v.vectors);
	}
	if (rc || t->interrupted)
		return rc;
	turn(t, &t->u, k, t->right, true, t->turned);
	turn(t, &t->v, k, t->left, false, t->turned);
	return 0;
}
