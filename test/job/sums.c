/* launch: -n 8 --nodes 2 */
/* launch: -n 2 --nodes 1 -- --workers 4 --model bsp */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I3 bit for bit: 8 workers make ten million signed adds (times the scale)
 * to tables of every format, with deltas that no format can hold exactly.
 * Here the integers are compared with what was added: exactly for i64 and
 * i32, within one unit an add for q64 and q32. The last line has a hash of
 * all of them, which test/job/sums.sh compares over runs and groupings.
 *
 *	sums [--workers A,B,...] [--model ssp|bsp|asp] [--adds N] [--rounds N]
 *
 * A round is one call a worker and table at least: a slow wire wants fewer.
 */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/element.h"
#include "test/support/test.h"

enum {
	WORKERS = 8,
	ROWS = 1031,
	COLS = 3,
	ELEMS = ROWS * COLS,
	LIST = 64,		/* rows of a call */
	CALL = LIST * COLS,	/* adds of a call */
	FLOAT_BITS = 9,		/* of fraction: sums stay below 2^24 units */
	ADDS = 10000000,
};

struct shared {
	int64_t lane[EL_PAIRS][ELEMS];
};

/* As el_pair[], but sums must be exact in float where that is the type. */
static struct el_kind kinds[EL_PAIRS];

/* One call: its rows and deltas, a function of seed, table, worker, round
 * and number only. */
struct call {
	uint64_t rows[LIST];
	double real[CALL];	/* the deltas before rounding */
	uint64_t buf[CALL];
};

struct sums {
	uint64_t seed;
	uint64_t calls;		/* of a worker in a round to a table */
	int rounds;
	struct lagoon_table *table[EL_PAIRS];
};

static bool is_fixed(const struct el_kind *kind)
{
	return kind->format <= LAGOON_Q32;
}

static void call_make(struct call *call, uint64_t seed, int table, int worker,
		      int round, uint64_t number)
{
	const struct el_kind *kind = &kinds[table];
	struct t_rng rng = { t_mix(t_mix(seed, (uint64_t)table * 64 +
					 (uint64_t)worker),
				   (uint64_t)round << 32 | number) };

	for (int i = 0; i < LIST; i++)
		call->rows[i] = t_below(&rng, ROWS);
	for (int i = 0; i < CALL; i++) {
		double x = ((double)(t_rand(&rng) >> 11) - 0x1p52) * 0x1p-52;

		if (!is_fixed(kind)) {
			call->real[i] = trunc(x * 1000);
			el_put(kind, call->buf, (size_t)i,
			       (int64_t)call->real[i]);
		} else if (kind->type == LAGOON_F32) {
			((float *)call->buf)[i] = (float)x;
			call->real[i] = (double)(float)x;
		} else {
			((double *)call->buf)[i] = x;
			call->real[i] = x;
		}
	}
}

/* Every worker makes the same calls however they are grouped. Pulls between
 * them keep pages going back and forth. */
static int work(struct lagoon_worker *w, void *arg)
{
	struct sums *sums = arg;
	struct call *call = malloc(sizeof(*call));
	int id = lagoon_worker_id(w);

	T_CHECK(call, "no memory");
	for (int round = 0; round < sums->rounds; round++) {
		for (int t = 0; t < EL_PAIRS; t++) {
			for (uint64_t n = 0; n < sums->calls; n++) {
				call_make(call, sums->seed, t, id, round, n);
				t_ok(lagoon_add_rows(w, sums->table[t],
						     call->rows, LIST,
						     call->buf), "add_rows");
			}
			t_ok(lagoon_pull_rows(w, sums->table[t], call->rows,
					      LIST, call->buf), "pull_rows");
		}
		t_ok(lagoon_clock(w), "clock");
	}
	t_ok(lagoon_barrier(w), "barrier");
	for (int t = 0; t < EL_PAIRS && id == 0; t++) {
		struct shared *shared = t_shared;
		static uint64_t buf[ELEMS];

		t_ok(lagoon_pull(w, sums->table[t], 0, ROWS, buf), "pull");
		for (size_t e = 0; e < ELEMS; e++)
			T_CHECK(el_get(&kinds[t], buf, e, &shared->lane[t][e]),
				"element %zu is no whole unit", e);
	}
	free(call);
	return 0;
}

