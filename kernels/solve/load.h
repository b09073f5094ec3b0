/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading a training file, and maybe a test file, by all workers of the job
 * at once, each its part; and agreeing on what the files hold.
 */
#ifndef LGN_SOLVE_LOAD_H
#define LGN_SOLVE_LOAD_H

#include "kernels/data/libsvm.h"
#include "kernels/solve/share.h"

/* What one part of a file holds, or all of it. */
struct lgn_extent {
	uint64_t rows;
	uint64_t entries;
	uint64_t cols;		/* the largest column + 1 */
	uint64_t largest_part;	/* rows of the worker that has most */
	double squares;		/* sum of squared row lengths [entries] */
	double max_abs;		/* largest |value| */
	struct lgn_labels labels;
};

struct lgn_facts {
	struct lgn_extent data;
	struct lgn_extent test;
};

struct lgn_load_options {
	const char *data;
	const char *test;	/* or NULL */
	int zero_based;
};

/* What a worker read. */
struct lgn_loaded {
	struct lgn_libsvm data;
	struct lgn_libsvm test;
};

/* Each worker, once, over a share of sizeof(struct lgn_facts) bytes. Returns
 * the same error in every worker, the first of the files: a part that is not
 * legal, more than two labels or less, more workers than rows. */
int lgn_load(const struct lgn_load_options *options,
	     const struct lgn_share *share, struct lagoon_worker *w,
	     struct lgn_loaded *loaded, struct lgn_facts *facts);

/* enum lagoon_file_format, by the end of the name. */
int lgn_format_of(const char *path);

#endif
