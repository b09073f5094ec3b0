/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame of a call: check the options; read and agree (first lagoon_run),
 * tables of the size that follows, compare (second). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/load.h"
#include "kernels/solve/similar/similar.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define TOP_MAX (1 << 20)
#define CLAIMS 8		/* of a worker, at least, if rows allow */
#define CLAIMED 512		/* rows of a claim, at most */
#define FOUND ((uint64_t)1 << 22)	/* pairs of a claim, at most */
#define PULLED 512		/* rows compared with a claim at once */

/* -------------------------------------------------------------- options */

LGN_EXPORT void
lagoon_similar_options_init(struct lagoon_similar_options *options)
{
	*options = (struct lagoon_similar_options){
		.size = sizeof(*options),
		.measure = LAGOON_SIMILAR_COSINE,
		.top = 10,
		.least = -1,
		.format = -1,
	};
}

static int check_options(const struct lagoon_similar_options *o)
{
	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	if (o->measure < LAGOON_SIMILAR_COSINE ||
	    o->measure > LAGOON_SIMILAR_CORRELATION)
		return lgn_fail(LAGOON_EINVAL, "measure %d: expected %d to %d",
				o->measure, LAGOON_SIMILAR_COSINE,
				LAGOON_SIMILAR_CORRELATION);
	if (o->top < 1 || o->top > TOP_MAX)
		return lgn_fail(LAGOON_EINVAL, "top %d: expected 1 to %d",
				o->top, TOP_MAX);
	if (isnan(o->least))
		return lgn_fail(LAGOON_EINVAL, "least is NaN: expected a "
				"number");
	if (o->format < -1 || o->format > LAGOON_FILE_RATINGS)
		return lgn_fail(LAGOON_EINVAL, "format %d: expected -1 to %d",
				o->format, LAGOON_FILE_RATINGS);
	return 0;
}

/* --------------------------------------------------------------- tables */

static int create(struct lgn_similar_fit *fit, const char *name, uint64_t rows,
		  uint64_t cols, int format, struct lagoon_table **t)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = rows;
	attr.cols = (uint32_t)cols;
	attr.format = format;
	if (format == LAGOON_FLOAT64)
		attr.push = LAGOON_PUSH_APPLY;
	return lagoon_table_create(fit->lg, name, &attr, t);
}

static int create_set(struct lgn_similar_fit *fit, struct lgn_similar_set *set,
		      const char *values, const char *starts)
{
	int rc;

	if (fit->dense)
		return create(fit, values, set->rows, set->cols, LAGOON_FLOAT64,
			      &set->values);
	rc = create(fit, values, set->entries + 1, 2, LAGOON_FLOAT64,
		    &set->values);
	return rc ? rc : create(fit, starts, set->rows + 1, 1, LAGOON_I64,
				&set->starts);
}

static int create_tables(struct lgn_similar_fit *fit)
{
	int rc = create_set(fit, &fit->set[0], "similar rows",
			    "similar starts");

	if (!rc && fit->sets > 1)
		rc = create_set(fit, &fit->set[1], "similar others",
				"similar others' starts");
	if (!rc)
		rc = create(fit, "similar tickets", 1, 1, LAGOON_I64,
			    &fit->tickets);
	if (!rc)
		rc = create(fit, "similar found", fit->set[0].rows,
			    2 * (uint64_t)fit->options.top, LAGOON_FLOAT64,
			    &fit->found);
	if (!rc)
		rc = lgn_share_create(fit->lg, "similar tidings",
				      sizeof(struct lgn_similar_facts),
				      LAGOON_SSP, &fit->tidings);
	return rc;
}

static void destroy(struct lagoon_table *t)
{
	if (t)
		lagoon_table_destroy(t);
}

static void destroy_tables(struct lgn_similar_fit *fit)
{
	for (int s = 0; s < fit->sets; s++) {
		destroy(fit->set[s].values);
		destroy(fit->set[s].starts);
	}
	destroy(fit->tickets);
	destroy(fit->found);
	lgn_share_destroy(&fit->tidings);
}

/* ---------------------------------------------------------------- calls */

static int load(struct lgn_similar_fit *fit)
{
	int rc = lgn_share_run(fit->lg, "similar load",
			       sizeof(struct lgn_similar_facts),
			       lgn_similar_load, fit, &fit->tidings);

	fit->result->read_seconds = lgn_seconds_since(fit->start_ns);
	return rc;
}

/* So many that workers who are slow can be helped, and not more than there is
 * memory for. */
static uint64_t claim_rows(const struct lgn_similar_fit *fit)
{
	uint64_t n = fit->set[0].rows / (CLAIMS * (uint64_t)fit->workers) + 1;
	uint64_t most = FOUND / (uint64_t)fit->options.top;

	if (n > CLAIMED)
		n = CLAIMED;
	return n < most ? n : most;
}

