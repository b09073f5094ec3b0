/* SPDX-License-Identifier: BSD-3-Clause */
/* The direction of L-BFGS from products against the two-loop recursion on the
 * vectors themselves; line searches by the conditions that they promise. */
#include "test/unit/kernels.h"

#include <math.h>

#include "kernels/solve/linear/lbfgs.h"
#include "kernels/solve/linear/search.h"

TestSuite(lbfgs, .timeout = 60);
TestSuite(search, .timeout = 60);

enum { N = 30, MEMORY = 4, STEPS = 11 };

struct pair {
	double s[N], y[N];
};

static double dot(const double *x, const double *y)
{
	double sum = 0;

	for (int i = 0; i < N; i++)
		sum += x[i] * y[i];
	return sum;
}

static void add(double by, const double *x, double *y)
{
	for (int i = 0; i < N; i++)
		y[i] += by * x[i];
}

/* Nocedal and Wright, algorithm 7.4, and p = -r. The newest pair comes first. */
static void two_loops(const struct pair *const *pair, int n, const double *g,
		      double *p)
{
	double alpha[MEMORY], gamma;

	memcpy(p, g, N * sizeof(*p));
	for (int i = 0; i < n; i++) {
		alpha[i] = dot(pair[i]->s, p) / dot(pair[i]->s, pair[i]->y);
		add(-alpha[i], pair[i]->y, p);
	}
	gamma = dot(pair[0]->s, pair[0]->y) / dot(pair[0]->y, pair[0]->y);
	for (int i = 0; i < N; i++)
		p[i] *= gamma;
	for (int i = n - 1; i >= 0; i--)
		add(alpha[i] - dot(pair[i]->y, p) /
		    dot(pair[i]->s, pair[i]->y), pair[i]->s, p);
	for (int i = 0; i < N; i++)
		p[i] = -p[i];
}

/* What the holders of the slots would tell. */
static void sums_of(const struct pair *slot, int at, const double *g,
		    struct lgn_lbfgs_sums *sums)
{
	memset(sums, 0, sizeof(*sums));
	for (int i = 0; i < MEMORY; i++) {
		sums->s_new[i] = dot(slot[at].s, slot[i].y);
		sums->y_old[i] = dot(slot[at].y, slot[i].s);
		sums->y_new[i] = dot(slot[at].y, slot[i].y);
		sums->s_gradient[i] = dot(slot[i].s, g);
		sums->y_gradient[i] = dot(slot[i].y, g);
	}
	sums->gradient = dot(g, g);
}

static void make_pair(struct pair *pair, uint64_t *seed)
{
	for (int i = 0; i < N; i++) {
		pair->s[i] = 2 * uniform(seed) - 1;
		pair->y[i] = (1 + i) * pair->s[i] + 0.1 * uniform(seed);
	}
}

static void check_direction(const struct lgn_lbfgs *h, const struct pair *slot,
			    const double *g, const double *expected)
{
	struct lgn_lbfgs_direction c;
	double p[N] = { 0 };

	lgn_lbfgs_direction(h, &c);
	add(c.g, g, p);
	for (int i = 0; i < h->memory; i++) {
		add(c.s[i], slot[i].s, p);
		add(c.y[i], slot[i].y, p);
	}
	for (int i = 0; i < N; i++)
		cr_assert(fabs(p[i] - expected[i]) <= 1e-10 *
			  sqrt(dot(expected, expected)),
			  "%d: %.17g, not %.17g", i, p[i], expected[i]);
	cr_assert(fabs(c.slope - dot(p, g)) <= 1e-10 * fabs(c.slope));
}

Test(lbfgs, as_two_loops_on_vectors)
{
	struct pair slot[MEMORY] = { 0 };
	const struct pair *newest[MEMORY];
	double g[N], p[N];
	struct lgn_lbfgs_sums sums;
	struct lgn_lbfgs h;
	uint64_t seed = 5;

	lgn_lbfgs_open(&h, MEMORY);
	for (int k = 0; k < STEPS; k++) {
		int at = h.slot, n = k + 1 < MEMORY ? k + 1 : MEMORY;

		make_pair(&slot[at], &seed);
		for (int i = 0; i < N; i++)
			g[i] = 2 * uniform(&seed) - 1;
		sums_of(slot, at, g, &sums);
		cr_assert(lgn_lbfgs_push(&h, &sums));
		for (int i = 0; i < n; i++)
			newest[i] = &slot[(at - i + MEMORY) % MEMORY];
		two_loops(newest, n, g, p);
		check_direction(&h, slot, g, p);
	}
}

