/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What smoke.sh counts instructions of: a function smoke_NAME() for each
 * operation, called once, that does it CALLS times. Two jobs: one process
 * (direct), then two that pretend two nodes (cached), of which the second
 * only waits. They need no launcher.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/lagoon.h"

enum { CALLS = 500, ROWS = 1 << 16, LIST = 64, BOARD = 4096 };

#define MEASURED __attribute__((noinline, noclone))
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static struct lagoon_worker *w;
static struct lagoon_table *t;
static uint64_t row[LIST];
static double x[LIST];

static void must(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "smoke: %s: %s\n", lagoon_strerror(rc), lagoon_errmsg());
	exit(1);
}

static void pull(void)
{
	for (int i = 0; i < CALLS; i++)
		must(lagoon_pull(w, t, row[i % LIST], 1, x));
}

static void add(void)
{
	for (int i = 0; i < CALLS; i++)
		must(lagoon_add(w, t, row[i % LIST], 1, x));
}

static void pull_list(void)
{
	for (int i = 0; i < CALLS; i++)
		must(lagoon_pull_rows(w, t, row, LIST, x));
}

static void add_list(void)
{
	for (int i = 0; i < CALLS; i++)
		must(lagoon_add_rows(w, t, row, LIST, x));
}

static void end_round(void)
{
	for (int i = 0; i < CALLS; i++)
		must(lagoon_clock(w));
}

/* The empty asm keeps a call from becoming a jump, which has no end that
 * could be seen. */
#define SMOKE(name, work) \
	MEASURED void smoke_##name(void); \
	MEASURED void smoke_##name(void) \
	{ \
		work(); \
		__asm__ __volatile__(""); \
	}

SMOKE(direct_pull, pull)
SMOKE(direct_add, add)
SMOKE(direct_clock, end_round)
SMOKE(direct_pull_64, pull_list)
SMOKE(direct_add_64, add_list)
SMOKE(cached_pull, pull)
SMOKE(cached_add, add)
SMOKE(cached_clock, end_round)
SMOKE(cached_pull_64, pull_list)
SMOKE(cached_add_64, add_list)

/* Everything is run twice: what happens once only, and what a tool does not
 * see the beginning of, is in the first. */
static void run_direct(void)
{
	smoke_direct_pull();
	smoke_direct_pull_64();
	smoke_direct_add();
	smoke_direct_add_64();
	smoke_direct_clock();
}

/* The pages are in the cache, and nothing is to be pushed. */
static void run_cached(void)
{
	must(lagoon_clock(w));
	must(lagoon_pull_rows(w, t, row, LIST, x));
	smoke_cached_pull();
	smoke_cached_pull_64();
	smoke_cached_clock();
	smoke_cached_add();
	smoke_cached_add_64();
}

/* ------------------------------------------------- a job of two processes */

/* valgrind 3.19 does not know pidfd_open(). Linked with --wrap=syscall: in its
 * place something that never says that the process has ended. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
	va_list args;
	long a[6], rc;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	rc = __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (rc < 0 && errno == ENOSYS && number == SYS_pidfd_open)
		return eventfd(0, EFD_CLOEXEC);
	return rc;
}

struct meeting {
	_Atomic int arrived;
	char card[2][BOARD];
};

struct seat {
	struct meeting *at;
	int rank, turn;
};

static int allgather(void *arg, const void *mine, size_t len, void *all)
{
	struct seat *s = arg;
	const struct timespec nap = { .tv_nsec = 1000000 };

	if (len > BOARD)
		return 1;
	/* Twice: nobody writes a card that is not read yet. */
	for (int half = 0; half < 2; half++) {
		if (!half)
			memcpy(s->at->card[s->rank], mine, len);
		else
			for (int i = 0; i < 2; i++)
				memcpy((char *)all + (size_t)i * len,
				       s->at->card[i], len);
		s->turn += 2;
		atomic_fetch_add(&s->at->arrived, 1);
		while (atomic_load(&s->at->arrived) < s->turn)
			nanosleep(&nap, NULL);
	}
	return 0;
}

static void job(struct lagoon_attr *attr, void (*run)(void))
{
	struct lagoon_table_attr shape;
	struct lagoon *lg;

	must(lagoon_open(attr, &lg));
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	must(lagoon_table_create(lg, "smoke", &shape, &t));
	must(lagoon_worker(lg, 0, &w));
	for (int i = 0; i < LIST; i++) {
		row[i] = (uint64_t)i * 1021 % ROWS;
		x[i] = 1.0 / 1024;
	}
	for (int i = 0; run && i < 2; i++)
		run();
	must(lagoon_worker_leave(w));
	must(lagoon_close(lg));
}

static int two_processes(struct lagoon_attr *attr)
{
	struct seat seat = {
		.at = mmap(NULL, sizeof(struct meeting), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};
	pid_t child;
	int status = 1;

	if (seat.at == MAP_FAILED)
		return 1;
	fflush(stdout);
	child = fork();
	if (child < 0)
		return 1;
	seat.rank = !child;
	attr->nodes = 2;
	attr->nranks = 2;
	attr->rank = seat.rank;
	attr->allgather = allgather;
	attr->allgather_arg = &seat;
	job(attr, child ? run_cached : NULL);
	if (!child)
		exit(0);
	waitpid(child, &status, 0);
	return status != 0;
}

int main(void)
{
	struct lagoon_attr attr;

	if (SANITIZED) {
		puts("built with a sanitizer: its instructions are not Lagoon's");
		return 77;
	}
	printf("key %s %s\ncalls %d\n", __VERSION__, SMOKE_CFLAGS, CALLS);
	must(lagoon_attr_init(&attr));
	attr.workers = 1;
	job(&attr, run_direct);
	return two_processes(&attr);
}
