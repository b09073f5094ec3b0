/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of a checkpoint: names, sums, reading. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <isa-l/crc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "runtime/checkpoint.h"

#define SHARDS_MAX (1u << 20)

uint32_t lgn_ckpt_crc(const void *bytes, uint64_t n)
{
	const unsigned char *p = bytes;
	uint32_t crc = ~0u;

	while (n) {
		int len = n < 1u << 30 ? (int)n : 1 << 30;

		/* It only reads; its prototype does not say so. */
		crc = crc32_iscsi((unsigned char *)(uintptr_t)p, len, crc);
		p += len;
		n -= (uint64_t)len;
	}
	return ~crc;
}

void lgn_ckpt_name(uint32_t shard, uint64_t id, char name[LGN_CKPT_NAME_MAX])
{
	snprintf(name, LGN_CKPT_NAME_MAX, "shard-%05" PRIu32 "-%016" PRIx64,
		 shard, id);
}

uint64_t lgn_ckpt_name_id(const char *name)
{
	char same[LGN_CKPT_NAME_MAX];
	uint32_t shard;
	uint64_t id;
	size_t n;

	if (sscanf(name, "shard-%" SCNu32 "-%" SCNx64, &shard, &id) != 2)
		return 0;
	lgn_ckpt_name(shard, id, same);
	n = strlen(same);
	return !strncmp(name, same, n) &&
		(!name[n] || !strcmp(name + n, ".tmp")) ? id : 0;
}

static int corrupt(const struct lgn_ckpt_file *f, const char *what)
{
	return lgn_fail(LAGOON_ECORRUPT, "%s: %s", f->path, what);
}

static int no_memory(const struct lgn_ckpt_file *f)
{
	return lgn_fail(LAGOON_ENOMEM, "%s: no memory to read it", f->path);
}

