/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "test/support/wire_pair.h"

enum command { LOAD, STORE, ADD, RING };

struct message {
	enum command command;
	uint64_t word;
	uint64_t value;
	struct lgn_key key;
};

/* How far one side has come, for the other. */
struct news {
	int status;
	char why[256];
	struct lgn_key key;
};

static void lost(void *arg, int rank)
{
	struct pair *pair = arg;

	atomic_store(&pair->lost_rank, rank);
	atomic_fetch_add(&pair->lost, 1);
}

static int send_all(int sock, const void *data, size_t len)
{
	return send(sock, data, len, MSG_NOSIGNAL) == (ssize_t)len ? 0
								   : LAGOON_EIO;
}

static int receive(int sock, void *data, size_t len)
{
	return recv(sock, data, len, MSG_WAITALL) == (ssize_t)len ? 0
								  : LAGOON_EIO;
}

static int reg_all(struct pair *pair, const struct lgn_wire_ops *ops)
{
	const struct lgn_mem_want words = {
		.len = PAIR_WORDS * 8,
		.access = LGN_ACC_READ | LGN_ACC_WRITE | LGN_ACC_ATOMIC,
	};
	const struct lgn_mem_want local = {
		.len = PAIR_LOCAL_WORDS * 8, .access = LGN_ACC_LOCAL,
	};
	const struct lgn_mem_want slots = {
		.len = PAIR_SLOTS * PAIR_WORDS * 8, .access = LGN_ACC_LOCAL,
	};
	int rc = ops->reg(pair->wire, &words, &pair->mem);

	if (!rc)
		rc = ops->reg(pair->wire, &local, &pair->local);
	if (!rc)
		rc = ops->reg(pair->wire, &slots, &pair->slots);
	return rc;
}

/* How far both have come. */
static int compare(struct pair *pair, int rc, struct lgn_key *other)
{
	struct news mine = { .status = rc, .key = pair->mem.key }, theirs;

	snprintf(mine.why, sizeof(mine.why), "%s", lagoon_errmsg());
	send_all(pair->sock, &mine, sizeof(mine));
	if (rc)
		return rc;
	if (receive(pair->sock, &theirs, sizeof(theirs)))
		return lgn_fail(LAGOON_EIO, "the other process is gone");
	if (theirs.status)
		return lgn_fail(theirs.status, "the other process: %s", theirs.why);
	*other = theirs.key;
	return 0;
}

/* open, exchange of addresses, start, reg: the same in both. */
static int meet(struct pair *pair, const struct lgn_wire_ops *ops, int rank,
		int skew, struct lgn_key *other)
{
	static const int node_of[2] = { 0, 0 };
	const struct lgn_wire_near near = { NULL, -1 };
	struct lgn_wire_addr *addr = pair->addr;
	struct lgn_wire_config config = {
		.rank = rank, .size = 2, .nonce = PAIR_NONCE,
		.timeout_s = PAIR_TIMEOUT_S, .lost = lost, .lost_arg = pair,
	};
	int rc = ops->open(&near, &addr[rank], &pair->wire);

	config.nonce[0] += (uint64_t)skew;
	if (rc)
		return rc;
	rc = send_all(pair->sock, &addr[rank], sizeof(addr[0]));
	if (!rc)
		rc = receive(pair->sock, &addr[1 - rank], sizeof(addr[0]));
	if (rc)
		return lgn_fail(rc, "the other process is gone");
	rc = ops->start(pair->wire, &config, addr, node_of);
	if (!rc)
		rc = reg_all(pair, ops);
	return compare(pair, rc, other);
}

static void unreg_all(struct pair *pair)
{
	const struct lgn_wire_ops *ops = pair->wire->ops;

	ops->unreg(pair->wire, &pair->mem);
	ops->unreg(pair->wire, &pair->local);
	ops->unreg(pair->wire, &pair->slots);
}

static uint64_t ring(struct pair *pair, const struct lgn_key *key, uint64_t n)
{
	struct lgn_rmem bells;
	int rc = pair->wire->ops->attach(pair->wire, 0, key, &bells);

	if (rc)
		return (uint64_t)(int64_t)rc;
	for (uint64_t i = 0; i < n && !rc; i++) {
		uint64_t word = PAIR_RUNG(i);

		rc = pair_run(pair, &bells, LGN_PUT_BELL, i % PAIR_WORDS, &word,
			      1, i, 0);
	}
	pair->wire->ops->detach(&bells);
	return rc ? (uint64_t)(int64_t)rc : n;
}

static void obey(struct pair *pair, struct lgn_key *key)
{
	uint64_t *mem = pair->mem.addr, sum = 0, old;
	struct message m;
	struct lgn_rmem zero;

	while (!receive(pair->sock, &m, sizeof(m))) {
		uint64_t answer = 0;

		switch (m.command) {
		case LOAD:
			answer = __atomic_load_n(&mem[m.word], __ATOMIC_ACQUIRE);
			break;
		case STORE:
			__atomic_store_n(&mem[m.word], m.value, __ATOMIC_RELEASE);
			break;
		case ADD:
			if (pair->wire->ops->attach(pair->wire, 0, key, &zero))
				_exit(1);
			for (uint64_t i = 0; i < m.value; i++, sum += old)
				if (pair_run(pair, &zero, LGN_ADD, 0, &old, 1, 1, 0))
					_exit(1);
			pair->wire->ops->detach(&zero);
			answer = sum;
			break;
		case RING:
			answer = ring(pair, &m.key, m.value);
			break;
		}
		if (send_all(pair->sock, &answer, sizeof(answer)))
			break;
	}
}

