/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon info`: what Lagoon sees, plans and gets on this machine. */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/env.h"
#include "runtime/lagoon.h"
#include "tools/info.h"
#include "tools/tools.h"

struct options {
	bool env;
	bool topology_only;
	const char *synthetic;
	int processes;
	int workers;
};

enum { KEY_ENV = 256, KEY_TOPOLOGY, KEY_SYNTHETIC, KEY_WORKERS };

static const struct argp_option table[] = {
	{ "env", KEY_ENV, 0, 0,
	  "Print the environment options with their values and where these come from, and end", 0 },
	{ "topology-only", KEY_TOPOLOGY, 0, 0,
	  "Print the topology, and end: no job is opened", 0 },
	{ "synthetic", KEY_SYNTHETIC, "TOPOLOGY", 0,
	  "Print the plan for another machine, in hwloc's notation such as 'pack:2 [numa] core:4 pu:2' ('': for this one), and end", 0 },
	{ "processes", 'n', "N", 0,
	  "With --synthetic: this many processes [1]", 0 },
	{ "workers", KEY_WORKERS, "N", 0,
	  "With --synthetic: workers in each process [1]", 0 },
	{ 0 }
};

static int number(struct argp_state *state, const char *name, const char *text,
		  int min, int max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max)
		argp_error(state, "%s is \"%s\": expected an integer from %d to %d",
			   name, text, min, max);
	return (int)n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_ENV:
		o->env = true;
		return 0;
	case KEY_TOPOLOGY:
		o->topology_only = true;
		return 0;
	case KEY_SYNTHETIC:
		o->synthetic = arg;
		return 0;
	case 'n':
		o->processes = number(state, "-n", arg, 1, 65536);
		return 0;
	case KEY_WORKERS:
		o->workers = number(state, "--workers", arg, 0, 1024);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\": no argument expected", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->synthetic && (o->processes || o->workers >= 0))
			argp_error(state, "-n and --workers go with --synthetic; a real job is described by: lagoon run -n N lagoon info");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = table, .parser = parse,
	.doc = "Print what Lagoon sees and does on this machine: topology, "
	       "placement (plan, applied, verified), limits, PMIx, RDMA "
	       "devices, libraries.",
};

/* As few write(2) as can be: a launcher that merges lines sees one block. */
static int write_all(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fprintf(stderr, "lagoon info: write: %s\n",
				strerror(errno));
			return 1;
		}
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* What one process says, written at once so that ranks do not mix. */
struct report {
	char *text;
	size_t len;
	FILE *out;
};

static bool report_open(struct report *r)
{
	r->text = NULL;
	r->len = 0;
	r->out = open_memstream(&r->text, &r->len);
	if (!r->out)
		fputs("lagoon info: no memory for a report\n", stderr);
	return r->out;
}

static void report_free(struct report *r)
{
	if (r->out)
		fclose(r->out);
	free(r->text);
}

static int complain(int status)
{
	if (status)
		fprintf(stderr, "lagoon info: %s\n", lagoon_errmsg());
	return status;
}

static void print_version(FILE *out)
{
	fprintf(out, "Lagoon %s\n", lagoon_version());
}

static void print_placement(FILE *out, const struct lagoon *lg)
{
	int n = lagoon_describe(lg, NULL, 0);
	char *text = n < 0 ? NULL : malloc((size_t)n + 1);

	if (!text)
		return;
	lagoon_describe(lg, text, (size_t)n + 1);
	fprintf(out, "Placement of rank %d\n%s", lagoon_rank(lg), text);
	if (n && text[n - 1] != '\n')
		fputc('\n', out);
	free(text);
}

/* Run the workers once, so that what was applied to them can be told. */
static int start_once(struct lagoon_worker *w, void *arg)
{
	(void)w;
	(void)arg;
	return 0;
}

/* The texts of all ranks go through a table, a row for each and an element
 * for each byte, to the process that writes: launchers mix what several
 * processes write, and srun passes on 1 KiB at a time. */
enum { TEXT_MAX = 4096 };

struct gather {
	struct lagoon *lg;
	struct lagoon_table *table;
	const char *text;	/* of this rank */
	FILE *out;		/* of worker 0: the texts of all */
};

static int put_text(struct lagoon_worker *w, struct gather *g, int32_t *row)
{
	for (int i = 0; i < TEXT_MAX && g->text[i]; i++)
		row[i] = (unsigned char)g->text[i];
	return lagoon_add(w, g->table, (uint64_t)lagoon_rank(g->lg), 1, row);
}

static int get_texts(struct lagoon_worker *w, struct gather *g, int32_t *row)
{
	int rc = 0;

	for (int rank = 0; rank < lagoon_size(g->lg) && !rc; rank++) {
		rc = lagoon_pull(w, g->table, (uint64_t)rank, 1, row);
		for (int i = 0; i < TEXT_MAX && !rc && row[i]; i++)
			putc(row[i], g->out);
	}
	return rc;
}

static int gather_texts(struct lagoon_worker *w, void *arg)
{
	struct gather *g = arg;
	int32_t *row = calloc(TEXT_MAX, sizeof(*row));
	struct lagoon_worker *first;
	int rc = lagoon_worker(g->lg, 0, &first);

	if (!row)
		return LAGOON_ENOMEM;
	if (!rc && w == first)
		rc = put_text(w, g, row);
	if (!rc)
		rc = lagoon_barrier(w);
	if (!rc && lagoon_worker_id(w) == 0)
		rc = get_texts(w, g, row);
	free(row);
	return rc;
}

static int gather(struct lagoon *lg, const char *text, FILE *out)
{
	struct gather g = { .lg = lg, .text = text, .out = out };
	struct lagoon_table_attr shape;
	int rc;

	lagoon_table_attr_init(&shape);
	shape.rows = (uint64_t)lagoon_size(lg);
	shape.cols = TEXT_MAX;
	shape.format = LAGOON_I32;
	shape.type = LAGOON_INT32;
	shape.model = LAGOON_ASP;
	rc = lagoon_table_create(lg, "info", &shape, &g.table);
	if (!rc)
		rc = lagoon_run(lg, gather_texts, &g);
	/* Without a worker it takes no part in tables. */
	if (!rc && !lagoon_local_workers(lg))
		fputs(text, out);
	return rc;
}

/* Whether this process writes what is the same for all ranks. */
static bool writes_for_all(struct lagoon *lg)
{
	struct lagoon_worker *first;

	if (!lagoon_workers(lg))
		return lagoon_rank(lg) == 0;
	return lagoon_local_workers(lg) && !lagoon_worker(lg, 0, &first) &&
		lagoon_worker_id(first) == 0;
}

static int report_job(struct report *r, struct lagoon *lg)
{
	const char *synthetic = lgn_env_text(LGN_ENV_ID_SYNTHETIC);
	bool all = writes_for_all(lg);
	struct report mine;
	int status = 0;

	if (!report_open(&mine))
		return 1;
	if (all) {
		print_version(r->out);
		status = info_topology(r->out, synthetic);
	}
	if (!status && lagoon_run(lg, start_once, NULL))
		status = 1;
	if (!status) {
		print_placement(mine.out, lg);
		fflush(mine.out);
		status = gather(lg, mine.text, r->out) ? 1 : 0;
	}
	report_free(&mine);
	if (status)
		return complain(status);
	if (all) {
		info_limits(r->out);
		info_rdma(r->out, synthetic);
		info_surroundings(r->out);
	}
	fflush(r->out);
	return write_all(r->text, r->len);
}

/* Without a job there is still much to say, mostly why there is none. */
static int report_no_job(struct report *r, int rc)
{
	const char *synthetic = lgn_env_text(LGN_ENV_ID_SYNTHETIC);
	char why[512];

	snprintf(why, sizeof(why), "%s", lagoon_errmsg());
	print_version(r->out);
	info_topology(r->out, synthetic);
	fprintf(r->out, "Placement\n  no job: %s\n", why);
	info_limits(r->out);
	info_rdma(r->out, synthetic);
	info_surroundings(r->out);
	fflush(r->out);
	write_all(r->text, r->len);
	fprintf(stderr, "lagoon info: %s\n", why);
	return rc == LAGOON_EINVAL ? 2 : 1;
}

static int report_all(struct report *r)
{
	struct lagoon *lg;
	int rc = lagoon_open(NULL, &lg);
	int status;

	if (rc)
		return report_no_job(r, rc);
	status = report_job(r, lg);
	if (lagoon_close(lg) && !status)
		status = complain(1);
	return status;
}

static int report_part(struct report *r, const struct options *o)
{
	int status = 0;

	if (o->env)
		info_env(r->out);
	else if (o->synthetic)
		status = info_plan(r->out, o->synthetic,
				   o->processes ? o->processes : 1,
				   o->workers >= 0 ? o->workers : 1);
	else
		status = info_topology(r->out,
				       lgn_env_text(LGN_ENV_ID_SYNTHETIC));
	if (status)
		return complain(status);
	fflush(r->out);
	status = write_all(r->text, r->len);
	if (!status && o->env)
		status = info_env_refused();
	return status;
}

int tool_info(int argc, char **argv)
{
	struct options o = { .workers = -1 };
	static char name[] = "lagoon info";
	struct report report;
	int status;

	argv[0] = name;
	if (argp_parse(&parser, argc, argv, 0, NULL, &o))
		return 2;
	if (!report_open(&report))
		return 1;
	if (o.env || o.topology_only || o.synthetic)
		status = report_part(&report, &o);
	else
		status = report_all(&report);
	report_free(&report);
	return status;
}
