/* SPDX-License-Identifier: BSD-3-Clause */
/* The readers of CSV and MatrixMarket: what they find, in parts, by gzip, and
 * with bad input. */
#include "test/unit/kernels.h"

#include <math.h>
#include <stdbool.h>
#include <zlib.h>

#include "kernels/data/csv.h"
#include "kernels/data/libsvm.h"
#include "kernels/data/matrix.h"
#include "kernels/data/text.h"
#include "runtime/lagoon.h"

TestSuite(tables, .timeout = 60);

enum kind { CSV, MATRIX, TARGET };

static int read_path(enum kind kind, const char *path, int part, int parts,
		     struct lgn_entries *e, struct lgn_matrix_info *info)
{
	if (kind == CSV)
		return lgn_csv_read(path, part, parts, e);
	return lgn_matrix_read(path, part, parts, kind == TARGET, e, info);
}

static int read_text(enum kind kind, const char *text, int part, int parts,
		     struct lgn_entries *e)
{
	struct lgn_matrix_info info = { 0 };
	char path[TEMP_PATH];
	int rc;

	memset(e, 0, sizeof(*e));
	write_file(temp_path(path), text, strlen(text));
	rc = read_path(kind, path, part, parts, e, &info);
	unlink(path);
	return rc;
}

/* ------------------------------------------------------ what is found */

Test(tables, csv_has_the_target_last)
{
	struct lgn_entries e;

	cr_assert(!read_text(CSV, "1, 0 ,2.5\r\n\n-3,4,1e1", 0, 1, &e));
	cr_assert(e.rows == 2 && e.cols == 2 && e.n == 3 && e.n_targets == 2);
	cr_assert(e.row[0] == 0 && e.col[0] == 0 && e.val[0] == 1);
	cr_assert(e.row[1] == 1 && e.col[1] == 0 && e.val[1] == -3);
	cr_assert(e.row[2] == 1 && e.col[2] == 1 && e.val[2] == 4);
	cr_assert(e.target[0] == 2.5 && e.target[1] == 10);
	lgn_entries_free(&e);
}

Test(tables, csv_may_have_a_header)
{
	struct lgn_entries e;

	cr_assert(!read_text(CSV, "\nheight,name 2,y\n1,2,3\n", 0, 1, &e));
	cr_assert(e.rows == 1 && e.cols == 2 && e.target[0] == 3);
	lgn_entries_free(&e);
}

Test(tables, matrix_by_coordinates)
{
	struct lgn_entries e;

	cr_assert(!read_text(MATRIX, "%%matrixmarket MATRIX coordinate real General\n"
			     "% comment\n\n 3 4  3\n3 4 -1.5\n% c\n1 1 0\n2 3 7", 0, 1, &e));
	cr_assert(e.rows == 3 && e.cols == 4 && e.n == 2 && !e.n_targets);
	cr_assert(e.row[0] == 2 && e.col[0] == 3 && e.val[0] == -1.5);
	cr_assert(e.row[1] == 1 && e.col[1] == 2 && e.val[1] == 7);
	lgn_entries_free(&e);
	cr_assert(!read_text(MATRIX, "%%MatrixMarket matrix coordinate pattern general\n"
			     "1 2 1\n1 2\n", 0, 1, &e));
	cr_assert(e.n == 1 && e.col[0] == 1 && e.val[0] == 1);
	lgn_entries_free(&e);
}

/* What stands beside the diagonal counts twice, with the other sign if so. */
Test(tables, matrix_symmetric)
{
	struct lgn_entries e;

	cr_assert(!read_text(MATRIX, "%%MatrixMarket matrix coordinate real symmetric\n"
			     "3 3 2\n2 2 5\n3 1 -1.5\n", 0, 1, &e));
	cr_assert(e.rows == 3 && e.cols == 3 && e.n == 3 && e.val[0] == 5);
	cr_assert(e.row[1] == 2 && e.col[1] == 0 && e.val[1] == -1.5);
	cr_assert(e.row[2] == 0 && e.col[2] == 2 && e.val[2] == -1.5);
	lgn_entries_free(&e);
	cr_assert(!read_text(MATRIX, "%%MatrixMarket matrix coordinate integer skew-symmetric\n"
			     "2 2 1\n2 1 4\n", 0, 1, &e));
	cr_assert(e.n == 2 && e.val[0] == 4 && e.val[1] == -4);
	cr_assert(e.row[1] == 0 && e.col[1] == 1);
	lgn_entries_free(&e);
}

