/* SPDX-License-Identifier: BSD-3-Clause */
/* Which line of a file an error is about: readers do not keep that of every
 * entry, so the file is gone through once more. */
#include <stdlib.h>
#include <string.h>

#include "kernels/data/decimal.h"
#include "kernels/data/text.h"
#include "kernels/solve/similar/similar.h"
#include "runtime/base/status.h"

struct seek {
	const struct lgn_similar_set *set;
	uint64_t row;
	uint64_t col;
	int n;			/* times that it is still to come */
	bool begun;		/* the size, or what may be a header, was seen */
	size_t begin;		/* of the part */
	size_t at;
};

/* "row col value", with what may stand between. */
static bool is_place(const struct seek *s, const char *line)
{
	uint64_t base = s->set->format == LAGOON_FILE_MATRIX;
	char *end;
	unsigned long long row = strtoull(line, &end, 10);

	return row == s->row + base &&
		strtoull(end + strspn(end, " \t,:"), NULL, 10) == s->col + base;
}

static bool has_number(const char *p)
{
	double ignored;

	for (; *p != '\n'; p++) {
		p = lgn_text_skip(p);
		if (lgn_decimal_parse(p, &ignored))
			return true;
		p += strcspn(p, ", \t\n");
		if (*p == '\n')
			break;
	}
	return false;
}

static int look_at_row(struct seek *s, const char *p, size_t at)
{
	bool first = !s->begun;

	s->begun = true;
	if (at < s->begin || (first && s->set->format == LAGOON_FILE_CSV &&
			      !has_number(p)))
		return 0;
	return !s->row--;
}

static int look_at_line(void *arg, const char *line, size_t at)
{
	struct seek *s = arg;
	const char *p = lgn_text_skip(line);
	int format = s->set->format;
	bool entries = format == LAGOON_FILE_MATRIX ||
		format == LAGOON_FILE_RATINGS;

	s->at = at;
	if (*p == '\n' || *p == '#' || (entries && *p == '%'))
		return 0;
	if (!entries)
		return look_at_row(s, p, at);
	if (s->begun || format == LAGOON_FILE_RATINGS)
		return is_place(s, p) && !--s->n;
	s->begun = true;
	return 0;
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
	struct lgn_text text;
	int rc = lgn_text_open(set->path, &text);

	if (rc)
		return rc;
	if (rows->parts)
		s->begin = lgn_text_cut(&text, rows->part, rows->parts);
	lgn_text_each(&text, 0, text.size, look_at_line, s);
	if (s->col == UINT64_MAX)
		rc = lgn_text_fail(&text, s->at, "the row %s", what);
	else
		rc = lgn_text_fail(&text, s->at, set->format ==
				   LAGOON_FILE_RATINGS ? "item %llu %s" :
				   "column %llu %s", (unsigned long long)s->col +
				   (set->format != LAGOON_FILE_RATINGS), what);
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
