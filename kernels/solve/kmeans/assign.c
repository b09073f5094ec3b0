/* SPDX-License-Identifier: BSD-3-Clause */
/* Which centroid is nearest to rows in memory or of a file. */
#include <math.h>
#include <stdlib.h>

#include "kernels/data/outfile.h"
#include "kernels/solve/kmeans/kmeans.h"
#include "runtime/base/status.h"

enum { ROWS = 1024 };		/* at once */

static int check_model(const struct lagoon_kmeans_model *m)
{
	if (m->size >= sizeof(*m) && m->clusters > 0 && m->cols && m->centroids)
		return 0;
	return lgn_fail(LAGOON_EINVAL, "model: expected its size, clusters and "
			"centroids");
}

static void assign_rows(const struct lagoon_kmeans_model *m,
			const struct lgn_dense *d, const double *packed,
			int32_t *assigned, double *squares,
			double *sse)
{
	double square[ROWS];
	int32_t which[ROWS];

	for (size_t i = 0, n; i < d->rows; i += n) {
		n = d->rows - i < ROWS ? d->rows - i : ROWS;
		for (size_t k = 0; k < n; k++) {
			which[k] = -1;
			square[k] = (double)INFINITY;
		}
		lagoon_nearest_find(n, m->cols, d->x + i * m->cols, m->cols,
			       (size_t)m->clusters, m->centroids, m->cols,
			       packed, 0, which, square);
		for (size_t k = 0; k < n; k++) {
			if (assigned)
				assigned[i + k] = which[k];
			if (squares)
				squares[i + k] = square[k];
			*sse += square[k];
		}
	}
}

static double *pack(const struct lagoon_kmeans_model *m)
{
	size_t n = lgn_kmeans_packed((size_t)m->clusters, m->cols);
	double *packed = malloc(n * sizeof(*packed));

	if (packed)
		lagoon_nearest_pack((size_t)m->clusters, m->cols, m->centroids,
				    m->cols, packed);
	else
		lgn_fail(LAGOON_ENOMEM, "no memory for %d centroids",
			 m->clusters);
	return packed;
}

/* Checked whole before anything is written, then in pieces. */
LGN_EXPORT int lagoon_kmeans_assign(const struct lagoon_kmeans_model *model,
				    const struct lagoon_kmeans_data *data,
				    int32_t *assigned, double *squares,
				    double *sse)
{
	struct lgn_dense rows = { .rows = 0 };
	double sum = 0, *packed;
	int rc = check_model(model);

	if (!rc)
		rc = lgn_kmeans_check_shape(data);
	if (!rc && data->cols != model->cols)
		rc = lgn_fail(LAGOON_EINVAL, "data: %zu columns: expected %llu, "
			      "as the model has", data->cols,
			      (unsigned long long)model->cols);
	if (!rc)
		rc = lgn_kmeans_take(data, 0, data->rows, &rows);
	packed = rc ? NULL : pack(model);
	if (!rc && !packed)
		rc = LAGOON_ENOMEM;
	if (!rc)
		assign_rows(model, &rows, packed, assigned, squares, &sum);
	if (!rc && sse)
		*sse = sum;
	free(packed);
	lgn_dense_free(&rows);
	return rc;
}

/* ----------------------------------------------------------------- files */

/* Coordinates that the centroids do not have: how much they are away in these. */
static double cut(struct lgn_libsvm *d, uint64_t cols)
{
	double squares = 0;
	size_t n = 0;

	for (size_t i = 0, k = 0; i < d->rows; i++) {
		for (; k < d->start[i + 1]; k++) {
			if (d->col[k] >= cols) {
				squares += d->val[k] * d->val[k];
				continue;
			}
			d->col[n] = d->col[k];
			d->val[n++] = d->val[k];
		}
		d->start[i + 1] = n;
	}
	return squares;
}

static int read_libsvm(const char *path, int zero_based, uint64_t cols,
		       struct lgn_dense *rows, double *sse)
{
	const struct lgn_libsvm_range range = {
		.parts = 1, .zero_based = zero_based, .targets = 1,
	};
	struct lgn_libsvm sparse;
	int rc = lgn_libsvm_read(path, &range, &sparse);

	if (rc)
		return rc;
	*sse += cut(&sparse, cols);
	rc = lgn_kmeans_densify(path, &sparse, cols, rows);
	lgn_libsvm_free(&sparse);
	return rc;
}

static int read_file(const struct lagoon_kmeans_model *m, const char *path,
		     const struct lagoon_kmeans_options *o,
		     struct lgn_dense *rows, double *sse)
{
	int format = o->format < 0 ? lgn_dense_is_libsvm(path) : o->format;
	int rc = format < 0 ? format : 0;

	if (!rc && format == LAGOON_KMEANS_LIBSVM)
		return read_libsvm(path, o->zero_based, m->cols, rows, sse);
	if (!rc)
		rc = lgn_dense_read(path, 0, 1, LGN_KMEANS_MOST, rows);
	if (!rc && rows->cols != m->cols)
		rc = lgn_fail(LAGOON_EINVAL, "%s: %llu columns: expected %llu, as "
			      "the model has", path,
			      (unsigned long long)rows->cols,
			      (unsigned long long)m->cols);
	return rc;
}

static int write_file(const char *path, const int32_t *assigned, uint64_t n)
{
	struct lgn_outfile out;
	int rc = lgn_outfile_open(path, &out);

	if (rc)
		return rc;
	for (uint64_t i = 0; i < n; i++)
		fprintf(out.stream, "%d\n", assigned[i]);
	return lgn_outfile_commit(&out);
}

LGN_EXPORT int
lagoon_kmeans_assign_file(const struct lagoon_kmeans_model *model,
			  const char *data, const char *output,
			  const struct lagoon_kmeans_options *options,
			  uint64_t *rows, double *sse)
{
	struct lagoon_kmeans_options o;
	struct lgn_dense d = { .rows = 0 };
	int32_t *assigned = NULL;
	double sum = 0, *packed = NULL;
	int rc = check_model(model);

	lagoon_kmeans_options_init(&o);
	if (options)
		o = *options;
	if (!rc)
		rc = read_file(model, data, &o, &d, &sum);
	if (!rc) {
		assigned = malloc((d.rows + 1) * sizeof(*assigned));
		packed = pack(model);
		if (!assigned || !packed)
			rc = lgn_fail(LAGOON_ENOMEM, "no memory for the clusters "
				      "of %llu rows", (unsigned long long)d.rows);
	}
	if (!rc)
		assign_rows(model, &d, packed, assigned, NULL, &sum);
	if (!rc && output)
		rc = write_file(output, assigned, d.rows);
	if (!rc && rows)
		*rows = d.rows;
	if (!rc && sse)
		*sse = sum;
	free(packed);
	free(assigned);
	lgn_dense_free(&d);
	return rc;
}
