/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame of a call: check the options; read and agree (first lagoon_run);
 * tables of the size and unit that follow; train (second).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/given.h"
#include "kernels/solve/linear/linear.h"
#include "kernels/solve/options.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define MARGIN 64		/* of weights beyond the largest at a minimum */

static const struct lgn_linear_method *linear_method(int method)
{
	static const struct lgn_linear_method *const methods[] = {
		[LAGOON_LINEAR_SGD] = &lgn_linear_sgd,
		[LAGOON_LINEAR_ADAGRAD] = &lgn_linear_adagrad,
		[LAGOON_LINEAR_DOWNPOUR] = &lgn_linear_downpour,
		[LAGOON_LINEAR_LBFGS] = &lgn_linear_lbfgs,
		[LAGOON_LINEAR_GRADIENT] = &lgn_linear_gradient_descent,
		[LAGOON_LINEAR_SDCA] = &lgn_linear_sdca,
		[LAGOON_LINEAR_PROXIMAL] = &lgn_linear_proximal,
		[LAGOON_LINEAR_FTRL] = &lgn_linear_ftrl,
	};

	if (method < 0 || (size_t)method >= LGN_COUNT(methods)) {
		lgn_fail(LAGOON_EINVAL, "method %d: expected 0 to %zu", method,
			 LGN_COUNT(methods) - 1);
		return NULL;
	}
	return methods[method];
}

/* ------------------------------------------------------------ options */

