/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `lagoon bench`: what the files of this folder share. They use the public
 * headers only, as a user's program does.
 *
 *	main.c		options; starts itself as a job; runs one benchmark
 *	measure.c	loops, repeats, percentiles: one worker measures
 *	together.c	the same when all workers run at once
 *	report.c	rows as text, CSV, JSON
 *	host.c		the machine: clock, processors, ping-pong, names
 *	space.c		tables, plain memory for twins, drawn indices
 *
 * and a file for each benchmark or group, which defines struct bench_test.
 *
 * A measurement alternates, in each of an odd number of repeats, a loop of
 * Lagoon's calls and a loop of the twin: the same work on plain memory. A
 * figure is the median of the repeats. A ratio is Lagoon's figure divided by
 * the twin's, the median of the ratios of each repeat.
 */
#ifndef LGN_BENCH_BENCH_H
#define LGN_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/lagoon.h"

#define BENCH_SIZES 32			/* of --sizes */
#define BENCH_REPEATS 99		/* of --repeats */

struct bench_test;

struct bench_options {
	uint64_t size[BENCH_SIZES];
	int sizes;
	uint64_t iterations;		/* of a repeat; 0: by --seconds */
	uint64_t warmup;		/* calls before */
	int repeats;
	double seconds;			/* a repeat lasts about as long */
	uint64_t window;		/* requests, or rows, at a time */
	uint64_t table;			/* bytes */
	int format;			/* enum lagoon_format, -1: the test's own */
	int staleness;			/* -1: the test's own list */
	bool bidirectional;
	bool own_home;			/* also rows that this process holds */
	int processes, nodes, workers;	/* 0: as the surroundings say */
	bool csv, json, no_header;
	const char *output;
};

struct bench_rows;

/* One run of one benchmark in this process. */
struct bench {
	const struct bench_test *test;
	struct bench_options o;
	struct lagoon *lg;
	bool direct;			/* all processes are on one node */
	char wire[32], device[64], placed[512];
	struct lagoon_table *control;	/* of together.c */
	struct bench_rows *rows;	/* rank 0 */
	int tables;			/* made so far, for their names */
	int argc;			/* the command line, for JSON */
	char **argv;
};

struct bench_test {
	const char *name;
	const char *help;		/* one line of --list */
	const char *sizes;		/* default of --sizes; NULL: it has none */
	const char *size_is;		/* what a size is: "bytes of a pull" */
	bool two_processes;		/* the ping-pong belongs to its figures */
	bool launches;			/* without a launcher: starts jobs itself */
	double seconds;			/* defaults; 0: the usual ones */
	int repeats;
	int (*run)(struct bench *b);	/* every process; 0 or LAGOON_E... */
};

extern const struct bench_test *const bench_tests[];	/* ends with NULL */

/* ----------------------------------------------------------- measuring */

enum bench_figure {
	BENCH_US,		/* mean time of an operation [us] */
	BENCH_OPS,		/* operations a second */
	BENCH_BYTES,		/* bytes a second */
};

/* Two loops to compare. A call does `ops` operations. */
struct bench_case {
	char test[32];
	uint64_t bytes;		/* its size, as --sizes has it */
	uint64_t op_bytes;	/* of an operation, if that is not the same */
	uint64_t ops;
	enum bench_figure figure;
	int (*ours)(void *ctx, uint64_t calls);
	int (*twin)(void *ctx, uint64_t calls);		/* NULL: none here */
	/* Called, outside of what is timed, before every `span` calls of ours;
	 * span 0: never. */
	int (*refresh)(void *ctx);
	uint64_t span;
	uint64_t most;		/* calls of a repeat, at most; 0: any */
	int workers;		/* bench_together(): that take part; 0: all */
	void *ctx;
};

struct bench_spread {
	double min, median, max;
};

struct bench_row {
	char test[32];
	uint64_t bytes, iterations;
	double min_us, p50_us, p90_us, p99_us, p999_us, max_us;
	enum bench_figure figure;
	double ops_per_s, bytes_per_s;
	struct bench_spread ours, twin, ratio;	/* twin.median 0: none */
	double ping_pong_ns;		/* 0: not measured */
	double quartiles;		/* spread of the repeats: (q3 - q1) / median */
	int workers;
};

