/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints between passes, where what goes on is least. A row of their table has
 * one element of each vector,
 *
 *	Lanczos, which has just made a restart: the vectors that stay, of the long
 *	side, then of the short one, where the next vector is the last column;
 *	randomised: the block of the short side, from which that of the long one is
 *	made anew
 *
 * and two more rows have the singular values of these, and those that are waited
 * for to stay the same.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/random.h"
#include "kernels/solve/svd/svd.h"
#include "runtime/base/status.h"

#define KIND UINT64_C(0x31647673)	/* that the state is one of these */
#define NAME "svd saved"
#define ROWS ((uint64_t)1024)		/* at once */

static bool is_block(const struct lgn_svd_fit *fit)
{
	return fit->options.method == LAGOON_SVD_RANDOMISED;
}

/* The table: the first row of the short side, and the shape. */
static uint64_t short_row(const struct lgn_svd_fit *fit)
{
	return is_block(fit) ? 0 : fit->lines;
}

static uint64_t values_row(const struct lgn_svd_fit *fit)
{
	return short_row(fit) + fit->length;
}

static uint64_t cols_of(const struct lgn_svd_fit *fit)
{
	return is_block(fit) ? fit->width :
		lgn_svd_kept((uint64_t)fit->options.k, fit->width) + 1;
}

static struct lgn_svd_saved head_of(const struct lgn_svd_fit *fit)
{
	return (struct lgn_svd_saved){
		.kind = KIND,
		.data.rows = fit->facts.rows,
		.data.entries = fit->facts.entries,
		.data.features = fit->facts.cols,
		.width = fit->width,
		.k = fit->options.k,
		.method = fit->options.method,
	};
}

struct lgn_saving lgn_svd_saving(const struct lgn_svd_fit *fit)
{
	const struct lagoon_svd_options *o = &fit->options;

	return (struct lgn_saving){ o->checkpoint, o->every, o->interrupted,
				    o->interrupted_arg };
}

/* -------------------------------------------------------------- vectors */

/* This worker's elements of t->n vectors [n][b->n], and of one more or NULL, to or
 * from the rows of the table from row on. room: [ROWS][cols_of()] */
static int put(struct lgn_svd *t, const struct lgn_svd_basis *b, uint64_t row,
	       const double *more, double *room)
{
	uint64_t cols = cols_of(t->fit);
	int rc = 0;

	memset(room, 0, ROWS * cols * sizeof(*room));
	for (uint64_t i = 0; i < b->n && !rc; i += ROWS) {
		uint64_t some = b->n - i < ROWS ? b->n - i : ROWS;

		for (uint64_t j = 0; j < t->n; j++)
			for (uint64_t l = 0; l < some; l++)
				room[l * cols + j] =
					b->vectors[j * b->n + i + l];
		for (uint64_t l = 0; l < some && more; l++)
			room[l * cols + t->n] = more[i + l];
		rc = lagoon_add(t->w, t->fit->saved, row + b->first + i, some,
				room);
	}
	return rc;
}

static int get(struct lgn_svd *t, const struct lgn_svd_basis *b, uint64_t row,
	       double *more, double *room)
{
	uint64_t cols = cols_of(t->fit);
	int rc = 0;

	for (uint64_t i = 0; i < b->n && !rc; i += ROWS) {
		uint64_t some = b->n - i < ROWS ? b->n - i : ROWS;

		rc = lagoon_pull(t->w, t->fit->saved, row + b->first + i, some,
				 room);
		for (uint64_t j = 0; j < t->n; j++)
			for (uint64_t l = 0; l < some; l++)
				b->vectors[j * b->n + i + l] =
					room[l * cols + j];
		for (uint64_t l = 0; l < some && more; l++)
			more[i + l] = room[l * cols + t->n];
	}
	return rc;
}

static int put_values(struct lgn_svd *t, double *room)
{
	uint64_t cols = cols_of(t->fit);

	memset(room, 0, 2 * cols * sizeof(*room));
	memcpy(room, t->s, t->n * sizeof(*room));
	memcpy(room + cols, t->was,
	       (size_t)t->fit->options.k * sizeof(*room));
	return lagoon_add(t->w, t->fit->saved, values_row(t->fit), 2, room);
}

static int get_values(struct lgn_svd *t, double *room)
{
	uint64_t cols = cols_of(t->fit);
	int rc = lagoon_pull(t->w, t->fit->saved, values_row(t->fit), 2, room);

	memcpy(t->s, room, t->n * sizeof(*room));
	memcpy(t->was, room + cols,
	       (size_t)t->fit->options.k * sizeof(*room));
	return rc;
}

static double *open_room(const struct lgn_svd *t)
{
	uint64_t n = ROWS * cols_of(t->fit);
	double *room = malloc(n * sizeof(*room));

	if (!room)
		lgn_fail(LAGOON_ENOMEM, "no memory for %llu numbers",
			 (unsigned long long)n);
	return room;
}

/* -------------------------------------------------------------- writing */

static int put_all(struct lgn_svd *t)
{
	struct lgn_svd_fit *fit = t->fit;
	double *room = open_room(t);
	int rc = room ? 0 : LAGOON_ENOMEM;

	if (!rc && !t->id)
		rc = put_values(t, room);
	if (!rc && !is_block(fit))
		rc = put(t, &t->u, 0, NULL, room);
	if (!rc && !is_block(fit))
		rc = put(t, &t->v, short_row(fit), t->y, room);
	else if (!rc && t->v.n)
		rc = lagoon_add(t->w, fit->saved, t->v.first, t->v.n,
				t->v.vectors);
	free(room);
	return rc;
}

