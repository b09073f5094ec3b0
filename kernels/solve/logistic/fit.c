/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame of a fit: check the options, read and agree on the data (first
 * lagoon_run), make tables of the size that it has, train (second).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/options.h"
#include "kernels/solve/saved.h"
#include "kernels/solve/logistic/trainer.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define ROUNDS 50		/* of an epoch; see batches_of() */

LGN_EXPORT void
lagoon_logistic_options_init(struct lagoon_logistic_options *options)
{
	*options = (struct lagoon_logistic_options){
		.size = sizeof(*options),
		.c = 1,
		.rate = 0.5,
		.model = LAGOON_SSP,
		.staleness = 1,
		.sample = 1,
		.change = 0.01,
		.epochs = 200,
		.tolerance = 1e-4,
		.seed = 1,
	};
}

static int check_positive(const char *name, double value)
{
	if (value > 0 && isfinite(value))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s %g: expected a number above 0",
			name, value);
}

static int check_options(const struct lagoon_logistic_options *o)
{
	int rc = check_positive("c", o->c);

	if (!rc)
		rc = check_positive("rate", o->rate);
	if (rc)
		return rc;
	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	if (o->model < LAGOON_SSP || o->model > LAGOON_VAP)
		return lgn_fail(LAGOON_EINVAL, "model %d: expected ssp, bsp, "
				"asp, essp, psp or vap", o->model);
	if (o->staleness < 0)
		return lgn_fail(LAGOON_EINVAL, "staleness %ld: expected 0 or "
				"more", (long)o->staleness);
	if (o->sample < 0)
		return lgn_fail(LAGOON_EINVAL, "sample %ld: expected 0 or "
				"more", (long)o->sample);
	if (!(o->change >= 0 && isfinite(o->change)))
		return lgn_fail(LAGOON_EINVAL, "change %g: expected 0 or more",
				o->change);
	if (o->epochs < 1)
		return lgn_fail(LAGOON_EINVAL, "epochs %d: expected at least 1",
				o->epochs);
	if (!(o->tolerance >= 0))
		return lgn_fail(LAGOON_EINVAL, "tolerance %g: expected 0 or "
				"more", o->tolerance);
	return lgn_saving_check(&(struct lgn_saving){ o->checkpoint, o->every,
						      NULL, NULL });
}

/* ---------------------------------------------------------- reading */

static int load_worker(struct lagoon_worker *w, void *arg)
{
	struct lgn_fit *fit = arg;
	int local = lagoon_worker_id(w) - fit->first_worker;
	struct lgn_facts facts;
	int rc = lgn_load(&fit->files, &fit->share, w, &fit->loaded[local],
			  &facts);

	if (!rc && !local)
		fit->facts = facts;	/* the same in all */
	return rc;
}

static int load(struct lgn_fit *fit)
{
	int rc = lgn_share_create(fit->lg, "logistic load",
				  sizeof(struct lgn_facts), LAGOON_SSP,
				  &fit->share);

	if (rc)
		return rc;
	rc = lagoon_run(fit->lg, load_worker, fit);
	lgn_share_destroy(&fit->share);
	lgn_share_destroy(&fit->accounts);
	return rc;
}

/* ------------------------------------------------- what follows from it */

/* Half the rounds was enough for two workers; eight that read at age 4 want
 * them all. A round costs about as much as 20 us of steps. */
static uint64_t batches_of(const struct lgn_fit *fit)
{
	uint64_t most = fit->facts.data.largest_part;
	uint64_t batch = fit->options.batch;

	if (batch)
		return (most + batch - 1) / batch;
	return most < ROUNDS ? most : ROUNDS;
}

static int has_bound(const struct lgn_fit *fit)
{
	int model = fit->options.model;

	return model == LAGOON_SSP || model == LAGOON_ESSP ||
		model == LAGOON_PSP;
}

/* Rows that other workers step through before one worker sees the outcome. */
static double unseen_rows(const struct lgn_fit *fit)
{
	double others = 1 - 1.0 / lagoon_workers(fit->lg);
	double rounds = lgn_options_unseen(fit->options.model,
					   fit->options.staleness);

	return fmin(rounds / (double)fit->batches, 1) * others *
	       (double)fit->facts.data.rows;
}

/* At the optimum w'w / 2 is below c n log 2, its value at 0; single steps go
 * beyond. */
static void derive(struct lgn_fit *fit)
{
	const struct lgn_extent *data = &fit->facts.data;
	struct lagoon_logistic_result *r = fit->result;

	fit->batches = batches_of(fit);
	fit->unseen_rows = unseen_rows(fit);
	fit->largest = 64 * sqrt(2 * fit->options.c * (double)data->rows);
	fit->row_entries = data->squares / (double)data->entries;
	r->rows = data->rows;
	r->entries = data->entries;
	r->features = data->cols;
	r->test_rows = fit->facts.test.rows;
	memcpy(r->labels, data->labels.value, sizeof(r->labels));
	r->read_seconds = lgn_seconds_since(fit->start_ns);
}

/* ----------------------------------------------------------- tables */

/* As many fraction bits as leave sums of this size a wide margin. */
static int frac_bits(double largest)
{
	int bits = 56 - (int)ceil(log2(largest));

	return bits < 0 ? 0 : bits > 52 ? 52 : bits;
}

/* As lgn_trainer_finish() accounts for them. */
static const char *const names[LGN_ACCOUNT_TABLES] = {
	"logistic weights", "logistic first", "logistic second", "logistic counts",
};

