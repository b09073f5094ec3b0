/* SPDX-License-Identifier: BSD-3-Clause */
/* What a model of ratings says. */
#include <math.h>
#include <string.h>

#include "kernels/data/outfile.h"
#include "kernels/data/ratings.h"
#include "kernels/lagoon_kernels.h"
#include "kernels/lagoon_mf.h"
#include "runtime/base/status.h"

/* NULL: it is not in the model. */
static const double *row_of(const double *rows, uint64_t n, size_t width,
			    uint64_t i)
{
	return i < n ? rows + i * width : NULL;
}

static double predict(const struct lagoon_mf_model *m, uint64_t user,
		      uint64_t item, int *known)
{
	size_t rank = (size_t)m->rank, width = rank + (m->biases != 0);
	const double *x = row_of(m->user, m->users, width, user);
	const double *y = row_of(m->item, m->items, width, item);
	double sum = m->mean;

	*known = x && y && lagoon_dense_dot(width, x, x) > 0 &&
		lagoon_dense_dot(width, y, y) > 0;
	if (x && y)
		sum += lagoon_dense_dot(rank, x, y);
	if (m->biases)
		sum += (x ? x[rank] : 0) + (y ? y[rank] : 0);
	return sum;
}

LGN_EXPORT int lagoon_mf_predict(const struct lagoon_mf_model *model, size_t n,
				 const int32_t *user, const int32_t *item,
				 double *rating)
{
	int known;

	for (size_t k = 0; k < n; k++)
		if (user[k] < 0 || item[k] < 0)
			return lgn_fail(LAGOON_EINVAL, "rating %zu: user %d, "
					"item %d: expected 0 or more", k + 1,
					user[k], item[k]);
	for (size_t k = 0; k < n; k++)
		rating[k] = predict(model, (uint64_t)user[k],
				    (uint64_t)item[k], &known);
	return 0;
}

static void score_all(const struct lagoon_mf_model *m,
		      const struct lgn_entries *e, FILE *out,
		      struct lagoon_mf_score *score)
{
	double squares = 0, sum = 0;

	for (size_t k = 0; k < e->n; k++) {
		int known;
		double r = predict(m, e->row[k], e->col[k], &known);

		squares += (r - e->val[k]) * (r - e->val[k]);
		sum += fabs(r - e->val[k]);
		score->unknown += !known;
		if (out)
			fprintf(out, "%.17g\n", r);
	}
	score->ratings = e->n;
	score->rmse = sqrt(squares / (double)e->n);
	score->mae = sum / (double)e->n;
}

LGN_EXPORT int lagoon_mf_predict_file(const struct lagoon_mf_model *model,
				      const char *data, const char *output,
				      struct lagoon_mf_score *score)
{
	struct lagoon_mf_score found = { .size = score->size };
	struct lgn_entries e = { 0 };
	struct lgn_outfile out = { 0 };
	int rc = lgn_ratings_read(data, 0, 1, &e);

	if (!rc && !e.n)
		rc = lgn_fail(LAGOON_EINVAL, "%s: no ratings", data);
	if (!rc && output)
		rc = lgn_outfile_open(output, &out);
	if (!rc) {
		score_all(model, &e, out.stream, &found);
		rc = output ? lgn_outfile_commit(&out) : 0;
	}
	if (!rc)
		*score = found;
	lgn_entries_free(&e);
	return rc;
}
