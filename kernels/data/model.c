/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/decimal.h"
#include "kernels/data/outfile.h"
#include "kernels/lagoon_solve.h"
#include "runtime/base/status.h"

#define MAGIC "lagoon-model 1"
#define FEATURES_MAX ((UINT64_C(1) << 31) + 1)

LGN_EXPORT int lagoon_model_check_path(const char *path)
{
	struct lgn_outfile out;
	int rc = lgn_outfile_open(path, &out);

	if (!rc)
		lgn_outfile_abort(&out);
	return rc;
}

static bool is_word(const char *s)
{
	return *s && strlen(s) < sizeof(((struct lagoon_model_file *)0)->solver)
	       && !strpbrk(s, " \t\r\n");
}

static bool is_regression(const char *solver)
{
	return !strcmp(solver, "lasso") || !strcmp(solver, "ridge") ||
		!strcmp(solver, "elastic-net");
}

static void write_header(FILE *out, const struct lagoon_model_file *m)
{
	fprintf(out, MAGIC "\nsolver %s\n", m->solver);
	if (is_regression(m->solver))
		fprintf(out, "l1 %.17g\nl2 %.17g\nstandardised %d\n"
			"intercept %.17g\n", m->l1, m->l2, m->standardised,
			m->intercept);
	else
		fprintf(out, "c %.17g\nlabels %.17g %.17g\n", m->c,
			m->labels[0], m->labels[1]);
	fprintf(out, "features %llu\nweights\n",
		(unsigned long long)m->features);
}

LGN_EXPORT int lagoon_model_save(const char *path,
				 const struct lagoon_model_file *model)
{
	struct lgn_outfile out;
	int rc;

	if (!is_word(model->solver))
		return lgn_fail(LAGOON_EINVAL, "solver \"%s\": expected a word "
				"of at most %zu letters", model->solver,
				sizeof(model->solver) - 1);
	rc = lgn_outfile_open(path, &out);
	if (rc)
		return rc;
	write_header(out.stream, model);
	for (uint64_t j = 0; j < model->features; j++)
		fprintf(out.stream, "%.17g\n", model->weights[j]);
	fputs("end\n", out.stream);
	return lgn_outfile_commit(&out);
}

/* One line in work; numbers for the message of a line that is wrong. */
struct lines {
	const char *path;
	FILE *stream;
	char *text;		/* without '\n' */
	size_t room;
	size_t number;
};

static int fail_line(const struct lines *l, const char *expected)
{
	return lgn_fail(LAGOON_ECORRUPT, "%s: line %zu: expected %s, found "
			"\"%.40s\"", l->path, l->number, expected, l->text);
}

/* A last line without '\n' is a cut file, even when it looks complete. */
static int next_line(struct lines *l)
{
	ssize_t len = getline(&l->text, &l->room, l->stream);

	l->number++;
	if (len < 0 && ferror(l->stream))
		return lgn_fail(LAGOON_EIO, "%s: line %zu: %s", l->path,
				l->number, strerror(errno));
	if (len <= 0 || l->text[len - 1] != '\n')
		return lgn_fail(LAGOON_ECORRUPT, "%s: line %zu: the file ends "
				"before \"end\"", l->path, l->number);
	l->text[len - 1] = 0;
	return 0;
}

/* The next line must begin with this key; value: what follows it. */
static int next_key(struct lines *l, const char *key, const char **value)
{
	size_t len = strlen(key);
	int rc = next_line(l);

	if (rc)
		return rc;
	if (strncmp(l->text, key, len))
		return fail_line(l, key);
	*value = l->text + len;
	return 0;
}

static bool parse_finite(const char *text, char stop, double *value,
			 const char **rest)
{
	const char *end = lgn_decimal_parse(text, value);

	if (!end || *end != stop || !isfinite(*value))
		return false;
	*rest = end + (stop != 0);
	return true;
}

