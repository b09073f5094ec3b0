/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/peers/twin.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	AHEAD = 24,			/* elements to prefetch */
	COPY_BYTES = 128 << 10,		/* longer copies go in such pieces */
};

int64_t twin_get(const int64_t *mem, const uint64_t *index, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += atomic_load_explicit((const _Atomic int64_t *)&mem[index[i]],
					    memory_order_relaxed);
	return sum;
}

void twin_add(int64_t *mem, const uint64_t *index, size_t n)
{
	for (size_t i = 0; i < n; i++)
		atomic_fetch_add((_Atomic int64_t *)&mem[index[i]], 1);
}

void twin_one_key(int64_t *mem, const uint64_t *index, size_t n)
{
	int64_t x = 0;

	for (size_t i = 0; i < n; i++) {
		_Atomic int64_t *key =
			(_Atomic int64_t *)&mem[index[i] + (x < 0)];

		x = atomic_load_explicit(key, memory_order_relaxed);
		atomic_fetch_add(key, 1 + (x < 0));
	}
}

void twin_sparse_get(const double *mem, const uint64_t *index, size_t n,
		     double *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = mem[index[i]];
}

void twin_sparse_add(int64_t *mem, const uint64_t *index, size_t n,
		     const int64_t *delta)
{
	int64_t beyond = 0;

	for (size_t i = 0; i < n; i++) {
		if (i + AHEAD < n)
			__builtin_prefetch(&mem[index[i + AHEAD]], 1);
		beyond |= atomic_fetch_add((_Atomic int64_t *)&mem[index[i]],
					   delta[i]) > 1ll << 61;
	}
	if (beyond)
		abort();
}

void twin_dense_add(double *mem, size_t n, const double *delta)
{
	for (size_t i = 0; i < n; i++)
		mem[i] += delta[i];
}

void twin_get_block(const double *mem, size_t n, double *out)
{
	const char *from = (const char *)mem;
	char *to = (char *)out;
	size_t bytes = n * sizeof(*mem);

	while (bytes) {
		size_t m = bytes < COPY_BYTES ? bytes : COPY_BYTES;

		memcpy(to, from, m);
		to += m;
		from += m;
		bytes -= m;
	}
}
