/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One schedule's job: a few processes, nodes, workers and small tables, drawn
 * from the seed; random pulls, adds, tickets, clocks, barriers, changes of
 * bounds and models; perhaps a death. Every pull is judged by the oracle (I1
 * to I4), every sum at the end.
 */
#ifndef TEST_SCHED_CASE_H
#define TEST_SCHED_CASE_H

#include "runtime/lagoon.h"
#include "test/support/element.h"
#include "test/support/oracle.h"
#include "test/support/test.h"

enum {
	CASE_PROCS = 4,
	CASE_TABLES = 2,
	CASE_ELEMS = 32,
	CASE_BOUNDS = 32,
	CASE_TICKETS = 512,
};

struct shape {
	struct el_kind kind;
	int model;		/* enum lagoon_model */
	int32_t staleness;
	int32_t sample;
	int64_t change;		/* [units] */
	uint64_t rows;
	uint32_t cols;
	uint32_t page_rows;
};

/* A pure function of the seed. */
struct job {
	uint64_t seed;
	int procs, nodes, workers;
	int workers_of[CASE_PROCS], numa_of[CASE_PROCS];
	int tables;
	struct shape shape[CASE_TABLES];
	bool tight;
	bool tickets;		/* a table of them, behind the others */
	bool bsp;		/* at some time a table is */
	bool bounds_change, models_change;
	int rounds, actions;
	int barrier_every;	/* 0: at the end only */
	int leaver, leave_round;
	int victim;		/* process that dies; -1 */
	int on_death;
	uint64_t die_call, die_later;	/* after so many calls of workers, and
					 * so many changes of hand more */
};

/* A table in one process. */
struct tab {
	struct lagoon_table *t;
	const struct shape *shape;
	int model;
	/* bounds in force one after the other, see test/support/property.h */
	int32_t bound[CASE_BOUNDS], sample[CASE_BOUNDS];
	int begun, done;
};

struct proc {
	struct lagoon *lg;
	struct tab tab[CASE_TABLES];
	struct lagoon_table *tickets;
	bool working;			/* in lagoon_run() */
};

struct run {
	struct job job;
	struct proc proc[CASE_PROCS];
	struct or_log log[CASE_TABLES];
	int dead;			/* process, -1 */
	bool fatal;			/* its death ends the job */
	bool torn;			/* it had words in its hands */
	int begun, over;		/* processes in lagoon_run(), and behind */
	uint64_t calls;
	/* what somebody has seen after the last barrier */
	bool final_seen;
	int64_t final[CASE_TABLES][CASE_ELEMS];
	uint64_t missing[CASE_TABLES], uncertain[CASE_TABLES];
	int64_t tickets_begun, tickets_done;	/* of the live */
	bool ticket[CASE_TICKETS];
};

extern struct run run;

/* The job of a seed: of so many processes, or 0; with a death in any case. */
void case_draw(struct job *job, uint64_t seed, int procs, bool deaths);
void case_print(const struct job *job, char *text, size_t len);

/* Run it; a fault ends the program. */
void case_run(void);

/* work.c: what a worker does; for lagoon_run(). */
int case_work(struct lagoon_worker *w, void *arg);

void case_model_draw(struct shape *s, struct t_rng *rng, int workers, bool bsp);
double case_units(const struct shape *s, int64_t units);

/* A call returned rc. False: a death has ended the job, as it must. */
bool case_good(int rc, const char *what);

/* crowd.c: many processes, a few rounds, exact sums. */
void crowd_run(uint64_t seed, int procs, int workers, int model);

/* open.c: for all of them. Opens virtual process number proc of n. */
int sim_job_open(int proc, int n, int workers, int nodes, int on_death,
		 struct lagoon **lg);
void sim_job_begin(int n);

#endif
