/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What verbs/wire.h promises, for the shared-memory wire and for the delaying
 * wire of the tests over it: to itself and between two processes. With
 * LAGOON_TEST_WIRE=rc, where there is a device, for the RC wire and the
 * delaying wire over that.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/test.h"
#include "test/support/wire_pair.h"
#include "test/wires/delay.h"

enum { WIRES = 2, THREADS = 4 };

TestSuite(wires, .timeout = 120);

/* A wire and, for the delaying one, the wire below. */
static const struct {
	const struct lgn_wire_ops *ops, *below;
} wires[2 * WIRES] = {
	{ &lgn_wire_shm, NULL }, { &lgn_wire_delay, &lgn_wire_shm },
	{ &lgn_wire_rc, NULL }, { &lgn_wire_delay, &lgn_wire_rc },
};
static int numbers[2 * WIRES] = { 0, 1, 2, 3 };
static struct pair pair;

/* Of the first two wires, or of the other two. */
static int *numbers_now(void)
{
	const char *name = getenv("LAGOON_TEST_WIRE");

	return &numbers[name && !strcmp(name, "rc") ? WIRES : 0];
}

static uint64_t many(void)
{
	return t_scaled(4000, 100);
}

#define WIRE_TEST(name) \
	ParameterizedTestParameters(wires, name) \
	{ \
		return cr_make_param_array(int, numbers_now(), WIRES); \
	} \
	ParameterizedTest(int *number, wires, name)

static void configure(int number)
{
	const struct delay_config config = {
		.below = wires[number].below, .seed = 5, .hold = 4,
		.again = 2, .linger = 500, .refuse = 6,
	};

	delay_configure(&config);
}

static void open_pair(int number)
{
	int rc;

	configure(number);
	rc = pair_open(&pair, wires[number].ops, 0, true);
	cr_assert_eq(rc, 0, "%s: open: %s", wires[number].ops->name,
		     lagoon_errmsg());
}

static int run(struct lgn_rmem *mem, enum lgn_op op, uint64_t word,
	       uint64_t *local, uint64_t operand, uint64_t expect)
{
	return pair_run(&pair, mem, op, word, local, 1, operand, expect);
}

WIRE_TEST(registered_memory_is_zero)
{
	const uint64_t *mem;

	open_pair(*number);
	mem = pair.mem.addr;
	cr_assert_geq(pair.mem.len, PAIR_WORDS * 8);
	cr_assert_eq((uintptr_t)mem % 8, 0);
	for (int i = 0; i < PAIR_WORDS; i++)
		cr_assert_eq(mem[i], 0);
	cr_assert_eq(pair.peer.len, pair.peer_key.len);
	cr_assert_eq(pair.peer.peer, 1);
	pair_close(&pair);
}

static void each_operation(struct lgn_rmem *mem)
{
	uint64_t x = 42;

	cr_assert_eq(run(mem, LGN_PUT, 3, &x, 0, 0), 0);
	x = 0;
	cr_assert_eq(run(mem, LGN_GET, 3, &x, 0, 0), 0);
	cr_assert_eq(x, 42);
	cr_assert_eq(run(mem, LGN_ADD, 3, &x, (uint64_t)-50, 0), 0);
	cr_assert_eq(x, 42, "ADD gives the old word");
	cr_assert_eq(run(mem, LGN_CAS, 3, &x, 9, 1), 0);
	cr_assert_eq(x, (uint64_t)-8, "CAS that fails gives the old word");
	cr_assert_eq(run(mem, LGN_GET, 3, &x, 0, 0), 0);
	cr_assert_eq(x, (uint64_t)-8, "CAS that fails changes nothing");
	cr_assert_eq(run(mem, LGN_CAS, 3, &x, 9, (uint64_t)-8), 0);
	cr_assert_eq(x, (uint64_t)-8);
	cr_assert_eq(run(mem, LGN_GET, 3, &x, 0, 0), 0);
	cr_assert_eq(x, 9);
	cr_assert_eq(run(mem, LGN_GET, 2, &x, 0, 0), 0);
	cr_assert_eq(x, 0, "the word before is untouched");
	cr_assert_eq(run(mem, LGN_GET, 4, &x, 0, 0), 0);
	cr_assert_eq(x, 0, "the word after is untouched");
}

WIRE_TEST(each_operation_to_self)
{
	open_pair(*number);
	each_operation(&pair.self);
	cr_assert_eq(((uint64_t *)pair.mem.addr)[3], 9);
	pair_close(&pair);
}

