/* SPDX-License-Identifier: BSD-3-Clause */
/* `lagoon predict`: what a model says to the rows of a file. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "tools/args.h"
#include "tools/tools.h"

struct predict {
	const char *model;
	const char *data;
	const char *output;
	struct lagoon_predict_options options;
};

enum {
	KEY_MODEL = 256, KEY_DATA, KEY_TARGET, KEY_FORMAT, KEY_ZERO_BASED,
	KEY_PROBABILITIES,
};

static const struct argp_option table[] = {
	{ "model", KEY_MODEL, "FILE", 0, "The model that lagoon train wrote", 0 },
	{ "data", KEY_DATA, "FILE", 0, "Rows, plain or by gzip", 0 },
	{ "target", KEY_TARGET, "FILE", 0,
	  "Labels or targets of MatrixMarket rows, a matrix of one column", 0 },
	{ "format", KEY_FORMAT, "libsvm|csv|matrix", 0,
	  "Of the data [by the name, else libsvm]", 0 },
	{ "zero-based", KEY_ZERO_BASED, NULL, 0,
	  "libsvm: column indices start at 0, not 1", 0 },
	{ "output", 'o', "FILE", 0,
	  "Write the label or value of each row there, one a line", 1 },
	{ "probabilities", KEY_PROBABILITIES, NULL, 0,
	  "And behind it the probability of each label; logistic and softmax", 1 },
	{ 0 }
};

static void check_end(struct argp_state *state, const struct predict *t)
{
	if (!t->model)
		argp_failure(state, 2, 0, "no --model FILE");
	if (!t->data)
		argp_failure(state, 2, 0, "no --data FILE");
	if (t->options.probabilities && !t->output)
		argp_failure(state, 2, 0, "--probabilities without --output FILE");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct predict *t = state->input;

	switch (key) {
	case KEY_MODEL: t->model = arg; break;
	case KEY_DATA: t->data = arg; break;
	case KEY_TARGET: t->options.target = arg; break;
	case KEY_FORMAT: t->options.format = args_format(state, arg); break;
	case KEY_ZERO_BASED: t->options.zero_based = 1; break;
	case 'o': t->output = arg; break;
	case KEY_PROBABILITIES: t->options.probabilities = 1; break;
	case ARGP_KEY_ARG:
		argp_failure(state, 2, 0, "\"%s\": expected an option", arg);
		break;
	case ARGP_KEY_END:
		check_end(state, t);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp parser = {
	.options = table, .parser = parse,
	.doc = "Apply a model of any solver to the rows of a file, and tell how "
	       "well it fits where labels or targets are there."
	       "\v"
	       "Features that the model does not have are ignored and counted. "
	       "The exit status is 0; 2 for wrong usage, model or data; 1 if the "
	       "run failed.",
};

/* ------------------------------------------------------------- summary */

static void print_summary(const struct lagoon_predict_result *r)
{
	printf("data           %llu rows\n", (unsigned long long)r->rows);
	if (r->ignored)
		printf("ignored        %llu entries of features that the model does not have\n",
		       (unsigned long long)r->ignored);
	if (r->unknown)
		printf("unknown        %llu rows have a label that the model does not have\n",
		       (unsigned long long)r->unknown);
	if (r->accuracy >= 0)
		printf("accuracy       %.4f %% (%llu of %llu)\n",
		       100 * r->accuracy, (unsigned long long)r->correct,
		       (unsigned long long)r->rows);
	if (r->log_loss >= 0)
		printf("log loss       %.10g\n", r->log_loss);
	if (r->mse >= 0)
		printf("mse            %.10g\n", r->mse);
	printf("seconds        %.3f\n", r->seconds);
}

static int fail(int rc)
{
	fprintf(stderr, "lagoon predict: %s\n", lagoon_errmsg());
	return rc == LAGOON_EINVAL || rc == LAGOON_ENOENT ||
		rc == LAGOON_ECORRUPT ? 2 : 1;
}

