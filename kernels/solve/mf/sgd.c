/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stochastic gradient descent. Columns are cut into strata, as many as an epoch
 * has rounds. In a round a worker pulls the columns of one stratum, goes through
 * its ratings of them, adds what changed, and ends with a clock; then comes the
 * next stratum. Workers begin far from each other: when one comes to a stratum,
 * another has left it some rounds ago, so what it sees is seldom stale (Gemulla
 * et al. 2011; with a bound on staleness instead of a barrier). Each column goes
 * to and fro once an epoch, however many rounds that has.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_kernels.h"
#include "kernels/solve/mf/mf.h"
#include "runtime/base/attr.h"
#include "runtime/base/status.h"

#define CHUNK 1024		/* columns set up at once */
#define TOO_FAR 1e4		/* mean squared error, in deviations */
#define TURNS 8			/* rows whose ratings take turns */

struct stratum {
	size_t begin, n;	/* its ratings */
	uint32_t n_cols;
	uint64_t *cols;		/* [n_cols] */
	float *penalty;		/* [n_cols] of the bias, for each rating */
};

struct sgd {
	int strata;
	struct stratum *stratum;
	uint32_t max_cols;
	uint32_t *row;		/* [n] ratings by stratum, then in turns */
	uint32_t *col;		/* [n] place in the stratum's */
	float *val;
	float *penalty;		/* [lines] of the bias, for each rating */
	float *x;		/* [lines][width] */
	float *y;		/* [max_cols][width] of the stratum in work, */
	float *change;		/* [max_cols][width] and as they were */
};

static int fail_memory(size_t n)
{
	return lgn_fail(LAGOON_ENOMEM, "no memory for the strata of %zu ratings",
			n);
}

/* -------------------------------------------------------------- strata */

static uint32_t stratum_of(const struct sgd *s, uint64_t col)
{
	return (uint32_t)(lgn_random_mix(~col) % (uint64_t)s->strata);
}

/* The columns of each stratum; place[] of each in its stratum. */
static int list_cols(struct lgn_mf *t, struct sgd *s, uint32_t *place)
{
	const struct lgn_mf_lines *l = t->rows;

	for (uint32_t j = 0; j < l->n_others; j++)
		if (t->own[j] > 0)
			s->stratum[stratum_of(s, l->others[j])].n_cols++;
	for (int i = 0; i < s->strata; i++) {
		struct stratum *b = &s->stratum[i];

		b->cols = malloc((b->n_cols + (size_t)1) * sizeof(*b->cols));
		b->penalty = malloc((b->n_cols + (size_t)1) *
				    sizeof(*b->penalty));
		if (!b->cols || !b->penalty)
			return fail_memory(l->n);
		if (b->n_cols > s->max_cols)
			s->max_cols = b->n_cols;
		b->n_cols = 0;
	}
	for (uint32_t j = 0; j < l->n_others; j++) {
		struct stratum *b;

		if (t->own[j] < 1)
			continue;
		b = &s->stratum[stratum_of(s, l->others[j])];
		place[j] = b->n_cols;
		b->penalty[b->n_cols] = (float)
			(t->fit->options.lambda_bias / t->count[j]);
		b->cols[b->n_cols++] = l->others[j];
	}
	return 0;
}

static void sort_ratings(const struct lgn_mf *t, struct sgd *s,
			 const uint32_t *place)
{
	const struct lgn_mf_lines *l = t->rows;
	size_t at = 0;

	for (size_t k = 0; k < l->n; k++)
		s->stratum[stratum_of(s, l->others[l->across[k]])].n++;
	for (int i = 0; i < s->strata; i++) {
		s->stratum[i].begin = at;
		at += s->stratum[i].n;
		s->stratum[i].n = 0;
	}
	for (uint32_t i = 0; i < l->lines; i++)
		for (size_t k = l->start[i]; k < l->start[i + 1]; k++) {
			struct stratum *b = &s->stratum[
				stratum_of(s, l->others[l->across[k]])];

			at = b->begin + b->n++;
			s->row[at] = i;
			s->col[at] = place[l->across[k]];
			s->val[at] = (float)l->val[k];
		}
}

/* --------------------------------------------------------------- turns */

/* Ratings of a row, from some place of it on and around. */
struct turn {
	size_t begin, end, at, left;
};

/* Of ratings by row, those of the row that begins there. Not from its first one
 * on: rows may all have the same columns, in the same order. */
static void open_turn(const uint32_t *row, size_t begin, size_t n,
		      struct turn *turn)
{
	size_t end = begin;

	while (end < n && row[end] == row[begin])
		end++;
	turn->begin = begin;
	turn->end = end;
	turn->left = end - begin;
	turn->at = begin;
	if (turn->left)
		turn->at += lgn_random_mix(row[begin]) % turn->left;
}

