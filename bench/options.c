/* SPDX-License-Identifier: BSD-3-Clause */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/options.h"

enum {
	KEY_LIST = 256, KEY_SIZES, KEY_WARMUP, KEY_WINDOW, KEY_REPEATS,
	KEY_SECONDS, KEY_TABLE, KEY_FORMAT, KEY_STALENESS, KEY_OWN,
	KEY_NODES, KEY_WORKERS, KEY_CSV, KEY_JSON, KEY_NO_HEADER,
};

static const struct argp_option table[] = {
	{ "list", KEY_LIST, NULL, 0, "Print the benchmarks, and end", 0 },
	{ "sizes", KEY_SIZES, "N,...", 0,
	  "Sizes, one row each; 4K and 1M are understood", 1 },
	{ "iterations", 'i', "N", 0,
	  "Calls in a repeat [as many as --seconds takes]", 1 },
	{ "seconds", KEY_SECONDS, "S", 0, "Time of a repeat [0.002]", 1 },
	{ "warmup", KEY_WARMUP, "N", 0, "Calls before all others [100]", 1 },
	{ "repeats", KEY_REPEATS, "N", 0,
	  "Figures are medians of so many [25]", 1 },
	{ "window", KEY_WINDOW, "N", 0,
	  "Requests at once [get-bw: 16]; rows of a batch [10000]", 1 },
	{ "table", KEY_TABLE, "BYTES", 0,
	  "Size of the table [the benchmark's own]", 1 },
	{ "format", KEY_FORMAT, "q64|q32|i64|i32", 0,
	  "How its elements are stored [the benchmark's own]", 1 },
	{ "staleness", KEY_STALENESS, "N", 0, "Only this bound [ssp: several]", 1 },
	{ "bidirectional", 'b', NULL, 0, "get-bw: every process at once", 1 },
	{ "own", KEY_OWN, NULL, 0,
	  "Also rows that the measuring process holds itself", 1 },
	{ NULL, 'n', "N", 0,
	  "Start N processes on this machine; a launcher's own number counts more [1]", 2 },
	{ "nodes", KEY_NODES, "K", 0,
	  "Let them pretend to be spread over K nodes", 2 },
	{ "workers", KEY_WORKERS, "N", 0, "Threads in each process [1]", 2 },
	{ "csv", KEY_CSV, NULL, 0, "Print comma-separated values", 3 },
	{ "no-header", KEY_NO_HEADER, NULL, 0, "Rows only", 3 },
	{ "json", KEY_JSON, NULL, 0,
	  "Print a JSON object with machine, device, commit and all figures", 3 },
	{ "output", 'o', "FILE", 0, "Write there [standard output]", 3 },
	{ 0 }
};

static uint64_t unit_of(const char *suffix)
{
	if (!strcmp(suffix, "K") || !strcmp(suffix, "k"))
		return 1u << 10;
	if (!strcmp(suffix, "M"))
		return 1u << 20;
	if (!strcmp(suffix, "G"))
		return 1u << 30;
	return *suffix ? 0 : 1;
}

static uint64_t count(struct argp_state *state, const char *name,
		      const char *text, uint64_t min, uint64_t max)
{
	unsigned long long n;
	uint64_t unit;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = unit_of(end);
	if (errno || *text < '0' || *text > '9' || !unit || n > max / unit ||
	    n * unit < min)
		argp_failure(state, 2, 0,
			     "%s is \"%s\": expected an integer from %llu to %llu",
			     name, text, (unsigned long long)min,
			     (unsigned long long)max);
	return n * unit;
}

static double seconds(struct argp_state *state, const char *text)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || *end || !isfinite(x) || x <= 0 || x > 3600)
		argp_failure(state, 2, 0,
			     "--seconds is \"%s\": expected a number above 0, at most 3600",
			     text);
	return x;
}

static void sizes(struct argp_state *state, struct bench_options *o,
		  const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;

	o->sizes = 0;
	while (copy && (word = strsep(&rest, ","))) {
		if (o->sizes == BENCH_SIZES)
			argp_failure(state, 2, 0, "--sizes: at most %d of them",
				     BENCH_SIZES);
		o->size[o->sizes++] = count(state, "--sizes", word, 1,
					    1ull << 40);
	}
	free(copy);
}

