/* SPDX-License-Identifier: BSD-3-Clause */
/* Files in blocks: the same lines, offsets, rows and messages as of the whole
 * file, however large the blocks are, in parts, by gzip, and once more. */
#include "test/unit/kernels.h"

#include <stdbool.h>
#include <zlib.h>

#include "kernels/data/blocks.h"
#include "kernels/data/csv.h"
#include "kernels/data/libsvm.h"
#include "kernels/data/matrix.h"
#include "runtime/lagoon.h"

TestSuite(blocks, .timeout = 60);

static void compress_file(const char *path, const char *text)
{
	gzFile gz = gzopen(path, "wb");

	cr_assert(gz && gzputs(gz, text) > 0 && gzclose(gz) == Z_OK);
}

/* -------------------------------------------------------------- lines */

struct seen {
	char text[2048];	/* of all lines, with their '\n' */
	size_t at;		/* sum of where they begin */
	size_t len;
	int lines;
};

static int look(void *arg, const char *line, size_t at)
{
	struct seen *s = arg;
	size_t n = (size_t)(strchr(line, '\n') - line) + 1;

	cr_assert(s->len + n < sizeof(s->text));
	memcpy(s->text + s->len, line, n);
	s->len += n;
	s->at += at;
	s->lines++;
	return 0;
}

static void read_blocks(struct lgn_blocks *b, struct seen *s)
{
	int rc;

	while ((rc = lgn_blocks_next(b)) > 0) {
		cr_assert(b->text.size && b->text.text[b->text.size - 1] == '\n');
		cr_assert(!lgn_text_each(&b->text, 0, b->text.size, look, s));
	}
	cr_assert(!rc, "%s", lagoon_errmsg());
}

static void check_same(const struct seen *s, const struct seen *want)
{
	cr_assert_eq(s->lines, want->lines);
	cr_assert_eq(s->at, want->at);
	cr_assert(s->len == want->len && !memcmp(s->text, want->text, s->len));
}

static void check_file(const char *path, const struct seen *want, int parts,
		       size_t bytes)
{
	struct seen s = { .lines = 0 }, again = { .lines = 0 };

	for (int k = 0; k < parts; k++) {
		struct lgn_blocks b;

		cr_assert(!lgn_blocks_open(path, k, parts, bytes, &b), "%s",
			  lagoon_errmsg());
		read_blocks(&b, &s);
		lgn_blocks_rewind(&b);
		read_blocks(&b, &again);
		lgn_blocks_close(&b);
	}
	check_same(&s, want);
	check_same(&again, want);
}

Test(blocks, lines_do_not_depend_on_blocks_and_parts)
{
	static const char piece[] = "a\n\nbcd\n";
	uint64_t seed = 3;
	char plain[TEMP_PATH], gzip[TEMP_PATH];

	temp_path(plain);
	temp_path(gzip);
	for (int i = 0; i < 60; i++) {
		char text[1000];
		size_t len = 1 + below(&seed, i < 30 ? 40 : sizeof(text) - 2);
		struct seen want = { .lines = 0 };
		struct lgn_text t;

		for (size_t k = 0; k < len; k++)
			text[k] = piece[below(&seed, sizeof(piece) - 1)];
		text[len] = 0;
		write_file(plain, text, len);
		compress_file(gzip, text);
		cr_assert(!lgn_text_open(plain, &t));
		lgn_text_each(&t, 0, t.size, look, &want);
		lgn_text_close(&t);
		for (size_t bytes = 1; bytes <= 2048; bytes = 1 + 2 * bytes)
			for (int parts = 1; parts <= 5; parts += 2) {
				check_file(plain, &want, parts, bytes);
				check_file(gzip, &want, parts, bytes);
			}
	}
	unlink(plain);
	unlink(gzip);
}

Test(blocks, what_cannot_be_read_is_told)
{
	static const char junk[] = "\x1f\x8b junk that zlib does not know";
	struct lgn_blocks b;
	char path[TEMP_PATH];

	cr_assert_eq(lgn_blocks_open("/nowhere/none", 0, 1, 9, &b),
		     LAGOON_ENOENT);
	lgn_blocks_close(&b);
	cr_assert_eq(lgn_blocks_open("/usr", 0, 1, 9, &b), LAGOON_EINVAL);
	write_file(temp_path(path), junk, sizeof(junk));
	cr_assert(!lgn_blocks_open(path, 0, 1, 9, &b));
	cr_assert_eq(lgn_blocks_next(&b), LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), path));
	lgn_blocks_close(&b);
	write_file(path, "", 0);
	cr_assert(!lgn_blocks_open(path, 0, 1, 9, &b));
	cr_assert_eq(lgn_blocks_next(&b), 0);
	lgn_blocks_close(&b);
	unlink(path);
}

/* ------------------------------------------------------------- parsers */

enum kind { LIBSVM, CSV, MATRIX };

struct parsed {
	size_t rows;
	double sum;		/* of value, row and column */
	struct lgn_libsvm_range range;
	struct lgn_csv csv;
	struct lgn_matrix matrix;
	struct lgn_entries e;
};

static void add(struct parsed *p, size_t row, size_t col, double x)
{
	p->sum += x * (double)(7 * (p->rows + row) + 3 * col + 1);
}

