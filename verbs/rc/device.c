/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <stdio.h>
#include <arpa/inet.h>
#include "runtime/base/status.h"
#include "verbs/rc/device.h"

int lgn_rc_options_read(struct lgn_rc_options *o)
{
	*o = (struct lgn_rc_options){ .gid_index = -1, .qps = 1, .timeout = 14,
		.retry_cnt = 7, .rnr_retry = 6, .hop_limit = 64 };
	return 0;
}

int lgn_rc_device_open(const struct lgn_rc_options *o, const struct lgn_topo *topo, int near, struct lgn_rc_device *d)
{
	int n;
	struct ibv_device **list = ibv_get_device_list(&n);
	(void)o; (void)topo; (void)near;
	memset(d, 0, sizeof(*d));
	if (!list || !n)
		return lgn_fail(LAGOON_ENODEV, "no RDMA device");
	d->context = ibv_open_device(list[0]);
	snprintf(d->name, sizeof(d->name), "%s", ibv_get_device_name(list[0]));
	ibv_free_device_list(list);
	if (!d->context)
		return lgn_fail(LAGOON_ENODEV, "cannot open %s", d->name);
	d->port = 1;
	ibv_query_device(d->context, &d->attr);
	ibv_query_port(d->context, 1, &d->port_attr);
	d->mtu = d->port_attr.active_mtu;
	d->grh = d->port_attr.link_layer == IBV_LINK_LAYER_ETHERNET;
	for (int i = 0; i < d->port_attr.gid_tbl_len; i++) {
		union ibv_gid g;
		static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };
		if (ibv_query_gid(d->context, 1, i, &g) || memcmp(g.raw, v4, 12))
			continue;
		d->gid = g; d->gid_index = i;
		memcpy(d->ip, g.raw, 16); d->own_ip = true;
		break;
	}
	snprintf(d->reason, sizeof(d->reason), "%s port 1 gid %d", d->name, d->gid_index);
	return d->own_ip ? 0 : lgn_fail(LAGOON_ENODEV, "%s has no IPv4 GID", d->name);
}
void lgn_rc_device_close(struct lgn_rc_device *d) { ibv_close_device(d->context); }
int lgn_rc_device_check(const struct lgn_rc_device *device, uint64_t qps, const char *what, uint32_t depth, uint32_t cqe)
{ (void)device; (void)qps; (void)what; (void)depth; (void)cqe; return 0; }
