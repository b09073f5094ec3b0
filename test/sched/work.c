/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker does in a schedule. */
#include <string.h>

#include "runtime/sample.h"
#include "runtime/table.h"
#include "test/sched/case.h"
#include "test/sched/sched.h"

enum { IN_FLIGHT = 3 };

/* A pull or an add, from its start to its completion. */
struct op {
	struct tab *tab;
	int index;		/* of the table */
	bool is_add, is_list;
	uint64_t row, n;
	int bound_first;
	struct lagoon_request *req;
	struct or_pull pull;
	uint64_t rows[CASE_ELEMS];
	uint32_t elem[CASE_ELEMS];
	int64_t lane[CASE_ELEMS], count[CASE_ELEMS];
	int64_t least[CASE_ELEMS][OR_WORKERS];
	uint64_t buf[CASE_ELEMS];
};

struct worker {
	struct lagoon_worker *w;
	struct proc *p;
	int id;
	bool setter;
	int32_t clock;
	int64_t last_ticket, tickets, tickets_seen;
	struct t_rng rng;
	struct op op[IN_FLIGHT];
	struct or_seen seen[CASE_TABLES];
};

static struct worker worker_of[OR_WORKERS];

static void call_begins(void)
{
	if (run.calls++ == run.job.die_call && run.job.victim >= 0)
		sched_kill_later(run.job.victim, run.job.die_later);
}

static void call_ends(const struct worker *me, const char *what, int rc)
{
	sched_tell("worker %d, clock %d: %s returns %d", me->id, me->clock, what,
		   rc);
	sched_progress();
}

static void op_draw(struct worker *me, struct op *op)
{
	const struct shape *s;
	uint64_t most;

	op->index = (int)t_below(&me->rng, (uint64_t)run.job.tables);
	op->tab = &me->p->tab[op->index];
	s = op->tab->shape;
	op->is_add = t_once_in(&me->rng, 2);
	op->is_list = t_once_in(&me->rng, 3);
	most = op->is_list ? 4 : s->rows;
	op->row = op->is_list ? 0 : t_below(&me->rng, s->rows);
	op->n = 1 + t_below(&me->rng, most - op->row);
	for (uint64_t i = 0; i < op->n; i++) {
		op->rows[i] = op->is_list ? t_below(&me->rng, s->rows) :
			op->row + i;
		for (uint32_t k = 0; k < s->cols; k++)
			op->elem[i * s->cols + k] =
				(uint32_t)(op->rows[i] * s->cols + k);
	}
	op->pull.n = (uint32_t)(op->n * s->cols);
}

static void add_prepare(struct worker *me, struct op *op)
{
	struct or_log *log = &run.log[op->index];

	for (uint32_t i = 0; i < op->pull.n; i++) {
		uint32_t e = op->elem[i];
		int64_t room = or_room(log, e, me->id);

		op->count[i] = room > 0 && !t_once_in(&me->rng, 4);
		if (room > 40 && t_once_in(&me->rng, 20))
			op->count[i] = (int64_t)t_below(&me->rng,
							(uint64_t)room / 4);
		el_put(&op->tab->shape->kind, op->buf, i,
		       or_add(log, e, me->id, op->count[i]));
	}
}

static void pull_prepare(struct worker *me, struct op *op)
{
	op->bound_first = op->tab->done - 1;
	op->pull.worker = me->id;
	op->pull.model = (enum or_model)op->tab->model;
	op->pull.clock = me->clock;
	op->pull.elem = op->elem;
	op->pull.least = op->least;
	or_pull_begin(&me->seen[op->index], &op->pull);
	memset(op->buf, 0x5a, sizeof(op->buf));
}

static void op_prepare(struct worker *me, struct op *op)
{
	sched_tell("worker %d, clock %d: %s table %d, row %llu, %llu rows%s",
		   me->id, me->clock, op->is_add ? "add" : "pull", op->index,
		   (unsigned long long)op->rows[0], (unsigned long long)op->n,
		   op->is_list ? ", list" : "");
	call_begins();
	if (op->is_add)
		add_prepare(me, op);
	else
		pull_prepare(me, op);
}

