/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a call, from memory or from files, checked; and agreeing on what
 * there is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/csv.h"
#include "kernels/data/libsvm.h"
#include "kernels/data/text.h"
#include "kernels/solve/memory.h"
#include "kernels/solve/regression/regression.h"
#include "runtime/base/status.h"

/* The worker's share of the process's rows. */
static int take_rows(const struct lgn_regression_fit *fit, int local,
		     struct lgn_entries *out)
{
	return lgn_memory_take(fit->data, "target", local,
			       lagoon_local_workers(fit->lg), out);
}

/* ---------------------------------------------------------------- files */

static int from_libsvm(const char *path, struct lgn_libsvm_range *range,
		       struct lgn_entries *out)
{
	struct lgn_libsvm data;
	int rc;

	range->targets = 1;
	rc = lgn_libsvm_read(path, range, &data);
	if (rc)
		return rc;
	rc = lgn_entries_reserve(out, data.start[data.rows], data.rows);
	for (size_t i = 0; i < data.rows && !rc; i++) {
		for (size_t k = data.start[i]; k < data.start[i + 1]; k++)
			if (data.val[k] != 0)
				lgn_entries_add(out, i, data.col[k],
						data.val[k]);
		lgn_entries_target(out, i, data.label[i]);
	}
	out->rows = data.rows;
	out->cols = data.cols;
	lgn_libsvm_free(&data);
	return rc;
}

static int from_matrix(const struct lgn_regression_fit *fit, int part,
		       int parts, struct lgn_entries *out,
		       struct lgn_regression_facts *facts)
{
	struct lgn_entries target = { 0 };
	int rc = lgn_matrix_read(fit->path, part, parts, 0, out,
				 &facts->matrix);

	if (!rc)
		rc = lgn_matrix_read(fit->target, part, parts, 1, &target,
				     &facts->target);
	if (rc)
		return rc;
	free(out->target_row);
	free(out->target);
	out->n_targets = target.n_targets;
	out->target_row = target.target_row;
	out->target = target.target;
	facts->targets = target.rows;
	target.target_row = NULL;
	target.target = NULL;
	lgn_entries_free(&target);
	return 0;
}

static int read_file(const struct lgn_regression_fit *fit, int part, int parts,
		     struct lgn_entries *out,
		     struct lgn_regression_facts *facts)
{
	struct lgn_libsvm_range range = {
		.part = part,
		.parts = parts,
		.zero_based = fit->options.zero_based,
	};

	switch (fit->options.format) {
	case LAGOON_FILE_CSV:
		return lgn_csv_read(fit->path, part, parts, out);
	case LAGOON_FILE_MATRIX:
		return from_matrix(fit, part, parts, out, facts);
	default:
		return from_libsvm(fit->path, &range, out);
	}
}

/* A file by gzip has one reader, worker 0. */
static int take_file(const struct lgn_regression_fit *fit, int id,
		     struct lgn_entries *out,
		     struct lgn_regression_facts *facts)
{
	if (!fit->one_reader)
		return read_file(fit, id, fit->workers, out, facts);
	return id ? lgn_entries_reserve(out, 0, 0) :
		read_file(fit, 0, 1, out, facts);
}

/* ------------------------------------------------------------- agreeing */

static int fail_cols(int worker, uint64_t cols, uint64_t all)
{
	return lgn_fail(LAGOON_EINVAL, "%llu columns in worker %d: expected "
			"%llu, as in those before",
			(unsigned long long)cols, worker,
			(unsigned long long)all);
}

/* Only a LIBSVM file does not say how many columns it has. */
static int merge_cols(const struct lgn_regression_fit *fit, int worker,
		      const struct lgn_regression_facts *part,
		      struct lgn_regression_facts *all)
{
	bool open_end = fit->path && fit->options.format == LAGOON_FILE_LIBSVM;

	if (!open_end && all->cols && part->cols && part->cols != all->cols)
		return fail_cols(worker, part->cols, all->cols);
	if (part->cols > all->cols)
		all->cols = part->cols;
	return 0;
}

static int check_matrix(const struct lgn_regression_fit *fit,
			const struct lgn_regression_facts *all)
{
	int rc = lgn_matrix_check(fit->path, all->matrix.entries,
				  all->matrix.found);

	if (!rc)
		rc = lgn_matrix_check(fit->target, all->target.entries,
				      all->target.found);
	if (!rc && all->targets != all->rows)
		rc = lgn_fail(LAGOON_EINVAL, "%s: %llu rows: expected %llu, as "
			      "in %s", fit->target,
			      (unsigned long long)all->targets,
			      (unsigned long long)all->rows, fit->path);
	return rc;
}

