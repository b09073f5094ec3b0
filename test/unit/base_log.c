/* SPDX-License-Identifier: BSD-3-Clause */
/* The log: levels, the form of a line, one write a line. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"

static int saved, from;

/* Standard error becomes a pipe until captured() is called. */
static void capture(void)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	saved = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	from = ends[0];
}

static size_t captured(char *text, size_t size)
{
	ssize_t n;

	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(from, text, size - 1);
	close(from);
	cr_assert_geq(n, 0);
	text[n] = '\0';
	return (size_t)n;
}

static void say_all(void)
{
	lgn_log(LGN_ERROR, "e%d", 1);
	lgn_log(LGN_WARN, "w");
	lgn_log(LGN_INFO, "i");
	lgn_log(LGN_DEBUG, "d");
}

struct level {
	char text[8];
	char out[96];
};

#define E "lagoon[-1] error: e1\n"
#define W "lagoon[-1] warn: w\n"
#define I "lagoon[-1] info: i\n"
#define D "lagoon[-1] debug: d\n"

ParameterizedTestParameters(log, levels)
{
	static struct level level[] = {
		{ "error", E },	{ "warn", E W }, { "info", E W I },
		{ "debug", E W I D }, { "", E }, { "loud", E },
	};

	return cr_make_param_array(struct level, level, LGN_COUNT(level));
}

ParameterizedTest(struct level *level, log, levels)
{
	char text[256];

	setenv("LAGOON_LOG", level->text, 1);
	capture();
	say_all();
	captured(text, sizeof(text));
	cr_assert_str_eq(text, level->out, "LAGOON_LOG=%s", level->text);
}

Test(log, the_rank_stands_in_the_line)
{
	char text[256];

	unsetenv("LAGOON_LOG");
	lgn_status_set_rank(12);
	capture();
	lgn_log(LGN_ERROR, "here");
	captured(text, sizeof(text));
	cr_assert_str_eq(text, "lagoon[12] error: here\n");
}

Test(log, the_level_is_read_once)
{
	char text[256];

	setenv("LAGOON_LOG", "error", 1);
	capture();
	lgn_log(LGN_INFO, "before");
	setenv("LAGOON_LOG", "debug", 1);
	lgn_log(LGN_INFO, "after");
	captured(text, sizeof(text));
	cr_assert_str_eq(text, "");
}

/* Around the place where the line is full: whole, or cut and still a line. */
Test(log, long_lines_are_cut)
{
	static char long_text[2000], text[4096];

	unsetenv("LAGOON_LOG");
	for (int len = 600; len < 660; len++) {
		size_t n;

		memset(long_text, 'x', (size_t)len);
		long_text[len] = '\0';
		capture();
		lgn_log(LGN_ERROR, "%s", long_text);
		n = captured(text, sizeof(text));
		cr_assert_eq(text[n - 1], '\n', "%d bytes", len);
		cr_assert_eq(strlen(text), n, "a zero byte at %d", len);
		cr_assert_eq(strchr(text, '\n'), text + n - 1);
		cr_assert_leq(n, 640);
		cr_assert_eq(strspn(text + 18, "x"), n - 19, "%d bytes", len);
	}
}

Test(log, errno_is_kept)
{
	int full;

	unsetenv("LAGOON_LOG");
	full = open("/dev/full", O_WRONLY);
	cr_assert_geq(full, 0);
	saved = dup(STDERR_FILENO);
	dup2(full, STDERR_FILENO);
	errno = EDOM;
	lgn_log(LGN_ERROR, "nobody reads this");
	full = errno;
	dup2(saved, STDERR_FILENO);
	cr_assert_eq(full, EDOM);
}
