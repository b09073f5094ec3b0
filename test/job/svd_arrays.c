/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_svd_fit() of matrices in memory, sparse and dense, tall and wide, of any
 * rank, with singular values that are planted, some of them several times: each
 * method finds them, with vectors that are orthonormal and fit the matrix. Twice
 * the same call gives the same bits. What is not legal in one process is the
 * error of all, with row and column.
 * A call that is interrupted goes on from its checkpoint to the same bits.
 */
/* launch: -n 1 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 2 --nodes 2 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "test/support/test.h"

enum { LONG = 90, SHORT = 60, MOST_K = SHORT };

/* A = sum of s_i x_i y_i', x_i and y_i columns of reflections: exact to rounding.
 * The same in every process. */
static double a[LONG][LONG];
static int rows, cols, values;
static double planted[SHORT];

static struct {
	int first, n;
	int64_t start[LONG + 1], index[LONG * LONG];
	double val[LONG * LONG];
	float val32[LONG * LONG];
} mine;

/* Rank 0 gathers what the ranks found. */
struct shared {
	double left[MOST_K][LONG];
};

static double found[MOST_K], left[MOST_K * LONG], right[MOST_K][LONG];

/* Element (i, k) of the reflection at a vector w: I - 2 w w' / w'w. */
static double reflection(const double *w, int n, int i, int k)
{
	double square = 0;

	for (int j = 0; j < n; j++)
		square += w[j] * w[j];
	return (i == k) - 2 * w[i] * w[k] / square;
}

static int falling(const void *x, const void *y)
{
	double d = *(const double *)y - *(const double *)x;

	return d > 0 ? 1 : d < 0 ? -1 : 0;
}

static void make(int r, int c, const double *s, int n)
{
	static double x[LONG], y[LONG];
	struct t_rng rng = { 7 };

	rows = r;
	cols = c;
	values = n;
	for (int i = 0; i < LONG; i++) {
		x[i] = (double)t_below(&rng, 1000) / 500 - 1;
		y[i] = (double)t_below(&rng, 1000) / 500 - 1;
	}
	memset(a, 0, sizeof(a));
	for (int k = 0; k < n; k++)
		for (int i = 0; i < r; i++)
			for (int j = 0; j < c; j++)
				a[i][j] += s[k] * reflection(x, r, i, k) *
					reflection(y, c, j, k);
	memset(planted, 0, sizeof(planted));
	memcpy(planted, s, (size_t)n * sizeof(*s));
	qsort(planted, (size_t)n, sizeof(*planted), falling);
}

/* Sparse: blocks of 2 x 2 on the diagonal, [p q; q p]: p + q and |p - q|. */
static void make_blocks(int r, int c)
{
	int n = r < c ? r : c;

	memset(a, 0, sizeof(a));
	rows = r;
	cols = c;
	values = n / 2 * 2;
	for (int i = 0; i + 1 < n; i += 2) {
		double p = 5 + i % 8, q = 1 + i % 6;	/* each again and again */

		a[i][i] = a[i + 1][i + 1] = p;
		a[i][i + 1] = a[i + 1][i] = q;
		planted[i] = p + q;
		planted[i + 1] = p - q;
	}
	for (int i = values; i < SHORT; i++)
		planted[i] = 0;
	qsort(planted, SHORT, sizeof(*planted), falling);
}

/* Rank 1 of 3 has none. */
static void take(void)
{
	int rank = lagoon_rank(t_lg), size = lagoon_size(t_lg);
	int64_t n = 0;

	mine.first = rows * rank / size;
	mine.n = rows * (rank + 1) / size - mine.first;
	if (size == 3) {
		int few = rows < 10 ? rows : 10;

		mine.first = rank == 2 ? few : 0;
		mine.n = rank == 0 ? few : rank == 1 ? 0 : rows - few;
	}
	mine.start[0] = 1;
	for (int i = 0; i < mine.n; i++) {
		for (int j = 0; j < cols; j++) {
			if (a[mine.first + i][j] == 0)
				continue;
			mine.index[n] = j + 1;
			mine.val32[n] = (float)a[mine.first + i][j];
			mine.val[n++] = a[mine.first + i][j];
		}
		mine.start[i + 1] = n + 1;
	}
}

