/* launch: -n 2 --nodes 2 -- get */
/* launch: -n 2 --nodes 2 -- add */
/* launch: -n 2 --nodes 1 -- any */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * I6, a device error: from some moment on requests of one process fail at the
 * wire. Its calls return the error with a message that names the rank that
 * could not be reached; nothing hangs, and what failed GETs would have
 * brought is not shown. Links to the internals of liblagoon.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core.h"
#include "test/support/test.h"
#include "test/wires/delay.h"

enum { FAILING = 1, GOOD_ROUNDS = 20, ROUNDS = 2000, ROWS = 200, COLS = 3 };

struct shared {
	_Atomic int others_done;
};

static bool is_failing;

static unsigned ops_of(const char *name)
{
	if (!strcmp(name, "get"))
		return 1u << LGN_GET;
	if (!strcmp(name, "add"))
		return 1u << LGN_ADD | 1u << LGN_CAS;
	return ~0u;
}

static int one_round(struct lagoon_worker *w, struct lagoon_table *t,
		     uint64_t row, const char **call)
{
	int64_t one[COLS] = { 1, 1, 1 }, buf[2 * COLS];
	int rc;

	*call = "add";
	rc = lagoon_add(w, t, row, 1, one);
	if (!rc) {
		*call = "pull";
		rc = lagoon_pull(w, t, row, 2, buf);
	}
	for (int i = 0; !rc && i < 2 * COLS; i++)
		T_CHECK(buf[i] >= 0 && buf[i] <= ROUNDS + GOOD_ROUNDS,
			"a pull shows %lld", (long long)buf[i]);
	if (!rc) {
		*call = "clock";
		rc = lagoon_clock(w);
	}
	return rc;
}

static int work(struct lagoon_worker *w, void *arg)
{
	struct lagoon_table *t = arg;
	struct t_rng rng = { (uint64_t)lagoon_rank(t_lg) };
	const char *call;
	int rc = 0;

	for (int r = 0; r < GOOD_ROUNDS; r++) {
		rc = one_round(w, t, t_below(&rng, ROWS - 1), &call);
		t_ok(rc, call);
	}
	if (!is_failing)
		return 0;
	/* Who shares deltas with it cannot go on without it. */
	if (lagoon_nodes(t_lg) == 1)
		t_await(&((struct shared *)t_shared)->others_done, 1);
	delay_fail_after(0);
	for (int r = 0; !rc && r < ROUNDS; r++)
		rc = one_round(w, t, t_below(&rng, ROWS - 1), &call);
	T_CHECK(rc == LAGOON_EIO, "%s returned %d, not the error of the wire",
		call, rc);
	T_CHECK(strstr(lagoon_errmsg(), "rank "),
		"%s: the message names no rank: \"%s\"", call, lagoon_errmsg());
	return rc;
}

static int open_on_delay(const struct lagoon_attr *attr, struct lagoon **lg)
{
	return lgn_open_on(attr, &lgn_wire_delay, lg);
}

int main(int argc, char **argv)
{
	struct delay_config config = {
		.hold = 2, .again = 3, .linger = 20, .fail = 4, .fail_status = LAGOON_EIO,
	};
	struct lagoon_table_attr shape;
	struct lagoon_attr attr;
	struct lagoon_table *t;
	int rc;

	t_begin("wire_error", sizeof(struct shared));
	config.fail_ops = ops_of(argc > 1 ? argv[1] : "any");
	delay_configure(&config);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	t_open(&attr, open_on_delay);
	is_failing = lagoon_rank(t_lg) == FAILING;
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.cols = COLS;
	shape.format = LAGOON_I64;
	shape.model = LAGOON_ASP;
	t_ok(lagoon_table_create(t_lg, "reached", &shape, &t), "create");
	t_sync();
	rc = lagoon_run(t_lg, work, t);
	T_CHECK(rc == (is_failing ? LAGOON_EIO : 0), "run returned %d: %s", rc,
		lagoon_errmsg());
	if (!is_failing)
		atomic_store(&((struct shared *)t_shared)->others_done, 1);
	t_sync();
	if (is_failing)
		exit(0);	/* it cannot take leave of the others any more */
	rc = lagoon_close(t_lg);
	t_expect(rc, LAGOON_EPEER, "close without the one that failed");
	return 0;
}
