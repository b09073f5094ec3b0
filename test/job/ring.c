/* launch: -n 1 -- stream */
/* launch: -n 2 --nodes 1 -- stream */
/* launch: -n 3 --nodes 2 -- stream */
/* launch: -n 4 --nodes 4 -- stream */
/* launch: -n 2 --nodes 2 -- delay */
/* launch: -n 3 --nodes 3 -- break */
/* launch: -n 4 --nodes 2 -- break */
/* launch: -n 3 --nodes 3 -- die */
/* launch: -n 3 --nodes 1 -- die */
/* launch: -n 2 --nodes 2 -- stall */
/* launch: -n 3 --nodes 3 -- idle */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings (runtime/ring.h): every process streams records of random sizes to
 * every home, which checks each of them: whole, next in order, once. Some are
 * refused by the home, which their sender must learn, with the reason.
 *
 *	stream	over the wire of the job
 *	delay	over one that delays and reorders
 *	break	whose ways break as well, with records on them
 *	die	a home ends in the middle: the others get LAGOON_EPEER
 *	stall	a home that applies nothing: LAGOON_ETIMEDOUT
 *	idle	an applier that has nothing to do takes no CPU
 *
 * Links to the internals of liblagoon.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "runtime/base/status.h"
#include "runtime/core.h"
#include "runtime/ring.h"
#include "test/support/test.h"
#include "test/wires/delay.h"

enum {
	RANKS = 8,
	WORDS = 500,		/* of a record, and a few are as large as may be */
	REFUSED = 37,		/* one record in so many */
	WAITS = 50,		/* the same: is waited for */
	DYING = 2,
	LIMIT_S = 5,
};

struct record {
	uint64_t index;		/* of those to this home, from 0 */
	uint64_t seed;
	uint64_t word[];
};

struct shared {
	_Atomic uint64_t sent[RANKS][RANKS];	/* by whom, to whom */
	_Atomic uint64_t died_ns;
	_Atomic int flushed, release;
};

static const char *mode;
static uint64_t expected[RANKS];	/* applier: of each sender */
static uint64_t refused[RANKS];		/* sender: of each home, that it knows */

static bool is(const char *name)
{
	return !strcmp(mode, name);
}

static bool is_refused(uint64_t seed)
{
	return seed % REFUSED == 0;
}

static void fill(struct record *r, uint32_t words)
{
	struct t_rng rng = { r->seed };

	for (uint32_t i = 0; i < words; i++)
		r->word[i] = t_rand(&rng);
}

static int apply(void *arg, int from, const void *data, uint32_t bytes)
{
	struct shared *shared = t_shared;
	const struct record *r = data;
	struct t_rng rng = { r->seed };

	(void)arg;
	T_CHECK((uintptr_t)data % 64 == 0, "a record at %p", data);
	T_CHECK(r->index == expected[from], "record %llu of rank %d came instead of %llu",
		(unsigned long long)r->index, from,
		(unsigned long long)expected[from]);
	expected[from]++;
	for (uint32_t i = 0; i < (bytes - sizeof(*r)) / 8; i++)
		T_CHECK(r->word[i] == t_rand(&rng), "word %u of record %llu of rank %d",
			i, (unsigned long long)r->index, from);
	while (is("stall") && !atomic_load(&shared->release))
		t_await(&shared->release, 1);
	return is_refused(r->seed) ? lgn_fail(LAGOON_ERANGE, "record %llu is refused",
					      (unsigned long long)r->index) : 0;
}

static void failed(void *arg, int home, uint64_t seq, int code, const char *text)
{
	(void)arg;
	T_CHECK(code == LAGOON_ERANGE && t_names(text, "record ", (long)seq - 1),
		"record %llu: code %d, %s", (unsigned long long)seq, code, text);
	refused[home]++;
}

static uint32_t pick_words(struct t_rng *rng, const struct lgn_ring *ring)
{
	uint32_t most = (lgn_ring_most(ring) - (uint32_t)sizeof(struct record)) / 8;
	uint64_t words = t_once_in(rng, 100) ? most :
		t_below(rng, t_once_in(rng, 10) ? most : WORDS);

	return (uint32_t)(words > most ? most : words);
}

/* Sends the record; *is_bad: the home will refuse it. */
static int send(struct lgn_ring *ring, int home, uint64_t index,
		struct t_rng *rng, bool *is_bad)
{
	static uint64_t buffer[(128 << 10) / 8 + 1];
	uint32_t words = pick_words(rng, ring);
	struct record *r = (void *)buffer;
	bool parts = t_once_in(rng, 2);
	uint64_t seq = 0;
	void *at = r;
	int rc = 0;