WIRE_TEST(each_operation_to_a_peer)
{
	open_pair(*number);
	each_operation(&pair.peer);
	cr_assert_eq(pair_peer_load(&pair, 3), 9);
	cr_assert_eq(((uint64_t *)pair.mem.addr)[3], 0);
	pair_close(&pair);
}

WIRE_TEST(long_get_and_put)
{
	static uint64_t out[PAIR_WORDS], in[PAIR_WORDS];

	open_pair(*number);
	for (int i = 0; i < PAIR_WORDS; i++)
		out[i] = t_mix(1, (uint64_t)i);
	cr_assert_eq(pair_run(&pair, &pair.peer, LGN_PUT, 0, out, PAIR_WORDS, 0, 0), 0);
	for (int i = 0; i < PAIR_WORDS; i += 101)
		cr_assert_eq(pair_peer_load(&pair, (uint64_t)i), out[i]);
	pair_peer_store(&pair, 100, 1);
	out[100] = 1;
	cr_assert_eq(pair_run(&pair, &pair.peer, LGN_GET, 0, in, PAIR_WORDS, 0, 0), 0);
	cr_assert_arr_eq(in, out, sizeof(in));
	/* and a part in the middle */
	memset(in, 0, sizeof(in));
	cr_assert_eq(pair_run(&pair, &pair.peer, LGN_GET, 99, in, 3, 0, 0), 0);
	cr_assert_arr_eq(in, &out[99], 24);
	cr_assert_eq(in[3], 0, "only what was asked for");
	pair_close(&pair);
}

/* Every old value of n ADDs to one word is another one. */
WIRE_TEST(batch_of_adds_is_exact)
{
	static struct lgn_wr wr[PAIR_LOCAL_WORDS];
	struct lgn_batch batch = { .wr = wr };
	uint64_t *old, sum = 0, x;

	open_pair(*number);
	old = pair.local.addr;
	batch.n = pair.wire->max_batch < T_COUNT(wr) ? pair.wire->max_batch
						     : T_COUNT(wr);
	cr_assert_geq(batch.n, 1);
	for (uint32_t i = 0; i < batch.n; i++)
		wr[i] = (struct lgn_wr){ .mem = &pair.peer, .local = &old[i],
					 .buf = &pair.local, .len = 8,
					 .op = LGN_ADD, .operand = 1 };
	cr_assert_eq(lgn_wire_run(pair.wire, &batch, PAIR_TIMEOUT_S), 0);
	cr_assert(lgn_batch_done(&batch));
	for (uint32_t i = 0; i < batch.n; i++)
		sum += old[i];
	cr_assert_eq(sum, (uint64_t)batch.n * (batch.n - 1) / 2);
	cr_assert_eq(run(&pair.peer, LGN_GET, 0, &x, 0, 0), 0);
	cr_assert_eq(x, batch.n);
	pair_close(&pair);
}

WIRE_TEST(two_processes_add_to_one_word)
{
	uint64_t sum = 0, old, n = 2 * many();

	open_pair(*number);
	pair_peer_add(&pair, n / 2);
	for (uint64_t i = 0; i < n / 2; i++, sum += old)
		cr_assert_eq(run(&pair.self, LGN_ADD, 0, &old, 1, 0), 0);
	sum += pair_peer_result(&pair);
	cr_assert_eq(((uint64_t *)pair.mem.addr)[0], n);
	cr_assert_eq(sum, n * (n - 1) / 2, "an old value came twice");
	pair_close(&pair);
}

static void *add_many(void *arg)
{
	uint64_t *sum = arg, old;

	for (uint64_t i = many(); i; i--, *sum += old)
		if (run(&pair.peer, LGN_ADD, 1, &old, 1, 0))
			return arg;
	return NULL;
}

WIRE_TEST(threads_post_and_poll)
{
	uint64_t sum[THREADS] = { 0 }, n = THREADS * many(), all = 0;
	pthread_t thread[THREADS];
	void *failed;

	open_pair(*number);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, add_many, &sum[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &failed);
		cr_assert_null(failed);
		all += sum[i];
	}
	cr_assert_eq(pair_peer_load(&pair, 1), n);
	cr_assert_eq(all, n * (n - 1) / 2);
	pair_close(&pair);
}

