/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fixed point as tables hold it. Rounded without floor(), of which gcc 12
 * makes no vectors in target clones; numbers that no lane holds are looked for
 * first, since their conversion is undefined.
 */
#include <math.h>

#include "kernels/lagoon_kernels.h"
#include "runtime/base/attr.h"

enum { CHUNK = 512 };	/* stays in the first cache between the two passes */

#define REAL double
#define NAME(x) x
#include "kernels/math/fixed.inc"
#undef REAL
#undef NAME

#define REAL float
#define NAME(x) x##_f32
#include "kernels/math/fixed.inc"

LGN_CLONES
static void pack(size_t words, const int64_t *restrict lanes,
		 uint64_t *restrict out)
{
	for (size_t i = 0; i < words; i++)
		out[i] = ((uint64_t)lanes[2 * i + 1] << 32) +
			(uint64_t)lanes[2 * i];
}

LGN_EXPORT void lagoon_fixed_pack(size_t n, const int64_t *lanes,
				  uint64_t *words)
{
	pack(n / 2, lanes, words);
	if (n % 2)
		words[n / 2] = (uint64_t)lanes[n - 1];
}

static inline int64_t low_lane(uint64_t word)
{
	return (int32_t)(uint32_t)word;
}

LGN_CLONES
static void unpack(size_t words, const uint64_t *restrict in,
		   int64_t *restrict lanes)
{
	for (size_t i = 0; i < words; i++) {
		uint64_t w = in[i];
		uint64_t high = w - (uint64_t)low_lane(w);

		lanes[2 * i] = low_lane(w);
		lanes[2 * i + 1] = (int32_t)(uint32_t)(high >> 32);
	}
}

LGN_EXPORT void lagoon_fixed_unpack(size_t n, const uint64_t *words,
				    int64_t *lanes)
{
	unpack(n / 2, words, lanes);
	if (n % 2)
		lanes[n - 1] = low_lane(words[n / 2]);
}
