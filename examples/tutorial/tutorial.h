/* SPDX-License-Identifier: BSD-3-Clause */
/* What the programs of doc/tutorial.md share: errors, and numbers by seed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* After a failed call of Lagoon: say what it says, and end. */
#define must(call) ((call) ? die(lagoon_errmsg()) : (void)0)

static inline void die(const char *why)
{
	fprintf(stderr, "%s\n", why);
	_Exit(1);
}

/* Uniform in [-1, 1); the same numbers everywhere (splitmix64). */
static inline double uniform(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((x ^ x >> 31) >> 11) * 0x1p-52 - 1;
}
