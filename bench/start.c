/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * start: seconds from the start of the launcher to the first pull of the last
 * process, by number of processes. The twin is the launcher with as many
 * processes that do nothing, to their end. Under a launcher: from the start
 * of each process to its first pull, the slowest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/options.h"

#define SINCE "BENCH_SINCE_NS"

struct first {
	struct bench *b;
	struct lagoon_table *t;
	double seconds;
};

/* When this process was started, in the time of CLOCK_BOOTTIME [s]; 10 ms. */
static double started(void)
{
	FILE *in = fopen("/proc/self/stat", "re");
	unsigned long long ticks = 0;
	char text[1024], *at;

	if (in && fgets(text, sizeof(text), in) && (at = strrchr(text, ')')))
		/* At the blank before field i, from the end of field 2 on. */
		for (int i = 2; i <= 22 && at; i++, at = strchr(at + 1, ' '))
			if (i == 22)
				ticks = strtoull(at + 1, NULL, 10);
	if (in)
		fclose(in);
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double since_start(void)
{
	const char *since = getenv(SINCE);
	struct timespec ts;

	if (since)
		return bench_now() - strtod(since, NULL);
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9 - started();
}

static int first_pull(struct lagoon_worker *w, void *arg)
{
	struct first *f = arg;
	uint64_t n = (uint64_t)lagoon_workers(f->b->lg);
	uint64_t row = (uint64_t)lagoon_worker_id(w);
	int64_t mine, *all = calloc(n, sizeof(*all));
	int rc = all ? lagoon_pull(w, f->t, row, 1, &mine) :
		bench_fail(LAGOON_ENOMEM, "no memory for %d workers", (int)n);

	mine = (int64_t)(since_start() * 1e9);
	if (!rc)
		rc = lagoon_add(w, f->t, row, 1, &mine);
	if (!rc)
		rc = lagoon_barrier(w);
	if (!rc)
		rc = lagoon_pull(w, f->t, 0, n, all);
	for (uint64_t i = 0; i < n && !rc && !row; i++)
		if ((double)all[i] * 1e-9 > f->seconds)
			f->seconds = (double)all[i] * 1e-9;
	free(all);
	return rc;
}

static void report(struct bench *b, const double *ours, const double *twin,
		   int n, int processes)
{
	struct bench_case c = {
		.test = "start", .bytes = (uint64_t)processes, .ops = 1,
		.figure = BENCH_US,
	};
	struct bench_row row = { .workers = processes };
	struct bench_spread s = bench_spread_of(ours, n);

	bench_row_fill(&row, &c, 1, 1, n, ours, twin);
	row.bytes_per_s = 0;
	row.min_us = s.min * 1e6;
	row.p50_us = s.median * 1e6;
	row.p90_us = row.p99_us = row.p999_us = row.max_us = s.max * 1e6;
	bench_report_row(b, &row);
}

static int run_job(struct bench *b)
{
	struct lagoon_table_attr attr;
	struct first f = { .b = b };
	int rc;

	lagoon_table_attr_init(&attr);
	attr.rows = (uint64_t)lagoon_workers(b->lg);
	attr.format = LAGOON_I64;
	rc = bench_table(b, &attr, &f.t);
	if (!rc)
		rc = lagoon_run(b->lg, first_pull, &f);
	if (!rc && !lagoon_rank(b->lg))
		report(b, &f.seconds, NULL, 1, lagoon_size(b->lg));
	return rc;
}

/* One line of the child's CSV: test,wire,bytes,iterations,min_us,... */
static int read_row(struct bench *b, int fd, double *seconds)
{
	char text[512], wire[32];
	ssize_t len = read(fd, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = 0;
	if (sscanf(text, "start,%31[^,],%*u,%*u,%lf", wire, seconds) != 2)
		return bench_fail(LAGOON_EIO, "a job of lagoon bench start printed \"%s\"",
				  text);
	*seconds *= 1e-6;
	strcpy(b->wire, wire);
	return 0;
}

static int one_job(struct bench *b, int processes, double *seconds)
{
	char *args[] = { (char *)"start", (char *)"--csv", (char *)"--no-header",
		NULL };
	char text[32];
	int fd[2], status;

	if (pipe(fd))
		return bench_fail(LAGOON_EIO, "pipe: %s", strerror(errno));
	snprintf(text, sizeof(text), "%.9f", bench_now());
	setenv(SINCE, text, 1);
	status = bench_launch(processes, b->o.nodes < processes ? b->o.nodes :
			      processes, args, fd[1]);
	unsetenv(SINCE);
	close(fd[1]);
	status = status ? bench_fail(LAGOON_EJOB, "a job of %d processes ended with status %d",
				     processes, status) :
		read_row(b, fd[0], seconds);
	close(fd[0]);
	return status;
}

static int idle_job(int processes, double *seconds)
{
	double from = bench_now();
	int status = bench_launch_program(processes, "true");

	*seconds = bench_now() - from;
	return status ? bench_fail(LAGOON_EJOB, "%d processes of true ended with status %d",
				   processes, status) : 0;
}

static int run_jobs(struct bench *b)
{
	double ours[BENCH_REPEATS], twin[BENCH_REPEATS];
	int rc = 0;

	for (int i = 0; i < b->o.sizes && !rc; i++) {
		int n = (int)b->o.size[i];

		if (n > 4096)
			return bench_fail(LAGOON_EINVAL, "--sizes: at most 4096 processes");
		for (int k = 0; k < b->o.repeats && !rc; k++) {
			rc = one_job(b, n, &ours[k]);
			if (!rc)
				rc = idle_job(n, &twin[k]);
		}
		if (!rc)
			report(b, ours, twin, b->o.repeats, n);
	}
	return rc;
}

static int run(struct bench *b)
{
	return b->lg ? run_job(b) : run_jobs(b);
}

const struct bench_test bench_start = {
	.name = "start", .run = run, .launches = true, .repeats = 5,
	.sizes = "1,2,4,8", .size_is = "not bytes, but processes",
	.help = "seconds to the first pull, by number of processes",
};
