/* launch: -n 1 */
/* launch: -n 2 --nodes 1 */
/* launch: -n 2 --nodes 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arguments that are not legal: refused with a code and a sentence, nothing
 * written, nothing added, and everything works after.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/test.h"

enum { ROWS = 50, COLS = 3, SLOTS = 64, FAR = 20 };

static const double untouched = -12345;

struct tables {
	struct lagoon_table *fixed;	/* q64 */
	struct lagoon_table *narrow;	/* q32, float */
};

static void open_refuses(void)
{
	struct lagoon_attr bad[8], good;
	struct lagoon *lg = (struct lagoon *)&good;
	int n = 0;

	t_ok(lagoon_attr_init(&good), "attr_init");
	for (size_t i = 0; i < T_COUNT(bad); i++)
		bad[i] = good;
	bad[n++].size = 0;
	bad[n++].workers = -1;
	bad[n++].workers = 1 << 20;
	bad[n++].nodes = -1;
	bad[n++].on_death = 7;
	bad[n++].timeout_s = 0;
	bad[n++].timeout_s = -5;
	for (int i = 0; i < n; i++) {
		t_expect(lagoon_open(&bad[i], &lg), LAGOON_EINVAL, "bad attr");
		T_CHECK(lg == (struct lagoon *)&good, "open wrote its output");
	}
	setenv("LAGOON_SEED", "seven", 1);
	t_expect(lagoon_attr_init(&good), LAGOON_EINVAL, "LAGOON_SEED=seven");
	T_CHECK(strstr(lagoon_errmsg(), "LAGOON_SEED") &&
		strstr(lagoon_errmsg(), "seven"), "the message: %s",
		lagoon_errmsg());
	unsetenv("LAGOON_SEED");
}

static void texts(void)
{
	char buf[8], whole[65536];
	size_t len;

	for (int rc = LAGOON_EJOB; rc <= 0; rc++) {
		T_CHECK(lagoon_strerror(rc)[0], "no text for %d", rc);
		for (int other = rc + 1; other <= 0; other++)
			T_CHECK(strcmp(lagoon_strerror(rc),
				       lagoon_strerror(other)),
				"%d and %d have one text", rc, other);
	}
	T_CHECK(lagoon_strerror(-9999)[0] && lagoon_strerror(5)[0], "no text");
	T_CHECK(strchr(lagoon_version(), '.'), "version %s", lagoon_version());
	len = (size_t)lagoon_describe(t_lg, whole, sizeof(whole));
	T_CHECK(len > 0 && strlen(whole) == len, "describe: %zu", len);
	T_CHECK((size_t)lagoon_describe(t_lg, buf, sizeof(buf)) == len &&
		strlen(buf) == sizeof(buf) - 1, "describe into a short buffer");
	T_CHECK((size_t)lagoon_describe(t_lg, NULL, 0) == len,
		"describe into nothing");
}

static void handles(void)
{
	struct lagoon_worker *w = (struct lagoon_worker *)&w;
	struct lagoon_table *t = (struct lagoon_table *)&t;
	struct lagoon_stats st = { .size = 0 };
	int n = lagoon_local_workers(t_lg);

	t_expect(lagoon_worker(t_lg, n, &w), LAGOON_EINVAL, "worker n");
	t_expect(lagoon_worker(t_lg, -1, &w), LAGOON_EINVAL, "worker -1");
	T_CHECK(w == (struct lagoon_worker *)&w, "an output was written");
	t_expect(lagoon_table_attach(t_lg, "nowhere", &t), LAGOON_ENOENT, "attach");
	T_CHECK(t == (struct lagoon_table *)&t, "an output was written");
	t_ok(lagoon_table_attach(t_lg, "fixed", &t), "attach");
	t_expect(lagoon_table_stats(t, &st), LAGOON_EINVAL, "stats of size 0");
	T_CHECK(lagoon_waited_for(t_lg, -1) == 0 &&
		lagoon_waited_for(t_lg, lagoon_size(t_lg)) == 0, "waited_for");
}

static void rows_out_of_range(struct lagoon_worker *w, struct lagoon_table *t)
{
	static const uint64_t bad[][2] = {
		{ ROWS, 1 }, { 0, ROWS + 1 }, { ROWS - 1, 2 }, { UINT64_MAX, 1 },
		{ 1, UINT64_MAX }, { UINT64_MAX, UINT64_MAX }, { 7, UINT64_MAX - 6 },
	};
	uint64_t list[3] = { 0, ROWS, 1 };
	double buf[(ROWS + 1) * COLS];
	struct lagoon_request *req = (struct lagoon_request *)buf;

	for (size_t i = 0; i < T_COUNT(buf); i++)
		buf[i] = untouched;
	for (size_t i = 0; i < T_COUNT(bad); i++) {
		uint64_t row = bad[i][0], n = bad[i][1];

		t_expect(lagoon_pull(w, t, row, n, buf), LAGOON_EINVAL, "pull");
		t_expect(lagoon_add(w, t, row, n, buf), LAGOON_EINVAL, "add");
		t_expect(lagoon_pull_start(w, t, row, n, buf, &req),
			 LAGOON_EINVAL, "pull_start");
		t_expect(lagoon_add_start(w, t, row, n, buf, &req),
			 LAGOON_EINVAL, "add_start");
	}
	t_expect(lagoon_pull_rows(w, t, list, 3, buf), LAGOON_EINVAL, "pull_rows");
	T_CHECK(t_names(lagoon_errmsg(), "", ROWS), "the message names not the row: %s",
		lagoon_errmsg());
	t_expect(lagoon_add_rows(w, t, list, 3, buf), LAGOON_EINVAL, "add_rows");
	t_expect(lagoon_pull_rows_start(w, t, list, 3, buf, &req),
		 LAGOON_EINVAL, "pull_rows_start");
	t_expect(lagoon_add_rows_start(w, t, list, 3, buf, &req),
		 LAGOON_EINVAL, "add_rows_start");
	T_CHECK(req == (struct lagoon_request *)buf, "a request was written");
	for (size_t i = 0; i < T_COUNT(buf); i++)
		T_CHECK(buf[i] == untouched, "a failed pull wrote to out[%zu]", i);
	t_ok(lagoon_pull(w, t, 0, 0, buf), "a pull of nothing");
	t_ok(lagoon_add(w, t, ROWS, 0, buf), "an add of nothing at the end");
	t_ok(lagoon_pull_rows(w, t, NULL, 0, buf), "a list of nothing");
	T_CHECK(buf[0] == untouched, "a pull of nothing wrote");
	t_ok(lagoon_pull(w, t, 0, ROWS, buf), "pull");
	for (size_t i = 0; i < ROWS * COLS; i++)
		T_CHECK(buf[i] == 0, "a failed add added to element %zu", i);
}

