/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers: value = lane x unit. A word holds one lane of 64 bits or two of 32:
 * word = (high << 32) + sign-extended low. Element e of a table is lane
 * e % lanes of word e / lanes; low is the even one. Sums of packed words
 * unpack to the sums of their lanes while these stay inside 32 bits.
 */
#ifndef LGN_RUNTIME_NUMBER_H
#define LGN_RUNTIME_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/attr.h"

/* Elements that are converted in one go, on the stack. Even. */
#define LGN_CHUNK 256

struct lgn_number {
	int lanes;		/* a word: 1 or 2 */
	int type;		/* enum lagoon_type of buffers */
	bool fixed;		/* fixed point: rounds; else integers */
	double scale;		/* 2^frac_bits */
	double unit;		/* 2^-frac_bits */
	int64_t legal;		/* |lane| of a stored element at most */
	uint32_t type_size;	/* bytes of an element in buffers */
};

/* The block of random bits that was drawn last; all zero at first. */
struct lgn_drawn {
	uint64_t block;
	uint32_t round;
	uint32_t bits[4];
};

/* Counter-based random bits: the rounding of an element depends on these
 * alone, not on how workers are grouped. */
struct lgn_rounding {
	uint32_t seed;		/* of the job and table */
	uint32_t worker;	/* in the whole job */
	uint32_t round;
	uint32_t call;		/* of this worker and table */
	struct lgn_drawn *drawn; /* of this worker and table; NULL: none */
};

void lgn_number_init(struct lgn_number *nb, int format, int type,
		     int frac_bits);

static inline int64_t lgn_lane_low(uint64_t word)
{
	return (int32_t)(uint32_t)word;
}

static inline int64_t lgn_lane_high(uint64_t word)
{
	return (int32_t)(uint32_t)((word - (uint64_t)lgn_lane_low(word)) >> 32);
}

static inline uint64_t lgn_word_pack(int64_t low, int64_t high)
{
	return ((uint64_t)high << 32) + (uint64_t)low;
}

/* Lanes of n <= LGN_CHUNK elements from element first of words on, while
 * others add to these. */
void lgn_number_unpack(const struct lgn_number *nb, const uint64_t *words,
		       uint64_t first, size_t n, int64_t *lanes);

/* The same, added to what lanes holds. */
void lgn_number_unpack_add(const struct lgn_number *nb, const uint64_t *words,
			   uint64_t first, size_t n, int64_t *lanes);

/* Lanes to the caller's type. */
void lgn_number_convert(const struct lgn_number *nb, const int64_t *lanes,
			size_t n, void *out);

/* Unpack and convert, any n. */
void lgn_number_decode(const struct lgn_number *nb, const uint64_t *words,
		       uint64_t first, size_t n, void *out);

/* n <= LGN_CHUNK elements to lanes, rounded. element: number of the first in
 * its table. Returns how many are good; at that one, *why is LAGOON_EINVAL
 * (NaN or infinite) or LAGOON_ERANGE (beyond the legal range). */
size_t lgn_number_quantise(const struct lgn_number *nb, const void *in,
			   size_t n, uint64_t element,
			   const struct lgn_rounding *rounding, int64_t *lanes,
			   int *why);

/* The same for n elements that are each of a call of its own,
 * rounding->call + i. */
size_t lgn_number_quantise_list(const struct lgn_number *nb, const void *in,
				size_t n, const struct lgn_rounding *rounding,
				int64_t *lanes, int *why);

/* rounding.c: these two for fixed point. */
size_t lgn_rounding_range(const struct lgn_number *nb, const void *in,
			  size_t n, uint64_t element,
			  const struct lgn_rounding *r, int64_t *lanes,
			  int *why);
size_t lgn_rounding_list(const struct lgn_number *nb, const void *in, size_t n,
			 const struct lgn_rounding *r, int64_t *lanes,
			 int *why);

/* A lane as a value, for messages. */
double lgn_number_value(const struct lgn_number *nb, int64_t lane);

/* in[i] of the caller's type, for messages. */
double lgn_number_input(const struct lgn_number *nb, const void *in, size_t i);

#endif
