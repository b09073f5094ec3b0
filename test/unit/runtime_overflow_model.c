/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The push protocol of DESIGN 3 on lanes of a few bits, exhaustively: every
 * start, every delta, every interleaving of the steps of two or three adders.
 *
 * An adder does a fetch-and-add of its delta. If the old value that comes
 * back and the delta leave the legal range, it adds the negated delta back
 * and the delta counts as rejected. A delta above the bound of one
 * fetch-and-add goes by compare-and-swap instead. A state is wrong when the
 * stored lane is not the true sum of what has been added so far (it wrapped:
 * a reader decodes nonsense), and when at the end it is not start + the sum of
 * the accepted deltas as integers.
 *
 * With the guard band nothing is ever wrong; without it some starts are, so
 * the model can tell the two apart.
 */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>

enum { ADDERS_MAX = 3 };

struct rules {
	int bits;		/* of a lane */
	int legal;		/* |v| <= legal */
	int low;		/* 0: -legal; else the lowest legal value */
	int bound;		/* |delta| of one fetch-and-add */
	bool cas;		/* larger ones by compare-and-swap */
};

enum phase { TO_ADD, TO_UNDO, TO_SWAP, DONE };

struct adder {
	int delta;
	int next;		/* what it adds after that; 0: nothing */
	enum phase phase;
	int loaded;		/* for the compare-and-swap */
	int accepted;		/* sum of its deltas that were */
};

struct state {
	const struct rules *rules;
	int n;
	struct adder adder[ADDERS_MAX];
	int stored;		/* the lane, as signed bits */
	int truth;		/* what it should be, unbounded */
};

struct verdict {
	long ends;
	long wrapped;		/* states in which the lane is not the truth */
	long wrong;		/* ends that are not start + accepted */
	int worst;		/* largest |stored| */
};

/* The low bits of v as a signed number. */
static int wrap(int bits, int v)
{
	int span = 1 << bits;

	v &= span - 1;
	return v >= span / 2 ? v - span : v;
}

static bool is_legal(const struct rules *rules, int v)
{
	return v >= (rules->low ? rules->low : -rules->legal) &&
	       v <= rules->legal;
}

static void store(struct state *s, int delta)
{
	s->truth += delta;
	s->stored = wrap(s->rules->bits, s->stored + delta);
}

/* The delta is in, or given up: on to the next one. */
static void settle(struct adder *a, bool accepted)
{
	a->accepted += accepted ? a->delta : 0;
	a->delta = a->next;
	a->next = 0;
	a->phase = a->delta ? TO_ADD : DONE;
}

/* One atomic step of adder i. */
static void step(struct state *s, int i)
{
	const struct rules *rules = s->rules;
	struct adder *a = &s->adder[i];
	int old = s->stored;

	switch (a->phase) {
	case TO_ADD:
		if (rules->cas && abs(a->delta) > rules->bound) {
			a->loaded = old;
			a->phase = TO_SWAP;
			if (!is_legal(rules, old + a->delta))
				settle(a, false);
			break;
		}
		store(s, a->delta);
		if (is_legal(rules, old + a->delta))
			settle(a, true);
		else
			a->phase = TO_UNDO;
		break;
	case TO_UNDO:
		store(s, -a->delta);
		settle(a, false);
		break;
	case TO_SWAP:
		a->phase = TO_ADD;	/* somebody was faster: once more */
		if (old == a->loaded) {
			store(s, a->delta);
			settle(a, true);
		}
		break;
	case DONE:
		break;
	}
}

/* Every interleaving from here on. */
static void explore(const struct state *s, int start, struct verdict *v)
{
	int sum = start;
	bool ended = true;

	if (s->stored != s->truth)
		v->wrapped++;
	if (abs(s->stored) > v->worst)
		v->worst = abs(s->stored);
	for (int i = 0; i < s->n; i++) {
		struct state next = *s;

		sum += s->adder[i].accepted;
		if (s->adder[i].phase == DONE)
			continue;
		ended = false;
		step(&next, i);
		explore(&next, start, v);
	}
	if (ended) {
		v->ends++;
		v->wrong += s->stored != sum;
	}
}

struct work {
	int adders;
	int most;		/* |delta| of any */
	bool twice;		/* each adds two deltas, one after the other */
};

/* All deltas of adders i and above, from one start. */
static void all_deltas(struct state *s, int i, const struct work *work,
		       int start, struct verdict *v)
{
	int second = work->twice ? work->most : 0;

	if (i == s->n || i == ADDERS_MAX) {
		explore(s, start, v);
		return;
	}
	for (int d = -work->most; d <= work->most; d++)
		for (int e = -second; e <= second; e++) {
			s->adder[i] = (struct adder){ .delta = d, .next = e };
			all_deltas(s, i + 1, work, start, v);
		}
}

