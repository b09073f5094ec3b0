/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/generate.h"
#include "kernels/data/outfile.h"
#include "kernels/lagoon_kernels.h"
#include "runtime/base/status.h"

#define COLS_MAX (UINT64_C(1) << 31)
#define ENTRY_LEN 19		/* " 2147483648:-1.0000" */
#define BUFFER ((size_t)1 << 20)
#define UNITS 10000		/* values have four decimals */

LGN_EXPORT void
lagoon_generate_options_init(struct lagoon_generate_options *options)
{
	*options = (struct lagoon_generate_options){
		.size = sizeof(*options),
		.rows = 100000,
		.cols = 10000,
		.nnz = 50,
		.seed = 1,
	};
}

/* A sum of four uniform numbers needs no function of libm, whose last bit
 * differs between systems. */
void lgn_generate_planted(const struct lagoon_generate_options *options,
			  double *weights)
{
	double scale = 6 / sqrt(options->nnz);	/* 2 sqrt(3) sqrt(3 / nnz) */

	for (uint64_t j = 0; j < options->cols; j++) {
		philox4x32_ctr_t r = lgn_generate_draw(options->seed, LGN_DRAW_WEIGHT, j, 0);
		double sum = (double)r.v[0] + r.v[1] + r.v[2] + r.v[3];

		weights[j] = scale * (sum * 0x1p-32 - 2);
	}
}

size_t lgn_generate_row_len(const struct lagoon_generate_options *options)
{
	return 2 + (size_t)options->nnz * ENTRY_LEN + 1;
}

static inline char *put_unsigned(char *p, uint32_t x)
{
	char digits[10];
	int n = 0;

	do {
		digits[n++] = (char)('0' + x % 10);
		x /= 10;
	} while (x);
	while (n)
		*p++ = digits[--n];
	return p;
}

static inline char *put_value(char *p, int32_t units)
{
	uint32_t x = (uint32_t)abs(units);

	if (units < 0)
		*p++ = '-';
	p[0] = (char)('0' + x / UNITS);
	p[1] = '.';
	p[2] = (char)('0' + x / 1000 % 10);
	p[3] = (char)('0' + x / 100 % 10);
	p[4] = (char)('0' + x / 10 % 10);
	p[5] = (char)('0' + x % 10);
	return p + 6;
}

/* Uniform in [-UNITS, UNITS] without 0. */
static inline int32_t value_units(uint32_t r)
{
	int32_t x = (int32_t)((uint64_t)(r >> 1) * UNITS >> 31) + 1;

	return r & 1 ? -x : x;
}

/* One column in each of nnz slices: distinct and rising without a sort. */
static inline uint32_t slice_column(const struct lagoon_generate_options *o,
				    uint32_t slice, uint32_t r)
{
	uint64_t lo = slice * o->cols / o->nnz;
	uint64_t hi = (slice + UINT64_C(1)) * o->cols / o->nnz;

	return (uint32_t)(lo + ((hi - lo) * r >> 32));
}

static void put_label(const struct lagoon_generate_options *o, uint64_t row,
		      double product, char *text)
{
	philox4x32_ctr_t r = lgn_generate_draw(o->seed, LGN_DRAW_LABEL, row, 0);
	double u = ((double)r.v[0] + r.v[1] * 0x1p-32) * 0x1p-32;

	text[0] = u < -lagoon_logistic_slope(-product) ? '+' : '-';
	text[1] = '1';
}

char *lgn_generate_row(const struct lagoon_generate_options *o,
		       const double *weights, uint64_t row, char *text)
{
	philox4x32_ctr_t r = { { 0 } };
	double product = 0;
	char *p = text + 2;

	for (uint32_t k = 0; k < o->nnz; k++) {
		int32_t units;
		uint32_t col;

		if (!(k & 1))
			r = lgn_generate_draw(o->seed, LGN_DRAW_ENTRY, row, k / 2);
		col = slice_column(o, k, r.v[2 * (k & 1)]);
		units = value_units(r.v[2 * (k & 1) + 1]);
		product += weights[col] * units / UNITS;
		*p++ = ' ';
		p = put_unsigned(p, col + 1);
		*p++ = ':';
		p = put_value(p, units);
	}
	put_label(o, row, product, text);
	*p++ = '\n';
	return p;
}

static int write_rows(const struct lagoon_generate_options *o,
		      const double *weights, const char *path)
{
	size_t row_len = lgn_generate_row_len(o);
	char *buffer = malloc(BUFFER + row_len), *p = buffer;
	struct lgn_outfile out;
	int rc;

	if (!buffer)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a row of %zu "
				"bytes", row_len);
	rc = lgn_outfile_open(path, &out);
	for (uint64_t i = 0; i < o->rows && !rc; i++) {
		p = lgn_generate_row(o, weights, i, p);
		if (p < buffer + BUFFER && i + 1 < o->rows)
			continue;
		if (!fwrite(buffer, (size_t)(p - buffer), 1, out.stream))
			break;	/* commit tells */
		p = buffer;
	}
	free(buffer);
	return rc ? rc : lgn_outfile_commit(&out);
}

static int save_planted(const struct lagoon_generate_options *o,
			double *weights, const char *path)
{
	struct lagoon_model_file model = {
		.size = sizeof(model),
		.solver = "planted",
		.c = 1,
		.labels = { -1, 1 },
		.features = o->cols,
		.weights = weights,
	};

	return lagoon_model_save(path, &model);
}

static int check_options(const struct lagoon_generate_options *o)
{
	if (o->size < sizeof(*o))
		return lgn_fail(LAGOON_EINVAL, "options not initialised");
	if (!o->rows)
		return lgn_fail(LAGOON_EINVAL, "rows 0: expected at least 1");
	if (!o->cols || o->cols > COLS_MAX)
		return lgn_fail(LAGOON_EINVAL, "columns %llu: expected 1 to %llu",
				(unsigned long long)o->cols,
				(unsigned long long)COLS_MAX);
	if (!o->nnz || o->nnz > o->cols)
		return lgn_fail(LAGOON_EINVAL, "%lu entries a row: expected 1 "
				"to the number of columns, %llu",
				(unsigned long)o->nnz,
				(unsigned long long)o->cols);
	return 0;
}

LGN_EXPORT int
lagoon_generate_logistic(const char *path, const char *planted,
			 const struct lagoon_generate_options *options)
{
	double *weights;
	int rc = check_options(options);

	if (rc)
		return rc;
	weights = malloc(options->cols * sizeof(*weights));
	if (!weights)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu weights",
				(unsigned long long)options->cols);
	lgn_generate_planted(options, weights);
	rc = lagoon_model_check_path(path);
	if (!rc && planted)
		rc = lagoon_model_check_path(planted);
	if (!rc)
		rc = write_rows(options, weights, path);
	if (!rc && planted)
		rc = save_planted(options, weights, planted);
	free(weights);
	return rc;
}
