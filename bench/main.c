/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon bench`: runs one benchmark as the processes of one job. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/options.h"

const struct bench_test *const bench_tests[] = {
	&bench_get_lat, &bench_get_bw, &bench_add_lat, &bench_add_rate,
	&bench_clock, &bench_barrier, &bench_counter, &bench_incast,
	&bench_sparse_get, &bench_sparse_add, &bench_dense_add,
	&bench_dense_apply, &bench_sgd, &bench_ssp, &bench_scale,
	&bench_mates, &bench_numa, &bench_start, NULL
};

static void say(const char *text)
{
	fprintf(stderr, "lagoon bench: %s\n", text);
}

static int exit_status(int rc)
{
	return rc == LAGOON_EINVAL || rc == LAGOON_ENOTSUP ? 2 : rc ? 1 : 0;
}

/* What all ranks met is told once. */
static int fail(int rc)
{
	const char *rank = bench_launched() ? getenv("PMIX_RANK") : "0";

	if (!strcmp(rank, "0") || rc == LAGOON_EPEER)
		say(bench_errmsg());
	return exit_status(rc);
}

/* The line of lagoon_describe() that begins with this word. */
static void described(const char *text, const char *word, char *out, size_t len)
{
	const char *at = strstr(text, word);

	out[0] = 0;
	if (!at)
		return;
	at += strlen(word);
	at += strspn(at, " ");
	snprintf(out, len, "%.*s", (int)strcspn(at, "\n"), at);
}

static void look_around(struct bench *b)
{
	char text[2048];
	char *comma;

	lagoon_describe(b->lg, text, sizeof(text));
	described(text, "wire ", b->wire, sizeof(b->wire));
	comma = strchr(b->wire, ',');
	if (comma) {
		snprintf(b->device, sizeof(b->device), "%s", comma + 2);
		*comma = 0;
	}
	described(text, "applied ", b->placed, sizeof(b->placed));
	b->direct = lagoon_nodes(b->lg) == 1 && !strcmp(b->wire, "shm");
}

static int measure(struct bench *b)
{
	bool first = !b->lg || !lagoon_rank(b->lg);
	int rc = first ? bench_report_open(b) : 0, rc2;

	if (!rc && b->lg)
		rc = bench_control(b);
	if (!rc)
		rc = b->test->run(b);
	if (!rc && b->lg)	/* how the workers were pinned */
		look_around(b);
	rc2 = first ? bench_report_close(b, !rc) : 0;
	return rc ? rc : rc2;
}

static int run_job(struct bench *b)
{
	struct lagoon_attr attr;
	int rc = lagoon_attr_init(&attr), rc2;

	if (b->o.nodes)
		attr.nodes = b->o.nodes;
	if (b->o.workers)
		attr.workers = b->o.workers;
	if (!rc)
		rc = lagoon_open(&attr, &b->lg);
	if (rc)
		return rc;
	look_around(b);
	/* An error of rank 0 alone is not waited for by the others: they see
	 * a process end. */
	rc = measure(b);
	if (rc)
		return rc;
	rc2 = lagoon_close(b->lg);
	b->lg = NULL;
	return rc2;
}

static void list_tests(void)
{
	for (int i = 0; bench_tests[i]; i++)
		printf("%-12s %s\n", bench_tests[i]->name, bench_tests[i]->help);
}

/* As several processes; their status. */
static int launch(struct bench *b)
{
	int status;

	if (b->test == &bench_scale && !b->o.nodes)
		status = bench_scale_nodes(b);
	else
		status = bench_launch(b->o.processes, b->o.nodes, b->argv + 1, -1);
	return status < 0 ? fail(status) : status;
}

int tool_bench(int argc, char **argv)
{
	struct bench b = { .argc = argc, .argv = argv };
	int rc;

	if (bench_options_parse(&b))
		return 2;
	bench_tick_s();		/* before there are several threads */
	if (!b.test) {
		list_tests();
		return fflush(stdout) ? 1 : 0;
	}
	if (!bench_launched() && b.test->launches)
		rc = measure(&b);
	else if (!bench_launched() && b.o.processes > 1)
		return launch(&b);
	else
		rc = run_job(&b);
	return rc ? fail(rc) : 0;
}
