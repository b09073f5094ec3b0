/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Children that the program makes by fork() while a job is open do not
 * disturb it: some end at once, some execute another program, some live on,
 * made by the main thread and by workers that are at work. They inherit no
 * memory of tables, and over an exec no descriptor. With the argument
 * `orphan` a process is killed whose child lives on: the others notice.
 */
/* launch: -n 1 */
/* launch: -n 3 */
/* launch: -n 3 --nodes 3 */
/* launch: -n 3 -- orphan */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/test.h"

enum {
	ROWS = 1000, ROUNDS = 20, WORKERS = 2, TEXT = 8192,
	LIMIT_S = 20,		/* 5 are promised; others may have the cores */
	STAY_S = 60,		/* longest life of a child */
};

struct shared {
	_Atomic int orphan;	/* its pid */
	_Atomic uint64_t died_ns;
	_Atomic int opened, survived;	/* of the others */
};

/* What runs in a child; its exit status is what this returns. */
typedef int (*child_fn)(void);

static pid_t start(child_fn run)
{
	pid_t parent = getpid(), pid = fork();

	T_CHECK(pid >= 0, "fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	_exit(run());
}

static void ended(pid_t pid, const char *what)
{
	int status;

	T_CHECK(waitpid(pid, &status, 0) == pid, "waitpid: %s", strerror(errno));
	T_CHECK(WIFEXITED(status) && !WEXITSTATUS(status),
		"%s: the child's status is %#x", what, (unsigned)status);
}

static int nothing(void)
{
	return 0;
}

static int stay(void)
{
	alarm(STAY_S);
	pause();
	return 1;
}

/* With system calls alone, as other threads may have held any lock. */
static int no_mappings(void)
{
	static const char name[] = "memfd:lagoon";
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), found = 0;
	char text[TEXT];
	size_t kept = 0;
	ssize_t n;

	while ((n = read(fd, text + kept, sizeof(text) - kept)) > 0) {
		size_t len = kept + (size_t)n;

		found |= memmem(text, len, name, strlen(name)) != NULL;
		kept = len < sizeof(name) ? len : sizeof(name);
		memmove(text, text + len - kept, kept);
	}
	return found || n < 0;
}

/* By mistake: in a handler of atexit(), or a destructor. */
static int close_job(void)
{
	return lagoon_close(t_lg) != LAGOON_EINVAL;
}

/* In the program that is executed: its descriptors, on standard output. */
static int list(void)
{
	char path[64], target[256];

	for (int fd = 3; fd < 1024; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target));
		if (n > 0)
			printf("%d: %.*s\n", fd, (int)n, target);
	}
	return 0;
}

static void executed(char text[TEXT])
{
	FILE *in = popen("exec \"$TEST_FORK\" list", "r");
	size_t n;

	T_CHECK(in, "popen: %s", strerror(errno));
	n = fread(text, 1, TEXT - 1, in);
	text[n] = 0;
	T_CHECK(!pclose(in) && n < TEXT - 1, "the executed program failed");
}

static int work(struct lagoon_worker *w, void *arg)
{
	int64_t one[ROWS];

	for (int i = 0; i < ROWS; i++)
		one[i] = 1;
	for (int r = 0; r < ROUNDS; r++) {
		pid_t pid = start(no_mappings);

		t_ok(lagoon_add(w, arg, 0, ROWS, one), "add");
		t_ok(lagoon_clock(w), "clock");
		ended(pid, "a worker's child");
	}
	t_ok(lagoon_barrier(w), "barrier");
	t_ok(lagoon_pull(w, arg, 0, ROWS, one), "pull");
	for (int i = 0; i < ROWS; i++)
		T_CHECK(one[i] == (int64_t)ROUNDS * lagoon_workers(t_lg),
			"row %d is %lld", i, (long long)one[i]);
	return 0;
}

static struct lagoon_table *open_job(void)
{
	struct lagoon_table_attr shape;
	struct lagoon_table *t;
	struct lagoon_attr attr;

	t_ok(lagoon_attr_init(&attr), "attr_init");
	attr.workers = WORKERS;
	t_open(&attr, NULL);
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	shape.format = LAGOON_I64;
	t_ok(lagoon_table_create(t_lg, "t", &shape, &t), "table");
	return t;
}

static void children(void)
{
	char before[TEXT], after[TEXT];
	pid_t staying[2];
	struct lagoon_table *t;

	executed(before);
	for (int job = 0; job < 2; job++) {
		t = open_job();
		staying[job] = start(stay);
		ended(start(nothing), "a child");
		ended(start(no_mappings), "a child that looks at its mappings");
		ended(start(close_job), "lagoon_close() in a child");
		executed(after);
		T_CHECK(!strcmp(before, after), "descriptors are inherited: %s",
			after);
		t_ok(lagoon_run(t_lg, work, t), "run");
		t_close();
	}
	for (int job = 0; job < 2; job++) {
		kill(staying[job], SIGKILL);
		waitpid(staying[job], NULL, 0);
	}
}

/* The one that dies: its child keeps its descriptors open. */
static void die(void)
{
	struct shared *shared = t_shared;
	pid_t pid;

	open_job();
	pid = fork();
	T_CHECK(pid >= 0, "fork: %s", strerror(errno));
	if (!pid)
		stay();
	atomic_store(&shared->orphan, pid);
	t_await(&shared->opened, 2);
	atomic_store(&shared->died_ns, t_now_ns());
	raise(SIGKILL);
}

static void survive(void)
{
	struct shared *shared = t_shared;
	struct lagoon_table_attr shape;
	struct lagoon_worker *w;
	struct lagoon_table *t;
	uint64_t since;
	int64_t x;

	t = open_job();
	atomic_fetch_add(&shared->opened, 1);
	t_ok(lagoon_worker(t_lg, 0, &w), "worker");
	t_ok(lagoon_clock(w), "clock");
	t_expect(lagoon_pull(w, t, 0, 1, &x), LAGOON_EPEER, "pull");
	lagoon_table_attr_init(&shape);
	shape.rows = ROWS;
	t_expect(lagoon_table_create(t_lg, "u", &shape, &t), LAGOON_EPEER,
		 "table after a death");
	t_expect(lagoon_close(t_lg), LAGOON_EPEER, "close after a death");
	since = t_now_ns() - atomic_load(&shared->died_ns);
	T_CHECK(since < LIMIT_S * 1000000000ull, "noticed after %.1f s",
		(double)since / 1e9);
	atomic_fetch_add(&shared->survived, 1);
}

/* The process that the launcher started stays; a child of it is the member
 * that dies, and the member's child comes to it then. */
static void orphan(int rank)
{
	struct shared *shared = t_shared;
	pid_t member;

	if (rank < 2) {
		survive();
		return;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	member = fork();
	T_CHECK(member >= 0, "fork: %s", strerror(errno));
	if (!member)
		die();
	waitpid(member, NULL, 0);
	t_await(&shared->survived, 2);
	kill(atomic_load(&shared->orphan), SIGKILL);
	waitpid(atomic_load(&shared->orphan), NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "list"))
		return list();
	setenv("TEST_FORK", argv[0], 1);
	t_begin("fork", sizeof(struct shared));
	if (argc > 1 && !strcmp(argv[1], "orphan"))
		orphan(t_rank());
	else
		children();
	return 0;
}
