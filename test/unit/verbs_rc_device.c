/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of the RDMA device; which port, GID and IP address is chosen, from
 * lists of what this machine does not have; limits. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/env.h"
#include "runtime/base/status.h"
#include "verbs/rc/choose.h"

/* --- options */

static void clear(void)
{
	for (int id = 0; id < LGN_ENV_COUNT; id++)
		unsetenv(lgn_env_entry((enum lgn_env_id)id)->name);
}

TestSuite(rc_options, .init = clear);

Test(rc_options, defaults)
{
	struct lgn_rc_options o;

	cr_assert_eq(lgn_rc_options_read(&o), 0, "%s", lagoon_errmsg());
	cr_expect_str_eq(o.device, "");
	cr_expect_str_eq(o.interface, "");
	cr_expect_eq(o.port, 0);
	cr_expect_eq(o.gid_index, -1);
	cr_expect_eq(o.qps, 1);
	cr_expect_eq(o.mtu, 0);
	cr_expect_eq(o.timeout, 14);
	cr_expect_eq(o.retry_cnt, 7);
	cr_expect_eq(o.rnr_retry, 6);
	cr_expect_eq(o.pkey_index, 0);
	cr_expect_eq(o.sl, 0);
	cr_expect_eq(o.traffic_class, 0);
	cr_expect_eq(o.hop_limit, 64);
	cr_expect_not(o.fork);
}

Test(rc_options, bounds_of_the_table_fit_the_code)
{
	cr_expect_eq(lgn_env_entry(LGN_ENV_ID_QPS)->max, LGN_RC_QPS_MAX);
	/* 7 is for ever, as an ACK timeout of 0 is */
	cr_expect_eq(lgn_env_entry(LGN_ENV_ID_RNR_RETRY)->max, 6);
	cr_expect_eq(lgn_env_entry(LGN_ENV_ID_ACK_TIMEOUT)->min, 1);
	cr_expect_str_eq(lgn_env_entry(LGN_ENV_ID_MTU)->choices,
			 "0|256|512|1024|2048|4096");
	cr_expect_str_eq(lgn_env_entry(LGN_ENV_ID_FORK)->choices, "no|yes");
}

Test(rc_options, every_one_is_read)
{
	static const char *const set[][2] = {
		{ "DEVICE", "mlx5_1:2" }, { "INTERFACE", "ib0" },
		{ "GID_INDEX", "3" }, { "QPS", "16" }, { "MTU", "2048" },
		{ "ACK_TIMEOUT", "18" }, { "RETRY", "5" }, { "RNR_RETRY", "0" },
		{ "PKEY_INDEX", "4" }, { "SL", "15" }, { "TRAFFIC_CLASS", "106" },
		{ "HOP_LIMIT", "1" }, { "FORK", "yes" },
	};
	struct lgn_rc_options o;
	char name[64];

	for (size_t i = 0; i < LGN_COUNT(set); i++) {
		snprintf(name, sizeof(name), "LAGOON_%s", set[i][0]);
		setenv(name, set[i][1], 1);
	}
	cr_assert_eq(lgn_rc_options_read(&o), 0, "%s", lagoon_errmsg());
	cr_expect_str_eq(o.device, "mlx5_1");
	cr_expect_eq(o.port, 2);
	cr_expect_str_eq(o.interface, "ib0");
	cr_expect_eq(o.gid_index, 3);
	cr_expect_eq(o.qps, 16);
	cr_expect_eq(o.mtu, 2048);
	cr_expect_eq(o.timeout, 18);
	cr_expect_eq(o.retry_cnt, 5);
	cr_expect_eq(o.rnr_retry, 0);
	cr_expect_eq(o.pkey_index, 4);
	cr_expect_eq(o.sl, 15);
	cr_expect_eq(o.traffic_class, 106);
	cr_expect_eq(o.hop_limit, 1);
	cr_expect(o.fork);
}

