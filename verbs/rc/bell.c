/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bells: a WRITE with immediate data takes a receive at the owner, whose
 * completion is what is heard. All queue pairs that serve bells share their
 * receives (SRQ), which are empty, and a completion queue with a channel: the
 * owner sleeps in poll().
 *
 * A peer whose queue pair broke asks for another one. The old one goes into
 * the error state first, so that nothing late of it is written; its
 * completions may still be heard. It is destroyed when the peer asks once more:
 * a library may drop the completions of a queue pair that is destroyed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/wait.h"
#include "verbs/rc/rc.h"

enum {
	RECEIVES = 64,		/* of one process: twice what a sender needs */
	LEAST = 512,
	LOOKS = 128,		/* before it sleeps; half of them give the core away */
	COMPLETIONS = 32,	/* a look, at most */
};

/* Who a queue pair serves: found by its number, in any order of numbers. */
struct place {
	uint32_t qpn;
	int rank;		/* -1: free */
};

struct lgn_rc_bells {
	struct ibv_srq *srq;
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
	int hush_fd;
	bool taken;			/* a region has them */
	_Atomic bool hushed;
	pthread_mutex_t lock;		/* guards: */
	struct lgn_rc_served **now, **before;	/* [size] */
	uint32_t places;		/* a power of two */
	struct place *place;
};

/* --- who rings */

static struct place *find(const struct lgn_rc_bells *b, uint32_t qpn)
{
	uint32_t i = qpn * 0x9e3779b9u;

	while (b->place[i % b->places].rank >= 0 &&
	       b->place[i % b->places].qpn != qpn)
		i++;
	return &b->place[i % b->places];
}

/* Needs the lock; half of the places stay free. */
static void map_all(struct lgn_rc_bells *b, int size)
{
	for (uint32_t i = 0; i < b->places; i++)
		b->place[i].rank = -1;
	for (int i = 0; i < 2 * size; i++) {
		const struct lgn_rc_served *s = i < size ? b->now[i] :
			b->before[i - size];

		if (s)
			*find(b, s->qp[0]->qp_num) = (struct place){
				s->qp[0]->qp_num, i % size,
			};
	}
}

static void destroy(const struct lgn_rc *rc, struct lgn_rc_served *s)
{
	if (!s)
		return;
	lgn_rc_qps_destroy(rc, LGN_RC_SERVE | LGN_RC_BELL, s->qp);
	if (s->id)
		rdma_destroy_id(s->id);
	free(s);
}

int lgn_rc_bells_renew(struct lgn_rc *rc, int rank)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_ERR };
	struct lgn_rc_bells *b = atomic_load(&rc->bells);
	struct lgn_rc_served *old;

	if (!b || rank >= rc->config.size)
		return lgn_fail(LAGOON_ENOENT, "no region here has bells for rank %d",
				rank);
	pthread_mutex_lock(&b->lock);
	old = b->before[rank];
	b->before[rank] = b->now[rank];
	b->now[rank] = NULL;
	map_all(b, rc->config.size);
	if (b->before[rank])
		ibv_modify_qp(b->before[rank]->qp[0], &attr, IBV_QP_STATE);
	pthread_mutex_unlock(&b->lock);
	destroy(rc, old);
	return 0;
}

void lgn_rc_bells_serve(struct lgn_rc *rc, struct lgn_rc_served *s)
{
	struct lgn_rc_bells *b = atomic_load(&rc->bells);

	pthread_mutex_lock(&b->lock);
	b->now[s->rank] = s;
	map_all(b, rc->config.size);
	pthread_mutex_unlock(&b->lock);
}

void lgn_rc_bells_forget(struct lgn_rc *rc, const struct lgn_rc_served *s)
{
	struct lgn_rc_bells *b = atomic_load(&rc->bells);

	pthread_mutex_lock(&b->lock);
	b->now[s->rank] = NULL;
	map_all(b, rc->config.size);
	pthread_mutex_unlock(&b->lock);
}

struct ibv_srq *lgn_rc_bells_srq(struct lgn_rc *rc, struct ibv_cq **cq)
{
	struct lgn_rc_bells *b = atomic_load(&rc->bells);

	if (b)
		*cq = b->cq;
	return b ? b->srq : NULL;
}

