/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/model.h"
#include "kernels/data/outfile.h"
#include "runtime/base/status.h"

LGN_EXPORT int lagoon_model_check_path(const char *path)
{
	struct lgn_outfile out;
	int rc = lgn_outfile_open(path, &out);

	if (!rc)
		lgn_outfile_abort(&out);
	return rc;
}

bool lgn_model_is_word(const char *s)
{
	return *s && strlen(s) < LGN_MODEL_WORD && !strpbrk(s, " \t\r\n");
}

bool lgn_model_is_regression(const struct lagoon_model_file *m)
{
	return !strcmp(m->solver, "lasso") || !strcmp(m->solver, "ridge") ||
		!strcmp(m->solver, "elastic-net");
}

static uint64_t outputs_of(const struct lagoon_model_file *m)
{
	return m->outputs ? m->outputs : 1;
}

/* ------------------------------------------------------------- checks */

static int check_word(const char *what, const char *word, bool may_be_empty)
{
	if (lgn_model_is_word(word) || (may_be_empty && !*word))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s \"%.*s\": expected a word of at "
			"most %d letters", what, LGN_MODEL_WORD, word,
			LGN_MODEL_WORD - 1);
}

static int check_numbers(const char *what, const double *x, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return lgn_fail(LAGOON_EINVAL, "%s %llu of the model is "
					"%g: expected a finite number", what,
					(unsigned long long)i, x[i]);
	return 0;
}

/* What would be written and could not be read. */
static int check(const struct lagoon_model_file *m)
{
	const double head[] = { m->c, m->l1, m->l2, m->intercept };
	uint64_t outputs;
	int rc;

	if (m->size < sizeof(*m))
		return lgn_fail(LAGOON_EINVAL, "model not initialised");
	outputs = outputs_of(m);
	if (m->features > LGN_MODEL_FEATURES || outputs > LGN_MODEL_OUTPUTS)
		return lgn_fail(LAGOON_EINVAL, "%llu features and %llu outputs "
				"of a model: expected at most %llu and %llu",
				(unsigned long long)m->features,
				(unsigned long long)outputs,
				(unsigned long long)LGN_MODEL_FEATURES,
				(unsigned long long)LGN_MODEL_OUTPUTS);
	if (outputs > 1 && (lgn_model_is_regression(m) || m->intercept != 0))
		return lgn_fail(LAGOON_EINVAL, "a model of %llu outputs: "
				"expected a classifier without an intercept",
				(unsigned long long)outputs);
	if (outputs > 1 && !m->classes)
		return lgn_fail(LAGOON_EINVAL, "a model of %llu outputs: "
				"expected its classes",
				(unsigned long long)outputs);
	rc = check_word("solver", m->solver, false);
	if (!rc)
		rc = check_word("loss", m->loss, true);
	if (!rc)
		rc = check_word("method", m->method, true);
	if (!rc)
		rc = check_numbers("parameter", head, LGN_COUNT(head));
	if (!rc)
		rc = outputs > 1 ? check_numbers("class", m->classes, outputs) :
			check_numbers("label", m->labels, 2);
	return rc ? rc : check_numbers("weight", m->weights,
				       m->features * outputs);
}

/* ------------------------------------------------------------ writing */

static void write_some(FILE *out, const char *key, double value)
{
	if (value != 0)
		fprintf(out, "%s %.17g\n", key, value);
}

static void write_row(FILE *out, const double *x, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		fprintf(out, "%s%.17g", i ? " " : "", x[i]);
	fputc('\n', out);
}

static void write_classifier(FILE *out, const struct lagoon_model_file *m)
{
	uint64_t outputs = outputs_of(m);

	fprintf(out, "c %.17g\n", m->c);
	write_some(out, "l1", m->l1);
	write_some(out, "l2", m->l2);
	write_some(out, "standardised", m->standardised != 0);
	write_some(out, "intercept", m->intercept);
	if (outputs > 1)
		fprintf(out, "outputs %llu\n", (unsigned long long)outputs);
	fputs("labels ", out);
	write_row(out, outputs > 1 ? m->classes : m->labels,
		  outputs > 1 ? outputs : 2);
}

static void write_header(FILE *out, const struct lagoon_model_file *m)
{
	fprintf(out, LGN_MODEL_MAGIC "\nsolver %s\n", m->solver);
	if (*m->loss)
		fprintf(out, "loss %s\n", m->loss);
	if (*m->method)
		fprintf(out, "method %s\n", m->method);
	if (lgn_model_is_regression(m))
		fprintf(out, "l1 %.17g\nl2 %.17g\nstandardised %d\n"
			"intercept %.17g\n", m->l1, m->l2, m->standardised != 0,
			m->intercept);
	else
		write_classifier(out, m);
	fprintf(out, "features %llu\nweights\n",
		(unsigned long long)m->features);
}

LGN_EXPORT int lagoon_model_save(const char *path,
				 const struct lagoon_model_file *model)
{
	struct lgn_outfile out;
	uint64_t outputs;
	int rc = check(model);

	if (!rc)
		rc = lgn_outfile_open(path, &out);
	if (rc)
		return rc;
	outputs = outputs_of(model);
	write_header(out.stream, model);
	for (uint64_t j = 0; j < model->features; j++)
		write_row(out.stream, model->weights + j * outputs, outputs);
	fputs("end\n", out.stream);
	return lgn_outfile_commit(&out);
}

LGN_EXPORT void lagoon_model_free(struct lagoon_model_file *model)
{
	free(model->weights);
	free(model->classes);
	model->weights = model->classes = NULL;
}