/* What the pull may have gone by while it ran: the loosest bound, and the
 * smallest psp sample, which is part of all others. */
static void limits_find(const struct worker *me, struct op *op)
{
	int32_t bound = 0, sample = INT32_MAX;
	int who[OR_WORKERS], n;

	for (int i = op->bound_first; i < op->tab->begun; i++) {
		if (op->tab->bound[i] > bound)
			bound = op->tab->bound[i];
		if (op->tab->sample[i] < sample)
			sample = op->tab->sample[i];
	}
	op->pull.bound = bound;
	op->pull.asked = 0;
	n = lgn_sample_draw(lgn_table_seed(op->tab->t), me->id, op->pull.clock,
			    run.job.workers, sample, who);
	for (int i = 0; i < n; i++)
		op->pull.asked |= 1u << who[i];
}

static bool op_finish(struct worker *me, struct op *op, int rc)
{
	char why[OR_WHY];

	call_ends(me, op->is_add ? "add" : "pull", rc);
	if (!case_good(rc, op->is_add ? "add" : "pull"))
		return false;
	if (op->is_add) {
		for (uint32_t i = 0; i < op->pull.n; i++)
			or_add_done(&me->seen[op->index], op->elem[i], me->id,
				    op->count[i]);
		return true;
	}
	limits_find(me, op);
	for (uint32_t i = 0; i < op->pull.n; i++)
		T_CHECK(el_get(&op->tab->shape->kind, op->buf, i, &op->lane[i]),
			"a value that is no whole unit");
	if (!or_pull_check(&run.log[op->index], &op->pull, op->lane,
			   &me->seen[op->index], why))
		t_die("%s", why);
	return true;
}

static bool op_run(struct worker *me, struct op *op)
{
	struct lagoon_table *t = op->tab->t;
	int rc;

	op_prepare(me, op);
	if (op->is_add)
		rc = op->is_list ?
			lagoon_add_rows(me->w, t, op->rows, op->n, op->buf) :
			lagoon_add(me->w, t, op->row, op->n, op->buf);
	else
		rc = op->is_list ?
			lagoon_pull_rows(me->w, t, op->rows, op->n, op->buf) :
			lagoon_pull(me->w, t, op->row, op->n, op->buf);
	return op_finish(me, op, rc);
}

static int op_start(struct worker *me, struct op *op)
{
	struct lagoon_table *t = op->tab->t;

	op_prepare(me, op);
	if (op->is_add)
		return op->is_list ?
			lagoon_add_rows_start(me->w, t, op->rows, op->n,
					      op->buf, &op->req) :
			lagoon_add_start(me->w, t, op->row, op->n, op->buf,
					 &op->req);
	return op->is_list ?
		lagoon_pull_rows_start(me->w, t, op->rows, op->n, op->buf,
				       &op->req) :
		lagoon_pull_start(me->w, t, op->row, op->n, op->buf, &op->req);
}

/* Some in flight together. All are waited for, also when one fails. */
static bool burst(struct worker *me)
{
	bool good = true;
	int rc[IN_FLIGHT];

	for (int i = 0; i < IN_FLIGHT; i++) {
		op_draw(me, &me->op[i]);
		me->op[i].req = NULL;
		rc[i] = op_start(me, &me->op[i]);
	}
	for (int i = 0; i < IN_FLIGHT; i++) {
		int done = 0;

		while (!rc[i] && !done && t_once_in(&me->rng, 2))
			rc[i] = lagoon_test(me->op[i].req, &done);
		if (!rc[i] && !done)
			rc[i] = lagoon_wait(me->op[i].req);
		good &= op_finish(me, &me->op[i], rc[i]);
	}
	return good;
}

