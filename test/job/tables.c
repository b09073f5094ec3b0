/* launch: -n 1 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 4 --nodes 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables: made and found by name; refused in every process alike when the
 * processes do not agree, when the name is taken or the shape is not legal;
 * attributes, bounds, many tables, destroying and making again; homes of rows.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test/support/test.h"

enum { ROWS = 100, MANY = 20, SAME_NAME = 3 };

static struct lagoon_table_attr shape(uint64_t rows, uint32_t cols, int format)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = rows;
	attr.cols = cols;
	attr.format = format;
	return attr;
}

static int create(const char *name, struct lagoon_table_attr attr)
{
	struct lagoon_table *untouched = (struct lagoon_table *)&attr;
	struct lagoon_table *t = untouched, *found;
	int rc = lagoon_table_create(t_lg, name, &attr, &t);

	if (rc) {
		T_CHECK(t == untouched, "a failed create wrote its output");
		return rc;
	}
	t_ok(lagoon_table_attach(t_lg, name, &found), "attach");
	T_CHECK(found == t, "attach found another table than create made");
	return 0;
}

static void destroy(const char *name)
{
	struct lagoon_table *t;

	t_ok(lagoon_table_attach(t_lg, name, &t), "attach");
	t_ok(lagoon_table_destroy(t), "destroy");
	t_expect(lagoon_table_attach(t_lg, name, &t), LAGOON_ENOENT,
		 "attach to a table that is gone");
}

/* Rank `odd` asks for something else, in each way in turn. */
static void processes_disagree(int odd)
{
	struct lagoon_table_attr mine[SAME_NAME + 6];
	bool other = lagoon_rank(t_lg) == odd;

	if (lagoon_size(t_lg) == 1)
		return;
	for (size_t i = 0; i < T_COUNT(mine); i++) {
		mine[i] = shape(ROWS, 3, LAGOON_Q64);
		mine[i].rows += other && i == 0;
		mine[i].cols += other && i == 1;
		mine[i].format = other && i == 2 ? LAGOON_Q32 : LAGOON_Q64;
		mine[i].type = other && i == 3 ? LAGOON_F32 : LAGOON_F64;
		mine[i].frac_bits = other && i == 4 ? 7 : 8;
		mine[i].model = other && i == 5 ? LAGOON_BSP : LAGOON_SSP;
		mine[i].staleness = other && i == 6 ? 5 : 0;
		mine[i].page_rows = other && i == 7 ? 4 : 16;
		t_expect(create(other && i == 8 ? "mine" : "common", mine[i]),
			 LAGOON_EINVAL, "processes that do not agree");
	}
	t_ok(create("common", shape(ROWS, 3, LAGOON_Q64)), "then they agree");
	destroy("common");
}

/* A shape that is not legal, in one process only: all refuse. */
static void one_is_wrong(int odd)
{
	struct lagoon_table_attr attr = shape(ROWS, 3, LAGOON_Q64);

	if (lagoon_rank(t_lg) == odd)
		attr.rows = 0;
	t_expect(create("wrong", attr), LAGOON_EINVAL, "rows 0 in one process");
	t_ok(create("wrong", shape(ROWS, 3, LAGOON_Q64)), "after that");
	destroy("wrong");
}

static void names_are_taken(void)
{
	t_ok(create("taken", shape(ROWS, 3, LAGOON_Q64)), "create");
	t_expect(create("taken", shape(ROWS, 4, LAGOON_Q64)), LAGOON_EEXIST,
		 "the name with another shape");
	t_expect(create("taken", shape(ROWS, 3, LAGOON_Q64)), LAGOON_EEXIST,
		 "the name with the same shape");
	destroy("taken");
	t_ok(create("taken", shape(7, 4, LAGOON_I32)), "the name again");
	destroy("taken");
}

/* Each is refused with a message, by every process. */
static void illegal_shapes(void)
{
	struct lagoon_table_attr bad[16], good = shape(ROWS, 3, LAGOON_Q64);
	char name[LAGOON_NAME_MAX + 2];
	int n = 0;

	for (size_t i = 0; i < T_COUNT(bad); i++)
		bad[i] = good;
	bad[n++].rows = 0;
	bad[n++].cols = 0;
	bad[n++].format = 17;
	bad[n++].format = -1;
	bad[n++].type = LAGOON_INT64;		/* of a q64 table */
	bad[n++].type = 9;
	bad[n++].frac_bits = 63;
	bad[n++].frac_bits = -2;
	bad[n++].model = LAGOON_VAP + 1;
	bad[n++].model = -1;
	bad[n++].staleness = -1;
	bad[n++].size = 0;
	bad[n].format = LAGOON_I64;
	bad[n++].type = LAGOON_F64;
	bad[n].format = LAGOON_I64;
	bad[n++].type = LAGOON_INT32;
	bad[n].format = LAGOON_I32;
	bad[n++].frac_bits = 3;
	bad[n].rows = UINT64_MAX / 2;
	bad[n++].cols = UINT32_MAX;
	for (int i = 0; i < n; i++)
		t_expect(create("bad", bad[i]), LAGOON_EINVAL, "a bad shape");
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	t_expect(create(name, good), LAGOON_EINVAL, "a name that is too long");
	t_expect(create("", good), LAGOON_EINVAL, "an empty name");
	name[sizeof(name) - 2] = 0;
	t_ok(create(name, good), "the longest name");
	destroy(name);
	t_expect(create("huge", shape(UINT64_C(1) << 38, 1, LAGOON_Q64)),
		 LAGOON_ENOMEM, "memory that is not there");
	t_ok(create("bad", good), "after all that");
	destroy("bad");
}

