/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of a generated file, each a function of options, weights and its
 * number only: any division of the rows in pieces gives the same text.
 */
#ifndef LGN_DATA_GENERATE_H
#define LGN_DATA_GENERATE_H

#include <Random123/philox.h>
#include <stddef.h>

#include "kernels/lagoon_solve.h"

/* What numbers are drawn for. */
enum lgn_draw {
	LGN_DRAW_ENTRY, LGN_DRAW_LABEL, LGN_DRAW_WEIGHT, LGN_DRAW_TOPIC,
	LGN_DRAW_DOCUMENT, LGN_DRAW_TOKEN,
};

/* Four of 32 bits, a function of the arguments. */
static inline philox4x32_ctr_t lgn_generate_draw(uint64_t seed, enum lgn_draw of,
						 uint64_t item, uint32_t block)
{
	philox4x32_ctr_t at = { { (uint32_t)item, (uint32_t)(item >> 32),
				  block, (uint32_t)of } };
	philox4x32_key_t key = { { (uint32_t)seed, (uint32_t)(seed >> 32) } };

	return philox4x32(at, key);
}

/* The planted weights: about normal, such that a product w'x has a standard
 * deviation of 2. */
void lgn_generate_planted(const struct lagoon_generate_options *options,
			  double *weights);

/* The most bytes that a row takes. */
size_t lgn_generate_row_len(const struct lagoon_generate_options *options);

/* Write the line of this row at text. Returns the byte behind it. */
char *lgn_generate_row(const struct lagoon_generate_options *options,
		       const double *weights, uint64_t row, char *text);

#endif
