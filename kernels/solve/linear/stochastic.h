/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stochastic gradient methods have in common.
 *
 * Memory: a worker keeps the slope that each of its rows had when it was last
 * used, and a table the mean gradient that these make, c X'slope. A row steps by
 * what its slope differs from the one kept, and the worker that answers for a
 * weight steps by mean gradient and penalties, the same share each round: at the
 * minimum every single step is zero, whatever workers do not see of each other.
 * (SAGA: Defazio, Bach and Lacoste-Julien, NIPS 2014.) Without it the noise of
 * single rows stays: after 1000 epochs hinge loss of the mushrooms was 3 % too
 * high, with it 1e-4 after 100.
 *
 * A row's step is implicit (point-SAGA: Defazio, A Simple Practical Accelerated
 * Method for Finite Sums, NIPS 2016): the u that makes |u - w|^2 / 2 + step c
 * loss(u) smallest. It never goes beyond the row's own minimum, however long the
 * step, and finds the right slope where the loss has a kink; on the line of the
 * row it is what dual coordinate ascent does from a dual variable of 0.
 *
 * Average: what is measured and returned is an average of the weights over all
 * rounds, later ones with more weight (Polyak and Juditsky 1992; weights of
 * Shamir and Zhang, ICML 2013). The excess of the objective falls at least like
 * 1 / epochs, so what the last half of them gained tells how much there still is.
 */
#ifndef LGN_SOLVE_STOCHASTIC_H
#define LGN_SOLVE_STOCHASTIC_H

#include "kernels/solve/linear/linear.h"

/* Tables of a fit, beside that of the average. */
struct lgn_stochastic_tables {
	struct lagoon_table *state;	/* the weights that steps change */
	struct lagoon_table *gradient;	/* of the slopes that are kept */
	struct lagoon_table *squares;	/* adagrad: of gradients */
};

/* The worker's part. */
struct lgn_stochastic {
	double step;		/* of the epoch, in the worker's own copy */
	double others;		/* as many times shorter in the tables */
	double rounds;		/* of all epochs so far */
	double *slope;		/* [rows][outputs] kept */
	double *square;		/* [rows] sum of squares of the row */
	double *was;		/* [n] as pulled */
	double *scale;		/* [n] of steps, by coordinate; NULL: 1 */
	double *squares;	/* [n] adagrad: of gradients */
	double *own;		/* [own][outputs] weights it answers for */
	double *own_gradient;
	double *mean;		/* the average of own, and what of it was told */
	double *told;
};

/* fit->tables with gradient; state is the method's. */
int lgn_stochastic_create(struct lgn_linear_fit *fit);
void lgn_stochastic_destroy(struct lgn_linear_fit *fit);

/* t->state, of this size, which begins with struct lgn_stochastic; with scale and
 * squares if asked. */
int lgn_stochastic_open(struct lgn_linear *t, bool by_coordinate, size_t size);
void lgn_stochastic_close(struct lgn_linear *t);

/* Step through the rows of a block, each seeing those before; w changes by -
 * step * scale * what the gradient of the slopes kept changes by. squares (or
 * NULL) adds up those of the rows' gradients. */
void lgn_stochastic_rows(struct lgn_linear *t, const struct lgn_block *b,
			 double *w, double *squares);

/* to = from, for the columns that a block uses. */
void lgn_stochastic_copy(const struct lgn_linear *t, const struct lgn_block *b,
			 const double *from, double *to);

/* Pull own weights and own gradient, and take the weights into the average. */
int lgn_stochastic_pull_own(struct lgn_linear *t);

/* What is measured becomes the average. */
int lgn_stochastic_tell(struct lgn_linear *t);

/* For lgn_linear_method.judge, rows and resume. */
int lgn_stochastic_judge(struct lgn_linear *t);
double *lgn_stochastic_slopes(const struct lgn_linear *t);
int lgn_stochastic_resume(struct lgn_linear *t, const void *kept);

/* Mean square of a row, and of an entry; 1 if all are 0. */
double lgn_stochastic_row(const struct lgn_linear_fit *fit);
double lgn_stochastic_entry(const struct lgn_linear_fit *fit);

#endif
