/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lagoon_checkpoint(): the workers meet, what they added arrives, homes copy
 * their shards (checkpoint_copy.c), all meet again and go on; a thread of each
 * process writes the copies (checkpoint_write.c).
 *
 * A home without live workers is not in the call, and sleeps: then another
 * process READs its shard.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/apply.h"
#include "runtime/audit.h"
#include "runtime/base/status.h"
#include "runtime/calls.h"
#include "runtime/checkpoint.h"
#include "runtime/push.h"
#include "runtime/table.h"

#define SLOT (-1000)		/* no change of a model has it: see rule.c */

/* What a process says when workers meet for a checkpoint. */
struct offer {
	int32_t status;
	int32_t slot;		/* SLOT */
	int64_t low, high;	/* clocks of its workers */
	uint64_t what;		/* folder and tables, hashed */
	uint64_t id;
	uint64_t seq;
};
_Static_assert(sizeof(struct offer) <= LGN_SAID_BYTES, "one slot");

/* Who takes part, and what was agreed. */
struct meeting {
	struct offer mine;
	int first;		/* the lowest rank of those who take part */
	uint64_t id, seq;
};

LGN_EXPORT int lagoon_table_set_saved(struct lagoon_table *t, int saved)
{
	t->unsaved = !saved;
	return 0;
}

static uint64_t hash(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3u;	/* FNV-1a */
	return h;
}

/* ------------------------------------------------------ what is wanted */

static int check_wish(struct lagoon_worker *w, const char *dir)
{
	const struct lagoon *lg = w->lg;

	if (!dir[0] || strlen(dir) >= LGN_CKPT_DIR_MAX)
		return lgn_fail(LAGOON_EINVAL, "checkpoint: the name of a folder has %zu bytes: expected 1 to %d",
				strlen(dir), LGN_CKPT_DIR_MAX - 1);
	if (w->busy)
		return lgn_fail(LAGOON_EINVAL, "checkpoint: worker %d has requests in flight: complete them first",
				w->id);
	for (int i = 0; i < LGN_TABLES; i++) {
		const struct lagoon_table *t = lg->table[i];

		if (t && !t->unsaved && t->part[w->index].call &&
		    t->part[w->index].round == w->clock)
			return lgn_fail(LAGOON_EINVAL, "checkpoint: worker %d has added to table %s since its last lagoon_clock(): a checkpoint is at a clock",
					w->id, t->name);
	}
	return 0;
}

/* The workers of this process must want the same. */
static int join_wishes(struct lagoon_worker *w, struct offer *mine)
{
	const struct lagoon *lg = w->lg;

	mine->low = LGN_CLOCK_LEFT;
	for (int i = 0; i < lg->local_workers; i++) {
		const struct lagoon_worker *v = &lg->worker[i];

		if (v->left)
			continue;
		mine->low = v->clock < mine->low ? v->clock : mine->low;
		mine->high = v->clock > mine->high ? v->clock : mine->high;
		if (!v->save.asked)
			return lgn_fail(LAGOON_EINVAL, "worker %d is in a checkpoint, worker %d in another call for all: they must agree",
					w->id, v->id);
		if (v->save.status) {
			lgn_errmsg_set(v->errmsg);
			return v->save.status;
		}
		if (strcmp(v->save.dir, w->save.dir))
			return lgn_fail(LAGOON_EINVAL, "worker %d writes a checkpoint to %.100s, worker %d to %.100s: they must agree",
					v->id, v->save.dir, w->id, w->save.dir);
	}
	return 0;
}

static void describe(struct lgn_ckpt_table *d, const struct lagoon_table *t)
{
	struct lagoon_table_attr a = { .size = sizeof(a) };

	lagoon_table_get_attr(t, &a);
	memset(d, 0, sizeof(*d));
	memcpy(d->name, t->name, sizeof(d->name));
	d->rows = a.rows;
	d->cols = a.cols;
	d->format = a.format;
	d->type = a.type;
	d->frac_bits = a.frac_bits;
	d->model = a.model;
	d->staleness = a.staleness;
	d->sample = a.sample;
	d->change = a.change;
	d->page_rows = a.page_rows;
	d->page_words = lgn_table_page_words(t);
	d->pages = t->layout.pages;
	d->block = t->layout.block;
	d->salt = t->salt;
	d->push = a.push;
	if (!t->apply)
		return;
	d->states = t->apply->fn.fn->states;
	d->digest = t->apply->fn.digest;
	snprintf(d->update, sizeof(d->update), "%s", t->apply->text);
}

static int make_dir(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0777) && errno != EEXIST)
		return lgn_fail(LAGOON_EIO, "%s: cannot make this folder: %s", dir,
				strerror(errno));
	if (stat(dir, &st) || !S_ISDIR(st.st_mode))
		return lgn_fail(LAGOON_EIO, "%s: cannot write: it is there and no folder", dir);
	return access(dir, W_OK | X_OK) ?
		lgn_fail(LAGOON_EIO, "%s: cannot write: %s", dir, strerror(errno)) : 0;
}

