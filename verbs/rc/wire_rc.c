/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "runtime/base/limits.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "verbs/rc/rc.h"

enum { MAX_BATCH = 256 };

_Static_assert(sizeof(struct lgn_rc_addr) <= LGN_WIRE_ADDR_MAX, "fits a card");

static void rc_quiet(struct lgn_wire *wire)
{
	lgn_rc_listener_stop(lgn_rc_of(wire));
}

static void rc_close(struct lgn_wire *wire)
{
	struct lgn_rc *rc = lgn_rc_of(wire);

	lgn_rc_listener_stop(rc);
	for (int i = 0; rc->peer && i < rc->config.size; i++)
		lgn_rc_disconnect(rc, &rc->peer[i]);
	lgn_rc_bells_free(rc);
	lgn_rc_listener_close(rc);
	if (rc->cq)
		ibv_destroy_cq(rc->cq);
	if (rc->idle_cq)
		ibv_destroy_cq(rc->idle_cq);
	if (rc->pd)
		ibv_dealloc_pd(rc->pd);
	if (rc->device.context)
		lgn_rc_device_close(&rc->device);
	pthread_mutex_destroy(&rc->connecting);
	pthread_mutex_destroy(&rc->lock);
	free(rc->part);
	free(rc->addr);
	free(rc->peer);
	free(rc->watch);
	free(rc);
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* One protection domain a job: nothing of another job is reachable. */
static int make_queues(struct lgn_rc *rc)
{
	const struct ibv_device_attr *attr = &rc->device.attr;
	int cqe = smaller(LGN_RC_CQE, attr->max_cqe);
	int err;

	while (rc->chunk_shift > 12 && attr->max_mr_size &&
	       1ull << rc->chunk_shift > attr->max_mr_size)
		rc->chunk_shift--;
	rc->depth = (uint32_t)smaller(LGN_RC_DEPTH, attr->max_qp_wr);
	err = lgn_rc_device_check(&rc->device, (uint64_t)rc->options.qps,
				  "one peer", rc->depth, (uint32_t)cqe);
	if (err)
		return err;
	rc->pd = ibv_alloc_pd(rc->device.context);
	if (rc->pd)
		rc->cq = ibv_create_cq(rc->device.context, cqe, NULL, NULL, 0);
	if (rc->cq)
		rc->idle_cq = ibv_create_cq(rc->device.context, 1, NULL, NULL, 0);
	if (!rc->idle_cq)
		return lgn_fail(LAGOON_ENOMEM,
				"device %s: a completion queue of %d entries: %s",
				rc->device.name, cqe, strerror(errno));
	atomic_store(&rc->room, cqe);
	rc->wire.max_batch = (uint32_t)smaller(MAX_BATCH, (int)rc->depth);
	return 0;
}

static int rc_open(const struct lgn_wire_near *near,
		   struct lgn_wire_addr *mine, struct lgn_wire **wire)
{
	struct lgn_rc *rc = calloc(1, sizeof(*rc));
	struct lgn_rc_addr addr = { .tcp_port = 0 };
	int err;

	if (!rc)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a wire");
	rc->wire.ops = &lgn_wire_rc;
	rc->chunk_shift = LGN_RC_CHUNK_SHIFT;
	rc->listen_fd = rc->stop_fd = rc->epoll_fd = -1;
	rc->fail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&rc->connecting, NULL);
	pthread_mutex_init(&rc->lock, NULL);
	rc->part = calloc(LGN_RC_PARTS, sizeof(*rc->part));
	if (!rc->part)
		err = lgn_fail(LAGOON_ENOMEM, "no memory for a wire");
	else
		err = lgn_rc_options_read(&rc->options);
	if (!err)
		err = lgn_rc_device_open(&rc->options, near->topo, near->node,
					 &rc->device);
	if (!err)
		err = make_queues(rc);
	if (!err)
		err = lgn_rc_listen(rc, &addr);
	if (!err && lgn_rc_cm_wanted(&rc->options, &rc->device))
		err = lgn_rc_cm_listen(rc, &addr);
	if (err) {
		rc_close(&rc->wire);
		return err;
	}
	lgn_rc_parts_init(rc);
	snprintf(rc->wire.device, sizeof(rc->wire.device), "%.63s:%d",
		 rc->device.name, rc->device.port);
	lgn_log(LGN_INFO, "wire rc: %s", rc->device.reason);
	memcpy(addr.gid, &rc->device.gid, sizeof(addr.gid));
	memset(mine, 0, sizeof(*mine));
	memcpy(mine->bytes, &addr, sizeof(addr));
	*wire = &rc->wire;
	return 0;
}

/* Whether address i is of a process on my port. */
static bool shares(const struct lgn_rc *rc, int i)
{
	return !memcmp(rc->addr[i].gid, &rc->device.gid, sizeof(rc->addr[i].gid));
}

/* Every process asks every home; a home answers every process. All that share
 * a device take their queue pairs from it. */
