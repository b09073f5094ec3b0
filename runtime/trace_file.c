/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a trace, put together as Chrome trace JSON: an object, so that
 * any JSON reader takes it; written under another name and renamed, so that it
 * is whole or not there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "runtime/rule.h"
#include "runtime/trace.h"

static const char *const names[LGN_TRACE_KINDS] = {
	[LGN_TRACE_RUN] = "run", [LGN_TRACE_PULL] = "pull",
	[LGN_TRACE_START] = "start pull", [LGN_TRACE_ADD] = "add",
	[LGN_TRACE_FETCH_ADD] = "fetch_add", [LGN_TRACE_CLOCK] = "clock",
	[LGN_TRACE_BARRIER] = "barrier", [LGN_TRACE_MODEL] = "set_model",
	[LGN_TRACE_CHECKPOINT] = "checkpoint", [LGN_TRACE_LEAVE] = "leave", [LGN_TRACE_WAIT] = "wait",
	[LGN_TRACE_FLUSH] = "flush", [LGN_TRACE_DEATH] = "death",
	[LGN_TRACE_WRITE] = "write checkpoint",
};

/* What n of an event is, if it is anything. */
static const char *const counted[LGN_TRACE_KINDS] = {
	[LGN_TRACE_PULL] = "rows", [LGN_TRACE_START] = "rows",
	[LGN_TRACE_ADD] = "rows", [LGN_TRACE_FETCH_ADD] = "rows",
	[LGN_TRACE_CLOCK] = "clock", [LGN_TRACE_FLUSH] = "words",
	[LGN_TRACE_WRITE] = "bytes",
};

/* The trace being written. */
struct joining {
	FILE *out;
	bool more;			/* events were written */
	uint64_t dropped;
	char missing[200];		/* ranks without a part */
};

void lgn_trace_part_path(const struct lgn_trace *trace, int rank, char *path)
{
	snprintf(path, LGN_TRACE_PATH, "%s.%d.part", trace->path, rank);
}

