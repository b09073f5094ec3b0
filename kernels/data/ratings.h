/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of ratings: "user item rating" a line, between them blanks, a comma or
 * "::". What follows is ignored, as are empty lines and those of a comment.
 */
#ifndef LGN_DATA_RATINGS_H
#define LGN_DATA_RATINGS_H

#include "kernels/data/entries.h"

/* Part of so many, by bytes; a file by gzip is part 0's, the others have none.
 * Adds to out: user as row, item as column, and what there are of them at least
 * as rows and cols. LAGOON_EINVAL with file and line. To be freed in any case. */
int lgn_ratings_read(const char *path, int part, int parts,
		     struct lgn_entries *out);

#endif
