/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker of a case: random pulls and adds, blocking and several in
 * flight, extra work, changes of the bound, clocks, barriers.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sample.h"
#include "test/support/property.h"

/* A pull or an add, from its start to its completion. */
struct op {
	struct pr_table *table;
	int index;		/* of the table */
	bool is_add;
	bool is_list;
	uint64_t row;
	uint64_t n;
	int bound_first;	/* index into the bounds when it began */
	struct lagoon_request *req;
	struct or_pull pull;
	uint64_t rows[PR_OP_ROWS];
	uint32_t elem[PR_OP_ELEMS];
	int64_t lane[PR_OP_ELEMS];	/* what was pulled */
	int64_t count[PR_OP_ELEMS];	/* what is added */
	int64_t least[PR_OP_ELEMS][OR_WORKERS];
	uint64_t buf[PR_OP_ELEMS];	/* the caller's buffer */
};

struct worker {
	struct lagoon_worker *w;
	int id;
	bool setter;		/* sets the bounds of this process */
	int32_t clock;
	struct t_rng rng;
	struct pr_run *run;
	struct or_seen seen[PR_TABLES];
	struct op op[PR_OPS];
};

static _Atomic uint64_t sink;

/* Up to about 200 us of computing, or the core given away. */
static void busy_work(struct worker *me)
{
	uint64_t x = 0;

	if (t_once_in(&me->rng, 4)) {
		sched_yield();
		return;
	}
	for (uint64_t n = t_below(&me->rng, 200000); n; n--)
		x += n ^ (x << 1);
	atomic_store_explicit(&sink, x, memory_order_relaxed);
}

/* Several rows: some twice, some where everybody goes. */
static void rows_draw(struct worker *me, struct op *op, uint64_t most)
{
	const struct pr_shape *s = op->table->shape;

	op->n = 1 + t_below(&me->rng, most < 24 ? most : 24);
	for (uint64_t i = 0; i < op->n; i++) {
		if (i && t_once_in(&me->rng, 4))
			op->rows[i] = op->rows[t_below(&me->rng, i)];
		else if (t_once_in(&me->rng, 4))
			op->rows[i] = t_below(&me->rng, s->rows < 3 ? s->rows : 3);
		else
			op->rows[i] = t_below(&me->rng, s->rows);
	}
}

static void range_draw(struct worker *me, struct op *op, uint64_t most)
{
	const struct pr_shape *s = op->table->shape;

	op->row = t_below(&me->rng, s->rows);
	if (most > s->rows - op->row)
		most = s->rows - op->row;
	if (t_once_in(&me->rng, 2) && most > 3)
		most = 3;
	op->n = 1 + t_below(&me->rng, most);
}

static void op_elems(struct op *op)
{
	uint32_t cols = op->table->shape->cols;

	for (uint64_t i = 0; i < op->n; i++)
		for (uint32_t k = 0; k < cols; k++) {
			uint64_t row = op->is_list ? op->rows[i] : op->row + i;

			op->elem[i * cols + k] = (uint32_t)(row * cols + k);
		}
	op->pull.n = (uint32_t)(op->n * cols);
}

/* How much to add to an element: mostly 0 or 1, seldom much. */
static int64_t count_draw(struct worker *me, int64_t room)
{
	if (room <= 0 || t_once_in(&me->rng, 2))
		return 0;
	if (t_once_in(&me->rng, 40))
		return (int64_t)t_below(&me->rng, (uint64_t)room / 4 + 1);
	return 1;
}

static void add_prepare(struct worker *me, struct op *op)
{
	struct or_log *log = op->table->log;

	for (uint32_t i = 0; i < op->pull.n; i++) {
		uint32_t e = op->elem[i];

		op->count[i] = count_draw(me, or_room(log, e, me->id));
		el_put(&op->table->shape->kind, op->buf, i,
		       or_add(log, e, me->id, op->count[i]));
	}
	atomic_fetch_add(&op->table->adds, 1);
	atomic_fetch_add(&op->table->rows_added, op->n);
}

