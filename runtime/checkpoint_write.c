/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread that writes what a checkpoint has copied, while workers go on.
 * Every process writes its shards' files, says so on the board, and the first
 * of them writes the manifest when all have: that puts the checkpoint in
 * force.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "runtime/base/thread.h"
#include "runtime/checkpoint.h"
#include "runtime/table.h"
#include "runtime/trace.h"

/* A file that is being written: it has another name until it is complete. */
struct out {
	int fd;
	char path[PATH_MAX];
	char temp[PATH_MAX];
};

static int fail(const char *path, const char *what, int err)
{
	return lgn_fail(LAGOON_EIO, "%s: cannot %s: %s", path, what,
			strerror(err));
}

static int out_open(const char *dir, const char *name, struct out *out)
{
	snprintf(out->path, sizeof(out->path), "%s/%s", dir, name);
	snprintf(out->temp, sizeof(out->temp), "%s/%.30s.tmp", dir, name);
	out->fd = open(out->temp, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
	return out->fd >= 0 ? 0 : fail(out->temp, "write", errno);
}

static int out_write(struct out *out, const void *bytes, uint64_t n)
{
	const char *from = bytes;

	while (n) {
		ssize_t put = write(out->fd, from, n < 1u << 26 ? n : 1u << 26);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return fail(out->path, "write", put ? errno : ENOSPC);
		from += put;
		n -= (uint64_t)put;
	}
	return 0;
}

/* Through to the disk, and in place; or gone. */
static int out_close(struct out *out, int rc)
{
	if (!rc && fsync(out->fd))
		rc = fail(out->path, "write", errno);
	if (close(out->fd) && !rc)
		rc = fail(out->path, "write", errno);
	if (!rc && rename(out->temp, out->path))
		rc = fail(out->path, "write", errno);
	if (rc)
		unlink(out->temp);
	return rc;
}

/* Names, too, must have reached the disk. */
static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return fail(dir, "open", errno);
	if (fsync(fd) && errno != EINVAL)	/* no need where it cannot */
		rc = fail(dir, "write", errno);
	close(fd);
	return rc;
}

/* ---------------------------------------------------------------- a file */

static uint32_t *sum_up(uint32_t *sum, const char *bytes, uint64_t n)
{
	for (uint64_t at = 0; at < n; at += LGN_CKPT_CHUNK)
		*sum++ = lgn_ckpt_crc(bytes + at, n - at < LGN_CKPT_CHUNK ?
				      n - at : LGN_CKPT_CHUNK);
	return sum;
}

/* Head, tables and sums of a file with n sections that follow each other in
 * bytes. The caller frees *meta. */
static int make_meta(const struct lgn_saver *s, struct lgn_ckpt_head *h,
		     const struct lgn_ckpt_table *table, const uint64_t *section,
		     int n, const char *bytes, char **meta)
{
	uint64_t tables = h->tables * sizeof(*table), sums = 0, all = 0, len;
	lgn_ckpt_sum crc;
	uint32_t *sum;
	char *m;

	for (int i = 0; i < n; i++) {
		sums += lgn_ckpt_chunks(section[i]);
		all += section[i];
	}
	h->sums = (sums + 1) / 2 * 2;
	h->data = lgn_ckpt_meta(h->tables, h->sums);
	h->bytes = h->data + all;
	m = calloc(1, h->data);
	if (!m)
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory to write a checkpoint", s->dir);
	memcpy(m, h, sizeof(*h));
	memcpy(m + sizeof(*h), table, tables);
	sum = (uint32_t *)(void *)(m + sizeof(*h) + tables);
	for (int i = 0; i < n; i++) {
		sum = sum_up(sum, bytes, section[i]);
		bytes += section[i];
	}
	len = h->data - sizeof(crc);
	crc = lgn_ckpt_crc(m, len);
	memcpy(m + len, &crc, sizeof(crc));
	*meta = m;
	return 0;
}

static int write_file(const struct lgn_saver *s, const char *name,
		      struct lgn_ckpt_head *h, const struct lgn_ckpt_table *table,
		      const uint64_t *section, int n, const char *bytes)
{
	struct out out;
	char *meta = NULL;
	int rc = make_meta(s, h, table, section, n, bytes, &meta);

	if (rc)
		return rc;
	rc = out_open(s->dir, name, &out);
	if (!rc) {
		rc = out_write(&out, meta, h->data);
		if (!rc)
			rc = out_write(&out, bytes, h->bytes - h->data);
		rc = out_close(&out, rc);
	}
	free(meta);
	return rc;
}

static int write_shard(const struct lgn_saver *s, int shard, const char **bytes)
{
	struct lgn_ckpt_table table[LGN_TABLES];
	struct lgn_ckpt_head h = s->head;
	uint64_t section[LGN_TABLES], n = 0;
	char name[LGN_CKPT_NAME_MAX];
	int rc;

	h.kind = LGN_CKPT_OF_SHARD;
	h.shard = (uint32_t)shard;
	h.state_bytes = 0;
	memcpy(table, s->table, sizeof(table));
	for (uint32_t i = 0; i < h.tables; i++) {
		section[i] = lgn_saver_bytes(s, i, shard);
		table[i].words = section[i] / 8;
		n += section[i];
	}
	lgn_ckpt_name(h.shard, h.id, name);
	rc = write_file(s, name, &h, table, section, (int)h.tables, *bytes);
	*bytes += n;
	return rc;
}

