/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Least squares in a program of MPI and OpenMP: each rank has rows of its own,
 * each OpenMP thread is a worker of Lagoon.
 *
 *	mpirun -n 4 ./mpi_openmp          every rank takes part
 *	mpirun -n 4 ./mpi_openmp even     only even ranks; all judge the result
 *	mpirun -n 4 ./mpi_openmp pmix     Lagoon finds the ranks by PMIx, not MPI
 */
#include <lagoon.h>
#include <math.h>
#include <mpi.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 2000, COLS = 16, ROUNDS = 60 };

static double x[ROWS][COLS], y[ROWS];

/* Rows around planted weights 1, 1/2, 1/3, ...; other rows in each rank. */
static void make_rows(int rank)
{
	unsigned random = 12345u * (unsigned)(rank + 1);

	for (int i = 0; i < ROWS; i++) {
		y[i] = 0;
		for (int j = 0; j < COLS; j++) {
			random = random * 1664525u + 1013904223u;
			x[i][j] = (double)(random >> 8) / (1 << 23) - 1;
			y[i] += x[i][j] / (j + 1);
		}
	}
}

static double residual(const double *w, int i)
{
	double r = -y[i];

	for (int j = 0; j < COLS; j++)
		r += w[j] * x[i][j];
	return r;
}

/* One worker: descend along the gradient of every stride-th row. */
static int fit(struct lagoon_worker *worker, struct lagoon_table *table,
	       int first, int stride, double rate)
{
	double w[COLS], step[COLS];
	int rc = 0;

	for (int round = 0; round < ROUNDS && !rc; round++) {
		rc = lagoon_pull(worker, table, 0, COLS, w);
		memset(step, 0, sizeof(step));
		for (int i = first; i < ROWS && !rc; i += stride) {
			double r = residual(w, i);

			for (int j = 0; j < COLS; j++)
				step[j] -= rate * r * x[i][j];
		}
		if (!rc)
			rc = lagoon_add(worker, table, 0, COLS, step);
		if (!rc)
			rc = lagoon_clock(worker);
	}
	return rc ? rc : lagoon_barrier(worker);
}

/* The team is as large as the process has workers: a worker without a thread
 * would hold back all others. */
static int fit_all(struct lagoon *lg, struct lagoon_table *table, double *w)
{
	double rate = 1.0 / ROWS / lagoon_size(lg);
	int threads = lagoon_local_workers(lg), failed = 0;
	struct lagoon_worker *first;

	#pragma omp parallel num_threads(threads) reduction(+ : failed)
	{
		int me = omp_get_thread_num();
		struct lagoon_worker *worker;
		int rc = lagoon_worker(lg, me, &worker);

		if (!rc)
			rc = fit(worker, table, me, threads, rate);
		if (rc)
			fprintf(stderr, "%s\n", lagoon_errmsg());
		failed += !!rc;
	}
	return failed || lagoon_worker(lg, 0, &first) ||
		lagoon_pull(first, table, 0, COLS, w);
}

/* How Lagoon's ranks meet: called once, in lagoon_open(), by this thread. */
static int gather(void *comm, const void *mine, size_t len, void *all)
{
	return MPI_Allgather(mine, (int)len, MPI_BYTE, all, (int)len, MPI_BYTE,
			     *(MPI_Comm *)comm);
}

static int train(MPI_Comm comm, int pmix, double *w)
{
	struct lagoon_table_attr shape;
	struct lagoon_table *table;
	struct lagoon_attr attr;
	struct lagoon *lg;
	int rc = lagoon_attr_init(&attr);

	attr.workers = omp_get_max_threads();
	if (!pmix) {
		attr.allgather = gather;
		attr.allgather_arg = &comm;
		MPI_Comm_rank(comm, &attr.rank);
		MPI_Comm_size(comm, &attr.nranks);
	}
	if (!rc)
		rc = lagoon_open(&attr, &lg);
	if (rc)
		goto out;
	lagoon_table_attr_init(&shape);
	shape.rows = COLS;
	shape.staleness = 1;
	rc = lagoon_table_create(lg, "weights", &shape, &table);
	if (!rc)
		rc = fit_all(lg, table, w);
	rc = lagoon_close(lg) || rc;
out:
	if (rc)
		fprintf(stderr, "%s\n", lagoon_errmsg());
	return rc;
}

int main(int argc, char **argv)
{
	int even = argc > 1 && !strcmp(argv[1], "even");
	int pmix = argc > 1 && !strcmp(argv[1], "pmix");
	double w[COLS], sum = 0, all = 0;
	int rank, size, level;
	MPI_Comm comm;

	MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	make_rows(rank);

	MPI_Comm_split(MPI_COMM_WORLD, even && rank % 2 ? MPI_UNDEFINED : 0,
		       rank, &comm);
	if (comm != MPI_COMM_NULL && train(comm, pmix, w))
		MPI_Abort(MPI_COMM_WORLD, 1);

	/* Every rank judges by its own rows. */
	MPI_Bcast(w, COLS, MPI_DOUBLE, 0, MPI_COMM_WORLD);
	#pragma omp parallel for reduction(+ : sum)
	for (int i = 0; i < ROWS; i++)
		sum += residual(w, i) * residual(w, i);
	MPI_Allreduce(&sum, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
	all = sqrt(all / ROWS / size);
	if (rank == 0)
		printf("root mean square error %.1e\n", all);

	if (comm != MPI_COMM_NULL)
		MPI_Comm_free(&comm);
	MPI_Finalize();
	return all < 1e-6 ? 0 : 1;
}
