/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The deltas of one worker in one bsp round: only the rows it has touched,
 * one 64-bit lane an element. One thread at a time.
 */
#ifndef LGN_RUNTIME_SPARSE_H
#define LGN_RUNTIME_SPARSE_H

#include <stdint.h>

struct lgn_sparse {
	uint32_t cols;
	uint64_t used;		/* rows */
	uint64_t room;		/* rows that row[] and lanes[] hold */
	uint64_t *row;		/* [room] */
	int64_t *lanes;		/* [room x cols] */
	uint32_t *slot;		/* hash: index into row[] + 1; 0 empty */
	uint64_t mask;		/* slots - 1 */
};

int lgn_sparse_open(uint32_t cols, struct lgn_sparse **sparse);
void lgn_sparse_close(struct lgn_sparse *sparse);

/* The lanes [cols] of a row, or NULL if it was not touched. */
int64_t *lgn_sparse_find(const struct lgn_sparse *sparse, uint64_t row);

/* The same; a new row is zeros. NULL: out of memory, with the message. */
int64_t *lgn_sparse_get(struct lgn_sparse *sparse, uint64_t row);

/* Forget all rows, keep the memory. */
void lgn_sparse_clear(struct lgn_sparse *sparse);

#endif
