/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "kernels/solve/linear/lbfgs.h"

#define FLAT 1e-14		/* s'y below this share of y'y is no curvature */

void lgn_lbfgs_open(struct lgn_lbfgs *h, int memory)
{
	memset(h, 0, sizeof(*h));
	h->memory = memory;
}

static void take_gradient(struct lgn_lbfgs *h, const struct lgn_lbfgs_sums *sums)
{
	memcpy(h->sg, sums->s_gradient, sizeof(h->sg));
	memcpy(h->yg, sums->y_gradient, sizeof(h->yg));
	h->gg = sums->gradient;
}

bool lgn_lbfgs_push(struct lgn_lbfgs *h, const struct lgn_lbfgs_sums *sums)
{
	int k = h->slot;

	take_gradient(h, sums);
	if (!(sums->s_new[k] > FLAT * sums->y_new[k])) {
		/* What stood in the slot was written over. */
		if (h->pairs == h->memory)
			h->pairs--;
		return false;
	}
	for (int i = 0; i < h->memory; i++) {
		h->sy[k][i] = sums->s_new[i];
		h->sy[i][k] = sums->y_old[i];
		h->yy[k][i] = h->yy[i][k] = sums->y_new[i];
	}
	h->sy[k][k] = sums->s_new[k];
	if (h->pairs < h->memory)
		h->pairs++;
	h->slot = (k + 1) % h->memory;
	return true;
}

/* The slot of the pair that is `age` pairs old, 0 the newest. */
static int slot_of(const struct lgn_lbfgs *h, int age)
{
	return (h->slot - 1 - age + 2 * h->memory) % h->memory;
}

/* Product of s_k, or y_k, and the vector that c says. Of pairs both of which
 * are of the history only. */
static double with_s(const struct lgn_lbfgs *h, int k,
		     const struct lgn_lbfgs_direction *c)
{
	double sum = c->g * h->sg[k];

	for (int a = 0; a < h->pairs; a++)
		sum += c->y[slot_of(h, a)] * h->sy[k][slot_of(h, a)];
	return sum;
}

static double with_y(const struct lgn_lbfgs *h, int k,
		     const struct lgn_lbfgs_direction *c)
{
	double sum = c->g * h->yg[k];

	for (int a = 0; a < h->pairs; a++) {
		int i = slot_of(h, a);

		sum += c->y[i] * h->yy[k][i] + c->s[i] * h->sy[i][k];
	}
	return sum;
}

static double slope_of(const struct lgn_lbfgs *h,
		       const struct lgn_lbfgs_direction *c)
{
	double sum = c->g * h->gg;

	for (int a = 0; a < h->pairs; a++) {
		int i = slot_of(h, a);

		sum += c->s[i] * h->sg[i] + c->y[i] * h->yg[i];
	}
	return sum;
}

static void steepest(const struct lgn_lbfgs *h, struct lgn_lbfgs_direction *c)
{
	memset(c, 0, sizeof(*c));
	c->g = h->gg > 0 ? -1 / sqrt(h->gg) : 0;
	c->slope = c->g * h->gg;
}

void lgn_lbfgs_direction(const struct lgn_lbfgs *h,
			 struct lgn_lbfgs_direction *c)
{
	double alpha[LGN_LBFGS_MAX], gamma;
	int last = slot_of(h, 0);

	memset(c, 0, sizeof(*c));
	c->g = -1;
	if (!h->pairs) {
		steepest(h, c);
		return;
	}
	for (int a = 0; a < h->pairs; a++) {
		int i = slot_of(h, a);

		alpha[a] = with_s(h, i, c) / h->sy[i][i];
		c->y[i] -= alpha[a];
	}
	gamma = h->sy[last][last] / h->yy[last][last];
	c->g *= gamma;
	for (int a = 0; a < h->pairs; a++)
		c->y[slot_of(h, a)] *= gamma;
	for (int a = h->pairs - 1; a >= 0; a--) {
		int i = slot_of(h, a);

		c->s[i] += alpha[a] - with_y(h, i, c) / h->sy[i][i];
	}
	c->slope = slope_of(h, c);
	if (!(c->slope < 0))	/* rounding only */
		steepest(h, c);
}