/* Of a file without an output what is found is rank 0's. */
static int make_result(struct lgn_similar_fit *fit)
{
	struct lagoon_similar_result *r = fit->result;
	size_t n = fit->set[0].rows * (size_t)fit->options.top;

	r->top = fit->options.top;
	r->rows = fit->set[0].rows;
	r->others = fit->set[fit->sets - 1].rows;
	r->columns = fit->set[0].cols;
	r->entries = fit->set[0].entries;
	fit->block = claim_rows(fit);
	fit->pulled = PULLED;
	fit->way = fit->dense ? &lgn_similar_dense : &lgn_similar_sparse;
	if (!fit->files || fit->output || lagoon_rank(fit->lg))
		return 0;
	fit->own_rows = r->rows;
	fit->other = r->other = malloc(n * sizeof(*r->other));
	fit->similarity = r->similarity = malloc(n * sizeof(*r->similarity));
	if (r->other && r->similarity)
		return 0;
	fit->other = NULL;
	return lgn_fail(LAGOON_ENOMEM, "no memory for the best %d of %llu rows",
			fit->options.top, (unsigned long long)r->rows);
}

static int find(struct lgn_similar_fit *fit)
{
	int late = make_result(fit);
	int rc = create_tables(fit);

	if (!rc)
		rc = lagoon_run(fit->lg, lgn_similar_work, fit);
	destroy_tables(fit);
	return rc ? rc : late;
}

static bool is_dense(const struct lgn_similar_set *set)
{
	return set->path ? set->format == LAGOON_FILE_CSV : !set->data->sparse;
}

/* Jaccard's and Ruzicka's measures are of entries, dense or not. */
static int choose(struct lgn_similar_fit *fit)
{
	int measure = fit->options.measure;

	for (int s = 0; s < fit->sets; s++) {
		struct lgn_similar_set *set = &fit->set[s];

		if (set->path && fit->options.format >= 0)
			set->format = fit->options.format;
		else if (set->path)
			set->format = lgn_format_of(set->path);
		if (set->format != fit->set[0].format ||
		    is_dense(set) != is_dense(&fit->set[0]))
			return lgn_fail(LAGOON_EINVAL, "%s: expected rows of "
					"the same format as those that are "
					"compared with it",
					set->path ? set->path : "against");
	}
	fit->dense = is_dense(&fit->set[0]) &&
		measure != LAGOON_SIMILAR_JACCARD &&
		measure != LAGOON_SIMILAR_RUZICKA;
	return 0;
}

static int fit_open(struct lgn_similar_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	fit->workers = lagoon_workers(fit->lg);
	fit->first_worker = lgn_share_first_worker(fit->lg);
	fit->loaded = calloc((size_t)local + 1, sizeof(*fit->loaded));
	if (!fit->loaded)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d workers",
				local);
	return choose(fit);
}

static void fit_close(struct lgn_similar_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	for (int i = 0; i < local && fit->loaded; i++)
		for (int s = 0; s < LGN_SIMILAR_SETS; s++)
			lgn_similar_rows_free(&fit->loaded[i].set[s]);
	free(fit->loaded);
}

/* fit: what to find; the rest is set here. */
static int call(struct lgn_similar_fit *fit,
		const struct lagoon_similar_options *options,
		struct lagoon_similar_result *result)
{
	struct lagoon_similar_result found = { 0 };
	int rc;

	fit->result = &found;
	fit->start_ns = lgn_now_ns();
	fit->sets = fit->set[1].path || fit->set[1].data ? 2 : 1;
	lagoon_similar_options_init(&fit->options);
	if (options)
		fit->options = *options;
	if (result && result->size < sizeof(*result))
		return lgn_fail(LAGOON_EINVAL, "result: size is not set");
	rc = check_options(&fit->options);
	if (rc)
		return rc;
	rc = fit_open(fit);
	if (!rc)
		rc = load(fit);
	if (!rc)
		rc = find(fit);
	fit_close(fit);
	found.size = sizeof(found);
	found.seconds = lgn_seconds_since(fit->start_ns);
	if (rc || !result)
		lagoon_similar_result_free(&found);
	else
		*result = found;
	return rc;
}

LGN_EXPORT int
lagoon_similar_find(struct lagoon *lg, const struct lagoon_similar_data *data,
		    const struct lagoon_similar_data *against,
		    const struct lagoon_similar_options *options,
		    int64_t *other, double *similarity,
		    struct lagoon_similar_result *result)
{
	struct lgn_similar_fit fit = {
		.lg = lg, .other = other, .similarity = similarity,
		.set[0] = { .data = data }, .set[1] = { .data = against },
	};

	return call(&fit, options, result);
}

LGN_EXPORT int
lagoon_similar_find_file(struct lagoon *lg, const char *data,
			 const char *against, const char *output,
			 const struct lagoon_similar_options *options,
			 struct lagoon_similar_result *result)
{
	struct lgn_similar_fit fit = {
		.lg = lg, .files = true, .output = output,
		.set[0] = { .path = data }, .set[1] = { .path = against },
	};

	return call(&fit, options, result);
}

LGN_EXPORT void
lagoon_similar_result_free(struct lagoon_similar_result *result)
{
	free(result->other);
	free(result->similarity);
	result->other = NULL;
	result->similarity = NULL;
}
