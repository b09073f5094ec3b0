/* launch: -n 1 -- --workers 4 */
/* launch: -n 2 --nodes 1 -- --workers 2 */
/* launch: -n 2 --nodes 2 -- --workers 2 */
/* launch: -n 4 --nodes 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables in apply mode. Under bsp every built-in function must give bit for
 * bit what one process gives that applies the same pushes one after the other,
 * by (round, worker, call), however workers are grouped: the launch lines are
 * of the same four workers. Besides: what is not finite, what is refused, and
 * states that are there whatever the wire. (What the functions compute, and
 * I1 to I4, are tests of their own: update.unit, property.mp.)
 *
 *	apply [--workers A,B,...]
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/update.h"
#include "test/support/test.h"

enum {
	ROWS = 61, COLS = 3, ELEMS = ROWS * COLS, PAGE_ROWS = 8,
	ROUNDS = 12, WORKERS = 4, CALLS = 3,
};

static const char *const functions[] = {
	"add", "assign", "min", "max", "sgd,rate=0.1", "sgd,rate=0.1,combine=none",
	"momentum,rate=0.1", "momentum,rate=0.1,combine=sum",
	"nesterov,rate=0.1", "prox-l1,rate=0.1,lambda=0.3",
	"prox-l2,rate=0.1,lambda=0.3,combine=sum", "adagrad,rate=0.1",
	"adagrad,rate=0.1,combine=sum", "adam,rate=0.01",
	"adam,rate=0.01,combine=sum", "ftrl,alpha=0.1,l1=0.2,l2=0.1",
};

/* Elements of either type. */
union reals {
	double f64[ELEMS];
	float f32[ELEMS];
};

/* The sequential reference. */
struct reference {
	struct lgn_update fn;
	union reals value, state[LAGOON_UPDATE_STATES];
	union reals delta;		/* of one worker and round, combined */
	bool pushed[ROWS];
};

struct one {
	struct lagoon_table *t;
	const char *update;
	int type;
};

/* One call of a worker: rows [row, row + n), and deltas for them. */
struct push {
	uint64_t row, n;
	union reals delta;
};

static void *at(union reals *r, int type, size_t i)
{
	return type == LAGOON_F64 ? (void *)&r->f64[i] : (void *)&r->f32[i];
}

/* A pure function of who and when, so that everybody knows all of them. */
static void push_make(struct push *p, int type, int worker, int round, int call)
{
	struct t_rng rng = { t_mix((uint64_t)worker * 1000 + (uint64_t)round,
				   (uint64_t)call) };

	p->row = t_below(&rng, ROWS);
	p->n = 1 + t_below(&rng, t_once_in(&rng, 2) ? 2 : ROWS);
	if (p->n > ROWS - p->row)
		p->n = ROWS - p->row;
	for (size_t i = 0; i < p->n * COLS; i++) {
		double x = (double)(int64_t)t_rand(&rng) * 0x1p-62;

		if (type == LAGOON_F64)
			p->delta.f64[i] = x;
		else
			p->delta.f32[i] = (float)x;
	}
}

static void reference_apply(struct reference *ref, uint64_t row, uint64_t n,
			    void *delta)
{
	void *state[LAGOON_UPDATE_STATES];

	for (int k = 0; k < LAGOON_UPDATE_STATES; k++)
		state[k] = at(&ref->state[k], ref->fn.type, row * COLS);
	t_ok(lgn_update_apply(&ref->fn, n * COLS,
			      at(&ref->value, ref->fn.type, row * COLS), delta,
			      state), "reference");
}

static void reference_add(struct reference *ref, struct push *p)
{
	for (uint64_t r = 0; r < p->n; r++) {
		void *mine = at(&ref->delta, ref->fn.type, (p->row + r) * COLS);
		void *more = at(&p->delta, ref->fn.type, r * COLS);

		if (ref->pushed[p->row + r])
			lgn_update_combine(&ref->fn, COLS, mine, more);
		else
			memcpy(mine, more, COLS * ref->fn.type_size);
		ref->pushed[p->row + r] = true;
	}
}

/* A round of all workers. */
static void reference_round(struct reference *ref, int round)
{
	struct push p;

	for (int worker = 0; worker < WORKERS; worker++) {
		memset(ref->pushed, 0, sizeof(ref->pushed));
		for (int call = 0; call < CALLS; call++) {
			push_make(&p, ref->fn.type, worker, round, call);
			if (ref->fn.combine == LAGOON_COMBINE_NONE)
				reference_apply(ref, p.row, p.n, &p.delta);
			else
				reference_add(ref, &p);
		}
		for (uint64_t row = 0; row < ROWS; row++)
			if (ref->pushed[row])
				reference_apply(ref, row, 1, at(&ref->delta,
						ref->fn.type, row * COLS));
	}
}

