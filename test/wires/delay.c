/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/status.h"
#include "test/support/test.h"
#include "test/wires/delay.h"

enum {
	SLOTS = 1024,		/* requests kept back */
	PIECES = 4,		/* of a GET or PUT */
	TIMEOUT_S = 30,
	MAX_BATCH = 256,
	DONE = 32,		/* completions of a poll, at most */
	LINGER_NS = 3000000,
	RANKS = 64,		/* ways that can break */
};

/* A request on its way: its pieces are executed in any order; when all are,
 * it stays on until it is completed. */
struct slot {
	struct lgn_batch *batch;
	struct lgn_wr *wr;
	unsigned pieces;
	unsigned executed;	/* a bit a piece */
	unsigned linger_at;	/* what `executed` is when it lingers */
	uint64_t linger_ns;	/* until then */
	bool doomed;		/* fails when it is executed */
};

struct delay {
	struct lgn_wire wire;
	struct lgn_wire *below;
	struct delay_config config;
	pthread_mutex_t lock;
	struct t_rng rng;
	bool broken[2][RANKS];		/* without bells, with them */
	unsigned used;
	struct slot slot[SLOTS];	/* the first `used` */
};

/* Completions that one poll has collected under the lock and tells after it:
 * a batch's own function may take locks under which others post. */
struct done {
	unsigned n;
	struct {
		struct lgn_batch *batch;
		int status;
		bool uncertain;
	} of[DONE];
};

static struct delay_config next_config;
static _Atomic uint64_t failing_from = UINT64_MAX;	/* n_posted */
static _Atomic uint64_t n_posted, n_refused, n_executed, n_again, n_failed;

void delay_configure(const struct delay_config *config)
{
	next_config = *config;
}

void delay_fail_after(uint64_t requests)
{
	atomic_store(&failing_from, n_posted + requests);
}

struct delay_counts delay_counts(void)
{
	return (struct delay_counts){ n_posted, n_refused, n_executed, n_again,
				      n_failed };
}

static struct delay *delay_of(struct lgn_wire *wire)
{
	return (struct delay *)wire;
}

static bool *broken(struct delay *d, const struct lgn_rmem *mem)
{
	return &d->broken[mem->bell][mem->peer % RANKS];
}

static int delay_open(const struct lgn_wire_near *near,
		      struct lgn_wire_addr *mine, struct lgn_wire **wire)
{
	struct delay *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return lgn_fail(LAGOON_ENOMEM, "delay wire");
	d->config = next_config;
	if (!d->config.below)
		d->config.below = &lgn_wire_shm;
	rc = d->config.below->open(near, mine, &d->below);
	if (rc) {
		free(d);
		return rc;
	}
	d->wire.ops = &lgn_wire_delay;
	d->wire.max_batch = d->below->max_batch < MAX_BATCH
		? d->below->max_batch : MAX_BATCH;
	d->rng.state = d->config.seed;
	pthread_mutex_init(&d->lock, NULL);
	*wire = &d->wire;
	return 0;
}

static int delay_start(struct lgn_wire *wire,
		       const struct lgn_wire_config *config,
		       const struct lgn_wire_addr *all, const int *node_of)
{
	struct delay *d = delay_of(wire);

	d->rng.state = t_mix(d->config.seed, (uint64_t)config->rank);
	return d->below->ops->start(d->below, config, all, node_of);
}

static void delay_quiet(struct lgn_wire *wire)
{
	struct delay *d = delay_of(wire);

	d->below->ops->quiet(d->below);
}

