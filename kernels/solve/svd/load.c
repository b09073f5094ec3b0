/* SPDX-License-Identifier: BSD-3-Clause */
/* The matrix of a call, from memory or from a file, checked; agreeing on what
 * there is; and giving each worker its lines. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/csv.h"
#include "kernels/solve/deal.h"
#include "kernels/solve/memory.h"
#include "kernels/solve/svd/svd.h"
#include "runtime/base/status.h"

/* ---------------------------------------------------------------- input */

/* The worker's share of the process's rows. */
static int take_rows(const struct lgn_svd_fit *fit, int local,
		     struct lgn_entries *out)
{
	const struct lagoon_svd_data *d = fit->data;
	struct lagoon_regression_data data = {
		.size = sizeof(data), .sparse = d->sparse, .rows = d->rows,
		.cols = d->cols, .stride = d->stride, .real_size = d->real_size,
		.dense = d->dense,
	};

	if (d->size < sizeof(*d))
		return lgn_fail(LAGOON_EINVAL, "data: size is not set");
	return lgn_memory_take(&data, NULL, local,
			       lagoon_local_workers(fit->lg), out);
}

/* To the reader the last column has targets. */
static int take_csv(const char *path, int part, int parts,
		    struct lgn_entries *out)
{
	int rc = lgn_csv_read(path, part, parts, out);

	if (!rc)
		rc = lgn_entries_reserve(out, out->n_targets, 0);
	for (size_t i = 0; i < out->n_targets && !rc; i++)
		if (out->target[i] != 0)
			lgn_entries_add(out, out->target_row[i], out->cols,
					out->target[i]);
	out->cols++;
	out->n_targets = 0;
	return rc;
}

/* A file by gzip has one reader, worker 0. */
static int take_file(const struct lgn_svd_fit *fit, int id,
		     struct lgn_entries *out, struct lgn_svd_facts *facts)
{
	int part = fit->one_reader ? 0 : id;
	int parts = fit->one_reader ? 1 : fit->workers;

	if (fit->one_reader && id)
		return lgn_entries_reserve(out, 0, 0);
	if (fit->options.format == LAGOON_FILE_CSV)
		return take_csv(fit->path, part, parts, out);
	return lgn_matrix_read(fit->path, part, parts, 0, out, &facts->matrix);
}

static void measure(const struct lgn_entries *e, struct lgn_svd_facts *facts)
{
	facts->rows = e->rows;
	facts->cols = e->cols;
	facts->entries = e->n;
	for (size_t k = 0; k < e->n; k++)
		facts->largest = fmax(facts->largest, fabs(e->val[k]));
}

/* ------------------------------------------------------------- agreeing */

static bool is_matrix(const struct lgn_svd_fit *fit)
{
	return fit->path && fit->options.format == LAGOON_FILE_MATRIX;
}

static int check_shape(const struct lgn_svd_fit *fit,
		       const struct lgn_svd_facts *all)
{
	const char *what = fit->path ? fit->path : "data";
	uint64_t k = (uint64_t)fit->options.k;

	if (!all->rows || !all->cols)
		return lgn_fail(LAGOON_EINVAL, "%s: no %s", what,
				all->rows ? "columns" : "rows");
	if (all->rows >= LGN_INDEX_MAX || all->cols >= LGN_INDEX_MAX)
		return lgn_fail(LAGOON_ENOTSUP, "%s: %llu rows and %llu "
				"columns: expected fewer than 2^31", what,
				(unsigned long long)all->rows,
				(unsigned long long)all->cols);
	if (k > all->rows || k > all->cols)
		return lgn_fail(LAGOON_EINVAL, "%s: k is %llu: expected at most "
				"%llu, as it has %llu rows and %llu columns",
				what, (unsigned long long)k,
				(unsigned long long)(all->rows < all->cols ?
						     all->rows : all->cols),
				(unsigned long long)all->rows,
				(unsigned long long)all->cols);
	return 0;
}

static int merge(const struct lgn_svd_fit *fit, int i,
		 const struct lgn_svd_facts *part, struct lgn_svd_facts *all)
{
	bool known = part->cols && (!fit->one_reader || !i);

	if (known && all->cols && part->cols != all->cols)
		return lgn_fail(LAGOON_EINVAL, "%llu columns in worker %d: "
				"expected %llu, as in those before",
				(unsigned long long)part->cols, i,
				(unsigned long long)all->cols);
	if (known)
		all->cols = part->cols;
	all->entries += part->entries;
	all->largest = fmax(all->largest, part->largest);
	all->matrix.found += part->matrix.found;
	if (!is_matrix(fit))
		all->rows += part->rows;
	return 0;
}

