/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a call, from memory or from files, checked; and agreeing on what
 * there is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/csv.h"
#include "kernels/data/entries.h"
#include "kernels/solve/linear/linear.h"
#include "kernels/solve/load.h"
#include "kernels/solve/memory.h"
#include "runtime/base/status.h"

/* ---------------------------------------------------------------- files */

static int check_target(const char *path, const char *target, bool matrix)
{
	if (matrix && path && !target)
		return lgn_fail(LAGOON_EINVAL, "%s: expected a file of its "
				"labels beside", path);
	if (target && (!matrix || !path))
		return lgn_fail(LAGOON_EINVAL, "%s: labels in a file of their "
				"own: expected for MatrixMarket data only",
				target);
	return 0;
}

int lgn_linear_check_files(struct lgn_linear_fit *fit)
{
	struct lagoon_linear_options *o = &fit->options;
	bool matrix;
	int rc;

	if (o->format < 0)
		o->format = lgn_format_of(fit->path);
	matrix = o->format == LAGOON_FILE_MATRIX;
	rc = check_target(fit->path, o->target, matrix);
	if (!rc)
		rc = check_target(fit->test, o->test_target, matrix);
	if (!rc && matrix && o->stream)
		rc = lgn_fail(LAGOON_ENOTSUP, "%s: rows of a MatrixMarket file "
			      "cannot be streamed: its entries come in any "
			      "order", fit->path);
	return rc;
}

/* ------------------------------------------------------ entries to rows */

static int fail_memory(uint64_t rows)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for %llu rows",
			(unsigned long long)rows);
}

static int fail_twice(uint64_t row, uint32_t col)
{
	return lgn_fail(LAGOON_EINVAL, "row %llu: column %lu stands there "
			"twice: expected once", (unsigned long long)row + 1,
			(unsigned long)col + 1);
}

/* first: number of the first row, for messages. */
static int check_twice(const struct lgn_libsvm *data, uint64_t first)
{
	uint64_t *seen = calloc(data->cols + 1, sizeof(*seen));
	int rc = seen ? 0 : fail_memory(data->rows);

	for (size_t i = 0; i < data->rows && !rc; i++)
		for (size_t k = data->start[i]; k < data->start[i + 1] && !rc;
		     k++) {
			if (seen[data->col[k]] == i + 1)
				rc = fail_twice(first + i, data->col[k]);
			seen[data->col[k]] = i + 1;
		}
	free(seen);
	return rc;
}

/* ------------------------------------------------------------- reading */

static int take_memory(const struct lgn_linear_fit *fit, int local,
		       struct lgn_libsvm *data)
{
	const struct lagoon_linear_data *d = fit->data;
	const struct lagoon_regression_data rows = {
		.size = d->size < sizeof(*d) ? 0 : sizeof(rows),
		.sparse = d->sparse, .rows = d->rows, .cols = d->cols,
		.stride = d->stride, .real_size = d->real_size,
		.dense = d->dense, .target = d->label,
	};
	int parts = lagoon_local_workers(fit->lg);
	size_t n = d->sparse ? d->sparse->rows : d->rows;
	struct lgn_entries e = { 0 };
	int rc = lgn_memory_take(&rows, "label", local, parts, &e);

	if (!rc)
		rc = lgn_rows_convert(&e, data);
	if (!rc)
		rc = check_twice(data, n * (size_t)local / (size_t)parts);
	lgn_entries_free(&e);
	return rc;
}

static int take_matrix(const struct lgn_linear_fit *fit, int id,
		       const char *path, const char *target,
		       struct lgn_libsvm *data)
{
	uint64_t first;
	int rc = lgn_rows_matrix(path, target, id, fit->workers, data, &first);

	return rc ? rc : check_twice(data, first);
}

static int take_file(const struct lgn_linear_fit *fit, int id,
		     const char *path, const char *target,
		     struct lgn_libsvm *data)
{
	const struct lgn_libsvm_range range = {
		.part = id,
		.parts = fit->workers,
		.zero_based = fit->options.zero_based,
		.targets = fit->options.loss == LAGOON_LINEAR_SOFTMAX,
	};
	struct lgn_entries e = { 0 };
	int rc;

	if (fit->options.format == LAGOON_FILE_LIBSVM)
		return lgn_libsvm_read(path, &range, data);
	if (fit->options.format == LAGOON_FILE_MATRIX)
		return take_matrix(fit, id, path, target, data);
	rc = lgn_csv_read(path, id, fit->workers, &e);
	if (!rc)
		rc = lgn_rows_convert(&e, data);
	lgn_entries_free(&e);
	return rc;
}

static int take(const struct lgn_linear_fit *fit, int id,
		struct lgn_linear_loaded *loaded)
{
	int rc;