Test(rc_options, what_is_refused)
{
	static const struct {
		const char *name, *value, *says;
	} bad[] = {
		{ "DEVICE", "mlx5_0:", "mlx5_0:2" },
		{ "DEVICE", "mlx5_0:0", "mlx5_0:2" },
		{ "DEVICE", "mlx5_0:256", "mlx5_0:2" },
		{ "DEVICE", "mlx5_0:1x", "mlx5_0:2" },
		{ "DEVICE", "mlx5_0:+1", "mlx5_0:2" },
		{ "DEVICE", "mlx5_0:1:1", "mlx5_0:2" },
		{ "DEVICE", ":1", "mlx5_0:2" },
		{ "DEVICE", "../mlx5_0", "mlx5_0:2" },
		{ "DEVICE", "a_name_that_is_longer_than_any_that_the_kernel_gives_to_a_device_here", "mlx5_0:2" },
		{ "INTERFACE", "an_interface_of_more_than_31_bytes", "not a name" },
		{ "INTERFACE", "eth0 eth1", "not a name" },
		{ "GID_INDEX", "-2", "-1 to 255" },
		{ "GID_INDEX", "256", "-1 to 255" },
		{ "QPS", "0", "1 to 16" }, { "QPS", "17", "1 to 16" },
		{ "QPS", "two", "1 to 16" },
		{ "MTU", "1500", "256|512|1024|2048|4096" },
		{ "MTU", "8192", "256|512|1024|2048|4096" },
		{ "ACK_TIMEOUT", "0", "1 to 31" },
		{ "ACK_TIMEOUT", "32", "1 to 31" },
		{ "RETRY", "8", "0 to 7" }, { "RETRY", "-1", "0 to 7" },
		{ "RNR_RETRY", "7", "for ever" },
		{ "RNR_RETRY", "8", "0 to 6" }, { "RNR_RETRY", "07", "0 to 6" },
		{ "PKEY_INDEX", "65536", "0 to 65535" },
		{ "SL", "16", "0 to 15" }, { "TRAFFIC_CLASS", "256", "0 to 255" },
		{ "HOP_LIMIT", "0", "1 to 255" }, { "FORK", "1", "no|yes" },
	};
	char name[64];

	for (size_t i = 0; i < LGN_COUNT(bad); i++) {
		struct lgn_rc_options o = { .qps = -99 };

		snprintf(name, sizeof(name), "LAGOON_%s", bad[i].name);
		setenv(name, bad[i].value, 1);
		cr_expect_eq(lgn_rc_options_read(&o), LAGOON_EINVAL, "%s=%s",
			     name, bad[i].value);
		cr_expect_eq(o.qps, -99, "%s: wrote an output", name);
		cr_expect(strstr(lagoon_errmsg(), name), "%s", lagoon_errmsg());
		cr_expect(strstr(lagoon_errmsg(), bad[i].says), "%s=%s: %s",
			  name, bad[i].value, lagoon_errmsg());
		unsetenv(name);
	}
}

/* --- ports */

#define IB(name, number, gbps, from) { .device = name, .port = number, \
	.state = IBV_PORT_ACTIVE, .atomics = true, .gid = true, \
	.mbps = (gbps) * 1000, .distance = from }
#define ROCE(name, number, gbps, from) { .device = name, .port = number, \
	.state = IBV_PORT_ACTIVE, .atomics = true, .gid = true, \
	.mbps = (gbps) * 1000, .distance = from, .ethernet = true }
#define DOWN(name, number, from) { .device = name, .port = number, \
	.state = IBV_PORT_DOWN, .atomics = true, .gid = true, \
	.mbps = 100000, .distance = from }

struct ports {
	struct lgn_rc_candidate list[4];
	int n;
	const char *device;	/* LAGOON_DEVICE */
	int port;
	int best;		/* or a LAGOON_E code */
	const char *says;	/* in the reason, or in the message */
};

