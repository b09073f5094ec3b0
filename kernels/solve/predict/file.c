/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a file, block by block, to lines of the output and sums. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/blocks.h"
#include "kernels/data/csv.h"
#include "kernels/data/libsvm.h"
#include "kernels/data/matrix.h"
#include "kernels/data/outfile.h"
#include "kernels/solve/load.h"
#include "kernels/solve/predict/predict.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

struct run {
	struct lgn_predictor p;
	struct lagoon_predict_options options;
	FILE *out;		/* or NULL */
	bool labelled;
	double *z;		/* [outputs] of a row */
	double *probabilities;	/* [classes] */
	double square;		/* sum of the squared errors */
	double loss;		/* sum over rows with a known label */
	struct lagoon_predict_result result;
};

LGN_EXPORT void lagoon_predict_options_init(
	struct lagoon_predict_options *options)
{
	*options = (struct lagoon_predict_options){
		.size = sizeof(*options),
		.format = -1,
	};
}

/* ------------------------------------------------------------- one row */

static void count_label(struct run *r, const double *z, double value,
			double label)
{
	const struct lgn_predictor *p = &r->p;
	uint64_t k = 0;

	while (k < p->classes && p->labels[k] != label)
		k++;
	r->result.unknown += k == p->classes;
	r->result.correct += value == label;
	if (p->probable && k < p->classes)
		r->loss += lgn_predictor_loss(p, z, k);
}

static void write_row(struct run *r, const double *z, double value)
{
	fprintf(r->out, "%.17g", value);
	if (r->options.probabilities) {
		lgn_predictor_probabilities(&r->p, z, r->probabilities);
		for (uint64_t k = 0; k < r->p.classes; k++)
			fprintf(r->out, " %.17g", r->probabilities[k]);
	}
	fputc('\n', r->out);
}

/* label counts when the rows are labelled. */
static void end_row(struct run *r, const double *z, double label)
{
	double value = lgn_predictor_value(&r->p, z);

	r->result.rows++;
	if (r->out)
		write_row(r, z, value);
	if (!r->labelled)
		return;
	if (r->p.classes)
		count_label(r, z, value, label);
	else
		r->square += (value - label) * (value - label);
}

static void add_entry(struct run *r, uint64_t col, double x, double *z)
{
	if (!lgn_predictor_add(&r->p, col, x, z))
		r->result.ignored++;
}

/* -------------------------------------------------------------- libsvm */

static int predict_libsvm(struct run *r, const struct lgn_text *block,
			  void *state)
{
	const struct lgn_libsvm_range range = {
		0, 1, r->options.zero_based, 1,
	};
	struct lgn_libsvm d;
	int rc = lgn_libsvm_parse(block, &range, &d);

	(void)state;
	if (rc)
		return rc;
	r->labelled = true;
	for (size_t i = 0; i < d.rows; i++) {
		lgn_predictor_begin(&r->p, r->z);
		for (size_t k = d.start[i]; k < d.start[i + 1]; k++)
			add_entry(r, d.col[k], d.val[k], r->z);
		end_row(r, r->z, d.label[i]);
	}
	lgn_libsvm_free(&d);
	return 0;
}

/* ----------------------------------------------------------------- csv */

struct csv_state {
	struct lgn_csv csv;
	struct lgn_entries e;
};

/* Is the last column one of labels? */
static int check_columns(struct run *r, const struct lgn_text *block,
			 const struct lgn_csv *csv)
{
	uint64_t features = r->p.model->features;

	r->labelled = csv->fields == features + 1;
	if (r->labelled || csv->fields == features)
		return 0;
	return lgn_text_fail(block, csv->header, "%llu columns: expected %llu, "
			     "the features of the model, or one more with the "
			     "labels or targets",
			     (unsigned long long)csv->fields,
			     (unsigned long long)features);
}

