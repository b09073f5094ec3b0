/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connecting through librdmacm: it resolves the path (InfiniBand: service
 * level, partition and hop limit as the subnet manager says), and carries the
 * question to the peer over the RDMA network itself. The queue pairs are ours,
 * on our context, so that their memory and completion queues are those of all
 * others: librdmacm only tells how to move them (rdma_init_qp_attr).
 *
 * One identifier a queue pair, on both sides, kept as long as it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "verbs/rc/choose.h"
#include "verbs/rc/rc.h"

/* With a request: librdmacm carries 56 bytes; and with its acceptance. */
struct hello {
	uint64_t magic;
	uint64_t nonce[2];
	int32_t rank;
	int16_t qps;
	uint8_t mtu;
	uint8_t bell;			/* for bells: one, whatever qps is */
};
_Static_assert(sizeof(struct hello) <= 56, "private data of a request");

enum { WHY_MAX = 140 };			/* with a refusal: 148 bytes */

union sock_ip {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* librdmacm knows devices by their IPv4 addresses as such. */
static union sock_ip sock_of(const uint8_t ip[16], uint16_t port)
{
	union sock_ip s;

	memset(&s, 0, sizeof(s));
	if (lgn_rc_ip_is_v4(ip)) {
		s.v4.sin_family = AF_INET;
		s.v4.sin_port = port;
		memcpy(&s.v4.sin_addr, ip + 12, 4);
	} else {
		s.v6.sin6_family = AF_INET6;
		s.v6.sin6_port = port;
		memcpy(&s.v6.sin6_addr, ip, 16);
	}
	return s;
}

static int cm_error(const struct lgn_rc *rc, const char *what)
{
	return lgn_fail(LAGOON_EIO,
			"device %s: librdmacm: %s: %s; LAGOON_CONNECT=tcp does without it",
			rc->device.name, what, strerror(errno));
}

static bool on_my_port(const struct lgn_rc *rc, const struct rdma_cm_id *id)
{
	return id->verbs && id->port_num == rc->device.port &&
		!strcmp(ibv_get_device_name(id->verbs->device), rc->device.name);
}

static struct hello hello_of(const struct lgn_rc *rc, int use)
{
	return (struct hello){
		.magic = LGN_RC_MAGIC,
		.nonce = { rc->config.nonce[0], rc->config.nonce[1] },
		.rank = rc->config.rank,
		.qps = (int16_t)rc->options.qps,
		.mtu = (uint8_t)rc->device.mtu,
		.bell = !!(use & LGN_RC_BELL),
	};
}

/* --- both sides: a queue pair to a state */

static int move(const struct lgn_rc *rc, struct rdma_cm_id *id,
		struct ibv_qp *qp, enum ibv_qp_state state, uint8_t mtu, int use)
{
	struct ibv_qp_attr attr = { .qp_state = state };
	int mask, err;

	if (rdma_init_qp_attr(id, &attr, &mask))
		return cm_error(rc, "attributes of a queue pair");
	if (mask & IBV_QP_ACCESS_FLAGS)
		attr.qp_access_flags = lgn_rc_qp_access(use);
	if (mask & IBV_QP_MIN_RNR_TIMER)
		attr.min_rnr_timer = lgn_rc_rnr_timer(use);
	if ((mask & IBV_QP_PATH_MTU) && attr.path_mtu > mtu)
		attr.path_mtu = mtu;
	if (mask & IBV_QP_TIMEOUT)
		attr.timeout = (uint8_t)rc->options.timeout;
	if (mask & IBV_QP_RETRY_CNT)
		attr.retry_cnt = (uint8_t)rc->options.retry_cnt;
	if (mask & IBV_QP_RNR_RETRY)
		attr.rnr_retry = (uint8_t)rc->options.rnr_retry;
	err = ibv_modify_qp(qp, &attr, mask);
	return err ? lgn_fail(LAGOON_EIO, "device %s: a queue pair to state %d: %s",
			      rc->device.name, state, strerror(err)) : 0;
}

static int make_ready(const struct lgn_rc *rc, struct rdma_cm_id *id,
		      struct ibv_qp *qp, uint8_t mtu, int use)
{
	int err;

