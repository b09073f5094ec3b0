/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels against their plain forms, and the cutting of rows. */
#include "test/unit/kernels.h"

#include <math.h>

#include "kernels/lagoon_kernels.h"
#include "kernels/solve/columns.h"
#include "kernels/solve/part.h"

TestSuite(math, .timeout = 60);

enum { COLS = 97, ROWS = 31, MOST = 40 };

struct block {
	size_t start[ROWS + 1];
	uint32_t col[ROWS * MOST];
	double val[ROWS * MOST];
	double label[ROWS];
	struct lagoon_rows rows;
};

/* Lengths 0, 1, 2, ... so that every tail of an unrolled loop occurs. */
static void make_block(struct block *b, uint64_t seed)
{
	size_t n = 0;

	b->start[0] = 0;
	for (size_t i = 0; i < ROWS; i++) {
		uint32_t col = (uint32_t)below(&seed, 3);

		for (size_t k = 0; k < i && col < COLS; k++) {
			b->col[n] = col;
			b->val[n++] = 4 * uniform(&seed) - 2;
			col += 1 + (uint32_t)below(&seed, 4);
		}
		b->start[i + 1] = n;
		b->label[i] = below(&seed, 2) ? 1 : -1;
	}
	b->rows = (struct lagoon_rows){
		ROWS, b->start, b->col, b->val, b->label
	};
}

static void near(double got, double want, const char *what)
{
	cr_assert(fabs(got - want) <= 1e-12 * (1 + fabs(want)),
		  "%s: %.17g, expected %.17g", what, got, want);
}

static double plain_dot(const struct block *b, size_t i, const double *x)
{
	double sum = 0;

	for (size_t k = b->start[i]; k < b->start[i + 1]; k++)
		sum += b->val[k] * x[b->col[k]];
	return sum;
}

Test(math, loss_and_slope_at_the_ends)
{
	near(lagoon_logistic_loss(0), log(2), "loss 0");
	near(lagoon_logistic_loss(1e308), 0, "loss of a large margin");
	near(lagoon_logistic_loss(-1e308), 1e308, "loss of a wrong one");
	near(lagoon_logistic_loss(50) * exp(50), 1, "small loss");
	near(lagoon_logistic_slope(0), -0.5, "slope 0");
	near(lagoon_logistic_slope(-800), -1, "slope of a wrong margin");
	cr_assert(lagoon_logistic_slope(800) <= 0);
	for (double m = -30; m < 30; m += 0.37) {
		near(lagoon_logistic_loss(m), log1p(exp(-m)), "loss");
		near(lagoon_logistic_slope(m), -1 / (1 + exp(m)), "slope");
	}
}

Test(math, measure_equals_the_plain_form)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		double x[COLS], coef[ROWS];
		struct lagoon_slope got[COLS] = { { 0 } }, want[COLS] = { { 0 } };
		struct lagoon_loss sum = { 0 }, only = { 0 }, plain = { 0 };
		uint64_t s = seed;
		struct block b;

		make_block(&b, seed);
		for (int j = 0; j < COLS; j++)
			x[j] = uniform(&s) - 0.5;
		lagoon_logistic_measure(&b.rows, x, coef, got, &sum);
		lagoon_logistic_sum(&b.rows, x, &only);
		for (size_t i = 0; i < ROWS; i++) {
			double y = b.label[i], p = plain_dot(&b, i, x);
			double q = 1 / (1 + exp(y * p));

			near(lagoon_sparse_dot(b.start[i + 1] - b.start[i],
					       b.col + b.start[i],
					       b.val + b.start[i], x), p, "dot");
			near(coef[i], -y * q, "coef");
			plain.loss += log1p(exp(-y * p));
			plain.correct += (p > 0) == (y > 0);
			for (size_t k = b.start[i]; k < b.start[i + 1]; k++) {
				want[b.col[k]].first -= y * q * b.val[k];
				want[b.col[k]].second +=
					q * (1 - q) * b.val[k] * b.val[k];
			}
		}
		near(sum.loss, plain.loss, "loss");
		near(only.loss, plain.loss, "loss alone");
		cr_assert_eq(sum.correct, plain.correct);
		cr_assert_eq(only.correct, plain.correct);
		for (int j = 0; j < COLS; j++) {
			near(got[j].first, want[j].first, "first");
			near(got[j].second, want[j].second, "second");
		}
	}
}

