/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/apply.h"
#include "runtime/base/status.h"
#include "runtime/ring.h"
#include "runtime/sender.h"

/* The record being filled for a home. */
struct out {
	char *at;		/* NULL: none */
	uint32_t used;
	bool sent;		/* since the last lgn_sender_round() */
};

struct lgn_sender {
	struct lgn_ring *ring;	/* NULL: not started */
	struct lgn_home *home;
	struct out *out;	/* [homes] */
	struct lgn_record head;	/* of what is begun */
	struct lagoon_table *t;
	uint64_t refused;	/* records, since the last wait; of the first: */
	char text[LGN_RING_TEXT];
};

static void failed(void *arg, int home, uint64_t seq, int code,
		   const char *text)
{
	struct lgn_sender *s = arg;

	(void)home;
	(void)seq;
	(void)code;
	if (!s->refused++)
		snprintf(s->text, sizeof(s->text), "%s", text);
}

int lgn_sender_open(struct lagoon *lg)
{
	struct lgn_sender *s;
	int rc;

	if (lg->sender)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d homes", lg->homes);
	lg->sender = s;
	s->out = calloc((size_t)lg->homes, sizeof(*s->out));
	rc = s->out ? lgn_home_open(&s->home) :
		lgn_fail(LAGOON_ENOMEM, "no memory for %d homes", lg->homes);
	if (rc)
		lgn_sender_close(lg);
	return rc;
}

int lgn_sender_start(struct lagoon *lg)
{
	struct lgn_sender *s = lg->sender;
	struct lgn_ring_attr attr = {
		.apply = lgn_home_record, .arg = s->home,
		.failed = failed, .failed_arg = s,
	};

	return s->ring ? 0 : lgn_ring_open(lg, &attr, &s->ring);
}

void lgn_sender_close(struct lagoon *lg)
{
	struct lgn_sender *s = lg->sender;

	if (!s)
		return;
	lgn_ring_close(s->ring);
	lgn_home_close(s->home);
	free(s->out);
	free(s);
	lg->sender = NULL;
}

void lgn_sender_enter(struct lagoon *lg, struct lagoon_table *t)
{
	lgn_home_enter(lg->sender->home, t->slot, t);
}

void lgn_sender_forget(struct lagoon *lg, const struct lagoon_table *t)
{
	if (lg->sender)
		lgn_home_forget(lg->sender->home, t);
}

void lgn_sender_hold(struct lagoon *lg)
{
	if (lg->sender)
		lgn_home_lock(lg->sender->home);
}

void lgn_sender_let(struct lagoon *lg)
{
	if (lg->sender)
		lgn_home_unlock(lg->sender->home);
}

void lgn_sender_begin(struct lagoon *lg, struct lagoon_table *t,
		      enum lgn_record_kind kind, uint32_t worker)
{
	struct lgn_sender *s = lg->sender;

	s->t = t;
	s->head = (struct lgn_record){
		.slot = (uint32_t)t->slot, .kind = kind, .worker = worker,
	};
}

static int commit(struct lgn_sender *s, int home)
{
	struct out *o = &s->out[home];
	char *at = o->at;

	if (!at)
		return 0;
	s->head.bytes = o->used - (uint32_t)sizeof(s->head);
	memcpy(at, &s->head, sizeof(s->head));
	o->at = NULL;
	o->sent = true;
	return lgn_ring_commit(s->ring, home, o->used, NULL);
}

/* Room for a run of at least one element. */
static int reserve(struct lgn_sender *s, int home)
{
	uint32_t most = lgn_ring_most(s->ring);
	struct out *o = &s->out[home];
	void *at = NULL;
	int rc;

	if (o->at && most - o->used >= sizeof(struct lgn_run) + 8)
		return 0;
	rc = commit(s, home);
	if (!rc)
		rc = lgn_ring_reserve(s->ring, home, most, &at);
	if (rc)
		return rc;
	o->at = at;
	o->used = sizeof(struct lgn_record);
	return 0;
}

int lgn_sender_put(struct lagoon *lg, uint64_t page, uint64_t first, uint64_t n,
		   const char *data)
{
	struct lgn_sender *s = lg->sender;
	const uint32_t size = s->t->apply->size;
	int home = (int)lgn_layout_shard(&s->t->layout, page);
	struct out *o = &s->out[home];

	while (n) {
		struct lgn_run run = { .page = page, .first = (uint32_t)first };
		uint64_t room;
		int rc = reserve(s, home);

		if (rc)
			return rc;
		room = (lgn_ring_most(s->ring) - o->used - sizeof(run)) / 8 * 8 / size;
		run.n = (uint32_t)(n < room ? n : room);
		memcpy(o->at + o->used, &run, sizeof(run));
		memcpy(o->at + o->used + sizeof(run), data, run.n * size);
		o->used += (uint32_t)(sizeof(run) + lgn_round_up(run.n * size, 8));
		first += run.n;
		data += run.n * size;
		n -= run.n;
	}
	return 0;
}

int lgn_sender_commit(struct lagoon *lg)
{
	int rc = 0;

	for (int h = 0; h < lg->homes && !rc; h++)
		rc = commit(lg->sender, h);
	return rc;
}

int lgn_sender_round(struct lagoon *lg)
{
	struct lgn_sender *s = lg->sender;
	struct lgn_record head = { .kind = LGN_RECORD_ROUND };
	struct lgn_ring_part part = { &head, sizeof(head) };
	int rc = 0;

	for (int h = 0; h < lg->homes && !rc; h++) {
		if (s->out[h].sent)
			rc = lgn_ring_send(s->ring, h, &part, 1, NULL);
		s->out[h].sent = false;
	}
	return rc;
}

int lgn_sender_wait(struct lagoon *lg, uint64_t *refused)
{
	struct lgn_sender *s = lg->sender;
	uint64_t told = 0;
	int rc;

	/* failed() hears of every refusal before a call tells of it; whatever
	 * a call returns beyond that is about the ring. */
	while ((rc = lgn_ring_flush(s->ring)) && told < s->refused)
		told++;
	*refused = s->refused;
	s->refused = 0;
	if (rc)
		return rc;
	return *refused ? lgn_fail(LAGOON_ERANGE, "%s", s->text) : 0;
}
