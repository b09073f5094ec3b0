/* SPDX-License-Identifier: BSD-3-Clause */
/* The twins: the same work on plain memory, in the best form found. */
#ifndef BENCH_PEERS_TWIN_H
#define BENCH_PEERS_TWIN_H

#include <stddef.h>
#include <stdint.h>

int64_t twin_get(const int64_t *mem, const uint64_t *index, size_t n);
void twin_add(int64_t *mem, const uint64_t *index, size_t n);
void twin_one_key(int64_t *mem, const uint64_t *index, size_t n);
void twin_sparse_get(const double *mem, const uint64_t *index, size_t n,
		     double *out);
/* Fetch-and-add of deltas that are integers already, the old value checked. */
void twin_sparse_add(int64_t *mem, const uint64_t *index, size_t n,
		     const int64_t *delta);
void twin_dense_add(double *mem, size_t n, const double *delta);
void twin_get_block(const double *mem, size_t n, double *out);

#endif
