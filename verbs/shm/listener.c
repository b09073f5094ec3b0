/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One thread a process. It sleeps in epoll_wait() until a peer asks for a
 * region, a peer's process ends, or the wire closes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/thread.h"
#include "verbs/shm/shm.h"

/* epoll tags: a rank, or one of these. */
enum { TAG_LISTEN = -1, TAG_STOP = -2 };

static int find_region(struct lgn_shm *shm, const struct lgn_shm_ask *ask,
		       struct lgn_shm_answer *answer)
{
	const struct lgn_shm_region *r;
	int fd = -1;

	*answer = (struct lgn_shm_answer){ .status = 0 };
	if (ask->magic != LGN_SHM_MAGIC ||
	    ask->nonce[0] != shm->config.nonce[0] ||
	    ask->nonce[1] != shm->config.nonce[1]) {
		lgn_log(LGN_WARN, "refused a connection that does not know the job's nonce");
		answer->status = LAGOON_EINVAL;
		return -1;
	}
	if (ask->rkey == LGN_SHM_POKE && shm->config.poked)
		shm->config.poked(shm->config.lost_arg);
	if (ask->rkey <= LGN_SHM_POKE)
		return -1;
	pthread_mutex_lock(&shm->lock);
	r = &shm->region[(ask->rkey & 0xffff) % LGN_SHM_REGIONS];
	if (r->fd >= 0 && r->rkey == ask->rkey) {
		fd = r->fd;
		answer->len = r->len;
		answer->bells = r->bells;
		answer->writable = r->writable;
	} else {
		answer->status = LAGOON_ENOENT;
	}
	pthread_mutex_unlock(&shm->lock);
	return fd;
}

static void send_answer(int sock, const struct lgn_shm_answer *answer, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl = { .buf = { 0 } };
	struct iovec iov = { (void *)answer, sizeof(*answer) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = ctl.buf;
		msg.msg_controllen = sizeof(ctl.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		lgn_log(LGN_WARN, "answering a peer: %s", strerror(errno));
}

/* A peer that connects and says nothing holds the others up for 1 s. */
static void serve(struct lgn_shm *shm)
{
	struct timeval limit = { .tv_sec = 1 };
	struct lgn_shm_answer answer;
	struct lgn_shm_ask ask;
	int sock = accept4(shm->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (sock < 0)
		return;
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (recv(sock, &ask, sizeof(ask), 0) == sizeof(ask)) {
		int fd = find_region(shm, &ask, &answer);

		if (ask.rkey != LGN_SHM_POKE)
			send_answer(sock, &answer, fd);
	}
	close(sock);
}

static void peer_ended(struct lgn_shm *shm, int rank)
{
	epoll_ctl(shm->epoll_fd, EPOLL_CTL_DEL, shm->pidfd[rank], NULL);
	shm->config.lost(shm->config.lost_arg, rank);
}

static void *listener(void *arg)
{
	struct lgn_shm *shm = arg;
	struct epoll_event event;

	for (;;) {
		int n = epoll_wait(shm->epoll_fd, &event, 1, -1);
		int tag = (int)(int64_t)event.data.u64;

		if (n <= 0)
			continue;	/* EINTR: nothing else can fail here */
		if (tag == TAG_STOP)
			return NULL;
		if (tag == TAG_LISTEN)
			serve(shm);
		else
			peer_ended(shm, tag);
	}
}

static int watch(struct lgn_shm *shm, int fd, int tag)
{
	struct epoll_event event = {
		.events = EPOLLIN, .data.u64 = (uint64_t)(int64_t)tag,
	};

	if (epoll_ctl(shm->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return lgn_fail(LAGOON_EIO, "epoll_ctl: %s", strerror(errno));
	return 0;
}

/* The connection names the peer's process in our own pid namespace, and it
 * is alive while it answers: its pid cannot mean another process yet. */
static int watch_peer(struct lgn_shm *shm, int rank)
{
	struct lgn_shm_answer answer;
	int fd, pid;
	int rc = lgn_shm_ask_peer(shm, rank, 0, &answer, &fd, &pid);

	if (rc)
		return rc;
	if (pid <= 0 && shm->config.mates)
		return lgn_fail(LAGOON_ENOTSUP, "rank %d is in another pid namespace", rank);
	if (pid <= 0) {
		lgn_log(LGN_WARN, "rank %d is in another pid namespace: its death will not be noticed", rank);
		return 0;
	}
	shm->pidfd[rank] = (int)syscall(SYS_pidfd_open, pid, 0);
	if (shm->pidfd[rank] < 0 && errno == ESRCH)
		return lgn_fail(LAGOON_EPEER, "rank %d is dead", rank);
	if (shm->pidfd[rank] < 0)
		return lgn_fail(LAGOON_EIO, "pidfd_open of rank %d: %s", rank,
				strerror(errno));
	return watch(shm, shm->pidfd[rank], rank);
}

int lgn_shm_listen(struct lgn_shm *shm)
{
	struct sockaddr_un un;
	unsigned len = lgn_shm_sockaddr(&shm->self, &un);

	shm->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (shm->listen_fd < 0 ||
	    bind(shm->listen_fd, (struct sockaddr *)&un, len) ||
	    listen(shm->listen_fd, 4096))
		return lgn_fail(LAGOON_EIO, "listening on an abstract socket: %s",
				strerror(errno));
	return 0;
}

/* The listener answers from here on; then the peers are asked who they are. */
int lgn_shm_listener_start(struct lgn_shm *shm)
{
	int rc;

	shm->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	shm->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (shm->epoll_fd < 0 || shm->stop_fd < 0)
		return lgn_fail(LAGOON_EIO, "epoll: %s", strerror(errno));
	rc = watch(shm, shm->listen_fd, TAG_LISTEN);
	if (!rc)
		rc = watch(shm, shm->stop_fd, TAG_STOP);
	if (!rc)
		rc = lgn_thread_start(&shm->thread, "lagoon-listen", listener, shm);
	shm->started = !rc;
	for (int i = 0; !rc && i < shm->config.size; i++)
		if (i != shm->config.rank)
			rc = watch_peer(shm, i);
	return rc;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Safe to call twice. */
void lgn_shm_listener_stop(struct lgn_shm *shm)
{
	uint64_t one = 1;

	if (shm->started) {
		if (write(shm->stop_fd, &one, sizeof(one)) != sizeof(one))
			lgn_log(LGN_ERROR, "stopping the listener: %s", strerror(errno));
		pthread_join(shm->thread, NULL);
		shm->started = 0;
	}
	for (int i = 0; shm->pidfd && i < shm->config.size; i++)
		close_fd(&shm->pidfd[i]);
	close_fd(&shm->epoll_fd);
	close_fd(&shm->stop_fd);
	close_fd(&shm->listen_fd);
}
