/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * As much of Criterion as our unit tests use, for builds in which Criterion
 * itself does not start (ThreadSanitizer: "could not initialize inheritable
 * arena"). Each test is a process of its own; the output is TAP. Its main()
 * is in shim.c.
 */
#ifndef TEST_SHIM_CRITERION_H
#define TEST_SHIM_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shim_options {
	void (*init)(void);
	void (*fini)(void);
	double timeout;		/* [s]; 0: none of its own */
	bool disabled;
	const char *description;
};

struct criterion_test_params {
	size_t size;		/* bytes of one */
	void *params;
	size_t length;
};

struct shim_test {
	const char *suite;
	const char *name;	/* NULL: options of the suite */
	struct shim_options options;
	void (*body)(void);
	void (*body_with)(void *param);
	struct criterion_test_params (*params)(void);
	struct shim_test *next;
};

void shim_register(struct shim_test *test);

/* One sentence, the reader's own words behind it; the test has failed. */
void shim_fail(const char *file, int line, const char *what, const char *fmt,
	       ...) __attribute__((format(printf, 4, 5)));
_Noreturn void shim_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
void shim_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define SHIM_REGISTER(Id, ...) \
	__attribute__((constructor)) static void Id##_register(void) \
	{ \
		static struct shim_test test = { __VA_ARGS__ }; \
		shim_register(&test); \
	}

#define Test(Suite, Name, ...) \
	static void Suite##_##Name##_body(void); \
	SHIM_REGISTER(Suite##_##Name, .suite = #Suite, .name = #Name, \
		      .body = Suite##_##Name##_body, \
		      .options = { .timeout = 0, __VA_ARGS__ }) \
	static void Suite##_##Name##_body(void)

#define TestSuite(Suite, ...) \
	SHIM_REGISTER(Suite##_suite, .suite = #Suite, \
		      .options = { .timeout = 0, __VA_ARGS__ }) \
	struct shim_test

#define SHIM_CHECK(Ok, End, What, ...) \
	do { \
		if (!(Ok)) { \
			shim_fail(__FILE__, __LINE__, What, "" __VA_ARGS__); \
			End; \
		} \
	} while (0)
#define SHIM_ASSERT(Ok, What, ...) SHIM_CHECK(Ok, exit(1), What, __VA_ARGS__)
#define SHIM_EXPECT(Ok, What, ...) SHIM_CHECK(Ok, (void)0, What, __VA_ARGS__)

#define cr_assert(C, ...) SHIM_ASSERT(C, #C, __VA_ARGS__)
#define cr_assert_not(C, ...) SHIM_ASSERT(!(C), "not " #C, __VA_ARGS__)
#define cr_assert_fail(...) SHIM_ASSERT(false, "fail", __VA_ARGS__)
#define cr_assert_eq(A, B, ...) SHIM_ASSERT((A) == (B), #A " == " #B, __VA_ARGS__)
#define cr_assert_neq(A, B, ...) SHIM_ASSERT((A) != (B), #A " != " #B, __VA_ARGS__)
#define cr_assert_lt(A, B, ...) SHIM_ASSERT((A) < (B), #A " < " #B, __VA_ARGS__)
#define cr_assert_gt(A, B, ...) SHIM_ASSERT((A) > (B), #A " > " #B, __VA_ARGS__)
#define cr_assert_leq(A, B, ...) SHIM_ASSERT((A) <= (B), #A " <= " #B, __VA_ARGS__)
#define cr_assert_geq(A, B, ...) SHIM_ASSERT((A) >= (B), #A " >= " #B, __VA_ARGS__)
#define cr_assert_null(A, ...) SHIM_ASSERT(!(A), #A " is NULL", __VA_ARGS__)
#define cr_assert_not_null(A, ...) SHIM_ASSERT((A), #A " is not NULL", __VA_ARGS__)
#define cr_assert_str_eq(A, B, ...) \
	SHIM_ASSERT(!strcmp(A, B), #A " is " #B, __VA_ARGS__)
#define cr_assert_arr_eq(A, B, Size, ...) \
	SHIM_ASSERT(!memcmp(A, B, Size), #A " is " #B, __VA_ARGS__)
#define cr_expect(C, ...) SHIM_EXPECT(C, #C, __VA_ARGS__)
#define cr_expect_not(C, ...) SHIM_EXPECT(!(C), "not " #C, __VA_ARGS__)
#define cr_expect_eq(A, B, ...) SHIM_EXPECT((A) == (B), #A " == " #B, __VA_ARGS__)
#define cr_expect_neq(A, B, ...) SHIM_EXPECT((A) != (B), #A " != " #B, __VA_ARGS__)
#define cr_expect_lt(A, B, ...) SHIM_EXPECT((A) < (B), #A " < " #B, __VA_ARGS__)
#define cr_expect_gt(A, B, ...) SHIM_EXPECT((A) > (B), #A " > " #B, __VA_ARGS__)
#define cr_expect_leq(A, B, ...) SHIM_EXPECT((A) <= (B), #A " <= " #B, __VA_ARGS__)
#define cr_expect_geq(A, B, ...) SHIM_EXPECT((A) >= (B), #A " >= " #B, __VA_ARGS__)
#define cr_expect_str_eq(A, B, ...) \
	SHIM_EXPECT(!strcmp(A, B), #A " is " #B, __VA_ARGS__)
#define cr_skip(...) shim_skip("" __VA_ARGS__)
#define cr_skip_test(...) shim_skip("" __VA_ARGS__)
#define cr_log_info(...) shim_note(__VA_ARGS__)

#endif
