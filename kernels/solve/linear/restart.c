/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints of a fit, between two epochs: there all workers are at one clock,
 * and all have told what they know. A checkpoint has the tables of the method and
 * of the weights that were measured, and what all workers have alike: where the
 * fit stands, the objectives so far, and what the method keeps. What it has for
 * each row is in one more table, in the order in which the rows came. All else that
 * a worker has for itself, its method makes anew of these and of its rows, which
 * may be others than before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear/linear.h"
#include "kernels/solve/part.h"
#include "runtime/base/status.h"

/* What must be the same to go on, and how far it had come. */
struct saved {
	struct lgn_saved_data data;
	double c, l1, l2, rate;
	double objective, accuracy, dual, gap;
	uint64_t nonzeros;
	int32_t loss, method, epoch;
	double history[LGN_LINEAR_WINDOW + 1];
	double past[];		/* [epoch + 1], then what the method keeps */
};

static size_t bytes_of(const struct lgn_linear_fit *fit, int epoch)
{
	return sizeof(struct saved) + ((size_t)epoch + 1) * sizeof(double) +
		fit->method->kept;
}

static struct saved head_of(const struct lgn_linear_fit *fit)
{
	const struct lagoon_linear_options *o = &fit->options;

	return (struct saved){
		.data.rows = fit->facts.data.rows,
		.data.entries = fit->facts.data.entries,
		.data.features = fit->facts.data.cols,
		.data.classes = fit->facts.classes,
		.c = o->c, .l1 = o->l1, .l2 = o->l2, .rate = o->rate,
		.loss = o->loss, .method = o->method,
	};
}

/* ------------------------------------------------------ numbers of rows */

/* place[i]: of row i among the worker's as they came. The caller frees it, and
 * room for their numbers. */
static int open_places(const struct lgn_linear *t, size_t **place, double **room)
{
	const struct lagoon_linear_options *o = &t->fit->options;
	size_t rows = t->rows.rows;

	*place = malloc((rows + 1) * sizeof(**place));
	*room = malloc((rows + 1) * t->fit->outputs * sizeof(**room));
	if (!*place || !*room)
		return lgn_fail(LAGOON_ENOMEM, "no memory for numbers of %zu "
				"rows", rows);
	lgn_part_order(*place, rows, o->seed, (uint32_t)t->id);
	for (size_t i = 0; i < rows && (o->in_order || t->rows.file); i++)
		(*place)[i] = i;
	return 0;
}

static int put_rows(struct lgn_linear *t, const double *x)
{
	size_t *place = NULL, rows = t->rows.rows, outputs = t->fit->outputs;
	double *room = NULL;
	int rc = open_places(t, &place, &room);

	for (size_t i = 0; i < rows && !rc; i++)
		memcpy(room + place[i] * outputs, x + i * outputs,
		       outputs * sizeof(*x));
	if (!rc && rows)
		rc = lagoon_add(t->worker, t->fit->per_row, t->first_row, rows,
				room);
	free(place);
	free(room);
	return rc;
}

static int get_rows(struct lgn_linear *t, double *x)
{
	size_t *place = NULL, rows = t->rows.rows, outputs = t->fit->outputs;
	double *room = NULL;
	int rc = open_places(t, &place, &room);

	if (!rc && rows)
		rc = lagoon_pull(t->worker, t->fit->per_row, t->first_row, rows,
				 room);
	for (size_t i = 0; i < rows && !rc; i++)
		memcpy(x + i * outputs, room + place[i] * outputs,
		       outputs * sizeof(*x));
	free(place);
	free(room);
	return rc;
}

/* -------------------------------------------------------------- writing */

/* Every worker, after the meeting that ends an epoch. */
static int save(struct lgn_linear *t)
{
	const struct lgn_linear_method *m = t->fit->method;
	size_t bytes = bytes_of(t->fit, t->epoch);
	struct saved *s = calloc(1, bytes);
	int rc = 0;

	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d objectives",
				t->epoch);
	*s = head_of(t->fit);
	s->epoch = t->epoch;
	s->objective = t->objective;
	s->accuracy = t->accuracy;
	s->dual = t->dual;
	s->gap = t->gap;
	s->nonzeros = t->nonzeros;
	memcpy(s->history, t->history, sizeof(s->history));
	memcpy(s->past, t->past, ((size_t)t->epoch + 1) * sizeof(*s->past));
	if (m->keep)
		m->keep(t, s->past + t->epoch + 1);
	if (m->rows)
		rc = lgn_linear_meet(t, put_rows(t, m->rows(t)), NULL);
	if (!rc)
		rc = lagoon_checkpoint(t->worker, t->fit->options.checkpoint, s,
				       bytes);
	free(s);
	return rc;
}

