/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_mf_fit() on ratings in memory. What it tells - objective, errors - is
 * recomputed in here from the model alone; als leaves the gradient of the users'
 * factors 0, and the objective of als and ccd++ never rises; under bsp all do the
 * same twice, als bit for bit: tables made anew round otherwise; sgd with more
 * factors than ratings comes to fit each of them. What is not legal in one process
 * is the error of all, with its place, and asking to stop in one ends all.
 */
/* launch: -n 1 */
/* launch: -n 1 -- --workers 3 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 2 --nodes 2 -- --workers 2 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "test/support/test.h"

enum { USERS = 70, ITEMS = 40, RATINGS = 1200, TESTS = 100, RANK = 4, EPOCHS = 12 };
enum { ALL = RATINGS + TESTS };

static int32_t user[ALL], item[ALL];
static double rating[ALL];
static bool is_last[ALL];	/* no later one of the same user and item */

static const double lambda = 0.05, lambda_bias = 0.7;

/* The same in every process: a product, some cells twice. */
static void make(void)
{
	struct t_rng rng = { 5 };

	for (int k = 0; k < ALL; k++) {
		user[k] = (int32_t)t_below(&rng, USERS);
		item[k] = (int32_t)(3 * t_below(&rng, ITEMS));
		rating[k] = 30 + 7 * sin(user[k]) * cos(item[k]) +
			(double)t_below(&rng, 100) / 50;
		is_last[k] = true;
		for (int i = 0; i < k && k < RATINGS; i++)
			if (user[i] == user[k] && item[i] == item[k])
				is_last[i] = false;
	}
}

static struct lagoon_mf_data part(int begin, int end)
{
	int rank = lagoon_rank(t_lg), size = lagoon_size(t_lg);
	int from = begin + (end - begin) * rank / size;
	int to = begin + (end - begin) * (rank + 1) / size;

	return (struct lagoon_mf_data){
		.size = sizeof(struct lagoon_mf_data), .n = (size_t)(to - from),
		.user = user + from, .item = item + from,
		.rating = rating + from,
	};
}

static struct lagoon_mf_options options(int method, int biases)
{
	struct lagoon_mf_options o;

	lagoon_mf_options_init(&o);
	o.method = method;
	o.rank = RANK;
	o.biases = biases;
	o.lambda = lambda;
	o.lambda_bias = lambda_bias;
	o.epochs = EPOCHS;
	return o;
}

/* ------------------------------------------------------------ reference */

static const double *row(const double *rows, const struct lagoon_mf_model *m,
			 int32_t i)
{
	return rows + (size_t)i * (size_t)(m->rank + m->biases);
}

static double error_of(const struct lagoon_mf_model *m, int k)
{
	const double *x = row(m->user, m, user[k]);
	const double *y = row(m->item, m, item[k]);
	double e = rating[k] - m->mean;

	for (int f = 0; f < m->rank; f++)
		e -= x[f] * y[f];
	if (m->biases)
		e -= x[m->rank] + y[m->rank];
	return e;
}

static double squares(const struct lagoon_mf_model *m, const double *x)
{
	double sum = 0;

	for (int f = 0; f < m->rank; f++)
		sum += x[f] * x[f];
	return sum;
}

static double objective_of(const struct lagoon_mf_model *m)
{
	double sum = 0;

	for (int k = 0; k < RATINGS; k++) {
		double e = error_of(m, k);

		if (is_last[k])
			sum += e * e + lambda *
				(squares(m, row(m->user, m, user[k])) +
				 squares(m, row(m->item, m, item[k])));
	}
	for (int i = 0; m->biases && i < (int)m->users; i++)
		sum += lambda_bias * pow(row(m->user, m, i)[m->rank], 2);
	for (int j = 0; m->biases && j < (int)m->items; j++)
		sum += lambda_bias * pow(row(m->item, m, j)[m->rank], 2);
	return sum;
}

static double rmse_of(const struct lagoon_mf_model *m, int begin, int end)
{
	double sum = 0;
	int n = 0;

	for (int k = begin; k < end; k++) {
		sum += is_last[k] ? pow(error_of(m, k), 2) : 0;
		n += is_last[k];
	}
	return sqrt(sum / n);
}

/* Half the derivative by a user's factor: 0 when als has just set it. There are
 * fewer users than items. */
static void check_gradient(const struct lagoon_mf_model *m)
{
	for (int f = 0; f < m->rank; f++) {
		double sum = 0;
		int32_t i = user[0];

		for (int k = 0; k < RATINGS; k++)
			if (is_last[k] && user[k] == i)
				sum += lambda * row(m->user, m, i)[f] -
					error_of(m, k) *
					row(m->item, m, item[k])[f];
		T_CHECK(fabs(sum) < 1e-8, "als: derivative %g by factor %d",
			sum, f);
	}
}

static bool is_near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * (fabs(a) + fabs(b));
}

