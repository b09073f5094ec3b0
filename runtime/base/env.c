/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/env.h"
#include "runtime/base/status.h"

static const struct lgn_env_entry table[] = {
#define LGN_ENV(name, kind, def, help) \
	{ "LAGOON_" #name, LGN_ENV_##kind, def, help },
#include "runtime/base/env_table.h"
#undef LGN_ENV
};

const struct lgn_env_entry *lgn_env_entry(enum lgn_env_id id)
{
	return &table[id];
}

const char *lgn_env_text(enum lgn_env_id id)
{
	const char *text = getenv(table[id].name);

	return text && *text ? text : table[id].def;
}

int lgn_env_int(enum lgn_env_id id, int64_t min, int64_t max, int64_t *value)
{
	const char *text = lgn_env_text(id);
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || *end || end == text || v < min || v > max)
		return lgn_fail(LAGOON_EINVAL,
				"%s is \"%s\": expected an integer from %lld to %lld",
				table[id].name, text, (long long)min,
				(long long)max);
	*value = v;
	return 0;
}

int lgn_env_choice(enum lgn_env_id id, int *value)
{
	const char *text = lgn_env_text(id);
	const char *list = strrchr(table[id].help, ' ') + 1;
	size_t len = strlen(text);
	int index = 0;

	for (const char *p = list; ; index++) {
		size_t n = strcspn(p, "|");

		if (n == len && !memcmp(p, text, n)) {
			*value = index;
			return 0;
		}
		if (!p[n])
			return lgn_fail(LAGOON_EINVAL, "%s is \"%s\": expected one of %s",
					table[id].name, text, list);
		p += n + 1;
	}
}
