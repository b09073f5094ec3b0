/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame of a call: check the options; read and agree (first lagoon_run),
 * deal out (second), tables of the size that follows, find the values (third). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/text.h"
#include "kernels/solve/deal.h"
#include "kernels/solve/load.h"
#include "kernels/solve/options.h"
#include "kernels/solve/svd/svd.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define DENSE 0.5		/* share of the elements that are not 0 from
				 * which on the others are stored, too: an
				 * element then takes 8 bytes, else 12 */

#define ROW 256			/* elements in a row of a table, at most, and */
#define SHARES 8		/* rows for each worker, at least */

/* -------------------------------------------------------------- options */

LGN_EXPORT void lagoon_svd_options_init(struct lagoon_svd_options *options)
{
	*options = (struct lagoon_svd_options){
		.size = sizeof(*options),
		.k = 10,
		.method = LAGOON_SVD_LANCZOS,
		.tolerance = -1,
		.restarts = 1000,
		.oversample = 20,
		.power = 100,
		.seed = 1,
		.format = -1,
	};
}

static int check_options(const struct lagoon_svd_options *o)
{
	const struct lgn_option option[] = {
		{ "k", o->k, 1, 1 << 20 },
		{ "method", o->method, 0, LAGOON_SVD_RANDOMISED },
		{ "vectors", o->vectors, 0, LAGOON_SVD_BOTH },
		{ "basis", o->basis, 0, 1 << 20 },
		{ "restarts", o->restarts, 0, INT32_MAX },
		{ "oversample", o->oversample, 0, 1 << 20 },
		{ "power", o->power, 0, INT32_MAX },
	};
	const struct lgn_saving saving = { .checkpoint = o->checkpoint,
					   .every = o->every };
	int rc;

	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	rc = lgn_options_check(option, LGN_COUNT(option));
	if (rc)
		return rc;
	if (!(o->tolerance >= -1 && o->tolerance < 1))
		return lgn_fail(LAGOON_EINVAL, "tolerance %g: expected 0 to 1, "
				"or -1 for that of the method", o->tolerance);
	if (o->format != -1 && o->format != LAGOON_FILE_CSV &&
	    o->format != LAGOON_FILE_MATRIX)
		return lgn_fail(LAGOON_EINVAL, "format %d: expected csv or "
				"matrix", o->format);
	if (o->basis && o->basis < o->k + 2)
		return lgn_fail(LAGOON_EINVAL, "basis %d: expected %d or more, "
				"for k is %d", o->basis, o->k + 2, o->k);
	return lgn_saving_check(&saving);
}

/* What was left to the method and to the file's name. */
static int complete_options(struct lgn_svd_fit *fit)
{
	struct lagoon_svd_options *o = &fit->options;
	int gzip;

	if (o->tolerance < 0)
		o->tolerance = o->method == LAGOON_SVD_LANCZOS ? 1e-10 : 1e-6;
	if (!o->basis)
		o->basis = 2 * o->k + 40;
	if (!fit->path)
		return 0;
	if (o->format < 0)
		o->format = lgn_format_of(fit->path) == LAGOON_FILE_CSV ?
			LAGOON_FILE_CSV : LAGOON_FILE_MATRIX;
	gzip = lgn_text_is_gzip(fit->path);
	fit->one_reader = gzip > 0;
	return gzip < 0 ? gzip : 0;
}

/* --------------------------------------------------------------- tables */

int lgn_svd_create(struct lgn_svd_fit *fit, const char *name, uint64_t rows,
		   uint64_t cols, const char *update, struct lagoon_table **t)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = rows;
	attr.cols = (uint32_t)cols;
	attr.format = LAGOON_FLOAT64;
	attr.push = LAGOON_PUSH_APPLY;
	attr.update = update;
	attr.model = LAGOON_BSP;
	return lagoon_table_create(fit->lg, name, &attr, t);
}

/* Checkpoints have what all of these follow from. */
static void leave_out(const struct lgn_svd_fit *fit)
{
	struct lagoon_table *const tables[] = {
		fit->vectors, fit->sums, fit->small, fit->found,
		fit->tidings.table,
	};

	for (size_t i = 0; i < LGN_COUNT(tables); i++)
		if (tables[i])
			lagoon_table_set_saved(tables[i], 0);
}

