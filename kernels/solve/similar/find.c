/* SPDX-License-Identifier: BSD-3-Clause */
/* The work of one worker: its rows into the tables, blocks of rows compared with
 * all others while there are any, and what was found back to those who asked. */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/similar/similar.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

static int meet(struct lgn_similar *t, int rc)
{
	struct lgn_similar_facts mine = {
		.set[0] = { .rows = t->pairs, .cols = t->without },
	};

	return lgn_share_meet(&t->fit->tidings, t->w, &t->round, rc, &mine,
			      t->all);
}

/* -------------------------------------------------------------- opening */

static int open_tops(struct lgn_similar *t)
{
	size_t rows = t->fit->block, k = (size_t)t->fit->options.top;

	t->top = calloc(rows, sizeof(*t->top));
	t->value = malloc(rows * k * sizeof(*t->value));
	t->number = malloc(rows * k * sizeof(*t->number));
	t->out = malloc(rows * k * 2 * sizeof(*t->out));
	if (!t->top || !t->value || !t->number || !t->out)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the best %zu of "
				"%zu rows", k, rows);
	for (size_t i = 0; i < rows; i++)
		t->top[i] = (struct lagoon_top){
			.k = k, .value = t->value + i * k,
			.id = t->number + i * k,
		};
	return 0;
}

static int prepare(struct lgn_similar *t)
{
	struct lgn_similar_fit *fit = t->fit;
	struct lgn_similar_loaded *loaded =
		&fit->loaded[t->id - fit->first_worker];
	int rc = 0;

	t->others = &fit->set[fit->sets - 1];
	t->all = calloc((size_t)fit->workers, sizeof(*t->all));
	if (!t->all)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the tidings of "
				"%d workers", fit->workers);
	for (int s = 0; s < fit->sets && !rc; s++) {
		rc = lgn_similar_put(t, &fit->set[s], &loaded->set[s]);
		lgn_similar_rows_free(&loaded->set[s]);
	}
	if (!rc)
		rc = open_tops(t);
	return rc ? rc : fit->way->open(t);
}

static void close_all(struct lgn_similar *t)
{
	t->fit->way->close(t);
	lgn_similar_block_free(&t->rows);
	lgn_similar_block_free(&t->block);
	free(t->all);
	free(t->top);
	free(t->value);
	free(t->number);
	free(t->out);
}

/* --------------------------------------------------------------- a claim */

static int compare_with_all(struct lgn_similar *t)
{
	uint64_t rows = t->others->rows;
	int rc = t->fit->way->begin(t);

	for (uint64_t at = 0; at < rows && !rc; at += t->block.rows) {
		rc = lgn_similar_pull(t, t->others, at, t->fit->pulled,
				      &t->block);
		if (!rc)
			t->fit->way->compare(t);
	}
	return rc;
}

static int tell(struct lgn_similar *t)
{
	size_t k = (size_t)t->fit->options.top;

	memset(t->out, 0, t->rows.rows * k * 2 * sizeof(*t->out));
	for (uint64_t i = 0; i < t->rows.rows; i++) {
		struct lagoon_top *top = &t->top[i];
		double *out = t->out + i * k * 2;

		lagoon_top_sort(top);
		for (size_t m = 0; m < top->n; m++) {
			out[2 * m] = (double)(top->id[m] + 1);
			out[2 * m + 1] = top->value[m];
		}
		t->pairs += top->n;
		t->without += !top->n;
		top->n = 0;
	}
	return lagoon_add(t->w, t->fit->found, t->rows.first, t->rows.rows,
			  t->out);
}

static void report(const struct lgn_similar *t, uint64_t rows)
{
	const struct lagoon_similar_options *o = &t->fit->options;
	const struct lagoon_similar_progress p = {
		.rows = rows,
		.of = t->fit->set[0].rows,
		.seconds = lgn_seconds_since(t->fit->start_ns),
	};

	if (o->progress && t->id == t->fit->first_worker)
		o->progress(o->progress_arg, &p);
}

/* Rows [first, end), in portions when they are long. */
static int find(struct lgn_similar *t, uint64_t first, uint64_t end)
{
	int rc = 0;

	for (uint64_t at = first; at < end && !rc; at += t->rows.rows) {
		rc = lgn_similar_pull(t, &t->fit->set[0], at, end - at,
				      &t->rows);
		if (!rc)
			rc = compare_with_all(t);
		if (!rc)
			rc = tell(t);
	}
	return rc;
}

