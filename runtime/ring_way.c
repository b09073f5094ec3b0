/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/ring_way.h"

enum {
	ATTEMPTS = 10,		/* to mend a way, without a record applied */
	GAP_NS = 10000,		/* between looks at the home's word, at least */
	GAP_MOST_NS = 2000000,
	LOOKS = 4,		/* for each that finds something new, about */
};

/* --- what the home has applied */

static int get(struct lgn_ring *ring, struct lgn_ring_home *h, uint64_t off, void *to,
	       uint32_t bytes)
{
	struct lgn_wr wr = {
		.mem = &h->to, .off = off, .local = to, .buf = &h->mem,
		.len = bytes, .op = LGN_GET,
	};
	struct lgn_batch batch = { .wr = &wr, .n = 1 };

	return lgn_wire_run(ring->lg->wire, &batch, ring->lg->timeout_s);
}

static void note_failure(const struct lgn_ring *ring, struct lgn_ring_home *h,
			 const struct lgn_ring_reply *reply)
{
	if (!h->failed++) {
		h->code = reply->code;
		memcpy(h->text, reply->text, sizeof(h->text) - 1);
	}
	if (ring->attr.failed)
		ring->attr.failed(ring->attr.failed_arg, (int)(h - ring->home),
				  reply->seq, reply->code, reply->text);
}

/* The word says that records after `applied` failed: their replies cannot be
 * written again, as we have not sent more into their slots. */
static int read_replies(struct lgn_ring *ring, struct lgn_ring_home *h, uint64_t applied)
{
	int rc = get(ring, h, lgn_ring_reply_at(&ring->shape, ring->lg->rank, 0),
		     h->reply, LGN_RING_SLOTS * sizeof(*h->reply));

	if (rc)
		return rc;
	for (uint64_t seq = h->applied + 1; seq <= applied; seq++) {
		struct lgn_ring_reply *reply = &h->reply[seq % LGN_RING_SLOTS];

		reply->text[LGN_RING_TEXT - 1] = 0;
		if (reply->seq == seq)
			note_failure(ring, h, reply);
	}
	return 0;
}

/* The word has been read. */
static int take_word(struct lgn_ring *ring, struct lgn_ring_home *h)
{
	uint64_t applied = h->word[0] >> 16;
	uint16_t failures = (uint16_t)h->word[0];
	int rc = 0;

	if (applied <= h->applied)
		return 0;
	if (applied >= h->next)
		return lgn_fail(LAGOON_EJOB, "rank %d says that it has applied %llu records of %llu",
				h->rank, (unsigned long long)applied,
				(unsigned long long)h->next - 1);
	if (failures != h->failures)
		rc = read_replies(ring, h, applied);
	if (rc)
		return rc;
	h->failures = failures;
	h->applied = applied;
	h->attempts = 0;
	return 0;
}

static int ask(struct lgn_ring *ring, struct lgn_ring_home *h)
{
	int rc = get(ring, h, lgn_ring_state_at(ring->lg->rank), h->word, 8);

	return rc ? rc : take_word(ring, h);
}

/* --- a way that broke */

static struct lgn_ring_slot *slot_of(struct lgn_ring_home *h, uint64_t seq)
{
	return &h->slot[seq % LGN_RING_SLOTS];
}

int lgn_ring_post(struct lgn_ring *ring, struct lgn_ring_home *h, uint64_t seq)
{
	return lgn_wire_post(ring->lg->wire, &slot_of(h, seq)->batch,
			     ring->lg->timeout_s);
}

/* Nothing is in flight after it. */
static int settle(struct lgn_ring *ring, struct lgn_ring_home *h)
{
	struct lagoon *lg = ring->lg;
	int rc = 0;

	if (h->looking)
		rc = lgn_wire_drain(lg->wire, &h->look, lg->timeout_s);
	h->looking = false;
	for (uint64_t seq = h->landed + 1; !rc && seq < h->next; seq++)
		rc = lgn_wire_drain(lg->wire, &slot_of(h, seq)->batch, lg->timeout_s);
	return rc;
}

/* From the home's word on, everything once more. */
static int send_again(struct lgn_ring *ring, struct lgn_ring_home *h)
{
	int rc = ask(ring, h);

	for (uint64_t seq = h->applied + 1; !rc && seq < h->next; seq++) {
		rc = lgn_ring_post(ring, h, seq);
		ring->again += !rc;
	}
	h->landed = h->applied;
	return rc;
}

/* Each attempt waits longer: a network that comes back does so in seconds. */
static void pause_before(int attempt)
{
	struct lgn_wait wait = LGN_WAIT_INIT;

	while (lgn_waited_ns(&wait) < 1000000ull << attempt)
		lgn_wait_step(&wait);
}

static int give_up(const struct lgn_ring_home *h, int rc)
{
	char why[300];

	snprintf(why, sizeof(why), "%.299s", lagoon_errmsg());
	return lgn_fail(rc, "the way to rank %d stays broken: %s", h->rank, why);
}

