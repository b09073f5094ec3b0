/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests within MPI and OpenMP have in common.
 *
 *	host_begin("name", &argc, &argv);
 *	host_open(&attr, &comm, &lg);
 *	host_end();
 *
 * The first argument of the program says how the processes of Lagoon meet:
 * own (attr->allgather by MPI_Allgather) or pmix. Failures end the process as
 * in test/support/test.h; mpirun ends the others.
 */
#ifndef TEST_MPI_HOST_H
#define TEST_MPI_HOST_H

#include <mpi.h>
#include <omp.h>
#include <stdio.h>

#include "test/support/test.h"

enum { HOST_TEAM = 3 };		/* OpenMP threads, and workers */

extern int host_rank, host_size;

/* MPI_Init_thread() with MPI_THREAD_FUNNELED; then all that MPI and OpenMP do
 * at the first use is done. */
void host_begin(const char *name, int *argc, char ***argv);
void host_end(void);

/* lagoon_open() over the ranks of *comm. */
void host_open(struct lagoon_attr *attr, MPI_Comm *comm, struct lagoon **lg);

/* The OpenMP settings, for t_snapshot(). */
void host_settings(FILE *to);

/* Worker `index` of the process, by the thread of that number in a team. */
struct lagoon_worker *host_worker(struct lagoon *lg, int index);

#endif
