/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/decimal.h"
#include "kernels/data/outfile.h"
#include "kernels/lagoon_solve.h"
#include "runtime/base/status.h"

#define MAGIC "lagoon-kmeans 1"
#define CLUSTERS_MAX 65536
#define COLS_MAX (UINT64_C(1) << 32)

/* ---------------------------------------------------------------- saving */

static int check_model(const struct lagoon_kmeans_model *m)
{
	if (m->size < sizeof(*m) || m->clusters < 1 ||
	    m->clusters > CLUSTERS_MAX || !m->cols || m->cols > COLS_MAX ||
	    !m->centroids || !m->counts)
		return lgn_fail(LAGOON_EINVAL, "model: expected its size, 1 to "
				"%d clusters, columns, centroids and counts",
				CLUSTERS_MAX);
	if (!isfinite(m->sse))
		return lgn_fail(LAGOON_EINVAL, "model: the sum of squares is "
				"%g: expected a finite number", m->sse);
	for (uint64_t i = 0; i < (uint64_t)m->clusters * m->cols; i++)
		if (!isfinite(m->centroids[i]))
			return lgn_fail(LAGOON_EINVAL, "model: centroid %llu, "
					"column %llu is %g: expected a finite "
					"number",
					(unsigned long long)(i / m->cols),
					(unsigned long long)(i % m->cols + 1),
					m->centroids[i]);
	return 0;
}

LGN_EXPORT int
lagoon_kmeans_model_save(const char *path,
			 const struct lagoon_kmeans_model *model)
{
	struct lgn_outfile out;
	int rc = check_model(model);

	if (!rc)
		rc = lgn_outfile_open(path, &out);
	if (rc)
		return rc;
	fprintf(out.stream, MAGIC "\nclusters %d\ncolumns %llu\nsse %.17g\n"
		"centroids\n", model->clusters,
		(unsigned long long)model->cols, model->sse);
	for (uint64_t k = 0; k < (uint64_t)model->clusters; k++) {
		fprintf(out.stream, "%llu",
			(unsigned long long)model->counts[k]);
		for (uint64_t j = 0; j < model->cols; j++)
			fprintf(out.stream, " %.17g",
				model->centroids[k * model->cols + j]);
		fputc('\n', out.stream);
	}
	fputs("end\n", out.stream);
	return lgn_outfile_commit(&out);
}

/* --------------------------------------------------------------- loading */

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

static int next_text(struct lines *l, const char *text)
{
	int rc = next_line(l);

	return !rc && strcmp(l->text, text) ? fail_line(l, text) : rc;
}

/* A number at p up to a blank or the end; where it ends, or NULL. */
static const char *number(const char *p, double *x)
{
	p = lgn_decimal_parse(p, x);
	return p && (*p == ' ' || !*p) && isfinite(*x) ? p : NULL;
}

/* "key number" */
static int next_number(struct lines *l, const char *key, double *x)
{
	size_t len = strlen(key);
	int rc = next_line(l);
	const char *end;

	if (rc)
		return rc;
	end = !strncmp(l->text, key, len) && l->text[len] == ' ' ?
		number(l->text + len + 1, x) : NULL;
	return end && !*end ? 0 : fail_line(l, key);
}

static int next_whole(struct lines *l, const char *key, double most,
		      uint64_t *value)
{
	double x = 0;
	int rc = next_number(l, key, &x);

	if (rc)
		return rc;
	if (x < 1 || x > most || x != floor(x))
		return fail_line(l, key);
	*value = (uint64_t)x;
	return 0;
}

static int read_header(struct lines *l, struct lagoon_kmeans_model *m)
{
	uint64_t clusters = 0;
	int rc = next_text(l, MAGIC);

	if (!rc)
		rc = next_whole(l, "clusters", CLUSTERS_MAX, &clusters);
	if (!rc)
		rc = next_whole(l, "columns", (double)COLS_MAX, &m->cols);
	if (!rc)
		rc = next_number(l, "sse", &m->sse);
	if (!rc)
		rc = next_text(l, "centroids");
	m->clusters = (int)clusters;
	return rc;
}

static int read_cluster(struct lines *l, struct lagoon_kmeans_model *m,
			uint64_t k)
{
	const char expected[] = "a number of rows and the coordinates of a centroid";
	double *c = m->centroids + k * m->cols, count;
	int rc = next_line(l);
	const char *p;

	if (rc)
		return rc;
	p = number(l->text, &count);
	if (!p || count < 0 || count > 0x1p53 || count != floor(count))
		return fail_line(l, expected);
	m->counts[k] = (uint64_t)count;
	for (uint64_t j = 0; j < m->cols; j++) {
		p = *p ? number(p + 1, &c[j]) : NULL;
		if (!p)
			return fail_line(l, expected);
	}
	return *p ? fail_line(l, expected) : 0;
}

static int read_centroids(struct lines *l, struct lagoon_kmeans_model *m)
{
	uint64_t n = (uint64_t)m->clusters;
	int rc = 0;

	m->centroids = calloc(n, m->cols * sizeof(*m->centroids));
	m->counts = calloc(n, sizeof(*m->counts));
	if (!m->centroids || !m->counts)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for %llu centroids "
				"of %llu columns", l->path,
				(unsigned long long)n,
				(unsigned long long)m->cols);
	for (uint64_t k = 0; k < n && !rc; k++)
		rc = read_cluster(l, m, k);
	if (!rc)
		rc = next_text(l, "end");
	if (!rc && fgetc(l->stream) != EOF)
		rc = lgn_fail(LAGOON_ECORRUPT, "%s: line %zu: expected nothing "
			      "behind \"end\"", l->path, l->number + 1);
	return rc;
}

LGN_EXPORT int lagoon_kmeans_model_load(const char *path,
					struct lagoon_kmeans_model *model)
{
	struct lines l = { .path = path, .stream = fopen(path, "re") };
	struct lagoon_kmeans_model m = { .size = model->size };
	int rc;

	if (!l.stream)
		return lgn_fail(errno == ENOENT ? LAGOON_ENOENT : LAGOON_EIO,
				"%s: cannot open: %s", path, strerror(errno));
	rc = read_header(&l, &m);
	if (!rc)
		rc = read_centroids(&l, &m);
	fclose(l.stream);
	free(l.text);
	if (rc)
		lagoon_kmeans_model_free(&m);
	else
		*model = m;
	return rc;
}

LGN_EXPORT void lagoon_kmeans_model_free(struct lagoon_kmeans_model *model)
{
	free(model->centroids);
	free(model->counts);
	model->centroids = NULL;
	model->counts = NULL;
}