static int find_all(struct lgn_similar *t)
{
	uint64_t rows = t->fit->set[0].rows, block = t->fit->block, end;
	int64_t ticket;
	int rc = 0;

	while (!rc) {
		rc = lagoon_fetch_add(t->w, t->fit->tickets, 0, 0, 1, &ticket);
		if (rc || (uint64_t)ticket * block >= rows)
			break;
		end = ((uint64_t)ticket + 1) * block;
		end = end < rows ? end : rows;
		rc = find(t, (uint64_t)ticket * block, end);
		if (!rc)
			report(t, end);
	}
	return rc;
}

/* -------------------------------------------------------------- the end */

/* What was found for rows from first on: for the caller. */
static int fetch(struct lgn_similar *t, uint64_t first, uint64_t rows)
{
	struct lgn_similar_fit *fit = t->fit;
	size_t k = (size_t)fit->options.top;
	uint64_t n;
	int rc = 0;

	for (uint64_t at = 0; at < rows && !rc; at += n) {
		n = rows - at < fit->block ? rows - at : fit->block;
		rc = lagoon_pull(t->w, fit->found, first + at, n, t->out);
		for (uint64_t i = 0; i < n * k && !rc; i++) {
			fit->other[at * k + i] = (int64_t)t->out[2 * i] - 1;
			if (fit->similarity)
				fit->similarity[at * k + i] = t->out[2 * i + 1];
		}
	}
	return rc;
}

static int write_rows(struct lgn_similar *t, uint64_t first, uint64_t n,
		      FILE *out)
{
	const struct lagoon_similar_options *o = &t->fit->options;
	uint64_t base = !o->zero_based &&
		t->fit->set[0].format != LAGOON_FILE_RATINGS;
	size_t k = (size_t)o->top;

	for (uint64_t i = 0; i < n; i++) {
		const double *pair = t->out + i * k * 2;

		for (size_t m = 0; m < k && pair[2 * m] > 0; m++)
			fprintf(out, "%llu %llu %.17g\n",
				(unsigned long long)(first + i + base),
				(unsigned long long)pair[2 * m] - 1 + base,
				pair[2 * m + 1]);
	}
	return ferror(out);
}

/* A write that failed shows when it is committed. */
static int write_all(struct lgn_similar *t)
{
	struct lgn_similar_fit *fit = t->fit;
	uint64_t rows = fit->set[0].rows, n;
	struct lgn_outfile out;
	int rc = lgn_outfile_open(fit->output, &out), failed = 0;

	if (rc)
		return rc;
	for (uint64_t at = 0; at < rows && !rc && !failed; at += n) {
		n = rows - at < fit->block ? rows - at : fit->block;
		rc = lagoon_pull(t->w, fit->found, at, n, t->out);
		if (!rc)
			failed = write_rows(t, at, n, out.stream);
	}
	if (!rc)
		return lgn_outfile_commit(&out);
	lgn_outfile_abort(&out);
	return rc;
}

static void count(struct lgn_similar *t)
{
	struct lagoon_similar_result *r = t->fit->result;

	for (int i = 0; i < t->fit->workers; i++) {
		r->pairs += t->all[i].set[0].rows;
		r->without += t->all[i].set[0].cols;
	}
}

/* The first worker of a process has what the process asked for. */
static int finish(struct lgn_similar *t)
{
	struct lgn_similar_fit *fit = t->fit;
	bool first = t->id == fit->first_worker;
	int rc = 0;

	if (first)
		count(t);
	if (first && fit->output && !lagoon_rank(fit->lg))
		rc = write_all(t);
	else if (first && fit->other)
		rc = fetch(t, fit->first_row, fit->own_rows);
	return meet(t, rc);
}

int lgn_similar_work(struct lagoon_worker *w, void *arg)
{
	struct lgn_similar t = { .fit = arg, .w = w };
	int rc;

	t.id = lagoon_worker_id(w);
	rc = meet(&t, prepare(&t));
	if (!rc)
		rc = meet(&t, find_all(&t));
	if (!rc)
		rc = finish(&t);
	close_all(&t);
	return rc;
}
