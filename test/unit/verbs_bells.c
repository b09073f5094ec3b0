/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PUTs that tell the owner of the memory, on the wires of verbs_wires.c: each
 * is heard once, after its data is there.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "test/support/test.h"
#include "test/support/wire_pair.h"
#include "test/wires/delay.h"

enum { WIRES = 2, MOST = 4000, NAP_NS = 200000000 };

TestSuite(bells, .timeout = 120);

static const struct {
	const struct lgn_wire_ops *ops, *below;
} wires[2 * WIRES] = {
	{ &lgn_wire_shm, NULL }, { &lgn_wire_delay, &lgn_wire_shm },
	{ &lgn_wire_rc, NULL }, { &lgn_wire_delay, &lgn_wire_rc },
};
static int numbers[2 * WIRES] = { 0, 1, 2, 3 };
static struct pair pair;
static struct lgn_mem mem;
static struct lgn_rmem self;

static int *numbers_now(void)
{
	const char *name = getenv("LAGOON_TEST_WIRE");

	return &numbers[name && !strcmp(name, "rc") ? WIRES : 0];
}

#define BELL_TEST(name) \
	ParameterizedTestParameters(bells, name) \
	{ \
		return cr_make_param_array(int, numbers_now(), WIRES); \
	} \
	ParameterizedTest(int *number, bells, name)

static void open_bells(int number, unsigned fail)
{
	const struct delay_config config = {
		.below = wires[number].below, .seed = 5, .hold = 2,
		.again = 2, .linger = 500, .refuse = 6, .fail = fail,
		.fail_ops = 1u << LGN_PUT_BELL, .fail_breaks = true,
		.fail_status = LAGOON_EIO,
	};

	delay_configure(&config);
	cr_assert_eq(pair_open(&pair, wires[number].ops, 0, true), 0, "open: %s",
		     lagoon_errmsg());
	cr_assert_eq(pair_bells_open(&pair, &mem, &self), 0, "%s", lagoon_errmsg());
	cr_assert(self.bell);
	cr_assert_not(pair.peer.bell);
}

static void close_bells(void)
{
	const struct lgn_wire_ops *ops = pair.wire->ops;

	ops->detach(&self);
	ops->unreg(pair.wire, &mem);
	pair_close(&pair);
}

static int ring_self(uint64_t i)
{
	uint64_t word = PAIR_RUNG(i);

	return pair_run(&pair, &self, LGN_PUT_BELL, i % PAIR_WORDS, &word, 1, i, 0);
}

/* n bells of rank, each value of [0, n) once. Words are written again after
 * PAIR_WORDS more, by a PUT that may have happened already. */
static void hear(int rank, uint64_t n)
{
	static unsigned char heard[MOST];
	const uint64_t *word = mem.addr;
	uint64_t all = 0;

	memset(heard, 0, sizeof(heard));
	while (all < n) {
		struct lgn_bell bell[7];
		int k = pair.wire->ops->hear(pair.wire, bell, 7);

		cr_assert(k > 0 && k <= 7, "hear() brought %d", k);
		for (int i = 0; i < k; i++) {
			uint64_t v = bell[i].value, now;

			cr_assert_eq(bell[i].rank, rank);
			cr_assert_lt(v, n);
			cr_assert_not(heard[v], "bell %d came twice", (int)v);
			heard[v] = 1;
			now = __atomic_load_n(&word[v % PAIR_WORDS], __ATOMIC_ACQUIRE);
			for (uint64_t w = v; now != PAIR_RUNG(w); w += PAIR_WORDS)
				cr_assert_lt(w, n, "the word of bell %d is not there",
					     (int)v);
		}
		all += (uint64_t)k;
	}
}

BELL_TEST(of_a_peer_are_heard_once)
{
	uint64_t n = t_scaled(MOST, 300);

	open_bells(*number, 0);
	pair_peer_ring(&pair, &mem.key, n);
	hear(1, n);
	cr_assert_eq(pair_peer_result(&pair), n);
	close_bells();
}

static void *ring_many(void *arg)
{
	for (uint64_t i = 0; i < t_scaled(MOST, 300); i++)
		if (ring_self(i))
			return arg;
	return NULL;
}

BELL_TEST(of_the_process_itself_are_heard_once)
{
	pthread_t thread;
	void *failed;

	open_bells(*number, 0);
	pthread_create(&thread, NULL, ring_many, &pair);
	hear(0, t_scaled(MOST, 300));
	pthread_join(thread, &failed);
	cr_assert_null(failed);
	close_bells();
}

