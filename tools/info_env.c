/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon info --env`: the environment options. */
#include <stdio.h>
#include <string.h>

#include "runtime/base/env.h"
#include "runtime/lagoon.h"
#include "tools/info.h"

enum { NAME, FROM, VALUE, DEFAULT, COLUMNS };

static const char *const head[COLUMNS] = {
	[NAME] = "NAME", [FROM] = "FROM", [VALUE] = "VALUE",
	[DEFAULT] = "DEFAULT",
};

static const char *from(enum lgn_env_id id)
{
	if (!lgn_env_set(id))
		return "default";
	return lgn_env_legal(id, lgn_env_text(id)) ? "environment" : "refused";
}

static void cells(enum lgn_env_id id, const char *cell[COLUMNS])
{
	cell[NAME] = lgn_env_entry(id)->name;
	cell[FROM] = from(id);
	cell[VALUE] = lgn_env_text(id);
	cell[DEFAULT] = lgn_env_entry(id)->def;
}

static void print_help(FILE *out, const struct lgn_env_entry *e)
{
	fputs(e->help, out);
	if (e->kind == LGN_ENV_INT)
		fprintf(out, " [%lld..%lld]", (long long)e->min,
			(long long)e->max);
	if (e->kind == LGN_ENV_CHOICE)
		fprintf(out, ": %s", e->choices);
	fputc('\n', out);
}

static void print_typo(void *out, const char *name, int len, const char *meant)
{
	fprintf(out, "%.*s is set, but is not an option: is %s meant?\n", len,
		name, meant);
}

void info_env(FILE *out)
{
	const char *cell[COLUMNS];
	int width[COLUMNS];

	for (int c = 0; c < COLUMNS; c++)
		width[c] = (int)strlen(head[c]);
	for (int id = 0; id < LGN_ENV_COUNT; id++) {
		cells((enum lgn_env_id)id, cell);
		for (int c = 0; c < COLUMNS; c++)
			if ((int)strlen(cell[c]) > width[c])
				width[c] = (int)strlen(cell[c]);
	}
	for (int c = 0; c < COLUMNS; c++)
		fprintf(out, "%-*s  ", width[c], head[c]);
	fputs("HELP\n", out);
	for (int id = 0; id < LGN_ENV_COUNT; id++) {
		cells((enum lgn_env_id)id, cell);
		for (int c = 0; c < COLUMNS; c++)
			fprintf(out, "%-*s  ", width[c], cell[c]);
		print_help(out, lgn_env_entry((enum lgn_env_id)id));
	}
	lgn_env_typos(print_typo, out);
}

int info_env_refused(void)
{
	int status = 0;

	for (int id = 0; id < LGN_ENV_COUNT; id++) {
		if (!lgn_env_check((enum lgn_env_id)id))
			continue;
		fprintf(stderr, "lagoon info: %s\n", lagoon_errmsg());
		status = 2;
	}
	return status;
}
