/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdlib.h>

#include "runtime/base/status.h"
#include "runtime/trace.h"

enum {
	EAGER_READS = 8,		/* before reads are spaced out */
	SPACING_NS = 20000,		/* at most one board READ in 20 us */
	STATES_NS = 10000000,		/* states come with it, but not oftener */
};

static uint64_t row_bytes(const struct lagoon *lg)
{
	return (uint64_t)lg->size * 8;
}

int lgn_board_make(struct lagoon *lg, struct lgn_board_keys *keys)
{
	struct lgn_board *b = &lg->board;
	uint64_t row = row_bytes(lg);
	int rc = lgn_memory(lg, row * LGN_ROWS, LGN_ACC_READ | LGN_ACC_WRITE,
			    &b->clocks_mem);

	if (!rc)
		rc = lgn_memory(lg, row, LGN_ACC_READ | LGN_ACC_ATOMIC,
				&b->states_mem);
	if (!rc)
		rc = lgn_memory(lg, (uint64_t)lg->size * 2 * LGN_SLOT_BYTES,
				LGN_ACC_READ | LGN_ACC_WRITE, &b->slots_mem);
	if (rc)
		return rc;
	/* Everybody is live from the start; nobody reads the board before the
	 * fence has told where it is. */
	for (int i = 0; i < lg->size; i++)
		((uint64_t *)b->states_mem.addr)[i] = LGN_LIVE;
	keys->clocks = b->clocks_mem.key;
	keys->states = b->states_mem.key;
	keys->slots = b->slots_mem.key;
	return 0;
}

int lgn_board_attach(struct lagoon *lg, const struct lgn_board_keys *keys)
{
	const struct lgn_wire_ops *ops = lg->wire->ops;
	struct lgn_board *b = &lg->board;
	int rc = ops->attach(lg->wire, 0, &keys->clocks, &b->clocks);

	if (!rc)
		rc = ops->attach(lg->wire, 0, &keys->states, &b->states);
	if (!rc)
		rc = ops->attach(lg->wire, 0, &keys->slots, &b->slots);
	return rc;
}

void lgn_board_close(struct lagoon *lg)
{
	const struct lgn_wire_ops *ops = lg->wire->ops;
	struct lgn_board *b = &lg->board;

	ops->detach(&b->clocks);
	ops->detach(&b->states);
	ops->detach(&b->slots);
	ops->unreg(lg->wire, &b->clocks_mem);
	ops->unreg(lg->wire, &b->states_mem);
	ops->unreg(lg->wire, &b->slots_mem);
}

int lgn_board_view_open(struct lagoon *lg, struct lgn_board_view *view)
{
	uint64_t n = (uint64_t)lg->size;
	int rc = lgn_memory(lg, n * 16 + LGN_SLOT_BYTES, LGN_ACC_LOCAL,
			    &view->mem);

	if (rc)
		return rc;
	view->lg = lg;
	view->clock = view->mem.addr;
	view->state = view->clock + n;
	view->word = view->state + n;
	view->batch.wr = view->wr;
	return 0;
}

void lgn_board_view_close(struct lagoon *lg, struct lgn_board_view *view)
{
	if (view->mem.addr)
		lgn_board_drain(lg, view);
	lg->wire->ops->unreg(lg->wire, &view->mem);
}

/* Requests of the view: a row of clocks, and the states now and then. Old
 * states make nobody look ahead of his time: a member that leaves says so in
 * its clock, too, and one that is dead is waited for a moment longer. */
static void prepare_read(struct lagoon *lg, struct lgn_board_view *view,
			 enum lgn_board_row row)
{
	uint64_t bytes = row_bytes(lg), now = lgn_now_ns();

	view->row = row;
	view->wr[0] = (struct lgn_wr){
		.mem = &lg->board.clocks, .off = bytes * row,
		.local = view->clock, .buf = &view->mem,
		.len = (uint32_t)bytes, .op = LGN_GET,
	};
	view->batch.n = 1;
	view->asked_ns = view->states_ns;
	if (now - view->states_ns < STATES_NS)
		return;
	view->asked_ns = now;
	view->wr[1] = (struct lgn_wr){
		.mem = &lg->board.states, .off = 0,
		.local = view->state, .buf = &view->mem,
		.len = (uint32_t)bytes, .op = LGN_GET,
	};
	view->batch.n = 2;
}

/* Deaths that others have written to the board. The view has no read in
 * flight. */
static void note_deaths(struct lagoon *lg, struct lgn_board_view *view)
{
	for (int i = 0; i < lg->size; i++)
		if (lgn_unlikely(view->state[i] == LGN_DEAD))
			lgn_note_dead(lg, i);
	lgn_board_give_up(lg, view);
}

void lgn_board_give_up(struct lagoon *lg, struct lgn_board_view *view)
{
	uint64_t old;

	/* After a push that broke off, and no death, its own end is the first. */
	if (lgn_likely(atomic_load_explicit(&lg->lost, memory_order_relaxed) <= 0) ||
	    atomic_exchange(&lg->gave_up, true))
		return;
	lgn_board_state(lg, view, lg->rank, LGN_LIVE, LGN_LEFT, &old);
}