Test(tables, matrix_array_runs_down_the_columns)
{
	struct lgn_entries e;
	const char *text = "%%MatrixMarket matrix array integer general\n2 2\n1\n2\n3\n4\n";

	cr_assert(!read_text(MATRIX, text, 0, 1, &e));
	cr_assert(e.n == 4 && e.row[1] == 1 && e.col[1] == 0 && e.row[2] == 0 &&
		  e.col[2] == 1 && e.val[2] == 3);
	lgn_entries_free(&e);
	cr_assert(!read_text(MATRIX, text, 1, 2, &e));
	cr_assert(e.n == 0, "part 0 has an array file alone");
	lgn_entries_free(&e);
}

/* Of three rows, in any order, the middle one is the second third. */
Test(tables, matrix_rows_of_a_part)
{
	const char *text = "%%MatrixMarket matrix coordinate real general\n"
		"3 2 4\n3 1 5\n2 2 7\n2 1 6\n1 1 8\n";
	struct lgn_entries e;
	uint64_t rows;
	char path[TEMP_PATH];

	write_file(temp_path(path), text, strlen(text));
	cr_assert(!lgn_matrix_rows(path, 1, 3, 0, &e, &rows));
	cr_assert(rows == 3 && e.rows == 1 && e.cols == 2 && e.n == 2);
	cr_assert(e.row[0] == 0 && e.col[0] == 1 && e.val[0] == 7);
	cr_assert(e.row[1] == 0 && e.col[1] == 0 && e.val[1] == 6);
	lgn_entries_free(&e);
	cr_assert(!lgn_matrix_rows(path, 2, 3, 0, &e, &rows));
	cr_assert(e.rows == 1 && e.n == 1 && e.row[0] == 0 && e.val[0] == 5);
	lgn_entries_free(&e);
	/* More parts than rows: every row in one of them. */
	for (int i = 0, seen = 0; i < 5; i++) {
		cr_assert(!lgn_matrix_rows(path, i, 5, 0, &e, &rows));
		seen += (int)e.rows;
		lgn_entries_free(&e);
		cr_assert(i < 4 || seen == 3);
	}
	unlink(path);
}

Test(tables, matrix_of_targets)
{
	struct lgn_entries e;

	cr_assert(!read_text(TARGET, "%%MatrixMarket matrix array real general\n"
			     "3 1\n0\n2\n-1\n", 0, 1, &e));
	cr_assert(e.rows == 3 && !e.n && e.n_targets == 3);
	cr_assert(e.target_row[2] == 2 && e.target[2] == -1);
	lgn_entries_free(&e);
	cr_assert(!lgn_matrix_check("m", 3, 3));
	cr_assert(lgn_matrix_check("m", 3, 2) == LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "m: 2 entries: the line of sizes says 3"));
}

/* ----------------------------------------------------- parts and gzip */

/* Sums that do not depend on the order, of all parts. */
static void digest(enum kind kind, const char *path, int parts, double sum[4])
{
	uint64_t first = 0;

	memset(sum, 0, 4 * sizeof(*sum));
	for (int part = 0; part < parts; part++) {
		struct lgn_entries e = { 0 };
		struct lgn_matrix_info info;

		cr_assert(!read_path(kind, path, part, parts, &e, &info));
		for (size_t k = 0; k < e.n; k++) {
			double row = e.row[k] + (kind == CSV ? (double)first : 0);

			sum[0] += e.val[k];
			sum[1] += e.val[k] * row;
			sum[2] += e.val[k] * e.col[k];
		}
		for (size_t k = 0; k < e.n_targets; k++)
			sum[3] += e.target[k] * (double)(e.target_row[k] + first);
		first += e.rows;
		lgn_entries_free(&e);
	}
}