static int create_tables(struct lgn_svd_fit *fit)
{
	bool block = fit->options.method == LAGOON_SVD_RANDOMISED;
	uint64_t cols = block ? fit->width : fit->row;
	uint64_t workers = (uint64_t)(fit->workers > 2 ? fit->workers : 2);
	int rc = lgn_svd_create(fit, "svd vectors", fit->table_rows, cols,
				"assign", &fit->vectors);

	if (!rc)
		rc = lgn_svd_create(fit, "svd sums", fit->table_rows, cols,
				    "add", &fit->sums);
	if (!rc)
		rc = lgn_svd_create(fit, "svd small", workers * fit->width + 1,
				    fit->width, "assign", &fit->small);
	if (!rc && fit->options.vectors)
		rc = lgn_svd_create(fit, "svd found", fit->lines + fit->length,
				    (uint64_t)fit->options.k, "assign",
				    &fit->found);
	if (!rc)
		rc = lgn_share_create(fit->lg, "svd tidings",
				      (fit->width + 2) * sizeof(double),
				      LAGOON_SSP, &fit->tidings);
	if (!rc)
		leave_out(fit);
	return rc;
}

static void destroy_tables(struct lgn_svd_fit *fit)
{
	struct lagoon_table *const tables[] = {
		fit->vectors, fit->sums, fit->small, fit->found, fit->saved,
	};

	for (size_t i = 0; i < LGN_COUNT(tables); i++)
		if (tables[i])
			lagoon_table_destroy(tables[i]);
	lgn_share_destroy(&fit->tidings);
}

/* ---------------------------------------------------------------- calls */

static int load(struct lgn_svd_fit *fit)
{
	int rc = lgn_share_run(fit->lg, "svd load", sizeof(struct lgn_svd_facts),
			       lgn_svd_load, fit, &fit->tidings);

	fit->result->read_seconds = lgn_seconds_since(fit->start_ns);
	return rc;
}

/* Entries that are read by rows stay with their reader, if these are the lines
 * of B. The table has the size of the matrix: it goes before the others come. */
static int deal(struct lgn_svd_fit *fit)
{
	struct lagoon_table_attr attr;
	int rc;

	if (fit->in_place)
		return 0;
	lagoon_table_attr_init(&attr);
	attr.rows = LGN_DEAL_WORDS(fit->facts.entries);
	attr.format = LAGOON_I64;
	rc = lagoon_table_create(fit->lg, "svd dealt", &attr, &fit->dealt);
	if (!rc)
		rc = lgn_share_create(fit->lg, "svd counts",
				      (size_t)fit->workers * sizeof(uint64_t),
				      LAGOON_SSP, &fit->counts);
	if (!rc)
		rc = lagoon_run(fit->lg, lgn_svd_deal, fit);
	if (fit->dealt)
		lagoon_table_destroy(fit->dealt);
	lgn_share_destroy(&fit->counts);
	return rc;
}

/* What follows from the shape. */
static void plan(struct lgn_svd_fit *fit)
{
	const struct lagoon_svd_options *o = &fit->options;
	const struct lgn_svd_facts *f = &fit->facts;
	uint64_t width = o->method == LAGOON_SVD_LANCZOS ? (uint64_t)o->basis :
		(uint64_t)o->k + (uint64_t)o->oversample;
	bool whole_rows = !fit->one_reader &&
		(!fit->path || o->format != LAGOON_FILE_MATRIX);

	fit->turned = f->rows < f->cols;
	fit->lines = fit->turned ? f->cols : f->rows;
	fit->length = fit->turned ? f->rows : f->cols;
	fit->width = width < fit->length ? width : fit->length;
	fit->row = 1;
	while (o->method == LAGOON_SVD_LANCZOS && fit->row < ROW &&
	       fit->length / (2 * fit->row) >= SHARES * (uint64_t)fit->workers)
		fit->row *= 2;
	fit->table_rows = (fit->length + fit->row - 1) / fit->row;
	fit->in_place = whole_rows && !fit->turned;
	fit->dense = (double)f->entries >=
		DENSE * (double)f->rows * (double)f->cols;
	frexp(f->largest, &fit->exponent);
}