static const struct ports cases[] = {
	/* one */
	{ { IB("mlx5_0", 1, 100, 10) }, 1, "", 0, 0, "the only port" },
	{ { ROCE("rxe0", 1, 1, 0) }, 1, "", 0, 0, "the only port" },
	/* active before down, however near and fast */
	{ { DOWN("mlx5_0", 1, 10), IB("mlx5_1", 1, 25, 32) }, 2, "", 0, 1,
	  "the only one of 2 ports that can be used" },
	{ { DOWN("mlx5_0", 1, 10), IB("mlx5_0", 2, 100, 10) }, 2, "", 0, 1,
	  "the only one of 2" },
	/* the nearer */
	{ { IB("mlx5_0", 1, 100, 21), IB("mlx5_1", 1, 100, 10) }, 2, "", 0, 1,
	  "nearer to the shard than mlx5_0 port 1 (distance 10, not 21)" },
	{ { IB("mlx5_0", 1, 200, 32), IB("mlx5_1", 1, 100, 12),
	    IB("mlx5_2", 1, 400, 21) }, 3, "", 0, 1, "mlx5_2 port 1 (distance 12, not 21)" },
	/* somewhere before nowhere known */
	{ { IB("mlx5_0", 1, 100, 0), IB("mlx5_1", 1, 100, 32) }, 2, "", 0, 1,
	  "where mlx5_0 is, is not known" },
	/* InfiniBand before RoCE, however near: processes must meet */
	{ { ROCE("mlx5_0", 1, 100, 10), IB("mlx5_1", 1, 56, 21) }, 2, "", 0, 1,
	  "InfiniBand before RoCE (mlx5_0 port 1)" },
	{ { IB("mlx5_1", 1, 56, 21), ROCE("mlx5_0", 1, 100, 10) }, 2, "", 0, 0,
	  "InfiniBand before RoCE" },
	/* as near: the faster, then by name, numbers as numbers */
	{ { IB("mlx5_0", 1, 100, 10), IB("mlx5_1", 1, 200, 10) }, 2, "", 0, 1,
	  "faster than mlx5_0 port 1 (200, not 100 Gb/s)" },
	{ { IB("mlx5_10", 1, 100, 10), IB("mlx5_2", 1, 100, 10) }, 2, "", 0, 1,
	  "as good as mlx5_10 port 1" },
	{ { IB("mlx5_0", 2, 100, 10), IB("mlx5_0", 1, 100, 10) }, 2, "", 0, 1,
	  "as good as mlx5_0 port 2" },
	/* nothing known about places */
	{ { IB("b", 1, 100, 0), IB("a", 1, 100, 0) }, 2, "", 0, 1, "by name" },
	/* by name asked for, whatever else there is */
	{ { IB("mlx5_0", 1, 100, 10), ROCE("mlx5_1", 1, 25, 32) }, 2,
	  "mlx5_1", 0, 1, "LAGOON_DEVICE" },
	{ { IB("mlx5_0", 1, 100, 10), IB("mlx5_0", 2, 100, 10) }, 2,
	  "mlx5_0", 2, 1, "LAGOON_DEVICE" },
	{ { IB("mlx5_0", 1, 100, 10), IB("mlx5_0", 2, 200, 10) }, 2,
	  "mlx5_0", 0, 1, "LAGOON_DEVICE; faster than mlx5_0 port 1" },
	/* never another one than asked for */
	{ { DOWN("mlx5_0", 1, 10), IB("mlx5_1", 1, 100, 10) }, 2,
	  "mlx5_0", 0, LAGOON_ENODEV, "mlx5_0 port 1 is DOWN" },
	{ { IB("mlx5_0", 1, 100, 10), IB("mlx5_1", 1, 100, 10) }, 2,
	  "mlx5_2", 0, LAGOON_EINVAL,
	  "LAGOON_DEVICE is \"mlx5_2\": there is only mlx5_0:1, mlx5_1:1" },
	{ { IB("mlx5_0", 1, 100, 10) }, 1, "mlx5_0", 2, LAGOON_EINVAL,
	  "LAGOON_DEVICE is \"mlx5_0:2\": there is only mlx5_0:1" },
	{ { IB("mlx5_0", 1, 100, 10) }, 1, "mlx5", 0, LAGOON_EINVAL, "\"mlx5\"" },
	/* what is wrong with each */
	{ { DOWN("mlx5_0", 1, 10),
	    { .device = "mlx5_1", .port = 1, .state = IBV_PORT_INIT } },
	  2, "", 0, LAGOON_ENODEV, "mlx5_1 port 1 is INIT, not ACTIVE: no subnet manager" },
	{ { { .device = "rxe0", .port = 1, .state = IBV_PORT_DOWN, .ethernet = true,
	      .interface = "eth3" } },
	  1, "", 0, LAGOON_ENODEV, "rxe0 port 1 is DOWN, not ACTIVE: ip link set dev eth3 up" },
	{ { { .device = "siw0", .port = 1, .state = IBV_PORT_ACTIVE, .gid = true } },
	  1, "", 0, LAGOON_ENODEV, "siw0 has no atomic operations" },
	{ { { .device = "rxe0", .port = 1, .state = IBV_PORT_ACTIVE, .atomics = true } },
	  1, "", 0, LAGOON_ENODEV, "rxe0 port 1 has no GID" },
	{ { { .device = "mlx5_0", .trouble = "/dev/infiniband/uverbs0: no" } },
	  1, "", 0, LAGOON_ENODEV, "mlx5_0: /dev/infiniband/uverbs0: no" },
	/* one that cannot be opened is not all */
	{ { { .device = "mlx5_0", .trouble = "no" }, IB("mlx5_1", 1, 100, 10) },
	  2, "", 0, 1, "the only one of 2" },
	{ { { .device = "mlx5_0", .trouble = "permission" }, IB("mlx5_1", 1, 100, 10) },
	  2, "mlx5_0", 1, LAGOON_ENODEV, "permission" },
};