static struct lagoon_sparse sparse(int real_size)
{
	take();
	return (struct lagoon_sparse){
		.rows = (size_t)mine.n, .cols = (size_t)cols,
		.layout = LAGOON_CSR, .real_size = real_size, .index_size = 8,
		.base = 1, .start = mine.start, .index = mine.index,
		.val = real_size == 8 ? (void *)mine.val : (void *)mine.val32,
	};
}

/* --------------------------------------------------------------- checks */

static void check_orthonormal(double (*v)[LONG], int k, int n, const char *what)
{
	for (int i = 0; i < k; i++)
		for (int j = 0; j <= i; j++) {
			double sum = i == j ? -1 : 0;

			for (int l = 0; l < n; l++)
				sum += v[i][l] * v[j][l];
			if (!(fabs(sum) < 1e-10))
				t_die("%s vectors %d and %d: %g", what, i, j,
				      sum);
		}
}

/* |A v - s u| and |A'u - s v| */
static void check_fit(double (*u)[LONG], double (*v)[LONG], int k, double eps)
{
	for (int i = 0; i < k; i++) {
		for (int r = 0; r < rows; r++) {
			double sum = -found[i] * u[i][r];

			for (int c = 0; c < cols; c++)
				sum += a[r][c] * v[i][c];
			if (!(fabs(sum) <= eps * planted[0]))
				t_die("value %d, row %d: A v - s u is %g", i,
				      r, sum);
		}
		for (int c = 0; c < cols; c++) {
			double sum = -found[i] * v[i][c];

			for (int r = 0; r < rows; r++)
				sum += a[r][c] * u[i][r];
			if (!(fabs(sum) <= eps * planted[0]))
				t_die("value %d, column %d: A'u - s v is %g", i,
				      c, sum);
		}
	}
}

static void meet(void)
{
	struct lagoon_table_attr attr;
	struct lagoon_table *t;

	lagoon_table_attr_init(&attr);
	attr.rows = 1;
	if (lagoon_table_create(t_lg, "meet", &attr, &t) ||
	    lagoon_table_destroy(t))
		t_die("cannot meet: %s", lagoon_errmsg());
}

/* The rows of all into one matrix of vectors. */
static void gather(int k)
{
	struct shared *shared = t_shared;

	for (int i = 0; i < k; i++)
		memcpy(shared->left[i] + mine.first, left + i * mine.n,
		       (size_t)mine.n * sizeof(*left));
	meet();
}

static void run(const struct lagoon_svd_options *o,
		const struct lagoon_svd_data *d, const char *what, double eps)
{
	static double packed[MOST_K * LONG];
	struct shared *shared = t_shared;
	struct lagoon_svd_result r = { .size = sizeof(r) };

	t_context(what);
	if (lagoon_svd_fit(t_lg, d, o, found, left, packed, &r))
		t_die("%s", lagoon_errmsg());
	for (int i = 0; i < o->k; i++) {
		memcpy(right[i], packed + i * cols,
		       (size_t)cols * sizeof(*packed));
		if (!(fabs(found[i] - planted[i]) <= eps * planted[0]))
			t_die("value %d is %.17g, expected %.17g", i, found[i],
			      planted[i]);
	}
	if (r.rows != (uint64_t)rows || r.cols != (uint64_t)cols || r.values ||
	    !r.converged || r.stopped || r.k != o->k || !r.products)
		t_die("the result does not fit the matrix");
	gather(o->k);
	check_orthonormal(shared->left, o->k, rows, "left");
	check_orthonormal(right, o->k, cols, "right");
	check_fit(shared->left, right, o->k, eps < 1e-9 ? 1e-9 : 1e-2);
	lagoon_svd_result_free(&r);
	meet();
	t_context("");
}

static struct lagoon_svd_options options(int method, int k)
{
	struct lagoon_svd_options o;

	lagoon_svd_options_init(&o);
	o.method = method;
	o.k = k;
	o.vectors = LAGOON_SVD_BOTH;
	return o;
}

