/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file that appears whole under its name or not at all, whatever is killed
 * and when: it has no name until it is complete, where the file system can do
 * that.
 *
 *	rc = lgn_outfile_open(path, &out);
 *	fprintf(out.stream, ...);
 *	rc = lgn_outfile_commit(&out);		or lgn_outfile_abort(&out);
 */
#ifndef LGN_DATA_OUTFILE_H
#define LGN_DATA_OUTFILE_H

#include <limits.h>
#include <stdio.h>

struct lgn_outfile {
	FILE *stream;
	const char *path;	/* the caller's, until commit or abort */
	int named;		/* temp is in the file system */
	char temp[PATH_MAX];
};

/* LAGOON_EIO with the reason if nothing can be written there. */
int lgn_outfile_open(const char *path, struct lgn_outfile *out);

/* Write through to the disk and put it in place of path. LAGOON_EIO, also
 * for an earlier failed write; nothing is left then. */
int lgn_outfile_commit(struct lgn_outfile *out);

/* Leave no trace. */
void lgn_outfile_abort(struct lgn_outfile *out);

#endif