static void pull_prepare(struct worker *me, struct op *op)
{
	op->bound_first = atomic_load(&op->table->bounds_done) - 1;
	op->pull.worker = me->id;
	op->pull.model = (enum or_model)op->table->model;
	op->pull.clock = me->clock;
	op->pull.elem = op->elem;
	op->pull.least = op->least;
	or_pull_begin(&me->seen[op->index], &op->pull);
	memset(op->buf, 0x5a, sizeof(op->buf));
	atomic_fetch_add(&op->table->pulls, 1);
	atomic_fetch_add(&op->table->rows_pulled, op->n);
}

static void op_draw(struct worker *me, struct op *op)
{
	uint64_t most;

	op->index = (int)t_below(&me->rng, (uint64_t)me->run->c->tables);
	op->table = &me->run->table[op->index];
	op->is_add = t_once_in(&me->rng, 2);
	op->is_list = t_once_in(&me->rng, 2);
	most = PR_OP_ELEMS / op->table->shape->cols;
	if (op->is_list)
		rows_draw(me, op, most);
	else
		range_draw(me, op, most);
}

static void op_prepare(struct worker *me, struct op *op)
{
	op_elems(op);
	if (op->is_add)
		add_prepare(me, op);
	else
		pull_prepare(me, op);
}

static int32_t loosest_bound(const struct op *op)
{
	int32_t bound = 0;

	for (int i = op->bound_first; i < atomic_load(&op->table->bounds_begun);
	     i++)
		if (op->table->bound[i] > bound)
			bound = op->table->bound[i];
	return bound;
}

/* Of psp samples the smallest asks least: it is part of all others. */
static uint32_t asked(const struct worker *me, const struct op *op)
{
	int who[OR_WORKERS], n;
	int32_t sample = INT32_MAX;
	uint32_t bits = 0;

	for (int i = op->bound_first; i < atomic_load(&op->table->bounds_begun);
	     i++)
		if (op->table->sample[i] < sample)
			sample = op->table->sample[i];
	n = lgn_sample_draw(op->table->seed, me->id, op->pull.clock,
			    lagoon_workers(t_lg), sample, who);
	for (int i = 0; i < n; i++)
		bits |= 1u << who[i];
	return bits;
}

static void op_finish(struct worker *me, struct op *op, int rc)
{
	struct or_seen *seen = &me->seen[op->index];
	char why[OR_WHY];

	if (rc && pr_may_fail)
		pr_ok(rc, op->is_add ? "add" : "pull");
	if (rc)
		t_die("%s of worker %d at clock %d: %s: %s",
		      op->is_add ? "add" : "pull", me->id, me->clock,
		      lagoon_strerror(rc), lagoon_errmsg());
	if (op->is_add) {
		for (uint32_t i = 0; i < op->pull.n; i++)
			or_add_done(seen, op->elem[i], me->id, op->count[i]);
		return;
	}
	op->pull.bound = loosest_bound(op);
	op->pull.asked = asked(me, op);
	for (uint32_t i = 0; i < op->pull.n; i++)
		T_CHECK(el_get(&op->table->shape->kind, op->buf, i,
			       &op->lane[i]), "a value that is no whole unit");
	if (!or_pull_check(op->table->log, &op->pull, op->lane, seen, why))
		t_die("%s", why);
}

static void op_run(struct worker *me, struct op *op)
{
	struct lagoon_table *t = op->table->t;
	int rc;

	op_prepare(me, op);
	if (op->is_add)
		rc = op->is_list
			? lagoon_add_rows(me->w, t, op->rows, op->n, op->buf)
			: lagoon_add(me->w, t, op->row, op->n, op->buf);
	else
		rc = op->is_list
			? lagoon_pull_rows(me->w, t, op->rows, op->n, op->buf)
			: lagoon_pull(me->w, t, op->row, op->n, op->buf);
	op_finish(me, op, rc);
}

