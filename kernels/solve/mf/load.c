/* SPDX-License-Identifier: BSD-3-Clause */
/* The ratings of a call, from memory or from files, checked; and to the workers
 * that own their rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/ratings.h"
#include "kernels/solve/deal.h"
#include "kernels/solve/mf/mf.h"
#include "runtime/base/status.h"

/* --------------------------------------------------------------- memory */

static int check_rating(const char *what, const struct lagoon_mf_data *d,
			size_t k)
{
	if (d->user[k] < 0 || d->item[k] < 0 || d->user[k] == INT32_MAX ||
	    d->item[k] == INT32_MAX)
		return lgn_fail(LAGOON_EINVAL, "%s: rating %zu: user %d, item "
				"%d: expected 0 to %d", what, k + 1, d->user[k],
				d->item[k], INT32_MAX - 1);
	if (!isfinite(d->rating[k]))
		return lgn_fail(LAGOON_EINVAL, "%s: rating %zu of user %d and "
				"item %d is %g: expected a finite number", what,
				k + 1, d->user[k], d->item[k], d->rating[k]);
	return 0;
}

/* The worker's share of the process's ratings. */
static int take_memory(const struct lgn_mf_fit *fit, const char *what,
		       const struct lagoon_mf_data *d, int local,
		       struct lgn_entries *out)
{
	size_t parts = (size_t)lagoon_local_workers(fit->lg), begin, end;
	int rc = 0;

	if (d->size < sizeof(*d))
		return lgn_fail(LAGOON_EINVAL, "%s: size is not set", what);
	if (d->n && (!d->user || !d->item || !d->rating))
		return lgn_fail(LAGOON_EINVAL, "%s: an array is NULL: expected "
				"users, items and ratings", what);
	begin = d->n / parts * (size_t)local;
	end = (size_t)local + 1 == parts ? d->n : begin + d->n / parts;
	rc = lgn_entries_reserve(out, end - begin, 0);
	for (size_t k = begin; k < end && !rc; k++) {
		rc = check_rating(what, d, k);
		if (rc)
			break;
		lgn_entries_add(out, (uint64_t)d->user[k],
				(uint64_t)d->item[k], d->rating[k]);
		if ((uint64_t)d->user[k] >= out->rows)
			out->rows = (uint64_t)d->user[k] + 1;
		if ((uint64_t)d->item[k] >= out->cols)
			out->cols = (uint64_t)d->item[k] + 1;
	}
	return rc;
}

static int take(const struct lgn_mf_fit *fit, int id, struct lgn_mf_part *p)
{
	int rc;

	if (fit->data) {
		rc = take_memory(fit, "data", fit->data,
				 id - fit->first_worker, &p->data);
		return rc || !fit->test ? rc :
			take_memory(fit, "test", fit->test,
				    id - fit->first_worker, &p->test);
	}
	rc = lgn_ratings_read(fit->path, id, fit->workers, &p->data);
	return rc || !fit->test_path ? rc :
		lgn_ratings_read(fit->test_path, id, fit->workers, &p->test);
}

/* ------------------------------------------------------------- agreeing */

static int check_rank(const struct lgn_mf_fit *fit, const char *what,
		      const char *of, uint64_t n)
{
	if ((uint64_t)fit->options.rank <= n)
		return 0;
	return lgn_fail(LAGOON_EINVAL, "%s: %llu %s for a rank of %d: expected "
			"at most as many factors", what, (unsigned long long)n,
			of, fit->options.rank);
}

static int agree(const struct lgn_mf_fit *fit, const struct lgn_mf_facts *parts,
		 struct lgn_mf_facts *all)
{
	const char *what = fit->path ? fit->path : "data";
	int rc;