	if (fit->data)
		return take_memory(fit, id - fit->first_worker, &loaded->data);
	rc = take_file(fit, id, fit->path, fit->options.target, &loaded->data);
	if (!rc && fit->test)
		rc = take_file(fit, id, fit->test, fit->options.test_target,
			       &loaded->test);
	return rc;
}

/* ------------------------------------------------------- what there is */

/* Adds a piece of a worker's rows, row by row: the sums are those of one piece
 * of all. */
static void measure(const struct lgn_libsvm *data,
		    struct lgn_linear_extent *extent)
{
	extent->rows += data->rows;
	extent->most_rows = extent->rows;
	if (data->cols > extent->cols)
		extent->cols = data->cols;
	extent->entries += data->rows ? data->start[data->rows] : 0;
	for (size_t i = 0; i < data->rows; i++) {
		double square = 0;

		for (size_t k = data->start[i]; k < data->start[i + 1]; k++)
			square += data->val[k] * data->val[k];
		extent->squares += square;
		extent->square = fmax(extent->square, square);
	}
}

static void merge_extent(const struct lgn_linear_extent *part,
			 struct lgn_linear_extent *all)
{
	all->rows += part->rows;
	all->entries += part->entries;
	all->squares += part->squares;
	all->square = fmax(all->square, part->square);
	if (part->most_rows > all->most_rows)
		all->most_rows = part->most_rows;
	if (part->cols > all->cols)
		all->cols = part->cols;
}

static const char *source(const struct lgn_linear_fit *fit)
{
	return fit->path ? fit->path : "data";
}

static int fail_labels(const struct lgn_linear_fit *fit,
		       const struct lgn_linear_facts *f, double label)
{
	if (fit->options.loss == LAGOON_LINEAR_SOFTMAX)
		return lgn_fail(LAGOON_EINVAL, "%s: label %g: there are %d "
				"others already, expected at most %d labels",
				source(fit), label, f->classes,
				LAGOON_LINEAR_LABELS);
	return lgn_fail(LAGOON_EINVAL, "%s: label %g: expected two distinct "
			"labels, there are %g and %g already", source(fit),
			label, f->label[0], f->label[1]);
}

/* To the labels, which rise. */
static int add_label(const struct lgn_linear_fit *fit, double label,
		     struct lgn_linear_facts *f)
{
	int most = fit->options.loss == LAGOON_LINEAR_SOFTMAX ?
		LAGOON_LINEAR_LABELS : 2;
	int low = 0, high = f->classes;

	while (low < high) {
		int middle = (low + high) / 2;

		if (f->label[middle] < label)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < f->classes && f->label[low] <= label)
		return 0;
	if (f->classes == most)
		return fail_labels(fit, f, label);
	memmove(&f->label[low + 1], &f->label[low],
		(size_t)(f->classes - low) * sizeof(label));
	f->label[low] = label;
	f->classes++;
	return 0;
}

static int find_labels(const struct lgn_linear_fit *fit,
		       const struct lgn_libsvm *data,
		       struct lgn_linear_facts *mine)
{
	int rc = 0;

	for (size_t i = 0; i < data->rows && !rc; i++)
		if (!i || data->label[i] < data->label[i - 1] ||
		    data->label[i] > data->label[i - 1])
			rc = add_label(fit, data->label[i], mine);
	return rc;
}

/* ------------------------------------------------------------- agreeing */

static int merge(const struct lgn_linear_fit *fit, int worker,
		 const struct lgn_linear_facts *part,
		 struct lgn_linear_facts *all)
{
	bool open_end = fit->path && fit->options.format == LAGOON_FILE_LIBSVM;
	int rc = 0;

	if (!open_end && all->data.cols && part->data.cols &&
	    part->data.cols != all->data.cols)
		return lgn_fail(LAGOON_EINVAL, "%llu columns in worker %d: "
				"expected %llu, as in those before",
				(unsigned long long)part->data.cols, worker,
				(unsigned long long)all->data.cols);
	/* With the line, if they are of a file. */
	if (open_end)
		rc = lgn_labels_merge(fit->path, &part->two, &all->two);
	for (int i = 0; i < part->classes && !rc; i++)
		rc = add_label(fit, part->label[i], all);
	merge_extent(&part->data, &all->data);
	merge_extent(&part->test, &all->test);
	return rc;
}

static int check_labels(const struct lgn_linear_fit *fit,
			const struct lgn_linear_facts *all)
{
	int expected = fit->data ? fit->data->classes : 0;

	if (all->classes < 2)
		return lgn_fail(LAGOON_EINVAL, "%s: every label is %g: expected "
				"two distinct labels", source(fit),
				all->label[0]);
	if (expected && expected != all->classes)
		return lgn_fail(LAGOON_EINVAL, "data: %d labels: expected %d, "
				"its classes", all->classes, expected);
	return 0;
}

