/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/table.h"
#include "test/support/property.h"

enum {
	SECONDS = 3,		/* by default, times the scale */
	CASES = 2,
	BOUND_MAX = 8,
};

/* In the memory that all processes share. */
struct shared {
	_Atomic uint32_t more;
	struct or_log log[PR_TABLES];
};

int pr_may_fail;

struct options {
	const char *workers;
	double seconds;
	uint64_t cases;
	int64_t only;
};

void pr_ok(int rc, const char *what)
{
	if (!rc || !pr_may_fail) {
		t_ok(rc, what);
		return;
	}
	/* A home that failed has withdrawn what it had entered. */
	T_CHECK(rc == pr_may_fail || rc == LAGOON_EPEER ||
		(rc == LAGOON_EJOB && strstr(lagoon_errmsg(), "in the directory")),
		"%s: returned %d: %s", what, rc, lagoon_errmsg());
	T_CHECK(strstr(lagoon_errmsg(), "rank "),
		"%s: the message names no rank: \"%s\"", what, lagoon_errmsg());
	printf("property: %s: %s\n", what, lagoon_errmsg());
	t_stop();
}

void pr_model_draw(struct pr_shape *s, struct t_rng *rng, bool bsp)
{
	static const int models[] = {
		LAGOON_SSP, LAGOON_SSP, LAGOON_ASP, LAGOON_ESSP, LAGOON_ESSP,
		LAGOON_PSP, LAGOON_PSP, LAGOON_VAP, LAGOON_VAP,
	};

	s->model = models[t_below(rng, T_COUNT(models))];
	if (bsp && !t_once_in(rng, 3))
		s->model = LAGOON_BSP;
	s->staleness = t_once_in(rng, 3) ? 0 :
		(int32_t)t_below(rng, BOUND_MAX + 1);
	if (s->model != LAGOON_SSP && s->model != LAGOON_ESSP &&
	    s->model != LAGOON_PSP)
		s->staleness = 0;
	s->sample = (int32_t)t_below(rng, OR_WORKERS + 1);
	s->change = t_once_in(rng, 3) ? 0 :
		(int64_t)1 << t_below(rng, (uint64_t)el_bits(&s->kind));
}

double pr_units(const struct pr_shape *s, int64_t units)
{
	int bits = s->kind.format <= LAGOON_Q32 ? s->kind.frac_bits : 0;

	return ldexp((double)units, -bits);
}

/* Functions that come to a sum. Of the first two a pull shows what is pending;
 * the others show a bsp round's own deltas only when it has ended. */
static void update_draw(struct pr_shape *s, struct t_rng *rng, bool bsp)
{
	static const char *const updates[] = {
		"add", "sgd,rate=1",
		"momentum,rate=1,momentum=0,combine=sum",
		"sgd,rate=1,combine=none", "momentum,rate=1,momentum=0",
	};

	s->update = updates[t_below(rng, bsp ? 2 : T_COUNT(updates))];
	s->kind.negated = strcmp(s->update, "add");
}

static void shape_make(struct pr_shape *s, struct t_rng *rng, bool bsp,
		       bool change)
{
	static const uint32_t cols[] = { 1, 1, 2, 3, 5, 7, 16, 33 };
	static const uint32_t page_rows[] = { 0, 0, 1, 2, 3, 7, 64 };
	static const int8_t frac[] = { -1, -1, 0, 1, 11 };
	uint64_t most;

	s->kind = el_pair[t_below(rng, EL_PAIRS)];
	if (s->kind.format <= LAGOON_Q32) {
		int bits = frac[t_below(rng, T_COUNT(frac))];

		s->kind.frac_bits = bits < 0 ? s->kind.frac_bits : bits;
	}
	if (s->kind.format >= LAGOON_FLOAT64)
		update_draw(s, rng, bsp || change);
	s->cols = cols[t_below(rng, T_COUNT(cols))];
	most = OR_ELEMS / s->cols;
	s->rows = t_once_in(rng, 3) ? 1 + t_below(rng, 8)
				    : 1 + t_below(rng, most);
	if (s->rows > most)
		s->rows = most;
	s->page_rows = page_rows[t_below(rng, T_COUNT(page_rows))];
	pr_model_draw(s, rng, bsp);
}