/* Against central differences: nobody's formula. */
Test(math, slopes_are_derivatives)
{
	const double h = 1e-5;
	double x[COLS], coef[ROWS];
	struct lagoon_slope slope[COLS] = { { 0 } };
	struct lagoon_loss at = { 0 };
	uint64_t seed = 3;
	struct block b;

	make_block(&b, seed);
	for (int j = 0; j < COLS; j++)
		x[j] = uniform(&seed) - 0.5;
	lagoon_logistic_measure(&b.rows, x, coef, slope, &at);
	for (int j = 0; j < COLS; j++) {
		struct lagoon_loss up = { 0 }, down = { 0 };
		double keep = x[j];

		x[j] = keep + h;
		lagoon_logistic_sum(&b.rows, x, &up);
		x[j] = keep - h;
		lagoon_logistic_sum(&b.rows, x, &down);
		x[j] = keep;
		cr_assert(fabs((up.loss - down.loss) / (2 * h) -
			       slope[j].first) < 1e-6);
		cr_assert(fabs((up.loss - 2 * at.loss + down.loss) / (h * h) -
			       slope[j].second) < 1e-3);
	}
}

Test(math, pass_equals_the_plain_form)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct lagoon_cell cell[COLS];
		double w[COLS], coef[ROWS];
		uint64_t s = seed;
		struct block b;

		make_block(&b, seed);
		for (int j = 0; j < COLS; j++) {
			w[j] = uniform(&s) - 0.5;
			cell[j] = (struct lagoon_cell){
				w[j], 1 - 0.1 * uniform(&s),
				0.01 * uniform(&s), 0.1 * uniform(&s)
			};
		}
		for (int i = 0; i < ROWS; i++)
			coef[i] = uniform(&s) - 0.5;
		lagoon_logistic_pass(&b.rows, coef, cell);
		for (size_t i = 0; i < ROWS; i++) {
			double y = b.label[i];
			double g = -y / (1 + exp(y * plain_dot(&b, i, w))) - coef[i];

			for (size_t k = b.start[i]; k < b.start[i + 1]; k++) {
				uint32_t j = b.col[k];

				w[j] = cell[j].keep * w[j] - cell[j].drift -
				       cell[j].step * g * b.val[k];
			}
		}
		for (int j = 0; j < COLS; j++)
			near(cell[j].w, w[j], "weight");
	}
}

/* What makes the solver exact: at the optimum of
 * 0.5 w'w + sum of losses no step moves anything. */
Test(math, steps_stand_still_at_the_optimum)
{
	double w[COLS] = { 0 }, coef[ROWS], count[COLS] = { 0 };
	struct lagoon_slope slope[COLS];
	struct lagoon_cell cell[COLS];
	struct lagoon_loss sum;
	struct block b;

	make_block(&b, 11);
	for (size_t k = 0; k < b.start[ROWS]; k++)
		count[b.col[k]]++;
	for (int round = 0; round < 20000; round++) {
		memset(slope, 0, sizeof(slope));
		lagoon_logistic_measure(&b.rows, w, coef, slope, &sum);
		for (int j = 0; j < COLS; j++)
			w[j] -= 0.01 * (w[j] + slope[j].first);
	}
	for (int j = 0; j < COLS; j++) {
		double step = 0.3, n = count[j] ? count[j] : 1;

		cell[j] = (struct lagoon_cell){
			w[j], 1 - step / n, step / n * slope[j].first, step
		};
	}
	lagoon_logistic_pass(&b.rows, coef, cell);
	for (int j = 0; j < COLS; j++)
		cr_assert(fabs(cell[j].w - w[j]) < 1e-9, "column %d moved %g",
			  j, cell[j].w - w[j]);
}

/* ---------------------------------------------------- columns and parts */