static bool too_long(const struct lgn_ring *ring, const struct lgn_ring_home *h)
{
	const uint64_t limit = (uint64_t)ring->lg->timeout_s * 1000000000u;

	return h->attempts == ATTEMPTS ||
		(h->attempts && lgn_now_ns() - h->broken_ns > limit);
}

int lgn_ring_mend(struct lgn_ring *ring, struct lgn_ring_home *h, int rc)
{
	struct lagoon *lg = ring->lg;
	int rc2;

	while (lgn_ring_can_mend(rc)) {
		if (too_long(ring, h))
			return give_up(h, rc);
		if (!h->attempts)
			h->broken_ns = lgn_now_ns();
		rc2 = settle(ring, h);
		pause_before(h->attempts++);
		if (!rc2)
			rc2 = lgn_check_lost(lg);
		if (rc2)
			return rc2;
		rc = lg->wire->ops->mend(&h->to);
		if (!rc) {
			ring->mended++;
			rc = send_again(ring, h);
		}
	}
	return rc;
}

/* --- progress */

/* Not as often as it can be read: the home's device serves all who look, and
 * what is looked at rarely costs no more than what it tells. */
static int start_look(struct lgn_ring *ring, struct lgn_ring_home *h)
{
	int rc;

	if (h->looking || h->applied + 1 == h->next ||
	    lgn_now_ns() - h->look_ns < h->gap_ns)
		return 0;
	h->look_wr = (struct lgn_wr){
		.mem = &h->to, .off = lgn_ring_state_at(ring->lg->rank),
		.local = h->word, .buf = &h->mem, .len = 8, .op = LGN_GET,
	};
	h->look = (struct lgn_batch){ .wr = &h->look_wr, .n = 1 };
	rc = ring->lg->wire->ops->post(ring->lg->wire, &h->look);
	h->looking = !rc;
	return rc == LAGOON_EAGAIN ? 0 : rc;
}

static int end_look(struct lgn_ring *ring, struct lgn_ring_home *h)
{
	uint64_t applied = h->applied;
	int rc;

	if (!h->looking || !lgn_batch_done(&h->look))
		return 0;
	h->looking = false;
	rc = lgn_wire_status(ring->lg->wire, &h->look);
	if (!rc)
		rc = take_word(ring, h);
	h->look_ns = lgn_now_ns();
	if (h->applied > applied) {
		h->gap_ns = (h->look_ns - h->since_ns) / LOOKS;
		h->since_ns = h->look_ns;
	} else {
		h->gap_ns *= 2;
	}
	h->gap_ns = h->gap_ns < GAP_NS ? GAP_NS :
		h->gap_ns > GAP_MOST_NS ? GAP_MOST_NS : h->gap_ns;
	return rc;
}

static int land(struct lgn_ring *ring, struct lgn_ring_home *h)
{
	int rc = 0;

	while (!rc && h->landed + 1 < h->next) {
		struct lgn_batch *batch = &slot_of(h, h->landed + 1)->batch;

		if (!lgn_batch_done(batch))
			return 0;
		rc = lgn_wire_status(ring->lg->wire, batch);
		h->landed += !rc;
	}
	return rc;
}

/* What can be done without waiting. look: read the word, too. */
int lgn_ring_progress(struct lgn_ring *ring, struct lgn_ring_home *h, bool look)
{
	int rc;

	ring->lg->wire->ops->poll(ring->lg->wire);
	rc = land(ring, h);
	if (!rc)
		rc = end_look(ring, h);
	if (!rc && look)
		rc = start_look(ring, h);
	return rc ? lgn_ring_mend(ring, h, rc) : 0;
}

/* Until `seq` is applied, and its PUT complete. */
int lgn_ring_await(struct lgn_ring *ring, struct lgn_ring_home *h, uint64_t seq)
{
	struct lagoon *lg = ring->lg;
	const uint64_t limit = (uint64_t)lg->timeout_s * 1000000000u;
	struct lgn_wait wait = LGN_WAIT_INIT;
	uint64_t applied = h->applied;
	int rc = 0;

	while (h->applied < seq || h->landed < seq) {
		rc = lgn_check_lost(lg);
		if (!rc)
			rc = lgn_ring_progress(ring, h, h->applied < seq);
		if (rc)
			return rc;
		if (h->applied != applied)
			wait = (struct lgn_wait)LGN_WAIT_INIT;
		applied = h->applied;
		if (lgn_waited_ns(&wait) > limit)
			return lgn_fail(LAGOON_ETIMEDOUT,
					"rank %d applied nothing in %d s, and %llu records wait; see LAGOON_TIMEOUT",
					h->rank, lg->timeout_s,
					(unsigned long long)(h->next - 1 - applied));
		lgn_wait_step(&wait);
	}
	return 0;
}