static int flush(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	fprintf(stderr, "lagoon predict: stdout: %s\n", strerror(errno));
	return 1;
}

/* -------------------------------------------------------------- clusters */

/* Does the file begin with this, as models of some solver do? */
static bool begins_with(const char *path, const char *magic)
{
	char text[32] = "";
	FILE *f = fopen(path, "re");
	bool yes;

	if (!f)
		return false;
	yes = fgets(text, sizeof(text), f) &&
		!strncmp(text, magic, strlen(magic));
	fclose(f);
	return yes;
}

static int say_unfit(const char *option, const char *solver)
{
	fprintf(stderr, "lagoon predict: %s with a model of %s\n", option,
		solver);
	return 2;
}

static int predict_clusters(const struct predict *t)
{
	struct lagoon_kmeans_model model = { .size = sizeof(model) };
	struct lagoon_kmeans_options o;
	uint64_t rows = 0;
	double sse = 0;
	int rc;

	if (t->options.target)
		return say_unfit("--target", "kmeans");
	if (t->options.probabilities)
		return say_unfit("--probabilities", "kmeans");
	if (t->options.format == LAGOON_FILE_MATRIX)
		return say_unfit("--format matrix", "kmeans");
	lagoon_kmeans_options_init(&o);
	o.zero_based = t->options.zero_based;
	if (t->options.format >= 0)
		o.format = t->options.format == LAGOON_FILE_LIBSVM ?
			LAGOON_KMEANS_LIBSVM : LAGOON_KMEANS_DENSE;
	rc = lagoon_kmeans_model_load(t->model, &model);
	if (!rc)
		rc = lagoon_kmeans_assign_file(&model, t->data, t->output, &o,
					       &rows, &sse);
	lagoon_kmeans_model_free(&model);
	if (rc)
		return fail(rc);
	printf("data           %llu rows\nsse            %.12g\n",
	       (unsigned long long)rows, sse);
	return flush();
}

/* --------------------------------------------------------------- ratings */

static int predict_ratings(const struct predict *t)
{
	struct lagoon_mf_model model = { .size = sizeof(model) };
	struct lagoon_mf_score score = { .size = sizeof(score) };
	int rc;

	if (t->options.target)
		return say_unfit("--target", "mf");
	if (t->options.probabilities)
		return say_unfit("--probabilities", "mf");
	if (t->options.format >= 0)
		return say_unfit("--format", "mf");
	if (t->options.zero_based)
		return say_unfit("--zero-based", "mf");
	rc = lagoon_mf_model_load(t->model, &model);
	if (rc)
		return fail(rc);
	rc = lagoon_mf_predict_file(&model, t->data, t->output, &score);
	lagoon_mf_model_free(&model);
	if (rc)
		return fail(rc);
	printf("data           %llu ratings\n",
	       (unsigned long long)score.ratings);
	if (score.unknown)
		printf("unknown        %llu of a user or item that the model does not have\n",
		       (unsigned long long)score.unknown);
	printf("rmse           %.10g\nmae            %.10g\n", score.rmse,
	       score.mae);
	return flush();
}

int tool_predict(int argc, char **argv)
{
	struct predict t = { 0 };
	struct lagoon_model_file model = { .size = sizeof(model) };
	struct lagoon_predict_result result = { .size = sizeof(result) };
	int rc;

	lagoon_predict_options_init(&t.options);
	if (argp_parse(&parser, argc, argv, 0, NULL, &t))
		return 2;
	if (begins_with(t.model, "lagoon-kmeans "))
		return predict_clusters(&t);
	if (begins_with(t.model, "lagoon-mf "))
		return predict_ratings(&t);
	rc = lagoon_model_load(t.model, &model);
	if (rc)
		return fail(rc);
	rc = lagoon_predict_file(&model, t.data, t.output, &t.options, &result);
	lagoon_model_free(&model);
	if (rc)
		return fail(rc);
	print_summary(&result);
	return flush();
}
