/* SPDX-License-Identifier: BSD-3-Clause */
/* What every push needs: memory, the lock, a batch that is run. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/audit.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/push.h"
#include "runtime/table.h"
#include "runtime/trace.h"

int lgn_push_open(struct lagoon *lg)
{
	struct lgn_push *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "no memory for pushes");
	lg->push = p;
	rc = lgn_memory(lg, LGN_PUSH_WRS * 8, LGN_ACC_LOCAL, &p->mem);
	p->old = p->mem.addr;
	p->batch.wr = p->wr;
	return rc;
}

void lgn_push_close(struct lagoon *lg)
{
	if (!lg->push)
		return;
	lg->wire->ops->unreg(lg->wire, &lg->push->mem);
	free(lg->push);
}

static uint64_t words_sent(const struct lgn_flush *f)
{
	return atomic_load_explicit(&f->t->part[f->w->index].counts.words_pushed,
				    memory_order_relaxed);
}

void lgn_flush_begin(struct lgn_flush *f, struct lagoon_worker *w,
		     struct lagoon_table *t)
{
	f->w = w;
	f->t = t;
	f->before = words_sent(f);
	f->from = lgn_trace_now(w);
}

void lgn_flush_end(const struct lgn_flush *f)
{
	uint64_t words = words_sent(f) - f->before;

	if (!words)
		return;
	lgn_count(&f->t->part[f->w->index].counts.flushes, 1);
	lgn_trace_add(f->w, LGN_TRACE_FLUSH, f->from, f->t, -1, words, 0);
}

/* Pages whose marks it had cleared and whose words it had not all taken. */
static void mark_again(struct lagoon_table *t, int rank)
{
	for (uint64_t i = 0; t->delta && i < t->layout.pages; i++)
		if (atomic_load(&t->page[i].hold) == lgn_hold(LGN_PUSHING, rank))
			atomic_store(&t->dirty[i], UINT64_MAX);
}

/* The lock was a dead process's. What that one had taken and not completed may
 * or may not have arrived: counted and told here, and never sent again. The
 * pages that it held are given up by who needs them (node.c). */
static void inherit(struct lagoon *lg, int rank)
{
	struct lgn_control *c = lg->node.control;
	struct lagoon_table *t = lg->table[atomic_load(&c->table) % LGN_TABLES];
	uint64_t n = atomic_exchange(&c->taken, 0);

	if (t)
		mark_again(t, rank);
	if (!n || !t)
		return;
	atomic_fetch_add(&t->part[0].counts.uncertain, n);
	lgn_log(LGN_ERROR, "table %s: %llu words are uncertain: rank %d died while it sent them",
		t->name, (unsigned long long)n, rank);
}

bool lgn_push_trylock(struct lagoon *lg)
{
	_Atomic uint32_t *pusher = &lg->node.control->pusher;
	uint32_t holder = 0, me = (uint32_t)lg->rank + 1;

	if (atomic_compare_exchange_strong(pusher, &holder, me))
		return true;
	if (holder == me || !lgn_node_dead(lg, (int)holder - 1) ||
	    !atomic_compare_exchange_strong(pusher, &holder, me))
		return false;
	inherit(lg, (int)holder - 1);
	return true;
}

/* Its holder may wait for a READ of this process. */
void lgn_push_lock(struct lagoon *lg)
{
	struct lgn_wait wait = LGN_WAIT_INIT;

	while (!lgn_push_trylock(lg)) {
		lg->wire->ops->poll(lg->wire);
		lgn_wait_step(&wait);
	}
}

void lgn_push_unlock(struct lagoon *lg)
{
	atomic_store_explicit(&lg->node.control->taken, 0, memory_order_relaxed);
	atomic_store(&lg->node.control->pusher, 0);
}

/* Whose memory could not be reached. */
static int peer_of(struct lgn_wire *wire, const struct lgn_batch *batch)
{
	for (uint32_t i = 0; i < batch->n; i++)
		if (*wire->ops->why(wire, batch->wr[i].mem->peer))
			return batch->wr[i].mem->peer;
	return batch->wr[0].mem->peer;
}

/* The way to a shard broke with atomics on it: nobody can tell which of them
 * arrived, so they are counted and told, and never sent again. */
static int uncertain(struct lagoon_table *t, struct lgn_counts *counts,
		     const struct lgn_batch *batch, int rc)
{
	uint32_t n = atomic_load(&batch->uncertain);
	char why[300];

	if (rc == LAGOON_ETIMEDOUT)
		n += atomic_load(&batch->left);
	if (!batch->posted || !n)
		return rc;
	atomic_fetch_add(&counts->uncertain, n);
	if (t->lg->audit)
		atomic_store(&t->lg->audit->unsure, true);
	snprintf(why, sizeof(why), "%.299s", lagoon_errmsg());
	return lgn_fail(rc, "table %s: %u words are uncertain: their adds may or may not have arrived (%s)",
			t->name, n, why);
}

int lgn_push_run(struct lagoon_table *t, struct lgn_counts *counts,
		 struct lgn_batch *batch)
{
	int rc = lgn_wire_run(t->lg->wire, batch, t->lg->timeout_s);

	if (lgn_likely(!rc))
		return 0;
	lgn_note_broken(t->lg, peer_of(t->lg->wire, batch));
	return uncertain(t, counts, batch, rc);
}
