/* SPDX-License-Identifier: BSD-3-Clause */
/* The launcher of one machine, in parts: run.c reads the command line,
 * run_job.c watches the processes, run_child.c starts one, run_pmix.c lets
 * them find each other, run_tag.c marks their output, run_warden.c cleans up. */
#ifndef LGN_TOOLS_RUN_H
#define LGN_TOOLS_RUN_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "runtime/base/attr.h"

enum { RUN_MAX = 4096 };	/* processes of a job */

struct run_spec {
	int n;
	int nodes;		/* pretended; 0: as LAGOON_NODES says */
	bool tag;
	int on_death;		/* enum lagoon_on_death */
	int grace_s;
	bool outspoken;		/* a rank that exits says why by itself */
	char **argv;		/* the program and its arguments */
};

/* The exit status of the whole job. */
int run_job(const struct run_spec *spec);

/* One line on stderr, "lagoon run: text", by one write(2). */
void run_say(const char *fmt, ...) LGN_PRINTF(1, 2);

/* ------------------------------------------------------ the PMIx server */

/* Serve n ranks; files only below dir. 0, or -1 after run_say(). A build
 * without PMIx serves one rank. */
int run_server_open(int n, const char *dir);

/* This process's environment and what the rank needs to find the server.
 * NULL after run_say(); else run_server_env_free(). */
char **run_server_env(int rank);
void run_server_env_free(char **env);

void run_server_close(void);

/* --------------------------------------------------------------- a child */

enum { RUN_EXEC_FAILED = 127 };

struct run_child {
	char **argv, **env;
	bool leader;		/* of a process group of its own */
	const sigset_t *mask;	/* blocked signals and */
	const struct rlimit *files;	/* limit of open files to start with */
	int in;			/* standard input; -1: inherited */
	int out[2];		/* standard output and error; -1: inherited */
	int report;		/* set by fork: tells whether exec succeeds */
};

/* A child that ends with the calling thread. -1 with errno. */
pid_t run_child_fork(struct run_child *c);

/* Wait until it is the program. 0, or the errno of exec: the child ends. */
int run_child_exec(struct run_child *c);

/* ----------------------------------------------------------- the warden */

/* A process that outlives the launcher, however that ends: it then kills the
 * process groups that are left and removes the directory of the job. */
struct run_shared {
	char dir[4096];		/* private, for the PMIx server */
	pid_t target[];		/* [n], what to pass to kill(2); 0: nothing */
};

struct run_warden {
	struct run_shared *shared;
	int n;
	int line;		/* its end is the launcher's end */
	pid_t pid;
};

int run_warden_open(struct run_warden *w, int n);	/* -1 after run_say() */
void run_warden_close(struct run_warden *w);

/* --------------------------------------------------------- marked output */

struct run_tag;

struct run_tag *run_tag_open(int n);	/* NULL after run_say() */

/* Pipes that take the standard output and error of a rank. The write ends
 * are the caller's. -1 after run_say(). */
int run_tag_pipes(struct run_tag *t, int rank, int write_end[2]);

/* What to poll(2) for; then move data, as the result of poll() allows. */
enum { RUN_TAG_FDS = 2 };
void run_tag_fds(const struct run_tag *t, struct pollfd fd[RUN_TAG_FDS]);
void run_tag_step(struct run_tag *t, const struct pollfd fd[RUN_TAG_FDS]);

bool run_tag_done(const struct run_tag *t);	/* all ends closed, all written */
bool run_tag_pending(const struct run_tag *t);	/* something to write */
bool run_tag_failed(const struct run_tag *t);	/* output was lost */
void run_tag_close(struct run_tag *t);

#endif