static void compress_file(const char *path, const char *text)
{
	gzFile gz = gzopen(path, "wb");

	cr_assert(gz && gzputs(gz, text) > 0 && gzclose(gz) == Z_OK);
}

static void check_parts(enum kind kind, const char *text)
{
	double whole[4], sum[4];
	char path[TEMP_PATH];

	write_file(temp_path(path), text, strlen(text));
	digest(kind, path, 1, whole);
	cr_assert(whole[0] != 0);
	for (int parts = 2; parts < 9; parts++) {
		digest(kind, path, parts, sum);
		cr_assert(!memcmp(sum, whole, sizeof(sum)), "%d parts", parts);
	}
	cr_assert(lgn_text_is_gzip(path) == 0);
	compress_file(path, text);
	cr_assert(lgn_text_is_gzip(path) == 1);
	digest(kind, path, 1, sum);
	cr_assert(!memcmp(sum, whole, sizeof(sum)), "by gzip");
	digest(kind, path, 3, sum);
	cr_assert(!memcmp(sum, whole, sizeof(sum)), "by gzip, in parts");
	unlink(path);
}

Test(tables, parts_make_the_whole)
{
	check_parts(CSV, "a,b,c\n1,2,3\n4,5,6\n7,8,9\n\n10,11,12\n13,14,15");
	check_parts(CSV, "1,2,3\n4,5,6\n");
	check_parts(MATRIX, "%%MatrixMarket matrix coordinate real general\n"
		    "5 5 5\n1 1 1\n2 2 2\n3 3 4\n4 4 8\n5 5 16\n");
}

Test(tables, libsvm_by_gzip_and_with_any_target)
{
	const struct lgn_libsvm_range range = { .parts = 1, .targets = 1 };
	struct lgn_libsvm data;
	char path[TEMP_PATH];

	compress_file(temp_path(path), "1.5 1:1\n2 2:1\n-7 1:2\n");
	cr_assert(!lgn_libsvm_read(path, &range, &data));
	cr_assert(data.rows == 3 && data.label[0] == 1.5 && data.label[2] == -7);
	lgn_libsvm_free(&data);
	unlink(path);
}

/* ----------------------------------------------------------- bad input */

static void check_bad(enum kind kind, const char *text, const char *message)
{
	struct lgn_entries e;
	int rc = read_text(kind, text, 0, 1, &e);

	cr_assert(rc == LAGOON_EINVAL, "\"%s\": %d", text, rc);
	cr_assert(strstr(lagoon_errmsg(), message), "\"%s\": \"%s\", expected \"%s\"",
		  text, lagoon_errmsg(), message);
	cr_assert(!e.row && !e.target, "outputs are written only on success");
}

#define MM "%%MatrixMarket matrix coordinate real general\n"

Test(tables, bad_csv)
{
	check_bad(CSV, "", "the file is empty");
	check_bad(CSV, "\n \n", "no rows, expected numbers");
	check_bad(CSV, "1\n2\n", "line 1: one column");
	check_bad(CSV, "1,2\n3\n", "line 2: fewer than 2 numbers");
	check_bad(CSV, "1,2\n3,\n", "line 2: fewer than 2 numbers");
	check_bad(CSV, "1,2\n3,4,5\n", "line 2: more than 2 numbers");
	check_bad(CSV, "1,2\n\n,4\n", "line 3: field 1 is \"\": expected a decimal");
	check_bad(CSV, "1,2\n3,x4\n", "line 2: field 2 is \"x4\"");
	check_bad(CSV, "1,2\n3,4x\n", "line 2: field 2 is \"4x\"");
	check_bad(CSV, "1,2\n3,nan\n", "field 2 is \"nan\": expected a finite");
	check_bad(CSV, "1,2\n-inf,2\n", "field 1 is \"-inf\": expected a finite");
	check_bad(CSV, "1,2\n1e999,2\n", "field 1 is \"1e999\": expected a finite");
	check_bad(CSV, "1,2\n3 4,5\n", "line 2: \"4\" behind field 1: expected ','");
	check_bad(CSV, "a,b\nc,d\n", "line 2: field 1 is \"c\"");
	check_bad(CSV, "1;2\n3;4\n", "line 1: one column");
}

