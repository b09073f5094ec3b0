/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "kernels/data/entries.h"
#include "runtime/base/status.h"

static int grow(void *array, size_t n, size_t size)
{
	void *p = realloc(*(void **)array, n * size);

	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu entries", n);
	memcpy(array, &p, sizeof(p));
	return 0;
}

static size_t room_for(size_t room, size_t n)
{
	return n > 2 * room ? n : 2 * room;
}

int lgn_entries_reserve(struct lgn_entries *e, size_t n, size_t targets)
{
	int rc = 0;

	if (e->n + n > e->room || !e->room) {
		size_t room = room_for(e->room, e->n + n + 1);

		rc = grow(&e->row, room, sizeof(*e->row));
		if (!rc)
			rc = grow(&e->col, room, sizeof(*e->col));
		if (!rc)
			rc = grow(&e->val, room, sizeof(*e->val));
		if (!rc)
			e->room = room;
	}
	if (!rc && (e->n_targets + targets > e->target_room ||
		    !e->target_room)) {
		size_t room = room_for(e->target_room,
				       e->n_targets + targets + 1);

		rc = grow(&e->target_row, room, sizeof(*e->target_row));
		if (!rc)
			rc = grow(&e->target, room, sizeof(*e->target));
		if (!rc)
			e->target_room = room;
	}
	return rc;
}

void lgn_entries_free(struct lgn_entries *e)
{
	free(e->row);
	free(e->col);
	free(e->val);
	free(e->target_row);
	free(e->target);
	memset(e, 0, sizeof(*e));
}
