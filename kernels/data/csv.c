/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "kernels/data/csv.h"
#include "kernels/data/decimal.h"
#include "kernels/data/text.h"
#include "runtime/base/status.h"

struct reader {
	struct lgn_text file;
	struct lgn_csv csv;
	struct lgn_entries data;
};

/* ---------------------------------------------------- the first line */

static bool is_number(const char *p)
{
	double x;

	return lgn_decimal_parse(lgn_text_skip(p), &x) != NULL;
}

static int look_at_line(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;
	bool any = is_number(line);

	if (*lgn_text_skip(line) == '\n')
		return 0;
	r->csv.fields = 1;
	for (const char *p = line; *p != '\n'; p++) {
		if (*p != ',')
			continue;
		any |= is_number(p + 1);
		r->csv.fields++;
	}
	r->csv.has_header = !any;
	r->csv.header = at;
	return 1;
}

/* Every part looks at it: the number of columns is that of the file. */
static int look(struct reader *r)
{
	int rc = lgn_text_each(&r->file, 0, r->file.size, look_at_line, r);

	if (rc < 0)
		return rc;
	if (!rc)
		return 0;
	if (r->csv.fields < 2)
		return lgn_text_fail(&r->file, r->csv.header, "one column: "
				     "expected at least two, with commas "
				     "between");
	if (r->csv.fields > LGN_INDEX_MAX)
		return lgn_text_fail(&r->file, r->csv.header,
				     "too many columns");
	r->data.cols = r->csv.fields - 1;
	return 0;
}

/* --------------------------------------------------------- all lines */

static int fail_number(const struct reader *r, size_t at, const char *p,
		       uint64_t field)
{
	double ignored;
	char what[40];

	if (*p == '\n' && field)
		return lgn_text_separator(&r->file, at, p, field, r->csv.fields,
					  true);
	snprintf(what, sizeof(what), "field %llu",
		 (unsigned long long)field + 1);
	return lgn_text_number(&r->file, at, what, &p, &ignored);
}

static int parse_fields(struct reader *r, const char *p, size_t at)
{
	uint64_t row = r->data.rows;
	double value = 0;

	for (uint64_t k = 0; k < r->csv.fields; k++) {
		const char *number = lgn_text_skip(p);

		p = lgn_decimal_parse(number, &value);
		if (!p || !isfinite(value) || !lgn_text_ends(*p))
			return fail_number(r, at, number, k);
		p = lgn_text_skip(p);
		if (*p != (k + 1 < r->csv.fields ? ',' : '\n'))
			return lgn_text_separator(&r->file, at, p, k,
						  r->csv.fields, true);
		p++;
		if (k + 1 < r->csv.fields && value != 0)
			lgn_entries_add(&r->data, row, k, value);
	}
	lgn_entries_target(&r->data, row, value);
	r->data.rows++;
	return 0;
}

static int parse_line(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;
	int rc;

	if (*lgn_text_skip(line) == '\n' || (r->csv.has_header && at == r->csv.header))
		return 0;
	if (r->data.rows == LGN_INDEX_MAX)
		return lgn_text_fail(&r->file, at, "too many rows");
	rc = lgn_entries_reserve(&r->data, r->csv.fields, 1);
	return rc ? rc : parse_fields(r, line, at);
}

static int read_part(struct reader *r, int part, int parts)
{
	size_t begin = lgn_text_cut(&r->file, part, parts);
	size_t end = lgn_text_cut(&r->file, part + 1, parts);
	int rc = look(r);

	if (!rc && !r->csv.fields)
		rc = lgn_fail(LAGOON_EINVAL, "%s: no rows, expected numbers "
			      "with commas between", r->file.path);
	if (!rc)
		rc = lgn_entries_reserve(&r->data, 0, 0);
	return rc ? rc : lgn_text_each(&r->file, begin, end, parse_line, r);
}

int lgn_csv_read(const char *path, int part, int parts,
		 struct lgn_entries *data)
{
	struct reader r = { .csv.fields = 0 };
	int rc = lgn_text_open(path, &r.file);

	if (rc)
		return rc;
	rc = read_part(&r, part, parts);
	lgn_text_close(&r.file);
	if (rc)
		lgn_entries_free(&r.data);
	else
		*data = r.data;
	return rc;
}

int lgn_csv_block(struct lgn_csv *csv, const struct lgn_text *block,
		  struct lgn_entries *data)
{
	struct reader r = { .file = *block, .csv = *csv, .data = *data };
	int rc = csv->fields ? 0 : look(&r);

	if (!rc && r.csv.fields)
		rc = lgn_text_each(block, 0, block->size, parse_line, &r);
	*csv = r.csv;
	*data = r.data;
	return rc;
}
