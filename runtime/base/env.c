/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/env.h"
#include "runtime/base/status.h"

/* The kinds of the table, as the rest of a row. */
#define ROW_INT(least, most) LGN_ENV_INT, least, most, NULL
#define ROW_CHOICE(list) LGN_ENV_CHOICE, 0, 0, list
#define ROW_TEXT LGN_ENV_TEXT, 0, 0, NULL

static const struct lgn_env_entry table[] = {
#define LGN_ENV(name, kind, def, help) \
	{ "LAGOON_" #name, def, help, ROW_##kind },
#include "runtime/base/env_table.h"
#undef LGN_ENV
};

const struct lgn_env_entry *lgn_env_entry(enum lgn_env_id id)
{
	return &table[id];
}

bool lgn_env_set(enum lgn_env_id id)
{
	const char *text = getenv(table[id].name);

	return text && *text;
}

const char *lgn_env_text(enum lgn_env_id id)
{
	return lgn_env_set(id) ? getenv(table[id].name) : table[id].def;
}

static bool is_int(const struct lgn_env_entry *e, const char *text,
		   int64_t *value)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || *end || end == text || isspace((unsigned char)*text) ||
	    v < e->min || v > e->max)
		return false;
	*value = v;
	return true;
}

static bool is_choice(const struct lgn_env_entry *e, const char *text,
		      int *value)
{
	size_t len = strlen(text);
	int index = 0;

	for (const char *p = e->choices; ; index++) {
		size_t n = strcspn(p, "|");

		if (n == len && !memcmp(p, text, n)) {
			*value = index;
			return true;
		}
		if (!p[n])
			return false;
		p += n + 1;
	}
}

/* Only what can be illegal. */
static int refuse(enum lgn_env_id id)
{
	const struct lgn_env_entry *e = &table[id];
	const char *text = lgn_env_text(id);

	if (e->kind == LGN_ENV_CHOICE)
		return lgn_fail(LAGOON_EINVAL,
				"%s is \"%.80s\": expected one of %s",
				e->name, text, e->choices);
	return lgn_fail(LAGOON_EINVAL,
			"%s is \"%.80s\": expected an integer from %lld to %lld (%s)",
			e->name, text, (long long)e->min, (long long)e->max,
			e->help);
}

int lgn_env_int(enum lgn_env_id id, int64_t *value)
{
	return is_int(&table[id], lgn_env_text(id), value) ? 0 : refuse(id);
}

int lgn_env_choice(enum lgn_env_id id, int *value)
{
	return is_choice(&table[id], lgn_env_text(id), value) ? 0 : refuse(id);
}

bool lgn_env_legal(enum lgn_env_id id, const char *text)
{
	int64_t number;
	int choice;

	switch (table[id].kind) {
	case LGN_ENV_INT:
		return is_int(&table[id], text, &number);
	case LGN_ENV_CHOICE:
		return is_choice(&table[id], text, &choice);
	default:
		return true;
	}
}

int lgn_env_check(enum lgn_env_id id)
{
	return lgn_env_legal(id, lgn_env_text(id)) ? 0 : refuse(id);
}

int lgn_env_check_all(void)
{
	int rc = 0;

	for (int id = 0; id < LGN_ENV_COUNT && !rc; id++)
		rc = lgn_env_check((enum lgn_env_id)id);
	return rc;
}
