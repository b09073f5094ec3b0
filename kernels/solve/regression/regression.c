/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame of a call: check the options; read and agree (first lagoon_run),
 * means and deviations (second), tables of the size and unit that follow, train
 * (third).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/text.h"
#include "kernels/solve/deal.h"
#include "kernels/solve/given.h"
#include "kernels/solve/load.h"
#include "kernels/solve/options.h"
#include "kernels/solve/regression/regression.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

/* ------------------------------------------------------------ options */

LGN_EXPORT void
lagoon_regression_options_init(struct lagoon_regression_options *options)
{
	*options = (struct lagoon_regression_options){
		.size = sizeof(*options),
		.method = LAGOON_CD,
		.intercept = 1,
		.tolerance = 1e-7,
		.epochs = 1000,
		.model = LAGOON_SSP,
		.staleness = 1,
		.sample = 1,
		.seed = 1,
		.format = -1,
	};
}

static int check_least(const char *name, double value, double least)
{
	if (value >= least && isfinite(value))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s %g: expected %g or more", name,
			value, least);
}

static int check_range(const char *name, int value, int most)
{
	if (value >= 0 && value <= most)
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s %d: expected 0 to %d", name, value,
			most);
}

static int check_model(const struct lagoon_regression_options *o)
{
	if (o->model >= LAGOON_SSP && o->model < LAGOON_VAP)
		return 0;
	return lgn_fail(LAGOON_EINVAL, "model %d: expected ssp, bsp, asp, essp "
			"or psp", o->model);
}

static int check_options(const struct lagoon_regression_options *o)
{
	int rc;

	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	rc = check_range("method", o->method, LAGOON_MSPG);
	if (!rc)
		rc = check_least("l1", o->l1, 0);
	if (!rc)
		rc = check_least("l2", o->l2, 0);
	if (!rc)
		rc = check_least("tolerance", o->tolerance, 0);
	if (!rc)
		rc = check_least("epochs", o->epochs, 1);
	if (!rc)
		rc = check_least("rounds", o->rounds, 0);
	if (!rc)
		rc = check_model(o);
	if (!rc)
		rc = check_least("staleness", o->staleness, 0);
	if (!rc)
		rc = check_least("sample", o->sample, 0);
	if (!rc && o->format != -1)
		rc = check_range("format", o->format, LAGOON_FILE_MATRIX);
	return rc;
}

/* Either file by gzip makes worker 0 the reader of both. */
static int check_files(struct lgn_regression_fit *fit)
{
	struct lagoon_regression_options *o = &fit->options;
	int gzip, other = 0;

	if (o->format < 0)
		o->format = lgn_format_of(fit->path);
	if (o->format == LAGOON_FILE_MATRIX && !fit->target)
		return lgn_fail(LAGOON_EINVAL, "%s: expected a file of its "
				"targets beside", fit->path);
	if (o->format != LAGOON_FILE_MATRIX && fit->target)
		return lgn_fail(LAGOON_EINVAL, "%s: targets in a file of their "
				"own: expected for MatrixMarket data only",
				fit->target);
	gzip = lgn_text_is_gzip(fit->path);
	if (gzip >= 0 && fit->target)
		other = lgn_text_is_gzip(fit->target);
	if (gzip < 0 || other < 0)
		return gzip < 0 ? gzip : other;
	fit->one_reader = gzip || other;
	return 0;
}

/* -------------------------------------------------------------- tables */

/* As many fraction bits as leave numbers of this size a margin of 2^8. */
static int frac_bits(double largest)
{
	int bits = 54 - (int)ceil(log2(largest));

	return bits < 0 ? 0 : bits > 52 ? 52 : bits;
}

/* Residuals: at most all of their squares, which add up to n, are in one. */
static double largest_residual(const struct lgn_regression_fit *fit)
{
	return 4 * sqrt((double)fit->facts.rows);
}

/* Weights of scaled columns are about 1; of one that is much smaller than the
 * largest, larger by that. The dual has l1 / lambda on top. */
static double largest_weight(const struct lgn_regression_fit *fit)
{
	double lambda = fit->scale.l2 + lgn_sdca_proximity(fit);

	return 64 * fit->scale.widest + 4 * fit->scale.l1 / lambda;
}

