/* SPDX-License-Identifier: BSD-3-Clause */
/* Which job a process finds itself in. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "numa/place.h"
#include "runtime/base/env.h"
#include "runtime/base/status.h"
#include "runtime/job.h"

static const char *const launcher_variables[] = {
	"PMIX_NAMESPACE", "PMIX_RANK", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS",
	"OMPI_COMM_WORLD_SIZE", "PMI_SIZE",
};

/* The tests may run under a launcher themselves. */
static void forget_launcher(void)
{
	for (size_t i = 0; i < LGN_COUNT(launcher_variables); i++)
		unsetenv(launcher_variables[i]);
}

TestSuite(job, .init = forget_launcher, .timeout = 30);

/* What context.c and join.c make of numbers of choices and of bounds. */
Test(job, options_of_the_table_fit_the_code)
{
	cr_expect_eq(lgn_env_entry(LGN_ENV_ID_WORKERS)->max, LGN_PLAN_MAX);
	cr_expect_str_eq(lgn_env_entry(LGN_ENV_ID_WIRE)->choices, "auto|shm|rc");
	cr_expect_str_eq(lgn_env_entry(LGN_ENV_ID_BIND)->choices, "yes|no");
	cr_expect_str_eq(lgn_env_entry(LGN_ENV_ID_ON_DEATH)->choices,
			 "stop|continue");
}

static struct lagoon_attr attr_of(int rank, int nranks)
{
	return (struct lagoon_attr){
		.size = sizeof(struct lagoon_attr), .timeout_s = 5,
		.rank = rank, .nranks = nranks,
	};
}

static void expect_single(void)
{
	struct lagoon_attr attr = attr_of(0, 1);
	struct lgn_job job;
	int in = 42, out = 0;

	cr_assert_eq(lgn_job_open(&attr, &job), 0, "%s", lagoon_errmsg());
	cr_assert_str_eq(job.kind, "single");
	cr_assert_eq(job.rank, 0);
	cr_assert_eq(job.size, 1);
	cr_assert_eq(lgn_job_allgather(&job, &in, sizeof(in), &out), 0);
	cr_assert_eq(out, 42);
	lgn_job_leave(&job);
	lgn_job_leave(&job);
}

static void expect_refused(const char *variable, const char *fix)
{
	struct lagoon_attr attr = attr_of(0, 1);
	struct lgn_job job = { .rank = -7 };

	cr_assert_eq(lgn_job_open(&attr, &job), LAGOON_EJOB, "%s", variable);
	cr_assert_not_null(strstr(lagoon_errmsg(), variable), "%s",
			   lagoon_errmsg());
	if (strcmp(lgn_job_pmix_version(), "none"))
		cr_assert_not_null(strstr(lagoon_errmsg(), fix), "%s",
				   lagoon_errmsg());
	cr_assert_eq(job.rank, -7, "the output was written");
}

Test(job, one_process_without_launcher)
{
	expect_single();
	expect_single();	/* and again */
}

Test(job, batch_script_is_one_process)
{
	setenv("SLURM_NTASKS", "64", 1);
	setenv("SLURM_STEP_NUM_TASKS", "1", 1);
	expect_single();
}

Test(job, steps_of_several_without_pmix_are_refused)
{
	setenv("SLURM_NTASKS", "4", 1);
	setenv("SLURM_STEP_NUM_TASKS", "4", 1);
	expect_refused("SLURM_STEP_NUM_TASKS", "srun --mpi=pmix");
	unsetenv("SLURM_STEP_NUM_TASKS");
	setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
	expect_refused("OMPI_COMM_WORLD_SIZE", "attr.allgather");
	unsetenv("OMPI_COMM_WORLD_SIZE");
	setenv("PMI_SIZE", "3", 1);
	expect_refused("PMI_SIZE", "lagoon run");
	unsetenv("PMI_SIZE");
	expect_single();
}

Test(job, lost_server_is_no_single_process)
{
	if (!strcmp(lgn_job_pmix_version(), "none"))
		cr_skip("built without PMIx");
	setenv("PMIX_NAMESPACE", "nowhere", 1);
	setenv("PMIX_RANK", "3", 1);
	expect_refused("PMIX_RANK is 3", "cannot be reached");
}