	memset(all, 0, sizeof(*all));
	for (int i = 0; i < fit->workers; i++) {
		all->n += parts[i].n;
		all->test_n += parts[i].test_n;
		all->rows = parts[i].rows > all->rows ? parts[i].rows : all->rows;
		all->cols = parts[i].cols > all->cols ? parts[i].cols : all->cols;
	}
	if (!all->n)
		return lgn_fail(LAGOON_EINVAL, "%s: no ratings", what);
	if (fit->has_test && !all->test_n)
		return lgn_fail(LAGOON_EINVAL, "%s: no ratings",
				fit->test_path ? fit->test_path : "test");
	rc = check_rank(fit, what, "users", all->rows);
	return rc ? rc : check_rank(fit, what, "items", all->cols);
}

int lgn_mf_load(struct lagoon_worker *w, void *arg)
{
	struct lgn_mf_fit *fit = arg;
	int id = lagoon_worker_id(w), local = id - fit->first_worker;
	struct lgn_mf_part *p = &fit->part[local];
	struct lgn_mf_facts mine = { 0 }, all;
	struct lgn_mf_facts *parts = calloc((size_t)fit->workers,
					    sizeof(*parts));
	uint32_t round = 0;
	int rc = parts ? take(fit, id, p) :
		lgn_fail(LAGOON_ENOMEM, "no memory for the facts of %d workers",
			 fit->workers);

	mine.n = p->data.n;
	mine.test_n = p->test.n;
	mine.rows = p->data.rows;
	mine.cols = p->data.cols;
	rc = lgn_share_meet(&fit->tidings, w, &round, rc, &mine, parts);
	if (!rc)
		rc = agree(fit, parts, &all);
	if (!rc && !local)
		fit->facts = all;	/* the same in all */
	free(parts);
	return rc;
}

/* -------------------------------------------------------------- dealing */

static void swap(struct lgn_entries *e)
{
	uint32_t *row = e->row;

	e->row = e->col;
	e->col = row;
}

static int create_dealt(const struct lgn_mf_fit *fit, const char *name,
			uint64_t n, struct lagoon_table **table)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	attr.rows = LGN_DEAL_WORDS(n);
	attr.format = LAGOON_I64;
	return lagoon_table_create(fit->lg, name, &attr, table);
}

int lgn_mf_create_dealt(struct lgn_mf_fit *fit)
{
	int rc = lgn_share_create(fit->lg, "mf amounts",
				  sizeof(uint64_t) * (size_t)fit->workers,
				  LAGOON_SSP, &fit->amounts);

	if (!rc)
		rc = lgn_share_create(fit->lg, "mf facts",
				      sizeof(struct lgn_mf_facts), LAGOON_SSP,
				      &fit->tidings);
	if (rc || fit->workers == 1)
		return rc;
	rc = create_dealt(fit, "mf dealt", fit->facts.n, &fit->dealt);
	if (!rc && fit->has_test)
		rc = create_dealt(fit, "mf dealt test", fit->facts.test_n,
				  &fit->dealt_test);
	if (!rc && fit->method->by_cols)
		rc = create_dealt(fit, "mf dealt columns", fit->facts.n,
				  &fit->dealt_cols);
	return rc;
}

void lgn_mf_destroy_dealt(struct lgn_mf_fit *fit)
{
	struct lagoon_table **const all[] = {
		&fit->dealt, &fit->dealt_test, &fit->dealt_cols,
	};

	for (size_t i = 0; i < LGN_COUNT(all); i++) {
		if (*all[i])
			lagoon_table_destroy(*all[i]);
		*all[i] = NULL;
	}
	lgn_share_destroy(&fit->amounts);
	lgn_share_destroy(&fit->tidings);
}

/* A worker that is alone has them all. */
static int deal(const struct lgn_mf_fit *fit, struct lagoon_worker *w,
		struct lagoon_table *table, bool by_cols, uint32_t *round,
		int rc, struct lgn_entries *e)
{
	const struct lgn_deal d = {
		.w = w, .share = &fit->amounts, .table = table,
		.rows = LGN_INDEX_MAX, .cols = LGN_INDEX_MAX,
		.by_rows = !by_cols, .scattered = true, .entries = e,
	};

	return fit->workers == 1 ? rc : lgn_deal(&d, round, rc);
}

