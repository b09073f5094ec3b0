/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <string.h>

#include "kernels/data/matrix.h"
#include "kernels/data/text.h"
#include "runtime/base/status.h"

#define DIGITS 18		/* more may not fit in 64 bits */

struct reader {
	struct lgn_text file;
	struct lgn_matrix m;
	size_t body;		/* where the line behind the size begins */
	int part, parts;	/* keep its rows only, from first to end - 1 */
	uint64_t first, end;
	struct lgn_entries data;
};

/* ------------------------------------------------------------ header */

/* Move behind a word, in any case of letters. */
static bool take_word(const char **p, const char *word)
{
	size_t len = strlen(word);

	*p = lgn_text_skip(*p);
	if (strncasecmp(*p, word, len) || !lgn_text_ends((*p)[len]))
		return false;
	*p += len;
	return true;
}

static int parse_banner(struct reader *r, const char *p, size_t at)
{
	if (!take_word(&p, "%%MatrixMarket") || !take_word(&p, "matrix"))
		return lgn_text_fail(&r->file, at, "expected "
				     "\"%%%%MatrixMarket matrix\"");
	r->m.array = take_word(&p, "array");
	if (!r->m.array && !take_word(&p, "coordinate"))
		return lgn_text_fail(&r->file, at, "expected \"coordinate\" or "
				     "\"array\"");
	r->m.pattern = !r->m.array && take_word(&p, "pattern");
	if (!r->m.pattern && !take_word(&p, "real") && !take_word(&p, "integer"))
		return lgn_text_fail(&r->file, at, "expected \"real\", "
				     "\"integer\" or \"pattern\"");
	r->m.mirror = r->m.array || r->m.as_target ? 0 :
		take_word(&p, "symmetric") ? 1 :
		take_word(&p, "skew-symmetric") ? -1 : 0;
	if ((!r->m.mirror && !take_word(&p, "general")) ||
	    *lgn_text_skip(p) != '\n')
		return lgn_text_fail(&r->file, at, "expected \"general\"%s",
				     r->m.array || r->m.as_target ? "" :
				     ", \"symmetric\" or \"skew-symmetric\"");
	return 0;
}

/* A number of digits only, at most max. */
static int parse_count(const struct reader *r, size_t at, const char *what,
		       uint64_t min, uint64_t max, const char **text,
		       uint64_t *count)
{
	char shown[LGN_TEXT_SHOWN + 4];
	const char *begin = lgn_text_skip(*text), *p = begin;
	uint64_t x = 0;
	unsigned d;

	while ((d = (unsigned)*p - '0') <= 9 && p - begin < DIGITS) {
		x = x * 10 + d;
		p++;
	}
	if (p == begin || *p == ',' || !lgn_text_ends(*p) || x < min || x > max)
		return lgn_text_fail(&r->file, at, "%s is \"%s\": expected "
				     "%llu to %llu", what,
				     lgn_text_show(begin, shown),
				     (unsigned long long)min,
				     (unsigned long long)max);
	*text = p;
	*count = x;
	return 0;
}

static int parse_size(struct reader *r, const char *p, size_t at)
{
	struct lgn_entries *e = &r->data;
	int rc = parse_count(r, at, "number of rows", 1, LGN_INDEX_MAX, &p,
			     &e->rows);

	if (!rc)
		rc = parse_count(r, at, "number of columns", 1,
				 r->m.as_target ? 1 : LGN_INDEX_MAX, &p,
				 &e->cols);
	r->m.info.entries = e->rows * e->cols;
	if (!rc && !r->m.array)
		rc = parse_count(r, at, "number of entries", 0,
				 r->m.info.entries, &p, &r->m.info.entries);
	if (!rc && *lgn_text_skip(p) != '\n')
		rc = lgn_text_fail(&r->file, at, "expected rows%s",
				   r->m.array ? " and columns" :
				   ", columns and entries");
	if (!rc && r->m.mirror && e->rows != e->cols)
		rc = lgn_text_fail(&r->file, at, "%llu rows and %llu columns: "
				   "expected as many of a symmetric matrix",
				   (unsigned long long)e->rows,
				   (unsigned long long)e->cols);
	r->m.sized = !rc;
	r->end = e->rows;
	if (r->parts) {
		r->first = e->rows * (uint64_t)r->part / (uint64_t)r->parts;
		r->end = e->rows * ((uint64_t)r->part + 1) / (uint64_t)r->parts;
	}
	return rc;
}

/* The banner, comments, the size; then 1. */
static int parse_head(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;

	if (!at)
		return parse_banner(r, line, at);
	if (r->m.sized) {
		r->body = at;
		return 1;
	}
	if (*line == '%' || *lgn_text_skip(line) == '\n')
		return 0;
	return parse_size(r, line, at);
}

/* -------------------------------------------------------------- body */

