/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A home applies records, one after the other. Those of a bsp round are kept
 * until somebody says that all have arrived, and then applied in the order
 * (worker, as sent): the same whoever was faster, and however workers are
 * grouped into processes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/apply.h"
#include "runtime/base/status.h"
#include "runtime/sender.h"

/* A record that is kept; the record follows. */
struct held {
	uint64_t arrived;
	struct lgn_record head;
};

struct lgn_home {
	/* Around each record, and around changes of the tables: these happen
	 * when no record of the table is under way, but that is known by
	 * messages only. */
	pthread_mutex_t lock;
	struct lagoon_table *table[LGN_TABLES];
	struct held **held;
	uint64_t n, room;
	uint64_t arrived;
};

int lgn_home_open(struct lgn_home **home)
{
	struct lgn_home *h = calloc(1, sizeof(*h));

	if (!h)
		return lgn_fail(LAGOON_ENOMEM, "no memory for records");
	pthread_mutex_init(&h->lock, NULL);
	*home = h;
	return 0;
}

static void forget(struct lgn_home *h)
{
	for (uint64_t i = 0; i < h->n; i++)
		free(h->held[i]);
	h->n = 0;
}

void lgn_home_close(struct lgn_home *h)
{
	if (!h)
		return;
	forget(h);
	pthread_mutex_destroy(&h->lock);
	free(h->held);
	free(h);
}

void lgn_home_enter(struct lgn_home *h, int slot, struct lagoon_table *t)
{
	pthread_mutex_lock(&h->lock);
	h->table[slot] = t;
	pthread_mutex_unlock(&h->lock);
}

void lgn_home_forget(struct lgn_home *h, const struct lagoon_table *t)
{
	pthread_mutex_lock(&h->lock);
	for (int i = 0; i < LGN_TABLES; i++)
		if (h->table[i] == t)
			h->table[i] = NULL;
	pthread_mutex_unlock(&h->lock);
}

void lgn_home_lock(struct lgn_home *h)
{
	pthread_mutex_lock(&h->lock);
}

void lgn_home_unlock(struct lgn_home *h)
{
	pthread_mutex_unlock(&h->lock);
}

static int corrupt(const char *what, int from)
{
	return lgn_fail(LAGOON_ECORRUPT, "a record of rank %d names %s that is not here",
			from, what);
}

static int apply_record(struct lgn_home *h, const struct lgn_record *head,
			int from)
{
	struct lagoon_table *t = head->slot < LGN_TABLES ?
		h->table[head->slot] : NULL;
	const char *at = (const char *)(head + 1), *end = at + head->bytes;
	char keep[512] = "";
	int first = 0;

	if (!t)
		return corrupt("a table", from);
	while (end - at >= (ptrdiff_t)sizeof(struct lgn_run)) {
		const struct lgn_run *run = (const void *)at;
		uint64_t bytes = lgn_round_up((uint64_t)run->n * t->apply->size, 8);
		int rc;

		at += sizeof(*run);
		if (run->page >= t->layout.pages || !t->apply->place[run->page].lock ||
		    (uint64_t)run->first + run->n > lgn_apply_elems(t) ||
		    bytes > (uint64_t)(end - at))
			return corrupt("elements", from);
		rc = lgn_apply_all(t, NULL, run->page, run->first, run->n, at);
		if (rc && !first) {
			first = rc;
			snprintf(keep, sizeof(keep), "%s", lagoon_errmsg());
		}
		at += bytes;
	}
	if (first)
		lgn_errmsg_set(keep);
	return first;
}

static int hold(struct lgn_home *h, const struct lgn_record *head)
{
	struct held *one = malloc(sizeof(*one) + head->bytes);

	if (one && h->n == h->room) {
		uint64_t room = h->room ? 2 * h->room : 64;
		struct held **more = realloc(h->held, room * sizeof(struct held *));

		if (more) {
			h->held = more;
			h->room = room;
		}
	}
	if (!one || h->n == h->room) {
		free(one);
		return lgn_fail(LAGOON_ENOMEM, "no memory for the records of a round");
	}
	one->arrived = h->arrived++;
	memcpy(&one->head, head, sizeof(*head) + head->bytes);
	h->held[h->n++] = one;
	return 0;
}

/* A worker's own arrive in the order in which it sent them. */
static int by_worker(const void *a, const void *b)
{
	const struct held *x = *(struct held *const *)a;
	const struct held *y = *(struct held *const *)b;

	if (x->head.worker != y->head.worker)
		return x->head.worker < y->head.worker ? -1 : 1;
	return (x->arrived > y->arrived) - (x->arrived < y->arrived);
}

/* Whoever says it first; what the others say finds nothing kept. A refusal is
 * told to that one. */
static int end_round(struct lgn_home *h, int from)
{
	char keep[512] = "";
	int first = 0;

	if (h->n)
		qsort(h->held, h->n, sizeof(*h->held), by_worker);
	for (uint64_t i = 0; i < h->n; i++) {
		int rc = apply_record(h, &h->held[i]->head, from);

		if (rc && !first) {
			first = rc;
			snprintf(keep, sizeof(keep), "%s", lagoon_errmsg());
		}
	}
	forget(h);
	if (first)
		lgn_errmsg_set(keep);
	return first;
}

static int take(struct lgn_home *h, int from, const struct lgn_record *head,
		uint32_t bytes)
{
	if (bytes < sizeof(*head) || head->bytes != bytes - sizeof(*head))
		return corrupt("a length", from);
	switch (head->kind) {
	case LGN_RECORD_DATA:
		return apply_record(h, head, from);
	case LGN_RECORD_HOLD:
		return hold(h, head);
	case LGN_RECORD_ROUND:
		return end_round(h, from);
	default:
		return corrupt("a kind", from);
	}
}

int lgn_home_record(void *arg, int from, const void *record, uint32_t bytes)
{
	struct lgn_home *h = arg;
	int rc;

	pthread_mutex_lock(&h->lock);
	rc = take(h, from, record, bytes);
	pthread_mutex_unlock(&h->lock);
	return rc;
}