/* "key number" */
static int next_number(struct lines *l, const char *key, double *value)
{
	const char *v, *rest;
	char expected[32];
	int rc = next_key(l, key, &v);

	snprintf(expected, sizeof(expected), "%s and a number", key);
	if (!rc && (*v != ' ' || !parse_finite(v + 1, 0, value, &rest)))
		return fail_line(l, expected);
	return rc;
}

static int read_regression(struct lines *l, struct lagoon_model_file *m)
{
	double standardised = 0;
	int rc = next_number(l, "l1", &m->l1);

	if (!rc)
		rc = next_number(l, "l2", &m->l2);
	if (!rc)
		rc = next_number(l, "standardised", &standardised);
	if (!rc && standardised != 0 && standardised != 1)
		return fail_line(l, "standardised 0 or 1");
	m->standardised = standardised == 1;
	return rc ? rc : next_number(l, "intercept", &m->intercept);
}

static int read_classifier(struct lines *l, struct lagoon_model_file *m)
{
	const char *v, *rest;
	int rc = next_key(l, "c ", &v);

	if (!rc && !parse_finite(v, 0, &m->c, &rest))
		return fail_line(l, "c and a number");
	if (!rc)
		rc = next_key(l, "labels ", &v);
	if (!rc && (!parse_finite(v, ' ', &m->labels[0], &rest) ||
		    !parse_finite(rest, 0, &m->labels[1], &rest)))
		return fail_line(l, "two labels");
	return rc;
}

static int read_header(struct lines *l, struct lagoon_model_file *m)
{
	const char *v;
	char *end;
	int rc = next_key(l, MAGIC, &v);

	if (!rc && *v)
		return fail_line(l, "\"" MAGIC "\"");
	if (!rc)
		rc = next_key(l, "solver ", &v);
	if (!rc && !is_word(v))
		return fail_line(l, "a solver name");
	if (!rc)
		strcpy(m->solver, v);
	if (!rc)
		rc = is_regression(m->solver) ? read_regression(l, m) :
			read_classifier(l, m);
	if (!rc)
		rc = next_key(l, "features ", &v);
	if (rc)
		return rc;
	errno = 0;
	m->features = strtoull(v, &end, 10);
	if (errno || *end || *v < '0' || *v > '9' || m->features > FEATURES_MAX)
		return fail_line(l, "a number of features");
	rc = next_key(l, "weights", &v);
	return !rc && *v ? fail_line(l, "\"weights\"") : rc;
}

static int read_weights(struct lines *l, struct lagoon_model_file *m)
{
	const char *rest;
	int rc = 0;

	m->weights = malloc((m->features + 1) * sizeof(*m->weights));
	if (!m->weights)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for %llu weights",
				l->path, (unsigned long long)m->features);
	for (uint64_t j = 0; j < m->features && !rc; j++) {
		rc = next_line(l);
		if (!rc && !parse_finite(l->text, 0, &m->weights[j], &rest))
			rc = fail_line(l, "a weight");
	}
	if (!rc)
		rc = next_line(l);
	if (!rc && strcmp(l->text, "end"))
		rc = fail_line(l, "\"end\"");
	if (!rc && fgetc(l->stream) != EOF) {
		l->number++;
		rc = lgn_fail(LAGOON_ECORRUPT, "%s: line %zu: expected nothing "
			      "behind \"end\"", l->path, l->number);
	}
	return rc;
}

LGN_EXPORT int lagoon_model_load(const char *path,
				 struct lagoon_model_file *model)
{
	struct lines l = { .path = path, .stream = fopen(path, "re") };
	struct lagoon_model_file m = { .size = model->size };
	int rc;

	if (!l.stream)
		return lgn_fail(errno == ENOENT ? LAGOON_ENOENT : LAGOON_EIO,
				"%s: cannot open: %s", path, strerror(errno));
	rc = read_header(&l, &m);
	if (!rc)
		rc = read_weights(&l, &m);
	fclose(l.stream);
	free(l.text);
	if (rc)
		lagoon_model_free(&m);
	else
		*model = m;
	return rc;
}

LGN_EXPORT void lagoon_model_free(struct lagoon_model_file *model)
{
	free(model->weights);
	model->weights = NULL;
}
