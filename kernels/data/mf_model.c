/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of a model of ratings. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/decimal.h"
#include "kernels/data/entries.h"
#include "kernels/data/keyed.h"
#include "kernels/data/outfile.h"
#include "kernels/lagoon_mf.h"
#include "runtime/base/status.h"

#define MAGIC "lagoon-mf 1"
#define RANK_MAX 4096

/* ---------------------------------------------------------------- saving */

static int check_rows(const char *what, uint64_t rows, size_t width,
		      const double *val)
{
	for (uint64_t i = 0; i < rows; i++)
		for (size_t f = 0; f < width; f++)
			if (!isfinite(val[i * width + f]))
				return lgn_fail(LAGOON_EINVAL, "%s %llu: factor "
						"%zu is %g: expected a finite "
						"number", what,
						(unsigned long long)i, f + 1,
						val[i * width + f]);
	return 0;
}

static size_t width_of(const struct lagoon_mf_model *m)
{
	return (size_t)m->rank + (m->biases != 0);
}

static int check_model(const struct lagoon_mf_model *m)
{
	int rc;

	if (m->rank < 1 || m->rank > RANK_MAX || !m->users ||
	    m->users > LGN_INDEX_MAX || !m->items || m->items > LGN_INDEX_MAX ||
	    !m->user || !m->item)
		return lgn_fail(LAGOON_EINVAL, "model of rank %d, %llu users and "
				"%llu items: expected 1 or more, and factors",
				m->rank, (unsigned long long)m->users,
				(unsigned long long)m->items);
	if (!isfinite(m->mean) || !isfinite(m->lambda))
		return lgn_fail(LAGOON_EINVAL, "model of mean %g and lambda %g: "
				"expected finite numbers", m->mean, m->lambda);
	rc = check_rows("user", m->users, width_of(m), m->user);
	return rc ? rc : check_rows("item", m->items, width_of(m), m->item);
}

/* One of zeros had no rating. */
static void write_rows(FILE *out, const char *what, uint64_t rows, size_t width,
		       const double *val)
{
	for (uint64_t i = 0; i < rows; i++, val += width) {
		size_t f = 0;

		while (f < width && val[f] == 0)
			f++;
		if (f == width)
			continue;
		fprintf(out, "%s %llu", what, (unsigned long long)i);
		for (f = 0; f < width; f++)
			fprintf(out, " %.17g", val[f]);
		fputc('\n', out);
	}
}

LGN_EXPORT int lagoon_mf_model_save(const char *path,
				    const struct lagoon_mf_model *m)
{
	struct lgn_outfile out;
	int rc = check_model(m);

	if (!rc)
		rc = lgn_outfile_open(path, &out);
	if (rc)
		return rc;
	fprintf(out.stream, MAGIC "\nrank %d\nbiases %d\nusers %llu\n"
		"items %llu\nmean %.17g\nlambda %.17g\nfactors\n", m->rank,
		m->biases != 0, (unsigned long long)m->users,
		(unsigned long long)m->items, m->mean, m->lambda);
	write_rows(out.stream, "user", m->users, width_of(m), m->user);
	write_rows(out.stream, "item", m->items, width_of(m), m->item);
	fputs("end\n", out.stream);
	return lgn_outfile_commit(&out);
}

/* --------------------------------------------------------------- loading */

static int read_header(struct lgn_keyed *l, struct lagoon_mf_model *m)
{
	uint64_t rank = 0, biases = 0;
	int rc = lgn_keyed_text(l, MAGIC);

	if (!rc)
		rc = lgn_keyed_whole(l, "rank", 1, RANK_MAX, &rank);
	if (!rc)
		rc = lgn_keyed_whole(l, "biases", 0, 1, &biases);
	if (!rc)
		rc = lgn_keyed_whole(l, "users", 1, LGN_INDEX_MAX, &m->users);
	if (!rc)
		rc = lgn_keyed_whole(l, "items", 1, LGN_INDEX_MAX, &m->items);
	if (!rc)
		rc = lgn_keyed_number(l, "mean", &m->mean);
	if (!rc)
		rc = lgn_keyed_number(l, "lambda", &m->lambda);
	if (!rc)
		rc = lgn_keyed_text(l, "factors");
	m->rank = (int)rank;
	m->biases = (int)biases;
	return rc;
}

/* Numbers rise, items behind users. */
struct place {
	bool items;
	uint64_t least;
};

static int read_row(struct lgn_keyed *l, struct lagoon_mf_model *m,
		    struct place *at)
{
	const char *p = l->text + 5;
	size_t width = width_of(m);
	uint64_t i, most;
	double *row;

	if (!at->items && !strncmp(l->text, "item ", 5))
		*at = (struct place){ .items = true };
	if (strncmp(l->text, at->items ? "item " : "user ", 5))
		return lgn_keyed_fail(l, "user, item or end");
	most = (at->items ? m->items : m->users) - 1;
	if (!lgn_keyed_parse(&p, ' ', most, &i) || i < at->least)
		return lgn_keyed_fail(l, "rising numbers in range");
	row = (at->items ? m->item : m->user) + i * width;
	at->least = i + 1;
	for (size_t f = 0; f < width; f++) {
		p = lgn_decimal_parse(p, &row[f]);
		if (!p || !isfinite(row[f]) || *p != (f + 1 < width ? ' ' : 0))
			return lgn_keyed_fail(l, "as many finite numbers as "
					      "factors and biases");
		p++;
	}
	return 0;
}

static int read_rows(struct lgn_keyed *l, struct lagoon_mf_model *m)
{
	size_t bytes = width_of(m) * sizeof(double);
	struct place at = { 0 };
	int rc;

	m->user = calloc(m->users, bytes);
	m->item = calloc(m->items, bytes);
	if (!m->user || !m->item)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for the factors "
				"of %llu users and %llu items", l->path,
				(unsigned long long)m->users,
				(unsigned long long)m->items);
	for (;;) {
		rc = lgn_keyed_next(l);
		if (rc || !strcmp(l->text, "end"))
			break;
		rc = read_row(l, m, &at);
		if (rc)
			break;
	}
	return rc ? rc : lgn_keyed_last(l);
}

LGN_EXPORT int lagoon_mf_model_load(const char *path,
				    struct lagoon_mf_model *model)
{
	struct lgn_keyed l;
	struct lagoon_mf_model m = { .size = model->size };
	int rc = lgn_keyed_open(path, &l);

	if (rc)
		return rc;
	rc = read_header(&l, &m);
	if (!rc)
		rc = read_rows(&l, &m);
	lgn_keyed_close(&l);
	if (rc)
		lagoon_mf_model_free(&m);
	else
		*model = m;
	return rc;
}

LGN_EXPORT void lagoon_mf_model_free(struct lagoon_mf_model *model)
{
	free(model->user);
	free(model->item);
	model->user = NULL;
	model->item = NULL;
}
