/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spawn -n N [--nodes K] [--] program [args]
 *
 * Starts a job test as N processes that find each other through the caller's
 * own exchange (attr->allgather over a file that the test shares): no PMIx
 * and no `lagoon run`. Takes the same words as `lagoon run`, so it can stand
 * in for it (LAGOON_LAUNCH). Exit status: the largest of the processes',
 * 128 + signal for one that was killed.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
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
	static const struct option table[] = {
		{ "nodes", required_argument, NULL, 'k' },
		{ 0 },
	};
	int c, n = 1, status, worst = 0;
	char text[16];

	while ((c = getopt_long(argc, argv, "+n:", table, NULL)) != -1) {
		if (c == 'n')
			n = atoi(optarg);
		else if (c == 'k')
			setenv("LAGOON_NODES", optarg, 1);
		else
			return 2;
	}
	if (n < 1 || optind == argc) {
		fprintf(stderr, "usage: spawn -n N [--nodes K] [--] program [args]\n");
		return 2;
	}
	snprintf(text, sizeof(text), "%d", n);
	setenv("LAGOON_TEST_SIZE", text, 1);
	for (int r = 0; r < n; r++)
		start(r, argv + optind);
	while (wait(&status) > 0) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status)
					     : 128 + WTERMSIG(status);

		if (code > worst)
			worst = code;
	}
	return worst;
}
