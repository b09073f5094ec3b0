/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows that stay in their file: a first pass finds where each block begins;
 * then a block is read and parsed whenever it is asked for, in pieces, so that
 * there is memory for one block and a piece of text. Meanwhile the system reads
 * the bytes of the next one. A file by gzip is inflated again in each pass up to
 * the end of the worker's part, which takes a few times as long as parsing it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/blocks.h"
#include "kernels/data/csv.h"
#include "kernels/data/entries.h"
#include "kernels/lagoon_solve.h"
#include "kernels/solve/columns.h"
#include "kernels/solve/linear/rows.h"
#include "runtime/base/status.h"

struct lgn_rows_file {
	struct lgn_rows_source source;
	struct lgn_rows_spec spec;
	struct lgn_blocks text;
	struct lgn_csv csv;
	struct lgn_columns set;
	off_t *at;		/* [blocks + 1] where they begin in the file */
	bool there;		/* one is in memory: */
	uint64_t current;
	uint64_t room;		/* for its entries */
};

static int fail_memory(uint64_t rows)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for blocks of %llu rows",
			(unsigned long long)rows);
}

int lgn_rows_convert(struct lgn_entries *e, struct lgn_libsvm *data)
{
	data->rows = e->rows;
	data->cols = e->cols;
	data->start = calloc(e->rows + 1, sizeof(*data->start));
	if (!data->start)
		return fail_memory(e->rows);
	for (size_t k = 0; k < e->n; k++)
		data->start[e->row[k] + 1]++;
	for (size_t i = 0; i < e->rows; i++)
		data->start[i + 1] += data->start[i];
	data->col = e->col;
	data->val = e->val;
	data->label = e->target;
	e->col = NULL;
	e->val = NULL;
	e->target = NULL;
	return 0;
}

/* -------------------------------------------------------------- pieces */

static int parse(const struct lgn_rows_source *source, struct lgn_csv *csv,
		 const struct lgn_text *text, int targets,
		 struct lgn_libsvm *data)
{
	const struct lgn_libsvm_range range = {
		.parts = 1,
		.zero_based = source->zero_based,
		.targets = targets,
	};
	struct lgn_entries e = { .rows = 0 };
	int rc;

	if (source->format == LAGOON_FILE_LIBSVM)
		return lgn_libsvm_parse(text, &range, data);
	rc = lgn_csv_block(csv, text, &e);
	e.cols = csv->fields ? csv->fields - 1 : 0;
	if (!rc)
		rc = lgn_rows_convert(&e, data);
	lgn_entries_free(&e);
	return rc;
}

/* What the first line says counts for every part. */
static int look(const struct lgn_rows_source *source, struct lgn_csv *csv)
{
	struct lgn_entries e = { .rows = 0 };
	struct lgn_blocks b;
	int rc;

	if (source->format == LAGOON_FILE_LIBSVM)
		return 0;
	rc = lgn_blocks_open(source->path, 0, 1, 4096, &b);
	while (!rc && !csv->fields) {
		rc = lgn_blocks_next(&b);
		if (rc <= 0)
			break;
		rc = lgn_csv_block(csv, &b.text, &e);
	}
	lgn_blocks_close(&b);
	lgn_entries_free(&e);
	return rc;
}

static int open_text(const struct lgn_rows_source *source, struct lgn_csv *csv,
		     struct lgn_blocks *b)
{
	int rc = lgn_blocks_open(source->path, source->part, source->parts,
				 LGN_BLOCK_BYTES, b);

	return rc ? rc : look(source, csv);
}

int lgn_rows_scan(const struct lgn_rows_source *source, int targets,
		  int (*take)(void *arg, const struct lgn_libsvm *piece),
		  void *arg)
{
	struct lgn_csv csv = { .fields = 0 };
	struct lgn_libsvm data = { .rows = 0 };
	struct lgn_blocks b;
	int rc = open_text(source, &csv, &b);

	while (!rc) {
		rc = lgn_blocks_next(&b);
		if (rc <= 0)
			break;
		rc = parse(source, &csv, &b.text, targets, &data);
		if (!rc)
			rc = take(arg, &data);
		lgn_libsvm_free(&data);
	}
	lgn_blocks_close(&b);
	return rc;
}

/* --------------------------------------------------------------- blocks */

struct marks {
	struct lgn_rows *rows;
	uint64_t row;		/* the next one's number */
	uint64_t block;		/* the next one that begins */
};

static uint64_t first_row(const struct lgn_rows *r, uint64_t block)
{
	return r->rows * block / r->blocks;
}

static int mark_line(void *arg, const char *line, size_t at)
{
	struct marks *m = arg;
	struct lgn_rows_file *f = m->rows->file;
	const char *p = lgn_text_skip(line);

	if (*p == '\n' || (f->source.format == LAGOON_FILE_LIBSVM ? *p == '#' :
			   f->csv.has_header && at == f->csv.header))
		return 0;
	while (m->block < m->rows->blocks &&
	       first_row(m->rows, m->block) == m->row)
		f->at[m->block++] = (off_t)at;
	m->row++;
	return 0;
}

