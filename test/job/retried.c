/* launch: -n 2 --nodes 2 -- delay */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a page has one operation in flight (runtime/page.h). Rank 1 is the only
 * one that adds to a word of rank 0, so it knows what a READ of it must show.
 * It posts the READ, then an add, and does not wait between: a queue pair
 * executes in that order, so whoever trusts it takes the READ for the value
 * before the add, and adds the delta in flight on top. A READ that was
 * executed again contains it already: the view counts it twice. With the rule
 * the READ is complete before the add is posted, and no view is ever wrong.
 *
 *	retried delay	over the delaying wire of the tests
 *	retried rc	over LAGOON_WIRE as it is: shows something only where
 *			READs are retried, as on a link that loses packets
 *
 * Links to the internals of liblagoon.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/core.h"
#include "test/support/test.h"
#include "test/wires/delay.h"

enum {
	OWNER = 0,
	ADDER = 1,
	WORDS = 8192,		/* of a READ; the last one is added to */
	TRIES = 2000,
	LEAST_TRIES = 60,
};

struct shared {
	struct lgn_key key;
};

struct adder {
	struct lgn_rmem page;
	struct lgn_mem buf;
	uint64_t *in, *old;
	uint64_t added;
	struct lgn_wr read, add;
	struct lgn_batch reads, adds;
};

static void start(struct lgn_batch *batch)
{
	struct lgn_wire *wire = t_lg->wire;
	int rc;

	while ((rc = wire->ops->post(wire, batch)) == LAGOON_EAGAIN)
		wire->ops->poll(wire);
	t_ok(rc, "post");
}

static void finish(struct lgn_batch *batch)
{
	t_ok(lgn_wire_drain(t_lg->wire, batch, 30), "drain");
	t_ok(lgn_wire_status(t_lg->wire, batch), "a request");
}

/* What a process sees of its own word: 0 right, else so much too much. */
static int64_t wrong_by(struct adder *a, bool ruled)
{
	int64_t view, before = (int64_t)a->added;

	memset(a->in, 0x5a, WORDS * 8);
	start(&a->reads);
	if (ruled)
		finish(&a->reads);
	start(&a->adds);
	if (!ruled)
		finish(&a->reads);
	/* the copy, and the delta that was posted after it was read */
	view = (int64_t)a->in[WORDS - 1] + 1;
	finish(&a->adds);
	T_CHECK(*a->old == a->added, "the add found %llu, not %llu",
		(unsigned long long)*a->old, (unsigned long long)a->added);
	a->added++;
	return view - (before + 1);
}

static uint64_t wrong_views(struct adder *a, bool ruled)
{
	uint64_t wrong = 0;

	for (uint64_t n = t_scaled(TRIES, LEAST_TRIES); n; n--) {
		int64_t by = wrong_by(a, ruled);

		T_CHECK(by == 0 || by == 1, "a view is wrong by %lld",
			(long long)by);
		wrong += by != 0;
	}
	return wrong;
}

static void adder_make(struct adder *a, const struct lgn_key *key)
{
	t_ok(t_lg->wire->ops->attach(t_lg->wire, OWNER, key, &a->page), "attach");
	t_ok(lgn_memory(t_lg, (WORDS + 1) * 8, LGN_ACC_LOCAL, &a->buf),
	     "memory for what comes back");
	a->in = a->buf.addr;
	a->old = a->in + WORDS;
	a->read = (struct lgn_wr){
		.mem = &a->page, .local = a->in, .buf = &a->buf,
		.len = WORDS * 8, .op = LGN_GET,
	};
	a->add = (struct lgn_wr){
		.mem = &a->page, .off = (WORDS - 1) * 8, .local = a->old,
		.buf = &a->buf, .len = 8, .op = LGN_ADD, .operand = 1,
	};
	a->reads = (struct lgn_batch){ .wr = &a->read, .n = 1 };
	a->adds = (struct lgn_batch){ .wr = &a->add, .n = 1 };
}

static void show(void)
{
	static struct adder a;
	const struct shared *shared = t_shared;
	uint64_t with, without;

	adder_make(&a, &shared->key);
	without = wrong_views(&a, false);
	with = wrong_views(&a, true);
	printf("retried: of %llu views each, %llu count a delta twice without the rule, %llu with it\n",
	       (unsigned long long)t_scaled(TRIES, LEAST_TRIES),
	       (unsigned long long)without, (unsigned long long)with);
	T_CHECK(without, "no READ contained an add that was posted after it: nothing was shown");
	T_CHECK(!with, "%llu views were wrong with the rule",
		(unsigned long long)with);
	t_lg->wire->ops->detach(&a.page);
	t_lg->wire->ops->unreg(t_lg->wire, &a.buf);
}

static int open_on_delay(const struct lagoon_attr *attr, struct lagoon **lg)
{
	const struct delay_config config = {
		.seed = t_seed(), .hold = 2, .again = 2, .linger = 20,
	};

	delay_configure(&config);
	return lgn_open_on(attr, &lgn_wire_delay, lg);
}

int main(int argc, char **argv)
{
	bool delay = argc > 1 && !strcmp(argv[1], "delay");
	struct lgn_mem home = { 0 };
	struct shared *shared;
	struct lagoon_attr attr;

	t_begin("retried", sizeof(struct shared));
	shared = t_shared;
	t_ok(lagoon_attr_init(&attr), "attr_init");
	t_open(&attr, delay ? open_on_delay : NULL);
	if (lagoon_rank(t_lg) == OWNER) {
		t_ok(lgn_memory(t_lg, WORDS * 8, LGN_ACC_READ | LGN_ACC_ATOMIC,
				&home), "memory for the page");
		shared->key = home.key;
	}
	t_sync();
	if (lagoon_rank(t_lg) == ADDER)
		show();
	t_sync();
	t_lg->wire->ops->unreg(t_lg->wire, &home);
	t_close();
	return 0;
}
