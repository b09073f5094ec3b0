/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "verbs/rc/rc.h"

enum { COMPLETIONS = 32 };	/* a poll, at most */

/* Told to batches after the poll flag is down: their own functions may take
 * locks under which others poll. */
struct told {
	struct lgn_batch *batch;
	uint32_t good;		/* requests completed */
	uint32_t bad;		/* 0 or 1, with status */
	int status;
	bool uncertain;
};

void lgn_rc_parts_init(struct lgn_rc *rc)
{
	for (uint32_t i = 0; i < LGN_RC_PARTS; i++)
		atomic_store(&rc->part[i].next, i + 2 <= LGN_RC_PARTS ? i + 2 : 0);
	atomic_store(&rc->free_parts, 1);
}

/* A stack; the tag in its head changes with every pop, so that a head that
 * came back is not taken for one that never left. Any thread. */
int lgn_rc_part_get(struct lgn_rc *rc)
{
	uint64_t head = atomic_load(&rc->free_parts), next;

	do {
		uint32_t top = (uint32_t)head;

		if (!top)
			return -1;
		next = ((head >> 32) + 1) << 32 |
			atomic_load_explicit(&rc->part[top - 1].next,
					     memory_order_relaxed);
	} while (!atomic_compare_exchange_weak(&rc->free_parts, &head, next));
	return (int)(uint32_t)head - 1;
}

void lgn_rc_part_put(struct lgn_rc *rc, int index)
{
	struct lgn_rc_part *part = &rc->part[index];
	uint64_t head = atomic_load(&rc->free_parts), next;

	part->generation++;
	do {
		atomic_store_explicit(&part->next, (uint32_t)head,
				      memory_order_relaxed);
		next = head >> 32 << 32 | ((uint32_t)index + 1);
	} while (!atomic_compare_exchange_weak(&rc->free_parts, &head, next));
}

/* n requests of the part have left the send queue. Needs the poll flag. */
static void release(struct lgn_rc *rc, int index, uint32_t n)
{
	struct lgn_rc_part *part = &rc->part[index];

	part->done += n;
	atomic_fetch_add_explicit(&part->qp->room, (int32_t)n,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&rc->room, (int32_t)n, memory_order_relaxed);
	if (part->done == part->n)
		lgn_rc_part_put(rc, index);
}

/* The peer is out of reach, or one of us made a mistake? */
static int code_of(enum ibv_wc_status status)
{
	switch (status) {
	case IBV_WC_RETRY_EXC_ERR:
	case IBV_WC_RNR_RETRY_EXC_ERR:
	case IBV_WC_RESP_TIMEOUT_ERR:
	case IBV_WC_REM_ABORT_ERR:
	/* A process that ends takes its regions away before its queue pairs. */
	case IBV_WC_REM_ACCESS_ERR:
	case IBV_WC_REM_OP_ERR:
		return LAGOON_EPEER;
	default:
		return LAGOON_EIO;
	}
}

void lgn_rc_fail_peer(struct lgn_rc *rc, struct lgn_rc_peer *peer, int code,
		      const char *why)
{
	const uint64_t one = 1;

	if (atomic_exchange(&peer->claimed, true))
		return;
	snprintf(peer->why, sizeof(peer->why), "device %s port %d to rank %d: %s",
		 rc->device.name, rc->device.port, peer->rank, why);
	atomic_store_explicit(&peer->failed, code, memory_order_release);
	lgn_log(LGN_WARN, "wire rc: %s", peer->why);
	if (write(rc->fail_fd, &one, sizeof(one)) != sizeof(one))
		lgn_log(LGN_ERROR, "eventfd: %s", strerror(errno));
}

void lgn_rc_fail_qp(struct lgn_rc *rc, struct lgn_rc_qp *qp, int code,
		    const char *why)
{
	struct lgn_rc_peer *peer = qp->peer;

	if (!qp->bell) {
		lgn_rc_fail_peer(rc, peer, code, why);
		return;
	}
	if (atomic_exchange(&peer->bell_claimed, true))
		return;
	snprintf(peer->bell_why, sizeof(peer->bell_why),
		 "device %s port %d to rank %d: %s", rc->device.name,
		 rc->device.port, peer->rank, why);
	atomic_store_explicit(&peer->bell_failed, code, memory_order_release);
	lgn_log(LGN_WARN, "wire rc: %s", peer->bell_why);
}

