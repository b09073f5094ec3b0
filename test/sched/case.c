/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runtime/table.h"
#include "test/sched/case.h"
#include "test/sched/host_sim.h"
#include "test/sched/sched.h"
#include "test/sched/wire_sim.h"

struct run run;

static const char *const model_name[] = {
	"ssp", "bsp", "asp", "essp", "psp", "vap"
};

double case_units(const struct shape *s, int64_t units)
{
	int bits = s->kind.format <= LAGOON_Q32 ? s->kind.frac_bits : 0;

	return ldexp((double)units, -bits);
}

void case_model_draw(struct shape *s, struct t_rng *rng, int workers, bool bsp)
{
	static const int models[] = {
		LAGOON_SSP, LAGOON_SSP, LAGOON_SSP, LAGOON_ASP, LAGOON_ESSP,
		LAGOON_PSP, LAGOON_VAP,
	};
	static const int32_t bounds[] = { 0, 0, 1, 1, 3 };

	s->model = bsp && !t_once_in(rng, 3) ? LAGOON_BSP :
		models[t_below(rng, T_COUNT(models))];
	s->staleness = s->model == LAGOON_SSP || s->model == LAGOON_ESSP ||
		s->model == LAGOON_PSP ? bounds[t_below(rng, T_COUNT(bounds))] : 0;
	s->sample = (int32_t)t_below(rng, (uint64_t)workers + 1);
	s->change = (int64_t)t_below(rng, 3);
}

static void shape_draw(struct shape *s, struct t_rng *rng, int workers, bool bsp)
{
	static const uint32_t page_rows[] = { 0, 1, 2, 4 };

	s->kind = el_pair[t_below(rng, EL_INTEGERS)];
	s->cols = 1 + (uint32_t)t_below(rng, 3);
	s->rows = 1 + t_below(rng, t_once_in(rng, 2) ? 2 : 8);
	s->page_rows = page_rows[t_below(rng, T_COUNT(page_rows))];
	case_model_draw(s, rng, workers, bsp);
}

static void workers_draw(struct job *job, struct t_rng *rng)
{
	int most = OR_WORKERS - job->procs;

	job->workers = 0;
	for (int i = 0; i < job->procs; i++) {
		int more = (int)t_below(rng, 3);

		if (more > most)
			more = most;
		most -= more;
		job->workers_of[i] = 1 + more;
		job->workers += 1 + more;
		/* several homes of a node, some of them of several processes */
		job->numa_of[i] = (int)t_below(rng, 2);
	}
}

/* One page, few processes of several workers, many short rounds: nothing but
 * pulls, adds and pushes of the same words. */
static void tight_draw(struct job *job, struct t_rng *rng, int procs,
		       bool deaths)
{
	struct shape *s = &job->shape[0];

	job->procs = procs ? procs : 1 + (int)t_below(rng, 2) + deaths;
	job->nodes = 1 + (int)t_below(rng, (uint64_t)job->procs);
	for (int i = 0; i < job->procs; i++) {
		job->workers_of[i] = job->procs > 2 ? 2 :
			2 + (int)t_below(rng, 2);
		job->workers += job->workers_of[i];
	}
	job->tables = 1;
	job->bsp = deaths && t_once_in(rng, 3);
	shape_draw(s, rng, job->workers, job->bsp);
	job->bsp = s->model == LAGOON_BSP;
	s->rows = 1 + t_below(rng, deaths ? 4 : 2);
	s->cols = 1 + (uint32_t)t_below(rng, 6);
	s->page_rows = 2;
	job->rounds = 6 + (int)t_below(rng, 10);
	job->actions = 1 + (int)t_below(rng, 3);
	job->tight = true;
}

static void death_draw(struct job *job, struct t_rng *rng)
{
	job->victim = (int)t_below(rng, (uint64_t)job->procs);
	job->on_death = t_once_in(rng, 3) ? LAGOON_DEATH_STOP :
		LAGOON_DEATH_CONTINUE;
	job->die_call = t_below(rng, (uint64_t)(job->workers * job->rounds *
						job->actions));
	job->die_later = t_below(rng, 1 + t_below(rng, 300));
}