static void both(int k, const char *what)
{
	struct lagoon_svd_options o = options(LAGOON_SVD_LANCZOS, k);
	struct lagoon_sparse s = sparse(8);
	struct lagoon_svd_data d = { .size = sizeof(d), .sparse = &s };
	char text[128];

	snprintf(text, sizeof(text), "%s, k %d, lanczos", what, k);
	run(&o, &d, text, 1e-11);
	/* restarts: a basis that is hardly longer than what stays */
	o.basis = k + 8;
	snprintf(text, sizeof(text), "%s, k %d, restarts", what, k);
	run(&o, &d, text, 1e-9);
	o = options(LAGOON_SVD_RANDOMISED, k);
	snprintf(text, sizeof(text), "%s, k %d, randomised", what, k);
	run(&o, &d, text, 1e-4);
}

static void dense(const char *what, int real_size, double eps)
{
	struct lagoon_svd_options o = options(LAGOON_SVD_LANCZOS, 6);
	static float block[LONG][LONG + 2];
	struct lagoon_svd_data d = {
		.size = sizeof(d), .real_size = real_size,
		.cols = (size_t)cols, .stride = LONG,
	};

	take();
	d.rows = (size_t)mine.n;
	d.dense = a[mine.first];
	if (real_size == 4) {
		for (int i = 0; i < mine.n; i++)
			for (int j = 0; j < cols; j++)
				block[i][j] = (float)a[mine.first + i][j];
		d.dense = block;
		d.stride = LONG + 2;
	}
	run(&o, &d, what, eps);
}

static void test_shapes(void)
{
	static const int shape[][2] = {
		{ LONG, SHORT }, { SHORT, LONG }, { SHORT, SHORT },
	};
	static const double few[] = { 100, 40, 40, 40, 39.9, 20, 5, 5, 1, .5 };
	double all[SHORT];

	for (int i = 0; i < SHORT; i++)
		all[i] = i < 4 ? 50 : 40 * pow(0.9, i);
	for (int i = 0; i < 3; i++) {
		/* Under sanitizers one shape with each number of processes. */
		if (t_scale() < 1 && i != lagoon_size(t_lg) % 3)
			continue;
		make(shape[i][0], shape[i][1], all, SHORT);
		both(10, "planted");
		both(SHORT, "all");
		dense("dense", 8, 1e-11);
		dense("dense floats", 4, 1e-6);
		make(shape[i][0], shape[i][1], few, T_COUNT(few));
		both(8, "of low rank");
		both(20, "beyond its rank");
		make_blocks(shape[i][0], shape[i][1]);
		both(12, "blocks");
	}
	make(LONG, 1, all, 1);
	both(1, "a column");
	make(1, LONG, all, 1);
	both(1, "a row");
	make(LONG, SHORT, all, 0);
	both(5, "zero");
}

/* Sizes whose squares are no doubles. */
static void test_scales(void)
{
	double s[4] = { 3, 2, 1, .5 };

	for (int sign = -1; sign <= 1; sign += 2) {
		for (int i = 0; i < 4; i++)
			s[i] = ldexp((double)(8 >> i), sign * 900);
		make(30, 20, s, 4);
		both(4, sign < 0 ? "tiny" : "huge");
	}
}

/* The same bits, whatever came first. */
static void test_twice(void)
{
	double s[SHORT], first[MOST_K], vectors[MOST_K * LONG];
	struct lagoon_svd_result r = { .size = sizeof(r) };

	for (int i = 0; i < SHORT; i++)
		s[i] = 10 + i % 7 + 1.0 / (i + 1);
	make(LONG, SHORT, s, SHORT);
	for (int method = 0; method <= LAGOON_SVD_RANDOMISED; method++) {
		struct lagoon_svd_options o = options(method, 5);
		struct lagoon_sparse a8 = sparse(8);
		struct lagoon_svd_data d = { .size = sizeof(d), .sparse = &a8 };

		for (int time = 0; time < 3; time++) {
			if (lagoon_svd_fit(t_lg, &d, &o, found, left,
					   right[0], &r))
				t_die("twice: %s", lagoon_errmsg());
			if (time && (memcmp(first, found, 5 * sizeof(*first)) ||
				     memcmp(vectors, right[0],
					    (size_t)cols * 5 * sizeof(double))))
				t_die("method %d: not the same twice", method);
			memcpy(first, found, sizeof(first));
			memcpy(vectors, right[0], sizeof(vectors));
		}
	}
}

