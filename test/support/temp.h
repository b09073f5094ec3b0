/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names below TMPDIR, or /tmp. For tests of all layers: it needs nothing of
 * ours. test/launch gives each test a TMPDIR of its own, and removes it.
 */
#ifndef TEST_SUPPORT_TEMP_H
#define TEST_SUPPORT_TEMP_H

#include <stdio.h>
#include <stdlib.h>

enum { TEMP_PATH = 256 };

/* A name there: NULL if it is too long. */
static inline char *temp_name(char path[TEMP_PATH], const char *name)
{
	const char *base = getenv("TMPDIR");
	int n = snprintf(path, TEMP_PATH, "%s/%s", base && *base ? base : "/tmp",
			 name);

	return n < TEMP_PATH ? path : NULL;
}

/* A new folder there: NULL if it cannot be made. */
static inline char *temp_folder(char path[TEMP_PATH])
{
	return temp_name(path, "lagoon-test-XXXXXX") ? mkdtemp(path) : NULL;
}

#endif
