/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ahead.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/thread.h"
#include "runtime/request.h"
#include "runtime/table.h"
#include "runtime/trace.h"

/* One thread of lagoon_run(). */
struct runner {
	struct lagoon_worker *w;
	int (*work)(struct lagoon_worker *w, void *arg);
	void *arg;
	pthread_t thread;
	int started;
	int result;
};

int lgn_workers_open(struct lagoon *lg)
{
	size_t n = (size_t)lg->local_workers;
	int rc = 0;

	if (!n)
		return 0;
	lg->worker = aligned_alloc(LGN_CACHELINE, n * sizeof(*lg->worker));
	if (!lg->worker)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu workers", n);
	memset(lg->worker, 0, n * sizeof(*lg->worker));
	for (int i = 0; !rc && i < lg->local_workers; i++) {
		struct lagoon_worker *w = &lg->worker[i];

		w->lg = lg;
		w->index = i;
		w->id = lg->member[lg->rank].first_worker + i;
		w->request = calloc(LGN_REQUESTS + 1 + LGN_AHEAD_SLOTS,
				    sizeof(*w->request));
		w->ahead_table = -1;
		rc = w->request ? lgn_board_view_open(lg, &w->view) :
			lgn_fail(LAGOON_ENOMEM, "no memory for requests");
	}
	return rc;
}

/* What is in flight still writes to this process's memory: it must land
 * before that is freed, also when nobody waits for it any more. */
static void settle(struct lagoon_worker *w)
{
	struct lagoon *lg = w->lg;

	for (int i = 0; w->request && i < LGN_REQUESTS; i++)
		if (w->busy >> i & 1 && !w->request[i].complete &&
		    w->request[i].phase == LGN_PULL_FETCH)
			lgn_wire_drain(lg->wire, &w->request[i].batch,
				       lg->timeout_s);
	lgn_ahead_settle(w, NULL);
	lgn_board_drain(lg, &w->view);
}

void lgn_workers_close(struct lagoon *lg)
{
	for (int i = 0; lg->worker && i < lg->local_workers; i++) {
		if (lg->worker[i].lg)
			settle(&lg->worker[i]);
		free(lg->worker[i].request);
		lgn_board_view_close(lg, &lg->worker[i].view);
	}
	free(lg->worker);
	lg->worker = NULL;
}

int lgn_worker_check(const struct lagoon_worker *w)
{
	if (lgn_likely(!w->left))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "worker %d has left the job", w->id);
}

LGN_EXPORT int lagoon_worker(struct lagoon *lg, int index,
			     struct lagoon_worker **w)
{
	if (index < 0 || index >= lg->local_workers)
		return lgn_fail(LAGOON_EINVAL, "worker %d of the %d of this process",
				index, lg->local_workers);
	*w = &lg->worker[index];
	return 0;
}

LGN_EXPORT int lagoon_worker_id(const struct lagoon_worker *w)
{
	return w->id;
}

LGN_EXPORT int64_t lagoon_worker_clock(const struct lagoon_worker *w)
{
	return w->clock;
}

static void pin(struct lagoon_worker *w)
{
	struct lagoon *lg = w->lg;
	bool pinned = false;

	if (!lg->bind)
		return;
	if (lgn_place_thread(lg->topo, &lg->plan, w->index, &pinned))
		lgn_log(LGN_WARN, "worker %d is not pinned: %s", w->id,
			lagoon_errmsg());
	lg->pinned += pinned;
	lg->verified += pinned && lgn_place_thread_core(lg->topo) ==
		lg->plan.core[w->index];
}

static void *run_worker(void *arg)
{
	struct runner *r = arg;
	int rc;

	pin(r->w);
	lgn_trace_add(r->w, LGN_TRACE_RUN, lgn_trace_now(r->w), NULL, -1, 0, 0);
	r->result = r->work(r->w, r->arg);
	if (r->result)
		snprintf(r->w->errmsg, sizeof(r->w->errmsg), "%s", lagoon_errmsg());
	if (r->w->left)
		return NULL;
	rc = lagoon_worker_leave(r->w);
	if (rc && !r->result) {
		r->result = rc;
		snprintf(r->w->errmsg, sizeof(r->w->errmsg), "%s", lagoon_errmsg());
	}
	return NULL;
}

/* A worker whose thread could not start must not be waited for by others. */
static int start_all(struct lagoon *lg, struct runner *r)
{
	int rc = 0;

	for (int i = 0; i < lg->local_workers; i++) {
		if (!rc)
			rc = lgn_thread_start(&r[i].thread, "lagoon-worker",
					      run_worker, &r[i]);
		r[i].started = !rc;
		if (rc)
			lagoon_worker_leave(&lg->worker[i]);
	}
	return rc;
}

/* Rounding begins anew, and in the round that is coming nobody has added. */
static void begin_table(struct lagoon_table *t)
{
	lgn_table_reseed(t);
	for (int k = 0; k < t->lg->local_workers; k++)
		t->part[k].call = 0;
}

/* lagoon_restore() has set the clocks. */
static int begin_run(struct lagoon *lg)
{
	int before = lg->runs++;

	if (lg->resumed) {
		lg->resumed = false;
		return 0;
	}
	if (!before)
		return 0;
	lg->spell++;
	for (int i = 0; i < LGN_TABLES; i++)
		if (lg->table[i])
			begin_table(lg->table[i]);
	return lgn_clock_restart(lg, 0);
}

LGN_EXPORT int lagoon_run(struct lagoon *lg,
			  int (*work)(struct lagoon_worker *w, void *arg),
			  void *arg)
{
	size_t n = (size_t)lg->local_workers;
	struct runner *r = calloc(n + 1, sizeof(*r));
	int rc;

	if (!r)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu threads", n);
	rc = begin_run(lg);
	if (rc)
		goto out;
	for (size_t i = 0; i < n; i++)
		r[i] = (struct runner){ .w = &lg->worker[i], .work = work, .arg = arg };
	lg->pinned = lg->verified = 0;
	rc = start_all(lg, r);
	for (size_t i = 0; i < n; i++) {
		if (!r[i].started)
			continue;
		pthread_join(r[i].thread, NULL);
		if (!rc && r[i].result) {
			rc = r[i].result;
			lgn_errmsg_set(lg->worker[i].errmsg);
		}
	}
out:
	free(r);
	return rc;
}
