/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CCD++: one pair of columns of factors after another, each of its numbers set to
 * where the objective is least. A worker has what is left of its ratings when all
 * pairs are taken off. In one pass over them it takes off the pair before, adds
 * this one back, finds the new numbers of its rows, and sums up what follows for
 * the columns; only these sums travel, and from them all workers find the same
 * new numbers of the columns. Biases are pairs, too, one side of which is 1.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/mf/mf.h"
#include "runtime/base/status.h"

/* A pair: its numbers of rows and columns. */
struct pair {
	double *x, *y;		/* [lines], [n_others] */
	bool fixed_x, fixed_y;	/* they are 1 and stay */
	bool is_bias;
};

struct ccd {
	struct pair *pair;	/* [n] biases first */
	uint32_t n;
	uint32_t last;		/* not yet taken off; n: none */
	double *left;		/* [ratings] */
	double *ones;		/* [larger of lines and n_others] */
	double *sum;		/* [n_others][2] */
	double *told[2];	/* [n_others][2] of sum, in each table */
	int turn;
};

static int fail_memory(size_t n)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for what is left of %zu "
			"ratings", n);
}

static double *numbers(size_t n)
{
	return calloc(n + 1, sizeof(double));
}

static int open_pairs(struct lgn_mf *t, struct ccd *s)
{
	size_t most = t->rows->lines > t->rows->n_others ? t->rows->lines :
		t->rows->n_others;

	s->n = t->rank + 2 * (t->width - t->rank);
	s->last = s->n;
	s->pair = calloc(s->n, sizeof(*s->pair));
	s->ones = numbers(most);
	if (!s->pair || !s->ones)
		return fail_memory(t->rows->n);
	for (size_t i = 0; i < most; i++)
		s->ones[i] = 1;
	for (uint32_t i = 0; i < s->n; i++) {
		struct pair *p = &s->pair[i];

		p->is_bias = i < s->n - t->rank;
		p->fixed_y = p->is_bias && i == 0;
		p->fixed_x = p->is_bias && i == 1;
		p->x = p->fixed_x ? s->ones : numbers(t->rows->lines);
		p->y = p->fixed_y ? s->ones : numbers(t->rows->n_others);
		if (!p->x || !p->y)
			return fail_memory(t->rows->n);
	}
	return 0;
}

static int ccd_open(struct lgn_mf *t)
{
	size_t sums = 2 * (size_t)t->rows->n_others;
	struct ccd *s = t->state = calloc(1, sizeof(*s));

	if (!s)
		return fail_memory(t->rows->n);
	s->left = numbers(t->rows->n);
	s->sum = numbers(sums);
	s->told[0] = numbers(sums);
	s->told[1] = numbers(sums);
	if (!s->left || !s->sum || !s->told[0] || !s->told[1])
		return fail_memory(t->rows->n);
	return open_pairs(t, s);
}

static void ccd_close(struct lgn_mf *t)
{
	struct ccd *s = t->state;

	if (!s)
		return;
	for (uint32_t i = 0; i < s->n && s->pair; i++) {
		if (!s->pair[i].fixed_x)
			free(s->pair[i].x);
		if (!s->pair[i].fixed_y)
			free(s->pair[i].y);
	}
	free(s->pair);
	free(s->left);
	free(s->ones);
	free(s->sum);
	free(s->told[0]);
	free(s->told[1]);
	free(s);
}

/* ---------------------------------------------------------------- pairs */

/* Where the numbers of a pair stand in a row of factors and bias. */
static uint32_t place_of(const struct lgn_mf *t, const struct ccd *s, uint32_t i)
{
	return s->pair[i].is_bias ? t->rank : i - (s->n - t->rank);
}

/* From the rows, or into them. */
static void copy_column(double *column, uint32_t n, double *rows,
			uint32_t width, uint32_t place, bool into)
{
	for (uint32_t i = 0; i < n; i++) {
		double *at = rows + (size_t)i * width + place;

		if (into)
			*at = column[i];
		else
			column[i] = *at;
	}
}

static void copy_all(struct lgn_mf *t, bool into)
{
	struct ccd *s = t->state;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct pair *p = &s->pair[i];
		uint32_t place = place_of(t, s, i);

		if (!p->fixed_x)
			copy_column(p->x, t->rows->lines, t->x, t->width, place,
				    into);
		if (!p->fixed_y)
			copy_column(p->y, t->rows->n_others, t->y, t->width,
				    place, into);
	}
}