/* A pair without curvature is not kept, and what stood in its slot is gone. */
Test(lbfgs, refuses_pairs_without_curvature)
{
	struct pair slot[MEMORY] = { 0 };
	const struct pair *newest[MEMORY];
	double g[N], p[N];
	struct lgn_lbfgs_sums sums;
	struct lgn_lbfgs h;
	uint64_t seed = 6;

	lgn_lbfgs_open(&h, MEMORY);
	for (int k = 0; k < MEMORY + 2; k++) {
		make_pair(&slot[h.slot], &seed);
		memcpy(g, slot[h.slot].y, sizeof(g));
		sums_of(slot, h.slot, g, &sums);
		cr_assert(lgn_lbfgs_push(&h, &sums));
	}
	make_pair(&slot[h.slot], &seed);
	for (int i = 0; i < N; i++)
		slot[h.slot].y[i] = -slot[h.slot].s[i];
	sums_of(slot, h.slot, g, &sums);
	cr_assert(!lgn_lbfgs_push(&h, &sums));
	for (int i = 0; i < MEMORY - 1; i++)
		newest[i] = &slot[(h.slot - 1 - i + 2 * MEMORY) % MEMORY];
	two_loops(newest, MEMORY - 1, g, p);
	check_direction(&h, slot, g, p);
}

Test(lbfgs, begins_with_the_steepest_descent)
{
	struct lgn_lbfgs_direction c;
	struct lgn_lbfgs h;

	lgn_lbfgs_open(&h, MEMORY);
	h.gg = 16;
	lgn_lbfgs_direction(&h, &c);
	cr_assert(c.g == -0.25 && c.slope == -4);
}

/* ------------------------------------------------------------- searches */

static double bowl(double t, double *d)		/* lowest at 3 */
{
	*d = 2 * (t - 3);
	return (t - 3) * (t - 3);
}

static double steep(double t, double *d)	/* at 0.001 */
{
	*d = 1e6 * (t - 1e-3);
	return 5e5 * (t - 1e-3) * (t - 1e-3);
}

static double wall(double t, double *d)		/* infinite from 0.5 on */
{
	*d = t < 0.5 ? -1 + 0.01 / (0.5 - t) : NAN;
	return t < 0.5 ? -t - 0.01 * log(0.5 - t) : INFINITY;
}

static double wavy(double t, double *d)
{
	*d = -0.1 - cos(9 * t) + 0.2 * t;
	return -0.1 * t - sin(9 * t) / 9 + 0.1 * t * t;
}

static double far(double t, double *d)		/* at 5000 */
{
	*d = 2e-4 * (t - 5000);
	return 1e-4 * (t - 5000) * (t - 5000);
}

static int run(double (*f)(double t, double *d), struct lgn_search *s)
{
	double d, value = f(0, &d);
	int found;

	lgn_search_open(s, value, d, 1);
	do {
		value = f(s->t, &d);
		found = lgn_search_step(s, value, d);
	} while (found == LGN_SEARCH_MORE);
	return found;
}

Test(search, meets_the_strong_wolfe_conditions)
{
	double (*const all[])(double, double *) = { bowl, steep, wall, wavy, far };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		double d0, d, f0 = all[i](0, &d0), f;
		struct lgn_search s;

		cr_assert_eq(run(all[i], &s), LGN_SEARCH_DONE, "function %zu", i);
		f = all[i](s.t, &d);
		cr_assert(s.t > 0 && f <= f0 + 1e-4 * s.t * d0 &&
			  fabs(d) <= 0.9 * fabs(d0), "function %zu: t %g", i, s.t);
		cr_assert(s.steps < 25, "function %zu: %d steps", i, s.steps);
	}
}

static double rising(double t, double *d)	/* the derivative is a lie */
{
	*d = -1;
	return t;
}

Test(search, says_when_there_is_nothing_lower)
{
	struct lgn_search s;

	cr_assert_eq(run(rising, &s), LGN_SEARCH_NONE);
}
