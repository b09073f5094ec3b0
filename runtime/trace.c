/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/env.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/trace.h"

enum {
	ROOM = 1 << 18,			/* events of a lane: 8 MiB */
	ROOM_MIN = 1024,
	PART_BYTES = 256 << 20,		/* of a process, about, at most */
};

/* What a process says when the trace begins. */
struct moment {
	int32_t status;
	uint64_t now;
	uint64_t nonce;
};
_Static_assert(sizeof(struct moment) <= LGN_SAID_BYTES, "one slot");

static _Thread_local struct lagoon_worker *here;
static _Thread_local uint64_t here_since;

static struct lgn_trace_lane *lane(const struct lgn_trace *trace, int i)
{
	return (struct lgn_trace_lane *)((char *)trace->part + LGN_TRACE_HEAD +
		(uint64_t)i * lgn_trace_lane_bytes(trace->part->room));
}

static int cannot(const char *path, const char *what, int err)
{
	return lgn_fail(LAGOON_EIO, "LAGOON_TRACE: %s: cannot %s: %s", path, what,
			strerror(err));
}

/* ------------------------------------------------------------- opening */

static uint64_t room_of(const struct lagoon *lg)
{
	uint64_t fit = PART_BYTES / sizeof(struct lgn_trace_event) /
		((uint64_t)lg->local_workers + 1);

	return fit > ROOM ? ROOM : fit < ROOM_MIN ? ROOM_MIN : fit;
}

/* The file is held as long as this process may write to it. Its blocks exist
 * before anybody writes: no event meets a full disk. */
static int make_part(struct lagoon *lg, struct lgn_trace *trace)
{
	struct flock held = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	uint64_t room = room_of(lg);
	char path[LGN_TRACE_PATH];
	int err;

	lgn_trace_part_path(trace, lg->rank, path);
	trace->bytes = LGN_TRACE_HEAD + ((uint64_t)lg->local_workers + 1) *
		lgn_trace_lane_bytes(room);
	trace->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (trace->fd < 0)
		return cannot(path, "create it", errno);
	err = posix_fallocate(trace->fd, 0, (off_t)trace->bytes);
	if (err)
		return cannot(path, "allocate it", err);
	if (fcntl(trace->fd, F_OFD_SETLK, &held))
		return cannot(path, "lock it", errno);
	trace->part = mmap(NULL, trace->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			   trace->fd, 0);
	if (trace->part == MAP_FAILED) {
		trace->part = NULL;
		return cannot(path, "map it; choose a file system whose files can be mapped shared", errno);
	}
	trace->part->room = room;
	trace->part->rank = lg->rank;
	trace->part->size = lg->size;
	trace->part->workers = lg->local_workers;
	trace->part->first_worker = lg->member[lg->rank].first_worker;
	for (int i = 0; i <= lg->local_workers; i++)
		lane(trace, i)->room = room;
	return 0;
}

static int prepare(struct lagoon *lg, const char *path)
{
	struct lgn_trace *trace = calloc(1, sizeof(*trace));
	int rc;

	if (!trace)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a trace");
	trace->fd = -1;
	trace->path = strdup(path);
	if (!trace->path)
		rc = lgn_fail(LAGOON_ENOMEM, "no memory for a trace");
	else if (strlen(path) > LGN_TRACE_PATH - 64)
		rc = lgn_fail(LAGOON_EINVAL, "LAGOON_TRACE: the path is too long");
	else
		rc = make_part(lg, trace);
	/* Last: the wire's thread may look at any time. */
	lg->trace = trace;
	return rc;
}

static const struct moment *of_rank(const char *all, int rank)
{
	return (const struct moment *)(all + (size_t)rank * LGN_SLOT_BYTES);
}

/* The earliest moment of this machine's processes. */
static int agree(struct lagoon *lg, const struct moment *mine, const char *all)
{
	struct lgn_trace_part *part;

	for (int i = 0; i < lg->size; i++)
		if (of_rank(all, i)->status)
			return lgn_fail(of_rank(all, i)->status,
					"rank %d cannot write its part of the trace",
					i);
	part = lg->trace->part;
	part->origin = mine->now;
	for (int i = 0; i < lg->size; i++)
		if (lg->member[i].machine == lg->member[lg->rank].machine &&
		    of_rank(all, i)->now < part->origin)
			part->origin = of_rank(all, i)->now;
	part->nonce = of_rank(all, 0)->nonce;
	part->magic = LGN_TRACE_MAGIC;
	return 0;
}

/* There will be no trace. */
static void remove_part(const struct lagoon *lg)
{
	char path[LGN_TRACE_PATH];

	if (!lg->trace || lg->trace->fd < 0)
		return;
	lgn_trace_part_path(lg->trace, lg->rank, path);
	unlink(path);
}

int lgn_trace_open(struct lagoon *lg)
{
	const char *path = lgn_env_text(LGN_ENV_ID_TRACE);
	struct moment mine = { 0 };
	char keep[512], *all;
	int rc;

	if (!*path)
		return 0;
	all = malloc((size_t)lg->size * LGN_SLOT_BYTES);
	if (!all)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	mine.status = prepare(lg, path);
	snprintf(keep, sizeof(keep), "%s", mine.status ? lagoon_errmsg() : "");
	rc = lgn_board_sync(lg);
	mine.now = lgn_now_ns();
	mine.nonce = mine.now ^ (uint64_t)lg->pid << 40;
	if (!rc)
		rc = lgn_board_exchange(lg, &mine, sizeof(mine), all);
	if (!rc)
		rc = agree(lg, &mine, all);
	if (mine.status) {
		lgn_errmsg_set(keep);
		rc = mine.status;
	}
	if (rc)
		remove_part(lg);
	for (int i = 0; !rc && i < lg->local_workers; i++) {
		lg->worker[i].lane = lane(lg->trace, i);
		lg->worker[i].watched = true;
	}
	free(all);
	return rc;
}