/* The model is rank 0's. A float has 24 bits, and so has a table of q32. */
static void check_result(const struct lagoon_mf_result *r, int method,
			 const char *what)
{
	double tolerance = method == LAGOON_MF_SGD ? 1e-6 : 1e-10;
	int n = 0;

	for (int k = 0; k < RATINGS; k++)
		n += is_last[k];
	T_CHECK(r->ratings == (uint64_t)n &&
		r->replaced == (uint64_t)(RATINGS - n) &&
		r->test_ratings == TESTS && r->users == USERS &&
		r->items == 3 * ITEMS - 2 && r->epochs == EPOCHS && !r->stopped,
		"%s: the result does not fit the ratings", what);
	T_CHECK(!lagoon_rank(t_lg) == !!r->model.user,
		"%s: the model is not rank 0's", what);
	if (!r->model.user)
		return;
	T_CHECK(is_near(r->objective, objective_of(&r->model), tolerance),
		"%s: it tells objective %.12g, the model has %.12g", what,
		r->objective, objective_of(&r->model));
	T_CHECK(is_near(r->rmse, rmse_of(&r->model, 0, RATINGS), tolerance),
		"%s: rmse %.12g, of the model %.12g", what, r->rmse,
		rmse_of(&r->model, 0, RATINGS));
	T_CHECK(is_near(r->test_rmse, rmse_of(&r->model, RATINGS, ALL),
			tolerance), "%s: test rmse %.12g, of the model %.12g",
		what, r->test_rmse, rmse_of(&r->model, RATINGS, ALL));
	if (method == LAGOON_MF_ALS)
		check_gradient(&r->model);
}

/* --------------------------------------------------------------- fitting */

struct fall {
	double last;
	int n;
	bool rises;
};

static int watch(void *arg, const struct lagoon_mf_epoch *e)
{
	struct fall *fall = arg;

	fall->rises |= fall->n++ && e->objective > fall->last * (1 + 1e-12);
	fall->last = e->objective;
	return 0;
}

static void fit(int method, int model, int biases, struct lagoon_mf_result *r)
{
	static const char *const names[] = { "sgd", "als", "ccd++" };
	const struct lagoon_mf_data data = part(0, RATINGS);
	const struct lagoon_mf_data test = part(RATINGS, ALL);
	struct lagoon_mf_options o = options(method, biases);
	struct fall fall = { 0 };
	char what[64];

	snprintf(what, sizeof(what), "%s, model %d, biases %d", names[method],
		 model, biases);
	o.model = model;
	o.progress = watch;
	o.progress_arg = &fall;
	*r = (struct lagoon_mf_result){ .size = sizeof(*r) };
	t_ok(lagoon_mf_fit(t_lg, &data, &test, &o, r), what);
	check_result(r, method, what);
	T_CHECK(fall.n == EPOCHS, "%s: %d epochs were told", what, fall.n);
	T_CHECK(method == LAGOON_MF_SGD || !fall.rises,
		"%s: the objective rises", what);
	T_CHECK(r->rmse < 3, "%s: rmse %g", what, r->rmse);
}

static void test_methods(void)
{
	for (int method = 0; method <= LAGOON_MF_CCD; method++)
		for (int model = LAGOON_SSP; model <= LAGOON_PSP; model++) {
			struct lagoon_mf_result r, again;

			fit(method, model, model & 1, &r);
			if (model == LAGOON_BSP) {
				fit(method, model, 1, &again);
				T_CHECK(is_near(again.objective, r.objective,
						method == LAGOON_MF_ALS ? 0 :
						1e-5),
					"method %d under bsp: objective %.17g, then %.17g",
					method, r.objective, again.objective);
				lagoon_mf_result_free(&again);
			}
			lagoon_mf_result_free(&r);
		}
}

/* One that an epoch left out would be as far off as before. */
static void test_each_rating(void)
{
	const struct lagoon_mf_data data = part(0, RATINGS);
	struct lagoon_mf_options o = options(LAGOON_MF_SGD, 0);
	struct lagoon_mf_result r = { .size = sizeof(r) };

	o.rank = ITEMS;
	o.lambda = 0;
	o.decay = 1;
	o.epochs = 100;
	o.measure = 100;
	t_ok(lagoon_mf_fit(t_lg, &data, NULL, &o, &r), "each rating");
	for (int k = 0; k < RATINGS && r.model.user; k++)
		T_CHECK(!is_last[k] || fabs(error_of(&r.model, k)) < 0.5,
			"rating %d of user %d and item %d is off by %g", k,
			user[k], item[k], error_of(&r.model, k));
	lagoon_mf_result_free(&r);
}

static int stop(void *arg, const struct lagoon_mf_epoch *e)
{
	(void)arg;
	return e->epoch >= 4;
}

