/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>

#include "runtime/base/status.h"
#include "verbs/rc/rc.h"

enum {
	MAX_BATCH = 256,
	/* A request that crosses the border of a chunk is two. */
	MAX_PIECES = MAX_BATCH + 64,
};

struct chain {
	struct lgn_rc_qp *qp;
	int part;
	uint32_t n;
	struct ibv_send_wr *first, *last;
};

/* A batch on its way into the device; on the poster's stack. */
struct plan {
	uint32_t n, chains;
	uint32_t turn;		/* batches take the queue pairs in turn */
	struct chain chain[MAX_BATCH];
	struct ibv_send_wr wr[MAX_PIECES];
	struct ibv_sge sge[MAX_PIECES];
};

static const enum ibv_wr_opcode opcode[] = {
	[LGN_GET] = IBV_WR_RDMA_READ,
	[LGN_PUT] = IBV_WR_RDMA_WRITE,
	[LGN_ADD] = IBV_WR_ATOMIC_FETCH_AND_ADD,
	[LGN_CAS] = IBV_WR_ATOMIC_CMP_AND_SWP,
	[LGN_PUT_BELL] = IBV_WR_RDMA_WRITE_WITH_IMM,
};

/* The chain of this queue pair. Most batches have one. */
static struct chain *chain_of(struct plan *p, struct lgn_rc_qp *qp)
{
	uint32_t i = p->chains;

	while (i--)
		if (p->chain[i].qp == qp)
			return &p->chain[i];
	if (p->chains == MAX_BATCH)
		return NULL;
	p->chain[p->chains] = (struct chain){ .qp = qp, .part = -1 };
	return &p->chain[p->chains++];
}

static void fill(const struct lgn_wr *from, uint64_t remote, uint32_t rkey,
		 struct ibv_send_wr *wr)
{
	wr->opcode = opcode[from->op];
	wr->send_flags = 0;
	wr->next = NULL;
	wr->num_sge = 1;
	wr->wr_id = from->op;
	if (from->op != LGN_ADD && from->op != LGN_CAS) {
		wr->wr.rdma.remote_addr = remote;
		wr->wr.rdma.rkey = rkey;
		wr->imm_data = htonl((uint32_t)from->operand);
		return;
	}
	wr->wr.atomic.remote_addr = remote;
	wr->wr.atomic.rkey = rkey;
	wr->wr.atomic.compare_add = from->op == LGN_ADD ? from->operand :
		from->expect;
	wr->wr.atomic.swap = from->operand;
}

static void link_in(struct chain *c, struct ibv_send_wr *wr)
{
	if (c->last)
		c->last->next = wr;
	else
		c->first = wr;
	c->last = wr;
	c->n++;
}

static uint64_t left_in_chunk(unsigned shift, uint64_t off)
{
	return (1ull << shift) - (off & ((1ull << shift) - 1));
}

static uint32_t smallest(uint64_t a, uint64_t b, uint64_t c)
{
	a = a < b ? a : b;
	return (uint32_t)(a < c ? a : c);
}

/* One request becomes a piece for each chunk, on either side, that it is in. */
static int split(const struct lgn_rc *rc, struct plan *p,
		 const struct lgn_wr *wr, uint32_t i)
{
	const struct lgn_rc_rmem *to = wr->mem->priv;
	const struct lgn_rc_mem *buf = wr->buf->priv;
	struct chain *c = chain_of(p, to->bell ? &to->peer->bell :
				   &to->peer->qp[(p->turn + i / LGN_RC_SIGNAL) %
						 (uint32_t)rc->options.qps]);
	uint64_t local = (uint64_t)(uintptr_t)wr->local - buf->addr;
	uint64_t remote = wr->off;
	uint32_t left = wr->len;

	while (left && c && p->n < MAX_PIECES) {
		uint32_t len = smallest(left, left_in_chunk(rc->chunk_shift, local),
					left_in_chunk(to->chunk_shift, remote));
		struct ibv_send_wr *out = &p->wr[p->n];
		struct ibv_sge *sge = &p->sge[p->n++];

		sge->addr = buf->addr + local;
		sge->length = len;
		sge->lkey = buf->mr[local >> rc->chunk_shift]->lkey;
		out->sg_list = sge;
		fill(wr, to->addr + remote, to->rkey[remote >> to->chunk_shift], out);
		if (wr->op == LGN_PUT && len == 8)
			out->send_flags = IBV_SEND_INLINE;
		/* One bell, with the last piece: a queue pair writes in order. */
		if (lgn_unlikely(wr->op == LGN_PUT_BELL && len < left))
			out->opcode = IBV_WR_RDMA_WRITE;
		link_in(c, out);
		local += len;
		remote += len;
		left -= len;
	}
	return !left ? 0 : lgn_fail(LAGOON_EINVAL, "a batch crosses more than %d borders of memory chunks",
				    MAX_PIECES - MAX_BATCH);
}

