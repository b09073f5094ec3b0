/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job for checkpoint.sh and others: rounds of adds to a table of each format
 * and of several update functions, a checkpoint after some of them, and what
 * the tables hold in the end.
 *
 *	saved [--workers LIST] [--pages N] [--exact] [--save DIR] [--every N]
 *	      [--rounds N] [--stop CLOCK] [--resume DIR] [--dump FILE]
 *	      [--adam UPDATE]
 *
 * The work of a round is cut into parts that are dealt to whatever workers
 * there are; with --exact no delta is rounded, so that the sums do not depend
 * on them. Neither does what update functions make of it: a row is one part's,
 * and gets its deltas one by one, round after round. --stop: end after the
 * checkpoint at that clock. --adam: another function than that of table f64.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/test.h"

enum { TABLES = 8, PARTS = 6, STATE = 0x5a7e };

struct options {
	const char *workers, *save, *resume, *dump, *adam;
	int pages, exact, every, stop, rounds;
};

struct state {
	int64_t clock, mark;
};

static const struct {
	const char *name;
	uint64_t rows;
	uint32_t cols;
	int format, model;
	const char *update;
} shape[TABLES] = {
	{ "q64", 1237, 3, LAGOON_Q64, LAGOON_BSP },
	{ "q32", 4001, 5, LAGOON_Q32, LAGOON_BSP },
	{ "i64", 90001, 1, LAGOON_I64, LAGOON_SSP },
	{ "i32", 331, 7, LAGOON_I32, LAGOON_ASP },
	{ "f64", 2203, 3, LAGOON_FLOAT64, LAGOON_BSP, "adam,rate=0.01" },
	{ "f32", 1201, 5, LAGOON_FLOAT32, LAGOON_BSP, "momentum,rate=0.1" },
	{ "ssp", 937, 1, LAGOON_FLOAT64, LAGOON_SSP, "ftrl,alpha=0.1,l1=0.01,combine=none" },
	{ "asp", 613, 7, LAGOON_FLOAT32, LAGOON_ASP, "adagrad,rate=0.1,initial=0.3,combine=none" },
};

static struct options o = { .every = 1, .stop = -1, .rounds = 12 };
static struct lagoon_table *table[TABLES], *scratch;

static size_t elements(int i)
{
	return shape[i].rows * shape[i].cols;
}

static size_t bytes_of(int i)
{
	return elements(i) * (shape[i].format == LAGOON_I32 ||
			      shape[i].format == LAGOON_FLOAT32 ? 4 : 8);
}

static void make_tables(void)
{
	struct lagoon_table_attr a;

	/* No checkpoint has it: as long as there are workers, and the first, so
	 * that tables that lagoon_restore() makes are not where they were. */
	lagoon_table_attr_init(&a);
	a.rows = (uint64_t)lagoon_workers(t_lg);
	a.model = LAGOON_BSP;
	t_ok(lagoon_table_create(t_lg, "scratch", &a, &scratch), "create");
	t_ok(lagoon_table_set_saved(scratch, 0), "set_saved");
	for (int i = 0; i < TABLES; i++) {
		lagoon_table_attr_init(&a);
		a.rows = shape[i].rows;
		a.cols = shape[i].cols;
		a.format = shape[i].format;
		a.model = shape[i].model;
		a.page_rows = (uint32_t)o.pages;
		if (a.format == LAGOON_I32)
			a.type = LAGOON_INT32;
		a.push = shape[i].update ? LAGOON_PUSH_APPLY : LAGOON_PUSH_ATOMIC;
		a.update = o.adam && a.format == LAGOON_FLOAT64 &&
			a.model == LAGOON_BSP ? o.adam : shape[i].update;
		t_ok(lagoon_table_create(t_lg, shape[i].name, &a, &table[i]), "create");
	}
}

/* A part of a round: some rows of each table. */
static void add_part(struct lagoon_worker *w, int i, int64_t round, int part)
{
	uint64_t n = shape[i].rows / PARTS, first = n * (uint64_t)part;
	size_t m = n * shape[i].cols;
	double *f = malloc(m * sizeof(*f));
	float *r = malloc(m * sizeof(*r));
	int64_t *l = malloc(m * sizeof(*l));
	int32_t *s = malloc(m * sizeof(*s));
	void *in = f;

	for (size_t k = 0; k < m; k++) {
		uint64_t x = t_mix((uint64_t)round * PARTS + (uint64_t)part,
				   k * TABLES + (uint64_t)i);

		l[k] = (int64_t)(x % 2001) - 1000;
		s[k] = (int32_t)l[k];
		f[k] = (double)l[k] / (o.exact ? 64 : 7e5);
		r[k] = (float)f[k];
	}
	if (shape[i].format == LAGOON_I64)
		in = l;
	if (shape[i].format == LAGOON_I32)
		in = s;
	if (shape[i].format == LAGOON_FLOAT32)
		in = r;
	t_ok(lagoon_add(w, table[i], first, n, in), "add");
	free(f);
	free(r);
	free(l);
	free(s);
}

