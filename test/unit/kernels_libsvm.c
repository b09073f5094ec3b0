/* SPDX-License-Identifier: BSD-3-Clause */
/* The LIBSVM reader: against a plain one, in parts, and with bad input. */
#include "test/unit/kernels.h"

#include <math.h>
#include <stdbool.h>

#include "kernels/data/decimal.h"
#include "kernels/data/libsvm.h"
#include "runtime/lagoon.h"

TestSuite(libsvm, .timeout = 60);

static int read_text(const char *text, size_t len, int part, int parts,
		     int zero_based, struct lgn_libsvm *data)
{
	const struct lgn_libsvm_range range = { part, parts, zero_based };
	char path[TEMP_PATH];
	int rc;

	write_file(temp_path(path), text, len);
	rc = lgn_libsvm_read(path, &range, data);
	unlink(path);
	return rc;
}

/* ------------------------------------------------------------ numbers */

static void check_number(const char *text)
{
	char line[512];
	double got = 42, want;
	const char *end;
	char *want_end;

	snprintf(line, sizeof(line), "%s ", text);
	want = strtod(line, &want_end);
	end = lgn_decimal_parse(line, &got);
	cr_assert(end == want_end, "%s: ends at %td, strtod at %td", text,
		  end ? end - line : -1, want_end - line);
	cr_assert(!memcmp(&got, &want, sizeof(got)), "%s: %a, strtod %a", text,
		  got, want);
}