static int check(const struct lgn_regression_fit *fit,
		 const struct lgn_regression_facts *all)
{
	const char *what = fit->path ? fit->path : "data";

	if (!all->rows)
		return lgn_fail(LAGOON_EINVAL, "%s: no rows", what);
	if (!all->cols)
		return lgn_fail(LAGOON_EINVAL, "%s: no columns", what);
	if (all->rows >= LGN_INDEX_MAX || all->cols >= LGN_INDEX_MAX)
		return lgn_fail(LAGOON_ENOTSUP, "%s: %llu rows and %llu "
				"columns: expected fewer than 2^31", what,
				(unsigned long long)all->rows,
				(unsigned long long)all->cols);
	return 0;
}

static bool has_whole_rows(const struct lgn_regression_fit *fit)
{
	return !fit->one_reader &&
		(!fit->path || fit->options.format != LAGOON_FILE_MATRIX);
}

static int agree(struct lgn_regression_fit *fit,
		 const struct lgn_regression_facts *parts,
		 struct lgn_regression_facts *all, uint64_t *first_row)
{
	bool matrix = fit->path && fit->options.format == LAGOON_FILE_MATRIX;
	int rc = 0;

	memset(all, 0, sizeof(*all));
	for (int i = 0; i < fit->workers && !rc; i++) {
		first_row[i] = all->rows;
		all->entries += parts[i].entries;
		all->matrix.found += parts[i].matrix.found;
		all->target.found += parts[i].target.found;
		if (matrix)
			all->rows = parts[0].rows;
		else
			all->rows += parts[i].rows;
		rc = merge_cols(fit, i, &parts[i], all);
	}
	all->matrix.entries = parts[0].matrix.entries;
	all->target.entries = parts[0].target.entries;
	all->targets = parts[0].targets;
	if (!rc)
		rc = check(fit, all);
	if (!rc && matrix)
		rc = check_matrix(fit, all);
	for (int i = 0; i <= fit->workers && !has_whole_rows(fit); i++)
		first_row[i] = all->rows * (uint64_t)i / (uint64_t)fit->workers;
	first_row[fit->workers] = all->rows;
	return rc;
}

/* Rows of a worker's own count become those of all. */
static void renumber(struct lgn_entries *e, uint64_t first)
{
	for (size_t k = 0; k < e->n; k++)
		e->row[k] += (uint32_t)first;
	for (size_t k = 0; k < e->n_targets; k++)
		e->target_row[k] += (uint32_t)first;
}

static void keep(struct lgn_regression_fit *fit, int local,
		 const struct lgn_regression_facts *all, const uint64_t *first)
{
	if (has_whole_rows(fit))
		renumber(&fit->loaded[local], first[fit->first_worker + local]);
	if (local)
		return;		/* the same in all */
	fit->facts = *all;
	memcpy(fit->first_row, first,
	       ((size_t)fit->workers + 1) * sizeof(*first));
	fit->in_place = has_whole_rows(fit);
}

int lgn_regression_load(struct lagoon_worker *w, void *arg)
{
	struct lgn_regression_fit *fit = arg;
	size_t workers = (size_t)fit->workers;
	int id = lagoon_worker_id(w), local = id - fit->first_worker;
	struct lgn_entries *e = &fit->loaded[local];
	struct lgn_regression_facts mine = { 0 }, all;
	struct lgn_regression_facts *parts = calloc(workers, sizeof(*parts));
	uint64_t *first = calloc(workers + 1, sizeof(*first));
	uint32_t round = 0;
	int rc = parts && first ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for "
					       "the facts of %zu workers",
					       workers);

	if (!rc)
		rc = fit->path ? take_file(fit, id, e, &mine) :
			take_rows(fit, local, e);
	mine.rows = e->rows;
	mine.cols = e->cols;
	mine.entries = e->n;
	rc = lgn_share_meet(&fit->tidings, w, &round, rc, &mine, parts);
	if (!rc)
		rc = agree(fit, parts, &all, first);
	if (!rc)
		keep(fit, local, &all, first);
	free(parts);
	free(first);
	return rc;
}
