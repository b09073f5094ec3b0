/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A checkpoint with anything changed in it is refused with a sentence: first
 * each bit of the manifest and of what describes a shard's file, then mutations
 * of both for 2 s times LAGOON_TEST_SCALE, from LAGOON_TEST_SEED [1] on. Of each
 * other mutation the checksum is made right again, so that what is behind it
 * sees wrong numbers, too: nothing worse than a refusal may happen then (build
 * with --enable-sanitizers).
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/wait.h"
#include "runtime/checkpoint.h"
#include "runtime/lagoon.h"
#include "test/support/temp.h"

enum { ROWS = 1200, FILE_MAX = 1 << 20 };

static char dir[TEMP_PATH];

struct file {
	char path[2 * TEMP_PATH + 1];
	uint8_t *good, *bad;
	size_t len;		/* of good */
};

static struct file file[2];

static _Noreturn void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, lagoon_errmsg());
	exit(1);
}

/* ------------------------------------------------------- a checkpoint */

static void create(struct lagoon *lg, const char *name, int format,
		   const char *update, struct lagoon_table **t)
{
	struct lagoon_table_attr a;

	lagoon_table_attr_init(&a);
	a.rows = ROWS;
	a.format = format;
	a.push = update ? LAGOON_PUSH_APPLY : LAGOON_PUSH_ATOMIC;
	a.update = update;
	if (lagoon_table_create(lg, name, &a, t))
		die("create");
}

static void make_checkpoint(void)
{
	struct lagoon_table *q64, *i32, *f64;
	struct lagoon_worker *w;
	struct lagoon_attr attr;
	struct lagoon *lg;
	double x[ROWS];

	for (int i = 0; i < ROWS; i++)
		x[i] = i * 0.37;
	if (lagoon_attr_init(&attr) || lagoon_open(&attr, &lg))
		die("open");
	create(lg, "q64", LAGOON_Q64, NULL, &q64);
	create(lg, "i32", LAGOON_I32, NULL, &i32);
	create(lg, "f64", LAGOON_FLOAT64, "adam", &f64);
	if (lagoon_worker(lg, 0, &w) || lagoon_add(w, q64, 0, ROWS, x) ||
	    lagoon_add(w, f64, 0, ROWS, x) || lagoon_clock(w) || lagoon_checkpoint(w, dir, "a state", 8) ||
	    lagoon_close(lg))
		die("checkpoint");
}

static void read_file(struct file *f, const char *name)
{
	FILE *in;

	snprintf(f->path, sizeof(f->path), "%s/%.255s", dir, name);
	f->good = malloc(FILE_MAX);
	f->bad = malloc(FILE_MAX);
	in = fopen(f->path, "r");
	if (!in || !f->good || !f->bad)
		die(f->path);
	f->len = fread(f->good, 1, FILE_MAX, in);
	fclose(in);
	if (f->len == FILE_MAX)
		die("a large file");
}

static void read_files(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		if (!strcmp(e->d_name, LGN_CKPT_MANIFEST))
			read_file(&file[0], e->d_name);
		else if (lgn_ckpt_name_id(e->d_name))
			read_file(&file[1], e->d_name);
	}
	if (!d || !file[0].good || !file[1].good)
		die("its files");
	closedir(d);
}

static void put(const struct file *f, const uint8_t *bytes, size_t len)
{
	/* not O_TRUNC: some file systems write to the disk then */
	int fd = open(f->path, O_WRONLY);

	if (fd < 0 || pwrite(fd, bytes, len, 0) != (ssize_t)len ||
	    ftruncate(fd, (off_t)len))
		die("write");
	close(fd);
}

/* ---------------------------------------------------------- the check */

static void check(const struct file *f, size_t len, bool right)
{
	bool changed = len != f->len || memcmp(f->bad, f->good, len);
	char text[64];
	int rc, shown;

	put(f, f->bad, len);
	rc = lagoon_checkpoint_verify(dir);
	shown = lagoon_checkpoint_describe(dir, text, sizeof(text));
	if (!changed && (rc || shown <= 0))
		die("refused, though whole");
	if (changed && !rc && !right)
		die("not refused");
	if (rc && (!strstr(lagoon_errmsg(), dir) && shown < 0))
		die("no file is named");
	if (rc && rc != LAGOON_ECORRUPT && rc != LAGOON_ENOTSUP && rc != LAGOON_ENOENT)
		die("another error");
}