static void delay_close(struct lgn_wire *wire)
{
	struct delay *d = delay_of(wire);

	d->below->ops->close(d->below);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static int delay_reg(struct lgn_wire *wire, const struct lgn_mem_want *want,
		     struct lgn_mem *mem)
{
	struct delay *d = delay_of(wire);

	return d->below->ops->reg(d->below, want, mem);
}

static void delay_unreg(struct lgn_wire *wire, struct lgn_mem *mem)
{
	struct delay *d = delay_of(wire);

	d->below->ops->unreg(d->below, mem);
}

/* priv is the region as the wire below attached it. */
static int delay_attach(struct lgn_wire *wire, int peer,
			const struct lgn_key *key, struct lgn_rmem *mem)
{
	struct delay *d = delay_of(wire);
	struct lgn_rmem *inner = calloc(1, sizeof(*inner));
	int rc;

	if (!inner)
		return lgn_fail(LAGOON_ENOMEM, "delay wire");
	rc = d->below->ops->attach(d->below, peer, key, inner);
	if (rc) {
		free(inner);
		return rc;
	}
	*mem = *inner;
	mem->wire = wire;
	mem->map = NULL;
	mem->priv = inner;
	return 0;
}

static void delay_detach(struct lgn_rmem *mem)
{
	struct lgn_rmem *inner = mem->priv;

	if (!inner)
		return;
	inner->wire->ops->detach(inner);
	free(inner);
	mem->priv = NULL;
}

static unsigned pieces_of(struct delay *d, const struct lgn_wr *wr)
{
	unsigned most = wr->len / 8;

	if (wr->op != LGN_GET && wr->op != LGN_PUT)
		return 1;
	if (most > PIECES)
		most = PIECES;
	return most > 1 ? 1 + (unsigned)t_below(&d->rng, most) : 1;
}

/* What no wire takes is refused at once. */
static bool in_bounds(const struct lgn_wr *wr)
{
	return wr->off % 8 == 0 && wr->len % 8 == 0 && wr->len > 0 &&
	       wr->off <= wr->mem->len && wr->len <= wr->mem->len - wr->off;
}

/* A request more. Some will stay for a while, either not begun or complete
 * but for saying so: the moment that brings out wrong orders. */
static void take(struct delay *d, struct lgn_batch *batch, struct lgn_wr *wr)
{
	struct slot *slot = &d->slot[d->used++];

	*slot = (struct slot){ .batch = batch, .wr = wr };
	slot->pieces = pieces_of(d, wr);
	if (!d->config.linger || !t_once_in(&d->rng, d->config.linger))
		return;
	slot->linger_at = t_once_in(&d->rng, 2) ? 0 : (1u << slot->pieces) - 1;
	slot->linger_ns = t_now_ns() + t_below(&d->rng, LINGER_NS);
}

/* A batch to a peer that is out of reach is not taken. Needs the lock. */
static int check_ways(struct delay *d, const struct lgn_batch *batch)
{
	for (uint32_t i = 0; i < batch->n; i++)
		if (*broken(d, batch->wr[i].mem))
			return lgn_fail(d->config.fail_status,
					"wire delay: the way to rank %d is broken",
					batch->wr[i].mem->peer);
	return 0;
}

static int delay_post(struct lgn_wire *wire, struct lgn_batch *batch)
{
	struct delay *d = delay_of(wire);
	int rc;

	for (uint32_t i = 0; i < batch->n; i++)
		if (!in_bounds(&batch->wr[i]))
			return lgn_fail(LAGOON_EINVAL, "request %u is outside its region", i);
	pthread_mutex_lock(&d->lock);
	rc = check_ways(d, batch);
	if (rc) {
		;
	} else if (batch->n > wire->max_batch) {
		rc = lgn_fail(LAGOON_EINVAL, "batch of %u", batch->n);
	} else if (d->used + batch->n > SLOTS ||
		   (d->config.refuse && t_once_in(&d->rng, d->config.refuse))) {
		n_refused++;
		rc = LAGOON_EAGAIN;
	} else {
		lgn_batch_begin(batch);
		for (uint32_t i = 0; i < batch->n; i++)
			take(d, batch, &batch->wr[i]);
		n_posted += batch->n;
	}
	pthread_mutex_unlock(&d->lock);
	return rc;
}

/* Piece k of the request through the wire below, to its end. */
static int execute(struct delay *d, const struct slot *slot, unsigned k)
{
	struct lgn_wr wr = *slot->wr;
	struct lgn_batch batch = { .wr = &wr, .n = 1 };
	uint32_t words = wr.len / 8;
	uint32_t first = words * k / slot->pieces;
	uint32_t last = words * (k + 1) / slot->pieces;

	wr.mem = slot->wr->mem->priv;
	wr.off += first * 8;
	wr.local += first;
	wr.len = (last - first) * 8;
	n_executed++;
	return lgn_wire_run(d->below, &batch, TIMEOUT_S);
}

static void finish(struct delay *d, unsigned i, int status, struct done *done)
{
	const struct slot *slot = &d->slot[i];
	enum lgn_op op = slot->wr->op;

	done->of[done->n].batch = slot->batch;
	done->of[done->n].uncertain = status && (op == LGN_ADD || op == LGN_CAS);
	done->of[done->n++].status = status;
	d->slot[i] = d->slot[--d->used];
}

static void fail(struct delay *d, unsigned i, struct done *done)
{
	n_failed++;
	if (d->config.fail_breaks)
		*broken(d, d->slot[i].wr->mem) = true;
	finish(d, i, d->config.fail_status, done);
}

/* Whether a request fails now, with what is executed of it. One that is not
 * begun may also be let through to its end, and fail then. */
static bool fails(struct delay *d, struct slot *slot)
{
	if (*broken(d, slot->wr->mem))
		return true;
	if (n_posted < atomic_load(&failing_from) || !d->config.fail ||
	    !(d->config.fail_ops & 1u << slot->wr->op) ||
	    !t_once_in(&d->rng, d->config.fail))
		return false;
	if (!slot->executed && t_once_in(&d->rng, 2))
		slot->doomed = true;
	return !slot->doomed;
}

/* One step of a request: a piece, the same GET once more, or its end. */
static void step(struct delay *d, unsigned i, struct done *done)
{
	struct slot *slot = &d->slot[i];
	unsigned all = (1u << slot->pieces) - 1;
	unsigned k = (unsigned)t_below(&d->rng, slot->pieces);
	int rc;

	if (slot->linger_ns && slot->executed == slot->linger_at) {
		if (t_now_ns() < slot->linger_ns)
			return;
		slot->linger_ns = 0;
	}
	if (fails(d, slot)) {
		fail(d, i, done);
		return;
	}
	if (slot->executed == all) {
		if (slot->doomed) {
			fail(d, i, done);
			return;
		}
		if (slot->wr->op != LGN_GET || !d->config.again ||
		    !t_once_in(&d->rng, d->config.again)) {
			finish(d, i, 0, done);
			return;
		}
		n_again++;
		slot->executed = 0;
	}
	while (slot->executed & 1u << k)
		k = (k + 1) % slot->pieces;
	rc = execute(d, slot, k);
	slot->executed |= 1u << k;
	if (rc)
		finish(d, i, rc, done);
}

static void delay_poll(struct lgn_wire *wire)
{
	struct delay *d = delay_of(wire);
	unsigned hold = d->config.hold ? d->config.hold : 1;
	struct done done = { .n = 0 };

	d->below->ops->poll(d->below);
	pthread_mutex_lock(&d->lock);
	for (unsigned n = 1 + d->used; n && d->used && done.n < DONE; n--)
		if (t_once_in(&d->rng, hold))
			step(d, (unsigned)t_below(&d->rng, d->used), &done);
	pthread_mutex_unlock(&d->lock);
	for (unsigned i = 0; i < done.n; i++) {
		if (done.of[i].uncertain)
			atomic_fetch_add(&done.of[i].batch->uncertain, 1);
		lgn_batch_complete(done.of[i].batch, 1, done.of[i].status);
	}
}

static const char *delay_why(struct lgn_wire *wire, int peer)
{
	struct delay *d = delay_of(wire);

	return d->below->ops->why(d->below, peer);
}

static int delay_hear(struct lgn_wire *wire, struct lgn_bell *bell, int n)
{
	struct delay *d = delay_of(wire);

	return d->below->ops->hear(d->below, bell, n);
}

static void delay_hush(struct lgn_wire *wire)
{
	struct delay *d = delay_of(wire);

	d->below->ops->hush(d->below);
}

/* What broke is what this wire broke, or the one below. */
static int delay_mend(struct lgn_rmem *mem)
{
	struct delay *d = delay_of(mem->wire);
	struct lgn_rmem *inner = mem->priv;
	bool ours;

	pthread_mutex_lock(&d->lock);
	ours = *broken(d, mem);
	*broken(d, mem) = false;
	pthread_mutex_unlock(&d->lock);
	return ours ? 0 : d->below->ops->mend(inner);
}

static void delay_poke(struct lgn_wire *wire, int peer)
{
	struct delay *d = delay_of(wire);

	d->below->ops->poke(d->below, peer);
}

const struct lgn_wire_ops lgn_wire_delay = {
	.name = "delay",
	.open = delay_open,
	.start = delay_start,
	.quiet = delay_quiet,
	.close = delay_close,
	.reg = delay_reg,
	.unreg = delay_unreg,
	.attach = delay_attach,
	.detach = delay_detach,
	.post = delay_post,
	.poll = delay_poll,
	.why = delay_why,
	.hear = delay_hear,
	.hush = delay_hush,
	.mend = delay_mend,
	.poke = delay_poke,
};
