/* SPDX-License-Identifier: BSD-3-Clause */
/* What came out of `lagoon train logistic`, and what the job did for it. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/train_logistic.h"

/* ------------------------------------------------------------ report */

void logistic_epoch(void *arg, const struct lagoon_logistic_epoch *e)
{
	struct train_report *r = arg;

	train_progress(r, e->epoch, e->objective, e->seconds,
		       "accuracy %.2f %%", 100 * e->accuracy);
	train_report_object(r, json_pack("{s:i, s:f, s:f, s:f, s:f}",
					 "epoch", e->epoch,
					 "objective", e->objective,
					 "accuracy", e->accuracy,
					 "step", e->step,
					 "seconds", e->seconds));
}

static json_t *counts(const uint64_t *value, int n)
{
	json_t *array = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(array, json_integer((json_int_t)value[i]));
	return array;
}

static json_t *whole(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *table_object(const struct lagoon_logistic_table *t)
{
	const struct lagoon_stats *s = &t->stats;
	json_t *o = json_pack("{s:s, s:f, s:o}", "name", t->name,
			      "unpushed", s->unpushed,
			      "ages", counts(s->ages, LAGOON_AGES));
	const struct { const char *key; uint64_t n; } field[] = {
		{ "pulls", s->pulls }, { "rows_pulled", s->rows_pulled },
		{ "adds", s->adds }, { "rows_added", s->rows_added },
		{ "page_uses", s->page_uses }, { "cache_hits", s->cache_hits },
		{ "pages_read", s->pages_read }, { "pages_ahead", s->pages_ahead },
		{ "words_pushed", s->words_pushed }, { "flushes", s->flushes },
		{ "rejected", s->rejected }, { "uncertain", s->uncertain },
		{ "wait_ns", s->wait_ns },
	};

	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		json_object_set_new(o, field[i].key, whole(field[i].n));
	return o;
}

static json_t *wire_object(const struct lagoon_wire_counts *w)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "name", w->name, "posts", whole(w->posts),
			 "gets", whole(w->gets), "get_bytes", whole(w->get_bytes),
			 "puts", whole(w->puts), "put_bytes", whole(w->put_bytes),
			 "adds", whole(w->adds), "add_bytes", whole(w->add_bytes),
			 "cas", whole(w->cas), "cas_bytes", whole(w->cas_bytes));
}

/* What the job did, beside what it found. */
static void set_account(json_t *o, const struct train_report *report,
			const struct lagoon_logistic_result *r)
{
	json_t *tables = json_array();

	for (int i = 0; i < r->tables; i++)
		json_array_append_new(tables, table_object(&r->table[i]));
	json_object_set_new(o, "tables", tables);
	json_object_set_new(o, "wire", wire_object(&r->wire));
	json_object_set_new(o, "worker_waited_ns",
			    counts(r->worker_waited_ns, r->workers));
	json_object_set_new(o, "change", report->change < 0 ? json_null() :
			    json_real(report->change));
}

static json_t *last_object(const struct train_report *report,
			   const struct lagoon_logistic_result *r,
			   const struct logistic_recovery *recovery)
{
	const struct lagoon_stats *s = &r->stats;
	json_t *o = json_pack(
		"{s:f, s:f, s:f, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
		"objective", r->objective, "accuracy", r->accuracy,
		"seconds", r->seconds, "epochs", r->epochs,
		"converged", r->converged, "rows", (json_int_t)r->rows,
		"features", (json_int_t)r->features,
		"pulls", (json_int_t)s->pulls,
		"rows_pulled", (json_int_t)s->rows_pulled,
		"cache_hits", (json_int_t)s->cache_hits,
		"words_pushed", (json_int_t)s->words_pushed,
		"ages", counts(s->ages, LAGOON_AGES),
		"waited_ns", counts(r->waited_ns, r->ranks));

	set_account(o, report, r);
	json_object_set_new(o, "test_accuracy", r->test_accuracy < 0 ?
			    json_null() : json_real(r->test_accuracy));
	if (recovery->known) {
		json_object_set_new(o, "recovered_correlation",
				    json_real(recovery->correlation));
		json_object_set_new(o, "recovered_signs",
				    json_real(recovery->signs));
	}
	return o;
}

/* ----------------------------------------------------------- summary */

static void print_ages(const char *what, const struct lagoon_stats *s)
{
	uint64_t total = 0;

	for (int i = 0; i < LAGOON_AGES; i++)
		total += s->ages[i];
	printf("%-15s", what);
	for (int i = 0; i < LAGOON_AGES; i++)
		if (s->ages[i])
			printf("%d%s: %.1f %%  ", i,
			       i == LAGOON_AGES - 1 ? "+" : "",
			       100 * (double)s->ages[i] / (double)total);
	printf("(rounds)\n");
}

