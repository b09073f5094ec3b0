/* launch: -n 2 --nodes 2 -- put_table */
/* launch: -n 2 --nodes 2 -- get_beyond */
/* launch: -n 2 --nodes 2 -- add_beyond */
/* launch: -n 2 --nodes 2 -- add_directory */
/* launch: -n 2 --nodes 2 -- cas_clocks */
/* launch: -n 2 --nodes 2 -- put_states */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a region is not for, the device of its owner refuses: rank 1 asks for
 * it as raw requests with the keys that it has. Nothing of rank 0 is changed,
 * and the message names rank, device, operation, status and vendor code. A
 * parameter is never written from a distance. Over the RC wire; links to the
 * internals of liblagoon.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/core.h"
#include "test/support/test.h"

enum { OWNER = 0, ATTACKER = 1, ROWS = 500, COLS = 3, REGIONS = 5 };

struct attack {
	const char *name;
	enum lgn_op op;
	const char *text;		/* the operation, in the message */
};

static const struct attack attacks[] = {
	{ "put_table", LGN_PUT, "a WRITE failed" },
	{ "get_beyond", LGN_GET, "a READ failed" },
	{ "add_beyond", LGN_ADD, "a fetch-and-add failed" },
	{ "add_directory", LGN_ADD, "a fetch-and-add failed" },
	{ "cas_clocks", LGN_CAS, "a compare-and-swap failed" },
	{ "put_states", LGN_PUT, "a WRITE failed" },
};

static const struct attack *attack_find(const char *name)
{
	for (size_t i = 0; i < T_COUNT(attacks); i++)
		if (!strcmp(attacks[i].name, name))
			return &attacks[i];
	t_die("there is no attack \"%s\"", name);
}

static struct lgn_rmem *owners(struct lgn_rmem *mem, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (mem[i].peer == OWNER)
			return &mem[i];
	t_die("nothing of rank %d", OWNER);
}

/* Where the request goes. What is beyond a region the wire itself would not
 * ask for: it is told that the region is longer. */
static struct lgn_rmem target(const struct attack *a,
			      const struct lagoon_table *t, uint64_t *off)
{
	struct lgn_rmem mem = *owners(t->shard, t->layout.shards);

	*off = 16;
	if (strstr(a->name, "directory"))
		return *owners(t_lg->dir, (uint64_t)t_lg->homes);
	if (strstr(a->name, "clocks"))
		return t_lg->board.clocks;
	if (strstr(a->name, "states"))
		return t_lg->board.states;
	if (strstr(a->name, "beyond")) {
		*off = mem.len;
		mem.len += 4096;
	}
	return mem;
}

static void attack_run(const struct attack *a, const struct lagoon_table *t)
{
	const char *const said[] = {
		a->text, "rank 0", "device rxe", "remote access error (status 10",
		"vendor code 0x",
	};
	struct lgn_mem buf;
	struct lgn_rmem mem;
	struct lgn_wr wr = { .len = 8, .op = a->op, .operand = 0x5a5a };
	struct lgn_batch batch = { .wr = &wr, .n = 1 };
	uint64_t *local;
	int rc;

	t_ok(lgn_memory(t_lg, 8, LGN_ACC_LOCAL, &buf), "memory for a request");
	mem = target(a, t, &wr.off);
	wr.mem = &mem;
	wr.buf = &buf;
	wr.local = local = buf.addr;
	*local = 77;
	rc = lgn_wire_run(t_lg->wire, &batch, 30);
	T_CHECK(rc == LAGOON_EPEER, "%s: returned %d", a->name, rc);
	printf("refused: %s: %s\n", a->name, lagoon_errmsg());
	for (size_t i = 0; i < T_COUNT(said); i++)
		T_CHECK(strstr(lagoon_errmsg(), said[i]),
			"%s: \"%s\" does not say \"%s\"", a->name,
			lagoon_errmsg(), said[i]);
	T_CHECK(*local == 77, "%s: something came back", a->name);
}

/* All that peers have keys of. */
static int regions(const struct lagoon_table *t, struct lgn_mem list[REGIONS])
{
	const struct lgn_mem all[REGIONS] = {
		t->home, t_lg->dir_mem, t_lg->board.clocks_mem,
		t_lg->board.states_mem, t_lg->board.slots_mem,
	};

	memcpy(list, all, sizeof(all));
	return REGIONS;
}

static void is_unchanged(const struct lagoon_table *t, void *copy[REGIONS])
{
	struct lgn_mem list[REGIONS];
	int n = regions(t, list);

	for (int i = 0; i < n; i++) {
		T_CHECK(!memcmp(copy[i], list[i].addr, list[i].len),
			"region %d has changed", i);
		free(copy[i]);
	}
}

static void remember(const struct lagoon_table *t, void *copy[REGIONS])
{
	struct lgn_mem list[REGIONS];
	int n = regions(t, list);

	for (int i = 0; i < n; i++) {
		T_CHECK(list[i].len && list[i].addr, "region %d is empty", i);
		copy[i] = malloc(list[i].len);
		T_CHECK(copy[i], "no memory");
		memcpy(copy[i], list[i].addr, list[i].len);
	}
}

/* So that there is something to be changed. */
static int work(struct lagoon_worker *w, void *arg)
{
	static const int64_t row[COLS] = { 1, 2, 3 };

	for (uint64_t i = 0; i < ROWS; i++)
		t_ok(lagoon_add(w, arg, i, 1, row), "add");
	t_ok(lagoon_barrier(w), "barrier");
	return 0;
}

int main(int argc, char **argv)
{
	const struct attack *a = attack_find(argc > 1 ? argv[1] : "");
	struct lagoon_table_attr shape;
	struct lagoon_attr attr;
	struct lagoon_table *t;
	void *copy[REGIONS];
	bool owner;

	t_begin("refused", 1);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	t_open(&attr, NULL);
	owner = lagoon_rank(t_lg) == OWNER;
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.cols = COLS;
	shape.format = LAGOON_I64;
	t_ok(lagoon_table_create(t_lg, "guarded", &shape, &t), "create");
	t_ok(lagoon_run(t_lg, work, t), "run");
	t_sync();
	if (owner)
		remember(t, copy);
	t_sync();
	if (!owner)
		attack_run(a, t);
	t_sync();
	if (owner)
		is_unchanged(t, copy);
	t_sync();
	if (!owner)
		exit(0);	/* its way to the owner is broken */
	t_expect(lagoon_close(t_lg), LAGOON_EPEER, "close without the attacker");
	return 0;
}
