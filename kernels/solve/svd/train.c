/* SPDX-License-Identifier: BSD-3-Clause */
/* One worker's part of a call: its lines of the matrix, the method, and what it
 * found, for those who want it. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/svd/svd.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"

#define ROUNDING 8		/* times the rounding of one element */
#define ROWS ((uint64_t)1024)	/* that are handed out at once */

int lgn_svd_tell(struct lgn_svd *t, double residual)
{
	struct lgn_svd_fit *fit = t->fit;
	const struct lagoon_svd_options *o = &fit->options;
	struct lagoon_svd_pass p = {
		.pass = ++t->pass,
		.products = t->products,
		.largest = ldexp(t->s[0], fit->exponent),
		.smallest = ldexp(t->s[o->k - 1], fit->exponent),
		.residual = residual,
		.seconds = lgn_seconds_since(fit->start_ns),
	};
	const struct lgn_saving saving = lgn_svd_saving(fit);
	double told[] = { t->asked, lgn_saving_is_interrupted(&saving) != 0 };
	int rc = lgn_svd_sum(t, 0, 2, told);

	if (rc)
		return rc;
	t->stopped = told[0] > 0;
	t->told = told[1] > 0;
	if (t->id == fit->first_worker && o->progress)
		t->asked = o->progress(o->progress_arg, &p) != 0;
	return 0;
}

/* -------------------------------------------------------------- the end */

/* This worker's elements of k vectors [k][n] as rows of the table from row on. */
static int put(struct lgn_svd *t, const struct lgn_svd_basis *b, uint64_t row,
	       double *rows)
{
	size_t k = (size_t)t->fit->options.k;
	int rc = 0;

	for (uint64_t i = 0; i < b->n && !rc; i += ROWS) {
		uint64_t some = b->n - i < ROWS ? b->n - i : ROWS;

		for (size_t j = 0; j < k; j++)
			for (uint64_t l = 0; l < some; l++)
				rows[l * k + j] = b->vectors[j * b->n + i + l];
		rc = lagoon_add(t->w, t->fit->found, row + b->first + i, some,
				rows);
	}
	return rc;
}

/* n rows of the table from row on, as vectors [k][n]. */
static int get(struct lgn_svd *t, uint64_t row, uint64_t n, double *rows,
	       double *out)
{
	size_t k = (size_t)t->fit->options.k;
	int rc = 0;

	for (uint64_t i = 0; i < n && !rc; i += ROWS) {
		uint64_t some = n - i < ROWS ? n - i : ROWS;

		rc = lagoon_pull(t->w, t->fit->found, row + i, some, rows);
		for (size_t j = 0; j < k; j++)
			for (uint64_t l = 0; l < some; l++)
				out[j * n + i + l] = rows[l * k + j];
	}
	return rc;
}

/* To the caller in this process: of left vectors the elements of its own rows,
 * or of a file all. */
static int get_both(struct lgn_svd *t, double *rows)
{
	struct lgn_svd_fit *fit = t->fit;
	uint64_t left = fit->turned ? fit->lines : 0;
	uint64_t right = fit->turned ? 0 : fit->lines;
	int end = fit->first_worker + lagoon_local_workers(fit->lg);
	uint64_t first = fit->path ? 0 : fit->first_row[fit->first_worker];
	uint64_t n = fit->path ? fit->facts.rows : fit->first_row[end] - first;
	int rc = 0;

	if (fit->left)
		rc = get(t, left + first, n, rows, fit->left);
	if (!rc && fit->right)
		rc = get(t, right, fit->facts.cols, rows, fit->right);
	return rc;
}

static int hand_out(struct lgn_svd *t)
{
	struct lgn_svd_fit *fit = t->fit;
	double *rows, none = 0;
	int rc = 0;

	if (!fit->found)
		return 0;
	rows = malloc(ROWS * (size_t)fit->options.k * sizeof(*rows));
	if (!rows)
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for %llu rows of "
			      "vectors", (unsigned long long)ROWS);
	if (!rc)
		rc = put(t, &t->u, 0, rows);
	if (!rc)
		rc = put(t, &t->v, fit->lines, rows);
	rc = lgn_svd_sum(t, rc, 1, &none);
	if (!rc && t->id == fit->first_worker)
		rc = get_both(t, rows);
	free(rows);
	return rc;
}

static void tell_interrupted(const struct lgn_svd *t)
{
	struct lagoon_svd_result *r = t->fit->result;

	lagoon_svd_result_free(r);
	r->interrupted = 1;
	r->passes = t->pass;
	r->products = t->products;
	r->residual = t->residual;
}

static int finish(struct lgn_svd *t)
{
	struct lgn_svd_fit *fit = t->fit;
	struct lagoon_svd_result *r = fit->result;
	int rc = 0;

	if (t->interrupted) {
		if (t->id == fit->first_worker)
			tell_interrupted(t);
		return 0;
	}
	if (!isfinite(ldexp(t->s[0], fit->exponent)))
		return lgn_fail(LAGOON_ERANGE, "the largest singular value is "
				"%g times 2^%d: expected a double", t->s[0],
				fit->exponent);
	rc = hand_out(t);
	if (rc || t->id != fit->first_worker)
		return rc;
	r->passes = t->pass;
	r->converged = t->converged;
	r->stopped = t->stopped;
	r->products = t->products;
	r->residual = t->residual;
	for (int i = 0; i < fit->options.k && fit->values; i++)
		fit->values[i] = ldexp(t->s[i], fit->exponent);
	return 0;
}