static struct reference *reference_open(const char *update, int type)
{
	struct reference *ref = calloc(1, sizeof(*ref));
	void *state[LAGOON_UPDATE_STATES];

	T_CHECK(ref, "no memory");
	t_ok(lgn_update_open(update, type, &ref->fn), update);
	for (int k = 0; k < LAGOON_UPDATE_STATES; k++)
		state[k] = &ref->state[k];
	t_ok(lgn_update_init(&ref->fn, ELEMS, &ref->value, state), "init");
	return ref;
}

static void compare(struct lagoon_worker *w, const struct one *one,
		    struct reference *ref, int round)
{
	union reals got;
	size_t size = ref->fn.type_size;

	memset(&got, 0x5a, sizeof(got));
	t_ok(lagoon_pull(w, one->t, 0, ROWS, &got), "pull");
	for (size_t i = 0; i < ELEMS; i++) {
		void *want = at(&ref->value, one->type, i);
		void *is = at(&got, one->type, i);

		T_CHECK(!memcmp(want, is, size),
			"%s, type %d, round %d, row %zu column %zu: %.17g, the reference has %.17g",
			one->update, one->type, round, i / COLS, i % COLS,
			one->type == LAGOON_F64 ? *(double *)is : (double)*(float *)is,
			one->type == LAGOON_F64 ? *(double *)want : (double)*(float *)want);
	}
}

static int rounds(struct lagoon_worker *w, void *arg)
{
	const struct one *one = arg;
	struct reference *ref = reference_open(one->update, one->type);
	struct push p;

	for (int round = 0; round < ROUNDS; round++) {
		compare(w, one, ref, round);
		for (int call = 0; call < CALLS; call++) {
			push_make(&p, one->type, lagoon_worker_id(w), round, call);
			t_ok(lagoon_add(w, one->t, p.row, p.n, &p.delta), "add");
		}
		reference_round(ref, round);
		t_ok(lagoon_clock(w), "clock");
	}
	compare(w, one, ref, ROUNDS);
	lgn_update_close(&ref->fn);
	free(ref);
	return 0;
}

static void attr_make(struct lagoon_table_attr *attr, const char *update,
		      int type, int model)
{
	lagoon_table_attr_init(attr);
	attr->rows = ROWS;
	attr->cols = COLS;
	attr->format = type == LAGOON_F64 ? LAGOON_FLOAT64 : LAGOON_FLOAT32;
	attr->page_rows = PAGE_ROWS;
	attr->push = LAGOON_PUSH_APPLY;
	attr->update = update;
	attr->model = model;
}

static void functions_run(void)
{
	for (size_t i = 0; i < T_COUNT(functions); i++)
		for (int type = LAGOON_F64; type <= LAGOON_F32; type++) {
			struct one one = { NULL, functions[i], type };
			struct lagoon_table_attr attr;

			attr_make(&attr, one.update, type, LAGOON_BSP);
			t_ok(lagoon_table_create(t_lg, "f", &attr, &one.t), one.update);
			t_ok(lagoon_table_get_attr(one.t, &attr), "get_attr");
			T_CHECK(attr.type == type && attr.push == LAGOON_PUSH_APPLY &&
				!strcmp(attr.update, one.update), "attributes");
			t_ok(lagoon_run(t_lg, rounds, &one), "run");
			t_ok(lagoon_table_destroy(one.t), "destroy");
		}
}

/* -------------------------------------------------- what is not finite */

struct shared {
	_Atomic int left;	/* workers, of all runs */
};

/* What is asked for is worker 0's alone: nobody else flushes for it. */
static bool alone(struct lagoon_worker *w)
{
	struct shared *shared = t_shared;
	static int runs;

	if (!lagoon_worker_id(w)) {
		t_await(&shared->left, ++runs * (lagoon_workers(t_lg) - 1));
		return true;
	}
	t_ok(lagoon_worker_leave(w), "leave");
	atomic_fetch_add(&shared->left, 1);
	return false;
}

/* Row 1 is full; adding to it must be refused where it is applied, which a
 * table of one node does in the call, others when the round ends. */
