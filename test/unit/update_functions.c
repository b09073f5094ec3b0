/* SPDX-License-Identifier: BSD-3-Clause */
/* The built-in functions against the equations of their papers: workers pull
 * now and then, compute gradients from what they have, and push random runs in
 * a random order. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/update.h"
#include "test/unit/update.h"

enum { N = 97, WORKERS = 4, CLOCKS = 200, RUNS = 2, LONG = 1500 };

TestSuite(update, .timeout = 120);

/* A table of N elements as a home has it. */
struct home {
	struct lgn_update u;
	size_t bytes;			/* of an array */
	void *value;
	void *state[LAGOON_UPDATE_STATES];
	struct history *h;		/* [N] */
	long double most[N];		/* largest value so far */
	uint64_t random;
};

static uint32_t draw(struct home *t, uint32_t below)
{
	t->random = t->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((t->random >> 33) % below);
}

static double number(const struct home *t, const void *array, size_t i)
{
	return t->u.type == LAGOON_F64 ? ((const double *)array)[i] :
					 (double)((const float *)array)[i];
}

static void set_number(const struct home *t, void *array, size_t i, double x)
{
	if (t->u.type == LAGOON_F64)
		((double *)array)[i] = x;
	else
		((float *)array)[i] = (float)x;
}

static void *at(const struct home *t, void *array, size_t i)
{
	return (char *)array + i * t->u.type_size;
}

static void begin(struct home *t, const char *text, int type, size_t n)
{
	cr_assert_eq(lgn_update_open(text, type, &t->u), 0, "%s",
		     lagoon_errmsg());
	t->bytes = n * t->u.type_size;
	t->value = calloc(1, t->bytes);
	t->h = calloc(N, sizeof(*t->h));
	cr_assert(t->value && t->h);
	for (int k = 0; k < LAGOON_UPDATE_STATES; k++) {
		t->state[k] = calloc(1, t->bytes);
		cr_assert(t->state[k]);
	}
	cr_assert_eq(lgn_update_init(&t->u, n, t->value, t->state), 0);
}

static void end(struct home *t)
{
	free(t->value);
	free(t->h);
	for (int k = 0; k < LAGOON_UPDATE_STATES; k++)
		free(t->state[k]);
	lgn_update_close(&t->u);
}

static void apply(struct home *t, size_t first, size_t n, void *delta)
{
	void *state[LAGOON_UPDATE_STATES];

	for (int k = 0; k < LAGOON_UPDATE_STATES; k++)
		state[k] = at(t, t->state[k], first);
	cr_assert_eq(lgn_update_apply(&t->u, n, at(t, t->value, first), delta,
				      state), 0, "%s", lagoon_errmsg());
}

/* Nothing outside of the run may change, neither value nor state. */
static void apply_alone(struct home *t, size_t first, size_t n, void *delta)
{
	static char before[1 + LAGOON_UPDATE_STATES][N * sizeof(double)];
	size_t from = first * t->u.type_size, to = from + n * t->u.type_size;

	memcpy(before[0], t->value, t->bytes);
	for (int k = 0; k < LAGOON_UPDATE_STATES; k++)
		memcpy(before[1 + k], t->state[k], t->bytes);
	apply(t, first, n, delta);
	for (int k = 0; k <= LAGOON_UPDATE_STATES; k++) {
		const char *now = k ? t->state[k - 1] : t->value;

		cr_assert_eq(memcmp(now, before[k], from), 0);
		cr_assert_eq(memcmp(now + to, before[k] + to, t->bytes - to), 0);
	}
}

static void compare(struct home *t, const struct reference_of *r, size_t i,
		    double tolerance, double *worst)
{
	struct history *h = &t->h[i];
	long double got = number(t, t->value, i), want = r->next(h, r->param);

	h->w[h->n] = want;
	if (fabsl(want) > t->most[i])
		t->most[i] = fabsl(want);
	if (got == want)
		return;
	*worst = fmax(*worst, (double)(fabsl(got - want) / t->most[i]));
	cr_assert(fabsl(got - want) <= tolerance * t->most[i],
		  "%s: element %zu after %d gradients: %.17Lg, expected %.17Lg",
		  r->text, i, h->n, got, want);
}