/* A step changes the row that the next step on the row reads, and that is to wait
 * for it. So some rows take turns: steps one after another have nothing to do with
 * each other, and a processor does them at a time. from: by row. */
static void take_turns(const struct sgd *from, size_t n, uint32_t *row,
		       uint32_t *col, float *val)
{
	struct turn turn[TURNS] = { 0 };
	size_t begin = 0;

	for (size_t k = 0, i = 0; k < n; i = (i + 1) % TURNS) {
		struct turn *a = &turn[i];

		if (!a->left) {
			open_turn(from->row, begin, n, a);
			begin = a->end;
		}
		if (!a->left)
			continue;
		row[k] = from->row[a->at];
		col[k] = from->col[a->at];
		val[k++] = from->val[a->at];
		a->left--;
		if (++a->at == a->end)
			a->at = a->begin;
	}
}

static int mix_ratings(const struct sgd *s)
{
	struct sgd from = { 0 };
	size_t most = 0;
	int rc = 0;

	for (int i = 0; i < s->strata; i++)
		if (s->stratum[i].n > most)
			most = s->stratum[i].n;
	from.row = malloc((most + 1) * sizeof(*from.row));
	from.col = malloc((most + 1) * sizeof(*from.col));
	from.val = malloc((most + 1) * sizeof(*from.val));
	if (!from.row || !from.col || !from.val)
		rc = fail_memory(most);
	for (int i = 0; i < s->strata && !rc; i++) {
		const struct stratum *b = &s->stratum[i];

		memcpy(from.row, s->row + b->begin, b->n * sizeof(*from.row));
		memcpy(from.col, s->col + b->begin, b->n * sizeof(*from.col));
		memcpy(from.val, s->val + b->begin, b->n * sizeof(*from.val));
		take_turns(&from, b->n, s->row + b->begin, s->col + b->begin,
			   s->val + b->begin);
	}
	free(from.row);
	free(from.col);
	free(from.val);
	return rc;
}

/* Rows of some numbers begin where a cache line does, so that fewer lines are
 * used. */
static float *make_rows(size_t n, uint32_t width)
{
	return aligned_alloc(LGN_CACHELINE,
			     lgn_round_up((n * width + 1) * sizeof(float),
					  LGN_CACHELINE));
}

static int make_strata(struct lgn_mf *t, struct sgd *s)
{
	const struct lgn_mf_lines *l = t->rows;
	uint32_t *place = malloc((l->n_others + (size_t)1) * sizeof(*place));
	int rc = place ? list_cols(t, s, place) : fail_memory(l->n);

	if (!rc)
		sort_ratings(t, s, place);
	free(place);
	if (!rc)
		rc = mix_ratings(s);
	if (rc)
		return rc;
	s->y = make_rows(s->max_cols, t->width);
	s->change = make_rows(s->max_cols, t->width);
	return s->y && s->change ? 0 : fail_memory(l->n);
}

static int sgd_open(struct lgn_mf *t)
{
	const struct lgn_mf_lines *l = t->rows;
	struct sgd *s = t->state = calloc(1, sizeof(*s));

	if (!s)
		return fail_memory(l->n);
	s->strata = t->fit->options.rounds;
	s->stratum = calloc((size_t)s->strata, sizeof(*s->stratum));
	s->row = malloc((l->n + 1) * sizeof(*s->row));
	s->col = malloc((l->n + 1) * sizeof(*s->col));
	s->val = malloc((l->n + 1) * sizeof(*s->val));
	s->penalty = malloc((l->lines + (size_t)1) * sizeof(*s->penalty));
	s->x = make_rows(l->lines, t->width);
	return s->stratum && s->row && s->col && s->val && s->penalty && s->x ?
		0 : fail_memory(l->n);
}

static void sgd_close(struct lgn_mf *t)
{
	struct sgd *s = t->state;

	if (!s)
		return;
	for (int i = 0; i < s->strata && s->stratum; i++) {
		free(s->stratum[i].cols);
		free(s->stratum[i].penalty);
	}
	free(s->stratum);
	free(s->row);
	free(s->col);
	free(s->val);
	free(s->penalty);
	free(s->x);
	free(s->y);
	free(s->change);
	free(s);
}

/* -------------------------------------------------------------- rounds */

/* The first factors of a slice of the columns, those that were rated. */
static int add_first(struct lgn_mf *t, uint64_t first, uint32_t n, double *val,
		     int64_t *count, float *out)
{
	uint64_t id[CHUNK];
	uint32_t some = 0;
	int rc = lagoon_pull(t->w, t->fit->counts, first, n, count);

	if (rc)
		return rc;
	for (uint32_t j = 0; j < n; j++)
		if (count[j])
			id[some++] = first + j;
	lgn_mf_first(t, 1, id, some, val);
	for (size_t k = 0; k < some * (size_t)t->width; k++)
		out[k] = (float)val[k];
	return some ? lagoon_add_rows(t->w, t->fit->cols, id, some, out) : 0;
}