/* The deltas before a bad one are added, it and those after are not. Each
 * worker on rows of its own. */
static void not_finite(struct lagoon_worker *w, struct lagoon_table *t)
{
	static const double bad[] = { NAN, INFINITY, -INFINITY };
	uint64_t row = FAR + 5 * (uint64_t)lagoon_worker_id(w);
	double in[2 * COLS], out[2 * COLS];

	for (size_t k = 0; k < T_COUNT(bad); k++) {
		for (size_t i = 0; i < T_COUNT(in); i++)
			in[i] = 1;
		in[4] = bad[k];
		t_expect(lagoon_add(w, t, row, 2, in), LAGOON_EINVAL, "add");
		T_CHECK(t_names(lagoon_errmsg(), "row ", (long)row + 1) &&
			t_names(lagoon_errmsg(), "column ", 1),
			"the message names not the place: %s", lagoon_errmsg());
		t_ok(lagoon_pull(w, t, row, 2, out), "pull");
		for (size_t i = 0; i < T_COUNT(out); i++)
			T_CHECK(out[i] == (i < 4 ? (double)(k + 1) : 0),
				"element %zu is %g after a bad delta", i, out[i]);
	}
}

static void floats(struct lagoon_worker *w, struct lagoon_table *t)
{
	float in = NAN, out;

	t_expect(lagoon_add(w, t, 0, 1, &in), LAGOON_EINVAL, "a float NaN");
	in = 1e30f;
	t_expect(lagoon_add(w, t, 0, 1, &in), LAGOON_ERANGE, "1e30 in q32");
	t_ok(lagoon_pull(w, t, 0, 1, &out), "pull");
	T_CHECK(out == 0, "a refused delta was added: %g", (double)out);
}

/* 64 in flight, not one more; room again after each completion. */
static void slots_run_out(struct lagoon_worker *w, struct lagoon_table *t)
{
	static _Thread_local double out[SLOTS][COLS];
	struct lagoon_request *req[SLOTS], *none = NULL;
	int done = 0;

	for (int i = 0; i < SLOTS; i++)
		t_ok(lagoon_pull_start(w, t, (uint64_t)i % ROWS, 1, out[i],
				       &req[i]), "pull_start");
	t_expect(lagoon_pull_start(w, t, 0, 1, out[0], &none), LAGOON_EAGAIN,
		 "one request too many");
	t_expect(lagoon_add_start(w, t, 0, 1, out[0], &none), LAGOON_EAGAIN,
		 "one add too many");
	T_CHECK(!none, "a request was written");
	t_ok(lagoon_wait(req[7]), "wait");
	t_ok(lagoon_pull_start(w, t, 0, 1, out[7], &req[7]), "room for one");
	t_expect(lagoon_pull_start(w, t, 0, 1, out[0], &none), LAGOON_EAGAIN,
		 "full again");
	t_ok(lagoon_pull(w, t, 0, 1, out[0]), "a blocking pull meanwhile");
	for (int i = 0; i < SLOTS; i += 2)
		t_ok(lagoon_wait(req[i]), "wait");
	for (int i = 1; i < SLOTS; i += 2)
		for (done = 0; !done;)
			t_ok(lagoon_test(req[i], &done), "test");
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct tables *all = arg;

	rows_out_of_range(w, all->fixed);
	t_ok(lagoon_barrier(w), "barrier");
	not_finite(w, all->fixed);
	floats(w, all->narrow);
	slots_run_out(w, all->fixed);
	t_ok(lagoon_clock(w), "clock after all that");
	return 0;
}

int main(void)
{
	struct lagoon_attr attr;
	struct lagoon_table_attr shape;
	struct tables all;

	open_refuses();
	t_begin("args", 1);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	t_open(&attr, NULL);
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.cols = COLS;
	t_ok(lagoon_table_create(t_lg, "fixed", &shape, &all.fixed), "create");
	shape.cols = 1;
	shape.format = LAGOON_Q32;
	shape.type = LAGOON_F32;
	t_ok(lagoon_table_create(t_lg, "narrow", &shape, &all.narrow), "create");
	texts();
	handles();
	t_ok(lagoon_run(t_lg, work, &all), "run");
	t_close();
	return 0;
}
