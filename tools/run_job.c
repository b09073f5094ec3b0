/* SPDX-License-Identifier: BSD-3-Clause */
/* Start the processes of a job, watch them, end them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/env.h"
#include "runtime/base/wait.h"
#include "runtime/lagoon.h"
#include "tools/run.h"

#define SECOND 1000000000ull

enum {
	TERM_S = 2,		/* between SIGTERM and SIGKILL */
	LINGER_MS = 1000,	/* for what the ranks have left behind */
	LOOK_MS = 20,
	TWICE_MS = 300,		/* SIGINTs closer than this are one */
	SIGNALS = -1,		/* the event that is no rank */
};

static const int passed_on[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };

enum stage {
	RUNNING,
	GRACE,		/* one has failed, the others may end by themselves */
	TERMINATED,	/* SIGTERM was sent */
	KILLED,
	LINGERING,	/* no rank lives; what they started may */
	OVER,
};

struct rank {
	pid_t pid;
	int pidfd;	/* -1: not started, or reaped */
	bool leader;	/* of a process group */
	bool stray;	/* ended, but not its whole group */
};

struct job {
	const struct run_spec *spec;
	struct run_warden warden;
	struct run_tag *tag;	/* NULL: the ranks write by themselves */
	sigset_t mask;		/* of the caller, as the limit of open files */
	struct rlimit files;
	int epoll;		/* signals and pidfds, in the order of events */
	int signals;
	int null;		/* input of all but rank 0 */
	bool terminal;		/* rank 0 may read from it */
	int live;
	int status;		/* of the first that failed */
	enum stage stage;
	uint64_t deadline_ns;	/* of the stage; 0: none */
	uint64_t interrupted_ns;
	struct rank rank[];
};

/* ------------------------------------------------------- starting a rank */