Test(rc_choose, the_best_port_and_why)
{
	for (size_t i = 0; i < LGN_COUNT(cases); i++) {
		const struct ports *c = &cases[i];
		struct lgn_rc_options o = { .port = c->port };
		char why[160] = "";
		const char *text;
		int best;

		strcpy(o.device, c->device);
		best = lgn_rc_choose(&o, c->list, c->n, why, sizeof(why));
		text = best < 0 ? lagoon_errmsg() : why;
		cr_expect_eq(best, c->best, "case %zu: %d, %s", i, best, text);
		cr_expect(strstr(text, c->says), "case %zu: %s", i, text);
	}
}

/* The choice does not depend on the order in which devices are listed. */
Test(rc_choose, order_does_not_matter)
{
	const struct lgn_rc_options o = { .port = 0 };
	struct lgn_rc_candidate list[] = {
		IB("mlx5_3", 1, 100, 10), IB("mlx5_2", 1, 100, 10),
		ROCE("mlx5_0", 1, 400, 10), IB("mlx5_1", 1, 200, 21),
		DOWN("mlx5_4", 1, 10), IB("mlx5_5", 1, 50, 10),
	};
	char why[160];
	const int n = LGN_COUNT(list);

	for (int turn = 0; turn < n; turn++) {
		struct lgn_rc_candidate first = list[0];
		int best = lgn_rc_choose(&o, list, n, why, sizeof(why));

		cr_assert_geq(best, 0);
		cr_expect_str_eq(list[best].device, "mlx5_2", "turn %d: %s, %s",
				 turn, list[best].device, why);
		memmove(list, list + 1, (n - 1) * sizeof(list[0]));
		list[n - 1] = first;
	}
}

