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
			cr_assert_eq(lgn_env_int(id, -1, INT64_MAX, &number), 0,
				     "%s", lagoon_errmsg());
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
		{ "1", 1 }, { "1024", 1024 }, { "0007", 7 }, { "+5", 5 },
	};
	int64_t value;

	for (size_t i = 0; i < LGN_COUNT(good); i++) {
		setenv("LAGOON_WORKERS", good[i].text, 1);
		value = -99;
		cr_assert_eq(lgn_env_int(LGN_ENV_ID_WORKERS, 1, 1024, &value),
			     0, "%s", good[i].text);
		cr_assert_eq(value, good[i].value, "%s", good[i].text);
	}
	setenv("LAGOON_SEED", "9223372036854775807", 1);
	cr_assert_eq(lgn_env_int(LGN_ENV_ID_SEED, 0, INT64_MAX, &value), 0);
	cr_assert_eq(value, INT64_MAX);
}

Test(env, integers_that_are_refused)
{
	static const char *const bad[] = {
		"0", "1025", "-1", "x", "4x", "4 ", "1e3", "0x10", "1.5",
		"99999999999999999999", "-99999999999999999999",
	};

	for (size_t i = 0; i < LGN_COUNT(bad); i++) {
		int64_t value = -99;

		setenv("LAGOON_WORKERS", bad[i], 1);
		cr_assert_eq(lgn_env_int(LGN_ENV_ID_WORKERS, 1, 1024, &value),
			     LAGOON_EINVAL, "\"%s\"", bad[i]);
		cr_assert_eq(value, -99, "\"%s\" wrote an output", bad[i]);
		cr_assert(strstr(lagoon_errmsg(), "LAGOON_WORKERS"));
		cr_assert(strstr(lagoon_errmsg(), bad[i]), "%s",
			  lagoon_errmsg());
		cr_assert(strstr(lagoon_errmsg(), "from 1 to 1024"));
	}
}

/* What strtoll() clamps would pass for the largest value. */
Test(env, integers_that_do_not_fit)
{
	int64_t value = -99;

	setenv("LAGOON_SEED", "9223372036854775808", 1);
	cr_assert_eq(lgn_env_int(LGN_ENV_ID_SEED, 0, INT64_MAX, &value),
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

static char typos[256];

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
	cr_assert_not(strstr(typos, "SOMETHING"), "%s", typos);
	cr_assert_not(strstr(typos, "LAGOON_WORKERS>"), "%s", typos);
	cr_assert_not(strstr(typos, "NEMESIS"), "%s", typos);
}