	if (mtu > rc->device.mtu)
		mtu = (uint8_t)rc->device.mtu;
	err = move(rc, id, qp, IBV_QPS_RTR, mtu, use);
	return err ? err : move(rc, id, qp, IBV_QPS_RTS, mtu, use);
}

/* --- the side that asks; needs lgn_rc.connecting */

/* Who can do without librdmacm does not wait for it as long as for a peer. */
static int patience_s(const struct lgn_rc *rc)
{
	enum { PATIENCE_S = 5 };

	return rc->options.connect == LGN_RC_AUTO &&
		rc->config.timeout_s > PATIENCE_S ? PATIENCE_S :
		rc->config.timeout_s;
}

/* The next event of this identifier; those of others are old news. */
static int event_of(const struct lgn_rc *rc, struct rdma_cm_id *id,
		    struct rdma_cm_event **event)
{
	struct pollfd fd = { .fd = rc->cm_ask->fd, .events = POLLIN };

	for (;;) {
		int n = poll(&fd, 1, patience_s(rc) * 1000);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return lgn_fail(LAGOON_ETIMEDOUT,
					"device %s: librdmacm gave no answer in %d s; LAGOON_CONNECT=tcp does without it",
					rc->device.name, patience_s(rc));
		if (rdma_get_cm_event(rc->cm_ask, event))
			return cm_error(rc, "waiting for an event");
		if ((*event)->id == id)
			return 0;
		rdma_ack_cm_event(*event);
	}
}

static int unexpected(const struct lgn_rc *rc, int rank,
		      const struct rdma_cm_event *e)
{
	const struct rdma_conn_param *p = &e->param.conn;

	if (e->event == RDMA_CM_EVENT_REJECTED && p->private_data_len &&
	    *(const char *)p->private_data)
		return lgn_fail(LAGOON_EPEER, "rank %d refused: %.*s", rank,
				p->private_data_len, (const char *)p->private_data);
	return lgn_fail(e->event == RDMA_CM_EVENT_REJECTED ? LAGOON_EPEER :
			LAGOON_EIO,
			"device %s to rank %d: librdmacm: %s (status %d); LAGOON_CONNECT=tcp does without it",
			rc->device.name, rank, rdma_event_str(e->event), e->status);
}

/* *mtu: with an answer, the peer's. */
static int await(const struct lgn_rc *rc, int rank, struct rdma_cm_id *id,
		 enum rdma_cm_event_type want, uint8_t *mtu)
{
	struct rdma_cm_event *e;
	const struct hello *h;
	int err = event_of(rc, id, &e);

	if (err)
		return err;
	h = e->param.conn.private_data;
	if (e->event != want)
		err = unexpected(rc, rank, e);
	else if (mtu && (!h || e->param.conn.private_data_len < sizeof(*h)))
		err = lgn_fail(LAGOON_EPEER, "rank %d gave no answer", rank);
	else if (mtu)
		*mtu = h->mtu;
	rdma_ack_cm_event(e);
	return err;
}

static int resolve(const struct lgn_rc *rc, int rank, struct rdma_cm_id *id)
{
	union sock_ip from = sock_of(rc->device.ip, 0);
	union sock_ip to = sock_of(rc->addr[rank].ip, rc->addr[rank].cm_port);
	uint8_t tos = (uint8_t)rc->options.traffic_class;
	int ms = patience_s(rc) * 1000, err;

	if (tos && rdma_set_option(id, RDMA_OPTION_ID, RDMA_OPTION_ID_TOS, &tos,
				   sizeof(tos)))
		return cm_error(rc, "LAGOON_TRAFFIC_CLASS");
	if (rdma_resolve_addr(id, &from.any, &to.any, ms))
		return cm_error(rc, "rdma_resolve_addr");
	err = await(rc, rank, id, RDMA_CM_EVENT_ADDR_RESOLVED, NULL);
	if (err)
		return err;
	if (!on_my_port(rc, id))
		return lgn_fail(LAGOON_ENODEV,
				"the way to rank %d is not through device %s port %d; see LAGOON_CONNECT",
				rank, rc->device.name, rc->device.port);
	if (rdma_resolve_route(id, ms))
		return cm_error(rc, "rdma_resolve_route");
	return await(rc, rank, id, RDMA_CM_EVENT_ROUTE_RESOLVED, NULL);
}

static int ask(const struct lgn_rc *rc, int rank, int use,
	       struct rdma_cm_id *id, struct ibv_qp *qp)
{
	struct hello hello = hello_of(rc, use);
	int depth = rc->device.attr.max_qp_init_rd_atom;
	struct rdma_conn_param param = {
		.private_data = &hello,
		.private_data_len = sizeof(hello),
		.initiator_depth = (uint8_t)(depth > 255 ? 255 : depth),
		.retry_count = (uint8_t)rc->options.retry_cnt,
		.rnr_retry_count = (uint8_t)rc->options.rnr_retry,
		.qp_num = qp->qp_num,
	};
	uint8_t mtu;
	int err = resolve(rc, rank, id);

