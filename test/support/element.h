/* SPDX-License-Identifier: BSD-3-Clause */
/* Lanes in the caller's element types: what a test writes to and reads from
 * the buffers of a pull and an add. */
#ifndef TEST_SUPPORT_ELEMENT_H
#define TEST_SUPPORT_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct el_kind {
	int format;		/* enum lagoon_format */
	int type;		/* enum lagoon_type */
	int frac_bits;		/* as the table has it; 0 for integers */
	bool negated;		/* what is added is subtracted: gradients */
};

/* Every legal pair of format and type. */
/* The integers first. */
enum { EL_INTEGERS = 7, EL_PAIRS = 9 };
extern const struct el_kind el_pair[EL_PAIRS];

size_t el_bytes(const struct el_kind *kind);

/* Bits of |lane| that sums may use: inside the legal range, and exact in the
 * type. */
uint32_t el_bits(const struct el_kind *kind);

/* The largest legal |lane|. */
int64_t el_limit(const struct el_kind *kind);

void el_put(const struct el_kind *kind, void *buf, size_t i, int64_t lane);

/* False if the value is no whole number of units. */
bool el_get(const struct el_kind *kind, const void *buf, size_t i,
	    int64_t *lane);

const char *el_format_name(int format);

#endif
