/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions of shared objects: those of test/plugin/, of examples/, and the
 * one in lagoon_update(7). What processes compare of them. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "runtime/update.h"
#include "test/support/temp.h"

#define FITS "./test/plugin/fits.so"

TestSuite(update_object, .timeout = 60);

static struct lgn_update opened(const char *text, int type)
{
	struct lgn_update u;

	cr_assert_eq(lgn_update_open(text, type, &u), 0, "%s", lagoon_errmsg());
	return u;
}

Test(update_object, is_called_with_all_that_it_declares)
{
	struct lgn_update u = opened(FITS ":counted,pushes=50,scale=3", LAGOON_F64);
	double value[3] = { 0 }, first[3] = { 0 }, left[3] = { 0 };
	double delta[3] = { 1, 2, 3 }, copy[3];
	void *state[] = { first, left };

	cr_assert_eq(u.combine, LAGOON_COMBINE_SUM);
	cr_assert_eq(lgn_update_init(&u, 3, value, state), 0);
	cr_assert(value[2] == -1 && left[0] == 50 && first[0] == 0);
	cr_assert(lgn_update_views(&u));
	memcpy(copy, value, sizeof(copy));
	lgn_update_view(&u, 3, copy, delta);
	cr_assert(copy[0] == 2 && copy[1] == 5 && copy[2] == 8);
	cr_assert(value[0] == -1 && left[0] == 50);
	state[1] = left + 1;
	cr_assert_eq(lgn_update_apply(&u, 2, value + 1, delta + 1, state), 0);
	cr_assert(value[0] == -1 && value[1] == 5 && value[2] == 8);
	cr_assert(left[0] == 50 && left[1] == 49 && left[2] == 49);
	lgn_update_close(&u);

	u = opened(FITS ":counted,combine=max", LAGOON_F64);
	cr_assert_eq(u.combine, LAGOON_COMBINE_MAX);
	cr_assert(u.param[0] == 2 && u.param[1] == 100);
	lgn_update_combine(&u, 3, delta, (double[]){ 0, 7, 1 });
	cr_assert(delta[0] == 1 && delta[1] == 7 && delta[2] == 3);
	lgn_update_close(&u);
	u = opened(FITS ":counted,combine=none", LAGOON_F64);
	cr_assert_not(lgn_update_views(&u));
	lgn_update_close(&u);
}

Test(update_object, a_failed_call_is_an_error_that_names_it)
{
	static const struct { const char *text; int status; } failing[] = {
		{ FITS ":failing", LAGOON_EINVAL },
		{ FITS ":failing,code=-10", LAGOON_ERANGE },
		{ FITS ":failing,code=-999", LAGOON_EINVAL },
	};
	double x = 0, d = 1;

	for (size_t k = 0; k < LGN_COUNT(failing); k++) {
		struct lgn_update u = opened(failing[k].text, LAGOON_F64);

		cr_assert_eq(lgn_update_apply(&u, 1, &x, &d, NULL),
			     failing[k].status);
		cr_assert(strstr(lagoon_errmsg(), "function failing: apply failed"));
		cr_assert_eq(lgn_update_init(&u, 1, &x, NULL), failing[k].status);
		cr_assert(strstr(lagoon_errmsg(), "function failing: init failed"));
		/* nothing to do is not a call */
		cr_assert_eq(lgn_update_apply(&u, 0, &x, &d, NULL), 0);
		cr_assert_eq(lgn_update_init(&u, 0, &x, NULL), 0);
		lgn_update_close(&u);
	}
}

/* examples/rmsprop.c against its equation. */
static void rmsprop(int type, double tolerance)
{
	struct lgn_update u = opened("./examples/rmsprop.so:rmsprop,rate=0.01", type);
	union { double d; float f; } w = { 0 }, s = { 0 }, g = { 0 };
	long double want = 0, square = 0;

	cr_assert_eq(u.combine, LAGOON_COMBINE_NONE);
	for (int t = 1; t <= 300; t++) {
		double x = sin(t);

		if (type == LAGOON_F64)
			g.d = x;
		else
			g.f = (float)x;
		square = 0.9L * square + 0.1L * (long double)x * x;
		want -= 0.01L * x / (sqrtl(square) + 1e-8L);
		cr_assert_eq(lgn_update_apply(&u, 1, &w, &g, (void *[]){ &s }), 0);
		x = type == LAGOON_F64 ? w.d : (double)w.f;
		cr_assert(fabs(x - (double)want) <= tolerance, "step %d", t);
	}
	lgn_update_close(&u);
}