Test(libsvm, numbers_equal_strtod)
{
	static const char *const odd[] = {
		"0", "-0", "+0", "-0.0", "1", "+1", "-1", "1.", ".5", "-.5",
		"00001.50000", "9007199254740992", "9007199254740993",
		"9007199254740993.0000001", "18446744073709551616",
		"123456789012345678901234567890", "1e22", "1e23", "1e-22",
		"1e-23", "9007199254740991e22", "9007199254740993e-22",
		"4.9e-324", "2.4703282292062327e-324", "2.2250738585072011e-308",
		"1.7976931348623157e308", "1.7976931348623159e308", "1e309",
		"-1e309", "1e-400", "0e999999999", "1e99999999999999999999",
		"1e-99999999999999999999", "1E5", "1e+5", "1.5e-3", "0.1",
		"0.30000000000000004", "8.41470984807896507e-01",
		"179769313486231580793728971405301e276",
		"0.000000000000000000000000000000000000000000012345",
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		check_number(odd[i]);
}

Test(libsvm, random_numbers_equal_strtod)
{
	static const char *const form[] = {
		"%.0f", "%.3f", "%.6g", "%.15g", "%.17g", "%e", "%.25g",
	};
	uint64_t seed = 1;

	for (int i = 0; i < 200000; i++) {
		char text[400];
		double x = uniform(&seed) * 2 - 1;

		x *= pow(10, (double)below(&seed, 60) - 30);
		snprintf(text, sizeof(text), form[i % 7], x);
		check_number(text);
	}
}

Test(libsvm, no_number)
{
	static const char *const none[] = {
		" ", "- ", "+ ", ". ", "-. ", "e5 ", "nan ", "inf ", "x ",
		"--1 ", ": ",
	};
	double x;

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		cr_assert(!lgn_decimal_parse(none[i], &x), "%s", none[i]);
	cr_assert_eq(*lgn_decimal_parse("1e ", &x), 'e');
	cr_assert_eq(*lgn_decimal_parse("0x10 ", &x), 'x');
}

/* ------------------------------------------------- against a plain reader */

struct text {
	char *bytes;
	size_t len;
};

static void append(struct text *t, const char *s)
{
	size_t n = strlen(s);

	t->bytes = realloc(t->bytes, t->len + n + 1);
	memcpy(t->bytes + t->len, s, n + 1);
	t->len += n;
}

static void append_blank(struct text *t, uint64_t *seed)
{
	static const char *const blank[] = { " ", " ", " ", "  ", "\t", " \t " };

	append(t, blank[below(seed, 6)]);
}

static void random_row(struct text *t, uint64_t *seed)
{
	static const char *const label[] = { "-1", "+1", "1", "-1.0" };
	char entry[64];
	uint64_t index = 0;

	if (!below(seed, 9))
		append_blank(t, seed);
	append(t, label[below(seed, 4)]);
	if (!below(seed, 5))
		append(t, " qid:17");
	for (uint64_t k = below(seed, 12); k; k--) {
		index += 1 + below(seed, below(seed, 20) ? 9 : 100000);
		append_blank(t, seed);
		snprintf(entry, sizeof(entry), below(seed, 3) ? "%lu:%.6g" :
			 "%lu:%.17g", (unsigned long)index,
			 below(seed, 4) ? 2 * uniform(seed) - 1 : 1);
		append(t, entry);
	}
	if (!below(seed, 6))
		append(t, " # 3:4 no entry");
}

static struct text random_text(uint64_t seed, int rows)
{
	static const char *const end[] = { "\n", "\n", "\n", "\r\n", " \n" };
	static const char *const none[] = { "\n", "# nothing\n", " \t\n" };
	struct text t = { 0 };

	for (int i = 0; i < rows; i++) {
		if (!below(&seed, 8))
			append(&t, none[below(&seed, 3)]);
		random_row(&t, &seed);
		if (i + 1 < rows || below(&seed, 2))
			append(&t, end[below(&seed, 5)]);
	}
	return t;
}

/* strtok and strtod: slow and simple. */
static struct lgn_libsvm plain_reader(const struct text *t)
{
	struct lgn_libsvm d = { 0 };
	char *copy = strdup(t->bytes), *line, *next_line, *token, *save;
	size_t n = 0;

	d.start = calloc(t->len + 2, sizeof(*d.start));
	d.col = calloc(t->len + 1, sizeof(*d.col));
	d.val = calloc(t->len + 1, sizeof(*d.val));
	d.label = calloc(t->len + 1, sizeof(*d.label));
	for (line = copy; line; line = next_line) {
		next_line = strchr(line, '\n');
		if (next_line)
			*next_line++ = 0;
		line[strcspn(line, "#")] = 0;
		token = strtok_r(line, " \t\r", &save);
		if (!token)
			continue;
		d.label[d.rows++] = strtod(token, NULL);
		while ((token = strtok_r(NULL, " \t\r", &save))) {
			char *value = strchr(token, ':');

			if (*token == 'q')
				continue;
			d.col[n] = (uint32_t)(strtoul(token, NULL, 10) - 1);
			d.val[n++] = strtod(value + 1, NULL);
			if (d.col[n - 1] >= d.cols)
				d.cols = d.col[n - 1] + UINT64_C(1);
		}
		d.start[d.rows] = n;
	}
	free(copy);
	return d;
}

/* Rows from here on in `all` are those of `part`. */
static size_t check_rows(const struct lgn_libsvm *all, size_t from,
			 const struct lgn_libsvm *part, unsigned long seed)
{
	size_t at = all->start[from], n = part->start[part->rows];

	cr_assert(from + part->rows <= all->rows, "seed %lu", seed);
	for (size_t i = 0; i < part->rows; i++) {
		cr_assert_eq(part->start[i + 1],
			     all->start[from + i + 1] - at, "seed %lu", seed);
		cr_assert_eq(part->label[i], all->label[from + i]);
	}
	cr_assert(!memcmp(part->col, all->col + at, n * sizeof(*part->col)),
		  "seed %lu: columns", seed);
	cr_assert(!memcmp(part->val, all->val + at, n * sizeof(*part->val)),
		  "seed %lu: values", seed);
	return from + part->rows;
}

Test(libsvm, parts_of_random_texts_hold_each_row_once)
{
	for (unsigned long seed = 1; seed <= 60; seed++) {
		struct text t = random_text(seed, 1 + (int)(seed * 7 % 50));
		struct lgn_libsvm want = plain_reader(&t), part;

		for (int parts = 1; parts <= 17; parts++) {
			size_t rows = 0;
			uint64_t cols = 0;

			for (int k = 0; k < parts; k++) {
				cr_assert_eq(read_text(t.bytes, t.len, k, parts,
						       0, &part), 0,
					     "seed %lu: %s", seed,
					     lagoon_errmsg());
				rows = check_rows(&want, rows, &part, seed);
				if (part.cols > cols)
					cols = part.cols;
				lgn_libsvm_free(&part);
			}
			cr_assert_eq(rows, want.rows, "seed %lu parts %d", seed,
				     parts);
			cr_assert_eq(cols, want.cols);
		}
		lgn_libsvm_free(&want);
		free(t.bytes);
	}
}

Test(libsvm, zero_based)
{
	struct lgn_libsvm d;

	cr_assert_eq(read_text("1 0:5 3:6\n-1", 12, 0, 1, 1, &d), 0);
	cr_assert_eq(d.rows, 2);
	cr_assert_eq(d.cols, 4);
	cr_assert_eq(d.col[0], 0);
	cr_assert_eq(d.col[1], 3);
	lgn_libsvm_free(&d);
}

Test(libsvm, largest_index)
{
	struct lgn_libsvm d;

	cr_assert_eq(read_text("1 2147483648:5", 14, 0, 1, 0, &d), 0);
	cr_assert_eq(d.col[0], UINT32_C(2147483647));
	cr_assert_eq(d.cols, UINT64_C(2147483648));
	lgn_libsvm_free(&d);
}

/* ------------------------------------------------------------ bad input */

static const struct {
	const char *text;
	const char *expect;
} bad[] = {
	{ "", "the file is empty" },
	{ "1 1:1\nx 1:1", "line 2: label is \"x\"" },
	{ "1 1:1\n\n#\n1:1 1:1", "line 4: label is \"1:1\"" },
	{ "1 1\n", "line 1: expected index:value, found \"1\"" },
	{ "1 1:", "line 1: value is \"\"" },
	{ "1 :1", "line 1: expected index:value, found \":1\"" },
	{ "1 -1:1", "line 1: expected index:value, found \"-1:1\"" },
	{ "1 1:1:1", "line 1: value is \"1:1\"" },
	{ "1 1:1,2:1", "line 1: value is \"1,2:1\"" },
	{ "1 1.5:1", "line 1: expected index:value" },
	{ "1 0:1", "line 1: index 0" },
	{ "1 2147483649:1", "line 1: index 2147483649" },
	{ "1 340282366920938463463374607431768211457:1", "line 1: index 3402" },
	{ "1 2:1 2:1", "line 1: index 2 after 2" },
	{ "1 3:1 2:1", "line 1: index 2 after 3" },
	{ "1 1:nan", "finite" },
	{ "1 1:NaN", "finite" },
	{ "1 1:+inf", "finite" },
	{ "1 1:infinity", "finite" },
	{ "1 1:1e400", "finite" },
	{ "inf 1:1", "label is \"inf\": expected a finite" },
	{ "1 1:0x1p3", "decimal" },
	{ "1 qid: 1:1", "line 1: expected qid:number" },
	{ "1 1:1 q", "line 1: expected index:value, found \"q\"" },
	{ "1\n2\n1\n2\n3", "line 5: label 3: expected two distinct labels" },
	{ "1 1:1 \x01\x02", "found \"??\"" },
};

Test(libsvm, bad_input_names_the_line)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct lgn_libsvm d = { .rows = 77 };
		int rc = read_text(bad[i].text, strlen(bad[i].text), 0, 1, 0,
				   &d);

		cr_assert_eq(rc, LAGOON_EINVAL, "\"%s\"", bad[i].text);
		cr_assert(strstr(lagoon_errmsg(), bad[i].expect),
			  "\"%s\": %s", bad[i].text, lagoon_errmsg());
		cr_assert_eq(d.rows, 77, "output changed");
	}
}