/* The first rows are 0, as in the paper: nothing is taken off by chance. */
static int ccd_begin(struct lgn_mf *t)
{
	const struct lgn_mf_lines *l = t->rows;
	struct ccd *s = t->state;

	if (!t->fit->saved)
		memset(t->x, 0, l->lines * (size_t)t->width * sizeof(*t->x));
	copy_all(t, false);
	memcpy(s->left, l->val, l->n * sizeof(*s->left));
	for (uint32_t f = 0; f < s->n; f++)
		for (uint32_t i = 0; i < l->lines; i++)
			for (size_t k = l->start[i]; k < l->start[i + 1]; k++)
				s->left[k] -= s->pair[f].x[i] *
					s->pair[f].y[l->across[k]];
	return 0;
}

/* One row: take off the pair before, add this one back, set its number, and add
 * to the sums of the columns. */
static void use_row(const struct lgn_mf *t, struct ccd *s,
		    const struct pair *was, struct pair *p, uint32_t i)
{
	const struct lgn_mf_lines *l = t->rows;
	size_t begin = l->start[i], end = l->start[i + 1];
	double off = was ? was->x[i] : 0, x = p->x[i], above = 0, below;
	const double *off_y = was ? was->y : s->ones;

	below = p->is_bias ? t->fit->options.lambda_bias :
		t->lambda * (double)(end - begin);
	for (size_t k = begin; k < end; k++) {
		uint32_t j = l->across[k];
		double y = p->y[j];
		double r = s->left[k] + x * y - off * off_y[j];

		s->left[k] = r;
		above += r * y;
		below += y * y;
	}
	if (!p->fixed_x)
		x = p->x[i] = below > 0 ? above / below : 0;
	for (size_t k = begin; k < end && !p->fixed_y; k++) {
		double *sum = s->sum + 2 * (size_t)l->across[k];

		sum[0] += s->left[k] * x;
		sum[1] += x * x;
	}
}

/* What the sums have become since the last time in this table. */
static int tell_sums(struct lgn_mf *t, struct ccd *s)
{
	size_t n = 2 * (size_t)t->rows->n_others;
	double *told = s->told[s->turn];

	for (size_t k = 0; k < n; k++) {
		double now = s->sum[k];

		s->sum[k] -= told[k];
		told[k] = now;
	}
	return lgn_mf_put(t, t->fit->sums[s->turn], t->rows->others,
			  t->rows->n_others, s->sum);
}

/* A fast worker tells its sums of the next pair while a slow one still reads
 * those of this one: hence two tables. */
static int set_columns(struct lgn_mf *t, struct ccd *s, struct pair *p)
{
	int rc = lgn_mf_meet(t, tell_sums(t, s), NULL);

	if (!rc)
		rc = lgn_mf_pull(t, t->fit->sums[s->turn], t->rows->others,
				 t->rows->n_others, s->sum);
	for (uint32_t j = 0; j < t->rows->n_others && !rc; j++) {
		double below = s->sum[2 * j + 1];

		below += p->is_bias ? t->fit->options.lambda_bias :
			t->lambda * t->count[j];
		p->y[j] = below > 0 ? s->sum[2 * j] / below : 0;
	}
	s->turn = !s->turn;
	return rc;
}

static int ccd_epoch(struct lgn_mf *t)
{
	struct ccd *s = t->state;
	int rc = 0;

	for (uint32_t f = 0; f < s->n && !rc; f++) {
		struct pair *p = &s->pair[f];

		memset(s->sum, 0, 2 * (size_t)t->rows->n_others *
		       sizeof(*s->sum));
		for (uint32_t i = 0; i < t->rows->lines; i++)
			use_row(t, s, s->last < s->n ? &s->pair[s->last] : NULL,
				p, i);
		s->last = f;
		if (!p->fixed_y)
			rc = set_columns(t, s, p);
	}
	return rc;
}

static int ccd_get(struct lgn_mf *t)
{
	copy_all(t, true);
	return 0;
}

const struct lgn_mf_method lgn_mf_ccd = {
	.name = "ccd++", .open = ccd_open, .close = ccd_close,
	.begin = ccd_begin, .epoch = ccd_epoch, .get = ccd_get,
};
