/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of LIBSVM (SVMlight) text: one row a line,
 *
 *	label [qid:N] index:value index:value ... [# comment]
 *
 * Indices are 1-based unless asked, at most 2^31, and rise strictly within a
 * line, as LIBLINEAR wants them. qid is checked and ignored; blank lines and
 * comment lines are no rows. A file is read in parts by byte ranges: a line
 * belongs to the part in which its first byte lies. Of a file by gzip these are
 * ranges of the text, and every part inflates all of it.
 *
 *	struct lgn_libsvm_range range = { .part = k, .parts = n };
 *	rc = lgn_libsvm_read(path, &range, &data);
 *	...
 *	lgn_libsvm_free(&data);
 */
#ifndef LGN_DATA_LIBSVM_H
#define LGN_DATA_LIBSVM_H

#include <stddef.h>
#include <stdint.h>

struct lgn_text;

struct lgn_libsvm_range {
	int part;		/* [0, parts) */
	int parts;		/* >= 1 */
	int zero_based;		/* indices count from 0 */
	int targets;		/* labels are any numbers, and not collected */
};

/* The distinct labels of some rows, rising, and where each stands first. */
struct lgn_labels {
	int n;			/* 0 to 2 */
	double value[2];
	uint64_t at[2];		/* offset of its first line [bytes] */
};

struct lgn_libsvm {
	size_t rows;
	size_t *start;		/* [rows + 1] */
	uint32_t *col;		/* [start[rows]], 0-based */
	double *val;
	double *label;		/* [rows], as in the file */
	uint64_t cols;		/* the largest column + 1 */
	struct lgn_labels labels;
};

/* Read one part. LAGOON_ENOENT: no such file; LAGOON_EINVAL: file and line,
 * what was expected and what stands there, also for a third label;
 * LAGOON_EIO, LAGOON_ENOMEM. data is set only on success. */
int lgn_libsvm_read(const char *path, const struct lgn_libsvm_range *range,
		    struct lgn_libsvm *data);

/* All lines of a text that is there; of range the part does not count. */
int lgn_libsvm_parse(const struct lgn_text *text,
		     const struct lgn_libsvm_range *range,
		     struct lgn_libsvm *data);

/* Frees what lgn_libsvm_read() made and clears data; safe on zeros. */
void lgn_libsvm_free(struct lgn_libsvm *data);

/* Merge the labels of another part into all. Call it in file order: the line
 * in the message of the third label is then the first such line of the file.
 * LAGOON_EINVAL if there are more than two. */
int lgn_labels_merge(const char *path, const struct lgn_labels *more,
		     struct lgn_labels *all);

#endif
