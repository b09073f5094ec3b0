/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_kmeans_fit() on rows in memory. What it tells is recomputed in here: each
 * row goes to its nearest centroid, a centroid of Lloyd's is the mean of its rows,
 * and the sum is that of their squares; every process has the same centroids, bit
 * for bit, under bsp and with staleness 0 alike. What is not legal in one process
 * is the error of all, with row and column. A fit that is interrupted goes on from
 * its checkpoint to what one in one go comes to.
 */
/* launch: -n 1 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 2 --nodes 2 -- 3 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "test/support/test.h"

enum { ROWS = 400, COLS = 3, STRIDE = 5, CLUSTERS = 7 };

/* The same in every process. The last column is far away and narrow. */
static double all[ROWS][COLS];

static struct {
	int first, n;
	double x[ROWS][STRIDE];
	float narrow[ROWS][STRIDE];
} mine;

/* Of rank 0, and of whoever is compared with it. */
struct shared {
	double centroids[CLUSTERS][COLS];
	int32_t assigned[ROWS];
};

static void make(void)
{
	struct t_rng rng = { 7 };

	for (int i = 0; i < ROWS; i++) {
		int k = (int)t_below(&rng, CLUSTERS);

		for (int j = 0; j < COLS; j++) {
			double noise = (double)t_below(&rng, 1 << 16) * 0x1p-16;

			/* a float has them all */
			all[i][j] = j == 2 ? 1000 + noise / 16 :
				(j ? k % 3 : k / 3) * 2 + noise;
			all[i][j] = (double)(float)all[i][j];
		}
	}
}

/* Rank 1 of 3 has none. */
static void take(int rank, int size)
{
	mine.first = ROWS * rank / size;
	mine.n = ROWS * (rank + 1) / size - mine.first;
	if (size == 3) {
		mine.first = rank == 2 ? 90 : 0;
		mine.n = rank == 0 ? 90 : rank == 1 ? 0 : ROWS - 90;
	}
	for (int i = 0; i < mine.n; i++)
		for (int j = 0; j < STRIDE; j++) {
			mine.x[i][j] = j < COLS ? all[mine.first + i][j] : NAN;
			mine.narrow[i][j] = (float)mine.x[i][j];
		}
}

static struct lagoon_kmeans_data data(int real_size)
{
	take(lagoon_rank(t_lg), lagoon_size(t_lg));
	return (struct lagoon_kmeans_data){
		.size = sizeof(struct lagoon_kmeans_data),
		.rows = (size_t)mine.n, .cols = COLS, .stride = STRIDE,
		.real_size = real_size,
		.x = real_size == 4 ? (void *)mine.narrow : (void *)mine.x,
	};
}

static struct lagoon_kmeans_options options(int model, int staleness)
{
	struct lagoon_kmeans_options o;

	lagoon_kmeans_options_init(&o);
	o.clusters = CLUSTERS;
	o.model = model;
	o.staleness = staleness;
	o.restarts = 3;
	return o;
}

/* ------------------------------------------------------------ reference */

static double square(const double *x, const double *y)
{
	double sum = 0;

	for (int j = 0; j < COLS; j++)
		sum += (x[j] - y[j]) * (x[j] - y[j]);
	return sum;
}

static void check_nearest(const struct shared *s, double sse, const char *what)
{
	double sum = 0;

	for (int i = 0; i < ROWS; i++) {
		int32_t k = s->assigned[i];
		double least = HUGE_VAL;

		if (k < 0 || k >= CLUSTERS)
			t_die("%s: row %d is in cluster %d", what, i, k);
		for (int c = 0; c < CLUSTERS; c++)
			least = fmin(least, square(all[i], s->centroids[c]));
		if (!(square(all[i], s->centroids[k]) <= least + 1e-12))
			t_die("%s: row %d is in cluster %d, another is nearer",
			      what, i, k);
		sum += least;
	}
	if (!(fabs(sum - sse) <= 1e-10 * sum))
		t_die("%s: it tells a sum of %.15g, of the rows it is %.15g",
		      what, sse, sum);
}