static void one_round(struct lagoon_worker *w, int64_t round)
{
	int n = lagoon_workers(t_lg);

	for (int i = 0; i < TABLES; i++)
		for (int part = lagoon_worker_id(w); part < PARTS; part += n)
			add_part(w, i, round, part);
	t_ok(lagoon_clock(w), "clock");
}

static void dump(struct lagoon_worker *w)
{
	FILE *out = fopen(o.dump, "w");

	T_CHECK(out, "%s: cannot write", o.dump);
	for (int i = 0; i < TABLES; i++) {
		char *buf = malloc(bytes_of(i));

		t_ok(lagoon_pull(w, table[i], 0, shape[i].rows, buf), "pull");
		fwrite(buf, 1, bytes_of(i), out);
		free(buf);
	}
	T_CHECK(!fclose(out), "%s: cannot write", o.dump);
}

static int work(struct lagoon_worker *w, void *arg)
{
	int64_t begin = *(int64_t *)arg;

	T_CHECK(lagoon_worker_clock(w) == begin, "it begins at clock %lld, not %lld",
		(long long)lagoon_worker_clock(w), (long long)begin);
	for (int64_t r = begin; r < o.rounds; r++) {
		struct state state = { .clock = r + 1, .mark = STATE };

		one_round(w, r);
		if (o.save && (r + 1) % o.every == 0)
			t_ok(lagoon_checkpoint(w, o.save, &state, sizeof(state)),
			     "checkpoint");
		if (r + 1 == o.stop)
			return 0;
	}
	t_ok(lagoon_barrier(w), "barrier");
	if (o.dump && !lagoon_worker_id(w))
		dump(w);
	return 0;
}

/* What is added before and not sent is dropped. */
static void add_in_vain(void)
{
	const double one = 1;
	struct lagoon_worker *w;

	for (int k = 0; k < lagoon_local_workers(t_lg); k++) {
		t_ok(lagoon_worker(t_lg, k, &w), "worker");
		for (int i = 0; i < TABLES; i++)
			add_part(w, i, 0, lagoon_worker_id(w) % PARTS);
		t_ok(lagoon_add(w, scratch, (uint64_t)lagoon_worker_id(w), 1,
				&one), "add");
	}
}

static int64_t resume(void)
{
	struct state state = { 0 };
	size_t bytes = sizeof(state) + 5;
	struct { struct state s; char more[5]; } room;

	if (o.pages)
		add_in_vain();
	t_ok(lagoon_restore(t_lg, o.resume, &room, &bytes), "restore");
	memcpy(&state, &room, sizeof(state));
	T_CHECK(bytes == sizeof(state) && state.mark == STATE, "the state is lost");
	for (int i = 0; i < TABLES; i++)
		t_ok(lagoon_table_attach(t_lg, shape[i].name, &table[i]), "attach");
	return state.clock;
}

static void read_options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--exact")) {
			o.exact = 1;
			continue;
		}
		if (!strcmp(argv[i], "--workers")) o.workers = value;
		else if (!strcmp(argv[i], "--pages")) o.pages = atoi(value);
		else if (!strcmp(argv[i], "--save")) o.save = value;
		else if (!strcmp(argv[i], "--every")) o.every = atoi(value);
		else if (!strcmp(argv[i], "--adam")) o.adam = value;
		else if (!strcmp(argv[i], "--rounds")) o.rounds = atoi(value);
		else if (!strcmp(argv[i], "--stop")) o.stop = atoi(value);
		else if (!strcmp(argv[i], "--resume")) o.resume = value;
		else if (!strcmp(argv[i], "--dump")) o.dump = value;
		else t_die("%s: no such option", argv[i]);
		i++;
	}
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;
	int64_t begin = 0;

	read_options(argc, argv);
	t_begin("saved", 8);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (o.workers)
		attr.workers = t_workers(o.workers);
	t_open(&attr, NULL);
	/* Odd page sizes: filled. Otherwise: made by lagoon_restore(). */
	if (!o.resume || o.pages)
		make_tables();
	if (o.resume)
		begin = resume();
	t_ok(lagoon_run(t_lg, work, &begin), "run");
	t_close();
	return 0;
}
