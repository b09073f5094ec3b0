/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints of a fit, between two epochs. All that a method knows then follows
 * from the ratings and the factors, which tables have; the others are made anew.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/mf/mf.h"
#include "runtime/base/status.h"

/* What must be the same to go on, and how far it had come. */
struct lgn_mf_saved {
	struct lgn_saved_data data;
	double lambda, lambda_bias, mean, scale;
	int32_t method, rank, biases, epoch;
	double objective, rmse, test_rmse;
};

static struct lgn_mf_saved head_of(const struct lgn_mf_fit *fit)
{
	const struct lagoon_mf_options *o = &fit->options;

	return (struct lgn_mf_saved){
		.data.rows = fit->facts.rows, .data.entries = fit->facts.n,
		.data.features = fit->facts.cols,
		.lambda = o->lambda, .lambda_bias = o->lambda_bias,
		.mean = fit->mean, .scale = fit->scale,
		.method = o->method, .rank = o->rank, .biases = o->biases,
	};
}

struct lgn_saving lgn_mf_saving(const struct lgn_mf_fit *fit)
{
	const struct lagoon_mf_options *o = &fit->options;

	return (struct lgn_saving){ o->checkpoint, o->every, o->interrupted,
				    o->interrupted_arg };
}

int lgn_mf_save(struct lgn_mf *t)
{
	const struct lgn_saving o = lgn_mf_saving(t->fit);
	struct lgn_mf_saved s = head_of(t->fit);
	int rc;

	if (!lgn_saving_is_due(&o, t->epoch, t->interrupted))
		return 0;
	rc = lgn_mf_tell(t);
	if (rc)
		return rc;
	s.epoch = t->epoch;
	s.objective = t->objective;
	s.rmse = t->rmse;
	s.test_rmse = t->test_rmse;
	return lagoon_checkpoint(t->w, t->fit->options.checkpoint, &s,
				 sizeof(s));
}

static bool differ(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) != 0;
}

/* Mean and deviation are sums in an order that depends on the workers: those of
 * the checkpoint are used. */
static int check(const struct lgn_mf_fit *fit, const struct lgn_mf_saved *s,
		 size_t bytes)
{
	const char *dir = fit->options.resume;
	const struct lgn_mf_saved here = head_of(fit);
	int rc;

	if (bytes != sizeof(*s) || s->epoch < 0)
		return lgn_fail(LAGOON_EINVAL, "%s: not a checkpoint of such a "
				"fit", dir);
	rc = lgn_saved_check(dir, &s->data, &here.data, s->epoch,
			     fit->options.epochs);
	if (rc)
		return rc;
	if (s->method != here.method || s->rank != here.rank ||
	    s->biases != here.biases)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of method %d "
				"with rank %d and biases %d, here they are %d, "
				"%d and %d", dir, s->method, s->rank, s->biases,
				here.method, here.rank, here.biases);
	if (differ(s->lambda, here.lambda) ||
	    differ(s->lambda_bias, here.lambda_bias))
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint with lambda %g "
				"and lambda_bias %g, here they are %g and %g",
				dir, s->lambda, s->lambda_bias, here.lambda,
				here.lambda_bias);
	if (s->mean - here.mean > 1e-9 * here.scale ||
	    here.mean - s->mean > 1e-9 * here.scale)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of ratings of "
				"mean %g, here it is %g", dir, s->mean,
				here.mean);
	return 0;
}

int lgn_mf_restore(struct lgn_mf_fit *fit)
{
	struct lagoon_table *const anew[] = {
		fit->sums[0], fit->sums[1], fit->tidings.table,
	};
	size_t bytes = sizeof(struct lgn_mf_saved);
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
	if (!rc)
		rc = check(fit, fit->saved, bytes);
	if (rc)
		return rc;
	fit->mean = fit->saved->mean;
	fit->scale = fit->saved->scale;
	return 0;
}

int lgn_mf_resume(struct lgn_mf *t)
{
	const struct lgn_mf_fit *fit = t->fit;
	const struct lgn_mf_saved *s = fit->saved;
	int rc;

	if (!s)
		return 0;
	t->epoch = s->epoch;
	t->objective = s->objective;
	t->rmse = s->rmse;
	t->test_rmse = fit->has_test ? s->test_rmse : -1;
	rc = lgn_mf_pull(t, fit->rows, t->rows->id, t->rows->lines, t->x);
	if (!rc && !fit->method->adds)
		rc = lgn_mf_pull(t, fit->cols, t->rows->others,
				 t->rows->n_others, t->y);
	return rc;
}
