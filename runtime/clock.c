/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When what was added becomes visible. The order that I1 rests on:
 *
 *	add (rounds <= c) -> push, all completions -> publish c + 1
 *	read the board: floor -> its completion -> READ of data
 *
 * so a reader that saw c + 1 finds every delta of rounds <= c.
 */
#include "runtime/ahead.h"
#include "runtime/apply.h"
#include "runtime/audit.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/calls.h"
#include "runtime/push.h"
#include "runtime/rule.h"
#include "runtime/sparse.h"

void lgn_floor_raise(struct lagoon *lg, int64_t floor)
{
	int64_t now = atomic_load_explicit(&lg->floor, memory_order_relaxed);

	/* Release: who sees this floor also sees what its reader saw. */
	while (now < floor &&
	       !atomic_compare_exchange_weak_explicit(&lg->floor, &now, floor,
			memory_order_acq_rel, memory_order_relaxed))
		;
}

static bool advanced(const struct lagoon *lg)
{
	return lgn_node_clock(lg) > atomic_load(&lg->node.control->published);
}

/* Needs the push lock. The read that goes with it keeps the remembered floor
 * fresh. */
static int publish(struct lagoon *lg, struct lgn_board_view *view, int64_t clock)
{
	int rc = lgn_board_show(lg, view);

	atomic_store(&lg->node.control->published, clock);
	/* What is fetched ahead depends on the floor that it brings. */
	if (!rc && atomic_load(&lg->essp_tables))
		lgn_board_drain(lg, view);
	return rc;
}

/* Needs the push lock. Clocks are read before the push: all that they stand
 * for was added before. Of each process its own, so that others see who is
 * last. */
static int push_and_publish(struct lagoon_worker *w, struct lgn_board_view *view)
{
	struct lagoon *lg = w->lg;
	int64_t clock = LGN_CLOCK_LEFT;
	int rc = lgn_check_lost(lg), rc2;

	for (int i = 0; i < lg->node.n; i++) {
		lg->show[i] = lgn_node_clock_of(lg, i);
		clock = lg->show[i] < clock ? lg->show[i] : clock;
	}
	if (rc || clock <= atomic_load(&lg->node.control->published))
		return rc;
	rc = lgn_push_deltas(w);
	if (rc && rc != LAGOON_ERANGE)
		return rc;
	rc2 = publish(lg, view, clock);
	return rc2 ? rc2 : rc;
}

/* The node may have advanced. If another worker is pushing, it looks again
 * after it has let go of the lock, and finds what this one has shown. */
int lgn_clock_advance(struct lagoon_worker *w)
{
	struct lagoon *lg = w->lg;
	int rc = lgn_check_node(lg);

	while (!rc && advanced(lg)) {
		if (!lgn_push_trylock(lg))
			return 0;
		rc = push_and_publish(w, &lg->clock_view);
		lgn_push_unlock(lg);
	}
	return rc;
}

/* Under bsp processes publish for themselves, and a death ends the job. */
int lgn_clock_heed(struct lagoon_worker *w, struct lgn_board_view *view)
{
	struct lagoon *lg = w->lg;
	int rc;

	if (lg->node.n == 1 || lg->restarting || atomic_load(&lg->bsp_tables) ||
	    !advanced(lg) || !lgn_push_trylock(lg))
		return 0;
	rc = push_and_publish(w, view);
	lgn_push_unlock(lg);
	lgn_board_drain(lg, view);
	if (rc != LAGOON_ERANGE)
		return rc;
	lgn_log(LGN_ERROR, "%s", lagoon_errmsg());	/* of nobody's round */
	return 0;
}

static int stop_waiting(void *arg)
{
	const struct lagoon_worker *w = arg;

	return lgn_check_lost(w->lg);
}

/* All workers of the process come here; the last acts for them. That is time
 * lost waiting, what is sent meanwhile included. */
int lgn_meet(struct lagoon_worker *w, int (*action)(void *arg))
{
	uint64_t from = lgn_now_ns();
	int rc = lgn_gate_meet(&w->lg->gate, action, w, stop_waiting);

	lgn_count(&w->waited_ns, lgn_now_ns() - from);
	return rc;
}

static int wait_row(struct lagoon *lg, enum lgn_board_row row, int64_t value)
{
	return lgn_board_meet(lg, &lg->clock_view, row, value);
}

