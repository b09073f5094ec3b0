/* SPDX-License-Identifier: BSD-3-Clause */
/* The client side of PMIx: the only file of the library that knows it. */
#include "config.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/base/wait.h"
#include "runtime/job.h"

#ifdef HAVE_PMIX
#include <pmix.h>

/* One per process, as PMIx has one connection per process. */
static struct {
	pmix_proc_t me;
	uint32_t size;
	uint32_t exchanges;	/* a key is never put twice */
	uint32_t connections;	/* so far, one after the other */
	int timeout_s;
} pmix;

/* A server names itself to its children by these. PMIx_Init() of later
 * versions succeeds without a server, as a job of one. */
static int has_server(void)
{
	return getenv("PMIX_NAMESPACE") && getenv("PMIX_RANK");
}

static int get_size(void)
{
	pmix_proc_t job = pmix.me;
	pmix_value_t *value;
	pmix_status_t rc;

	job.rank = PMIX_RANK_WILDCARD;
	rc = PMIx_Get(&job, PMIX_JOB_SIZE, NULL, 0, &value);
	if (rc != PMIX_SUCCESS)
		return lgn_fail(LAGOON_EJOB,
				"the PMIx server does not tell the size of the job: %s",
				PMIx_Error_string(rc));
	PMIX_VALUE_GET_NUMBER(rc, value, pmix.size, uint32_t);
	PMIX_VALUE_RELEASE(value);
	if (rc != PMIX_SUCCESS || pmix.size <= pmix.me.rank)
		return lgn_fail(LAGOON_EJOB,
				"the PMIx server tells a job size that is no number above this rank, %u",
				pmix.me.rank);
	return 0;
}

static int put(const char *key, const void *mine, size_t len)
{
	pmix_value_t value = { .type = PMIX_BYTE_OBJECT };
	pmix_status_t rc;

	value.data.bo.bytes = (char *)mine;	/* PMIx_Put() copies */
	value.data.bo.size = len;
	rc = PMIx_Put(PMIX_GLOBAL, key, &value);
	if (rc == PMIX_SUCCESS)
		rc = PMIx_Commit();
	if (rc != PMIX_SUCCESS)
		return lgn_fail(LAGOON_EJOB,
				"cannot hand %zu bytes to the PMIx server: %s",
				len, PMIx_Error_string(rc));
	return 0;
}

/* The number of the exchange that waits for its fence, and the fence's status
 * once it is answered, in one word: an answer may come when nobody waits for
 * it any more. */
enum { PENDING = 1 };		/* is no status: those are 0 or negative */
static _Atomic uint64_t fence_state;

static uint64_t fence_word(uintptr_t exchange, pmix_status_t status)
{
	return (uint64_t)exchange << 32 | (uint32_t)status;
}

static void fence_answer(pmix_status_t status, void *exchange)
{
	uint64_t pending = fence_word((uintptr_t)exchange, PENDING);

	atomic_compare_exchange_strong(&fence_state, &pending,
				       fence_word((uintptr_t)exchange, status));
}

static pmix_status_t fence_status(void)
{
	return (pmix_status_t)(uint32_t)atomic_load(&fence_state);
}

static pmix_status_t look_up(const char *key, pmix_rank_t rank,
			     pmix_value_t **value)
{
	bool immediate = true;
	pmix_proc_t who = pmix.me;
	pmix_info_t info;

	who.rank = rank;
	PMIX_INFO_LOAD(&info, PMIX_IMMEDIATE, &immediate, PMIX_BOOL);
	return PMIx_Get(&who, key, &info, 1, value);
}

/* Whether all ranks have put the key; *from: those before have. */
static bool all_there(const char *key, pmix_rank_t *from)
{
	pmix_value_t *value;

	for (; *from < pmix.size; ++*from) {
		if (look_up(key, *from, &value) != PMIX_SUCCESS)
			return false;
		PMIX_VALUE_RELEASE(value);
	}
	return true;
}

/*
 * Not PMIx_Fence(): the time limit is kept here, because Slurm's servers do
 * not pass PMIX_TIMEOUT on to each other and wait for 300 s.
 *
 * The fences of the first connection can be relied on. After PMIx_Finalize() a
 * server may take a client that has come back for one that is lost, and end a
 * fence too early or never (PMIx 4.2 under Open MPI 4.1 does, once in 50
 * times). So the exchanges of later connections are over when everything is
 * there, whatever becomes of their fences.
 */
static pmix_status_t fence_within(int seconds, const char *key,
				  const pmix_info_t *info, size_t n)
{
	uint64_t limit = (uint64_t)seconds * 1000000000u;
	struct lgn_wait wait = LGN_WAIT_INIT;
	bool first = pmix.connections == 1;
	pmix_rank_t from = 0;
	pmix_status_t rc;

	atomic_store(&fence_state, fence_word(pmix.exchanges, PENDING));
	rc = PMIx_Fence_nb(NULL, 0, info, n, fence_answer,
			   (void *)(uintptr_t)pmix.exchanges);
	if (rc != PMIX_SUCCESS)
		return rc == PMIX_OPERATION_SUCCEEDED ? PMIX_SUCCESS : rc;
	do {
		if (!first && all_there(key, &from))
			return PMIX_SUCCESS;
		rc = fence_status();
		if (rc != PENDING && (first || rc != PMIX_SUCCESS))
			return rc;
		lgn_wait_step(&wait);
	} while (lgn_waited_ns(&wait) < limit);
	return PMIX_ERR_TIMEOUT;
}

