/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job for checkpoint.sh: rounds of adds to a table of each format, a
 * checkpoint after some of them, and what the tables hold in the end.
 *
 *	saved [--workers LIST] [--pages N] [--exact] [--save DIR] [--every N]
 *	      [--stop CLOCK] [--resume DIR] [--dump FILE]
 *
 * The work of a round is cut into parts that are dealt to whatever workers
 * there are; with --exact no delta is rounded, so that the sums do not depend
 * on them. --stop: end after the checkpoint at that clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/test.h"

enum { TABLES = 4, ROUNDS = 12, PARTS = 6, STATE = 0x5a7e };

struct options {
	const char *workers, *save, *resume, *dump;
	int pages, exact, every, stop;
};

struct state {
	int64_t clock, mark;
};

static const struct {
	const char *name;
	uint64_t rows;
	uint32_t cols;
	int format, model;
} shape[TABLES] = {
	{ "q64", 1237, 3, LAGOON_Q64, LAGOON_BSP },
	{ "q32", 4001, 5, LAGOON_Q32, LAGOON_BSP },
	{ "i64", 90001, 1, LAGOON_I64, LAGOON_SSP },
	{ "i32", 331, 7, LAGOON_I32, LAGOON_ASP },
};

static struct options o = { .every = 1, .stop = -1 };
static struct lagoon_table *table[TABLES], *scratch;

static size_t elements(int i)
{
	return shape[i].rows * shape[i].cols;
}

static size_t bytes_of(int i)
{
	return elements(i) * (shape[i].format == LAGOON_I32 ? 4 : 8);
}

static void make_tables(void)
{
	struct lagoon_table_attr a;

	/* No checkpoint has it: as long as there are workers, and the first, so
	 * that tables that lagoon_restore() makes are not where they were. */
	lagoon_table_attr_init(&a);
	a.rows = (uint64_t)lagoon_workers(t_lg);
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
		t_ok(lagoon_table_create(t_lg, shape[i].name, &a, &table[i]), "create");
	}
}

/* A part of a round: some rows of each table. */
static void add_part(struct lagoon_worker *w, int i, int64_t round, int part)
{
	uint64_t n = shape[i].rows / PARTS, first = n * (uint64_t)part;
	size_t m = n * shape[i].cols;
	double *f = malloc(m * sizeof(*f));
	int64_t *l = malloc(m * sizeof(*l));
	int32_t *s = malloc(m * sizeof(*s));
	void *in = f;

	for (size_t k = 0; k < m; k++) {
		uint64_t r = t_mix((uint64_t)round * PARTS + (uint64_t)part,
				   k * TABLES + (uint64_t)i);

		l[k] = (int64_t)(r % 2001) - 1000;
		s[k] = (int32_t)l[k];
		f[k] = (double)l[k] / (o.exact ? 64 : 7e5);
	}
	if (shape[i].format == LAGOON_I64)
		in = l;
	if (shape[i].format == LAGOON_I32)
		in = s;
	t_ok(lagoon_add(w, table[i], first, n, in), "add");
	free(f);
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
	for (int64_t r = begin; r < ROUNDS; r++) {
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

static int64_t resume(void)
{
	struct state state = { 0 };
	size_t bytes = sizeof(state) + 5;
	struct { struct state s; char more[5]; } room;

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
