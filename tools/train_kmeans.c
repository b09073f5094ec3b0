/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon train kmeans`. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/args.h"
#include "tools/train.h"

struct kmeans {
	struct train_job job;
	const char *assign;
	struct lagoon_kmeans_options fit;
};

enum {
	KEY_DATA = 256, KEY_FORMAT, KEY_ZERO_BASED, KEY_K, KEY_METHOD, KEY_INIT,
	KEY_CANDIDATES, KEY_RESTARTS, KEY_ROUNDS, KEY_TOLERANCE, KEY_BATCH,
	KEY_MEASURE, KEY_ASSIGN,
};

static const struct argp_option table[] = {
	{ "data", KEY_DATA, "FILE", 0, "Rows, plain or by gzip", 0 },
	{ "format", KEY_FORMAT, "dense|libsvm", 0,
	  "Numbers with commas or blanks between, or libsvm [that if the first line has a ':']", 0 },
	{ "zero-based", KEY_ZERO_BASED, NULL, 0,
	  "libsvm: column indices start at 0, not 1", 0 },
	{ "k", KEY_K, "K", 0, "Clusters [8]", 1 },
	{ "clusters", 0, NULL, OPTION_ALIAS, NULL, 1 },
	{ "method", KEY_METHOD, "lloyd|minibatch", 0,
	  "All rows each round, or some that are drawn [lloyd]", 2 },
	{ "init", KEY_INIT, "kmeans++|random", 0,
	  "How the first centroids are drawn [kmeans++]", 2 },
	{ "candidates", KEY_CANDIDATES, "N", 0,
	  "kmeans++: rows drawn for each centroid, the best is taken; 1: as published [2 + log K]", 2 },
	{ "restarts", KEY_RESTARTS, "N", 0, "Of which the best is kept [10]", 2 },
	{ "rounds", KEY_ROUNDS, "N", 0,
	  "Of each restart, at most [300; minibatch 100]", 2 },
	{ "iterations", 0, NULL, OPTION_ALIAS, NULL, 2 },
	{ "tolerance", KEY_TOLERANCE, "X", 0,
	  "lloyd: end a restart when the sum fell by at most this share [when no row moves]", 2 },
	{ "batch", KEY_BATCH, "N", 0,
	  "minibatch: rows that a worker draws in a round [1000]", 2 },
	{ "measure", KEY_MEASURE, "N", 0,
	  "Rounds from one sum of squares to the next [1; minibatch 10]", 2 },
	{ "assign", KEY_ASSIGN, "FILE", 0,
	  "Write the cluster of each row there, one a line, from 0 on", 3 },
	{ 0 }
};

static int choose(struct argp_state *state, int key, const char *text)
{
	static const char *const methods[] = {
		[LAGOON_KMEANS_LLOYD] = "lloyd",
		[LAGOON_KMEANS_MINIBATCH] = "minibatch",
	};
	static const char *const starts[] = {
		[LAGOON_KMEANS_PLUSPLUS] = "kmeans++",
		[LAGOON_KMEANS_RANDOM] = "random",
	};
	static const char *const formats[] = {
		[LAGOON_KMEANS_DENSE] = "dense",
		[LAGOON_KMEANS_LIBSVM] = "libsvm",
	};

	if (key == KEY_METHOD)
		return args_choice(state, "--method", text, methods, 2,
				   "lloyd or minibatch");
	if (key == KEY_INIT)
		return args_choice(state, "--init", text, starts, 2,
				   "kmeans++ or random");
	return args_choice(state, "--format", text, formats, 2,
			   "dense or libsvm");
}

/* Of the data and the outputs. */
static error_t parse_rest(int key, char *arg, struct argp_state *state)
{
	struct kmeans *t = state->input;

	switch (key) {
	case KEY_DATA: t->job.data = arg; break;
	case KEY_FORMAT: t->fit.format = choose(state, key, arg); break;
	case KEY_ZERO_BASED: t->fit.zero_based = 1; break;
	case KEY_ASSIGN: t->assign = arg; break;
	default:
		return train_job_parse(&t->job, key, arg, state);
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct kmeans *t = state->input;
	struct lagoon_kmeans_options *o = &t->fit;

	switch (key) {
	case KEY_K: o->clusters = args_int(state, "--k", arg, 1, 65536); break;
	case KEY_METHOD: o->method = choose(state, key, arg); break;
	case KEY_INIT: o->start = choose(state, key, arg); break;
	case KEY_CANDIDATES:
		o->candidates = args_int(state, "--candidates", arg, 1, 16);
		break;
	case KEY_RESTARTS:
		o->restarts = args_int(state, "--restarts", arg, 1, INT_MAX);
		break;
	case KEY_ROUNDS:
		o->rounds = args_int(state, "--rounds", arg, 1, INT_MAX);
		break;
	case KEY_TOLERANCE:
		o->tolerance = args_number(state, "--tolerance", arg, 1);
		break;
	case KEY_BATCH:
		o->batch = args_int(state, "--batch", arg, 1, 1 << 24);
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
	.args_doc = "kmeans",
	.doc = "Find K centroids for the rows of a file, with a small sum of the "
	       "squared distances of the rows to the nearest of them."
	       "\v"
	       "Checkpoints go by rounds of all restarts, and are made where the "
	       "sum is known, see --measure. The exit status is 0; 2 for wrong "
	       "usage, data or checkpoint; 1 if the run failed; 75 if a signal "
	       "ended it after a checkpoint, without a model: start it again with "
	       "--resume.",
};

/* -------------------------------------------------------------- reports */

static int on_round(void *arg, const struct lagoon_kmeans_round *r)
{
	struct kmeans *t = arg;
	struct train_report *report = &t->job.report;
	int round = (int)r->all_rounds;

	/* The bar is of restarts: how many rounds they take nobody knows. */
	report->epochs = (int)((double)round * t->fit.restarts / r->restart);
	if (t->fit.method == LAGOON_KMEANS_LLOYD)
		train_progress(report, round, r->sse, r->seconds,
			       "restart %d  moved %llu", r->restart,
			       (unsigned long long)r->moved);
	else
		train_progress(report, round, r->sse, r->seconds,
			       "restart %d", r->restart);
	train_report_object(report, json_pack(
		"{s:i, s:i, s:f, s:I, s:f}", "restart", r->restart,
		"round", r->round, "sse", r->sse,
		"moved", (json_int_t)r->moved, "seconds", r->seconds));
	return 0;
}

static int save(const struct kmeans *t, const struct lagoon_kmeans_result *r)
{
	const struct lagoon_kmeans_model model = {
		.size = sizeof(model),
		.clusters = r->clusters,
		.cols = r->cols,
		.sse = r->sse,
		.centroids = r->centroids,
		.counts = r->counts,
	};
	int rc = t->job.model ?
		lagoon_kmeans_model_save(t->job.model, &model) : 0;

	if (!rc && t->assign)
		rc = lagoon_kmeans_assign_file(&model, t->job.data, t->assign,
					       &t->fit, NULL, NULL);
	return rc;
}

static int finish(struct kmeans *t, const struct lagoon_kmeans_result *r)
{
	int rc = save(t, r);

	if (rc)
		return train_fail(rc);
	printf("data           %llu rows, %llu columns\n",
	       (unsigned long long)r->rows, (unsigned long long)r->cols);
	printf("sse            %.12g with %d clusters", r->sse, r->clusters);
	if (r->empty)
		printf(", %d of them empty", r->empty);
	printf("\nbest           restart %d, %d rounds (%s)\n", r->restart,
	       r->rounds, r->converged ? "converged" : "not converged");
	printf("seconds        %.3f, of it %.3f reading, %.3f in %llu rounds\n",
	       r->seconds, r->read_seconds, r->round_seconds,
	       (unsigned long long)r->all_rounds);
	train_report_object(&t->job.report, json_pack(
		"{s:f, s:i, s:i, s:i, s:i, s:b, s:I, s:I, s:I, s:f, s:f}",
		"sse", r->sse, "clusters", r->clusters, "empty", r->empty,
		"restart", r->restart, "rounds", r->rounds,
		"converged", r->converged, "rows", (json_int_t)r->rows,
		"columns", (json_int_t)r->cols,
		"all_rounds", (json_int_t)r->all_rounds,
		"seconds", r->seconds, "round_seconds", r->round_seconds));
	return 0;
}

/* ----------------------------------------------------------------- runs */

static int fit(void *arg, struct lagoon *lg)
{
	struct kmeans *t = arg;
	struct lagoon_kmeans_result result = { .size = sizeof(result) };
	int status, rc;

	if (!lagoon_rank(lg)) {
		t->fit.progress = on_round;
		t->fit.progress_arg = t;
	}
	rc = lagoon_kmeans_fit_file(lg, t->job.data, &t->fit, &result);
	status = train_job_status(&t->job, rc, result.interrupted,
				  (int)result.all_rounds);
	if (!status && !lagoon_rank(lg))
		status = finish(t, &result);
	lagoon_kmeans_result_free(&result);
	return status;
}

int train_kmeans(int argc, char **argv)
{
	struct kmeans t = { 0 };
	int rc;

	lagoon_kmeans_options_init(&t.fit);
	if (train_job_read(&t.job, &parser, argc, argv, &t))
		return 2;
	train_job_options(&t.job, &t.fit.model, &t.fit.staleness,
			  &t.fit.sample, &t.fit.seed);
	train_job_checkpoints(&t.job, &t.fit.checkpoint, &t.fit.every,
			      &t.fit.resume, &t.fit.interrupted);
	t.job.report.unit = "round";
	t.job.report.measure = "sum of squares";
	rc = t.assign ? lagoon_model_check_path(t.assign) : 0;
	return rc ? train_fail(rc) : train_job_run(&t.job, argc, argv, fit, &t);
}
