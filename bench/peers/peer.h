/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One program a library, all with the same main() (peer.c): the same rows with
 * the same drawn indices, alternating with the twin on plain shared memory.
 * Two processes: one drives, the other holds the memory that is driven (and
 * takes part where two processes add).
 *
 * A program gives one struct peer. Its memory is two arrays of PEER_ROWS at the
 * target, zero at first: integers and "reals".
 */
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PEER_ROWS = 10000000,
	PEER_LIST = 10000,	/* rows of a batch */
	PEER_DENSE = 1 << 20,	/* elements of a dense add */
	PEER_BLOCK = 1 << 21,	/* elements of the longest get: 16 MiB */
};

#define PEER_SCALE 0x1p32

/* Where the library cannot do a thing, the entry is NULL. Every operation is
 * complete at the target when the call returns; those on integers one by
 * one. */
struct peer {
	const char *name;
	/* 0: this process drives. 1: it is the target. */
	int (*open)(int argc, char **argv);
	void (*close)(void);
	/* Target: let the library work for a moment. */
	void (*progress)(void);

	/* Integers: n operations of one element, each complete before the
	 * next. get() returns the sum of what it read. */
	int64_t (*get)(const uint64_t *index, size_t n);
	void (*add)(const uint64_t *index, size_t n);	/* 1 */
	/* Read, then add 1; the next index waits for what was read:
	 * index[i] + (read before < 0). */
	void (*one_key)(const uint64_t *index, size_t n);

	/* Reals: doubles, or int64_t if integers is set (by open()): multiples
	 * of 1 / PEER_SCALE. The list has no element twice. */
	bool integers;
	void (*sparse_get)(const uint64_t *index, size_t n, void *out);
	void (*sparse_add)(const uint64_t *index, size_t n, const void *delta);
	void (*dense_add)(size_t n, const void *delta);
	void (*get_block)(size_t n, void *out);
};

extern struct peer peer;

/* Says it on standard error and ends the process with status 1. */
__attribute__((noreturn, format(printf, 1, 2)))
void peer_die(const char *fmt, ...);

#endif
