/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame of a call: check the options; read and agree (first lagoon_run),
 * tables of the size that follows, train (second). */
#include <math.h>
#include <stdlib.h>

#include "kernels/solve/kmeans/kmeans.h"
#include "kernels/solve/options.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

/* -------------------------------------------------------------- options */

LGN_EXPORT void
lagoon_kmeans_options_init(struct lagoon_kmeans_options *options)
{
	*options = (struct lagoon_kmeans_options){
		.size = sizeof(*options),
		.clusters = 8,
		.method = LAGOON_KMEANS_LLOYD,
		.start = LAGOON_KMEANS_PLUSPLUS,
		.restarts = 10,
		.batch = 1000,
		.model = LAGOON_SSP,
		.staleness = 1,
		.sample = 1,
		.seed = 1,
		.format = -1,
	};
}

static int check_numbers(const struct lagoon_kmeans_options *o)
{
	const struct lgn_option option[] = {
		{ "clusters", o->clusters, 1, LGN_KMEANS_CLUSTERS },
		{ "method", o->method, 0, LAGOON_KMEANS_MINIBATCH },
		{ "start", o->start, 0, LAGOON_KMEANS_RANDOM },
		{ "candidates", o->candidates, 0, LGN_KMEANS_CANDIDATES },
		{ "restarts", o->restarts, 1, INT32_MAX },
		{ "rounds", o->rounds, 0, INT32_MAX },
		{ "batch", o->batch, 1, 1 << 24 },
		{ "measure", o->measure, 0, INT32_MAX },
		{ "staleness", o->staleness, 0, INT32_MAX - 1 },
		{ "sample", o->sample, 0, INT32_MAX },
		{ "format", o->format, -1, LAGOON_KMEANS_LIBSVM },
	};

	return lgn_options_check(option, LGN_COUNT(option));
}

static int check_options(const struct lagoon_kmeans_options *o)
{
	const struct lgn_saving saving = { .checkpoint = o->checkpoint,
					   .every = o->every };
	int rc;

	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	rc = check_numbers(o);
	if (!rc && !(o->tolerance >= 0 && isfinite(o->tolerance)))
		rc = lgn_fail(LAGOON_EINVAL, "tolerance %g: expected a finite "
			      "number from 0 on", o->tolerance);
	if (!rc && (o->model < LAGOON_SSP || o->model >= LAGOON_VAP))
		rc = lgn_fail(LAGOON_EINVAL, "model %d: expected ssp, bsp, asp, "
			      "essp or psp", o->model);
	return rc ? rc : lgn_saving_check(&saving);
}

static void settle_options(struct lagoon_kmeans_options *o)
{
	bool batches = o->method == LAGOON_KMEANS_MINIBATCH;
	int candidates = 2 + (int)log(o->clusters);

	if (!o->rounds)
		o->rounds = batches ? 100 : 300;
	if (!o->measure)
		o->measure = batches ? 10 : 1;
	if (!o->candidates)
		o->candidates = candidates < LGN_KMEANS_CANDIDATES ?
			candidates : LGN_KMEANS_CANDIDATES;
}

/* --------------------------------------------------------------- tables */

/* Of integers; what is told around meetings lags by nothing. */
static int create(struct lgn_kmeans_fit *fit, const char *name, uint64_t rows,
		  uint64_t cols, bool as_asked, struct lagoon_table **t)
{
	const struct lagoon_kmeans_options *o = &fit->options;
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = rows;
	attr.cols = (uint32_t)cols;
	attr.format = LAGOON_I64;
	if (as_asked)
		lgn_options_consistency(o->model, o->staleness, o->sample, &attr);
	return lagoon_table_create(fit->lg, name, &attr, t);
}

/* Checkpoints have what all of these follow from. */
static void leave_out(const struct lgn_kmeans_fit *fit)
{
	struct lagoon_table *const tables[] = {
		fit->sums, fit->points, fit->ranges, fit->members,
		fit->tidings.table,
	};

	for (size_t i = 0; i < LGN_COUNT(tables); i++)
		lagoon_table_set_saved(tables[i], 0);
}

static bool alternates(const struct lagoon_kmeans_options *o)
{
	return o->method == LAGOON_KMEANS_LLOYD && o->staleness == 0 &&
		(o->model == LAGOON_SSP || o->model == LAGOON_ESSP);
}

static int create_tables(struct lgn_kmeans_fit *fit)
{
	const struct lagoon_kmeans_options *o = &fit->options;
	uint64_t clusters = (uint64_t)o->clusters, cols = fit->facts.cols;
	uint64_t points = clusters;
	int rc;

	if (points < LGN_KMEANS_CANDIDATES)
		points = LGN_KMEANS_CANDIDATES;
	fit->tables = alternates(o) ? 2 : 1;
	rc = create(fit, "kmeans sums", clusters * (uint64_t)fit->tables,
		    1 + cols, true, &fit->sums);
	if (!rc)
		rc = create(fit, "kmeans points", points * cols, 2, false,
			    &fit->points);
	if (!rc)
		rc = create(fit, "kmeans ranges",
			    2 * cols * (uint64_t)fit->workers, 2, false,
			    &fit->ranges);
	if (!rc)
		rc = create(fit, "kmeans members", clusters, 1, false,
			    &fit->members);
	if (!rc)
		rc = lgn_share_create(fit->lg, "kmeans tidings",
				      sizeof(struct lgn_kmeans_tidings),
				      LAGOON_SSP, &fit->tidings);
	if (!rc)
		leave_out(fit);
	return rc;
}

