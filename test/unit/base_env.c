/* SPDX-License-Identifier: BSD-3-Clause */
/* Environment variables: defaults, values in force, and what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/env.h"
#include "runtime/base/status.h"

static void clear(void)
{
	for (int id = 0; id < LGN_ENV_COUNT; id++)
		unsetenv(lgn_env_entry((enum lgn_env_id)id)->name);
}

TestSuite(env, .init = clear);

Test(env, rows_stand_at_their_ids)
{
	cr_assert_str_eq(lgn_env_entry(LGN_ENV_ID_LOG)->name, "LAGOON_LOG");
	cr_assert_str_eq(lgn_env_entry(LGN_ENV_ID_SYNTHETIC)->name,
			 "LAGOON_SYNTHETIC");
	for (int id = 0; id < LGN_ENV_COUNT; id++) {
		const struct lgn_env_entry *entry =
			lgn_env_entry((enum lgn_env_id)id);

		cr_assert_eq(strncmp(entry->name, "LAGOON_", 7), 0, "%s",
			     entry->name);
		cr_assert(*entry->help, "%s has no help", entry->name);
		for (int k = 0; k < id; k++)
			cr_assert(strcmp(
				entry->name,
				lgn_env_entry((enum lgn_env_id)k)->name));
	}
}

/* A default that its own getter refuses would break every program. */
Test(env, defaults_are_legal)
{
	for (int i = 0; i < LGN_ENV_COUNT; i++) {
		enum lgn_env_id id = (enum lgn_env_id)i;
		const struct lgn_env_entry *entry = lgn_env_entry(id);
		int64_t number;
		int choice;

		cr_assert_str_eq(lgn_env_text(id), entry->def);
		if (entry->kind == LGN_ENV_INT)
			cr_assert_eq(lgn_env_int(id, &number), 0, "%s",
				     lagoon_errmsg());
		if (entry->kind == LGN_ENV_CHOICE)
			cr_assert_eq(lgn_env_choice(id, &choice), 0, "%s",
				     lagoon_errmsg());
	}
}

Test(env, an_empty_value_means_the_default)
{
	setenv("LAGOON_TIMEOUT", "", 1);
	cr_assert_str_eq(lgn_env_text(LGN_ENV_ID_TIMEOUT), "30");
	setenv("LAGOON_TIMEOUT", "7", 1);
	cr_assert_str_eq(lgn_env_text(LGN_ENV_ID_TIMEOUT), "7");
}

Test(env, integers_within_the_bounds)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{ "0", 0 }, { "1", 1 }, { "1024", 1024 }, { "0007", 7 }, { "+5", 5 },
	};
	int64_t value;

	for (size_t i = 0; i < LGN_COUNT(good); i++) {
		setenv("LAGOON_WORKERS", good[i].text, 1);
		value = -99;
		cr_assert_eq(lgn_env_int(LGN_ENV_ID_WORKERS, &value), 0,
			     "%s", good[i].text);
		cr_assert_eq(value, good[i].value, "%s", good[i].text);
	}
	setenv("LAGOON_SEED", "9223372036854775807", 1);
	cr_assert_eq(lgn_env_int(LGN_ENV_ID_SEED, &value), 0);
	cr_assert_eq(value, INT64_MAX);
}

Test(env, integers_that_are_refused)
{
	static const char *const bad[] = {
		"1025", "-1", "x", "4x", "4 ", " 4", "\n4", " ", "1e3", "0x10", "1.5",
		"99999999999999999999", "-99999999999999999999",
	};

	for (size_t i = 0; i < LGN_COUNT(bad); i++) {
		int64_t value = -99;

		setenv("LAGOON_WORKERS", bad[i], 1);
		cr_assert_eq(lgn_env_int(LGN_ENV_ID_WORKERS, &value),
			     LAGOON_EINVAL, "\"%s\"", bad[i]);
		cr_assert_eq(value, -99, "\"%s\" wrote an output", bad[i]);
		cr_assert(strstr(lagoon_errmsg(), "LAGOON_WORKERS"));
		cr_assert(strstr(lagoon_errmsg(), bad[i]), "%s",
			  lagoon_errmsg());
		cr_assert(strstr(lagoon_errmsg(), "from 0 to 1024"));
	}
}

