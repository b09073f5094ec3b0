/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/base/status.h"
#include "runtime/base/wait.h"
#include "verbs/wire.h"

static int timed_out(const struct lgn_wire *wire, const struct lgn_batch *batch,
		     int timeout_s)
{
	return lgn_fail(LAGOON_ETIMEDOUT,
			"wire %s: %u of %u requests to rank %d made no progress in %d s; see LAGOON_TIMEOUT",
			wire->ops->name, atomic_load(&batch->left), batch->n,
			batch->n ? batch->wr[0].mem->peer : -1, timeout_s);
}

/* Whoever polled saw the error; whoever posted has to say it. */
int lgn_wire_status(const struct lgn_wire *wire, const struct lgn_batch *batch)
{
	int rc = atomic_load_explicit(&batch->status, memory_order_relaxed);
	const char *why = "";

	if (lgn_likely(!rc))
		return 0;
	for (uint32_t i = 0; i < batch->n && !*why; i++)
		why = wire->ops->why((struct lgn_wire *)wire, batch->wr[i].mem->peer);
	if (*why)
		return lgn_fail(rc, "wire %s: %s", wire->ops->name, why);
	return lgn_fail(rc, "wire %s: an operation on memory of rank %d failed: %s",
			wire->ops->name, batch->wr[0].mem->peer,
			lagoon_strerror(rc));
}

int lgn_wire_drain(struct lgn_wire *wire, struct lgn_batch *batch,
		   int timeout_s)
{
	const uint64_t limit = (uint64_t)timeout_s * 1000000000u;
	struct lgn_wait wait = LGN_WAIT_INIT;
	uint32_t left = batch->n;

	while (!lgn_batch_done(batch)) {
		uint32_t now;

		wire->ops->poll(wire);
		now = atomic_load_explicit(&batch->left, memory_order_relaxed);
		if (now != left)
			wait = (struct lgn_wait)LGN_WAIT_INIT;
		left = now;
		if (!now)
			continue;
		lgn_wait_step(&wait);
		if (lgn_waited_ns(&wait) > limit)
			return timed_out(wire, batch, timeout_s);
	}
	return 0;
}

static void count(struct lgn_wire_counts *c, enum lgn_op op, uint32_t ops,
		  uint64_t bytes)
{
	atomic_fetch_add_explicit(&c->ops[op], ops, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->bytes[op], bytes, memory_order_relaxed);
}

/* Requests of one kind follow each other mostly: memory that all workers share
 * is touched once for these. The array is the caller's also after the post. */
int lgn_wire_send(struct lgn_wire *wire, struct lgn_batch *batch)
{
	const struct lgn_wr *wr = batch->wr;
	uint32_t n = batch->n, first = 0;
	uint64_t bytes = 0;
	int rc = wire->ops->post(wire, batch);

	if (lgn_unlikely(rc))
		return rc;
	atomic_fetch_add_explicit(&wire->counts.posts, 1, memory_order_relaxed);
	for (uint32_t i = 0; i < n; i++) {
		bytes += wr[i].len;
		if (i + 1 < n && wr[i + 1].op == wr[i].op)
			continue;
		count(&wire->counts, wr[i].op, i + 1 - first, bytes);
		first = i + 1;
		bytes = 0;
	}
	return 0;
}

int lgn_wire_post(struct lgn_wire *wire, struct lgn_batch *batch, int timeout_s)
{
	const uint64_t limit = (uint64_t)timeout_s * 1000000000u;
	struct lgn_wait wait = LGN_WAIT_INIT;
	int rc;

	batch->posted = false;
	while ((rc = lgn_wire_send(wire, batch)) == LAGOON_EAGAIN) {
		wire->ops->poll(wire);
		lgn_wait_step(&wait);
		if (lgn_waited_ns(&wait) > limit)
			return timed_out(wire, batch, timeout_s);
	}
	return rc;
}

/* Any thread. A request that is still out when this gives up may yet write to
 * its local buffer: callers treat LAGOON_ETIMEDOUT as the end of the job. */
int lgn_wire_run(struct lgn_wire *wire, struct lgn_batch *batch, int timeout_s)
{
	int rc = lgn_wire_post(wire, batch, timeout_s);

	if (!rc)
		rc = lgn_wire_drain(wire, batch, timeout_s);
	return rc ? rc : lgn_wire_status(wire, batch);
}