bool lgn_trace_part_held(const struct lgn_trace *trace, int rank)
{
	struct flock held = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	char path[LGN_TRACE_PATH];
	int fd, rc;

	lgn_trace_part_path(trace, rank, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	rc = fcntl(fd, F_OFD_GETLK, &held);
	close(fd);
	return !rc && held.l_type != F_UNLCK;
}

static void put_text(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static void begin(struct joining *j)
{
	fputs(j->more ? ",\n" : "\n", j->out);
	j->more = true;
}

static void put_name(struct joining *j, const char *what, int pid, int tid,
		     const char *name)
{
	begin(j);
	fprintf(j->out, "{\"name\":\"%s\",\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":\"%s\"}}",
		what, pid, tid, name);
}

/* [us], to the nanosecond. */
static void put_time(FILE *out, const char *key, uint64_t ns)
{
	fprintf(out, ",\"%s\":%llu.%03llu", key, (unsigned long long)(ns / 1000),
		(unsigned long long)(ns % 1000));
}

static void put_head(struct joining *j, const struct lgn_trace_part *part,
		     int tid, const char *name, uint64_t from, uint64_t ns)
{
	begin(j);
	fprintf(j->out, "{\"name\":\"%s\",\"ph\":\"X\",\"pid\":%d,\"tid\":%d",
		name, part->rank, tid);
	put_time(j->out, "ts", from > part->origin ? from - part->origin : 0);
	put_time(j->out, "dur", ns);
}

static void put_event(struct joining *j, const struct lgn_trace_part *part,
		      int tid, const struct lgn_trace_event *e)
{
	const char *comma = "";

	put_head(j, part, tid, names[e->kind], e->from, e->ns);
	fputs(",\"args\":{", j->out);
	if (e->table < LGN_TRACE_NAMES) {
		fputs("\"table\":", j->out);
		put_text(j->out, part->name[e->table]);
		comma = ",";
	}
	if (counted[e->kind]) {
		fprintf(j->out, "%s\"%s\":%llu", comma, counted[e->kind],
			(unsigned long long)e->n);
		comma = ",";
	}
	if (e->kind == LGN_TRACE_MODEL) {
		fprintf(j->out, "%s\"model\":\"%s\"", comma,
			lgn_model_name((int)e->n));
		comma = ",";
	}
	if (e->kind == LGN_TRACE_WAIT) {
		fprintf(j->out, "%s\"for_rank\":%d", comma, e->who);
		comma = ",";
	}
	if (e->status) {
		fprintf(j->out, "%s\"error\":", comma);
		put_text(j->out, lagoon_strerror(e->status));
	}
	fputs("}}", j->out);
}

static void put_instant(struct joining *j, const struct lgn_trace_part *part,
			int tid, const char *name, uint64_t at)
{
	begin(j);
	fprintf(j->out, "{\"name\":\"%s\",\"ph\":\"i\",\"s\":\"p\",\"pid\":%d,\"tid\":%d",
		name, part->rank, tid);
	put_time(j->out, "ts", at > part->origin ? at - part->origin : 0);
	fputs("}", j->out);
}

/* Between two calls of a worker it computes. */
static void put_lane(struct joining *j, const struct lgn_trace_part *part,
		     int tid, const struct lgn_trace_lane *lane)
{
	uint64_t n = lane->used < lane->room ? lane->used : lane->room, end = 0;
	char text[64];

	for (uint64_t i = 0; i < n; i++) {
		const struct lgn_trace_event *e = &lane->event[i];

		if (e->kind == LGN_TRACE_NONE || e->kind >= LGN_TRACE_KINDS)
			continue;
		if (e->kind < LGN_TRACE_WAIT) {
			if (end && e->from > end) {
				put_head(j, part, tid, "compute", end, e->from - end);
				fputs("}", j->out);
			}
			end = e->kind == LGN_TRACE_LEAVE ? 0 : e->from + e->ns;
		}
		if (e->kind == LGN_TRACE_DEATH) {
			snprintf(text, sizeof(text), "rank %d is dead", e->who);
			put_instant(j, part, tid, text, e->from);
		} else if (e->kind != LGN_TRACE_RUN) {
			put_event(j, part, tid, e);
		}
	}
	if (!lane->dropped)
		return;
	j->dropped += lane->dropped;
	snprintf(text, sizeof(text), "buffer full: %llu events dropped",
		 (unsigned long long)lane->dropped);
	put_instant(j, part, tid, text, lane->event[n - 1].from);
}

static void put_part(struct joining *j, const struct lgn_trace_part *part)
{
	const char *lanes = (const char *)part + LGN_TRACE_HEAD;
	char text[32];

	snprintf(text, sizeof(text), "rank %d", part->rank);
	put_name(j, "process_name", part->rank, 0, text);
	for (int i = 0; i <= part->workers; i++) {
		int tid = i < part->workers ? part->first_worker + i : -1;

		snprintf(text, sizeof(text), "worker %d", tid);
		put_name(j, "thread_name", part->rank, tid,
			 tid < 0 ? "process" : text);
		put_lane(j, part, tid, (const struct lgn_trace_lane *)
			 (lanes + (uint64_t)i * lgn_trace_lane_bytes(part->room)));
	}
}

/* A file of this job, and whole. */
static bool fits(const struct lgn_trace *mine, const struct lgn_trace_part *part,
		 uint64_t bytes, int rank)
{
	return bytes >= LGN_TRACE_HEAD && part->magic == LGN_TRACE_MAGIC &&
		part->nonce == mine->part->nonce && part->rank == rank &&
		part->workers >= 0 && part->room < bytes &&
		LGN_TRACE_HEAD + ((uint64_t)part->workers + 1) *
			lgn_trace_lane_bytes(part->room) <= bytes;
}

static bool put_file(struct joining *j, const struct lgn_trace *trace, int rank)
{
	struct lgn_trace_part *part = MAP_FAILED;
	char path[LGN_TRACE_PATH];
	struct stat st;
	bool good;
	int fd;

	lgn_trace_part_path(trace, rank, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st) && st.st_size >= LGN_TRACE_HEAD)
		part = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	good = part != MAP_FAILED && fits(trace, part, (uint64_t)st.st_size, rank);
	if (good)
		put_part(j, part);
	if (part != MAP_FAILED)
		munmap(part, (size_t)st.st_size);
	if (fd >= 0)
		close(fd);
	return good;
}

static void put_all(const struct lagoon *lg, struct joining *j)
{
	size_t used = 0;

	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", j->out);
	for (int i = 0; i < lg->size; i++)
		if (!put_file(j, lg->trace, i) && used < sizeof(j->missing) - 16)
			used += (size_t)snprintf(j->missing + used,
						 sizeof(j->missing) - used, "%s%d",
						 used ? "," : "", i);
	fprintf(j->out, "\n],\"otherData\":{\"lagoon\":\"%s\",\"ranks\":%d,\"dropped\":%llu,\"missing_ranks\":[%s]}}\n",
		lagoon_version(), lg->size, (unsigned long long)j->dropped,
		j->missing);
}

static int failed(const char *path, int err)
{
	return lgn_fail(LAGOON_EIO, "LAGOON_TRACE: cannot write %s: %s", path,
			strerror(err));
}

int lgn_trace_join(const struct lagoon *lg)
{
	struct joining j = { 0 };
	char path[LGN_TRACE_PATH];
	int bad;

	snprintf(path, sizeof(path), "%s.tmp", lg->trace->path);
	j.out = fopen(path, "we");
	if (!j.out)
		return failed(path, errno);
	put_all(lg, &j);
	bad = ferror(j.out);
	bad |= fclose(j.out);
	if (bad || rename(path, lg->trace->path)) {
		int err = errno;

		unlink(path);
		return failed(lg->trace->path, err);
	}
	return 0;
}