/* What strtoll() clamps would pass for the largest value. */
Test(env, integers_that_do_not_fit)
{
	int64_t value = -99;

	setenv("LAGOON_SEED", "9223372036854775808", 1);
	cr_assert_eq(lgn_env_int(LGN_ENV_ID_SEED, &value),
		     LAGOON_EINVAL);
	cr_assert_eq(value, -99);
}

Test(env, choices_by_their_place_in_the_list)
{
	static const char *const levels[] = { "error", "warn", "info",
					      "debug" };
	int choice;

	for (int i = 0; i < (int)LGN_COUNT(levels); i++) {
		setenv("LAGOON_LOG", levels[i], 1);
		cr_assert_eq(lgn_env_choice(LGN_ENV_ID_LOG, &choice), 0);
		cr_assert_eq(choice, i, "%s", levels[i]);
	}
}

Test(env, choices_that_are_refused)
{
	static const char *const bad[] = { "err", "errors", "Error", "|",
					   "error|warn", "warn " };

	for (size_t i = 0; i < LGN_COUNT(bad); i++) {
		int choice = -99;

		setenv("LAGOON_LOG", bad[i], 1);
		cr_assert_eq(lgn_env_choice(LGN_ENV_ID_LOG, &choice),
			     LAGOON_EINVAL, "\"%s\"", bad[i]);
		cr_assert_eq(choice, -99, "\"%s\" wrote an output", bad[i]);
		cr_assert(strstr(lagoon_errmsg(), "LAGOON_LOG"));
		cr_assert(strstr(lagoon_errmsg(), "error|warn|info|debug"));
	}
}

/* Every bound of every number: the value on it, and the one beyond. */
Test(env, bounds_of_every_number)
{
	for (int i = 0; i < LGN_ENV_COUNT; i++) {
		enum lgn_env_id id = (enum lgn_env_id)i;
		const struct lgn_env_entry *e = lgn_env_entry(id);
		char text[4][24];

		if (e->kind != LGN_ENV_INT)
			continue;
		cr_assert_lt(e->min, e->max, "%s", e->name);
		snprintf(text[0], sizeof(text[0]), "%lld", (long long)e->min);
		snprintf(text[1], sizeof(text[1]), "%lld", (long long)e->max);
		snprintf(text[2], sizeof(text[2]), "%lld",
			 (long long)e->min - 1);
		snprintf(text[3], sizeof(text[3]), "%llu",
			 (unsigned long long)e->max + 1);
		for (int k = 0; k < 4; k++) {
			setenv(e->name, text[k], 1);
			cr_expect_eq(lgn_env_check(id),
				     k < 2 ? 0 : LAGOON_EINVAL, "%s=%s",
				     e->name, text[k]);
			cr_expect_eq(lgn_env_legal(id, text[k]), k < 2, "%s=%s",
				     e->name, text[k]);
		}
		cr_expect(strstr(lagoon_errmsg(), e->name), "%s",
			  lagoon_errmsg());
		cr_expect(strstr(lagoon_errmsg(), text[3]), "%s",
			  lagoon_errmsg());
		unsetenv(e->name);
	}
}

Test(env, one_that_is_refused_is_found_among_all)
{
	cr_assert_eq(lgn_env_check_all(), 0, "%s", lagoon_errmsg());
	for (int i = 0; i < LGN_ENV_COUNT; i++) {
		const struct lgn_env_entry *e = lgn_env_entry((enum lgn_env_id)i);
		bool text = e->kind == LGN_ENV_TEXT;

		cr_expect_not(lgn_env_set((enum lgn_env_id)i));
		setenv(e->name, "", 1);
		cr_expect_not(lgn_env_set((enum lgn_env_id)i));
		cr_expect_eq(lgn_env_check_all(), 0, "%s", e->name);
		setenv(e->name, "maybe", 1);
		cr_expect(lgn_env_set((enum lgn_env_id)i));
		lgn_errmsg_set("");
		cr_expect_eq(lgn_env_check_all(), text ? 0 : LAGOON_EINVAL,
			     "%s", e->name);
		cr_expect(text || (strstr(lagoon_errmsg(), e->name) &&
				   strstr(lagoon_errmsg(), "\"maybe\"")),
			  "%s: %s", e->name, lagoon_errmsg());
		unsetenv(e->name);
	}
}

