/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame of a call: check the options; read and agree (first lagoon_run),
 * deal out (second), tables of the size that follows, train (third). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/mf/mf.h"
#include "kernels/solve/options.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define RANK_MAX 4096
#define ROUNDS_MAX 65536
#define SLACK 4			/* rounds in which no other has the stratum, at
				 * least */
#define FRAC_BITS 24		/* of factors of about 1: to 64, by 6e-8 */

/* -------------------------------------------------------------- options */

LGN_EXPORT void lagoon_mf_options_init(struct lagoon_mf_options *options)
{
	*options = (struct lagoon_mf_options){
		.size = sizeof(*options),
		.method = LAGOON_MF_SGD,
		.rank = 10,
		.lambda = 0.1,
		.lambda_bias = 5,
		.epochs = 30,
		.rate = 0.05,
		.decay = 0.95,
		.measure = 1,
		.model = LAGOON_SSP,
		.staleness = 1,
		.sample = 1,
		.seed = 1,
	};
}

static int check_numbers(const struct lagoon_mf_options *o)
{
	const struct lgn_option option[] = {
		{ "method", o->method, 0, LAGOON_MF_CCD },
		{ "rank", o->rank, 1, RANK_MAX },
		{ "biases", o->biases, 0, 1 },
		{ "epochs", o->epochs, 1, INT32_MAX },
		{ "rounds", o->rounds, 0, ROUNDS_MAX },
		{ "measure", o->measure, 1, INT32_MAX },
		{ "staleness", o->staleness, 0, INT32_MAX - 1 },
		{ "sample", o->sample, 0, INT32_MAX },
	};

	return lgn_options_check(option, LGN_COUNT(option));
}

static int check_reals(const struct lagoon_mf_options *o)
{
	const struct {
		const char *name;
		double value;
		bool above;	/* it must not be 0 */
	} field[] = {
		{ "lambda", o->lambda, o->method == LAGOON_MF_ALS },
		{ "lambda_bias", o->lambda_bias, false },
		{ "rate", o->rate, true },
		{ "decay", o->decay, true },
	};

	for (size_t i = 0; i < LGN_COUNT(field); i++)
		if (!(field[i].value >= 0) || !isfinite(field[i].value) ||
		    (field[i].above && field[i].value <= 0))
			return lgn_fail(LAGOON_EINVAL, "%s %g: expected a "
					"finite number %s 0", field[i].name,
					field[i].value,
					field[i].above ? "above" : "from");
	if (o->decay > 1)
		return lgn_fail(LAGOON_EINVAL, "decay %g: expected at most 1",
				o->decay);
	return 0;
}

static int check_options(const struct lagoon_mf_options *o)
{
	int rc;

	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	rc = check_numbers(o);
	if (!rc)
		rc = check_reals(o);
	if (!rc && (o->model < LAGOON_SSP || o->model >= LAGOON_VAP))
		rc = lgn_fail(LAGOON_EINVAL, "model %d: expected ssp, bsp, asp, "
			      "essp or psp", o->model);
	if (!rc && o->every && !o->checkpoint)
		rc = lgn_fail(LAGOON_EINVAL, "every %llu without a checkpoint",
			      (unsigned long long)o->every);
	return rc;
}

/* So many that a stratum has been left for as long as a read may lag before the
 * next worker comes to it. */
static int rounds_of(const struct lgn_mf_fit *fit)
{
	const struct lagoon_mf_options *o = &fit->options;
	int64_t slack = SLACK, rounds;

	if (o->rounds)
		return o->rounds;
	if (o->model != LAGOON_BSP && o->model != LAGOON_ASP &&
	    o->staleness + INT64_C(2) > slack)
		slack = o->staleness + INT64_C(2);
	rounds = slack * fit->workers;
	return rounds < ROUNDS_MAX ? (int)rounds : ROUNDS_MAX;
}

/* --------------------------------------------------------------- tables */