static int agree(const struct lgn_svd_fit *fit,
		 const struct lgn_svd_facts *parts, struct lgn_svd_facts *all,
		 uint64_t *first_row)
{
	int rc = 0;

	memset(all, 0, sizeof(*all));
	for (int i = 0; i < fit->workers && !rc; i++) {
		first_row[i] = all->rows;
		rc = merge(fit, i, &parts[i], all);
	}
	if (is_matrix(fit))
		all->rows = parts[0].rows;
	first_row[fit->workers] = all->rows;
	if (!rc && is_matrix(fit))
		rc = lgn_matrix_check(fit->path, parts[0].matrix.entries,
				      all->matrix.found);
	return rc ? rc : check_shape(fit, all);
}

/* Rows of a worker's own count become those of all. */
static void renumber(struct lgn_entries *e, uint64_t first)
{
	for (size_t k = 0; k < e->n; k++)
		e->row[k] += (uint32_t)first;
}

int lgn_svd_load(struct lagoon_worker *w, void *arg)
{
	struct lgn_svd_fit *fit = arg;
	size_t workers = (size_t)fit->workers;
	int id = lagoon_worker_id(w), local = id - fit->first_worker;
	struct lgn_entries *e = &fit->loaded[local];
	struct lgn_svd_facts mine = { 0 }, all;
	struct lgn_svd_facts *parts = calloc(workers, sizeof(*parts));
	uint64_t *first = calloc(workers + 1, sizeof(*first));
	uint32_t round = 0;
	int rc = parts && first ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for "
					       "the facts of %zu workers",
					       workers);

	if (!rc)
		rc = fit->path ? take_file(fit, id, e, &mine) :
			take_rows(fit, local, e);
	measure(e, &mine);
	rc = lgn_share_meet(&fit->tidings, w, &round, rc, &mine, parts);
	if (!rc)
		rc = agree(fit, parts, &all, first);
	if (!rc && !is_matrix(fit))
		renumber(e, first[id]);
	if (!rc && !local) {		/* the same in all */
		fit->facts = all;
		memcpy(fit->first_row, first, (workers + 1) * sizeof(*first));
	}
	free(parts);
	free(first);
	return rc;
}

/* -------------------------------------------------------------- dealing */

int lgn_svd_deal(struct lagoon_worker *w, void *arg)
{
	struct lgn_svd_fit *fit = arg;
	size_t workers = (size_t)fit->workers;
	const struct lgn_deal d = {
		.w = w, .share = &fit->counts, .table = fit->dealt,
		.rows = fit->facts.rows, .cols = fit->facts.cols,
		.by_rows = !fit->turned,
		.entries = &fit->loaded[lagoon_worker_id(w) -
					fit->first_worker],
	};
	uint64_t *all = calloc(workers * workers, sizeof(*all));
	uint32_t round = 0;
	int rc = all ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for the counts of "
				    "%zu workers", workers);

	rc = lgn_deal(&d, &round, rc);
	/* What one of them could not take is an error of all. */
	if (all)
		rc = lgn_share_meet(&fit->counts, w, &round, rc, NULL, all);
	free(all);
	return rc;
}

/* ---------------------------------------------------------------- lines */

static void scale(struct lgn_entries *e, int exponent)
{
	for (size_t k = 0; k < e->n && exponent; k++)
		e->val[k] = ldexp(e->val[k], -exponent);
}

/* All elements, also those that are zero. */
static int fill(struct lgn_svd *t)
{
	const struct lgn_lines *l = &t->sparse;
	uint64_t length = t->fit->length;

	t->dense = calloc(t->u.n * length + 1, sizeof(*t->dense));
	if (!t->dense)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu x %llu "
				"elements", (unsigned long long)t->u.n,
				(unsigned long long)length);
	for (uint64_t i = 0; i < t->u.n; i++)
		for (int32_t k = l->start[i]; k < l->start[i + 1]; k++)
			t->dense[i * length + (uint64_t)l->index[k]] = l->val[k];
	lgn_lines_close(&t->sparse);
	return 0;
}

static int make_lines(struct lgn_svd *t)
{
	const struct lgn_svd_fit *fit = t->fit;
	struct lgn_lines_spec spec = {
		.rows = !fit->turned, .first = t->u.first, .lines = t->u.n,
		.length = fit->length, .path = fit->path,
	};
	int rc;

	scale(&t->entries, fit->exponent);
	rc = lgn_lines_open(&t->entries, &spec, &t->sparse);
	lgn_entries_free(&t->entries);
	if (rc)
		return rc;
	/* Columns of A are rows of its transpose. */
	t->sparse.a.layout = LAGOON_CSR;
	t->sparse.a.rows = t->u.n;
	t->sparse.a.cols = fit->length;
	return fit->dense ? fill(t) : 0;
}

int lgn_svd_open_lines(struct lgn_svd *t)
{
	const struct lgn_svd_fit *fit = t->fit;
	uint64_t workers = (uint64_t)fit->workers, id = (uint64_t)t->id;
	uint64_t end = fit->lines * (id + 1) / workers;

	t->u.first = fit->lines * id / workers;
	if (fit->in_place) {
		t->u.first = fit->first_row[id];
		end = fit->first_row[id + 1];
	}
	t->u.n = end - t->u.first;
	return make_lines(t);
}
