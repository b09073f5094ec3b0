/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "verbs/shm/shm.h"

unsigned lgn_shm_sockaddr(const struct lgn_shm_addr *addr,
			  struct sockaddr_un *un)
{
	char *p = un->sun_path + 1;	/* a leading zero byte: abstract */

	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	p += sprintf(p, "lagoon-");
	for (size_t i = 0; i < sizeof(addr->socket); i++)
		p += sprintf(p, "%02x", addr->socket[i]);
	return (unsigned)(p - (char *)un);
}

static int dial(const struct lgn_shm *shm, int peer, int *sock)
{
	struct timeval limit = { .tv_sec = shm->config.timeout_s };
	struct sockaddr_un un;
	unsigned len = lgn_shm_sockaddr(&shm->peer[peer], &un);
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (s < 0)
		return lgn_fail(LAGOON_EIO, "socket: %s", strerror(errno));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(s, (struct sockaddr *)&un, len)) {
		int rc = errno == ECONNREFUSED ? LAGOON_EPEER : LAGOON_EIO;

		rc = lgn_fail(rc, "rank %d does not answer: %s%s", peer,
			      strerror(errno), errno == ECONNREFUSED ?
			      "; its process is gone, or in another network namespace" : "");
		close(s);
		return rc;
	}
	*sock = s;
	return 0;
}

/* The answer, and the descriptor that may come with it. */
static ssize_t receive(int sock, struct lgn_shm_answer *answer, int *fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl;
	struct iovec iov = { answer, sizeof(*answer) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf),
	};
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*fd = -1;
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return n;
}

static struct lgn_shm_ask question(const struct lgn_shm *shm, uint64_t rkey)
{
	return (struct lgn_shm_ask){
		.magic = LGN_SHM_MAGIC, .rkey = rkey,
		.nonce = { shm->config.nonce[0], shm->config.nonce[1] },
	};
}

void lgn_shm_poke_peer(const struct lgn_shm *shm, int peer)
{
	struct lgn_shm_ask ask = question(shm, LGN_SHM_POKE);
	int sock;

	if (dial(shm, peer, &sock))
		return;
	send(sock, &ask, sizeof(ask), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(sock);
}

int lgn_shm_ask_peer(const struct lgn_shm *shm, int peer, uint64_t rkey,
		     struct lgn_shm_answer *answer, int *fd, int *pid)
{
	struct lgn_shm_ask ask = question(shm, rkey);
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	ssize_t n;
	int sock = -1;
	int rc = dial(shm, peer, &sock);

	if (rc)
		return rc;
	getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	*pid = cred.pid;
	n = send(sock, &ask, sizeof(ask), MSG_NOSIGNAL);
	if (n == sizeof(ask))
		n = receive(sock, answer, fd);
	close(sock);
	if (n == sizeof(*answer))
		return answer->status ?
			lgn_fail(answer->status, "rank %d refused a region: %s",
				 peer, lagoon_strerror(answer->status)) : 0;
	if (n >= 0)
		return lgn_fail(LAGOON_EPEER, "rank %d closed the connection", peer);
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return lgn_fail(LAGOON_ETIMEDOUT, "rank %d gave no answer in %d s",
				peer, shm->config.timeout_s);
	return lgn_fail(LAGOON_EPEER, "rank %d: %s", peer, strerror(errno));
}
