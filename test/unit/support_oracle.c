/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The oracle of the property tests, against histories made by hand: what is
 * right passes, and each kind of wrong is found and called by its name.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/oracle.h"
#include "test/support/test.h"

enum { READER = 0, OTHER = 1, THIRD = 2, WORKERS = 3, ELEMS = 64 };

static struct or_log *log_;
static struct or_seen *seen;
static int64_t least[ELEMS][OR_WORKERS];
static char why[OR_WHY];

static void setup(void)
{
	log_ = calloc(1, sizeof(*log_));
	seen = calloc(1, sizeof(*seen));
	or_log_init(log_, 7, WORKERS, ELEMS, 4, 61);
}

static void teardown(void)
{
	free(log_);
	free(seen);
}

TestSuite(oracle, .init = setup, .fini = teardown, .timeout = 20);

/* The first element that all three write. */
static uint32_t common(void)
{
	struct or_code code;

	for (uint32_t e = 0; e < ELEMS; e++) {
		or_code(log_, e, &code);
		if (code.count == WORKERS)
			return e;
	}
	cr_assert_fail("no element with all writers");
	return 0;
}

static int64_t own_add(uint32_t e, int64_t count)
{
	int64_t delta = or_add(log_, e, READER, count);

	or_add_done(seen, e, READER, count);
	return delta;
}

static void end_round_of_all(void)
{
	for (int j = 0; j < WORKERS; j++)
		or_round_end(log_, j);
}

static struct or_pull begin(enum or_model model, int32_t clock, int32_t bound,
			    const uint32_t *elem, uint32_t n)
{
	struct or_pull pull = {
		.worker = READER, .model = model, .clock = clock,
		.bound = bound, .n = n, .elem = elem, .least = least,
	};

	or_pull_begin(seen, &pull);
	return pull;
}

static bool pull_shows(enum or_model model, int32_t clock, int32_t bound,
		       uint32_t e, int64_t value)
{
	struct or_pull pull = begin(model, clock, bound, &e, 1);

	return or_pull_check(log_, &pull, &value, seen, why);
}

#define cr_found(call, rule) do { \
	why[0] = 0; \
	cr_assert_not(call, "a wrong history passed"); \
	cr_assert(strstr(why, rule), "found as \"%s\", not as %s", why, rule); \
} while (0)

#define cr_passes(call) do { \
	why[0] = 0; \
	cr_assert(call, "a right history failed: %s", why); \
} while (0)

/* Digits come back from any sum of the writers' deltas, at every width. */
Test(oracle, decode_inverts_add)
{
	static const uint32_t widths[] = { 23, 29, 52, 61 };
	struct t_rng rng = { 11 };

	for (size_t k = 0; k < T_COUNT(widths) * 200; k++) {
		int64_t sum = 0, digit[OR_WORKERS];
		uint32_t e = (uint32_t)(k % ELEMS);
		uint32_t bits = widths[k % T_COUNT(widths)];

		or_log_init(log_, k, 1 + (uint32_t)k % OR_WORKERS, ELEMS, 4,
			    bits);
		for (uint32_t j = 0; j < log_->workers; j++)
			for (int i = 0; i < 2; i++)
				sum += or_add(log_, e, (int)j, (int64_t)
					t_below(&rng, 1 + (uint64_t)or_room(
						log_, e, (int)j)));
		cr_assert(llabs(sum) < INT64_C(1) << bits);
		cr_assert(or_decode(log_, e, sum, digit));
		for (uint32_t j = 0; j < log_->workers; j++)
			cr_assert_eq(digit[j], log_->begun[j][e]);
		cr_passes(or_exact(log_, e, sum, why));
		cr_assert_not(or_exact(log_, e, sum + 1, why));
		cr_assert_not(or_exact(log_, e, sum - 1, why));
	}
}

Test(oracle, ssp_between_bounds)
{
	uint32_t e = common();
	int64_t value = 0;

	value += or_add(log_, e, OTHER, 2);
	end_round_of_all();
	/* a newer delta may be there or not */
	cr_passes(pull_shows(OR_SSP, 1, 0, e, value));
	value += or_add(log_, e, OTHER, 1);
	cr_passes(pull_shows(OR_SSP, 1, 0, e, value));
	/* and under a looser bound an older one may be missing */
	memset(seen, 0, sizeof(*seen));
	cr_passes(pull_shows(OR_SSP, 1, 1, e, 0));
	cr_passes(pull_shows(OR_ASP, 1, 0, e, 0));
}

