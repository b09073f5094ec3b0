/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernels/data/ratings.h"
#include "kernels/data/blocks.h"
#include "kernels/data/decimal.h"
#include "runtime/base/status.h"

#define DIGITS 18		/* more may not fit in 64 bits */

struct reader {
	const struct lgn_text *text;
	struct lgn_entries *out;
};

/* Behind what stands between two fields. */
static const char *skip_separator(const char *p)
{
	p = lgn_text_skip(p);
	if (*p == ',')
		p = lgn_text_skip(p + 1);
	else if (p[0] == ':' && p[1] == ':')
		p = lgn_text_skip(p + 2);
	return p;
}

static bool ends_field(const char *p)
{
	return lgn_text_ends(*p) || (p[0] == ':' && p[1] == ':');
}

static int parse_id(const struct reader *r, size_t at, const char *what,
		    const char **p, uint64_t *id)
{
	char shown[LGN_TEXT_SHOWN + 4];
	const char *begin = *p, *q = begin;

	for (*id = 0; (unsigned)*q - '0' <= 9 && q - begin <= DIGITS; q++)
		*id = *id * 10 + ((unsigned)*q - '0');
	if (q == begin || q - begin > DIGITS || !ends_field(q) ||
	    *id >= LGN_INDEX_MAX)
		return lgn_text_fail(r->text, at, "%s is \"%s\": expected a "
				     "whole number from 0 to %llu", what,
				     lgn_text_show(begin, shown),
				     (unsigned long long)LGN_INDEX_MAX - 1);
	*p = skip_separator(q);
	return 0;
}

/* "4::978300760" has more behind the rating than a number may. */
static int parse_rating(const struct reader *r, size_t at, const char *p,
			double *value)
{
	const char *end = lgn_decimal_parse(p, value);

	if (end && end[0] == ':' && end[1] == ':' && *value - *value == 0)
		return 0;
	return lgn_text_number(r->text, at, "the rating", &p, value);
}

static int parse_line(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;
	const char *p = lgn_text_skip(line);
	uint64_t user, item;
	double value;
	int rc;

	if (*p == '\n' || *p == '#' || *p == '%')
		return 0;
	rc = parse_id(r, at, "the user", &p, &user);
	if (!rc)
		rc = parse_id(r, at, "the item", &p, &item);
	if (!rc)
		rc = parse_rating(r, at, p, &value);
	if (!rc && r->out->n == r->out->room)
		rc = lgn_entries_reserve(r->out, r->out->n + 4096, 0);
	if (rc)
		return rc;
	lgn_entries_add(r->out, user, item, value);
	if (user >= r->out->rows)
		r->out->rows = user + 1;
	if (item >= r->out->cols)
		r->out->cols = item + 1;
	return 0;
}

int lgn_ratings_read(const char *path, int part, int parts,
		     struct lgn_entries *out)
{
	struct lgn_blocks b = { .fd = -1 };
	struct reader r = { .text = &b.text, .out = out };
	int gzip = lgn_text_is_gzip(path), rc;

	if (gzip < 0)
		return gzip;
	rc = lgn_entries_reserve(out, 0, 0);
	if (rc || (gzip && part))
		return rc;
	rc = gzip ? lgn_blocks_open(path, 0, 1, LGN_BLOCK_BYTES, &b) :
		lgn_blocks_open(path, part, parts, LGN_BLOCK_BYTES, &b);
	while (!rc && (rc = lgn_blocks_next(&b)) > 0)
		rc = lgn_text_each(&b.text, 0, b.text.size, parse_line, &r);
	lgn_blocks_close(&b);
	return rc;
}