static struct verdict all_starts(const struct rules *rules,
				 const struct work *work)
{
	struct verdict v = { 0, 0, 0, 0 };

	for (int start = -rules->legal; start <= rules->legal; start++) {
		struct state s = {
			.rules = rules, .n = work->adders, .stored = start,
			.truth = start,
		};

		all_deltas(&s, 0, work, start, &v);
	}
	return v;
}

static void must_hold(const struct rules *rules, const struct work *work)
{
	struct verdict v = all_starts(rules, work);
	int adders = work->adders;

	cr_log_info("%d bits, legal %d, bound %d, %d adders: %ld ends, worst %d",
		    rules->bits, rules->legal, rules->bound, adders, v.ends,
		    v.worst);
	cr_assert_gt(v.ends, 0);
	cr_assert_eq(v.wrapped, 0, "%ld states wrapped (%d bits, %d adders)",
		     v.wrapped, rules->bits, adders);
	cr_assert_eq(v.wrong, 0, "%ld ends wrong (%d bits, %d adders)", v.wrong,
		     rules->bits, adders);
	cr_assert_lt(v.worst, 1 << (rules->bits - 1));
}

TestSuite(overflow_model, .timeout = 60);

/* 4 bits hold -8 ... 7. Legal 4 and two adders of 1: as in the design. */
Test(overflow_model, guard_band_4_bits_2_adders)
{
	static const struct rules add = { .bits = 4, .legal = 4, .bound = 1 };
	static const struct rules both = {
		.bits = 4, .legal = 4, .bound = 1, .cas = true,
	};

	must_hold(&add, &(struct work){ 2, 1, false });
	must_hold(&add, &(struct work){ 2, 1, true });
	must_hold(&both, &(struct work){ 2, 8, false });
	must_hold(&both, &(struct work){ 2, 3, true });
}

Test(overflow_model, guard_band_4_bits_3_adders)
{
	static const struct rules add = { .bits = 4, .legal = 2, .bound = 1 };
	static const struct rules both = {
		.bits = 4, .legal = 2, .bound = 1, .cas = true,
	};

	must_hold(&add, &(struct work){ 3, 1, false });
	must_hold(&both, &(struct work){ 3, 4, false });
}

/* The proportions of the design: legal 2^(b-2), P x bound = 2^(b-4). */
Test(overflow_model, guard_band_6_bits)
{
	static const struct rules two = {
		.bits = 6, .legal = 16, .bound = 2, .cas = true,
	};
	static const struct rules three = {
		.bits = 6, .legal = 16, .bound = 1, .cas = true,
	};

	must_hold(&two, &(struct work){ 2, 32, false });
	must_hold(&three, &(struct work){ 3, 3, false });
}

/* Legal is all that the lane holds, any delta by fetch-and-add: a check of
 * the old value alone does not help. Counted over starts and pairs of deltas
 * as the design counts: 16 x 16 x 16. */
Test(overflow_model, without_guard_band_it_is_wrong)
{
	static const struct rules rules = {
		.bits = 4, .legal = 7, .low = -8, .bound = 8,
	};
	long wrong = 0;

	for (int start = -8; start < 8; start++)
		for (int d = 0; d < 16 * 16; d++) {
			struct verdict v = { 0, 0, 0, 0 };
			struct state s = {
				.rules = &rules, .n = 2, .stored = start,
				.truth = start,
			};

			s.adder[0].delta = d % 16 - 8;
			s.adder[1].delta = d / 16 - 8;
			explore(&s, start, &v);
			wrong += v.wrong > 0;
		}
	cr_assert_eq(wrong, 344, "%ld of 4096 are wrong, not 344", wrong);
}

/* A guard band that is too narrow for the number of adders is none. */
Test(overflow_model, too_narrow_a_guard_band_is_wrong)
{
	static const struct rules rules = { .bits = 4, .legal = 6, .bound = 3 };
	struct verdict v = all_starts(&rules, &(struct work){ 3, 3, false });

	cr_assert_gt(v.wrapped, 0);
}

/* Two lanes in a word, (h << bits) + sign-extended l, every pair of sums:
 * unpacking gives them back, also from a word that was summed. */
Test(overflow_model, packed_lanes_are_exact)
{
	enum { BITS = 4, LO = -8, HI = 8, SPAN = 1 << (2 * BITS) };

	for (int h = LO; h < HI; h++)
		for (int l = LO; l < HI; l++) {
			int word = ((h * (1 << BITS)) + l) & (SPAN - 1);
			int low = wrap(BITS, word);
			int high = wrap(BITS, (word - low) >> BITS);

			cr_assert_eq(low, l);
			cr_assert_eq(high, h);
			for (int dh = LO; dh < HI; dh++)
				for (int dl = LO; dl < HI; dl++) {
					int sum = word + dh * (1 << BITS) + dl;

					if (h + dh < LO || h + dh >= HI ||
					    l + dl < LO || l + dl >= HI)
						continue;
					low = wrap(BITS, sum);
					cr_assert_eq(low, l + dl);
					cr_assert_eq(wrap(BITS, (sum - low) >> BITS),
						     h + dh);
				}
		}
}
