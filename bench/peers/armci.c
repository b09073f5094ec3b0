/* SPDX-License-Identifier: BSD-3-Clause */
/* ARMCI (Debian: ARMCI-MPI, over Open MPI's one-sided) in the rows of peer.c.
 * A batch is one vector call. */
#include <armci.h>
#include <mpi.h>
#include <string.h>

#include "bench/peers/peer.h"

enum { TARGET = 1 };

static int64_t *ints;		/* at the target */
static double *reals;

static void *allocate(int rank, size_t bytes)
{
	void *base[2];

	if (ARMCI_Malloc(base, rank == TARGET ? (armci_size_t)bytes : 0))
		peer_die("no memory");
	if (rank == TARGET)
		memset(base[TARGET], 0, bytes);
	return base[TARGET];
}

static int start(int argc, char **argv)
{
	int rank, size;

	MPI_Init(&argc, &argv);
	ARMCI_Init();
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	if (size != 2)
		peer_die("needs 2 processes, not %d", size);
	ints = allocate(rank, PEER_ROWS * 8ull);
	reals = allocate(rank, PEER_ROWS * 8ull);
	ARMCI_Barrier();
	return rank == TARGET;
}

static void stop(void)
{
	int rank;

	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	ARMCI_Barrier();
	ARMCI_Free(rank == TARGET ? ints : NULL);
	ARMCI_Free(rank == TARGET ? reals : NULL);
	ARMCI_Finalize();
	MPI_Finalize();
}

static int64_t get(const uint64_t *index, size_t n)
{
	int64_t x, sum = 0;

	for (size_t i = 0; i < n; i++) {
		ARMCI_Get(&ints[index[i]], &x, 8, TARGET);
		sum += x;
	}
	return sum;
}

static void add(const uint64_t *index, size_t n)
{
	long old;

	for (size_t i = 0; i < n; i++)
		ARMCI_Rmw(ARMCI_FETCH_AND_ADD_LONG, &old, &ints[index[i]], 1,
			  TARGET);
}

static void one_key(const uint64_t *index, size_t n)
{
	int64_t x = 0;
	long old;

	for (size_t i = 0; i < n; i++) {
		int64_t *key = &ints[index[i] + (x < 0)];

		ARMCI_Get(key, &x, 8, TARGET);
		ARMCI_Rmw(ARMCI_FETCH_AND_ADD_LONG, &old, key, 1 + (x < 0),
			  TARGET);
	}
}

static void *remote[PEER_LIST], *local[PEER_LIST];

static void lists(const uint64_t *index, size_t n, double *mine)
{
	for (size_t i = 0; i < n; i++) {
		remote[i] = &reals[index[i]];
		local[i] = &mine[i];
	}
}

static void sparse_get(const uint64_t *index, size_t n, void *out)
{
	armci_giov_t v = { .src_ptr_array = remote, .dst_ptr_array = local,
			   .bytes = 8, .ptr_array_len = (int)n };

	lists(index, n, out);
	ARMCI_GetV(&v, 1, TARGET);
}

static void sparse_add(const uint64_t *index, size_t n, const void *delta)
{
	armci_giov_t v = { .src_ptr_array = local, .dst_ptr_array = remote,
			   .bytes = 8, .ptr_array_len = (int)n };
	double one = 1;

	lists(index, n, (double *)delta);
	ARMCI_AccV(ARMCI_ACC_DBL, &one, &v, 1, TARGET);
	ARMCI_Fence(TARGET);
}

static void dense_add(size_t n, const void *delta)
{
	double one = 1;

	ARMCI_Acc(ARMCI_ACC_DBL, &one, (void *)delta, reals, (int)(n * 8),
		  TARGET);
	ARMCI_Fence(TARGET);
}

static void get_block(size_t n, void *out)
{
	ARMCI_Get(reals, out, (int)(n * 8), TARGET);
}

struct peer peer = {
	.name = "armci", .open = start, .close = stop,
	.get = get, .add = add, .one_key = one_key,
	.sparse_get = sparse_get, .sparse_add = sparse_add,
	.dense_add = dense_add, .get_block = get_block,
};
