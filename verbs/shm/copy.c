/* SPDX-License-Identifier: BSD-3-Clause */
#include "verbs/copy.h"

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && \
	!defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define CLONES
#endif

/*
 * The race is the point: a GET takes words while their owner's peers add to
 * them, which the protocol allows word by word. Aligned 8-byte lanes of a
 * vector load are single accesses on every CPU that Lagoon runs on; a library
 * memcpy() gives no such promise. Not instrumented, for that reason alone.
 */
CLONES __attribute__((no_sanitize("thread")))
void lgn_copy_words(uint64_t *restrict dst, const uint64_t *restrict src,
		    size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = src[i];
}