static int create(struct lgn_mf_fit *fit, const char *name, uint64_t rows,
		  uint32_t cols, int format, struct lagoon_table **t)
{
	const struct lagoon_mf_options *o = &fit->options;
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = rows;
	attr.cols = cols;
	attr.format = format;
	if (format == LAGOON_FLOAT64) {
		attr.push = LAGOON_PUSH_APPLY;
		attr.update = "assign";
	}
	if (format == LAGOON_Q32) {
		attr.type = LAGOON_F32;
		attr.frac_bits = FRAC_BITS;
	}
	if (format != LAGOON_I64)
		lgn_options_consistency(o->model, o->staleness, o->sample, &attr);
	return lagoon_table_create(fit->lg, name, &attr, t);
}

static int create_tables(struct lgn_mf_fit *fit)
{
	const struct lgn_mf_facts *f = &fit->facts;
	int rc = lgn_share_create(fit->lg, "mf tidings",
				  sizeof(struct lgn_mf_tidings), LAGOON_SSP,
				  &fit->tidings);

	if (!rc)
		rc = create(fit, "mf rows", f->rows, fit->width,
			    LAGOON_FLOAT64, &fit->rows);
	if (!rc)
		rc = create(fit, "mf columns", f->cols, fit->width,
			    fit->method->adds ? LAGOON_Q32 : LAGOON_FLOAT64,
			    &fit->cols);
	if (!rc)
		rc = create(fit, "mf counts", f->cols, 1, LAGOON_I64,
			    &fit->counts);
	for (int i = 0; i < 2 && !rc && fit->method == &lgn_mf_ccd; i++)
		rc = create(fit, i ? "mf sums 1" : "mf sums 0", f->cols, 2,
			    LAGOON_Q64, &fit->sums[i]);
	return rc;
}

static void destroy_tables(struct lgn_mf_fit *fit)
{
	struct lagoon_table *const all[] = {
		fit->rows, fit->cols, fit->counts, fit->sums[0], fit->sums[1],
	};

	for (size_t i = 0; i < LGN_COUNT(all); i++)
		if (all[i])
			lagoon_table_destroy(all[i]);
	lgn_share_destroy(&fit->tidings);
}

/* ---------------------------------------------------------------- calls */

/* Ratings that are all the same have a scale too. */
static void set_scale(struct lgn_mf_fit *fit)
{
	double n = (double)fit->facts.n, square;

	fit->mean = fit->facts.sum / n;
	square = fit->facts.squares / n - fit->mean * fit->mean;
	fit->scale = square > 1e-12 * fit->mean * fit->mean ? sqrt(square) : 1;
}

static int load(struct lgn_mf_fit *fit)
{
	struct lagoon_mf_result *r = fit->result;
	int rc = lgn_share_run(fit->lg, "mf load", sizeof(struct lgn_mf_facts),
			       lgn_mf_load, fit, &fit->tidings);
	uint64_t rows;

	if (rc)
		return rc;
	r->users = fit->facts.rows;
	r->items = fit->facts.cols;
	fit->swapped = fit->facts.cols > fit->facts.rows;
	if (fit->swapped) {
		rows = fit->facts.cols;
		fit->facts.cols = fit->facts.rows;
		fit->facts.rows = rows;
	}
	rc = lgn_mf_create_dealt(fit);
	if (!rc)
		rc = lagoon_run(fit->lg, lgn_mf_deal, fit);
	lgn_mf_destroy_dealt(fit);
	r->read_seconds = lgn_seconds_since(fit->start_ns);
	return rc;
}

