/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "runtime/applier.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/thread.h"
#include "runtime/core.h"

enum { BELLS = 64 };		/* a hearing, at most */

/* Of one process. Bells come in no order, some twice: a bit for each record
 * that is there, bit 0 for the next one to apply. */
struct sender {
	uint64_t applied;
	uint64_t there;
	uint16_t failures;
};

struct lgn_applier {
	struct lagoon *lg;
	struct lgn_ring_attr attr;
	struct lgn_ring_shape shape;
	struct lgn_mem mem;
	struct sender *sender;		/* [size] */
	pthread_t thread;
	bool started;
};
_Static_assert(LGN_RING_SLOTS <= 64, "bits of sender.there");

static void *at(const struct lgn_applier *a, uint64_t off)
{
	return (char *)a->mem.addr + off;
}

/* What a header says was checked by nobody on the way here. */
static int apply(const struct lgn_applier *a, int rank, uint64_t seq)
{
	const char *slot = at(a, lgn_ring_slot_at(&a->shape, rank, seq));
	const struct lgn_ring_header *header = (const void *)slot;

	if (header->seq != seq || !header->bytes ||
	    header->bytes > a->shape.record_bytes)
		return lgn_fail(LAGOON_EIO,
				"record %llu of rank %d came damaged: it says %llu and %u bytes",
				(unsigned long long)seq, rank,
				(unsigned long long)header->seq, header->bytes);
	return a->attr.apply(a->attr.arg, rank, slot + sizeof(*header),
			     header->bytes);
}

static void answer(const struct lgn_applier *a, int rank, uint64_t seq, int code)
{
	struct lgn_ring_reply *reply =
		at(a, lgn_ring_reply_at(&a->shape, rank, seq));

	memset(reply, 0, sizeof(*reply));
	reply->seq = seq;
	reply->code = code;
	strncpy(reply->text, lagoon_errmsg(), sizeof(reply->text) - 1);
}

static void apply_next(const struct lgn_applier *a, int rank, struct sender *s)
{
	_Atomic uint64_t *state = at(a, lgn_ring_state_at(rank));
	uint64_t seq = s->applied + 1;
	int rc = apply(a, rank, seq);

	if (lgn_unlikely(rc)) {
		answer(a, rank, seq, rc);
		s->failures++;
	}
	s->applied = seq;
	s->there >>= 1;
	/* Release: who sees it sees what was applied, and the reply. */
	atomic_store_explicit(state, seq << 16 | s->failures,
			      memory_order_release);
}

/* A record is there. One that is applied already was sent again. */
static void take(const struct lgn_applier *a, const struct lgn_bell *bell)
{
	struct sender *s = &a->sender[bell->rank];
	uint32_t ahead = bell->value - (uint32_t)(s->applied + 1);

	if (ahead >= LGN_RING_SLOTS)
		return;
	s->there |= 1ull << ahead;
	while (s->there & 1)
		apply_next(a, bell->rank, s);
}

static void *applier(void *arg)
{
	struct lgn_applier *a = arg;
	struct lagoon *lg = a->lg;
	struct lgn_bell bell[BELLS];
	int n;

	if (lg->bind && lgn_place_thread_node(lg->topo, lg->plan.node))
		lgn_log(LGN_WARN, "the applier is not bound: %s", lagoon_errmsg());
	while ((n = lg->wire->ops->hear(lg->wire, bell, BELLS)) > 0)
		for (int i = 0; i < n; i++)
			if (bell[i].rank >= 0 && bell[i].rank < a->shape.size)
				take(a, &bell[i]);
	return NULL;
}

int lgn_applier_open(struct lagoon *lg, const struct lgn_ring_attr *attr,
		     const struct lgn_ring_shape *shape, struct lgn_key *key,
		     struct lgn_applier **out)
{
	struct lgn_applier *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return lgn_fail(LAGOON_ENOMEM, "no memory for an applier");
	a->lg = lg;
	a->attr = *attr;
	a->shape = *shape;
	a->sender = calloc((size_t)shape->size, sizeof(*a->sender));
	if (!a->sender)
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for %d senders", shape->size);
	else
		rc = lgn_memory(lg, shape->bytes,
				LGN_ACC_READ | LGN_ACC_WRITE | LGN_ACC_BELL, &a->mem);
	if (!rc)
		rc = lgn_thread_start(&a->thread, "lagoon-apply", applier, a);
	a->started = !rc;
	if (rc) {
		lgn_applier_close(a);
		return rc;
	}
	*key = a->mem.key;
	*out = a;
	return 0;
}

void lgn_applier_close(struct lgn_applier *a)
{
	struct lgn_wire *wire;

	if (!a)
		return;
	wire = a->lg->wire;
	if (a->started) {
		wire->ops->hush(wire);
		pthread_join(a->thread, NULL);
	}
	wire->ops->unreg(wire, &a->mem);
	free(a->sender);
	free(a);
}
