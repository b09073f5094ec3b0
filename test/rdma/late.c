/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * late [cm|tcp]: two processes have a wire between them and count in each
 * other's memory. Then come one that knows the job's nonce and adds to both,
 * and one that does not and is refused, by either way of connecting; the first
 * two go on. Processes are forked before any of them touches a device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "test/support/test.h"
#include "verbs/wire.h"

enum { MEMBERS = 2, LATE = 2, STRANGER = 3, PROCESSES = 4, TIMES = 500 };

static struct shared {
	struct lgn_wire_addr addr[PROCESSES];
	struct lgn_key key[MEMBERS];
	_Atomic int opened, registered, counted;
	_Atomic int late_done, stranger_done;
} *shared;

static void lost(void *arg, int rank)
{
	(void)arg;
	t_die("rank %d was lost", rank);
}

static struct lgn_wire *start(int rank)
{
	static const int homes[MEMBERS] = { 0, 1 }, node_of[PROCESSES];
	const struct lgn_wire_near near = { NULL, -1 };
	struct lgn_wire_config config = {
		.rank = rank, .size = rank < MEMBERS ? MEMBERS : rank + 1,
		.nonce = { 0x1234, rank == STRANGER ? 78 : 77 },
		.homes = MEMBERS, .home_rank = homes,
		.timeout_s = 20, .late = rank >= MEMBERS, .lost = lost,
	};
	struct lgn_wire *wire;

	t_ok(lgn_wire_rc.open(&near, &shared->addr[rank], &wire), "open");
	atomic_fetch_add(&shared->opened, 1);
	t_await(&shared->opened, rank < MEMBERS ? MEMBERS : rank + 1);
	t_ok(wire->ops->start(wire, &config, shared->addr, node_of), "start");
	return wire;
}

static struct lgn_mem reg(struct lgn_wire *wire, int access)
{
	const struct lgn_mem_want want = { .len = 4096, .access = access };
	struct lgn_mem mem;

	t_ok(wire->ops->reg(wire, &want, &mem), "reg");
	return mem;
}

static void attach(struct lgn_wire *wire, struct lgn_rmem to[MEMBERS])
{
	for (int i = 0; i < MEMBERS; i++)
		t_ok(wire->ops->attach(wire, i, &shared->key[i], &to[i]), "attach");
}

/* TIMES times 1 to word 0 of both. */
static void count(struct lgn_wire *wire, struct lgn_rmem to[MEMBERS])
{
	struct lgn_mem old = reg(wire, LGN_ACC_LOCAL);

	for (int i = 0; i < TIMES; i++) {
		struct lgn_wr wr = {
			.mem = &to[i % MEMBERS], .local = old.addr, .buf = &old,
			.len = 8, .op = LGN_ADD, .operand = 1,
		};
		struct lgn_batch batch = { .wr = &wr, .n = 1 };

		t_ok(lgn_wire_run(wire, &batch, 20), "add");
	}
	wire->ops->unreg(wire, &old);
}

static void member(int rank)
{
	struct lgn_wire *wire = start(rank);
	struct lgn_mem mem = reg(wire, LGN_ACC_READ | LGN_ACC_ATOMIC);
	struct lgn_rmem to[MEMBERS];

	shared->key[rank] = mem.key;
	atomic_fetch_add(&shared->registered, 1);
	t_await(&shared->registered, MEMBERS);
	attach(wire, to);
	count(wire, to);
	t_await(&shared->late_done, 1);
	t_await(&shared->stranger_done, 1);
	count(wire, to);
	atomic_fetch_add(&shared->counted, 1);
	t_await(&shared->counted, MEMBERS);
	T_CHECK(*(uint64_t *)mem.addr == 5 * TIMES / 2, "%llu instead of %d",
		(unsigned long long)*(uint64_t *)mem.addr, 5 * TIMES / 2);
	wire->ops->quiet(wire);
	wire->ops->unreg(wire, &mem);
	wire->ops->close(wire);
}

static void late(void)
{
	struct lgn_rmem to[MEMBERS];
	struct lgn_wire *wire;

	t_await(&shared->registered, MEMBERS);
	wire = start(LATE);
	attach(wire, to);
	count(wire, to);
	wire->ops->quiet(wire);
	wire->ops->close(wire);
	atomic_store(&shared->late_done, 1);
}

static void stranger(void)
{
	struct lgn_rmem to;
	struct lgn_wire *wire;

	t_await(&shared->late_done, 1);
	wire = start(STRANGER);
	for (int i = 0; i < MEMBERS; i++) {
		int rc = wire->ops->attach(wire, i, &shared->key[i], &to);

		T_CHECK(rc, "rank %d let a stranger in", i);
		T_CHECK(strstr(lagoon_errmsg(), "nonce") &&
			t_names(lagoon_errmsg(), "rank ", i), "%s", lagoon_errmsg());
	}
	wire->ops->quiet(wire);
	wire->ops->close(wire);
	atomic_store(&shared->stranger_done, 1);
}

static void child(int rank)
{
	t_name("late", rank);
	if (rank < MEMBERS)
		member(rank);
	else if (rank == LATE)
		late();
	else
		stranger();
}

int main(int argc, char **argv)
{
	if (argc > 1)
		setenv("LAGOON_CONNECT", argv[1], 1);
	shared = t_fork_shared(sizeof(*shared));
	return t_fork(PROCESSES, child);
}