static void print_times(const char *title, const char *what, const char *none,
			const uint64_t *ns, int n)
{
	uint64_t total = 0;

	printf("%-15s", title);
	for (int i = 0; i < n; i++) {
		total += ns[i];
		if (ns[i])
			printf("%s %d: %.3f s  ", what, i, (double)ns[i] * 1e-9);
	}
	puts(total ? "" : none);
}

static void print_tables(const struct train_report *report,
			 const struct lagoon_logistic_result *r)
{
	for (int i = 0; i < r->tables; i++) {
		const struct lagoon_stats *s = &r->table[i].stats;

		printf("%-15s%llu pulls, %llu adds, %llu pages read (%llu ahead), %llu words pushed",
		       r->table[i].name + strcspn(r->table[i].name, " ") + 1,
		       (unsigned long long)s->pulls, (unsigned long long)s->adds,
		       (unsigned long long)s->pages_read,
		       (unsigned long long)s->pages_ahead,
		       (unsigned long long)s->words_pushed);
		if (s->flushes)
			printf(", %.1f a push",
			       (double)s->words_pushed / (double)s->flushes);
		if (report->change >= 0)
			printf(", at most %g kept back of %g", s->unpushed,
			       report->change);
		putchar('\n');
		if (i)
			print_ages("  ages", s);
	}
}

static void print_wire(const struct lagoon_wire_counts *w)
{
	printf("wire %-10s%llu posts: %llu reads of %llu bytes, %llu writes of %llu, %llu atomics\n",
	       w->name, (unsigned long long)w->posts, (unsigned long long)w->gets,
	       (unsigned long long)w->get_bytes, (unsigned long long)w->puts,
	       (unsigned long long)w->put_bytes,
	       (unsigned long long)(w->adds + w->cas));
}

static void print_summary(const struct train_report *report,
			  const struct lagoon_logistic_result *r,
			  const struct logistic_recovery *recovery)
{
	const struct lagoon_stats *s = &r->stats;

	printf("data           %llu rows, %llu features, %llu entries\n",
	       (unsigned long long)r->rows, (unsigned long long)r->features,
	       (unsigned long long)r->entries);
	printf("objective      %.10g after %d epochs (%s)\n", r->objective,
	       r->epochs, r->converged ? "converged" : "not converged");
	printf("accuracy       %.4f %%", 100 * r->accuracy);
	if (r->test_accuracy >= 0)
		printf(", test %.4f %%", 100 * r->test_accuracy);
	printf("\nseconds        %.3f, of it %.3f reading\n", r->seconds,
	       r->read_seconds);
	printf("rows pulled    %llu in %llu pulls\n",
	       (unsigned long long)s->rows_pulled, (unsigned long long)s->pulls);
	printf("cache hits     %llu of %llu pages used\n",
	       (unsigned long long)s->cache_hits,
	       (unsigned long long)s->page_uses);
	printf("words pushed   %llu\n", (unsigned long long)s->words_pushed);
	print_ages("ages of reads", s);
	print_times("waited for", "rank", "nobody", r->waited_ns, r->ranks);
	print_times("waited", "worker", "nobody", r->worker_waited_ns, r->workers);
	print_tables(report, r);
	print_wire(&r->wire);
	if (recovery->known)
		printf("planted        correlation %.4f, signs right %.2f %%\n",
		       recovery->correlation, 100 * recovery->signs);
}

int logistic_end(struct train_report *report,
		     const struct lagoon_logistic_result *result,
		     const struct logistic_recovery *recovery)
{
	print_summary(report, result, recovery);
	train_report_object(report, last_object(report, result, recovery));
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "lagoon train: stdout: %s\n", strerror(errno));
		return -1;
	}
	return 0;
}

/* ---------------------------------------------------------- recovery */

/* A planted weight that no row uses is not counted: it cannot be found. */
static void compare(const double *found, const double *planted, uint64_t n,
		    struct logistic_recovery *recovery)
{
	double a = 0, b = 0, aa = 0, bb = 0, ab = 0, m = (double)n;
	uint64_t right = 0;

	for (uint64_t j = 0; j < n; j++) {
		a += found[j];
		b += planted[j];
		aa += found[j] * found[j];
		bb += planted[j] * planted[j];
		ab += found[j] * planted[j];
		right += found[j] * planted[j] > 0;
	}
	recovery->correlation = (ab - a * b / m) /
				sqrt((aa - a * a / m) * (bb - b * b / m));
	recovery->signs = (double)right / m;
	recovery->known = isfinite(recovery->correlation);
}

void logistic_recover(const char *data,
		   const struct lagoon_logistic_result *result,
		   struct logistic_recovery *recovery)
{
	struct lagoon_model_file planted = { .size = sizeof(planted) };
	uint64_t n = result->features;
	char *path = malloc(strlen(data) + sizeof(".planted"));

	if (!path)
		return;
	sprintf(path, "%s.planted", data);
	if (!lagoon_model_load(path, &planted)) {
		if (planted.features < n)
			n = planted.features;
		compare(result->weights, planted.weights, n, recovery);
		lagoon_model_free(&planted);
	}
	free(path);
}
