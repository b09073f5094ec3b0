/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear/work.h"
#include "runtime/base/status.h"

#define SLICE 512		/* rows of the weights, at least */
#define SLICES 4		/* of each worker, at most */

static bool is_dealt(const struct lgn_linear_fit *fit)
{
	return fit->options.model == LAGOON_BSP;
}

static uint64_t slices_of(const struct lgn_linear_fit *fit)
{
	uint64_t most = fit->facts.data.cols / SLICE + 1;
	uint64_t enough = SLICES * (uint64_t)fit->workers;

	return most < enough ? most : enough;
}

int lgn_work_create(struct lgn_linear_fit *fit, struct lgn_work *work)
{
	struct lagoon_table_attr attr;
	int rc;

	work->slices = slices_of(fit);
	work->parts = lagoon_local_workers(fit->lg);
	work->part = calloc((size_t)work->parts + 1, sizeof(*work->part));
	lagoon_table_attr_init(&attr);
	attr.rows = 1 + (uint64_t)fit->workers;
	attr.format = LAGOON_I64;
	attr.model = LAGOON_ASP;
	rc = lagoon_table_create(fit->lg, "linear tickets", &attr,
				 &work->tickets);
	if (!rc)
		lagoon_table_set_saved(work->tickets, 0);
	return rc;
}

void lgn_work_destroy(struct lgn_work *work)
{
	if (work->tickets)
		lagoon_table_destroy(work->tickets);
	for (int i = 0; i < work->parts && work->part; i++) {
		lgn_rows_close(&work->part[i].rows);
		free(work->part[i].z);
		free(work->part[i].line);
	}
	free(work->part);
}

int lgn_work_open(struct lgn_linear *t, struct lgn_work *work,
		  struct lgn_work_drawn *drawn)
{
	size_t n = (t->rows.rows + 1) * t->fit->outputs;
	struct lgn_work_part *part;

	drawn->rows = calloc((size_t)work->parts + 1, sizeof(*drawn->rows));
	if (work->part && drawn->rows) {
		part = &work->part[t->id - t->fit->first_worker];
		part->rows = t->rows;
		part->z = calloc(n, sizeof(*part->z));
		part->line = calloc(n, sizeof(*part->line));
		if (part->z && part->line)
			return 0;
	}
	return lgn_fail(LAGOON_ENOMEM, "no memory for products of %llu rows",
			(unsigned long long)t->rows.rows);
}

void lgn_work_close(struct lgn_linear *t, struct lgn_work_drawn *drawn)
{
	if (drawn->rows)
		memset(&t->rows, 0, sizeof(t->rows));
	free(drawn->rows);
}

/* Portions [0, n) of one counter, each to one worker; the last ticket of each
 * of those who draw is one too many. */
static int draw(struct lgn_linear *t, const struct lgn_work *work, uint64_t row,
		int64_t before, int64_t *portion)
{
	int64_t ticket;
	int rc = lagoon_fetch_add(t->worker, work->tickets, row, 0, 1, &ticket);

	*portion = ticket - before;
	return rc;
}

static int use_slice(struct lgn_linear *t, const struct lgn_work *work,
		     int64_t i, lgn_work_slice *use, void *arg)
{
	uint64_t cols = t->fit->facts.data.cols, k = (uint64_t)i;
	uint64_t first = cols * k / work->slices;

	return use(t, first, cols * (k + 1) / work->slices - first, arg);
}

int lgn_work_slices(struct lgn_linear *t, const struct lgn_work *work,
		    struct lgn_work_drawn *drawn, lgn_work_slice *use,
		    void *arg)
{
	int64_t n = (int64_t)work->slices, i = t->id;
	int rc = 0;

	if (is_dealt(t->fit)) {
		for (; i < n && !rc; i += t->fit->workers)
			rc = use_slice(t, work, i, use, arg);
		return rc;
	}
	for (;;) {
		rc = draw(t, work, 0, drawn->slices, &i);
		if (rc || i >= n)
			break;
		rc = use_slice(t, work, i, use, arg);
		if (rc)
			break;
	}
	drawn->slices += n + t->fit->workers;
	return rc;
}

static int use_part(struct lgn_linear *t, struct lgn_work *work, int local,
		    struct lgn_work_drawn *drawn, lgn_work_block *use, void *arg)
{
	struct lgn_work_part *part = &work->part[local];
	uint64_t row = 1 + (uint64_t)(t->fit->first_worker + local);
	int64_t n = (int64_t)part->rows.blocks;
	const struct lgn_block *b;
	int rc = 0;

	for (int64_t i = 0;; i++) {
		if (!is_dealt(t->fit))
			rc = draw(t, work, row, drawn->rows[local], &i);
		if (rc || i >= n)
			break;
		rc = lgn_rows_block(&part->rows, (uint64_t)i, &b);
		if (rc)
			break;
		use(t, part, b, arg);
	}
	drawn->rows[local] += n + work->parts;
	return rc;
}

int lgn_work_rows(struct lgn_linear *t, struct lgn_work *work,
		  struct lgn_work_drawn *drawn, lgn_work_block *use, void *arg)
{
	int own = t->id - t->fit->first_worker, rc = 0;
	int parts = is_dealt(t->fit) ? 1 : work->parts;

	for (int k = 0; k < parts && !rc; k++)
		rc = use_part(t, work, (own + k) % work->parts, drawn, use, arg);
	return rc;
}