/* One worker's push of one run: gradients of a quadratic with noise, some 0,
 * taken at the values that it has. */
static void push(struct home *t, const struct reference_of *r, const double *has,
		 double tolerance, double *worst)
{
	double delta[N];
	size_t first = draw(t, N), n = 1 + draw(t, (uint32_t)(N - first));

	for (size_t i = 0; i < n; i++) {
		struct history *h = &t->h[first + i];
		double at_value = isfinite(has[first + i]) ? has[first + i] : 0;
		double g = 0.3 * (at_value - sin((double)(first + i))) +
			   (draw(t, 2001) - 1000.0) * 1e-3;

		set_number(t, delta, i, draw(t, 10) ? g : 0);
		cr_assert(h->n < GRADIENTS);
		h->g[h->n++] = number(t, delta, i);
	}
	apply_alone(t, first, n, delta);
	for (size_t i = first; i < first + n; i++)
		compare(t, r, i, tolerance, worst);
}

static double follow(const struct reference_of *r, int type, uint64_t seed,
		     double tolerance)
{
	static double has[WORKERS][N];
	struct home t = { .random = seed };
	double worst = 0;

	memset(has, 0, sizeof(has));
	begin(&t, r->text, type, N);
	for (int i = 0; i < N; i++) {
		t.h[i].w[0] = r->first;
		t.most[i] = isfinite(r->first) ? fabs(r->first) : 0;
		if (type == LAGOON_F32)
			t.most[i] = fmax((double)t.most[i], r->size);
		cr_assert_eq(number(&t, t.value, (size_t)i), r->first);
	}
	for (int clock = 0; clock < CLOCKS; clock++) {
		for (int k = 0; k < WORKERS * RUNS; k++) {
			double *mine = has[draw(&t, WORKERS)];

			for (int i = 0; draw(&t, 3) == 0 && i < N; i++)
				mine[i] = number(&t, t.value, (size_t)i);
			push(&t, r, mine, tolerance, &worst);
		}
	}
	end(&t);
	return worst;
}

/* What is seen is 1e-14 at most, and with prox-l1 2e-13. */
Test(update, as_the_papers_say_f64)
{
	for (const struct reference_of *r = references; r->text; r++)
		for (uint64_t seed = 1; seed <= 3; seed++)
			follow(r, LAGOON_F64, seed, 1e-12);
}

/* 1500 roundings of 2^-24 each are 1e-4 at most; what is seen is below 2e-6, and
 * with prox-l1, where numbers cancel, 1.3e-5. */
Test(update, as_the_papers_say_f32)
{
	for (const struct reference_of *r = references; r->text; r++)
		for (uint64_t seed = 1; seed <= 3; seed++)
			follow(r, LAGOON_F32, seed, 5e-5);
}

/* Every function that there is has a reference above. */
Test(update, none_is_left_out)
{
	const char *name;

	for (size_t k = 0; (name = lgn_update_name(k)); k++) {
		const struct reference_of *r = references;

		while (r->text && (strncmp(r->text, name, strlen(name)) ||
				   (r->text[strlen(name)] &&
				    r->text[strlen(name)] != ',')))
			r++;
		cr_assert(r->text, "%s is not tested", name);
	}
}

/* Where a run is cut does not show: not one bit, also behind the last whole
 * vector. */
static void cut(const char *text, int type)
{
	static double delta[LONG];
	struct home whole = { .random = 5 }, parts = { .random = 6 };

	begin(&whole, text, type, LONG);
	begin(&parts, text, type, LONG);
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < LONG; i++)
			set_number(&whole, delta, i,
				   (draw(&whole, 2001) - 1000.0) / 999);
		apply(&whole, 0, LONG, delta);
		for (size_t i = 0, n; i < LONG; i += n) {
			n = 1 + draw(&parts, draw(&parts, 2) ? 9 : 600);
			n = n < LONG - i ? n : LONG - i;
			apply(&parts, i, n, at(&parts, delta, i));
		}
		cr_assert_eq(memcmp(whole.value, parts.value, whole.bytes), 0,
			     "%s: round %d", text, round);
		for (int k = 0; k < LAGOON_UPDATE_STATES; k++)
			cr_assert_eq(memcmp(whole.state[k], parts.state[k],
					    whole.bytes), 0, "%s", text);
	}
	end(&whole);
	end(&parts);
}