/* -------------------------------------------------------------- opening */

static uint64_t part(uint64_t n, int i, int of)
{
	return n * (uint64_t)i / (uint64_t)of;
}

static int open_vectors(struct lgn_svd *t)
{
	const struct lgn_svd_fit *fit = t->fit;
	bool block = fit->options.method == LAGOON_SVD_RANDOMISED;
	uint64_t n = t->width, row = block ? n : fit->row;
	uint64_t longer = t->u.n > t->v.n ? t->u.n : t->v.n;
	uint64_t all = (uint64_t)fit->workers * n * n;
	struct {
		double **to;
		uint64_t n;
	} vectors[] = {
		{ &t->u.vectors, t->u.n * n }, { &t->v.vectors, t->v.n * n },
		{ &t->x, fit->table_rows * row }, { &t->y, t->v_rows * row },
		{ &t->matrix, n * n }, { &t->left, n * n },
		{ &t->right, n * n }, { &t->s, n }, { &t->was, n },
		{ &t->dots, n + 2 }, { &t->some, n * LGN_SVD_CHUNK },
		{ &t->stack, block && !t->id ? all : 0 },
		{ &t->turned, block ? (uint64_t)fit->options.k * longer : 0 },
	};

	for (size_t i = 0; i < LGN_COUNT(vectors); i++) {
		*vectors[i].to = calloc(vectors[i].n + 1, sizeof(double));
		if (!*vectors[i].to)
			return lgn_fail(LAGOON_ENOMEM, "no memory for %llu "
					"numbers",
					(unsigned long long)vectors[i].n);
	}
	return 0;
}

static void close_all(struct lgn_svd *t)
{
	double *const vectors[] = {
		t->u.vectors, t->v.vectors, t->x, t->y, t->matrix, t->left,
		t->right, t->s, t->was, t->dots, t->some, t->stack, t->turned,
		t->dense, t->all,
	};

	for (size_t i = 0; i < LGN_COUNT(vectors); i++)
		free(vectors[i]);
	lgn_lines_close(&t->sparse);
	lgn_entries_free(&t->entries);
}

/* A vector is nothing beside the others when it is as short as rounding makes
 * it, which goes by the length of the matrix. */
static int measure(struct lgn_svd *t, int rc)
{
	size_t n = t->dense ? t->u.n * t->fit->length : t->sparse.a.rows ?
		(size_t)t->sparse.start[t->sparse.a.rows] : 0;
	const double *val = t->dense ? t->dense : t->sparse.val;
	double squares = rc || !n ? 0 : lagoon_dense_dot(n, val, val);

	rc = lgn_svd_sum(t, rc, 1, &squares);
	t->zero = ROUNDING * DBL_EPSILON * sqrt(squares);
	return rc;
}

static int prepare(struct lgn_svd *t)
{
	struct lgn_svd_fit *fit = t->fit;
	struct lgn_entries *loaded = &fit->loaded[t->id - fit->first_worker];
	size_t each = fit->tidings.bytes;
	uint64_t end;
	int rc;

	t->entries = *loaded;
	memset(loaded, 0, sizeof(*loaded));
	t->width = fit->width;
	t->all = calloc((size_t)fit->workers + 1, each);
	rc = t->all ? 0 : lgn_fail(LAGOON_ENOMEM, "no memory for the tidings "
				   "of %d workers", fit->workers);
	if (fit->saved)
		lgn_svd_mark(t);
	if (!rc)
		rc = lgn_svd_open_lines(t);
	t->v_row = part(fit->table_rows, t->id, fit->workers);
	t->v_rows = part(fit->table_rows, t->id + 1, fit->workers) - t->v_row;
	t->v.first = t->v_row * fit->row;
	end = (t->v_row + t->v_rows) * fit->row;
	t->v.n = (end < fit->length ? end : fit->length) - t->v.first;
	if (!t->v_rows)
		t->v.n = 0;
	return rc ? rc : open_vectors(t);
}

int lgn_svd_train(struct lagoon_worker *w, void *arg)
{
	struct lgn_svd_fit *fit = arg;
	struct lgn_svd t = { .fit = fit, .w = w, .id = lagoon_worker_id(w) };
	int rc = prepare(&t);
	uint64_t start;

	if (t.all)
		rc = measure(&t, rc);
	start = lgn_now_ns();
	if (!rc && fit->saved)
		rc = lgn_svd_resume(&t);
	if (!rc)
		rc = fit->options.method == LAGOON_SVD_LANCZOS ?
			lgn_svd_lanczos(&t) : lgn_svd_randomised(&t);
	if (!rc && t.id == fit->first_worker)
		fit->result->fit_seconds =
			lgn_seconds_since(start);
	if (!rc)
		rc = finish(&t);
	if (rc)
		lgn_share_fail(&fit->tidings, w, t.round, rc);
	close_all(&t);
	return rc;
}