static void destroy_tables(struct lgn_kmeans_fit *fit)
{
	struct lagoon_table *const tables[] = {
		fit->sums, fit->points, fit->ranges, fit->members, fit->saved,
	};

	for (size_t i = 0; i < LGN_COUNT(tables); i++)
		if (tables[i])
			lagoon_table_destroy(tables[i]);
	lgn_share_destroy(&fit->tidings);
}

/* ---------------------------------------------------------------- calls */

static int load(struct lgn_kmeans_fit *fit)
{
	int rc = lgn_share_run(fit->lg, "kmeans load",
			       sizeof(struct lgn_kmeans_extent),
			       lgn_kmeans_load, fit, &fit->tidings);

	fit->result->read_seconds = lgn_seconds_since(fit->start_ns);
	return rc;
}

/* Of a file the centroids are rank 0's. */
static int make_result(struct lgn_kmeans_fit *fit)
{
	struct lagoon_kmeans_result *r = fit->result;
	size_t clusters = (size_t)fit->options.clusters;

	r->clusters = fit->options.clusters;
	r->rows = fit->facts.rows;
	r->cols = fit->facts.cols;
	if (!fit->path || lagoon_rank(fit->lg))
		return 0;
	r->centroids = calloc(clusters, r->cols * sizeof(*r->centroids));
	r->counts = calloc(clusters, sizeof(*r->counts));
	if (!r->centroids || !r->counts)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu centroids of "
				"%llu columns", clusters,
				(unsigned long long)r->cols);
	fit->centroids = r->centroids;
	fit->counts = r->counts;
	return 0;
}

static int train(struct lgn_kmeans_fit *fit)
{
	int late = make_result(fit);
	int rc = lgn_kmeans_restore(fit);

	if (!rc)
		rc = create_tables(fit);
	if (!rc)
		rc = lagoon_run(fit->lg, lgn_kmeans_train, fit);
	destroy_tables(fit);
	return rc ? rc : late;
}

static int fit_open(struct lgn_kmeans_fit *fit)
{
	size_t local = (size_t)lagoon_local_workers(fit->lg);

	fit->workers = lagoon_workers(fit->lg);
	fit->first_worker = lgn_share_first_worker(fit->lg);
	fit->loaded = calloc(local + 1, sizeof(*fit->loaded));
	fit->sparse = calloc(local + 1, sizeof(*fit->sparse));
	fit->first_row = calloc((size_t)fit->workers + 1,
				sizeof(*fit->first_row));
	if (fit->loaded && fit->sparse && fit->first_row)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for %zu workers", local);
}

static void fit_close(struct lgn_kmeans_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	for (int i = 0; i < local && fit->loaded; i++)
		lgn_dense_free(&fit->loaded[i]);
	for (int i = 0; i < local && fit->sparse; i++)
		lgn_libsvm_free(&fit->sparse[i]);
	free(fit->loaded);
	free(fit->sparse);
	free(fit->first_row);
}

/* fit: what to fit; the rest is set here. */
static int call(struct lgn_kmeans_fit *fit,
		const struct lagoon_kmeans_options *options,
		struct lagoon_kmeans_result *result)
{
	struct lagoon_kmeans_result found = { .size = result->size };
	int rc;

	fit->result = &found;
	fit->start_ns = lgn_now_ns();
	lagoon_kmeans_options_init(&fit->options);
	if (options)
		fit->options = *options;
	rc = check_options(&fit->options);
	if (rc)
		return rc;
	settle_options(&fit->options);
	rc = fit_open(fit);
	if (!rc)
		rc = load(fit);
	if (!rc)
		rc = train(fit);
	fit_close(fit);
	found.seconds = lgn_seconds_since(fit->start_ns);
	if (rc)
		lagoon_kmeans_result_free(&found);
	else
		*result = found;
	return rc;
}

LGN_EXPORT int
lagoon_kmeans_fit(struct lagoon *lg, const struct lagoon_kmeans_data *data,
		  const struct lagoon_kmeans_options *options,
		  double *centroids, int32_t *assigned,
		  struct lagoon_kmeans_result *result)
{
	struct lgn_kmeans_fit fit = {
		.lg = lg, .data = data, .centroids = centroids,
		.assigned = assigned,
	};

	return call(&fit, options, result);
}

LGN_EXPORT int
lagoon_kmeans_fit_file(struct lagoon *lg, const char *data,
		       const struct lagoon_kmeans_options *options,
		       struct lagoon_kmeans_result *result)
{
	struct lgn_kmeans_fit fit = { .lg = lg, .path = data };

	return call(&fit, options, result);
}

LGN_EXPORT void lagoon_kmeans_result_free(struct lagoon_kmeans_result *result)
{
	free(result->centroids);
	free(result->counts);
	result->centroids = NULL;
	result->counts = NULL;
}