static int write_manifest(const struct lgn_saver *s)
{
	struct lgn_ckpt_head h = s->head;
	uint64_t section = (h.state_bytes + 7) / 8 * 8;

	h.kind = LGN_CKPT_OF_JOB;
	return write_file(s, LGN_CKPT_MANIFEST, &h, s->table, &section, 1, s->state);
}

/* ------------------------------------------------------------ all of them */

/* Files of shards that are (of) or are not of an id. What cannot be removed
 * does no harm. */
static void remove_files(const struct lgn_saver *s, uint64_t id, bool of)
{
	DIR *dir = opendir(s->dir);
	struct dirent *e;

	while (dir && (e = readdir(dir)) != NULL) {
		uint64_t its = lgn_ckpt_name_id(e->d_name);

		if (!its || (its == id) != of)
			continue;
		unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

static int write_shards(const struct lgn_saver *s)
{
	const char *bytes = s->mem.addr;
	int rc = 0;

	for (int i = 0; i < s->shards && !rc; i++)
		rc = write_shard(s, s->shard[i], &bytes);
	return rc || !s->shards ? rc : sync_dir(s->dir);
}

static uint64_t word_of(uint64_t seq, bool failed)
{
	return seq << 1 | failed;
}

/* Who takes part and has not said yet; its rank + 1. */
static int missing(const struct lgn_saver *s)
{
	for (int i = 0; i < s->lg->size; i++)
		if (s->member[i] && s->view.clock[i] < word_of(s->seq, false))
			return i + 1;
	return 0;
}

/* Until all files are there: what those who wrote them say. */
static int wait_for_all(struct lgn_saver *s)
{
	struct lgn_wait wait = LGN_WAIT_INIT;
	struct lagoon *lg = s->lg;
	bool fresh = false;
	int rc = 0, late = 1;

	s->view.reads = 0;
	while (late) {
		rc = lgn_board_poll(lg, &s->view, LGN_SAVED, &fresh);
		if (!rc)
			rc = lgn_check_lost(lg);
		if (rc)
			return rc;
		if (fresh)
			late = missing(s);
		if (late && atomic_load(&lg->member[late - 1].dead))
			return lgn_fail(LAGOON_EPEER, "%s: no checkpoint: rank %d died while it wrote",
					s->dir, late - 1);
		if (late)
			lgn_wait_step(&wait);
	}
	for (int i = 0; i < lg->size; i++)
		if (s->member[i] && i != lg->rank &&
		    s->view.clock[i] == word_of(s->seq, true))
			return lgn_fail(LAGOON_EIO, "%s: no checkpoint: rank %d could not write its files",
					s->dir, i);
	return 0;
}

static int write_all(struct lgn_saver *s)
{
	char keep[512];
	int rc = write_shards(s), told;

	snprintf(keep, sizeof(keep), "%s", rc ? lagoon_errmsg() : "");
	told = lgn_board_publish(s->lg, &s->view, LGN_SAVED,
				 (int64_t)word_of(s->seq, rc != 0));
	if (!told && s->first)
		told = wait_for_all(s);
	if (rc)
		lgn_errmsg_set(keep);
	rc = rc ? rc : told;
	if (!s->first)
		return rc;
	if (!rc)
		rc = write_manifest(s);
	if (rc) {
		remove_files(s, s->head.id, true);
		return rc;
	}
	/* The old one goes when nothing can bring it back in force. */
	rc = sync_dir(s->dir);
	if (!rc)
		remove_files(s, s->head.id, false);
	return rc;
}

static uint64_t bytes_of_all(const struct lgn_saver *s)
{
	uint64_t bytes = 0;

	for (int i = 0; i < s->shards; i++)
		for (uint32_t k = 0; k < s->head.tables; k++)
			bytes += lgn_saver_bytes(s, (int)k, s->shard[i]);
	return bytes;
}

static void *run(void *arg)
{
	struct lgn_saver *s = arg;
	uint64_t from = lgn_now_ns();

	s->status = write_all(s);
	lgn_trace_wrote(s->lg, from, bytes_of_all(s), s->status);
	snprintf(s->errmsg, sizeof(s->errmsg), "%s", s->status ? lagoon_errmsg() : "");
	return NULL;
}

int lgn_saver_start(struct lgn_saver *s)
{
	int rc = lgn_thread_start(&s->thread, "lagoon-save", run, s);

	s->running = !rc;
	return rc;
}

int lgn_saver_wait(struct lgn_saver *s)
{
	int rc;

	if (!s->running)
		return 0;
	pthread_join(s->thread, NULL);
	s->running = false;
	rc = s->status;
	s->status = 0;
	if (rc)
		lgn_errmsg_set(s->errmsg);
	return rc;
}

int lgn_saver_finish(struct lagoon *lg)
{
	return lg->saver ? lgn_saver_wait(lg->saver) : 0;
}

void lgn_saver_close(struct lagoon *lg)
{
	struct lgn_saver *s = lg->saver;

	if (!s)
		return;
	lgn_saver_wait(s);
	lgn_board_view_close(lg, &s->view);
	lg->wire->ops->unreg(lg->wire, &s->mem);
	free(s->state);
	free(s->member);
	free(s->shard);
	free(s);
	lg->saver = NULL;
}
