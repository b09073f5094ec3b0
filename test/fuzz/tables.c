/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mutated texts through the readers of CSV, MatrixMarket and dense rows, whole and
 * in parts.
 * A text is refused with a sentence, or gives entries within its shape, as many
 * in parts as whole; nothing else happens (build with --enable-sanitizers).
 * Runs for 3 s times LAGOON_TEST_SCALE from LAGOON_TEST_SEED on. With
 *
 *	clang -DLIBFUZZER -fsanitize=fuzzer,address
 *
 * the same check is a target of libFuzzer.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/data/csv.h"
#include "kernels/data/dense.h"
#include "kernels/data/matrix.h"
#include "runtime/base/wait.h"
#include "runtime/lagoon.h"

enum { TEXT_MAX = 4096, KINDS = 3, PARTS = 3 };

static const uint8_t *current;
static size_t current_len;

static _Noreturn void die(const char *what)
{
	printf("# %s: %s\n# text: \"", what, lagoon_errmsg());
	for (size_t i = 0; i < current_len; i++)
		printf(current[i] < 0x20 || current[i] > 0x7e ? "\\x%02x" : "%c",
		       current[i]);
	puts("\"");
	abort();
}

struct total {
	uint64_t rows, cols;
	size_t n, targets;
	double sum;
};

static void check(int kind, const struct lgn_entries *e, struct total *t)
{
	for (size_t k = 0; k < e->n; k++) {
		if (!isfinite(e->val[k]) || e->val[k] == 0 ||
		    e->col[k] >= e->cols || e->row[k] >= e->rows)
			die("an entry is out of the shape");
		t->sum += fabs(e->val[k]) < 1e9 ? round(e->val[k]) : 0;
	}
	for (size_t k = 0; k < e->n_targets; k++)
		if (!isfinite(e->target[k]) || e->target_row[k] >= e->rows)
			die("a target is out of the shape");
	t->n += e->n;
	t->targets += e->n_targets;
	t->cols = e->cols;
	if (kind)
		t->rows = e->rows;
	else
		t->rows += e->rows;
}

static int read_parts(int kind, const char *path, int parts, struct total *t)
{
	int rc = 0;

	memset(t, 0, sizeof(*t));
	for (int part = 0; part < parts && !rc; part++) {
		struct lgn_entries e = { 0 };
		struct lgn_matrix_info info;

		rc = kind ? lgn_matrix_read(path, part, parts, kind - 1, &e,
					    &info) :
			lgn_csv_read(path, part, parts, &e);
		if (rc && e.row)
			die("data is set after an error");
		if (!rc)
			check(kind, &e, t);
		lgn_entries_free(&e);
	}
	if (rc && (rc != LAGOON_EINVAL || !*lagoon_errmsg()))
		die("another error");
	return rc;
}

static int read_dense(const char *path, int parts, struct total *t)
{
	int rc = 0;

	memset(t, 0, sizeof(*t));
	for (int part = 0; part < parts && !rc; part++) {
		struct lgn_dense d = { 0 };

		rc = lgn_dense_read(path, part, parts, 1e140, &d);
		if (rc && (d.x || rc != LAGOON_EINVAL || !*lagoon_errmsg()))
			die("another error, or data is set after one");
		for (uint64_t i = 0; i < d.rows * d.cols; i++) {
			if (!(fabs(d.x[i]) <= 1e140))
				die("a number is out of range");
			t->sum += fabs(d.x[i]) < 1e9 ? round(d.x[i]) : 0;
		}
		t->rows += d.rows;
		t->cols = d.cols;
		lgn_dense_free(&d);
	}
	return rc;
}

static void check_dense(const char *path)
{
	struct total whole, parts;
	int rc = read_dense(path, 1, &whole);

	if (read_dense(path, PARTS, &parts) != rc)
		die("parts of dense rows say another thing than the whole");
	if (!rc && memcmp(&whole, &parts, sizeof(whole)))
		die("parts of dense rows are not the whole");
	if (lgn_dense_is_libsvm(path) < 0 && current_len)
		die("cannot look for a colon");
}

int LLVMFuzzerTestOneInput(const uint8_t *text, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *text, size_t len)
{
	static int fd = -1;
	char path[64];
	struct total whole, parts;

	if (fd < 0)
		fd = memfd_create("fuzz", 0);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, text, len, 0) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	current = text;
	current_len = len;
	for (int kind = 0; kind < KINDS; kind++) {
		int rc = read_parts(kind, path, 1, &whole);

		if (read_parts(kind, path, PARTS, &parts) != rc)
			die("parts say another thing than the whole");
		if (!rc && (whole.n != parts.n || whole.sum != parts.sum ||
			    whole.targets != parts.targets ||
			    whole.rows != parts.rows ||
			    whole.cols != parts.cols))
			die("parts are not the whole");
	}
	check_dense(path);
	return 0;
}

#ifndef LIBFUZZER
static uint64_t state;

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static size_t insert(uint8_t *text, size_t len)
{
	static const char *const piece[] = {
		"1", "-2.5", "1e9", "nan", "inf", ",", ",,", " ", "\n", "\r\n",
		"%", "x", "0", "99999999999999999999", "1e999", "\t", "3 1\n",
		"1,2,3\n", "2 2 7\n", "general", "",
	};
	const char *p = piece[below(sizeof(piece) / sizeof(*piece))];
	size_t n = strlen(p), at = below(len + 1);

	if (len + n > TEXT_MAX)
		return len;
	memmove(text + at + n, text + at, len - at);
	memcpy(text + at, p, n);
	return len + n;
}

static size_t mutate(uint8_t *text, size_t len)
{
	for (uint64_t k = 1 + below(4); k; k--) {
		uint64_t what = below(4);

		if (what == 0 && len) {
			text[below(len)] = (uint8_t)below(256);
		} else if (what == 1 && len) {
			size_t at = below(len), n = 1 + below(len - at < 9 ? len - at : 9);

			memmove(text + at, text + at + n, len - at - n);
			len -= n;
		} else {
			len = insert(text, len);
		}
	}
	return len;
}

static size_t start_text(uint8_t *text)
{
	static const char *const good[] = {
		"a,b,y\n1,2,3\n\n-4, 5e-1 ,6\n7,8,9",
		"%%MatrixMarket matrix coordinate real general\n% c\n3 3 3\n"
		"1 1 2\n2 3 4.5\n3 1 -1\n",
		"%%MatrixMarket matrix array real general\n3 1\n1\n2\n3\n",
		"%%MatrixMarket matrix coordinate pattern general\n3 2 2\n1 1\n3 2\n",
		"# x\n1 2.5 -3\n4\t5 6\n\n7 8 9",
	};
	const char *p = good[below(5)];

	memcpy(text, p, strlen(p));
	return strlen(p);
}

static double number(const char *name, double otherwise)
{
	const char *text = getenv(name);

	return text && *text ? atof(text) : otherwise;
}

int main(void)
{
	double seconds = 3 * number("LAGOON_TEST_SCALE", 1);
	uint64_t seed = (uint64_t)number("LAGOON_TEST_SEED", 1);
	uint64_t end = lgn_now_ns() + (uint64_t)(seconds * 1e9), n = 0;
	uint8_t text[TEXT_MAX];
	size_t len = 0;

	puts("1..1");
	printf("# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	while (lgn_now_ns() < end) {
		if (n++ % 10 == 0)
			len = start_text(text);
		len = mutate(text, len);
		LLVMFuzzerTestOneInput(text, len);
	}
	printf("ok 1 - %llu mutated texts\n", (unsigned long long)n);
	return 0;
}
#endif