	if (!err)
		err = move(rc, id, qp, IBV_QPS_INIT, 0, use);
	if (!err && rdma_connect(id, &param))
		err = cm_error(rc, "rdma_connect");
	if (!err)
		err = await(rc, rank, id, RDMA_CM_EVENT_CONNECT_RESPONSE, &mtu);
	if (!err)
		err = make_ready(rc, id, qp, mtu, use);
	if (!err && rdma_establish(id))
		err = cm_error(rc, "rdma_establish");
	return err;
}

int lgn_rc_cm_connect(struct lgn_rc *rc, int rank, int use, struct ibv_qp **qp,
		      struct rdma_cm_id **id)
{
	int err = 0;

	if (!rc->cm_ask)
		rc->cm_ask = rdma_create_event_channel();
	if (!rc->cm_ask)
		return cm_error(rc, "rdma_create_event_channel");
	for (int i = 0; !err && i < lgn_rc_qps(rc, use); i++) {
		if (rdma_create_id(rc->cm_ask, &id[i], NULL, RDMA_PS_TCP)) {
			id[i] = NULL;
			err = cm_error(rc, "rdma_create_id");
		} else {
			err = ask(rc, rank, use, id[i], qp[i]);
		}
	}
	return err;
}

/* --- the side that answers; the listener's thread */

static int check_hello(const struct lgn_rc *rc, const struct rdma_cm_event *e)
{
	const struct rdma_conn_param *p = &e->param.conn;
	const struct hello *h = p->private_data;

	if (p->private_data_len < sizeof(*h))
		return lgn_fail(LAGOON_EINVAL, "the nonce is not that of the job");
	if (!on_my_port(rc, e->id))
		return lgn_fail(LAGOON_ENODEV, "the request came by another port");
	return lgn_rc_check_peer(rc, h->magic, h->nonce, h->rank, h->qps);
}

static int answer(struct lgn_rc *rc, const struct rdma_cm_event *e,
		  struct lgn_rc_served *s)
{
	const struct hello *h = e->param.conn.private_data;
	const int use = LGN_RC_SERVE | (h->bell ? LGN_RC_BELL : 0);
	int depth = rc->device.attr.max_qp_rd_atom;
	struct hello mine = hello_of(rc, use);
	struct rdma_conn_param param = {
		.private_data = &mine,
		.private_data_len = sizeof(mine),
		/* what they want to have outstanding, as far as we can */
		.responder_resources = e->param.conn.responder_resources,
		.rnr_retry_count = (uint8_t)rc->options.rnr_retry,
	};
	int err = h->bell ? lgn_rc_bells_renew(rc, h->rank) : 0;