Test(update_object, the_example_does_what_it_says)
{
	rmsprop(LAGOON_F64, 1e-13);
	rmsprop(LAGOON_F32, 1e-6);
}

Test(update_object, the_manual_s_example_works)
{
	struct lgn_update u = opened("./test/plugin/manual.so:clip,rate=0.5,limit=3", LAGOON_F64);
	double w[] = { 1, 1, 1, 1 }, g[] = { 1, -2, 8, -8 };

	cr_assert_eq(lgn_update_apply(&u, 4, w, g, NULL), 0);
	cr_assert(w[0] == 0.5 && w[1] == 2 && w[2] == -0.5 && w[3] == 2.5);
	lgn_update_close(&u);
}

static uint64_t digest_of(const char *text, int type)
{
	struct lgn_update u = opened(text, type);
	uint64_t digest = u.digest;

	lgn_update_close(&u);
	return digest;
}

/* Ways to write the same, and things that are not the same. */
Test(update_object, digests_are_of_what_is_done)
{
	static const char *const different[] = {
		"add", "assign", "min", "max", "min,initial=0", "adam",
		"adam,rate=0.01", "adam,beta1=0.8", "adam,combine=sum",
		"momentum,rate=0.1", "nesterov,rate=0.1", FITS ":counted",
		FITS ":counted,scale=1", FITS ":again", FITS ":counted,combine=none",
	};
	uint64_t seen[2 * LGN_COUNT(different)];
	size_t n = 0;

	cr_assert_eq(digest_of(NULL, LAGOON_F64), digest_of("add", LAGOON_F64));
	cr_assert_eq(digest_of("", LAGOON_F64), digest_of("add", LAGOON_F64));
	cr_assert_eq(digest_of("adam,beta2=999e-3,rate=0.001", LAGOON_F32),
		     digest_of("adam,combine=none", LAGOON_F32));
	for (size_t k = 0; k < LGN_COUNT(different); k++)
		seen[n++] = digest_of(different[k], LAGOON_F64);
	seen[n++] = digest_of("add", LAGOON_F32);
	seen[n++] = digest_of("adam", LAGOON_F32);
	for (size_t k = 0; k < n; k++)
		for (size_t l = 0; l < k; l++)
			cr_assert_neq(seen[k], seen[l], "%zu and %zu", k, l);
}

static void copy_file(const char *from, const char *to, bool longer)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	int c;

	cr_assert(in && out);
	while ((c = getc(in)) != EOF)
		putc(c, out);
	if (longer)
		putc(0, out);
	cr_assert_eq(fclose(in) | fclose(out), 0);
}

/* Copies on the disks of several nodes are the same; an older one is not. */
Test(update_object, digests_are_of_bytes_wherever_they_are)
{
	char folder[TEMP_PATH], file[TEMP_PATH + 16], text[TEMP_PATH + 32];
	char *here = realpath(FITS, NULL), absolute[4096];
	uint64_t want = digest_of(FITS ":counted", LAGOON_F64);

	cr_assert(here && temp_folder(folder));
	snprintf(file, sizeof(file), "%s/copy.so", folder);
	snprintf(text, sizeof(text), "%s:counted", file);
	if (strlen(here) + 9 <= LGN_UPDATE_TEXT_MAX && !strchr(here, ',')) {
		snprintf(absolute, sizeof(absolute), "%s:counted", here);
		cr_expect_eq(digest_of(absolute, LAGOON_F64), want);
	}
	copy_file(FITS, file, false);
	cr_expect_eq(digest_of(text, LAGOON_F64), want);
	copy_file(FITS, file, true);
	cr_expect_neq(digest_of(text, LAGOON_F64), want);
	unlink(file);
	rmdir(folder);
	free(here);
}
