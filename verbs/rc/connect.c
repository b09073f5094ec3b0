/* SPDX-License-Identifier: BSD-3-Clause */
/* What this process asks a peer's listener: one question a connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "verbs/rc/rc.h"

static int dial(const struct lgn_rc *rc, int rank, int *sock)
{
	const struct lgn_rc_addr *to = &rc->addr[rank];
	struct sockaddr_in6 sa = {
		.sin6_family = AF_INET6, .sin6_port = to->tcp_port,
	};
	char text[INET6_ADDRSTRLEN];
	int s = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return lgn_fail(LAGOON_EIO, "socket: %s", strerror(errno));
	memcpy(&sa.sin6_addr, to->ip, 16);
	lgn_rc_socket_limits(s, rc->config.timeout_s);
	if (connect(s, (struct sockaddr *)&sa, sizeof(sa))) {
		int err = errno;

		close(s);
		inet_ntop(AF_INET6, to->ip, text, sizeof(text));
		return lgn_fail(err == ECONNREFUSED ? LAGOON_EPEER : LAGOON_EIO,
				"rank %d does not answer at %s port %d: %s; LAGOON_INTERFACE chooses the network for connecting",
				rank, text, ntohs(to->tcp_port), strerror(err));
	}
	*sock = s;
	return 0;
}

static int broken(const struct lgn_rc *rc, int rank, int err)
{
	if (err == EAGAIN || err == EWOULDBLOCK)
		return lgn_fail(LAGOON_ETIMEDOUT, "rank %d gave no answer in %d s",
				rank, rc->config.timeout_s);
	return lgn_fail(LAGOON_EPEER, "rank %d closed the connection: %s", rank,
			strerror(err));
}

/* Ask, and keep the socket open if *keep. */
static int ask(const struct lgn_rc *rc, int rank, struct lgn_rc_ask *a,
	       struct lgn_rc_answer *answer, int *keep)
{
	int sock = -1, err;
	int rc_ = dial(rc, rank, &sock);

	if (rc_)
		return rc_;
	a->magic = LGN_RC_MAGIC;
	a->nonce[0] = rc->config.nonce[0];
	a->nonce[1] = rc->config.nonce[1];
	a->rank = rc->config.rank;
	a->qps = rc->options.qps;
	err = lgn_rc_send(sock, a, sizeof(*a));
	if (!err)
		err = lgn_rc_receive(sock, answer, sizeof(*answer));
	if (err)
		rc_ = broken(rc, rank, err);
	else if (answer->status)
		rc_ = lgn_fail(answer->status, "rank %d refused: %.*s", rank,
			       (int)sizeof(answer->why) - 1, answer->why);
	if (rc_ || !keep)
		close(sock);
	else
		*keep = sock;
	return rc_;
}

static int connect_by_tcp(struct lgn_rc *rc, int rank, int use,
			  struct ibv_qp **qp, struct lgn_rc_ask *a)
{
	struct lgn_rc_answer answer;
	int rc_ = ask(rc, rank, a, &answer, NULL);

	return rc_ ? rc_ : lgn_rc_qps_ready(rc, rank, use, qp, &a->end,
					    &answer.end);
}

static void destroy_ids(const struct lgn_rc *rc, int use, struct rdma_cm_id **id)
{
	for (int i = 0; i < lgn_rc_qps(rc, use); i++) {
		if (id[i])
			rdma_destroy_id(id[i]);
		id[i] = NULL;
	}
}

/* With auto, a librdmacm that does not work is done without: TCP has just
 * carried the exchange of the job. A peer that refuses has answered. */
static bool try_tcp(struct lgn_rc *rc, int rank, int error)
{
	if (rc->options.connect != LGN_RC_AUTO ||
	    (error != LAGOON_EIO && error != LAGOON_ETIMEDOUT))
		return false;
	lgn_log(LGN_WARN, "connecting to rank %d by TCP: %s", rank, lagoon_errmsg());
	rc->cm_broken = true;
	return true;
}

static int connect_by_cm(struct lgn_rc *rc, int rank, int use,
			 struct ibv_qp **qp, struct rdma_cm_id **id,
			 struct lgn_rc_ask *a)
{
	int rc_ = lgn_rc_cm_connect(rc, rank, use, qp, id);

	if (!rc_ || !try_tcp(rc, rank, rc_))
		return rc_;
	destroy_ids(rc, use, id);
	lgn_rc_qps_destroy(rc, use, qp);
	rc_ = lgn_rc_qps_create(rc, use, qp, &a->end);
	return rc_ ? rc_ : connect_by_tcp(rc, rank, use, qp, a);
}