	s->rank = h->rank;
	s->id = e->id;
	if (param.responder_resources > depth)
		param.responder_resources = (uint8_t)depth;
	if (!err)
		err = lgn_rc_qp_create(rc, use, &s->qp[0]);
	if (!err)
		err = move(rc, s->id, s->qp[0], IBV_QPS_INIT, 0, use);
	if (err)
		return err;
	param.qp_num = s->qp[0]->qp_num;
	err = make_ready(rc, s->id, s->qp[0], h->mtu, use);
	if (err)
		return err;
	/* Known before the peer can ring: a bell of nobody is not heard. */
	if (h->bell)
		lgn_rc_bells_serve(rc, s);
	if (rdma_accept(s->id, &param)) {
		if (h->bell)
			lgn_rc_bells_forget(rc, s);
		return cm_error(rc, "rdma_accept");
	}
	if (!h->bell)
		lgn_rc_served_add(rc, s);
	return 0;
}

/* Whether the identifier is kept. */
static bool on_request(struct lgn_rc *rc, struct rdma_cm_event *e)
{
	struct lgn_rc_served *s = calloc(1, sizeof(*s));
	char why[WHY_MAX];
	int err = check_hello(rc, e);

	if (!err && !s)
		err = lgn_fail(LAGOON_ENOMEM, "no memory for queue pairs");
	if (!err)
		err = answer(rc, e, s);
	if (!err)
		return true;
	snprintf(why, sizeof(why), "%.139s", lagoon_errmsg());
	lgn_log(LGN_WARN, "refused a connection: %s", why);
	rdma_reject(e->id, why, (uint8_t)(strlen(why) + 1));
	if (s)
		lgn_rc_qps_destroy(rc, LGN_RC_SERVE | LGN_RC_BELL, s->qp);
	free(s);
	return false;
}

/* One event; the listener's thread. Who is lost is noticed by links. */
void lgn_rc_cm_event(struct lgn_rc *rc)
{
	struct rdma_cm_id *refused = NULL;
	struct rdma_cm_event *e;

	if (rdma_get_cm_event(rc->cm_listen, &e))
		return;
	if (e->event == RDMA_CM_EVENT_CONNECT_REQUEST && !on_request(rc, e))
		refused = e->id;
	rdma_ack_cm_event(e);
	if (refused)
		rdma_destroy_id(refused);
}

/* --- life */

/* librdmacm takes GID, partition, service level and hop limit from the path:
 * who sets one of them gets what he set. */
bool lgn_rc_cm_wanted(const struct lgn_rc_options *o,
		      const struct lgn_rc_device *d)
{
	if (o->connect != LGN_RC_AUTO)
		return o->connect == LGN_RC_CM;
	return d->own_ip && o->gid_index < 0 && !o->pkey_index && !o->sl &&
		!access("/dev/infiniband/rdma_cm", R_OK | W_OK);
}

int lgn_rc_cm_listen(struct lgn_rc *rc, struct lgn_rc_addr *mine)
{
	union sock_ip s = sock_of(rc->device.ip, 0);
	int fd;

	rc->cm_listen = rdma_create_event_channel();
	if (!rc->cm_listen)
		return cm_error(rc, "rdma_create_event_channel");
	if (rdma_create_id(rc->cm_listen, &rc->cm_id, NULL, RDMA_PS_TCP)) {
		rc->cm_id = NULL;
		return cm_error(rc, "rdma_create_id");
	}
	if (rdma_bind_addr(rc->cm_id, &s.any) || rdma_listen(rc->cm_id, 1024))
		return cm_error(rc, "listening");
	if (!on_my_port(rc, rc->cm_id))
		return lgn_fail(LAGOON_ENODEV, "device %s port %d: its address belongs to another port",
				rc->device.name, rc->device.port);
	fd = rc->cm_listen->fd;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	mine->cm_port = rdma_get_src_port(rc->cm_id);
	return 0;
}

/* After the identifiers of queue pairs are gone. Safe to call twice. */
void lgn_rc_cm_close(struct lgn_rc *rc)
{
	if (rc->cm_id)
		rdma_destroy_id(rc->cm_id);
	if (rc->cm_listen)
		rdma_destroy_event_channel(rc->cm_listen);
	if (rc->cm_ask)
		rdma_destroy_event_channel(rc->cm_ask);
	rc->cm_id = NULL;
	rc->cm_listen = rc->cm_ask = NULL;
}
