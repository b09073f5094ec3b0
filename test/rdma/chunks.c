/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions of several chunks, each with a key of its own: chunks are made small
 * here, and of another size on each side. What a request writes, adds to and
 * reads across their borders arrives as a whole and where it should.
 */
#include <stdio.h>
#include <string.h>

#include "test/support/test.h"
#include "verbs/rc/rc.h"

enum { WORDS = 16384, LEN = WORDS * 8, ROUNDS = 300 };

/* of the owner, and of who reaches into its memory */
static const unsigned shift_of[2] = { 13, 12 };

static struct shared {
	struct lgn_wire_addr addr[2];
	struct lgn_key key;
	uint64_t expect[WORDS];
	_Atomic int opened, registered, done;
} *shared;

static void lost(void *arg, int rank)
{
	(void)arg;
	(void)rank;
}

static struct lgn_wire *start(int rank)
{
	static const int home = 0, node_of[2];
	const struct lgn_wire_near near = { NULL, -1 };
	const struct lgn_wire_config config = {
		.rank = rank, .size = 2, .nonce = { 5, 6 }, .homes = 1,
		.home_rank = &home, .timeout_s = 20, .lost = lost,
	};
	struct lgn_wire *wire;

	t_ok(lgn_wire_rc.open(&near, &shared->addr[rank], &wire), "open");
	lgn_rc_of(wire)->chunk_shift = shift_of[rank];
	atomic_fetch_add(&shared->opened, 1);
	t_await(&shared->opened, 2);
	t_ok(wire->ops->start(wire, &config, shared->addr, node_of), "start");
	return wire;
}

static struct lgn_mem reg(struct lgn_wire *wire, int access)
{
	const struct lgn_mem_want want = { .len = LEN, .access = access };
	struct lgn_mem mem;

	t_ok(wire->ops->reg(wire, &want, &mem), "reg");
	return mem;
}

static void owner(void)
{
	struct lgn_wire *wire = start(0);
	struct lgn_mem mem = reg(wire, LGN_ACC_REMOTE);

	shared->key = mem.key;
	atomic_store(&shared->registered, 1);
	t_await(&shared->done, 1);
	T_CHECK(!memcmp(mem.addr, shared->expect, LEN), "the owner has other words");
	wire->ops->quiet(wire);
	wire->ops->unreg(wire, &mem);
	wire->ops->close(wire);
}

struct user {
	struct lgn_wire *wire;
	struct lgn_rmem to;
	struct lgn_mem buf;
	uint64_t *word;		/* of buf */
	struct t_rng rng;
};

static int run(struct user *u, enum lgn_op op, uint64_t at, uint64_t from,
	       uint64_t n, uint64_t operand)
{
	struct lgn_wr wr = {
		.mem = &u->to, .off = at * 8, .local = u->word + from,
		.buf = &u->buf, .len = (uint32_t)n * 8, .op = op,
		.operand = operand,
	};
	struct lgn_batch batch = { .wr = &wr, .n = 1 };

	return lgn_wire_run(u->wire, &batch, 20);
}

static void round_of(struct user *u)
{
	uint64_t n = 1 + t_below(&u->rng, 4000);
	uint64_t at = t_below(&u->rng, WORDS - n + 1);
	uint64_t from = t_below(&u->rng, WORDS - n + 1);
	uint64_t one = t_below(&u->rng, WORDS);

	for (uint64_t i = 0; i < n; i++)
		u->word[from + i] = shared->expect[at + i] = t_rand(&u->rng);
	t_ok(run(u, LGN_PUT, at, from, n, 0), "put");
	t_ok(run(u, LGN_ADD, one, 0, 1, 3), "add");
	T_CHECK(u->word[0] == shared->expect[one], "the old word of an add");
	shared->expect[one] += 3;
	memset(u->word, 0, LEN);
	from = t_below(&u->rng, WORDS - n + 1);
	t_ok(run(u, LGN_GET, at, from, n, 0), "get");
	T_CHECK(!memcmp(u->word + from, shared->expect + at, n * 8),
		"%llu words at %llu to %llu differ", (unsigned long long)n,
		(unsigned long long)at, (unsigned long long)from);
	for (uint64_t i = 0; i < WORDS; i++)
		T_CHECK((i >= from && i < from + n) || !u->word[i],
			"word %llu beside the buffer was written",
			(unsigned long long)i);
}

static void user(void)
{
	struct user u = { .wire = start(1), .rng = { t_now_ns() } };

	printf("chunks: seed %llu\n", (unsigned long long)u.rng.state);
	u.buf = reg(u.wire, LGN_ACC_LOCAL);
	u.word = u.buf.addr;
	t_await(&shared->registered, 1);
	t_ok(u.wire->ops->attach(u.wire, 0, &shared->key, &u.to), "attach");
	for (int i = 0; i < ROUNDS; i++)
		round_of(&u);
	atomic_store(&shared->done, 1);
	u.wire->ops->quiet(u.wire);
	u.wire->ops->detach(&u.to);
	u.wire->ops->unreg(u.wire, &u.buf);
	u.wire->ops->close(u.wire);
}

static void child(int rank)
{
	t_name("chunks", rank);
	if (rank)
		user();
	else
		owner();
}

int main(void)
{
	shared = t_fork_shared(sizeof(*shared));
	return t_fork(2, child);
}
