/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mutated LIBSVM texts through the reader, whole and in parts. A text is
 * refused with a sentence, or gives rows that hold together and are the same
 * in parts; nothing else happens (build with --enable-sanitizers). Runs for
 * 3 s times LAGOON_TEST_SCALE from LAGOON_TEST_SEED on. With
 *
 *	clang -DLIBFUZZER -fsanitize=fuzzer,address
 *
 * the same check is a target of libFuzzer.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/data/libsvm.h"
#include "runtime/base/wait.h"
#include "runtime/lagoon.h"

enum { TEXT_MAX = 4096 };

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

static void check_data(const struct lgn_libsvm *d)
{
	if (d->start[0] != 0)
		die("rows do not start at 0");
	for (size_t i = 0; i < d->rows; i++) {
		if (d->start[i + 1] < d->start[i])
			die("rows overlap");
		if (!isfinite(d->label[i]))
			die("a label is not finite");
		for (size_t k = d->start[i]; k < d->start[i + 1]; k++)
			if (!isfinite(d->val[k]) || d->col[k] >= d->cols ||
			    (k > d->start[i] && d->col[k] <= d->col[k - 1]))
				die("an entry is wrong");
	}
}

/* The rows of the part, or -1 when it was refused. */
static long read_part(const char *path, int part, int parts, int zero_based,
		      struct lgn_labels *labels)
{
	const struct lgn_libsvm_range range = { part, parts, zero_based };
	struct lgn_libsvm d;
	int rc = lgn_libsvm_read(path, &range, &d);
	long rows;

	if (rc) {
		if (rc != LAGOON_EINVAL || !strstr(lagoon_errmsg(), path))
			die("refused without the file");
		return -1;
	}
	check_data(&d);
	rows = (long)d.rows;
	if (lgn_labels_merge(path, &d.labels, labels))
		rows = -1;
	lgn_libsvm_free(&d);
	return rows;
}

static void check_text(const char *path, int zero_based)
{
	struct lgn_labels labels = { 0 };
	long whole = read_part(path, 0, 1, zero_based, &labels);

	for (int parts = 2; parts <= 7; parts++) {
		long sum = 0;

		memset(&labels, 0, sizeof(labels));
		for (int k = 0; k < parts; k++) {
			long rows = read_part(path, k, parts, zero_based,
					      &labels);

			sum = rows < 0 || sum < 0 ? -1 : sum + rows;
		}
		if (sum != whole)
			die("parts and whole differ");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memfd_create("libsvm", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	current = data;
	current_len = size;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	check_text(path, 0);
	check_text(path, 1);
	close(fd);
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

static const char *const piece[] = {
	"1 ", "-1 ", "+1 1:1\n", "-1 2:0.5 7:-3e2\n", ":", " ", "\n", "\r\n",
	"#", "# x\n", "qid:", "qid:3 ", "0:1", "1:1 ", "2147483648:1 ",
	"2147483649:1", "nan", "inf", "-", "+", ".", "e", "1e999", "1e-999",
	"123456789012345678901234567890", "0.00000000000000000000000001", "\t",
	"0x1p3", "3:4", "99:", "\x00\x01", "1.5 ", "5:1e22 ", "6:1e23 ",
};

static size_t insert(uint8_t *text, size_t len)
{
	const char *p = piece[below(sizeof(piece) / sizeof(*piece))];
	size_t n = *p ? strlen(p) : 2, at = below(len + 1);

	if (len + n > TEXT_MAX)
		return len;
	memmove(text + at + n, text + at, len - at);
	memcpy(text + at, p, n);
	return len + n;
}

static size_t drop(uint8_t *text, size_t len)
{
	size_t at, n;

	if (!len)
		return 0;
	at = below(len);
	n = 1 + below(len - at < 9 ? len - at : 9);
	memmove(text + at, text + at + n, len - at - n);
	return len - n;
}

static size_t mutate(uint8_t *text, size_t len)
{
	for (uint64_t k = 1 + below(6); k; k--) {
		uint64_t what = below(8);

		if (what == 0 && len)
			text[below(len)] = (uint8_t)below(256);
		else if (what < 3)
			len = drop(text, len);
		else
			len = insert(text, len);
	}
	return len;
}

static size_t start_text(uint8_t *text)
{
	static const char good[] = "+1 1:1 3:0.25\n-1 2:-1.5e-3\n# c\n\n"
				   "-1 qid:4 1:7 9:12345.678\n+1\n";
	size_t len = sizeof(good) - 1;

	memcpy(text, good, len);
	return len;
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
		if (n++ % 50 == 0)
			len = start_text(text);
		len = mutate(text, len);
		LLVMFuzzerTestOneInput(text, len);
	}
	printf("ok 1 - %llu mutated texts\n", (unsigned long long)n);
	return 0;
}
#endif