static int failure(struct lgn_rc *rc, struct lgn_rc_qp *qp,
		   const struct ibv_wc *wc, enum lgn_op op)
{
	static const char *const name[] = {
		[LGN_GET] = "a READ", [LGN_PUT] = "a WRITE",
		[LGN_ADD] = "a fetch-and-add", [LGN_CAS] = "a compare-and-swap",
		[LGN_PUT_BELL] = "a WRITE with a bell",
	};
	char why[160];
	int known;

	snprintf(why, sizeof(why), "%s failed: %s (status %d, vendor code 0x%x)",
		 name[op % LGN_OPS], ibv_wc_status_str(wc->status), wc->status, wc->vendor_err);
	lgn_rc_fail_qp(rc, qp, code_of(wc->status), why);
	/* Requests that are flushed behind the first one have its code. */
	known = lgn_rc_failed(qp->peer, qp->bell);
	return known ? known : code_of(wc->status);
}

/* Everything before it in its chain is complete, too. */
static void retire(struct lgn_rc *rc, const struct ibv_wc *wc, struct told *t)
{
	struct lgn_rc_id id = lgn_rc_id_unpack(wc->wr_id);
	struct lgn_rc_part *part = &rc->part[id.part % LGN_RC_PARTS];

	*t = (struct told){ .batch = NULL };
	if (part->generation != id.generation || id.index < part->done)
		return;
	t->batch = part->batch;
	t->good = id.index - part->done;
	if (lgn_likely(wc->status == IBV_WC_SUCCESS)) {
		t->good++;
	} else {
		t->bad = 1;
		t->status = failure(rc, part->qp, wc, id.op);
		t->uncertain = id.op == LGN_ADD || id.op == LGN_CAS;
	}
	release(rc, (int)id.part, t->good + t->bad);
}

static void tell(const struct told *t)
{
	if (!t->batch)
		return;
	if (lgn_unlikely(t->uncertain))
		atomic_fetch_add(&t->batch->uncertain, 1);
	/* The last call must be the last touch. */
	if (lgn_unlikely(t->bad)) {
		if (t->good)
			lgn_batch_complete(t->batch, t->good, 0);
		lgn_batch_complete(t->batch, 1, t->status);
	} else {
		lgn_batch_complete(t->batch, t->good, 0);
	}
}

static bool begin(struct lgn_rc *rc)
{
	return !atomic_load_explicit(&rc->polling, memory_order_relaxed) &&
		!atomic_exchange_explicit(&rc->polling, true, memory_order_acquire);
}

/* One thread at a time; others find it done for them. ibv_poll_cq() orders
 * what the device wrote before what is read after it. */
void lgn_rc_poll(struct lgn_wire *wire)
{
	struct lgn_rc *rc = lgn_rc_of(wire);
	struct ibv_wc wc[COMPLETIONS];
	struct told told[COMPLETIONS];
	int n;

	if (!begin(rc))
		return;
	n = ibv_poll_cq(rc->cq, COMPLETIONS, wc);
	for (int i = 0; i < n; i++)
		retire(rc, &wc[i], &told[i]);
	atomic_store_explicit(&rc->polling, false, memory_order_release);
	for (int i = 0; i < n; i++)
		tell(&told[i]);
}

void lgn_rc_abandon(struct lgn_rc *rc, int index)
{
	struct lgn_rc_part *part = &rc->part[index];
	struct lgn_batch *batch = part->batch;
	uint32_t n;
	int status = lgn_rc_failed(part->qp->peer, part->qp->bell);

	while (!begin(rc))
		;
	n = part->n - part->done;
	release(rc, index, n);
	atomic_store_explicit(&rc->polling, false, memory_order_release);
	atomic_fetch_add(&batch->uncertain, n);
	lgn_batch_complete(batch, n, status);
}

const char *lgn_rc_why(struct lgn_wire *wire, int peer)
{
	const struct lgn_rc *rc = lgn_rc_of(wire);

	if (lgn_rc_failed(&rc->peer[peer], false))
		return rc->peer[peer].why;
	return lgn_rc_failed(&rc->peer[peer], true) ? rc->peer[peer].bell_why : "";
}
