/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which device, port, GID and IP address. What there is, is listed first; the
 * choice is arithmetic over the list, and so is tested with lists that this
 * machine does not have.
 */
#ifndef LGN_VERBS_RC_CHOOSE_H
#define LGN_VERBS_RC_CHOOSE_H

#include <net/if.h>

#include "verbs/rc/device.h"

enum { LGN_RC_GIDS = 256 };

/* ------------------------------------------------------------ choose.c */

/* A port of a device; or a device that cannot be used at all. */
struct lgn_rc_candidate {
	char device[64];
	int port;			/* 0: none could be seen */
	char trouble[256];		/* then: why */
	enum ibv_port_state state;
	bool ethernet;			/* RoCE, not InfiniBand */
	bool atomics;
	bool gid;			/* has an address */
	char interface[IF_NAMESIZE];	/* under RoCE; "" unknown */
	int mbps;
	int node;			/* as lgn_topo numbers them, or -1 */
	int node_os;			/* the system's number, or -1 */
	int distance;			/* from the shard: 10 is its own node;
					 * 0 unknown */
};

/* The index of the best candidate, and why it is; LAGOON_EINVAL if no
 * candidate has the name asked for; LAGOON_ENODEV if none can be used.
 * InfiniBand before RoCE (all processes must meet on one fabric), then the
 * nearer, then the faster, then by name. */
int lgn_rc_choose(const struct lgn_rc_options *o,
		  const struct lgn_rc_candidate *list, int n,
		  char *why, size_t len);

/* Why a candidate cannot be used; "" if it can. Returns text. */
const char *lgn_rc_trouble(const struct lgn_rc_candidate *c, char *text,
			   size_t len);

const char *lgn_rc_state_text(enum ibv_port_state state);
int lgn_rc_mbps(const struct ibv_port_attr *port);

/* -------------------------------------------------------------- scan.c */

struct lgn_rc_scan {
	struct ibv_device **device;
	int devices;
	struct lgn_rc_candidate *candidate;
	int n;
};

/* All ports of all devices, their distance from NUMA node `near` (-1: none).
 * LAGOON_ENODEV with what can be done if there is no device. */
int lgn_rc_scan(const struct lgn_topo *topo, int near,
		struct lgn_rc_scan *scan);
void lgn_rc_scan_free(struct lgn_rc_scan *scan);

/* --------------------------------------------------------------- gid.c */

/* The entries of a port's table that hold something; how many. */
int lgn_rc_gid_list(struct ibv_context *context, int port,
		    const struct ibv_port_attr *attr,
		    struct ibv_gid_entry list[LGN_RC_GIDS]);

/* Index into list; -1: there is none. wanted: the number in the port's table,
 * -1 by rule: InfiniBand the first; RoCE v2 before v1, v4-mapped before
 * routable IPv6 before link-local, then the lowest. */
int lgn_rc_gid_choose(const struct ibv_gid_entry *list, int n, bool ethernet,
		      int wanted);

bool lgn_rc_gid_is_v4(const union ibv_gid *gid);
bool lgn_rc_gid_is_local(const union ibv_gid *gid);
/* The network interface under a GID, "" if there is none. */
void lgn_rc_gid_interface(const struct ibv_gid_entry *entry,
			  char name[IF_NAMESIZE]);
/* "RoCE v2, ::ffff:10.0.0.1". Returns text. */
#define LGN_RC_GID_TEXT 64
const char *lgn_rc_gid_text(const struct ibv_gid_entry *entry,
			    char text[LGN_RC_GID_TEXT]);

/* ----------------------------------------------------------- address.c */

/* An IP address of this host. */
struct lgn_rc_host_ip {
	char interface[IF_NAMESIZE];
	uint8_t ip[16];			/* IPv6 or v4-mapped */
	bool up;
	bool loopback;
	bool hardware;			/* of a network card */
	bool own;			/* IPoIB on the chosen port */
};

/* The index of the one to connect by; -1: none. interface: that one or none;
 * "": by rule: own, network card, other (bond, VLAN), loopback; never a bridge
 * to containers or virtual machines. IPv4 before IPv6. */
int lgn_rc_ip_choose(const struct lgn_rc_host_ip *list, int n,
		     const char *interface);

/* Fill ip and own_ip of a device whose port and GID are chosen. */
int lgn_rc_ip_find(const struct lgn_rc_options *o, struct lgn_rc_device *device);

/* An IPv4 address, mapped into IPv6. */
bool lgn_rc_ip_is_v4(const uint8_t ip[16]);

/* "10.0.0.1" or "fd00::1". Returns text. */
#define LGN_RC_IP_TEXT 48
const char *lgn_rc_ip_text(const uint8_t ip[16], char text[LGN_RC_IP_TEXT]);

/* The name of a network interface of this host that Soft-RoCE could be put
 * on; "eth0" if none is found. */
void lgn_rc_ip_example(char name[IF_NAMESIZE]);

#endif