/* A line number counts the lines of the parts before. */
Test(libsvm, bad_input_in_a_late_part)
{
	char text[4096] = "";
	struct lgn_libsvm d;
	int failed = 0;

	for (int i = 0; i < 200; i++)
		strcat(text, i == 150 ? "1 0:1\n" : "1 1:1\n");
	for (int k = 0; k < 16; k++) {
		int rc = read_text(text, strlen(text), k, 16, 0, &d);

		if (!rc) {
			lgn_libsvm_free(&d);
			continue;
		}
		cr_assert(strstr(lagoon_errmsg(), "line 151: index 0"), "%s",
			  lagoon_errmsg());
		failed++;
	}
	cr_assert_eq(failed, 1);
}

Test(libsvm, a_nul_byte_is_no_blank)
{
	struct lgn_libsvm d;

	cr_assert_eq(read_text("1 1:1\0 2:1\n", 11, 0, 1, 0, &d),
		     LAGOON_EINVAL);
}

Test(libsvm, missing_file)
{
	const struct lgn_libsvm_range range = { 0, 1, 0 };
	struct lgn_libsvm d;

	cr_assert_eq(lgn_libsvm_read("/nowhere/none", &range, &d),
		     LAGOON_ENOENT);
	cr_assert(strstr(lagoon_errmsg(), "/nowhere/none"));
	cr_assert_eq(lgn_libsvm_read("/usr", &range, &d), LAGOON_EINVAL);
}

/* --------------------------------------------------------------- labels */

static struct lgn_labels labels(int n, double a, uint64_t at, double b,
				uint64_t bt)
{
	return (struct lgn_labels){ n, { a, b }, { at, bt } };
}

Test(libsvm, labels_merge_in_file_order)
{
	struct lgn_labels all = { 0 };
	struct lgn_labels one = labels(1, 1, 0, 0, 0);
	struct lgn_labels two = labels(2, 0, 30, 1, 20);

	cr_assert_eq(lgn_labels_merge("none", &all, &all), 0);
	cr_assert_eq(all.n, 0);
	cr_assert_eq(lgn_labels_merge("none", &one, &all), 0);
	cr_assert_eq(lgn_labels_merge("none", &two, &all), 0);
	cr_assert_eq(all.n, 2);
	cr_assert_eq(all.value[0], 0);
	cr_assert_eq(all.value[1], 1);
	cr_assert_eq(all.at[0], 30);
}

Test(libsvm, a_third_label_names_its_line)
{
	static const char text[] = "1 1:1\n2 1:1\n3 1:1\n";
	struct lgn_labels all = labels(2, 1, 0, 2, 6);
	struct lgn_labels third = labels(1, 3, 12, 0, 0);
	char path[TEMP_PATH];

	write_file(temp_path(path), text, strlen(text));
	cr_assert_eq(lgn_labels_merge(path, &third, &all), LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "line 3: label 3"), "%s",
		  lagoon_errmsg());
	unlink(path);
}
