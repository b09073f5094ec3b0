/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/run.h"

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/* It must not keep anything of the caller's open: a pipe's reader would wait
 * for it, a lock would stay held. */
static void let_go(int *line)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	*line = dup2(*line, 3) < 0 ? *line : 3;
#ifdef SYS_close_range
	syscall(SYS_close_range, 4, ~0u, 0);
#endif
}

/* Before anything else: there is no moment in which the directory exists and
 * the warden does not. 0, or errno. */
static int make_dir(struct run_warden *w)
{
	const char *base = getenv("TMPDIR");
	size_t room = sizeof(w->shared->dir);

	if (!base || *base != '/')
		base = "/tmp";
	if (snprintf(w->shared->dir, room, "%s/lagoon-run-XXXXXX", base) >= (int)room)
		return ENAMETOOLONG;
	return mkdtemp(w->shared->dir) ? 0 : errno;
}

static void clean_up(const struct run_shared *shared, int n)
{
	for (int i = 0; i < n; i++)
		if (shared->target[i])
			kill(shared->target[i], SIGKILL);
	nftw(shared->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Own session: signals to the launcher's group pass by. */
static void watch(struct run_warden *w, int line)
{
	sigset_t all;
	char byte;
	int error;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "lagoon-warden");
	error = make_dir(w);
	/* That the launcher is gone already shows in read(). */
	send(line, &error, sizeof(error), MSG_NOSIGNAL);
	if (error)
		return;
	let_go(&line);
	while (read(line, &byte, 1) < 0 && errno == EINTR)
		;
	clean_up(w->shared, w->n);
}

/* What the warden says of its directory: 0, or errno. */
static int await_dir(const struct run_warden *w)
{
	int error = EIO;
	ssize_t got;

	do
		got = read(w->line, &error, sizeof(error));
	while (got < 0 && errno == EINTR);
	return error;
}

static int start(struct run_warden *w)
{
	int line[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line))
		return -1;
	w->pid = fork();
	if (!w->pid) {
		close(line[1]);
		watch(w, line[0]);
		_exit(0);
	}
	close(line[0]);
	w->line = line[1];
	if (w->pid > 0)
		return 0;
	close(line[1]);
	return -1;
}

static size_t shared_bytes(const struct run_warden *w)
{
	return sizeof(*w->shared) + (size_t)w->n * sizeof(w->shared->target[0]);
}

int run_warden_open(struct run_warden *w, int n)
{
	int error;

	w->n = n;
	w->shared = mmap(NULL, shared_bytes(w), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->shared == MAP_FAILED) {
		run_say("no memory for %d processes", n);
		return -1;
	}
	if (start(w)) {
		run_say("cannot start a process: %s", strerror(errno));
		munmap(w->shared, shared_bytes(w));
		return -1;
	}
	error = await_dir(w);
	if (!error)
		return 0;
	run_say("cannot make the directory %s (TMPDIR): %s", w->shared->dir,
		strerror(error));
	run_warden_close(w);
	return -1;
}

void run_warden_close(struct run_warden *w)
{
	close(w->line);
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(w->shared, shared_bytes(w));
}
