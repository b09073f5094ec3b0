/* SPDX-License-Identifier: BSD-3-Clause */
/* Ratings in order: sorted, each place once, line by line. */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/mf/mf.h"
#include "runtime/base/status.h"

static int fail_memory(size_t n)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for the lines of %zu ratings",
			n);
}

/* ---------------------------------------------------------------- sorting */

/* One pass of a radix sort, stable: by[], below limit, is the key. */
static int sort_by(struct lgn_entries *e, const uint32_t *by, uint64_t limit,
		   struct lgn_entries *to)
{
	size_t *at = calloc(limit + 1, sizeof(*at));

	if (!at)
		return fail_memory(limit);
	for (size_t k = 0; k < e->n; k++)
		at[by[k] + 1]++;
	for (uint64_t i = 0; i < limit; i++)
		at[i + 1] += at[i];
	for (size_t k = 0; k < e->n; k++) {
		size_t i = at[by[k]]++;

		to->row[i] = e->row[k];
		to->col[i] = e->col[k];
		to->val[i] = e->val[k];
	}
	to->n = e->n;
	free(at);
	return 0;
}

/* Of those of one place, which are neighbours, the last one. */
static uint64_t keep_last(struct lgn_entries *e)
{
	size_t n = 0;

	for (size_t k = 0; k < e->n; k++) {
		if (k + 1 < e->n && e->row[k] == e->row[k + 1] &&
		    e->col[k] == e->col[k + 1])
			continue;
		e->row[n] = e->row[k];
		e->col[n] = e->col[k];
		e->val[n++] = e->val[k];
	}
	return e->n - n;
}

int lgn_mf_sort(struct lgn_entries *e, uint64_t rows, uint64_t cols,
		uint64_t *replaced)
{
	struct lgn_entries other = { 0 };
	int rc = lgn_entries_reserve(&other, e->n, 0);

	if (!rc)
		rc = sort_by(e, e->col, cols, &other);
	if (!rc)
		rc = sort_by(&other, other.row, rows, e);
	lgn_entries_free(&other);
	if (rc || !replaced)
		return rc;
	*replaced = keep_last(e);
	e->n -= *replaced;
	return 0;
}

/* ------------------------------------------------------------------ lines */

/* Marks become places. */
static int list_others(const struct lgn_entries *e, uint64_t cols,
		       const struct lgn_entries *more, uint32_t *place,
		       struct lgn_mf_lines *l)
{
	for (size_t k = 0; k < e->n; k++)
		place[e->col[k]] = 1;
	for (size_t k = 0; more && k < more->n; k++)
		if (more->col[k] < cols)
			place[more->col[k]] = 1;
	for (uint64_t j = 0; j < cols; j++)
		l->n_others += place[j];
	l->others = malloc((l->n_others + (size_t)1) * sizeof(*l->others));
	if (!l->others)
		return fail_memory(l->n_others);
	l->n_others = 0;
	for (uint64_t j = 0; j < cols; j++) {
		if (!place[j])
			continue;
		place[j] = l->n_others;
		l->others[l->n_others++] = j;
	}
	return 0;
}

static int list_lines(const struct lgn_entries *e, struct lgn_mf_lines *l)
{
	size_t lines = 0;

	for (size_t k = 0; k < e->n; k++)
		lines += !k || e->row[k] != e->row[k - 1];
	l->id = malloc((lines + 1) * sizeof(*l->id));
	l->start = malloc((lines + 1) * sizeof(*l->start));
	if (!l->id || !l->start)
		return fail_memory(lines);
	for (size_t k = 0; k < e->n; k++) {
		if (k && e->row[k] == e->row[k - 1])
			continue;
		l->id[l->lines] = e->row[k];
		l->start[l->lines++] = k;
	}
	l->start[l->lines] = e->n;
	return 0;
}

int lgn_mf_lines_open(struct lgn_entries *e, uint64_t cols,
		      const struct lgn_entries *more, struct lgn_mf_lines *l)
{
	uint32_t *place = calloc(cols + 1, sizeof(*place));
	int rc = place ? list_others(e, cols, more, place, l) :
		fail_memory(cols);

	if (!rc)
		rc = list_lines(e, l);
	if (!rc) {
		for (size_t k = 0; k < e->n; k++)
			e->col[k] = place[e->col[k]];
		l->n = e->n;
		l->across = e->col;
		l->val = e->val;
		e->col = NULL;
		e->val = NULL;
	}
	lgn_entries_free(e);
	free(place);
	return rc;
}

void lgn_mf_lines_close(struct lgn_mf_lines *l)
{
	free(l->id);
	free(l->start);
	free(l->across);
	free(l->val);
	free(l->others);
	memset(l, 0, sizeof(*l));
}

/* ------------------------------------------------------------------ tests */

static uint32_t find(const uint64_t *list, uint32_t n, uint64_t id)
{
	uint32_t least = 0;

	while (least < n) {
		uint32_t middle = least + (n - least) / 2;

		if (list[middle] < id)
			least = middle + 1;
		else
			n = middle;
	}
	return least;
}

static uint32_t place_of(const uint64_t *list, uint32_t n, uint64_t id)
{
	uint32_t at = find(list, n, id);

	return at < n && list[at] == id ? at : LGN_MF_NONE;
}

int lgn_mf_tests_open(const struct lgn_entries *e, const struct lgn_mf_lines *l,
		      struct lgn_mf_tests *tests)
{
	tests->line = malloc((e->n + 1) * sizeof(*tests->line));
	tests->across = malloc((e->n + 1) * sizeof(*tests->across));
	tests->val = malloc((e->n + 1) * sizeof(*tests->val));
	if (!tests->line || !tests->across || !tests->val)
		return fail_memory(e->n);
	tests->n = e->n;
	for (size_t k = 0; k < e->n; k++) {
		tests->line[k] = place_of(l->id, l->lines, e->row[k]);
		tests->across[k] = place_of(l->others, l->n_others, e->col[k]);
		tests->val[k] = e->val[k];
	}
	return 0;
}

void lgn_mf_tests_close(struct lgn_mf_tests *tests)
{
	free(tests->line);
	free(tests->across);
	free(tests->val);
	memset(tests, 0, sizeof(*tests));
}
