/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/data/libsvm.h"
#include "kernels/data/decimal.h"
#include "kernels/data/text.h"
#include "runtime/base/status.h"

#define INDEX_MAX (UINT64_C(1) << 31)
#define INDEX_DIGITS 18		/* more may not fit in 64 bits */
#define HUGE_PAGE ((size_t)2 << 20)
#define SHOWN 24		/* bytes of a bad token that a message shows */

/* Every line that is parsed ends in '\n', so that no scan needs a bound. */
struct reader {
	struct lgn_text file;
	uint64_t base;		/* index of the first column */
	bool targets;		/* labels are any numbers */
	size_t line;		/* offset in the file of the line in work */
	size_t entries;
	struct lgn_libsvm data;
};

static int fail_line(const struct reader *r, const char *fmt, ...)
	LGN_PRINTF(2, 3);

static int fail_line(const struct reader *r, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return lgn_fail(LAGOON_EINVAL, "%s: line %zu: %s", r->file.path,
			lgn_text_line(&r->file, r->line), text);
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static inline bool ends_token(char c)
{
	return is_blank(c) || c == '\n' || c == '#';
}

static inline const char *skip_blanks(const char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* The token at p for a message, cut, without control bytes. */
static const char *show(const char *p, char out[SHOWN + 4])
{
	size_t n = 0;

	while (n < SHOWN && !ends_token(p[n])) {
		out[n] = p[n];
		if ((unsigned char)p[n] < 0x20 || p[n] == 0x7f)
			out[n] = '?';
		n++;
	}
	strcpy(out + n, ends_token(p[n]) ? "" : "...");
	return out;
}

static bool is_not_finite(const char *p)
{
	p += *p == '-' || *p == '+';
	return !strncasecmp(p, "nan", 3) || !strncasecmp(p, "inf", 3);
}

static int fail_value(const struct reader *r, const char *what, const char *p,
		      double value)
{
	char shown[SHOWN + 4];

	if (is_not_finite(p) || isinf(value))
		return fail_line(r, "%s is \"%s\": expected a finite number",
				 what, show(p, shown));
	return fail_line(r, "%s is \"%s\": expected a decimal number", what,
			 show(p, shown));
}

static inline int parse_value(const struct reader *r, const char *what,
			      const char **at, double *value)
{
	const char *end;

	*value = 0;
	end = lgn_decimal_parse(*at, value);
	if (lgn_unlikely(!end || !ends_token(*end) || isinf(*value)))
		return fail_value(r, what, *at, *value);
	*at = end;
	return 0;
}

static int fail_index(const struct reader *r, const char *p, uint64_t index)
{
	char shown[SHOWN + 4];
	const char *end = p;

	while ((unsigned)*end - '0' <= 9)
		end++;
	if (end == p || *end != ':')
		return fail_line(r, "expected index:value, found \"%s\"",
				 show(p, shown));
	if (index < r->base)
		return fail_line(r, "index 0: expected indices from 1 on (or "
				 "ask for 0-based indices)");
	return fail_line(r, "index %.*s: expected at most %llu",
			 (int)(end - p < SHOWN ? end - p : SHOWN), p,
			 (unsigned long long)INDEX_MAX);
}

static inline int parse_index(const struct reader *r, const char **at,
			      uint64_t *index)
{
	const char *p = *at;
	uint64_t x = 0;
	unsigned d;

	while ((d = (unsigned)*p - '0') <= 9) {
		x = x * 10 + d;
		p++;
	}
	if (lgn_unlikely(p == *at || *p != ':' || x < r->base ||
			 x > INDEX_MAX || p - *at > INDEX_DIGITS))
		return fail_index(r, *at, x);
	*at = p + 1;
	*index = x;
	return 0;
}

static int parse_qid(const struct reader *r, const char **at)
{
	char shown[SHOWN + 4];
	const char *p = *at + 4;

	while ((unsigned)*p - '0' <= 9)
		p++;
	if (p == *at + 4 || !ends_token(*p))
		return fail_line(r, "expected qid:number, found \"%s\"",
				 show(*at, shown));
	*at = p;
	return 0;
}

static int parse_entry(struct reader *r, const char **at, uint64_t *next)
{
	uint64_t index = 0;
	double value;
	int rc;

	rc = parse_index(r, at, &index);
	if (lgn_unlikely(rc))
		return rc;
	if (lgn_unlikely(index < *next))
		return fail_line(r, "index %llu after %llu: expected rising "
				 "indices", (unsigned long long)index,
				 (unsigned long long)*next - 1);
	rc = parse_value(r, "value", at, &value);
	if (lgn_unlikely(rc))
		return rc;
	r->data.col[r->entries] = (uint32_t)(index - r->base);
	r->data.val[r->entries++] = value;
	*next = index + 1;
	return 0;
}

static int parse_entries(struct reader *r, const char *p)
{
	uint64_t next = r->base;
	int rc;

	for (;;) {
		p = skip_blanks(p);
		if (*p == '\n' || *p == '#')
			break;
		if (lgn_unlikely(*p == 'q') && !strncmp(p, "qid:", 4))
			rc = parse_qid(r, &p);
		else
			rc = parse_entry(r, &p, &next);
		if (lgn_unlikely(rc))
			return rc;
	}
	if (next - r->base > r->data.cols)
		r->data.cols = next - r->base;
	return 0;
}

/* False if it would be the third. */
static bool label_add(struct lgn_labels *labels, double value, uint64_t at)
{
	int i = labels->n;

	for (int k = 0; k < labels->n; k++)
		if (labels->value[k] == value)
			return true;
	if (labels->n == 2)
		return false;
	if (labels->n++ && value < labels->value[0]) {
		labels->value[1] = labels->value[0];
		labels->at[1] = labels->at[0];
		i = 0;
	}
	labels->value[i] = value;
	labels->at[i] = at;
	return true;
}

static int fail_label(const struct lgn_text *file, const struct lgn_labels *labels,
		      double value, uint64_t at)
{
	return lgn_fail(LAGOON_EINVAL, "%s: line %zu: label %g: expected two "
			"distinct labels, there are %g and %g already",
			file->path, lgn_text_line(file, at), value,
			labels->value[0], labels->value[1]);
}

/* line: the text up to and with its '\n'. */
static int parse_line(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;
	const char *p = skip_blanks(line);
	double label;
	int rc;

	if (*p == '\n' || *p == '#')
		return 0;
	r->line = at;
	rc = parse_value(r, "label", &p, &label);
	if (rc)
		return rc;
	if (!r->targets && !label_add(&r->data.labels, label, r->line))
		return fail_label(&r->file, &r->data.labels, label, r->line);
	rc = parse_entries(r, p);
	if (rc)
		return rc;
	r->data.label[r->data.rows++] = label;
	r->data.start[r->data.rows] = r->entries;
	return 0;
}

/* How often c stands in the text. Blocks of 255 count in bytes, which the
 * compiler turns into vectors. */
static size_t count(const char *text, size_t len, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i += 255) {
		size_t end = len - i < 255 ? len - i : 255;
		uint8_t sum = 0;

		for (size_t k = 0; k < end; k++)
			sum = (uint8_t)(sum + (text[i + k] == c));
		n += sum;
	}
	return n;
}

/* Huge pages where the system gives them on request: a third of the time of
 * reading went into faults of small ones. */
static void *room(size_t n, size_t size)
{
	size_t bytes = n * size;
	void *p;

	if (bytes < 2 * HUGE_PAGE)
		return malloc(bytes);
	p = aligned_alloc(HUGE_PAGE, lgn_round_up(bytes, HUGE_PAGE));
	if (p)
		madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

/* One ':' an entry and one '\n' a row: the arrays need not grow, at a tenth
 * of the time that growing them took. */
static int reserve(struct reader *r, const char *text, size_t len)
{
	size_t entries = count(text, len, ':') + 1;
	size_t rows = count(text, len, '\n') + 1;

	r->data.start = room(rows + 1, sizeof(*r->data.start));
	r->data.label = room(rows, sizeof(*r->data.label));
	r->data.col = room(entries, sizeof(*r->data.col));
	r->data.val = room(entries, sizeof(*r->data.val));
	if (!r->data.start || !r->data.label || !r->data.col || !r->data.val)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for %zu rows of "
				"%zu entries", r->file.path, rows, entries);
	r->data.start[0] = 0;
	return 0;
}

/* The lines that begin in [begin, end) of the text. */
static int parse_lines(const struct lgn_text *text, size_t begin, size_t end,
		       const struct lgn_libsvm_range *range,
		       struct lgn_libsvm *data)
{
	struct reader r = {
		.file = *text,
		.base = range->zero_based ? 0 : 1,
		.targets = range->targets,
	};
	int rc = reserve(&r, text->text + begin, end - begin);

	if (!rc)
		rc = lgn_text_each(text, begin, end, parse_line, &r);
	if (rc)
		lgn_libsvm_free(&r.data);
	else
		*data = r.data;
	return rc;
}

int lgn_libsvm_parse(const struct lgn_text *text,
		     const struct lgn_libsvm_range *range,
		     struct lgn_libsvm *data)
{
	return parse_lines(text, 0, text->size, range, data);
}

int lgn_libsvm_read(const char *path, const struct lgn_libsvm_range *range,
		    struct lgn_libsvm *data)
{
	struct lgn_text file;
	int rc = lgn_text_open(path, &file);

	if (rc)
		return rc;
	rc = parse_lines(&file, lgn_text_cut(&file, range->part, range->parts),
			 lgn_text_cut(&file, range->part + 1, range->parts),
			 range, data);
	lgn_text_close(&file);
	return rc;
}

void lgn_libsvm_free(struct lgn_libsvm *data)
{
	free(data->start);
	free(data->col);
	free(data->val);
	free(data->label);
	memset(data, 0, sizeof(*data));
}

int lgn_labels_merge(const char *path, const struct lgn_labels *more,
		     struct lgn_labels *all)
{
	int first = more->n == 2 && more->at[1] < more->at[0];
	struct lgn_text file;
	int rc;

	for (int i = 0; i < more->n; i++) {
		int k = i ^ first;

		if (label_add(all, more->value[k], more->at[k]))
			continue;
		rc = lgn_text_open(path, &file);
		if (rc)
			return rc;
		rc = fail_label(&file, all, more->value[k], more->at[k]);
		lgn_text_close(&file);
		return rc;
	}
	return 0;
}
