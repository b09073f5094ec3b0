/* SPDX-License-Identifier: BSD-3-Clause */
/* MPI one-sided, passive target: Open MPI and MPICH in the rows of peer.c. */
#include <mpi.h>
#include <string.h>

#include "bench/peers/peer.h"

enum { TARGET = 1 };

static MPI_Win ints, reals;

static MPI_Win window(int rank, size_t bytes)
{
	MPI_Info info;
	MPI_Win win;
	void *base;

	MPI_Info_create(&info);
	/* What these programs do, and what makes a library fastest. */
	MPI_Info_set(info, "accumulate_ops", "same_op_no_op");
	MPI_Info_set(info, "accumulate_ordering", "none");
	MPI_Info_set(info, "same_disp_unit", "true");
	MPI_Win_allocate(rank == TARGET ? (MPI_Aint)bytes : 0, 8, info,
			 MPI_COMM_WORLD, &base, &win);
	MPI_Info_free(&info);
	if (rank == TARGET)
		memset(base, 0, bytes);
	MPI_Win_lock_all(MPI_MODE_NOCHECK, win);
	return win;
}

static int start(int argc, char **argv)
{
	int rank, size;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	if (size != 2)
		peer_die("needs 2 processes, not %d", size);
	ints = window(rank, PEER_ROWS * 8ull);
	reals = window(rank, PEER_ROWS * 8ull);
	MPI_Barrier(MPI_COMM_WORLD);
	return rank == TARGET;
}

static void stop(void)
{
	MPI_Win_unlock_all(ints);
	MPI_Win_unlock_all(reals);
	MPI_Win_free(&ints);
	MPI_Win_free(&reals);
	MPI_Finalize();
}

static void progress(void)
{
	int flag;

	MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &flag,
		   MPI_STATUS_IGNORE);
}

static int64_t get(const uint64_t *index, size_t n)
{
	int64_t x, sum = 0;

	for (size_t i = 0; i < n; i++) {
		MPI_Get(&x, 1, MPI_INT64_T, TARGET, (MPI_Aint)index[i], 1,
			MPI_INT64_T, ints);
		MPI_Win_flush_local(TARGET, ints);
		sum += x;
	}
	return sum;
}

/* Faster than MPI_Accumulate of one element. */
static void add_one(uint64_t row, int64_t delta)
{
	int64_t old;

	MPI_Fetch_and_op(&delta, &old, MPI_INT64_T, TARGET, (MPI_Aint)row,
			 MPI_SUM, ints);
	MPI_Win_flush(TARGET, ints);
}

static void add(const uint64_t *index, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_one(index[i], 1);
}

static void one_key(const uint64_t *index, size_t n)
{
	int64_t x = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t row = index[i] + (x < 0);

		MPI_Get(&x, 1, MPI_INT64_T, TARGET, (MPI_Aint)row, 1,
			MPI_INT64_T, ints);
		MPI_Win_flush_local(TARGET, ints);
		add_one(row, 1 + (x < 0));
	}
}

/* Every list is a new one, so the type is made in each call. */
static MPI_Datatype indexed(const uint64_t *index, size_t n)
{
	static int at[PEER_LIST];
	MPI_Datatype type;

	for (size_t i = 0; i < n; i++)
		at[i] = (int)index[i];
	MPI_Type_create_indexed_block((int)n, 1, at, MPI_DOUBLE, &type);
	MPI_Type_commit(&type);
	return type;
}

static void sparse_get(const uint64_t *index, size_t n, void *out)
{
	MPI_Datatype type = indexed(index, n);

	MPI_Get(out, (int)n, MPI_DOUBLE, TARGET, 0, 1, type, reals);
	MPI_Win_flush_local(TARGET, reals);
	MPI_Type_free(&type);
}

static void sparse_add(const uint64_t *index, size_t n, const void *delta)
{
	MPI_Datatype type = indexed(index, n);

	MPI_Accumulate(delta, (int)n, MPI_DOUBLE, TARGET, 0, 1, type, MPI_SUM,
		       reals);
	MPI_Win_flush(TARGET, reals);
	MPI_Type_free(&type);
}

static void dense_add(size_t n, const void *delta)
{
	MPI_Accumulate(delta, (int)n, MPI_DOUBLE, TARGET, 0, (int)n, MPI_DOUBLE,
		       MPI_SUM, reals);
	MPI_Win_flush(TARGET, reals);
}

static void get_block(size_t n, void *out)
{
	MPI_Get(out, (int)n, MPI_DOUBLE, TARGET, 0, (int)n, MPI_DOUBLE, reals);
	MPI_Win_flush_local(TARGET, reals);
}

struct peer peer = {
	.name = "mpi", .open = start, .close = stop, .progress = progress,
	.get = get, .add = add, .one_key = one_key,
	.sparse_get = sparse_get, .sparse_add = sparse_add,
	.dense_add = dense_add, .get_block = get_block,
};
