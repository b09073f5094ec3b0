/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/words.h"
#include "runtime/base/status.h"

/* What stands there, [n][2]; to be freed. */
static int pull(struct lagoon_worker *w, struct lagoon_table *t,
		uint64_t first, uint64_t n, int64_t **words)
{
	*words = malloc((n + 1) * 2 * sizeof(**words));
	if (!*words)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu numbers",
				(unsigned long long)n);
	return n ? lagoon_pull(w, t, first, n, *words) : 0;
}

/* The difference is added. */
int lgn_words_tell(struct lagoon_worker *w, struct lagoon_table *t,
		   uint64_t first, uint64_t n, const double *value)
{
	int64_t *words;
	int rc = pull(w, t, first, n, &words);

	for (uint64_t i = 0; i < n && !rc; i++) {
		uint64_t bits;

		memcpy(&bits, &value[i], sizeof(bits));
		words[2 * i] = (int64_t)(bits >> 32) - words[2 * i];
		words[2 * i + 1] = (int64_t)(bits & UINT32_MAX) -
			words[2 * i + 1];
	}
	if (!rc && n)
		rc = lagoon_add(w, t, first, n, words);
	free(words);
	return rc;
}

int lgn_words_pull(struct lagoon_worker *w, struct lagoon_table *t,
		   uint64_t first, uint64_t n, double *value)
{
	int64_t *words;
	int rc = pull(w, t, first, n, &words);

	for (uint64_t i = 0; i < n && !rc; i++) {
		uint64_t bits = (uint64_t)words[2 * i] << 32 |
			(uint64_t)words[2 * i + 1];

		memcpy(&value[i], &bits, sizeof(bits));
	}
	free(words);
	return rc;
}
