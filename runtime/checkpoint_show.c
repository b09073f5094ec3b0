/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkpoints as they lie in a folder, without a job. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/base/status.h"
#include "runtime/checkpoint.h"
#include "runtime/rule.h"

enum { TRIES = 10 };

static int check_shards(const char *dir, const struct lgn_ckpt_file *manifest)
{
	int rc = 0;

	for (uint32_t i = 0; i < manifest->head.shards && !rc; i++) {
		struct lgn_ckpt_file f;

		rc = lgn_ckpt_open_shard(dir, manifest, i, &f);
		if (!rc)
			rc = lgn_ckpt_check(&f);
		lgn_ckpt_close(&f);
	}
	return rc;
}

/* A job may put another checkpoint in the place of the one that is read. */
static bool replaced(const char *dir, uint64_t id)
{
	struct lgn_ckpt_file now;
	char keep[512];
	bool other;

	snprintf(keep, sizeof(keep), "%s", lagoon_errmsg());
	other = !lgn_ckpt_open(dir, LGN_CKPT_MANIFEST, LGN_CKPT_OF_JOB, &now) &&
		now.head.id != id;
	lgn_ckpt_close(&now);
	lgn_errmsg_set(keep);
	return other;
}

LGN_EXPORT int lagoon_checkpoint_verify(const char *dir)
{
	int rc = 0;

	for (int i = 0; i < TRIES; i++) {
		struct lgn_ckpt_file manifest;
		uint64_t id;

		rc = lgn_ckpt_open(dir, LGN_CKPT_MANIFEST, LGN_CKPT_OF_JOB,
				   &manifest);
		id = manifest.head.id;
		if (!rc)
			rc = lgn_ckpt_check(&manifest);
		if (!rc)
			rc = check_shards(dir, &manifest);
		lgn_ckpt_close(&manifest);
		if (!rc || !replaced(dir, id))
			break;
	}
	return rc;
}

/* ----------------------------------------------------------------- text */

/* Text that grows in a buffer as snprintf() counts. */
struct text {
	char *buf;
	size_t len;
	int used;
};

static void LGN_PRINTF(2, 3) say(struct text *t, const char *fmt, ...)
{
	size_t at = (size_t)t->used < t->len ? (size_t)t->used : t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->len ? t->buf + at : NULL, t->len - at, fmt, ap);
	va_end(ap);
	t->used += n > 0 ? n : 0;
}

static void say_table(struct text *t, const struct lgn_ckpt_table *d)
{
	static const char *const name[] = { "q64", "q32", "i64", "i32", "f64",
		"f32" };
	char format[24];

	if (d->format >= 0 && (size_t)d->format < LGN_COUNT(name))
		snprintf(format, sizeof(format), "%s", name[d->format]);
	else
		snprintf(format, sizeof(format), "format %d", d->format);
	say(t, "table     %s: %llu x %u, %s", d->name,
	    (unsigned long long)d->rows, d->cols, format);
	if (d->frac_bits)
		say(t, ", unit 2^-%d", d->frac_bits);
	say(t, ", %s", lgn_model_name(d->model));
	if (lgn_model_has_bound(d->model))
		say(t, "(%d)", d->staleness);
	say(t, ", push %s", d->push == LAGOON_PUSH_APPLY ? "apply" : "atomic");
	if (d->update[0])
		say(t, ", update %s, %u array%s of state", d->update, d->states,
		    d->states == 1 ? "" : "s");
	say(t, ", %u rows a page, %llu bytes\n", d->page_rows,
	    (unsigned long long)(d->pages * d->page_words * 8 * (1 + d->states)));
}

static void say_job(struct text *t, const struct lgn_ckpt_head *h)
{
	time_t when = (time_t)h->time_s;
	struct tm tm;
	char date[40] = "?";

	if (gmtime_r(&when, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &tm);
	say(t, "version   %u\nclock     %lld\nwritten   %s\n"
	    "job       %u processes, %u nodes, %u workers, %u shards, seed %llu\n"
	    "state     %llu bytes\n",
	    h->version, (long long)h->clock, date, h->processes, h->nodes,
	    h->workers, h->shards, (unsigned long long)h->seed,
	    (unsigned long long)h->state_bytes);
}

/* The length of each shard's file follows from its head, which is checked. */
static int say_files(struct text *t, const char *dir,
		     const struct lgn_ckpt_file *manifest)
{
	int rc = 0;

	say(t, "file      %s: %llu bytes\n", LGN_CKPT_MANIFEST,
	    (unsigned long long)manifest->head.bytes);
	for (uint32_t i = 0; i < manifest->head.shards && !rc; i++) {
		char name[LGN_CKPT_NAME_MAX];
		struct lgn_ckpt_file f;

		rc = lgn_ckpt_open_shard(dir, manifest, i, &f);
		lgn_ckpt_name(i, manifest->head.id, name);
		if (!rc)
			say(t, "file      %s: %llu bytes\n", name,
			    (unsigned long long)f.head.bytes);
		lgn_ckpt_close(&f);
	}
	return rc;
}

static int describe(const char *dir, struct text *t, uint64_t *id)
{
	struct lgn_ckpt_file m;
	int rc = lgn_ckpt_open(dir, LGN_CKPT_MANIFEST, LGN_CKPT_OF_JOB, &m);

	*id = m.head.id;
	t->used = 0;
	if (!rc)
		say_job(t, &m.head);
	for (uint32_t i = 0; !rc && i < m.head.tables; i++)
		say_table(t, &m.table[i]);
	if (!rc)
		rc = say_files(t, dir, &m);
	lgn_ckpt_close(&m);
	return rc;
}

LGN_EXPORT int lagoon_checkpoint_describe(const char *dir, char *buf, size_t len)
{
	struct text t = { .buf = buf, .len = len };
	int rc = 0;

	for (int i = 0; i < TRIES; i++) {
		uint64_t id;

		rc = describe(dir, &t, &id);
		if (!rc || !replaced(dir, id))
			break;
	}
	return rc ? rc : t.used;
}