static int add_all_first(struct lgn_mf *t)
{
	uint64_t cols = t->fit->facts.cols, workers = (uint64_t)t->fit->workers;
	uint64_t at = cols * (uint64_t)t->id / workers;
	uint64_t end = cols * ((uint64_t)t->id + 1) / workers;
	size_t room = (size_t)CHUNK * t->width;
	double *val = malloc(room * sizeof(*val));
	float *out = malloc(room * sizeof(*out));
	int64_t count[CHUNK];
	int rc = val && out ? 0 : fail_memory(room);

	for (; at < end && !rc; at += CHUNK)
		rc = add_first(t, at, (uint32_t)(end - at < CHUNK ? end - at :
						 CHUNK), val, count, out);
	free(val);
	free(out);
	return rc;
}

static int sgd_begin(struct lgn_mf *t)
{
	struct sgd *s = t->state;
	const struct lgn_mf_lines *l = t->rows;
	int rc = make_strata(t, s);

	for (uint32_t i = 0; i < l->lines; i++)
		s->penalty[i] = (float)(t->fit->options.lambda_bias /
					(double)(l->start[i + 1] - l->start[i]));
	for (size_t k = 0; k < l->lines * (size_t)t->width; k++)
		s->x[k] = (float)t->x[k];
	if (!rc && !t->fit->saved)
		rc = add_all_first(t);
	return lgn_mf_meet(t, rc, NULL);
}

/* In numbers that a table can hold. */
static int check_errors(const struct lgn_mf *t, double errors, size_t n)
{
	if (errors <= TOO_FAR * (double)n)
		return 0;
	return lgn_fail(LAGOON_ERANGE, "the factors grow beyond all bounds in "
			"epoch %d: expected a lower rate than %g", t->epoch,
			t->fit->options.rate);
}

static int use_stratum(struct lgn_mf *t, const struct stratum *b, double rate)
{
	struct sgd *s = t->state;
	size_t n = b->n_cols * (size_t)t->width;
	double errors;
	int rc = lagoon_pull_rows(t->w, t->fit->cols, b->cols, b->n_cols, s->y);

	if (rc)
		return rc;
	memcpy(s->change, s->y, n * sizeof(*s->y));
	errors = lagoon_factor_pass_f32(b->n, s->row + b->begin,
					s->col + b->begin, s->val + b->begin,
					t->rank, t->width, t->lambda,
					t->width > t->rank ? s->penalty : NULL,
					b->penalty, rate, s->x, s->y);
	rc = check_errors(t, errors, b->n);
	if (rc)
		return rc;
	for (size_t k = 0; k < n; k++)
		s->change[k] = s->y[k] - s->change[k];
	return lagoon_add_rows(t->w, t->fit->cols, b->cols, b->n_cols,
			       s->change);
}

static int sgd_epoch(struct lgn_mf *t)
{
	const struct lagoon_mf_options *o = &t->fit->options;
	struct sgd *s = t->state;
	double rate = o->rate * pow(o->decay, t->epoch - 1);
	int from = (int)((int64_t)s->strata * t->id / t->fit->workers), rc = 0;

	for (int r = 0; r < s->strata && !rc; r++) {
		const struct stratum *b = &s->stratum[(from + r) % s->strata];

		if (b->n)
			rc = use_stratum(t, b, rate);
		if (!rc)
			rc = lagoon_clock(t->w);
	}
	return rc;
}

static int sgd_get(struct lgn_mf *t)
{
	const struct sgd *s = t->state;
	const struct lgn_mf_lines *l = t->rows;
	size_t n = l->n_others * (size_t)t->width;
	float *y = malloc((n + 1) * sizeof(*y));
	int rc = y ? 0 : fail_memory(l->n);

	if (!rc && n)
		rc = lagoon_pull_rows(t->w, t->fit->cols, l->others, l->n_others,
				      y);
	for (size_t k = 0; k < n && !rc; k++)
		t->y[k] = (double)y[k];
	for (size_t k = 0; k < l->lines * (size_t)t->width; k++)
		t->x[k] = (double)s->x[k];
	free(y);
	return rc;
}

const struct lgn_mf_method lgn_mf_sgd = {
	.name = "sgd", .adds = true, .open = sgd_open, .close = sgd_close,
	.begin = sgd_begin, .epoch = sgd_epoch, .get = sgd_get,
};
