/* SPDX-License-Identifier: BSD-3-Clause */
/* What devices there are, and what is wrong if there are none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/status.h"
#include "verbs/rc/choose.h"

#define SYSFS "/sys/class/infiniband"

/* Where the shard is. */
struct place {
	const struct lgn_topo *topo;	/* may be NULL */
	int near;
};

/* The first device that the kernel has, whether libibverbs can use it or not. */
static bool kernel_has(char *name, size_t len)
{
	DIR *dir = opendir(SYSFS);
	struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir))) {
		found = e->d_name[0] != '.';
		if (found)
			snprintf(name, len, "%s", e->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int no_device(void)
{
	char name[256], interface[IF_NAMESIZE];

	if (kernel_has(name, sizeof(name)))
		return lgn_fail(LAGOON_ENODEV,
				"the kernel has the RDMA device %s, but libibverbs finds none: load ib_uverbs (modprobe ib_uverbs), install its driver (ibverbs-providers on Debian), and give a container /dev/infiniband and %s",
				name, SYSFS);
	lgn_rc_ip_example(interface);
	return lgn_fail(LAGOON_ENODEV,
			"no RDMA device here. To try without hardware, Soft-RoCE: modprobe rdma_rxe; rdma link add rxe0 type rxe netdev %s (as root, from iproute2). Processes of one machine need none: LAGOON_WIRE=shm",
			interface);
}

/* Opened here once more: libibverbs looks elsewhere, too, before it gives up,
 * and leaves the errno of that. */
static int why_not(const char *path, int error)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return error;
}

static void cannot_open(const struct ibv_device *device, int error, char *text,
			size_t len)
{
	char path[128];
	const char *cure = "";

	snprintf(path, sizeof(path), "/dev/infiniband/%s", device->dev_name);
	error = why_not(path, error);
	if (error == EACCES || error == EPERM)
		cure = ": this user needs to read and write it (udev rules of rdma-core), and a container the device";
	else if (error == ENOENT || error == ENXIO || error == ENODEV)
		cure = ": load ib_uverbs (modprobe ib_uverbs), and give a container /dev/infiniband";
	else if (error == ENOMEM)
		cure = ": see RLIMIT_MEMLOCK (ulimit -l)";
	snprintf(text, len, "%s: %s%s", path, strerror(error), cure);
}

static struct lgn_rc_candidate *add(struct lgn_rc_scan *s)
{
	size_t size = sizeof(*s->candidate);
	void *more = realloc(s->candidate, ((size_t)s->n + 1) * size);

	if (!more) {
		lgn_fail(LAGOON_ENOMEM, "no memory for a list of devices");
		return NULL;
	}
	s->candidate = more;
	memset(&s->candidate[s->n], 0, size);
	return &s->candidate[s->n++];
}

static void locate(const struct place *p, struct lgn_rc_candidate *c)
{
	char folder[128];

	c->node = c->node_os = -1;
	if (!p->topo)
		return;
	snprintf(folder, sizeof(folder), SYSFS "/%s/device", c->device);
	c->node_os = lgn_topo_device_os(p->topo, folder);
	c->node = lgn_topo_os_node(p->topo, c->node_os);
	c->distance = lgn_topo_distance(p->topo, p->near, c->node_os);
}

static void look_at_gids(struct ibv_context *context,
			 const struct ibv_port_attr *attr,
			 struct lgn_rc_candidate *c)
{
	struct ibv_gid_entry list[LGN_RC_GIDS];
	int n = lgn_rc_gid_list(context, c->port, attr, list);

	c->gid = n > 0;
	if (n)
		lgn_rc_gid_interface(&list[0], c->interface);
}

static int add_port(struct lgn_rc_scan *s, const struct place *p,
		    struct ibv_context *context, int port, bool atomics)
{
	struct lgn_rc_candidate *c = add(s);
	struct ibv_port_attr attr;

	if (!c)
		return LAGOON_ENOMEM;
	snprintf(c->device, sizeof(c->device), "%s",
		 ibv_get_device_name(context->device));
	locate(p, c);
	if (ibv_query_port(context, (uint8_t)port, &attr)) {
		snprintf(c->trouble, sizeof(c->trouble), "query of port %d: %s",
			 port, strerror(errno));
		return 0;
	}
	c->port = port;
	c->state = attr.state;
	c->ethernet = attr.link_layer == IBV_LINK_LAYER_ETHERNET;
	c->atomics = atomics;
	look_at_gids(context, &attr, c);
	c->mbps = lgn_rc_mbps(&attr);
	return 0;
}

/* text: what keeps the whole device from being used, or "". */
static int add_ports(struct lgn_rc_scan *s, const struct place *p,
		     struct ibv_context *context, char *text, size_t len)
{
	struct ibv_device_attr attr;
	int rc = 0;

	text[0] = '\0';
	if (context->device->transport_type != IBV_TRANSPORT_IB)
		snprintf(text, len, "neither InfiniBand nor RoCE: it has no atomic operations");
	else if (ibv_query_device(context, &attr))
		snprintf(text, len, "query of the device: %s", strerror(errno));
	else
		for (int port = 1; !rc && port <= attr.phys_port_cnt; port++)
			rc = add_port(s, p, context, port,
				      attr.atomic_cap != IBV_ATOMIC_NONE);
	return rc;
}

static int add_device(struct lgn_rc_scan *s, const struct place *p,
		      struct ibv_device *device)
{
	char text[sizeof(s->candidate->trouble)];
	struct ibv_context *context;
	struct lgn_rc_candidate *c;
	int rc = 0;

	errno = 0;
	context = ibv_open_device(device);
	if (context) {
		rc = add_ports(s, p, context, text, sizeof(text));
		ibv_close_device(context);
	} else {
		cannot_open(device, errno, text, sizeof(text));
	}
	if (rc || !text[0])
		return rc;
	c = add(s);
	if (!c)
		return LAGOON_ENOMEM;
	snprintf(c->device, sizeof(c->device), "%s", ibv_get_device_name(device));
	memcpy(c->trouble, text, sizeof(c->trouble));
	locate(p, c);
	return 0;
}

int lgn_rc_scan(const struct lgn_topo *topo, int near,
		struct lgn_rc_scan *out)
{
	struct lgn_rc_scan s = { .n = 0 };
	const struct place place = { topo, near };
	int rc = 0;

	s.device = ibv_get_device_list(&s.devices);
	if (!s.device || !s.devices)
		rc = no_device();
	for (int i = 0; !rc && i < s.devices; i++)
		rc = add_device(&s, &place, s.device[i]);
	if (rc)
		lgn_rc_scan_free(&s);
	else
		*out = s;
	return rc;
}

void lgn_rc_scan_free(struct lgn_rc_scan *s)
{
	if (s->device)
		ibv_free_device_list(s->device);
	free(s->candidate);
}
