/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which instruction set the loops of level.c use: at the first call the best
 * one that the machine and this build have, or what the program asks for. A
 * table of our own rather than the loader's choice (target clones, ifunc): it
 * can be changed, so that every level is tested on one machine, and works with
 * every compiler and under sanitizers.
 */
#include <stdatomic.h>

#ifdef __aarch64__
#include <sys/auxv.h>
#endif

#include "kernels/math/calls.h"
#include "runtime/base/attr.h"

static const struct lgn_calls *_Atomic in_use;

/* The loops of a level, or NULL where it is not built or cannot run. What is
 * asked for is what kernels/Makefile.inc compiles with. */
static const struct lgn_calls *calls_of(int level)
{
	switch (level) {
	case LAGOON_SIMD_GENERIC:
		return &lgn_calls_generic;
#ifdef LGN_HAVE_AVX2
	case LAGOON_SIMD_AVX2:
		return __builtin_cpu_supports("avx2") &&
			__builtin_cpu_supports("fma") ? &lgn_calls_avx2 : NULL;
#endif
#ifdef LGN_HAVE_AVX512
	case LAGOON_SIMD_AVX512:
		return __builtin_cpu_supports("avx2") &&
			__builtin_cpu_supports("fma") &&
			__builtin_cpu_supports("avx512f") &&
			__builtin_cpu_supports("avx512bw") &&
			__builtin_cpu_supports("avx512dq") &&
			__builtin_cpu_supports("avx512vl") ?
			&lgn_calls_avx512 : NULL;
#endif
#ifdef LGN_HAVE_SVE
	case LAGOON_SIMD_SVE:
		return getauxval(AT_HWCAP) & (1UL << 22) ? &lgn_calls_sve : NULL;
#endif
	default:
		return NULL;
	}
}

static const struct lgn_calls *choose_best(void)
{
	const struct lgn_calls *best = NULL;

#ifdef __x86_64__
	__builtin_cpu_init();
#endif
	for (int level = LAGOON_SIMD_SVE; !best; level--)
		best = calls_of(level);
	atomic_store_explicit(&in_use, best, memory_order_relaxed);
	return best;
}

static inline const struct lgn_calls *calls(void)
{
	const struct lgn_calls *c =
		atomic_load_explicit(&in_use, memory_order_relaxed);

	return lgn_likely(c) ? c : choose_best();
}

const struct lgn_calls *lgn_calls(void)
{
	return calls();
}

LGN_EXPORT int lagoon_simd(void)
{
	const struct lgn_calls *c = calls();
	int level = LAGOON_SIMD_SVE;

	while (calls_of(level) != c)
		level--;
	return level;
}

LGN_EXPORT int lagoon_simd_use(int level)
{
	const struct lgn_calls *c;

	if (level == LAGOON_SIMD_BEST)
		choose_best();
	else if (calls() && (c = calls_of(level)))
		atomic_store_explicit(&in_use, c, memory_order_relaxed);
	return lagoon_simd();
}

#define PUBLIC(type, name, parameters, arguments) \
	LGN_EXPORT type lagoon_##name parameters \
	{ \
		return calls()->name arguments; \
	}

LGN_CALLS(PUBLIC)