static int watch_fd(struct job *job, int fd, int what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = (uint32_t)what };

	return epoll_ctl(job->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* The parent's side of a fork. */
static int adopt(struct job *job, int index, pid_t pid)
{
	struct rank *r = &job->rank[index];

	r->pid = pid;
	if (r->leader)
		setpgid(pid, pid);	/* whoever comes first, parent or child */
	job->warden.shared->target[index] = r->leader ? -pid : pid;
	job->live++;
	r->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (r->pidfd >= 0 && !watch_fd(job, r->pidfd, index))
		return 0;
	run_say("cannot watch rank %d (pid %ld): %s", index, (long)pid,
		strerror(errno));
	return 1;
}

/* 0, or the exit status of the job. */
static int start_child(struct job *job, int index, struct run_child *c)
{
	pid_t pid = run_child_fork(c);
	int rc, error;

	if (pid < 0) {
		run_say("cannot start rank %d: %s", index, strerror(errno));
		return 1;
	}
	rc = adopt(job, index, pid);
	error = run_child_exec(c);
	if (rc || !error)
		return rc;
	run_say("cannot execute %s: %s", c->argv[0], strerror(error));
	return RUN_EXEC_FAILED;
}

static int start_rank(struct job *job, int index)
{
	struct run_child c = {
		.argv = job->spec->argv,
		.leader = index || !job->terminal,
		.mask = &job->mask,
		.files = &job->files,
		.in = index ? job->null : -1,
		.out = { -1, -1 },
	};
	int rc;

	job->rank[index].leader = c.leader;
	c.env = run_server_env(index);
	if (!c.env)
		return 1;
	rc = job->tag && run_tag_pipes(job->tag, index, c.out);
	if (!rc)
		rc = start_child(job, index, &c);
	for (int i = 0; i < 2; i++)
		if (c.out[i] >= 0)
			close(c.out[i]);
	run_server_env_free(c.env);
	return rc;
}

/* -------------------------------------------------------------- signals */

static void send_signal(const struct rank *r, int sig)
{
	if (r->pidfd >= 0 || r->stray)
		kill(r->leader ? -r->pid : r->pid, sig);
}

static void send_all(struct job *job, int sig)
{
	for (int i = 0; i < job->spec->n; i++)
		send_signal(&job->rank[i], sig);
}

static void enter(struct job *job, enum stage stage, uint64_t ns)
{
	job->stage = stage;
	job->deadline_ns = ns ? lgn_now_ns() + ns : 0;
}

static void kill_all(struct job *job)
{
	send_all(job, SIGKILL);
	enter(job, KILLED, 0);
}

static bool is_second(struct job *job)
{
	uint64_t last = job->interrupted_ns;

	job->interrupted_ns = lgn_now_ns();
	return last && job->interrupted_ns - last > TWICE_MS * 1000000ull;
}

static void pass_on(struct job *job, const struct signalfd_siginfo *info)
{
	int sig = (int)info->ssi_signo;

	if (sig == SIGINT && is_second(job)) {
		run_say("interrupted again: killing %d processes", job->live);
		kill_all(job);
		return;
	}
	for (int i = 0; i < job->spec->n; i++)
		/* The terminal has signalled its whole group already. */
		if (job->rank[i].leader || info->ssi_code != SI_KERNEL)
			send_signal(&job->rank[i], sig);
}

static void on_signals(struct job *job)
{
	struct signalfd_siginfo info;

	while (read(job->signals, &info, sizeof(info)) == sizeof(info))
		pass_on(job, &info);
}

/* Whoever is told to ignore a signal (nohup, a shell's background job)
 * goes on ignoring it, and so do the ranks. */
static int open_signals(struct job *job)
{
	struct sigaction old;
	sigset_t set;

	signal(SIGCHLD, SIG_DFL);	/* ignored: no status to wait for */
	sigemptyset(&set);
	for (size_t i = 0; i < LGN_COUNT(passed_on); i++)
		if (!sigaction(passed_on[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaddset(&set, passed_on[i]);
	sigprocmask(SIG_BLOCK, &set, &job->mask);
	job->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (job->signals >= 0 && !watch_fd(job, job->signals, SIGNALS))
		return 0;
	run_say("cannot take signals: %s", strerror(errno));
	return -1;
}

/* ------------------------------------------------------------- the end */

static void say_failed(const struct job *job, int index, int status)
{
	const struct rank *r = &job->rank[index];

	if (WIFSIGNALED(status))
		run_say("rank %d (pid %ld) was killed by signal %d (%s)%s", index,
			(long)r->pid, WTERMSIG(status), strsignal(WTERMSIG(status)),
			WCOREDUMP(status) ? ", core dumped" : "");
	else if (!job->spec->outspoken)
		run_say("rank %d (pid %ld) exited with status %d", index,
			(long)r->pid, WEXITSTATUS(status));
}

static void on_failed(struct job *job, int index, int status)
{
	bool first = !job->status;
	bool goes_on = job->spec->on_death == LAGOON_DEATH_CONTINUE;

	if (first)
		job->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						  : WEXITSTATUS(status);
	if (first || (goes_on && job->stage != KILLED))
		say_failed(job, index, status);
	if (first && !goes_on && job->stage == RUNNING)
		/* not 0, which is no deadline */
		enter(job, GRACE, (uint64_t)job->spec->grace_s * SECOND + 1);
}

static void reap(struct job *job, int index)
{
	struct rank *r = &job->rank[index];
	int status = 0;

	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(r->pidfd);
	r->pidfd = -1;
	/* The number of a group in use is not given away. */
	r->stray = r->leader && !kill(-r->pid, 0);
	if (!r->stray)
		job->warden.shared->target[index] = 0;
	job->live--;
	if (status)
		on_failed(job, index, status);
	if (!job->live)
		enter(job, LINGERING, LINGER_MS * 1000000ull);
}

/* Whether anything of a rank that has ended still runs. */
static bool has_strays(struct job *job)
{
	bool any = false;

	for (int i = 0; i < job->spec->n; i++) {
		struct rank *r = &job->rank[i];

		if (r->stray && kill(-r->pid, 0)) {
			r->stray = false;
			job->warden.shared->target[i] = 0;
		}
		any |= r->stray;
	}
	return any;
}

static void on_deadline(struct job *job)
{
	switch (job->stage) {
	case GRACE:
		run_say("ending %d processes that still run", job->live);
		send_all(job, SIGTERM);
		enter(job, TERMINATED, TERM_S * SECOND);
		return;
	case TERMINATED:
		kill_all(job);
		return;
	case LINGERING:
		send_all(job, SIGKILL);
		enter(job, OVER, 0);
		return;
	default:
		return;
	}
}

/* ------------------------------------------------------------- the loop */

/* One event at a time: they come in the order in which they happened, so the
 * first failure is the cause and not what followed from it. */
static void on_event(struct job *job)
{
	struct epoll_event ev;

	if (epoll_wait(job->epoll, &ev, 1, 0) != 1)
		return;
	if ((int)ev.data.u32 == SIGNALS)
		on_signals(job);
	else
		reap(job, (int)ev.data.u32);
}

static int timeout_ms(const struct job *job)
{
	uint64_t now = lgn_now_ns();

	if (job->stage == LINGERING)
		return LOOK_MS;
	if (job->stage == OVER)
		return 0;
	if (!job->deadline_ns)
		return -1;
	return job->deadline_ns <= now
		? 0 : (int)((job->deadline_ns - now) / 1000000u + 1);
}

/* Quiet: the last poll() has found nothing to do. */
static bool is_over(struct job *job, bool quiet)
{
	if (job->live)
		return false;
	if (job->stage == OVER)
		return quiet && !run_tag_pending(job->tag);
	return run_tag_done(job->tag) && !has_strays(job);
}

static void watch(struct job *job)
{
	bool quiet = false;

	while (!is_over(job, quiet)) {
		struct pollfd fd[1 + RUN_TAG_FDS] = {
			{ .fd = job->epoll, .events = POLLIN },
		};

		run_tag_fds(job->tag, fd + 1);
		quiet = poll(fd, LGN_COUNT(fd), timeout_ms(job)) == 0;
		if (fd[0].revents)
			on_event(job);
		run_tag_step(job->tag, fd + 1);
		if (job->deadline_ns && lgn_now_ns() >= job->deadline_ns)
			on_deadline(job);
	}
}

/* ------------------------------------------------------- from end to end */

/* What failed to start ends the job at once. */
static int start_all(struct job *job)
{
	int rc = 0;

	for (int i = 0; !rc && i < job->spec->n; i++)
		rc = start_rank(job, i);
	if (rc) {
		job->status = rc;
		kill_all(job);
	}
	return rc;
}

static void set_environment(const struct run_spec *spec)
{
	char text[16];

	if (!spec->nodes)
		return;
	snprintf(text, sizeof(text), "%d", spec->nodes);
	setenv(lgn_env_entry(LGN_ENV_ID_NODES)->name, text, 1);
}

/* A rank takes up to four. */
static void more_files(struct rlimit *old)
{
	struct rlimit all;

	getrlimit(RLIMIT_NOFILE, old);
	all = *old;
	all.rlim_cur = all.rlim_max;
	setrlimit(RLIMIT_NOFILE, &all);
}

static struct job *make_job(const struct run_spec *spec)
{
	struct job *job = calloc(1, sizeof(*job) +
				    (size_t)spec->n * sizeof(job->rank[0]));

	if (!job) {
		run_say("no memory for %d processes", spec->n);
		return NULL;
	}
	job->spec = spec;
	more_files(&job->files);
	for (int i = 0; i < spec->n; i++)
		job->rank[i].pidfd = -1;
	job->terminal = tcgetpgrp(STDIN_FILENO) == getpgrp();
	job->epoll = epoll_create1(EPOLL_CLOEXEC);
	job->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return job;
}

static void free_job(struct job *job)
{
	setrlimit(RLIMIT_NOFILE, &job->files);
	close(job->null);
	close(job->epoll);
	free(job);
}

static int run_ranks(struct job *job)
{
	int rc = start_all(job);

	watch(job);
	if (!rc)
		rc = job->status;
	return !rc && run_tag_failed(job->tag) ? 1 : rc;
}

/* The warden comes before the server has threads; signals are blocked before,
 * so that none of the threads gets them. */
int run_job(const struct run_spec *spec)
{
	struct job *job = make_job(spec);
	int rc = 1;

	if (!job)
		return 1;
	set_environment(spec);
	if (open_signals(job))
		goto free;
	if (run_warden_open(&job->warden, spec->n))
		goto unblock;
	if (run_server_open(spec->n, job->warden.shared->dir))
		goto warden;
	job->tag = spec->tag ? run_tag_open(spec->n) : NULL;
	if (!spec->tag || job->tag)
		rc = run_ranks(job);
	run_tag_close(job->tag);
	run_server_close();
warden:
	run_warden_close(&job->warden);
unblock:
	close(job->signals);
	sigprocmask(SIG_SETMASK, &job->mask, NULL);
free:
	free_job(job);
	return rc;
}