Test(rc_choose, long_lists_and_short_buffers)
{
	static struct lgn_rc_candidate list[200];
	const struct lgn_rc_options o = { .port = 0 };
	char why[8] = "";

	for (int i = 0; i < 200; i++) {
		snprintf(list[i].device, sizeof(list[i].device), "device_%d", i);
		strcpy(list[i].trouble, "a long story of what has gone wrong here");
	}
	cr_expect_eq(lgn_rc_choose(&o, list, 200, why, sizeof(why)), LAGOON_ENODEV);
	cr_expect(strstr(lagoon_errmsg(), "device_0: a long story"));
	list[77] = (struct lgn_rc_candidate)IB("device_77", 1, 100, 10);
	cr_expect_eq(lgn_rc_choose(&o, list, 200, why, sizeof(why)), 77);
	cr_expect_lt(strlen(why), sizeof(why));
}

Test(rc_choose, rates)
{
	static const struct {
		uint8_t width, speed;
		int mbps;
	} rate[] = {
		{ 2, 64, 200000 },	/* 4x HDR */
		{ 2, 32, 100000 },	/* 4x EDR */
		{ 2, 16, 56000 },	/* 4x FDR */
		{ 2, 4, 40000 },	/* 4x QDR */
		{ 1, 1, 2500 },		/* 1x SDR */
		{ 2, 128, 400000 },	/* 4x NDR */
		{ 16, 128, 200000 },	/* 2x NDR */
		{ 0, 32, 0 }, { 2, 3, 0 },
	};

	for (size_t i = 0; i < LGN_COUNT(rate); i++) {
		struct ibv_port_attr port = { .active_width = rate[i].width,
			.active_speed = rate[i].speed };

		cr_expect_eq(lgn_rc_mbps(&port), rate[i].mbps, "%zu: %d", i,
			     lgn_rc_mbps(&port));
	}
}

/* --- GIDs */

static struct ibv_gid_entry gid(uint32_t index, uint32_t type, const char *text)
{
	struct ibv_gid_entry e = { .gid_index = index, .gid_type = type };

	cr_assert_eq(inet_pton(AF_INET6, text, e.gid.raw), 1, "%s", text);
	return e;
}

Test(rc_gid, roce_by_rule)
{
	enum { V1 = IBV_GID_TYPE_ROCE_V1, V2 = IBV_GID_TYPE_ROCE_V2 };
	const struct ibv_gid_entry list[] = {
		gid(0, V1, "fe80::5054:ff:fe12:3456"),
		gid(1, V2, "fe80::5054:ff:fe12:3456"),
		gid(2, V1, "::ffff:10.0.0.1"),
		gid(3, V2, "fd00::1"),
		gid(5, V2, "::ffff:10.0.0.2"),
		gid(4, V2, "::ffff:10.0.0.1"),
	};

	cr_expect_eq(lgn_rc_gid_choose(list, 6, true, -1), 5, "the lowest v2, v4");
	cr_expect_eq(lgn_rc_gid_choose(list, 4, true, -1), 3, "routable IPv6");
	cr_expect_eq(lgn_rc_gid_choose(list, 3, true, -1), 1, "v2 before v1");
	cr_expect_eq(lgn_rc_gid_choose(list + 2, 1, true, -1), 0);
	cr_expect_eq(lgn_rc_gid_choose(list, 1, true, -1), 0);
	cr_expect_eq(lgn_rc_gid_choose(list, 0, true, -1), -1);
}

Test(rc_gid, infiniband_takes_the_first)
{
	const struct ibv_gid_entry list[] = {
		gid(1, IBV_GID_TYPE_IB, "fe80::2"),
		gid(0, IBV_GID_TYPE_IB, "fe80::1"),
	};

	cr_expect_eq(lgn_rc_gid_choose(list, 2, false, -1), 1);
	cr_expect_eq(lgn_rc_gid_choose(list, 2, false, 1), 0);
}

Test(rc_gid, the_one_asked_for_or_none)
{
	const struct ibv_gid_entry list[] = {
		gid(0, IBV_GID_TYPE_ROCE_V2, "fe80::1"),
		gid(7, IBV_GID_TYPE_ROCE_V1, "::ffff:10.0.0.1"),
	};

	cr_expect_eq(lgn_rc_gid_choose(list, 2, true, 0), 0);
	cr_expect_eq(lgn_rc_gid_choose(list, 2, true, 7), 1);
	cr_expect_eq(lgn_rc_gid_choose(list, 2, true, 1), -1);
}