/* Where the blocks begin: those without rows where the next one does. */
static int find_blocks(struct lgn_rows *r)
{
	struct lgn_rows_file *f = r->file;
	struct marks m = { .rows = r };
	int rc = 0;

	while (!rc) {
		rc = lgn_blocks_next(&f->text);
		if (rc <= 0)
			break;
		rc = lgn_text_each(&f->text.text, 0, f->text.text.size,
				   mark_line, &m);
	}
	if (!rc && m.row != r->rows)
		rc = lgn_fail(LAGOON_EIO, "%s: it has changed while it was read",
			      f->source.path);
	while (m.block <= r->blocks)
		f->at[m.block++] = f->text.end;
	for (uint64_t i = 0; i < r->blocks; i++) {
		uint64_t n = first_row(r, i + 1) - first_row(r, i);

		r->largest = n > r->largest ? n : r->largest;
	}
	return rc;
}

static int reserve(struct lgn_rows *r, uint64_t entries)
{
	struct lgn_rows_file *f = r->file;
	uint64_t room = 2 * f->room > entries ? 2 * f->room : entries;
	int32_t *index;
	double *val;

	if (entries <= f->room)
		return 0;
	index = realloc(r->index, room * sizeof(*index));
	r->index = index ? index : r->index;
	val = realloc(r->val, room * sizeof(*val));
	r->val = val ? val : r->val;
	if (!index || !val)
		return fail_memory(r->largest);
	f->room = room;
	return 0;
}

/* Behind the rows of the block that are there. */
static int add_piece(struct lgn_rows *r, const struct lgn_libsvm *data,
		     uint64_t expected, uint64_t *n)
{
	struct lgn_rows_file *f = r->file;
	int rc = 0;

	if (*n + data->rows > expected)
		return lgn_fail(LAGOON_EIO, "%s: it has changed while it was "
				"read", f->source.path);
	if (data->rows)
		rc = reserve(r, r->entries + data->start[data->rows] + 1);
	for (size_t i = 0; i < data->rows && !rc; i++, ++*n)
		rc = lgn_rows_take(data, i, &f->spec, r, *n, 0,
				   &r->start[*n + 1]);
	return rc;
}

static int read_rows(struct lgn_rows *r, uint64_t expected)
{
	struct lgn_rows_file *f = r->file;
	struct lgn_libsvm data = { .rows = 0 };
	uint64_t n = 0;
	int rc = 0;

	lgn_blocks_rewind(&f->text);
	while (!rc) {
		rc = lgn_blocks_next(&f->text);
		if (rc <= 0)
			break;
		rc = parse(&f->source, &f->csv, &f->text.text, 1, &data);
		if (!rc)
			rc = add_piece(r, &data, expected, &n);
		lgn_libsvm_free(&data);
	}
	if (!rc && n != expected)
		rc = lgn_fail(LAGOON_EIO, "%s: it has changed while it was read",
			      f->source.path);
	return rc;
}

static int read_block(struct lgn_rows *r, uint64_t i)
{
	struct lgn_rows_file *f = r->file;
	uint64_t first = first_row(r, i), n = first_row(r, i + 1) - first;
	struct lgn_block *b = r->block;
	int rc;

	f->text.begin = f->at[i];
	f->text.end = f->at[i + 1];
	r->entries = 0;
	r->start[0] = 0;
	rc = read_rows(r, n);
	if (i + 1 < r->blocks && !f->text.gz)
		posix_fadvise(f->text.fd, f->at[i + 1],
			      f->at[i + 2] - f->at[i + 1],
			      POSIX_FADV_WILLNEED);
	if (rc)
		return rc;
	free(b->cols);
	*b = (struct lgn_block){
		.first = first,
		.a = {
			.rows = n, .cols = f->spec.cols, .layout = LAGOON_CSR,
			.real_size = 8, .index_size = 4, .start = r->start,
			.index = r->index, .val = r->val,
		},
		.sign = r->sign,
		.class = r->class,
	};
	return lgn_rows_list(&f->set, r, b);
}

int lgn_rows_read(struct lgn_rows *rows, uint64_t i,
		  const struct lgn_block **block)
{
	struct lgn_rows_file *f = rows->file;
	int rc = 0;

	if (!f->there || f->current != i) {
		f->there = false;
		rc = read_block(rows, i);
		f->there = !rc;
		f->current = i;
	}
	*block = rows->block;
	return rc;
}

int lgn_rows_open_file(const struct lgn_rows_source *source, uint64_t n,
		       const struct lgn_rows_spec *spec, struct lgn_rows *r)
{
	struct lgn_rows_file *f = calloc(1, sizeof(*f));
	int rc;

	r->file = f;
	r->block = calloc(1, sizeof(*r->block));
	if (!f || !r->block)
		return fail_memory(n);
	f->source = *source;
	f->spec = *spec;
	r->rows = n;
	r->blocks = spec->blocks;
	r->largest_cols = (uint32_t)spec->cols;
	f->at = malloc((spec->blocks + 1) * sizeof(*f->at));
	rc = f->at ? open_text(source, &f->csv, &f->text) : fail_memory(n);
	if (!rc)
		rc = lgn_columns_open(&f->set, spec->cols);
	if (!rc)
		rc = find_blocks(r);
	if (rc)
		return rc;
	r->start = malloc((r->largest + 1) * sizeof(*r->start));
	r->sign = malloc((r->largest + 1) * sizeof(*r->sign));
	r->class = malloc((r->largest + 1) * sizeof(*r->class));
	return r->start && r->sign && r->class ? 0 : fail_memory(n);
}

void lgn_rows_close_file(struct lgn_rows *rows)
{
	struct lgn_rows_file *f = rows->file;

	if (!f)
		return;
	lgn_blocks_close(&f->text);
	lgn_columns_close(&f->set);
	free(f->at);
	free(f);
}
