/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/decimal.h"
#include "kernels/data/keyed.h"
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

/* A number at p up to a blank or the end; where it ends, or NULL. */
static const char *number(const char *p, double *x)
{
	p = lgn_decimal_parse(p, x);
	return p && (*p == ' ' || !*p) && isfinite(*x) ? p : NULL;
}

static int read_header(struct lgn_keyed *l, struct lagoon_kmeans_model *m)
{
	uint64_t clusters = 0;
	int rc = lgn_keyed_text(l, MAGIC);

	if (!rc)
		rc = lgn_keyed_whole(l, "clusters", 1, CLUSTERS_MAX, &clusters);
	if (!rc)
		rc = lgn_keyed_whole(l, "columns", 1, COLS_MAX, &m->cols);
	if (!rc)
		rc = lgn_keyed_number(l, "sse", &m->sse);
	if (!rc)
		rc = lgn_keyed_text(l, "centroids");
	m->clusters = (int)clusters;
	return rc;
}

static int read_cluster(struct lgn_keyed *l, struct lagoon_kmeans_model *m,
			uint64_t k)
{
	const char expected[] = "a number of rows and the coordinates of a centroid";
	double *c = m->centroids + k * m->cols, count;
	int rc = lgn_keyed_next(l);
	const char *p;

	if (rc)
		return rc;
	p = number(l->text, &count);
	if (!p || count < 0 || count > 0x1p53 || count != floor(count))
		return lgn_keyed_fail(l, expected);
	m->counts[k] = (uint64_t)count;
	for (uint64_t j = 0; j < m->cols; j++) {
		p = *p ? number(p + 1, &c[j]) : NULL;
		if (!p)
			return lgn_keyed_fail(l, expected);
	}
	return *p ? lgn_keyed_fail(l, expected) : 0;
}

static int read_centroids(struct lgn_keyed *l, struct lagoon_kmeans_model *m)
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
		rc = lgn_keyed_text(l, "end");
	return rc ? rc : lgn_keyed_last(l);
}

LGN_EXPORT int lagoon_kmeans_model_load(const char *path,
					struct lagoon_kmeans_model *model)
{
	struct lgn_keyed l;
	struct lagoon_kmeans_model m = { .size = model->size };
	int rc = lgn_keyed_open(path, &l);

	if (rc)
		return rc;
	rc = read_header(&l, &m);
	if (!rc)
		rc = read_centroids(&l, &m);
	lgn_keyed_close(&l);
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
