/* SPDX-License-Identifier: BSD-3-Clause */
/* Which line of a file an error is about: readers do not keep that of every
 * entry, so the file is gone through once more. */
#include <stdlib.h>

#include "kernels/data/csv.h"
#include "kernels/data/text.h"
#include "kernels/solve/similar.h"
#include "runtime/base/status.h"

struct seek {
	const struct lgn_similar_set *set;
	const struct lgn_csv *csv;
	uint64_t row;
	uint64_t col;
	int n;			/* times that it is still to come */
	bool sized;
	size_t at;
};

static bool is_place(struct seek *s, const char *line)
{
	char *end;
	unsigned long long row = strtoull(line, &end, 10);

	return row == s->row + 1 && strtoull(end, NULL, 10) == s->col + 1;
}

static int look_at_line(void *arg, const char *line, size_t at)
{
	struct seek *s = arg;
	const char *p = lgn_text_skip(line);
	bool matrix = s->set->format == LAGOON_FILE_MATRIX;

	s->at = at;
	if (*p == '\n' || *p == '#' || (matrix && *p == '%') ||
	    (s->csv->has_header && at == s->csv->header))
		return 0;
	if (!matrix)
		return !s->row--;
	if (s->sized)
		return is_place(s, p) && !--s->n;
	s->sized = true;
	return 0;
}

static void find_header(const struct lgn_similar_set *set,
			const struct lgn_text *text, struct lgn_csv *csv)
{
	struct lgn_entries ignored = { 0 };

	if (set->format == LAGOON_FILE_CSV)
		lgn_csv_block(csv, text, &ignored);
	lgn_entries_free(&ignored);
}

static int fail_memory(uint64_t row, uint64_t col, const char *what)
{
	if (col == UINT64_MAX)
		return lgn_fail(LAGOON_EINVAL, "row %llu %s",
				(unsigned long long)row + 1, what);
	return lgn_fail(LAGOON_EINVAL, "row %llu: column %llu %s",
			(unsigned long long)row + 1,
			(unsigned long long)col + 1, what);
}

static int fail_file(const struct lgn_similar_set *set,
		     const struct lgn_similar_rows *rows, struct seek *s,
		     const char *what)
{
	struct lgn_csv csv = { 0 };
	struct lgn_text text;
	int rc = lgn_text_open(set->path, &text);

	if (rc)
		return rc;
	find_header(set, &text, &csv);
	s->csv = &csv;
	lgn_text_each(&text, rows->parts ?
		      lgn_text_cut(&text, rows->part, rows->parts) : 0,
		      text.size, look_at_line, s);
	if (s->col == UINT64_MAX)
		rc = lgn_text_fail(&text, s->at, "the row %s", what);
	else
		rc = lgn_text_fail(&text, s->at, "column %llu %s",
				   (unsigned long long)s->col + 1, what);
	lgn_text_close(&text);
	return rc;
}

int lgn_similar_fail(const struct lgn_similar_set *set,
		     const struct lgn_similar_rows *rows, uint64_t i,
		     uint64_t col, int n, const char *what)
{
	struct seek s = {
		.set = set, .row = rows->first + i, .col = col, .n = n,
	};

	return set->data ? fail_memory(s.row, col, what) :
		fail_file(set, rows, &s, what);
}
