/* launch: -n 2 --nodes 1 -- ssp */
/* launch: -n 2 --nodes 2 -- ssp */
/* launch: -n 3 --nodes 3 -- asp */
/* launch: -n 4 --nodes 2 -- ssp */
/* launch: -n 1 -- bsp --workers 8 */
/* launch: -n 2 --nodes 2 -- bsp --workers 4 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the whole job: at most table bytes x (1 + 2 x caching nodes) + 64
 * MiB, when every process has touched all of the table. Under bsp the
 * workers' own buffers hold only the rows that they touch: eight of them on a
 * few rows do not make eight tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/test.h"

enum {
	COLS = 16,
	CHUNK = 1024,			/* rows of a call */
	FEW = 500,			/* rows of a bsp worker */
	MIB = 1024 * 1024,
	TABLE_MIB = 48,
	REST_MIB = 64,
	RANKS = 8,
};

struct shared {
	uint64_t grown[RANKS];		/* bytes */
};

struct work {
	struct lagoon_table *t;
	uint64_t rows;
	bool bsp;
};

/* The share of this process in all memory that it uses [bytes]. */
static uint64_t memory_now(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	unsigned long long kib = 0, n;
	char line[256];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Pss: %llu", &n) == 1)
			kib = n;
	fclose(f);
	return kib * 1024;
}

static void touch_all(struct lagoon_worker *w, const struct work *work)
{
	double *buf = calloc(CHUNK * COLS, sizeof(*buf));

	T_CHECK(buf, "no memory");
	for (uint64_t row = 0; row < work->rows; row += CHUNK)
		t_ok(lagoon_pull(w, work->t, row, CHUNK, buf), "pull");
	for (size_t i = 0; i < CHUNK * COLS; i++)
		buf[i] = 1;
	for (uint64_t row = 0; row < work->rows && !work->bsp; row += CHUNK)
		t_ok(lagoon_add(w, work->t, row, CHUNK, buf), "add");
	free(buf);
}

/* Some rows from one end of the table to the other, round after round. */
static void touch_few(struct lagoon_worker *w, const struct work *work)
{
	struct t_rng rng = { (uint64_t)lagoon_worker_id(w) };
	double one[COLS];
	uint64_t row;

	for (int i = 0; i < COLS; i++)
		one[i] = 1;
	for (int i = 0; i < FEW; i++) {
		row = t_below(&rng, work->rows);
		t_ok(lagoon_add_rows(w, work->t, &row, 1, one), "add_rows");
	}
}

static int run(struct lagoon_worker *w, void *arg)
{
	const struct work *work = arg;

	for (int round = 0; round < 3; round++) {
		if (work->bsp)
			touch_few(w, work);
		touch_all(w, work);
		t_ok(lagoon_clock(w), "clock");
	}
	return 0;
}

static int model_of(const char *name)
{
	return !strcmp(name, "bsp") ? LAGOON_BSP :
	       !strcmp(name, "asp") ? LAGOON_ASP : LAGOON_SSP;
}

static void verdict(uint64_t table_bytes)
{
	const struct shared *shared = t_shared;
	uint64_t caching = lagoon_nodes(t_lg) > 1 ? (uint64_t)lagoon_nodes(t_lg) : 0;
	uint64_t limit = table_bytes * (1 + 2 * caching) + REST_MIB * MIB;
	uint64_t used = 0;

	for (int r = 0; r < lagoon_size(t_lg); r++)
		used += shared->grown[r];
	printf("memory: table %.1f MiB, used %.1f MiB of %.1f MiB\n",
	       (double)table_bytes / MIB, (double)used / MIB,
	       (double)limit / MIB);
	T_CHECK(used <= limit, "%.1f MiB used, %.1f MiB allowed",
		(double)used / MIB, (double)limit / MIB);
	T_CHECK(used >= table_bytes, "%.1f MiB used: the table is not counted",
		(double)used / MIB);
}

int main(int argc, char **argv)
{
	const char *model = argc > 1 ? argv[1] : "ssp";
	struct shared *shared;
	struct lagoon_attr attr;
	struct lagoon_table_attr shape;
	struct work work;
	uint64_t before;

#ifdef __SANITIZE_THREAD__
	printf("ThreadSanitizer uses several bytes for each byte of the program\n");
	return T_SKIP;
#endif
	t_begin("memory", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 3 && !strcmp(argv[2], "--workers"))
		attr.workers = t_workers(argv[3]);
	before = memory_now();
	if (!before) {
		printf("no /proc/self/smaps_rollup\n");
		return T_SKIP;
	}
	t_open(&attr, NULL);
	T_CHECK(lagoon_size(t_lg) <= RANKS, "too many processes");
	shared = t_shared;
	lagoon_table_attr_init(&shape);
	work.rows = t_scaled(TABLE_MIB, 48) * MIB / 8 / COLS;
	work.bsp = model_of(model) == LAGOON_BSP;
	shape.rows = work.rows;
	shape.cols = COLS;
	shape.model = model_of(model);
	t_ok(lagoon_table_create(t_lg, "large", &shape, &work.t), "create");
	t_ok(lagoon_run(t_lg, run, &work), "run");
	t_sync();
	shared->grown[lagoon_rank(t_lg)] = memory_now() - before;
	t_sync();
	if (lagoon_rank(t_lg) == 0)
		verdict(work.rows * COLS * 8);
	t_sync();
	t_close();
	return 0;
}
