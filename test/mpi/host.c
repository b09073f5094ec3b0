/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "test/mpi/host.h"

int host_rank, host_size;
static bool pmix;

static int gather(void *comm, const void *mine, size_t len, void *all)
{
	return MPI_Allgather(mine, (int)len, MPI_BYTE, all, (int)len, MPI_BYTE,
			     *(MPI_Comm *)comm);
}

void host_begin(const char *name, int *argc, char ***argv)
{
	char mine[300] = { 0 }, *all;
	MPI_Comm world = MPI_COMM_WORLD;
	int level, threads = 0;

	T_CHECK(*argc > 1 && (!strcmp((*argv)[1], "own") ||
			      !strcmp((*argv)[1], "pmix")), "own or pmix?");
	pmix = !strcmp((*argv)[1], "pmix");
	MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &level);
	MPI_Comm_rank(MPI_COMM_WORLD, &host_rank);
	MPI_Comm_size(MPI_COMM_WORLD, &host_size);
	t_name(name, host_rank);
	if (pmix && host_size > 1 && !getenv("PMIX_RANK")) {
		printf("this MPI's launcher serves no PMIx\n");
		MPI_Finalize();
		exit(T_SKIP);
	}
	all = calloc((size_t)host_size, sizeof(mine));
	gather(&world, mine, sizeof(mine), all);
	free(all);
	MPI_Barrier(MPI_COMM_WORLD);
	omp_set_num_threads(HOST_TEAM);
	#pragma omp parallel reduction(+ : threads)
	threads++;
	T_CHECK(threads == HOST_TEAM, "a team of %d threads, not %d", threads,
		HOST_TEAM);
}

void host_end(void)
{
	MPI_Barrier(MPI_COMM_WORLD);
	MPI_Finalize();
}

void host_open(struct lagoon_attr *attr, MPI_Comm *comm, struct lagoon **lg)
{
	int size;

	MPI_Comm_size(*comm, &size);
	if (!pmix) {
		attr->allgather = gather;
		attr->allgather_arg = comm;
		attr->nranks = size;
		MPI_Comm_rank(*comm, &attr->rank);
	}
	t_ok(lagoon_open(attr, lg), "lagoon_open");
	T_CHECK(lagoon_size(*lg) == size, "a job of %d processes, not %d",
		lagoon_size(*lg), size);
}

void host_settings(FILE *to)
{
	fprintf(to, "OpenMP: threads %d, dynamic %d, binding %d, places %d, limit %d, levels %d\n",
		omp_get_max_threads(), omp_get_dynamic(), omp_get_proc_bind(),
		omp_get_num_places(), omp_get_thread_limit(),
		omp_get_max_active_levels());
	for (int i = 0; i < omp_get_num_places(); i++) {
		int n = omp_get_place_num_procs(i), id[1024] = { 0 };

		T_CHECK(n <= 1024, "%d processors in a place", n);
		omp_get_place_proc_ids(i, id);
		fprintf(to, "OpenMP place %d:", i);
		for (int k = 0; k < n; k++)
			fprintf(to, " %d", id[k]);
		fputc('\n', to);
	}
}

struct lagoon_worker *host_worker(struct lagoon *lg, int index)
{
	struct lagoon_worker *w;

	t_ok(lagoon_worker(lg, index, &w), "lagoon_worker");
	return w;
}
