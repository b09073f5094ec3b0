/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <unistd.h>

#include "runtime/base/env.h"

enum { LONGEST = 40, PREFIX = 7 };

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* Slips between a[0..n) and b: a letter too many, one too few, another one,
 * or two that changed places. */
static int distance(const char *a, size_t n, const char *b)
{
	size_t m = strlen(b);
	int d[LONGEST + 1][LONGEST + 1];

	if (n > LONGEST || m > LONGEST)
		return LONGEST;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = (int)i;
	for (size_t k = 0; k <= m; k++)
		d[0][k] = (int)k;
	for (size_t i = 1; i <= n; i++)
		for (size_t k = 1; k <= m; k++) {
			d[i][k] = least(least(d[i - 1][k], d[i][k - 1]) + 1,
					d[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1])
				d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1);
		}
	return d[n][m];
}

/* Two slips in a short name make any other word of it. */
static int slips(const char *option)
{
	return strlen(option) - PREFIX < 6 ? 1 : 2;
}

/* The option that name is not, but nearly; LGN_ENV_COUNT if there is none. */
static enum lgn_env_id nearest(const char *name, size_t len)
{
	int best = LGN_ENV_COUNT, fewest = LONGEST;

	for (int i = 0; i < LGN_ENV_COUNT; i++) {
		const char *option = lgn_env_entry((enum lgn_env_id)i)->name;
		int d = distance(name, len, option);

		if (!d)
			return LGN_ENV_COUNT;
		if (d >= fewest || d > slips(option))
			continue;
		fewest = d;
		best = i;
	}
	return (enum lgn_env_id)best;
}

void lgn_env_typos(void (*found)(void *arg, const char *name, int len,
				 const char *meant), void *arg)
{
	for (char **e = environ; e && *e; e++) {
		size_t len = strcspn(*e, "=");
		enum lgn_env_id id = strncmp(*e, "LAGOON", 6) ? LGN_ENV_COUNT :
			nearest(*e, len);

		if (id != LGN_ENV_COUNT && (*e)[len] &&
		    lgn_env_legal(id, *e + len + 1))
			found(arg, *e, (int)len, lgn_env_entry(id)->name);
	}
}
