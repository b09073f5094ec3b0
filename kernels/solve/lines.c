/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/lines.h"
#include "runtime/base/status.h"

static const uint32_t *line_of(const struct lgn_entries *e,
			       const struct lgn_lines_spec *spec)
{
	return spec->rows ? e->row : e->col;
}

static double scaled(const struct lgn_lines_spec *spec, uint64_t col, double x)
{
	return spec->factor ? (x - spec->shift[col]) * spec->factor[col] : x;
}

static int reserve(const struct lgn_lines_spec *spec, uint64_t entries,
		   struct lgn_lines *l)
{
	if (entries >= INT32_MAX)
		return lgn_fail(LAGOON_ENOTSUP, "%llu elements for one worker: "
				"expected fewer than 2^31; use more workers",
				(unsigned long long)entries);
	l->start = calloc(spec->lines + 2, sizeof(*l->start));
	l->index = malloc((entries + 1) * sizeof(*l->index));
	l->val = malloc((entries + 1) * sizeof(*l->val));
	if (!l->start || !l->index || !l->val)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu elements",
				(unsigned long long)entries);
	return 0;
}

static int fail_twice(const struct lgn_lines_spec *spec, uint64_t line,
		      uint64_t index)
{
	uint64_t row = spec->rows ? line : index;
	uint64_t col = spec->rows ? index : line;

	return lgn_fail(LAGOON_EINVAL, "%s%srow %llu: column %llu stands there "
			"twice: expected once", spec->path ? spec->path : "",
			spec->path ? ": " : "", (unsigned long long)row + 1,
			(unsigned long long)col + 1);
}

/* Marks: which elements of the line in work are there. */
static int check_twice(const struct lgn_lines_spec *spec,
		       const struct lgn_lines *l)
{
	uint32_t *seen = calloc(spec->length + 1, sizeof(*seen));
	int rc = 0;

	if (!seen)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu marks",
				(unsigned long long)spec->length);
	for (uint64_t i = 0; i < spec->lines && !rc; i++) {
		for (int32_t k = l->start[i]; k < l->start[i + 1] && !rc; k++) {
			uint32_t *mark = &seen[l->index[k]];

			if (*mark == i + 1)
				rc = fail_twice(spec, spec->first + i,
						(uint64_t)l->index[k]);
			*mark = (uint32_t)i + 1;
		}
	}
	free(seen);
	return rc;
}

/* A counting sort by line: start[i + 2] counts, becomes where line i + 1
 * begins, and moves to its end. */
static void sort(const struct lgn_entries *e, const struct lgn_lines_spec *spec,
		 struct lgn_lines *l)
{
	const uint32_t *line = line_of(e, spec);
	const uint32_t *index = spec->rows ? e->col : e->row;

	for (size_t k = 0; k < e->n; k++)
		l->start[line[k] - spec->first + 2]++;
	for (uint64_t i = 0; i < spec->lines; i++)
		l->start[i + 2] += l->start[i + 1];
	for (size_t k = 0; k < e->n; k++) {
		int32_t at = l->start[line[k] - spec->first + 1]++;

		l->index[at] = (int32_t)index[k];
		l->val[at] = scaled(spec, e->col[k], e->val[k]);
	}
}

/* The same with every element stored; those that are not there are zeros. */
static int fill(const struct lgn_lines_spec *spec, struct lgn_lines *l)
{
	struct lgn_lines sparse = *l;
	uint64_t n = spec->length;
	int rc;

	memset(l, 0, sizeof(*l));
	rc = reserve(spec, spec->lines * n, l);
	for (uint64_t i = 0; i < spec->lines && !rc; i++) {
		double *val = l->val + i * n;

		l->start[i + 1] = (int32_t)((i + 1) * n);
		for (uint64_t k = 0; k < n; k++) {
			l->index[i * n + k] = (int32_t)k;
			val[k] = scaled(spec, spec->rows ? k : spec->first + i,
					0);
		}
		for (int32_t k = sparse.start[i]; k < sparse.start[i + 1]; k++)
			val[sparse.index[k]] = sparse.val[k];
	}
	lgn_lines_close(&sparse);
	return rc;
}

int lgn_lines_open(const struct lgn_entries *e,
		   const struct lgn_lines_spec *spec, struct lgn_lines *lines)
{
	int rc = reserve(spec, e->n, lines);

	if (rc)
		return rc;
	sort(e, spec, lines);
	rc = check_twice(spec, lines);
	if (!rc && spec->dense)
		rc = fill(spec, lines);
	lines->a = (struct lagoon_sparse){
		.rows = spec->rows ? spec->lines : spec->length,
		.cols = spec->rows ? spec->length : spec->lines,
		.layout = spec->rows ? LAGOON_CSR : LAGOON_CSC,
		.real_size = 8,
		.index_size = 4,
		.start = lines->start,
		.index = lines->index,
		.val = lines->val,
	};
	return rc;
}

void lgn_lines_close(struct lgn_lines *lines)
{
	free(lines->start);
	free(lines->index);
	free(lines->val);
	memset(lines, 0, sizeof(*lines));
}
