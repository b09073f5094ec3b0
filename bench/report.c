/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows on their way out: a line each, and at the end one JSON object. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "bench/bench.h"

struct bench_rows {
	FILE *out;
	json_t *list;
	int noisy;
};

/* Half of the repeats were farther apart than this: it means little. */
static const double too_far = 0.2;

static const char csv_header[] = "test,wire,bytes,iterations,min_us,p50_us,"
	"p90_us,p99_us,max_us,ops_per_s,bytes_per_s,twin,ratio\n";

static const char *const unit[] = {
	[BENCH_US] = "us", [BENCH_OPS] = "op/s", [BENCH_BYTES] = "B/s",
};

static void text_header(const struct bench *b, FILE *out)
{
	struct utsname u;

	uname(&u);
	fprintf(out, "# lagoon bench %s, Lagoon %s (%s), host %s, Linux %s\n",
		b->test->name, lagoon_version(), bench_commit(), u.nodename,
		u.release);
	if (b->lg)
		fprintf(out, "# %d processes on %d nodes, %d workers; wire %s%s%s, tables %s\n",
			lagoon_size(b->lg), lagoon_nodes(b->lg),
			lagoon_workers(b->lg), b->wire, b->device[0] ? ", " : "",
			b->device, b->direct ? "direct" : "cached");
	fprintf(out, "# medians of %d repeats; the clock costs %.0f ns of each percentile\n",
		b->o.repeats, bench_timer_s() * 1e9);
	if (b->test->size_is)
		fprintf(out, "# bytes: %s\n", b->test->size_is);
	fprintf(out, "# %-16s %9s %10s %9s %9s %9s %9s %9s %9s %10s %-4s [%9s %9s] %10s %7s\n",
		"test", "bytes", "iterations", "min us", "p50 us", "p90 us",
		"p99 us", "p99.9 us", "max us", "figure", "", "min", "max", "twin",
		"ratio");
}

int bench_report_open(struct bench *b)
{
	struct bench_rows *r = calloc(1, sizeof(*r));

	if (!r)
		return bench_fail(LAGOON_ENOMEM, "no memory for rows");
	b->rows = r;
	r->list = json_array();
	r->out = b->o.output ? fopen(b->o.output, "we") : stdout;
	if (!r->out)
		return bench_fail(LAGOON_EIO, "%s: %s", b->o.output,
				  strerror(errno));
	if (b->o.csv && !b->o.no_header)
		fputs(csv_header, r->out);
	else if (!b->o.csv && !b->o.json && !b->o.no_header)
		text_header(b, r->out);
	fflush(r->out);
	return 0;
}

static void csv_row(const struct bench *b, const struct bench_row *row)
{
	FILE *out = b->rows->out;

	fprintf(out, "%s,%s,%llu,%llu,%.4f,%.4f,%.4f,%.4f,%.4f,%.6g,%.6g,",
		row->test, b->wire, (unsigned long long)row->bytes,
		(unsigned long long)row->iterations, row->min_us, row->p50_us,
		row->p90_us, row->p99_us, row->max_us, row->ops_per_s,
		row->bytes_per_s);
	if (row->twin.median > 0)
		fprintf(out, "%.6g,%.4f\n", row->twin.median, row->ratio.median);
	else
		fputs(",\n", out);
}

/* 1234567 as 1.235M. */
static const char *short_number(double x, char text[16])
{
	const char *suffix = "";

	if (x >= 1e9)
		suffix = "G", x /= 1e9;
	else if (x >= 1e6)
		suffix = "M", x /= 1e6;
	else if (x >= 1e4)
		suffix = "k", x /= 1e3;
	snprintf(text, 16, "%.4g%s", x, suffix);
	return text;
}

static void text_row(const struct bench *b, const struct bench_row *row)
{
	FILE *out = b->rows->out;
	char a[16], least[16], most[16], t[16];

	fprintf(out, "  %-16s %9llu %10llu %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f %10s %-4s [%9s %9s]",
		row->test, (unsigned long long)row->bytes,
		(unsigned long long)row->iterations, row->min_us, row->p50_us,
		row->p90_us, row->p99_us, row->p999_us, row->max_us,
		short_number(row->ours.median, a), unit[row->figure],
		short_number(row->ours.min, least),
		short_number(row->ours.max, most));
	if (row->twin.median > 0)
		fprintf(out, " %10s %7.3f", short_number(row->twin.median, t),
			row->ratio.median);
	if (row->ping_pong_ns > 0)
		fprintf(out, "  ping-pong %.0f ns", row->ping_pong_ns);
	if (row->quartiles > too_far)
		fprintf(out, "  NOISY: half of the repeats lie %.0f %% apart",
			100 * row->quartiles);
	fputc('\n', out);
}