/* --- hearing */

static int post_receives(struct lgn_rc_bells *b, uint32_t n)
{
	struct ibv_recv_wr wr[COMPLETIONS], *bad;

	while (n) {
		uint32_t some = n < COMPLETIONS ? n : COMPLETIONS;
		int err;

		for (uint32_t i = 0; i < some; i++)
			wr[i] = (struct ibv_recv_wr){
				.next = i + 1 < some ? &wr[i + 1] : NULL,
			};
		err = ibv_post_srq_recv(b->srq, wr, &bad);
		if (err)
			return lgn_fail(LAGOON_EIO, "posting receives for bells: %s",
					strerror(err));
		n -= some;
	}
	return 0;
}

/* *taken: completions, also those of queue pairs that are no more. */
static int take(struct lgn_rc_bells *b, struct lgn_bell *bell, int n, int *taken)
{
	struct ibv_wc wc[COMPLETIONS];
	int got = ibv_poll_cq(b->cq, n < COMPLETIONS ? n : COMPLETIONS, wc);
	int k = 0;

	*taken = got;
	if (got <= 0)
		return 0;
	if (post_receives(b, (uint32_t)got))
		lgn_log(LGN_ERROR, "%s", lagoon_errmsg());
	/* A queue pair that it does not know is one that was destroyed. */
	pthread_mutex_lock(&b->lock);
	for (int i = 0; i < got; i++) {
		const struct place *p = find(b, wc[i].qp_num);

		if (wc[i].status == IBV_WC_SUCCESS && p->rank >= 0)
			bell[k++] = (struct lgn_bell){
				p->rank, ntohl(wc[i].imm_data),
			};
	}
	pthread_mutex_unlock(&b->lock);
	return k;
}

static int look(struct lgn_rc_bells *b, struct lgn_bell *bell, int n)
{
	int taken;

	return take(b, bell, n, &taken);
}

/* Until a bell, a hush, or for no reason. A bell after the request for a notice
 * gives one, and one before it is found by looking again. */
static int sleep_until(struct lgn_rc_bells *b, struct lgn_bell *bell, int n)
{
	struct pollfd fd[] = {
		{ .fd = b->channel->fd, .events = POLLIN },
		{ .fd = b->hush_fd, .events = POLLIN },
	};
	struct ibv_cq *cq;
	void *context;
	int k;

	ibv_req_notify_cq(b->cq, 0);
	k = look(b, bell, n);
	if (k)
		return k;
	poll(fd, LGN_COUNT(fd), -1);
	if (!ibv_get_cq_event(b->channel, &cq, &context))
		ibv_ack_cq_events(cq, 1);
	return 0;
}

int lgn_rc_hear(struct lgn_wire *wire, struct lgn_bell *bell, int n)
{
	struct lgn_rc_bells *b = atomic_load(&lgn_rc_of(wire)->bells);
	struct lgn_wait wait = LGN_WAIT_INIT;

	for (int looks = 0; b && !atomic_load(&b->hushed); looks++) {
		int k = looks < LOOKS ? look(b, bell, n) :
			sleep_until(b, bell, n);

		if (k)
			return k;
		if (looks < LOOKS)
			lgn_wait_step(&wait);
	}
	return 0;
}

void lgn_rc_hush(struct lgn_wire *wire)
{
	struct lgn_rc_bells *b = atomic_load(&lgn_rc_of(wire)->bells);
	const uint64_t one = 1;

	if (!b)
		return;
	atomic_store(&b->hushed, true);
	if (write(b->hush_fd, &one, sizeof(one)) != sizeof(one))
		lgn_log(LGN_ERROR, "eventfd: %s", strerror(errno));
}

/* --- life */

static uint32_t receives(const struct lgn_rc *rc)
{
	const struct ibv_device_attr *attr = &rc->device.attr;
	uint64_t n = (uint64_t)rc->config.size * RECEIVES;

	n = n < LEAST ? LEAST : n;
	n = n < (uint64_t)attr->max_srq_wr ? n : (uint64_t)attr->max_srq_wr;
	return (uint32_t)(n < (uint64_t)attr->max_cqe ? n : (uint64_t)attr->max_cqe);
}