static int check(const struct lgn_linear_fit *fit,
		 const struct lgn_linear_facts *all)
{
	if (!all->data.rows)
		return lgn_fail(LAGOON_EINVAL, "%s: no rows", source(fit));
	if (!all->data.cols)
		return lgn_fail(LAGOON_EINVAL, "%s: no columns", source(fit));
	if (fit->test && !all->test.rows)
		return lgn_fail(LAGOON_EINVAL, "%s: no rows", fit->test);
	if (all->data.rows >= LGN_INDEX_MAX || all->data.cols >= LGN_INDEX_MAX)
		return lgn_fail(LAGOON_ENOTSUP, "%s: %llu rows and %llu "
				"columns: expected fewer than 2^31",
				source(fit), (unsigned long long)all->data.rows,
				(unsigned long long)all->data.cols);
	return check_labels(fit, all);
}

static int agree(const struct lgn_linear_fit *fit,
		 const struct lgn_linear_facts *parts,
		 struct lgn_linear_facts *all)
{
	int rc = 0;

	memset(all, 0, sizeof(*all));
	for (int i = 0; i < fit->workers && !rc; i++)
		rc = merge(fit, i, &parts[i], all);
	return rc ? rc : check(fit, all);
}

/* Room that is too large for a stack. */
struct facts {
	struct lgn_linear_facts mine, all;
	struct lgn_linear_facts part[];		/* [workers] */
};

static int find(const struct lgn_linear_fit *fit, int id,
		struct lgn_linear_loaded *loaded, struct lgn_linear_facts *mine)
{
	int rc = take(fit, id, loaded);

	if (rc)
		return rc;
	measure(&loaded->data, &mine->data);
	measure(&loaded->test, &mine->test);
	mine->two = loaded->data.labels;
	return find_labels(fit, &loaded->data, mine);
}

/* ----------------------------------------- of rows that stay in the file */

struct pieces {
	const struct lgn_linear_fit *fit;
	struct lgn_linear_facts *mine;
};

static int take_piece(void *arg, const struct lgn_libsvm *piece)
{
	struct pieces *p = arg;
	int rc = lgn_labels_merge(p->fit->path, &piece->labels, &p->mine->two);

	measure(piece, &p->mine->data);
	return rc ? rc : find_labels(p->fit, piece, p->mine);
}

static int take_test_piece(void *arg, const struct lgn_libsvm *piece)
{
	struct pieces *p = arg;

	measure(piece, &p->mine->test);
	return 0;
}

static int scan(const struct lgn_linear_fit *fit, int id,
		struct lgn_linear_loaded *loaded, struct lgn_linear_facts *mine)
{
	int targets = fit->options.loss == LAGOON_LINEAR_SOFTMAX;
	struct lgn_rows_source source = lgn_linear_source(fit, id, fit->path);
	struct pieces p = { fit, mine };
	int rc = lgn_rows_scan(&source, targets, take_piece, &p);

	source.path = fit->test;
	if (!rc && fit->test)
		rc = lgn_rows_scan(&source, 1, take_test_piece, &p);
	loaded->rows = mine->data.rows;
	loaded->test_rows = mine->test.rows;
	return rc;
}

struct lgn_rows_source lgn_linear_source(const struct lgn_linear_fit *fit,
					 int id, const char *path)
{
	return (struct lgn_rows_source){
		.path = path, .part = id, .parts = fit->workers,
		.format = fit->options.format,
		.zero_based = fit->options.zero_based,
	};
}

int lgn_linear_load(struct lagoon_worker *w, void *arg)
{
	struct lgn_linear_fit *fit = arg;
	int id = lagoon_worker_id(w), local = id - fit->first_worker;
	struct facts *f = calloc(1, sizeof(*f) + (size_t)fit->workers *
				 sizeof(f->part[0]));
	uint32_t round = 0;
	int rc;

	if (!f) {
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for the facts of %d "
			      "workers", fit->workers);
		lgn_share_fail(&fit->tidings, w, round, rc);
		return rc;
	}
	rc = fit->options.stream && fit->path ?
		scan(fit, id, &fit->loaded[local], &f->mine) :
		find(fit, id, &fit->loaded[local], &f->mine);
	rc = lgn_share_meet(&fit->tidings, w, &round, rc, &f->mine, f->part);
	if (!rc)
		rc = agree(fit, f->part, &f->all);
	if (!rc && !local)
		fit->facts = f->all;	/* the same in all */
	free(f);
	return rc;
}
