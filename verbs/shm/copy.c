/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/base/attr.h"
#include "verbs/copy.h"

/* Eight words, aligned as words. */
typedef uint64_t eight __attribute__((vector_size(64), aligned(8), may_alias));

enum { LONG_WORDS = 256 };	/* from here on the string unit is faster */

#if defined(__x86_64__)
/* A sequence of 8-byte moves, as the architecture defines it. */
static void copy_long(uint64_t *dst, const uint64_t *src, size_t n)
{
	__asm__ __volatile__("rep movsq"
			     : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}
#endif

/*
 * The race is the point: a GET takes words while their owner's peers add to
 * them, which the protocol allows word by word. Aligned 8-byte lanes of a
 * vector load are single accesses on every CPU that Lagoon runs on; a library
 * memcpy() gives no such promise, and the empty statements keep compilers
 * from putting one in. Not instrumented, for the race alone.
 */
LGN_CLONES __attribute__((no_sanitize("thread")))
void lgn_copy_words(uint64_t *restrict dst, const uint64_t *restrict src,
		    size_t n)
{
#if defined(__x86_64__)
	if (n >= LONG_WORDS) {
		copy_long(dst, src, n);
		return;
	}
#endif
	for (; n >= 8; n -= 8, dst += 8, src += 8) {
		*(eight *)dst = *(const eight *)src;
		__asm__ __volatile__("" ::: "memory");
	}
	for (; n; n--) {
		*dst++ = *src++;
		__asm__ __volatile__("" ::: "memory");
	}
}
