/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train svd`. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/attr.h"
#include "tools/args.h"
#include "tools/train.h"

#define MOST (1 << 20)

struct svd {
	struct train_job job;
	const char *left, *right;
	struct lagoon_svd_options fit;
};

enum {
	KEY_DATA = 256, KEY_FORMAT, KEY_K, KEY_METHOD, KEY_TOLERANCE, KEY_BASIS,
	KEY_RESTARTS, KEY_OVERSAMPLE, KEY_POWER, KEY_LEFT, KEY_RIGHT,
};

static const struct argp_option table[] = {
	{ "data", KEY_DATA, "FILE", 0, "The matrix, plain or by gzip", 0 },
	{ "format", KEY_FORMAT, "csv|matrix", 0,
	  "Of the data [csv by the name, else matrix: MatrixMarket]", 0 },
	{ "k", KEY_K, "N", 0, "How many singular values, the largest [10]", 1 },
	{ "left", KEY_LEFT, "FILE", 0,
	  "Write the left vectors there, as a MatrixMarket array", 1 },
	{ "right", KEY_RIGHT, "FILE", 0, "Write the right vectors there", 1 },
	{ "method", KEY_METHOD, "lanczos|randomised", 0,
	  "Lanczos bidiagonalisation, or random projection with power iterations [lanczos]", 2 },
	{ "tolerance", KEY_TOLERANCE, "X", 0,
	  "End when |A'u - s v|, or the change of a value, is at most this share of the largest value [1e-10; randomised 1e-6]", 2 },
	{ "basis", KEY_BASIS, "N", 0,
	  "lanczos: vectors on each side before a restart [2 k + 40]", 2 },
	{ "restarts", KEY_RESTARTS, "N", 0, "lanczos: at most this many [1000]", 2 },
	{ "oversample", KEY_OVERSAMPLE, "N", 0,
	  "randomised: vectors beyond k [20]", 2 },
	{ "power", KEY_POWER, "N", 0,
	  "randomised: at most this many power iterations [100]", 2 },
	{ 0 }
};

static int method(struct argp_state *state, const char *text)
{
	static const char *const names[] = {
		[LAGOON_SVD_LANCZOS] = "lanczos",
		[LAGOON_SVD_RANDOMISED] = "randomised",
	};

	return args_choice(state, "--method", text, names, (int)LGN_COUNT(names),
			   "lanczos or randomised");
}

static int format(struct argp_state *state, const char *text)
{
	static const char *const names[] = { "csv", "matrix" };

	return args_choice(state, "--format", text, names, (int)LGN_COUNT(names),
			   "csv or matrix") ? LAGOON_FILE_MATRIX :
		LAGOON_FILE_CSV;
}

static void check_end(struct argp_state *state, struct svd *t)
{
	train_job_parse(&t->job, ARGP_KEY_END, NULL, state);
	if (t->job.consistency != LAGOON_SSP && t->job.consistency != LAGOON_BSP)
		argp_failure(state, 2, 0, "--consistency with svd: expected bsp, which it follows");
}

/* Of the data and the outputs. */
static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
	struct svd *t = state->input;

	switch (key) {
	case KEY_DATA: t->job.data = arg; break;
	case KEY_FORMAT: t->fit.format = format(state, arg); break;
	case KEY_LEFT: t->left = arg; break;
	case KEY_RIGHT: t->right = arg; break;
	case ARGP_KEY_END:
		check_end(state, t);
		break;
	default:
		return train_job_parse(&t->job, key, arg, state);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct svd *t = state->input;
	struct lagoon_svd_options *o = &t->fit;

	switch (key) {
	case KEY_K: o->k = args_int(state, "--k", arg, 1, MOST); break;
	case KEY_METHOD: o->method = method(state, arg); break;
	case KEY_TOLERANCE:
		o->tolerance = args_number(state, "--tolerance", arg, 1);
		break;
	case KEY_BASIS:
		o->basis = args_int(state, "--basis", arg, 1, MOST);
		break;
	case KEY_RESTARTS:
		o->restarts = args_int(state, "--restarts", arg, 0, INT_MAX);
		break;
	case KEY_OVERSAMPLE:
		o->oversample = args_int(state, "--oversample", arg, 0, MOST);
		break;
	case KEY_POWER:
		o->power = args_int(state, "--power", arg, 0, INT_MAX);
		break;
	default:
		return parse_rest(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .children = train_children,
	.args_doc = "svd",
	.doc = "Find the largest singular values of a matrix, and their vectors."
	       "\v"
	       "The model is the singular values, a MatrixMarket array of one "
	       "column. The sums of this solver are always whole, as under bsp. "
	       "Checkpoints are made between passes. The exit status is 0; 2 for "
	       "wrong usage, data or checkpoint; 1 if the run failed; 75 if a "
	       "signal ended it after a checkpoint, without a model: start it "
	       "again with --resume.",
};

/* -------------------------------------------------------------- reports */

static int on_pass(void *arg, const struct lagoon_svd_pass *p)
{
	struct train_report *r = arg;

	train_progress(r, p->pass, p->residual, p->seconds,
		       "values %.6g to %.6g", p->largest, p->smallest);
	train_report_object(r, json_pack("{s:i, s:I, s:f, s:f, s:f, s:f}",
					 "pass", p->pass, "products",
					 (json_int_t)p->products,
					 "largest", p->largest,
					 "smallest", p->smallest,
					 "residual", p->residual,
					 "seconds", p->seconds));
	return 0;
}

static int save(const struct svd *t, const struct lagoon_svd_result *r)
{
	uint64_t k = (uint64_t)r->k;
	int rc = 0;

	if (t->left)
		rc = lagoon_svd_save(t->left, r->rows, k, r->left);
	if (!rc && t->right)
		rc = lagoon_svd_save(t->right, r->cols, k, r->right);
	if (!rc && t->job.model)
		rc = lagoon_svd_save(t->job.model, k, 1, r->values);
	return rc;
}

static void last_object(struct svd *t, const struct lagoon_svd_result *r)
{
	json_t *values = json_array();

	for (int i = 0; i < r->k; i++)
		json_array_append_new(values, json_real(r->values[i]));
	train_report_object(&t->job.report, json_pack(
		"{s:o, s:f, s:i, s:b, s:I, s:I, s:I, s:I, s:f, s:f}",
		"values", values, "residual", r->residual, "passes", r->passes,
		"converged", r->converged, "products", (json_int_t)r->products,
		"rows", (json_int_t)r->rows, "columns", (json_int_t)r->cols,
		"entries", (json_int_t)r->entries, "seconds", r->seconds,
		"fit_seconds", r->fit_seconds));
}

static int finish(struct svd *t, const struct lagoon_svd_result *r)
{
	int rc = save(t, r);

	if (rc)
		return train_fail(rc);
	printf("data           %llu rows, %llu columns, %llu entries\n",
	       (unsigned long long)r->rows, (unsigned long long)r->cols,
	       (unsigned long long)r->entries);
	printf("residual       %.3g after %d passes, %llu products (%s)\n",
	       r->residual, r->passes, (unsigned long long)r->products,
	       r->converged ? "converged" : "not converged");
	printf("seconds        %.3f, of it %.3f reading, %.3f computing\n",
	       r->seconds, r->read_seconds, r->fit_seconds);
	for (int i = 0; i < r->k; i++)
		printf("value %-8d %.15g\n", i + 1, r->values[i]);
	last_object(t, r);
	return 0;
}

/* ----------------------------------------------------------------- runs */

static int fit(void *arg, struct lagoon *lg)
{
	struct svd *t = arg;
	struct lagoon_svd_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = on_pass;
		t->fit.progress_arg = &t->job.report;
	}
	rc = lagoon_svd_fit_file(lg, t->job.data, &t->fit, &result);
	status = train_job_status(&t->job, rc, result.interrupted,
				  result.passes);
	if (!status && !lagoon_rank(lg))
		status = finish(t, &result);
	lagoon_svd_result_free(&result);
	return status;
}

int train_svd(int argc, char **argv)
{
	struct svd t = { 0 };
	int rc;

	lagoon_svd_options_init(&t.fit);
	if (train_job_read(&t.job, &parser, argc, argv, &t))
		return 2;
	t.fit.seed = t.job.seed;
	train_job_checkpoints(&t.job, &t.fit.checkpoint, &t.fit.every,
			      &t.fit.resume, &t.fit.interrupted);
	t.fit.vectors = (t.left ? LAGOON_SVD_LEFT : 0) |
		(t.right ? LAGOON_SVD_RIGHT : 0);
	rc = t.left ? lagoon_model_check_path(t.left) : 0;
	if (!rc && t.right)
		rc = lagoon_model_check_path(t.right);
	if (rc)
		return train_fail(rc);
	t.job.report.unit = "pass";
	t.job.report.measure = "residual";
	t.job.report.epochs = t.fit.method == LAGOON_SVD_LANCZOS ?
		t.fit.restarts + (t.fit.restarts < INT_MAX) :
		t.fit.power + (t.fit.power < INT_MAX);
	return train_job_run(&t.job, argc, argv, fit, &t);
}
