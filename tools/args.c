/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lagoon_solve.h"
#include "runtime/base/attr.h"
#include "tools/args.h"

/* argp_failure() and not argp_error(): one sentence, no "Try --help". */

uint64_t args_count(struct argp_state *state, const char *name,
		    const char *text, uint64_t min, uint64_t max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || n < min || n > max)
		argp_failure(state, argp_err_exit_status, 0,
			     "%s is \"%s\": expected an integer from %llu to %llu",
			     name, text, (unsigned long long)min,
			     (unsigned long long)max);
	return n;
}

int args_int(struct argp_state *state, const char *name, const char *text,
	     int min, int max)
{
	return (int)args_count(state, name, text, (uint64_t)min, (uint64_t)max);
}

double args_number(struct argp_state *state, const char *name,
		   const char *text, int may_be_zero)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || *end || !isfinite(x) || x < 0 ||
	    (!may_be_zero && x <= 0))
		argp_failure(state, argp_err_exit_status, 0,
			     "%s is \"%s\": expected a number %s", name, text,
			     may_be_zero ? "of 0 or more" : "above 0");
	return x;
}

int args_choice(struct argp_state *state, const char *name, const char *text,
		const char *const *names, int n, const char *expected)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(text, names[i]))
			return i;
	argp_failure(state, argp_err_exit_status, 0,
		     "%s is \"%s\": expected %s", name, text, expected);
	return 0;
}

int args_format(struct argp_state *state, const char *text)
{
	static const char *const names[] = {
		[LAGOON_FILE_LIBSVM] = "libsvm", [LAGOON_FILE_CSV] = "csv",
		[LAGOON_FILE_MATRIX] = "matrix",
	};

	return args_choice(state, "--format", text, names,
			   (int)LGN_COUNT(names), "libsvm, csv or matrix");
}