static int take_libsvm(struct parsed *p, const struct lgn_text *text)
{
	struct lgn_libsvm d;
	int rc = lgn_libsvm_parse(text, &p->range, &d);

	if (rc)
		return rc;
	for (size_t i = 0; i < d.rows; i++) {
		add(p, i, 99, d.label[i]);
		for (size_t k = d.start[i]; k < d.start[i + 1]; k++)
			add(p, i, d.col[k], d.val[k]);
	}
	p->rows += d.rows;
	lgn_libsvm_free(&d);
	return 0;
}

static int take_entries(struct parsed *p, enum kind kind,
			const struct lgn_text *text)
{
	int rc;

	p->e.n = p->e.n_targets = 0;
	if (kind == CSV)
		p->e.rows = 0;
	rc = kind == CSV ? lgn_csv_block(&p->csv, text, &p->e) :
		lgn_matrix_block(&p->matrix, text, &p->e);
	for (size_t k = 0; k < p->e.n && !rc; k++)
		add(p, p->e.row[k], p->e.col[k], p->e.val[k]);
	for (size_t k = 0; k < p->e.n_targets && !rc; k++)
		add(p, p->e.target_row[k], 99, p->e.target[k]);
	if (kind == CSV)
		p->rows += p->e.rows;
	return rc;
}

static int parse(enum kind kind, const char *path, size_t bytes,
		 struct parsed *p)
{
	struct lgn_blocks b;
	int rc = lgn_blocks_open(path, 0, 1, bytes, &b);

	memset(p, 0, sizeof(*p));
	p->range = (struct lgn_libsvm_range){ 0, 1, 0, 1 };
	while (!rc && (rc = lgn_blocks_next(&b)) > 0)
		rc = kind == LIBSVM ? take_libsvm(p, &b.text) :
			take_entries(p, kind, &b.text);
	if (!rc && kind == MATRIX)
		rc = lgn_matrix_end(&p->matrix, path);
	lgn_blocks_close(&b);
	lgn_entries_free(&p->e);
	return rc;
}

static const char *const good[] = {
	[LIBSVM] = "1 1:2 9:3\n\n# text\n-2 2:1e3\n0.5 1:1 2:4 3:5 # x\n7",
	[CSV] = "\na,b,c\n1,2,3\n\n4,5,6\n0,0,-1\n9,9,9",
	[MATRIX] = "%%MatrixMarket matrix coordinate real general\n% c\n\n"
		"4 3 5\n1 1 2\n4 3 1\n% c\n2 2 -5\n3 1 7\n1 3 3\n",
};

static const char *const bad[] = {
	[LIBSVM] = "1 1:2 9:3\n\n# text\n-2 2:1e3\n0.5 1:1 2:4 2:5 # x\n7\n",
	[CSV] = "\na,b,c\n1,2,3\n\n4,5,6\n0,-1\n9,9,9",
	[MATRIX] = "%%MatrixMarket matrix coordinate real general\n% c\n\n"
		"4 3 5\n1 1 2\n4 3 1\n% c\n2 2 -5\n3 4 7\n1 3 3\n",
};

static const char *const where[] = {
	[LIBSVM] = "line 5: ", [CSV] = "line 6: ", [MATRIX] = "line 9: ",
};

static void check_parser(enum kind kind, bool gzip)
{
	char path[TEMP_PATH];
	struct parsed want, got;

	temp_path(path);
	write_file(path, good[kind], strlen(good[kind]));
	cr_assert(!parse(kind, path, 4096, &want), "%s", lagoon_errmsg());
	cr_assert(want.sum > 100);
	if (gzip)
		compress_file(path, good[kind]);
	for (size_t bytes = 1; bytes < 200; bytes += 3) {
		cr_assert(!parse(kind, path, bytes, &got), "%s",
			  lagoon_errmsg());
		cr_assert_eq(got.rows, want.rows);
		cr_assert_eq(got.sum, want.sum, "%g and %g", got.sum, want.sum);
	}
	write_file(path, bad[kind], strlen(bad[kind]));
	if (gzip)
		compress_file(path, bad[kind]);
	for (size_t bytes = 1; bytes < 200; bytes += 3) {
		cr_assert_eq(parse(kind, path, bytes, &got), LAGOON_EINVAL);
		cr_assert(strstr(lagoon_errmsg(), where[kind]), "%zu: %s",
			  bytes, lagoon_errmsg());
	}
	unlink(path);
}

Test(blocks, rows_and_messages_do_not_depend_on_blocks)
{
	for (enum kind kind = LIBSVM; kind <= MATRIX; kind++) {
		check_parser(kind, false);
		check_parser(kind, true);
	}
}

Test(blocks, a_matrix_that_is_cut_is_noticed)
{
	struct parsed p;
	char path[TEMP_PATH];

	write_file(temp_path(path), good[MATRIX], strlen(good[MATRIX]) - 6);
	cr_assert_eq(parse(MATRIX, path, 16, &p), LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "the line of sizes says 5"));
	write_file(path, good[MATRIX], 50);
	cr_assert_eq(parse(MATRIX, path, 16, &p), LAGOON_EINVAL);
	cr_assert(strstr(lagoon_errmsg(), "before the line of sizes"));
	unlink(path);
}
