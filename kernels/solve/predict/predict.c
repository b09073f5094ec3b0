/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/model.h"
#include "kernels/solve/memory.h"
#include "kernels/solve/predict/predict.h"
#include "runtime/base/status.h"

/* ------------------------------------------------------------- one row */

static bool has_probabilities(const struct lagoon_model_file *m)
{
	const char *what = *m->loss ? m->loss : m->solver;

	return m->outputs > 1 ? !strcmp(what, "softmax") :
		!strcmp(what, "logistic");
}

int lgn_predictor_init(const struct lagoon_model_file *model,
		       bool probabilities, struct lgn_predictor *p)
{
	if (model->size < sizeof(*model) || (model->features && !model->weights))
		return lgn_fail(LAGOON_EINVAL, "model not initialised");
	*p = (struct lgn_predictor){
		.model = model,
		.outputs = model->outputs ? model->outputs : 1,
		.labels = model->outputs > 1 ? model->classes : model->labels,
		.probable = has_probabilities(model),
	};
	if (!lgn_model_is_regression(model))
		p->classes = p->outputs > 1 ? p->outputs : 2;
	if (p->outputs > 1 && !model->classes)
		return lgn_fail(LAGOON_EINVAL, "a model of %llu outputs "
				"without classes",
				(unsigned long long)p->outputs);
	if (probabilities && !p->probable)
		return lgn_fail(LAGOON_EINVAL, "a model of solver %s has no "
				"probabilities: expected logistic or softmax",
				model->solver);
	return 0;
}

void lgn_predictor_begin(const struct lgn_predictor *p, double *z)
{
	memset(z, 0, p->outputs * sizeof(*z));
	z[0] = p->model->intercept;
}

bool lgn_predictor_add(const struct lgn_predictor *p, uint64_t col, double x,
		       double *z)
{
	const double *w;

	if (col >= p->model->features)
		return false;
	w = p->model->weights + col * p->outputs;
	for (uint64_t k = 0; k < p->outputs; k++)
		z[k] += w[k] * x;
	return true;
}

static uint64_t largest(const double *z, uint64_t n)
{
	uint64_t best = 0;

	for (uint64_t k = 1; k < n; k++)
		if (z[k] > z[best])
			best = k;
	return best;
}

double lgn_predictor_value(const struct lgn_predictor *p, const double *z)
{
	if (!p->classes)
		return z[0];
	return p->labels[p->outputs > 1 ? largest(z, p->outputs) : z[0] > 0];
}

void lgn_predictor_probabilities(const struct lgn_predictor *p, const double *z,
				 double *probabilities)
{
	double most, sum = 0;

	if (p->outputs == 1) {
		probabilities[0] = -lagoon_logistic_slope(z[0]);
		probabilities[1] = -lagoon_logistic_slope(-z[0]);
		return;
	}
	most = z[largest(z, p->outputs)];
	for (uint64_t k = 0; k < p->outputs; k++)
		sum += probabilities[k] = exp(z[k] - most);
	for (uint64_t k = 0; k < p->outputs; k++)
		probabilities[k] /= sum;
}

double lgn_predictor_loss(const struct lgn_predictor *p, const double *z,
			  uint64_t k)
{
	double most, sum = 0;

	if (p->outputs == 1)
		return lagoon_logistic_loss(k ? z[0] : -z[0]);
	most = z[largest(z, p->outputs)];
	for (uint64_t i = 0; i < p->outputs; i++)
		sum += exp(z[i] - most);
	return log(sum) + most - z[k];
}

/* ------------------------------------------------------ rows in memory */

/* Rows that are looked at together. */
#define CHUNK 1024

struct outputs {
	double *values;
	double *products;
	double *probabilities;
};

static void predict_row(const struct lgn_predictor *p, const double *z,
			size_t i, const struct outputs *out)
{
	if (out->values)
		out->values[i] = lgn_predictor_value(p, z);
	if (out->products)
		memcpy(out->products + i * p->outputs, z,
		       p->outputs * sizeof(*z));
	if (out->probabilities)
		lgn_predictor_probabilities(p, z, out->probabilities +
					    i * p->classes);
}

/* The entries of a chunk stand row by row. */
static void predict_chunk(const struct lgn_predictor *p,
			  const struct lgn_entries *e, size_t first, double *z,
			  const struct outputs *out)
{
	size_t k = 0;

	for (size_t i = 0; i < e->rows; i++) {
		lgn_predictor_begin(p, z);
		for (; k < e->n && e->row[k] == i; k++)
			lgn_predictor_add(p, e->col[k], e->val[k], z);
		predict_row(p, z, first + i, out);
	}
}

static int predict_rows(const struct lgn_predictor *p,
			const struct lagoon_regression_data *data, double *z,
			const struct outputs *out)
{
	size_t rows = data->sparse ? data->sparse->rows : data->rows;
	int chunks = (int)(rows / CHUNK) + 1, rc = 0;
	struct lgn_entries e = { 0 };
	size_t first = 0;

	for (int i = 0; i < chunks && !rc; i++) {
		e.n = 0;
		rc = lgn_memory_take(data, NULL, i, chunks, &e);
		if (!rc)
			predict_chunk(p, &e, first, z, out);
		first += e.rows;
	}
	lgn_entries_free(&e);
	return rc;
}

LGN_EXPORT int lagoon_predict(const struct lagoon_model_file *model,
			      const struct lagoon_regression_data *data,
			      double *values, double *products,
			      double *probabilities)
{
	const struct outputs out = { values, products, probabilities };
	struct lgn_predictor p;
	double *z;
	int rc = lgn_predictor_init(model, probabilities != NULL, &p);

	if (rc)
		return rc;
	z = malloc(p.outputs * sizeof(*z));
	if (!z)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu products",
				(unsigned long long)p.outputs);
	rc = predict_rows(&p, data, z, &out);
	free(z);
	return rc;
}