static int stop(void *arg, const struct lagoon_svd_pass *p)
{
	(void)arg;
	return p->pass >= 2;
}

/* Asked for in one process, it ends all. */
static void test_stop(void)
{
	struct lagoon_svd_options o = options(LAGOON_SVD_LANCZOS, 3);
	struct lagoon_svd_result r = { .size = sizeof(r) };
	struct lagoon_sparse s = sparse(8);
	struct lagoon_svd_data d = { .size = sizeof(d), .sparse = &s };

	o.basis = 5;
	o.tolerance = 0;
	if (lagoon_rank(t_lg) == lagoon_size(t_lg) - 1)
		o.progress = stop;
	if (lagoon_svd_fit(t_lg, &d, &o, NULL, NULL, NULL, &r))
		t_die("stopping: %s", lagoon_errmsg());
	if (!r.stopped || r.passes != 3)
		t_die("asked to stop in pass 2 it ended after %d", r.passes);
}

/* ---------------------------------------------------------- checkpoints */

/* Once, after the third pass, in one worker of the first process alone. */
static int interrupt(void *arg)
{
	return !lagoon_rank(t_lg) &&
		__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED) == 5;
}

static int see_first(void *arg, const struct lagoon_svd_pass *p)
{
	if (!*(int *)arg)
		*(int *)arg = p->pass;
	return 0;
}

static void goes_on(const char *folder, const struct lagoon_svd_data *d,
		    int method)
{
	static double whole_left[MOST_K * LONG], whole_right[MOST_K * LONG];
	struct lagoon_svd_options o = options(method, 5);
	struct lagoon_svd_result r = { .size = sizeof(r) };
	size_t n = 5 * (size_t)mine.n * sizeof(double);
	double whole[MOST_K];
	int calls = 0, first = 0;

	o.basis = 9;
	t_ok(lagoon_svd_fit(t_lg, d, &o, whole, whole_left, whole_right, &r),
	     "in one go");
	o.checkpoint = folder;
	o.interrupted = interrupt;
	o.interrupted_arg = &calls;
	t_ok(lagoon_svd_fit(t_lg, d, &o, found, left, right[0], &r),
	     "interrupted");
	T_CHECK(r.interrupted && r.passes == 3 && !r.converged,
		"method %d: interrupted %d, passes %d", method, r.interrupted,
		r.passes);
	o.checkpoint = NULL;
	o.resume = folder;
	o.progress = see_first;
	o.progress_arg = &first;
	t_ok(lagoon_svd_fit(t_lg, d, &o, found, left, right[0], &r),
	     "going on");
	T_CHECK(first == 4 && r.converged && !r.interrupted,
		"method %d: it went on with pass %d", method, first);
	T_CHECK(!memcmp(whole, found, 5 * sizeof(*whole)) &&
		!memcmp(whole_left, left, n) &&
		!memcmp(whole_right, right[0],
			5 * (size_t)cols * sizeof(double)),
		"method %d: other values or vectors than in one go", method);
}

static void refused(const char *what, const char *expected,
		    const struct lagoon_svd_data *d,
		    const struct lagoon_svd_options *o);

static void test_restarts(void)
{
	const char *folder = t_folder();
	struct lagoon_svd_options o = options(LAGOON_SVD_RANDOMISED, 5);
	struct lagoon_sparse s;
	struct lagoon_svd_data d = { .size = sizeof(d), .sparse = &s };
	double planned[SHORT];

	for (int i = 0; i < SHORT; i++)
		planned[i] = i < 2 ? 30 : 30 * pow(0.95, i);
	make(SHORT, LONG, planned, SHORT);
	s = sparse(8);
	goes_on(folder, &d, LAGOON_SVD_LANCZOS);
	make(LONG, SHORT, planned, SHORT);
	s = sparse(8);
	goes_on(folder, &d, LAGOON_SVD_LANCZOS);
	goes_on(folder, &d, LAGOON_SVD_RANDOMISED);
	o.resume = folder;
	o.k = 6;
	refused("other k", "of 5 values by method 1 with 25 vectors, here they "
		"are 6 by 1 with 26", &d, &o);
	o.k = 5;
	if (!lagoon_rank(t_lg))
		mine.val[2] += 0.125;
	refused("other matrix", "a checkpoint of other data", &d, &o);
	o.every = 2;
	refused("no folder", "every is 2: expected a folder", &d, &o);
	meet();
	t_folder_remove();
	make(LONG, SHORT, planned, SHORT);
}

