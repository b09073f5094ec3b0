/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tools/run.h"

/* Returns only on failure. Between fork and exec in a process that had
 * threads: system calls only. */
static void become(const struct run_child *c)
{
	sigprocmask(SIG_SETMASK, c->mask, NULL);
	setrlimit(RLIMIT_NOFILE, c->files);
	if (c->leader)
		setpgid(0, 0);
	if (c->in >= 0)
		dup2(c->in, STDIN_FILENO);
	if (c->out[0] >= 0) {
		dup2(c->out[0], STDOUT_FILENO);
		dup2(c->out[1], STDERR_FILENO);
	}
	execvpe(c->argv[0], c->argv, c->env);
}

static _Noreturn void child_main(const struct run_child *c, pid_t parent,
				 int report)
{
	int error;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)	/* else it came too late to be told */
		become(c);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(RUN_EXEC_FAILED + 1);
	_exit(RUN_EXEC_FAILED);
}

pid_t run_child_fork(struct run_child *c)
{
	pid_t parent = getpid(), pid;
	int report[2];

	if (pipe2(report, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid)
		child_main(c, parent, report[1]);
	close(report[1]);
	c->report = report[0];
	if (pid < 0)
		close(report[0]);
	return pid;
}

int run_child_exec(struct run_child *c)
{
	int error = 0;
	ssize_t got;

	do
		got = read(c->report, &error, sizeof(error));
	while (got < 0 && errno == EINTR);
	close(c->report);
	return got > 0 ? error : 0;
}