/* ------------------------------------------------------------ the saver */

static int get_saver(struct lagoon *lg)
{
	struct lgn_saver *s;
	int rc;

	if (lg->saver)
		return lgn_saver_wait(lg->saver);
	s = calloc(1, sizeof(*s));
	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for checkpoints");
	lg->saver = s;
	s->lg = lg;
	s->member = calloc((size_t)lg->size, sizeof(*s->member));
	s->shard = calloc((size_t)lg->homes, sizeof(*s->shard));
	rc = s->member && s->shard ? lgn_board_view_open(lg, &s->view) :
		lgn_fail(LAGOON_ENOMEM, "no memory for checkpoints");
	if (rc)
		lgn_saver_close(lg);
	return rc;
}

/* The state is that of the process's first worker; of the processes', the
 * first one's counts. */
static int take_state(struct lgn_saver *s)
{
	const struct lgn_save_wish *wish = NULL;

	for (int i = s->lg->local_workers - 1; i >= 0; i--)
		if (!s->lg->worker[i].left)
			wish = &s->lg->worker[i].save;
	free(s->state);
	s->head.state_bytes = wish->bytes;
	s->state = calloc(1, wish->bytes + 8);
	if (!s->state)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a state of %zu bytes",
				wish->bytes);
	if (wish->bytes)
		memcpy(s->state, wish->state, wish->bytes);
	return 0;
}

static int prepare(struct lagoon_worker *w, struct lgn_saver *s)
{
	struct lagoon *lg = w->lg;
	uint32_t n = 0;

	snprintf(s->dir, sizeof(s->dir), "%s", w->save.dir);
	for (int i = 0; i < LGN_TABLES; i++) {
		if (!lg->table[i] || lg->table[i]->unsaved)
			continue;
		describe(&s->table[n], lg->table[i]);
		s->t[n++] = lg->table[i];
	}
	memset(&s->head, 0, sizeof(s->head));
	memcpy(s->head.magic, LGN_CKPT_MAGIC, sizeof(s->head.magic));
	s->head.version = LGN_CKPT_VERSION;
	s->head.order = LGN_CKPT_ORDER;
	s->head.tables = n;
	s->head.clock = w->clock;
	s->head.time_s = (int64_t)time(NULL);
	s->head.seed = lg->seed;
	s->head.spell = lg->spell;
	s->head.shards = (uint32_t)lg->homes;
	s->head.workers = (uint32_t)lg->total_workers;
	s->head.processes = (uint32_t)lg->size;
	s->head.nodes = (uint32_t)lg->nodes;
	return take_state(s);
}

/* What this process brings to the meeting. */
static int make_offer(struct lagoon_worker *w, struct offer *mine)
{
	struct lgn_saver *s;
	int rc = join_wishes(w, mine);

	if (!rc)
		rc = get_saver(w->lg);
	if (rc)
		return rc;
	s = w->lg->saver;
	rc = prepare(w, s);
	if (!rc)
		rc = make_dir(s->dir);
	if (!rc && getrandom(&mine->id, sizeof(mine->id), 0) < 0)
		rc = lgn_fail(LAGOON_EIO, "getrandom: %s", strerror(errno));
	mine->id |= 1;		/* 0 is none */
	mine->seq = s->seq + 1;
	mine->what = hash(0xcbf29ce484222325u, s->dir, strlen(s->dir));
	mine->what = hash(mine->what, s->table, s->head.tables * sizeof(s->table[0]));
	return rc;
}

/* ------------------------------------------------------------- agreeing */

static bool takes_part(const struct lagoon *lg, int rank)
{
	const struct lgn_board_view *v = &lg->clock_view;

	return v->state[rank] == LGN_LIVE &&
		(int64_t)v->clock[rank] >= lg->met &&
		(int64_t)v->clock[rank] < LGN_CLOCK_LEFT;
}

static int judge_one(const struct lagoon *lg, struct meeting *m, int rank,
		     const struct offer *o)
{
	if (!o || o->slot != SLOT)
		return lgn_fail(LAGOON_EINVAL, "rank %d is in another call for all, others write a checkpoint: they must agree",
				rank);
	if (o->status)
		return rank == lg->rank ? o->status :
			lgn_fail(o->status, "rank %d cannot take part in a checkpoint: %s",
				 rank, lagoon_strerror(o->status));
	if (o->what != m->mine.what)
		return lgn_fail(LAGOON_EINVAL, "rank %d writes a checkpoint to another folder than rank %d, or of other tables: they must agree",
				rank, lg->rank);
	if (o->low != o->high || o->low != m->mine.low)
		return lgn_fail(LAGOON_EINVAL, "checkpoint: the workers of rank %d are at clocks %lld to %lld, those of rank %d at %lld to %lld: a checkpoint is at one clock",
				rank, (long long)o->low, (long long)o->high,
				lg->rank, (long long)m->mine.low,
				(long long)m->mine.high);
	return 0;
}

