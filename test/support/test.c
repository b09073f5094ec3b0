/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/support/temp.h"
#include "test/support/test.h"

enum {
	RANKS = 64,
	BLOB = 512,		/* bytes a process hands to an allgather */
	HEAD = 2 * 65536,	/* keeps the caller's part page aligned */
	YIELDS = 1000,
	NAP_NS = 200000,
};

/* The start of the shared file; the caller's part follows at HEAD. */
struct head {
	_Atomic uint64_t seed;
	_Atomic uint32_t arrived;
	_Atomic uint32_t turn;
	_Atomic uint32_t failed;
	_Atomic uint32_t stopped;
	_Atomic uint32_t gathered;	/* processes that put their blob */
	uint8_t blob[2][RANKS][BLOB];	/* in turn */
	char folder[TEMP_PATH];
};
_Static_assert(sizeof(struct head) <= HEAD, "the head outgrew its place");

void *t_shared;
struct lagoon *t_lg;
static struct head *head;
static const char *test_name = "test";
static char shared_path[TEMP_PATH];
static char context[512];
static int my_rank = -1;

void t_name(const char *name, int rank)
{
	test_name = name;
	my_rank = rank;
}

void t_context(const char *text)
{
	snprintf(context, sizeof(context), "%s", text);
}

void t_die(const char *fmt, ...)
{
	char line[2048];
	int n;
	va_list ap;

	n = snprintf(line, sizeof(line), "%s: rank %d: ", test_name, my_rank);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	if (context[0])
		n += snprintf(line + n, sizeof(line) - (size_t)n - 1, " [%s]",
			      context);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	fflush(stdout);
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		n = 0;
	if (head)
		atomic_store(&head->failed, 1);
	_exit(1);
}

void t_ok(int rc, const char *what)
{
	if (rc)
		t_die("%s: %s (%d): %s", what, lagoon_strerror(rc), rc,
		      lagoon_errmsg());
}

void t_expect(int rc, int want, const char *what)
{
	if (rc != want)
		t_die("%s: returned %d (%s), not %d (%s): %s", what, rc,
		      lagoon_strerror(rc), want, lagoon_strerror(want),
		      lagoon_errmsg());
	if (want < 0 && !lagoon_errmsg()[0])
		t_die("%s: returned %d without a message", what, rc);
}

double t_scale(void)
{
	const char *text = getenv("LAGOON_TEST_SCALE");
	double scale = text && *text ? strtod(text, NULL) : 1;

	return scale > 0 ? scale : 1;
}

uint64_t t_scaled(uint64_t n, uint64_t min)
{
	uint64_t m = (uint64_t)((double)n * t_scale());

	return m > min ? m : min;
}

uint64_t t_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Give the core away: 1000 times at once, then in naps. */
static void wait_step(unsigned *steps)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };

	if (head && atomic_load(&head->failed))
		_exit(1);
	if (head && atomic_load(&head->stopped))
		_exit(0);
	if (++*steps < YIELDS)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

/*
 * All ranks have the same PMIx namespace, or else the same parent. The name
 * lives only until lagoon_open() has returned once: by then everybody has
 * opened the file. On several machines it is another file, zeroed and long
 * enough: LAGOON_TEST_SHARED.
 */
static void path_make(const char *name)
{
	const char *job = getenv("PMIX_NAMESPACE");
	char parent[16], file[TEMP_PATH];

	snprintf(parent, sizeof(parent), "%d", getppid());
	snprintf(file, sizeof(file), "lagoon-test.%s.%ld.%s", name,
		 (long)getuid(), job ? job : parent);
	T_CHECK(temp_name(shared_path, file), "TMPDIR is too long");
}

void t_begin(const char *name, size_t shared_bytes)
{
	size_t bytes = HEAD + shared_bytes;
	const char *given = getenv("LAGOON_TEST_SHARED");
	const char *path = given && *given ? given : shared_path;
	uint8_t *base;
	int fd;

	test_name = name;
	setvbuf(stdout, NULL, _IOLBF, 0);
	path_make(name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || (path == shared_path && ftruncate(fd, (off_t)bytes)))
		t_die("%s: %s", path, strerror(errno));
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		t_die("mmap of %s: %s", path, strerror(errno));
	close(fd);
	head = (struct head *)base;
	t_shared = base + HEAD;
}

static long env_number(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? strtol(text, NULL, 10) : -1;
}

/* For processes that no launcher started: allgathers over the head. Nobody
 * can be two calls ahead. */
