/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <Random123/philox.h>

#include "runtime/base/status.h"
#include "runtime/core.h"
#include "runtime/table.h"

/* A number below n of 32 random bits. */
static int place_of(uint32_t bits, int n)
{
	return (int)((uint64_t)bits * (uint32_t)n >> 32);
}

int lgn_sample_draw(uint32_t seed, int worker, int64_t round, int n, int32_t k,
		    int *who)
{
	philox4x32_key_t key = { { seed ^ LGN_SAMPLE_SALT, (uint32_t)worker } };
	int others = n - 1;

	for (int i = 0; i < others; i++)
		who[i] = i + (i >= worker);
	if (k >= others)
		return others;
	for (int i = 0; i < k; i++) {
		philox4x32_ctr_t ctr = { { (uint32_t)i, 0, 0, (uint32_t)round } };
		int j = i + place_of(philox4x32_R(7, ctr, key).v[0], others - i);
		int swap = who[i];

		who[i] = who[j];
		who[j] = swap;
	}
	return k;
}

int lgn_sample_open(struct lagoon_table *t)
{
	size_t n = (size_t)t->lg->total_workers + 1;

	for (int i = 0; i < t->lg->local_workers; i++) {
		struct lgn_sample *s = &t->part[i].sample;

		if (s->who)
			continue;
		*s = (struct lgn_sample){ .round = -1 };
		s->who = calloc(n, sizeof(*s->who));
		if (!s->who)
			return lgn_fail(LAGOON_ENOMEM, "table %s: no memory for samples of %zu workers",
					t->name, n);
	}
	return 0;
}

void lgn_sample_close(struct lagoon_table *t)
{
	for (int i = 0; t->part && i < t->lg->local_workers; i++)
		free(t->part[i].sample.who);
}

/* The last rank whose first worker is not beyond this one: it has some. */
static int rank_of(const struct lagoon *lg, int worker)
{
	int low = 0, high = lg->size - 1;

	while (low < high) {
		int middle = (low + high + 1) / 2;

		if (lg->member[middle].first_worker <= worker)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static void draw(struct lagoon_worker *w, struct lagoon_table *t,
		 int64_t round, int32_t k, uint64_t epoch)
{
	struct lgn_sample *s = &t->part[w->index].sample;

	s->n = lgn_sample_draw(lgn_table_seed(t), w->id, round,
			       w->lg->total_workers, k, s->who);
	for (int i = 0; i < s->n; i++)
		s->who[i] = rank_of(w->lg, s->who[i]);
	s->k = k;
	s->round = round;
	s->epoch = epoch;
	s->floor = s->n ? 0 : LGN_CLOCK_LEFT;
	s->tick = 0;
}

bool lgn_sample_met(struct lagoon_worker *w, struct lagoon_table *t,
		    int64_t round, int64_t bound, uint64_t *tick)
{
	struct lgn_sample *s = &t->part[w->index].sample;
	int32_t k = atomic_load_explicit(&t->sample, memory_order_relaxed);
	uint64_t epoch = atomic_load(&w->lg->epoch);

	if (s->round != round || s->k != k || s->epoch != epoch)
		draw(w, t, round, k, epoch);
	if (s->floor < bound &&
	    bound > atomic_load_explicit(&w->lg->floor, memory_order_acquire))
		return false;
	if (!s->tick || s->bound < bound) {
		s->bound = bound;
		s->tick = atomic_fetch_add(&t->shared->tick, 1) + 1;
	}
	*tick = s->tick;
	return true;
}

int lgn_sample_look(struct lagoon_worker *w, struct lagoon_table *t)
{
	struct lgn_sample *s = &t->part[w->index].sample;
	int64_t min = LGN_CLOCK_LEFT;
	int slowest = -1;

	for (int i = 0; i < s->n; i++) {
		int rank = s->who[i];
		int64_t clock = (int64_t)w->view.clock[rank];

		if (!lgn_board_counts(&w->view, rank) || clock >= min)
			continue;
		min = clock;
		slowest = rank;
	}
	if (min > s->floor)
		s->floor = min;
	return slowest;
}
