/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limited-memory BFGS without its vectors: the direction is a sum of the
 * history's vectors and the gradient, and its coefficients follow from their
 * products alone (Chen, Wang and Zhou, Large-scale L-BFGS using MapReduce, NIPS
 * 2014; the recursion is algorithm 7.4 of Nocedal and Wright, Numerical
 * Optimization, 2nd ed., 2006). So whoever holds the vectors computes products
 * of slices, which add up, and everybody finds the same coefficients.
 *
 *	lgn_lbfgs_open(&h, memory);
 *	h.slot				is where the pair s, y goes
 *	lgn_lbfgs_push(&h, sums);	its products, and the gradient's
 *	lgn_lbfgs_direction(&h, &c);	p = sum s[k] s_k + sum y[k] y_k + g g
 */
#ifndef LGN_SOLVE_LBFGS_H
#define LGN_SOLVE_LBFGS_H

#include <stdbool.h>

#define LGN_LBFGS_MAX 10	/* pairs at most */

/* Products of vectors; sums over slices. y_k: of slot k, with the new pair in
 * its slot. */
struct lgn_lbfgs_sums {
	double s_new[LGN_LBFGS_MAX];	/* s of the new pair and y_k */
	double y_old[LGN_LBFGS_MAX];	/* y of the new pair and s_k */
	double y_new[LGN_LBFGS_MAX];	/* y of the new pair and y_k */
	double s_gradient[LGN_LBFGS_MAX];	/* s_k and the gradient */
	double y_gradient[LGN_LBFGS_MAX];
	double gradient;		/* the gradient and itself */
};

struct lgn_lbfgs {
	int memory;		/* pairs at most, >= 1 */
	int pairs;		/* held */
	int slot;		/* of the next pair */
	double sy[LGN_LBFGS_MAX][LGN_LBFGS_MAX];	/* [s][y] */
	double yy[LGN_LBFGS_MAX][LGN_LBFGS_MAX];
	double sg[LGN_LBFGS_MAX], yg[LGN_LBFGS_MAX];
	double gg;
};

struct lgn_lbfgs_direction {
	double s[LGN_LBFGS_MAX], y[LGN_LBFGS_MAX];	/* by slot */
	double g;
	double slope;		/* product of the direction and the gradient */
};

void lgn_lbfgs_open(struct lgn_lbfgs *h, int memory);

/* Take in the products. Of a pair of which s'y is not clearly above 0 only the
 * gradient's: then it is false, and the slot is the next pair's again. */
bool lgn_lbfgs_push(struct lgn_lbfgs *h, const struct lgn_lbfgs_sums *sums);

/* Without pairs, the steepest descent of length 1. */
void lgn_lbfgs_direction(const struct lgn_lbfgs *h,
			 struct lgn_lbfgs_direction *c);

#endif
