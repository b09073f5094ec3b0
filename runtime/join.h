/* SPDX-License-Identifier: BSD-3-Clause */
/* How a process becomes part of the job, within lagoon_open(). */
#ifndef LGN_RUNTIME_JOIN_H
#define LGN_RUNTIME_JOIN_H

#include "runtime/core.h"

/*
 * Two exchanges. The first tells who runs on which machine, and so which
 * wire is used and where workers and shards go; the second, how to reach each
 * process over that wire. A process that cannot go on says so in the second.
 * ops: the wire; NULL: LAGOON_WIRE. Collective.
 */
int lgn_join(struct lagoon *lg, struct lgn_job *job,
	     const struct lagoon_attr *attr, const struct lgn_wire_ops *ops);

/* context.c: for the wire. */
void lgn_on_lost(void *arg, int rank);

#endif
