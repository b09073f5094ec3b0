/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one error convention: 0 or a negative LAGOON_E code. The place that
 * detects an error calls lgn_fail(), which keeps the sentence for
 * lagoon_errmsg() and returns the code; callers only pass the code on:
 *
 *	if (fd < 0)
 *		return lgn_fail(LAGOON_EIO, "open %s: %s", path, strerror(errno));
 */
#ifndef LGN_BASE_STATUS_H
#define LGN_BASE_STATUS_H

#include "runtime/base/attr.h"
#include "runtime/lagoon.h"

/* Store "rank N: <text>" (the rank once it is known) and return code.
 * Keeps errno. Any thread. */
LGN_EXPORT int lgn_fail(int code, const char *fmt, ...) LGN_PRINTF(2, 3);

/* The same with a finished text, for languages that cannot call it. */
LGN_EXPORT int lgn_fail_text(int code, const char *text);

/* Take over another thread's message, after joining it. */
LGN_EXPORT void lgn_errmsg_set(const char *text);

/* The rank that messages and log lines name; -1 until the job is known. */
void lgn_status_set_rank(int rank);
int lgn_status_rank(void);

#endif