Test(update, runs_may_be_cut_anywhere)
{
	for (const struct reference_of *r = references; r->text; r++) {
		cut(r->text, LAGOON_F64);
		cut(r->text, LAGOON_F32);
	}
}

/* Several deltas that are combined and shown: bit for bit what the home makes
 * of the combined one; for sums of whole numbers also of each in turn. */
static void show(const char *text, int type)
{
	struct home combined = { .random = 7 }, each = { .random = 8 };
	double pending[N], delta[N], copy[N];

	begin(&combined, text, type, N);
	begin(&each, text, type, N);
	if (!lgn_update_views(&combined.u))
		goto out;
	for (int round = 0; round < 20; round++) {
		for (int k = 0; k < 4; k++) {
			for (size_t i = 0; i < N; i++)
				set_number(&combined, delta, i,
					   draw(&combined, 2001) - 1000.0);
			apply(&each, 0, N, delta);
			if (k == 0)
				memcpy(pending, delta, combined.bytes);
			else
				lgn_update_combine(&combined.u, N, pending, delta);
		}
		memcpy(copy, combined.value, combined.bytes);
		lgn_update_view(&combined.u, N, copy, pending);
		apply(&combined, 0, N, pending);
		cr_assert_eq(memcmp(copy, combined.value, combined.bytes), 0,
			     "%s", text);
		if (strncmp(text, "sgd", 3))
			cr_assert_eq(memcmp(each.value, combined.value,
					    combined.bytes), 0, "%s", text);
	}
out:
	end(&combined);
	end(&each);
}

Test(update, pending_deltas_are_shown_as_they_will_be)
{
	int views = 0;

	for (const struct reference_of *r = references; r->text; r++) {
		struct lgn_update u;

		show(r->text, LAGOON_F64);
		show(r->text, LAGOON_F32);
		cr_assert_eq(lgn_update_open(r->text, LAGOON_F64, &u), 0);
		views += lgn_update_views(&u);
		lgn_update_close(&u);
	}
	/* add, assign, min twice, max twice, sgd; not sgd with combine=none */
	cr_assert_eq(views, 7);
}

/* No gradient yet, or only zeros, and nothing added to the divisor. */
Test(update, zero_over_zero_is_zero)
{
	static const char *const text[] = {
		"adagrad,rate=0.1,epsilon=0", "adam,epsilon=0",
		"ftrl,alpha=0.1,beta=0",
	};
	double delta[N] = { 0 };

	for (size_t k = 0; k < LGN_COUNT(text); k++) {
		for (int type = LAGOON_F64; type <= LAGOON_F32; type++) {
			struct home t = { .random = 9 };

			begin(&t, text[k], type, N);
			apply(&t, 0, N, delta);
			for (size_t i = 0; i < N; i++)
				cr_assert_eq(number(&t, t.value, i), 0, "%s",
					     text[k]);
			end(&t);
		}
	}
}

/* Far more steps than float can count: no correction of the bias is left. */
Test(update, adam_after_very_many_steps)
{
	struct home t = { .random = 1 };
	double delta[N];

	begin(&t, "adam,rate=0.5,epsilon=0", LAGOON_F32, N);
	for (size_t i = 0; i < N; i++) {
		set_number(&t, t.state[0], i, 1);
		set_number(&t, t.state[1], i, 4);
		set_number(&t, t.state[2], i, 1 << 24);
		set_number(&t, delta, i, 1);
	}
	apply(&t, 0, N, delta);
	cr_assert_eq(number(&t, t.state[2], 0), 1 << 24);
	/* m = 1, v = 3.997 */
	cr_assert(fabs(number(&t, t.value, 0) + 0.5 / sqrt(3.997)) < 1e-6);
	end(&t);
}