static char typos[512];

static void note_typo(void *arg, const char *name, int len, const char *meant)
{
	size_t n = strlen(typos);

	(void)arg;
	snprintf(typos + n, sizeof(typos) - n, "%.*s>%s ", len, name, meant);
}

Test(env, names_that_are_nearly_ours)
{
	static const char *const set[] = {
		"LAGOON_WORKER", "LAGOON_WORKERS", "LAGOON_SOMETHING",
		"LAGOON_", "LAGOONWORKERS", "NEMESIS", "LAGOON_STEED",
		"LAGOON_SEDE", "LAGOON_INTRFAEC", "LAGOON_AT", "LAGOON_TUM",
		"LAGOON_A_NAME_THAT_IS_FAR_LONGER_THAN_ANY_OF_OURS_COULD_BE",
	};

	clearenv();
	for (size_t i = 0; i < LGN_COUNT(set); i++)
		setenv(set[i], "2", 1);
	typos[0] = 0;
	lgn_env_typos(note_typo, NULL);
	cr_assert(strstr(typos, "LAGOON_WORKER>LAGOON_WORKERS "), "%s", typos);
	cr_assert(strstr(typos, "LAGOONWORKERS>LAGOON_WORKERS "), "%s", typos);
	cr_assert(strstr(typos, "LAGOON_STEED>LAGOON_SEED "), "%s", typos);
	cr_assert(strstr(typos, "LAGOON_SEDE>LAGOON_SEED "), "%s", typos);
	cr_assert(strstr(typos, "LAGOON_INTRFAEC>LAGOON_INTERFACE "), "%s",
		  typos);
	/* two slips of three letters */
	cr_assert_not(strstr(typos, "LAGOON_AT>"), "%s", typos);
	cr_assert_not(strstr(typos, "LAGOON_TUM>"), "%s", typos);
	cr_assert_not(strstr(typos, "SOMETHING"), "%s", typos);
	cr_assert_not(strstr(typos, "LAGOON_WORKERS>"), "%s", typos);
	cr_assert_not(strstr(typos, "NEMESIS"), "%s", typos);
}

/* A near name alone is no mistake: nobody means yes or no by a path. */
Test(env, values_tell_whose_a_near_name_is)
{
	static const char *const set[][2] = {
		{ "LAGOON_BIN", "./lagoon" }, { "LAGOON_BUILD", "/tmp/build" },
		{ "LAGOON_BIND_", "" }, { "LAGOON_NODE", "node17" },
		{ "LAGOON_NODESS", "2048" }, { "LAGOON_TEST_TIMEOUT", "500" },
		{ "LAGOON_RNRRETRY", "6" }, { "LAGOON_BNID", "no" },
	};

	clearenv();
	for (size_t i = 0; i < LGN_COUNT(set); i++)
		setenv(set[i][0], set[i][1], 1);
	typos[0] = 0;
	lgn_errmsg_set("before");
	lgn_env_typos(note_typo, NULL);
	cr_assert(strstr(typos, "LAGOON_BNID>LAGOON_BIND "), "%s", typos);
	cr_assert(strstr(typos, "LAGOON_RNRRETRY>LAGOON_RNR_RETRY "), "%s",
		  typos);
	cr_assert_eq(strlen(typos), strlen("LAGOON_BNID>LAGOON_BIND "
		     "LAGOON_RNRRETRY>LAGOON_RNR_RETRY "), "%s", typos);
	cr_assert_str_eq(lagoon_errmsg(), "before");

	setenv("LAGOON_BIN", "no", 1);
	typos[0] = 0;
	lgn_env_typos(note_typo, NULL);
	cr_assert(strstr(typos, "LAGOON_BIN>LAGOON_BIND "), "%s", typos);
}
