/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What of a process belongs to the program and not to a library in it, as
 * text with one fact a line:
 *
 *	threads		each with its affinity mask, signal mask, policy and name
 *	descriptors	each with what it refers to
 *	signals		what is done on each
 *	the environment, folder, umask, locale, rounding mode and control bits of
 *	floating point, limits, memory policy, memory of Lagoon that is mapped
 */
#ifndef TEST_SUPPORT_SNAPSHOT_H
#define TEST_SUPPORT_SNAPSHOT_H

#include <stdbool.h>
#include <stdio.h>

/* Lines that the caller adds; NULL for none. */
typedef void (*t_more_fn)(FILE *to);

/* Freed by the caller. */
char *t_snapshot(t_more_fn more);

/* Fail unless a snapshot made now is the same. With `open`, threads,
 * descriptors and mappings may have come on top, but what was there must be
 * there as it was. */
void t_same(const char *before, t_more_fn more, bool open, const char *when);

/* Make a process that differs from the defaults wherever a library might
 * set them: handlers, blocked signals, umask, locale, flushing to zero. */
void t_unusual(void);

#endif
