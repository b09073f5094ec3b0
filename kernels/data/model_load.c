/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/decimal.h"
#include "kernels/data/keyed.h"
#include "kernels/data/model.h"
#include "runtime/base/status.h"

/* -------------------------------------------------------------- header */

enum kind { WORD, NUMBER, FLAG, COUNT, LABELS };

#define AT(field) offsetof(struct lagoon_model_file, field)

static const struct key {
	const char *name;
	enum kind kind;
	size_t at;
	uint64_t max;		/* of a count */
	const char *expected;
} keys[] = {
	{ "solver", WORD, AT(solver), 0, "a solver name" },
	{ "loss", WORD, AT(loss), 0, "loss and a word" },
	{ "method", WORD, AT(method), 0, "method and a word" },
	{ "c", NUMBER, AT(c), 0, "c and a number" },
	{ "l1", NUMBER, AT(l1), 0, "l1 and a number" },
	{ "l2", NUMBER, AT(l2), 0, "l2 and a number" },
	{ "standardised", FLAG, AT(standardised), 0, "standardised 0 or 1" },
	{ "intercept", NUMBER, AT(intercept), 0, "intercept and a number" },
	{ "outputs", COUNT, AT(outputs), LGN_MODEL_OUTPUTS,
	  "a number of outputs" },
	{ "labels", LABELS, AT(classes), 0, "labels and two numbers or more" },
	{ "features", COUNT, AT(features), LGN_MODEL_FEATURES,
	  "a number of features" },
};

struct header {
	struct lagoon_model_file m;
	uint64_t labels;	/* in m.classes */
	bool seen[LGN_COUNT(keys)];
};

static bool parse_finite(const char *text, char stop, double *value,
			 const char **rest)
{
	const char *end = lgn_decimal_parse(text, value);

	if (!end || *end != stop || !isfinite(*value))
		return false;
	*rest = end + (stop != 0);
	return true;
}

static bool parse_count(const char *text, uint64_t max, uint64_t *count)
{
	char *end;

	errno = 0;
	*count = strtoull(text, &end, 10);
	return !errno && !*end && *text >= '0' && *text <= '9' && *count <= max;
}

/* Numbers with one blank between, as many as blanks and one; at least two. */
static int parse_labels(struct lgn_keyed *l, const struct key *key,
			const char *text, struct header *h)
{
	const char *rest = text;
	uint64_t n = 1;

	for (const char *p = text; *p; p++)
		n += *p == ' ';
	if (n < 2 || n > LGN_MODEL_OUTPUTS)
		return lgn_keyed_fail(l, key->expected);
	h->m.classes = malloc(n * sizeof(*h->m.classes));
	if (!h->m.classes)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for %llu labels",
				l->path, (unsigned long long)n);
	for (uint64_t i = 0; i < n; i++)
		if (!parse_finite(rest, i + 1 < n ? ' ' : 0, &h->m.classes[i],
				  &rest))
			return lgn_keyed_fail(l, key->expected);
	h->labels = n;
	return 0;
}

static int parse_key(struct lgn_keyed *l, const struct key *key,
		     const char *text, struct header *h)
{
	void *field = (char *)&h->m + key->at;
	const char *rest;
	double flag = 0;
	bool good = false;

	switch (key->kind) {
	case WORD:
		good = lgn_model_is_word(text);
		if (good)
			strcpy(field, text);
		break;
	case NUMBER:
		good = parse_finite(text, 0, field, &rest);
		break;
	case FLAG:
		good = parse_finite(text, 0, &flag, &rest) &&
			(flag == 0 || flag == 1);
		*(int *)field = flag == 1;
		break;
	case COUNT:
		good = parse_count(text, key->max, field);
		break;
	case LABELS:
		return parse_labels(l, key, text, h);
	}
	return good ? 0 : lgn_keyed_fail(l, key->expected);
}

/* The key that the line begins with; value: behind it and its blank. */
static const struct key *find_key(const char *line, const char **value)
{
	size_t len = strcspn(line, " ");

	for (size_t i = 0; i < LGN_COUNT(keys); i++)
		if (line[len] && strlen(keys[i].name) == len &&
		    !memcmp(keys[i].name, line, len)) {
			*value = line + len + 1;
			return &keys[i];
		}
	return NULL;
}

