/* SPDX-License-Identifier: BSD-3-Clause */
/* The IP address that peers connect to. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "verbs/rc/choose.h"

enum { IPS = 256 };

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool lgn_rc_ip_is_v4(const uint8_t ip[16])
{
	return !memcmp(ip, v4_prefix, sizeof(v4_prefix));
}

const char *lgn_rc_ip_text(const uint8_t ip[16], char text[LGN_RC_IP_TEXT])
{
	text[0] = '\0';
	if (lgn_rc_ip_is_v4(ip))
		inet_ntop(AF_INET, ip + 12, text, LGN_RC_IP_TEXT);
	else
		inet_ntop(AF_INET6, ip, text, LGN_RC_IP_TEXT);
	return text;
}

/* Bridges to containers and virtual machines have addresses that are the same
 * on every host. */
static bool is_bridge(const char *name)
{
	static const char *const prefix[] = {
		"docker", "br-", "virbr", "veth", "vnet", "lxcbr", "lxdbr",
		"cni", "podman", "flannel", "cali", "kube",
	};

	for (size_t i = 0; i < LGN_COUNT(prefix); i++)
		if (!strncmp(name, prefix[i], strlen(prefix[i])))
			return true;
	return false;
}

/* Large is good; 0: never. */
static int rank(const struct lgn_rc_host_ip *a, const char *interface)
{
	int kind = a->own ? 4 : a->hardware ? 3 : a->loopback ? 1 : 2;

	if (!a->up)
		return 0;
	if (interface[0])
		kind = !strcmp(a->interface, interface);
	else if (is_bridge(a->interface))
		kind = 0;
	return kind ? 2 * kind + lgn_rc_ip_is_v4(a->ip) : 0;
}

int lgn_rc_ip_choose(const struct lgn_rc_host_ip *list, int n,
		     const char *interface)
{
	int best = -1, most = 0;

	for (int i = 0; i < n; i++) {
		int r = rank(&list[i], interface);

		if (r > most) {
			best = i;
			most = r;
		}
	}
	return best;
}

static bool read_line(const char *path, char *line, int len)
{
	FILE *f = fopen(path, "re");
	bool got = f && fgets(line, len, f);

	if (f)
		fclose(f);
	return got;
}

/* IPoIB: an interface of the kind InfiniBand on the same card and port. */
static bool is_ipoib_of(const char *interface, const struct lgn_rc_device *d)
{
	char path[256], line[32];

	if (d->port_attr.link_layer == IBV_LINK_LAYER_ETHERNET)
		return false;
	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/device/net/%s",
		 d->name, interface);
	if (access(path, F_OK))
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/type", interface);
	if (!read_line(path, line, sizeof(line)) ||
	    atoi(line) != ARPHRD_INFINIBAND)
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/dev_port", interface);
	return read_line(path, line, sizeof(line)) && atoi(line) == d->port - 1;
}

static bool is_hardware(const char *interface)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", interface);
	return !access(path, F_OK);
}

/* Link-local addresses mean nothing without an interface: not listed. */
static bool read_ip(const struct sockaddr *sa, uint8_t ip[16])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

	if (sa && sa->sa_family == AF_INET) {
		memcpy(ip, v4_prefix, sizeof(v4_prefix));
		memcpy(ip + 12, &in->sin_addr, 4);
		return true;
	}
	if (!sa || sa->sa_family != AF_INET6 ||
	    IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
		return false;
	memcpy(ip, &in6->sin6_addr, 16);
	return true;
}

/* device: NULL: none is chosen yet. */
static int list_ips(const struct lgn_rc_device *device,
		    struct lgn_rc_host_ip list[IPS])
{
	struct ifaddrs *all, *a;
	int n = 0;

	if (getifaddrs(&all))
		return lgn_fail(LAGOON_EIO, "getifaddrs: %s", strerror(errno));
	for (a = all; a && n < IPS; a = a->ifa_next) {
		struct lgn_rc_host_ip *h = &list[n];

		if (!read_ip(a->ifa_addr, h->ip))
			continue;
		snprintf(h->interface, sizeof(h->interface), "%s", a->ifa_name);
		h->up = a->ifa_flags & IFF_UP && a->ifa_flags & IFF_RUNNING;
		h->loopback = a->ifa_flags & IFF_LOOPBACK;
		h->hardware = is_hardware(a->ifa_name);
		h->own = device && is_ipoib_of(a->ifa_name, device);
		n++;
	}
	freeifaddrs(all);
	return n;
}

/* Addresses of one interface need not stand together. */
static bool named_before(const struct lgn_rc_host_ip *list, int i)
{
	for (int k = 0; k < i; k++)
		if (list[k].up && !strcmp(list[k].interface, list[i].interface))
			return true;
	return false;
}

static int no_ip(const struct lgn_rc_options *o,
		 const struct lgn_rc_host_ip *list, int n)
{
	char text[300] = "";
	size_t used = 0;

	for (int i = 0; i < n && used < sizeof(text); i++)
		if (list[i].up && !named_before(list, i))
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 "%s%s", used ? ", " : "",
						 list[i].interface);
	if (o->interface[0])
		return lgn_fail(LAGOON_EINVAL,
				"LAGOON_INTERFACE is \"%s\": not an interface that is up and has an IP address; there is %s",
				o->interface, used ? text : "none");
	return lgn_fail(LAGOON_ENODEV,
			"no IP address to connect by: none of this host's interfaces that is up has one%s%s",
			used ? " but " : "", text);
}

/* The GID of a RoCE port is the IP address of its interface. */
static bool gid_is_ip(const struct lgn_rc_device *d)
{
	return d->port_attr.link_layer == IBV_LINK_LAYER_ETHERNET &&
		!lgn_rc_gid_is_local(&d->gid);
}

int lgn_rc_ip_find(const struct lgn_rc_options *o, struct lgn_rc_device *d)
{
	struct lgn_rc_host_ip list[IPS];
	int n, i;

	if (!o->interface[0] && gid_is_ip(d)) {
		memcpy(d->ip, d->gid.raw, sizeof(d->ip));
		d->own_ip = true;
		return 0;
	}
	n = list_ips(d, list);
	if (n < 0)
		return n;
	i = lgn_rc_ip_choose(list, n, o->interface);
	if (i < 0)
		return no_ip(o, list, n);
	memcpy(d->ip, list[i].ip, sizeof(d->ip));
	d->own_ip = list[i].own ||
		(gid_is_ip(d) && !memcmp(d->ip, d->gid.raw, sizeof(d->ip)));
	return 0;
}

void lgn_rc_ip_example(char name[IF_NAMESIZE])
{
	struct lgn_rc_host_ip list[IPS];
	int n = list_ips(NULL, list);
	int i = n > 0 ? lgn_rc_ip_choose(list, n, "") : -1;

	snprintf(name, IF_NAMESIZE, "%s",
		 i >= 0 && !list[i].loopback ? list[i].interface : "eth0");
}