/* Behind the end of a table's text of its update function: zeros, many. */
static bool behind_text(const struct file *f, size_t i)
{
	const struct lgn_ckpt_head *h = (void *)f->good;
	const struct lgn_ckpt_table *d = (void *)(f->good + sizeof(*h));

	for (uint32_t k = 0; k < h->tables; k++) {
		size_t end = (size_t)((const uint8_t *)(&d[k] + 1) - f->good);

		if (i < end && i > end - sizeof(d->update) + strlen(d[k].update))
			return true;
	}
	return false;
}

/* One of each byte there. */
static void every_bit(const struct file *f, size_t len)
{
	memcpy(f->bad, f->good, f->len);
	for (size_t i = 0; i < len; i++)
		for (int bit = 0; bit < (behind_text(f, i) ? 1 : 8); bit++) {
			f->bad[i] ^= (uint8_t)(1 << bit);
			check(f, f->len, false);
			f->bad[i] ^= (uint8_t)(1 << bit);
		}
	put(f, f->good, f->len);
}

static uint64_t state;

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/* The numbers that break readers, at any place. */
static void poke(uint8_t *bytes, size_t len)
{
	static const uint64_t number[] = {
		0, 1, 7, 64, 65, 0x7fffffff, 0x80000000, 0xffffffff,
		UINT64_MAX, UINT64_MAX / 8, UINT64_MAX / 8 + 2, 1ull << 63,
		1ull << 40, LGN_CKPT_CHUNK, 1200,
	};
	uint64_t n = below(3) ? number[below(sizeof(number) / 8)] : below(UINT64_MAX);
	size_t size = 1u << below(4), at = below(len - 8);

	memcpy(bytes + at / size * size, &n, size);
}

static void mend(struct file *f, size_t len)
{
	struct lgn_ckpt_head *h = (void *)f->bad;
	lgn_ckpt_sum sum;

	if (below(2))
		h->bytes = len;
	if (h->data < sizeof(*h) + sizeof(sum) || h->data > len)
		return;
	sum = lgn_ckpt_crc(f->bad, h->data - sizeof(sum));
	memcpy(f->bad + h->data - sizeof(sum), &sum, sizeof(sum));
}

static void mutate(struct file *f)
{
	size_t len = f->len;
	bool right = below(2);

	memcpy(f->bad, f->good, len);
	if (!below(4))
		len = below(len + 1);
	else if (!below(8))
		len += 8;
	for (uint64_t i = below(4) + 1; i && len > 16; i--)
		poke(f->bad, right && len > 600 ? 600 : len);
	if (right && len > sizeof(struct lgn_ckpt_head))
		mend(f, len);
	check(f, len, right);
	put(f, f->good, f->len);
}

int main(void)
{
	const char *text = getenv("LAGOON_TEST_SEED"), *scale = getenv("LAGOON_TEST_SCALE");
	double seconds = 2 * (scale ? atof(scale) : 1);
	uint64_t end, seed, runs = 0;

	seed = text ? strtoull(text, NULL, 10) : 1;
	state = seed * 2 + 1;
	if (!temp_folder(dir))
		die("mkdtemp");
	printf("1..2\n# seed %" PRIu64 "\n", seed);
	make_checkpoint();
	read_files();
	for (int i = 0; i < 2; i++)
		every_bit(&file[i], ((struct lgn_ckpt_head *)(void *)file[i].good)->data);
	puts("ok 1 - every bit of heads, tables and sums");
	end = lgn_now_ns() + (uint64_t)(seconds * 1e9);
	for (; lgn_now_ns() < end; runs++)
		mutate(&file[below(2)]);
	printf("ok 2 - %" PRIu64 " mutations\n", runs);
	for (int i = 0; i < 2; i++) {
		unlink(file[i].path);
		free(file[i].good);
		free(file[i].bad);
	}
	return rmdir(dir) != 0;
}