/* post() may have no room: then nothing of the batch was taken. */
WIRE_TEST(no_room_is_all_or_nothing)
{
	enum { BATCHES = 1000, SIZE = 4 };
	static struct lgn_wr wr[BATCHES][SIZE];
	static struct lgn_batch batch[BATCHES];
	uint64_t *old, taken = 0;

	open_pair(*number);
	old = pair.local.addr;
	for (int i = 0; i < BATCHES; i++) {
		int rc;

		for (int k = 0; k < SIZE; k++)
			wr[i][k] = (struct lgn_wr){
				.mem = &pair.peer, .off = (uint64_t)k * 8,
				.local = &old[i * SIZE + k], .buf = &pair.local,
				.len = 8, .op = LGN_ADD, .operand = 1,
			};
		batch[i].wr = wr[i];
		batch[i].n = SIZE;
		rc = wires[*number].ops->post(pair.wire, &batch[i]);
		cr_assert(rc == 0 || rc == LAGOON_EAGAIN);
		taken += rc == 0;
		if (rc)
			batch[i].n = 0;
	}
	cr_assert_gt(taken, 0);
	for (int i = 0; i < BATCHES; i++)
		while (batch[i].n && !lgn_batch_done(&batch[i]))
			wires[*number].ops->poll(pair.wire);
	for (uint64_t k = 0; k < SIZE; k++)
		cr_assert_eq(pair_peer_load(&pair, k), taken);
	pair_close(&pair);
}

static void is_refused(uint64_t off, uint32_t len, enum lgn_op op)
{
	uint64_t *local = pair.local.addr;
	struct lgn_wr wr = {
		.mem = &pair.peer, .local = local, .buf = &pair.local,
		.len = len, .off = off, .op = op, .operand = 1,
	};
	struct lgn_batch batch = { .wr = &wr, .n = 1 };

	local[0] = local[1] = 7;
	cr_assert_lt(lgn_wire_run(pair.wire, &batch, PAIR_TIMEOUT_S), 0,
		     "op %d of %u bytes at %#llx was taken", op, len,
		     (unsigned long long)off);
	cr_assert(lagoon_errmsg()[0]);
	cr_assert(local[0] == 7 && local[1] == 7);
}

/* Refused by post() or by the status of the batch; nothing is touched. */
WIRE_TEST(bad_requests_are_refused)
{
	static const enum lgn_op op[] = { LGN_GET, LGN_PUT, LGN_ADD, LGN_CAS };

	open_pair(*number);
	for (size_t i = 0; i < T_COUNT(op); i++) {
		is_refused(pair.peer.len, 8, op[i]);
		is_refused(pair.peer.len + 8, 8, op[i]);
		is_refused(4, 8, op[i]);
		is_refused(UINT64_MAX - 7, 8, op[i]);
		is_refused(UINT64_C(1) << 62, 8, op[i]);
	}
	is_refused(0, 4, LGN_GET);
	is_refused(pair.peer.len - 8, 16, LGN_GET);
	is_refused(pair.peer.len - 8, 16, LGN_PUT);
	is_refused(UINT64_MAX - 7, 16, LGN_GET);
	is_refused(8, 1u << 31, LGN_GET);
	cr_assert_eq(pair_peer_load(&pair, 0), 0);
	cr_assert_eq(pair_peer_load(&pair, PAIR_WORDS - 1), 0);
	pair_close(&pair);
}

/* By start(), which meets the peers, or when their memory is attached. */
WIRE_TEST(another_job_is_refused)
{
	int rc;

	configure(*number);
	rc = pair_open(&pair, wires[*number].ops, 1, true);
	cr_assert_lt(rc, 0, "memory of a job with another nonce was attached");
	cr_assert(lagoon_errmsg()[0]);
	memset(&pair.peer, 0, sizeof(pair.peer));
	pair_close(&pair);
}

WIRE_TEST(a_wrong_key_is_refused)
{
	struct lgn_key key;
	struct lgn_rmem mem;
	uint64_t x;
	int rc;

	open_pair(*number);
	key = pair.peer_key;
	key.rkey ^= 0x5555;
	rc = wires[*number].ops->attach(pair.wire, 1, &key, &mem);
	if (!rc)
		rc = run(&mem, LGN_GET, 0, &x, 0, 0);
	cr_assert_lt(rc, 0, "a key that nobody gave away was good");
	pair_close(&pair);
}

WIRE_TEST(nothing_is_detached_and_unregistered)
{
	struct lgn_rmem none = { 0 };
	struct lgn_mem no_memory = { 0 };

	open_pair(*number);
	wires[*number].ops->detach(&none);
	wires[*number].ops->unreg(pair.wire, &no_memory);
	cr_assert_eq(none.wire, NULL);
	pair_close(&pair);
}

WIRE_TEST(memory_that_is_not_there)
{
	struct lgn_mem_want want = {
		.len = UINT64_C(1) << 50, .access = LGN_ACC_READ,
	};
	struct lgn_mem mem;

	open_pair(*number);
	cr_assert_eq(wires[*number].ops->reg(pair.wire, &want, &mem), LAGOON_ENOMEM);
	cr_assert(lagoon_errmsg()[0]);
	pair_close(&pair);
}