/* For all workers of the process: the round's reads are over everywhere, then
 * the deltas go out, then they are complete everywhere. */
static int end_round(void *arg)
{
	struct lagoon_worker *w = arg;
	struct lagoon *lg = w->lg;
	int64_t next = w->clock + 1;
	int rc, range, more;

	rc = wait_row(lg, LGN_ENDED, next);
	if (rc)
		return rc;
	lgn_push_lock(lg);
	range = lgn_push_round(w);
	more = lgn_push_deltas(w);
	lgn_push_unlock(lg);
	if (range && range != LAGOON_ERANGE)
		return range;
	if (more && more != LAGOON_ERANGE)
		return more;
	range = range ? range : more;
	more = lgn_apply_round(w, NULL);
	if (more && more != LAGOON_ERANGE)
		return more;
	rc = wait_row(lg, LGN_FLUSHED, next);
	if (rc)
		return rc;
	atomic_store(&lg->node.control->published, next);
	lgn_floor_raise(lg, next);
	return range ? range : more;
}

static int clock_together(struct lagoon_worker *w)
{
	int rc = lgn_meet(w, end_round);

	if (rc && rc != LAGOON_ERANGE)
		return rc;
	w->clock++;
	atomic_store(&w->ended, w->clock);
	atomic_store(w->shown, w->clock);
	return rc;
}

static int64_t ended(const struct lagoon *lg)
{
	int64_t least = LGN_CLOCK_LEFT;

	for (int i = 0; i < lg->local_workers; i++) {
		int64_t clock = atomic_load(&lg->worker[i].ended);

		least = clock < least ? clock : least;
	}
	return least;
}

/* Deltas to tables in apply mode are the process's own, and whoever pushes for
 * the node cannot send them: they are applied before the worker that ends the
 * process's round shows its clock. Of two that end it at once, both come here
 * and one waits for the other. */
static int apply_first(struct lagoon_worker *w)
{
	struct lagoon *lg = w->lg;
	int64_t clock;
	int rc = 0;

	if (lg->node.n == 1 || !atomic_load(&lg->apply_tables)) {
		atomic_store_explicit(&w->ended, w->clock, memory_order_relaxed);
		return 0;
	}
	atomic_store(&w->ended, w->clock);
	clock = ended(lg);
	if (clock <= atomic_load(&lg->applied))
		return 0;
	lgn_push_lock(lg);
	if (clock > atomic_load(&lg->applied)) {
		rc = lgn_apply_push_all(w);
		if (!rc || rc == LAGOON_ERANGE)
			atomic_store(&lg->applied, clock);
	}
	lgn_push_unlock(lg);
	return rc;
}

int lgn_clock(struct lagoon_worker *w)
{
	int rc = lgn_worker_check(w), rc2;

	if (rc)
		return rc;
	if (atomic_load(&w->lg->bsp_tables)) {
		rc = clock_together(w);
	} else {
		w->clock++;
		rc = apply_first(w);
		if (rc && rc != LAGOON_ERANGE)
			return rc;
		atomic_store(w->shown, w->clock);
		rc2 = lgn_clock_advance(w);
		rc = rc2 ? rc2 : rc;
	}
	if (!rc)
		lgn_ahead(w);
	return rc;
}

/* For all workers of the process. */
static int meet(void *arg)
{
	struct lagoon_worker *w = arg;
	struct lagoon *lg = w->lg;
	int rc, rc2, more;

	lgn_push_lock(lg);
	rc = lgn_push_deltas(w);
	lgn_push_unlock(lg);
	if (rc && rc != LAGOON_ERANGE)
		return rc;
	/* Others of the node did not wait for the lock. */
	more = lgn_clock_advance(w);
	if (more && more != LAGOON_ERANGE)
		return more;
	rc2 = lgn_audit_tell(lg);
	if (!rc2)
		rc2 = wait_row(lg, LGN_MET, ++lg->met);
	if (!rc2)
		rc2 = lgn_audit_met(lg);
	if (rc2)
		return rc2;
	atomic_fetch_add(&lg->epoch, 1);
	return rc ? rc : more;
}

int lgn_barrier(struct lagoon_worker *w)
{
	int rc = lgn_worker_check(w);

	return rc ? rc : lgn_meet(w, meet);
}

