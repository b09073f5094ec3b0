/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "kernels/solve/linear/search.h"

#define DECREASE 1e-4
#define CURVATURE 0.9
#define CLOSE 1e-12		/* of the value: no more than rounding */
#define STEPS 40

void lgn_search_open(struct lgn_search *s, double f0, double d0, double t)
{
	*s = (struct lgn_search){
		.t = t,
		.start = { 0, f0, d0 },
		.low = { 0, f0, d0 },
	};
}

/* Where the cubic through two points with their derivatives is lowest; the
 * middle where there is no such place well between them. Nocedal and Wright
 * (3.59). */
static double between(const struct lgn_search_point *a,
		      const struct lgn_search_point *b)
{
	double width = b->t - a->t, margin = 0.1 * fabs(width);
	double left = fmin(a->t, b->t) + margin;
	double right = fmax(a->t, b->t) - margin;
	double one = a->d + b->d - 3 * (a->f - b->f) / (a->t - b->t);
	double square = one * one - a->d * b->d, two, t;

	if (!(square >= 0) || !isfinite(square))
		return (a->t + b->t) / 2;
	two = copysign(sqrt(square), width);
	t = b->t - width * (b->d + two - one) / (b->d - a->d + 2 * two);
	return isfinite(t) ? fmin(right, fmax(left, t)) : (a->t + b->t) / 2;
}

/* Where the line through the derivatives is 0, further out. */
static double beyond(const struct lgn_search_point *a,
		     const struct lgn_search_point *b)
{
	double t = b->t - b->d * (b->t - a->t) / (b->d - a->d);

	if (!(t > 1.5 * b->t))
		t = 1.5 * b->t;
	return fmin(t, 10 * b->t);
}

static bool is_enough(const struct lgn_search *s, double f, double d)
{
	const struct lgn_search_point *o = &s->start;

	if (f <= o->f + DECREASE * s->t * o->d)
		return fabs(d) <= -CURVATURE * o->d;
	return f <= o->f + CLOSE * fabs(o->f) &&
	       d <= (2 * DECREASE - 1) * o->d && d >= CURVATURE * o->d;
}

static void narrow(struct lgn_search *s, const struct lgn_search_point *now)
{
	const struct lgn_search_point *o = &s->start;

	if (!isfinite(now->f) || now->f > o->f + DECREASE * now->t * o->d ||
	    (s->low.t > 0 && now->f >= s->low.f)) {
		s->high = *now;
		s->bracketed = true;
		return;
	}
	if (!s->bracketed ? now->d >= 0 :
	    now->d * (s->high.t - s->low.t) >= 0) {
		s->high = s->low;
		s->bracketed = true;
	}
}

static double choose(const struct lgn_search *s,
		     const struct lgn_search_point *before)
{
	if (!s->bracketed)
		return beyond(before, &s->low);
	if (!isfinite(s->high.f) || !isfinite(s->high.d))
		return s->low.t + 0.1 * (s->high.t - s->low.t);
	return between(&s->low, &s->high);
}

int lgn_search_step(struct lgn_search *s, double f, double d)
{
	const struct lgn_search_point now = { s->t, f, d };
	const struct lgn_search_point before = s->low;

	if (is_enough(s, f, d))
		return LGN_SEARCH_DONE;
	narrow(s, &now);
	if (s->high.t != now.t || !s->bracketed)
		s->low = now;
	if (++s->steps < STEPS) {
		s->t = choose(s, &before);
		return LGN_SEARCH_MORE;
	}
	s->t = s->low.t;
	return s->low.t > 0 ? LGN_SEARCH_BACK : LGN_SEARCH_NONE;
}