static int need(const struct lgn_keyed *l, const struct header *h,
		const char *name)
{
	char expected[40];

	for (size_t i = 0; i < LGN_COUNT(keys); i++)
		if (!strcmp(keys[i].name, name) && h->seen[i])
			return 0;
	snprintf(expected, sizeof(expected), "%s before the weights", name);
	return lgn_keyed_fail(l, expected);
}

/* At the line "weights": is all there, and does it fit together? */
static int end_header(const struct lgn_keyed *l, struct header *h)
{
	static const char *const regression[] = {
		"l1", "l2", "standardised", "intercept", "features",
	};
	static const char *const classifier[] = { "c", "labels", "features" };
	struct lagoon_model_file *m = &h->m;
	bool is_regression = lgn_model_is_regression(m);
	const char *const *name = is_regression ? regression : classifier;
	size_t n = is_regression ? LGN_COUNT(regression) :
		LGN_COUNT(classifier);
	int rc = need(l, h, "solver");

	for (size_t i = 0; i < n && !rc; i++)
		rc = need(l, h, name[i]);
	if (rc)
		return rc;
	if (!m->outputs)
		m->outputs = 1;
	if (m->outputs > 1 && (is_regression || m->intercept != 0))
		return lgn_keyed_fail(l, "one output");
	if (h->labels && h->labels != (m->outputs > 1 ? m->outputs : 2))
		return lgn_keyed_fail(l, m->outputs > 1 ?
				      "as many labels as outputs" : "two labels");
	if (h->labels && m->outputs == 1) {
		memcpy(m->labels, m->classes, sizeof(m->labels));
		free(m->classes);
		m->classes = NULL;
	}
	return 0;
}

static int read_header(struct lgn_keyed *l, struct header *h)
{
	const struct key *key;
	const char *value;
	int rc = lgn_keyed_next(l);

	if (!rc && strcmp(l->text, LGN_MODEL_MAGIC))
		return lgn_keyed_fail(l, "\"" LGN_MODEL_MAGIC "\"");
	while (!rc) {
		rc = lgn_keyed_next(l);
		if (rc)
			break;
		if (!strcmp(l->text, "weights"))
			return end_header(l, h);
		key = find_key(l->text, &value);
		if (!key)
			return lgn_keyed_fail(l, "a key and its value, or "
					      "\"weights\"");
		if (h->seen[key - keys])
			return lgn_keyed_fail(l, "each key once");
		h->seen[key - keys] = true;
		rc = parse_key(l, key, value, h);
	}
	return rc;
}

/* ------------------------------------------------------------- weights */

static bool parse_row(const char *text, double *x, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (!parse_finite(text, i + 1 < n ? ' ' : 0, &x[i], &text))
			return false;
	return true;
}

static int read_weights(struct lgn_keyed *l, struct lagoon_model_file *m)
{
	int rc = 0;

	m->weights = malloc((m->features * m->outputs + 1) *
			    sizeof(*m->weights));
	if (!m->weights)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for %llu weights",
				l->path, (unsigned long long)
				(m->features * m->outputs));
	for (uint64_t j = 0; j < m->features && !rc; j++) {
		rc = lgn_keyed_next(l);
		if (!rc && !parse_row(l->text, m->weights + j * m->outputs,
				      m->outputs))
			rc = lgn_keyed_fail(l, m->outputs > 1 ?
					    "a weight for each output" :
					    "a weight");
	}
	if (!rc)
		rc = lgn_keyed_next(l);
	if (!rc && strcmp(l->text, "end"))
		rc = lgn_keyed_fail(l, "\"end\"");
	return rc ? rc : lgn_keyed_last(l);
}

LGN_EXPORT int lagoon_model_load(const char *path,
				 struct lagoon_model_file *model)
{
	struct header h = { .m.size = model->size };
	struct lgn_keyed l;
	int rc;

	if (model->size < sizeof(*model))
		return lgn_fail(LAGOON_EINVAL, "model not initialised");
	rc = lgn_keyed_open(path, &l);
	if (rc)
		return rc;
	rc = read_header(&l, &h);
	if (!rc)
		rc = read_weights(&l, &h.m);
	lgn_keyed_close(&l);
	if (rc)
		lagoon_model_free(&h.m);
	else
		*model = h.m;
	return rc;
}
