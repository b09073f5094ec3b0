/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of dense rows: numbers with commas between, the target last; as many
 * in every line as in the first. Blanks around numbers and blank lines do not
 * count; a first line without any number is a header. A file is read in parts
 * as lgn_libsvm_read() reads it.
 */
#ifndef LGN_DATA_CSV_H
#define LGN_DATA_CSV_H

#include "kernels/data/entries.h"

/* Part of so many, counted from 0. Rows count from the first of the part;
 * zeros are left out. data is set only on success, to be freed. */
int lgn_csv_read(const char *path, int part, int parts,
		 struct lgn_entries *data);

/* What the first line of a file says; zeros before it was seen. */
struct lgn_csv {
	uint64_t fields;
	int has_header;
	size_t header;		/* where it is */
};

struct lgn_text;

/* The same of a file in blocks, the first one first: its rows are added to
 * data, cols is set. */
int lgn_csv_block(struct lgn_csv *csv, const struct lgn_text *block,
		  struct lgn_entries *data);

#endif