static int copy(const struct lgn_entries *e, struct lgn_entries *to)
{
	int rc = lgn_entries_reserve(to, e->n, 0);

	for (size_t k = 0; k < e->n && !rc; k++)
		lgn_entries_add(to, e->row[k], e->col[k], e->val[k]);
	return rc;
}

/* als: the same ratings again, by columns. */
static int take_cols(const struct lgn_mf_fit *fit, struct lagoon_worker *w,
		     struct lgn_mf_part *p, uint32_t *round, int rc)
{
	const struct lgn_mf_facts *f = &fit->facts;
	struct lgn_entries e = { 0 };

	if (!rc)
		rc = copy(&p->data, &e);
	rc = deal(fit, w, fit->dealt_cols, true, round, rc, &e);
	swap(&e);
	if (!rc)
		rc = lgn_mf_sort(&e, f->cols, f->rows, NULL);
	if (!rc)
		rc = lgn_mf_lines_open(&e, f->rows, NULL, &p->cols);
	lgn_entries_free(&e);
	return rc;
}

static void sum(const struct lgn_entries *e, struct lgn_mf_facts *mine)
{
	for (size_t k = 0; k < e->n; k++) {
		mine->sum += e->val[k];
		mine->squares += e->val[k] * e->val[k];
	}
	mine->n = e->n;
}

static int take_rows(const struct lgn_mf_fit *fit, struct lagoon_worker *w,
		     struct lgn_mf_part *p, uint32_t *round,
		     struct lgn_mf_facts *mine)
{
	int rc = 0;

	if (fit->swapped) {
		swap(&p->data);
		swap(&p->test);
	}
	rc = deal(fit, w, fit->dealt, false, round, rc, &p->data);
	if (!rc && fit->has_test)
		rc = deal(fit, w, fit->dealt_test, false, round, rc, &p->test);
	if (!rc)
		rc = lgn_mf_sort(&p->data, fit->facts.rows, fit->facts.cols,
				 &mine->replaced);
	if (!rc)
		sum(&p->data, mine);
	if (!rc && fit->method->by_cols)
		rc = take_cols(fit, w, p, round, rc);
	if (!rc)
		rc = lgn_mf_lines_open(&p->data, fit->facts.cols, &p->test,
				       &p->rows);
	if (!rc)
		rc = lgn_mf_tests_open(&p->test, &p->rows, &p->tests);
	lgn_entries_free(&p->test);
	return rc;
}

static void agree_again(const struct lgn_mf_fit *fit,
			const struct lgn_mf_facts *parts,
			struct lgn_mf_facts *all)
{
	all->n = all->replaced = 0;
	all->sum = all->squares = 0;
	for (int i = 0; i < fit->workers; i++) {
		all->n += parts[i].n;
		all->replaced += parts[i].replaced;
		all->sum += parts[i].sum;
		all->squares += parts[i].squares;
	}
}

int lgn_mf_deal(struct lagoon_worker *w, void *arg)
{
	struct lgn_mf_fit *fit = arg;
	int id = lagoon_worker_id(w), local = id - fit->first_worker;
	struct lgn_mf_facts mine = { 0 };
	struct lgn_mf_facts *parts = calloc((size_t)fit->workers,
					    sizeof(*parts));
	uint32_t round = 0, other = 0;
	int rc = parts ? take_rows(fit, w, &fit->part[local], &round, &mine) :
		lgn_fail(LAGOON_ENOMEM, "no memory for the facts of %d workers",
			 fit->workers);

	/* Whether the others are at a meeting of the one or of the other. */
	if (rc) {
		lgn_share_fail(&fit->amounts, w, round, rc);
		lgn_share_fail(&fit->tidings, w, other, rc);
	} else {
		rc = lgn_share_meet(&fit->tidings, w, &other, rc, &mine, parts);
	}
	if (!rc && !local)
		agree_again(fit, parts, &fit->facts);
	free(parts);
	return rc;
}