void pr_case_make(struct pr_case *c, uint64_t seed, int workers)
{
	struct t_rng rng = { seed };
	bool bsp = t_once_in(&rng, 3);

	memset(c, 0, sizeof(*c));
	c->models_change = t_once_in(&rng, 3);
	c->seed = seed;
	c->workers = workers;
	c->tables = 1 + (int)t_below(&rng, PR_TABLES);
	for (int i = 0; i < c->tables; i++) {
		shape_make(&c->shape[i], &rng, bsp, c->models_change);
		c->bsp |= c->shape[i].model == LAGOON_BSP;
	}
	c->bounds_change = t_once_in(&rng, 3);
	c->bsp |= c->models_change;
	c->rounds = 4 + (int)t_below(&rng, OR_ROUNDS - 12);
	c->barrier_every = t_once_in(&rng, 2) ? 0 : 2 + (int)t_below(&rng, 7);
	c->actions = 1 + (int)t_below(&rng, 8);
	c->leaver = -1;
	if (workers > 1 && t_once_in(&rng, 3)) {
		c->leaver = 1 + (int)t_below(&rng, (uint64_t)workers - 1);
		c->leave_round = (int)t_below(&rng, (uint64_t)c->rounds);
	}
	for (int j = 0; j < workers; j++)
		if (t_once_in(&rng, 3))
			c->busy[j] = 1 + (int)t_below(&rng, 100);
}

void pr_case_print(const struct pr_case *c, char *text, size_t len)
{
	static const char *const model[] = {
		"ssp", "bsp", "asp", "essp", "psp", "vap"
	};
	int n = snprintf(text, len, "%d workers, %d rounds%s%s", c->workers,
			 c->rounds, c->bounds_change ? ", bounds change" : "",
			 c->models_change ? ", models change" : "");

	for (int i = 0; i < c->tables && n < (int)len; i++) {
		const struct pr_shape *s = &c->shape[i];

		n += snprintf(text + n, len - (size_t)n,
			      "; %s%s%s type %d, %s(%d, %d, %g), %llu x %u, %u rows a page",
			      el_format_name(s->kind.format),
			      s->update ? " " : "", s->update ? s->update : "",
			      s->kind.type,
			      model[s->model], s->staleness, s->sample,
			      pr_units(s, s->change),
			      (unsigned long long)s->rows, s->cols,
			      s->page_rows);
	}
}

static void table_make(struct pr_run *run, int i, uint64_t k)
{
	const struct pr_shape *s = &run->c->shape[i];
	struct pr_table *table = &run->table[i];
	struct lagoon_table_attr attr;
	char name[32];

	lagoon_table_attr_init(&attr);
	attr.rows = s->rows;
	attr.cols = s->cols;
	attr.format = s->kind.format;
	attr.type = s->kind.type;
	attr.frac_bits = s->kind.format <= LAGOON_Q32 ? s->kind.frac_bits : -1;
	attr.model = s->model;
	attr.staleness = s->staleness;
	attr.sample = s->sample;
	attr.change = pr_units(s, s->change);
	attr.page_rows = s->page_rows;
	attr.update = s->update;
	attr.push = s->update ? LAGOON_PUSH_APPLY : LAGOON_PUSH_ATOMIC;
	snprintf(name, sizeof(name), "case%llu.%d", (unsigned long long)k, i);
	pr_ok(lagoon_table_create(t_lg, name, &attr, &table->t), name);
	table->shape = s;
	table->model = s->model;
	table->bound[0] = table->loosest = s->staleness;
	table->sample[0] = s->sample;
	table->change_most = s->change;
	table->bounds_begun = 1;
	table->bounds_done = 1;
}

static void stats_check(const struct pr_table *table)
{
	struct lagoon_stats st = { .size = sizeof(st) };
	uint64_t of_ages = 0;
	bool bounded = !table->model_changed &&
		(table->model == LAGOON_SSP || table->model == LAGOON_ESSP);

	pr_ok(lagoon_table_stats(table->t, &st), "lagoon_table_stats");
	T_CHECK(st.pulls == table->pulls && st.adds == table->adds &&
		st.rows_pulled == table->rows_pulled &&
		st.rows_added == table->rows_added,
		"statistics: pulls %llu of %llu, rows %llu of %llu, adds %llu of %llu, rows %llu of %llu",
		(unsigned long long)st.pulls, (unsigned long long)table->pulls,
		(unsigned long long)st.rows_pulled,
		(unsigned long long)table->rows_pulled,
		(unsigned long long)st.adds, (unsigned long long)table->adds,
		(unsigned long long)st.rows_added,
		(unsigned long long)table->rows_added);
	T_CHECK(st.rejected == 0, "statistics: %llu deltas rejected",
		(unsigned long long)st.rejected);
	T_CHECK(st.unpushed <= pr_units(table->shape, table->change_most),
		"%g of an element was kept back under vap(%g)", st.unpushed,
		pr_units(table->shape, table->change_most));
	for (int age = 0; age < LAGOON_AGES; age++) {
		of_ages += st.ages[age];
		T_CHECK(!bounded || age <= table->loosest || !st.ages[age],
			"%llu pulls of age %d under bound %d",
			(unsigned long long)st.ages[age], age,
			table->loosest);
	}
	T_CHECK(of_ages <= st.pulls, "more ages than pulls");
}