static int predict_csv(struct run *r, const struct lgn_text *block,
		       void *state)
{
	struct csv_state *s = state;
	struct lgn_entries *e = &s->e;
	bool first = !s->csv.fields;
	size_t k = 0;
	int rc;

	e->rows = e->n = e->n_targets = 0;
	rc = lgn_csv_block(&s->csv, block, e);
	if (first && s->csv.fields) {
		int wrong = check_columns(r, block, &s->csv);

		rc = wrong ? wrong : rc;
	}
	for (size_t i = 0; i < e->rows && !rc; i++) {
		lgn_predictor_begin(&r->p, r->z);
		for (; k < e->n && e->row[k] == i; k++)
			add_entry(r, e->col[k], e->val[k], r->z);
		if (!r->labelled)
			add_entry(r, e->cols, e->target[i], r->z);
		end_row(r, r->z, e->target[i]);
	}
	return rc;
}

/* -------------------------------------------------------- MatrixMarket */

struct matrix_state {
	struct lgn_matrix matrix;
	struct lgn_entries e;
	double *z;		/* [rows][outputs] */
};

static int begin_matrix(struct run *r, struct matrix_state *s)
{
	uint64_t rows = s->e.rows;

	s->z = calloc(rows * r->p.outputs, sizeof(*s->z));
	if (!s->z)
		return lgn_fail(LAGOON_ENOMEM, "no memory for the products of "
				"%llu rows", (unsigned long long)rows);
	for (uint64_t i = 0; i < rows; i++)
		lgn_predictor_begin(&r->p, s->z + i * r->p.outputs);
	return 0;
}

static int predict_matrix(struct run *r, const struct lgn_text *block,
			  void *state)
{
	struct matrix_state *s = state;
	struct lgn_entries *e = &s->e;
	int rc;

	e->n = 0;
	rc = lgn_matrix_block(&s->matrix, block, e);
	if (!rc && s->matrix.sized && !s->z)
		rc = begin_matrix(r, s);
	for (size_t k = 0; k < e->n && !rc; k++)
		add_entry(r, e->col[k], e->val[k],
			  s->z + e->row[k] * r->p.outputs);
	return rc;
}

static int take_target(struct run *r, const struct lgn_text *block, void *state)
{
	struct matrix_state *s = state;

	(void)r;
	return lgn_matrix_block(&s->matrix, block, &s->e);
}

/* --------------------------------------------------------------- files */

typedef int (*take_block)(struct run *r, const struct lgn_text *block, void *state);

static int each_block(struct run *r, const char *path, take_block take,
		      void *state)
{
	struct lgn_blocks b;
	int rc = lgn_blocks_open(path, 0, 1, LGN_BLOCK_BYTES, &b);

	while (!rc) {
		rc = lgn_blocks_next(&b);
		if (rc <= 0)
			break;
		rc = take(r, &b.text, state);
	}
	lgn_blocks_close(&b);
	return rc;
}

static int csv_file(struct run *r, const char *path)
{
	struct csv_state s = { .csv.fields = 0 };
	int rc = each_block(r, path, predict_csv, &s);

	lgn_entries_free(&s.e);
	return rc;
}

/* A row without an entry has the target 0, as where they are read to fit. */
static int end_matrix(struct run *r, struct matrix_state *s,
		      const struct matrix_state *t)
{
	double *label = calloc(s->e.rows, sizeof(*label));

	if (!label)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu targets",
				(unsigned long long)s->e.rows);
	for (size_t k = 0; k < t->e.n_targets; k++)
		label[t->e.target_row[k]] = t->e.target[k];
	for (uint64_t i = 0; i < s->e.rows; i++)
		end_row(r, s->z + i * r->p.outputs, label[i]);
	free(label);
	return 0;
}

static int matrix_target(struct run *r, const struct matrix_state *s,
			 struct matrix_state *t)
{
	const char *path = r->options.target;
	int rc;

	t->matrix.as_target = 1;
	if (!path)
		return 0;
	rc = each_block(r, path, take_target, t);
	if (!rc)
		rc = lgn_matrix_end(&t->matrix, path);
	if (!rc && t->e.rows != s->e.rows)
		rc = lgn_fail(LAGOON_EINVAL, "%s: %llu rows: expected %llu, as "
			      "the data has", path,
			      (unsigned long long)t->e.rows,
			      (unsigned long long)s->e.rows);
	r->labelled = !rc;
	return rc;
}

