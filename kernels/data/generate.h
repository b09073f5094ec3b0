/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rows of a generated file, each a function of options, weights and its
 * number only: any division of the rows in pieces gives the same text.
 */
#ifndef LGN_DATA_GENERATE_H
#define LGN_DATA_GENERATE_H

#include <stddef.h>

#include "kernels/lagoon_solve.h"

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
