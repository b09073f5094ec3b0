/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two processes on one wire, for unit tests: this one (rank 0) and a forked
 * one (rank 1) that registers memory and does what it is told.
 */
#ifndef TEST_SUPPORT_WIRE_PAIR_H
#define TEST_SUPPORT_WIRE_PAIR_H

#include <stdint.h>
#include <sys/types.h>

#include "verbs/wire.h"

enum {
	PAIR_WORDS = 1024,
	PAIR_LOCAL_WORDS = 4096,
	PAIR_SLOTS = 8,		/* pair_run() calls at a time; more wait */
	PAIR_TIMEOUT_S = 10,
};

struct pair {
	struct lgn_wire *wire;
	struct lgn_wire_addr addr[2];
	struct lgn_mem local;		/* PAIR_LOCAL_WORDS of rank 0, for the
					 * test's own requests to come back to */
	struct lgn_mem slots;		/* the same for pair_run() */
	_Atomic uint32_t slots_used;	/* a bit each */
	struct lgn_mem mem;		/* PAIR_WORDS of rank 0 */
	struct lgn_rmem self;		/* the same, as reached by the wire */
	struct lgn_key peer_key;	/* PAIR_WORDS of rank 1 */
	struct lgn_rmem peer;
	pid_t child;
	int sock;
	_Atomic int lost;		/* calls of the lost callback */
	_Atomic int lost_rank;
};

#define PAIR_NONCE { 0x1234, 77 }

/* Registers PAIR_WORDS with bells in this process, reached as *self. */
int pair_bells_open(struct pair *pair, struct lgn_mem *mem, struct lgn_rmem *self);

/* Both up to start() and reg(), with pair->peer attached if attach is set.
 * The other process uses nonce + skew. 0 or the first error, of either. */
int pair_open(struct pair *pair, const struct lgn_wire_ops *ops, int skew,
	      bool attach);

/* Ends the other process, if it is still there, and closes everything. */
void pair_close(struct pair *pair);

uint64_t pair_peer_load(struct pair *pair, uint64_t word);
void pair_peer_store(struct pair *pair, uint64_t word, uint64_t value);

/* The other process adds 1 to word 0 of rank 0, n times, by the wire. Returns
 * at once; pair_peer_result() waits for it. */
void pair_peer_add(struct pair *pair, uint64_t n);
uint64_t pair_peer_result(struct pair *pair);

/* The other process PUTs word[0..n) of the region that the key names, a bell with
 * each: PAIR_RUNG(i) into word i % PAIR_WORDS, which rings i. Returns at once;
 * pair_peer_result() is the number of them, or the first error. */
void pair_peer_ring(struct pair *pair, const struct lgn_key *key, uint64_t n);
#define PAIR_RUNG(i) ((i) * 0x9e3779b97f4a7c15u + 1)

/* One request to its end, through a registered buffer: local may be anywhere.
 * Any thread. */
int pair_run(struct pair *pair, struct lgn_rmem *mem, enum lgn_op op,
	     uint64_t word, uint64_t *local, uint32_t words, uint64_t operand,
	     uint64_t expect);

#endif
