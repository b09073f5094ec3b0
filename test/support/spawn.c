/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spawn N program [args]: starts a job test as N processes that find each
 * other through the caller's own exchange (attr->allgather, over a file that
 * the test shares): no launcher and no PMIx. Exit status: the largest of the
 * processes', 128 + signal for one that was killed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

static void start(int rank, char **argv)
{
	char text[16];
	pid_t pid = fork();

	if (pid < 0) {
		perror("spawn: fork");
		exit(1);	/* its death is the death of the others */
	}
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(text, sizeof(text), "%d", rank);
	setenv("LAGOON_TEST_RANK", text, 1);
	execvp(argv[0], argv);
	fprintf(stderr, "spawn: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[1]) : 0;
	int status, worst = 0;

	if (n < 1) {
		fprintf(stderr, "usage: spawn N program [args]\n");
		return 2;
	}
	setenv("LAGOON_TEST_SIZE", argv[1], 1);
	for (int r = 0; r < n; r++)
		start(r, argv + 2);
	while (wait(&status) > 0) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status)
					     : 128 + WTERMSIG(status);

		if (code > worst)
			worst = code;
	}
	return worst;
}
