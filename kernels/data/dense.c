/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/decimal.h"
#include "kernels/data/dense.h"
#include "kernels/data/text.h"
#include "runtime/base/status.h"

#define COLS_MAX (UINT64_C(1) << 24)

struct reader {
	struct lgn_text file;
	bool commas;
	bool has_header;
	size_t header;		/* where it is */
	double most;
	uint64_t room;		/* rows */
	struct lgn_dense data;
};

static bool is_nothing(const char *line)
{
	const char *p = lgn_text_skip(line);

	return *p == '\n' || *p == '#';
}

/* Lines may have zeros in them: they are no strings. */
static bool has(const char *line, char c)
{
	while (*line != c && *line != '\n')
		line++;
	return *line == c;
}

/* ---------------------------------------------------- the first line */

/* any: is one of them a number? */
static uint64_t count_fields(const struct reader *r, const char *line, bool *any)
{
	const char *p = lgn_text_skip(line);
	double ignored;

	for (uint64_t n = 1;; n++) {
		*any |= lgn_decimal_parse(p, &ignored) != NULL;
		while (r->commas ? *p != ',' && *p != '\n' : !lgn_text_ends(*p))
			p++;
		p = lgn_text_skip(p);
		if (*p == '\n')
			return n;
		if (r->commas)
			p = lgn_text_skip(p + 1);
	}
}

static int look_at_line(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;
	bool any = false;

	if (is_nothing(line))
		return 0;
	r->commas = has(line, ',');
	r->data.cols = count_fields(r, line, &any);
	r->has_header = !any;
	r->header = at;
	return 1;
}

/* Every part looks at it: the number of columns is that of the file. */
static int look(struct reader *r)
{
	int rc = lgn_text_each(&r->file, 0, r->file.size, look_at_line, r);

	if (rc < 0)
		return rc;
	if (!rc)
		return lgn_fail(LAGOON_EINVAL, "%s: no rows, expected numbers "
				"with commas or blanks between", r->file.path);
	if (r->data.cols > COLS_MAX)
		return lgn_text_fail(&r->file, r->header, "too many columns");
	return 0;
}

/* --------------------------------------------------------- all lines */

static int reserve(struct reader *r)
{
	uint64_t room = r->room ? 2 * r->room : 64;
	double *x;

	if (r->data.rows < r->room)
		return 0;
	x = realloc(r->data.x, room * r->data.cols * sizeof(*x));
	if (!x)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for %llu rows of "
				"%llu numbers", r->file.path,
				(unsigned long long)room,
				(unsigned long long)r->data.cols);
	r->data.x = x;
	r->room = room;
	return 0;
}

static int fail_number(const struct reader *r, size_t at, const char *p,
		       uint64_t field)
{
	double x;
	char what[40];
	int rc;

	if (*p == '\n' && field)
		return lgn_text_separator(&r->file, at, p, field, r->data.cols,
					  r->commas);
	snprintf(what, sizeof(what), "field %llu",
		 (unsigned long long)field + 1);
	rc = lgn_text_number(&r->file, at, what, &p, &x);
	return rc ? rc : lgn_text_fail(&r->file, at, "%s is %g: expected at most "
				       "%g", what, x, r->most);
}

static int parse_fields(struct reader *r, const char *p, size_t at)
{
	uint64_t cols = r->data.cols;
	double *x = r->data.x + r->data.rows * cols;

	for (uint64_t k = 0; k < cols; k++) {
		const char *number = lgn_text_skip(p);
		bool last = k + 1 == cols;

		p = lgn_decimal_parse(number, &x[k]);
		if (!p || !(fabs(x[k]) <= r->most) || !lgn_text_ends(*p))
			return fail_number(r, at, number, k);
		p = lgn_text_skip(p);
		if (last ? *p != '\n' : r->commas ? *p != ',' : *p == '\n')
			return lgn_text_separator(&r->file, at, p, k,
						  cols, r->commas);
		p += r->commas;
	}
	r->data.rows++;
	return 0;
}

static int parse_line(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;
	int rc;

	if (is_nothing(line) || (r->has_header && at == r->header))
		return 0;
	rc = reserve(r);
	return rc ? rc : parse_fields(r, line, at);
}

int lgn_dense_read(const char *path, int part, int parts, double most,
		   struct lgn_dense *data)
{
	struct reader r = { .most = most };
	int rc = lgn_text_open(path, &r.file);

	if (rc)
		return rc;
	rc = look(&r);
	if (!rc)
		rc = lgn_text_each(&r.file, lgn_text_cut(&r.file, part, parts),
				   lgn_text_cut(&r.file, part + 1, parts),
				   parse_line, &r);
	lgn_text_close(&r.file);
	if (rc)
		lgn_dense_free(&r.data);
	else
		*data = r.data;
	return rc;
}

void lgn_dense_free(struct lgn_dense *data)
{
	free(data->x);
	memset(data, 0, sizeof(*data));
}

static int look_for_colon(void *arg, const char *line, size_t at)
{
	bool *found = arg;

	(void)at;
	if (is_nothing(line))
		return 0;
	*found = has(line, ':');
	return 1;
}

int lgn_dense_is_libsvm(const char *path)
{
	struct lgn_text file;
	bool found = false;
	int rc = lgn_text_open(path, &file);

	if (rc)
		return rc;
	rc = lgn_text_each(&file, 0, file.size, look_for_colon, &found);
	lgn_text_close(&file);
	return rc < 0 ? rc : found;
}
