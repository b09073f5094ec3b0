/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A step length t along a line, by values f and derivatives d of the function
 * there, until it meets the strong Wolfe conditions (Nocedal and Wright,
 * Numerical Optimization, 2nd ed., 2006, algorithms 3.5 and 3.6) or, where the
 * values are too close to tell, the approximate ones (Hager and Zhang, A New
 * Conjugate Gradient Method with Guaranteed Descent and an Efficient Line
 * Search, SIAM J. Optim. 16, 2005, section 4).
 *
 *	lgn_search_open(&s, f0, d0, 1);
 *	do
 *		f, d at s.t
 *	while ((found = lgn_search_step(&s, f, d)) == LGN_SEARCH_MORE);
 */
#ifndef LGN_SOLVE_SEARCH_H
#define LGN_SOLVE_SEARCH_H

#include <stdbool.h>

enum lgn_search_found {
	LGN_SEARCH_MORE = 0,	/* evaluate at t */
	LGN_SEARCH_DONE = 1,	/* t is it; it was the last one evaluated */
	LGN_SEARCH_BACK = 2,	/* t is the best there was, evaluate it again */
	LGN_SEARCH_NONE = 3,	/* nothing is lower than the start */
};

struct lgn_search_point {
	double t, f, d;
};

struct lgn_search {
	double t;
	struct lgn_search_point start, low, high;
	bool bracketed;		/* what is sought is between low and high */
	int steps;
};

/* d0 < 0, t > 0: the first length to try. */
void lgn_search_open(struct lgn_search *s, double f0, double d0, double t);

int lgn_search_step(struct lgn_search *s, double f, double d);

#endif