static int read_at(const struct lgn_ckpt_file *f, uint64_t off, void *out,
		   uint64_t n)
{
	char *to = out;

	while (n) {
		ssize_t got = pread(f->fd, to, n < 1u << 30 ? n : 1u << 30,
				    (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return lgn_fail(LAGOON_EIO, "%s: cannot read: %s",
					f->path, strerror(errno));
		if (!got)
			return corrupt(f, "it ends too early");
		to += got;
		off += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}

/* ------------------------------------------------------------- sections */

static uint32_t sections(const struct lgn_ckpt_file *f)
{
	return f->head.kind == LGN_CKPT_OF_JOB ? 1 : f->head.tables;
}

static uint64_t section_bytes(const struct lgn_ckpt_file *f, uint32_t section)
{
	return f->head.kind == LGN_CKPT_OF_JOB ?
		(f->head.state_bytes + 7) / 8 * 8 : f->table[section].words * 8;
}

/* Where a section begins, and the number of its first chunk. */
static uint64_t section_begin(const struct lgn_ckpt_file *f, uint32_t section,
			      uint64_t *chunk)
{
	uint64_t off = f->head.data;

	*chunk = 0;
	for (uint32_t i = 0; i < section; i++) {
		off += section_bytes(f, i);
		*chunk += lgn_ckpt_chunks(section_bytes(f, i));
	}
	return off;
}

/* Do the sections fill the file, and are there sums for all? The sums are
 * right by now, so this finds mistakes of a writer, and no overflow. */
static int check_sections(const struct lgn_ckpt_file *f)
{
	uint64_t left = f->head.bytes - f->head.data, chunks = 0;

	for (uint32_t i = 0; i < sections(f); i++) {
		uint64_t n = section_bytes(f, i);

		if (n > left)
			return corrupt(f, "its sections do not fit its length");
		left -= n;
		chunks += lgn_ckpt_chunks(n);
	}
	return left || (chunks + 1) / 2 * 2 != f->head.sums ?
		corrupt(f, "its sections do not fit its length") : 0;
}

/* -------------------------------------------------------------- opening */

static int check_head(const struct lgn_ckpt_file *f, enum lgn_ckpt_kind kind,
		      uint64_t length)
{
	const struct lgn_ckpt_head *h = &f->head;

	if (memcmp(h->magic, LGN_CKPT_MAGIC, sizeof(h->magic)))
		return corrupt(f, "this is no file of a checkpoint");
	if (h->order != LGN_CKPT_ORDER)
		return lgn_fail(h->order == __builtin_bswap32(LGN_CKPT_ORDER) ?
				LAGOON_ENOTSUP : LAGOON_ECORRUPT,
				"%s: byte order %08x: expected %08x, the order of this machine",
				f->path, h->order, LGN_CKPT_ORDER);
	if (h->version != LGN_CKPT_VERSION)
		return lgn_fail(LAGOON_ENOTSUP, "%s: version %u, %s than %u, which this library reads",
				f->path, h->version,
				h->version > LGN_CKPT_VERSION ? "newer" : "older",
				LGN_CKPT_VERSION);
	if (h->kind != (uint32_t)kind)
		return corrupt(f, kind == LGN_CKPT_OF_JOB ?
			       "this is no manifest" : "this is no file of a shard");
	if (h->bytes != length)
		return lgn_fail(LAGOON_ECORRUPT, "%s: %llu bytes: expected %llu",
				f->path, (unsigned long long)length,
				(unsigned long long)h->bytes);
	if (h->tables > LGN_TABLES || h->sums > length / 4 ||
	    h->sums % 2 || h->data > length || !h->shards ||
	    h->shards > SHARDS_MAX ||
	    h->data != lgn_ckpt_meta(h->tables, h->sums) ||
	    h->state_bytes > length)
		return corrupt(f, "its head is damaged");
	return 0;
}

/* Its texts end, its pages can be counted, and a shard's file has all of its
 * arrays. */
static int check_table(const struct lgn_ckpt_file *f, struct lgn_ckpt_table *d)
{
	d->name[LAGOON_NAME_MAX] = 0;
	d->update[LGN_UPDATE_TEXT_MAX] = 0;
	if (!d->page_words || !d->block || !d->pages || d->block > 1ull << 32 ||
	    d->states > LAGOON_UPDATE_STATES ||
	    d->pages > UINT64_MAX / 64 / d->page_words)
		return lgn_fail(LAGOON_ECORRUPT, "%s: table %s has no pages",
				f->path, d->name);
	if (f->head.kind == LGN_CKPT_OF_SHARD && d->words != (1 + d->states) *
	    lgn_ckpt_words(d, f->head.shards, f->head.shard))
		return lgn_fail(LAGOON_ECORRUPT, "%s: table %s has %llu words: its pages need others",
				f->path, d->name, (unsigned long long)d->words);
	return 0;
}

/* What follows the head, and the sum of all. */
static int read_meta(struct lgn_ckpt_file *f)
{
	uint64_t tables = f->head.tables * sizeof(*f->table);
	uint64_t n = f->head.data - sizeof(lgn_ckpt_sum);
	char *meta = malloc(f->head.data);
	lgn_ckpt_sum sum;
	int rc;

	f->table = malloc(tables + 1);
	f->sum = malloc(f->head.sums * 4 + 1);
	f->chunk = malloc(LGN_CKPT_CHUNK);
	rc = meta && f->table && f->sum && f->chunk ? 0 : no_memory(f);
	if (!rc)
		rc = read_at(f, 0, meta, f->head.data);
	if (!rc) {
		memcpy(&sum, meta + n, sizeof(sum));
		if (sum != lgn_ckpt_crc(meta, n))
			rc = corrupt(f, "its head or its sums are damaged (CRC32C)");
	}
	if (!rc) {
		memcpy(f->table, meta + sizeof(f->head), tables);
		memcpy(f->sum, meta + sizeof(f->head) + tables, f->head.sums * 4);
		for (uint32_t i = 0; i < f->head.tables && !rc; i++)
			rc = check_table(f, &f->table[i]);
		if (!rc)
			rc = check_sections(f);
	}
	free(meta);
	return rc;
}

int lgn_ckpt_open(const char *dir, const char *name, enum lgn_ckpt_kind kind,
		  struct lgn_ckpt_file *f)
{
	struct stat st;
	int rc;

	memset(f, 0, sizeof(*f));
	f->fd = -1;
	if ((size_t)snprintf(f->path, sizeof(f->path), "%s/%s", dir, name) >=
	    sizeof(f->path))
		return lgn_fail(LAGOON_EINVAL, "%.100s...: too long a name of a folder", dir);
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0)
		return lgn_fail(errno == ENOENT || errno == ENOTDIR ?
				LAGOON_ENOENT : LAGOON_EIO,
				"%s: cannot open: %s", f->path, strerror(errno));
	if (fstat(f->fd, &st))
		return lgn_fail(LAGOON_EIO, "%s: %s", f->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return corrupt(f, "this is no plain file");
	if (st.st_size < (off_t)sizeof(f->head))
		return corrupt(f, "it ends within its head");
	rc = read_at(f, 0, &f->head, sizeof(f->head));
	if (!rc)
		rc = check_head(f, kind, (uint64_t)st.st_size);
	return rc ? rc : read_meta(f);
}

void lgn_ckpt_close(struct lgn_ckpt_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->table);
	free(f->sum);
	free(f->chunk);
	memset(f, 0, sizeof(*f));
	f->fd = -1;
}

/* A shard's file and the manifest were written together. */
static bool same_tables(const struct lgn_ckpt_file *a,
			const struct lgn_ckpt_file *b)
{
	for (uint32_t i = 0; i < a->head.tables; i++) {
		struct lgn_ckpt_table x = a->table[i], y = b->table[i];

		x.words = y.words = 0;
		if (memcmp(&x, &y, sizeof(x)))
			return false;
	}
	return true;
}

int lgn_ckpt_open_shard(const char *dir, const struct lgn_ckpt_file *manifest,
			uint32_t shard, struct lgn_ckpt_file *f)
{
	const struct lgn_ckpt_head *m = &manifest->head, *h = &f->head;
	char name[LGN_CKPT_NAME_MAX];
	int rc;

	lgn_ckpt_name(shard, m->id, name);
	rc = lgn_ckpt_open(dir, name, LGN_CKPT_OF_SHARD, f);
	if (rc == LAGOON_ENOENT)
		return lgn_fail(LAGOON_ECORRUPT, "%s: it is missing, but %s names it",
				f->path, manifest->path);
	if (rc)
		return rc;
	if (h->id != m->id || h->clock != m->clock || h->shard != shard ||
	    h->shards != m->shards || h->tables != m->tables ||
	    !same_tables(manifest, f))
		return lgn_fail(LAGOON_ECORRUPT, "%s: it belongs to another checkpoint than %s",
				f->path, manifest->path);
	return 0;
}

/* -------------------------------------------------------------- reading */

/* A chunk of a section into f->chunk, checked. */
static int load(struct lgn_ckpt_file *f, uint32_t section, uint64_t index,
		uint64_t *len)
{
	uint64_t number, off = section_begin(f, section, &number);
	uint64_t begin = index * LGN_CKPT_CHUNK;
	int rc;

	*len = section_bytes(f, section) - begin;
	if (*len > LGN_CKPT_CHUNK)
		*len = LGN_CKPT_CHUNK;
	number += index;
	if (f->at == number + 1)
		return 0;
	f->at = 0;
	rc = read_at(f, off + begin, f->chunk, *len);
	if (rc)
		return rc;
	if (lgn_ckpt_crc(f->chunk, *len) != f->sum[number])
		return lgn_fail(LAGOON_ECORRUPT, "%s: %s%s is damaged: the CRC32C of bytes %llu to %llu is wrong",
				f->path, f->head.kind == LGN_CKPT_OF_JOB ? "the state" :
				"table ", f->head.kind == LGN_CKPT_OF_JOB ? "" :
				f->table[section].name,
				(unsigned long long)(off + begin),
				(unsigned long long)(off + begin + *len - 1));
	f->at = number + 1;
	return 0;
}

int lgn_ckpt_read(struct lgn_ckpt_file *f, uint32_t section, uint64_t first,
		  uint64_t n, void *out)
{
	char *to = out;

	if (section >= sections(f) || first > section_bytes(f, section) ||
	    n > section_bytes(f, section) - first)
		return corrupt(f, "it has fewer words than its tables need");
	while (n) {
		uint64_t len, at = first % LGN_CKPT_CHUNK, part;
		int rc = load(f, section, first / LGN_CKPT_CHUNK, &len);

		if (rc)
			return rc;
		part = len - at < n ? len - at : n;
		memcpy(to, f->chunk + at, part);
		to += part;
		first += part;
		n -= part;
	}
	return 0;
}

int lgn_ckpt_check(struct lgn_ckpt_file *f)
{
	int rc = 0;

	for (uint32_t s = 0; s < sections(f) && !rc; s++) {
		uint64_t n = lgn_ckpt_chunks(section_bytes(f, s)), len;

		for (uint64_t i = 0; i < n && !rc; i++)
			rc = load(f, s, i, &len);
	}
	return rc;
}