/* -------------------------------------------------------------- refusing */

static void refused(const char *what, const char *expected,
		    const struct lagoon_svd_data *d,
		    const struct lagoon_svd_options *o)
{
	struct lagoon_svd_result r = { .size = sizeof(r) };
	int rc = lagoon_svd_fit(t_lg, d, o, found, left, NULL, &r);

	if (rc != LAGOON_EINVAL || !strstr(lagoon_errmsg(), expected))
		t_die("%s: %s (%s), expected \"%s\"", what, lagoon_strerror(rc),
		      rc ? lagoon_errmsg() : "", expected);
}

static void test_refused(void)
{
	struct lagoon_svd_options o = options(LAGOON_SVD_LANCZOS, 5);
	int last = lagoon_rank(t_lg) == lagoon_size(t_lg) - 1;
	struct lagoon_sparse s = sparse(8);
	struct lagoon_svd_data d = { .size = sizeof(d), .sparse = &s };
	int64_t was = mine.index[1];

	if (last)
		mine.val[2] = NAN;
	refused("nan", "row 1: column 3 is nan", &d, &o);
	s = sparse(8);
	if (last)
		mine.index[1] = 61;
	refused("index", "row 1: column index 61: expected 1 to 60", &d, &o);
	if (last)
		mine.index[1] = mine.index[0];
	refused("twice", "column 1 stands there twice", &d, &o);
	mine.index[1] = was;
	s.cols += (size_t)(lagoon_rank(t_lg) == 1);
	if (lagoon_size(t_lg) > 1)
		refused("columns", "61 columns in worker", &d, &o);
	s.cols = 60;
	o.k = 61;
	refused("k", "k is 61: expected at most 60, as it has 90 rows", &d, &o);
	o.k = 0;
	refused("no k", "k 0: expected 1", &d, &o);
	o = options(LAGOON_SVD_LANCZOS, 5);
	o.basis = 6;
	refused("basis", "basis 6: expected 7 or more", &d, &o);
	o = options(2, 5);
	refused("method", "method 2", &d, &o);
	o = options(LAGOON_SVD_LANCZOS, 5);
	o.tolerance = NAN;
	refused("tolerance", "tolerance nan", &d, &o);
	o = options(LAGOON_SVD_LANCZOS, 5);
	s.rows = 0;
	refused("nothing", "no rows", &d, &o);
	d.size = 0;
	refused("size", "size is not set", &d, &o);
	refused("no data", "size is not set", NULL, &o);
}

/* Elements are doubles, their singular value is not. */
static void test_beyond(void)
{
	struct lagoon_svd_options o = options(LAGOON_SVD_LANCZOS, 1);
	struct lagoon_svd_result r = { .size = sizeof(r) };
	static double huge[LONG][2];
	struct lagoon_svd_data d = {
		.size = sizeof(d), .real_size = 8, .rows = LONG, .cols = 2,
		.stride = 2, .dense = huge,
	};
	int rc;

	for (int i = 0; i < LONG; i++)
		huge[i][0] = huge[i][1] = 1e308;
	rc = lagoon_svd_fit(t_lg, &d, &o, found, NULL, NULL, &r);
	if (rc != LAGOON_ERANGE)
		t_die("a value beyond doubles: %s", lagoon_strerror(rc));
}

int main(void)
{
	struct lagoon_attr attr;

	t_begin("svd_arrays", sizeof(struct shared));
	lagoon_attr_init(&attr);
	attr.workers = 2;
	t_open(&attr, NULL);
	test_shapes();
	test_scales();
	test_twice();
	test_stop();
	test_refused();
	test_restarts();
	test_beyond();
	t_close();
	return 0;
}