static void case_run(uint64_t k, uint64_t seed)
{
	struct shared *shared = t_shared;
	static struct pr_case c;
	static struct pr_run run;
	char text[500];
	int n;

	pr_case_make(&c, t_mix(seed, k), lagoon_workers(t_lg));
	memset(&run, 0, sizeof(run));
	run.c = &c;
	pthread_mutex_init(&run.lock, NULL);
	n = snprintf(text, sizeof(text), "case %llu of seed %llu: ",
		     (unsigned long long)k, (unsigned long long)seed);
	pr_case_print(&c, text + n, sizeof(text) - (size_t)n);
	t_context(text);
	for (int i = 0; i < c.tables; i++) {
		const struct pr_shape *s = &c.shape[i];

		run.table[i].log = &shared->log[i];
		if (lagoon_rank(t_lg) == 0)
			or_log_init(&shared->log[i], t_mix(c.seed, (uint64_t)i),
				    (uint32_t)c.workers,
				    (uint32_t)(s->rows * s->cols), s->cols,
				    el_bits(&s->kind));
		table_make(&run, i, k);
	}
	t_sync();
	pr_ok(lagoon_run(t_lg, pr_work, &run), "lagoon_run");
	for (int i = 0; i < c.tables; i++)
		stats_check(&run.table[i]);
	for (int i = 0; i < c.tables; i++)
		pr_ok(lagoon_table_destroy(run.table[i].t), "table_destroy");
}

/* Rank 0 decides for all whether there is another case. */
static bool more_cases(bool wanted)
{
	struct shared *shared = t_shared;
	bool more;

	t_sync();
	if (lagoon_rank(t_lg) == 0)
		atomic_store(&shared->more, wanted);
	t_sync();
	more = atomic_load(&shared->more);
	return more;
}

static void options_read(int argc, char **argv, struct options *opt)
{
	static const struct option table[] = {
		{ "workers", required_argument, NULL, 'w' },
		{ "seconds", required_argument, NULL, 's' },
		{ "cases", required_argument, NULL, 'n' },
		{ "case", required_argument, NULL, 'k' },
		{ "check", no_argument, NULL, 'c' },
		{ 0 },
	};
	int c;

	*opt = (struct options){ NULL, SECONDS, CASES, -1 };
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'w':
			opt->workers = optarg;
			break;
		case 's':
			opt->seconds = strtod(optarg, NULL);
			break;
		case 'n':
			opt->cases = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			setenv("LAGOON_CHECK", "1", 1);
			break;
		case 'k':
			opt->only = strtoll(optarg, NULL, 10);
			break;
		default:
			exit(2);
		}
	}
}

int pr_main(int argc, char **argv, t_open_fn open)
{
	struct lagoon_attr attr;
	struct options opt;
	uint64_t seed, start, limit, k = 0;

	options_read(argc, argv, &opt);
	t_begin("property", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "lagoon_attr_init");
	if (opt.workers)
		attr.workers = t_workers(opt.workers);
	t_open(&attr, open);
	T_CHECK(lagoon_workers(t_lg) <= OR_WORKERS,
		"%d workers, the oracle knows %d", lagoon_workers(t_lg),
		OR_WORKERS);
	seed = t_seed();
	start = t_now_ns();
	limit = (uint64_t)(opt.seconds * t_scale() * 1e9);
	if (opt.only >= 0)
		case_run((uint64_t)opt.only, seed);
	else
		while (more_cases(pr_may_fail || k < opt.cases ||
				  t_now_ns() - start < limit))
			case_run(k++, seed);
	if (lagoon_rank(t_lg) == 0)
		printf("property: %llu cases, %d processes, %d workers, %d nodes\n",
		       (unsigned long long)k, lagoon_size(t_lg),
		       lagoon_workers(t_lg), lagoon_nodes(t_lg));
	t_close();
	return 0;
}