/* The read has come back whole. */
static void took(struct lgn_board_view *view)
{
	view->states_ns = view->asked_ns;
}

static struct lgn_wr put(struct lagoon *lg, struct lgn_board_view *view,
			 enum lgn_board_row row, int64_t value)
{
	view->word[0] = (uint64_t)value;
	return (struct lgn_wr){
		.mem = &lg->board.clocks,
		.off = row_bytes(lg) * row + (uint64_t)lg->rank * 8,
		.local = view->word, .buf = &view->mem, .len = 8, .op = LGN_PUT,
	};
}

/* By the thread that polls. */
static void landed(struct lgn_batch *batch)
{
	struct lgn_board_view *view = (struct lgn_board_view *)
		((char *)batch - offsetof(struct lgn_board_view, batch));
	int whose;

	if (atomic_load_explicit(&batch->status, memory_order_relaxed))
		return;
	took(view);
	lgn_floor_raise(view->lg, lgn_board_min(view->lg, view, &whose));
}

/* Nobody who needs the floor, nobody to keep it fresh for; but a member that
 * the others have declared dead must learn it. */
static bool look_ahead(struct lagoon *lg, const struct lgn_board_view *view)
{
	if (!atomic_load_explicit(&lg->floor_used, memory_order_relaxed))
		return lgn_now_ns() - view->states_ns >= STATES_NS;
	atomic_store_explicit(&lg->floor_used, false, memory_order_relaxed);
	return true;
}

int lgn_board_show_open(struct lagoon *lg)
{
	size_t n = (size_t)lg->node.n;
	int rc;

	lg->show_wr = calloc(n, sizeof(*lg->show_wr));
	if (!lg->show_wr)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu clocks", n);
	rc = lgn_memory(lg, n * 8, LGN_ACC_LOCAL, &lg->show_mem);
	lg->show = lg->show_mem.addr;
	return rc;
}

void lgn_board_show_close(struct lagoon *lg)
{
	lg->wire->ops->unreg(lg->wire, &lg->show_mem);
	free(lg->show_wr);
}

/* Words of processes whose ranks follow each other are one request. */
static struct lgn_batch put_show(struct lagoon *lg)
{
	const struct lgn_node *node = &lg->node;
	struct lgn_batch batch = { .wr = lg->show_wr };

	for (int i = 0; i < node->n; i++) {
		if (i && node->rank[i] == node->rank[i - 1] + 1) {
			batch.wr[batch.n - 1].len += 8;
			continue;
		}
		batch.wr[batch.n++] = (struct lgn_wr){
			.mem = &lg->board.clocks,
			.off = row_bytes(lg) * LGN_FLUSHED +
				(uint64_t)node->rank[i] * 8,
			.local = (uint64_t *)&lg->show[i], .buf = &lg->show_mem,
			.len = 8, .op = LGN_PUT,
		};
	}
	return batch;
}

int lgn_board_show(struct lagoon *lg, struct lgn_board_view *view)
{
	struct lgn_batch batch;
	int rc;

	lgn_board_drain(lg, view);
	note_deaths(lg, view);
	rc = lgn_check_lost(lg);
	if (rc)
		return rc;
	batch = put_show(lg);
	for (uint32_t most = lg->wire->max_batch; batch.n > most; batch.n -= most) {
		struct lgn_batch some = { .wr = batch.wr, .n = most };

		rc = lgn_wire_run(lg->wire, &some, lg->timeout_s);
		if (rc)
			return rc;
		batch.wr += most;
	}
	rc = lgn_wire_post(lg->wire, &batch, lg->timeout_s);
	if (rc)
		return rc;
	if (look_ahead(lg, view)) {
		prepare_read(lg, view, LGN_FLUSHED);
		view->batch.complete = landed;
		view->posted = !lgn_wire_send(lg->wire, &view->batch);
	}
	rc = lgn_wire_drain(lg->wire, &batch, lg->timeout_s);
	return rc ? rc : lgn_wire_status(lg->wire, &batch);
}

int lgn_board_publish(struct lagoon *lg, struct lgn_board_view *view,
		      enum lgn_board_row row, int64_t value)
{
	int rc;

	lgn_board_drain(lg, view);
	prepare_read(lg, view, row);
	view->wr[view->batch.n++] = put(lg, view, row, value);
	rc = lgn_wire_run(lg->wire, &view->batch, lg->timeout_s);
	if (rc)
		return rc;
	took(view);
	note_deaths(lg, view);
	return lgn_check_lost(lg);
}

/* The first reads follow each other; then they are spaced out. */
static bool too_soon(struct lgn_board_view *view)
{
	uint64_t now;

	if (view->reads < EAGER_READS)
		return false;
	now = lgn_now_ns();
	if (now - view->last_ns < SPACING_NS)
		return true;
	view->last_ns = now;
	return false;
}

