/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bootstrap under a launcher: every process hands in blobs that depend on its
 * rank and checks what it gets from the others; twice in one connection, and
 * again after leaving. The host program's signals and environment stay as
 * they were.
 *
 *	fence SIZE [CASE]
 *	    late N    rank 0 comes N ms after the others
 *	    slow N    rank 0 stays N ms after the others have left and ended
 *	    absent    the last rank never comes; LAGOON_TIMEOUT decides
 *	    dies      the last rank is killed before the exchange
 */
/* launch: -n 1 -- 1 */
/* launch: -n 2 -- 2 */
/* launch: -n 5 -- 5 */
/* launch: -n 16 -- 16 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "runtime/job.h"
#include "test/support/temp.h"

extern char **environ;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "fence: %s: %s\n", what, lagoon_errmsg());
	exit(1);
}

static void check(bool ok, const char *what)
{
	if (!ok)
		fail(what);
}

static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static unsigned char expected(int rank, size_t i, int round)
{
	return (unsigned char)(rank * 31 + (int)i * 7 + round * 101);
}

static void exchange(struct lgn_job *job, size_t len, int round)
{
	unsigned char *all = malloc((size_t)job->size * len);
	unsigned char *mine = malloc(len);

	for (size_t i = 0; i < len; i++)
		mine[i] = expected(job->rank, i, round);
	if (lgn_job_allgather(job, mine, len, all))
		fail("allgather");
	for (int r = 0; r < job->size; r++)
		for (size_t i = 0; i < len; i++)
			check(all[(size_t)r * len + i] == expected(r, i, round),
			      "a blob is not what its rank handed in");
	free(all);
	free(mine);
}

static void open_job(const struct lagoon_attr *attr, struct lgn_job *job, int size)
{
	if (lgn_job_open(attr, job))
		fail("open");
	if (job->size != size || job->rank < 0 || job->rank >= size) {
		fprintf(stderr, "fence: rank %d of %d, expected a job of %d\n",
			job->rank, job->size, size);
		exit(1);
	}
}

/* What the process does about each standard signal. */
struct signals {
	void (*handler[32])(int);
	sigset_t blocked;
};

static void get_signals(struct signals *s)
{
	struct sigaction old;

	memset(s, 0, sizeof(*s));
	for (int sig = 1; sig < 32; sig++)
		if (!sigaction(sig, NULL, &old))
			s->handler[sig] = old.sa_handler;
	sigprocmask(SIG_SETMASK, NULL, &s->blocked);
}

static int n_variables(void)
{
	int n = 0;

	while (environ[n])
		n++;
	return n;
}

/* Wait until every process is here, through a file of the job: a byte each.
 * Nobody may enter the next exchange while others still leave the last one,
 * as lagoon_close() makes sure. */
static void meet(int rank, int size, bool last)
{
	char name[128], path[TEMP_PATH];
	struct stat st = { .st_size = 0 };
	const char *job = getenv("PMIX_NAMESPACE");
	int fd;

	snprintf(name, sizeof(name), "lagoon-fence-%u-%s-%d",
		 (unsigned)getuid(), job ? job : "single", last);
	check(temp_name(path, name) != NULL, "TMPDIR is too long");
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	check(fd >= 0 && write(fd, "", 1) == 1, "cannot write a file");
	while (!fstat(fd, &st) && st.st_size < size)
		sleep_ms(2);
	close(fd);
	if (!rank && last) {
		unlink(path);
		path[strlen(path) - 1] = '0';
		unlink(path);
	}
}

static void normal(const struct lagoon_attr *attr, int size, long late, long slow)
{
	struct signals before, after;
	int variables = n_variables();
	struct lgn_job job;
	int rank;

	get_signals(&before);
	open_job(attr, &job, size);
	rank = job.rank;
	if (!rank)
		sleep_ms(late);
	exchange(&job, 256, 0);
	exchange(&job, 1, 1);
	if (!rank)
		sleep_ms(slow);
	exchange(&job, 100000, 2);
	lgn_job_leave(&job);
	lgn_job_leave(&job);
	get_signals(&after);
	check(!memcmp(&before, &after, sizeof(before)), "signal dispositions have changed");
	check(variables == n_variables(), "the environment has changed");

	meet(rank, size, false);
	open_job(attr, &job, size);
	check(job.rank == rank, "another rank the second time");
	exchange(&job, 64, 3);
	lgn_job_leave(&job);
	meet(rank, size, true);
}

static void last_missing(const struct lagoon_attr *attr, int size, bool dies)
{
	struct lgn_job job;
	char mine = 0, *all = malloc((size_t)size);
	int rc;

	open_job(attr, &job, size);
	if (job.rank == size - 1) {
		if (dies)
			raise(SIGKILL);
		sleep_ms(attr->timeout_s * LGN_JOB_PATIENCE * 1000 + 3000);
		exit(0);
	}
	rc = lgn_job_allgather(&job, &mine, 1, all);
	lgn_job_leave(&job);
	free(all);
	if (rc != (dies ? LAGOON_EJOB : LAGOON_ETIMEDOUT))
		fail("allgather without the last rank");
	printf("%s\n", lagoon_errmsg());
}

int main(int argc, char **argv)
{
	int size = argc > 1 ? atoi(argv[1]) : 0;
	const char *what = argc > 2 ? argv[2] : "";
	long ms = argc > 3 ? atol(argv[3]) : 0;
	struct lagoon_attr attr = {
		.size = sizeof(attr), .nranks = 1, .timeout_s = 30,
	};

	if (size < 1) {
		fprintf(stderr, "usage: fence SIZE [late MS|slow MS|absent|dies]\n");
		return 2;
	}
	if (!strcmp(what, "absent") || !strcmp(what, "dies")) {
		attr.timeout_s = 1;
		last_missing(&attr, size, *what == 'd');
		return 0;
	}
	normal(&attr, size, *what == 'l' ? ms : 0, *what == 's' ? ms : 0);
	return 0;
}
