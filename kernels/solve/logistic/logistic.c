/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * L2-logistic regression by stochastic gradient steps with variance
 * reduction (SVRG; Johnson and Zhang 2013), scaled by the diagonal of the
 * curvature.
 *
 * An epoch, in every worker: measure the loss and its derivatives at w, all
 * workers at the same w; then in each of a number of rounds pull the columns
 * of a batch, step through its rows, add the changes, clock.
 *
 * Why not plain SGD or AdaGrad: their steps do not end at the optimum. With
 * steps that differ between workers (AdaGrad with sums of a worker's own
 * gradients) they end elsewhere when the workers' rows differ: two workers
 * stayed 20 % above the optimum of the mushroom data, and sums made equal
 * every epoch still left 0.2 % with four. Here every single step is zero at
 * the optimum, whatever the grouping, the staleness and the step length, so
 * the objective's standing still means that it is reached.
 */
#include <math.h>

#include "kernels/solve/apart.h"
#include "kernels/solve/logistic/trainer.h"
#include "runtime/base/status.h"

#define SAFETY 4	/* columns of a row pull the same way */
#define NOISE 1e-9	/* a rise of the objective that is rounding */

/* The changes of the weights into t->at. */
static int take_changes(struct lgn_trainer *t, const struct lgn_batch *b)
{
	double largest = t->fit->largest;
	int lost = 0;

	for (uint32_t k = 0; k < b->n_cols; k++) {
		double now = t->cell[b->place[k]].w;

		lost |= !(fabs(now) <= largest);
		t->at[k] = now - t->at[k];
	}
	if (lost)
		return lgn_fail(LAGOON_ERANGE, "epoch %d: a weight went beyond "
				"%g: expected a rate smaller than %g", t->epoch,
				largest, t->fit->options.rate);
	return 0;
}

/* One round on batch i: pull, step, add, clock. Workers with fewer rows than
 * others still clock. */
static int train_batch(struct lgn_trainer *t, uint64_t i)
{
	const struct lgn_batch *b = &t->part->batch[i];
	const struct lgn_fit *fit = t->fit;
	int rc = lagoon_pull_rows(t->w, fit->weights, b->cols, b->n_cols,
				  t->at);

	if (rc)
		return rc;
	for (uint32_t k = 0; k < b->n_cols; k++)
		t->cell[b->place[k]].w = t->at[k];
	lagoon_logistic_pass(&b->rows, b->coef, t->cell);
	rc = take_changes(t, b);
	if (!rc)
		rc = lgn_add_apart(t->w, fit->weights, b->cols, b->n_cols,
				   t->at);
	if (!rc)
		rc = lgn_restart_tell(t);
	if (!rc)
		rc = lagoon_clock(t->w);
	t->batch = i + 1;
	return rc ? rc : lgn_restart_clocked(t);
}

/*
 * What a touch of column j does to w_j. The objective's derivative by w_j is
 * w_j + C first_j, spread over the count_j rows that touch it; a row adds the
 * change of its own derivative. The step is the inverse of the curvature that
 * it has to stand: that of one row of z entries, and of all rows that other
 * workers use before they see it.
 */
static void plan_steps(struct lgn_trainer *t)
{
	const struct lgn_fit *fit = t->fit;
	double c = fit->options.c, n = (double)fit->facts.data.rows;

	for (uint32_t j = 0; j < t->part->n_cols; j++) {
		double count = t->count[j];
		double row = (c * fit->row_entries * t->start[j] + 1) / count;
		double unseen = fit->unseen_rows / n *
				(c * t->total[j].second + 1);
		double step = t->step / (row / fit->options.rate +
					 SAFETY * unseen);

		t->cell[j].keep = 1 - step / count;
		t->cell[j].drift = step / count * c * t->total[j].first;
		t->cell[j].step = step * c;
	}
}

static int train_epoch(struct lgn_trainer *t)
{
	int rc = 0;

	plan_steps(t);
	while (t->batch < t->part->n_batches && !rc && !t->interrupted)
		rc = train_batch(t, t->batch);
	if (rc || t->interrupted)
		return rc;
	rc = lgn_trainer_meet(t);
	return rc ? rc : lgn_restart_met(t);
}

/* The objective rose: the steps are too long. Back to the best weights, and
 * half the length. */
static int step_back(struct lgn_trainer *t)
{
	int rc = lgn_trainer_restore(t);

	t->step /= 2;
	t->judged_from = t->epoch;
	return rc ? rc : lgn_trainer_measure(t);
}

/* A step that was too long once may be right later, or was so because one
 * worker ran far ahead: tried again after some good epochs. */
static void step_on(struct lgn_trainer *t)
{
	t->best = fmin(t->best, t->objective);
	if (t->step < 1 && (t->epoch - t->judged_from) % LGN_WINDOW == 0)
		t->step *= 2;
}

static int judge(struct lgn_trainer *t)
{
	int rc = 0;

	if (t->objective <= t->best * (1 + NOISE))
		step_on(t);
	else
		rc = step_back(t);
	t->history[t->epoch % (LGN_WINDOW + 1)] = t->objective;
	return rc ? rc : lgn_trainer_keep(t);
}

/* Every worker has the same numbers and comes to the same answer. */
static int is_converged(const struct lgn_trainer *t)
{
	double before = t->history[(t->epoch + 1) % (LGN_WINDOW + 1)];

	return t->epoch - t->judged_from >= LGN_WINDOW &&
	       fabs(before - t->objective) <=
	       t->fit->options.tolerance * t->objective;
}

/* Everything at zero weights. */
static int begin(struct lgn_trainer *t)
{
	int rc = lgn_trainer_count(t);

	if (!rc)
		rc = lgn_trainer_measure(t);
	if (rc)
		return rc;
	lgn_trainer_begin(t);
	t->history[0] = t->objective;
	return lgn_restart_begin(t);
}

/* One epoch, or what is left of it. */
static int advance(struct lgn_trainer *t)
{
	int rc;

	if (!t->batch)
		t->epoch++;
	rc = train_epoch(t);
	if (rc || t->interrupted)
		return rc;
	t->batch = 0;
	rc = lgn_trainer_measure(t);
	if (!rc)
		rc = judge(t);
	if (rc)
		return rc;
	lgn_trainer_report(t);
	t->converged = is_converged(t);
	return 0;
}

static int train(struct lgn_trainer *t)
{
	int rc = t->fit->options.resume ? lgn_restart_resume(t) : begin(t);

	while (!rc && !t->converged && !t->interrupted &&
	       (t->batch || t->epoch < t->fit->options.epochs))
		rc = advance(t);
	return rc ? rc : lgn_trainer_finish(t);
}

int lgn_logistic_train(struct lagoon_worker *w, void *arg)
{
	struct lgn_trainer t;
	int rc = lgn_trainer_open(arg, w, &t);

	if (!rc)
		rc = train(&t);
	if (rc)
		lgn_share_fail(&t.fit->share, w, t.round, rc);
	lgn_trainer_close(&t);
	return rc;
}