struct lgn_saving lgn_linear_saving(const struct lgn_linear_fit *fit)
{
	const struct lagoon_linear_options *o = &fit->options;

	return (struct lgn_saving){ o->checkpoint, o->every, o->interrupted,
				    o->interrupted_arg };
}

int lgn_linear_save(struct lgn_linear *t)
{
	const struct lgn_saving o = lgn_linear_saving(t->fit);

	return lgn_saving_is_due(&o, t->epoch, t->interrupted) ? save(t) : 0;
}

int lgn_linear_is_interrupted(const struct lgn_linear *t)
{
	const struct lgn_saving o = lgn_linear_saving(t->fit);

	return lgn_saving_is_interrupted(&o);
}

/* ------------------------------------------------------------ going on */

static int check(const struct lgn_linear_fit *fit, const struct saved *s,
		 size_t bytes)
{
	const char *dir = fit->options.resume;
	struct saved here = head_of(fit);

	if (bytes < sizeof(*s) || s->epoch < 0 ||
	    (s->method == here.method && bytes != bytes_of(fit, s->epoch)))
		return lgn_fail(LAGOON_EINVAL, "%s: not a checkpoint of such a "
				"fit", dir);
	if (lgn_saved_check(dir, &s->data, &here.data, s->epoch,
			    fit->options.epochs))
		return LAGOON_EINVAL;
	if (s->loss != here.loss || s->method != here.method)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of loss %d and "
				"method %d, here they are %d and %d", dir,
				s->loss, s->method, here.loss, here.method);
	if (memcmp(&s->c, &here.c, sizeof(s->c)) ||
	    memcmp(&s->l1, &here.l1, sizeof(s->l1)) ||
	    memcmp(&s->l2, &here.l2, sizeof(s->l2)))
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint with c %g, l1 "
				"%g and l2 %g, here they are %g, %g and %g",
				dir, s->c, s->l1, s->l2, here.c, here.l1,
				here.l2);
	return 0;
}

int lgn_linear_restore(struct lgn_linear_fit *fit)
{
	/* Also of another method, to say so. */
	size_t bytes = bytes_of(fit, fit->options.epochs) + LGN_LINEAR_KEPT;
	struct saved *s;
	int rc = 0;

	lagoon_table_set_saved(fit->tidings.table, 0);
	if (fit->method->rows && (fit->options.checkpoint || fit->options.resume))
		rc = lgn_linear_plain(fit, "linear rows", fit->facts.data.rows,
				      &fit->per_row);
	if (rc || !fit->options.resume)
		return rc;
	s = calloc(1, bytes);
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d objectives",
				fit->options.epochs);
	fit->saved = s;
	rc = lagoon_restore(fit->lg, fit->options.resume, s, &bytes);
	return rc ? rc : check(fit, s, bytes);
}

/* The message stays that of the refusal. */
void lgn_linear_forget(struct lgn_linear_fit *fit)
{
	static const char *const names[] = {
		"linear weights", "linear rows", "linear state",
		"linear gradient", "linear squares", "linear downpour",
		"linear ftrl", "linear history",
	};
	struct lagoon_table *t;
	char text[512];

	snprintf(text, sizeof(text), "%s", lagoon_errmsg());
	for (size_t i = 0; i < LGN_COUNT(names); i++)
		if (!lagoon_table_attach(fit->lg, names[i], &t))
			lagoon_table_destroy(t);
	lgn_errmsg_set(text);
}

int lgn_linear_resume(struct lgn_linear *t)
{
	const struct lgn_linear_method *m = t->fit->method;
	const struct saved *s = t->fit->saved;
	int rc = 0;

	if (!s)
		return 0;
	t->epoch = s->epoch;
	t->objective = s->objective;
	t->accuracy = s->accuracy;
	t->dual = s->dual;
	t->gap = s->gap;
	t->nonzeros = s->nonzeros;
	memcpy(t->history, s->history, sizeof(t->history));
	memcpy(t->past, s->past, ((size_t)s->epoch + 1) * sizeof(*s->past));
	if (m->rows)
		rc = get_rows(t, m->rows(t));
	if (!rc && m->resume)
		rc = m->resume(t, s->past + s->epoch + 1);
	return rc;
}
