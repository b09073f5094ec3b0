/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "verbs/rc/rc.h"

int lgn_rc_send(int sock, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(sock, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int lgn_rc_receive(int sock, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = recv(sock, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (!n)
			return ECONNRESET;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

void lgn_rc_socket_limits(int sock, int seconds)
{
	struct timeval limit = { .tv_sec = seconds };
	int one = 1;

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* The kernels ask each other, so this takes no thread of ours, and a process
 * that is stopped or busy does not count as dead. */
int lgn_rc_socket_keepalive(int sock)
{
	static const struct {
		int level, name, value;
	} set[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 1 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 1 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 4000 },
	};

	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		if (setsockopt(sock, set[i].level, set[i].name, &set[i].value,
			       sizeof(set[i].value)))
			return errno;
	return 0;
}