/* ------------------------------------------------- the caller's exchange */

enum { RANKS = 5 };

struct exchange {
	pthread_barrier_t barrier;
	unsigned char box[RANKS][64];
	_Atomic int calls;
};

struct member {
	struct exchange *exchange;
	int rank;
	int rc;
};

static int gather(void *arg, const void *mine, size_t len, void *all)
{
	struct member *m = arg;
	struct exchange *x = m->exchange;

	memcpy(x->box[m->rank], mine, len);
	pthread_barrier_wait(&x->barrier);
	for (int r = 0; r < RANKS; r++)
		memcpy((char *)all + (size_t)r * len, x->box[r], len);
	x->calls++;
	pthread_barrier_wait(&x->barrier);
	return 0;
}

static void *member_main(void *arg)
{
	struct member *m = arg;
	struct lagoon_attr attr = attr_of(m->rank, RANKS);
	unsigned char mine[48], all[RANKS][48];
	struct lgn_job job;

	attr.allgather = gather;
	attr.allgather_arg = m;
	m->rc = lgn_job_open(&attr, &job);
	if (m->rc)
		return NULL;
	memset(mine, 0x10 + m->rank, sizeof(mine));
	m->rc = lgn_job_allgather(&job, mine, sizeof(mine), all);
	if (job.rank != m->rank || job.size != RANKS || strcmp(job.kind, "caller"))
		m->rc = 1;
	for (int r = 0; r < RANKS; r++)
		for (size_t i = 0; i < sizeof(mine); i++)
			if (all[r][i] != 0x10 + r)
				m->rc = 2;
	lgn_job_leave(&job);
	return NULL;
}

/* It comes before any launcher: a part of an MPI job may be a job. */
Test(job, callers_exchange_among_threads)
{
	struct exchange x = { .calls = 0 };
	struct member member[RANKS];
	pthread_t thread[RANKS];

	setenv("SLURM_STEP_NUM_TASKS", "64", 1);
	setenv("PMIX_NAMESPACE", "nowhere", 1);
	setenv("PMIX_RANK", "3", 1);
	pthread_barrier_init(&x.barrier, NULL, RANKS);
	for (int r = 0; r < RANKS; r++) {
		member[r] = (struct member){ .exchange = &x, .rank = r };
		cr_assert_eq(pthread_create(&thread[r], NULL, member_main,
					    &member[r]), 0);
	}
	for (int r = 0; r < RANKS; r++) {
		pthread_join(thread[r], NULL);
		cr_assert_eq(member[r].rc, 0, "rank %d: %d", r, member[r].rc);
	}
	cr_assert_eq(x.calls, RANKS);
}

static int refuse(void *arg, const void *mine, size_t len, void *all)
{
	(void)arg;
	(void)mine;
	(void)len;
	(void)all;
	return 17;
}

Test(job, callers_exchange_that_fails)
{
	struct lagoon_attr attr = attr_of(1, 2);
	struct lgn_job job;
	char mine = 0, all[2];

	attr.allgather = refuse;
	cr_assert_eq(lgn_job_open(&attr, &job), 0);
	cr_assert_eq(lgn_job_allgather(&job, &mine, 1, all), LAGOON_EJOB);
	cr_assert_not_null(strstr(lagoon_errmsg(), "returned 17"), "%s",
			   lagoon_errmsg());
	lgn_job_leave(&job);
}

struct wrong {
	int rank, nranks;
};

Test(job, callers_rank_out_of_range)
{
	static const struct wrong wrong[] = {
		{ 0, 0 }, { 0, -1 }, { -1, 2 }, { 2, 2 }, { 7, 1 },
	};

	for (size_t i = 0; i < LGN_COUNT(wrong); i++) {
		struct lagoon_attr attr = attr_of(wrong[i].rank, wrong[i].nranks);
		struct lgn_job job;

		attr.allgather = refuse;
		cr_assert_eq(lgn_job_open(&attr, &job), LAGOON_EINVAL,
			     "rank %d of %d", wrong[i].rank, wrong[i].nranks);
	}
}