	if (!parts)
		rc = lgn_ring_reserve(ring, home, lgn_ring_most(ring), &at);
	if (rc)
		return rc;
	r = at;
	r->index = index;
	r->seed = t_rand(rng);
	*is_bad = is_refused(r->seed);
	fill(r, words);
	if (parts) {
		struct lgn_ring_part part[] = {
			{ r, sizeof(*r) }, { r->word, words * 8 },
		};

		rc = lgn_ring_send(ring, home, part, 2, &seq);
	} else {
		rc = lgn_ring_commit(ring, home, (uint32_t)sizeof(*r) + words * 8, &seq);
	}
	T_CHECK(rc || seq == index + 1, "record %llu has number %llu",
		(unsigned long long)index, (unsigned long long)seq);
	return rc;
}

/* What was refused up to here is known. */
static void check_refused(int rc, int home, uint64_t is_bad, uint64_t before)
{
	T_CHECK(refused[home] == is_bad, "%llu records refused instead of %llu",
		(unsigned long long)refused[home], (unsigned long long)is_bad);
	t_expect(rc, is_bad > before ? LAGOON_ERANGE : 0, "wait");
	T_CHECK(!rc || strstr(lagoon_errmsg(), "is refused"), "%s", lagoon_errmsg());
}

static void stream(struct lgn_ring *ring)
{
	struct shared *shared = t_shared;
	uint64_t records = t_scaled(3000, 100);
	uint64_t sent[RANKS] = { 0 }, bad[RANKS] = { 0 }, told[RANKS] = { 0 };
	struct t_rng rng = { t_mix(t_seed(), (uint64_t)t_lg->rank) };
	uint64_t all_bad = 0, all_told = 0;

	for (uint64_t i = 0; i < records; i++) {
		int home = (int)t_below(&rng, (uint64_t)t_lg->homes);
		bool is_bad;

		t_ok(send(ring, home, sent[home], &rng, &is_bad), "send");
		sent[home]++;
		bad[home] += is_bad;
		if (!t_once_in(&rng, WAITS))
			continue;
		check_refused(lgn_ring_wait(ring, home, sent[home]), home,
			      bad[home], told[home]);
		T_CHECK(lgn_ring_applied(ring, home) == sent[home], "applied");
		told[home] = bad[home];
	}
	for (int i = 0; i < t_lg->homes; i++) {
		all_bad += bad[i];
		all_told += told[i];
	}
	t_expect(lgn_ring_flush(ring), all_bad > all_told ? LAGOON_ERANGE : 0, "flush");
	for (int i = 0; i < t_lg->homes; i++) {
		T_CHECK(refused[i] == bad[i], "%llu of %llu refused at home %d",
			(unsigned long long)refused[i], (unsigned long long)bad[i], i);
		atomic_store(&shared->sent[t_lg->rank][i], sent[i]);
	}
	t_ok(lgn_ring_flush(ring), "flush of nothing");
}

static void check_all_came(void)
{
	const struct shared *shared = t_shared;

	for (int h = 0; h < t_lg->homes; h++)
		for (int i = 0; t_lg->home_rank[h] == t_lg->rank && i < t_lg->size; i++)
			T_CHECK(expected[i] == atomic_load(&shared->sent[i][h]),
				"%llu records of rank %d came, of %llu",
				(unsigned long long)expected[i], i,
				(unsigned long long)atomic_load(&shared->sent[i][h]));
}

/* Misuse is refused, and changes nothing. */
static void misuse(struct lgn_ring *ring)
{
	struct lgn_ring_attr attr = { .apply = apply };
	struct lgn_ring *second;
	void *at;

	t_expect(lgn_ring_reserve(ring, 0, 0, &at), LAGOON_EINVAL, "no bytes");
	t_expect(lgn_ring_reserve(ring, 0, lgn_ring_most(ring) + 1, &at),
		 LAGOON_EINVAL, "too many bytes");
	t_expect(lgn_ring_commit(ring, 0, 8, NULL), LAGOON_EINVAL,
		 "nothing is reserved");
	t_ok(lgn_ring_reserve(ring, 0, 8, &at), "reserve");
	t_expect(lgn_ring_commit(ring, 0, 16, NULL), LAGOON_EINVAL,
		 "more than reserved");
	t_expect(lgn_ring_wait(ring, 0, 1), LAGOON_EINVAL, "nothing was sent");
	t_expect(lgn_ring_open(t_lg, &attr, &second), LAGOON_EEXIST, "a second one");
}

static void die(struct lgn_ring *ring)
{
	struct shared *shared = t_shared;
	struct t_rng rng = { (uint64_t)t_lg->rank };
	int home = t_lg->homes - 1, dying = t_lg->home_rank[home], rc = 0;
	uint64_t sent = 0;
	double s;

	for (; sent < t_scaled(200, 20); sent++) {
		bool is_bad;

		t_ok(send(ring, home, sent, &rng, &is_bad), "send");
	}
	t_sync();
	if (t_lg->rank == dying) {
		atomic_store(&shared->died_ns, t_now_ns());
		exit(0);
	}
	while (!rc) {
		bool is_bad;

		rc = send(ring, home, sent++, &rng, &is_bad);
		if (!rc && t_once_in(&rng, 4))
			rc = lgn_ring_flush(ring);
		if (rc == LAGOON_ERANGE)
			rc = 0;
	}
	s = 1e-9 * (double)(t_now_ns() - atomic_load(&shared->died_ns));
	t_expect(rc, LAGOON_EPEER, "send to a dead home");
	T_CHECK(t_names(lagoon_errmsg(), "rank ", dying), "%s", lagoon_errmsg());
	T_CHECK(s < LIMIT_S, "noticed after %.1f s", s);
	lagoon_close(t_lg);
}