struct bound {
	int calls;
	uint64_t len;
	void *addr;
};

static int note_bind(void *arg, void *addr, uint64_t len)
{
	struct bound *bound = arg;

	bound->calls++;
	bound->len = len;
	bound->addr = addr;
	return 0;
}

WIRE_TEST(bind_is_called_for_the_memory)
{
	struct bound bound = { 0, 0, NULL };
	struct lgn_mem_want want = {
		.len = 1 << 20, .access = LGN_ACC_READ, .bind = note_bind,
		.bind_arg = &bound,
	};
	struct lgn_mem mem;

	open_pair(*number);
	cr_assert_eq(wires[*number].ops->reg(pair.wire, &want, &mem), 0);
	cr_assert_eq(bound.calls, 1);
	cr_assert_eq(bound.addr, mem.addr);
	cr_assert_geq(bound.len, want.len);
	wires[*number].ops->unreg(pair.wire, &mem);
	pair_close(&pair);
}

/* A peer that is killed: told once, and what it registered can still be
 * touched without harm. */
WIRE_TEST(a_killed_peer_is_told)
{
	uint64_t start, x;

	open_pair(*number);
	pair_peer_store(&pair, 5, 55);
	cr_assert_eq(atomic_load(&pair.lost), 0);
	kill(pair.child, SIGKILL);
	start = t_now_ns();
	while (!atomic_load(&pair.lost)) {
		wires[*number].ops->poll(pair.wire);
		cr_assert_lt(t_now_ns() - start, UINT64_C(5000000000),
			     "not told within 5 s");
	}
	cr_assert_eq(atomic_load(&pair.lost_rank), 1);
	if (!run(&pair.peer, LGN_GET, 5, &x, 0, 0))
		cr_assert_eq(x, 55);
	pair_close(&pair);
	cr_assert_eq(atomic_load(&pair.lost), 1, "told more than once");
}

/* The delaying wire fails requests by seed: a failed add has been executed or
 * not, and nobody can tell; how many there are is told. */
Test(delay_wire, failed_adds_are_uncertain, .timeout = 60)
{
	enum { N = 200 };
	static struct lgn_wr wr[N];
	const struct delay_config config = {
		.seed = 3, .fail = 3, .fail_ops = 1u << LGN_ADD,
		.fail_status = LAGOON_EIO,
	};
	struct lgn_batch batch = { .wr = wr, .n = N };
	uint64_t missing = 0, *old;

	delay_configure(&config);
	cr_assert_eq(pair_open(&pair, &lgn_wire_delay, 0, true), 0);
	old = pair.local.addr;
	for (uint64_t i = 0; i < N; i++)
		wr[i] = (struct lgn_wr){
			.mem = &pair.peer, .off = i * 8, .local = &old[i],
			.buf = &pair.local, .len = 8, .op = LGN_ADD, .operand = 1,
		};
	delay_fail_after(0);
	cr_assert_eq(lgn_wire_run(pair.wire, &batch, PAIR_TIMEOUT_S), LAGOON_EIO);
	for (uint64_t i = 0; i < N; i++)
		missing += !pair_peer_load(&pair, i);
	cr_assert_gt(missing, 0, "all adds were executed");
	cr_assert_lt(missing, N, "no add was executed");
	cr_assert_gt(batch.uncertain, missing, "no failed add was executed");
	cr_assert_lt(batch.uncertain, N, "all adds failed");
	pair_close(&pair);
}

/* As a queue pair: after the first failure nothing comes through. */
Test(delay_wire, a_failure_may_break_the_way, .timeout = 60)
{
	const struct delay_config config = {
		.seed = 4, .fail = 5, .fail_ops = 1u << LGN_GET,
		.fail_status = LAGOON_EIO, .fail_breaks = true,
	};
	uint64_t word = 0, old;
	int n = 0;

	delay_configure(&config);
	cr_assert_eq(pair_open(&pair, &lgn_wire_delay, 0, true), 0);
	delay_fail_after(20);
	while (n < 1000 && !run(&pair.peer, LGN_GET, 0, &word, 0, 0))
		n++;
	cr_assert_geq(n, 19, "failed before its time");
	cr_assert_lt(n, 1000, "never failed");
	cr_assert_eq(run(&pair.peer, LGN_ADD, 1, &old, 1, 0), LAGOON_EIO);
	cr_assert(strstr(lagoon_errmsg(), "rank 1"));
	cr_assert_eq(pair_peer_load(&pair, 1), 0);
	cr_assert_eq(run(&pair.self, LGN_ADD, 1, &old, 1, 0), 0,
		     "the way to another peer is broken, too");
	pair_close(&pair);
}
