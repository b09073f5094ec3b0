/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "runtime/base/status.h"
#include "test/support/streams.h"

enum {
	WORDS = 500,		/* of a record, and a few are as large as may be */
	REFUSED = 37,		/* one record in so many */
	WAITS = 50,		/* the same: is waited for */
};

struct record {
	uint64_t index;		/* of those to this home, from 0 */
	uint64_t seed;
	uint64_t word[];
};

bool st_held;
static _Atomic uint64_t expected[ST_RANKS];	/* applier: of each sender */
static uint64_t refused[ST_RANKS];		/* sender: of each home, that it knows */

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
	struct st_shared *shared = t_shared;
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
	while (st_held && !atomic_load(&shared->release))
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

int st_send(struct lgn_ring *ring, int home, uint64_t index, struct t_rng *rng,
	    bool *is_bad)
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

void st_stream(struct lgn_ring *ring, uint64_t records)
{
	struct st_shared *shared = t_shared;
	uint64_t sent[ST_RANKS] = { 0 }, bad[ST_RANKS] = { 0 }, told[ST_RANKS] = { 0 };
	struct t_rng rng = { t_mix(t_seed(), (uint64_t)t_lg->rank) };
	uint64_t all_bad = 0, all_told = 0;

	for (uint64_t i = 0; i < records; i++) {
		int home = (int)t_below(&rng, (uint64_t)t_lg->homes);
		bool is_bad;

		t_ok(st_send(ring, home, sent[home], &rng, &is_bad), "send");
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

void st_check_all_came(void)
{
	const struct st_shared *shared = t_shared;

	for (int h = 0; h < t_lg->homes; h++)
		for (int i = 0; t_lg->home_rank[h] == t_lg->rank && i < t_lg->size; i++)
			T_CHECK(expected[i] == atomic_load(&shared->sent[i][h]),
				"%llu records of rank %d came, of %llu",
				(unsigned long long)expected[i], i,
				(unsigned long long)atomic_load(&shared->sent[i][h]));
}

void st_forget(void)
{
	for (int i = 0; i < ST_RANKS; i++)
		atomic_store(&expected[i], 0);
	memset(refused, 0, sizeof(refused));
}

const struct lgn_ring_attr st_attr = { .apply = apply, .failed = failed };