static bool has_own(const struct lagoon_worker *w)
{
	bool own = false;

	for (int i = 0; i < LGN_TABLES; i++) {
		const struct lagoon_table *t = w->lg->table[i];

		if (t && t->apply)
			own |= lgn_apply_has_own(t, w->index);
		else
			own |= t && t->part[w->index].own && t->part[w->index].own->used;
	}
	return own;
}

/* The last worker of the process takes it out of every count. */
static int publish_left(struct lagoon *lg)
{
	int rc = 0;

	if (!rc)
		rc = lgn_audit_tell(lg);
	/* Its node may not have advanced, and said that for it. */
	if (!rc && lg->node.n > 1)
		rc = lgn_board_publish(lg, &lg->clock_view, LGN_FLUSHED,
				       LGN_CLOCK_LEFT);
	if (!rc)
		rc = lgn_board_publish(lg, &lg->clock_view, LGN_ENDED,
				       LGN_CLOCK_LEFT);
	return rc ? rc : lgn_board_publish(lg, &lg->clock_view, LGN_MET,
					   LGN_CLOCK_LEFT);
}

int lgn_leave(struct lagoon_worker *w)
{
	struct lagoon *lg = w->lg;
	int rc = lgn_worker_check(w), rc2;

	if (rc)
		return rc;
	if (has_own(w))
		rc = clock_together(w);
	w->left = true;
	lgn_push_lock(lg);
	rc2 = lgn_check_lost(lg);
	if (!rc2)
		rc2 = lgn_push_deltas(w);
	rc = rc ? rc : rc2;
	/* One that gives up has not pushed what it had ended: its clock counts
	 * until everybody knows why, in its node, too. */
	if (!rc2 || rc2 == LAGOON_ERANGE) {
		atomic_store(&w->ended, LGN_CLOCK_LEFT);
		atomic_store(w->shown, LGN_CLOCK_LEFT);
		rc2 = push_and_publish(w, &lg->clock_view);
		if (!rc2 && lgn_node_clock_of(lg, lg->node.me) == LGN_CLOCK_LEFT)
			rc2 = publish_left(lg);
	}
	lgn_push_unlock(lg);
	rc = rc ? rc : rc2;
	/* A sibling may have advanced while this one held the lock. Before the
	 * gate may open without this worker: who acts there uses clock_view. */
	rc2 = lgn_clock_advance(w);
	lgn_gate_leave(&lg->gate);
	return rc ? rc : rc2;
}

/* A process without workers holds nobody back. */
int lgn_clock_none(struct lagoon *lg)
{
	int rc = lgn_board_publish(lg, &lg->clock_view, LGN_FLUSHED,
				   LGN_CLOCK_LEFT);

	return rc ? rc : publish_left(lg);
}

int lgn_clock_restart(struct lagoon *lg, int64_t clock)
{
	int rc;

	lg->restarting = true;
	rc = lgn_board_sync(lg);
	/* A board read of the last run would raise the floor of this one. */
	for (int i = 0; i < lg->local_workers; i++)
		lgn_board_drain(lg, &lg->worker[i].view);
	for (int row = 0; !rc && row < LGN_SYNCED; row++)
		rc = lgn_board_publish(lg, &lg->clock_view, row,
				       !lg->local_workers ? LGN_CLOCK_LEFT :
				       row == LGN_MET ? 0 : clock);
	if (rc)
		return rc;
	lgn_audit_restart(lg);
	lg->met = 0;
	lg->gate.live = lg->local_workers;
	rc = lgn_rules_agree(lg);
	if (rc)
		return rc;
	for (int i = 0; i < LGN_TABLES; i++)
		if (lg->table[i])
			lgn_ahead_forget(lg->table[i]);
	atomic_store(&lg->node.control->published, clock);
	atomic_store(&lg->applied, clock);
	atomic_store(&lg->floor, clock);
	atomic_fetch_add(&lg->epoch, 1);
	for (int i = 0; i < lg->local_workers; i++) {
		lg->worker[i].clock = clock;
		lg->worker[i].left = false;
		atomic_store(&lg->worker[i].ended, clock);
		atomic_store(lg->worker[i].shown, clock);
	}
	rc = lgn_board_sync(lg);
	lg->restarting = false;
	return rc;
}
