/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/solve/given.h"
#include "runtime/base/status.h"

static struct lagoon_table_attr attr_of(const struct lagoon_table *t)
{
	struct lagoon_table_attr attr;

	lagoon_table_attr_init(&attr);
	lagoon_table_get_attr(t, &attr);
	return attr;
}

static bool assigns(const struct lagoon_table_attr *attr)
{
	return attr->push == LAGOON_PUSH_APPLY && attr->update &&
		!strcmp(attr->update, "assign");
}

static bool adds(const struct lagoon_table_attr *attr)
{
	return attr->push == LAGOON_PUSH_ATOMIC || !attr->update ||
		!strcmp(attr->update, "add");
}

int lgn_given_check(const struct lagoon_table *t, uint64_t rows, uint32_t cols)
{
	struct lagoon_table_attr attr;

	if (!t)
		return 0;
	attr = attr_of(t);
	if (attr.rows < rows || attr.cols != cols)
		return lgn_fail(LAGOON_EINVAL, "table of weights: it has %llu "
				"rows of %lu: expected at least %llu, one a "
				"column of the data, of %lu",
				(unsigned long long)attr.rows,
				(unsigned long)attr.cols,
				(unsigned long long)rows, (unsigned long)cols);
	if (attr.type != LAGOON_F64)
		return lgn_fail(LAGOON_EINVAL, "table of weights: its type is "
				"%d: expected LAGOON_F64", attr.type);
	if (!adds(&attr) && !assigns(&attr))
		return lgn_fail(LAGOON_EINVAL, "table of weights: its update "
				"function is \"%s\": expected add or assign",
				attr.update);
	return 0;
}

int lgn_given_pull(struct lagoon_worker *w, struct lagoon_table *t,
		   uint64_t first, uint64_t n, double largest, double *weights)
{
	uint32_t cols = attr_of(t).cols;
	int rc = n ? lagoon_pull(w, t, first, n, weights) : 0;

	for (uint64_t k = 0; k < n * cols && !rc; k++)
		if (!(fabs(weights[k]) <= largest))
			rc = lgn_fail(LAGOON_ERANGE, "table of weights: row "
				      "%llu begins with %g: expected %g at most",
				      (unsigned long long)(first + k / cols),
				      weights[k], largest);
	return rc;
}

/* Where pushes are added up, the difference to what is there. */
int lgn_given_tell(struct lagoon_worker *w, struct lagoon_table *t,
		   uint64_t first, uint64_t n, const double *weights)
{
	const struct lagoon_table_attr attr = attr_of(t);
	size_t numbers = n * attr.cols;
	double *change;
	int rc;

	if (!n || assigns(&attr))
		return n ? lagoon_add(w, t, first, n, weights) : 0;
	change = malloc(numbers * sizeof(*change));
	if (!change)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu weights",
				numbers);
	rc = lagoon_pull(w, t, first, n, change);
	for (size_t k = 0; k < numbers; k++)
		change[k] = weights[k] - change[k];
	if (!rc)
		rc = lagoon_add(w, t, first, n, change);
	free(change);
	return rc;
}
