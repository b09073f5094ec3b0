/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program of MPI and OpenMP that fits two models in the middle of its run. The
 * rows are its own arrays, which OpenMP fills, each rank its part. Lagoon finds
 * the few columns of 40 that matter (lasso), and tells large from small
 * (logistic regression, of the same numbers as sparse rows); MPI goes on.
 *
 *	OMP_NUM_THREADS=2 mpirun -n 2 ./solve_mpi
 *	OMP_NUM_THREADS=2 srun --mpi=pmix -n 2 ./solve_mpi
 */
#define _GNU_SOURCE
#include <lagoon.h>
#include <lagoon_solve.h>
#include <math.h>
#include <mpi.h>
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3000, COLS = 40, THREADS = 256 };

static const double L1 = 0.02;

static double x[ROWS][COLS], y[ROWS], label[ROWS];
static double lasso[COLS], logistic[COLS];
static int32_t start[ROWS + 1], column[ROWS * COLS];

/* What matters: columns 0, 10, 20 and 30. */
static double planted(int j)
{
	return j % 10 ? 0 : 1 - j / 15.0;
}

/* A number in -1..1 for each element of each rank, whoever draws it. */
static double draw(int rank, int i, int j)
{
	unsigned long long h = ((unsigned long long)rank * ROWS + (unsigned)i) *
		(COLS + 1) + (unsigned)j + 1;

	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ h >> 27) * 0x94d049bb133111ebull;
	return (double)((h ^ h >> 31) >> 11) / (1ull << 52) - 1;
}

static void make_rows(int rank)
{
	#pragma omp parallel for
	for (int i = 0; i < ROWS; i++) {
		y[i] = 0.1 * draw(rank, i, COLS);
		for (int j = 0; j < COLS; j++) {
			x[i][j] = draw(rank, i, j);
			y[i] += planted(j) * x[i][j];
			column[i * COLS + j] = j;
		}
		label[i] = y[i] > 0 ? 1 : -1;
		start[i + 1] = (i + 1) * COLS;
	}
}

/* Where each thread of the team may run. */
static void masks(cpu_set_t *mask)
{
	memset(mask, 0, THREADS * sizeof(*mask));
	#pragma omp parallel
	sched_getaffinity(0, sizeof(*mask), &mask[omp_get_thread_num()]);
}

/* How Lagoon's ranks meet: called once, in lagoon_open(), by this thread. */
static int gather(void *comm, const void *mine, size_t len, void *all)
{
	return MPI_Allgather(mine, (int)len, MPI_BYTE, all, (int)len, MPI_BYTE,
			     *(MPI_Comm *)comm);
}

static int fit_lasso(struct lagoon *lg, struct lagoon_regression_result *result)
{
	struct lagoon_regression_options options;
	struct lagoon_regression_data data = {
		.size = sizeof(data), .rows = ROWS, .cols = COLS,
		.stride = COLS, .real_size = sizeof(double),
		.dense = x, .target = y,
	};

	lagoon_regression_options_init(&options);
	options.l1 = L1;
	options.intercept = 0;
	options.tolerance = 1e-9;
	result->size = sizeof(*result);
	return lagoon_lasso_fit(lg, &data, &options, lasso, result);
}

static int fit_logistic(struct lagoon *lg, struct lagoon_linear_result *result)
{
	struct lagoon_sparse rows = {
		.rows = ROWS, .cols = COLS, .layout = LAGOON_CSR,
		.real_size = sizeof(double), .index_size = sizeof(*column),
		.start = start, .index = column, .val = x,
	};
	struct lagoon_linear_data data = {
		.size = sizeof(data), .sparse = &rows, .label = label,
	};

	result->size = sizeof(*result);
	return lagoon_logistic_fit(lg, &data, NULL, logistic, result);
}

static int solve(MPI_Comm comm, struct lagoon_regression_result *lasso_result,
		 struct lagoon_linear_result *logistic_result)
{
	struct lagoon_attr attr;
	struct lagoon *lg;
	int rc = lagoon_attr_init(&attr);

	attr.workers = omp_get_max_threads();
	attr.allgather = gather;
	attr.allgather_arg = &comm;
	MPI_Comm_rank(comm, &attr.rank);
	MPI_Comm_size(comm, &attr.nranks);
	if (!rc)
		rc = lagoon_open(&attr, &lg);
	if (rc)
		goto out;
	rc = fit_lasso(lg, lasso_result);
	if (!rc)
		rc = fit_logistic(lg, logistic_result);
	rc = lagoon_close(lg) || rc;
out:
	if (rc)
		fprintf(stderr, "%s\n", lagoon_errmsg());
	return rc;
}

/* The same objectives from the rows, by OpenMP and MPI alone. */
static void objectives(double sum[2])
{
	double squares = 0, losses = 0, mine[3], all[3];

	#pragma omp parallel for reduction(+ : squares, losses)
	for (int i = 0; i < ROWS; i++) {
		double r = -y[i], p = 0;

		for (int j = 0; j < COLS; j++) {
			r += lasso[j] * x[i][j];
			p += logistic[j] * x[i][j];
		}
		squares += r * r;
		losses += log1p(exp(-label[i] * p));
	}
	mine[0] = squares;
	mine[1] = losses;
	mine[2] = ROWS;
	MPI_Allreduce(mine, all, 3, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
	sum[0] = all[0] / (2 * all[2]);
	sum[1] = all[1];
	for (int j = 0; j < COLS; j++) {
		sum[0] += L1 * fabs(lasso[j]);
		sum[1] += 0.5 * logistic[j] * logistic[j];
	}
}

static double apart(double a, double b)
{
	return fabs(a - b) / fabs(b);
}

int main(int argc, char **argv)
{
	static cpu_set_t before[THREADS], after[THREADS];
	struct lagoon_regression_result r;
	struct lagoon_linear_result l;
	double off = 0, check[2];
	int rank, level, bad;

	MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	make_rows(rank);

	masks(before);
	if (solve(MPI_COMM_WORLD, &r, &l))
		MPI_Abort(MPI_COMM_WORLD, 1);
	masks(after);
	bad = memcmp(before, after, sizeof(before)) != 0;
	if (bad)
		fprintf(stderr, "rank %d: threads were bound anew\n", rank);

	objectives(check);
	for (int j = 0; j < COLS; j++)
		off = fmax(off, fabs(lasso[j] - planted(j)));
	bad |= r.nonzeros != 4 || !(off < 0.1) || !(l.accuracy > 0.95) ||
		!(apart(check[0], r.objective) < 1e-9) ||
		!(apart(check[1], l.objective) < 1e-6);
	MPI_Allreduce(MPI_IN_PLACE, &bad, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
	if (rank == 0)
		printf("lasso: %d weights of %d, objective %.9f, by MPI %.9f\n"
		       "logistic: %.1f %% right, objective %.3f, by MPI %.3f\n",
		       (int)r.nonzeros, COLS, r.objective, check[0],
		       100 * l.accuracy, l.objective, check[1]);
	lagoon_linear_result_free(&l);
	MPI_Finalize();
	return bad;
}