static int gather(void *arg, const void *mine, size_t len, void *all)
{
	static uint32_t calls;
	struct lagoon_attr *attr = arg;
	uint8_t (*blob)[BLOB] = head->blob[calls++ & 1];
	unsigned steps = 0;

	if (len > BLOB)
		return -1;
	memcpy(blob[attr->rank], mine, len);
	atomic_fetch_add(&head->gathered, 1);
	while (atomic_load(&head->gathered) < calls * (uint32_t)attr->nranks)
		wait_step(&steps);
	for (int r = 0; r < attr->nranks; r++)
		memcpy((uint8_t *)all + (size_t)r * len, blob[r], len);
	return 0;
}

int t_try_open(struct lagoon_attr *attr, t_open_fn open, struct lagoon **lg)
{
	long size = env_number("LAGOON_TEST_SIZE");
	int rc;

	if (size > 0) {
		T_CHECK(size <= RANKS, "at most %d processes", RANKS);
		attr->allgather = gather;
		attr->allgather_arg = attr;
		attr->rank = (int)env_number("LAGOON_TEST_RANK");
		attr->nranks = (int)size;
	}
	rc = open ? open(attr, lg) : lagoon_open(attr, lg);
	unlink(shared_path);
	if (!rc)
		my_rank = lagoon_rank(*lg);
	return rc;
}

void t_open(struct lagoon_attr *attr, t_open_fn open)
{
	t_ok(t_try_open(attr, open, &t_lg), "lagoon_open");
}

int t_rank(void)
{
	long rank = env_number("LAGOON_TEST_RANK");

	return (int)(rank < 0 ? env_number("PMIX_RANK") : rank);
}

int t_workers(const char *list)
{
	int rank = t_rank();
	const char *p = list;

	while (rank-- > 0) {
		p = strchr(p, ',');
		p = p ? p + 1 : list;
	}
	return (int)strtol(p, NULL, 10);
}

void t_close(void)
{
	struct lagoon *lg = t_lg;

	t_lg = NULL;
	t_ok(lagoon_close(lg), "lagoon_close");
}

uint64_t t_seed(void)
{
	const char *text = getenv("LAGOON_TEST_SEED");
	uint64_t none = 0, mine;
	static bool printed;

	if (text && *text)
		mine = strtoull(text, NULL, 0);
	else
		mine = t_mix(t_now_ns(), (uint64_t)getpid()) >> 16;
	mine |= !mine;
	atomic_compare_exchange_strong(&head->seed, &none, mine);
	mine = atomic_load(&head->seed);
	if (my_rank == 0 && !printed) {
		printed = true;
		printf("%s: seed %llu (LAGOON_TEST_SEED)\n", test_name,
		       (unsigned long long)mine);
	}
	return mine;
}

void t_sync(void)
{
	uint32_t turn = atomic_load(&head->turn);
	uint32_t size = (uint32_t)lagoon_size(t_lg);
	unsigned steps = 0;

	if (atomic_fetch_add(&head->arrived, 1) + 1 == size) {
		atomic_store(&head->arrived, 0);
		atomic_store(&head->turn, turn + 1);
		return;
	}
	while (atomic_load(&head->turn) == turn)
		wait_step(&steps);
}

const char *t_folder(void)
{
	if (!lagoon_rank(t_lg))
		T_CHECK(temp_folder(head->folder), "cannot make a folder: %s",
			strerror(errno));
	t_sync();
	return head->folder;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void t_folder_remove(void)
{
	T_CHECK(lagoon_rank(t_lg) ||
		!nftw(head->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS),
		"cannot remove %s: %s", head->folder, strerror(errno));
}

void t_stop(void)
{
	fflush(NULL);
	atomic_store(&head->stopped, 1);
	_exit(0);
}

void t_await(const _Atomic int *count, int n)
{
	unsigned steps = 0;

	while (atomic_load(count) < n)
		wait_step(&steps);
}

bool t_names(const char *text, const char *prefix, long n)
{
	char want[64];
	size_t len = (size_t)snprintf(want, sizeof(want), "%s%ld", prefix, n);

	for (const char *p = text; (p = strstr(p, want)); p++) {
		bool starts = p == text || !strchr("0123456789.-", p[-1]);
		char after = p[len];

		if (starts && !(after >= '0' && after <= '9'))
			return true;
	}
	return false;
}

void *t_fork_shared(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	T_CHECK(p != MAP_FAILED, "no memory to share");
	return p;
}

int t_fork(int n, void (*child)(int number))
{
	pid_t pid[64];
	int failed = 0, status;

	T_CHECK(n <= 64, "%d processes", n);
	for (int i = 0; i < n; i++) {
		pid[i] = fork();
		T_CHECK(pid[i] >= 0, "fork");
		if (pid[i])
			continue;
		child(i);
		exit(0);
	}
	while (wait(&status) > 0) {
		for (int i = 0; status && !failed && i < n; i++)
			kill(pid[i], SIGKILL);
		failed |= status;
	}
	return failed != 0;
}
