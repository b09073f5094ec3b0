/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints of a fit, between two epochs: there all workers are at one clock,
 * and all have told what they know. A checkpoint has the tables of the method and
 * of the weights that were measured, and what all workers have alike: where the
 * fit stands, and the objectives so far. What a worker has for itself, its method
 * makes anew of the tables and of its rows, which may be others than before.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/linear.h"
#include "runtime/base/status.h"

/* What must be the same to go on, and how far it had come. */
struct saved {
	struct lgn_saved_data data;
	double c, l1, l2, rate;
	double objective, accuracy;
	uint64_t nonzeros;
	int32_t loss, method, epoch;
	double history[LGN_LINEAR_WINDOW + 1];
	double past[];		/* [epoch + 1] */
};

static size_t bytes_of(int epoch)
{
	return sizeof(struct saved) + ((size_t)epoch + 1) * sizeof(double);
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

/* Every worker, after the meeting that ends an epoch. */
static int save(struct lgn_linear *t)
{
	struct saved *s = malloc(bytes_of(t->epoch));
	int rc;

	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d objectives",
				t->epoch);
	*s = head_of(t->fit);
	s->epoch = t->epoch;
	s->objective = t->objective;
	s->accuracy = t->accuracy;
	s->nonzeros = t->nonzeros;
	memcpy(s->history, t->history, sizeof(s->history));
	memcpy(s->past, t->past, ((size_t)t->epoch + 1) * sizeof(*s->past));
	rc = lagoon_checkpoint(t->worker, t->fit->options.checkpoint, s,
			       bytes_of(t->epoch));
	free(s);
	return rc;
}

static struct lgn_saving saving_of(const struct lgn_linear_fit *fit)
{
	const struct lagoon_linear_options *o = &fit->options;

	return (struct lgn_saving){ o->checkpoint, o->every, o->interrupted,
				    o->interrupted_arg };
}

int lgn_linear_save(struct lgn_linear *t)
{
	const struct lgn_saving o = saving_of(t->fit);

	return lgn_saving_is_due(&o, t->epoch, t->interrupted) ? save(t) : 0;
}

int lgn_linear_is_interrupted(const struct lgn_linear *t)
{
	const struct lgn_saving o = saving_of(t->fit);

	return lgn_saving_is_interrupted(&o);
}

/* ------------------------------------------------------------ going on */

static int check(const struct lgn_linear_fit *fit, const struct saved *s,
		 size_t bytes)
{
	const char *dir = fit->options.resume;
	struct saved here = head_of(fit);

	if (bytes < sizeof(*s) || s->epoch < 0 || bytes != bytes_of(s->epoch))
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
	size_t bytes = bytes_of(fit->options.epochs);
	struct saved *s;
	int rc;

	lagoon_table_set_saved(fit->tidings.table, 0);
	if (!fit->options.resume)
		return 0;
	s = calloc(1, bytes);
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d objectives",
				fit->options.epochs);
	fit->saved = s;
	rc = lagoon_restore(fit->lg, fit->options.resume, s, &bytes);
	return rc ? rc : check(fit, s, bytes);
}

int lgn_linear_resume(struct lgn_linear *t)
{
	const struct saved *s = t->fit->saved;

	if (!s)
		return 0;
	t->epoch = s->epoch;
	t->objective = s->objective;
	t->accuracy = s->accuracy;
	t->nonzeros = s->nonzeros;
	memcpy(t->history, s->history, sizeof(t->history));
	memcpy(t->past, s->past, ((size_t)s->epoch + 1) * sizeof(*s->past));
	return t->fit->method->resume(t);
}
