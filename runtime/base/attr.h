/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiler attributes and small arithmetic that every layer uses. */
#ifndef LGN_BASE_ATTR_H
#define LGN_BASE_ATTR_H

#include <stddef.h>
#include <stdint.h>

#define LGN_CACHELINE 64

#define lgn_likely(x) __builtin_expect(!!(x), 1)
#define lgn_unlikely(x) __builtin_expect(!!(x), 0)
#define LGN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define LGN_ALIGNED __attribute__((aligned(LGN_CACHELINE)))

/* Exported, and listed in a version script: the public interface, and the few
 * internals that sibling libraries of the same build use. */
#define LGN_EXPORT __attribute__((visibility("default")))

/* Built for several instruction sets, chosen when the program is loaded. A
 * sanitizer's run-time is not up yet at that time; clang 14 does not link it. */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define LGN_CLONES __attribute__((target_clones("arch=x86-64-v4", \
						"arch=x86-64-v3", "default")))
#else
#define LGN_CLONES
#endif

#define LGN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline uint64_t lgn_round_up(uint64_t x, uint64_t to)
{
	return (x + to - 1) / to * to;
}

#endif