static void check_means(const struct shared *s, const char *what)
{
	double sum[CLUSTERS][COLS] = { { 0 } };
	int n[CLUSTERS] = { 0 };

	for (int i = 0; i < ROWS; i++) {
		n[s->assigned[i]]++;
		for (int j = 0; j < COLS; j++)
			sum[s->assigned[i]][j] += all[i][j];
	}
	for (int k = 0; k < CLUSTERS; k++)
		for (int j = 0; j < COLS; j++)
			if (!n[k] || !(fabs(sum[k][j] / n[k] -
					    s->centroids[k][j]) < 1e-12))
				t_die("%s: cluster %d, column %d: %.17g, the mean of its %d rows is %.17g",
				      what, k, j, s->centroids[k][j], n[k],
				      sum[k][j] / n[k]);
}

/* --------------------------------------------------------------- fitting */

/* Centroids of rank 0 and the clusters of all are in t_shared afterwards. */
static double fit(const struct lagoon_kmeans_options *o, int real_size,
		  const char *what)
{
	struct shared *shared = t_shared;
	const struct lagoon_kmeans_data d = data(real_size);
	struct lagoon_kmeans_result r = { .size = sizeof(r) };
	double centroids[CLUSTERS][COLS];
	static int32_t assigned[ROWS];

	t_sync();
	if (lagoon_kmeans_fit(t_lg, &d, o, centroids[0], assigned, &r))
		t_die("%s: %s", what, lagoon_errmsg());
	memcpy(shared->assigned + mine.first, assigned,
	       (size_t)mine.n * sizeof(*assigned));
	if (!lagoon_rank(t_lg))
		memcpy(shared->centroids, centroids, sizeof(centroids));
	t_sync();
	if (memcmp(shared->centroids, centroids, sizeof(centroids)))
		t_die("%s: the centroids of rank %d are others", what,
		      lagoon_rank(t_lg));
	if (r.rows != ROWS || r.cols != COLS || r.clusters != CLUSTERS ||
	    r.stopped || r.centroids || r.counts)
		t_die("%s: the result does not fit the rows", what);
	check_nearest(shared, r.sse, what);
	lagoon_kmeans_result_free(&r);
	return r.sse;
}

static void test_lloyd(void)
{
	static const struct { int model, staleness, exact; } how[] = {
		{ LAGOON_BSP, 0, 1 }, { LAGOON_SSP, 0, 1 },
		{ LAGOON_ESSP, 0, 1 }, { LAGOON_SSP, 2, 0 },
		{ LAGOON_ASP, 0, 0 }, { LAGOON_PSP, 1, 0 },
	};
	struct shared *shared = t_shared;
	double first[CLUSTERS][COLS];
	char what[64];

	for (size_t i = 0; i < T_COUNT(how); i++)
		for (int real = 4; real <= 8; real += 4) {
			struct lagoon_kmeans_options o =
				options(how[i].model, how[i].staleness);

			snprintf(what, sizeof(what), "model %d, staleness %d, real %d",
				 how[i].model, how[i].staleness, real);
			o.measure = how[i].exact ? 1 : 3;
			fit(&o, real, what);
			check_means(shared, what);
			if (!i && real == 4)
				memcpy(first, shared->centroids, sizeof(first));
			if (how[i].exact && memcmp(first, shared->centroids,
						   sizeof(first)))
				t_die("%s: other centroids than under bsp", what);
		}
}

/* Sums of few rows are estimates: near the best of Lloyd's is enough. */
static void test_minibatch(void)
{
	struct lagoon_kmeans_options o = options(LAGOON_BSP, 0);
	struct shared *shared = t_shared;
	double best = fit(&o, 8, "lloyd"), first[CLUSTERS][COLS];

	o.method = LAGOON_KMEANS_MINIBATCH;
	o.batch = 100;
	for (int start = 0; start <= LAGOON_KMEANS_RANDOM; start++) {
		o.start = start;
		o.restarts = start ? 8 : 3;
		o.rounds = 40;
		for (int again = 0; again < 2; again++) {
			double sse = fit(&o, 8, "minibatch");

			if (!(sse < 1.15 * best))
				t_die("minibatch: a sum of %.6g, lloyd's is %.6g",
				      sse, best);
			if (again && memcmp(first, shared->centroids,
					    sizeof(first)))
				t_die("minibatch under bsp: not the same twice");
			memcpy(first, shared->centroids, sizeof(first));
			t_sync();
		}
	}
}

static int stop(void *arg, const struct lagoon_kmeans_round *r)
{
	++*(int *)arg;
	return r->restart > 1 || r->round >= 2;
}

