/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints: the tables of a job at a clock, in a folder.
 *
 *	manifest		what there is, and the caller's state
 *	shard-<n>-<id>		the words of every table that shard n held
 *
 * Each file, in the byte order of the machine that wrote it:
 *
 *	head | a description of each table | checksums of chunks | checksum of
 *	all before it | sections, each in chunks: the state (manifest), or the
 *	words of each table (shard): of a table in apply mode the values, then
 *	each array of state
 *
 * Binary, also the manifest: one reader and one checksum for both, and numbers
 * come back as they were; `lagoon checkpoint inspect` shows it as text. There
 * is no bit in a file that no checksum and no comparison covers. Sums are of
 * chunks and not of files, so that a job with other homes checks what it reads
 * and need not read what others need.
 *
 * The words of a table are one row of words, cut into pages; pages are dealt
 * to shards (layout.h). A description has what that depends on, so that words
 * go to any other layout without knowing what is in them. The arrays of state of
 * an update function are such rows, too, each as long as that of the values.
 *
 * The manifest names an id, and counts: files of other ids are not part of the
 * checkpoint. So a new one is written beside the old one, the renaming of its
 * manifest puts it in force, and what is not of its id is removed then.
 */
#ifndef LGN_RUNTIME_CHECKPOINT_H
#define LGN_RUNTIME_CHECKPOINT_H

#include <limits.h>
#include <stdint.h>

#include "runtime/core.h"
#include "runtime/update.h"

#define LGN_CKPT_MAGIC "LAGOONCK"
#define LGN_CKPT_VERSION 2
#define LGN_CKPT_ORDER 0x01020304u
#define LGN_CKPT_CHUNK (256u << 10)	/* bytes a checksum; whole words */
#define LGN_CKPT_MANIFEST "manifest"
#define LGN_CKPT_NAME_MAX 40		/* of a file, with ".tmp" */
#define LGN_CKPT_DIR_MAX (PATH_MAX - LGN_CKPT_NAME_MAX - 2)

enum lgn_ckpt_kind { LGN_CKPT_OF_JOB = 1, LGN_CKPT_OF_SHARD = 2 };

struct lgn_ckpt_head {
	char magic[8];
	uint32_t version;
	uint32_t order;
	uint32_t kind;
	uint32_t tables;
	uint64_t bytes;		/* of the file */
	uint64_t data;		/* where sections begin */
	uint64_t sums;		/* checksums of chunks; even */
	uint64_t id;
	int64_t clock;
	int64_t time_s;		/* since 1970 */
	uint64_t seed;
	uint64_t state_bytes;
	uint32_t spell;		/* struct lagoon.spell */
	uint32_t shard;		/* 0 in a manifest */
	uint32_t shards;
	uint32_t workers;
	uint32_t processes;
	uint32_t nodes;
};

struct lgn_ckpt_table {
	char name[LAGOON_NAME_MAX + 1];
	uint64_t rows;
	uint32_t cols;
	int32_t format, type, frac_bits;
	int32_t model, staleness, sample;
	uint32_t page_rows;
	double change;
	uint64_t page_words, pages, block;	/* struct lgn_layout */
	uint64_t salt;		/* struct lagoon_table.salt */
	uint64_t words;		/* in this file; 0 in a manifest */
	int32_t push;
	uint32_t states;	/* arrays of the update function */
	uint64_t digest;	/* of it: struct lgn_update */
	char update[LGN_UPDATE_TEXT_MAX + 1];	/* its text; "": atomic mode */
};

/* Words of a shard in one array of a table. */
static inline uint64_t lgn_ckpt_words(const struct lgn_ckpt_table *d,
				      uint32_t shards, uint32_t shard)
{
	const struct lgn_layout l = {
		.pages = d->pages, .block = d->block, .shards = shards,
	};

	return lgn_layout_shard_pages(&l, shard) * d->page_words;
}

/* The checksum of everything before it, widened: its upper half is 0. */
typedef uint64_t lgn_ckpt_sum;

static inline uint64_t lgn_ckpt_chunks(uint64_t bytes)
{
	return bytes / LGN_CKPT_CHUNK + (bytes % LGN_CKPT_CHUNK != 0);
}