/* psp asks some: their rounds must be there, others' need not. */
Test(oracle, psp_of_those_asked)
{
	uint32_t e = common();
	int64_t value = or_add(log_, e, OTHER, 2);
	int64_t none = 0;
	struct or_pull pull;

	or_round_end(log_, READER);
	or_round_end(log_, OTHER);
	pull = begin(OR_PSP, 1, 0, &e, 1);
	cr_passes(or_pull_check(log_, &pull, &none, seen, why));
	pull.asked = 1u << OTHER;
	cr_found(or_pull_check(log_, &pull, &none, seen, why), "I1, too old");
	cr_passes(or_pull_check(log_, &pull, &value, seen, why));
	pull.asked |= 1u << THIRD;
	cr_found(or_pull_check(log_, &pull, &value, seen, why), "I1, did not wait");
}

Test(oracle, essp_and_vap)
{
	uint32_t e = common();

	or_add(log_, e, OTHER, 2);
	end_round_of_all();
	cr_found(pull_shows(OR_ESSP, 1, 0, e, 0), "I1, too old");
	cr_passes(pull_shows(OR_ESSP, 1, 1, e, 0));
	cr_passes(pull_shows(OR_VAP, 9, 0, e, 0));
}

Test(oracle, finds_too_old)
{
	uint32_t e = common();
	int64_t old = or_add(log_, e, OTHER, 2);

	end_round_of_all();
	or_add(log_, e, OTHER, 3);
	end_round_of_all();
	cr_found(pull_shows(OR_SSP, 2, 0, e, old), "I1, too old");
	cr_passes(pull_shows(OR_SSP, 2, 1, e, old));
	cr_found(pull_shows(OR_SSP, 3, 1, e, old), "I1");
}

/* The published clock ran ahead of the flush, or nobody waited. */
Test(oracle, finds_no_wait)
{
	uint32_t e = common();

	or_round_end(log_, READER);
	or_round_end(log_, OTHER);
	cr_found(pull_shows(OR_SSP, 1, 0, e, 0), "I1, did not wait");
	cr_passes(pull_shows(OR_SSP, 1, 1, e, 0));
	or_leave(log_, THIRD);
	cr_passes(pull_shows(OR_SSP, 1, 0, e, 0));
	or_leave(log_, OTHER);
	cr_passes(pull_shows(OR_SSP, 9, 0, e, 0));
}

Test(oracle, finds_lost_delta_of_a_worker_that_left)
{
	uint32_t e = common();
	int64_t value = or_add(log_, e, OTHER, 5);

	or_leave(log_, OTHER);
	or_round_end(log_, THIRD);
	cr_passes(pull_shows(OR_SSP, 1, 0, e, value));
	memset(seen, 0, sizeof(*seen));
	cr_found(pull_shows(OR_SSP, 1, 0, e, 0), "I1, too old");
}

Test(oracle, finds_own_delta_missing_or_twice)
{
	uint32_t e = common();
	int64_t value = own_add(e, 4);
	int64_t one = or_add(log_, e, READER, 0) + value / 4;

	cr_passes(pull_shows(OR_ASP, 0, 0, e, value));
	cr_found(pull_shows(OR_ASP, 0, 0, e, 0), "I2, own delta missing");
	cr_found(pull_shows(OR_ASP, 0, 0, e, 3 * one), "I2, own delta missing");
	cr_found(pull_shows(OR_ASP, 0, 0, e, 2 * value), "I2, own delta twice");
	cr_found(pull_shows(OR_ASP, 0, 0, e, 5 * one), "I2, own delta twice");
}

/* Between its start and its completion an add may show or not, then it must. */
Test(oracle, asynchronous_add)
{
	uint32_t e = common();
	int64_t delta = or_add(log_, e, READER, 4);

	cr_passes(pull_shows(OR_SSP, 0, 0, e, 0));
	cr_passes(pull_shows(OR_SSP, 0, 0, e, delta));
	memset(seen, 0, sizeof(*seen));
	or_add_done(seen, e, READER, 4);
	cr_found(pull_shows(OR_SSP, 0, 0, e, 0), "I2, own delta missing");
	cr_passes(pull_shows(OR_SSP, 0, 0, e, delta));
}

