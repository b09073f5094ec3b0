/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers that tell each other bytes at meetings: each gets what each of the
 * others told at this meeting, however far ahead the fast ones are; and the
 * error of one is the error of all, without a hang.
 */
/* launch: -n 1 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 2 --nodes 2 */
/* launch: -n 4 --nodes 2 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kernels/solve/share.h"
#include "runtime/base/status.h"
#include "test/support/test.h"

enum { BYTES = 77, WORKERS = 2 };

enum how { ALL_WELL, COMES_WITH_ERROR, FAILS_BETWEEN, LEAVES };

struct scene {
	struct lgn_share share;
	enum how how;
	int model;
	uint64_t seed;
};

static unsigned char told(int worker, uint32_t meeting, size_t i)
{
	return (unsigned char)t_mix(worker * 1000 + meeting, i);
}

static void dawdle(struct t_rng *rng)
{
	struct timespec ts = { 0, (long)t_below(rng, 300000) };

	if (t_once_in(rng, 4))
		nanosleep(&ts, NULL);
}

static int meet(const struct scene *s, struct lagoon_worker *w, uint32_t *round,
		int status, unsigned char *all)
{
	unsigned char mine[BYTES];
	uint32_t meeting = *round + 1;

	for (size_t i = 0; i < BYTES; i++)
		mine[i] = told(lagoon_worker_id(w), meeting, i);
	return lgn_share_meet(&s->share, w, round, status, mine, all);
}

static int meetings(const struct scene *s, struct lagoon_worker *w, int n,
		    uint32_t *round)
{
	struct t_rng rng = { t_mix(s->seed, (uint64_t)lagoon_worker_id(w)) };
	unsigned char all[BYTES * 64];

	for (int m = 0; m < n; m++) {
		dawdle(&rng);
		t_ok(meet(s, w, round, 0, all), "meet");
		dawdle(&rng);
		for (int k = 0; k < s->share.workers; k++)
			for (size_t i = 0; i < BYTES; i++)
				T_CHECK(all[(size_t)k * BYTES + i] ==
					told(k, *round, i),
					"meeting %u: worker %d told other bytes",
					*round, k);
	}
	return 0;
}

/* The last worker is the one with the error. */
static int work(struct lagoon_worker *w, void *arg)
{
	const struct scene *s = arg;
	unsigned char all[BYTES * 64];
	int last = lagoon_worker_id(w) == s->share.workers - 1, rc = 0;
	uint32_t round = 0;

	meetings(s, w, 20, &round);
	if (s->how == ALL_WELL)
		return meetings(s, w, (int)t_scaled(200, 10), &round);
	if (last && s->how == LEAVES)
		return 0;
	if (last)
		rc = lgn_fail(LAGOON_ERANGE, "the value 4711 is bad");
	if (last && s->how == FAILS_BETWEEN) {
		lgn_share_fail(&s->share, w, round, rc);
		return rc;
	}
	return meet(s, w, &round, rc, all);
}

static void play(enum how how, int model, uint64_t seed)
{
	static const int want[] = { 0, LAGOON_ERANGE, LAGOON_ERANGE,
				    LAGOON_EJOB };
	struct scene s = { .how = how, .model = model, .seed = seed };
	int rc;

	t_ok(lgn_share_create(t_lg, "share", BYTES, model, &s.share), "create");
	rc = lagoon_run(t_lg, work, &s);
	T_CHECK(rc == want[how], "case %d model %d: %d, expected %d (%s)", how,
		model, rc, want[how], lagoon_errmsg());
	if (rc == LAGOON_ERANGE)
		T_CHECK(strstr(lagoon_errmsg(), "4711"), "the message is \"%s\"",
			lagoon_errmsg());
	lgn_share_destroy(&s.share);
}

/* As the first of a call: the share is gone after it, whatever came of it. */
static void play_first(enum how how, int want)
{
	struct scene s = { .how = how, .model = LAGOON_SSP, .seed = t_seed() };
	int first = lgn_share_first_worker(t_lg), rc;

	T_CHECK(first == lagoon_rank(t_lg) * WORKERS, "the first worker is %d",
		first);
	rc = lgn_share_run(t_lg, "share", BYTES, work, &s, &s.share);
	T_CHECK(rc == want, "case %d: %d, expected %d (%s)", how, rc, want,
		lagoon_errmsg());
	T_CHECK(!s.share.table, "case %d: its table is there still", how);
}

int main(void)
{
	static const int models[] = { LAGOON_SSP, LAGOON_BSP, LAGOON_ASP };
	struct lagoon_attr attr;

	t_begin("share", 0);
	t_ok(lagoon_attr_init(&attr), "attr");
	attr.workers = WORKERS;
	t_open(&attr, NULL);
	for (size_t m = 0; m < T_COUNT(models); m++)
		for (enum how how = ALL_WELL; how <= LEAVES; how++)
			play(how, models[m], t_seed() + m);
	play_first(COMES_WITH_ERROR, LAGOON_ERANGE);
	play_first(ALL_WELL, 0);
	t_close();
	return 0;
}