/* Asked for in one process, it ends all, the next time. */
static void test_stop(void)
{
	struct lagoon_mf_options o = options(LAGOON_MF_SGD, 0);
	struct lagoon_mf_result r = { .size = sizeof(r) };
	const struct lagoon_mf_data data = part(0, RATINGS);

	o.measure = 2;
	if (lagoon_rank(t_lg) == lagoon_size(t_lg) - 1)
		o.progress = stop;
	t_ok(lagoon_mf_fit(t_lg, &data, NULL, &o, &r), "stopping");
	T_CHECK(r.stopped && r.epochs == 6 && r.test_rmse < 0,
		"asked to stop in epoch 4, measured every 2, it ended after %d",
		r.epochs);
	lagoon_mf_result_free(&r);
}

/* More rows and columns than fit in one vector, more workers than lines. */
static void test_small(void)
{
	static const int32_t few_user[] = { 4, 4 }, few_item[] = { 0, 9 };
	static const double few_rating[] = { 1, 2 };
	const struct lagoon_mf_data data = {
		.size = sizeof(data), .n = lagoon_rank(t_lg) ? 0 : 2,
		.user = few_user, .item = few_item, .rating = few_rating,
	};

	for (int method = 0; method <= LAGOON_MF_CCD; method++) {
		struct lagoon_mf_options o = options(method, 1);
		struct lagoon_mf_result r = { .size = sizeof(r) };

		o.rank = 1;
		t_ok(lagoon_mf_fit(t_lg, &data, NULL, &o, &r), "few ratings");
		T_CHECK(r.users == 5 && r.items == 10 && r.ratings == 2,
			"few ratings: %llu users, %llu items",
			(unsigned long long)r.users,
			(unsigned long long)r.items);
		lagoon_mf_result_free(&r);
	}
}

/* -------------------------------------------------------------- refused */

static void refuse(const struct lagoon_mf_data *data,
		   const struct lagoon_mf_options *o, const char *text)
{
	struct lagoon_mf_result r = { .size = sizeof(r), .epochs = -1 };

	t_expect(lagoon_mf_fit(t_lg, data, NULL, o, &r), LAGOON_EINVAL, text);
	T_CHECK(strstr(lagoon_errmsg(), text), "no \"%s\" in \"%s\"", text,
		lagoon_errmsg());
	T_CHECK(r.epochs == -1, "%s: the result was written", text);
}

/* One rating of the last process. */
static void refuse_rating(int32_t u, int32_t i, double value, const char *text)
{
	static int32_t users[RATINGS], items[RATINGS];
	static double values[RATINGS];
	struct lagoon_mf_data data = part(0, RATINGS);
	const struct lagoon_mf_options o = options(LAGOON_MF_CCD, 0);

	memcpy(users, data.user, data.n * sizeof(*users));
	memcpy(items, data.item, data.n * sizeof(*items));
	memcpy(values, data.rating, data.n * sizeof(*values));
	if (lagoon_rank(t_lg) == lagoon_size(t_lg) - 1) {
		users[6] = u;
		items[6] = i;
		values[6] = value;
	}
	data.user = users;
	data.item = items;
	data.rating = values;
	refuse(&data, &o, text);
}

static void test_refused(void)
{
	const struct lagoon_mf_data data = part(0, RATINGS), none = {
		.size = sizeof(none),
	};
	struct lagoon_mf_options o;

	refuse_rating(-1, 0, 1, "data: rating 7: user -1, item 0: expected 0");
	refuse_rating(1, INT32_MIN, 1, "data: rating 7: user 1, item -2147483648");
	refuse_rating(1, 2, NAN, "data: rating 7 of user 1 and item 2 is nan");
	refuse_rating(1, 2, INFINITY, "data: rating 7 of user 1 and item 2 is inf");
	o = options(LAGOON_MF_ALS, 0);
	refuse(&none, &o, "data: no ratings");
	o.rank = 1000;
	refuse(&data, &o, "data: 70 users for a rank of 1000");
	o.rank = 0;
	refuse(&data, &o, "rank 0: expected 1 to 4096");
	o = options(LAGOON_MF_ALS, 0);
	o.lambda = 0;
	refuse(&data, &o, "lambda 0: expected a finite number above 0");
	o = options(LAGOON_MF_SGD, 0);
	o.lambda = NAN;
	refuse(&data, &o, "lambda nan");
	o = options(LAGOON_MF_SGD, 0);
	o.decay = 2;
	refuse(&data, &o, "decay 2: expected at most 1");
	o = options(3, 0);
	refuse(&data, &o, "method 3: expected 0 to 2");
	o = options(LAGOON_MF_SGD, 0);
	o.model = LAGOON_VAP;
	refuse(&data, &o, "model 5: expected ssp, bsp, asp, essp or psp");
	o = options(LAGOON_MF_SGD, 0);
	o.every = 2;
	refuse(&data, &o, "every 2 without a checkpoint");
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("mf_arrays", 8);
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2)
		attr.workers = t_workers(argv[2]);
	t_open(&attr, NULL);
	make();
	test_methods();
	test_each_rating();
	test_stop();
	test_small();
	test_refused();
	t_close();
	return 0;
}
