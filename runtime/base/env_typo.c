/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <unistd.h>

#include "runtime/base/env.h"

enum { LONGEST = 40, NEAR = 2 };

static int smallest(int a, int b, int c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Levenshtein's distance of a[0..n) and b: insertions, deletions, changes. */
static int distance(const char *a, size_t n, const char *b)
{
	size_t m = strlen(b);
	int row[LONGEST + 1];

	if (n > LONGEST || m > LONGEST)
		return LONGEST;
	for (size_t k = 0; k <= m; k++)
		row[k] = (int)k;
	for (size_t i = 1; i <= n; i++) {
		int corner = row[0];

		row[0] = (int)i;
		for (size_t k = 1; k <= m; k++) {
			int above = row[k];

			row[k] = smallest(above + 1, row[k - 1] + 1,
					  corner + (a[i - 1] != b[k - 1]));
			corner = above;
		}
	}
	return row[m];
}

static const char *nearest(const char *name, size_t len)
{
	const char *best = NULL;
	int least = NEAR + 1;

	for (int i = 0; i < LGN_ENV_COUNT; i++) {
		int d = distance(name, len, lgn_env_entry(i)->name);

		if (d >= least)
			continue;
		least = d;
		best = d ? lgn_env_entry(i)->name : NULL;
	}
	return best;
}

void lgn_env_typos(void (*found)(void *arg, const char *name, int len,
				 const char *meant), void *arg)
{
	for (char **e = environ; e && *e; e++) {
		size_t len = strcspn(*e, "=");
		const char *meant = strncmp(*e, "LAGOON", 6) ? NULL :
			nearest(*e, len);

		if (meant)
			found(arg, *e, (int)len, meant);
	}
}
