/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of dense rows that are all coordinates: what it finds, in parts and
 * by gzip, and with bad input. */
#include "test/unit/kernels.h"

#include <math.h>
#include <zlib.h>

#include "kernels/data/dense.h"
#include "runtime/lagoon.h"

TestSuite(dense, .timeout = 60);

enum { PATH = 256 };		/* as temp_path() wants it */

static int read_text(const char *text, int part, int parts, struct lgn_dense *d)
{
	char path[PATH];
	int rc;

	memset(d, 0, sizeof(*d));
	write_file(temp_path(path), text, strlen(text));
	rc = lgn_dense_read(path, part, parts, 1e140, d);
	unlink(path);
	return rc;
}

static void is(const char *text, uint64_t rows, uint64_t cols, const double *x)
{
	struct lgn_dense d;

	cr_assert(!read_text(text, 0, 1, &d), "%s", lagoon_errmsg());
	cr_assert(d.rows == rows && d.cols == cols, "%s: %llu rows of %llu",
		  text, (unsigned long long)d.rows, (unsigned long long)d.cols);
	for (uint64_t i = 0; i < rows * cols; i++)
		cr_assert(d.x[i] == x[i], "%s: number %llu is %g", text,
			  (unsigned long long)i, d.x[i]);
	lgn_dense_free(&d);
}

Test(dense, with_commas_or_blanks)
{
	const double x[] = { 1, 0, 2.5, -3, 4, 10 };

	is("1, 0 ,2.5\r\n\n-3,4,1e1", 2, 3, x);
	is("  1 0\t2.5\r\n\n-3   4 1e1  \n", 2, 3, x);
	is("# a comment\na,b,c\n1,0,2.5\n# another\n-3,4,10\n", 2, 3, x);
	is("a b c\n1 0 2.5\n-3 4 10\n", 2, 3, x);
	is("1\n0\n2.5\n-3\n4\n10\n", 6, 1, x);
	is("x\n1\n", 1, 1, x);
}

Test(dense, in_parts)
{
	char text[4096] = "p q\n";
	struct lgn_dense d;

	for (int i = 0; i < 100; i++)
		sprintf(text + strlen(text), "%d %d.5\n", i, i % 7);
	for (int parts = 1; parts <= 9; parts += 2) {
		uint64_t row = 0;

		for (int k = 0; k < parts; k++) {
			cr_assert(!read_text(text, k, parts, &d));
			cr_assert(d.cols == 2);
			for (uint64_t i = 0; i < d.rows; i++, row++)
				cr_assert(d.x[2 * i] == (double)row);
			lgn_dense_free(&d);
		}
		cr_assert(row == 100);
	}
}

Test(dense, by_gzip)
{
	const char *text = "1 2\n3 4\n5 6\n";
	struct lgn_dense d;
	char path[PATH];
	gzFile gz = gzopen(temp_path(path), "wb");

	cr_assert(gz && gzputs(gz, text) == (int)strlen(text));
	cr_assert(gzclose(gz) == Z_OK);
	cr_assert(!lgn_dense_read(path, 1, 2, 1e140, &d));
	cr_assert(d.cols == 2 && d.rows > 0 && d.rows < 3);
	cr_assert(d.x[2 * d.rows - 1] == 6);
	lgn_dense_free(&d);
	cr_assert(!truncate(path, 20));
	cr_assert(lgn_dense_read(path, 0, 1, 1e140, &d) == LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "the file is cut"));
	unlink(path);
}

static void is_bad(const char *text, const char *expected)
{
	struct lgn_dense d;

	cr_assert(read_text(text, 0, 1, &d) == LAGOON_EINVAL, "%s", text);
	cr_assert(strstr(lagoon_errmsg(), expected), "%s: %s", text,
		  lagoon_errmsg());
	cr_assert(!d.x && !d.rows);
}

Test(dense, bad)
{
	struct lgn_dense d;

	is_bad("", "the file is empty");
	is_bad("\n  \n# nothing\n", "no rows");
	is_bad("1 2\n3\n", "line 2: fewer than 2 numbers");
	is_bad("1 2\n3 4 5\n", "line 2: more than 2 numbers");
	is_bad("1,2\n3,4,5\n", "line 2: more than 2 numbers");
	is_bad("1,2\n3,\n", "line 2: fewer than 2 numbers");
	is_bad("1,2\n3 4\n", "line 2: \"4\" behind field 1: expected ','");
	is_bad("1 2\n3,4\n", "line 2: field 2 is \"\"");
	is_bad("1 2\n3 nan\n", "line 2: field 2 is \"nan\": expected a finite");
	is_bad("1 2\n3 -inf\n", "line 2: field 2 is \"-inf\": expected a finite");
	is_bad("1 2\n3 1e999\n", "line 2: field 2 is \"1e999\": expected a finite");
	is_bad("1 2\n3 1e200\n", "line 2: field 2 is 1e+200: expected at most");
	is_bad("1 2\n3 x\n", "line 2: field 2 is \"x\": expected a decimal");
	is_bad("1 2\n3 4x\n", "line 2: field 2 is \"4x\"");
	is_bad("a b\n1 2\nc d\n", "line 3: field 1 is \"c\"");
	is_bad("1,,2\n", "line 1: field 2 is \"\"");
	cr_assert(lgn_dense_read("/nonexistent", 0, 1, 1, &d) == LAGOON_ENOENT);
	cr_assert(lgn_dense_is_libsvm("/nonexistent") == LAGOON_ENOENT);
}

/* A zero does not end a line. */
Test(dense, zeros_in_a_line)
{
	static const char text[] = "1\0,2\n";
	struct lgn_dense d;
	char path[PATH];

	write_file(temp_path(path), text, sizeof(text) - 1);
	cr_assert(lgn_dense_read(path, 0, 1, 1, &d) == LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "line 1: field 1"));
	unlink(path);
}

Test(dense, is_not_libsvm)
{
	const struct { const char *text; int expected; } files[] = {
		{ "1 2\n3 4\n", 0 }, { "\n# 1:2\n1 1:2\n3 4\n", 1 },
		{ "1 2\n1 1:2\n", 0 }, { "+1 3:1", 1 }, { "7", 0 },
	};
	char path[PATH];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		write_file(temp_path(path), files[i].text,
			   strlen(files[i].text));
		cr_assert(lgn_dense_is_libsvm(path) == files[i].expected, "%s",
			  files[i].text);
		unlink(path);
	}
}
