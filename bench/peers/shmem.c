/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * OpenSHMEM in the rows of peer.c. It has atomics on integers only and no
 * lists: reals are fixed-point integers, a batch is a loop and one quiet.
 */
#include <shmem.h>
#include <string.h>
#include <unistd.h>

#include "bench/peers/peer.h"

enum { TARGET = 1 };

static int64_t *ints, *reals;

static int start(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	shmem_init();
	if (shmem_n_pes() != 2)
		peer_die("needs 2 processes, not %d", shmem_n_pes());
	ints = shmem_malloc(PEER_ROWS * 8ull);
	reals = shmem_malloc(PEER_ROWS * 8ull);
	if (!ints || !reals)
		peer_die("no memory: SHMEM_SYMMETRIC_HEAP_SIZE");
	memset(ints, 0, PEER_ROWS * 8ull);
	memset(reals, 0, PEER_ROWS * 8ull);
	peer.integers = true;
	shmem_barrier_all();
	return shmem_my_pe() == TARGET;
}

static void stop(void)
{
	shmem_barrier_all();
	shmem_finalize();
}

static int64_t get(const uint64_t *index, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += shmem_int64_g(&ints[index[i]], TARGET);
	return sum;
}

/* As fast as atomic_add and quiet, or faster. */
static void add(const uint64_t *index, size_t n)
{
	for (size_t i = 0; i < n; i++)
		shmem_long_atomic_fetch_add(&ints[index[i]], 1, TARGET);
}

static void one_key(const uint64_t *index, size_t n)
{
	int64_t x = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t *key = &ints[index[i] + (x < 0)];

		x = shmem_int64_g(key, TARGET);
		shmem_long_atomic_fetch_add(key, 1 + (x < 0), TARGET);
	}
}

static void sparse_get(const uint64_t *index, size_t n, void *out)
{
	int64_t *to = out;

	for (size_t i = 0; i < n; i++)
		shmem_get64_nbi(&to[i], &reals[index[i]], 1, TARGET);
	shmem_quiet();
}

static void sparse_add(const uint64_t *index, size_t n, const void *delta)
{
	const int64_t *from = delta;

	for (size_t i = 0; i < n; i++)
		shmem_long_atomic_add(&reals[index[i]], from[i], TARGET);
	shmem_quiet();
}

static void dense_add(size_t n, const void *delta)
{
	const int64_t *from = delta;

	for (size_t i = 0; i < n; i++)
		shmem_long_atomic_add(&reals[i], from[i], TARGET);
	shmem_quiet();
}

static void get_block(size_t n, void *out)
{
	shmem_getmem(out, reals, n * 8, TARGET);
}

struct peer peer = {
	.name = "oshmem", .open = start, .close = stop,
	.get = get, .add = add, .one_key = one_key,
	.sparse_get = sparse_get, .sparse_add = sparse_add,
	.dense_add = dense_add, .get_block = get_block,
};
