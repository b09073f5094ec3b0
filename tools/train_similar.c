/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train similar`, also `lagoon similar`: the rows of a file that are most
 * similar to each row. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/attr.h"
#include "tools/args.h"
#include "tools/tools.h"
#include "tools/train.h"

struct similar {
	struct train_job job;
	const char *against;
	const char *output;
	struct lagoon_similar_options find;
};

enum {
	KEY_DATA = 256, KEY_AGAINST, KEY_FORMAT, KEY_ZERO_BASED, KEY_TARGET,
	KEY_MEASURE, KEY_TOP, KEY_LEAST, KEY_NODES, KEY_WORKERS, KEY_REPORT,
};

static const char *const measures[] = {
	[LAGOON_SIMILAR_COSINE] = "cosine",
	[LAGOON_SIMILAR_JACCARD] = "jaccard",
	[LAGOON_SIMILAR_RUZICKA] = "ruzicka",
	[LAGOON_SIMILAR_PEARSON] = "pearson",
	[LAGOON_SIMILAR_CORRELATION] = "correlation",
};

static const struct argp_option table[] = {
	{ "data", KEY_DATA, "FILE", 0, "Rows, plain or by gzip", 0 },
	{ "against", KEY_AGAINST, "FILE", 0,
	  "Compare them with the rows of this file instead of with each other", 0 },
	{ "format", KEY_FORMAT, "FORMAT", 0,
	  "Of the data: libsvm, csv, matrix or ratings; csv: numbers with commas or blanks between; ratings: lines \"user item rating\", users are the rows [by the name, else libsvm]", 0 },
	{ "zero-based", KEY_ZERO_BASED, NULL, 0,
	  "Column indices of libsvm, and the numbers of rows that are printed, start at 0, not 1", 0 },
	{ "target", KEY_TARGET, NULL, 0,
	  "csv: the last column is a target, and is left out", 0 },
	{ "measure", KEY_MEASURE, "MEASURE", 0,
	  "How similar two rows are: cosine; jaccard of the columns with entries, ruzicka with their values; pearson over the columns that both rows have, correlation over all [cosine]", 1 },
	{ "top", KEY_TOP, "K", 0, "So many others for each row [10]", 1 },
	{ "least", KEY_LEAST, "X", 0,
	  "Leave out what is less similar [-1]", 1 },
	{ NULL, 'n', "N", 0,
	  "Start N processes on this machine; a launcher's own number counts more [1]", 2 },
	{ "nodes", KEY_NODES, "K", 0,
	  "Let them pretend to be spread over K nodes", 2 },
	{ "workers", KEY_WORKERS, "N", 0, "Threads in each process [1]", 2 },
	{ "output", 'o', "FILE", 0,
	  "Write the lines \"row other similarity\" there [standard output]", 3 },
	{ "report", KEY_REPORT, "FILE", 0, "Append a JSON object at the end", 3 },
	{ 0 }
};

static int format(struct argp_state *state, const char *text)
{
	static const char *const names[] = {
		[LAGOON_FILE_LIBSVM] = "libsvm", [LAGOON_FILE_CSV] = "csv",
		[LAGOON_FILE_MATRIX] = "matrix",
		[LAGOON_FILE_RATINGS] = "ratings",
	};

	return args_choice(state, "--format", text, names, (int)LGN_COUNT(names),
			   "libsvm, csv, matrix or ratings");
}

static double least(struct argp_state *state, const char *text)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || *end || x != x)
		argp_failure(state, 2, 0, "--least is \"%s\": expected a number",
			     text);
	return x;
}

static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
	struct similar *t = state->input;
	struct train_job *j = &t->job;

	switch (key) {
	case 'n':
		j->processes = args_int(state, "-n", arg, 1, 4096);
		break;
	case KEY_NODES:
		j->nodes = args_int(state, "--nodes", arg, 1, 1024);
		break;
	case KEY_WORKERS:
		j->workers = args_int(state, "--workers", arg, 1, 1024);
		break;
	case KEY_REPORT: j->report.path = arg; break;
	default:
		return train_job_parse(j, key, arg, state);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct similar *t = state->input;
	struct lagoon_similar_options *o = &t->find;

	switch (key) {
	case KEY_DATA: t->job.data = arg; break;
	case KEY_AGAINST: t->against = arg; break;
	case KEY_FORMAT: o->format = format(state, arg); break;
	case KEY_ZERO_BASED: o->zero_based = 1; break;
	case KEY_TARGET: o->target = 1; break;
	case KEY_MEASURE:
		o->measure = args_choice(state, "--measure", arg, measures,
					 (int)LGN_COUNT(measures),
					 "cosine, jaccard, ruzicka, pearson or correlation");
		break;
	case KEY_TOP:
		o->top = args_int(state, "--top", arg, 1, 1 << 20);
		break;
	case KEY_LEAST: o->least = least(state, arg); break;
	case 'o': t->output = arg; break;
	default:
		return parse_rest(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse,
	.doc = "Find for each row of a file the others that are most similar to "
	       "it, without looking at all pairs at once."
	       "\v"
	       "Lines are sorted by row, the most similar first; of others that "
	       "are equally similar the one with the smaller number is. Rows "
	       "without entries, and pairs without a column in common, are not "
	       "similar. The exit status is 0; 2 for wrong usage or data; 1 if "
	       "the run failed.",
};

/* -------------------------------------------------------------- reports */

static void on_progress(void *arg, const struct lagoon_similar_progress *p)
{
	struct similar *t = arg;

	if (t->job.report.terminal)
		fprintf(stderr, "\r%llu of %llu rows, %.1f s ",
			(unsigned long long)p->rows,
			(unsigned long long)p->of, p->seconds);
}

static void print_pairs(const struct similar *t,
			const struct lagoon_similar_result *r)
{
	uint64_t base = !t->find.zero_based &&
		t->find.format != LAGOON_FILE_RATINGS;
	size_t k = (size_t)r->top;

	for (uint64_t i = 0; i < r->rows; i++)
		for (size_t m = i * k; m < (i + 1) * k && r->other[m] >= 0; m++)
			printf("%llu %llu %.17g\n",
			       (unsigned long long)(i + base),
			       (unsigned long long)r->other[m] + base,
			       r->similarity[m]);
}

/* Beside the lines, which may be on standard output. */
static void print_summary(const struct similar *t,
			  const struct lagoon_similar_result *r)
{
	FILE *out = t->output ? stdout : stderr;

	fprintf(out, "data           %llu rows, %llu columns, %llu entries",
		(unsigned long long)r->rows, (unsigned long long)r->columns,
		(unsigned long long)r->entries);
	if (t->against)
		fprintf(out, ", against %llu rows",
			(unsigned long long)r->others);
	fprintf(out, "\nsimilar        %llu pairs by %s, %llu rows without\n",
		(unsigned long long)r->pairs, measures[t->find.measure],
		(unsigned long long)r->without);
	fprintf(out, "seconds        %.3f, of it %.3f reading\n", r->seconds,
		r->read_seconds);
}

static int finish(struct similar *t, const struct lagoon_similar_result *r)
{
	if (!t->output)
		print_pairs(t, r);
	print_summary(t, r);
	train_report_object(&t->job.report, json_pack(
		"{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f}",
		"measure", measures[t->find.measure], "top", r->top,
		"rows", (json_int_t)r->rows, "others", (json_int_t)r->others,
		"columns", (json_int_t)r->columns,
		"entries", (json_int_t)r->entries,
		"pairs", (json_int_t)r->pairs,
		"without", (json_int_t)r->without, "seconds", r->seconds,
		"read_seconds", r->read_seconds));
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "lagoon similar: stdout: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}

/* ----------------------------------------------------------------- runs */

static int find(void *arg, struct lagoon *lg)
{
	struct similar *t = arg;
	struct lagoon_similar_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->find.progress = on_progress;
		t->find.progress_arg = t;
	}
	rc = lagoon_similar_find_file(lg, t->job.data, t->against, t->output,
				      &t->find, &result);
	if (t->job.report.terminal && !lagoon_rank(lg))
		fputs("\r\33[K", stderr);
	status = train_job_status(&t->job, rc, 0, 0);
	if (!status && !lagoon_rank(lg))
		status = finish(t, &result);
	lagoon_similar_result_free(&result);
	return status;
}

/* words: what stands behind the options. */
static int similar(int argc, char **argv, const char *words)
{
	struct argp command = parser;
	struct similar t = { 0 };

	command.args_doc = words;
	lagoon_similar_options_init(&t.find);
	if (train_job_read(&t.job, &command, argc, argv, &t))
		return 2;
	/* To be written when all is found: can it be? */
	t.job.model = t.output;
	return train_job_run(&t.job, argc, argv, find, &t);
}

int train_similar(int argc, char **argv)
{
	return similar(argc, argv, "similar");
}

/* As the word behind "lagoon train", by which processes are started, too. */
int tool_similar(int argc, char **argv)
{
	char **args = calloc((size_t)argc + 2, sizeof(*args));
	int status;

	if (!args) {
		fputs("lagoon similar: no memory for arguments\n", stderr);
		return 1;
	}
	args[0] = argv[0];
	args[1] = (char *)"similar";
	memcpy(args + 2, argv + 1, (size_t)(argc - 1) * sizeof(*args));
	status = similar(argc + 1, args, NULL);
	free(args);
	return status;
}