Test(oracle, finds_another_delta_twice)
{
	uint32_t e = common();
	int64_t value = or_add(log_, e, OTHER, 4);

	cr_found(pull_shows(OR_ASP, 0, 0, e, 2 * value), "I3, more than");
}

Test(oracle, finds_going_back)
{
	uint32_t e = common();
	int64_t first = or_add(log_, e, OTHER, 1);
	int64_t second = first + or_add(log_, e, OTHER, 1);

	cr_passes(pull_shows(OR_ASP, 0, 0, e, second));
	cr_found(pull_shows(OR_ASP, 0, 0, e, first), "I4, older");
}

/* Of two pulls in flight the one that began first may show less. */
Test(oracle, pulls_in_flight_may_cross)
{
	uint32_t e = common();
	int64_t first = or_add(log_, e, OTHER, 1);
	int64_t second = first + or_add(log_, e, OTHER, 1);
	static int64_t kept[1][OR_WORKERS];
	struct or_pull early = begin(OR_ASP, 0, 0, &e, 1);

	memcpy(kept, least, sizeof(kept));
	early.least = kept;
	cr_passes(pull_shows(OR_ASP, 0, 0, e, second));
	cr_passes(or_pull_check(log_, &early, &first, seen, why));
	cr_found(pull_shows(OR_ASP, 0, 0, e, first), "I4, older");
}

Test(oracle, bsp_is_exact)
{
	uint32_t e = common();
	int64_t one = or_add(log_, e, OTHER, 1), two;

	cr_passes(pull_shows(OR_BSP, 0, 0, e, 0));
	cr_found(pull_shows(OR_BSP, 0, 0, e, one), "bsp, round not kept apart");
	end_round_of_all();
	two = one + or_add(log_, e, OTHER, 1);
	cr_passes(pull_shows(OR_BSP, 1, 0, e, one + own_add(e, 3)));
	memset(seen->digit, 0, sizeof(seen->digit));
	cr_found(pull_shows(OR_BSP, 1, 0, e, two), "bsp, round not kept apart");
	memset(seen, 0, sizeof(*seen));
	cr_found(pull_shows(OR_BSP, 1, 0, e, 0), "I1, too old");
	cr_found(pull_shows(OR_BSP, 2, 0, e, two), "I1, did not wait");
}

Test(oracle, finds_damage)
{
	uint32_t e = common();
	int64_t value = own_add(e, 1) + or_add(log_, e, OTHER, 1);

	cr_passes(pull_shows(OR_ASP, 0, 0, e, value));
	for (int bit = 0; bit < 64; bit++)
		cr_assert_not(pull_shows(OR_ASP, 0, 0, e,
					 (int64_t)((uint64_t)value ^
						   UINT64_C(1) << bit)),
			      "flip of bit %d passed", bit);
	cr_assert_not(pull_shows(OR_ASP, 0, 0, e, -value));
	cr_assert_not(pull_shows(OR_ASP, 0, 0, e, INT64_MIN));
	cr_assert_not(pull_shows(OR_ASP, 0, 0, e, INT64_MAX));
}

Test(oracle, exact_finds_a_dropped_delta)
{
	uint32_t e = common();
	int64_t value = or_add(log_, e, OTHER, 7) + or_add(log_, e, THIRD, 2);
	int64_t part = or_add(log_, e, THIRD, 1);

	cr_passes(or_exact(log_, e, value + part, why));
	cr_found(or_exact(log_, e, value, why), "I3");
	cr_found(or_exact(log_, e, value + 2 * part, why), "I3");
}

Test(oracle, names_are_whole_words)
{
	cr_assert(t_names("rank 1: peer rank 12 is dead", "rank ", 12));
	cr_assert(t_names("rank 1: peer rank 12 is dead", "rank ", 1));
	cr_assert_not(t_names("rank 11: peer rank 12 is dead", "rank ", 1));
	cr_assert(t_names("column 5, value -7", "", -7));
	cr_assert_not(t_names("column 5, value -7", "", 7));
}