static int save(struct lgn_svd *t)
{
	struct lgn_svd_saved s = head_of(t->fit);
	double none = 0;
	int rc = lgn_svd_sum(t, put_all(t), 1, &none);

	if (rc)
		return rc;
	s.mark = (uint64_t)t->mark[0] << 32 | t->mark[1];
	s.n = t->n;
	s.products = t->products;
	s.pass = t->pass;
	s.looking = t->looking;
	return lagoon_checkpoint(t->w, t->fit->options.checkpoint, &s,
				 sizeof(s));
}

int lgn_svd_save_pass(struct lgn_svd *t)
{
	const struct lgn_saving o = lgn_svd_saving(t->fit);

	if (!lgn_saving_is_due(&o, t->pass, t->told))
		return 0;
	t->interrupted = t->told;
	return save(t);
}

/* ------------------------------------------------------------- checking */

static int check(const struct lgn_svd_fit *fit, size_t bytes)
{
	const struct lagoon_svd_options *o = &fit->options;
	const struct lgn_svd_saved *s = &fit->from, here = head_of(fit);
	int most = is_block(fit) ? o->power : o->restarts;
	const char *dir = o->resume;

	if (!fit->saved || bytes != sizeof(*s) || s->kind != KIND)
		return lgn_fail(LAGOON_EINVAL, "%s: not a checkpoint of such a "
				"fit", dir);
	if (lgn_saved_check(dir, &s->data, &here.data, 0, 0))
		return LAGOON_EINVAL;
	if (s->k != here.k || s->method != here.method ||
	    s->width != here.width)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of %d values by "
				"method %d with %llu vectors, here they are %d "
				"by %d with %llu", dir, s->k, s->method,
				(unsigned long long)s->width, here.k,
				here.method, (unsigned long long)here.width);
	if (s->pass > most)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint after %d "
				"passes: expected %d at most", dir, s->pass,
				most);
	return 0;
}

/* The table comes with the checkpoint: of another k it has another shape, and that
 * is for check() to say. */
int lgn_svd_restore(struct lgn_svd_fit *fit)
{
	const struct lagoon_svd_options *o = &fit->options;
	size_t bytes = sizeof(fit->from);
	int rc;

	if (!o->resume)
		return !o->checkpoint ? 0 :
			lgn_svd_create(fit, NAME, values_row(fit) + 2,
				       cols_of(fit), "assign", &fit->saved);
	rc = lgn_saved_restore(fit->lg, o->resume, NAME, &fit->from, &bytes,
			       &fit->saved);
	return rc ? rc : check(fit, bytes);
}

/* ------------------------------------------------------------ going on */

/* A sum, so that it does not matter who has which entries, of either half of the
 * bits: a double of the tidings takes no more. */
void lgn_svd_mark(struct lgn_svd *t)
{
	const struct lgn_entries *e = &t->entries;

	for (size_t i = 0; i < e->n; i++) {
		uint64_t bits, place = (uint64_t)e->row[i] << 32 | e->col[i];

		memcpy(&bits, &e->val[i], sizeof(bits));
		bits = lgn_random_mix(lgn_random_mix(place) ^ bits);
		t->mark[0] += (uint32_t)(bits >> 32);
		t->mark[1] += (uint32_t)bits;
	}
}

static int agree_mark(struct lgn_svd *t)
{
	const char *dir = t->fit->options.resume;
	double sums[2] = { t->mark[0], t->mark[1] };
	int rc = lgn_svd_sum(t, 0, 2, sums);

	if (rc)
		return rc;
	for (int i = 0; i < 2; i++)
		t->mark[i] = (uint32_t)(uint64_t)sums[i];
	if (dir && t->fit->from.mark !=
	    ((uint64_t)t->mark[0] << 32 | t->mark[1]))
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of other data: "
				"as many rows, columns and entries with other "
				"numbers", dir);
	return 0;
}

static int get_all(struct lgn_svd *t)
{
	struct lgn_svd_fit *fit = t->fit;
	double *room = open_room(t);
	int rc = room ? 0 : LAGOON_ENOMEM;

	if (!rc)
		rc = get_values(t, room);
	if (!rc && !is_block(fit))
		rc = get(t, &t->u, 0, NULL, room);
	if (!rc && !is_block(fit))
		rc = get(t, &t->v, short_row(fit), t->y, room);
	else if (!rc && t->v.n)
		rc = lagoon_pull(t->w, fit->saved, t->v.first, t->v.n,
				 t->v.vectors);
	free(room);
	return rc;
}

int lgn_svd_resume(struct lgn_svd *t)
{
	const struct lgn_svd_saved *s = &t->fit->from;
	double none = 0;
	int rc = agree_mark(t);

	if (rc || !t->fit->options.resume)
		return rc;
	t->n = s->n;
	t->products = s->products;
	t->pass = s->pass;
	t->looking = s->looking;
	rc = lgn_svd_sum(t, get_all(t), 1, &none);
	for (uint64_t i = 0; i < t->n; i++)
		t->matrix[i * t->width + i] = t->s[i];
	return rc;
}