static int check_queue_pairs(struct lgn_rc *rc,
			     const struct lgn_wire_config *config)
{
	const uint64_t k = (uint64_t)rc->options.qps;
	uint64_t asking = 0, answering = 0, mine = (uint64_t)config->homes * k;
	char what[160];
	int err;

	for (int i = 0; i < config->size; i++)
		asking += shares(rc, i);
	for (int i = 0; i < config->homes; i++) {
		answering += shares(rc, config->home_rank[i]);
		if (config->home_rank[i] == config->rank)
			mine += (uint64_t)config->size * k;
	}
	snprintf(what, sizeof(what),
		 "%llu processes x %d homes x %llu to ask, %llu homes x %d processes x %llu to answer",
		 (unsigned long long)asking, config->homes, (unsigned long long)k,
		 (unsigned long long)answering, config->size,
		 (unsigned long long)k);
	rc->pairs = asking * (uint64_t)config->homes +
		answering * (uint64_t)config->size;
	err = lgn_rc_device_check_qps(&rc->device, rc->pairs * k, what);
	return err ? err : lgn_rc_device_check(&rc->device, mine, what, rc->depth,
					       (uint32_t)rc->cq->cqe);
}

/* Rank 0 keeps a link to everybody, beside what the program has open. */
static int check_files(const struct lgn_wire_config *config)
{
	enum { OTHERS = 64 };
	const uint64_t need = (uint64_t)config->size + LGN_RC_GUESTS + OTHERS;
	struct lgn_limits limits;

	if (config->rank)
		return 0;
	lgn_limits_read(&limits);	/* need: doc/rdma.md names the sum */
	if (need <= limits.nofile)
		return 0;
	return lgn_fail(LAGOON_ENOMEM,
			"%llu file descriptors needed for the links of %d processes, the limit is %llu (RLIMIT_NOFILE): raise it with ulimit -n, at most %llu here",
			(unsigned long long)need, config->size,
			(unsigned long long)limits.nofile,
			(unsigned long long)limits.nofile_hard);
}

static int rc_start(struct lgn_wire *wire, const struct lgn_wire_config *config,
		    const struct lgn_wire_addr *all, const int *node_of)
{
	struct lgn_rc *rc = lgn_rc_of(wire);
	size_t n = (size_t)config->size;
	int err;

	(void)node_of;
	rc->config = *config;
	rc->addr = calloc(n, sizeof(*rc->addr));
	rc->peer = calloc(n, sizeof(*rc->peer));
	rc->watch = calloc(n, sizeof(*rc->watch));
	if (!rc->addr || !rc->peer || !rc->watch)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu peers", n);
	for (size_t i = 0; i < n; i++) {
		memcpy(&rc->addr[i], all[i].bytes, sizeof(rc->addr[i]));
		rc->peer[i].rank = (int)i;
		rc->watch[i] = -1;
	}
	err = check_queue_pairs(rc, config);
	if (!err)
		err = check_files(config);
	return err ? err : lgn_rc_listener_start(rc);
}

/* Connects at the first touch of a peer. */
static int rc_attach(struct lgn_wire *wire, int peer, const struct lgn_key *key,
		     struct lgn_rmem *mem)
{
	struct lgn_rc *rc = lgn_rc_of(wire);
	struct lgn_rc_rmem *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return lgn_fail(LAGOON_ENOMEM, "no memory for a region");
	m->peer = &rc->peer[peer];
	m->addr = key->addr;
	m->rkey[0] = (uint32_t)key->rkey;
	m->chunk_shift = lgn_rc_key_shift(key->rkey);
	m->bell = key->rkey & LGN_RC_KEY_BELL;
	pthread_mutex_lock(&rc->connecting);
	err = m->bell ? lgn_rc_connect_bell(rc, peer) : lgn_rc_connect(rc, peer);
	pthread_mutex_unlock(&rc->connecting);
	if (!err && key->len > 1ull << m->chunk_shift)
		err = lgn_rc_ask_keys(rc, peer, key, m->rkey);
	if (err) {
		free(m);
		return err;
	}
	*mem = (struct lgn_rmem){
		.wire = wire, .peer = peer, .len = key->len, .bell = m->bell,
		.priv = m,
	};
	return 0;
}

static void rc_detach(struct lgn_rmem *mem)
{
	free(mem->priv);
	*mem = (struct lgn_rmem){ 0 };
}

/* Nobody needs it between machines. */
static void rc_poke(struct lgn_wire *wire, int peer)
{
	(void)wire;
	(void)peer;
}

const struct lgn_wire_ops lgn_wire_rc = {
	.name = "rc",
	.open = rc_open,
	.start = rc_start,
	.quiet = rc_quiet,
	.close = rc_close,
	.reg = lgn_rc_reg,
	.unreg = lgn_rc_unreg,
	.attach = rc_attach,
	.detach = rc_detach,
	.post = lgn_rc_post,
	.poll = lgn_rc_poll,
	.why = lgn_rc_why,
	.hear = lgn_rc_hear,
	.hush = lgn_rc_hush,
	.mend = lgn_rc_mend,
	.poke = rc_poke,
};