static void stall(struct lgn_ring *ring)
{
	struct shared *shared = t_shared;
	struct t_rng rng = { 1 };
	uint64_t sent = 0;
	int rc = 0;

	while (t_lg->rank && !rc && sent <= LGN_RING_SLOTS) {
		bool is_bad;

		rc = send(ring, 0, sent++, &rng, &is_bad);
	}
	if (t_lg->rank) {
		t_expect(rc, LAGOON_ETIMEDOUT, "send");
		T_CHECK(t_names(lagoon_errmsg(), "rank ", 0), "%s", lagoon_errmsg());
		T_CHECK(sent == LGN_RING_SLOTS + 1, "%llu records sent",
			(unsigned long long)sent);
		atomic_store(&shared->release, 1);
	}
	t_sync();
}

static double cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
		1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static void idle(struct lgn_ring *ring)
{
	struct timespec nap = { .tv_sec = 2 };
	uint64_t start;
	double cpu, wall;

	stream(ring);
	t_sync();
	start = t_now_ns();
	cpu = cpu_s();
	while (nanosleep(&nap, &nap))
		;
	cpu = cpu_s() - cpu;
	wall = 1e-9 * (double)(t_now_ns() - start);
	printf("ring: idle: %.2f ms of CPU in %.2f s\n", cpu * 1e3, wall);
	T_CHECK(cpu < 0.01 * wall, "an applier with nothing to do used %.2f %% of a core",
		100 * cpu / wall);
	t_sync();
}

static int open_on_delay(const struct lagoon_attr *attr, struct lagoon **lg)
{
	uint64_t seed = t_seed();
	struct t_rng rng = { t_mix(seed, 5) };
	struct delay_config config = {
		.seed = seed, .hold = 1 + (unsigned)t_below(&rng, 3), .again = 3,
		.linger = t_once_in(&rng, 2) ? 0 : 60,
		.refuse = t_once_in(&rng, 2) ? 0 : 5,
		.fail = is("break") ? 10 + (unsigned)t_below(&rng, 100) : 0,
		.fail_ops = 1u << LGN_PUT_BELL, .fail_breaks = true,
		.fail_status = t_once_in(&rng, 2) ? LAGOON_EIO : LAGOON_EPEER,
	};

	delay_configure(&config);
	delay_fail_after(0);
	return lgn_open_on(attr, &lgn_wire_delay, lg);
}

/* Twice: what was closed can be opened again. */
static void streams(struct lgn_ring **ring, const struct lgn_ring_attr *attr)
{
	for (int i = 0; i < 2; i++) {
		struct lgn_ring_attr again = *attr;
		uint64_t resent, mended;

		stream(*ring);
		t_ok(lgn_board_sync(t_lg), "sync");
		check_all_came();
		lgn_ring_counts(*ring, &resent, &mended);
		printf("ring: rank %d: %llu ways mended, %llu records sent again\n",
		       t_lg->rank, (unsigned long long)mended,
		       (unsigned long long)resent);
		T_CHECK(is("break") || !mended, "a way broke");
		T_CHECK(!is("break") || mended, "no way broke");
		lgn_ring_close(*ring);
		memset(expected, 0, sizeof(expected));
		memset(refused, 0, sizeof(refused));
		again.record_bytes = 1000;
		t_ok(lgn_ring_open(t_lg, &again, ring), "open again");
		T_CHECK(lgn_ring_most(*ring) == 1000, "record_bytes");
	}
}

int main(int argc, char **argv)
{
	struct lgn_ring_attr attr = { .apply = apply, .failed = failed };
	struct lagoon_attr job;
	struct lgn_ring *ring;

	mode = argc > 1 ? argv[1] : "stream";
	t_begin("ring", sizeof(struct shared));
	t_ok(lagoon_attr_init(&job), "attr_init");
	job.timeout_s = is("stall") ? 1 : job.timeout_s;
	t_open(&job, is("delay") || is("break") ? open_on_delay : NULL);
	T_CHECK(t_lg->size <= RANKS, "%d processes", t_lg->size);
	t_ok(lgn_ring_open(t_lg, &attr, &ring), "ring_open");
	misuse(ring);
	if (is("die")) {
		die(ring);
		return 0;
	}
	if (is("stall"))
		stall(ring);
	else if (is("idle"))
		idle(ring);
	else
		streams(&ring, &attr);
	t_close();
	return 0;
}