static json_t *spread_json(const struct bench_spread *s)
{
	return json_pack("{s:f, s:f, s:f}", "median", s->median, "min", s->min,
			 "max", s->max);
}

static json_t *row_json(const struct bench *b, const struct bench_row *row)
{
	bool twin = row->twin.median > 0;

	return json_pack("{s:s, s:s, s:I, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:o, s:o, s:o, s:o, s:f, s:b}",
		"test", row->test, "wire", b->wire,
		"bytes", (json_int_t)row->bytes,
		"iterations", (json_int_t)row->iterations,
		"workers", row->workers,
		"min_us", row->min_us, "p50_us", row->p50_us,
		"p90_us", row->p90_us, "p99_us", row->p99_us,
		"p999_us", row->p999_us, "max_us", row->max_us,
		"ops_per_s", row->ops_per_s, "bytes_per_s", row->bytes_per_s,
		"unit", unit[row->figure], "figure", spread_json(&row->ours),
		"twin", twin ? spread_json(&row->twin) : json_null(),
		"ratio", twin ? spread_json(&row->ratio) : json_null(),
		"ping_pong_ns", row->ping_pong_ns > 0 ?
			json_real(row->ping_pong_ns) : json_null(),
		"spread", row->quartiles, "noisy", row->quartiles > too_far);
}

void bench_report_row(struct bench *b, struct bench_row *row)
{
	struct bench_rows *r = b->rows;

	if (b->test->two_processes && b->lg && lagoon_workers(b->lg) > 1)
		row->ping_pong_ns = bench_ping_pong_ns();
	r->noisy += row->quartiles > too_far;
	if (b->o.csv)
		csv_row(b, row);
	else if (!b->o.json)
		text_row(b, row);
	fflush(r->out);
	json_array_append_new(r->list, row_json(b, row));
}

static json_t *command_json(const struct bench *b)
{
	json_t *list = json_array();

	for (int i = 0; i < b->argc; i++)
		json_array_append_new(list, json_string(i ? b->argv[i] :
							"lagoon bench"));
	return list;
}

static json_t *whole_json(const struct bench *b)
{
	struct utsname u;
	char cpu[256], when[32];
	time_t now = time(NULL);
	struct tm tm;

	uname(&u);
	bench_cpu_name(cpu, sizeof(cpu));
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:f, s:i, s:O}",
		"benchmark", b->test->name, "version", lagoon_version(),
		"commit", bench_commit(), "compiler", __VERSION__,
		"command", command_json(b), "time", when, "host", u.nodename,
		"cpu", cpu, "cpus", bench_cpus(), "kernel", u.release,
		"wire", b->wire, "device", b->device,
		"pinning", b->placed,
		"processes", b->lg ? lagoon_size(b->lg) : 0,
		"nodes", b->lg ? lagoon_nodes(b->lg) : 0,
		"workers", b->lg ? lagoon_workers(b->lg) : 0,
		"repeats", b->o.repeats, "timer_ns", bench_timer_s() * 1e9,
		"noisy", b->rows->noisy, "rows", b->rows->list);
}

/* Frees everything. */
int bench_report_close(struct bench *b, bool good)
{
	struct bench_rows *r = b->rows;
	json_t *whole;
	int rc = 0;

	if (!r)
		return 0;
	if (good && b->o.json) {
		whole = whole_json(b);
		if (whole)
			json_dumpf(whole, r->out, JSON_INDENT(1) |
				   JSON_REAL_PRECISION(6));
		fputc('\n', r->out);
		json_decref(whole);
	} else if (good && !b->o.csv && r->noisy) {
		fprintf(r->out, "# %d rows are too noisy to mean something: run again when the machine is idle\n",
			r->noisy);
	}
	if (good && b->o.csv && r->noisy)
		fprintf(stderr, "lagoon bench: %d rows are too noisy to mean something: run again when the machine is idle\n",
			r->noisy);
	if (r->out && (fflush(r->out) || ferror(r->out)))
		rc = bench_fail(LAGOON_EIO, "%s: %s",
				b->o.output ? b->o.output : "standard output",
				strerror(errno));
	if (r->out && r->out != stdout)
		fclose(r->out);
	json_decref(r->list);
	free(r);
	b->rows = NULL;
	return rc;
}