/* Queue pairs for a use, ready. After an error there are none. */
static int make(struct lgn_rc *rc, int rank, int use, struct ibv_qp **qp,
		struct rdma_cm_id **id)
{
	struct lgn_rc_ask a = {
		.kind = use & LGN_RC_BELL ? LGN_RC_CONNECT_BELL : LGN_RC_CONNECT,
	};
	int rc_ = lgn_rc_qps_create(rc, use, qp, &a.end);

	if (rc_)
		return rc_;
	rc_ = rc->cm_id && rc->addr[rank].cm_port && !rc->cm_broken ?
		connect_by_cm(rc, rank, use, qp, id, &a) :
		connect_by_tcp(rc, rank, use, qp, &a);
	if (rc_) {
		lgn_rc_qps_destroy(rc, use, qp);
		destroy_ids(rc, use, id);
	}
	return rc_;
}

int lgn_rc_connect(struct lgn_rc *rc, int rank)
{
	struct lgn_rc_peer *peer = &rc->peer[rank];
	struct ibv_qp *qp[LGN_RC_QPS_MAX] = { NULL };
	int rc_;

	if (atomic_load(&peer->connected))
		return 0;
	rc_ = make(rc, rank, LGN_RC_POST, qp, peer->id);
	if (rc_)
		return rc_;
	for (int i = 0; i < rc->options.qps; i++) {
		peer->qp[i].qp = qp[i];
		peer->qp[i].peer = peer;
		atomic_store(&peer->qp[i].room, (int32_t)rc->depth);
	}
	atomic_store(&peer->connected, true);
	return 0;
}

int lgn_rc_connect_bell(struct lgn_rc *rc, int rank)
{
	struct lgn_rc_peer *peer = &rc->peer[rank];
	struct ibv_qp *qp = NULL;
	int rc_;

	if (peer->bell.qp)
		return 0;
	rc_ = make(rc, rank, LGN_RC_BELL, &qp, &peer->bell_id);
	if (rc_)
		return rc_;
	peer->bell.peer = peer;
	peer->bell.bell = true;
	atomic_store(&peer->bell.room, (int32_t)rc->depth);
	pthread_mutex_lock(&rc->lock);
	peer->bell.qp = qp;
	pthread_mutex_unlock(&rc->lock);
	atomic_store(&peer->bell_claimed, false);
	atomic_store_explicit(&peer->bell_failed, 0, memory_order_release);
	return 0;
}

/* Its batches are done, so nothing of it is in the completion queue. */
static void drop_bell(struct lgn_rc *rc, struct lgn_rc_peer *peer)
{
	struct ibv_qp *qp;

	pthread_mutex_lock(&rc->lock);
	qp = peer->bell.qp;
	peer->bell.qp = NULL;
	pthread_mutex_unlock(&rc->lock);
	if (qp)
		ibv_destroy_qp(qp);
	destroy_ids(rc, LGN_RC_BELL, &peer->bell_id);
}

int lgn_rc_mend(struct lgn_rmem *mem)
{
	struct lgn_rc *rc = lgn_rc_of(mem->wire);
	struct lgn_rc_peer *peer = &rc->peer[mem->peer];
	int rc_ = lgn_rc_failed(peer, false);

	if (rc_)
		return lgn_fail(rc_, "wire rc: %s", peer->why);
	/* Nothing is posted while it is not there. */
	lgn_rc_fail_qp(rc, &peer->bell, LAGOON_EIO, "it is made anew");
	pthread_mutex_lock(&rc->connecting);
	drop_bell(rc, peer);
	rc_ = lgn_rc_connect_bell(rc, mem->peer);
	pthread_mutex_unlock(&rc->connecting);
	if (!rc_)
		lgn_log(LGN_INFO, "wire rc: the way to rank %d is mended", mem->peer);
	return rc_;
}

void lgn_rc_disconnect(struct lgn_rc *rc, struct lgn_rc_peer *peer)
{
	for (int i = 0; i < rc->options.qps; i++)
		if (peer->qp[i].qp)
			ibv_destroy_qp(peer->qp[i].qp);
	destroy_ids(rc, LGN_RC_POST, peer->id);
	drop_bell(rc, peer);
}

int lgn_rc_ask_keys(struct lgn_rc *rc, int rank, const struct lgn_key *key,
		    uint32_t rkey[LGN_RC_CHUNKS])
{
	struct lgn_rc_ask a = { .kind = LGN_RC_KEYS, .key = *key };
	struct lgn_rc_answer answer;
	int rc_ = ask(rc, rank, &a, &answer, NULL);

	if (!rc_)
		memcpy(rkey, answer.rkey, sizeof(answer.rkey));
	return rc_;
}

int lgn_rc_watch(struct lgn_rc *rc, int *sock)
{
	struct lgn_rc_ask a = { .kind = LGN_RC_WATCH };
	struct lgn_rc_answer answer;

	return ask(rc, 0, &a, &answer, sock);
}