static int overflow(struct lagoon_worker *w, void *arg)
{
	const struct one *one = arg;
	double x[COLS] = { 1, DBL_MAX, 3 }, more[2 * COLS] = {
		10, 10, 10, 0.5, DBL_MAX, 0.5 }, bad[COLS] = { 1, NAN, 1 };
	double got[3 * COLS];
	struct lagoon_stats st = { .size = sizeof(st) };
	int add, end;

	if (!alone(w))
		return 0;
	t_ok(lagoon_add(w, one->t, 1, 1, x), "add");
	t_ok(lagoon_clock(w), "clock");
	t_expect(lagoon_add(w, one->t, 2, 1, bad), LAGOON_EINVAL, "NaN");
	T_CHECK(t_names(lagoon_errmsg(), "column ", 1), "%s", lagoon_errmsg());
	bad[1] = INFINITY;
	t_expect(lagoon_add(w, one->t, 2, 1, bad), LAGOON_EINVAL, "infinite");
	add = lagoon_add(w, one->t, 0, 2, more);
	if (add)
		T_CHECK(t_names(lagoon_errmsg(), "row ", 1) &&
			t_names(lagoon_errmsg(), "column ", 1), "%s", lagoon_errmsg());
	end = lagoon_clock(w);
	if (end)
		T_CHECK(t_names(lagoon_errmsg(), "row ", 1) &&
			t_names(lagoon_errmsg(), "column ", 1), "%s", lagoon_errmsg());
	T_CHECK((add == LAGOON_ERANGE && !end) || (!add && end == LAGOON_ERANGE),
		"the add returned %d, its clock %d", add, end);
	t_ok(lagoon_clock(w), "clock");
	t_ok(lagoon_pull(w, one->t, 0, 3, got), "pull");
	T_CHECK(got[0] == 10 && got[1] == 10 && got[2] == 10, "row 0: %g %g %g",
		got[0], got[1], got[2]);
	T_CHECK(got[3] == 1.5 && got[4] == DBL_MAX, "row 1: %g %g", got[3], got[4]);
	/* What stands behind the one that is refused: not added by an add that
	 * applies it itself, else applied all the same. */
	T_CHECK(got[5] == (add && lagoon_nodes(t_lg) == 1 ? 3 : 3.5), "row 1: %g",
		got[5]);
	T_CHECK(!got[7] && !got[8], "row 2: %g %g", got[7], got[8]);
	t_ok(lagoon_table_stats(one->t, &st), "stats");
	T_CHECK(st.rejected == 1, "%llu rejected", (unsigned long long)st.rejected);
	return 0;
}

static void overflow_run(int model)
{
	struct lagoon_table_attr attr;
	struct one one = { .update = "add" };

	attr_make(&attr, NULL, LAGOON_F64, model);
	t_ok(lagoon_table_create(t_lg, "finite", &attr, &one.t), "create");
	t_ok(lagoon_run(t_lg, overflow, &one), "run");
	t_ok(lagoon_table_destroy(one.t), "destroy");
}

/* Pending deltas are floats, too: they overflow before they are sent. */
static int both(struct lagoon_worker *w, void *arg)
{
	const struct one *one = arg;
	double x[COLS] = { DBL_MAX, 1, 1 };
	int rc;

	if (!alone(w))
		return 0;
	t_ok(lagoon_add(w, one->t, 4, 1, x), "add");
	rc = lagoon_add(w, one->t, 4, 1, x);
	t_expect(rc, LAGOON_ERANGE, "twice");
	t_ok(lagoon_clock(w), "clock");
	t_ok(lagoon_pull(w, one->t, 4, 1, x), "pull");
	T_CHECK(x[0] == DBL_MAX && x[1] == 1, "row 4: %g %g", x[0], x[1]);
	return 0;
}

static void both_run(int model)
{
	struct lagoon_table_attr attr;
	struct one one = { .update = "add" };

	attr_make(&attr, "", LAGOON_F64, model);
	t_ok(lagoon_table_create(t_lg, "both", &attr, &one.t), "create");
	t_ok(lagoon_run(t_lg, both, &one), "run");
	t_ok(lagoon_table_destroy(one.t), "destroy");
}

