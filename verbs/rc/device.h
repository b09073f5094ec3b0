/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RDMA device of a process: options, choice, limits. Nothing here talks
 * to a peer.
 */
#ifndef LGN_VERBS_RC_DEVICE_H
#define LGN_VERBS_RC_DEVICE_H

#include <infiniband/verbs.h>
#include <stdbool.h>
#include <stddef.h>

#include "numa/place.h"

#define LGN_RC_QPS_MAX 16

/* How queue pairs are connected; as LAGOON_CONNECT lists them. */
enum lgn_rc_how { LGN_RC_AUTO, LGN_RC_CM, LGN_RC_TCP };

/* From the environment, see env_table.h. */
struct lgn_rc_options {
	char device[64];	/* "" any, "mlx5_0", "mlx5_0:2" without the port */
	int port;		/* 0: any */
	int gid_index;		/* -1: by rule */
	char interface[32];	/* for connecting; "": by rule */
	int qps;		/* queue pairs a peer */
	int mtu;		/* bytes, 0: the port's active MTU */
	int timeout;		/* local ACK timeout, 4.096 us x 2^timeout */
	int retry_cnt;
	int rnr_retry;		/* at most 6: 7 is for ever */
	int pkey_index;
	int sl;
	int traffic_class;
	int hop_limit;
	bool fork;		/* ibv_fork_init() */
	enum lgn_rc_how connect;
};

/* LAGOON_EINVAL with the variable named. */
int lgn_rc_options_read(struct lgn_rc_options *o);

struct lgn_rc_device {
	struct ibv_context *context;
	char name[64];
	uint8_t port;
	int numa_node;			/* as lgn_topo numbers them; -1 unknown */
	struct ibv_device_attr attr;
	struct ibv_port_attr port_attr;
	bool grh;			/* RoCE: always address by GID */
	int gid_index;
	union ibv_gid gid;
	enum ibv_mtu mtu;		/* at most; the smaller of both sides holds */
	bool own_ip;			/* ip belongs to the device: librdmacm works */
	uint8_t ip[16];			/* IPv6 or v4-mapped, for connecting */
	char reason[256];		/* why this device, port and GID */
};

/* Choose the active port nearest to NUMA node `near` (-1: anywhere), open it,
 * find its GID and an IP address. LAGOON_ENODEV with what is wrong and how to
 * mend it: no device, port down, no GID, no atomics; LAGOON_EINVAL for an
 * option that names none; LAGOON_EIO. */
int lgn_rc_device_open(const struct lgn_rc_options *o,
		       const struct lgn_topo *topo, int near,
		       struct lgn_rc_device *device);
void lgn_rc_device_close(struct lgn_rc_device *device);

/* Whether the device has so many queue pairs, of all processes that share it;
 * `what` is the sum as text: "64 processes x 8 homes x 1". LAGOON_ENODEV. */
int lgn_rc_device_check_qps(const struct lgn_rc_device *device, uint64_t qps,
			    const char *what);

/* Whether `qps` queue pairs of this process with send queues of `depth` work requests, and a
 * completion queue of `cqe`, can be had: LAGOON_ENODEV with the number needed,
 * the number there and the setting that changes it; LAGOON_ENOMEM if they do
 * not fit into RLIMIT_MEMLOCK. */
int lgn_rc_device_check(const struct lgn_rc_device *device, uint64_t qps,
			const char *what, uint32_t depth, uint32_t cqe);

#endif