static int check(const struct lgn_wr *wr)
{
	const struct lgn_rc_rmem *to = wr->mem->priv;
	int failed = lgn_rc_failed(to->peer, to->bell);

	if (lgn_unlikely(failed))
		return lgn_fail(failed, "wire rc: %s",
				lgn_rc_failed(to->peer, false) ? to->peer->why :
				to->peer->bell_why);
	if (lgn_unlikely(wr->op == LGN_PUT_BELL && !to->bell))
		return lgn_fail(LAGOON_EINVAL, "the region of rank %d has no bell",
				wr->mem->peer);
	if (lgn_unlikely((wr->off | wr->len) & 7 || !wr->len ||
			 wr->off > wr->mem->len ||
			 wr->len > wr->mem->len - wr->off))
		return lgn_fail(LAGOON_EINVAL,
				"request of %u bytes at %llu in a region of %llu bytes of rank %d",
				wr->len, (unsigned long long)wr->off,
				(unsigned long long)wr->mem->len, wr->mem->peer);
	return 0;
}

/* Take n places if there are as many. */
static bool take(_Atomic int32_t *room, uint32_t n)
{
	if (atomic_fetch_sub_explicit(room, (int32_t)n, memory_order_relaxed) >=
	    (int32_t)n)
		return true;
	atomic_fetch_add_explicit(room, (int32_t)n, memory_order_relaxed);
	return false;
}

static void give_back(struct lgn_rc *rc, struct plan *p, uint32_t chains)
{
	for (uint32_t i = 0; i < chains; i++) {
		struct chain *c = &p->chain[i];

		atomic_fetch_add(&c->qp->room, (int32_t)c->n);
		lgn_rc_part_put(rc, c->part);
	}
}

/* All places, or none. */
static int reserve(struct lgn_rc *rc, struct plan *p)
{
	uint32_t i = 0;

	if (!take(&rc->room, p->n))
		return LAGOON_EAGAIN;
	for (; i < p->chains; i++) {
		struct chain *c = &p->chain[i];

		if (!take(&c->qp->room, c->n))
			break;
		c->part = lgn_rc_part_get(rc);
		if (c->part >= 0)
			continue;
		atomic_fetch_add(&c->qp->room, (int32_t)c->n);
		break;
	}
	if (i == p->chains)
		return 0;
	give_back(rc, p, i);
	atomic_fetch_add(&rc->room, (int32_t)p->n);
	return LAGOON_EAGAIN;
}

/* Numbers, and a completion now and then: the last one always. */
static void number(struct lgn_rc *rc, struct chain *c, struct lgn_batch *batch)
{
	struct lgn_rc_part *part = &rc->part[c->part];
	struct lgn_rc_id id = {
		.part = (uint32_t)c->part, .generation = part->generation,
	};

	part->batch = batch;
	part->qp = c->qp;
	part->n = c->n;
	part->done = 0;
	for (struct ibv_send_wr *wr = c->first; wr; wr = wr->next) {
		id.op = (enum lgn_op)wr->wr_id;
		wr->wr_id = lgn_rc_id_pack(id);
		id.index++;
		if (!wr->next || id.index % LGN_RC_SIGNAL == 0)
			wr->send_flags |= IBV_SEND_SIGNALED;
	}
}

/* The library refused a chain although there was room. What it took may run
 * or not; the peer is out of reach from here on. */
static void refused(struct lgn_rc *rc, struct chain *c, int err)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_ERR };

	lgn_rc_fail_qp(rc, c->qp, LAGOON_EIO,
		       err == ENOMEM ? "the send queue took no more" :
		       "the device refused a request");
	/* Flushes what was taken; the rest is flushed by hand. */
	ibv_modify_qp(c->qp->qp, &attr, IBV_QP_STATE);
	lgn_rc_abandon(rc, c->part);
}

/* Any thread; takes no lock. */
int lgn_rc_post(struct lgn_wire *wire, struct lgn_batch *batch)
{
	struct lgn_rc *rc = lgn_rc_of(wire);
	struct plan p;
	int err = 0;

	p.n = p.chains = 0;
	p.turn = rc->options.qps == 1 ? 0 :
		atomic_fetch_add_explicit(&rc->turn, 1, memory_order_relaxed);
	if (batch->n > MAX_BATCH)
		return lgn_fail(LAGOON_EINVAL, "a batch of %u requests: at most %d",
				batch->n, MAX_BATCH);
	for (uint32_t i = 0; i < batch->n && !err; i++) {
		err = check(&batch->wr[i]);
		if (!err)
			err = split(rc, &p, &batch->wr[i], i);
	}
	if (!err)
		err = reserve(rc, &p);
	if (err)
		return err;
	lgn_batch_begin(batch);
	atomic_store_explicit(&batch->left, p.n, memory_order_relaxed);
	for (uint32_t i = 0; i < p.chains; i++)
		number(rc, &p.chain[i], batch);
	for (uint32_t i = 0; i < p.chains; i++) {
		struct chain *c = &p.chain[i];
		struct ibv_send_wr *bad;

		err = ibv_post_send(c->qp->qp, c->first, &bad);
		if (lgn_unlikely(err))
			refused(rc, c, err);
	}
	return 0;
}
