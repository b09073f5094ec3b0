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
 * Rings (runtime/ring.h): every process streams to every home.
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

#include "test/support/streams.h"
#include "test/wires/delay.h"

enum { LIMIT_S = 20 };

struct shared {
	struct st_shared st;	/* first */
	_Atomic uint64_t died_ns;
};

static const char *mode;

static bool is(const char *name)
{
	return !strcmp(mode, name);
}

static uint64_t many(void)
{
	return t_scaled(3000, 100);
}

/* Misuse is refused, and changes nothing. */
static void misuse(struct lgn_ring *ring)
{
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
	t_expect(lgn_ring_open(t_lg, &st_attr, &second), LAGOON_EEXIST, "a second one");
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

		t_ok(st_send(ring, home, sent, &rng, &is_bad), "send");
	}
	t_sync();
	if (t_lg->rank == dying) {
		atomic_store(&shared->died_ns, t_now_ns());
		exit(0);
	}
	while (!rc) {
		bool is_bad;

		rc = st_send(ring, home, sent++, &rng, &is_bad);
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

		rc = st_send(ring, 0, sent++, &rng, &is_bad);
	}
	if (t_lg->rank) {
		t_expect(rc, LAGOON_ETIMEDOUT, "send");
		T_CHECK(t_names(lagoon_errmsg(), "rank ", 0), "%s", lagoon_errmsg());
		T_CHECK(sent == LGN_RING_SLOTS + 1, "%llu records sent",
			(unsigned long long)sent);
		atomic_store(&shared->st.release, 1);
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

	st_stream(ring, many());
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
static void streams(struct lgn_ring **ring)
{
	for (int i = 0; i < 2; i++) {
		struct lgn_ring_attr again = st_attr;
		uint64_t resent, mended;

		st_stream(*ring, many());
		t_ok(lgn_board_sync(t_lg), "sync");
		st_check_all_came();
		lgn_ring_counts(*ring, &resent, &mended);
		printf("ring: rank %d: %llu ways mended, %llu records sent again\n",
		       t_lg->rank, (unsigned long long)mended,
		       (unsigned long long)resent);
		T_CHECK(is("break") || !mended, "a way broke");
		T_CHECK(!is("break") || mended || many() < 1000, "no way broke");
		lgn_ring_close(*ring);
		st_forget();
		again.record_bytes = 1000;
		t_ok(lgn_ring_open(t_lg, &again, ring), "open again");
		T_CHECK(lgn_ring_most(*ring) == 1000, "record_bytes");
	}
}

int main(int argc, char **argv)
{
	struct lagoon_attr job;
	struct lgn_ring *ring;

	mode = argc > 1 ? argv[1] : "stream";
	t_begin("ring", sizeof(struct shared));
	t_ok(lagoon_attr_init(&job), "attr_init");
	st_held = is("stall");
	job.timeout_s = st_held ? 1 : job.timeout_s;
	t_open(&job, is("delay") || is("break") ? open_on_delay : NULL);
	T_CHECK(t_lg->size <= ST_RANKS, "%d processes", t_lg->size);
	t_ok(lgn_ring_open(t_lg, &st_attr, &ring), "ring_open");
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
		streams(&ring);
	t_close();
	return 0;
}