Test(rc_gid, text)
{
	const struct ibv_gid_entry e = gid(4, IBV_GID_TYPE_ROCE_V2, "::ffff:10.0.0.1");
	char text[LGN_RC_GID_TEXT];

	cr_expect_str_eq(lgn_rc_gid_text(&e, text), "RoCE v2, ::ffff:10.0.0.1");
}

/* --- IP addresses */

static struct lgn_rc_host_ip ip(const char *interface, const char *text, bool hardware)
{
	struct lgn_rc_host_ip h = { .up = true, .hardware = hardware };

	strcpy(h.interface, interface);
	h.loopback = !strcmp(interface, "lo");
	cr_assert_eq(inet_pton(AF_INET6, text, h.ip), 1, "%s", text);
	return h;
}

Test(rc_ip, by_rule)
{
	struct lgn_rc_host_ip list[] = {
		ip("lo", "::ffff:127.0.0.1", false),
		ip("docker0", "::ffff:172.17.0.1", false),
		ip("virbr0", "::ffff:192.168.122.1", false),
		ip("bond0", "::ffff:10.2.0.1", false),
		ip("eth0", "fd00::1", true),
		ip("eth1", "::ffff:10.1.0.1", true),
		ip("ib0", "::ffff:10.3.0.1", true),
	};

	cr_expect_eq(lgn_rc_ip_choose(list, 7, ""), 5, "a card's IPv4");
	list[6].own = true;
	cr_expect_eq(lgn_rc_ip_choose(list, 7, ""), 6, "the port's own");
	list[6].up = false;
	cr_expect_eq(lgn_rc_ip_choose(list, 7, ""), 5, "that is up");
	cr_expect_eq(lgn_rc_ip_choose(list, 5, ""), 4, "a card before a bond");
	cr_expect_eq(lgn_rc_ip_choose(list, 4, ""), 3, "a bond");
	cr_expect_eq(lgn_rc_ip_choose(list, 3, ""), 0, "no bridge: loopback");
	cr_expect_eq(lgn_rc_ip_choose(list + 1, 2, ""), -1, "bridges only");
	cr_expect_eq(lgn_rc_ip_choose(list, 0, ""), -1);
}

Test(rc_ip, the_interface_asked_for_or_none)
{
	struct lgn_rc_host_ip list[] = {
		ip("eth0", "::ffff:10.1.0.1", true),
		ip("docker0", "::ffff:172.17.0.1", false),
		ip("eth10", "fd00::10", true),
		ip("eth10", "::ffff:10.1.0.10", true),
	};

	cr_expect_eq(lgn_rc_ip_choose(list, 4, "docker0"), 1);
	cr_expect_eq(lgn_rc_ip_choose(list, 4, "eth10"), 3, "IPv4 first");
	cr_expect_eq(lgn_rc_ip_choose(list, 3, "eth10"), 2);
	cr_expect_eq(lgn_rc_ip_choose(list, 4, "eth1"), -1);
	list[0].up = false;
	cr_expect_eq(lgn_rc_ip_choose(list, 4, "eth0"), -1);
}

static struct lgn_rc_device roce(const char *address)
{
	struct lgn_rc_device d = { .name = "none", .port = 1, .grh = true };

	d.port_attr.link_layer = IBV_LINK_LAYER_ETHERNET;
	cr_assert_eq(inet_pton(AF_INET6, address, d.gid.raw), 1);
	return d;
}

Test(rc_ip, of_a_roce_port_is_its_gid)
{
	const struct lgn_rc_options any = { .port = 0 };
	struct lgn_rc_device d = roce("::ffff:10.0.0.7");
	char text[LGN_RC_IP_TEXT];

	cr_assert_eq(lgn_rc_ip_find(&any, &d), 0, "%s", lagoon_errmsg());
	cr_expect(d.own_ip);
	cr_expect_str_eq(lgn_rc_ip_text(d.ip, text), "10.0.0.7");
}

