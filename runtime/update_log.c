/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "runtime/update_log.h"

enum { ROOM_FIRST = 4096 };

int lgn_log_open(struct lagoon_table *t)
{
	size_t n = (size_t)(t->lg->local_workers ? t->lg->local_workers : 1);

	if (t->apply->log)
		return 0;
	t->apply->log = aligned_alloc(LGN_CACHELINE, n * sizeof(*t->apply->log));
	if (!t->apply->log)
		return lgn_fail(LAGOON_ENOMEM, "table %s: no memory for deltas", t->name);
	memset(t->apply->log, 0, n * sizeof(*t->apply->log));
	return 0;
}

void lgn_log_close(struct lagoon_table *t)
{
	for (int i = 0; t->apply->log && i < t->lg->local_workers; i++)
		free(t->apply->log[i].bytes);
	free(t->apply->log);
	t->apply->log = NULL;
}

void lgn_log_lock(struct lgn_log *log)
{
	struct lgn_wait wait = LGN_WAIT_INIT;

	while (atomic_exchange_explicit(&log->lock, 1, memory_order_acquire))
		lgn_wait_step(&wait);
}

void lgn_log_unlock(struct lgn_log *log)
{
	atomic_store_explicit(&log->lock, 0, memory_order_release);
}

const struct lgn_logged *lgn_log_next(const struct lgn_log *log, uint64_t *at)
{
	const struct lgn_logged *e;

	if (*at >= atomic_load_explicit(&log->used, memory_order_relaxed))
		return NULL;
	e = (const void *)(log->bytes + *at);
	*at += e->bytes;
	return e;
}

void lgn_log_clear(struct lgn_log *log)
{
	atomic_store(&log->used, 0);
}

static int grow(struct lgn_log *log, uint64_t need)
{
	uint64_t room = log->room ? log->room : ROOM_FIRST;
	char *bytes;

	while (room < need)
		room *= 2;
	if (room == log->room)
		return 0;
	bytes = realloc(log->bytes, room);
	if (!bytes)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %llu bytes of deltas",
				(unsigned long long)room);
	log->bytes = bytes;
	log->room = room;
	return 0;
}

int lgn_log_add(struct lgn_apply_add *a, uint64_t row, uint64_t nrows,
		const char *in)
{
	const struct lagoon_table *t = a->t;
	struct lgn_log *log = &t->apply->log[a->w->index];
	uint64_t data = nrows * t->layout.cols * t->apply->size;
	struct lgn_logged e = {
		.row = row, .nrows = nrows,
		.bytes = sizeof(e) + lgn_round_up(data, 8),
	};
	uint64_t used;
	int rc;

	lgn_log_lock(log);
	used = atomic_load_explicit(&log->used, memory_order_relaxed);
	rc = grow(log, used + e.bytes);
	if (!rc) {
		memcpy(log->bytes + used, &e, sizeof(e));
		memcpy(log->bytes + used + sizeof(e), in, data);
		atomic_store(&log->used, used + e.bytes);
	}
	lgn_log_unlock(log);
	a->over = true;		/* vap: nothing is known of what it changes */
	return rc;
}