static void *hear_one(void *arg)
{
	struct lgn_bell bell;
	int n = pair.wire->ops->hear(pair.wire, &bell, 1);

	*(uint64_t *)arg = n > 0 ? bell.value : 0;
	return n > 0 ? arg : NULL;
}

static double cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
		1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* Who waits for bells is woken by the next one, and uses nothing before. */
BELL_TEST(wake_who_sleeps)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	uint64_t value = 0;
	pthread_t thread;
	double cpu;
	void *heard;

	open_bells(*number, 0);
	pthread_create(&thread, NULL, hear_one, &value);
	nanosleep(&nap, NULL);
	cpu = cpu_s();
	nanosleep(&nap, NULL);
	cpu = cpu_s() - cpu;
	cr_assert_lt(cpu, 0.25e-9 * NAP_NS, "it took %g s of CPU to wait", cpu);
	cr_assert_eq(ring_self(77), 0);
	pthread_join(thread, &heard);
	cr_assert_not_null(heard);
	cr_assert_eq(value, 77);
	close_bells();
}

BELL_TEST(hush_wakes_too)
{
	const struct timespec nap = { .tv_nsec = NAP_NS / 4 };
	struct lgn_bell bell;
	uint64_t value;
	pthread_t thread;
	void *heard;

	open_bells(*number, 0);
	pthread_create(&thread, NULL, hear_one, &value);
	nanosleep(&nap, NULL);	/* it sleeps, or it will not */
	pair.wire->ops->hush(pair.wire);
	pthread_join(thread, &heard);
	cr_assert_null(heard);
	cr_assert_eq(pair.wire->ops->hear(pair.wire, &bell, 1), 0, "it stays so");
	close_bells();
}

/* One region at a time; the next one hears nothing of the last. */
BELL_TEST(belong_to_one_region)
{
	struct lgn_mem_want want = {
		.len = 4096, .access = LGN_ACC_WRITE | LGN_ACC_BELL,
	};
	const struct lgn_wire_ops *ops;
	struct lgn_bell bell;
	struct lgn_mem second;

	open_bells(*number, 0);
	ops = pair.wire->ops;
	cr_assert_eq(ops->reg(pair.wire, &want, &second), LAGOON_EINVAL);
	cr_assert_eq(ring_self(1), 0);
	ops->hush(pair.wire);
	ops->detach(&self);
	ops->unreg(pair.wire, &mem);
	cr_assert_eq(pair_bells_open(&pair, &mem, &self), 0, "%s", lagoon_errmsg());
	cr_assert_eq(ring_self(2), 0);
	cr_assert_eq(ops->hear(pair.wire, &bell, 1), 1);
	cr_assert_eq(bell.value, 2);
	close_bells();
}

BELL_TEST(need_a_region_with_bells)
{
	uint64_t word = 9;

	open_bells(*number, 0);
	cr_assert_eq(pair_run(&pair, &pair.self, LGN_PUT_BELL, 0, &word, 1, 0, 0),
		     LAGOON_EINVAL);
	cr_assert_eq(*(uint64_t *)pair.mem.addr, 0);
	cr_assert_lt(pair_run(&pair, &self, LGN_PUT_BELL, PAIR_WORDS, &word, 1, 0, 0),
		     0, "a word behind the region was written");
	/* and it is memory as any other */
	cr_assert_eq(pair_run(&pair, &self, LGN_PUT, 3, &word, 1, 0, 0), 0);
	word = 0;
	cr_assert_eq(pair_run(&pair, &self, LGN_GET, 3, &word, 1, 0, 0), 0);
	cr_assert_eq(word, 9);
	close_bells();
}

/* The delaying wire breaks the way to bells, and nothing else of the peer. */
Test(delay_wire, the_way_to_bells_is_mended, .timeout = 60)
{
	uint64_t word = 1;
	int rc = 0, n = 0;

	open_bells(1, 20);
	delay_fail_after(0);
	for (int mended = 0; mended < 5; mended++) {
		while (n < 10000 && !rc) {
			rc = ring_self((uint64_t)n % PAIR_WORDS);
			n++;
			if (n % 64 == 0 || rc) {
				struct lgn_bell bell[128];

				pair.wire->ops->hear(pair.wire, bell, 128);
			}
		}
		cr_assert_eq(rc, LAGOON_EIO, "it never broke");
		cr_assert_eq(ring_self(0), LAGOON_EIO, "it does not stay broken");
		cr_assert_eq(pair_run(&pair, &pair.self, LGN_GET, 0, &word, 1, 0, 0), 0);
		cr_assert_eq(pair.wire->ops->mend(&self), 0);
		rc = ring_self(0);
	}
	close_bells();
}
