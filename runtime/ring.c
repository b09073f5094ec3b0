/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/ring_way.h"

enum {
	MOST_BYTES = 128 << 10,		/* of a record */
	LEAST_BYTES = 16 << 10,
	SHARE_BYTES = 256 << 20,	/* of all slots of a home, about */
};

/* What a process says when it opens rings. */
struct proposal {
	int32_t status;
	uint32_t record_bytes;
	struct lgn_key key;		/* of a home's region */
};

/* --- open and close */

static uint32_t record_bytes(const struct lagoon *lg, uint32_t want)
{
	uint32_t bytes = MOST_BYTES;

	if (want)
		return want;
	while (bytes > LEAST_BYTES &&
	       (uint64_t)bytes * LGN_RING_SLOTS * (uint64_t)lg->size > SHARE_BYTES)
		bytes /= 2;
	return bytes;
}

static int make_ring(struct lagoon *lg, const struct lgn_ring_attr *attr,
		     struct lgn_ring **out)
{
	struct lgn_ring *ring;

	if (lg->ring)
		return lgn_fail(LAGOON_EEXIST, "the rings are open already");
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return lgn_fail(LAGOON_ENOMEM, "no memory for rings");
	ring->home = calloc((size_t)lg->homes, sizeof(*ring->home));
	if (!ring->home) {
		free(ring);
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d homes", lg->homes);
	}
	ring->lg = lg;
	ring->attr = *attr;
	ring->shape = lgn_ring_shape(lg->size, record_bytes(lg, attr->record_bytes));
	for (int i = 0; i < lg->homes; i++) {
		ring->home[i].rank = lg->home_rank[i];
		ring->home[i].next = 1;
	}
	*out = ring;
	return 0;
}

static int open_home(struct lgn_ring *ring, struct lgn_key *key)
{
	const struct lagoon *lg = ring->lg;

	for (int i = 0; i < lg->homes; i++)
		if (lg->home_rank[i] == lg->rank)
			return lgn_applier_open(ring->lg, &ring->attr, &ring->shape,
						key, &ring->applier);
	return 0;
}

/* All come to the same verdict; the dead have no say. */
static int judge(const struct lagoon *lg, const char *slots)
{
	const struct proposal *first = (const void *)slots;	/* rank 0 lives */

	for (int i = 0; i < lg->size; i++) {
		const struct proposal *p =
			(const void *)(slots + (size_t)i * LGN_SLOT_BYTES);

		if (atomic_load(&lg->member[i].dead))
			continue;
		if (p->status)	/* its own message is better where it is mine */
			return i == lg->rank ? p->status :
				lgn_fail(p->status, "rank %d cannot open its rings: %s",
					 i, lagoon_strerror(p->status));
		if (p->record_bytes != first->record_bytes)
			return lgn_fail(LAGOON_EINVAL, "records of %u bytes at rank 0, of %u at rank %d: they must agree",
					first->record_bytes, p->record_bytes, i);
	}
	return 0;
}

/* Keys of the homes' regions. */
static int agree(struct lagoon *lg, const struct proposal *mine,
		 struct lgn_ring *ring)
{
	char *slots = malloc((size_t)lg->size * LGN_SLOT_BYTES);
	int rc;

	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	rc = lgn_board_exchange(lg, mine, sizeof(*mine), slots);
	if (!rc)
		rc = judge(lg, slots);
	for (int i = 0; !rc && i < lg->homes; i++) {
		const struct proposal *p = (const void *)
			(slots + (size_t)lg->home_rank[i] * LGN_SLOT_BYTES);

		ring->home[i].key = p->key;
	}
	free(slots);
	return rc;
}

int lgn_ring_open(struct lagoon *lg, const struct lgn_ring_attr *attr,
		  struct lgn_ring **out)
{
	struct lgn_ring *ring = NULL;
	struct proposal mine;
	int rc;

	memset(&mine, 0, sizeof(mine));
	rc = make_ring(lg, attr, &ring);
	if (!rc)
		rc = open_home(ring, &mine.key);
	mine.status = rc;
	mine.record_bytes = ring ? ring->shape.record_bytes : 0;
	rc = agree(lg, &mine, ring);
	if (rc) {
		lgn_ring_close(ring);
		return rc;
	}
	lg->ring = *out = ring;
	return 0;
}

void lgn_ring_close(struct lgn_ring *ring)
{
	struct lagoon *lg;

	if (!ring)
		return;
	lg = ring->lg;
	for (int i = 0; i < lg->homes; i++) {
		lg->wire->ops->detach(&ring->home[i].to);
		lg->wire->ops->unreg(lg->wire, &ring->home[i].mem);
	}
	lgn_applier_close(ring->applier);
	if (lg->ring == ring)
		lg->ring = NULL;
	free(ring->home);
	free(ring);
}

/* --- sending */

static int attach(struct lgn_ring *ring, struct lgn_ring_home *h)
{
	const uint64_t slots = (uint64_t)ring->shape.stride * LGN_RING_SLOTS;
	const uint64_t replies = LGN_RING_SLOTS * sizeof(*h->reply);
	struct lagoon *lg = ring->lg;
	int rc = lgn_memory(lg, slots + replies + 8, LGN_ACC_LOCAL, &h->mem);

	if (rc)
		return rc;
	h->reply = (void *)((char *)h->mem.addr + slots);
	h->word = (void *)((char *)h->reply + replies);
	rc = lg->wire->ops->attach(lg->wire, h->rank, &h->key, &h->to);
	if (rc)
		lg->wire->ops->unreg(lg->wire, &h->mem);
	return rc;
}