/* Every machine has lo. */
Test(rc_ip, the_interface_goes_before_the_gid)
{
	const struct lgn_rc_options lo = { .interface = "lo" };
	struct lgn_rc_device d = roce("::ffff:10.0.0.7");
	char text[LGN_RC_IP_TEXT];

	cr_assert_eq(lgn_rc_ip_find(&lo, &d), 0, "%s", lagoon_errmsg());
	cr_expect_not(d.own_ip);
	cr_expect_str_eq(lgn_rc_ip_text(d.ip, text), "127.0.0.1");
	d = roce("::ffff:127.0.0.1");
	cr_assert_eq(lgn_rc_ip_find(&lo, &d), 0);
	cr_expect(d.own_ip, "the same address by its interface");
}

Test(rc_ip, a_link_local_gid_is_no_address)
{
	const struct lgn_rc_options any = { .port = 0 };
	struct lgn_rc_device d = roce("fe80::1");

	cr_assert_eq(lgn_rc_ip_find(&any, &d), 0, "%s", lagoon_errmsg());
	cr_expect_not(d.own_ip);
	cr_expect_neq(d.ip[0], 0xfe);
}

Test(rc_ip, an_interface_that_is_not_there)
{
	const struct lgn_rc_options o = { .interface = "nothere7" };
	struct lgn_rc_device d = roce("::ffff:10.0.0.7");

	cr_expect_eq(lgn_rc_ip_find(&o, &d), LAGOON_EINVAL);
	cr_expect(strstr(lagoon_errmsg(), "LAGOON_INTERFACE is \"nothere7\""));
	cr_expect(strstr(lagoon_errmsg(), "lo"), "%s", lagoon_errmsg());
}

/* --- limits */

static const struct lgn_rc_device small = {
	.name = "tiny0",
	.attr = { .max_qp = 100, .max_qp_wr = 64, .max_cqe = 1000, .max_cq = 2,
		  .max_qp_rd_atom = 1, .max_qp_init_rd_atom = 1 },
};

Test(rc_device, limits_that_are_kept)
{
	cr_expect_eq(lgn_rc_device_check(&small, 100, "x", 64, 1000), 0, "%s",
		     lagoon_errmsg());
}

/* The message has the number needed, the number there, and what to set. */
static void refused(const struct lgn_rc_device *d, uint64_t qps, uint32_t depth,
		    uint32_t cqe, const char *says)
{
	cr_expect_eq(lgn_rc_device_check(d, qps, "4 processes x 3 homes x 9",
					 depth, cqe), LAGOON_ENODEV, "%s", says);
	cr_expect(strstr(lagoon_errmsg(), says), "%s", lagoon_errmsg());
	cr_expect(strstr(lagoon_errmsg(), "tiny0"));
	cr_expect(strstr(lagoon_errmsg(), "LAGOON_"));
}

Test(rc_device, limits_that_are_not)
{
	struct lgn_rc_device d = small;

	refused(&d, 108, 64, 1000, "queue pairs, 4 processes x 3 homes x 9: 108 needed, device tiny0 has 100 (max_qp)");
	refused(&d, 1ull << 40, 64, 1000, "1099511627776 needed");
	refused(&d, 1, 65, 1000, "65 needed, device tiny0 has 64 (max_qp_wr)");
	refused(&d, 1, 64, 1001, "1001 needed, device tiny0 has 1000 (max_cqe)");
	d.attr.max_cq = 1;
	refused(&d, 1, 64, 1000, "2 needed, device tiny0 has 1 (max_cq)");
	d = small;
	d.attr.max_qp_rd_atom = 0;
	refused(&d, 1, 64, 1000, "1 needed, device tiny0 has 0 (max_qp_rd_atom)");
	d = small;
	d.attr.max_qp_init_rd_atom = 0;
	refused(&d, 1, 64, 1000, "has 0 (max_qp_init_rd_atom)");
}