static void attributes_come_back(void)
{
	struct lagoon_table_attr want = shape(ROWS, 5, LAGOON_Q32), got;
	struct lagoon_table *t;

	want.staleness = 3;
	t_ok(create("shaped", want), "create");
	t_ok(lagoon_table_attach(t_lg, "shaped", &t), "attach");
	lagoon_table_attr_init(&got);
	t_ok(lagoon_table_get_attr(t, &got), "get_attr");
	T_CHECK(got.rows == ROWS && got.cols == 5 && got.format == LAGOON_Q32 &&
		got.type == LAGOON_F64 && got.frac_bits == 20 &&
		got.model == LAGOON_SSP && got.staleness == 3 &&
		got.page_rows > 0, "get_attr gives another shape");
	got.size = 0;
	t_expect(lagoon_table_get_attr(t, &got), LAGOON_EINVAL, "size 0");
	T_CHECK(lagoon_table_staleness(t) == 3, "staleness");
	t_ok(lagoon_table_set_staleness(t, 0), "set_staleness");
	T_CHECK(lagoon_table_staleness(t) == 0, "staleness after set");
	t_expect(lagoon_table_set_staleness(t, -1), LAGOON_EINVAL, "set -1");
	T_CHECK(lagoon_table_staleness(t) == 0, "staleness after a bad set");
	t_ok(lagoon_table_destroy(t), "destroy");
}

/* Models without a bound of their own. */
static void bounds_of_models(void)
{
	static const int models[] = { LAGOON_BSP, LAGOON_ASP };
	static const int32_t bounds[] = { 0, LAGOON_UNBOUNDED };

	for (size_t i = 0; i < T_COUNT(models); i++) {
		struct lagoon_table_attr attr = shape(ROWS, 1, LAGOON_I64);
		struct lagoon_table *t;

		attr.model = models[i];
		t_ok(lagoon_table_create(t_lg, "model", &attr, &t), "create");
		T_CHECK(lagoon_table_staleness(t) == bounds[i], "staleness");
		t_expect(lagoon_table_set_staleness(t, 1), LAGOON_ENOTSUP, "set");
		t_ok(lagoon_table_destroy(t), "destroy");
	}
}

/* Until the directory is full; then room again. */
static void many_tables(void)
{
	char name[32];
	int n = 0, rc = 0;

	for (; n < 5000 && !rc; n += !rc) {
		snprintf(name, sizeof(name), "table%d", n);
		rc = create(name, shape(10, 1, LAGOON_I32));
	}
	if (rc)
		t_expect(rc, LAGOON_EAGAIN, "a full directory");
	T_CHECK(n >= MANY, "%d tables only", n);
	while (n--) {
		snprintf(name, sizeof(name), "table%d", n);
		destroy(name);
	}
	t_ok(create("one more", shape(10, 1, LAGOON_I32)), "room again");
	destroy("one more");
}

/* Many small pages: every node has a share of them. */
static void rows_have_homes(void)
{
	struct lagoon_table_attr attr = shape(1000, 1, LAGOON_I64);
	bool seen[64] = { false };
	struct lagoon_table *t;
	int homes = 0;

	attr.page_rows = 4;
	t_ok(lagoon_table_create(t_lg, "homes", &attr, &t), "create");
	for (uint64_t row = 0; row < attr.rows; row++) {
		int home = lagoon_table_home(t, row);

		T_CHECK(home >= 0 && home < lagoon_size(t_lg), "home %d", home);
		T_CHECK(row % 4 == 0 || home == lagoon_table_home(t, row - 1),
			"row %d and the one before are of one page",
			(int)row);
		homes += !seen[home];
		seen[home] = true;
	}
	T_CHECK(homes >= lagoon_nodes(t_lg), "%d homes", homes);
	t_expect(lagoon_table_home(t, attr.rows), LAGOON_EINVAL, "no such row");
	t_expect(lagoon_table_home(t, UINT64_MAX), LAGOON_EINVAL, "no such row");
	t_ok(lagoon_table_destroy(t), "destroy");
}

int main(void)
{
	struct lagoon_attr attr;

	t_begin("tables", 1);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	t_open(&attr, NULL);
	for (int odd = 0; odd < lagoon_size(t_lg); odd++) {
		processes_disagree(odd);
		one_is_wrong(odd);
	}
	names_are_taken();
	illegal_shapes();
	attributes_come_back();
	bounds_of_models();
	many_tables();
	rows_have_homes();
	t_close();
	return 0;
}