/* ------------------------------------------------------------- closing */

void lgn_trace_release(struct lagoon *lg)
{
	struct flock held = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_len = 1 };

	if (lg->trace && lg->trace->part)
		fcntl(lg->trace->fd, F_OFD_SETLK, &held);
}

/* One after the other: who comes last finds all that is to be found. */
static int lock(const struct lagoon *lg, int *fd)
{
	struct flock turn = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1
	};
	const uint64_t limit = (uint64_t)lg->timeout_s * 1000000000u;
	struct lgn_wait wait = LGN_WAIT_INIT;
	char path[LGN_TRACE_PATH];

	lgn_trace_part_path(lg->trace, 0, path);
	*fd = open(path, O_RDWR | O_CLOEXEC);
	while (*fd >= 0 && fcntl(*fd, F_OFD_SETLK, &turn)) {
		if (lgn_waited_ns(&wait) > limit)
			return cannot(path, "lock it", errno);
		lgn_wait_step(&wait);
	}
	return 0;
}

static void remove_parts(const struct lagoon *lg, bool met)
{
	char path[LGN_TRACE_PATH];

	for (int i = 0; i < lg->size && !met; i++)
		if (lgn_trace_part_held(lg->trace, i))
			return;
	for (int i = lg->size - 1; i >= 0; i--) {
		lgn_trace_part_path(lg->trace, i, path);
		unlink(path);
	}
}

/* Everybody has released its part (met): the first does it for all. Else
 * nobody knows who is left: each writes what there is by now, and the last
 * takes the parts away. */
int lgn_trace_write(struct lagoon *lg, bool met)
{
	char path[LGN_TRACE_PATH];
	int fd = -1, rc;

	if (!lg->trace || !lg->trace->part || (met && lg->rank))
		return 0;
	rc = met ? 0 : lock(lg, &fd);
	if (rc)
		return rc;
	lgn_trace_part_path(lg->trace, lg->rank, path);
	if (!access(path, F_OK)) {
		rc = lgn_trace_join(lg);
		if (!rc)
			remove_parts(lg, met);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

void lgn_trace_close(struct lagoon *lg)
{
	struct lgn_trace *trace = lg->trace;

	if (!trace)
		return;
	if (trace->part)
		munmap(trace->part, trace->bytes);
	if (trace->fd >= 0)
		close(trace->fd);
	free((char *)trace->path);
	free(trace);
	lg->trace = NULL;
}

/* -------------------------------------------------------------- events */

void lgn_trace_table(struct lagoon_table *t)
{
	struct lgn_trace_part *part;
	uint32_t i;

	t->traced = LGN_TRACE_NAMES;
	if (!t->lg->trace)
		return;
	part = t->lg->trace->part;
	i = atomic_load(&part->names);
	if (i == LGN_TRACE_NAMES)
		return;
	snprintf(part->name[i], sizeof(part->name[i]), "%s", t->name);
	t->traced = (uint16_t)i;
	atomic_store(&part->names, i + 1);
}

void lgn_trace_enter(struct lagoon_worker *w, uint64_t since)
{
	here = w;
	here_since = since;
}

/* The event is whole before it counts: the process may be killed between. */
void lgn_trace_add(struct lagoon_worker *w, enum lgn_trace_kind kind,
		   uint64_t from, const struct lagoon_table *t, int who,
		   uint64_t n, int status)
{
	struct lgn_trace_lane *to = w->lane;
	uint64_t i;

	if (!to)
		return;
	i = atomic_load_explicit(&to->used, memory_order_relaxed);
	if (i == to->room) {
		lgn_count(&to->dropped, 1);
		return;
	}
	to->event[i] = (struct lgn_trace_event){
		.from = from, .ns = lgn_now_ns() - from, .n = n, .who = who,
		.table = t ? t->traced : LGN_TRACE_NAMES,
		.kind = (uint8_t)kind, .status = (int8_t)status,
	};
	atomic_store_explicit(&to->used, i + 1, memory_order_release);
}

void lgn_trace_waited(uint64_t from, const struct lagoon_table *t, int rank)
{
	if (here && from)
		lgn_trace_add(here, LGN_TRACE_WAIT,
			      from > here_since ? from : here_since, t, rank, 0, 0);
}

/* Several threads may come at once: a slot each, and its kind last. */
static void add_process(struct lagoon *lg, const struct lgn_trace_event *e)
{
	struct lgn_trace_lane *to;
	uint64_t i;

	if (!lg->trace || !lg->trace->part)
		return;
	to = lane(lg->trace, lg->local_workers);
	i = atomic_fetch_add(&to->used, 1);
	if (i >= to->room)
		return;
	to->event[i] = *e;
	to->event[i].table = LGN_TRACE_NAMES;
	to->event[i].kind = LGN_TRACE_NONE;
	atomic_thread_fence(memory_order_release);
	to->event[i].kind = e->kind;
}

void lgn_trace_death(struct lagoon *lg, int rank)
{
	struct lgn_trace_event e = {
		.from = lgn_now_ns(), .who = rank, .kind = LGN_TRACE_DEATH,
	};

	add_process(lg, &e);
}

void lgn_trace_wrote(struct lagoon *lg, uint64_t from, uint64_t bytes,
		     int status)
{
	struct lgn_trace_event e = {
		.from = from, .ns = lgn_now_ns() - from, .n = bytes, .who = -1,
		.kind = LGN_TRACE_WRITE, .status = (int8_t)status,
	};

	add_process(lg, &e);
}