void case_draw(struct job *job, uint64_t seed, int procs, bool deaths)
{
	struct t_rng rng = { t_mix(seed, 1) };
	bool bsp = t_once_in(&rng, 4);

	*job = (struct job){ .seed = seed, .victim = -1, .leaver = -1 };
	if (t_once_in(&rng, 2)) {
		tight_draw(job, &rng, deaths && procs == 1 ? 2 : procs, deaths);
		if (deaths)
			death_draw(job, &rng);
		return;
	}
	job->procs = procs ? procs : 1 + (int)t_below(&rng, CASE_PROCS + 1);
	if (job->procs > CASE_PROCS || (deaths && job->procs == 1))
		job->procs = 2;
	job->nodes = 1 + (int)t_below(&rng, job->procs < 3 ?
				      (uint64_t)job->procs : 3);
	workers_draw(job, &rng);
	job->tables = 1 + t_once_in(&rng, 3);
	for (int i = 0; i < job->tables; i++) {
		shape_draw(&job->shape[i], &rng, job->workers, bsp);
		job->bsp |= job->shape[i].model == LAGOON_BSP;
	}
	job->tickets = t_once_in(&rng, 4);
	job->bounds_change = t_once_in(&rng, 4);
	job->models_change = t_once_in(&rng, 4);
	job->bsp |= job->models_change;
	job->rounds = 2 + (int)t_below(&rng, 5);
	job->actions = 2 + (int)t_below(&rng, 8);
	job->barrier_every = t_once_in(&rng, 2) ? 0 : 2;
	if (job->workers > 1 && t_once_in(&rng, 5)) {
		job->leaver = (int)t_below(&rng, (uint64_t)job->workers);
		job->leave_round = (int)t_below(&rng, (uint64_t)job->rounds);
	}
	if (deaths || (job->procs > 1 && t_once_in(&rng, 5)))
		death_draw(job, &rng);
}

void case_print(const struct job *job, char *text, size_t len)
{
	int n = snprintf(text, len, "%d processes, %d nodes, %d workers, %d rounds%s%s%s",
			 job->procs, job->nodes, job->workers, job->rounds,
			 job->bounds_change ? ", bounds change" : "",
			 job->models_change ? ", models change" : "",
			 job->tickets ? ", tickets" : "");

	if (job->victim >= 0)
		n += snprintf(text + n, len - (size_t)n, ", process %d dies (%s)",
			      job->victim, job->on_death ? "continue" : "stop");
	for (int i = 0; i < job->tables && n < (int)len; i++) {
		const struct shape *s = &job->shape[i];

		n += snprintf(text + n, len - (size_t)n,
			      "; %s type %d, %s(%d, %d, %g), %llu x %u, %u rows a page",
			      el_format_name(s->kind.format), s->kind.type,
			      model_name[s->model], s->staleness, s->sample,
			      case_units(s, s->change),
			      (unsigned long long)s->rows, s->cols, s->page_rows);
	}
}

bool case_good(int rc, const char *what)
{
	if (!rc)
		return true;
	T_CHECK(run.dead >= 0 && run.fatal && rc == LAGOON_EPEER,
		"%s: %s (%d): %s", what, lagoon_strerror(rc), rc,
		lagoon_errmsg());
	for (int i = 0; i < run.job.procs; i++)
		if ((i == run.dead || !run.proc[i].lg) &&
		    t_names(lagoon_errmsg(), "rank ", i))
			return false;
	t_die("%s: the message names nobody who is gone: \"%s\"", what,
	      lagoon_errmsg());
}

static void attr_make(const struct shape *s, struct lagoon_table_attr *attr)
{
	lagoon_table_attr_init(attr);
	attr->rows = s->rows;
	attr->cols = s->cols;
	attr->format = s->kind.format;
	attr->type = s->kind.type;
	attr->frac_bits = s->kind.format <= LAGOON_Q32 ? s->kind.frac_bits : -1;
	attr->model = s->model;
	attr->staleness = s->staleness;
	attr->sample = s->sample;
	attr->change = case_units(s, s->change);
	attr->page_rows = s->page_rows;
}

static bool tables_make(struct proc *p)
{
	struct lagoon_table_attr attr;
	int rc;

	for (int i = 0; i < run.job.tables; i++) {
		const struct shape *s = &run.job.shape[i];
		struct tab *tab = &p->tab[i];

		attr_make(s, &attr);
		rc = lagoon_table_create(p->lg, i ? "b" : "a", &attr, &tab->t);
		if (!case_good(rc, "table_create"))
			return false;
		tab->shape = s;
		tab->model = s->model;
		tab->bound[0] = s->staleness;
		tab->sample[0] = s->sample;
		tab->begun = tab->done = 1;
	}
	if (!run.job.tickets)
		return true;
	lagoon_table_attr_init(&attr);
	attr.rows = 1;
	attr.format = LAGOON_I64;
	attr.model = LAGOON_SSP;
	rc = lagoon_table_create(p->lg, "tickets", &attr, &p->tickets);
	return case_good(rc, "table_create");
}

static void stats_check(struct proc *p)
{
	for (int i = 0; i < run.job.tables; i++) {
		struct lagoon_stats st = { .size = sizeof(st) };

		t_ok(lagoon_table_stats(p->tab[i].t, &st), "table_stats");
		T_CHECK(!st.rejected, "%llu deltas rejected",
			(unsigned long long)st.rejected);
		T_CHECK(!st.uncertain || run.dead >= 0, "%llu words uncertain",
			(unsigned long long)st.uncertain);
		run.uncertain[i] += st.uncertain;
	}
}