/* Adds up table t again on plain memory. */
static void verify(const struct sums *sums, int t)
{
	static double real[ELEMS], least[ELEMS];	/* exact below 2^53 */
	static struct call call;
	const struct shared *shared = t_shared;
	const struct el_kind *kind = &kinds[t];
	double unit = ldexp(1, -kind->frac_bits);

	memset(real, 0, sizeof(real));
	memset(least, 0, sizeof(least));
	for (int id = 0; id < WORKERS; id++)
		for (int round = 0; round < sums->rounds; round++)
			for (uint64_t n = 0; n < sums->calls; n++) {
				call_make(&call, sums->seed, t, id, round, n);
				for (int i = 0; i < CALL; i++) {
					size_t e = call.rows[i / COLS] * COLS +
						   (size_t)(i % COLS);

					real[e] += call.real[i] / unit;
					least[e] += is_fixed(kind);
				}
			}
	for (size_t e = 0; e < ELEMS; e++) {
		double off = fabs((double)shared->lane[t][e] - real[e]);

		T_CHECK(off <= least[e], "%s type %d, element %zu: stored %" PRId64
			", added %.17g in %g calls", el_format_name(kind->format),
			kind->type, e, shared->lane[t][e], real[e], least[e]);
	}
}

static uint64_t hash(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = 0xcbf29ce484222325u;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3u;
	return h;
}

static void tables_make(struct sums *sums, int model)
{
	for (int t = 0; t < EL_PAIRS; t++) {
		struct lagoon_table_attr attr;
		char name[16];

		lagoon_table_attr_init(&attr);
		attr.rows = ROWS;
		attr.cols = COLS;
		kinds[t] = el_pair[t];
		if (is_fixed(&kinds[t]) && kinds[t].type == LAGOON_F32)
			kinds[t].frac_bits = FLOAT_BITS;
		attr.format = kinds[t].format;
		attr.type = kinds[t].type;
		attr.frac_bits = is_fixed(&kinds[t]) ? kinds[t].frac_bits : -1;
		attr.push = kinds[t].format >= LAGOON_FLOAT64 ?
			LAGOON_PUSH_APPLY : LAGOON_PUSH_ATOMIC;
		attr.model = model;
		attr.staleness = model == LAGOON_SSP ? 2 : 0;
		snprintf(name, sizeof(name), "sum%d", t);
		t_ok(lagoon_table_create(t_lg, name, &attr, &sums->table[t]),
		     name);
	}
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "workers", required_argument, NULL, 'w' },
		{ "model", required_argument, NULL, 'm' },
		{ "adds", required_argument, NULL, 'a' },
		{ "rounds", required_argument, NULL, 'r' },
		{ 0 },
	};
	int c, model = LAGOON_SSP;
	double adds = ADDS * t_scale();
	struct lagoon_attr attr;
	struct sums sums = { .rounds = 16 };
	uint64_t calls;		/* of all workers to all tables */

	t_begin("sums", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'w')
			attr.workers = t_workers(optarg);
		else if (c == 'm')
			model = *optarg == 'b' ? LAGOON_BSP :
				*optarg == 'a' ? LAGOON_ASP : LAGOON_SSP;
		else if (c == 'a')
			adds = strtod(optarg, NULL);
		else if (c == 'r')
			sums.rounds = atoi(optarg);
		else
			return 2;
	}
	t_open(&attr, NULL);
	T_CHECK(lagoon_workers(t_lg) == WORKERS, "needs %d workers", WORKERS);
	sums.seed = t_seed();
	T_CHECK(sums.rounds > 0, "--rounds must be positive");
	calls = (uint64_t)sums.rounds * WORKERS * EL_PAIRS;
	sums.calls = 1 + (uint64_t)(adds / CALL / (double)calls);
	tables_make(&sums, model);
	t_ok(lagoon_run(t_lg, work, &sums), "run");
	if (lagoon_rank(t_lg) == 0) {
		for (int t = 0; t < EL_PAIRS; t++)
			verify(&sums, t);
		printf("sums %016" PRIx64 " of %" PRIu64 " adds\n",
		       hash(t_shared, sizeof(struct shared)),
		       sums.calls * CALL * calls);
	}
	t_close();
	return 0;
}
