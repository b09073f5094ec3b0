/* SPDX-License-Identifier: BSD-3-Clause */
/* Global Arrays in the rows of peer.c. The arrays have one element at process
 * 0 and the others at the target. */
#include <ga.h>
#include <macdecls.h>
#include <mpi.h>

#include "bench/peers/peer.h"

enum { TARGET = 1 };

static int ints, reals;

static int array(const char *name, int type)
{
	int dims[1] = { PEER_ROWS + 1 }, block[1] = { 2 }, map[2] = { 0, 1 };
	int a = NGA_Create_irreg(type, 1, dims, (char *)name, block, map);

	if (!a)
		peer_die("no memory");
	GA_Zero(a);
	return a;
}

static int start(int argc, char **argv)
{
	MPI_Init(&argc, &argv);
	GA_Initialize();
	if (GA_Nnodes() != 2)
		peer_die("needs 2 processes, not %d", GA_Nnodes());
	MA_init(C_DBL, 1 << 20, 1 << 20);
	ints = array("ints", C_LONG);
	reals = array("reals", C_DBL);
	GA_Sync();
	return GA_Nodeid() == TARGET;
}

static void stop(void)
{
	GA_Sync();
	GA_Destroy(ints);
	GA_Destroy(reals);
	GA_Terminate();
	MPI_Finalize();
}

static int64_t get_one(uint64_t row)
{
	int at = (int)row + 1, ld = 1;
	long x;

	NGA_Get(ints, &at, &at, &x, &ld);
	return x;
}

static int64_t get(const uint64_t *index, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += get_one(index[i]);
	return sum;
}

static void add(const uint64_t *index, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int at = (int)index[i] + 1;

		NGA_Read_inc(ints, &at, 1);
	}
}

static void one_key(const uint64_t *index, size_t n)
{
	int64_t x = 0;

	for (size_t i = 0; i < n; i++) {
		int at = (int)index[i] + (x < 0) + 1;

		x = get_one(index[i] + (x < 0));
		NGA_Read_inc(ints, &at, 1 + (x < 0));
	}
}

static int *subscripts(const uint64_t *index, size_t n)
{
	static int at[PEER_LIST];

	for (size_t i = 0; i < n; i++)
		at[i] = (int)index[i] + 1;
	return at;
}

static void sparse_get(const uint64_t *index, size_t n, void *out)
{
	NGA_Gather_flat(reals, out, subscripts(index, n), (int)n);
}

static void sparse_add(const uint64_t *index, size_t n, const void *delta)
{
	double one = 1;

	GA_Init_fence();
	NGA_Scatter_acc_flat(reals, (void *)delta, subscripts(index, n), (int)n,
			     &one);
	GA_Fence();
}

static void dense_add(size_t n, const void *delta)
{
	int lo = 1, hi = (int)n, ld = 1;
	double one = 1;

	GA_Init_fence();
	NGA_Acc(reals, &lo, &hi, (void *)delta, &ld, &one);
	GA_Fence();
}

static void get_block(size_t n, void *out)
{
	int lo = 1, hi = (int)n, ld = 1;

	NGA_Get(reals, &lo, &hi, out, &ld);
}

struct peer peer = {
	.name = "ga", .open = start, .close = stop,
	.get = get, .add = add, .one_key = one_key,
	.sparse_get = sparse_get, .sparse_add = sparse_add,
	.dense_add = dense_add, .get_block = get_block,
};
