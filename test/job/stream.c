/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows that stay in their file: under bsp each method that can do it finds, bit
 * for bit, what it finds with the rows in memory in the same order; from LIBSVM
 * and CSV, with blocks of every size; and with less room than the file has
 * bytes, where rows in memory do not fit. What is not legal is refused with file
 * and line.
 */
/* launch: -n 1 */
/* launch: -n 3 --nodes 1 */
/* launch: -n 2 --nodes 2 */
/* launch: -n 1 -- large */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/lagoon_solve.h"
#include "test/support/temp.h"
#include "test/support/test.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { PATH = TEMP_PATH + 8 };

static char libsvm[PATH], csv[PATH], test[PATH], bad[PATH], gzip[PATH],
	junk[PATH];

/* ---------------------------------------------------------------- files */

static void name_files(void)
{
	const char *job = getenv("PMIX_NAMESPACE");
	char name[64], base[TEMP_PATH];

	snprintf(name, sizeof(name), "lagoon-stream-%.40s", job ? job : "alone");
	for (char *p = name; *p; p++)
		*p = *p == '/' ? '_' : *p;
	T_CHECK(temp_name(base, name), "TMPDIR is too long");
	snprintf(libsvm, sizeof(libsvm), "%s.libsvm", base);
	snprintf(test, sizeof(test), "%s.t", base);
	snprintf(csv, sizeof(csv), "%s.csv", base);
	snprintf(bad, sizeof(bad), "%s.bad", base);
	snprintf(gzip, sizeof(gzip), "%s.csv.gz", base);
	snprintf(junk, sizeof(junk), "%s.junk", base);
}

static void generate(const char *path, uint64_t rows, uint64_t cols,
		     uint32_t nnz)
{
	struct lagoon_generate_options o;

	lagoon_generate_options_init(&o);
	o.rows = rows;
	o.cols = cols;
	o.nnz = nnz;
	t_ok(lagoon_generate_logistic(path, NULL, &o), "lagoon_generate_logistic()");
}

/* Three labels, a header, blank lines. */
static void write_csv(const char *path)
{
	struct t_rng rng = { 11 };
	FILE *f = fopen(path, "w");

	T_CHECK(f, "no file of rows");
	fputs("\na,b,c,d,label\n", f);
	for (int i = 0; i < 700; i++) {
		int y = (int)t_below(&rng, 3);

		for (int j = 0; j < 4; j++)
			fprintf(f, "%d,", t_once_in(&rng, 3) ? 0 :
				(int)t_below(&rng, 9) - 4 + (j == y));
		fprintf(f, "%d\n%s", 2 * y, i % 50 ? "" : "\n");
	}
	T_CHECK(!fclose(f), "no file of rows");
}

static void compress(const char *from, const char *to)
{
	char command[2 * PATH + 40];

	snprintf(command, sizeof(command), "gzip -c '%s' >'%s'", from, to);
	T_CHECK(!system(command), "gzip failed");
}

static void make_files(bool large)
{
	FILE *f;

	if (large) {
		generate(libsvm, 90000, 2000, 50);
		return;
	}
	generate(libsvm, 1500, 120, 9);
	generate(test, 200, 130, 9);
	write_csv(csv);
	f = fopen(bad, "w");
	T_CHECK(f, "no file of rows");
	for (int i = 0; i < 300; i++)
		fprintf(f, "%d 1:%d 7:2\n", i % 2, i + 1);
	fputs("1 3:1 3:2\n0 1:1\n", f);
	T_CHECK(!fclose(f), "no file of rows");
	compress(csv, gzip);
	f = fopen(junk, "w");
	T_CHECK(f && fputs("\x1f\x8b ...", f) >= 0 && !fclose(f),
		"no file of rows");
}

static void remove_files(void)
{
	unlink(libsvm);
	unlink(test);
	unlink(csv);
	unlink(bad);
	unlink(gzip);
	unlink(junk);
}

/* ----------------------------------------------------------------- fits */

static struct lagoon_linear_options options_of(int method, int loss)
{
	struct lagoon_linear_options o;

	lagoon_linear_options_init(&o);
	o.method = method;
	o.loss = loss;
	o.model = LAGOON_BSP;
	o.epochs = 3;
	o.tolerance = 0;
	o.in_order = 1;
	return o;
}

static void check_same(struct lagoon *lg, const struct lagoon_linear_result *a,
		       const struct lagoon_linear_result *b)
{
	T_CHECK(a->rows == b->rows && a->entries == b->entries &&
		a->features == b->features && a->test_rows == b->test_rows &&
		a->classes == b->classes && a->outputs == b->outputs, "other rows");
	T_CHECK(!memcmp(&a->objective, &b->objective, sizeof(a->objective)), "objective %.17g in memory, %.17g streamed",
		a->objective, b->objective);
	T_CHECK(!memcmp(&a->accuracy, &b->accuracy, sizeof(a->accuracy)) &&
		!memcmp(&a->test_accuracy, &b->test_accuracy,
			sizeof(a->accuracy)), "another accuracy");
	if (!lagoon_rank(lg))
		T_CHECK(!memcmp(a->weights, b->weights, a->features *
				(size_t)a->outputs * sizeof(*a->weights)), "other weights");
}