static int check(const struct lgn_rc *rc)
{
	const uint64_t k = (uint64_t)rc->options.qps + 1;
	char what[160];

	if (rc->device.attr.max_srq < 1)
		return lgn_fail(LAGOON_ENOTSUP, "device %s has no shared receive queues, which tables in apply mode need",
				rc->device.name);
	snprintf(what, sizeof(what), "%llu pairs of processes x %llu, one of them for apply mode",
		 (unsigned long long)rc->pairs, (unsigned long long)k);
	return lgn_rc_device_check_qps(&rc->device, rc->pairs * k, what);
}

static int make_queues(struct lgn_rc *rc, struct lgn_rc_bells *b)
{
	const uint32_t n = receives(rc);
	struct ibv_srq_init_attr init = { .attr = { .max_wr = n, .max_sge = 1 } };
	int fd;

	b->channel = ibv_create_comp_channel(rc->device.context);
	if (b->channel)
		b->cq = ibv_create_cq(rc->device.context, (int)n, NULL, b->channel, 0);
	if (b->cq)
		b->srq = ibv_create_srq(rc->pd, &init);
	if (!b->srq)
		return lgn_fail(LAGOON_ENOMEM, "device %s: %u receives for bells: %s",
				rc->device.name, n, strerror(errno));
	fd = b->channel->fd;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return post_receives(b, n);
}

static int make(struct lgn_rc *rc, struct lgn_rc_bells *b)
{
	size_t size = (size_t)rc->config.size;
	int err = check(rc);

	if (err)
		return err;
	for (b->places = 4; b->places < 4 * size; b->places *= 2)
		;
	b->now = calloc(size, sizeof(struct lgn_rc_served *));
	b->before = calloc(size, sizeof(struct lgn_rc_served *));
	b->place = calloc(b->places, sizeof(*b->place));
	b->hush_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!b->now || !b->before || !b->place || b->hush_fd < 0)
		return lgn_fail(LAGOON_ENOMEM, "no memory for bells of %zu processes", size);
	map_all(b, rc->config.size);
	return make_queues(rc, b);
}

static void destroy_all(const struct lgn_rc *rc, struct lgn_rc_bells *b)
{
	for (int i = 0; b->now && b->before && i < rc->config.size; i++) {
		destroy(rc, b->now[i]);
		destroy(rc, b->before[i]);
	}
	if (b->srq)
		ibv_destroy_srq(b->srq);
	if (b->cq)
		ibv_destroy_cq(b->cq);
	if (b->channel)
		ibv_destroy_comp_channel(b->channel);
	if (b->hush_fd >= 0)
		close(b->hush_fd);
	pthread_mutex_destroy(&b->lock);
	free(b->now);
	free(b->before);
	free(b->place);
	free(b);
}

/* What was rung for the region before. */
static void forget(struct lgn_rc_bells *b)
{
	struct lgn_bell bell[COMPLETIONS];
	uint64_t n;
	int taken;

	do
		take(b, bell, COMPLETIONS, &taken);
	while (taken > 0);
	while (read(b->hush_fd, &n, sizeof(n)) == sizeof(n))
		;
	atomic_store(&b->hushed, false);
}

int lgn_rc_bells_open(struct lgn_rc *rc)
{
	struct lgn_rc_bells *b = atomic_load(&rc->bells);
	int err;

	if (!rc->config.size || (b && b->taken))
		return lgn_fail(LAGOON_EINVAL, "a region with bells: one at a time, after start()");
	if (b) {
		forget(b);
		b->taken = true;
		return 0;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return lgn_fail(LAGOON_ENOMEM, "no memory for bells");
	b->hush_fd = -1;
	pthread_mutex_init(&b->lock, NULL);
	err = make(rc, b);
	if (err) {
		destroy_all(rc, b);
		return err;
	}
	b->taken = true;
	atomic_store(&rc->bells, b);
	return 0;
}

void lgn_rc_bells_close(struct lgn_rc *rc)
{
	atomic_load(&rc->bells)->taken = false;
}

/* After the listener's thread. Safe to call twice. */
void lgn_rc_bells_free(struct lgn_rc *rc)
{
	struct lgn_rc_bells *b = atomic_exchange(&rc->bells, NULL);

	if (b)
		destroy_all(rc, b);
}