static int create(struct lgn_regression_fit *fit, const char *name,
		  uint64_t rows, double largest, struct lagoon_table **t)
{
	const struct lagoon_regression_options *o = &fit->options;
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = rows;
	lgn_options_consistency(o->model, o->staleness, o->sample, &attr);
	attr.frac_bits = frac_bits(largest);
	return lagoon_table_create(fit->lg, name, &attr, t);
}

static int create_words(struct lgn_regression_fit *fit, const char *name,
			uint64_t rows, uint32_t cols, struct lagoon_table **t)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = rows;
	attr.cols = cols;
	attr.format = LAGOON_I64;
	return lagoon_table_create(fit->lg, name, &attr, t);
}

static int create_state(struct lgn_regression_fit *fit)
{
	double residual = largest_residual(fit);
	uint64_t rows = fit->facts.rows;
	int rc;

	if (fit->method->by_rows)
		return create(fit, "regression weights", fit->facts.cols,
			      largest_weight(fit), &fit->state);
	rc = create(fit, "regression residuals", rows, residual, &fit->state);
	if (!rc && fit->method == &lgn_mspg)
		rc = create(fit, "regression probe", rows, residual *
			    sqrt(fit->scale.row), &fit->probe);
	return rc;
}

/* Targets go with rows. */
static int create_tables(struct lgn_regression_fit *fit)
{
	uint64_t words = LGN_DEAL_WORDS(fit->facts.entries + fit->facts.rows);
	int rc = create_state(fit);

	if (!rc && !(fit->in_place && fit->method->by_rows))
		rc = create_words(fit, "regression dealt", words, 1,
				  &fit->dealt);
	if (!rc)
		rc = create_words(fit, "regression found", fit->facts.cols, 2,
				  &fit->found);
	if (!rc && fit->method->by_rows &&
	    (fit->options.checkpoint || fit->options.resume))
		rc = create_words(fit, "regression duals", fit->facts.rows, 2,
				  &fit->duals);
	if (!rc)
		rc = lgn_share_create(fit->lg, "regression counts",
				      (size_t)fit->workers * sizeof(uint64_t),
				      LAGOON_SSP, &fit->counts);
	if (!rc)
		rc = lgn_share_create(fit->lg, "regression tidings",
				      sizeof(struct lgn_regression_tidings),
				      LAGOON_SSP, &fit->tidings);
	return rc;
}

static void destroy_tables(struct lgn_regression_fit *fit)
{
	struct lagoon_table *const tables[] = {
		fit->state, fit->probe, fit->dealt, fit->found, fit->duals,
	};

	for (size_t i = 0; i < LGN_COUNT(tables); i++)
		if (tables[i])
			lagoon_table_destroy(tables[i]);
	lgn_share_destroy(&fit->counts);
	lgn_share_destroy(&fit->tidings);
}

/* --------------------------------------------------------------- calls */

static int load(struct lgn_regression_fit *fit)
{
	int rc = lgn_share_run(fit->lg, "regression load",
			       sizeof(struct lgn_regression_facts), lgn_regression_load, fit,
			       &fit->tidings);

	fit->result->read_seconds = lgn_seconds_since(fit->start_ns);
	return rc;
}

static int scale(struct lgn_regression_fit *fit)
{
	return lgn_share_run(fit->lg, "regression columns",
			     2 * (fit->facts.cols + 1) * sizeof(double),
			     lgn_regression_scale, fit, &fit->columns);
}

/* Of a file the weights are rank 0's. */
static int make_weights(struct lgn_regression_fit *fit)
{
	struct lagoon_regression_result *r = fit->result;

	r->rows = fit->facts.rows;
	r->entries = fit->facts.entries;
	r->features = fit->facts.cols;
	if (!fit->path || lagoon_rank(fit->lg))
		return 0;
	fit->weights = r->weights = calloc(fit->facts.cols, sizeof(double));
	if (fit->weights)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for %llu weights",
			(unsigned long long)fit->facts.cols);
}

static int train(struct lgn_regression_fit *fit)
{
	int late = make_weights(fit);
	int rc = lgn_given_check(fit->options.table, fit->facts.cols, 1);

	if (!rc)
		rc = create_tables(fit);
	if (!rc)
		rc = lgn_regression_restore(fit);
	if (!rc)
		rc = lagoon_run(fit->lg, lgn_regression_train, fit);
	destroy_tables(fit);
	return rc ? rc : late;
}

