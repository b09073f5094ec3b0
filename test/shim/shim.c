/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/shim/criterion/criterion.h"

enum { SKIPPED = 77 };

static struct shim_test *tests;
static bool failed;

void shim_register(struct shim_test *test)
{
	struct shim_test **end = &tests;

	while (*end)
		end = &(*end)->next;
	*end = test;
}

void shim_fail(const char *file, int line, const char *what, const char *fmt,
	       ...)
{
	va_list ap;

	failed = true;
	printf("# %s:%d: %s ", file, line, what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

void shim_skip(const char *fmt, ...)
{
	va_list ap;

	printf("# skipped: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(SKIPPED);
}

void shim_note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static const struct shim_options *suite_options(const char *suite)
{
	static const struct shim_options none;

	for (struct shim_test *t = tests; t; t = t->next)
		if (!t->name && !strcmp(t->suite, suite))
			return &t->options;
	return &none;
}

/* In the test's own process. */
static void body(const struct shim_test *t, void *param)
{
	const struct shim_options *s = suite_options(t->suite);
	double limit = t->options.timeout ? t->options.timeout : s->timeout;

	alarm(limit ? (unsigned)(10 * limit) + 1 : 200);
	if (s->init)
		s->init();
	if (t->options.init)
		t->options.init();
	if (t->body)
		t->body();
	else
		t->body_with(param);
	if (t->options.fini)
		t->options.fini();
	if (s->fini)
		s->fini();
	exit(failed);
}

static int run(const struct shim_test *t, void *param, int number)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		body(t, param);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		status = 1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
		printf("ok %d - %s::%s # SKIP\n", number, t->suite, t->name);
		return 0;
	}
	printf("%s %d - %s::%s (status %x)\n", status ? "not ok" : "ok", number,
	       t->suite, t->name, (unsigned)status);
	return status != 0;
}

int main(void)
{
	int n = 0, bad = 0;

	for (struct shim_test *t = tests; t; t = t->next) {
		struct criterion_test_params p = { 0, NULL, 1 };

		if (!t->name || t->options.disabled)
			continue;
		if (t->params)
			p = t->params();
		for (size_t i = 0; i < p.length; i++)
			bad |= run(t, (char *)p.params + i * p.size, ++n);
	}
	printf("1..%d\n", n);
	return bad;
}