static void op_start(struct worker *me, struct op *op)
{
	struct lagoon_table *t = op->table->t;
	int rc;

	op_prepare(me, op);
	op->req = NULL;
	if (op->is_add)
		rc = op->is_list
			? lagoon_add_rows_start(me->w, t, op->rows, op->n,
						op->buf, &op->req)
			: lagoon_add_start(me->w, t, op->row, op->n, op->buf,
					   &op->req);
	else
		rc = op->is_list
			? lagoon_pull_rows_start(me->w, t, op->rows, op->n,
						 op->buf, &op->req)
			: lagoon_pull_start(me->w, t, op->row, op->n, op->buf,
					    &op->req);
	pr_ok(rc, "start of a request");
	T_CHECK(op->req, "no request came back");
}

/* Some in flight, completed in any order, by test and by wait. */
static void burst(struct worker *me)
{
	int n = 2 + (int)t_below(&me->rng, PR_OPS - 1), left = n;
	int order[PR_OPS];

	for (int i = 0; i < n; i++) {
		op_draw(me, &me->op[i]);
		op_start(me, &me->op[i]);
		order[i] = i;
	}
	while (left) {
		int k = (int)t_below(&me->rng, (uint64_t)left), done = 1;
		struct op *op = &me->op[order[k]];
		int rc;

		if (t_once_in(&me->rng, 2))
			rc = lagoon_test(op->req, &done);
		else
			rc = lagoon_wait(op->req);
		if (!done && !rc)
			continue;
		op_finish(me, op, rc);
		order[k] = order[--left];
	}
}

static void change_change(struct worker *me, struct pr_table *table)
{
	const struct pr_shape *s = table->shape;
	int64_t change = (int64_t)t_below(&me->rng,
					  1 + 2 * (uint64_t)s->change);

	if (change > table->change_most)
		table->change_most = change;
	t_ok(lagoon_table_set_change(table->t, pr_units(s, change)),
	     "set_change");
}

static void bound_change(struct worker *me)
{
	struct pr_table *table =
		&me->run->table[t_below(&me->rng, (uint64_t)me->run->c->tables)];
	int n = atomic_load(&table->bounds_begun), model = table->model;

	if (!me->setter || !me->run->c->bounds_change || n == PR_BOUNDS ||
	    model == LAGOON_BSP || model == LAGOON_ASP)
		return;
	if (model == LAGOON_VAP) {
		change_change(me, table);
		return;
	}
	table->bound[n] = (int32_t)t_below(&me->rng, 9);
	table->sample[n] = table->sample[n - 1];
	if (model == LAGOON_PSP && t_once_in(&me->rng, 2))
		table->sample[n] = (int32_t)t_below(&me->rng, OR_WORKERS + 1);
	if (table->bound[n] > table->loosest)
		table->loosest = table->bound[n];
	atomic_store(&table->bounds_begun, n + 1);
	pr_ok(lagoon_table_set_staleness(table->t, table->bound[n]),
	     "set_staleness");
	if (model == LAGOON_PSP)
		t_ok(lagoon_table_set_sample(table->t, table->sample[n]),
		     "set_sample");
	atomic_store(&table->bounds_done, n + 1);
	T_CHECK(lagoon_table_staleness(table->t) == table->bound[n],
		"the bound is not what was set");
}

static void one_action(struct worker *me)
{
	uint64_t draw = t_below(&me->rng, 100);

	if ((int)t_below(&me->rng, 100) < me->run->c->busy[me->id])
		busy_work(me);
	if (draw < 60) {
		op_draw(me, &me->op[0]);
		op_run(me, &me->op[0]);
	} else if (draw < 90) {
		burst(me);
	} else if (draw < 95) {
		bound_change(me);
	} else {
		sched_yield();
	}
}

static void table_exact(struct worker *me, int index)
{
	struct pr_table *table = &me->run->table[index];
	const struct pr_shape *s = table->shape;
	struct op *op = &me->op[0];
	uint64_t step = PR_OP_ELEMS / s->cols;
	char why[OR_WHY];

	op->index = index;
	op->table = table;
	op->is_add = op->is_list = false;
	for (op->row = 0; op->row < s->rows; op->row += op->n) {
		op->n = s->rows - op->row;
		if (op->n > step)
			op->n = step;
		op_run(me, op);
		for (uint32_t k = 0; k < op->pull.n; k++)
			T_CHECK(or_exact(table->log, op->elem[k], op->lane[k],
					 why), "%s, after a barrier", why);
	}
}

