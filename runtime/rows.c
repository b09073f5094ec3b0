/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows that callers name: whether a table has them, and where an element is. */
#include "runtime/base/status.h"
#include "runtime/table.h"

int lgn_table_check_rows(const struct lagoon_table *t, uint64_t row, uint64_t n)
{
	if (lgn_likely(row <= t->layout.rows && n <= t->layout.rows - row))
		return 0;
	return lgn_fail(LAGOON_EINVAL, "table %s: rows %llu to %llu of %llu",
			t->name, (unsigned long long)row,
			(unsigned long long)(row + n - 1),
			(unsigned long long)t->layout.rows);
}

LGN_CLONES static bool all_below(const uint64_t *x, uint64_t n, uint64_t limit)
{
	uint64_t beyond = 0;

	for (uint64_t i = 0; i < n; i++)
		beyond |= x[i] >= limit;
	return !beyond;
}

int lgn_table_check_list(const struct lagoon_table *t, const uint64_t *rows,
			 uint64_t n)
{
	uint64_t most = 0;

	if (lgn_likely(all_below(rows, n, t->layout.rows)))
		return 0;
	for (uint64_t i = 0; i < n; i++)
		most = rows[i] > most ? rows[i] : most;
	return lgn_fail(LAGOON_EINVAL, "table %s: row %llu of %llu", t->name,
			(unsigned long long)most,
			(unsigned long long)t->layout.rows);
}

void lgn_table_locate(const struct lagoon_table *t, uint64_t page,
		      uint64_t element, uint64_t *row, uint32_t *col)
{
	*row = (page << t->layout.page_shift) + element / t->attr.cols;
	*col = (uint32_t)(element % t->attr.cols);
}