static double *reserve(bool wanted, uint64_t k, uint64_t n, int *rc)
{
	double *p = wanted ? malloc(k * n * sizeof(*p)) : NULL;

	if (wanted && !p)
		*rc = lgn_fail(LAGOON_ENOMEM, "no memory for %llu vectors of "
			       "%llu elements", (unsigned long long)k,
			       (unsigned long long)n);
	return p;
}

/* Of a file what was found is rank 0's. */
static int make_result(struct lgn_svd_fit *fit)
{
	const struct lagoon_svd_options *o = &fit->options;
	struct lagoon_svd_result *r = fit->result;
	uint64_t k = (uint64_t)o->k;
	int rc = 0;

	r->k = o->k;
	r->rows = fit->facts.rows;
	r->cols = fit->facts.cols;
	r->entries = fit->facts.entries;
	if (!fit->path || lagoon_rank(fit->lg))
		return 0;
	fit->values = r->values = reserve(true, k, 1, &rc);
	fit->left = r->left = reserve(o->vectors & LAGOON_SVD_LEFT, k, r->rows,
				      &rc);
	fit->right = r->right = reserve(o->vectors & LAGOON_SVD_RIGHT, k,
					r->cols, &rc);
	return rc;
}

static int find(struct lgn_svd_fit *fit)
{
	int late = make_result(fit);
	int rc = lgn_svd_restore(fit);

	if (!rc)
		rc = create_tables(fit);
	if (!rc)
		rc = lagoon_run(fit->lg, lgn_svd_train, fit);
	destroy_tables(fit);
	return rc ? rc : late;
}

static int fit_open(struct lgn_svd_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

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

static void fit_close(struct lgn_svd_fit *fit)
{
	int local = lagoon_local_workers(fit->lg);

	for (int i = 0; i < local && fit->loaded; i++)
		lgn_entries_free(&fit->loaded[i]);
	free(fit->loaded);
	free(fit->first_row);
}

/* fit: what of; the rest is set here. */
static int call(struct lgn_svd_fit *fit,
		const struct lagoon_svd_options *options,
		struct lagoon_svd_result *result)
{
	struct lagoon_svd_result found = { .size = result->size };
	int rc;

	fit->result = &found;
	fit->start_ns = lgn_now_ns();
	lagoon_svd_options_init(&fit->options);
	if (options)
		fit->options = *options;
	rc = check_options(&fit->options);
	if (!rc)
		rc = complete_options(fit);
	if (rc)
		return rc;
	rc = fit_open(fit);
	if (!rc)
		rc = load(fit);
	if (!rc) {
		plan(fit);
		rc = deal(fit);
	}
	if (!rc)
		rc = find(fit);
	fit_close(fit);
	found.seconds = lgn_seconds_since(fit->start_ns);
	if (rc)
		lagoon_svd_result_free(&found);
	else
		*result = found;
	return rc;
}

LGN_EXPORT int lagoon_svd_fit(struct lagoon *lg,
			      const struct lagoon_svd_data *data,
			      const struct lagoon_svd_options *options,
			      double *values, double *left, double *right,
			      struct lagoon_svd_result *result)
{
	static const struct lagoon_svd_data none;
	int vectors = options ? options->vectors : 0;
	/* refused with the others, who wait, where all data is looked at */
	struct lgn_svd_fit fit = {
		.lg = lg, .data = data ? data : &none, .values = values,
		.left = vectors & LAGOON_SVD_LEFT ? left : NULL,
		.right = vectors & LAGOON_SVD_RIGHT ? right : NULL,
	};

	return call(&fit, options, result);
}

LGN_EXPORT int lagoon_svd_fit_file(struct lagoon *lg, const char *path,
				   const struct lagoon_svd_options *options,
				   struct lagoon_svd_result *result)
{
	struct lgn_svd_fit fit = { .lg = lg, .path = path };

	return call(&fit, options, result);
}

LGN_EXPORT void lagoon_svd_result_free(struct lagoon_svd_result *result)
{
	free(result->values);
	free(result->left);
	free(result->right);
	result->values = NULL;
	result->left = NULL;
	result->right = NULL;
}
