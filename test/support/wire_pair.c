/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/lagoon.h"
#include "test/support/wire_pair.h"

enum command { LOAD, STORE, ADD };

struct message {
	enum command command;
	uint64_t word;
	uint64_t value;
};

static void lost(void *arg, int rank)
{
	struct pair *pair = arg;

	atomic_store(&pair->lost_rank, rank);
	atomic_fetch_add(&pair->lost, 1);
}

static int send_all(int sock, const void *data, size_t len)
{
	return write(sock, data, len) == (ssize_t)len ? 0 : LAGOON_EIO;
}

static int receive(int sock, void *data, size_t len)
{
	return recv(sock, data, len, MSG_WAITALL) == (ssize_t)len ? 0
								  : LAGOON_EIO;
}

/* open, exchange of addresses, start, reg: the same in both. */
static int meet(struct pair *pair, const struct lgn_wire_ops *ops, int rank,
		int skew, struct lgn_key *other)
{
	static const int node_of[2] = { 0, 0 };
	const struct lgn_wire_near near = { NULL, -1 };
	struct lgn_wire_addr addr[2];
	struct lgn_wire_config config = {
		.rank = rank, .size = 2,
		.nonce = { 0x1234 + (uint64_t)skew, 77 },
		.timeout_s = PAIR_TIMEOUT_S, .lost = lost, .lost_arg = pair,
	};
	struct lgn_mem_want want = {
		.len = PAIR_WORDS * 8,
		.access = LGN_ACC_READ | LGN_ACC_WRITE | LGN_ACC_ATOMIC,
	};
	int rc;

	memset(addr, 0, sizeof(addr));
	rc = ops->open(&near, &addr[rank], &pair->wire);
	if (!rc)
		rc = send_all(pair->sock, &addr[rank], sizeof(addr[0]));
	if (!rc)
		rc = receive(pair->sock, &addr[1 - rank], sizeof(addr[0]));
	if (!rc)
		rc = ops->start(pair->wire, &config, addr, node_of);
	if (!rc)
		rc = ops->reg(pair->wire, &want, &pair->mem);
	if (!rc)
		rc = send_all(pair->sock, &pair->mem.key, sizeof(*other));
	if (!rc)
		rc = receive(pair->sock, other, sizeof(*other));
	return rc;
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
				if (pair_run(&zero, LGN_ADD, 0, &old, 1, 1, 0))
					_exit(1);
			pair->wire->ops->detach(&zero);
			answer = sum;
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
	ops->unreg(pair->wire, &pair->mem);
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
	const struct lgn_wire_ops *ops = pair->wire->ops;

	if (pair->peer.wire)
		ops->detach(&pair->peer);
	if (pair->self.wire)
		ops->detach(&pair->self);
	close(pair->sock);
	waitpid(pair->child, NULL, 0);
	ops->unreg(pair->wire, &pair->mem);
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
	return ask(pair, (struct message){ LOAD, word, 0 });
}

void pair_peer_store(struct pair *pair, uint64_t word, uint64_t value)
{
	ask(pair, (struct message){ STORE, word, value });
}

void pair_peer_add(struct pair *pair, uint64_t n)
{
	struct message m = { ADD, 0, n };

	send_all(pair->sock, &m, sizeof(m));
}

uint64_t pair_peer_result(struct pair *pair)
{
	uint64_t answer = UINT64_MAX;

	receive(pair->sock, &answer, sizeof(answer));
	return answer;
}

int pair_run(struct lgn_rmem *mem, enum lgn_op op, uint64_t word,
	     uint64_t *local, uint32_t words, uint64_t operand,
	     uint64_t expect)
{
	struct lgn_wr wr = {
		.mem = mem, .off = word * 8, .local = local, .len = words * 8,
		.op = op, .operand = operand, .expect = expect,
	};
	struct lgn_batch batch = { .wr = &wr, .n = 1 };

	return lgn_wire_run(mem->wire, &batch, PAIR_TIMEOUT_S);
}