static struct lgn_ring_header *header_of(const struct lgn_ring *ring,
					 const struct lgn_ring_home *h, uint64_t seq)
{
	return (void *)((char *)h->mem.addr +
			seq % LGN_RING_SLOTS * ring->shape.stride);
}

int lgn_ring_reserve(struct lgn_ring *ring, int home, uint32_t bytes, void **at)
{
	struct lgn_ring_home *h = &ring->home[home];
	int rc = lgn_check_lost(ring->lg);

	if (!rc && (!bytes || bytes > ring->shape.record_bytes))
		rc = lgn_fail(LAGOON_EINVAL, "a record of %u bytes: 1 to %u", bytes,
			      ring->shape.record_bytes);
	if (!rc && !h->to.wire)
		rc = attach(ring, h);
	if (!rc && h->next > LGN_RING_SLOTS)
		rc = lgn_ring_await(ring, h, h->next - LGN_RING_SLOTS);
	if (rc)
		return rc;
	h->reserved = bytes;
	*at = header_of(ring, h, h->next) + 1;
	return 0;
}

int lgn_ring_commit(struct lgn_ring *ring, int home, uint32_t bytes,
		    uint64_t *seq)
{
	struct lgn_ring_home *h = &ring->home[home];
	struct lgn_ring_header *header = header_of(ring, h, h->next);
	struct lgn_ring_slot *s = &h->slot[h->next % LGN_RING_SLOTS];
	int rc;

	if (!bytes || bytes > h->reserved)
		return lgn_fail(LAGOON_EINVAL, "a record of %u bytes, where %u are reserved",
				bytes, h->reserved);
	h->reserved = 0;
	*header = (struct lgn_ring_header){ .seq = h->next, .bytes = bytes };
	s->wr = (struct lgn_wr){
		.mem = &h->to, .op = LGN_PUT_BELL, .operand = (uint32_t)h->next,
		.off = lgn_ring_slot_at(&ring->shape, ring->lg->rank, h->next),
		.local = (uint64_t *)header, .buf = &h->mem,
		.len = (uint32_t)lgn_round_up(sizeof(*header) + bytes, 8),
	};
	s->batch = (struct lgn_batch){ .wr = &s->wr, .n = 1 };
	if (h->applied + 1 == h->next) {
		h->since_ns = lgn_now_ns();
		h->gap_ns = 0;
	}
	rc = lgn_ring_post(ring, h, h->next);
	/* Refused because the way is broken: mending sends it, too. */
	if (rc && !lgn_ring_can_mend(rc))
		return rc;
	if (seq)
		*seq = h->next;
	h->next++;
	if (rc)
		return lgn_ring_mend(ring, h, rc);
	return lgn_ring_progress(ring, h, h->next - h->applied > LGN_RING_SLOTS / 2);
}

int lgn_ring_send(struct lgn_ring *ring, int home,
		  const struct lgn_ring_part *part, int parts, uint64_t *seq)
{
	uint64_t bytes = 0;
	void *at;
	int rc;

	for (int i = 0; i < parts; i++)
		bytes += part[i].bytes;
	rc = lgn_ring_reserve(ring, home, bytes > UINT32_MAX ? UINT32_MAX :
			      (uint32_t)bytes, &at);
	if (rc)
		return rc;
	for (int i = 0; i < parts; i++) {
		memcpy(at, part[i].data, part[i].bytes);
		at = (char *)at + part[i].bytes;
	}
	return lgn_ring_commit(ring, home, (uint32_t)bytes, seq);
}

/* What apply() said, once. */
static int tell(struct lgn_ring_home *h)
{
	int code = h->code;
	uint64_t more = h->failed - 1;

	if (!h->failed)
		return 0;
	h->failed = 0;
	h->code = 0;
	return !more ? lgn_fail(code, "its home says: %s", h->text) :
		lgn_fail(code, "its home says: %s (and so of %llu records more)",
			 h->text, (unsigned long long)more);
}

int lgn_ring_wait(struct lgn_ring *ring, int home, uint64_t seq)
{
	struct lgn_ring_home *h = &ring->home[home];
	int rc;

	if (seq >= h->next)
		return lgn_fail(LAGOON_EINVAL, "record %llu of %llu to rank %d",
				(unsigned long long)seq,
				(unsigned long long)h->next - 1, h->rank);
	rc = lgn_ring_await(ring, h, seq);
	return rc ? rc : tell(h);
}

/* All homes work at the same time: looks go out to all first. */
int lgn_ring_flush(struct lgn_ring *ring)
{
	char text[512] = "";
	int first = 0;

	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < ring->lg->homes; i++) {
			struct lgn_ring_home *h = &ring->home[i];
			int rc;

			if (!pass) {
				rc = lgn_ring_progress(ring, h, true);
				if (rc)
					return rc;
				continue;
			}
			rc = lgn_ring_await(ring, h, h->next - 1);
			if (rc)
				return rc;
			rc = tell(h);
			if (!rc || first)
				continue;
			first = rc;
			strncpy(text, lagoon_errmsg(), sizeof(text) - 1);
		}
	if (first)
		lgn_errmsg_set(text);
	return first;
}

uint64_t lgn_ring_applied(const struct lgn_ring *ring, int home)
{
	return ring->home[home].applied;
}

uint32_t lgn_ring_most(const struct lgn_ring *ring)
{
	return ring->shape.record_bytes;
}

void lgn_ring_counts(const struct lgn_ring *ring, uint64_t *again,
		     uint64_t *mended)
{
	*again = ring->again;
	*mended = ring->mended;
}
