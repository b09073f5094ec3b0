/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train mf`. */
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "runtime/base/attr.h"
#include "tools/args.h"
#include "tools/train.h"

struct mf {
	struct train_job job;
	const char *test;
	struct lagoon_mf_options fit;
};

enum {
	KEY_DATA = 256, KEY_TEST, KEY_METHOD, KEY_RANK, KEY_BIASES, KEY_LAMBDA,
	KEY_LAMBDA_BIAS, KEY_EPOCHS, KEY_RATE, KEY_DECAY, KEY_ROUNDS,
	KEY_MEASURE,
};

static const struct argp_option table[] = {
	{ "data", KEY_DATA, "FILE", 0,
	  "Ratings, \"user item rating\" a line, plain or by gzip", 0 },
	{ "test", KEY_TEST, "FILE", 0, "Ratings to measure the error of", 0 },
	{ "method", KEY_METHOD, "sgd|als|ccd++", 0,
	  "How factors are found [sgd]", 1 },
	{ "rank", KEY_RANK, "N", 0, "Factors [10]", 1 },
	{ "biases", KEY_BIASES, NULL, 0, "Of users and items, too", 1 },
	{ "lambda", KEY_LAMBDA, "X", 0,
	  "Penalty of factors, for each rating [0.1]", 1 },
	{ "lambda-bias", KEY_LAMBDA_BIAS, "X", 0, "Penalty of each bias [5]", 1 },
	{ "epochs", KEY_EPOCHS, "N", 0, "Passes over all ratings [30]", 2 },
	{ "rate", KEY_RATE, "X", 0, "sgd: length of steps [0.05]", 2 },
	{ "decay", KEY_DECAY, "X", 0,
	  "sgd: factor of the rate after each epoch [0.95]", 2 },
	{ "rounds", KEY_ROUNDS, "N", 0, "sgd: clocks of an epoch [some]", 2 },
	{ "measure", KEY_MEASURE, "N", 0,
	  "Epochs from one objective to the next [1]", 2 },
	{ 0 }
};

static int method(struct argp_state *state, const char *text)
{
	static const char *const names[] = {
		[LAGOON_MF_SGD] = "sgd", [LAGOON_MF_ALS] = "als",
		[LAGOON_MF_CCD] = "ccd++",
	};

	return args_choice(state, "--method", text, names, (int)LGN_COUNT(names),
			   "sgd, als or ccd++");
}

/* Of the data. */
static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
	struct mf *t = state->input;

	switch (key) {
	case KEY_DATA: t->job.data = arg; break;
	case KEY_TEST: t->test = arg; break;
	default:
		return train_job_parse(&t->job, key, arg, state);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct mf *t = state->input;
	struct lagoon_mf_options *o = &t->fit;

	switch (key) {
	case KEY_METHOD: o->method = method(state, arg); break;
	case KEY_RANK: o->rank = args_int(state, "--rank", arg, 1, 4096); break;
	case KEY_BIASES: o->biases = 1; break;
	case KEY_LAMBDA:
		o->lambda = args_number(state, "--lambda", arg, 1);
		break;
	case KEY_LAMBDA_BIAS:
		o->lambda_bias = args_number(state, "--lambda-bias", arg, 1);
		break;
	case KEY_EPOCHS:
		o->epochs = args_int(state, "--epochs", arg, 1, INT_MAX);
		break;
	case KEY_RATE: o->rate = args_number(state, "--rate", arg, 0); break;
	case KEY_DECAY: o->decay = args_number(state, "--decay", arg, 0); break;
	case KEY_ROUNDS:
		o->rounds = args_int(state, "--rounds", arg, 1, 65536);
		break;
	case KEY_MEASURE:
		o->measure = args_int(state, "--measure", arg, 1, INT_MAX);
		break;
	default:
		return parse_rest(key, arg, state);
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse, .children = train_children,
	.args_doc = "mf",
	.doc = "Find factors of users and items from ratings: rating = mean + "
	       "user . item, or with biases of both."
	       "\v"
	       "The exit status is 0; 2 for wrong usage, data or checkpoint; 1 if the "
	       "run failed; 75 if a signal ended it after a checkpoint, without a "
	       "model: start it again with --resume.",
};

/* -------------------------------------------------------------- reports */

static json_t *or_null(double rmse)
{
	return rmse < 0 ? json_null() : json_real(rmse);
}

static int on_epoch(void *arg, const struct lagoon_mf_epoch *e)
{
	struct train_report *r = arg;

	if (e->test_rmse < 0)
		train_progress(r, e->epoch, e->objective, e->seconds,
			       "rmse %.6f", e->rmse);
	else
		train_progress(r, e->epoch, e->objective, e->seconds,
			       "rmse %.6f  test %.6f", e->rmse, e->test_rmse);
	train_report_object(r, json_pack("{s:i, s:f, s:f, s:o, s:f}",
					 "epoch", e->epoch,
					 "objective", e->objective,
					 "rmse", e->rmse, "test_rmse",
					 or_null(e->test_rmse),
					 "seconds", e->seconds));
	return 0;
}

static int finish(struct mf *t, const struct lagoon_mf_result *r)
{
	int rc = t->job.model ? lagoon_mf_model_save(t->job.model, &r->model) : 0;

	if (rc)
		return train_fail(rc);
	printf("data           %llu ratings, users to %llu, items to %llu\n",
	       (unsigned long long)r->ratings,
	       (unsigned long long)r->users - 1,
	       (unsigned long long)r->items - 1);
	if (r->replaced)
		printf("replaced       %llu ratings, by later ones of the same user and item\n",
		       (unsigned long long)r->replaced);
	printf("objective      %.12g after %d epochs\n", r->objective,
	       r->epochs);
	printf("rmse           %.6f\n", r->rmse);
	if (r->test_rmse >= 0)
		printf("test rmse      %.6f of %llu ratings\n", r->test_rmse,
		       (unsigned long long)r->test_ratings);
	printf("seconds        %.3f, of it %.3f reading, %.3f in epochs: %.4g ratings/s\n",
	       r->seconds, r->read_seconds, r->fit_seconds,
	       (double)r->ratings * r->epochs / r->fit_seconds);
	train_report_object(&t->job.report, json_pack(
		"{s:f, s:f, s:o, s:i, s:I, s:I, s:I, s:I, s:f, s:f}",
		"objective", r->objective, "rmse", r->rmse,
		"test_rmse", or_null(r->test_rmse), "epochs", r->epochs,
		"ratings", (json_int_t)r->ratings,
		"replaced", (json_int_t)r->replaced,
		"users", (json_int_t)r->users, "items", (json_int_t)r->items,
		"seconds", r->seconds, "fit_seconds", r->fit_seconds));
	return 0;
}

/* ----------------------------------------------------------------- runs */

static int fit(void *arg, struct lagoon *lg)
{
	struct mf *t = arg;
	struct lagoon_mf_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = on_epoch;
		t->fit.progress_arg = &t->job.report;
	}
	rc = lagoon_mf_fit_file(lg, t->job.data, t->test, &t->fit, &result);
	status = train_job_status(&t->job, rc, result.interrupted, result.epochs);
	if (!status && !lagoon_rank(lg))
		status = finish(t, &result);
	lagoon_mf_result_free(&result);
	return status;
}

int train_mf(int argc, char **argv)
{
	struct mf t = { 0 };

	lagoon_mf_options_init(&t.fit);
	if (train_job_read(&t.job, &parser, argc, argv, &t))
		return 2;
	train_job_options(&t.job, &t.fit.model, &t.fit.staleness,
			  &t.fit.sample, &t.fit.seed);
	train_job_checkpoints(&t.job, &t.fit.checkpoint, &t.fit.every,
			      &t.fit.resume, &t.fit.interrupted);
	t.job.report.epochs = t.fit.epochs;
	return train_job_run(&t.job, argc, argv, fit, &t);
}
