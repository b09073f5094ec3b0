/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guests: connections to the listener that have not asked in full yet. They
 * are read as their bytes come, so nobody who connects and is silent, or says
 * half of a question, keeps others waiting. Places are few and need no clock:
 * when all are taken, the one that has been silent for longest goes. A peer
 * sends its question as soon as it is connected, and so is not that one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "verbs/rc/rc.h"

enum { PATIENCE_S = 5 };	/* with a peer that does not take its answer */

struct lgn_rc_guest {
	int fd;			/* -1: free */
	uint32_t got;		/* bytes of the question */
	uint64_t number;	/* of all guests: who came first */
	struct lgn_rc_ask ask;
};

int lgn_rc_guests_open(struct lgn_rc *rc)
{
	rc->guest = calloc(LGN_RC_GUESTS, sizeof(*rc->guest));
	if (!rc->guest)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a listener");
	for (int i = 0; i < LGN_RC_GUESTS; i++)
		rc->guest[i].fd = -1;
	return 0;
}

static void show_out(struct lgn_rc_guest *g, const char *why)
{
	lgn_log(LGN_WARN, "a connection that asked nothing is closed: %s", why);
	close(g->fd);
	g->fd = -1;
}

void lgn_rc_guests_close(struct lgn_rc *rc)
{
	for (int i = 0; rc->guest && i < LGN_RC_GUESTS; i++)
		if (rc->guest[i].fd >= 0)
			close(rc->guest[i].fd);
	free(rc->guest);
	rc->guest = NULL;
}

/* The question is complete. What is left of the conversation is short. */
static void ask(struct lgn_rc *rc, struct lgn_rc_guest *g)
{
	int fd = g->fd;

	g->fd = -1;
	epoll_ctl(rc->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	lgn_rc_socket_limits(fd, PATIENCE_S);
	lgn_rc_answer(rc, &g->ask, fd);
}

void lgn_rc_guest_read(struct lgn_rc *rc, int i)
{
	struct lgn_rc_guest *g = &rc->guest[i];

	while (g->fd >= 0 && g->got < sizeof(g->ask)) {
		ssize_t n = recv(g->fd, (char *)&g->ask + g->got,
				 sizeof(g->ask) - g->got, 0);

		if (n > 0)
			g->got += (uint32_t)n;
		else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		else if (!n || errno != EINTR)
			show_out(g, n ? "it broke" : "it ended");
	}
	if (g->fd >= 0)
		ask(rc, g);
}

/* A free place, or that of the oldest guest. */
static int place(struct lgn_rc *rc)
{
	int oldest = 0;

	for (int i = 0; i < LGN_RC_GUESTS; i++) {
		if (rc->guest[i].fd < 0)
			return i;
		if (rc->guest[i].number < rc->guest[oldest].number)
			oldest = i;
	}
	/* It may have asked, and not been looked at. */
	lgn_rc_guest_read(rc, oldest);
	if (rc->guest[oldest].fd >= 0)
		show_out(&rc->guest[oldest], "too many are silent");
	return oldest;
}

void lgn_rc_guest_accept(struct lgn_rc *rc)
{
	struct epoll_event event = { .events = EPOLLIN };
	/* First: it may free the descriptor that this one needs. */
	int i = place(rc);
	int fd = accept4(rc->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	event.data.u64 = (uint64_t)(int64_t)(LGN_RC_TAG_GUEST - i);
	if (epoll_ctl(rc->epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
		close(fd);
		return;
	}
	rc->guest[i] = (struct lgn_rc_guest){ .fd = fd, .number = ++rc->guests };
	lgn_rc_guest_read(rc, i);
}