/* Bytes before the sections. */
static inline uint64_t lgn_ckpt_meta(uint64_t tables, uint64_t sums)
{
	return sizeof(struct lgn_ckpt_head) +
		tables * sizeof(struct lgn_ckpt_table) + sums * 4 +
		sizeof(lgn_ckpt_sum);
}

/* CRC32C. */
uint32_t lgn_ckpt_crc(const void *bytes, uint64_t n);

/* "shard-00002-0123456789abcdef" */
void lgn_ckpt_name(uint32_t shard, uint64_t id, char name[LGN_CKPT_NAME_MAX]);

/* The id in such a name, also with ".tmp" behind; 0: it is none. */
uint64_t lgn_ckpt_name_id(const char *name);

/* -------------------------------------------------------------- reading */

struct lgn_ckpt_file {
	int fd;
	char path[PATH_MAX];
	struct lgn_ckpt_head head;
	struct lgn_ckpt_table *table;	/* [head.tables] */
	uint32_t *sum;			/* [head.sums] */
	char *chunk;			/* [LGN_CKPT_CHUNK] the last one read */
	uint64_t at;			/* its number in the file + 1; 0: none */
};

/* LAGOON_ENOENT, LAGOON_ECORRUPT, LAGOON_ENOTSUP for another version or byte
 * order, LAGOON_EIO, LAGOON_ENOMEM. file is to be closed in any case. */
int lgn_ckpt_open(const char *dir, const char *name, enum lgn_ckpt_kind kind,
		  struct lgn_ckpt_file *file);
void lgn_ckpt_close(struct lgn_ckpt_file *file);

/* The file of a shard, which must go with the manifest. */
int lgn_ckpt_open_shard(const char *dir, const struct lgn_ckpt_file *manifest,
			uint32_t shard, struct lgn_ckpt_file *file);

/* n bytes of a section, from first on, checked. */
int lgn_ckpt_read(struct lgn_ckpt_file *file, uint32_t section, uint64_t first,
		  uint64_t n, void *out);

/* Read and check every chunk. */
int lgn_ckpt_check(struct lgn_ckpt_file *file);

/* -------------------------------------------------------------- writing */

/* One process's part of a checkpoint, and the thread that writes it. */
struct lgn_saver {
	struct lagoon *lg;
	pthread_t thread;
	bool running;
	int status;			/* of the thread */
	char errmsg[512];
	struct lgn_board_view view;	/* the thread's */
	uint64_t seq;			/* the last checkpoint's; agreed */
	/* what is written */
	char dir[LGN_CKPT_DIR_MAX];
	struct lgn_ckpt_head head;	/* what all files have */
	struct lgn_ckpt_table table[LGN_TABLES];
	struct lagoon_table *t[LGN_TABLES];	/* within lagoon_checkpoint() only */
	void *state;			/* [head.state_bytes] */
	bool first;			/* of those who take part: writes the
					 * manifest */
	bool *member;			/* [size] who takes part */
	int *shard;			/* [shards] that this process writes */
	int shards;
	struct lgn_mem mem;		/* their words, shard after shard */
};

/* Bytes of a table in a shard, its states with it. Not from the table, which may
 * be destroyed while its copy is written. */
static inline uint64_t lgn_saver_bytes(const struct lgn_saver *s, uint32_t table,
				       int shard)
{
	const struct lgn_ckpt_table *d = &s->table[table];

	return lgn_ckpt_words(d, s->head.shards, (uint32_t)shard) *
		(1 + d->states) * 8;
}

/* checkpoint_copy.c: room for the shards that this process writes, and their
 * words. Nothing is added meanwhile: all workers stand still, and what they
 * added is in the shards. LAGOON_EPEER: a page is uncertain. */
int lgn_saver_room(struct lgn_saver *s);
int lgn_saver_copy(struct lgn_saver *s);

/* Write what the saver holds, in a thread of its own. */
int lgn_saver_start(struct lgn_saver *s);

/* Wait for it; the status is told once. */
int lgn_saver_wait(struct lgn_saver *s);

/* lagoon_close(): wait, return the status, free. */
int lgn_saver_finish(struct lagoon *lg);
void lgn_saver_close(struct lagoon *lg);

#endif