/* Asked for in one process, it ends all. */
static void test_stop(void)
{
	struct lagoon_kmeans_options o = options(LAGOON_SSP, 0);
	struct lagoon_kmeans_result r = { .size = sizeof(r) };
	const struct lagoon_kmeans_data d = data(8);
	int calls = 0;

	o.start = LAGOON_KMEANS_RANDOM;
	if (lagoon_rank(t_lg) == lagoon_size(t_lg) - 1) {
		o.progress = stop;
		o.progress_arg = &calls;
	}
	t_ok(lagoon_kmeans_fit(t_lg, &d, &o, NULL, NULL, &r), "stopping");
	if (!r.stopped || r.rounds != 3 || r.restart != 1 || r.converged)
		t_die("asked to stop in round 2, it ended after %d of restart %d",
		      r.rounds, r.restart);
	if (o.progress && calls != 3)
		t_die("progress was called %d times in 3 rounds", calls);
}

/* ---------------------------------------------------------- checkpoints */

/* Once, in one worker of the first process alone. */
static int interrupt(void *arg)
{
	return !lagoon_rank(t_lg) &&
		__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED) == 5;
}

static int see_first(void *arg, const struct lagoon_kmeans_round *r)
{
	if (!*(uint64_t *)arg)
		*(uint64_t *)arg = r->all_rounds;
	return 0;
}

static void goes_on(const char *folder, int method, int start)
{
	struct lagoon_kmeans_options o = options(LAGOON_BSP, 0);
	struct lagoon_kmeans_result r = { .size = sizeof(r) };
	const struct lagoon_kmeans_data d = data(8);
	struct shared *shared = t_shared;
	double whole[CLUSTERS][COLS], sse, again;
	uint64_t first = 0, all_rounds;
	int calls = 0;

	o.method = method;
	o.start = start;
	o.batch = 50;
	o.rounds = 20;
	o.measure = 1;
	sse = fit(&o, 8, "in one go");
	memcpy(whole, shared->centroids, sizeof(whole));
	o.checkpoint = folder;
	o.interrupted = interrupt;
	o.interrupted_arg = &calls;
	t_ok(lagoon_kmeans_fit(t_lg, &d, &o, NULL, NULL, &r), "interrupted");
	T_CHECK(r.interrupted && r.restart >= 1 && r.rounds && !r.centroids,
		"method %d: interrupted %d in restart %d", method,
		r.interrupted, r.restart);
	all_rounds = r.all_rounds;
	o.checkpoint = NULL;
	o.resume = folder;
	o.progress = see_first;
	o.progress_arg = &first;
	again = fit(&o, 8, "going on");
	T_CHECK(!memcmp(&again, &sse, sizeof(sse)), "method %d: a sum of %.17g, "
		"in one go it is %.17g", method, again, sse);
	T_CHECK(!memcmp(whole, shared->centroids, sizeof(whole)),
		"method %d: other centroids than in one go", method);
	T_CHECK(first == all_rounds + 1,
		"method %d: from round %llu it went on to %llu", method,
		(unsigned long long)all_rounds, (unsigned long long)first);
}

static void refuse(const struct lagoon_kmeans_data *d,
		   const struct lagoon_kmeans_options *o, const char *message);

static void test_restarts(void)
{
	const char *folder = t_folder();
	struct lagoon_kmeans_options o = options(LAGOON_SSP, 1);
	struct lagoon_kmeans_data d = data(8);

	goes_on(folder, LAGOON_KMEANS_MINIBATCH, LAGOON_KMEANS_PLUSPLUS);
	goes_on(folder, LAGOON_KMEANS_LLOYD, LAGOON_KMEANS_PLUSPLUS);
	goes_on(folder, LAGOON_KMEANS_LLOYD, LAGOON_KMEANS_RANDOM);
	o.resume = folder;
	o.clusters++;
	refuse(&d, &o, "a checkpoint of 7 clusters by method 0, here they are 8");
	o.clusters--;
	o.method = LAGOON_KMEANS_MINIBATCH;
	refuse(&d, &o, "here they are 7 by 1");
	o.method = LAGOON_KMEANS_LLOYD;
	if (!lagoon_rank(t_lg))
		mine.x[3][1] += 0.125;
	refuse(&d, &o, "a checkpoint of other data");
	d = data(8);
	o.every = 2;
	refuse(&d, &o, "every is 2: expected a folder");
	t_sync();
	t_folder_remove();
}

/* ---------------------------------------------------------------- errors */