/* The server says that it has lost a client during the fence. If what that
 * one handed in is here, nothing is missing yet; on a busy machine servers say
 * so of clients that live. */
static bool arrives(const char *key)
{
	const uint64_t limit = 2000000000u;
	struct lgn_wait wait = LGN_WAIT_INIT;
	pmix_rank_t from = 0;

	while (!all_there(key, &from)) {
		lgn_wait_step(&wait);
		if (lgn_waited_ns(&wait) > limit)
			return false;
	}
	return true;
}

static int fence(const char *key)
{
	pmix_info_t info[2];
	int seconds = pmix.timeout_s;
	bool collect = true;
	pmix_status_t rc;

	PMIX_INFO_LOAD(&info[0], PMIX_COLLECT_DATA, &collect, PMIX_BOOL);
	PMIX_INFO_LOAD(&info[1], PMIX_TIMEOUT, &seconds, PMIX_INT);
	rc = fence_within(seconds, key, info, 2);
	if (rc == PMIX_ERR_PARTIAL_SUCCESS && arrives(key))
		rc = PMIX_SUCCESS;
	if (rc == PMIX_ERR_TIMEOUT)
		return lgn_fail(LAGOON_ETIMEDOUT,
				"not every process of the job called lagoon_open() within %d s of the first, or within the launcher's own limit (in Slurm, SLURM_PMIX_TIMEOUT)",
				seconds);
	if (rc != PMIX_SUCCESS)
		return lgn_fail(LAGOON_EJOB,
				"a process of the job ended before the first exchange was complete (PMIx: %s)",
				PMIx_Error_string(rc));
	return 0;
}

/* The fence has brought everything here. What is not there belongs to a
 * process that died before the others met, and never comes. */
static int get(const char *key, pmix_rank_t rank, size_t len, void *out)
{
	pmix_value_t *value;
	size_t got = 0;
	pmix_status_t rc = look_up(key, rank, &value);

	if (rc != PMIX_SUCCESS)
		return lgn_fail(LAGOON_EJOB,
				"rank %u ended before lagoon_open() was complete (PMIx: %s)",
				rank, PMIx_Error_string(rc));
	if (value->type == PMIX_BYTE_OBJECT)
		got = value->data.bo.size;
	if (got == len)
		memcpy(out, value->data.bo.bytes, len);
	PMIX_VALUE_RELEASE(value);
	if (got != len)
		return lgn_fail(LAGOON_EJOB,
				"rank %u handed in %zu bytes, this process %zu: every process must use the same version of Lagoon",
				rank, got, len);
	return 0;
}

static int pmix_allgather(void *arg, const void *mine, size_t len, void *all)
{
	char key[32];
	int rc;

	(void)arg;
	snprintf(key, sizeof(key), "lagoon.%u", pmix.exchanges);
	rc = put(key, mine, len);
	if (!rc)
		rc = fence(key);
	pmix.exchanges++;
	for (pmix_rank_t r = 0; !rc && r < pmix.size; r++)
		rc = get(key, r, len, (char *)all + r * len);
	return rc;
}

/* Counted by PMIx: an MPI library in this process keeps its connection. */
static void pmix_leave(struct lgn_job *job)
{
	(void)job;
	PMIx_Finalize(NULL, 0);
}

/* PMIx_Init() leaves a variable in the environment, which is the host
 * program's. */
static pmix_status_t init(void)
{
	static const char variable[] = "PMIX_MCA_psec";
	bool had = getenv(variable) != NULL;
	pmix_status_t rc = PMIx_Init(&pmix.me, NULL, 0);

	if (!had)
		unsetenv(variable);
	return rc;
}

int lgn_job_pmix_open(struct lgn_job *job)
{
	pmix_status_t status;
	int rc;

	if (!has_server())
		return 1;
	status = init();
	if (status != PMIX_SUCCESS)
		return lgn_fail(LAGOON_EJOB,
				"PMIX_RANK is %s, but the PMIx server of the job cannot be reached: %s",
				getenv("PMIX_RANK"), PMIx_Error_string(status));
	pmix.timeout_s = job->timeout_s * LGN_JOB_PATIENCE;
	rc = get_size();
	if (rc) {
		PMIx_Finalize(NULL, 0);
		return rc;
	}
	pmix.connections++;
	job->rank = (int)pmix.me.rank;
	job->size = (int)pmix.size;
	job->kind = "pmix";
	job->allgather = pmix_allgather;
	job->leave = pmix_leave;
	return 0;
}

/* "OpenPMIx 4.2.2, repo rev: ..." */
const char *lgn_job_pmix_version(void)
{
	static char version[32];
	const char *text = PMIx_Get_version();

	text += strcspn(text, "0123456789");
	snprintf(version, sizeof(version), "%.*s",
		 (int)strspn(text, "0123456789.abcdefghijklmnopqrstuvwxyz"), text);
	return version;
}

#else

int lgn_job_pmix_open(struct lgn_job *job)
{
	(void)job;
	return 1;
}

const char *lgn_job_pmix_version(void)
{
	return "none";
}

#endif
