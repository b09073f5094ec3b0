/* SPDX-License-Identifier: BSD-3-Clause */
/* A PMIx server for the ranks of one machine: the only file that knows the
 * server side of PMIx. One node, so a fence has nothing to carry. */
#include "config.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/run.h"

extern char **environ;

/* A copy that a server may extend. */
static char **copy_environ(void)
{
	size_t n = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 1, sizeof(*env));
	for (size_t i = 0; env && i < n; i++) {
		env[i] = strdup(environ[i]);
		if (!env[i]) {
			run_server_env_free(env);
			return NULL;
		}
	}
	return env;
}

void run_server_env_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++)
		free(env[i]);
	free(env);
}

#ifdef HAVE_PMIX
#include <pmix.h>
#include <pmix_server.h>

#define CLOSE_S 5

static char nspace[PMIX_MAX_NSLEN + 1];

/* The server waits for done(): these have nothing to do. */
static pmix_status_t on_client(const pmix_proc_t *proc, void *object,
			       pmix_op_cbfunc_t done, void *arg)
{
	(void)proc;
	(void)object;
	if (done)
		done(PMIX_SUCCESS, arg);
	return PMIX_SUCCESS;
}

/* The caller of PMIx_Abort() ends itself next, and that ends the job. */
static pmix_status_t on_abort(const pmix_proc_t *proc, void *object, int status,
			      const char msg[], pmix_proc_t procs[],
			      size_t nprocs, pmix_op_cbfunc_t done, void *arg)
{
	(void)object;
	(void)status;
	(void)procs;
	(void)nprocs;
	if (msg && *msg)
		run_say("rank %u: %s", proc->rank, msg);
	if (done)
		done(PMIX_SUCCESS, arg);
	return PMIX_SUCCESS;
}

/* All ranks are here: what they handed in is what they get. */
static pmix_status_t on_fence(const pmix_proc_t procs[], size_t nprocs,
			      const pmix_info_t info[], size_t ninfo,
			      char *data, size_t len, pmix_modex_cbfunc_t done,
			      void *arg)
{
	(void)procs;
	(void)nprocs;
	(void)info;
	(void)ninfo;
	if (done)
		done(PMIX_SUCCESS, data, len, arg, NULL, NULL);
	return PMIX_SUCCESS;
}

/* Asks for a rank of another node. */
static pmix_status_t on_modex(const pmix_proc_t *proc, const pmix_info_t info[],
			      size_t ninfo, pmix_modex_cbfunc_t done, void *arg)
{
	(void)proc;
	(void)info;
	(void)ninfo;
	(void)done;
	(void)arg;
	return PMIX_ERR_NOT_FOUND;
}

static pmix_server_module_t module = {
	.client_connected = on_client,
	.client_finalized = on_client,
	.abort = on_abort,
	.fence_nb = on_fence,
	.direct_modex = on_modex,
};

static void destruct(pmix_info_t *info, size_t n)
{
	for (size_t i = 0; i < n; i++)
		PMIX_INFO_DESTRUCT(&info[i]);
}

/* "0,1,2" */
static char *list_ranks(int n)
{
	char *text = malloc((size_t)n * 12 + 1);
	size_t len = 0;

	for (int r = 0; text && r < n; r++)
		len += (size_t)sprintf(text + len, r ? ",%d" : "%d", r);
	return text;
}

static pmix_status_t register_job(uint32_t n, const char *ranks,
				  const char *node_map, const char *proc_map)
{
	pmix_info_t info[6];
	pmix_status_t rc;

	PMIX_INFO_LOAD(&info[0], PMIX_UNIV_SIZE, &n, PMIX_UINT32);
	PMIX_INFO_LOAD(&info[1], PMIX_JOB_SIZE, &n, PMIX_UINT32);
	PMIX_INFO_LOAD(&info[2], PMIX_LOCAL_SIZE, &n, PMIX_UINT32);
	PMIX_INFO_LOAD(&info[3], PMIX_LOCAL_PEERS, ranks, PMIX_STRING);
	PMIX_INFO_LOAD(&info[4], PMIX_NODE_MAP, node_map, PMIX_REGEX);
	PMIX_INFO_LOAD(&info[5], PMIX_PROC_MAP, proc_map, PMIX_REGEX);
	rc = PMIx_server_register_nspace(nspace, (int)n, info, 6, NULL, NULL);
	destruct(info, 6);
	return rc;
}

