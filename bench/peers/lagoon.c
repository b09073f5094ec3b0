/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lagoon in the rows of peer.c: reals in a q64 table, dense adds in one of
 * doubles in apply mode; or with --integers both in an i64 table (neither
 * converted nor rounded). The process that is not the home of the tables
 * drives.
 */
#include <string.h>

#include "bench/peers/peer.h"
#include "runtime/lagoon.h"

static struct lagoon *lg;
static struct lagoon_worker *w;
static struct lagoon_table *ints, *reals, *dense;

static void must(int rc)
{
	if (rc)
		peer_die("%s: %s", lagoon_strerror(rc), lagoon_errmsg());
}

static int start(int argc, char **argv)
{
	struct lagoon_table_attr shape;

	peer.integers = argc > 1 && !strcmp(argv[1], "--integers");
	must(lagoon_open(NULL, &lg));
	if (lagoon_size(lg) != 2)
		peer_die("needs 2 processes, not %d", lagoon_size(lg));
	lagoon_table_attr_init(&shape);
	shape.rows = PEER_ROWS;
	shape.format = LAGOON_I64;
	must(lagoon_table_create(lg, "ints", &shape, &ints));
	shape.format = peer.integers ? LAGOON_I64 : LAGOON_Q64;
	must(lagoon_table_create(lg, "reals", &shape, &reals));
	shape.rows = PEER_DENSE;
	shape.format = LAGOON_FLOAT64;
	shape.push = LAGOON_PUSH_APPLY;
	dense = reals;
	if (!peer.integers)
		must(lagoon_table_create(lg, "dense", &shape, &dense));
	must(lagoon_worker(lg, 0, &w));
	return lagoon_rank(lg) == 0;
}

static void stop(void)
{
	must(lagoon_close(lg));
}

static int64_t get(const uint64_t *index, size_t n)
{
	int64_t x, sum = 0;

	for (size_t i = 0; i < n; i++) {
		must(lagoon_pull(w, ints, index[i], 1, &x));
		sum += x;
	}
	return sum;
}

static void add(const uint64_t *index, size_t n)
{
	static const int64_t one = 1;

	for (size_t i = 0; i < n; i++)
		must(lagoon_add(w, ints, index[i], 1, &one));
}

static void one_key(const uint64_t *index, size_t n)
{
	int64_t x = 0, delta;

	for (size_t i = 0; i < n; i++) {
		uint64_t row = index[i] + (x < 0);

		must(lagoon_pull(w, ints, row, 1, &x));
		delta = 1 + (x < 0);
		must(lagoon_add(w, ints, row, 1, &delta));
	}
}

static void sparse_get(const uint64_t *index, size_t n, void *out)
{
	must(lagoon_pull_rows(w, reals, index, n, out));
}

static void sparse_add(const uint64_t *index, size_t n, const void *delta)
{
	must(lagoon_add_rows(w, reals, index, n, delta));
}

static void dense_add(size_t n, const void *delta)
{
	must(lagoon_add(w, dense, 0, n, delta));
}

static void get_block(size_t n, void *out)
{
	must(lagoon_pull(w, reals, 0, n, out));
}

struct peer peer = {
	.name = "lagoon", .open = start, .close = stop,
	.get = get, .add = add, .one_key = one_key,
	.sparse_get = sparse_get, .sparse_add = sparse_add,
	.dense_add = dense_add, .get_block = get_block,
};
