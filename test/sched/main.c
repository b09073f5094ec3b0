/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *	sched [--seeds FROM-TO | --seed N [--trace]] [--processes N] [--deaths]
 *	sched --crowd PROCESSESxWORKERS [--seed N]	under ssp and bsp
 *
 * Each seed is one schedule, of one job. A fault is told with its seed and the
 * command that shows it again; --trace prints everything that happens in it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "test/sched/case.h"
#include "test/sched/sched.h"
#include "test/sched/wire_sim.h"

struct options {
	uint64_t from, to;
	bool trace, deaths;
	int procs;
	int crowd_procs, crowd_workers;
};

struct totals {
	uint64_t schedules, events, switches, deaths, torn, calls, hash;
};

static void one(const struct options *opt, uint64_t seed, struct totals *sum)
{
	char job[600], text[900], how[60] = "";

	case_draw(&run.job, seed, opt->procs, opt->deaths);
	case_print(&run.job, job, sizeof(job));
	if (opt->procs)
		snprintf(how, sizeof(how), " --processes %d", opt->procs);
	if (opt->deaths)
		strcat(how, " --deaths");
	snprintf(text, sizeof(text), "seed %llu: %s; again by: test/sched/sched --seed %llu --trace%s",
		 (unsigned long long)seed, job, (unsigned long long)seed, how);
	t_context(text);
	if (opt->trace)
		printf("sched: seed %llu: %s\n", (unsigned long long)seed, job);
	sched_begin(seed, opt->trace);
	case_run();
	sum->schedules++;
	sum->events += sched_events();
	sum->switches += sched_switches();
	sum->deaths += run.dead >= 0;
	sum->torn += run.torn && !run.fatal;
	sum->calls += run.calls;
	sum->hash = t_mix(sum->hash, sched_hash());
}

static void options_read(int argc, char **argv, struct options *opt)
{
	static const struct option table[] = {
		{ "seeds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'n' },
		{ "trace", no_argument, NULL, 't' },
		{ "deaths", no_argument, NULL, 'd' },
		{ "processes", required_argument, NULL, 'p' },
		{ "crowd", required_argument, NULL, 'c' },
		{ 0 },
	};
	unsigned long long from = 1, to = 100;
	int c;

	*opt = (struct options){ 0 };
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 's':
			if (sscanf(optarg, "%llu-%llu", &from, &to) != 2)
				exit(2);
			break;
		case 'n':
			from = to = strtoull(optarg, NULL, 10);
			break;
		case 't':
			opt->trace = true;
			break;
		case 'd':
			opt->deaths = true;
			break;
		case 'p':
			opt->procs = (int)strtol(optarg, NULL, 10);
			break;
		case 'c':
			if (sscanf(optarg, "%dx%d", &opt->crowd_procs,
				   &opt->crowd_workers) != 2)
				exit(2);
			break;
		default:
			exit(2);
		}
	}
	if (opt->procs < 0 || opt->procs > CASE_PROCS) {
		fprintf(stderr, "sched: at most %d processes\n", CASE_PROCS);
		exit(2);
	}
	opt->from = from;
	opt->to = to;
}

static void crowd(const struct options *opt)
{
	static const int models[] = { LAGOON_SSP, LAGOON_BSP };

	for (size_t i = 0; i < T_COUNT(models); i++) {
		crowd_run(opt->from, opt->crowd_procs, opt->crowd_workers,
			  models[i]);
		printf("sched: crowd of %d processes x %d workers, %s: %llu changes of hand\n",
		       opt->crowd_procs, opt->crowd_workers, i ? "bsp" : "ssp",
		       (unsigned long long)sched_events());
	}
}

/* On another stream: it is not the same each time. */
static void say_cost(uint64_t start)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	fprintf(stderr, "sched: %.1f s, at most %ld MiB\n",
		(double)(t_now_ns() - start) / 1e9, use.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
	struct options opt;
	struct totals sum = { 0 };
	uint64_t start = t_now_ns();

	options_read(argc, argv, &opt);
	t_name("sched", -1);
	if (opt.crowd_procs) {
		crowd(&opt);
		say_cost(start);
		return 0;
	}
	for (uint64_t seed = opt.from; seed <= opt.to; seed++)
		one(&opt, seed, &sum);
	printf("sched: %llu schedules, %llu calls, %llu changes of hand, %llu switches, %llu requests, %llu GETs again, %llu deaths (%llu of them with words in hand, and the job went on), hash %016llx\n",
	       (unsigned long long)sum.schedules, (unsigned long long)sum.calls,
	       (unsigned long long)sum.events, (unsigned long long)sum.switches,
	       (unsigned long long)wire_sim_posted,
	       (unsigned long long)wire_sim_again,
	       (unsigned long long)sum.deaths, (unsigned long long)sum.torn,
	       (unsigned long long)sum.hash);
	say_cost(start);
	return 0;
}