/* Between two barriers nobody adds: every element is exact. */
static void barrier_and_check(struct worker *me)
{
	pr_ok(lagoon_barrier(me->w), "lagoon_barrier");
	for (int i = 0; i < me->run->c->tables; i++)
		table_exact(me, i);
	pr_ok(lagoon_barrier(me->w), "lagoon_barrier");
}

/* Everybody draws the same from the seed and writes it down before: after the
 * last barrier nobody pulls, until all have come here. (The setter may have
 * left.) */
static void model_change(struct worker *me, int round)
{
	const struct pr_case *c = me->run->c;
	struct t_rng rng = { t_mix(c->seed, 5000 + (uint64_t)round) };
	int index = (int)t_below(&rng, (uint64_t)c->tables);
	struct pr_table *table = &me->run->table[index];
	struct pr_shape s = *table->shape;
	struct lagoon_table_attr attr;

	pr_model_draw(&s, &rng, true);
	lagoon_table_attr_init(&attr);
	t_ok(lagoon_table_get_attr(table->t, &attr), "get_attr");
	attr.model = s.model;
	attr.staleness = s.staleness;
	attr.sample = s.sample;
	attr.change = pr_units(&s, s.change);
	pthread_mutex_lock(&me->run->lock);
	table->model = s.model;
	table->model_changed = true;
	table->bound[0] = s.staleness;
	table->sample[0] = s.sample;
	if (s.change > table->change_most)
		table->change_most = s.change;
	atomic_store(&table->bounds_begun, 1);
	atomic_store(&table->bounds_done, 1);
	pthread_mutex_unlock(&me->run->lock);
	pr_ok(lagoon_table_set_model(me->w, table->t, &attr), "set_model");
}

static void end_round(struct worker *me)
{
	for (int i = 0; i < me->run->c->tables; i++)
		or_round_end(me->run->table[i].log, me->id);
	pr_ok(lagoon_clock(me->w), "lagoon_clock");
	me->clock++;
	T_CHECK(lagoon_worker_clock(me->w) == me->clock,
		"worker %d is at clock %lld, not %d", me->id,
		(long long)lagoon_worker_clock(me->w), me->clock);
}

static void log_leave(struct worker *me)
{
	for (int i = 0; i < me->run->c->tables; i++)
		or_leave(me->run->table[i].log, me->id);
}

/* Barriers stand at rounds that all workers know from the seed; under bsp
 * after the clock only. */
static void rounds_run(struct worker *me)
{
	const struct pr_case *c = me->run->c;

	for (int round = 0; round < c->rounds; round++) {
		bool meet = c->barrier_every && round % c->barrier_every == 1;
		bool before = !c->bsp && t_mix(c->seed, (uint64_t)round) & 1;

		for (uint64_t n = t_below(&me->rng, (uint64_t)c->actions + 1); n;
		     n--)
			one_action(me);
		if (me->id == c->leaver && round == c->leave_round) {
			log_leave(me);
			pr_ok(lagoon_worker_leave(me->w), "worker_leave");
			return;
		}
		if (meet && before)
			barrier_and_check(me);
		end_round(me);
		if (meet && !before)
			barrier_and_check(me);
		if (meet && c->models_change)
			model_change(me, round);
	}
	barrier_and_check(me);
	log_leave(me);
}

int pr_work(struct lagoon_worker *w, void *arg)
{
	struct worker *me = calloc(1, sizeof(*me));
	struct lagoon_worker *first;

	T_CHECK(me, "no memory for a worker");
	t_ok(lagoon_worker(t_lg, 0, &first), "lagoon_worker");
	me->w = w;
	me->id = lagoon_worker_id(w);
	me->setter = w == first;
	me->run = arg;
	me->rng.state = t_mix(me->run->c->seed, 1000 + (uint64_t)me->id);
	rounds_run(me);
	free(me);
	return 0;
}