/* A job for each: the rounding of a table depends on which one it is. */
static struct lagoon *job(void)
{
	struct lagoon_attr attr;

	if (t_lg)
		t_close();
	t_ok(lagoon_attr_init(&attr), "lagoon_attr_init()");
	attr.workers = 2;
	t_open(&attr, NULL);
	return t_lg;
}

static void compare(const char *data, const char *held_out,
		    struct lagoon_linear_options o)
{
	struct lagoon_linear_result in_memory = { .size = sizeof(in_memory) };
	struct lagoon_linear_result streamed = { .size = sizeof(streamed) };

	t_ok(lagoon_linear_fit_file(job(), data, held_out, &o, &in_memory),
	     "rows in memory");
	o.stream = 1;
	t_ok(lagoon_linear_fit_file(job(), data, held_out, &o, &streamed),
	     "rows streamed");
	check_same(t_lg, &in_memory, &streamed);
	T_CHECK(streamed.epochs == o.epochs && streamed.nonzeros,
		"nothing learned");
	lagoon_linear_result_free(&in_memory);
	lagoon_linear_result_free(&streamed);
}

static void same_as_in_memory(void)
{
	static const int methods[] = {
		LAGOON_LINEAR_SGD, LAGOON_LINEAR_ADAGRAD,
		LAGOON_LINEAR_DOWNPOUR, LAGOON_LINEAR_FTRL,
	};
	static const uint64_t batches[] = { 0, 1000000, 7 };

	for (int i = 0; i < 4; i++) {
		struct lagoon_linear_options o =
			options_of(methods[i], LAGOON_LINEAR_LOGISTIC);

		o.batch = batches[i % 3];
		compare(libsvm, test, o);
		o.loss = LAGOON_LINEAR_SOFTMAX;
		o.batch = batches[(i + 1) % 3];
		compare(i ? csv : gzip, NULL, o);
	}
}

static void refuse_with(int method, const char *data, int code,
			const char *text)
{
	struct lagoon_linear_options o = options_of(method,
						    LAGOON_LINEAR_LOGISTIC);
	struct lagoon_linear_result r = { .size = sizeof(r) };
	int rc;

	o.stream = 1;
	rc = lagoon_linear_fit_file(t_lg, data, NULL, &o, &r);
	T_CHECK(rc == code && strstr(lagoon_errmsg(), text),
		"%d, \"%s\": expected %d, \"%s\"", rc, lagoon_errmsg(), code,
		text);
}

static void refuse(const char *data, int code, const char *text)
{
	refuse_with(LAGOON_LINEAR_SGD, data, code, text);
}

/* ---------------------------------------------------------------- large */

/* Room for so many bytes more than there are now. */
static void limit_memory(size_t bytes)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;
	struct rlimit limit;

	T_CHECK(f && fscanf(f, "%lu", &pages) == 1, "no /proc/self/statm");
	fclose(f);
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = bytes == (size_t)-1 ? limit.rlim_max :
		pages * (size_t)sysconf(_SC_PAGESIZE) + bytes;
	T_CHECK(!setrlimit(RLIMIT_AS, &limit), "no limit");
}

static void less_room_than_rows(void)
{
	struct lagoon_linear_options o =
		options_of(LAGOON_LINEAR_ADAGRAD, LAGOON_LINEAR_LOGISTIC);
	struct lagoon_linear_result in_memory = { .size = sizeof(in_memory) };
	struct lagoon_linear_result streamed = { .size = sizeof(streamed) };
	struct stat st;
	size_t room;

	o.epochs = 2;
	T_CHECK(!stat(libsvm, &st), "no file of rows");
	room = (size_t)st.st_size * 3 / 4;	/* with stacks and tables */
	t_ok(lagoon_linear_fit_file(job(), libsvm, NULL, &o, &in_memory),
	     "rows in memory");
	job();
	limit_memory(room);
	o.stream = 1;
	t_ok(lagoon_linear_fit_file(t_lg, libsvm, NULL, &o, &streamed),
	     "rows streamed");
	check_same(t_lg, &in_memory, &streamed);
	o.stream = 0;
	lagoon_linear_result_free(&streamed);
	T_CHECK(lagoon_linear_fit_file(t_lg, libsvm, NULL, &o, &streamed) < 0,
		"the rows fit in memory: there is no limit");
	limit_memory((size_t)-1);
	printf("# %ld bytes of rows in %zu more bytes\n", (long)st.st_size,
	       room);
	lagoon_linear_result_free(&in_memory);
}

int main(int argc, char **argv)
{
	bool large = argc > 1 && !strcmp(argv[1], "large");

	t_begin("stream", 0);
	if (large && SANITIZED)
		return T_SKIP;
	name_files();
	if (t_rank() <= 0)
		make_files(large);
	if (large) {
		less_room_than_rows();
	} else {
		same_as_in_memory();
		refuse(bad, LAGOON_EINVAL, "bad: line 301: index 3 after 3");
		refuse_with(LAGOON_LINEAR_SDCA, libsvm, LAGOON_ENOTSUP,
			    "it cannot stream");
		refuse(junk, LAGOON_EINVAL, "junk: cannot inflate");
		refuse("/nowhere", LAGOON_ENOENT, "nowhere: cannot open");
	}
	t_close();
	if (t_rank() <= 0)
		remove_files();
	return 0;
}