/* Everybody comes to the same verdict from the same slots. */
static int judge(struct lagoon *lg, struct meeting *m, const char *slots)
{
	m->first = -1;
	for (int i = 0; i < lg->size; i++) {
		const struct offer *o = lgn_board_said(lg, slots, i, LGN_MET,
						       lg->met);
		int rc;

		if (lg->saver)
			lg->saver->member[i] = o || takes_part(lg, i);
		if (!o && !takes_part(lg, i))
			continue;
		rc = judge_one(lg, m, i, o);
		if (rc)
			return rc;
		if (m->first < 0) {
			m->first = i;
			m->id = o->id;
		}
		m->seq = o->seq > m->seq ? o->seq : m->seq;
	}
	return 0;
}

static int agree(struct lagoon_worker *w, struct meeting *m)
{
	struct lagoon *lg = w->lg;
	char *slots = malloc((size_t)lg->size * LGN_SLOT_BYTES);
	int rc;

	if (!slots)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %d members", lg->size);
	m->mine.slot = SLOT;
	m->mine.status = make_offer(w, &m->mine);
	snprintf(w->errmsg, sizeof(w->errmsg), "%s",
		 m->mine.status ? lagoon_errmsg() : "");
	rc = lgn_board_tell(lg, &lg->clock_view, LGN_MET, ++lg->met, &m->mine,
			    sizeof(m->mine), slots);
	if (!rc) {
		if (m->mine.status)
			lgn_errmsg_set(w->errmsg);
		rc = judge(lg, m, slots);
	}
	free(slots);
	return rc;
}

/* --------------------------------------------------------- the meetings */

static int send_all(struct lagoon_worker *w)
{
	int rc;

	lgn_push_lock(w->lg);
	rc = lgn_push_deltas(w);
	lgn_push_unlock(w->lg);
	return rc;
}

/* Whoever cannot write says so on the board, since the first waits for it. */
static int start_writing(struct lgn_saver *s, int rc)
{
	char keep[512];

	if (!rc)
		rc = lgn_saver_start(s);
	if (!rc)
		return 0;
	snprintf(keep, sizeof(keep), "%s", lagoon_errmsg());
	lgn_board_publish(s->lg, &s->view, LGN_SAVED, (int64_t)(s->seq << 1 | 1));
	lgn_errmsg_set(keep);
	return rc;
}

/* For all workers of the process. */
static int save_together(void *arg)
{
	struct lagoon_worker *w = arg;
	struct lagoon *lg = w->lg;
	struct meeting m = { .first = -1 };
	struct lgn_saver *s;
	int rc = agree(w, &m), range, more;

	for (int i = 0; i < lg->local_workers; i++)
		lg->worker[i].save.done = true;
	if (rc)
		return rc;
	s = lg->saver;
	s->head.id = m.id;
	s->seq = m.seq;
	s->first = m.first == lg->rank;
	range = send_all(w);
	if (range && range != LAGOON_ERANGE)
		return range;
	rc = lgn_audit_tell(lg);
	if (!rc)
		rc = lgn_board_meet(lg, &lg->clock_view, LGN_MET, ++lg->met);
	if (!rc)
		rc = lgn_audit_met(lg);
	if (rc)
		return rc;
	rc = lgn_saver_room(s);
	if (!rc)
		rc = lgn_saver_copy(s);
	snprintf(w->errmsg, sizeof(w->errmsg), "%s", rc ? lagoon_errmsg() : "");
	more = lgn_board_meet(lg, &lg->clock_view, LGN_MET, ++lg->met);
	atomic_fetch_add(&lg->epoch, 1);
	if (rc)
		lgn_errmsg_set(w->errmsg);
	else
		rc = more;
	rc = start_writing(s, rc);
	return rc ? rc : range;
}

int lgn_checkpoint(struct lagoon_worker *w, const char *dir, const void *state,
		   size_t bytes)
{
	int rc = lgn_worker_check(w);

	if (rc)
		return rc;
	/* One who cannot take part says so to all instead of leaving them
	 * waiting. */
	w->save = (struct lgn_save_wish){
		.asked = true, .dir = dir, .state = state, .bytes = bytes,
	};
	w->save.status = check_wish(w, dir);
	snprintf(w->errmsg, sizeof(w->errmsg), "%s",
		 w->save.status ? lagoon_errmsg() : "");
	rc = lgn_meet(w, save_together);
	w->save.asked = false;
	if (!rc && !w->save.done)
		return lgn_fail(LAGOON_EINVAL, "worker %d is in a checkpoint, others of its process in another call for all: they must agree",
				w->id);
	return rc;
}