LGN_EXPORT void
lagoon_linear_options_init(struct lagoon_linear_options *options)
{
	*options = (struct lagoon_linear_options){
		.size = sizeof(*options),
		.method = LAGOON_LINEAR_AUTO,
		.c = 1,
		.l2 = 1,
		.tolerance = 1e-4,
		.n_fetch = 1,
		.n_push = 1,
		.model = LAGOON_SSP,
		.staleness = 1,
		.sample = 1,
		.change = 0.01,
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

static int check_range(const char *name, int value, int least, int most)
{
	if (value >= least && value <= most)
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s %d: expected %d to %d", name, value,
			least, most);
}

static int check_options(const struct lagoon_linear_options *o)
{
	int rc;

	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	rc = check_range("loss", o->loss, 0, LAGOON_LINEAR_SOFTMAX);
	if (!rc && !(o->c > 0 && isfinite(o->c)))
		rc = lgn_fail(LAGOON_EINVAL, "c %g: expected a number above 0",
			      o->c);
	if (!rc)
		rc = check_least("l1", o->l1, 0);
	if (!rc)
		rc = check_least("l2", o->l2, 0);
	if (!rc)
		rc = check_least("rate", o->rate, 0);
	if (!rc)
		rc = check_least("epochs", o->epochs, 0);
	if (!rc)
		rc = check_least("tolerance", o->tolerance, 0);
	if (!rc)
		rc = check_least("n_fetch", o->n_fetch, 1);
	if (!rc)
		rc = check_least("n_push", o->n_push, 1);
	if (!rc)
		rc = check_range("model", o->model, LAGOON_SSP, LAGOON_VAP);
	if (!rc)
		rc = check_least("staleness", o->staleness, 0);
	if (!rc)
		rc = check_least("sample", o->sample, 0);
	if (!rc)
		rc = check_least("change", o->change, 0);
	if (!rc)
		rc = check_range("format", o->format, -1, LAGOON_FILE_MATRIX);
	return rc;
}

static bool is_able(const struct lgn_linear_method *m,
		    const struct lagoon_linear_options *o)
{
	return m->losses & 1u << o->loss && m->models & 1u << o->model &&
		(m->l1 || !(o->l1 > 0)) && (!m->l2_only || o->l2 > 0) &&
		(m->streams || !o->stream);
}

/* The fastest to a minimum first. */
static int choose_method(const struct lagoon_linear_options *o)
{
	static const int order[] = {
		LAGOON_LINEAR_LBFGS, LAGOON_LINEAR_SDCA, LAGOON_LINEAR_PROXIMAL,
	};

	for (size_t i = 0; i < LGN_COUNT(order); i++)
		if (is_able(linear_method(order[i]), o))
			return order[i];
	return LAGOON_LINEAR_ADAGRAD;
}

/* What the method can. */
static int check_method(struct lgn_linear_fit *fit)
{
	static const char *const losses[] = {
		[LAGOON_LINEAR_LOGISTIC] = "logistic",
		[LAGOON_LINEAR_HINGE] = "hinge",
		[LAGOON_LINEAR_SQUARED_HINGE] = "squared hinge",
		[LAGOON_LINEAR_SOFTMAX] = "softmax",
	};
	static const char *const models[] = {
		[LAGOON_SSP] = "ssp", [LAGOON_BSP] = "bsp",
		[LAGOON_ASP] = "asp", [LAGOON_ESSP] = "essp",
		[LAGOON_PSP] = "psp", [LAGOON_VAP] = "vap",
	};
	struct lagoon_linear_options *o = &fit->options;
	const struct lgn_linear_method *m;

	if (o->method == LAGOON_LINEAR_AUTO)
		o->method = choose_method(o);
	m = linear_method(o->method);
	if (!m)
		return LAGOON_EINVAL;
	fit->result->method = o->method;
	fit->method = m;
	if (!(m->losses & 1u << o->loss))
		return lgn_fail(LAGOON_ENOTSUP, "%s: it cannot do %s loss",
				m->name, losses[o->loss]);
	if (!(m->models & 1u << o->model))
		return lgn_fail(LAGOON_ENOTSUP, "%s: it cannot work under %s",
				m->name, models[o->model]);
	if (o->l1 > 0 && !m->l1)
		return lgn_fail(LAGOON_ENOTSUP, "%s: l1 is %g: it can do 0 only",
				m->name, o->l1);
	if (!(o->l2 > 0) && m->l2_only)
		return lgn_fail(LAGOON_ENOTSUP, "%s: l2 is 0: it needs more",
				m->name);
	if (o->stream && !m->streams)
		return lgn_fail(LAGOON_ENOTSUP, "%s: it needs the rows in "
				"memory: it cannot stream them", m->name);
	if (!fit->options.epochs)
		fit->options.epochs = m->epochs;
	/* The caller's weights have room for as many labels. */
	if (fit->data && o->loss == LAGOON_LINEAR_SOFTMAX)
		return check_range("classes", fit->data->classes, 2,
				   LAGOON_LINEAR_LABELS);
	return 0;
}

/* -------------------------------------------------------------- tables */

/* As many fraction bits as leave numbers of this size a wide margin. */
static int frac_bits(double largest)
{
	int bits = 56 - (int)ceil(log2(largest));

	return bits < 0 ? 0 : bits > 52 ? 52 : bits;
}

static struct lagoon_table_attr attr_of(const struct lgn_linear_fit *fit)
{
	const struct lagoon_linear_options *o = &fit->options;
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = fit->facts.data.cols;
	attr.cols = fit->outputs;
	attr.change = o->change;
	lgn_options_consistency(o->model, o->staleness, o->sample, &attr);
	return attr;
}

int lgn_linear_table(struct lgn_linear_fit *fit, const char *name,
		     double largest, struct lagoon_table **t)
{
	return lgn_linear_table_of(fit, name, fit->facts.data.cols, largest, t);
}

int lgn_linear_table_of(struct lgn_linear_fit *fit, const char *name,
			uint64_t rows, double largest, struct lagoon_table **t)
{
	struct lagoon_table_attr attr = attr_of(fit);

	attr.rows = rows;
	attr.frac_bits = frac_bits(largest);
	return lagoon_table_create(fit->lg, name, &attr, t);
}

int lgn_linear_plain(struct lgn_linear_fit *fit, const char *name, uint64_t rows,
		     struct lagoon_table **t)
{
	struct lagoon_table_attr attr = attr_of(fit);

	attr.rows = rows;
	attr.format = LAGOON_FLOAT64;
	attr.push = LAGOON_PUSH_APPLY;
	attr.update = "assign";
	if (attr.model == LAGOON_VAP)	/* it has no such tables */
		attr.model = LAGOON_ASP;
	return lagoon_table_create(fit->lg, name, &attr, t);
}

static int create_tables(struct lgn_linear_fit *fit)
{
	int rc = lgn_linear_table(fit, "linear weights", fit->largest,
				  &fit->weights);

	if (!rc)
		rc = lgn_share_create(fit->lg, "linear tidings",
				      sizeof(struct lgn_linear_tidings),
				      fit->options.model, &fit->tidings);
	if (!rc && fit->method->create)
		rc = fit->method->create(fit);
	return rc;
}

static void destroy_tables(struct lgn_linear_fit *fit)
{
	if (fit->method->destroy)
		fit->method->destroy(fit);
	if (fit->per_row)
		lagoon_table_destroy(fit->per_row);
	if (fit->weights)
		lagoon_table_destroy(fit->weights);
	lgn_share_destroy(&fit->tidings);
}

/* --------------------------------------------------------------- calls */

static uint64_t blocks_of(const struct lgn_linear_fit *fit)
{
	uint64_t most = fit->facts.data.most_rows;
	uint64_t batch = fit->options.batch;
	uint64_t blocks = (uint64_t)fit->method->blocks;

	if (batch)
		return (most + batch - 1) / batch;
	return most < blocks ? most : blocks;
}

/* At a minimum the penalties are below the losses of zero weights: log(k) or 1 a
 * row. Without any there is no bound. */
static double largest_weight(const struct lgn_linear_fit *fit)
{
	const struct lagoon_linear_options *o = &fit->options;
	double value = o->c * (double)fit->facts.data.rows *
		fmax(1, log((double)fit->facts.classes));
	double bound = 1 << 20;

	if (o->l1 > 0)
		bound = value / o->l1;
	if (o->l2 > 0)
		bound = fmin(o->l1 > 0 ? bound : INFINITY,
			     sqrt(2 * value / o->l2));
	return fmax(1, MARGIN * bound);
}

static int derive(struct lgn_linear_fit *fit)
{
	const struct lgn_linear_facts *f = &fit->facts;
	struct lagoon_linear_result *r = fit->result;

	fit->outputs = fit->options.loss == LAGOON_LINEAR_SOFTMAX ?
		(uint32_t)f->classes : 1;
	fit->blocks = blocks_of(fit);
	fit->largest = largest_weight(fit);
	r->rows = f->data.rows;
	r->entries = f->data.entries;
	r->features = f->data.cols;
	r->test_rows = f->test.rows;
	r->outputs = (int)fit->outputs;
	r->classes = f->classes;
	r->labels = malloc((size_t)f->classes * sizeof(*r->labels));
	if (fit->path && !lagoon_rank(fit->lg))
		r->weights = malloc(f->data.cols * fit->outputs *
				    sizeof(*r->weights));
	if (!r->labels || (fit->path && !lagoon_rank(fit->lg) && !r->weights))
		return lgn_fail(LAGOON_ENOMEM, "no memory for weights of %llu "
				"columns", (unsigned long long)f->data.cols);
	memcpy(r->labels, f->label, (size_t)f->classes * sizeof(*r->labels));
	if (r->weights)
		fit->out = r->weights;
	return 0;
}

static int load(struct lgn_linear_fit *fit)
{
	int rc = lgn_share_run(fit->lg, "linear load",
			       sizeof(struct lgn_linear_facts), lgn_linear_load, fit,
			       &fit->tidings);

	fit->result->read_seconds = lgn_seconds_since(fit->start_ns);
	return rc;
}

static int train(struct lgn_linear_fit *fit)
{
	int late = derive(fit), refused = 0;
	int rc = lgn_given_check(fit->options.table, fit->facts.data.cols,
				 fit->outputs);

	if (!rc)
		rc = create_tables(fit);
	if (!rc)
		rc = refused = lgn_linear_restore(fit);
	if (!rc)
		rc = lagoon_run(fit->lg, lgn_linear_train, fit);
	destroy_tables(fit);
	if (refused)
		lgn_linear_forget(fit);
	return rc ? rc : late;
}

static int fit_open(struct lgn_linear_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	fit->workers = lagoon_workers(fit->lg);
	fit->first_worker = lgn_share_first_worker(fit->lg);
	fit->loaded = calloc((size_t)local + 1, sizeof(*fit->loaded));
	if (fit->loaded)
		return 0;
	return lgn_fail(LAGOON_ENOMEM, "no memory for %d workers", local);
}

static void fit_close(struct lgn_linear_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	for (int i = 0; i < local && fit->loaded; i++) {
		lgn_libsvm_free(&fit->loaded[i].data);
		lgn_libsvm_free(&fit->loaded[i].test);
	}
	free(fit->loaded);
	free(fit->saved);
}

/* fit: what to fit; the rest is set here. */
static int call(struct lgn_linear_fit *fit,
		const struct lagoon_linear_options *options,
		struct lagoon_linear_result *result)
{
	struct lagoon_linear_result found = {
		.size = result->size, .gap = -1, .test_accuracy = -1,
	};
	struct lgn_saving saving;
	int rc;

	fit->result = &found;
	fit->start_ns = lgn_now_ns();
	lagoon_linear_options_init(&fit->options);
	if (options)
		fit->options = *options;
	saving = lgn_linear_saving(fit);
	rc = check_options(&fit->options);
	if (!rc)
		rc = lgn_saving_check(&saving);
	if (!rc)
		rc = check_method(fit);
	if (!rc && fit->path)
		rc = lgn_linear_check_files(fit);
	if (!rc)
		rc = fit_open(fit);
	if (!rc)
		rc = load(fit);
	if (!rc)
		rc = train(fit);
	fit_close(fit);
	found.seconds = lgn_seconds_since(fit->start_ns);
	if (rc)
		lagoon_linear_result_free(&found);
	else
		*result = found;
	return rc;
}

LGN_EXPORT int
lagoon_linear_fit(struct lagoon *lg, const struct lagoon_linear_data *data,
		  const struct lagoon_linear_options *options, double *weights,
		  struct lagoon_linear_result *result)
{
	struct lgn_linear_fit fit = { .lg = lg, .data = data, .out = weights };

	return call(&fit, options, result);
}

LGN_EXPORT int
lagoon_linear_fit_file(struct lagoon *lg, const char *data, const char *test,
		       const struct lagoon_linear_options *options,
		       struct lagoon_linear_result *result)
{
	struct lgn_linear_fit fit = { .lg = lg, .path = data, .test = test };

	return call(&fit, options, result);
}

static int fit_loss(struct lagoon *lg, const struct lagoon_linear_data *data,
		    const struct lagoon_linear_options *options, int loss,
		    double *weights, struct lagoon_linear_result *result)
{
	struct lagoon_linear_options o;

	lagoon_linear_options_init(&o);
	if (options)
		o = *options;
	o.loss = loss;
	return lagoon_linear_fit(lg, data, &o, weights, result);
}

LGN_EXPORT int
lagoon_logistic_fit(struct lagoon *lg, const struct lagoon_linear_data *data,
		    const struct lagoon_linear_options *options,
		    double *weights, struct lagoon_linear_result *result)
{
	return fit_loss(lg, data, options, LAGOON_LINEAR_LOGISTIC, weights,
			result);
}

LGN_EXPORT int
lagoon_softmax_fit(struct lagoon *lg, const struct lagoon_linear_data *data,
		   const struct lagoon_linear_options *options,
		   double *weights, struct lagoon_linear_result *result)
{
	return fit_loss(lg, data, options, LAGOON_LINEAR_SOFTMAX, weights,
			result);
}

LGN_EXPORT int
lagoon_svm_fit(struct lagoon *lg, const struct lagoon_linear_data *data,
	       const struct lagoon_linear_options *options, double *weights,
	       struct lagoon_linear_result *result)
{
	int loss = options ? options->loss : LAGOON_LINEAR_HINGE;

	if (loss != LAGOON_LINEAR_HINGE && loss != LAGOON_LINEAR_SQUARED_HINGE)
		return lgn_fail(LAGOON_EINVAL, "svm: loss %d: expected hinge or "
				"squared hinge", loss);
	return fit_loss(lg, data, options, loss, weights, result);
}

LGN_EXPORT void lagoon_linear_result_free(struct lagoon_linear_result *result)
{
	free(result->labels);
	free(result->weights);
	result->labels = NULL;
	result->weights = NULL;
}