/* Rank 0 has the model; it fills it at the end. */
static int make_result(struct lgn_mf_fit *fit)
{
	struct lagoon_mf_result *r = fit->result;
	struct lagoon_mf_model *m = &r->model;

	r->ratings = fit->facts.n;
	r->replaced = fit->facts.replaced;
	r->test_ratings = fit->facts.test_n;
	*m = (struct lagoon_mf_model){
		.size = sizeof(*m), .rank = fit->options.rank,
		.biases = fit->options.biases, .users = r->users,
		.items = r->items, .mean = fit->mean,
		.lambda = fit->options.lambda,
	};
	if (lagoon_rank(fit->lg))
		return 0;
	m->user = calloc(m->users, fit->width * sizeof(*m->user));
	m->item = calloc(m->items, fit->width * sizeof(*m->item));
	if (m->user && m->item)
		return 0;
	lagoon_mf_model_free(m);
	return lgn_fail(LAGOON_ENOMEM, "no memory for %u numbers of each of "
			"%llu users and %llu items", fit->width,
			(unsigned long long)r->users,
			(unsigned long long)r->items);
}

static int train(struct lgn_mf_fit *fit)
{
	int late, rc;

	set_scale(fit);
	late = make_result(fit);
	rc = create_tables(fit);
	if (!rc)
		rc = lgn_mf_restore(fit);
	if (!rc)
		rc = lagoon_run(fit->lg, lgn_mf_train, fit);
	destroy_tables(fit);
	return rc ? rc : late;
}

static int fit_open(struct lgn_mf_fit *fit)
{
	static const struct lgn_mf_method *const methods[] = {
		[LAGOON_MF_SGD] = &lgn_mf_sgd,
		[LAGOON_MF_ALS] = &lgn_mf_als,
		[LAGOON_MF_CCD] = &lgn_mf_ccd,
	};
	int local = lagoon_local_workers(fit->lg);

	fit->method = methods[fit->options.method];
	fit->workers = lagoon_workers(fit->lg);
	fit->options.rounds = rounds_of(fit);
	fit->width = (uint32_t)(fit->options.rank + fit->options.biases);
	fit->has_test = fit->test || fit->test_path;
	fit->first_worker = lgn_share_first_worker(fit->lg);
	fit->part = calloc((size_t)local + 1, sizeof(*fit->part));
	return fit->part ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for %d "
					"workers", local);
}

static void fit_close(struct lgn_mf_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	for (int i = 0; i < local && fit->part; i++) {
		lgn_entries_free(&fit->part[i].data);
		lgn_entries_free(&fit->part[i].test);
		lgn_mf_lines_close(&fit->part[i].rows);
		lgn_mf_lines_close(&fit->part[i].cols);
		lgn_mf_tests_close(&fit->part[i].tests);
	}
	free(fit->part);
	free(fit->saved);
}

/* fit: what to fit; the rest is set here. */
static int call(struct lgn_mf_fit *fit, const struct lagoon_mf_options *options,
		struct lagoon_mf_result *result)
{
	struct lagoon_mf_result found = { .size = result->size };
	int rc;

	fit->result = &found;
	fit->start_ns = lgn_now_ns();
	lagoon_mf_options_init(&fit->options);
	if (options)
		fit->options = *options;
	rc = check_options(&fit->options);
	if (rc)
		return rc;
	rc = fit_open(fit);
	if (!rc)
		rc = load(fit);
	if (!rc)
		rc = train(fit);
	fit_close(fit);
	found.seconds = lgn_seconds_since(fit->start_ns);
	if (rc)
		lagoon_mf_result_free(&found);
	else
		*result = found;
	return rc;
}

LGN_EXPORT int
lagoon_mf_fit(struct lagoon *lg, const struct lagoon_mf_data *data,
	      const struct lagoon_mf_data *test,
	      const struct lagoon_mf_options *options,
	      struct lagoon_mf_result *result)
{
	struct lgn_mf_fit fit = { .lg = lg, .data = data, .test = test };

	return call(&fit, options, result);
}

LGN_EXPORT int
lagoon_mf_fit_file(struct lagoon *lg, const char *data, const char *test,
		   const struct lagoon_mf_options *options,
		   struct lagoon_mf_result *result)
{
	struct lgn_mf_fit fit = { .lg = lg, .path = data, .test_path = test };

	return call(&fit, options, result);
}

LGN_EXPORT void lagoon_mf_result_free(struct lagoon_mf_result *result)
{
	lagoon_mf_model_free(&result->model);
}