static void child_main(struct pair *pair, const struct lgn_wire_ops *ops,
		       int skew)
{
	struct lgn_key key;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (meet(pair, ops, 1, skew, &key))
		_exit(1);
	obey(pair, &key);
	unreg_all(pair);
	ops->close(pair->wire);
	_exit(0);
}

int pair_open(struct pair *pair, const struct lgn_wire_ops *ops, int skew,
	      bool attach)
{
	int sock[2], rc;

	memset(pair, 0, sizeof(*pair));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return LAGOON_EIO;
	fflush(NULL);
	pair->child = fork();
	pair->sock = sock[!pair->child];
	close(sock[!!pair->child]);
	if (pair->child < 0)
		return LAGOON_EIO;
	if (!pair->child)
		child_main(pair, ops, skew);
	rc = meet(pair, ops, 0, 0, &pair->peer_key);
	if (!rc)
		rc = ops->attach(pair->wire, 0, &pair->mem.key, &pair->self);
	if (!rc && attach)
		rc = ops->attach(pair->wire, 1, &pair->peer_key, &pair->peer);
	return rc;
}

void pair_close(struct pair *pair)
{
	const struct lgn_wire_ops *ops = pair->wire ? pair->wire->ops : NULL;

	if (pair->peer.wire)
		ops->detach(&pair->peer);
	if (pair->self.wire)
		ops->detach(&pair->self);
	close(pair->sock);
	waitpid(pair->child, NULL, 0);
	if (!ops)
		return;
	unreg_all(pair);
	ops->close(pair->wire);
}

static uint64_t ask(struct pair *pair, struct message m)
{
	uint64_t answer = UINT64_MAX;

	if (send_all(pair->sock, &m, sizeof(m)) ||
	    receive(pair->sock, &answer, sizeof(answer)))
		fprintf(stderr, "wire_pair: the other process is gone\n");
	return answer;
}

uint64_t pair_peer_load(struct pair *pair, uint64_t word)
{
	return ask(pair, (struct message){ .command = LOAD, .word = word });
}

void pair_peer_store(struct pair *pair, uint64_t word, uint64_t value)
{
	ask(pair, (struct message){ .command = STORE, .word = word, .value = value });
}

void pair_peer_add(struct pair *pair, uint64_t n)
{
	struct message m = { .command = ADD, .value = n };

	send_all(pair->sock, &m, sizeof(m));
}

void pair_peer_ring(struct pair *pair, const struct lgn_key *key, uint64_t n)
{
	struct message m = { .command = RING, .value = n, .key = *key };

	send_all(pair->sock, &m, sizeof(m));
}

int pair_bells_open(struct pair *pair, struct lgn_mem *mem, struct lgn_rmem *self)
{
	const struct lgn_mem_want want = {
		.len = PAIR_WORDS * 8,
		.access = LGN_ACC_READ | LGN_ACC_WRITE | LGN_ACC_BELL,
	};
	const struct lgn_wire_ops *ops = pair->wire->ops;
	int rc = ops->reg(pair->wire, &want, mem);

	return rc ? rc : ops->attach(pair->wire, 0, &mem->key, self);
}

uint64_t pair_peer_result(struct pair *pair)
{
	uint64_t answer = UINT64_MAX;

	receive(pair->sock, &answer, sizeof(answer));
	return answer;
}

static unsigned slot_take(struct pair *pair)
{
	uint32_t used = atomic_load(&pair->slots_used);
	unsigned i;

	for (;;) {
		i = (unsigned)__builtin_ctz(~used);
		if (i >= PAIR_SLOTS) {
			sched_yield();
			used = atomic_load(&pair->slots_used);
		} else if (atomic_compare_exchange_weak(&pair->slots_used, &used,
							used | 1u << i)) {
			return i;
		}
	}
}

int pair_run(struct pair *pair, struct lgn_rmem *mem, enum lgn_op op,
	     uint64_t word, uint64_t *local, uint32_t words, uint64_t operand,
	     uint64_t expect)
{
	unsigned slot = slot_take(pair);
	uint64_t *buf = (uint64_t *)pair->slots.addr + slot * PAIR_WORDS;
	struct lgn_wr wr = {
		.mem = mem, .off = word * 8, .local = buf, .buf = &pair->slots,
		.len = words * 8, .op = op, .operand = operand,
		.expect = expect,
	};
	struct lgn_batch batch = { .wr = &wr, .n = 1 };
	int rc;

	if (op == LGN_PUT || op == LGN_PUT_BELL)
		memcpy(buf, local, words * 8);
	rc = lgn_wire_run(mem->wire, &batch, PAIR_TIMEOUT_S);
	if (!rc)
		memcpy(local, buf, words * 8);
	/* What did not end may still come back to it. */
	if (rc != LAGOON_ETIMEDOUT)
		atomic_fetch_and(&pair->slots_used, ~(1u << slot));
	return rc;
}