static int fit_open(struct lgn_regression_fit *fit)
{
	static const struct lgn_regression_method *const methods[] = {
		[LAGOON_CD] = &lgn_cd, [LAGOON_SDCA] = &lgn_sdca,
		[LAGOON_MSPG] = &lgn_mspg,
	};
	int local = lagoon_local_workers(fit->lg);

	fit->method = methods[fit->options.method];
	fit->workers = lagoon_workers(fit->lg);
	fit->first_worker = lgn_share_first_worker(fit->lg);
	fit->loaded = calloc((size_t)local + 1, sizeof(*fit->loaded));
	fit->first_row = calloc((size_t)fit->workers + 1,
				sizeof(*fit->first_row));
	if (fit->loaded && fit->first_row)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for %d workers",
			fit->workers);
}

static void fit_close(struct lgn_regression_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	for (int i = 0; i < local && fit->loaded; i++)
		lgn_entries_free(&fit->loaded[i]);
	free(fit->loaded);
	free(fit->first_row);
	free(fit->saved);
	lgn_regression_scale_free(&fit->scale);
}

/* fit: what to fit; the rest is set here. */
static int call(struct lgn_regression_fit *fit,
		const struct lagoon_regression_options *options,
		struct lagoon_regression_result *result)
{
	struct lagoon_regression_result found = { .size = result->size };
	struct lgn_saving saving;
	int rc;

	fit->result = &found;
	fit->start_ns = lgn_now_ns();
	lagoon_regression_options_init(&fit->options);
	if (options)
		fit->options = *options;
	saving = lgn_regression_saving(fit);
	rc = check_options(&fit->options);
	if (!rc)
		rc = lgn_saving_check(&saving);
	if (!rc && fit->path)
		rc = check_files(fit);
	if (rc)
		return rc;
	rc = fit_open(fit);
	if (!rc)
		rc = load(fit);
	if (!rc)
		rc = scale(fit);
	if (!rc)
		rc = train(fit);
	fit_close(fit);
	found.seconds = lgn_seconds_since(fit->start_ns);
	if (rc)
		lagoon_regression_result_free(&found);
	else
		*result = found;
	return rc;
}

LGN_EXPORT int
lagoon_regression_fit(struct lagoon *lg,
		      const struct lagoon_regression_data *data,
		      const struct lagoon_regression_options *options,
		      double *weights, struct lagoon_regression_result *result)
{
	static const struct lagoon_regression_data none;
	/* refused with the others, who wait, where all data is looked at */
	struct lgn_regression_fit fit = {
		.lg = lg, .data = data ? data : &none, .weights = weights,
	};

	return call(&fit, options, result);
}

LGN_EXPORT int
lagoon_regression_fit_file(struct lagoon *lg, const char *data,
			   const char *target,
			   const struct lagoon_regression_options *options,
			   struct lagoon_regression_result *result)
{
	struct lgn_regression_fit fit = {
		.lg = lg, .path = data, .target = target,
	};

	return call(&fit, options, result);
}

static int fail_penalty(const char *solver, const char *name, double value)
{
	return lgn_fail(LAGOON_EINVAL, "%s: %s is %g: expected 0", solver, name,
			value);
}

LGN_EXPORT int
lagoon_lasso_fit(struct lagoon *lg, const struct lagoon_regression_data *data,
		 const struct lagoon_regression_options *options,
		 double *weights, struct lagoon_regression_result *result)
{
	if (options && options->l2 != 0)
		return fail_penalty("lasso", "l2", options->l2);
	return lagoon_regression_fit(lg, data, options, weights, result);
}

LGN_EXPORT int
lagoon_ridge_fit(struct lagoon *lg, const struct lagoon_regression_data *data,
		 const struct lagoon_regression_options *options,
		 double *weights, struct lagoon_regression_result *result)
{
	if (options && options->l1 != 0)
		return fail_penalty("ridge", "l1", options->l1);
	return lagoon_regression_fit(lg, data, options, weights, result);
}

LGN_EXPORT int
lagoon_elastic_net_fit(struct lagoon *lg,
		       const struct lagoon_regression_data *data,
		       const struct lagoon_regression_options *options,
		       double *weights,
		       struct lagoon_regression_result *result)
{
	return lagoon_regression_fit(lg, data, options, weights, result);
}

LGN_EXPORT void
lagoon_regression_result_free(struct lagoon_regression_result *result)
{
	free(result->weights);
	result->weights = NULL;
}
