/* SPDX-License-Identifier: BSD-3-Clause */
/* What every push needs: memory, the lock, a batch that is run. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/audit.h"
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

void lgn_push_begin(struct lgn_push *p, struct lagoon_worker *w,
		    struct lagoon_table *t)
{
	p->w = w;
	p->t = t;
	p->counts = &t->part[w->index].counts;
	p->before = atomic_load_explicit(&p->counts->words_pushed,
					 memory_order_relaxed);
	p->from = lgn_trace_now(w);
}

void lgn_push_end(struct lgn_push *p)
{
	uint64_t words = atomic_load_explicit(&p->counts->words_pushed,
					      memory_order_relaxed) - p->before;

	if (!words)
		return;
	lgn_count(&p->counts->flushes, 1);
	lgn_trace_add(p->w, LGN_TRACE_FLUSH, p->from, p->t, -1, words, 0);
}

bool lgn_push_trylock(struct lagoon *lg)
{
	return !atomic_exchange(&lg->pushing, true);
}

void lgn_push_lock(struct lagoon *lg)
{
	struct lgn_wait wait = LGN_WAIT_INIT;

	while (!lgn_push_trylock(lg))
		lgn_wait_step(&wait);
}

void lgn_push_unlock(struct lagoon *lg)
{
	atomic_store(&lg->pushing, false);
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
	lgn_count(&counts->uncertain, n);
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