/* A process from its start to its end. */
static void *process(void *arg)
{
	struct proc *p = arg;
	int me = (int)(p - run.proc), rc;
	bool whole;

	t_ok(sim_job_open(me, run.job.procs, run.job.workers_of[me],
			  run.job.nodes, run.job.on_death, &p->lg),
	     "lagoon_open");
	whole = tables_make(p);
	if (whole) {
		p->working = true;
		if (++run.begun == run.job.procs)
			sched_fine(true);
		rc = lagoon_run(p->lg, case_work, p);
		sched_tell("run is over: %d", rc);
		if (++run.over == run.job.procs - (run.dead >= 0))
			sched_fine(false);
		p->working = false;
		whole = case_good(rc, "lagoon_run");
		stats_check(p);
	}
	for (int i = 0; whole && i < run.job.tables; i++)
		whole = case_good(lagoon_table_destroy(p->tab[i].t), "table_destroy");
	sched_tell("closes");
	case_good(lagoon_close(p->lg), "lagoon_close");
	p->lg = NULL;
	return NULL;
}

/* It has the node's push lock, and words that no shard and no delta word may
 * have: of any of the node's workers. */
static void tear(const struct lagoon *lg, int proc)
{
	const struct lgn_node *node = &lg->node;
	uint32_t slot = node->control->table;

	if (node->control->pusher != (uint32_t)proc + 1 || !node->control->taken)
		return;
	for (int i = 0; i < run.job.tables; i++) {
		if (run.proc[proc].tab[i].t != lg->table[slot])
			continue;
		sched_tell("%llu words of table %d are in its hands",
			   (unsigned long long)node->control->taken, i);
		run.torn = true;
		for (int k = 0; k < node->n; k++) {
			const struct lgn_member *m = &lg->member[node->rank[k]];

			for (int w = 0; w < m->workers; w++)
				or_tear(&run.log[i], m->first_worker + w);
		}
	}
}

/* The victim is to die now: not if it is over its work. */
static bool die(int proc)
{
	if (!run.proc[proc].working)
		return false;
	run.dead = proc;
	run.fatal = run.job.on_death == LAGOON_DEATH_STOP || !proc || run.job.bsp;
	for (int i = 0; i < run.proc[proc].lg->homes; i++)
		run.fatal |= run.proc[proc].lg->home_rank[i] == proc;
	for (int j = 0, w = 0; j <= proc; w += run.job.workers_of[j++])
		for (int k = 0; j == proc && k < run.job.workers_of[j]; k++)
			for (int i = 0; i < run.job.tables; i++)
				or_die(&run.log[i], w + k);
	tear(run.proc[proc].lg, proc);
	return true;
}

static void wire_draw(struct t_rng *rng)
{
	static const unsigned again[] = { 0, 2, 8 };
	static const unsigned linger[] = { 0, 4, 16, 64 };
	bool atomic = run.job.nodes == 1 && t_once_in(rng, run.job.tight ? 16 : 2);

	wire_sim_style = (struct wire_sim_style){
		.cpu_atomic = atomic,
		.map = atomic || t_once_in(rng, 2),
		.gone_with_owner = t_once_in(rng, 2),
		.reads_go_on = t_once_in(rng, 2),
		/* as many as one call may post at once, which are few here */
		.max_batch = !t_once_in(rng, 2) ? 256 : run.job.tight ? 4 : 8,
		.again_in = again[t_below(rng, T_COUNT(again))],
		.linger_in = linger[t_below(rng, T_COUNT(linger))],
		.refuse_in = t_once_in(rng, 3) ? 8 : 0,
		.strange = t_once_in(rng, 6) ?
			(int)t_below(rng, (uint64_t)run.job.procs) : -1,
	};
}

void case_run(void)
{
	const struct job *job = &run.job;
	struct t_rng rng = { t_mix(job->seed, 2) };
	unsigned left;

	run.dead = -1;
	run.fatal = run.final_seen = run.torn = false;
	memset(run.missing, 0, sizeof(run.missing));
	memset(run.uncertain, 0, sizeof(run.uncertain));
	run.calls = 0;
	run.begun = run.over = 0;
	run.tickets_begun = run.tickets_done = 0;
	memset(run.ticket, 0, sizeof(run.ticket));
	memset(run.proc, 0, sizeof(run.proc));
	for (int i = 0; i < job->tables; i++) {
		const struct shape *s = &job->shape[i];

		or_log_init(&run.log[i], t_mix(job->seed, 10 + (uint64_t)i),
			    (uint32_t)job->workers,
			    (uint32_t)(s->rows * s->cols), s->cols,
			    el_bits(&s->kind));
	}
	wire_draw(&rng);
	sched_on_kill(die);
	sim_job_begin(job->procs);
	for (int i = 0; i < job->procs; i++) {
		host_set_numa(i, job->numa_of[i]);
		sched_spawn(i, "main", process, &run.proc[i]);
	}
	sched_run();
	left = sched_heap_end();
	T_CHECK(!left || run.dead >= 0, "%u pieces of memory are left", left);
	for (int i = 0; i < job->tables; i++)
		T_CHECK(run.missing[i] <= 2 * run.uncertain[i],
			"I3, %llu elements are less than was added, but %llu words are uncertain",
			(unsigned long long)run.missing[i],
			(unsigned long long)run.uncertain[i]);
	T_CHECK(node_sim_clean(), "memory of a node is left");
}
