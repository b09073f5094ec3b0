/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/job.h"

/* A launcher that told its processes how many they are. */
struct launcher {
	const char *count;	/* environment variable */
	const char *fix;
};

/* SLURM_NTASKS is not among them: a batch script has it too, and is one
 * process. */
static const struct launcher launchers[] = {
	{ "SLURM_STEP_NUM_TASKS", "start it with srun --mpi=pmix" },
	{ "OMPI_COMM_WORLD_SIZE",
	  "start it with an mpirun that serves PMIx, or hand in attr.allgather" },
	{ "PMI_SIZE",
	  "start it with srun --mpi=pmix or lagoon run, or hand in attr.allgather" },
};

/* One process each of N jobs would compute nonsense without a word. */
static int refuse_singletons(void)
{
	bool built = strcmp(lgn_job_pmix_version(), "none") != 0;

	for (size_t i = 0; i < LGN_COUNT(launchers); i++) {
		const char *text = getenv(launchers[i].count);
		long n = text ? strtol(text, NULL, 10) : 0;

		if (n > 1)
			return lgn_fail(LAGOON_EJOB,
					"%s is %ld, but this process was given no PMIx server to find the others: %s",
					launchers[i].count, n,
					built ? launchers[i].fix : "this Lagoon was built without PMIx");
	}
	return 0;
}

static int single_allgather(void *arg, const void *mine, size_t len, void *all)
{
	(void)arg;
	memcpy(all, mine, len);
	return 0;
}

static int caller_open(const struct lagoon_attr *attr, struct lgn_job *job)
{
	if (attr->nranks < 1 || attr->rank < 0 || attr->rank >= attr->nranks)
		return lgn_fail(LAGOON_EINVAL,
				"rank is %d and nranks %d: expected 0 <= rank < nranks",
				attr->rank, attr->nranks);
	job->rank = attr->rank;
	job->size = attr->nranks;
	job->kind = "caller";
	job->allgather = attr->allgather;
	job->arg = attr->allgather_arg;
	return 0;
}

static int single_open(struct lgn_job *job)
{
	int rc = refuse_singletons();

	if (rc)
		return rc;
	job->rank = 0;
	job->size = 1;
	job->kind = "single";
	job->allgather = single_allgather;
	return 0;
}

static int find(const struct lagoon_attr *attr, struct lgn_job *job)
{
	int rc;

	if (attr->allgather)
		return caller_open(attr, job);
	rc = lgn_job_pmix_open(job);
	return rc > 0 ? single_open(job) : rc;
}

int lgn_job_open(const struct lagoon_attr *attr, struct lgn_job *job)
{
	struct lgn_job found = { .timeout_s = attr->timeout_s };
	int rc = find(attr, &found);

	if (rc)
		return rc;
	lgn_log(LGN_INFO, "job of %d processes by %s", found.size, found.kind);
	*job = found;
	return 0;
}

int lgn_job_allgather(struct lgn_job *job, const void *mine, size_t len,
		      void *all)
{
	int rc = job->allgather(job->arg, mine, len, all);

	if (rc && !strcmp(job->kind, "caller"))
		return lgn_fail(LAGOON_EJOB,
				"the allgather function handed to lagoon_open() returned %d",
				rc);
	return rc;
}

void lgn_job_leave(struct lgn_job *job)
{
	if (job->leave)
		job->leave(job);
	job->leave = NULL;
}
