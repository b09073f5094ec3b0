/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "runtime/base/status.h"
#include "verbs/rc/rc.h"

static int qp_error(const struct lgn_rc *rc, const char *what, int error)
{
	return lgn_fail(error == ENOMEM ? LAGOON_ENOMEM : LAGOON_EIO,
			"device %s port %d: %s: %s", rc->device.name,
			rc->device.port, what, strerror(error));
}

int lgn_rc_qp_create(struct lgn_rc *rc, int use, struct ibv_qp **qp)
{
	const bool serve = use & LGN_RC_SERVE;
	struct ibv_qp_init_attr init = {
		.send_cq = serve ? rc->idle_cq : rc->cq,
		.recv_cq = rc->idle_cq,
		.cap = {
			.max_send_wr = serve ? 1 : rc->depth,
			.max_recv_wr = 1,
			.max_send_sge = 1,
			.max_recv_sge = 1,
			.max_inline_data = serve ? 0 : 8,
		},
		.qp_type = IBV_QPT_RC,
	};
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.pkey_index = (uint16_t)rc->options.pkey_index,
		.port_num = rc->device.port,
		.qp_access_flags = lgn_rc_qp_access(use),
	};
	int err;

	if (use == (LGN_RC_SERVE | LGN_RC_BELL)) {
		init.srq = lgn_rc_bells_srq(rc, &init.recv_cq);
		if (!init.srq)
			return lgn_fail(LAGOON_ENOENT, "no region here has bells");
	}

	*qp = ibv_create_qp(rc->pd, &init);
	if (!*qp)
		return qp_error(rc, "creating a queue pair", errno);
	err = ibv_modify_qp(*qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX |
			    IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
	return err ? qp_error(rc, "a queue pair to INIT", err) : 0;
}

int lgn_rc_qps_create(struct lgn_rc *rc, int use, struct ibv_qp **qp,
		      struct lgn_rc_end *end)
{
	const struct lgn_rc_device *d = &rc->device;
	int limit = use & LGN_RC_SERVE ? d->attr.max_qp_rd_atom : d->attr.max_qp_init_rd_atom;
	int rc_ = 0;

	memset(end, 0, sizeof(*end));
	memcpy(end->gid, &d->gid, sizeof(end->gid));
	end->lid = d->port_attr.lid;
	end->mtu = (uint8_t)d->mtu;
	end->grh = d->grh;
	end->rd_atomic = (uint8_t)(limit > 255 ? 255 : limit);
	if (getrandom(end->psn, sizeof(end->psn), 0) < 0)
		return lgn_fail(LAGOON_EIO, "getrandom: %s", strerror(errno));
	for (int i = 0; !rc_ && i < lgn_rc_qps(rc, use); i++) {
		rc_ = lgn_rc_qp_create(rc, use, &qp[i]);
		end->psn[i] &= 0xffffff;
		end->qpn[i] = rc_ ? 0 : qp[i]->qp_num;
	}
	if (rc_)
		lgn_rc_qps_destroy(rc, use, qp);
	return rc_;
}

/* InfiniBand within a subnet goes by LID; everything else by GID. */
static struct ibv_ah_attr path_to(const struct lgn_rc *rc,
				  const struct lgn_rc_end *to)
{
	const struct lgn_rc_device *d = &rc->device;
	bool far = memcmp(to->gid, d->gid.raw, 8) != 0;
	struct ibv_ah_attr ah = {
		.dlid = to->lid,
		.sl = (uint8_t)rc->options.sl,
		.port_num = d->port,
		.is_global = d->grh || to->grh || far,
	};

	if (ah.is_global) {
		memcpy(ah.grh.dgid.raw, to->gid, 16);
		ah.grh.sgid_index = (uint8_t)d->gid_index;
		ah.grh.hop_limit = (uint8_t)rc->options.hop_limit;
		ah.grh.traffic_class = (uint8_t)rc->options.traffic_class;
	}
	return ah;
}

static uint8_t smaller(int a, int b)
{
	return (uint8_t)(a < b ? a : b);
}

static int make_ready(struct lgn_rc *rc, int use, struct ibv_qp *qp, int i,
		      const struct lgn_rc_end *mine,
		      const struct lgn_rc_end *theirs)
{
	uint8_t outstanding = smaller(mine->rd_atomic, theirs->rd_atomic);
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.ah_attr = path_to(rc, theirs),
		.path_mtu = mine->mtu < theirs->mtu ? mine->mtu : theirs->mtu,
		.dest_qp_num = theirs->qpn[i],
		.rq_psn = theirs->psn[i],
		.max_dest_rd_atomic = outstanding,
		.min_rnr_timer = lgn_rc_rnr_timer(use),
	};
	int err = ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_AV |
				IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
				IBV_QP_MIN_RNR_TIMER);

	if (err)
		return qp_error(rc, "a queue pair to RTR (is the GID of both sides on one network?)", err);
	attr.qp_state = IBV_QPS_RTS;
	attr.sq_psn = mine->psn[i];
	attr.timeout = (uint8_t)rc->options.timeout;
	attr.retry_cnt = (uint8_t)rc->options.retry_cnt;
	attr.rnr_retry = (uint8_t)rc->options.rnr_retry;
	attr.max_rd_atomic = outstanding;
	err = ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_TIMEOUT |
			    IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
			    IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
	return err ? qp_error(rc, "a queue pair to RTS", err) : 0;
}

int lgn_rc_qps_ready(struct lgn_rc *rc, int rank, int use, struct ibv_qp **qp,
		     const struct lgn_rc_end *mine,
		     const struct lgn_rc_end *theirs)
{
	int err = 0;

	if (mine->grh != theirs->grh)
		return lgn_fail(LAGOON_ENODEV,
				"device %s and that of rank %d: one is RoCE, the other InfiniBand; see LAGOON_DEVICE",
				rc->device.name, rank);
	for (int i = 0; !err && i < lgn_rc_qps(rc, use); i++)
		err = make_ready(rc, use, qp[i], i, mine, theirs);
	return err;
}

void lgn_rc_qps_destroy(const struct lgn_rc *rc, int use, struct ibv_qp **qp)
{
	for (int i = 0; i < lgn_rc_qps(rc, use); i++) {
		if (qp[i])
			ibv_destroy_qp(qp[i]);
		qp[i] = NULL;
	}
}