static void bound_change(struct worker *me)
{
	struct tab *tab = &me->p->tab[t_below(&me->rng, (uint64_t)run.job.tables)];
	int n = tab->begun;

	if (!me->setter || !run.job.bounds_change || n == CASE_BOUNDS ||
	    tab->model == LAGOON_BSP || tab->model == LAGOON_ASP ||
	    tab->model == LAGOON_VAP)
		return;
	tab->bound[n] = (int32_t)t_below(&me->rng, 4);
	tab->sample[n] = tab->sample[n - 1];
	if (tab->model == LAGOON_PSP)
		tab->sample[n] = (int32_t)t_below(&me->rng, OR_WORKERS + 1);
	tab->begun = n + 1;
	t_ok(lagoon_table_set_staleness(tab->t, tab->bound[n]), "set_staleness");
	if (tab->model == LAGOON_PSP)
		t_ok(lagoon_table_set_sample(tab->t, tab->sample[n]), "set_sample");
	tab->done = n + 1;
}

/* Nobody ever gets the same ticket, and everybody sees his own. */
static bool ticket(struct worker *me)
{
	int64_t old = -1, now = -1;
	int rc;

	if (!run.job.tickets)
		return true;
	call_begins();
	run.tickets_begun++;
	rc = lagoon_fetch_add(me->w, me->p->tickets, 0, 0, 1, &old);
	call_ends(me, "fetch_add", rc);
	if (!case_good(rc, "fetch_add"))
		return false;
	T_CHECK(old >= 0 && old < run.tickets_begun && old < CASE_TICKETS &&
		!run.ticket[old], "ticket %lld twice, or of nobody",
		(long long)old);
	T_CHECK(old > me->last_ticket, "ticket %lld after %lld", (long long)old,
		(long long)me->last_ticket);
	run.ticket[old] = true;
	run.tickets_done++;
	me->last_ticket = old;
	rc = lagoon_pull(me->w, me->p->tickets, 0, 1, &now);
	call_ends(me, "pull of tickets", rc);
	if (!case_good(rc, "pull of tickets"))
		return false;
	T_CHECK(now >= ++me->tickets, "I2, a pull shows %lld tickets of %lld of its own",
		(long long)now, (long long)me->tickets);
	T_CHECK(now >= me->tickets_seen && now <= run.tickets_begun,
		"I4, a pull shows %lld tickets after %lld", (long long)now,
		(long long)me->tickets_seen);
	me->tickets_seen = now;
	return true;
}

static bool one_action(struct worker *me)
{
	uint64_t draw = t_below(&me->rng, 100);

	if (draw < 60) {
		op_draw(me, &me->op[0]);
		return op_run(me, &me->op[0]);
	}
	if (draw < 85)
		return burst(me);
	if (draw < 90)
		bound_change(me);
	return draw < 90 || ticket(me);
}

/* Everybody sees the same, and all of it. */
static bool table_exact(struct worker *me, int index, bool last)
{
	struct op *op = &me->op[0];
	char why[OR_WHY];

	op->index = index;
	op->tab = &me->p->tab[index];
	op->is_add = op->is_list = false;
	op->row = 0;
	op->n = op->tab->shape->rows;
	op->pull.n = (uint32_t)(op->n * op->tab->shape->cols);
	for (uint32_t i = 0; i < op->pull.n; i++)
		op->elem[i] = i;
	op->rows[0] = 0;
	if (!op_run(me, op))
		return false;
	if (last)
		run.missing[index] = 0;
	for (uint32_t i = 0; i < op->pull.n; i++) {
		T_CHECK(or_exact(&run.log[index], i, op->lane[i], why),
			"%s, after a barrier", why);
		if (last && run.final_seen)
			T_CHECK(or_same(&run.log[index], i, run.final[index][i],
					op->lane[i]),
				"I3, element %u is %lld to one worker, %lld to another",
				i, (long long)run.final[index][i],
				(long long)op->lane[i]);
		if (last)
			run.final[index][i] = op->lane[i];
		if (last && or_short(&run.log[index], i, op->lane[i]))
			run.missing[index]++;
	}
	return true;
}

static bool meet(struct worker *me)
{
	int rc;

	sched_tell("worker %d, clock %d: barrier", me->id, me->clock);
	call_begins();
	rc = lagoon_barrier(me->w);
	call_ends(me, "barrier", rc);
	return case_good(rc, "barrier");
}