static void refuse(const struct lagoon_kmeans_data *d,
		   const struct lagoon_kmeans_options *o, const char *message)
{
	struct lagoon_kmeans_result r = { .size = sizeof(r) };

	t_expect(lagoon_kmeans_fit(t_lg, d, o, NULL, NULL, &r), LAGOON_EINVAL,
		 message);
	if (!strstr(lagoon_errmsg(), message))
		t_die("no \"%s\" in: %s", message, lagoon_errmsg());
}

/* Of the last process; the others hear it. */
static void test_data(void)
{
	struct lagoon_kmeans_options o = options(LAGOON_SSP, 1);
	bool last = lagoon_rank(t_lg) == lagoon_size(t_lg) - 1;
	struct lagoon_kmeans_data d = data(8);

	if (last)
		mine.x[5][1] = NAN;
	refuse(&d, &o, "row 6: column 2 is nan");
	if (last)
		mine.x[5][1] = -1e141;
	refuse(&d, &o, "row 6: column 2 is -1e+141");
	d = data(4);
	if (last)
		mine.narrow[5][0] = INFINITY;
	refuse(&d, &o, "row 6: column 1 is inf");
	d = data(8);
	if (last)
		d.stride = COLS - 1;
	refuse(&d, &o, "stride 2: expected at least 3");
	d = data(8);
	if (last)
		d.x = NULL;
	refuse(&d, &o, "x is NULL");
	d = data(8);
	if (last)
		d.real_size = 2;
	refuse(&d, &o, "real_size 2");
	d = data(8);
	if (last)
		d.cols = 0;
	refuse(&d, &o, "0 columns");
	d = data(8);
	if (last && lagoon_size(t_lg) > 1) {
		d.cols = COLS - 1;
		d.x = mine.x;
	}
	if (lagoon_size(t_lg) > 1)
		refuse(&d, &o, "expected 3, as in those before");
	d = data(8);
	o.clusters = ROWS + 1;
	refuse(&d, &o, "400 rows for 401 clusters");
	d.rows = 0;
	o.clusters = 1;
	refuse(&d, &o, "data: no rows");
}

static void test_options(void)
{
	struct lagoon_kmeans_options o = options(LAGOON_VAP, 0);
	const struct lagoon_kmeans_data d = data(8);

	refuse(&d, &o, "model 5");
	o = options(LAGOON_SSP, -1);
	refuse(&d, &o, "staleness -1");
	o = options(LAGOON_SSP, 0);
	o.clusters = 0;
	refuse(&d, &o, "clusters 0");
	o = options(LAGOON_SSP, 0);
	o.tolerance = NAN;
	refuse(&d, &o, "tolerance");
	o = options(LAGOON_SSP, 0);
	o.method = 2;
	refuse(&d, &o, "method 2");
	o = options(LAGOON_SSP, 0);
	o.size = 8;
	refuse(&d, &o, "options not initialised");
}

/* As many clusters as rows: each is one. Fewer different rows than clusters:
 * some stay empty. */
static void test_extremes(void)
{
	struct lagoon_kmeans_options o = options(LAGOON_SSP, 0);
	struct lagoon_kmeans_result r = { .size = sizeof(r) };
	struct lagoon_kmeans_data d = data(8);

	o.clusters = ROWS;
	o.restarts = 1;
	o.start = LAGOON_KMEANS_RANDOM;
	t_ok(lagoon_kmeans_fit(t_lg, &d, &o, NULL, NULL, &r), "a cluster a row");
	if (r.empty || !(r.sse < 1e-12))
		t_die("a cluster a row: %d empty, a sum of %g", r.empty, r.sse);
	for (int i = 0; i < mine.n; i++)
		for (int j = 0; j < COLS; j++)
			mine.x[i][j] = (mine.first + i) % 2 ? 1e140 : -1e140;
	o.clusters = 5;
	t_ok(lagoon_kmeans_fit(t_lg, &d, &o, NULL, NULL, &r), "two rows");
	if (r.empty != 3 || !(r.sse < 1e-28 * 1e280))
		t_die("two different rows: %d of 5 clusters are empty, a sum of %g",
		      r.empty, r.sse);
}

/* The argument: workers of each process. */
int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("kmeans_arrays", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "lagoon_attr_init");
	if (argc > 1)
		attr.workers = atoi(argv[1]);
	t_open(&attr, NULL);
	make();
	test_lloyd();
	test_minibatch();
	test_stop();
	test_restarts();
	test_data();
	test_options();
	test_extremes();
	t_close();
	return 0;
}