static int parse_place(struct reader *r, const char **p, size_t at,
		       uint64_t *row, uint64_t *col)
{
	struct lgn_entries *e = &r->data;
	int rc;

	if (r->m.array) {
		*row = r->m.info.found % e->rows;
		*col = r->m.info.found / e->rows;
		if (*col < e->cols)
			return 0;
		return lgn_text_fail(&r->file, at, "one value more: expected "
				     "%llu", (unsigned long long)
				     r->m.info.entries);
	}
	rc = parse_count(r, at, "row", 1, e->rows, p, row);
	if (!rc)
		rc = parse_count(r, at, "column", 1, e->cols, p, col);
	*row -= 1;
	*col -= 1;
	return rc;
}

static void keep_entry(struct reader *r, uint64_t row, uint64_t col, double value)
{
	if (r->parts && (row < r->first || row >= r->end))
		return;
	if (r->m.as_target)
		lgn_entries_target(&r->data, row - r->first, value);
	else if (value != 0)
		lgn_entries_add(&r->data, row - r->first, col, value);
}

static int parse_entry(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;
	const char *p = lgn_text_skip(line);
	uint64_t row = 0, col = 0;
	double value = 1;
	int rc;

	if (*p == '\n' || *p == '%')
		return 0;
	rc = parse_place(r, &p, at, &row, &col);
	p = lgn_text_skip(p);
	if (!rc && !r->m.pattern)
		rc = lgn_text_number(&r->file, at, "value", &p, &value);
	if (!rc && *lgn_text_skip(p) != '\n')
		rc = lgn_text_fail(&r->file, at, "more than an entry: expected "
				   "the end of the line");
	if (!rc)
		rc = lgn_entries_reserve(&r->data, 2, 1);
	if (rc)
		return rc;
	r->m.info.found++;
	keep_entry(r, row, col, value);
	if (r->m.mirror && row != col)
		keep_entry(r, col, row, r->m.mirror * value);
	return 0;
}

static int fail_unsized(const char *path)
{
	return lgn_fail(LAGOON_EINVAL, "%s: the file ends before the line of "
			"sizes", path);
}

static int read_part(struct reader *r, int part, int parts)
{
	size_t begin, end;
	int rc = lgn_text_each(&r->file, 0, r->file.size, parse_head, r);

	if (rc < 0)
		return rc;
	if (!r->m.sized)
		return fail_unsized(r->file.path);
	if (!rc)
		r->body = r->file.size;
	rc = lgn_entries_reserve(&r->data, 0, 0);
	if (rc || (r->m.array && part))
		return rc;
	if (r->m.array)
		parts = 1;
	begin = lgn_text_cut(&r->file, part, parts);
	end = lgn_text_cut(&r->file, part + 1, parts);
	if (begin < r->body)
		begin = r->body;
	return lgn_text_each(&r->file, begin, end, parse_entry, r);
}

int lgn_matrix_read(const char *path, int part, int parts, int as_target,
		    struct lgn_entries *data, struct lgn_matrix_info *info)
{
	struct reader r = { .m.as_target = as_target };
	int rc = lgn_text_open(path, &r.file);

	if (rc)
		return rc;
	rc = read_part(&r, part, parts);
	lgn_text_close(&r.file);
	if (rc) {
		lgn_entries_free(&r.data);
		return rc;
	}
	*data = r.data;
	*info = r.m.info;
	return 0;
}

int lgn_matrix_check(const char *path, uint64_t entries, uint64_t found)
{
	if (found == entries)
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s: %llu entries: the line of sizes "
			"says %llu", path, (unsigned long long)found,
			(unsigned long long)entries);
}

int lgn_matrix_rows(const char *path, int part, int parts, int as_target,
		    struct lgn_entries *data, uint64_t *rows)
{
	struct reader r = {
		.m.as_target = as_target, .part = part, .parts = parts,
	};
	int rc = lgn_text_open(path, &r.file);

	if (rc)
		return rc;
	rc = read_part(&r, 0, 1);
	lgn_text_close(&r.file);
	if (!rc)
		rc = lgn_matrix_check(path, r.m.info.entries, r.m.info.found);
	if (rc) {
		lgn_entries_free(&r.data);
		return rc;
	}
	*rows = r.data.rows;
	r.data.rows = r.end - r.first;
	*data = r.data;
	return 0;
}

/* ------------------------------------------------------------- blocks */

static int parse_any(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;

	return r->m.sized ? parse_entry(r, line, at) : parse_head(r, line, at);
}

int lgn_matrix_block(struct lgn_matrix *matrix, const struct lgn_text *block,
		     struct lgn_entries *data)
{
	struct reader r = { .file = *block, .m = *matrix, .data = *data };
	int rc = lgn_text_each(block, 0, block->size, parse_any, &r);

	*matrix = r.m;
	*data = r.data;
	return rc;
}

int lgn_matrix_end(const struct lgn_matrix *matrix, const char *path)
{
	if (!matrix->sized)
		return fail_unsized(path);
	return lgn_matrix_check(path, matrix->info.entries,
				matrix->info.found);
}
