/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints of a fit, between two epochs. What a method knows then follows from
 * the data and the weights, with sdca from the dual variables too: two tables have
 * these bit for bit, and all others are made anew. The dual weights of sdca and
 * the length of steps depend on the number of workers, so a fit that goes on has
 * those of its own.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/regression/regression.h"
#include "kernels/solve/words.h"
#include "runtime/base/status.h"

#define SAME 1e-9		/* of sums in another order */

/* What must be the same to go on, and how far it had come. */
struct saved {
	struct lgn_saved_data data;
	double l1, l2;
	double y_shift, y_scale;
	int32_t method, standardise, intercept;
	int32_t epoch, workers, slowed;
	double objective, dual, best_gap;
	uint64_t nonzeros;
};

static struct saved head_of(const struct lgn_regression_fit *fit)
{
	const struct lagoon_regression_options *o = &fit->options;

	return (struct saved){
		.data.rows = fit->facts.rows,
		.data.entries = fit->facts.entries,
		.data.features = fit->facts.cols,
		.l1 = o->l1, .l2 = o->l2,
		.y_shift = fit->scale.y_shift, .y_scale = fit->scale.y_scale,
		.method = o->method, .standardise = o->standardise != 0,
		.intercept = o->intercept != 0, .workers = fit->workers,
	};
}

struct lgn_saving lgn_regression_saving(const struct lgn_regression_fit *fit)
{
	const struct lagoon_regression_options *o = &fit->options;

	return (struct lgn_saving){ o->checkpoint, o->every, o->interrupted,
				    o->interrupted_arg };
}

/* -------------------------------------------------------------- writing */

int lgn_regression_tell(struct lgn_regression *t)
{
	const struct lgn_regression_scale *scale = t->scale;

	for (uint64_t j = 0; j < t->block_cols; j++)
		t->product[j] = t->x[j] * scale->factor[t->block + j] *
			scale->y_scale;
	return lgn_words_tell(t->w, t->fit->found, t->block, t->block_cols,
			      t->product);
}

static int save(struct lgn_regression *t)
{
	const struct lgn_regression_fit *fit = t->fit;
	struct saved s = head_of(fit);
	int rc = lgn_regression_tell(t);

	if (!rc && fit->duals)
		rc = lgn_words_tell(t->w, fit->duals, fit->first_row[t->id],
				    t->lines.a.rows, t->alpha);
	rc = lgn_regression_meet(t, rc, NULL);
	if (rc)
		return rc;
	s.epoch = t->epoch;
	s.slowed = t->slowed;
	s.objective = t->objective;
	s.dual = t->dual;
	s.best_gap = t->best_gap;
	s.nonzeros = t->nonzeros;
	return lagoon_checkpoint(t->w, fit->options.checkpoint, &s, sizeof(s));
}

int lgn_regression_save(struct lgn_regression *t)
{
	const struct lgn_saving o = lgn_regression_saving(t->fit);

	return lgn_saving_is_due(&o, t->epoch, t->interrupted) ? save(t) : 0;
}

/* ------------------------------------------------------------ going on */

static bool is_near(double a, double b, double scale)
{
	return fabs(a - b) <= SAME * scale;
}

static int check_targets(const char *dir, const struct saved *s,
			 const struct saved *here)
{
	double size = here->y_scale + fabs(here->y_shift);

	if (is_near(s->y_shift, here->y_shift, size) &&
	    is_near(s->y_scale, here->y_scale, size))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of other targets: of "
			"mean %g and deviation %g, here they are %g and %g",
			dir, s->y_shift, s->y_scale, here->y_shift,
			here->y_scale);
}

static int check(const struct lgn_regression_fit *fit, const struct saved *s,
		 size_t bytes)
{
	const char *dir = fit->options.resume;
	const struct saved here = head_of(fit);
	int rc;

	if (bytes != sizeof(*s) || s->epoch < 0)
		return lgn_fail(LAGOON_EINVAL, "%s: not a checkpoint of such a "
				"fit", dir);
	rc = lgn_saved_check(dir, &s->data, &here.data, s->epoch,
			     fit->options.epochs);
	if (rc)
		return rc;
	if (s->method != here.method || s->standardise != here.standardise ||
	    s->intercept != here.intercept)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of method %d "
				"with standardise %d and intercept %d, here "
				"they are %d, %d and %d", dir, s->method,
				s->standardise, s->intercept, here.method,
				here.standardise, here.intercept);
	if (memcmp(&s->l1, &here.l1, sizeof(s->l1)) ||
	    memcmp(&s->l2, &here.l2, sizeof(s->l2)))
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint with l1 %g and "
				"l2 %g, here they are %g and %g", dir, s->l1,
				s->l2, here.l1, here.l2);
	return check_targets(dir, s, &here);
}

int lgn_regression_restore(struct lgn_regression_fit *fit)
{
	struct lagoon_table *const anew[] = {
		fit->state, fit->probe, fit->dealt, fit->counts.table,
		fit->tidings.table,
	};
	size_t bytes = sizeof(struct saved);
	int rc;

	for (size_t i = 0; i < LGN_COUNT(anew); i++)
		if (anew[i])
			lagoon_table_set_saved(anew[i], 0);
	if (!fit->options.resume)
		return 0;
	fit->saved = calloc(1, bytes);
	if (!fit->saved)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a checkpoint");
	rc = lagoon_restore(fit->lg, fit->options.resume, fit->saved, &bytes);
	return rc ? rc : check(fit, fit->saved, bytes);
}

int lgn_regression_resume(struct lgn_regression *t)
{
	const struct lgn_regression_fit *fit = t->fit;
	const struct saved *s = fit->saved;
	int rc;

	if (!s)
		return 0;
	t->epoch = s->epoch;
	t->slowed = s->workers == fit->workers ? s->slowed : 0;
	t->objective = s->objective;
	t->dual = s->dual;
	t->best_gap = s->best_gap;
	t->nonzeros = s->nonzeros;
	/* Not the orders of the epochs that were. */
	t->seed += (uint64_t)s->epoch << 32;
	rc = lgn_words_pull(t->w, fit->found, t->block, t->block_cols, t->x);
	lgn_regression_rescale(t);
	if (!rc && fit->duals)
		rc = lgn_words_pull(t->w, fit->duals, fit->first_row[t->id],
				    t->lines.a.rows, t->alpha);
	return rc;
}
