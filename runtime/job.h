/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bootstrap: who is in the job, and one exchange among all of it. Found in
 * this order: the caller's allgather, a PMIx server, one process. Several
 * processes of one launcher that cannot find each other are refused; they
 * never become N jobs of one.
 */
#ifndef LGN_RUNTIME_JOB_H
#define LGN_RUNTIME_JOB_H

#include <stddef.h>

#include "runtime/lagoon.h"

struct lgn_job {
	int rank;
	int size;
	const char *kind;	/* "pmix", "caller", "single" */
	int timeout_s;		/* of lagoon_attr */
	int (*allgather)(void *arg, const void *mine, size_t len, void *all);
	void *arg;
	void (*leave)(struct lgn_job *job);
};

/* LAGOON_EJOB with the fix when a launcher is there but no PMIx. */
int lgn_job_open(const struct lagoon_attr *attr, struct lgn_job *job);

/* Every process hands in len bytes and gets size * len, in rank order. Waits
 * for the slowest process, but at most LGN_JOB_PATIENCE time limits: between
 * start and lagoon_open() a program may read its data. */
enum { LGN_JOB_PATIENCE = 10 };
int lgn_job_allgather(struct lgn_job *job, const void *mine, size_t len,
		      void *all);

/* Disconnect from the launcher, so that it does not end the job when one
 * process dies. Safe to call twice. */
void lgn_job_leave(struct lgn_job *job);

/* job_pmix.c. Returns 1, and touches nothing, if there is no PMIx server or
 * the build has no PMIx. Reads job->timeout_s. */
int lgn_job_pmix_open(struct lgn_job *job);

/* "4.2.2", or "none". */
const char *lgn_job_pmix_version(void);

#endif
