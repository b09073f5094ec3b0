/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of `lagoon info`. Each writes whole lines to out. */
#ifndef LGN_TOOLS_INFO_H
#define LGN_TOOLS_INFO_H

#include <stdio.h>

/* Memory, locked memory, files, huge pages, control group. */
void info_limits(FILE *out);

/* PMIx, the libraries that are loaded. */
void info_surroundings(FILE *out);

/* All environment options: name, where the value comes from, the value in
 * force, default, help. */
void info_env(FILE *out);

/* What is refused of them, a sentence each on stderr: 0, or 2. */
int info_env_refused(void);

/* Where processes x workers would go on a synthetic topology. 0; 1 or 2 with
 * the sentence in lagoon_errmsg(). */
int info_plan(FILE *out, const char *synthetic, int processes, int workers);

/* A topology, each line indented; "" is this machine. As info_plan(). */
int info_topology(FILE *out, const char *synthetic);

/* The RDMA devices, and which one is used near that topology. As above. */
int info_rdma(FILE *out, const char *synthetic);

#endif
