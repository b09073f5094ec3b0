/* SPDX-License-Identifier: BSD-3-Clause */
/* Random numbers of solvers, where order does not matter and 64 bits of state are
 * enough: splitmix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number
 * Generators, OOPSLA 2014). */
#ifndef LGN_SOLVE_RANDOM_H
#define LGN_SOLVE_RANDOM_H

#include <stdint.h>

#define LGN_RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

/* 64 bits that depend on all of x. */
static inline uint64_t lgn_random_mix(uint64_t x)
{
	x += LGN_RANDOM_STEP;
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* The next 64 bits. */
static inline uint64_t lgn_random_next(uint64_t *state)
{
	uint64_t x = *state;

	*state += LGN_RANDOM_STEP;
	return lgn_random_mix(x);
}

#endif