static pmix_status_t register_nspace(int n)
{
	char host[256] = "localhost";
	char *ranks = list_ranks(n);
	char *node_map = NULL, *proc_map = NULL;
	pmix_status_t rc = ranks ? PMIX_SUCCESS : PMIX_ERR_NOMEM;

	gethostname(host, sizeof(host) - 1);
	if (rc == PMIX_SUCCESS)
		rc = PMIx_generate_regex(host, &node_map);
	if (rc == PMIX_SUCCESS)
		rc = PMIx_generate_ppn(ranks, &proc_map);
	if (rc == PMIX_SUCCESS)
		rc = register_job((uint32_t)n, ranks, node_map, proc_map);
	free(ranks);
	free(node_map);
	free(proc_map);
	return rc == PMIX_OPERATION_SUCCEEDED ? PMIX_SUCCESS : rc;
}

static pmix_status_t register_clients(int n)
{
	pmix_status_t rc = PMIX_SUCCESS;
	pmix_proc_t proc;

	for (int r = 0; rc == PMIX_SUCCESS && r < n; r++) {
		PMIX_LOAD_PROCID(&proc, nspace, (pmix_rank_t)r);
		rc = PMIx_server_register_client(&proc, geteuid(), getegid(),
						 NULL, NULL, NULL);
		if (rc == PMIX_OPERATION_SUCCEEDED)
			rc = PMIX_SUCCESS;
	}
	return rc;
}

/* What a server around this one has told would mislead the ranks. Settings
 * (PMIX_MCA_) stay. */
static void forget_outer_server(void)
{
	char name[128];

	for (char **e = environ; *e; ) {
		size_t len = strcspn(*e, "=");

		if (strncmp(*e, "PMIX_", 5) || !strncmp(*e, "PMIX_MCA_", 9) ||
		    len >= sizeof(name)) {
			e++;
			continue;
		}
		memcpy(name, *e, len);
		name[len] = '\0';
		unsetenv(name);		/* the next one moves up */
	}
}

int run_server_open(int n, const char *dir)
{
	pmix_info_t info[2];
	pmix_status_t rc;

	forget_outer_server();
	snprintf(nspace, sizeof(nspace), "lagoon-run-%ld", (long)getpid());
	PMIX_INFO_LOAD(&info[0], PMIX_SERVER_TMPDIR, dir, PMIX_STRING);
	PMIX_INFO_LOAD(&info[1], PMIX_SYSTEM_TMPDIR, dir, PMIX_STRING);
	rc = PMIx_server_init(&module, info, 2);
	destruct(info, 2);
	if (rc != PMIX_SUCCESS)
		goto say;
	rc = register_nspace(n);
	if (rc == PMIX_SUCCESS)
		rc = register_clients(n);
	if (rc == PMIX_SUCCESS)
		return 0;
	PMIx_server_finalize();
say:
	run_say("cannot start a PMIx server for %d processes: %s", n,
		PMIx_Error_string(rc));
	return -1;
}

char **run_server_env(int rank)
{
	char **env = copy_environ();
	pmix_status_t rc = env ? PMIX_SUCCESS : PMIX_ERR_NOMEM;
	pmix_proc_t proc;

	PMIX_LOAD_PROCID(&proc, nspace, (pmix_rank_t)rank);
	if (rc == PMIX_SUCCESS)
		rc = PMIx_server_setup_fork(&proc, &env);
	if (rc == PMIX_SUCCESS)
		return env;
	run_say("cannot make the environment of rank %d: %s", rank,
		PMIx_Error_string(rc));
	run_server_env_free(env);
	return NULL;
}

static void *finalize(void *arg)
{
	(void)arg;
	PMIx_server_finalize();
	return NULL;
}

/* It may not come back: a launcher was seen asleep for a quarter of an hour, all
 * ranks gone, as in issue 1244 of openpmix. Nothing depends on it: the ranks have
 * ended, and their directory is the warden's. */
void run_server_close(void)
{
	struct timespec until;
	pthread_t thread;

	if (pthread_create(&thread, NULL, finalize, NULL))
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_S;
	if (pthread_timedjoin_np(thread, NULL, &until))
		pthread_detach(thread);
}

#else

int run_server_open(int n, const char *dir)
{
	(void)dir;
	if (n == 1)
		return 0;
	run_say("this Lagoon was built without PMIx: it cannot start %d processes", n);
	return -1;
}

char **run_server_env(int rank)
{
	char **env = copy_environ();

	if (!env)
		run_say("no memory for the environment of rank %d", rank);
	return env;
}

void run_server_close(void)
{
}

#endif