/* Between two barriers nobody adds. */
static bool barrier_and_check(struct worker *me, bool last)
{
	if (!meet(me))
		return false;
	for (int i = 0; i < run.job.tables; i++)
		if (!table_exact(me, i, last))
			return false;
	run.final_seen |= last;
	return meet(me);
}

/* All draw the same, and write it down before; see property_worker.c. */
static bool model_change(struct worker *me, int round)
{
	struct t_rng rng = { t_mix(run.job.seed, 5000 + (uint64_t)round) };
	int index = (int)t_below(&rng, (uint64_t)run.job.tables), rc;
	struct tab *tab = &me->p->tab[index];
	struct shape s = *tab->shape;
	struct lagoon_table_attr attr;

	case_model_draw(&s, &rng, run.job.workers, true);
	lagoon_table_attr_init(&attr);
	t_ok(lagoon_table_get_attr(tab->t, &attr), "get_attr");
	attr.model = s.model;
	attr.staleness = s.staleness;
	attr.sample = s.sample;
	attr.change = case_units(&s, s.change);
	tab->model = s.model;
	tab->bound[0] = s.staleness;
	tab->sample[0] = s.sample;
	tab->begun = tab->done = 1;
	sched_tell("worker %d: table %d to model %d", me->id, index, s.model);
	call_begins();
	rc = lagoon_table_set_model(me->w, tab->t, &attr);
	call_ends(me, "set_model", rc);
	return case_good(rc, "set_model");
}

static bool end_round(struct worker *me)
{
	int rc;

	for (int i = 0; i < run.job.tables; i++)
		or_round_end(&run.log[i], me->id);
	sched_tell("worker %d ends round %d", me->id, me->clock);
	call_begins();
	rc = lagoon_clock(me->w);
	me->clock++;
	call_ends(me, "clock", rc);
	return case_good(rc, "clock");
}

static void log_leave(struct worker *me)
{
	for (int i = 0; i < run.job.tables; i++)
		or_leave(&run.log[i], me->id);
}

/* Barriers stand at rounds that all know; under bsp after the clock only. */
static bool rounds_run(struct worker *me)
{
	const struct job *job = &run.job;

	for (int round = 0; round < job->rounds; round++) {
		bool meets = job->barrier_every && round % job->barrier_every == 1;
		bool before = !job->bsp && t_mix(job->seed, (uint64_t)round) & 1;

		for (int n = (int)t_below(&me->rng, (uint64_t)job->actions + 1);
		     n; n--)
			if (!one_action(me))
				return false;
		if (me->id == job->leaver && round == job->leave_round) {
			log_leave(me);
			sched_tell("worker %d leaves", me->id);
			return case_good(lagoon_worker_leave(me->w), "leave");
		}
		if ((meets && before && !barrier_and_check(me, false)) ||
		    !end_round(me) ||
		    (meets && !before && !barrier_and_check(me, false)) ||
		    (meets && job->models_change && !model_change(me, round)))
			return false;
	}
	if (!barrier_and_check(me, true))
		return false;
	log_leave(me);
	return true;
}

static void seen_clear(struct or_seen *seen)
{
	memset(seen->digit, 0, CASE_ELEMS * sizeof(seen->digit[0]));
	memset(seen->own, 0, CASE_ELEMS * sizeof(seen->own[0]));
}

int case_work(struct lagoon_worker *w, void *arg)
{
	struct worker *me = &worker_of[lagoon_worker_id(w)];
	struct lagoon_worker *first;

	me->w = w;
	me->p = arg;
	me->id = lagoon_worker_id(w);
	me->clock = 0;
	me->last_ticket = -1;
	me->tickets = me->tickets_seen = 0;
	me->rng.state = t_mix(run.job.seed, 1000 + (uint64_t)me->id);
	for (int i = 0; i < CASE_TABLES; i++)
		seen_clear(&me->seen[i]);
	t_ok(lagoon_worker(me->p->lg, 0, &first), "lagoon_worker");
	me->setter = w == first;
	if (rounds_run(me))
		return 0;
	log_leave(me);		/* lagoon_run() takes it out of the job */
	return LAGOON_EPEER;
}
