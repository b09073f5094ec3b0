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

/* Own session: signals to the launcher's group pass by. */
static void watch(struct run_warden *w, int line)
{
	sigset_t all;
	char byte;

	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "lagoon-warden");
	if (chdir("/"))
		return;		/* no reason to stop: the path is absolute */
	let_go(&line);
	while (read(line, &byte, 1) < 0 && errno == EINTR)
		;
	for (int i = 0; i < w->n; i++)
		if (w->target[i])
			kill(w->target[i], SIGKILL);
	nftw(w->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static char *make_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *dir;

	if (!base || *base != '/')
		base = "/tmp";
	if (asprintf(&dir, "%s/lagoon-run-XXXXXX", base) < 0)
		return NULL;
	if (mkdtemp(dir))
		return dir;
	run_say("cannot make a directory in %s (TMPDIR): %s", base,
		strerror(errno));
	free(dir);
	return NULL;
}

static int start(struct run_warden *w)
{
	int line[2];

	if (pipe2(line, O_CLOEXEC))
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

int run_warden_open(struct run_warden *w, int n)
{
	size_t bytes = (size_t)n * sizeof(*w->target);

	w->n = n;
	w->target = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->target == MAP_FAILED) {
		run_say("no memory for %d processes", n);
		return -1;
	}
	w->dir = make_dir();
	if (!w->dir)
		goto unmap;
	if (start(w)) {
		run_say("cannot start a process: %s", strerror(errno));
		goto remove;
	}
	return 0;
remove:
	rmdir(w->dir);
	free(w->dir);
unmap:
	munmap(w->target, bytes);
	return -1;
}

void run_warden_close(struct run_warden *w)
{
	close(w->line);
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(w->target, (size_t)w->n * sizeof(*w->target));
	free(w->dir);
}