static int format(struct argp_state *state, const char *text)
{
	static const char *const name[] = { "q64", "q32", "i64", "i32" };

	for (int i = 0; i < 4; i++)
		if (!strcmp(text, name[i]))
			return i;
	argp_failure(state, 2, 0,
		     "--format is \"%s\": expected q64, q32, i64 or i32", text);
	return -1;
}

static const struct bench_test *named(struct argp_state *state, const char *name)
{
	for (int i = 0; bench_tests[i]; i++)
		if (!strcmp(name, bench_tests[i]->name))
			return bench_tests[i];
	argp_failure(state, 2, 0,
		     "\"%s\" is no benchmark: lagoon bench --list prints them", name);
	return NULL;
}

static void check_end(struct argp_state *state, struct bench *b)
{
	if (!b->test)
		argp_failure(state, 2, 0,
			     "no benchmark: lagoon bench --list prints them");
	if (b->o.csv && b->o.json)
		argp_failure(state, 2, 0, "--csv and --json: only one of them");
	if (!b->test->sizes && b->o.sizes)
		argp_failure(state, 2, 0, "%s has no sizes", b->test->name);
	if (!b->o.repeats)
		b->o.repeats = b->test->repeats ? b->test->repeats : 25;
	if (b->o.seconds <= 0)
		b->o.seconds = b->test->seconds > 0 ? b->test->seconds : 0.002;
	if (b->test->sizes && !b->o.sizes)
		sizes(state, &b->o, b->test->sizes);
}

static error_t parse_job(int key, char *arg, struct argp_state *state)
{
	struct bench_options *o = &((struct bench *)state->input)->o;

	switch (key) {
	case 'n':
		o->processes = (int)count(state, "-n", arg, 1, 4096);
		break;
	case KEY_NODES:
		o->nodes = (int)count(state, "--nodes", arg, 1, 1024);
		break;
	case KEY_WORKERS:
		o->workers = (int)count(state, "--workers", arg, 1, 1024);
		break;
	case KEY_CSV: o->csv = true; break;
	case KEY_JSON: o->json = true; break;
	case KEY_NO_HEADER: o->no_header = true; break;
	case 'o': o->output = arg; break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct bench *b = state->input;
	struct bench_options *o = &b->o;

	switch (key) {
	case KEY_LIST: break;	/* seen already */
	case KEY_SIZES: sizes(state, o, arg); break;
	case 'i':
		o->iterations = count(state, "--iterations", arg, 1, 1u << 30);
		break;
	case KEY_SECONDS: o->seconds = seconds(state, arg); break;
	case KEY_WARMUP:
		o->warmup = count(state, "--warmup", arg, 0, 1u << 30);
		break;
	case KEY_REPEATS:
		o->repeats = (int)count(state, "--repeats", arg, 1, BENCH_REPEATS);
		break;
	case KEY_WINDOW:
		o->window = count(state, "--window", arg, 1, 1u << 30);
		break;
	case KEY_TABLE:
		o->table = count(state, "--table", arg, 1024, 1ull << 40);
		break;
	case KEY_FORMAT: o->format = format(state, arg); break;
	case KEY_STALENESS:
		o->staleness = (int)count(state, "--staleness", arg, 0, 1u << 30);
		break;
	case 'b': o->bidirectional = true; break;
	case KEY_OWN: o->own_home = true; break;
	case ARGP_KEY_ARG:
		if (b->test)
			argp_failure(state, 2, 0, "\"%s\": one benchmark at a time", arg);
		b->test = named(state, arg);
		break;
	case ARGP_KEY_END:
		check_end(state, b);
		break;
	default:
		return parse_job(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .args_doc = "NAME\n--list",
	.doc = "Measure what Lagoon's calls cost here, beside the same work on plain memory."
	       "\v"
	       "Runs alone, under lagoon run, mpirun and srun, and with -n. "
	       "A ratio is Lagoon's figure divided by the twin's. "
	       "lagoon-bench(1) tells what each figure means. The exit status "
	       "is 0; 2 for wrong usage; 1 if the run failed.",
};

int bench_options_parse(struct bench *b)
{
	b->o = (struct bench_options){
		.warmup = 100, .format = -1,
		.staleness = -1,
	};
	for (int i = 1; i < b->argc; i++)
		if (!strcmp(b->argv[i], "--list"))
			return 0;
	return argp_parse(&parser, b->argc, b->argv, 0, NULL, b) ? 2 : 0;
}