Test(tables, bad_matrix)
{
	check_bad(MATRIX, "1 1 1\n", "line 1: expected \"%%MatrixMarket matrix\"");
	check_bad(MATRIX, "%%MatrixMarket matrix x real general\n", "\"coordinate\" or \"array\"");
	check_bad(MATRIX, "%%MatrixMarket matrix array pattern general\n", "\"real\"");
	check_bad(MATRIX, "%%MatrixMarket matrix array complex general\n", "\"real\"");
	check_bad(MATRIX, "%%MatrixMarket matrix coordinate real hermitian\n", "\"symmetric\"");
	check_bad(MATRIX, "%%MatrixMarket matrix array real symmetric\n", "\"general\"");
	check_bad(MATRIX, "%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n",
		  "line 2: 2 rows and 3 columns");
	check_bad(MATRIX, MM, "ends before the line of sizes");
	check_bad(MATRIX, MM "x 1 1\n", "line 2: number of rows is \"x\"");
	check_bad(MATRIX, MM "0 1 1\n", "line 2: number of rows is \"0\"");
	check_bad(MATRIX, MM "1 99999999999999999999 1\n", "line 2: number of columns");
	check_bad(MATRIX, MM "2 2 5\n", "line 2: number of entries is \"5\": expected 0 to 4");
	check_bad(MATRIX, MM "2 2 1 1\n", "line 2: expected rows, columns and entries");
	check_bad(MATRIX, MM "2 2 1\n3 1 1\n", "line 3: row is \"3\": expected 1 to 2");
	check_bad(MATRIX, MM "2 2 1\n% c\n1 0 1\n", "line 4: column is \"0\"");
	check_bad(MATRIX, MM "2 2 1\n1 -1 1\n", "line 3: column is \"-1\"");
	check_bad(MATRIX, MM "2 2 1\n1 1\n", "line 3: value is \"\"");
	check_bad(MATRIX, MM "2 2 1\n1 1 nan\n", "line 3: value is \"nan\": expected a finite");
	check_bad(MATRIX, MM "2 2 1\n1 1 1 1\n", "line 3: more than an entry");
	check_bad(MATRIX, "%%MatrixMarket matrix array real general\n1 1\n1\n2\n",
		  "line 4: one value more: expected 1");
	check_bad(TARGET, MM "2 2 1\n1 1 1\n", "line 2: number of columns is \"2\": expected 1 to 1");
}

Test(tables, bad_gzip)
{
	struct lgn_entries e;
	char path[TEMP_PATH], *text;
	size_t len;

	compress_file(temp_path(path), "1,2,3\n4,5,6\n7,8,9\n");
	text = read_file(path, &len);
	write_file(path, text, len - 9);
	cr_assert(lgn_csv_read(path, 0, 1, &e) == LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "cannot inflate: the file is cut"), "%s", lagoon_errmsg());
	text[len / 2] = (char)(text[len / 2] ^ 0x55);
	write_file(path, text, len);
	cr_assert(lgn_csv_read(path, 0, 1, &e) == LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "cannot inflate: the file is damaged"), "%s", lagoon_errmsg());
	free(text);
	unlink(path);
	cr_assert(lgn_csv_read(path, 0, 1, &e) == LAGOON_ENOENT);
	cr_assert(lgn_csv_read("/usr", 0, 1, &e) == LAGOON_EINVAL);
}
