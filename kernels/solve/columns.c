/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/columns.h"
#include "runtime/base/status.h"

int lgn_columns_open(struct lgn_columns *set, uint64_t limit)
{
	set->words = limit / 64 + 1;
	set->bits = calloc(set->words, sizeof(*set->bits));
	set->before = calloc(set->words, sizeof(*set->before));
	if (set->bits && set->before)
		return 0;
	lgn_columns_close(set);
	return lgn_fail(LAGOON_ENOMEM, "no memory for a set of %llu columns",
			(unsigned long long)limit);
}

void lgn_columns_close(struct lgn_columns *set)
{
	free(set->bits);
	free(set->before);
	set->bits = NULL;
	set->before = NULL;
}

void lgn_columns_clear(struct lgn_columns *set)
{
	memset(set->bits, 0, set->words * sizeof(*set->bits));
}

uint32_t lgn_columns_rank(struct lgn_columns *set)
{
	uint32_t n = 0;

	for (uint64_t i = 0; i < set->words; i++) {
		set->before[i] = n;
		n += (uint32_t)__builtin_popcountll(set->bits[i]);
	}
	return n;
}

void lgn_columns_list(const struct lgn_columns *set, uint64_t *list)
{
	for (uint64_t i = 0; i < set->words; i++)
		for (uint64_t b = set->bits[i]; b; b &= b - 1)
			*list++ = i * 64 + (uint64_t)__builtin_ctzll(b);
}