/* A function of the user refuses an element: the others are applied. */
static int picky(struct lagoon_worker *w, void *arg)
{
	const struct one *one = arg;
	double x[2 * COLS] = { 1, 2, 3, 4, 13, 6 }, got[2 * COLS];
	int add, end;

	if (!alone(w))
		return 0;
	add = lagoon_add(w, one->t, 7, 2, x);
	end = lagoon_clock(w);
	T_CHECK(add + end == LAGOON_ERANGE, "the add returned %d, its clock %d",
		add, end);
	T_CHECK(t_names(lagoon_errmsg(), "row ", 8) && strstr(lagoon_errmsg(), "picky"),
		"%s", lagoon_errmsg());
	t_ok(lagoon_clock(w), "clock");
	t_ok(lagoon_pull(w, one->t, 7, 2, got), "pull");
	for (int i = 0; i < 4; i++)
		T_CHECK(got[i] == x[i], "element %d: %g", i, got[i]);
	T_CHECK(got[4] == 0 && got[5] == (add ? 0 : 6), "%g %g", got[4], got[5]);
	return 0;
}

static void picky_run(int model)
{
	struct lagoon_table_attr attr;
	struct one one = { .update = "./test/plugin/dies.so:picky" };

	attr_make(&attr, one.update, LAGOON_F64, model);
	t_ok(lagoon_table_create(t_lg, "picky", &attr, &one.t), "create");
	t_ok(lagoon_run(t_lg, picky, &one), "run");
	t_ok(lagoon_table_destroy(one.t), "destroy");
}

/* ------------------------------------------------------- what is refused */

static int fetch(struct lagoon_worker *w, void *arg)
{
	int64_t old;

	t_expect(lagoon_fetch_add(w, arg, 0, 0, 1, &old), LAGOON_ENOTSUP,
		 "fetch_add");
	return 0;
}

static void refuse(const struct lagoon_table_attr *attr, int want,
		   const char *says)
{
	struct lagoon_table *t;

	t_expect(lagoon_table_create(t_lg, "bad", attr, &t), want, says);
	/* Rank 0's own message; the others hear of it. */
	T_CHECK(lagoon_rank(t_lg) || strstr(lagoon_errmsg(), says), "the message lacks \"%s\": %s", says,
		lagoon_errmsg());
}

static void refused_run(void)
{
	struct lagoon_table_attr attr, ok;
	struct lagoon_table *t;

	attr_make(&ok, "sgd,rate=0.5", LAGOON_F64, LAGOON_SSP);
	attr = ok;
	attr.push = LAGOON_PUSH_ATOMIC;
	refuse(&attr, LAGOON_EINVAL, "need apply");
	attr = ok;
	attr.format = LAGOON_Q64;
	refuse(&attr, LAGOON_EINVAL, "push apply");
	attr.push = LAGOON_PUSH_ATOMIC;
	refuse(&attr, LAGOON_EINVAL, "update function");
	attr = ok;
	attr.push = 2;
	refuse(&attr, LAGOON_EINVAL, "push 2");
	attr = ok;
	attr.format = LAGOON_FLOAT32 + 1;
	refuse(&attr, LAGOON_EINVAL, "format");
	attr = ok;
	attr.type = LAGOON_F32;
	refuse(&attr, LAGOON_EINVAL, "format f64");
	attr.type = LAGOON_INT64;
	refuse(&attr, LAGOON_EINVAL, "format f64");
	attr = ok;
	attr.update = "nothing-like-that";
	refuse(&attr, LAGOON_ENOENT, "nothing-like-that");
	attr = ok;
	attr.update = "assign";
	attr.model = LAGOON_VAP;
	refuse(&attr, LAGOON_ENOTSUP, "vap");
	if (lagoon_size(t_lg) > 1) {
		attr = ok;
		attr.update = lagoon_rank(t_lg) ? "sgd,rate=0.25" : "sgd,rate=0.5";
		refuse(&attr, LAGOON_EINVAL, "rate=0.25");
	}
	t_ok(lagoon_table_create(t_lg, "good", &ok, &t), "create");
	t_ok(lagoon_run(t_lg, fetch, t), "run");
	t_ok(lagoon_table_destroy(t), "destroy");
}

int main(int argc, char **argv)
{
	struct lagoon_attr attr;

	t_begin("apply", sizeof(struct shared));
	t_ok(lagoon_attr_init(&attr), "attr_init");
	if (argc > 2 && !strcmp(argv[1], "--workers"))
		attr.workers = t_workers(argv[2]);
	t_open(&attr, NULL);
	T_CHECK(lagoon_workers(t_lg) == WORKERS, "%d workers, not %d",
		lagoon_workers(t_lg), WORKERS);
	functions_run();
	overflow_run(LAGOON_SSP);
	overflow_run(LAGOON_VAP);
	overflow_run(LAGOON_BSP);
	both_run(LAGOON_SSP);
	both_run(LAGOON_BSP);
	picky_run(LAGOON_SSP);
	picky_run(LAGOON_BSP);
	refused_run();
	t_close();
	return 0;
}