Test(math, columns_have_their_places)
{
	for (uint64_t seed = 1; seed <= 100; seed++) {
		uint64_t s = seed, limit = 1 + below(&s, 500), list[500];
		char member[500] = { 0 };
		struct lgn_columns set;
		uint32_t n = 0;

		cr_assert_eq(lgn_columns_open(&set, limit), 0);
		for (int i = 0; i < 60; i++) {
			uint64_t j = below(&s, limit);

			member[j] = 1;
			lgn_columns_add(&set, j);
		}
		for (uint64_t j = 0; j < limit; j++)
			n += (uint32_t)member[j];
		cr_assert_eq(lgn_columns_rank(&set), n);
		lgn_columns_list(&set, list);
		for (uint32_t i = 0; i < n; i++) {
			cr_assert(member[list[i]]);
			cr_assert(!i || list[i] > list[i - 1]);
			cr_assert_eq(lgn_columns_place(&set, list[i]), i);
		}
		lgn_columns_close(&set);
	}
}

/* Rows i = 0.. with label and entries that tell who they are. */
static struct lgn_libsvm told_rows(size_t rows)
{
	struct lgn_libsvm d = { .rows = rows, .cols = 1000 };

	d.start = calloc(rows + 1, sizeof(*d.start));
	d.label = calloc(rows + 1, sizeof(*d.label));
	d.col = calloc(rows * 3 + 1, sizeof(*d.col));
	d.val = calloc(rows * 3 + 1, sizeof(*d.val));
	for (size_t i = 0; i < rows; i++) {
		d.label[i] = i % 2 ? 5 : 3;
		d.start[i + 1] = (i + 1) * 3;
		for (size_t k = 0; k < 3; k++) {
			d.col[i * 3 + k] = (uint32_t)(i * 7 % 300 + k * 310);
			d.val[i * 3 + k] = (double)(i * 3 + k + 1);
		}
	}
	return d;
}

/* The batch's lists have this column of the part, and only once. */
static bool lists(const struct lgn_part *p, const struct lgn_batch *b,
		  uint32_t place)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < b->n_cols; i++) {
		cr_assert_eq(b->cols[i], p->cols[b->place[i]]);
		found += b->place[i] == place;
	}
	return found == 1;
}

/* Every entry of a part says by its value where it comes from. */
static size_t check_batch(const struct lgn_part *p, const struct lgn_batch *b,
			  const struct lgn_libsvm *d, uint64_t limit,
			  char *seen)
{
	for (size_t i = 0; i < b->rows.n; i++) {
		size_t row = d->rows;

		for (size_t k = b->rows.start[i]; k < b->rows.start[i + 1]; k++) {
			size_t from = (size_t)b->rows.val[k] - 1;
			uint64_t col = p->cols[b->rows.col[k]];

			row = from / 3;
			cr_assert_eq(col, d->col[from]);
			cr_assert(col < limit);
			cr_assert(lists(p, b, b->rows.col[k]));
		}
		if (row == d->rows)
			continue;
		cr_assert(!seen[row]++, "row %zu twice", row);
		cr_assert_eq(b->rows.label[i], d->label[row] == 5 ? 1 : -1);
	}
	return b->rows.n;
}

Test(math, parts_hold_each_row_once)
{
	static const size_t rows[] = { 0, 1, 2, 49, 50, 51, 333 };
	static const uint64_t batches[] = { 1, 2, 50, 400 };

	for (size_t r = 0; r < 7; r++) {
		struct lgn_libsvm d = told_rows(rows[r]);

		for (size_t n = 0; n < 8; n++) {
			const struct lgn_part_options o = {
				.batches = batches[n % 4],
				.features = n < 4 ? 1000 : 600,
				.positive = 5,
				.seed = n,
			};
			char seen[333] = { 0 };
			size_t total = 0;
			struct lgn_part p;

			cr_assert_eq(lgn_part_open(&d, &o, &p), 0);
			for (uint64_t i = 0; i < p.n_batches; i++)
				total += check_batch(&p, &p.batch[i], &d,
						     o.features, seen);
			cr_assert_eq(total, rows[r]);
			lgn_part_close(&p);
		}
		lgn_libsvm_free(&d);
	}
}