static int create(struct lgn_fit *fit, const char *name, double largest,
		  struct lagoon_table **t)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = fit->facts.data.cols;
	attr.model = fit->options.model;
	if (has_bound(fit))
		attr.staleness = fit->options.staleness;
	attr.sample = fit->options.sample;
	attr.change = fit->options.change;
	if (largest > 0)
		attr.frac_bits = frac_bits(largest);
	else
		attr.format = LAGOON_I64;
	return lagoon_table_create(fit->lg, name, &attr, t);
}

static int create_waited(struct lgn_fit *fit)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = (uint64_t)lagoon_size(fit->lg);
	attr.format = LAGOON_I64;
	attr.model = fit->options.model;
	return lagoon_table_create(fit->lg, "logistic waited", &attr,
				   &fit->waited);
}

static int create_saved(struct lgn_fit *fit)
{
	double n = (double)fit->facts.data.rows;
	double x = fmax(fit->facts.data.max_abs, 1e-100);
	int rc = create(fit, "logistic anchor", fit->largest, &fit->anchor);

	if (!rc)
		rc = create(fit, "logistic start", n * x * x, &fit->start);
	return rc ? rc : lgn_restart_open(fit);
}

/* Derivatives are sums of at most |x| and x^2 / 4 over the rows. */
static int create_tables(struct lgn_fit *fit)
{
	double n = (double)fit->facts.data.rows;
	double x = fmax(fit->facts.data.max_abs, 1e-100);
	int rc = create(fit, names[0], fit->largest, &fit->weights);

	if (!rc)
		rc = create(fit, names[1], n * x, &fit->first);
	if (!rc)
		rc = create(fit, names[2], n * x * x, &fit->second);
	if (!rc)
		rc = create(fit, names[3], 0, &fit->counts);
	if (!rc)
		rc = create_waited(fit);
	if (!rc)
		rc = lgn_share_create(fit->lg, "logistic tidings",
				      sizeof(struct lgn_tidings),
				      fit->options.model, &fit->share);
	if (!rc)
		rc = lgn_share_create(fit->lg, "logistic accounts",
				      sizeof(struct lgn_account),
				      fit->options.model, &fit->accounts);
	/* After these, so that they are rounded as without checkpoints. */
	if (!rc && (fit->options.checkpoint || fit->options.resume))
		rc = create_saved(fit);
	return rc;
}

/* LAGOON_CHECK may find something wrong in them now. */
static int destroy_tables(struct lgn_fit *fit)
{
	struct lagoon_table *const tables[] = {
		fit->weights, fit->first, fit->second, fit->counts, fit->waited,
		fit->anchor, fit->start, fit->stop,
	};
	int rc = 0;

	for (size_t i = 0; i < LGN_COUNT(tables); i++)
		if (tables[i] && lagoon_table_destroy(tables[i]) == LAGOON_ECORRUPT)
			rc = LAGOON_ECORRUPT;
	lgn_share_destroy(&fit->share);
	lgn_share_destroy(&fit->accounts);
	return rc;
}

/* ------------------------------------------------------------- calls */

static int fit_loaded(struct lgn_fit *fit)
{
	int rc, found;

	derive(fit);
	rc = create_tables(fit);
	if (!rc)
		rc = lagoon_run(fit->lg, lgn_logistic_train, fit);
	found = destroy_tables(fit);
	return rc ? rc : found;
}

static int fit_open(struct lgn_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);
	struct lagoon_logistic_result *r = fit->result;

	fit->first_worker = lgn_share_first_worker(fit->lg);
	fit->loaded = calloc((size_t)local + 1, sizeof(*fit->loaded));
	if (!fit->loaded)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d workers", local);
	return lgn_account_open(r, fit->lg, names);
}

static void fit_close(struct lgn_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	for (int i = 0; i < local && fit->loaded; i++) {
		lgn_libsvm_free(&fit->loaded[i].data);
		lgn_libsvm_free(&fit->loaded[i].test);
	}
	free(fit->loaded);
}

LGN_EXPORT int
lagoon_logistic_fit_file(struct lagoon *lg, const char *data,
			 const char *test,
			 const struct lagoon_logistic_options *options,
			 struct lagoon_logistic_result *result)
{
	struct lagoon_logistic_result found = {
		.size = result->size,
		.test_accuracy = -1,
		.stats.size = sizeof(found.stats),
	};
	struct lgn_fit fit = {
		.lg = lg,
		.result = &found,
		.start_ns = lgn_now_ns(),
	};
	int rc;

	lagoon_logistic_options_init(&fit.options);
	if (options)
		fit.options = *options;
	fit.files = (struct lgn_load_options){
		data, test, fit.options.zero_based
	};
	rc = check_options(&fit.options);
	if (!rc)
		rc = fit_open(&fit);
	if (!rc)
		rc = load(&fit);
	if (!rc)
		rc = fit_loaded(&fit);
	fit_close(&fit);
	found.seconds = lgn_seconds_since(fit.start_ns);
	if (rc)
		lagoon_logistic_result_free(&found);
	else
		*result = found;
	return rc;
}

LGN_EXPORT void
lagoon_logistic_result_free(struct lagoon_logistic_result *result)
{
	free(result->weights);
	free(result->waited_ns);
	free(result->worker_waited_ns);
	free(result->table);
	result->weights = NULL;
	result->waited_ns = result->worker_waited_ns = NULL;
	result->table = NULL;
}
