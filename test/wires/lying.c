/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "runtime/core.h"
#include "test/wires/lying.h"

enum { MOST = 256, KEPT = 1 << 16 };

static struct lgn_wire_ops ops;
static _Atomic int telling;
static _Atomic uint32_t of_bytes;
static _Atomic unsigned left;
static char first[KEPT], nowhere[KEPT];
static uint32_t first_len;

void lying_begin(enum lie lie, uint32_t bytes, unsigned times)
{
	atomic_store(&of_bytes, bytes);
	atomic_store(&left, times);
	atomic_store(&telling, (int)lie);
}

static bool once_more(void)
{
	unsigned n = atomic_load(&left);

	while (n && !atomic_compare_exchange_weak(&left, &n, n - 1))
		;
	return n;
}

static bool lies_about(const struct lgn_wr *wr, uint32_t i)
{
	switch ((enum lie)atomic_load(&telling)) {
	case LIE_DROP:
	case LIE_TWICE:
		return wr->op == LGN_ADD && once_more();
	case LIE_STALE:
	case LIE_OLD:
		return wr->op == LGN_GET && wr->len == of_bytes && once_more();
	case LIE_CLOCKS:
		return wr->op == LGN_GET && wr->len == of_bytes && !i &&
			wr->mem->peer == 0 && once_more();
	default:
		return false;
	}
}

/* Before the wire does it. */
static void bend(struct lgn_wr *wr)
{
	switch ((enum lie)atomic_load(&telling)) {
	case LIE_DROP:
		wr->op = LGN_GET;
		break;
	case LIE_STALE:
		wr->local = (uint64_t *)nowhere;
		break;
	default:
		break;
	}
}

static void after(struct lgn_wire *wire, const struct lgn_wr *wr)
{
	struct lgn_wr again = *wr;
	struct lgn_batch batch = { .wr = &again, .n = 1 };
	uint64_t old;

	switch ((enum lie)atomic_load(&telling)) {
	case LIE_TWICE:
		again.local = &old;
		lgn_wire_shm.post(wire, &batch);
		break;
	case LIE_OLD:
		memcpy(wr->local, first, wr->len);
		break;
	case LIE_CLOCKS:
		for (uint32_t i = 0; i < wr->len / 8; i++)
			wr->local[i] = (uint64_t)LGN_CLOCK_LEFT;
		break;
	default:
		break;
	}
}

static void keep(const struct lgn_wr *wr)
{
	if (wr->op != LGN_GET || wr->len != of_bytes || first_len ||
	    wr->len > KEPT)
		return;
	memcpy(first, wr->local, wr->len);
	first_len = wr->len;
}

/* The wire below does everything at once, so what it is given may be bent. */
static int lying_post(struct lgn_wire *wire, struct lgn_batch *batch)
{
	struct lgn_wr bent[MOST], *own = batch->wr;
	uint32_t n = batch->n;
	bool lied[MOST];
	int rc;

	for (uint32_t i = 0; i < n; i++) {
		bent[i] = own[i];
		lied[i] = lies_about(&own[i], i);
		if (lied[i])
			bend(&bent[i]);
	}
	batch->wr = bent;
	rc = lgn_wire_shm.post(wire, batch);
	batch->wr = own;
	for (uint32_t i = 0; i < n; i++) {
		keep(&own[i]);
		if (lied[i])
			after(wire, &own[i]);
	}
	return rc;
}

static int lying_open(const struct lgn_wire_near *near,
		      struct lgn_wire_addr *mine, struct lgn_wire **wire)
{
	int rc = lgn_wire_shm.open(near, mine, wire);

	if (rc)
		return rc;
	(*wire)->ops = &ops;
	if ((*wire)->max_batch > MOST)
		(*wire)->max_batch = MOST;
	return 0;
}

const struct lgn_wire_ops *lying_wire(void)
{
	ops = lgn_wire_shm;
	ops.name = "lying";
	ops.open = lying_open;
	ops.post = lying_post;
	return &ops;
}