static int matrix_file(struct run *r, const char *path)
{
	struct matrix_state s = { .z = NULL }, t = { .z = NULL };
	int rc = each_block(r, path, predict_matrix, &s);

	if (!rc)
		rc = lgn_matrix_end(&s.matrix, path);
	if (!rc)
		rc = matrix_target(r, &s, &t);
	if (!rc)
		rc = end_matrix(r, &s, &t);
	free(s.z);
	lgn_entries_free(&s.e);
	lgn_entries_free(&t.e);
	return rc;
}

static int predict_format(struct run *r, const char *path)
{
	int format = r->options.format, rc;

	if (format < 0)
		format = lgn_format_of(path);
	if (r->options.target && format != LAGOON_FILE_MATRIX)
		return lgn_fail(LAGOON_EINVAL, "%s: a file of targets: expected "
				"data in MatrixMarket format",
				r->options.target);
	rc = format == LAGOON_FILE_CSV ? csv_file(r, path) :
		format == LAGOON_FILE_MATRIX ? matrix_file(r, path) :
		each_block(r, path, predict_libsvm, NULL);
	if (!rc && !r->result.rows)
		rc = lgn_fail(LAGOON_EINVAL, "%s: no rows", path);
	return rc;
}

/* ---------------------------------------------------------------- call */

static int check_options(const struct lagoon_predict_options *o)
{
	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	if (o->format < -1 || o->format > LAGOON_FILE_MATRIX)
		return lgn_fail(LAGOON_EINVAL, "format %d: expected -1 to %d",
				o->format, LAGOON_FILE_MATRIX);
	return 0;
}

static void set_means(struct run *r)
{
	struct lagoon_predict_result *f = &r->result;
	double rows = (double)f->rows;

	f->accuracy = f->log_loss = f->mse = -1;
	if (r->labelled && r->p.classes)
		f->accuracy = (double)f->correct / rows;
	if (r->labelled && r->p.probable && f->unknown < f->rows)
		f->log_loss = r->loss / (double)(f->rows - f->unknown);
	if (r->labelled && !r->p.classes)
		f->mse = r->square / rows;
}

static int run_file(struct run *r, const char *data, const char *output)
{
	struct lgn_outfile out = { .stream = NULL };
	int rc = output ? lgn_outfile_open(output, &out) : 0;

	if (rc)
		return rc;
	r->out = out.stream;
	if (r->out && r->options.probabilities) {
		fputs("labels", r->out);
		for (uint64_t k = 0; k < r->p.classes; k++)
			fprintf(r->out, " %.17g", r->p.labels[k]);
		fputc('\n', r->out);
	}
	rc = predict_format(r, data);
	if (!rc)
		return output ? lgn_outfile_commit(&out) : 0;
	if (output)
		lgn_outfile_abort(&out);
	return rc;
}

LGN_EXPORT int lagoon_predict_file(const struct lagoon_model_file *model,
				   const char *data, const char *output,
				   const struct lagoon_predict_options *options,
				   struct lagoon_predict_result *result)
{
	uint64_t start = lgn_now_ns();
	struct run r = { .result.size = result->size };
	int rc;

	lagoon_predict_options_init(&r.options);
	if (result->size < sizeof(*result))
		return lgn_fail(LAGOON_EINVAL, "result: size is not set");
	rc = options ? check_options(options) : 0;
	if (!rc && options)
		r.options = *options;
	if (!rc)
		rc = lgn_predictor_init(model, r.options.probabilities, &r.p);
	if (rc)
		return rc;
	r.z = malloc(r.p.outputs * sizeof(*r.z));
	r.probabilities = malloc((r.p.classes + 1) * sizeof(*r.probabilities));
	rc = r.z && r.probabilities ? run_file(&r, data, output) :
		lgn_fail(LAGOON_ENOMEM, "no memory for a row");
	free(r.z);
	free(r.probabilities);
	if (rc)
		return rc;
	set_means(&r);
	r.result.seconds = lgn_seconds_since(start);
	*result = r.result;
	return 0;
}