int lgn_board_poll(struct lagoon *lg, struct lgn_board_view *view,
		   enum lgn_board_row row, bool *fresh)
{
	int rc;

	*fresh = false;
	if (!view->posted) {
		if (too_soon(view))
			return 0;
		prepare_read(lg, view, row);
		rc = lgn_wire_send(lg->wire, &view->batch);
		if (rc)
			return rc == LAGOON_EAGAIN ? 0 : rc;
		view->posted = true;
		view->reads++;
	}
	lg->wire->ops->poll(lg->wire);
	if (!lgn_batch_done(&view->batch))
		return 0;
	view->posted = false;
	rc = lgn_wire_status(lg->wire, &view->batch);
	if (rc)
		return rc;
	took(view);
	note_deaths(lg, view);
	*fresh = view->row == row;
	return 0;
}

void lgn_board_drain(struct lagoon *lg, struct lgn_board_view *view)
{
	if (view->posted)
		lgn_wire_drain(lg->wire, &view->batch, lg->timeout_s);
	view->posted = false;
	view->batch.complete = NULL;
}

/* Who has left in order said so in its clock. One that gave up has not pushed
 * what it had ended: its clock still counts, until everybody knows why. */
int64_t lgn_board_min(const struct lagoon *lg,
		      const struct lgn_board_view *view, int *whose)
{
	int64_t min = LGN_CLOCK_LEFT;

	*whose = -1;
	for (int i = 0; i < lg->size; i++) {
		int64_t clock = (int64_t)view->clock[i];

		if (!lgn_board_counts(view, i) || clock >= min)
			continue;
		min = clock;
		*whose = i;
	}
	return min;
}

/* In order one leaves after the last meeting: who is missing and has left gave
 * up, for a death that ends the job in its eyes, and never comes. In ours it
 * may not: who has no workers any more does not hear of another model. 0 while
 * the board has no death: it comes. */
static int never_comes(struct lagoon *lg, const struct lgn_board_view *view)
{
	int none = 0;

	for (int i = 0; i < lg->size; i++)
		if (view->state[i] == LGN_DEAD)
			atomic_compare_exchange_strong(&lg->lost, &none, i + 1);
	return lgn_check_lost(lg);
}

int lgn_board_wait(struct lagoon *lg, struct lgn_board_view *view,
		   enum lgn_board_row row, int64_t value)
{
	struct lgn_wait wait = LGN_WAIT_INIT;
	int slowest, last = -1, left = -1;
	bool fresh;
	int rc;

	view->reads = 0;
	for (;;) {
		rc = lgn_check_lost(lg);
		if (!rc)
			rc = lgn_board_poll(lg, view, row, &fresh);
		if (rc)
			return rc;
		if (fresh && lgn_board_min(lg, view, &slowest) >= value)
			break;
		if (fresh) {
			last = slowest;
			rc = lg->worker ? lgn_clock_heed(lg->worker, view) : 0;
			if (rc)
				return rc;
			/* Twice, with states read anew: of one read any word
			 * may be older than the others. */
			rc = lgn_unlikely(left >= 0 && left == slowest) ?
				never_comes(lg, view) : 0;
			if (lgn_unlikely(rc))
				return rc;
			left = view->state[slowest] == LGN_LEFT ? slowest : -1;
			if (lgn_unlikely(left >= 0))
				view->states_ns = 0;
		}
		lgn_wait_step(&wait);
	}
	if (last >= 0) {
		atomic_fetch_add(&lg->member[last].waited_ns, lgn_waited_ns(&wait));
		lgn_trace_waited(wait.start_ns, NULL, last);
	}
	/* Perhaps nobody is missing because who was missing has died. */
	return lgn_check_lost(lg);
}

int lgn_board_state(struct lagoon *lg, struct lgn_board_view *view, int rank,
		    enum lgn_state from, enum lgn_state to, uint64_t *old)
{
	int rc;

	lgn_board_drain(lg, view);
	view->wr[0] = (struct lgn_wr){
		.mem = &lg->board.states, .off = (uint64_t)rank * 8,
		.local = view->word, .buf = &view->mem, .len = 8, .op = LGN_CAS,
		.expect = from, .operand = to,
	};
	view->batch.n = 1;
	rc = lgn_wire_run(lg->wire, &view->batch, lg->timeout_s);
	*old = rc ? 0 : view->word[0];
	return rc;
}

int lgn_board_meet(struct lagoon *lg, struct lgn_board_view *view,
		   enum lgn_board_row row, int64_t value)
{
	int rc = lgn_board_publish(lg, view, row, value);

	return rc ? rc : lgn_board_wait(lg, view, row, value);
}

int lgn_board_sync(struct lagoon *lg)
{
	return lgn_board_meet(lg, &lg->sync_view, LGN_SYNCED,
			      (int64_t)++lg->board.sync);
}
