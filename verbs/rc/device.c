/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/limits.h"
#include "runtime/base/status.h"
#include "verbs/rc/choose.h"

static int mtu_bytes(enum ibv_mtu mtu)
{
	return 128 << mtu;
}

static int query(struct lgn_rc_device *d, const char *what, int error)
{
	return lgn_fail(LAGOON_EIO, "device %s port %d: query of %s: %s",
			d->name, d->port, what, strerror(error));
}

static int bad_gid(const struct lgn_rc_device *d, int wanted,
		   const struct ibv_gid_entry *list, int n)
{
	char text[200] = "none";
	size_t used = 0;

	for (int i = 0; i < n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%u", i ? ", " : "", list[i].gid_index);
	if (wanted < 0)
		return lgn_fail(LAGOON_ENODEV, "device %s port %d has no GID",
				d->name, d->port);
	return lgn_fail(LAGOON_EINVAL,
			"LAGOON_GID_INDEX is %d: device %s port %d has %s",
			wanted, d->name, d->port, text);
}

static int find_gid(const struct lgn_rc_options *o, struct lgn_rc_device *d,
		    char text[LGN_RC_GID_TEXT])
{
	struct ibv_gid_entry list[LGN_RC_GIDS];
	int n = lgn_rc_gid_list(d->context, d->port, &d->port_attr, list);
	int i = lgn_rc_gid_choose(list, n, d->grh, o->gid_index);

	if (i < 0)
		return bad_gid(d, o->gid_index, list, n);
	d->gid_index = (int)list[i].gid_index;
	d->gid = list[i].gid;
	lgn_rc_gid_text(&list[i], text);
	return 0;
}

/* An empty place in the table of partition keys holds 0. */
static int check_pkey(const struct lgn_rc_options *o, struct lgn_rc_device *d)
{
	__be16 key = 0;

	if (o->pkey_index >= d->port_attr.pkey_tbl_len)
		return lgn_fail(LAGOON_EINVAL,
				"LAGOON_PKEY_INDEX is %d: device %s port %d has %d partition keys, from 0",
				o->pkey_index, d->name, d->port,
				d->port_attr.pkey_tbl_len);
	if (ibv_query_pkey(d->context, d->port, o->pkey_index, &key))
		return query(d, "a partition key", errno);
	if (!key)
		return lgn_fail(LAGOON_EINVAL,
				"LAGOON_PKEY_INDEX is %d: device %s port %d has no partition key there",
				o->pkey_index, d->name, d->port);
	return 0;
}

static void limit_mtu(const struct lgn_rc_options *o, struct lgn_rc_device *d)
{
	d->mtu = d->port_attr.active_mtu;
	while (o->mtu && mtu_bytes(d->mtu) > o->mtu)
		d->mtu--;
}

static struct ibv_context *open_named(const struct lgn_rc_scan *scan,
				      const char *name)
{
	for (int i = 0; i < scan->devices; i++)
		if (!strcmp(ibv_get_device_name(scan->device[i]), name))
			return ibv_open_device(scan->device[i]);
	return NULL;
}

/* Everything about an open device whose port is chosen. */
static int fill(const struct lgn_rc_options *o, const char *why,
		struct lgn_rc_device *d)
{
	char gid[LGN_RC_GID_TEXT], ip[LGN_RC_IP_TEXT], text[400];
	int rc;

	if (ibv_query_device(d->context, &d->attr))
		return query(d, "the device", errno);
	if (ibv_query_port(d->context, d->port, &d->port_attr))
		return query(d, "the port", errno);
	d->grh = d->port_attr.link_layer == IBV_LINK_LAYER_ETHERNET;
	limit_mtu(o, d);
	rc = check_pkey(o, d);
	if (!rc)
		rc = find_gid(o, d, gid);
	if (!rc)
		rc = lgn_rc_ip_find(o, d);
	if (rc)
		return rc;
	snprintf(text, sizeof(text),
		 "%s port %d: %s; GID %d (%s), MTU %d, connects by %s", d->name,
		 d->port, why, d->gid_index, gid, mtu_bytes(d->mtu),
		 lgn_rc_ip_text(d->ip, ip));
	snprintf(d->reason, sizeof(d->reason), "%.255s", text);
	return 0;
}

static int open_port(const struct lgn_rc_options *o,
		     const struct lgn_rc_scan *scan,
		     const struct lgn_rc_candidate *c, const char *why,
		     struct lgn_rc_device *out)
{
	struct lgn_rc_device d = { .port = (uint8_t)c->port,
		.numa_node = c->node };
	int rc;

	memcpy(d.name, c->device, sizeof(d.name));
	d.context = open_named(scan, d.name);
	if (!d.context)
		return lgn_fail(LAGOON_EIO, "device %s: it could be opened once, but not again: %s",
				d.name, strerror(errno));
	rc = fill(o, why, &d);
	if (rc)
		lgn_rc_device_close(&d);
	else
		*out = d;
	return rc;
}

int lgn_rc_device_open(const struct lgn_rc_options *o,
		       const struct lgn_topo *topo, int near,
		       struct lgn_rc_device *device)
{
	struct lgn_rc_scan scan;
	char why[160];
	int i, rc = 0;

	if (o->fork)
		rc = ibv_fork_init();
	if (rc)
		return lgn_fail(LAGOON_EIO, "ibv_fork_init: %s; see LAGOON_FORK",
				strerror(rc));
	rc = lgn_rc_scan(topo, near, &scan);
	if (rc)
		return rc;
	i = lgn_rc_choose(o, scan.candidate, scan.n, why, sizeof(why));
	rc = i < 0 ? i : open_port(o, &scan, &scan.candidate[i], why, device);
	lgn_rc_scan_free(&scan);
	return rc;
}

void lgn_rc_device_close(struct lgn_rc_device *device)
{
	if (device->context)
		ibv_close_device(device->context);
	device->context = NULL;
}

/* The limit by its name in libibverbs; what to do about it. */
static int lacks(const struct lgn_rc_device *d, const char *need, uint64_t n,
		 const char *limit, int there, const char *cure)
{
	return lgn_fail(LAGOON_ENODEV,
			"%s: %llu needed, device %s has %d (%s): %s", need,
			(unsigned long long)n, d->name, there, limit, cure);
}

/* Bytes that the driver pins for queues, roughly. */
static uint64_t queue_bytes(uint64_t qps, uint32_t depth, uint32_t cqe)
{
	enum { REQUEST = 64, COMPLETION = 64 };

	return qps * depth * REQUEST + (uint64_t)cqe * COMPLETION;
}

static bool enough(int there, uint64_t need)
{
	return there > 0 && (uint64_t)there >= need;
}

int lgn_rc_device_check_qps(const struct lgn_rc_device *d, uint64_t qps,
			    const char *what)
{
	char text[200];

	snprintf(text, sizeof(text), "queue pairs, %s", what);
	if (!enough(d->attr.max_qp, qps))
		return lacks(d, text, qps, "max_qp", d->attr.max_qp,
			     "set LAGOON_QPS lower, or start fewer processes with more workers each");
	return 0;
}

int lgn_rc_device_check(const struct lgn_rc_device *d, uint64_t qps,
			const char *what, uint32_t depth, uint32_t cqe)
{
	static const char other[] = "choose another device with LAGOON_DEVICE";
	const struct ibv_device_attr *a = &d->attr;
	int rc = lgn_rc_device_check_qps(d, qps, what);

	if (rc)
		return rc;
	if (!enough(a->max_qp_wr, depth))
		return lacks(d, "requests in a send queue", depth, "max_qp_wr",
			     a->max_qp_wr, other);
	if (!enough(a->max_cqe, cqe))
		return lacks(d, "entries in a completion queue", cqe, "max_cqe",
			     a->max_cqe, other);
	if (!enough(a->max_cq, 2))
		return lacks(d, "completion queues", 2, "max_cq", a->max_cq,
			     other);
	if (!enough(a->max_qp_init_rd_atom, 1))
		return lacks(d, "READs and atomics that a queue pair may ask for",
			     1, "max_qp_init_rd_atom", a->max_qp_init_rd_atom,
			     other);
	if (!enough(a->max_qp_rd_atom, 1))
		return lacks(d, "READs and atomics that a queue pair may answer",
			     1, "max_qp_rd_atom", a->max_qp_rd_atom, other);
	return lgn_limits_check(queue_bytes(qps, depth, cqe), true);
}