/* By one worker; the others have left or wait. Adds a row. */
int bench_measure(struct bench *b, const struct bench_case *c);

/* By every worker at once, w each: operations of all, over the time of the
 * slowest. Worker 0 runs the twin and adds the row. */
int bench_together(struct bench *b, struct lagoon_worker *w,
		   const struct bench_case *c);
/* Makes the table of numbers that workers share. Collective. */
int bench_control(struct bench *b);

/* ---- pieces of both */
struct bench_samples;

double bench_loop(const struct bench_case *c, bool twin, uint64_t calls,
		  int *rc);				/* seconds */
uint64_t bench_calls(const struct bench *b, const struct bench_case *c,
		     uint64_t calls, double seconds);
struct bench_samples *bench_samples_new(const struct bench *b);
int bench_sample(struct bench_samples *s, const struct bench_case *c,
		 uint64_t calls);
void bench_samples_fill(struct bench_samples *s, struct bench_row *row);
void bench_samples_free(struct bench_samples *s);
struct bench_spread bench_spread_of(const double *x, int n);
void bench_row_fill(struct bench_row *row, const struct bench_case *c,
		    uint64_t calls, double all_ops, int repeats,
		    const double *ours_s, const double *twin_s);

/* -------------------------------------------------------------- report */
int bench_report_open(struct bench *b);
void bench_report_row(struct bench *b, struct bench_row *row);
int bench_report_close(struct bench *b, bool good);

/* ---------------------------------------------------------------- host */
uint64_t bench_ticks(void);
double bench_tick_s(void);			/* seconds a tick */
double bench_timer_s(void);			/* what reading the clock costs */
double bench_now(void);				/* CLOCK_MONOTONIC [s] */
int bench_cpus(void);				/* that this process may use */
/* Run fn(arg, i) in n threads, on processors of their own if there are
 * enough. bench_threads_s(): since it was last asked, how long the slowest
 * thread of each call was in fn; making threads is not counted. */
int bench_threads(int n, void (*fn)(void *arg, int i), void *arg);
double bench_threads_s(void);
double bench_ping_pong_ns(void);		/* 0: only one processor */
const char *bench_commit(void);
void bench_cpu_name(char *text, size_t len);

/* --------------------------------------------------------------- space */

/* Plain memory for a twin, zeroed, 2 MiB aligned; NULL. */
void *bench_plain(uint64_t bytes);
/* n 64-bit words of a table in this format to the caller's type, by the
 * compiler's best loop: what a pull must do at least. */
void bench_decode(int format, void *out, const int64_t *words, uint64_t n);
/* The order of these is left to chance. */
void bench_shuffle(uint64_t *index, uint64_t n);
/* n indices below `below`, the same in every run. */
void bench_draw(uint64_t *index, uint64_t n, uint64_t below, uint64_t seed);
/* Collective. */
int bench_table(struct bench *b, struct lagoon_table_attr *attr,
		struct lagoon_table **t);
/* Pull, and add to, every row once: all pages of memory are there. Only where
 * that is not so from the start; over a device all are registered. */
int bench_touch(const struct bench *b, struct lagoon_worker *w,
		struct lagoon_table *t, bool add);
/* The rows [n at most] that are measured: those that another process holds,
 * if there are such and --own is not given, else all. Returns how many. */
uint64_t bench_far_rows(const struct bench *b, const struct lagoon_table *t,
			uint64_t *rows, uint64_t n);
/* One unit and more for each element of these words, in the caller's type; the
 * caller frees it. NULL. */
void *bench_deltas(int format, uint64_t words);
/* Over a device the twin is another program's, perftest: see rdma.sh. Plain
 * memory says nothing about real nodes. */
bool bench_has_twin(const struct bench *b);
/* Elements in a 64-bit word. */
int bench_lanes(int format);
/* The message that bench_errmsg() returns; returns the code. Any thread. */
int bench_fail(int code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *bench_errmsg(void);

/* `lagoon run OPTIONS -- lagoon bench ARGV`, with standard output to this file
 * if it is not -1. Returns the exit status, or LAGOON_E... */
int bench_launch(int processes, int nodes, char *const argv[], int out);
/* `lagoon run -n PROCESSES -- PROGRAM` */
int bench_launch_program(int processes, const char *program);
bool bench_launched(void);			/* a launcher has started it */

#endif
