/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One thread a process. It sleeps in epoll_wait() until a peer asks for queue
 * pairs or keys, a link breaks, a queue pair fails, the device reports an
 * event, or the wire closes.
 *
 * Links: every process keeps a TCP connection to rank 0. When a process ends,
 * its kernel closes it; when a machine vanishes, keepalive does. Rank 0 tells
 * the others who was lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/thread.h"
#include "runtime/base/wait.h"
#include "verbs/rc/rc.h"

/* epoll tags: a rank, a guest, or one of these. */
enum { TAG_LISTEN = -1, TAG_STOP = -2, TAG_FAIL = -3, TAG_DEVICE = -4,
       TAG_CM = -5 };

enum { BYE = -1 };		/* on a link: I leave in order */

static int add(struct lgn_rc *rc, int fd, int tag)
{
	struct epoll_event event = {
		.events = EPOLLIN, .data.u64 = (uint64_t)(int64_t)tag,
	};

	if (epoll_ctl(rc->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return lgn_fail(LAGOON_EIO, "epoll_ctl: %s", strerror(errno));
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* --- questions of peers */

/* A process that came later may have any rank that is not taken. */
int lgn_rc_check_peer(const struct lgn_rc *rc, uint64_t magic,
		      const uint64_t nonce[2], int rank, int qps)
{
	if (magic != LGN_RC_MAGIC || nonce[0] != rc->config.nonce[0] ||
	    nonce[1] != rc->config.nonce[1])
		return lgn_fail(LAGOON_EINVAL, "the nonce is not that of the job");
	if (rank < 0)
		return lgn_fail(LAGOON_EINVAL, "rank %d", rank);
	if (qps != rc->options.qps)
		return lgn_fail(LAGOON_EINVAL, "LAGOON_QPS is %d here and %d there",
				rc->options.qps, qps);
	return 0;
}

void lgn_rc_served_add(struct lgn_rc *rc, struct lgn_rc_served *s)
{
	s->next = rc->served;
	rc->served = s;
}

static int connect_peer(struct lgn_rc *rc, int use, const struct lgn_rc_ask *ask,
			struct lgn_rc_answer *answer)
{
	struct lgn_rc_served *s = calloc(1, sizeof(*s));
	int err = 0;

	if (!s)
		return lgn_fail(LAGOON_ENOMEM, "no memory for queue pairs");
	s->rank = ask->rank;
	if (use & LGN_RC_BELL)
		err = lgn_rc_bells_renew(rc, ask->rank);
	if (!err)
		err = lgn_rc_qps_create(rc, use, s->qp, &answer->end);
	if (!err)
		err = lgn_rc_qps_ready(rc, ask->rank, use, s->qp, &answer->end,
				       &ask->end);
	if (err) {
		lgn_rc_qps_destroy(rc, use, s->qp);
		free(s);
	} else if (use & LGN_RC_BELL) {
		lgn_rc_bells_serve(rc, s);
	} else {
		lgn_rc_served_add(rc, s);
	}
	return err;
}

static int give_keys(struct lgn_rc *rc, const struct lgn_rc_ask *ask,
		     struct lgn_rc_answer *answer)
{
	answer->chunks = lgn_rc_keys(rc, &ask->key, answer->rkey);
	return answer->chunks ? 0 : lgn_fail(LAGOON_ENOENT, "no such region");
}

/* Keeps the socket: the link of that rank. */
static int keep_link(struct lgn_rc *rc, int rank, int *sock)
{
	int err;

	if (rank >= rc->config.size)
		return lgn_fail(LAGOON_EINVAL, "rank %d of %d", rank,
				rc->config.size);
	err = lgn_rc_socket_keepalive(*sock);
	if (err)
		return lgn_fail(LAGOON_EIO, "keepalive: %s", strerror(err));
	if (rc->watch[rank] >= 0)
		return lgn_fail(LAGOON_EEXIST, "rank %d has a link already", rank);
	err = add(rc, *sock, rank);
	if (err)
		return err;
	rc->watch[rank] = *sock;
	atomic_fetch_add(&rc->watching, 1);
	*sock = -1;
	return 0;
}

static int handle(struct lgn_rc *rc, const struct lgn_rc_ask *ask,
		  struct lgn_rc_answer *answer, int *sock)
{
	int err = lgn_rc_check_peer(rc, ask->magic, ask->nonce, ask->rank,
				    ask->qps);

	if (err)
		return err;
	switch (ask->kind) {
	case LGN_RC_CONNECT:
		return connect_peer(rc, LGN_RC_SERVE, ask, answer);
	case LGN_RC_CONNECT_BELL:
		return connect_peer(rc, LGN_RC_SERVE | LGN_RC_BELL, ask, answer);
	case LGN_RC_KEYS:
		return give_keys(rc, ask, answer);
	case LGN_RC_WATCH:
		return keep_link(rc, ask->rank, sock);
	default:
		return lgn_fail(LAGOON_EINVAL, "question %d is not known", ask->kind);
	}
}

void lgn_rc_answer(struct lgn_rc *rc, const struct lgn_rc_ask *ask, int sock)
{
	struct lgn_rc_answer answer;
	int to = sock, status, err;

	memset(&answer, 0, sizeof(answer));
	status = handle(rc, ask, &answer, &sock);
	if (status) {
		/* Why, and nothing else. */
		memset(&answer, 0, sizeof(answer));
		answer.status = status;
		snprintf(answer.why, sizeof(answer.why), "%s", lagoon_errmsg());
		lgn_log(LGN_WARN, "refused a connection: %s", answer.why);
	}
	err = lgn_rc_send(to, &answer, sizeof(answer));
	if (err)
		lgn_log(LGN_WARN, "answering a peer: %s", strerror(err));
	if (sock >= 0)
		close(sock);
}

/* --- deaths */

static void drop_link(struct lgn_rc *rc, int rank)
{
	close_fd(&rc->watch[rank]);
	atomic_fetch_sub(&rc->watching, 1);
}

static void say(struct lgn_rc *rc, int to, int32_t what)
{
	if (rc->watch[to] >= 0)
		lgn_rc_send(rc->watch[to], &what, sizeof(what));
}

/* What is in flight to the dead ends now, not after all retries. */
static void cut(struct lgn_rc *rc, int rank)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_ERR };
	struct lgn_rc_peer *peer = &rc->peer[rank];

	lgn_rc_fail_peer(rc, peer, LAGOON_EPEER, "its process has ended");
	for (int i = 0; atomic_load(&peer->connected) && i < rc->options.qps; i++)
		ibv_modify_qp(peer->qp[i].qp, &attr, IBV_QP_STATE);
	pthread_mutex_lock(&rc->lock);
	if (peer->bell.qp)
		ibv_modify_qp(peer->bell.qp, &attr, IBV_QP_STATE);
	pthread_mutex_unlock(&rc->lock);
}

/* Once a rank, whoever noticed. */
static void lost(struct lgn_rc *rc, int rank)
{
	if (atomic_exchange(&rc->peer[rank].told, true))
		return;
	cut(rc, rank);
	for (int i = 0; !rc->config.rank && i < rc->config.size; i++)
		if (i != rank)
			say(rc, i, rank);
	rc->config.lost(rc->config.lost_arg, rank);
}

/* A link has something to say, or is at its end. */
static void on_link(struct lgn_rc *rc, int rank)
{
	int32_t what;
	int err = lgn_rc_receive(rc->watch[rank], &what, sizeof(what));

	if (!err && what >= 0 && what < rc->config.size) {
		lost(rc, what);
		return;
	}
	drop_link(rc, rank);
	/* Who leaves is answered by the end of the link. */
	if (err && !atomic_load(&rc->leaving))
		lost(rc, rank);
}

/* Queue pairs to a peer have failed while it was thought to be alive. */
static void on_failure(struct lgn_rc *rc)
{
	uint64_t n;

	if (read(rc->fail_fd, &n, sizeof(n)) != sizeof(n))
		return;
	for (int i = 0; i < rc->config.size; i++)
		if (atomic_load(&rc->peer[i].failed) == LAGOON_EPEER)
			lost(rc, i);
}

static void on_device(struct lgn_rc *rc)
{
	struct ibv_async_event event;

	if (ibv_get_async_event(rc->device.context, &event))
		return;
	lgn_log(LGN_WARN, "device %s: %s", rc->device.name,
		ibv_event_type_str(event.event_type));
	if (event.event_type == IBV_EVENT_DEVICE_FATAL)
		for (int i = 0; i < rc->config.size; i++)
			lgn_rc_fail_peer(rc, &rc->peer[i], LAGOON_ENODEV,
					 "the device is gone");
	ibv_ack_async_event(&event);
}

static void *listener(void *arg)
{
	struct lgn_rc *rc = arg;
	struct epoll_event event;

	for (;;) {
		int n = epoll_wait(rc->epoll_fd, &event, 1, -1);
		int tag = (int)(int64_t)event.data.u64;

		if (n <= 0)
			continue;	/* EINTR: nothing else can fail here */
		switch (tag) {
		case TAG_STOP:
			return NULL;
		case TAG_LISTEN:
			lgn_rc_guest_accept(rc);
			break;
		case TAG_FAIL:
			on_failure(rc);
			break;
		case TAG_DEVICE:
			on_device(rc);
			break;
		case TAG_CM:
			lgn_rc_cm_event(rc);
			break;
		default:
			if (tag <= LGN_RC_TAG_GUEST)
				lgn_rc_guest_read(rc, LGN_RC_TAG_GUEST - tag);
			else
				on_link(rc, tag);
		}
	}
}

/* --- life */

int lgn_rc_listen(struct lgn_rc *rc, struct lgn_rc_addr *mine)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(sa);
	int zero = 0;

	memcpy(&sa.sin6_addr, rc->device.ip, 16);
	rc->listen_fd = socket(AF_INET6,
			       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (rc->listen_fd < 0)
		return lgn_fail(LAGOON_EIO, "socket: %s", strerror(errno));
	setsockopt(rc->listen_fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(rc->listen_fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    listen(rc->listen_fd, 4096) ||
	    getsockname(rc->listen_fd, (struct sockaddr *)&sa, &len))
		return lgn_fail(LAGOON_EIO, "listening for connections: %s",
				strerror(errno));
	memcpy(mine->ip, rc->device.ip, 16);
	mine->tcp_port = sa.sin6_port;
	return lgn_rc_guests_open(rc);
}

static int start_link(struct lgn_rc *rc)
{
	int sock = -1;
	int err = lgn_rc_watch(rc, &sock);

	if (err)
		return err;
	err = lgn_rc_socket_keepalive(sock);
	if (err)
		err = lgn_fail(LAGOON_EIO, "keepalive: %s", strerror(err));
	if (!err)
		err = add(rc, sock, 0);
	if (err) {
		close(sock);
		return err;
	}
	rc->watch[0] = sock;
	atomic_store(&rc->watching, 1);
	return 0;
}

int lgn_rc_listener_start(struct lgn_rc *rc)
{
	int device_fd = rc->device.context->async_fd;
	int err;

	rc->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	rc->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (rc->epoll_fd < 0 || rc->stop_fd < 0)
		return lgn_fail(LAGOON_EIO, "epoll: %s", strerror(errno));
	fcntl(device_fd, F_SETFL, fcntl(device_fd, F_GETFL) | O_NONBLOCK);
	err = add(rc, rc->listen_fd, TAG_LISTEN);
	if (!err)
		err = add(rc, rc->stop_fd, TAG_STOP);
	if (!err)
		err = add(rc, rc->fail_fd, TAG_FAIL);
	if (!err)
		err = add(rc, device_fd, TAG_DEVICE);
	if (!err && rc->cm_id)
		err = add(rc, rc->cm_listen->fd, TAG_CM);
	if (!err)
		err = lgn_thread_start(&rc->thread, "lagoon-listen", listener, rc);
	rc->started = !err;
	if (!err && rc->config.rank && !rc->config.late)
		err = start_link(rc);
	return err;
}

/* The board is here: what others still read must stay until they have left. */
static void wait_for_links(struct lgn_rc *rc)
{
	const uint64_t limit = (uint64_t)rc->config.timeout_s * 1000000000u;
	struct lgn_wait wait = LGN_WAIT_INIT;

	while (atomic_load(&rc->watching) && lgn_waited_ns(&wait) < limit)
		lgn_wait_step(&wait);
}

/* Safe to call twice. */
void lgn_rc_listener_stop(struct lgn_rc *rc)
{
	const uint64_t one = 1;

	if (!rc->started)
		return;
	rc->started = false;
	atomic_store(&rc->leaving, rc->config.rank != 0);
	/* Without a way to the board nobody leaves in order: the link breaks,
	 * and rank 0 looks. */
	if (rc->watch[0] >= 0 && !atomic_load(&rc->peer[0].failed))
		say(rc, 0, BYE);
	else if (!rc->config.rank)
		wait_for_links(rc);
	if (write(rc->stop_fd, &one, sizeof(one)) != sizeof(one))
		lgn_log(LGN_ERROR, "stopping the listener: %s", strerror(errno));
	pthread_join(rc->thread, NULL);
	for (int i = 0; i < rc->config.size; i++) {
		if (!rc->config.rank)
			say(rc, i, BYE);
		close_fd(&rc->watch[i]);
	}
}

void lgn_rc_listener_close(struct lgn_rc *rc)
{
	close_fd(&rc->listen_fd);
	close_fd(&rc->epoll_fd);
	close_fd(&rc->stop_fd);
	close_fd(&rc->fail_fd);
	lgn_rc_guests_close(rc);
	while (rc->served) {
		struct lgn_rc_served *s = rc->served;

		rc->served = s->next;
		lgn_rc_qps_destroy(rc, LGN_RC_SERVE, s->qp);
		if (s->id)
			rdma_destroy_id(s->id);
		free(s);
	}
	lgn_rc_cm_close(rc);
}
